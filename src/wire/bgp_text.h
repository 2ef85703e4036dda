/* What people read of a route's attributes: path, communities, aggregator. As base/digits.h, each function
 * that writes text writes at `at` and returns where it ends, with no NUL and no allocation, and
 * may write over DIGITS_SLACK bytes behind it. */
#ifndef WIRE_BGP_TEXT_H
#define WIRE_BGP_TEXT_H

#include "base/digits.h"
#include "wire/bgp.h"

/* Attributes of one route have at most 65,535 bytes, and none of the texts here, put between the quotes and
 * commas of a list, is more than 3.5 times as long as its bytes. */
enum { BGP_TEXT_MAX = 232 * 1024 };

/* How segments of a path are told apart, by their type (RFC 4271, 4.3; RFC 5065, 3). */
struct bgp_path_style {
    const char *opens[5];
    const char *closes[5];
    char between[5];
};
/* The one of the registry and the observation log: see bgp_path_format(). */
extern const struct bgp_path_style bgp_path_usual;

/* Writes nothing for the empty path. */
char *bgp_text_path(char *at, const struct bgp_path *path, const struct bgp_path_style *style);

/* "64500:1" */
static inline char *bgp_text_community(char *at, uint32_t community)
{
    at = digits_u32(at, community >> 16);
    *at++ = ':';
    return digits_u32(at, community & 0xffff);
}

/* "64500:1:2", of 12 bytes. */
char *bgp_text_large_community(char *at, struct reader *r);
/* Of 8 bytes: "rt:64500:1" and "soo:192.0.2.1:7" for what RFC 4360 and 5668 call route target and
 * site of origin; all others as "0x" and 16 digits. */
char *bgp_text_extended_community(char *at, struct reader *r);

struct bgp_aggregator {
    uint32_t asn;
    struct addr addr;
};
/* AGGREGATOR, or AS4_AGGREGATOR where that stands for it (RFC 6793, 4.2.3). False if there is none. */
bool bgp_aggregator(const struct bgp_attributes *attributes, struct bgp_aggregator *out);

#endif
