/* What several vantages together say of one target. The same rule serves the judgement and what
 * people are shown.
 *
 *     struct votes votes;
 *     votes_init(&votes);
 *     for each vantage: votes_add(&votes, condition, since, is_unresolved);
 *     condition = votes_decide(&votes);
 *
 * Most decide. Where one half cannot reach it, and the other never lost it, it is down for the users
 * of that half, and not for the others to say that it is not; where the other half has it back, it
 * is coming back. One of three is outvoted. A name that one half's resolvers do not find, and the
 * other's do, is those resolvers' own affair. */
#ifndef MODEL_VOTE_H
#define MODEL_VOTE_H

#include "base/utc.h"
#include "model/conclusion.h"

struct votes {
    uint32_t all, down, degraded; /* with data; of those */
    uint32_t unresolved;          /* of those down: only its name was not found */
    struct utc first_down;        /* when the first of them lost it */
    struct utc last_up;           /* when the last one had it again */
};

void votes_init(struct votes *votes);
/* `since`: of the condition. */
void votes_add(struct votes *votes, enum condition condition, struct utc since, bool is_unresolved);
enum condition votes_decide(const struct votes *votes);

/* Does a service with this outcome fail in the look-up of its name? */
bool vote_is_unresolved(enum layer layer, enum outcome outcome);

#endif
