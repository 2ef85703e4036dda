/* The RPKI to Router protocol, by which a validator ("cache") gives VRPs to routers: its PDUs, from
 * bytes to values and back, for versions 1 (RFC 8210) and 0 (RFC 6810). Views point into the bytes
 * given, which must outlive them.
 *
 *     size_t length;
 *     const char *fault = rtr_frame(bytes, n, &length);     // 0: too few bytes to tell
 *     if (!fault && length && n >= length)
 *         fault = rtr_decode(reader_of(bytes, length), &pdu, &error);
 */
#ifndef WIRE_RTR_H
#define WIRE_RTR_H

#include "base/addr.h"
#include "base/buffer.h"
#include "base/reader.h"

#include <stdbool.h>

enum { RTR_VERSION_MAX = 1 };

/* RFC 8210, 5. */
enum rtr_type {
    RTR_SERIAL_NOTIFY,
    RTR_SERIAL_QUERY,
    RTR_RESET_QUERY,
    RTR_CACHE_RESPONSE,
    RTR_IPV4_PREFIX,
    RTR_IPV6_PREFIX = 6,
    RTR_END_OF_DATA,
    RTR_CACHE_RESET,
    RTR_ROUTER_KEY, /* not of version 0 */
    RTR_ERROR_REPORT
};

/* X(constant, text), in the order of RFC 8210, 12. */
#define RTR_ERROR_LIST(X)                                                                          \
    X(CORRUPT_DATA, "corrupt data")                                                                \
    X(INTERNAL, "internal error")                                                                  \
    X(NO_DATA, "no data available yet")                                                            \
    X(INVALID_REQUEST, "invalid request")                                                          \
    X(UNSUPPORTED_VERSION, "unsupported protocol version")                                         \
    X(UNSUPPORTED_TYPE, "unsupported PDU type")                                                    \
    X(UNKNOWN_RECORD, "withdrawal of an unknown record")                                           \
    X(DUPLICATE, "duplicate announcement")                                                         \
    X(UNEXPECTED_VERSION, "unexpected protocol version")

enum rtr_error {
#define X(constant, text) RTR_ERROR_##constant,
    RTR_ERROR_LIST(X)
#undef X
};

/* For people; "unknown error" for a code that is not known. */
const char *rtr_error_text(uint16_t code);

enum { RTR_HEADER = 8 };
/* All but the ERROR_REPORT, which quotes, and the key are shorter than 33 bytes. */
enum { RTR_PDU_MAX = 64 * 1024 };

struct rtr_pdu {
    uint8_t version;
    uint8_t type;     /* enum rtr_type */
    uint16_t session; /* SERIAL_NOTIFY, SERIAL_QUERY, CACHE_RESPONSE, END_OF_DATA */
    uint16_t error;   /* ERROR_REPORT: enum rtr_error, or one that is not known */
    uint32_t serial;  /* SERIAL_NOTIFY, SERIAL_QUERY, END_OF_DATA */
    /* IPV4_PREFIX, IPV6_PREFIX */
    bool is_announced; /* else withdrawn */
    uint8_t max_bits;
    struct prefix prefix;
    uint32_t asn;
    /* END_OF_DATA of version 1: seconds; of version 0 they are 0 */
    uint32_t refresh_s, retry_s, expire_s;
    /* ERROR_REPORT */
    struct reader quoted; /* the PDU that was wrong, or empty */
    struct reader text;   /* not checked */
};

/* What the next bytes of a connection begin: *length is that of the whole PDU, 0 if they are too
 * few to tell. Or what is wrong, a static text: then no more can be read from this connection. */
const char *rtr_frame(const uint8_t *bytes, size_t n, size_t *length);

/* One whole PDU of a version that is known. NULL, or what is wrong with it, a static text, with the
 * *error to report; then `out` is untouched. */
const char *rtr_decode(struct reader pdu, struct rtr_pdu *out, enum rtr_error *error);

void rtr_encode(const struct rtr_pdu *pdu, struct buffer *out);

#endif
