/* From decoded BGP to observations, the same for archives and live collectors: of what a peer says
 * only what is wanted goes on, names become numbers, and a session's begin and end are told once. Before
 * that, whoever keeps the whole table hears it all (heard.h). */
#ifndef SOURCE_BGP_ROUTE_FEED_H
#define SOURCE_BGP_ROUTE_FEED_H

#include "base/buffer.h"
#include "source/bgp/route_memory.h"
#include "wire/bgp.h"

struct route_feed {
    struct sink sink;
    struct route_memory *memory; /* not owned; peers are named by their place in it */
    uint32_t collector;
    struct utc time; /* of what is being told */
    struct buffer text;
};

void route_feed_init(struct route_feed *feed, const struct sink *sink, struct route_memory *memory,
                     const char *collector);
void route_feed_done(struct route_feed *feed);

/* The place of a peer; -1 if there are too many. */
int32_t route_feed_peer(struct route_feed *feed, const struct addr *addr, uint32_t asn);
/* Something was heard that only an established session lets through: PEER_UP, if that is news. */
void route_feed_hear(struct route_feed *feed, int32_t peer);
/* The same of a session that was there before it was heard, whose table is not told: PEER_HEARD. */
void route_feed_join(struct route_feed *feed, int32_t peer);
void route_feed_lose(struct route_feed *feed, int32_t peer); /* PEER_DOWN */
/* Tells any other state of a peer. */
void route_feed_state(struct route_feed *feed, int32_t peer, enum peer_op op, uint64_t value);
/* The collector is in a gap from `time` on. That is told as an observation by who knows of it; here it
 * is for those who hear it all. */
void route_feed_gap(struct route_feed *feed, struct utc time);

/* What is said of one peer's route. */
struct route_change {
    int32_t peer;
    enum route_op op;
    struct prefix prefix;
    uint32_t path_id;
    bool has_path_id;
    const struct bgp_path *path; /* NULL for a withdrawal */
    uint32_t *path_name;         /* the path's number, kept here once it is known */
};
void route_feed_change(struct route_feed *feed, const struct route_change *change);
/* All that an UPDATE says of unicast routes. What is announced is told as announce[0] (IPv4) or announce[1] (IPv6):
 * ROUTE_ANNOUNCE, or ROUTE_TABLE while the peer tells its whole table. */
void route_feed_update(struct route_feed *feed, int32_t peer, const struct bgp_update *update,
                       const enum route_op announce[2]);

#endif
