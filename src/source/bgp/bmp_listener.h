/* Live routes: listens for routers that speak BMP (RFC 7854) and tells what they hear as
 * observations of a collector each. The router connects; nothing is ever sent to it.
 *
 *     listener = bmp_listener_new(loop, &options, &sink, &why);      // listens
 *     ... callbacks of the loop ...
 *     bmp_listener_free(listener);                  // every collector in a gap from here on
 *
 * A connection that is lost is a gap of the collector, from then until it is back; then its routers
 * tell all their tables anew. BMP has no message that says "still here", so a router that vanished is
 * noticed by TCP, after NET_SILENCE_NS. Who sends what is no BMP is cut off, and let in again only
 * after a while.
 *
 * Of the tables that a router may tell of, one is used, the same for all its peers. If none was chosen
 * it is pre-policy; a router that tells of others, and within BMP_TABLE_CHOICE_NS nothing of it, is
 * cut off once, and from its next connection on the first of those in BMP_TABLE_LIST is used, from its
 * beginning. */
#ifndef SOURCE_BGP_BMP_LISTENER_H
#define SOURCE_BGP_BMP_LISTENER_H

#include "source/bgp/heard.h"
#include "source/stream.h"
#include "sys/loop.h"
#include "wire/bmp.h"

/* Connections at once. */
enum { BMP_ROUTERS_MAX = 32 };
#define BMP_TABLE_CHOICE_NS NS_PER_MINUTE

struct bmp_options {
    struct addr address;   /* family 0: any */
    uint16_t port;         /* 0: any that is free */
    const char *collector; /* its name; NULL: the router's sysName */
    enum bmp_table table;  /* BMP_TABLES: as each router has it */
    int64_t choice_ns;     /* 0: BMP_TABLE_CHOICE_NS */
    const struct watch *watch;
    const struct ear *ear; /* who hears it all, and outlives it; NULL: nobody */
    /* What people should know: connections and losses, one sentence each. */
    void (*say)(void *context, const char *text);
    void *context;
};

struct bmp_listener;
/* What the options point at is copied. */
struct bmp_listener *bmp_listener_new(struct loop *loop, const struct bmp_options *options,
                                      const struct sink *sink, struct why *why);
void bmp_listener_free(struct bmp_listener *listener);
uint16_t bmp_listener_port(const struct bmp_listener *listener);

#endif
