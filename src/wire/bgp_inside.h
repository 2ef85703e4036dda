/* What the files of wire/bgp share and nobody else uses: bgp.c (messages and prefixes),
 * bgp_attributes.c (which attributes are there and whether they are sound), bgp_path.c and
 * bgp_text.c (AS paths). */
#ifndef WIRE_BGP_INSIDE_H
#define WIRE_BGP_INSIDE_H

#include "wire/bgp.h"
#include "wire/load.h"

static inline uint64_t attribute_bit(unsigned type)
{
    return UINT64_C(1) << type;
}

/* Finds the attributes: fills present, found, start and scan. */
void attributes_scan(const uint8_t *bytes, size_t n, struct bgp_attributes *out);

/* Judges what was found: fills path, origin, discarded and fault. NULL, or why the route is not to
 * be used. */
const char *attributes_judge(const struct bgp_form *form, struct bgp_attributes *out);

/* Whether one of the ASNs in these eight bytes is 0: `low` has the lowest bit of each ASN set,
 * `high` the highest; from an ASN of 0 the lowest cannot be taken without the highest. */
static inline uint64_t path_zeros(const uint8_t *at, size_t asn_size)
{
    const uint64_t low =
        asn_size == 4 ? UINT64_C(0x0000000100000001) : UINT64_C(0x0001000100010001);
    const uint64_t high = low << (8 * asn_size - 1);
    uint64_t word = load_word(at);
    return (word - low) & ~word & high;
}

/* Whether one of the ASNs in n > 0 bytes is 0. Up to 32 bytes are covered by four words, wherever
 * they overlap: so the usual lengths need no loop, whose end could not be foreseen. */
static inline bool path_has_zero(const uint8_t *at, size_t n, size_t asn_size)
{
    static const uint8_t zero[4] = {0};
    uint64_t found = 0;
    if (n < 8) {
        for (; n; n -= asn_size, at += asn_size)
            found |= memcmp(at, zero, asn_size) == 0;
        return found;
    }
    for (; n > 32; n -= 8, at += 8)
        found |= path_zeros(at, asn_size);
    size_t second = n < 16 ? n - 8 : 8, third = n < 16 ? 0 : n - 16;
    found |= path_zeros(at, asn_size) | path_zeros(at + second, asn_size) |
             path_zeros(at + third, asn_size) | path_zeros(at + n - 8, asn_size);
    return found != 0;
}

/* RFC 4271, 4.3; RFC 7606, 7.2; RFC 7607: segments must fill the attribute exactly, none be empty
 * and no AS be 0. */
static inline bool path_is_sound(const uint8_t *at, const uint8_t *end, size_t asn_size)
{
    while (at < end) {
        if (end - at < 2)
            return false;
        unsigned type = at[0];
        size_t n = at[1] * asn_size;
        at += 2;
        if (type < BGP_AS_SET || type > BGP_AS_CONFED_SET || n == 0 || n > (size_t)(end - at) ||
            path_has_zero(at, n, asn_size))
            return false;
        at += n;
    }
    return true;
}

/* Whether more of the head of a path is used, of which `hops` hops still count: RFC 6793, 4.2.3 keeps
 * segments of a confederation, which count none, that lead the path or follow one that is kept. */
static inline bool path_goes_on(const struct reader *r, unsigned hops)
{
    return r->at < r->end && (hops || *r->at >= BGP_AS_CONFED_SEQUENCE);
}

/* RFC 6793, 4.2.3: the path of a speaker of 2-byte ASNs, both parts of which are sound. False if
 * the AS4_PATH is of no use. */
bool path_merge(struct reader head, struct reader as4, struct bgp_path *out);

#endif
