/* The prober, what it asks out of turn: targets on loopback that stop answering, and answer again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "probe_fixture.h"
#include "source/probe/follow_up.h"
#include "sys/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIMEOUT_NS (500 * NS_PER_MS)

static struct fixture fixture;
static struct manners_options manners;

static int set_up(void **state)
{
    (void)state;
    fixture_start(&fixture);
    manners = (struct manners_options){.rate = 1000, .neighbour_rate = 1000, .follow_rate = 100};
    prober_set_manners(fixture.prober, &manners);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_stop(&fixture);
    return 0;
}

static bool keep_silent(struct server *server, int fd)
{
    (void)server, (void)fd;
    return true;
}

static const char *text_of(const struct observation *result)
{
    return registry_text(fixture.registry, result->target);
}

/* Of those from `first` on, how many say so of the target. */
static size_t results_of(size_t first, const char *target, enum outcome outcome)
{
    size_t n = 0;
    for (size_t i = first; i < fixture.count; i++)
        n += fixture.results[i].outcome == outcome &&
             strcmp(text_of(&fixture.results[i]), target) == 0;
    return n;
}

/* Runs until there are so many of them. */
static void wait_for(size_t first, const char *target, enum outcome outcome, size_t wanted)
{
    while (results_of(first, target, outcome) < wanted)
        fixture_wait(&fixture, fixture.count + 1);
}

static struct probe_plan every(const char *target, int64_t interval_ns)
{
    return (struct probe_plan){
        .target = target, .interval_ns = interval_ns, .timeout_ns = TIMEOUT_NS, .count = 1};
}

struct pair {
    struct server quick, rare;
    char quick_text[64], rare_text[64];
};

/* Two services of one host: the one is asked every two seconds, the other every minute. A control far away. */
static size_t begin_pair(struct pair *pair, struct server *other, char *control)
{
    server_start(&pair->quick, false, 0, keep_silent, NULL);
    server_start(&pair->rare, false, 0, keep_silent, NULL);
    server_start(other, false, 0, keep_silent, NULL);
    snprintf(pair->quick_text, sizeof pair->quick_text, "tcp:127.0.0.1:%u", pair->quick.port);
    snprintf(pair->rare_text, sizeof pair->rare_text, "tcp:127.0.0.1:%u", pair->rare.port);
    snprintf(control, 64, "tcp:127.0.0.1:%u", other->port);
    struct probe_plan plan[] = {every(pair->quick_text, 2 * NS_PER_S),
                                every(pair->rare_text, NS_PER_MINUTE),
                                every(control, NS_PER_MINUTE)};
    plan[2].is_control = true;
    assert_int_equal(prober_set_plan(fixture.prober, plan, 3, NULL), ERR_OK);
    fixture_wait(&fixture, 3);
    return fixture.count;
}

/* The first trace; its path says for whose sake. */
static const struct observation *first_trace(size_t first)
{
    for (size_t i = first; i < fixture.count; i++)
        if (registry_target(fixture.registry, fixture.results[i].target)->kind == TARGET_TRACE)
            return &fixture.results[i];
    return NULL;
}

static void dark_host_is_known_within_seconds(void **state)
{
    (void)state;
    struct pair pair;
    struct server other;
    char control[64];
    size_t first = begin_pair(&pair, &other, control);
    struct utc begin = clock_utc();
    uint16_t ports[] = {pair.quick.port, pair.rare.port};
    server_stop(&pair.quick);
    server_stop(&pair.rare);
    wait_for(first, pair.rare_text, OUTCOME_REFUSED, 3);
    assert_true(results_of(first, control, OUTCOME_OK) >= 2);
    for (size_t i = first; i < fixture.count; i++)
        assert_true(utc_diff(fixture.results[i].time, begin) < 10 * NS_PER_S);
    if (!fixture.why.err) {
        while (!first_trace(first))
            fixture_wait(&fixture, fixture.count + 1);
        const struct observation *trace = first_trace(first);
        assert_string_equal(text_of(trace), "trace:127.0.0.1");
        assert_string_equal(outcome_name((enum outcome)trace->outcome), "ok");
        assert_int_equal(trace->value, 1);
        const char *whose = registry_text(fixture.registry, trace->path);
        assert_true(strcmp(whose, pair.quick_text) == 0 || strcmp(whose, pair.rare_text) == 0);
    }
    /* And so is its return. */
    size_t second = fixture.count;
    server_start(&pair.quick, false, ports[0], keep_silent, NULL);
    server_start(&pair.rare, false, ports[1], keep_silent, NULL);
    wait_for(second, pair.rare_text, OUTCOME_OK, 2);
    struct prober_counters counters = prober_counters(fixture.prober);
    assert_true(counters.followed >= 7 && counters.followed < 60);
    assert_int_equal(counters.follow_refused, 0);
    server_stop(&pair.quick);
    server_stop(&pair.rare);
    server_stop(&other);
}

static void nothing_is_followed_without_a_rate(void **state)
{
    (void)state;
    struct pair pair;
    struct server other;
    char control[64];
    manners.follow_rate = 0;
    prober_set_manners(fixture.prober, &manners);
    size_t first = begin_pair(&pair, &other, control);
    server_stop(&pair.quick);
    server_stop(&pair.rare);
    wait_for(first, pair.quick_text, OUTCOME_REFUSED, 2);
    assert_int_equal(results_of(first, pair.rare_text, OUTCOME_REFUSED), 0);
    assert_int_equal(prober_counters(fixture.prober).followed, 0);
    server_stop(&other);
}

/* With the control it is our own affair: what lies beside the target is left alone. */
static void neighbours_are_not_asked_while_controls_fail(void **state)
{
    (void)state;
    struct pair pair;
    struct server other;
    char control[64];
    size_t first = begin_pair(&pair, &other, control);
    server_stop(&other);
    struct probe_plan plan[] = {every(pair.quick_text, 2 * NS_PER_S),
                                every(pair.rare_text, NS_PER_MINUTE), every(control, NS_PER_S),
                                every("self:loop", NS_PER_S), every("self:clock", NS_PER_S)};
    for (size_t i = 2; i < 5; i++) /* those of the vantage itself do not vouch */
        plan[i].is_control = true;
    assert_int_equal(prober_set_plan(fixture.prober, plan, 5, NULL), ERR_OK);
    wait_for(first, control, OUTCOME_REFUSED, 1);
    size_t second = fixture.count;
    server_stop(&pair.quick);
    wait_for(second, pair.quick_text, OUTCOME_REFUSED, 2);
    assert_int_equal(results_of(second, pair.rare_text, OUTCOME_OK), 0);
    assert_null(first_trace(first));
    server_stop(&pair.rare);
}

static bool fail_the_second(struct server *server, int fd)
{
    int *n = server->context;
    read_request(fd);
    write_text(fd, ++*n == 2 ? "HTTP/1.1 500 Sorry\r\nContent-Length: 0\r\n\r\n"
                             : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    close(fd);
    return false;
}

static void one_bad_answer_costs_one_question(void **state)
{
    (void)state;
    struct server server;
    int requests = 0;
    char target[64];
    server_start(&server, false, 0, fail_the_second, &requests);
    snprintf(target, sizeof target, "http://127.0.0.1:%u/", server.port);
    struct probe_plan plan = every(target, 4 * NS_PER_S);
    assert_int_equal(prober_set_plan(fixture.prober, &plan, 1, NULL), ERR_OK);
    fixture_wait(&fixture, 4);
    server_stop(&server);
    assert_int_equal(results_of(0, target, OUTCOME_HTTP_ERROR), 1);
    assert_int_equal(results_of(0, target, OUTCOME_OK), 3);
    int64_t pause_ns = utc_diff(fixture.results[2].time, fixture.results[1].time);
    assert_true(pause_ns >= 2 * NS_PER_S && pause_ns < 3 * NS_PER_S);
    struct prober_counters counters = prober_counters(fixture.prober);
    assert_int_equal(counters.followed, 1);
    assert_int_equal(counters.traced, 0);
}

static bool hang_up(struct server *server, int fd)
{
    (void)server;
    int client = accept(fd, NULL, NULL);
    if (client >= 0)
        close(client);
    return true;
}

/* On all addresses of this machine. */
static uint16_t serve_everywhere(struct server *server)
{
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t length = sizeof own;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    assert_int_equal(listen(fd, 1024), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &length), 0);
    server_adopt(server, fd, hang_up, NULL);
    return ntohs(own.sin_port);
}

/* A thousand hosts of a hundred networks that are lost at once: what is asked out of turn stays within the
 * budget, and the time table goes on. */
static void a_thousand_lost_at_once_make_no_storm(void **state)
{
    (void)state;
    enum { TARGETS = 1000, RATE = 20 };
    static char texts[TARGETS][32];
    static struct probe_plan plan[TARGETS];
    struct server server;
    manners.follow_rate = RATE;
    prober_set_manners(fixture.prober, &manners);
    uint16_t port = serve_everywhere(&server);
    for (unsigned i = 0; i < TARGETS; i++) {
        snprintf(texts[i], sizeof texts[i], "tcp:127.1.%u.%u:%u", i % 100, 1 + i / 100, port);
        plan[i] = every(texts[i], 4 * NS_PER_S);
    }
    assert_int_equal(prober_set_plan(fixture.prober, plan, TARGETS, NULL), ERR_OK);
    fixture_wait(&fixture, TARGETS);
    size_t first = fixture.count;
    server_stop(&server);
    struct mono begin = clock_mono();
    fixture_wait(&fixture, 2 * TARGETS);
    fixture_wait(&fixture, 3 * TARGETS);
    struct prober_counters counters = prober_counters(fixture.prober);
    double seconds = (double)(clock_mono().ns - begin.ns) / (double)NS_PER_S;
    double packets = (double)(counters.followed + (FOLLOW_HEAVY_COST - 1) * counters.traced);
    assert_true(packets <= RATE * (FOLLOW_BURST_S + seconds) + 1);
    assert_true(packets >= RATE * FOLLOW_BURST_S); /* there was more to ask than that */
    assert_true(counters.followed + counters.follow_refused > TARGETS); /* not to be had */
    for (unsigned i = 0; i < TARGETS; i++)
        assert_true(results_of(first, texts[i], OUTCOME_REFUSED) >= 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(dark_host_is_known_within_seconds),
        TEST(nothing_is_followed_without_a_rate),
        TEST(neighbours_are_not_asked_while_controls_fail),
        TEST(one_bad_answer_costs_one_question),
        TEST(a_thousand_lost_at_once_make_no_storm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
