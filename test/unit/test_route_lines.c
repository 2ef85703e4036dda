/* app/route_dump and app/route_json: elements as lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/route_dump.h"
#include "app/route_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static char room[ROUTE_LINE_MAX + 1];

/* Attributes in hexadecimal. */
#define ORIGIN "40 01 01 00 "
#define INCOMPLETE "40 01 01 02 "
#define PATH "40 02 0a 02 02 00 00 fd e8 00 00 12 e5 "
#define PATH_OF_SETS "40 02 10 03 01 00 00 fd e8 01 02 00 00 12 e5 00 00 12 e6 "
#define NEXT_HOP "40 03 04 c0 00 02 01 "
#define MED "80 04 04 ff ff ff ff "
#define LOCAL_PREF "40 05 04 00 00 00 64 "
#define ATOMIC "40 06 00 "
#define AGGREGATOR "c0 07 08 00 02 00 97 c0 00 02 07 "
#define AGGREGATOR_OF_0 "c0 07 08 00 00 00 00 c0 00 02 07 "
#define COMMUNITIES "c0 08 10 fd e8 00 01 ff ff ff 01 ff ff ff 02 ff ff ff 03 "
#define EXTENDED "c0 10 10 00 02 fd e8 00 00 00 01 43 00 00 00 00 00 00 02 "
#define LARGE "c0 20 18 00 00 fd e8 00 00 00 01 00 00 00 02 00 00 fd e8 00 00 00 03 ff ff ff ff "
/* In full, as in an UPDATE, of IPv6 and IPv4; and cut down, as in a dump. */
#define REACH6                                                                                     \
    "80 0e 1a 00 02 01 10 20 01 0d b8 00 00 00 01 00 00 00 00 00 00 00 02 00 20 20 01 0d b8 "
#define REACH6_MULTICAST                                                                           \
    "80 0e 1a 00 02 02 10 20 01 0d b8 00 00 00 01 00 00 00 00 00 00 00 02 00 20 20 01 0d b8 "
#define REACH4 "80 0e 0d 00 01 01 04 c0 00 02 63 00 18 c6 33 64 "
#define REACH_OF_DUMP "80 0e 11 10 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 09 "
#define USUAL ORIGIN PATH NEXT_HOP

static struct bgp_attributes attributes_of(const char *hex, uint8_t bytes[256])
{
    struct bgp_attributes attributes;
    size_t n = 0;
    for (; *hex; hex += 3)
        bytes[n++] = (uint8_t)strtoul((char[]){hex[0], hex[1], 0}, NULL, 16);
    const char *fault = bgp_attributes_decode(reader_of(bytes, n), true, &attributes);
    if (fault)
        fail_msg("%s", fault);
    return attributes;
}

static const struct mrt_peer peer = {{{192, 0, 2, 9}, 4}, 64500};
static const struct mrt_peer peer6 = {{{0x20, 1, 0x0d, 0xb8, [7] = 1, [15] = 9}, 6}, 64501};
static const struct mrt_peer nobody = {.asn = 64502}, unknown;
static const struct route_file file = {.path = "a", .record = 1};

static const struct mrt_header of_bgp4mp = {.type = MRT_BGP4MP},
                               of_extended = {.type = MRT_BGP4MP_ET},
                               of_rib = {.type = MRT_TABLE_DUMP_V2},
                               of_table_dump = {.type = MRT_TABLE_DUMP},
                               of_mrtd = {.type = MRT_BGP}, of_mrtd6 = {.type = MRT_BGP4PLUS};

/* 2022-02-07T05:30:00Z */
#define TIME 1644211800

static struct element element_of(enum element_kind kind, const char *prefix,
                                 const struct mrt_header *header)
{
    struct element element = {.kind = kind,
                              .table = BMP_TABLES,
                              .time = {TIME * NS_PER_S},
                              .peer = &peer,
                              .safi = BGP_UNICAST,
                              .header = header};
    if (prefix)
        assert_true(prefix_parse(prefix, strlen(prefix), &element.prefix));
    return element;
}

/* What else there is to say of an element. */
enum { NOTHING, FROM_COLLECTOR, PATH_ID, BOTH, FAULTY, MULTICAST, MICROSECONDS, LATER };

struct line_case {
    enum element_kind kind;
    const struct mrt_header *header;
    const struct mrt_peer *peer;
    const char *prefix;
    const char *attributes; /* NULL: none */
    int what;
    const char *line;
};

static struct element element_of_case(const struct line_case *c,
                                      const struct bgp_attributes *attributes)
{
    struct element element = element_of(c->kind, c->prefix, c->header);
    element.peer = c->peer;
    element.attributes = c->attributes ? attributes : NULL;
    element.is_from_collector = c->what == FROM_COLLECTOR || c->what == BOTH;
    element.has_path_id = c->what == PATH_ID || c->what == BOTH;
    element.path_id = 4000000000;
    element.is_faulty = c->what == FAULTY;
    element.safi = c->what == MULTICAST ? BGP_MULTICAST : BGP_UNICAST;
    element.time.ns += c->what == MICROSECONDS ? 120000 : c->what == LATER ? 500 * NS_PER_MS : 0;
    element.originated.ns = (TIME - 86400) * NS_PER_S;
    element.state = (struct mrt_state_change){6, 1};
    return element;
}

static void check_dump(const struct route_dump_options *options, const struct line_case *cases,
                       size_t count)
{
    struct route_dump *dump = route_dump_new(options);
    for (size_t i = 0; i < count; i++) {
        const struct line_case *c = &cases[i];
        uint8_t bytes[256];
        struct bgp_attributes attributes;
        struct route_file record = {.path = "a", .record = i};
        if (c->attributes)
            attributes = attributes_of(c->attributes, bytes);
        struct element element = element_of_case(c, &attributes);
        *route_dump_line(dump, &record, &element, room) = '\0';
        assert_string_equal(room, c->line);
    }
    route_dump_free(dump);
}

static void test_dump(void **state)
{
    (void)state;
    static const struct route_dump_options usual;
    static const struct line_case cases[] = {
        {ELEMENT_ANNOUNCE, &of_bgp4mp, &peer, "9.1.0.0/16", USUAL, 0,
         "BGP4MP|1644211800|A|192.0.2.9|64500|9.1.0.0/16|65000 4837|IGP|192.0.2.1|0|0||NAG||\n"},
        {ELEMENT_ANNOUNCE, &of_bgp4mp, &peer, "9.1.0.0/16",
         INCOMPLETE PATH_OF_SETS NEXT_HOP MED LOCAL_PREF ATOMIC AGGREGATOR COMMUNITIES LARGE, 0,
         "BGP4MP|1644211800|A|192.0.2.9|64500|9.1.0.0/16|(65000) "
         "{4837,4838}|INCOMPLETE|192.0.2.1|100|"
         "4294967295|65000:1 no-export no-advertise local-AS|AG|131223 192.0.2.7|\n"},
        {ELEMENT_ANNOUNCE, &of_bgp4mp, &peer, "9.1.0.0/16", USUAL AGGREGATOR_OF_0, 0,
         "BGP4MP|1644211800|A|192.0.2.9|64500|9.1.0.0/16|65000 4837|IGP|192.0.2.1|0|0||NAG|0 "
         "192.0.2.7|\n"},
        {ELEMENT_WITHDRAW, &of_bgp4mp, &peer, "0.0.0.0/0", NULL, 0,
         "BGP4MP|1644211800|W|192.0.2.9|64500|0.0.0.0/0\n"},
        {ELEMENT_WITHDRAW, &of_bgp4mp, &peer, "9.1.0.0/16", NULL, FAULTY,
         "BGP4MP|1644211800|W|192.0.2.9|64500|9.1.0.0/16\n"},
        {ELEMENT_WITHDRAW, &of_extended, &peer6, "9.1.0.0/16", NULL, BOTH,
         "BGP4MP_ET_LOCAL_AP|1644211800.000000|W|2001:db8:0:1::9|64501|9.1.0.0/"
         "16|4000000000\n"},
        {ELEMENT_WITHDRAW, &of_extended, &peer, "9.1.0.0/16", NULL, MICROSECONDS,
         "BGP4MP_ET|1644211800.000120|W|192.0.2.9|64500|9.1.0.0/16\n"},
        {ELEMENT_WITHDRAW, &of_bgp4mp, &peer, "9.1.0.0/16", NULL, FROM_COLLECTOR,
         "BGP4MP_LOCAL|1644211800|W|192.0.2.9|64500|9.1.0.0/16\n"},
        {ELEMENT_ANNOUNCE, &of_bgp4mp, &peer, "9.1.0.0/16", USUAL, PATH_ID,
         "BGP4MP_AP|1644211800|A|192.0.2.9|64500|9.1.0.0/16|4000000000|65000 "
         "4837|IGP|192.0.2.1|0|0||"
         "NAG||\n"},
        /* One group of zeros is shortened, and a small number is written as an IPv4 address. */
        {ELEMENT_ANNOUNCE, &of_bgp4mp, &peer6, "2001:db8:0:1:1:1:1:0/112", ORIGIN PATH REACH6, 0,
         "BGP4MP|1644211800|A|2001:db8:0:1::9|64501|2001:db8::1:1:1:1:0/112|65000 4837|IGP|"
         "2001:db8:0:1::2|0|0||NAG||\n"},
        {ELEMENT_WITHDRAW, &of_bgp4mp, &peer, "::2/128", NULL, 0,
         "BGP4MP|1644211800|W|192.0.2.9|64500|::0.0.0.2/128\n"},
        {ELEMENT_WITHDRAW, &of_bgp4mp, &peer, "::1/128", NULL, 0,
         "BGP4MP|1644211800|W|192.0.2.9|64500|::1/128\n"},
        {ELEMENT_WITHDRAW, &of_bgp4mp, &peer, "::ffff:9.0.0.0/104", NULL, 0,
         "BGP4MP|1644211800|W|192.0.2.9|64500|::ffff:9.0.0.0/104\n"},
        {ELEMENT_WITHDRAW, &of_bgp4mp, &peer, "::/0", NULL, 0,
         "BGP4MP|1644211800|W|192.0.2.9|64500|::/0\n"},
        /* IPv4 in MP_REACH_NLRI: its numbers are signed. */
        {ELEMENT_ANNOUNCE, &of_bgp4mp, &peer, "198.51.100.0/24", ORIGIN PATH REACH4 MED, 0,
         "BGP4MP|1644211800|A|192.0.2.9|64500|198.51.100.0/24|65000 "
         "4837|IGP|192.0.2.99|0|-1||NAG||\n"},
        {ELEMENT_TABLE, &of_rib, &peer, "9.1.0.0/16", USUAL MED, 0,
         "TABLE_DUMP2|1644211800|B|192.0.2.9|64500|9.1.0.0/16|65000 "
         "4837|IGP|192.0.2.1|0|4294967295||NAG||\n"},
        {ELEMENT_TABLE, &of_rib, &peer6, "9.1.0.0/16", USUAL, PATH_ID,
         "TABLE_DUMP2_AP|1644211800|B|2001:db8:0:1::9|64501|9.1.0.0/16|4000000000|65000 "
         "4837|IGP|192.0.2.1|0|0||NAG||\n"},
        {ELEMENT_TABLE, &of_rib, &peer6, "2001:db8::/32", ORIGIN PATH REACH_OF_DUMP, 0,
         "TABLE_DUMP2|1644211800|B|2001:db8:0:1::9|64501|2001:db8::/32|65000 "
         "4837|IGP|2001:db8::9|0|0||NAG||\n"},
        /* The collector's own routes. */
        {ELEMENT_TABLE, &of_table_dump, &peer, "9.1.0.0/16", "", 0,
         "TABLE_DUMP|1644211800|B|192.0.2.9|64500|9.1.0.0/"
         "16||INCOMPLETE|255.255.255.255|0|0||NAG||\n"},
        {ELEMENT_TABLE, &of_bgp4mp, &peer, "9.1.0.0/16", USUAL, 0,
         "TABLE_DUMP|1644211800|B|192.0.2.9|64500|9.1.0.0/16|65000 "
         "4837|IGP|192.0.2.1|0|0||NAG||\n"},
        {ELEMENT_STATE, &of_bgp4mp, &peer, NULL, NULL, 0,
         "BGP4MP|1644211800|STATE|192.0.2.9|64500|6|1\n"},
        {ELEMENT_STATE, &of_extended, &nobody, NULL, NULL, 0,
         "BGP4MP_ET|1644211800.000000|STATE|0.0.0.0|64502|6|1\n"},
        {ELEMENT_STATE, &of_mrtd, &peer, NULL, NULL, 0,
         "BGP|1644211800|STATE|192.0.2.9|64500|6|1\n"},
        /* Of MRTd's records the field of communities runs into that of the MED. */
        {ELEMENT_ANNOUNCE, &of_mrtd, &peer, "9.1.0.0/16", USUAL COMMUNITIES, 0,
         "BGP|1644211800|A|192.0.2.9|64500|9.1.0.0/16|65000 4837|IGP|192.0.2.1|0|065000:1 "
         "no-export "
         "no-advertise local-AS|NAG||\n"},
        {ELEMENT_ANNOUNCE, &of_mrtd, &peer, "9.1.0.0/16", USUAL, 0,
         "BGP|1644211800|A|192.0.2.9|64500|9.1.0.0/16|65000 4837|IGP|192.0.2.1|0|0|NAG||\n"},
        {ELEMENT_WITHDRAW, &of_mrtd6, &peer6, "2001:db8::/32", NULL, 0,
         "BGP4PLUS|1644211800|W|2001:db8:0:1::9|64501|2001:db8::/32\n"},
        {ELEMENT_END_OF_RIB, &of_bgp4mp, &peer, NULL, NULL, 0, ""},
        {ELEMENT_MESSAGE, &of_bgp4mp, &peer, NULL, NULL, 0, ""},
    };
    check_dump(&usual, cases, sizeof cases / sizeof *cases);
}

static void test_dump_options(void **state)
{
    (void)state;
    static const struct route_dump_options large = {.has_large_communities = true},
                                           change = {.is_time_of_change = true},
                                           brief = {.is_short = true, .is_time_of_change = true};
    static const struct line_case with_large[] = {
        {ELEMENT_ANNOUNCE, &of_bgp4mp, &peer, "9.1.0.0/16", USUAL LARGE, 0,
         "BGP4MP|1644211800|A|192.0.2.9|64500|9.1.0.0/16|65000 4837|IGP|192.0.2.1|0|0||65000:1:2 "
         "65000:3:4294967295|NAG||\n"},
        {ELEMENT_TABLE, &of_rib, &peer, "9.1.0.0/16", USUAL, 0,
         "TABLE_DUMP2|1644211800|B|192.0.2.9|64500|9.1.0.0/16|65000 "
         "4837|IGP|192.0.2.1|0|0|||NAG||\n"},
        {ELEMENT_ANNOUNCE, &of_mrtd, &peer, "9.1.0.0/16", USUAL LARGE, 0,
         "BGP|1644211800|A|192.0.2.9|64500|9.1.0.0/16|65000 4837|IGP|192.0.2.1|0|0|NAG||\n"}};
    static const struct line_case of_change[] = {
        {ELEMENT_TABLE, &of_rib, &peer, "9.1.0.0/16", USUAL, 0,
         "TABLE_DUMP2|1644125400|B|192.0.2.9|64500|9.1.0.0/16|65000 "
         "4837|IGP|192.0.2.1|0|0||NAG||\n"},
        {ELEMENT_WITHDRAW, &of_bgp4mp, &peer, "9.1.0.0/16", NULL, 0,
         "BGP4MP|1644211800|W|192.0.2.9|64500|9.1.0.0/16\n"}};
    static const struct line_case in_short[] = {
        {ELEMENT_TABLE, &of_rib, &peer, "9.1.0.0/16", USUAL, 0,
         "TABLE_DUMP2|02/06/22 05:30:00|B|192.0.2.9|64500|9.1.0.0/16|65000 4837|IGP\n"},
        {ELEMENT_ANNOUNCE, &of_extended, &peer, "9.1.0.0/16", USUAL, PATH_ID,
         "BGP4MP_ET_AP|02/07/22 "
         "05:30:00.000000|A|192.0.2.9|64500|9.1.0.0/16|4000000000|65000 4837|IGP\n"},
        {ELEMENT_STATE, &of_bgp4mp, &peer, NULL, NULL, 0,
         "BGP4MP|02/07/22 05:30:00|STATE|192.0.2.9|64500|6|1\n"}};
    check_dump(&large, with_large, 3);
    check_dump(&change, of_change, 2);
    check_dump(&brief, in_short, 3);
}

#define HEAD(type) "{\"type\":\"" type "\",\"time\":\"2022-02-07T05:30:00Z\","
#define PEER "\"peer\":\"192.0.2.9\",\"peer_asn\":64500,"
#define PEER6 "\"peer\":\"2001:db8:0:1::9\",\"peer_asn\":64501,"
#define ROUTE "\"path\":\"65000 4837\",\"origin_asn\":4837,\"origin\":\"igp\","

static void test_json(void **state)
{
    (void)state;
    static const struct line_case cases[] = {
        {ELEMENT_ANNOUNCE, &of_bgp4mp, &peer, "9.1.0.0/16", USUAL, 0,
         HEAD("announce") PEER "\"prefix\":\"9.1.0.0/16\"," ROUTE "\"next_hop\":\"192.0.2.1\"}\n"},
        {ELEMENT_ANNOUNCE, &of_bgp4mp, &peer, "9.1.0.0/16",
         INCOMPLETE PATH_OF_SETS NEXT_HOP MED LOCAL_PREF ATOMIC AGGREGATOR COMMUNITIES EXTENDED
             LARGE,
         BOTH,
         HEAD("announce") PEER
         "\"sent\":true,\"prefix\":\"9.1.0.0/16\",\"path_id\":4000000000,\"path\":\"(65000) "
         "{4837,4838}\",\"origin\":\"incomplete\",\"next_hop\":\"192.0.2.1\",\"med\":4294967295,"
         "\"local_pref\":100,\"communities\":[\"65000:1\",\"65535:65281\",\"65535:65282\","
         "\"65535:65283\"],\"large_communities\":[\"65000:1:2\",\"65000:3:4294967295\"],"
         "\"extended_communities\":[\"rt:65000:1\",\"0x4300000000000002\"],"
         "\"atomic_aggregate\":true,\"aggregator\":{\"asn\":131223,\"address\":\"192.0.2.7\"}}\n"},
        {ELEMENT_ANNOUNCE, &of_bgp4mp, &peer6, "2001:db8::/32", ORIGIN PATH REACH6_MULTICAST,
         MULTICAST,
         HEAD("announce") PEER6 "\"prefix\":\"2001:db8::/32\"," ROUTE
                                "\"next_hop\":\"2001:db8:0:1::2\",\"safi\":\"multicast\"}\n"},
        {ELEMENT_WITHDRAW, &of_bgp4mp, &peer, "9.1.0.0/16", NULL, FAULTY,
         HEAD("withdraw") PEER "\"prefix\":\"9.1.0.0/16\",\"faulty\":true}\n"},
        {ELEMENT_WITHDRAW, &of_extended, &peer, "9.1.0.0/16", NULL, MICROSECONDS,
         "{\"type\":\"withdraw\",\"time\":\"2022-02-07T05:30:00.000120Z\"," PEER
         "\"prefix\":\"9.1.0.0/16\"}\n"},
        {ELEMENT_WITHDRAW, &of_extended, &peer, "9.1.0.0/16", NULL, LATER,
         "{\"type\":\"withdraw\",\"time\":\"2022-02-07T05:30:00.500Z\"," PEER
         "\"prefix\":\"9.1.0.0/16\"}\n"},
        {ELEMENT_TABLE, &of_rib, &peer, "9.1.0.0/16", USUAL, 0,
         HEAD("table") PEER
         "\"prefix\":\"9.1.0.0/16\"," ROUTE
         "\"next_hop\":\"192.0.2.1\",\"originated\":\"2022-02-06T05:30:00Z\"}\n"},
        {ELEMENT_TABLE, &of_rib, &peer6, "9.1.0.0/16", "", 0,
         HEAD("table") PEER6
         "\"prefix\":\"9.1.0.0/16\",\"originated\":\"2022-02-06T05:30:00Z\"}\n"},
        {ELEMENT_STATE, &of_bgp4mp, &peer, NULL, NULL, 0,
         HEAD("state") PEER "\"from\":\"established\",\"to\":\"idle\"}\n"},
        {ELEMENT_STATE, &of_bgp4mp, &nobody, NULL, NULL, 0,
         HEAD("state") "\"peer_asn\":64502,\"from\":\"established\",\"to\":\"idle\"}\n"},
        {ELEMENT_STATE, &of_bgp4mp, &unknown, NULL, NULL, 0,
         "{\"type\":\"state\",\"time\":\"2022-02-07T05:30:00Z\",\"from\":\"established\",\"to\":"
         "\"idle\"}\n"},
        {ELEMENT_END_OF_RIB, &of_bgp4mp, &peer, "::/0", NULL, MULTICAST,
         HEAD("end_of_rib") PEER "\"family\":\"ipv6\",\"safi\":\"multicast\"}\n"},
        {ELEMENT_END_OF_RIB, &of_bgp4mp, &peer, "0.0.0.0/0", NULL, 0,
         HEAD("end_of_rib") PEER "\"family\":\"ipv4\"}\n"},
        {ELEMENT_END_OF_RIB, &of_bgp4mp, &peer, NULL, NULL, 0,
         HEAD("end_of_rib") "\"peer\":\"192.0.2.9\",\"peer_asn\":64500}\n"},
    };
    struct route_json *json = route_json_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct line_case *c = &cases[i];
        uint8_t bytes[256];
        struct bgp_attributes attributes;
        struct route_file record = {.path = "a", .record = i};
        if (c->attributes)
            attributes = attributes_of(c->attributes, bytes);
        struct element element = element_of_case(c, &attributes);
        *route_json_line(json, &record, &element, room) = '\0';
        assert_string_equal(room, c->line);
        json_t *parsed = json_loads(room, JSON_REJECT_DUPLICATES, NULL);
        assert_true(json_is_object(parsed));
        json_decref(parsed);
    }
    route_json_free(json);
}

static void test_json_messages(void **state)
{
    (void)state;
    static const struct {
        enum bgp_message_type type;
        const char *body;
        size_t n;
        const char *line;
    } table[] = {
        {BGP_KEEPALIVE, "", 0, HEAD("keepalive") "\"peer\":\"192.0.2.9\",\"peer_asn\":64500}\n"},
        {BGP_NOTIFICATION, "\x06\x02more", 6,
         HEAD("notification") PEER "\"code\":6,\"subcode\":2}\n"},
        {BGP_NOTIFICATION, "\x06", 1,
         HEAD("notification") "\"peer\":\"192.0.2.9\",\"peer_asn\":64500}\n"},
        {BGP_OPEN, "\x04\x5b\xa0\x00\xb4\xc0\x00\x02\x09\x00", 10,
         HEAD("open") PEER "\"asn\":23456,\"hold_time\":180,\"bgp_id\":\"192.0.2.9\"}\n"},
        {BGP_ROUTE_REFRESH, "\0\1\0\1", 4,
         HEAD("route_refresh") "\"peer\":\"192.0.2.9\",\"peer_asn\":64500}\n"},
    };
    struct route_json *json = route_json_new();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct element element = element_of(ELEMENT_MESSAGE, NULL, &of_bgp4mp);
        element.message = table[i].type;
        element.body = reader_of(table[i].body, table[i].n);
        *route_json_line(json, &file, &element, room) = '\0';
        assert_string_equal(room, table[i].line);
    }
    route_json_free(json);
}

static void test_json_states(void **state)
{
    (void)state;
    static const char *const names[] = {"idle",        "connect",     "active", "opensent",
                                        "openconfirm", "established", "7",      "8"};
    struct route_json *json = route_json_new();
    for (unsigned i = 1; i < 9; i++) {
        char wanted[256];
        struct element element = element_of(ELEMENT_STATE, NULL, &of_bgp4mp);
        element.state = (struct mrt_state_change){(uint16_t)i, 65535};
        *route_json_line(json, &file, &element, room) = '\0';
        snprintf(wanted, sizeof wanted, "%s\"from\":\"%s\",\"to\":\"65535\"}\n", HEAD("state") PEER,
                 names[i - 1]);
        assert_string_equal(room, wanted);
    }
    struct element odd = element_of(ELEMENT_STATE, NULL, &of_bgp4mp);
    odd.state.after = MRT_IDLE;
    *route_json_line(json, &file, &odd, room) = '\0';
    assert_string_equal(room, HEAD("state") PEER "\"to\":\"idle\"}\n");
    route_json_free(json);
}

static void test_json_collector(void **state)
{
    (void)state;
    char longest[ROUTE_COLLECTOR_MAX + 2];
    memset(longest, '\1', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    const char *const names[] = {"rrc00", NULL, "a\"b", longest, "rrc01"};
    struct route_json *json = route_json_new();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct route_file named = {.path = "a", .collector = names[i], .record = i};
        struct element element = element_of(ELEMENT_WITHDRAW, "9.1.0.0/16", &of_bgp4mp);
        *route_json_line(json, &named, &element, room) = '\0';
        json_t *parsed = json_loads(room, 0, NULL);
        const char *name = json_string_value(json_object_get(parsed, "collector"));
        if (names[i] == longest)
            assert_int_equal(strlen(name), ROUTE_COLLECTOR_MAX);
        else
            assert_string_equal(name ? name : "none", names[i] ? names[i] : "none");
        json_decref(parsed);
    }
    route_json_free(json);
}

/* What is kept from line to line is of the right record, file, family and peer. */
static void test_kept(void **state)
{
    (void)state;
    static const struct route_dump_options usual;
    struct route_dump *dump = route_dump_new(&usual);
    struct route_dump *fresh;
    struct route_json *json = route_json_new(), *fresh_json;
    static char other[ROUTE_LINE_MAX + 1];
    static const char *const sets[] = {USUAL, ORIGIN PATH REACH6 NEXT_HOP, USUAL COMMUNITIES};
    static const char *const prefixes[] = {"9.1.0.0/16", "2001:db8::/32", "9.2.0.0/16"};
    uint32_t random = 1;
    struct route_file files[2] = {{.path = "a", .record = 1}, {.path = "b", .record = 1}};
    uint8_t bytes[3][256];
    struct bgp_attributes attributes[3];
    for (size_t i = 0; i < 3; i++)
        attributes[i] = attributes_of(sets[i], bytes[i]);
    size_t sets_of[2] = {0};
    for (unsigned i = 0; i < 5000; i++) {
        random = random * 1664525 + 1013904223;
        size_t which = random >> 30 & 1;
        struct route_file *record = &files[which];
        if (random >> 29 & 1) { /* the next record, of other attributes */
            record->record++;
            sets_of[which] = (random >> 20) % 3;
        }
        enum element_kind kind = random >> 27 & 1 ? ELEMENT_TABLE : ELEMENT_ANNOUNCE;
        struct element element = element_of(kind, prefixes[(random >> 24) % 3],
                                            kind == ELEMENT_TABLE ? &of_rib : &of_bgp4mp);
        struct mrt_peer one = {{{10, 0, (uint8_t)(random >> 16), (uint8_t)(random >> 8)}, 4},
                               random >> 10 & 0xfff};
        element.peer = &one;
        element.attributes = &attributes[sets_of[which]];
        element.time.ns += (random >> 12 & 3) * NS_PER_S;
        element.originated.ns = (int64_t)(random >> 4) * NS_PER_S;
        fresh = route_dump_new(&usual);
        *route_dump_line(dump, record, &element, room) = '\0';
        *route_dump_line(fresh, record, &element, other) = '\0';
        assert_string_equal(room, other);
        route_dump_free(fresh);
        fresh_json = route_json_new();
        *route_json_line(json, record, &element, room) = '\0';
        *route_json_line(fresh_json, record, &element, other) = '\0';
        assert_string_equal(room, other);
        route_json_free(fresh_json);
    }
    route_dump_free(dump);
    route_json_free(json);
}

/* All that fits into 65,535 bytes: nothing is cut, and the room is enough. */
static void test_longest(void **state)
{
    (void)state;
    static uint8_t bytes[UINT16_MAX];
    static const struct route_dump_options usual;
    struct buffer made = {0};
    buffer_add(&made,
               "\x40\x01\x01\x00\x40\x03\x04\xff\xff\xff\xff\x40\x02\x06\x02\x01\xff\xff\xff\xff",
               20);
    size_t n = (sizeof bytes - made.size - 4) / 4;
    buffer_add(&made, "\xd0\x08", 2);
    buffer_u8(&made, (uint8_t)(4 * n >> 8));
    buffer_u8(&made, (uint8_t)(4 * n));
    for (size_t i = 0; i < n; i++)
        buffer_add(&made, "\xff\xff\xff\xfe", 4);
    memcpy(bytes, made.bytes, made.size);
    struct bgp_attributes attributes;
    assert_null(bgp_attributes_decode(reader_of(bytes, made.size), true, &attributes));
    struct element element = element_of(ELEMENT_ANNOUNCE, "9.1.0.0/16", &of_bgp4mp);
    element.attributes = &attributes;
    struct route_dump *dump = route_dump_new(&usual);
    struct route_json *json = route_json_new();
    char *end = route_dump_line(dump, &file, &element, room);
    assert_true(end <= room + ROUTE_LINE_MAX);
    assert_int_equal(end - room,
                     strlen("BGP4MP|1644211800|A|192.0.2.9|64500|9.1.0.0/16|4294967295|IGP|"
                            "255.255.255.255|0|0||NAG||\n") +
                         12 * n - 1);
    end = route_json_line(json, &file, &element, room);
    assert_true(end <= room + ROUTE_LINE_MAX);
    *end = '\0';
    json_t *parsed = json_loads(room, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(parsed, "communities")), n);
    json_decref(parsed);
    route_dump_free(dump);
    route_json_free(json);
    buffer_done(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dump),        cmocka_unit_test(test_dump_options),
        cmocka_unit_test(test_json),        cmocka_unit_test(test_json_messages),
        cmocka_unit_test(test_json_states), cmocka_unit_test(test_json_collector),
        cmocka_unit_test(test_kept),        cmocka_unit_test(test_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
