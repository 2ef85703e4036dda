/* The whole table of what live peers say, kept by a thread of its own: the loop that hears it never waits for
 * it, and takes the bins when they are ready.
 *
 *     table = live_table_new(&options, &why);
 *     live_table_watch(table, who, count);           // as bins_watch()
 *     ... listeners say all that they hear to live_table_ear(table) ...
 *     live_table_tick(table, now);                   // every second
 *     live_table_take(table, take, context);         // rows of bins that are over, some at a time
 *     live_table_free(table);                        // the bin in hand is not told
 *
 * What is heard waits as bytes, about as many as it had on the wire. Beyond LIVE_TABLE_QUEUE_MAX it is lost,
 * and that is told; once half of that is free again the table is in a gap, and knows nothing of what its
 * peers carry until they say so: lost news are no data, and no outage. */
#ifndef SOURCE_TABLE_LIVE_TABLE_H
#define SOURCE_TABLE_LIVE_TABLE_H

#include "source/bgp/heard.h"
#include "source/table/bins.h"

/* A table of a million prefixes comes as some 30 MB. */
#define LIVE_TABLE_QUEUE_MAX ((size_t)512 << 20)
/* Rows that are taken at once: naming and handing them on takes a few milliseconds. The first bin has one for
 * each AS there is, some 75 000, so that it is through within the lateness bound. */
enum { LIVE_TABLE_ROWS = 8192 };

struct live_table_options {
    const struct countries *countries; /* not owned, and not changed meanwhile; NULL: none */
    size_t queue_max;                  /* 0: LIVE_TABLE_QUEUE_MAX */
    /* What people should know, one sentence. */
    void (*say)(void *context, const char *text);
    void *context;
};

struct live_table;
struct live_table *live_table_new(const struct live_table_options *options, struct why *why);
void live_table_free(struct live_table *table); /* NULL is fine */

const struct ear *live_table_ear(const struct live_table *table);
void live_table_watch(struct live_table *table, const struct bin_who *list, size_t count);
/* Hands on what was heard. Bins that are over by now will be ready some time after. */
void live_table_tick(struct live_table *table, struct utc now);
void live_table_take(struct live_table *table,
                     void (*take)(void *context, const struct bin_row *row), void *context);

#endif
