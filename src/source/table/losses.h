/* Prefixes that peers lose: when each began to go, how far it went, and when it was back.
 *
 * Judged by the live full-feed peers of the table. A peer that withdrew the prefix has lost it; one that
 * has said nothing of it counts as if it had it: archives of updates alone would else show an outage in
 * every flap of two peers. So a peer whose session is lost never makes one. For the return only what is
 * said counts: a peer that begins anew does not bring back what is gone.
 *
 *     lost by 10 %      it is watched
 *     by more than 20 % partial; kept if that lasts five minutes, as a withdrawal may take minutes to settle
 *     by more than 80 % gone; a few keep a route that everybody else has withdrawn
 *     back              four fifths of those that spoke of it have it (a partial loss: of all)
 *
 * (science.md 3: up, partial and gone; 1.11: 2 to 17 % keep dead routes, and a withdrawal explores other
 * paths for up to some minutes.) Back for less than five minutes, it has not been back.
 *
 * A prefix that appeared less than ten minutes before it was gone is not taken for one that went out. In
 * archives of updates alone nobody sees it appear: it was there if some withdraw it who had never told of
 * it. */
#ifndef SOURCE_TABLE_LOSSES_H
#define SOURCE_TABLE_LOSSES_H

#include "source/table/route_table.h"

enum { LOSSES_MAX = 4 * 1024 * 1024, LOSS_LEVELS = 16 };

/* What is kept with each row of the table: LOSS_WORDS of its extra words. Seconds since 1970. */
struct row_notes {
    uint32_t told; /* when it was first heard of; 1: it was there before that, in a dump */
    uint32_t
        falling;     /* the last record before the first of the losses that follow each other now */
    uint32_t lost;   /* the last loss */
    uint32_t loss;   /* the newest of this row, number + 1 */
    uint32_t claim;  /* the newest of this row, number + 1 (claims.h) */
    uint16_t quiet;  /* seconds from the last record before `told` until then */
    uint8_t tellers; /* peers that told of it, as many as are needed */
    uint8_t witnesses; /* peers that withdrew it without having told of it before, likewise */
};
enum { LOSS_WORDS = sizeof(struct row_notes) / sizeof(uint32_t) };

struct loss {
    struct table_row row;
    uint32_t previous; /* of the same row, number + 1 */
    uint32_t origin;   /* that most peers had when it went; 0: not known */
    uint32_t upstream; /* the AS before it that most had; 0: not known */
    uint16_t upstream_peers;
    uint16_t times; /* how often it went */
    float hops;     /* of the paths that were left when it became partial, the mean; 0: not known */
    bool is_open, is_free;
    bool is_gone, was_gone; /* now; ever. Else it is or was partial */
    bool
        is_unseen; /* a gap of the collector began when it was still so, and nothing was heard since */
    uint8_t level;
    /* From the last record before the first peer lost it, to the moment when it was partial; and before those
     * that lost it one after the other until it was gone. */
    struct interval began, went;
    /* From the last record before the first peer had it again. Unknown while it is open. */
    struct interval ended;
    struct interval back; /* when it was not gone any more, be it that only a part had it again */
    struct utc partial_since, judged; /* 0: not now */
    struct utc opened, unseen_since;
    int64_t partial_ns;
    struct sight sight, worst; /* now, as long as the table's epoch is this one; and at the worst */
    uint64_t epoch;
    double lost, lost_most; /* share of the peers, now and at most */
    double area_ns;         /* the share that was lost, times how long */
    /* When a sixteenth, two, ... of the peers had lost it: seconds since began.last_before. */
    uint16_t levels[LOSS_LEVELS];
};

struct losses {
    struct route_table *table; /* not owned */
    struct loss *list;
    size_t capacity, count;
    uint32_t free;      /* number + 1; the next is in `previous` */
    unsigned min_peers; /* 0: as many as usual */
    struct utc now,
        before; /* the time of the last change, and of the last record before that time */
    uint64_t refused;
};

void losses_init(struct losses *losses, struct route_table *table, unsigned min_peers);
void losses_done(struct losses *losses);
/* For the table's `changed`. */
void losses_change(struct losses *losses, const struct table_change *change);
/* Since `last` nothing was recorded, by a collector that the table was told of before: what is so now, and
 * no other goes on seeing, may have ended unseen. */
void losses_gap(struct losses *losses, struct utc last);
/* Everything is over: what is open stays so. */
void losses_end(struct losses *losses, struct utc last);
/* Whether it was more than the table settling, and of a prefix that had been there. */
bool loss_counts(const struct losses *losses, const struct loss *loss);
/* Whether a prefix was there before the archive, or before it was first heard of. */
bool losses_was_there(const struct row_notes *notes);
/* So many peers must have spoken of a prefix. */
unsigned losses_min_peers(const struct losses *losses, uint8_t family);

static inline struct row_notes *row_notes(const struct route_table *table, struct table_row row)
{
    return (struct row_notes *)route_table_extra(table, row);
}

#endif
