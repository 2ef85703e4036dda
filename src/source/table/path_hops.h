/* An AS path taken apart into its hops, one after the other, whatever its form: AS_PATH with 2- or
 * 4-byte ASNs, alone or with the end that AS4_PATH gives it (RFC 6793, 4.2.3). */
#ifndef SOURCE_TABLE_PATH_HOPS_H
#define SOURCE_TABLE_PATH_HOPS_H

#include "wire/bgp.h"

/* The longest path of the open internet had some 300. */
enum { PATH_HOPS_MAX = 1024 };

/* What stands at one place of a path. The members of a set, or of a part of a confederation, come one
 * after the other; the last of them closes it. */
enum hop_kind {
    HOP_AS,
    HOP_SET,
    HOP_SET_LAST,
    HOP_CONFED, /* RFC 5065 */
    HOP_CONFED_LAST,
    HOP_CONFED_SET,
    HOP_CONFED_SET_LAST
};

struct hop {
    uint32_t asn;
    enum hop_kind kind;
};

/* Returns how many there are; PATH_HOPS_MAX + 1 if they are more than fit, or make no sense. */
size_t path_hops(const struct bgp_path *path, struct hop out[PATH_HOPS_MAX]);

#endif
