/* How the vantages decide together what one target is: detect_sight() of detect.h. */
#include "core/detect/detect.h"

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

/* What the vantages with data say of one target. */
struct votes {
    uint32_t all, down, degraded;
    struct utc first_down,
        last_up; /* when the first of them lost it; when the last one had it again */
};

static struct votes count_votes(const struct detect *d, uint32_t first)
{
    struct votes votes = {.first_down = {INT64_MAX}};
    for (uint32_t row = first; row; row = detect_series(d, row - 1)->next) {
        const struct series *s = detect_series(d, row - 1);
        struct utc since = s->published_since.first_after;
        votes.all += s->shown != CONDITION_NO_DATA;
        votes.down += s->shown == CONDITION_DOWN;
        votes.degraded += s->shown == CONDITION_DEGRADED;
        if (s->shown == CONDITION_DOWN && since.ns < votes.first_down.ns)
            votes.first_down = since;
        if (s->shown == CONDITION_UP && since.ns > votes.last_up.ns)
            votes.last_up = since;
    }
    return votes;
}

/* Most decide. Where one half cannot reach it, and the other never lost it, it is down for the users
 * of that half, and not for the others to say that it is not; where the other half has it back, it
 * is coming back. One of three is outvoted. */
static enum condition decide(const struct votes *votes)
{
    if (!votes->all)
        return CONDITION_NO_DATA;
    bool is_split = votes->down && votes->down * 2 == votes->all;
    if (votes->down * 2 > votes->all || (is_split && votes->last_up.ns < votes->first_down.ns))
        return CONDITION_DOWN;
    bool is_poor = votes->degraded && (votes->down + votes->degraded) * 2 > votes->all;
    return is_poor ? CONDITION_DEGRADED : CONDITION_UP;
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
    struct votes votes = count_votes(d, first);
    enum condition condition = decide(&votes);
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
