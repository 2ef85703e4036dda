#include "source/line_reader.h"

#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So much is asked for at a time. */
enum { READ_SIZE = 256 * 1024 };

void line_reader_init(struct line_reader *reader, struct input *input, const void *head,
                      size_t head_size, struct stream_faults *faults)
{
    *reader = (struct line_reader){.input = input, .faults = faults, .end = head_size};
    reader->bytes = mem_grow(NULL, &reader->capacity, LINE_MAX_SIZE + READ_SIZE + head_size, 1);
    if (head_size)
        memcpy(reader->bytes, head, head_size);
}

void line_reader_done(struct line_reader *reader)
{
    free(reader->bytes);
    *reader = (struct line_reader){0};
}

void line_reader_report(struct line_reader *reader, const char *fault)
{
    char text[sizeof((struct why *)0)->text + 256];
    snprintf(text, sizeof text, "%.200s:%llu: %s", input_name(reader->input),
             (unsigned long long)reader->line, fault);
    stream_faults_tell(reader->faults, text);
}

/* Reads more behind what is there. */
static enum err fill(struct line_reader *reader, struct why *why)
{
    if (reader->begin) {
        memmove(reader->bytes, reader->bytes + reader->begin, reader->end - reader->begin);
        reader->end -= reader->begin;
        reader->searched -= reader->begin;
        reader->begin = 0;
    }
    assert(reader->end < reader->capacity);
    size_t room = reader->capacity - reader->end, n;
    enum err err = input_read(reader->input, reader->bytes + reader->end,
                              room < READ_SIZE ? room : READ_SIZE, &n, why);
    if (err)
        return err;
    reader->is_at_end = n == 0;
    reader->end += n;
    return ERR_OK;
}

static void count_line(struct line_reader *reader)
{
    reader->line++;
    reader->faults->records++;
}

static void report_overlong(struct line_reader *reader)
{
    char fault[80];
    count_line(reader);
    snprintf(fault, sizeof fault, "is longer than %d bytes", LINE_MAX_SIZE);
    line_reader_report(reader, fault);
}

/* What is there is the beginning or the middle of a line that is too long: it is reported once. */
static void drop_overlong(struct line_reader *reader)
{
    if (!reader->is_overlong)
        report_overlong(reader);
    reader->is_overlong = true;
    reader->begin = reader->end = reader->searched = 0;
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

static void skip_byte_order_mark(const char **text, size_t *n)
{
    if (*n < 3 || memcmp(*text, "\xef\xbb\xbf", 3) != 0)
        return;
    *text += 3;
    *n -= 3;
}

/* Of a whole line: whether anybody wants it. */
static bool take_line(struct line_reader *reader, const char **text, size_t *n)
{
    if (reader->is_overlong) { /* this was the rest of it */
        reader->is_overlong = false;
        return false;
    }
    *n = without_line_end(*text, *n);
    if (*n > LINE_MAX_SIZE) {
        report_overlong(reader);
        return false;
    }
    if (is_blank(*text, *n)) {
        reader->line++;
        return false;
    }
    count_line(reader);
    if (reader->line == 1)
        skip_byte_order_mark(text, n);
    return true;
}

int line_reader_next(struct line_reader *reader, const char **text, size_t *n, struct why *why)
{
    for (;;) {
        const char *from = reader->bytes + reader->searched;
        size_t unsearched = reader->end - reader->searched;
        const char *stop = unsearched ? memchr(from, '\n', unsearched) : NULL;
        *text = reader->bytes + reader->begin;
        *n = stop ? (size_t)(stop - *text) : reader->end - reader->begin;
        if (!stop && *n > LINE_MAX_SIZE) {
            drop_overlong(reader);
        } else if (!stop && !reader->is_at_end) {
            reader->searched = reader->end;
            if (fill(reader, why))
                return -1;
        } else if (!stop && !*n) {
            return 0;
        } else {
            reader->begin = reader->searched = reader->begin + *n + (stop != NULL);
            if (take_line(reader, text, n))
                return 1;
        }
    }
}
