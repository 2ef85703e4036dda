#include "source/bgp/route_memory.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>

enum { SLOTS = 4 * (ROUTE_MEMORY_PEERS_MAX + 1) };

void route_memory_init(struct route_memory *memory, const struct watch *watch)
{
    *memory = (struct route_memory){0};
    route_filter_init(&memory->filter, watch);
    memory->slots = mem_new(SLOTS, sizeof *memory->slots);
}

void route_memory_done(struct route_memory *memory)
{
    route_filter_done(&memory->filter);
    path_memory_done(&memory->paths);
    free(memory->peers);
    free(memory->slots);
    *memory = (struct route_memory){0};
}

int32_t route_memory_peer(struct route_memory *memory, uint32_t collector, const struct addr *addr,
                          uint32_t asn)
{
    uint64_t hash = hash_bytes(addr->bytes, sizeof addr->bytes, (uint64_t)collector << 32 | asn);
    uint32_t *slot;
    for (size_t i = (size_t)hash;; i++) {
        slot = &memory->slots[i % SLOTS];
        if (!*slot)
            break;
        const struct known_peer *peer = &memory->peers[*slot - 1];
        if (peer->asn == asn && peer->collector == collector &&
            addr_compare(&peer->addr, addr) == 0)
            return (int32_t)*slot - 1;
    }
    if (memory->peer_count == ROUTE_MEMORY_PEERS_MAX)
        return -1;
    memory->peers = mem_grow(memory->peers, &memory->peer_capacity, memory->peer_count + (size_t)1,
                             sizeof *memory->peers);
    memory->peers[memory->peer_count++] =
        (struct known_peer){.addr = *addr, .asn = asn, .collector = collector};
    *slot = memory->peer_count;
    return (int32_t)memory->peer_count - 1;
}
