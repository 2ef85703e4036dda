/* Live routes of the daemon: every way in which it is told of routes as they change, started and
 * stopped together, each as the configuration has it. What they tell goes into one sink, each as
 * collectors of their own.
 *
 *     live_routes_init(&live, loop, &sink, NULL);
 *     live_routes_start(&live, config, &why);
 *     ... the loop runs ...
 *     live_routes_take_up(&live, before, fresh);   // a new configuration
 *     live_routes_renew(&live, config);            // what they told was lost on its way
 *     live_routes_stop(&live);                     // every collector in a gap from here on
 *
 * Another way is a row of the table in live_routes.c, and its handle here. */
#ifndef APP_LIVE_ROUTES_H
#define APP_LIVE_ROUTES_H

#include "app/config/config.h"
#include "source/bgp/bgp_listener.h"
#include "source/bgp/bmp_listener.h"
#include "source/bgp/ris_live.h"
#include "sys/loop.h"

struct live_routes {
    struct loop *loop; /* not owned */
    struct sink sink;
    const struct ear *ear; /* hears all that is told; not owned. NULL: nobody */
    /* NULL: not wanted, or it could not be started. */
    struct bmp_listener *bmp;
    struct bgp_listener *bgp;
    struct ris_live *ris;
};

/* Whether the configuration has any. */
bool live_routes_are_wanted(const struct config *config);

void live_routes_init(struct live_routes *live, struct loop *loop, const struct sink *sink,
                      const struct ear *ear);
/* All that the configuration wants; fails with the first that cannot be started. */
enum err live_routes_start(struct live_routes *live, const struct config *config, struct why *why);
/* Restarts those for which something changed, and no others: a restart is a gap. One that cannot be
 * started is said to people, and is not there from then on. */
void live_routes_take_up(struct live_routes *live, const struct config *before,
                         const struct config *config);
/* Part of what was told is lost: everybody is made to tell the whole anew. */
void live_routes_renew(struct live_routes *live, const struct config *config);
void live_routes_stop(struct live_routes *live);

#endif
