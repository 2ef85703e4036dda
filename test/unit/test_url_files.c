/* source/web/url_files by way of source/mrt/route_files: archives of the web among files, merged as if all
 * lay here; and what is missing is told. */
#include "archive_maker.h"
#include "source/mrt/route_files.h"
#include "sys/output.h"
#include "web_trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { START = 1644211800 /* 2022-02-07T05:30:00Z */, FILES = 4 };

static struct buffer packed[FILES]; /* each 5 minutes of two updates, of gzip */

/* sys/output packs what ends in .gz. */
static void pack(const struct buffer *plain, struct buffer *out)
{
    struct output *output;
    struct why why;
    assert_int_equal(output_open("packed.gz", &output, &why), ERR_OK);
    enum err err = output_write(output, plain->bytes, plain->size, &why);
    assert_int_equal(output_close(output, err, &why), ERR_OK);
    assert_int_equal(cache_file_load("packed.gz", 1000 * 1000, out, &why), ERR_OK);
    unlink("packed.gz");
}

static int setup(void **state)
{
    if (trial_setup(state))
        return -1;
    for (unsigned i = 0; i < FILES; i++) {
        struct buffer plain = {0};
        char prefix[32];
        snprintf(prefix, sizeof prefix, "10.%u.0.0/16", i);
        archive_update(&plain, START + 300 * i + 10, NULL, "65000 4837", prefix);
        archive_update(&plain, START + 300 * i + 290, prefix, NULL, NULL);
        pack(&plain, &packed[i]);
        buffer_done(&plain);
    }
    return 0;
}

static int teardown(void **state)
{
    for (size_t i = 0; i < FILES; i++)
        buffer_done(&packed[i]);
    return trial_teardown(state);
}

static const char *const names[FILES] = {
    "/rrc00/2022.02/updates.20220207.0530.gz", "/rrc00/2022.02/updates.20220207.0535.gz",
    "/rrc00/2022.02/updates.20220207.0540.gz", "/rrc00/2022.02/updates.20220207.0545.gz"};

/* The pages as they should be; a test spoils some. */
struct run {
    struct web_page pages[FILES];
    struct web_server *server;
    bool may_lack;
    struct route_files *files;
    enum err err;
    struct why why;
    struct stream_faults faults;
    struct buffer elements, told;
};

static void note(void *context, const struct element *element)
{
    struct run *run = context;
    const struct route_file *file = route_files_current(run->files);
    buffer_printf(&run->elements, "%c%d:%s ", element->kind == ELEMENT_ANNOUNCE ? '+' : '-',
                  (int)(element->time.ns / NS_PER_S - START), file->collector);
}

static void keep(void *context, const char *text)
{
    buffer_printf(&((struct run *)context)->told, "%s\n", text);
}

static void note_lost(void *context, struct site_hole hole)
{
    struct run *run = context;
    buffer_printf(&run->elements, "[%d-%d] ", (int)(hole.from.ns / NS_PER_S - START),
                  (int)(hole.until.ns / NS_PER_S - START));
}

static void prepare(struct run *run)
{
    *run = (struct run){.faults = {.report = keep}};
    run->faults.context = run;
    for (size_t i = 0; i < FILES; i++)
        run->pages[i] = (struct web_page){.path = names[i],
                                          .bytes = packed[i].bytes,
                                          .size = packed[i].size,
                                          .modified = LONG_AGO};
    run->server = web_server_start(run->pages, FILES, NULL);
    buffer_puts(&run->elements, "");
    buffer_puts(&run->told, "");
}

static void finish(struct run *run)
{
    web_server_stop(run->server);
    buffer_done(&run->elements);
    buffer_done(&run->told);
}

static void read_paths(struct run *run, const char *const *paths, size_t count, bool has_web)
{
    struct web_cache_options cache;
    web_cache_options_init(&cache, "cache");
    cache.attempts = 2;
    cache.backoff_ns = NS_PER_MS;
    struct route_files_options options = {
        .paths = paths,
        .path_count = count,
        .take = note,
        .context = run,
        .web = {.may_lack = run->may_lack, .lost = note_lost, .context = run}};
    options.web.cache = has_web ? web_cache_new(&cache) : NULL;
    run->err = route_files_open(&options, &run->faults, &run->files, &run->why);
    if (!run->err)
        run->err = route_files_run(run->files, &run->why);
    route_files_free(run->files);
    run->files = NULL;
    web_cache_free(options.web.cache);
}

/* All four, given in another order than theirs. */
static void read_all(struct run *run)
{
    static const size_t order[FILES] = {2, 0, 3, 1};
    char text[FILES][128];
    const char *urls[FILES];
    for (size_t i = 0; i < FILES; i++) {
        snprintf(text[i], sizeof text[i], "http://127.0.0.1:%u%s", web_server_port(run->server),
                 names[order[i]]);
        urls[i] = text[i];
    }
    read_paths(run, urls, FILES, true);
}

#define ALL                                                                                        \
    "+10:rrc00 -290:rrc00 +310:rrc00 -590:rrc00 +610:rrc00 -890:rrc00 +910:rrc00 -1190:rrc00 "

static void test_all(void **state)
{
    (void)state;
    struct run run;
    struct web_seen seen[WEB_SEEN_MAX];
    prepare(&run);
    read_all(&run);
    assert_int_equal(run.err, ERR_OK);
    assert_string_equal(run.elements.bytes, ALL);
    assert_string_equal(run.told.bytes, "");
    assert_int_equal(web_server_seen(run.server, seen), FILES);
    for (size_t i = 0; i < FILES; i++) /* fetched in the order in which they are read */
        assert_string_equal(seen[i].path, names[i]);
    buffer_clear(&run.elements);
    read_all(&run);
    assert_string_equal(run.elements.bytes, ALL);
    assert_int_equal(web_server_seen(run.server, seen), FILES);
    finish(&run);
}

/* Files that lie here take their place between those of the web. */
static void test_among_files(void **state)
{
    (void)state;
    struct run run;
    struct buffer plain = {0};
    char path[] = "rrc01.mrt.XXXXXX", url[128];
    prepare(&run);
    archive_update(&plain, START + 5, NULL, "65000 4837", "192.0.2.0/24");
    archive_update(&plain, START + 100, NULL, "65000 4838", "192.0.2.0/24");
    archive_update(&plain, START + 400, NULL, "65000 4839", "192.0.2.0/24");
    archive_write(path, plain.bytes, plain.size);
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", web_server_port(run.server), names[0]);
    const char *paths[] = {url, path};
    read_paths(&run, paths, 2, true);
    assert_int_equal(run.err, ERR_OK);
    assert_string_equal(run.elements.bytes, "+5:rrc01 +10:rrc00 +100:rrc01 -290:rrc00 +400:rrc01 ");
    unlink(path);
    buffer_done(&plain);
    finish(&run);
}

/* One cannot be had: it is told, and the rest is read. */
static void test_missing(void **state)
{
    (void)state;
    struct run run;
    char expected[256];
    prepare(&run);
    run.pages[1].status = 500;
    run.pages[2].status = 404;
    read_all(&run);
    assert_int_equal(run.err, ERR_INPUT);
    assert_string_equal(run.why.text,
                        "2 of 4 archives could not be fetched: of their times nothing "
                        "is known; all else was used");
    assert_int_equal(run.faults.missing, 2);
    assert_int_equal(run.faults.bad, 0);
    assert_string_equal(run.elements.bytes,
                        "+10:rrc00 -290:rrc00 [300-600] [600-900] +910:rrc00 -1190:rrc00 ");
    snprintf(
        expected, sizeof expected,
        "http://127.0.0.1:%u/rrc00/2022.02/updates.20220207.0535.gz: the server answers 500 (its "
        "own failure); tried 2 times; run it again later, what came is kept\n",
        web_server_port(run.server));
    assert_memory_equal(run.told.bytes, expected, strlen(expected));
    assert_non_null(strstr(run.told.bytes, "0540.gz: the server answers 404 (not found)\n"));
    finish(&run);
}

/* Names that were only computed: what is not there is told once, and no failure, unless it is all. */
static void test_lacking(void **state)
{
    (void)state;
    struct run run;
    char expected[256];
    prepare(&run);
    run.may_lack = true;
    run.pages[1].status = run.pages[3].status = 404;
    read_all(&run);
    assert_int_equal(run.err, ERR_OK);
    assert_string_equal(run.elements.bytes,
                        "+10:rrc00 -290:rrc00 [300-600] +610:rrc00 -890:rrc00 [900-1200] ");
    snprintf(expected, sizeof expected,
             "2 of 4 archives are not there, the first of them http://127.0.0.1:%u%s: of their "
             "times nothing is known\n",
             web_server_port(run.server), names[1]);
    assert_string_equal(run.told.bytes, expected);
    trial_clean(state);
    run.pages[0].status = run.pages[2].status = 404;
    read_all(&run);
    assert_int_equal(run.err, ERR_INPUT);
    assert_string_equal(run.why.text, "none of the archives is there");
    finish(&run);
}

/* What came is not what it should be: told with the file that lies here. */
static void test_damaged(void **state)
{
    (void)state;
    struct run run;
    prepare(&run);
    run.pages[1].size -= 30;
    read_all(&run);
    assert_int_equal(run.err, ERR_INPUT);
    assert_non_null(strstr(run.told.bytes, "cache/127.0.0.1:"));
    assert_non_null(strstr(run.told.bytes, "updates.20220207.0535.gz: byte "));
    assert_non_null(strstr(run.elements.bytes, "-1190:rrc00 "));
    finish(&run);
}

static void test_refused(void **state)
{
    (void)state;
    struct run run;
    static const char *const url[] = {"http://127.0.0.1/a.gz"};
    static const char *const twice[] = {"http://127.0.0.1/a.gz", "http://127.0.0.1/a.gz"};
    prepare(&run);
    read_paths(&run, url, 1, false);
    assert_int_equal(run.err, ERR_UNSUPPORTED);
    assert_string_equal(run.why.text, "http://127.0.0.1/a.gz: is a URL; expected a file here");
    read_paths(&run, twice, 2, true);
    assert_int_equal(run.err, ERR_USAGE);
    finish(&run);
}

static void test_spans(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "https://data.ris.ripe.net/rrc00/2022.02/bview.20220207.0000.gz",
        "https://data.ris.ripe.net/rrc00/2022.02/updates.20220207.0530.gz",
        "https://data.ris.ripe.net/rrc00/2022.02/bview.20220207.0532.gz",
        "https://data.ris.ripe.net/rrc00/2022.02/updates.20220207.0534.gz",
        "https://data.ris.ripe.net/rrc00/2022.02/updates.20220207.0550.gz",
        "https://archive.routeviews.org/bgpdata/2022.02/UPDATES/updates.20220207.0600.bz2",
        "https://a/latest.gz"};
    static const int spans[][2] = {{0, 0},       {0, 240},     {0, 0}, {240, 540},
                                   {1200, 1500}, {1800, 2700}, {0, 0}};
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct site_hole hole;
        assert_int_equal(url_span(urls, COUNT(urls), i, &hole), spans[i][1] != 0);
        if (!spans[i][1])
            continue;
        assert_int_equal(hole.from.ns / NS_PER_S - START, spans[i][0]);
        assert_int_equal(hole.until.ns / NS_PER_S - START, spans[i][1]);
    }
}

static void test_times(void **state)
{
    (void)state;
    assert_int_equal(url_time("https://a/b/updates.20220207.0530.gz").ns, START * NS_PER_S);
    assert_int_equal(url_time("https://a/b/latest.gz").ns, 0);
    assert_int_equal(url_time("").ns, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_all, trial_clean),
        cmocka_unit_test_teardown(test_among_files, trial_clean),
        cmocka_unit_test_teardown(test_missing, trial_clean),
        cmocka_unit_test_teardown(test_lacking, trial_clean),
        cmocka_unit_test_teardown(test_damaged, trial_clean),
        cmocka_unit_test_teardown(test_refused, trial_clean),
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
