/* source/web/web_cache and sys/web: what broke off is gone on with, as long as it is still the same file. */
#include "web_trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void test_resume(void **state)
{
    (void)state;
    char young[64];
    struct web_page pages[] = {{.path = "/a.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .etag = "\"1\"",
                                .modified = LONG_AGO,
                                .cut_after = 100 * 1000,
                                .cut_times = 2},
                               {.path = "/weak.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .etag = "W/\"1\"",
                                .modified = LONG_AGO,
                                .cut_after = 100 * 1000,
                                .cut_times = 1},
                               {.path = "/bare.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .cut_after = 100 * 1000,
                                .cut_times = 1},
                               {.path = "/dated.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .modified = LONG_AGO,
                                .cut_after = 100 * 1000,
                                .cut_times = 1},
                               {.path = "/young.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .modified = trial_date(1, young),
                                .cut_after = 100 * 1000,
                                .cut_times = 1},
                               {.path = "/whole.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .etag = "\"1\"",
                                .has_no_ranges = true,
                                .cut_after = 100 * 1000,
                                .cut_times = 1}};
    /* Each is asked for again once: from where it broke off if that is sure to be of the same file. */
    static const struct {
        const char *path, *range, *if_range;
    } cases[] = {
        {"/weak.gz", "", ""}, /* a weak tag does not join parts, nor does a date beside it */
        {"/bare.gz", "", ""},
        {"/dated.gz", "bytes=100000-", LONG_AGO},
        {"/young.gz", "", ""}, /* it may change twice within a second */
        {"/whole.gz", "bytes=100000-", "\"1\""},
    };
    struct trial trial;
    trial_begin(&trial, pages, COUNT(pages));
    assert_int_equal(trial_get(&trial, "/a.gz"), ERR_OK);
    trial_check_file(&trial, trial_bytes, TRIAL_SIZE);
    trial_check_requests(&trial, 3);
    assert_string_equal(trial_seen(&trial, 1).range, "bytes=100000-");
    assert_string_equal(trial_seen(&trial, 1).if_range, "\"1\"");
    assert_string_equal(trial_seen(&trial, 2).range, "bytes=200000-");
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(trial_get(&trial, cases[i].path), ERR_OK);
        trial_check_file(&trial, trial_bytes, TRIAL_SIZE);
        trial_check_requests(&trial, 5 + 2 * i);
        assert_string_equal(trial_seen(&trial, 4 + 2 * i).range, cases[i].range);
        assert_string_equal(trial_seen(&trial, 4 + 2 * i).if_range, cases[i].if_range);
    }
    trial_end(&trial);
}

/* Between the parts it became another file. */
static void test_changed_between(void **state)
{
    (void)state;
    static uint8_t other[TRIAL_SIZE / 2];
    memset(other, 'x', sizeof other);
    memcpy(other, trial_bytes, 3);
    for (int knows_if_range = 0; knows_if_range < 2; knows_if_range++) {
        struct web_page pages[] = {{.path = "/a.gz",
                                    .bytes = trial_bytes,
                                    .size = TRIAL_SIZE,
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
        trial_begin(&trial, pages, COUNT(pages));
        assert_int_equal(trial_get(&trial, "/a.gz"), ERR_OK);
        trial_check_file(&trial, other, sizeof other);
        trial_check_requests(&trial, knows_if_range ? 2 : 3);
        trial_end(&trial);
        trial_clean(NULL);
    }
}

/* All of "/a.gz" came, but before it was put in its place we were killed. */
static void leave_whole_part(const struct trial *trial)
{
    struct cache_part *part;
    struct cache_note note = {.etag = "\"1\""};
    char path[CACHE_PATH_MAX];
    snprintf(note.url, sizeof note.url, "http://127.0.0.1:%u/a.gz", web_server_port(trial->server));
    assert_int_equal(cache_file_path("cache", note.url, path, NULL), ERR_OK);
    assert_int_equal(cache_part_open(path, &part, NULL), ERR_OK);
    assert_int_equal(cache_part_begin(part, &note, NULL), ERR_OK);
    assert_int_equal(cache_part_add(part, trial_bytes, TRIAL_SIZE, NULL), ERR_OK);
    cache_part_close(part);
}

/* The server has nothing more (416). That is no failure of its own: it is asked for the whole at once, even
 * where only one attempt is left. */
static void test_complete_part(void **state)
{
    (void)state;
    struct web_page pages[] = {{.path = "/a.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .etag = "\"1\"",
                                .modified = LONG_AGO},
                               {.path = "/never.gz", .status = 503}};
    for (size_t failures = 0; failures < 2; failures++) {
        struct trial trial;
        trial_begin(&trial, pages, COUNT(pages));
        if (failures)
            assert_int_equal(trial_get(&trial, "/never.gz"), ERR_IO);
        leave_whole_part(&trial);
        assert_int_equal(trial_get(&trial, "/a.gz"), ERR_OK);
        trial_check_file(&trial, trial_bytes, TRIAL_SIZE);
        trial_check_requests(&trial, 2 + failures * TRIAL_ATTEMPTS);
        trial_end(&trial);
        trial_clean(NULL);
    }
}

/* A part that does not say of how much it is cannot be told to be the last. */
static void test_part_of_unknown(void **state)
{
    (void)state;
    struct web_page pages[] = {{.path = "/a.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .etag = "\"1\"",
                                .cut_after = 1000,
                                .cut_times = 1,
                                .changes_after = 1},
                               {.path = "/other",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .etag = "\"1\"",
                                .part_max = 1000,
                                .hides_size = true}};
    struct trial trial;
    trial_begin(&trial, pages, COUNT(pages));
    assert_int_equal(trial_get(&trial, "/a.gz"), ERR_OK);
    trial_check_file(&trial, trial_bytes, TRIAL_SIZE);
    trial_check_requests(&trial, 3);
    trial_end(&trial);
}

static void test_stall(void **state)
{
    (void)state;
    struct web_page pages[] = {{.path = "/a.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .etag = "\"1\"",
                                .stall_after = 50000,
                                .stall_times = 1},
                               {.path = "/dead.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .etag = "\"1\"",
                                .stall_after = 0,
                                .stall_times = 99}};
    struct trial trial;
    trial_begin(&trial, pages, COUNT(pages));
    assert_int_equal(trial_get(&trial, "/a.gz"), ERR_OK);
    trial_check_file(&trial, trial_bytes, TRIAL_SIZE);
    assert_string_equal(trial_seen(&trial, 1).range, "bytes=50000-");
    assert_int_equal(trial_get(&trial, "/dead.gz"), ERR_IO);
    assert_has(trial.why.text, "/dead.gz: stalled: ");
    assert_has(trial.why.text, " bytes came in 400 ms; tried 5 times");
    trial_check_requests(&trial, 7);
    trial_end(&trial);
}

static void test_wrong_lengths(void **state)
{
    (void)state;
    struct web_page pages[] = {
        {.path = "/short.gz", .bytes = trial_bytes, .size = 1000, .claimed = 2000},
        {.path = "/part.gz",
         .bytes = trial_bytes,
         .size = TRIAL_SIZE,
         .etag = "\"1\"",
         .cut_after = 1000,
         .cut_times = 1,
         .changes_after = 1},
        /* Each part is short, and says so: it is gone on with as long as there are attempts. */
        {.path = "/other",
         .bytes = trial_bytes,
         .size = TRIAL_SIZE,
         .etag = "\"1\"",
         .part_max = 1000}};
    struct trial trial;
    trial_begin(&trial, pages, COUNT(pages));
    assert_int_equal(trial_get(&trial, "/short.gz"), ERR_IO);
    assert_has(trial.why.text, "/short.gz: broken off after 1000 of 2000 bytes; tried 5 times");
    assert_int_equal(trial_count_files(".part"), 0); /* nothing to go on with without a tag */
    trial_restart(&trial);                           /* and forget that the host has failed */
    assert_int_equal(trial_get(&trial, "/part.gz"), ERR_IO);
    assert_has(trial.why.text, "/part.gz: broken off after 5000 of 300000 bytes; tried 5 times");
    assert_int_equal(trial_count_files(".part"), 1);
    trial_end(&trial);
}

/* What was interrupted is gone on with the next time. */
static void test_stop(void **state)
{
    (void)state;
    struct web_page pages[] = {{.path = "/a.gz",
                                .bytes = trial_bytes,
                                .size = TRIAL_SIZE,
                                .etag = "\"1\"",
                                .stall_after = 70000,
                                .stall_times = 1}};
    struct trial trial;
    pthread_t thread;
    void *result;
    trial_begin(&trial, pages, COUNT(pages));
    assert_int_equal(pthread_create(&thread, NULL, trial_get_a, &trial), 0);
    for (int i = 0; i < 200 && web_cache_state(trial.cache).done < 70000; i++)
        trial_sleep_ms(1);
    assert_int_equal(web_cache_state(trial.cache).size, TRIAL_SIZE);
    web_cache_stop(trial.cache);
    pthread_join(thread, &result);
    assert_null(result);
    assert_int_equal(trial.why.err, ERR_CLOSED);
    assert_int_equal(trial_count_files(".part"), 1);
    trial_restart(&trial);
    assert_int_equal(trial_get(&trial, "/a.gz"), ERR_OK);
    trial_check_file(&trial, trial_bytes, TRIAL_SIZE);
    trial_check_requests(&trial, 2);
    assert_string_equal(trial_seen(&trial, 1).range, "bytes=70000-");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_resume, trial_clean),
        cmocka_unit_test_teardown(test_changed_between, trial_clean),
        cmocka_unit_test_teardown(test_complete_part, trial_clean),
        cmocka_unit_test_teardown(test_part_of_unknown, trial_clean),
        cmocka_unit_test_teardown(test_stall, trial_clean),
        cmocka_unit_test_teardown(test_wrong_lengths, trial_clean),
        cmocka_unit_test_teardown(test_stop, trial_clean),
    };
    return cmocka_run_group_tests(tests, trial_setup, trial_teardown);
}
