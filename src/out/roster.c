#include "out/roster.h"

#include "base/hash.h"

#include <stdlib.h>

const char *standing_name(enum standing standing)
{
    return standing == STANDING_NEVER_UP ? "never up" : condition_name((enum condition)standing);
}

_Static_assert((int)STANDING_NO_DATA == (int)CONDITION_NO_DATA &&
                   (int)STANDING_UP == (int)CONDITION_UP &&
                   (int)STANDING_DEGRADED == (int)CONDITION_DEGRADED &&
                   (int)STANDING_DOWN == (int)CONDITION_DOWN,
               "a standing begins as a condition");

enum condition roster_vote(const struct series_state *series)
{
    return series->is_counted ? (enum condition)series->condition : CONDITION_NO_DATA;
}

/* What half of the vantages cannot reach is shown as down, with how many say so: the judgement knows
 * besides which of them had it all along (core/detect/vote.c). */
static enum condition decide(const struct roster_row *w)
{
    unsigned degraded = 0;
    for (size_t i = 0; i < w->count; i++)
        degraded += roster_vote(&w->series[i]) == CONDITION_DEGRADED;
    if (!w->voting)
        return CONDITION_NO_DATA;
    if (w->down && w->down * 2u >= w->voting)
        return CONDITION_DOWN;
    return degraded && (w->down + degraded) * 2u > w->voting ? CONDITION_DEGRADED : CONDITION_UP;
}

static void put_together(struct roster_row *w)
{
    bool was_up = false;
    for (size_t i = 0; i < w->count; i++) {
        enum condition vote = roster_vote(&w->series[i]);
        w->voting = (uint16_t)(w->voting + (vote != CONDITION_NO_DATA));
        w->down = (uint16_t)(w->down + (vote == CONDITION_DOWN));
        was_up |= w->series[i].was_up != 0;
    }
    enum condition condition = decide(w);
    w->shown = &w->series[0];
    for (size_t i = w->count; i-- > 0;) {
        const struct series_state *one = &w->series[i];
        bool is_better = roster_vote(w->shown) != condition ||
                         one->since.first_after.ns <= w->shown->since.first_after.ns;
        if (roster_vote(one) == condition && is_better)
            w->shown = one;
    }
    w->standing =
        condition == CONDITION_DOWN && !was_up ? STANDING_NEVER_UP : (enum standing)condition;
}

static bool is_same_target(const struct series_state *a, const struct series_state *b)
{
    return a->subject == b->subject && a->layer == b->layer && a->target == b->target;
}

struct roster roster_make(struct arena *arena, const struct series_list *series)
{
    struct roster roster = {.rows = arena_alloc(arena, (series->count + 1) * sizeof *roster.rows)};
    for (size_t i = 0; i < series->count;) {
        struct roster_row w = {.series = &series->list[i]};
        while (i < series->count && is_same_target(w.series, &series->list[i])) {
            w.count++;
            i++;
        }
        if (!w.series->subject || w.series->layer >= LAYER_COUNT)
            continue; /* a control, or nobody's any more */
        put_together(&w);
        roster.rows[roster.count++] = w;
    }
    return roster;
}

/* A target's place in the count: what has the same key is one unit. */
struct place {
    uint64_t key;
    uint8_t layer;
    bool is_whole;
    enum standing standing;
};

static struct place place_of(const struct registry *registry, const struct roster_row *w)
{
    uint32_t id = w->series->target;
    struct place place = {.key = id, .layer = w->series->layer, .standing = w->standing};
    if (registry_kind(registry, id) != NAME_TARGET)
        return place;
    const struct target *target = registry_target(registry, id);
    place.is_whole = target_is_whole(target);
    if (place.layer == LAYER_NAME && !place.is_whole)
        place.key = hash_bytes(registry_text(registry, id) + target->host.at, target->host.n, 0);
    return place;
}

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    if (a->layer != b->layer)
        return a->layer < b->layer ? -1 : 1;
    return a->key < b->key ? -1 : a->key > b->key;
}

/* A unit is down if all of it is of which something is known, and suffers if some of it does. What
 * was never up says nothing beside what was. */
static enum standing unit_standing(const struct place *places, size_t count)
{
    size_t in[STANDING_COUNT] = {0};
    for (size_t i = 0; i < count; i++)
        in[places[i].standing]++;
    if (in[STANDING_DEGRADED] || (in[STANDING_UP] && in[STANDING_DOWN]))
        return STANDING_DEGRADED;
    if (in[STANDING_UP])
        return STANDING_UP;
    if (in[STANDING_DOWN])
        return STANDING_DOWN;
    return in[STANDING_NEVER_UP] ? STANDING_NEVER_UP : STANDING_NO_DATA;
}

void roster_count(struct arena *arena, const struct registry *registry, const struct roster *roster,
                  uint32_t subject, struct standings layers[LAYER_COUNT])
{
    struct place *places = arena_alloc(arena, (roster->count + 1) * sizeof *places);
    size_t count = 0;
    for (size_t i = 0; i < roster->count; i++) {
        const struct roster_row *w = &roster->rows[i];
        if (w->series->subject == subject)
            places[count++] = place_of(registry, w);
    }
    qsort(places, count, sizeof *places, compare_places);
    for (size_t at = 0, end; at < count; at = end) {
        end = at + 1;
        while (end < count && compare_places(&places[at], &places[end]) == 0)
            end++;
        layers[places[at].layer].in[unit_standing(&places[at], end - at)]++;
        layers[places[at].layer].all++;
        layers[places[at].layer].whole += places[at].is_whole;
    }
}

unsigned roster_unasked(const struct registry *registry, const struct roster *roster,
                        const struct subject_state *subject)
{
    unsigned asked = 0;
    for (size_t i = 0; i < roster->count; i++) {
        const struct series_state *series = roster->rows[i].series;
        asked += series->subject == subject->subject &&
                 registry_kind(registry, series->target) == NAME_TARGET;
    }
    return subject->targets > asked ? subject->targets - asked : 0;
}
