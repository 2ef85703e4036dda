/* Numbers and addresses as text, written by hand: where millions of lines are printed, printf() would take
 * most of the time. Each function writes at `at` and returns where the text ends; no NUL. Up to
 * DIGITS_SLACK bytes behind that may be written over, too: leave room for them. */
#ifndef BASE_DIGITS_H
#define BASE_DIGITS_H

#include "base/addr.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

enum { DIGITS_SLACK = 8, DIGITS_U32_MAX = 10, DIGITS_U64_MAX = 20 };

#define DIGITS_ZEROS UINT64_C(0x3030303030303030)

/* The eight decimal digits of a number below 10^8 as values 0 to 9, the first in the lowest byte:
 * split into two, four and eight parts that are divided side by side in one word. */
static inline uint64_t digits_eight(uint32_t value)
{
    uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
    uint64_t hundreds = (fours * 10486 >> 20) & UINT64_C(0x7f0000007f); /* exact below 10^4 */
    uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
    uint64_t tens = (twos * 103 >> 10) & UINT64_C(0xf000f000f000f); /* exact below 100 */
    return tens | (twos - 10 * tens) << 8;
}

static inline char *digits_put(char *at, uint64_t text, unsigned n)
{
    text = htole64(text);
    memcpy(at, &text, 8);
    return at + n;
}

static inline char *digits_u32(char *at, uint32_t value)
{
    if (value >= 100000000) {
        uint32_t high = value / 100000000;
        if (high >= 10)
            *at++ = (char)('0' + high / 10);
        *at++ = (char)('0' + high % 10);
        return digits_put(at, digits_eight(value % 100000000) | DIGITS_ZEROS, 8);
    }
    uint64_t eight = digits_eight(value);
    unsigned leading = (unsigned)__builtin_ctzll(eight | UINT64_C(1) << 56) / 8;
    return digits_put(at, (eight | DIGITS_ZEROS) >> 8 * leading, 8 - leading);
}

/* In exactly `n` digits, at most 8, with zeros in front. */
static inline char *digits_fixed(char *at, uint32_t value, unsigned n)
{
    return digits_put(at, (digits_eight(value) | DIGITS_ZEROS) >> 8 * (8 - n), n);
}

char *digits_u64(char *at, uint64_t value);

/* Four numbers with dots. */
char *digits_addr4(char *at, const uint8_t bytes[4]);
/* RFC 5952, as addr_format() has it. */
char *digits_addr6(char *at, const uint8_t bytes[16]);
/* Eight groups of hexadecimal digits, the longest run of at least `shortest` zero groups as "::". */
char *digits_groups(char *at, const uint8_t bytes[16], unsigned shortest);
/* Either, or "-" for no address. */
char *digits_addr(char *at, const struct addr *addr);
/* ADDRESS/BITS. */
char *digits_prefix(char *at, const struct prefix *prefix);

#endif
