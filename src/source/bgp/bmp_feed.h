/* What one router tells over BMP, as observations: no socket, and no clock but what it is told.
 *
 * Only what was heard from peers, before any policy, is used (pre-policy Adj-RIB-In); what is left
 * out is counted. After PEER_UP a peer tells its whole table, as ROUTE_TABLE at the time it comes in,
 * since what stands in it may be days old; the End-of-RIB of each family ends that. Not every router
 * sends one (FRR does not for a peer that comes up later): then BMP_TABLE_QUIET_NS without a further
 * entry, or BMP_TABLE_MOST_NS, end it too. PEER_COMPLETE follows where at least one End-of-RIB came and
 * the router had long had the session: that of a young one ends what the router has by then, which
 * may be nothing yet (FRR sends it at once). From then on the time is by when the router had heard it.
 *
 * What is told of one peer is strictly ordered in time, as it was sent: what has the same time would
 * else be judged in an order that the router did not mean. */
#ifndef SOURCE_BGP_BMP_FEED_H
#define SOURCE_BGP_BMP_FEED_H

#include "source/bgp/route_feed.h"
#include "wire/bmp.h"

/* Peers of one router that are taken up; as many as the core knows. */
enum { BMP_PEERS_MAX = 4096 };
/* A router's time stamp is used if it is not older than this: what waited longer on its way would
 * come too late to be judged (LATENESS_NS), and a clock that is further off is wrong. */
#define BMP_DELAY_MOST_NS (10 * NS_PER_S)
#define BMP_TABLE_QUIET_NS (10 * NS_PER_S)
#define BMP_TABLE_MOST_NS (5 * NS_PER_MINUTE) /* also from when on a session is no longer young */

struct bmp_feed_counters {
    uint64_t updates;      /* used */
    uint64_t bad;          /* that could not be decoded, or in part only */
    uint64_t other_tables; /* post-policy, Adj-RIB-Out, Loc-RIB: left out */
    uint64_t unknown;      /* of peers that are not up, or beyond BMP_PEERS_MAX */
    uint64_t twins;        /* peers of the same address and AS in another table: left out */
    uint64_t other;        /* statistics, mirrored messages */
};

struct bmp_feed_peer;
struct bmp_feed {
    struct sink sink;
    struct route_feed routes;
    struct bmp_feed_peer *peers; /* by place in the memory */
    size_t peer_capacity, peer_count;
    uint32_t up;       /* of them */
    uint32_t tabling;  /* ... that tell their table */
    struct utc newest; /* of all that was told */
    struct utc *last;  /* of the peer that is spoken of, or `newest`: the next is later */
    struct utc started;
    struct utc last_entry;   /* of any table */
    const char *first_fault; /* of an UPDATE */
    struct bmp_feed_counters counters;
};

/* Begins with the collector's START, at `now` or, where the clock was set back, just after `newest`:
 * when the last GAP of a router began. The memory is not owned. */
void bmp_feed_init(struct bmp_feed *feed, const struct sink *sink, struct route_memory *memory,
                   const char *collector, struct utc newest, struct utc now);
/* Ends with a GAP that is open until the next START, from `since` or from the last that was told, if
 * that is later; returns from when. `reason` is kept with it. */
struct utc bmp_feed_done(struct bmp_feed *feed, struct utc since, const char *reason);

/* A message that came in at `now`. */
void bmp_feed_take(struct bmp_feed *feed, const struct bmp_message *message, struct utc now);
/* Time has passed: to be called every second or so. */
void bmp_feed_settle(struct bmp_feed *feed, struct utc now);

#endif
