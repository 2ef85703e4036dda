/* The small parts of the prober that need neither clock nor socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "base/utc.h"
#include "source/probe/agenda.h"
#include "source/probe/echo_numbers.h"
#include "source/probe/lateness.h"
#include "sys/clock.h"

/* ---- lateness ---- */

static void nothing_late_is_zero(void **state)
{
    (void)state;
    struct lateness lateness = {0};
    assert_int_equal(lateness_all_but(&lateness, 0.01), 0);
    lateness_add(&lateness, -5);
    assert_int_equal(lateness_all_but(&lateness, 0.01), 0);
    assert_int_equal(lateness.worst_ns, 0);
    assert_int_equal(lateness.count, 1);
}

static void one_value_is_told_to_an_eighth(void **state)
{
    (void)state;
    for (int64_t ns = 1; ns < 1000 * NS_PER_S; ns += 1 + ns / 7) {
        struct lateness lateness = {0};
        lateness_add(&lateness, ns);
        lateness_add(&lateness, 2000 * NS_PER_S); /* so that it is not the worst */
        int64_t told = lateness_all_but(&lateness, 0.5);
        assert_true(told > ns && told <= ns + ns / 8 + 1000);
        assert_int_equal(lateness.worst_ns, 2000 * NS_PER_S);
    }
}

static void share_is_counted_from_the_worst(void **state)
{
    (void)state;
    struct lateness lateness = {0};
    for (int i = 0; i < 990; i++)
        lateness_add(&lateness, NS_PER_MS);
    for (int i = 0; i < 10; i++)
        lateness_add(&lateness, 100 * NS_PER_MS);
    int64_t p99 = lateness_all_but(&lateness, 0.01);
    assert_true(p99 > NS_PER_MS && p99 < 2 * NS_PER_MS);
    assert_int_equal(lateness_all_but(&lateness, 0.009),
                     100 * NS_PER_MS); /* never beyond the worst */
}

/* ---- numbers of echo requests ---- */

static struct echo *const an_echo = (struct echo *)&an_echo; /* not looked into */

static void claimed_number_is_found(void **state)
{
    (void)state;
    struct echo_numbers numbers = {0};
    uint32_t number = 0;
    assert_null(echo_numbers_claim(&numbers, &number));
    echo_numbers_add(&numbers, 77);
    struct echo_slot *slot = echo_numbers_claim(&numbers, &number);
    *slot = (struct echo_slot){.echo = an_echo, .cookie = 5};
    assert_int_equal(echo_numbers_ident(&numbers, number), 77);
    assert_ptr_equal(echo_numbers_find(&numbers, 77, (uint16_t)number), slot);
    assert_null(echo_numbers_find(&numbers, 78, (uint16_t)number));
    echo_numbers_release(&numbers, number);
    assert_null(slot->echo);
    assert_int_equal(slot->cookie, 5); /* what was sent is still known */
    echo_numbers_done(&numbers);
}

static uint32_t claim(struct echo_numbers *numbers)
{
    uint32_t number;
    struct echo_slot *slot = echo_numbers_claim(numbers, &number);
    assert_non_null(slot);
    assert_null(slot->echo);
    slot->echo = an_echo;
    return number;
}

static void numbers_are_used_again_as_late_as_can_be(void **state)
{
    (void)state;
    struct echo_numbers numbers = {0};
    echo_numbers_add(&numbers, 1);
    uint32_t kept = claim(&numbers);
    for (uint32_t i = 1; i < ECHO_SEQUENCES; i++) {
        uint32_t number = claim(&numbers);
        assert_int_equal(number, kept + i);
        echo_numbers_release(&numbers, number);
    }
    assert_int_equal(claim(&numbers), kept + 1); /* the first is still under way */
    echo_numbers_done(&numbers);
}

static void full_identifier_makes_way_for_the_next(void **state)
{
    (void)state;
    struct echo_numbers numbers = {0};
    uint32_t number, first = 0;
    echo_numbers_add(&numbers, 1);
    for (int i = 0; i < ECHO_UNDER_WAY_MAX; i++)
        first = claim(&numbers);
    assert_null(echo_numbers_claim(&numbers, &number));
    echo_numbers_add(&numbers, 2);
    number = claim(&numbers);
    assert_int_equal(echo_numbers_ident(&numbers, number), 2);
    assert_ptr_equal(echo_numbers_find(&numbers, 2, (uint16_t)number),
                     echo_numbers_slot(&numbers, number));
    echo_numbers_release(&numbers, first);
    assert_int_equal(echo_numbers_ident(&numbers, claim(&numbers)), 1);
    echo_numbers_done(&numbers);
}

/* ---- the agenda ---- */

static void hold_up(void *context)
{
    struct timespec pause = {.tv_nsec = 12 * NS_PER_MS};
    nanosleep(&pause, NULL);
    loop_stop(context);
}

/* What was measured while we were held up for 12 ms is a long answer's own, and not a short one's. */
static void hitch_spoils_what_is_short(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct agenda *agenda = agenda_new(loop);
    struct agenda_entry entry = {.fire = hold_up, .context = loop};
    struct mono since = clock_mono();
    agenda_set_now(agenda, &entry);
    loop_run(loop);
    assert_false(agenda_vouches(agenda, since, 13 * NS_PER_MS));
    assert_false(agenda_vouches(agenda, since, 90 * NS_PER_MS));
    assert_true(agenda_vouches(agenda, since, NS_PER_MINUTE));
    bool is_vouched = false; /* a busy machine holds us up, too */
    for (int i = 0; i < 100 && !is_vouched; i++)
        is_vouched = agenda_vouches(agenda, clock_mono(), NS_PER_MS);
    assert_true(is_vouched);
    agenda_free(agenda);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_late_is_zero),
        cmocka_unit_test(one_value_is_told_to_an_eighth),
        cmocka_unit_test(share_is_counted_from_the_worst),
        cmocka_unit_test(claimed_number_is_found),
        cmocka_unit_test(numbers_are_used_again_as_late_as_can_be),
        cmocka_unit_test(full_identifier_makes_way_for_the_next),
        cmocka_unit_test(hitch_spoils_what_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
