/* Text that is read once, from its beginning to its end, byte by byte or line by line: from a file,
 * compressed or not, or from memory. Faults are told with file and line.
 *
 *     struct text text;
 *     if (text_open(&text, path, &faults, why)) ...
 *     while (text_line(&text, &line) > 0)
 *         if (!understand(&line))
 *             text_report(&text, "is no ...");
 *     text_close(&text);
 */
#ifndef SOURCE_ORIGINS_TEXT_H
#define SOURCE_ORIGINS_TEXT_H

#include "base/reader.h"
#include "source/stream.h"

/* A longer line is told as a fault and passed over. */
enum { TEXT_LINE_MAX = 64 * 1024 };

struct text {
    struct input *input; /* NULL: from memory */
    const char *name;
    struct stream_faults *faults;
    char *bytes; /* those from `at` to `end` are not yet used */
    size_t at, end;
    uint64_t line; /* of the byte at `at`, or the one that text_line() gave last */
    bool has_line; /* text_line() gave one */
    bool is_over;  /* the input has no more */
    struct why failure;
};

enum err text_open(struct text *text, const char *path, struct stream_faults *faults,
                   struct why *why);
/* `name` must outlive it; the bytes are copied. */
void text_of_bytes(struct text *text, const char *name, const void *bytes, size_t n,
                   struct stream_faults *faults);
void text_close(struct text *text);

/* The next byte, which is left there, or taken; -1 at the end, and where the input failed. */
int text_peek(struct text *text);
static inline int text_take(struct text *text)
{
    int c = text->at < text->end ? (unsigned char)text->bytes[text->at] : text_peek(text);
    text->line += c == '\n';
    text->at += c >= 0;
    return c;
}

/* The next line without its end; the view is good until the next call. 1 got one, 0 the end, -1 the
 * input failed. Not to be mixed with text_take(). */
int text_line(struct text *text, struct reader *line);
/* What comes before the next separator, or the rest; the separator is passed over. */
struct reader text_field(struct reader *line, char separator);
bool text_is(const struct reader *field, const char *word);
/* Decimal digits and nothing else. False if they are none, or too many. */
bool text_number(const struct reader *field, uint64_t *out);

/* The field for a message: cut to what a line can hold, unprintable bytes as '?'. Returns
 * buffer. */
#define TEXT_SHOWN_MAX 60
const char *text_show(const struct reader *field, char buffer[TEXT_SHOWN_MAX]);

/* A fault in the input, at the line where it is now: counted, and told. */
void text_report(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Why the input failed, or, if it did not, this reason; with file and line. */
enum err text_fail(struct text *text, struct why *why, enum err err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
