/* The rows of the routing table of one family: found by prefix, each with the numbers of its chunks.
 * A row is a run of 32-bit words, so that what belongs together lies together:
 *
 *     head (2) | prefix (1 for IPv4, 4 for IPv6) | extra words of the table's user | chunk of each group
 *
 * With 64 peers that are 44 bytes for IPv4. The number of groups can grow; rows keep their numbers until
 * they are removed. Row 0 is none. */
#ifndef SOURCE_TABLE_PREFIX_ROWS_H
#define SOURCE_TABLE_PREFIX_ROWS_H

#include "base/addr.h"
#include "source/table/lookup.h"

struct row_head {
    uint32_t origin; /* that of most ways, which do not have it within; 0: none yet */
    uint16_t
        withdrawn; /* cells of the row that are so; some of lost sessions may still be counted */
    uint8_t bits;  /* of the prefix; ROW_FREE: the row is free, the next is in `origin` */
    uint8_t flags; /* the table's user's */
};

enum { ROW_FREE = 255, ROWS_MAX = 1 << 24 };

struct prefix_rows {
    uint32_t *words;
    size_t capacity;                     /* in words */
    uint32_t stride, key, extra, groups; /* words of a row and of its parts */
    uint32_t count;                      /* rows that are or were in use */
    uint32_t live;
    uint32_t free;
    uint8_t family;
    struct lookup lookup;
};

void prefix_rows_init(struct prefix_rows *rows, uint8_t family, uint32_t extra_words);
void prefix_rows_done(struct prefix_rows *rows);

uint64_t prefix_rows_hash(const struct prefix *prefix);
/* 0 if it is not there. */
uint32_t prefix_rows_find(const struct prefix_rows *rows, const struct prefix *prefix,
                          uint64_t hash);
/* One that is not there yet, with nothing in it. 0 if there are ROWS_MAX. */
uint32_t prefix_rows_add(struct prefix_rows *rows, const struct prefix *prefix, uint64_t hash);
/* Frees it; prefix_rows_rebuild() must follow before the next search. */
void prefix_rows_remove(struct prefix_rows *rows, uint32_t row);
void prefix_rows_rebuild(struct prefix_rows *rows);
/* More room for chunks, with 0 in it. */
void prefix_rows_add_groups(struct prefix_rows *rows, uint32_t groups);

struct prefix prefix_rows_prefix(const struct prefix_rows *rows, uint32_t row);
size_t prefix_rows_memory(const struct prefix_rows *rows); /* bytes */

static inline uint32_t *row_words(const struct prefix_rows *rows, uint32_t row)
{
    return rows->words + (size_t)row * rows->stride;
}

static inline struct row_head *row_head(const struct prefix_rows *rows, uint32_t row)
{
    return (struct row_head *)row_words(rows, row);
}

static inline bool row_is_free(const struct prefix_rows *rows, uint32_t row)
{
    return row_head(rows, row)->bits == ROW_FREE;
}

static inline void *row_extra(const struct prefix_rows *rows, uint32_t row)
{
    return row_words(rows, row) + 2 + rows->key;
}

static inline uint32_t *row_chunks(const struct prefix_rows *rows, uint32_t row)
{
    return row_words(rows, row) + 2 + rows->key + rows->extra;
}

#endif
