/* Losses of prefixes, put together into outages of ASes and countries. */
#include "source/table/events_inside.h"

#include <stdlib.h>
#include <string.h>

static const int64_t DRIFT_NS = 30 * NS_PER_MINUTE;
/* What is told of in the first minutes of an archive is not taken for new. */
static const int64_t START_NS = 10 * NS_PER_MINUTE;
/* It is looked whether something else covered a prefix when it was gone for half of its time, or so long. */
static const int64_t LOOK_NS = 10 * NS_PER_MINUTE;

struct items {
    struct item *list;
    size_t count, capacity;
};

static bool is_outage(const struct item *item)
{
    return item->loss->was_gone;
}

/* What peers lost one by one over hours has no beginning. */
static bool is_drift(const struct item *item)
{
    return !is_outage(item) && utc_diff(item->began.first_after, item->loss->opened) > DRIFT_NS;
}

/* Whether the prefix was there before, or in the archive from its first minutes on. */
static bool was_there(const struct making *making, const struct row_notes *notes)
{
    return losses_was_there(notes) ||
           utc_diff((struct utc){notes->told * NS_PER_S}, making->summary.first) < START_NS;
}

/* A prefix within one of another AS that came and went: that is told as such. */
static bool is_visitor(const struct making *making, const struct item *item)
{
    const struct row_notes *notes = row_notes(making->table, item->placed.row);
    const struct claim *claim;
    for (uint32_t i = notes->claim; i && !was_there(making, notes); i = claim->next) {
        claim = &making->claims->list[i - 1];
        if (claim->cover.row && !claim->is_open && claim_is_news(making, claim))
            return true;
    }
    return false;
}

static void gather(struct making *making, struct items *items)
{
    for (size_t i = 0; i < making->losses->count; i++) {
        const struct loss *loss = &making->losses->list[i];
        if (!loss_counts(making->losses, loss))
            continue;
        struct item item = {.loss = loss, .asn = loss->origin, .weight = 1};
        item.placed = (struct placed){route_table_prefix(making->table, loss->row), loss->row};
        item.began = loss->was_gone ? loss->went : loss->began;
        if (!item.asn)
            item.asn = route_table_origin(making->table, loss->row);
        if (is_drift(&item) || is_visitor(making, &item) ||
            !making_wants(making, &item.placed.prefix, item.asn, item.asn))
            continue;
        item.country = making_country(making, &item.placed.prefix, item.asn);
        items->list =
            mem_grow(items->list, &items->capacity, items->count + 1, sizeof *items->list);
        items->list[items->count++] = item;
    }
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* What may be one event comes together, in order of time; at one time in order of prefix. */
int item_compare_kinds(const struct item *a, const struct item *b)
{
    int order = compare_numbers(is_outage(b), is_outage(a));
    if (!order)
        order = compare_numbers(a->placed.row.family, b->placed.row.family);
    return order;
}

int item_compare_times(const struct item *a, const struct item *b)
{
    int order =
        compare_numbers((uint64_t)a->began.first_after.ns, (uint64_t)b->began.first_after.ns);
    if (!order)
        order = prefix_compare(&a->placed.prefix, &b->placed.prefix);
    return order;
}

static int compare_ases(const void *first, const void *second)
{
    const struct item *a = first, *b = second;
    int order = item_compare_kinds(a, b);
    if (!order)
        order = compare_numbers(a->asn, b->asn);
    return order ? order : item_compare_times(a, b);
}

static int compare_prefixes(const void *first, const void *second)
{
    const struct item *a = first, *b = second;
    return prefix_compare(&a->placed.prefix, &b->placed.prefix);
}

/* ---- what is told of an event ---- */

bool item_is_still(const struct item *item)
{
    const struct loss *loss = item->loss;
    return loss->is_open && (!loss->was_gone || loss->is_gone);
}

struct interval item_ended(const struct making *making, const struct item *item)
{
    const struct loss *loss = item->loss;
    struct utc last = loss->is_unseen ? loss->unseen_since : making->summary.last;
    if (item_is_still(item))
        return (struct interval){last, last};
    return loss->is_open ? loss->back : loss->ended;
}

static int64_t dark_ns(const struct making *making, const struct item *item)
{
    int64_t dark = utc_diff(item_ended(making, item).last_before, item->began.first_after);
    return dark > 0 ? dark : 0;
}

static void set_times(const struct making *making, struct scan_event *event,
                      const struct item *items, size_t count)
{
    event->began = items[0].began;
    for (size_t i = 0; i < count; i++) {
        const struct loss *loss = items[i].loss;
        const struct interval *began = &items[i].began;
        if (began->last_before.ns < event->began.last_before.ns)
            event->began.last_before = began->last_before;
        if (began->first_after.ns < event->began.first_after.ns)
            event->began.first_after = began->first_after;
        struct interval ended = item_ended(making, &items[i]);
        if (item_is_still(&items[i])) {
            event->open++;
            event->is_unseen |= loss->is_unseen;
        } else if (ended.first_after.ns > event->ended.first_after.ns) {
            event->ended = ended;
        }
        int64_t dark = dark_ns(making, &items[i]);
        if (dark > event->longest_ns)
            event->longest_ns = dark;
        if (loss->times > event->times)
            event->times = loss->times;
    }
    if (event->open)
        event->ended = (struct interval){{0}, {0}};
}

/* Prefixes that are back, but not at all peers. */
static void set_rest(const struct making *making, struct scan_event *event,
                     const struct item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct loss *loss = items[i].loss;
        if (!loss->is_open || item_is_still(&items[i]))
            continue;
        struct sight sight = route_table_sight(making->table, loss->row);
        event->partly++;
        if (sight.withdrawn <= event->lacking)
            continue;
        event->lacking = sight.withdrawn;
        event->lacking_of = (unsigned)sight.withdrawn + sight.carried;
    }
}

/* How often a prefix had gone in the hours before. */
static unsigned flaps_before(const struct making *making, const struct item *item)
{
    unsigned flaps = 0;
    const struct loss *loss;
    for (uint32_t i = item->loss->previous; i; i = loss->previous) {
        loss = &making->losses->list[i - 1];
        if (loss->was_gone && utc_diff(item->began.first_after, loss->went.first_after) <= FLAPS_NS)
            flaps += loss->times;
    }
    return flaps;
}

static void set_history(const struct making *making, struct scan_event *event,
                        const struct item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct row_notes *notes = row_notes(making->table, items[i].placed.row);
        struct utc told = {notes->told * NS_PER_S};
        unsigned flaps = flaps_before(making, &items[i]);
        if (flaps > event->flaps)
            event->flaps = flaps;
        if (!was_there(making, notes) && told.ns > event->told.ns)
            event->told = told;
    }
}

static int compare_lost(const void *first, const void *second)
{
    const struct loss *const *a = first, *const *b = second;
    return ((*a)->lost_most > (*b)->lost_most) - ((*a)->lost_most < (*b)->lost_most);
}

/* The prefix in the middle speaks for all. */
static void set_depth(struct scan_event *event, const struct item *items, size_t count)
{
    const struct loss **sorted = mem_new(count, sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = items[i].loss;
    qsort(sorted, count, sizeof *sorted, compare_lost);
    const struct sight *worst = &sorted[count / 2]->worst;
    event->peers = worst->withdrawn;
    event->of = (unsigned)worst->withdrawn + worst->carried;
    event->unknown = worst->unknown;
    free(sorted);
}

static void add_upstream(struct scan_event *event, uint32_t asn)
{
    size_t i = 0;
    while (i < event->upstream_count && event->upstreams[i].asn != asn)
        i++;
    if (!asn || i == SCAN_UPSTREAMS)
        return;
    event->upstream_count += i == event->upstream_count;
    event->upstreams[i].asn = asn;
    event->upstreams[i].peers++;
    for (; i > 0 && event->upstreams[i].peers > event->upstreams[i - 1].peers; i--) {
        struct table_share less = event->upstreams[i - 1];
        event->upstreams[i - 1] = event->upstreams[i];
        event->upstreams[i] = less;
    }
}

static void set_path_length(struct scan_event *event, const struct item *items, size_t count)
{
    double hops = 0;
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        hops += (double)items[i].loss->hops;
        known += items[i].loss->hops > 0;
    }
    event->path_length = known ? hops / (double)known : 0;
}

/* A part of the loss. */
struct step {
    struct utc at;
    double weight;
};

static int compare_steps(const void *first, const void *second)
{
    const struct step *a = first, *b = second;
    return (a->at.ns > b->at.ns) - (a->at.ns < b->at.ns);
}

/* From a tenth to nine tenths of all that was lost, each prefix as heavy as it is large. */
static void set_fall(struct scan_event *event, const struct item *items, size_t count)
{
    struct step *steps = mem_new(count * LOSS_LEVELS, sizeof *steps);
    size_t n = 0, at = 0;
    double all = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        const struct loss *loss = items[i].loss;
        for (size_t k = 0; k < loss->level; k++) {
            steps[n] = (struct step){utc_add(loss->began.last_before, loss->levels[k] * NS_PER_S),
                                     (double)items[i].blocks + 1e-3};
            all += steps[n++].weight;
        }
    }
    event->fall_ns = -1;
    if (n) {
        qsort(steps, n, sizeof *steps, compare_steps);
        while (at < n && (sum += steps[at].weight) < all * 0.1)
            at++;
        struct utc tenth = steps[at].at;
        while (at + 1 < n && sum < all * 0.9)
            sum += steps[++at].weight;
        event->fall_ns = utc_diff(steps[at].at, tenth);
    }
    free(steps);
}

/* How much of the loss counts: no longer than the prefix had been there, if it appeared. */
static double counted(const struct making *making, const struct item *item)
{
    const struct row_notes *notes = row_notes(making->table, item->placed.row);
    int64_t dark = dark_ns(making, item);
    int64_t there = utc_diff(item->began.first_after, (struct utc){notes->told * NS_PER_S});
    if (was_there(making, notes) || there >= dark || dark == 0)
        return item->loss->area_ns;
    return item->loss->area_ns * (double)there / (double)dark;
}

/* Items in order of prefix: their space, and what it is worth. */
static void set_space(const struct making *making, struct scan_event *event, struct item *items,
                      size_t count)
{
    uint64_t covered = 0;
    struct prefix *prefixes = arena_alloc(&making->events->arena, count * sizeof *prefixes);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        struct item *item = &items[i];
        int64_t half = dark_ns(making, item) / 2;
        struct utc at = utc_add(item->began.first_after, half < LOOK_NS ? half : LOOK_NS);
        uint64_t fresh = blocks_add(&item->placed.prefix, &covered);
        item->blocks = lost_blocks(making, &item->placed, item->asn, at, fresh);
        event->blocks += item->blocks;
        event->score +=
            item->weight * (double)item->blocks * counted(making, item) / (double)NS_PER_S;
        if (!n || prefix_compare(&prefixes[n - 1], &item->placed.prefix))
            prefixes[n++] = item->placed.prefix;
    }
    event->prefixes = prefixes;
    event->prefix_count = n;
}

struct scan_event *make_outage(struct making *making, struct item *items, size_t count,
                               bool is_country)
{
    struct scan_event event = {.kind = is_outage(items) ? SCAN_OUTAGE : SCAN_PARTIAL,
                               .family = items->placed.row.family,
                               .is_country = is_country,
                               .asn = is_country ? 0 : items->asn,
                               .country = items->country,
                               .is_sure = true};
    set_times(making, &event, items, count);
    set_rest(making, &event, items, count);
    set_history(making, &event, items, count);
    set_depth(&event, items, count);
    qsort(items, count, sizeof *items, compare_prefixes);
    set_space(making, &event, items, count);
    if (!event.blocks)
        return NULL;
    set_fall(&event, items, count);
    for (size_t i = 0; i < count; i++)
        add_upstream(&event, items[i].loss->upstream);
    set_path_length(&event, items, count);
    making_judge(making, &event, event.asn);
    struct scan_event *made = making_event(making);
    *made = event;
    return made;
}

/* ---- from first to last ---- */

/* Runs of items of the same AS that went together. */
static void cut(struct making *making, struct items *items)
{
    qsort(items->list, items->count, sizeof *items->list, compare_ases);
    for (size_t i = 0, n; i < items->count; i += n) {
        struct item first = items->list[i];
        for (n = 1; i + n < items->count; n++) {
            const struct item *next = &items->list[i + n];
            if (first.asn != next->asn || item_compare_kinds(&first, next) ||
                utc_diff(next->began.first_after, first.began.first_after) > TOGETHER_NS)
                break;
        }
        make_outage(making, &items->list[i], n, false);
    }
}

void make_outages(struct making *making)
{
    struct items items = {0};
    gather(making, &items);
    if (items.count) {
        cut(making, &items);
        make_countries(making, items.list, items.count);
    }
    free(items.list);
}
