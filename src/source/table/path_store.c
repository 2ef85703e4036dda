#include "source/table/path_store.h"

#include "base/hash.h"

#include <assert.h>
#include <stdio.h>

/* Kinds of nodes: those of hops, and: */
enum {
    KIND_DIRECT = 16, /* the root, PATH_DIRECT: nothing between peer and origin */
    KIND_ORIGIN,      /* on the root only: the origin of a grafted way; AS 0: it ends with a set */
    KIND_REPEAT,      /* the origin stands there `asn` times more than once */
    KIND_BARE,        /* at the end: the path does not begin with the peer's AS */
    KIND_FREE
};

enum { FLAG_MARKED = 1, FLAG_GRAFTED = 2 };

static uint64_t hash_of(uint32_t parent, uint32_t asn, uint8_t kind)
{
    return hash_mix(((uint64_t)parent << 32 | asn) + (uint64_t)kind * UINT64_C(0x9e3779b97f4a7c15));
}

static void rebuild(struct path_store *store)
{
    lookup_reset(&store->lookup, store->live);
    for (uint32_t i = PATH_DIRECT + 1; i < store->count; i++) {
        const struct path_node *node = &store->nodes[i];
        if (node->kind != KIND_FREE)
            lookup_add(&store->lookup, hash_of(node->parent, node->asn, node->kind), i);
    }
}

void path_store_init(struct path_store *store)
{
    *store = (struct path_store){.count = PATH_DIRECT + 1, .live = 1};
    store->nodes = mem_grow(NULL, &store->capacity, 1024, sizeof *store->nodes);
    for (size_t i = 0; i <= PATH_DIRECT; i++)
        store->nodes[i] = (struct path_node){.kind = KIND_DIRECT};
    lookup_reset(&store->lookup, 0);
}

void path_store_done(struct path_store *store)
{
    free(store->nodes);
    lookup_done(&store->lookup);
    *store = (struct path_store){0};
}

static bool is_base(const struct path_node *node)
{
    return node->kind == KIND_DIRECT || node->kind == KIND_ORIGIN || node->kind == KIND_REPEAT;
}

static unsigned hops_of(uint8_t kind, uint32_t asn)
{
    if (kind == KIND_REPEAT)
        return asn;
    return kind == HOP_AS || kind == HOP_SET_LAST;
}

static struct path_node make_node(const struct path_store *store, uint32_t parent, uint32_t asn,
                                  uint8_t kind)
{
    const struct path_node *below = &store->nodes[parent];
    struct path_node node = {
        .parent = parent, .asn = asn, .kind = kind, .upstream = below->upstream};
    node.flags = kind == KIND_ORIGIN ? FLAG_GRAFTED : below->flags & FLAG_GRAFTED;
    node.hops = (uint16_t)(below->hops + hops_of(kind, asn));
    if (kind == HOP_AS && is_base(below))
        node.upstream = asn;
    return node;
}

static uint32_t take_number(struct path_store *store)
{
    uint32_t number = store->free;
    if (number) {
        store->free = store->nodes[number].parent;
        return number;
    }
    if (store->count > LOOKUP_MAX)
        return 0;
    store->nodes =
        mem_grow(store->nodes, &store->capacity, store->count + (size_t)1, sizeof *store->nodes);
    return store->count++;
}

/* The node above `parent`, made if it is new. 0 if there is no room, or `parent` is 0. */
static uint32_t step(struct path_store *store, uint32_t parent, uint32_t asn, uint8_t kind)
{
    if (!parent)
        return 0;
    if (lookup_is_full(&store->lookup))
        rebuild(store);
    uint64_t hash = hash_of(parent, asn, kind);
    struct lookup_walk walk = lookup_walk(&store->lookup, hash);
    for (uint32_t n; (n = lookup_next(&store->lookup, &walk));) {
        const struct path_node *node = &store->nodes[n];
        if (node->parent == parent && node->asn == asn && node->kind == kind)
            return n;
    }
    uint32_t number = take_number(store);
    if (!number)
        return 0;
    store->nodes[number] = make_node(store, parent, asn, kind);
    store->live++;
    lookup_put(&store->lookup, &walk, number);
    return number;
}

/* Adds hops from the origin's end on. */
static uint32_t climb(struct path_store *store, uint32_t from, const struct hop *hops, size_t count)
{
    while (count--)
        from = step(store, from, hops[count].asn, (uint8_t)hops[count].kind);
    return from;
}

static struct path_way refuse(struct path_store *store)
{
    store->refused++;
    return (struct path_way){0};
}

struct path_way path_store_add(struct path_store *store, const struct bgp_path *path,
                               uint32_t peer_asn)
{
    struct hop hops[PATH_HOPS_MAX];
    size_t end = path_hops(path, hops), start = 0, repeats = 0;
    if (end > PATH_HOPS_MAX)
        return refuse(store);
    bool has_peer = end && hops[0].kind == HOP_AS && hops[0].asn == peer_asn;
    uint32_t origin = !end ? peer_asn : hops[end - 1].kind == HOP_AS ? hops[end - 1].asn : 0;
    bool has_origin = origin != 0;
    while (has_origin && end && hops[end - 1].kind == HOP_AS && hops[end - 1].asn == origin) {
        end--;
        repeats++;
    }
    if (has_peer && end)
        start = 1; /* else the path is of nobody but the peer, who is its origin */
    uint32_t number = PATH_DIRECT;
    if (!has_origin)
        number = step(store, number, 0, KIND_ORIGIN);
    if (repeats > 1)
        number = step(store, number, (uint32_t)(repeats - 1), KIND_REPEAT);
    number = climb(store, number, hops + start, end - start);
    if (!has_peer)
        number = step(store, number, 0, KIND_BARE);
    return number ? (struct path_way){number, origin} : refuse(store);
}

uint32_t path_store_graft(struct path_store *store, uint32_t number, uint32_t origin)
{
    struct path_node node = store->nodes[number];
    assert(number >= PATH_DIRECT && !(node.flags & FLAG_GRAFTED));
    uint32_t parent = number == PATH_DIRECT ? number : path_store_graft(store, node.parent, origin);
    return number == PATH_DIRECT ? step(store, parent, origin, KIND_ORIGIN)
                                 : step(store, parent, node.asn, node.kind);
}

uint32_t path_store_origin(const struct path_store *store, uint32_t number)
{
    const struct path_node *node = &store->nodes[number];
    assert(node->flags & FLAG_GRAFTED);
    while (node->kind != KIND_ORIGIN)
        node = &store->nodes[node->parent];
    return node->asn;
}

uint32_t path_store_upstream(const struct path_store *store, uint32_t number, uint32_t peer_asn,
                             uint32_t origin)
{
    const struct path_node *node = &store->nodes[number];
    bool is_bare = node->kind == KIND_BARE;
    if (is_bare)
        node = &store->nodes[node->parent];
    if (!is_base(node))
        return node->upstream;
    return is_bare || peer_asn == origin ? 0 : peer_asn;
}

unsigned path_store_length(const struct path_store *store, uint32_t number, uint32_t peer_asn,
                           uint32_t origin)
{
    const struct path_node *node = &store->nodes[number];
    bool is_own = peer_asn == origin && is_base(node); /* peer and origin are one hop */
    if (node->kind == KIND_BARE && peer_asn == origin && is_base(&store->nodes[node->parent]))
        return 0; /* an empty path */
    bool has_peer = !is_own && node->kind != KIND_BARE;
    return (unsigned)node->hops + (origin != 0) + has_peer;
}

bool path_store_has(const struct path_store *store, uint32_t number, uint32_t asn)
{
    const struct path_node *node = &store->nodes[number];
    for (; node->kind != KIND_DIRECT; node = &store->nodes[node->parent])
        if (node->asn == asn && node->kind <= HOP_CONFED_SET_LAST)
            return true;
    return false;
}

/* One node as text; `open` says whether it goes on with a set or confederation. */
static void format_hop(const struct path_node *node, bool *open, struct buffer *out)
{
    static const struct {
        const char *opens, *closes;
        bool is_last;
    } forms[] = {
        [HOP_AS] = {"", "", true},
        [HOP_SET] = {"{", "", false},
        [HOP_SET_LAST] = {"{", "}", true},
        [HOP_CONFED] = {"(", "", false},
        [HOP_CONFED_LAST] = {"(", ")", true},
        [HOP_CONFED_SET] = {"({", "", false},
        [HOP_CONFED_SET_LAST] = {"({", "})", true},
    };
    if (*open)
        buffer_puts(out, ",");
    else
        buffer_printf(out, "%s%s", out->size ? " " : "", forms[node->kind].opens);
    buffer_printf(out, "%u%s", node->asn, forms[node->kind].closes);
    *open = !forms[node->kind].is_last;
}

void path_store_format(const struct path_store *store, uint32_t number, uint32_t peer_asn,
                       uint32_t origin, struct buffer *out)
{
    struct buffer text = {0};
    bool open = false;
    const struct path_node *node = &store->nodes[number];
    bool is_bare = node->kind == KIND_BARE;
    if (node->flags & FLAG_GRAFTED)
        origin = path_store_origin(store, number);
    uint32_t origins = origin != 0;
    if (is_bare)
        node = &store->nodes[node->parent];
    if (is_base(node) && origin == peer_asn && is_bare)
        origins = 0; /* an empty path */
    else if (!is_bare && !(is_base(node) && origin == peer_asn))
        buffer_printf(&text, "%u", peer_asn);
    for (; !is_base(node); node = &store->nodes[node->parent])
        format_hop(node, &open, &text);
    origins += node->kind == KIND_REPEAT ? node->asn : 0;
    for (uint32_t i = 0; i < origins; i++)
        buffer_printf(&text, "%s%u", text.size ? " " : "", origin);
    buffer_add(out, text.bytes, text.size);
    buffer_done(&text);
}

void path_store_mark(struct path_store *store, uint32_t number)
{
    for (;;) {
        struct path_node *node = &store->nodes[number];
        if (number <= PATH_DIRECT || node->flags & FLAG_MARKED)
            return;
        node->flags |= FLAG_MARKED;
        number = node->parent;
    }
}

void path_store_sweep(struct path_store *store)
{
    store->free = 0;
    store->live = 1;
    for (uint32_t i = store->count; --i > PATH_DIRECT;) {
        struct path_node *node = &store->nodes[i];
        if (node->flags & FLAG_MARKED) {
            node->flags &= (uint8_t)~FLAG_MARKED;
            store->live++;
        } else {
            *node = (struct path_node){.parent = store->free, .kind = KIND_FREE};
            store->free = i;
        }
    }
    rebuild(store);
}

size_t path_store_memory(const struct path_store *store)
{
    return store->count * sizeof *store->nodes + store->lookup.size * sizeof *store->lookup.slots;
}
