#include "sys/clock.h"

#include <assert.h>
#include <sys/timex.h>
#include <time.h>

static int64_t read_clock(clockid_t clock)
{
    struct timespec at;
    int failed = clock_gettime(clock, &at);
    assert(!failed);
    return (int64_t)at.tv_sec * NS_PER_S + at.tv_nsec;
}

struct utc clock_utc(void)
{
    return (struct utc){read_clock(CLOCK_REALTIME)};
}

struct mono clock_mono(void)
{
    return (struct mono){read_clock(CLOCK_BOOTTIME)};
}

int64_t clock_suspended_ns(void)
{
    /* Both clocks cannot be read at once: if we were put aside between the calls, try again. */
    int64_t before, boot, after;
    int tries = 0;
    do {
        before = read_clock(CLOCK_MONOTONIC);
        boot = read_clock(CLOCK_BOOTTIME);
        after = read_clock(CLOCK_MONOTONIC);
    } while (after - before > NS_PER_MS && ++tries < 16);
    return boot - before - (after - before) / 2;
}

struct clock_discipline clock_discipline(void)
{
    struct timex state = {.modes = 0};
    int status = adjtimex(&state);
    bool is_synchronised = status >= 0 && status != TIME_ERROR && !(state.status & STA_UNSYNC);
    return (struct clock_discipline){is_synchronised, state.maxerror * (int64_t)1000};
}

void clock_watch_start(struct clock_watch *watch)
{
    watch->mono = clock_mono();
    watch->utc = clock_utc();
}

int64_t clock_watch_step(struct clock_watch *watch, int64_t *elapsed_ns)
{
    struct clock_watch before = *watch;
    clock_watch_start(watch);
    *elapsed_ns = mono_diff(watch->mono, before.mono);
    return utc_diff(watch->utc, before.utc) - *elapsed_ns;
}

void clock_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &steady);
    pthread_condattr_destroy(&steady);
}

void clock_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t ns)
{
    int64_t until = read_clock(CLOCK_MONOTONIC) + ns;
    struct timespec at = {until / NS_PER_S, until % NS_PER_S};
    pthread_cond_timedwait(condition, lock, &at);
}
