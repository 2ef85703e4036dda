/* How often each pair of numbers is counted: how many visible prefixes an AS has behind an upstream, or in a
 * country. At most PAIR_COUNTS_MAX pairs; more are not counted. */
#ifndef SOURCE_TABLE_PAIR_COUNTS_H
#define SOURCE_TABLE_PAIR_COUNTS_H

#include "source/table/lookup.h"

enum { PAIR_COUNTS_MAX = 1 << 24 };

struct pair {
    uint32_t a, b;
    uint32_t count;
};

struct pair_counts {
    struct pair *list; /* number - 1 */
    size_t capacity;
    uint32_t count;
    struct lookup lookup;
};

void pair_counts_init(struct pair_counts *pairs);
void pair_counts_done(struct pair_counts *pairs);
/* Counts once more (1) or less (-1); what is the first or was the last of its pair is one `different` more
 * or less. */
void pair_counts_add(struct pair_counts *pairs, uint32_t a, uint32_t b, int by,
                     uint32_t *different);

#endif
