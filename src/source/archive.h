/* One archived file on its way into a replay: looked into to learn what it is and when it begins,
 * and opened only when the merge gets there, so that a thousand files need not be open at once. */
#ifndef SOURCE_ARCHIVE_H
#define SOURCE_ARCHIVE_H

#include "source/bgp/route_memory.h"
#include "source/stream.h"

enum { ARCHIVE_HEAD = 4096 };

struct archive {
    char *path;    /* owned */
    uint64_t size; /* of the file itself; 0 if not known */
    bool is_log;   /* else MRT */
    bool is_open;
    /* Of its next observation; before it is opened, of its first record, 0: not known. */
    struct utc time;
    struct observation next;
    struct stream *stream; /* may be set from the beginning: then it has no path, and is no file */
    /* Looked into and kept open until the stream takes it over; NULL otherwise. */
    struct input *input;
    uint8_t head[ARCHIVE_HEAD];
    size_t head_size;
};

/* What all files of a replay share. */
struct archive_context {
    const char *collector; /* NULL: from the path */
    struct route_memory *memory;
    struct registry *registry;
    struct stream_faults *faults;
};

/* Learns kind and first time. Keeps the input open if `keep`, or if it cannot be read a second
 * time. */
enum err archive_peek(struct archive *archive, bool keep, struct why *why);
/* Begins, or goes on to the next observation, into archive->next. 1 got one, 0 the end, -1 the end
 * by damage, which `why` tells. */
int archive_next(struct archive *archive, const struct archive_context *context, struct why *why);
/* Bytes of the file that were used so far. */
uint64_t archive_consumed(const struct archive *archive);
void archive_close(struct archive *archive);
void archive_done(struct archive *archive); /* closes it and frees the path */

#endif
