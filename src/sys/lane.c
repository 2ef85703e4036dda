#include "sys/lane.h"

#include "base/mem.h"

#include <stdlib.h>

static enum flow fill(struct lane *lane, struct chunk *chunk)
{
    enum flow flow = FLOW_OK;
    chunk->size = 0;
    chunk->from = intake_offset(lane->intake);
    while (flow == FLOW_OK && chunk->size < LANE_CHUNK && !lane->is_closing) {
        size_t made;
        flow =
            unpack_next(lane->unpack, chunk->bytes + chunk->size, LANE_CHUNK - chunk->size, &made);
        chunk->size += made;
    }
    chunk->until = intake_offset(lane->intake);
    return flow;
}

static struct chunk *get_spare(struct lane *lane)
{
    struct chunk *chunk = lane->spare;
    if (chunk) {
        lane->spare = chunk->next;
        return chunk;
    }
    size_t capacity = 0; /* not zeroed: a short file should touch little of it */
    chunk = mem_new(1, sizeof *chunk);
    chunk->bytes = mem_grow(NULL, &capacity, LANE_CHUNK, 1);
    return chunk;
}

static void put_away(struct lane *lane, struct chunk *chunk)
{
    chunk->next = lane->spare;
    lane->spare = chunk;
}

static void append(struct lane *lane, struct chunk *chunk)
{
    chunk->next = NULL;
    if (lane->first)
        lane->last->next = chunk;
    else
        lane->first = chunk;
    lane->last = chunk;
    lane->count++;
}

static struct chunk *take_first(struct lane *lane)
{
    struct chunk *chunk = lane->first;
    if (!chunk)
        return NULL;
    lane->first = chunk->next;
    return chunk;
}

static void run(struct task *task, void **scratch)
{
    struct lane *lane = (struct lane *)task; /* its first member */
    (void)scratch;
    pool_lock();
    if (lane->flow == FLOW_DRY)
        lane->flow = FLOW_OK;
    while (lane->flow == FLOW_OK && lane->count < lane->depth && !lane->is_closing) {
        struct chunk *chunk = get_spare(lane);
        pool_unlock();
        enum flow flow = fill(lane, chunk);
        pool_lock();
        lane->flow = flow;
        if (chunk->size)
            append(lane, chunk);
        else
            put_away(lane, chunk);
        pool_tell();
        if (task->is_for_later) { /* whatever is not may have come meanwhile */
            lane_go_on(lane);
            break;
        }
    }
    pool_unlock();
}

void lane_init(struct lane *lane, struct intake *intake, struct unpack *unpack)
{
    *lane = (struct lane){.task.run = run, .intake = intake, .unpack = unpack};
}

static void free_chunks(struct chunk *chunk)
{
    while (chunk) {
        struct chunk *next = chunk->next;
        free(chunk->bytes);
        free(chunk);
        chunk = next;
    }
}

void lane_done(struct lane *lane)
{
    lane_clear(lane);
    free_chunks(lane->spare);
    unpack_free(lane->unpack);
}

void lane_go_on(struct lane *lane)
{
    if ((lane->flow == FLOW_OK && lane->count < lane->depth) || lane->flow == FLOW_DRY)
        pool_submit(&lane->task);
}

void lane_stop(struct lane *lane)
{
    lane->is_closing = true;
    pool_withdraw(&lane->task);
}

void lane_clear(struct lane *lane)
{
    struct chunk chunk;
    while (lane_take(lane, &chunk))
        continue;
    lane->flow = FLOW_OK;
    lane->is_closing = false;
}

bool lane_take(struct lane *lane, struct chunk *chunk)
{
    if (lane->taken) {
        put_away(lane, lane->taken);
        lane->count--;
    }
    lane->taken = take_first(lane);
    if (lane->taken)
        *chunk = *lane->taken;
    return lane->taken;
}
