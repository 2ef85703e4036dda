/* Decompresses a file in order while its reader is busy with what came before: up to AHEAD_CHUNKS
 * chunks are kept for him. The work is a task of the pool, which rests while all are full. */
#ifndef SYS_AHEAD_H
#define SYS_AHEAD_H

#include "sys/unpack.h"

enum { AHEAD_CHUNKS = 4, AHEAD_CHUNK = 256 * 1024 };

/* A piece of what was decompressed, and the part of the file that it comes from, about. */
struct chunk {
    uint8_t *bytes;
    size_t size;
    uint64_t from, until;
};

struct ahead;

/* Begins at once. The intake, which outlives it, is the pool's until ahead_free(); `unpack` belongs to
 * it from now on. */
struct ahead *ahead_new(struct intake *intake, struct unpack *unpack);
void ahead_free(struct ahead *ahead);

/* The next chunk, which is not empty, with FLOW_OK; it is the reader's until he asks for another. Else
 * FLOW_END or FLOW_FAILED, and again whenever it is asked; the intake may be looked at then. */
enum flow ahead_next(struct ahead *ahead, struct chunk *chunk);

#endif
