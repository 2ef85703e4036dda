/* What one router tells over BMP, as observations: no socket, and no clock but what it is told.
 *
 * A router may tell of several tables for each peer. One of them is used, the same for all its peers,
 * and never two for one: what is left out is counted. The best to have is what was heard from peers
 * before any policy (pre-policy Adj-RIB-In). In Loc-RIB (RFC 9069) the router is its own only peer,
 * called by its BGP identifier. How tables begin and end live_feed.h tells; from the end on, a change
 * has the time by when the router had heard it, in pre-policy Adj-RIB-In, and in all others that at
 * which it came in. */
#ifndef SOURCE_BGP_BMP_FEED_H
#define SOURCE_BGP_BMP_FEED_H

#include "source/bgp/live_feed.h"
#include "wire/bmp.h"

struct bmp_feed_counters {
    uint64_t updates;            /* used */
    uint64_t bad;                /* that could not be decoded, or in part only */
    uint64_t tables[BMP_TABLES]; /* ROUTE_MONITORING of each table, used or not */
    uint64_t unknown;            /* of peers that are not up, or beyond LIVE_PEERS_MAX */
    uint64_t twins;              /* peers of the same address and AS in another table: left out */
    uint64_t statistics;
    uint64_t mirrored;
    uint64_t other; /* messages of types that are not known */
};

struct bmp_feed_options {
    const char *collector;
    enum bmp_table table;
    struct addr router; /* how it is reached: names it where it has no BGP identifier */
    struct utc newest;  /* when the last GAP of a router began */
};

struct bmp_feed_peer;
struct bmp_feed {
    struct live_feed live;
    enum bmp_table table;
    struct addr router;
    struct bmp_feed_peer *peers; /* by place in the memory */
    size_t peer_capacity, peer_count;
    const char *first_fault; /* of an UPDATE */
    struct bmp_feed_counters counters;
};

/* Begins with the collector's START, at `now` or, where the clock was set back, just after `newest`. The
 * memory is not owned. The feed must stay where it is. */
void bmp_feed_init(struct bmp_feed *feed, const struct bmp_feed_options *options,
                   const struct sink *sink, struct route_memory *memory, struct utc now);
/* Ends with a GAP that is open until the next START, from `since` or from the last that was told, if
 * that is later; returns from when. `reason` is kept with it. */
struct utc bmp_feed_done(struct bmp_feed *feed, struct utc since, const char *reason);

/* A message that came in at `now`. */
void bmp_feed_take(struct bmp_feed *feed, const struct bmp_message *message, struct utc now);
/* Time has passed: to be called every second or so. */
void bmp_feed_settle(struct bmp_feed *feed, struct utc now);

/* The first table that the router told anything of, BMP_TABLES if of none. */
enum bmp_table bmp_feed_best_table(const struct bmp_feed *feed);

#endif
