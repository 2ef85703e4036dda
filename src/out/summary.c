#include "out/summary.h"

#include "out/sentence.h"
#include "out/words.h"

/* How many causes a sentence names before it says "and others". */
enum { NAMED_CAUSES = 4 };

static bool is_reconstruction(const struct dossier *dossier)
{
    return dossier->subject.is_reconstruction;
}

const char *summary_title(const struct dossier *dossier)
{
    const struct incident *incident = &dossier->file.incident;
    const char *subject =
        subject_words(dossier->arena, dossier->registry, &dossier->subject, incident->subject);
    return arena_printf(dossier->arena, "%s %u: %s",
                        is_reconstruction(dossier) ? "Reconstruction of incident" : "Incident",
                        incident->id, subject);
}

const char *summary_reconstruction(const struct dossier *dossier)
{
    return is_reconstruction(dossier)
               ? "This is a reconstruction: only the published facts that it "
                 "was made from are real, everything between them is filled in."
               : NULL;
}

static const char *time_words(const struct dossier *dossier)
{
    const struct incident *incident = &dossier->file.incident;
    struct arena *arena = dossier->arena;
    const char *began = words_interval(arena, &incident->began, (struct utc){0});
    const char *judged = words_time(arena, dossier_known_until(dossier));
    struct utc day = incident->began.first_after;
    if (incident->episodes > 1)
        return arena_printf(
            arena, "It came in %u episodes: the first began %s, and %s.", incident->episodes, began,
            incident->is_open
                ? arena_printf(arena, "it had not been seen to end by %s", judged)
                : arena_printf(arena, "the last ended %s",
                               words_interval(arena, &incident->ended, (struct utc){0})));
    if (incident->is_open)
        return arena_printf(arena, "It began %s and had not been seen to end by %s.", began,
                            judged);
    return arena_printf(arena, "It began %s and ended %s; it lasted %s.", began,
                        words_interval(arena, &incident->ended, day),
                        words_between(arena, &incident->began, &incident->ended));
}

/* Told with the order, not again as a finding. */
static bool is_order_of_planes(int kind)
{
    return kind == EVIDENCE_DATA_FIRST || kind == EVIDENCE_ROUTES_FIRST;
}

/* Which layer was first is open; but of hosts and routes alone it may be known. */
static const char *unresolved_words(const struct dossier *dossier)
{
    const struct verdict *verdict = dossier_verdict(dossier);
    struct arena *arena = dossier->arena;
    for (int kind = 0; verdict && kind < EVIDENCE_COUNT; kind++) {
        const struct finding *finding = &verdict->evidence[kind].finding;
        if (is_order_of_planes(kind) && finding->truth == TRUTH_PRESENT)
            return arena_printf(
                arena,
                "What failed first of all cannot be told: the order cannot be resolved at "
                "this sampling, except that %s.",
                sentence_short(arena, dossier->registry, finding));
    }
    return "What failed first cannot be told: the order cannot be resolved at this sampling.";
}

static const char *order_words(const struct dossier *dossier)
{
    const struct incident *incident = &dossier->file.incident;
    struct arena *arena = dossier->arena;
    unsigned layers = dossier_layers(dossier);
    if (layers < 2)
        return layers ? "No other layer with data was touched." : "";
    if (incident->first_layer >= LAYER_COUNT)
        return unresolved_words(dossier);
    struct interval onset;
    bool is_degraded = false, next_is_degraded = false;
    int64_t margin_ns = 0;
    layer_onset(&incident->layers[incident->first_layer], &onset, &is_degraded);
    const char *first = words_failure(
        (enum layer)incident->first_layer,
        history_units(&incident->layers[incident->first_layer], is_degraded), is_degraded);
    enum layer second = dossier_second_layer(dossier, &margin_ns);
    const char *start = incident->episodes > 1
                            ? arena_printf(arena, "In the deepest episode, %s first", first)
                            : arena_printf(arena, "First, %s", first);
    if (second == LAYER_COUNT)
        return arena_printf(arena, "%s.", start);
    char margin[DURATION_TEXT_MAX];
    layer_onset(&incident->layers[second], &onset, &next_is_degraded);
    return arena_printf(
        arena, "%s, at least %s before %s.", start, duration_format(margin_ns, margin),
        words_failure(second, history_units(&incident->layers[second], next_is_degraded),
                      next_is_degraded));
}

/* The thing seen that speaks most for the leading cause. How wide it was, and the order,
 * have been said already. */
static const char *key_sentence(const struct dossier *dossier)
{
    const struct verdict *verdict = dossier_verdict(dossier);
    const struct finding *key = NULL;
    float most = 0.1f;
    for (int kind = 0; verdict && kind < EVIDENCE_COUNT; kind++) {
        const struct evidence *evidence = &verdict->evidence[kind];
        float weight = evidence->weight[verdict->order[0]];
        if (evidence_family((enum evidence_kind)kind) == FAMILY_GATE || is_order_of_planes(kind) ||
            evidence->finding.truth != TRUTH_PRESENT || weight <= most)
            continue;
        most = weight;
        key = &evidence->finding;
    }
    if (!key)
        return "";
    return sentence_whole(dossier->arena, sentence(dossier->arena, dossier->registry, key,
                                                   dossier->file.incident.began.first_after));
}

const char *summary_facts(const struct dossier *dossier)
{
    const struct incident *incident = &dossier->file.incident;
    struct arena *arena = dossier->arena;
    bool is_degraded;
    const char *extent = incident_extent(arena, incident, &is_degraded);
    const char *name = incident->subject ? registry_text(dossier->registry, incident->subject) : "";
    const char *order = order_words(dossier), *key = key_sentence(dossier);
    return arena_printf(arena, "%s %s %s at the worst moment. %s%s%s%s%s", name,
                        is_degraded ? "was disturbed:" : "lost", extent, time_words(dossier),
                        *order ? " " : "", order, *key ? " " : "", key);
}

const char *cause_with_likelihood(struct arena *arena, const struct verdict *verdict,
                                  enum cause cause)
{
    double p = verdict->posterior[cause];
    return arena_printf(arena, "%s (%s, %s)", cause_phrase(cause), words_likelihood(p),
                        words_percent(arena, p));
}

static const char *no_call_words(struct arena *arena, const struct verdict *verdict)
{
    const char *items[NAMED_CAUSES + 1];
    size_t count = 0;
    for (int i = 0; i < verdict->set_size && count < NAMED_CAUSES; i++)
        items[count++] = cause_with_likelihood(arena, verdict, (enum cause)verdict->order[i]);
    if (verdict->order[0] == CAUSE_UNKNOWN || verdict->set_size > 2 * NAMED_CAUSES)
        return arena_printf(arena,
                            "The cause cannot be told from these data: it takes %u causes to hold "
                            "80 %% of the likelihood.",
                            verdict->set_size);
    if (verdict->set_size > NAMED_CAUSES)
        items[count++] = "others";
    return arena_printf(
        arena,
        "No single cause stands out. What was seen fits %s; only together do they hold "
        "80 %% of the likelihood.",
        words_list(arena, items, count));
}

const char *summary_verdict(const struct dossier *dossier)
{
    const struct verdict *verdict = dossier_verdict(dossier);
    struct arena *arena = dossier->arena;
    if (!verdict)
        return "No verdict has been reached yet.";
    const char *first = verdict->is_provisional ? "This is a first, provisional verdict. " : "";
    if (verdict->call >= CAUSE_COUNT)
        return arena_printf(arena, "%s%s", first, no_call_words(arena, verdict));
    enum cause call = (enum cause)verdict->call;
    double p = verdict->posterior[call];
    return arena_printf(arena, "%sWhat was seen fits %s best: %s (%s). %s", first,
                        cause_phrase(call), words_likelihood(p), words_percent(arena, p),
                        cause_says(call));
}

const char *summary_confidence(const struct dossier *dossier)
{
    const struct verdict *verdict = dossier_verdict(dossier);
    const struct incident *incident = &dossier->file.incident;
    struct arena *arena = dossier->arena;
    if (!verdict)
        return "";
    bool is_resolved = incident->first_layer < LAYER_COUNT;
    const char *vantages = incident->vantages
                               ? words_count(arena, incident->vantages, "vantage", "vantages")
                               : "routes only";
    return arena_printf(arena, "Confidence in the data: %s (%s; %s).",
                        confidence_name((enum confidence)verdict->confidence), vantages,
                        is_resolved ? "what failed first is resolved"
                                    : "what failed first is not resolved");
}
