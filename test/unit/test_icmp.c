/* wire/icmp: what we send, what comes back, and what a router says about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/icmp.h"

#include <string.h>

static const struct icmp_echo sample = {
    .ident = 0x1234, .seq = 0xfedc, .cookie = UINT64_C(0x0102030405060708)};

struct packet {
    uint8_t bytes[256];
    size_t n;
};

static void add(struct packet *packet, const void *bytes, size_t n)
{
    memcpy(packet->bytes + packet->n, bytes, n);
    packet->n += n;
}

/* Written for the test alone, the slow way: the sum of 16-bit words, with the carries put back. */
static void set_checksum(uint8_t *bytes, size_t n)
{
    bytes[2] = bytes[3] = 0;
    unsigned long sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? bytes[i] : bytes[i] * 256UL;
    sum = ~(sum % 65535);
    bytes[2] = (uint8_t)(sum >> 8);
    bytes[3] = (uint8_t)sum;
}

static struct packet reply(int family)
{
    struct packet packet = {0};
    packet.n = icmp_write_echo(family, &sample, "", packet.bytes);
    packet.bytes[0] = family == 4 ? 0 : 129;
    if (family == 4)
        set_checksum(packet.bytes, packet.n);
    return packet;
}

static void put_ip4(struct packet *packet, uint8_t protocol, uint8_t options)
{
    uint8_t header[60] = {
        (uint8_t)(0x45 + options), [8] = 57, protocol, [12] = 192, 0, 2, 1, 203, 0, 113, 9};
    add(packet, header, 20 + 4U * options);
}

static void put_ip6(struct packet *packet)
{
    uint8_t header[40] = {0x60, [6] = 58, 60, [8] = 0xfd, [23] = 1, [24] = 0x20, 0x01, [39] = 7};
    add(packet, header, sizeof header);
}

/* An error with the first `quoted` bytes of our request. */
static struct packet error_about(int family, uint8_t type, uint8_t code, size_t quoted)
{
    struct packet packet = {0};
    uint8_t echo[ICMP_ECHO_MAX];
    add(&packet, (uint8_t[8]){type, code}, 8);
    if (family == 4)
        put_ip4(&packet, 1, 0);
    else
        put_ip6(&packet);
    icmp_write_echo(family, &sample, "", echo);
    add(&packet, echo, quoted);
    if (family == 4)
        set_checksum(packet.bytes, packet.n);
    return packet;
}

static struct icmp_message read_packet(int family, const struct packet *packet, size_t n)
{
    struct reader r = reader_of(packet->bytes, n);
    return icmp_read(family, &r);
}

static void reply_is_recognised(void **state)
{
    (void)state;
    for (int family = 4; family <= 6; family += 2) {
        struct packet packet = reply(family);
        struct icmp_message message = read_packet(family, &packet, packet.n);
        assert_int_equal(message.what, ICMP_REPLY);
        assert_int_equal(message.echo.ident, sample.ident);
        assert_int_equal(message.echo.seq, sample.seq);
        assert_true(message.echo.cookie == sample.cookie);
    }
}

static void foreign_payload_is_no_reply(void **state)
{
    (void)state;
    struct packet packet = reply(6);
    packet.bytes[10] ^= 1;
    assert_int_equal(read_packet(6, &packet, packet.n).what, ICMP_OTHER);
}

static void request_carries_a_right_checksum_and_our_name(void **state)
{
    (void)state;
    static const char *const notes[] = {"", "why, and whom to ask"};
    for (int i = 0; i < 2; i++) {
        uint8_t bytes[ICMP_ECHO_MAX], again[ICMP_ECHO_MAX];
        size_t n = icmp_write_echo(4, &sample, notes[i], bytes);
        assert_int_equal(n, ICMP_ECHO_SIZE + strlen(notes[i]));
        memcpy(again, bytes, n);
        set_checksum(again, n);
        assert_memory_equal(bytes, again, n);
        assert_memory_equal(bytes + 8, "lastlight", 9);
        assert_memory_equal(bytes + ICMP_ECHO_SIZE, notes[i], strlen(notes[i]));
        assert_int_equal(bytes[0], 8);
        icmp_write_echo(6, &sample, notes[i], bytes);
        assert_int_equal(bytes[0], 128);
    }
}

static void note_is_cut_and_disturbs_no_reply(void **state)
{
    (void)state;
    char note[ICMP_NOTE_MAX + 2];
    memset(note, 'x', sizeof note - 1);
    note[sizeof note - 1] = '\0';
    struct packet packet = {0};
    packet.n = icmp_write_echo(4, &sample, note, packet.bytes);
    assert_int_equal(packet.n, ICMP_ECHO_MAX);
    packet.bytes[0] = 0; /* a reply */
    set_checksum(packet.bytes, packet.n);
    struct icmp_message message = read_packet(4, &packet, packet.n);
    assert_int_equal(message.what, ICMP_REPLY);
    assert_true(message.echo.cookie == sample.cookie);
}

static void damaged_reply_is_refused(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 8 * ICMP_ECHO_SIZE; bit++) {
        struct packet packet = reply(4);
        packet.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        struct reader r = reader_of(packet.bytes, packet.n);
        assert_int_equal(icmp_read(4, &r).what, ICMP_OTHER);
        assert_string_equal(r.bad, "has a wrong checksum");
    }
}

static void error_tells_what_it_is_about(void **state)
{
    (void)state;
    static const struct {
        int family;
        uint8_t type, code;
        size_t quoted;
        bool has_cookie;
        const char *target;
    } cases[] = {
        {4, 3, 1, 8, false, "203.0.113.9"},  {4, 3, 13, 32, true, "203.0.113.9"},
        {4, 11, 0, 8, false, "203.0.113.9"}, {4, 12, 0, 31, false, "203.0.113.9"},
        {6, 1, 0, 8, false, "2001::7"},      {6, 3, 0, 32, true, "2001::7"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct packet packet =
            error_about(cases[i].family, cases[i].type, cases[i].code, cases[i].quoted);
        struct icmp_message message = read_packet(cases[i].family, &packet, packet.n);
        char text[ADDR_TEXT_MAX];
        assert_int_equal(message.what, ICMP_ERROR);
        assert_int_equal(message.type, cases[i].type);
        assert_int_equal(message.code, cases[i].code);
        assert_int_equal(message.echo.ident, sample.ident);
        assert_int_equal(message.echo.seq, sample.seq);
        assert_int_equal(message.has_cookie, cases[i].has_cookie);
        assert_string_equal(addr_format(&message.target, text), cases[i].target);
    }
}

static void error_about_others_is_none_of_ours(void **state)
{
    (void)state;
    struct packet packet = error_about(4, 3, 1, 8);
    packet.bytes[8 + 9] = 17; /* it quotes UDP */
    set_checksum(packet.bytes, packet.n);
    assert_int_equal(read_packet(4, &packet, packet.n).what, ICMP_OTHER);
    packet = error_about(4, 3, 1, 8);
    packet.bytes[8 + 7] = 1; /* ... or a later fragment */
    set_checksum(packet.bytes, packet.n);
    assert_int_equal(read_packet(4, &packet, packet.n).what, ICMP_OTHER);
    packet = error_about(4, 5, 1, 8); /* a redirect says nothing about the host */
    assert_int_equal(read_packet(4, &packet, packet.n).what, ICMP_OTHER);
    packet = error_about(6, 134, 0, 8);
    assert_int_equal(read_packet(6, &packet, packet.n).what, ICMP_OTHER);
}

static void short_packets_are_nothing(void **state)
{
    (void)state;
    struct packet v6 = reply(6), error = error_about(6, 1, 4, 8);
    for (size_t n = 0; n < v6.n; n++)
        assert_int_equal(read_packet(6, &v6, n).what, ICMP_OTHER);
    for (size_t n = 0; n < error.n; n++)
        assert_int_equal(read_packet(6, &error, n).what, ICMP_OTHER);
    for (size_t n = 0; n < 16; n++) {
        struct packet packet = error_about(4, 3, 1, 8);
        set_checksum(packet.bytes, n + 8);
        assert_int_equal(read_packet(4, &packet, n + 8).what, ICMP_OTHER);
    }
}

static void header_with_options_is_passed_over(void **state)
{
    (void)state;
    struct packet packet = {0};
    put_ip4(&packet, 1, 3);
    add(&packet, "x", 1);
    struct reader r = reader_of(packet.bytes, packet.n);
    struct ip4_header header = ip4_read(&r);
    char text[ADDR_TEXT_MAX];
    assert_string_equal(addr_format(&header.from, text), "192.0.2.1");
    assert_int_equal(header.ttl, 57);
    assert_int_equal(reader_left(&r), 1);
    packet.bytes[0] = 0x44;
    r = reader_of(packet.bytes, packet.n);
    assert_int_equal(ip4_read(&r).from.family, 0);
    assert_non_null(r.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply_is_recognised),
        cmocka_unit_test(foreign_payload_is_no_reply),
        cmocka_unit_test(request_carries_a_right_checksum_and_our_name),
        cmocka_unit_test(note_is_cut_and_disturbs_no_reply),
        cmocka_unit_test(damaged_reply_is_refused),
        cmocka_unit_test(error_tells_what_it_is_about),
        cmocka_unit_test(error_about_others_is_none_of_ours),
        cmocka_unit_test(short_packets_are_nothing),
        cmocka_unit_test(header_with_options_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
