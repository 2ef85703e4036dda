/* source/blocks/trinocular: the paper's numbers, what never may happen in a round, and how often it is wrong. */
#include "source/blocks/trinocular.h"

#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static uint64_t random_state;

static double chance(void)
{
    random_state += UINT64_C(0x9e3779b97f4a7c15);
    return (double)(hash_mix(random_state) >> 11) / 9007199254740992.0;
}

static struct block_set first(unsigned n)
{
    struct block_set set = {{0}};
    for (unsigned i = 0; i < n; i++)
        block_set_add(&set, (uint8_t)i);
    return set;
}

static struct trinocular known(unsigned n, double availability)
{
    struct trinocular t;
    struct block_set set = first(n);
    trinocular_know(&t, &set, availability);
    return t;
}

/* science.md, 1.2: how many silences bring the belief from 0.99 below 0.1. */
static void silences_until_down(void **state)
{
    static const struct {
        double availability;
        int silences;
    } cases[] = {{0.99, 2}, {0.9, 3},  {0.7, 6},   {0.5, 10},
                 {0.3, 20}, {0.2, 31}, {0.15, 43}, {0.1, 67}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        double belief = 0.99;
        int n = 0;
        for (; belief >= 0.1; n++)
            belief = trinocular_update(belief, cases[i].availability, false);
        assert_int_equal(n, cases[i].silences);
    }
}

/* And one or two answers bring it back above 0.9: a stray one never does alone. */
static void answers_until_up(void **state)
{
    (void)state;
    for (double a = 0.1; a < 1; a += 0.01) {
        double once = trinocular_update(0.01, a, true);
        assert_true(once < 0.9);
        double twice = trinocular_update(once, a, true);
        assert_true(twice > 0.85 && (a < 0.2 || twice > 0.9));
    }
    assert_true(fabs(trinocular_update(0.01, 0.5, true) - 0.566) < 0.001);
    assert_true(fabs(trinocular_update(0.99, 0.5, true) - 0.99) < 1e-9);
}

static void recovery(void **state)
{
    (void)state;
    assert_int_equal(trinocular_recovery(0.9), 1);
    assert_int_equal(trinocular_recovery(0.5), 3);
    assert_int_equal(trinocular_recovery(0.3), 5);
    assert_int_equal(trinocular_recovery(0.15), 10);
    assert_int_equal(trinocular_recovery(0.1), 15);
}

/* Each address of the order once in 256, otherwise for each seed, and the same again for the same. */
static void order(void **state)
{
    (void)state;
    unsigned same = 0;
    for (uint64_t seed = 0; seed < 500; seed++) {
        struct block_set seen = {{0}};
        for (unsigned place = 0; place < BLOCK_ADDRESSES; place++) {
            uint8_t address = block_order(seed, (uint8_t)place);
            assert_false(block_set_has(&seen, address));
            block_set_add(&seen, address);
            same += address == block_order(seed + 1, (uint8_t)place);
            assert_int_equal(address, block_order(seed, (uint8_t)place));
        }
    }
    assert_in_range(same, 300, 700); /* by chance 500 of 128,000 */
}

/* Asks all of E before any of it again, and never another. */
static void addresses_in_turn(void **state)
{
    (void)state;
    struct trinocular t = known(256, 0.5);
    t.active = (struct block_set){{0x8001, 0xff, 0x10, UINT64_C(1) << 63}};
    unsigned n = block_set_count(&t.active);
    assert_int_equal(n, 12);
    for (int turn = 0; turn < 3; turn++) {
        struct block_set seen = {{0}};
        for (unsigned i = 0; i < n; i++) {
            uint8_t address = trinocular_next(&t, 7);
            assert_true(block_set_has(&t.active, address));
            assert_false(block_set_has(&seen, address));
            block_set_add(&seen, address);
        }
    }
}

/* A round of a network of which each address answers with the chance `p`; returns the questions. */
static unsigned play(struct trinocular *t, double p, enum trinocular_verdict *verdict)
{
    unsigned asked = 0;
    trinocular_begin(t);
    do {
        trinocular_next(t, 3);
        *verdict = trinocular_take(t, chance() < p);
        asked++;
        assert_in_range(asked, 1, TRINOCULAR_PROBES_MAX);
        assert_true(t->round.belief >= 0.0099F && t->round.belief <= 0.9901F);
    } while (*verdict == TRINOCULAR_MORE);
    assert_true(*verdict != TRINOCULAR_UP || t->belief > 0.9F);
    assert_true(*verdict != TRINOCULAR_DOWN || t->belief < 0.1F);
    return asked;
}

/* How many questions of one round a network that falls silent takes, and what is said then. */
static void one_round_down(void **state)
{
    static const struct {
        double availability;
        unsigned asked;
        enum trinocular_verdict verdict;
    } cases[] = {
        {1, 4, TRINOCULAR_DOWN}, /* 0.01^4: as sure as it is for one host */
        {0.9, 8, TRINOCULAR_DOWN},       {0.7, 14, TRINOCULAR_DOWN}, {0.5, 15, TRINOCULAR_DOWN},
        {0.4, 15, TRINOCULAR_UNDECIDED}, /* down by belief, and once in 2000 times by chance */
        {0.3, 15, TRINOCULAR_UNDECIDED}, /* the belief alone would take 20 */
        {0.1, 15, TRINOCULAR_UNDECIDED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct trinocular t = known(100, cases[i].availability);
        enum trinocular_verdict verdict;
        assert_int_equal(play(&t, 0, &verdict), cases[i].asked);
        assert_int_equal(verdict, cases[i].verdict);
    }
}

/* A sparse one is judged over several rounds, by what all of them heard. */
static void several_rounds_down(void **state)
{
    static const struct {
        double availability;
        int rounds;
    } cases[] = {{0.9, 1}, {0.5, 1}, {0.4, 2}, {0.3, 2}, {0.2, 3}, {0.15, 4}, {0.1, 6}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct trinocular t = known(100, cases[i].availability);
        enum trinocular_verdict verdict = TRINOCULAR_UP;
        int rounds = 0;
        for (; verdict != TRINOCULAR_DOWN; rounds++)
            play(&t, 0, &verdict);
        assert_int_equal(rounds, cases[i].rounds);
    }
}

/* While it is down: as many as find it with 80 %, in the first four rounds, the 8th and each 16th. */
static void rounds_while_down(void **state)
{
    (void)state;
    struct trinocular t = known(100, 0.5);
    enum trinocular_verdict verdict;
    for (int i = 0; i < 4; i++) /* until its silence is sure */
        play(&t, 0, &verdict);
    for (int round = 5; round <= 64; round++) {
        bool is_recovery = t.down_round == 4 || t.down_round == 8 || t.down_round % 16 == 0;
        assert_int_equal(t.down_round, round - 1);
        assert_int_equal(play(&t, 0, &verdict), is_recovery ? 3 : 1);
        assert_int_equal(verdict, TRINOCULAR_DOWN);
    }
    assert_int_equal(play(&t, 1, &verdict), 2);
    assert_int_equal(verdict, TRINOCULAR_UP);
    assert_int_equal(t.down_round, 0);
    assert_true(fabs(trinocular_availability(&t) - 0.5) < 0.001); /* an outage teaches nothing */
}

/* One that was begun and not ended leaves nothing behind but its place in the order. */
static void broken_round(void **state)
{
    (void)state;
    struct trinocular t = known(100, 0.5), before = t;
    trinocular_begin(&t);
    for (int i = 0; i < 8; i++) {
        trinocular_next(&t, 1);
        assert_int_equal(trinocular_take(&t, false), TRINOCULAR_MORE);
    }
    trinocular_begin(&t);
    before.place = t.place;
    trinocular_begin(&before);
    assert_memory_equal(&t, &before, sizeof t);
}

static void who_is_judged(void **state)
{
    (void)state;
    struct trinocular t = known(15, 0.1);
    assert_true(trinocular_can_judge(&t));
    t = known(14, 0.9);
    assert_false(trinocular_can_judge(&t));
    t = known(200, 0.09);
    assert_false(trinocular_can_judge(&t));
    t = known(0, 0);
    assert_false(trinocular_can_judge(&t));
}

/* It learns what share answers, however it began. */
static void learns_availability(void **state)
{
    (void)state;
    static const double begin[] = {0.2, 0.5, 0.95};
    random_state = 1;
    for (size_t i = 0; i < COUNT(begin); i++) {
        struct trinocular t = known(100, begin[i]);
        enum trinocular_verdict verdict;
        double sum = 0;
        for (int round = 0; round < 2000; round++) {
            play(&t, 0.6, &verdict);
            sum += round >= 1000 ? trinocular_availability(&t) / 1000 : 0;
        }
        assert_true(sum > 0.45 && sum < 0.6); /* the lower of two estimates */
    }
}

/* A hundred networks for four weeks, all of them up: rounds that said down, and two of them one after the
 * other, which is what becomes an event. And what it costs. */
static void false_alarms(void **state)
{
    static const struct {
        double p;
        unsigned rounds_most, events_most;
        double cost_most;
    } cases[] = {
        {0.95, 0, 0, 1.1}, {0.7, 2, 0, 1.5}, {0.5, 30, 0, 2.1}, {0.3, 40, 0, 3.5}, {0.2, 40, 1, 5}};
    (void)state;
    random_state = 2;
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned rounds = 0, events = 0, asked = 0, n = 0;
        for (int block = 0; block < 100; block++) {
            struct trinocular t = known(100, cases[i].p);
            bool was_down = false;
            for (int round = 0; round < 28 * 144; round++, n++) {
                enum trinocular_verdict verdict;
                asked += play(&t, cases[i].p, &verdict);
                rounds += verdict == TRINOCULAR_DOWN;
                events += verdict == TRINOCULAR_DOWN && was_down;
                was_down = verdict == TRINOCULAR_DOWN;
            }
        }
        print_message("A %.2f: of %u rounds %u said down, %u twice; %.2f questions each\n",
                      cases[i].p, n, rounds, events, (double)asked / n);
        assert_true(rounds <= cases[i].rounds_most && events <= cases[i].events_most);
        assert_true((double)asked / n < cases[i].cost_most);
    }
}

/* More sleep at night than by day: the share that answers goes from 0.7 to 0.25 and back each day. */
static void sleepers_are_not_down(void **state)
{
    (void)state;
    random_state = 3;
    unsigned twice = 0;
    for (int block = 0; block < 50; block++) {
        struct trinocular t = known(100, 0.5);
        bool was_down = false;
        for (int round = 0; round < 14 * 144; round++) {
            enum trinocular_verdict verdict;
            double p = 0.475 + 0.225 * sin(round * 2 * 3.14159265 / 144);
            play(&t, p, &verdict);
            twice += verdict == TRINOCULAR_DOWN && was_down;
            was_down = verdict == TRINOCULAR_DOWN;
        }
    }
    assert_int_equal(twice, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silences_until_down),
        cmocka_unit_test(answers_until_up),
        cmocka_unit_test(recovery),
        cmocka_unit_test(order),
        cmocka_unit_test(addresses_in_turn),
        cmocka_unit_test(one_round_down),
        cmocka_unit_test(several_rounds_down),
        cmocka_unit_test(rounds_while_down),
        cmocka_unit_test(broken_round),
        cmocka_unit_test(who_is_judged),
        cmocka_unit_test(learns_availability),
        cmocka_unit_test(false_alarms),
        cmocka_unit_test(sleepers_are_not_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
