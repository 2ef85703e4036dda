/* Kills the writer with SIGKILL again and again, at moments told by a seed, and lets it resume by
 * giving it the same source once more. The journal must end as if it had never been killed. */
#include "app/pipeline.h"
#include "made.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { STREAM = 150000, STREAM_SEED = 11 };

/* When the writer is to die. */
struct doom {
    uint64_t after_observations; /* by its own hand, after so many new ones; 0: never */
    int64_t after_ns;            /* by its parent's, 0: never */
};

static void check(enum err err, const struct why *why)
{
    if (!err)
        return;
    fprintf(stderr, "writer: %s\n", why->text);
    _exit(3);
}

/* Feeds the whole stream, of which the pipeline skips what it has; commits at odd moments, as the
 * daemon's timer does. */
static void write_stream(const char *path, struct dice *dice, const struct doom *doom)
{
    struct pipeline *pipeline;
    struct why why = {0};
    uint64_t skipped;
    bool is_complete;
    check(pipeline_open(path, &pipeline, &why), &why);
    check(pipeline_source(pipeline, "made", &skipped, &is_complete, &why), &why);
    struct sink sink = pipeline_sink(pipeline);
    struct made made = made_stream(STREAM_SEED, sink.registry);
    uint64_t next_commit = skipped + 1 + roll(dice, 4000);
    for (uint64_t i = 0; i < STREAM; i++) {
        struct observation observation = made_next(&made);
        sink_emit(&sink, &observation);
        if (doom->after_observations && i == skipped + doom->after_observations)
            raise(SIGKILL);
        if (i == next_commit) {
            check(pipeline_commit(pipeline, &why), &why);
            next_commit += 1 + roll(dice, 4000);
        }
    }
    pipeline_source_complete(pipeline);
    check(pipeline_close(pipeline, &why), &why);
}

/* True if the writer came to its end. */
static bool run_writer(const char *path, struct dice *dice, const struct doom *doom)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        write_stream(path, dice, doom);
        _exit(0);
    }
    if (doom->after_ns) {
        struct timespec wait = {0, (long)doom->after_ns};
        nanosleep(&wait, NULL);
        kill(pid, SIGKILL);
    }
    int status;
    while (waitpid(pid, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
    return WIFEXITED(status);
}

static void dump_straight(struct buffer *out)
{
    char folder[64], path[96];
    folder_make(folder);
    snprintf(path, sizeof path, "%s/straight.db", folder);
    struct dice dice = {.seed = 1};
    assert_true(run_writer(path, &dice, &(struct doom){0}));
    dump_journal(path, out);
    folder_remove(folder);
}

/* Kills writers of one journal until it is whole. Returns how many that were. */
static int kill_until_whole(struct dice *dice, const struct buffer *expected, int most)
{
    char folder[64], path[96];
    folder_make(folder);
    snprintf(path, sizeof path, "%s/killed.db", folder);
    int kills = 0;
    for (bool is_whole = false; !is_whole;) {
        struct doom doom = {0};
        if (kills < most && roll(dice, 2))
            doom.after_observations = 1 + roll(dice, 6000);
        else if (kills < most)
            doom.after_ns = 1 + (int64_t)roll(dice, 60 * (uint64_t)NS_PER_MS);
        dice->seed++;
        is_whole = run_writer(path, dice, &doom);
        kills += !is_whole;
    }
    struct buffer got = {0};
    dump_journal(path, &got);
    assert_int_equal(got.size, expected->size);
    assert_memory_equal(got.bytes, expected->bytes, got.size);
    buffer_done(&got);
    folder_remove(folder);
    return kills;
}

static void test_killed_anywhere(void **state)
{
    (void)state;
    const char *wanted = getenv("LASTLIGHT_KILLS"), *seed = getenv("LASTLIGHT_SEED");
    int most = wanted ? atoi(wanted) : 200;
    struct dice dice = {.seed = seed ? strtoull(seed, NULL, 10) : 2022};
    print_message("seed %llu\n", (unsigned long long)dice.seed);
    struct buffer expected = {0};
    dump_straight(&expected);
    int kills = 0, journals = 0;
    for (; kills < most; journals++)
        kills += kill_until_whole(&dice, &expected, most - kills);
    print_message("%d writers killed, %d journals ended the same (%zu bytes compared)\n", kills,
                  journals, expected.size);
    buffer_done(&expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_killed_anywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
