/* source/probe: what is worth asking out of turn, and how much of it is allowed; and who is near whom. In virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "source/probe/follow_up.h"
#include "source/probe/neighbours.h"

static const enum outcome_class GOOD = OUTCOME_CLASS_GOOD, BAD = OUTCOME_CLASS_BAD,
                                OURS = OUTCOME_CLASS_OURS;

/* ---- when ---- */

/* The pauses of a whole sequence, in seconds; 0 after the last. */
static void expect_pauses(struct follow *follow, int64_t step_ns, const int *seconds)
{
    for (; *seconds; seconds++) {
        assert_int_equal(follow_pause_ns(follow, step_ns), *seconds * NS_PER_S);
        follow->step++;
    }
    assert_int_equal(follow_pause_ns(follow, step_ns), 0);
}

static void dark_target_is_asked_ever_more_rarely(void **state)
{
    (void)state;
    struct follow follow = {0};
    assert_int_equal(follow_answered(&follow, GOOD), 0);
    assert_int_equal(follow_answered(&follow, BAD), FOLLOW_AGAIN | FOLLOW_OTHERS);
    assert_false(follow.wants_trace);
    assert_int_equal(follow_answered(&follow, BAD), FOLLOW_OTHERS);
    assert_true(follow.is_dark && follow.wants_trace);
    assert_int_equal(follow_answered(&follow, BAD), 0);
    expect_pauses(&follow, NS_PER_MINUTE,
                  (const int[]){2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 4, 8, 16, 32, 0});
}

static void short_interval_is_quick_enough(void **state)
{
    (void)state;
    struct follow follow = {0};
    follow_answered(&follow, GOOD);
    follow_answered(&follow, BAD);
    struct follow same = follow;
    expect_pauses(&follow, NS_PER_S, (const int[]){0});
    expect_pauses(&same, 5 * NS_PER_S, (const int[]){2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 4, 0});
}

static void longest_interval_has_an_end(void **state)
{
    (void)state;
    struct follow follow = {0};
    follow_answered(&follow, GOOD);
    follow_answered(&follow, BAD);
    int64_t sum_ns = 0, pause_ns;
    unsigned n = 0;
    for (; (pause_ns = follow_pause_ns(&follow, NS_PER_DAY)) > 0; n++, follow.step++)
        sum_ns += pause_ns;
    assert_int_equal(n, FOLLOW_QUICK + 15); /* 2^16 s are less than a day */
    assert_true(sum_ns < 2 * NS_PER_DAY);
}

static void return_is_watched_for_some_steps(void **state)
{
    (void)state;
    struct follow follow = {0};
    follow_answered(&follow, GOOD);
    follow_answered(&follow, BAD);
    follow_answered(&follow, BAD);
    follow.wants_trace = false; /* was made */
    follow.step = 6;
    assert_int_equal(follow_answered(&follow, GOOD), FOLLOW_AGAIN | FOLLOW_OTHERS);
    assert_true(follow.is_dark && !follow.wants_trace);
    assert_int_equal(follow_answered(&follow, GOOD), FOLLOW_OTHERS);
    assert_true(!follow.is_dark && follow.wants_trace);
    expect_pauses(&follow, NS_PER_HOUR, (const int[]){2, 2, 2, 2, 0});
}

static void one_lost_answer_is_let_go(void **state)
{
    (void)state;
    struct follow follow = {0};
    follow_answered(&follow, GOOD);
    follow_answered(&follow, BAD);
    assert_int_equal(follow_answered(&follow, GOOD), FOLLOW_STOP);
    assert_int_equal(follow_answered(&follow, GOOD), 0);
    assert_false(follow.is_dark || follow.wants_trace);
}

static void what_never_answered_is_not_followed(void **state)
{
    (void)state;
    struct follow follow = {0};
    for (int i = 0; i < 5; i++)
        assert_int_equal(follow_answered(&follow, BAD), 0);
    assert_int_equal(follow_answered(&follow, GOOD), 0);
}

static void our_own_failures_say_nothing(void **state)
{
    (void)state;
    struct follow follow = {0};
    follow_answered(&follow, GOOD);
    assert_int_equal(follow_answered(&follow, OURS), 0);
    assert_int_equal(follow_answered(&follow, BAD), FOLLOW_AGAIN | FOLLOW_OTHERS);
    assert_int_equal(follow_answered(&follow, OURS), 0);
    assert_true(follow.is_bad && !follow.is_dark);
    assert_int_equal(follow_answered(&follow, OUTCOME_CLASS_PARTIAL), FOLLOW_STOP);
}

/* ---- how much ---- */

static const struct follow_allowance a_minute = {NS_PER_MINUTE, FOLLOW_BURST};

/* How many questions of a cost are allowed at a time; each is spent. */
static unsigned spend_all(struct follow_budget *budget, struct follow *follows, size_t count,
                          unsigned cost, enum follow_need need, struct mono now)
{
    unsigned n = 0;
    for (size_t i = 0; i < count; i++)
        while (follow_may(budget, &follows[i], &a_minute, cost, need, now)) {
            follow_spend(budget, &follows[i], &a_minute, cost, now);
            n++;
        }
    return n;
}

static void target_has_a_burst_and_one_an_interval(void **state)
{
    (void)state;
    struct follow_budget budget = {.rate = 1000};
    struct follow follow = {0};
    struct mono now = {NS_PER_HOUR};
    assert_int_equal(spend_all(&budget, &follow, 1, 1, FOLLOW_FIRST, now), FOLLOW_BURST);
    now.ns += NS_PER_MINUTE / 2;
    assert_int_equal(spend_all(&budget, &follow, 1, 1, FOLLOW_FIRST, now), 0);
    now.ns += NS_PER_MINUTE / 2;
    assert_int_equal(spend_all(&budget, &follow, 1, 1, FOLLOW_FIRST, now), 1);
    now.ns += NS_PER_DAY;
    assert_int_equal(spend_all(&budget, &follow, 1, 1, FOLLOW_FIRST, now), FOLLOW_BURST);
}

/* A thousand that are lost at once get what there is, and no more, however long that lasts. */
static void a_thousand_share_one_budget(void **state)
{
    (void)state;
    enum { TARGETS = 1000, RATE = 20, SECONDS = 60 };
    static struct follow follows[TARGETS];
    struct follow_budget budget = {.rate = RATE};
    struct mono now = {NS_PER_HOUR};
    unsigned first = spend_all(&budget, follows, TARGETS, 1, FOLLOW_FIRST, now), later = 0;
    assert_int_equal(first, RATE * FOLLOW_BURST_S);
    for (int second = 0; second < SECONDS; second++) {
        now.ns += NS_PER_S;
        later += spend_all(&budget, follows, TARGETS, 1, FOLLOW_FIRST, now);
    }
    assert_int_equal(later, RATE * SECONDS);
}

static void half_of_an_allowance_is_kept_for_oneself(void **state)
{
    (void)state;
    static const enum follow_need needs[] = {FOLLOW_MORE, FOLLOW_FIRST};
    struct follow_budget budget = {.rate = 1000};
    struct follow follow = {0};
    struct mono now = {NS_PER_HOUR};
    for (int i = 0; i < 2; i++) {
        struct follow_allowance allowance = follow_allowance_of(NS_PER_MINUTE, needs[i]);
        int n = 0;
        for (; follow_may(&budget, &follow, &allowance, 1, needs[i], now); n++)
            follow_spend(&budget, &follow, &allowance, 1, now);
        assert_int_equal(n, FOLLOW_BURST / 2);
    }
}

static void half_is_kept_for_the_targets_themselves(void **state)
{
    (void)state;
    enum { TARGETS = 100 };
    static struct follow follows[TARGETS];
    struct follow_budget budget = {.rate = 40};
    struct mono now = {NS_PER_HOUR};
    assert_int_equal(spend_all(&budget, follows, TARGETS, FOLLOW_HEAVY_COST, FOLLOW_MORE, now),
                     40 * FOLLOW_BURST_S / 2 / FOLLOW_HEAVY_COST);
    assert_int_equal(spend_all(&budget, follows, TARGETS, 1, FOLLOW_FIRST, now),
                     40 * FOLLOW_BURST_S / 2);
}

static void lowest_rate_has_room_for_a_trace_to_and_fro(void **state)
{
    (void)state;
    struct follow_budget budget = {.rate = 1};
    struct follow trace = {0};
    struct follow_allowance allowance = follow_allowance_of_traces();
    struct mono now = {NS_PER_HOUR};
    for (int i = 0; i < 2; i++) {
        assert_true(follow_may(&budget, &trace, &allowance, FOLLOW_HEAVY_COST, FOLLOW_MORE, now));
        follow_spend(&budget, &trace, &allowance, FOLLOW_HEAVY_COST, now);
    }
    assert_false(follow_may(&budget, &trace, &allowance, FOLLOW_HEAVY_COST, FOLLOW_MORE, now));
}

static void without_a_rate_nothing_is_allowed(void **state)
{
    (void)state;
    struct follow_budget budget = {0};
    struct follow follow = {0};
    assert_false(follow_may(&budget, &follow, &a_minute, 1, FOLLOW_FIRST, (struct mono){1}));
}

/* ---- neighbours ---- */

static void neighbours_are_those_of_a_place(void **state)
{
    (void)state;
    enum { PLACES = 100, OF_EACH = 7 };
    static struct neighbour entries[PLACES * OF_EACH];
    struct neighbours all = {0};
    assert_null(neighbours_first(&all, 5));
    for (size_t i = 0; i < PLACES * OF_EACH; i++)
        neighbours_add(&all, &entries[i], i % PLACES);
    for (size_t i = 0; i < PLACES; i++)
        neighbours_remove(&all, &entries[i]); /* one of each place */
    neighbours_remove(&all, &entries[3]);     /* is not listed any more */
    neighbours_remove(&all, &entries[PLACES + 3]);
    for (uint64_t place = 0; place < PLACES; place++) {
        size_t n = 0;
        for (struct neighbour *at = neighbours_first(&all, place); at; at = neighbours_next(at))
            n += at->place == place;
        assert_int_equal(n, OF_EACH - 1 - (place == 3));
    }
    assert_null(neighbours_first(&all, PLACES));
    neighbours_add(&all, &entries[3], PLACES);
    assert_ptr_equal(neighbours_first(&all, PLACES), &entries[3]);
    neighbours_done(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dark_target_is_asked_ever_more_rarely),
        cmocka_unit_test(short_interval_is_quick_enough),
        cmocka_unit_test(longest_interval_has_an_end),
        cmocka_unit_test(return_is_watched_for_some_steps),
        cmocka_unit_test(one_lost_answer_is_let_go),
        cmocka_unit_test(what_never_answered_is_not_followed),
        cmocka_unit_test(our_own_failures_say_nothing),
        cmocka_unit_test(target_has_a_burst_and_one_an_interval),
        cmocka_unit_test(a_thousand_share_one_budget),
        cmocka_unit_test(half_of_an_allowance_is_kept_for_oneself),
        cmocka_unit_test(half_is_kept_for_the_targets_themselves),
        cmocka_unit_test(lowest_rate_has_room_for_a_trace_to_and_fro),
        cmocka_unit_test(without_a_rate_nothing_is_allowed),
        cmocka_unit_test(neighbours_are_those_of_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
