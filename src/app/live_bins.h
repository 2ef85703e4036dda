/* The whole table of the daemon, and its bins on their way into the journal, if the configuration wants that;
 * else nothing is kept, and nothing is to be called for.
 *
 *     live_bins_start(&bins, config, countries, &sink, &why);
 *     ... live_bins_ear() hears what live routes tell ...
 *     live_bins_watch(&bins, config);            // a new configuration
 *     live_bins_tick(&bins, now);                // every second
 *     live_bins_stop(&bins); */
#ifndef APP_LIVE_BINS_H
#define APP_LIVE_BINS_H

#include "app/config/config.h"
#include "source/table/bin_teller.h"
#include "source/table/live_table.h"

struct live_bins {
    struct live_table *table; /* NULL: it is not kept */
    struct bin_teller teller;
    struct sink sink;
};

/* The countries are not owned, and outlive it. */
enum err live_bins_start(struct live_bins *bins, const struct config *config,
                         const struct countries *countries, const struct sink *sink,
                         struct why *why);
/* Whose ASes and countries are told of every time, from now on; their names are the configuration's. */
void live_bins_watch(struct live_bins *bins, const struct config *config);
const struct ear *live_bins_ear(const struct live_bins *bins); /* NULL: nobody listens */
void live_bins_tick(struct live_bins *bins, struct utc now);
void live_bins_stop(struct live_bins *bins);

#endif
