/* AS paths as numbers, each kept once, for millions of routes.
 *
 * Two ends of a path are left out, as they are known without it: the peer's own AS at its beginning,
 * and the origin at its end, which is a matter of the prefix. What is left is the way through the
 * networks between, and that is the same for all who are behind the same ones: a full table of half a
 * million prefixes has 71 000 paths, but 14 000 ways (a dump of route-views.jinx of 2014). Ways are
 * nodes of a tree whose root is at the origin, so that they share their ends, too: 16 bytes each.
 *
 *     struct path_way way = path_store_add(store, &attributes->path, peer->asn);
 *     way.number, way.origin
 *     path_store_format(store, way.number, peer->asn, way.origin, &text);
 *
 * Where the origin is not a matter of the prefix - a second AS announces it, too - path_store_graft()
 * makes a number that has it within: a grafted way.
 *
 * Nothing is counted: whoever holds numbers marks all of them now and then, and the rest is forgotten
 * by path_store_sweep(). Numbers stay what they are as long as they are marked. */
#ifndef SOURCE_TABLE_PATH_STORE_H
#define SOURCE_TABLE_PATH_STORE_H

#include "base/buffer.h"
#include "source/table/lookup.h"
#include "source/table/path_hops.h"

/* Numbers below this are free for other uses; that one is the way from the peer straight to the
 * origin. */
enum { PATH_DIRECT = 2 };

struct path_node {
    uint32_t parent;   /* one step nearer to the origin; a free node: the next free one */
    uint32_t asn;      /* or how often the origin stands there once more (path_store.c) */
    uint32_t upstream; /* the AS before the origin, 0 if that is the peer itself or not one AS */
    uint16_t hops;
    uint8_t kind;
    uint8_t flags;
};

struct path_store {
    struct path_node *nodes; /* by number */
    size_t capacity;
    uint32_t count; /* of places in `nodes` that are or were in use */
    uint32_t live;  /* of those that are */
    uint32_t free;  /* the first free one, 0 if none */
    struct lookup lookup;
    uint64_t refused; /* paths that were too long, or too many */
};

struct path_way {
    uint32_t number; /* 0 if it is refused: the store is full, or the path makes no sense */
    uint32_t origin; /* 0: the path ends with a set, and the way is a grafted one */
};

void path_store_init(struct path_store *store);
void path_store_done(struct path_store *store);

/* The way of a path that `peer_asn` told. An empty path is one of the peer's own AS. */
struct path_way path_store_add(struct path_store *store, const struct bgp_path *path,
                               uint32_t peer_asn);
/* The same way with its origin within. 0 if the store is full. */
uint32_t path_store_graft(struct path_store *store, uint32_t number, uint32_t origin);

/* The origin of a grafted way, 0 if it ends with a set. */
uint32_t path_store_origin(const struct path_store *store, uint32_t number);
/* The AS before the origin; 0 if there is none or it is a set. */
uint32_t path_store_upstream(const struct path_store *store, uint32_t number, uint32_t peer_asn,
                             uint32_t origin);
/* How many hops the whole path counts (RFC 4271, 9.1.2.2). */
unsigned path_store_length(const struct path_store *store, uint32_t number, uint32_t peer_asn,
                           uint32_t origin);
/* Whether an AS is on the way, peer and origin left aside. */
bool path_store_has(const struct path_store *store, uint32_t number, uint32_t asn);
/* The whole path as bgp_path_format() writes it. `origin` is not looked at if the way is grafted. */
void path_store_format(const struct path_store *store, uint32_t number, uint32_t peer_asn,
                       uint32_t origin, struct buffer *out);

void path_store_mark(struct path_store *store, uint32_t number);
/* Forgets what was not marked, and takes the marks away. */
void path_store_sweep(struct path_store *store);
size_t path_store_memory(const struct path_store *store); /* bytes */

#endif
