/* What the vantage asks itself (model/own_checks.def), as an engine beside those that ask the world:
 *
 *     link      does the interface by which the world is reached have a carrier and an address?
 *     gateway   does the default gateway answer a ping, or for its address on the wire?
 *     resolver  does one of the servers in resolv.conf answer?  (own_resolver.c)
 *     clock     how wrong is the calendar clock, by NTP servers or else by the system?  (own_clock.c)
 *     loop      how late are we in asking and hearing?
 *
 * OK and DEGRADED mean that all is well or well enough, SELF and LATE that it is not, NONE that it cannot be told.
 * Link and gateway are told by the kernel when something changes: then changed() is called. */
#ifndef SOURCE_PROBE_OWN_H
#define SOURCE_PROBE_OWN_H

#include "source/probe/agenda.h"
#include "source/probe/ping.h"
#include "source/probe/question.h"
#include "sys/resolver.h"

enum { OWN_CLOCKS_MAX = 8 };

/* What bears on how well we ask and hear, since the start. */
struct own_load {
    uint64_t asked, late, missed; /* questions: all, those sent late, those left out */
    uint64_t dropped;             /* packets that we were too slow to read */
};

struct own_options {
    struct agenda *agenda;
    struct resolver *resolver;
    struct pinger *pinger;
    /* Whether we may send something to an address that is our own affair, private or not. */
    bool (*may)(void *context, const struct addr *addr);
    struct own_load (*load)(void *context);
    void (*changed)(void *context, enum own_check check); /* that should be made now */
    void *context;
};

struct own_engine;

struct own_engine *own_new(const struct own_options *options);
void own_free(struct own_engine *engine); /* NULL is fine */

/* The NTP servers, from now on: names or addresses, with a port where it is another one. Copied. */
void own_set_clocks(struct own_engine *engine, const char *const *servers, size_t count);

void own_ask(struct own_engine *engine, const struct question *question);

#endif
