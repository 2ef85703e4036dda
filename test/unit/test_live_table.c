/* source/table/live_table and bin_teller: from what live peers say to bins in a journal's terms, with sessions
 * that are lost, gaps, and more than there is room for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ris_maker.h"
#include "source/bgp/bmp_feed.h"
#include "source/bgp/ris_live_feed.h"
#include "source/table/bin_teller.h"
#include "source/table/live_table.h"

#include <time.h>

enum { BIN_S = 300, PEERS = 4 };
/* A bin begins. */
static const struct utc noon = {INT64_C(1643112000) * NS_PER_S};

static struct utc at(double seconds)
{
    return utc_add(noon, (int64_t)(seconds * 1e9));
}

struct world {
    struct registry *registry;
    struct route_memory memory; /* which watches nothing */
    struct bmp_feed bmp;
    struct ris_feed ris;
    struct live_table *table;
    struct bin_teller teller;
    struct buffer bins; /* a line each */
    size_t routes;      /* observations of routes */
    char said[300];
    unsigned times_said;
};

static void see(void *context, const struct observation *o)
{
    struct world *world = context;
    world->routes += o->kind == OBSERVATION_ROUTE;
    if (o->kind != OBSERVATION_BIN)
        return;
    buffer_printf(&world->bins, "%d %s%s/%d %lld of %lld, %d of %d\n",
                  (int)(utc_diff(o->time, noon) / NS_PER_S),
                  o->target ? registry_text(world->registry, o->target) : "all", o->peer ? "!" : "",
                  o->family, (long long)o->value, (long long)o->known, o->code, o->peers_total);
}

static void hear_said(void *context, const char *text)
{
    struct world *world = context;
    snprintf(world->said, sizeof world->said, "%s", text);
    world->times_said++;
}

static struct sink sink_of(struct world *world)
{
    return (struct sink){world->registry, see, world};
}

static void begin(struct world *world, size_t queue_max)
{
    static const struct member_spec members[] = {{NAME_ASN, "131279", 0}, {NAME_PREFIX, "::/0", 0}};
    static const struct subject_spec subject = {
        .name = "kp", .members = members, .member_count = 2};
    struct live_table_options options = {
        .queue_max = queue_max, .say = hear_said, .context = world};
    struct why why;
    memset(world, 0, sizeof *world);
    world->registry = registry_new();
    route_memory_init(&world->memory, &(struct watch){0});
    world->table = live_table_new(&options, &why);
    assert_non_null(world->table);
    world->memory.ear = live_table_ear(world->table);
    struct sink sink = sink_of(world);
    bin_teller_init(&world->teller, &sink, &subject, 1);
    live_table_watch(world->table, world->teller.who, world->teller.count);
    buffer_puts(&world->bins, "");
}

static void end(struct world *world)
{
    live_table_free(world->table);
    bin_teller_done(&world->teller);
    route_memory_done(&world->memory);
    registry_free(world->registry);
    buffer_done(&world->bins);
}

/* ---- BMP ---- */

static void begin_bmp(struct world *world)
{
    struct bmp_feed_options options = {.collector = "lon", .table = BMP_PRE_POLICY};
    struct sink sink = sink_of(world);
    bmp_feed_init(&world->bmp, &options, &sink, &world->memory, noon);
}

/* A session that the router has had for a day. */
static struct bmp_about peer_of(unsigned n)
{
    static char addr[PEERS][16];
    snprintf(addr[n], sizeof addr[n], "192.0.2.%u", n + 1);
    return (struct bmp_about){.addr = addr[n], .asn = 65001 + n, .time = at(-86400)};
}

static void give(struct world *world, double seconds, struct buffer *bytes)
{
    size_t length;
    for (size_t i = 0; i < bytes->size; i += length) {
        struct bmp_message message;
        const uint8_t *next = (const uint8_t *)bytes->bytes + i;
        assert_null(bmp_frame(next, bytes->size - i, &length));
        assert_null(bmp_decode(reader_of(next, length), &message));
        bmp_feed_take(&world->bmp, &message, at(seconds));
    }
    buffer_done(bytes);
}

static void say(struct world *world, double seconds, unsigned n, const char *withdrawn,
                const char *rest, const char *announced)
{
    struct buffer bytes = {0};
    struct bmp_about peer = peer_of(n);
    char path[64];
    snprintf(path, sizeof path, "%u %s", peer.asn, rest ? rest : "");
    bmp_update(&bytes, &peer, withdrawn, rest ? path : NULL, announced);
    give(world, seconds, &bytes);
}

/* It comes up and tells its table to the end. */
static void join(struct world *world, double seconds, unsigned n)
{
    struct buffer bytes = {0};
    struct bmp_about peer = peer_of(n);
    bmp_up(&bytes, &peer, BMP_OPEN_V4, BMP_OPEN_V4);
    give(world, seconds, &bytes);
    say(world, seconds, n, NULL, "7 131279", "10.0.0.0/23 10.0.2.0/23");
    say(world, seconds, n, NULL, "7 4837", "20.0.0.0/24");
    say(world, seconds, n, NULL, NULL, NULL);
}

static void leave(struct world *world, double seconds, unsigned n)
{
    struct buffer bytes = {0};
    struct bmp_about peer = peer_of(n);
    bmp_down(&bytes, &peer, 4);
    give(world, seconds, &bytes);
}

/* ---- bins ---- */

static void take(void *context, const struct bin_row *row)
{
    bin_teller_tell(context, row);
}

/* A second goes by. */
static void tick(struct world *world, double seconds)
{
    live_table_tick(world->table, at(seconds));
    live_table_take(world->table, take, &world->teller);
}

/* The bin that ends then is over: all its lines, which begin with the time, once those of all are there. */
static const char *bin(struct world *world, int end_s)
{
    char whole[24];
    snprintf(whole, sizeof whole, "%d all/", end_s);
    buffer_clear(&world->bins);
    buffer_puts(&world->bins, "");
    for (int s = end_s - BIN_S; s <= end_s; s += 30) /* the daemon looks every second */
        tick(world, s);
    for (int i = 0; i < 10000 && !strstr(world->bins.bytes, whole); i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        live_table_take(world->table, take, &world->teller);
    }
    assert_non_null(strstr(world->bins.bytes, whole));
    return world->bins.bytes;
}

static void test_bins(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 0);
    begin_bmp(&world);
    for (unsigned n = 0; n < PEERS; n++)
        join(&world, 10 + n, n);
    /* All, then ASes; who is watched of a subject. Nothing of this is watched route by route. */
    assert_string_equal(bin(&world, 300), "300 all/4 5 of 5, 4 of 4\n"
                                          "300 4837/4 1 of 1, 4 of 4\n"
                                          "300 131279!/4 4 of 4, 4 of 4\n");
    assert_int_equal(world.routes, 0);
    assert_string_equal(bin(&world, 600), "600 all/4 5 of 5, 4 of 4\n"
                                          "600 131279!/4 4 of 4, 4 of 4\n");
    for (unsigned n = 0; n < PEERS; n++)
        say(&world, 601, n, n < 2 ? "10.0.2.0/23 20.0.0.0/24" : "10.0.2.0/23", NULL, NULL);
    assert_string_equal(bin(&world, 900), "900 all/4 3 of 5, 4 of 4\n"
                                          "900 131279!/4 2 of 4, 4 of 4\n");
    bmp_feed_done(&world.bmp, at(901), "over");
    end(&world);
}

/* A session that is lost is nobody's outage, nor is the connection to all of them. */
static void test_blindness(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 0);
    begin_bmp(&world);
    for (unsigned n = 0; n < PEERS; n++)
        join(&world, 10 + n, n);
    bin(&world, 300);
    leave(&world, 301, 0);
    leave(&world, 301, 1);
    assert_string_equal(bin(&world, 600), "600 all/4 5 of 5, 2 of 4\n"
                                          "600 131279!/4 4 of 4, 2 of 4\n");
    leave(&world, 601, 2);
    assert_string_equal(bin(&world, 900), "900 all/4 0 of 0, 1 of 4\n"
                                          "900 131279!/4 0 of 0, 1 of 4\n");
    join(&world, 901, 0);
    assert_string_equal(bin(&world, 1200), "1200 all/4 5 of 5, 2 of 4\n"
                                           "1200 131279!/4 4 of 4, 2 of 4\n");
    bmp_feed_done(&world.bmp, at(1201), "over");
    assert_string_equal(bin(&world, 1500), "1500 all/4 0 of 0, 0 of 4\n"
                                           "1500 131279!/4 0 of 0, 0 of 4\n");
    /* It is back; of two routes that went meanwhile it tells nothing, in a table that is complete. */
    begin_bmp(&world);
    for (unsigned n = 0; n < PEERS; n++) {
        struct buffer bytes = {0};
        struct bmp_about peer = peer_of(n);
        bmp_up(&bytes, &peer, BMP_OPEN_V4, BMP_OPEN_V4);
        give(&world, 1510, &bytes);
        say(&world, 1511, n, NULL, "7 131279", "10.0.0.0/23");
    }
    assert_string_equal(bin(&world, 1800), "1800 all/4 0 of 0, 0 of 4\n" /* still telling */
                                           "1800 131279!/4 0 of 0, 0 of 4\n");
    for (unsigned n = 0; n < PEERS; n++)
        say(&world, 1801, n, NULL, NULL, NULL);
    assert_string_equal(bin(&world, 2100), "2100 all/4 2 of 5, 4 of 4\n"
                                           "2100 4837/4 0 of 1, 4 of 4\n"
                                           "2100 131279!/4 2 of 4, 4 of 4\n");
    bmp_feed_done(&world.bmp, at(2101), "over");
    end(&world);
}

/* ---- RIS Live ---- */

static void say_ris(struct world *world, double seconds, unsigned n, const char *withdrawn,
                    const char *rest, const char *announced)
{
    static struct ris_parser parser;
    struct ris_message message;
    struct buffer line = {0};
    char peer[16], path[64];
    struct ris_about about = {.peer = peer, .asn = 65001 + n, .time = at(seconds)};
    snprintf(peer, sizeof peer, "192.0.2.%u", n + 1);
    snprintf(path, sizeof path, "%u %s", 65001 + n, rest ? rest : "");
    ris_update(&line, &about, withdrawn, rest ? path : NULL, announced);
    assert_null(ris_message_decode(&parser, line.bytes, line.size - 1, &message));
    if (!world->ris.routes.memory) {
        struct sink sink = sink_of(world);
        ris_feed_init(&world->ris, &sink, &world->memory, &message, at(-1), at(seconds));
    }
    ris_feed_take(&world->ris, &message, at(seconds));
    buffer_done(&line);
    ris_parser_done(&parser);
}

/* Peers that are heard of in the middle of their sessions tell no table: what nobody speaks of is unknown,
 * before and after a gap. */
static void test_heard(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 0);
    for (unsigned n = 0; n < PEERS; n++) {
        say_ris(&world, 10, n, NULL, "7 4837", "20.0.0.0/24");
        say_ris(&world, 11, n, NULL, "7 131279", n < 2 ? "10.0.0.0/22" : "10.0.8.0/24");
    }
    assert_string_equal(bin(&world, 300), "300 all/4 6 of 6, 4 of 4\n"
                                          "300 4837/4 1 of 1, 4 of 4\n"
                                          "300 131279!/4 5 of 5, 4 of 4\n");
    ris_feed_done(&world.ris, "the stream is lost");
    assert_string_equal(bin(&world, 600), "600 all/4 0 of 0, 0 of 4\n"
                                          "600 131279!/4 0 of 0, 0 of 4\n");
    for (unsigned n = 0; n < PEERS; n++)
        say_ris(&world, 601, n, n ? NULL : "10.0.8.0/24", "7 4837", "20.0.0.0/24");
    assert_string_equal(bin(&world, 900), "900 all/4 1 of 1, 4 of 4\n"
                                          "900 131279!/4 0 of 0, 4 of 4\n");
    for (unsigned n = 1; n < PEERS; n++)
        say_ris(&world, 901, n, "10.0.8.0/24", NULL, NULL);
    assert_string_equal(bin(&world, 1200), "1200 all/4 1 of 2, 4 of 4\n"
                                           "1200 131279!/4 0 of 1, 4 of 4\n");
    ris_feed_done(&world.ris, "over");
    end(&world);
}

/* ---- trouble ---- */

/* Who was suspended over the end of a bin tells nothing of it. */
static void test_suspended(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 0);
    begin_bmp(&world);
    for (unsigned n = 0; n < PEERS; n++)
        join(&world, 10 + n, n);
    bin(&world, 300);
    tick(&world, 310);
    tick(&world, 1000);
    bin(&world, 1200);
    assert_null(strstr(world.bins.bytes, "600 "));
    assert_null(strstr(world.bins.bytes, "900 "));
    bmp_feed_done(&world.bmp, at(1201), "over");
    end(&world);
}

/* Far more than there is room for, until that was told, or as many. */
static void flood(struct world *world, double seconds, unsigned most)
{
    unsigned said = world->times_said;
    for (unsigned i = 0; i < most && world->times_said == said; i++) {
        struct heard heard = {.kind = HEARD_ROUTES,
                              .time = at(seconds),
                              .collector = 1,
                              .peer = {{192, 0, 2, (uint8_t)(1 + i % PEERS)}, 4},
                              .asn = 65001 + i % PEERS};
        uint8_t bytes[4] = {24, 30, (uint8_t)(i >> 8), (uint8_t)i};
        heard.routes = (struct bgp_routes){
            .bytes = reader_of(bytes, 4), .count = 1, .family = 4, .safi = BGP_UNICAST};
        world->memory.ear->hear(world->memory.ear->context, &heard);
    }
}

static void test_too_much(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 1);
    begin_bmp(&world);
    for (unsigned n = 0; n < PEERS; n++)
        join(&world, 10 + n, n);
    bin(&world, 300);
    flood(&world, 301, UINT32_MAX);
    assert_non_null(strstr(world.said, "the whole table does not keep up: "));
    assert_int_equal(world.times_said, 1);
    for (unsigned n = 0; n < PEERS; n++)
        say(&world, 302, n, NULL, "7 4837", "20.0.0.0/24");
    assert_string_equal(bin(&world, 600), "600 all/4 1 of 1, 4 of 4\n"
                                          "600 131279!/4 0 of 0, 4 of 4\n");
    flood(&world, 601, 100000); /* it ends with much in hand */
    tick(&world, 602);
    bmp_feed_done(&world.bmp, at(603), "over");
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bins),     cmocka_unit_test(test_blindness),
        cmocka_unit_test(test_heard),    cmocka_unit_test(test_suspended),
        cmocka_unit_test(test_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
