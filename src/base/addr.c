#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool addr_parse(const char *text, size_t n, struct addr *out)
{
    char copy[ADDR_TEXT_MAX];
    if (n == 0 || n >= sizeof copy)
        return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    struct addr addr = {.family = memchr(text, ':', n) ? 6 : 4};
    if (inet_pton(addr.family == 6 ? AF_INET6 : AF_INET, copy, addr.bytes) != 1)
        return false;
    *out = addr;
    return true;
}

const char *addr_format(const struct addr *addr, char buffer[ADDR_TEXT_MAX])
{
    if (!addr->family ||
        !inet_ntop(addr->family == 6 ? AF_INET6 : AF_INET, addr->bytes, buffer, ADDR_TEXT_MAX))
        memcpy(buffer, "-", 2);
    return buffer;
}

int addr_compare(const struct addr *a, const struct addr *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

struct prefix prefix_of(const struct addr *addr, unsigned bits)
{
    unsigned length = addr_bits(addr);
    if (bits > length)
        bits = length;
    struct prefix prefix = {.addr = {.family = addr->family}, .bits = (uint8_t)bits};
    memcpy(prefix.addr.bytes, addr->bytes, bits / 8);
    if (bits % 8)
        prefix.addr.bytes[bits / 8] = (uint8_t)(addr->bytes[bits / 8] & 0xff00 >> bits % 8);
    return prefix;
}

bool prefix_parse(const char *text, size_t n, struct prefix *out)
{
    const char *slash = memchr(text, '/', n);
    struct addr addr;
    if (!slash || !addr_parse(text, (size_t)(slash - text), &addr))
        return false;
    size_t digits = n - (size_t)(slash - text) - 1;
    if (digits < 1 || digits > 3)
        return false;
    unsigned bits = 0;
    for (size_t i = 1; i <= digits; i++) {
        if (slash[i] < '0' || slash[i] > '9')
            return false;
        bits = bits * 10 + (unsigned)(slash[i] - '0');
    }
    if (bits > addr_bits(&addr))
        return false;
    struct prefix prefix = prefix_of(&addr, bits);
    if (addr_compare(&prefix.addr, &addr) != 0)
        return false;
    *out = prefix;
    return true;
}

const char *prefix_format(const struct prefix *prefix, char buffer[PREFIX_TEXT_MAX])
{
    char addr[ADDR_TEXT_MAX];
    snprintf(buffer, PREFIX_TEXT_MAX, "%s/%u", addr_format(&prefix->addr, addr), prefix->bits);
    return buffer;
}

bool prefix_has_addr(const struct prefix *prefix, const struct addr *addr)
{
    if (prefix->addr.family != addr->family)
        return false;
    unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;
    if (memcmp(prefix->addr.bytes, addr->bytes, whole) != 0)
        return false;
    return rest == 0 || (prefix->addr.bytes[whole] ^ addr->bytes[whole]) >> (8 - rest) == 0;
}

bool prefix_has(const struct prefix *outer, const struct prefix *inner)
{
    return inner->bits >= outer->bits && prefix_has_addr(outer, &inner->addr);
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
    int order = addr_compare(&a->addr, &b->addr);
    return order ? order : (int)a->bits - (int)b->bits;
}
