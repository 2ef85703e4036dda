/* One router that may connect to our BGP speaker: its connections, of which one at most has a session,
 * and what becomes of that in the feed of the collector. Within bgp_listener. */
#ifndef SOURCE_BGP_BGP_PEER_H
#define SOURCE_BGP_BGP_PEER_H

#include "source/bgp/bgp_farewell.h"
#include "source/bgp/bgp_speaker.h"
#include "source/bgp/live_feed.h"

/* At once, of one router: it may begin anew before the end of an old one is noticed. */
enum { BGP_CONNECTIONS_MAX = 3 };
/* A router that did something wrong is not heard again for so long: else each of its attempts would be
 * a line for people to read and a gap in the journal. */
#define BGP_REST_NS (10 * NS_PER_S)

/* What all peers share. */
struct bgp_collector {
    struct loop *loop; /* not owned */
    struct live_feed feed;
    const char *name; /* not owned */
    struct bgp_open open;
    struct bgp_farewells farewells;
    void (*say)(void *context, const char *text);
    void *context;
};
void bgp_say(struct bgp_collector *collector, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct bgp_connection;
struct bgp_peer {
    struct bgp_collector *collector;
    struct addr address;
    uint32_t asn; /* 0: any */
    struct bgp_connection *connections[BGP_CONNECTIONS_MAX];
    struct bgp_connection *session; /* the one that is established */
    struct mono rest_until;
    uint64_t told; /* hash of why a connection came to nothing, as told last */
};

/* A connection from its address. */
void bgp_peer_take(struct bgp_peer *peer, int fd);
/* Refuses a connection with a Cease of this subcode. */
void bgp_refuse(struct bgp_collector *collector, int fd, uint8_t subcode);
/* Its session is told of as if it had just begun, and its table is asked for again; a router that cannot
 * tell it again is made to connect anew. */
void bgp_peer_renew(struct bgp_peer *peer);
/* Ends everything, with a Cease of this subcode; nothing is told of that. */
void bgp_peer_done(struct bgp_peer *peer, uint8_t subcode);

#endif
