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
    struct bin_row last[64]; /* what was told of each AS last, by ASN; of all, by 0 */
    unsigned told, due;      /* of ASes: in which something changed, and for every time */
    int64_t now;
    uint64_t seed;
};

static void take_row(void *context, const struct bin_row *row)
{
    struct world *world = context;
    assert_true(row->who.asn < 64);
    assert_int_equal(row->start.ns % (BIN * NS_PER_S), 0);
    world->last[row->who.asn] = *row;
    world->told += row->who.asn && row->is_changed;
    world->due += row->who.asn && row->is_due[0];
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
    bins_advance(world->bins, (struct utc){world->now * NS_PER_S});
    route_table_feed(world->table, 0, made_tick(world->now, 0));
}

static void assert_known(const struct world *world, uint32_t asn, uint64_t seen, uint64_t known)
{
    assert_int_equal(world->last[asn].seen[0], seen);
    assert_int_equal(world->last[asn].known[0], known);
    assert_true(bin_has_data(&world->last[asn], 0));
}

static void assert_row(const struct world *world, uint32_t asn, uint64_t blocks, uint32_t prefixes,
                       uint32_t upstreams)
{
    assert_int_equal(world->last[asn].seen[0], blocks);
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

/* What was seen and is not stays known; by whom, and of all together. */
static void test_known(void **state)
{
    (void)state;
    struct world *world = world_new(NULL);
    say_all(world, 0, PEERS, "10.0.0.0/22", "7 10");
    say_all(world, 0, PEERS, "10.0.8.0/24", "7 10");
    say_all(world, 0, PEERS, "10.0.8.0/23", "7 20");
    say_all(world, 0, PEERS, "0.0.0.0/0", "7 30"); /* nobody's */
    next_bin(world);
    assert_known(world, 10, 5, 5);
    assert_known(world, 20, 2, 2);
    assert_known(world, 0, 6, 6);
    assert_int_equal(world->last[30].known[0], 0);
    say_all(world, 0, PEERS, "10.0.0.0/22", NULL);
    say_all(world, 0, 5, "10.0.8.0/23", NULL);
    next_bin(world);
    assert_known(world, 10, 1, 5);
    assert_known(world, 20, 0, 2);
    assert_known(world, 0, 1, 6);
    assert_int_equal(world->last[0].origins, 1);
    assert_int_equal(world->due, 4);
    next_bin(world);
    assert_int_equal(world->due, 4);                 /* no more than once */
    say_all(world, 0, PEERS, "10.0.0.0/22", "7 20"); /* another has it now */
    next_bin(world);
    assert_known(world, 10, 1, 1);
    assert_known(world, 20, 4, 6);
    world_free(world);
}

/* After a week it is not known any more, if nobody watches it. */
static void test_forgetting(void **state)
{
    (void)state;
    static const struct bin_who watched = {.asn = 10};
    struct world *world = world_new(NULL);
    struct prefix prefix = made_prefix("10.0.0.0/22");
    say_all(world, 0, PEERS, "10.0.0.0/22", "7 10");
    say_all(world, 0, PEERS, "20.0.0.0/24", "7 20");
    next_bin(world);
    struct table_row row = route_table_find(world->table, &prefix);
    assert_false(bins_may_forget(world->bins, row));
    for (unsigned i = 0; i < 9; i++)
        bins_forget(world->bins);
    assert_false(bins_may_forget(world->bins, row)); /* it is seen all the while */
    say_all(world, 0, PEERS, "10.0.0.0/22", NULL);
    next_bin(world);
    for (unsigned i = 0; i < 7; i++) {
        assert_false(bins_may_forget(world->bins, row));
        bins_forget(world->bins);
    }
    assert_true(bins_may_forget(world->bins, row));
    bins_watch(world->bins, &watched, 1);
    assert_false(bins_may_forget(world->bins, row));
    bins_watch(world->bins, NULL, 0);
    assert_known(world, 10, 0, 4);
    route_table_forget(world->table, NULL, NULL);
    bins_forget(world->bins);
    next_bin(world);
    assert_known(world, 10, 0, 0);
    assert_known(world, 0, 1, 1);
    assert_true(bins_may_forget(world->bins, row)); /* it is not there */
    world_free(world);
}

static void lose(struct world *world, unsigned first, unsigned end)
{
    for (unsigned peer = first; peer < end; peer++)
        route_table_feed(world->table, 0, made_state(world->now, peer, 6, 1));
}

/* Half of the peers are a quorum, fewer are no data; what changed meanwhile is told afterwards. */
static void test_quorum(void **state)
{
    (void)state;
    static const struct bin_who watched = {.asn = 20};
    struct world *world = world_new(NULL);
    bins_watch(world->bins, &watched, 1);
    say_all(world, 0, PEERS, "10.0.0.0/22", "7 10");
    say_all(world, 0, PEERS, "20.0.0.0/24", "7 20");
    next_bin(world);
    assert_known(world, 10, 4, 4);
    assert_int_equal(world->due, 2);
    lose(world, 0, 4);
    next_bin(world);
    assert_known(world, 20, 1, 1); /* of a peer that is lost nothing is known */
    assert_int_equal(world->last[20].peers[0], 4);
    assert_int_equal(world->last[20].peers_total[0], PEERS);
    assert_int_equal(world->due, 3);
    unsigned told = world->told;
    lose(world, 4, 5);
    say_all(world, 5, PEERS, "10.0.0.0/22", NULL);
    next_bin(world);
    assert_int_equal(world->told, told);
    assert_int_equal(world->due, 4);
    assert_false(bin_has_data(&world->last[20], 0)); /* but told of, as it is watched */
    assert_false(bin_has_data(&world->last[0], 0));
    assert_int_equal(world->last[20].peers[0], 3);
    assert_int_equal(world->last[10].seen[0], 4);
    lose(world, 5, PEERS);
    next_bin(world);
    assert_int_equal(world->told, told);
    assert_false(bin_has_data(&world->last[20], 0));
    assert_int_equal(world->last[20].peers[0], 0);
    world->now += 10;
    say_all(world, 0, PEERS, "20.0.0.0/24", "7 20"); /* sessions that begin tell their tables */
    next_bin(world);
    assert_false(bin_has_data(&world->last[20], 0));
    next_bin(world);
    assert_known(world, 20, 1, 1);
    assert_known(world, 10, 0, 4); /* no peer has it in its table */
    world_free(world);
}

/* A gap of the collector makes nothing gone: it is not known until somebody says so. */
static void test_gap(void **state)
{
    (void)state;
    static const struct bin_who watched = {.asn = 10};
    struct world *world = world_new(NULL);
    say_all(world, 0, PEERS, "10.0.0.0/22", "7 10");
    say_all(world, 0, PEERS, "20.0.0.0/24", "7 20");
    say_all(world, 0, PEERS, "30.0.0.0/24", "7 30");
    bins_watch(world->bins, &watched, 1);
    next_bin(world);
    route_table_gap(world->table, -1);
    next_bin(world);
    assert_false(bin_has_data(&world->last[10], 0));
    say_all(world, 0, PEERS, "20.0.0.0/24", "7 20");
    say_all(world, 0, PEERS, "30.0.0.0/24", NULL);
    next_bin(world);
    assert_known(world, 10, 0, 0);
    assert_known(world, 20, 1, 1);
    assert_known(world, 30, 0, 1);
    assert_known(world, 0, 1, 2);
    say_all(world, 0, 1, "10.0.0.0/22", "7 10"); /* one that has it, and the others say nothing */
    next_bin(world);
    assert_known(world, 10, 4, 4);
    say_all(world, 0, 5, "10.0.0.0/22", NULL);
    next_bin(world);
    assert_known(world, 10, 0, 4);
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

struct forced {
    unsigned last[PREFIXES]; /* the origin that each had when it was seen last; 0: none */
    unsigned seen[ORIGINS], known[ORIGINS], prefixes[ORIGINS];
    double hops[ORIGINS]; /* of all its prefixes that are seen, together */
};

static void count_by_force(struct world *world, struct forced *forced)
{
    bool has[ORIGINS][16] = {{false}}, knows[ORIGINS][16] = {{false}};
    memset(forced->prefixes, 0, sizeof forced->prefixes);
    memset(forced->hops, 0, sizeof forced->hops);
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
        bool is_most = carried * 2 >= all, is_seen = view.sight.carried && is_most;
        if (is_seen)
            forced->last[i] = view.origins[0].asn;
        if (!forced->last[i] || (is_most && !is_seen))
            continue;
        unsigned origin = forced->last[i] - 40, first = prefix.addr.bytes[2];
        forced->prefixes[origin] += is_seen;
        forced->hops[origin] += is_seen ? view.mean_length : 0;
        for (unsigned k = 0; k < (prefix.bits < 24 ? 1U << (24 - prefix.bits) : 1); k++) {
            has[origin][first + k] |= is_seen;
            knows[origin][first + k] = true;
        }
    }
    for (unsigned i = 0; i < ORIGINS; i++) {
        forced->seen[i] = forced->known[i] = 0;
        for (unsigned k = 0; k < 16; k++) {
            forced->seen[i] += has[i][k];
            forced->known[i] += knows[i][k];
        }
    }
}

static void forget_by_force(struct world *world, struct forced *forced)
{
    for (unsigned i = 0; i < PREFIXES; i++) {
        struct prefix prefix = numbered(i);
        if (!route_table_find(world->table, &prefix).row)
            forced->last[i] = 0;
    }
}

static void change_something(struct world *world)
{
    unsigned peer = draw(world, PEERS), what = draw(world, 400);
    struct prefix prefix = numbered(draw(world, PREFIXES));
    char text[PREFIX_TEXT_MAX], path[32];
    prefix_format(&prefix, text);
    snprintf(path, sizeof path, "%.*s%u %u", (int)(2 * draw(world, 4)), "9 8 7 ",
             draw(world, 3) + 1, 40 + draw(world, ORIGINS));
    if (what < 2)
        route_table_feed(world->table, 0, made_state(world->now, peer, 6, 1));
    else
        say(world, peer, text, what < 240 ? path : NULL);
}

static void test_by_force(void **state)
{
    (void)state;
    struct world *world = world_new(NULL);
    struct forced forced = {.last = {0}};
    unsigned with_data = 0;
    world->seed = (uint64_t)time(NULL);
    print_message("seed %llu\n", (unsigned long long)world->seed);
    for (unsigned bin = 0; bin < 600; bin++) {
        for (unsigned i = draw(world, 30); i > 0; i--)
            change_something(world);
        if (bin % 50 == 49) {
            route_table_forget(world->table, NULL, NULL);
            bins_forget(world->bins);
            forget_by_force(world, &forced);
        }
        next_bin(world);
        if (!bin_has_data(&world->last[0], 0))
            continue;
        with_data++;
        count_by_force(world, &forced);
        for (unsigned i = 0; i < ORIGINS; i++) {
            assert_int_equal(world->last[40 + i].seen[0], forced.seen[i]);
            assert_int_equal(world->last[40 + i].known[0], forced.known[i]);
            assert_int_equal(world->last[40 + i].prefixes[0], forced.prefixes[i]);
            double mean = forced.prefixes[i] ? forced.hops[i] / forced.prefixes[i] : 0;
            assert_float_equal(world->last[40 + i].path_length, mean, 0.51);
        }
    }
    assert_true(world->told > 600 && with_data > 300);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),      cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_path_length), cmocka_unit_test(test_known),
        cmocka_unit_test(test_forgetting),  cmocka_unit_test(test_quorum),
        cmocka_unit_test(test_gap),         cmocka_unit_test(test_by_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
