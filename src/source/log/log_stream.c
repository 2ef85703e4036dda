/* An observation log as a stream: its lines, one after the other, through log_line.c. Memory is one
 * buffer that holds the longest line. */
#include "source/stream.h"

#include "base/mem.h"
#include "source/log/log_line.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A longer line is bad; READ_SIZE is asked for at a time. */
enum { LINE_MAX_SIZE = 1024 * 1024, READ_SIZE = 256 * 1024 };

struct log_stream {
    struct stream stream;
    struct input *input;
    struct registry *registry;
    struct stream_faults *faults;
    struct log_queue queue;
    char *bytes;
    size_t capacity;
    size_t begin, end; /* of what was read and not yet used */
    size_t searched;   /* no line end before here */
    uint64_t line;     /* number of the line read last */
    bool is_overlong;  /* within a line that is too long */
    bool is_at_end;
};

static void report(struct log_stream *log, const char *fault)
{
    char text[sizeof((struct why *)0)->text + 256];
    log->faults->bad++;
    if (!log->faults->report)
        return;
    snprintf(text, sizeof text, "%.200s:%llu: %s", input_name(log->input),
             (unsigned long long)log->line, fault);
    log->faults->report(log->faults->context, text);
}

/* Reads more behind what is there. */
static enum err fill(struct log_stream *log, struct why *why)
{
    if (log->begin) {
        memmove(log->bytes, log->bytes + log->begin, log->end - log->begin);
        log->end -= log->begin;
        log->searched -= log->begin;
        log->begin = 0;
    }
    assert(log->end < log->capacity);
    size_t room = log->capacity - log->end, n;
    enum err err =
        input_read(log->input, log->bytes + log->end, room < READ_SIZE ? room : READ_SIZE, &n, why);
    if (err)
        return err;
    log->is_at_end = n == 0;
    log->end += n;
    return ERR_OK;
}

/* What is there is the beginning or the middle of a line that is too long: it is reported once. */
static void drop_overlong(struct log_stream *log)
{
    if (!log->is_overlong) {
        char fault[80];
        log->line++;
        log->faults->records++;
        snprintf(fault, sizeof fault, "is longer than %d bytes", LINE_MAX_SIZE);
        report(log, fault);
    }
    log->is_overlong = true;
    log->begin = log->end = log->searched = 0;
}

static size_t without_line_end(const char *text, size_t n)
{
    return n && text[n - 1] == '\r' ? n - 1 : n;
}

static bool is_blank(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] != ' ' && text[i] != '\t')
            return false;
    return true;
}

/* The next line that is not blank. 1 got one, 0 the end, -1 the input failed. */
static int next_line(struct log_stream *log, const char **text, size_t *n, struct why *why)
{
    for (;;) {
        const char *begin = log->bytes + log->begin;
        const char *stop = log->searched < log->end
                               ? memchr(log->bytes + log->searched, '\n', log->end - log->searched)
                               : NULL;
        size_t size = stop ? (size_t)(stop - begin) : log->end - log->begin;
        if (size > LINE_MAX_SIZE && !stop) {
            drop_overlong(log);
        } else if (stop || (log->is_at_end && size)) {
            log->begin = log->searched = log->begin + size + (stop != NULL);
            if (log->is_overlong) {
                log->is_overlong = false; /* this was the rest of it */
                continue;
            }
            log->line++;
            *text = begin;
            *n = without_line_end(begin, size);
            if (!is_blank(*text, *n))
                return 1;
        } else if (log->is_at_end) {
            return 0;
        } else {
            log->searched = log->end;
            if (fill(log, why))
                return -1;
        }
    }
}

static void skip_byte_order_mark(struct log_stream *log, const char **text, size_t *n)
{
    if (log->line == 1 && *n >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0) {
        *text += 3;
        *n -= 3;
    }
}

static int log_next(struct stream *stream, struct observation *out, struct why *why)
{
    struct log_stream *log = (struct log_stream *)stream;
    while (log->queue.next == log->queue.count) {
        const char *text;
        size_t n;
        struct why reason;
        log->queue.next = log->queue.count = 0;
        int got = next_line(log, &text, &n, why);
        if (got <= 0)
            return got;
        skip_byte_order_mark(log, &text, &n);
        log->faults->records++;
        enum err err = n > LINE_MAX_SIZE
                           ? why_set(&reason, ERR_INPUT, "is longer than %d bytes", LINE_MAX_SIZE)
                           : log_line_read(text, n, log->registry, &log->queue, &reason);
        if (err == ERR_VERSION) {
            why_set(why, err, "%.200s:%llu: %s", input_name(log->input),
                    (unsigned long long)log->line, reason.text);
            return -1;
        }
        if (err)
            report(log, reason.text);
    }
    *out = log->queue.list[log->queue.next++];
    return 1;
}

static void log_close(struct stream *stream)
{
    struct log_stream *log = (struct log_stream *)stream;
    input_close(log->input);
    free(log->queue.list);
    free(log->bytes);
    free(log);
}

struct stream *log_stream_new(struct input *input, const void *head, size_t head_size,
                              struct registry *registry, struct stream_faults *faults)
{
    struct log_stream *log = mem_new(1, sizeof *log);
    log->stream = (struct stream){.next = log_next, .close = log_close, .input = input};
    log->input = input;
    log->registry = registry;
    log->faults = faults;
    log->capacity = LINE_MAX_SIZE + READ_SIZE + head_size;
    log->bytes = mem_new(log->capacity, 1);
    log->end = head_size;
    if (head_size)
        memcpy(log->bytes, head, head_size);
    return &log->stream;
}
