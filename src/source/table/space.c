#include "source/table/space.h"

#include "base/mem.h"

#include <stdlib.h>

static int compare_placed(const void *a, const void *b)
{
    return prefix_compare(&((const struct placed *)a)->prefix, &((const struct placed *)b)->prefix);
}

void space_init(struct space *space, const struct route_table *table, uint8_t family)
{
    *space = (struct space){0};
    for (struct table_row row = {0, family}; (row = route_table_next(table, row)).row;) {
        space->list =
            mem_grow(space->list, &space->capacity, space->count + 1, sizeof *space->list);
        space->list[space->count++] = (struct placed){route_table_prefix(table, row), row};
    }
    if (space->count)
        qsort(space->list, space->count, sizeof *space->list, compare_placed);
}

void space_done(struct space *space)
{
    free(space->list);
    *space = (struct space){0};
}

size_t space_find(const struct space *space, const struct prefix *prefix)
{
    size_t low = 0, high = space->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (prefix_compare(&space->list[middle].prefix, prefix) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct blocks blocks_of(const struct prefix *prefix)
{
    unsigned bytes = prefix->addr.family == 6 ? 6 : 3, all = bytes * 8;
    uint64_t first = 0;
    for (unsigned i = 0; i < bytes; i++)
        first = first << 8 | prefix->addr.bytes[i];
    return (struct blocks){first,
                           first + (UINT64_C(1) << (prefix->bits < all ? all - prefix->bits : 0))};
}

uint64_t blocks_add(const struct prefix *prefix, uint64_t *covered)
{
    struct blocks blocks = blocks_of(prefix);
    uint64_t first = blocks.first > *covered ? blocks.first : *covered;
    uint64_t fresh = blocks.end > first ? blocks.end - first : 0;
    if (blocks.end > *covered)
        *covered = blocks.end;
    return fresh;
}
