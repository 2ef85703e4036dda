#include "source/table/path_hops.h"

#include <limits.h>

/* RFC 4271, 4.3; RFC 5065, 3. */
enum segment_type { SET = 1, SEQUENCE = 2, CONFED_SEQUENCE = 3, CONFED_SET = 4 };

enum { TOO_MANY = PATH_HOPS_MAX + 1 };

static enum hop_kind kind_of(unsigned type, bool is_last)
{
    static const enum hop_kind kinds[][2] = {
        [SET] = {HOP_SET, HOP_SET_LAST},
        [SEQUENCE] = {HOP_AS, HOP_AS},
        [CONFED_SEQUENCE] = {HOP_CONFED, HOP_CONFED_LAST},
        [CONFED_SET] = {HOP_CONFED_SET, HOP_CONFED_SET_LAST},
    };
    return kinds[type][is_last];
}

/* The first `use` ASes of a segment. */
static size_t take_segment(struct reader asns, unsigned type, unsigned use, bool is_as4,
                           struct hop *out)
{
    for (unsigned i = 0; i < use; i++)
        out[i] = (struct hop){is_as4 ? reader_u32(&asns) : reader_u16(&asns),
                              kind_of(type, i + 1 == use)};
    return use;
}

/* Adds the hops of a run of segments, as far as `hops` of them count (RFC 4271, 9.1.2.2; RFC 5065,
 * 5.3). */
static size_t take_segments(struct reader r, bool is_as4, unsigned hops, size_t n, struct hop *out)
{
    while (reader_left(&r) && hops) {
        unsigned type = reader_u8(&r), count = reader_u8(&r);
        struct reader asns = reader_sub(&r, count * (is_as4 ? (size_t)4 : 2));
        unsigned use = type == SEQUENCE && count > hops ? hops : count;
        if (r.bad || type < SET || type > CONFED_SET || n + use > PATH_HOPS_MAX)
            return TOO_MANY;
        n += take_segment(asns, type, use, is_as4, out + n);
        if (hops != UINT_MAX)
            hops -= type == SEQUENCE ? use : type == SET;
    }
    return n;
}

size_t path_hops(const struct bgp_path *path, struct hop out[PATH_HOPS_MAX])
{
    size_t n = take_segments(path->head, path->is_as4, path->head_hops, 0, out);
    if (n > PATH_HOPS_MAX || reader_left(&path->tail) == 0)
        return n;
    return take_segments(path->tail, true, UINT_MAX, n, out);
}
