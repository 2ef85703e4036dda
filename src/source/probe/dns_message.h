/* DNS messages, over ldns: RFC 1035. Pure: bytes in, values out. */
#ifndef SOURCE_PROBE_DNS_MESSAGE_H
#define SOURCE_PROBE_DNS_MESSAGE_H

#include "model/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DNS_NAME_TEXT = 256, /* with the NUL; escapes do not fit into a target that is longer */
    DNS_QUERY_MAX = 300, /* a header, one name, type and class */
    DNS_REPLY_MAX = 65535,
};

struct dns_query {
    uint8_t bytes[DNS_QUERY_MAX];
    size_t n;
};

/* Recursion is asked for, as everybody does: a resolver then answers, and one that holds the zone
 * does not mind. No EDNS: nobody can stumble over it. False if the name or the type is none. */
bool dns_query_make(const char *name, size_t name_size, const char *type, size_t type_size,
                    uint16_t id, struct dns_query *out);

enum dns_match {
    DNS_FOREIGN, /* not an answer to this query: another identifier or question, or not an answer at
                    all */
    DNS_BROKEN,  /* has our identifier, but cannot be decoded */
    DNS_ANSWER,
};

struct dns_reply {
    uint8_t rcode;
    bool is_truncated;
    bool is_authoritative;
    bool has_recursion; /* available: it is a resolver */
    bool has_record;    /* of the type that was asked, or an alias */
    uint32_t serial;    /* of a SOA record in the answer; 0: none */
};

/* Decodes what came back for a query. *out is set only for DNS_ANSWER. */
enum dns_match dns_reply_read(const struct dns_query *query, const uint8_t *bytes, size_t n,
                              struct dns_reply *out);

enum outcome dns_outcome(const struct dns_reply *reply);

#endif
