#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"
#include "source/probe/wheel.h"

#include <stdbool.h>
#include <string.h>

static const struct mono begin = {INT64_C(1234567) * NS_PER_S + 890};

static struct mono later(int64_t ns)
{
    return (struct mono){begin.ns + ns};
}

static int64_t tick_of(struct mono due)
{
    return (due.ns + WHEEL_TICK_NS - 1) / WHEEL_TICK_NS;
}

static void nothing_comes_before_it_is_due(void **state)
{
    (void)state;
    static const int64_t spans_ns[] = {1,
                                       WHEEL_TICK_NS - 1,
                                       WHEEL_TICK_NS,
                                       WHEEL_TICK_NS + 1,
                                       255 * WHEEL_TICK_NS,
                                       NS_PER_S,
                                       256 * WHEEL_TICK_NS,
                                       10 * NS_PER_S,
                                       NS_PER_HOUR,
                                       65536 * WHEEL_TICK_NS,
                                       NS_PER_DAY,
                                       1000 * NS_PER_DAY,
                                       20000 * NS_PER_DAY};
    for (size_t i = 0; i < sizeof spans_ns / sizeof *spans_ns; i++) {
        struct wheel *wheel = wheel_new(begin);
        struct wheel_entry entry = {0};
        wheel_add(wheel, &entry, later(spans_ns[i]));
        wheel_advance(wheel, later(spans_ns[i] - 1));
        assert_null(wheel_take(wheel));
        assert_true(wheel_has(&entry));
        wheel_advance(wheel, later(spans_ns[i] + WHEEL_TICK_NS));
        assert_ptr_equal(wheel_take(wheel), &entry);
        assert_false(wheel_has(&entry));
        assert_null(wheel_take(wheel));
        wheel_free(wheel);
    }
}

/* Whoever advances it when it asks to be, meets every entry in its tick. */
static void it_says_when_to_look_again(void **state)
{
    (void)state;
    struct wheel *wheel = wheel_new(begin);
    struct wheel_entry entry = {0};
    struct mono due = later(90 * NS_PER_S + 12345), at = begin;
    int looks = 0;
    assert_true(wheel_next(wheel).ns == INT64_MAX);
    wheel_add(wheel, &entry, due);
    while (!wheel_take(wheel)) {
        at = wheel_next(wheel);
        assert_true(at.ns > begin.ns && at.ns < due.ns + WHEEL_TICK_NS);
        wheel_advance(wheel, at);
        assert_true(++looks <= 6);
    }
    assert_true(at.ns >= due.ns);
    wheel_add(wheel, &entry, begin); /* due already */
    assert_true(wheel_next(wheel).ns == 0);
    wheel_remove(wheel, &entry);
    assert_true(wheel_next(wheel).ns == INT64_MAX);
    wheel_free(wheel);
}

static void what_is_set_is_forgotten_with_the_wheel(void **state)
{
    (void)state;
    struct wheel *wheel = wheel_new(begin);
    struct wheel_entry entries[3] = {0};
    wheel_add(wheel, &entries[0], begin);
    wheel_add(wheel, &entries[1], later(NS_PER_S));
    wheel_add(wheel, &entries[2], later(NS_PER_S));
    wheel_free(wheel);
    for (int i = 0; i < 3; i++)
        assert_false(wheel_has(&entries[i]));
    wheel_free(NULL);
}

/* ---- against a plain list ---- */

enum { ENTRIES = 300, STEPS = 20000 };

struct listed {
    struct wheel_entry entry;
    uint64_t order; /* in which they were set */
    bool is_set;
};

static struct listed list[ENTRIES];
static uint64_t drawn;

static uint64_t draw(uint64_t below)
{
    return hash_mix(++drawn * UINT64_C(0x9e3779b97f4a7c15)) % below;
}

/* The one that must come next: by tick, those that were due when they were set by the order of that. */
static struct listed *expected(int64_t now_tick)
{
    struct listed *first = NULL;
    for (int i = 0; i < ENTRIES; i++) {
        struct listed *at = &list[i];
        int64_t tick = tick_of(at->entry.due);
        if (!at->is_set || tick > now_tick)
            continue;
        int64_t least = first ? tick_of(first->entry.due) : 0;
        if (!first || tick < least || (tick == least && at->order < first->order))
            first = at;
    }
    return first;
}

static void take_all(struct wheel *wheel, struct mono now)
{
    struct wheel_entry *taken;
    wheel_advance(wheel, now);
    for (;;) {
        struct listed *next = expected(now.ns / WHEEL_TICK_NS);
        taken = wheel_take(wheel);
        assert_ptr_equal(taken, next ? &next->entry : NULL);
        if (!next)
            return;
        next->is_set = false;
    }
}

static void it_agrees_with_a_sorted_list(void **state)
{
    (void)state;
    static const int64_t spans_ns[] = {5 * NS_PER_MS, NS_PER_S, 20 * NS_PER_S, 3 * NS_PER_MINUTE,
                                       NS_PER_DAY};
    struct wheel *wheel = wheel_new(begin);
    struct mono now = begin;
    memset(list, 0, sizeof list);
    for (uint64_t step = 1; step <= STEPS; step++) {
        struct listed *at = &list[draw(ENTRIES)];
        if (at->is_set)
            wheel_remove(wheel, &at->entry);
        at->is_set = draw(4) > 0;
        if (at->is_set) {
            int64_t span_ns = (int64_t)draw((uint64_t)spans_ns[draw(5)]);
            wheel_add(wheel, &at->entry, (struct mono){now.ns + WHEEL_TICK_NS + span_ns});
            at->order = step;
        }
        now.ns += (int64_t)draw((uint64_t)(draw(50) ? 3 * NS_PER_MS : 2 * NS_PER_MINUTE));
        take_all(wheel, now);
    }
    wheel_free(wheel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_comes_before_it_is_due),
        cmocka_unit_test(it_says_when_to_look_again),
        cmocka_unit_test(what_is_set_is_forgotten_with_the_wheel),
        cmocka_unit_test(it_agrees_with_a_sorted_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
