/* The prober, whom it asks: of a name the addresses that are wanted. And its manners: what is excluded or of a private network is not asked, whatever names it, and what
 * would be too much waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "probe_fixture.h"
#include "source/probe/judge.h"
#include "sys/route.h"

#include <netdb.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_NS (300 * NS_PER_MS)

static struct fixture fixture;
static struct manners_options manners;

static int set_up(void **state)
{
    (void)state;
    fixture_start(&fixture);
    manners = (struct manners_options){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_stop(&fixture);
    prefix_set_done(&manners.excluded);
    prefix_set_done(&manners.allowed);
    return 0;
}

static void add(struct prefix_set *set, const char *text)
{
    struct prefix prefix;
    assert_true(prefix_parse(text, strlen(text), &prefix));
    prefix_set_add(set, &prefix);
    prefix_set_seal(set);
}

static bool serve_page(struct server *server, int fd)
{
    (void)server;
    read_request(fd);
    write_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    return true;
}

/* What a page of the host "localhost" comes to; the name leads to loopback addresses. */
static const char *ask_localhost(int *served)
{
    struct server server;
    char target[80];
    server_start(&server, false, 0, serve_page, NULL);
    snprintf(target, sizeof target, "http://localhost:%u/", server.port);
    struct observation result = fixture_ask(&fixture, target, TIMEOUT_NS, 0);
    server_stop(&server);
    *served = server.served;
    if (!server.served)
        assert_int_equal(result.stage, STAGE_RESOLVE);
    return outcome_name((enum outcome)result.outcome);
}

static void name_of_a_private_network_is_not_asked(void **state)
{
    (void)state;
    int served;
    assert_string_equal(ask_localhost(&served), "ok"); /* no manners */
    prober_set_manners(fixture.prober, &manners);
    assert_string_equal(ask_localhost(&served), "reserved-address");
    assert_int_equal(served, 0);
    add(&manners.allowed, "127.0.0.0/8");
    add(&manners.allowed, "::1/128");
    prober_set_manners(fixture.prober, &manners);
    assert_string_equal(ask_localhost(&served), "ok");
}

/* It is nobody's failure. */
static void excluded_name_is_not_asked(void **state)
{
    (void)state;
    int served;
    add(&manners.allowed, "127.0.0.0/8");
    add(&manners.excluded, "127.0.0.1/32");
    add(&manners.excluded, "::1/128");
    prober_set_manners(fixture.prober, &manners);
    const char *outcome = ask_localhost(&served);
    assert_string_equal(outcome, "reserved-address"); /* it is that as well, and that is news */
    assert_int_equal(served, 0);
}

static void forbidden_lookups_are_judged(void **state)
{
    (void)state;
    struct lookup_result result = {.status = LOOKUP_FORBIDDEN,
                                   .addrs = {{.family = 4, .bytes = {203, 0, 112, 9}}}};
    assert_int_equal(judge_lookup(&result), OUTCOME_NONE); /* excluded: not asked */
    result.addrs[0].bytes[0] = 10;
    assert_int_equal(judge_lookup(&result), OUTCOME_RESERVED_ADDRESS);
}

static void excluded_address_is_refused(void **state)
{
    (void)state;
    struct why why;
    struct probe_plan plan = {
        .target = "tcp:127.0.0.9:1", .interval_ns = NS_PER_S, .timeout_ns = TIMEOUT_NS, .count = 1};
    add(&manners.excluded, "127.0.0.8/31");
    prober_set_manners(fixture.prober, &manners);
    assert_int_equal(prober_set_plan(fixture.prober, &plan, 1, &why), ERR_CONFIG);
    assert_string_equal(why.text, "target 'tcp:127.0.0.9:1' is excluded");
    plan.target = "tcp:127.0.0.10:1"; /* private, but named */
    assert_int_equal(prober_set_plan(fixture.prober, &plan, 1, &why), ERR_OK);
    fixture_wait(&fixture, 1);
    assert_string_equal(outcome_name((enum outcome)fixture.results[0].outcome), "refused");
}

/* How many addresses of the family "localhost" has by the hosts file that we can reach. */
static int addresses_of_localhost(int family)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM}, *list = NULL;
    int count = 0;
    if (getaddrinfo("localhost", NULL, &hints, &list))
        return 0;
    for (struct addrinfo *at = list; at; at = at->ai_next) {
        struct addr addr = net_addr(at->ai_addr);
        count += route_to(&addr) != ROUTE_NONE;
    }
    freeaddrinfo(list);
    return count;
}

/* A server that only 127.0.0.1 has; ::1, where there is one, refuses. */
static void all_addresses_are_asked(void **state)
{
    (void)state;
    struct server server;
    char target[80];
    int of_4 = addresses_of_localhost(AF_INET), of_6 = addresses_of_localhost(AF_INET6);
    assert_int_equal(of_4, 1);
    server_start(&server, false, 0, serve_page, NULL);
    snprintf(target, sizeof target, "http://localhost:%u/", server.port);
    struct probe_plan plan = {.target = target,
                              .interval_ns = NS_PER_MINUTE,
                              .timeout_ns = TIMEOUT_NS,
                              .count = 1,
                              .all_addresses = true};
    struct observation result = fixture_ask_plan(&fixture, &plan);
    assert_string_equal(outcome_name((enum outcome)result.outcome), of_6 ? "degraded" : "ok");
    assert_string_equal(fixture_peer(&fixture, &result), of_6 ? "::1" : "127.0.0.1");
    const char *facts = registry_text(fixture.registry, result.extra);
    assert_non_null(strstr(facts, "\"127.0.0.1 ok\""));
    assert_true(!of_6 || strstr(facts, "\"::1 refused\""));
    plan.family = 4;
    result = fixture_ask_plan(&fixture, &plan);
    assert_string_equal(outcome_name((enum outcome)result.outcome), "ok");
    plan.all_addresses = false;
    result = fixture_ask_plan(&fixture, &plan);
    assert_string_equal(outcome_name((enum outcome)result.outcome), "ok");
    plan.family = 6;
    result = fixture_ask_plan(&fixture, &plan);
    assert_string_equal(outcome_name((enum outcome)result.outcome),
                        of_6 ? "refused" : "no-address");
    server_stop(&server);
}

/* A name that leads nowhere is not asked at all. */
static void name_without_address_is_told(void **state)
{
    (void)state;
    struct probe_plan plan = {.target = "http://nothing.invalid/",
                              .interval_ns = NS_PER_MINUTE,
                              .timeout_ns = TIMEOUT_NS,
                              .count = 1,
                              .all_addresses = true};
    struct observation result = fixture_ask_plan(&fixture, &plan);
    assert_int_equal(result.stage, STAGE_RESOLVE);
    assert_int_not_equal(result.outcome, OUTCOME_OK);
}

static void questions_beyond_the_rate_wait(void **state)
{
    (void)state;
    enum { TARGETS = 60 };
    static char texts[TARGETS][32];
    struct probe_plan plan[TARGETS];
    for (int i = 0; i < TARGETS; i++) {
        snprintf(texts[i], sizeof texts[i], "tcp:127.0.%d.1:1", i);
        plan[i] = (struct probe_plan){
            .target = texts[i], .interval_ns = NS_PER_MINUTE, .timeout_ns = TIMEOUT_NS, .count = 1};
    }
    manners.rate = 40;
    prober_set_manners(fixture.prober, &manners);
    assert_int_equal(prober_set_plan(fixture.prober, plan, TARGETS, NULL), ERR_OK);
    fixture_wait(&fixture, TARGETS);
    int64_t took_ns = utc_diff(fixture.results[TARGETS - 1].time, fixture.results[0].time);
    /* Forty at once, then one every 25 ms: the last one is half a second later. */
    assert_in_range(took_ns, 450 * NS_PER_MS, 5 * NS_PER_S);
    assert_true(prober_counters(fixture.prober).held >= TARGETS - 41);
    assert_int_equal(prober_counters(fixture.prober).missed, 0);
}

/* A name that is asked at each of its addresses counts for each: the second name waits the longer. */
static void every_address_counts(void **state)
{
    (void)state;
    struct manners *counted;
    struct addr addr;
    struct mono now = {NS_PER_MINUTE};
    manners.rate = 10;
    counted = manners_new(&manners);
    assert_true(addr_parse("192.0.2.1", 9, &addr));
    for (int i = 0; i < 20; i++)
        manners_count(counted, &addr, now);
    assert_in_range(manners_wait_ns(counted, 1, now), 1000 * NS_PER_MS, 1200 * NS_PER_MS);
    now.ns += 1200 * NS_PER_MS;
    assert_int_equal(manners_wait_ns(counted, 1, now), 0);
    manners_free(counted);
    manners_count(NULL, &addr, now);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(name_of_a_private_network_is_not_asked),
        TEST(excluded_name_is_not_asked),
        cmocka_unit_test(forbidden_lookups_are_judged),
        TEST(excluded_address_is_refused),
        TEST(all_addresses_are_asked),
        TEST(name_without_address_is_told),
        TEST(questions_beyond_the_rate_wait),
        TEST(every_address_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
