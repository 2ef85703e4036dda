/* One direction of a delayed link: a queue of frames, each with the time at which it is due, and what
 * became of all of them. No clock and no descriptors: relay.c brings time and frames.
 *
 *     line_offer(&line, &pool, bytes, size, now);      a frame came in: queue it, or lose it
 *     while ((frame = line_due(&line, now))) {         frames whose time has come, in their order
 *         ...send it...
 *         line_drop_first(&line, &pool);
 *     }
 *
 * All lines take their frames from one pool and give them back to it. Last given, first taken: only as
 * much memory is ever touched as frames were under way at once. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A flood over a long line must not eat the machine: frames beyond these caps are counted as full.
 * 8192 frames are 20,000 frames/s held back for 400 ms; the pool is 101 MB if it is ever used up. */
enum {
    FRAME_BYTES = 1524, /* MTU 1500, Ethernet header, two VLAN tags, rounded up */
    LINE_FRAMES_MAX = 8192,
    POOL_FRAMES_MAX = 65536,
    MILLION = 1000000
};

struct frame {
    struct frame *next;
    int64_t due_ns;
    uint32_t size;
    uint8_t bytes[FRAME_BYTES];
};

struct pool {
    struct frame *frames; /* POOL_FRAMES_MAX, of which the first `touched` were ever used */
    struct frame *idle;   /* those of them that were given back */
    uint32_t touched;
};

struct counts {
    uint64_t forwarded;
    uint64_t lost;   /* by chance */
    uint64_t cut;    /* while the link was paused */
    uint64_t full;   /* beyond LINE_FRAMES_MAX or POOL_FRAMES_MAX */
    uint64_t failed; /* too long, or the TAP at the far end did not take it (down, gone) */
};

struct line {
    struct frame *first, *last;
    uint32_t queued;
    int64_t delay_ns;
    uint64_t loss_ppm;
    bool is_paused;
    int64_t last_due_ns; /* of the newest frame: none may overtake it, whatever the delay becomes */
    uint64_t random;
    struct counts counts;
    int64_t late_ns; /* worst since it was last told: sent this long after it was due */
};

static inline bool pool_init(struct pool *pool)
{
    *pool = (struct pool){.frames = calloc(POOL_FRAMES_MAX, sizeof *pool->frames)};
    return pool->frames;
}

static inline struct frame *pool_take(struct pool *pool)
{
    struct frame *frame = pool->idle;
    if (frame)
        pool->idle = frame->next;
    else if (pool->touched < POOL_FRAMES_MAX)
        frame = &pool->frames[pool->touched++];
    return frame;
}

static inline void pool_give(struct pool *pool, struct frame *frame)
{
    frame->next = pool->idle;
    pool->idle = frame;
}

/* SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). Each line draws from its own stream, so that its
 * losses do not depend on what goes over other lines. */
static inline uint64_t line_random(struct line *line)
{
    uint64_t x = line->random += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* The counter of what happens to a frame that comes in now; NULL: it is queued. */
static inline uint64_t *line_refusal(struct line *line, size_t size)
{
    if (line->is_paused)
        return &line->counts.cut;
    if (size > FRAME_BYTES)
        return &line->counts.failed;
    if (line->loss_ppm && line_random(line) % MILLION < line->loss_ppm)
        return &line->counts.lost;
    if (line->queued == LINE_FRAMES_MAX)
        return &line->counts.full;
    return NULL;
}

static inline void line_append(struct line *line, struct frame *frame, int64_t now_ns)
{
    frame->due_ns = now_ns + line->delay_ns;
    if (frame->due_ns < line->last_due_ns)
        frame->due_ns = line->last_due_ns;
    line->last_due_ns = frame->due_ns;
    frame->next = NULL;
    if (line->first)
        line->last->next = frame;
    else
        line->first = frame;
    line->last = frame;
    line->queued++;
}

/* A frame came in. size may be more than there are bytes: then it is too long, and not read. */
static inline void line_offer(struct line *line, struct pool *pool, const uint8_t *bytes,
                              size_t size, int64_t now_ns)
{
    uint64_t *refusal = line_refusal(line, size);
    struct frame *frame = refusal ? NULL : pool_take(pool);
    if (!frame) {
        ++*(refusal ? refusal : &line->counts.full);
        return;
    }
    memcpy(frame->bytes, bytes, size);
    frame->size = (uint32_t)size;
    line_append(line, frame, now_ns);
}

/* The first frame if its time has come. It stays in the queue. */
static inline struct frame *line_due(const struct line *line, int64_t now_ns)
{
    return line->first && line->first->due_ns <= now_ns ? line->first : NULL;
}

static inline void line_drop_first(struct line *line, struct pool *pool)
{
    struct frame *frame = line->first;
    line->first = frame->next;
    line->queued--;
    pool_give(pool, frame);
}

/* Cuts the line: what is under way is lost too. */
static inline void line_pause(struct line *line, struct pool *pool)
{
    line->is_paused = true;
    line->counts.cut += line->queued;
    while (line->first)
        line_drop_first(line, pool);
    line->last_due_ns = 0;
}

static inline uint64_t line_dropped(const struct counts *counts)
{
    return counts->lost + counts->cut + counts->full + counts->failed;
}

#endif
