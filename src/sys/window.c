#include "sys/window.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void make_room(struct window *w, size_t size)
{
    if (w->at > w->end / 2) {
        w->end -= w->at;
        memmove(w->bytes, w->bytes + w->at, w->end);
        w->offset += w->at;
        w->at = 0;
    }
    w->bytes = mem_grow(w->bytes, &w->capacity, w->end + size, 1);
}

static void feed(struct task *task, void **scratch)
{
    struct window *w = (struct window *)task; /* its first member */
    (void)scratch;
    pool_lock();
    for (;;) {
        w->begin(w);
        if (w->is_closing || w->flow != FLOW_OK || !w->wants_more(w))
            break;
        make_room(w, WINDOW_PIECE);
        uint8_t *room = w->bytes + w->end;
        size_t n = 0;
        pool_unlock();
        enum flow flow = intake_read(w->intake, room, WINDOW_PIECE, &n);
        pool_lock();
        w->end += n;
        w->flow = flow;
        pool_tell();
    }
    pool_unlock();
}

void window_init(struct window *w, struct intake *intake, void (*begin)(struct window *),
                 bool (*wants_more)(const struct window *))
{
    size_t n = intake_left(intake);
    *w = (struct window){.feeder.run = feed,
                         .intake = intake,
                         .begin = begin,
                         .wants_more = wants_more,
                         .offset = intake_offset(intake)};
    make_room(w, n);
    memcpy(w->bytes, intake->buffer + intake->at, n);
    w->end = n;
    intake->at = intake->end;
}

void window_done(struct window *w)
{
    free(w->bytes);
}

void window_start(struct window *w)
{
    w->is_ahead = true;
    w->intake->may_wait = false;
    pool_submit(&w->feeder);
}

void window_stop(struct window *w)
{
    w->is_closing = true;
    pool_withdraw(&w->feeder);
}

void window_go_on(struct window *w, bool may_wait)
{
    if (w->flow == FLOW_DRY) {
        if (may_wait) {
            pool_unlock();
            intake_wait(w->intake);
            pool_lock();
        }
        w->flow = FLOW_OK;
    }
    if (w->is_ahead) {
        pool_submit(&w->feeder);
    } else if (may_wait) {
        pool_unlock();
        feed(&w->feeder, NULL);
        pool_lock();
    }
}

void window_wait(struct window *w)
{
    window_go_on(w, true);
    if (w->is_ahead)
        pool_wait();
}

void window_pass(struct window *w, uint64_t offset)
{
    w->at = (size_t)(offset - w->offset);
}
