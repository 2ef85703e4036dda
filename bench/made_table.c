#include "made_table.h"

#include "base/hash.h"

#include <stdbool.h>

enum { CORE = 16, FIRST_ASN = 1000, PEER_ASN = 400000, REGIONS = 4 };

enum question {
    PROVIDER,
    OTHER_PROVIDER,
    CHOICE,
    PEERS_PROVIDER,
    FIRST_HOP,
    ORIGIN,
    POLICIES,
    POLICY,
    HOMES,
    HOME,
    PREFERENCE,
    REPEATS
};

/* A number below `most`, the same for the same question of the same two. */
static uint32_t draw(enum question question, uint32_t a, uint32_t b, uint32_t most)
{
    uint64_t seed = (uint64_t)question * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t drawn = hash_mix((((uint64_t)a << 32 | b) ^ seed) + seed) >> 32;
    return (uint32_t)(drawn * most >> 32);
}

struct made_table made_table_of(uint64_t prefixes)
{
    return (struct made_table){.prefixes = (uint32_t)prefixes,
                               .transits = (uint32_t)(prefixes / 39 + 4 * CORE),
                               .origins = (uint32_t)(prefixes / 12 + 1)};
}

uint32_t made_peer_asn(uint32_t peer)
{
    return PEER_ASN + peer;
}

/* Below `most`, and mostly far below: there are few large ones. */
static uint32_t draw_large(enum question question, uint32_t a, uint32_t b, uint32_t most)
{
    uint32_t drawn = draw(question, a, b, most);
    return draw(question, ~a, b, drawn + 1);
}

/* One step towards the core: by one of two providers, for three ASes in ten depending on where the peer
 * is. */
static uint32_t step_in(uint32_t as, uint32_t peer)
{
    uint32_t region = draw(CHOICE, as, UINT32_MAX, 10) < 3 ? peer % REGIONS : REGIONS;
    bool is_other = draw(CHOICE, as, region, 2);
    return draw_large(is_other ? OTHER_PROVIDER : PROVIDER, as, 0, as);
}

/* The way from a transit network to the peer, written from the peer's end. */
static size_t way_from(uint32_t as, uint32_t peer, uint32_t *out)
{
    uint32_t way[MADE_HOPS];
    size_t count = 0, n = 0;
    for (; as >= CORE && count < MADE_HOPS / 2; as = step_in(as, peer))
        way[count++] = as;
    way[count++] = as % CORE;
    uint32_t first = draw(PEERS_PROVIDER, peer, draw(FIRST_HOP, peer, as % CORE, 2), CORE);
    if (first != as % CORE)
        way[count++] = first;
    while (count--)
        out[n++] = FIRST_ASN + way[count];
    return n;
}

/* Which of its upstreams a prefix is reached by from this peer, and how often its origin repeats itself
 * there. An origin has a policy or two, and those of many prefixes more. */
static uint32_t upstream_of(const struct made_table *table, uint32_t origin, uint32_t prefix,
                            uint32_t peer, uint32_t *repeats)
{
    uint32_t policies = 1 + draw(POLICIES, origin, 0, 3) + (table->origins / (origin + 8)) / 16;
    uint32_t policy = origin * 64 + draw(POLICY, prefix, 0, policies < 64 ? policies : 64);
    uint32_t homes = 1 + draw(HOMES, origin, 0, 3);
    uint32_t home = draw(PREFERENCE, policy, peer % (2 * REGIONS), homes);
    *repeats = draw(REPEATS, policy, home, 8) == 0 ? 2 : 0;
    return draw_large(HOME, origin, home, table->transits);
}

size_t made_path(const struct made_table *table, uint32_t peer, uint32_t prefix,
                 uint32_t path[MADE_HOPS])
{
    uint32_t origin = draw_large(ORIGIN, prefix, 0, table->origins), repeats;
    uint32_t upstream = upstream_of(table, origin, prefix, peer, &repeats);
    path[0] = made_peer_asn(peer);
    size_t count = 1 + way_from(upstream, peer, path + 1);
    for (uint32_t i = 0; i <= repeats; i++)
        path[count++] = FIRST_ASN + table->transits + origin;
    return count;
}
