/* What the peers of one live collector tell, as observations: no socket, and no clock but what it is
 * told. It is shared by all who hear BGP sessions from their begin on (BMP, a BGP speaker).
 *
 * After PEER_UP a peer tells its whole table, as ROUTE_TABLE at the time it comes in, since what
 * stands in it may be days old; the End-of-RIB of each family (RFC 4724, 2) ends that. Not every router
 * sends one: then LIVE_TABLE_QUIET_NS without a prefix that is new (distinct.h) ends it too. That it tells
 * again what it told, as every peer does all day, is no part of it.
 *
 * PEER_COMPLETE says that what was not told is not carried. An End-of-RIB alone does not say so: a
 * router that has just started sends it when it has told what it has by then, which may be nothing yet
 * (FRR sends it at once). It is believed where the router had the session for LIVE_TABLE_ENOUGH_NS
 * before we heard of it, or where the table is nine tenths of the one that the peer told last. All
 * others are complete LIVE_TABLE_ENOUGH_NS after PEER_UP, as the core takes it too; but as long as there is
 * something new, not before LIVE_TABLE_LONGEST_NS, and the core is told so (PEER_TELLING).
 *
 * What is told of one peer is strictly ordered in time, as it was sent: what has the same time would
 * else be judged in an order that nobody meant. */
#ifndef SOURCE_BGP_LIVE_FEED_H
#define SOURCE_BGP_LIVE_FEED_H

#include "source/bgp/distinct.h"
#include "source/bgp/route_feed.h"

/* Peers of one collector that are taken up; as many as the core knows. */
enum { LIVE_PEERS_MAX = 4096 };
#define LIVE_TABLE_QUIET_NS (10 * NS_PER_S)
#define LIVE_TABLE_ENOUGH_NS (5 * NS_PER_MINUTE)
/* As long as routers let each other take at most (update-delay of FRR and Cisco). */
#define LIVE_TABLE_LONGEST_NS NS_PER_HOUR
/* How often it is said that a table is still being told: well within what the core waits. */
#define LIVE_TELLING_NS (4 * NS_PER_MINUTE)
/* What is told as older than that would come too late to be judged (LATENESS_NS). */
#define LIVE_DELAY_MOST_NS (10 * NS_PER_S)

struct live_peer {
    bool is_up;
    bool is_tabling[2];     /* IPv4, IPv6: it tells its table */
    bool had_end;           /* an End-of-RIB came */
    bool is_complete;       /* PEER_COMPLETE was told */
    struct utc since;       /* it is up, as we heard */
    struct utc established; /* ... and as the router says; 0: it does not say */
    struct utc last;        /* that was told of it */
    struct utc last_entry;  /* that was new of its table */
    struct utc marked;      /* when that it is still being told was last told, or `since` */
    struct distinct *told;  /* the prefixes of its table; NULL once it is complete */
    uint64_t table_bytes;   /* how long the prefixes of its table are */
    uint64_t usual_bytes;   /* ... and those of the last one that was complete */
};

struct live_feed {
    struct sink sink;
    struct route_feed routes;
    bool is_one_line; /* all peers are told of by one connection: a table is quiet if all are */
    struct live_peer *peers; /* by place in the memory */
    size_t peer_capacity, peer_count;
    uint32_t up;         /* of them */
    uint32_t tabling;    /* ... that tell their table */
    uint32_t incomplete; /* ... of which PEER_COMPLETE was not told */
    struct utc newest;   /* of all that was told */
    struct utc *last;    /* of the peer that is spoken of, or `newest`: the next is later */
    struct utc started;
    struct utc last_entry; /* that was new of any table */
};

/* The memory is not owned. Tells nothing yet. The feed must stay where it is. */
void live_feed_init(struct live_feed *feed, const struct sink *sink, struct route_memory *memory,
                    const char *collector);
void live_feed_done(struct live_feed *feed);

/* The collector's START, at `now` or, where the clock was set back, just after `newest`. */
void live_feed_start(struct live_feed *feed, struct utc now);
/* A GAP that is open until the next START, from `since` or from the last that was told, if that is
 * later. Nothing is known of any session from then on; that is not told of each. */
void live_feed_stop(struct live_feed *feed, struct utc since, const char *reason);

/* The place of a peer, made if new; -1 if there are too many. It is spoken of from now on. */
int32_t live_feed_peer(struct live_feed *feed, const struct addr *addr, uint32_t asn);
/* Of the peer that is spoken of. `heard`: when it happened. False: there are too many. */
bool live_feed_up(struct live_feed *feed, int32_t place, const bool has_family[2],
                  struct utc established, struct utc now);
void live_feed_down(struct live_feed *feed, int32_t place, struct utc heard);
void live_feed_update(struct live_feed *feed, int32_t place, const struct bgp_update *update,
                      struct utc heard, struct utc now);

/* Time has passed: to be called every second or so. */
void live_feed_settle(struct live_feed *feed, struct utc now);

#endif
