/* A sketch of a set that only grows, in 8 KiB whatever its size: it tells that something is new to it, never
 * of what it has, and of new things the more seldom the more it has (of a thousand always, of a million about
 * one in 150). Enough to see whether a stream still brings new things or says again what it said. Registers are
 * those of HyperLogLog (Flajolet and others, 2007): the longest run of zeros that any hash of theirs had. */
#ifndef SOURCE_BGP_DISTINCT_H
#define SOURCE_BGP_DISTINCT_H

#include <stdbool.h>
#include <stdint.h>

enum { DISTINCT_PLACES = 8192 };

struct distinct {
    uint8_t longest[DISTINCT_PLACES];
};

static inline bool distinct_add(struct distinct *distinct, uint64_t hash)
{
    uint8_t *longest = &distinct->longest[hash % DISTINCT_PLACES];
    uint8_t zeros = (uint8_t)(1 + __builtin_clzll(hash | DISTINCT_PLACES));
    bool is_new = zeros > *longest;
    if (is_new)
        *longest = zeros;
    return is_new;
}

#endif
