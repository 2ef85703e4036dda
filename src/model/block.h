/* Blocks: how the journal stores runs of observations. A block is self-contained: each observation
 * is a mask of the members that are not as guessed from those before it, and these as differences
 * (zigzag, LEB128). A steady stream of probes takes 10 to 12 bytes an observation, nearly all of
 * them the nanoseconds of time and RTT. Sequence numbers and spare bytes are not stored: the
 * journal knows the first number. */
#ifndef MODEL_BLOCK_H
#define MODEL_BLOCK_H

#include "base/buffer.h"
#include "base/reader.h"
#include "model/observation.h"

/* Appends n observations to `out`. */
void block_encode(const struct observation *observations, size_t n, struct buffer *out);

/* What the next observation is guessed from: the one before, and the last one of each target met
 * lately (numbers of targets are dense, so that a thousand of them do not get into one another's
 * way). */
enum { BLOCK_RECENT = 1024 };
struct block_memory {
    struct observation last;
    struct observation recent[BLOCK_RECENT];
};

/* Takes observations off a block, one after the other: start with a zeroed cursor (64 KiB) over the
 * block's bytes. 1 got one, 0 the block is at its end, -1 it is damaged (reader.bad says how). seq
 * is set from next_seq. Safe on any bytes; what it gives has a known kind, outcome and stage, but
 * names that the registry may not hold. */
struct block_cursor {
    struct reader reader;
    uint64_t next_seq;
    struct block_memory memory;
};
int block_next(struct block_cursor *cursor, struct observation *out);

#endif
