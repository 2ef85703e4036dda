/* Cuts a stream of bytes into records that say themselves how long they are: those of MRT archives
 * (mrt_reader.h), the messages of BMP (bmp_reader.h). Where the bytes cannot be a record, or where one
 * could not be decoded, the next one is looked for byte by byte: a place counts if a likely header
 * stands there, and another one, or the end, follows. What was passed over is counted and told with
 * its place in the decompressed stream. Bytes in which a record begins everywhere, each of megabytes, are looked
 * through a few times and not as often as that. A record after which no other can begin is looked into even if
 * whoever took it did not care to: its length may be what is wrong. */
#ifndef SOURCE_MRT_RECORD_READER_H
#define SOURCE_MRT_RECORD_READER_H

#include "base/reader.h"
#include "source/stream.h"

struct record_reader;

/* What the reader must know of the records. */
struct record_form {
    const char *name; /* "MRT record" */
    size_t header;    /* its bytes */
    /* How long the record is that begins here, with its header; 0: none can begin so. */
    size_t (*size)(const uint8_t *header);
    /* Whether one that was looked for may begin here: unlike size() this must not be fooled. It is given
     * the reader as whoever embeds it, first of all, may know more. */
    bool (*is_likely)(const struct record_reader *reader, const uint8_t *header);
    /* May be NULL. Of a header that no record can have: how long the record is if only that is right, and
     * what it is; 0: it cannot be. */
    size_t (*odd_size)(const uint8_t *header, char text[96]);
    /* NULL, or what is wrong with a whole record. */
    const char *(*check)(struct reader record);
};

struct record_reader {
    const struct record_form *form;
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
    bool has_found;   /* there was a record in it */
    bool has_ended;   /* the input gives no more, as `failure` says if it did not end well */
    struct why failure;
    uint64_t looked_again; /* bytes of records that could not be decoded, in all */
};

void record_reader_init(struct record_reader *reader, const struct record_form *form,
                        struct input *input, const void *head, size_t head_size,
                        struct stream_faults *faults);
void record_reader_done(struct record_reader *reader);

/* 1 got one, whose bytes are good until the next call; 0 the end; -1 the end, but a bad one: the
 * file is cut short or damaged, or there is no record in it. */
int record_reader_next(struct record_reader *reader, struct reader *record, struct why *why);

/* The last record is bad: counts and reports it with its place. */
void record_reader_reject(struct record_reader *reader, const char *reason);
/* The same, but it was well framed: no better record is to be looked for within. */
void record_reader_report(struct record_reader *reader, const char *reason);

/* ---- for the forms ---- */

static inline size_t record_reader_left(const struct record_reader *reader)
{
    return reader->end - reader->at;
}

/* True if at least `want` bytes are there from `at` on. Moves the buffer. */
bool record_reader_load(struct record_reader *reader, size_t want);
/* Whether a record can begin `skip` bytes on, or the stream ends there. */
bool record_reader_has_header(struct record_reader *reader, size_t skip);

/* `size` bytes that are there are the next record. */
static inline struct reader record_reader_give(struct record_reader *reader, size_t size)
{
    reader->last = reader->at;
    reader->is_held = reader->has_found = true;
    reader->at += size;
    reader->faults->records++;
    return reader_of(reader->buffer + reader->last, size);
}

#endif
