/* base/: bytes, text, memory, time values, addresses. */
#include "base/addr.h"
#include "base/buffer.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/reader.h"
#include "base/utc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- addresses and prefixes ---- */

static void test_addresses(void **state)
{
    static const struct {
        const char *text, *canonical; /* NULL: refused */
    } cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* RFC 5952, 4.2.2: one zero stays */
        {"::", "::"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"", NULL},
        {"192.0.2", NULL},
        {"192.0.2.256", NULL},
        {"192.0.2.01", NULL},
        {" 192.0.2.1", NULL},
        {"192.0.2.1 ", NULL},
        {"[::1]", NULL},
        {"fe80::1%eth0", NULL},
        {"1::2::3", NULL},
        {"12345::", NULL},
        {"kp.", NULL},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct addr addr = {.family = 99};
        char text[ADDR_TEXT_MAX];
        bool is_addr = addr_parse(cases[i].text, strlen(cases[i].text), &addr);
        assert_int_equal(is_addr, cases[i].canonical != NULL);
        if (is_addr)
            assert_string_equal(addr_format(&addr, text), cases[i].canonical);
        else
            assert_int_equal(addr.family, 99); /* untouched */
    }
    struct addr none = {0}, part;
    char text[ADDR_TEXT_MAX];
    assert_string_equal(addr_format(&none, text), "-");
    assert_int_equal(addr_bits(&none), 0);
    assert_true(addr_parse("192.0.2.12345", 9, &part)); /* only n bytes are looked at */
    assert_string_equal(addr_format(&part, text), "192.0.2.1");
}

static struct addr address(const char *text)
{
    struct addr addr;
    assert_true(addr_parse(text, strlen(text), &addr));
    return addr;
}

static struct prefix prefix(const char *text)
{
    struct prefix result;
    assert_true(prefix_parse(text, strlen(text), &result));
    return result;
}

static void test_addresses_are_ordered(void **state)
{
    static const char *const ascending[] = {"0.0.0.0", "9.255.255.255", "10.0.0.0", "192.0.2.1",
                                            "::",      "::1",           "2001::",   "ffff::"};
    (void)state;
    for (size_t i = 0; i < COUNT(ascending); i++) {
        for (size_t j = 0; j < COUNT(ascending); j++) {
            struct addr a = address(ascending[i]), b = address(ascending[j]);
            int order = addr_compare(&a, &b);
            assert_int_equal(order < 0, i < j);
            assert_int_equal(order > 0, i > j);
        }
    }
}

static void test_prefixes(void **state)
{
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.0/24"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"192.0.2.1/32", "192.0.2.1/32"},
        {"192.0.2.128/25", "192.0.2.128/25"},
        {"2001:DB8::/32", "2001:db8::/32"},
        {"::/0", "::/0"},
        {"2001:db8::1/128", "2001:db8::1/128"},
        {"10.0.0.0/008", "10.0.0.0/8"},
        {"192.0.2.1/24", NULL},
        {"2001:db8::1/127", NULL},
        {"192.0.2.0/33", NULL},
        {"::/129", NULL},
        {"192.0.2.0", NULL},
        {"192.0.2.0/", NULL},
        {"192.0.2.0/x", NULL},
        {"192.0.2.0/2 ", NULL},
        {"/24", NULL},
        {"192.0.2.0/-1", NULL},
        {"192.0.2.0/0024", NULL},
        {"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct prefix result = {.bits = 99};
        char text[PREFIX_TEXT_MAX];
        bool is_prefix = prefix_parse(cases[i].text, strlen(cases[i].text), &result);
        assert_int_equal(is_prefix, cases[i].canonical != NULL);
        if (is_prefix)
            assert_string_equal(prefix_format(&result, text), cases[i].canonical);
        else
            assert_int_equal(result.bits, 99);
    }
}

static void test_what_prefixes_hold(void **state)
{
    static const struct {
        const char *outer, *inner;
        bool has;
    } cases[] = {
        {"10.0.0.0/8", "10.0.0.0/8", true},
        {"10.0.0.0/8", "10.255.0.0/16", true},
        {"10.0.0.0/16", "10.0.0.0/8", false},
        {"10.0.0.0/8", "11.0.0.0/16", false},
        {"0.0.0.0/0", "192.0.2.1/32", true},
        {"0.0.0.0/0", "::/0", false},
        {"192.0.2.0/25", "192.0.2.128/25", false},
        {"192.0.2.128/25", "192.0.2.192/26", true},
        {"175.45.176.0/22", "175.45.179.0/24", true},
        {"175.45.176.0/22", "175.45.180.0/24", false},
        {"2001:db8::/33", "2001:db8:8000::/33", false},
        {"::/0", "2001:db8::/32", true},
        {"2001:db8::1/128", "2001:db8::1/128", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct prefix outer = prefix(cases[i].outer), inner = prefix(cases[i].inner);
        assert_int_equal(prefix_has(&outer, &inner), cases[i].has);
    }
}

/* Against the definition, bit by bit, for addresses of both families and every length. */
static void test_prefix_of_cuts_exactly(void **state)
{
    (void)state;
    static const char *const texts[] = {"255.255.255.255",
                                        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct addr addr = address(texts[i]);
        for (unsigned bits = 0; bits <= addr_bits(&addr); bits++) {
            struct prefix cut = prefix_of(&addr, bits);
            assert_int_equal(cut.bits, bits);
            for (unsigned bit = 0; bit < 128; bit++)
                assert_int_equal(cut.addr.bytes[bit / 8] >> (7 - bit % 8) & 1, bit < bits);
            for (unsigned bit = 0; bit < addr_bits(&addr); bit++) {
                struct addr other = addr;
                other.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
                assert_int_equal(prefix_has_addr(&cut, &other), bit >= bits);
            }
        }
        assert_int_equal(prefix_of(&addr, 200).bits, addr_bits(&addr));
    }
    struct prefix a = prefix("10.0.0.0/8"), b = prefix("10.0.0.0/9"), c = prefix("11.0.0.0/8");
    assert_true(prefix_compare(&a, &b) < 0 && prefix_compare(&b, &c) < 0);
    assert_true(prefix_compare(&c, &a) > 0 && prefix_compare(&a, &a) == 0);
}

/* ---- time ---- */

static void test_times(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
        const char *canonical; /* NULL: the text itself */
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0, NULL},
        {"1970-01-01T00:00:00.000000001Z", 1, NULL},
        {"2000-02-29T00:00:00Z", INT64_C(951782400000000000), NULL},
        {"2004-02-29T23:59:59Z", INT64_C(1078099199000000000), NULL},
        {"2022-01-25T21:00:00.250Z", INT64_C(1643144400250000000), NULL},
        {"2022-01-25T21:00:00.25Z", INT64_C(1643144400250000000), "2022-01-25T21:00:00.250Z"},
        {"2022-01-26t06:00:00.2500+09:00", INT64_C(1643144400250000000),
         "2022-01-25T21:00:00.250Z"},
        {"2022-01-25T17:30:00-03:30", INT64_C(1643144400000000000), "2022-01-25T21:00:00Z"},
        {"2022-01-25T21:00:00.123456Z", INT64_C(1643144400123456000), NULL},
        {"2022-01-25T21:00:00.123456789Z", INT64_C(1643144400123456789), NULL},
        {"2022-01-25T21:00:00.1234567899z", INT64_C(1643144400123456789),
         "2022-01-25T21:00:00.123456789Z"},
        {"2016-12-31T23:59:60Z", INT64_C(1483228800000000000), "2017-01-01T00:00:00Z"},
        {"2261-12-31T23:59:59.999999999Z", INT64_C(9214646399999999999), NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct utc t = {-7};
        char text[UTC_TEXT_MAX];
        size_t n = strlen(cases[i].text);
        assert_int_equal(utc_parse(cases[i].text, n, &t), n);
        assert_int_equal(t.ns, cases[i].ns);
        const char *canonical = cases[i].canonical ? cases[i].canonical : cases[i].text;
        assert_string_equal(utc_format(t, text), canonical);
    }
    struct utc t;
    assert_int_equal(utc_parse("2022-01-25T21:00:00Z rest", 25, &t), 20);
}

static void test_what_is_no_time(void **state)
{
    static const char *const texts[] = {
        "",
        "2022-01-25",
        "2022-01-25T21:00:00",
        "2022-01-25 21:00:00Z",
        "2022-01-25T21:00Z",
        "2022-01-25T21:00:00.Z",
        "2022-01-25T21:00:00+0900",
        "2022-01-25T21:00:00+24:00",
        "2022-01-25T21:00:00+09:60",
        "2022-1-25T21:00:00.000Z",
        "2022-00-25T21:00:00Z",
        "2022-13-25T21:00:00Z",
        "2022-01-00T21:00:00Z",
        "2022-01-32T21:00:00Z",
        "2022-04-31T21:00:00Z",
        "2021-02-29T21:00:00Z",
        "2100-02-29T21:00:00Z",
        "2022-01-25T24:00:00Z",
        "2022-01-25T21:60:00Z",
        "2022-01-25T21:00:61Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "2262-01-01T00:00:00Z",
        "2261-12-31T23:59:59-00:01",
        "-022-01-25T21:00:00Z",
        "2022-01-25T21:00:0 Z",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct utc t = {-7};
        assert_int_equal(utc_parse(texts[i], strlen(texts[i]), &t), 0);
        assert_int_equal(t.ns, -7);
    }
}

/* Every day from 1970 to 2261, and the C library's opinion of each. */
static void test_calendar_of_every_day(void **state)
{
    (void)state;
    for (int64_t day = 0; day < 106650; day++) {
        int64_t seconds = day * 86400 + day % 86400;
        struct utc t = {seconds * NS_PER_S + day % 1000};
        time_t c_time = (time_t)seconds;
        struct tm tm;
        struct calendar c = utc_calendar(t);
        assert_non_null(gmtime_r(&c_time, &tm));
        if (c.year != tm.tm_year + 1900 || c.month != tm.tm_mon + 1 || c.day != tm.tm_mday ||
            c.hour != tm.tm_hour || c.minute != tm.tm_min || c.second != tm.tm_sec ||
            c.weekday != tm.tm_wday)
            fail_msg("day %lld differs", (long long)day);
        char text[UTC_TEXT_MAX];
        struct utc again;
        utc_format(t, text);
        assert_int_equal(utc_parse(text, strlen(text), &again), strlen(text));
        assert_int_equal(again.ns, t.ns);
    }
}

static void test_seconds_beyond_nanoseconds(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"9999-12-31T23:59:59Z", INT64_C(253402300799)},
        {"1950-01-01T00:00:00Z", -631152000},
        {"0001-01-01T00:00:00Z", INT64_C(-62135596800)},
        {"1600-02-29T12:00:00Z", INT64_C(-11670955200)},
        {"2262-04-12T00:00:00Z", INT64_C(9223372800)},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t seconds;
        char text[UTC_TEXT_MAX];
        assert_int_equal(utc_parse_seconds(cases[i].text, 20, &seconds), 20);
        assert_int_equal(seconds, cases[i].seconds);
        assert_string_equal(utc_format_seconds(seconds, text), cases[i].text);
    }
    int64_t untouched = 7;
    assert_int_equal(utc_parse_seconds("0000-12-31T23:59:59Z", 20, &untouched), 0);
    assert_int_equal(utc_parse_seconds("9999-12-31T23:59:59-00:01", 25, &untouched), 0);
    assert_int_equal(untouched, 7);
}

static void test_order_of_intervals(void **state)
{
    static const struct {
        int64_t a_from, a_to, b_from, b_to;
        bool is_before;
        int64_t margin;
    } cases[] = {
        {10, 20, 25, 30, true, 5},
        {10, 20, 20, 30, false, 0}, /* they touch: b may have begun when a did */
        {10, 20, 15, 30, false, 0},
        {25, 30, 10, 20, false, 0},
        {0, 20, 25, 0, true, 5},   /* the outer ends do not matter */
        {10, 0, 25, 30, false, 0}, /* the inner ones do */
        {10, 20, 0, 30, false, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct interval a = {{cases[i].a_from}, {cases[i].a_to}};
        struct interval b = {{cases[i].b_from}, {cases[i].b_to}};
        int64_t margin = 0;
        assert_int_equal(interval_is_before(&a, &b, &margin), cases[i].is_before);
        assert_int_equal(margin, cases[i].margin);
        assert_int_equal(interval_is_before(&a, &b, NULL), cases[i].is_before);
    }
}

static void test_durations_for_people(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        {0, "0 us"},
        {-1, "less than 0"},
        {999, "0 us"},
        {1500, "1 us"},
        {250 * NS_PER_MS, "250 ms"},
        {NS_PER_S, "1 s"},
        {1500 * NS_PER_MS, "1.5 s"},
        {59 * NS_PER_S, "59 s"},
        {270 * NS_PER_S, "4 min 30 s"},
        {300 * NS_PER_S, "5 min"},
        {NS_PER_HOUR, "1 h"},
        {6 * NS_PER_HOUR + 2 * NS_PER_MINUTE, "6 h 2 min"},
        {2 * NS_PER_DAY + 3 * NS_PER_HOUR, "2 d 3 h"},
        {3 * NS_PER_DAY, "3 d"},
        {INT64_MAX, "106751 d 23 h"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[DURATION_TEXT_MAX];
        assert_string_equal(duration_format(cases[i].ns, text), cases[i].text);
    }
}

/* 9.96 s must not become "10.0 s". */
static void test_durations_do_not_round_up(void **state)
{
    (void)state;
    char text[DURATION_TEXT_MAX];
    assert_string_equal(duration_format(9960 * NS_PER_MS, text), "9.9 s");
    assert_string_equal(duration_format(1990 * NS_PER_MS, text), "1.9 s");
    assert_string_equal(duration_format(59999 * NS_PER_MS, text), "59 s");
}

static void test_durations_as_written(void **state)
{
    static const struct {
        const char *text;
        int64_t ns; /* 0: refused */
    } cases[] = {
        {"250ms", 250 * NS_PER_MS},
        {"30s", 30 * NS_PER_S},
        {"30 s", 30 * NS_PER_S},
        {"1.5s", 1500 * NS_PER_MS},
        {"0.1ms", 100000},
        {"1.000000001s", NS_PER_S + 1},
        {"0.0000000009s", 0},
        {"5m", 5 * NS_PER_MINUTE},
        {"5min", 5 * NS_PER_MINUTE},
        {"2h", 2 * NS_PER_HOUR},
        {"0.5h", 30 * NS_PER_MINUTE},
        {"1d", NS_PER_DAY},
        {"1096d", 1096 * NS_PER_DAY},
        {"1097d", 0},
        {"99999999999999999999d", 0},
        {"0s", 0},
        {"-1s", 0},
        {"+1s", 0},
        {"", 0},
        {"s", 0},
        {"1", 0},
        {"1.s", 0},
        {".5s", 0},
        {"1.5.5s", 0},
        {"1e3s", 0},
        {"0x10s", 0},
        {"1s ", 0},
        {"1 week", 0},
        {"nans", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ns = -7;
        assert_int_equal(duration_parse(cases[i].text, &ns), cases[i].ns != 0);
        assert_int_equal(ns, cases[i].ns ? cases[i].ns : -7);
    }
}

static void test_durations_come_back(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        {1, "0.000000001s"},      {1500000, "0.0015s"},   {250 * NS_PER_MS, "250ms"},
        {90 * NS_PER_S, "90s"},   {120 * NS_PER_S, "2m"}, {36 * NS_PER_HOUR, "36h"},
        {48 * NS_PER_HOUR, "2d"},
    };
    (void)state;
    char text[DURATION_TEXT_MAX];
    int64_t again;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(duration_write(cases[i].ns, text), cases[i].text);
    for (uint64_t i = 0; i < 20000; i++) {
        int64_t ns = 1 + (int64_t)(hash_mix(i) >> (1 + i % 56)) % (1096 * NS_PER_DAY);
        assert_true(duration_parse(duration_write(ns, text), &again));
        assert_int_equal(again, ns);
    }
}

/* ---- bytes ---- */

static void test_reader_numbers(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct reader r = reader_of(bytes, sizeof bytes);
    assert_int_equal(reader_u8(&r), 0x01);
    assert_int_equal(reader_u16(&r), 0x0203);
    assert_int_equal(reader_u32(&r), 0x04050607);
    assert_true(reader_u64(&r) == UINT64_C(0x08090a0b0c0d0e0f));
    assert_null(r.bad);
    assert_int_equal(reader_left(&r), 0);
    reader_finish(&r);
    assert_null(r.bad);
}

/* At each length: what is there is read, then zeros, one reason, and an empty reader. */
static void test_reader_truncated(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    for (size_t n = 0; n < 8; n++) {
        struct reader r = reader_of(bytes, n);
        uint64_t value = reader_u64(&r);
        assert_true(value == (n < 4 ? 0 : UINT64_C(0xffffffff00000000)));
        assert_string_equal(r.bad, "ends too early");
        assert_int_equal(reader_left(&r), 0);
        assert_int_equal(reader_u8(&r), 0);
        assert_null(reader_bytes(&r, 1));
    }
    struct reader empty = reader_of(NULL, 0);
    assert_int_equal(reader_u8(&empty), 0);
    assert_non_null(empty.bad);
}

static void test_reader_sub(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4, 5};
    struct reader r = reader_of(bytes, sizeof bytes);
    struct reader sub = reader_sub(&r, 2);
    assert_int_equal(reader_u16(&sub), 0x0102);
    assert_int_equal(reader_u8(&sub), 0); /* not the 3 of the reader around it */
    assert_non_null(sub.bad);
    assert_null(r.bad);
    assert_int_equal(reader_u8(&r), 3);
    struct reader too_long = reader_sub(&r, 3);
    assert_string_equal(too_long.bad, "ends too early");
    assert_string_equal(r.bad, "ends too early");
    assert_int_equal(reader_left(&too_long), 0);
    assert_int_equal(reader_left(&r), 0);
    struct reader rest = reader_of(bytes, sizeof bytes);
    reader_u8(&rest);
    reader_finish(&rest);
    assert_string_equal(rest.bad, "has bytes left over");
    reader_fail(&rest, "another reason");
    assert_string_equal(rest.bad, "has bytes left over"); /* the first one stays */
    assert_null(reader_bytes(&rest, SIZE_MAX));
}

static void test_varints_come_back(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (unsigned bits = 0; bits <= 64; bits++) {
        uint64_t value = bits ? UINT64_MAX >> (64 - bits) : 0;
        int64_t signed_value = (int64_t)value;
        buffer_clear(&buffer);
        buffer_varint(&buffer, value);
        assert_int_equal(buffer.size, bits ? (bits + 6) / 7 : 1);
        buffer_zigzag(&buffer, signed_value);
        buffer_zigzag(&buffer, -signed_value);
        struct reader r = reader_of(buffer.bytes, buffer.size);
        assert_true(reader_varint(&r) == value);
        assert_true(reader_zigzag(&r) == signed_value);
        assert_true(reader_zigzag(&r) == -signed_value);
        reader_finish(&r);
        assert_null(r.bad);
    }
    buffer_clear(&buffer);
    buffer_zigzag(&buffer, INT64_MIN);
    struct reader r = reader_of(buffer.bytes, buffer.size);
    assert_true(reader_zigzag(&r) == INT64_MIN);
    buffer_done(&buffer);
}

static void test_varint_too_long(void **state)
{
    (void)state;
    static const uint8_t eleven[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                     0x80, 0x80, 0x80, 0x80, 0x01};
    static const uint8_t too_big[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02};
    struct reader r = reader_of(eleven, sizeof eleven);
    assert_true(reader_varint(&r) == 0);
    assert_non_null(r.bad);
    r = reader_of(eleven, 5);
    reader_varint(&r);
    assert_string_equal(r.bad, "ends too early");
    r = reader_of(too_big, sizeof too_big); /* its 65th bit is set */
    assert_true(reader_varint(&r) == 0);
    assert_non_null(r.bad);
}

static void test_buffer(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_add(&buffer, "", 0);
    assert_string_equal(buffer.bytes, "");
    for (int i = 0; i < 1000; i++) {
        buffer_printf(&buffer, "%03d", i);
        assert_int_equal(strlen(buffer.bytes), buffer.size);
    }
    assert_int_equal(buffer.size, 3000);
    assert_memory_equal(buffer.bytes + 2997, "999", 4);
    buffer_u8(&buffer, 0xab);
    assert_int_equal((uint8_t)buffer.bytes[3000], 0xab);
    buffer_clear(&buffer);
    assert_int_equal(buffer.size, 0);
    assert_string_equal(buffer.bytes, "");
    buffer_done(&buffer);
    assert_null(buffer.bytes);
}

static void test_json_strings(void **state)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\n\t\x01", "\"\\u000a\\u0009\\u0001\""},
        {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x92\xa1", "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x92\xa1\""},
        {"\xff", "\"\xef\xbf\xbd\""},
        {"a\xc3", "\"a\xef\xbf\xbd\""},                               /* cut off */
        {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 /* overlong */
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* a surrogate */
        {"\xf4\x90\x80\x80",
         "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* > U+10FFFF */
        {"\xe2\x82x", "\"\xef\xbf\xbd\xef\xbf\xbdx\""},
        {"\x7f", "\"\x7f\""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buffer out = {0};
        buffer_json(&out, cases[i].text);
        assert_string_equal(out.bytes, cases[i].json);
        buffer_done(&out);
    }
}

static void test_plain_texts(void **state)
{
    static const struct {
        const char *text, *plain;
    } cases[] = {
        {"see you \xc3\xa9", "see you \xc3\xa9"},
        {"a\nb\x1b[m\x7f", "a b [m "},
        {"\xc2\x9b\xc2\xa0", " \xc2\xa0"}, /* a control character beyond ASCII */
        {"\xff", "\xef\xbf\xbd"},
        {"a\xe2\x82", "a\xef\xbf\xbd\xef\xbf\xbd"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buffer out = {0};
        buffer_plain(&out, cases[i].text);
        assert_string_equal(out.bytes, cases[i].plain);
        buffer_done(&out);
    }
}

/* ---- memory ---- */

static void test_grow_keeps_what_is_there(void **state)
{
    (void)state;
    size_t capacity = 0;
    uint32_t *array = NULL;
    for (uint32_t i = 0; i < 10000; i++) {
        array = mem_grow(array, &capacity, i + 1, sizeof *array);
        assert_true(capacity >= i + 1);
        array[i] = i;
    }
    for (uint32_t i = 0; i < 10000; i++)
        assert_int_equal(array[i], i);
    uint32_t *same = mem_grow(array, &capacity, 5, sizeof *array);
    assert_ptr_equal(same, array);
    free(array);
    uint8_t *zeroed = mem_new(100, 3);
    for (int i = 0; i < 300; i++)
        assert_int_equal(zeroed[i], 0);
    free(zeroed);
    free(mem_new(0, 0));
}

static void test_arena(void **state)
{
    (void)state;
    struct arena arena = {0};
    unsigned char *parts[2000];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT(parts); i++) {
            size_t size = i % 7 == 0 ? 100 * i : i % 50; /* some larger than a chunk */
            parts[i] = arena_alloc(&arena, size);
            assert_int_equal((uintptr_t)parts[i] % _Alignof(max_align_t), 0);
            for (size_t j = 0; j < size; j++)
                assert_int_equal(parts[i][j], 0);
            memset(parts[i], (int)(i & 0xff), size);
        }
        for (size_t i = 0; i < COUNT(parts); i++) {
            size_t size = i % 7 == 0 ? 100 * i : i % 50;
            for (size_t j = 0; j < size; j++)
                assert_int_equal(parts[i][j], i & 0xff);
        }
        assert_true(arena.total > 0);
        arena_reset(&arena);
        assert_int_equal(arena.total, 0);
    }
    assert_string_equal(arena_copy(&arena, "abcdef", 3), "abc");
    assert_string_equal(arena_copy(&arena, "", 0), "");
    assert_string_equal(arena_printf(&arena, "%d-%s", 7, "x"), "7-x");
    arena_done(&arena);
    assert_null(arena.chunks);
    arena_done(&arena);
    arena_reset(&arena);
}

/* ---- hashes and reasons ---- */

static void test_hash(void **state)
{
    (void)state;
    char bytes[64] = {0};
    assert_true(hash_bytes(bytes, 0, 0) != hash_bytes(bytes, 1, 0));
    assert_true(hash_bytes("abc", 3, 1) != hash_bytes("abc", 3, 2));
    /* the same on every machine: the journal and the tie-breaks rest on it */
    assert_true(hash_mix(1) == UINT64_C(0x5692161d100b05e5));
    for (size_t n = 1; n <= sizeof bytes; n++) { /* every bit counts */
        uint64_t plain = hash_bytes(bytes, n, 0);
        for (size_t bit = 0; bit < n * 8; bit++) {
            bytes[bit / 8] ^= (char)(1 << bit % 8);
            assert_true(hash_bytes(bytes, n, 0) != plain);
            bytes[bit / 8] ^= (char)(1 << bit % 8);
        }
    }
}

static void test_why(void **state)
{
    (void)state;
    struct why why = {0};
    assert_int_equal(why_set(&why, ERR_INPUT, "line %d", 7), ERR_INPUT);
    assert_int_equal(why.err, ERR_INPUT);
    assert_string_equal(why.text, "line 7");
    char longer[1000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    why_set(&why, ERR_INPUT, "%s", longer);
    assert_int_equal(strlen(why.text), sizeof why.text - 1);
    assert_int_equal(why_set(NULL, ERR_IO, "nobody reads this"), ERR_IO);
    assert_string_equal(err_name(ERR_NOT_FOUND), "not found");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_addresses_are_ordered),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_what_prefixes_hold),
        cmocka_unit_test(test_prefix_of_cuts_exactly),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_what_is_no_time),
        cmocka_unit_test(test_calendar_of_every_day),
        cmocka_unit_test(test_seconds_beyond_nanoseconds),
        cmocka_unit_test(test_order_of_intervals),
        cmocka_unit_test(test_durations_for_people),
        cmocka_unit_test(test_durations_do_not_round_up),
        cmocka_unit_test(test_durations_as_written),
        cmocka_unit_test(test_durations_come_back),
        cmocka_unit_test(test_reader_numbers),
        cmocka_unit_test(test_reader_truncated),
        cmocka_unit_test(test_reader_sub),
        cmocka_unit_test(test_varints_come_back),
        cmocka_unit_test(test_varint_too_long),
        cmocka_unit_test(test_buffer),
        cmocka_unit_test(test_json_strings),
        cmocka_unit_test(test_plain_texts),
        cmocka_unit_test(test_grow_keeps_what_is_there),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_why),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
