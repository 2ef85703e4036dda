/* The whole routing table as many peers have it: for each prefix and peer whether there is a route, from
 * which origin and by which way. A million prefixes of 64 peers take less than 128 MiB, and millions of
 * changes a second go in (bench table, bench changes).
 *
 *     struct route_table *table = route_table_new(&(struct route_table_options){0});
 *     route_table_feed(table, 0, element);          // elements in order of time
 *     route_table_flush(table);                     // before anything is asked
 *     struct table_row row = route_table_find(table, &prefix);
 *     struct sight sight = route_table_sight(table, row);   // N of M
 *
 * A cell, one prefix at one peer, holds one of three: nothing was heard (unknown), withdrawn, or a
 * route. What was heard holds as long as the peer's session: where that is lost, and after a gap of the
 * collector, its cells are unknown at once, and none of them is withdrawn by it. After a table dump, or
 * once a session has told its whole table, what a peer did not tell of it does not carry.
 *
 * What is asked of the table is asked of peers that are live and have a full feed: see table_peers.c for
 * what that is; and of the two families apart.
 *
 * Changes are collected, up to some hundreds, and then put in together, so that memory can be brought
 * near before it is needed; in the order in which they came. */
#ifndef SOURCE_TABLE_ROUTE_TABLE_H
#define SOURCE_TABLE_ROUTE_TABLE_H

#include "source/mrt/element.h"

enum { TABLE_PEERS_MAX = 4096 };

/* Cells: these two, or the number of a way, with this bit if the origin is not that of the row. */
enum { CELL_UNKNOWN = 0, CELL_WITHDRAWN = 1 };
#define CELL_GRAFTED UINT32_C(0x80000000)

/* A prefix in the table. Holds until route_table_forget(). */
struct table_row {
    uint32_t row;   /* 0: none */
    uint8_t family; /* 4 or 6 */
};

/* One cell that has changed. */
struct table_change {
    struct utc time, earlier; /* of the element, and of the last one before that time */
    struct table_row at;
    uint32_t column; /* which peer, for the functions below */
    uint32_t before, after;
    bool is_dumped; /* it is from a table dump */
};

struct route_table;

struct route_table_options {
    /* 32-bit words that the user keeps with each row, zero at first: route_table_extra(). */
    uint32_t extra_words;
    /* Called for each cell that changes, after it has; from within _feed() and _flush(). It may ask of
     * the table, and feeds nothing. */
    void (*changed)(void *context, const struct table_change *change);
    void *context;
};

struct route_table_counts {
    uint64_t changes;       /* announcements, withdrawals and entries of dumps that were put in */
    uint64_t same;          /* of these, those that changed nothing */
    uint64_t refused;       /* those for which there is no room, or whose path makes no sense, and
                             * withdrawals that may leave a path for which there was none */
    uint64_t sessions_lost; /* sessions that were lost */
    uint64_t collected;     /* how often what nobody uses was forgotten */
    uint32_t prefixes[2], columns[2]; /* IPv4, IPv6 */
    uint32_t peers, ways, chunks;
    size_t memory; /* bytes in use by all that */
};

struct route_table *route_table_new(const struct route_table_options *options);
void route_table_free(struct route_table *table);

/* `collector`: any number of the user's; peers of the same address at two collectors are two peers.
 * Multicast routes, and what a collector itself sent, are passed over. */
void route_table_feed(struct route_table *table, uint32_t collector, const struct element *element);
/* Puts in what was collected. */
void route_table_flush(struct route_table *table);
/* Nothing was recorded for a while: nothing is known any more of what the peers of this collector, or of
 * all for -1, carry. */
void route_table_gap(struct route_table *table, int64_t collector);
/* Judges anew which peers are live and have a full feed. Done every few seconds of the elements' time
 * by itself; dumps that have ended by `now` are taken for complete. */
void route_table_judge(struct route_table *table, struct utc now);
/* Forgets prefixes of which no peer has a route, if `may` (NULL: yes) allows it. Their numbers are
 * used again. */
void route_table_forget(struct route_table *table, bool (*may)(void *context, struct table_row row),
                        void *context);
/* Frees what ways and chunks of cells nobody uses any more. Done by itself in good time. */
void route_table_collect(struct route_table *table);
struct route_table_counts route_table_counts(const struct route_table *table);

struct table_row route_table_find(const struct route_table *table, const struct prefix *prefix);
/* The nearest less specific prefix that somebody carries; row 0 if there is none. */
struct table_row route_table_cover(const struct route_table *table, struct table_row row);
/* All prefixes, in no order that means anything: start with row 0 of a family; 0 at the end. */
struct table_row route_table_next(const struct route_table *table, struct table_row row);
/* Whether the row was not forgotten. */
bool route_table_has(const struct route_table *table, struct table_row row);
struct prefix route_table_prefix(const struct route_table *table, struct table_row row);
void *route_table_extra(const struct route_table *table, struct table_row row);
/* The origin that the row's ways have if they are not grafted; 0 if none was heard. */
uint32_t route_table_origin(const struct route_table *table, struct table_row row);
/* Cells of the row that are withdrawn, of all peers: not less than there are, a few may be too many. */
unsigned route_table_withdrawn(const struct route_table *table, struct table_row row);

/* How one prefix stands with the live full-feed peers of its family. */
struct sight {
    uint16_t carried;
    uint16_t withdrawn;
    uint16_t unknown; /* not heard of it; the peer's whole table was not seen either */
    uint16_t absent;  /* not in the peer's table, as far as that was told */
};
struct sight route_table_sight(const struct route_table *table, struct table_row row);
/* Changes whenever others are live or have a full feed than before, or a table is complete: as long as it
 * does not, a sight changes by the cells that change. */
uint64_t route_table_epoch(const struct route_table *table);
/* What one cell that changed does to a sight. */
void sight_change(struct sight *sight, uint32_t before, uint32_t after, bool is_complete);
/* How many live full-feed peers there are; and how many peers were so at some time of the last day. */
unsigned route_table_full_feeds(const struct route_table *table, uint8_t family);
unsigned route_table_full_feeds_of_late(const struct route_table *table, uint8_t family);

/* An AS and how many of the live full-feed peers have it there. */
struct table_share {
    uint32_t asn;
    uint32_t peers;
};
enum { TABLE_ORIGINS = 8, TABLE_UPSTREAMS = 16 };

/* What the routes of live full-feed peers to one prefix look like. Shares: the largest first, ties by
 * ASN; those that do not fit are left out. */
struct table_view {
    struct sight sight;
    struct table_share origins[TABLE_ORIGINS];
    size_t origin_count;
    struct table_share upstreams[TABLE_UPSTREAMS]; /* the ASes before the origin */
    size_t upstream_count;
    unsigned shortest, longest; /* hops of the paths; 0 if there is no route */
    double mean_length;
};
void route_table_view(const struct route_table *table, struct table_row row,
                      struct table_view *out);

/* Columns are numbered from 0; not all of them have a peer. */
uint32_t route_table_columns(const struct route_table *table, uint8_t family);
/* The peer of a column; NULL if it has none. */
const struct mrt_peer *route_table_peer(const struct route_table *table, uint8_t family,
                                        uint32_t column);
/* Whether its whole table was told. */
bool route_table_is_complete(const struct route_table *table, uint8_t family, uint32_t column);
/* Whether it is live and has a full feed. */
bool route_table_is_full_feed(const struct route_table *table, uint8_t family, uint32_t column);
uint32_t route_table_cell(const struct route_table *table, struct table_row row, uint32_t column);
/* Of a cell that has a route. The path as bgp_path_format() writes it is added to `out`. */
uint32_t route_table_cell_origin(const struct route_table *table, struct table_row row,
                                 uint32_t cell);
uint32_t route_table_cell_upstream(const struct route_table *table, struct table_row row,
                                   uint32_t column, uint32_t cell);
/* Hops of its path, peer and origin among them (RFC 4271, 9.1.2.2). */
unsigned route_table_cell_length(const struct route_table *table, struct table_row row,
                                 uint32_t column, uint32_t cell);
/* Whether the AS is on the way, peer and origin left aside. */
bool route_table_cell_has(const struct route_table *table, uint32_t cell, uint32_t asn);
void route_table_cell_path(const struct route_table *table, struct table_row row, uint32_t column,
                           uint32_t cell, struct buffer *out);

static inline bool cell_has_route(uint32_t cell)
{
    return cell > CELL_WITHDRAWN;
}

#endif
