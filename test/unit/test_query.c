/* What the core concludes comes back from the journal exactly: every member, every digit. */
#include "base/hash.h"
#include "store/query.h"

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

/* The same numbers on every machine. */
struct dice {
    uint64_t seed, turn;
};

static uint64_t roll(struct dice *dice, uint64_t limit)
{
    return hash_mix(dice->seed + ++dice->turn * UINT64_C(0x9e3779b97f4a7c15)) % limit;
}

static uint32_t number(struct dice *dice)
{
    return roll(dice, 3) ? (uint32_t)roll(dice, UINT32_MAX) : 0;
}

static uint16_t short_number(struct dice *dice)
{
    return (uint16_t)roll(dice, UINT16_MAX);
}

static uint8_t one_of(struct dice *dice, uint64_t count)
{
    return (uint8_t)roll(dice, count);
}

static struct utc moment(struct dice *dice)
{
    return (struct utc){roll(dice, 4) ? (int64_t)roll(dice, INT64_MAX) : 0};
}

static struct interval span(struct dice *dice)
{
    return (struct interval){moment(dice), moment(dice)};
}

static double real(struct dice *dice)
{
    return roll(dice, 5) ? (double)roll(dice, INT64_MAX) / 3e17 - 7 : 0;
}

static struct event any_event(struct dice *dice, uint32_t id, uint32_t incident)
{
    return (struct event){.id = id,
                          .incident = incident,
                          .subject = number(dice),
                          .source = number(dice),
                          .target = number(dice),
                          .layer = one_of(dice, LAYER_COUNT),
                          .from = one_of(dice, CONDITION_DOWN + 1),
                          .to = one_of(dice, CONDITION_DOWN + 1),
                          .outcome = one_of(dice, OUTCOME_COUNT),
                          .stage = one_of(dice, STAGE_COUNT),
                          .at = span(dice),
                          .size = real(dice),
                          .certainty = real(dice)};
}

static struct incident any_incident(struct dice *dice, uint32_t id, uint32_t revision)
{
    struct incident incident = {.id = id,
                                .revision = revision,
                                .subject = id % 2 + 1,
                                .episodes = short_number(dice),
                                .is_open = one_of(dice, 2),
                                .first_layer = one_of(dice, LAYER_COUNT + 1),
                                .first_target = number(dice),
                                .vantages = number(dice),
                                .judged = moment(dice),
                                .began = span(dice),
                                .ended = span(dice),
                                .depth = real(dice)};
    for (size_t i = 0; i < LAYER_COUNT; i++) {
        if (roll(dice, 2))
            continue; /* nothing happened there */
        incident.layers[i] = (struct layer_history){
            .extent = {short_number(dice), short_number(dice), short_number(dice), 0},
            .whole = {short_number(dice), short_number(dice), short_number(dice), 0},
            .degraded = span(dice),
            .down = span(dice),
            .all_down = span(dice),
            .first_up = span(dice),
            .all_up = span(dice)};
    }
    return incident;
}

static void any_verdict(struct dice *dice, uint32_t id, uint32_t revision, struct verdict *out)
{
    memset(out, 0, sizeof *out);
    out->incident = id;
    out->revision = revision;
    out->rules = short_number(dice);
    out->is_provisional = one_of(dice, 2);
    out->call = one_of(dice, CAUSE_COUNT + 1);
    out->confidence = one_of(dice, CONFIDENCE_HIGH + 1);
    out->set_size = one_of(dice, CAUSE_COUNT);
    out->judged = moment(dice);
    for (size_t i = 0; i < SETTLING_MAX; i++)
        out->settling[i] = one_of(dice, EVIDENCE_COUNT + 1);
    for (uint8_t i = 0; i < CAUSE_COUNT; i++) {
        out->order[i] = (uint8_t)((i * 7 + 3) % CAUSE_COUNT);
        out->posterior[i] = real(dice);
    }
    for (uint8_t i = 0; i < EVIDENCE_COUNT; i++) {
        struct evidence *evidence = &out->evidence[i];
        evidence->finding.kind = i;
        if (roll(dice, 2))
            continue; /* unknown: no figures, no weights */
        evidence->finding = (struct finding){.kind = i,
                                             .truth = one_of(dice, TRUTH_PRESENT + 1),
                                             .layer = one_of(dice, LAYER_COUNT),
                                             .name = number(dice),
                                             .n = number(dice),
                                             .m = number(dice),
                                             .a = real(dice),
                                             .b = real(dice),
                                             .first = span(dice),
                                             .second = span(dice)};
        for (size_t j = 0; j < CAUSE_COUNT; j++)
            evidence->weight[j] = roll(dice, 3) ? (float)real(dice) : 0;
    }
}

enum { INCIDENTS = 12, REVISIONS = 5, EVENTS = 400, EPISODES = 7, NOTICES = 30, SERIES = 200 };

/* What went in. */
struct expected {
    char folder[40], path[64];
    struct registry *registry;
    struct journal *journal;
    struct incident incidents[INCIDENTS][REVISIONS];
    struct verdict verdicts[INCIDENTS][REVISIONS];
    struct event events[EVENTS];
    struct episode episodes[INCIDENTS][EPISODES];
    struct notice notices[NOTICES];
    struct series_state series[SERIES];
};

static void commit(struct expected *expected, struct conclusions *conclusions)
{
    struct why why = {0};
    struct journal_batch batch = {.registry = expected->registry, .conclusions = conclusions};
    if (journal_commit(expected->journal, &batch, &why))
        fail_msg("%s", why.text);
    conclusions_clear(conclusions);
}

static void put_incidents(struct expected *e, struct dice *dice, struct conclusions *out)
{
    struct utc now = {NS_PER_S};
    for (uint32_t revision = 1; revision <= REVISIONS; revision++) {
        for (uint32_t id = 1; id <= INCIDENTS; id++) {
            struct incident *incident = &e->incidents[id - 1][revision - 1];
            struct verdict *verdict = &e->verdicts[id - 1][revision - 1];
            *incident = any_incident(dice, id, revision);
            any_verdict(dice, id, revision, verdict);
            conclusions_add(out, CONCLUSION_INCIDENT, now)->incident = *incident;
            conclusions_add_verdict(out, now, verdict);
        }
        commit(e, out);
    }
}

/* Twice: the second state replaces the first. */
static void put_states(struct expected *e, struct dice *dice, struct conclusions *out)
{
    struct utc now = {NS_PER_S};
    for (uint32_t i = 0; i < INCIDENTS * EPISODES; i++) {
        struct episode *episode = &e->episodes[i / EPISODES][i % EPISODES];
        *episode = (struct episode){.incident = i / EPISODES + 1,
                                    .number = (uint16_t)(i % EPISODES + 1),
                                    .is_open = one_of(dice, 2),
                                    .began = span(dice),
                                    .ended = span(dice),
                                    .depth = real(dice)};
        conclusions_add(out, CONCLUSION_EPISODE, now)->episode = *episode;
    }
    for (uint32_t i = 0; i < NOTICES; i++) {
        e->notices[i] = (struct notice){.id = i + 1,
                                        .source = number(dice),
                                        .target = number(dice),
                                        .kind = (uint8_t)(1 + roll(dice, NOTICE_KIND_END - 1)),
                                        .is_open = one_of(dice, 2),
                                        .n = short_number(dice),
                                        .m = short_number(dice),
                                        .began = span(dice),
                                        .ended = span(dice)};
        conclusions_add(out, CONCLUSION_NOTICE, now)->notice = e->notices[i];
    }
    for (uint32_t i = 0; i < SERIES; i++) { /* made in the order in which they are to come back */
        e->series[i] = (struct series_state){.source = i % 2,
                                             .target = i / 2 % 10 + 1,
                                             .layer = (uint8_t)(i / 20 % LAYER_COUNT),
                                             .subject = i / 20 / LAYER_COUNT,
                                             .condition = one_of(dice, CONDITION_DOWN + 1),
                                             .outcome = one_of(dice, OUTCOME_COUNT),
                                             .is_counted = one_of(dice, 2),
                                             .was_up = one_of(dice, 2),
                                             .since = span(dice),
                                             .belief = real(dice),
                                             .loss = real(dice),
                                             .rtt_ns = real(dice),
                                             .rtt_base_ns = real(dice)};
        /* (source, target) is the key. */
        e->series[i].target += i / 20 * 10;
    }
    for (uint32_t i = 0; i < SERIES; i++)
        conclusions_add(out, CONCLUSION_SERIES, now)->series = e->series[(i * 37 + 11) % SERIES];
    commit(e, out);
}

static int set_up(void **state)
{
    struct expected *e = calloc(1, sizeof *e);
    struct conclusions conclusions = {0};
    struct why why = {0};
    struct dice dice = {.seed = 77};
    strcpy(e->folder, "/tmp/lastlight-XXXXXX");
    assert_non_null(mkdtemp(e->folder));
    snprintf(e->path, sizeof e->path, "%s/j.db", e->folder);
    if (journal_open(e->path, JOURNAL_WRITE, &e->journal, &why))
        fail_msg("%s", why.text);
    e->registry = registry_new();
    put_incidents(e, &dice, &conclusions);
    put_states(e, &dice, &conclusions);
    put_states(e, &dice, &conclusions);
    /* Events first belong to nothing, then to an incident. */
    for (uint32_t i = 0; i < EVENTS; i++) {
        e->events[i] = any_event(&dice, i + 1, 0);
        conclusions_add(&conclusions, CONCLUSION_EVENT, (struct utc){5})->event = e->events[i];
    }
    commit(e, &conclusions);
    for (uint32_t i = 0; i < EVENTS; i += 3) {
        e->events[i].incident = i % INCIDENTS + 1;
        conclusions_add(&conclusions, CONCLUSION_EVENT, (struct utc){6})->event = e->events[i];
    }
    commit(e, &conclusions);
    conclusions_done(&conclusions);
    *state = e;
    return 0;
}

static int tear_down(void **state)
{
    struct expected *e = *state;
    static const char *const endings[] = {"", "-wal", "-shm"};
    char path[96];
    journal_close(e->journal);
    registry_free(e->registry);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        snprintf(path, sizeof path, "%s%s", e->path, endings[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(e->folder), 0);
    free(e);
    return 0;
}

static void test_incidents(void **state)
{
    struct expected *e = *state;
    struct arena arena = {0};
    struct incident_list got;
    assert_int_equal(query_incidents(e->journal, 0, &arena, &got, NULL), ERR_OK);
    assert_int_equal(got.count, INCIDENTS);
    for (size_t i = 0; i < INCIDENTS; i++)
        assert_memory_equal(&got.list[i], &e->incidents[i][REVISIONS - 1], sizeof got.list[i]);
    assert_int_equal(query_incidents(e->journal, 2, &arena, &got, NULL), ERR_OK);
    assert_int_equal(got.count, INCIDENTS / 2);
    for (size_t i = 0; i < got.count; i++)
        assert_memory_equal(&got.list[i], &e->incidents[2 * i][REVISIONS - 1], sizeof got.list[i]);
    assert_int_equal(query_incidents(e->journal, 3, &arena, &got, NULL), ERR_OK);
    assert_int_equal(got.count, 0);
    arena_done(&arena);
}

static void check_file(const struct expected *e, uint32_t id, const struct incident_file *file)
{
    assert_int_equal(file->revision_count, REVISIONS);
    assert_memory_equal(file->revisions, e->incidents[id - 1], sizeof e->incidents[0]);
    assert_memory_equal(&file->incident, &e->incidents[id - 1][REVISIONS - 1],
                        sizeof file->incident);
    assert_int_equal(file->verdict_count, REVISIONS);
    assert_memory_equal(file->verdicts, e->verdicts[id - 1], sizeof e->verdicts[0]);
    assert_int_equal(file->episode_count, EPISODES);
    assert_memory_equal(file->episodes, e->episodes[id - 1], sizeof e->episodes[0]);
    size_t n = 0;
    for (size_t i = 0; i < EVENTS; i++) {
        if (e->events[i].incident != id)
            continue;
        assert_true(n < file->event_count);
        assert_memory_equal(&file->events[n], &e->events[i], sizeof e->events[i]);
        n++;
    }
    assert_int_equal(file->event_count, n);
}

static void test_incident(void **state)
{
    struct expected *e = *state;
    struct arena arena = {0};
    struct incident_file file;
    for (uint32_t id = 1; id <= INCIDENTS; id++) {
        assert_int_equal(query_incident(e->journal, id, &arena, &file, NULL), ERR_OK);
        check_file(e, id, &file);
    }
    struct why why = {0};
    assert_int_equal(query_incident(e->journal, INCIDENTS + 1, &arena, &file, &why), ERR_NOT_FOUND);
    assert_non_null(strstr(why.text, "no incident 13"));
    assert_non_null(strstr(why.text, e->path));
    arena_done(&arena);
}

static void test_states(void **state)
{
    struct expected *e = *state;
    struct arena arena = {0};
    struct notice_list notices;
    struct series_list series;
    assert_int_equal(query_notices(e->journal, &arena, &notices, NULL), ERR_OK);
    assert_int_equal(notices.count, NOTICES);
    assert_memory_equal(notices.list, e->notices, sizeof e->notices);
    assert_int_equal(query_series(e->journal, 0, &arena, &series, NULL), ERR_OK);
    assert_int_equal(series.count, SERIES);
    assert_memory_equal(series.list, e->series, sizeof e->series);
    assert_int_equal(query_series(e->journal, 1, &arena, &series, NULL), ERR_OK);
    assert_int_equal(series.count, SERIES - 20 * LAYER_COUNT);
    assert_memory_equal(series.list, e->series + 20 * LAYER_COUNT,
                        series.count * sizeof *series.list);
    arena_done(&arena);
}

static void test_counts(void **state)
{
    struct expected *e = *state;
    struct journal_counts counts;
    assert_int_equal(query_counts(e->journal, &counts, NULL), ERR_OK);
    assert_int_equal(counts.events, EVENTS);
    assert_int_equal(counts.incidents, INCIDENTS);
    assert_int_equal(counts.observations, 0);
    assert_int_equal(counts.first.ns, 0);
}

static void describe(struct expected *e, uint32_t subject, uint32_t title, int64_t offset,
                     uint16_t flags)
{
    uint64_t seq = journal_last_seq(e->journal) + 1;
    struct observation o = {.seq = seq,
                            .kind = OBSERVATION_SUBJECT,
                            .time = {(int64_t)seq * NS_PER_S},
                            .target = subject,
                            .path = title,
                            .value = offset,
                            .code = flags};
    struct journal_batch batch = {.registry = e->registry, .observations = &o, .count = 1};
    assert_int_equal(journal_commit(e->journal, &batch, NULL), ERR_OK);
}

/* Members of a subject, in a batch of their own: the same prefix and as many targets. */
static void list_members(struct expected *e, uint32_t subject, unsigned targets)
{
    struct observation list[8] = {
        {.kind = OBSERVATION_MEMBER,
         .peer = subject,
         .target = registry_intern(e->registry, NAME_PREFIX, "192.0.2.0/24", 12)}};
    for (unsigned i = 0; i < targets; i++) {
        char text[32];
        int n = snprintf(text, sizeof text, "icmp:192.0.2.%u", i);
        list[1 + i] = list[0];
        list[1 + i].target = registry_intern(e->registry, NAME_TARGET, text, (size_t)n);
    }
    for (unsigned i = 0; i <= targets; i++) {
        list[i].seq = journal_last_seq(e->journal) + 1 + i;
        list[i].time.ns = (int64_t)list[i].seq * NS_PER_S;
    }
    struct journal_batch batch = {
        .observations = list, .count = targets + 1, .registry = e->registry};
    assert_int_equal(journal_commit(e->journal, &batch, NULL), ERR_OK);
}

static void test_subjects(void **state)
{
    struct expected *e = *state;
    uint32_t a = registry_intern(e->registry, NAME_SUBJECT, "a", 1);
    uint32_t b = registry_intern(e->registry, NAME_SUBJECT, "b", 1);
    uint32_t title = registry_intern(e->registry, NAME_TEXT, "Land", 4);
    describe(e, b, title, -12600, SUBJECT_IS_RECONSTRUCTION);
    list_members(e, b, 4);
    describe(e, a, 0, 0, 0);
    list_members(e, a, 3);
    describe(e, a, title, 30600, 0); /* it has others now */
    list_members(e, a, 1);
    list_members(e, a, 1);
    list_members(e, b, 5); /* of none that was described just before */
    struct arena arena = {0};
    struct subject_list got;
    assert_int_equal(query_subjects(e->journal, &arena, &got, NULL), ERR_OK);
    assert_int_equal(got.count, 2);
    assert_int_equal(got.list[0].subject, a);
    assert_int_equal(got.list[0].title, title);
    assert_int_equal(got.list[0].utc_offset_s, 30600);
    assert_false(got.list[0].is_reconstruction);
    assert_int_equal(got.list[0].since.ns, 12 * NS_PER_S);
    assert_int_equal(got.list[0].targets, 2);
    assert_int_equal(got.list[1].targets, 4);
    assert_int_equal(got.list[1].subject, b);
    assert_int_equal(got.list[1].utc_offset_s, -12600);
    assert_true(got.list[1].is_reconstruction);
    arena_done(&arena);
}

/* The views are there for people with sqlite3: names and times in words. */
static void test_views(void **state)
{
    struct expected *e = *state;
    sqlite3 *db;
    sqlite3_stmt *select;
    char text[32];
    assert_int_equal(sqlite3_open_v2(e->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    static const char *const views[] = {"event",   "incident", "incident_layer", "episode",
                                        "verdict", "notice",   "verdict_cause",  "evidence",
                                        "series",  "subject",  "block"};
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        snprintf(text, sizeof text, "SELECT * FROM v_%s", views[i]);
        assert_int_equal(sqlite3_prepare_v2(db, text, -1, &select, NULL), SQLITE_OK);
        int rc = sqlite3_step(select);
        assert_true(rc == SQLITE_ROW || rc == SQLITE_DONE);
        sqlite3_finalize(select);
    }
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT concluded FROM v_notice", -1, &select, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(select), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(select, 0), "1970-01-01T00:00:01.000Z");
    sqlite3_finalize(select);
    sqlite3_close(db);
}

/* The same revision twice would overwrite history: it is refused, and nothing of that batch is
 * kept. */
static void test_revisions_stay(void **state)
{
    struct expected *e = *state;
    struct conclusions conclusions = {0};
    struct why why = {0};
    struct notice notice = {.id = NOTICES + 1, .kind = NOTICE_PEER_LOST};
    conclusions_add(&conclusions, CONCLUSION_NOTICE, (struct utc){7})->notice = notice;
    conclusions_add(&conclusions, CONCLUSION_INCIDENT, (struct utc){7})->incident =
        e->incidents[3][1];
    struct journal_batch batch = {.registry = e->registry, .conclusions = &conclusions};
    assert_int_equal(journal_commit(e->journal, &batch, &why), ERR_INPUT);
    assert_non_null(strstr(why.text, "already"));
    conclusions_done(&conclusions);
    test_states(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_incidents, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_incident, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_states, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_subjects, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_views, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_revisions_stay, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
