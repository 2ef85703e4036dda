/* Three hands: the feeder (sys/window.h) looks for beginnings of blocks and makes a job of each; jobs,
 * tasks too, decode one block; the reader goes along the window and takes the jobs where he comes to them.
 * What they share is under the pool's lock, and a job's own members belong to the job until it is done.
 *
 * Offsets are in bits of the file, from its beginning, unless they are said to be in bytes. */
#include "sys/unbzip2.h"

#include "base/bunzip2.h"
#include "base/bunzip2_search.h"
#include "base/mem.h"
#include "sys/window.h"

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
    struct window window;
    void *scratch; /* for jobs that the reader does himself, while the pool does nothing */
    struct bunzip2_search search; /* the feeder's */

    /* With the lock from here on. */
    bool was_read;
    uint64_t wanted; /* by the reader: bytes of the file */
    /* Places where a block or a stream's end may begin, with no job yet. */
    struct bunzip2_place *places;
    size_t place_capacity;
    size_t place_at;
    size_t place_end;
    struct job *jobs; /* in order of their start */
    size_t job_count;
    struct job *spare; /* or NULL */
    uint64_t newest;   /* start of the last job */

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
    if (!job)
        return;
    free(job->bytes);
    free(job->out);
    free(job->rest);
    free(job);
}

static struct job *take_first_job(struct unbzip2 *u)
{
    struct job *job = u->jobs;
    u->jobs = job->next;
    u->job_count--;
    jobs_of_all--;
    return job;
}

/* One is kept for the next block: its memory need not be had, and cleared by the system, again. */
static void put_away(struct unbzip2 *u, struct job *job)
{
    free_job(u->spare);
    free(job->rest);
    job->rest = NULL;
    u->spare = job;
}

static void drop_first_job(struct unbzip2 *u)
{
    struct job *job = take_first_job(u);
    job->is_dropped = true;
    pool_withdraw(&job->task);
    put_away(u, job);
}

/* ---- what the feeder does ---- */

/* In what was loaded since. */
static void find_places(struct unbzip2 *u)
{
    struct bunzip2_search *search = &u->search;
    size_t n = (size_t)(window_loaded(&u->window) - search->offset);
    const uint8_t *bytes = window_byte(&u->window, search->offset);
    pool_unlock();
    bunzip2_search_feed(search, bytes, n);
    pool_lock();
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
    size_t most = !u->window.is_ahead ? 1
                  : u->was_read       ? pool_size() + UNBZIP2_SPARE
                                      : UNBZIP2_UNREAD;
    return u->job_count == 0 || (u->job_count < most && jobs_of_all < UNBZIP2_TOTAL);
}

/* Gives the job the bytes from its start, `size` at most. */
static void give_bytes(struct unbzip2 *u, struct job *job, size_t size)
{
    uint64_t left = window_loaded(&u->window) - job->start / 8;
    job->size = size < left ? size : (size_t)left;
    job->bytes = mem_grow(job->bytes, &job->capacity, job->size, 1);
    memcpy(job->bytes, window_byte(&u->window, job->start / 8), job->size);
    job->is_done = false;
    if (u->window.is_ahead)
        pool_submit(&job->task);
}

static void add_job(struct unbzip2 *u, uint64_t start, size_t size)
{
    struct job *job = u->spare ? u->spare : mem_new(1, sizeof *job), **last = &u->jobs;
    u->spare = NULL;
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

static bool may_get_more(const struct unbzip2 *u)
{
    return u->window.flow == FLOW_OK || u->window.flow == FLOW_DRY;
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
        else if (may_get_more(u) && window_loaded(&u->window) - start / 8 < size)
            return;
        add_job(u, start, size < UNBZIP2_BLOCK_MAX ? (size_t)size : UNBZIP2_BLOCK_MAX);
    }
}

static void begin(struct window *window)
{
    struct unbzip2 *u = (struct unbzip2 *)window; /* its first member */
    find_places(u);
    make_jobs(u);
}

/* After begin(): what the reader waits for, or the place that follows the last one. */
static bool wants_more(const struct window *window)
{
    const struct unbzip2 *u = (const struct unbzip2 *)window;
    uint64_t last = u->newest > u->at ? u->newest : u->at, loaded = window_loaded(window);
    if (u->place_at < u->place_end)
        last = u->places[u->place_at].bit;
    return loaded < u->wanted || (may_add_job(u) && loaded < last / 8 + UNBZIP2_BLOCK_MAX);
}

/* ---- the reader ---- */

static void wait_for_job(struct unbzip2 *u, struct job *job)
{
    if (u->window.is_ahead) {
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
    while (window_loaded(&u->window) < u->wanted && may_get_more(u))
        window_wait(&u->window);
    return window_loaded(&u->window) >= u->wanted;
}

static uint64_t look(const struct unbzip2 *u, uint64_t bit, unsigned count)
{
    uint64_t value = 0;
    for (; count > 0; count--, bit++)
        value = value << 1 | (*window_byte(&u->window, bit / 8) >> (7 - bit % 8) & 1);
    return value;
}

static void pass(struct unbzip2 *u, uint64_t bits)
{
    u->at += bits;
    window_pass(&u->window, u->at / 8);
}

/* No more is read or decoded ahead. */
static void stop(struct unbzip2 *u)
{
    window_stop(&u->window);
    for (struct job *job = u->jobs; job; job = job->next)
        job->is_dropped = true;
}

static enum flow fail_damaged(struct unbzip2 *u, const char *fault)
{
    stop(u);
    return intake_fail_damaged(u->window.intake, u->at / 8, "bzip2", u->stream, fault);
}

static enum flow fail_short(struct unbzip2 *u)
{
    if (u->window.flow == FLOW_FAILED) /* reading it, which is told already */
        return FLOW_FAILED;
    stop(u);
    return intake_fail(u->window.intake, ERR_CORRUPT, window_loaded(&u->window),
                       "the file ends in the middle of compressed data");
}

/* Between streams: FLOW_OK if another one follows. Zero bytes there are padding, as tapes have it. */
static enum flow find_stream(struct unbzip2 *u)
{
    while (need(u, 8) && *window_byte(&u->window, u->at / 8) == 0)
        pass(u, 8);
    if (!need(u, 8))
        return u->window.flow;
    if (!need(u, (uint64_t)FORMAT_HEAD * 8) && u->window.flow == FLOW_FAILED)
        return FLOW_FAILED;
    size_t n = (size_t)(window_loaded(&u->window) - u->at / 8);
    if (format_of(window_byte(&u->window, u->at / 8), n) != FORMAT_BZIP2) {
        stop(u);
        return intake_fail(u->window.intake, ERR_CORRUPT, u->at / 8,
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
    if (window_loaded(&u->window) - u->at / 8 <= size)
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
            window_wait(&u->window);
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
    *chunk = (struct chunk){u->current->out, u->current->out_size, from, u->at / 8, NULL};
    window_go_on(&u->window, false);
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
    *chunk = (struct chunk){job->out, job->out_size, u->at / 8, u->at / 8, NULL};
    return job->out_size > 0;
}

enum flow unbzip2_next(struct unbzip2 *u, struct chunk *chunk)
{
    if (u->end != FLOW_OK || next_piece(u, chunk))
        return u->end;
    pool_lock();
    u->was_read = true;
    if (u->current)
        put_away(u, u->current);
    u->current = NULL;
    u->end = next_block(u, chunk);
    pool_unlock();
    return u->end;
}

struct unbzip2 *unbzip2_new(struct intake *intake)
{
    struct unbzip2 *u = mem_new(1, sizeof *u);
    u->at = intake_offset(intake) * 8;
    bunzip2_search_init(&u->search, intake_offset(intake));
    window_init(&u->window, intake, begin, wants_more);
    return u;
}

void unbzip2_start(struct unbzip2 *u)
{
    pool_join();
    pool_lock();
    assert(!u->jobs); /* until now each was made only when the reader came to it */
    window_start(&u->window);
    pool_unlock();
    free(u->scratch);
    u->scratch = NULL;
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
    if (u->window.is_ahead)
        pool_leave();
    free_job(u->spare);
    free_job(u->current);
    free(u->scratch);
    bunzip2_search_done(&u->search);
    free(u->places);
    window_done(&u->window);
    free(u);
}
