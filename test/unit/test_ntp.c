/* wire/ntp: requests, answers of all kinds, the eras of its seconds, and the four times. */
#include "wire/ntp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const uint64_t COOKIE = UINT64_C(0x0123456789abcdef);
/* 2022-01-26T03:05:00Z and half a second, as NTP writes it: 1643166300 + 2208988800. */
static const struct utc NOW = {INT64_C(1643166300500000000)};
static const uint64_t NOW_NTP = UINT64_C(3852155100) << 32 | UINT64_C(0x80000000);

struct fields {
    uint8_t first, stratum;
    uint32_t delay, dispersion;
    const char *reference;
    uint64_t origin, received, sent;
};

static void put(uint8_t *out, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

static void make(const struct fields *f, uint8_t out[NTP_SIZE])
{
    memset(out, 0, NTP_SIZE);
    out[0] = f->first;
    out[1] = f->stratum;
    put(out + 4, f->delay, 4);
    put(out + 8, f->dispersion, 4);
    memcpy(out + 12, f->reference, 4);
    put(out + 24, f->origin, 8);
    put(out + 32, f->received, 8);
    put(out + 40, f->sent, 8);
}

static const struct fields GOOD = {.first = 0x24, /* no leap second, version 4, a server */
                                   .stratum = 2,
                                   .delay = 0x00008000,      /* 0.5 s */
                                   .dispersion = 0x00004000, /* 0.25 s */
                                   .reference = "\xc0\x00\x02\x01",
                                   .origin = COOKIE,
                                   .received = NOW_NTP,
                                   .sent = NOW_NTP + 0x40000000};

static struct ntp_reply read_one(const struct fields *f, const char **bad)
{
    uint8_t bytes[NTP_SIZE];
    make(f, bytes);
    struct reader r = reader_of(bytes, sizeof bytes);
    struct ntp_reply reply = ntp_read_reply(&r, COOKIE, NOW);
    *bad = r.bad;
    return reply;
}

static void test_request(void **state)
{
    (void)state;
    uint8_t bytes[NTP_SIZE], expected[NTP_SIZE] = {0x23};
    memcpy(expected + 40, "\x01\x23\x45\x67\x89\xab\xcd\xef", 8);
    ntp_write_request(COOKIE, bytes);
    assert_memory_equal(bytes, expected, NTP_SIZE);
}

static void test_good(void **state)
{
    (void)state;
    const char *bad;
    struct ntp_reply reply = read_one(&GOOD, &bad);
    assert_null(bad);
    assert_int_equal(reply.what, NTP_TIME);
    assert_int_equal(reply.stratum, 2);
    assert_true(reply.received.ns == NOW.ns);
    assert_true(reply.sent.ns == NOW.ns + NS_PER_S / 4);
    assert_true(reply.distance_ns == NS_PER_S / 2);
}

static void test_others(void **state)
{
    (void)state;
    const char *bad;
    struct fields f = GOOD;
    f.origin++;
    assert_int_equal(read_one(&f, &bad).what, NTP_FOREIGN);
    assert_null(bad);
    for (unsigned first = 0; first < 256; first++) {
        unsigned mode = first & 7, version = first >> 3 & 7, leap = first >> 6;
        bool is_right = mode == 4 && (version == 3 || version == 4);
        f = GOOD;
        f.first = (uint8_t)first;
        assert_int_equal(read_one(&f, &bad).what, !is_right   ? NTP_FOREIGN
                                                  : leap == 3 ? NTP_UNSYNCHRONISED
                                                              : NTP_TIME);
        assert_int_equal(bad == NULL, is_right);
    }
    for (unsigned stratum = 0; stratum < 256; stratum++) {
        f = GOOD;
        f.stratum = (uint8_t)stratum;
        assert_int_equal(read_one(&f, &bad).what, stratum == 0    ? NTP_KISS
                                                  : stratum <= 15 ? NTP_TIME
                                                                  : NTP_UNSYNCHRONISED);
    }
    f = GOOD;
    f.sent = 0;
    assert_int_equal(read_one(&f, &bad).what, NTP_UNSYNCHRONISED);
    f = GOOD;
    f.received = 0;
    assert_int_equal(read_one(&f, &bad).what, NTP_UNSYNCHRONISED);
}

static void test_kisses(void **state)
{
    (void)state;
    const char *bad;
    struct fields f = GOOD;
    f.stratum = 0;
    f.first = 0xe4; /* servers say that they are not synchronised along with it */
    f.reference = "RATE";
    struct ntp_reply reply = read_one(&f, &bad);
    assert_int_equal(reply.what, NTP_KISS);
    assert_string_equal(reply.kiss, "RATE");
    f.reference = "a\x1b\0Z";
    assert_string_equal(read_one(&f, &bad).kiss, "???Z");
}

/* Era 1 begins on 2036-02-07T06:28:16Z; a clock of ours that is off by decades finds no other way than the
 * nearest. */
static void test_eras(void **state)
{
    (void)state;
    static const struct {
        int64_t around_s;
        uint32_t seconds;
        int64_t expected_s;
    } cases[] = {
        {2085978496, 0xffffffff, 2085978495}, /* the last second of era 0 */
        {2085978495, 1, 2085978497},          /* seen from before, the second of era 1 */
        {2085978600, 100, 2085978596},
        {0, 2208988800U, 0},        /* 1970 */
        {1, 1, 2085978497},         /* 2036 is nearer to 1970 than 1900 is */
        {4000000000, 5, 2085978501} /* 2096: 2036 is nearer than 2172 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fields f = GOOD;
        uint8_t bytes[NTP_SIZE];
        f.sent = (uint64_t)cases[i].seconds << 32;
        make(&f, bytes);
        struct reader r = reader_of(bytes, sizeof bytes);
        struct ntp_reply reply =
            ntp_read_reply(&r, COOKIE, (struct utc){cases[i].around_s * NS_PER_S});
        assert_int_equal(reply.sent.ns / NS_PER_S, cases[i].expected_s);
    }
}

static void test_truncated(void **state)
{
    (void)state;
    uint8_t bytes[NTP_SIZE];
    make(&GOOD, bytes);
    for (size_t n = 0; n < sizeof bytes; n++) {
        struct reader r = reader_of(bytes, n);
        assert_int_equal(ntp_read_reply(&r, COOKIE, NOW).what, NTP_FOREIGN);
        assert_non_null(r.bad);
    }
}

/* We are 3 s behind; 40 ms there, 20 ms back, 10 ms in the server: half of the difference of the ways is what
 * cannot be known. */
static void test_offset(void **state)
{
    (void)state;
    const int64_t ms = NS_PER_MS;
    struct ntp_reply reply = {.received = {3000 * ms + 40 * ms}, .sent = {3000 * ms + 50 * ms}};
    int64_t delay_ns;
    assert_true(ntp_offset_ns((struct utc){0}, &reply, (struct utc){70 * ms}, &delay_ns) ==
                3000 * ms + 10 * ms);
    assert_true(delay_ns == 60 * ms);
    reply.sent.ns += NS_PER_S; /* longer in the server than we waited */
    ntp_offset_ns((struct utc){0}, &reply, (struct utc){70 * ms}, &delay_ns);
    assert_true(delay_ns == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request), cmocka_unit_test(test_good),
        cmocka_unit_test(test_others),  cmocka_unit_test(test_kisses),
        cmocka_unit_test(test_eras),    cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
