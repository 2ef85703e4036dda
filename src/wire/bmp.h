/* BMP messages (RFC 7854; 9069 for Loc-RIB, 8671 for Adj-RIB-Out), by which a router tells a
 * station of its BGP peers and their routes: from bytes to values, without copying or allocating.
 * All views point into the bytes given, which must outlive them.
 *
 *     size_t length;
 *     const char *fault = bmp_frame(bytes, n, &length);     // 0: too few bytes to tell
 *     if (!fault && length && n >= length)
 *         fault = bmp_decode(reader_of(bytes, length), &message);
 */
#ifndef WIRE_BMP_H
#define WIRE_BMP_H

#include "base/addr.h"
#include "base/reader.h"
#include "base/utc.h"
#include "wire/bgp_session.h"

#include <stdbool.h>

/* RFC 7854, 4.1. */
enum bmp_type {
    BMP_ROUTE_MONITORING,
    BMP_STATISTICS,
    BMP_PEER_DOWN,
    BMP_PEER_UP,
    BMP_INITIATION,
    BMP_TERMINATION,
    BMP_ROUTE_MIRRORING
};

enum { BMP_HEADER = 6 };
/* The longest that is sensible is a PEER_UP with two OPENs of 64 KB (RFC 8654, 9072). */
enum { BMP_MESSAGE_MAX = 256 * 1024 };

/* RFC 7854, 4.2; RFC 9069, 4.1. */
enum bmp_peer_type { BMP_PEER_GLOBAL, BMP_PEER_RD, BMP_PEER_LOCAL, BMP_PEER_LOC_RIB };

/* RFC 7854, 4.9: why a session ended, where a NOTIFICATION was sent. */
enum { BMP_DOWN_NOTIFIED = 1, BMP_DOWN_NOTIFIED_BY_PEER = 3 };

/* The tables that a router may tell of, those heard from peers first. X(constant, name) */
#define BMP_TABLE_LIST(X)                                                                          \
    X(PRE_POLICY, "pre-policy")                 /* Adj-RIB-In as it came in: RFC 7854, 5 */        \
    X(POST_POLICY, "post-policy")               /* what policy left of it */                       \
    X(LOC_RIB, "loc-rib")                       /* what the router itself uses: RFC 9069 */        \
    X(OUT_POST_POLICY, "adj-rib-out")           /* what it sends to the peer: RFC 8671 */          \
    X(OUT_PRE_POLICY, "adj-rib-out-pre-policy") /* ... before policy */
enum bmp_table {
#define X(constant, name) BMP_##constant,
    BMP_TABLE_LIST(X)
#undef X
        BMP_TABLES
};
const char *bmp_table_name(enum bmp_table table);
/* Whether it is of what the router hears; else of what it says, or uses. */
static inline bool bmp_table_is_heard(enum bmp_table table)
{
    return table == BMP_PRE_POLICY || table == BMP_POST_POLICY;
}

struct bmp_peer {
    uint8_t type;           /* enum bmp_peer_type */
    bool is_post_policy;    /* L */
    bool is_as2;            /* A: AS_PATH has 2-byte ASNs */
    bool is_out;            /* O: of Adj-RIB-Out */
    uint64_t distinguisher; /* tells peers of the same address in different tables apart */
    struct addr addr;       /* family 0 for Loc-RIB */
    uint32_t asn;
    uint32_t id;     /* BGP identifier: the peer's, for Loc-RIB the router's own */
    struct utc time; /* when its routes were received, installed or sent; 0: it does not say */
};

struct bmp_message {
    uint8_t type;         /* enum bmp_type, or one that is not known */
    struct bmp_peer peer; /* of ROUTE_MONITORING, PEER_UP, PEER_DOWN; of the others not set */
    struct reader update; /* ROUTE_MONITORING: body of the UPDATE */
    struct bgp_open sent; /* PEER_UP: by the router, and by its peer */
    struct bgp_open received;
    uint16_t reason; /* PEER_DOWN: as RFC 7854, 4.9 and RFC 9069, 5.3 number them; TERMINATION */
    struct reader notification; /* PEER_DOWN: its body, if there was one; else at == NULL */
    struct reader sys_name;     /* INITIATION: not checked text; at == NULL: not there */
    struct reader sys_descr;    /* the same */
};

/* What the next bytes of a connection begin: *length is that of the whole message, 0 if they are too
 * few to tell. Or what is wrong, a static text: then no more can be read from this connection. */
const char *bmp_frame(const uint8_t *bytes, size_t n, size_t *length);

/* One whole message. NULL, or what is wrong with it, a static text; then `out` is untouched. */
const char *bmp_decode(struct reader message, struct bmp_message *out);

/* The table that a ROUTE_MONITORING of this peer is about. */
enum bmp_table bmp_table_of(const struct bmp_peer *peer);
/* By what the peer goes: its address. In Loc-RIB the router is its own only peer, and goes by its BGP
 * identifier (RFC 9069, 4.1). Of no family if it has neither. */
struct addr bmp_peer_addr(const struct bmp_peer *peer);

/* The session of a PEER_UP, as UPDATEs of a table have it that is heard, or is not. */
struct bgp_session bmp_session_of(const struct bmp_message *peer_up, bool is_heard);
/* How the UPDATE in a ROUTE_MONITORING is to be read. */
struct bgp_form bmp_form_of(const struct bmp_peer *peer, const struct bgp_session *session);

/* The text in sys_name as a name: what is no plain character is left out, and what has no room (with a
 * zero behind). False if nothing is left. */
bool bmp_name(struct reader sys_name, char *out, size_t room);

/* Why a router ended its connection (RFC 7854, 4.5), for people. */
const char *bmp_termination_reason(uint16_t reason);

#endif
