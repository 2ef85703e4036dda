/* wire/bgp_text: what people read of a route's attributes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/bgp_text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static char room[BGP_TEXT_MAX + DIGITS_SLACK];

static struct reader bytes_of(const char *hex)
{
    static uint8_t bytes[16][256];
    static unsigned turn;
    uint8_t *out = bytes[turn++ % 16];
    size_t n = 0;
    for (char *end; *hex; hex = end + strspn(end, " ")) {
        char pair[3] = {hex[0], hex[1], '\0'};
        out[n++] = (uint8_t)strtoul(pair, NULL, 16);
        end = (char *)(uintptr_t)hex + 2;
    }
    return reader_of(out, n);
}

static const char *ended(char *end)
{
    assert_true(end < room + BGP_TEXT_MAX);
    *end = '\0';
    return room;
}

static const struct bgp_path_style other = {.opens = {"", "<", "", "(", "["},
                                            .closes = {"", ">", "", ")", "]"},
                                            .between = {' ', '+', ' ', ' ', ','}};

static void test_paths(void **state)
{
    (void)state;
    static const struct {
        bool is_as4;
        const char *head, *tail;
        unsigned hops;
        const char *usual, *in_other_style;
    } table[] = {
        {false, "", "", UINT_MAX, "", ""},
        {false, "0203 fde8 12e5 0001", "", UINT_MAX, "65000 4837 1", "65000 4837 1"},
        {true, "0202 0000fde8 ffffffff", "", UINT_MAX, "65000 4294967295", "65000 4294967295"},
        {false, "0201 fde8 0102 0002 0001", "", UINT_MAX, "65000 {2,1}", "65000 <2+1>"},
        {false, "0201 0001 0201 0002", "", UINT_MAX, "1 2", "1 2"},
        {false, "0302 0001 0002 0201 0003", "", UINT_MAX, "(1,2) 3", "(1 2) 3"},
        {false, "0402 0001 0002", "", UINT_MAX, "({1,2})", "[1,2]"},
        /* RFC 6793, 4.2.3: the first hops of one, then the other. */
        {false, "0203 0001 5ba0 5ba0", "0202 00020097 00020098", 1, "1 131223 131224",
         "1 131223 131224"},
        {false, "0201 0001 0101 0002 0201 5ba0", "0201 00020097", 2, "1 {2} 131223",
         "1 <2> 131223"},
        {false, "0202 0001 0002", "0202 00020097 00020098", 0, "131223 131224", "131223 131224"},
        /* Confederations in front, and behind what is kept; not behind what is not. */
        {false, "0301 fc00 0202 5ba0 5ba0", "0202 00020097 00020098", 0, "(64512) 131223 131224",
         "(64512) 131223 131224"},
        {false, "0201 0001 0402 fc00 fc01 0201 5ba0", "0201 00020097", 1,
         "1 ({64512,64513}) 131223", "1 [64512,64513] 131223"},
        {false, "0201 5ba0 0301 fc00", "0201 00020097", 0, "131223", "131223"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct bgp_path path = {.head = bytes_of(table[i].head),
                                .tail = bytes_of(table[i].tail),
                                .head_hops = table[i].hops,
                                .is_as4 = table[i].is_as4};
        struct buffer formatted = {0};
        buffer_puts(&formatted, "");
        bgp_path_format(&path, &formatted);
        assert_string_equal(ended(bgp_text_path(room, &path, &bgp_path_usual)), table[i].usual);
        assert_string_equal(formatted.bytes, table[i].usual);
        assert_string_equal(ended(bgp_text_path(room, &path, &other)), table[i].in_other_style);
        buffer_done(&formatted);
    }
}

/* As long as an attribute can be: the room that is promised is enough. */
static void test_longest(void **state)
{
    (void)state;
    static uint8_t bytes[UINT16_MAX];
    memset(bytes, 0xff, sizeof bytes);
    size_t used = 0;
    for (; used + 2 + 255 * 2 <= sizeof bytes; used += 2 + 255 * 2) {
        bytes[used] = 1;
        bytes[used + 1] = 255;
    }
    struct bgp_path path = {.head = reader_of(bytes, used), .head_hops = UINT_MAX};
    size_t n = strlen(ended(bgp_text_path(room, &path, &bgp_path_usual)));
    assert_int_equal(n, used / 512 * (255 * 6 + 1 + 1) - 1);
    char *at = room;
    struct reader list = reader_of(bytes + 2, 255 * 2 / 4 * 4);
    while (reader_left(&list)) {
        *at++ = '"';
        at = bgp_text_community(at, reader_u32(&list));
        *at++ = '"';
        *at++ = ',';
    }
    assert_true((size_t)(at - room) * 4 <= 14 * (255 * 2 / 4 * 4));
    assert_true(UINT16_MAX * 14 / 4 < BGP_TEXT_MAX);
}

static void test_communities(void **state)
{
    (void)state;
    assert_string_equal(ended(bgp_text_community(room, 0)), "0:0");
    assert_string_equal(ended(bgp_text_community(room, 0xfde80001)), "65000:1");
    assert_string_equal(ended(bgp_text_community(room, 0xffffff01)), "65535:65281");
    struct reader large = bytes_of("0000fde8 00000000 ffffffff");
    assert_string_equal(ended(bgp_text_large_community(room, &large)), "65000:0:4294967295");
    assert_int_equal(reader_left(&large), 0);
}

static void test_extended_communities(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *text;
    } table[] = {
        {"0002 fde8 00000001", "rt:65000:1"},         {"0002 fde8 ffffffff", "rt:65000:4294967295"},
        {"0003 fde8 00010000", "soo:65000:65536"},    {"0102 c0000201 0007", "rt:192.0.2.1:7"},
        {"0202 0002 0097 ffff", "rt:131223:65535"},   {"0203 ffffffff 0000", "soo:4294967295:0"},
        {"0004 fde8 00000001", "0x0004fde800000001"}, {"4002 fde8 00000001", "0x4002fde800000001"},
        {"0302 fde8 00000001", "0x0302fde800000001"}, {"4300 0000 00000002", "0x4300000000000002"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct reader r = bytes_of(table[i].bytes);
        assert_string_equal(ended(bgp_text_extended_community(room, &r)), table[i].text);
        assert_int_equal(reader_left(&r), 0);
    }
}

static const char *aggregator_of(const char *attributes, bool is_as4)
{
    static char text[64];
    struct bgp_attributes decoded;
    struct bgp_aggregator aggregator;
    char addr[ADDR_TEXT_MAX];
    assert_null(bgp_attributes_decode(bytes_of(attributes), is_as4, &decoded));
    if (!bgp_aggregator(&decoded, &aggregator))
        return "none";
    snprintf(text, sizeof text, "%u %s", aggregator.asn, addr_format(&aggregator.addr, addr));
    return text;
}

#define USUAL "40010100 400206 0202 fde8 12e5 400304 c0000201 "
#define USUAL4 "40010100 40020a 0202 0000fde8 000012e5 400304 c0000201 "

static void test_aggregator(void **state)
{
    (void)state;
    assert_string_equal(aggregator_of(USUAL, false), "none");
    assert_string_equal(aggregator_of(USUAL "c00706 fde8 c0000207", false), "65000 192.0.2.7");
    assert_string_equal(aggregator_of(USUAL4 "c00708 00020097 c0000207", true), "131223 192.0.2.7");
    /* RFC 6793, 4.2.3: AS4_AGGREGATOR counts only where AGGREGATOR says AS_TRANS. */
    assert_string_equal(aggregator_of(USUAL "c00706 5ba0 c0000207 c01208 00020097 c0000208", false),
                        "131223 192.0.2.8");
    assert_string_equal(aggregator_of(USUAL "c00706 fde8 c0000207 c01208 00020097 c0000208", false),
                        "65000 192.0.2.7");
    assert_string_equal(aggregator_of(USUAL "c00706 5ba0 c0000207", false), "23456 192.0.2.7");
    assert_string_equal(aggregator_of(USUAL "c01208 00020097 c0000208", false), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),       cmocka_unit_test(test_longest),
        cmocka_unit_test(test_communities), cmocka_unit_test(test_extended_communities),
        cmocka_unit_test(test_aggregator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
