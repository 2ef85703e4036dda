/* source/bgp/ris_live_message and ris_live_feed: lines of RIS Live, and what comes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/registry.h"
#include "ris_maker.h"
#include "source/bgp/ris_live_feed.h"
#include "told.h"

static const struct utc noon = {INT64_C(1700049600) * NS_PER_S};

static struct utc at(double seconds)
{
    return (struct utc){noon.ns + (int64_t)(seconds * 1e9)};
}

/* ---- lines ---- */

static struct ris_parser parser;

static struct ris_message decode(const char *line)
{
    struct ris_message message;
    assert_null(ris_message_decode(&parser, line, strlen(line), &message));
    return message;
}

#define PEER6                                                                                      \
    "\"peer\":\"2001:7f8:4::3:2be1:1\",\"peer_asn\":\"207841\","                                   \
    "\"id\":\"2001:7f8:4::3:2be1:1-01a089e0bb060006\",\"host\":\"rrc01.ripe.net\","
#define DATA(rest) "{\"type\":\"ris_message\",\"data\":{\"timestamp\":1789019601.670," rest "}}"

/* As the service sends them. */
static void messages(void **state)
{
    (void)state;
    struct addr peer;
    struct ris_message m = decode(DATA(
        PEER6 "\"type\":\"UPDATE\",\"path\":[207841,[1,2]],\"community\":[],\"announcements\":[{"
              "\"next_hop\":\"2001:7f8:4::1,fe80::1\",\"prefixes\":[\"2a12:3fc6::/48\"]}],"
              "\"withdrawals\":[],\"raw\":\"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00170200000000\""));
    assert_true(addr_parse("2001:7f8:4::3:2be1:1", 20, &peer));
    assert_int_equal(m.kind, RIS_UPDATE);
    assert_string_equal(m.host, "rrc01");
    assert_int_equal(addr_compare(&m.peer, &peer), 0);
    assert_int_equal(m.asn, 207841);
    assert_int_equal(m.time.ns, INT64_C(1789019601670) * NS_PER_MS);
    assert_true(m.has_order);
    assert_int_equal(m.order, 6);
    assert_true(m.has_raw);
    assert_int_equal(reader_left(&m.raw), 23);
    assert_memory_equal(m.raw.at + 16, "\0\x17\x02\0\0\0\0", 7);

    m = decode(DATA(PEER6 "\"type\":\"KEEPALIVE\",\"raw\":\"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF0013"
                          "04\""));
    assert_int_equal(m.kind, RIS_KEEPALIVE);
    assert_int_equal(reader_left(&m.raw), 19);
    assert_false(m.is_sent);
    m = decode(DATA(PEER6 "\"type\":\"STATE\",\"state\":\"connected\""));
    assert_int_equal(m.kind, RIS_STATE);
    assert_int_equal(m.state, RIS_STATE_CONNECTED);
    m = decode(DATA(PEER6 "\"type\":\"RIS_PEER_STATE\",\"state\":\"down\""));
    assert_int_equal(m.kind, RIS_STATE);
    assert_int_equal(m.state, RIS_STATE_DOWN);
    m = decode(DATA(PEER6 "\"type\":\"STATE\",\"state\":7"));
    assert_int_equal(m.state, RIS_STATE_OTHER);
    m = decode(DATA(PEER6 "\"type\":\"OPEN\",\"direction\":\"sent\",\"version\":4,\"raw\":\"xx\""));
    assert_int_equal(m.kind, RIS_OTHER);
    assert_string_equal(m.host, "rrc01");
    assert_true(m.is_sent && !m.has_raw);
    m = decode(DATA(PEER6 "\"type\":\"NOTIFICATION\",\"notification\":{\"code\":6,\"subcode\":5,"
                          "\"data\":\"\\u0000\\u0006\"}"));
    assert_int_equal(m.kind, RIS_OTHER);
    m = decode("{\"type\":\"pong\",\"data\":null}");
    assert_int_equal(m.kind, RIS_OTHER);
    assert_string_equal(m.host, "");
    m = decode("{\"type\":\"ris_rrc_list\",\"data\":[\"rrc00\"]}");
    assert_int_equal(m.kind, RIS_OTHER);
    m = decode("{\"type\":\"ris_error\",\"data\":{\"message\":\"client too \\u0007slow\"}}");
    assert_int_equal(m.kind, RIS_ERROR);
    assert_string_equal(m.text, "client too ?slow");
    m = decode("{\"type\":\"ris_error\"}");
    assert_string_equal(m.text, "it does not say which");
}

/* Without raw bytes, in lower case, with a number for an AS, with other identifiers. */
static void forms(void **state)
{
    static const struct {
        const char *id;
        bool has_order;
        uint32_t order;
    } ids[] = {
        {"\"x-01a089e0bb06ffff\"", true, 65535},
        {"\"-01a089e0bb060000\"", true, 0},
        {"\"x-01A089E0BB06000A\"", true, 10},
        {"\"x-01a089e0bb070000\"", false, 0}, /* another time */
        {"\"x01a089e0bb060000\"", false, 0},
        {"\"01a089e0bb060000\"", false, 0},
        {"\"x-01a089e0bb06000g\"", false, 0},
        {"\"20-5761-238131559\"", false, 0}, /* as it was in 2021 */
        {"\"192.0.2.9-1562823052.55-1007659\"", false, 0},
        {"7", false, 0},
    };
    (void)state;
    char line[400];
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        snprintf(line, sizeof line,
                 DATA("\"peer\":\"192.0.2.9\",\"peer_asn\":65001,\"host\":\"rrc00\",\"id\":%s,"
                      "\"type\":\"UPDATE\""),
                 ids[i].id);
        struct ris_message m = decode(line);
        assert_int_equal(m.has_order, ids[i].has_order);
        assert_int_equal(m.order, ids[i].order);
        assert_false(m.has_raw);
        assert_int_equal(m.asn, 65001);
        assert_string_equal(m.host, "rrc00");
    }
    struct ris_message m = decode(DATA(PEER6 "\"type\":\"UPDATE\",\"raw\":\"fFaB09\""));
    assert_int_equal(reader_left(&m.raw), 3);
    assert_memory_equal(m.raw.at, "\xff\xab\x09", 3);
}

#define ABOUT(host, peer, asn, rest)                                                               \
    "{\"type\":\"ris_message\",\"data\":{" host "," peer "," asn "," rest "}}"
#define HOST "\"host\":\"rrc00\""
#define PEER "\"peer\":\"192.0.2.9\""
#define ASN "\"peer_asn\":\"65001\""
#define TIME "\"timestamp\":1789019601.67"

static void faults(void **state)
{
    static const struct {
        const char *line, *fault;
    } cases[] = {
        {"", "it is not JSON"},
        {"GET / HTTP/1.1", "it is not JSON"},
        {"{\"type\":\"ris_message\"", "it is not JSON"},
        {"{\"type\":\"pong\"}{}", "it is not JSON"},
        {"[]", "it is no message"},
        {"{}", "it is no message"},
        {"{\"type\":7}", "it is no message"},
        {"{\"type\":\"ris_message\"}", "it has no data"},
        {"{\"type\":\"ris_message\",\"data\":[]}", "it has no data"},
        {ABOUT("\"host\":7", PEER, ASN, TIME), "it names no collector"},
        {ABOUT("\"host\":\".ripe.net\"", PEER, ASN, TIME), "it names no collector"},
        {ABOUT("\"host\":\"\"", PEER, ASN, TIME), "it names no collector"},
        {ABOUT("\"host\":\"rrc 00\"", PEER, ASN, TIME), "it names no collector"},
        {ABOUT("\"host\":\"rrc\\u000000\"", PEER, ASN, TIME), "it names no collector"},
        {ABOUT("\"host\":\"12345678901234567890123456789012345678901\"", PEER, ASN, TIME),
         "it names no collector"},
        {ABOUT(HOST, "\"peer\":\"nobody\"", ASN, TIME), "it names no address of a peer"},
        {ABOUT(HOST, "\"peer\":4", ASN, TIME), "it names no address of a peer"},
        {ABOUT(HOST, PEER, "\"peer_asn\":\"\"", TIME), "it names no AS of a peer"},
        {ABOUT(HOST, PEER, "\"peer_asn\":\"65001x\"", TIME), "it names no AS of a peer"},
        {ABOUT(HOST, PEER, "\"peer_asn\":\"4294967296\"", TIME), "it names no AS of a peer"},
        {ABOUT(HOST, PEER, "\"peer_asn\":\"99999999999999999999\"", TIME),
         "it names no AS of a peer"},
        {ABOUT(HOST, PEER, "\"peer_asn\":-1", TIME), "it names no AS of a peer"},
        {ABOUT(HOST, PEER, ASN, "\"timestamp\":\"now\""), "it has no time"},
        {ABOUT(HOST, PEER, ASN, "\"timestamp\":1e300"), "it has no time"},
        {ABOUT(HOST, PEER, ASN, "\"timestamp\":-1"), "it has no time"},
        {ABOUT(HOST, PEER, ASN, TIME ",\"type\":\"UPDATE\",\"raw\":\"FFGG\""),
         "its raw bytes are not hexadecimal"},
        {ABOUT(HOST, PEER, ASN, TIME ",\"type\":\"UPDATE\",\"raw\":\"FFF\""),
         "its raw bytes are cut off"},
        {ABOUT(HOST, PEER, ASN, TIME ",\"type\":\"UPDATE\",\"raw\":\"\""),
         "its raw bytes are cut off"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ris_message m = {.asn = 7};
        const char *fault = ris_message_decode(&parser, cases[i].line, strlen(cases[i].line), &m);
        if (!fault || strcmp(fault, cases[i].fault))
            fail_msg("%s: %s", cases[i].line, fault ? fault : "no fault");
        assert_int_equal(m.asn, 7);
    }
}

/* Cut off anywhere, a line is none. */
static void truncated(void **state)
{
    (void)state;
    struct buffer line = {0};
    struct ris_about about = {.time = noon, .order = 3};
    struct ris_message m;
    ris_update(&line, &about, "198.51.100.0/24", "65001 4837", "198.51.101.0/24");
    assert_null(ris_message_decode(&parser, line.bytes, line.size, &m));
    for (size_t n = 0; n < line.size - 1; n++) {
        char *exact = malloc(n + 1); /* so that a sanitizer sees a byte too far */
        memcpy(exact, line.bytes, n);
        assert_string_equal(ris_message_decode(&parser, exact, n, &m), "it is not JSON");
        free(exact);
    }
    buffer_done(&line);
}

static void subscriptions(void **state)
{
    (void)state;
    struct buffer text = {0};
    ris_subscription("rrc00", &text);
    assert_string_equal(text.bytes, "X-RIS-Subscribe: {\"host\":\"rrc00\",\"socketOptions\":{"
                                    "\"includeRaw\":true,\"acknowledge\":false}}");
    buffer_clear(&text);
    ris_subscription(NULL, &text);
    assert_string_equal(text.bytes, "X-RIS-Subscribe: {\"socketOptions\":{\"includeRaw\":true,"
                                    "\"acknowledge\":false}}");
    buffer_done(&text);
}

/* ---- a collector ---- */

enum { SEEN_MAX = 200 };

struct world {
    struct registry *registry;
    struct route_memory memory;
    struct ris_feed feed;
    bool has_begun;
    struct utc gap; /* when the last one began */
    struct observation seen[SEEN_MAX];
    size_t count;
    struct buffer lines, text;
};

static void see(void *context, const struct observation *observation)
{
    struct world *world = context;
    assert_true(world->count < SEEN_MAX);
    world->seen[world->count++] = *observation;
}

static void begin(struct world *world)
{
    static struct prefix prefix;
    assert_true(prefix_parse("198.51.100.0/22", 15, &prefix));
    struct watch watch = {&prefix, 1, NULL, 0};
    memset(world, 0, sizeof *world);
    world->registry = registry_new();
    route_memory_init(&world->memory, &watch);
}

static void end(struct world *world)
{
    if (world->has_begun)
        ris_feed_done(&world->feed, "over");
    route_memory_done(&world->memory);
    registry_free(world->registry);
    buffer_done(&world->lines);
    buffer_done(&world->text);
}

/* Takes the lines that were made. */
static void take(struct world *world, struct utc now)
{
    struct sink sink = {world->registry, see, world};
    for (char *line = world->lines.bytes; line && *line;) {
        struct ris_message message;
        size_t n = strcspn(line, "\n");
        assert_null(ris_message_decode(&parser, line, n, &message));
        if (!world->has_begun)
            ris_feed_init(&world->feed, &sink, &world->memory, &message, world->gap, now);
        world->has_begun = true;
        ris_feed_take(&world->feed, &message, now);
        line += n + 1;
    }
    buffer_clear(&world->lines);
}

static void lose(struct world *world)
{
    world->gap = ris_feed_done(&world->feed, "the connection is lost");
    world->has_begun = false;
}

/* "start heard announce:198.51.100.0/24", and forgets it. */
static const char *told(struct world *world)
{
    size_t count = world->count;
    for (size_t i = 0; i < count; i++)
        assert_string_equal(registry_text(world->registry, world->seen[i].source), "rrc00");
    world->count = 0;
    return told_text(&world->text, world->registry, world->seen, count);
}

/* Only what is watched, by raw bytes, at the time when the collector heard it; and no table. */
static void a_peer_speaks(void **state)
{
    (void)state;
    struct world world;
    struct ris_about about = {.time = at(0)};
    begin(&world);
    ris_update(&world.lines, &about, "203.0.113.0/24", "65001 4837 64500",
               "198.51.100.0/24 10.0.0.0/24");
    about.time = at(1.25);
    ris_update(&world.lines, &about, "198.51.100.0/24", NULL, NULL);
    ris_update(&world.lines, &about, NULL, NULL, NULL); /* an End-of-RIB promises nothing */
    take(&world, at(2));
    assert_int_equal(world.seen[0].time.ns, at(0).ns - 1);
    assert_int_equal(world.seen[1].time.ns, at(0).ns);
    assert_int_equal(world.seen[2].time.ns, at(0).ns + 1);
    assert_int_equal(world.seen[3].time.ns, at(1.25).ns);
    assert_string_equal(registry_text(world.registry, world.seen[2].path), "65001 4837 64500");
    assert_string_equal(registry_text(world.registry, world.seen[2].peer), "192.0.2.9 65001");
    assert_string_equal(told(&world),
                        "start heard announce:198.51.100.0/24 withdraw:198.51.100.0/24");
    assert_int_equal(world.feed.counters.updates, 3);
    assert_int_equal(world.feed.counters.bad, 0);
    end(&world);
}

/* Who is established is heard; that a connection is there is not enough. A session that begins now
 * tells its table, one that was there does not. */
static void sessions(void **state)
{
    (void)state;
    struct world world;
    struct ris_about a = {.time = at(0)};
    struct ris_about b = {.time = at(0), .peer = "2001:db8::9", .asn = 4200000000};
    begin(&world);
    ris_keepalive(&world.lines, &a);
    ris_keepalive(&world.lines, &a);
    ris_state(&world.lines, &b, "connected");
    take(&world, at(0.1));
    assert_string_equal(told(&world), "start heard");
    b.time = at(1);
    ris_keepalive(&world.lines, &b);
    take(&world, at(1.1));
    assert_string_equal(told(&world), "up");
    a.time = b.time = at(2);
    ris_state(&world.lines, &a, "down");
    ris_state(&world.lines, &a, "down");
    ris_state(&world.lines, &b, "connected"); /* of the end of its session nobody said a word */
    take(&world, at(2.1));
    assert_string_equal(told(&world), "down down");
    assert_int_equal(world.feed.up, 0);
    a.time = b.time = at(3);
    ris_state(&world.lines, &a, "connected");
    ris_state(&world.lines, &a, "up");
    ris_state(&world.lines, &a, "up");
    ris_state(&world.lines, &a, "resting");
    ris_update(&world.lines, &b, NULL, "4200000000 4837", "198.51.100.0/24");
    take(&world, at(3.1));
    assert_string_equal(told(&world), "up up announce:198.51.100.0/24");
    assert_int_equal(world.feed.up, 2);
    end(&world);
}

/* A gap from the last message on; what is heard after it is heard anew. */
static void lost_and_back(void **state)
{
    (void)state;
    struct world world;
    struct ris_about about = {.time = at(0)};
    begin(&world);
    ris_keepalive(&world.lines, &about);
    about.time = at(5);
    ris_line(&world.lines, &about, "OPEN", ""); /* it is a message, though it is not used */
    take(&world, at(5.5));
    assert_string_equal(told(&world), "start heard");
    lose(&world);
    assert_int_equal(world.seen[0].time.ns, at(5).ns);
    assert_int_equal(world.gap.ns, at(5).ns);
    assert_int_equal(world.seen[0].value, 0);
    assert_string_equal(registry_text(world.registry, world.seen[0].path),
                        "the connection is lost");
    assert_string_equal(told(&world), "gap");
    /* Heard before the gap began, as the collector says: not before it is over all the same. */
    about.time = at(4.9);
    ris_update(&world.lines, &about, "198.51.100.0/24", NULL, NULL);
    about.time = at(9);
    ris_update(&world.lines, &about, NULL, "65001 4837", "198.51.100.0/24");
    take(&world, at(9.1));
    for (size_t i = 1; i < world.count; i++)
        assert_true(world.seen[i].time.ns > world.seen[i - 1].time.ns);
    assert_true(world.seen[0].time.ns > world.gap.ns);
    assert_int_equal(world.seen[3].time.ns, at(9).ns);
    assert_string_equal(told(&world),
                        "start heard withdraw:198.51.100.0/24 announce:198.51.100.0/24");
    end(&world);
}

/* Of the same time, and the younger first: the place within the time tells which is last. */
static void order(void **state)
{
    (void)state;
    struct world world;
    struct ris_about about = {.time = at(0), .order = 1};
    begin(&world);
    ris_keepalive(&world.lines, &about);
    about.time = at(1);
    about.order = 8;
    ris_update(&world.lines, &about, NULL, "65001 4837", "198.51.100.0/24");
    about.order = 7;
    ris_update(&world.lines, &about, "198.51.100.0/24", NULL, NULL);
    about.time = at(0.5);
    ris_update(&world.lines, &about, NULL, "65001 3356", "198.51.100.0/24");
    take(&world, at(2));
    assert_int_equal(world.seen[2].time.ns, at(1).ns + 7000);
    assert_int_equal(world.seen[3].time.ns, at(1).ns + 6000);
    assert_int_equal(world.seen[4].time.ns, at(0.5).ns + 6000);
    told(&world);
    /* Where nothing tells, as they came. */
    about.order = 0;
    ris_update(&world.lines, &about, "198.51.100.0/24", NULL, NULL);
    take(&world, at(2));
    assert_int_equal(world.seen[0].time.ns, at(1).ns + 7001);
    told(&world);
    /* States have their place, too: a peer that was lost is not back by what it said before. */
    about.time = at(3);
    about.order = 5;
    ris_state(&world.lines, &about, "down");
    about.order = 4;
    ris_update(&world.lines, &about, NULL, "65001 4837", "198.51.100.0/24");
    take(&world, at(3.5));
    assert_string_equal(told(&world), "down");
    about.order = 6;
    ris_keepalive(&world.lines, &about);
    about.order = 3;
    ris_state(&world.lines, &about, "down");
    take(&world, at(3.5));
    assert_string_equal(told(&world), "up");
    assert_int_equal(world.feed.counters.stale, 2);
    end(&world);
}

/* What came too late to be judged, and what comes from the future, is of when it came. */
static void delays(void **state)
{
    (void)state;
    struct world world;
    struct ris_about about = {.time = at(100), .order = 1};
    begin(&world);
    ris_keepalive(&world.lines, &about);
    take(&world, at(100));
    told(&world);
    about.time = at(101);
    ris_update(&world.lines, &about, "198.51.100.0/24", NULL, NULL);
    take(&world, at(111));
    assert_int_equal(world.seen[0].time.ns, at(101).ns);
    assert_int_equal(world.feed.counters.late, 0);
    ris_update(&world.lines, &about, NULL, "65001 4837", "198.51.100.0/24");
    take(&world, at(111.001));
    assert_int_equal(world.seen[1].time.ns, at(111.001).ns);
    assert_int_equal(world.feed.counters.late, 1);
    about.time = at(200);
    ris_update(&world.lines, &about, "198.51.100.0/24", NULL, NULL);
    take(&world, at(112));
    assert_int_equal(world.seen[2].time.ns, at(112).ns);
    /* Our own clock is set back: what is told stays in order. */
    ris_update(&world.lines, &about, NULL, "65001 4837", "198.51.100.0/24");
    take(&world, at(50));
    assert_int_equal(world.seen[3].time.ns, at(112).ns + 1);
    lose(&world);
    assert_true(world.gap.ns > at(112).ns);
    ris_update(&world.lines, &about, "198.51.100.0/24", NULL, NULL);
    ris_update(&world.lines, &about, NULL, "65001 4837", "198.51.100.0/24");
    take(&world, at(51));
    for (size_t i = 4; i < world.count; i++)
        assert_true(world.seen[i].time.ns > world.seen[i - 1].time.ns);
    assert_string_equal(told(&world),
                        "withdraw:198.51.100.0/24 announce:198.51.100.0/24 "
                        "withdraw:198.51.100.0/24 announce:198.51.100.0/24 gap start heard "
                        "withdraw:198.51.100.0/24 announce:198.51.100.0/24");
    end(&world);
}

/* One message from a clock gone wrong, far in the future, and all is as before. */
static void one_wrong_clock(void **state)
{
    (void)state;
    struct world world;
    struct ris_about about = {.time = at(1000000), .order = 7};
    begin(&world);
    ris_keepalive(&world.lines, &about);
    take(&world, at(0));
    about.time = at(2);
    ris_state(&world.lines, &about, "down");
    take(&world, at(2));
    about.time = at(1000000);
    ris_state(&world.lines, &about, "connected");
    take(&world, at(3));
    about.time = at(5);
    ris_update(&world.lines, &about, NULL, "65001 4837", "198.51.100.0/24");
    take(&world, at(5));
    assert_int_equal(world.seen[world.count - 2].time.ns, at(5).ns);
    lose(&world);
    assert_true(world.gap.ns < at(6).ns);
    assert_string_equal(told(&world), "start heard down up announce:198.51.100.0/24 gap");
    assert_int_equal(world.feed.counters.stale, 0);
    end(&world);
}

/* 2-byte ASNs, IPv6 with MP_REACH_NLRI, several messages in one, and what is none. */
static void bytes(void **state)
{
    static const char two[] = "\0\0\0\x14\x40\x01\x01\0\x40\x02\x06\x02\x02\xfd\xe9\x12\xe5\x40\x03"
                              "\x04\xc0\0\x02\x09\x18\xc6\x33\x64";
    (void)state;
    struct world world;
    struct ris_about about = {.time = at(0)};
    begin(&world);
    ris_bytes(&world.lines, &about, two, sizeof two - 1);
    take(&world, at(0));
    assert_string_equal(registry_text(world.registry, world.seen[2].path), "65001 4837");
    assert_string_equal(told(&world), "start heard announce:198.51.100.0/24");
    assert_int_equal(world.feed.counters.bad, 0);

    struct buffer body = {0}, message = {0};
    bmp_bgp(&message, 4, &body);
    ris_raw(&world.lines, &about, "UPDATE", &message);
    take(&world, at(0));
    assert_int_equal(world.feed.counters.bad, 1);
    assert_string_equal(world.feed.first_fault, "it is called an UPDATE and is none");
    message.size--;
    ris_raw(&world.lines, &about, "UPDATE", &message);
    ris_bytes(&world.lines, &about, "\0\x09\0\0", 4);
    take(&world, at(0));
    assert_int_equal(world.feed.counters.bad, 3);
    assert_string_equal(told(&world), "");
    assert_int_equal(world.feed.counters.updates, 1);
    buffer_done(&message);
    end(&world);
}

static void many_peers(void **state)
{
    (void)state;
    struct world world;
    char peer[32];
    begin(&world);
    for (unsigned i = 0; i <= RIS_PEERS_MAX; i++) {
        snprintf(peer, sizeof peer, "10.1.%u.%u", i >> 8, i & 0xff);
        struct ris_about about = {.time = at(0), .peer = peer};
        ris_keepalive(&world.lines, &about);
        take(&world, at(0));
        world.count = 0;
    }
    assert_int_equal(world.feed.up, RIS_PEERS_MAX);
    assert_int_equal(world.feed.counters.unknown, 1);
    end(&world);
}

static int done(void **state)
{
    (void)state;
    ris_parser_done(&parser);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages),        cmocka_unit_test(forms),
        cmocka_unit_test(faults),          cmocka_unit_test(truncated),
        cmocka_unit_test(subscriptions),   cmocka_unit_test(a_peer_speaks),
        cmocka_unit_test(sessions),        cmocka_unit_test(lost_and_back),
        cmocka_unit_test(order),           cmocka_unit_test(delays),
        cmocka_unit_test(one_wrong_clock), cmocka_unit_test(bytes),
        cmocka_unit_test(many_peers),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
