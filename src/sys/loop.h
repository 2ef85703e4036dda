/* The event loop (libuv behind it): timers, descriptors, signals, and wake-ups from other threads.
 * One loop belongs to one thread. Callbacks are never called from within the function that
 * registers them. */
#ifndef SYS_LOOP_H
#define SYS_LOOP_H

#include "base/err.h"
#include "base/utc.h"

#include <stdbool.h>

struct loop;
struct loop_timer;
struct loop_fd;
struct loop_signal;

struct loop *loop_new(void); /* from now on the process ignores SIGPIPE */
/* Frees what is still registered too. */
void loop_free(struct loop *loop);
void loop_run(struct loop *loop); /* until loop_stop(), even if nothing is registered */
void loop_stop(struct loop *loop);
struct mono
loop_now(const struct loop *loop); /* when the running callback began; clock_mono() is exact */

/* first_ns from now, then every repeat_ns (0: once), both rounded up to milliseconds. A once-timer
 * may be started again. A timer that is late (the process was stopped) fires once, not once for
 * each miss. */
struct loop_timer *loop_timer_new(struct loop *loop, void (*fire)(void *context), void *context);
void loop_timer_start(struct loop_timer *timer, int64_t first_ns, int64_t repeat_ns);
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer);

/* One watcher a descriptor, which must be one that can be polled (a socket, a pipe). An error on it
 * is told as both events, so that reading or writing meets it. */
enum { LOOP_READ = 1, LOOP_WRITE = 2 };
struct loop_fd *loop_fd_new(struct loop *loop, int fd, void (*ready)(void *context, int events),
                            void *context);
void loop_fd_want(struct loop_fd *watcher, int events); /* 0: nothing */
void loop_fd_free(struct loop_fd *watcher);             /* does not close the descriptor */

struct loop_signal *loop_signal_new(struct loop *loop, int number, void (*fire)(void *context),
                                    void *context);
void loop_signal_free(struct loop_signal *watched);

#endif
