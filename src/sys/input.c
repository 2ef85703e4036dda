#include "sys/input.h"

#include "base/mem.h"
#include "sys/ahead.h"
#include "sys/interrupt.h"
#include "sys/unbzip2.h"

#include <stdlib.h>
#include <string.h>

/* Reading a larger plain file goes on beside its reader, too, which saves him the kernel's copying: a
 * table dump of 504 MB is counted in 0.245 s instead of 0.266 s. */
enum { PLAIN_ALONE = 8 * 1024 * 1024 };

struct input {
    struct intake intake;
    /* What decompresses it, at most one of them. */
    struct unpack *unpack;
    struct ahead *ahead;
    struct unbzip2 *unbzip2;
    struct chunk chunk; /* of the latter two */
    size_t used;        /* of the chunk */
    size_t look; /* bytes left to read until something is decompressed ahead; 0: it is, or never */
    bool has_failed; /* once it has, every further read tells of it */
};

const char *input_name(const struct input *input)
{
    return input->intake.name;
}

uint64_t input_size(const struct input *input)
{
    return input->intake.size;
}

/* While something is decompressed ahead the intake is not ours to look at. */
uint64_t input_consumed(const struct input *input)
{
    const struct chunk *chunk = &input->chunk;
    if (!input->ahead && !input->unbzip2)
        return intake_offset(&input->intake);
    if (!chunk->size)
        return chunk->until;
    return chunk->from + (chunk->until - chunk->from) * input->used / chunk->size;
}

static void start_ahead(struct input *input)
{
    input->look = 0;
    intake_widen(&input->intake);
    if (input->unbzip2)
        unbzip2_start(input->unbzip2);
    if (input->unpack) {
        input->chunk.until = intake_offset(&input->intake);
        input->ahead = ahead_new(&input->intake, input->unpack);
    }
    input->unpack = NULL;
}

/* A small file is not worth a thread, and of a plain pipe there is nothing to do ahead. */
static void start(struct input *input, size_t look)
{
    struct intake *intake = &input->intake;
    enum format format = format_of(intake->buffer + intake->at, intake_left(intake));
    if (format == FORMAT_BZIP2)
        input->unbzip2 = unbzip2_new(intake);
    else
        input->unpack = unpack_new(intake, format);
    uint64_t alone = format == FORMAT_PLAIN ? PLAIN_ALONE : INTAKE_FIRST;
    if (intake->is_file ? intake->size <= alone : format == FORMAT_PLAIN)
        return;
    input->look = look;
    if (!look)
        start_ahead(input);
}

static enum err open_input(const char *path, size_t look, struct input **out, struct why *why)
{
    struct input *input = mem_new(1, sizeof *input);
    enum err err = intake_open(path, &input->intake, why);
    if (err) {
        free(input);
        return err;
    }
    if (intake_load(&input->intake, FORMAT_HEAD) == FLOW_FAILED) {
        err = input->intake.failure.err;
        if (why)
            *why = input->intake.failure;
        input_close(input);
        return err;
    }
    start(input, look);
    *out = input;
    return ERR_OK;
}

enum err input_open(const char *path, struct input **out, struct why *why)
{
    return open_input(path, 0, out, why);
}

enum err input_open_to_look(const char *path, struct input **out, struct why *why)
{
    return open_input(path, INPUT_LOOK, out, why);
}

void input_close(struct input *input)
{
    if (!input)
        return;
    unbzip2_free(input->unbzip2);
    ahead_free(input->ahead);
    unpack_free(input->unpack);
    intake_done(&input->intake);
    free(input);
}

/* The pool must not be made to call anybody. */
void input_on_wait(struct input *input, bool (*wait)(void *context), void *context)
{
    if (!input->unpack || input->look || input->intake.is_file)
        return;
    interrupt_catch();
    input->intake.on_wait = wait;
    input->intake.context = context;
}

static enum flow next_chunk(struct input *input)
{
    struct chunk none = {.until = input->chunk.until};
    input->chunk = none;
    input->used = 0;
    enum flow flow = input->unbzip2 ? unbzip2_next(input->unbzip2, &input->chunk)
                                    : ahead_next(input->ahead, &input->chunk);
    if (flow == FLOW_END)
        input->chunk.until = intake_offset(&input->intake);
    return flow;
}

static enum flow read_chunks(struct input *input, uint8_t *bytes, size_t capacity, size_t *n)
{
    enum flow flow = input->used < input->chunk.size ? FLOW_OK : next_chunk(input);
    size_t left = input->chunk.size - input->used;
    *n = left < capacity ? left : capacity;
    if (*n)
        memcpy(bytes, input->chunk.bytes + input->used, *n);
    input->used += *n;
    return flow;
}

enum err input_read(struct input *input, void *bytes, size_t capacity, size_t *n, struct why *why)
{
    size_t made = 0;
    enum flow flow;
    if (input->has_failed)
        flow = FLOW_FAILED;
    else if (!capacity)
        flow = FLOW_END;
    else if (input->unpack)
        do
            flow = unpack_next(input->unpack, bytes, capacity, &made);
        while (flow == FLOW_OK && made == 0);
    else
        flow = read_chunks(input, bytes, capacity, &made);
    /* What was made before a failure is given first; the failure stays for the next call. */
    input->has_failed = flow == FLOW_FAILED;
    if (input->has_failed && made == 0) {
        if (why)
            *why = input->intake.failure;
        return input->intake.failure.err;
    }
    if (input->look && made >= input->look)
        start_ahead(input);
    else if (input->look)
        input->look -= made;
    *n = made;
    return ERR_OK;
}

size_t input_fill(struct input *input, void *bytes, size_t n, size_t capacity)
{
    size_t got = 1;
    while (n < capacity && got) {
        got = 0;
        if (input_read(input, (uint8_t *)bytes + n, capacity - n, &got, NULL))
            break;
        n += got;
    }
    return n;
}
