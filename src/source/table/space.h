/* The address space of a routing table: its prefixes in order, and how much of the space a set of them
 * covers, in /24s of IPv4 or /48s of IPv6, each counted once. A prefix longer than that counts as the one
 * that it is in. */
#ifndef SOURCE_TABLE_SPACE_H
#define SOURCE_TABLE_SPACE_H

#include "source/table/route_table.h"

struct placed {
    struct prefix prefix;
    struct table_row row;
};

/* The prefixes of one family in order of address, those that hold others before them. */
struct space {
    struct placed *list;
    size_t count, capacity;
};

/* A run of blocks: from the first to before the last. */
struct blocks {
    uint64_t first, end;
};

void space_init(struct space *space, const struct route_table *table, uint8_t family);
void space_done(struct space *space);
/* The place of a prefix in the list: itself, or the first behind where it would be. */
size_t space_find(const struct space *space, const struct prefix *prefix);

struct blocks blocks_of(const struct prefix *prefix);
/* For prefixes in order: how many blocks of this one none before it had; `covered` is 0 at first. */
uint64_t blocks_add(const struct prefix *prefix, uint64_t *covered);

#endif
