#include "source/table/table_inside.h"

#include <string.h>

struct table_row route_table_find(const struct route_table *table, const struct prefix *prefix)
{
    const struct prefix_rows *rows = &family_of(table, prefix->addr.family)->rows;
    return (struct table_row){prefix_rows_find(rows, prefix, prefix_rows_hash(prefix)),
                              prefix->addr.family};
}

bool route_table_has(const struct route_table *table, struct table_row row)
{
    return !row_is_free(&family_of(table, row.family)->rows, row.row);
}

struct prefix route_table_prefix(const struct route_table *table, struct table_row row)
{
    return prefix_rows_prefix(&family_of(table, row.family)->rows, row.row);
}

void *route_table_extra(const struct route_table *table, struct table_row row)
{
    return row_extra(&family_of(table, row.family)->rows, row.row);
}

uint32_t route_table_origin(const struct route_table *table, struct table_row row)
{
    return row_head(&family_of(table, row.family)->rows, row.row)->origin;
}

unsigned route_table_withdrawn(const struct route_table *table, struct table_row row)
{
    return row_head(&family_of(table, row.family)->rows, row.row)->withdrawn;
}

struct table_row route_table_next(const struct route_table *table, struct table_row row)
{
    const struct prefix_rows *rows = &family_of(table, row.family)->rows;
    for (row.row++; row.row < rows->count; row.row++)
        if (!row_is_free(rows, row.row))
            return row;
    return (struct table_row){0, row.family};
}

/* How many bits of eight are set. */
static uint16_t bits_of(unsigned mask)
{
    mask = (mask & 0x55) + (mask >> 1 & 0x55);
    mask = (mask & 0x33) + (mask >> 2 & 0x33);
    return (uint16_t)((mask & 0x0f) + (mask >> 4));
}

struct sight route_table_sight(const struct route_table *table, struct table_row row)
{
    const struct table_family *family = family_of(table, row.family);
    const uint32_t *chunks = row_chunks(&family->rows, row.row);
    struct sight sight = {0};
    for (uint32_t group = 0; group < family->rows.groups; group++) {
        const uint32_t *cells = chunk_cells(&table->chunks, chunks[group]);
        unsigned full = family->full[group], complete = family->complete[group];
        unsigned routes = 0, withdrawn = 0;
        for (unsigned i = 0; i < CHUNK_CELLS; i++) {
            routes |= (unsigned)cell_has_route(cells[i]) << i;
            withdrawn |= (unsigned)(cells[i] == CELL_WITHDRAWN) << i;
        }
        sight.carried = (uint16_t)(sight.carried + bits_of(full & routes));
        sight.withdrawn = (uint16_t)(sight.withdrawn + bits_of(full & withdrawn));
        unsigned silent = full & ~routes & ~withdrawn;
        sight.unknown = (uint16_t)(sight.unknown + bits_of(silent & ~complete));
        sight.absent = (uint16_t)(sight.absent + bits_of(silent & complete));
    }
    return sight;
}

static uint16_t *part_of(struct sight *sight, uint32_t cell, bool is_complete)
{
    if (cell_has_route(cell))
        return &sight->carried;
    if (cell == CELL_WITHDRAWN)
        return &sight->withdrawn;
    return is_complete ? &sight->absent : &sight->unknown;
}

void sight_change(struct sight *sight, uint32_t before, uint32_t after, bool is_complete)
{
    --*part_of(sight, before, is_complete);
    ++*part_of(sight, after, is_complete);
}

uint64_t route_table_epoch(const struct route_table *table)
{
    return table->epoch;
}

struct table_row route_table_cover(const struct route_table *table, struct table_row row)
{
    struct prefix prefix = route_table_prefix(table, row);
    for (unsigned bits = prefix.bits; bits-- > 0;) {
        struct prefix less = prefix_of(&prefix.addr, bits);
        struct table_row found = route_table_find(table, &less);
        if (found.row && route_table_sight(table, found).carried)
            return found;
    }
    return (struct table_row){0, row.family};
}

uint32_t route_table_columns(const struct route_table *table, uint8_t family)
{
    return family_of(table, family)->column_count;
}

uint32_t route_table_cell(const struct route_table *table, struct table_row row, uint32_t column)
{
    const struct prefix_rows *rows = &family_of(table, row.family)->rows;
    uint32_t chunk = row_chunks(rows, row.row)[column / CHUNK_CELLS];
    return chunk_cells(&table->chunks, chunk)[column % CHUNK_CELLS];
}

uint32_t route_table_cell_origin(const struct route_table *table, struct table_row row,
                                 uint32_t cell)
{
    return cell & CELL_GRAFTED ? path_store_origin(&table->paths, cell & ~CELL_GRAFTED)
                               : route_table_origin(table, row);
}

static uint32_t peer_asn(const struct route_table *table, uint8_t family, uint32_t column)
{
    return route_table_peer(table, family, column)->asn;
}

uint32_t route_table_cell_upstream(const struct route_table *table, struct table_row row,
                                   uint32_t column, uint32_t cell)
{
    return path_store_upstream(&table->paths, cell & ~CELL_GRAFTED,
                               peer_asn(table, row.family, column),
                               route_table_cell_origin(table, row, cell));
}

unsigned route_table_cell_length(const struct route_table *table, struct table_row row,
                                 uint32_t column, uint32_t cell)
{
    return path_store_length(&table->paths, cell & ~CELL_GRAFTED,
                             peer_asn(table, row.family, column),
                             route_table_cell_origin(table, row, cell));
}

bool route_table_cell_has(const struct route_table *table, uint32_t cell, uint32_t asn)
{
    return path_store_has(&table->paths, cell & ~CELL_GRAFTED, asn);
}

void route_table_cell_path(const struct route_table *table, struct table_row row, uint32_t column,
                           uint32_t cell, struct buffer *out)
{
    path_store_format(&table->paths, cell & ~CELL_GRAFTED, peer_asn(table, row.family, column),
                      route_table_cell_origin(table, row, cell), out);
}

/* ---- the view of one prefix ---- */

/* ASes and how many have each, while they are counted. More different ones than peers there are not. */
struct tally {
    struct table_share shares[TABLE_PEERS_MAX];
    size_t count;
};

static void tally_add(struct tally *tally, uint32_t asn)
{
    for (size_t i = 0; i < tally->count; i++) {
        if (tally->shares[i].asn == asn) {
            tally->shares[i].peers++;
            return;
        }
    }
    if (tally->count < TABLE_PEERS_MAX)
        tally->shares[tally->count++] = (struct table_share){asn, 1};
}

static int compare_shares(const void *a, const void *b)
{
    const struct table_share *x = a, *y = b;
    if (x->peers != y->peers)
        return x->peers < y->peers ? 1 : -1;
    return (x->asn > y->asn) - (x->asn < y->asn);
}

static size_t tally_take(struct tally *tally, struct table_share *out, size_t most)
{
    size_t count = tally->count < most ? tally->count : most;
    qsort(tally->shares, tally->count, sizeof *tally->shares, compare_shares);
    memcpy(out, tally->shares, count * sizeof *out);
    return count;
}

struct viewing {
    struct tally origins, upstreams;
    struct table_view *out;
    unsigned hops, routes;
};

static void view_cell(const struct route_table *table, struct table_row row, uint32_t column,
                      struct viewing *viewing)
{
    uint32_t cell = route_table_cell(table, row, column);
    struct table_view *out = viewing->out;
    if (!cell_has_route(cell) || !route_table_is_full_feed(table, row.family, column))
        return;
    uint32_t origin = route_table_cell_origin(table, row, cell);
    uint32_t upstream = route_table_cell_upstream(table, row, column, cell);
    unsigned length = route_table_cell_length(table, row, column, cell);
    if (origin)
        tally_add(&viewing->origins, origin);
    if (upstream)
        tally_add(&viewing->upstreams, upstream);
    out->shortest = viewing->routes == 0 || length < out->shortest ? length : out->shortest;
    out->longest = length > out->longest ? length : out->longest;
    viewing->hops += length;
    viewing->routes++;
}

void route_table_view(const struct route_table *table, struct table_row row, struct table_view *out)
{
    struct viewing viewing; /* much of it will not be needed: it is not cleared */
    viewing.out = out;
    viewing.origins.count = viewing.upstreams.count = 0;
    viewing.hops = viewing.routes = 0;
    *out = (struct table_view){.sight = route_table_sight(table, row)};
    for (uint32_t i = 0; i < family_of(table, row.family)->column_count; i++)
        view_cell(table, row, i, &viewing);
    out->origin_count = tally_take(&viewing.origins, out->origins, TABLE_ORIGINS);
    out->upstream_count = tally_take(&viewing.upstreams, out->upstreams, TABLE_UPSTREAMS);
    out->mean_length = viewing.routes ? (double)viewing.hops / viewing.routes : 0;
}
