#include "wire/bgp_inside.h"
#include "wire/bgp_text.h"

#include <limits.h>

static size_t asn_size(bool is_as4)
{
    return is_as4 ? 4 : 2;
}

static uint32_t read_asn(struct reader *r, bool is_as4)
{
    return is_as4 ? reader_u32(r) : reader_u16(r);
}

/* False at the end; on error the reader is failed. */
static inline bool segment_next(struct reader *r, bool is_as4, struct bgp_segment *out)
{
    if (reader_left(r) == 0)
        return false;
    out->type = reader_u8(r);
    out->count = reader_u8(r);
    out->is_as4 = is_as4;
    out->asns = reader_sub(r, out->count * asn_size(is_as4));
    return !r->bad;
}

/* How many hops a segment counts (RFC 4271, 9.1.2.2; RFC 5065, 5.3). */
static unsigned segment_hops(const struct bgp_segment *segment)
{
    return segment->type == BGP_AS_SEQUENCE ? segment->count : segment->type == BGP_AS_SET;
}

static unsigned count_hops(struct reader r, bool is_as4, bool *has_confederation)
{
    struct bgp_segment segment;
    unsigned hops = 0;
    *has_confederation = false;
    while (segment_next(&r, is_as4, &segment)) {
        hops += segment_hops(&segment);
        *has_confederation |= segment.type >= BGP_AS_CONFED_SEQUENCE;
    }
    return hops;
}

bool path_merge(struct reader head, struct reader as4, struct bgp_path *out)
{
    bool has_confederation, as4_has_confederation;
    unsigned hops = count_hops(head, false, &has_confederation);
    unsigned as4_hops = count_hops(as4, true, &as4_has_confederation);
    if (as4_has_confederation)
        return false; /* RFC 6793, 6 */
    if (as4_hops > hops)
        return true; /* 4.2.3: it is ignored */
    out->tail = as4;
    out->head_hops = hops - as4_hops;
    return true;
}

bool bgp_segments_next(struct bgp_segments *segments, struct bgp_segment *out)
{
    if (!path_goes_on(&segments->rest, segments->hops)) {
        *segments = (struct bgp_segments){.rest = segments->tail, .hops = UINT_MAX, .is_as4 = true};
        if (!reader_left(&segments->rest))
            return false;
    }
    if (!segment_next(&segments->rest, segments->is_as4, out))
        return false;
    if (out->type == BGP_AS_SEQUENCE && out->count > segments->hops)
        out->count = (uint8_t)segments->hops;
    if (segments->hops != UINT_MAX)
        segments->hops -= segment_hops(out);
    return true;
}

/* No text of a path is more than three times as long as its bytes: "65535 " of two. */
void bgp_path_format(const struct bgp_path *path, struct buffer *out)
{
    size_t n = 3 * (reader_left(&path->head) + reader_left(&path->tail));
    char *at = buffer_room(out, n + DIGITS_SLACK);
    buffer_used(out, bgp_text_path(at, path, &bgp_path_usual));
}

static uint32_t origin_of(struct reader r, bool is_as4)
{
    struct bgp_segment segment;
    uint32_t origin = 0;
    while (segment_next(&r, is_as4, &segment)) {
        if (segment.type == BGP_AS_SEQUENCE && segment.count)
            reader_bytes(&segment.asns, (segment.count - (size_t)1) * asn_size(is_as4));
        origin = segment.type == BGP_AS_SEQUENCE ? read_asn(&segment.asns, is_as4) : 0;
    }
    return origin;
}

uint32_t bgp_path_origin(const struct bgp_path *path)
{
    if (reader_left(&path->tail))
        return origin_of(path->tail, true);
    return origin_of(path->head, path->is_as4);
}

static inline bool asns_have(const uint8_t *at, unsigned count, bool is_as4, uint32_t asn)
{
    const size_t size = asn_size(is_as4);
    for (; count; count--, at += size)
        if ((is_as4 ? load_u32(at) : load_u16(at)) == asn)
            return true;
    return false;
}

bool bgp_path_has(const struct bgp_path *path, uint32_t asn)
{
    struct bgp_segments segments = bgp_segments(path);
    struct bgp_segment segment;
    while (bgp_segments_next(&segments, &segment))
        if (asns_have(segment.asns.at, segment.count, segment.is_as4, asn))
            return true;
    return false;
}
