#include "source/table/pair_counts.h"

#include "base/hash.h"

static uint64_t hash_of(uint32_t a, uint32_t b)
{
    return hash_mix((uint64_t)a << 32 | b);
}

void pair_counts_init(struct pair_counts *pairs)
{
    *pairs = (struct pair_counts){0};
    lookup_reset(&pairs->lookup, 0);
}

void pair_counts_done(struct pair_counts *pairs)
{
    free(pairs->list);
    lookup_done(&pairs->lookup);
    *pairs = (struct pair_counts){0};
}

/* NULL if there can be no more. */
static struct pair *find(struct pair_counts *pairs, uint32_t a, uint32_t b)
{
    if (lookup_is_full(&pairs->lookup)) {
        lookup_reset(&pairs->lookup, pairs->count);
        for (uint32_t i = 0; i < pairs->count; i++)
            lookup_add(&pairs->lookup, hash_of(pairs->list[i].a, pairs->list[i].b), i + 1);
    }
    struct lookup_walk walk = lookup_walk(&pairs->lookup, hash_of(a, b));
    for (uint32_t n; (n = lookup_next(&pairs->lookup, &walk));)
        if (pairs->list[n - 1].a == a && pairs->list[n - 1].b == b)
            return &pairs->list[n - 1];
    if (pairs->count == PAIR_COUNTS_MAX)
        return NULL;
    pairs->list = mem_grow(pairs->list, &pairs->capacity, pairs->count + 1, sizeof *pairs->list);
    pairs->list[pairs->count++] = (struct pair){a, b, 0};
    lookup_put(&pairs->lookup, &walk, pairs->count);
    return &pairs->list[pairs->count - 1];
}

void pair_counts_add(struct pair_counts *pairs, uint32_t a, uint32_t b, int by, uint32_t *different)
{
    struct pair *pair = find(pairs, a, b);
    if (!pair || (by < 0 && !pair->count))
        return;
    if (by > 0)
        *different += pair->count++ == 0;
    else
        *different -= --pair->count == 0;
}
