#include "source/origins/text.h"

#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* A line that fits, its end, and something to read ahead. */
enum { CAPACITY = 4 * TEXT_LINE_MAX };

enum err text_open(struct text *text, const char *path, struct stream_faults *faults,
                   struct why *why)
{
    struct input *input;
    enum err err = input_open(path, &input, why);
    if (err)
        return err;
    *text = (struct text){.input = input,
                          .name = input_name(input),
                          .faults = faults,
                          .bytes = mem_new(CAPACITY, 1),
                          .line = 1};
    return ERR_OK;
}

void text_of_bytes(struct text *text, const char *name, const void *bytes, size_t n,
                   struct stream_faults *faults)
{
    *text = (struct text){.name = name,
                          .faults = faults,
                          .bytes = mem_new(n, 1),
                          .end = n,
                          .line = 1,
                          .is_over = true};
    if (n)
        memcpy(text->bytes, bytes, n);
}

void text_close(struct text *text)
{
    input_close(text->input);
    free(text->bytes);
    text->input = NULL;
    text->bytes = NULL;
}

/* Reads more behind what is there. False at the end. */
static bool fill(struct text *text)
{
    size_t n = 0;
    if (text->is_over)
        return false;
    memmove(text->bytes, text->bytes + text->at, text->end - text->at);
    text->end -= text->at;
    text->at = 0;
    assert(text->end < CAPACITY);
    text->is_over = input_read(text->input, text->bytes + text->end, CAPACITY - text->end, &n,
                               &text->failure) != ERR_OK ||
                    n == 0;
    text->end += n;
    return n > 0;
}

int text_peek(struct text *text)
{
    if (text->at == text->end && !fill(text))
        return -1;
    return (unsigned char)text->bytes[text->at];
}

static struct reader without_return(const char *line, size_t n)
{
    return reader_of(line, n && line[n - 1] == '\r' ? n - 1 : n);
}

/* Passes over a line that is too long. */
static void drop_line(struct text *text)
{
    int c;
    text_report(text, "the line is longer than %d bytes", TEXT_LINE_MAX);
    while ((c = text_take(text)) >= 0 && c != '\n')
        ;
}

int text_line(struct text *text, struct reader *line)
{
    size_t searched = 0;
    text->line += text->has_line; /* that of the line before */
    text->has_line = true;
    for (;;) {
        const char *begin = text->bytes + text->at;
        size_t left = text->end - text->at;
        const char *stop = left > searched ? memchr(begin + searched, '\n', left - searched) : NULL;
        size_t n = stop ? (size_t)(stop - begin) : left;
        if (n > TEXT_LINE_MAX) {
            drop_line(text);
            searched = 0;
        } else if (stop || (text->is_over && left && !text->failure.err)) {
            text->at += n + (stop != NULL);
            *line = without_return(begin, n);
            return 1;
        } else if (text->is_over) {
            return text->failure.err ? -1 : 0;
        } else {
            searched = left;
            fill(text);
        }
    }
}

struct reader text_field(struct reader *line, char separator)
{
    size_t left = reader_left(line);
    const uint8_t *stop = left ? memchr(line->at, separator, left) : NULL;
    struct reader field = reader_sub(line, stop ? (size_t)(stop - line->at) : left);
    if (stop)
        reader_u8(line);
    return field;
}

bool text_is(const struct reader *field, const char *word)
{
    size_t n = strlen(word);
    return reader_left(field) == n && memcmp(field->at, word, n) == 0;
}

bool text_number(const struct reader *field, uint64_t *out)
{
    enum { DIGITS_MAX = 19 };
    uint64_t value = 0;
    if (!reader_left(field) || reader_left(field) > DIGITS_MAX)
        return false;
    for (const uint8_t *at = field->at; at < field->end; at++) {
        if (*at < '0' || *at > '9')
            return false;
        value = value * 10 + (uint64_t)(*at - '0');
    }
    *out = value;
    return true;
}

const char *text_show(const struct reader *field, char buffer[TEXT_SHOWN_MAX])
{
    size_t n = reader_left(field);
    bool is_cut = n >= TEXT_SHOWN_MAX;
    if (is_cut)
        n = TEXT_SHOWN_MAX - 4;
    for (size_t i = 0; i < n; i++)
        buffer[i] = field->at[i] >= ' ' && field->at[i] < 0x7f ? (char)field->at[i] : '?';
    memcpy(buffer + n, is_cut ? "..." : "", is_cut ? 4 : 1);
    return buffer;
}

static void place(const struct text *text, const char *what, struct why *why, enum err err)
{
    why_set(why, err, "%.300s:%llu: %s", text->name, (unsigned long long)text->line, what);
}

void text_report(struct text *text, const char *format, ...)
{
    char what[300];
    struct why fault;
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    place(text, what, &fault, ERR_INPUT);
    stream_faults_tell(text->faults, fault.text);
}

enum err text_fail(struct text *text, struct why *why, enum err err, const char *format, ...)
{
    char what[300];
    va_list args;
    if (text->failure.err) {
        if (why)
            *why = text->failure;
        return text->failure.err;
    }
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    place(text, what, why, err);
    return err;
}
