/* wire/bmp and wire/bgp_session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bmp_maker.h"
#include "wire/bmp.h"

static const struct utc noon = {INT64_C(1700049600) * NS_PER_S};
static const struct bmp_about plain = {.addr = "192.0.2.9", .asn = 65001};

static struct bmp_message decode(struct buffer *bytes)
{
    struct bmp_message message;
    size_t length;
    assert_null(bmp_frame((const uint8_t *)bytes->bytes, bytes->size, &length));
    assert_int_equal(length, bytes->size);
    assert_null(bmp_decode(reader_of(bytes->bytes, length), &message));
    return message;
}

static void frames(void **state)
{
    static const struct {
        const char *bytes;
        size_t n, length;
        const char *fault;
    } cases[] = {
        {"", 0, 0, NULL},
        {"\x03\0\0", 3, 0, NULL},
        {"\x03\0\0\0\x06\x04", 6, 6, NULL},
        {"\x03\0\x04\0\0\x00", 6, 256 * 1024, NULL},
        {"\x03\0\x04\0\x01\x00", 6, 0, "a message is longer than any may be"},
        {"\x03\0\0\0\x05\x04", 6, 0, "a message is shorter than its header"},
        {"GET / HTTP", 10, 0, "this is not BMP of version 3"},
        {"\x02", 1, 0, "this is not BMP of version 3"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t length = 0;
        const char *fault = bmp_frame((const uint8_t *)cases[i].bytes, cases[i].n, &length);
        if (cases[i].fault)
            assert_string_equal(fault, cases[i].fault);
        else
            assert_null(fault);
        assert_int_equal(length, cases[i].length);
    }
}

static void headers(void **state)
{
    (void)state;
    struct buffer bytes = {0};
    struct bmp_about v6 = {.addr = "2001:db8::9",
                           .asn = 4200000000,
                           .type = 1,
                           .flags = 0x70,
                           .distinguisher = 7,
                           .time = {noon.ns + 250 * NS_PER_MS}};
    bmp_down(&bytes, &v6, 3);
    struct bmp_message message = decode(&bytes);
    char text[ADDR_TEXT_MAX];
    assert_int_equal(message.type, BMP_PEER_DOWN);
    assert_int_equal(message.reason, 3);
    assert_string_equal(addr_format(&message.peer.addr, text), "2001:db8::9");
    assert_int_equal(message.peer.asn, 4200000000);
    assert_int_equal(message.peer.type, BMP_PEER_RD);
    assert_int_equal(message.peer.distinguisher, 7);
    assert_true(message.peer.is_post_policy && message.peer.is_as2 && message.peer.is_out);
    assert_int_equal(message.peer.time.ns, v6.time.ns);
    /* RFC 9069: what stands where L and A would be means something else there. */
    struct bmp_about loc_rib = {.asn = 65000, .type = 3, .flags = 0xf0};
    buffer_clear(&bytes);
    bmp_down(&bytes, &loc_rib, 6);
    message = decode(&bytes);
    assert_int_equal(message.peer.type, BMP_PEER_LOC_RIB);
    assert_int_equal(message.peer.addr.family, 0);
    assert_false(message.peer.is_post_policy || message.peer.is_as2 || message.peer.is_out);
    buffer_clear(&bytes);
    loc_rib.type = 4;
    bmp_down(&bytes, &loc_rib, 6);
    assert_string_equal(bmp_decode(reader_of(bytes.bytes, bytes.size), &message),
                        "a peer is of an unknown type");
    buffer_done(&bytes);
}

static void who_and_why(void **state)
{
    (void)state;
    struct buffer bytes = {0};
    bmp_initiation(&bytes, "rrc00");
    struct bmp_message message = decode(&bytes);
    assert_int_equal(message.type, BMP_INITIATION);
    assert_int_equal(reader_left(&message.sys_name), 5);
    assert_memory_equal(message.sys_name.at, "rrc00", 5);
    assert_int_equal(reader_left(&message.sys_descr), 8);
    buffer_clear(&bytes);
    bmp_termination(&bytes, 3);
    message = decode(&bytes);
    assert_int_equal(message.reason, 3);
    assert_string_equal(bmp_termination_reason(3), "it has another connection");
    assert_string_equal(bmp_termination_reason(99), bmp_termination_reason(1));
    buffer_done(&bytes);
}

static void sessions(void **state)
{
    (void)state;
    struct buffer bytes = {0};
    struct bmp_about big = {.addr = "192.0.2.9", .asn = 4200000000};
    bmp_up(&bytes, &big, BMP_OPEN_ADD_PATH, BMP_OPEN_PLAIN);
    struct bmp_message message = decode(&bytes);
    assert_true(message.sent.is_as4 && message.received.is_as4);
    struct bgp_session session = bgp_session_of(&message.received, &message.sent);
    assert_true(session.form.is_as4 && session.has_family[0] && !session.has_family[1]);
    assert_int_equal(session.form.add_path, BGP_ADD_PATH_NO);
    buffer_clear(&bytes);
    bmp_up(&bytes, &plain, BMP_OPEN_ADD_PATH, BMP_OPEN_ADD_PATH);
    message = decode(&bytes);
    session = bgp_session_of(&message.received, &message.sent);
    assert_int_equal(session.form.add_path, BGP_ADD_PATH_YES);
    assert_int_equal(session.form.add_path6, BGP_ADD_PATH_NO);
    buffer_clear(&bytes);
    bmp_up(&bytes, &plain, "", BMP_OPEN_PLAIN); /* RFC 4760, 8: IPv4 unicast, 2-byte ASNs */
    message = decode(&bytes);
    session = bgp_session_of(&message.received, &message.sent);
    assert_true(!session.form.is_as4 && session.has_family[0] && !session.has_family[1]);
    buffer_done(&bytes);
}

/* RFC 9072: parameters with lengths of two bytes. */
static void long_open(void **state)
{
    static const char body[] = "\x04\xfd\xe9\0\xb4\x0a\0\0\x01\xff\xff\0\x09"
                               "\x02\0\x06\x41\x04\0\x01\0\0";
    struct bgp_open open;
    (void)state;
    assert_null(bgp_open_decode(reader_of(body, sizeof body - 1), &open));
    assert_true(open.is_as4);
    assert_int_equal(open.asn, 65536);
    for (size_t n = 0; n + 1 < sizeof body; n++)
        assert_non_null(bgp_open_decode(reader_of(body, n), &open));
}

/* Cut at every byte, and with a byte too many, no message is taken for a whole one. */
static void truncation(void **state)
{
    (void)state;
    struct buffer bytes[5] = {{0}};
    bmp_initiation(&bytes[0], "rrc00");
    bmp_up(&bytes[1], &plain, BMP_OPEN_ADD_PATH, BMP_OPEN_PLAIN);
    bmp_update(&bytes[2], &plain, "10.0.0.0/8", "65001 4837", "198.51.100.0/24");
    bmp_down(&bytes[3], &plain, 1);
    bmp_termination(&bytes[4], 0);
    for (size_t i = 0; i < 5; i++) {
        struct bmp_message message;
        for (size_t n = 6; n < bytes[i].size; n++) {
            char *exact = malloc(n);
            memcpy(exact, bytes[i].bytes, n);
            const char *fault = bmp_decode(reader_of(exact, n), &message);
            bool is_bare = n == 6 && (i == 0 || i == 4); /* without information */
            bool is_cut_between = i == 0 && n == 6 + 4 + 8;
            assert_true(fault || is_bare || is_cut_between);
            free(exact);
        }
        buffer_done(&bytes[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames),   cmocka_unit_test(headers),   cmocka_unit_test(who_and_why),
        cmocka_unit_test(sessions), cmocka_unit_test(long_open), cmocka_unit_test(truncation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
