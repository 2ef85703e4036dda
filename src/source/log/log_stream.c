/* An observation log as a stream: its lines, one after the other, through log_line.c. */
#include "source/stream.h"

#include "base/mem.h"
#include "source/line_reader.h"
#include "source/log/log_line.h"

#include <stdlib.h>

struct log_stream {
    struct stream stream;
    struct input *input;
    struct registry *registry;
    struct line_reader lines;
    struct log_queue queue;
};

static int log_next(struct stream *stream, struct observation *out, struct why *why)
{
    struct log_stream *log = (struct log_stream *)stream;
    while (log->queue.next == log->queue.count) {
        const char *text;
        size_t n;
        struct why reason;
        log->queue.next = log->queue.count = 0;
        int got = line_reader_next(&log->lines, &text, &n, why);
        if (got <= 0)
            return got;
        enum err err = log_line_read(text, n, log->registry, &log->queue, &reason);
        if (err == ERR_VERSION) {
            why_set(why, err, "%.200s:%llu: %s", input_name(log->input),
                    (unsigned long long)log->lines.line, reason.text);
            return -1;
        }
        if (err)
            line_reader_report(&log->lines, reason.text);
    }
    *out = log->queue.list[log->queue.next++];
    return 1;
}

static void log_close(struct stream *stream)
{
    struct log_stream *log = (struct log_stream *)stream;
    input_close(log->input);
    free(log->queue.list);
    line_reader_done(&log->lines);
    free(log);
}

struct stream *log_stream_new(struct input *input, const void *head, size_t head_size,
                              struct registry *registry, struct stream_faults *faults)
{
    struct log_stream *log = mem_new(1, sizeof *log);
    log->stream = (struct stream){.next = log_next, .close = log_close, .input = input};
    log->input = input;
    log->registry = registry;
    line_reader_init(&log->lines, input, head, head_size, faults);
    return &log->stream;
}
