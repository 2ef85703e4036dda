/* What `scan` found, for people and for programs.
 *
 * JSON Lines: an object for each event, the largest first, and one of type "summary" at the end. Members of
 * an event:
 *
 *     type            outage, partial-outage, origin-change, more-specific
 *     family          4 or 6
 *     asn, country    whose prefixes; of a country asn is null, and ases (of so many known_ases) and
 *                     known_blocks are there
 *     new_origin      origin-change and more-specific: the AS that began to announce them
 *     prefix_count, prefixes (the first 100), known_prefixes (that the AS has in all, as far as told)
 *     within          more-specific: the prefix that holds the first of them
 *     blocks          how many /24s, or /48s of IPv6, were lost or are concerned
 *     began, ended    {not_before, not_after}; ended is null while it is so for some. Of a country: when a
 *                     tenth of its space was lost at once, and when that was over
 *     open_prefixes   of how many it was still so at the end; unseen: a gap came, and nothing was heard since
 *     partly_back     of how many only a part of the peers had it again; lacking, lacking_of: N of M peers
 *                     without it at the end, for the one that most lacked
 *     seconds         how long, at least, for the prefix for which it was longest
 *     peers, of       N of M: peers that lost it (or have the new route), of those that had told of it;
 *     unknown_peers   of which nothing was known
 *     fall_seconds    from a tenth to nine tenths of the loss
 *     times, flaps    how often it went (or the other announced it) in this event, and in the six hours before
 *     first_told      if it appeared in the archive: when
 *     upstreams       [{asn, prefixes}] before it went; behind, together: an upstream that so many other
 *                     ASes lost within two minutes
 *     path_length     hops, the mean over peers: of the paths that were left as it went, or of the new
 *                     routes; old_path_length: of the routes that these took the place of. null: not known
 *     related         one AS is on the other's path; sure: false if it may have been so before
 *     rpki            {valid, invalid-origin, ...}: how many of the prefixes
 *     score_seconds   what it is ranked by: so long the whole known space would have been lost to all peers
 *
 * and of the summary, beside what its members' names say:
 *
 *     collectors      their names, as far as they are known
 *     changes         announcements, withdrawals and entries of dumps; updates: without those of dumps. Without
 *                     any nothing that went out can be seen
 *     full_feeds4, 6  peers that were live with a full feed, at most. Below the least that must lose a prefix,
 *                     least_peers, no outage of that family can be seen
 *     rpki_entries    with --rpki; rpki_made: of when they are, null if their file does not tell
 *     refused         events and gaps for which there was no room; refused_changes: those of the table
 *     left_out        prefixes of which nobody can tell whether they are new: see --unsure */
#ifndef APP_SCAN_REPORT_H
#define APP_SCAN_REPORT_H

#include "out/page.h"
#include "source/mrt/element.h"
#include "source/table/scan_events.h"

struct scan_report {
    const struct scan_events *events;
    const struct scan_wish *wish;
    struct scan_summary summary;
    struct element_counts counts;
    uint64_t records, bad, missing; /* as of stream_faults */
    const char *const *collectors;  /* their names; "" for those whose name is not known */
    size_t collector_count;
    struct utc
        rpki_made; /* when the validator said what the wish holds routes against; 0: not known */
    unsigned min_peers; /* that must lose a prefix before it is told */
    size_t top;         /* so many outages, and so many claims; 0: all */
};

/* Of scan_text(): what was read, and what can be seen in it. False if that is nothing. */
bool scan_overview(const struct scan_report *report, struct page *page, struct arena *arena);
/* Whether there were witnesses of an outage, had there been one. */
bool scan_can_see(const struct scan_report *report);

void scan_text(const struct scan_report *report, const struct style *style, struct buffer *out);
void scan_json(const struct scan_report *report, struct buffer *out);
/* One row of --bins as a line: type "bin", start, asn or country, or neither for the whole table, which is
 * told of every time; slash24 (visible) and known24, slash48 and known48, null where there is no data;
 * prefixes4, prefixes6, origins (not of an AS), upstreams (of an AS), path_length (hops, the mean over peers and
 * prefixes), peers4 and peers4_total, peers6 and peers6_total. */
void scan_bin_json(const struct bin_row *row, struct buffer *out);

#endif
