/* Networks that are asked as a whole (block:), through the whole core: each observation is a round. */
#include "core_world.h"

#include "source/blocks/trinocular.h"

static const struct answer GOOD = {OUTCOME_OK, STAGE_DONE, 180};
static const struct answer LOST = {OUTCOME_TIMEOUT, STAGE_REPLY, 0};

enum { CONTROLS = 2, BLOCKS = 5, HOSTS = 1, ALL = CONTROLS + BLOCKS + HOSTS, ROUND = 600 };
static const char *const controls[] = {"icmp:203.0.113.1", "icmp:203.0.113.2"};
static const char *const blocks[] = {"block:175.45.176.0/24", "block:175.45.177.0/24",
                                     "block:175.45.178.0/24", "block:175.45.179.0/24",
                                     "block:175.45.180.0/24"};

static void country(struct world *w)
{
    world_init(w);
    world_subject(w, 9 * 3600);
    for (int i = 0; i < CONTROLS; i++)
        world_ask(w, "lon", controls[i], true, 30);
    for (int i = 0; i < BLOCKS; i++)
        world_ask(w, "lon", blocks[i], false, ROUND);
    world_ask(w, "lon", "icmp:175.45.180.9", false, 30);
    for (int i = CONTROLS; i < ALL; i++)
        world_member(w, NAME_TARGET, w->asks[i].target);
}

static void play(struct world *w, double until, answer_function *answers)
{
    country(w);
    world_run(w, 0, until, answers);
    world_end(w, until);
    world_feed(w);
}

static const struct conclusion *event_of(const struct world *w, const char *target,
                                         enum condition to)
{
    for (size_t i = 0; i < w->out.count; i++) {
        const struct conclusion *k = &w->out.list[i];
        if (k->kind == CONCLUSION_EVENT && k->event.to == to &&
            strcmp(registry_text(w->registry, k->event.target), target) == 0)
            return k;
    }
    return NULL;
}

static struct answer one_dark(struct world *w, int ask, double t)
{
    (void)w;
    return ask == CONTROLS + 1 && t >= 7200 && t < 14400 ? LOST : GOOD;
}

/* Told after two rounds, with the onset between the last that was good and the first that was not; and
 * a network is more than one host. */
static void one_network(void **state)
{
    (void)state;
    struct world w;
    play(&w, 20000, one_dark);
    assert_int_equal(world_incidents(&w), 1);
    const struct conclusion *down = event_of(&w, blocks[1], CONDITION_DOWN);
    const struct conclusion *up = event_of(&w, blocks[1], CONDITION_UP);
    assert_non_null(down);
    assert_non_null(up);
    assert_in_range(down->event.at.last_before.ns, world_time(7200 - ROUND).ns,
                    world_time(7200).ns);
    assert_in_range(down->event.at.first_after.ns, world_time(7200).ns,
                    world_time(7200 + ROUND).ns);
    assert_true(down->time.ns <= world_time(7200 + 2 * ROUND + 20).ns);
    assert_in_range(up->event.at.first_after.ns, world_time(14400).ns,
                    world_time(14400 + ROUND + 1).ns);
    const struct layer_history *history = &world_incident(&w, 1)->layers[LAYER_HOST];
    assert_int_equal(history->extent.down, 1);
    assert_int_equal(history->whole.down, 1);
    assert_int_equal(history->whole.watched, BLOCKS);
    assert_int_equal(history->extent.watched, BLOCKS + HOSTS);
    assert_int_not_equal(world_finding(&w, 1, EVIDENCE_ONE_HOST)->truth, TRUTH_PRESENT);
    world_done(&w);
}

static struct answer most_dark(struct world *w, int ask, double t)
{
    (void)w;
    return ask >= CONTROLS && ask < CONTROLS + 4 && t >= 7200 && t < 14400 ? LOST : GOOD;
}

/* Rounds of ten minutes do not show loss or delay, nor whether all came back in one step: what could not
 * be seen is not said to be absent. */
static void rounds_are_coarse(void **state)
{
    (void)state;
    struct world w;
    play(&w, 24000, most_dark);
    assert_int_equal(world_incidents(&w), 1);
    assert_int_equal(world_incident(&w, 1)->layers[LAYER_HOST].extent.down, 4);
    assert_int_equal(world_incident(&w, 1)->is_open, 0);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_GRADED)->truth, TRUTH_UNKNOWN);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_STEP_RETURN)->truth, TRUTH_UNKNOWN);
    world_done(&w);
}

/* But that they came back hours apart can be seen. */
static struct answer back_in_turn(struct world *w, int ask, double t)
{
    (void)w;
    int block = ask - CONTROLS;
    return block >= 0 && block < 4 && t >= 7200 && t < 14400 + 1800 * block ? LOST : GOOD;
}

static void returns_in_turn(void **state)
{
    (void)state;
    struct world w;
    play(&w, 30000, back_in_turn);
    assert_int_equal(world_incidents(&w), 1);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_STEP_RETURN)->truth, TRUTH_ABSENT);
    world_done(&w);
}

/* A host in a network that answers is one host. */
static struct answer host_dark(struct world *w, int ask, double t)
{
    (void)w;
    return ask == CONTROLS + BLOCKS && t >= 7200 ? LOST : GOOD;
}

static void one_host(void **state)
{
    (void)state;
    struct world w;
    play(&w, 20000, host_dark);
    assert_int_equal(world_incidents(&w), 1);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_ONE_HOST)->truth, TRUTH_PRESENT);
    world_done(&w);
}

/* One round in a hundred is wrong, and addresses answer after very different times: no event in a
 * week. */
static struct answer unsteady(struct world *w, int ask, double t)
{
    struct answer answer = GOOD;
    (void)t;
    answer.rtt_ms = ask < CONTROLS ? 180 : 20 + 400 * world_random(w);
    return ask >= CONTROLS && ask < CONTROLS + BLOCKS && fmod(t, 100 * ROUND) < ROUND ? LOST
                                                                                      : answer;
}

static void single_rounds_do_not_count(void **state)
{
    (void)state;
    struct world w;
    play(&w, 7 * 86400, unsteady);
    assert_int_equal(world_count(&w, CONCLUSION_EVENT), 0);
    assert_int_equal(world_incidents(&w), 0);
    world_done(&w);
}

/* What cannot be judged is no data, and an outage is not made of it. */
static struct answer undecided(struct world *w, int ask, double t)
{
    (void)w;
    bool is_block = ask >= CONTROLS && ask < CONTROLS + BLOCKS;
    return is_block && t >= 7200 ? (struct answer){OUTCOME_UNDECIDED, STAGE_REPLY, 0} : GOOD;
}

static void undecided_is_no_data(void **state)
{
    (void)state;
    struct world w;
    play(&w, 20000, undecided);
    assert_int_equal(world_count(&w, CONCLUSION_EVENT), 0);
    assert_int_equal(world_incidents(&w), 0);
    enum condition last = CONDITION_UP;
    for (size_t i = 0; i < w.out.count; i++) {
        const struct conclusion *k = &w.out.list[i];
        if (k->kind == CONCLUSION_SERIES &&
            strcmp(registry_text(w.registry, k->series.target), blocks[0]) == 0)
            last = (enum condition)k->series.condition;
    }
    assert_int_equal(last, CONDITION_NO_DATA);
    world_done(&w);
}

/* Our own line is cut: the controls say so, and no network is dark. */
static struct answer cut_off(struct world *w, int ask, double t)
{
    (void)w;
    (void)ask;
    return t >= 7200 && t < 14400 ? LOST : GOOD;
}

static void own_uplink(void **state)
{
    (void)state;
    struct world w;
    play(&w, 20000, cut_off);
    assert_int_equal(world_count(&w, CONCLUSION_EVENT), 0);
    assert_int_equal(world_incidents(&w), 0);
    assert_int_equal(world_notices(&w, NOTICE_VANTAGE_UNWELL, true), 1);
    world_done(&w);
}

/* ---- with who asks ---- */

/* Networks of which so much answers at a time, from dense to sparse, judged as the prober does. */
enum { MANY = 40, DAYS = 28, CUT_FROM = 20 * 86400, CUT_UNTIL = CUT_FROM + 2 * 3600 };
static const double shares[] = {0.97, 0.9, 0.8, 0.7, 0.5, 0.4, 0.3, 0.25};
static struct trinocular judges[MANY];
static bool is_cut;

static struct answer rounds(struct world *w, int ask, double t)
{
    static const enum outcome outcomes[] = {[TRINOCULAR_UP] = OUTCOME_OK,
                                            [TRINOCULAR_DOWN] = OUTCOME_TIMEOUT,
                                            [TRINOCULAR_UNDECIDED] = OUTCOME_UNDECIDED};
    if (ask < CONTROLS)
        return world_random(w) < 0.003 ? LOST : GOOD;
    struct trinocular *judge = &judges[ask - CONTROLS];
    bool is_dark = is_cut && t >= CUT_FROM && t < CUT_UNTIL;
    double share = is_dark ? 0 : shares[(size_t)(ask - CONTROLS) % 8];
    enum trinocular_verdict verdict = TRINOCULAR_MORE;
    trinocular_begin(judge);
    while (verdict == TRINOCULAR_MORE) {
        trinocular_next(judge, 1);
        verdict = trinocular_take(judge, world_random(w) < share);
    }
    return (struct answer){outcomes[verdict], STAGE_DONE, verdict == TRINOCULAR_UP ? 100 : 0};
}

static void many_networks(struct world *w)
{
    world_init(w);
    world_subject(w, 0);
    for (int i = 0; i < CONTROLS; i++)
        world_ask(w, "lon", controls[i], true, 120);
    for (int i = 0; i < MANY; i++) {
        static char names[MANY][32];
        struct block_set active = {{UINT64_MAX, UINT64_MAX, 0, 0}};
        snprintf(names[i], sizeof names[i], "block:10.0.%d.0/24", i);
        trinocular_know(&judges[i], &active, shares[(size_t)i % 8]);
        world_ask(w, "lon", names[i], false, ROUND);
        world_member(w, NAME_TARGET, names[i]);
    }
}

/* Four weeks in which nothing happens: no event. */
static void no_false_event(void **state)
{
    (void)state;
    struct world w;
    is_cut = false;
    many_networks(&w);
    world_run(&w, 0, DAYS * 86400, rounds);
    world_end(&w, DAYS * 86400);
    world_feed(&w);
    assert_int_equal(world_count(&w, CONCLUSION_EVENT), 0);
    assert_int_equal(world_incidents(&w), 0);
    world_done(&w);
}

/* Two hours without any of them: all are told, at the right time, even the sparse ones. */
static void all_are_told(void **state)
{
    (void)state;
    struct world w;
    is_cut = true;
    many_networks(&w);
    world_run(&w, CUT_FROM - 86400, CUT_UNTIL + 86400, rounds);
    world_end(&w, CUT_UNTIL + 86400);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 1);
    assert_int_equal(world_incident(&w, 1)->layers[LAYER_HOST].extent.down, MANY);
    assert_int_equal(world_incident(&w, 1)->is_open, 0);
    for (int i = 0; i < MANY; i++) {
        const struct conclusion *down = event_of(&w, w.asks[CONTROLS + i].target, CONDITION_DOWN);
        assert_non_null(down);
        double share = shares[(size_t)i % 8];
        int latest = share >= 0.7 ? 2 : share >= 0.4 ? 3 : 5; /* rounds */
        assert_true(down->event.at.last_before.ns <= world_time(CUT_FROM).ns);
        assert_true(down->event.at.first_after.ns >= world_time(CUT_FROM).ns);
        if (down->time.ns > world_time(CUT_FROM + latest * ROUND + 20).ns)
            fail_msg("of a share of %.2f it was told %.1f rounds later", share,
                     (double)utc_diff(down->time, world_time(CUT_FROM)) / (ROUND * 1e9));
    }
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_network),
        cmocka_unit_test(one_host),
        cmocka_unit_test(rounds_are_coarse),
        cmocka_unit_test(returns_in_turn),
        cmocka_unit_test(single_rounds_do_not_count),
        cmocka_unit_test(undecided_is_no_data),
        cmocka_unit_test(own_uplink),
        cmocka_unit_test(no_false_event),
        cmocka_unit_test(all_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
