#include "source/mrt/mrt_reader.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER = 256 * 1024 };
/* Records of one archive are of about the same time; and none is older than BGP-4. */
enum { NEAR_SECONDS = 7 * 86400, OLDEST = 725846400 /* 1993-01-01 */ };

void mrt_reader_init(struct mrt_reader *reader, struct input *input, const void *head,
                     size_t head_size, struct stream_faults *faults)
{
    *reader = (struct mrt_reader){.input = input, .faults = faults};
    reader->buffer = mem_grow(NULL, &reader->capacity, BUFFER + head_size, 1);
    if (head_size)
        memcpy(reader->buffer, head, head_size);
    reader->end = head_size;
}

void mrt_reader_done(struct mrt_reader *reader)
{
    free(reader->buffer);
    *reader = (struct mrt_reader){0};
}

static size_t left(const struct mrt_reader *reader)
{
    return reader->end - reader->at;
}

/* Makes room behind what is in the buffer: drops what nobody will look at again, then grows. */
static void make_room(struct mrt_reader *reader, size_t want)
{
    size_t keep = reader->is_held ? reader->last : reader->at;
    memmove(reader->buffer, reader->buffer + keep, reader->end - keep);
    reader->at -= keep;
    reader->end -= keep;
    reader->last -= reader->is_held ? keep : 0;
    reader->offset += keep;
    reader->buffer = mem_grow(reader->buffer, &reader->capacity, reader->at + want + BUFFER / 2, 1);
}

/* True if at least `want` bytes are there from `at` on. */
static bool load(struct mrt_reader *reader, size_t want)
{
    if (left(reader) >= want)
        return true;
    if (!reader->has_ended)
        make_room(reader, want);
    while (left(reader) < want && !reader->has_ended) {
        /* Not all that there is room for: after one huge record there is room for many. */
        size_t n = 0, room = want - left(reader) + BUFFER / 2;
        if (input_read(reader->input, reader->buffer + reader->end, room, &n, &reader->failure))
            n = 0;
        reader->end += n;
        reader->has_ended = n == 0;
    }
    return left(reader) >= want;
}

static void tell(struct mrt_reader *reader, uint64_t offset, const char *reason)
{
    char text[512];
    reader->faults->bad++;
    if (!reader->faults->report)
        return;
    snprintf(text, sizeof text, "%s: byte %llu: %s", input_name(reader->input),
             (unsigned long long)offset, reason);
    reader->faults->report(reader->faults->context, text);
}

void mrt_reader_report(struct mrt_reader *reader, const char *reason)
{
    tell(reader, reader->offset + reader->last, reason);
}

void mrt_reader_reject(struct mrt_reader *reader, const char *reason)
{
    tell(reader, reader->offset + reader->last, reason);
    reader->is_rejected = true;
}

/* Whether a record can begin `skip` bytes on, or the stream ends there. */
static bool has_header(struct mrt_reader *reader, size_t skip)
{
    if (!load(reader, skip + MRT_HEADER))
        return left(reader) == skip;
    struct mrt_header header = mrt_header_of(reader->buffer + reader->at + skip);
    return mrt_header_is_plausible(&header);
}

/* Whether a record that was looked for begins here: unlike has_header() this must not be fooled. */
static bool is_record(struct mrt_reader *reader)
{
    struct mrt_header header = mrt_header_of(reader->buffer + reader->at);
    uint32_t distance = header.seconds > reader->seconds ? header.seconds - reader->seconds
                                                         : reader->seconds - header.seconds;
    bool is_near = reader->seconds ? distance <= NEAR_SECONDS : header.seconds >= OLDEST;
    return is_near && mrt_header_is_plausible(&header) &&
           has_header(reader, MRT_HEADER + (size_t)header.length);
}

/* Looks for the next record behind `at`. False if there is none: then `at` is the end. */
static bool find_record(struct mrt_reader *reader)
{
    if (left(reader))
        reader->at++;
    for (; load(reader, MRT_HEADER); reader->at++)
        if (is_record(reader))
            return true;
    reader->at = reader->end;
    return false;
}

/* After a record that could not be decoded: its length may be what was wrong, so that the next one
 * may begin within it. Else that is where it ends, if a record can begin there; if not, behind
 * that. */
static void leave_rejected(struct mrt_reader *reader)
{
    uint64_t where = reader->offset + reader->at;
    bool is_followed = has_header(reader, 0);
    reader->is_rejected = reader->is_held = false;
    reader->at = reader->last;
    for (reader->at++; reader->offset + reader->at < where; reader->at++)
        if (load(reader, MRT_HEADER) && is_record(reader))
            return;
    if (!is_followed)
        find_record(reader);
}

static int end(struct mrt_reader *reader, struct why *why)
{
    if (reader->failure.err == ERR_OK)
        return 0;
    if (why)
        *why = reader->failure;
    return -1;
}

/* Passes over what is no record and says how much it was. 1 found one, 0 none, -1 a bad end. */
static int resynchronise(struct mrt_reader *reader, struct why *why)
{
    char text[128];
    uint64_t start = reader->offset + reader->at;
    bool is_found = find_record(reader);
    uint64_t skipped = reader->offset + reader->at - start;
    if (reader->seconds == 0 && !is_found) {
        if (reader->failure.err)
            return end(reader, why);
        why_set(why, ERR_INPUT, "%s: there is no MRT record in it, and it is no observation log",
                input_name(reader->input));
        return -1;
    }
    snprintf(text, sizeof text, "no MRT record begins here; %llu bytes passed over",
             (unsigned long long)skipped);
    reader->faults->records++;
    tell(reader, start, text);
    return is_found;
}

/* The record at `at` goes on beyond the end of the stream: its length is wrong, or the stream is
 * cut. */
static int handle_overrun(struct mrt_reader *reader, struct why *why)
{
    uint64_t start = reader->offset + reader->at;
    char text[96];
    if (reader->failure.err == ERR_OK && find_record(reader)) {
        snprintf(text, sizeof text, "a record with a wrong length; %llu bytes passed over",
                 (unsigned long long)(reader->offset + reader->at - start));
        reader->faults->records++;
        tell(reader, start, text);
        return 1;
    }
    reader->at = reader->end;
    if (reader->failure.err == ERR_OK)
        why_set(&reader->failure, ERR_CORRUPT, "%s: byte %llu: the file ends within this record",
                input_name(reader->input), (unsigned long long)start);
    if (why)
        *why = reader->failure;
    return -1;
}

/* A record whose header cannot be right, but after whose length another one begins, is passed over
 * alone. */
static bool skip_odd_record(struct mrt_reader *reader, const struct mrt_header *header)
{
    if (header->length > MRT_RECORD_MAX || header->seconds < OLDEST ||
        !has_header(reader, MRT_HEADER + (size_t)header->length))
        return false;
    char text[96];
    snprintf(text, sizeof text, "a record of unknown form: type %u, subtype %u, %u bytes",
             header->type, header->subtype, header->length);
    reader->faults->records++;
    tell(reader, reader->offset + reader->at, text);
    reader->at += MRT_HEADER + (size_t)header->length;
    reader->seconds = header->seconds;
    return true;
}

static inline void give_out(struct mrt_reader *reader, const struct mrt_header *header, size_t size)
{
    reader->last = reader->at;
    reader->is_held = true;
    reader->at += size;
    reader->seconds = header->seconds;
    reader->faults->records++;
}

static int take_record(struct mrt_reader *reader, struct mrt_header *header, struct reader *body)
{
    size_t length = header->length;
    load(reader, MRT_HEADER + length + 4);
    struct reader bytes =
        reader_of(reader->buffer + reader->at + MRT_HEADER, left(reader) - MRT_HEADER);
    uint32_t true_length = mrt_true_length(header, bytes);
    if (true_length != length && !has_header(reader, MRT_HEADER + length) &&
        has_header(reader, MRT_HEADER + (size_t)true_length))
        length = true_length;
    *body = reader_of(reader->buffer + reader->at + MRT_HEADER, length);
    give_out(reader, header, MRT_HEADER + length);
    return 1;
}

/* Whether the record given out last can be right, now that none follows it. */
static bool last_is_sound(struct mrt_reader *reader)
{
    if (!reader->is_held)
        return true;
    const uint8_t *bytes = reader->buffer + reader->last;
    struct mrt_header header = mrt_header_of(bytes);
    struct reader body = reader_of(bytes + MRT_HEADER, reader->at - reader->last - MRT_HEADER);
    const char *fault = mrt_record_check(&header, body);
    if (fault)
        mrt_reader_reject(reader, fault);
    return !fault;
}

/* Any record that does not follow smoothly upon the last. */
static int find_next(struct mrt_reader *reader, struct mrt_header *header, struct reader *body,
                     struct why *why)
{
    int found = 1;
    while (found > 0) {
        if (reader->is_rejected)
            leave_rejected(reader);
        bool has_all = load(reader, MRT_HEADER);
        if (has_all)
            *header = mrt_header_of(reader->buffer + reader->at);
        bool is_plausible = has_all && mrt_header_is_plausible(header);
        if (is_plausible && load(reader, MRT_HEADER + (size_t)header->length))
            return take_record(reader, header, body);
        if (left(reader) && !last_is_sound(reader))
            continue;
        reader->is_held = false;
        if (!has_all)
            return left(reader) ? handle_overrun(reader, why) : end(reader, why);
        if (is_plausible)
            found = handle_overrun(reader, why);
        else if (!skip_odd_record(reader, header))
            found = resynchronise(reader, why);
    }
    return found ? found : end(reader, why);
}

int mrt_reader_next(struct mrt_reader *reader, struct mrt_header *header, struct reader *body,
                    struct why *why)
{
    if (reader->is_rejected || left(reader) < MRT_HEADER)
        return find_next(reader, header, body, why);
    const uint8_t *bytes = reader->buffer + reader->at;
    *header = mrt_header_of(bytes);
    size_t size = MRT_HEADER + (size_t)header->length;
    if (left(reader) < size || header->type == MRT_TABLE_DUMP || !mrt_header_is_plausible(header))
        return find_next(reader, header, body, why);
    *body = reader_of(bytes + MRT_HEADER, header->length);
    give_out(reader, header, size);
    return 1;
}
