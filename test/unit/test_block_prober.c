/* source/blocks/block_prober, on loopback, where every address of 127.0.0.0/8 answers. That a network falls silent
 * is shown in test/live/test_blocks.py. */
#include "source/blocks/block_prober.h"
#include "source/probe/ping.h"
#include "source/probe/probe_sockets.h"

#include "sys/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESULTS = 256, NETWORK = 127 << 24 | 7 << 8 };

static const struct block_settings pace = {.round_ns = 400 * NS_PER_MS,
                                           .timeout_ns = 20 * NS_PER_MS};

struct world {
    struct loop *loop;
    struct registry *registry;
    struct block_prober *prober;
    struct manners *manners;
    struct manners_options options;
    struct observation results[RESULTS];
    size_t count, wanted;
    struct agenda *agenda;
    struct pinger *pinger;
};

static void take(void *context, const struct observation *result)
{
    struct world *w = context;
    if (w->count < RESULTS && result->outcome != OUTCOME_LATE) /* a busy machine */
        w->results[w->count++] = *result;
    if (w->wanted && w->count >= w->wanted)
        loop_stop(w->loop);
}

static struct manners *manners_of(void *context)
{
    const struct world *w = context;
    return w->manners;
}

static void begin(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->loop = loop_new();
    w->registry = registry_new();
    struct probe_sockets sockets;
    probe_sockets_open(&sockets);
    assert_int_equal(sockets.no_ping.err, ERR_OK);
    w->agenda = agenda_new(w->loop);
    w->pinger = pinger_new(w->agenda, "test", sockets.icmp);
    sockets.icmp[0] = sockets.icmp[1] = NULL;
    probe_sockets_close(&sockets);
    struct block_prober_options options = {
        .vantage = "lon", .pinger = w->pinger, .seed = 5, .manners = manners_of, .context = w};
    struct sink sink = {w->registry, take, w};
    w->prober = block_prober_new(w->loop, &options, &sink);
}

static void end(struct world *w)
{
    pinger_free(w->pinger);
    block_prober_free(w->prober);
    agenda_free(w->agenda);
    manners_free(w->manners);
    prefix_set_done(&w->options.excluded);
    registry_free(w->registry);
    loop_free(w->loop);
}

static void plan(struct world *w, size_t count, bool is_named)
{
    struct block_plan networks[32];
    for (size_t i = 0; i < count; i++)
        networks[i] = (struct block_plan){(uint32_t)(NETWORK + (i << 8)), is_named};
    assert_int_equal(block_prober_set_plan(w->prober, networks, count, &pace, &w->options, NULL),
                     ERR_OK);
}

static struct block_record record(unsigned network, unsigned addresses, double availability)
{
    struct block_record r = {.network = {{{127, 0, (uint8_t)(7 + network)}, 4}, 24},
                             .availability = availability};
    r.census.asked = CENSUS_QUESTIONS;
    for (unsigned i = 1; i <= addresses; i++)
        block_set_add(&r.census.found, (uint8_t)i);
    return r;
}

static void stop(void *context)
{
    struct world *w = context;
    loop_stop(w->loop);
}

/* Until there are so many results (0: whatever comes), but for no longer than that. */
static void run(struct world *w, size_t wanted, int64_t ns)
{
    struct loop_timer *timer = loop_timer_new(w->loop, stop, w);
    loop_timer_start(timer, ns, 0);
    w->wanted = wanted;
    loop_run(w->loop);
    loop_timer_free(timer);
    assert_true(w->count >= wanted);
}

static void one_observation_a_round(void **state)
{
    (void)state;
    struct world w;
    struct block_record known = record(0, 100, 0.9);
    begin(&w);
    plan(&w, 1, true);
    block_prober_know(w.prober, &known);
    run(&w, 4, 10 * NS_PER_S);
    for (size_t i = 0; i < 4; i++) {
        const struct observation *o = &w.results[i];
        assert_int_equal(o->kind, OBSERVATION_PROBE);
        assert_string_equal(registry_text(w.registry, o->target), "block:127.0.7.0/24");
        assert_string_equal(registry_text(w.registry, o->source), "lon");
        assert_int_equal(o->outcome, OUTCOME_OK);
        assert_int_equal(o->stage, STAGE_DONE);
        assert_int_equal(o->code, 1);
        assert_int_equal(o->value, 99);
        assert_true(o->rtt_ns > 0);
        int64_t apart = i ? utc_diff(o->time, o[-1].time) : pace.round_ns;
        assert_true(apart > pace.round_ns / 4 * 3 - 50 * NS_PER_MS);
    }
    struct block_counters counters = block_prober_counters(w.prober);
    assert_int_equal(counters.judged, 1);
    assert_true(counters.asked >= 4 && counters.asked <= counters.rounds + counters.broken);
    end(&w);
}

/* A census goes on where it stood, and ends in judging. */
static void learned_then_judged(void **state)
{
    (void)state;
    struct world w;
    struct block_record half = record(0, 20, 0);
    half.census.asked = CENSUS_QUESTIONS - 40;
    half.census.answered = 70;
    begin(&w);
    plan(&w, 1, true);
    block_prober_know(w.prober, &half);
    run(&w, 1, 20 * NS_PER_S);
    assert_int_equal(w.results[0].outcome, OUTCOME_OK);
    size_t n;
    struct block_record *records = block_prober_records(w.prober, &n);
    assert_int_equal(n, 1);
    assert_true(census_is_over(&records[0].census) && utc_is_known(records[0].since));
    assert_in_range(block_set_count(&records[0].census.found), 50, 60);
    struct block_counters counters = block_prober_counters(w.prober);
    assert_true(counters.rounds >= 4 && counters.asked >= 38);
    free(records);
    end(&w);
}

/* Of a network that cannot be judged there is no observation, and it is left alone for a day. */
static void too_little_is_no_data(void **state)
{
    (void)state;
    struct world w;
    struct block_record few = record(0, 14, 0.9), rare = record(1, 100, 0.05);
    begin(&w);
    plan(&w, 2, true);
    block_prober_know(w.prober, &few);
    block_prober_know(w.prober, &rare);
    run(&w, 0, 2 * pace.round_ns);
    struct block_counters counters = block_prober_counters(w.prober);
    assert_int_equal(w.count, 0);
    assert_int_equal(counters.asked, 0);
    assert_int_equal(counters.unfit, 2);
    size_t n;
    struct block_record *records = block_prober_records(w.prober, &n);
    assert_int_equal(n, 2);
    assert_true(records[1].availability < 0.051);
    free(records);
    end(&w);
}

/* What is excluded is not asked, though it is known to answer; nor is a private network that nobody named. */
static void excluded_and_reserved(void **state)
{
    (void)state;
    struct world w;
    struct block_record known = record(0, 140, 0.9);
    struct prefix half;
    begin(&w);
    plan(&w, 1, true);
    block_prober_know(w.prober, &known);
    assert_true(prefix_parse("127.0.7.0/25", 12, &half));
    prefix_set_add(&w.options.excluded, &half);
    prefix_set_seal(&w.options.excluded);
    plan(&w, 1, true);
    size_t n;
    struct block_record *records = block_prober_records(w.prober, &n);
    assert_int_equal(block_set_count(&records[0].census.found), 13); /* 128 to 140 */
    free(records);
    assert_int_equal(block_prober_counters(w.prober).unfit, 1);
    plan(&w, 0, true);
    plan(&w, 1, false);
    run(&w, 0, 2 * pace.round_ns);
    assert_int_equal(block_prober_counters(w.prober).asked, 0);
    assert_int_equal(block_prober_counters(w.prober).unfit, 1);
    end(&w);
}

/* All of it waits for the one limit. */
static void held_back(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    w.options.rate = 10;
    w.manners = manners_new(&w.options);
    plan(&w, 20, true);
    for (unsigned i = 0; i < 20; i++) {
        struct block_record known = record(i, 100, 0.9);
        block_prober_know(w.prober, &known);
    }
    run(&w, 0, 2 * NS_PER_S);
    struct block_counters counters = block_prober_counters(w.prober);
    assert_in_range(counters.asked, 10, 31); /* a second's worth, and 10 a second */
    assert_true(counters.held > 0);
    end(&w);
}

/* Networks come and go with answers under way, and what is known of those that stay is kept. */
static void plan_changes(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    plan(&w, 20, true);
    for (int i = 0; i < 50; i++) {
        run(&w, 0, 30 * NS_PER_MS);
        plan(&w, (size_t)(i % 3 ? 20 : 5), true);
    }
    size_t n;
    struct block_record *records = block_prober_records(w.prober, &n);
    assert_true(n >= 5 && records[0].census.asked > 20);
    free(records);
    assert_int_equal(w.count, 0);
    struct block_plan *many = calloc(BLOCKS_MAX + 1, sizeof *many);
    assert_int_equal(block_prober_set_plan(w.prober, many, BLOCKS_MAX + 1, &pace, NULL, NULL),
                     ERR_LIMIT);
    free(many);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_observation_a_round),
        cmocka_unit_test(learned_then_judged),
        cmocka_unit_test(too_little_is_no_data),
        cmocka_unit_test(excluded_and_reserved),
        cmocka_unit_test(held_back),
        cmocka_unit_test(plan_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
