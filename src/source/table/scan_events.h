/* The events of a scan: outages and partial outages of an AS or a country, and prefixes that another AS
 * began to announce; the largest first.
 *
 * Prefixes of one AS that went within five minutes are one event. What counts is the address space that
 * was lost: what another prefix of the same AS still covered was not, and what more specific prefixes
 * inside still covered neither. The rank is that space, as a share of all that is known of its family,
 * times the share of the peers that lost it, times how long. A prefix that appeared in the archive counts
 * for no longer than it had been there.
 *
 * An event of a country is the time during which at least a tenth of its space was lost at once, be it that
 * its networks went one after the other (science.md C10: waves, and rolls from one to the next); of at
 * least two of its ASes, or of half of its space. */
#ifndef SOURCE_TABLE_SCAN_EVENTS_H
#define SOURCE_TABLE_SCAN_EVENTS_H

#include "base/mem.h"
#include "source/origins/countries.h"
#include "source/origins/rpki.h"
#include "source/table/scan.h"

enum scan_kind {
    SCAN_OUTAGE,        /* gone at nearly all peers */
    SCAN_PARTIAL,       /* at part of them */
    SCAN_ORIGIN,        /* another AS announces the same prefix */
    SCAN_MORE_SPECIFIC, /* or one within it */
    SCAN_KINDS
};

/* "outage", "partial-outage", "origin-change", "more-specific". */
const char *scan_kind_name(enum scan_kind kind);

enum { SCAN_UPSTREAMS = 4 };

struct scan_event {
    enum scan_kind kind;
    uint8_t family;
    bool is_country;        /* of all of a country, else of one AS */
    uint32_t asn;           /* whose prefixes; 0: nobody told their origin, or a country */
    uint32_t other;         /* of ORIGIN and MORE_SPECIFIC: the AS that began to announce them */
    struct country country; /* of the prefixes, or else of the AS; "" if not known */
    const struct prefix *prefixes; /* in order */
    size_t prefix_count;
    struct prefix cover;     /* MORE_SPECIFIC: the prefix of `asn` that holds the first of them */
    size_t ases, known_ases; /* of a country: ASes concerned, and in all */
    size_t known_prefixes;   /* that the AS or country is known to have in all */
    uint64_t blocks;         /* /24s or /48s that were lost, or are announced by another */
    uint64_t known_blocks;   /* of a country: in all */

    struct interval began;        /* [last good, first bad] */
    struct interval ended;        /* unknown while it is so */
    size_t open;                  /* prefixes for which it was still so at the end */
    size_t partly;                /* prefixes that came back at a part of the peers only */
    unsigned lacking, lacking_of; /* peers without the worst of those at the end; M 0: not known */
    bool is_unseen;               /* for those: a gap came, and nothing was heard since */
    int64_t longest_ns; /* how long, for the prefix for which it was longest; at least so long */
    struct utc told; /* appeared in the archive: when it was first told of; 0: was there before */

    unsigned peers,
        of; /* N of M: those that lost the prefix in the middle, or have the other's route */
    unsigned unknown; /* that had not told of it, beside those M */
    int64_t fall_ns;  /* from a tenth to nine tenths of the loss; -1: not known */
    unsigned times;   /* how often it went, or began, for less than five minutes between: most */
    unsigned flaps;   /* how often it had done so in the six hours before: most */
    struct table_share
        upstreams[SCAN_UPSTREAMS]; /* before it went, by prefixes: peers counts these */
    size_t upstream_count;
    /* Hops of paths, the mean over peers and prefixes, 0 if not known: of those that were left as it went, or of
     * the other's routes; and of the owner's that these took the place of. */
    double path_length, old_path_length;
    uint32_t behind;   /* an upstream that other ASes lost, too; 0: none */
    unsigned together; /* those others */
    bool is_related;   /* one of the two ASes is on the other's path */
    bool is_sure;      /* false: it may have been so before, as nobody had told of it */
    unsigned rpki
        [RPKI_STATE_COUNT]; /* prefixes by what is said of them with this origin (or the other's) */
    double score;           /* see above: what it is ranked by, in seconds of all the space */
};

struct scan_events {
    struct scan_event *list;
    size_t count, capacity;
    uint64_t left_out; /* claims of which nobody can tell whether they are new */
    struct arena arena;
};

struct scan_wish {
    const struct countries *countries; /* NULL: none */
    const struct rpki *rpki;           /* NULL: none */
    uint32_t asn;                      /* events of this AS alone; 0: of all */
    struct country country; /* or of this country, for which `countries` is needed; "": of all */
    struct prefix prefix; /* events of prefixes that hold it or that it holds; no family: of all */
    bool has_unsure;      /* with claims of which nobody can tell whether they are new */
};

struct scan_events *scan_events_new(const struct scan *scan, const struct scan_wish *wish);
void scan_events_free(struct scan_events *events);

#endif
