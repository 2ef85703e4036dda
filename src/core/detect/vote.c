/* How the vantages decide together what one target is: detect_sight() of detect.h.
 *
 * Most of those with data decide. Where one half cannot reach it, and the other never lost it, it is
 * down for the users of that half, and not for the others to say that it is not; where the other half
 * has it back, it is coming back. One of three is outvoted, and stays so while another is blind: who
 * has no data for a while keeps a place among the vantages. Who never reached the target has none,
 * and neither have those who do not find its name, if others do: that is their resolvers' affair; nor
 * has one alone whose resolver fails on every name while all else is there, as that may be its own.
 *
 * What is down, went down when the vantage saw it whose fall made it so; what is back, is back when
 * the last has it. Others who may have seen the same moment narrow that down. */
#include "core/detect/detect.h"

#include "base/mem.h"

#include <stdlib.h>

/* Not asked for so long, a vantage is taken for one that is not there any more. */
static const int64_t BLIND_MAX = NS_PER_HOUR;

struct ballot {
    const struct series *series;
    bool has_data;
    bool is_down, is_degraded; /* now, or when there were data last */
};

struct votes {
    struct ballot *ballots;
    size_t count; /* vantages */
    size_t data, down_data, down, degraded;
};

static bool may_vote(const struct series *s, bool any_was_up, struct utc newest)
{
    return (s->was_up || !any_was_up) && utc_diff(newest, s->last_any) <= BLIND_MAX;
}

/* One that was never up is down for nobody, as long as another was. */
static void take_ballots(const struct detect *d, uint32_t first, struct votes *votes)
{
    bool any_was_up = false;
    struct utc newest = {0};
    size_t n = 0;
    for (uint32_t row = first; row; row = detect_series(d, row - 1)->next, n++) {
        const struct series *s = detect_series(d, row - 1);
        any_was_up |= s->was_up;
        newest = s->last_any.ns > newest.ns ? s->last_any : newest;
    }
    votes->ballots = mem_new(n, sizeof *votes->ballots);
    for (uint32_t row = first; row; row = detect_series(d, row - 1)->next) {
        const struct series *s = detect_series(d, row - 1);
        bool has_data = s->shown != CONDITION_NO_DATA;
        uint8_t state = has_data ? s->shown : s->published;
        if (may_vote(s, any_was_up, newest))
            votes->ballots[votes->count++] =
                (struct ballot){s, has_data, state == CONDITION_DOWN, state == CONDITION_DEGRADED};
    }
}

static bool is_unresolved(const struct ballot *ballot)
{
    return ballot->is_down && ballot->series->was_unresolved;
}

/* The look-up failed, the vantage has found no other name since, and all else that it asks is there:
 * where hosts or name servers go, names go with them. */
static bool is_doubtful(const struct detect *d, const struct ballot *ballot)
{
    const struct series *s = ballot->series;
    const struct vantage *v = detect_vantage(d, index_find(&d->vantage_index, s->source) - 1);
    return is_unresolved(ballot) && s->was_servfail &&
           v->last_resolved.ns <= s->lost.first_after.ns &&
           v->last_lost.ns < s->lost.last_before.ns - 2 * s->round_ns;
}

static void drop_unresolved(const struct detect *d, struct votes *votes)
{
    size_t kept = 0, data = 0;
    bool is_found = false, is_alone = false;
    for (size_t i = 0; i < votes->count; i++) {
        const struct ballot *b = &votes->ballots[i];
        data += b->has_data;
        is_found |= b->has_data && !is_unresolved(b);
        is_alone |= b->has_data && is_doubtful(d, b);
    }
    is_alone &= data == 1;
    if (!is_found && !is_alone)
        return;
    for (size_t i = 0; i < votes->count; i++)
        if (!is_unresolved(&votes->ballots[i]))
            votes->ballots[kept++] = votes->ballots[i];
    votes->count = kept;
}

static void count(struct votes *votes)
{
    for (size_t i = 0; i < votes->count; i++) {
        const struct ballot *b = &votes->ballots[i];
        votes->data += b->has_data;
        votes->down_data += b->has_data && b->is_down;
        votes->down += b->is_down;
        votes->degraded += b->has_data && b->is_degraded;
    }
}

/* Did all that have it now have it all along, since before the first lost it? */
static bool was_never_lost(const struct votes *votes)
{
    int64_t lost = INT64_MAX, back = 0;
    for (size_t i = 0; i < votes->count; i++) {
        const struct ballot *b = &votes->ballots[i];
        if (b->is_down && b->series->lost.first_after.ns < lost)
            lost = b->series->lost.first_after.ns;
        if (!b->is_down && b->series->back.first_after.ns > back)
            back = b->series->back.first_after.ns;
    }
    return back < lost;
}

static enum condition decide(const struct votes *votes)
{
    if (!votes->data)
        return CONDITION_NO_DATA;
    bool is_split = votes->down && votes->down * 2 >= votes->count && was_never_lost(votes);
    if (votes->down_data * 2 > votes->data || is_split)
        return CONDITION_DOWN;
    bool is_poor = votes->degraded && (votes->down_data + votes->degraded) * 2 > votes->data;
    return is_poor ? CONDITION_DEGRADED : CONDITION_UP;
}

static int compare_lost(const void *a, const void *b)
{
    const struct ballot *x = a, *y = b;
    if (x->is_down != y->is_down)
        return x->is_down ? -1 : 1;
    int64_t p = x->series->lost.first_after.ns, q = y->series->lost.first_after.ns;
    if (p != q)
        return p < q ? -1 : 1;
    return x->series->source < y->series->source ? -1 : x->series->source > y->series->source;
}

/* The interval that `at` shares with those of the same kind that may hold its moment. */
static struct interval narrow(const struct votes *votes, struct interval at, bool is_down)
{
    struct interval shared = at;
    for (size_t i = 0; i < votes->count; i++) {
        const struct series *s = votes->ballots[i].series;
        const struct interval *other = is_down ? &s->lost : &s->back;
        if (votes->ballots[i].is_down != is_down || other->first_after.ns < at.last_before.ns ||
            other->last_before.ns > at.first_after.ns)
            continue;
        if (other->last_before.ns > shared.last_before.ns)
            shared.last_before = other->last_before;
        if (other->first_after.ns < shared.first_after.ns)
            shared.first_after = other->first_after;
    }
    return shared.last_before.ns < shared.first_after.ns ? shared : at;
}

/* The one whose fall tipped the vote: by then as many had fallen as it takes. */
static const struct series *who_tipped(struct votes *votes)
{
    qsort(votes->ballots, votes->count, sizeof *votes->ballots, compare_lost);
    size_t needed = votes->down_data * 2 > votes->data ? votes->data / 2 + 1 : votes->count / 2;
    size_t at = needed > votes->down ? votes->down : needed;
    return votes->ballots[at ? at - 1 : 0].series;
}

/* Of those in this condition, the one that is in it for longest. */
static const struct series *who_says(const struct votes *votes, enum condition condition)
{
    const struct series *best = NULL;
    for (size_t i = 0; i < votes->count; i++) {
        const struct series *s = votes->ballots[i].series;
        if (s->shown == (uint8_t)condition &&
            (!best || s->published_since.first_after.ns < best->published_since.first_after.ns))
            best = s;
    }
    return best;
}

static struct interval last_back(const struct votes *votes)
{
    struct interval last = {{0}, {0}};
    for (size_t i = 0; i < votes->count; i++)
        if (!votes->ballots[i].is_down &&
            votes->ballots[i].series->back.first_after.ns > last.first_after.ns)
            last = votes->ballots[i].series->back;
    return last;
}

static void take_series(const struct series *s, struct sight *sight)
{
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

/* Who saw the way there get worse last: not all need to have. */
static void take_graded(const struct votes *votes, struct sight *sight)
{
    for (size_t i = 0; i < votes->count; i++) {
        const struct series *s = votes->ballots[i].series;
        if (!votes->ballots[i].is_down || s->graded_last.ns <= sight->graded_last.ns)
            continue;
        sight->graded_began = s->graded_began;
        sight->graded_last = s->graded_last;
        sight->graded_loss = s->graded_loss;
        sight->graded_rtt = s->graded_rtt;
    }
}

static void take_bits(const struct detect *d, const struct votes *votes, struct sight *sight)
{
    for (size_t i = 0; i < votes->count; i++) {
        const struct ballot *b = &votes->ballots[i];
        uint32_t vantage = index_find(&d->vantage_index, b->series->source) - 1;
        uint64_t bit = b->has_data ? UINT64_C(1) << (vantage % 64) : 0;
        sight->was_up |= b->series->was_up;
        sight->voting |= bit;
        sight->saying_down |= b->is_down ? bit : 0;
    }
}

void detect_sight(const struct detect *d, uint32_t target, struct sight *sight)
{
    struct votes votes = {0};
    take_ballots(d, index_find(&d->target_index, target), &votes);
    drop_unresolved(d, &votes);
    count(&votes);
    take_bits(d, &votes, sight);
    enum condition condition = decide(&votes);
    const struct series *s =
        condition == CONDITION_DOWN ? who_tipped(&votes) : who_says(&votes, condition);
    if (s)
        take_series(s, sight);
    if (condition == CONDITION_DOWN) {
        take_graded(&votes, sight);
        sight->since = narrow(&votes, s->lost, true);
    } else if (condition == CONDITION_UP && utc_is_known(last_back(&votes).first_after)) {
        sight->since = narrow(&votes, last_back(&votes), false);
    }
    sight->condition = (uint8_t)condition;
    free(votes.ballots);
}
