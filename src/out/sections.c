#include "out/sections.h"

#include "out/sentence.h"
#include "out/summary.h"
#include "out/words.h"

#include <math.h>
#include <string.h>

/* Stated caps of long lists; what is left out is counted. */
enum { LEADING_MOST = 3, WEIGHED_MOST = 10, MISSED_MOST = 6 };

static const char *capital(struct arena *arena, const char *text)
{
    return sentence_whole(arena, text);
}

void section_head(struct page *page, const struct dossier *dossier)
{
    page_title(page, summary_title(dossier));
    if (summary_reconstruction(dossier))
        page_paragraph(page, summary_reconstruction(dossier));
    page_paragraph(page, summary_facts(dossier));
    page_paragraph(page, summary_verdict(dossier));
    if (dossier_verdict(dossier))
        page_paragraph(page, summary_confidence(dossier));
}

static const char *no_call_reason(struct arena *arena, const struct verdict *verdict)
{
    double first = verdict->posterior[verdict->order[0]];
    double second = verdict->posterior[verdict->order[1]];
    if (verdict->order[0] == CAUSE_UNKNOWN)
        return "No call: what leads is another or an unknown cause.";
    if (first < 0.5)
        return arena_printf(arena, "No call: the leading cause has less than one half (%s).",
                            words_percent(arena, first));
    return arena_printf(arena,
                        "No call: the leading cause is not twice as likely as the next (%s, %s).",
                        words_percent(arena, first), words_percent(arena, second));
}

void section_verdict(struct page *page, const struct dossier *dossier)
{
    const struct verdict *verdict = dossier_verdict(dossier);
    struct arena *arena = dossier->arena;
    if (!verdict)
        return;
    page_heading(page, arena_printf(arena, "Verdict%s, revision %u, rules %u",
                                    verdict->is_provisional ? " (provisional)" : "",
                                    verdict->revision, verdict->rules));
    struct table table = {.columns = 3};
    page_table_add(&table, "Cause");
    page_table_add(&table, "Probability");
    page_table_add(&table, "In words");
    double rest = 1;
    int most = verdict->set_size < LEADING_MOST ? LEADING_MOST : verdict->set_size;
    for (int i = 0; i < CAUSE_COUNT; i++) {
        enum cause cause = (enum cause)verdict->order[i];
        if (i >= most && cause != CAUSE_UNKNOWN)
            continue;
        double p = verdict->posterior[cause];
        rest -= p;
        page_table_add(&table, cause_phrase(cause));
        page_table_add(&table, words_percent(arena, p));
        page_table_add(&table, words_likelihood(p));
    }
    page_table_add(&table, "all others together");
    page_table_add(&table, words_percent(arena, rest));
    page_table_add(&table, words_likelihood(rest));
    page_table(page, &table);
    if (verdict->call < CAUSE_COUNT)
        page_paragraph(page,
                       arena_printf(arena, "Called: %s.", cause_phrase((enum cause)verdict->call)));
    else
        page_paragraph(page, no_call_reason(arena, verdict));
}

static void put_finding(struct page *page, const struct dossier *dossier, const char *mark,
                        const struct finding *finding)
{
    page_item(page, mark,
              capital(dossier->arena,
                      sentence(dossier->arena, dossier->registry, finding, dossier_day(dossier))));
}

/* How much a finding tells about the causes in question: the two that lead. */
static float telling(const struct verdict *verdict, int kind)
{
    enum cause first, second;
    leading_pair(verdict, &first, &second);
    const float *weight = verdict->evidence[kind].weight;
    return fmaxf(fabsf(weight[first]), fabsf(weight[second]));
}

/* The findings of one truth; the weightiest first if `by_weight`, else in the table's order. */
static int findings_of(const struct verdict *verdict, enum truth truth, bool by_weight,
                       int kinds[EVIDENCE_COUNT])
{
    int count = 0;
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++) {
        if (verdict->evidence[kind].finding.truth != truth)
            continue;
        int at = count++;
        for (; by_weight && at > 0; at--) {
            if (telling(verdict, kinds[at - 1]) >= telling(verdict, kind))
                break;
            kinds[at] = kinds[at - 1];
        }
        kinds[at] = kind;
    }
    return count;
}

/* "routes flap, step return and relapses": findings by name only. */
static const char *finding_names(struct arena *arena, const int *kinds, int count)
{
    const char *names[EVIDENCE_COUNT];
    for (int i = 0; i < count; i++) {
        char *name = arena_printf(arena, "%s", evidence_name((enum evidence_kind)kinds[i]));
        for (char *at = name; (at = strchr(at, '-'));)
            *at = ' ';
        names[i] = name;
    }
    return words_list(arena, names, (size_t)count);
}

/* What was looked for and not found: where little room is, only what weighs is written out. */
static void put_missed(struct page *page, const struct dossier *dossier, bool is_full)
{
    const struct verdict *verdict = dossier_verdict(dossier);
    struct arena *arena = dossier->arena;
    int kinds[EVIDENCE_COUNT], count = findings_of(verdict, TRUTH_ABSENT, true, kinds), shown = 0;
    if (!count)
        return;
    page_frame(page, "Looked for, not found; what weighs most comes first:");
    for (; shown < count; shown++) {
        bool is_light = shown >= MISSED_MOST || telling(verdict, kinds[shown]) < 0.1f;
        if (is_light && !is_full)
            break;
        put_finding(page, dossier, "-", &verdict->evidence[kinds[shown]].finding);
    }
    if (shown < count)
        page_item(page, "-",
                  arena_printf(arena, "%s weighs less here: %s.",
                               shown ? "What else was not found" : "What was not found",
                               finding_names(arena, kinds + shown, count - shown)));
    page_space(page);
}

void section_observed(struct page *page, const struct dossier *dossier, bool is_full)
{
    const struct verdict *verdict = dossier_verdict(dossier);
    int kinds[EVIDENCE_COUNT];
    if (!verdict)
        return;
    int count = findings_of(verdict, TRUTH_PRESENT, false, kinds);
    if (count)
        page_frame(page, "Observed:");
    for (int i = 0; i < count; i++)
        put_finding(page, dossier, "-", &verdict->evidence[kinds[i]].finding);
    if (count)
        page_space(page);
    put_missed(page, dossier, is_full);
    count = findings_of(verdict, TRUTH_UNKNOWN, false, kinds);
    if (count) {
        page_frame(page, "Not known (no data for it, or the intervals overlap):");
        page_paragraph(
            page, arena_printf(dossier->arena, "%s.", finding_names(dossier->arena, kinds, count)));
    }
}

/* Sorts kinds by weight for the cause, or by its size, largest first; ties stay in the table's
 * order. */
static void sort_kinds(const struct verdict *verdict, enum cause cause, bool by_size, int *kinds,
                       int count)
{
    for (int i = 1; i < count; i++) {
        int kind = kinds[i], at = i;
        float weight = verdict->evidence[kind].weight[cause];
        for (; at > 0; at--) {
            float before = verdict->evidence[kinds[at - 1]].weight[cause];
            if (by_size ? fabsf(before) >= fabsf(weight) : before >= weight)
                break;
            kinds[at] = kinds[at - 1];
        }
        kinds[at] = kind;
    }
}

/* The strongest findings for and against a cause, those for it first. *rest: how many weigh less.
 */
static int strongest_kinds(const struct verdict *verdict, enum cause cause,
                           int kinds[EVIDENCE_COUNT], int *rest)
{
    int all = 0, count = 0;
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++)
        if (verdict->evidence[kind].weight[cause] != 0)
            kinds[all++] = kind;
    sort_kinds(verdict, cause, true, kinds, all);
    while (count < all && count < WEIGHED_MOST &&
           fabsf(verdict->evidence[kinds[count]].weight[cause]) >= 0.1f)
        count++;
    sort_kinds(verdict, cause, false, kinds, count);
    *rest = all - count;
    return count;
}

static void weigh_cause(struct page *page, const struct dossier *dossier, enum cause cause)
{
    const struct verdict *verdict = dossier_verdict(dossier);
    struct arena *arena = dossier->arena;
    int kinds[EVIDENCE_COUNT], rest;
    int count = strongest_kinds(verdict, cause, kinds, &rest);
    page_frame(page, arena_printf(arena, "Consistent with: %s",
                                  cause_with_likelihood(arena, verdict, cause)));
    for (int i = 0; i < count; i++) {
        const struct evidence *evidence = &verdict->evidence[kinds[i]];
        put_finding(page, dossier, arena_printf(arena, "%+.2f", (double)evidence->weight[cause]),
                    &evidence->finding);
    }
    if (rest)
        page_item(page, "-",
                  arena_printf(arena, "%s %s of less weight.", count ? "And" : "Only",
                               words_count(arena, (uint64_t)rest, "finding", "findings")));
    if (!count && !rest)
        page_item(page, "-", "Nothing that was found speaks for or against it.");
    page_space(page);
}

/* The causes that are set out with their evidence: the one that is called, else those of the set
 * that have at least a third of the first one's probability, three at most, "unknown" left out. */
static int leading_causes(const struct verdict *verdict, enum cause leading[LEADING_MOST])
{
    int count = 0;
    int most = verdict->call < CAUSE_COUNT ? 1 : LEADING_MOST;
    double least = 0;
    for (int i = 0; i < CAUSE_COUNT && count < most; i++) {
        enum cause cause = (enum cause)verdict->order[i];
        double p = verdict->posterior[cause];
        if (cause == CAUSE_UNKNOWN || (count > 0 && (i >= verdict->set_size || p < least)))
            continue;
        if (count == 0)
            least = p / 3;
        leading[count++] = cause;
    }
    return count;
}

/* One point for all causes that the same finding puts behind, under the first of them. */
static void put_reason(struct page *page, const struct dossier *dossier, const enum cause *causes,
                       int count, int first)
{
    const struct verdict *verdict = dossier_verdict(dossier);
    struct arena *arena = dossier->arena;
    const char *names[CAUSE_COUNT];
    size_t named = 0;
    int kind = reason_kind(verdict, causes[first]);
    for (int i = 0; i < count; i++) {
        if (reason_kind(verdict, causes[i]) != kind)
            continue;
        if (i < first)
            return; /* told already */
        names[named++] = arena_printf(arena, "%s (%s)", cause_phrase(causes[i]),
                                      words_percent(arena, verdict->posterior[causes[i]]));
    }
    page_item(page, "-",
              capital(arena, arena_printf(arena, "%s, because %s", words_list(arena, names, named),
                                          reason_words(dossier, kind))));
}

static bool is_among(enum cause cause, const enum cause *causes, int count)
{
    for (int i = 0; i < count; i++)
        if (causes[i] == cause)
            return true;
    return false;
}

void section_weighing(struct page *page, const struct dossier *dossier)
{
    const struct verdict *verdict = dossier_verdict(dossier);
    enum cause leading[LEADING_MOST], others[CAUSE_COUNT];
    int other_count = 0;
    if (!verdict)
        return;
    int count = leading_causes(verdict, leading);
    page_heading(page, "Evidence");
    page_paragraph(page, "A weight of +0.7 doubles the odds of a cause against the average of all "
                         "causes, -0.7 halves them.");
    for (int i = 0; i < count; i++)
        weigh_cause(page, dossier, leading[i]);
    for (int i = 0; i < CAUSE_COUNT; i++)
        if (verdict->order[i] != CAUSE_UNKNOWN &&
            !is_among((enum cause)verdict->order[i], leading, count))
            others[other_count++] = (enum cause)verdict->order[i];
    page_frame(page, "Less consistent with:");
    for (int i = 0; i < other_count; i++)
        put_reason(page, dossier, others, other_count, i);
    page_space(page);
}

void section_limits(struct page *page, const struct dossier *dossier)
{
    const struct verdict *verdict = dossier_verdict(dossier);
    struct arena *arena = dossier->arena;
    const char *measures[SETTLING_MAX], *limits[LIMITS_MAX];
    enum cause first, second;
    if (!verdict)
        return;
    leading_pair(verdict, &first, &second);
    size_t count = settling_measures(verdict, measures);
    page_frame(page, "Would change this:");
    for (size_t i = 0; i < count; i++)
        page_item(page, "-", capital(arena, measures[i]));
    if (count)
        page_paragraph(
            page, arena_printf(arena, "These would best tell %s from %s, and are not known so far.",
                               cause_phrase(first), cause_phrase(second)));
    else
        page_item(
            page, "-",
            arena_printf(arena,
                         "Nothing that is looked for and still unknown would tell %s from %s: "
                         "only word from the place itself.",
                         cause_phrase(first), cause_phrase(second)));
    page_frame(page, "Cannot be told from outside:");
    count = outside_limits(verdict, limits);
    for (size_t i = 0; i < count; i++)
        page_item(page, "-", capital(arena, limits[i]));
    page_space(page);
}

void section_method(struct page *page, const struct dossier *dossier)
{
    const struct verdict *verdict = dossier_verdict(dossier);
    page_heading(page, "Method");
    page_paragraph(
        page,
        "Every beginning and end is an interval from the last observation of the old state to "
        "the first of the new one. That one thing came before another is said only if their "
        "intervals do not overlap. Missing data count as no data, never as an outage; a vantage "
        "whose own control targets fail has no vote.");
    page_paragraph(
        page,
        "Each finding has a probability under each cause, from one table. Weights are the "
        "logarithms of these, less the average of all causes, tempered and capped, because "
        "findings of one kind are not independent. Together with how common each cause is they "
        "give the probabilities; at least 5 % are kept for causes that are not on the list. A "
        "cause is called only if it has one half and twice as much as the next. The table's "
        "numbers are starting values, not measurements.");
    if (verdict)
        page_paragraph(page,
                       arena_printf(dossier->arena,
                                    "Judged by version %u of the rules. The record behind it can "
                                    "be replayed and judged again.",
                                    verdict->rules));
}
