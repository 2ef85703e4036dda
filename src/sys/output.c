#include "sys/output.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum { CHUNK = 64 * 1024, LEVEL_GZIP = 1, LEVEL_ZSTD = 3 };

struct output {
    int fd;
    char *path;      /* as given */
    char *temporary; /* where it is written until it is complete; NULL: at its place */
    struct isal_zstream *gzip;
    uint8_t *gzip_memory;
    ZSTD_CStream *zstd;
    uint8_t packed[CHUNK];
};

static const char *name_of(const struct output *output)
{
    return strcmp(output->path, "-") == 0 ? "standard output" : output->path;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

static char *copy_text(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    char *copy = mem_new(n + m + 1, 1);
    memcpy(copy, text, n);
    memcpy(copy + n, end, m);
    return copy;
}

static enum err say(const struct output *output, int error, struct why *why)
{
    if (error == EPIPE)
        return why_set(why, ERR_CLOSED, "%s: closed by its reader", name_of(output));
    if (error == ENOSPC || error == EDQUOT)
        return why_set(why, ERR_FULL, "%s: no space left to write it; free some and try again",
                       name_of(output));
    return why_set(why, ERR_IO, "%s: cannot write: %s", name_of(output), strerror(error));
}

/* Only a regular file, or one that is still to be made, can be moved into place. */
static bool is_replaceable(const char *path)
{
    struct stat status;
    return lstat(path, &status) != 0 || S_ISREG(status.st_mode);
}

static bool is_database(const char *path)
{
    static const char magic[16] = "SQLite format 3";
    char start[sizeof magic];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    ssize_t n = pread(fd, start, sizeof start, 0);
    close(fd);
    return n == (ssize_t)sizeof start && memcmp(start, magic, sizeof magic) == 0;
}

static enum err open_file(struct output *output, struct why *why)
{
    if (strcmp(output->path, "-") == 0) {
        output->fd = STDOUT_FILENO;
        return ERR_OK;
    }
    if (is_database(output->path))
        return why_set(why, ERR_USAGE,
                       "%s: is a database, and is not written over; give another path",
                       output->path);
    if (is_replaceable(output->path))
        output->temporary = copy_text(output->path, ".part");
    const char *path = output->temporary ? output->temporary : output->path;
    output->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (output->fd < 0)
        return why_set(why, errno == EACCES || errno == EROFS ? ERR_DENIED : ERR_IO,
                       "%s: cannot be made: %s", path, strerror(errno));
    return ERR_OK;
}

static void open_packer(struct output *output)
{
    if (ends_with(output->path, ".gz")) {
        output->gzip = mem_new(1, sizeof *output->gzip);
        output->gzip_memory = mem_new(1, ISAL_DEF_LVL1_DEFAULT);
        isal_deflate_init(output->gzip);
        output->gzip->level = LEVEL_GZIP;
        output->gzip->level_buf = output->gzip_memory;
        output->gzip->level_buf_size = ISAL_DEF_LVL1_DEFAULT;
        output->gzip->gzip_flag = IGZIP_GZIP;
    } else if (ends_with(output->path, ".zst")) {
        output->zstd = ZSTD_createCStream();
        assert(output->zstd);
        ZSTD_CCtx_setParameter(output->zstd, ZSTD_c_compressionLevel, LEVEL_ZSTD);
        ZSTD_CCtx_setParameter(output->zstd, ZSTD_c_checksumFlag, 1);
    }
}

static void free_output(struct output *output)
{
    free(output->gzip);
    free(output->gzip_memory);
    ZSTD_freeCStream(output->zstd);
    free(output->path);
    free(output->temporary);
    free(output);
}

enum err output_open(const char *path, struct output **out, struct why *why)
{
    struct output *output = mem_new(1, sizeof *output);
    output->path = copy_text(path, "");
    enum err err = open_file(output, why);
    if (err) {
        free_output(output);
        return err;
    }
    open_packer(output);
    *out = output;
    return ERR_OK;
}

static enum err write_plain(struct output *output, const void *bytes, size_t n, struct why *why)
{
    const uint8_t *at = bytes;
    while (n > 0) {
        ssize_t written = write(output->fd, at, n);
        if (written < 0 && errno == EAGAIN) { /* somebody made our standard output non-blocking */
            struct pollfd ready = {.fd = output->fd, .events = POLLOUT};
            poll(&ready, 1, -1);
            continue;
        }
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return say(output, errno, why);
        at += written;
        n -= (size_t)written;
    }
    return ERR_OK;
}

static enum err write_gzip(struct output *output, const void *bytes, size_t n, bool is_end,
                           struct why *why)
{
    struct isal_zstream *stream = output->gzip;
    uint8_t nothing = 0;
    stream->next_in = n ? (uint8_t *)(uintptr_t)bytes : &nothing; /* it is only read */
    stream->avail_in = (uint32_t)n;
    stream->end_of_stream = is_end;
    stream->flush = NO_FLUSH;
    do {
        stream->next_out = output->packed;
        stream->avail_out = sizeof output->packed;
        int result = isal_deflate(stream);
        assert(result == COMP_OK);
        enum err err =
            write_plain(output, output->packed, sizeof output->packed - stream->avail_out, why);
        if (err)
            return err;
    } while (stream->avail_out == 0 || (is_end && stream->internal_state.state != ZSTATE_END));
    return ERR_OK;
}

static enum err write_zstd(struct output *output, const void *bytes, size_t n, bool is_end,
                           struct why *why)
{
    ZSTD_inBuffer in = {bytes, n, 0};
    size_t left;
    do {
        ZSTD_outBuffer packed = {output->packed, sizeof output->packed, 0};
        left =
            ZSTD_compressStream2(output->zstd, &packed, &in, is_end ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return why_set(why, ERR_IO, "%s: %s", name_of(output), ZSTD_getErrorName(left));
        enum err err = write_plain(output, output->packed, packed.pos, why);
        if (err)
            return err;
    } while (is_end ? left > 0 : in.pos < in.size);
    return ERR_OK;
}

static enum err write_any(struct output *output, const void *bytes, size_t n, bool is_end,
                          struct why *why)
{
    if (output->gzip)
        return write_gzip(output, bytes, n, is_end, why);
    if (output->zstd)
        return write_zstd(output, bytes, n, is_end, why);
    return write_plain(output, bytes, n, why);
}

enum err output_write(struct output *output, const void *bytes, size_t n, struct why *why)
{
    const uint8_t *at = bytes;
    while (n > 0) { /* the packers count with 32 bits */
        size_t part = n < CHUNK ? n : CHUNK;
        enum err err = write_any(output, at, part, false, why);
        if (err)
            return err;
        at += part;
        n -= part;
    }
    return ERR_OK;
}

/* Standard output stays open for the process, but errors that only closing tells must be heard. */
static enum err close_file(struct output *output, enum err err, struct why *why)
{
    int fd = output->fd == STDOUT_FILENO ? dup(STDOUT_FILENO) : output->fd;
    if (!err && output->temporary && fsync(fd) != 0)
        err = say(output, errno, why);
    if (fd >= 0 && close(fd) != 0 && !err)
        err = say(output, errno, why);
    if (!output->temporary)
        return err;
    if (!err && rename(output->temporary, output->path) != 0)
        err = why_set(why, ERR_IO, "%s: cannot be put in its place: %s", output->path,
                      strerror(errno));
    if (err)
        unlink(output->temporary);
    return err;
}

enum err output_close(struct output *output, enum err err, struct why *why)
{
    if (!err && (output->gzip || output->zstd))
        err = write_any(output, NULL, 0, true, why);
    err = close_file(output, err, why);
    free_output(output);
    return err;
}

bool stdout_is_terminal(void)
{
    return isatty(STDOUT_FILENO) == 1;
}

bool stderr_is_terminal(void)
{
    return isatty(STDERR_FILENO) == 1;
}

int stdout_columns(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
        return 80;
    return size.ws_col;
}

void output_ignore_closed_pipes(void)
{
    signal(SIGPIPE, SIG_IGN);
}

void output_hold_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0) /* open() takes the lowest that is free: this one */
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}
