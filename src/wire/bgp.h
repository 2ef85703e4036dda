/* BGP UPDATE messages, from bytes to values, without copying or allocating: RFC 4271 (BGP-4), 4760
 * (other address families), 6793 (4-byte ASNs), 7606 (what to do with errors), 7911 (ADD-PATH),
 * 4724 (End-of-RIB). IPv4 and IPv6, unicast and multicast; other families are passed over. All
 * views point into the bytes given, which must outlive them.
 *
 *     struct bgp_update update;
 *     if (!bgp_update_decode(body, form, &update))
 *         ... update.fault says why nothing of it can be used
 *     struct bgp_nlri route;
 *     for (size_t i = 0; i < update.announced_count; i++)
 *         for (struct bgp_routes routes = update.announced[i]; bgp_routes_next(&routes, &route);)
 *             ... if (update.is_withdrawal) it is no announcement: RFC 7606 made it a withdrawal
 */
#ifndef WIRE_BGP_H
#define WIRE_BGP_H

#include "base/addr.h"
#include "base/buffer.h"
#include "base/reader.h"
#include "wire/load.h"

#include <stdbool.h>

enum bgp_message_type {
    BGP_OPEN = 1,
    BGP_UPDATE = 2,
    BGP_NOTIFICATION = 3,
    BGP_KEEPALIVE = 4,
    BGP_ROUTE_REFRESH = 5
};

enum { BGP_AS_TRANS = 23456 };

/* IANA: BGP Path Attributes; those that are used here. */
enum bgp_attribute {
    BGP_ORIGIN = 1,
    BGP_AS_PATH = 2,
    BGP_NEXT_HOP = 3,
    BGP_MED = 4,
    BGP_LOCAL_PREF = 5,
    BGP_ATOMIC_AGGREGATE = 6,
    BGP_AGGREGATOR = 7,
    BGP_COMMUNITIES = 8,
    BGP_ORIGINATOR_ID = 9,
    BGP_CLUSTER_LIST = 10,
    BGP_MP_REACH = 14,
    BGP_MP_UNREACH = 15,
    BGP_EXTENDED_COMMUNITIES = 16,
    BGP_AS4_PATH = 17,
    BGP_AS4_AGGREGATOR = 18,
    BGP_IPV6_EXTENDED_COMMUNITIES = 25,
    BGP_LARGE_COMMUNITIES = 32,
    BGP_ONLY_TO_CUSTOMER = 35,
    BGP_ATTRIBUTES = 64 /* types from here on are passed over */
};

/* IANA: SAFI Values. Unicast is what the internet is; the others are decoded, and kept apart. */
enum bgp_safi { BGP_UNICAST = 1, BGP_MULTICAST = 2, BGP_UNICAST_AND_MULTICAST = 3 };

/* Whether prefixes carry a path identifier. The answer was negotiated when the session began, and
 * archives do not always tell it right: GUESS believes in it only where the bytes make no sense
 * without. */
enum bgp_add_path { BGP_ADD_PATH_NO, BGP_ADD_PATH_YES, BGP_ADD_PATH_GUESS };

/* In what form an UPDATE is. */
struct bgp_form {
    bool is_as4;                 /* AS_PATH has 4-byte ASNs */
    bool is_as4_guess;           /* ... probably: where that makes no sense, the other is tried */
    enum bgp_add_path add_path;  /* of IPv4 prefixes: it is negotiated for each family */
    enum bgp_add_path add_path6; /* of IPv6 prefixes */
    bool is_cut;                 /* its end is missing: as much as is there is used */
    bool is_internal;            /* both sides are of one AS (RFC 7606, 7.5, 7.9, 7.10) */
};

struct bgp_nlri {
    struct prefix prefix; /* host bits cleared: RFC 4271, 4.3: trailing bits are irrelevant */
    uint32_t path_id;     /* 0 without ADD-PATH */
};

/* A run of prefixes that was found to be sound. */
struct bgp_routes {
    struct reader bytes;
    uint32_t count;
    uint8_t family; /* 4 or 6 */
    uint8_t safi;   /* enum bgp_safi */
    bool has_path_ids;
};

/* 1 got one, 0 no more. */
int bgp_routes_next(struct bgp_routes *routes, struct bgp_nlri *out);

/* An AS path: AS_PATH alone, or merged with AS4_PATH (RFC 6793, 4.2.3), which then gives its end.
 */
struct bgp_path {
    struct reader head; /* segments of AS_PATH */
    struct reader tail; /* segments of AS4_PATH; empty if there is none to be used */
    unsigned head_hops; /* how many hops of `head` count; UINT_MAX: all */
    bool is_as4;        /* ASNs in `head` have four bytes */
};

/* As the registry wants it: "64500 4837 {131279,131280}"; a confederation's part "(64512,64513)"
 * or, a set, "({64512,64513})". Adds nothing for the empty path. */
void bgp_path_format(const struct bgp_path *path, struct buffer *out);
/* The AS at the end of the path; 0 if there is none or the path ends in a set. */
uint32_t bgp_path_origin(const struct bgp_path *path);
/* Whether the AS is anywhere in the path. */
bool bgp_path_has(const struct bgp_path *path, uint32_t asn);

/* The segments of a path, one after the other, as far as they are used: of one of `head` of which not all hops
 * count only its first ones are; parts of a confederation, which count none, are used where they lead
 * or follow what is (RFC 6793, 4.2.3).
 *
 *     struct bgp_segment segment;
 *     struct bgp_segments segments = bgp_segments(path);
 *     while (bgp_segments_next(&segments, &segment)) ...
 *     if (segments.rest.bad) ... it makes no sense; never so of a path that was decoded */
enum bgp_segment_type {
    BGP_AS_SET = 1,
    BGP_AS_SEQUENCE = 2,
    BGP_AS_CONFED_SEQUENCE = 3, /* RFC 5065 */
    BGP_AS_CONFED_SET = 4
};
struct bgp_segment {
    uint8_t type;
    uint8_t count;      /* of ASes that are used */
    bool is_as4;        /* they have four bytes each */
    struct reader asns; /* perhaps more than are used */
};
struct bgp_segments {
    struct reader rest, tail;
    unsigned hops; /* that still count of `rest` */
    bool is_as4;
};
static inline struct bgp_segments bgp_segments(const struct bgp_path *path)
{
    return (struct bgp_segments){path->head, path->tail, path->head_hops, path->is_as4};
}
bool bgp_segments_next(struct bgp_segments *segments, struct bgp_segment *out);

/* What was seen of attributes when they were found, for judging them together. */
struct bgp_scan {
    uint64_t wrong_flags;  /* bit n: type n has flags that it must not have */
    uint64_t wrong_length; /* bit n: type n has a length that it cannot have */
    const char *fault;     /* RFC 7606: treat as withdraw */
    const char *fatal;     /* RFC 7606: the message cannot be used */
    bool has_odd_hop;      /* the next hop in MP_REACH_NLRI has a length that it cannot have */
    bool lacks;            /* judged: nothing is wrong but that ORIGIN or AS_PATH is not there */
};

/* The attributes of a route: found and judged in one pass, their values still bytes. One that is
 * wrong but does no harm is left out (RFC 7606, 2: attribute discard): `present` does not have it,
 * `discarded` and `fault` tell of it. */
struct bgp_attributes {
    struct bgp_path path;
    uint8_t origin;     /* 0 IGP, 1 EGP, 2 incomplete */
    uint64_t present;   /* bit n: an attribute of type n is there, for bgp_attribute() */
    uint64_t discarded; /* the same, of those left out */
    const char *fault;  /* why, a static text; NULL if there are none */
    struct bgp_scan scan;
    const uint8_t *start;
    struct {
        uint16_t at, length;
    } found[BGP_ATTRIBUTES]; /* from `start`; set only where `present` says so */
};

/* The value of an attribute; at == NULL if it is not there. Of two of the same type the first
 * counts (RFC 7606, 3 (g)). */
static inline struct reader bgp_attribute(const struct bgp_attributes *attributes,
                                          enum bgp_attribute type)
{
    if (!(attributes->present >> type & 1))
        return (struct reader){0};
    return reader_of(attributes->start + attributes->found[type].at,
                     attributes->found[type].length);
}

/* The first attribute of that type among some that nobody has looked at yet; at == NULL if there is
 * none.
 */
const uint8_t *bgp_attribute_search(const uint8_t *at, const uint8_t *end, enum bgp_attribute type,
                                    size_t *length);
static inline struct reader bgp_attribute_find(struct reader bytes, enum bgp_attribute type)
{
    size_t length = 0;
    const uint8_t *at = bgp_attribute_search(bytes.at, bytes.end, type, &length);
    return reader_of(at, length);
}

/* The AS that stands last in an AS_PATH that nobody has looked at yet, whatever it is part of; 0 if
 * there is none. It is the origin if that is not 0. */
static inline uint32_t bgp_last_as(struct reader path, bool is_as4)
{
    size_t size = is_as4 ? 4 : 2;
    if (reader_left(&path) < size)
        return 0;
    return is_as4 ? load_u32(path.end - 4) : load_u16(path.end - 2);
}

/* Where packets for a route are to go. */
struct bgp_next_hop {
    struct addr global; /* no family: not known */
    struct addr local;  /* RFC 2545, 3: link-local, beside a global one */
};

/* The next hop of a route of this family: of NEXT_HOP, or of MP_REACH_NLRI in full, or abbreviated
 * as table dumps have it (RFC 6396, 4.3.4; not all abbreviate). */
struct bgp_next_hop bgp_next_hop_of(const struct bgp_attributes *attributes, uint8_t family,
                                    uint8_t safi);

struct bgp_update {
    struct bgp_attributes attributes; /* to be used if has_attributes */
    struct bgp_routes withdrawn[2];   /* of the message itself and of MP_UNREACH_NLRI */
    struct bgp_routes announced[2];   /* of the message itself and of MP_REACH_NLRI */
    uint8_t withdrawn_count;
    uint8_t announced_count;
    bool has_attributes;   /* all that a route needs is there and sound */
    bool has_own_prefixes; /* announced by the message itself */
    bool has_reachable;    /* or in MP_REACH_NLRI, of whatever family */
    bool is_end_of_rib;
    uint8_t end_of_rib_family; /* 4 or 6 if it is of unicast; 0 if of another family, or none */
    uint8_t ended_family;      /* the same, but of any SAFI that is ours: */
    uint8_t ended_safi;
    bool is_withdrawal; /* RFC 7606, 2: an attribute is wrong; what is announced counts as withdrawn
                         */
    /* RFC 7606, 5.2: it has attributes of a route, of which some are wrong, but announces none: one may have
     * been lost in what is wrong. The RFC would have the session reset, so that all is told again. We
     * reset none for an attribute: withdrawals stand, the fault is told, and who can asks the router to
     * tell its routes again (RFC 2918). */
    bool may_hide_routes;
    const char *fault; /* what is wrong, a static text; NULL if nothing */
};

/* Decodes the body of an UPDATE (after the 19 bytes of header). False if it cannot be used at all;
 * then only out->fault is set. A true return may come with a fault, too: see is_withdrawal. */
bool bgp_update_decode(struct reader body, struct bgp_form form, struct bgp_update *out);

/* The same in two steps, so that one may look at the prefixes before the attributes are judged: the
 * first fills everything but has_attributes, is_withdrawal and, of the attributes, what
 * bgp_attribute() does not need. */
bool bgp_update_find_at(const uint8_t *at, const uint8_t *end, const struct bgp_form *form,
                        struct bgp_update *out);
static inline bool bgp_update_find(struct reader body, const struct bgp_form *form,
                                   struct bgp_update *out)
{
    return bgp_update_find_at(body.at, body.end, form, out);
}
void bgp_update_judge(const struct bgp_form *form, struct bgp_update *update);

/* Decodes the path attributes of an entry of a table dump (RFC 6396, 4.3.4), where MP_REACH_NLRI
 * says nothing of prefixes. Routes of the dumping router itself have neither ORIGIN nor AS_PATH:
 * their path is empty. NULL, or the fault because of which the route is not to be used; then so
 * is nothing of `out`. */
const char *bgp_attributes_decode_at(const uint8_t *at, const uint8_t *end, bool is_as4,
                                     struct bgp_attributes *out);
static inline const char *bgp_attributes_decode(struct reader bytes, bool is_as4,
                                                struct bgp_attributes *out)
{
    return bgp_attributes_decode_at(bytes.at, bytes.end, is_as4, out);
}

/* An address of four bytes, or of sixteen. On error the reader is failed and the result has no family. */
static inline struct addr bgp_addr(struct reader *r, uint8_t family)
{
    struct addr addr = {.family = family};
    const uint8_t *bytes = reader_bytes(r, family == 6 ? 16 : 4);
    if (!bytes)
        return (struct addr){0};
    if (family == 6)
        memcpy(addr.bytes, bytes, 16);
    else
        memcpy(addr.bytes, bytes, 4);
    return addr;
}

/* One prefix in the form of RFC 4271, 4.3 (length in bits, then as many bytes as needed). Host bits
 * are cleared. On error the reader is failed and the result has no family. */
struct prefix bgp_prefix(struct reader *r, uint8_t family);

#endif
