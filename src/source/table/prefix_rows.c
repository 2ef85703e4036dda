#include "source/table/prefix_rows.h"

#include "base/hash.h"

#include <assert.h>
#include <string.h>

static const size_t WORD = sizeof(uint32_t);
enum { HEAD_WORDS = sizeof(struct row_head) / sizeof(uint32_t) };

static uint64_t hash_key(const uint32_t key[4], uint8_t family, uint8_t bits)
{
    uint64_t high = (uint64_t)key[0] << 8 | bits;
    if (family == 4)
        return hash_mix(high);
    uint64_t low = (uint64_t)key[1] << 32 | key[2];
    return hash_mix(hash_mix(high) ^ low) ^ hash_mix(key[3] + UINT64_C(1));
}

uint64_t prefix_rows_hash(const struct prefix *prefix)
{
    uint32_t key[4];
    memcpy(key, prefix->addr.bytes, sizeof key);
    return hash_key(key, prefix->addr.family, prefix->bits);
}

void prefix_rows_init(struct prefix_rows *rows, uint8_t family, uint32_t extra_words)
{
    uint32_t key = family == 4 ? 1 : 4;
    *rows = (struct prefix_rows){.family = family,
                                 .key = key,
                                 .extra = extra_words,
                                 .stride = HEAD_WORDS + key + extra_words,
                                 .count = 1};
    rows->words = mem_grow(NULL, &rows->capacity, rows->stride, WORD);
    memset(rows->words, 0, rows->stride * WORD);
    row_head(rows, 0)->bits = ROW_FREE;
    lookup_reset(&rows->lookup, 0);
}

void prefix_rows_done(struct prefix_rows *rows)
{
    free(rows->words);
    lookup_done(&rows->lookup);
    *rows = (struct prefix_rows){0};
}

static const uint32_t *key_of(const struct prefix_rows *rows, uint32_t row)
{
    return row_words(rows, row) + HEAD_WORDS;
}

static bool is_key(const struct prefix_rows *rows, uint32_t row, const struct prefix *prefix)
{
    uint32_t key[4];
    const uint32_t *own = key_of(rows, row);
    memcpy(key, prefix->addr.bytes, sizeof key);
    return key[0] == own[0] &&
           (rows->key == 1 || (key[1] == own[1] && key[2] == own[2] && key[3] == own[3]));
}

uint32_t prefix_rows_find(const struct prefix_rows *rows, const struct prefix *prefix,
                          uint64_t hash)
{
    struct lookup_walk walk = lookup_walk(&rows->lookup, hash);
    for (uint32_t n; (n = lookup_next(&rows->lookup, &walk));)
        if (row_head(rows, n)->bits == prefix->bits && is_key(rows, n, prefix))
            return n;
    return 0;
}

static uint32_t take_row(struct prefix_rows *rows)
{
    uint32_t row = rows->free;
    if (row) {
        rows->free = row_head(rows, row)->origin;
        return row;
    }
    if (rows->count >= ROWS_MAX)
        return 0;
    rows->words =
        mem_grow(rows->words, &rows->capacity, (rows->count + (size_t)1) * rows->stride, WORD);
    return rows->count++;
}

uint32_t prefix_rows_add(struct prefix_rows *rows, const struct prefix *prefix, uint64_t hash)
{
    uint32_t row = take_row(rows);
    if (!row)
        return 0;
    memset(row_words(rows, row), 0, rows->stride * WORD);
    row_head(rows, row)->bits = prefix->bits;
    memcpy(row_words(rows, row) + HEAD_WORDS, prefix->addr.bytes, rows->key * WORD);
    rows->live++;
    if (lookup_is_full(&rows->lookup))
        prefix_rows_rebuild(rows);
    else
        lookup_add(&rows->lookup, hash, row);
    return row;
}

void prefix_rows_remove(struct prefix_rows *rows, uint32_t row)
{
    assert(!row_is_free(rows, row));
    *row_head(rows, row) = (struct row_head){.origin = rows->free, .bits = ROW_FREE};
    rows->free = row;
    rows->live--;
}

void prefix_rows_rebuild(struct prefix_rows *rows)
{
    lookup_reset(&rows->lookup, rows->live);
    for (uint32_t i = 1; i < rows->count; i++) {
        uint32_t key[4] = {0};
        if (row_is_free(rows, i))
            continue;
        memcpy(key, key_of(rows, i), rows->key * WORD);
        lookup_add(&rows->lookup, hash_key(key, rows->family, row_head(rows, i)->bits), i);
    }
}

/* In place, from the last row to the first: each moves to behind where it was. */
void prefix_rows_add_groups(struct prefix_rows *rows, uint32_t groups)
{
    uint32_t before = rows->stride, after = before + groups;
    rows->words = mem_grow(rows->words, &rows->capacity, (size_t)rows->count * after, WORD);
    for (uint32_t i = rows->count; i-- > 0;) {
        uint32_t *to = rows->words + (size_t)i * after;
        memmove(to, rows->words + (size_t)i * before, before * WORD);
        memset(to + before, 0, groups * WORD);
    }
    rows->stride = after;
    rows->groups += groups;
}

struct prefix prefix_rows_prefix(const struct prefix_rows *rows, uint32_t row)
{
    struct prefix prefix = {.addr = {.family = rows->family}, .bits = row_head(rows, row)->bits};
    memcpy(prefix.addr.bytes, key_of(rows, row), rows->key * WORD);
    return prefix;
}

size_t prefix_rows_memory(const struct prefix_rows *rows)
{
    return (size_t)rows->count * rows->stride * WORD +
           rows->lookup.size * sizeof *rows->lookup.slots;
}
