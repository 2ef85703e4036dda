#include "source/table/bins.h"

#include "base/hash.h"
#include "base/mem.h"
#include "source/table/lookup.h"
#include "source/table/space.h"

#include <stdlib.h>
#include <string.h>

static const int64_t BIN_NS = 5 * NS_PER_MINUTE;
enum { ROW_UPSTREAMS = 6, PAIRS_MAX = 1 << 24, HOP = 100 };
/* Paths that are longer or shorter by so much are told of. */
static const double HOPS_NEWS = 0.5;

/* What a prefix counts for at the moment. */
struct counted {
    uint32_t origin;  /* number of the AS, from 1; 0: the prefix is not visible */
    uint32_t hops;    /* of its paths, the mean over peers, in hundredths */
    uint16_t country; /* 0: none */
    bool is_changed;
    uint8_t upstream_count;
    uint32_t upstreams[ROW_UPSTREAMS]; /* ASNs, those of most peers */
};

/* An AS or a country, and what was told of it last. */
struct group {
    uint32_t asn;
    bool is_changed;
    uint64_t covered; /* while it is added up */
    uint64_t hops;    /* of all its prefixes together, in hundredths */
    struct bin_row now, told;
};

/* How many visible prefixes an AS has behind an upstream, or in a country. */
struct pair {
    uint32_t a, b;
    uint32_t count;
};

struct side {
    struct counted *rows; /* by row of the table */
    size_t capacity, count;
    uint32_t *changed; /* rows of which something changed in this bin */
    size_t changed_capacity, changed_count;
    struct placed *order; /* all rows, in order of address */
    size_t order_capacity, order_count;
    size_t sorted; /* of `order`: the rest is new */
    unsigned peers;
    uint64_t epoch;
};

struct bins {
    struct bins_options options;
    struct route_table *table;
    struct side sides[2];
    struct group *ases; /* number - 1 */
    size_t as_capacity;
    uint32_t as_count;
    struct lookup as_lookup;
    struct group countries[COUNTRIES];
    struct pair *pairs; /* number - 1 */
    size_t pair_capacity;
    uint32_t pair_count;
    struct lookup pair_lookup;
    struct utc start; /* of the bin in hand; 0: there is none yet */
};

struct bins *bins_new(const struct bins_options *options)
{
    struct bins *bins = mem_new(1, sizeof *bins);
    bins->options = *options;
    lookup_reset(&bins->as_lookup, 0);
    lookup_reset(&bins->pair_lookup, 0);
    return bins;
}

void bins_free(struct bins *bins)
{
    if (!bins)
        return;
    for (size_t i = 0; i < 2; i++) {
        free(bins->sides[i].rows);
        free(bins->sides[i].changed);
        free(bins->sides[i].order);
    }
    free(bins->ases);
    free(bins->pairs);
    lookup_done(&bins->as_lookup);
    lookup_done(&bins->pair_lookup);
    free(bins);
}

void bins_begin(struct bins *bins, struct route_table *table)
{
    bins->table = table;
}

/* ---- what changed ---- */

static struct side *side_of(struct bins *bins, uint8_t family)
{
    return &bins->sides[family == 6];
}

static void add_row(struct bins *bins, struct side *side, struct table_row row)
{
    side->rows = mem_grow(side->rows, &side->capacity, row.row + (size_t)1, sizeof *side->rows);
    while (side->count <= row.row)
        side->rows[side->count++] = (struct counted){.upstream_count = UINT8_MAX};
    if (side->rows[row.row].upstream_count != UINT8_MAX)
        return;
    side->rows[row.row].upstream_count = 0;
    side->order =
        mem_grow(side->order, &side->order_capacity, side->order_count + 1, sizeof *side->order);
    side->order[side->order_count++] = (struct placed){route_table_prefix(bins->table, row), row};
}

static void note_change(struct side *side, uint32_t row)
{
    if (side->rows[row].is_changed)
        return;
    side->rows[row].is_changed = true;
    side->changed = mem_grow(side->changed, &side->changed_capacity, side->changed_count + 1,
                             sizeof *side->changed);
    side->changed[side->changed_count++] = row;
}

void bins_change(struct bins *bins, const struct table_change *change)
{
    struct side *side = side_of(bins, change->at.family);
    add_row(bins, side, change->at);
    note_change(side, change->at.row);
}

/* ---- ASes, countries and pairs ---- */

static uint32_t as_number(struct bins *bins, uint32_t asn)
{
    uint64_t hash = hash_mix(asn);
    if (lookup_is_full(&bins->as_lookup)) {
        lookup_reset(&bins->as_lookup, bins->as_count);
        for (uint32_t i = 0; i < bins->as_count; i++)
            lookup_add(&bins->as_lookup, hash_mix(bins->ases[i].asn), i + 1);
    }
    struct lookup_walk walk = lookup_walk(&bins->as_lookup, hash);
    for (uint32_t n; (n = lookup_next(&bins->as_lookup, &walk));)
        if (bins->ases[n - 1].asn == asn)
            return n;
    bins->ases = mem_grow(bins->ases, &bins->as_capacity, bins->as_count + 1, sizeof *bins->ases);
    bins->ases[bins->as_count++] =
        (struct group){.asn = asn, .now = {.asn = asn}, .told = {.asn = asn}};
    lookup_put(&bins->as_lookup, &walk, bins->as_count);
    return bins->as_count;
}

static uint64_t pair_hash(uint32_t a, uint32_t b)
{
    return hash_mix((uint64_t)a << 32 | b);
}

/* NULL if there can be no more. */
static struct pair *find_pair(struct bins *bins, uint32_t a, uint32_t b)
{
    if (lookup_is_full(&bins->pair_lookup)) {
        lookup_reset(&bins->pair_lookup, bins->pair_count);
        for (uint32_t i = 0; i < bins->pair_count; i++)
            lookup_add(&bins->pair_lookup, pair_hash(bins->pairs[i].a, bins->pairs[i].b), i + 1);
    }
    struct lookup_walk walk = lookup_walk(&bins->pair_lookup, pair_hash(a, b));
    for (uint32_t n; (n = lookup_next(&bins->pair_lookup, &walk));)
        if (bins->pairs[n - 1].a == a && bins->pairs[n - 1].b == b)
            return &bins->pairs[n - 1];
    if (bins->pair_count == PAIRS_MAX)
        return NULL;
    bins->pairs =
        mem_grow(bins->pairs, &bins->pair_capacity, bins->pair_count + 1, sizeof *bins->pairs);
    bins->pairs[bins->pair_count++] = (struct pair){a, b, 0};
    lookup_put(&bins->pair_lookup, &walk, bins->pair_count);
    return &bins->pairs[bins->pair_count - 1];
}

/* Counts one prefix more or less for a pair; *different is how many pairs have any. */
static void count_pair(struct bins *bins, uint32_t a, uint32_t b, int by, uint32_t *different)
{
    struct pair *pair = find_pair(bins, a, b);
    if (!pair || (by < 0 && !pair->count))
        return;
    if (by > 0)
        *different += pair->count++ == 0;
    else
        *different -= --pair->count == 0;
}

/* Countries are beyond all numbers of ASes. */
static uint32_t country_key(uint16_t country)
{
    return UINT32_MAX - country;
}

/* All that a prefix counts for, once more or less. */
static void count_row(struct bins *bins, struct counted *row, uint8_t family, int by)
{
    if (!row->origin)
        return;
    struct group *as = &bins->ases[row->origin - 1], *country = &bins->countries[row->country];
    size_t side = family == 6;
    as->is_changed = country->is_changed = true;
    as->now.prefixes[side] += (uint32_t)by;
    country->now.prefixes[side] += (uint32_t)by;
    as->hops += (uint64_t)by * row->hops; /* or less */
    country->hops += (uint64_t)by * row->hops;
    count_pair(bins, row->origin, country_key(row->country), by, &country->now.origins);
    for (size_t i = 0; i < row->upstream_count; i++)
        count_pair(bins, row->origin, row->upstreams[i], by, &as->now.upstreams);
    as->now.origins = as->now.prefixes[0] + as->now.prefixes[1] > 0;
}

/* ---- one prefix ---- */

static bool is_visible(const struct sight *sight)
{
    unsigned carried = (unsigned)sight->carried + sight->unknown;
    unsigned all = carried + sight->withdrawn + sight->absent;
    return sight->carried && carried * 2 >= all;
}

static struct counted look(struct bins *bins, struct table_row row)
{
    struct counted seen = {0};
    struct table_view view;
    route_table_view(bins->table, row, &view);
    if (!is_visible(&view.sight) || !view.origin_count)
        return seen;
    struct prefix prefix = route_table_prefix(bins->table, row);
    seen.hops = (uint32_t)(view.mean_length * HOP + 0.5);
    seen.origin = as_number(bins, view.origins[0].asn);
    if (bins->options.countries)
        seen.country = country_number(
            countries_of_route(bins->options.countries, &prefix, view.origins[0].asn));
    for (size_t i = 0; i < view.upstream_count && i < ROW_UPSTREAMS; i++)
        seen.upstreams[seen.upstream_count++] = view.upstreams[i].asn;
    return seen;
}

static bool is_same(const struct counted *a, const struct counted *b)
{
    return a->origin == b->origin && a->country == b->country && a->hops == b->hops &&
           a->upstream_count == b->upstream_count &&
           memcmp(a->upstreams, b->upstreams, a->upstream_count * sizeof *a->upstreams) == 0;
}

static void look_again(struct bins *bins, uint8_t family)
{
    struct side *side = side_of(bins, family);
    uint64_t epoch = route_table_epoch(bins->table);
    for (uint32_t i = 1; epoch != side->epoch && i < side->count; i++)
        if (side->rows[i].upstream_count != UINT8_MAX)
            note_change(side, i); /* others are asked than before */
    side->epoch = epoch;
    side->peers = route_table_full_feeds(bins->table, family);
    for (size_t i = 0; i < side->changed_count; i++) {
        struct counted *row = &side->rows[side->changed[i]];
        struct counted seen = look(bins, (struct table_row){side->changed[i], family});
        row->is_changed = false;
        if (is_same(row, &seen))
            continue;
        count_row(bins, row, family, -1);
        *row = seen;
        count_row(bins, row, family, 1);
    }
    side->changed_count = 0;
}

/* ---- adding up ---- */

static int compare_placed(const void *a, const void *b)
{
    return prefix_compare(&((const struct placed *)a)->prefix, &((const struct placed *)b)->prefix);
}

/* Puts the new ones between the others. */
static void sort(struct side *side)
{
    size_t fresh = side->order_count - side->sorted, left = side->sorted, at = side->order_count;
    struct placed *list = mem_new(fresh, sizeof *list);
    if (fresh) {
        memcpy(list, side->order + side->sorted, fresh * sizeof *list);
        qsort(list, fresh, sizeof *list, compare_placed);
    }
    while (fresh)
        side->order[--at] = left && compare_placed(&side->order[left - 1], &list[fresh - 1]) > 0
                                ? side->order[--left]
                                : list[--fresh];
    free(list);
    side->sorted = side->order_count;
}

static void add_up(struct bins *bins, uint8_t family)
{
    struct side *side = side_of(bins, family);
    size_t which = family == 6;
    for (uint32_t i = 0; i < bins->as_count; i++)
        if (bins->ases[i].is_changed)
            bins->ases[i].covered = bins->ases[i].now.blocks[which] = 0;
    for (size_t i = 0; i < COUNTRIES; i++)
        if (bins->countries[i].is_changed)
            bins->countries[i].covered = bins->countries[i].now.blocks[which] = 0;
    for (size_t i = 0; i < side->order_count; i++) {
        const struct counted *row = &side->rows[side->order[i].row.row];
        if (!row->origin)
            continue;
        struct group *as = &bins->ases[row->origin - 1], *country = &bins->countries[row->country];
        if (as->is_changed)
            as->now.blocks[which] += blocks_add(&side->order[i].prefix, &as->covered);
        if (country->is_changed)
            country->now.blocks[which] += blocks_add(&side->order[i].prefix, &country->covered);
    }
}

static double mean_hops(const struct group *group)
{
    uint32_t prefixes = group->now.prefixes[0] + group->now.prefixes[1];
    return prefixes ? (double)group->hops / HOP / prefixes : 0;
}

static void tell(struct bins *bins, struct group *group)
{
    group->now.path_length = mean_hops(group);
    double longer = group->now.path_length - group->told.path_length;
    bool is_news =
        group->is_changed &&
        (longer >= HOPS_NEWS || longer <= -HOPS_NEWS ||
         memcmp(group->now.blocks, group->told.blocks, sizeof group->now.blocks) != 0 ||
         memcmp(group->now.prefixes, group->told.prefixes, sizeof group->now.prefixes) != 0 ||
         group->now.origins != group->told.origins ||
         group->now.upstreams != group->told.upstreams);
    group->is_changed = false;
    if (!is_news)
        return;
    group->now.start = bins->start;
    group->now.peers[0] = bins->sides[0].peers;
    group->now.peers[1] = bins->sides[1].peers;
    group->told = group->now;
    bins->options.tell(bins->options.context, &group->now);
}

static int compare_groups(const void *a, const void *b)
{
    const struct group *const *x = a, *const *y = b;
    return ((*x)->asn > (*y)->asn) - ((*x)->asn < (*y)->asn);
}

/* Countries first, then ASes by number. */
static void tell_all(struct bins *bins)
{
    struct group **list = mem_new(bins->as_count + (size_t)1, sizeof *list);
    size_t count = 0;
    for (uint16_t i = 1; i < COUNTRIES; i++) {
        bins->countries[i].now.country = country_numbered(i);
        tell(bins, &bins->countries[i]);
    }
    for (uint32_t i = 0; i < bins->as_count; i++)
        if (bins->ases[i].is_changed)
            list[count++] = &bins->ases[i];
    if (count)
        qsort(list, count, sizeof *list, compare_groups);
    for (size_t i = 0; i < count; i++)
        tell(bins, list[i]);
    free(list);
}

static void end_bin(struct bins *bins)
{
    route_table_flush(bins->table);
    route_table_judge(bins->table, utc_add(bins->start, BIN_NS));
    for (uint8_t family = 4; family <= 6; family = (uint8_t)(family + 2)) {
        look_again(bins, family);
        sort(side_of(bins, family));
    }
    for (uint8_t family = 4; family <= 6; family = (uint8_t)(family + 2))
        add_up(bins, family);
    tell_all(bins);
}

void bins_advance(struct bins *bins, struct utc now)
{
    struct utc start = {now.ns / BIN_NS * BIN_NS};
    if (utc_is_known(bins->start) && start.ns > bins->start.ns)
        end_bin(bins);
    if (start.ns > bins->start.ns)
        bins->start = start;
}

/* The numbers of rows may be used for others from now on: all are looked at again. */
void bins_forget(struct bins *bins)
{
    for (uint8_t family = 4; family <= 6; family = (uint8_t)(family + 2)) {
        struct side *side = side_of(bins, family);
        for (uint32_t i = 1; i < side->count; i++)
            if (side->rows[i].upstream_count != UINT8_MAX)
                count_row(bins, &side->rows[i], family, -1);
        side->count = side->changed_count = side->order_count = side->sorted = 0;
        for (struct table_row row = {0, family}; (row = route_table_next(bins->table, row)).row;) {
            add_row(bins, side, row);
            note_change(side, row.row);
        }
    }
}

void bins_end(struct bins *bins, struct utc last)
{
    bins_advance(bins, last);
    if (utc_is_known(bins->start))
        end_bin(bins);
}
