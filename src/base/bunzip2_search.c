#include "base/bunzip2_search.h"

#include "base/bunzip2.h"
#include "base/mem.h"

#include <stdlib.h>

enum { MAGIC = 48, SHIFTS = 8 };

static const uint64_t magics[2] = {BUNZIP2_MAGIC_BLOCK, BUNZIP2_MAGIC_END};

void bunzip2_search_init(struct bunzip2_search *search, uint64_t offset)
{
    *search = (struct bunzip2_search){.offset = offset};
    for (unsigned i = 0; i < 2 * SHIFTS; i++) {
        uint64_t magic = magics[i / SHIFTS];
        unsigned shift = i % SHIFTS;
        search->filters[0][magic >> (8 - shift) & 0xff] |= (uint16_t)(1U << i);
        search->filters[1][magic >> (16 - shift) & 0xff] |= (uint16_t)(1U << i);
    }
}

void bunzip2_search_done(struct bunzip2_search *search)
{
    free(search->found);
    *search = (struct bunzip2_search){0};
}

/* What has passed the filters is looked at as a whole. Two numbers never end in the same byte: they
 * overlap by at most 3 bits. */
static void add_hits(struct bunzip2_search *search, unsigned hits, uint64_t end)
{
    for (unsigned i = 0; i < 2 * SHIFTS; i++) {
        unsigned shift = i % SHIFTS;
        uint64_t bits = search->recent >> shift & ((UINT64_C(1) << MAGIC) - 1);
        if (!(hits >> i & 1) || bits != magics[i / SHIFTS])
            continue;
        search->found =
            mem_grow(search->found, &search->capacity, search->count + 1, sizeof *search->found);
        search->found[search->count++] =
            (struct bunzip2_place){end - shift - MAGIC, i / SHIFTS == 1};
    }
}

void bunzip2_search_feed(struct bunzip2_search *search, const uint8_t *bytes, size_t n)
{
    search->count = 0;
    for (size_t i = 0; i < n; i++) {
        search->recent = search->recent << 8 | bytes[i];
        unsigned hits = search->filters[0][search->recent >> 8 & 0xff] &
                        search->filters[1][search->recent >> 16 & 0xff];
        if (hits)
            add_hits(search, hits, (search->offset + i + 1) * 8);
    }
    search->offset += n;
}
