/* source/web/web_cache, sys/web and sys/cache_file: files come as they are, whatever the server does on the
 * way, and none is asked for that need not be. */
#include "source/web/web_cache.h"
#include "web_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define LONG_AGO "Mon, 07 Feb 2022 05:35:14 GMT"

enum { SIZE = 300 * 1000, FAST_MS = 400 };

static char place[] = "/tmp/lastlight-web-XXXXXX";
static uint8_t file[SIZE]; /* begins as a gzip file does */

static int setup(void **state)
{
    (void)state;
    uint32_t x = 1;
    for (size_t i = 0; i < SIZE; i++) {
        x = x * 1664525 + 1013904223;
        file[i] = (uint8_t)(x >> 24);
    }
    memcpy(file, "\x1f\x8b\x08", 3);
    signal(SIGPIPE, SIG_IGN);
    setenv("no_proxy", "127.0.0.1", 1);
    return mkdtemp(place) && chdir(place) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static void remove_all(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int clean(void **state)
{
    (void)state;
    remove_all("cache");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    remove_all("cache");
    return chdir("/") == 0 ? rmdir(place) : -1;
}

/* Everything so fast that no test takes long. */
static struct web_cache *cache_new(int attempts)
{
    struct web_cache_options options;
    web_cache_options_init(&options, "cache");
    options.agent = "lastlight/test";
    options.attempts = attempts;
    options.backoff_ns = 4 * NS_PER_MS;
    options.retry_after_max_ns = 3 * NS_PER_S;
    options.stall_ns = FAST_MS * NS_PER_MS;
    options.connect_ns = 5 * NS_PER_S;
    return web_cache_new(&options);
}

/* A server, a cache, and what came of asking for one page. */
struct trial {
    struct web_server *server;
    struct web_cache *cache;
    struct web_file file;
    struct why why;
    char url[256];
};

static void begin(struct trial *trial, struct web_page *pages, size_t count)
{
    *trial = (struct trial){.server = web_server_start(pages, count, NULL), .cache = cache_new(5)};
}

static void end(struct trial *trial)
{
    web_cache_free(trial->cache);
    web_server_stop(trial->server);
}

/* The program starts anew. */
static void restart(struct trial *trial)
{
    web_cache_free(trial->cache);
    trial->cache = cache_new(5);
}

static enum err get(struct trial *trial, const char *path)
{
    snprintf(trial->url, sizeof trial->url, "http://127.0.0.1:%u%s", web_server_port(trial->server),
             path);
    struct web_wish wish = {.url = trial->url};
    trial->why = (struct why){.text = ""};
    return web_cache_get(trial->cache, &wish, &trial->file, &trial->why);
}

static void check_file(const struct trial *trial, const void *bytes, size_t n)
{
    struct buffer found = {0};
    assert_int_equal(cache_file_load(trial->file.path, 10 * SIZE, &found, NULL), ERR_OK);
    assert_int_equal(found.size, n);
    assert_int_equal(trial->file.size, n);
    if (n)
        assert_memory_equal(found.bytes, bytes, n);
    buffer_done(&found);
}

static void check_requests(const struct trial *trial, size_t count)
{
    struct web_seen seen[WEB_SEEN_MAX];
    assert_int_equal(web_server_seen(trial->server, seen), count);
}

static struct web_seen seen_at(const struct trial *trial, size_t i)
{
    struct web_seen seen[WEB_SEEN_MAX];
    assert_true(web_server_seen(trial->server, seen) > i);
    return seen[i];
}

/* Files in the folder of the host, hidden ones too. */
static int count_files(const char *ending)
{
    char command[256];
    int count = -1;
    snprintf(command, sizeof command, "find cache -type f -name '*%s' | wc -l", ending);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%d", &count), 1);
    pclose(pipe);
    return count;
}

static int64_t now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* The moment so many seconds ago as Last-Modified has it. */
static const char *http_date(int seconds_ago, char out[64])
{
    time_t then = time(NULL) - seconds_ago;
    struct tm parts;
    gmtime_r(&then, &parts);
    strftime(out, 64, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return out;
}

#define assert_has(text, part)                                                                     \
    do {                                                                                           \
        if (!strstr(text, part))                                                                   \
            fail_msg("'%s' is not in: %s", part, text);                                            \
    } while (0)

static void test_whole(void **state)
{
    (void)state;
    struct web_page pages[] = {
        {.path = "/rrc00/a.gz", .bytes = file, .size = SIZE, .modified = LONG_AGO, .etag = "\"1\""},
        {.path = "/empty", .bytes = "", .size = 0, .modified = LONG_AGO},
        {.path = "/open", .bytes = file, .size = SIZE, .has_no_length = true}};
    struct trial trial;
    char expected[CACHE_PATH_MAX];
    begin(&trial, pages, COUNT(pages));
    assert_int_equal(get(&trial, "/rrc00/a.gz"), ERR_OK);
    check_file(&trial, file, SIZE);
    snprintf(expected, sizeof expected, "cache/127.0.0.1:%u/rrc00/a.gz",
             web_server_port(trial.server));
    assert_string_equal(trial.file.path, expected);
    struct web_seen seen = seen_at(&trial, 0);
    assert_string_equal(seen.agent, "lastlight/test");
    assert_string_equal(seen.encoding, "identity");
    assert_string_equal(seen.range, "");
    restart(&trial);
    assert_int_equal(get(&trial, "/rrc00/a.gz"), ERR_OK);
    check_file(&trial, file, SIZE);
    check_requests(&trial, 1);
    assert_int_equal(web_cache_requests(trial.cache), 0);
    assert_int_equal(get(&trial, "/empty"), ERR_OK);
    check_file(&trial, "", 0);
    assert_int_equal(get(&trial, "/open"), ERR_OK);
    check_file(&trial, file, SIZE);
    assert_int_equal(count_files(".part"), 0);
    assert_int_equal(count_files(".part.note"), 0);
    end(&trial);
}

/* What was changed within the hour is asked for again; what is not dated, too. */
static void test_newest(void **state)
{
    (void)state;
    char young[64], old[64];
    struct web_page pages[] = {
        {.path = "/a.gz",
         .bytes = file,
         .size = SIZE / 2,
         .etag = "\"1\"",
         .modified = http_date(60, young),
         .changes_after = 2},
        {.path = "/grown",
         .bytes = file,
         .size = SIZE,
         .etag = "\"2\"",
         .modified = http_date(3700, old)},
        {.path = "/undated.gz", .bytes = file, .size = 9, .etag = "W/\"x\""}};
    struct trial trial;
    begin(&trial, pages, COUNT(pages));
    assert_int_equal(get(&trial, "/a.gz"), ERR_OK);
    check_file(&trial, file, SIZE / 2);
    restart(&trial);
    assert_int_equal(get(&trial, "/a.gz"), ERR_OK); /* 304 */
    check_file(&trial, file, SIZE / 2);
    check_requests(&trial, 2);
    struct web_seen seen = seen_at(&trial, 1);
    assert_string_equal(seen.if_none_match, "\"1\"");
    assert_string_equal(seen.if_modified, young);
    assert_int_equal(get(&trial, "/a.gz"), ERR_OK); /* it has grown, and is now old enough */
    check_file(&trial, file, SIZE);
    assert_int_equal(get(&trial, "/a.gz"), ERR_OK);
    check_requests(&trial, 3);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(get(&trial, "/undated.gz"), ERR_OK);
        check_file(&trial, file, 9);
    }
    check_requests(&trial, 5);
    assert_string_equal(seen_at(&trial, 4).if_none_match, "W/\"x\"");
    end(&trial);
}

static void test_resume(void **state)
{
    (void)state;
    struct web_page pages[] = {
        {.path = "/a.gz",
         .bytes = file,
         .size = SIZE,
         .etag = "\"1\"",
         .modified = LONG_AGO,
         .cut_after = 100 * 1000,
         .cut_times = 2},
        {.path = "/weak.gz",
         .bytes = file,
         .size = SIZE,
         .etag = "W/\"1\"",
         .modified = LONG_AGO,
         .cut_after = 100 * 1000,
         .cut_times = 1},
        {.path = "/bare.gz", .bytes = file, .size = SIZE, .cut_after = 100 * 1000, .cut_times = 1},
        {.path = "/whole.gz",
         .bytes = file,
         .size = SIZE,
         .etag = "\"1\"",
         .has_no_ranges = true,
         .cut_after = 100 * 1000,
         .cut_times = 1}};
    struct trial trial;
    begin(&trial, pages, COUNT(pages));
    assert_int_equal(get(&trial, "/a.gz"), ERR_OK);
    check_file(&trial, file, SIZE);
    check_requests(&trial, 3);
    assert_string_equal(seen_at(&trial, 1).range, "bytes=100000-");
    assert_string_equal(seen_at(&trial, 1).if_range, "\"1\"");
    assert_string_equal(seen_at(&trial, 2).range, "bytes=200000-");
    assert_int_equal(get(&trial, "/weak.gz"), ERR_OK); /* a weak tag does not join parts */
    check_file(&trial, file, SIZE);
    assert_string_equal(seen_at(&trial, 4).if_range, LONG_AGO);
    assert_int_equal(get(&trial, "/bare.gz"), ERR_OK); /* no way to know that it is the same */
    check_file(&trial, file, SIZE);
    assert_string_equal(seen_at(&trial, 6).range, "");
    assert_int_equal(get(&trial, "/whole.gz"), ERR_OK);
    check_file(&trial, file, SIZE);
    check_requests(&trial, 9);
    assert_string_equal(seen_at(&trial, 8).range, "bytes=100000-");
    end(&trial);
}

/* Between the parts it became another file. */
static void test_changed_between(void **state)
{
    (void)state;
    static uint8_t other[SIZE / 2];
    memset(other, 'x', sizeof other);
    memcpy(other, file, 3);
    for (int knows_if_range = 0; knows_if_range < 2; knows_if_range++) {
        struct web_page pages[] = {{.path = "/a.gz",
                                    .bytes = file,
                                    .size = SIZE,
                                    .etag = "\"1\"",
                                    .modified = LONG_AGO,
                                    .cut_after = 1000,
                                    .cut_times = 1,
                                    .changes_after = 1},
                                   {.path = "/other",
                                    .bytes = other,
                                    .size = sizeof other,
                                    .etag = "\"2\"",
                                    .modified = LONG_AGO,
                                    .has_no_if_range = !knows_if_range}};
        struct trial trial;
        begin(&trial, pages, COUNT(pages));
        assert_int_equal(get(&trial, "/a.gz"), ERR_OK);
        check_file(&trial, other, sizeof other);
        check_requests(&trial, knows_if_range ? 2 : 3);
        end(&trial);
        remove_all("cache");
    }
}

/* All came, but before it was put in its place we were killed: the server has nothing more (416). */
static void test_complete_part(void **state)
{
    (void)state;
    struct web_page pages[] = {
        {.path = "/a.gz", .bytes = file, .size = SIZE, .etag = "\"1\"", .modified = LONG_AGO}};
    struct trial trial;
    struct cache_part *part;
    struct cache_note note = {.etag = "\"1\""};
    begin(&trial, pages, COUNT(pages));
    char path[CACHE_PATH_MAX];
    snprintf(note.url, sizeof note.url, "http://127.0.0.1:%u/a.gz", web_server_port(trial.server));
    assert_int_equal(cache_file_path("cache", note.url, path, NULL), ERR_OK);
    assert_int_equal(cache_part_open(path, &part, NULL), ERR_OK);
    assert_int_equal(cache_part_begin(part, &note, NULL), ERR_OK);
    assert_int_equal(cache_part_add(part, file, SIZE, NULL), ERR_OK);
    cache_part_close(part);
    assert_int_equal(get(&trial, "/a.gz"), ERR_OK);
    check_file(&trial, file, SIZE);
    check_requests(&trial, 2);
    end(&trial);
}

static void test_failing_server(void **state)
{
    (void)state;
    struct web_page pages[] = {
        {.path = "/twice.gz", .bytes = file, .size = SIZE, .fail_status = 500, .fail_times = 2},
        {.path = "/never.gz", .status = 503},
        {.path = "/gone.gz", .status = 410},
        {.path = "/secret.gz", .status = 403},
        {.path = "/after.gz", .bytes = file, .size = SIZE}};
    struct trial trial;
    char expected[512];
    begin(&trial, pages, COUNT(pages));
    assert_int_equal(get(&trial, "/twice.gz"), ERR_OK);
    check_file(&trial, file, SIZE);
    check_requests(&trial, 3);
    assert_int_equal(get(&trial, "/never.gz"), ERR_IO);
    snprintf(expected, sizeof expected,
             "%s: the server answers 503 (its own failure); tried 5 times; run it again later, "
             "what came is kept",
             trial.url);
    assert_string_equal(trial.why.text, expected);
    check_requests(&trial, 8);
    assert_int_equal(get(&trial, "/gone.gz"), ERR_NOT_FOUND);
    assert_has(trial.why.text, "/gone.gz: the server answers 410 (gone)");
    assert_int_equal(get(&trial, "/missing.gz"), ERR_NOT_FOUND);
    assert_has(trial.why.text, "/missing.gz: the server answers 404 (not found)");
    assert_int_equal(get(&trial, "/secret.gz"), ERR_IO);
    assert_has(trial.why.text, "/secret.gz: the server answers 403 (forbidden); check the address");
    check_requests(&trial, 11);
    assert_int_equal(get(&trial, "/after.gz"), ERR_OK);
    assert_int_equal(count_files(".part"), 0);
    end(&trial);
}

static void test_retry_after(void **state)
{
    (void)state;
    struct web_page pages[] = {{.path = "/a.gz",
                                .bytes = file,
                                .size = SIZE,
                                .fail_status = 429,
                                .fail_times = 1,
                                .retry_after = 1},
                               {.path = "/capped.gz",
                                .bytes = file,
                                .size = SIZE,
                                .fail_status = 503,
                                .fail_times = 1,
                                .retry_after = 86400}};
    struct trial trial;
    begin(&trial, pages, COUNT(pages));
    int64_t start = now_ms();
    assert_int_equal(get(&trial, "/a.gz"), ERR_OK);
    check_file(&trial, file, SIZE);
    assert_in_range(now_ms() - start, 1000, 2900);
    start = now_ms();
    assert_int_equal(get(&trial, "/capped.gz"), ERR_OK);
    assert_in_range(now_ms() - start, 3000, 20000);
    check_requests(&trial, 4);
    end(&trial);
}

static void test_stall(void **state)
{
    (void)state;
    struct web_page pages[] = {{.path = "/a.gz",
                                .bytes = file,
                                .size = SIZE,
                                .etag = "\"1\"",
                                .stall_after = 50000,
                                .stall_times = 1},
                               {.path = "/dead.gz",
                                .bytes = file,
                                .size = SIZE,
                                .etag = "\"1\"",
                                .stall_after = 0,
                                .stall_times = 99}};
    struct trial trial;
    begin(&trial, pages, COUNT(pages));
    assert_int_equal(get(&trial, "/a.gz"), ERR_OK);
    check_file(&trial, file, SIZE);
    assert_string_equal(seen_at(&trial, 1).range, "bytes=50000-");
    assert_int_equal(get(&trial, "/dead.gz"), ERR_IO);
    assert_has(trial.why.text, "/dead.gz: stalled: ");
    assert_has(trial.why.text, " bytes came in 400 ms; tried 5 times");
    check_requests(&trial, 7);
    end(&trial);
}

static void test_wrong_lengths(void **state)
{
    (void)state;
    struct web_page pages[] = {
        {.path = "/short.gz", .bytes = file, .size = 1000, .claimed = 2000},
        {.path = "/part.gz",
         .bytes = file,
         .size = SIZE,
         .etag = "\"1\"",
         .cut_after = 1000,
         .cut_times = 1,
         .changes_after = 1},
        /* Each part is short, and says so: it is gone on with as long as there are attempts. */
        {.path = "/other", .bytes = file, .size = SIZE, .etag = "\"1\"", .claimed = 1000}};
    struct trial trial;
    begin(&trial, pages, COUNT(pages));
    assert_int_equal(get(&trial, "/short.gz"), ERR_IO);
    assert_has(trial.why.text, "/short.gz: broken off after 1000 of 2000 bytes; tried 5 times");
    assert_int_equal(count_files(".part"), 0); /* nothing to go on with without a tag */
    restart(&trial);                           /* and forget that the host has failed */
    assert_int_equal(get(&trial, "/part.gz"), ERR_IO);
    assert_has(trial.why.text, "/part.gz: broken off after 5000 of 300000 bytes; tried 5 times");
    assert_int_equal(count_files(".part"), 1);
    end(&trial);
}

static void test_redirects(void **state)
{
    (void)state;
    struct web_page pages[] = {{.path = "/moved.gz", .location = "/there.gz"},
                               {.path = "/there.gz", .bytes = file, .size = SIZE},
                               {.path = "/loop.gz", .location = "/loop.gz"},
                               {.path = "/file.gz", .location = "file:///etc/passwd"},
                               {.path = "/nowhere.gz", .location = "/missing.gz"}};
    struct trial trial;
    begin(&trial, pages, COUNT(pages));
    assert_int_equal(get(&trial, "/moved.gz"), ERR_OK);
    check_file(&trial, file, SIZE);
    assert_has(trial.file.path, "/moved.gz");
    check_requests(&trial, 2);
    assert_int_equal(get(&trial, "/loop.gz"), ERR_IO);
    assert_has(trial.why.text, "/loop.gz: it is redirected on and on; check the address");
    check_requests(&trial, 2 + WEB_REDIRECTS_MAX + 1);
    assert_int_equal(get(&trial, "/file.gz"), ERR_IO);
    assert_has(trial.why.text, "it leads to something that is not http or https");
    assert_int_equal(get(&trial, "/nowhere.gz"), ERR_NOT_FOUND);
    end(&trial);
}

static void test_endless(void **state)
{
    (void)state;
    struct web_page pages[] = {{.path = "/body", .bytes = "", .is_endless = true, .etag = "\"1\""},
                               {.path = "/head", .bytes = "", .has_endless_head = true},
                               {.path = "/large", .bytes = file, .size = SIZE, .etag = "\"1\""}};
    struct trial trial;
    begin(&trial, pages, COUNT(pages));
    char url[256];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/body", web_server_port(trial.server));
    struct web_wish wish = {.url = url, .size_max = 100000};
    assert_int_equal(web_cache_get(trial.cache, &wish, &trial.file, &trial.why), ERR_LIMIT);
    assert_has(trial.why.text, "/body: larger than the 100000 bytes that are taken");
    snprintf(url, sizeof url, "http://127.0.0.1:%u/large", web_server_port(trial.server));
    assert_int_equal(web_cache_get(trial.cache, &wish, &trial.file, &trial.why), ERR_LIMIT);
    assert_int_equal(get(&trial, "/head"), ERR_IO);
    assert_has(trial.why.text, "/head: the head of the reply does not end");
    check_requests(&trial, 3);
    assert_int_equal(count_files(""), 0); /* and they take no room */
    end(&trial);
}

/* What is packed in the file stays packed; what the server packs on the way is not the file. */
static void test_encodings(void **state)
{
    (void)state;
    static const char page[] = "<html>Please log in</html>";
    struct web_page pages[] = {
        {.path = "/a.gz", .bytes = file, .size = SIZE, .fields = "Content-Encoding: gzip\r\n"},
        {.path = "/x.gz", .bytes = file, .size = SIZE, .fields = "Content-Encoding: x-gzip\r\n"},
        {.path = "/a.bz2", .bytes = file, .size = SIZE, .fields = "Content-Encoding: gzip\r\n"},
        {.path = "/b.gz", .bytes = page, .size = sizeof page - 1},
        {.path = "/a.zst", .bytes = "\x28\xb5\x2f\xfd\x24", .size = 5}};
    struct trial trial;
    begin(&trial, pages, COUNT(pages));
    assert_int_equal(get(&trial, "/a.gz"), ERR_OK);
    check_file(&trial, file, SIZE);
    assert_int_equal(get(&trial, "/x.gz"), ERR_OK);
    check_file(&trial, file, SIZE);
    assert_int_equal(get(&trial, "/a.bz2"), ERR_IO);
    assert_has(trial.why.text, "/a.bz2: the server sends it packed once more (gzip)");
    assert_int_equal(get(&trial, "/b.gz"), ERR_IO);
    assert_has(trial.why.text, "/b.gz: what the server sends is no archive");
    assert_int_equal(get(&trial, "/a.zst"), ERR_OK);
    check_requests(&trial, 5);
    assert_int_equal(count_files(".part"), 0);
    end(&trial);
}

static uint16_t unused_port(void)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof own;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &length), 0);
    close(fd);
    return ntohs(own.sin_port);
}

/* A host that cannot be reached is given up, and the others are not. */
static void test_unreachable(void **state)
{
    (void)state;
    struct web_page pages[] = {{.path = "/a.gz", .bytes = file, .size = SIZE}};
    static const uint64_t requests[] = {5, 6, 7, 7, 7};
    struct trial trial;
    begin(&trial, pages, COUNT(pages));
    uint16_t port = unused_port();
    for (size_t i = 0; i < COUNT(requests); i++) {
        char url[128];
        snprintf(url, sizeof url, "http://127.0.0.1:%u/%zu.gz", port, i);
        struct web_wish wish = {.url = url};
        assert_int_equal(web_cache_get(trial.cache, &wish, &trial.file, &trial.why), ERR_IO);
        assert_has(trial.why.text, url);
        assert_int_equal(web_cache_requests(trial.cache), requests[i]);
    }
    assert_has(trial.why.text, "not asked for, as its host failed 3 times in a row");
    assert_int_equal(get(&trial, "/a.gz"), ERR_OK);
    end(&trial);
}

/* Better an old copy than none, and it is said. */
static void test_old_copy(void **state)
{
    (void)state;
    char young[64];
    struct web_page pages[] = {{.path = "/a.gz",
                                .bytes = file,
                                .size = SIZE,
                                .etag = "\"1\"",
                                .modified = http_date(60, young),
                                .changes_after = 1},
                               {.path = "/broken", .status = 500}};
    struct trial trial;
    begin(&trial, pages, COUNT(pages));
    assert_int_equal(get(&trial, "/a.gz"), ERR_OK);
    assert_false(trial.file.is_old);
    assert_int_equal(get(&trial, "/a.gz"), ERR_OK);
    assert_true(trial.file.is_old);
    check_file(&trial, file, SIZE);
    assert_has(trial.why.text, "/a.gz: the server answers 500 (its own failure); tried 5 times");
    end(&trial);
}

/* A file that somebody else put there is used as it is. */
static void test_foreign(void **state)
{
    (void)state;
    struct trial trial;
    char path[CACHE_PATH_MAX], url[128];
    begin(&trial, NULL, 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/a.gz", web_server_port(trial.server));
    assert_int_equal(cache_file_path("cache", url, path, NULL), ERR_OK);
    assert_int_equal(mkdir("cache", 0777), 0);
    snprintf(url, sizeof url, "cache/127.0.0.1:%u", web_server_port(trial.server));
    assert_int_equal(mkdir(url, 0777), 0);
    FILE *foreign = fopen(path, "w");
    assert_non_null(foreign);
    fputs("mine", foreign);
    fclose(foreign);
    assert_int_equal(get(&trial, "/a.gz"), ERR_OK);
    check_file(&trial, "mine", 4);
    check_requests(&trial, 0);
    end(&trial);
}

static void *get_in_thread(void *context)
{
    struct trial *trial = context;
    return get(trial, "/a.gz") == ERR_OK ? trial : NULL;
}

static void sleep_ms(int ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

/* What was interrupted is gone on with the next time. */
static void test_stop(void **state)
{
    (void)state;
    struct web_page pages[] = {{.path = "/a.gz",
                                .bytes = file,
                                .size = SIZE,
                                .etag = "\"1\"",
                                .stall_after = 70000,
                                .stall_times = 1}};
    struct trial trial;
    pthread_t thread;
    void *result;
    begin(&trial, pages, COUNT(pages));
    assert_int_equal(pthread_create(&thread, NULL, get_in_thread, &trial), 0);
    for (int i = 0; i < 200 && web_cache_state(trial.cache).done < 70000; i++)
        sleep_ms(1);
    assert_int_equal(web_cache_state(trial.cache).size, SIZE);
    web_cache_stop(trial.cache);
    pthread_join(thread, &result);
    assert_null(result);
    assert_int_equal(trial.why.err, ERR_CLOSED);
    assert_int_equal(count_files(".part"), 1);
    restart(&trial);
    assert_int_equal(get(&trial, "/a.gz"), ERR_OK);
    check_file(&trial, file, SIZE);
    check_requests(&trial, 2);
    assert_string_equal(seen_at(&trial, 1).range, "bytes=70000-");
    end(&trial);
}

/* Two at once: one fetches, the other waits for it. The lock belongs to the open file, so that threads
 * are to it as processes are. */
static void test_two_at_once(void **state)
{
    (void)state;
    struct web_page pages[] = {{.path = "/a.gz",
                                .bytes = file,
                                .size = SIZE,
                                .etag = "\"1\"",
                                .modified = LONG_AGO,
                                .stall_after = 70000,
                                .stall_times = 1}};
    struct trial trial, second;
    pthread_t thread;
    void *result;
    begin(&trial, pages, COUNT(pages));
    second = (struct trial){.server = trial.server, .cache = cache_new(5)};
    assert_int_equal(pthread_create(&thread, NULL, get_in_thread, &trial), 0);
    for (int i = 0; i < 200 && web_cache_state(trial.cache).done < 70000; i++)
        sleep_ms(1);
    assert_int_equal(get(&second, "/a.gz"), ERR_OK);
    check_file(&second, file, SIZE);
    pthread_join(thread, &result);
    assert_ptr_equal(result, &trial);
    check_file(&trial, file, SIZE);
    check_requests(&trial, 2); /* both of the first: broken off, and gone on with */
    assert_int_equal(web_cache_requests(second.cache), 0);
    web_cache_free(second.cache);
    end(&trial);
}

/* In a process of its own, with a disk that nobody else sees: 0 if all is as it should be, 77 if such a
 * disk cannot be had here. */
static int fill_disk(struct trial *trial)
{
    if (mkdir("cache", 0777) != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", "cache", "tmpfs", 0, "size=128k") != 0)
        return 77;
    trial->cache = cache_new(5);
    if (get(trial, "/a.gz") != ERR_FULL ||
        !strstr(trial->why.text, "a.gz.part: no space left for the copies of archives; free some, "
                                 "or name another folder with --cache"))
        return 1;
    if (get(trial, "/b.gz") != ERR_FULL || web_cache_requests(trial->cache) != 1)
        return 2;
    return 0;
}

static void test_full_disk(void **state)
{
    (void)state;
    struct web_page pages[] = {{.path = "/a.gz", .bytes = file, .size = SIZE, .etag = "\"1\""},
                               {.path = "/b.gz", .bytes = file, .size = SIZE, .etag = "\"1\""}};
    struct trial trial;
    int status;
    begin(&trial, pages, COUNT(pages));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(fill_disk(&trial));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    end(&trial);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("skipped: no disk of our own can be made here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_folder_in_the_way(void **state)
{
    (void)state;
    struct web_page pages[] = {{.path = "/a.gz", .bytes = file, .size = SIZE}};
    struct trial trial;
    begin(&trial, pages, COUNT(pages));
    FILE *way = fopen("cache", "w");
    assert_non_null(way);
    fclose(way);
    assert_int_equal(get(&trial, "/a.gz"), ERR_IO);
    assert_has(trial.why.text, "cache/127.0.0.1:");
    check_requests(&trial, 0);
    end(&trial);
}

static void test_paths(void **state)
{
    (void)state;
    static const struct {
        const char *url, *path;
    } cases[] = {
        {"https://data.ris.ripe.net/rrc00/2022.02/updates.20220207.0530.gz",
         "c/data.ris.ripe.net/rrc00/2022.02/updates.20220207.0530.gz"},
        {"HTTP://Mirror.Example:8080/a", "c/mirror.example:8080/a"},
        {"http://[::1]:8080/a", "c/[::1]:8080/a"},
        {"https://a/b/", "c/a/b/.index.html"},
        {"https://a", "c/a/.index.html"},
        {"https://a/", "c/a/.index.html"},
        {"https://a//b///c", "c/a/b/c"},
        {"https://a/../b/./.c", "c/a/%2E./b/%2E/%2Ec"},
        {"https://../b", "c/%2E./b"},
        {"https://a/b?c=d/e", "c/a/b%3Fc=d/e"},
        {"https://a/b#c", "c/a/b"},
        {"https://a/b/#c/d", "c/a/b/.index.html"},
        {"https://a#c", "c/a/.index.html"},
        {"https://a//", "c/a/.index.html"},
        {"https://a?b", "c/a/%3Fb"},
        {"https://a/b c\n*", "c/a/b%20c%0A%2A"},
        {"https://a/%2e%2e/b", "c/a/%2e%2e/b"},
    };
    static const char *const wrong[] = {
        "",     "http://", "https:///a",         "ftp://a/b", "file:///etc/x",
        "a.gz", "http:/a", "http://me:word@a/b", "//a/b"};
    char path[CACHE_PATH_MAX], longer[600];
    struct why why;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(cache_file_path("c", cases[i].url, path, &why), ERR_OK);
        assert_string_equal(path, cases[i].path);
    }
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_equal(cache_file_path("c", wrong[i], path, &why), ERR_USAGE);
    memset(longer, 'a', sizeof longer);
    memcpy(longer, "http://h/", 9);
    longer[9 + CACHE_NAME_MAX] = '\0';
    assert_int_equal(cache_file_path("c", longer, path, &why), ERR_USAGE);
    longer[9 + CACHE_NAME_MAX - 1] = '\0';
    assert_int_equal(cache_file_path("c", longer, path, &why), ERR_OK);
}

/* TLS: a certificate that nobody vouches for is refused. */

static SSL_CTX *tls_context(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)"a test", -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_set_pubkey(certificate, key);
    X509_EXTENSION *name = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(certificate, name, -1);
    X509_EXTENSION_free(name);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    FILE *pem = fopen("ca.pem", "w");
    assert_non_null(pem);
    assert_int_equal(PEM_write_X509(pem, certificate), 1);
    fclose(pem);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return context;
}

static void test_certificates(void **state)
{
    (void)state;
    SSL_CTX *context = tls_context();
    struct web_page pages[] = {{.path = "/a.gz", .bytes = file, .size = SIZE},
                               {.path = "/down.gz", .location = "http://127.0.0.1/a.gz"}};
    struct web_server *server = web_server_start(pages, COUNT(pages), context);
    struct web_cache_options options;
    struct web_file out;
    struct why why;
    char url[128];
    web_cache_options_init(&options, "cache");
    options.attempts = 2;
    snprintf(url, sizeof url, "https://127.0.0.1:%u/a.gz", web_server_port(server));
    struct web_wish wish = {.url = url};
    struct web_cache *cache = web_cache_new(&options);
    assert_int_equal(web_cache_get(cache, &wish, &out, &why), ERR_IO);
    assert_has(why.text, "certificate");
    assert_int_equal(web_cache_requests(cache), 1);
    web_cache_free(cache);
    options.ca_file = "ca.pem";
    cache = web_cache_new(&options);
    assert_int_equal(web_cache_get(cache, &wish, &out, &why), ERR_OK);
    assert_int_equal(out.size, SIZE);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/down.gz", web_server_port(server));
    assert_int_equal(web_cache_get(cache, &wish, &out, &why), ERR_IO);
    assert_has(why.text, "it leads to something that is not");
    web_cache_free(cache);
    web_server_stop(server);
    SSL_CTX_free(context);
    unlink("ca.pem");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_whole, clean),
        cmocka_unit_test_teardown(test_newest, clean),
        cmocka_unit_test_teardown(test_resume, clean),
        cmocka_unit_test_teardown(test_changed_between, clean),
        cmocka_unit_test_teardown(test_complete_part, clean),
        cmocka_unit_test_teardown(test_failing_server, clean),
        cmocka_unit_test_teardown(test_retry_after, clean),
        cmocka_unit_test_teardown(test_stall, clean),
        cmocka_unit_test_teardown(test_wrong_lengths, clean),
        cmocka_unit_test_teardown(test_redirects, clean),
        cmocka_unit_test_teardown(test_endless, clean),
        cmocka_unit_test_teardown(test_encodings, clean),
        cmocka_unit_test_teardown(test_unreachable, clean),
        cmocka_unit_test_teardown(test_old_copy, clean),
        cmocka_unit_test_teardown(test_foreign, clean),
        cmocka_unit_test_teardown(test_stop, clean),
        cmocka_unit_test_teardown(test_two_at_once, clean),
        cmocka_unit_test_teardown(test_full_disk, clean),
        cmocka_unit_test_teardown(test_folder_in_the_way, clean),
        cmocka_unit_test(test_paths),
        cmocka_unit_test_teardown(test_certificates, clean),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
