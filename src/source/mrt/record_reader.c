#include "source/mrt/record_reader.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER = 256 * 1024 };
/* Records that could not be decoded are looked into as long as they are not longer, in all, than so many times
 * what has gone by, and so much. Those of real archives are some hundred bytes long and seldom. */
enum { LOOK_AGAIN_TIMES = 4, LOOK_AGAIN_BYTES = 64 * 1024 * 1024 };

void record_reader_init(struct record_reader *reader, const struct record_form *form,
                        struct input *input, const void *head, size_t head_size,
                        struct stream_faults *faults)
{
    *reader = (struct record_reader){.form = form, .input = input, .faults = faults};
    reader->buffer = mem_grow(NULL, &reader->capacity, BUFFER + head_size, 1);
    if (head_size)
        memcpy(reader->buffer, head, head_size);
    reader->end = head_size;
}

void record_reader_done(struct record_reader *reader)
{
    free(reader->buffer);
    *reader = (struct record_reader){0};
}

/* Makes room behind what is in the buffer: drops what nobody will look at again, then grows. */
static void make_room(struct record_reader *reader, size_t want)
{
    size_t keep = reader->is_held ? reader->last : reader->at;
    memmove(reader->buffer, reader->buffer + keep, reader->end - keep);
    reader->at -= keep;
    reader->end -= keep;
    reader->last -= reader->is_held ? keep : 0;
    reader->offset += keep;
    reader->buffer = mem_grow(reader->buffer, &reader->capacity, reader->at + want + BUFFER / 2, 1);
}

bool record_reader_load(struct record_reader *reader, size_t want)
{
    if (record_reader_left(reader) >= want)
        return true;
    if (!reader->has_ended)
        make_room(reader, want);
    while (record_reader_left(reader) < want && !reader->has_ended) {
        /* Not all that there is room for: after one huge record there is room for many. */
        size_t n = 0, room = want - record_reader_left(reader) + BUFFER / 2;
        if (input_read(reader->input, reader->buffer + reader->end, room, &n, &reader->failure))
            n = 0;
        reader->end += n;
        reader->has_ended = n == 0;
    }
    return record_reader_left(reader) >= want;
}

static void tell(struct record_reader *reader, uint64_t offset, const char *reason)
{
    char text[512];
    snprintf(text, sizeof text, "%s: byte %llu: %s", input_name(reader->input),
             (unsigned long long)offset, reason);
    stream_faults_tell(reader->faults, text);
}

void record_reader_report(struct record_reader *reader, const char *reason)
{
    tell(reader, reader->offset + reader->last, reason);
}

void record_reader_reject(struct record_reader *reader, const char *reason)
{
    tell(reader, reader->offset + reader->last, reason);
    reader->is_rejected = true;
}

/* ---- looking for the next one ---- */

static const uint8_t *header_at(const struct record_reader *reader)
{
    return reader->buffer + reader->at;
}

bool record_reader_has_header(struct record_reader *reader, size_t skip)
{
    if (!record_reader_load(reader, skip + reader->form->header))
        return record_reader_left(reader) == skip;
    return reader->form->size(header_at(reader) + skip) != 0;
}

/* Whether a record that was looked for begins here. */
static bool is_record(struct record_reader *reader)
{
    size_t size = reader->form->size(header_at(reader));
    return size && reader->form->is_likely(reader, header_at(reader)) &&
           record_reader_has_header(reader, size);
}

/* Looks for the next record behind `at`. False if there is none: then `at` is the end. */
static bool find_record(struct record_reader *reader)
{
    if (record_reader_left(reader))
        reader->at++;
    for (; record_reader_load(reader, reader->form->header); reader->at++)
        if (is_record(reader))
            return true;
    reader->at = reader->end;
    return false;
}

static bool may_look_again(struct record_reader *reader)
{
    uint64_t gone_by = reader->offset + reader->at;
    reader->looked_again += reader->at - reader->last;
    return reader->looked_again <= LOOK_AGAIN_TIMES * gone_by + LOOK_AGAIN_BYTES;
}

/* After a record that could not be decoded: its length may be what was wrong, so that the next one
 * may begin within it. Else that is where it ends, if a record can begin there; if not, behind
 * that. */
static void leave_rejected(struct record_reader *reader)
{
    uint64_t where = reader->offset + reader->at;
    bool is_followed = record_reader_has_header(reader, 0);
    bool may_look = may_look_again(reader);
    reader->is_rejected = reader->is_held = false;
    reader->at = may_look ? reader->last + 1 : reader->at;
    for (; reader->offset + reader->at < where; reader->at++)
        if (record_reader_load(reader, reader->form->header) && is_record(reader))
            return;
    if (!is_followed)
        find_record(reader);
}

/* ---- what is no record ---- */

static int end(struct record_reader *reader, struct why *why)
{
    if (reader->failure.err == ERR_OK)
        return 0;
    if (why)
        *why = reader->failure;
    return -1;
}

static void tell_skipped(struct record_reader *reader, uint64_t start, const char *what)
{
    char text[128];
    snprintf(text, sizeof text, "%s; %llu bytes passed over", what,
             (unsigned long long)(reader->offset + reader->at - start));
    reader->faults->records++;
    tell(reader, start, text);
}

/* Passes over what is no record and says how much it was. 1 found one, 0 none, -1 a bad end. */
static int resynchronise(struct record_reader *reader, struct why *why)
{
    char what[64];
    uint64_t start = reader->offset + reader->at;
    bool is_found = find_record(reader);
    if (!reader->has_found && !is_found) {
        if (reader->failure.err)
            return end(reader, why);
        why_set(why, ERR_INPUT,
                "%s: there is no %s in it, nor is it anything else that is read here",
                input_name(reader->input), reader->form->name);
        return -1;
    }
    snprintf(what, sizeof what, "no %s begins here", reader->form->name);
    tell_skipped(reader, start, what);
    return is_found;
}

/* The record at `at` goes on beyond the end of the stream: its length is wrong, or the stream is
 * cut. */
static int handle_overrun(struct record_reader *reader, struct why *why)
{
    uint64_t start = reader->offset + reader->at;
    if (reader->failure.err == ERR_OK && find_record(reader)) {
        tell_skipped(reader, start, "a record with a wrong length");
        return 1;
    }
    reader->at = reader->end;
    if (reader->failure.err == ERR_OK)
        why_set(&reader->failure, ERR_CORRUPT, "%s: byte %llu: the file ends within this record",
                input_name(reader->input), (unsigned long long)start);
    return end(reader, why);
}

/* A record whose header cannot be right, but after whose length another one begins, is passed over
 * alone. */
static bool skip_odd_record(struct record_reader *reader)
{
    char text[96];
    size_t size = reader->form->odd_size ? reader->form->odd_size(header_at(reader), text) : 0;
    if (!size || !record_reader_has_header(reader, size))
        return false;
    reader->faults->records++;
    tell(reader, reader->offset + reader->at, text);
    reader->at += size;
    reader->has_found = true;
    return true;
}

/* Whether the record given out last can be right, now that none follows it. */
static bool last_is_sound(struct record_reader *reader)
{
    if (!reader->is_held)
        return true;
    const char *fault =
        reader->form->check(reader_of(reader->buffer + reader->last, reader->at - reader->last));
    if (fault)
        record_reader_reject(reader, fault);
    return !fault;
}

int record_reader_next(struct record_reader *reader, struct reader *record, struct why *why)
{
    int found = 1;
    while (found > 0) {
        if (reader->is_rejected)
            leave_rejected(reader);
        bool has_header = record_reader_load(reader, reader->form->header);
        size_t size = has_header ? reader->form->size(header_at(reader)) : 0;
        if (size && record_reader_load(reader, size)) {
            *record = record_reader_give(reader, size);
            return 1;
        }
        if (record_reader_left(reader) && !last_is_sound(reader))
            continue;
        reader->is_held = false;
        if (!has_header && !record_reader_left(reader))
            return end(reader, why);
        if (!has_header || size)
            found = handle_overrun(reader, why);
        else if (!skip_odd_record(reader))
            found = resynchronise(reader, why);
    }
    return found ? found : end(reader, why);
}
