/* source/probe: pings, TCP, and the schedule, against loopback and servers of the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "probe_fixture.h"

#include "sys/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT_NS (400 * NS_PER_MS)

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    fixture_start(&fixture);
    return 0;
}

static int set_up_phased(void **state)
{
    (void)state;
    fixture_start_phased(&fixture);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_stop(&fixture);
    return 0;
}

static const char *target_at(const char *form, uint16_t port)
{
    static char text[128];
    snprintf(text, sizeof text, form, port);
    return text;
}

/* A socket of 127.0.0.1 that nobody serves. */
static int silent_socket(int type, uint16_t *port)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof own;
    int fd = socket(AF_INET, type, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &length), 0);
    *port = ntohs(own.sin_port);
    return fd;
}

static void ping_is_answered(void **state)
{
    (void)state;
    static const char *const addresses[] = {"127.0.0.1", "::1"};
    if (fixture.why.err)
        skip();
    for (int i = 0; i < 2; i++) {
        char target[64];
        snprintf(target, sizeof target, "icmp:%s", addresses[i]);
        struct utc before = clock_utc();
        struct observation result = fixture_ask(&fixture, target, TIMEOUT_NS, 0);
        assert_string_equal(outcome_name((enum outcome)result.outcome), "ok");
        assert_int_equal(result.stage, STAGE_DONE);
        assert_string_equal(fixture_peer(&fixture, &result), addresses[i]);
        assert_true(result.rtt_ns > 0 && result.rtt_ns < TIMEOUT_NS);
        assert_int_equal(result.value, 64); /* TTL */
        assert_true(utc_diff(result.time, before) >= 0);
        assert_true(utc_diff(clock_utc(), result.time) >= 0);
    }
}

/* What a process without rights sees; 0 if all is as it should be. */
static int try_without_rights(void)
{
    enum { NOBODY = 65534 };
    if (geteuid() == 0 && (setgid(NOBODY) || setuid(NOBODY)))
        return 1;
    fixture_start(&fixture);
    if (!fixture.why.err) /* everybody may ping here */
        return 0;
    if (fixture.why.err != ERR_DENIED || !strstr(fixture.why.text, "ping_group_range"))
        return 2;
    struct observation result = fixture_ask(&fixture, "icmp:127.0.0.1", TIMEOUT_NS, 0);
    if (result.outcome != OUTCOME_SELF || result.stage != STAGE_SEND)
        return 3;
    result = fixture_ask(&fixture, "tcp:127.0.0.1:1", TIMEOUT_NS, 0);
    return result.outcome == OUTCOME_REFUSED ? 0 : 4;
}

static void pings_without_permission_say_how_to_cure_it(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(try_without_rights());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static bool keep_silent(struct server *server, int fd)
{
    (void)server, (void)fd;
    return true;
}

static void tcp_tells_open_from_refused(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, false, 0, keep_silent, NULL);
    struct observation result =
        fixture_ask(&fixture, target_at("tcp:127.0.0.1:%u", server.port), TIMEOUT_NS, 0);
    server_stop(&server);
    assert_string_equal(outcome_name((enum outcome)result.outcome), "ok");
    assert_int_equal(result.stage, STAGE_DONE);
    assert_string_equal(fixture_peer(&fixture, &result), "127.0.0.1");
    result = fixture_ask(&fixture, target_at("tcp:127.0.0.1:%u", unused_port()), TIMEOUT_NS, 0);
    assert_string_equal(outcome_name((enum outcome)result.outcome), "refused");
    assert_int_equal(result.stage, STAGE_CONNECT);
    assert_string_equal(fixture_peer(&fixture, &result), "127.0.0.1");
}

/* A listener whose backlog is full drops what comes: nothing answers. */
static void tcp_times_out(void **state)
{
    (void)state;
    enum { FILLERS = 8 };
    uint16_t port;
    int listener = silent_socket(SOCK_STREAM, &port), fillers[FILLERS];
    assert_int_equal(listen(listener, 0), 0);
    struct sockaddr_in own = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < FILLERS; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(fillers[i], (struct sockaddr *)&own, sizeof own);
    }
    struct observation result =
        fixture_ask(&fixture, target_at("tcp:127.0.0.1:%u", port), TIMEOUT_NS, 0);
    assert_string_equal(outcome_name((enum outcome)result.outcome), "timeout");
    assert_int_equal(result.stage, STAGE_CONNECT);
    assert_int_equal(result.rtt_ns, 0);
    for (int i = 0; i < FILLERS; i++)
        close(fillers[i]);
    close(listener);
}

/* The schedule. */

static size_t results_of(const char *target, enum outcome outcome)
{
    size_t n = 0;
    for (size_t i = 0; i < fixture.count; i++)
        if (fixture.results[i].outcome == outcome &&
            strcmp(registry_text(fixture.registry, fixture.results[i].target), target) == 0)
            n++;
    return n;
}

static void one_stalled_server_delays_nobody(void **state)
{
    (void)state;
    enum { OTHERS = 49, ROUNDS = 6 };
    uint16_t port;
    int silent = silent_socket(SOCK_STREAM, &port), closed_port = unused_port();
    assert_int_equal(listen(silent, 16), 0);
    char texts[OTHERS + 1][64];
    struct probe_plan plan[OTHERS + 1];
    for (int i = 0; i <= OTHERS; i++) {
        if (i < OTHERS)
            snprintf(texts[i], sizeof texts[i], "tcp:127.0.0.%d:%d", i + 2, closed_port);
        else
            snprintf(texts[i], sizeof texts[i], "http://127.0.0.1:%u/", port);
        plan[i] = (struct probe_plan){.target = texts[i],
                                      .interval_ns = TIMEOUT_NS / 2,
                                      .timeout_ns = TIMEOUT_NS / 2,
                                      .count = 1};
    }
    assert_int_equal(prober_set_plan(fixture.prober, plan, OTHERS + 1, NULL), ERR_OK);
    fixture_wait(&fixture, (OTHERS + 1) * ROUNDS);
    close(silent);
    for (int i = 0; i < OTHERS; i++)
        assert_true(results_of(texts[i], OUTCOME_REFUSED) >= ROUNDS - 2);
    size_t timed_out = results_of(texts[OTHERS], OUTCOME_TIMEOUT);
    size_t late = results_of(texts[OTHERS], OUTCOME_LATE); /* on a busy machine */
    assert_true(timed_out + late >= ROUNDS - 2);
}

/* What we do while the process stands still: nothing, for longer than a busy machine would. */
static void sleep_through(void *context)
{
    (void)context;
    poll(NULL, 0, 250);
}

/* Asks once, and sleeps while the answer comes. */
static struct observation ask_and_stall(const char *target, int64_t timeout_ns)
{
    struct probe_plan plan = {
        .target = target, .interval_ns = NS_PER_MINUTE, .timeout_ns = timeout_ns, .count = 1};
    struct loop_timer *timer = loop_timer_new(fixture.loop, sleep_through, NULL);
    fixture.count = 0;
    assert_int_equal(prober_set_plan(fixture.prober, &plan, 1, NULL), ERR_OK);
    loop_timer_start(timer, NS_PER_MS, 0);
    fixture_wait(&fixture, 1);
    loop_timer_free(timer);
    assert_int_equal(prober_set_plan(fixture.prober, NULL, 0, NULL), ERR_OK);
    return fixture.results[0];
}

static void stall_of_ours_is_not_the_servers(void **state)
{
    (void)state;
    uint16_t udp_port, tcp_port;
    int silent = silent_socket(SOCK_DGRAM, &udp_port);
    int stalled = silent_socket(SOCK_STREAM, &tcp_port);
    assert_int_equal(listen(stalled, 16), 0);
    struct observation result;
    if (!fixture.why.err) { /* answered before we slept, read after the time-out was due */
        result = ask_and_stall("icmp:127.0.0.1", 100 * NS_PER_MS);
        assert_string_equal(outcome_name((enum outcome)result.outcome), "ok");
        assert_true(result.rtt_ns > 0 && result.rtt_ns < 100 * NS_PER_MS);
    }
    /* The kernel tells that nothing has come, however late we look. */
    result = ask_and_stall(target_at("dns:127.0.0.1:%u/kp./SOA", udp_port), 100 * NS_PER_MS);
    assert_string_equal(outcome_name((enum outcome)result.outcome), "timeout");
    /* libcurl cannot be asked. */
    result = ask_and_stall(target_at("http://127.0.0.1:%u/", tcp_port), 100 * NS_PER_MS);
    assert_string_equal(outcome_name((enum outcome)result.outcome), "late");
    /* There was no time left for what follows the connection. */
    result = ask_and_stall(target_at("dns+tcp:127.0.0.1:%u/kp./SOA", tcp_port), 100 * NS_PER_MS);
    assert_string_equal(outcome_name((enum outcome)result.outcome), "late");
    result = ask_and_stall(target_at("smtp:127.0.0.1:%u", tcp_port), 100 * NS_PER_MS);
    assert_string_equal(outcome_name((enum outcome)result.outcome), "late");
    close(silent);
    close(stalled);
}

static void silence_counts_only_if_we_asked_in_time(void **state)
{
    (void)state;
    enum {
        INTERVAL_MS = 400,
        STALL_MS = 300
    }; /* sleeps over the second turn, until before the third */
    uint16_t port;
    int silent = silent_socket(SOCK_DGRAM, &port);
    const char *target = target_at("dns:127.0.0.1:%u/kp./SOA", port);
    struct probe_plan plan[] = {{.target = target, .count = 1},
                                {.target = "icmp:127.0.0.1", .count = 1}};
    size_t count = fixture.why.err ? 1 : 2;
    for (size_t i = 0; i < count; i++)
        plan[i].interval_ns = plan[i].timeout_ns = INTERVAL_MS * NS_PER_MS;
    struct loop_timer *timer = loop_timer_new(fixture.loop, sleep_through, NULL);
    loop_timer_start(timer, STALL_MS * NS_PER_MS, 0);
    assert_int_equal(prober_set_plan(fixture.prober, plan, count, NULL), ERR_OK);
    fixture_wait(&fixture, 3 * count);
    loop_timer_free(timer);
    close(silent);
    assert_true(results_of(target, OUTCOME_LATE) >= 1);
    assert_int_equal(results_of("icmp:127.0.0.1", OUTCOME_LATE), 0); /* who answers has answered */
    struct prober_counters counters = prober_counters(fixture.prober);
    assert_true(counters.sent_late >= count);
    assert_true(counters.late_worst_ns > 100 * NS_PER_MS);
}

/* Fills the ICMP socket's buffer, which hears what ports that nobody serves answer. */
static void flood(void)
{
    enum { DATAGRAMS = 20000 };
    struct sockaddr_in nobody = {.sin_family = AF_INET,
                                 .sin_port = htons(unused_port()),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    for (int i = 0; i < DATAGRAMS; i++)
        sendto(fd, "", 0, 0, (struct sockaddr *)&nobody, sizeof nobody);
    close(fd);
}

static void reply_that_we_dropped_is_not_silence(void **state)
{
    (void)state;
    if (fixture.why.err)
        skip();
    struct probe_plan plan = {.target = "icmp:127.0.0.1",
                              .interval_ns = NS_PER_MINUTE,
                              .timeout_ns = TIMEOUT_NS,
                              .count = 1};
    flood();
    assert_int_equal(prober_set_plan(fixture.prober, &plan, 1, NULL), ERR_OK);
    fixture_wait(&fixture, 1);
    /* An unprivileged socket does not hear the flood, and has its answer. */
    bool is_heard = prober_counters(fixture.prober).echo_foreign > 0;
    assert_string_equal(outcome_name((enum outcome)fixture.results[0].outcome),
                        is_heard ? "late" : "ok");
}

static void echoes_are_spread_over_the_round(void **state)
{
    (void)state;
    enum { COUNT = 4 };
    if (fixture.why.err)
        skip();
    struct probe_plan plan = {.target = "icmp:127.0.0.1",
                              .interval_ns = TIMEOUT_NS,
                              .timeout_ns = TIMEOUT_NS,
                              .count = COUNT};
    assert_int_equal(prober_set_plan(fixture.prober, &plan, 1, NULL), ERR_OK);
    fixture_wait(&fixture, 2 * COUNT + 1);
    int64_t span_ns = utc_diff(fixture.results[2 * COUNT].time, fixture.results[0].time);
    assert_true(span_ns > TIMEOUT_NS); /* 2 rounds; a busy machine may begin late */
    assert_int_equal(results_of("icmp:127.0.0.1", OUTCOME_OK), 2 * COUNT + 1);
}

static void plan_is_changed_without_disturbing_the_rest(void **state)
{
    (void)state;
    struct probe_plan plan[] = {
        {.target = "tcp:127.0.0.1:1",
         .interval_ns = 100 * NS_PER_MS,
         .timeout_ns = 100 * NS_PER_MS,
         .count = 1},
        {.target = "tcp:127.0.0.2:1",
         .interval_ns = 100 * NS_PER_MS,
         .timeout_ns = 100 * NS_PER_MS,
         .count = 1},
        {.target = "tcp:127.0.0.1:1",
         .interval_ns = 100 * NS_PER_MS,
         .timeout_ns = 100 * NS_PER_MS,
         .count = 1,
         .is_control = true},
    };
    assert_int_equal(prober_set_plan(fixture.prober, plan, 3, NULL), ERR_OK);
    fixture_wait(&fixture, 6);
    /* Set anew far more often than its interval, the first target must still have its turns. */
    for (int i = 0; i < 60; i++) {
        assert_int_equal(prober_set_plan(fixture.prober, plan, i % 2 ? 1 : 3, NULL), ERR_OK);
        fixture.is_overdue = false;
        loop_timer_start(fixture.guard, 10 * NS_PER_MS, 0);
        fixture.wanted = FIXTURE_RESULTS;
        loop_run(fixture.loop);
    }
    assert_true(results_of("tcp:127.0.0.1:1", OUTCOME_REFUSED) >= 6);
    assert_int_equal(prober_set_plan(fixture.prober, plan, 2, NULL), ERR_OK);
    size_t before = fixture.count;
    fixture_wait(&fixture, before + 4);
    for (size_t i = before; i < fixture.count; i++)
        assert_int_equal(registry_kind(fixture.registry, fixture.results[i].target), NAME_TARGET);
}

static void bad_plan_leaves_the_old_one(void **state)
{
    (void)state;
    static const struct probe_plan good = {.target = "tcp:127.0.0.1:1",
                                           .interval_ns = 50 * NS_PER_MS,
                                           .timeout_ns = 50 * NS_PER_MS,
                                           .count = 1};
    static const struct {
        struct probe_plan plan;
        enum err err;
        const char *says;
    } cases[] = {
        {{.target = "dns:192.0.2.1/kp./SAO",
          .interval_ns = NS_PER_S,
          .timeout_ns = NS_PER_S,
          .count = 1},
         ERR_CONFIG,
         "record type"},
        {{.target = "tcp:127.0.0.1:1",
          .interval_ns = NS_PER_S,
          .timeout_ns = 2 * NS_PER_S,
          .count = 1},
         ERR_CONFIG,
         "timeout"},
        {{.target = "tcp:127.0.0.1:1", .interval_ns = NS_PER_S, .timeout_ns = NS_PER_S, .count = 0},
         ERR_CONFIG,
         "count"},
        {{.target = "tpc:127.0.0.1:1", .interval_ns = NS_PER_S, .timeout_ns = NS_PER_S, .count = 1},
         ERR_INPUT,
         "tpc"},
        {{.target = "tls:127.0.0.1:1",
          .interval_ns = NS_PER_S,
          .timeout_ns = NS_PER_S,
          .count = 1,
          .expect_text = "x"},
         ERR_CONFIG,
         "no page"},
        {{.target = "http://127.0.0.1/",
          .interval_ns = NS_PER_S,
          .timeout_ns = NS_PER_S,
          .count = 1,
          .expect_text = ""},
         ERR_CONFIG,
         "0 bytes"},
    };
    assert_int_equal(prober_set_plan(fixture.prober, &good, 1, NULL), ERR_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct probe_plan plan[] = {good, cases[i].plan};
        struct why why;
        assert_int_equal(prober_set_plan(fixture.prober, plan, 2, &why), cases[i].err);
        assert_int_equal(why.err, cases[i].err);
        assert_non_null(strstr(why.text, cases[i].says));
    }
    fixture_wait(&fixture, 3);
    assert_int_equal(results_of(good.target, OUTCOME_REFUSED), 3);
}

static void stop_loop(void *context)
{
    struct fixture *drained = context;
    drained->is_overdue = true;
    loop_stop(drained->loop);
}

static void drain_waits_for_what_is_under_way(void **state)
{
    (void)state;
    uint16_t port;
    int silent = silent_socket(SOCK_DGRAM, &port);
    struct probe_plan plan[] = {
        {.target = "tcp:127.0.0.1:1",
         .interval_ns = TIMEOUT_NS,
         .timeout_ns = TIMEOUT_NS,
         .count = 1},
        {.target = target_at("dns:127.0.0.1:%u/kp./SOA", port),
         .interval_ns = TIMEOUT_NS,
         .timeout_ns = TIMEOUT_NS,
         .count = 1},
    };
    assert_int_equal(prober_set_plan(fixture.prober, plan, 2, NULL), ERR_OK);
    fixture_wait(&fixture,
                 4); /* by now the silent server has been asked more often than it timed out */
    fixture.wanted = FIXTURE_RESULTS;
    prober_drain(fixture.prober, stop_loop, &fixture);
    assert_false(fixture.is_overdue); /* not from within */
    loop_run(fixture.loop);
    assert_true(fixture.is_overdue);
    struct prober_counters counters = prober_counters(fixture.prober);
    assert_int_equal(counters.asked, counters.answered);
    assert_int_equal(counters.answered, fixture.count);
    size_t drained = fixture.count;
    loop_timer_start(fixture.guard, TIMEOUT_NS, 0);
    loop_run(fixture.loop);
    assert_int_equal(fixture.count, drained);
    close(silent);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define TEST_PHASED(function) cmocka_unit_test_setup_teardown(function, set_up_phased, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ping_is_answered),
        cmocka_unit_test(pings_without_permission_say_how_to_cure_it),
        TEST(tcp_tells_open_from_refused),
        TEST(tcp_times_out),
        TEST_PHASED(one_stalled_server_delays_nobody),
        TEST(stall_of_ours_is_not_the_servers),
        TEST(silence_counts_only_if_we_asked_in_time),
        TEST(reply_that_we_dropped_is_not_silence),
        TEST_PHASED(echoes_are_spread_over_the_round),
        TEST_PHASED(plan_is_changed_without_disturbing_the_rest),
        TEST(bad_plan_leaves_the_old_one),
        TEST_PHASED(drain_waits_for_what_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
