/* For tests of what reads texts: a file that holds one, and what is told of its faults.
 *
 *     struct told told;
 *     told_begin(&told);
 *     ... read with &told.faults ...
 *     assert_string_equal(told.lines.bytes, "file:3: \"x\" is no country\n");
 *     told_end(&told); */
#ifndef TEST_TEXT_MAKER_H
#define TEST_TEXT_MAKER_H

#include "base/buffer.h"
#include "source/stream.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

struct told {
    struct stream_faults faults;
    struct buffer lines; /* a fault each */
};

static inline void told_hear(void *context, const char *fault)
{
    struct buffer *lines = context;
    buffer_printf(lines, "%s\n", fault);
}

static inline void told_begin(struct told *told)
{
    *told = (struct told){.faults = {.report = told_hear, .context = &told->lines}};
    buffer_puts(&told->lines, "");
}

static inline void told_end(struct told *told)
{
    buffer_done(&told->lines);
}

/* `path` is a template of mkstemp() and gets the file's name. */
static inline void text_write(char *path, const void *bytes, size_t n)
{
    int fd = mkstemp(path);
    assert(fd >= 0);
    ssize_t written = write(fd, bytes, n);
    assert(written == (ssize_t)n);
    close(fd);
}

#endif
