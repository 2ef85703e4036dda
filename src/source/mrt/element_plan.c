#include "source/mrt/element_plan.h"

#include "base/mem.h"
#include "wire/load.h"

static inline uint64_t word_of(const uint8_t *bytes)
{
    return (uint64_t)load_u32(bytes) << 32 | load_u32(bytes + 4);
}

static void add_test(struct element_plan *plan, const struct prefix *prefix,
                     enum prefix_match match)
{
    const int place = prefix->addr.family == 6;
    const bool is_more = match == PREFIX_MORE || match == PREFIX_RELATED;
    const bool is_less = match == PREFIX_LESS || match == PREFIX_RELATED;
    plan->tests[place][plan->test_count[place]++] =
        (struct prefix_test){.high = word_of(prefix->addr.bytes),
                             .low = word_of(prefix->addr.bytes + 8),
                             .bits = prefix->bits,
                             .shortest = is_less ? 0 : prefix->bits,
                             .longest = is_more ? 128 : prefix->bits};
}

struct element_plan *element_plan_new(const struct element_filter *filter)
{
    struct element_plan *plan = mem_new(1, sizeof *plan);
    *plan = (struct element_plan){.filter = filter,
                                  .kinds = UINT32_MAX,
                                  .messages = UINT32_MAX,
                                  .tables = UINT32_MAX,
                                  .from = {INT64_MIN},
                                  .until = {INT64_MAX},
                                  .has_family = {true, true}};
    if (!filter)
        return plan;
    plan->kinds = filter->kinds ? filter->kinds : UINT32_MAX;
    plan->messages = filter->messages ? filter->messages : UINT32_MAX;
    plan->tables = filter->tables ? filter->tables : UINT32_MAX;
    plan->from = utc_is_known(filter->from) ? filter->from : plan->from;
    plan->until = utc_is_known(filter->until) ? filter->until : plan->until;
    plan->asks_family = filter->family != 0;
    plan->asks_prefix = filter->prefix_count > 0;
    plan->asks_peer = filter->peer_count > 0;
    plan->asks_attributes = element_filter_asks_attributes(filter);
    plan->asks_origin = filter->origin_count > 0;
    for (size_t i = 0; i < filter->origin_count; i++)
        plan->asks_origin &= filter->origins[i] != 0;
    for (size_t i = 0; i < filter->prefix_count; i++)
        add_test(plan, &filter->prefixes[i].prefix, filter->prefixes[i].match);
    for (size_t i = 0; i < 2; i++)
        plan->has_family[i] = (!filter->family || filter->family == (i ? 6 : 4)) &&
                              (!plan->asks_prefix || plan->test_count[i]);
    return plan;
}

static inline bool agrees(const struct prefix_test *test, uint64_t high, uint64_t low,
                          unsigned bits)
{
    if (bits < test->shortest || bits > test->longest)
        return false;
    unsigned common = bits < test->bits ? bits : test->bits;
    if (common <= 64)
        return common == 0 || (high ^ test->high) >> (64 - common) == 0;
    return high == test->high && (low ^ test->low) >> (128 - common) == 0;
}

bool element_plan_has_prefix(const struct element_plan *plan, const struct prefix *prefix)
{
    const int place = prefix->addr.family == 6;
    if (!plan->asks_prefix || !plan->has_family[place])
        return plan->has_family[place];
    uint64_t high = word_of(prefix->addr.bytes), low = word_of(prefix->addr.bytes + 8);
    for (size_t i = 0; i < plan->test_count[place]; i++)
        if (agrees(&plan->tests[place][i], high, low, prefix->bits))
            return true;
    return false;
}

bool element_plan_has_origin(const struct element_plan *plan, uint32_t origin)
{
    for (size_t i = 0; i < plan->filter->origin_count; i++)
        if (plan->filter->origins[i] == origin)
            return true;
    return false;
}
