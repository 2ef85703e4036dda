/* The daemon's whole networks: the engine that probes them, and what is learned of them, which is kept beside the
 * journal, in JOURNAL.blocks (source/blocks/block_file.h). That file is only a cache: without it networks are
 * learned anew. It is read when networks come into the plan, before the files that the configuration names,
 * and written every ten minutes and at the end, by a thread of the pool, so that the loop never waits for the disk. */
#ifndef APP_NETWORK_WATCH_H
#define APP_NETWORK_WATCH_H

#include "app/config/config.h"
#include "sys/loop.h"

struct network_watch;

/* `options` and `sink` as for block_prober_new(). Sends nothing until there are networks. */
struct network_watch *network_watch_new(struct loop *loop,
                                        const struct block_prober_options *options,
                                        const struct sink *sink, const char *journal);
/* Takes up the networks of the configuration, which must live until the next call or the end; what there is
 * to say, it says. */
void network_watch_set(struct network_watch *watch, const struct config *config);
/* Asks nobody from now on. */
void network_watch_stop(struct network_watch *watch);
void network_watch_free(struct network_watch *watch);

#endif
