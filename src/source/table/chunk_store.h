/* What eight peers have of a prefix, as one number. Most prefixes that are behind the same networks
 * look alike to the same eight peers, so that a table of a million prefixes has about a tenth as many
 * different chunks of eight cells for each eight peers, and a prefix need not hold more than their
 * numbers.
 *
 *     uint32_t cells[CHUNK_CELLS];
 *     memcpy(cells, chunk_cells(store, number), sizeof cells);
 *     cells[3] = way;
 *     number = chunk_store_intern(store, cells);
 *
 * Number 0 has nothing in any cell. Nothing is counted: whoever holds numbers marks all of them now and
 * then, and the rest is forgotten by chunk_store_sweep(); numbers stay what they are. */
#ifndef SOURCE_TABLE_CHUNK_STORE_H
#define SOURCE_TABLE_CHUNK_STORE_H

#include "source/table/lookup.h"

#include <stddef.h>

enum { CHUNK_CELLS = 8 };

struct chunk {
    uint32_t cells[CHUNK_CELLS];
};

struct chunk_store {
    struct chunk *chunks; /* by number */
    size_t capacity;
    uint32_t count; /* of places in `chunks` that are or were in use */
    uint32_t live;  /* of those that are */
    uint32_t free;  /* the first free one, 0 if none; the next is in its first cell */
    struct lookup lookup;
    uint64_t *marks; /* a bit each, from the first mark to the sweep */
};

void chunk_store_init(struct chunk_store *store);
void chunk_store_done(struct chunk_store *store);

/* A sum over the cells, each times a factor of its own: what a change of one cell does to it can be
 * told without the others. */
extern const uint64_t chunk_factors[CHUNK_CELLS];
uint64_t chunk_hash(const uint32_t cells[CHUNK_CELLS]);
static inline uint64_t chunk_hash_changed(uint64_t hash, size_t cell, uint32_t before,
                                          uint32_t after)
{
    return hash + (uint64_t)after * chunk_factors[cell] - (uint64_t)before * chunk_factors[cell];
}
/* Whether one more can be made. */
bool chunk_store_has_room(const struct chunk_store *store);
/* The number of these cells; `hash` is theirs. There must be room. */
uint32_t chunk_store_intern(struct chunk_store *store, const uint32_t cells[CHUNK_CELLS],
                            uint64_t hash);

static inline const uint32_t *chunk_cells(const struct chunk_store *store, uint32_t number)
{
    return store->chunks[number].cells;
}

/* Between the first mark and the sweep none is interned. */
void chunk_store_mark(struct chunk_store *store, uint32_t number);
/* Whether it is marked: it will be there after the sweep. */
bool chunk_is_marked(const struct chunk_store *store, uint32_t number);
void chunk_store_sweep(struct chunk_store *store);
size_t chunk_store_memory(const struct chunk_store *store); /* bytes */

#endif
