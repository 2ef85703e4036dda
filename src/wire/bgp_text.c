#include "wire/bgp_inside.h"
#include "wire/bgp_text.h"

const struct bgp_path_style bgp_path_usual = {.opens = {"", "{", "", "(", "({"},
                                              .closes = {"", "}", "", ")", "})"},
                                              .between = {' ', ',', ' ', ',', ','}};

static char *put_text(char *at, const char *text)
{
    while (*text)
        *at++ = *text++;
    return at;
}

static inline char *put_asns(char *at, struct reader asns, unsigned count, bool is_as4,
                             char between)
{
    for (unsigned i = 0; i < count; i++) {
        at = digits_u32(at, is_as4 ? reader_u32(&asns) : reader_u16(&asns));
        *at++ = between;
    }
    return count ? at - 1 : at;
}

char *bgp_text_path(char *at, const struct bgp_path *path, const struct bgp_path_style *style)
{
    struct bgp_segments segments = bgp_segments(path);
    struct bgp_segment segment;
    const char *start = at;
    while (bgp_segments_next(&segments, &segment) && segment.type <= BGP_AS_CONFED_SET) {
        if (at > start)
            *at++ = ' ';
        at = put_text(at, style->opens[segment.type]);
        at =
            put_asns(at, segment.asns, segment.count, segment.is_as4, style->between[segment.type]);
        at = put_text(at, style->closes[segment.type]);
    }
    return at;
}

char *bgp_text_large_community(char *at, struct reader *r)
{
    for (int i = 0; i < 3; i++) {
        at = digits_u32(at, reader_u32(r));
        *at++ = ':';
    }
    return at - 1;
}

static char *put_hex(char *at, uint64_t value)
{
    at = put_text(at, "0x");
    for (int shift = 60; shift >= 0; shift -= 4)
        *at++ = "0123456789abcdef"[value >> shift & 15];
    return at;
}

char *bgp_text_extended_community(char *at, struct reader *r)
{
    /* RFC 4360, 3 and RFC 5668, 2: what administers the number that follows. */
    enum { TWO_BYTE_ASN = 0, ADDRESS = 1, FOUR_BYTE_ASN = 2, ROUTE_TARGET = 2, SITE_OF_ORIGIN = 3 };
    uint64_t value = reader_u64(r);
    unsigned type = (unsigned)(value >> 56), subtype = (unsigned)(value >> 48) & 0xff;
    if (type > FOUR_BYTE_ASN || (subtype != ROUTE_TARGET && subtype != SITE_OF_ORIGIN))
        return put_hex(at, value);
    uint32_t first = (uint32_t)(value >> 16), second = value & 0xffff;
    uint8_t addr[4] = {(uint8_t)(first >> 24), (uint8_t)(first >> 16), (uint8_t)(first >> 8),
                       (uint8_t)first};
    at = put_text(at, subtype == ROUTE_TARGET ? "rt:" : "soo:");
    if (type == TWO_BYTE_ASN) {
        second |= first << 16;
        first >>= 16;
    }
    at = type == ADDRESS ? digits_addr4(at, addr) : digits_u32(at, first);
    *at++ = ':';
    return digits_u32(at, second);
}

/* Two or four bytes of ASN, then an address; the length says which. */
static bool read_aggregator(struct reader r, struct bgp_aggregator *out)
{
    size_t n = reader_left(&r);
    if (n != 6 && n != 8)
        return false;
    out->asn = n == 8 ? reader_u32(&r) : reader_u16(&r);
    out->addr = (struct addr){.family = 4};
    memcpy(out->addr.bytes, r.at, 4);
    return true;
}

bool bgp_aggregator(const struct bgp_attributes *attributes, struct bgp_aggregator *out)
{
    struct reader own = bgp_attribute(attributes, BGP_AGGREGATOR);
    struct reader as4 = bgp_attribute(attributes, BGP_AS4_AGGREGATOR);
    struct bgp_aggregator found;
    if (!read_aggregator(own, &found))
        return false;
    if (reader_left(&own) == 6 && found.asn == BGP_AS_TRANS && reader_left(&as4) == 8)
        read_aggregator(as4, &found);
    *out = found;
    return true;
}
