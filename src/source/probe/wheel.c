#include "source/probe/wheel.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

/* Level 0 has a slot for each tick that differs from the current one in its lowest byte only, level 1
 * one for each 256 ticks that differ in the next byte, and so on: an entry is at the level of the
 * highest byte in which its tick differs. When the current tick comes to a slot of a higher level,
 * its entries find their places anew, lower down. All entries of one tick are therefore in one slot
 * at any time, and keep their order. */
enum { SLOT_BITS = 8, SLOTS = 1 << SLOT_BITS, LEVELS = 6, WORD_BITS = 64 };
_Static_assert(SLOT_BITS *LEVELS + WHEEL_TICK_SHIFT >= 63, "every time has its place");

struct wheel {
    uint64_t current; /* tick */
    struct wheel_link ready;
    struct wheel_link slots[LEVELS][SLOTS];
    uint64_t filled[LEVELS][SLOTS / WORD_BITS]; /* a bit for each slot that is not empty */
};

static void make_empty(struct wheel_link *ring)
{
    ring->next = ring->before = ring;
}

struct wheel *wheel_new(struct mono now)
{
    struct wheel *wheel = mem_new(1, sizeof *wheel);
    wheel->current = (uint64_t)now.ns >> WHEEL_TICK_SHIFT;
    make_empty(&wheel->ready);
    for (int level = 0; level < LEVELS; level++)
        for (int slot = 0; slot < SLOTS; slot++)
            make_empty(&wheel->slots[level][slot]);
    return wheel;
}

static void unset_all(struct wheel_link *ring)
{
    struct wheel_link *next;
    for (struct wheel_link *at = ring->next; at != ring; at = next) {
        next = at->next;
        *at = (struct wheel_link){0};
    }
}

void wheel_free(struct wheel *wheel)
{
    if (!wheel)
        return;
    unset_all(&wheel->ready);
    for (int level = 0; level < LEVELS; level++)
        for (int slot = 0; slot < SLOTS; slot++)
            unset_all(&wheel->slots[level][slot]);
    free(wheel);
}

static void append(struct wheel_link *ring, struct wheel_link *link)
{
    link->next = ring;
    link->before = ring->before;
    ring->before->next = link;
    ring->before = link;
}

static void put(struct wheel *wheel, struct wheel_entry *entry)
{
    uint64_t tick = ((uint64_t)entry->due.ns + WHEEL_TICK_NS - 1) >> WHEEL_TICK_SHIFT;
    if (entry->due.ns <= 0 || tick <= wheel->current) {
        append(&wheel->ready, &entry->link);
        return;
    }
    unsigned level = (63 - (unsigned)__builtin_clzll(tick ^ wheel->current)) / SLOT_BITS;
    unsigned slot = (unsigned)(tick >> level * SLOT_BITS) % SLOTS;
    append(&wheel->slots[level][slot], &entry->link);
    wheel->filled[level][slot / WORD_BITS] |= UINT64_C(1) << slot % WORD_BITS;
}

void wheel_add(struct wheel *wheel, struct wheel_entry *entry, struct mono due)
{
    assert(!wheel_has(entry));
    entry->due = due;
    put(wheel, entry);
}

void wheel_remove(struct wheel *wheel, struct wheel_entry *entry)
{
    struct wheel_link *next = entry->link.next, *before = entry->link.before;
    next->before = before;
    before->next = next;
    entry->link = (struct wheel_link){0};
    if (next != before || next == &wheel->ready)
        return;
    unsigned slot = (unsigned)(next - &wheel->slots[0][0]); /* it was the last one there */
    wheel->filled[slot / SLOTS][slot % SLOTS / WORD_BITS] &= ~(UINT64_C(1) << slot % WORD_BITS);
}

/* The first slot behind `slot` that is filled; SLOTS if there is none. */
static unsigned filled_behind(const uint64_t *filled, unsigned slot)
{
    slot++;
    for (unsigned word = slot / WORD_BITS; word < SLOTS / WORD_BITS; word++) {
        uint64_t bits = filled[word];
        if (word == slot / WORD_BITS)
            bits &= ~UINT64_C(0) << slot % WORD_BITS;
        if (bits)
            return word * WORD_BITS + (unsigned)__builtin_ctzll(bits);
    }
    return SLOTS;
}

/* The next slot that the current tick will come to, and when: all of a level lies before what is at
 * a higher one. NULL if all are empty. */
static const struct wheel_link *next_slot(const struct wheel *wheel, uint64_t *tick)
{
    for (unsigned level = 0; level < LEVELS; level++) {
        uint64_t at = wheel->current >> level * SLOT_BITS;
        unsigned slot = filled_behind(wheel->filled[level], (unsigned)(at % SLOTS));
        if (slot < SLOTS) {
            *tick = (at - at % SLOTS + slot) << level * SLOT_BITS;
            return &wheel->slots[level][slot];
        }
    }
    return NULL;
}

void wheel_advance(struct wheel *wheel, struct mono now)
{
    uint64_t until = (uint64_t)now.ns >> WHEEL_TICK_SHIFT, tick;
    const struct wheel_link *slot;
    while ((slot = next_slot(wheel, &tick)) && tick <= until) {
        wheel->current = tick;
        while (slot->next != slot) {
            struct wheel_entry *entry = (struct wheel_entry *)slot->next;
            wheel_remove(wheel, entry);
            put(wheel, entry);
        }
    }
    if (until > wheel->current)
        wheel->current = until;
}

struct wheel_entry *wheel_take(struct wheel *wheel)
{
    struct wheel_entry *entry = (struct wheel_entry *)wheel->ready.next;
    if (&entry->link == &wheel->ready)
        return NULL;
    wheel_remove(wheel, entry);
    return entry;
}

struct mono wheel_next(const struct wheel *wheel)
{
    uint64_t tick;
    if (wheel->ready.next != &wheel->ready)
        return (struct mono){0};
    if (!next_slot(wheel, &tick))
        return (struct mono){INT64_MAX};
    return (struct mono){(int64_t)(tick << WHEEL_TICK_SHIFT)};
}
