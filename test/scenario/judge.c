/* Holds what was concluded against what was expected. */
#include "scenario.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct judge {
    const struct world *world;
    const struct outcome_set *set;
    const struct registry *registry;
    bool *is_incident_claimed;
    bool *is_notice_claimed;
    const struct incident *incident; /* of which the lines speak; NULL none */
    const struct verdict *verdict;   /* its last */
    uint32_t called;
    int failures;
    struct buffer *report;
};

static void fail(struct judge *judge, const struct expectation *e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void fail(struct judge *judge, const struct expectation *e, const char *format, ...)
{
    const char *slash = strrchr(judge->world->file, '/');
    const char *file = slash ? slash + 1 : judge->world->file;
    char text[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (e)
        buffer_printf(judge->report, "%s:%d: '%s', but %s\n", file, e->line, e->said, text);
    else
        buffer_printf(judge->report, "%s: %s\n", file, text);
    judge->failures++;
}

/* Both ends of the interval lie in the span (an unknown begin does not), and the moment in the
 * interval. */
static bool is_within(const struct interval *at, const struct span *span, struct utc moment)
{
    bool holds = at->last_before.ns <= moment.ns && moment.ns <= at->first_after.ns;
    return at->last_before.ns >= span->from.ns && at->first_after.ns <= span->to.ns &&
           utc_is_known(at->first_after) && (!utc_is_known(moment) || holds);
}

static bool are_times_right(const struct expectation *e, const struct interval *began,
                            const struct interval *ended, bool is_open)
{
    if (utc_is_known(e->began.from) && !is_within(began, &e->began, e->began_at))
        return false;
    if (utc_is_known(e->ended.from) && (is_open || !is_within(ended, &e->ended, e->ended_at)))
        return false;
    return !e->is_open || is_open;
}

/* There is none, or there are, but not such. */
static void fail_unlike(struct judge *judge, const struct expectation *e)
{
    const struct outcome_set *set = judge->set;
    bool is_any = false;
    for (size_t i = 0; i < set->incident_count; i++) {
        const struct incident *incident = &set->incidents[i];
        char a[UTC_TEXT_MAX], b[UTC_TEXT_MAX], c[UTC_TEXT_MAX], d[UTC_TEXT_MAX];
        if (judge->is_incident_claimed[i])
            continue;
        fail(judge, e, "incident %u began %s..%s and ended %s..%s%s", incident->id,
             utc_format(incident->began.last_before, a), utc_format(incident->began.first_after, b),
             utc_format(incident->ended.last_before, c), utc_format(incident->ended.first_after, d),
             incident->is_open ? " (open)" : "");
        is_any = true;
    }
    if (!is_any)
        fail(judge, e, "there is no such incident");
}

static void select_incident(struct judge *judge, const struct expectation *e)
{
    const struct outcome_set *set = judge->set;
    judge->incident = NULL;
    judge->verdict = NULL;
    for (size_t i = 0; i < set->incident_count && !judge->incident; i++) {
        const struct incident *incident = &set->incidents[i];
        if (judge->is_incident_claimed[i] ||
            strcmp(registry_text(judge->registry, incident->subject), e->name) != 0 ||
            !are_times_right(e, &incident->began, &incident->ended, incident->is_open))
            continue;
        judge->is_incident_claimed[i] = true;
        judge->incident = incident;
        judge->called = set->called[i];
    }
    for (size_t i = 0; i < set->verdict_count && judge->incident; i++)
        if (set->verdicts[i].incident == judge->incident->id)
            judge->verdict = &set->verdicts[i];
    if (!judge->incident)
        fail_unlike(judge, e);
    else if (!judge->verdict)
        fail(judge, e, "the incident has no verdict");
}

static void claim_notices(struct judge *judge, const struct expectation *e)
{
    bool is_any = false;
    for (size_t i = 0; i < judge->set->notice_count; i++) {
        const struct notice *notice = &judge->set->notices[i];
        if (judge->is_notice_claimed[i] || notice->kind != e->what ||
            strcmp(registry_text(judge->registry, notice->source), e->name) != 0 ||
            !are_times_right(e, &notice->began, &notice->ended, notice->is_open))
            continue;
        judge->is_notice_claimed[i] = true;
        is_any = true;
    }
    if (!is_any && !e->is_optional)
        fail(judge, e, "there is no such notice");
}

static bool is_in_set(const struct verdict *verdict, unsigned causes)
{
    for (size_t i = 0; i < verdict->set_size; i++)
        if (causes >> verdict->order[i] & 1)
            return true;
    return false;
}

static void judge_verdict(struct judge *judge, const struct expectation *e)
{
    const struct verdict *verdict = judge->verdict;
    const char *top = cause_name((enum cause)verdict->order[0]);
    double share = verdict->posterior[verdict->order[0]];
    bool leads = e->set >> verdict->order[0] & 1;
    switch (e->kind) {
    case EXPECT_LEADING:
    case EXPECT_NOT_LEADING:
        if (leads != (e->kind == EXPECT_LEADING))
            fail(judge, e, "%s leads with %.2f", top, share);
        break;
    case EXPECT_IN_SET:
    case EXPECT_NOT_IN_SET:
        if (is_in_set(verdict, e->set) != (e->kind == EXPECT_IN_SET))
            fail(judge, e, "the set of %u says otherwise; %s leads with %.2f", verdict->set_size,
                 top, share);
        break;
    case EXPECT_CALL:
        if (!(e->set >> verdict->call & 1))
            fail(judge, e, "the call is %s; %s leads with %.2f",
                 verdict->call < CAUSE_COUNT ? cause_name((enum cause)verdict->call) : "none", top,
                 share);
        break;
    default:
        if (judge->called & e->set)
            fail(judge, e, "it was called in a revision");
    }
}

static void judge_evidence(struct judge *judge, const struct expectation *e)
{
    static const char *const truths[] = {"unknown", "absent", "present"};
    const struct finding *finding = &judge->verdict->evidence[e->what].finding;
    if (!(e->set >> finding->truth & 1))
        fail(judge, e, "it is %s (n %u, m %u)", truths[finding->truth], finding->n, finding->m);
    else if (e->low >= 0 && (finding->n != (uint32_t)e->low || finding->m != (uint32_t)e->high))
        fail(judge, e, "it is %u of %u", finding->n, finding->m);
}

static void judge_incident(struct judge *judge, const struct expectation *e)
{
    const struct incident *incident = judge->incident;
    const struct extent *extent = &incident->layers[e->what < LAYER_COUNT ? e->what : 0].extent;
    switch (e->kind) {
    case EXPECT_EPISODES:
        if (incident->episodes < e->low || incident->episodes > e->high)
            fail(judge, e, "there are %u", incident->episodes);
        break;
    case EXPECT_DEPTH:
        if (incident->depth < e->low || incident->depth > e->high)
            fail(judge, e, "it is %.1f%%", 100 * incident->depth);
        break;
    case EXPECT_EXTENT:
        if (extent->down != (uint16_t)e->low || extent->watched != (uint16_t)e->high)
            fail(judge, e, "it is %u of %u", extent->down, extent->watched);
        break;
    case EXPECT_CONFIDENCE:
        if (!(e->set >> judge->verdict->confidence & 1))
            fail(judge, e, "it is %s",
                 confidence_name((enum confidence)judge->verdict->confidence));
        break;
    default:
        if (!(e->set >> incident->first_layer & 1))
            fail(judge, e, "it is %s",
                 incident->first_layer < LAYER_COUNT ? layer_name((enum layer)incident->first_layer)
                                                     : "unresolved");
    }
}

static void judge_one(struct judge *judge, const struct expectation *e)
{
    switch (e->kind) {
    case EXPECT_NO_INCIDENT:
        if (judge->set->incident_count)
            fail(judge, e, "there are %zu", judge->set->incident_count);
        return;
    case EXPECT_INCIDENT:
        select_incident(judge, e);
        return;
    case EXPECT_NOTICE:
        claim_notices(judge, e);
        return;
    case EXPECT_EVENTS:
        if ((double)judge->set->event_count > e->high)
            fail(judge, e, "there are %zu", judge->set->event_count);
        return;
    default:
        break;
    }
    if (!judge->verdict)
        fail(judge, e, "there is no incident of which this could be said");
    else if (e->kind == EXPECT_EVIDENCE)
        judge_evidence(judge, e);
    else if (e->kind >= EXPECT_LEADING)
        judge_verdict(judge, e);
    else
        judge_incident(judge, e);
}

static void judge_leftovers(struct judge *judge)
{
    for (size_t i = 0; i < judge->set->incident_count; i++)
        if (!judge->is_incident_claimed[i])
            fail(judge, NULL, "incident %u of %s was not expected", judge->set->incidents[i].id,
                 registry_text(judge->registry, judge->set->incidents[i].subject));
    for (size_t i = 0; i < judge->set->notice_count; i++) {
        const struct notice *notice = &judge->set->notices[i];
        if (!judge->is_notice_claimed[i])
            fail(judge, NULL, "a notice %s of %s %s was not expected",
                 notice_kind_name((enum notice_kind)notice->kind),
                 registry_text(judge->registry, notice->source),
                 registry_text(judge->registry, notice->target));
    }
    if (judge->set->broken)
        fail(judge, NULL, "%s", judge->set->broken);
}

int world_judge(const struct world *world, const struct outcome_set *set,
                const struct registry *registry, struct buffer *report)
{
    struct judge judge = {.world = world,
                          .set = set,
                          .registry = registry,
                          .report = report,
                          .is_incident_claimed = mem_new(set->incident_count, sizeof(bool)),
                          .is_notice_claimed = mem_new(set->notice_count, sizeof(bool))};
    for (size_t i = 0; i < world->expectation_count; i++)
        judge_one(&judge, &world->expectations[i]);
    judge_leftovers(&judge);
    free(judge.is_incident_claimed);
    free(judge.is_notice_claimed);
    return judge.failures;
}
