/* One writer, many readers: a second writer is told who the first is; a reader sees one snapshot
 * while commits go on; and whoever may read the file can, whatever else he may not. */
#include "app/pipeline.h"
#include "made.h"
#include "store/journal.h"
#include "store/query.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char folder[64], path[96];
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    folder_make(place->folder);
    chmod(place->folder, 0755);
    snprintf(place->path, sizeof place->path, "%s/journal.db", place->folder);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    chmod(place->folder, 0755);
    folder_remove(place->folder);
    free(place);
    return 0;
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A process that writes, in small commits, until `stop` has an end; it says on `ready` that it
 * began. */
static void write_until_stopped(const char *path, int ready, int stop)
{
    struct pipeline *pipeline;
    struct why why = {0};
    if (pipeline_open(path, &pipeline, &why)) {
        fprintf(stderr, "writer: %s\n", why.text);
        _exit(3);
    }
    struct sink sink = pipeline_sink(pipeline);
    struct made made = made_stream(8, sink.registry);
    char byte = 1;
    fcntl(stop, F_SETFL, O_NONBLOCK);
    for (unsigned commits = 0; read(stop, &byte, 1) < 0 && commits < 3000; commits++) {
        for (int i = 0; i < 40; i++) {
            struct observation observation = made_next(&made);
            sink_emit(&sink, &observation);
        }
        if (pipeline_commit(pipeline, &why))
            _exit(4);
        if (commits == 3 && write(ready, &byte, 1) != 1)
            _exit(5);
        usleep(200);
    }
    _exit(pipeline_close(pipeline, &why) ? 6 : 0);
}

struct writer {
    pid_t pid;
    int stop;
};

static struct writer start_writer(const char *path)
{
    int ready[2], stop[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(stop), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(stop[1]);
        close(ready[0]);
        write_until_stopped(path, ready[1], stop[0]);
    }
    close(ready[1]);
    close(stop[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return (struct writer){pid, stop[1]};
}

static void stop_writer(const struct writer *writer)
{
    close(writer->stop);
    assert_int_equal(wait_for(writer->pid), 0);
}

static void test_second_writer(void **state)
{
    const struct place *place = *state;
    struct writer writer = start_writer(place->path);
    struct journal *journal;
    struct why why = {0};
    char pid[32], link_path[96];
    snprintf(pid, sizeof pid, "process %ld", (long)writer.pid);
    assert_int_equal(journal_open(place->path, JOURNAL_WRITE, &journal, &why), ERR_BUSY);
    assert_non_null(strstr(why.text, pid));
    assert_non_null(strstr(why.text, place->path));
    /* Nor by another name. */
    snprintf(link_path, sizeof link_path, "%s/other.db", place->folder);
    assert_int_equal(symlink(place->path, link_path), 0);
    assert_int_equal(journal_open(link_path, JOURNAL_WRITE, &journal, &why), ERR_BUSY);
    stop_writer(&writer);
    assert_int_equal(journal_open(link_path, JOURNAL_WRITE, &journal, &why), ERR_OK);
    struct journal *second;
    assert_int_equal(journal_open(place->path, JOURNAL_WRITE, &second, &why), ERR_BUSY);
    journal_close(journal);
}

/* A writer that was killed leaves its file, but no lock. */
static void test_lock_of_the_dead(void **state)
{
    const struct place *place = *state;
    struct writer writer = start_writer(place->path);
    kill(writer.pid, SIGKILL);
    wait_for(writer.pid);
    close(writer.stop);
    struct journal *journal;
    struct why why = {0};
    if (journal_open(place->path, JOURNAL_WRITE, &journal, &why))
        fail_msg("%s", why.text);
    assert_true(journal_last_seq(journal) > 0);
    journal_close(journal);
}

/* What one reader checks of each observation. */
struct view {
    uint64_t count;
    uint32_t names;
};

static bool look(void *context, const struct observation *o)
{
    struct view *view = context;
    assert_int_equal(o->seq, ++view->count);
    assert_true(o->source <= view->names && o->target <= view->names && o->peer <= view->names &&
                o->path <= view->names);
    return true;
}

static void not_damaged(void *context, uint64_t first_seq, uint64_t count, const char *reason)
{
    (void)context;
    fail_msg("%llu observations from %llu on: %s", (unsigned long long)count,
             (unsigned long long)first_seq, reason);
}

static uint64_t look_at_all(struct journal *journal, const struct registry *registry)
{
    struct why why = {0};
    struct arena arena = {0};
    struct series_list series;
    struct journal_counts counts;
    struct view view = {.names = registry_count(registry)};
    struct journal_visitor visitor = {look, not_damaged, &view};
    if (journal_read(journal, 1, &visitor, &why) || query_counts(journal, &counts, &why) ||
        query_series(journal, 0, &arena, &series, &why))
        fail_msg("%s", why.text);
    assert_int_equal(view.count, journal_last_seq(journal));
    assert_int_equal(counts.observations, view.count);
    assert_int_equal(counts.names, registry_count(registry));
    for (size_t i = 0; i < series.count; i++)
        assert_true(series.list[i].target <= registry_count(registry));
    arena_done(&arena);
    return view.count;
}

static void test_busy_writer(void **state)
{
    const struct place *place = *state;
    struct writer writer = start_writer(place->path);
    struct journal *journal;
    struct why why = {0};
    if (journal_open(place->path, JOURNAL_READ, &journal, &why))
        fail_msg("%s", why.text);
    struct registry *registry = registry_new();
    assert_int_equal(journal_load_registry(journal, registry, &why), ERR_OK);
    uint64_t last = 0, grown = 0;
    for (int i = 0; i < 30; i++) {
        uint64_t before = look_at_all(journal, registry);
        usleep(3000); /* the writer commits, and the snapshot stays as it is */
        assert_int_equal(look_at_all(journal, registry), before);
        assert_true(before >= last);
        grown += before > last;
        last = before;
        assert_int_equal(journal_refresh_registry(journal, registry, &why), ERR_OK);
    }
    assert_true(grown > 10);
    stop_writer(&writer);
    registry_free(registry);
    journal_close(journal);
}

/* Runs a check as a user who owns nothing here; the checks give 0 for good. Where the tests are not
 * run by root it stays the same user, and the permissions alone must do. */
static int as_stranger(int (*check)(const char *path), const char *path)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (geteuid() == 0 && (setgroups(0, NULL) || setresgid(65534, 65534, 65534) ||
                               setresuid(65534, 65534, 65534)))
            _exit(99);
        _exit(check(path));
    }
    return wait_for(pid);
}

static bool count_up(void *context, const struct observation *observation)
{
    (void)observation;
    ++*(uint64_t *)context;
    return true;
}

static int can_read(const char *path)
{
    struct journal *journal;
    struct why why = {0};
    uint64_t count = 0;
    struct journal_visitor visitor = {count_up, NULL, &count};
    if (journal_open(path, JOURNAL_READ, &journal, &why) ||
        journal_read(journal, 1, &visitor, &why)) {
        fprintf(stderr, "reader: %s\n", why.text);
        return 1;
    }
    bool is_whole = count > 0 && count == journal_last_seq(journal);
    journal_close(journal);
    return is_whole ? 0 : 2;
}

static int is_refused(const char *path, enum err expected)
{
    struct journal *journal;
    struct why why = {0};
    enum err err = journal_open(path, JOURNAL_WRITE, &journal, &why);
    if (err != expected || !strstr(why.text, path) || !strstr(why.text, "or give another path")) {
        fprintf(stderr, "second writer: %s: %s\n", err_name(err), why.text);
        return 1;
    }
    return 0;
}

static int is_read_only(const char *path)
{
    return is_refused(path, ERR_READONLY);
}

static int is_denied(const char *path)
{
    return is_refused(path, ERR_DENIED);
}

static void test_stranger(void **state)
{
    const struct place *place = *state;
    struct writer writer = start_writer(place->path);
    assert_int_equal(as_stranger(can_read, place->path), 0);
    stop_writer(&writer);
    chmod(place->path, 0444);
    chmod(place->folder, 0555);
    assert_int_equal(as_stranger(can_read, place->path), 0);
    assert_int_equal(as_stranger(is_read_only, place->path), 0);
    chmod(place->path, 0666);
    assert_int_equal(as_stranger(is_denied, place->path), 0);
}

static void test_stranger_after_kill(void **state)
{
    const struct place *place = *state;
    struct writer writer = start_writer(place->path);
    kill(writer.pid, SIGKILL);
    wait_for(writer.pid);
    close(writer.stop);
    assert_int_equal(as_stranger(can_read, place->path), 0);
}

/* The file alone, without what WAL keeps beside it, where nothing can be written. */
static void test_copy_in_a_locked_folder(void **state)
{
    const struct place *place = *state;
    struct writer writer = start_writer(place->path);
    stop_writer(&writer);
    char folder[64], copy[96], beside[128];
    folder_make(folder);
    snprintf(copy, sizeof copy, "%s/a?b#c%%d.db", folder);
    assert_int_equal(rename(place->path, copy), 0);
    chmod(copy, 0444);
    chmod(folder, 0555);
    assert_int_equal(as_stranger(can_read, copy), 0);
    chmod(folder, 0755);
    snprintf(beside, sizeof beside, "%s-wal", copy);
    assert_int_equal(access(beside, F_OK), -1);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_second_writer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lock_of_the_dead, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_busy_writer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stranger, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stranger_after_kill, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_copy_in_a_locked_folder, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
