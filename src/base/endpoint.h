/* A host with a port, as people write it: HOST, HOST:PORT, ADDRESS:PORT, [ADDRESS]:PORT and :PORT. An IPv6
 * address stands in brackets where a port follows, and may where none does. */
#ifndef BASE_ENDPOINT_H
#define BASE_ENDPOINT_H

#include "base/addr.h"

/* Views into the text. */
struct endpoint {
    const char *host; /* without brackets */
    size_t host_size; /* 0: only a port was written */
    struct addr addr; /* of the host, if that is an address; family 0 if it is a name */
    bool has_brackets;
    uint16_t port; /* 0: none was written */
};

/* What names may look like is not looked at. */
bool endpoint_parse(const char *text, size_t n, struct endpoint *out);

#endif
