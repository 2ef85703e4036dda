#include "table.h"

#include "base/mem.h"
#include "source/mrt/mrt_reader.h"
#include "source/table/route_table.h"
#include "made_table.h"
#include "sys/clock.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static double seconds_since(struct mono start)
{
    return (double)mono_diff(clock_mono(), start) / (double)NS_PER_S;
}

static double peak_mib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

static void print_table(const struct route_table *table)
{
    struct route_table_counts counts = route_table_counts(table);
    printf("prefixes %u\nprefixes6 %u\ncolumns %u\ncolumns6 %u\n", counts.prefixes[0],
           counts.prefixes[1], counts.columns[0], counts.columns[1]);
    printf("chunks %u\nways %u\ncollected %llu\nrefused %llu\n", counts.chunks, counts.ways,
           (unsigned long long)counts.collected, (unsigned long long)counts.refused);
    printf("bytes %zu\nmib %.1f\n", counts.memory, (double)counts.memory / 1048576);
}

/* ---- real changes, decoded beforehand ---- */

/* What an element says, without what the table does not look at. */
struct change {
    struct utc time;
    struct prefix prefix;
    uint8_t kind, safi;
    uint16_t peer;
    uint32_t path;
};

struct decoded {
    struct change *changes;
    size_t count, capacity;
    struct bgp_path *paths;
    size_t path_count, path_capacity;
    struct mrt_peer *peers;
    size_t peer_count, peer_capacity;
    struct arena bytes;
};

static uint16_t peer_index(struct decoded *decoded, const struct mrt_peer *peer)
{
    for (size_t i = 0; i < decoded->peer_count; i++)
        if (decoded->peers[i].asn == peer->asn &&
            memcmp(&decoded->peers[i].addr, &peer->addr, sizeof peer->addr) == 0)
            return (uint16_t)i;
    decoded->peers = mem_grow(decoded->peers, &decoded->peer_capacity, decoded->peer_count + 1,
                              sizeof *decoded->peers);
    decoded->peers[decoded->peer_count] = *peer;
    return (uint16_t)decoded->peer_count++;
}

static struct reader keep_bytes(struct arena *arena, struct reader bytes)
{
    size_t n = reader_left(&bytes);
    return n ? reader_of(arena_copy(arena, (const char *)bytes.at, n), n) : bytes;
}

/* One path for all prefixes of a record, as they are decoded one after the other. */
static uint32_t path_index(struct decoded *decoded, const struct bgp_path *path)
{
    struct bgp_path *last = decoded->path_count ? &decoded->paths[decoded->path_count - 1] : NULL;
    size_t n = reader_left(&path->head);
    if (last && reader_left(&last->head) == n && memcmp(last->head.at, path->head.at, n) == 0 &&
        !reader_left(&path->tail) && !reader_left(&last->tail))
        return (uint32_t)decoded->path_count - 1;
    decoded->paths = mem_grow(decoded->paths, &decoded->path_capacity, decoded->path_count + 1,
                              sizeof *decoded->paths);
    decoded->paths[decoded->path_count] = *path;
    decoded->paths[decoded->path_count].head = keep_bytes(&decoded->bytes, path->head);
    decoded->paths[decoded->path_count].tail = keep_bytes(&decoded->bytes, path->tail);
    return (uint32_t)decoded->path_count++;
}

static void keep(void *context, const struct element *element)
{
    struct decoded *decoded = context;
    if (element->kind > ELEMENT_TABLE)
        return;
    decoded->changes = mem_grow(decoded->changes, &decoded->capacity, decoded->count + 1,
                                sizeof *decoded->changes);
    decoded->changes[decoded->count++] =
        (struct change){.time = element->time,
                        .prefix = element->prefix,
                        .kind = (uint8_t)element->kind,
                        .safi = element->safi,
                        .peer = peer_index(decoded, element->peer),
                        .path = element->kind == ELEMENT_WITHDRAW
                                    ? 0
                                    : path_index(decoded, &element->attributes->path)};
}

static void decode(const char *path, struct element_walk *walk)
{
    struct input *input;
    struct why why;
    struct stream_faults faults = {0};
    struct mrt_reader reader;
    struct mrt_header header;
    struct reader body;
    if (input_open(path, &input, &why)) {
        fprintf(stderr, "bench: %s\n", why.text);
        exit(1);
    }
    mrt_reader_init(&reader, input, NULL, 0, &faults);
    while (mrt_reader_next(&reader, &header, &body, &why) > 0)
        element_walk_record(walk, &header, body);
    mrt_reader_done(&reader);
    input_close(input);
}

static void feed(struct route_table *table, const struct decoded *decoded)
{
    static struct bgp_attributes attributes;
    static struct element element = {.attributes = &attributes};
    for (size_t i = 0; i < decoded->count; i++) {
        const struct change *change = &decoded->changes[i];
        attributes.path = decoded->paths[change->path];
        element.kind = change->kind;
        element.time = change->time;
        element.peer = &decoded->peers[change->peer];
        element.prefix = change->prefix;
        element.safi = change->safi;
        route_table_feed(table, 0, &element);
    }
    route_table_flush(table);
}

/* Decoding alone first, then decoding into memory, then the table alone. */
void bench_changes(char **paths)
{
    struct decoded decoded = {0};
    struct element_walk walk = {0};
    struct mono start = clock_mono();
    for (char **path = paths; *path; path++)
        decode(*path, &walk);
    printf("decode_seconds %.3f\n", seconds_since(start));
    element_walk_done(&walk);
    walk = (struct element_walk){.take = keep, .context = &decoded};
    for (char **path = paths; *path; path++)
        decode(*path, &walk);
    element_walk_done(&walk);
    double before = peak_mib();
    start = clock_mono();
    struct route_table *table = route_table_new(&(struct route_table_options){0});
    feed(table, &decoded);
    double seconds = seconds_since(start);
    printf("changes %zu\nseconds %.3f\nrate %.9g\npeak_mib %.1f\n", decoded.count, seconds,
           (double)decoded.count / seconds, peak_mib() - before);
    start = clock_mono();
    feed(table, &decoded);
    seconds = seconds_since(start);
    printf("again_rate %.9g\n", (double)decoded.count / seconds);
    print_table(table);
    route_table_free(table);
    free(decoded.changes);
    free(decoded.paths);
    free(decoded.peers);
    arena_done(&decoded.bytes);
}

/* ---- a made-up table ---- */

/* AS_PATH: one segment (RFC 4271, 4.3) of 4-byte ASNs. */
static struct bgp_path path_of(const uint32_t *asns, size_t count, uint8_t bytes[2 + 4 * MADE_HOPS])
{
    uint8_t *at = bytes;
    *at++ = 2;
    *at++ = (uint8_t)count;
    for (size_t i = 0; i < count; i++)
        for (int shift = 24; shift >= 0; shift -= 8)
            *at++ = (uint8_t)(asns[i] >> shift);
    return (struct bgp_path){
        .head = reader_of(bytes, (size_t)(at - bytes)), .head_hops = UINT_MAX, .is_as4 = true};
}

/* /24s, one after the other. */
static struct prefix made_prefix(uint32_t number)
{
    number += 0x010000;
    return (struct prefix){{{(uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number}, 4},
                           24};
}

/* As a dump has it: prefix by prefix, all peers of each. */
static void fill(struct route_table *table, const struct made_table *made, uint32_t peer_count)
{
    static struct bgp_attributes attributes;
    uint32_t asns[MADE_HOPS];
    uint8_t bytes[2 + 4 * MADE_HOPS];
    for (uint32_t i = 0; i < made->prefixes; i++) {
        for (uint32_t k = 0; k < peer_count; k++) {
            struct mrt_peer peer = {{{192, 0, (uint8_t)(k >> 8), (uint8_t)k}, 4}, made_peer_asn(k)};
            attributes.path = path_of(asns, made_path(made, k, i, asns), bytes);
            struct element element = {.kind = ELEMENT_TABLE,
                                      .time = {NS_PER_S},
                                      .peer = &peer,
                                      .prefix = made_prefix(i),
                                      .safi = BGP_UNICAST,
                                      .attributes = &attributes};
            route_table_feed(table, 0, &element);
        }
    }
    route_table_flush(table);
}

/* The worst there is: each change of another prefix, at another peer, and to what no other has. */
static void print_worst(struct route_table *table, const struct made_table *made,
                        uint32_t peer_count)
{
    enum { CHANGES = 2000000 };
    uint64_t drawn = 1;
    struct mono start = clock_mono();
    for (unsigned i = 0; i < CHANGES; i++) {
        drawn = drawn * 6364136223846793005U + 1442695040888963407U;
        uint32_t k = (uint32_t)(drawn >> 33) % peer_count;
        struct mrt_peer peer = {{{192, 0, (uint8_t)(k >> 8), (uint8_t)k}, 4}, made_peer_asn(k)};
        struct element element = {.kind = ELEMENT_WITHDRAW,
                                  .time = {NS_PER_S},
                                  .peer = &peer,
                                  .prefix = made_prefix((uint32_t)(drawn >> 40) % made->prefixes),
                                  .safi = BGP_UNICAST};
        route_table_feed(table, 0, &element);
    }
    route_table_flush(table);
    printf("worst_rate %.9g\n", CHANGES / seconds_since(start));
}

/* What a part of its peers has, each with all the others left out. */
static uint32_t ways_of_one(const struct made_table *made)
{
    struct route_table *table = route_table_new(&(struct route_table_options){0});
    fill(table, made, 1);
    uint32_t ways = route_table_counts(table).chunks;
    route_table_free(table);
    return ways;
}

void bench_table(uint64_t prefixes, uint64_t peers)
{
    struct made_table made = made_table_of(prefixes);
    double one = (double)ways_of_one(&made), before = peak_mib();
    struct route_table *table = route_table_new(&(struct route_table_options){0});
    struct mono start = clock_mono();
    fill(table, &made, (uint32_t)peers);
    printf("seconds %.3f\n", seconds_since(start));
    struct route_table_counts counts = route_table_counts(table);
    double cells = (double)prefixes * (double)peers;
    print_table(table);
    printf("peak_mib %.1f\n", peak_mib() - before);
    printf("bytes_a_cell %.3f\n", (double)counts.memory / cells);
    printf("ways_of_one_peer_a_prefix %.3f\nways_of_the_sum %.3f\nchunks_of_eight_a_prefix %.3f\n",
           one / (double)prefixes, counts.ways / (one * (double)peers),
           counts.chunks / ((double)prefixes * (double)((peers + 7) / 8)));
    print_worst(table, &made, (uint32_t)peers);
    route_table_free(table);
}
