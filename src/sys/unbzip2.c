/* Three hands: the feeder, a task, reads the file into the window, looks for beginnings of blocks and
 * makes a job of each; jobs, tasks too, decode one block; the reader goes along the window and takes
 * the jobs where he comes to them. What they share is under the pool's lock, and a job's own members
 * belong to the job until it is done.
 *
 * Offsets are in bits of the file, from its beginning, unless they are said to be in bytes. */
#include "sys/unbzip2.h"

#include "base/bunzip2.h"
#include "base/bunzip2_search.h"
#include "base/mem.h"
#include "sys/pool.h"

#include <assert.h>
#include <isa-l/crc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAGIC = 48,
    BLOCK_HEAD = 80, /* the magic and the checksum, of a block and of a stream's end alike */
    STREAM_HEAD = 32 /* "BZh" and the level */
};

struct job {
    struct task task;
    struct job *next;
    uint64_t start;
    atomic_bool is_dropped;
    bool is_done;   /* and is the reader's when the task has stopped running */
    uint8_t *bytes; /* compressed: a copy from the window, from the byte that has `start` */
    size_t size;
    size_t capacity;
    enum bunzip2_result result;
    struct bunzip2_block block; /* its text is not kept */
    uint8_t *out;               /* UNBZIP2_PIECE bytes */
    size_t out_size;
    uint8_t *rest; /* the text, if not all of it is in `out` yet; else NULL */
    struct bunzip2_runs runs;
};

struct unbzip2 {
    struct task feeder;
    struct intake *intake; /* the feeder's */
    bool is_ahead;         /* in the pool */
    void *scratch;         /* for jobs that the reader does himself, before that */
    atomic_bool is_closing;

    struct bunzip2_search search; /* the feeder's, too */

    /* With the lock from here on. */
    enum flow flow; /* of the feeder: FLOW_DRY while a pipe is to be waited for */
    bool was_read;
    /* The window: bytes of the file from about where the reader is, to where it was read. */
    uint8_t *window;
    size_t window_capacity;
    size_t window_at; /* those before it are not needed any more */
    size_t window_end;
    uint64_t window_offset; /* in the file, of the window's first byte, in bytes */
    uint64_t wanted;        /* by the reader: bytes of the file */
    /* Places where a block or a stream's end may begin, with no job yet. */
    struct bunzip2_place *places;
    size_t place_capacity;
    size_t place_at;
    size_t place_end;
    struct job *jobs; /* in order of their start */
    size_t job_count;
    struct job *spare;
    uint64_t newest; /* start of the last job */

    /* The reader's; the feeder looks at `at`. */
    uint64_t at;
    struct job *current;
    bool in_stream;
    unsigned level;
    uint32_t crc;
    uint64_t stream; /* where it began, in bytes */
    enum flow end;   /* once it has ended or failed */
};

static size_t jobs_of_all; /* with the lock */

/* ---- jobs ---- */

/* Expands the first piece, and all if only to know the checksum. */
static bool expand(struct job *job)
{
    struct bunzip2_runs runs = bunzip2_runs_of(job->block.text, job->block.size);
    if (!job->out) {
        size_t capacity = 0;
        job->out = mem_grow(NULL, &capacity, UNBZIP2_PIECE, 1);
    }
    job->out_size = bunzip2_expand(&runs, job->out, UNBZIP2_PIECE);
    uint32_t crc = crc32_ieee(0, job->out, job->out_size);
    if (job->out_size == UNBZIP2_PIECE) {
        size_t capacity = 0, n;
        job->rest = mem_grow(NULL, &capacity, job->block.size, 1);
        memcpy(job->rest, job->block.text, job->block.size);
        while ((n = bunzip2_expand(&runs, job->out, UNBZIP2_PIECE)) > 0)
            crc = crc32_ieee(crc, job->out, n);
        job->runs = bunzip2_runs_of(job->rest, job->block.size);
        job->out_size = bunzip2_expand(&job->runs, job->out, UNBZIP2_PIECE);
    }
    job->block.fault = runs.is_cut             ? "a block ends in the middle of a run"
                       : crc != job->block.crc ? "the checksum of a block is wrong"
                                               : NULL;
    return !job->block.fault;
}

static void run_job(struct task *task, void **scratch)
{
    struct job *job = (struct job *)task; /* its first member */
    if (!*scratch)
        *scratch = bunzip2_new();
    job->result = bunzip2_block(*scratch, job->bytes, job->size, job->start % 8, &job->is_dropped,
                                &job->block);
    if (job->result == BUNZIP2_OK && !expand(job))
        job->result = BUNZIP2_DAMAGED;
    job->is_done = true;
}

static void free_job(struct job *job)
{
    free(job->bytes);
    free(job->out);
    free(job->rest);
    free(job);
}

static struct job *take_first_job(struct unbzip2 *u)
{
    struct job *job = u->jobs;
    u->jobs = job->next;
    job->next = NULL;
    u->job_count--;
    jobs_of_all--;
    return job;
}

static void keep_spare(struct unbzip2 *u, struct job *job)
{
    free(job->rest);
    job->rest = NULL;
    job->next = u->spare;
    u->spare = job;
}

static void drop_first_job(struct unbzip2 *u)
{
    struct job *job = take_first_job(u);
    job->is_dropped = true;
    pool_withdraw(&job->task);
    keep_spare(u, job);
}

/* ---- the window ---- */

static uint64_t loaded(const struct unbzip2 *u)
{
    return u->window_offset + u->window_end;
}

static const uint8_t *window_byte(const struct unbzip2 *u, uint64_t bit)
{
    return u->window + (bit / 8 - u->window_offset);
}

static void add_to_window(struct unbzip2 *u, const uint8_t *bytes, size_t n)
{
    if (u->window_at > u->window_end / 2) {
        u->window_end -= u->window_at;
        memmove(u->window, u->window + u->window_at, u->window_end);
        u->window_offset += u->window_at;
        u->window_at = 0;
    }
    if (n == 0)
        return;
    u->window = mem_grow(u->window, &u->window_capacity, u->window_end + n, 1);
    memcpy(u->window + u->window_end, bytes, n);
    u->window_end += n;
}

/* ---- the feeder ---- */

static void take_over_places(struct unbzip2 *u)
{
    const struct bunzip2_search *search = &u->search;
    size_t left = u->place_end - u->place_at;
    if (search->count == 0)
        return;
    u->places =
        mem_grow(u->places, &u->place_capacity, u->place_end + search->count, sizeof *u->places);
    memmove(u->places, u->places + u->place_at, left * sizeof *u->places);
    memcpy(u->places + left, search->found, search->count * sizeof *u->places);
    u->place_at = 0;
    u->place_end = left + search->count;
}

static bool may_add_job(const struct unbzip2 *u)
{
    size_t most = !u->is_ahead ? 1 : u->was_read ? pool_size() + UNBZIP2_SPARE : UNBZIP2_UNREAD;
    return u->job_count == 0 || (u->job_count < most && jobs_of_all < UNBZIP2_TOTAL);
}

/* Gives the job the bytes from its start, `size` at most. */
static void give_bytes(struct unbzip2 *u, struct job *job, size_t size)
{
    uint64_t left = loaded(u) - job->start / 8;
    job->size = size < left ? size : (size_t)left;
    job->bytes = mem_grow(job->bytes, &job->capacity, job->size, 1);
    memcpy(job->bytes, window_byte(u, job->start), job->size);
    job->is_done = false;
    if (u->is_ahead)
        pool_submit(&job->task);
}

static void add_job(struct unbzip2 *u, uint64_t start, size_t size)
{
    struct job *job = u->spare, **last = &u->jobs;
    if (job)
        u->spare = job->next;
    else
        job = mem_new(1, sizeof *job);
    job->task.run = run_job;
    job->start = u->newest = start;
    job->is_dropped = false;
    job->next = NULL;
    while (*last)
        last = &(*last)->next;
    *last = job;
    u->job_count++;
    jobs_of_all++;
    give_bytes(u, job, size);
}

/* A block goes at most to the next place; it is decoded when that is known. */
static void make_jobs(struct unbzip2 *u)
{
    for (; u->place_at < u->place_end; u->place_at++) {
        const struct bunzip2_place *place = u->places + u->place_at;
        uint64_t size = UNBZIP2_BLOCK_MAX, start = place->bit;
        if (start < u->at || place->is_end)
            continue;
        if (!may_add_job(u))
            return;
        if (u->place_at + 1 < u->place_end)
            size = (place[1].bit + 7) / 8 - start / 8;
        else if ((u->flow == FLOW_OK || u->flow == FLOW_DRY) && loaded(u) - start / 8 < size)
            return;
        add_job(u, start, size < UNBZIP2_BLOCK_MAX ? (size_t)size : UNBZIP2_BLOCK_MAX);
    }
}

/* After make_jobs(): what the reader waits for, or the place that follows the last one. */
static bool wants_more(const struct unbzip2 *u)
{
    uint64_t last = u->newest > u->at ? u->newest : u->at;
    if (u->place_at < u->place_end)
        last = u->places[u->place_at].bit;
    return loaded(u) < u->wanted || (may_add_job(u) && loaded(u) < last / 8 + UNBZIP2_BLOCK_MAX);
}

static void feed(struct task *task, void **scratch)
{
    struct unbzip2 *u = (struct unbzip2 *)task; /* its first member */
    struct intake *intake = u->intake;
    (void)scratch;
    pool_lock();
    for (;;) {
        make_jobs(u);
        if (u->is_closing || u->flow != FLOW_OK || !wants_more(u))
            break;
        pool_unlock();
        enum flow flow = intake_load(intake, 1);
        const uint8_t *bytes = intake->buffer + intake->at;
        size_t n = intake_left(intake);
        bunzip2_search_feed(&u->search, bytes, n);
        intake->at = intake->end;
        pool_lock();
        add_to_window(u, bytes, n);
        take_over_places(u);
        u->flow = flow;
        pool_tell();
    }
    pool_unlock();
}

/* ---- the reader ---- */

/* Has the feeder go on, as ahead.c does. */
static void go_on(struct unbzip2 *u, bool may_wait)
{
    if (u->flow == FLOW_DRY) {
        if (may_wait) {
            pool_unlock();
            intake_wait(u->intake);
            pool_lock();
        }
        u->flow = FLOW_OK;
    }
    if (u->is_ahead) {
        pool_submit(&u->feeder);
    } else if (may_wait) {
        pool_unlock();
        feed(&u->feeder, NULL);
        pool_lock();
    }
}

static void wait_for_feeder(struct unbzip2 *u)
{
    go_on(u, true);
    if (u->is_ahead)
        pool_wait();
}

static void wait_for_job(struct unbzip2 *u, struct job *job)
{
    if (u->is_ahead) {
        pool_wait();
        return;
    }
    pool_unlock();
    run_job(&job->task, &u->scratch);
    pool_lock();
}

/* True if the window holds the next `count` bits; false if the file ends before. */
static bool need(struct unbzip2 *u, uint64_t count)
{
    u->wanted = (u->at + count + 7) / 8;
    while (loaded(u) < u->wanted && (u->flow == FLOW_OK || u->flow == FLOW_DRY))
        wait_for_feeder(u);
    return loaded(u) >= u->wanted;
}

static uint64_t look(const struct unbzip2 *u, uint64_t bit, unsigned count)
{
    uint64_t value = 0;
    for (; count > 0; count--, bit++)
        value = value << 1 | (*window_byte(u, bit) >> (7 - bit % 8) & 1);
    return value;
}

static void pass(struct unbzip2 *u, uint64_t bits)
{
    u->at += bits;
    u->window_at = (size_t)(u->at / 8 - u->window_offset);
}

/* No more is read or decoded ahead. */
static void stop(struct unbzip2 *u)
{
    u->is_closing = true;
    pool_withdraw(&u->feeder);
    for (struct job *job = u->jobs; job; job = job->next)
        job->is_dropped = true;
}

static enum flow fail_damaged(struct unbzip2 *u, const char *fault)
{
    stop(u);
    return intake_fail_damaged(u->intake, u->at / 8, "bzip2", u->stream, fault);
}

static enum flow fail_short(struct unbzip2 *u)
{
    if (u->flow == FLOW_FAILED) /* reading it, which is told already */
        return FLOW_FAILED;
    stop(u);
    return intake_fail(u->intake, ERR_CORRUPT, loaded(u),
                       "the file ends in the middle of compressed data");
}

/* Between streams: FLOW_OK if another one follows. Zero bytes there are padding, as tapes have it. */
static enum flow find_stream(struct unbzip2 *u)
{
    while (need(u, 8) && *window_byte(u, u->at) == 0)
        pass(u, 8);
    if (!need(u, 8))
        return u->flow;
    if (!need(u, (uint64_t)FORMAT_HEAD * 8) && u->flow == FLOW_FAILED)
        return FLOW_FAILED;
    size_t n = (size_t)(loaded(u) - u->at / 8);
    if (format_of(window_byte(u, u->at), n) != FORMAT_BZIP2) {
        stop(u);
        return intake_fail(u->intake, ERR_CORRUPT, u->at / 8,
                           "something else follows the compressed data");
    }
    u->stream = u->at / 8;
    u->level = (unsigned)look(u, u->at + 24, 8) - '0';
    u->crc = 0;
    u->in_stream = true;
    pass(u, STREAM_HEAD);
    return FLOW_OK;
}

static enum flow end_stream(struct unbzip2 *u)
{
    if (look(u, u->at + MAGIC, 32) != u->crc)
        return fail_damaged(u, "the checksum of its contents is wrong");
    pass(u, BLOCK_HEAD);
    pass(u, (8 - u->at % 8) % 8);
    u->in_stream = false;
    return FLOW_OK;
}

/* The block goes on behind what was taken for the beginning of the next. Twice as much each time, so
 * that a file made of such places costs no more than twice the work. */
static enum flow lengthen(struct unbzip2 *u, struct job *job)
{
    size_t size = job->size;
    if (size >= UNBZIP2_BLOCK_MAX)
        return fail_damaged(u, "a block is longer than any can be");
    size_t more = 2 * size < UNBZIP2_BLOCK_MAX ? 2 * size : UNBZIP2_BLOCK_MAX;
    need(u, (uint64_t)more * 8 - u->at % 8);
    if (loaded(u) - u->at / 8 <= size)
        return fail_short(u);
    give_bytes(u, job, more);
    return FLOW_OK;
}

/* Waits until the block that begins here is decoded, as the first job. */
static enum flow wait_for_block(struct unbzip2 *u)
{
    for (;;) {
        struct job *job = u->jobs;
        if (job && job->start < u->at)
            drop_first_job(u);
        else if (!job || job->start != u->at)
            wait_for_feeder(u);
        else if (job->task.is_running || !job->is_done)
            wait_for_job(u, job);
        else if (job->result != BUNZIP2_SHORT)
            return FLOW_OK;
        else if (lengthen(u, job) != FLOW_OK)
            return FLOW_FAILED;
    }
}

static enum flow take_block(struct unbzip2 *u, struct chunk *chunk)
{
    if (wait_for_block(u) != FLOW_OK)
        return FLOW_FAILED;
    const struct bunzip2_block *block = &u->jobs->block;
    if (u->jobs->result != BUNZIP2_OK)
        return fail_damaged(u, block->fault);
    if (block->size > (size_t)u->level * BUNZIP2_LEVEL)
        return fail_damaged(u, "a block is longer than its stream allows");
    u->current = take_first_job(u);
    u->crc = (u->crc << 1 | u->crc >> 31) ^ block->crc;
    uint64_t from = u->at / 8;
    pass(u, block->bits);
    *chunk = (struct chunk){u->current->out, u->current->out_size, from, u->at / 8};
    go_on(u, false);
    return FLOW_OK;
}

static enum flow next_block(struct unbzip2 *u, struct chunk *chunk)
{
    for (;;) {
        enum flow flow = u->in_stream ? FLOW_OK : find_stream(u);
        if (flow != FLOW_OK)
            return flow;
        if (!need(u, BLOCK_HEAD))
            return fail_short(u);
        uint64_t magic = look(u, u->at, MAGIC);
        if (magic == BUNZIP2_MAGIC_BLOCK)
            return take_block(u, chunk);
        flow = magic == BUNZIP2_MAGIC_END ? end_stream(u)
                                          : fail_damaged(u, "no block begins where one must");
        if (flow != FLOW_OK)
            return flow;
    }
}

/* More of the block that the reader has. */
static bool next_piece(struct unbzip2 *u, struct chunk *chunk)
{
    struct job *job = u->current;
    if (!job || !job->rest)
        return false;
    job->out_size = bunzip2_expand(&job->runs, job->out, UNBZIP2_PIECE);
    *chunk = (struct chunk){job->out, job->out_size, u->at / 8, u->at / 8};
    return job->out_size > 0;
}

enum flow unbzip2_next(struct unbzip2 *u, struct chunk *chunk)
{
    if (u->end != FLOW_OK || next_piece(u, chunk))
        return u->end;
    pool_lock();
    u->was_read = true;
    if (u->current)
        keep_spare(u, u->current);
    u->current = NULL;
    u->end = next_block(u, chunk);
    pool_unlock();
    return u->end;
}

struct unbzip2 *unbzip2_new(struct intake *intake)
{
    struct unbzip2 *u = mem_new(1, sizeof *u);
    u->feeder.run = feed;
    u->intake = intake;
    u->at = intake_offset(intake) * 8;
    u->window_offset = intake_offset(intake);
    bunzip2_search_init(&u->search, intake_offset(intake));
    return u;
}

void unbzip2_start(struct unbzip2 *u)
{
    u->is_ahead = true;
    u->intake->may_wait = false;
    pool_join();
    pool_lock();
    assert(!u->jobs); /* until now each was made only when the reader came to it */
    pool_submit(&u->feeder);
    pool_unlock();
    free(u->scratch);
    u->scratch = NULL;
}

static void free_jobs(struct job *job)
{
    while (job) {
        struct job *next = job->next;
        free_job(job);
        job = next;
    }
}

void unbzip2_free(struct unbzip2 *u)
{
    if (!u)
        return;
    pool_lock();
    stop(u);
    while (u->jobs)
        drop_first_job(u);
    pool_unlock();
    if (u->is_ahead)
        pool_leave();
    free_jobs(u->spare);
    free_jobs(u->current);
    free(u->scratch);
    bunzip2_search_done(&u->search);
    free(u->places);
    free(u->window);
    free(u);
}
