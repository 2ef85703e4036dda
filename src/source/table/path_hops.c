#include "source/table/path_hops.h"

enum { TOO_MANY = PATH_HOPS_MAX + 1 };

static enum hop_kind kind_of(unsigned type, bool is_last)
{
    static const enum hop_kind kinds[][2] = {
        [BGP_AS_SET] = {HOP_SET, HOP_SET_LAST},
        [BGP_AS_SEQUENCE] = {HOP_AS, HOP_AS},
        [BGP_AS_CONFED_SEQUENCE] = {HOP_CONFED, HOP_CONFED_LAST},
        [BGP_AS_CONFED_SET] = {HOP_CONFED_SET, HOP_CONFED_SET_LAST},
    };
    return kinds[type][is_last];
}

size_t path_hops(const struct bgp_path *path, struct hop out[PATH_HOPS_MAX])
{
    struct bgp_segments segments = bgp_segments(path);
    struct bgp_segment segment;
    size_t n = 0;
    while (bgp_segments_next(&segments, &segment)) {
        if (segment.type < BGP_AS_SET || segment.type > BGP_AS_CONFED_SET ||
            n + segment.count > PATH_HOPS_MAX)
            return TOO_MANY;
        for (unsigned i = 1; i <= segment.count; i++) {
            uint32_t asn = segment.is_as4 ? reader_u32(&segment.asns) : reader_u16(&segment.asns);
            out[n++] = (struct hop){asn, kind_of(segment.type, i == segment.count)};
        }
    }
    return segments.rest.bad ? TOO_MANY : n;
}
