/* What the core concluded: the last state of each thing, and all of it in words for the one who
 * writes rules. */
#include "scenario.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void check_incident(struct outcome_set *set, const struct incident *incident)
{
    if (!incident->is_open && !utc_is_known(incident->ended.first_after))
        set->broken = "an incident is closed and has no end";
    if (utc_is_known(incident->began.last_before) &&
        incident->began.last_before.ns >= incident->began.first_after.ns)
        set->broken = "an incident began before it was last well";
    if (utc_is_known(incident->ended.first_after) &&
        incident->ended.first_after.ns < incident->began.first_after.ns)
        set->broken = "an incident ended before it began";
    for (size_t i = 0; i < LAYER_COUNT; i++)
        if (incident->layers[i].extent.down > incident->layers[i].extent.watched)
            set->broken = "more of a layer is down than is watched";
}

static void add_incident(struct outcome_set *set, const struct incident *incident)
{
    check_incident(set, incident);
    for (size_t i = 0; i < set->incident_count; i++) {
        if (set->incidents[i].id != incident->id)
            continue;
        if (incident->revision <= set->incidents[i].revision)
            set->broken = "an incident's revision does not rise";
        set->incidents[i] = *incident;
        return;
    }
    set->incidents = mem_grow(set->incidents, &set->incident_capacity, set->incident_count + 1,
                              sizeof *set->incidents);
    set->called =
        mem_grow(set->called, &set->called_capacity, set->incident_count + 1, sizeof *set->called);
    set->called[set->incident_count] = 0;
    set->incidents[set->incident_count++] = *incident;
}

static void note_call(struct outcome_set *set, const struct verdict *verdict)
{
    for (size_t i = set->call_count; i-- > 0;)
        if (set->calls[i].incident == verdict->incident) {
            if (set->calls[i].cause == verdict->call)
                return;
            break;
        }
    set->calls = mem_grow(set->calls, &set->call_capacity, set->call_count + 1, sizeof *set->calls);
    set->calls[set->call_count++] = (struct call){.time = verdict->judged,
                                                  .incident = verdict->incident,
                                                  .cause = verdict->call,
                                                  .share = verdict->posterior[verdict->order[0]]};
}

static void add_event(struct outcome_set *set, const struct event *event)
{
    if (event->at.last_before.ns > event->at.first_after.ns)
        set->broken = "an event ends before it begins";
    set->events =
        mem_grow(set->events, &set->event_capacity, set->event_count + 1, sizeof *set->events);
    set->events[set->event_count++] = *event;
}

static void add_verdict(struct outcome_set *set, const struct verdict *verdict)
{
    double sum = 0;
    for (size_t i = 0; i < CAUSE_COUNT; i++)
        sum += verdict->posterior[i];
    if (!(fabs(sum - 1) < 1e-6))
        set->broken = "the probabilities of a verdict do not sum to 1";
    size_t of = 0;
    while (of < set->incident_count && set->incidents[of].id != verdict->incident)
        of++;
    if (of == set->incident_count) {
        set->broken = "a verdict comes before its incident";
        return;
    }
    set->called[of] |= 1u << verdict->call;
    note_call(set, verdict);
    for (size_t i = 0; i < set->verdict_count; i++)
        if (set->verdicts[i].incident == verdict->incident) {
            set->verdicts[i] = *verdict;
            return;
        }
    set->verdicts = mem_grow(set->verdicts, &set->verdict_capacity, set->verdict_count + 1,
                             sizeof *set->verdicts);
    set->verdicts[set->verdict_count++] = *verdict;
}

static void add_notice(struct outcome_set *set, const struct notice *notice)
{
    for (size_t i = 0; i < set->notice_count; i++)
        if (set->notices[i].id == notice->id) {
            set->notices[i] = *notice;
            return;
        }
    set->notices =
        mem_grow(set->notices, &set->notice_capacity, set->notice_count + 1, sizeof *set->notices);
    set->notices[set->notice_count++] = *notice;
}

void outcome_add(struct outcome_set *set, const struct conclusion *conclusion)
{
    switch (conclusion->kind) {
    case CONCLUSION_EVENT:
        add_event(set, &conclusion->event);
        break;
    case CONCLUSION_INCIDENT:
        add_incident(set, &conclusion->incident);
        break;
    case CONCLUSION_VERDICT:
        add_verdict(set, conclusion->verdict);
        break;
    case CONCLUSION_NOTICE:
        add_notice(set, &conclusion->notice);
        break;
    case CONCLUSION_EPISODE:
    case CONCLUSION_SERIES:
        break;
    }
}

void outcome_done(struct outcome_set *set)
{
    free(set->incidents);
    free(set->verdicts);
    free(set->notices);
    free(set->called);
    free(set->events);
    free(set->calls);
    *set = (struct outcome_set){0};
}

static void print_interval(struct buffer *out, const char *label, const struct interval *at)
{
    char a[UTC_TEXT_MAX], b[UTC_TEXT_MAX];
    if (utc_is_known(at->first_after) || utc_is_known(at->last_before))
        buffer_printf(out, " %s %s..%s", label,
                      utc_is_known(at->last_before) ? utc_format(at->last_before, a) : "?",
                      utc_is_known(at->first_after) ? utc_format(at->first_after, b) : "?");
}

static void print_layers(struct buffer *out, const struct incident *incident)
{
    for (size_t i = 0; i < LAYER_COUNT; i++) {
        const struct layer_history *layer = &incident->layers[i];
        if (!layer->extent.watched)
            continue;
        buffer_printf(out, "    %-8s %u down, %u degraded of %u;", layer_name((enum layer)i),
                      layer->extent.down, layer->extent.degraded, layer->extent.watched);
        print_interval(out, "degraded", &layer->degraded);
        print_interval(out, "down", &layer->down);
        print_interval(out, "all down", &layer->all_down);
        print_interval(out, "first up", &layer->first_up);
        print_interval(out, "all up", &layer->all_up);
        buffer_printf(out, "\n");
    }
}

static void print_verdict(struct buffer *out, const struct verdict *verdict)
{
    buffer_printf(out, "    verdict: call %s, confidence %s, set of %u:",
                  verdict->call < CAUSE_COUNT ? cause_name((enum cause)verdict->call) : "none",
                  confidence_name((enum confidence)verdict->confidence), verdict->set_size);
    for (size_t i = 0; i < 7; i++)
        buffer_printf(out, " %s %.3f", cause_name((enum cause)verdict->order[i]),
                      verdict->posterior[verdict->order[i]]);
    buffer_printf(out, "\n");
    for (size_t i = 0; i < EVIDENCE_COUNT; i++) {
        const struct evidence *evidence = &verdict->evidence[i];
        const struct finding *finding = &evidence->finding;
        if (finding->truth == TRUTH_UNKNOWN)
            continue;
        buffer_printf(out, "      %-26s %-7s n %u m %u a %g b %g;",
                      evidence_name((enum evidence_kind)i),
                      finding->truth == TRUTH_PRESENT ? "present" : "absent", finding->n,
                      finding->m, finding->a, finding->b);
        for (size_t k = 0; k < 4; k++)
            buffer_printf(out, " %s %+.2f", cause_name((enum cause)verdict->order[k]),
                          (double)evidence->weight[verdict->order[k]]);
        print_interval(out, "first", &finding->first);
        print_interval(out, "second", &finding->second);
        buffer_printf(out, "\n");
    }
}

static const char *call_name(uint8_t cause)
{
    return cause < CAUSE_COUNT ? cause_name((enum cause)cause) : "none";
}

static void print_events(struct buffer *out, const struct outcome_set *set,
                         const struct registry *registry)
{
    for (size_t i = 0; i < set->event_count; i++) {
        const struct event *event = &set->events[i];
        buffer_printf(out, "  event of incident %u: %s from %s: %s to %s (%s), size %.2f;",
                      event->incident, registry_text(registry, event->target),
                      event->source ? registry_text(registry, event->source) : "routes",
                      condition_name((enum condition)event->from),
                      condition_name((enum condition)event->to),
                      outcome_name((enum outcome)event->outcome), event->size);
        print_interval(out, "at", &event->at);
        buffer_puts(out, "\n");
    }
}

static void print_calls(struct buffer *out, const struct outcome_set *set, uint32_t incident)
{
    char time[UTC_TEXT_MAX];
    for (size_t i = 0; i < set->call_count; i++)
        if (set->calls[i].incident == incident)
            buffer_printf(out, "    at %s it called %s; the first had %.2f\n",
                          utc_format(set->calls[i].time, time), call_name(set->calls[i].cause),
                          set->calls[i].share);
}

void outcome_print(const struct outcome_set *set, const struct registry *registry,
                   struct buffer *out)
{
    for (size_t i = 0; i < set->incident_count; i++) {
        const struct incident *incident = &set->incidents[i];
        buffer_printf(
            out,
            "  incident %u of %s, revision %u, %s, %u episodes, depth %.2f, first %s %s, %u "
            "vantages,",
            incident->id, registry_text(registry, incident->subject), incident->revision,
            incident->is_open ? "open" : "closed", incident->episodes, incident->depth,
            incident->first_layer < LAYER_COUNT ? layer_name((enum layer)incident->first_layer)
                                                : "unresolved",
            registry_text(registry, incident->first_target), incident->vantages);
        print_interval(out, "began", &incident->began);
        print_interval(out, "ended", &incident->ended);
        buffer_printf(out, "\n");
        print_layers(out, incident);
        print_calls(out, set, incident->id);
        for (size_t k = 0; k < set->verdict_count; k++)
            if (set->verdicts[k].incident == incident->id)
                print_verdict(out, &set->verdicts[k]);
    }
    for (size_t i = 0; i < set->notice_count; i++) {
        const struct notice *notice = &set->notices[i];
        buffer_printf(
            out, "  notice %s %s %s %s %u of %u;", notice_kind_name((enum notice_kind)notice->kind),
            registry_text(registry, notice->source), registry_text(registry, notice->target),
            notice->is_open ? "open" : "closed", notice->n, notice->m);
        print_interval(out, "began", &notice->began);
        print_interval(out, "ended", &notice->ended);
        buffer_printf(out, "\n");
    }
    print_events(out, set, registry);
    buffer_printf(out, "  %zu events\n", set->event_count);
}
