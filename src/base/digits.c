#include "base/digits.h"

#include <stdbool.h>

char *digits_u64(char *at, uint64_t value)
{
    static const uint64_t unit = 100000000;
    if (value < unit)
        return digits_u32(at, (uint32_t)value);
    at = digits_u64(at, value / unit);
    return digits_fixed(at, (uint32_t)(value % unit), 8);
}

/* A number below 256 and a dot. */
static inline char *put_octet(char *at, uint32_t value)
{
    uint32_t hundreds = value * 41 >> 12; /* exact below 256, as is the next below 100 */
    uint32_t rest = value - 100 * hundreds;
    uint32_t tens = rest * 103 >> 10;
    uint32_t text = (hundreds | tens << 8 | (rest - 10 * tens) << 16 | '.' << 24) | 0x303030;
    unsigned leading = (unsigned)(value < 100) + (unsigned)(value < 10);
    text = htole32(text >> 8 * leading);
    memcpy(at, &text, 4);
    return at + 4 - leading;
}

char *digits_addr4(char *at, const uint8_t bytes[4])
{
    for (int i = 0; i < 4; i++)
        at = put_octet(at, bytes[i]);
    return at - 1;
}

static char *put_group(char *at, unsigned group)
{
    static const char hex[] = "0123456789abcdef";
    if (group >= 0x1000)
        *at++ = hex[group >> 12];
    if (group >= 0x100)
        *at++ = hex[group >> 8 & 15];
    if (group >= 0x10)
        *at++ = hex[group >> 4 & 15];
    *at++ = hex[group & 15];
    return at;
}

static unsigned group_of(const uint8_t bytes[16], unsigned i)
{
    return (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
}

char *digits_groups(char *at, const uint8_t bytes[16], unsigned shortest)
{
    unsigned start = 8, length = shortest - 1; /* of the longest run; of two the first */
    for (unsigned i = 0, run = 0; i < 8; i++) {
        run = group_of(bytes, i) ? 0 : run + 1;
        if (run > length) {
            length = run;
            start = i + 1 - run;
        }
    }
    for (unsigned i = 0; i < 8; i++) {
        if (i == start) {
            if (i == 0)
                *at++ = ':';
            *at++ = ':';
            i += length - 1;
            continue;
        }
        at = put_group(at, group_of(bytes, i));
        if (i < 7)
            *at++ = ':';
    }
    return at;
}

char *digits_addr6(char *at, const uint8_t bytes[16])
{
    static const uint8_t zeros[12];
    bool is_mapped = memcmp(bytes, zeros, 10) == 0 && bytes[10] == 0xff && bytes[11] == 0xff;
    /* As inet_ntop(): not where it is a small number like ::1. */
    bool is_compatible = memcmp(bytes, zeros, 12) == 0 && (bytes[12] || bytes[13]);
    if (!is_mapped && !is_compatible)
        return digits_groups(at, bytes, 2);
    memcpy(at, "::ffff:", 7);
    return digits_addr4(at + (is_mapped ? 7 : 2), bytes + 12);
}

char *digits_addr(char *at, const struct addr *addr)
{
    if (addr->family == 4)
        return digits_addr4(at, addr->bytes);
    if (addr->family == 6)
        return digits_addr6(at, addr->bytes);
    *at = '-';
    return at + 1;
}

char *digits_prefix(char *at, const struct prefix *prefix)
{
    at = digits_addr(at, &prefix->addr);
    *at++ = '/';
    return digits_u32(at, prefix->bits);
}
