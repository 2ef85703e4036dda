#include "base/prefix_set.h"

#include "base/mem.h"

#include <stdlib.h>

void prefix_set_add(struct prefix_set *set, const struct prefix *prefix)
{
    set->list = mem_grow(set->list, &set->capacity, set->count + 1, sizeof *set->list);
    set->list[set->count++] = *prefix;
}

static int compare(const void *a, const void *b)
{
    return prefix_compare(a, b);
}

/* What holds a prefix comes before it, so that only the last one kept need be looked at. */
void prefix_set_seal(struct prefix_set *set)
{
    size_t kept = 0;
    if (set->count)
        qsort(set->list, set->count, sizeof *set->list, compare);
    for (size_t i = 0; i < set->count; i++)
        if (!kept || !prefix_has(&set->list[kept - 1], &set->list[i]))
            set->list[kept++] = set->list[i];
    set->count = kept;
}

const struct prefix *prefix_set_find(const struct prefix_set *set, const struct addr *addr)
{
    struct prefix wanted = prefix_of(addr, addr_bits(addr));
    size_t low = 0, high = set->count; /* the first that is greater lies in [low, high] */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (prefix_compare(&set->list[middle], &wanted) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low && prefix_has_addr(&set->list[low - 1], addr) ? &set->list[low - 1] : NULL;
}

void prefix_set_done(struct prefix_set *set)
{
    free(set->list);
    *set = (struct prefix_set){0};
}
