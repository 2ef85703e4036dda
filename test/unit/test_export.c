/* The observation log of a journal: sorted within the lateness bound, and the same bytes again
 * after a replay into another journal, however late and out of order the first one was filled. */
#include "base/hash.h"
#include "base/mem.h"
#include "out/out.h"
#include "source/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A journal of its own in a new folder. */
struct place {
    char folder[64], path[96];
    struct journal *journal;
    struct registry *registry;
    uint64_t seq;
};

static void place_open(struct place *place)
{
    struct why why;
    *place = (struct place){.registry = registry_new()};
    strcpy(place->folder, "/tmp/lastlight-test-export-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof place->path, "%s/log.db", place->folder);
    if (journal_open(place->path, JOURNAL_WRITE, &place->journal, &why))
        fail_msg("%s", why.text);
}

static void place_close(struct place *place)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock", "-lock"};
    char path[128];
    journal_close(place->journal);
    registry_free(place->registry);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        snprintf(path, sizeof path, "%s%s", place->path, endings[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(place->folder), 0);
}

/* Commits in batches of some hundred. */
static void fill(struct place *place, struct observation *list, size_t count)
{
    struct conclusions none = {0};
    struct why why;
    for (size_t at = 0; at < count;) {
        size_t n = count - at < 700 ? count - at : 700;
        for (size_t i = 0; i < n; i++)
            list[at + i].seq = ++place->seq;
        struct journal_batch batch = {.registry = place->registry,
                                      .observations = list + at,
                                      .count = n,
                                      .conclusions = &none};
        if (journal_commit(place->journal, &batch, &why))
            fail_msg("%s", why.text);
        at += n;
    }
}

static enum err collect(void *context, const void *bytes, size_t n)
{
    assert_int_equal(((const char *)bytes)[n - 1], '\n');
    buffer_add(context, bytes, n);
    return ERR_OK;
}

static struct buffer export(struct place *place)
{
    struct buffer log = {0};
    struct why why;
    buffer_puts(&log, "");
    if (out_log(place->journal, collect, &log, &why))
        fail_msg("%s", why.text);
    return log;
}

/* What a replay of the log puts into a journal, in its order. */
static size_t read_log(struct place *place, const struct buffer *log, struct observation *list)
{
    struct stream_faults faults = {0};
    struct input *input;
    struct why why;
    size_t count = 0;
    assert_int_equal(input_open("/dev/null", &input, &why), ERR_OK);
    struct stream *stream = log_stream_new(input, log->bytes, log->size, place->registry, &faults);
    while (stream->next(stream, &list[count], &why) == 1)
        count++;
    stream->close(stream);
    assert_int_equal(faults.bad, 0);
    return count;
}

static uint32_t intern(struct place *place, enum name_kind kind, const char *text)
{
    return registry_intern(place->registry, kind, text, strlen(text));
}

static const int64_t start_ns = INT64_C(1643144400) * NS_PER_S;

/* A probe that can be told from all others by its rtt. */
static struct observation probe(struct place *place, int64_t at_ns, int64_t mark)
{
    return (struct observation){.kind = OBSERVATION_PROBE,
                                .time = {start_ns + at_ns},
                                .source = intern(place, NAME_VANTAGE, "lon"),
                                .target = intern(place, NAME_TARGET, "icmp:192.0.2.1"),
                                .outcome = OUTCOME_OK,
                                .stage = STAGE_DONE,
                                .rtt_ns = mark};
}

/* The marks of the probes of a log, in order. */
static size_t marks_of(const struct buffer *log, long long *marks)
{
    size_t n = 0;
    double ms;
    for (const char *at = log->bytes; (at = strstr(at, "\"rtt_ms\":")); at++)
        if (sscanf(at, "\"rtt_ms\":%lf", &ms) == 1)
            marks[n++] = (long long)(ms * 1e6 + 0.5);
    return n;
}

static void check_order(const int64_t (*probes)[2], size_t count, const long long *expected)
{
    struct place place;
    struct observation list[16];
    long long marks[16];
    place_open(&place);
    for (size_t i = 0; i < count; i++)
        list[i] = probe(&place, probes[i][0] * NS_PER_S, probes[i][1]);
    fill(&place, list, count);
    struct buffer log = export(&place);
    assert_int_equal(marks_of(&log, marks), count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(marks[i], expected[i]);
    buffer_done(&log);
    place_close(&place);
}

static void test_sorted_within_the_bound(void **state)
{
    (void)state;
    static const int64_t probes[][2] = {{30, 1}, {20, 2}, {30, 3}, {15, 4}, {31, 5}, {30, 6}};
    static const long long expected[] = {4, 2, 1, 3, 6, 5};
    check_order(probes, 6, expected);
}

/* The third is 16 s late: it stays behind the newest that was there. */
static void test_too_late_stays_late(void **state)
{
    (void)state;
    static const int64_t probes[][2] = {{30, 1}, {40, 2}, {24, 3}, {35, 4}, {40, 5}, {50, 6}};
    static const long long expected[] = {1, 4, 2, 3, 5, 6};
    check_order(probes, 6, expected);
}

static void test_empty_journal(void **state)
{
    (void)state;
    struct place place;
    place_open(&place);
    struct buffer log = export(&place);
    assert_string_equal(log.bytes, "");
    buffer_done(&log);
    place_close(&place);
}

static size_t add_subject(struct place *place, int64_t at_ns, const char *name,
                          struct observation *list)
{
    uint32_t subject = intern(place, NAME_SUBJECT, name);
    struct utc time = {start_ns + at_ns};
    list[0] = (struct observation){.kind = OBSERVATION_SUBJECT,
                                   .time = time,
                                   .target = subject,
                                   .path = intern(place, NAME_TEXT, "a title"),
                                   .extra = intern(place, NAME_TEXT, "{\"subject\":{\"x\":1}}"),
                                   .value = -5400};
    uint32_t members[] = {intern(place, NAME_TARGET, "icmp:192.0.2.1"),
                          intern(place, NAME_PREFIX, "192.0.2.0/24"),
                          intern(place, NAME_TARGET, "tls:a.example:443"),
                          intern(place, NAME_ASN, "64500"),
                          intern(place, NAME_ZONE, "example."),
                          intern(place, NAME_COUNTRY, "KP")};
    for (size_t i = 0; i < 6; i++)
        list[i + 1] = (struct observation){.kind = OBSERVATION_MEMBER,
                                           .time = time,
                                           .target = members[i],
                                           .peer = subject,
                                           .value = i == 2 ? 30 * NS_PER_S : 0};
    return 7;
}

static void test_members_go_into_their_subject(void **state)
{
    (void)state;
    struct place place;
    struct observation list[16];
    place_open(&place);
    size_t n = add_subject(&place, 0, "a", list);
    n += add_subject(&place, 0, "b", list + n);
    list[n++] = (struct observation){.kind = OBSERVATION_TICK, .time = {start_ns}};
    fill(&place, list, n);
    struct buffer log = export(&place);
    static const char members[] =
        "\"title\":\"a title\",\"timezone\":\"-01:30\",\"zones\":[\"example.\"],"
        "\"prefixes\":[\"192.0.2.0/24\"],\"asns\":[64500],\"countries\":[\"KP\"],"
        "\"targets\":[\"icmp:192.0.2.1\",{\"target\":\"tls:a.example:443\",\"interval\":\"30s\"}],"
        "\"x\":1}}\n";
    struct buffer expected = {0};
    for (const char *name = "ab"; *name; name++)
        buffer_printf(&expected,
                      "{\"type\":\"meta\",\"version\":1,\"time\":\"2022-01-25T21:00:00Z\","
                      "\"subject\":{\"name\":\"%c\",%s",
                      *name, members);
    buffer_puts(&expected, "{\"type\":\"tick\",\"time\":\"2022-01-25T21:00:00Z\"}\n");
    assert_string_equal(log.bytes, expected.bytes);
    buffer_done(&log);
    buffer_done(&expected);
    place_close(&place);
}

/* Arrivals that move on by a tenth of a second, most of them early or late by some seconds, some by
 * far more than the bound; subjects among them. */
static size_t arrive(struct place *place, uint64_t seed, struct observation *list, size_t room)
{
    size_t n = 0;
    for (int64_t i = 0; n + 6 < room; i++) {
        uint64_t dice = hash_mix(seed * 1000003 + (uint64_t)i);
        int64_t at_ns = i * (NS_PER_S / 10);
        if (dice % 97 == 0) {
            n += add_subject(place, at_ns, dice % 2 ? "a" : "b", list + n);
            continue;
        }
        if (dice % 5 == 0)
            at_ns -= (int64_t)(dice >> 8) % (14 * NS_PER_S) / NS_PER_S * NS_PER_S;
        if (dice % 53 == 1)
            at_ns -= (int64_t)(dice >> 8) % (100 * NS_PER_S);
        if (dice % 211 == 2)
            at_ns += 40 * NS_PER_S;
        list[n++] = probe(place, at_ns + 200 * NS_PER_S, i + 1);
    }
    return n;
}

static void test_export_replay_export(void **state)
{
    (void)state;
    enum { ROOM = 3000 };
    struct observation *list = mem_new(ROOM + 1, sizeof *list);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct place first, second;
        place_open(&first);
        place_open(&second);
        size_t n = arrive(&first, seed, list, ROOM);
        fill(&first, list, n);
        struct buffer log = export(&first);
        size_t again = read_log(&second, &log, list);
        assert_int_equal(again, n);
        fill(&second, list, again);
        struct buffer second_log = export(&second);
        if (log.size != second_log.size || memcmp(log.bytes, second_log.bytes, log.size) != 0)
            fail_msg("seed %llu: the second export differs", (unsigned long long)seed);
        buffer_done(&log);
        buffer_done(&second_log);
        place_close(&first);
        place_close(&second);
    }
    free(list);
}

static enum err refuse(void *context, const void *bytes, size_t n)
{
    (void)bytes;
    (void)n;
    ++*(int *)context;
    return ERR_FULL;
}

static void test_a_full_disk_ends_the_export(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    struct place place;
    struct why why;
    struct observation *list = mem_new(MANY, sizeof *list);
    int calls = 0;
    place_open(&place);
    for (int i = 0; i < MANY; i++)
        list[i] = probe(&place, i * NS_PER_S, i + 1);
    fill(&place, list, MANY);
    assert_int_equal(out_log(place.journal, refuse, &calls, &why), ERR_FULL);
    assert_int_equal(calls, 1);
    assert_string_equal(why.text, "the observation log could not be written: no space left");
    free(list);
    place_close(&place);
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* All that can be read is written, and what is missing is said. */
static void test_damage_is_said(void **state)
{
    (void)state;
    enum { MANY = 2000 };
    struct place place;
    struct why why;
    struct buffer log = {0};
    struct observation *list = mem_new(MANY, sizeof *list);
    place_open(&place);
    for (int i = 0; i < MANY; i++)
        list[i] = probe(&place, i * NS_PER_S, i + 1);
    fill(&place, list, MANY);
    run_sql(place.path, "UPDATE block SET checksum = 5 WHERE number = 2");
    assert_int_equal(out_log(place.journal, collect, &log, &why), ERR_CORRUPT);
    assert_non_null(strstr(why.text, "700 observations are missing"));
    assert_non_null(strstr(why.text, place.path));
    size_t lines = 0;
    for (size_t i = 0; i < log.size; i++)
        lines += log.bytes[i] == '\n';
    assert_int_equal(lines, MANY - 700);
    buffer_done(&log);
    free(list);
    place_close(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sorted_within_the_bound),
        cmocka_unit_test(test_too_late_stays_late),
        cmocka_unit_test(test_empty_journal),
        cmocka_unit_test(test_members_go_into_their_subject),
        cmocka_unit_test(test_export_replay_export),
        cmocka_unit_test(test_a_full_disk_ends_the_export),
        cmocka_unit_test(test_damage_is_said),
    };
    return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}
