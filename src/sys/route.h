/* Where our own kernel would send a packet: tells our own missing network from somebody else's. */
#ifndef SYS_ROUTE_H
#define SYS_ROUTE_H

#include "base/addr.h"

enum route_kind {
    ROUTE_NONE,    /* no way there, refused by a rule of ours, or the link is down */
    ROUTE_OWN,     /* an address of this machine */
    ROUTE_LINK,    /* on a network that we are attached to: we are the last router */
    ROUTE_GATEWAY, /* by a router */
    ROUTE_UNKNOWN, /* the kernel could not be asked */
};

/* Asks the kernel's routing table (rtnetlink); takes some microseconds. */
enum route_kind route_to(const struct addr *addr);

/* The same for those who ask often: with a socket that is kept, it takes half the time. */
struct route_asker;
struct route_asker *route_asker_new(void);
void route_asker_free(struct route_asker *asker);
enum route_kind route_ask(struct route_asker *asker, const struct addr *addr);

#endif
