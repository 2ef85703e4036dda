/* Outages of countries: when a tenth of the space was lost at once.
 *
 * Losses begin and end within intervals. So what was dark is added up twice: as it was for sure, from the
 * first bad to the last bad; and as it may have been, from the last good to the first good. The tenth was
 * reached between the one and the other, and left between the other and the one. */
#include "source/table/events_inside.h"

#include <stdlib.h>

/* A country's outage: of one part in so many of its space, and of so many ASes or one part in so many. */
enum { LEAST_PART = 10, LEAST_ASES = 2, LARGE_PART = 2 };

/* What is known of a country in one family. */
struct known {
    uint64_t blocks, covered;
    size_t prefixes, ases;
};

/* More or less that is dark, from then on. */
struct edge {
    struct utc at;
    int64_t blocks;
};

struct run {
    struct utc from, until;
};

/* Losses of one kind and family in one country, and what comes of them. */
struct country_making {
    struct making *making;
    const struct known *known;
    const struct item *items;
    size_t count;
    struct item *members; /* of one event; room for all */
    struct edge *edges;   /* likewise, two each */
    struct run *sure, *possible;
};

/* ---- what there is ---- */

static int compare_keys(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void survey(const struct making *making, size_t family, struct known known[COUNTRIES])
{
    const struct space *space = &making->spaces[family];
    uint64_t *keys = mem_new(space->count + 1, sizeof *keys); /* of a country and an AS of it */
    for (size_t i = 0; i < space->count; i++) {
        uint32_t origin = route_table_origin(making->table, space->list[i].row);
        uint16_t number = country_number(making_country(making, &space->list[i].prefix, origin));
        known[number].blocks += blocks_add(&space->list[i].prefix, &known[number].covered);
        known[number].prefixes++;
        keys[i] = (uint64_t)number << 32 | origin;
    }
    if (space->count)
        qsort(keys, space->count, sizeof *keys, compare_keys);
    for (size_t i = 0; i < space->count; i++)
        known[keys[i] >> 32].ases += (uint32_t)keys[i] && (!i || keys[i] != keys[i - 1]);
    free(keys);
}

/* ---- when it was dark ---- */

static bool is_before(struct utc a, struct utc b)
{
    return a.ns < b.ns;
}

static struct run sure_of(const struct making *making, const struct item *item)
{
    struct utc last = item_ended(making, item).last_before;
    return (struct run){item->began.first_after,
                        is_before(last, item->began.first_after) ? item->began.first_after : last};
}

static struct run possible_of(const struct making *making, const struct item *item)
{
    return (struct run){item->began.last_before, item_ended(making, item).first_after};
}

/* What begins at a moment was dark in it together with what ends. */
static int compare_edges(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    if (x->at.ns != y->at.ns)
        return x->at.ns < y->at.ns ? -1 : 1;
    return (x->blocks < y->blocks) - (x->blocks > y->blocks);
}

/* The times at which a tenth or more was dark. */
static size_t find_runs(const struct country_making *country,
                        struct run (*run_of)(const struct making *, const struct item *),
                        struct run *out)
{
    int64_t dark = 0, known = (int64_t)country->known->blocks;
    size_t count = 0;
    bool is_dark = false;
    for (size_t i = 0; i < country->count; i++) {
        struct run run = run_of(country->making, &country->items[i]);
        int64_t blocks = (int64_t)country->items[i].blocks;
        country->edges[2 * i] = (struct edge){run.from, blocks};
        country->edges[2 * i + 1] = (struct edge){run.until, -blocks};
    }
    qsort(country->edges, 2 * country->count, sizeof *country->edges, compare_edges);
    for (size_t i = 0; i < 2 * country->count; i++) {
        dark += country->edges[i].blocks;
        bool was_dark = is_dark;
        is_dark = dark > 0 && dark * LEAST_PART >= known;
        if (is_dark && !was_dark)
            out[count].from = country->edges[i].at;
        else if (was_dark && !is_dark)
            out[count++].until = country->edges[i].at;
    }
    return count;
}

/* ---- events ---- */

/* Those that were dark in that time, each with its part in it. */
static size_t take_members(const struct country_making *country, const struct run *sure)
{
    size_t count = 0;
    for (size_t i = 0; i < country->count; i++) {
        struct run run = sure_of(country->making, &country->items[i]);
        if (is_before(sure->until, run.from) || is_before(run.until, sure->from))
            continue;
        struct utc from = is_before(run.from, sure->from) ? sure->from : run.from;
        struct utc until = is_before(sure->until, run.until) ? sure->until : run.until;
        double all = (double)utc_diff(run.until, run.from);
        country->members[count] = country->items[i];
        country->members[count++].weight = all > 0 ? (double)utc_diff(until, from) / all : 1;
    }
    return count;
}

static int compare_asns(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return (x->asn > y->asn) - (x->asn < y->asn);
}

static size_t count_ases(struct item *items, size_t count)
{
    size_t ases = 0;
    qsort(items, count, sizeof *items, compare_asns);
    for (size_t i = 0; i < count; i++)
        ases += items[i].asn && (!i || items[i].asn != items[i - 1].asn);
    return ases;
}

/* What went may have been of an AS, and so of a country, of which its prefix is not any more. */
static uint64_t larger(uint64_t known, uint64_t lost)
{
    return known > lost ? known : lost;
}

/* It is not over if what would have ended it is still so. */
static void set_end(const struct country_making *country, struct scan_event *event, size_t count,
                    struct utc sure, struct utc possible)
{
    bool is_still = false;
    event->ended = (struct interval){sure, possible};
    event->is_unseen = false;
    for (size_t i = 0; i < count; i++) {
        const struct item *item = &country->members[i];
        if (!item_is_still(item) || item_ended(country->making, item).first_after.ns != possible.ns)
            continue;
        is_still = true;
        event->is_unseen |= item->loss->is_unseen;
    }
    if (is_still)
        event->ended = (struct interval){{0}, {0}};
}

static void make_event(const struct country_making *country, const struct run *sure,
                       const struct run *possible)
{
    const struct known *known = country->known;
    struct making *making = country->making;
    size_t count = take_members(country, sure), ases = count_ases(country->members, count);
    struct scan_event *event = make_outage(making, country->members, count, true);
    if (!event)
        return;
    event->ases = ases;
    event->known_ases = larger(known->ases, ases);
    event->known_prefixes = larger(known->prefixes, event->prefix_count);
    event->known_blocks = larger(known->blocks, event->blocks);
    event->began = (struct interval){possible->from, sure->from};
    event->longest_ns = utc_diff(sure->until, sure->from);
    set_end(country, event, count, sure->until, possible->until);
    if (event->blocks * LEAST_PART < known->blocks ||
        (ases < LEAST_ASES && event->blocks * LARGE_PART < known->blocks))
        making->events->count--;
}

/* From the first to the last time for sure within each that is possible: whether it was over between
 * them nobody knows. */
static void make_country(const struct country_making *country)
{
    size_t sure = find_runs(country, sure_of, country->sure);
    size_t possible = find_runs(country, possible_of, country->possible);
    for (size_t i = 0, k = 0; i < possible; i++) {
        const struct run *within = &country->possible[i];
        if (k == sure || is_before(within->until, country->sure[k].from))
            continue;
        struct run all = country->sure[k];
        for (; k < sure && !is_before(within->until, country->sure[k].from); k++)
            all.until = country->sure[k].until;
        make_event(country, &all, within);
    }
}

static int compare_items(const void *first, const void *second)
{
    const struct item *a = first, *b = second;
    int order = item_compare_kinds(a, b);
    if (!order)
        order = (int)country_number(a->country) - (int)country_number(b->country);
    return order ? order : item_compare_times(a, b);
}

void make_countries(struct making *making, struct item *items, size_t count)
{
    const struct scan_wish *wish = making->wish;
    if (!wish->countries || wish->asn || wish->prefix.addr.family)
        return; /* a part of a country is not the country */
    struct known(*known)[COUNTRIES] = mem_new(2, sizeof *known);
    struct country_making country = {.making = making,
                                     .members = mem_new(count, sizeof *country.members),
                                     .edges = mem_new(2 * count, sizeof *country.edges),
                                     .sure = mem_new(count, sizeof *country.sure),
                                     .possible = mem_new(count, sizeof *country.possible)};
    for (size_t i = 0; i < 2; i++)
        survey(making, i, known[i]);
    qsort(items, count, sizeof *items, compare_items);
    for (size_t i = 0, n; i < count; i += n) {
        for (n = 1; i + n < count && !item_compare_kinds(&items[i], &items[i + n]) &&
                    country_is(items[i].country, items[i + n].country);)
            n++;
        if (!items[i].country.code[0])
            continue;
        country.items = &items[i];
        country.count = n;
        country.known =
            &known[making_family(items[i].placed.row.family)][country_number(items[i].country)];
        make_country(&country);
    }
    free(country.members);
    free(country.edges);
    free(country.sure);
    free(country.possible);
    free(known);
}
