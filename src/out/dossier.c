#include "out/dossier.h"

#include "model/observation.h"
#include "out/words.h"

#include <stdlib.h>

const struct verdict *dossier_verdict(const struct dossier *dossier)
{
    const struct incident_file *file = &dossier->file;
    return file->verdict_count ? &file->verdicts[file->verdict_count - 1] : NULL;
}

struct utc judged_until(const struct journal_counts *counts)
{
    struct utc until = utc_add(counts->last, -LATENESS_NS);
    return counts->observations && until.ns >= counts->first.ns ? until : (struct utc){0};
}

struct utc dossier_known_until(const struct dossier *dossier)
{
    struct utc judged = dossier->file.incident.judged;
    return dossier->judged_until.ns > judged.ns ? dossier->judged_until : judged;
}

const struct subject_state *subject_find(const struct subject_list *subjects, uint32_t subject)
{
    for (size_t i = 0; i < subjects->count; i++)
        if (subjects->list[i].subject == subject)
            return &subjects->list[i];
    return NULL;
}

const char *subject_words(struct arena *arena, const struct registry *registry,
                          const struct subject_state *subject, uint32_t name)
{
    const char *text = name ? registry_text(registry, name) : "(no subject)";
    if (!subject || !subject->title)
        return text;
    return arena_printf(arena, "%s (%s)", text, registry_text(registry, subject->title));
}

static bool is_known(const struct interval *at)
{
    return utc_is_known(at->last_before) || utc_is_known(at->first_after);
}

/* The moment by which it had happened at the latest. */
static int64_t latest(const struct interval *at)
{
    return utc_is_known(at->first_after) ? at->first_after.ns : at->last_before.ns;
}

bool layer_onset(const struct layer_history *history, struct interval *onset, bool *is_degraded)
{
    bool has_degraded = is_known(&history->degraded), has_down = is_known(&history->down);
    if (!has_degraded && !has_down)
        return false;
    *is_degraded =
        has_degraded && (!has_down || latest(&history->degraded) < latest(&history->down));
    *onset = *is_degraded ? history->degraded : history->down;
    return true;
}

enum layer dossier_second_layer(const struct dossier *dossier, int64_t *margin_ns)
{
    const struct incident *incident = &dossier->file.incident;
    struct interval first, onset;
    bool is_degraded;
    enum layer second = LAYER_COUNT;
    if (incident->first_layer >= LAYER_COUNT ||
        !layer_onset(&incident->layers[incident->first_layer], &first, &is_degraded))
        return LAYER_COUNT;
    for (int layer = 0; layer < LAYER_COUNT; layer++) {
        int64_t margin;
        if (layer == incident->first_layer ||
            !layer_onset(&incident->layers[layer], &onset, &is_degraded))
            continue;
        if (!interval_is_before(&first, &onset, &margin))
            return LAYER_COUNT;
        if (second == LAYER_COUNT || margin < *margin_ns) {
            second = (enum layer)layer;
            *margin_ns = margin;
        }
    }
    return second;
}

unsigned dossier_layers(const struct dossier *dossier)
{
    unsigned count = 0;
    for (int layer = 0; layer < LAYER_COUNT; layer++) {
        struct interval onset;
        bool is_degraded;
        count += layer_onset(&dossier->file.incident.layers[layer], &onset, &is_degraded);
    }
    return count;
}

static unsigned lost_of(const struct extent *extent, bool is_degraded)
{
    return is_degraded ? extent->degraded : extent->down;
}

enum units history_units(const struct layer_history *history, bool is_degraded)
{
    const struct extent *all = &history->extent, *whole = &history->whole;
    unsigned lost = lost_of(all, is_degraded);
    return lost ? units_of(lost, lost_of(whole, is_degraded))
                : units_of(all->watched, whole->watched);
}

/* However many services share a host, they count once: "the services of 2 of 3 servers", or, in a
 * table where the layer stands beside it, "on 2 of 3 servers". */
static const char *count_words(struct arena *arena, unsigned n, unsigned m, enum layer layer,
                               enum units units, bool is_cell)
{
    if (layer != LAYER_SERVICE)
        return arena_printf(arena, "%u of %u %s", n, m, words_unit(layer, units, m));
    return arena_printf(arena, "%s %u of %u %s", is_cell ? "on" : "the services of", n, m,
                        m == 1 ? "server" : "servers");
}

/* Single things and whole ones, of each how many were lost of how many, if any were; two items at most. */
static size_t list_extent(struct arena *arena, const struct layer_history *history,
                          enum layer layer, bool is_degraded, bool is_cell, const char **items)
{
    const struct extent *all = &history->extent, *whole = &history->whole;
    unsigned lost_whole = lost_of(whole, is_degraded);
    unsigned lost_single = lost_of(all, is_degraded) - lost_whole;
    size_t count = 0;
    if (lost_single)
        items[count++] = count_words(arena, lost_single, (unsigned)(all->watched - whole->watched),
                                     layer, UNITS_SINGLE, is_cell);
    if (lost_whole)
        items[count++] =
            count_words(arena, lost_whole, whole->watched, layer, UNITS_WHOLE, is_cell);
    return count;
}

/* As a cell of the time line; "" if nothing was lost. */
static const char *extent_cell(struct arena *arena, const struct layer_history *history,
                               enum layer layer, bool is_degraded)
{
    const char *items[2];
    size_t count = list_extent(arena, history, layer, is_degraded, true, items);
    return words_list(arena, items, count);
}

const char *incident_extent(struct arena *arena, const struct incident *incident, bool *is_degraded)
{
    static const enum layer order[] = {LAYER_HOST, LAYER_ROUTE, LAYER_NAME, LAYER_SERVICE,
                                       LAYER_PATH};
    const char *items[2 * LAYER_COUNT];
    size_t count = 0;
    for (int pass = 0; pass < 2 && count == 0; pass++) {
        *is_degraded = pass == 1;
        for (size_t i = 0; i < sizeof order / sizeof *order; i++)
            count += list_extent(arena, &incident->layers[order[i]], order[i], *is_degraded, false,
                                 &items[count]);
    }
    return count ? words_list(arena, items, count) : "nothing that can be counted";
}

static void add_step(struct step_list *steps, const struct interval *at, enum layer layer,
                     const char *what, const char *extent)
{
    if (is_known(at))
        steps->list[steps->count++] =
            (struct step){.at = *at, .layer = layer, .what = what, .extent = extent};
}

static bool is_same(const struct interval *a, const struct interval *b)
{
    return a->last_before.ns == b->last_before.ns && a->first_after.ns == b->first_after.ns;
}

/* What a layer lost and when, in one step or two. */
static void add_losses(struct arena *arena, enum layer layer, const struct layer_history *history,
                       struct step_list *steps)
{
    enum units units = history_units(history, false);
    const char *one = words_unit(layer, units, 1), *many = words_unit(layer, units, 2);
    const char *lost = extent_cell(arena, history, layer, false);
    if (!is_known(&history->all_down) || is_same(&history->down, &history->all_down)) {
        add_step(steps, &history->down, layer,
                 arena_printf(arena, "%s lost",
                              history->extent.down == 1 && layer != LAYER_SERVICE ? one : many),
                 lost);
        return;
    }
    add_step(steps, &history->down, layer, arena_printf(arena, "first %s lost", one), "");
    add_step(steps, &history->all_down, layer, arena_printf(arena, "last of the %s lost", many),
             lost);
}

/* What came back for a moment before the layer was lost for good, or never left, is no return. */
static bool is_return(const struct interval *up, const struct layer_history *history)
{
    const struct interval *lost = is_known(&history->down) ? &history->down : &history->degraded;
    return is_known(up) && latest(up) >= latest(lost);
}

static void add_returns(struct arena *arena, enum layer layer, const struct layer_history *history,
                        struct step_list *steps)
{
    bool is_down = is_known(&history->down);
    enum units units = history_units(history, !is_down);
    const char *one = words_unit(layer, units, 1), *many = words_unit(layer, units, 2);
    if (is_down && is_return(&history->first_up, history) &&
        !is_same(&history->first_up, &history->all_up))
        add_step(steps, &history->first_up, layer, arena_printf(arena, "first %s back", one), "");
    if (is_return(&history->all_up, history))
        add_step(steps, &history->all_up, layer,
                 arena_printf(arena, is_down ? "all %s back" : "%s as usual again", many), "");
}

/* What a disturbance of routes was, where it was another network's announcement; else NULL. */
static const char *foreign_words(const struct dossier *dossier, const struct layer_history *routes)
{
    const struct verdict *verdict = dossier_verdict(dossier);
    const struct finding *found =
        verdict ? &verdict->evidence[EVIDENCE_FOREIGN_ORIGIN].finding : NULL;
    if (!found || found->truth != TRUTH_PRESENT || !is_same(&found->first, &routes->degraded))
        return NULL;
    return arena_printf(dossier->arena, "AS%.0f announced %s", found->a,
                        registry_text(dossier->registry, found->name));
}

/* One layer: five moments at most. */
static void add_layer(const struct dossier *dossier, enum layer layer, struct step_list *steps)
{
    const struct incident *incident = &dossier->file.incident;
    const struct layer_history *history = &incident->layers[layer];
    struct arena *arena = dossier->arena;
    struct interval onset;
    bool is_degraded;
    if (!layer_onset(history, &onset, &is_degraded))
        return;
    const char *foreign = layer == LAYER_ROUTE ? foreign_words(dossier, history) : NULL;
    const char *what = foreign ? foreign : words_failure(layer, history_units(history, true), true);
    add_step(steps, &history->degraded, layer, what, extent_cell(arena, history, layer, true));
    add_losses(arena, layer, history, steps);
    add_returns(arena, layer, history, steps);
}

static int compare_steps(const void *left, const void *right)
{
    const struct step *a = left, *b = right;
    int64_t first = latest(&a->at), second = latest(&b->at);
    if (first == second) {
        first = a->at.last_before.ns;
        second = b->at.last_before.ns;
    }
    if (first == second) {
        first = a->layer;
        second = b->layer;
    }
    return first < second ? -1 : first > second;
}

struct step_list dossier_time_line(const struct dossier *dossier)
{
    struct step_list steps = {
        .list = arena_alloc(dossier->arena, 5 * LAYER_COUNT * sizeof(struct step))};
    for (int layer = 0; layer < LAYER_COUNT; layer++)
        add_layer(dossier, (enum layer)layer, &steps);
    qsort(steps.list, steps.count, sizeof *steps.list, compare_steps);
    for (size_t i = 1; i < steps.count; i++)
        steps.list[i].is_simultaneous =
            !interval_is_before(&steps.list[i - 1].at, &steps.list[i].at, NULL);
    return steps;
}

struct utc dossier_day(const struct dossier *dossier)
{
    struct step_list steps = dossier_time_line(dossier);
    if (!steps.count)
        return dossier->file.incident.began.first_after;
    struct utc t = steps.list[0].at.first_after;
    return utc_is_known(t) ? t : steps.list[0].at.last_before;
}

int strongest_evidence(const struct verdict *verdict, enum cause cause, enum cause other, int sign)
{
    int best = EVIDENCE_COUNT;
    double most = 0.05; /* less than that is nothing worth naming */
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++) {
        const float *weight = verdict->evidence[kind].weight;
        double difference =
            (double)weight[cause] - (other < CAUSE_COUNT ? (double)weight[other] : 0);
        if (sign * difference > most) {
            most = sign * difference;
            best = kind;
        }
    }
    return best;
}

bool verdict_has_in_set(const struct verdict *verdict, enum cause cause)
{
    for (int i = 0; i < verdict->set_size; i++)
        if (verdict->order[i] == cause)
            return true;
    return false;
}
