/* The table in bins of five minutes: how much of the address space of each AS and each country is visible.
 *
 * As IODA counts it (science.md 1.1): a prefix is visible if at least half of the live full-feed peers of
 * its family carry it, and what is counted are the /24s (IPv4) and /48s (IPv6) of all visible prefixes
 * together; where prefixes overlap, once. A prefix longer than that counts as the one that it is in. It
 * counts for the AS that most peers have as its origin, and for the country of the prefix, or of that AS
 * where nobody says. A default route is nobody's space.
 *
 * Known are those that are visible, and those that were and are not: more than half of the peers tell that
 * they have no such route. Of which the peers know nothing, as after a gap, is neither.
 *
 * A vote needs a quorum: half of the peers that voted within the last day. A family without it has no
 * data in that bin; what was told before is neither confirmed nor gone.
 *
 * After each bin all are told of for which a figure has changed, that of path lengths by half a hop: with every
 * change of it there would be 78 % more rows of 24 February 2008, with these 13 %; every time the whole table, the
 * countries of which something is known, and who is watched. Prefixes whose visibility changed in the bin are looked
 * at anew; those of the ASes and countries they are of are then added up, all in one go over the prefixes
 * in order of address. */
#ifndef SOURCE_TABLE_BINS_H
#define SOURCE_TABLE_BINS_H

#include "model/observation.h"
#include "source/origins/countries.h"
#include "source/table/route_table.h"

/* An AS, a country, or, without either, all. */
struct bin_who {
    uint32_t asn;
    struct country country;
};

/* One of them as it was at the end of one bin. Pairs are IPv4 and IPv6. */
struct bin_row {
    struct utc start, end; /* the last of an archive ends with it */
    struct bin_who who;
    uint64_t seen[2], known[2]; /* /24s, /48s */
    uint32_t prefixes[2];       /* visible */
    uint32_t origins;   /* ASes with visible prefixes: of a country or of all; of an AS 1 or 0 */
    uint32_t upstreams; /* ASes before the origin, over all its visible prefixes; of an AS only */
    double path_length; /* hops of their paths, the mean over peers and visible prefixes; 0: none */
    uint32_t peers[2];  /* live full-feed peers */
    uint32_t peers_total[2]; /* that were so within the last day */
    bool is_watched;
    bool is_changed; /* in any figure of a family with data */
    /* seen or known has changed, or it is told every time. Of families without data only the whole and
     * who is watched, if there ever was a peer. */
    bool is_due[2];
};

static inline bool bin_has_data(const struct bin_row *row, size_t family)
{
    return row->peers[family] && row->peers[family] * 2 >= row->peers_total[family];
}

struct bins;

struct bins_options {
    const struct countries *countries; /* NULL: no countries */
    void (*tell)(void *context, const struct bin_row *row);
    void *context;
};

struct bins *bins_new(const struct bins_options *options);
void bins_free(struct bins *bins);

/* Who is told of every time from now on, and never forgotten. */
void bins_watch(struct bins *bins, const struct bin_who *list, size_t count);
/* The table is not owned. */
void bins_begin(struct bins *bins, struct route_table *table);
void bins_change(struct bins *bins, const struct table_change *change);
/* It is that time: bins that are over are told of. */
void bins_advance(struct bins *bins, struct utc now);
/* Nobody looked when the bin in hand ended: it is not told. */
void bins_skip(struct bins *bins);
/* Rows of the table that nobody has a route for are forgotten once a day: whether this one may be, as nobody
 * would miss it; and after it was done. */
bool bins_may_forget(const struct bins *bins, struct table_row row);
void bins_forget(struct bins *bins);
void bins_end(struct bins *bins, struct utc last);

#endif
