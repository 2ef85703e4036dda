#include "source/probe/lateness.h"

enum { NS_PER_US = 1000, STEP_BITS = 3 };

/* 0 to 7 are counted exactly; of what is more, the place of the highest bit and the three below it. */
static unsigned counter_of(uint64_t us)
{
    if (us < LATENESS_STEPS)
        return (unsigned)us;
    unsigned shift = 63 - (unsigned)__builtin_clzll(us) - STEP_BITS;
    unsigned counter = (shift << STEP_BITS) + (unsigned)(us >> shift);
    return counter < LATENESS_COUNTERS ? counter : LATENESS_COUNTERS - 1;
}

/* The first microsecond that is counted beyond it. */
static uint64_t end_of(unsigned counter)
{
    if (counter < LATENESS_STEPS)
        return counter + 1;
    unsigned shift = counter / LATENESS_STEPS - 1;
    return (uint64_t)(counter % LATENESS_STEPS + LATENESS_STEPS + 1) << shift;
}

void lateness_add(struct lateness *lateness, int64_t late_ns)
{
    late_ns = late_ns > 0 ? late_ns : 0;
    if (late_ns > lateness->worst_ns)
        lateness->worst_ns = late_ns;
    lateness->count++;
    lateness->counters[counter_of((uint64_t)late_ns / NS_PER_US)]++;
}

int64_t lateness_all_but(const struct lateness *lateness, double share)
{
    double left = (double)lateness->count * share;
    unsigned counter = LATENESS_COUNTERS;
    if (!lateness->count)
        return 0;
    while (counter > 0 && (double)lateness->counters[counter - 1] <= left)
        left -= (double)lateness->counters[--counter];
    if (counter == 0)
        return 0;
    int64_t end_ns = (int64_t)end_of(counter - 1) * NS_PER_US;
    return end_ns < lateness->worst_ns ? end_ns : lateness->worst_ns;
}
