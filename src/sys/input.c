#include "sys/input.h"

#include "base/mem.h"

#include <bzlib.h>
#include <errno.h>
#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum format { FORMAT_PLAIN, FORMAT_GZIP, FORMAT_BZIP2, FORMAT_ZSTD };

enum {
    BUFFER = 256 * 1024,
    HEAD = 10 /* bytes that tell the formats apart */
};

/* Compressed files are a row of units that stand alone: gzip members, bzip2 streams, zstd frames.
 */
struct input {
    char *name;
    int fd;
    enum format format;
    bool at_end;     /* the file has no more bytes than those in the buffer */
    bool in_unit;    /* a unit was begun and not ended */
    uint64_t unit;   /* file offset where it began */
    uint64_t loaded; /* bytes of the file read so far */
    uint64_t size;
    uint8_t *buffer; /* of BUFFER bytes; those from `at` to `end` are not yet used */
    size_t at;
    size_t end;
    struct inflate_state *gzip; /* the one of the format; NULL for the others */
    bz_stream *bzip2;
    ZSTD_DStream *zstd;
    struct why failure; /* once set, every further read gives it */
};

/* What one step of a decoder did. */
struct step {
    uint8_t *out;
    size_t room;
    size_t made;
};

static size_t buffered(const struct input *input)
{
    return input->end - input->at;
}

const char *input_name(const struct input *input)
{
    return input->name;
}

uint64_t input_consumed(const struct input *input)
{
    return input->loaded - buffered(input);
}

uint64_t input_size(const struct input *input)
{
    return input->size;
}

static enum err fail(struct input *input, enum err err, const char *what)
{
    return why_set(&input->failure, err, "%s: byte %llu: %s", input->name,
                   (unsigned long long)input_consumed(input), what);
}

static enum err fail_damaged(struct input *input, const char *format, const char *reason)
{
    return why_set(&input->failure, ERR_CORRUPT,
                   "%s: byte %llu: the %s data that begins at byte %llu is damaged: %s",
                   input->name, (unsigned long long)input_consumed(input), format,
                   (unsigned long long)input->unit, reason);
}

/* read(2) that waits: standard input may have been made non-blocking by whoever shares it. */
static ssize_t read_some(int fd, void *bytes, size_t capacity)
{
    for (;;) {
        ssize_t n = read(fd, bytes, capacity);
        if (n >= 0)
            return n;
        if (errno == EAGAIN)
            poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1);
        else if (errno != EINTR)
            return -1;
    }
}

/* Loads more bytes behind those in the buffer, until there are `want` or the file ends. */
static enum err load(struct input *input, size_t want)
{
    if (buffered(input) >= want || input->at_end)
        return ERR_OK;
    memmove(input->buffer, input->buffer + input->at, buffered(input));
    input->end = buffered(input);
    input->at = 0;
    while (input->end < want && !input->at_end) {
        ssize_t n = read_some(input->fd, input->buffer + input->end, BUFFER - input->end);
        if (n < 0)
            return fail(input, ERR_IO, strerror(errno));
        input->end += (size_t)n;
        input->loaded += (size_t)n;
        input->at_end = n == 0;
    }
    return ERR_OK;
}

/* The magic numbers of RFC 1952 (gzip, method deflate), bzip2 (with the first block's or the empty
 * stream's) and RFC 8878 (zstd, also a skippable frame). */
static enum format recognise(const uint8_t *b, size_t n)
{
    if (n >= 3 && memcmp(b, "\x1f\x8b\x08", 3) == 0)
        return FORMAT_GZIP;
    if (n >= 10 && memcmp(b, "BZh", 3) == 0 && b[3] >= '1' && b[3] <= '9' &&
        (memcmp(b + 4, "\x31\x41\x59\x26\x53\x59", 6) == 0 ||
         memcmp(b + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0))
        return FORMAT_BZIP2;
    if (n >= 4 && (memcmp(b, "\x28\xb5\x2f\xfd", 4) == 0 ||
                   ((b[0] & 0xf0) == 0x50 && memcmp(b + 1, "\x2a\x4d\x18", 3) == 0)))
        return FORMAT_ZSTD;
    return FORMAT_PLAIN;
}

static void start_decoder(struct input *input)
{
    switch (input->format) {
    case FORMAT_GZIP:
        input->gzip = mem_new(1, sizeof *input->gzip);
        isal_inflate_init(input->gzip);
        break;
    case FORMAT_BZIP2:
        input->bzip2 = mem_new(1, sizeof *input->bzip2);
        break;
    case FORMAT_ZSTD:
        input->zstd = ZSTD_createDStream();
        break;
    case FORMAT_PLAIN:
        break;
    }
}

static enum err open_file(const char *path, int *fd, uint64_t *size, struct why *why)
{
    *fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    if (*fd < 0 || fstat(*fd, &stat) < 0) {
        enum err err = errno == ENOENT ? ERR_NOT_FOUND : errno == EACCES ? ERR_DENIED : ERR_IO;
        return why_set(why, err, "%s: cannot be opened: %s", path, strerror(errno));
    }
    *size = S_ISREG(stat.st_mode) ? (uint64_t)stat.st_size : 0;
    if (!S_ISDIR(stat.st_mode))
        return ERR_OK;
    if (*fd != STDIN_FILENO)
        close(*fd);
    return why_set(why, ERR_IO, "%s: is a folder, not a file", path);
}

enum err input_open(const char *path, struct input **out, struct why *why)
{
    int fd;
    uint64_t size;
    enum err err = open_file(path, &fd, &size, why);
    if (err)
        return err;
    const char *name = fd == STDIN_FILENO ? "standard input" : path;
    struct input *input = mem_new(1, sizeof *input);
    input->name = mem_new(strlen(name) + 1, 1);
    memcpy(input->name, name, strlen(name));
    input->fd = fd;
    input->size = size;
    input->buffer = mem_new(BUFFER, 1);
    err = load(input, HEAD);
    if (err) {
        if (why)
            *why = input->failure;
        input_close(input);
        return err;
    }
    input->format = recognise(input->buffer, input->end);
    start_decoder(input);
    *out = input;
    return ERR_OK;
}

void input_close(struct input *input)
{
    if (!input)
        return;
    if (input->bzip2 && input->in_unit)
        BZ2_bzDecompressEnd(input->bzip2);
    free(input->bzip2);
    ZSTD_freeDStream(input->zstd);
    free(input->gzip);
    if (input->fd != STDIN_FILENO)
        close(input->fd);
    free(input->buffer);
    free(input->name);
    free(input);
}

static enum err step_plain(struct input *input, struct step *step)
{
    size_t n = buffered(input) < step->room ? buffered(input) : step->room;
    memcpy(step->out, input->buffer + input->at, n);
    input->at += n;
    step->made = n;
    return ERR_OK;
}

static const char *gzip_reason(int code)
{
    switch (code) {
    case ISAL_INVALID_BLOCK:
        return "a block that cannot be";
    case ISAL_INVALID_SYMBOL:
        return "a symbol that cannot be";
    case ISAL_INVALID_LOOKBACK:
        return "it refers to bytes before its beginning";
    case ISAL_INVALID_WRAPPER:
    case ISAL_UNSUPPORTED_METHOD:
        return "its header is wrong";
    case ISAL_INCORRECT_CHECKSUM:
        return "the checksum of its contents is wrong";
    default:
        return "it cannot be decompressed";
    }
}

static enum err step_gzip(struct input *input, struct step *step)
{
    struct inflate_state *state = input->gzip;
    if (!input->in_unit) {
        isal_inflate_reset(state);
        state->crc_flag = ISAL_GZIP;
    }
    state->next_in = input->buffer + input->at;
    state->avail_in = (uint32_t)buffered(input);
    state->next_out = step->out;
    state->avail_out = step->room < UINT_MAX ? (uint32_t)step->room : UINT_MAX;
    int code = isal_inflate(state);
    input->at = input->end - state->avail_in;
    step->made = (size_t)(state->next_out - step->out);
    if (code < 0)
        return fail_damaged(input, "gzip", gzip_reason(code));
    input->in_unit = state->block_state != ISAL_BLOCK_FINISH;
    return ERR_OK;
}

static enum err step_bzip2(struct input *input, struct step *step)
{
    bz_stream *state = input->bzip2;
    if (!input->in_unit) {
        *state = (bz_stream){0};
        if (BZ2_bzDecompressInit(state, 0, 0) != BZ_OK)
            return fail(input, ERR_LIMIT, "no memory for bzip2");
        input->in_unit = true;
    }
    state->next_in = (char *)(input->buffer + input->at);
    state->avail_in = (unsigned)buffered(input);
    state->next_out = (char *)step->out;
    state->avail_out = step->room < UINT_MAX ? (unsigned)step->room : UINT_MAX;
    unsigned room = state->avail_out;
    int code = BZ2_bzDecompress(state);
    input->at = input->end - state->avail_in;
    step->made = room - state->avail_out;
    if (code == BZ_STREAM_END) {
        BZ2_bzDecompressEnd(state);
        input->in_unit = false;
    } else if (code != BZ_OK) {
        return fail_damaged(input, "bzip2",
                            code == BZ_DATA_ERROR_MAGIC ? "its header is wrong"
                                                        : "a block or its checksum is wrong");
    }
    return ERR_OK;
}

static enum err step_zstd(struct input *input, struct step *step)
{
    ZSTD_inBuffer in = {input->buffer, input->end, input->at};
    ZSTD_outBuffer out = {step->out, step->room, 0};
    size_t code = ZSTD_decompressStream(input->zstd, &out, &in);
    input->at = in.pos;
    step->made = out.pos;
    if (ZSTD_isError(code))
        return fail_damaged(input, "zstd", ZSTD_getErrorName(code));
    input->in_unit = code != 0;
    return ERR_OK;
}

/* Between units: true if another one follows. Zero bytes there are padding, as tapes have it. */
static enum err find_unit(struct input *input, bool *found)
{
    enum err err;
    *found = false;
    while (!(err = load(input, HEAD)) && buffered(input) && input->buffer[input->at] == 0)
        input->at++;
    if (err || !buffered(input))
        return err;
    if (recognise(input->buffer + input->at, buffered(input)) != input->format)
        return fail(input, ERR_CORRUPT, "something else follows the compressed data");
    input->unit = input_consumed(input);
    *found = true;
    return ERR_OK;
}

static enum err decode(struct input *input, struct step *step)
{
    bool goes_on = true;
    while (step->made == 0) {
        enum err err = input->format == FORMAT_PLAIN || input->in_unit ? load(input, 1)
                                                                       : find_unit(input, &goes_on);
        if (err || !goes_on)
            return err;
        bool had_all = input->at_end && !buffered(input);
        err = input->format == FORMAT_PLAIN   ? step_plain(input, step)
              : input->format == FORMAT_GZIP  ? step_gzip(input, step)
              : input->format == FORMAT_BZIP2 ? step_bzip2(input, step)
                                              : step_zstd(input, step);
        if (err)
            return err;
        if (step->made == 0 && had_all)
            return input->in_unit
                       ? fail(input, ERR_CORRUPT, "the file ends in the middle of compressed data")
                       : ERR_OK;
    }
    return ERR_OK;
}

enum err input_read(struct input *input, void *bytes, size_t capacity, size_t *n, struct why *why)
{
    struct step step = {.out = bytes, .room = capacity};
    if (!input->failure.err && capacity)
        decode(input, &step);
    /* What was made before a failure is given first; the failure stays for the next call. */
    if (input->failure.err && step.made == 0) {
        if (why)
            *why = input->failure;
        return input->failure.err;
    }
    *n = step.made;
    return ERR_OK;
}
