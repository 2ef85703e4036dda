/* Cuts a stream of bytes into lines: without their end, blank ones left out, and those that are too
 * long told and passed over. Memory is one buffer that holds the longest line.
 *
 *     line_reader_init(&reader, input, head, head_size, &faults);
 *     while ((found = line_reader_next(&reader, &text, &n, &why)) > 0) ...
 *         line_reader_report(&reader, "is no message");
 *     line_reader_done(&reader); */
#ifndef SOURCE_LINE_READER_H
#define SOURCE_LINE_READER_H

#include "source/stream.h"

/* A longer line is bad. */
enum { LINE_MAX_SIZE = 1024 * 1024 };

struct line_reader {
    struct input *input; /* not owned */
    struct stream_faults *faults;
    char *bytes;
    size_t capacity;
    size_t begin, end; /* of what was read and not yet used */
    size_t searched;   /* no line end before here */
    uint64_t line;     /* number of the line read last */
    bool is_overlong;  /* within a line that is too long */
    bool is_at_end;
};

void line_reader_init(struct line_reader *reader, struct input *input, const void *head,
                      size_t head_size, struct stream_faults *faults);
void line_reader_done(struct line_reader *reader);

/* The next line, good until the next call. 1 got one, 0 the end, -1 the input failed. */
int line_reader_next(struct line_reader *reader, const char **text, size_t *n, struct why *why);
/* The last line is bad: counts and reports it with its place. */
void line_reader_report(struct line_reader *reader, const char *fault);

#endif
