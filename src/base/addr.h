/* IP addresses and prefixes, version 4 and 6, as values. */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* family: 4, 6, or 0 for none. IPv4 uses the first four bytes; the rest are always zero, so that two
 * addresses can be compared with memcmp(). */
struct addr {
    uint8_t bytes[16];
    uint8_t family;
};

/* Bits beyond `bits` are always zero. */
struct prefix {
    struct addr addr;
    uint8_t bits;
};

#define ADDR_TEXT_MAX 48
#define PREFIX_TEXT_MAX 52

/* Parses a bare address; brackets and zones are refused. False if it is none. */
bool addr_parse(const char *text, size_t n, struct addr *out);
/* RFC 5952 for IPv6. Returns buffer; "-" for no address. */
const char *addr_format(const struct addr *addr, char buffer[ADDR_TEXT_MAX]);
int addr_compare(const struct addr *a, const struct addr *b);

/* "ADDRESS/BITS"; host bits that are set are refused, as they nearly always are a typing error. */
bool prefix_parse(const char *text, size_t n, struct prefix *out);
const char *prefix_format(const struct prefix *prefix, char buffer[PREFIX_TEXT_MAX]);
/* The prefix of `bits` that holds the address; bits beyond the address's length are cut to it. */
struct prefix prefix_of(const struct addr *addr, unsigned bits);
bool prefix_has_addr(const struct prefix *prefix, const struct addr *addr);
/* True if `inner` is `outer` or lies within it. */
bool prefix_has(const struct prefix *outer, const struct prefix *inner);
int prefix_compare(const struct prefix *a, const struct prefix *b);

/* fe80::/10 (RFC 4291, 2.5.6), which means something on one wire only. */
static inline bool addr_is_link_local(const struct addr *addr)
{
    return addr->family == 6 && addr->bytes[0] == 0xfe && (addr->bytes[1] & 0xc0) == 0x80;
}

static inline unsigned addr_bits(const struct addr *addr)
{
    return addr->family == 4 ? 32 : addr->family == 6 ? 128 : 0;
}

#endif
