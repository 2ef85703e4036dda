#include "source/bgp/route_filter.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* The place of the first prefix that is not less. */
static size_t place_of(const struct route_filter *filter, const struct prefix *prefix)
{
    size_t low = 0, high = filter->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (prefix_compare(&filter->prefixes[middle], prefix) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* As none lies within another, only the one just before can hold this prefix. */
static bool is_within(const struct route_filter *filter, const struct prefix *prefix, size_t place)
{
    return (place < filter->count && prefix_has(&filter->prefixes[place], prefix)) ||
           (place > 0 && prefix_has(&filter->prefixes[place - 1], prefix));
}

static void insert(struct route_filter *filter, const struct prefix *prefix)
{
    size_t place = place_of(filter, prefix), end = place;
    if (is_within(filter, prefix, place))
        return;
    while (end < filter->count && prefix_has(prefix, &filter->prefixes[end]))
        end++;
    filter->prefixes =
        mem_grow(filter->prefixes, &filter->capacity, filter->count + 1, sizeof *filter->prefixes);
    memmove(filter->prefixes + place + 1, filter->prefixes + end,
            (filter->count - end) * sizeof *filter->prefixes);
    filter->prefixes[place] = *prefix;
    filter->count += 1 - (end - place);
}

static int compare_asns(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void route_filter_init(struct route_filter *filter, const struct watch *watch)
{
    *filter = (struct route_filter){.asn_count = watch->asn_count};
    for (size_t i = 0; i < watch->prefix_count; i++)
        insert(filter, &watch->prefixes[i]);
    filter->asns = mem_new(watch->asn_count, sizeof *filter->asns);
    if (watch->asn_count)
        memcpy(filter->asns, watch->asns, watch->asn_count * sizeof *filter->asns);
    qsort(filter->asns, filter->asn_count, sizeof *filter->asns, compare_asns);
}

void route_filter_done(struct route_filter *filter)
{
    free(filter->prefixes);
    free(filter->asns);
    *filter = (struct route_filter){0};
}

static bool is_too_wide(const struct prefix *prefix)
{
    return prefix->bits < (prefix->addr.family == 6 ? 16 : 8);
}

bool route_filter_has_prefix(const struct route_filter *filter, const struct prefix *prefix)
{
    size_t place = place_of(filter, prefix);
    if (is_within(filter, prefix, place))
        return true;
    return !is_too_wide(prefix) && place < filter->count &&
           prefix_has(prefix, &filter->prefixes[place]);
}

bool route_filter_has_origin(const struct route_filter *filter, uint32_t asn)
{
    return asn && filter->asn_count &&
           bsearch(&asn, filter->asns, filter->asn_count, sizeof asn, compare_asns);
}

void route_filter_learn(struct route_filter *filter, const struct prefix *prefix)
{
    if (is_too_wide(prefix) || filter->learned == ROUTE_FILTER_LEARNED_MAX ||
        is_within(filter, prefix, place_of(filter, prefix)))
        return;
    insert(filter, prefix);
    filter->learned++;
}
