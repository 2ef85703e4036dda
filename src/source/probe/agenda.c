#include "source/probe/agenda.h"

#include "base/mem.h"
#include "sys/clock.h"

#include <assert.h>
#include <stdlib.h>

/* The loop gives a sign of life this often; the bound on stalls is beyond it. */
#define BEAT_NS (25 * NS_PER_MS)

struct agenda {
    struct loop *loop;
    struct loop_timer *timer;
    struct loop_timer *heart;
    struct mono beat;           /* the last sign of life */
    struct mono stalled;        /* when a stall was last noticed; 0: never */
    struct agenda_entry **heap; /* [0] is the next; a parent is never due after its children */
    size_t count, capacity;
    uint64_t order;
    bool is_firing;
};

static void notice_stall(struct agenda *agenda)
{
    struct mono now = clock_mono();
    if (mono_diff(now, agenda->beat) > BEAT_NS + AGENDA_STALL_NS)
        agenda->stalled = now;
}

static void on_beat(void *context)
{
    struct agenda *agenda = context;
    notice_stall(agenda);
    agenda->beat = clock_mono();
}

bool agenda_stalled_since(struct agenda *agenda, struct mono since)
{
    notice_stall(agenda);
    return agenda->stalled.ns && mono_diff(agenda->stalled, since) >= 0;
}

static bool is_before(const struct agenda_entry *a, const struct agenda_entry *b)
{
    return a->due.ns != b->due.ns ? a->due.ns < b->due.ns : a->order < b->order;
}

static void put(struct agenda *agenda, size_t at, struct agenda_entry *entry)
{
    agenda->heap[at] = entry;
    entry->place = at + 1;
}

static void sift_up(struct agenda *agenda, size_t at)
{
    struct agenda_entry *entry = agenda->heap[at];
    while (at && is_before(entry, agenda->heap[(at - 1) / 2])) {
        put(agenda, at, agenda->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(agenda, at, entry);
}

static void sift_down(struct agenda *agenda, size_t at)
{
    struct agenda_entry *entry = agenda->heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= agenda->count)
            break;
        if (child + 1 < agenda->count && is_before(agenda->heap[child + 1], agenda->heap[child]))
            child++;
        if (!is_before(agenda->heap[child], entry))
            break;
        put(agenda, at, agenda->heap[child]);
        at = child;
    }
    put(agenda, at, entry);
}

static void take_out(struct agenda *agenda, struct agenda_entry *entry)
{
    size_t at = entry->place - 1;
    assert(at < agenda->count && agenda->heap[at] == entry);
    entry->place = 0;
    struct agenda_entry *last = agenda->heap[--agenda->count];
    if (last == entry)
        return;
    put(agenda, at, last);
    sift_up(agenda, at);
    sift_down(agenda, last->place - 1);
}

static void set_timer(struct agenda *agenda)
{
    if (agenda->is_firing)
        return;
    if (agenda->count)
        loop_timer_start(agenda->timer, mono_diff(agenda->heap[0]->due, clock_mono()), 0);
    else
        loop_timer_stop(agenda->timer);
}

static void on_timer(void *context)
{
    struct agenda *agenda = context;
    struct mono now = loop_now(agenda->loop);
    agenda->is_firing = true;
    while (agenda->count && mono_diff(agenda->heap[0]->due, now) <= 0) {
        struct agenda_entry *entry = agenda->heap[0];
        take_out(agenda, entry);
        entry->fire(entry->context);
    }
    agenda->is_firing = false;
    set_timer(agenda);
}

void agenda_set(struct agenda *agenda, struct agenda_entry *entry, struct mono due)
{
    if (entry->place)
        take_out(agenda, entry);
    entry->due = due;
    entry->order = agenda->order++;
    agenda->heap =
        mem_grow(agenda->heap, &agenda->capacity, agenda->count + 1, sizeof *agenda->heap);
    agenda->heap[agenda->count] = entry;
    sift_up(agenda, agenda->count++);
    if (agenda->heap[0] == entry)
        set_timer(agenda);
}

void agenda_set_now(struct agenda *agenda, struct agenda_entry *entry)
{
    agenda_set(agenda, entry, loop_now(agenda->loop));
}

void agenda_drop(struct agenda *agenda, struct agenda_entry *entry)
{
    if (entry->place) /* the timer may come for nothing, and then sets itself right */
        take_out(agenda, entry);
}

struct agenda *agenda_new(struct loop *loop)
{
    struct agenda *agenda = mem_new(1, sizeof *agenda);
    agenda->loop = loop;
    agenda->timer = loop_timer_new(loop, on_timer, agenda);
    agenda->heart = loop_timer_new(loop, on_beat, agenda);
    agenda->beat = clock_mono();
    loop_timer_start(agenda->heart, BEAT_NS, BEAT_NS);
    return agenda;
}

void agenda_free(struct agenda *agenda)
{
    if (!agenda)
        return;
    for (size_t i = 0; i < agenda->count; i++)
        agenda->heap[i]->place = 0;
    loop_timer_free(agenda->timer);
    loop_timer_free(agenda->heart);
    free(agenda->heap);
    free(agenda);
}

struct loop *agenda_loop(const struct agenda *agenda)
{
    return agenda->loop;
}
