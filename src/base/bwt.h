/* The inverse of the transform of Burrows and Wheeler (1994): from the last column of a text's sorted
 * rotations to the text.
 *
 * Each byte has a link to the one that follows it in the text, anywhere in 3.6 MB. Along one chain of
 * links there is nothing to do but wait for memory, 900,000 times. So the chain is cut at some links,
 * evenly spaced in memory and therefore anywhere in the text, and several of the segments are followed
 * at a time. Measured as in bunzip2.h: decoding takes 3.3 s with one chain and 1.45 s with eight. */
#ifndef BASE_BWT_H
#define BASE_BWT_H

#include <stddef.h>
#include <stdint.h>

enum {
    BWT_MAX = 900000, /* bytes of a text */
    BWT_SEGMENTS = 128,
    BWT_PIECE = 1024,
    /* All full ones, one at the end of each segment, and the origin's segment. */
    BWT_PIECES = BWT_MAX / BWT_PIECE + BWT_SEGMENTS + 2
};

/* Memory to work in. */
struct bwt {
    uint32_t links[BWT_MAX]; /* the byte, a mark, the index of the next link */
    /* The text, in pieces of which each knows what follows it: a piece, or ~segment. */
    uint8_t pieces[BWT_PIECES][BWT_PIECE];
    uint16_t lengths[BWT_PIECES];
    int32_t following[BWT_PIECES];
};

/* Puts the text in the place of the column. `counts` says how often each byte occurs in it, `origin`
 * which rotation is the text: 0 to size - 1. A column that is none of any text gives something, too. */
void bwt_invert(struct bwt *bwt, uint8_t *column, size_t size, const uint32_t counts[256],
                uint32_t origin);

#endif
