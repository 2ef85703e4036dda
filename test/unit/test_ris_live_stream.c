/* source/bgp/ris_live: what comes on the stream, and when that is blind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ris_world.h"
#include "sys/clock.h"

/* The request, what comes of the lines, the gap when the connection ends, and the return. */
static void it_comes_and_goes(void **state)
{
    (void)state;
    struct utc first = now_ms();
    char *lines = speech(first, NULL), *gone = withdrawal(utc_add(first, NS_PER_MS));
    struct act acts[] = {{.lines = lines}, {.lines = gone, .stays = true}};
    struct world *world = world_new(acts, 2);
    listen_to(world, "rrc00", &fast);
    await(world, 4, 2);
    assert_string_equal(world->said[0], "RIS Live (rrc00): connected");
    expect_begin(world->said[1], "RIS Live (rrc00): connection lost: the server ended it; trying "
                                 "again in ");
    assert_non_null(strstr(world->said[1], " ms; no data about routes until it is back"));
    assert_non_null(
        strstr(world->request, "GET /v1/stream/?format=json&client=lastlight-test HTTP/1.1\r\n"));
    assert_non_null(strstr(world->request, "\r\nX-RIS-Subscribe: {\"host\":\"rrc00\","
                                           "\"socketOptions\":{\"includeRaw\":true,"
                                           "\"acknowledge\":false}}\r\n"));
    assert_non_null(strstr(world->request, "\r\nUser-Agent: lastlight/test\r\n"));
    assert_string_equal(registry_text(world->registry, world->seen[0].source), "rrc00");
    assert_int_equal(world->seen[3].kind, OBSERVATION_GAP);
    assert_int_equal(world->seen[3].value, 0);
    assert_true(world->seen[3].time.ns >= first.ns && world->seen[3].time.ns <= clock_utc().ns);
    assert_string_equal(registry_text(world->registry, world->seen[3].path), "the server ended it");
    struct utc gap = world->seen[3].time;
    await(world, 7, 3);
    assert_true(world->seen[4].time.ns > gap.ns);
    assert_string_equal(told(world), "start heard announce:198.51.100.0/24 gap "
                                     "start heard withdraw:198.51.100.0/24");
    assert_string_equal(world->said[2], "RIS Live (rrc00): connected");
    struct ris_counters counters = ris_live_counters(world->live);
    assert_int_equal(counters.connections, 2);
    assert_int_equal(counters.lines, 3);
    assert_int_equal(counters.updates, 2);
    assert_int_equal(counters.unreadable + counters.bad + counters.late + counters.unasked, 0);
    ris_live_free(world->live);
    world->live = NULL;
    assert_string_equal(told(world), "gap");
    world_free(world);
    free(lines);
    free(gone);
}

/* What was told is lost on its way to the journal: a gap until the next message, and no more. */
static void told_anew(void **state)
{
    (void)state;
    char *lines = speech(now_ms(), NULL), *gone = withdrawal(now_ms());
    struct act acts[] = {{.lines = lines, .more = " ", .pause_ms = 5, .then = gone, .stays = true}};
    struct world *world = world_new(acts, 1);
    listen_to(world, NULL, &fast);
    await(world, 3, 1);
    ris_live_renew(world->live);
    ris_live_renew(world->live);
    assert_string_equal(registry_text(world->registry, world->seen[3].path),
                        "what it told was lost here");
    assert_string_equal(told(world), "start heard announce:198.51.100.0/24 gap");
    go_on(world);
    await(world, 3, 1);
    assert_string_equal(told(world), "start heard withdraw:198.51.100.0/24");
    assert_int_equal(ris_live_counters(world->live).connections, 1);
    assert_int_equal(asked(world), 1);
    world_free(world);
    free(lines);
    free(gone);
}

/* In pieces of any size it is the same; CRLF is an end of line, too, and empty lines are nothing. */
static void split_anywhere(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 6; piece++) {
        char *one = speech(now_ms(), NULL), *two = withdrawal(now_ms());
        struct buffer lines = {0};
        buffer_printf(&lines, "\n\r\n%.*s\r\n\r\n%s", (int)strlen(one) - 1, one, two);
        struct act acts[] = {{.lines = lines.bytes, .piece = piece, .stays = true}};
        struct world *world = world_new(acts, 1);
        listen_to(world, NULL, &fast);
        await(world, 4, 1);
        assert_string_equal(told(world), "start heard announce:198.51.100.0/24 "
                                         "withdraw:198.51.100.0/24");
        assert_non_null(
            strstr(world->request, "\r\nX-RIS-Subscribe: {\"socketOptions\":{\"includeRaw\":true"));
        assert_int_equal(ris_live_counters(world->live).lines, 3);
        assert_int_equal(ris_live_counters(world->live).unreadable, 0);
        world_free(world);
        buffer_done(&lines);
        free(one);
        free(two);
    }
}

/* What ends a connection, for what comes on it. */
static void unusable(void **state)
{
    (void)state;
    struct buffer endless = {0}, garbage = {0}, no_raw = {0}, error = {0};
    struct ris_about about = {.time = now_ms(), .is_without_raw = true};
    for (int i = 0; i < 9000; i++)
        buffer_puts(&endless,
                    "{\"type\":\"ris_message\",\"data\":{\"timestamp\":1,\"peer\":\"1234567"
                    "89012345678901234567890123456789012345678901234567890123456\",");
    for (int i = 0; i < RIS_UNREADABLE_MAX; i++)
        buffer_puts(&garbage, "<p>This is the page of somebody else.</p>\n");
    ris_update(&no_raw, &about, NULL, "65001 4837", "198.51.100.0/24");
    buffer_puts(&error, "{\"type\":\"ris_error\",\"data\":{\"message\":\"client too slow\"}}\n");
    const struct {
        const char *lines, *reason;
    } cases[] = {
        {endless.bytes, "it sends a line of more than 1048576 bytes;"},
        {garbage.bytes, "this is not RIS Live: 16 lines in a row that cannot be read (it is not "
                        "JSON);"},
        {no_raw.bytes, "it tells UPDATEs without their raw bytes, which are what counts;"},
        {error.bytes, "the server tells an error: client too slow;"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[200], *good = speech(now_ms(), NULL);
        struct buffer both = {0};
        buffer_printf(&both, "%s%s", good, cases[i].lines);
        struct act acts[] = {{.lines = both.bytes, .stays = true}, {.lines = good, .stays = true}};
        struct world *world = world_new(acts, 2);
        listen_to(world, NULL, &fast);
        await(world, 7, 3 + (i == 1));
        assert_string_equal(told(world), "start heard announce:198.51.100.0/24 gap "
                                         "start heard announce:198.51.100.0/24");
        snprintf(expected, sizeof expected, "RIS Live: connection lost: %s", cases[i].reason);
        expect_begin(world->said[1 + (i == 1)], expected);
        struct ris_counters counters = ris_live_counters(world->live);
        assert_int_equal(counters.unreadable, i == 1 ? RIS_UNREADABLE_MAX : 0);
        assert_int_equal(counters.no_raw, i == 2);
        world_free(world);
        buffer_done(&both);
        free(good);
    }
    buffer_done(&endless);
    buffer_done(&garbage);
    buffer_done(&no_raw);
    buffer_done(&error);
}

/* A line that cannot be read, and an UPDATE that cannot be decoded, are counted, told once, and no
 * reason to hang up. */
static void bad_lines(void **state)
{
    (void)state;
    struct buffer lines = {0};
    struct ris_about about = {.time = now_ms()};
    char *good = speech(now_ms(), NULL);
    buffer_puts(&lines, good);
    for (int i = 0; i < 2 * RIS_UNREADABLE_MAX; i++) {
        buffer_puts(&lines, "{\"type\":\"ris_message\",\"data\":{\"host\":\"\"}}\n");
        ris_bytes(&lines, &about, "\0\x09\0\0", 4);
    }
    ris_update(&lines, &about, "198.51.100.0/24", NULL, NULL);
    struct act acts[] = {{.lines = lines.bytes, .stays = true}};
    struct world *world = world_new(acts, 1);
    listen_to(world, NULL, &fast);
    await(world, 4, 3);
    assert_string_equal(told(world),
                        "start heard announce:198.51.100.0/24 withdraw:198.51.100.0/24");
    assert_int_equal(world->said_count, 3);
    assert_string_equal(world->said[1], "RIS Live: line 3 cannot be read (it names no collector); "
                                        "those that follow are only counted");
    expect_begin(world->said[2], "collector rrc00 (RIS Live) tells an UPDATE that is damaged (");
    struct ris_counters counters = ris_live_counters(world->live);
    assert_int_equal(counters.unreadable, 2 * RIS_UNREADABLE_MAX);
    assert_int_equal(counters.bad, 2 * RIS_UNREADABLE_MAX);
    assert_int_equal(counters.connections, 1);
    world_free(world);
    buffer_done(&lines);
    free(good);
}

/* Of a stream of all, one collector falls silent, while the other goes on; then it is back. */
static void one_of_two_is_silent(void **state)
{
    (void)state;
    char *one = speech(now_ms(), "rrc00.ripe.net"), *other = speech(now_ms(), "rrc01.ripe.net");
    struct buffer both = {0}, keep = {0};
    struct ris_about about = {.time = now_ms(), .host = "rrc01"};
    buffer_printf(&both, "%s%s", one, other);
    ris_keepalive(&keep, &about);
    struct act acts[] = {
        {.lines = both.bytes, .more = keep.bytes, .pause_ms = 20, .then = one, .stays = true}};
    struct world *world = world_new(acts, 1);
    struct ris_pace pace = fast;
    pace.quiet_ns = NS_PER_S; /* the other one is never held up so long */
    listen_to(world, NULL, &pace);
    await(world, 7, 2);
    assert_string_equal(registry_text(world->registry, world->seen[0].source), "rrc00");
    assert_string_equal(registry_text(world->registry, world->seen[3].source), "rrc01");
    assert_string_equal(registry_text(world->registry, world->seen[6].source), "rrc00");
    assert_string_equal(told(world), "start heard announce:198.51.100.0/24 "
                                     "start heard announce:198.51.100.0/24 gap");
    expect_begin(world->said[1], "collector rrc00 (RIS Live): no message for ");
    go_on(world);
    await(world, 3, 3);
    assert_string_equal(told(world), "start heard announce:198.51.100.0/24");
    assert_string_equal(world->said[2], "collector rrc00 (RIS Live) is back");
    assert_int_equal(ris_live_counters(world->live).connections, 1);
    world_free(world);
    free(one);
    free(other);
    buffer_done(&both);
    buffer_done(&keep);
}

/* Who is behind is blind; the one beside is not. It is back when what it sends is fresh. */
static void behind(void **state)
{
    (void)state;
    struct utc now = now_ms();
    struct buffer lines = {0};
    struct ris_about late = {.time = utc_add(now, -2 * NS_PER_MINUTE)}, fresh = {.host = "rrc01"};
    ris_update(&lines, &late, NULL, "65001 4837", "198.51.100.0/24");
    late.time = utc_add(now, -30 * NS_PER_S);
    ris_update(&lines, &late, "198.51.100.0/24", NULL, NULL);
    fresh.time = now;
    ris_keepalive(&lines, &fresh);
    late.time = utc_add(now, -5 * NS_PER_S);
    ris_update(&lines, &late, NULL, "65001 4837", "198.51.100.0/24");
    struct act acts[] = {{.lines = lines.bytes, .stays = true}};
    struct world *world = world_new(acts, 1);
    listen_to(world, NULL, &fast);
    await(world, 5, 3);
    assert_string_equal(told(world), "start heard start heard announce:198.51.100.0/24");
    expect_begin(world->said[1], "collector rrc00 (RIS Live): what it sends is 2 min");
    assert_non_null(strstr(world->said[1], "old, or the clock here is wrong; no data about its "
                                           "routes until that is over"));
    assert_string_equal(world->said[2], "collector rrc00 (RIS Live) is back");
    assert_int_equal(ris_live_counters(world->live).behind, 2);
    world_free(world);
    buffer_done(&lines);
}

/* What it sends gets older and older, though it does not cease: the gap is from the newest on. */
static void falls_behind(void **state)
{
    (void)state;
    struct utc stamp = now_ms();
    char *lines = speech(stamp, NULL), *gone = withdrawal(utc_add(stamp, -NS_PER_MS));
    struct act acts[] = {{.lines = lines, .more = gone, .pause_ms = 20}};
    struct world *world = world_new(acts, 1);
    struct ris_pace pace = fast;
    pace.behind_ns = 300 * NS_PER_MS;
    listen_to(world, NULL, &pace);
    struct utc begun = clock_utc();
    await(world, 0, 2);
    size_t gap = 0; /* what came with the same bytes may be told behind it */
    while (gap < world->seen_count && world->seen[gap].kind != OBSERVATION_GAP)
        gap++;
    assert_true(gap < world->seen_count);
    assert_true(world->seen[gap].time.ns < begun.ns);
    assert_true(utc_diff(clock_utc(), stamp) > pace.behind_ns);
    expect_begin(world->said[1], "collector rrc00 (RIS Live): what it sends is ");
    world_free(world);
    free(lines);
    free(gone);
}

/* Only who was asked for, whatever the server sends. */
static void not_asked_for(void **state)
{
    (void)state;
    char *one = speech(now_ms(), "rrc01.ripe.net"), *other = speech(now_ms(), "rrc00.ripe.net");
    struct buffer both = {0};
    buffer_printf(&both, "%s%s", one, other);
    struct act acts[] = {{.lines = both.bytes, .stays = true}};
    struct world *world = world_new(acts, 1);
    listen_to(world, "rrc00.ripe.net", &fast);
    await(world, 3, 1);
    assert_string_equal(registry_text(world->registry, world->seen[0].source), "rrc00");
    assert_int_equal(ris_live_counters(world->live).unasked, 2);
    world_free(world);
    buffer_done(&both);
    free(one);
    free(other);
}

static void too_many_collectors(void **state)
{
    (void)state;
    struct buffer lines = {0};
    char host[20];
    for (int i = 0; i < RIS_COLLECTORS_MAX + 3; i++) {
        struct ris_about about = {.time = now_ms(), .host = host};
        snprintf(host, sizeof host, "c%02d", i);
        ris_keepalive(&lines, &about);
    }
    struct act acts[] = {{.lines = lines.bytes, .stays = true}};
    struct world *world = world_new(acts, 1);
    listen_to(world, NULL, &fast);
    await(world, 2 * RIS_COLLECTORS_MAX, 1);
    pass(world, 100 * NS_PER_MS);
    assert_int_equal(world->seen_count, 2 * RIS_COLLECTORS_MAX);
    assert_int_equal(ris_live_counters(world->live).unasked, 3);
    world_free(world);
    buffer_done(&lines);
}

static void options(void **state)
{
    static const char *const hosts[RIS_HOSTS_MAX + 1] = {"rrc00", "rrc00.ripe.net"};
    static const char *const odd[] = {"rrc 00"};
    static const struct {
        struct ris_options options;
        const char *why;
    } cases[] = {
        {{.url = "ftp://a.example/", .client = "a"},
         "RIS Live cannot be at ftp://a.example/: only http and https can be streamed"},
        {{.url = "a b", .client = "a"}, "RIS Live cannot be at a b: it is no URL"},
        {{.client = "a&b"},
         "RIS Live cannot be asked by the name 'a&b': letters, digits, '-', "
         "'.' and '_', at most 64"},
        {{.client = "a", .hosts = hosts, .host_count = RIS_HOSTS_MAX + 1},
         "RIS Live can be asked for 32 collectors by name, not for 33; leave the names out for all "
         "that there are"},
        {{.client = "a", .hosts = hosts, .host_count = 2},
         "collector rrc00.ripe.net is named twice"},
        {{.client = "a", .hosts = odd, .host_count = 1}, "a collector cannot be called 'rrc 00'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct why why;
        struct sink sink = {0};
        assert_null(ris_live_new(NULL, &cases[i].options, &sink, &why));
        assert_string_equal(why.text, cases[i].why);
        assert_int_equal(why.err, ERR_CONFIG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_and_goes),
        cmocka_unit_test(told_anew),
        cmocka_unit_test(split_anywhere),
        cmocka_unit_test(unusable),
        cmocka_unit_test(bad_lines),
        cmocka_unit_test(one_of_two_is_silent),
        cmocka_unit_test(behind),
        cmocka_unit_test(falls_behind),
        cmocka_unit_test(not_asked_for),
        cmocka_unit_test(too_many_collectors),
        cmocka_unit_test(options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
