#include "model/vote.h"

void votes_init(struct votes *votes)
{
    *votes = (struct votes){.first_down = {INT64_MAX}};
}

void votes_add(struct votes *votes, enum condition condition, struct utc since, bool is_unresolved)
{
    bool is_down = condition == CONDITION_DOWN;
    votes->all += condition != CONDITION_NO_DATA;
    votes->down += is_down;
    votes->degraded += condition == CONDITION_DEGRADED;
    votes->unresolved += is_down && is_unresolved;
    if (is_down && since.ns < votes->first_down.ns)
        votes->first_down = since;
    if (condition == CONDITION_UP && since.ns > votes->last_up.ns)
        votes->last_up = since;
}

enum condition votes_decide(const struct votes *votes)
{
    if (!votes->all)
        return CONDITION_NO_DATA;
    bool is_split = votes->down * 2 == votes->all && votes->last_up.ns < votes->first_down.ns &&
                    votes->unresolved < votes->down;
    if (votes->down * 2 > votes->all || is_split)
        return CONDITION_DOWN;
    bool is_poor = votes->degraded && (votes->down + votes->degraded) * 2 > votes->all;
    return is_poor ? CONDITION_DEGRADED : CONDITION_UP;
}

bool vote_is_unresolved(enum layer layer, enum outcome outcome)
{
    return layer == LAYER_SERVICE &&
           (outcome == OUTCOME_NAME_ERROR || outcome == OUTCOME_NO_ADDRESS ||
            outcome == OUTCOME_SERVER_FAILURE);
}
