/* What is watched, counted as people count it: a target is one thing however many vantages ask it,
 * and a name server is one however many names it is asked for. The vantages vote: a target is down
 * if at least half of those that have data and a vote say so. */
#ifndef OUT_ROSTER_H
#define OUT_ROSTER_H

#include "base/mem.h"
#include "model/registry.h"
#include "store/query.h"

enum standing {
    STANDING_NO_DATA,
    STANDING_UP,
    STANDING_DEGRADED,
    STANDING_DOWN,
    STANDING_NEVER_UP, /* it fails, but it was not seen up since it is watched: no outage */
    STANDING_COUNT
};
const char *standing_name(enum standing standing); /* "never up", else the condition's name */

/* One target or prefix. */
struct roster_row {
    enum standing standing;
    const struct series_state *series; /* one of each vantage; one alone for a route */
    size_t count;
    const struct series_state *shown; /* of those that say so, the one that saw it first */
    uint16_t voting, down;            /* vantages with data and a vote; of those, down */
};

struct roster {
    struct roster_row *rows; /* in the order of the series */
    size_t count;
};
/* All that belongs to a subject. The series must be in the order of query_series(). */
struct roster roster_make(struct arena *arena, const struct series_list *series);

/* The vote of one vantage: no data where it has none. */
enum condition roster_vote(const struct series_state *series);

/* How many of a subject's targets nobody has asked yet, or can: of which there is not one row. */
unsigned roster_unasked(const struct registry *registry, const struct roster *roster,
                        const struct subject_state *subject);

/* How many units of each layer of a subject stand how: hosts and networks, name servers and zones, routes,
 * services. */
struct standings {
    unsigned in[STANDING_COUNT];
    unsigned all, whole; /* of all, networks and zones */
};
void roster_count(struct arena *arena, const struct registry *registry, const struct roster *roster,
                  uint32_t subject, struct standings layers[LAYER_COUNT]);

#endif
