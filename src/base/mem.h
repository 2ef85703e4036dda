/* Memory: growing arrays and arenas. Allocation that fails ends the program (see err.h). */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Never returns NULL. Zeroed. */
void *mem_new(size_t count, size_t size);

/* A copy of a text, for free(); NULL of NULL. */
char *mem_copy(const char *text);

/* Makes room for at least `need` elements in a growing array, doubling its capacity. Returns the
 * array, moved or not; new room is not zeroed. */
void *mem_grow(void *array, size_t *capacity, size_t need, size_t size);

/* An arena: many allocations with one lifetime (a packet batch, a request, a report). A zeroed struct
 * is an empty arena. Pointers stay valid until arena_done() or arena_reset(). */
struct arena {
    struct arena_chunk *chunks;
    size_t used;
    size_t total; /* bytes handed out since the last reset */
};

void *arena_alloc(struct arena *arena, size_t size); /* zeroed, aligned for any type */
char *arena_copy(struct arena *arena, const char *text, size_t n); /* NUL-terminated */
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void arena_reset(struct arena *arena); /* keeps one chunk for the next unit of work */
void arena_done(struct arena *arena);

#endif
