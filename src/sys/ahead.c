#include "sys/ahead.h"

#include "base/mem.h"
#include "sys/pool.h"

#include <stdatomic.h>
#include <stdlib.h>

struct ahead {
    struct task task;
    atomic_bool is_closing;
    struct intake *intake; /* of the task, as is the next, while it runs or is queued */
    struct unpack *unpack;
    /* With the pool's lock. A chunk belongs to the task while it is not counted. */
    struct chunk chunks[AHEAD_CHUNKS];
    size_t first;
    size_t count;
    bool is_held;   /* the first is with the reader */
    enum flow flow; /* FLOW_DRY while the pipe is to be waited for; the end and a failure stay */
};

static enum flow fill(struct ahead *ahead, struct chunk *chunk)
{
    enum flow flow = FLOW_OK;
    if (!chunk->bytes) {
        size_t capacity = 0;
        chunk->bytes = mem_grow(NULL, &capacity, AHEAD_CHUNK, 1);
    }
    chunk->size = 0;
    chunk->from = intake_offset(ahead->intake);
    while (flow == FLOW_OK && chunk->size < AHEAD_CHUNK && !ahead->is_closing) {
        size_t made;
        flow = unpack_next(ahead->unpack, chunk->bytes + chunk->size, AHEAD_CHUNK - chunk->size,
                           &made);
        chunk->size += made;
    }
    chunk->until = intake_offset(ahead->intake);
    return flow;
}

static void run(struct task *task, void **scratch)
{
    struct ahead *ahead = (struct ahead *)task; /* its first member */
    (void)scratch;
    pool_lock();
    while (ahead->flow == FLOW_OK && ahead->count < AHEAD_CHUNKS && !ahead->is_closing) {
        struct chunk *chunk = &ahead->chunks[(ahead->first + ahead->count) % AHEAD_CHUNKS];
        pool_unlock();
        enum flow flow = fill(ahead, chunk);
        pool_lock();
        ahead->flow = flow;
        ahead->count += chunk->size > 0;
        pool_tell();
    }
    pool_unlock();
}

struct ahead *ahead_new(struct intake *intake, struct unpack *unpack)
{
    struct ahead *ahead = mem_new(1, sizeof *ahead);
    ahead->task.run = run;
    ahead->intake = intake;
    ahead->unpack = unpack;
    intake->may_wait = false;
    pool_join();
    pool_lock();
    pool_submit(&ahead->task);
    pool_unlock();
    return ahead;
}

void ahead_free(struct ahead *ahead)
{
    if (!ahead)
        return;
    ahead->is_closing = true;
    pool_lock();
    pool_withdraw(&ahead->task);
    pool_unlock();
    pool_leave();
    unpack_free(ahead->unpack);
    for (size_t i = 0; i < AHEAD_CHUNKS; i++)
        free(ahead->chunks[i].bytes);
    free(ahead);
}

/* A task that rests goes on. An empty pipe is waited for here, by the reader, if he has nothing to
 * read: so nobody waits for it who is needed elsewhere, or whom input_close() would have to wake. */
static void go_on(struct ahead *ahead)
{
    if (ahead->flow == FLOW_DRY) {
        if (ahead->count == 0) {
            pool_unlock();
            intake_wait(ahead->intake);
            pool_lock();
        }
        ahead->flow = FLOW_OK;
    }
    if (ahead->flow == FLOW_OK)
        pool_submit(&ahead->task);
}

enum flow ahead_next(struct ahead *ahead, struct chunk *chunk)
{
    pool_lock();
    if (ahead->is_held) {
        ahead->is_held = false;
        ahead->first = (ahead->first + 1) % AHEAD_CHUNKS;
        ahead->count--;
    }
    /* Not for each chunk, as waking a thread costs about as much as decompressing some. */
    if (ahead->count <= AHEAD_CHUNKS / 2)
        go_on(ahead);
    while (ahead->count == 0 && ahead->flow != FLOW_END && ahead->flow != FLOW_FAILED) {
        go_on(ahead);
        pool_wait();
    }
    ahead->is_held = ahead->count > 0;
    if (ahead->is_held)
        *chunk = ahead->chunks[ahead->first];
    enum flow flow = ahead->is_held ? FLOW_OK : ahead->flow;
    pool_unlock();
    return flow;
}
