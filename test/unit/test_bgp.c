/* wire/bgp: one case for each rule of the RFCs, made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "wire/bgp.h"

#include <stdlib.h>
#include <string.h>

/* Attributes in hexadecimal, for use in the cases below. */
#define ORIGIN "40010100 "
#define PATH2 "400206 0202 FDE8 12E5 "         /* 65000 4837 */
#define PATH4 "40020A 0202 0000FDE8 00020097 " /* 65000 131223 */
#define NEXT_HOP "400304 C0000201 "
#define PREFIX "18 AF2DB0" /* 175.45.176.0/24 */

struct bytes {
    uint8_t at[4096];
    size_t n;
};

static struct bytes bytes_of(const char *hex)
{
    struct bytes bytes = {.n = 0};
    char digits[3] = "";
    for (; *hex; hex++) {
        if (*hex == ' ')
            continue;
        digits[0] = *hex++;
        digits[1] = *hex;
        bytes.at[bytes.n++] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return bytes;
}

/* The body of an UPDATE from its three parts. */
static struct bytes update_of(const char *withdrawn, const char *attributes, const char *announced)
{
    struct bytes gone = bytes_of(withdrawn), rules = bytes_of(attributes),
                 come = bytes_of(announced);
    struct bytes body = {.n = 0};
    body.at[body.n++] = (uint8_t)(gone.n >> 8);
    body.at[body.n++] = (uint8_t)gone.n;
    memcpy(body.at + body.n, gone.at, gone.n);
    body.n += gone.n;
    body.at[body.n++] = (uint8_t)(rules.n >> 8);
    body.at[body.n++] = (uint8_t)rules.n;
    memcpy(body.at + body.n, rules.at, rules.n);
    body.n += rules.n;
    memcpy(body.at + body.n, come.at, come.n);
    body.n += come.n;
    return body;
}

static void list_routes(const struct bgp_routes *lists, size_t count, char op, struct buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        struct bgp_routes routes = lists[i];
        struct bgp_nlri nlri;
        char text[PREFIX_TEXT_MAX];
        while (bgp_routes_next(&routes, &nlri)) {
            buffer_printf(out, "%c%s", op, prefix_format(&nlri.prefix, text));
            if (routes.has_path_ids)
                buffer_printf(out, "#%u", nlri.path_id);
            if (routes.safi != BGP_UNICAST)
                buffer_printf(out, "@%u", routes.safi);
            buffer_puts(out, " ");
        }
    }
}

/* What an update says, in one line: "-PREFIX" withdrawn, "+PREFIX" announced, "!PREFIX" made a
 * withdrawal, then the path and the fault. */
static void tell(const struct bytes *body, struct bgp_form form, struct buffer *out)
{
    struct bgp_update update;
    buffer_clear(out);
    buffer_puts(out, "");
    /* Exactly as many bytes as there are, so that the sanitizer sees a read beyond them. */
    uint8_t *copy = malloc(body->n ? body->n : 1);
    memcpy(copy, body->at, body->n);
    bool is_usable = bgp_update_decode(reader_of(copy, body->n), form, &update);
    if (is_usable) {
        list_routes(update.withdrawn, update.withdrawn_count, '-', out);
        list_routes(update.announced, update.announced_count, update.is_withdrawal ? '!' : '+',
                    out);
        if (update.announced_count && !update.is_withdrawal) {
            buffer_puts(out, "path ");
            bgp_path_format(&update.attributes.path, out);
            buffer_printf(out, " origin %u ", bgp_path_origin(&update.attributes.path));
        }
        if (update.is_end_of_rib)
            buffer_puts(out, "end-of-rib ");
        if (update.may_hide_routes)
            buffer_puts(out, "doubtful ");
    } else {
        assert_non_null(update.fault);
        assert_int_equal(update.withdrawn_count + update.announced_count, 0);
        buffer_puts(out, "unusable ");
    }
    if (update.fault)
        buffer_printf(out, "fault %s ", update.fault);
    free(copy);
}

struct update_case {
    const char *withdrawn, *attributes, *announced;
    struct bgp_form form;
    const char *want;
};

static const struct bgp_form as2 = {.add_path = BGP_ADD_PATH_GUESS,
                                    .add_path6 = BGP_ADD_PATH_GUESS};

static void check(const struct update_case *cases, size_t count)
{
    struct buffer text = {0};
    for (size_t i = 0; i < count; i++) {
        struct bytes body = update_of(cases[i].withdrawn, cases[i].attributes, cases[i].announced);
        tell(&body, cases[i].form, &text);
        assert_string_equal(text.bytes, cases[i].want);
    }
    buffer_done(&text);
}

#define CHECK(cases) check(cases, sizeof(cases) / sizeof *(cases))

static void test_rfc4271(void **state)
{
    (void)state;
    const struct update_case cases[] = {
        {PREFIX, "", "", as2, "-175.45.176.0/24 "},
        {"", ORIGIN PATH2 NEXT_HOP, PREFIX, as2, "+175.45.176.0/24 path 65000 4837 origin 4837 "},
        {PREFIX, ORIGIN PATH2 NEXT_HOP, "16 AF2DB0 20 01020304", as2,
         "-175.45.176.0/24 +175.45.176.0/22 +1.2.3.4/32 path 65000 4837 origin 4837 "},
        /* 4.3: bits after the end of the prefix are irrelevant */
        {"0D 0BFF", "", "", as2, "-11.248.0.0/13 "},
        /* one default route is one */
        {"00", "", "", as2, "-0.0.0.0/0 "},
        /* 4.3: an extended length */
        {"", "50010001 00 " PATH2 NEXT_HOP, PREFIX, as2,
         "+175.45.176.0/24 path 65000 4837 origin 4837 "},
        /* sets, and an empty path, as within one's own AS */
        {"", ORIGIN "40020A 0201 FDE8 0102 12E5 0001 " NEXT_HOP, PREFIX, as2,
         "+175.45.176.0/24 path 65000 {4837,1} origin 0 "},
        {"", ORIGIN "400200 " NEXT_HOP, PREFIX, as2, "+175.45.176.0/24 path  origin 0 "},
        /* RFC 5065: a confederation's segments */
        {"", ORIGIN "40020E 0302 FC00 FC01 0401 FC02 0201 12E5 " NEXT_HOP, PREFIX, as2,
         "+175.45.176.0/24 path (64512,64513) ({64514}) 4837 origin 4837 "},
        /* lengths that do not fit */
        {"21 AF2DB0", "", "", as2, "unusable fault the prefixes are malformed "},
    };
    CHECK(cases);
    struct buffer text = {0};
    struct bytes body = bytes_of("0005 18AF2DB0");
    tell(&body, as2, &text);
    assert_string_equal(text.bytes, "unusable fault the lengths within the UPDATE do not fit ");
    buffer_done(&text);
}

static void test_rfc4760(void **state)
{
    (void)state;
    const char *reach = ORIGIN PATH2 "800E1C 0002 01 10 20010DB8000000000000000000000001 00 "
                                     "30 20010DB80001 ";
    const struct update_case cases[] = {
        {"", reach, "", as2, "+2001:db8:1::/48 path 65000 4837 origin 4837 "},
        {"", "800F0A 0002 01 30 20010DB80001", "", as2, "-2001:db8:1::/48 "},
        /* IPv4 in MP attributes needs no NEXT_HOP */
        {"", ORIGIN PATH2 "800E0D 0001 01 04 C0000201 00 18AF2DB0", "", as2,
         "+175.45.176.0/24 path 65000 4837 origin 4837 "},
        /* multicast is kept apart; families of others are passed over */
        {"", "800F06 0001 02 10 AF2D", "", as2, "-175.45.0.0/16@2 "},
        {"", "800F06 0019 41 10 AF2D", "", as2, ""},
        /* a prefix longer than an address; a next hop that is not there */
        {"", "800F14 0002 01 81 20010DB800000000000000000000000000", "", as2,
         "unusable fault the prefixes of MP_REACH_NLRI or MP_UNREACH_NLRI are malformed "},
        {"", ORIGIN PATH2 "800E04 0002 01 10", "", as2,
         "unusable fault MP_REACH_NLRI or MP_UNREACH_NLRI is too short "},
    };
    CHECK(cases);
}

static void test_end_of_rib(void **state)
{
    (void)state;
    const struct update_case cases[] = {
        {"", "", "", as2, "end-of-rib "},
        {"", "800F03 0002 01", "", as2, "end-of-rib "},
        {"", "800F03 0001 02", "", as2, "end-of-rib "},
        {"", "800F06 0001 02 10 AF2D", "", as2, "-175.45.0.0/16@2 "},
        {"", ORIGIN, "", as2, ""},
    };
    CHECK(cases);
}

static void test_rfc6793(void **state)
{
    (void)state;
    const struct bgp_form as4 = {.is_as4 = true};
#define LONG_PATH "400208 0203 FDE8 5BA0 5BA0 " /* 65000 AS_TRANS AS_TRANS */
    const struct update_case cases[] = {
        {"", ORIGIN PATH4 NEXT_HOP, PREFIX, as4,
         "+175.45.176.0/24 path 65000 131223 origin 131223 "},
        {"", ORIGIN LONG_PATH NEXT_HOP "C0110A 0202 0002000B 00020097", PREFIX, as2,
         "+175.45.176.0/24 path 65000 131083 131223 origin 131223 "},
        /* an AS4_PATH longer than the AS_PATH is passed over */
        {"", ORIGIN "400204 0201 5BA0 " NEXT_HOP "C0110A 0202 0002000B 00020097", PREFIX, as2,
         "+175.45.176.0/24 path 23456 origin 23456 "},
        /* as long: it takes the place of all */
        {"", ORIGIN "400206 0202 5BA0 5BA0 " NEXT_HOP "C0110A 0202 0002000B 00020097", PREFIX, as2,
         "+175.45.176.0/24 path 131083 131223 origin 131223 "},
        /* a set counts one */
        {"",
         ORIGIN "40020C 0202 FDE8 5BA0 0102 5BA0 0001 " NEXT_HOP
                "C01110 0201 0002000B 0102 00020097 00000001",
         PREFIX, as2, "+175.45.176.0/24 path 65000 131083 {131223,1} origin 0 "},
        /* the route was aggregated by an old speaker since: AS4_PATH says nothing any more */
        {"",
         ORIGIN LONG_PATH NEXT_HOP "C00706 FDE8 C0000201 C01208 00020097 C0000201 "
                                   "C0110A 0202 0002000B 00020097",
         PREFIX, as2, "+175.45.176.0/24 path 65000 23456 23456 origin 23456 "},
        {"",
         ORIGIN LONG_PATH NEXT_HOP "C00706 5BA0 C0000201 C01208 00020097 C0000201 "
                                   "C0110A 0202 0002000B 00020097",
         PREFIX, as2, "+175.45.176.0/24 path 65000 131083 131223 origin 131223 "},
        /* 6: malformed, or with a confederation: discarded, the route stays */
        {"", ORIGIN LONG_PATH NEXT_HOP "C01109 0202 0002000B 000200", PREFIX, as2,
         "+175.45.176.0/24 path 65000 23456 23456 origin 23456 "},
        {"", ORIGIN LONG_PATH NEXT_HOP "C01106 0301 0002000B", PREFIX, as2,
         "+175.45.176.0/24 path 65000 23456 23456 origin 23456 "},
        /* from a speaker of 4-byte ASNs it is discarded */
        {"", ORIGIN PATH4 NEXT_HOP "C01106 0201 0002000B", PREFIX, as4,
         "+175.45.176.0/24 path 65000 131223 origin 131223 "},
        /* a confederation's segment in front is kept */
        {"", ORIGIN "40020A 0301 FC00 0202 5BA0 5BA0 " NEXT_HOP "C0110A 0202 0002000B 00020097",
         PREFIX, as2, "+175.45.176.0/24 path (64512) 131083 131223 origin 131223 "},
    };
    CHECK(cases);
    struct bgp_update update;
    struct bytes empty = update_of("", ORIGIN LONG_PATH NEXT_HOP "C01100", PREFIX);
    assert_true(bgp_update_decode(reader_of(empty.at, empty.n), as2, &update));
    assert_true(update.attributes.discarded >> BGP_AS4_PATH & 1);
    struct bytes led = update_of(
        "", ORIGIN "40020A 0301 FC00 0202 5BA0 5BA0 " NEXT_HOP "C0110A 0202 0002000B 00020097",
        PREFIX);
    assert_true(bgp_update_decode(reader_of(led.at, led.n), as2, &update));
    assert_true(bgp_path_has(&update.attributes.path, 64512));
    assert_false(bgp_path_has(&update.attributes.path, BGP_AS_TRANS));
}

/* RFC 7606: what is announced with wrong attributes is withdrawn; what cannot be read at all is not
 * used. */
static void test_rfc7606(void **state)
{
    (void)state;
#define WITHDRAWN(fault) "!175.45.176.0/24 fault " fault " "
    const struct update_case cases[] = {
        /* 3 (c): flags */
        {"", "80010100 " PATH2 NEXT_HOP, PREFIX, as2,
         WITHDRAWN("a path attribute has wrong flags")},
        /* 3 (d): mandatory attributes */
        {"", PATH2 NEXT_HOP, PREFIX, as2, WITHDRAWN("ORIGIN is missing")},
        {"", ORIGIN NEXT_HOP, PREFIX, as2, WITHDRAWN("AS_PATH is missing")},
        {"", ORIGIN PATH2, PREFIX, as2, WITHDRAWN("NEXT_HOP is missing")},
        {"", "", PREFIX, as2, WITHDRAWN("ORIGIN is missing")},
        /* 3 (g): duplicates */
        {"", ORIGIN ORIGIN PATH2 NEXT_HOP, PREFIX, as2,
         "+175.45.176.0/24 path 65000 4837 origin 4837 "},
        {"", "800F03 0002 01 800F03 0002 01", PREFIX, as2,
         "unusable fault MP_REACH_NLRI or MP_UNREACH_NLRI is there twice "},
        /* 4: an attribute that runs over the end */
        {"", ORIGIN PATH2 "400308 C0000201", PREFIX, as2,
         WITHDRAWN("a path attribute is longer than the attributes' total length")},
        {PREFIX, "4001", "", as2,
         "-175.45.176.0/24 doubtful fault a path attribute is longer than the attributes' total "
         "length "},
        /* 7.1: ORIGIN */
        {"", "40010103 " PATH2 NEXT_HOP, PREFIX, as2, WITHDRAWN("ORIGIN is malformed")},
        {"", "4001020000 " PATH2 NEXT_HOP, PREFIX, as2, WITHDRAWN("ORIGIN is malformed")},
        /* 7.2: AS_PATH: unknown segment, overrun, a byte too many, no AS */
        {"", ORIGIN "400206 0502 FDE8 12E5 " NEXT_HOP, PREFIX, as2,
         WITHDRAWN("AS_PATH is malformed")},
        {"", ORIGIN "400206 0203 FDE8 12E5 " NEXT_HOP, PREFIX, as2,
         WITHDRAWN("AS_PATH is malformed")},
        {"", ORIGIN "400207 0202 FDE8 12E5 02 " NEXT_HOP, PREFIX, as2,
         WITHDRAWN("AS_PATH is malformed")},
        {"", ORIGIN "400202 0200 " NEXT_HOP, PREFIX, as2, WITHDRAWN("AS_PATH is malformed")},
        /* 7.3, 7.4, 7.8, 7.14 and RFC 8092: wrong lengths */
        {"", ORIGIN PATH2 "400303 C00002", PREFIX, as2, WITHDRAWN("NEXT_HOP has a wrong length")},
        {"", ORIGIN PATH2 NEXT_HOP "800402 0001", PREFIX, as2,
         WITHDRAWN("MULTI_EXIT_DISC has a wrong length")},
        {"", ORIGIN PATH2 NEXT_HOP "C00803 000102", PREFIX, as2,
         WITHDRAWN("COMMUNITIES has a wrong length")},
        {"", ORIGIN PATH2 NEXT_HOP "C01004 00010203", PREFIX, as2,
         WITHDRAWN("EXTENDED COMMUNITIES has a wrong length")},
        {"", ORIGIN PATH2 NEXT_HOP "C02004 00010203", PREFIX, as2,
         WITHDRAWN("LARGE_COMMUNITY has a wrong length")},
        /* 7.6, 7.7: AGGREGATOR and ATOMIC_AGGREGATE: only the attribute is discarded */
        {"", ORIGIN PATH2 NEXT_HOP "400601 00 C00702 0001", PREFIX, as2,
         "+175.45.176.0/24 path 65000 4837 origin 4837 "},
        /* unknown attributes are none of our business */
        {"", ORIGIN PATH2 NEXT_HOP "C0FF03 010203", PREFIX, as2,
         "+175.45.176.0/24 path 65000 4837 origin 4837 "},
        /* 5.2: with attributes of a route, but without one, it may have been lost in what is wrong with them */
        {PREFIX, "40010103 " PATH2, "", as2,
         "-175.45.176.0/24 doubtful fault ORIGIN is malformed "},
        {"", "800F06 0001 01 10 AF2D " ORIGIN "400206 0502 FDE8 12E5 " NEXT_HOP, "", as2,
         "-175.45.0.0/16 doubtful fault AS_PATH is malformed "},
        {"", ORIGIN PATH2 NEXT_HOP "C00803 000102", "", as2,
         "doubtful fault COMMUNITIES has a wrong length "},
        {"", ORIGIN PATH2 "800E09 0001 01 04 C0000201 00 C00803 000102", "", as2,
         "doubtful fault COMMUNITIES has a wrong length "},
        /* not so of what may be left out, of attributes that lack, or of routes that are none of ours */
        {PREFIX, ORIGIN PATH2 NEXT_HOP "400601 00", "", as2, "-175.45.176.0/24 "},
        {PREFIX, ORIGIN, "", as2, "-175.45.176.0/24 "},
        {"", ORIGIN PATH2 NEXT_HOP, "", as2, ""},
        {"", ORIGIN "400206 0502 FDE8 12E5 800E0D 0019 41 04 C0000201 00 18AF2DB0", "", as2, ""},
        /* withdrawals stand, whatever becomes of the rest */
        {"10 C000", PATH2 NEXT_HOP, PREFIX, as2, "-192.0.0.0/16 " WITHDRAWN("ORIGIN is missing")},
    };
    CHECK(cases);
}

enum verdict { FINE, DISCARDED, WITHDRAWN };

static enum verdict must(bool is_right, enum verdict otherwise)
{
    return is_right ? FINE : otherwise;
}

/* The RFCs once more, of an attribute between two ASes that have 2-byte ASNs. */
static enum verdict verdict_of(unsigned type, unsigned flags, unsigned length)
{
    const bool is_well_known = flags == 0x40, is_optional = flags == 0x80;
    const bool is_transitive = flags == 0xc0, is_some = length > 0;
    switch (type) {
    case 4:
        return must(is_optional && length == 4, WITHDRAWN);
    case 5:
        return must(is_well_known && length == 4, DISCARDED);
    case 6:
        return must(is_well_known && length == 0, DISCARDED);
    case 7:
        return must(is_transitive && length == 6, DISCARDED);
    case 8:
        return must(is_transitive && is_some && length % 4 == 0, WITHDRAWN);
    case 9:
        return must(is_optional && length == 4, DISCARDED);
    case 10:
        return must(is_optional && is_some && length % 4 == 0, DISCARDED);
    case 16:
        return must(is_transitive && is_some && length % 8 == 0, WITHDRAWN);
    case 18:
        return must(is_transitive && length == 8, DISCARDED);
    case 25:
        return must(is_transitive && is_some && length % 20 == 0, WITHDRAWN);
    case 32:
        return must(is_transitive && is_some && length % 12 == 0, WITHDRAWN);
    case 35:
        return must(is_transitive && length == 4, WITHDRAWN);
    case 128:
        return must(flags & 0x80 && length >= 4, WITHDRAWN);
    default:
        return must(flags & 0x80, WITHDRAWN);
    }
}

/* An UPDATE with one attribute more than it needs, of bytes that are all 1. */
static enum verdict try_attribute(unsigned type, unsigned flags, unsigned length)
{
    struct bytes body = update_of("", ORIGIN PATH2 NEXT_HOP, "");
    size_t total = body.n - 4 + 4 + length;
    uint8_t head[4] = {(uint8_t)(flags | 0x10), (uint8_t)type, (uint8_t)(length >> 8),
                       (uint8_t)length};
    struct bgp_update update;
    memcpy(body.at + body.n, head, 4);
    memset(body.at + body.n + 4, 1, length);
    body.at[2] = (uint8_t)(total >> 8);
    body.at[3] = (uint8_t)total;
    body.n += 4 + length;
    body.at[body.n++] = 8; /* 10.0.0.0/8 */
    body.at[body.n++] = 10;
    assert_true(bgp_update_decode(reader_of(body.at, body.n), as2, &update));
    assert_int_equal(update.announced_count, 1);
    assert_int_equal(update.is_withdrawal, !update.has_attributes);
    if (update.is_withdrawal)
        return WITHDRAWN;
    if (type < BGP_ATTRIBUTES)
        assert_int_equal(bgp_attribute(&update.attributes, (enum bgp_attribute)type).at == NULL,
                         update.attributes.discarded >> type & 1);
    return update.attributes.discarded ? DISCARDED : FINE;
}

/* Every type, all flags that matter and many lengths. Not those that are there already, nor those of
 * which more than that is judged. */
static void test_every_attribute(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        if ((type >= 1 && type <= 3) || type == 14 || type == 15 || type == 17)
            continue;
        for (unsigned flags = 0; flags <= 0xc0; flags += 0x40) {
            for (unsigned length = 0; length <= 64; length++)
                assert_int_equal(try_attribute(type, flags, length),
                                 verdict_of(type, flags, length));
            assert_int_equal(try_attribute(type, flags, 1200), verdict_of(type, flags, 1200));
            assert_int_equal(try_attribute(type, flags, 1201), verdict_of(type, flags, 1201));
        }
    }
}

static void test_add_path(void **state)
{
    (void)state;
    const struct bgp_form yes = {.add_path = BGP_ADD_PATH_YES, .add_path6 = BGP_ADD_PATH_YES};
    const struct bgp_form no = {.add_path = BGP_ADD_PATH_NO, .add_path6 = BGP_ADD_PATH_NO};
    const struct update_case cases[] = {
        {"00000007 18 AF2DB0", "", "", yes, "-175.45.176.0/24#7 "},
        /* the archive does not say it, but the bytes do */
        {"00000007 18 AF2DB0", "", "", as2, "-175.45.176.0/24#7 "},
        {"", ORIGIN PATH2 NEXT_HOP, "00000001 18 AF2DB0 00000002 18 AF2DB0", as2,
         "+175.45.176.0/24#1 +175.45.176.0/24#2 path 65000 4837 origin 4837 "},
        {"00000001 00 00000002 00", "", "", as2, "-0.0.0.0/0#1 -0.0.0.0/0#2 "},
        /* both runs of a message have the same form */
        {"00000001 10 AF2D", ORIGIN PATH2 NEXT_HOP, "00000001 08 AF", as2,
         "-175.45.0.0/16#1 +175.0.0.0/8#1 path 65000 4837 origin 4837 "},
        {"", "800F0E 0002 01 00000001 30 20010DB80001", "", as2, "-2001:db8:1::/48#1 "},
        /* nothing is guessed where the session's form is known */
        {"00000018 AF2DB0", "", "", no, "-0.0.0.0/0 -0.0.0.0/0 -0.0.0.0/0 -175.45.176.0/24 "},
        {"00000007 18 AF2DB0", "", "", no, "unusable fault the prefixes are malformed "},
        {PREFIX, "", "", yes, "fault the last prefix is cut short; those before it are used "},
    };
    CHECK(cases);
}

/* The end of the message is missing: what is whole is used. */
static void test_cut_messages(void **state)
{
    (void)state;
    const struct bgp_form cut = {
        .add_path = BGP_ADD_PATH_GUESS, .add_path6 = BGP_ADD_PATH_GUESS, .is_cut = true};
    struct buffer text = {0};
    struct bytes body = bytes_of("00FF 10C000 18AF2DB0 18AF");
    tell(&body, cut, &text);
    assert_string_equal(text.bytes,
                        "-192.0.0.0/16 -175.45.176.0/24 "
                        "fault the last prefix is cut short; those before it are used ");
    body = update_of("", ORIGIN PATH2 NEXT_HOP, PREFIX " 18AF");
    tell(&body, cut, &text);
    assert_string_equal(text.bytes,
                        "+175.45.176.0/24 path 65000 4837 origin 4837 "
                        "fault the last prefix is cut short; those before it are used ");
    tell(&body, as2, &text);
    assert_non_null(strstr(text.bytes, "+175.45.176.0/24 path"));
    buffer_done(&text);
}

/* Cut after each byte: never a read beyond (the sanitizer watches), never a route that is not in
 * the whole message, and silence only where a cut message is a sound one. */
static void test_truncation(void **state)
{
    (void)state;
    struct bytes body =
        update_of("10 C000 18 AF2DB0",
                  ORIGIN PATH2 NEXT_HOP
                  "800F0A 0002 01 30 20010DB80001 C00804 00010002 C0110A 0202 0002000B 00020097",
                  PREFIX " 08 0A");
    struct buffer text = {0};
    for (size_t n = 0; n < body.n; n++) {
        struct bytes part = body;
        part.n = n;
        tell(&part, as2, &text);
        bool is_whole = n == body.n - 2 || n == body.n - 6; /* between the last prefixes */
        assert_int_equal(strstr(text.bytes, "fault") == NULL, is_whole);
        part = body;
        part.n = n;
        tell(&part, (struct bgp_form){.is_cut = true}, &text);
        assert_non_null(strstr(text.bytes, "fault"));
        for (const char *at = text.bytes; (at = strpbrk(at, "+!-/")); at++)
            assert_null(strstr(at, "0.0.0.0/0"));
    }
    buffer_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc4271),    cmocka_unit_test(test_rfc4760),
        cmocka_unit_test(test_end_of_rib), cmocka_unit_test(test_rfc6793),
        cmocka_unit_test(test_rfc7606),    cmocka_unit_test(test_every_attribute),
        cmocka_unit_test(test_add_path),   cmocka_unit_test(test_cut_messages),
        cmocka_unit_test(test_truncation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
