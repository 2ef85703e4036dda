/* base/digits: numbers and addresses as text, held against printf() and inet_ntop(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digits.h"

#include <inttypes.h>
#include <stdio.h>

enum { SEED = 20240229, RANDOM = 200 * 1000 };

static uint64_t random_state = SEED;

static uint64_t random_u64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* The text ends where it is said to, and nothing is touched beyond the slack. */
static void check(const char *wanted, const char *text, const char *end, size_t room)
{
    size_t n = (size_t)(end - text);
    if (n != strlen(wanted) || memcmp(text, wanted, n) != 0)
        fail_msg("expected '%s', found '%.*s'", wanted, (int)n, text);
    for (const char *at = end + DIGITS_SLACK; at < text + room; at++)
        assert_int_equal(*at, '#');
}

static void check_number(uint64_t value)
{
    char wanted[32], text[64];
    snprintf(wanted, sizeof wanted, "%" PRIu64, value);
    memset(text, '#', sizeof text);
    check(wanted, text, digits_u64(text, value), sizeof text);
    if (value > UINT32_MAX)
        return;
    memset(text, '#', sizeof text);
    check(wanted, text, digits_u32(text, (uint32_t)value), sizeof text);
}

static void test_numbers(void **state)
{
    (void)state;
    for (uint64_t value = 0; value <= 70000; value++)
        check_number(value);
    for (uint64_t power = 1; power < UINT64_MAX / 10; power *= 10)
        for (uint64_t value = power - 1; value <= power + 1; value++)
            check_number(value);
    for (unsigned bit = 0; bit < 64; bit++)
        check_number(UINT64_C(1) << bit);
    check_number(UINT32_MAX);
    check_number(UINT64_MAX);
    for (int i = 0; i < RANDOM; i++)
        check_number(random_u64() >> random_u64() % 64);
}

static void test_fixed(void **state)
{
    (void)state;
    char wanted[32], text[64];
    for (unsigned n = 1, limit = 10; n <= 8; n++, limit *= 10)
        for (int i = 0; i < 10000; i++) {
            uint32_t value = (uint32_t)(random_u64() % limit);
            snprintf(wanted, sizeof wanted, "%0*u", (int)n, value);
            memset(text, '#', sizeof text);
            check(wanted, text, digits_fixed(text, value, n), sizeof text);
        }
}

static void check_addr(const struct addr *addr)
{
    char wanted[ADDR_TEXT_MAX], text[96];
    memset(text, '#', sizeof text);
    check(addr_format(addr, wanted), text, digits_addr(text, addr), sizeof text);
}

/* Sparse ones, so that there are runs of zeros of every length and at every place. */
static void test_addresses(void **state)
{
    (void)state;
    struct addr addr = {.family = 4};
    for (int i = 0; i < RANDOM; i++) {
        uint64_t bytes = random_u64();
        memcpy(addr.bytes, &bytes, 4);
        check_addr(&addr);
    }
    addr.family = 6;
    for (int i = 0; i < RANDOM; i++) {
        uint64_t mask = random_u64(), bytes = random_u64();
        for (unsigned j = 0; j < 16; j++)
            addr.bytes[j] = mask >> (j & ~1U) & 1 ? (uint8_t)(bytes >> j) : 0;
        check_addr(&addr);
    }
    check_addr(&(struct addr){0});
    static const char *const odd[] = {"::",
                                      "::1",
                                      "::2",
                                      "::100",
                                      "::1:0",
                                      "::0.1.0.0",
                                      "::1.2.3.4",
                                      "::ffff:1.2.3.4",
                                      "::ffff:0:0",
                                      "::fffe:1.2.3.4",
                                      "1::",
                                      "1:0:0:2::",
                                      "1::2:0:0:3",
                                      "1:2:3:4:5:6:7:0",
                                      "0:1:2:3:4:5:6:7",
                                      "2001:db8:0:1:1:1:1:1",
                                      "64:ff9b::1.2.3.4"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        assert_true(addr_parse(odd[i], strlen(odd[i]), &addr));
        check_addr(&addr);
    }
}

static void test_groups(void **state)
{
    (void)state;
    static const struct {
        const char *addr;
        unsigned shortest;
        const char *text;
    } table[] = {
        {"2001:db8:0:1:1:1:1:1", 1, "2001:db8::1:1:1:1:1"},
        {"2001:db8:0:1:1:1:1:1", 2, "2001:db8:0:1:1:1:1:1"},
        {"1:0:2:0:0:3:0:0", 1, "1:0:2::3:0:0"},
        {"0:1:1:1:1:1:1:1", 1, "::1:1:1:1:1:1:1"},
        {"1:1:1:1:1:1:1:0", 1, "1:1:1:1:1:1:1::"},
        {"::", 1, "::"},
        {"::", 9, "0:0:0:0:0:0:0:0"},
        {"::ffff:1.2.3.4", 2, "::ffff:102:304"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct addr addr;
        char text[96];
        memset(text, '#', sizeof text);
        assert_true(addr_parse(table[i].addr, strlen(table[i].addr), &addr));
        check(table[i].text, text, digits_groups(text, addr.bytes, table[i].shortest), sizeof text);
    }
}

static void test_prefixes(void **state)
{
    (void)state;
    static const char *const texts[] = {"0.0.0.0/0", "10.0.0.0/8",    "192.0.2.128/25",
                                        "::/0",      "2001:db8::/32", "2001:db8::1/128"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct prefix prefix;
        char text[96];
        memset(text, '#', sizeof text);
        assert_true(prefix_parse(texts[i], strlen(texts[i]), &prefix));
        check(texts[i], text, digits_prefix(text, &prefix), sizeof text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),   cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_groups),
        cmocka_unit_test(test_prefixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
