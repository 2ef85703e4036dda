/* Packs bytes in every format that sys/input reads, and reads files and pipes of them whole. */
#ifndef TEST_PACKER_H
#define TEST_PACKER_H

#include "base/buffer.h"
#include "sys/input.h"

#include <bzlib.h>
#include <isa-l/igzip_lib.h>
#include <lzma.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

/* What `out` must have room for. */
static inline size_t packed_max(size_t n)
{
    return n + n / 8 + 4096;
}

static inline size_t pack_plain(const void *in, size_t n, uint8_t *out)
{
    memcpy(out, in, n);
    return n;
}

static inline size_t pack_gzip(const void *in, size_t n, uint8_t *out)
{
    struct isal_zstream stream;
    isal_deflate_init(&stream);
    stream.gzip_flag = IGZIP_GZIP;
    stream.end_of_stream = 1;
    stream.next_in = (uint8_t *)(uintptr_t)in;
    stream.avail_in = (uint32_t)n;
    stream.next_out = out;
    stream.avail_out = (uint32_t)packed_max(n);
    assert_int_equal(isal_deflate(&stream), COMP_OK);
    return stream.total_out;
}

static inline size_t pack_bzip2(const void *in, size_t n, uint8_t *out)
{
    unsigned size = (unsigned)packed_max(n);
    assert_int_equal(
        BZ2_bzBuffToBuffCompress((char *)out, &size, (char *)(uintptr_t)in, (unsigned)n, 1, 0, 0),
        BZ_OK);
    return size;
}

static inline size_t pack_zstd(const void *in, size_t n, uint8_t *out)
{
    size_t size = ZSTD_compress(out, packed_max(n), in, n, 3);
    assert_false(ZSTD_isError(size));
    return size;
}

static inline size_t pack_xz(const void *in, size_t n, uint8_t *out)
{
    size_t size = 0;
    assert_int_equal(
        lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, in, n, out, &size, packed_max(n)),
        LZMA_OK);
    return size;
}

enum { PACKERS = 5, FIRST_COMPRESSED = 1, GZIP = 1, BZIP2 = 2 };

static size_t (*const packers[PACKERS])(const void *in, size_t n, uint8_t *out) = {
    pack_plain, pack_gzip, pack_bzip2, pack_zstd, pack_xz};

/* Text that compresses, but not to nothing; the same whenever it is asked for. */
static inline void fill(struct buffer *out, size_t n)
{
    uint32_t x = 2463534242U;
    while (out->size < n) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        buffer_printf(out, "AS%u said %u; ", x % 1000, x);
    }
}

struct file {
    char path[64];
};

static inline struct file file_of(const void *bytes, size_t n)
{
    struct file file = {"/tmp/lastlight-input-XXXXXX"};
    int fd = mkstemp(file.path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    close(fd);
    return file;
}

/* A pipe whose other end is written by a thread and then closed. */
struct pipe {
    char path[64];
    int ends[2];
    const uint8_t *bytes;
    size_t n;
    pthread_t writer;
};

static inline void *write_pipe(void *context)
{
    struct pipe *p = context;
    for (size_t at = 0; at < p->n;) {
        ssize_t wrote = write(p->ends[1], p->bytes + at, p->n - at);
        if (wrote < 0)
            break; /* the reader went away */
        at += (size_t)wrote;
    }
    close(p->ends[1]);
    return NULL;
}

static inline void pipe_open(struct pipe *p, const void *bytes, size_t n)
{
    signal(SIGPIPE, SIG_IGN); /* a reader that fails goes away early */
    p->bytes = bytes;
    p->n = n;
    assert_int_equal(pipe(p->ends), 0);
    snprintf(p->path, sizeof p->path, "/proc/self/fd/%d", p->ends[0]);
    assert_int_equal(pthread_create(&p->writer, NULL, write_pipe, p), 0);
}

static inline void pipe_close(struct pipe *p)
{
    close(p->ends[0]);
    pthread_join(p->writer, NULL);
}

/* Reads all of it in pieces of `piece` bytes; the error that ended it, with its text in `why`. */
static inline enum err read_opened(struct input *input, size_t piece, struct buffer *out,
                                   struct why *why)
{
    enum err err;
    uint8_t *bytes = malloc(piece);
    size_t n = 0;
    uint64_t consumed = 0;
    while (!(err = input_read(input, bytes, piece, &n, why)) && n) {
        buffer_add(out, bytes, n);
        assert_true(input_consumed(input) >= consumed);
        consumed = input_consumed(input);
    }
    if (err) /* it stays */
        assert_int_equal(input_read(input, bytes, piece, &n, NULL), err);
    else if (input_size(input))
        assert_int_equal(input_consumed(input), input_size(input));
    free(bytes);
    input_close(input);
    return err;
}

static inline enum err read_all(const char *path, size_t piece, struct buffer *out, struct why *why)
{
    struct input *input;
    enum err err = input_open(path, &input, why);
    return err ? err : read_opened(input, piece, out, why);
}

/* The same through a pipe, which is always decompressed by the threads; files may be too small. */
static inline enum err read_piped(const void *bytes, size_t n, size_t piece, struct buffer *out,
                                  struct why *why)
{
    struct pipe p;
    pipe_open(&p, bytes, n);
    enum err err = read_all(p.path, piece, out, why);
    pipe_close(&p);
    return err;
}

static inline enum err read_filed(const void *bytes, size_t n, size_t piece, struct buffer *out,
                                  struct why *why)
{
    struct file f = file_of(bytes, n);
    enum err err = read_all(f.path, piece, out, why);
    unlink(f.path);
    return err;
}

static inline enum err read_looked(const void *bytes, size_t n, size_t piece, struct buffer *out,
                                   struct why *why)
{
    struct file f = file_of(bytes, n);
    struct input *input;
    enum err err = input_open_to_look(f.path, &input, why);
    err = err ? err : read_opened(input, piece, out, why);
    unlink(f.path);
    return err;
}

static enum err (*const ways[])(const void *bytes, size_t n, size_t piece, struct buffer *out,
                                struct why *why) = {read_filed, read_piped, read_looked};
enum { WAYS = 3 };

#endif
