/* Prefixes that another AS begins to announce than the one that did: with the same prefix, or with one
 * within it. Whether that is a move, a customer with addresses of its provider, a leak or a hijack cannot
 * be told from here, and is not.
 *
 * A claim begins when the first live full-feed peer has the route of the other AS, and ends when none has for
 * five minutes; after that there is another one. What is known of how they came to it: peers that had the
 * first origin's route right before. */
#ifndef SOURCE_TABLE_CLAIMS_H
#define SOURCE_TABLE_CLAIMS_H

#include "source/table/losses.h"

enum { CLAIMS_MAX = 1 << 20 };

struct claim {
    struct table_row row;
    uint32_t next; /* of the same row, number + 1 */
    uint32_t origin;
    uint32_t owner;         /* the origin of the row until then, or of the prefix that holds it */
    struct table_row cover; /* the prefix that holds it; row 0: the prefix is the owner's own */
    bool is_open;
    bool is_unseen;            /* a gap began when it was so, and nothing was heard of it since */
    bool is_related;           /* one of the two is on the other's path: provider and customer */
    uint16_t times;            /* how often it began, back within five minutes */
    uint16_t from_owner;       /* peers that had the owner's route right before */
    uint32_t hops, owner_hops; /* of the paths of peers_most, and before of from_owner; summed */
    uint16_t peers, peers_most,
        known_then; /* now; at most; and of so many that carried any route */
    struct interval began, ended;
    struct utc unseen_since;
    struct utc half; /* when half of the live full-feed peers had it; 0: never */
};

struct claims {
    struct route_table *table; /* not owned */
    struct utc now, before;    /* as of losses */
    struct claim *list;
    size_t capacity, count;
    uint64_t refused;
};

void claims_init(struct claims *claims, struct route_table *table);
void claims_done(struct claims *claims);
/* For the table's `changed`, before losses_change(). */
void claims_change(struct claims *claims, const struct table_change *change);
/* As losses_gap(); and when everything is over. */
void claims_gap(struct claims *claims, struct utc last);

#endif
