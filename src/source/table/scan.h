/* What went out in an archive of routes: it is fed to the whole table, and from what happens there come
 * the events of scan_events.h.
 *
 *     struct scan *scan = scan_new(&(struct scan_options){0});
 *     scan_feed(scan, 0, element);                       // in order of time
 *     scan_end(scan);
 *     struct scan_events *events = scan_events_new(scan, &wish);
 *     scan_free(scan); ... scan_events_free(events);
 *
 * Gaps of the archive are found as whole_table.h says. */
#ifndef SOURCE_TABLE_SCAN_H
#define SOURCE_TABLE_SCAN_H

#include "source/table/claims.h"
#include "source/table/whole_table.h"

enum { SCAN_COLLECTORS_MAX = WHOLE_COLLECTORS_MAX };

struct scan_options {
    unsigned
        min_peers; /* that must have spoken of a prefix; 0: five, or all where there are fewer */
    struct bins *bins; /* to be filled on the way; NULL: none. Not owned */
};

struct scan_summary {
    struct utc first, last;                     /* elements */
    unsigned full_feeds[2], full_feeds_most[2]; /* live, at the end and at most: IPv4, IPv6 */
    unsigned gaps;
    struct interval gap; /* the longest */
    bool has_dump;       /* whole tables were seen, not updates alone */
    uint64_t refused;    /* events and holes for which there was no room */
    struct route_table_counts table;
};

struct scan;

struct scan *scan_new(const struct scan_options *options);
void scan_free(struct scan *scan);
/* `collector`: a number below SCAN_COLLECTORS_MAX. */
void scan_feed(struct scan *scan, uint16_t collector, const struct element *element);
/* There is no archive of this time: what was known before it is not known after. Of all collectors; to be
 * said before elements of after it come. */
void scan_hole(struct scan *scan, struct interval hole);
void scan_end(struct scan *scan);
struct scan_summary scan_summary(const struct scan *scan);

/* For scan_events.c. */
const struct route_table *scan_table(const struct scan *scan);
const struct losses *scan_losses(const struct scan *scan);
const struct claims *scan_claims(const struct scan *scan);

#endif
