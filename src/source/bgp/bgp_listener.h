/* Live routes: a BGP speaker to which routers give their tables, as one collector. It connects to
 * nobody and announces nothing; who is not configured as a peer is refused.
 *
 *     listener = bgp_listener_new(loop, &options, &sink, &why);      // listens
 *     ... callbacks of the loop ...
 *     bgp_listener_free(listener);                  // the collector is in a gap from here on
 *
 * A session that is lost is a PEER_DOWN, and what its router carried is unknown until it is back and
 * tells its table anew: never a withdrawal. While there is no session at all the collector has a gap. Who
 * speaks otherwise than BGP allows is cut off with the reason, and let in again only after a while. */
#ifndef SOURCE_BGP_BGP_LISTENER_H
#define SOURCE_BGP_BGP_LISTENER_H

#include "source/bgp/heard.h"
#include "source/stream.h"
#include "sys/loop.h"

enum { BGP_PEERS_MAX = 256 };
/* Connections that are refused with a reason in a second; further ones are closed without a word. */
enum { BGP_REFUSALS_A_SECOND = 20 };

struct bgp_peer_options {
    struct addr address;
    uint32_t asn;    /* 0: any */
    const char *md5; /* the key of TCP MD5 signatures (RFC 2385), NULL: none */
};

struct bgp_options {
    struct addr address; /* family 0: any */
    uint16_t port;       /* 0: any that is free */
    uint32_t asn, id;
    uint16_t hold_s; /* at most; 3 at least */
    const char *collector;
    const struct bgp_peer_options *peers;
    size_t peer_count; /* BGP_PEERS_MAX at most */
    const struct watch *watch;
    const struct ear *ear; /* who hears it all, and outlives it; NULL: nobody */
    /* What people should know: sessions and their losses, one sentence each. */
    void (*say)(void *context, const char *text);
    void *context;
};

struct bgp_listener;
/* What the options point at is copied. */
struct bgp_listener *bgp_listener_new(struct loop *loop, const struct bgp_options *options,
                                      const struct sink *sink, struct why *why);
void bgp_listener_free(struct bgp_listener *listener);
/* Part of what was told was lost: a gap, after which every router tells its table anew (RFC 2918),
 * without losing its session if it can do that. */
void bgp_listener_renew(struct bgp_listener *listener);
uint16_t bgp_listener_port(const struct bgp_listener *listener);

#endif
