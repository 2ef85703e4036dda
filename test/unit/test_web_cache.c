/* source/web/web_cache: files come as they are, whatever the server does on the way, and none is asked for
 * that need not be. */
#include "web_trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_whole(void **state)
{
    (void)state;
    struct web_page pages[] = {
        {.path = "/rrc00/a.gz",
         .bytes = trial_bytes,
         .size = TRIAL_SIZE,
         .modified = LONG_AGO,
         .etag = "\"1\""},
        {.path = "/empty", .bytes = "", .size = 0, .modified = LONG_AGO},
        {.path = "/open", .bytes = trial_bytes, .size = TRIAL_SIZE, .has_no_length = true}};
    struct trial trial;
    char expected[CACHE_PATH_MAX];
    trial_begin(&trial, pages, COUNT(pages));
    assert_int_equal(trial_get(&trial, "/rrc00/a.gz"), ERR_OK);
    trial_check_file(&trial, trial_bytes, TRIAL_SIZE);
    snprintf(expected, sizeof expected, "cache/127.0.0.1:%u/rrc00/a.gz",
             web_server_port(trial.server));
    assert_string_equal(trial.file.path, expected);
    struct web_seen seen = trial_seen(&trial, 0);
    assert_string_equal(seen.agent, "lastlight/test");
    assert_string_equal(seen.encoding, "identity");
    assert_string_equal(seen.range, "");
    trial_restart(&trial);
    assert_int_equal(trial_get(&trial, "/rrc00/a.gz"), ERR_OK);
    trial_check_file(&trial, trial_bytes, TRIAL_SIZE);
    trial_check_requests(&trial, 1);
    assert_int_equal(web_cache_requests(trial.cache), 0);
    assert_int_equal(trial_get(&trial, "/empty"), ERR_OK);
    trial_check_file(&trial, "", 0);
    assert_int_equal(trial_get(&trial, "/open"), ERR_OK);
    trial_check_file(&trial, trial_bytes, TRIAL_SIZE);
    assert_int_equal(trial_count_files(".part"), 0);
    assert_int_equal(trial_count_files(".part.note"), 0);
    trial_end(&trial);
}

/* What was changed within the hour is asked for again; what is not dated, too. */
static void test_newest(void **state)
{
    (void)state;
    char young[64], old[64];
    struct web_page pages[] = {
        {.path = "/a.gz",
         .bytes = trial_bytes,
         .size = TRIAL_SIZE / 2,
         .etag = "\"1\"",
         .modified = trial_date(60, young),
         .changes_after = 2},
        {.path = "/grown",
         .bytes = trial_bytes,
         .size = TRIAL_SIZE,
         .etag = "\"2\"",
         .modified = trial_date(3700, old)},
        {.path = "/undated.gz", .bytes = trial_bytes, .size = 9, .etag = "W/\"x\""}};
    struct trial trial;
    trial_begin(&trial, pages, COUNT(pages));
    assert_int_equal(trial_get(&trial, "/a.gz"), ERR_OK);
    trial_check_file(&trial, trial_bytes, TRIAL_SIZE / 2);
    trial_restart(&trial);
    assert_int_equal(trial_get(&trial, "/a.gz"), ERR_OK); /* 304 */
    trial_check_file(&trial, trial_bytes, TRIAL_SIZE / 2);
    trial_check_requests(&trial, 2);
    struct web_seen seen = trial_seen(&trial, 1);
    assert_string_equal(seen.if_none_match, "\"1\"");
    assert_string_equal(seen.if_modified, young);
    assert_int_equal(trial_get(&trial, "/a.gz"), ERR_OK); /* it has grown, and is now old enough */
    trial_check_file(&trial, trial_bytes, TRIAL_SIZE);
    assert_int_equal(trial_get(&trial, "/a.gz"), ERR_OK);
    trial_check_requests(&trial, 3);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(trial_get(&trial, "/undated.gz"), ERR_OK);
        trial_check_file(&trial, trial_bytes, 9);
    }
    trial_check_requests(&trial, 5);
    assert_string_equal(trial_seen(&trial, 4).if_none_match, "W/\"x\"");
    trial_end(&trial);
}

static void test_failing_server(void **state)
{
    (void)state;
    struct web_page pages[] = {{.path = "/twice.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .fail_status = 500,
                                .fail_times = 2},
                               {.path = "/never.gz", .status = 503},
                               {.path = "/gone.gz", .status = 410},
                               {.path = "/secret.gz", .status = 403},
                               {.path = "/after.gz", .bytes = trial_bytes, .size = TRIAL_SIZE}};
    struct trial trial;
    char expected[512];
    trial_begin(&trial, pages, COUNT(pages));
    assert_int_equal(trial_get(&trial, "/twice.gz"), ERR_OK);
    trial_check_file(&trial, trial_bytes, TRIAL_SIZE);
    trial_check_requests(&trial, 3);
    assert_int_equal(trial_get(&trial, "/never.gz"), ERR_IO);
    snprintf(expected, sizeof expected,
             "%s: the server answers 503 (its own failure); tried 5 times; run it again later, "
             "what came is kept",
             trial.url);
    assert_string_equal(trial.why.text, expected);
    trial_check_requests(&trial, 8);
    assert_int_equal(trial_get(&trial, "/gone.gz"), ERR_NOT_FOUND);
    assert_has(trial.why.text, "/gone.gz: the server answers 410 (gone)");
    assert_int_equal(trial_get(&trial, "/missing.gz"), ERR_NOT_FOUND);
    assert_has(trial.why.text, "/missing.gz: the server answers 404 (not found)");
    assert_int_equal(trial_get(&trial, "/secret.gz"), ERR_IO);
    assert_has(trial.why.text, "/secret.gz: the server answers 403 (forbidden); check the address");
    trial_check_requests(&trial, 11);
    assert_int_equal(trial_get(&trial, "/after.gz"), ERR_OK);
    assert_int_equal(trial_count_files(".part"), 0);
    trial_end(&trial);
}

static void test_retry_after(void **state)
{
    (void)state;
    struct web_page pages[] = {{.path = "/a.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .fail_status = 429,
                                .fail_times = 1,
                                .retry_after = 1},
                               {.path = "/capped.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .fail_status = 503,
                                .fail_times = 1,
                                .retry_after = 86400}};
    struct trial trial;
    trial_begin(&trial, pages, COUNT(pages));
    int64_t start = trial_now_ms();
    assert_int_equal(trial_get(&trial, "/a.gz"), ERR_OK);
    trial_check_file(&trial, trial_bytes, TRIAL_SIZE);
    assert_in_range(trial_now_ms() - start, 1000, 2900);
    start = trial_now_ms();
    assert_int_equal(trial_get(&trial, "/capped.gz"), ERR_OK);
    assert_in_range(trial_now_ms() - start, 3000, 20000);
    trial_check_requests(&trial, 4);
    trial_end(&trial);
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
    struct web_page pages[] = {{.path = "/a.gz", .bytes = trial_bytes, .size = TRIAL_SIZE}};
    static const uint64_t requests[] = {5, 6, 7, 7, 7};
    struct trial trial;
    trial_begin(&trial, pages, COUNT(pages));
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
    assert_int_equal(trial_get(&trial, "/a.gz"), ERR_OK);
    trial_end(&trial);
}

/* Better an old copy than none, and it is said. */
static void test_old_copy(void **state)
{
    (void)state;
    char young[64];
    struct web_page pages[] = {{.path = "/a.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .etag = "\"1\"",
                                .modified = trial_date(60, young),
                                .changes_after = 1},
                               {.path = "/broken", .status = 500}};
    struct trial trial;
    trial_begin(&trial, pages, COUNT(pages));
    assert_int_equal(trial_get(&trial, "/a.gz"), ERR_OK);
    assert_false(trial.file.is_old);
    assert_int_equal(trial_get(&trial, "/a.gz"), ERR_OK);
    assert_true(trial.file.is_old);
    trial_check_file(&trial, trial_bytes, TRIAL_SIZE);
    assert_has(trial.why.text, "/a.gz: the server answers 500 (its own failure); tried 5 times");
    trial_end(&trial);
}

/* A file that somebody else put there is used as it is. */
static void test_foreign(void **state)
{
    (void)state;
    struct trial trial;
    char path[CACHE_PATH_MAX], url[128];
    trial_begin(&trial, NULL, 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/a.gz", web_server_port(trial.server));
    assert_int_equal(cache_file_path("cache", url, path, NULL), ERR_OK);
    assert_int_equal(mkdir("cache", 0777), 0);
    snprintf(url, sizeof url, "cache/127.0.0.1:%u", web_server_port(trial.server));
    assert_int_equal(mkdir(url, 0777), 0);
    FILE *foreign = fopen(path, "w");
    assert_non_null(foreign);
    fputs("mine", foreign);
    fclose(foreign);
    assert_int_equal(trial_get(&trial, "/a.gz"), ERR_OK);
    trial_check_file(&trial, "mine", 4);
    trial_check_requests(&trial, 0);
    trial_end(&trial);
}

/* While a file is waited for, nothing is told of the one before it. */
static void test_state(void **state)
{
    (void)state;
    struct web_page pages[] = {{.path = "/first.gz", .bytes = trial_bytes, .size = TRIAL_SIZE},
                               {.path = "/a.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .fail_status = 503,
                                .fail_times = 1,
                                .retry_after = 1}};
    struct trial trial;
    pthread_t thread;
    void *result;
    trial_begin(&trial, pages, COUNT(pages));
    assert_int_equal(trial_get(&trial, "/first.gz"), ERR_OK);
    assert_int_equal(web_cache_state(trial.cache).done, TRIAL_SIZE);
    assert_int_equal(pthread_create(&thread, NULL, trial_get_a, &trial), 0);
    for (int i = 0; i < 5000 && !web_cache_state(trial.cache).is_waiting; i++)
        trial_sleep_ms(1);
    struct web_state waiting = web_cache_state(trial.cache);
    pthread_join(thread, &result);
    assert_ptr_equal(result, &trial);
    assert_true(waiting.is_waiting && waiting.attempt == 1);
    assert_int_equal(waiting.done, 0);
    assert_int_equal(waiting.size, 0);
    trial_end(&trial);
}

/* Two at once: one fetches, the other waits for it. The lock belongs to the open file, so that threads
 * are to it as processes are. */
static void test_two_at_once(void **state)
{
    (void)state;
    struct web_page pages[] = {{.path = "/a.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .etag = "\"1\"",
                                .modified = LONG_AGO,
                                .stall_after = 70000,
                                .stall_times = 1}};
    struct trial trial, second;
    pthread_t thread;
    void *result;
    trial_begin(&trial, pages, COUNT(pages));
    second = (struct trial){.server = trial.server, .cache = trial_cache(5)};
    assert_int_equal(pthread_create(&thread, NULL, trial_get_a, &trial), 0);
    for (int i = 0; i < 200 && web_cache_state(trial.cache).done < 70000; i++)
        trial_sleep_ms(1);
    assert_int_equal(trial_get(&second, "/a.gz"), ERR_OK);
    trial_check_file(&second, trial_bytes, TRIAL_SIZE);
    pthread_join(thread, &result);
    assert_ptr_equal(result, &trial);
    trial_check_file(&trial, trial_bytes, TRIAL_SIZE);
    trial_check_requests(&trial, 2); /* both of the first: broken off, and gone on with */
    assert_int_equal(web_cache_requests(second.cache), 0);
    web_cache_free(second.cache);
    trial_end(&trial);
}

/* In a process of its own, with a disk that nobody else sees: 0 if all is as it should be, 77 if such a
 * disk cannot be had here. */
static int fill_disk(struct trial *trial)
{
    if (mkdir("cache", 0777) != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", "cache", "tmpfs", 0, "size=128k") != 0)
        return 77;
    trial->cache = trial_cache(5);
    if (trial_get(trial, "/a.gz") != ERR_FULL ||
        !strstr(trial->why.text, "a.gz.part: no space left for the copies of archives; free some, "
                                 "or name another folder with --cache"))
        return 1;
    if (trial_get(trial, "/b.gz") != ERR_FULL || web_cache_requests(trial->cache) != 1)
        return 2;
    return 0;
}

static void test_full_disk(void **state)
{
    (void)state;
    struct web_page pages[] = {
        {.path = "/a.gz", .bytes = trial_bytes, .size = TRIAL_SIZE, .etag = "\"1\""},
        {.path = "/b.gz", .bytes = trial_bytes, .size = TRIAL_SIZE, .etag = "\"1\""}};
    struct trial trial;
    int status;
    trial_begin(&trial, pages, COUNT(pages));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(fill_disk(&trial));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    trial_end(&trial);
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
    struct web_page pages[] = {{.path = "/a.gz", .bytes = trial_bytes, .size = TRIAL_SIZE}};
    struct trial trial;
    trial_begin(&trial, pages, COUNT(pages));
    FILE *way = fopen("cache", "w");
    assert_non_null(way);
    fclose(way);
    assert_int_equal(trial_get(&trial, "/a.gz"), ERR_IO);
    assert_has(trial.why.text, "cache/127.0.0.1:");
    trial_check_requests(&trial, 0);
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_whole, trial_clean),
        cmocka_unit_test_teardown(test_newest, trial_clean),
        cmocka_unit_test_teardown(test_failing_server, trial_clean),
        cmocka_unit_test_teardown(test_retry_after, trial_clean),
        cmocka_unit_test_teardown(test_unreachable, trial_clean),
        cmocka_unit_test_teardown(test_old_copy, trial_clean),
        cmocka_unit_test_teardown(test_foreign, trial_clean),
        cmocka_unit_test_teardown(test_state, trial_clean),
        cmocka_unit_test_teardown(test_two_at_once, trial_clean),
        cmocka_unit_test_teardown(test_full_disk, trial_clean),
        cmocka_unit_test_teardown(test_folder_in_the_way, trial_clean),
    };
    return cmocka_run_group_tests(tests, trial_setup, trial_teardown);
}
