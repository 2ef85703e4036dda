#include "source/probe/agenda.h"

#include "base/mem.h"
#include "sys/clock.h"

#include <stdlib.h>

/* The loop gives a sign of life this often. */
#define BEAT_NS (25 * NS_PER_MS)
/* How late it was is kept in steps of twice as much, up to a second. */
enum { HITCHES = 9 };

struct agenda {
    struct loop *loop;
    struct wheel *wheel;
    struct loop_timer *timer;
    struct mono set_to; /* when the timer comes; INT64_MAX: not at all */
    struct loop_timer *heart;
    struct mono beat; /* the last sign of life */
    struct mono
        hitched[HITCHES]; /* when it was last late by AGENDA_HITCH_NS, twice that, ...; 0: never */
    bool is_firing;
};

static int64_t hitch_ns(size_t step)
{
    return AGENDA_HITCH_NS << step;
}

static void notice_hitch(struct agenda *agenda, struct mono now, int64_t late_ns)
{
    for (size_t i = 0; i < HITCHES && late_ns >= hitch_ns(i); i++)
        agenda->hitched[i] = now;
}

static void notice_beat(struct agenda *agenda)
{
    struct mono now = clock_mono();
    notice_hitch(agenda, now, mono_diff(now, agenda->beat) - BEAT_NS);
}

bool agenda_vouches(struct agenda *agenda, struct mono since, int64_t elapsed_ns)
{
    notice_beat(agenda);
    for (size_t i = 0; i < HITCHES; i++)
        if (agenda->hitched[i].ns && mono_diff(agenda->hitched[i], since) >= 0 &&
            hitch_ns(i) * 10 > elapsed_ns)
            return false;
    return true;
}

static void on_beat(void *context)
{
    struct agenda *agenda = context;
    notice_beat(agenda);
    agenda->beat = clock_mono();
}

/* The timer may come for nothing, since what it was set for was dropped, and then sets itself right. */
static void set_timer(struct agenda *agenda)
{
    struct mono next = wheel_next(agenda->wheel);
    if (agenda->is_firing || next.ns >= agenda->set_to.ns)
        return;
    agenda->set_to = next;
    loop_timer_start(agenda->timer, mono_diff(next, clock_mono()), 0);
}

static void on_timer(void *context)
{
    struct agenda *agenda = context;
    struct wheel_entry *due;
    struct mono start = clock_mono();
    notice_hitch(agenda, start, mono_diff(start, agenda->set_to));
    agenda->is_firing = true;
    wheel_advance(agenda->wheel, loop_now(agenda->loop));
    while ((due = wheel_take(agenda->wheel))) {
        struct agenda_entry *entry = (struct agenda_entry *)due;
        entry->fire(entry->context);
    }
    agenda->is_firing = false;
    struct mono end = clock_mono(); /* what came meanwhile has waited */
    notice_hitch(agenda, end, mono_diff(end, start));
    agenda->set_to.ns = INT64_MAX;
    set_timer(agenda);
}

void agenda_set(struct agenda *agenda, struct agenda_entry *entry, struct mono due)
{
    agenda_drop(agenda, entry);
    wheel_add(agenda->wheel, &entry->at, due);
    set_timer(agenda);
}

void agenda_set_now(struct agenda *agenda, struct agenda_entry *entry)
{
    agenda_set(agenda, entry, (struct mono){0});
}

void agenda_drop(struct agenda *agenda, struct agenda_entry *entry)
{
    if (agenda_has(entry))
        wheel_remove(agenda->wheel, &entry->at);
}

struct agenda *agenda_new(struct loop *loop)
{
    struct agenda *agenda = mem_new(1, sizeof *agenda);
    agenda->loop = loop;
    agenda->wheel = wheel_new(clock_mono());
    agenda->timer = loop_timer_new(loop, on_timer, agenda);
    agenda->set_to.ns = INT64_MAX;
    agenda->heart = loop_timer_new(loop, on_beat, agenda);
    agenda->beat = clock_mono();
    loop_timer_start(agenda->heart, BEAT_NS, BEAT_NS);
    return agenda;
}

void agenda_free(struct agenda *agenda)
{
    if (!agenda)
        return;
    loop_timer_free(agenda->timer);
    loop_timer_free(agenda->heart);
    wheel_free(agenda->wheel);
    free(agenda);
}

struct loop *agenda_loop(const struct agenda *agenda)
{
    return agenda->loop;
}
