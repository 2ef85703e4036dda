/* What belongs to one incident and what does not, by the rules at the head of incident/cases.h. */
#include "core_world.h"

#include "core/incident/findings.h"

static const struct answer GOOD = {OUTCOME_OK, STAGE_DONE, 100};
static const struct answer LOST = {OUTCOME_TIMEOUT, STAGE_REPLY, 0};

enum { HOSTS = 8 };

/* When which hosts are down, in seconds: ends with hosts 0. */
struct fault {
    double from, until;
    unsigned hosts; /* one bit for each */
};
static const struct fault *faults;

static struct answer answer(struct world *w, int ask, double t)
{
    (void)w;
    for (const struct fault *f = faults; f->hosts; f++)
        if (ask > 0 && (f->hosts >> (ask - 1) & 1) && t >= f->from && t < f->until)
            return LOST;
    return GOOD;
}

/* Eight hosts, a control; every 30 s. */
static void play(struct world *w, const struct fault *list, double until)
{
    world_init(w);
    world_subject(w, 0);
    world_ask(w, "lon", "icmp:203.0.113.1", true, 30);
    for (int i = 0; i < HOSTS; i++) {
        char name[32];
        snprintf(name, sizeof name, "icmp:192.0.2.%d", 10 + i);
        uint32_t id = world_name(w, NAME_TARGET, name);
        world_ask(w, "lon", registry_text(w->registry, id), false, 30);
        world_member(w, NAME_TARGET, name);
    }
    faults = list;
    world_run(w, 0, until, answer);
    world_end(w, until);
    world_feed(w);
}

enum { ALL = 0xff, HOUR = 3600, DAY = 86400 };

static void belonging(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct fault faults[5];
        double until;
        uint32_t incidents;
        uint16_t episodes[3];
    } cases[] = {
        {"one outage", {{1 * HOUR, 2 * HOUR, ALL}}, 4 * HOUR, 1, {1}},
        {"a short pause is the same episode",
         {{1 * HOUR, 2 * HOUR, ALL}, {2 * HOUR + 120, 3 * HOUR, ALL}},
         5 * HOUR,
         1,
         {1}},
        {"a pause of an hour is another episode",
         {{1 * HOUR, 2 * HOUR, ALL}, {3 * HOUR, 4 * HOUR, ALL}},
         6 * HOUR,
         1,
         {2}},
        {"half of it a day later is alike",
         {{1 * HOUR, 2 * HOUR, ALL}, {DAY, DAY + HOUR, 0x0f}},
         DAY + 3 * HOUR,
         1,
         {2}},
        {"one host of eight is not",
         {{1 * HOUR, 2 * HOUR, ALL}, {4 * HOUR, 6 * HOUR, 0x10}},
         8 * HOUR,
         2,
         {1, 1}},
        {"one host again is",
         {{1 * HOUR, 2 * HOUR, 0x10}, {4 * HOUR, 6 * HOUR, 0x10}},
         8 * HOUR,
         1,
         {2}},
        {"another host is not",
         {{1 * HOUR, 2 * HOUR, 0x10}, {4 * HOUR, 6 * HOUR, 0x20}},
         8 * HOUR,
         2,
         {1, 1}},
        {"everything after one host is not",
         {{1 * HOUR, 2 * HOUR, 0x10}, {4 * HOUR, 6 * HOUR, ALL}},
         8 * HOUR,
         2,
         {1, 1}},
        {"one after the other within an hour is one",
         {{1 * HOUR, 4 * HOUR, 0x01}, {1.3 * HOUR, 4 * HOUR, 0x02}, {2 * HOUR, 4 * HOUR, 0x04}},
         6 * HOUR,
         1,
         {1}},
        {"a host that is long dead and then the rest are two",
         {{1 * HOUR, 9 * HOUR, 0x01}, {5 * HOUR, 6 * HOUR, 0xfe}},
         10 * HOUR,
         2,
         {1, 1}},
        {"what begins slowly joins what it grows into",
         {{1 * HOUR, 2 * HOUR, ALL}, {DAY, DAY + HOUR, 0x01}, {DAY + 300, DAY + HOUR, 0xfe}},
         DAY + 3 * HOUR,
         1,
         {2}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        play(&w, cases[i].faults, cases[i].until);
        if (world_incidents(&w) != cases[i].incidents)
            print_error("%s: %u incidents\n", cases[i].what, world_incidents(&w));
        assert_int_equal(world_incidents(&w), cases[i].incidents);
        for (uint32_t id = 1; id <= cases[i].incidents; id++) {
            const struct incident *incident = world_incident(&w, id);
            if (incident->episodes != cases[i].episodes[id - 1] || incident->is_open)
                print_error("%s: incident %u\n", cases[i].what, id);
            assert_int_equal(incident->episodes, cases[i].episodes[id - 1]);
            assert_int_equal(incident->is_open, 0);
        }
        world_done(&w);
    }
}

/* After two weeks it is another story. */
static void two_weeks(void **state)
{
    (void)state;
    static const struct fault list[] = {
        {HOUR, 3 * HOUR, ALL}, {16.0 * DAY, 16.0 * DAY + 2 * HOUR, ALL}, {0, 0, 0}};
    struct world w;
    play(&w, list, 16 * DAY + 4 * HOUR);
    assert_int_equal(world_incidents(&w), 2);
    world_done(&w);
}

/* A target that never answered has no onset, and one that is no member concerns nobody. */
static void no_onset_no_incident(void **state)
{
    (void)state;
    static const struct fault list[] = {{0, 4 * HOUR, 0x01}, {0, 0, 0}};
    struct world w;
    play(&w, list, 2 * HOUR);
    assert_int_equal(world_incidents(&w), 0);
    for (size_t i = 0; i < w.count; i++)
        if (w.list[i].kind == OBSERVATION_MEMBER)
            w.list[i].kind = OBSERVATION_TICK;
    static const struct fault later[] = {{HOUR, 4 * HOUR, ALL}, {0, 0, 0}};
    faults = later;
    world_feed(&w);
    assert_int_equal(world_incidents(&w), 0);
    world_done(&w);
}

/* Every event of an outage names its incident, whenever that was opened. */
static void events_belong(void **state)
{
    (void)state;
    static const struct fault list[] = {{HOUR, 2 * HOUR, ALL}, {0, 0, 0}};
    struct world w;
    play(&w, list, 4 * HOUR);
    size_t n = 0;
    for (size_t i = 0; i < w.out.count; i++) {
        if (w.out.list[i].kind != CONCLUSION_EVENT)
            continue;
        n++;
        assert_int_equal(w.out.list[i].event.id, n);
        assert_int_equal(w.out.list[i].event.incident, 1);
    }
    assert_int_equal(n, 2 * HOSTS);
    world_done(&w);
}

/* A fault that flaps for a month does not fill the record. */
static void revisions_are_bounded(void **state)
{
    (void)state;
    struct world w;
    static struct fault list[400];
    for (int i = 0; i < 399; i++)
        list[i] = (struct fault){HOUR + 600.0 * i, HOUR + 600.0 * i + 300, ALL};
    list[399].hosts = 0;
    play(&w, list, HOUR + 400 * 600);
    assert_int_equal(world_incidents(&w), 1);
    assert_true(world_incident(&w, 1)->revision <= CASE_REVISIONS + 2 * 400);
    /* Ten at will, then one a minute of trouble at most, besides begin and end of each episode. */
    uint32_t episodes = world_incident(&w, 1)->episodes;
    assert_true(world_count(&w, CONCLUSION_INCIDENT) <= 10 + 8 * 399 + 2 * episodes);
    assert_int_equal(world_count(&w, CONCLUSION_INCIDENT), world_incident(&w, 1)->revision);
    world_done(&w);
}

static void common_instants(void **state)
{
    (void)state;
    static const struct {
        struct interval spans[4]; /* sorted by end */
        size_t n, common;
        struct interval at;
    } cases[] = {
        {{{{1}, {5}}}, 1, 1, {{1}, {5}}},
        {{{{1}, {5}}, {{2}, {6}}, {{4}, {9}}}, 3, 3, {{4}, {5}}},
        {{{{1}, {2}}, {{3}, {6}}, {{4}, {9}}}, 3, 2, {{4}, {6}}},
        {{{{1}, {2}}, {{3}, {4}}, {{5}, {6}}}, 3, 1, {{1}, {2}}},
        {{{{1}, {2}}, {{1}, {3}}, {{2}, {8}}, {{4}, {9}}}, 4, 3, {{2}, {2}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct interval at = {{0}, {0}};
        assert_int_equal(spans_common(cases[i].spans, cases[i].n, &at), cases[i].common);
        assert_int_equal(at.last_before.ns, cases[i].at.last_before.ns);
        assert_int_equal(at.first_after.ns, cases[i].at.first_after.ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(belonging),
        cmocka_unit_test(two_weeks),
        cmocka_unit_test(no_onset_no_incident),
        cmocka_unit_test(events_belong),
        cmocka_unit_test(revisions_are_bounded),
        cmocka_unit_test(common_instants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
