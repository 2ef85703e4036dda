#include "source/table/claims.h"

#include "base/mem.h"

#include <stdlib.h>

/* Back within that time, it was not away; after it, it is another claim. */
static const int64_t AWAY_NS = 5 * NS_PER_MINUTE;

void claims_init(struct claims *claims, struct route_table *table)
{
    *claims = (struct claims){.table = table};
}

void claims_done(struct claims *claims)
{
    free(claims->list);
    *claims = (struct claims){0};
}

static struct claim *find_claim(struct claims *claims, const struct row_notes *notes,
                                uint32_t origin)
{
    for (uint32_t i = notes->claim; i; i = claims->list[i - 1].next)
        if (claims->list[i - 1].origin == origin)
            return &claims->list[i - 1];
    return NULL;
}

static struct claim *add_claim(struct claims *claims, struct table_row row, struct row_notes *notes,
                               uint32_t origin)
{
    if (claims->count == CLAIMS_MAX) {
        claims->refused++;
        return NULL;
    }
    claims->list =
        mem_grow(claims->list, &claims->capacity, claims->count + 1, sizeof *claims->list);
    struct claim *claim = &claims->list[claims->count++];
    *claim = (struct claim){.row = row, .next = notes->claim, .origin = origin};
    notes->claim = (uint32_t)claims->count;
    return claim;
}

/* How many live full-feed peers have the claim's route, with how many hops in all, and how many have any
 * route. */
static void count_peers(const struct claims *claims, const struct claim *claim, uint16_t *peers,
                        uint32_t *hops, uint16_t *carried)
{
    uint32_t columns = route_table_columns(claims->table, claim->row.family);
    *peers = *carried = 0;
    *hops = 0;
    for (uint32_t i = 0; i < columns; i++) {
        uint32_t cell = route_table_cell(claims->table, claim->row, i);
        if (!cell_has_route(cell) || !route_table_is_full_feed(claims->table, claim->row.family, i))
            continue;
        ++*carried;
        if (route_table_cell_origin(claims->table, claim->row, cell) != claim->origin)
            continue;
        ++*peers;
        *hops += route_table_cell_length(claims->table, claim->row, i, cell);
    }
}

/* Of one that was away for long, another is made. One within another's prefix is no news if somebody else
 * has the same meanwhile. */
static struct claim *renew(struct claims *claims, struct claim *claim, struct row_notes *notes)
{
    struct claim old = *claim; /* the list may move */
    bool is_over = !old.is_open && utc_is_known(old.ended.first_after);
    if (!is_over || utc_diff(claims->now, old.ended.first_after) < AWAY_NS)
        return claim;
    struct claim *fresh = add_claim(claims, old.row, notes, old.origin);
    uint16_t peers, carried;
    uint32_t hops;
    if (!fresh)
        return NULL;
    count_peers(claims, fresh, &peers, &hops, &carried);
    fresh->owner = old.owner;
    if (carried == peers)
        fresh->cover = old.cover;
    fresh->is_related = old.is_related;
    return fresh;
}

static void begin(const struct claims *claims, struct claim *claim)
{
    claim->is_open = true;
    claim->times = (uint16_t)(claim->times + (claim->times < UINT16_MAX));
    if (!utc_is_known(claim->began.first_after))
        claim->began = (struct interval){claims->before, claims->now};
    claim->ended = (struct interval){{0}, {0}};
}

static void update(const struct claims *claims, struct claim *claim)
{
    uint16_t carried;
    uint32_t hops;
    count_peers(claims, claim, &claim->peers, &hops, &carried);
    if (claim->peers && !claim->is_open)
        begin(claims, claim);
    claim->is_unseen &= !claim->peers;
    if (claim->peers > claim->peers_most) {
        claim->peers_most = claim->peers;
        claim->known_then = carried;
        claim->hops = hops;
    }
    if (!utc_is_known(claim->half) &&
        claim->peers * 2U >= route_table_full_feeds(claims->table, claim->row.family))
        claim->half = claims->now;
    if (!claim->peers && claim->is_open && !claim->is_unseen) {
        claim->is_open = false;
        claim->ended = (struct interval){claims->before, claims->now};
    }
}

/* Whether one is the other's provider, as far as this route tells. */
static bool is_related(const struct claims *claims, const struct table_change *change,
                       uint32_t cell, uint32_t other)
{
    return route_table_cell_has(claims->table, cell, other) ||
           route_table_peer(claims->table, change->at.family, change->column)->asn == other;
}

/* A prefix that nobody had told of, within one of another AS. It is looked at when the second peer tells of
 * it: what a single one tells, as in telling its table, is no news. */
static void look_above(struct claims *claims, const struct table_change *change,
                       struct row_notes *notes)
{
    struct table_row cover = route_table_cover(claims->table, change->at);
    uint32_t origin = route_table_cell_origin(claims->table, change->at, change->after);
    uint32_t owner = cover.row ? route_table_origin(claims->table, cover) : 0;
    if (!owner || !origin || owner == origin)
        return;
    struct claim *claim = add_claim(claims, change->at, notes, origin);
    if (!claim)
        return;
    struct utc told = {notes->told * NS_PER_S};
    claim->cover = cover;
    claim->owner = owner;
    claim->began = (struct interval){utc_add(told, -notes->quiet * NS_PER_S), told};
}

static void look_at(struct claims *claims, const struct table_change *change,
                    struct row_notes *notes)
{
    uint32_t origin = route_table_cell_origin(claims->table, change->at, change->after);
    struct claim *claim = find_claim(claims, notes, origin);
    if (!origin)
        return;
    claim = claim ? renew(claims, claim, notes) : add_claim(claims, change->at, notes, origin);
    if (!claim)
        return;
    if (!claim->owner)
        claim->owner = route_table_origin(claims->table, change->at);
    if (cell_has_route(change->before) &&
        route_table_cell_origin(claims->table, change->at, change->before) == claim->owner) {
        claim->from_owner++;
        claim->owner_hops +=
            route_table_cell_length(claims->table, change->at, change->column, change->before);
        claim->is_related |= is_related(claims, change, change->before, origin);
    }
}

/* 0 if the cell has no route. */
static uint32_t origin_of(const struct claims *claims, const struct table_change *change,
                          uint32_t cell)
{
    return cell_has_route(cell) ? route_table_cell_origin(claims->table, change->at, cell) : 0;
}

/* What a peer's change of its route means for the claim of one origin. */
static void follow(struct claims *claims, const struct table_change *change,
                   struct row_notes *notes, uint32_t origin, uint32_t before, uint32_t after)
{
    struct claim *claim = origin ? find_claim(claims, notes, origin) : NULL;
    if (claim && after == origin)
        claim = renew(claims, claim, notes);
    if (!claim)
        return;
    if (after == origin)
        claim->is_related |= is_related(claims, change, change->after, claim->owner);
    if (before != after)
        update(claims, claim);
}

void claims_change(struct claims *claims, const struct table_change *change)
{
    struct row_notes *notes = row_notes(claims->table, change->at);
    bool is_grafted = cell_has_route(change->after) && change->after & CELL_GRAFTED;
    bool is_new = notes->told > 1 && notes->tellers == 1 && change->before == CELL_UNKNOWN &&
                  cell_has_route(change->after);
    if (!is_grafted && !is_new && !notes->claim)
        return;
    if (!route_table_is_full_feed(claims->table, change->at.family, change->column))
        return;
    claims->now = change->time;
    claims->before = change->earlier;
    if (is_new)
        look_above(claims, change, notes);
    if (is_grafted)
        look_at(claims, change, notes);
    uint32_t before = origin_of(claims, change, change->before);
    uint32_t after = origin_of(claims, change, change->after);
    if (before != after)
        follow(claims, change, notes, before, before, after);
    follow(claims, change, notes, after, before, after);
}

static void lose_sight(struct claim *claim, struct utc last)
{
    if (!claim->is_unseen)
        claim->unseen_since = last;
    claim->is_unseen = true;
}

/* Peers that are away told nothing of its end. */
void claims_gap(struct claims *claims, struct utc last)
{
    for (size_t i = 0; i < claims->count; i++) {
        struct claim *claim = &claims->list[i];
        uint16_t peers, carried;
        uint32_t hops;
        if (!claim->is_open)
            continue;
        count_peers(claims, claim, &peers, &hops, &carried);
        if (!peers)
            lose_sight(claim, last);
    }
}
