/* Finds where in a file a bzip2 block, or the end of a bzip2 stream, may begin: wherever its number of
 * 48 bits is, at any bit. It may be there by chance, too; only decoding can tell (base/bunzip2.h).
 *
 *     bunzip2_search_init(&search, offset)
 *     bunzip2_search_feed(&search, bytes, n)   ... search.found, search.count
 *     bunzip2_search_done(&search) */
#ifndef BASE_BUNZIP2_SEARCH_H
#define BASE_BUNZIP2_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bunzip2_place {
    uint64_t bit; /* from the beginning of the file */
    bool is_end;  /* of a stream */
};

struct bunzip2_search {
    uint64_t offset; /* of the next byte in the file */
    uint64_t recent; /* the last 64 bits */
    /* Which of both numbers, shifted by 0 to 7 bits, have this byte as their last whole one but one, and
     * their last but two. */
    uint16_t filters[2][256];
    struct bunzip2_place *found; /* what ended in the bytes fed last */
    size_t count;
    size_t capacity;
};

void bunzip2_search_init(struct bunzip2_search *search, uint64_t offset);
void bunzip2_search_feed(struct bunzip2_search *search, const uint8_t *bytes, size_t n);
void bunzip2_search_done(struct bunzip2_search *search);

#endif
