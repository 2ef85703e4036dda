/* `lastlight bgp` and `replay` with archives of the web, from a server on loopback that lists and serves
 * them as a collector's site does. */
#include "command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../unit/archive_maker.h"
#include "../unit/web_server.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define LONG_AGO "Mon, 07 Feb 2022 05:35:14 GMT"
#define HALF_HOUR "--collector rrc00 --from 2022-02-07T05:30:00Z --until 2022-02-07T06:00:00Z"

enum { START = 1644211800 /* 2022-02-07T05:30:00Z */, FILES = 6, TABLE = FILES, PAGES = FILES + 3 };

/* Five minutes of updates each, and a table. */
static struct buffer files[FILES + 1];
static char paths[FILES + 1][64], listing[2048];
static struct web_page pages[PAGES];
static struct web_server *server;

/* RFC 1952 and 1951: one member of stored blocks. */
static void pack(const struct buffer *plain, struct buffer *out)
{
    uint32_t crc = 0xffffffff;
    assert_true(plain->size < 65536);
    buffer_add(out, "\x1f\x8b\x08\0\0\0\0\0\0\x03\x01", 11);
    unsigned n = (unsigned)plain->size;
    for (int i = 0; i < 4; i++)
        buffer_u8(out, (uint8_t)((i < 2 ? n : ~n) >> 8 * (i % 2)));
    buffer_add(out, plain->bytes, plain->size);
    for (size_t i = 0; i < plain->size; i++) {
        crc ^= (uint8_t)plain->bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    for (int i = 0; i < 8; i++)
        buffer_u8(out, (uint8_t)((i < 4 ? ~crc : n) >> 8 * (i % 4)));
}

/* In each file the origin's prefix is announced by the one peer; in the fourth it is withdrawn. */
static void make_updates(unsigned i)
{
    struct buffer plain = {0};
    uint32_t start = START + 300 * i;
    if (i == 0)
        archive_state(&plain, start, 5, 6);
    archive_update(&plain, start + 1, NULL, "65000 4837 131279", "175.45.176.0/24");
    archive_update(&plain, start + 200, NULL, "65000 4837", "9.0.0.0/8");
    if (i == 3)
        archive_update(&plain, start + 201, "175.45.176.0/24", NULL, NULL);
    pack(&plain, &files[i]);
    buffer_done(&plain);
    snprintf(paths[i], sizeof paths[i], "/rrc00/2022.02/updates.20220207.05%02u.gz", 30 + 5 * i);
}

static void make_table(void)
{
    struct buffer plain = {0};
    archive_peer_table(&plain, START - 19800, "192.0.2.9 65000");
    archive_rib(&plain, START - 19800, "175.45.176.0/24", "0");
    pack(&plain, &files[TABLE]);
    buffer_done(&plain);
    snprintf(paths[TABLE], sizeof paths[TABLE], "/rrc00/2022.02/bview.20220207.0000.gz");
}

static void list_all(void)
{
    size_t n = (size_t)snprintf(listing, sizeof listing,
                                "<html><body><h1>Index of /rrc00/2022.02/</h1><hr><pre>"
                                "<a href=\"../\">../</a>\r\n");
    for (size_t i = 0; i <= FILES; i++)
        n += (size_t)snprintf(listing + n, sizeof listing - n, "<a href=\"%s\">x</a>\r\n",
                              strrchr(paths[i], '/') + 1);
}

/* Everything as it should be; a test spoils what it likes. */
static void make_pages(void)
{
    for (size_t i = 0; i <= FILES; i++)
        pages[i] = (struct web_page){.path = paths[i],
                                     .bytes = files[i].bytes,
                                     .size = files[i].size,
                                     .etag = "\"1\"",
                                     .modified = LONG_AGO};
    pages[FILES + 1] =
        (struct web_page){.path = "/rrc00/2022.02/", .bytes = listing, .size = strlen(listing)};
    pages[FILES + 2] = (struct web_page){.path = "/none"};
}

static int setup(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    setenv("no_proxy", "127.0.0.1", 1);
    folder_enter();
    for (unsigned i = 0; i < FILES; i++)
        make_updates(i);
    make_table();
    list_all();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i <= FILES; i++)
        buffer_done(&files[i]);
    folder_leave();
    return 0;
}

static int begin(void **state)
{
    (void)state;
    make_pages();
    server = web_server_start(pages, PAGES, NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    web_server_stop(server);
    return system("rm -rf cache *.db");
}

static size_t requests(void)
{
    struct web_seen seen[WEB_SEEN_MAX];
    return web_server_seen(server, seen);
}

/* "COMMAND --site ... --cache cache REST" */
static const struct result *fetch(const char *command, const char *rest)
{
    char line[1024];
    snprintf(line, sizeof line, "%s --site http://127.0.0.1:%u --cache cache %s", command,
             web_server_port(server), rest);
    return run(line);
}

#define assert_has(text, part)                                                                     \
    do {                                                                                           \
        if (!strstr(text, part))                                                                   \
            fail_msg("'%s' is not in: %s", part, text);                                            \
    } while (0)

static unsigned long count_of(const struct result *result, const char *name)
{
    char member[64];
    unsigned long count = 0;
    snprintf(member, sizeof member, "\"%s\":", name);
    const char *at = strstr(result->out, member);
    if (!at || sscanf(at + strlen(member), "%lu", &count) != 1)
        fail_msg("no %s in: %s (%s)", name, result->out, result->talk);
    return count;
}

/* Fetched once, and read from the copies after that. */
static void test_count(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        const struct result *result = fetch("bgp --count --json", HALF_HOUR);
        assert_string_equal(result->talk, "");
        assert_int_equal(result->status, 0);
        assert_int_equal(count_of(result, "announce"), 2 * FILES);
        assert_int_equal(count_of(result, "withdraw"), 1);
        assert_int_equal(count_of(result, "bad"), 0);
        assert_int_equal(requests(), 1 + FILES);
    }
    /* The copies are a folder of archives like any other. */
    char line[128];
    snprintf(line, sizeof line, "bgp --count --json cache/127.0.0.1:%u/rrc00/2022.02",
             web_server_port(server));
    const struct result *result = run(line);
    assert_int_equal(result->status, 0);
    assert_int_equal(count_of(result, "announce"), 2 * FILES);
}

/* The span chooses the files, and the records in them. */
static void test_span(void **state)
{
    (void)state;
    const struct result *result =
        fetch("bgp --count --json",
              "--collector rrc00 --from 2022-02-07T05:37:00Z --until 2022-02-07T05:41:00Z");
    assert_int_equal(result->status, 0);
    assert_int_equal(count_of(result, "announce"), 2); /* the second of 05:35, the first of 05:40 */
    assert_int_equal(requests(), 3);
}

static void test_table(void **state)
{
    (void)state;
    const struct result *result =
        fetch("bgp --count --json",
              "--rib --collector rrc00 --from 2022-02-07T05:31:00Z --until 2022-02-07T05:35:00Z");
    assert_int_equal(result->status, 0);
    assert_int_equal(count_of(result, "table"), 1);
    assert_int_equal(count_of(result, "announce"), 2); /* since the table: no record is left out */
    assert_has(result->talk, "rrc00: the archive has no updates of 2022-02-07T00:00:00Z to "
                             "2022-02-07T05:30:00Z: nothing is known of it\n");
}

static void test_missing(void **state)
{
    (void)state;
    pages[2].status = 404; /* listed, and yet not there */
    const struct result *result = fetch("bgp --count --json", HALF_HOUR);
    assert_int_equal(result->status, 1);
    assert_int_equal(count_of(result, "announce"), 2 * FILES - 2);
    assert_int_equal(count_of(result, "missing"), 1);
    assert_has(result->talk, "updates.20220207.0540.gz: the server answers 404 (not found)\n");
    assert_has(result->talk,
               "1 of 6 archives could not be fetched: of their times nothing is known; "
               "all else was used\n");
}

/* No page: the names are computed, and what is not there is told once. */
static void test_grid(void **state)
{
    (void)state;
    pages[FILES + 1].status = 403;
    pages[2].status = pages[4].status = 404;
    const struct result *result = fetch("bgp --count --json", HALF_HOUR);
    assert_int_equal(result->status, 0);
    assert_int_equal(count_of(result, "announce"), 2 * FILES - 4);
    assert_has(result->talk, "403 (forbidden)");
    assert_has(result->talk, "the names of its files are computed\n");
    assert_has(result->talk, "2 of 6 archives are not there, the first of them http://127.0.0.1:");
}

static void test_url(void **state)
{
    (void)state;
    char line[256];
    snprintf(line, sizeof line, "bgp --count --json --cache cache http://127.0.0.1:%u%s",
             web_server_port(server), paths[0]);
    const struct result *result = run(line);
    assert_string_equal(result->talk, "");
    assert_int_equal(count_of(result, "announce"), 2);
    assert_int_equal(count_of(result, "state"), 1);
    snprintf(line, sizeof line, "bgp --cache cache http://127.0.0.1:%u/no.gz",
             web_server_port(server));
    result = run(line);
    assert_int_equal(result->status, 1);
    assert_has(result->talk, "/no.gz: the server answers 404 (not found)\n");
}

/* Two at once fetch each file once, and find the same. */
static void test_two_at_once(void **state)
{
    (void)state;
    char line[512];
    snprintf(line, sizeof line, "bgp --site http://127.0.0.1:%u --cache cache " HALF_HOUR " -o",
             web_server_port(server));
    char first[600], second[600];
    snprintf(first, sizeof first, "%s first", line);
    snprintf(second, sizeof second, "%s second", line);
    pid_t a = start(first, "talk-a"), b = start(second, "talk-b");
    assert_int_equal(finish(a, 60), 0);
    assert_int_equal(finish(b, 60), 0);
    assert_in_range(requests(), 1 + FILES, 2 + FILES); /* both may ask for the page */
    size_t n, m;
    char *x = file_read("first", &n), *y = file_read("second", &m);
    assert_true(n > 1000);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    free(x);
    free(y);
}

/* SIGINT in the middle of a file: the next run goes on from there. */
static void test_interrupted(void **state)
{
    (void)state;
    char line[512];
    struct stat part;
    pages[0].stall_after = 100;
    pages[0].stall_times = 1;
    snprintf(line, sizeof line, "bgp --count --site http://127.0.0.1:%u --cache cache " HALF_HOUR,
             web_server_port(server));
    pid_t pid = start(line, "talk");
    snprintf(line, sizeof line, "cache/127.0.0.1:%u/rrc00/2022.02/.updates.20220207.0530.gz.part",
             web_server_port(server));
    for (int i = 0; i < 200 && (stat(line, &part) != 0 || part.st_size < 100); i++)
        sleep_ms(20);
    kill(pid, SIGINT);
    assert_int_equal(finish(pid, 20), 128 + SIGINT);
    const struct result *result = fetch("bgp --count --json", HALF_HOUR);
    assert_int_equal(result->status, 0);
    assert_int_equal(count_of(result, "announce"), 2 * FILES);
    struct web_seen seen[WEB_SEEN_MAX];
    size_t count = web_server_seen(server, seen);
    bool is_resumed = false;
    for (size_t i = 0; i < count; i++)
        is_resumed = is_resumed || (strcmp(seen[i].path, paths[0]) == 0 &&
                                    strcmp(seen[i].range, "bytes=100-") == 0);
    assert_true(is_resumed);
}

#define REPLAY "-j a.db --subject kp --prefix 175.45.176.0/22 --asn 131279 " HALF_HOUR

static void test_replay(void **state)
{
    (void)state;
    const struct result *result = fetch("replay", REPLAY);
    assert_string_equal(result->talk, "");
    assert_int_equal(result->status, 0);
    assert_has(result->out, " of 2022-02-07T05:30:00Z to ");
    assert_has(result->out, "; 0 bad records; ");
    result = fetch("replay", REPLAY);
    assert_has(result->out, "already replayed: a.db holds all ");
    assert_int_equal(requests(), 1 + FILES);
}

/* What could not be fetched is a gap in the journal, and no outage. */
static void test_replay_gap(void **state)
{
    (void)state;
    pages[2].status = 403;
    const struct result *result = fetch("replay", REPLAY);
    assert_int_equal(result->status, 1);
    assert_has(result->talk, "updates.20220207.0540.gz: the server answers 403 (forbidden)");
    assert_has(result->talk, "1 of 6 archives could not be fetched");
    assert_has(result->talk, "replay it into another journal (-j) when all can be had");
    result = run("export -j a.db");
    assert_int_equal(result->status, 0);
    assert_has(result->out, "{\"type\":\"gap\",\"time\":\"2022-02-07T05:40:00Z\","
                            "\"until\":\"2022-02-07T05:45:00Z\",\"source\":\"collector:rrc00\","
                            "\"reason\":\"there is no archive of this time\"}\n");
    assert_null(strstr(result->out, "\"time\":\"2022-02-07T05:40:01Z\""));
}

/* What is told of too many is told of what it is. */
static void test_many_missing(void **state)
{
    (void)state;
    char line[2048] = "replay -j a.db --cache cache";
    for (int i = 0; i < 22; i++) {
        size_t n = strlen(line);
        snprintf(line + n, sizeof line - n, " http://127.0.0.1:%u/%d.gz", web_server_port(server),
                 i);
    }
    const struct result *result = run(line);
    assert_int_equal(result->status, 1);
    assert_has(result->talk, "/19.gz: the server answers 404 (not found)\n");
    assert_null(strstr(result->talk, "/20.gz"));
    assert_has(result->talk, "and 2 more archives that cannot be had\n");
}

/* A configuration with these archives; what a daemon says of them until it watches or ends. */
static char *run_with(const char *archives, int *status)
{
    char yaml[1024];
    size_t n;
    snprintf(yaml, sizeof yaml,
             "journal: run.db\nvantage: {name: lon, controls: [\"tcp:127.0.0.1:9\"]}\n"
             "subjects: [{name: kp, prefixes: [175.45.176.0/22], asns: [131279]}]\n"
             "routes: {archives: %s}\n",
             archives);
    file_write("run.yaml", yaml);
    pid_t pid = start("run -c run.yaml --cache cache", "talk");
    char *talk = file_read("talk", &n);
    *status = -1;
    for (int i = 0; i < 200 && *status < 0 && !strstr(talk, "watching"); i++) {
        if (waitpid(pid, status, WNOHANG) != pid)
            *status = -1;
        sleep_ms(50);
        free(talk);
        talk = file_read("talk", &n);
    }
    if (*status < 0) {
        kill(pid, SIGTERM);
        *status = finish(pid, 20);
    } else {
        *status = WEXITSTATUS(*status);
    }
    return talk;
}

/* The daemon reads archives of the web in first, as those that lie here: once, and from the copies after
 * that. */
static void test_run(void **state)
{
    (void)state;
    char span[256], url[128];
    unsigned port = web_server_port(server);
    int status;
    snprintf(span, sizeof span,
             "{collector: rrc00, from: 2022-02-07T05:30:00Z, until: 2022-02-07T06:10:00Z, site: "
             "\"http://127.0.0.1:%u\"}",
             port);
    for (int i = 0; i < 2; i++) {
        char *talk = run_with(span, &status);
        assert_int_equal(status, 0);
        assert_has(talk, "watching 1 target from vantage lon");
        assert_has(talk, "rrc00: the archive has no updates of 2022-02-07T06:00:00Z to");
        assert_int_equal(strstr(talk, " observations from archives of routes, 0 bad") == NULL, i);
        assert_int_equal(requests(), 1 + FILES);
        free(talk);
    }
    const struct result *result = run("export -j run.db");
    assert_has(result->out, "{\"type\":\"gap\",\"time\":\"2022-02-07T06:00:00Z\","
                            "\"until\":\"2022-02-07T06:10:00Z\",\"source\":\"collector:rrc00\"");
    snprintf(url, sizeof url, "[\"http://127.0.0.1:%u%s\"]", port, paths[0]);
    char *talk = run_with(url, &status);
    assert_int_equal(status, 0);
    assert_has(talk, "observations from archives of routes, 0 bad records");
    free(talk);
}

/* It does not begin without one that it was told to read, and says what to do. */
static void test_run_without(void **state)
{
    (void)state;
    char url[128];
    int status;
    snprintf(url, sizeof url, "[\"http://127.0.0.1:%u%s\", \"http://127.0.0.1:%u/no.gz\"]",
             web_server_port(server), paths[0], web_server_port(server));
    char *talk = run_with(url, &status);
    assert_int_equal(status, 1);
    assert_has(talk, "/no.gz: the server answers 404 (not found)\n");
    assert_has(talk, "not all archives that run.yaml names can be had; run it again when they can, "
                     "or take them out of it\n");
    free(talk);
    talk = run_with("{collector: rrc00, from: 2022-02-07T05:30:00Z, until: 2200-01-01T00:00:00Z}",
                    &status);
    assert_int_not_equal(status, 0);
    assert_has(talk, "archives of rrc00: until 2200-01-01T00:00:00Z there are still some to come; "
                     "name a time that is past\n");
    free(talk);
}

static void test_usage(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *text;
    } cases[] = {
        {"bgp", "'bgp' needs archives: lastlight bgp FILE..., or those of the web: "},
        {"bgp --collector rrc00 --from 1", "'bgp' needs archives"},
        {"replay -j a.db --collector rrc00", "'replay' needs archives"},
        {"bgp --collector linx --from 1 --until 2", "no archive of a collector 'linx' is known"},
        {"bgp --collector rrc00 --from 2 --until 1", "--until: '1' is not after --from"},
        {"bgp --collector rrc00 --from x --until 1", "--from: 'x' is not a time"},
        {"bgp --collector rrc00 --from 1 --until 2 --site ftp://a", "'ftp://a' is not the URL"},
        {"bgp --rib file", "--rib is about the archives that --collector, --from and --until"},
        {"bgp --site http://a file", "--site is about the archives"},
        {"replay -j a.db --from 1 file", "--from and --until choose archives of the web"},
        {"bgp http://me@127.0.0.1/a", "is not a URL that can be fetched"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct result *result = run(cases[i].arguments);
        assert_has(result->talk, cases[i].text);
        assert_int_not_equal(result->status, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_count, begin, end),
        cmocka_unit_test_setup_teardown(test_span, begin, end),
        cmocka_unit_test_setup_teardown(test_table, begin, end),
        cmocka_unit_test_setup_teardown(test_missing, begin, end),
        cmocka_unit_test_setup_teardown(test_grid, begin, end),
        cmocka_unit_test_setup_teardown(test_url, begin, end),
        cmocka_unit_test_setup_teardown(test_two_at_once, begin, end),
        cmocka_unit_test_setup_teardown(test_interrupted, begin, end),
        cmocka_unit_test_setup_teardown(test_replay, begin, end),
        cmocka_unit_test_setup_teardown(test_replay_gap, begin, end),
        cmocka_unit_test_setup_teardown(test_many_missing, begin, end),
        cmocka_unit_test_setup_teardown(test_run, begin, end),
        cmocka_unit_test_setup_teardown(test_run_without, begin, end),
        cmocka_unit_test_setup_teardown(test_usage, begin, end),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
