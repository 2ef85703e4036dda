/* How the vantages decide together what one target is: detect_sight() of detect.h. */
#include "core/detect/detect.h"
#include "model/vote.h"

static void take_series(const struct series *s, struct sight *sight)
{
    sight->condition = s->shown;
    sight->outcome = s->bad_outcome;
    sight->stage = s->bad_stage;
    sight->since = s->published_since;
    sight->last_good = s->last_good;
    sight->round_ns = s->round_ns;
    sight->graded_began = s->graded_began;
    sight->graded_last = s->graded_last;
    sight->graded_loss = s->graded_loss;
    sight->graded_rtt = s->graded_rtt;
    sight->step_at = s->step_at;
    sight->step_ns = s->step_ns;
}

static enum condition decide(const struct detect *d, uint32_t first)
{
    struct votes votes;
    votes_init(&votes);
    for (uint32_t row = first; row; row = detect_series(d, row - 1)->next) {
        const struct series *s = detect_series(d, row - 1);
        bool is_unresolved = vote_is_unresolved((enum layer)s->layer, (enum outcome)s->bad_outcome);
        votes_add(&votes, (enum condition)s->shown, s->published_since.first_after, is_unresolved);
    }
    return votes_decide(&votes);
}

/* What is back, is back when the last vantage has it. Those to which it may have come back at the same
 * moment narrow that down. */
static struct interval when_back(const struct detect *d, uint32_t first)
{
    struct interval last = {{0}, {0}};
    for (uint32_t row = first; row; row = detect_series(d, row - 1)->next) {
        const struct series *s = detect_series(d, row - 1);
        if (s->shown == CONDITION_UP && s->published_since.first_after.ns > last.first_after.ns)
            last = s->published_since;
    }
    for (uint32_t row = first; row; row = detect_series(d, row - 1)->next) {
        const struct series *s = detect_series(d, row - 1);
        const struct interval *at = &s->published_since;
        if (s->shown != CONDITION_UP || at->first_after.ns < last.last_before.ns)
            continue;
        if (at->first_after.ns < last.first_after.ns)
            last.first_after = at->first_after;
        if (at->last_before.ns > last.last_before.ns)
            last.last_before = at->last_before;
    }
    return last;
}

void detect_sight(const struct detect *d, uint32_t target, struct sight *sight)
{
    uint32_t first = index_find(&d->target_index, target);
    for (uint32_t row = first; row; row = detect_series(d, row - 1)->next) {
        const struct series *s = detect_series(d, row - 1);
        uint64_t bit = UINT64_C(1) << ((index_find(&d->vantage_index, s->source) - 1) % 64);
        sight->was_up |= s->was_up;
        if (s->shown == CONDITION_NO_DATA)
            continue;
        sight->voting |= bit;
        sight->saying_down |= s->shown == CONDITION_DOWN ? bit : 0;
    }
    enum condition condition = decide(d, first);
    const struct series *best = NULL; /* of those that say so, the one that saw it first */
    for (uint32_t row = first; row; row = detect_series(d, row - 1)->next) {
        const struct series *s = detect_series(d, row - 1);
        if (s->shown != (uint8_t)condition)
            continue;
        if (!best || s->published_since.first_after.ns < best->published_since.first_after.ns)
            best = s;
    }
    if (best)
        take_series(best, sight);
    if (condition == CONDITION_UP)
        sight->since = when_back(d, first);
    sight->condition = (uint8_t)condition;
}
