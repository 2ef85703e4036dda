/* The whole routing table as time goes by, with its house kept: bins that are over are told, what nobody has
 * is forgotten once a day, and who was blind is in a gap. `scan` and `replay` feed it with archives, the
 * daemon with what live peers say.
 *
 *     whole_table_init(&whole, &options);
 *     whole_table_feed(&whole, 0, element);       // in order of time
 *     whole_table_end(&whole);
 *     whole_table_done(&whole);
 *
 * Archives do not say when a collector was blind: one that recorded something nearly every second and then
 * nothing for minutes was. From then on nothing is known of what its peers carry until they say so
 * again. So it is where its archive ends and that of another goes on. */
#ifndef SOURCE_TABLE_WHOLE_TABLE_H
#define SOURCE_TABLE_WHOLE_TABLE_H

#include "source/bgp/heard.h"
#include "source/table/bins.h"

/* Collectors are numbers below the first where gaps are felt. */
enum { WHOLE_COLLECTORS_MAX = 256, WHOLE_HOLES_MAX = 4096 };

struct whole_table_options {
    struct bins *bins; /* to be filled on the way; NULL: none. Not owned */
    bool is_archive;   /* gaps are felt, else they are told: whole_table_gap() */
    /* For users who keep something with each row; as in route_table.h. */
    uint32_t extra_words;
    void (*changed)(void *context, const struct table_change *change);
    /* A gap was felt or told; from `last_before` on nothing is known. May be NULL. */
    void (*gap)(void *context, struct interval gap);
    /* NULL: what the bins do not miss. */
    bool (*may_forget)(void *context, struct table_row row);
    void *context;
};

/* How busy a collector is: seconds with records, in this span and the one before. */
struct pulse {
    struct utc last;
    int64_t span;
    unsigned busy, busy_before;
    bool is_missed; /* by the other collectors, which went on */
};

struct whole_table {
    struct whole_table_options options;
    struct route_table *routes;
    struct utc first, last;      /* elements */
    unsigned full_feeds_most[2]; /* live, of IPv4 and IPv6 */
    unsigned gaps;
    struct interval gap; /* the longest */
    uint64_t refused;    /* holes for which there was no room */
    /* Its own: */
    struct pulse *pulses;
    struct utc forget_at, gap_until;
    struct interval *holes; /* that are still to come */
    size_t hole_count;
};

void whole_table_init(struct whole_table *whole, const struct whole_table_options *options);
void whole_table_done(struct whole_table *whole);

void whole_table_feed(struct whole_table *whole, uint32_t collector, const struct element *element);
/* Nothing is known any more of what this collector's peers carry; of all for -1. */
void whole_table_gap(struct whole_table *whole, int64_t collector, struct interval gap);
/* There is no archive of this time; to be said before elements of after it come. */
void whole_table_hole(struct whole_table *whole, struct interval hole);
/* What a live peer said, in the place of an element. */
void whole_table_hear(struct whole_table *whole, const struct heard *heard);
/* It is that time: as far as elements have not said so by themselves. Live, where that is long after it was
 * so the last time, nobody looked meanwhile: the bin in hand is not told. */
void whole_table_advance(struct whole_table *whole, struct utc now);
/* The archive is through; the bin in hand is told as well. */
void whole_table_end(struct whole_table *whole);

#endif
