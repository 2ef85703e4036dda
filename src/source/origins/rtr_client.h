/* Keeps a table of VRPs up to date from a validator that speaks RTR (RFC 8210, and RFC 6810 with
 * one that knows only that), over TCP.
 *
 *     client = rtr_client_new(loop, &options);              // connects, and again whenever it must
 *     ... callbacks of the loop ...
 *     rpki_validate(rtr_client_rpki(client), &prefix, origin);
 *     rtr_client_free(client);
 *
 * Everything is RPKI_UNKNOWN until the first table is whole, and from when what is known has
 * expired (two hours, if the validator does not say) until there is another. A change counts as a
 * whole or not at all. */
#ifndef SOURCE_ORIGINS_RTR_CLIENT_H
#define SOURCE_ORIGINS_RTR_CLIENT_H

#include "source/origins/rpki.h"
#include "sys/loop.h"
#include "wire/rtr_session.h"

enum { RTR_PORT = 323 }; /* IANA: rpki-rtr */

struct rtr_options {
    const char *host;                    /* a name or an address */
    uint16_t port;                       /* 0: RTR_PORT */
    const struct rtr_patience *patience; /* NULL: the usual */
    /* What people should know: tables, losses, expiry, one sentence each. */
    void (*say)(void *context, const char *text);
    /* There is another table, or none any more. NULL: nobody wants to know. */
    void (*changed)(void *context);
    void *context;
};

struct rtr_client;

/* What the options point at is copied. */
struct rtr_client *rtr_client_new(struct loop *loop, const struct rtr_options *options);
void rtr_client_free(struct rtr_client *client);
/* The same one for as long as the client lives; for the loop's thread only. */
const struct rpki *rtr_client_rpki(const struct rtr_client *client);

#endif
