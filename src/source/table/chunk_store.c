#include "source/table/chunk_store.h"

#include "base/hash.h"

#include <assert.h>
#include <string.h>

static const uint32_t nothing[CHUNK_CELLS];

/* The first digits of the square roots of the first eight primes, made odd. */
const uint64_t chunk_factors[CHUNK_CELLS] = {
    UINT64_C(0x6a09e667f3bcc909), UINT64_C(0xbb67ae8584caa73b), UINT64_C(0x3c6ef372fe94f82b),
    UINT64_C(0xa54ff53a5f1d36f1), UINT64_C(0x510e527fade682d1), UINT64_C(0x9b05688c2b3e6c1f),
    UINT64_C(0x1f83d9abfb41bd6b), UINT64_C(0x5be0cd19137e2179)};

void chunk_store_init(struct chunk_store *store)
{
    *store = (struct chunk_store){.count = 1};
    store->chunks = mem_grow(NULL, &store->capacity, 1024, sizeof *store->chunks);
    store->chunks[0] = (struct chunk){{0}};
    lookup_reset(&store->lookup, 0);
}

void chunk_store_done(struct chunk_store *store)
{
    free(store->chunks);
    free(store->marks);
    lookup_done(&store->lookup);
    *store = (struct chunk_store){0};
}

uint64_t chunk_hash(const uint32_t cells[CHUNK_CELLS])
{
    uint64_t sum = 0;
    for (size_t i = 0; i < CHUNK_CELLS; i++)
        sum += cells[i] * chunk_factors[i];
    return sum;
}

static bool is_same(const uint32_t a[CHUNK_CELLS], const uint32_t b[CHUNK_CELLS])
{
    return memcmp(a, b, CHUNK_CELLS * sizeof *a) == 0;
}

/* All that is in use, of which `marks` is told if there are any. */
static void rebuild(struct chunk_store *store)
{
    lookup_reset(&store->lookup, store->live);
    for (uint32_t i = store->free; i; i = store->chunks[i].cells[0])
        store->chunks[i].cells[1] = UINT32_MAX; /* no way has that number: it is free */
    for (uint32_t i = 1; i < store->count; i++)
        if (store->chunks[i].cells[1] != UINT32_MAX)
            lookup_add(&store->lookup, hash_mix(chunk_hash(store->chunks[i].cells)), i);
}

bool chunk_store_has_room(const struct chunk_store *store)
{
    return store->free || store->count <= LOOKUP_MAX;
}

static uint32_t take_number(struct chunk_store *store)
{
    uint32_t number = store->free;
    assert(chunk_store_has_room(store) && !store->marks);
    if (number) {
        store->free = store->chunks[number].cells[0];
        return number;
    }
    store->chunks =
        mem_grow(store->chunks, &store->capacity, store->count + (size_t)1, sizeof *store->chunks);
    return store->count++;
}

uint32_t chunk_store_intern(struct chunk_store *store, const uint32_t cells[CHUNK_CELLS],
                            uint64_t hash)
{
    hash = hash_mix(hash);
    if (is_same(cells, nothing))
        return 0;
    if (lookup_is_full(&store->lookup))
        rebuild(store);
    struct lookup_walk walk = lookup_walk(&store->lookup, hash);
    for (uint32_t n; (n = lookup_next(&store->lookup, &walk));)
        if (is_same(store->chunks[n].cells, cells))
            return n;
    uint32_t number = take_number(store);
    memcpy(store->chunks[number].cells, cells, sizeof store->chunks[number].cells);
    store->live++;
    lookup_put(&store->lookup, &walk, number);
    return number;
}

void chunk_store_mark(struct chunk_store *store, uint32_t number)
{
    if (!store->marks)
        store->marks = mem_new(store->count / 64 + 1, sizeof *store->marks);
    store->marks[number / 64] |= UINT64_C(1) << number % 64;
}

bool chunk_is_marked(const struct chunk_store *store, uint32_t number)
{
    return store->marks && store->marks[number / 64] >> number % 64 & 1;
}

void chunk_store_sweep(struct chunk_store *store)
{
    store->free = 0;
    store->live = 0;
    for (uint32_t i = store->count; --i > 0;) {
        if (chunk_is_marked(store, i)) {
            store->live++;
        } else {
            store->chunks[i].cells[0] = store->free;
            store->free = i;
        }
    }
    rebuild(store);
    free(store->marks);
    store->marks = NULL;
}

size_t chunk_store_memory(const struct chunk_store *store)
{
    return store->count * sizeof *store->chunks + store->lookup.size * sizeof *store->lookup.slots;
}
