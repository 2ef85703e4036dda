/* Tells the operator how well we probe: that probes are sent late, that turns are left out, that
 * answers are lost; once when it begins and again after a quiet minute, not each time. */
#ifndef APP_PROBER_WATCH_H
#define APP_PROBER_WATCH_H

#include "source/probe/prober.h"

/* A zeroed struct has told nothing yet. */
struct prober_watch {
    struct prober_counters last;
    int quiet_late, quiet_lost; /* ticks until it is told again; 0: now */
};

/* Every second. */
void prober_watch_tick(struct prober_watch *watch, const struct prober_counters *now);

/* At the end. */
void prober_watch_sum_up(const struct prober_counters *counters);

#endif
