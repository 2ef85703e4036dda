#include "source/table/scan.h"

#include "base/mem.h"

#include <stdlib.h>

/* A collector that recorded something in BUSY of the SPAN seconds before, and then nothing for GAP_NS, was
 * blind. Those of RouteViews pause for two minutes while they write a dump, and catch up afterwards; a
 * missing file of RIPE RIS is five minutes. */
static const int64_t GAP_NS = 4 * NS_PER_MINUTE;
enum { SPAN_S = 300, BUSY = 100 };
/* Prefixes that nobody has are forgotten once a day. */
static const int64_t FORGET_NS = NS_PER_DAY;

/* How busy a collector is: seconds with records, in this span and the one before. */
struct pulse {
    struct utc last;
    int64_t span;
    unsigned busy, busy_before;
    bool is_missed; /* by the other collectors, which went on */
};

struct scan {
    struct scan_options options;
    struct route_table *table;
    struct losses losses;
    struct claims claims;
    struct pulse pulses[SCAN_COLLECTORS_MAX];
    struct scan_summary summary;
    struct utc forget_at, gap_until;
    struct interval holes[SCAN_HOLES_MAX]; /* that are still to come */
    size_t hole_count;
};

static void changed(void *context, const struct table_change *change)
{
    struct scan *scan = context;
    claims_change(&scan->claims, change);
    losses_change(&scan->losses, change);
    if (scan->options.bins)
        bins_change(scan->options.bins, change);
}

struct scan *scan_new(const struct scan_options *options)
{
    struct scan *scan = mem_new(1, sizeof *scan);
    scan->options = *options;
    scan->table = route_table_new(&(struct route_table_options){
        .extra_words = LOSS_WORDS, .changed = changed, .context = scan});
    losses_init(&scan->losses, scan->table, options->min_peers);
    claims_init(&scan->claims, scan->table);
    if (options->bins)
        bins_begin(options->bins, scan->table);
    return scan;
}

void scan_free(struct scan *scan)
{
    if (!scan)
        return;
    losses_done(&scan->losses);
    claims_done(&scan->claims);
    route_table_free(scan->table);
    free(scan);
}

/* A gap may be found twice: announced as a hole, and felt. */
static void note_gap(struct scan *scan, int collector, struct interval gap)
{
    struct scan_summary *summary = &scan->summary;
    int64_t longest = utc_diff(summary->gap.first_after, summary->gap.last_before);
    route_table_gap(scan->table, collector);
    losses_gap(&scan->losses, gap.last_before);
    claims_gap(&scan->claims, gap.last_before);
    summary->gaps += gap.last_before.ns >= scan->gap_until.ns;
    scan->gap_until = gap.first_after;
    if (utc_diff(gap.first_after, gap.last_before) > longest)
        summary->gap = gap;
}

static bool was_blind(const struct pulse *pulse, struct utc now)
{
    unsigned busy = pulse->busy > pulse->busy_before ? pulse->busy : pulse->busy_before;
    return utc_is_known(pulse->last) && utc_diff(now, pulse->last) >= GAP_NS && busy >= BUSY;
}

/* A dump is written in one go, and tells nothing of how busy a collector is. */
static void feel_pulse(struct scan *scan, uint16_t collector, struct utc now)
{
    struct pulse *pulse = &scan->pulses[collector];
    int64_t span = now.ns / NS_PER_S / SPAN_S;
    if (now.ns / NS_PER_S <= pulse->last.ns / NS_PER_S)
        return;
    if (was_blind(pulse, now))
        note_gap(scan, collector, (struct interval){pulse->last, now});
    pulse->is_missed = false;
    if (span != pulse->span) {
        pulse->busy_before = span == pulse->span + 1 ? pulse->busy : 0;
        pulse->busy = 0;
    }
    pulse->span = span;
    pulse->busy++;
    pulse->last = now;
}

/* Collectors of which nothing comes any more: it may be that their archives have come to their ends. */
static void miss_collectors(struct scan *scan, struct utc now)
{
    for (int i = 0; i < SCAN_COLLECTORS_MAX; i++) {
        struct pulse *pulse = &scan->pulses[i];
        if (pulse->is_missed || !was_blind(pulse, now))
            continue;
        note_gap(scan, i, (struct interval){pulse->last, now});
        pulse->is_missed = true;
    }
}

void scan_hole(struct scan *scan, struct interval hole)
{
    if (scan->hole_count < SCAN_HOLES_MAX)
        scan->holes[scan->hole_count++] = hole;
    else
        scan->summary.refused++;
}

/* Holes that the archive has come to the end of. */
static void pass_holes(struct scan *scan, struct utc now)
{
    for (size_t i = 0; i < scan->hole_count;) {
        if (scan->holes[i].first_after.ns > now.ns) {
            i++;
            continue;
        }
        note_gap(scan, -1, scan->holes[i]);
        scan->holes[i] = scan->holes[--scan->hole_count];
    }
}

static bool may_forget(void *context, struct table_row row)
{
    const struct scan *scan = context;
    const struct row_notes *notes = row_notes(scan->table, row);
    return !notes->loss && !notes->claim;
}

static void note_peers(struct scan *scan)
{
    struct scan_summary *summary = &scan->summary;
    for (size_t i = 0; i < 2; i++) {
        summary->full_feeds[i] = route_table_full_feeds(scan->table, i ? 6 : 4);
        if (summary->full_feeds[i] > summary->full_feeds_most[i])
            summary->full_feeds_most[i] = summary->full_feeds[i];
    }
}

/* Now and then, in the time of the archive. */
static void keep_house(struct scan *scan, struct utc now)
{
    miss_collectors(scan, now);
    note_peers(scan);
    if (scan->options.bins)
        bins_advance(scan->options.bins, now);
    if (!utc_is_known(scan->forget_at))
        scan->forget_at = utc_add(now, FORGET_NS);
    if (now.ns < scan->forget_at.ns)
        return;
    route_table_forget(scan->table, may_forget, scan);
    if (scan->options.bins)
        bins_forget(scan->options.bins);
    scan->forget_at = utc_add(now, FORGET_NS);
}

void scan_feed(struct scan *scan, uint16_t collector, const struct element *element)
{
    struct scan_summary *summary = &scan->summary;
    if (element->kind == ELEMENT_TABLE)
        summary->has_dump = true;
    else if (element->time.ns > scan->pulses[collector].last.ns)
        feel_pulse(scan, collector, element->time);
    if (element->time.ns > summary->last.ns) {
        if (!utc_is_known(summary->first))
            summary->first = element->time;
        if (scan->hole_count)
            pass_holes(scan, element->time);
        if (element->time.ns / NS_PER_MINUTE != summary->last.ns / NS_PER_MINUTE)
            keep_house(scan, element->time);
        summary->last = element->time;
    }
    route_table_feed(scan->table, collector, element);
}

void scan_end(struct scan *scan)
{
    struct scan_summary *summary = &scan->summary;
    route_table_flush(scan->table);
    route_table_judge(scan->table, utc_add(summary->last, NS_PER_HOUR));
    note_peers(scan);
    losses_end(&scan->losses, summary->last);
    claims_gap(&scan->claims, summary->last);
    if (scan->options.bins)
        bins_end(scan->options.bins, summary->last);
    summary->refused += scan->losses.refused + scan->claims.refused;
    summary->table = route_table_counts(scan->table);
}

struct scan_summary scan_summary(const struct scan *scan)
{
    return scan->summary;
}

const struct route_table *scan_table(const struct scan *scan)
{
    return scan->table;
}

const struct losses *scan_losses(const struct scan *scan)
{
    return &scan->losses;
}

const struct claims *scan_claims(const struct scan *scan)
{
    return &scan->claims;
}
