/* What must be remembered between the files of one archive, which are read one after the other:
 * what is wanted, which peers were heard, and what those with ADD-PATH announced. */
#ifndef SOURCE_BGP_ROUTE_MEMORY_H
#define SOURCE_BGP_ROUTE_MEMORY_H

#include "source/bgp/heard.h"
#include "source/bgp/path_memory.h"
#include "source/bgp/route_filter.h"

#include <stdbool.h>
#include <stdint.h>

/* No collector network has a tenth of that. */
enum { ROUTE_MEMORY_PEERS_MAX = 65535 };

struct known_peer {
    struct addr addr;
    uint32_t asn;
    uint32_t collector; /* number in the registry */
    uint32_t id;        /* the same; 0 until it was heard */
    bool is_up;
};

struct route_memory {
    struct route_filter filter;
    struct path_memory paths;
    struct known_peer *peers;
    size_t peer_capacity;
    uint32_t peer_count;
    uint32_t *slots;       /* open addressing: place in `peers` + 1; 0: free */
    const struct ear *ear; /* of live feeds: who hears it all; not owned. NULL: nobody */
};

void route_memory_init(struct route_memory *memory, const struct watch *watch);
void route_memory_done(struct route_memory *memory);

/* The place of a peer in `peers`, made if new; -1 if there are too many. */
int32_t route_memory_peer(struct route_memory *memory, uint32_t collector, const struct addr *addr,
                          uint32_t asn);

#endif
