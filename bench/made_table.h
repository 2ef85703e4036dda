/* A made-up routing table that is as diverse as real ones. What that is was measured on real dumps, by
 * putting them into the table and counting what it keeps:
 *
 *                                     prefixes  full feeds   ways of one      chunks of eight   ways of all,
 *                                                            peer, a prefix   peers, a prefix   of the sum of each
 *     route-views.jinx, 2014           497 407       1           0.029              -                 -
 *     rrc00, 2000                       80 328       6           0.022            0.073             0.48
 *     route-views2, 2014, its first      9 072      30           0.095            0.215             0.41
 *     route-views6, 2015, its first      6 870      23           0.154            0.328             0.28
 *
 * The last two are only the beginnings of tables, whose ways come again further on. From these, a whole
 * table of 64 peers is taken to have 0.03 ways a prefix in each, of which 0.41 are different over all
 * peers, and 0.12 chunks of eight peers a prefix: four times as many as ways, as for rrc00.
 *
 * ASes are numbered from the core outwards: a few that all reach, then transit networks, each with one or
 * two providers further in; origins beyond them have one to three of these as upstreams, and some treat
 * part of their prefixes differently. Which of two ways a peer takes depends on where it is. */
#ifndef BENCH_MADE_TABLE_H
#define BENCH_MADE_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum { MADE_HOPS = 16 };

struct made_table {
    uint32_t prefixes, transits, origins;
};

struct made_table made_table_of(uint64_t prefixes);
uint32_t made_peer_asn(uint32_t peer);
/* The path from the peer to the prefix of this number, the peer's AS first. Returns its hops. */
size_t made_path(const struct made_table *table, uint32_t peer, uint32_t prefix,
                 uint32_t path[MADE_HOPS]);

#endif
