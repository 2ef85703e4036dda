/* Damages a journal on the disk: every page in turn overwritten, and bytes within the observations.
 * The check finds it, a reader passes over what is damaged and gets the rest unchanged, and nobody
 * crashes. */
#include "app/pipeline.h"
#include "base/mem.h"
#include "made.h"
#include "store/journal.h"
#include "store/query.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STREAM = 40000, STEP = 1500, PAGE = 4096 };

struct sound {
    char folder[64], path[96], copy[96];
    struct buffer file;
    struct observation *observations;
    size_t count;
};

static void read_file(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "rb");
    char bytes[65536];
    size_t n;
    assert_non_null(file);
    while ((n = fread(bytes, 1, sizeof bytes, file)) > 0)
        buffer_add(out, bytes, n);
    fclose(file);
}

static void write_file(const char *path, const struct buffer *bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes->bytes, 1, bytes->size, file), bytes->size);
    assert_int_equal(fclose(file), 0);
}

static bool keep(void *context, const struct observation *observation)
{
    struct sound *sound = context;
    sound->observations[sound->count++] = *observation;
    return true;
}

static int set_up(void **state)
{
    struct sound *sound = mem_new(1, sizeof *sound);
    struct why why = {0};
    folder_make(sound->folder);
    snprintf(sound->path, sizeof sound->path, "%s/sound.db", sound->folder);
    snprintf(sound->copy, sizeof sound->copy, "%s/copy.db", sound->folder);
    struct pipeline *pipeline;
    if (pipeline_open(sound->path, &pipeline, &why))
        fail_msg("%s", why.text);
    struct sink sink = pipeline_sink(pipeline);
    struct made made = made_stream(3, sink.registry);
    for (uint64_t i = 1; i <= STREAM; i++) {
        struct observation observation = made_next(&made);
        sink_emit(&sink, &observation);
        if (i % STEP == 0)
            assert_int_equal(pipeline_commit(pipeline, NULL), ERR_OK);
    }
    assert_int_equal(pipeline_close(pipeline, &why), ERR_OK);
    read_file(sound->path, &sound->file);
    sound->observations = mem_new(STREAM, sizeof *sound->observations);
    struct journal *journal;
    struct journal_visitor visitor = {keep, NULL, sound};
    assert_int_equal(journal_open(sound->path, JOURNAL_READ, &journal, &why), ERR_OK);
    assert_int_equal(journal_read(journal, 1, &visitor, &why), ERR_OK);
    journal_close(journal);
    assert_int_equal(sound->count, STREAM);
    *state = sound;
    return 0;
}

static int tear_down(void **state)
{
    struct sound *sound = *state;
    folder_remove(sound->folder);
    buffer_done(&sound->file);
    free(sound->observations);
    free(sound);
    return 0;
}

/* What a reader got of a damaged journal. */
struct reading {
    const struct sound *sound;
    uint64_t visited, lost, last_seq;
};

static bool visit(void *context, const struct observation *observation)
{
    struct reading *reading = context;
    assert_true(observation->seq > reading->last_seq && observation->seq <= STREAM);
    assert_memory_equal(observation, &reading->sound->observations[observation->seq - 1],
                        sizeof *observation);
    reading->last_seq = observation->seq;
    reading->visited++;
    return true;
}

static void visit_damaged(void *context, uint64_t first_seq, uint64_t count, const char *reason)
{
    struct reading *reading = context;
    assert_true(reason && *reason);
    assert_int_equal(first_seq, reading->last_seq + 1);
    reading->last_seq += count;
    reading->lost += count;
}

static void hear_fault(void *context, const char *text)
{
    uint64_t *heard = context;
    assert_true(*text);
    ++*heard;
}

/* Whatever happens, it is said in words that name the file. */
static void assert_told(enum err err, const struct why *why, const struct sound *sound)
{
    if (err)
        assert_non_null(strstr(why->text, sound->copy));
}

/* All the other questions: any answer will do that is not a crash. */
static void ask_everything(struct journal *journal, const struct sound *sound)
{
    struct arena arena = {0};
    struct why why = {0};
    struct journal_counts counts;
    struct incident_list incidents;
    struct incident_file file;
    struct series_list series;
    struct notice_list notices;
    struct registry *registry = registry_new();
    assert_told(journal_load_registry(journal, registry, &why), &why, sound);
    assert_told(query_counts(journal, &counts, &why), &why, sound);
    assert_told(query_incidents(journal, 0, &arena, &incidents, &why), &why, sound);
    assert_told(query_incident(journal, 1, &arena, &file, &why), &why, sound);
    assert_told(query_series(journal, 0, &arena, &series, &why), &why, sound);
    assert_told(query_notices(journal, &arena, &notices, &why), &why, sound);
    registry_free(registry);
    arena_done(&arena);
}

struct finds {
    uint64_t faults;
    struct reading reading;
    bool is_open, is_read;
};

static struct finds examine(const struct sound *sound)
{
    struct finds finds = {.reading.sound = sound};
    struct why why = {0};
    struct journal *journal;
    enum err err = journal_open(sound->copy, JOURNAL_READ, &journal, &why);
    assert_told(err, &why, sound);
    if (err)
        return finds;
    finds.is_open = true;
    struct journal_visitor visitor = {visit, visit_damaged, &finds.reading};
    err = journal_read(journal, 1, &visitor, &why);
    assert_told(err, &why, sound);
    finds.is_read = err == ERR_OK;
    uint64_t heard = 0;
    err = journal_check(journal, hear_fault, &heard, &finds.faults, &why);
    assert_told(err, &why, sound);
    assert_int_equal(heard, finds.faults);
    ask_everything(journal, sound);
    journal_close(journal);
    return finds;
}

static void test_sound(void **state)
{
    const struct sound *sound = *state;
    write_file(sound->copy, &sound->file);
    struct finds finds = examine(sound);
    assert_int_equal(finds.faults, 0);
    assert_int_equal(finds.reading.visited, STREAM);
    assert_int_equal(finds.reading.lost, 0);
}

static void test_every_page(void **state)
{
    const struct sound *sound = *state;
    size_t pages = sound->file.size / PAGE, refused = 0, partial = 0, lost = 0;
    struct dice dice = {.seed = 99};
    for (size_t page = 0; page < pages; page++) {
        struct buffer bytes = {0};
        buffer_add(&bytes, sound->file.bytes, sound->file.size);
        for (size_t i = 0; i < PAGE; i++)
            bytes.bytes[page * PAGE + i] = (char)roll(&dice, 256);
        write_file(sound->copy, &bytes);
        buffer_done(&bytes);
        struct finds finds = examine(sound);
        if (!finds.is_open) {
            refused++;
            continue;
        }
        assert_true(finds.faults > 0);
        if (finds.is_read && finds.reading.lost) {
            (*(finds.reading.visited ? &partial : &lost))++;
            assert_true(finds.reading.visited + finds.reading.lost <= STREAM);
        }
    }
    print_message(
        "%zu pages damaged: %zu times the journal was refused, %zu times it was opened but "
        "no observation found, %zu times some were lost and the rest read\n",
        pages, refused, lost, partial);
    assert_true(partial > pages / 10);
    /* The schema, the codes and the roots of the trees have no second copy. */
    assert_true(refused + lost <= 12);
}

/* Where in the file the observations of each block lie: found by their bytes. */
static void test_bytes_of_blocks(void **state)
{
    const struct sound *sound = *state;
    sqlite3 *db;
    sqlite3_stmt *select;
    unsigned blocks = 0;
    assert_int_equal(sqlite3_open(sound->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count, data FROM block", -1, &select, NULL),
                     SQLITE_OK);
    while (sqlite3_step(select) == SQLITE_ROW) {
        const char *data = sqlite3_column_blob(select, 1);
        const char *found = memmem(sound->file.bytes, sound->file.size,
                                   data + sqlite3_column_bytes(select, 1) - 24, 24);
        assert_non_null(found);
        struct buffer bytes = {0};
        buffer_add(&bytes, sound->file.bytes, sound->file.size);
        bytes.bytes[found - sound->file.bytes + 7] ^= 1;
        write_file(sound->copy, &bytes);
        buffer_done(&bytes);
        struct finds finds = examine(sound);
        assert_true(finds.is_read);
        assert_int_equal(finds.faults, 1);
        assert_int_equal(finds.reading.lost, sqlite3_column_int64(select, 0));
        assert_int_equal(finds.reading.visited + finds.reading.lost, STREAM);
        blocks++;
    }
    sqlite3_finalize(select);
    sqlite3_close(db);
    assert_true(blocks >= STREAM / STEP);
}

/* The writer goes on behind a damaged block, and what it had committed before stays readable. */
static void test_writer_goes_on(void **state)
{
    const struct sound *sound = *state;
    write_file(sound->copy, &sound->file);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(sound->copy, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "UPDATE block SET data = zeroblob(length(data)) WHERE number = 3;"
                                  "DELETE FROM checkpoint",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    struct pipeline *pipeline;
    struct why why = {0};
    if (pipeline_open(sound->copy, &pipeline, &why))
        fail_msg("%s", why.text);
    assert_int_equal(pipeline_counters(pipeline).damaged, STEP);
    struct observation tick = {.kind = OBSERVATION_TICK, .time = {NS_PER_S}};
    struct sink sink = pipeline_sink(pipeline);
    sink_emit(&sink, &tick);
    assert_int_equal(pipeline_close(pipeline, &why), ERR_OK);
    struct journal *journal;
    assert_int_equal(journal_open(sound->copy, JOURNAL_READ, &journal, &why), ERR_OK);
    assert_int_equal(journal_last_seq(journal), STREAM + 1);
    journal_close(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_every_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bytes_of_blocks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_writer_goes_on, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
