#include "store/journal.h"
#include "store/query.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char folder[40], path[64];
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    strcpy(place->folder, "/tmp/lastlight-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof place->path, "%s/j.db", place->folder);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    char path[96];
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        snprintf(path, sizeof path, "%s%s", place->path, endings[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(place->folder), 0);
    free(place);
    return 0;
}

static struct journal *open_ok(const char *path, enum journal_mode mode)
{
    struct journal *journal;
    struct why why = {0};
    if (journal_open(path, mode, &journal, &why))
        fail_msg("%s", why.text);
    return journal;
}

static void commit_ok(struct journal *journal, const struct journal_batch *batch)
{
    struct why why = {0};
    if (journal_commit(journal, batch, &why))
        fail_msg("%s", why.text);
}

/* The error must name the file and contain `cure`. */
static void assert_refused(const char *path, enum journal_mode mode, enum err expected,
                           const char *cure)
{
    struct journal *journal = NULL;
    struct why why = {0};
    assert_int_equal(journal_open(path, mode, &journal, &why), expected);
    assert_null(journal);
    assert_int_equal(why.err, expected);
    assert_non_null(strstr(why.text, path));
    if (!strstr(why.text, cure))
        fail_msg("'%s' does not say '%s'", why.text, cure);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void test_what_is_not_there(void **state)
{
    const struct place *place = *state;
    char path[96];
    assert_refused(place->path, JOURNAL_READ, ERR_NOT_FOUND, "lastlight run");
    assert_int_equal(access(place->path, F_OK), -1); /* a reader makes nothing */
    snprintf(path, sizeof path, "%s/none/j.db", place->folder);
    assert_refused(path, JOURNAL_READ, ERR_NOT_FOUND, "mkdir -p");
    assert_refused(path, JOURNAL_WRITE, ERR_NOT_FOUND, "mkdir -p");
    assert_refused(place->folder, JOURNAL_WRITE, ERR_INPUT, "is a folder");
    assert_refused(place->folder, JOURNAL_READ, ERR_INPUT, "is a folder");
}

static void test_what_is_no_journal(void **state)
{
    const struct place *place = *state;
    static const char other[] = "this is a letter to the editor and not a database at all, "
                                "whatever anybody says about it; it is long enough for a header\n";
    write_text(place->path, other);
    assert_refused(place->path, JOURNAL_READ, ERR_INPUT, "not a journal");
    assert_refused(place->path, JOURNAL_WRITE, ERR_INPUT, "does not exist yet");
    struct stat status;
    assert_int_equal(stat(place->path, &status), 0);
    assert_int_equal(status.st_size, sizeof other - 1); /* and it was left alone */
    unlink(place->path);
    run_sql(place->path, "CREATE TABLE letter (text TEXT)");
    assert_refused(place->path, JOURNAL_READ, ERR_INPUT, "another program");
    assert_refused(place->path, JOURNAL_WRITE, ERR_INPUT, "another program");
    unlink(place->path);
    write_text(place->path, "");
    assert_refused(place->path, JOURNAL_READ, ERR_NOT_FOUND, "still empty");
    journal_close(open_ok(place->path, JOURNAL_WRITE)); /* an empty file becomes one */
    journal_close(open_ok(place->path, JOURNAL_READ));
}

static void test_other_versions(void **state)
{
    const struct place *place = *state;
    journal_close(open_ok(place->path, JOURNAL_WRITE));
    run_sql(place->path, "PRAGMA user_version = 1");
    assert_refused(place->path, JOURNAL_READ, ERR_VERSION, "schema 1");
    run_sql(place->path, "PRAGMA user_version = 3");
    assert_refused(place->path, JOURNAL_READ, ERR_VERSION, "schema 3");
    assert_refused(place->path, JOURNAL_WRITE, ERR_VERSION, "a newer one");
    run_sql(place->path, "PRAGMA user_version = 2;"
                         "UPDATE code SET name = 'shrugged' WHERE list = 'outcome' AND number = 3");
    assert_refused(place->path, JOURNAL_READ, ERR_VERSION, "shrugged");
    run_sql(place->path, "UPDATE code SET name = 'timeout' WHERE list = 'outcome' AND number = 3;"
                         "DELETE FROM code WHERE list = 'stage' AND number = 7");
    journal_close(open_ok(place->path, JOURNAL_WRITE)); /* an older one, to which codes are added */
    run_sql(place->path, "INSERT INTO code VALUES ('outcome', 200, 'unheard-of')");
    assert_refused(place->path, JOURNAL_READ, ERR_VERSION, "unheard-of");
}

/* Names of every kind come back with their numbers. */
static void test_registry(void **state)
{
    const struct place *place = *state;
    static const struct {
        enum name_kind kind;
        const char *text;
    } names[] = {
        {NAME_TEXT, "K\xc3\xb6nig, \"quoted\" and 'so'"},
        {NAME_VANTAGE, "lon"},
        {NAME_COLLECTOR, "rrc00"},
        {NAME_SUBJECT, "kp"},
        {NAME_TARGET, "icmp:192.0.2.1"},
        {NAME_CONTROL, "icmp:192.0.2.1"},
        {NAME_PREFIX, "2001:db8::/32"},
        {NAME_ASN, "131279"},
        {NAME_ZONE, "kp."},
        {NAME_PEER, "192.0.2.9 64500"},
        {NAME_PATH, "64500 4837 {1,2}"},
        {NAME_ADDRESS, "2001:db8::1"},
    };
    enum { N = sizeof names / sizeof names[0] };
    struct registry *registry = registry_new();
    struct journal *journal = open_ok(place->path, JOURNAL_WRITE);
    struct conclusions none = {0};
    struct journal_batch batch = {.registry = registry, .conclusions = &none};
    for (uint32_t i = 0; i < N; i++) {
        assert_int_equal(
            registry_intern(registry, names[i].kind, names[i].text, strlen(names[i].text)), i + 1);
        if (i % 5 == 4)
            commit_ok(journal, &batch);
    }
    commit_ok(journal, &batch);
    struct journal *reader = open_ok(place->path, JOURNAL_READ);
    struct registry *again = registry_new();
    struct why why;
    assert_int_equal(journal_load_registry(reader, again, &why), ERR_OK);
    assert_int_equal(registry_count(again), N);
    for (uint32_t id = 1; id <= N; id++) {
        assert_int_equal(registry_kind(again, id), names[id - 1].kind);
        assert_string_equal(registry_text(again, id), names[id - 1].text);
    }
    /* A reader has its snapshot until it asks for a new one. */
    registry_intern(registry, NAME_VANTAGE, "par", 3);
    commit_ok(journal, &batch);
    assert_int_equal(journal_load_registry(reader, again, &why), ERR_OK);
    assert_int_equal(registry_count(again), N);
    assert_int_equal(journal_refresh_registry(reader, again, &why), ERR_OK);
    assert_int_equal(registry_count(again), N + 1);
    journal_close(reader);
    journal_close(journal);
    registry_free(again);
    registry_free(registry);
}

static struct observation tick(uint64_t seq, int64_t seconds)
{
    return (struct observation){
        .seq = seq, .kind = OBSERVATION_TICK, .time = {seconds * NS_PER_S}, .value = (int64_t)seq};
}

struct seen {
    uint64_t first, count, stop_after;
};

static bool see(void *context, const struct observation *observation)
{
    struct seen *seen = context;
    if (!seen->count)
        seen->first = observation->seq;
    assert_int_equal(observation->seq, seen->first + seen->count);
    assert_int_equal(observation->value, observation->seq);
    return ++seen->count != seen->stop_after;
}

static struct seen read_from(struct journal *journal, uint64_t first_seq, uint64_t stop_after)
{
    struct seen seen = {.stop_after = stop_after};
    struct journal_visitor visitor = {.visit = see, .context = &seen};
    assert_int_equal(journal_read(journal, first_seq, &visitor, NULL), ERR_OK);
    return seen;
}

static struct seen read_span(struct journal *journal, int64_t from, int64_t until)
{
    struct seen seen = {0};
    struct journal_visitor visitor = {.visit = see, .context = &seen};
    assert_int_equal(journal_read_span(journal, (struct utc){from * NS_PER_S},
                                       (struct utc){until * NS_PER_S}, &visitor, NULL),
                     ERR_OK);
    return seen;
}

/* Ten blocks of 100 observations, one a second. */
static struct journal *fill(const char *path, struct registry *registry)
{
    struct journal *journal = open_ok(path, JOURNAL_WRITE);
    struct observation list[100];
    for (uint64_t block = 0; block < 10; block++) {
        for (uint64_t i = 0; i < 100; i++)
            list[i] = tick(block * 100 + i + 1, (int64_t)(1000 + block * 100 + i));
        struct journal_batch batch = {.registry = registry, .observations = list, .count = 100};
        commit_ok(journal, &batch);
    }
    return journal;
}

static void test_observations(void **state)
{
    const struct place *place = *state;
    struct registry *registry = registry_new();
    struct journal *journal = fill(place->path, registry);
    assert_int_equal(journal_last_seq(journal), 1000);
    static const uint64_t starts[][3] = {/* first asked for, first seen, how many */
                                         {0, 1, 1000},    {1, 1, 1000},    {2, 2, 999},
                                         {100, 100, 901}, {101, 101, 900}, {555, 555, 446},
                                         {1000, 1000, 1}, {1001, 0, 0},    {99999, 0, 0}};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        struct seen seen = read_from(journal, starts[i][0], 0);
        assert_int_equal(seen.first, starts[i][1]);
        assert_int_equal(seen.count, starts[i][2]);
    }
    assert_int_equal(read_from(journal, 150, 7).count, 7);
    /* Whole blocks that hold anything of the span. */
    assert_int_equal(read_span(journal, 1150, 1250).first, 101);
    assert_int_equal(read_span(journal, 1150, 1250).count, 200);
    assert_int_equal(read_span(journal, 1199, 1199).count, 100);
    assert_int_equal(read_span(journal, 0, 999).count, 0);
    assert_int_equal(read_span(journal, 2000, 9999).count, 0);
    assert_int_equal(read_span(journal, 0, 9999).count, 1000);
    struct journal_counts counts;
    assert_int_equal(query_counts(journal, &counts, NULL), ERR_OK);
    assert_int_equal(counts.observations, 1000);
    assert_int_equal(counts.blocks, 10);
    assert_int_equal(counts.first.ns, 1000 * NS_PER_S);
    assert_int_equal(counts.last.ns, 1999 * NS_PER_S);
    assert_true(counts.bytes > 10000);
    journal_close(journal);
    registry_free(registry);
}

/* A batch longer than a block becomes several. */
static void test_long_batch(void **state)
{
    const struct place *place = *state;
    enum { N = 40000 };
    struct registry *registry = registry_new();
    struct journal *journal = open_ok(place->path, JOURNAL_WRITE);
    struct observation *list = calloc(N, sizeof *list);
    for (uint64_t i = 0; i < N; i++)
        list[i] = tick(i + 1, (int64_t)i);
    struct journal_batch batch = {.registry = registry, .observations = list, .count = N};
    commit_ok(journal, &batch);
    struct journal_counts counts;
    assert_int_equal(query_counts(journal, &counts, NULL), ERR_OK);
    assert_int_equal(counts.blocks, 3);
    assert_int_equal(read_from(journal, 1, 0).count, N);
    free(list);
    journal_close(journal);
    registry_free(registry);
}

/* A commit that fails has written nothing and can be made again. */
static void test_failed_commit(void **state)
{
    const struct place *place = *state;
    struct registry *registry = registry_new();
    struct journal *journal = fill(place->path, registry);
    registry_intern(registry, NAME_VANTAGE, "lon", 3);
    struct observation next = tick(1001, 2000);
    struct journal_batch batch = {
        .registry = registry, .observations = &next, .count = 1, .source = "a", .source_done = 5};
    run_sql(place->path,
            "CREATE TRIGGER no BEFORE INSERT ON source BEGIN SELECT RAISE(FAIL, 'no'); "
            "END");
    struct why why = {0};
    assert_int_not_equal(journal_commit(journal, &batch, &why), ERR_OK);
    assert_non_null(strstr(why.text, place->path));
    assert_int_equal(journal_last_seq(journal), 1000);
    assert_int_equal(read_from(journal, 1, 0).count, 1000);
    struct journal_counts counts;
    assert_int_equal(query_counts(journal, &counts, NULL), ERR_OK);
    assert_int_equal(counts.names, 0);
    run_sql(place->path, "DROP TRIGGER no");
    commit_ok(journal, &batch);
    assert_int_equal(read_from(journal, 1, 0).count, 1001);
    journal_close(journal);
    registry_free(registry);
}

/* One that an unfinished version of this program made may bear the same number. */
static void test_other_layout(void **state)
{
    const struct place *place = *state;
    struct arena arena = {0};
    struct series_list list;
    struct why why = {0};
    journal_close(open_ok(place->path, JOURNAL_WRITE));
    run_sql(place->path, "ALTER TABLE series RENAME COLUMN loss TO other");
    struct journal *journal = open_ok(place->path, JOURNAL_READ);
    assert_int_equal(query_series(journal, 0, &arena, &list, &why), ERR_VERSION);
    assert_non_null(strstr(why.text, "no such column: loss"));
    journal_close(journal);
    arena_done(&arena);
}

/* Into a file that was moved away nothing is written; where it was, nothing is made. */
static void test_moved(void **state)
{
    const struct place *place = *state;
    char away[80];
    struct registry *registry = registry_new();
    struct journal *journal = fill(place->path, registry);
    struct observation next = tick(1001, 2000);
    struct journal_batch batch = {.registry = registry, .observations = &next, .count = 1};
    struct why why = {0};
    snprintf(away, sizeof away, "%s/away", place->folder);
    assert_int_equal(rename(place->path, away), 0);
    assert_int_equal(journal_commit(journal, &batch, &why), ERR_IO);
    assert_non_null(strstr(why.text, place->path));
    assert_non_null(strstr(why.text, "moved or deleted"));
    assert_int_equal(access(place->path, F_OK), -1);
    assert_int_equal(rename(away, place->path), 0);
    commit_ok(journal, &batch);
    assert_int_equal(read_from(journal, 1, 0).count, 1001);
    journal_close(journal);
    registry_free(registry);
}

static void test_progress_and_checkpoint(void **state)
{
    const struct place *place = *state;
    struct registry *registry = registry_new();
    struct journal *journal = fill(place->path, registry);
    struct buffer first = {0}, second = {0}, got = {0};
    buffer_puts(&first, "the state after 1000");
    buffer_puts(&second, "the state after 1001");
    uint64_t done, seq;
    bool is_complete;
    assert_int_equal(journal_progress(journal, "a", &done, &is_complete, NULL), ERR_OK);
    assert_true(done == 0 && !is_complete);
    assert_int_equal(journal_load_checkpoint(journal, &got, &seq, NULL), ERR_OK);
    assert_true(seq == 0 && got.size == 0);
    struct journal_batch batch = {
        .registry = registry, .source = "a", .source_done = 10, .rules = 7, .checkpoint = &first};
    commit_ok(journal, &batch);
    struct observation next = tick(1001, 2000);
    batch = (struct journal_batch){.registry = registry,
                                   .observations = &next,
                                   .count = 1,
                                   .source = "b",
                                   .source_done = 1,
                                   .source_is_complete = true,
                                   .checkpoint = &second};
    commit_ok(journal, &batch);
    journal_close(journal);
    journal = open_ok(place->path, JOURNAL_READ);
    assert_int_equal(journal_rules(journal), 7);
    assert_int_equal(journal_progress(journal, "a", &done, &is_complete, NULL), ERR_OK);
    assert_true(done == 10 && !is_complete);
    assert_int_equal(journal_progress(journal, "b", &done, &is_complete, NULL), ERR_OK);
    assert_true(done == 1 && is_complete);
    assert_int_equal(journal_load_checkpoint(journal, &got, &seq, NULL), ERR_OK);
    assert_int_equal(seq, 1001);
    assert_string_equal(got.bytes, second.bytes);
    journal_close(journal);
    /* One that is damaged is none. */
    run_sql(place->path, "UPDATE checkpoint SET data = CAST('the state after 1002' AS BLOB)");
    journal = open_ok(place->path, JOURNAL_READ);
    buffer_clear(&got);
    assert_int_equal(journal_load_checkpoint(journal, &got, &seq, NULL), ERR_OK);
    assert_true(seq == 0 && got.size == 0);
    struct observation last = tick(1002, 2001);
    batch = (struct journal_batch){.registry = registry, .observations = &last, .count = 1};
    assert_int_equal(journal_commit(journal, &batch, NULL), ERR_READONLY);
    journal_close(journal);
    buffer_done(&first);
    buffer_done(&second);
    buffer_done(&got);
    registry_free(registry);
}

struct faults {
    unsigned count;
    char last[512];
};

static void hear(void *context, const char *text)
{
    struct faults *faults = context;
    faults->count++;
    snprintf(faults->last, sizeof faults->last, "%s", text);
}

/* Each statement breaks one thing; the check says so in these words. */
static void test_check(void **state)
{
    const struct place *place = *state;
    static const struct {
        const char *sql, *says;
    } cases[] = {
        {"SELECT 1", ""},
        {"UPDATE block SET first_time = 5 WHERE number = 4", "block 4: its times"},
        {"DELETE FROM block WHERE number = 4", "block 4 is missing"},
        {"UPDATE block SET checksum = 5 WHERE number = 4", "block 4 does not match its checksum"},
        {"UPDATE block SET count = 99 WHERE number = 4", "block 4 does not match its checksum"},
        {"INSERT INTO name VALUES (2, 'vantage', 'x')", "names 1 to 1 are missing"},
        {"INSERT INTO name VALUES (1, 'vase', 'x')", "unknown kind 'vase'"},
        {"INSERT INTO name VALUES (1, 'prefix', 'x')", "cannot be a prefix"},
        {"INSERT INTO name VALUES (1, 'asn', '1'), (2, 'asn', '1')", "there twice"},
        {"INSERT INTO event (id, incident) VALUES (1, 9)", "an incident that is not there"},
        {"INSERT INTO event (id, incident) VALUES (2, 0)", "missing from the numbering"},
        {"INSERT INTO event (id, incident, subject) VALUES (1, 0, 8)", "a name that is not there"},
        {"INSERT INTO verdict (incident, revision) VALUES (1, 1)", "a revision that is not there"},
        {"INSERT INTO checkpoint VALUES (5, 5, x'00')", "the checkpoint is damaged"},
    };
    struct registry *registry = registry_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        journal_close(fill(place->path, registry));
        run_sql(place->path, cases[i].sql);
        struct journal *journal = open_ok(place->path, JOURNAL_READ);
        struct faults faults = {0};
        uint64_t count;
        assert_int_equal(journal_check(journal, hear, &faults, &count, NULL), ERR_OK);
        assert_int_equal(count, faults.count);
        assert_int_equal(count, i ? 1 : 0);
        if (!strstr(faults.last, cases[i].says))
            fail_msg("%s: '%s'", cases[i].sql, faults.last);
        journal_close(journal);
        unlink(place->path);
    }
    registry_free(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_not_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_no_journal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_versions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_registry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_observations, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_batch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failed_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_layout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_moved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_progress_and_checkpoint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_check, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
