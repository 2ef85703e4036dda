/* The agenda: everything in the prober that has to happen at some time, in one wheel and behind one
 * timer of the loop. Entries live in the structs of those who are called, and cost nothing while
 * not set.
 *
 *     entry->fire = on_timeout; entry->context = echo;
 *     agenda_set(agenda, entry, (struct mono){now.ns + timeout_ns});
 *
 * It also notices when the loop stood still, be it that the process was stopped, starved, or held
 * up by one of our own callbacks: what was timed meanwhile is not the world's doing. */
#ifndef SOURCE_PROBE_AGENDA_H
#define SOURCE_PROBE_AGENDA_H

#include "source/probe/wheel.h"
#include "sys/loop.h"

struct agenda;

struct agenda_entry {
    struct wheel_entry at; /* first, which is how the agenda finds the rest */
    void (*fire)(void *context);
    void *context;
};

static inline bool agenda_has(const struct agenda_entry *entry)
{
    return wheel_has(&entry->at);
}

struct agenda *agenda_new(struct loop *loop);
void agenda_free(struct agenda *agenda); /* what is set will not fire */
struct loop *agenda_loop(const struct agenda *agenda);

/* Sets or moves an entry. It fires once, never from within this call, and those due in the same tick
 * of the wheel in the order they were set. */
void agenda_set(struct agenda *agenda, struct agenda_entry *entry, struct mono due);
/* At the end of the turn: after everything that is due already. */
void agenda_set_now(struct agenda *agenda, struct agenda_entry *entry);
void agenda_drop(struct agenda *agenda, struct agenda_entry *entry);

/* More than this is more than a busy machine does. */
#define AGENDA_STALL_NS (50 * NS_PER_MS)

/* Whether a time that was measured from `since` until now, without a kernel's stamp, is the answer's own: the loop
 * was not late meanwhile, or by less than AGENDA_HITCH_NS, or by less than a tenth of it. That much nobody
 * takes for a rise of the delay (core/detect/series.c, RTT_RISE_NS). */
#define AGENDA_HITCH_NS (5 * NS_PER_MS / 2)
bool agenda_vouches(struct agenda *agenda, struct mono since, int64_t elapsed_ns);

#endif
