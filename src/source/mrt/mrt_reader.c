#include "source/mrt/mrt_reader.h"

#include <stdio.h>

/* Records of one archive are of about the same time; and none is older than BGP-4. */
enum { NEAR_SECONDS = 7 * 86400, OLDEST = 725846400 /* 1993-01-01 */ };

/* ---- the form ---- */

static size_t size_of(const uint8_t *bytes)
{
    struct mrt_header header = mrt_header_of(bytes);
    return mrt_header_is_plausible(&header) ? MRT_HEADER + (size_t)header.length : 0;
}

static bool is_likely(const struct record_reader *records, const uint8_t *bytes)
{
    uint32_t last = ((const struct mrt_reader *)records)->seconds;
    uint32_t seconds = mrt_header_of(bytes).seconds;
    uint32_t distance = seconds > last ? seconds - last : last - seconds;
    return last ? distance <= NEAR_SECONDS : seconds >= OLDEST;
}

static size_t odd_size(const uint8_t *bytes, char text[96])
{
    struct mrt_header header = mrt_header_of(bytes);
    if (header.length > MRT_RECORD_MAX || header.seconds < OLDEST)
        return 0;
    snprintf(text, 96, "a record of unknown form: type %u, subtype %u, %u bytes", header.type,
             header.subtype, header.length);
    return MRT_HEADER + (size_t)header.length;
}

static const char *check(struct reader record)
{
    struct mrt_header header = mrt_header_of(reader_bytes(&record, MRT_HEADER));
    return mrt_record_check(&header, record);
}

void mrt_reader_init(struct mrt_reader *reader, struct input *input, const void *head,
                     size_t head_size, struct stream_faults *faults)
{
    static const struct record_form form = {.name = "MRT record",
                                            .header = MRT_HEADER,
                                            .size = size_of,
                                            .is_likely = is_likely,
                                            .odd_size = odd_size,
                                            .check = check};
    reader->seconds = 0;
    record_reader_init(&reader->records, &form, input, head, head_size, faults);
}

void mrt_reader_done(struct mrt_reader *reader)
{
    record_reader_done(&reader->records);
}

void mrt_reader_report(struct mrt_reader *reader, const char *reason)
{
    record_reader_report(&reader->records, reason);
}

void mrt_reader_reject(struct mrt_reader *reader, const char *reason)
{
    record_reader_reject(&reader->records, reason);
}

/* ---- records ---- */

struct utc mrt_reader_time(const struct mrt_header *header, struct reader body)
{
    uint32_t microseconds = header->type == MRT_BGP4MP_ET ? reader_u32(&body) : 0;
    return (struct utc){header->seconds * NS_PER_S +
                        (microseconds < 1000000 ? microseconds * INT64_C(1000) : 0)};
}

struct utc mrt_reader_first_time(const uint8_t *head, size_t n)
{
    if (n < MRT_HEADER)
        return (struct utc){0};
    struct mrt_header header = mrt_header_of(head);
    if (!mrt_header_is_plausible(&header))
        return (struct utc){0};
    return mrt_reader_time(&header, reader_of(head + MRT_HEADER, n - MRT_HEADER));
}

/* The true end of the record given out last, whose length field may be too small (mrt_true_length()).
 */
static void mend_length(struct record_reader *records, const struct mrt_header *header)
{
    record_reader_load(records, 4);
    const uint8_t *body = records->buffer + records->last + MRT_HEADER;
    struct reader bytes = reader_of(body, (size_t)(records->buffer + records->end - body));
    uint32_t more = mrt_true_length(header, bytes) - header->length;
    if (more && !record_reader_has_header(records, 0) && record_reader_has_header(records, more))
        records->at += more;
}

/* Any record that does not follow smoothly upon the last. */
static int find_next(struct mrt_reader *reader, struct mrt_header *header, struct reader *body,
                     struct why *why)
{
    struct record_reader *records = &reader->records;
    int found = record_reader_next(records, body, why);
    if (found <= 0)
        return found;
    *header = mrt_header_of(body->at);
    if (header->type == MRT_TABLE_DUMP)
        mend_length(records, header);
    *body = reader_of(records->buffer + records->last, records->at - records->last);
    reader_bytes(body, MRT_HEADER);
    reader->seconds = header->seconds;
    return 1;
}

int mrt_reader_next(struct mrt_reader *reader, struct mrt_header *header, struct reader *body,
                    struct why *why)
{
    struct record_reader *records = &reader->records;
    if (records->is_rejected || record_reader_left(records) < MRT_HEADER)
        return find_next(reader, header, body, why);
    const uint8_t *bytes = records->buffer + records->at;
    *header = mrt_header_of(bytes);
    size_t size = MRT_HEADER + (size_t)header->length;
    if (record_reader_left(records) < size || header->type == MRT_TABLE_DUMP ||
        !mrt_header_is_plausible(header))
        return find_next(reader, header, body, why);
    *body = reader_of(bytes + MRT_HEADER, header->length);
    record_reader_give(records, size);
    reader->seconds = header->seconds;
    return 1;
}
