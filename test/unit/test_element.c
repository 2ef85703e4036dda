/* source/mrt/element: every kind of record as elements, what a filter lets pass, and that it lets
 * pass just that: also of the real archives, where they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "archive_maker.h"
#include "source/mrt/element.h"
#include "source/mrt/mrt_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a walk told, a line for each element, and each fault in brackets. */
struct told {
    struct buffer text;
    struct element_walk walk;
};

static void print_path(const struct element *element, struct buffer *out)
{
    const struct bgp_attributes *attributes = element->attributes;
    char text[ADDR_TEXT_MAX];
    if (!attributes)
        return;
    buffer_puts(out, " [");
    bgp_path_format(&attributes->path, out);
    buffer_puts(out, "]");
    struct bgp_next_hop hop =
        bgp_next_hop_of(attributes, element->prefix.addr.family, element->safi);
    if (hop.global.family)
        buffer_printf(out, " via %s", addr_format(&hop.global, text));
    if (hop.local.family)
        buffer_printf(out, " and %s", addr_format(&hop.local, text));
    if (attributes->fault)
        buffer_printf(out, " (%s)", attributes->fault);
}

static void print_element(void *context, const struct element *element)
{
    static const char *const kinds[] = {"announce", "withdraw", "table", "state", "end", "message"};
    struct buffer *out = &((struct told *)context)->text;
    char text[PREFIX_TEXT_MAX];
    buffer_printf(out, "%lld %s", (long long)(element->time.ns / NS_PER_S), kinds[element->kind]);
    if (element->kind == ELEMENT_STATE)
        buffer_printf(out, " %u>%u", element->state.before, element->state.after);
    if (element->kind == ELEMENT_MESSAGE)
        buffer_printf(out, " %u", element->message);
    if (element->kind == ELEMENT_END_OF_RIB)
        buffer_printf(out, " %u/%u", element->prefix.addr.family, element->safi);
    if (element->kind <= ELEMENT_TABLE)
        buffer_printf(out, " %s", prefix_format(&element->prefix, text));
    if (element->kind <= ELEMENT_TABLE && element->safi != BGP_UNICAST)
        buffer_printf(out, "@%u", element->safi);
    if (element->has_path_id)
        buffer_printf(out, "#%u", element->path_id);
    if (element->is_faulty)
        buffer_puts(out, "!");
    if (element->is_from_collector)
        buffer_puts(out, " sent");
    print_path(element, out);
    if (element->peer->asn != 65000)
        buffer_printf(out, " %u", element->peer->asn);
    buffer_puts(out, "\n");
}

static void print_fault(void *context, const char *fault)
{
    buffer_printf(&((struct told *)context)->text, "(%s)\n", fault);
}

static void told_init(struct told *told, const struct element_filter *filter)
{
    *told = (struct told){
        .walk = {.filter = filter, .take = print_element, .report = print_fault, .context = told}};
    buffer_puts(&told->text, "");
}

static void told_done(struct told *told)
{
    element_walk_done(&told->walk);
    buffer_done(&told->text);
}

/* All records of well-framed bytes. */
static void walk_bytes(struct element_walk *walk, const struct buffer *file, struct buffer *out)
{
    struct reader r = reader_of(file->bytes, file->size);
    while (reader_left(&r)) {
        struct mrt_header header = mrt_header_of(reader_bytes(&r, MRT_HEADER));
        struct reader body = reader_sub(&r, header.length);
        assert_null(r.bad);
        const char *fault = element_walk_record(walk, &header, body);
        if (fault)
            buffer_printf(out, "rejected: %s\n", fault);
    }
}

/* Walks what was built, compares, and clears it. */
static void expect(struct buffer *file, const struct element_filter *filter, const char *want)
{
    struct told told;
    told_init(&told, filter);
    walk_bytes(&told.walk, file, &told.text);
    assert_string_equal(told.text.bytes, want);
    told_done(&told);
    buffer_clear(file);
}

/* Adds bytes in hexadecimal. */
static void add_hex(struct buffer *out, const char *hex)
{
    char digits[3] = "";
    for (; *hex; hex++) {
        if (*hex == ' ')
            continue;
        digits[0] = *hex++;
        digits[1] = *hex;
        buffer_u8(out, (uint8_t)strtoul(digits, NULL, 16));
    }
}

static void add_record(struct buffer *file, uint32_t seconds, unsigned type, unsigned subtype,
                       const char *hex)
{
    struct buffer body = {0};
    add_hex(&body, hex);
    make_record(file, seconds, type, subtype, &body);
}

/* An UPDATE of 192.0.2.9 AS65000 to a collector of AS12654, with 4-byte ASNs, from its parts. */
static void add_update(struct buffer *file, const char *withdrawn, const char *attributes,
                       const char *announced)
{
    struct buffer gone = {0}, rules = {0}, body = {0};
    add_hex(&gone, withdrawn);
    add_hex(&rules, attributes);
    make_u16(&body, (unsigned)gone.size);
    buffer_add(&body, gone.bytes, gone.size);
    make_u16(&body, (unsigned)rules.size);
    buffer_add(&body, rules.bytes, rules.size);
    add_hex(&body, announced);
    archive_message(file, 100, BGP_UPDATE, body.bytes, body.size);
    buffer_done(&gone);
    buffer_done(&rules);
    buffer_done(&body);
}

#define ORIGIN "40010100 "
#define PATH "40020A 0202 0000FDE8 000012E5 " /* 65000 4837 */
#define HOP "400304 C0000209 "                /* 192.0.2.9 */
#define VIA " [65000 4837] via 192.0.2.9"

/* ---- messages ---- */

static void test_messages(void **state)
{
    (void)state;
    struct buffer file = {0};
    archive_state(&file, 100, 5, 6);
    archive_message(&file, 101, BGP_KEEPALIVE, "", 0);
    archive_update(&file, 102, "9.0.0.0/8#6", "65000 4837", "10.0.0.0/8#7 11.0.0.0/8#8");
    archive_update(&file, 103, "9.0.0.0/8 10.0.0.0/8", NULL, NULL);
    archive_update(&file, 104, "9.0.0.0/8", "65000 4837", "10.0.0.0/8");
    expect(&file, NULL,
           "100 state 5>6\n101 message 4\n"
           "102 withdraw 9.0.0.0/8#6" VIA "\n"
           "102 announce 10.0.0.0/8#7" VIA "\n102 announce 11.0.0.0/8#8" VIA "\n"
           "103 withdraw 9.0.0.0/8\n103 withdraw 10.0.0.0/8\n"
           "104 withdraw 9.0.0.0/8" VIA "\n104 announce 10.0.0.0/8" VIA "\n");
    archive_update(&file, 100, "9.0.0.0/8", NULL, NULL);
    file.bytes[7] = 7;                                    /* BGP4MP_MESSAGE_AS4_LOCAL */
    add_record(&file, 101, 16, 0, "0000 0000 0003 0004"); /* of a peer without a name */
    expect(&file, NULL, "100 withdraw 9.0.0.0/8 sent\n101 state 3>4 0\n");
    buffer_done(&file);
}

static void test_families(void **state)
{
    (void)state;
    struct buffer file = {0};
    /* MP_UNREACH of multicast beside MP_REACH of IPv6 unicast with both next hops */
    add_update(&file, "",
               ORIGIN PATH "800F06 0001 02 10 AF2D "
                           "800E2C 0002 01 20 20010DB8000000000000000000000001 "
                           "FE800000000000000000000000000001 00 30 20010DB80001",
               "");
    expect(&file, NULL,
           "100 withdraw 175.45.0.0/16@2 [65000 4837]\n"
           "100 announce 2001:db8:1::/48 [65000 4837] via 2001:db8::1 and fe80::1\n");
    /* SAFI 3; IPv4 over an IPv6 next hop (RFC 8950); a family of others is passed over */
    add_update(&file, "", ORIGIN PATH "800E0B 0001 03 04 C0000201 00 08 0A", "");
    add_update(&file, "", ORIGIN PATH "800E17 0001 01 10 20010DB8000000000000000000000001 00 08 0A",
               "");
    add_update(&file, "", ORIGIN PATH "800E0B 0001 80 04 C0000201 00 08 0A", "");
    expect(&file, NULL,
           "100 announce 10.0.0.0/8@3 [65000 4837] via 192.0.2.1\n"
           "100 announce 10.0.0.0/8 [65000 4837] via 2001:db8::1\n");
    buffer_done(&file);
}

static void test_ends_of_rib(void **state)
{
    (void)state;
    struct buffer file = {0};
    add_update(&file, "", "", "");
    add_update(&file, "", "800F03 0002 01", "");
    add_update(&file, "", "900F0003 0001 02", "");
    add_update(&file, "", "800F03 0019 41", "");        /* L2VPN */
    add_update(&file, "", "800F03 0002 01 400600", ""); /* there is more than that */
    expect(&file, NULL, "100 end 4/1\n100 end 6/1\n100 end 4/2\n100 end 0/0\n");
    buffer_done(&file);
}

/* RFC 7606: what makes a withdrawal, and what is only left out. */
static void test_wrong_attributes(void **state)
{
    (void)state;
    static const struct {
        const char *attributes, *want;
    } cases[] = {
        {ORIGIN PATH HOP, "100 announce 10.0.0.0/8" VIA "\n"},
        /* 3 (f), 7.6, 7.7 and RFC 7607: ATOMIC_AGGREGATE and AGGREGATOR */
        {ORIGIN PATH HOP "400601 00 ",
         "100 announce 10.0.0.0/8" VIA " (ATOMIC_AGGREGATE is malformed)\n"},
        {ORIGIN PATH HOP "C00600 ",
         "100 announce 10.0.0.0/8" VIA " (ATOMIC_AGGREGATE is malformed)\n"},
        {ORIGIN PATH HOP "C00706 FDE8 C0000201 ",
         "100 announce 10.0.0.0/8" VIA " (AGGREGATOR is malformed)\n"},
        {ORIGIN PATH HOP "C00708 00000000 C0000201 ",
         "100 announce 10.0.0.0/8" VIA " (AGGREGATOR is malformed)\n"},
        {ORIGIN PATH HOP "C00709 0000FDE8 C0000201 00 ",
         "100 announce 10.0.0.0/8" VIA " (AGGREGATOR is malformed)\n"},
        /* 7.5, 7.9, 7.10: from another AS these do not count */
        {ORIGIN PATH HOP "400503 000001 ",
         "100 announce 10.0.0.0/8" VIA " (LOCAL_PREF has a wrong length)\n"},
        {ORIGIN PATH HOP "800903 000001 ",
         "100 announce 10.0.0.0/8" VIA " (ORIGINATOR_ID has a wrong length)\n"},
        {ORIGIN PATH HOP "800A00 ",
         "100 announce 10.0.0.0/8" VIA " (CLUSTER_LIST has a wrong length)\n"},
        /* RFC 7607: AS 0 in the path */
        {ORIGIN "40020A 0202 0000FDE8 00000000 " HOP,
         "(AS_PATH is malformed)\n100 withdraw 10.0.0.0/8!\n"},
        /* RFC 4271, 6.3: a well-known attribute that nobody knows, near and far */
        {ORIGIN PATH HOP "403200 ",
         "(a path attribute has wrong flags)\n100 withdraw 10.0.0.0/8!\n"},
        {ORIGIN PATH HOP "40C800 ",
         "(a path attribute has wrong flags)\n100 withdraw 10.0.0.0/8!\n"},
        /* 7.15, 7.16, RFC 8092, RFC 9234 */
        {ORIGIN PATH HOP "C01908 0001020304050607 ",
         "(IPv6 EXTENDED COMMUNITIES has a wrong length)\n100 withdraw 10.0.0.0/8!\n"},
        {ORIGIN PATH HOP "C08003 000102 ", "(ATTR_SET is malformed)\n100 withdraw 10.0.0.0/8!\n"},
        {ORIGIN PATH HOP "C02008 0001020304050607 ",
         "(LARGE_COMMUNITY has a wrong length)\n100 withdraw 10.0.0.0/8!\n"},
        {ORIGIN PATH HOP "C02000 ",
         "(LARGE_COMMUNITY has a wrong length)\n100 withdraw 10.0.0.0/8!\n"},
        {ORIGIN PATH HOP "C02302 0001 ",
         "(ONLY_TO_CUSTOMER has a wrong length)\n100 withdraw 10.0.0.0/8!\n"},
        {ORIGIN PATH HOP "C00800 ", "(COMMUNITIES has a wrong length)\n100 withdraw 10.0.0.0/8!\n"},
        /* 3 (h): the strongest counts; 3 (g): a second one does not */
        {ORIGIN PATH HOP "400601 00 800402 0001 ",
         "(MULTI_EXIT_DISC has a wrong length)\n100 withdraw 10.0.0.0/8!\n"},
        {ORIGIN PATH HOP "80040400000001 800402 0001 ", "100 announce 10.0.0.0/8" VIA "\n"},
        /* 7.11: a next hop of a wrong length, but prefixes that make sense */
        {ORIGIN PATH HOP "800E0A 0001 01 03 C00002 00 08 0B ",
         "(the next hop in MP_REACH_NLRI has a wrong length)\n"
         "100 withdraw 10.0.0.0/8!\n100 withdraw 11.0.0.0/8!\n"},
    };
    struct buffer file = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        add_update(&file, "", cases[i].attributes, "08 0A");
        expect(&file, NULL, cases[i].want);
    }
    /* Within one AS the last three count: the collector's ASN is made the peer's. */
    add_update(&file, "", ORIGIN PATH HOP "400503 000001 ", "08 0A");
    memcpy(file.bytes + 16, file.bytes + 12, 4);
    expect(&file, NULL, "(LOCAL_PREF has a wrong length)\n100 withdraw 10.0.0.0/8!\n");
    buffer_done(&file);
}

/* What is left out is not found any more, and both sorts are counted. */
static void test_fault_counts(void **state)
{
    (void)state;
    struct buffer file = {0};
    struct element_walk walk = {0};
    add_update(&file, "", ORIGIN PATH HOP "400601 00 ", "08 0A");
    add_update(&file, "", PATH HOP, "08 0A");
    walk_bytes(&walk, &file, NULL);
    assert_int_equal(walk.counts.discarded, 1);
    assert_int_equal(walk.counts.faulty, 1);
    assert_int_equal(walk.counts.records, 2);
    assert_int_equal(walk.counts.of[ELEMENT_ANNOUNCE], 1);
    assert_int_equal(walk.counts.of[ELEMENT_WITHDRAW], 1);
    assert_int_equal(walk.counts.of_family[0], 2);
    element_walk_done(&walk);
    struct bgp_attributes attributes;
    buffer_clear(&file);
    add_hex(&file, ORIGIN PATH HOP "C00708 00000000 C0000201 80040400000001");
    assert_null(bgp_attributes_decode(reader_of(file.bytes, file.size), true, &attributes));
    assert_null(bgp_attribute(&attributes, BGP_AGGREGATOR).at);
    assert_int_equal(attributes.discarded, 1 << BGP_AGGREGATOR);
    struct reader med = bgp_attribute(&attributes, BGP_MED);
    assert_int_equal(reader_u32(&med), 1);
    assert_null(bgp_attribute(&attributes, BGP_COMMUNITIES).at);
    buffer_done(&file);
}

/* ---- dumps ---- */

#define PEERS                                                                                      \
    "00000000 0000 0002 "                                                                          \
    "02 00000000 C0000209 0000FDE8 02 00000000 C000020A 0000FDE9"
#define GEO_PEERS                                                                                  \
    "00000000 0000 41200000 41200000 0002 "                                                        \
    "02 00000000 C0000209 0000FDE8 7FC00000 7FC00000 "                                             \
    "02 00000000 C000020A 0000FDE9 41200000 41200000"
#define ENTRY "00000064 0018 " ORIGIN PATH HOP
#define ENTRY6 "00000064 0025 " ORIGIN PATH "800E11 10 20010DB8000000000000000000000001 "

static void test_dump_forms(void **state)
{
    (void)state;
    struct buffer file = {0};
    add_record(&file, 100, 13, 1, PEERS);
    add_record(&file, 100, 13, 2, "00000000 08 0A 0002 0000 " ENTRY "0001 " ENTRY);
    add_record(&file, 100, 13, 3, "00000000 08 0A 0001 0000 " ENTRY);
    /* MP_REACH_NLRI abbreviated, as it should be, and in full */
    add_record(&file, 100, 13, 4, "00000000 20 20010DB8 0001 0000 " ENTRY6);
    add_record(&file, 100, 13, 5,
               "00000000 20 20010DB8 0001 0000 00000064 002E " ORIGIN PATH
               "800E1A 0002 02 10 20010DB8000000000000000000000001 00 20 20010DB8");
    add_record(&file, 100, 13, 8,
               "00000000 08 0A 0001 0000 00000064 00000007 0018 " ORIGIN PATH HOP);
    /* identifiers under a subtype that does not say so */
    add_record(&file, 100, 13, 2,
               "00000000 08 0A 0001 0000 00000064 00000007 0018 " ORIGIN PATH HOP);
    expect(&file, NULL,
           "100 table 10.0.0.0/8" VIA "\n100 table 10.0.0.0/8" VIA " 65001\n"
           "100 table 10.0.0.0/8@2" VIA "\n"
           "100 table 2001:db8::/32 [65000 4837] via 2001:db8::1\n"
           "100 table 2001:db8::/32@2 [65000 4837] via 2001:db8::1\n"
           "100 table 10.0.0.0/8#7" VIA "\n100 table 10.0.0.0/8#7" VIA "\n");
    /* RIB_GENERIC, then with ADD-PATH as RFC 8050 has it and as it is written; of another family */
    add_record(&file, 100, 13, 7, GEO_PEERS);
    add_record(&file, 100, 13, 6, "00000000 0001 01 08 0A 0001 0001 " ENTRY);
    add_record(&file, 100, 13, 12, "00000000 0001 01 00000007 08 0A 0001 0000 " ENTRY);
    add_record(&file, 100, 13, 12,
               "00000000 0001 02 08 0A 0001 0000 00000064 00000008 0018 " ORIGIN PATH HOP);
    add_record(&file, 100, 13, 6, "00000000 0019 41 08 0A 0001 0000 " ENTRY);
    expect(&file, NULL,
           "100 table 10.0.0.0/8" VIA " 65001\n100 table 10.0.0.0/8#7" VIA "\n"
           "100 table 10.0.0.0/8@2#8" VIA "\n");
    buffer_done(&file);
}

/* The last PEER_INDEX_TABLE counts, and one that is bad changes nothing. */
static void test_peer_tables(void **state)
{
    (void)state;
    struct buffer file = {0};
    archive_rib(&file, 100, "9.0.0.0/8", "0");
    archive_peer_table(&file, 100, "192.0.2.9 65000 192.0.2.10 65001");
    archive_rib(&file, 100, "9.0.0.0/8", "1 2 0");
    archive_peer_table(&file, 100, "192.0.2.9 65002");
    archive_rib(&file, 100, "9.0.0.0/8", "0 1");
    add_record(&file, 100, 13, 1, "00000000 0000 0003 02 00000000 C0000209 0000FDE8");
    archive_rib(&file, 100, "9.0.0.0/8", "0");
    archive_peer_table(&file, 100, "");
    archive_rib(&file, 100, "9.0.0.0/8", "0");
#define UNKNOWN "(an entry names a peer that is not in the PEER_INDEX_TABLE)\n"
    expect(&file, NULL,
           UNKNOWN "100 table 9.0.0.0/8" VIA " 65001\n100 table 9.0.0.0/8" VIA "\n" UNKNOWN
                   "100 table 9.0.0.0/8" VIA " 65002\n" UNKNOWN
                   "rejected: the count of peers is wrong\n"
                   "100 table 9.0.0.0/8" VIA " 65002\n" UNKNOWN);
    buffer_done(&file);
}

/* A bad record is rejected before anything of it is told; a bad entry of a good one is left out. */
static void test_bad_dumps(void **state)
{
    (void)state;
    struct buffer file = {0};
    add_record(&file, 100, 13, 1, PEERS);
    add_record(&file, 100, 13, 2, "00000000 08 0A 0003 0000 " ENTRY "0001 " ENTRY);
    add_record(&file, 100, 13, 2, "00000000 08 0A 0002 0000 " ENTRY "0001 00000064 0016 " ORIGIN);
    add_record(&file, 100, 13, 2, "00000000 21 0A 0001 0000 " ENTRY);
    add_record(&file, 100, 13, 2,
               "00000000 08 0A 0002 0000 00000064 0011 " PATH "80040103 0001 " ENTRY);
    add_record(&file, 100, 12, 1,
               "00000000 0A000000 08 01 00000064 C0000209 FDE8 0014 "
               "40010100 400206 0202 FDE8 12E5 400304 C0000209 00");
    expect(&file, NULL,
           "rejected: the count of entries is wrong\nrejected: ends too early\n"
           "rejected: a prefix is longer than an address\n"
           "100 table 10.0.0.0/8" VIA " 65001\n(MULTI_EXIT_DISC has a wrong length)\n"
           "rejected: ends too early\n");
    buffer_done(&file);
}

static bool wants_none(void *context, const struct prefix *prefix)
{
    (void)context;
    return prefix->bits == 8;
}

/* Whose attributes are not asked for are told without them, and so are those that are wrong. */
static void test_wants(void **state)
{
    (void)state;
    struct buffer file = {0};
    struct told told;
    told_init(&told, NULL);
    told.walk.wants = wants_none;
    add_record(&file, 100, 13, 1, PEERS);
    add_record(&file, 100, 13, 2, "00000000 10 0A00 0001 0000 " ENTRY);
    add_record(&file, 100, 13, 2, "00000000 08 0A 0002 0000 " ENTRY "0000 00000064 000D " PATH);
    walk_bytes(&told.walk, &file, &told.text);
    assert_string_equal(told.text.bytes, "100 table 10.0.0.0/16\n100 table 10.0.0.0/8" VIA "\n"
                                         "100 table 10.0.0.0/8!\n(ORIGIN is missing)\n");
    told_done(&told);
    buffer_done(&file);
}

/* ---- filters ---- */

static struct prefix prefix_from(const char *text)
{
    struct prefix prefix;
    assert_true(prefix_parse(text, strlen(text), &prefix));
    return prefix;
}

/* One of everything. */
static void make_all(struct buffer *file)
{
    archive_peer_table(file, 100, "192.0.2.9 65000 192.0.2.10 65001");
    archive_rib(file, 101, "9.0.0.0/8", "0 1");
    archive_rib(file, 102, "2001:db8::/32", "1");
    archive_state(file, 103, 5, 6);
    archive_message(file, 104, BGP_KEEPALIVE, "", 0);
    add_update(file, "10 0900", ORIGIN PATH HOP "C00808 FDE80001 FDE80002 ", "18 090100 18 090102");
    file->bytes[file->size - 1] = 2;
    add_update(file, "", "800F03 0002 01", "");
    add_update(file, "08 09",
               ORIGIN "40020A 0202 0000FDE8 00012345 " HOP "C0200C 0000FDE8 00000001 00000002 ",
               "09 0980");
}

#define TABLE9 "101 table 9.0.0.0/8" VIA "\n"
#define TABLE9B "101 table 9.0.0.0/8" VIA " 65001\n"
#define TABLE6 "102 table 2001:db8::/32 [65000 4837] 65001\n"
#define STATE "103 state 5>6\n104 message 4\n"
#define GONE "100 withdraw 9.0.0.0/16" VIA "\n"
#define COME "100 announce 9.1.0.0/24" VIA "\n100 announce 9.1.2.0/24" VIA "\n"
#define END "100 end 6/1\n"
#define VIA2 " [65000 74565] via 192.0.2.9"
#define LATE "100 withdraw 9.0.0.0/8" VIA2 "\n100 announce 9.128.0.0/9" VIA2 "\n"

static void expect_of_all(const struct element_filter *filter, const char *want)
{
    struct buffer file = {0};
    make_all(&file);
    expect(&file, filter, want);
    buffer_done(&file);
}

static void test_filter_parts(void **state)
{
    (void)state;
    struct element_filter f = {0};
    expect_of_all(&f, TABLE9 TABLE9B TABLE6 STATE GONE COME END LATE);
    f = (struct element_filter){.kinds = 1 << ELEMENT_TABLE};
    expect_of_all(&f, TABLE9 TABLE9B TABLE6);
    f = (struct element_filter){.kinds = 1 << ELEMENT_WITHDRAW | 1 << ELEMENT_STATE};
    expect_of_all(&f, "103 state 5>6\n" GONE "100 withdraw 9.0.0.0/8" VIA2 "\n");
    f = (struct element_filter){.kinds = 1 << ELEMENT_END_OF_RIB | 1 << ELEMENT_MESSAGE};
    expect_of_all(&f, "104 message 4\n" END);
    f = (struct element_filter){.family = 6};
    expect_of_all(&f, TABLE6 END);
    f = (struct element_filter){.family = 4};
    expect_of_all(&f, TABLE9 TABLE9B GONE COME LATE);
    /* the peers' table counts though it is too old */
    f = (struct element_filter){.from = {102 * NS_PER_S}, .until = {104 * NS_PER_S}};
    expect_of_all(&f, TABLE6 "103 state 5>6\n");
    f = (struct element_filter){.peer_count = 1, .peers = {{.asn = 65001}}};
    expect_of_all(&f, TABLE9B TABLE6);
    f.peers[0].asn = 0;
    f.peers[0].addr = prefix_from("192.0.2.9/32").addr;
    f.kinds = 1 << ELEMENT_TABLE | 1 << ELEMENT_STATE;
    expect_of_all(&f, TABLE9 "103 state 5>6\n");
    f.peers[0].asn = 65001;
    expect_of_all(&f, "");
}

static void test_filter_prefixes(void **state)
{
    (void)state;
    static const struct {
        const char *prefix;
        enum prefix_match match;
        const char *want;
    } cases[] = {
        {"9.1.0.0/24", PREFIX_EXACT, "100 announce 9.1.0.0/24" VIA "\n"},
        {"9.1.0.0/16", PREFIX_EXACT, ""},
        {"9.1.0.0/16", PREFIX_MORE, COME},
        {"9.1.0.0/24", PREFIX_MORE, "100 announce 9.1.0.0/24" VIA "\n"},
        {"9.1.0.0/16", PREFIX_LESS, TABLE9 TABLE9B "100 withdraw 9.0.0.0/8" VIA2 "\n"},
        {"9.1.0.0/16", PREFIX_RELATED, TABLE9 TABLE9B COME "100 withdraw 9.0.0.0/8" VIA2 "\n"},
        {"9.128.0.0/9", PREFIX_LESS, TABLE9 TABLE9B LATE},
        {"0.0.0.0/0", PREFIX_MORE, TABLE9 TABLE9B GONE COME LATE},
        {"0.0.0.0/0", PREFIX_LESS, ""},
        {"2001:db8:1::/48", PREFIX_LESS, TABLE6},
        {"2001:db8:0:0:8000::/65", PREFIX_LESS, TABLE6},
        {"::/0", PREFIX_MORE, TABLE6},
        {"2001:db8::/32", PREFIX_EXACT, TABLE6},
        {"2001:db9::/32", PREFIX_RELATED, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct element_filter f = {.prefix_count = 1};
        f.prefixes[0].prefix = prefix_from(cases[i].prefix);
        f.prefixes[0].match = cases[i].match;
        expect_of_all(&f, cases[i].want);
    }
    struct element_filter two = {.prefix_count = 2};
    two.prefixes[0].prefix = prefix_from("9.1.0.0/24");
    two.prefixes[1].prefix = prefix_from("2001:db8::/32");
    expect_of_all(&two, TABLE6 "100 announce 9.1.0.0/24" VIA "\n");
}

static void test_filter_attributes(void **state)
{
    (void)state;
#define LATE_COME "100 announce 9.128.0.0/9" VIA2 "\n"
    struct element_filter f = {.origin_count = 1, .origins = {4837}};
    expect_of_all(&f, TABLE9 TABLE9B TABLE6 COME);
    f.origins[0] = 65000;
    expect_of_all(&f, "");
    f.origins[1] = 74565;
    f.origin_count = 2;
    expect_of_all(&f, LATE_COME);
    f = (struct element_filter){.asn_count = 1, .asns = {65000}, .kinds = 1 << ELEMENT_ANNOUNCE};
    expect_of_all(&f, COME LATE_COME);
    f.asns[0] = 65001;
    expect_of_all(&f, "");
    f = (struct element_filter){.community_count = 1};
    f.communities[0].part[0] = 65000;
    f.communities[0].part[1] = 2;
    f.communities[0].parts = 2;
    expect_of_all(&f, COME);
    f.communities[0].part[1] = 3;
    expect_of_all(&f, "");
    f.communities[0].is_any = true;
    expect_of_all(&f, COME);
    f.communities[0].parts = 3;
    f.communities[0].part[1] = 1;
    expect_of_all(&f, LATE_COME);
    f.communities[0].is_any = false;
    f.communities[0].part[2] = 2;
    expect_of_all(&f, LATE_COME);
    f.communities[0].part[2] = 3;
    expect_of_all(&f, "");
    /* all parts must agree */
    f = (struct element_filter){.origin_count = 1, .origins = {4837}, .family = 6};
    expect_of_all(&f, TABLE6);
}

/* RFC 6793: the origin of AS4_PATH is the one that counts, also before anything is judged. */
static void test_filter_as4_path(void **state)
{
    (void)state;
    struct buffer file = {0};
    const char *entry =
        "00000000 0A000000 08 01 00000064 C0000209 FDE8 0021 "
        "40010100 400206 0202 FDE8 5BA0 400304 C0000209 C0110A 0202 0000FDE8 00012345";
    struct element_filter f = {.origin_count = 1, .origins = {74565}};
    add_record(&file, 100, 12, 1, entry);
    expect(&file, &f, "100 table 10.0.0.0/8 [65000 74565] via 192.0.2.9\n");
    add_record(&file, 100, 12, 1, entry);
    f.origins[0] = BGP_AS_TRANS;
    expect(&file, &f, "");
    /* a set has no origin, and 0 asks for that */
    add_update(&file, "", ORIGIN "40020A 0102 0000FDE8 000012E5 " HOP, "08 0A");
    f.origins[0] = 4837;
    expect(&file, &f, "");
    add_update(&file, "", ORIGIN "40020A 0102 0000FDE8 000012E5 " HOP, "08 0A");
    f.origins[0] = 0;
    expect(&file, &f, "100 announce 10.0.0.0/8 [{65000,4837}] via 192.0.2.9\n");
    buffer_done(&file);
}

/* ---- whole files ---- */

/* What a walk of a file must be compared by: a number that depends on every element and their
 * order. */
struct digest {
    const struct element_filter *slow; /* asked one by one; NULL: not */
    uint64_t count;
    uint64_t value;
};

static bool matches(const struct prefix *wanted, enum prefix_match match,
                    const struct prefix *prefix)
{
    bool is_more = match == PREFIX_MORE || match == PREFIX_RELATED;
    bool is_less = match == PREFIX_LESS || match == PREFIX_RELATED;
    if (prefix->bits == wanted->bits)
        return prefix_has(wanted, prefix);
    return (is_more && prefix_has(wanted, prefix)) || (is_less && prefix_has(prefix, wanted));
}

static bool has_prefix(const struct element_filter *filter, const struct prefix *prefix)
{
    for (size_t i = 0; i < filter->prefix_count; i++)
        if (matches(&filter->prefixes[i].prefix, filter->prefixes[i].match, prefix))
            return true;
    return filter->prefix_count == 0;
}

static bool passes(const struct element_filter *filter, const struct element *element)
{
    bool is_route = element->kind <= ELEMENT_TABLE;
    bool has_attributes = element->kind == ELEMENT_ANNOUNCE || element->kind == ELEMENT_TABLE;
    if (filter->kinds && !(filter->kinds >> element->kind & 1))
        return false;
    if (filter->family && element->prefix.addr.family != filter->family)
        return false;
    if (filter->prefix_count && (!is_route || !has_prefix(filter, &element->prefix)))
        return false;
    if (!element_filter_has_peer(filter, element->peer))
        return false;
    return !element_filter_asks_attributes(filter) ||
           (has_attributes && element_filter_has_attributes(filter, element->attributes));
}

static void add_to_digest(void *context, const struct element *element)
{
    struct digest *digest = context;
    if (digest->slow && !passes(digest->slow, element))
        return;
    digest->count++;
    digest->value = digest->value * 31 + (uint64_t)element->kind;
    for (size_t i = 0; i < 16; i++)
        digest->value = digest->value * 31 + element->prefix.addr.bytes[i];
    digest->value = digest->value * 31 + element->prefix.bits;
    digest->value = digest->value * 31 + element->peer->asn;
    digest->value = digest->value * 31 + element->path_id;
    if (element->kind == ELEMENT_ANNOUNCE || element->kind == ELEMENT_TABLE)
        digest->value = digest->value * 31 + bgp_path_origin(&element->attributes->path);
}

/* How mrt_reader_next() ended. */
static int walk_file(const char *path, struct element_walk *walk)
{
    struct stream_faults faults = {0};
    struct mrt_reader reader;
    struct mrt_header header;
    struct reader body;
    struct input *input;
    struct why why;
    int end;
    assert_int_equal(input_open(path, &input, &why), ERR_OK);
    mrt_reader_init(&reader, input, NULL, 0, &faults);
    while ((end = mrt_reader_next(&reader, &header, &body, &why)) > 0) {
        const char *fault = element_walk_record(walk, &header, body);
        if (fault)
            mrt_reader_reject(&reader, fault);
    }
    mrt_reader_done(&reader);
    input_close(input);
    return end;
}

static uint64_t taken(const struct element_walk *walk)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < ELEMENT_KINDS; i++)
        sum += walk->counts.of[i];
    return sum;
}

/* A filtered walk gives just what passes of the whole one, and counting alone counts the same. */
static void check_filter(const char *path, const struct element_filter *filter)
{
    struct digest slow = {.slow = filter}, fast = {0};
    struct element_walk whole = {.take = add_to_digest, .context = &slow};
    struct element_walk filtered = {.filter = filter, .take = add_to_digest, .context = &fast};
    struct element_walk counting = {.filter = filter};
    int end = walk_file(path, &whole);
    assert_int_equal(walk_file(path, &filtered), end);
    assert_int_equal(walk_file(path, &counting), end);
    assert_int_equal(slow.count, fast.count);
    assert_int_equal(slow.value, fast.value);
    assert_int_equal(taken(&filtered), fast.count);
    assert_memory_equal(filtered.counts.of, counting.counts.of, sizeof counting.counts.of);
    assert_memory_equal(filtered.counts.of_family, counting.counts.of_family,
                        sizeof counting.counts.of_family);
    element_walk_done(&whole);
    element_walk_done(&filtered);
    element_walk_done(&counting);
}

/* The real archives: LASTLIGHT_DATA, or a folder beside the source tree. False if it is not there.
 */
static bool data_path(const char *name, char out[640])
{
    const char *folder = getenv("LASTLIGHT_DATA"), *root = getenv("LASTLIGHT_ROOT");
    if (folder)
        snprintf(out, 640, "%s/%s", folder, name);
    else
        snprintf(out, 640, "%s/../shared/data/%s", root ? root : ".", name);
    return access(out, R_OK) == 0;
}

static void test_real_filters(void **state)
{
    (void)state;
    static const char *const names[] = {
        "bgpipe_sample.mrt",
        "bgpkit_rrc00_2000.01_updates.20000102.2014.gz",
        "bgpkit_rrc00_2000.03_updates.20000325.0345.gz",
        "bgpkit_rrc15_2010.02_updates.20100227.1610.gz",
        "inim_rrc_updates.20190821.1600.gz",
        "mrtparse_openbgpd_rib_table-mp",
        "mrtparse_quagga_bgp",
        "mrtparse_bird-mrtdump_bgp",
        "ripencc-bgpdump_bview.20020722.2337.gz",
        "ripencc-bgpdump_bview.64k_stream_overflow.gz",
    };
    struct element_filter filters[8] = {
        {0},
        {.family = 6},
        {.kinds = 1 << ELEMENT_WITHDRAW | 1 << ELEMENT_STATE},
        {.origin_count = 3, .origins = {3356, 1103, 786}},
        {.asn_count = 2, .asns = {1299, 701}},
        {.peer_count = 2, .peers = {{.asn = 13030}, {.asn = 3333}}},
        {.prefix_count = 3},
        {.community_count = 1},
    };
    filters[6].prefixes[0].prefix = prefix_from("193.0.0.0/8");
    filters[6].prefixes[0].match = PREFIX_MORE;
    filters[6].prefixes[1].prefix = prefix_from("2a00::/12");
    filters[6].prefixes[1].match = PREFIX_MORE;
    filters[6].prefixes[2].prefix = prefix_from("12.1.2.3/32");
    filters[6].prefixes[2].match = PREFIX_RELATED;
    filters[7].communities[0].part[0] = 3356;
    filters[7].communities[0].parts = 2;
    filters[7].communities[0].is_any = true;
    size_t tried = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[128], path[640];
        snprintf(name, sizeof name, "mrt-samples/%s", names[i]);
        for (size_t f = 0; data_path(name, path) && f < 8; f++, tried++)
            check_filter(path, &filters[f]);
    }
    if (!tried) {
        print_message("skipped: no archives; LASTLIGHT_DATA may name the folder\n");
        skip();
    }
}

/* A length that swallows the records that follow: they are found although the filter never looks
 * into the one that has them. */
static void test_swallowed(void **state)
{
    (void)state;
    struct buffer file = {0};
    char path[] = "/tmp/lastlight-element-XXXXXX";
    struct element_filter filter = {.prefix_count = 1};
    struct digest digest = {0};
    struct element_walk walk = {.filter = &filter, .take = add_to_digest, .context = &digest};
    filter.prefixes[0].prefix = prefix_from("9.0.0.0/8");
    archive_peer_table(&file, 1000000000, "192.0.2.9 65000");
    size_t bad = file.size;
    archive_rib(&file, 1000000000, "10.0.0.0/8", "0");
    for (int i = 0; i < 8; i++)
        archive_rib(&file, 1000000000, "9.0.0.0/8", "0");
    file.bytes[bad + 11] =
        (char)(file.bytes[bad + 11] + 77); /* within the second one that follows */
    archive_write(path, file.bytes, file.size);
    assert_int_equal(walk_file(path, &walk), 0);
    assert_int_equal(digest.count, 8);
    element_walk_done(&walk);
    unlink(path);
    buffer_done(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),        cmocka_unit_test(test_families),
        cmocka_unit_test(test_ends_of_rib),     cmocka_unit_test(test_wrong_attributes),
        cmocka_unit_test(test_fault_counts),    cmocka_unit_test(test_dump_forms),
        cmocka_unit_test(test_peer_tables),     cmocka_unit_test(test_bad_dumps),
        cmocka_unit_test(test_wants),           cmocka_unit_test(test_filter_parts),
        cmocka_unit_test(test_filter_prefixes), cmocka_unit_test(test_filter_attributes),
        cmocka_unit_test(test_filter_as4_path), cmocka_unit_test(test_real_filters),
        cmocka_unit_test(test_swallowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
