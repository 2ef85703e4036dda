#include "source/table/scan.h"

#include "base/mem.h"

#include <stdlib.h>

struct scan {
    struct whole_table whole;
    struct losses losses;
    struct claims claims;
    bool has_dump;
};

static void changed(void *context, const struct table_change *change)
{
    struct scan *scan = context;
    claims_change(&scan->claims, change);
    losses_change(&scan->losses, change);
}

static void gap(void *context, struct interval gap)
{
    struct scan *scan = context;
    losses_gap(&scan->losses, gap.last_before);
    claims_gap(&scan->claims, gap.last_before);
}

static bool may_forget(void *context, struct table_row row)
{
    const struct scan *scan = context;
    const struct row_notes *notes = row_notes(scan->whole.routes, row);
    return !notes->loss && !notes->claim;
}

struct scan *scan_new(const struct scan_options *options)
{
    struct scan *scan = mem_new(1, sizeof *scan);
    whole_table_init(&scan->whole, &(struct whole_table_options){.bins = options->bins,
                                                                 .is_archive = true,
                                                                 .extra_words = LOSS_WORDS,
                                                                 .changed = changed,
                                                                 .gap = gap,
                                                                 .may_forget = may_forget,
                                                                 .context = scan});
    losses_init(&scan->losses, scan->whole.routes, options->min_peers);
    claims_init(&scan->claims, scan->whole.routes);
    return scan;
}

void scan_free(struct scan *scan)
{
    if (!scan)
        return;
    losses_done(&scan->losses);
    claims_done(&scan->claims);
    whole_table_done(&scan->whole);
    free(scan);
}

void scan_feed(struct scan *scan, uint16_t collector, const struct element *element)
{
    scan->has_dump |= element->kind == ELEMENT_TABLE;
    whole_table_feed(&scan->whole, collector, element);
}

void scan_hole(struct scan *scan, struct interval hole)
{
    whole_table_hole(&scan->whole, hole);
}

void scan_end(struct scan *scan)
{
    whole_table_end(&scan->whole);
    losses_end(&scan->losses, scan->whole.last);
    claims_gap(&scan->claims, scan->whole.last);
}

struct scan_summary scan_summary(const struct scan *scan)
{
    const struct whole_table *whole = &scan->whole;
    return (struct scan_summary){
        .first = whole->first,
        .last = whole->last,
        .full_feeds = {route_table_full_feeds(whole->routes, 4),
                       route_table_full_feeds(whole->routes, 6)},
        .full_feeds_most = {whole->full_feeds_most[0], whole->full_feeds_most[1]},
        .gaps = whole->gaps,
        .gap = whole->gap,
        .has_dump = scan->has_dump,
        .refused = scan->losses.refused + scan->claims.refused + whole->refused,
        .table = route_table_counts(whole->routes)};
}

const struct route_table *scan_table(const struct scan *scan)
{
    return scan->whole.routes;
}

const struct losses *scan_losses(const struct scan *scan)
{
    return &scan->losses;
}

const struct claims *scan_claims(const struct scan *scan)
{
    return &scan->claims;
}
