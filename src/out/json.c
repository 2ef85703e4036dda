#include "out/json.h"

#include "out/sections.h"
#include "out/sentence.h"
#include "out/words.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

json_t *json_text(const char *text)
{
    json_t *string = text ? json_string(text) : json_null();
    if (string)
        return string;
    /* Not UTF-8: buffer_json() mends it and puts quotes around. */
    struct buffer mended = {0};
    buffer_json(&mended, text);
    string = json_loadb(mended.bytes, mended.size, JSON_DECODE_ANY, NULL);
    buffer_done(&mended);
    return string ? string : json_null();
}

json_t *json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_time(struct utc t)
{
    char text[UTC_TEXT_MAX];
    return utc_is_known(t) ? json_string(utc_format(t, text)) : json_null();
}

json_t *json_interval(const struct interval *at)
{
    if (!utc_is_known(at->last_before) && !utc_is_known(at->first_after))
        return json_null();
    return json_pack("{s:o, s:o}", "not_before", json_time(at->last_before), "not_after",
                     json_time(at->first_after));
}

json_t *json_name(const struct registry *registry, uint32_t id)
{
    return id ? json_text(registry_text(registry, id)) : json_null();
}

static json_t *json_layer(unsigned layer)
{
    return layer < LAYER_COUNT ? json_string(layer_name((enum layer)layer)) : json_null();
}

static json_t *json_extent(const struct extent *extent)
{
    return json_pack("{s:i, s:i, s:i}", "watched", extent->watched, "down", extent->down,
                     "degraded", extent->degraded);
}

static json_t *json_history(enum layer layer, const struct layer_history *history)
{
    return json_pack(
        "{s:o, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "layer", json_layer(layer), "watched",
        history->extent.watched, "down", history->extent.down, "degraded", history->extent.degraded,
        "whole", json_extent(&history->whole), "first_degraded", json_interval(&history->degraded),
        "first_down", json_interval(&history->down), "all_down", json_interval(&history->all_down),
        "first_up", json_interval(&history->first_up), "all_up", json_interval(&history->all_up));
}

static bool is_watched(const struct layer_history *history)
{
    struct interval onset;
    bool is_degraded;
    return history->extent.watched || layer_onset(history, &onset, &is_degraded);
}

json_t *json_incident(const struct registry *registry, const struct incident *incident)
{
    json_t *layers = json_array();
    for (int layer = 0; layer < LAYER_COUNT; layer++)
        if (is_watched(&incident->layers[layer]))
            json_array_append_new(layers,
                                  json_history((enum layer)layer, &incident->layers[layer]));
    return json_pack("{s:s, s:I, s:o, s:I, s:o, s:b, s:o, s:o, s:i, s:o, s:o, s:o, s:I, s:o}",
                     "type", "incident", "incident", (json_int_t)incident->id, "subject",
                     json_name(registry, incident->subject), "revision",
                     (json_int_t)incident->revision, "judged", json_time(incident->judged),
                     "is_open", incident->is_open, "began", json_interval(&incident->began),
                     "ended", json_interval(&incident->ended), "episodes", incident->episodes,
                     "depth", json_number(incident->depth), "first_layer",
                     json_layer(incident->first_layer), "first_target",
                     json_name(registry, incident->first_target), "vantages",
                     (json_int_t)incident->vantages, "layers", layers);
}

json_t *json_episode(const struct episode *episode)
{
    return json_pack("{s:i, s:b, s:o, s:o, s:o}", "episode", episode->number, "is_open",
                     episode->is_open, "began", json_interval(&episode->began), "ended",
                     json_interval(&episode->ended), "depth", json_number(episode->depth));
}

json_t *json_event(const struct registry *registry, const struct event *event)
{
    return json_pack(
        "{s:I, s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "event", (json_int_t)event->id,
        "layer", json_layer(event->layer), "source", json_name(registry, event->source), "target",
        json_name(registry, event->target), "from", condition_name((enum condition)event->from),
        "to", condition_name((enum condition)event->to), "outcome",
        outcome_name((enum outcome)event->outcome), "stage", stage_name((enum stage)event->stage),
        "at", json_interval(&event->at), "size", json_number(event->size), "certainty",
        json_number(event->certainty));
}

json_t *json_notice(const struct registry *registry, const struct notice *notice)
{
    return json_pack(
        "{s:s, s:I, s:s, s:o, s:o, s:b, s:i, s:i, s:o, s:o}", "type", "notice", "notice",
        (json_int_t)notice->id, "kind", notice_kind_name((enum notice_kind)notice->kind), "source",
        json_name(registry, notice->source), "target", json_name(registry, notice->target),
        "is_open", notice->is_open, "n", notice->n, "m", notice->m, "began",
        json_interval(&notice->began), "ended", json_interval(&notice->ended));
}

static json_t *milliseconds(double ns)
{
    return ns > 0 ? json_number(round(ns / 1e3) / 1e3) : json_null();
}

json_t *json_series(const struct registry *registry, const struct series_state *series)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o}",
                     "type", "series", "subject", json_name(registry, series->subject), "layer",
                     json_layer(series->layer), "source", json_name(registry, series->source),
                     "target", json_name(registry, series->target), "condition",
                     condition_name((enum condition)series->condition), "outcome",
                     outcome_name((enum outcome)series->outcome), "is_counted", series->is_counted,
                     "was_up", series->was_up, "since", json_interval(&series->since), "belief",
                     json_number(series->belief), "loss", json_number(series->loss), "rtt_ms",
                     milliseconds(series->rtt_ns), "usual_rtt_ms",
                     milliseconds(series->rtt_base_ns));
}

static const char *truth_name(unsigned truth)
{
    return truth == TRUTH_PRESENT ? "present" : truth == TRUTH_ABSENT ? "absent" : "unknown";
}

static json_t *json_weights(const float weight[CAUSE_COUNT])
{
    json_t *weights = json_object();
    for (int cause = 0; cause < CAUSE_COUNT; cause++)
        json_object_set_new(weights, cause_name((enum cause)cause),
                            json_number(round((double)weight[cause] * 1e4) / 1e4));
    return weights;
}

static json_t *json_evidence(const struct dossier *dossier, const struct evidence *evidence)
{
    const struct finding *f = &evidence->finding;
    enum evidence_kind kind = (enum evidence_kind)f->kind;
    if (f->truth == TRUTH_UNKNOWN)
        return json_pack("{s:s, s:s, s:s}", "evidence", evidence_name(kind), "family",
                         family_name(evidence_family(kind)), "truth", truth_name(f->truth));
    const char *clause = sentence(dossier->arena, dossier->registry, f, (struct utc){0});
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "evidence",
        evidence_name(kind), "family", family_name(evidence_family(kind)), "truth",
        truth_name(f->truth), "sentence", json_text(sentence_whole(dossier->arena, clause)), "n",
        (json_int_t)f->n, "m", (json_int_t)f->m, "a", json_number(f->a), "b", json_number(f->b),
        "name", json_name(dossier->registry, f->name), "first", json_interval(&f->first), "second",
        json_interval(&f->second), "weights", json_weights(evidence->weight));
}

/* Kept within what may be printed: never 0, never 1. */
static json_t *json_probability(double p)
{
    return json_number(fmin(fmax(round(p * 1e4) / 1e4, 1e-4), 1 - 1e-4));
}

static json_t *json_causes(const struct dossier *dossier, const struct verdict *verdict)
{
    json_t *causes = json_array();
    for (int i = 0; i < CAUSE_COUNT; i++) {
        enum cause cause = (enum cause)verdict->order[i];
        double p = verdict->posterior[cause];
        bool has_reason = i > 0 && cause != CAUSE_UNKNOWN;
        const char *reason = has_reason ? reason_words(dossier, reason_kind(verdict, cause)) : NULL;
        json_array_append_new(
            causes, json_pack("{s:s, s:s, s:o, s:s, s:b, s:o}", "cause", cause_name(cause),
                              "phrase", cause_phrase(cause), "probability", json_probability(p),
                              "likelihood", words_likelihood(p), "in_80_percent_set",
                              i < verdict->set_size, "less_because", json_text(reason)));
    }
    return causes;
}

static json_t *json_texts(const char *const *texts, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_text(texts[i]));
    return array;
}

json_t *json_verdict(const struct dossier *dossier)
{
    const struct verdict *verdict = dossier_verdict(dossier);
    const char *measures[SETTLING_MAX], *limits[LIMITS_MAX];
    if (!verdict)
        return json_null();
    size_t measure_count = settling_measures(verdict, measures);
    size_t limit_count = outside_limits(verdict, limits);
    json_t *evidence = json_array();
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++)
        json_array_append_new(evidence, json_evidence(dossier, &verdict->evidence[kind]));
    bool is_call = verdict->call < CAUSE_COUNT;
    return json_pack("{s:I, s:i, s:o, s:b, s:o, s:s, s:o, s:o, s:o, s:o}", "revision",
                     (json_int_t)verdict->revision, "rules", verdict->rules, "judged",
                     json_time(verdict->judged), "is_provisional", verdict->is_provisional, "call",
                     is_call ? json_string(cause_name((enum cause)verdict->call)) : json_null(),
                     "confidence", confidence_name((enum confidence)verdict->confidence), "causes",
                     json_causes(dossier, verdict), "evidence", evidence, "would_change_this",
                     json_texts(measures, measure_count), "cannot_be_told_from_outside",
                     json_texts(limits, limit_count));
}

static int add_to_buffer(const char *bytes, size_t n, void *context)
{
    buffer_add(context, bytes, n);
    return 0;
}

void json_line(struct buffer *out, json_t *object)
{
    assert(object);
    json_dump_callback(object, add_to_buffer, out, JSON_COMPACT | JSON_REAL_PRECISION(9));
    buffer_puts(out, "\n");
    json_decref(object);
}
