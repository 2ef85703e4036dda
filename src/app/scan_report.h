/* What `scan` found, for people and for programs.
 *
 * JSON Lines: an object for each event, the largest first, and one of type "summary" at the end. Members of
 * an event:
 *
 *     type            outage, partial-outage, origin-change, more-specific
 *     family          4 or 6
 *     asn, country    whose prefixes; of a country asn is null, and ases and known_blocks are there
 *     new_origin      origin-change and more-specific: the AS that began to announce them
 *     prefix_count, prefixes (the first 100), known_prefixes (that the AS has in all, as far as told)
 *     within          more-specific: the prefix that holds the first of them
 *     blocks          how many /24s, or /48s of IPv6, were lost or are concerned
 *     began, ended    {not_before, not_after}; ended is null while it is so for some
 *     open_prefixes   of how many it was still so at the end; unseen: a gap came, and nothing was heard since
 *     partly_back     of how many only a part of the peers had it again
 *     seconds         how long, at least, for the prefix for which it was longest
 *     peers, of       N of M: peers that lost it (or have the new route), of those that had told of it;
 *     unknown_peers   of which nothing was known
 *     fall_seconds    from a tenth to nine tenths of the loss
 *     times, flaps    how often it went in this event, and in the six hours before
 *     first_told      if it appeared in the archive: when
 *     upstreams       [{asn, prefixes}] before it went; behind, together: an upstream that so many other
 *                     ASes lost within two minutes
 *     related         one AS is on the other's path; sure: false if it may have been so before
 *     rpki            {valid, invalid-origin, ...}: how many of the prefixes
 *     score           what it is ranked by: seconds that the whole known space would have been lost */
#ifndef APP_SCAN_REPORT_H
#define APP_SCAN_REPORT_H

#include "out/out.h"
#include "source/mrt/element.h"
#include "source/table/scan_events.h"

struct scan_report {
    const struct scan_events *events;
    struct scan_summary summary;
    struct element_counts counts;
    uint64_t records, bad, missing; /* as of stream_faults */
    size_t top;                     /* so many outages, and so many claims; 0: all */
    bool has_rpki;
};

void scan_text(const struct scan_report *report, const struct style *style, struct buffer *out);
void scan_json(const struct scan_report *report, struct buffer *out);
/* One row of --bins as a line: type "bin", start, asn or country, or neither for the whole table, which is
 * told of every time; slash24 (visible) and known24, slash48 and known48, null where there is no data;
 * prefixes4, prefixes6, origins (not of an AS), upstreams (of an AS), peers4 and peers4_total, peers6 and
 * peers6_total. */
void scan_bin_json(const struct bin_row *row, struct buffer *out);

#endif
