#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *mem_new(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);
    assert(memory);
    return memory;
}

char *mem_copy(const char *text)
{
    if (!text)
        return NULL;
    size_t n = strlen(text) + 1;
    return memcpy(mem_new(n, 1), text, n);
}

void *mem_grow(void *array, size_t *capacity, size_t need, size_t size)
{
    if (need <= *capacity)
        return array;
    size_t wanted = *capacity ? *capacity : 16;
    while (wanted < need) {
        assert(wanted <= SIZE_MAX / 2);
        wanted *= 2;
    }
    assert(wanted <= SIZE_MAX / size);
    array = realloc(array, wanted * size);
    assert(array);
    *capacity = wanted;
    return array;
}

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    _Alignas(max_align_t) unsigned char bytes[];
};

enum { ARENA_CHUNK = 64 * 1024 };

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    assert(size <= SIZE_MAX - align - sizeof(struct arena_chunk));
    size = (size + align - 1) / align * align;
    if (!arena->chunks || size > arena->chunks->size - arena->used) {
        size_t chunk_size = size > ARENA_CHUNK ? size : ARENA_CHUNK;
        struct arena_chunk *chunk = malloc(sizeof *chunk + chunk_size);
        assert(chunk);
        chunk->next = arena->chunks;
        chunk->size = chunk_size;
        arena->chunks = chunk;
        arena->used = 0;
    }
    void *memory = arena->chunks->bytes + arena->used;
    arena->used += size;
    arena->total += size;
    return memset(memory, 0, size);
}

char *arena_copy(struct arena *arena, const char *text, size_t n)
{
    char *copy = arena_alloc(arena, n + 1);
    if (n)
        memcpy(copy, text, n);
    return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    assert(format);
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(n >= 0);
    char *text = arena_alloc(arena, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}

static void free_chunks(struct arena_chunk *chunk)
{
    while (chunk) {
        struct arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void arena_reset(struct arena *arena)
{
    if (arena->chunks) {
        free_chunks(arena->chunks->next);
        arena->chunks->next = NULL;
    }
    arena->used = arena->total = 0;
}

void arena_done(struct arena *arena)
{
    free_chunks(arena->chunks);
    *arena = (struct arena){0};
}
