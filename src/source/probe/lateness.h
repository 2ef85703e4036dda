/* How late probes were sent: after the time that the time table had for them. What is late by more
 * than a busy machine is, is not the world's doing. A zeroed struct is empty. */
#ifndef SOURCE_PROBE_LATENESS_H
#define SOURCE_PROBE_LATENESS_H

#include <stdint.h>

/* Counted by microseconds, in steps of an eighth: from 8 on, each power of two has eight counters. */
enum { LATENESS_STEPS = 8, LATENESS_COUNTERS = 8 * 30 };

struct lateness {
    int64_t worst_ns;
    uint64_t count;
    uint64_t counters[LATENESS_COUNTERS];
};

void lateness_add(struct lateness *lateness, int64_t late_ns);

/* What all but `share` of them (0 to 1) did not exceed, to an eighth; 0 if there are none. */
int64_t lateness_all_but(const struct lateness *lateness, double share);

#endif
