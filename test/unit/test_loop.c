/* sys/loop and sys/clock: callbacks come, stop, and cost nothing after loop_free(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sys/clock.h"
#include "sys/loop.h"

#include <netinet/in.h>
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

/* A crowd of pairs, more than are taken at once. Whoever is told first frees every other one. */
enum { PAIRS = 300 };
struct crowd {
    struct loop *loop;
    struct member {
        struct crowd *crowd;
        struct loop_fd *watcher;
        int fds[2];
        int told;
    } members[PAIRS];
    int told;
};

static void first_thins_the_crowd_out(void *context)
{
    struct crowd *crowd = context;
    for (int i = 1; i < PAIRS; i += 2) {
        loop_fd_free(crowd->members[i].watcher);
        crowd->members[i].watcher = NULL;
    }
}

static void of_crowd(void *context, int events)
{
    struct member *member = context;
    struct crowd *crowd = member->crowd;
    char byte;
    assert_int_equal(events, LOOP_READ);
    assert_non_null(member->watcher);
    assert_int_equal(read(member->fds[0], &byte, 1), 1);
    member->told++;
    if (!crowd->told++)
        first_thins_the_crowd_out(crowd);
    if (crowd->told == PAIRS / 2)
        loop_stop(crowd->loop);
}

static void who_is_freed_is_not_told(void **state)
{
    (void)state;
    static struct crowd crowd;
    crowd.loop = loop_new();
    for (int i = 0; i < PAIRS; i++) {
        struct member *member = &crowd.members[i];
        member->crowd = &crowd;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, member->fds), 0);
        member->watcher = loop_fd_new(crowd.loop, member->fds[0], of_crowd, member);
        loop_fd_want(member->watcher, LOOP_READ);
        assert_int_equal(write(member->fds[1], "x", 1), 1);
    }
    loop_run(crowd.loop);
    for (int i = 0; i < PAIRS; i++) {
        assert_int_equal(crowd.members[i].told, i % 2 == 0);
        loop_fd_free(crowd.members[i].watcher);
        close(crowd.members[i].fds[0]);
        close(crowd.members[i].fds[1]);
    }
    loop_free(crowd.loop);
}

static void refused_connection_is_told_as_both(void **state)
{
    (void)state;
    struct world world = {.loop = loop_new()};
    struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof nobody;
    int held = socket(AF_INET, SOCK_STREAM, 0); /* its port is nobody else's, and does not listen */
    assert_int_equal(bind(held, (struct sockaddr *)&nobody, length), 0);
    assert_int_equal(getsockname(held, (struct sockaddr *)&nobody, &length), 0);
    world.fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(connect(world.fds[0], (struct sockaddr *)&nobody, length), -1);
    world.watcher = loop_fd_new(world.loop, world.fds[0], ready, &world);
    loop_fd_want(world.watcher, LOOP_WRITE);
    loop_run(world.loop);
    assert_int_equal(world.events, LOOP_READ | LOOP_WRITE);
    loop_free(world.loop); /* frees the watcher */
    close(world.fds[0]);
    close(held);
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
        cmocka_unit_test(who_is_freed_is_not_told),
        cmocka_unit_test(refused_connection_is_told_as_both),
        cmocka_unit_test(hears_signals),
        cmocka_unit_test(clocks_run_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
