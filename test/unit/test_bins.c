/* source/table/bins and space: the arithmetic of address space, and bins against figures worked out by hand
 * and by brute force. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "source/table/bins.h"
#include "source/table/space.h"
#include "table_maker.h"

#include <time.h>

enum { PEERS = 8, BIN = 300 };

static uint64_t sum_of(const char *const *prefixes, size_t count)
{
    uint64_t covered = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        struct prefix prefix = made_prefix(prefixes[i]);
        sum += blocks_add(&prefix, &covered);
    }
    return sum;
}

static void test_blocks(void **state)
{
    (void)state;
    static const struct {
        const char *prefixes[5];
        uint64_t blocks;
    } cases[] = {
        {{"10.0.0.0/24"}, 1},
        {{"10.0.0.0/16"}, 256},
        {{"10.0.0.128/25"}, 1},
        {{"10.0.0.0/25", "10.0.0.128/25"}, 1},
        {{"10.0.0.0/32", "10.0.1.0/32"}, 2},
        {{"10.0.0.0/8", "10.1.0.0/16", "10.2.3.0/24"}, 65536},
        {{"10.0.0.0/16", "10.0.0.0/17", "10.0.128.0/17", "10.1.0.0/24"}, 257},
        {{"10.0.0.0/24", "10.0.2.0/23", "10.0.3.0/24"}, 3},
        {{"0.0.0.0/0", "10.0.0.0/8"}, 1 << 24},
        {{"255.255.255.0/24"}, 1},
        {{"2001:db8::/48"}, 1},
        {{"2001:db8::/32", "2001:db8:1::/48"}, 65536},
        {{"2001:db8::/64", "2001:db8:0:1::/64", "2001:db8:1::/64"}, 2},
        {{"::/0"}, UINT64_C(1) << 48},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t count = 0;
        while (count < 5 && cases[i].prefixes[count])
            count++;
        assert_int_equal(sum_of(cases[i].prefixes, count), cases[i].blocks);
    }
}

/* ---- bins ---- */

struct world {
    struct route_table *table;
    struct bins *bins;
    struct bin_row last[64]; /* what was told of each AS last, by ASN */
    unsigned told;
    int64_t now;
    uint64_t seed;
};

static void take_row(void *context, const struct bin_row *row)
{
    struct world *world = context;
    assert_true(row->asn < 64);
    assert_int_equal(row->start.ns % (BIN * NS_PER_S), 0);
    world->last[row->asn] = *row;
    world->told++;
}

static void changed(void *context, const struct table_change *change)
{
    bins_change(((struct world *)context)->bins, change);
}

static struct world *world_new(const struct countries *countries)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->table =
        route_table_new(&(struct route_table_options){.changed = changed, .context = world});
    world->bins = bins_new(
        &(struct bins_options){.countries = countries, .tell = take_row, .context = world});
    bins_begin(world->bins, world->table);
    world->now = 1000 * BIN;
    bins_advance(world->bins, (struct utc){world->now * NS_PER_S});
    return world;
}

static void world_free(struct world *world)
{
    bins_free(world->bins);
    route_table_free(world->table);
    free(world);
}

static void say(struct world *world, unsigned peer, const char *prefix, const char *rest)
{
    char path[64];
    snprintf(path, sizeof path, "%u %s", MADE_FIRST_ASN + peer, rest ? rest : "");
    route_table_feed(world->table, 0, made_route(world->now, peer, prefix, rest ? path : NULL));
}

static void say_all(struct world *world, unsigned first, unsigned end, const char *prefix,
                    const char *rest)
{
    for (unsigned peer = first; peer < end; peer++)
        say(world, peer, prefix, rest);
}

static void next_bin(struct world *world)
{
    world->now += BIN;
    route_table_feed(world->table, 0, made_tick(world->now, 0));
    bins_advance(world->bins, (struct utc){world->now * NS_PER_S});
}

static void assert_row(const struct world *world, uint32_t asn, uint64_t blocks, uint32_t prefixes,
                       uint32_t upstreams)
{
    assert_int_equal(world->last[asn].blocks[0], blocks);
    assert_int_equal(world->last[asn].prefixes[0], prefixes);
    assert_int_equal(world->last[asn].upstreams, upstreams);
}

static void test_by_hand(void **state)
{
    (void)state;
    struct world *world = world_new(NULL);
    say_all(world, 0, PEERS, "10.0.0.0/16", "7 10");
    say_all(world, 0, 4, "10.0.1.0/24", "7 10");
    say_all(world, 4, PEERS, "10.0.1.0/24", "8 10");
    say_all(world, 0, PEERS, "20.0.0.0/24", "9 20");
    next_bin(world);
    assert_row(world, 10, 256, 2, 2);
    assert_row(world, 20, 1, 1, 1);
    assert_int_equal(world->last[10].peers[0], PEERS);
    unsigned told = world->told;
    next_bin(world); /* nothing changed: nothing is told */
    assert_int_equal(world->told, told);
    say_all(world, 0, 4, "10.0.0.0/16", NULL); /* half still have it */
    next_bin(world);
    assert_int_equal(world->told, told);
    say_all(world, 4, 5, "10.0.0.0/16", NULL);
    next_bin(world);
    assert_row(world, 10, 1, 1, 2);
    assert_int_equal(world->told, told + 1);     /* not of AS 20 */
    say_all(world, 0, 5, "20.0.0.0/24", "7 10"); /* most say that it is of another now */
    next_bin(world);
    assert_row(world, 10, 2, 2, 3);
    assert_row(world, 20, 0, 0, 0);
    route_table_feed(world->table, 0, made_state(world->now, 7, 6, 1)); /* a session is lost */
    say_all(world, 0, 1, "10.0.1.0/24", "7 10");
    next_bin(world);
    assert_int_equal(world->last[10].prefixes[0], 2);
    bins_end(world->bins, (struct utc){(world->now + 1) * NS_PER_S});
    world_free(world);
}

/* Longer by half a hop is told, of an AS the mean over its prefixes; by less it is not. */
static void test_path_length(void **state)
{
    (void)state;
    struct world *world = world_new(NULL);
    say_all(world, 0, PEERS, "10.0.0.0/16", "7 10");
    say_all(world, 0, PEERS, "10.1.0.0/16", "7 10");
    next_bin(world);
    assert_float_equal(world->last[10].path_length, 3, 0.001);
    unsigned told = world->told;
    say_all(world, 0, 7, "10.0.0.0/16", "8 7 10"); /* 7 of 16 paths by one hop */
    next_bin(world);
    assert_int_equal(world->told, told);
    say_all(world, 0, 7, "10.1.0.0/16", "7 7 7 10");
    next_bin(world);
    assert_int_equal(world->told, told + 1);
    assert_float_equal(world->last[10].path_length, 3 + 21.0 / 16, 0.01);
    say_all(world, 0, PEERS, "10.1.0.0/16", NULL);
    next_bin(world);
    assert_float_equal(world->last[10].path_length, 3 + 7.0 / 8, 0.01);
    say_all(world, 0, PEERS, "10.0.0.0/16", NULL);
    next_bin(world);
    assert_float_equal(world->last[10].path_length, 0, 0);
    world_free(world);
}

/* ---- by brute force ---- */

enum { PREFIXES = 40, ORIGINS = 5 };

static uint32_t draw(struct world *world, uint32_t most)
{
    world->seed = world->seed * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)((world->seed >> 33) % most);
}

/* All within 10.0.0.0/20: each /24 is a place in an array. */
static struct prefix numbered(unsigned i)
{
    unsigned bits = 20 + i % 6, place = i * 7 % 16;
    struct addr addr = {.bytes = {10, 0, (uint8_t)place, (uint8_t)(bits == 25 ? 128 : 0)},
                        .family = 4};
    return prefix_of(&addr, bits);
}

static void count_by_force(struct world *world, unsigned blocks[ORIGINS],
                           unsigned prefixes[ORIGINS], double hops[ORIGINS])
{
    bool has[ORIGINS][16] = {{false}};
    memset(prefixes, 0, ORIGINS * sizeof *prefixes);
    memset(hops, 0, ORIGINS * sizeof *hops);
    for (unsigned i = 0; i < PREFIXES; i++) {
        struct prefix prefix = numbered(i);
        struct table_view view;
        bool is_first = true; /* several numbers make the same prefix */
        for (unsigned k = 0; k < i; k++) {
            struct prefix other = numbered(k);
            is_first &= prefix_compare(&other, &prefix) != 0;
        }
        struct table_row row = route_table_find(world->table, &prefix);
        if (!row.row || !is_first)
            continue;
        route_table_view(world->table, row, &view);
        unsigned carried = (unsigned)view.sight.carried + view.sight.unknown;
        unsigned all = carried + view.sight.withdrawn + view.sight.absent;
        if (!view.sight.carried || carried * 2 < all)
            continue;
        unsigned origin = view.origins[0].asn - 40, first = prefix.addr.bytes[2];
        prefixes[origin]++;
        hops[origin] += view.mean_length;
        for (unsigned k = 0; k < (prefix.bits < 24 ? 1U << (24 - prefix.bits) : 1); k++)
            has[origin][first + k] = true;
    }
    for (unsigned i = 0; i < ORIGINS; i++) {
        blocks[i] = 0;
        for (unsigned k = 0; k < 16; k++)
            blocks[i] += has[i][k];
    }
}

static void change_something(struct world *world)
{
    unsigned peer = draw(world, PEERS), what = draw(world, 100);
    struct prefix prefix = numbered(draw(world, PREFIXES));
    char text[PREFIX_TEXT_MAX], path[32];
    prefix_format(&prefix, text);
    snprintf(path, sizeof path, "%.*s%u %u", (int)(2 * draw(world, 4)), "9 8 7 ",
             draw(world, 3) + 1, 40 + draw(world, ORIGINS));
    if (what < 2)
        route_table_feed(world->table, 0, made_state(world->now, peer, 6, 1));
    else
        say(world, peer, text, what < 60 ? path : NULL);
}

static void test_by_force(void **state)
{
    (void)state;
    struct world *world = world_new(NULL);
    world->seed = (uint64_t)time(NULL);
    print_message("seed %llu\n", (unsigned long long)world->seed);
    for (unsigned bin = 0; bin < 600; bin++) {
        for (unsigned i = draw(world, 30); i > 0; i--)
            change_something(world);
        if (bin % 50 == 49) {
            route_table_forget(world->table, NULL, NULL);
            bins_forget(world->bins);
        }
        next_bin(world);
        unsigned blocks[ORIGINS], prefixes[ORIGINS];
        double hops[ORIGINS];
        count_by_force(world, blocks, prefixes, hops);
        for (unsigned i = 0; i < ORIGINS; i++) {
            assert_int_equal(world->last[40 + i].blocks[0], blocks[i]);
            assert_int_equal(world->last[40 + i].prefixes[0], prefixes[i]);
            double mean = prefixes[i] ? hops[i] / prefixes[i] : 0;
            assert_float_equal(world->last[40 + i].path_length, mean, 0.51);
        }
    }
    assert_true(world->told > 600);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_path_length),
        cmocka_unit_test(test_by_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
