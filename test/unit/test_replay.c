/* source/replay: several files of several kinds, merged by time into one sink. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "archive_maker.h"
#include "base/buffer.h"
#include "source/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

struct run {
    struct registry *registry;
    struct buffer text;
    struct buffer faults;
    struct stream_faults counts;
    struct why why;
    unsigned progress_calls;
    uint64_t done, total;
};

static void note(void *context, const struct observation *observation)
{
    struct run *run = context;
    char time[UTC_TEXT_MAX];
    buffer_printf(&run->text, "%s %s %s\n", utc_format(observation->time, time) + 11,
                  observation_kind_name((enum observation_kind)observation->kind),
                  registry_text(run->registry, observation->target));
}

static void note_fault(void *context, const char *fault)
{
    buffer_printf(context, "%s\n", fault);
}

static void note_progress(void *context, uint64_t done, uint64_t total, uint64_t observations)
{
    struct run *run = context;
    (void)observations;
    assert_true(done >= run->done);
    assert_true(total == 0 || done <= total);
    run->done = done;
    run->total = total;
    run->progress_calls++;
}

/* `more` gives the options beside the paths; NULL: none. */
static enum err replay_with(struct run *run, const char *const *paths, size_t count,
                            const struct replay_options *more)
{
    struct prefix prefix;
    assert_true(prefix_parse("9.0.0.0/8", 9, &prefix));
    *run = (struct run){.registry = registry_new(), .counts = {.report = note_fault}};
    run->counts.context = &run->faults;
    buffer_puts(&run->text, "");
    buffer_puts(&run->faults, "");
    struct replay_options options = {.paths = paths,
                                     .path_count = count,
                                     .watch = {.prefixes = &prefix, .prefix_count = 1},
                                     .progress = note_progress,
                                     .context = run};
    struct sink sink = {run->registry, note, run};
    if (more) {
        options.collector = more->collector;
        options.holes = more->holes;
        options.hole_count = more->hole_count;
    }
    return replay_run(&options, &sink, &run->counts, &run->why);
}

static enum err replay(struct run *run, const char *const *paths, size_t count)
{
    return replay_with(run, paths, count, NULL);
}

static void run_done(struct run *run)
{
    registry_free(run->registry);
    buffer_done(&run->text);
    buffer_done(&run->faults);
}

static void write_file(const char *folder, const char *name, const void *bytes, size_t n)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    fclose(file);
}

/* A folder that is taken away again with all that is in it. */
static void make_folder(char path[64])
{
    strcpy(path, "/tmp/lastlight-replay-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static void drop_folder(const char *path)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", path);
    assert_int_equal(system(command), 0);
}

static const char log_text[] =
    "{\"type\":\"tick\",\"time\":\"1970-01-01T00:01:39Z\"}\n"
    "{\"type\":\"probe\",\"time\":\"1970-01-01T00:01:41Z\",\"vantage\":\"lon\","
    "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"ok\",\"rtt_ms\":1}\n"
    "{\"type\":\"probe\",\"time\":\"1970-01-01T00:01:44Z\",\"vantage\":\"lon\","
    "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"timeout\"}\n";

/* An MRT archive and a log that lie across each other, the log compressed. */
static void test_merge(void **state)
{
    (void)state;
    char folder[64];
    struct buffer file = {0};
    uint8_t packed[1000];
    make_folder(folder);
    archive_update(&file, 100, "9.1.0.0/16", NULL, NULL);
    archive_update(&file, 101, "9.2.0.0/16", NULL, NULL);
    archive_update(&file, 103, "9.3.0.0/16", NULL, NULL);
    write_file(folder, "a-updates", file.bytes, file.size);
    write_file(folder, "b-log", packed,
               ZSTD_compress(packed, sizeof packed, log_text, sizeof log_text - 1, 1));
    write_file(folder, ".hidden", "not looked at", 13);
    struct run run;
    const char *paths[] = {folder};
    assert_int_equal(replay(&run, paths, 1), ERR_OK);
    assert_string_equal(run.text.bytes, "00:01:39Z tick \n"
                                        "00:01:40Z peer \n"
                                        "00:01:40Z route 9.1.0.0/16\n"
                                        "00:01:41Z route 9.2.0.0/16\n"
                                        "00:01:41Z probe icmp:192.0.2.1\n"
                                        "00:01:43Z route 9.3.0.0/16\n"
                                        "00:01:44Z probe icmp:192.0.2.1\n"
                                        "00:02:00Z tick \n");
    assert_true(run.progress_calls > 0);
    assert_true(run.total > 0);
    assert_int_equal(run.done, run.total);
    run_done(&run);
    drop_folder(folder);
    buffer_done(&file);
}

/* More files than are kept open, given in any order; one peer is first heard once, and an
 * announcement in one file is known in the next. */
static void test_many_files(void **state)
{
    (void)state;
    enum { FILES = 100 };
    char folder[64], names[FILES][128];
    const char *paths[FILES];
    struct buffer file = {0};
    make_folder(folder);
    for (uint32_t i = 0; i < FILES; i++) {
        char name[32];
        buffer_clear(&file);
        archive_update(&file, 1000 + 10 * i, "9.1.0.0/16", NULL, NULL);
        archive_update(&file, 1005 + 10 * i, "9.2.0.0/16", NULL, NULL);
        snprintf(name, sizeof name, "file%u", i);
        write_file(folder, name, file.bytes, file.size);
        snprintf(names[i * 37 % FILES], sizeof names[0], "%s/%s", folder, name);
    }
    for (size_t i = 0; i < FILES; i++)
        paths[i] = names[i];
    struct run run;
    assert_int_equal(replay(&run, paths, FILES), ERR_OK);
    const char *at = run.text.bytes;
    assert_memory_equal(at, "00:16:40Z peer \n", 16);
    at += 16;
    for (uint32_t i = 0; i < 2 * FILES; i++) {
        char want[64], time[UTC_TEXT_MAX];
        utc_format((struct utc){(1000 + 5 * (int64_t)i) * NS_PER_S}, time);
        int n = snprintf(want, sizeof want, "%s route 9.%u.0.0/16\n", time + 11, i % 2 + 1);
        assert_memory_equal(at, want, (size_t)n);
        at += n;
    }
    assert_string_equal(at, "00:33:31Z tick \n");
    run_done(&run);
    drop_folder(folder);
    buffer_done(&file);
}

/* One file is cut short, one is no archive, one has a bad record: the rest is used, and all is
 * told. */
static void test_damaged_files(void **state)
{
    (void)state;
    char folder[64];
    struct buffer file = {0};
    make_folder(folder);
    archive_update(&file, 1000000000, "9.1.0.0/16", NULL, NULL);
    size_t one = file.size;
    archive_update(&file, 1000000001, "9.2.0.0/16", NULL, NULL);
    write_file(folder, "a-cut", file.bytes, file.size - 3);
    write_file(folder, "b-none", "This is a README.", 17);
    write_file(folder, "c-empty", "", 0);
    archive_update(&file, 1000000002, "9.3.0.0/16", NULL, NULL);
    file.bytes[one + 5] = 99;
    write_file(folder, "d-bad-record", file.bytes, file.size);
    struct run run;
    const char *paths[] = {folder};
    assert_int_equal(replay(&run, paths, 1), ERR_INPUT);
    assert_string_equal(run.text.bytes, "01:46:40Z peer \n"
                                        "01:46:40Z route 9.1.0.0/16\n"
                                        "01:46:40Z route 9.1.0.0/16\n"
                                        "01:46:42Z route 9.3.0.0/16\n"
                                        "01:46:58Z tick \n");
    assert_int_equal(run.counts.bad, 3);
    assert_string_equal(run.why.text, "parts of the input are damaged; all else was used");
    char place[64];
    snprintf(place, sizeof place, "a-cut: byte %zu: the file ends within this record", one);
    assert_non_null(strstr(run.faults.bytes, place));
    assert_non_null(strstr(run.faults.bytes, "b-none: there is no MRT record in it"));
    assert_non_null(strstr(run.faults.bytes, "d-bad-record: byte"));
    run_done(&run);
    drop_folder(folder);
    buffer_done(&file);
}

static void test_nothing_readable(void **state)
{
    (void)state;
    char folder[64];
    make_folder(folder);
    write_file(folder, "none", "This is a README.", 17);
    struct run run;
    const char *paths[] = {folder};
    assert_int_equal(replay(&run, paths, 1), ERR_INPUT);
    assert_string_equal(run.why.text, "nothing in the input could be read");
    assert_string_equal(run.text.bytes, "");
    run_done(&run);
    drop_folder(folder);
}

/* A tick that is late enough is not followed by another one: an export, replayed, stays what it is.
 */
static void test_settled(void **state)
{
    (void)state;
    char folder[64];
    static const char text[] =
        "{\"type\":\"probe\",\"time\":\"1970-01-01T00:01:41Z\",\"vantage\":\"lon\","
        "\"target\":\"icmp:192.0.2.1\",\"outcome\":\"ok\",\"rtt_ms\":1}\n"
        "{\"type\":\"tick\",\"time\":\"1970-01-01T00:01:57Z\"}\n";
    make_folder(folder);
    write_file(folder, "log", text, sizeof text - 1);
    struct run run;
    const char *paths[] = {folder};
    assert_int_equal(replay(&run, paths, 1), ERR_OK);
    assert_string_equal(run.text.bytes, "00:01:41Z probe icmp:192.0.2.1\n00:01:57Z tick \n");
    run_done(&run);
    drop_folder(folder);
}

/* A log whose first lines are damaged is a log all the same. */
static void test_damaged_start(void **state)
{
    (void)state;
    char folder[64];
    struct buffer file = {0};
    make_folder(folder);
    buffer_puts(&file, "\xef\xbb\xbf# a comment\n  \n\n");
    buffer_puts(&file, log_text);
    write_file(folder, "log", file.bytes, file.size);
    struct run run;
    const char *paths[] = {folder};
    assert_int_equal(replay(&run, paths, 1), ERR_OK);
    assert_int_equal(run.counts.bad, 1);
    assert_non_null(strstr(run.faults.bytes, "log:1: not JSON"));
    assert_non_null(strstr(run.text.bytes, "00:01:44Z probe icmp:192.0.2.1\n"));
    run_done(&run);
    drop_folder(folder);
    buffer_done(&file);
}

static void test_named_twice(void **state)
{
    (void)state;
    char folder[64], file[80];
    make_folder(folder);
    write_file(folder, "log", log_text, sizeof log_text - 1);
    snprintf(file, sizeof file, "%s/log", folder);
    const char *twice[][2] = {{folder, file}, {"-", "-"}};
    for (size_t i = 0; i < 2; i++) {
        struct run run;
        assert_int_equal(replay(&run, twice[i], 2), ERR_USAGE);
        assert_non_null(strstr(run.why.text, i ? "standard input" : file));
        assert_int_equal(run.text.size, 0);
        run_done(&run);
    }
    drop_folder(folder);
}

static void test_missing(void **state)
{
    (void)state;
    char folder[64];
    make_folder(folder);
    struct run run;
    const char *paths[] = {"/tmp/lastlight no such file"};
    assert_int_equal(replay(&run, paths, 1), ERR_NOT_FOUND);
    assert_int_equal(run.text.size, 0);
    run_done(&run);
    paths[0] = folder;
    assert_int_equal(replay(&run, paths, 1), ERR_NOT_FOUND);
    assert_non_null(strstr(run.why.text, "there is no file in this folder"));
    run_done(&run);
    drop_folder(folder);
}

static void test_standard_input(void **state)
{
    (void)state;
    int ends[2], kept = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], log_text, sizeof log_text - 1), sizeof log_text - 1);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    struct run run;
    const char *paths[] = {"-"};
    assert_int_equal(replay(&run, paths, 1), ERR_OK);
    assert_string_equal(run.text.bytes, "00:01:39Z tick \n"
                                        "00:01:41Z probe icmp:192.0.2.1\n"
                                        "00:01:44Z probe icmp:192.0.2.1\n"
                                        "00:02:00Z tick \n");
    assert_int_equal(run.total, 0);
    run_done(&run);
    dup2(kept, STDIN_FILENO);
    close(kept);
}

/* A gap wherever there is no archive. */
static void test_holes(void **state)
{
    (void)state;
    char folder[64];
    struct buffer file = {0};
    make_folder(folder);
    archive_update(&file, 105, "9.1.0.0/16", NULL, NULL);
    archive_update(&file, 120, "9.2.0.0/16", NULL, NULL);
    write_file(folder, "updates", file.bytes, file.size);
    struct run run;
    const char *paths[] = {folder};
    const struct site_hole holes[] = {{{90 * NS_PER_S}, {95 * NS_PER_S}},
                                      {{106 * NS_PER_S}, {119 * NS_PER_S}},
                                      {{130 * NS_PER_S}, {140 * NS_PER_S}}};
    struct replay_options gaps = {.collector = "rrc00", .holes = holes, .hole_count = 3};
    assert_int_equal(replay_with(&run, paths, 1, &gaps), ERR_OK);
    assert_string_equal(run.text.bytes, "00:01:30Z gap \n"
                                        "00:01:45Z peer \n"
                                        "00:01:45Z route 9.1.0.0/16\n"
                                        "00:01:46Z gap \n"
                                        "00:02:00Z route 9.2.0.0/16\n"
                                        "00:02:10Z gap \n"
                                        "00:02:26Z tick \n");
    run_done(&run);
    buffer_done(&file);
    drop_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_many_files),
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_nothing_readable),
        cmocka_unit_test(test_settled),
        cmocka_unit_test(test_damaged_start),
        cmocka_unit_test(test_named_twice),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_standard_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
