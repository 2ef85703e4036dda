/* Everything here is shared by the reader, the feeder and the lanes, and is under the pool's lock. */
#include "sys/ahead.h"

#include "base/mem.h"
#include "sys/window.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD = 4 }; /* bytes that tell where a member may begin */

/* A lane, and what it sees of the file. */
struct part {
    struct lane lane;
    struct intake view; /* not used in the only part */
    struct ahead *ahead;
    uint64_t start; /* in the file */
    struct part *next;
};

struct ahead {
    struct window window; /* not used for the only part */
    bool is_abreast;      /* there are several parts, or there may be */
    struct intake *intake;
    struct part *parts; /* in order of their start; the reader is in the first */
    size_t count;
    struct part *spare; /* to be used again */
    size_t extra;       /* all that were made but for the first */
    uint64_t searched;  /* for starts */
};

static size_t extra_of_all;

/* ---- parts ---- */

/* A lane for each core is enough, as a reader who has something to do takes one of them. */
static bool may_add_part(const struct ahead *a)
{
    return a->count < pool_size() && (a->spare || extra_of_all + 1 < pool_size());
}

static struct part *last_part(const struct ahead *a)
{
    struct part *part = a->parts;
    while (part->next)
        part = part->next;
    return part;
}

/* Copies what a lane reads from the window, which need not keep what all lanes have read. */
static enum flow read_window(struct intake *view, void *bytes, size_t capacity, size_t *n)
{
    struct part *part = (struct part *)((char *)view - offsetof(struct part, view));
    struct window *window = &part->ahead->window;
    pool_lock();
    uint64_t left = part->lane.is_closing ? 0 : window_loaded(window) - view->loaded;
    enum flow flow = left ? FLOW_OK : window->flow == FLOW_OK ? FLOW_DRY : window->flow;
    *n = left < capacity ? (size_t)left : capacity;
    if (*n)
        memcpy(bytes, window_byte(window, view->loaded), *n);
    view->loaded += *n;
    view->at_end = flow == FLOW_END;
    if (flow == FLOW_FAILED)
        view->failure = window->intake->failure;
    uint64_t lowest = UINT64_MAX;
    for (const struct part *any = part->ahead->parts; any; any = any->next)
        lowest = any->view.loaded < lowest ? any->view.loaded : lowest;
    window_pass(window, lowest);
    /* Once it was stopped, which lanes that still run do not know of, it may be gone with the reader. */
    if (!window->is_closing && window->flow == FLOW_OK && window->wants_more(window))
        pool_submit(&window->feeder);
    pool_unlock();
    return flow;
}

/* Has it see the file from `start` on. */
static void set_view(struct part *part, uint64_t start)
{
    struct intake *intake = part->ahead->intake, *view = &part->view;
    if (!view->buffer)
        view->buffer = mem_grow(NULL, &view->capacity, INTAKE_FIRST, 1);
    view->name = intake->name;
    view->read = read_window;
    view->is_file = intake->is_file;
    view->at_end = false;
    view->loaded = part->start = start;
    view->at = view->end = 0;
    part->lane.intake = view;
    unpack_restart(part->lane.unpack, view);
}

static struct part *part_new(struct ahead *a, struct unpack *unpack)
{
    struct part *part = mem_new(1, sizeof *part);
    part->ahead = a;
    lane_init(&part->lane, a->intake, unpack);
    return part;
}

static void free_parts(struct part *part)
{
    while (part) {
        struct part *next = part->next;
        lane_done(&part->lane);
        free(part->view.buffer);
        free(part);
        part = next;
    }
}

/* Behind the others. */
static void add_part(struct ahead *a, uint64_t start)
{
    struct part *part = a->spare, *last = last_part(a);
    if (part) {
        a->spare = part->next;
    } else {
        part = part_new(a, unpack_new(a->intake, FORMAT_GZIP));
        a->extra++;
        extra_of_all++;
    }
    set_view(part, start);
    part->lane.depth = AHEAD_CHUNKS_EXTRA;
    part->lane.task.is_for_later = true;
    part->next = NULL;
    last->next = part;
    a->count++;
    unpack_stop_at(last->lane.unpack, start);
    lane_go_on(&part->lane);
}

/* The lock is given up until it has stopped. */
static void remove_part(struct ahead *a, struct part **link)
{
    struct part *part = *link;
    *link = part->next;
    a->count--;
    lane_stop(&part->lane);
    lane_clear(&part->lane);
    part->next = a->spare;
    a->spare = part;
}

static void stop_at_next(struct part *part)
{
    unpack_stop_at(part->lane.unpack, part->next ? part->next->start : UNPACK_NEVER);
}

/* ---- what the feeder does ---- */

/* Removes one that began where nothing begins, as the lane before it has gone beyond that place. Else
 * what it has not read would have to be kept for as long as that lane's member goes on. */
static bool remove_passed(struct ahead *a)
{
    for (struct part *part = a->parts; part->next; part = part->next) {
        if (part->view.loaded <= part->next->start + INTAKE_ALL)
            continue;
        remove_part(a, &part->next);
        stop_at_next(part);
        return true;
    }
    return false;
}

/* Where a lane may begin, and none has come to yet. A member begins with its magic, the only method that
 * there is, and flags of which the highest three are zero (RFC 1952, 2.3). */
static bool find_start(struct ahead *a, uint64_t *start)
{
    const struct part *last = last_part(a);
    uint64_t least = last->start + AHEAD_SPACING, end = window_loaded(&a->window);
    least = least < last->view.loaded ? last->view.loaded : least;
    a->searched = a->searched < least ? least : a->searched;
    while (a->searched + HEAD <= end) {
        const uint8_t *from = window_byte(&a->window, a->searched);
        const uint8_t *at = memchr(from, 0x1f, (size_t)(end - a->searched) - (HEAD - 1));
        a->searched = at ? a->searched + (uint64_t)(at - from) : end - (HEAD - 1);
        *start = a->searched;
        if (at && format_of(at, HEAD) == FORMAT_GZIP && !(at[3] & 0xe0))
            return true;
        a->searched += at != NULL;
    }
    return false;
}

static void begin(struct window *window)
{
    struct ahead *a = (struct ahead *)window; /* its first member */
    uint64_t start;
    while (remove_passed(a))
        continue;
    while (may_add_part(a) && find_start(a, &start))
        add_part(a, start);
    for (struct part *part = a->parts; part; part = part->next)
        if (part->lane.flow == FLOW_DRY || part->lane.task.is_running)
            lane_go_on(&part->lane);
}

static bool wants_more(const struct window *window)
{
    const struct ahead *a = (const struct ahead *)window;
    uint64_t loaded = window_loaded(window), lowest = window->offset + window->at;
    if (loaded < a->parts->view.loaded + WINDOW_PIECE)
        return true;
    return loaded < lowest + AHEAD_WINDOW &&
           (may_add_part(a) || loaded < last_part(a)->view.loaded + WINDOW_PIECE);
}

/* ---- the reader ---- */

/* The lane that he is in has come to a member behind the one that it began with. */
static void go_abreast(struct ahead *a)
{
    window_init(&a->window, a->intake, begin, wants_more);
    set_view(a->parts, a->window.offset);
    a->is_abreast = true;
    a->parts->lane.flow = FLOW_OK;
    window_start(&a->window);
    lane_go_on(&a->parts->lane);
}

/* It has come to a member where, or behind where, another lane began. */
static void pass_on(struct ahead *a)
{
    struct part *first = a->parts;
    uint64_t at = intake_offset(&first->view);
    while (first->next && first->next->start < at)
        remove_part(a, &first->next);
    if (first->next && first->next->start == at) {
        remove_part(a, &a->parts);
        a->parts->lane.depth = AHEAD_CHUNKS;
        a->parts->lane.task.is_for_later = false;
        window_go_on(&a->window, false); /* there may be another now */
    } else {
        stop_at_next(first);
        first->lane.flow = FLOW_OK;
        lane_go_on(&first->lane);
    }
}

static void wait_for_chunk(struct ahead *a)
{
    struct lane *lane = &a->parts->lane;
    if (lane->task.is_queued || lane->task.is_running) {
        pool_wait();
        return;
    }
    if (lane->flow == FLOW_DRY && a->is_abreast) {
        window_wait(&a->window);
        return;
    }
    if (lane->flow == FLOW_DRY) {
        pool_unlock();
        intake_wait(a->intake);
        pool_lock();
    }
    lane_go_on(lane);
    pool_wait();
}

/* What is ahead is not needed any more. */
static void stop_from(struct ahead *a, struct part *part)
{
    if (a->is_abreast)
        window_stop(&a->window);
    for (; part; part = part->next)
        lane_stop(&part->lane);
}

static enum flow end(struct ahead *a)
{
    struct part *first = a->parts;
    stop_from(a, first->next);
    if (first->lane.flow == FLOW_FAILED)
        a->intake->failure = first->lane.intake->failure;
    return first->lane.flow;
}

enum flow ahead_next(struct ahead *a, struct chunk *chunk)
{
    enum flow flow = FLOW_OK;
    pool_lock();
    while (!lane_take(&a->parts->lane, chunk) && flow == FLOW_OK) {
        enum flow lane = a->parts->lane.flow;
        if (lane == FLOW_END || lane == FLOW_FAILED)
            flow = end(a);
        else if (lane != FLOW_UNIT)
            wait_for_chunk(a);
        else if (a->is_abreast)
            pass_on(a);
        else
            go_abreast(a);
    }
    /* Not for each chunk, as waking a thread costs about as much as decompressing some. */
    if (a->parts->lane.count <= AHEAD_CHUNKS / 2)
        lane_go_on(&a->parts->lane);
    pool_unlock();
    return flow;
}

struct ahead *ahead_new(struct intake *intake, struct unpack *unpack)
{
    struct ahead *a = mem_new(1, sizeof *a);
    a->intake = intake;
    a->parts = part_new(a, unpack);
    a->parts->lane.depth = AHEAD_CHUNKS;
    a->count = 1;
    if (unpack_format(unpack) == FORMAT_GZIP)
        unpack_stop_at(unpack, 1);
    intake->may_wait = false;
    pool_join();
    pool_lock();
    lane_go_on(&a->parts->lane);
    pool_unlock();
    return a;
}

void ahead_free(struct ahead *a)
{
    if (!a)
        return;
    pool_lock();
    stop_from(a, a->parts);
    extra_of_all -= a->extra;
    pool_unlock();
    pool_leave();
    free_parts(a->parts);
    free_parts(a->spare);
    window_done(&a->window);
    free(a);
}
