/* source/web/archive_list and fetch_ahead: from a collector and a span of time to files, one after the
 * other. */
#include "source/web/archive_list.h"
#include "source/web/fetch_ahead.h"
#include "web_trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINK(name) "<tr><td><a href=\"" name "\">" name "</a></td></tr>\n"
#define PAGE(text) .bytes = (text), .size = sizeof(text) - 1

static struct web_cache *cache_new(void)
{
    struct web_cache_options options;
    web_cache_options_init(&options, "cache");
    options.attempts = 2;
    options.backoff_ns = NS_PER_MS;
    options.stall_ns = 5 * NS_PER_S;
    return web_cache_new(&options);
}

static struct utc at(const char *text)
{
    struct utc time;
    assert_int_equal(utc_parse(text, strlen(text), &time), strlen(text));
    return time;
}

static void keep(void *context, const char *text)
{
    buffer_printf(context, "%s\n", text);
}

/* What is asked, and what came of it: the names of the files with a space after each, and what was told. */
struct asking {
    struct web_server *server;
    struct archive_span span;
    enum err err;
    struct why why;
    struct utc from;
    struct buffer names, told;
    size_t requests; /* of the server in all */
};

static void ask(struct asking *asking, const char *collector, const char *from, const char *until)
{
    char site[64];
    struct web_seen seen[WEB_SEEN_MAX];
    struct archive_listener listener = {keep, &asking->told};
    struct archive_list list;
    struct web_cache *cache = cache_new();
    snprintf(site, sizeof site, "http://127.0.0.1:%u", web_server_port(asking->server));
    asking->span.collector = collector;
    asking->span.site = site;
    asking->span.from = at(from);
    asking->span.until = at(until);
    if (!utc_is_known(asking->span.now))
        asking->span.now = at("2023-01-01T00:00:00Z");
    buffer_clear(&asking->names);
    buffer_clear(&asking->told);
    buffer_puts(&asking->names, "");
    buffer_puts(&asking->told, "");
    asking->why = (struct why){.text = ""};
    asking->err = archive_list_make(&asking->span, cache, &listener, &list, &asking->why);
    for (size_t i = 0; !asking->err && i < list.choice.count; i++) {
        assert_memory_equal(list.choice.files[i].url, site, strlen(site));
        buffer_printf(&asking->names, "%s ", list.choice.files[i].url + strlen(site));
    }
    if (!asking->err) {
        asking->from = list.from;
        arena_done(&list.arena);
    }
    web_cache_free(cache);
    asking->requests = web_server_seen(asking->server, seen);
}

static void begin(struct asking *asking, struct web_page *pages, size_t count)
{
    *asking = (struct asking){.server = web_server_start(pages, count, NULL)};
}

static void end(struct asking *asking)
{
    web_server_stop(asking->server);
    buffer_done(&asking->names);
    buffer_done(&asking->told);
}

static const char youtube[] = LINK("updates.20080224.0137.bz2") LINK("updates.20080224.0152.bz2")
    LINK("updates.20080224.0208.bz2") LINK("updates.20080224.0223.bz2");

/* The names of the page, and nothing asked a second time: the month was over long ago. */
static void test_page(void **state)
{
    (void)state;
    struct web_page pages[] = {{.path = "/bgpdata/2008.02/UPDATES/", PAGE(youtube)}};
    struct asking asking;
    begin(&asking, pages, COUNT(pages));
    for (int i = 0; i < 2; i++) {
        ask(&asking, "route-views2", "2008-02-24T02:00:00Z", "2008-02-24T02:20:00Z");
        assert_int_equal(asking.err, ERR_OK);
        assert_string_equal(asking.names.bytes,
                            "/bgpdata/2008.02/UPDATES/updates.20080224.0152.bz2 "
                            "/bgpdata/2008.02/UPDATES/updates.20080224.0208.bz2 ");
        assert_string_equal(asking.told.bytes, "");
        assert_int_equal(asking.requests, 1);
    }
    end(&asking);
}

/* The page of a month that goes on is asked for each time. */
static void test_page_of_today(void **state)
{
    (void)state;
    struct web_page pages[] = {{.changes_after = 1}, {.path = "/after"}};
    struct asking asking;
    begin(&asking, pages, COUNT(pages));
    /* This machine's clock says when a page was asked for; the month is not over by that. */
    struct calendar now = utc_calendar((struct utc){time(NULL) * NS_PER_S});
    char path[64], page[2][512], from[64], until[64], first[32], second[32];
    snprintf(path, sizeof path, "/rrc00/%04d.%02d/", now.year, now.month);
    snprintf(first, sizeof first, "updates.%04d%02d01.0530.gz", now.year, now.month);
    snprintf(second, sizeof second, "updates.%04d%02d01.0535.gz", now.year, now.month);
    snprintf(page[0], sizeof page[0], "<a href=\"%s\">", first);
    snprintf(page[1], sizeof page[1], "<a href=\"%s\"><a href=\"%s\">", first, second);
    snprintf(from, sizeof from, "%04d-%02d-01T05:30:00Z", now.year, now.month);
    snprintf(until, sizeof until, "%04d-%02d-01T05:40:00Z", now.year, now.month);
    pages[0].path = path;
    for (int i = 0; i < 2; i++) {
        pages[i].bytes = page[i];
        pages[i].size = strlen(page[i]);
    }
    asking.span.now = at(until);
    ask(&asking, "rrc00", from, until);
    assert_has(asking.names.bytes, first);
    assert_null(strstr(asking.names.bytes, second));
    ask(&asking, "rrc00", from, until);
    assert_has(asking.names.bytes, second);
    assert_int_equal(asking.requests, 2);
    end(&asking);
}

static void test_months(void **state)
{
    (void)state;
    /* A file of another month does not lie where its name would have it. */
    static const char january[] = LINK("updates.20220131.2350.gz") LINK("updates.20220131.2355.gz")
        LINK("updates.20220201.0002.gz");
    static const char february[] = LINK("updates.20220201.0000.gz") LINK("updates.20220201.0005.gz")
        LINK("bview.20220201.0000.gz");
    struct web_page pages[] = {{.path = "/rrc00/2022.01/", PAGE(january)},
                               {.path = "/rrc00/2022.02/", PAGE(february)}};
    struct asking asking;
    begin(&asking, pages, COUNT(pages));
    ask(&asking, "rrc00", "2022-01-31T23:55:00Z", "2022-02-01T00:10:00Z");
    assert_string_equal(asking.names.bytes, "/rrc00/2022.01/updates.20220131.2355.gz "
                                            "/rrc00/2022.02/updates.20220201.0000.gz "
                                            "/rrc00/2022.02/updates.20220201.0005.gz ");
    assert_string_equal(asking.told.bytes, "");
    ask(&asking, "rrc00", "2022-02-01T00:01:00Z", "2022-02-01T00:02:00Z");
    assert_string_equal(asking.names.bytes, "/rrc00/2022.02/updates.20220201.0000.gz ");
    end(&asking);
}

/* The file that is under way when the month begins lies in the folder of the month before. */
static void test_month_before(void **state)
{
    (void)state;
    static const char february[] =
        LINK("updates.20080229.2343.bz2") LINK("updates.20080229.2358.bz2");
    static const char march[] = LINK("updates.20080301.0013.bz2") LINK("updates.20080301.0028.bz2");
    struct web_page pages[] = {{.path = "/bgpdata/2008.02/UPDATES/", PAGE(february)},
                               {.path = "/bgpdata/2008.03/UPDATES/", PAGE(march)}};
    struct asking asking;
    begin(&asking, pages, COUNT(pages));
    ask(&asking, "route-views2", "2008-03-01T00:02:00Z", "2008-03-01T00:13:00Z");
    assert_string_equal(asking.names.bytes, "/bgpdata/2008.02/UPDATES/updates.20080229.2358.bz2 ");
    assert_string_equal(asking.told.bytes, "");
    end(&asking);
}

static void test_holes(void **state)
{
    (void)state;
    static const char page[] = LINK("updates.20220207.0605.gz") LINK("updates.20220207.0620.gz");
    struct web_page pages[] = {{.path = "/rrc00/2022.02/", PAGE(page)}};
    struct asking asking;
    begin(&asking, pages, COUNT(pages));
    ask(&asking, "rrc00", "2022-02-07T06:05:00Z", "2022-02-07T06:30:00Z");
    assert_string_equal(asking.names.bytes, "/rrc00/2022.02/updates.20220207.0605.gz "
                                            "/rrc00/2022.02/updates.20220207.0620.gz ");
    assert_string_equal(asking.told.bytes,
                        "rrc00: the archive has no updates of 2022-02-07T06:10:00Z to "
                        "2022-02-07T06:20:00Z: nothing is known of it\n"
                        "rrc00: the archive has no updates of 2022-02-07T06:25:00Z to "
                        "2022-02-07T06:30:00Z: nothing is known of it\n");
    /* Of what is still to come nothing is missing. */
    asking.span.now = at("2022-02-07T06:25:00Z");
    ask(&asking, "rrc00", "2022-02-07T06:20:00Z", "2022-02-07T18:00:00Z");
    assert_string_equal(asking.told.bytes, "");
    ask(&asking, "rrc00", "2022-02-07T05:00:00Z", "2022-02-07T06:00:00Z");
    assert_int_equal(asking.err, ERR_NOT_FOUND);
    assert_has(asking.why.text, "rrc00: there are no archives of this span at http://127.0.0.1:");
    end(&asking);
}

/* Where the page cannot be had, or names nothing, the grid stands in for it. */
static void test_grid(void **state)
{
    (void)state;
    static const char empty[] = "<html>Nothing to see</html>";
    struct web_page pages[] = {{.path = "/rrc00/2022.02/", .status = 403},
                               {.path = "/rrc01/2022.02/", PAGE(empty)},
                               {.path = "/rrc02/2022.02/", .status = 500}};
    static const char *const collectors[] = {"rrc00", "rrc01", "rrc02", "rrc03"};
    static const char *const reasons[] = {"403 (forbidden)",
                                          "/rrc01/2022.02/: this index page names no archive; the",
                                          "500 (its own", "404 (not found)"};
    struct asking asking;
    begin(&asking, pages, COUNT(pages));
    for (size_t i = 0; i < COUNT(collectors); i++) {
        char expected[256];
        ask(&asking, collectors[i], "2022-02-07T06:06:00Z", "2022-02-07T06:15:00Z");
        assert_int_equal(asking.err, ERR_OK);
        snprintf(expected, sizeof expected,
                 "/%s/2022.02/updates.20220207.0605.gz /%s/2022.02/updates.20220207.0610.gz ",
                 collectors[i], collectors[i]);
        assert_string_equal(asking.names.bytes, expected);
        assert_has(asking.told.bytes, reasons[i]);
        assert_has(asking.told.bytes, "; the names of its files are computed");
    }
    end(&asking);
}

static void test_table(void **state)
{
    (void)state;
    static const char tables[] =
        LINK("rib.20220207.0400.bz2") LINK("rib.20220207.0600.bz2") LINK("rib.20220207.0800.bz2");
    static const char updates[] =
        LINK("updates.20220207.0545.bz2") LINK("updates.20220207.0600.bz2")
            LINK("updates.20220207.0615.bz2") LINK("updates.20220207.0630.bz2");
    struct web_page pages[] = {
        {.path = "/route-views.jinx/bgpdata/2022.02/RIBS/", PAGE(tables)},
        {.path = "/route-views.jinx/bgpdata/2022.02/UPDATES/", PAGE(updates)}};
    struct asking asking;
    begin(&asking, pages, COUNT(pages));
    asking.span.with_table = true;
    ask(&asking, "route-views.jinx", "2022-02-07T06:20:00Z", "2022-02-07T06:30:00Z");
    assert_string_equal(asking.names.bytes,
                        "/route-views.jinx/bgpdata/2022.02/RIBS/rib.20220207.0600.bz2 "
                        "/route-views.jinx/bgpdata/2022.02/UPDATES/updates.20220207.0600.bz2 "
                        "/route-views.jinx/bgpdata/2022.02/UPDATES/updates.20220207.0615.bz2 ");
    assert_int_equal(asking.from.ns, at("2022-02-07T06:00:00Z").ns);
    assert_string_equal(asking.told.bytes, "");
    ask(&asking, "route-views.jinx", "2022-02-07T03:50:00Z", "2022-02-07T06:00:00Z");
    assert_has(asking.told.bytes, "there is no table within a day before --from");
    assert_int_equal(asking.from.ns, at("2022-02-07T03:50:00Z").ns);
    end(&asking);
}

/* None was made in the first hours of the month: the last of the month before is found, and its page is asked
 * for only then. */
static void test_table_of_the_month_before(void **state)
{
    (void)state;
    static const char january[] = LINK("bview.20220131.1600.gz") LINK("updates.20220131.2355.gz");
    static const char february[] = LINK("updates.20220201.0000.gz") LINK("bview.20220201.1600.gz");
    struct web_page pages[] = {{.path = "/rrc00/2022.01/", PAGE(january)},
                               {.path = "/rrc00/2022.02/", PAGE(february)}};
    struct asking asking;
    begin(&asking, pages, COUNT(pages));
    asking.span.with_table = true;
    ask(&asking, "rrc00", "2022-02-01T16:30:00Z", "2022-02-01T17:00:00Z");
    assert_int_equal(asking.from.ns, at("2022-02-01T16:00:00Z").ns);
    assert_int_equal(asking.requests, 1);
    ask(&asking, "rrc00", "2022-02-01T10:00:00Z", "2022-02-01T10:05:00Z");
    assert_has(asking.names.bytes, "/rrc00/2022.01/bview.20220131.1600.gz ");
    assert_int_equal(asking.from.ns, at("2022-01-31T16:00:00Z").ns);
    end(&asking);
}

static void test_wrong_spans(void **state)
{
    (void)state;
    static const struct {
        const char *collector, *from, *until;
        enum err err;
        const char *text;
    } cases[] = {
        {"linx", "2022-02-07T06:00:00Z", "2022-02-07T07:00:00Z", ERR_USAGE, "'linx'"},
        {"rrc00", "2022-02-07T06:00:00Z", "2022-02-07T06:00:00Z", ERR_USAGE, "--until"},
        {"rrc00", "2023-02-07T06:00:00Z", "2023-02-07T07:00:00Z", ERR_USAGE, "in the future"},
        {"rrc00", "2000-02-07T06:00:00Z", "2022-02-07T07:00:00Z", ERR_LIMIT, "in parts"},
        {"rrc00", "2020-02-07T06:00:00Z", "2022-02-07T07:00:00Z", ERR_LIMIT, "in parts"},
    };
    struct asking asking;
    begin(&asking, NULL, 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        ask(&asking, cases[i].collector, cases[i].from, cases[i].until);
        assert_int_equal(asking.err, cases[i].err);
        assert_has(asking.why.text, cases[i].text);
    }
    end(&asking);
}

/* Fetching ahead. */

static size_t requests_of(struct web_server *server)
{
    struct web_seen seen[WEB_SEEN_MAX];
    return web_server_seen(server, seen);
}

static void count_call(void *context, const char *url, struct web_state state)
{
    assert_non_null(strstr(url, "/3.gz"));
    assert_true(state.attempt >= 1 && state.done <= 1003);
    ++*(int *)context;
}

static void test_ahead(void **state)
{
    (void)state;
    static const char bytes[1003] = "\x1f\x8b\x08";
    struct web_page pages[] = {
        {.path = "/0.gz", .bytes = bytes, .size = 1000, .modified = LONG_AGO},
        {.path = "/1.gz", .bytes = bytes, .size = 1001, .modified = LONG_AGO},
        {.path = "/2.gz", .status = 404},
        {.path = "/3.gz",
         .bytes = bytes,
         .size = 1003,
         .etag = "\"1\"",
         .modified = LONG_AGO,
         .stall_after = 500,
         .stall_times = 99},
        {.path = "/4.gz", .bytes = bytes, .size = 1000, .modified = LONG_AGO}};
    char text[COUNT(pages)][64];
    const char *urls[COUNT(pages)];
    struct web_server *server = web_server_start(pages, COUNT(pages), NULL);
    for (size_t i = 0; i < COUNT(pages); i++) {
        snprintf(text[i], sizeof text[i], "http://127.0.0.1:%u%s", web_server_port(server),
                 pages[i].path);
        urls[i] = text[i];
    }
    struct web_cache_options options;
    web_cache_options_init(&options, "cache");
    options.attempts = 1;
    options.stall_ns = 600 * NS_PER_MS;
    struct web_cache *cache = web_cache_new(&options);
    int calls = 0;
    struct web_file file;
    struct why why;
    struct fetch_ahead *ahead = fetch_ahead_new(cache, urls, COUNT(urls), count_call, &calls);
    for (int i = 0; i < 500 && requests_of(server) < 3; i++)
        trial_sleep_ms(2);
    trial_sleep_ms(100);
    assert_int_equal(requests_of(server), 3); /* the first and two more, before any is taken */
    assert_int_equal(fetch_ahead_take(ahead, 0, &file, &why), ERR_OK);
    assert_int_equal(file.size, 1000);
    assert_int_equal(fetch_ahead_take(ahead, 1, &file, &why), ERR_OK);
    assert_int_equal(file.size, 1001);
    assert_int_equal(fetch_ahead_take(ahead, 2, &file, &why), ERR_NOT_FOUND);
    assert_has(why.text, "/2.gz: the server answers 404");
    assert_int_equal(fetch_ahead_take(ahead, 0, &file, &why), ERR_OK); /* again */
    assert_int_equal(file.size, 1000);
    assert_int_equal(fetch_ahead_take(ahead, 3, &file, &why), ERR_IO);
    assert_has(why.text, "/3.gz: stalled");
    assert_true(calls > 0);
    fetch_ahead_free(ahead);
    web_cache_free(cache);
    web_server_stop(server);
}

/* It does not wait for what is under way when it is not wanted any more. */
static void test_ahead_is_left(void **state)
{
    (void)state;
    static const char bytes[] = "\x1f\x8b\x08";
    struct web_page pages[] = {
        {.path = "/0.gz", .bytes = bytes, .size = 3, .stall_after = 1, .stall_times = 99}};
    struct web_server *server = web_server_start(pages, COUNT(pages), NULL);
    char url[64];
    const char *urls[] = {url};
    struct web_cache_options options;
    struct timespec start, stop;
    snprintf(url, sizeof url, "http://127.0.0.1:%u/0.gz", web_server_port(server));
    web_cache_options_init(&options, "cache");
    struct web_cache *cache = web_cache_new(&options);
    struct fetch_ahead *ahead = fetch_ahead_new(cache, urls, 1, NULL, NULL);
    for (int i = 0; i < 500 && requests_of(server) < 1; i++)
        trial_sleep_ms(2);
    clock_gettime(CLOCK_MONOTONIC, &start);
    fetch_ahead_free(ahead);
    clock_gettime(CLOCK_MONOTONIC, &stop);
    assert_true(stop.tv_sec - start.tv_sec < 5);
    web_cache_free(cache);
    web_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_page, trial_clean),
        cmocka_unit_test_teardown(test_page_of_today, trial_clean),
        cmocka_unit_test_teardown(test_months, trial_clean),
        cmocka_unit_test_teardown(test_month_before, trial_clean),
        cmocka_unit_test_teardown(test_holes, trial_clean),
        cmocka_unit_test_teardown(test_grid, trial_clean),
        cmocka_unit_test_teardown(test_table, trial_clean),
        cmocka_unit_test_teardown(test_table_of_the_month_before, trial_clean),
        cmocka_unit_test_teardown(test_wrong_spans, trial_clean),
        cmocka_unit_test_teardown(test_ahead, trial_clean),
        cmocka_unit_test_teardown(test_ahead_is_left, trial_clean),
    };
    return cmocka_run_group_tests(tests, trial_setup, trial_teardown);
}
