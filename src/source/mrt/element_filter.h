/* Which elements are wanted. Each part is tried as soon as its bytes are there, the cheapest first,
 * and nothing is decoded of what one of them rules out. A part that is not set lets everything
 * pass; within a part any of its values will do, and all parts must agree.
 *
 * What an element does not have, no filter finds: a withdrawal has no attributes, whatever stands
 * beside it in its UPDATE; changes of sessions and messages have neither family, prefix nor
 * attributes; an End-of-RIB has a family only. */
#ifndef SOURCE_MRT_ELEMENT_FILTER_H
#define SOURCE_MRT_ELEMENT_FILTER_H

#include "base/err.h"
#include "wire/mrt.h"

struct element;

enum prefix_match {
    PREFIX_EXACT,
    PREFIX_MORE,   /* it and what is more specific */
    PREFIX_LESS,   /* it and what is less specific */
    PREFIX_RELATED /* both */
};

enum { ELEMENT_FILTER_MAX = 64 }; /* values of one part */

struct element_filter {
    uint32_t kinds;    /* bit 1 << enum element_kind; 0: all */
    uint32_t messages; /* of ELEMENT_MESSAGE, bit 1 << enum bgp_message_type; 0: all */
    uint32_t tables;   /* bit 1 << enum bmp_table; 0: all, and what is of none */
    uint8_t family;    /* 4, 6; 0: both */
    struct utc from;   /* of the record; 0: since ever */
    struct utc until;  /* before it; 0: for ever */
    struct {
        struct prefix prefix;
        enum prefix_match match;
    } prefixes[ELEMENT_FILTER_MAX];
    size_t prefix_count;
    uint32_t origins[ELEMENT_FILTER_MAX]; /* the AS at the end of the path */
    size_t origin_count;
    uint32_t asns[ELEMENT_FILTER_MAX]; /* anywhere in the path */
    size_t asn_count;
    struct {
        struct addr addr; /* family 0: any */
        uint32_t asn;     /* 0: any */
    } peers[ELEMENT_FILTER_MAX];
    size_t peer_count;
    /* "64500:*" has is_any; large ones three parts. */
    struct {
        uint32_t part[3];
        uint8_t parts; /* 2: RFC 1997; 3: RFC 8092 */
        bool is_any;   /* the last part may be anything */
    } communities[ELEMENT_FILTER_MAX];
    size_t community_count;
};

bool element_filter_has_peer(const struct element_filter *filter, const struct mrt_peer *peer);
/* Whether the filter asks about attributes at all, and whether these will do. */
bool element_filter_asks_attributes(const struct element_filter *filter);
bool element_filter_has_attributes(const struct element_filter *filter,
                                   const struct bgp_attributes *attributes);

#endif
