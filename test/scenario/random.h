/* The seeded random source of the scenarios: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). Each
 * series draws from a stream of its own, so that a change to one does not change the others. */
#ifndef TEST_SCENARIO_RANDOM_H
#define TEST_SCENARIO_RANDOM_H

#include "base/hash.h"

#include <math.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline struct random random_stream(uint64_t seed, uint64_t a, uint64_t b)
{
    return (struct random){hash_mix(hash_mix(hash_mix(seed) + a) + b)};
}

/* Even in [0, 1). */
static inline double random_even(struct random *random)
{
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    return (double)(hash_mix(random->state) >> 11) * 0x1p-53;
}

/* Standard normal, by Box and Muller. */
static inline double random_normal(struct random *random)
{
    double radius = sqrt(-2 * log(1 - random_even(random)));
    return radius * cos(6.283185307179586 * random_even(random));
}

#endif
