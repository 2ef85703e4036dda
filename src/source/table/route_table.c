#include "source/table/table_inside.h"

#include "base/hash.h"

#include <string.h>

/* How often, in the time of the elements, it is judged anew who is live. */
static const int64_t JUDGE_NS = 30 * NS_PER_S;
enum { CROWD_MIN = 1 << 17 }; /* chunks and ways for which nothing is forgotten yet */

struct route_table *route_table_new(const struct route_table_options *options)
{
    struct route_table *table = mem_new(1, sizeof *table);
    table->options = *options;
    for (size_t i = 0; i < 2; i++)
        prefix_rows_init(&table->families[i].rows, i ? 6 : 4, options->extra_words);
    lookup_reset(&table->peer_lookup, 0);
    path_store_init(&table->paths);
    chunk_store_init(&table->chunks);
    table->last.head_size = SIZE_MAX;
    table->chunks_most = table->ways_most = CROWD_MIN;
    return table;
}

void route_table_free(struct route_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < 2; i++) {
        prefix_rows_done(&table->families[i].rows);
        free(table->families[i].columns);
        free(table->families[i].full);
        free(table->families[i].complete);
    }
    free(table->peers);
    lookup_done(&table->peer_lookup);
    path_store_done(&table->paths);
    chunk_store_done(&table->chunks);
    path_memory_done(&table->add_paths);
    free(table);
}

/* ---- paths ---- */

static bool is_last_path(const struct last_path *last, const struct bgp_path *path, uint32_t asn)
{
    size_t head = reader_left(&path->head), tail = reader_left(&path->tail);
    return last->head_size == head && last->tail_size == tail && last->asn == asn &&
           last->is_as4 == path->is_as4 && last->head_hops == path->head_hops &&
           memcmp(last->bytes, path->head.at, head) == 0 &&
           (tail == 0 || memcmp(last->bytes + head, path->tail.at, tail) == 0);
}

static void keep_path(struct last_path *last, const struct bgp_path *path, uint32_t asn,
                      struct path_way way)
{
    size_t head = reader_left(&path->head), tail = reader_left(&path->tail);
    last->head_size = SIZE_MAX;
    if (head + tail > sizeof last->bytes)
        return;
    if (head)
        memcpy(last->bytes, path->head.at, head);
    if (tail)
        memcpy(last->bytes + head, path->tail.at, tail);
    last->head_size = head;
    last->tail_size = tail;
    last->head_hops = path->head_hops;
    last->is_as4 = path->is_as4;
    last->asn = asn;
    last->way = way;
}

static struct path_way way_of(struct route_table *table, const struct bgp_path *path, uint32_t asn)
{
    if (reader_left(&path->head) && is_last_path(&table->last, path, asn))
        return table->last.way;
    struct path_way way = path_store_add(&table->paths, path, asn);
    if (way.number)
        keep_path(&table->last, path, asn, way);
    return way;
}

/* ---- putting in ---- */

/* What the cell will hold: the way, with its origin within if it is not the row's. */
static uint32_t cell_of(struct route_table *table, struct row_head *head, struct path_way way)
{
    if (way.origin == 0)
        return way.number | CELL_GRAFTED;
    if (head->origin == 0)
        head->origin = way.origin;
    if (head->origin == way.origin)
        return way.number;
    uint32_t grafted = path_store_graft(&table->paths, way.number, way.origin);
    return grafted ? grafted | CELL_GRAFTED : 0;
}

/* A peer with ADD-PATH has withdrawn a prefix only when its last route to it is gone (RFC 7911, 3). */
static uint32_t settle_add_path(struct route_table *table, const struct pending *change,
                                uint8_t family, uint32_t cell)
{
    uint32_t peer = table->families[family_index(family)].columns[change->column].peer;
    uint32_t prefix = change->row << 1 | (uint32_t)family_index(family);
    table->peers[peer - 1].has_path_ids = true;
    if (change->kind != ELEMENT_WITHDRAW)
        path_memory_announce(&table->add_paths, peer, prefix, change->path_id, cell);
    else if (path_memory_withdraw(&table->add_paths, peer, prefix, change->path_id, &cell) ==
             PATHS_UNKNOWN)
        return CELL_UNKNOWN; /* it is refused */
    return cell;
}

static void count_cell(struct column *column, struct row_head *head, uint32_t cell, int by)
{
    if (cell == CELL_WITHDRAWN) {
        column->withdrawn += (uint32_t)by;
        head->withdrawn = (uint16_t)(head->withdrawn + by);
    } else if (cell != CELL_UNKNOWN) {
        column->present += (uint32_t)by;
    }
}

/* What a change makes of a cell; counts it. */
static uint32_t changed_cell(struct route_table *table, struct table_family *family,
                             const struct pending *change, uint32_t before)
{
    struct row_head *head = row_head(&family->rows, change->row);
    struct column *column = &family->columns[change->column];
    uint32_t after = CELL_WITHDRAWN;
    if (change->kind != ELEMENT_WITHDRAW)
        after = cell_of(table, head, change->way);
    if (change->has_path_id && after)
        after = settle_add_path(table, change, family->rows.family, after);
    table->counts.changes++;
    table->counts.same += after == before;
    table->counts.refused += !after;
    if (!after || after == before)
        return before;
    count_cell(column, head, before, -1);
    count_cell(column, head, after, 1);
    return after;
}

static void tell(struct route_table *table, const struct pending *change, uint8_t family,
                 uint32_t before, uint32_t after)
{
    struct table_change told = {.time = change->time,
                                .earlier = change->before,
                                .at = {change->row, family},
                                .column = change->column,
                                .before = before,
                                .after = after,
                                .is_dumped = change->kind == ELEMENT_TABLE};
    if (before != after && table->options.changed)
        table->options.changed(table->options.context, &told);
}

/* How many changes, from the first on, are of one row and can go in together: a dump tells of all peers'
 * routes to a prefix in one go, and each state in between would be one more chunk. */
static size_t run_of(const struct pending *changes, size_t count)
{
    size_t n = 1;
    while (n < count && changes[0].kind == ELEMENT_TABLE && changes[n].kind == ELEMENT_TABLE &&
           changes[n].row == changes[0].row &&
           changes[n].prefix.addr.family == changes[0].prefix.addr.family)
        n++;
    return n;
}

static bool has_room(struct route_table *table, size_t count)
{
    bool has_room = chunk_store_has_room(&table->chunks);
    table->counts.refused += has_room ? 0 : count;
    return has_room;
}

static void apply(struct route_table *table, const struct pending *change)
{
    struct table_family *family = &table->families[family_index(change->prefix.addr.family)];
    uint32_t *chunk = &row_chunks(&family->rows, change->row)[change->column / CHUNK_CELLS];
    struct chunk cells = table->chunks.chunks[*chunk];
    size_t place = change->column % CHUNK_CELLS;
    uint32_t before = cells.cells[place];
    if (!has_room(table, 1))
        return;
    uint32_t after = changed_cell(table, family, change, before);
    if (after == before)
        return;
    uint64_t hash = chunk_hash_changed(chunk_hash(cells.cells), place, before, after);
    cells.cells[place] = after;
    *chunk = chunk_store_intern(&table->chunks, cells.cells, hash);
    tell(table, change, family->rows.family, before, after);
}

/* Those of a run that go into the same chunk as its first, which is done with them. */
static void apply_chunk(struct route_table *table, struct pending *run, size_t count)
{
    struct table_family *family = &table->families[family_index(run->prefix.addr.family)];
    uint32_t *chunk = &row_chunks(&family->rows, run->row)[run->column / CHUNK_CELLS];
    uint32_t group = run->column / CHUNK_CELLS;
    struct chunk before = table->chunks.chunks[*chunk], after = before;
    if (!has_room(table, 1))
        return;
    for (size_t i = 0; i < count; i++)
        if (run[i].row && run[i].column / CHUNK_CELLS == group) {
            uint32_t *cell = &after.cells[run[i].column % CHUNK_CELLS];
            *cell = changed_cell(table, family, &run[i], *cell);
        }
    *chunk = chunk_store_intern(&table->chunks, after.cells, chunk_hash(after.cells));
    for (size_t i = 0; i < count; i++)
        if (run[i].row && run[i].column / CHUNK_CELLS == group) {
            uint32_t cell = run[i].column % CHUNK_CELLS;
            tell(table, &run[i], family->rows.family, before.cells[cell], after.cells[cell]);
            run[i].row = 0;
        }
}

static void apply_run(struct route_table *table, struct pending *run, size_t count)
{
    if (count == 1 && run->row)
        apply(table, run);
    for (size_t i = 0; i < count && count > 1; i++)
        if (run[i].row) /* else it went in with one before it, or there is no room */
            apply_chunk(table, &run[i], count - i);
}

static void find_row(struct route_table *table, struct pending *change)
{
    struct prefix_rows *rows = &table->families[family_index(change->prefix.addr.family)].rows;
    change->row = prefix_rows_find(rows, &change->prefix, change->hash);
    if (!change->row)
        change->row = prefix_rows_add(rows, &change->prefix, change->hash);
    if (!change->row)
        table->counts.refused++;
    else
        __builtin_prefetch(
            &table->chunks.chunks[row_chunks(rows, change->row)[change->column / CHUNK_CELLS]]);
}

static void bring_row_near(const struct route_table *table, const struct pending *change)
{
    const struct prefix_rows *rows =
        &table->families[family_index(change->prefix.addr.family)].rows;
    uint32_t row = lookup_guess(&rows->lookup, change->hash);
    __builtin_prefetch(row_head(rows, row), 1);
    __builtin_prefetch(&row_chunks(rows, row)[change->column / CHUNK_CELLS], 1);
}

/* The chunk that the row will most likely have. */
static void bring_chunk_near(const struct route_table *table, struct pending *change)
{
    const struct prefix_rows *rows =
        &table->families[family_index(change->prefix.addr.family)].rows;
    uint32_t chunk = row_chunks(rows, change->row)[change->column / CHUNK_CELLS];
    const uint32_t *cells = chunk_cells(&table->chunks, chunk);
    size_t cell = change->column % CHUNK_CELLS;
    uint32_t after = change->kind == ELEMENT_WITHDRAW ? CELL_WITHDRAWN : change->way.number;
    change->hash = cells[cell] == after
                       ? 0
                       : hash_mix(chunk_hash_changed(chunk_hash(cells), cell, cells[cell], after));
    lookup_prefetch(&table->chunks.lookup, change->hash);
}

void route_table_flush(struct route_table *table)
{
    struct pending *pending = table->pending;
    size_t count = table->pending_count;
    for (size_t i = 0; i < count; i++)
        bring_row_near(table, &pending[i]);
    for (size_t i = 0; i < count; i++)
        find_row(table, &pending[i]);
    for (size_t i = 0; i < count; i++)
        bring_chunk_near(table, &pending[i]);
    for (size_t i = 0; i < count; i++)
        if (pending[i].hash)
            __builtin_prefetch(
                chunk_cells(&table->chunks, lookup_guess(&table->chunks.lookup, pending[i].hash)));
    for (size_t i = 0, n; i < count; i += n) {
        n = run_of(&pending[i], count - i);
        apply_run(table, &pending[i], n);
    }
    table->pending_count = 0;
    if (table_is_crowded(table))
        route_table_collect(table);
}

/* ---- elements ---- */

static void take_route(struct route_table *table, uint32_t peer, const struct element *element)
{
    struct path_way way = {0};
    uint8_t family = element->prefix.addr.family;
    bool has_path = element->kind != ELEMENT_WITHDRAW;
    if (has_path && !element->attributes)
        return;
    /* The column first: where one has to be made room for, ways that nobody has are forgotten. */
    uint32_t column = table_peer_column(table, peer, family);
    if (has_path && column != NO_COLUMN)
        way = way_of(table, &element->attributes->path, element->peer->asn);
    if (column == NO_COLUMN || (has_path && !way.number)) {
        table->counts.refused++;
        return;
    }
    if (element->kind == ELEMENT_TABLE) {
        struct column *dumped = &table->families[family_index(family)].columns[column];
        dumped->is_dumping = true;
        dumped->dumped = element->time;
    }
    struct pending *change = &table->pending[table->pending_count++];
    *change = (struct pending){.prefix = element->prefix,
                               .kind = (uint8_t)element->kind,
                               .has_path_id = element->has_path_id,
                               .path_id = element->path_id,
                               .column = column,
                               .way = way,
                               .hash = prefix_rows_hash(&element->prefix),
                               .time = table->now,
                               .before = table->before};
    lookup_prefetch(&table->families[family_index(family)].rows.lookup, change->hash);
    if (table->pending_count == PENDING_MAX)
        route_table_flush(table);
}

/* RFC 4271, 4.5: after a NOTIFICATION the session is closed at once. Not so if it is about another
 * connection of the same peer that was never established: an error in OPEN (2), or Cease (6)
 * because the connection was rejected (5) or collided with the session (7; RFC 4486). */
static bool ends_session(const struct element *element)
{
    struct reader body = element->body;
    uint8_t code = reader_u8(&body);
    uint8_t subcode = reader_u8(&body);
    bool is_other = code == 2 || (code == 6 && (subcode == 5 || subcode == 7));
    return element->message == BGP_NOTIFICATION && !body.bad && !is_other;
}

/* What an established session had told is void when it is left, and when a new one begins. */
static bool is_change_of_session(const struct mrt_state_change *state)
{
    return (state->before == MRT_ESTABLISHED) != (state->after == MRT_ESTABLISHED);
}

static void take_element(struct route_table *table, uint32_t peer, const struct element *element)
{
    switch (element->kind) {
    case ELEMENT_ANNOUNCE:
    case ELEMENT_WITHDRAW:
    case ELEMENT_TABLE:
        take_route(table, peer, element);
        break;
    case ELEMENT_STATE:
        if (is_change_of_session(&element->state))
            table_peer_leave(table, peer);
        break;
    case ELEMENT_MESSAGE:
        if (ends_session(element))
            table_peer_leave(table, peer);
        break;
    case ELEMENT_END_OF_RIB:
        table_peer_complete(table, peer, element->prefix.addr.family);
        break;
    case ELEMENT_KINDS:
        break;
    }
}

void route_table_feed(struct route_table *table, uint32_t collector, const struct element *element)
{
    bool is_other = element->safi != 0 && !(element->safi & BGP_UNICAST);
    if (element->is_from_collector || is_other)
        return;
    if (element->time.ns > table->now.ns) {
        table->before = table->now;
        table->now = element->time;
    }
    if (table->now.ns >= table->judge_at.ns) {
        route_table_flush(table);
        route_table_judge(table, table->now);
        table->judge_at = utc_add(table->now, JUDGE_NS);
    }
    uint32_t peer = table_peer_number(table, collector, element->peer);
    if (peer)
        take_element(table, peer, element);
    else
        table->counts.refused++;
}
