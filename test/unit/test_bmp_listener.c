/* source/bgp/bmp_listener: the test plays routers, over loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bmp_maker.h"
#include "model/registry.h"
#include "source/bgp/bmp_listener.h"
#include "sys/clock.h"
#include "sys/net.h"
#include "told.h"

#include <errno.h>
#include <poll.h>

enum { SEEN_MAX = 100, SAID_MAX = 20 };

static const struct bmp_about plain = {.addr = "192.0.2.9", .asn = 65001};

struct world {
    struct loop *loop;
    struct registry *registry;
    struct bmp_listener *listener;
    struct observation seen[SEEN_MAX];
    char said[SAID_MAX][400];
    size_t seen_count, said_count;
    size_t seen_awaited, said_awaited; /* the loop runs until so many are there */
    bool is_running;
    struct buffer bytes, text;
};

static void stop(void *context)
{
    struct world *world = context;
    loop_stop(world->loop);
}

static void stop_if_done(struct world *world)
{
    if (world->is_running && world->seen_count >= world->seen_awaited &&
        world->said_count >= world->said_awaited)
        loop_stop(world->loop);
}

static void see(void *context, const struct observation *observation)
{
    struct world *world = context;
    assert_true(world->seen_count < SEEN_MAX);
    world->seen[world->seen_count++] = *observation;
    stop_if_done(world);
}

static void hear_said(void *context, const char *text)
{
    struct world *world = context;
    assert_true(world->said_count < SAID_MAX);
    snprintf(world->said[world->said_count++], sizeof world->said[0], "%s", text);
    stop_if_done(world);
}

static void begin_with(struct world *world, const char *collector, enum bmp_table table)
{
    static struct prefix prefix;
    assert_true(prefix_parse("198.51.100.0/22", 15, &prefix));
    struct watch watch = {&prefix, 1, NULL, 0};
    struct why why;
    memset(world, 0, sizeof *world);
    world->loop = loop_new();
    world->registry = registry_new();
    struct sink sink = {world->registry, see, world};
    struct bmp_options options = {.address = {{127, 0, 0, 1}, 4},
                                  .collector = collector,
                                  .table = table,
                                  .choice_ns = NS_PER_S,
                                  .watch = &watch,
                                  .say = hear_said,
                                  .context = world};
    world->listener = bmp_listener_new(world->loop, &options, &sink, &why);
    assert_non_null(world->listener);
}

static void begin(struct world *world, const char *collector)
{
    begin_with(world, collector, BMP_TABLES);
}

static void end(struct world *world)
{
    bmp_listener_free(world->listener);
    loop_free(world->loop);
    registry_free(world->registry);
    buffer_done(&world->bytes);
    buffer_done(&world->text);
}

static int connect_router(const struct world *world)
{
    int error;
    struct addr to = {{127, 0, 0, 1}, 4};
    int fd = net_connect(NET_TCP, &to, bmp_listener_port(world->listener), &error);
    struct pollfd wanted = {.fd = fd, .events = POLLOUT};
    assert_true(fd >= 0);
    assert_int_equal(poll(&wanted, 1, -1), 1);
    assert_int_equal(net_error(fd), 0);
    return fd;
}

/* Sends what was made. */
static void send_made(struct world *world, int fd)
{
    int error;
    assert_int_equal(net_send(fd, world->bytes.bytes, world->bytes.size, &error),
                     world->bytes.size);
    buffer_clear(&world->bytes);
}

static void await(struct world *world, size_t seen, size_t said)
{
    world->seen_awaited = seen;
    world->said_awaited = said;
    world->is_running = world->seen_count < seen || world->said_count < said;
    if (world->is_running)
        loop_run(world->loop);
    world->is_running = false;
    assert_int_equal(world->seen_count, seen);
    assert_int_equal(world->said_count, said);
}

/* "start up table:198.51.100.0/24", and forgets it. */
static const char *told(struct world *world)
{
    size_t count = world->seen_count;
    world->seen_count = 0;
    return told_text(&world->text, world->registry, world->seen, count);
}

static void begin_router(struct world *world, int fd, const char *name)
{
    struct bmp_about old = plain;
    old.time = utc_add(clock_utc(), -NS_PER_DAY);
    bmp_initiation(&world->bytes, name);
    bmp_up(&world->bytes, &old, BMP_OPEN_V4, BMP_OPEN_V4);
    bmp_update(&world->bytes, &old, NULL, "65001 4837", "198.51.100.0/24 10.0.0.0/8");
    bmp_update(&world->bytes, &old, NULL, NULL, NULL);
    send_made(world, fd);
}

/* Table, changes, a peer lost, the connection cut, and back. */
static void a_router_comes_and_goes(void **state)
{
    (void)state;
    struct world world;
    begin(&world, NULL);
    int fd = connect_router(&world);
    begin_router(&world, fd, "rrc00");
    await(&world, 4, 1);
    assert_string_equal(told(&world), "start up table:198.51.100.0/24 complete");
    assert_string_equal(world.said[0], "collector rrc00 (127.0.0.1) connected");
    bmp_update(&world.bytes, &plain, "198.51.100.0/24", NULL, NULL);
    bmp_update(&world.bytes, &plain, NULL, "65001 1299", "198.51.100.0/24");
    bmp_down(&world.bytes, &plain, 3);
    send_made(&world, fd);
    await(&world, 3, 1);
    assert_string_equal(told(&world), "withdraw:198.51.100.0/24 announce:198.51.100.0/24 down");
    close(fd);
    await(&world, 1, 2);
    assert_int_equal(world.seen[0].value, 0); /* not over */
    assert_string_equal(told(&world), "gap");
    assert_string_equal(world.said[1],
                        "collector rrc00 (127.0.0.1) lost: the router closed the connection; no "
                        "data about routes until it is back");
    fd = connect_router(&world);
    begin_router(&world, fd, "rrc00");
    await(&world, 4, 3);
    assert_string_equal(told(&world), "start up table:198.51.100.0/24 complete");
    bmp_termination(&world.bytes, 0);
    send_made(&world, fd);
    await(&world, 1, 4);
    assert_string_equal(told(&world), "gap");
    assert_non_null(strstr(world.said[3], "the router ended it: it was told to;"));
    close(fd);
    end(&world);
}

/* Byte by byte it is the same. */
static void split_anywhere(void **state)
{
    (void)state;
    struct world world;
    begin(&world, NULL);
    int fd = connect_router(&world), error;
    bmp_initiation(&world.bytes, "rrc00");
    bmp_up(&world.bytes, &plain, BMP_OPEN_V4, BMP_OPEN_V4);
    bmp_update(&world.bytes, &plain, NULL, "65001 4837", "198.51.100.0/24");
    struct loop_timer *timer = loop_timer_new(world.loop, stop, &world);
    for (size_t i = 0; i < world.bytes.size; i++) {
        assert_int_equal(net_send(fd, world.bytes.bytes + i, 1, &error), 1);
        if (i + 1 == world.bytes.size)
            break;
        loop_timer_start(timer, 0, 0);
        world.seen_awaited = world.said_awaited = SIZE_MAX;
        loop_run(world.loop);
    }
    await(&world, 3, 1);
    assert_string_equal(told(&world), "start up table:198.51.100.0/24");
    loop_timer_free(timer);
    close(fd);
    end(&world);
}

/* True if the other side closed it without a byte. */
static bool is_closed(int fd)
{
    char byte;
    int error;
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&wanted, 1, -1), 1);
    long got = net_receive(fd, &byte, 1, NULL, &error);
    close(fd);
    return got == 0 || (got < 0 && error == ECONNRESET);
}

static void garbage_is_cut_off(void **state)
{
    (void)state;
    struct world world;
    begin(&world, NULL);
    int fd = connect_router(&world);
    begin_router(&world, fd, "rrc00");
    await(&world, 4, 1);
    told(&world);
    buffer_puts(&world.bytes, "GET / HTTP/1.1\r\n\r\n");
    send_made(&world, fd);
    await(&world, 1, 2);
    assert_string_equal(told(&world), "gap");
    assert_non_null(strstr(world.said[1], "lost: this is not BMP of version 3;"));
    assert_true(is_closed(fd));
    /* It may not come back at once: that would be a gap and a line each time. */
    fd = connect_router(&world);
    struct loop_timer *timer = loop_timer_new(world.loop, stop, &world);
    loop_timer_start(timer, 20 * NS_PER_MS, 0);
    loop_run(world.loop);
    assert_true(is_closed(fd));
    assert_int_equal(world.said_count, 2);
    loop_timer_free(timer);
    end(&world);
}

static void who_does_not_say_who_he_is(void **state)
{
    (void)state;
    struct world world;
    begin(&world, NULL);
    int fd = connect_router(&world);
    bmp_up(&world.bytes, &plain, BMP_OPEN_V4, BMP_OPEN_V4);
    send_made(&world, fd);
    await(&world, 0, 1);
    assert_string_equal(world.said[0], "a BMP connection from 127.0.0.1 was closed: it did not "
                                       "begin with an INITIATION");
    assert_true(is_closed(fd));
    end(&world);
}

static void two_routers(void **state)
{
    (void)state;
    struct world world;
    begin(&world, NULL);
    int first = connect_router(&world), second = connect_router(&world);
    begin_router(&world, first, "rrc00");
    await(&world, 4, 1);
    begin_router(&world, second, "rrc 01\n");
    await(&world, 8, 2);
    assert_string_equal(world.said[1], "collector rrc01 (127.0.0.1) connected");
    assert_int_not_equal(world.seen[0].source, world.seen[4].source);
    told(&world);
    /* The same router once more: the old connection has died, though nobody said so. */
    int third = connect_router(&world);
    begin_router(&world, third, "rrc00");
    await(&world, 5, 4);
    assert_string_equal(told(&world), "gap start up table:198.51.100.0/24 complete");
    assert_true(is_closed(first));
    close(second);
    await(&world, 1, 5);
    /* What is connected when we stop has a gap from then on. */
    bmp_listener_free(world.listener);
    world.listener = NULL;
    assert_string_equal(told(&world), "gap gap");
    close(third);
    end(&world);
}

static void the_configuration_names_it(void **state)
{
    (void)state;
    struct world world;
    begin(&world, "home");
    int fd = connect_router(&world);
    begin_router(&world, fd, "rrc00");
    await(&world, 4, 1);
    assert_string_equal(world.said[0], "collector home (127.0.0.1) connected");
    assert_string_equal(registry_text(world.registry, world.seen[0].source), "home");
    close(fd);
    end(&world);
}

static void begin_loc_rib(struct world *world, int fd)
{
    static const struct bmp_about own = {.asn = 65000, .type = 3};
    bmp_initiation(&world->bytes, "rrc00");
    bmp_up(&world->bytes, &own, BMP_OPEN_V4, BMP_OPEN_V4);
    bmp_update(&world->bytes, &own, NULL, "4837", "198.51.100.0/24");
    send_made(world, fd);
}

/* A router that tells of its Loc-RIB only: it is cut off once, and then that is taken. */
static void another_table(void **state)
{
    (void)state;
    struct world world;
    begin(&world, NULL);
    int fd = connect_router(&world);
    begin_loc_rib(&world, fd);
    await(&world, 2, 2); /* within two seconds */
    assert_string_equal(told(&world), "start gap");
    assert_string_equal(world.said[1],
                        "collector rrc00 (127.0.0.1) lost: it tells nothing of pre-policy, but of "
                        "loc-rib, which is taken from its next connection on; routes: {bmp: "
                        "{table: loc-rib}} does so at once; no data about routes until it is back");
    assert_true(is_closed(fd));
    fd = connect_router(&world);
    begin_loc_rib(&world, fd);
    await(&world, 3, 3);
    assert_string_equal(told(&world), "start up table:198.51.100.0/24");
    close(fd);
    await(&world, 1, 4);
    /* Back to what is better, if that comes. */
    fd = connect_router(&world);
    begin_router(&world, fd, "rrc00");
    await(&world, 3, 6);
    assert_string_equal(told(&world), "gap start gap");
    assert_true(is_closed(fd));
    fd = connect_router(&world);
    begin_router(&world, fd, "rrc00");
    await(&world, 4, 7);
    assert_string_equal(told(&world), "start up table:198.51.100.0/24 complete");
    close(fd);
    end(&world);
}

/* One that has nothing to tell for longer than that is judged when it has. */
static void another_table_later(void **state)
{
    (void)state;
    struct world world;
    begin(&world, NULL);
    int fd = connect_router(&world);
    bmp_initiation(&world.bytes, "rrc00");
    send_made(&world, fd);
    await(&world, 1, 1);
    struct loop_timer *timer = loop_timer_new(world.loop, stop, &world);
    loop_timer_start(timer, 2500 * NS_PER_MS, 0);
    loop_run(world.loop);
    begin_loc_rib(&world, fd);
    await(&world, 2, 2);
    assert_string_equal(told(&world), "start gap");
    assert_non_null(strstr(world.said[1], "it tells nothing of pre-policy, but of loc-rib,"));
    assert_true(is_closed(fd));
    loop_timer_free(timer);
    end(&world);
}

/* Where the configuration chose, a router that tells of another is only told of. */
static void not_the_table_that_was_chosen(void **state)
{
    (void)state;
    struct world world;
    begin_with(&world, NULL, BMP_POST_POLICY);
    int fd = connect_router(&world);
    begin_loc_rib(&world, fd);
    await(&world, 1, 2);
    assert_string_equal(told(&world), "start");
    assert_string_equal(world.said[1],
                        "collector rrc00 tells nothing of the table that is asked for, "
                        "post-policy: set the router to tell it, or take what it tells by routes: "
                        "{bmp: {table: loc-rib}}");
    close(fd);
    end(&world);
}

static void a_port_in_use(void **state)
{
    (void)state;
    struct world world;
    struct why why;
    struct watch watch = {0};
    begin(&world, NULL);
    struct sink sink = {world.registry, see, &world};
    struct bmp_options options = {.address = {{127, 0, 0, 1}, 4},
                                  .port = bmp_listener_port(world.listener),
                                  .watch = &watch,
                                  .say = hear_said,
                                  .context = &world};
    assert_null(bmp_listener_new(world.loop, &options, &sink, &why));
    assert_int_equal(why.err, ERR_BUSY);
    assert_non_null(strstr(why.text, "cannot listen for BMP at 127.0.0.1, port "));
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_router_comes_and_goes),
        cmocka_unit_test(split_anywhere),
        cmocka_unit_test(garbage_is_cut_off),
        cmocka_unit_test(who_does_not_say_who_he_is),
        cmocka_unit_test(two_routers),
        cmocka_unit_test(the_configuration_names_it),
        cmocka_unit_test(another_table),
        cmocka_unit_test(another_table_later),
        cmocka_unit_test(not_the_table_that_was_chosen),
        cmocka_unit_test(a_port_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
