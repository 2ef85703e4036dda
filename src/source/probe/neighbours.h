/* Which targets are near each other: all that have the same place, which is a number for their /24, /48 or host
 * name (manners.h). Entries live in the structs of those who are listed. */
#ifndef SOURCE_PROBE_NEIGHBOURS_H
#define SOURCE_PROBE_NEIGHBOURS_H

#include <stddef.h>
#include <stdint.h>

struct neighbour {
    uint64_t place;
    struct neighbour *next, **link; /* in a list with others; NULL: not listed */
};

/* A zeroed struct lists nobody. */
struct neighbours {
    struct neighbour **lists;
    size_t count, capacity;
};

void neighbours_done(struct neighbours *neighbours);

/* Lists an entry that is not listed. */
void neighbours_add(struct neighbours *neighbours, struct neighbour *entry, uint64_t place);
/* Takes it out again; one that is not listed is fine. */
void neighbours_remove(struct neighbours *neighbours, struct neighbour *entry);

/* The newest entry of a place, and the one before it; NULL if there is none. */
struct neighbour *neighbours_first(const struct neighbours *neighbours, uint64_t place);
struct neighbour *neighbours_next(const struct neighbour *entry);

#endif
