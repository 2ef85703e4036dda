/* What nobody uses any more: columns of lost sessions, chunks that no row has, ways that no cell has, and,
 * if asked, rows that no peer has a route for. All is gone through at once, now and then: it costs some
 * ten milliseconds, and nothing has to be counted while changes go in. */
#include "source/table/table_inside.h"

#include <assert.h>
#include <string.h>

enum { CROWD_MIN = 1 << 17 };

bool table_is_crowded(const struct route_table *table)
{
    return table->chunks.live > table->chunks_most || table->paths.live > table->ways_most;
}

/* ---- columns of lost sessions ---- */

static uint8_t retired_cells(const struct table_family *family, uint32_t group)
{
    uint8_t mask = 0;
    for (uint32_t i = 0; i < CHUNK_CELLS; i++)
        if (family->columns[group * CHUNK_CELLS + i].is_retired)
            mask |= (uint8_t)(1U << i);
    return mask;
}

/* A chunk without the cells of a mask; without any if there is no room for another. */
static uint32_t emptied(struct route_table *table, uint32_t number, uint8_t mask)
{
    if (!chunk_store_has_room(&table->chunks)) {
        table->counts.refused++;
        return 0;
    }
    uint32_t cells[CHUNK_CELLS];
    memcpy(cells, chunk_cells(&table->chunks, number), sizeof cells);
    for (uint32_t i = 0; i < CHUNK_CELLS; i++)
        if (mask >> i & 1)
            cells[i] = CELL_UNKNOWN;
    return chunk_store_intern(&table->chunks, cells, chunk_hash(cells));
}

static unsigned withdrawn_in(const struct route_table *table, uint32_t number, uint8_t mask)
{
    const uint32_t *cells = chunk_cells(&table->chunks, number);
    unsigned count = 0;
    for (uint32_t i = 0; i < CHUNK_CELLS; i++)
        count += (mask >> i & 1) && cells[i] == CELL_WITHDRAWN;
    return count;
}

/* What each chunk becomes is worked out once: most rows have one that another has, too. */
static void empty_group(struct route_table *table, struct table_family *family, uint32_t group,
                        uint8_t mask)
{
    uint32_t known = table->chunks.count; /* new ones have nothing in those cells */
    uint32_t *becomes = mem_new(known, sizeof *becomes);
    memset(becomes, 0xff, known * sizeof *becomes);
    for (uint32_t row = 1; row < family->rows.count; row++) {
        uint32_t *chunk = &row_chunks(&family->rows, row)[group];
        if (row_is_free(&family->rows, row) || *chunk == 0 || *chunk >= known)
            continue;
        if (becomes[*chunk] == UINT32_MAX)
            becomes[*chunk] = emptied(table, *chunk, mask);
        struct row_head *head = row_head(&family->rows, row);
        head->withdrawn = (uint16_t)(head->withdrawn - withdrawn_in(table, *chunk, mask));
        *chunk = becomes[*chunk];
    }
    free(becomes);
}

static void empty_columns(struct route_table *table, struct table_family *family)
{
    for (uint32_t group = 0; family->retired && group < family->column_count / CHUNK_CELLS;
         group++) {
        uint8_t mask = retired_cells(family, group);
        if (mask)
            empty_group(table, family, group, mask);
    }
    for (uint32_t i = 0; i < family->column_count; i++)
        if (family->columns[i].is_retired)
            family->columns[i] = (struct column){0};
    family->retired = 0;
}

/* ---- chunks and ways ---- */

static void mark_way(struct route_table *table, uint32_t cell)
{
    if (cell_has_route(cell))
        path_store_mark(&table->paths, cell & ~CELL_GRAFTED);
}

static void mark_chunks(struct route_table *table, const struct prefix_rows *rows)
{
    for (uint32_t row = 1; row < rows->count; row++) {
        if (row_is_free(rows, row))
            continue;
        const uint32_t *chunks = row_chunks(rows, row);
        for (uint32_t i = 0; i < rows->groups; i++)
            chunk_store_mark(&table->chunks, chunks[i]);
    }
}

static void mark_ways(struct route_table *table)
{
    for (uint32_t i = 1; i < table->chunks.count; i++)
        for (uint32_t k = 0; k < CHUNK_CELLS && chunk_is_marked(&table->chunks, i); k++)
            mark_way(table, chunk_cells(&table->chunks, i)[k]);
    for (size_t i = 0; i < table->pending_count; i++)
        mark_way(table, table->pending[i].way.number);
    for (uint32_t at = 0, cell; path_memory_next(&table->add_paths, &at, &cell);)
        mark_way(table, cell);
}

/* Half as many again as are in use, so that what has been put in pays for going through all. */
static uint32_t crowd_of(uint32_t live)
{
    return live + (live / 2 > CROWD_MIN ? live / 2 : CROWD_MIN);
}

void route_table_collect(struct route_table *table)
{
    for (size_t i = 0; i < 2; i++) /* which makes new chunks: nothing is marked before that */
        empty_columns(table, &table->families[i]);
    for (size_t i = 0; i < 2; i++)
        mark_chunks(table, &table->families[i].rows);
    mark_ways(table);
    chunk_store_sweep(&table->chunks);
    path_store_sweep(&table->paths);
    table->last.head_size = SIZE_MAX; /* its way may be gone */
    table->chunks_most = crowd_of(table->chunks.live);
    table->ways_most = crowd_of(table->paths.live);
    table->counts.collected++;
}

/* ---- rows ---- */

static bool has_route(const struct route_table *table, const struct prefix_rows *rows, uint32_t row)
{
    const uint32_t *chunks = row_chunks(rows, row);
    for (uint32_t i = 0; i < rows->groups; i++)
        for (uint32_t k = 0; k < CHUNK_CELLS && chunks[i]; k++)
            if (cell_has_route(chunk_cells(&table->chunks, chunks[i])[k]))
                return true;
    return false;
}

/* What was withdrawn of it is not so any more. */
static void uncount(const struct route_table *table, struct table_family *family, uint32_t row)
{
    const uint32_t *chunks = row_chunks(&family->rows, row);
    for (uint32_t i = 0; i < family->column_count; i++)
        family->columns[i].withdrawn -=
            chunk_cells(&table->chunks, chunks[i / CHUNK_CELLS])[i % CHUNK_CELLS] == CELL_WITHDRAWN;
}

void route_table_forget(struct route_table *table, bool (*may)(void *context, struct table_row row),
                        void *context)
{
    route_table_flush(table);
    route_table_collect(table);
    for (size_t i = 0; i < 2; i++) {
        struct table_family *family = &table->families[i];
        struct prefix_rows *rows = &family->rows;
        for (uint32_t row = 1; row < rows->count; row++) {
            if (row_is_free(rows, row) || has_route(table, rows, row) ||
                (may && !may(context, (struct table_row){row, rows->family})))
                continue;
            uncount(table, family, row);
            prefix_rows_remove(rows, row);
        }
        prefix_rows_rebuild(rows);
    }
    route_table_collect(table);
}

struct route_table_counts route_table_counts(const struct route_table *table)
{
    struct route_table_counts counts = table->counts;
    counts.peers = table->peer_count;
    counts.ways = table->paths.live;
    counts.chunks = table->chunks.live;
    counts.memory = sizeof *table + table->peer_count * sizeof *table->peers +
                    path_store_memory(&table->paths) + chunk_store_memory(&table->chunks);
    for (size_t i = 0; i < 2; i++) {
        const struct table_family *family = &table->families[i];
        counts.prefixes[i] = family->rows.live;
        counts.columns[i] = family->column_count;
        counts.memory +=
            prefix_rows_memory(&family->rows) + family->column_count * sizeof *family->columns;
    }
    return counts;
}
