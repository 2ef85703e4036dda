/* source/probe/own: the vantage's clock, by NTP servers on loopback that are right, wrong, broken or rude; and its loop. */
#include "source/probe/own.h"

#include "probe_fixture.h"
#include "sys/clock.h"
#include "wire/ntp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SERVERS = 3 };
static const int64_t EPOCH_S = INT64_C(2208988800);

static struct fixture fixture;

/* How a server answers. */
struct manner {
    int64_t ahead_ns;
    const char *kiss; /* "RATE"; NULL: it tells the time */
    bool is_silent;   /* it does not answer at all */
    bool is_cut;      /* a byte is missing */
    bool is_unsure;   /* it does not know the time itself */
    bool
        is_forged; /* before the answer, one 100 s ahead to another request, and one from another port */
    uint32_t distance; /* root dispersion, 1/65536 s */
};

static int set_up(void **state)
{
    (void)state;
    fixture_start_told(&fixture);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_stop(&fixture);
    return 0;
}

static void put(uint8_t *out, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

static void put_time(uint8_t *out, int64_t utc_ns)
{
    uint64_t ns = (uint64_t)(utc_ns % NS_PER_S);
    put(out, (uint64_t)(utc_ns / NS_PER_S + EPOCH_S), 4);
    put(out + 4, (ns << 32) / (uint64_t)NS_PER_S, 4);
}

static void make(const struct manner *how, const uint8_t request[NTP_SIZE], uint8_t out[NTP_SIZE])
{
    memset(out, 0, NTP_SIZE);
    out[0] = how->kiss || how->is_unsure ? 0xe4 : 0x24;
    out[1] = how->kiss ? 0 : how->is_unsure ? 16 : 2;
    put(out + 8, how->distance, 4);
    if (how->kiss)
        memcpy(out + 12, how->kiss, 4);
    memcpy(out + 24, request + 40, 8);
    put_time(out + 32, clock_utc().ns + how->ahead_ns);
    put_time(out + 40, clock_utc().ns + how->ahead_ns);
}

static void send_forgeries(int fd, const uint8_t request[NTP_SIZE],
                           const struct sockaddr_storage *to, socklen_t length)
{
    const struct manner liar = {.ahead_ns = 100 * NS_PER_S};
    uint8_t bytes[NTP_SIZE];
    int other = socket(AF_INET, SOCK_DGRAM, 0);
    make(&liar, request, bytes);
    sendto(other, bytes, sizeof bytes, 0, (const struct sockaddr *)to, length);
    bytes[24] ^= 1;
    sendto(fd, bytes, sizeof bytes, 0, (const struct sockaddr *)to, length);
    close(other);
}

static bool answer(struct server *server, int fd)
{
    const struct manner *how = server->context;
    uint8_t request[512], reply[NTP_SIZE];
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    ssize_t n = recvfrom(fd, request, sizeof request, 0, (struct sockaddr *)&from, &length);
    if (n != NTP_SIZE || how->is_silent)
        return false;
    if (how->is_forged)
        send_forgeries(fd, request, &from, length);
    make(how, request, reply);
    sendto(fd, reply, sizeof reply - how->is_cut, 0, (struct sockaddr *)&from, length);
    return false;
}

/* Asks self:clock so often with servers of these manners; the last result. `asked` (may be NULL) gets how often the
 * first server was. */
static struct observation ask_clock(const struct manner *manners, size_t count, int rounds,
                                    int *asked)
{
    const struct probe_plan plan = {.target = "self:clock",
                                    .is_control = true,
                                    .interval_ns = 2 * NS_PER_S,
                                    .timeout_ns = NS_PER_S,
                                    .count = 1};
    struct server servers[SERVERS] = {0};
    struct observation result = {0};
    char texts[SERVERS][32];
    const char *names[SERVERS];
    for (size_t i = 0; i < count; i++) {
        server_start(&servers[i], true, 0, answer, (void *)(uintptr_t)&manners[i]);
        snprintf(texts[i], sizeof texts[i], "127.0.0.1:%u", servers[i].port);
        names[i] = texts[i];
    }
    prober_set_clocks(fixture.prober, names, count);
    for (int i = 0; i < rounds; i++)
        result = fixture_ask_plan(&fixture, &plan);
    for (size_t i = 0; i < count; i++)
        server_stop(&servers[i]);
    if (asked)
        *asked = servers[0].served;
    return result;
}

static bool is_near(int64_t ns, int64_t expected_ns)
{
    return llabs(ns - expected_ns) < 100 * NS_PER_MS;
}

static bool is_told(const char *text)
{
    return fixture.facts.size && strstr(fixture.facts.bytes, text);
}

static void right_servers_are_believed(void **state)
{
    (void)state;
    const struct manner right[SERVERS] = {
        {.is_forged = true}, {.is_forged = true}, {.ahead_ns = 0}};
    struct observation result = ask_clock(right, SERVERS, 1, NULL);
    assert_int_equal(result.outcome, OUTCOME_OK);
    assert_true(is_near(result.value, 0));
    assert_string_equal(fixture_peer(&fixture, &result), "127.0.0.1");
    assert_true(is_told("clock_offset_us"));
}

static void wrong_clock_is_told(void **state)
{
    (void)state;
    const struct manner ahead[SERVERS] = {
        {.ahead_ns = 5 * NS_PER_S}, {.ahead_ns = 5 * NS_PER_S}, {.ahead_ns = 5 * NS_PER_S}};
    struct observation result = ask_clock(ahead, SERVERS, 1, NULL);
    assert_int_equal(result.outcome, OUTCOME_SELF);
    assert_true(is_near(result.value, 5 * NS_PER_S));
    const struct manner behind[SERVERS] = {{.ahead_ns = -3600 * NS_PER_S},
                                           {.ahead_ns = -3600 * NS_PER_S},
                                           {.ahead_ns = -3600 * NS_PER_S}};
    result = ask_clock(behind, SERVERS, 1, NULL);
    assert_int_equal(result.outcome, OUTCOME_SELF);
    assert_true(is_near(result.value, -3600 * NS_PER_S));
}

/* One that is far from its source may be wrong by as much as it says, and nobody is accused. */
static void uncertain_servers_accuse_nobody(void **state)
{
    (void)state;
    const struct manner far[SERVERS] = {{.ahead_ns = NS_PER_S, .distance = 2 << 16},
                                        {.ahead_ns = NS_PER_S, .distance = 2 << 16},
                                        {.ahead_ns = NS_PER_S, .distance = 2 << 16}};
    assert_int_equal(ask_clock(far, SERVERS, 1, NULL).outcome, OUTCOME_OK);
}

static void liar_is_outvoted(void **state)
{
    (void)state;
    const struct manner mixed[SERVERS] = {
        {.ahead_ns = 0}, {.ahead_ns = 700 * NS_PER_S}, {.ahead_ns = 0}};
    struct observation result = ask_clock(mixed, SERVERS, 1, NULL);
    assert_int_equal(result.outcome, OUTCOME_OK);
    assert_true(is_near(result.value, 0));
    const struct manner all_differ[SERVERS] = {
        {.ahead_ns = 100 * NS_PER_S}, {.ahead_ns = 200 * NS_PER_S}, {.ahead_ns = 300 * NS_PER_S}};
    result = ask_clock(all_differ, SERVERS, 1, NULL);
    assert_int_not_equal(result.outcome, OUTCOME_SELF);
    assert_false(is_told("clock_offset_us"));
}

static void useless_servers_tell_nothing(void **state)
{
    (void)state;
    const struct manner useless[] = {{.is_silent = true}, {.is_cut = true}, {.is_unsure = true}};
    for (size_t i = 0; i < sizeof useless / sizeof *useless; i++) {
        struct observation result = ask_clock(&useless[i], 1, 1, NULL);
        assert_int_not_equal(result.outcome, OUTCOME_SELF);
        assert_true(result.value == 0);
        assert_false(is_told("clock_offset_us"));
        assert_true(is_told("no time"));
    }
}

/* Who sends us away is left alone; and nobody is asked twice within 15 s. */
static void servers_are_not_pestered(void **state)
{
    (void)state;
    const struct manner kisses[] = {
        {.kiss = "DENY"}, {.kiss = "RSTR"}, {.kiss = "RATE"}, {.kiss = NULL}};
    for (size_t i = 0; i < sizeof kisses / sizeof *kisses; i++) {
        int asked;
        ask_clock(&kisses[i], 1, 3, &asked);
        assert_int_equal(asked, 1);
        assert_int_equal(is_told("does not want to be asked"), i < 2);
    }
}

/* The process stands still: the loop says by how much. */
static void sleep_through(void *context)
{
    (void)context;
    poll(NULL, 0, 300);
}

static void standing_still_is_told(void **state)
{
    (void)state;
    const struct probe_plan plan = {.target = "self:loop",
                                    .is_control = true,
                                    .interval_ns = NS_PER_S,
                                    .timeout_ns = NS_PER_S,
                                    .count = 1};
    struct loop_timer *timer = loop_timer_new(fixture.loop, sleep_through, NULL);
    loop_timer_start(timer, 100 * NS_PER_MS, 0);
    fixture.count = 0;
    assert_int_equal(prober_set_plan(fixture.prober, &plan, 1, NULL), ERR_OK);
    fixture_wait(&fixture, 2);
    assert_true(fixture.results[1].value > 50 * NS_PER_MS);
    assert_true(fixture.results[1].outcome == OUTCOME_DEGRADED ||
                fixture.results[1].outcome == OUTCOME_LATE);
    loop_timer_free(timer);
}

/* Each check says something wherever this runs, and never that the world failed. */
static void checks_speak_of_us_alone(void **state)
{
    (void)state;
    static const char *const checks[] = {"self:link", "self:gateway", "self:resolver", "self:clock",
                                         "self:loop"};
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        const struct probe_plan plan = {.target = checks[i],
                                        .is_control = true,
                                        .interval_ns = 2 * NS_PER_S,
                                        .timeout_ns = NS_PER_S,
                                        .count = 1};
        enum outcome_class class = outcome_class(fixture_ask_plan(&fixture, &plan).outcome);
        assert_int_not_equal(class, OUTCOME_CLASS_BAD);
        assert_int_equal(prober_check(&plan, NULL), ERR_OK);
        struct probe_plan of_subject = plan;
        of_subject.is_control = false;
        assert_int_equal(prober_check(&of_subject, NULL), ERR_CONFIG);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(right_servers_are_believed),      TEST(wrong_clock_is_told),
        TEST(uncertain_servers_accuse_nobody), TEST(liar_is_outvoted),
        TEST(useless_servers_tell_nothing),    TEST(servers_are_not_pestered),
        TEST(standing_still_is_told),          TEST(checks_speak_of_us_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
