#include "core/diagnose/diagnose.h"

#include "core/core.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static const double family_cap = 3.0;    /* nats */
static const double observer_gate = 3.0; /* nats, when the controls failed */
static const double unknown_least = 0.05;
static const double set_share = 0.8;
static const double call_least = 0.5;
static const double call_lead = 2.0;
static const double settle_least = 0.25; /* expected nats between the two leading causes */
static const int64_t provisional_ns = 15 * NS_PER_MINUTE;

struct likelihood {
    double temper;
    double present[CAUSE_COUNT]; /* in the order of enum cause */
};

static const struct likelihood likelihoods[EVIDENCE_COUNT] = {
#define LIKELIHOOD(kind, temper, ...) [EVIDENCE_##kind] = {temper, {__VA_ARGS__}},
#include "core/diagnose/likelihoods.def"
#undef LIKELIHOOD
};

/* Rounding hides the last bits in which mathematical libraries differ between machines. */
static double rounded(double value, double unit)
{
    return round(value / unit) * unit;
}

static double probability(const struct likelihood *row, int cause, bool is_present)
{
    double p = fmin(fmax(row->present[cause], 0.01), 0.99);
    return is_present ? p : 1 - p;
}

/* Says something about causes: known, and not the width of a single host, which is always all of
 * it. */
static bool is_telling(const struct finding *finding)
{
    return finding->truth != TRUTH_UNKNOWN && !(finding->kind == EVIDENCE_WIDE && finding->m == 1);
}

/* The weight of one finding for each cause, before the family's cap. */
static void weigh(const struct finding *finding, double weight[CAUSE_COUNT])
{
    memset(weight, 0, CAUSE_COUNT * sizeof *weight);
    if (!is_telling(finding))
        return;
    const struct likelihood *row = &likelihoods[finding->kind];
    bool is_present = finding->truth == TRUTH_PRESENT;
    double mean = 0;
    for (int cause = 0; cause < CAUSE_COUNT; cause++)
        mean += cause_prior((enum cause)cause) * probability(row, cause, is_present);
    for (int cause = 0; cause < CAUSE_COUNT; cause++)
        weight[cause] = row->temper * log(probability(row, cause, is_present) / mean);
    if (finding->kind == EVIDENCE_CONTROLS_WELL && !is_present)
        weight[CAUSE_OBSERVER] += observer_gate;
}

/* Shrinks the weights of each family, cause by cause, until their sum is within the cap: findings
 * of one family are not independent and may not pile up. One finding alone is bounded by its floor
 * and ceiling already, so the limit is never below the strongest. */
static void cap_families(double weights[EVIDENCE_COUNT][CAUSE_COUNT])
{
    for (int cause = 0; cause < CAUSE_COUNT; cause++) {
        double sum[FAMILY_COUNT] = {0}, limit[FAMILY_COUNT];
        for (int family = 0; family < FAMILY_COUNT; family++)
            limit[family] = family_cap;
        for (int kind = 0; kind < EVIDENCE_COUNT; kind++) {
            enum family family = evidence_family((enum evidence_kind)kind);
            sum[family] += weights[kind][cause];
            limit[family] = fmax(limit[family], fabs(weights[kind][cause]));
        }
        for (int kind = 0; kind < EVIDENCE_COUNT; kind++) {
            enum family family = evidence_family((enum evidence_kind)kind);
            if (fabs(sum[family]) > limit[family])
                weights[kind][cause] *= limit[family] / fabs(sum[family]);
        }
    }
}

static void weigh_all(const struct finding findings[EVIDENCE_COUNT], struct verdict *out)
{
    double weights[EVIDENCE_COUNT][CAUSE_COUNT];
    bool is_observer_well = findings[EVIDENCE_CONTROLS_WELL].truth != TRUTH_ABSENT;
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++) {
        struct finding finding = findings[kind];
        finding.kind = (uint8_t)kind;
        out->evidence[kind].finding = finding;
        if (!is_observer_well && kind != EVIDENCE_CONTROLS_WELL)
            finding.truth = TRUTH_UNKNOWN;
        weigh(&finding, weights[kind]);
    }
    cap_families(weights);
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++)
        for (int cause = 0; cause < CAUSE_COUNT; cause++)
            out->evidence[kind].weight[cause] = (float)rounded(weights[kind][cause], 1e-4);
}

/* Prior and weights to probabilities; returns the log-likelihood of each cause in `fit`. */
static void make_posterior(struct verdict *out, double fit[CAUSE_COUNT])
{
    double *p = out->posterior;
    double sum = 0;
    for (int cause = 0; cause < CAUSE_COUNT; cause++) {
        fit[cause] = 0;
        for (int kind = 0; kind < EVIDENCE_COUNT; kind++)
            fit[cause] += (double)out->evidence[kind].weight[cause];
        p[cause] = cause_prior((enum cause)cause) * exp(fit[cause]);
        sum += p[cause];
    }
    double unknown = p[CAUSE_UNKNOWN] / sum;
    double scale =
        unknown < unknown_least ? (1 - unknown_least) / (sum - p[CAUSE_UNKNOWN]) : 1 / sum;
    double rest = 1;
    for (int cause = 0; cause < CAUSE_COUNT; cause++) {
        if (cause == CAUSE_UNKNOWN)
            continue;
        p[cause] = rounded(p[cause] * scale, 1e-6);
        rest -= p[cause];
    }
    p[CAUSE_UNKNOWN] = rounded(rest, 1e-6);
}

/* By probability; equal ones stay in the order of the table. */
static void put_in_order(struct verdict *out)
{
    for (int i = 0; i < CAUSE_COUNT; i++) {
        int at = i;
        for (; at > 0 && out->posterior[out->order[at - 1]] < out->posterior[i]; at--)
            out->order[at] = out->order[at - 1];
        out->order[at] = (uint8_t)i;
    }
    double share = 0;
    out->set_size = 0;
    while (share < set_share && out->set_size < CAUSE_COUNT)
        share += out->posterior[out->order[out->set_size++]];
}

static uint8_t make_call(const struct verdict *verdict)
{
    uint8_t top = verdict->order[0];
    double first = verdict->posterior[top], second = verdict->posterior[verdict->order[1]];
    bool is_call = top != CAUSE_UNKNOWN && first >= call_least && first >= call_lead * second;
    return is_call ? top : CAUSE_COUNT;
}

/* How many nats an unknown finding is expected to put between two causes, once it is known. */
static double expected_gain(const struct verdict *verdict, int kind, int a, int b)
{
    const struct likelihood *row = &likelihoods[kind];
    double pa = probability(row, a, true), pb = probability(row, b, true);
    double share = verdict->posterior[a] / (verdict->posterior[a] + verdict->posterior[b]);
    double present = share * pa + (1 - share) * pb;
    return row->temper *
           (present * fabs(log(pa / pb)) + (1 - present) * fabs(log((1 - pa) / (1 - pb))));
}

/* The unknown findings that would best tell the two leading known causes apart. */
static void choose_settling(struct verdict *out)
{
    int lead[2], found = 0;
    for (int i = 0; i < CAUSE_COUNT && found < 2; i++)
        if (out->order[i] != CAUSE_UNKNOWN)
            lead[found++] = out->order[i];
    double gains[SETTLING_MAX] = {0};
    memset(out->settling, EVIDENCE_COUNT, sizeof out->settling);
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++) {
        if (out->evidence[kind].finding.truth != TRUTH_UNKNOWN)
            continue;
        double gain = rounded(expected_gain(out, kind, lead[0], lead[1]), 1e-4);
        if (gain < settle_least || gain <= gains[SETTLING_MAX - 1])
            continue;
        int at = SETTLING_MAX - 1;
        for (; at > 0 && gains[at - 1] < gain; at--) {
            gains[at] = gains[at - 1];
            out->settling[at] = out->settling[at - 1];
        }
        gains[at] = gain;
        out->settling[at] = (uint8_t)kind;
    }
}

/* Kinds of signal that said anything at all: scope, order, timing and return are read off these. */
static int families_with_data(const struct verdict *verdict)
{
    bool has[FAMILY_COUNT] = {false};
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++)
        if (verdict->evidence[kind].finding.truth != TRUTH_UNKNOWN)
            has[evidence_family((enum evidence_kind)kind)] = true;
    return has[FAMILY_DATA] + has[FAMILY_ROUTE] + has[FAMILY_NAME] + has[FAMILY_SERVICE];
}

/* Confidence in the data (science.md 6): vantages, kinds of signal, order, and whether anything on
 * the list fits better than outages in general do. All four: high; two: moderate. */
static uint8_t judge_confidence(const struct verdict *verdict, const struct incident *incident,
                                const double fit[CAUSE_COUNT])
{
    int held = (incident->vantages >= 3) + (families_with_data(verdict) >= 3) +
               (incident->first_layer != LAYER_COUNT) +
               (verdict->order[0] != CAUSE_UNKNOWN && fit[verdict->order[0]] >= fit[CAUSE_UNKNOWN]);
    return held == 4 ? CONFIDENCE_HIGH : held >= 2 ? CONFIDENCE_MODERATE : CONFIDENCE_LOW;
}

void diagnose(const struct finding findings[EVIDENCE_COUNT], const struct incident *incident,
              struct verdict *out)
{
    double fit[CAUSE_COUNT];
    memset(out, 0, sizeof *out);
    out->incident = incident->id;
    out->revision = incident->revision;
    out->rules = RULES_VERSION;
    out->judged = incident->judged;
    out->is_provisional = incident->is_open &&
                          utc_diff(incident->judged, incident->began.first_after) < provisional_ns;
    weigh_all(findings, out);
    make_posterior(out, fit);
    put_in_order(out);
    out->call = make_call(out);
    out->confidence = judge_confidence(out, incident, fit);
    choose_settling(out);
}
