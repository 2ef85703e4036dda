/* Finds things by their content: open addressing over the numbers of things that are kept elsewhere,
 * in four bytes a slot: 26 bits of number, and 6 bits of the hash, so that hardly any other thing than
 * the one that is looked for has to be looked at. Nothing is taken out: whoever forgets things fills it
 * anew with lookup_reset() and lookup_add().
 *
 *     struct lookup_walk walk = lookup_walk(&lookup, hash);
 *     for (uint32_t n; (n = lookup_next(&lookup, &walk));)
 *         if (thing `n` is it)
 *             return n;
 *     lookup_put(&lookup, &walk, fresh);  // it is not there: `walk` stands where it belongs */
#ifndef SOURCE_TABLE_LOOKUP_H
#define SOURCE_TABLE_LOOKUP_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* The highest number that fits. */
enum { LOOKUP_MAX = (1 << 26) - 1 };

struct lookup {
    uint32_t *slots; /* 0: free */
    uint32_t size;
    uint32_t used;
};

struct lookup_walk {
    uint32_t at;
    uint32_t tag; /* in the place of the slots' upper 6 bits */
};

/* Room for `count` numbers, and for half as many again before it is full. */
static inline void lookup_reset(struct lookup *lookup, size_t count)
{
    free(lookup->slots);
    lookup->size = (uint32_t)(2 * count + 64);
    lookup->slots = mem_new(lookup->size, sizeof *lookup->slots);
    lookup->used = 0;
}

static inline void lookup_done(struct lookup *lookup)
{
    free(lookup->slots);
    *lookup = (struct lookup){0};
}

/* Three quarters: beyond that chains grow long. Fill it anew, larger, before the next is put in. */
static inline bool lookup_is_full(const struct lookup *lookup)
{
    return lookup->used >= lookup->size / 4 * 3;
}

static inline struct lookup_walk lookup_walk(const struct lookup *lookup, uint64_t hash)
{
    return (struct lookup_walk){(uint32_t)((hash >> 32) * lookup->size >> 32),
                                (uint32_t)hash << 26};
}

/* The next number that may be it; 0 if it is not there. */
static inline uint32_t lookup_next(const struct lookup *lookup, struct lookup_walk *walk)
{
    for (;;) {
        uint32_t slot = lookup->slots[walk->at];
        if (!slot)
            return 0;
        walk->at = walk->at + 1 == lookup->size ? 0 : walk->at + 1;
        if ((slot ^ walk->tag) <= LOOKUP_MAX)
            return slot & LOOKUP_MAX;
    }
}

/* Where a walk ended with 0. */
static inline void lookup_put(struct lookup *lookup, const struct lookup_walk *walk,
                              uint32_t number)
{
    lookup->slots[walk->at] = walk->tag | number;
    lookup->used++;
}

/* A number that is known not to be there. */
static inline void lookup_add(struct lookup *lookup, uint64_t hash, uint32_t number)
{
    struct lookup_walk walk = lookup_walk(lookup, hash);
    while (lookup->slots[walk.at])
        walk.at = walk.at + 1 == lookup->size ? 0 : walk.at + 1;
    lookup_put(lookup, &walk, number);
}

/* Has the slot brought near before it is needed. */
static inline void lookup_prefetch(const struct lookup *lookup, uint64_t hash)
{
    __builtin_prefetch(&lookup->slots[lookup_walk(lookup, hash).at]);
}

/* The first number that may be it, unasked whether it is: for bringing it near. 0 if there is none. */
static inline uint32_t lookup_guess(const struct lookup *lookup, uint64_t hash)
{
    struct lookup_walk walk = lookup_walk(lookup, hash);
    return lookup_next(lookup, &walk);
}

#endif
