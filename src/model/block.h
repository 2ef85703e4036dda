/* Blocks: how the journal stores runs of observations. A block is self-contained: delta-coded against
 * the observation before it in the block, a field mask per observation, zigzag and LEB128 numbers.
 * A steady stream of probes takes about 10 bytes an observation. Sequence numbers are not stored: the
 * journal knows the first one. */
#ifndef MODEL_BLOCK_H
#define MODEL_BLOCK_H

#include "base/buffer.h"
#include "base/reader.h"
#include "model/observation.h"

/* Appends n observations to `out`. */
void block_encode(const struct observation *observations, size_t n, struct buffer *out);

/* Takes observations off a block, one after the other: start with a zeroed cursor over the block's
 * bytes. 1 got one, 0 the block is at its end, -1 it is damaged (reader.bad says how). seq is set from
 * next_seq. */
struct block_cursor {
    struct reader reader;
    struct observation last;
    uint64_t next_seq;
};
int block_next(struct block_cursor *cursor, struct observation *out);

#endif
