/* Which routes are wanted, decided on bytes: those of watched prefixes, of what is more specific
 * and of what covers them, and those whose origin is a watched AS. A prefix that a watched AS was
 * seen to originate is watched from then on, as its withdrawal names no origin, and somebody else's
 * announcement of it is just what one wants to see. */
#ifndef SOURCE_BGP_ROUTE_FILTER_H
#define SOURCE_BGP_ROUTE_FILTER_H

#include "source/stream.h"

/* At most so many prefixes are learned from watched ASes; beyond that only configured ones are
 * followed. */
enum { ROUTE_FILTER_LEARNED_MAX = 65536 };

struct route_filter {
    struct prefix *prefixes; /* sorted; none lies within another */
    size_t count;
    size_t capacity;
    uint32_t *asns; /* sorted */
    size_t asn_count;
    size_t learned;
};

void route_filter_init(struct route_filter *filter, const struct watch *watch);
void route_filter_done(struct route_filter *filter);

/* A covering prefix counts only if it is at least a /8 (IPv6: /16): default routes and the like say
 * nothing about those whom they cover. */
bool route_filter_has_prefix(const struct route_filter *filter, const struct prefix *prefix);
bool route_filter_has_origin(const struct route_filter *filter, uint32_t asn);
void route_filter_learn(struct route_filter *filter, const struct prefix *prefix);

#endif
