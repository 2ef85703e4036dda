/* A disk that is full: told once with file and cure, nothing committed lost, and on it goes when
 * there is room again. The disk is a small one in memory, mounted where nobody else sees it. */
#include "app/pipeline.h"
#include "made.h"
#include "store/journal.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

enum { STREAM = 120000, DISK_KIB = 48 * 1024 };

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    bool is_ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return is_ok;
}

/* In the new user namespace we are root, with our own files' group. */
static bool become_root(unsigned uid, unsigned gid)
{
    char uids[32], gids[32];
    snprintf(uids, sizeof uids, "0 %u 1", uid);
    snprintf(gids, sizeof gids, "0 %u 1", gid);
    return write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/uid_map", uids) &&
           write_text("/proc/self/gid_map", gids);
}

/* A mount namespace of our own, and for those who are not root a user namespace in which they are.
 */
static bool leave_mounts(void)
{
    unsigned uid = getuid(), gid = getgid();
    if (unshare(CLONE_NEWNS) != 0 &&
        (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 || !become_root(uid, gid)))
        return false;
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

struct disk {
    char folder[64], path[96], ballast[96];
};

static bool make_disk(struct disk *disk)
{
    char options[32];
    snprintf(options, sizeof options, "size=%dk", DISK_KIB);
    folder_make(disk->folder);
    snprintf(disk->path, sizeof disk->path, "%s/full.db", disk->folder);
    snprintf(disk->ballast, sizeof disk->ballast, "%s/ballast", disk->folder);
    return mount("none", disk->folder, "tmpfs", 0, options) == 0;
}

static void remove_disk(struct disk *disk)
{
    umount(disk->folder);
    folder_remove(disk->folder);
}

/* Fills the disk but for about `left` KiB. */
static void fill(const struct disk *disk, int left)
{
    static const char nothing[1024];
    int fd = open(disk->ballast, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    while (write(fd, nothing, sizeof nothing) == (ssize_t)sizeof nothing)
        ;
    off_t size = lseek(fd, 0, SEEK_END) - left * 1024;
    assert_int_equal(ftruncate(fd, size > 0 ? size : 0), 0);
    close(fd);
}

static void assert_full(enum err err, const struct why *why, const struct disk *disk)
{
    assert_int_equal(err, ERR_FULL);
    assert_int_equal(why->err, ERR_FULL);
    assert_non_null(strstr(why->text, disk->path));
    assert_non_null(strstr(why->text, "free some"));
}

static bool count_one(void *context, const struct observation *observation)
{
    uint64_t *next = context;
    assert_int_equal(observation->seq, ++*next);
    return true;
}

static void fail_damaged(void *context, uint64_t first_seq, uint64_t count, const char *reason)
{
    (void)context;
    (void)first_seq;
    (void)count;
    fail_msg("%s", reason);
}

/* The number of observations that a reader finds, each sound. */
static uint64_t count_observations(const char *path)
{
    struct journal *journal;
    struct why why = {0};
    uint64_t count = 0;
    struct journal_visitor visitor = {count_one, fail_damaged, &count};
    if (journal_open(path, JOURNAL_READ, &journal, &why) ||
        journal_read(journal, 1, &visitor, &why))
        fail_msg("%s", why.text);
    assert_int_equal(count, journal_last_seq(journal));
    journal_close(journal);
    return count;
}

struct run {
    struct pipeline *pipeline;
    struct sink sink;
    struct made made;
};

static void start(struct run *run, const char *path)
{
    struct why why = {0};
    if (pipeline_open(path, &run->pipeline, &why) ||
        pipeline_source(run->pipeline, "made", NULL, NULL, &why))
        fail_msg("%s", why.text);
    run->sink = pipeline_sink(run->pipeline);
    run->made = made_stream(5, run->sink.registry);
}

static void feed(struct run *run, uint64_t until)
{
    while (run->made.index < until) {
        struct observation observation = made_next(&run->made);
        sink_emit(&run->sink, &observation);
    }
}

static void finish(struct run *run)
{
    struct why why = {0};
    feed(run, STREAM);
    pipeline_source_complete(run->pipeline);
    if (pipeline_close(run->pipeline, &why))
        fail_msg("%s", why.text);
}

static void dump_straight(struct buffer *out)
{
    char folder[64], path[96];
    folder_make(folder);
    snprintf(path, sizeof path, "%s/straight.db", folder);
    struct run run;
    start(&run, path);
    finish(&run);
    dump_journal(path, out);
    folder_remove(folder);
}

static void assert_same_journal(const char *path, const struct buffer *expected)
{
    struct buffer got = {0};
    dump_journal(path, &got);
    assert_int_equal(got.size, expected->size);
    assert_memory_equal(got.bytes, expected->bytes, got.size);
    buffer_done(&got);
}

/* Runs into the full disk and checks that a reader has all that was committed before. */
static uint64_t run_into_it(struct run *run, const struct disk *disk)
{
    struct why why = {0};
    feed(run, 40000);
    assert_int_equal(pipeline_commit(run->pipeline, &why), ERR_OK);
    uint64_t before = count_observations(disk->path);
    assert_int_equal(before, 40000);
    fill(disk, 24);
    feed(run, 90000);
    assert_full(pipeline_error(run->pipeline, &why), &why, disk);
    assert_full(pipeline_commit(run->pipeline, &why), &why, disk);
    uint64_t after = count_observations(disk->path);
    assert_true(after >= before && after < 90000);
    return after;
}

static void test_goes_on(void **state)
{
    const struct buffer *expected = *state;
    struct disk disk;
    struct why why = {0};
    if (!make_disk(&disk))
        skip();
    struct run run;
    start(&run, disk.path);
    run_into_it(&run, &disk);
    assert_int_equal(unlink(disk.ballast), 0);
    assert_int_equal(pipeline_commit(run.pipeline, &why), ERR_OK);
    assert_int_equal(pipeline_error(run.pipeline, &why), ERR_OK);
    assert_int_equal(count_observations(disk.path), 90000);
    finish(&run);
    assert_same_journal(disk.path, expected);
    remove_disk(&disk);
}

/* The daemon ends while the disk is full: what could not be committed is asked of the source again.
 */
static void test_ends_and_resumes(void **state)
{
    const struct buffer *expected = *state;
    struct disk disk;
    struct why why = {0};
    if (!make_disk(&disk))
        skip();
    struct run run;
    start(&run, disk.path);
    uint64_t committed = run_into_it(&run, &disk);
    assert_full(pipeline_close(run.pipeline, &why), &why, &disk);
    assert_int_equal(count_observations(disk.path), committed);
    assert_int_equal(unlink(disk.ballast), 0);
    start(&run, disk.path);
    finish(&run);
    assert_same_journal(disk.path, expected);
    remove_disk(&disk);
}

/* No room even to begin. */
static void test_full_from_the_start(void **state)
{
    (void)state;
    struct disk disk;
    struct why why = {0};
    struct pipeline *pipeline;
    if (!make_disk(&disk))
        skip();
    fill(&disk, 0);
    assert_full(pipeline_open(disk.path, &pipeline, &why), &why, &disk);
    assert_int_equal(unlink(disk.ballast), 0);
    assert_int_equal(pipeline_open(disk.path, &pipeline, &why), ERR_OK);
    assert_int_equal(pipeline_close(pipeline, &why), ERR_OK);
    remove_disk(&disk);
}

/* Beyond the cap observations are dropped and counted; what a named source lost that way it gives
 * again the next time. */
static void test_cap(void **state)
{
    (void)state;
    struct disk disk;
    struct why why = {0};
    if (!make_disk(&disk))
        skip();
    struct run run;
    start(&run, disk.path);
    fill(&disk, 8);
    const uint64_t over = 5000;
    feed(&run, PIPELINE_CAP + over);
    assert_full(pipeline_error(run.pipeline, &why), &why, &disk);
    struct pipeline_counters counters = pipeline_counters(run.pipeline);
    uint64_t committed = count_observations(disk.path);
    assert_int_equal(counters.emitted, PIPELINE_CAP + over);
    assert_int_equal(counters.dropped, over - committed);
    assert_full(pipeline_close(run.pipeline, &why), &why, &disk);
    remove_disk(&disk);
}

/* What is live goes on as soon as there is room, with a hole. */
static void test_cap_of_live(void **state)
{
    (void)state;
    struct disk disk;
    struct why why = {0};
    if (!make_disk(&disk))
        skip();
    struct run run;
    start(&run, disk.path);
    assert_int_equal(pipeline_source(run.pipeline, NULL, NULL, NULL, &why), ERR_OK);
    uint64_t before = count_observations(disk.path);
    fill(&disk, 8);
    const uint64_t over = 5000;
    feed(&run, PIPELINE_CAP + over);
    uint64_t dropped = pipeline_counters(run.pipeline).dropped;
    assert_int_equal(dropped, over - count_observations(disk.path));
    assert_int_equal(unlink(disk.ballast), 0);
    assert_int_equal(pipeline_commit(run.pipeline, &why), ERR_OK);
    feed(&run, PIPELINE_CAP + over + 100);
    assert_int_equal(pipeline_counters(run.pipeline).dropped, dropped);
    assert_int_equal(pipeline_close(run.pipeline, &why), ERR_OK);
    assert_int_equal(count_observations(disk.path), before + PIPELINE_CAP + over + 100 - dropped);
    remove_disk(&disk);
}

int main(void)
{
    if (!leave_mounts()) {
        fprintf(stderr, "skipped: making a small disk needs a mount namespace, which this system "
                        "does not permit\n");
        return 77;
    }
    struct buffer expected = {0};
    dump_straight(&expected);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_goes_on, &expected),
        cmocka_unit_test_prestate(test_ends_and_resumes, &expected),
        cmocka_unit_test(test_full_from_the_start),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_cap_of_live),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buffer_done(&expected);
    return failed;
}
