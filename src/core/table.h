/* Rows of plain structs in one growing array, and an index of 64-bit keys to row numbers. Rows
 * refer to one another by number, never by pointer: so a checkpoint is the arrays as they are. Row
 * numbers are in order of creation; nothing ever iterates over an index. */
#ifndef CORE_TABLE_H
#define CORE_TABLE_H

#include "base/buffer.h"
#include "base/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table {
    void *rows;
    size_t count;
    size_t capacity;
    size_t size; /* of one row */
};

static inline void *table_at(const struct table *table, size_t row)
{
    return (char *)table->rows + row * table->size;
}

void table_init(struct table *table, size_t size);
void table_done(struct table *table);
void *table_add(struct table *table); /* a zeroed row; pointers to other rows become invalid */

void table_save(const struct table *table, struct buffer *out);
bool table_load(struct table *table, struct reader *in); /* false if the row size does not fit */

struct index_slot {
    uint64_t key;
    uint32_t row; /* number + 1; 0: free */
    uint32_t spare;
};

struct index {
    struct table slots; /* a power of two, or none */
    uint64_t used;
};

void index_init(struct index *index);
void index_done(struct index *index);
/* The row of a key, plus one; 0 if there is none. */
uint32_t index_find(const struct index *index, uint64_t key);
void index_put(struct index *index, uint64_t key, uint32_t row);
void index_save(const struct index *index, struct buffer *out);
bool index_load(struct index *index, struct reader *in);

static inline uint64_t key_of(uint32_t a, uint32_t b)
{
    return (uint64_t)a << 32 | b;
}

#endif
