#include "web_trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char place[] = "/tmp/lastlight-web-XXXXXX";
uint8_t trial_bytes[TRIAL_SIZE];

int trial_setup(void **state)
{
    (void)state;
    uint32_t x = 1;
    for (size_t i = 0; i < TRIAL_SIZE; i++) {
        x = x * 1664525 + 1013904223;
        trial_bytes[i] = (uint8_t)(x >> 24);
    }
    memcpy(trial_bytes, "\x1f\x8b\x08", 3);
    signal(SIGPIPE, SIG_IGN);
    setenv("no_proxy", "127.0.0.1", 1);
    return mkdtemp(place) && chdir(place) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

int trial_clean(void **state)
{
    (void)state;
    nftw("cache", remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

int trial_teardown(void **state)
{
    trial_clean(state);
    return chdir("/") == 0 ? rmdir(place) : -1;
}

struct web_cache *trial_cache(int attempts)
{
    struct web_cache_options options;
    web_cache_options_init(&options, "cache");
    options.agent = "lastlight/test";
    options.attempts = attempts;
    options.backoff_ns = 4 * NS_PER_MS;
    options.retry_after_max_ns = 3 * NS_PER_S;
    options.stall_ns = TRIAL_STALL_MS * NS_PER_MS;
    options.connect_ns = 5 * NS_PER_S;
    return web_cache_new(&options);
}

void trial_begin(struct trial *trial, struct web_page *pages, size_t count)
{
    *trial = (struct trial){.server = web_server_start(pages, count, NULL),
                            .cache = trial_cache(TRIAL_ATTEMPTS)};
}

void trial_end(struct trial *trial)
{
    web_cache_free(trial->cache);
    web_server_stop(trial->server);
}

void trial_restart(struct trial *trial)
{
    web_cache_free(trial->cache);
    trial->cache = trial_cache(TRIAL_ATTEMPTS);
}

enum err trial_get(struct trial *trial, const char *path)
{
    snprintf(trial->url, sizeof trial->url, "http://127.0.0.1:%u%s", web_server_port(trial->server),
             path);
    struct web_wish wish = {.url = trial->url};
    trial->why = (struct why){.text = ""};
    return web_cache_get(trial->cache, &wish, &trial->file, &trial->why);
}

void *trial_get_a(void *trial)
{
    return trial_get(trial, "/a.gz") == ERR_OK ? trial : NULL;
}

void trial_check_file(const struct trial *trial, const void *bytes, size_t n)
{
    struct buffer found = {0};
    assert_int_equal(cache_file_load(trial->file.path, 10 * TRIAL_SIZE, &found, NULL), ERR_OK);
    assert_int_equal(found.size, n);
    assert_int_equal(trial->file.size, n);
    if (n)
        assert_memory_equal(found.bytes, bytes, n);
    buffer_done(&found);
}

void trial_check_requests(const struct trial *trial, size_t count)
{
    struct web_seen seen[WEB_SEEN_MAX];
    assert_int_equal(web_server_seen(trial->server, seen), count);
}

struct web_seen trial_seen(const struct trial *trial, size_t i)
{
    struct web_seen seen[WEB_SEEN_MAX];
    assert_true(web_server_seen(trial->server, seen) > i);
    return seen[i];
}

int trial_count_files(const char *ending)
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

int64_t trial_now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

const char *trial_date(int seconds_ago, char out[64])
{
    time_t then = time(NULL) - seconds_ago;
    struct tm parts;
    gmtime_r(&then, &parts);
    strftime(out, 64, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return out;
}

void trial_sleep_ms(int ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}
