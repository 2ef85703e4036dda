/* The parts of detection alone: the queue, one series, the routes of a prefix. */
#include "core_world.h"

#include "core/detect/queue.h"
#include "core/detect/routes.h"
#include "core/detect/series.h"

static struct utc at(double t)
{
    return (struct utc){WORLD_BEGIN * NS_PER_S + (int64_t)(t * 1e9)};
}

static void queue_sorts(void **state)
{
    (void)state;
    struct registry *registry = registry_new();
    struct queue queue;
    queue_init(&queue);
    uint64_t random = 7;
    enum { N = 5000 };
    for (int i = 0; i < N; i++) {
        random = random * UINT64_C(6364136223846793005) + 1;
        struct observation o = {.kind = OBSERVATION_PROBE,
                                .time = {(int64_t)(random >> 40) % 1000},
                                .code = (uint16_t)i};
        queue_push(&queue, registry, &o);
    }
    struct observation o, last = {.time = {-1}};
    assert_false(queue_pop(&queue, registry, (struct utc){-1}, &o));
    int n = 0;
    for (; queue_pop(&queue, registry, (struct utc){1000}, &o); last = o, n++)
        assert_true(o.time.ns > last.time.ns || (o.time.ns == last.time.ns && o.code > last.code));
    assert_int_equal(n, N);
    assert_int_equal(queue_count(&queue), 0);
    queue_done(&queue);
    registry_free(registry);
}

/* Configuration before everything else of the same moment, ticks after it, whatever came first. */
static void queue_ranks_kinds(void **state)
{
    (void)state;
    struct registry *registry = registry_new();
    struct queue queue;
    queue_init(&queue);
    static const enum observation_kind kinds[] = {OBSERVATION_TICK, OBSERVATION_PROBE,
                                                  OBSERVATION_MEMBER, OBSERVATION_SUBJECT};
    for (int i = 0; i < 4; i++) {
        struct observation o = {.kind = (uint8_t)kinds[i], .time = {5}};
        queue_push(&queue, registry, &o);
    }
    for (int i = 3; i >= 0; i--) {
        struct observation o;
        assert_true(queue_pop(&queue, registry, (struct utc){5}, &o));
        assert_int_equal(o.kind, kinds[i]);
    }
    queue_done(&queue);
    registry_free(registry);
}

/* Probes every `round` seconds: '.' answered, 'x' lost, 'r' refused, 's' our own failure, '~' slow.
 * Returns the time of the last one. */
static double play(struct series *s, double t, double round, const char *script)
{
    for (; *script; script++, t += round) {
        struct observation o = {.kind = OBSERVATION_PROBE, .time = at(t)};
        o.outcome = (uint8_t)(*script == 'x'   ? OUTCOME_TIMEOUT
                              : *script == 'r' ? OUTCOME_REFUSED
                              : *script == 's' ? OUTCOME_SELF
                                               : OUTCOME_OK);
        int64_t jitter = (int64_t)((uint64_t)(t * 7919) % 7) * NS_PER_MS;
        o.rtt_ns = *script == '.'   ? 100 * NS_PER_MS + jitter
                   : *script == '~' ? 180 * NS_PER_MS + jitter
                                    : 0;
        series_probe(s, &o);
    }
    return t - round;
}

/* A probe tells of what was so until it was answered, or would have been: the usual 100 ms, and
 * some. */
static void assert_known_by(struct utc by, double sent)
{
    assert_in_range(utc_diff(by, at(sent)), 99 * NS_PER_MS, 107 * NS_PER_MS);
}

static void series_goes_down(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        enum condition condition;
        int last_good, first_bad; /* places in the script; -1: not checked */
    } cases[] = {
        {".", CONDITION_UP, -1, -1},
        {"s", CONDITION_NO_DATA, -1, -1},
        {"....................xxx", CONDITION_UP, -1, -1},
        {"....................xxxx", CONDITION_DOWN, 19, 20},
        {"....................xxsssssxx", CONDITION_DOWN, 19, 20}, /* ours count for nothing */
        {"....................ssssssssss", CONDITION_UP, -1, -1},
        {"....................r", CONDITION_UP, -1, -1},
        {"....................rr", CONDITION_DOWN, 19, 20},       /* somebody said so */
        {"....................xxxxxxx.", CONDITION_DOWN, 19, 20}, /* one may be a stray one */
        {"....................xxxxxxx..", CONDITION_UP, 26, 27},
        {"....................xx.xx.x.xx.", CONDITION_DEGRADED, -1, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int fast = 0; fast < 2; fast++) { /* the same rules at every sampling */
            double round = fast ? 0.25 : 300;
            struct series s;
            series_init(&s, 1, 2, false, LAYER_HOST);
            play(&s, 0, round, cases[i].script);
            assert_int_equal(s.condition, cases[i].condition);
            if (cases[i].last_good < 0)
                continue;
            assert_int_equal(s.since.last_before.ns, at(cases[i].last_good * round).ns);
            assert_known_by(s.since.first_after, cases[i].first_bad * round);
        }
    }
}

static const char usual[] =
    "........................................................................";

static void series_of_a_poor_line(void **state)
{
    (void)state;
    struct series s;
    series_init(&s, 1, 2, false, LAYER_HOST);
    double t = play(&s, 0, 10, usual);
    for (int i = 0; i < 10; i++) /* half of all is lost, in no order */
        t = play(&s, t + 10, 10, ".x..xx.xx.");
    assert_int_equal(s.condition, CONDITION_DEGRADED);
    play(&s, t + 10, 10, "xxxx");
    assert_int_equal(s.condition, CONDITION_DEGRADED); /* four are nothing to it */
    play(&s, t + 50, 10, "xxxxxxxxxxxxxxxxxxxx");
    assert_int_equal(s.condition, CONDITION_DOWN);
}

static void series_slows_down(void **state)
{
    (void)state;
    struct series s;
    series_init(&s, 1, 2, false, LAYER_HOST);
    double t = play(&s, 0, 30, usual);
    double slow = t + 30;
    t = play(&s, slow, 30, "~~~~~~");
    assert_int_equal(s.condition, CONDITION_DEGRADED);
    assert_true(s.since.last_before.ns <= at(slow).ns && s.since.first_after.ns >= at(slow).ns);
    assert_true(s.graded_rtt > 1.6 && s.graded_rtt < 1.9);
    /* It stays there, at once and steady: another path, and no congestion. */
    play(&s, t + 30, 30, "~~~~~~~~~~~~~~~~~~~~~~~~~");
    assert_int_equal(s.condition, CONDITION_UP);
    assert_true(s.step_ns > 70e6 && s.step_ns < 90e6);
}

/* Some answers that were late by chance, shortly before the delay rises: the interval reaches back to them, but it
 * does not say that the rise was over by then. */
static void chance_delays_are_no_rise(void **state)
{
    (void)state;
    struct series s;
    series_init(&s, 1, 2, false, LAYER_HOST);
    double t = play(&s, 0, 30, "........................................");
    t = play(&s, t + 30, 30, "~~~........");
    double slow = t + 30;
    play(&s, slow, 30, "~~~~~~~~");
    assert_int_equal(s.condition, CONDITION_DEGRADED);
    assert_true(s.since.last_before.ns <= at(slow).ns && s.since.first_after.ns >= at(slow).ns);
}

static void series_keeps_its_baseline(void **state)
{
    (void)state;
    struct series s;
    series_init(&s, 1, 2, false, LAYER_HOST);
    double t = play(&s, 0, 30, usual);
    double base = series_rtt_base(&s);
    for (int i = 0; i < 50; i++)
        t = play(&s, t + 30, 30, "xxxxxxxxxxxxxxxxxxxx");
    t = play(&s, t + 30, 30, "....");
    assert_int_equal(s.condition, CONDITION_UP);
    assert_true(series_rtt_base(&s) > 0.9 * base && series_rtt_base(&s) < 1.1 * base);
    play(&s, t + 30, 30, "xxxx"); /* nor is it slower to see the next outage */
    assert_int_equal(s.condition, CONDITION_DOWN);
}

/* Thirteen answers missing within a minute are not thirteen losses, where they were asked for since the first was
 * missing; but they are more than one. */
static uint8_t condition_after(int samples, int checks)
{
    struct series s;
    double t = 0;
    series_init(&s, 1, 2, false, LAYER_HOST);
    for (int i = 0; i < 100; i++, t += 60) {
        struct observation good = {
            .kind = OBSERVATION_PROBE, .time = at(t), .rtt_ns = 20000000, .outcome = OUTCOME_OK};
        series_probe(&s, &good);
    }
    for (int i = 0; i < samples; i++, t += 60) {
        struct observation bad = {
            .kind = OBSERVATION_PROBE, .time = at(t), .outcome = OUTCOME_TIMEOUT};
        series_probe(&s, &bad);
        bad.path = 2;
        for (int k = 0; i == 0 && k < checks; k++) {
            bad.time = at(t + 2 + 2 * k);
            series_probe(&s, &bad);
        }
    }
    return s.condition;
}

static void checks_confirm(void **state)
{
    (void)state;
    assert_int_equal(condition_after(3, 0), CONDITION_UP);
    assert_int_equal(condition_after(4, 0), CONDITION_DOWN);
    assert_int_equal(condition_after(1, 6), CONDITION_UP);
    assert_int_equal(condition_after(1, 13), CONDITION_DOWN);
    assert_int_equal(condition_after(2, 8), CONDITION_DOWN);
}

/* What they find is known, but they are no samples of how much is lost, nor of how often one is asked. */
static void checks_teach_nothing(void **state)
{
    (void)state;
    struct series s;
    series_init(&s, 1, 2, false, LAYER_HOST);
    for (int i = 0; i < 400; i++) {
        bool is_lost = i % 10 == 9;
        struct observation o = {.kind = OBSERVATION_PROBE,
                                .time = at(60 * i),
                                .rtt_ns = is_lost ? 0 : 20000000,
                                .outcome = is_lost ? OUTCOME_TIMEOUT : OUTCOME_OK};
        series_probe(&s, &o);
        o.path = 2;
        for (int k = 1; is_lost && k <= 3; k++) { /* two more are lost with it, the third is late */
            o.time = at(60 * i + 2 * k);
            o.outcome = k < 3 ? OUTCOME_TIMEOUT : OUTCOME_OK;
            o.rtt_ns = k < 3 ? 0 : 400000000;
            series_probe(&s, &o);
        }
    }
    assert_int_equal(s.condition, CONDITION_UP);
    assert_float_equal(series_loss(&s), 0.1, 1e-9);
    assert_float_equal(series_rtt(&s), 2e7, 1e5);
    assert_int_equal(s.round_ns, 60 * NS_PER_S);
    assert_int_equal(s.last_good.ns, at(60 * 399 + 6).ns);
}

/* A control's answers to checks are counted, the last three since it lost anything. */
static void good_checks_are_kept(void **state)
{
    (void)state;
    struct series s;
    series_init(&s, 1, 2, true, LAYER_CONTROL);
    for (int i = 0; i < 6; i++) {
        struct observation o = {.kind = OBSERVATION_PROBE,
                                .time = at(2 * i),
                                .path = i ? 3 : 0,
                                .rtt_ns = i == 2 ? 0 : 20000000,
                                .outcome = i == 2 ? OUTCOME_TIMEOUT : OUTCOME_OK};
        series_probe(&s, &o);
        int64_t second = s.good_checks[1].ns;
        assert_int_equal(s.good_checks[0].ns, i == 0 || i == 2 ? 0 : at(2 * i).ns);
        assert_int_equal(second, i < 4 ? 0 : at(2 * i - 2).ns);
    }
    assert_int_equal(s.good_run, 1);
}

static void series_falls_silent(void **state)
{
    (void)state;
    struct series s;
    series_init(&s, 1, 2, false, LAYER_HOST);
    double t = play(&s, 0, 30, usual);
    assert_false(series_silence(&s, at(t + 91)));
    assert_true(series_silence(&s, at(t + 120)));
    assert_int_equal(s.condition, CONDITION_NO_DATA);
    assert_false(series_silence(&s, at(t + 500)));
    /* What it was before the silence bounds the onset of what comes after. */
    play(&s, t + 5000, 30, "xxxx");
    assert_int_equal(s.condition, CONDITION_DOWN);
    assert_int_equal(s.since.last_before.ns, at(t).ns);
    assert_known_by(s.since.first_after, t + 5000);
}

/* A prefix at five peers: feeds what a world holds, in order, and tells its state. */
static struct route_prefix routes_of(struct world *w, const char *prefix)
{
    struct watch_list watch;
    struct routes routes;
    watch_init(&watch);
    routes_init(&routes);
    for (size_t i = 0; i < w->count; i++) {
        if (w->list[i].kind == OBSERVATION_SUBJECT || w->list[i].kind == OBSERVATION_MEMBER)
            watch_configure(&watch, w->registry, &w->list[i]);
        else
            routes_feed(&routes, &watch, w->registry, &w->list[i]);
        routes_settle(&routes, &watch, w->registry, w->list[i].time);
    }
    uint32_t row = routes_find(&routes, world_name(w, NAME_PREFIX, prefix));
    struct route_prefix p = {0};
    if (row)
        p = *routes_prefix(&routes, row - 1);
    routes_done(&routes);
    watch_done(&watch);
    return p;
}

static const char prefix[] = "175.45.176.0/24";

static void begin_routes(struct world *w)
{
    world_init(w);
    world_subject(w, 0);
    world_member(w, NAME_PREFIX, prefix);
    world_member(w, NAME_ASN, "131279");
    world_route_all(w, 1, 2, prefix, "4837 131279");
}

static void route_states(void **state)
{
    (void)state;
    /* How many of five peers withdraw, and what that is. */
    static const enum condition expected[] = {CONDITION_UP,       CONDITION_UP,
                                              CONDITION_DEGRADED, CONDITION_DEGRADED,
                                              CONDITION_DEGRADED, CONDITION_DOWN};
    for (int n = 0; n <= WORLD_PEERS; n++) {
        struct world w;
        begin_routes(&w);
        for (int peer = 0; peer < n; peer++)
            world_route(&w, 1000 + 10 * peer, peer, prefix, NULL);
        struct route_prefix p = routes_of(&w, prefix);
        assert_int_equal(p.condition, expected[n]);
        assert_true(fabs(p.v - (WORLD_PEERS - n) / 5.0) < 1e-9);
        if (n ==
            WORLD_PEERS) { /* from before the first peer lost it to when the last but none did */
            assert_true(p.left_up.last_before.ns < at(1000).ns);
            assert_int_equal(p.since.first_after.ns / NS_PER_S, at(1040).ns / NS_PER_S);
        }
        world_done(&w);
    }
}

/* Peers that were heard of but never spoke of the prefix are unknown: two that withdraw of forty
 * are no outage, in an archive that has no table. */
static void unknown_is_not_absent(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    world_subject(&w, 0);
    world_member(&w, NAME_PREFIX, prefix);
    for (int peer = 0; peer < 40; peer++)
        world_peer(&w, 1, peer, PEER_UP);
    world_route(&w, 100, 3, prefix, NULL);
    world_route(&w, 101, 4, prefix, NULL);
    assert_int_equal(routes_of(&w, prefix).condition, CONDITION_UP);
    for (int peer = 0; peer < 40; peer++)
        world_route(&w, 200, peer, prefix, NULL);
    assert_int_equal(routes_of(&w, prefix).condition, CONDITION_DOWN);
    world_done(&w);
}

/* Peers of a collector that never spoke of the prefix (an archive of another year) hide nothing. */
static void other_archives_do_not_count(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    for (int peer = 0; peer < 40; peer++) {
        world_peer(&w, 1, peer, PEER_UP);
        w.list[w.count - 1].source = world_name(&w, NAME_COLLECTOR, "route-views2");
    }
    world_subject(&w, 0);
    world_member(&w, NAME_PREFIX, prefix);
    world_route_all(&w, 2, 2, prefix, "4837 131279");
    world_route_all(&w, 1000, 2, prefix, NULL);
    assert_int_equal(routes_of(&w, prefix).condition, CONDITION_DOWN);
    world_done(&w);
}

static void lost_peers_do_not_count(void **state)
{
    (void)state;
    struct world w;
    begin_routes(&w);
    for (int peer = 0; peer < 4; peer++)
        world_peer(&w, 100 + peer, peer, PEER_DOWN);
    assert_int_equal(routes_of(&w, prefix).condition, CONDITION_UP);
    world_peer(&w, 200, 4, PEER_DOWN);
    assert_int_equal(routes_of(&w, prefix).condition, CONDITION_NO_DATA);
    /* One that comes back tells its table again; what it does not tell within five minutes is
     * absent. */
    world_peer(&w, 300, 4, PEER_UP);
    assert_int_equal(routes_of(&w, prefix).condition, CONDITION_UP);
    world_add(&w, 700, OBSERVATION_TICK);
    struct route_prefix p = routes_of(&w, prefix);
    assert_int_equal(p.condition, CONDITION_DOWN);
    assert_true(p.since.last_before.ns <= world_time(200).ns); /* some time since it was lost */
    world_done(&w);
}

static void what_was_before_a_gap_is_unknown(void **state)
{
    (void)state;
    struct world w;
    begin_routes(&w);
    struct observation *gap = world_add(&w, 1000, OBSERVATION_GAP);
    gap->source = world_name(&w, NAME_COLLECTOR, "rrc00");
    gap->value = world_time(2000).ns;
    world_add(&w, 2100, OBSERVATION_TICK);
    assert_int_equal(routes_of(&w, prefix).condition, CONDITION_NO_DATA);
    /* One that loses it may be alone, one that still has it as well. */
    world_route(&w, 2200, 0, prefix, NULL);
    assert_int_equal(routes_of(&w, prefix).condition, CONDITION_NO_DATA);
    /* Whole tables without it: it went some time since the gap began. */
    for (int peer = 1; peer < WORLD_PEERS; peer++)
        world_peer(&w, 3000, peer, PEER_TABLE);
    struct route_prefix p = routes_of(&w, prefix);
    assert_int_equal(p.condition, CONDITION_DOWN);
    assert_true(p.since.last_before.ns <= world_time(1000).ns);
    world_done(&w);
}

static void add_mark(struct world *w, double t, enum observation_kind kind)
{
    world_add(w, t, kind)->source = world_name(w, NAME_COLLECTOR, "rrc00");
}

/* A collector that is lost: no data from then on. When it is back its routes are what they were
 * until it says more, and what it says to be gone went some time since it was lost. */
static void an_open_gap(void **state)
{
    (void)state;
    struct world w;
    begin_routes(&w);
    add_mark(&w, 1000, OBSERVATION_GAP);
    assert_int_equal(routes_of(&w, prefix).condition, CONDITION_NO_DATA);
    world_add(&w, 9000, OBSERVATION_TICK);
    assert_int_equal(routes_of(&w, prefix).condition, CONDITION_NO_DATA);
    add_mark(&w, 10000, OBSERVATION_START);
    assert_int_equal(routes_of(&w, prefix).condition, CONDITION_NO_DATA);
    for (int peer = 0; peer < WORLD_PEERS; peer++)
        world_peer(&w, 10001, peer, PEER_UP);
    assert_int_equal(routes_of(&w, prefix).condition, CONDITION_UP);
    world_route(&w, 10002, 0, prefix, "64500 4837 131279");
    for (int peer = 0; peer < WORLD_PEERS; peer++)
        world_peer(&w, 10003, peer, PEER_COMPLETE);
    struct route_prefix p = routes_of(&w, prefix);
    assert_int_equal(p.condition, CONDITION_DEGRADED);
    assert_int_equal(p.carried, 1);
    assert_int_equal(p.usual, WORLD_PEERS);
    assert_true(p.since.last_before.ns < world_time(1000).ns);
    world_done(&w);
}

/* A peer whose table takes long has not dropped what it did not tell yet, as long as it is said to go on. */
static void a_long_table(void **state)
{
    (void)state;
    for (int is_told = 0; is_told < 2; is_told++) {
        struct world w;
        begin_routes(&w);
        add_mark(&w, 1000, OBSERVATION_GAP);
        add_mark(&w, 10000, OBSERVATION_START);
        for (int peer = 0; peer < WORLD_PEERS; peer++)
            world_peer(&w, 10001, peer, PEER_UP);
        for (int t = 10240; t <= 10720 && is_told; t += 240)
            for (int peer = 0; peer < WORLD_PEERS; peer++)
                world_peer(&w, t, peer, PEER_TELLING);
        world_add(&w, 11000, OBSERVATION_TICK);
        assert_int_equal(routes_of(&w, prefix).condition, is_told ? CONDITION_UP : CONDITION_DOWN);
        world_add(&w, 11100, OBSERVATION_TICK); /* five minutes after it was said last */
        assert_int_equal(routes_of(&w, prefix).condition, CONDITION_DOWN);
        world_done(&w);
    }
}

/* A route that was gone before is not back because its collector is. */
static void an_open_gap_within_an_outage(void **state)
{
    (void)state;
    struct world w;
    begin_routes(&w);
    world_route_all(&w, 1000, 2, prefix, NULL);
    add_mark(&w, 2000, OBSERVATION_GAP);
    assert_int_equal(routes_of(&w, prefix).condition, CONDITION_NO_DATA);
    add_mark(&w, 3000, OBSERVATION_START);
    for (int peer = 0; peer < WORLD_PEERS; peer++)
        world_peer(&w, 3001, peer, PEER_UP);
    assert_int_equal(routes_of(&w, prefix).condition, CONDITION_DOWN);
    world_route_all(&w, 3002, 0, prefix, "4837 131279");
    assert_int_equal(routes_of(&w, prefix).condition, CONDITION_UP);
    world_done(&w);
}

static void half_a_table_does_not_count(void **state)
{
    (void)state;
    struct world w;
    begin_routes(&w);
    for (int peer = 0; peer < WORLD_PEERS; peer++) {
        world_peer(&w, 50, peer, PEER_TABLE);
        w.list[w.count - 1].value = 100000;
    }
    for (int peer = 0; peer < 3; peer++) {
        world_peer(&w, 60, peer, PEER_TABLE);
        w.list[w.count - 1].value = 80000;
        world_route(&w, 61, peer, prefix, NULL);
    }
    struct route_prefix p = routes_of(&w, prefix);
    assert_int_equal(p.condition, CONDITION_UP);
    assert_int_equal(p.usual, 2);
    world_done(&w);
}

static void origins(void **state)
{
    (void)state;
    static const struct {
        const char *prefix, *path;
        bool is_foreign;
    } cases[] = {
        {"175.45.176.0/24", "3491 131279", false},   /* its own, another way */
        {"175.45.176.128/25", "3491 131279", false}, /* its own, more specific */
        {"175.45.176.0/24", "3491 17557", true},     {"175.45.176.128/25", "3491 17557", true},
        {"175.45.0.0/16", "3491 17557", false}, /* covers it: says nothing */
        {"175.45.177.0/24", "3491 17557", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        begin_routes(&w);
        for (int peer = 0; peer < 3; peer++)
            world_route(&w, 1000, peer, cases[i].prefix, cases[i].path);
        struct route_prefix p = routes_of(&w, cases[i].prefix);
        assert_int_equal(p.is_foreign, cases[i].is_foreign);
        for (int peer = 0; peer < 3; peer++)
            world_route(&w, 2000, peer, cases[i].prefix, NULL);
        p = routes_of(&w, cases[i].prefix);
        assert_false(p.is_foreign);
        assert_int_equal(p.foreign_asn, cases[i].is_foreign ? 17557 : 0);
        world_done(&w);
    }
}

/* Another origin that was in the first table is as usual as the subject's own. */
static void first_table_is_usual(void **state)
{
    (void)state;
    struct world w;
    begin_routes(&w);
    world_route(&w, 5, 0, "175.45.176.0/25", "64500 4837");
    w.list[w.count - 1].code = ROUTE_TABLE;
    for (int peer = 1; peer < 4; peer++)
        world_route(&w, 5000, peer, "175.45.176.0/25", "3491 4837");
    assert_false(routes_of(&w, "175.45.176.0/25").is_foreign);
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_sorts),
        cmocka_unit_test(queue_ranks_kinds),
        cmocka_unit_test(series_goes_down),
        cmocka_unit_test(series_of_a_poor_line),
        cmocka_unit_test(series_slows_down),
        cmocka_unit_test(chance_delays_are_no_rise),
        cmocka_unit_test(series_keeps_its_baseline),
        cmocka_unit_test(checks_confirm),
        cmocka_unit_test(checks_teach_nothing),
        cmocka_unit_test(good_checks_are_kept),
        cmocka_unit_test(series_falls_silent),
        cmocka_unit_test(route_states),
        cmocka_unit_test(unknown_is_not_absent),
        cmocka_unit_test(other_archives_do_not_count),
        cmocka_unit_test(lost_peers_do_not_count),
        cmocka_unit_test(what_was_before_a_gap_is_unknown),
        cmocka_unit_test(an_open_gap),
        cmocka_unit_test(a_long_table),
        cmocka_unit_test(an_open_gap_within_an_outage),
        cmocka_unit_test(half_a_table_does_not_count),
        cmocka_unit_test(origins),
        cmocka_unit_test(first_table_is_usual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
