/* source/web/collector_site and index_page: where archives lie, and which of them hold a span. */
#include "base/buffer.h"
#include "source/web/index_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct utc at(const char *text)
{
    struct utc time;
    assert_int_equal(utc_parse(text, strlen(text), &time), strlen(text));
    return time;
}

static struct collector_site site_of(const char *collector, const char *root)
{
    struct collector_site site;
    struct why why;
    if (collector_site_init(&site, collector, root, &why))
        fail_msg("%s", why.text);
    return site;
}

static void test_names(void **state)
{
    (void)state;
    static const char *const good[] = {"updates.20220207.0530.gz", "updates.20080224.0007.bz2",
                                       "bview.20220207.0800.gz", "rib.20220207.0600.bz2",
                                       "updates.20240229.2359.zst"};
    static const char *const bad[] = {"",
                                      "updates",
                                      "updates.20220207.0530",
                                      "updates.20220207.0530.gz ",
                                      "updates.20220207.0530.gz.md5",
                                      "updates.20220207.0530.xz",
                                      "updates.20220230.0530.gz",
                                      "updates.20220207.2430.gz",
                                      "updates.20220207.0560.gz",
                                      "updates.2022020705.30.gz",
                                      "updates.+0220207.0530.gz",
                                      "Updates.20220207.0530.gz",
                                      "bviews.20220207.0530.gz",
                                      "latest-bview.gz",
                                      "../updates.20220207.0530.gz",
                                      "updates.19690101.0000.gz"};
    struct site_name name;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_true(site_name_parse(good[i], strlen(good[i]), &name));
        assert_string_equal(name.text, good[i]);
        assert_int_equal(name.kind, good[i][0] == 'u' ? SITE_UPDATES : SITE_TABLES);
        for (size_t n = 0; n < strlen(good[i]); n++) {
            char *cut = malloc(n + 1); /* of the exact size, so that reading beyond it is seen */
            assert_non_null(cut);
            memcpy(cut, good[i], n);
            assert_false(site_name_parse(cut, n, &name));
            free(cut);
        }
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(site_name_parse(bad[i], strlen(bad[i]), &name));
    assert_true(site_name_parse(good[0], strlen(good[0]), &name));
    assert_int_equal(name.time.ns, at("2022-02-07T05:30:00Z").ns);
}

static void test_places(void **state)
{
    (void)state;
    static const struct {
        const char *collector, *root;
        enum site_kind kind;
        const char *folder;
    } cases[] = {
        {"rrc00", NULL, SITE_UPDATES, "https://data.ris.ripe.net/rrc00/2022.02/"},
        {"rrc26", NULL, SITE_TABLES, "https://data.ris.ripe.net/rrc26/2022.02/"},
        {"route-views2", NULL, SITE_UPDATES,
         "https://archive.routeviews.org/bgpdata/2022.02/UPDATES/"},
        {"route-views2", NULL, SITE_TABLES, "https://archive.routeviews.org/bgpdata/2022.02/RIBS/"},
        {"route-views3", NULL, SITE_UPDATES,
         "https://archive.routeviews.org/route-views3/bgpdata/2022.02/UPDATES/"},
        {"route-views.jinx", NULL, SITE_TABLES,
         "https://archive.routeviews.org/route-views.jinx/bgpdata/2022.02/RIBS/"},
        {"route-views2.saopaulo", NULL, SITE_UPDATES,
         "https://archive.routeviews.org/route-views2.saopaulo/bgpdata/2022.02/UPDATES/"},
        {"amsix.ams", NULL, SITE_UPDATES,
         "https://archive.routeviews.org/amsix.ams/bgpdata/2022.02/UPDATES/"},
        {"rrc00", "http://127.0.0.1:8080/", SITE_UPDATES, "http://127.0.0.1:8080/rrc00/2022.02/"},
        {"route-views2", "https://mirror.example/bgp//", SITE_UPDATES,
         "https://mirror.example/bgp/bgpdata/2022.02/UPDATES/"},
    };
    char folder[SITE_URL_MAX];
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct collector_site site = site_of(cases[i].collector, cases[i].root);
        assert_string_equal(
            collector_site_folder(&site, cases[i].kind, at("2022-02-28T23:59:59Z"), folder),
            cases[i].folder);
    }
}

static void test_wrong_places(void **state)
{
    (void)state;
    static const char *const collectors[] = {
        "",
        "rrc",
        "rrc0",
        "rrc000",
        "RRC00",
        "route-views",
        "linx",
        "../rrc00",
        "a/b.c",
        "route-views/",
        "route-views..",
        "a..b",
        ".amsix",
        "amsix.ams.",
        "route views.x",
        "rrc00.x",
        "a.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    static const char *const roots[] = {"",           "ftp://a/",     "http://",
                                        "mirror/bgp", "http://a b/",  "http://a/?x=",
                                        "https://a#", "file:///etc/", "http://a/\n"};
    struct collector_site site;
    struct why why;
    for (size_t i = 0; i < COUNT(collectors); i++)
        assert_int_equal(collector_site_init(&site, collectors[i], NULL, &why), ERR_USAGE);
    for (size_t i = 0; i < COUNT(roots); i++)
        assert_int_equal(collector_site_init(&site, "rrc00", roots[i], &why), ERR_USAGE);
    char *long_root = mem_new(2000, 1);
    memset(long_root, 'a', 1999);
    memcpy(long_root, "http://", 7);
    assert_int_equal(collector_site_init(&site, "rrc00", long_root, &why), ERR_USAGE);
    free(long_root);
    collector_site_init(&site, "linx", NULL, &why);
    assert_non_null(strstr(why.text, "'linx'"));
    assert_non_null(strstr(why.text, "route-views2"));
}

/* The names of the choice, each with a space after it; holes as "[05:00-06:00] " behind them. */
static void choose(const struct collector_site *site, const struct site_names *names,
                   const char *from, const char *until, struct buffer *out)
{
    struct arena arena = {0};
    struct site_choice choice;
    collector_site_choose(site, names, at(from), at(until), &arena, &choice);
    buffer_clear(out);
    buffer_puts(out, "");
    for (size_t i = 0; i < choice.count; i++) {
        const char *slash = strrchr(choice.files[i].url, '/');
        buffer_printf(out, "%s ", slash + 1 + strlen("updates.20"));
    }
    for (size_t i = 0; i < choice.hole_count; i++) {
        char a[UTC_TEXT_MAX], b[UTC_TEXT_MAX];
        buffer_printf(out, "[%.8s-%.8s] ", utc_format(choice.holes[i].from, a) + 11,
                      utc_format(choice.holes[i].until, b) + 11);
    }
    arena_done(&arena);
}

static void add_names(struct site_names *names, const char *list)
{
    for (; *list; list += strspn(list, " ")) {
        struct site_name name;
        size_t n = strcspn(list, " ");
        assert_true(site_name_parse(list, n, &name));
        site_names_add(names, &name);
        list += n;
    }
    site_names_sort(names);
}

static void test_grid(void **state)
{
    (void)state;
    static const struct {
        const char *collector;
        enum site_kind kind;
        const char *from, *until, *first, *last;
        size_t count;
    } cases[] = {
        {"rrc00", SITE_UPDATES, "2022-02-07T05:30:00Z", "2022-02-07T06:00:00Z",
         "updates.20220207.0530.gz", "updates.20220207.0555.gz", 6},
        {"rrc00", SITE_UPDATES, "2022-02-07T05:34:59Z", "2022-02-07T05:35:01Z",
         "updates.20220207.0530.gz", "updates.20220207.0535.gz", 2},
        {"rrc00", SITE_UPDATES, "2003-07-22T23:10:00Z", "2003-07-23T00:10:00Z",
         "updates.20030722.2300.gz", "updates.20030723.0005.gz", 6},
        {"route-views.jinx", SITE_UPDATES, "2022-02-07T05:31:00Z", "2022-02-07T06:00:00Z",
         "updates.20220207.0530.bz2", "updates.20220207.0545.bz2", 2},
        {"rrc00", SITE_TABLES, "2022-02-07T15:59:59Z", "2022-02-07T16:00:01Z",
         "bview.20220207.0800.gz", "bview.20220207.1600.gz", 2},
        {"route-views2", SITE_TABLES, "2022-02-28T23:00:00Z", "2022-03-01T00:00:01Z",
         "rib.20220228.2200.bz2", "rib.20220301.0000.bz2", 2},
        {"rrc00", SITE_UPDATES, "2022-01-01T00:00:00Z", "2023-01-01T00:00:00Z",
         "updates.20220101.0000.gz", "updates.20221231.2355.gz", 105120},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct collector_site site = site_of(cases[i].collector, NULL);
        struct site_names names = {0};
        site_names_grid(&names, &site, cases[i].kind, at(cases[i].from), at(cases[i].until));
        assert_int_equal(names.count, cases[i].count);
        assert_string_equal(names.list[0].text, cases[i].first);
        assert_string_equal(names.list[names.count - 1].text, cases[i].last);
        assert_true(names.list[0].is_computed && !names.is_full);
        free(names.list);
    }
}

static void test_grid_is_capped(void **state)
{
    (void)state;
    struct collector_site site = site_of("rrc00", NULL);
    struct site_names names = {0};
    site_names_grid(&names, &site, SITE_UPDATES, at("2010-01-01T00:00:00Z"),
                    at("2020-01-01T00:00:00Z"));
    assert_true(names.is_full);
    assert_int_equal(names.count, SITE_FILES_MAX);
    free(names.list);
}

/* As they lie in the archive of 24 February 2008. */
static const char youtube[] =
    "updates.20080224.0122.bz2 updates.20080224.0137.bz2 updates.20080224.0152.bz2 "
    "updates.20080224.0208.bz2 updates.20080224.0223.bz2 updates.20080224.0238.bz2";

static void test_choice(void **state)
{
    (void)state;
    static const char ris[] =
        "updates.20220207.0600.gz updates.20220207.0605.gz updates.20220207.0610.gz "
        "updates.20220207.0620.gz updates.20220207.0625.gz bview.20220207.0800.gz";
    static const struct {
        const char *collector, *list, *from, *until, *expected;
    } cases[] = {
        /* Off the grid: each until the next begins, and up to a minute longer than its name says. */
        {"route-views2", youtube, "2008-02-24T01:40:00Z", "2008-02-24T02:10:00Z",
         "080224.0137.bz2 080224.0152.bz2 080224.0208.bz2 "},
        {"route-views2", youtube, "2008-02-24T02:07:30Z", "2008-02-24T02:08:00Z",
         "080224.0152.bz2 "},
        {"route-views2", youtube, "2008-02-24T02:08:30Z", "2008-02-24T02:23:00Z",
         "080224.0152.bz2 080224.0208.bz2 "},
        {"route-views2", youtube, "2008-02-24T02:09:00Z", "2008-02-24T02:23:00Z",
         "080224.0208.bz2 "},
        {"route-views2", youtube, "2008-02-24T01:00:00Z", "2008-02-24T01:30:00Z",
         "080224.0122.bz2 [01:00:00-01:22:00] "},
        {"route-views2", youtube, "2008-02-24T02:40:00Z", "2008-02-24T03:00:00Z",
         "080224.0238.bz2 [02:54:00-03:00:00] "},
        {"route-views2", youtube, "2008-02-24T05:00:00Z", "2008-02-24T06:00:00Z",
         "[05:00:00-06:00:00] "},
        {"rrc00", ris, "2022-02-07T06:00:00Z", "2022-02-07T06:10:00Z",
         "220207.0600.gz 220207.0605.gz "},
        {"rrc00", ris, "2022-02-07T06:04:59Z", "2022-02-07T06:05:00.001Z",
         "220207.0600.gz 220207.0605.gz "},
        {"rrc00", ris, "2022-02-07T06:05:00Z", "2022-02-07T06:30:00Z",
         "220207.0605.gz 220207.0610.gz 220207.0620.gz 220207.0625.gz [06:15:00-06:20:00] "},
        {"rrc00", ris, "2022-02-07T06:16:00Z", "2022-02-07T06:19:00Z", "[06:16:00-06:19:00] "},
    };
    struct buffer found = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct collector_site site = site_of(cases[i].collector, NULL);
        struct site_names names = {0};
        add_names(&names, cases[i].list);
        choose(&site, &names, cases[i].from, cases[i].until, &found);
        assert_string_equal(found.bytes, cases[i].expected);
        free(names.list);
    }
    buffer_done(&found);
}

/* What is only computed says nothing of holes; listed names go before computed ones. */
static void test_choice_of_both(void **state)
{
    (void)state;
    struct collector_site site = site_of("rrc00", NULL);
    struct site_names names = {0};
    struct buffer found = {0};
    site_names_grid(&names, &site, SITE_UPDATES, at("2022-01-31T23:50:00Z"),
                    at("2022-02-01T00:05:00Z"));
    add_names(&names, "updates.20220201.0000.bz2 updates.20220201.0000.gz "
                      "updates.20220201.0010.gz");
    choose(&site, &names, "2022-01-31T23:50:00Z", "2022-02-01T00:15:00Z", &found);
    assert_string_equal(found.bytes, "220131.2350.gz 220131.2355.gz 220201.0000.bz2 "
                                     "220201.0010.gz [00:05:00-00:10:00] ");
    free(names.list);
    buffer_done(&found);
}

static void test_table(void **state)
{
    (void)state;
    static const struct {
        const char *from, *table;
    } cases[] = {
        {"2022-02-07T07:59:59Z", "rib.20220207.0600.bz2"},
        {"2022-02-07T08:00:00Z", "rib.20220207.0800.bz2"},
        {"2022-02-08T08:00:00Z", "rib.20220207.0800.bz2"}, /* a day old */
        {"2022-02-08T08:00:01Z", "none"},
        {"2022-02-07T03:59:59Z", "none"},
    };
    struct site_names names = {0};
    add_names(&names, "rib.20220207.0400.bz2 rib.20220207.0600.bz2 updates.20220207.0615.bz2 "
                      "rib.20220207.0800.bz2");
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct site_name *found = collector_site_table(&names, at(cases[i].from));
        assert_string_equal(found ? found->text : "none", cases[i].table);
    }
    free(names.list);
}

static void test_months(void **state)
{
    (void)state;
    static const struct {
        const char *time;
        int months;
        const char *first;
    } cases[] = {
        {"2022-02-07T05:30:00Z", 0, "2022-02-01T00:00:00Z"},
        {"2022-12-31T23:59:59Z", 1, "2023-01-01T00:00:00Z"},
        {"2022-01-01T00:00:00Z", -1, "2021-12-01T00:00:00Z"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(site_month(at(cases[i].time), cases[i].months).ns, at(cases[i].first).ns);
}

/* Pages. */

static const char apache[] =
    "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n<html>\n <head>\n"
    "  <title>Index of /bgpdata/2022.02/UPDATES</title>\n </head>\n <body>\n"
    "<h1>Index of /bgpdata/2022.02/UPDATES</h1>\n  <table>\n"
    "   <tr><th valign=\"top\"><img src=\"/icons/blank.gif\" alt=\"[ICO]\"></th><th><a "
    "href=\"?C=N;O=D\">Name</a></th><th><a href=\"?C=M;O=A\">Last modified</a></th></tr>\n"
    "<tr><td valign=\"top\"><img src=\"/icons/back.gif\" alt=\"[PARENTDIR]\"></td><td><a "
    "href=\"/bgpdata/2022.02/\">Parent Directory</a></td></tr>\n"
    "<tr><td valign=\"top\"><img src=\"/icons/unknown.gif\" alt=\"[   ]\"></td><td><a "
    "href=\"updates.20220207.0530.bz2\">updates.20220207.053..&gt;</a></td><td align=\"right\">"
    "2022-02-07 05:45  </td><td align=\"right\">3.1M</td></tr>\n"
    "<tr><td valign=\"top\"><img src=\"/icons/unknown.gif\" alt=\"[   ]\"></td><td><a "
    "href=\"updates.20220207.0515.bz2\">updates.20220207.051..&gt;</a></td></tr>\n"
    "</table>\n</body></html>\n";

static const char nginx[] =
    "<html>\r\n<head><title>Index of /rrc00/2022.02/</title></head>\r\n<body>\r\n"
    "<h1>Index of /rrc00/2022.02/</h1><hr><pre><a href=\"../\">../</a>\r\n"
    "<a href=\"bview.20220207.0000.gz\">bview.20220207.0000.gz</a>     07-Feb-2022 02:00    1G\r\n"
    "<a href=\"updates.20220207.0530.gz\">updates.20220207.0530.gz</a> 07-Feb-2022 05:35    2M\r\n"
    "</pre><hr></body>\r\n</html>\r\n";

static void test_pages(void **state)
{
    (void)state;
    static const struct {
        const char *page, *names;
    } cases[] = {
        {apache, "updates.20220207.0515.bz2 updates.20220207.0530.bz2 "},
        {nginx, "bview.20220207.0000.gz updates.20220207.0530.gz "},
        {"", ""},
        {"updates.20220207.0530.gz", ""},
        {"<a href=updates.20220207.0530.gz>x</a>", "updates.20220207.0530.gz "},
        {"<A\nHREF = 'updates.20220207.0530.gz'>", "updates.20220207.0530.gz "},
        {"<a class=\"x\"href=\"/rrc00/2022.02/updates.20220207.0530.gz\">",
         "updates.20220207.0530.gz "},
        {"<a href=\"http://elsewhere.example/updates.20220207.0530.gz\">",
         "updates.20220207.0530.gz "},
        {"<a xhref=\"updates.20220207.0530.gz\">", ""},
        {"<a href=\"updates.20220207.0530.gz?x=/\">", ""},
        {"<a href=\"updates.20220207.0530.gz%00\">", ""},
        {"<a href=\"..%2fupdates.20220207.0530.gz\">", ""},
        {"<a href>updates.20220207.0530.gz", ""},
        {"<a href=", ""},
        {"<a href=\"updates.20220207.0530.gz", "updates.20220207.0530.gz "},
        {"<a href='a' href='updates.20220207.0530.gz'><a href='updates.20220207.0530.gz'>",
         "updates.20220207.0530.gz "},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct site_names names = {0};
        struct buffer found = {0};
        buffer_puts(&found, "");
        index_page_read(cases[i].page, strlen(cases[i].page), &names);
        site_names_sort(&names);
        for (size_t j = 0; j < names.count; j++)
            buffer_printf(&found, "%s ", names.list[j].text);
        assert_string_equal(found.bytes ? found.bytes : "", cases[i].names);
        buffer_done(&found);
        free(names.list);
    }
}

static void test_page_is_capped(void **state)
{
    (void)state;
    struct buffer page = {0};
    struct site_names names = {0};
    for (int i = 0; i < INDEX_NAMES_MAX + 10; i++)
        buffer_printf(&page, "<a href=\"updates.20%02d%02d%02d.%02d%02d.gz\">", i / 525600 + 10,
                      i / 43200 % 12 + 1, i / 1440 % 28 + 1, i / 60 % 24, i % 60);
    assert_int_equal(index_page_read(page.bytes, page.size, &names), INDEX_NAMES_MAX);
    assert_int_equal(names.count, INDEX_NAMES_MAX);
    free(names.list);
    buffer_done(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),          cmocka_unit_test(test_places),
        cmocka_unit_test(test_wrong_places),   cmocka_unit_test(test_grid),
        cmocka_unit_test(test_grid_is_capped), cmocka_unit_test(test_choice),
        cmocka_unit_test(test_choice_of_both), cmocka_unit_test(test_table),
        cmocka_unit_test(test_months),         cmocka_unit_test(test_pages),
        cmocka_unit_test(test_page_is_capped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
