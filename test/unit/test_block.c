#include "base/hash.h"
#include "base/mem.h"
#include "model/block.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* A small generator: the same numbers on every machine, told by its seed. */
struct dice {
    uint64_t seed, turn;
};

static uint64_t roll(struct dice *dice)
{
    return hash_mix(dice->seed + ++dice->turn * UINT64_C(0x9e3779b97f4a7c15));
}

static uint64_t below(struct dice *dice, uint64_t limit)
{
    return roll(dice) % limit;
}

/* Anything at all, extremes among it. */
static int64_t any_number(struct dice *dice)
{
    switch (below(dice, 6)) {
    case 0:
        return 0;
    case 1:
        return INT64_MAX;
    case 2:
        return INT64_MIN;
    case 3:
        return (int64_t)below(dice, 1000) - 500;
    default:
        return (int64_t)roll(dice);
    }
}

static uint32_t any_name(struct dice *dice)
{
    uint64_t kind = below(dice, 4);
    return kind == 0   ? 0
           : kind == 1 ? UINT32_MAX
           : kind == 2 ? (uint32_t)below(dice, 5000)
                       : (uint32_t)roll(dice);
}

static struct observation any_observation(struct dice *dice)
{
    struct observation o = {
        .time.ns = any_number(dice),
        .rtt_ns = any_number(dice),
        .value = any_number(dice),
        .source = any_name(dice),
        .target = any_name(dice),
        .peer = any_name(dice),
        .path = any_name(dice),
        .extra = any_name(dice),
        .code = (uint16_t)roll(dice),
        .kind = (uint8_t)(1 + below(dice, OBSERVATION_KIND_COUNT - 1)),
        .outcome = (uint8_t)below(dice, OUTCOME_COUNT),
        .stage = (uint8_t)below(dice, STAGE_COUNT),
        .family = (uint8_t)roll(dice),
        .peers_total = (uint16_t)roll(dice),
    };
    return o;
}

/* Probes as they come: `targets` hosts each asked once in a round of 10 s, in an order that
 * changes, times and RTTs with random nanoseconds, one reply in fifty lost. */
static struct observation probe(struct dice *dice, uint64_t at, uint32_t targets, uint32_t target)
{
    int64_t step = 10 * NS_PER_S / targets;
    struct observation o = {
        .kind = OBSERVATION_PROBE,
        .time.ns = INT64_C(1643144400) * NS_PER_S + (int64_t)at * step +
                   (int64_t)below(dice, (uint64_t)step),
        .source = 1,
        .target = 2 + target,
        .outcome = OUTCOME_TIMEOUT,
        .stage = STAGE_REPLY,
    };
    if (below(dice, 50)) {
        o.outcome = OUTCOME_OK;
        o.stage = STAGE_DONE;
        o.peer = 5000 + target;
        o.value = 40 + target % 20;
        o.rtt_ns = (150 + target % 200) * NS_PER_MS + (int64_t)below(dice, 10 * NS_PER_MS);
    }
    return o;
}

static void assert_same(const struct observation *a, const struct observation *b)
{
    assert_memory_equal(a, b, sizeof *a);
}

static void assert_round_trip(struct observation *list, size_t n)
{
    struct buffer buffer = {0};
    block_encode(list, n, &buffer);
    struct block_cursor *cursor = mem_new(1, sizeof *cursor);
    cursor->reader = reader_of(buffer.bytes, buffer.size);
    cursor->next_seq = 7;
    struct observation got;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(block_next(cursor, &got), 1);
        list[i].seq = 7 + i;
        assert_same(&list[i], &got);
    }
    assert_int_equal(block_next(cursor, &got), 0);
    assert_int_equal(block_next(cursor, &got), 0);
    free(cursor);
    buffer_done(&buffer);
}

static void test_round_trip_of_anything(void **state)
{
    (void)state;
    enum { N = 3000 };
    struct observation *list = mem_new(N, sizeof *list);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct dice dice = {.seed = seed};
        for (size_t i = 0; i < N; i++)
            list[i] = any_observation(&dice);
        print_message("seed %u\n", (unsigned)seed);
        assert_round_trip(list, N);
    }
    assert_round_trip(list, 1);
    assert_round_trip(list, 0);
    free(list);
}

/* Encodes `rounds` rounds; returns the mean size of an observation. */
static double mean_size(uint32_t targets, unsigned rounds, bool is_shuffled)
{
    struct dice dice = {.seed = 42};
    size_t n = (size_t)targets * rounds;
    struct observation *list = mem_new(n, sizeof *list);
    uint32_t *order = mem_new(targets, sizeof *order);
    for (uint32_t i = 0; i < targets; i++)
        order[i] = i;
    for (size_t at = 0; at < n; at++) {
        uint32_t i = (uint32_t)(at % targets);
        uint32_t other = is_shuffled ? i + (uint32_t)below(&dice, targets - i) : i;
        uint32_t target = order[other];
        order[other] = order[i];
        order[i] = target;
        list[at] = probe(&dice, at, targets, target);
    }
    struct buffer buffer = {0};
    block_encode(list, n, &buffer);
    double size = (double)buffer.size / (double)n;
    assert_round_trip(list, n);
    buffer_done(&buffer);
    free(order);
    free(list);
    return size;
}

static void test_size(void **state)
{
    (void)state;
    double steady = mean_size(100, 160, false), random = mean_size(1000, 16, true);
    print_message("steady round robin: %.2f bytes; 1000 targets in random order: %.2f bytes\n",
                  steady, random);
    assert_true(steady <= 12);
    assert_true(random <= 14);
}

/* A block that is cut gives the observations before the cut, and then the end or an error; no cut
 * within an observation goes unnoticed. */
static void test_cut_anywhere(void **state)
{
    (void)state;
    enum { N = 60 };
    struct dice dice = {.seed = 5};
    struct observation list[N];
    for (size_t i = 0; i < N; i++)
        list[i] = i % 2 ? any_observation(&dice) : probe(&dice, i, 20, (uint32_t)i % 20);
    struct buffer buffer = {0};
    block_encode(list, N, &buffer);
    struct block_cursor *cursor = mem_new(1, sizeof *cursor);
    size_t whole = 0;
    for (size_t cut = 0; cut <= buffer.size; cut++) {
        char *bytes = mem_new(cut, 1); /* exactly as long, so that reading past it is noticed */
        memcpy(bytes, buffer.bytes, cut);
        *cursor = (struct block_cursor){.reader = reader_of(bytes, cut), .next_seq = 1};
        struct observation got;
        size_t n = 0;
        int status;
        while ((status = block_next(cursor, &got)) == 1) {
            list[n].seq = got.seq;
            assert_same(&list[n++], &got);
        }
        assert_true(status == 0 || cursor->reader.bad);
        whole += status == 0;
        free(bytes);
    }
    assert_int_equal(whole, N + 1); /* the cuts between two observations */
    free(cursor);
    buffer_done(&buffer);
}

static void assert_refused(const char *bytes, size_t n)
{
    struct block_cursor *cursor = mem_new(1, sizeof *cursor);
    cursor->reader = reader_of(bytes, n);
    struct observation got = {.seq = 99};
    assert_int_equal(block_next(cursor, &got), -1);
    assert_non_null(cursor->reader.bad);
    assert_int_equal(got.seq, 99); /* untouched */
    assert_int_equal(block_next(cursor, &got), -1);
    free(cursor);
}

static void test_refused(void **state)
{
    (void)state;
    assert_refused("\x00", 1);                     /* no kind */
    assert_refused("\x80\x02\x63", 3);             /* kind 99 */
    assert_refused("\x80\x10", 2);                 /* a member that is not known */
    assert_refused("\xa0\x02\xc8\x00\x01", 5);     /* outcome 200 */
    assert_refused("\x82\x02\x01\x05", 4);         /* target -1 */
    assert_refused("\x80\x06\x05\xff\xff\x7f", 6); /* code beyond 16 bits */
    assert_refused("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip_of_anything),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
