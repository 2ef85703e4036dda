#include "model/registry.h"

#include "base/hash.h"
#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a name stands for, worked out once when it is interned. */
union meaning {
    struct target target;
    struct prefix prefix;
    struct as_path path;
    struct peer peer;
    struct addr address;
    uint32_t asn;
};

struct entry {
    uint64_t hash;
    const char *text; /* in the arena; right before it is the meaning, as its kind has it */
    enum name_kind kind;
};

static const uint8_t meaning_sizes[NAME_KIND_COUNT] = {
    [NAME_TARGET] = sizeof(struct target), [NAME_CONTROL] = sizeof(struct target),
    [NAME_PREFIX] = sizeof(struct prefix), [NAME_ASN] = sizeof(uint32_t),
    [NAME_PEER] = sizeof(struct peer),     [NAME_PATH] = sizeof(struct as_path),
    [NAME_ADDRESS] = sizeof(struct addr),
};

/* Entries are kept in chunks, so that they never move. Slots are an open-addressing table of
 * numbers. */
enum { CHUNK = 4096 };
struct registry {
    struct arena arena;
    struct entry **chunks;
    size_t chunk_capacity;
    uint32_t count;
    uint32_t *slots;   /* 0: free */
    size_t slot_count; /* a power of two */
    uint64_t refused;
};

struct registry *registry_new(void)
{
    struct registry *registry = mem_new(1, sizeof *registry);
    registry->slot_count = 1024;
    registry->slots = mem_new(registry->slot_count, sizeof *registry->slots);
    return registry;
}

void registry_free(struct registry *registry)
{
    if (!registry)
        return;
    for (uint32_t i = 0; i * CHUNK < registry->count; i++)
        free(registry->chunks[i]);
    free(registry->chunks);
    free(registry->slots);
    arena_done(&registry->arena);
    free(registry);
}

static struct entry *entry_of(const struct registry *registry, uint32_t id)
{
    assert(id >= 1 && id <= registry->count);
    return &registry->chunks[(id - 1) / CHUNK][(id - 1) % CHUNK];
}

/* The slot that holds this name, or the free one where it belongs. */
static uint32_t *slot_of(const struct registry *registry, enum name_kind kind, const char *text,
                         size_t n, uint64_t hash)
{
    for (size_t i = (size_t)hash;; i++) {
        uint32_t *slot = &registry->slots[i & (registry->slot_count - 1)];
        if (!*slot)
            return slot;
        const struct entry *entry = entry_of(registry, *slot);
        if (entry->hash == hash && entry->kind == kind && strlen(entry->text) == n &&
            memcmp(entry->text, text, n) == 0)
            return slot;
    }
}

static void grow_slots(struct registry *registry)
{
    free(registry->slots);
    registry->slot_count *= 2;
    registry->slots = mem_new(registry->slot_count, sizeof *registry->slots);
    for (uint32_t id = 1; id <= registry->count; id++) {
        const struct entry *entry = entry_of(registry, id);
        *slot_of(registry, entry->kind, entry->text, strlen(entry->text), entry->hash) = id;
    }
}

static bool parse_u32(const char *text, size_t n, uint32_t *out)
{
    uint64_t value = 0;
    if (n < 1 || n > 10)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    if (value > UINT32_MAX)
        return false;
    *out = (uint32_t)value;
    return true;
}

static bool parse_peer(const char *text, size_t n, struct peer *out)
{
    const char *space = memchr(text, ' ', n);
    if (!space)
        return false;
    size_t used = (size_t)(space - text);
    return addr_parse(text, used, &out->addr) && parse_u32(space + 1, n - used - 1, &out->asn);
}

static bool is_within(const char *word, size_t n, char opens, char closes)
{
    return n > 2 && word[0] == opens && word[n - 1] == closes;
}

/* "{1,2}", the AS_SET of RFC 4271; "(1,2)" and "({1,2})", the AS_CONFED_SEQUENCE and AS_CONFED_SET of RFC
 * 5065. */
static bool is_as_set(const char *word, size_t n)
{
    if (is_within(word, n, '(', ')') && word[1] == '{') {
        word++;
        n -= 2;
    }
    if (!is_within(word, n, '{', '}') && !is_within(word, n, '(', ')'))
        return false;
    for (size_t at = 1; at < n - 1;) {
        const char *comma = memchr(word + at, ',', n - 1 - at);
        size_t digits = comma ? (size_t)(comma - word) - at : n - 1 - at;
        uint32_t asn;
        if (!parse_u32(word + at, digits, &asn))
            return false;
        at += digits + (comma != NULL);
        if (comma && at == n - 1)
            return false;
    }
    return true;
}

/* Words are AS numbers or sets in braces; an empty path is one of the collector's own AS. Parts of a
 * confederation count no hop (RFC 5065, 5.3). */
static bool parse_path(const char *text, size_t n, struct as_path *out)
{
    uint32_t last = 0, before = 0;
    size_t hops = 0;
    if (n && text[n - 1] == ' ')
        return false;
    for (size_t at = 0; at < n;) {
        const char *space = memchr(text + at, ' ', n - at);
        size_t word = space ? (size_t)(space - text) - at : n - at;
        uint32_t asn = 0;
        bool is_set = is_as_set(text + at, word);
        if (!is_set && !parse_u32(text + at, word, &asn))
            return false;
        if (is_set || asn != last || at == 0) {
            before = last;
            last = asn;
            hops += text[at] != '(';
        }
        at += word + 1;
    }
    *out = (struct as_path){.origin = last, .upstream = before, .hops = (uint16_t)(hops & 0xffff)};
    return true;
}

static bool is_country(const char *text, size_t n)
{
    return n == 2 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'A' && text[1] <= 'Z';
}

/* False if the text cannot be a name of this kind. */
static bool understand(enum name_kind kind, const char *text, size_t n, union meaning *out)
{
    switch (kind) {
    case NAME_TARGET:
    case NAME_CONTROL:
        return target_parse(text, n, &out->target, NULL) == ERR_OK;
    case NAME_PREFIX:
        return prefix_parse(text, n, &out->prefix);
    case NAME_ASN:
        return parse_u32(text, n, &out->asn);
    case NAME_PEER:
        return parse_peer(text, n, &out->peer);
    case NAME_PATH:
        return parse_path(text, n, &out->path);
    case NAME_ADDRESS:
        return addr_parse(text, n, &out->address);
    case NAME_COUNTRY:
        return is_country(text, n);
    default:
        return kind > NAME_NONE && kind < NAME_KIND_COUNT;
    }
}

enum { CANONICAL_MAX = ADDR_TEXT_MAX + 16 };

/* The one way to write a name that could be written in several ("2001:DB8::/32", "0123"): two texts
 * of one thing must not become two numbers. NULL for kinds that are kept as written. */
static const char *canonical(enum name_kind kind, const union meaning *meaning,
                             char text[CANONICAL_MAX])
{
    char addr[ADDR_TEXT_MAX];
    switch (kind) {
    case NAME_PREFIX:
        return prefix_format(&meaning->prefix, text);
    case NAME_ADDRESS:
        return addr_format(&meaning->address, text);
    case NAME_ASN:
        snprintf(text, CANONICAL_MAX, "%u", (unsigned)meaning->asn);
        return text;
    case NAME_PEER:
        snprintf(text, CANONICAL_MAX, "%s %u", addr_format(&meaning->peer.addr, addr),
                 (unsigned)meaning->peer.asn);
        return text;
    default:
        return NULL;
    }
}

static uint64_t name_hash(enum name_kind kind, const char *text, size_t n)
{
    return hash_bytes(text, n, (uint64_t)kind);
}

uint32_t registry_find(const struct registry *registry, enum name_kind kind, const char *text,
                       size_t n)
{
    return *slot_of(registry, kind, text, n, name_hash(kind, text, n));
}

/* Adds an entry; the slot must be the free one where the name belongs. */
static uint32_t append(struct registry *registry, uint32_t *slot, const struct entry *entry)
{
    uint32_t index = registry->count++;
    if (index % CHUNK == 0) {
        registry->chunks = mem_grow(registry->chunks, &registry->chunk_capacity, index / CHUNK + 1,
                                    sizeof *registry->chunks);
        registry->chunks[index / CHUNK] = mem_new(CHUNK, sizeof(struct entry));
    }
    registry->chunks[index / CHUNK][index % CHUNK] = *entry;
    *slot = index + 1;
    if ((size_t)registry->count * 2 > registry->slot_count)
        grow_slots(registry);
    return index + 1;
}

static struct entry new_entry(struct arena *arena, enum name_kind kind, const char *text, size_t n,
                              const union meaning *meaning)
{
    size_t size = meaning_sizes[kind];
    char *memory = arena_alloc(arena, size + n + 1);
    memcpy(memory, meaning, size);
    if (n)
        memcpy(memory + size, text, n);
    return (struct entry){.text = memory + size, .kind = kind};
}

uint32_t registry_intern(struct registry *registry, enum name_kind kind, const char *text, size_t n)
{
    uint64_t hash = name_hash(kind, text, n);
    uint32_t *slot = slot_of(registry, kind, text, n, hash);
    if (*slot)
        return *slot;
    union meaning meaning;
    char other[CANONICAL_MAX];
    if (memchr(text, '\0', n) || !understand(kind, text, n, &meaning))
        return 0;
    const char *usual = canonical(kind, &meaning, other);
    if (usual && (strlen(usual) != n || memcmp(usual, text, n) != 0))
        return registry_intern(registry, kind, usual, strlen(usual));
    if (registry->count == REGISTRY_MAX || registry->arena.total + n > REGISTRY_BYTES_MAX) {
        registry->refused++;
        return 0;
    }
    struct entry entry = new_entry(&registry->arena, kind, text, n, &meaning);
    entry.hash = hash;
    return append(registry, slot, &entry);
}

uint32_t registry_count(const struct registry *registry)
{
    return registry->count;
}

uint64_t registry_refused(const struct registry *registry)
{
    return registry->refused;
}

enum name_kind registry_kind(const struct registry *registry, uint32_t id)
{
    return id ? entry_of(registry, id)->kind : NAME_NONE;
}

const char *registry_text(const struct registry *registry, uint32_t id)
{
    return id ? entry_of(registry, id)->text : "";
}

uint64_t registry_hash(const struct registry *registry, uint32_t id)
{
    return id ? entry_of(registry, id)->hash : 0;
}

static const void *meaning_of(const struct registry *registry, uint32_t id, enum name_kind kind)
{
    const struct entry *entry = entry_of(registry, id);
    assert(entry->kind == kind);
    return entry->text - meaning_sizes[kind];
}

const struct target *registry_target(const struct registry *registry, uint32_t id)
{
    enum name_kind kind = registry_kind(registry, id);
    assert(kind == NAME_TARGET || kind == NAME_CONTROL);
    return meaning_of(registry, id, kind);
}

const struct prefix *registry_prefix(const struct registry *registry, uint32_t id)
{
    return meaning_of(registry, id, NAME_PREFIX);
}

const struct as_path *registry_path(const struct registry *registry, uint32_t id)
{
    return meaning_of(registry, id, NAME_PATH);
}

const struct peer *registry_peer(const struct registry *registry, uint32_t id)
{
    return meaning_of(registry, id, NAME_PEER);
}

const struct addr *registry_address(const struct registry *registry, uint32_t id)
{
    return meaning_of(registry, id, NAME_ADDRESS);
}

uint32_t registry_asn(const struct registry *registry, uint32_t id)
{
    return *(const uint32_t *)meaning_of(registry, id, NAME_ASN);
}

int registry_own_check(const struct registry *registry, uint32_t id)
{
    enum name_kind kind = id ? registry_kind(registry, id) : NAME_TEXT;
    if (kind != NAME_TARGET && kind != NAME_CONTROL)
        return -1;
    const struct target *target = registry_target(registry, id);
    return target->kind == TARGET_SELF ? target->check : -1;
}
