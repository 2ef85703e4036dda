/* The table in bins of five minutes: how much of the address space of each AS and each country is visible.
 *
 * As IODA counts it (science.md 1.1): a prefix is visible if at least half of the live full-feed peers of
 * its family carry it, and what is counted are the /24s (IPv4) and /48s (IPv6) of all visible prefixes
 * together; where prefixes overlap, once. A prefix longer than that counts as the one that it is in. It
 * counts for the AS that most peers have as its origin, and for the country of the prefix, or of that AS
 * where nobody says.
 *
 * After each bin those ASes and countries are told of for which a figure has changed, that of path lengths by
 * half a hop: with every change of it there would be 78 % more rows of 24 February 2008, with these 13 %. Prefixes whose
 * visibility changed in the bin are looked at anew; those of the ASes and countries they are of are then
 * added up, all in one go over the prefixes in order of address. */
#ifndef SOURCE_TABLE_BINS_H
#define SOURCE_TABLE_BINS_H

#include "source/origins/countries.h"
#include "source/table/route_table.h"

/* One AS or country in one bin. */
struct bin_row {
    struct utc start;
    uint32_t asn; /* 0: it is a country */
    struct country country;
    uint64_t blocks[2];   /* visible /24s of IPv4, /48s of IPv6 */
    uint32_t prefixes[2]; /* visible prefixes of either */
    uint32_t origins;     /* ASes with visible prefixes: of a country; of an AS 1 or 0 */
    uint32_t upstreams;   /* ASes before the origin, over all its visible prefixes; of an AS only */
    uint32_t peers[2];    /* live full-feed peers at the end of the bin */
    double path_length; /* hops of their paths, the mean over peers and visible prefixes; 0: none */
};

struct bins;

struct bins_options {
    const struct countries *countries; /* NULL: no countries */
    void (*tell)(void *context, const struct bin_row *row);
    void *context;
};

struct bins *bins_new(const struct bins_options *options);
void bins_free(struct bins *bins);

/* The table is not owned. */
void bins_begin(struct bins *bins, struct route_table *table);
void bins_change(struct bins *bins, const struct table_change *change);
/* It is that time: bins that are over are told of. */
void bins_advance(struct bins *bins, struct utc now);
/* Rows of the table were forgotten. */
void bins_forget(struct bins *bins);
void bins_end(struct bins *bins, struct utc last);

#endif
