/* For tests of fetching: a server that misbehaves (web_server.h), a cache so impatient that no test takes
 * long, and what came of asking for one page. The current folder is one of our own, the copies lie in
 * "cache".
 *
 *     struct web_page pages[] = {{.path = "/a.gz", .bytes = trial_bytes, .size = TRIAL_SIZE}};
 *     struct trial trial;
 *     trial_begin(&trial, pages, COUNT(pages));
 *     assert_int_equal(trial_get(&trial, "/a.gz"), ERR_OK);
 *     trial_end(&trial);
 */
#ifndef TEST_UNIT_WEB_TRIAL_H
#define TEST_UNIT_WEB_TRIAL_H

#include "source/web/web_cache.h"
#include "web_server.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define LONG_AGO "Mon, 07 Feb 2022 05:35:14 GMT"
#define assert_has(text, part)                                                                     \
    do {                                                                                           \
        if (!strstr(text, part))                                                                   \
            fail_msg("'%s' is not in: %s", part, text);                                            \
    } while (0)

enum { TRIAL_SIZE = 300 * 1000, TRIAL_STALL_MS = 400, TRIAL_ATTEMPTS = 5 };

extern uint8_t trial_bytes[TRIAL_SIZE]; /* begins as a gzip file does */

struct trial {
    struct web_server *server;
    struct web_cache *cache;
    struct web_file file;
    struct why why;
    char url[256];
};

/* Of the group of tests, and after each of them. */
int trial_setup(void **state);
int trial_clean(void **state);
int trial_teardown(void **state);

void trial_begin(struct trial *trial, struct web_page *pages, size_t count);
void trial_end(struct trial *trial);
struct web_cache *trial_cache(int attempts);
/* The program starts anew. */
void trial_restart(struct trial *trial);

enum err trial_get(struct trial *trial, const char *path);
/* "/a.gz", in a thread: gives the trial back if that went well, else NULL. */
void *trial_get_a(void *trial);
/* What trial_get() found, byte for byte. */
void trial_check_file(const struct trial *trial, const void *bytes, size_t n);
/* How many requests the server has seen, and one of them. */
void trial_check_requests(const struct trial *trial, size_t count);
struct web_seen trial_seen(const struct trial *trial, size_t i);
/* Files in the cache whose names end so, hidden ones too. */
int trial_count_files(const char *ending);

int64_t trial_now_ms(void);
void trial_sleep_ms(int ms);
/* The moment so many seconds ago as Last-Modified has it. */
const char *trial_date(int seconds_ago, char out[64]);

#endif
