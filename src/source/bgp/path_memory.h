/* What a peer with ADD-PATH (RFC 7911) has announced: several paths to one prefix, each with its
 * identifier. An observation knows one path per peer and prefix, so only the end of the last one is
 * a withdrawal. Kept for watched prefixes only. */
#ifndef SOURCE_BGP_PATH_MEMORY_H
#define SOURCE_BGP_PATH_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Beyond that many paths new ones are not kept: their withdrawal is then taken for that of the
 * route. */
enum { PATH_MEMORY_MAX = 1 << 20 };

struct path_entry;
struct path_memory {
    struct path_entry *entries;
    size_t capacity;
    uint32_t count; /* entries in use or free, without the unused 0th */
    uint32_t free;  /* list of entries that were given back */
    uint32_t *buckets;
};

void path_memory_done(struct path_memory *memory);

/* peer, prefix, path: any numbers that stand for them. */
void path_memory_announce(struct path_memory *memory, uint32_t peer, uint32_t prefix,
                          uint32_t path_id, uint32_t path);
/* True if another path is left; *path is then the one with the lowest identifier. */
bool path_memory_withdraw(struct path_memory *memory, uint32_t peer, uint32_t prefix,
                          uint32_t path_id, uint32_t *path);
/* The session ended: all its routes are gone. */
void path_memory_forget(struct path_memory *memory, uint32_t peer);
/* All paths that are remembered, one after the other: start with *at = 0. False at the end. */
bool path_memory_next(const struct path_memory *memory, uint32_t *at, uint32_t *path);

#endif
