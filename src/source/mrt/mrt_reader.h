/* Cuts a stream of bytes into MRT records, and passes over what is none (record_reader.h). */
#ifndef SOURCE_MRT_MRT_READER_H
#define SOURCE_MRT_MRT_READER_H

#include "source/mrt/record_reader.h"
#include "wire/mrt.h"

struct mrt_reader {
    struct record_reader records;
    uint32_t seconds; /* time of the last record; 0 before the first */
};

void mrt_reader_init(struct mrt_reader *reader, struct input *input, const void *head,
                     size_t head_size, struct stream_faults *faults);
void mrt_reader_done(struct mrt_reader *reader);

/* As record_reader_next(). */
int mrt_reader_next(struct mrt_reader *reader, struct mrt_header *header, struct reader *body,
                    struct why *why);

/* When it was, of what stands in front of its body. */
struct utc mrt_reader_time(const struct mrt_header *header, struct reader body);

/* The same of the first bytes of an archive; 0 if it does not begin with a record. */
struct utc mrt_reader_first_time(const uint8_t *head, size_t n);

/* As record_reader_reject() and record_reader_report(). */
void mrt_reader_reject(struct mrt_reader *reader, const char *reason);
void mrt_reader_report(struct mrt_reader *reader, const char *reason);

#endif
