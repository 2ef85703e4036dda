/* Scripted outages through the whole core. Every script has its counterpart that must stay silent.
 */
#include "core_world.h"

static const struct answer GOOD = {OUTCOME_OK, STAGE_DONE, 180};
static const struct answer LOST = {OUTCOME_TIMEOUT, STAGE_CONNECT, 0};

enum {
    CONTROLS = 2,
    HOSTS = 6,
    NAMES = 2,
    SITES = 6,
    HOST = CONTROLS,
    NAME = HOST + HOSTS,
    SITE = NAME + NAMES,
    ALL = SITE + SITES
};
static const char *const controls[] = {"icmp:203.0.113.1", "icmp:203.0.113.2"};
static const char *const hosts[] = {"icmp:175.45.176.10", "icmp:175.45.176.11",
                                    "icmp:175.45.176.12", "icmp:175.45.177.20",
                                    "icmp:175.45.177.21", "icmp:175.45.178.30"};
static const char *const names[] = {"dns:175.45.176.10/kp./SOA", "dns:175.45.177.20/kp./SOA"};
static const char *const sites[] = {"tcp:175.45.176.10:80", "tcp:175.45.176.11:80",
                                    "tcp:175.45.176.12:80", "tcp:175.45.177.20:80",
                                    "tcp:175.45.177.21:25", "tcp:175.45.178.30:80"};
static const char *const prefixes[] = {"175.45.176.0/24", "175.45.177.0/24", "175.45.178.0/24"};
enum { PREFIXES = 3 };

/* Asks of the country, in this order: controls, hosts, name servers, sites; all every `interval` s.
 */
static void country(struct world *w, double interval)
{
    world_init(w);
    world_subject(w, 9 * 3600);
    for (int i = 0; i < CONTROLS; i++)
        world_ask(w, "lon", controls[i], true, interval);
    for (int i = 0; i < HOSTS; i++)
        world_ask(w, "lon", hosts[i], false, interval);
    for (int i = 0; i < NAMES; i++)
        world_ask(w, "lon", names[i], false, interval);
    for (int i = 0; i < SITES; i++)
        world_ask(w, "lon", sites[i], false, interval);
    for (int i = CONTROLS; i < ALL; i++)
        world_member(w, NAME_TARGET, w->asks[i].target);
    world_member(w, NAME_ASN, "131279");
    for (int i = 0; i < PREFIXES; i++) {
        world_member(w, NAME_PREFIX, prefixes[i]);
        world_route_all(w, 1, 2, prefixes[i], "4837 131279");
    }
}

/* Host number 0 to 5 of an ask of a country. */
static int host_of(int ask)
{
    static const int of_name[] = {0, 3};
    return ask < HOST   ? -1
           : ask < NAME ? ask - HOST
           : ask < SITE ? of_name[ask - NAME]
                        : ask - SITE;
}

static struct answer noisy(struct world *w, int ask, double t)
{
    (void)ask;
    (void)t;
    return world_random(w) < 0.01 ? LOST : GOOD;
}

static void quiet_day(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct world w;
        country(&w, 30);
        w.random = seed;
        world_run(&w, 0, 86400, noisy);
        world_end(&w, 86400);
        world_feed(&w);
        assert_int_equal(world_count(&w, CONCLUSION_EVENT), 0);
        assert_int_equal(world_incidents(&w), 0);
        assert_int_equal(world_count(&w, CONCLUSION_NOTICE), 0);
        world_done(&w);
    }
}

/* From 3600 s all power is off; at 5400 s routes come back, then hosts one after the other. */
static struct answer power(struct world *w, int ask, double t)
{
    if (ask < HOST)
        return GOOD;
    return t >= 3600 && t < 5700 + 240 * host_of(ask) ? LOST : noisy(w, ask, t);
}

static void power_cut(void **state)
{
    (void)state;
    struct world w;
    country(&w, 30);
    for (int i = 0; i < PREFIXES; i++) {
        world_route_all(&w, 3602 + i, 1, prefixes[i], NULL);
        world_route_all(&w, 5400 + i, 5, prefixes[i], "4837 131279");
    }
    world_run(&w, 0, 9000, power);
    world_end(&w, 9000);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 1);
    const struct incident *incident = world_incident(&w, 1);
    assert_int_equal(incident->is_open, 0);
    assert_int_equal(incident->episodes, 1);
    assert_int_equal(incident->layers[LAYER_HOST].extent.down, HOSTS);
    assert_int_equal(incident->layers[LAYER_HOST].extent.watched, HOSTS);
    assert_int_equal(incident->layers[LAYER_ROUTE].extent.down, PREFIXES);
    assert_true(incident->depth > 0.99);
    /* All at once: which came first cannot be told at this sampling. */
    assert_int_equal(incident->first_layer, LAYER_COUNT);
    assert_true(incident->began.last_before.ns < world_time(3604).ns);
    assert_true(incident->began.first_after.ns >= world_time(3600).ns);
    assert_true(incident->began.first_after.ns <= world_time(3630).ns);
    assert_true(incident->ended.first_after.ns >= world_time(5700 + 240 * 5).ns);
    assert_true(incident->ended.first_after.ns <= world_time(5700 + 240 * 5 + 61).ns);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_ONE_STEP)->truth, TRUTH_PRESENT);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_GRADED)->truth, TRUTH_ABSENT);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_WIDE)->truth, TRUTH_PRESENT);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_ROUTES_AT_ONCE)->truth, TRUTH_PRESENT);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_STAGED_RETURN)->truth, TRUTH_PRESENT);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_STEP_RETURN)->truth, TRUTH_ABSENT);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_CONTROLS_WELL)->truth, TRUTH_PRESENT);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_DATA_FIRST)->truth, TRUTH_UNKNOWN);
    assert_int_not_equal(world_verdict(&w, 1)->call, CAUSE_STRESS);
    world_done(&w);
}

/* Loss and delay grow for half an hour, then hosts go, then routes, which flap. */
static struct answer stress(struct world *w, int ask, double t)
{
    if (ask < HOST || t < 3600 || t > 12000 + 240 * host_of(ask))
        return noisy(w, ask, t);
    double load = t < 5700 ? (t - 3600) / 2100 : 1;
    if (t >= 5700 + 120 * host_of(ask))
        return LOST;
    if (world_random(w) < 0.05 + 0.6 * load)
        return LOST;
    return (struct answer){OUTCOME_OK, STAGE_DONE, 180 * (1 + 3 * load)};
}

static void network_stress(void **state)
{
    (void)state;
    struct world w;
    country(&w, 30);
    for (int i = 0; i < PREFIXES; i++) {
        for (int flap = 0; flap < 5; flap++) {
            world_route_all(&w, 7200 + 800 * flap + 200 * i, 90, prefixes[i], NULL);
            world_route_all(&w, 7600 + 800 * flap + 200 * i, 90, prefixes[i], "4837 131279");
        }
    }
    world_run(&w, 0, 14400, stress);
    world_end(&w, 14400);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 1);
    const struct incident *incident = world_incident(&w, 1);
    assert_int_equal(incident->first_layer, LAYER_PATH);
    assert_true(incident->began.first_after.ns >= world_time(3600).ns - 60 * NS_PER_S);
    assert_true(incident->began.first_after.ns <= world_time(5400).ns);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_GRADED)->truth, TRUTH_PRESENT);
    assert_true(world_finding(&w, 1, EVIDENCE_GRADED)->b > 1.5);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_DATA_FIRST)->truth, TRUTH_PRESENT);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_ROUTES_FLAP)->truth, TRUTH_PRESENT);
    assert_int_equal(world_verdict(&w, 1)->order[0], CAUSE_STRESS);
    world_done(&w);
}

static struct answer names_fail(struct world *w, int ask, double t)
{
    bool is_name = ask >= NAME && ask < SITE;
    return is_name && t >= 3600 && t < 7200
               ? (struct answer){OUTCOME_SERVER_FAILURE, STAGE_REPLY, 180}
               : noisy(w, ask, t);
}

static void dns_only(void **state)
{
    (void)state;
    struct world w;
    country(&w, 30);
    world_run(&w, 0, 9000, names_fail);
    world_end(&w, 9000);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 1);
    assert_int_equal(world_incident(&w, 1)->first_layer, LAYER_NAME);
    assert_int_equal(world_incident(&w, 1)->layers[LAYER_NAME].extent.down, NAMES);
    assert_int_equal(world_incident(&w, 1)->layers[LAYER_HOST].extent.down, 0);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_ONLY_NAMES)->truth, TRUTH_PRESENT);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_WRONG_ANSWERS)->n, NAMES);
    assert_int_equal(world_verdict(&w, 1)->order[0], CAUSE_DNS);
    world_done(&w);
}

static struct answer one_down(struct world *w, int ask, double t)
{
    return host_of(ask) == 4 && t >= 3600 ? LOST : noisy(w, ask, t);
}

static void one_host(void **state)
{
    (void)state;
    struct world w;
    country(&w, 30);
    world_run(&w, 0, 9000, one_down);
    world_end(&w, 9000);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 1);
    const struct incident *incident = world_incident(&w, 1);
    assert_int_equal(incident->is_open, 1);
    assert_int_equal(incident->layers[LAYER_HOST].extent.down, 1);
    assert_true(incident->depth < 0.2);
    const struct finding *one = world_finding(&w, 1, EVIDENCE_ONE_HOST);
    assert_int_equal(one->truth, TRUTH_PRESENT);
    assert_int_equal(one->n, HOSTS - 1);
    assert_non_null(strstr(registry_text(w.registry, one->name), "175.45.177.21"));
    assert_int_equal(world_finding(&w, 1, EVIDENCE_WIDE)->truth, TRUTH_ABSENT);
    world_done(&w);
}

static struct answer maintenance(struct world *w, int ask, double t)
{
    return ask >= SITE && t >= 3600 && t < 7200
               ? (struct answer){OUTCOME_HTTP_UNAVAILABLE, STAGE_REPLY, 200}
               : noisy(w, ask, t);
}

static void announced_maintenance(void **state)
{
    (void)state;
    struct world w;
    country(&w, 30);
    w.list[0].value = 2 * 3600; /* local time 03:00 on a Wednesday */
    world_run(&w, 0, 9000, maintenance);
    world_end(&w, 9000);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 1);
    assert_int_equal(world_incident(&w, 1)->first_layer, LAYER_SERVICE);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_SAID_SO)->n, SITES);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_QUIET_HOURS)->truth, TRUTH_PRESENT);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_PARTIAL_SERVICES)->n, SITES);
    world_done(&w);
}

static struct answer expired(struct world *w, int ask, double t)
{
    return ask == SITE + 2 && t >= 3600 ? (struct answer){OUTCOME_CERT_EXPIRED, STAGE_TLS, 300}
                                        : noisy(w, ask, t);
}

static void expired_certificate(void **state)
{
    (void)state;
    struct world w;
    country(&w, 30);
    world_run(&w, 0, 7200, expired);
    world_end(&w, 7200);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 1);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_EXPIRED)->truth, TRUTH_PRESENT);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_SERVICE_ERRORS)->truth, TRUTH_ABSENT);
    assert_int_equal(world_verdict(&w, 1)->order[0], CAUSE_CERTIFICATE);
    world_done(&w);
}

/* The observer's own line: everything, controls and all, at the same time. */
static double uplink_from, uplink_until;

static struct answer uplink(struct world *w, int ask, double t)
{
    return t >= uplink_from && t < uplink_until ? LOST : noisy(w, ask, t);
}

static void own_uplink(void **state)
{
    (void)state;
    /* Also with controls asked five times less often than the targets, and for outages from a few
     * rounds to an hour, beginning anywhere between two probes. */
    for (int i = 0; i < 24; i++) {
        struct world w;
        country(&w, 30);
        if (i % 2)
            w.asks[0].interval = w.asks[1].interval = 150;
        uplink_from = 3600 + 7.3 * i;
        uplink_until = uplink_from + (i % 3 ? 3600 : 100 + 10 * i);
        world_run(&w, 0, 9000, uplink);
        world_end(&w, 9000);
        world_feed(&w);
        assert_int_equal(world_incidents(&w), 0);
        assert_int_equal(world_count(&w, CONCLUSION_EVENT), 0);
        if (i % 3) {
            assert_int_equal(world_notices(&w, NOTICE_VANTAGE_UNWELL, true), 1);
            assert_int_equal(world_notices(&w, NOTICE_VANTAGE_UNWELL, false), 1);
        }
        world_done(&w);
    }
}

/* The line of the observer fails, and during that the country's too: the country's outage is found.
 */
static struct answer both_fail(struct world *w, int ask, double t)
{
    if (t >= 3600 && t < 4800)
        return LOST;
    return ask >= HOST && t >= 4200 && t < 9000 ? LOST : noisy(w, ask, t);
}

static void outage_behind_uplink(void **state)
{
    (void)state;
    struct world w;
    country(&w, 30);
    world_run(&w, 0, 10800, both_fail);
    world_end(&w, 10800);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 1);
    const struct incident *incident = world_incident(&w, 1);
    /* What happened while we were blind is not dated better than that. */
    assert_true(incident->began.last_before.ns <= world_time(3600).ns);
    assert_true(incident->began.first_after.ns >= world_time(4800).ns);
    assert_int_equal(incident->layers[LAYER_HOST].extent.down, HOSTS);
    world_done(&w);
}

/* The observer starts again while a prefix is gone that is only watched for its AS: the same
 * configuration, told once more, does not end that. */
static void told_again(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    world_subject(&w, 0);
    world_member(&w, NAME_ASN, "131279");
    world_route_all(&w, 1, 2, prefixes[0], "4837 131279");
    world_route_all(&w, 1, 2, prefixes[1], "4837 131279");
    world_route_all(&w, 1000, 2, prefixes[0], NULL);
    world_subject(&w, 0);
    world_member(&w, NAME_ASN, "131279");
    for (size_t i = w.count - 2; i < w.count; i++)
        w.list[i].time = world_time(2000);
    world_route_all(&w, 3000, 2, prefixes[0], "4837 131279");
    world_end(&w, 5000);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 1);
    const struct incident *incident = world_incident(&w, 1);
    assert_false(incident->is_open);
    assert_true(incident->ended.first_after.ns > world_time(2990).ns);
    world_done(&w);
}

/* The only collector is lost, for a whole hour, and comes back with all that it had. */
static void collector_lost(void **state)
{
    (void)state;
    struct world w;
    country(&w, 30);
    for (int again = 0; again < 2; again++) /* the second says no more than the first */
        world_add(&w, 3600 + again, OBSERVATION_GAP)->source =
            world_name(&w, NAME_COLLECTOR, "rrc00");
    world_add(&w, 7200, OBSERVATION_START)->source = world_name(&w, NAME_COLLECTOR, "rrc00");
    for (int peer = 0; peer < WORLD_PEERS; peer++) {
        world_peer(&w, 7201, peer, PEER_UP);
        world_peer(&w, 7203, peer, PEER_COMPLETE);
    }
    for (int i = 0; i < PREFIXES; i++)
        world_route_all(&w, 7202, 0.5, prefixes[i], "4837 131279");
    world_run(&w, 0, 9000, noisy);
    world_end(&w, 9000);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 0);
    assert_int_equal(world_notices(&w, NOTICE_SOURCE_GAP, true), 1);
    assert_int_equal(world_notices(&w, NOTICE_SOURCE_GAP, false), 1);
    assert_int_equal(world_notices(&w, NOTICE_PEER_LOST, true), 0);
    world_done(&w);
}

/* The events of routes. */
static size_t route_events(const struct world *w, const struct event *events[], size_t most)
{
    size_t n = 0;
    for (size_t i = 0; i < w->out.count; i++)
        if (w->out.list[i].kind == CONCLUSION_EVENT && w->out.list[i].event.layer == LAYER_ROUTE &&
            n < most)
            events[n++] = &w->out.list[i].event;
    return n;
}

/* The only collector is lost and heard again an hour later, without any table. */
static void heard_again(struct world *w)
{
    country(w, 30);
    world_add(w, 3600, OBSERVATION_GAP)->source = world_name(w, NAME_COLLECTOR, "rrc00");
    world_add(w, 7200, OBSERVATION_START)->source = world_name(w, NAME_COLLECTOR, "rrc00");
    for (int peer = 0; peer < WORLD_PEERS; peer++)
        world_peer(w, 7201 + peer, peer, PEER_HEARD);
}

/* That no table came does not mean that the routes are gone: nothing is known of them. */
static void no_table_is_no_outage(void **state)
{
    (void)state;
    struct world w;
    const struct event *events[1];
    heard_again(&w);
    world_run(&w, 0, 12000, noisy);
    world_end(&w, 12000);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 0);
    assert_int_equal(route_events(&w, events, 1), 0);
    assert_int_equal(world_notices(&w, NOTICE_SOURCE_GAP, false), 1);
    size_t unknown = 0, known = 0;
    for (size_t i = 0; i < w.out.count; i++) {
        const struct conclusion *k = &w.out.list[i];
        if (k->kind != CONCLUSION_SERIES || k->series.layer != LAYER_ROUTE ||
            k->time.ns < world_time(3600).ns)
            continue;
        unknown += k->series.condition == CONDITION_NO_DATA;
        known += k->series.condition != CONDITION_NO_DATA;
    }
    assert_int_equal(unknown, PREFIXES);
    assert_int_equal(known, 0);
    world_done(&w);
}

/* What goes after that is seen to go, but not since when: who had lost it unheard did not say so. */
static void lost_after_the_gap(void **state)
{
    (void)state;
    struct world w;
    const struct event *events[2 * PREFIXES];
    heard_again(&w);
    for (int i = 0; i < PREFIXES; i++)
        world_route_all(&w, 9000, 5, prefixes[i], NULL);
    world_run(&w, 0, 12000, noisy);
    world_end(&w, 12000);
    world_feed(&w);
    assert_int_equal(route_events(&w, events, 2 * PREFIXES), PREFIXES);
    for (int i = 0; i < PREFIXES; i++) {
        assert_int_equal(events[i]->to, CONDITION_DOWN);
        assert_in_range(events[i]->at.first_after.ns, world_time(9000).ns, world_time(9006).ns);
        assert_in_range(events[i]->at.last_before.ns, world_time(3598).ns, world_time(3601).ns);
    }
    world_done(&w);
}

/* Each prefix is spoken of by all its peers again: then it is known as ever, to the second. */
static void known_once_it_spoke(void **state)
{
    (void)state;
    struct world w;
    const struct event *events[2 * PREFIXES];
    heard_again(&w);
    for (int i = 0; i < PREFIXES; i++) {
        world_route_all(&w, 8000, 100, prefixes[i], "4837 131279");
        world_route_all(&w, 9000, 5, prefixes[i], NULL);
    }
    world_run(&w, 0, 12000, noisy);
    world_end(&w, 12000);
    world_feed(&w);
    assert_int_equal(route_events(&w, events, 2 * PREFIXES), PREFIXES);
    for (int i = 0; i < PREFIXES; i++) {
        assert_int_equal(events[i]->to, CONDITION_DOWN);
        assert_in_range(events[i]->at.last_before.ns, world_time(8998).ns, world_time(9005).ns);
    }
    world_done(&w);
}

/* A session that ends and begins anew is another matter: then the table comes, and what is not in
 * it is gone. */
static void a_new_session_tells_its_table(void **state)
{
    (void)state;
    struct world w;
    const struct event *events[2 * PREFIXES];
    heard_again(&w);
    for (int peer = 0; peer < WORLD_PEERS; peer++) {
        world_peer(&w, 8000, peer, PEER_DOWN);
        world_peer(&w, 8010, peer, PEER_UP);
    }
    for (int i = 0; i < PREFIXES - 1; i++)
        world_route_all(&w, 8020, 1, prefixes[i], "4837 131279");
    world_run(&w, 0, 12000, noisy);
    world_end(&w, 12000);
    world_feed(&w);
    assert_int_equal(route_events(&w, events, 2 * PREFIXES), 1);
    assert_string_equal(registry_text(w.registry, events[0]->target), prefixes[PREFIXES - 1]);
    assert_int_equal(events[0]->to, CONDITION_DOWN);
    world_done(&w);
}

/* What a peer announces just when it is heard first is its table only if its session begins then. */
static void first_word_is_news(void **state)
{
    (void)state;
    for (int is_joined = 0; is_joined < 2; is_joined++) {
        struct world w;
        bool is_foreign = false;
        world_init(&w);
        world_subject(&w, 0);
        world_member(&w, NAME_PREFIX, "198.51.100.0/24");
        world_member(&w, NAME_ASN, "64496");
        if (is_joined)
            world_peer(&w, 10, 0, PEER_HEARD);
        world_route(&w, 11, 0, "198.51.100.0/24", "64500 4837 64666");
        world_end(&w, 1000);
        world_feed(&w);
        for (uint32_t id = 1; id <= world_incidents(&w); id++)
            is_foreign |= world_finding(&w, id, EVIDENCE_FOREIGN_ORIGIN)->truth == TRUTH_PRESENT;
        assert_int_equal(is_foreign, is_joined);
        world_done(&w);
    }
}

static void peer_lost(void **state)
{
    (void)state;
    struct world w;
    country(&w, 30);
    world_peer(&w, 3600, 0, PEER_DOWN);
    world_peer(&w, 3700, 1, PEER_DOWN);
    world_peer(&w, 3800, 2, PEER_DOWN);
    world_peer(&w, 5000, 0, PEER_UP);
    for (int i = 0; i < PREFIXES; i++)
        world_route(&w, 5020 + i, 0, prefixes[i], "64500 4837 131279");
    world_run(&w, 0, 7200, noisy);
    world_end(&w, 7200);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 0);
    assert_int_equal(world_notices(&w, NOTICE_PEER_LOST, true), 3);
    assert_int_equal(world_notices(&w, NOTICE_PEER_LOST, false), 1);
    assert_int_equal(world_count(&w, CONCLUSION_EVENT), 0);
    world_done(&w);
}

/* A machine that slept for half an hour. */
static void clock_gap(void **state)
{
    (void)state;
    struct world w;
    country(&w, 30);
    world_run(&w, 0, 3600, noisy);
    world_run(&w, 5400, 7200, noisy);
    struct observation *gap = world_add(&w, 3601, OBSERVATION_GAP);
    gap->source = world_name(&w, NAME_VANTAGE, "lon");
    gap->value = world_time(5400).ns;
    world_end(&w, 7200);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 0);
    assert_int_equal(world_count(&w, CONCLUSION_EVENT), 0);
    assert_int_equal(world_notices(&w, NOTICE_SOURCE_GAP, false), 1);
    assert_int_equal(world_notices(&w, NOTICE_SERIES_SILENT, true), 0);
    world_done(&w);
}

/* The same, but nobody says so: silence is no data. One target alone falls silent later. */
static void silence(void **state)
{
    (void)state;
    struct world w;
    country(&w, 30);
    world_run(&w, 0, 3600, noisy);
    world_run(&w, 5400, 7200, noisy);
    w.ask_count--;
    world_run(&w, 7200, 9000, noisy);
    world_end(&w, 9000);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 0);
    assert_int_equal(world_count(&w, CONCLUSION_EVENT), 0);
    assert_int_equal(world_notices(&w, NOTICE_SOURCE_GAP, true), 1);
    assert_int_equal(world_notices(&w, NOTICE_SOURCE_GAP, false), 1);
    assert_int_equal(world_notices(&w, NOTICE_SERIES_SILENT, true), 1);
    world_done(&w);
}

/* What was asked once, for another's sake, is no series: it goes down with nobody, and nobody is told that it is
 * not asked any more. */
static void traces_are_no_series(void **state)
{
    (void)state;
    struct world w;
    country(&w, 30);
    world_run(&w, 0, 9000, noisy);
    uint32_t host = world_name(&w, NAME_TARGET, hosts[0]);
    for (int i = 0; i < 6; i++) {
        struct observation *o = world_add(&w, 300 + i, OBSERVATION_PROBE);
        o->source = world_name(&w, NAME_VANTAGE, w.asks[0].vantage);
        o->target = world_name(&w, NAME_TARGET, "trace:198.51.100.7");
        o->outcome = i < 2 ? OUTCOME_OK : OUTCOME_TIMEOUT;
        o->path = host;
    }
    world_end(&w, 9000);
    world_feed(&w);
    assert_int_equal(world_count(&w, CONCLUSION_EVENT), 0);
    assert_int_equal(world_notices(&w, NOTICE_SERIES_SILENT, true), 0);
    uint32_t trace = world_name(&w, NAME_TARGET, "trace:198.51.100.7");
    for (size_t i = 0; i < w.out.count; i++)
        if (w.out.list[i].kind == CONCLUSION_SERIES)
            assert_int_not_equal(w.out.list[i].series.target, trace);
    world_done(&w);
}

/* What never answered is down, but has no outage: whoever shows it is told so. */
static struct answer one_dead(struct world *w, int ask, double t)
{
    return strcmp(w->asks[ask].target, hosts[0]) == 0 ? LOST : noisy(w, ask, t);
}

static void never_up(void **state)
{
    (void)state;
    struct world w;
    size_t dead = 0, alive = 0;
    country(&w, 30);
    world_run(&w, 0, 3600, one_dead);
    world_end(&w, 3600);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 0);
    for (size_t i = 0; i < w.out.count; i++) {
        const struct series_state *series = &w.out.list[i].series;
        if (w.out.list[i].kind != CONCLUSION_SERIES || series->condition == CONDITION_NO_DATA)
            continue;
        bool is_dead = strcmp(registry_text(w.registry, series->target), hosts[0]) == 0;
        assert_int_equal(series->was_up, !is_dead);
        dead += is_dead && series->condition == CONDITION_DOWN;
        alive += !is_dead;
    }
    assert_true(dead && alive);
    world_done(&w);
}

/* Three vantages; what one of them alone sees is not the country's. */
static struct answer one_vantage(struct world *w, int ask, double t)
{
    bool is_flapping = strcmp(w->asks[ask].vantage, "ams") == 0 && !w->asks[ask].is_control;
    return is_flapping && fmod(t, 1800) > 900 ? LOST : noisy(w, ask, t);
}

static void flapping_vantage(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    world_subject(&w, 0);
    static const char *const vantages[] = {"lon", "ams", "nyc"};
    for (int v = 0; v < 3; v++) {
        world_ask(&w, vantages[v], controls[0], true, 30);
        for (int i = 0; i < HOSTS; i++) {
            world_ask(&w, vantages[v], hosts[i], false, 30);
            if (!v)
                world_member(&w, NAME_TARGET, hosts[i]);
        }
    }
    world_run(&w, 0, 9000, one_vantage);
    world_end(&w, 9000);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 0);
    assert_true(world_count(&w, CONCLUSION_EVENT) > 0); /* the series did change */
    world_done(&w);
}

static void hijack(void **state)
{
    (void)state;
    struct world w;
    country(&w, 30);
    for (int peer = 0; peer < 4; peer++) {
        world_route(&w, 3600 + 5 * peer, peer, "175.45.176.0/25", "3491 17557");
        world_route(&w, 9000 + 5 * peer, peer, "175.45.176.0/25", NULL);
    }
    world_run(&w, 0, 10800, noisy);
    world_end(&w, 10800);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 1);
    const struct incident *incident = world_incident(&w, 1);
    assert_int_equal(incident->is_open, 0);
    assert_int_equal(incident->first_layer, LAYER_ROUTE);
    assert_true(incident->began.last_before.ns >= world_time(3598).ns);
    assert_true(incident->began.first_after.ns <= world_time(3610).ns);
    assert_true(incident->ended.first_after.ns >= world_time(9000).ns);
    assert_true(incident->ended.first_after.ns <= world_time(9020).ns);
    const struct finding *foreign = world_finding(&w, 1, EVIDENCE_FOREIGN_ORIGIN);
    assert_int_equal(foreign->truth, TRUTH_PRESENT);
    assert_int_equal((int)foreign->a, 17557);
    assert_int_equal(foreign->n, 4);
    assert_int_equal(foreign->m, 5);
    assert_string_equal(registry_text(w.registry, foreign->name), "175.45.176.0/25");
    assert_true(foreign->second.first_after.ns >= world_time(9000).ns);
    assert_int_equal(world_verdict(&w, 1)->call, CAUSE_HIJACK);
    world_done(&w);
}

/* The founding case in outline: three outages within twelve days are one history. */
static struct answer intermittent(struct world *w, int ask, double t)
{
    if (ask < HOST)
        return GOOD;
    double day = t / 86400;
    bool is_down = (day >= 0.5 && day < 0.6) || (day >= 0.7 && day < 0.8) ||
                   (day >= 8.3 && day < 8.45) || (day >= 12.1 && day < 12.35);
    return is_down ? LOST : noisy(w, ask, t);
}

static void history_of_episodes(void **state)
{
    (void)state;
    struct world w;
    country(&w, 300);
    world_run(&w, 0, 13 * 86400, intermittent);
    world_end(&w, 13 * 86400);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 1);
    const struct incident *incident = world_incident(&w, 1);
    assert_int_equal(incident->episodes, 4);
    assert_int_equal(incident->is_open, 0);
    assert_true(incident->began.first_after.ns <= world_time(0.51 * 86400).ns);
    assert_true(incident->ended.first_after.ns >= world_time(12.35 * 86400).ns);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_RECURRENT)->truth, TRUTH_PRESENT);
    world_done(&w);
}

/* One host fails for good; a week later the rest goes dark: two incidents, not one. */
static struct answer two_faults(struct world *w, int ask, double t)
{
    if (ask < HOST)
        return GOOD;
    if (host_of(ask) == 5 && t >= 3600)
        return LOST;
    return t >= 4 * 3600 && t < 5 * 3600 ? LOST : noisy(w, ask, t);
}

static void unrelated_faults(void **state)
{
    (void)state;
    struct world w;
    country(&w, 30);
    world_run(&w, 0, 6 * 3600, two_faults);
    world_end(&w, 6 * 3600);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 2);
    assert_int_equal(world_incident(&w, 1)->is_open, 1);
    assert_int_equal(world_incident(&w, 1)->layers[LAYER_HOST].extent.down, 1);
    assert_int_equal(world_incident(&w, 2)->is_open, 0);
    assert_int_equal(world_incident(&w, 2)->layers[LAYER_HOST].extent.down, HOSTS - 1);
    world_done(&w);
}

/* What a laboratory does in two minutes: probes four times a second, hold time nine seconds. */
static struct answer compressed(struct world *w, int ask, double t)
{
    if (ask < HOST || t < 30 || t > 70)
        return noisy(w, ask, t);
    if (t < 40)
        return world_random(w) < 0.3 ? LOST : (struct answer){OUTCOME_OK, STAGE_DONE, 440};
    return LOST;
}

static void laboratory(void **state)
{
    (void)state;
    struct world w;
    country(&w, 0.25);
    for (int i = 0; i < PREFIXES; i++) {
        world_route_all(&w, 55, 0.01, prefixes[i], NULL);
        world_route_all(&w, 75, 0.01, prefixes[i], "4837 131279");
    }
    world_run(&w, 0, 120, compressed);
    world_end(&w, 120);
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 1);
    assert_int_equal(world_incident(&w, 1)->is_open, 0);
    assert_int_equal(world_incident(&w, 1)->first_layer, LAYER_PATH);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_GRADED)->truth, TRUTH_PRESENT);
    assert_int_equal(world_finding(&w, 1, EVIDENCE_DATA_FIRST)->truth, TRUTH_PRESENT);
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quiet_day),
        cmocka_unit_test(power_cut),
        cmocka_unit_test(network_stress),
        cmocka_unit_test(dns_only),
        cmocka_unit_test(one_host),
        cmocka_unit_test(announced_maintenance),
        cmocka_unit_test(expired_certificate),
        cmocka_unit_test(own_uplink),
        cmocka_unit_test(outage_behind_uplink),
        cmocka_unit_test(told_again),
        cmocka_unit_test(collector_lost),
        cmocka_unit_test(no_table_is_no_outage),
        cmocka_unit_test(lost_after_the_gap),
        cmocka_unit_test(known_once_it_spoke),
        cmocka_unit_test(a_new_session_tells_its_table),
        cmocka_unit_test(first_word_is_news),
        cmocka_unit_test(peer_lost),
        cmocka_unit_test(clock_gap),
        cmocka_unit_test(silence),
        cmocka_unit_test(traces_are_no_series),
        cmocka_unit_test(never_up),
        cmocka_unit_test(flapping_vantage),
        cmocka_unit_test(hijack),
        cmocka_unit_test(history_of_episodes),
        cmocka_unit_test(unrelated_faults),
        cmocka_unit_test(laboratory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
