/* sys/pool: every task runs, in turn, and once more if it is submitted while it runs; what is withdrawn
 * runs no more; threads come when they are needed and go with the last member. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sys/pool.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct job {
    struct task task;
    atomic_uint begun;
    atomic_uint ended;
    atomic_bool may_end; /* else it runs until it may */
    unsigned place;      /* in the order in which they began */
};

static atomic_uint next_place;

static void run(struct task *task, void **scratch)
{
    struct job *job = (struct job *)task;
    if (!*scratch)
        *scratch = malloc(1000); /* a leak, if nobody frees it */
    job->place = next_place++;
    job->begun++;
    while (!job->may_end)
        usleep(200);
    job->ended++;
}

static struct job job_of(bool may_end)
{
    return (struct job){.task = {.run = run}, .may_end = may_end};
}

static void submit(struct job *job)
{
    pool_lock();
    pool_submit(&job->task);
    pool_unlock();
}

static void wait_for_begun(const struct job *job, unsigned count)
{
    for (int i = 0; i < 20000 && job->begun < count; i++)
        usleep(500);
    assert_int_equal(job->begun, count);
}

static void wait_for_ended(const struct job *job, unsigned count)
{
    pool_lock();
    while (job->ended < count || job->task.is_running)
        pool_wait();
    pool_unlock();
    assert_int_equal(job->ended, count);
}

static size_t count_threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    size_t count = 0;
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void *do_nothing(void *nothing)
{
    return nothing;
}

/* So that a sanitizer's own thread, which comes with the first one of ours, is not counted as ours. */
static int setup(void **state)
{
    pthread_t thread;
    (void)state;
    return pthread_create(&thread, NULL, do_nothing, NULL) || pthread_join(thread, NULL);
}

static void test_runs_again(void **state)
{
    (void)state;
    struct job job = job_of(false);
    pool_join();
    submit(&job);
    wait_for_begun(&job, 1);
    submit(&job); /* while it runs, */
    submit(&job); /* which is one time more and not two */
    job.may_end = true;
    wait_for_begun(&job, 2);
    wait_for_ended(&job, 2);
    usleep(20000);
    assert_int_equal(job.begun, 2);
    pool_leave();
}

/* As many threads as there may be are held up; what is submitted meanwhile runs later, in order. */
static void test_order(void **state)
{
    (void)state;
    struct job busy[POOL_MAX], waiting[5];
    pool_join();
    unsigned size = pool_size();
    assert_true(size >= 1 && size <= POOL_MAX);
    for (unsigned i = 0; i < size; i++) {
        busy[i] = job_of(false);
        submit(&busy[i]);
    }
    for (unsigned i = 0; i < size; i++)
        wait_for_begun(&busy[i], 1);
    for (unsigned i = 0; i < 5; i++) {
        waiting[i] = job_of(true);
        submit(&waiting[i]);
    }
    usleep(20000);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(waiting[i].begun, 0);
    busy[0].may_end = true; /* a single thread now */
    for (unsigned i = 0; i < 5; i++)
        wait_for_ended(&waiting[i], 1);
    for (unsigned i = 1; i < 5; i++)
        assert_true(waiting[i].place > waiting[i - 1].place);
    for (unsigned i = 0; i < size; i++) {
        busy[i].may_end = true;
        wait_for_ended(&busy[i], 1);
    }
    pool_leave();
}

static void *end_soon(void *context)
{
    struct job *job = context;
    usleep(50000);
    job->may_end = true;
    return NULL;
}

/* In the queue, at its end, in its middle and at its beginning; and while it runs. */
static void test_withdraw(void **state)
{
    (void)state;
    struct job busy[POOL_MAX], waiting[5];
    pthread_t thread;
    pool_join();
    unsigned size = pool_size();
    for (unsigned i = 0; i < size; i++) {
        busy[i] = job_of(false);
        submit(&busy[i]);
        wait_for_begun(&busy[i], 1);
    }
    for (unsigned i = 0; i < 5; i++) {
        waiting[i] = job_of(true);
        submit(&waiting[i]);
    }
    pool_lock();
    pool_withdraw(&waiting[4].task);
    pool_withdraw(&waiting[2].task);
    pool_withdraw(&waiting[0].task);
    pool_submit(&waiting[4].task); /* behind 1 and 3 again */
    assert_int_equal(pthread_create(&thread, NULL, end_soon, &busy[0]), 0);
    pool_submit(&busy[0].task); /* once more, which is withdrawn, too */
    pool_withdraw(&busy[0].task);
    assert_int_equal(busy[0].ended, 1);
    pool_unlock();
    pthread_join(thread, NULL);
    for (unsigned i = 1; i < 5; i += i == 3 ? 1 : 2)
        wait_for_ended(&waiting[i], 1);
    assert_true(waiting[1].place < waiting[3].place && waiting[3].place < waiting[4].place);
    for (unsigned i = 1; i < size; i++)
        busy[i].may_end = true;
    for (unsigned i = 1; i < size; i++)
        wait_for_ended(&busy[i], 1);
    assert_int_equal(waiting[0].begun + waiting[2].begun, 0);
    assert_int_equal(busy[0].begun, 1);
    pool_leave();
}

static void test_threads(void **state)
{
    (void)state;
    size_t base = count_threads();
    struct job jobs[3] = {job_of(true), job_of(true), job_of(true)};
    pool_join();
    pool_join();
    assert_int_equal(count_threads(), base);
    for (unsigned i = 0; i < 3; i++) { /* one after the other needs one thread */
        submit(&jobs[i]);
        wait_for_ended(&jobs[i], 1);
    }
    assert_true(count_threads() > base && count_threads() <= base + pool_size());
    pool_leave();
    assert_true(count_threads() > base);
    pool_leave();
    for (int i = 0; i < 1000 && count_threads() != base; i++)
        usleep(1000);
    assert_int_equal(count_threads(), base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_again),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_withdraw),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
