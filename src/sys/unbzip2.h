/* Decompresses bzip2, several blocks at a time, and gives their text in order. A block begins at any bit,
 * with a number of 48 bits; how it is found where one does is told in sys/window.h.
 *
 * Memory is bounded by the blocks that are decoded and not yet read, whatever they expand to: a block's
 * text before its runs are expanded has at most 900,000 bytes, and only UNBZIP2_PIECE bytes of it are
 * expanded at a time. */
#ifndef SYS_UNBZIP2_H
#define SYS_UNBZIP2_H

#include "sys/lane.h"

enum {
    UNBZIP2_PIECE = 1280 * 1024, /* text with its runs expanded: more than all of most blocks */
    UNBZIP2_BLOCK_MAX = 4 * 1024 * 1024, /* compressed: well-made ones take up less than 1 MB */
    UNBZIP2_UNREAD = 4, /* blocks decoded ahead for a file from which nothing was read yet ... */
    UNBZIP2_SPARE = 2,  /* ... for others so many more than there are threads ... */
    UNBZIP2_TOTAL = 64  /* ... and with all files together, but for one of each */
};

struct unbzip2;

/* The intake outlives it and stands at a stream. All is done by the calling thread at first. */
struct unbzip2 *unbzip2_new(struct intake *intake);
void unbzip2_free(struct unbzip2 *unbzip2);
/* From now on by the pool. */
void unbzip2_start(struct unbzip2 *unbzip2);

/* As ahead_next(). A block whose checksum is wrong is not given. */
enum flow unbzip2_next(struct unbzip2 *unbzip2, struct chunk *chunk);

#endif
