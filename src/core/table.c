#include "core/table.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void table_init(struct table *table, size_t size)
{
    *table = (struct table){.size = size};
}

void table_done(struct table *table)
{
    free(table->rows);
    table->rows = NULL;
    table->count = table->capacity = 0;
}

void *table_add(struct table *table)
{
    table->rows = mem_grow(table->rows, &table->capacity, table->count + 1, table->size);
    return memset(table_at(table, table->count++), 0, table->size);
}

void table_save(const struct table *table, struct buffer *out)
{
    buffer_varint(out, table->size);
    buffer_varint(out, table->count);
    if (table->count)
        buffer_add(out, table->rows, table->count * table->size);
}

bool table_load(struct table *table, struct reader *in)
{
    uint64_t size = reader_varint(in);
    uint64_t count = reader_varint(in);
    if (in->bad || size != table->size || count > reader_left(in) / size)
        return false;
    const uint8_t *rows = reader_bytes(in, (size_t)(count * size));
    if (!rows)
        return false;
    if (count) {
        table->rows = mem_grow(table->rows, &table->capacity, (size_t)count, table->size);
        memcpy(table->rows, rows, (size_t)(count * size));
    }
    table->count = (size_t)count;
    return true;
}

void index_init(struct index *index)
{
    table_init(&index->slots, sizeof(struct index_slot));
    index->used = 0;
}

void index_done(struct index *index)
{
    table_done(&index->slots);
}

static struct index_slot *slot_of(const struct index *index, uint64_t key)
{
    size_t mask = index->slots.count - 1;
    for (size_t i = (size_t)hash_mix(key);; i++) {
        struct index_slot *slot = table_at(&index->slots, i & mask);
        if (!slot->row || slot->key == key)
            return slot;
    }
}

uint32_t index_find(const struct index *index, uint64_t key)
{
    return index->slots.count ? slot_of(index, key)->row : 0;
}

static void grow(struct index *index)
{
    struct table old = index->slots;
    size_t wanted = old.count ? old.count * 2 : 64;
    table_init(&index->slots, sizeof(struct index_slot));
    index->slots.rows = mem_new(wanted, sizeof(struct index_slot));
    index->slots.count = index->slots.capacity = wanted;
    for (size_t i = 0; i < old.count; i++) {
        const struct index_slot *slot = table_at(&old, i);
        if (slot->row)
            *slot_of(index, slot->key) = *slot;
    }
    table_done(&old);
}

void index_put(struct index *index, uint64_t key, uint32_t row)
{
    if ((index->used + 1) * 2 > index->slots.count)
        grow(index);
    struct index_slot *slot = slot_of(index, key);
    index->used += slot->row == 0;
    *slot = (struct index_slot){.key = key, .row = row + 1};
}

void index_save(const struct index *index, struct buffer *out)
{
    buffer_varint(out, index->used);
    table_save(&index->slots, out);
}

bool index_load(struct index *index, struct reader *in)
{
    index->used = reader_varint(in);
    if (!table_load(&index->slots, in))
        return false;
    size_t n = index->slots.count;
    return (n & (n - 1)) == 0 && index->used * 2 <= n;
}
