#include "out/overview.h"

#include "out/json.h"
#include "out/notices.h"
#include "out/sections.h"
#include "out/summary.h"

static json_t *json_traces(const struct dossier *dossier)
{
    json_t *traces = json_array();
    for (size_t i = 0; i < dossier->traces.count; i++) {
        const struct trace_found *trace = &dossier->traces.list[i];
        json_array_append_new(
            traces,
            json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:I, s:o}", "time", json_time(trace->time),
                      "vantage", json_name(dossier->registry, trace->source), "target",
                      json_name(dossier->registry, trace->target), "for",
                      json_name(dossier->registry, trace->sake), "outcome",
                      outcome_name(trace->outcome), "last_hop",
                      json_name(dossier->registry, trace->hop), "hops", (json_int_t)trace->hops,
                      "last_hop_as", trace->asn ? json_integer(trace->asn) : json_null()));
    }
    return traces;
}

/* What why and report have in common as JSON: one object. */
static json_t *json_dossier(const struct dossier *dossier, const char *type)
{
    json_t *object = json_pack(
        "{s:s, s:I, s:b, s:o, s:o, s:o, s:o, s:o}", "type", type, "incident",
        (json_int_t)dossier->file.incident.id, "is_reconstruction",
        dossier->subject.is_reconstruction, "title", json_text(summary_title(dossier)), "summary",
        json_text(summary_facts(dossier)), "verdict_in_words", json_text(summary_verdict(dossier)),
        "state", json_incident(dossier->registry, &dossier->file.incident), "verdict",
        json_verdict(dossier));
    struct step_list steps = dossier_time_line(dossier);
    json_t *line = json_array();
    for (size_t i = 0; i < steps.count; i++)
        json_array_append_new(
            line,
            json_pack("{s:o, s:s, s:o, s:o, s:b}", "at", json_interval(&steps.list[i].at), "layer",
                      layer_name(steps.list[i].layer), "what", json_text(steps.list[i].what),
                      "extent", json_text(*steps.list[i].extent ? steps.list[i].extent : NULL),
                      "order_is_certain", i > 0 && !steps.list[i].is_simultaneous));
    json_object_set_new(object, "time_line", line);
    json_t *episodes = json_array();
    for (size_t i = 0; i < dossier->file.episode_count; i++)
        json_array_append_new(episodes, json_episode(&dossier->file.episodes[i]));
    json_object_set_new(object, "episodes", episodes);
    json_object_set_new(object, "traces", json_traces(dossier));
    return object;
}

static json_t *json_revisions(const struct dossier *dossier)
{
    json_t *revisions = json_array();
    for (size_t i = 0; i < dossier->file.verdict_count; i++) {
        const struct verdict *verdict = &dossier->file.verdicts[i];
        json_t *call = verdict->call < CAUSE_COUNT
                           ? json_string(cause_name((enum cause)verdict->call))
                           : json_null();
        json_array_append_new(revisions,
                              json_pack("{s:I, s:o, s:b, s:o, s:s, s:o}", "revision",
                                        (json_int_t)verdict->revision, "judged",
                                        json_time(verdict->judged), "is_provisional",
                                        verdict->is_provisional, "call", call, "leading_cause",
                                        cause_name((enum cause)verdict->order[0]), "rules",
                                        json_integer(verdict->rules)));
    }
    return revisions;
}

static json_t *json_report(const struct dossier *dossier)
{
    json_t *object = json_dossier(dossier, "report");
    json_t *events = json_array(), *notices = json_array();
    for (size_t i = 0; i < dossier->file.event_count; i++)
        json_array_append_new(events, json_event(dossier->registry, &dossier->file.events[i]));
    for (size_t i = 0; i < dossier->notices.count; i++)
        if (notice_is_within(&dossier->notices.list[i], &dossier->file.incident))
            json_array_append_new(notices,
                                  json_notice(dossier->registry, &dossier->notices.list[i]));
    json_object_set_new(object, "events", events);
    json_object_set_new(object, "revisions", json_revisions(dossier));
    json_object_set_new(object, "notices", notices);
    return object;
}

/* What `why` says, and a report as well: there with all that was looked for. */
static void reasoning(struct page *page, const struct dossier *dossier, bool is_report)
{
    section_head(page, dossier);
    section_time_line(page, dossier);
    section_traces(page, dossier);
    section_episodes(page, dossier);
    section_verdict(page, dossier);
    section_observed(page, dossier, is_report);
    section_weighing(page, dossier);
    section_limits(page, dossier);
}

void render_why(const struct dossier *dossier, const struct style *style, struct buffer *out)
{
    if (style->format == FORMAT_JSON) {
        json_line(out, json_dossier(dossier, "why"));
        return;
    }
    struct page page = page_of(style, out);
    reasoning(&page, dossier, false);
}

void render_report(const struct dossier *dossier, const struct style *style, struct buffer *out)
{
    if (style->format == FORMAT_JSON) {
        json_line(out, json_report(dossier));
        return;
    }
    struct page page = page_of(style, out);
    reasoning(&page, dossier, true);
    section_revisions(&page, dossier);
    section_observer(&page, dossier);
    section_events(&page, dossier);
    section_method(&page, dossier);
}
