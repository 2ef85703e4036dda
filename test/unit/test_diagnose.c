/* Documented cases (and some that lab-notes.md and the signatures of science.md describe) as
 * findings made by hand, held against what careful observers concluded; and properties that must
 * hold for any findings. */
#include "core/core.h"
#include "core/diagnose/diagnose.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What must come out; causes by name, any of them NULL for "not asked". */
struct expected {
    const char *call;   /* "none" for no call */
    const char *first;  /* leads, called or not */
    const char *in;     /* names in the 80 % set, separated by blanks */
    const char *behind; /* "a b": a must have less than b */
};

struct documented {
    const char *name;
    const char *findings; /* "+name" there, "-name" missed; all others unknown */
    struct expected expected;
};

#define POWER_CUT_ONSET                                                                            \
    "+controls-well +wide -one-host -partial-services -graded-phase +one-step -routes-calm "       \
    "+routes-at-once -routes-flap -foreign-origin -upstream-change -orderly-withdrawal "           \
    "-on-the-hour -same-clock-time -only-names -service-errors -silent-services "                  \
    "-certificate-expired"

static const struct documented cases[] = {
    {"Pyongyang, 26 January 2022: graded loss, single hosts, then routes; episodes at odd times",
     "+controls-well +vantages-agree +wide -one-host +partial-services +graded-phase -one-step "
     "-cliff-then-decay -routes-calm -routes-at-once +routes-flap -foreign-origin -upstream-change "
     "-orderly-withdrawal +hosts-before-routes -routes-before-hosts -on-the-hour -same-clock-time "
     "+recurrent -quiet-hours -only-names +silent-services -certificate-expired +relapses "
     "-step-return",
     {.call = "network-stress", .in = "network-stress", .behind = "site-power network-stress"}},
    {"the rule of the founding article alone: a graded phase, then slow withdrawal",
     "+graded-phase -routes-at-once",
     {.call = "none", .first = "network-stress"}},
    {"the other half of that rule alone: routes at once is shared by many causes",
     "+routes-at-once",
     {.call = "none", .in = "site-power cable own-config directed"}},
    {"Pyongyang, December 2014: long instability; fits stress and power, less a cable or an "
     "upstream",
     "+controls-well +wide -one-host -routes-calm -routes-at-once +routes-flap -foreign-origin "
     "-upstream-change -orderly-withdrawal -on-the-hour -same-clock-time +recurrent +relapses",
     {.first = "network-stress", .behind = "cable network-stress"}},
    {"Pyongyang, December 2014: a cable is behind power too",
     "+controls-well +wide -one-host -routes-calm -routes-at-once +routes-flap -foreign-origin "
     "-upstream-change -orderly-withdrawal -on-the-hour -same-clock-time +recurrent +relapses",
     {.behind = "upstream site-power"}},
    {"Pyongyang, May 2021: fourteen sites on one server after an update",
     "+controls-well -wide +one-host +partial-services -graded-phase -only-names +service-errors "
     "-silent-services -certificate-expired -announced-unavailable -foreign-origin",
     {.call = "server"}},
    {"a power cut at its onset cannot be told from a cable cut",
     "+controls-well +wide -one-host -partial-services -graded-phase +one-step -routes-calm "
     "+routes-at-once -routes-flap -foreign-origin -upstream-change -orderly-withdrawal "
     "-on-the-hour "
     "-same-clock-time -only-names -service-errors -silent-services -certificate-expired",
     {.call = "none", .in = "site-power cable", .behind = "network-stress site-power"}},
    {"the same, when routes came back first and hosts followed one by one",
     "+controls-well +wide -one-host -partial-services -graded-phase +one-step -routes-calm "
     "+routes-at-once -routes-flap -foreign-origin -upstream-change -orderly-withdrawal "
     "-on-the-hour "
     "-same-clock-time -only-names -service-errors -silent-services -certificate-expired "
     "+staged-return -relapses",
     {.first = "site-power", .behind = "cable site-power"}},
    {"the same, when all hosts came back together",
     "+controls-well +wide -one-host -partial-services -graded-phase +one-step -routes-calm "
     "+routes-at-once -routes-flap -foreign-origin -upstream-change -orderly-withdrawal "
     "-on-the-hour "
     "-same-clock-time -only-names -service-errors -silent-services -certificate-expired "
     "-staged-return +step-return -relapses",
     {.call = "none", .in = "cable", .behind = "site-power cable"}},
    {"Egypt, 27 January 2011: many networks, one after the other, from midnight local time",
     "+controls-well +wide -one-host -graded-phase -routes-calm -routes-at-once -routes-flap "
     "+many-origins -foreign-origin -upstream-change +orderly-withdrawal +on-the-hour "
     "-same-clock-time +step-return",
     {.call = "directed"}},
    {"Syria, 29 November 2012: like a switch; a switch or one site, nothing in the signals tells",
     "+controls-well +wide -one-host -graded-phase +one-step -routes-calm +routes-at-once "
     "-routes-flap -foreign-origin -upstream-change -orderly-withdrawal -on-the-hour "
     "-same-clock-time +recurrent",
     {.call = "none", .in = "site-power", .behind = "network-stress directed"}},
    {"Syria again, if the onset is not known to the minute: the clock no longer speaks against it",
     "+controls-well +wide -one-host -graded-phase +one-step -routes-calm +routes-at-once "
     "-routes-flap -foreign-origin -upstream-change -orderly-withdrawal +recurrent",
     {.call = "none", .in = "site-power directed"}},
    {"exam days: on the hour, the same hour as on earlier days, clean step down and up",
     "+controls-well +wide -one-host -graded-phase +one-step +routes-at-once -routes-calm "
     "-routes-flap +many-origins -foreign-origin -upstream-change +on-the-hour +same-clock-time "
     "-recurrent +step-return -relapses",
     {.call = "directed"}},
    {"Kazakhstan, 5 January 2022: nationwide at half past, routes with it",
     "+controls-well +wide -one-host -graded-phase +one-step -routes-calm -routes-at-once "
     "+many-origins -foreign-origin -upstream-change +on-the-hour -recurrent",
     {.first = "directed"}},
    {"Iran, June 2025: dark while the routes stay",
     "+controls-well +wide -one-host -graded-phase +one-step +routes-calm -routes-at-once "
     "-routes-flap -many-origins -foreign-origin -upstream-change +on-the-hour -only-names",
     {.call = "none", .in = "directed filtering", .behind = "network-stress directed"}},
    {"Facebook, 4 October 2021: the name servers' routes first, then names, then the rest",
     "+controls-well -one-host -graded-phase -routes-calm -routes-at-once -many-origins "
     "-foreign-origin -upstream-change +routes-before-hosts -hosts-before-routes "
     "+name-servers-routes-first -on-the-hour -same-clock-time -recurrent",
     {.call = "own-config"}},
    {"Dyn, October 2016: name servers slow and silent in waves, routes up",
     "+controls-well -wide -one-host +graded-phase -one-step +routes-calm -routes-at-once "
     "-routes-flap -foreign-origin -wrong-answers -on-the-hour +recurrent +relapses -step-return",
     {.first = "network-stress"}},
    {".ru, 30 January 2024: validators answer SERVFAIL, everything else calm",
     "+controls-well -wide -one-host -graded-phase -foreign-origin +only-names +wrong-answers",
     {.call = "dns"}},
    {"West Africa, March 2024, a network with another way out: longer path by another upstream",
     "+controls-well -wide -one-host -graded-phase -routes-at-once -foreign-origin +rtt-step "
     "+upstream-change -on-the-hour -recurrent",
     {.call = "none", .in = "cable upstream"}},
    {"Iberia, 28 April 2025: a cliff, then hours of decay, many networks",
     "+controls-well -one-host -partial-services +cliff-then-decay -one-step -graded-phase "
     "+many-origins -routes-at-once -foreign-origin -upstream-change -on-the-hour +staged-return",
     {.call = "grid-power"}},
    {"24 February 2008: a more specific prefix from another network, the subject's own stays",
     "+foreign-origin -routes-at-once -upstream-change -orderly-withdrawal -routes-flap",
     {.call = "hijack"}},
    {"a certificate that ran out",
     "+controls-well -wide +partial-services -one-host -only-names -service-errors "
     "-silent-services "
     "+certificate-expired",
     {.call = "certificate"}},
    {"one silent host, its neighbours answer",
     "+controls-well -wide +one-host -partial-services -graded-phase +one-step +last-hop-speaks "
     "+routes-calm -only-names -service-errors -silent-services -certificate-expired",
     {.call = "single-host"}},
    {"planned work at night that says so",
     "+controls-well -wide +partial-services -graded-phase +quiet-hours +announced-unavailable "
     "+service-errors -silent-services -certificate-expired -recurrent +on-the-hour",
     {.call = "maintenance"}},
    {"the observer's own line: everything else looks like a country gone dark",
     "-controls-well +wide +one-step -graded-phase +routes-calm +on-the-hour +step-return",
     {.call = "observer"}},
    {"nothing is known at all", "", {.call = "none"}},
};

static int kind_from_name(const char *name, size_t n)
{
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++) {
        const char *candidate = evidence_name((enum evidence_kind)kind);
        if (strlen(candidate) == n && memcmp(candidate, name, n) == 0)
            return kind;
    }
    return -1;
}

static void read_findings(const char *text, struct finding findings[EVIDENCE_COUNT])
{
    memset(findings, 0, EVIDENCE_COUNT * sizeof *findings);
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++)
        findings[kind].kind = (uint8_t)kind;
    while (*text) {
        size_t n = strcspn(text, " ");
        int kind = kind_from_name(text + 1, n - 1);
        if (kind < 0)
            fail_msg("no such finding: %.*s", (int)n, text);
        findings[kind].truth = *text == '+' ? TRUTH_PRESENT : TRUTH_ABSENT;
        text += n + strspn(text + n, " ");
    }
}

static double posterior_of(const struct verdict *verdict, const char *name, size_t n)
{
    int cause = cause_from_name(name, n);
    assert_true(cause >= 0);
    return verdict->posterior[cause];
}

static const char *describe(const struct verdict *verdict)
{
    static char text[512];
    size_t at = 0;
    for (int i = 0; i < 7; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s %.3f%s",
                               cause_name(verdict->order[i]), verdict->posterior[verdict->order[i]],
                               i + 1 == verdict->set_size ? " | " : ", ");
    return text;
}

static void check_set(const struct documented *documented, const struct verdict *verdict)
{
    const char *at = documented->expected.in ? documented->expected.in : "";
    while (*at) {
        size_t n = strcspn(at, " ");
        int cause = cause_from_name(at, n);
        bool is_in = false;
        for (int i = 0; i < verdict->set_size; i++)
            is_in |= verdict->order[i] == cause;
        if (!is_in)
            fail_msg("%s: %.*s is not in the set: %s", documented->name, (int)n, at,
                     describe(verdict));
        at += n + strspn(at + n, " ");
    }
}

static void check_case(const struct documented *documented)
{
    const struct expected *expected = &documented->expected;
    struct finding findings[EVIDENCE_COUNT];
    struct incident incident = {.first_layer = LAYER_COUNT};
    struct verdict verdict;
    read_findings(documented->findings, findings);
    diagnose(findings, &incident, &verdict);
    const char *call = verdict.call == CAUSE_COUNT ? "none" : cause_name(verdict.call);
    print_message("%s\n    call %s: %s\n", documented->name, call, describe(&verdict));
    if (expected->call && strcmp(call, expected->call) != 0)
        fail_msg("%s: called %s: %s", documented->name, call, describe(&verdict));
    if (expected->first && strcmp(cause_name(verdict.order[0]), expected->first) != 0)
        fail_msg("%s: leads wrong: %s", documented->name, describe(&verdict));
    check_set(documented, &verdict);
    if (expected->behind) {
        size_t n = strcspn(expected->behind, " ");
        const char *ahead = expected->behind + n + 1;
        if (!(posterior_of(&verdict, expected->behind, n) <
              posterior_of(&verdict, ahead, strlen(ahead))))
            fail_msg("%s: wrong way round (%s): %s", documented->name, expected->behind,
                     describe(&verdict));
    }
}

static void test_documented_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i]);
}

/* A small generator with a printed seed: SplitMix64. */
static uint64_t random_next(uint64_t *seed)
{
    uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static void random_findings(uint64_t *seed, struct finding findings[EVIDENCE_COUNT])
{
    memset(findings, 0, EVIDENCE_COUNT * sizeof *findings);
    uint64_t density = random_next(seed) % 4; /* from few to all known */
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++) {
        findings[kind].kind = (uint8_t)kind;
        if (random_next(seed) % 4 <= density)
            findings[kind].truth = (uint8_t)(random_next(seed) % 3);
    }
}

static void check_sound(const struct verdict *verdict)
{
    double sum = 0, share = 0, least = 1;
    bool seen[CAUSE_COUNT] = {false};
    for (int i = 0; i < CAUSE_COUNT; i++) {
        double p = verdict->posterior[verdict->order[i]];
        assert_true(isfinite(p) && p >= 0 && p < 1);
        assert_true(p <= least && !seen[verdict->order[i]]);
        seen[verdict->order[i]] = true;
        least = p;
        sum += p;
        if (i + 1 == verdict->set_size)
            share = sum;
        else if (i + 1 < verdict->set_size)
            assert_true(sum < 0.8);
    }
    assert_true(fabs(sum - 1) < 1e-9);
    assert_true(share >= 0.8);
    assert_true(verdict->posterior[CAUSE_UNKNOWN] >= 0.05 - 1e-5);
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++) {
        assert_int_equal(verdict->evidence[kind].finding.kind, kind);
        for (int cause = 0; cause < CAUSE_COUNT; cause++) {
            float weight = verdict->evidence[kind].weight[cause];
            assert_true(isfinite(weight));
            if (verdict->evidence[kind].finding.truth == TRUTH_UNKNOWN)
                assert_true(weight == 0);
        }
    }
}

/* The weights that `why` prints are those that made the posterior. */
static void check_weights_explain(const struct verdict *verdict)
{
    double score[CAUSE_COUNT], sum = 0;
    for (int cause = 0; cause < CAUSE_COUNT; cause++) {
        score[cause] = log(cause_prior((enum cause)cause));
        for (int kind = 0; kind < EVIDENCE_COUNT; kind++)
            score[cause] += (double)verdict->evidence[kind].weight[cause];
        sum += cause == CAUSE_UNKNOWN ? 0 : exp(score[cause]);
    }
    double known = 1 - verdict->posterior[CAUSE_UNKNOWN];
    for (int cause = 0; cause < CAUSE_COUNT; cause++)
        if (cause != CAUSE_UNKNOWN)
            assert_true(fabs(exp(score[cause]) / sum * known - verdict->posterior[cause]) < 1e-5);
}

/* What each finding weighs when it is the only one: no cap bites. */
struct alone {
    float weight[EVIDENCE_COUNT][3][CAUSE_COUNT]; /* [kind][truth] */
};

static void weigh_alone(struct alone *alone)
{
    struct incident incident = {.first_layer = LAYER_COUNT};
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++)
        for (int truth = 0; truth < 3; truth++) {
            struct finding findings[EVIDENCE_COUNT];
            struct verdict verdict;
            read_findings("", findings);
            findings[kind].truth = (uint8_t)truth;
            diagnose(findings, &incident, &verdict);
            memcpy(alone->weight[kind][truth], verdict.evidence[kind].weight,
                   sizeof verdict.evidence[kind].weight);
        }
}

static void check_capped(const struct verdict *verdict, const struct alone *alone)
{
    for (int cause = 0; cause < CAUSE_COUNT; cause++) {
        double sum[FAMILY_COUNT] = {0}, strongest[FAMILY_COUNT] = {0};
        for (int kind = 0; kind < EVIDENCE_COUNT; kind++) {
            const struct evidence *evidence = &verdict->evidence[kind];
            enum family family = evidence_family((enum evidence_kind)kind);
            double by_itself = fabs((double)alone->weight[kind][evidence->finding.truth][cause]);
            sum[family] += (double)evidence->weight[cause];
            strongest[family] = fmax(strongest[family], by_itself);
        }
        for (int family = 0; family < FAMILY_COUNT; family++)
            assert_true(fabs(sum[family]) < fmax(3, strongest[family]) + 1e-3);
    }
}

static void check_settling(const struct verdict *verdict)
{
    bool is_ended = false;
    for (int i = 0; i < SETTLING_MAX; i++) {
        uint8_t kind = verdict->settling[i];
        assert_true(kind <= EVIDENCE_COUNT);
        assert_false(is_ended && kind < EVIDENCE_COUNT);
        is_ended |= kind == EVIDENCE_COUNT;
        if (kind < EVIDENCE_COUNT)
            assert_int_equal(verdict->evidence[kind].finding.truth, TRUTH_UNKNOWN);
    }
}

static void test_any_findings_give_a_sound_verdict(void **state)
{
    (void)state;
    uint64_t seed = 20220126;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct alone alone;
    weigh_alone(&alone);
    struct incident incident = {.id = 7, .revision = 3, .judged = {5}};
    for (int i = 0; i < 3000; i++) {
        struct finding findings[EVIDENCE_COUNT];
        struct verdict verdict, again;
        random_findings(&seed, findings);
        diagnose(findings, &incident, &verdict);
        diagnose(findings, &incident, &again);
        assert_memory_equal(&verdict, &again, sizeof verdict);
        assert_int_equal(verdict.incident, 7);
        assert_int_equal(verdict.revision, 3);
        assert_int_equal(verdict.rules, RULES_VERSION);
        assert_true(verdict.judged.ns == 5);
        check_sound(&verdict);
        check_weights_explain(&verdict);
        check_capped(&verdict, &alone);
        check_settling(&verdict);
        if (verdict.call != CAUSE_COUNT) {
            assert_int_equal(verdict.call, verdict.order[0]);
            assert_true(verdict.posterior[verdict.order[0]] >= 0.5);
            assert_true(verdict.posterior[verdict.order[0]] >=
                        2 * verdict.posterior[verdict.order[1]]);
            assert_int_not_equal(verdict.call, CAUSE_UNKNOWN);
        }
    }
}

/* True if the family's sum reaches the cap for any cause. */
static bool is_capped(const struct verdict *verdict, enum family family)
{
    for (int cause = 0; cause < CAUSE_COUNT; cause++) {
        double sum = 0;
        for (int kind = 0; kind < EVIDENCE_COUNT; kind++)
            if (evidence_family((enum evidence_kind)kind) == family)
                sum += (double)verdict->evidence[kind].weight[cause];
        if (fabs(sum) > 3 - 1e-2)
            return true;
    }
    return false;
}

static void test_more_evidence_never_lowers_the_cause_it_favours(void **state)
{
    (void)state;
    uint64_t seed = 1311;
    int compared = 0;
    struct incident incident = {.first_layer = LAYER_COUNT};
    for (int i = 0; i < 4000; i++) {
        struct finding findings[EVIDENCE_COUNT];
        struct verdict before, after;
        random_findings(&seed, findings);
        findings[EVIDENCE_CONTROLS_WELL].truth = TRUTH_PRESENT;
        int kind = (int)(random_next(&seed) % EVIDENCE_COUNT);
        if (kind == EVIDENCE_CONTROLS_WELL)
            continue;
        findings[kind].truth = TRUTH_UNKNOWN;
        diagnose(findings, &incident, &before);
        findings[kind].truth = random_next(&seed) % 2 ? TRUTH_PRESENT : TRUTH_ABSENT;
        diagnose(findings, &incident, &after);
        enum family family = evidence_family((enum evidence_kind)kind);
        if (is_capped(&before, family) || is_capped(&after, family))
            continue;
        int favoured = 0;
        for (int cause = 1; cause < CAUSE_COUNT; cause++)
            if (after.evidence[kind].weight[cause] > after.evidence[kind].weight[favoured])
                favoured = cause;
        if (after.posterior[favoured] < before.posterior[favoured] - 1e-4)
            fail_msg("%s lowers %s: %f to %f", evidence_name((enum evidence_kind)kind),
                     cause_name((enum cause)favoured), before.posterior[favoured],
                     after.posterior[favoured]);
        compared++;
    }
    assert_true(compared > 2000);
}

static void test_provisional_only_while_open_and_young(void **state)
{
    (void)state;
    struct finding findings[EVIDENCE_COUNT];
    struct verdict verdict;
    read_findings("", findings);
    struct incident incident = {.is_open = 1,
                                .began = {{1 * NS_PER_HOUR}, {1 * NS_PER_HOUR + NS_PER_MINUTE}},
                                .judged = {1 * NS_PER_HOUR + 10 * NS_PER_MINUTE}};
    diagnose(findings, &incident, &verdict);
    assert_true(verdict.is_provisional);
    incident.judged.ns += 10 * NS_PER_MINUTE;
    diagnose(findings, &incident, &verdict);
    assert_false(verdict.is_provisional);
    incident.judged.ns -= 10 * NS_PER_MINUTE;
    incident.is_open = 0;
    diagnose(findings, &incident, &verdict);
    assert_false(verdict.is_provisional);
}

static void test_confidence_counts_what_the_data_have(void **state)
{
    (void)state;
    struct finding findings[EVIDENCE_COUNT];
    struct verdict verdict;
    read_findings(cases[0].findings, findings);
    struct incident incident = {.vantages = 3, .first_layer = LAYER_HOST};
    diagnose(findings, &incident, &verdict);
    assert_int_equal(verdict.confidence, CONFIDENCE_HIGH);
    incident.vantages = 1;
    diagnose(findings, &incident, &verdict);
    assert_int_equal(verdict.confidence, CONFIDENCE_MODERATE);
    read_findings("", findings);
    incident.first_layer = LAYER_COUNT;
    diagnose(findings, &incident, &verdict);
    assert_int_equal(verdict.confidence, CONFIDENCE_LOW);
}

/* With power and cable tied at the onset, what settles it is how things come back. */
static void test_what_would_settle_power_against_cable(void **state)
{
    (void)state;
    struct finding findings[EVIDENCE_COUNT];
    struct incident incident = {.first_layer = LAYER_COUNT};
    struct verdict verdict;
    read_findings(POWER_CUT_ONSET, findings);
    diagnose(findings, &incident, &verdict);
    assert_true((verdict.order[0] == CAUSE_SITE_POWER && verdict.order[1] == CAUSE_CABLE) ||
                (verdict.order[0] == CAUSE_CABLE && verdict.order[1] == CAUSE_SITE_POWER));
    assert_int_equal(verdict.settling[0], EVIDENCE_STAGED_RETURN);
}

/* "1 of 1 hosts" is wide and narrow at once: it may not rule out a single host. */
static void test_the_width_of_one_host_says_nothing(void **state)
{
    (void)state;
    struct finding findings[EVIDENCE_COUNT];
    struct incident incident = {.first_layer = LAYER_COUNT};
    struct verdict one, two;
    read_findings("+wide", findings);
    findings[EVIDENCE_WIDE].n = findings[EVIDENCE_WIDE].m = 1;
    diagnose(findings, &incident, &one);
    assert_true(one.evidence[EVIDENCE_WIDE].weight[CAUSE_SINGLE_HOST] == 0);
    findings[EVIDENCE_WIDE].n = findings[EVIDENCE_WIDE].m = 2;
    diagnose(findings, &incident, &two);
    assert_true(two.posterior[CAUSE_SINGLE_HOST] < one.posterior[CAUSE_SINGLE_HOST]);
}

/* A kind of evidence without a row of likelihoods would weigh nothing, or everything. */
static void test_every_finding_is_weighed(void **state)
{
    (void)state;
    struct alone alone;
    weigh_alone(&alone);
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++)
        for (int truth = TRUTH_ABSENT; truth <= TRUTH_PRESENT; truth++) {
            float most = 0;
            for (int cause = 0; cause < CAUSE_COUNT; cause++)
                most = fmaxf(most, fabsf(alone.weight[kind][truth][cause]));
            if (most < 0.01f || most > 7)
                fail_msg("%s weighs %.3f", evidence_name((enum evidence_kind)kind), (double)most);
        }
}

static void test_priors_sum_to_one(void **state)
{
    (void)state;
    double sum = 0;
    for (int cause = 0; cause < CAUSE_COUNT; cause++)
        sum += cause_prior((enum cause)cause);
    assert_true(fabs(sum - 1) < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documented_cases),
        cmocka_unit_test(test_any_findings_give_a_sound_verdict),
        cmocka_unit_test(test_more_evidence_never_lowers_the_cause_it_favours),
        cmocka_unit_test(test_provisional_only_while_open_and_young),
        cmocka_unit_test(test_confidence_counts_what_the_data_have),
        cmocka_unit_test(test_what_would_settle_power_against_cable),
        cmocka_unit_test(test_the_width_of_one_host_says_nothing),
        cmocka_unit_test(test_every_finding_is_weighed),
        cmocka_unit_test(test_priors_sum_to_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
