#include "core/incident/steps.h"

#include <string.h>

/* The first of several onsets. Each holds the truth but for a stray loss just before it, which
 * among many targets some have: so where a second onset follows within two rounds, the first is not
 * sure to have been before that one's end. */
struct first_onset {
    struct interval first;
    int64_t second; /* the second smallest end */
};

static void add_onset(struct first_onset *onset, const struct interval *one)
{
    if (!is_known(one))
        return;
    struct interval *first = &onset->first;
    if (!is_known(first)) {
        *first = *one;
        onset->second = INT64_MAX;
        return;
    }
    int64_t end = one->first_after.ns;
    if (end < first->first_after.ns) {
        onset->second = first->first_after.ns;
        first->first_after = one->first_after;
    } else if (end < onset->second) {
        onset->second = end;
    }
    if (one->last_before.ns < first->last_before.ns)
        first->last_before = one->last_before;
}

static struct interval surely_first(const struct first_onset *onset, int64_t round_ns)
{
    struct interval first = onset->first;
    if (is_known(&first) && onset->second <= first.first_after.ns + 2 * round_ns)
        first.first_after.ns = onset->second;
    return first;
}

static void widen_first(struct interval *first, const struct interval *one)
{
    struct first_onset onset = {*first, 0};
    add_onset(&onset, one);
    *first = onset.first;
}

static void widen_last(struct interval *last, const struct interval *one)
{
    if (one->last_before.ns > last->last_before.ns)
        last->last_before = one->last_before;
    if (one->first_after.ns > last->first_after.ns)
        last->first_after = one->first_after;
}

struct layer_firsts {
    struct first_onset degraded, down;
};

static void note_track(struct layer_history layers[LAYER_COUNT],
                       struct layer_firsts firsts[LAYER_COUNT], const struct member *member,
                       const struct track *track, bool is_failing[LAYER_COUNT])
{
    struct layer_history *layer = &layers[member->layer];
    struct layer_history *slow = member->kind == NAME_PREFIX ? layer : &layers[LAYER_PATH];
    add_onset(&firsts[slow - layers].degraded, &track->degraded);
    if (is_known(&track->degraded) && is_known(&track->up_last))
        widen_last(&slow->all_up, &track->up_last);
    is_failing[slow - layers] |= track->condition == CONDITION_DEGRADED;
    is_failing[member->layer] |= track->condition == CONDITION_DOWN;
    if (!(track->flags & TRACK_FAILED))
        return;
    add_onset(&firsts[member->layer].down, &track->down);
    widen_last(&layer->all_down, &track->down);
    widen_first(&layer->first_up, &track->up_first);
    widen_last(&layer->all_up, &track->up_last);
}

static struct interval onset_of(const struct layer_history *layer)
{
    struct interval onset = {{0}, {0}};
    widen_first(&onset, &layer->degraded);
    widen_first(&onset, &layer->down);
    return onset;
}

/* The layer whose onset is before that of all others, by disjoint intervals. */
static enum layer first_layer(const struct layer_history layers[LAYER_COUNT])
{
    for (int a = 0; a < LAYER_COUNT; a++) {
        struct interval onset = onset_of(&layers[a]);
        bool is_first = is_known(&onset);
        for (int b = 0; b < LAYER_COUNT && is_first; b++) {
            struct interval other = onset_of(&layers[b]);
            is_first = a == b || !is_known(&other) || interval_is_before(&onset, &other, NULL);
        }
        if (is_first)
            return (enum layer)a;
    }
    return LAYER_COUNT;
}

static struct interval track_onset(const struct track *track)
{
    struct interval onset = track->degraded;
    if (!is_known(&onset) ||
        (is_known(&track->down) && track->down.first_after.ns < onset.first_after.ns))
        onset = track->down;
    return onset;
}

void case_describe(const struct incidents *in, const struct watch_list *watch,
                   const struct registry *registry, const struct case_file *file, uint32_t row,
                   struct incident *incident, struct interval *began, struct interval *ended)
{
    struct layer_history *layers = incident->layers;
    bool is_failing[LAYER_COUNT] = {false};
    struct layer_firsts firsts[LAYER_COUNT];
    struct first_onset began_first = {{{0}, {0}}, 0};
    struct utc earliest = {0};
    uint32_t first = 0;
    memset(firsts, 0, sizeof firsts);
    *began = *ended = (struct interval){{0}, {0}};
    for (uint32_t at = first_of(watch, file->subject); at;) {
        const struct member *member = watch_member(watch, at - 1);
        const struct track *track = track_at(&in->tracks, at - 1);
        at = member->next;
        if (track->slot != row + 1)
            continue;
        note_track(layers, firsts, member, track, is_failing);
        widen_last(ended, &track->up_last);
        struct interval onset = track_onset(track);
        if (is_known(&onset))
            add_onset(&began_first, &onset);
        bool is_first = !first || onset.first_after.ns < earliest.ns ||
                        (onset.first_after.ns == earliest.ns &&
                         registry_hash(registry, member->target) < registry_hash(registry, first));
        if (is_known(&onset) && is_first) {
            earliest = onset.first_after;
            first = member->target;
        }
    }
    *began = surely_first(&began_first, file->round_ns);
    for (int layer = 0; layer < LAYER_COUNT; layer++) {
        layers[layer].degraded = surely_first(&firsts[layer].degraded, file->round_ns);
        layers[layer].down = surely_first(&firsts[layer].down, file->round_ns);
    }
    for (int layer = 0; layer < LAYER_COUNT; layer++)
        if (is_failing[layer])
            layers[layer].all_up = (struct interval){{0}, {0}};
    incident->first_layer = (uint8_t)first_layer(layers);
    incident->first_target = incident->first_layer == LAYER_COUNT ? 0 : first;
}
