/* source/mrt/route_files: archives merged by time, opened when it is their turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "archive_maker.h"
#include "source/mrt/route_files.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <zstd.h>

struct run {
    struct route_files *files;
    struct buffer text; /* a line for each element */
    struct buffer faults;
    struct stream_faults counts;
    struct element_counts elements;
    struct why why;
    enum err err;
    unsigned stop_after;
    unsigned taken;
    unsigned progress_calls;
    uint64_t done, total;
};

static int enter(void **state)
{
    char *folder = strdup("/tmp/lastlight-files-XXXXXX");
    *state = folder;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", (char *)*state);
    free(*state);
    return chdir("/") == 0 ? system(command) : -1;
}

/* Writes an archive and frees the buffer. */
static void write_file(const char *name, struct buffer *file)
{
    FILE *out = fopen(name, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(file->bytes, 1, file->size, out), file->size);
    fclose(out);
    buffer_done(file);
}

/* "SECONDS[.MICROSECONDS] INDEX RECORD PEER PREFIX" */
static void note(void *context, const struct element *element)
{
    struct run *run = context;
    char addr[ADDR_TEXT_MAX], prefix[PREFIX_TEXT_MAX];
    const struct route_file *file = route_files_current(run->files);
    buffer_printf(&run->text, "%u", (unsigned)(element->time.ns / NS_PER_S));
    if (element->time.ns % NS_PER_S)
        buffer_printf(&run->text, ".%06u", (unsigned)(element->time.ns % NS_PER_S / 1000));
    buffer_printf(&run->text, " %u %u %s %s\n", (unsigned)file->index, (unsigned)file->record,
                  addr_format(&element->peer->addr, addr), prefix_format(&element->prefix, prefix));
    if (++run->taken == run->stop_after)
        route_files_stop(run->files);
}

static void note_fault(void *context, const char *fault)
{
    buffer_printf(context, "%s\n", fault);
}

static void note_progress(void *context, uint64_t done, uint64_t total, uint64_t elements)
{
    struct run *run = context;
    (void)elements;
    assert_true(done >= run->done);
    run->done = done;
    run->total = total;
    run->progress_calls++;
}

static void begin_run(struct run *run)
{
    *run = (struct run){.counts = {.report = note_fault}};
    run->counts.context = &run->faults;
    buffer_puts(&run->text, "");
    buffer_puts(&run->faults, "");
}

static void go_on(struct run *run, const char *const *paths, size_t count)
{
    struct route_files_options options = {.paths = paths,
                                          .path_count = count,
                                          .take = note,
                                          .progress = note_progress,
                                          .context = run};
    run->err = route_files_open(&options, &run->counts, &run->files, &run->why);
    if (!run->err)
        run->err = route_files_run(run->files, &run->why);
    if (run->files)
        run->elements = route_files_counts(run->files);
    route_files_free(run->files);
    run->files = NULL;
}

static void run_done(struct run *run)
{
    buffer_done(&run->text);
    buffer_done(&run->faults);
}

static void check(const char *const *paths, size_t count, const char *text)
{
    struct run run;
    begin_run(&run);
    go_on(&run, paths, count);
    if (run.err)
        fail_msg("%s", run.why.text);
    assert_string_equal(run.text.bytes, text);
    assert_string_equal(run.faults.bytes, "");
    run_done(&run);
}

static void test_merge(void **state)
{
    (void)state;
    struct buffer a = {0}, b = {0}, c = {0};
    archive_update(&a, 1000, "9.1.0.0/16", NULL, NULL);
    archive_update(&a, 1003, "9.2.0.0/16 9.3.0.0/16", NULL, NULL);
    archive_update(&a, 1009, "9.4.0.0/16", NULL, NULL);
    archive_update(&b, 1003, NULL, "65000 1", "9.5.0.0/16");
    archive_update(&b, 1004, "9.6.0.0/16", NULL, NULL);
    archive_update(&c, 1001, "9.7.0.0/16", NULL, NULL);
    archive_update(&c, 1009, "9.8.0.0/16", NULL, NULL);
    write_file("a", &a);
    write_file("b", &b);
    write_file("c", &c);
    check((const char *[]){"a", "b", "c"}, 3,
          "1000 0 1 192.0.2.9 9.1.0.0/16\n"
          "1001 2 1 192.0.2.9 9.7.0.0/16\n"
          "1003 0 2 192.0.2.9 9.2.0.0/16\n"
          "1003 0 2 192.0.2.9 9.3.0.0/16\n"
          "1003 1 1 192.0.2.9 9.5.0.0/16\n"
          "1004 1 2 192.0.2.9 9.6.0.0/16\n"
          "1009 0 3 192.0.2.9 9.4.0.0/16\n"
          "1009 2 2 192.0.2.9 9.8.0.0/16\n");
    /* Ties go by the order of the paths, whatever they are called. */
    check((const char *[]){"c", "a"}, 2,
          "1000 1 1 192.0.2.9 9.1.0.0/16\n"
          "1001 0 1 192.0.2.9 9.7.0.0/16\n"
          "1003 1 2 192.0.2.9 9.2.0.0/16\n"
          "1003 1 2 192.0.2.9 9.3.0.0/16\n"
          "1009 0 2 192.0.2.9 9.8.0.0/16\n"
          "1009 1 3 192.0.2.9 9.4.0.0/16\n");
}

/* Within a file records stay as they are, also those that come late. */
static void test_late_records(void **state)
{
    (void)state;
    struct buffer a = {0}, b = {0};
    archive_update(&a, 1000, "9.1.0.0/16", NULL, NULL);
    archive_update(&a, 1005, "9.2.0.0/16", NULL, NULL);
    archive_update(&a, 1001, "9.3.0.0/16", NULL, NULL);
    archive_update(&b, 1002, "9.4.0.0/16", NULL, NULL);
    archive_update(&b, 1006, "9.5.0.0/16", NULL, NULL);
    write_file("a", &a);
    write_file("b", &b);
    check((const char *[]){"a", "b"}, 2,
          "1000 0 1 192.0.2.9 9.1.0.0/16\n"
          "1002 1 1 192.0.2.9 9.4.0.0/16\n"
          "1005 0 2 192.0.2.9 9.2.0.0/16\n"
          "1001 0 3 192.0.2.9 9.3.0.0/16\n"
          "1006 1 2 192.0.2.9 9.5.0.0/16\n");
}

static void test_microseconds(void **state)
{
    (void)state;
    struct buffer a = {0}, b = {0};
    archive_update(&a, 1000, "9.1.0.0/16", NULL, NULL);
    archive_make_extended(&a, 500000);
    archive_update(&b, 1000, "9.2.0.0/16", NULL, NULL);
    archive_make_extended(&b, 499999);
    write_file("a", &a);
    write_file("b", &b);
    check((const char *[]){"a", "b"}, 2,
          "1000.499999 1 1 192.0.2.9 9.2.0.0/16\n"
          "1000.500000 0 1 192.0.2.9 9.1.0.0/16\n");
}

/* Each file's entries are of its own peers, also where the dumps lie across each other. */
static void test_peers_of_each(void **state)
{
    (void)state;
    struct buffer a = {0}, b = {0};
    archive_peer_table(&a, 1000, "192.0.2.1 65001 192.0.2.2 65002");
    archive_rib(&a, 1001, "9.1.0.0/16", "0 1");
    archive_rib(&a, 1003, "9.2.0.0/16", "1");
    archive_peer_table(&b, 1000, "192.0.2.7 65007");
    archive_rib(&b, 1002, "9.1.0.0/16", "0");
    archive_rib(&b, 1003, "9.2.0.0/16", "0");
    write_file("a", &a);
    write_file("b", &b);
    check((const char *[]){"a", "b"}, 2,
          "1001 0 2 192.0.2.1 9.1.0.0/16\n"
          "1001 0 2 192.0.2.2 9.1.0.0/16\n"
          "1002 1 2 192.0.2.7 9.1.0.0/16\n"
          "1003 0 3 192.0.2.2 9.2.0.0/16\n"
          "1003 1 3 192.0.2.7 9.2.0.0/16\n");
}

/* A damaged one in the middle costs nothing of the others; neither does what is no archive. */
static void test_damaged(void **state)
{
    (void)state;
    struct buffer a = {0}, b = {0}, c = {0}, d = {0}, e = {0};
    assert_int_equal(mkdir("day", 0777), 0);
    archive_update(&a, 1000, "9.1.0.0/16", NULL, NULL);
    archive_update(&b, 1001, "9.2.0.0/16", NULL, NULL);
    archive_update(&b, 1002, "9.3.0.0/16", NULL, NULL);
    b.size -= 3;
    archive_update(&c, 1003, "9.4.0.0/16", NULL, NULL);
    archive_message(&c, 1004, 2, "\0\x09", 2);
    archive_update(&c, 1005, "9.5.0.0/16", NULL, NULL);
    buffer_puts(&d, "This is a README.");
    write_file("day/a", &a);
    write_file("day/b-cut", &b);
    write_file("day/c-bad-record", &c);
    write_file("day/d-none", &d);
    buffer_puts(&e, "");
    write_file("day/e-empty", &e);
    struct run run;
    begin_run(&run);
    go_on(&run, (const char *[]){"day"}, 1);
    assert_int_equal(run.err, ERR_INPUT);
    assert_string_equal(run.why.text, "parts of the input are damaged; all else was used");
    assert_string_equal(run.text.bytes, "1000 0 1 192.0.2.9 9.1.0.0/16\n"
                                        "1001 1 1 192.0.2.9 9.2.0.0/16\n"
                                        "1003 2 1 192.0.2.9 9.4.0.0/16\n"
                                        "1005 2 3 192.0.2.9 9.5.0.0/16\n");
    assert_string_equal(
        run.faults.bytes,
        "day/d-none: there is no MRT record in it, nor is it anything else that is read here\n"
        "day/b-cut: byte 58: the file ends within this record\n"
        "day/c-bad-record: byte 58: the lengths within the UPDATE do not fit\n");
    assert_int_equal(run.counts.bad, 3);
    assert_int_equal(run.counts.records, 5);
    assert_int_equal(run.elements.of[ELEMENT_WITHDRAW], 4);
    assert_int_equal(run.elements.of_family[0], 4);
    run_done(&run);
}

/* Where nothing could be read nothing is said to have been used. */
static void test_nothing_readable(void **state)
{
    (void)state;
    struct buffer readme = {0}, cut = {0};
    struct run run;
    buffer_puts(&readme, "This is a README.");
    archive_update(&cut, 1000, "9.1.0.0/16", NULL, NULL);
    cut.size -= 3;
    write_file("readme", &readme);
    write_file("cut", &cut);
    begin_run(&run);
    go_on(&run, (const char *[]){"cut", "readme"}, 2);
    assert_int_equal(run.err, ERR_INPUT);
    assert_string_equal(run.why.text, "nothing in the input could be read");
    assert_string_equal(run.text.bytes, "");
    assert_int_equal(run.counts.bad, 2);
    run_done(&run);
}

static void test_stop(void **state)
{
    (void)state;
    struct buffer a = {0}, b = {0};
    archive_update(&a, 1000, "9.1.0.0/16", NULL, NULL);
    archive_update(&a, 1003, "9.2.0.0/16 9.3.0.0/16", NULL, NULL);
    archive_update(&a, 1004, "9.4.0.0/16", NULL, NULL);
    archive_update(&b, 1003, "9.5.0.0/16", NULL, NULL);
    write_file("a", &a);
    write_file("b", &b);
    struct run run;
    begin_run(&run);
    run.stop_after = 2;
    go_on(&run, (const char *[]){"a", "b"}, 2);
    assert_int_equal(run.err, ERR_OK);
    assert_string_equal(run.text.bytes, "1000 0 1 192.0.2.9 9.1.0.0/16\n"
                                        "1003 0 2 192.0.2.9 9.2.0.0/16\n"
                                        "1003 0 2 192.0.2.9 9.3.0.0/16\n");
    run_done(&run);
}

/* Names that tell when archives begin are believed, but only where they told the truth before. */
static void test_names(void **state)
{
    (void)state;
    enum { NOON = 1644235200 /* 2022-02-07T12:00:00Z */ };
    static const struct {
        const char *path;
        unsigned minute; /* of its only record */
    } files[] = {
        /* Of the first the name is right, so that the fourth, of which it is not, comes when that says. */
        {"a/updates.20220207.1200.gz", 0},
        {"a/updates.20220207.1205.gz", 5},
        {"a/updates.20220207.1210.gz", 10},
        {"a/updates.20220207.1240.gz", 20},
        /* Of the first it is wrong, and all are looked into; so are those of another kind. */
        {"b/updates.20220207.0300.gz", 1},
        {"b/updates.20220207.0305.gz", 21},
        {"a/rib.20220207.0000.bz2", 22},
        {"a/rib.20220207.0200.bz2", 2},
        {"a/other", 30},
    };
    assert_int_equal(mkdir("a", 0777), 0);
    assert_int_equal(mkdir("b", 0777), 0);
    const char *paths[sizeof files / sizeof *files];
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
        struct buffer file = {0};
        char prefix[32];
        snprintf(prefix, sizeof prefix, "9.%u.0.0/16", i);
        archive_update(&file, NOON + files[i].minute * 60, prefix, NULL, NULL);
        write_file(files[i].path, &file);
        paths[i] = files[i].path;
    }
    check(paths, sizeof files / sizeof *files,
          "1644235200 0 1 192.0.2.9 9.0.0.0/16\n"
          "1644235260 4 1 192.0.2.9 9.4.0.0/16\n"
          "1644235320 7 1 192.0.2.9 9.7.0.0/16\n"
          "1644235500 1 1 192.0.2.9 9.1.0.0/16\n"
          "1644235800 2 1 192.0.2.9 9.2.0.0/16\n"
          "1644236460 5 1 192.0.2.9 9.5.0.0/16\n"
          "1644236520 6 1 192.0.2.9 9.6.0.0/16\n"
          "1644237000 8 1 192.0.2.9 9.8.0.0/16\n"
          "1644236400 3 1 192.0.2.9 9.3.0.0/16\n");
}

static void make_many(unsigned count, unsigned records, unsigned seconds_between)
{
    assert_int_equal(mkdir("many", 0777), 0);
    for (unsigned i = 0; i < count; i++) {
        struct buffer file = {0};
        char name[64], prefix[32];
        for (unsigned j = 0; j < records; j++) {
            snprintf(prefix, sizeof prefix, "9.%u.%u.0/24", i % 256, j);
            archive_update(&file, 1000 + i + j * seconds_between, prefix, NULL, NULL);
        }
        snprintf(name, sizeof name, "many/%03u", (i * 37 + 11) % count);
        write_file(name, &file);
    }
}

/* More files than may be open at once, in another order than that of their times, one compressed. */
static void test_many(void **state)
{
    (void)state;
    enum { FILES = 300, OPEN = 24 };
    struct rlimit before;
    make_many(FILES, 1, 0);
    uint8_t packed[1000];
    struct buffer file = {0}, small = {0};
    archive_update(&file, 1500, "9.0.0.0/8", NULL, NULL);
    buffer_add(&small, packed, ZSTD_compress(packed, sizeof packed, file.bytes, file.size, 1));
    write_file("many/000-last", &small);
    buffer_done(&file);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit few = {.rlim_cur = OPEN, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    struct run run;
    begin_run(&run);
    go_on(&run, (const char *[]){"many"}, 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    if (run.err)
        fail_msg("%s", run.why.text);
    unsigned seconds = 1000;
    for (const char *at = run.text.bytes; *at; at = strchr(at, '\n') + 1, seconds++)
        assert_int_equal(strtoul(at, NULL, 10), seconds == 1300 ? 1500 : seconds);
    assert_int_equal(seconds, 1301);
    assert_int_equal(run.elements.of[ELEMENT_WITHDRAW], FILES + 1);
    assert_true(run.progress_calls > 0);
    assert_true(run.total > 0);
    assert_int_equal(run.done, run.total);
    run_done(&run);
}

/* A merge needs all of those open that lie across each other, and there is an end to that. */
static void test_too_many_at_once(void **state)
{
    (void)state;
    make_many(ROUTE_FILES_OPEN_MAX + 1, 2, 10000);
    struct run run;
    begin_run(&run);
    go_on(&run, (const char *[]){"many"}, 1);
    assert_int_equal(run.err, ERR_LIMIT);
    assert_non_null(strstr(run.why.text, "more than 256 archives lie across each other"));
    run_done(&run);
}

static void note_collector(void *context, const struct element *element)
{
    const struct run *run = context;
    const struct route_file *file = route_files_current(run->files);
    (void)element;
    buffer_printf(&((struct run *)context)->text, "%s %s\n", file->path,
                  file->collector ? file->collector : "?");
}

static void test_collector(void **state)
{
    (void)state;
    static const char *const names[] = {"rrc00.updates", "other"};
    static const char *const given[] = {NULL, "mine"};
    static const char *const texts[] = {"rrc00.updates rrc00\nother ?\n",
                                        "rrc00.updates mine\nother mine\n"};
    for (unsigned i = 0; i < 2; i++) {
        struct buffer file = {0};
        archive_update(&file, 1000 + i, "9.1.0.0/16", NULL, NULL);
        write_file(names[i], &file);
    }
    for (size_t i = 0; i < 2; i++) {
        struct run run;
        begin_run(&run);
        struct route_files_options options = {.paths = names,
                                              .path_count = 2,
                                              .collector = given[i],
                                              .take = note_collector,
                                              .context = &run};
        assert_int_equal(route_files_open(&options, &run.counts, &run.files, &run.why), ERR_OK);
        assert_int_equal(route_files_run(run.files, &run.why), ERR_OK);
        assert_string_equal(run.text.bytes, texts[i]);
        assert_null(route_files_current(run.files));
        route_files_free(run.files);
        run_done(&run);
    }
}

static void test_filter_and_count(void **state)
{
    (void)state;
    struct element_filter filter = {.kinds = 1 << ELEMENT_ANNOUNCE};
    struct buffer file = {0};
    archive_update(&file, 1000, "9.1.0.0/16", "65000 1", "9.2.0.0/16 9.3.0.0/16");
    write_file("a", &file);
    struct run run;
    begin_run(&run);
    struct route_files_options options = {
        .paths = (const char *[]){"a"}, .path_count = 1, .filter = &filter};
    assert_int_equal(route_files_open(&options, &run.counts, &run.files, &run.why), ERR_OK);
    assert_int_equal(route_files_run(run.files, &run.why), ERR_OK);
    struct element_counts counts = route_files_counts(run.files);
    assert_int_equal(counts.of[ELEMENT_ANNOUNCE], 2);
    assert_int_equal(counts.of[ELEMENT_WITHDRAW], 0);
    assert_int_equal(counts.records, 1);
    route_files_free(run.files);
    run_done(&run);
}

static void test_refused(void **state)
{
    (void)state;
    struct buffer file = {0}, log = {0};
    archive_update(&file, 1000, "9.1.0.0/16", NULL, NULL);
    write_file("a", &file);
    buffer_puts(&log, "{\"type\":\"tick\",\"time\":\"1970-01-01T00:01:39Z\"}\n");
    write_file("log", &log);
    static const struct {
        const char *paths[2];
        const char *said;
    } table[] = {
        {{"a", "none"}, "none: cannot be read: No such file or directory"},
        {{"a", "a"}, "a: named twice; once is enough"},
        {{"a", "log"}, "log: is an observation log; expected an MRT archive, BMP or RIS Live"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct run run;
        begin_run(&run);
        go_on(&run, table[i].paths, 2);
        assert_int_not_equal(run.err, ERR_OK);
        assert_string_equal(run.why.text, table[i].said);
        assert_string_equal(run.text.bytes, "");
        run_done(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_merge, enter, leave),
        cmocka_unit_test_setup_teardown(test_late_records, enter, leave),
        cmocka_unit_test_setup_teardown(test_microseconds, enter, leave),
        cmocka_unit_test_setup_teardown(test_peers_of_each, enter, leave),
        cmocka_unit_test_setup_teardown(test_damaged, enter, leave),
        cmocka_unit_test_setup_teardown(test_nothing_readable, enter, leave),
        cmocka_unit_test_setup_teardown(test_stop, enter, leave),
        cmocka_unit_test_setup_teardown(test_names, enter, leave),
        cmocka_unit_test_setup_teardown(test_many, enter, leave),
        cmocka_unit_test_setup_teardown(test_too_many_at_once, enter, leave),
        cmocka_unit_test_setup_teardown(test_collector, enter, leave),
        cmocka_unit_test_setup_teardown(test_filter_and_count, enter, leave),
        cmocka_unit_test_setup_teardown(test_refused, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
