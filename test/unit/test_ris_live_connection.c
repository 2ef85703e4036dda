/* source/bgp/ris_live and source/http_stream: connections that fail, end or fall silent, and how often they are
 * tried again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ris_world.h"
#include "source/backoff.h"
#include "sys/clock.h"

/* A server that always hangs up is tried less and less often, and people are told once. */
static void it_backs_off(void **state)
{
    (void)state;
    struct act acts[] = {{.head = ""}};
    struct world *world = world_new(acts, 1);
    struct ris_pace pace = fast;
    pace.retry_first_ns = 50 * NS_PER_MS;
    pace.retry_most_ns = 400 * NS_PER_MS;
    listen_to(world, NULL, &pace);
    for (int i = 0; i < 1000 && asked(world) < 6; i++)
        pass(world, 20 * NS_PER_MS);
    assert_true(asked(world) >= 6);
    assert_int_equal(world->said_count, 1);
    expect_begin(world->said[0], "RIS Live: no connection: the server ended it; trying again in ");
    assert_non_null(strstr(world->said[0], "and then less and less often"));
    /* 50, 75, 150, 300 and 300 ms at least; on a busy machine the first may have been noticed late. */
    assert_true(mono_diff(world->asked_at[5], world->asked_at[0]) >= (875 - 250) * NS_PER_MS);
    assert_int_equal(world->seen_count, 0);
    assert_int_equal(ris_live_counters(world->live).connections, 0);
    world_free(world);
}

static void waits(void **state)
{
    (void)state;
    struct backoff backoff = {.first_ns = NS_PER_S, .most_ns = 5 * NS_PER_MINUTE};
    int64_t base = NS_PER_S;
    for (int i = 0; i < 12; i++) {
        int64_t wait = backoff_next(&backoff, UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)(i + 1));
        assert_true(wait >= NS_PER_S && wait <= 5 * NS_PER_MINUTE);
        assert_true(wait >= base * 3 / 4 && wait <= base * 5 / 4);
        base = base < 150 * NS_PER_S ? 2 * base : 5 * NS_PER_MINUTE;
    }
    backoff_reset(&backoff);
    assert_true(backoff_next(&backoff, UINT64_MAX) <= NS_PER_S * 5 / 4);
    assert_true(backoff_next(&backoff, 0) == NS_PER_S * 3 / 2);
}

/* Refusals of all kinds, and how long they say to stay away. */
static void refusals(void **state)
{
    static const struct {
        const char *head, *reason;
        bool is_later;
    } cases[] = {
        {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "HTTP status 503", false},
        {"HTTP/1.1 429 Too Many\r\nRetry-After: 60\r\nContent-Length: 5\r\n\r\nsorry",
         "HTTP status 429", true},
        {"HTTP/1.1 301 Moved\r\nLocation: https://elsewhere.example/v2\x07\r\n\r\n",
         "HTTP status 301: it is now at https://elsewhere.example/v2", false},
        {"HTTP/1.1 204 Nothing\r\n\r\n", "HTTP status 204", false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "the server ended it", false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "the server ended it", false},
        {"SSH-2.0-OpenSSH_9.2\r\n", "", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[200];
        struct act acts[] = {{.head = cases[i].head}};
        struct world *world = world_new(acts, 1);
        listen_to(world, NULL, &fast);
        await(world, 0, 1);
        snprintf(expected, sizeof expected, "RIS Live: no connection: %s", cases[i].reason);
        expect_begin(world->said[0], expected);
        for (const char *at = world->said[0]; *at; at++)
            assert_true(*at >= ' ' && *at < 0x7f);
        for (int k = 0; k < (cases[i].is_later ? 15 : 500) && asked(world) < 2; k++)
            pass(world, 20 * NS_PER_MS);
        assert_int_equal(asked(world) > 1, !cases[i].is_later);
        world_free(world);
    }
}

static void nobody_listens(void **state)
{
    (void)state;
    struct act acts[] = {{.head = ""}};
    struct world *world = world_new(acts, 1);
    char url[80];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", unused_port());
    listen_at(world, url, NULL, &fast);
    await(world, 0, 1);
    expect_begin(world->said[0],
                 "RIS Live: no connection: cannot connect: Connection refused; trying");
    pass(world, 300 * NS_PER_MS);
    assert_int_equal(world->said_count, 1);
    world_free(world);
}

static void no_answer(void **state)
{
    (void)state;
    struct act acts[] = {{.head = "HTTP/1.1 200 OK\r\n", .stays = true}};
    struct world *world = world_new(acts, 1);
    struct ris_pace pace = fast;
    pace.answer_ns = 100 * NS_PER_MS;
    listen_to(world, NULL, &pace);
    await(world, 0, 1);
    expect_begin(world->said[0], "RIS Live: no connection: no answer within 100 ms; trying");
    world_free(world);
}

/* By name: the system's list of hosts has this one. */
static void by_name(void **state)
{
    (void)state;
    char *lines = speech(now_ms(), NULL);
    struct act acts[] = {{.lines = lines, .stays = true}};
    struct world *world = world_new(acts, 1);
    char url[80];
    snprintf(url, sizeof url, "http://localhost:%u/v1/stream/?x=y", world->server.port);
    listen_at(world, url, NULL, &fast);
    await(world, 3, 1);
    assert_non_null(strstr(world->request, "GET /v1/stream/?x=y&format=json&client="));
    assert_non_null(strstr(world->request, "\r\nHost: localhost:"));
    world_free(world);
    free(lines);
}

/* A reset is as good an end as any. */
static void reset_connection(void **state)
{
    (void)state;
    char *lines = speech(now_ms(), NULL);
    struct act acts[] = {{.lines = lines, .is_reset = true}, {.head = "", .stays = true}};
    struct world *world = world_new(acts, 2);
    listen_to(world, NULL, &fast);
    await(world, 4, 2);
    assert_string_equal(told(world), "start heard announce:198.51.100.0/24 gap");
    expect_begin(world->said[1], "RIS Live: connection lost: ");
    assert_non_null(strstr(world->said[1], "reset by peer"));
    world_free(world);
    free(lines);
}

/* Nothing more comes; or bytes come, and no message ever does. */
static void silence(void **state)
{
    static const char *const more[] = {NULL, " ", "\n", "{\"type\":\"pong\",\"data\":null}\n"};
    (void)state;
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        char *lines = speech(now_ms(), NULL);
        struct act acts[] = {{.lines = lines, .more = more[i], .pause_ms = 20, .stays = true},
                             {.lines = lines, .stays = true}};
        struct world *world = world_new(acts, 2);
        struct ris_pace pace = fast;
        pace.silence_ns = 300 * NS_PER_MS;
        listen_to(world, NULL, &pace);
        struct utc begun = clock_utc();
        await(world, 4, 2);
        assert_int_equal(world->seen[3].kind, OBSERVATION_GAP);
        /* From the last message, which came at once, not from when it was missed. */
        assert_true(world->seen[3].time.ns < begun.ns);
        assert_true(clock_utc().ns > begun.ns + 300 * NS_PER_MS);
        expect_begin(world->said[1], "RIS Live: connection lost: no message for ");
        assert_string_equal(told(world), "start heard announce:198.51.100.0/24 gap");
        await(world, 3, 3);
        assert_string_equal(told(world), "start heard announce:198.51.100.0/24");
        world_free(world);
        free(lines);
    }
}

/* A server that never says anything but that it is there. */
static void nothing_at_all(void **state)
{
    (void)state;
    struct act acts[] = {{.more = "\n", .pause_ms = 20}};
    struct world *world = world_new(acts, 1);
    struct ris_pace pace = fast;
    pace.silence_ns = pace.answer_ns = 200 * NS_PER_MS;
    listen_to(world, NULL, &pace);
    await(world, 0, 1);
    expect_begin(world->said[0], "RIS Live: no connection: no message for ");
    assert_int_equal(world->seen_count, 0);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_backs_off),     cmocka_unit_test(waits),
        cmocka_unit_test(refusals),         cmocka_unit_test(nobody_listens),
        cmocka_unit_test(no_answer),        cmocka_unit_test(by_name),
        cmocka_unit_test(reset_connection), cmocka_unit_test(silence),
        cmocka_unit_test(nothing_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
