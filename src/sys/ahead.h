/* Decompresses a file while its reader is busy with what came before.
 *
 * It goes along in one lane (sys/lane.h), until behind one gzip member there is another. From there on the
 * file is looked at ahead (sys/window.h), and where members seem to begin, AHEAD_SPACING apart, more lanes
 * begin. The one that the reader is in goes on until a member begins where another lane began, or ends
 * behind that place, which was none then. So a file of one member costs what it always did, one of many
 * short ones is decompressed by all cores, and of long ones each lane but the first gets no further than
 * its chunks reach. What is made, and how it is damaged, does not depend on any of this.
 *
 * Not so zstd and xz: each of their lanes might ask for more memory than all of this. */
#ifndef SYS_AHEAD_H
#define SYS_AHEAD_H

#include "sys/lane.h"

enum {
    AHEAD_CHUNKS = 4,              /* of the reader's lane, */
    AHEAD_CHUNKS_EXTRA = 12,       /* of each other */
    AHEAD_SPACING = 256 * 1024,    /* compressed: what is worth a lane */
    AHEAD_WINDOW = 8 * 1024 * 1024 /* that is looked at ahead of the reader's lane */
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
