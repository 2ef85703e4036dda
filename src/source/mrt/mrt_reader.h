/* Cuts a stream of bytes into MRT records. Where the bytes cannot be a record, or where a record
 * could not be decoded, the next one is looked for byte by byte: a place counts if a sound header
 * stands there, of about the same time, and another one, or the end, follows. What was passed over
 * is counted and told with its place in the decompressed stream. A record after which no other can
 * begin is looked into even if whoever took it did not care to: its length may be what is wrong. */
#ifndef SOURCE_MRT_MRT_READER_H
#define SOURCE_MRT_MRT_READER_H

#include "source/stream.h"
#include "wire/mrt.h"

struct mrt_reader {
    struct input *input; /* not owned */
    struct stream_faults *faults;
    uint8_t *buffer;
    size_t capacity;
    size_t at; /* what is next */
    size_t end;
    uint64_t offset;  /* of the buffer's first byte in the stream */
    size_t last;      /* where the last record given out begins */
    bool is_held;     /* its bytes are still there */
    bool is_rejected; /* it could not be decoded */
    bool has_ended;   /* the input gives no more, as `failure` says if it did not end well */
    struct why failure;
    uint32_t seconds; /* time of the last record; 0 before the first */
};

void mrt_reader_init(struct mrt_reader *reader, struct input *input, const void *head,
                     size_t head_size, struct stream_faults *faults);
void mrt_reader_done(struct mrt_reader *reader);

/* 1 got one, whose bytes are good until the next call; 0 the end; -1 the end, but a bad one: the
 * file is cut short or damaged, or there is no record in it. */
int mrt_reader_next(struct mrt_reader *reader, struct mrt_header *header, struct reader *body,
                    struct why *why);

/* The last record is bad: counts and reports it with its place. */
void mrt_reader_reject(struct mrt_reader *reader, const char *reason);
/* The same, but it was well framed: no better record is to be looked for within. */
void mrt_reader_report(struct mrt_reader *reader, const char *reason);

#endif
