/* sys/loop and sys/clock: callbacks come, stop, and cost nothing after loop_free(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sys/clock.h"
#include "sys/loop.h"

#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct world {
    struct loop *loop;
    struct loop_timer *timer;
    struct loop_fd *watcher;
    int fds[2];
    int fired, events;
};

static void stop(void *context)
{
    struct world *world = context;
    world->fired++;
    loop_stop(world->loop);
}

static void count_to_three(void *context)
{
    struct world *world = context;
    if (++world->fired == 3)
        loop_stop(world->loop);
}

static void timer_repeats_and_starts_again(void **state)
{
    (void)state;
    struct world world = {.loop = loop_new()};
    world.timer = loop_timer_new(world.loop, count_to_three, &world);
    struct mono start = clock_mono();
    loop_timer_start(world.timer, NS_PER_MS, 2 * NS_PER_MS);
    loop_run(world.loop);
    assert_int_equal(world.fired, 3);
    assert_true(mono_diff(clock_mono(), start) >= 4 * NS_PER_MS);
    assert_true(mono_diff(loop_now(world.loop), start) >= 4 * NS_PER_MS);
    loop_timer_free(world.timer);
    world.timer = loop_timer_new(world.loop, stop, &world);
    for (int i = 0; i < 2; i++) {
        loop_timer_start(world.timer, 0, 0);
        loop_run(world.loop);
    }
    assert_int_equal(world.fired, 5);
    loop_free(world.loop);
}

static void ready(void *context, int events)
{
    struct world *world = context;
    char bytes[8];
    world->events = events;
    if (read(world->fds[0], bytes, sizeof bytes) <= 0)
        loop_fd_want(world->watcher, 0);
    loop_stop(world->loop);
}

static void descriptor_tells_bytes_and_errors(void **state)
{
    (void)state;
    struct world world = {.loop = loop_new()};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, world.fds), 0);
    world.watcher = loop_fd_new(world.loop, world.fds[0], ready, &world);
    loop_fd_want(world.watcher, LOOP_READ);
    assert_int_equal(write(world.fds[1], "x", 1), 1);
    loop_run(world.loop);
    assert_int_equal(world.events, LOOP_READ);
    close(world.fds[1]);
    loop_run(world.loop);
    assert_true(world.events & LOOP_READ);
    loop_fd_free(world.watcher);
    close(world.fds[0]);
    loop_free(world.loop);
}

static void hears_signals(void **state)
{
    (void)state;
    struct world world = {.loop = loop_new()};
    struct loop_signal *signal = loop_signal_new(world.loop, SIGUSR1, stop, &world);
    assert_int_equal(raise(SIGUSR1), 0);
    loop_run(world.loop);
    assert_int_equal(world.fired, 1);
    loop_signal_free(signal);
    loop_free(world.loop);
}

static void clocks_run_together(void **state)
{
    (void)state;
    struct clock_watch watch;
    clock_watch_start(&watch);
    nanosleep(&(struct timespec){.tv_nsec = 5 * NS_PER_MS}, NULL);
    int64_t elapsed_ns = 0;
    int64_t step_ns = clock_watch_step(&watch, &elapsed_ns);
    assert_true(elapsed_ns >= 5 * NS_PER_MS);
    assert_true(step_ns < NS_PER_S && step_ns > -NS_PER_S);
    watch.utc.ns -= 30 * NS_PER_S; /* as if the clock had been set since */
    assert_true(clock_watch_step(&watch, &elapsed_ns) > 29 * NS_PER_S);
    assert_true(clock_suspended_ns() > -NS_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timer_repeats_and_starts_again),
        cmocka_unit_test(descriptor_tells_bytes_and_errors),
        cmocka_unit_test(hears_signals),
        cmocka_unit_test(clocks_run_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
