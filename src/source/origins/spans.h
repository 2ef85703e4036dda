/* Spans of numbers, each of a country: AS numbers, IPv4 addresses, the upper halves of IPv6
 * addresses.
 *
 *     spans_add(&spans, first, last, country);    // any order; where they overlap the later one wins
 *     spans_seal(&spans);                         // from now on they are sorted and apart
 *     country = spans_find(&spans, number, &last);
 *
 * A zeroed struct is empty. 24 bytes each. */
#ifndef SOURCE_ORIGINS_SPANS_H
#define SOURCE_ORIGINS_SPANS_H

#include "source/origins/country.h"

#include <stdint.h>

/* Some fifteen times those of 2024: 96 MiB. */
enum { SPANS_MAX = 4 * 1024 * 1024 };

struct span {
    uint64_t first, last; /* both of it */
    uint32_t order;       /* in which they were added */
    char code[2];
};

struct spans {
    struct span *list;
    size_t count, capacity;
};

/* False, and nothing is added, if there are SPANS_MAX. */
bool spans_add(struct spans *spans, uint64_t first, uint64_t last, struct country country);
/* Returns how often one began within another, added before or after it, of another country. */
uint64_t spans_seal(struct spans *spans);
/* *last (may be NULL): up to where it is the same country; not set where there is none. */
struct country spans_find(const struct spans *spans, uint64_t number, uint64_t *last);
void spans_done(struct spans *spans);

#endif
