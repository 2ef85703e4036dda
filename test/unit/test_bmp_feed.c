/* source/bgp/bmp_feed and live_feed: what a router tells, and what comes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bmp_maker.h"
#include "source/bgp/bmp_feed.h"
#include "told.h"

static const struct utc noon = {INT64_C(1700049600) * NS_PER_S};
static const struct bmp_about plain = {.addr = "192.0.2.9", .asn = 65001};

static struct utc at(double seconds)
{
    return (struct utc){noon.ns + (int64_t)(seconds * 1e9)};
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { SEEN_MAX = 200 };

struct world {
    struct registry *registry;
    struct route_memory memory;
    struct bmp_feed feed;
    struct observation seen[SEEN_MAX];
    size_t count;
    struct buffer text;
};

static void see(void *context, const struct observation *observation)
{
    struct world *world = context;
    assert_true(world->count < SEEN_MAX);
    world->seen[world->count++] = *observation;
}

static void begin_with(struct world *world, enum bmp_table table)
{
    static struct prefix prefixes[2];
    static const uint32_t asn = 131279;
    assert_true(prefix_parse("198.51.100.0/22", 15, &prefixes[0]));
    assert_true(prefix_parse("2001:db8::/32", 13, &prefixes[1]));
    struct watch watch = {prefixes, 2, &asn, 1};
    memset(world, 0, sizeof *world);
    world->registry = registry_new();
    struct sink sink = {world->registry, see, world};
    route_memory_init(&world->memory, &watch);
    struct bmp_feed_options options = {.collector = "rrc00", .table = table};
    bmp_feed_init(&world->feed, &options, &sink, &world->memory, noon);
}

static void begin(struct world *world)
{
    begin_with(world, BMP_PRE_POLICY);
}

static void end(struct world *world)
{
    bmp_feed_done(&world->feed, at(1000), "over");
    assert_int_equal(world->seen[world->count - 1].kind, OBSERVATION_GAP);
    assert_int_equal(world->seen[world->count - 1].value, 0);
    route_memory_done(&world->memory);
    registry_free(world->registry);
    buffer_done(&world->text);
}

/* Gives the messages to the feed, and takes them away. */
static void hear(struct world *world, double seconds, struct buffer *bytes)
{
    size_t length;
    for (size_t i = 0; i < bytes->size; i += length) {
        struct bmp_message message;
        const uint8_t *next = (const uint8_t *)bytes->bytes + i;
        assert_null(bmp_frame(next, bytes->size - i, &length));
        assert_null(bmp_decode(reader_of(next, length), &message));
        bmp_feed_take(&world->feed, &message, at(seconds));
    }
    buffer_clear(bytes);
}

/* "start up table:198.51.100.0/24", of each peer in order of time, and forgets it. */
static const char *told(struct world *world)
{
    size_t count = world->count;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            assert_true(world->seen[i].peer != world->seen[k].peer ||
                        world->seen[i].time.ns > world->seen[k].time.ns);
    world->count = 0;
    return told_text(&world->text, world->registry, world->seen, count);
}

static void table_then_changes(void **state)
{
    (void)state;
    struct world world;
    struct buffer bytes = {0};
    struct bmp_about old = plain;
    old.time = at(-86400);
    begin(&world);
    bmp_up(&bytes, &old, BMP_OPEN_V4, BMP_OPEN_V4);
    bmp_update(&bytes, &old, NULL, "65001 131279", "198.51.100.0/24 198.51.101.0/24 10.0.0.0/8");
    bmp_update(&bytes, &old, NULL, "65001 4837", "10.1.0.0/16 11.0.0.0/8");
    hear(&world, 1, &bytes);
    /* 10.0.0.0/8 is learned, as AS131279 originates it, and 10.1.0.0/16 lies within */
    struct utc table_time = world.seen[2].time;
    assert_string_equal(told(&world), "start up table:198.51.100.0/24 table:198.51.101.0/24 "
                                      "table:10.0.0.0/8 table:10.1.0.0/16");
    assert_true(table_time.ns >= at(1).ns && table_time.ns < at(1.001).ns);
    bmp_update(&bytes, &old, NULL, NULL, NULL);
    hear(&world, 2, &bytes);
    assert_string_equal(told(&world), "complete");
    end(&world);
    buffer_done(&bytes);
}

/* Of what was heard before policy the stamp counts, with the second that it may be too early. In every other
 * table it is that of a path, and says nothing of when that came back or went: what is told counts as of when
 * it came in. */
static void whose_time_counts(void **state)
{
    static const struct {
        double stamp, expected;
    } times[] = {{9.5, 10}, {8.5, 9.5}, {2, 3}, {0, 1}, {-1, 10}, {11, 10}, {-86400, 10}};
    static const struct bmp_about peers[BMP_TABLES] = {
        [BMP_PRE_POLICY] = {.addr = "192.0.2.9", .asn = 65001},
        [BMP_POST_POLICY] = {.addr = "192.0.2.9", .asn = 65001, .flags = 0x40},
        [BMP_LOC_RIB] = {.asn = 65000, .type = 3},
        [BMP_OUT_POST_POLICY] = {.addr = "192.0.2.9", .asn = 65001, .flags = 0x50},
        [BMP_OUT_PRE_POLICY] = {.addr = "192.0.2.9", .asn = 65001, .flags = 0x10},
    };
    (void)state;
    for (size_t table = 0; table < BMP_TABLES; table++) {
        for (size_t i = 0; i < COUNT(times); i++) {
            struct world world;
            struct buffer bytes = {0};
            struct bmp_about about = peers[table];
            double expected = table == BMP_PRE_POLICY ? times[i].expected : 10;
            begin_with(&world, (enum bmp_table)table);
            bmp_up(&bytes, &about, BMP_OPEN_V4, BMP_OPEN_V4);
            bmp_update(&bytes, &about, NULL, NULL, NULL);
            hear(&world, 0.5, &bytes);
            world.count = 0;
            about.time = at(times[i].stamp);
            bmp_update(&bytes, &about, "198.51.100.0/24", NULL, NULL);
            hear(&world, 10, &bytes);
            assert_int_equal(world.count, 1);
            assert_int_equal(world.seen[0].time.ns, at(expected).ns);
            end(&world);
            buffer_done(&bytes);
        }
    }
}

/* GoBGP's Loc-RIB: a withdrawal has the stamp of the path that is withdrawn. */
static void loc_rib_withdrawn(void **state)
{
    (void)state;
    static const struct bmp_about own = {.asn = 65000, .type = 3};
    struct world world;
    struct buffer bytes = {0};
    struct bmp_about installed = own;
    installed.time = at(12);
    begin_with(&world, BMP_LOC_RIB);
    bmp_update(&bytes, &own, NULL, "4837", "198.51.100.0/24");
    hear(&world, 1, &bytes);
    bmp_feed_settle(&world.feed, at(11));
    bmp_update(&bytes, &installed, NULL, "1299", "198.51.100.0/24");
    hear(&world, 12.2, &bytes);
    bmp_update(&bytes, &installed, "198.51.100.0/24", NULL, NULL);
    hear(&world, 20, &bytes);
    assert_int_equal(world.seen[world.count - 1].time.ns, at(20).ns);
    assert_string_equal(told(&world), "start up table:198.51.100.0/24 announce:198.51.100.0/24 "
                                      "withdraw:198.51.100.0/24");
    end(&world);
    buffer_done(&bytes);
}

/* FRR: another path for a prefix has the stamp of the first, which is not believed again. What was heard at the
 * same time, and comes late, is of the same time. */
static void stamps_that_stand_still(void **state)
{
    (void)state;
    struct world world;
    struct buffer bytes = {0};
    struct bmp_about first = plain, next = plain;
    first.time = at(5);
    next.time = at(9);
    begin(&world);
    bmp_up(&bytes, &plain, BMP_OPEN_V4, BMP_OPEN_V4);
    bmp_update(&bytes, &plain, NULL, NULL, NULL);
    hear(&world, 1, &bytes);
    bmp_update(&bytes, &first, NULL, "65001 4837", "198.51.100.0/24");
    hear(&world, 5.5, &bytes);
    bmp_update(&bytes, &first, NULL, "65001 1299", "198.51.100.0/24");
    hear(&world, 8, &bytes);
    bmp_update(&bytes, &next, NULL, "65001 4837", "198.51.101.0/24");
    hear(&world, 11, &bytes);
    bmp_update(&bytes, &next, NULL, "65001 4837", "198.51.102.0/24");
    hear(&world, 11.5, &bytes);
    bmp_update(&bytes, &first, NULL, "65001 4837", "198.51.100.0/24");
    hear(&world, 12, &bytes);
    assert_int_equal(world.count, 7);
    assert_int_equal(world.seen[2].time.ns, at(5.5).ns);
    assert_int_equal(world.seen[3].time.ns, at(8).ns);
    assert_int_equal(world.seen[4].time.ns, at(10).ns);
    assert_int_equal(world.seen[5].time.ns, at(10).ns + 1);
    assert_int_equal(world.seen[6].time.ns, at(12).ns);
    end(&world);
    buffer_done(&bytes);
}

/* FRR: a session that comes up has the stamp of when it was lost, and an End-of-RIB at once. */
static void sessions_older_than_they_are(void **state)
{
    (void)state;
    struct world world;
    struct buffer bytes = {0};
    struct bmp_about old = plain, lost = plain;
    old.time = at(-86400);
    begin(&world);
    bmp_up(&bytes, &old, BMP_OPEN_V4, BMP_OPEN_V4);
    bmp_update(&bytes, &old, NULL, NULL, NULL);
    hear(&world, 1, &bytes);
    assert_string_equal(told(&world), "start up complete");
    lost.time = at(2);
    bmp_down(&bytes, &lost, 2);
    hear(&world, 9, &bytes);
    assert_int_equal(world.seen[0].time.ns, at(9).ns);
    bmp_up(&bytes, &lost, BMP_OPEN_V4, BMP_OPEN_V4);
    hear(&world, 11, &bytes);
    assert_int_equal(world.seen[1].time.ns, at(11).ns);
    assert_string_equal(told(&world), "down up");
    bmp_down(&bytes, &lost, 2);
    hear(&world, 12, &bytes);
    lost.time = at(12);
    bmp_up(&bytes, &lost, BMP_OPEN_V4, BMP_OPEN_V4);
    bmp_up(&bytes, &lost, BMP_OPEN_V4, BMP_OPEN_V4); /* told twice */
    bmp_update(&bytes, &lost, NULL, NULL, NULL);
    bmp_update(&bytes, &lost, NULL, "65001 4837", "198.51.100.0/24");
    hear(&world, 1012, &bytes);
    assert_string_equal(told(&world), "down up announce:198.51.100.0/24");
    end(&world);
    buffer_done(&bytes);
}

/* The same where the session was down when the connection began, which FRR tells, too. */
static void session_lost_before_the_connection(void **state)
{
    (void)state;
    struct world world;
    struct buffer bytes = {0};
    struct bmp_about lost = plain;
    lost.time = at(-1000);
    begin(&world);
    bmp_down(&bytes, &lost, 2);
    bmp_up(&bytes, &lost, BMP_OPEN_V4, BMP_OPEN_V4);
    bmp_update(&bytes, &lost, NULL, NULL, NULL);
    hear(&world, 1, &bytes);
    assert_string_equal(told(&world), "start up");
    end(&world);
    buffer_done(&bytes);
}

/* Of a session that is young, the End-of-RIB says nothing of what its peer has. */
static void young_sessions_are_not_complete(void **state)
{
    (void)state;
    struct world world;
    struct buffer bytes = {0};
    struct bmp_about young = plain;
    young.time = at(-5);
    begin(&world);
    bmp_up(&bytes, &young, BMP_OPEN_V4, BMP_OPEN_V4);
    bmp_up(&bytes, &young, BMP_OPEN_V4, BMP_OPEN_V4); /* told twice */
    bmp_update(&bytes, &young, NULL, NULL, NULL);
    bmp_update(&bytes, &young, NULL, "65001 4837", "198.51.100.0/24");
    hear(&world, 1, &bytes);
    assert_string_equal(told(&world), "start up announce:198.51.100.0/24");
    young.time = at(2);
    bmp_up(&bytes, &young, BMP_OPEN_V4, BMP_OPEN_V4); /* another session */
    hear(&world, 3, &bytes);
    assert_string_equal(told(&world), "down up");
    end(&world);
    buffer_done(&bytes);
}

/* A session that is young is complete after five minutes; one whose peer tells again what it told
 * before is so with the End-of-RIB, but not if there is much less of it. */
static void when_tables_are_complete(void **state)
{
    static const char whole[] = "198.51.100.0/24 198.51.101.0/24 10.0.0.0/8 11.0.0.0/8 12.0.0.0/8 "
                                "13.0.0.0/8 14.0.0.0/8 15.0.0.0/8 16.0.0.0/8 17.0.0.0/8";
    (void)state;
    struct world world;
    struct buffer bytes = {0};
    struct bmp_about young = plain;
    young.time = at(0);
    begin(&world);
    bmp_up(&bytes, &young, BMP_OPEN_V4, BMP_OPEN_V4);
    bmp_update(&bytes, &young, NULL, "65001 4837", whole);
    bmp_update(&bytes, &young, NULL, NULL, NULL);
    hear(&world, 0, &bytes);
    assert_string_equal(told(&world), "start up table:198.51.100.0/24 table:198.51.101.0/24");
    bmp_feed_settle(&world.feed, at(299));
    assert_string_equal(told(&world), "");
    bmp_feed_settle(&world.feed, at(300));
    bmp_feed_settle(&world.feed, at(301));
    assert_string_equal(told(&world), "complete");
    young.time = at(310);
    bmp_down(&bytes, &young, 2);
    bmp_up(&bytes, &young, BMP_OPEN_V4, BMP_OPEN_V4);
    bmp_update(&bytes, &young, NULL, "65001 4837", "198.51.100.0/24");
    bmp_update(&bytes, &young, NULL, NULL, NULL);
    hear(&world, 310, &bytes);
    assert_string_equal(told(&world), "down up table:198.51.100.0/24");
    young.time = at(320);
    bmp_down(&bytes, &young, 2);
    bmp_up(&bytes, &young, BMP_OPEN_V4, BMP_OPEN_V4);
    bmp_update(&bytes, &young, NULL, "65001 4837", whole);
    bmp_update(&bytes, &young, NULL, NULL, NULL);
    hear(&world, 320, &bytes);
    assert_string_equal(told(&world),
                        "down up table:198.51.100.0/24 table:198.51.101.0/24 complete");
    end(&world);
    buffer_done(&bytes);
}

/* From `from` until `until` seconds a prefix each second, `count` of them in turn; time passes after each. */
static void go_on(struct world *world, const struct bmp_about *peer, int from, int until, int count)
{
    struct buffer bytes = {0};
    for (int second = from; second < until; second++) {
        char prefix[40];
        int number = second % count;
        snprintf(prefix, sizeof prefix, "10.%d.%d.0/24", number / 256, number % 256);
        bmp_update(&bytes, peer, NULL, "65001 4837", prefix);
        hear(world, second, &bytes);
        bmp_feed_settle(&world->feed, at(second + 0.5));
    }
    buffer_done(&bytes);
}

static void begin_table(struct world *world)
{
    struct buffer bytes = {0};
    begin(world);
    bmp_up(&bytes, &plain, BMP_OPEN_V4, BMP_OPEN_V4);
    hear(world, 0, &bytes);
    assert_string_equal(told(world), "start up");
    buffer_done(&bytes);
}

/* Without an End-of-RIB a table is complete when nothing new was told for a while, however long it takes, and it
 * is said meanwhile that it is not. */
static void a_long_table(void **state)
{
    (void)state;
    struct world world;
    struct buffer bytes = {0};
    begin_table(&world);
    go_on(&world, &plain, 1, 500, 10000);
    assert_string_equal(told(&world), "telling telling");
    bmp_update(&bytes, &plain, NULL, "65001 4837", "198.51.100.0/24");
    hear(&world, 500, &bytes);
    assert_string_equal(told(&world), "table:198.51.100.0/24");
    bmp_feed_settle(&world.feed, at(509));
    assert_string_equal(told(&world), "");
    bmp_feed_settle(&world.feed, at(510));
    assert_string_equal(told(&world), "complete");
    end(&world);
    buffer_done(&bytes);
}

/* That a peer tells again what it told is no table that goes on: it has ended, and what is told is news. */
static void the_same_again(void **state)
{
    (void)state;
    struct world world;
    struct buffer bytes = {0};
    begin_table(&world);
    bmp_update(&bytes, &plain, NULL, "65001 4837", "198.51.100.0/24");
    hear(&world, 0, &bytes);
    go_on(&world, &plain, 1, 40, 10);
    bmp_update(&bytes, &plain, NULL, "65001 4837", "198.51.100.0/24");
    hear(&world, 40, &bytes);
    assert_string_equal(told(&world), "table:198.51.100.0/24 announce:198.51.100.0/24");
    go_on(&world, &plain, 41, 300, 10);
    assert_string_equal(told(&world), "");
    bmp_feed_settle(&world.feed, at(300));
    assert_string_equal(told(&world), "complete");
    end(&world);
    buffer_done(&bytes);
}

/* An End-of-RIB that is not to be believed: the router itself goes on to hear of routes. */
static void a_table_behind_its_end(void **state)
{
    (void)state;
    struct world world;
    struct buffer bytes = {0};
    begin_table(&world);
    bmp_update(&bytes, &plain, NULL, NULL, NULL);
    hear(&world, 1, &bytes);
    go_on(&world, &plain, 2, 320, 10000);
    assert_string_equal(told(&world), "telling");
    bmp_feed_settle(&world.feed, at(330));
    assert_string_equal(told(&world), "complete");
    end(&world);
    buffer_done(&bytes);
}

/* It is not waited for more than an hour. */
static void an_endless_table(void **state)
{
    (void)state;
    struct world world;
    begin_table(&world);
    go_on(&world, &plain, 1, 3600, 100000);
    assert_int_equal(world.count, 14); /* every four minutes */
    assert_int_equal(world.seen[13].code, PEER_TELLING);
    told(&world);
    bmp_feed_settle(&world.feed, at(3600));
    assert_string_equal(told(&world), "complete");
    end(&world);
}

/* Both families must have ended; one that is silent ends by that. */
static void tables_end(void **state)
{
    (void)state;
    struct world world;
    struct buffer bytes = {0};
    struct bmp_about old = plain, never = {.addr = "192.0.2.10", .asn = 65002};
    struct bmp_about half = {.addr = "192.0.2.11", .asn = 65003, .time = at(-86400)};
    old.time = at(-86400);
    begin(&world);
    bmp_up(&bytes, &old, BMP_OPEN_PLAIN, BMP_OPEN_PLAIN);
    bmp_update(&bytes, &old, NULL, NULL, NULL);
    hear(&world, 1, &bytes);
    assert_string_equal(told(&world), "start up");
    bmp_end_of_rib6(&bytes, &old);
    hear(&world, 2, &bytes);
    assert_string_equal(told(&world), "complete");
    bmp_end_of_rib6(&bytes, &old);
    hear(&world, 3, &bytes);
    assert_string_equal(told(&world), ""); /* of no table */
    bmp_up(&bytes, &half, BMP_OPEN_PLAIN, BMP_OPEN_PLAIN);
    bmp_update(&bytes, &half, NULL, NULL, NULL);
    bmp_up(&bytes, &never, BMP_OPEN_V4, BMP_OPEN_V4);
    hear(&world, 4, &bytes);
    assert_string_equal(told(&world), "up up");
    bmp_update(&bytes, &never, NULL, "65002 4837", "198.51.100.0/24");
    hear(&world, 10, &bytes);
    bmp_feed_settle(&world.feed, at(19));
    assert_string_equal(told(&world), "table:198.51.100.0/24");
    bmp_feed_settle(&world.feed, at(20));
    assert_string_equal(told(&world), "complete"); /* only where an End-of-RIB came */
    bmp_update(&bytes, &never, NULL, "65002 4837", "198.51.100.0/24");
    hear(&world, 21, &bytes);
    assert_string_equal(told(&world), "announce:198.51.100.0/24");
    end(&world);
    buffer_done(&bytes);
}

static void what_is_left_out(void **state)
{
    (void)state;
    struct world world;
    struct buffer bytes = {0};
    static const char route[] = "198.51.100.0/24";
    struct bmp_about post = plain, out = plain, loc_rib = {.asn = 65000, .type = 3};
    struct bmp_about twin = plain, stranger = {.addr = "192.0.2.10", .asn = 65002};
    post.flags = 0x40;
    out.flags = 0x10;
    twin.type = 1;
    twin.distinguisher = 7;
    begin(&world);
    bmp_up(&bytes, &plain, BMP_OPEN_V4, BMP_OPEN_V4);
    bmp_update(&bytes, &post, NULL, "65001 4837", route);
    bmp_update(&bytes, &out, NULL, "65001 4837", route);
    bmp_up(&bytes, &loc_rib, BMP_OPEN_V4, BMP_OPEN_V4);
    bmp_update(&bytes, &loc_rib, NULL, "65001 4837", route);
    bmp_up(&bytes, &twin, BMP_OPEN_V4, BMP_OPEN_V4);
    bmp_update(&bytes, &twin, NULL, "65001 4837", route);
    bmp_update(&bytes, &stranger, NULL, "65001 4837", route);
    bmp_down(&bytes, &twin, 1);
    for (unsigned type = 1; type <= 9; type = type == 1 ? 6 : type == 6 ? 9 : 10) {
        struct buffer body = {0};
        bmp_message(&bytes, type, &body);
    }
    hear(&world, 1, &bytes);
    assert_string_equal(told(&world), "start up");
    assert_int_equal(world.feed.counters.tables[BMP_POST_POLICY], 1);
    assert_int_equal(world.feed.counters.tables[BMP_OUT_PRE_POLICY], 1);
    assert_int_equal(world.feed.counters.tables[BMP_LOC_RIB], 1);
    assert_int_equal(world.feed.counters.statistics, 1);
    assert_int_equal(world.feed.counters.mirrored, 1);
    assert_int_equal(world.feed.counters.twins, 1);
    assert_int_equal(world.feed.counters.unknown, 3);
    assert_int_equal(world.feed.counters.other, 1);
    end(&world);
    buffer_done(&bytes);
}

/* One table is used, whatever else is told; the sessions are the same for all but Loc-RIB, where the
 * router is the only peer. */
static void one_table(void **state)
{
    static const struct {
        struct bmp_about about;
        const char *route;
    } tables[BMP_TABLES] = {
        [BMP_PRE_POLICY] = {{"192.0.2.9", 65001, 0, 0x00, 0, {0}}, "198.51.100.0/26"},
        [BMP_POST_POLICY] = {{"192.0.2.9", 65001, 0, 0x40, 0, {0}}, "198.51.100.64/26"},
        [BMP_LOC_RIB] = {{NULL, 65000, 3, 0x80, 0, {0}}, "198.51.100.128/26"},
        [BMP_OUT_POST_POLICY] = {{"192.0.2.9", 65001, 0, 0x50, 0, {0}}, "198.51.101.0/26"},
        [BMP_OUT_PRE_POLICY] = {{"192.0.2.9", 65001, 0, 0x10, 0, {0}}, "198.51.101.64/26"},
    };
    (void)state;
    for (size_t chosen = 0; chosen < BMP_TABLES; chosen++) {
        struct world world;
        struct buffer bytes = {0};
        char expected[100];
        begin_with(&world, (enum bmp_table)chosen);
        bmp_up(&bytes, &plain, BMP_OPEN_V4, BMP_OPEN_V4);
        bmp_up(&bytes, &tables[BMP_LOC_RIB].about, BMP_OPEN_V4, BMP_OPEN_V4);
        for (size_t i = 0; i < BMP_TABLES; i++)
            bmp_update(&bytes, &tables[i].about, NULL, "65001 4837", tables[i].route);
        bmp_down(&bytes, &plain, 1);
        bmp_down(&bytes, &tables[BMP_LOC_RIB].about, 6);
        hear(&world, 1, &bytes);
        const char *peer = registry_text(world.registry, world.seen[2].peer);
        assert_string_equal(peer, chosen == BMP_LOC_RIB ? "10.0.0.1 65000" : "192.0.2.9 65001");
        snprintf(expected, sizeof expected, "start up table:%s down", tables[chosen].route);
        assert_string_equal(told(&world), expected);
        assert_int_equal(bmp_feed_best_table(&world.feed), BMP_PRE_POLICY);
        for (size_t i = 0; i < BMP_TABLES; i++)
            assert_int_equal(world.feed.counters.tables[i], 1);
        end(&world);
        buffer_done(&bytes);
    }
}

/* Some say nothing of their Loc-RIB before they tell its routes, nor when it ends. */
static void loc_rib_without_peer_up(void **state)
{
    (void)state;
    static const struct bmp_about own = {.asn = 65000, .type = 3};
    struct world world;
    struct buffer bytes = {0};
    begin_with(&world, BMP_LOC_RIB);
    bmp_update(&bytes, &own, NULL, "4837", "198.51.100.0/24");
    bmp_update(&bytes, &own, NULL, "4837 131279", "198.51.101.0/24");
    hear(&world, 1, &bytes);
    assert_string_equal(told(&world), "start up table:198.51.100.0/24 table:198.51.101.0/24");
    bmp_feed_settle(&world.feed, at(11));
    bmp_update(&bytes, &own, "198.51.100.0/24", NULL, NULL);
    hear(&world, 12, &bytes);
    bmp_down(&bytes, &own, 6);
    hear(&world, 13, &bytes);
    assert_string_equal(told(&world), "withdraw:198.51.100.0/24 down");
    end(&world);
    buffer_done(&bytes);
}

/* Of Adj-RIB-Out the router is the one that speaks: its way of ADD-PATH counts. */
static void who_speaks(void **state)
{
    (void)state;
    static const struct bmp_about out = {.addr = "192.0.2.9", .asn = 65001, .flags = 0x50};
    struct world world;
    struct buffer bytes = {0};
    begin_with(&world, BMP_OUT_POST_POLICY);
    bmp_up(&bytes, &plain, BMP_OPEN_V4 "\x45\x04\x00\x01\x01\x02",
           BMP_OPEN_V4 "\x45\x04\x00\x01\x01\x01");
    bmp_update(&bytes, &out, NULL, "65000 4837", "198.51.100.0/24#1");
    hear(&world, 1, &bytes);
    assert_string_equal(told(&world), "start up table:198.51.100.0/24");
    end(&world);
    buffer_done(&bytes);
}

/* A path of 2-byte ASNs, said by the A flag or only by the OPENs. */
static void short_asns(void **state)
{
    (void)state;
    static const unsigned flags[] = {0x20, 0};
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        struct buffer bytes = {0}, update = {0};
        struct bmp_about about = plain;
        about.flags = flags[i];
        begin(&world);
        bmp_up(&bytes, &about, "", BMP_OPEN_V4);
        buffer_add(&update,
                   "\0\0\0\x14\x40\x01\x01\0\x40\x02\x06\x02\x02\xfd\xe9\x12\xe5"
                   "\x40\x03\x04\xc0\0\x02\x09\x18\xc6\x33\x64",
                   28);
        bmp_monitoring(&bytes, &about, &update);
        hear(&world, 1, &bytes);
        assert_int_equal(world.count, 3);
        assert_string_equal(registry_text(world.registry, world.seen[2].path), "65001 4837");
        assert_int_equal(world.feed.counters.bad, 0);
        end(&world);
        buffer_done(&update);
        buffer_done(&bytes);
    }
}

static void several_paths(void **state)
{
    (void)state;
    struct world world;
    struct buffer bytes = {0};
    begin(&world);
    bmp_up(&bytes, &plain, BMP_OPEN_ADD_PATH, BMP_OPEN_ADD_PATH);
    bmp_update(&bytes, &plain, NULL, NULL, NULL);
    bmp_update(&bytes, &plain, NULL, "65001 4837", "198.51.100.0/24#1");
    bmp_update(&bytes, &plain, NULL, "65001 1299", "198.51.100.0/24#2");
    bmp_update(&bytes, &plain, "198.51.100.0/24#1", NULL, NULL);
    bmp_update(&bytes, &plain, "198.51.100.0/24#2", NULL, NULL);
    hear(&world, 1, &bytes);
    assert_string_equal(told(&world), "start up announce:198.51.100.0/24 announce:198.51.100.0/24 "
                                      "announce:198.51.100.0/24 withdraw:198.51.100.0/24");
    end(&world);
    buffer_done(&bytes);
}

/* Nothing is told of the peers when the connection is lost, and all of them anew when it is back; a
 * clock that was set back in between does not put the START before the GAP. */
static void connection_lost(void **state)
{
    (void)state;
    struct world world;
    struct buffer bytes = {0};
    begin(&world);
    bmp_up(&bytes, &plain, BMP_OPEN_V4, BMP_OPEN_V4);
    hear(&world, 1, &bytes);
    struct utc lost = bmp_feed_done(&world.feed, at(0.5), "gone");
    assert_string_equal(registry_text(world.registry, world.seen[2].path), "gone");
    assert_string_equal(told(&world), "start up gap");
    assert_true(lost.ns > at(1).ns); /* not before what was told */
    struct sink sink = {world.registry, see, &world};
    struct bmp_feed_options options = {.collector = "rrc00", .newest = lost};
    bmp_feed_init(&world.feed, &options, &sink, &world.memory, at(-3600));
    assert_true(world.seen[0].time.ns > lost.ns);
    bmp_up(&bytes, &plain, BMP_OPEN_V4, BMP_OPEN_V4);
    hear(&world, -3599, &bytes);
    assert_string_equal(told(&world), "start up");
    end(&world);
    buffer_done(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_then_changes),
        cmocka_unit_test(whose_time_counts),
        cmocka_unit_test(loc_rib_withdrawn),
        cmocka_unit_test(stamps_that_stand_still),
        cmocka_unit_test(sessions_older_than_they_are),
        cmocka_unit_test(session_lost_before_the_connection),
        cmocka_unit_test(young_sessions_are_not_complete),
        cmocka_unit_test(when_tables_are_complete),
        cmocka_unit_test(a_long_table),
        cmocka_unit_test(the_same_again),
        cmocka_unit_test(a_table_behind_its_end),
        cmocka_unit_test(an_endless_table),
        cmocka_unit_test(tables_end),
        cmocka_unit_test(what_is_left_out),
        cmocka_unit_test(one_table),
        cmocka_unit_test(who_speaks),
        cmocka_unit_test(loc_rib_without_peer_up),
        cmocka_unit_test(short_asns),
        cmocka_unit_test(several_paths),
        cmocka_unit_test(connection_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
