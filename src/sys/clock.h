/* The only place that reads a clock. */
#ifndef SYS_CLOCK_H
#define SYS_CLOCK_H

#include "base/utc.h"

#include <pthread.h>
#include <stdbool.h>

struct utc clock_utc(void);
struct mono clock_mono(void); /* CLOCK_BOOTTIME: goes on while the machine is suspended */

static inline int64_t mono_diff(struct mono a, struct mono b)
{
    return a.ns - b.ns;
}

/* How long the machine was suspended since it booted. If it grew between a question and the end of
 * its wait, the answer may have come while nobody could hear it. */
int64_t clock_suspended_ns(void);

/* What the system says of its calendar clock (adjtimex(2)): whether something keeps it right, and how wrong it
 * then is at most. */
struct clock_discipline {
    bool is_synchronised;
    int64_t error_ns;
};
struct clock_discipline clock_discipline(void);

/* Tells a stepped clock from passing time: compares how far both clocks moved since the last call.
 */
struct clock_watch {
    struct utc utc;
    struct mono mono;
};
void clock_watch_start(struct clock_watch *watch);
/* Nanoseconds that UTC moved more (or less) than the steady clock since the last call, and in
 * *elapsed_ns how far the steady clock did. */
int64_t clock_watch_step(struct clock_watch *watch, int64_t *elapsed_ns);

/* A condition on which a thread waits for at most `ns`. */
void clock_condition_init(pthread_cond_t *condition);
void clock_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t ns);

#endif
