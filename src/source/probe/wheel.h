/* A timing wheel: when what is due, for hundreds of thousands of entries that are set and dropped all
 * the time, at the same small cost however many there are (Varghese and Lauck, "Hashed and
 * Hierarchical Timing Wheels", SOSP 1987, scheme 7). It has no clock: whoever owns it tells the time.
 *
 * Time is counted in ticks of WHEEL_TICK_NS, rounded up: nothing comes before it is due. What is due
 * in the same tick comes in the order in which it was set. */
#ifndef SOURCE_PROBE_WHEEL_H
#define SOURCE_PROBE_WHEEL_H

#include "base/utc.h"

/* About a millisecond, which is what the loop's timers have, and a shift. */
enum { WHEEL_TICK_SHIFT = 20 };
#define WHEEL_TICK_NS (INT64_C(1) << WHEEL_TICK_SHIFT)

struct wheel_link {
    struct wheel_link *next, *before; /* in a ring with its slot; NULL: not set */
};

struct wheel_entry {
    struct wheel_link link;
    struct mono due;
};

struct wheel *wheel_new(struct mono now);
void wheel_free(struct wheel *wheel); /* what is set is not any more */

static inline bool wheel_has(const struct wheel_entry *entry)
{
    return entry->link.next != NULL;
}

/* Sets an entry that is not set. What is due already comes after all that was due before. */
void wheel_add(struct wheel *wheel, struct wheel_entry *entry, struct mono due);
void wheel_remove(struct wheel *wheel, struct wheel_entry *entry);

/* From now on what is due at `now` is ready. Time never goes back. */
void wheel_advance(struct wheel *wheel, struct mono now);
/* Takes out the next that is ready; NULL if there is none. */
struct wheel_entry *wheel_take(struct wheel *wheel);

/* When to advance it next: not after the next entry is due, but perhaps before, as the wheel has work
 * of its own. 0 if something is ready, INT64_MAX if nothing is set. */
struct mono wheel_next(const struct wheel *wheel);

#endif
