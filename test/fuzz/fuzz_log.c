/* source/log/log_stream: no bytes may lead the reader of observation logs astray, and whatever it reads
 * must come back from what is written of it: without a fault, as the same bytes. */
#include "out/log_line.h"
#include "out/out.h"
#include "source/stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Observations on their way into lines: MEMBERs wait behind their SUBJECT. */
struct writing {
    const struct registry *registry;
    struct observation *group; /* a SUBJECT and its MEMBERs */
    size_t count, capacity;
    struct buffer lines;
};

static void end_group(struct writing *writing)
{
    if (writing->count)
        log_line_meta(writing->registry, &writing->group[0], &writing->group[1], writing->count - 1,
                      &writing->lines);
    writing->count = 0;
}

static void write_one(struct writing *writing, const struct observation *observation)
{
    if (observation->kind == OBSERVATION_MEMBER)
        assert(writing->count);
    else
        end_group(writing);
    if (observation->kind != OBSERVATION_SUBJECT && observation->kind != OBSERVATION_MEMBER) {
        out_log_line(writing->registry, observation, &writing->lines);
        return;
    }
    writing->group =
        mem_grow(writing->group, &writing->capacity, writing->count + 1, sizeof *writing->group);
    writing->group[writing->count++] = *observation;
}

/* Reads the bytes and gives what was read as lines. */
static struct buffer read_and_write(const void *bytes, size_t n, uint64_t *bad)
{
    struct registry *registry = registry_new();
    struct stream_faults faults = {0};
    struct writing writing = {.registry = registry};
    struct input *input;
    struct why why;
    struct observation observation;
    enum err err = input_open("/dev/null", &input, &why);
    assert(!err);
    struct stream *stream = log_stream_new(input, bytes, n, registry, &faults);
    buffer_puts(&writing.lines, "");
    while (stream->next(stream, &observation, &why) == 1)
        write_one(&writing, &observation);
    end_group(&writing);
    stream->close(stream);
    registry_free(registry);
    free(writing.group);
    *bad = faults.bad;
    return writing.lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    uint64_t bad;
    struct buffer first = read_and_write(bytes, n, &bad);
    struct buffer second = read_and_write(first.bytes, first.size, &bad);
    assert(bad == 0);
    assert(first.size == second.size && memcmp(first.bytes, second.bytes, first.size) == 0);
    buffer_done(&first);
    buffer_done(&second);
    return 0;
}
