/* What a peer with ADD-PATH (RFC 7911) has announced: several paths to one prefix, each with its
 * identifier. An observation knows one path per peer and prefix, so only the end of the last one is
 * a withdrawal. Kept for watched prefixes only. */
#ifndef SOURCE_BGP_PATH_MEMORY_H
#define SOURCE_BGP_PATH_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Beyond that many paths, in all and of one peer to one prefix, new ones are not kept: the latter are looked
 * through one by one. From then on nobody knows of a peer of which one was not kept
 * whether its withdrawals leave a path. */
enum { PATH_MEMORY_MAX = 1 << 20, PATHS_OF_ONE_MAX = 256 };

/* What is told of that. */
#define PATH_MEMORY_LACK                                                                           \
    "there are more paths to one prefix than can be kept: a withdrawal that may leave one is not " \
    "taken for the end of the route"

enum paths_left { PATHS_NONE, PATHS_LEFT, PATHS_UNKNOWN };

struct path_entry;
struct path_memory {
    struct path_entry *entries;
    size_t capacity;
    uint32_t count; /* entries in use or free, without the unused 0th */
    uint32_t free;  /* list of entries that were given back */
    uint32_t *buckets;
    bool *is_lacking; /* by peer: a path of its session was not kept */
    size_t lacking_capacity, lacking_count;
    uint64_t not_kept; /* paths, of all that ever were */
};

void path_memory_done(struct path_memory *memory);

/* peer, prefix, path: any numbers that stand for them. */
void path_memory_announce(struct path_memory *memory, uint32_t peer, uint32_t prefix,
                          uint32_t path_id, uint32_t path);
/* Whether another path is left; if so *path is the one with the lowest identifier that is known. */
enum paths_left path_memory_withdraw(struct path_memory *memory, uint32_t peer, uint32_t prefix,
                                     uint32_t path_id, uint32_t *path);
/* The session ended: all its routes are gone. */
void path_memory_forget(struct path_memory *memory, uint32_t peer);
/* All paths that are remembered, one after the other: start with *at = 0. False at the end. */
bool path_memory_next(const struct path_memory *memory, uint32_t *at, uint32_t *path);

#endif
