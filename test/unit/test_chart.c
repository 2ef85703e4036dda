/* Charts: what is summed up when it is committed says the same as the observations themselves. */
#include "base/hash.h"
#include "store/chart.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { TARGETS = 5, VANTAGES = 2, COUNT = 6000, BATCH = 97 };

static const struct utc begin = {INT64_C(1643000100) * NS_PER_S}; /* within a bin */

struct world {
    char folder[40], path[64];
    struct registry *registry;
    uint32_t vantages[VANTAGES], targets[TARGETS];
    struct observation list[COUNT];
};

static uint64_t roll(uint64_t turn, uint64_t limit)
{
    return hash_mix(turn * UINT64_C(0x9e3779b97f4a7c15)) % limit;
}

/* A probe a second or so, some of them late by minutes, and now and then hours of nothing. */
static void make_observations(struct world *world)
{
    static const enum outcome outcomes[] = {OUTCOME_OK, OUTCOME_OK, OUTCOME_OK, OUTCOME_TIMEOUT,
                                            OUTCOME_SELF};
    struct utc time = begin;
    for (uint64_t i = 0; i < COUNT; i++) {
        struct observation *o = &world->list[i];
        time = utc_add(time, (int64_t)roll(i, 2 * NS_PER_S));
        if (roll(i, 1000) == 0)
            time = utc_add(time, 3 * NS_PER_HOUR);
        *o = (struct observation){.seq = i + 1,
                                  .kind = OBSERVATION_PROBE,
                                  .time = utc_add(time, roll(i + 1, 50) ? 0 : -7 * NS_PER_MINUTE),
                                  .source = world->vantages[roll(i + 2, VANTAGES)],
                                  .target = world->targets[roll(i + 3, TARGETS)],
                                  .outcome = (uint8_t)outcomes[roll(i + 4, 5)],
                                  .stage = STAGE_DONE};
        if (o->outcome == OUTCOME_OK && roll(i + 5, 10))
            o->rtt_ns = 1 + (int64_t)roll(i + 6, NS_PER_S);
        if (roll(i + 7, 20) == 0)
            *o = (struct observation){.seq = i + 1, .kind = OBSERVATION_TICK, .time = time};
    }
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    strcpy(world->folder, "/tmp/lastlight-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->path, sizeof world->path, "%s/j.db", world->folder);
    world->registry = registry_new();
    for (int i = 0; i < VANTAGES; i++) {
        const char *name = i ? "sin" : "lon";
        world->vantages[i] = registry_intern(world->registry, NAME_VANTAGE, name, 3);
    }
    for (int i = 0; i < TARGETS; i++) {
        char name[32];
        snprintf(name, sizeof name, "icmp:192.0.2.%d", i + 1);
        world->targets[i] = registry_intern(world->registry, NAME_TARGET, name, strlen(name));
    }
    make_observations(world);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s%s", world->path, endings[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(world->folder), 0);
    registry_free(world->registry);
    free(world);
    return 0;
}

static struct journal *open_ok(const struct world *world, enum journal_mode mode)
{
    struct journal *journal;
    struct why why = {0};
    if (journal_open(world->path, mode, &journal, &why))
        fail_msg("%s", why.text);
    return journal;
}

static enum err commit(const struct world *world, struct journal *journal, size_t from,
                       size_t until)
{
    struct conclusions nothing = {0};
    struct journal_batch batch = {.registry = world->registry,
                                  .observations = world->list + from,
                                  .count = until - from,
                                  .conclusions = &nothing};
    return journal_commit(journal, &batch, NULL);
}

/* In batches, and by several runs of the program one after the other. */
static void fill(const struct world *world, size_t count)
{
    struct journal *journal = open_ok(world, JOURNAL_WRITE);
    for (size_t at = 0; at < count; at += BATCH) {
        if (roll(at, 8) == 0) {
            journal_close(journal);
            journal = open_ok(world, JOURNAL_WRITE);
        }
        assert_int_equal(commit(world, journal, at, at + BATCH < count ? at + BATCH : count), 0);
    }
    journal_close(journal);
}

static void run_sql(const struct world *world, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(world->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* The point as the first `count` observations have it, the plain way. */
static struct chart_point expected(const struct world *world, size_t count, uint32_t source,
                                   uint32_t target, struct utc from)
{
    struct chart_point point = {.begin = from};
    for (size_t i = 0; i < count; i++) {
        const struct observation *o = &world->list[i];
        if (o->kind != OBSERVATION_PROBE || o->target != target ||
            (source && o->source != source) || o->time.ns < from.ns ||
            o->time.ns >= from.ns + CHART_BIN_NS)
            continue;
        point.answered += o->outcome == OUTCOME_OK;
        point.failed += o->outcome == OUTCOME_TIMEOUT;
        point.ours += o->outcome == OUTCOME_SELF;
        if (!o->rtt_ns)
            continue;
        point.least_ns = !point.timed || o->rtt_ns < point.least_ns ? o->rtt_ns : point.least_ns;
        point.most_ns = o->rtt_ns > point.most_ns ? o->rtt_ns : point.most_ns;
        point.sum_ns += (double)o->rtt_ns;
        point.timed++;
    }
    return point;
}

static void assert_point(const struct chart_point *got, const struct chart_point *want)
{
    assert_int_equal(got->begin.ns, want->begin.ns);
    assert_int_equal(got->answered, want->answered);
    assert_int_equal(got->failed, want->failed);
    assert_int_equal(got->ours, want->ours);
    assert_int_equal(got->timed, want->timed);
    assert_int_equal(got->least_ns, want->least_ns);
    assert_int_equal(got->most_ns, want->most_ns);
    double difference = got->sum_ns - want->sum_ns; /* the mean is kept to the nanosecond */
    assert_true(difference > -1.0 - want->timed && difference < 1.0 + want->timed);
}

static void check_chart(const struct world *world, size_t count, uint32_t source, uint32_t target)
{
    struct journal *journal = open_ok(world, JOURNAL_READ);
    struct arena arena = {0};
    struct chart chart;
    struct why why = {0};
    struct utc from = utc_add(begin, -NS_PER_HOUR), until = utc_add(begin, 30 * NS_PER_HOUR);
    if (chart_read(journal, source, target, from, until, &arena, &chart, &why))
        fail_msg("%s", why.text);
    size_t at = 0;
    int64_t first = from.ns - from.ns % CHART_BIN_NS;
    for (int64_t bin = first; bin < until.ns; bin += CHART_BIN_NS) {
        struct chart_point want = expected(world, count, source, target, (struct utc){bin});
        if (want.answered + want.failed + want.ours == 0)
            continue;
        assert_true(at < chart.count);
        assert_point(&chart.list[at++], &want);
    }
    assert_int_equal(at, chart.count);
    arena_done(&arena);
    journal_close(journal);
}

static void check_charts(const struct world *world, size_t count)
{
    for (int i = 0; i < TARGETS; i++) {
        check_chart(world, count, 0, world->targets[i]);
        check_chart(world, count, world->vantages[i % VANTAGES], world->targets[i]);
    }
}

static void chart_says_what_was_observed(void **state)
{
    const struct world *world = *state;
    fill(world, COUNT);
    check_charts(world, COUNT);
}

static void nothing_is_a_chart_too(void **state)
{
    const struct world *world = *state;
    struct arena arena = {0};
    struct chart chart = {.count = 1};
    fill(world, 1);
    struct journal *journal = open_ok(world, JOURNAL_READ);
    struct utc later = utc_add(begin, NS_PER_DAY);
    assert_int_equal(chart_read(journal, 0, world->targets[0], later, later, &arena, &chart, NULL),
                     ERR_OK);
    assert_int_equal(chart.count, 0);
    assert_int_equal(chart_read(journal, 0, world->targets[0], later, utc_add(later, NS_PER_DAY),
                                &arena, &chart, NULL),
                     ERR_OK);
    assert_int_equal(chart.count, 0);
    assert_int_equal(chart_read(journal, 0, world->targets[0], begin,
                                utc_add(begin, 400 * NS_PER_DAY), &arena, &chart, NULL),
                     ERR_LIMIT);
    arena_done(&arena);
    journal_close(journal);
}

static void damaged_cache_costs_time_only(void **state)
{
    const struct world *world = *state;
    fill(world, COUNT);
    run_sql(world, "UPDATE chart SET checksum = checksum + 1 WHERE begin % 7 = 0");
    check_charts(world, COUNT);
    uint64_t faults = 0;
    struct journal *journal = open_ok(world, JOURNAL_READ);
    assert_int_equal(journal_check(journal, NULL, NULL, &faults, NULL), ERR_OK);
    assert_true(faults > 0);
    journal_close(journal);
}

/* Written before there were charts: it is read all the same, and summed up when it is written again. */
static void older_journal_gets_its_charts(void **state)
{
    const struct world *world = *state;
    fill(world, COUNT - 1);
    run_sql(world, "DROP TABLE chart");
    check_charts(world, COUNT - 1);
    struct journal *journal = open_ok(world, JOURNAL_WRITE);
    assert_int_equal(commit(world, journal, COUNT - 1, COUNT), ERR_OK);
    journal_close(journal);
    check_charts(world, COUNT);
}

/* What was not committed is in no chart, and what is committed again is there once. */
static void failed_commit_leaves_nothing(void **state)
{
    const struct world *world = *state;
    enum { HALF = COUNT / 2 };
    fill(world, HALF);
    struct journal *journal = open_ok(world, JOURNAL_WRITE);
    assert_int_equal(commit(world, journal, HALF, HALF + 10), ERR_OK);
    run_sql(world, "CREATE TRIGGER broken BEFORE INSERT ON block BEGIN "
                   "SELECT RAISE(ABORT, 'not now'); END");
    assert_int_not_equal(commit(world, journal, HALF + 10, COUNT), ERR_OK);
    run_sql(world, "DROP TRIGGER broken");
    assert_int_equal(commit(world, journal, HALF + 10, COUNT), ERR_OK);
    journal_close(journal);
    check_charts(world, COUNT);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(chart_says_what_was_observed),  TEST(nothing_is_a_chart_too),
        TEST(damaged_cache_costs_time_only), TEST(older_journal_gets_its_charts),
        TEST(failed_commit_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
