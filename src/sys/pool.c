#include "sys/pool.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

static struct {
    pthread_mutex_t membership; /* held while members come and go, and threads end */
    pthread_mutex_t lock;       /* for the rest */
    pthread_cond_t work;
    pthread_cond_t news;
    unsigned members;
    struct task *first;
    unsigned queued;
    unsigned running;
    unsigned waiting; /* in pool_wait() */
    pthread_t threads[POOL_MAX];
    unsigned thread_count;
    unsigned idle;
    unsigned size; /* threads that there may be */
    bool is_ending;
} pool = {.membership = PTHREAD_MUTEX_INITIALIZER,
          .lock = PTHREAD_MUTEX_INITIALIZER,
          .work = PTHREAD_COND_INITIALIZER,
          .news = PTHREAD_COND_INITIALIZER};

/* The cores that this program may use. */
static unsigned count_cores(void)
{
    cpu_set_t cores;
    return sched_getaffinity(0, sizeof cores, &cores) == 0 ? (unsigned)CPU_COUNT(&cores) : 1;
}

void pool_lock(void)
{
    pthread_mutex_lock(&pool.lock);
}

void pool_unlock(void)
{
    pthread_mutex_unlock(&pool.lock);
}

/* The link to the task, or, of NULL, to the end of the queue. */
static struct task **find_link(const struct task *task)
{
    struct task **link = &pool.first;
    while (*link != task)
        link = &(*link)->next;
    return link;
}

static void append(struct task *task)
{
    *find_link(NULL) = task;
    task->next = NULL;
    task->is_queued = true;
    pool.queued++;
}

static void take_out(struct task *task)
{
    *find_link(task) = task->next;
    task->is_queued = false;
    pool.queued--;
}

/* NULL if there is none, or only for later, which leaves a core to the reader unless he is waiting. */
static struct task *next_task(void)
{
    unsigned most = pool.size - (pool.size > 1 && !pool.waiting);
    for (struct task *task = pool.first; task; task = task->next)
        if (!task->is_for_later)
            return task;
    return pool.running < most ? pool.first : NULL;
}

static void run_task(struct task *task, void **scratch)
{
    take_out(task);
    task->runs_again = false;
    task->is_running = true;
    pool.running++;
    pool_unlock();
    task->run(task, scratch);
    pool_lock();
    pool.running--;
    task->is_running = false;
    if (task->runs_again)
        append(task);
    pool_tell();
}

static void *work(void *unused)
{
    void *scratch = NULL;
    pool_lock();
    while (!pool.is_ending) {
        struct task *task = next_task();
        if (task) {
            run_task(task, &scratch);
            continue;
        }
        pool.idle++;
        pthread_cond_wait(&pool.work, &pool.lock);
        pool.idle--;
    }
    pool_unlock();
    free(scratch);
    return unused;
}

/* Signals are for the threads that were there before. If no thread can be had, pool_wait() works. */
static void start_thread(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&pool.threads[pool.thread_count], NULL, work, NULL) == 0)
        pool.thread_count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void pool_submit(struct task *task)
{
    assert(pool.members);
    if (task->is_running)
        task->runs_again = true;
    if (task->is_running || task->is_queued)
        return;
    append(task);
    if (pool.queued > pool.idle && pool.thread_count < pool.size)
        start_thread();
    pthread_cond_signal(&pool.work);
}

void pool_withdraw(struct task *task)
{
    while (task->is_running || task->is_queued) {
        task->runs_again = false;
        if (task->is_queued)
            take_out(task);
        else
            pthread_cond_wait(&pool.news, &pool.lock);
    }
}

void pool_wait(void)
{
    void *scratch = NULL;
    if (pool.thread_count || !pool.first) {
        pool.waiting++;
        if (pool.first)
            pthread_cond_signal(&pool.work);
        pthread_cond_wait(&pool.news, &pool.lock);
        pool.waiting--;
        return;
    }
    run_task(next_task(), &scratch);
    free(scratch);
}

void pool_tell(void)
{
    pthread_cond_broadcast(&pool.news);
}

void pool_join(void)
{
    pthread_mutex_lock(&pool.membership);
    pool_lock();
    if (pool.members++ == 0) {
        unsigned cores = count_cores();
        pool.size = cores < POOL_MAX ? cores : POOL_MAX;
    }
    pool_unlock();
    pthread_mutex_unlock(&pool.membership);
}

unsigned pool_size(void)
{
    return pool.size;
}

static void end_threads(void)
{
    pool_lock();
    assert(!pool.first);
    pool.is_ending = true;
    pthread_cond_broadcast(&pool.work);
    unsigned count = pool.thread_count;
    pool_unlock();
    for (unsigned i = 0; i < count; i++)
        pthread_join(pool.threads[i], NULL);
    pool_lock();
    pool.is_ending = false;
    pool.thread_count = 0;
    pool_unlock();
}

void pool_leave(void)
{
    pthread_mutex_lock(&pool.membership);
    pool_lock();
    assert(pool.members);
    unsigned left = --pool.members;
    pool_unlock();
    if (left == 0)
        end_threads();
    pthread_mutex_unlock(&pool.membership);
}
