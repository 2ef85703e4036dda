#include "source/table/events_inside.h"

#include <stdlib.h>
#include <string.h>

/* ASes behind one upstream that lost it within this time lost it together. */
static const int64_t BEHIND_NS = 2 * NS_PER_MINUTE;

const char *scan_kind_name(enum scan_kind kind)
{
    static const char *const names[SCAN_KINDS] = {"outage", "partial-outage", "origin-change",
                                                  "more-specific"};
    return names[kind];
}

struct scan_event *making_event(struct making *making)
{
    struct scan_events *events = making->events;
    events->list =
        mem_grow(events->list, &events->capacity, events->count + 1, sizeof *events->list);
    return &events->list[events->count++];
}

bool making_wants(const struct making *making, const struct prefix *prefix, uint32_t asn,
                  uint32_t other)
{
    const struct scan_wish *wish = making->wish;
    if (wish->asn && wish->asn != asn && wish->asn != other)
        return false;
    if (wish->country.code[0] && !country_is(making_country(making, prefix, asn), wish->country) &&
        (other == asn || !country_is(countries_of_asn(wish->countries, other), wish->country)))
        return false;
    return !wish->prefix.addr.family || prefix_has(&wish->prefix, prefix) ||
           prefix_has(prefix, &wish->prefix);
}

struct country making_country(const struct making *making, const struct prefix *prefix,
                              uint32_t asn)
{
    const struct countries *countries = making->wish->countries;
    return countries ? countries_of_route(countries, prefix, asn) : country_none();
}

void making_judge(const struct making *making, struct scan_event *event, uint32_t origin)
{
    uint64_t known = making->blocks_known[making_family(event->family)];
    if (known)
        event->score /= (double)known;
    /* An origin that nobody told is not one that the RPKI does not know. */
    for (size_t i = 0; making->wish->rpki && i < event->prefix_count; i++)
        event->rpki[origin ? rpki_validate(making->wish->rpki, &event->prefixes[i], origin)
                           : RPKI_UNKNOWN]++;
}

/* ---- what ASes have in all ---- */

static int compare_asns(const void *a, const void *b)
{
    const struct scan_event *const *x = a, *const *y = b;
    return ((*x)->asn > (*y)->asn) - ((*x)->asn < (*y)->asn);
}

/* The first of the sorted events of this AS; `count` if there is none. */
static size_t first_of(struct scan_event *const *sorted, size_t count, uint32_t asn)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle]->asn < asn)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && sorted[low]->asn == asn ? low : count;
}

static void count_prefixes(struct making *making)
{
    struct scan_events *events = making->events;
    struct scan_event **sorted = mem_new(events->count + 1, sizeof *sorted);
    size_t count = 0;
    for (size_t i = 0; i < events->count; i++)
        if (!events->list[i].is_country && events->list[i].asn)
            sorted[count++] = &events->list[i];
    if (count)
        qsort(sorted, count, sizeof *sorted, compare_asns);
    for (size_t f = 0; f < 2; f++)
        for (size_t i = 0; i < making->spaces[f].count; i++) {
            struct table_row row = making->spaces[f].list[i].row;
            uint32_t asn = route_table_origin(making->table, row);
            for (size_t k = first_of(sorted, count, asn); k < count && sorted[k]->asn == asn; k++)
                sorted[k]->known_prefixes += sorted[k]->family == row.family;
        }
    free(sorted);
}

/* ---- who went together ---- */

static bool went_with(const struct scan_event *a, const struct scan_event *b)
{
    int64_t apart = utc_diff(a->began.first_after, b->began.first_after);
    return b->kind == a->kind && b->asn != a->asn && !b->is_country && b->upstream_count &&
           b->upstreams[0].asn == a->upstreams[0].asn && apart <= BEHIND_NS && -apart <= BEHIND_NS;
}

/* Of a list in order of kind, upstream and time: how many other ASes are within reach of one of them. */
static unsigned count_others(struct scan_event *const *sorted, size_t count, size_t at)
{
    unsigned others = 0;
    uint32_t seen[64];
    for (size_t step = 0; step < 2; step++)
        for (size_t i = at; step ? i-- > 0 : ++i < count;) {
            if (sorted[i]->kind != sorted[at]->kind ||
                sorted[i]->upstreams[0].asn != sorted[at]->upstreams[0].asn)
                break;
            if (!went_with(sorted[at], sorted[i]))
                continue;
            unsigned k = 0;
            while (k < others && seen[k] != sorted[i]->asn)
                k++;
            if (k == others && others < sizeof seen / sizeof *seen)
                seen[others++] = sorted[i]->asn;
        }
    return others;
}

static int compare_upstreams(const void *a, const void *b)
{
    const struct scan_event *x = *(struct scan_event *const *)a,
                            *y = *(struct scan_event *const *)b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->upstreams[0].asn != y->upstreams[0].asn)
        return x->upstreams[0].asn < y->upstreams[0].asn ? -1 : 1;
    int64_t apart = utc_diff(x->began.first_after, y->began.first_after);
    return apart < 0 ? -1 : apart > 0 ? 1 : (x->asn > y->asn) - (x->asn < y->asn);
}

static void find_company(struct scan_events *events)
{
    struct scan_event **sorted = mem_new(events->count + 1, sizeof *sorted);
    size_t count = 0;
    for (size_t i = 0; i < events->count; i++)
        if (!events->list[i].is_country && events->list[i].upstream_count)
            sorted[count++] = &events->list[i];
    if (count)
        qsort(sorted, count, sizeof *sorted, compare_upstreams);
    for (size_t i = 0; i < count; i++) {
        sorted[i]->together = count_others(sorted, count, i);
        sorted[i]->behind = sorted[i]->together ? sorted[i]->upstreams[0].asn : 0;
    }
    free(sorted);
}

/* ---- the order ---- */

/* Origins that came and went before those that stayed, which mostly are moves; those with nothing in
 * common before provider and customer; and what may not be new last. */
static unsigned class_of(const struct scan_event *event)
{
    if (event->kind < SCAN_ORIGIN)
        return 0;
    return (event->is_sure ? 0U : 8U) + (event->is_related ? 4U : 0U) + (event->open ? 2U : 0U) + 1;
}

static int compare_events(const void *a, const void *b)
{
    const struct scan_event *x = a, *y = b;
    if (class_of(x) != class_of(y))
        return class_of(x) < class_of(y) ? -1 : 1;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    int64_t apart = utc_diff(x->began.first_after, y->began.first_after);
    if (apart)
        return apart < 0 ? -1 : 1;
    int order = prefix_compare(&x->prefixes[0], &y->prefixes[0]);
    if (!order)
        order = (int)x->kind - (int)y->kind;
    return order ? order : (int)y->is_country - (int)x->is_country;
}

static void survey(struct making *making)
{
    for (size_t i = 0; i < 2; i++) {
        uint64_t covered = 0;
        space_init(&making->spaces[i], making->table, i ? 6 : 4);
        for (size_t k = 0; k < making->spaces[i].count; k++)
            making->blocks_known[i] += blocks_add(&making->spaces[i].list[k].prefix, &covered);
    }
}

struct scan_events *scan_events_new(const struct scan *scan, const struct scan_wish *wish)
{
    struct scan_events *events = mem_new(1, sizeof *events);
    struct making making = {.wish = wish,
                            .table = scan_table(scan),
                            .losses = scan_losses(scan),
                            .claims = scan_claims(scan),
                            .summary = scan_summary(scan),
                            .events = events};
    survey(&making);
    make_outages(&making);
    make_claims(&making);
    count_prefixes(&making);
    find_company(events);
    if (events->count)
        qsort(events->list, events->count, sizeof *events->list, compare_events);
    for (size_t i = 0; i < 2; i++)
        space_done(&making.spaces[i]);
    return events;
}

void scan_events_free(struct scan_events *events)
{
    if (!events)
        return;
    arena_done(&events->arena);
    free(events->list);
    free(events);
}
