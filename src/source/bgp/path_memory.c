#include "source/bgp/path_memory.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>

/* All entries of one (peer, prefix) are in the chain of one bucket. Entry 0 is not used. */
struct path_entry {
    uint32_t peer;
    uint32_t prefix;
    uint32_t path_id;
    uint32_t path;
    uint32_t next;
};

enum { BUCKETS = 1 << 16 };

void path_memory_done(struct path_memory *memory)
{
    free(memory->entries);
    free(memory->buckets);
    free(memory->is_lacking);
    *memory = (struct path_memory){0};
}

static uint32_t *bucket_of(struct path_memory *memory, uint32_t peer, uint32_t prefix)
{
    if (!memory->buckets)
        memory->buckets = mem_new(BUCKETS, sizeof *memory->buckets);
    return &memory->buckets[hash_mix((uint64_t)peer << 32 | prefix) % BUCKETS];
}

static uint32_t take_entry(struct path_memory *memory)
{
    uint32_t index = memory->free;
    if (index) {
        memory->free = memory->entries[index].next;
        return index;
    }
    if (memory->count == PATH_MEMORY_MAX)
        return 0;
    index = ++memory->count;
    memory->entries =
        mem_grow(memory->entries, &memory->capacity, index + (size_t)1, sizeof *memory->entries);
    return index;
}

static void note_lack(struct path_memory *memory, uint32_t peer)
{
    size_t need = (size_t)peer + 1;
    memory->is_lacking =
        mem_grow(memory->is_lacking, &memory->lacking_capacity, need, sizeof *memory->is_lacking);
    while (memory->lacking_count < need)
        memory->is_lacking[memory->lacking_count++] = false;
    memory->is_lacking[peer] = true;
    memory->not_kept++;
}

void path_memory_announce(struct path_memory *memory, uint32_t peer, uint32_t prefix,
                          uint32_t path_id, uint32_t path)
{
    uint32_t *bucket = bucket_of(memory, peer, prefix), count = 0;
    for (uint32_t i = *bucket; i; i = memory->entries[i].next) {
        struct path_entry *entry = &memory->entries[i];
        bool is_same = entry->peer == peer && entry->prefix == prefix;
        if (is_same && entry->path_id == path_id) {
            entry->path = path;
            return;
        }
        count += is_same;
    }
    uint32_t index = count < PATHS_OF_ONE_MAX ? take_entry(memory) : 0;
    if (!index) {
        note_lack(memory, peer);
        return;
    }
    memory->entries[index] = (struct path_entry){peer, prefix, path_id, path, *bucket};
    *bucket = index;
}

static void give_back(struct path_memory *memory, uint32_t *link)
{
    uint32_t index = *link;
    *link = memory->entries[index].next;
    memory->entries[index] = (struct path_entry){.next = memory->free};
    memory->free = index;
}

enum paths_left path_memory_withdraw(struct path_memory *memory, uint32_t peer, uint32_t prefix,
                                     uint32_t path_id, uint32_t *path)
{
    const struct path_entry *best = NULL;
    for (uint32_t *link = bucket_of(memory, peer, prefix); *link;) {
        struct path_entry *entry = &memory->entries[*link];
        bool is_same = entry->peer == peer && entry->prefix == prefix;
        if (is_same && entry->path_id == path_id) {
            give_back(memory, link);
            continue;
        }
        if (is_same && (!best || entry->path_id < best->path_id))
            best = entry;
        link = &entry->next;
    }
    if (!best)
        return peer < memory->lacking_count && memory->is_lacking[peer] ? PATHS_UNKNOWN
                                                                        : PATHS_NONE;
    *path = best->path;
    return PATHS_LEFT;
}

void path_memory_forget(struct path_memory *memory, uint32_t peer)
{
    if (peer < memory->lacking_count)
        memory->is_lacking[peer] = false;
    for (size_t i = 0; memory->buckets && i < BUCKETS; i++) {
        for (uint32_t *link = &memory->buckets[i]; *link;) {
            struct path_entry *entry = &memory->entries[*link];
            if (entry->peer == peer)
                give_back(memory, link);
            else
                link = &entry->next;
        }
    }
}

/* An entry that was given back has the prefix 0: registries and tables count from 1. */
bool path_memory_next(const struct path_memory *memory, uint32_t *at, uint32_t *path)
{
    while (*at < memory->count) {
        const struct path_entry *entry = &memory->entries[++*at];
        if (entry->prefix) {
            *path = entry->path;
            return true;
        }
    }
    return false;
}
