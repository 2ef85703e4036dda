#include "source/table/bins.h"

#include "base/hash.h"
#include "base/mem.h"
#include "source/table/pair_counts.h"
#include "source/table/space.h"

#include <stdlib.h>
#include <string.h>

/* What is gone for so many days is not known any more: IODA, too, takes a level for normal after a week
 * (science.md 1.1). */
enum { KNOWN_DAYS = 7 };
enum { ROW_UPSTREAMS = 6, HOP = 100 };
/* Paths that are longer or shorter by so much are told of. */
static const double HOPS_NEWS = 0.5;

enum sighting { UNKNOWN, SEEN, GONE };

/* What a prefix counts for at the moment, or did when it was seen last. */
struct counted {
    uint32_t origin;  /* number of the AS, from 1; 0: it was never seen */
    uint32_t hops;    /* of its paths, the mean over peers, in hundredths */
    uint16_t country; /* 0: none */
    uint8_t sighting;
    uint8_t days; /* that were over since it was seen */
    bool is_there, is_changed;
    uint8_t upstream_count;
    uint32_t upstreams[ROW_UPSTREAMS]; /* ASNs, those of most peers */
};

/* An AS, a country or all, and what was told of it last. */
struct group {
    bool is_changed;
    uint64_t seen_to, known_to; /* blocks covered so far, while they are added up */
    uint64_t hops;              /* of all its visible prefixes together, in hundredths */
    struct bin_row now, told;
};

struct side {
    struct counted *rows; /* by row of the table */
    size_t capacity, count;
    uint32_t *changed; /* rows of which something changed in this bin */
    size_t changed_capacity, changed_count;
    struct placed *order; /* all rows, in order of address */
    size_t order_capacity, order_count;
    size_t sorted; /* of `order`: the rest is new */
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
    struct group all, countries[COUNTRIES]; /* the first of them is none */
    struct pair_counts pairs;               /* of an AS and an upstream, or a country */
    struct bin_row bin; /* in hand: when it starts, 0: there is none yet; and who votes */
};

struct bins *bins_new(const struct bins_options *options)
{
    struct bins *bins = mem_new(1, sizeof *bins);
    bins->options = *options;
    lookup_reset(&bins->as_lookup, 0);
    pair_counts_init(&bins->pairs);
    for (uint16_t i = 1; i < COUNTRIES; i++)
        bins->countries[i].now.who.country = country_numbered(i);
    bins->all.now.is_watched = true;
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
    pair_counts_done(&bins->pairs);
    lookup_done(&bins->as_lookup);
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
        side->rows[side->count++] = (struct counted){0};
    if (side->rows[row.row].is_there)
        return;
    side->rows[row.row].is_there = true;
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

/* ---- ASes and countries ---- */

static uint32_t as_number(struct bins *bins, uint32_t asn)
{
    uint64_t hash = hash_mix(asn);
    if (lookup_is_full(&bins->as_lookup)) {
        lookup_reset(&bins->as_lookup, bins->as_count);
        for (uint32_t i = 0; i < bins->as_count; i++)
            lookup_add(&bins->as_lookup, hash_mix(bins->ases[i].now.who.asn), i + 1);
    }
    struct lookup_walk walk = lookup_walk(&bins->as_lookup, hash);
    for (uint32_t n; (n = lookup_next(&bins->as_lookup, &walk));)
        if (bins->ases[n - 1].now.who.asn == asn)
            return n;
    bins->ases = mem_grow(bins->ases, &bins->as_capacity, bins->as_count + 1, sizeof *bins->ases);
    bins->ases[bins->as_count++] = (struct group){.now.who.asn = asn};
    lookup_put(&bins->as_lookup, &walk, bins->as_count);
    return bins->as_count;
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
    struct group *all = &bins->all;
    size_t side = family == 6;
    as->is_changed = country->is_changed = all->is_changed = true;
    if (row->sighting != SEEN)
        return;
    as->now.prefixes[side] += (uint32_t)by;
    country->now.prefixes[side] += (uint32_t)by;
    all->now.prefixes[side] += (uint32_t)by;
    as->hops += (uint64_t)by * row->hops; /* or less */
    country->hops += (uint64_t)by * row->hops;
    all->hops += (uint64_t)by * row->hops;
    pair_counts_add(&bins->pairs, row->origin, country_key(row->country), by,
                    &country->now.origins);
    for (size_t i = 0; i < row->upstream_count; i++)
        pair_counts_add(&bins->pairs, row->origin, row->upstreams[i], by, &as->now.upstreams);
    bool had_any = as->now.origins;
    as->now.origins = as->now.prefixes[0] + as->now.prefixes[1] > 0;
    all->now.origins += as->now.origins - had_any;
}

static uint16_t country_of(const struct bins *bins, const struct prefix *prefix, uint32_t asn)
{
    return bins->options.countries
               ? country_number(countries_of_route(bins->options.countries, prefix, asn))
               : 0;
}

static struct group *group_of(struct bins *bins, const struct bin_who *who)
{
    uint32_t as = who->asn ? as_number(bins, who->asn) : 0;
    return as ? &bins->ases[as - 1] : &bins->countries[country_number(who->country)];
}

void bins_watch(struct bins *bins, const struct bin_who *list, size_t count)
{
    for (uint32_t i = 0; i < bins->as_count; i++)
        bins->ases[i].now.is_watched = false;
    for (size_t i = 0; i < COUNTRIES; i++)
        bins->countries[i].now.is_watched = false;
    for (size_t i = 0; i < count; i++)
        group_of(bins, &list[i])->now.is_watched = true;
}

/* ---- one prefix ---- */

/* A peer of which only updates were seen counts as if it had what it never spoke of, if anybody has it. */
static enum sighting sighting_of(const struct sight *sight)
{
    unsigned carried = (unsigned)sight->carried + sight->unknown;
    unsigned all = carried + sight->withdrawn + sight->absent;
    if (carried * 2 < all)
        return GONE;
    return sight->carried ? SEEN : UNKNOWN;
}

/* What becomes of a row. One that is not seen stays with whom it was. */
static struct counted look(struct bins *bins, struct table_row at, const struct counted *before)
{
    struct counted now = *before;
    struct table_view view;
    struct prefix prefix = route_table_prefix(bins->table, at);
    struct sight sight = route_table_sight(bins->table, at);
    now.upstream_count = 0;
    now.sighting = (uint8_t)sighting_of(&sight);
    if (now.sighting != SEEN || prefix.bits == 0)
        return now;
    route_table_view(bins->table, at, &view);
    now.days = 0;
    now.hops = (uint32_t)(view.mean_length * HOP + 0.5);
    now.origin = view.origin_count ? as_number(bins, view.origins[0].asn) : 0;
    now.country = now.origin ? country_of(bins, &prefix, view.origins[0].asn) : 0;
    for (size_t i = 0; i < view.upstream_count && i < ROW_UPSTREAMS; i++)
        now.upstreams[now.upstream_count++] = view.upstreams[i].asn;
    return now;
}

static bool is_same(const struct counted *a, const struct counted *b)
{
    return a->origin == b->origin && a->country == b->country && a->sighting == b->sighting &&
           a->hops == b->hops && a->upstream_count == b->upstream_count &&
           memcmp(a->upstreams, b->upstreams, a->upstream_count * sizeof *a->upstreams) == 0;
}

static void look_again(struct bins *bins, uint8_t family)
{
    struct side *side = side_of(bins, family);
    uint64_t epoch = route_table_epoch(bins->table);
    for (uint32_t i = 1; epoch != side->epoch && i < side->count; i++)
        note_change(side, i); /* others are asked than before */
    side->epoch = epoch;
    for (size_t i = 0; i < side->changed_count; i++) {
        struct counted *row = &side->rows[side->changed[i]];
        row->is_changed = false;
        if (!row->is_there)
            continue;
        struct counted now = look(bins, (struct table_row){side->changed[i], family}, row);
        bool is_news = !is_same(row, &now);
        if (is_news)
            count_row(bins, row, family, -1);
        *row = now;
        if (is_news)
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

static void start_adding(struct group *group, size_t which)
{
    if (group->is_changed)
        group->seen_to = group->known_to = group->now.seen[which] = group->now.known[which] = 0;
}

static void add(struct group *group, size_t which, const struct prefix *prefix, bool is_seen)
{
    if (!group->is_changed)
        return;
    group->now.known[which] += blocks_add(prefix, &group->known_to);
    if (is_seen)
        group->now.seen[which] += blocks_add(prefix, &group->seen_to);
}

static void add_up(struct bins *bins, uint8_t family)
{
    struct side *side = side_of(bins, family);
    size_t which = family == 6;
    start_adding(&bins->all, which);
    for (uint32_t i = 0; i < bins->as_count; i++)
        start_adding(&bins->ases[i], which);
    for (size_t i = 0; i < COUNTRIES; i++)
        start_adding(&bins->countries[i], which);
    for (size_t i = 0; i < side->order_count; i++) {
        const struct counted *row = &side->rows[side->order[i].row.row];
        const struct prefix *prefix = &side->order[i].prefix;
        if (!row->origin || row->sighting == UNKNOWN)
            continue;
        add(&bins->all, which, prefix, row->sighting == SEEN);
        add(&bins->ases[row->origin - 1], which, prefix, row->sighting == SEEN);
        add(&bins->countries[row->country], which, prefix, row->sighting == SEEN);
    }
}

/* ---- telling ---- */

/* One family of a group. Without a quorum a change stays to be told. */
static void settle_family(struct group *group, size_t i)
{
    struct bin_row *now = &group->now, *told = &group->told;
    bool is_moved = now->seen[i] != told->seen[i] || now->known[i] != told->known[i];
    bool is_changed = is_moved || now->prefixes[i] != told->prefixes[i];
    bool is_country = !now->who.asn;
    now->is_due[i] = now->is_watched && now->peers_total[i];
    if (!bin_has_data(now, i)) {
        group->is_changed |= is_changed;
        return;
    }
    now->is_due[i] |= is_moved || (is_country && now->known[i]);
    now->is_changed |= is_changed;
    told->seen[i] = now->seen[i];
    told->known[i] = now->known[i];
    told->prefixes[i] = now->prefixes[i];
}

static double mean_hops(const struct group *group)
{
    uint32_t prefixes = group->now.prefixes[0] + group->now.prefixes[1];
    return prefixes ? (double)group->hops / HOP / prefixes : 0;
}

static bool is_news_of_hops(double now, double told)
{
    return now - told >= HOPS_NEWS || told - now >= HOPS_NEWS;
}

static void tell(struct bins *bins, struct group *group)
{
    struct bin_row *now = &group->now, *told = &group->told;
    now->start = bins->bin.start;
    now->end = bins->bin.end;
    memcpy(now->peers, bins->bin.peers, sizeof now->peers);
    memcpy(now->peers_total, bins->bin.peers_total, sizeof now->peers_total);
    now->path_length = mean_hops(group);
    now->is_changed = now->origins != told->origins || now->upstreams != told->upstreams ||
                      is_news_of_hops(now->path_length, told->path_length);
    told->origins = now->origins;
    told->upstreams = now->upstreams;
    group->is_changed = false;
    for (size_t i = 0; i < 2; i++)
        settle_family(group, i);
    if (!now->is_changed && !now->is_due[0] && !now->is_due[1])
        return;
    told->path_length = now->path_length;
    bins->options.tell(bins->options.context, now);
}

static int compare_groups(const void *a, const void *b)
{
    const struct group *const *x = a, *const *y = b;
    return ((*x)->now.who.asn > (*y)->now.who.asn) - ((*x)->now.who.asn < (*y)->now.who.asn);
}

/* All first, then countries, then ASes by number. */
static void tell_all(struct bins *bins)
{
    struct group **list = mem_new(bins->as_count + (size_t)1, sizeof *list);
    size_t count = 0;
    tell(bins, &bins->all);
    for (size_t i = 1; i < COUNTRIES; i++)
        tell(bins, &bins->countries[i]);
    for (uint32_t i = 0; i < bins->as_count; i++)
        if (bins->ases[i].is_changed || bins->ases[i].now.is_watched)
            list[count++] = &bins->ases[i];
    if (count)
        qsort(list, count, sizeof *list, compare_groups);
    for (size_t i = 0; i < count; i++)
        tell(bins, list[i]);
    free(list);
}

/* Without a quorum nothing is looked at: what changed is kept for the next bin that has one. */
static void end_bin(struct bins *bins, struct utc end)
{
    struct bin_row *bin = &bins->bin;
    bin->end = end;
    route_table_flush(bins->table);
    route_table_judge(bins->table, utc_add(bin->start, BIN_NS));
    for (uint8_t family = 4; family <= 6; family = (uint8_t)(family + 2)) {
        size_t which = family == 6;
        bin->peers[which] = route_table_full_feeds(bins->table, family);
        bin->peers_total[which] = route_table_full_feeds_of_late(bins->table, family);
        sort(side_of(bins, family));
        if (bin_has_data(bin, which))
            look_again(bins, family);
    }
    for (uint8_t family = 4; family <= 6; family = (uint8_t)(family + 2))
        add_up(bins, family);
    tell_all(bins);
}

void bins_advance(struct bins *bins, struct utc now)
{
    struct utc start = {now.ns / BIN_NS * BIN_NS};
    if (utc_is_known(bins->bin.start) && start.ns > bins->bin.start.ns)
        end_bin(bins, utc_add(bins->bin.start, BIN_NS));
    if (start.ns > bins->bin.start.ns)
        bins->bin.start = start;
}

void bins_skip(struct bins *bins)
{
    bins->bin.start = (struct utc){0};
}

void bins_end(struct bins *bins, struct utc last)
{
    bins_advance(bins, last);
    if (utc_is_known(bins->bin.start))
        end_bin(bins, last);
}

/* ---- forgetting ---- */

bool bins_may_forget(const struct bins *bins, struct table_row row)
{
    const struct side *side = &bins->sides[row.family == 6];
    const struct counted *counted = row.row < side->count ? &side->rows[row.row] : NULL;
    if (!counted || !counted->origin)
        return true;
    return counted->days >= KNOWN_DAYS && !bins->ases[counted->origin - 1].now.is_watched &&
           !bins->countries[counted->country].now.is_watched;
}

/* The numbers of rows that are gone may be used for others from now on. */
static void forget_row(struct bins *bins, struct counted *row, uint8_t family)
{
    count_row(bins, row, family, -1);
    *row = (struct counted){0};
}

void bins_forget(struct bins *bins)
{
    for (uint8_t family = 4; family <= 6; family = (uint8_t)(family + 2)) {
        struct side *side = side_of(bins, family);
        size_t kept = 0;
        sort(side);
        for (size_t i = 0; i < side->order_count; i++) {
            struct placed *placed = &side->order[i];
            struct counted *row = &side->rows[placed->row.row];
            if (!route_table_has(bins->table, placed->row)) {
                forget_row(bins, row, family);
                continue;
            }
            row->days = (uint8_t)(row->days + (row->sighting != SEEN && row->days < KNOWN_DAYS));
            side->order[kept++] = *placed;
        }
        side->order_count = side->sorted = kept;
    }
}
