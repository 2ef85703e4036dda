/* Looks up the addresses of a host name with the system's resolvers (resolv.conf, hosts), without
 * ever waiting (c-ares). Names are taken as complete: no search list is put behind them. */
#ifndef SYS_RESOLVER_H
#define SYS_RESOLVER_H

#include "base/addr.h"
#include "sys/loop.h"

struct resolver;
struct lookup;

enum lookup_status {
    LOOKUP_OK,
    LOOKUP_NO_NAME,        /* NXDOMAIN */
    LOOKUP_NO_ADDRESS,     /* the name exists but has no address */
    LOOKUP_SERVER_FAILURE, /* a resolver that knows other names could not find out (SERVFAIL) */
    LOOKUP_OURS,           /* no resolver answered, or refuses us, or none of late knew anything */
    LOOKUP_FORBIDDEN,      /* the filter refuses all of its addresses; addrs[0] is one of them */
};

enum { LOOKUP_ADDRESSES = 8 }; /* those beyond are not used */

struct lookup_result {
    enum lookup_status status;
    struct addr addrs[LOOKUP_ADDRESSES]; /* in the order of RFC 6724 */
    size_t count;                        /* 0 unless LOOKUP_OK */
};

struct resolver *resolver_new(struct loop *loop);
/* From now on addresses for which may() is false are left out of what is found. */
void resolver_set_filter(struct resolver *resolver,
                         bool (*may)(void *context, const struct addr *addr), void *context);
bool resolver_may(const struct resolver *resolver, const struct addr *addr);
/* Up to `most` of the servers that are asked, in their order; returns how many. */
struct resolver_server {
    struct addr addr;
    uint16_t port;
};
size_t resolver_servers(struct resolver *resolver, struct resolver_server *out, size_t most);
void resolver_free(struct resolver *resolver); /* look-ups that are under way end without done() */

/* Begins to look up a NUL-terminated name. done() is called once, perhaps before this returns,
 * which then returns NULL. */
struct lookup *resolver_look_up(struct resolver *resolver, const char *host,
                                void (*done)(void *context, const struct lookup_result *result),
                                void *context);
/* done() will not be called. NULL is fine. */
void lookup_abandon(struct lookup *lookup);

#endif
