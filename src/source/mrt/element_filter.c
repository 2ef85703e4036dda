#include "source/mrt/element_filter.h"

bool element_filter_has_peer(const struct element_filter *filter, const struct mrt_peer *peer)
{
    for (size_t i = 0; i < filter->peer_count; i++) {
        const struct addr *addr = &filter->peers[i].addr;
        uint32_t asn = filter->peers[i].asn;
        if ((!asn || asn == peer->asn) && (!addr->family || addr_compare(addr, &peer->addr) == 0))
            return true;
    }
    return filter->peer_count == 0;
}

bool element_filter_asks_attributes(const struct element_filter *filter)
{
    return filter->origin_count || filter->asn_count || filter->community_count;
}

static bool has_origin(const struct element_filter *filter, const struct bgp_path *path)
{
    if (filter->origin_count == 0)
        return true;
    uint32_t origin = bgp_path_origin(path);
    for (size_t i = 0; i < filter->origin_count; i++)
        if (filter->origins[i] == origin)
            return true;
    return false;
}

static bool has_asn(const struct element_filter *filter, const struct bgp_path *path)
{
    for (size_t i = 0; i < filter->asn_count; i++)
        if (bgp_path_has(path, filter->asns[i]))
            return true;
    return filter->asn_count == 0;
}

/* RFC 1997 of two halves, RFC 8092 of three words. */
static bool has_community(const struct element_filter *filter,
                          const struct bgp_attributes *attributes, size_t i)
{
    const bool is_large = filter->communities[i].parts == 3;
    const uint32_t *want = filter->communities[i].part;
    struct reader r = bgp_attribute(attributes, is_large ? BGP_LARGE_COMMUNITIES : BGP_COMMUNITIES);
    while (reader_left(&r)) {
        uint32_t first = is_large ? reader_u32(&r) : reader_u16(&r);
        uint32_t second = is_large ? reader_u32(&r) : reader_u16(&r);
        uint32_t third = is_large ? reader_u32(&r) : 0;
        bool has_last =
            filter->communities[i].is_any || (is_large ? third == want[2] : second == want[1]);
        if (!r.bad && first == want[0] && has_last && (!is_large || second == want[1]))
            return true;
    }
    return false;
}

bool element_filter_has_attributes(const struct element_filter *filter,
                                   const struct bgp_attributes *attributes)
{
    if (!has_origin(filter, &attributes->path) || !has_asn(filter, &attributes->path))
        return false;
    for (size_t i = 0; i < filter->community_count; i++)
        if (has_community(filter, attributes, i))
            return true;
    return filter->community_count == 0;
}
