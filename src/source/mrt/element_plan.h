/* A filter made ready for many elements: what can be settled once is, and prefixes are compared as
 * numbers. It says the same as element_filter.h, only sooner. */
#ifndef SOURCE_MRT_ELEMENT_PLAN_H
#define SOURCE_MRT_ELEMENT_PLAN_H

#include "source/mrt/element.h"

/* A prefix that is asked for: both must agree as far as both have bits, and the length must lie
 * between two bounds. */
struct prefix_test {
    uint64_t high, low; /* the address */
    uint8_t bits;
    uint8_t shortest;
    uint8_t longest;
};

struct element_plan {
    const struct element_filter *filter; /* NULL: everything passes */
    uint32_t kinds;
    uint32_t messages;
    uint32_t tables;
    struct utc from, until; /* always set */
    bool has_family[2];     /* IPv4, IPv6: whether its routes may pass */
    bool asks_family;
    bool asks_prefix;
    bool asks_peer;
    bool asks_attributes;
    bool asks_origin; /* and no origin that stands for none */
    struct prefix_test tests[2][ELEMENT_FILTER_MAX];
    size_t test_count[2];
};

struct element_plan *element_plan_new(const struct element_filter *filter);

static inline bool element_plan_has_kind(const struct element_plan *plan, enum element_kind kind)
{
    return plan->kinds >> kind & 1;
}

static inline bool element_plan_has_message(const struct element_plan *plan,
                                            enum bgp_message_type message)
{
    return plan->messages >> message & 1;
}

static inline bool element_plan_has_table(const struct element_plan *plan, enum bmp_table table)
{
    return plan->tables >> table & 1;
}

static inline bool element_plan_has_time(const struct element_plan *plan, struct utc time)
{
    return time.ns >= plan->from.ns && time.ns < plan->until.ns;
}

static inline bool element_plan_has_peer(const struct element_plan *plan,
                                         const struct mrt_peer *peer)
{
    return !plan->asks_peer || element_filter_has_peer(plan->filter, peer);
}

/* Its family, too. */
bool element_plan_has_prefix(const struct element_plan *plan, const struct prefix *prefix);

/* NULL: there are none. */
static inline bool element_plan_has_attributes(const struct element_plan *plan,
                                               const struct bgp_attributes *attributes)
{
    return !plan->asks_attributes ||
           (attributes && element_filter_has_attributes(plan->filter, attributes));
}

/* Where asks_origin: whether it is one of those asked for. */
bool element_plan_has_origin(const struct element_plan *plan, uint32_t origin);

/* Whether what is of no prefix passes: by its family, 0 if it has none. */
static inline bool element_plan_has_session(const struct element_plan *plan, uint8_t family)
{
    bool has_family = !plan->asks_family || family == plan->filter->family;
    return has_family && !plan->asks_prefix && !plan->asks_attributes;
}

#endif
