/* source/bgp: what is wanted, against the definition tried on each prefix; and what is remembered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"
#include "source/bgp/route_feed.h"

#include <stdio.h>
#include <string.h>

static struct prefix prefix_from(const char *text)
{
    struct prefix prefix;
    assert_true(prefix_parse(text, strlen(text), &prefix));
    return prefix;
}

/* Prefixes of a small world, so that they often lie within each other. */
static struct prefix random_prefix(uint64_t *seed)
{
    uint64_t x = hash_mix(++*seed);
    struct addr addr = {.family = x & 1 ? 4 : 6};
    addr.bytes[0] = (uint8_t)(32 | (x >> 1 & 1));
    addr.bytes[1] = (uint8_t)(x >> 8 & 0xc1);
    addr.bytes[2] = (uint8_t)(x >> 16 & 0x81);
    addr.bytes[3] = (uint8_t)(x >> 24 & 3);
    return prefix_of(&addr, (unsigned)(x >> 32) % 33);
}

static bool is_related(const struct prefix *watched, const struct prefix *prefix)
{
    bool is_too_wide = prefix->bits < (prefix->addr.family == 6 ? 16 : 8);
    return prefix_has(watched, prefix) || (!is_too_wide && prefix_has(prefix, watched));
}

static void test_filter_by_definition(void **state)
{
    (void)state;
    uint64_t seed = 1;
    size_t hits = 0, misses = 0;
    for (size_t round = 0; round < 300; round++) {
        struct prefix watched[20];
        struct route_filter filter;
        size_t count = round % 20, learned = count / 2;
        for (size_t i = 0; i < count; i++)
            watched[i] = random_prefix(&seed);
        route_filter_init(&filter, &(struct watch){.prefixes = watched, .prefix_count = learned});
        for (size_t i = learned; i < count; i++) {
            if (watched[i].bits < 16)
                watched[i] = prefix_of(&watched[i].addr, 20);
            route_filter_learn(&filter, &watched[i]);
        }
        for (size_t i = 0; i < 300; i++) {
            struct prefix prefix = random_prefix(&seed);
            bool want = false;
            for (size_t k = 0; k < count; k++)
                want = want || is_related(&watched[k], &prefix);
            assert_int_equal(route_filter_has_prefix(&filter, &prefix), want);
            want ? hits++ : misses++;
        }
        route_filter_done(&filter);
    }
    assert_true(hits > 1000 && misses > 1000); /* else it was no trial */
}

/* An AS that leaks half the table does not make us follow it all. */
static void test_learned_is_capped(void **state)
{
    (void)state;
    struct route_filter filter;
    route_filter_init(&filter, &(struct watch){0});
    for (uint32_t i = 0; i < ROUTE_FILTER_LEARNED_MAX + 1000; i++) {
        struct addr addr = {.family = 4,
                            .bytes = {(uint8_t)(16 + (i >> 16)), (uint8_t)(i >> 8), (uint8_t)i}};
        struct prefix prefix = prefix_of(&addr, 24);
        route_filter_learn(&filter, &prefix);
        assert_int_equal(route_filter_has_prefix(&filter, &prefix), i < ROUTE_FILTER_LEARNED_MAX);
    }
    struct prefix wide = prefix_from("64.0.0.0/7");
    route_filter_learn(&filter, &wide);
    assert_false(route_filter_has_prefix(&filter, &wide));
    route_filter_done(&filter);
}

static void test_peers(void **state)
{
    (void)state;
    struct route_memory memory;
    route_memory_init(&memory, &(struct watch){0});
    struct addr addr = {.family = 4, .bytes = {192, 0, 2, 9}};
    assert_int_equal(route_memory_peer(&memory, 1, &addr, 65000), 0);
    assert_int_equal(route_memory_peer(&memory, 1, &addr, 65001), 1);
    assert_int_equal(route_memory_peer(&memory, 2, &addr, 65000), 2);
    assert_int_equal(route_memory_peer(&memory, 1, &addr, 65000), 0);
    for (uint32_t asn = 3; asn < ROUTE_MEMORY_PEERS_MAX; asn++)
        assert_int_equal(route_memory_peer(&memory, 3, &addr, asn), asn);
    assert_int_equal(route_memory_peer(&memory, 3, &addr, 1), -1);
    assert_int_equal(route_memory_peer(&memory, 2, &addr, 65000), 2);
    route_memory_done(&memory);
}

static void test_paths(void **state)
{
    (void)state;
    struct path_memory paths = {0};
    uint32_t path = 0;
    path_memory_announce(&paths, 1, 10, 2, 102);
    path_memory_announce(&paths, 1, 10, 1, 101);
    path_memory_announce(&paths, 1, 10, 3, 103);
    path_memory_announce(&paths, 1, 10, 3, 104); /* in place of the one before */
    path_memory_announce(&paths, 2, 10, 1, 201); /* another peer's */
    path_memory_announce(&paths, 1, 11, 1, 301); /* another prefix */
    assert_int_equal(path_memory_withdraw(&paths, 1, 10, 1, &path), PATHS_LEFT);
    assert_int_equal(path, 102); /* the lowest identifier */
    assert_int_equal(path_memory_withdraw(&paths, 1, 10, 2, &path), PATHS_LEFT);
    assert_int_equal(path, 104);
    assert_int_equal(path_memory_withdraw(&paths, 1, 10, 9, &path),
                     PATHS_LEFT); /* never announced */
    assert_int_equal(path, 104);
    path = 0;
    assert_int_equal(path_memory_withdraw(&paths, 1, 10, 3, &path), PATHS_NONE);
    assert_int_equal(path, 0);
    path_memory_announce(&paths, 1, 10, 5, 105);
    path_memory_announce(&paths, 1, 10, 6, 106);
    path_memory_forget(&paths, 1);
    assert_int_equal(path_memory_withdraw(&paths, 1, 10, 5, &path), PATHS_NONE);
    assert_int_equal(path_memory_withdraw(&paths, 1, 11, 9, &path), PATHS_NONE);
    assert_int_equal(path_memory_withdraw(&paths, 2, 10, 9, &path), PATHS_LEFT);
    assert_int_equal(path, 201);
    path_memory_done(&paths);
}

/* Fills the memory with paths of one peer and its prefixes from 1000 on. */
static void fill(struct path_memory *paths, uint32_t peer)
{
    for (uint32_t i = 0; paths->count < PATH_MEMORY_MAX; i++)
        path_memory_announce(paths, peer, 1000 + i, 1, 5);
}

/* A path that was not kept may be the one that is left: nobody knows, until the session is another. */
static void test_more_paths_than_are_kept(void **state)
{
    (void)state;
    struct path_memory paths = {0};
    uint32_t path = 0;
    path_memory_announce(&paths, 1, 10, 1, 101);
    path_memory_announce(&paths, 2, 10, 1, 201);
    fill(&paths, 3);
    assert_int_equal(paths.not_kept, 0);
    path_memory_announce(&paths, 1, 10, 2, 102);
    assert_int_equal(paths.not_kept, 1);
    assert_int_equal(path_memory_withdraw(&paths, 1, 10, 1, &path), PATHS_UNKNOWN);
    assert_int_equal(path_memory_withdraw(&paths, 1, 11, 1, &path), PATHS_UNKNOWN);
    assert_int_equal(path_memory_withdraw(&paths, 2, 10, 1, &path), PATHS_NONE);
    assert_int_equal(path_memory_withdraw(&paths, 3, 1000, 1, &path), PATHS_NONE);
    assert_int_equal(path, 0);
    path_memory_forget(&paths, 1);
    path_memory_announce(&paths, 1, 10, 1, 101);
    assert_int_equal(path_memory_withdraw(&paths, 1, 10, 1, &path), PATHS_NONE);
    path_memory_done(&paths);
}

/* So does a peer that tells a thousand paths to one prefix. */
static void test_more_paths_to_one_prefix(void **state)
{
    (void)state;
    struct path_memory paths = {0};
    uint32_t path = 0;
    for (uint32_t id = 0; id <= PATHS_OF_ONE_MAX; id++)
        path_memory_announce(&paths, 1, 10, id, 100 + id);
    assert_int_equal(paths.not_kept, 1);
    for (uint32_t id = 1; id <= PATHS_OF_ONE_MAX; id++)
        assert_int_equal(path_memory_withdraw(&paths, 1, 10, id, &path), PATHS_LEFT);
    assert_int_equal(path_memory_withdraw(&paths, 1, 10, 0, &path), PATHS_UNKNOWN);
    path_memory_done(&paths);
}

struct told {
    struct registry *registry;
    char text[200];
};

static void note(void *context, const struct observation *o)
{
    struct told *told = context;
    size_t n = strlen(told->text);
    if (o->kind == OBSERVATION_PEER)
        snprintf(told->text + n, sizeof told->text - n, "peer %u\n", o->code);
    else
        snprintf(told->text + n, sizeof told->text - n, "%u %s\n", o->code,
                 registry_text(told->registry, o->target));
}

/* Then what the peer carries is unknown until it speaks of it again, and no withdrawal is told. */
static void test_no_false_withdrawal(void **state)
{
    (void)state;
    struct prefix watched = prefix_from("9.0.0.0/8");
    struct addr addr = {.family = 4, .bytes = {192, 0, 2, 9}};
    struct bgp_path path = {0};
    struct told told = {.registry = registry_new()};
    struct sink sink = {told.registry, note, &told};
    struct route_memory memory;
    struct route_feed feed;
    route_memory_init(&memory, &(struct watch){.prefixes = &watched, .prefix_count = 1});
    route_feed_init(&feed, &sink, &memory, "rrc00");
    feed.time.ns = NS_PER_S;
    int32_t peer = route_feed_peer(&feed, &addr, 65000);
    route_feed_hear(&feed, peer);
    for (uint32_t id = 1; id <= 3; id++) {
        uint32_t path_name = 0;
        struct route_change change = {peer, ROUTE_ANNOUNCE, watched, id, true, &path, &path_name};
        if (id == 3)
            fill(&memory.paths, 77);
        route_feed_change(&feed, &change);
    }
    for (uint32_t id = 1; id <= 2; id++) {
        struct route_change change = {peer, ROUTE_WITHDRAW, watched, id, true, NULL, NULL};
        route_feed_change(&feed, &change);
    }
    assert_string_equal(told.text, "peer 1\n1 9.0.0.0/8\n1 9.0.0.0/8\n1 9.0.0.0/8\n"
                                   "1 9.0.0.0/8\npeer 5\n");
    route_feed_done(&feed);
    route_memory_done(&memory);
    registry_free(told.registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filter_by_definition),
        cmocka_unit_test(test_learned_is_capped),
        cmocka_unit_test(test_peers),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_more_paths_than_are_kept),
        cmocka_unit_test(test_more_paths_to_one_prefix),
        cmocka_unit_test(test_no_false_withdrawal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
