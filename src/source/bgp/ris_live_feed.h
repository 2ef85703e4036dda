/* What one collector of RIS Live tells, as observations: no socket, and no clock but what it is told.
 *
 * The service tells what changes and never what there is: of a peer that is heard (PEER_HEARD) what
 * it carries is unknown until it speaks of it. Only a session that begins while we listen (PEER_UP)
 * tells its table, as announcements like any other. A peer is heard by an UPDATE or a KEEPALIVE, which
 * only an established session lets through (RFC 4271, 8.2.2); that its TCP connection is there
 * says as yet nothing.
 *
 * A message's time is when the collector heard it, which is used if it is not older than
 * RIS_DELAY_MOST_NS and not of the future; else it is when the message came in, and that is counted.
 * The service does not promise order: where a message has its place within its time (has_order),
 * it is told with that, also after younger ones, and the core puts it in its place; else what is told
 * of one peer is strictly ordered as it came. */
#ifndef SOURCE_BGP_RIS_LIVE_FEED_H
#define SOURCE_BGP_RIS_LIVE_FEED_H

#include "source/bgp/ris_live_message.h"
#include "source/bgp/route_feed.h"

/* Peers of one collector that are taken up; as many as the core knows. */
enum { RIS_PEERS_MAX = 4096 };
/* What waited longer on its way would come too late to be judged (LATENESS_NS). */
#define RIS_DELAY_MOST_NS (10 * NS_PER_S)

struct ris_feed_counters {
    uint64_t updates; /* used */
    uint64_t bad;     /* whose bytes could not be decoded, or in part only */
    uint64_t late;    /* older than RIS_DELAY_MOST_NS: told as of when they came in */
    uint64_t stale;   /* older than a state of their peer that was told, or the other way round */
    uint64_t unknown; /* of peers beyond RIS_PEERS_MAX */
};

struct ris_feed_peer;
struct ris_feed {
    struct sink sink;
    struct route_feed routes;
    struct ris_feed_peer *peers; /* by place in the memory */
    size_t peer_capacity, peer_count;
    uint32_t up; /* of them */
    struct utc started;
    struct utc newest; /* of all that was told */
    struct utc heard;  /* the newest message: what came after it is not known */
    struct utc next;   /* the time of what is told next */
    const char *first_fault;
    struct ris_feed_counters counters;
};

/* Begins with the collector's START, just before its first message, or, if that is later, just after
 * `newest`: when the last GAP of the collector began. The memory is not owned. */
void ris_feed_init(struct ris_feed *feed, const struct sink *sink, struct route_memory *memory,
                   const struct ris_message *first, struct utc newest, struct utc now);
/* Ends with a GAP that is open until the next START, from its last message or from the last that was
 * told, if that is later; returns from when. `reason` is kept with it. */
struct utc ris_feed_done(struct ris_feed *feed, const char *reason);

/* A message of this collector that came in at `now`. */
void ris_feed_take(struct ris_feed *feed, const struct ris_message *message, struct utc now);

#endif
