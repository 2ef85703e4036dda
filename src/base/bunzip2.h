/* One block of a bzip2 stream, from its bits to its text. Blocks stand alone, so that several can be
 * decoded at a time (sys/unbzip2.h), by whoever has found where they begin.
 *
 *     struct bunzip2 *bunzip2 = bunzip2_new();
 *     if (bunzip2_block(bunzip2, bytes, n, bit, NULL, &block) == BUNZIP2_OK) {
 *         struct bunzip2_runs runs = bunzip2_runs_of(block.text, block.size);
 *         while ((made = bunzip2_expand(&runs, out, room)) > 0) ...
 *         if (runs.is_cut) ... damaged
 *     }
 *
 * There is no RFC; this follows what the format has come to be, which is what bzip2 1.0.8 accepts: the
 * same blocks give the same text and the same blocks are refused (test/fuzz/fuzz_bunzip2.c holds it
 * against libbz2). One kind is refused that libbz2 still reads: "randomised" blocks, which only
 * versions of bzip2 before 0.9.5 wrote.
 *
 * Why not libbz2: it takes a stream in order, on one core, and for most of the time waits for memory
 * (base/bwt.h). Measured on a day of UPDATEs of Route Views (24 MB, 255 MB of text), both on one core
 * of an AMD EPYC: libbz2 4.0 s, this 1.45 s. */
#ifndef BASE_BUNZIP2_H
#define BASE_BUNZIP2_H

#include "base/bunzip2_runs.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BUNZIP2_LEVEL = 100000,              /* bytes of text for each step of a stream's level, 1..9 */
    BUNZIP2_TEXT_MAX = 9 * BUNZIP2_LEVEL /* of a block, before runs are expanded */
};

/* What begins a block, and the end of a stream: 48 bits, at any bit. */
#define BUNZIP2_MAGIC_BLOCK UINT64_C(0x314159265359)
#define BUNZIP2_MAGIC_END UINT64_C(0x177245385090)

enum bunzip2_result {
    BUNZIP2_OK,
    BUNZIP2_SHORT,   /* the block goes on behind the bytes that were given */
    BUNZIP2_DAMAGED, /* `fault` says how */
    BUNZIP2_STOPPED
};

struct bunzip2_block {
    size_t bits;         /* that it takes up, with its magic */
    uint32_t crc;        /* of its text when runs are expanded, as the block says */
    const uint8_t *text; /* with runs not expanded; the decoder's, until its next block */
    size_t size;         /* of the text, 1..BUNZIP2_TEXT_MAX */
    const char *fault;
};

/* A decoder is memory to work in, about 6 MB, and can be freed with free(). */
struct bunzip2;
struct bunzip2 *bunzip2_new(void);

/* Decodes the block whose magic begins at bit `bit` (0..7, from the highest) of the bytes. Gives up
 * soon after *stop, unless NULL, becomes true. */
enum bunzip2_result bunzip2_block(struct bunzip2 *bunzip2, const uint8_t *bytes, size_t n,
                                  unsigned bit, const atomic_bool *stop,
                                  struct bunzip2_block *block);

#endif
