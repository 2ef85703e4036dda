/* A few threads that do the work of all inputs that decompress ahead: as many as there are cores, at
 * most POOL_MAX. They are started when there is something to do for them and have ended when the last
 * input that joined has left.
 *
 * One lock guards the queue and all that an input shares with its tasks. It is never held while
 * something is read or decompressed.
 *
 *     pool_join();
 *     pool_lock();
 *     pool_submit(&task);
 *     while (!is_done) pool_wait();
 *     pool_withdraw(&task);
 *     pool_unlock();
 *     pool_leave(); */
#ifndef SYS_POOL_H
#define SYS_POOL_H

#include <stdbool.h>

enum { POOL_MAX = 8 };

/* Embedded in what it works on; zeroed but for `run` and `is_for_later`. */
struct task {
    /* Without the lock, in any thread. `scratch` is NULL at first: memory of that thread for its
     * tasks, which it frees with free(). */
    void (*run)(struct task *task, void **scratch);
    /* It comes behind all that are not, and while nobody is in pool_wait(), so that whoever reads has
     * something to do, too, a core is left to him. */
    bool is_for_later;
    struct task *next; /* in the queue */
    bool is_queued;
    bool is_running;
    bool runs_again; /* submitted while it was running */
};

void pool_join(void);
void pool_leave(void); /* with nothing submitted any more */

void pool_lock(void);
void pool_unlock(void);

/* The rest is called with the lock held, by a member. */

unsigned pool_size(void); /* threads at most */
/* Runs the task, once more if it is running just now. First come, first served, but for what is for later. */
void pool_submit(struct task *task);
/* After this it is neither queued nor running. Waits for it if it is running, without the lock. */
void pool_withdraw(struct task *task);
/* Waits, without the lock, until a task has run or pool_tell() was called. */
void pool_wait(void);
/* Wakes all that wait: something that is shared has changed. */
void pool_tell(void);

#endif
