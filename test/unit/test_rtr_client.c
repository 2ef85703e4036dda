/* source/origins/rtr_client against a cache on loopback that is played by the test: it answers each
 * query with the next line of a script, in the words of rtr_maker.h, or does what no cache
 * should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "source/origins/rtr_client.h"
#include "sys/clock.h"
#include "sys/net.h"
#include "rtr_maker.h"

#include <unistd.h>

enum { SAID_MAX = 16, CHUNK = 4096 };
/* No test takes longer, whatever happens. */
#define GUARD_NS (10 * NS_PER_S)

struct world {
    struct loop *loop;
    struct rtr_client *client;
    struct loop_timer *guard, *drip;
    int listener, connection; /* -1: none */
    struct loop_fd *listener_watcher, *watcher;
    uint16_t port;
    const char *const *script; /* of answers; NULL: there are no more */
    struct rtr_maker maker;
    struct buffer in, heard; /* what the client sent: bytes, and as text */
    struct buffer dripping;
    size_t dripped, connections, closes;
    char said[SAID_MAX][200];
    size_t said_count, changes, awaited_changes, awaited_closes, awaited_said;
    bool is_running, is_late;
};

static const struct rtr_patience patience = {300 * NS_PER_MS, 900 * NS_PER_MS, 20 * NS_PER_MS};

/* ---- the cache ---- */

static void stop_if_done(struct world *world)
{
    if (world->is_running && world->changes >= world->awaited_changes &&
        world->closes >= world->awaited_closes && world->said_count >= world->awaited_said)
        loop_stop(world->loop);
}

static void hang_up(struct world *world)
{
    if (world->connection < 0)
        return;
    loop_timer_stop(world->drip);
    loop_fd_free(world->watcher);
    close(world->connection);
    world->connection = -1;
    world->closes++;
    buffer_clear(&world->in);
    stop_if_done(world);
}

static void send_all(struct world *world, const void *bytes, size_t n)
{
    int error;
    if (world->connection >= 0)
        assert_int_equal(net_send(world->connection, bytes, n, &error), n);
}

static void send_pdus(struct world *world, const char *pdus)
{
    struct buffer bytes = {0};
    rtr_make_all(&world->maker, pdus, &bytes);
    send_all(world, bytes.bytes, bytes.size);
    buffer_done(&bytes);
}

static void on_drip(void *context)
{
    struct world *world = context;
    if (world->dripped == world->dripping.size)
        loop_timer_stop(world->drip);
    else
        send_all(world, world->dripping.bytes + world->dripped++, 1);
}

static void answer(struct world *world)
{
    const char *line = world->script && *world->script ? *world->script++ : "silence";
    int milliseconds = 0, at = 0;
    if (strcmp(line, "close") == 0) {
        hang_up(world);
    } else if (strcmp(line, "lie") == 0) {
        send_all(world, "\1\3\0\7\177\377\377\377", 8);
    } else if (sscanf(line, "drip %d %n", &milliseconds, &at) == 1) {
        buffer_clear(&world->dripping);
        rtr_make_all(&world->maker, line + at, &world->dripping);
        world->dripped = 0;
        loop_timer_start(world->drip, 0, milliseconds * NS_PER_MS);
    } else if (strcmp(line, "silence") != 0) {
        send_pdus(world, line);
    }
}

/* Writes down all whole PDUs, and answers those that are questions. */
static void take_questions(struct world *world)
{
    size_t length = 0;
    while (!rtr_frame((uint8_t *)world->in.bytes, world->in.size, &length) && length &&
           length <= world->in.size) {
        struct rtr_pdu pdu;
        enum rtr_error error;
        assert_null(rtr_decode(reader_of(world->in.bytes, length), &pdu, &error));
        buffer_puts(&world->heard, world->heard.size ? " | " : "");
        rtr_tell(&pdu, &world->heard);
        memmove(world->in.bytes, world->in.bytes + length, world->in.size - length);
        world->in.size -= length;
        if (pdu.type != RTR_ERROR_REPORT)
            answer(world);
    }
}

static void on_bytes(void *context, int events)
{
    struct world *world = context;
    uint8_t bytes[CHUNK];
    int error;
    (void)events;
    long got = net_receive(world->connection, bytes, sizeof bytes, NULL, &error);
    if (got > 0) {
        buffer_add(&world->in, bytes, (size_t)got);
        take_questions(world);
    } else {
        hang_up(world);
    }
}

static void on_connection(void *context, int events)
{
    struct world *world = context;
    struct addr from;
    int error;
    (void)events;
    hang_up(world); /* if the end of the one before was not seen yet */
    world->connection = net_accept(world->listener, &from, &error);
    assert_true(world->connection >= 0);
    world->connections++;
    world->watcher = loop_fd_new(world->loop, world->connection, on_bytes, world);
    loop_fd_want(world->watcher, LOOP_READ);
}

static void listen_for_client(struct world *world)
{
    int error;
    struct addr at = {{127, 0, 0, 1}, 4};
    world->listener = net_listen(&at, world->port, &error);
    assert_true(world->listener >= 0);
    world->port = net_port(world->listener);
    world->listener_watcher = loop_fd_new(world->loop, world->listener, on_connection, world);
    loop_fd_want(world->listener_watcher, LOOP_READ);
}

/* ---- the world ---- */

static void on_late(void *context)
{
    struct world *world = context;
    world->is_late = true;
    loop_stop(world->loop);
}

static void hear_said(void *context, const char *text)
{
    struct world *world = context;
    assert_true(world->said_count < SAID_MAX);
    snprintf(world->said[world->said_count++], sizeof world->said[0], "%s", text);
    stop_if_done(world);
}

static void hear_changed(void *context)
{
    struct world *world = context;
    world->changes++;
    stop_if_done(world);
}

static void start_client(struct world *world, const char *host)
{
    struct rtr_options options = {.host = host,
                                  .port = world->port,
                                  .patience = &patience,
                                  .say = hear_said,
                                  .changed = hear_changed,
                                  .context = world};
    world->client = rtr_client_new(world->loop, &options);
}

static void begin(struct world *world, const char *const *script)
{
    memset(world, 0, sizeof *world);
    world->loop = loop_new();
    world->guard = loop_timer_new(world->loop, on_late, world);
    world->drip = loop_timer_new(world->loop, on_drip, world);
    world->connection = -1;
    world->script = script;
    world->maker.version = 1;
    buffer_puts(&world->heard, "");
    listen_for_client(world);
    start_client(world, "127.0.0.1");
}

static void end(struct world *world)
{
    rtr_client_free(world->client);
    hang_up(world);
    loop_timer_free(world->drip);
    loop_timer_free(world->guard);
    loop_fd_free(world->listener_watcher);
    close(world->listener);
    loop_free(world->loop);
    buffer_done(&world->in);
    buffer_done(&world->heard);
    buffer_done(&world->dripping);
}

/* Until there were so many tables, ends of connections and sentences, in all. */
static void await(struct world *world, size_t changes, size_t closes, size_t said)
{
    world->awaited_changes = changes;
    world->awaited_closes = closes;
    world->awaited_said = said;
    loop_timer_start(world->guard, GUARD_NS, 0);
    world->is_running =
        world->changes < changes || world->closes < closes || world->said_count < said;
    if (world->is_running)
        loop_run(world->loop);
    world->is_running = false;
    if (world->is_late)
        print_error("heard: %s\n", world->heard.bytes);
    assert_false(world->is_late);
}

static void check_route(const struct world *world, const char *text, uint32_t origin,
                        enum rpki_state state)
{
    struct prefix prefix;
    assert_true(prefix_parse(text, strlen(text), &prefix));
    assert_string_equal(
        rpki_state_name(rpki_validate(rtr_client_rpki(world->client), &prefix, origin)),
        rpki_state_name(state));
}

static void check_heard(struct world *world, const char *wanted)
{
    assert_string_equal(world->heard.bytes, wanted);
    buffer_clear(&world->heard);
}

/* ---- the tests ---- */

static const char first_table[] =
    "response 7; +192.0.2.0/24-25 64500; +2001:db8::/32-48 64500; end 7 3";

static void tables_and_changes(void **state)
{
    (void)state;
    static const char *const script[] = {
        first_table, "response 7; +198.51.100.0/24-24 1; -192.0.2.0/24-25 64500; end 7 4",
        "cache-reset", "response 8; +203.0.113.0/24-24 2; end 8 1", NULL};
    struct world world;
    begin(&world, script);
    check_route(&world, "192.0.2.0/24", 64500, RPKI_UNKNOWN);
    await(&world, 1, 0, 1);
    check_heard(&world, "v1 reset");
    assert_non_null(strstr(world.said[0], ": 2 prefixes are known (version 1)"));
    check_route(&world, "192.0.2.0/24", 64500, RPKI_VALID);
    check_route(&world, "192.0.2.0/26", 64500, RPKI_INVALID_LENGTH);
    check_route(&world, "2001:db8:1::/48", 64501, RPKI_INVALID_ORIGIN);
    check_route(&world, "198.51.100.0/24", 1, RPKI_NOT_FOUND);
    send_pdus(&world, "notify 7 4");
    await(&world, 2, 0, 1);
    check_heard(&world, "v1 serial 7 3");
    check_route(&world, "192.0.2.0/24", 64500, RPKI_NOT_FOUND);
    check_route(&world, "198.51.100.0/24", 1, RPKI_VALID);
    send_pdus(&world, "notify 7 9");
    await(&world, 3, 0, 1);
    check_heard(&world, "v1 serial 7 4 | v1 reset");
    check_route(&world, "198.51.100.0/24", 1, RPKI_NOT_FOUND);
    check_route(&world, "203.0.113.0/24", 2, RPKI_VALID);
    assert_int_equal(world.connections, 1);
    end(&world);
}

/* What was known stays so while the connection is gone, and in the midst of an answer. */
static void connection_lost(void **state)
{
    (void)state;
    static const char *const script[] = {first_table, "close", "response 7; -192.0.2.0/24-25 64500",
                                         "response 7; -192.0.2.0/24-25 64500; end 7 4", NULL};
    struct world world;
    begin(&world, script);
    await(&world, 1, 0, 1);
    send_pdus(&world, "notify 7 4");
    await(&world, 1, 1, 2);
    assert_non_null(
        strstr(world.said[1], ": the cache closed the connection; it will be tried again"));
    check_route(&world, "192.0.2.0/24", 64500, RPKI_VALID);
    await(&world, 1, 2, 2); /* half an answer, and then silence */
    check_route(&world, "192.0.2.0/24", 64500, RPKI_VALID);
    await(&world, 2, 2, 3);
    check_route(&world, "192.0.2.0/24", 64500, RPKI_NOT_FOUND);
    check_heard(&world, "v1 reset | v1 serial 7 3 | v1 serial 7 3 | v1 serial 7 3");
    end(&world);
}

static void older_versions(void **state)
{
    (void)state;
    static const char *const scripts[][4] = {
        {"close", "v0 response 7; +192.0.2.0/24-25 64500; end 7 3", NULL},
        {"v0 error 4 only 0", "v0 response 7; +192.0.2.0/24-25 64500; end 7 3", NULL},
        {"v0 response 7; +192.0.2.0/24-25 64500; end 7 3", NULL},
    };
    for (size_t i = 0; i < 3; i++) {
        struct world world;
        begin(&world, scripts[i]);
        await(&world, 1, i < 2, i < 2 ? 2 : 1);
        check_heard(&world, i < 2 ? "v1 reset | v0 reset" : "v1 reset");
        check_route(&world, "192.0.2.0/24", 64500, RPKI_VALID);
        assert_non_null(
            strstr(world.said[world.said_count - 1], "1 prefixes are known (version 0)"));
        send_pdus(&world, "v0 notify 7 4");
        await(&world, 1, 1 + (i < 2), 0); /* silence */
        check_heard(&world, "v0 serial 7 3");
        end(&world);
    }
}

/* Changes that do not fit are reported, and everything is asked for anew: until then what was known
 * counts, unless it is of another session. */
static void changes_that_do_not_fit(void **state)
{
    (void)state;
    static const struct {
        const char *changes, *report;
        bool is_forgotten;
    } cases[] = {
        {"response 7; -10.0.0.0/8-8 1; end 7 4", "6 a prefix is withdrawn that was not there",
         false},
        {"response 7; +192.0.2.0/24-25 64500; end 7 4", "7 a prefix is announced that was there",
         false},
        {"response 7; -192.0.2.0/24-25 64500; -192.0.2.0/24-25 64500; end 7 4",
         "6 a prefix is withdrawn that was not there", false},
        {"response 7; end 9 4", "0 the session is another one", true},
        {"response 9", "0 the session is another one", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *script[] = {first_table, cases[i].changes, "response 8; end 8 1", NULL};
        struct world world;
        char wanted[200];
        bool is_forgotten = cases[i].is_forgotten;
        begin(&world, script);
        await(&world, 1, 0, 1);
        send_pdus(&world, "notify 7 4");
        await(&world, 1, 1, 2);
        snprintf(wanted, sizeof wanted, "v1 reset | v1 serial 7 3 | v1 error %s", cases[i].report);
        check_heard(&world, wanted);
        check_route(&world, "192.0.2.0/24", 64500, is_forgotten ? RPKI_UNKNOWN : RPKI_VALID);
        await(&world, is_forgotten ? 3 : 2, 1, is_forgotten ? 4 : 3);
        check_heard(&world, "v1 reset");
        check_route(&world, "192.0.2.0/24", 64500, RPKI_NOT_FOUND);
        end(&world);
    }
}

/* A cache that is in trouble does not take away what it said before. */
static void the_cache_reports_an_error(void **state)
{
    (void)state;
    static const char *const script[] = {first_table, "error 2", "error 1 broken",
                                         "response 8; +192.0.2.0/24-25 64500; end 8 4", NULL};
    struct world world;
    begin(&world, script);
    await(&world, 1, 0, 1);
    send_pdus(&world, "notify 7 4");
    await(&world, 1, 2, 3);
    assert_non_null(strstr(world.said[1], ": the cache reports: no data available yet;"));
    assert_non_null(strstr(world.said[2], ": the cache reports: internal error (broken);"));
    check_route(&world, "192.0.2.0/24", 64500, RPKI_VALID);
    await(&world, 2, 2, 4);
    check_route(&world, "192.0.2.0/24", 64500, RPKI_VALID);
    check_route(&world, "2001:db8::/32", 64500, RPKI_NOT_FOUND);
    check_heard(&world, "v1 reset | v1 serial 7 3 | v1 serial 7 3 | v1 reset");
    end(&world);
}

static void tables_that_do_not_fit(void **state)
{
    (void)state;
    static const char *const script[] = {"response 7; +10.0.0.0/8-8 1; +10.0.0.0/8-8 1; end 7 3",
                                         "response 7; +10.0.0.0/8-8 1; -10.0.0.0/8-8 1; end 7 3",
                                         first_table, NULL};
    struct world world;
    begin(&world, script);
    await(&world, 0, 2, 1);
    check_heard(&world, "v1 reset | v1 error 7 a prefix is announced that was there | v1 reset | "
                        "v1 error 6 a whole table holds a withdrawal");
    check_route(&world, "10.0.0.0/8", 1, RPKI_UNKNOWN);
    await(&world, 1, 2, 2);
    check_route(&world, "192.0.2.0/24", 64500, RPKI_VALID);
    end(&world);
}

static void silence(void **state)
{
    (void)state;
    static const char *const script[] = {"silence", "response 7; +10.0.0.0/8-8 1", first_table,
                                         NULL};
    struct world world;
    begin(&world, script);
    struct mono start = clock_mono();
    await(&world, 0, 1, 1);
    int64_t took_ns = mono_diff(clock_mono(), start);
    assert_true(took_ns >= patience.answer_ns && took_ns < 10 * patience.answer_ns);
    assert_non_null(strstr(world.said[0], ": the cache does not answer, or too slowly"));
    check_route(&world, "10.0.0.0/8", 1, RPKI_UNKNOWN);
    await(&world, 1, 2, 2);
    check_heard(&world, "v1 reset | v1 reset | v1 reset");
    check_route(&world, "10.0.0.0/8", 1, RPKI_NOT_FOUND);
    end(&world);
}

/* Byte by byte it is the same, unless it takes too long in all. */
static void drip(void **state)
{
    (void)state;
    static const char *const script[] = {"drip 40 response 7; +192.0.2.0/24-25 64500; end 7 3",
                                         "drip 1 response 7; +192.0.2.0/24-25 64500; end 7 3",
                                         NULL};
    struct world world;
    begin(&world, script);
    struct mono start = clock_mono();
    await(&world, 0, 1, 1);
    int64_t took_ns = mono_diff(clock_mono(), start);
    assert_true(took_ns >= patience.response_ns && took_ns < 5 * patience.response_ns);
    await(&world, 1, 1, 2);
    check_route(&world, "192.0.2.0/24", 64500, RPKI_VALID);
    end(&world);
}

static void lies(void **state)
{
    (void)state;
    static const char *const script[] = {"lie", first_table, NULL};
    struct world world;
    begin(&world, script);
    await(&world, 0, 1, 1);
    check_heard(&world, "v1 reset | v1 error 0 a PDU is longer than any may be");
    await(&world, 1, 1, 2);
    check_route(&world, "192.0.2.0/24", 64500, RPKI_VALID);
    end(&world);
}

/* Nobody is there at first; and it is looked up by its name. */
static void nobody_there(void **state)
{
    (void)state;
    static const char *const script[] = {first_table, NULL};
    struct world world;
    begin(&world, script);
    rtr_client_free(world.client);
    loop_fd_free(world.listener_watcher);
    close(world.listener);
    start_client(&world, "localhost");
    await(&world, 0, 0, 1);
    assert_non_null(strstr(world.said[0], ": Connection refused; it will be tried again"));
    listen_for_client(&world);
    await(&world, 1, 0, 2);
    check_route(&world, "192.0.2.0/24", 64500, RPKI_VALID);
    end(&world);
}

/* More than is read in a turn, so that answers and their ends lie across its edges. */
static void a_large_table(void **state)
{
    (void)state;
    enum { COUNT = 50000 };
    struct buffer pdus = {0};
    struct world world;
    begin(&world, NULL);
    rtr_make(&world.maker, "response 7", &pdus);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct rtr_pdu pdu = {
            .version = 1,
            .type = RTR_IPV4_PREFIX,
            .is_announced = true,
            .max_bits = 32,
            .asn = i,
            .prefix = {{{10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}, 4}, 32}};
        rtr_encode(&pdu, &pdus);
    }
    rtr_make(&world.maker, "end 7 3", &pdus);
    while (world.connection < 0 || !world.heard.size) { /* until it has asked */
        loop_timer_start(world.guard, NS_PER_MS, 0);
        loop_run(world.loop);
        world.is_late = false;
    }
    for (size_t at = 0; at < pdus.size;) {
        int error;
        long sent = net_send(world.connection, pdus.bytes + at, pdus.size - at, &error);
        at += sent > 0 ? (size_t)sent : 0;
        loop_timer_start(world.guard, NS_PER_MS, 0);
        loop_run(world.loop);
        world.is_late = false;
    }
    await(&world, 1, 0, 1);
    check_route(&world, "10.0.195.79/32", 49999, RPKI_VALID);
    assert_int_equal(vrps_count(rpki_vrps(rtr_client_rpki(world.client))), COUNT);
    buffer_done(&pdus);
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_and_changes),
        cmocka_unit_test(connection_lost),
        cmocka_unit_test(older_versions),
        cmocka_unit_test(changes_that_do_not_fit),
        cmocka_unit_test(the_cache_reports_an_error),
        cmocka_unit_test(tables_that_do_not_fit),
        cmocka_unit_test(silence),
        cmocka_unit_test(drip),
        cmocka_unit_test(lies),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(a_large_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
