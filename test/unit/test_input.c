/* sys/input: what comes out is what was compressed, however it was cut up; what is damaged says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "sys/input.h"

#include <bzlib.h>
#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum { ROOM = 1 << 20 };

struct file {
    char path[64];
};

static struct file file_of(const void *bytes, size_t n)
{
    struct file file = {"/tmp/lastlight-input-XXXXXX"};
    int fd = mkstemp(file.path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    close(fd);
    return file;
}

/* Text that compresses, but not to nothing. */
static void fill(struct buffer *out, size_t n)
{
    uint32_t x = 2463534242U;
    while (out->size < n) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        buffer_printf(out, "AS%u said %u; ", x % 1000, x);
    }
}

static size_t gzip(const void *in, size_t n, uint8_t *out)
{
    struct isal_zstream stream;
    isal_deflate_init(&stream);
    stream.gzip_flag = IGZIP_GZIP;
    stream.end_of_stream = 1;
    stream.next_in = (uint8_t *)(uintptr_t)in;
    stream.avail_in = (uint32_t)n;
    stream.next_out = out;
    stream.avail_out = ROOM;
    assert_int_equal(isal_deflate(&stream), COMP_OK);
    return stream.total_out;
}

static size_t bzip2(const void *in, size_t n, uint8_t *out)
{
    unsigned size = ROOM;
    assert_int_equal(
        BZ2_bzBuffToBuffCompress((char *)out, &size, (char *)(uintptr_t)in, (unsigned)n, 1, 0, 0),
        BZ_OK);
    return size;
}

static size_t zstd(const void *in, size_t n, uint8_t *out)
{
    size_t size = ZSTD_compress(out, ROOM, in, n, 3);
    assert_false(ZSTD_isError(size));
    return size;
}

static size_t plain(const void *in, size_t n, uint8_t *out)
{
    memcpy(out, in, n);
    return n;
}

static size_t (*const formats[])(const void *in, size_t n, uint8_t *out) = {plain, gzip, bzip2,
                                                                            zstd};

/* Reads all of it in pieces of `piece` bytes; the error that ended it, with its text in `why`. */
static enum err read_all(const char *path, size_t piece, struct buffer *out, struct why *why)
{
    struct input *input;
    enum err err = input_open(path, &input, why);
    if (err)
        return err;
    uint8_t *bytes = malloc(piece);
    size_t n = 0;
    while (!(err = input_read(input, bytes, piece, &n, why)) && n)
        buffer_add(out, bytes, n);
    if (err) /* it stays */
        assert_int_equal(input_read(input, bytes, piece, &n, NULL), err);
    else
        assert_int_equal(input_consumed(input), input_size(input));
    free(bytes);
    input_close(input);
    return err;
}

static void assert_reads(const void *file, size_t n, const struct buffer *want, size_t piece)
{
    struct file f = file_of(file, n);
    struct buffer got = {0};
    struct why why;
    assert_int_equal(read_all(f.path, piece, &got, &why), ERR_OK);
    assert_int_equal(got.size, want->size);
    if (want->size)
        assert_memory_equal(got.bytes, want->bytes, want->size);
    buffer_done(&got);
    unlink(f.path);
}

static void test_formats(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 11, 1000, 65536, 700001};
    static const size_t pieces[] = {1, 13, 4096, ROOM};
    uint8_t *packed = malloc(2 * ROOM);
    for (size_t f = 0; f < 4; f++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            struct buffer text = {0};
            fill(&text, sizes[s]);
            size_t n = formats[f](text.bytes ? text.bytes : "", text.size, packed);
            for (size_t p = 0; p < 4; p++)
                assert_reads(packed, n, &text, pieces[p]);
            buffer_done(&text);
        }
    }
    free(packed);
}

/* Members, streams and frames one after the other, of all lengths, so that their borders meet the
 * decoder's own buffers everywhere; then zero padding. */
static void test_concatenated(void **state)
{
    (void)state;
    uint8_t *packed = malloc(ROOM);
    for (size_t f = 1; f < 4; f++) {
        struct buffer file = {0}, text = {0}, part = {0};
        for (size_t size = 0; size < 500; size++) {
            buffer_clear(&part);
            fill(&part, size * size % 7000);
            size_t n = formats[f](part.bytes ? part.bytes : "", part.size, packed);
            buffer_add(&file, packed, n);
            buffer_add(&text, part.bytes, part.size);
        }
        assert_reads(file.bytes, file.size, &text, 4093);
        buffer_add(&file, "\0\0\0\0\0", 5);
        assert_reads(file.bytes, file.size, &text, ROOM);
        buffer_done(&file);
        buffer_done(&text);
        buffer_done(&part);
    }
    free(packed);
}

/* Cut after each byte: what comes is the beginning of what was, and then there is an error that
 * names the file and where it ends. (The head that tells a format must be there.) */
static void test_truncated(void **state)
{
    (void)state;
    uint8_t *packed = malloc(ROOM);
    struct buffer text = {0};
    fill(&text, 3000);
    for (size_t f = 1; f < 4; f++) {
        size_t n = formats[f](text.bytes, text.size, packed);
        for (size_t cut = 10; cut < n; cut++) {
            struct file file = file_of(packed, cut);
            struct buffer got = {0};
            struct why why;
            char place[32];
            snprintf(place, sizeof place, "byte %zu:", cut);
            assert_int_equal(read_all(file.path, 512, &got, &why), ERR_CORRUPT);
            assert_non_null(strstr(why.text, file.path));
            assert_non_null(strstr(why.text, place));
            assert_true(got.size <= text.size);
            if (got.size)
                assert_memory_equal(got.bytes, text.bytes, got.size);
            buffer_done(&got);
            unlink(file.path);
        }
    }
    buffer_done(&text);
    free(packed);
}

/* A sound unit, then one with a byte changed: all of the first is given, and the error follows. */
static void test_damaged(void **state)
{
    (void)state;
    uint8_t *packed = malloc(2 * ROOM);
    struct buffer text = {0};
    fill(&text, 300000);
    for (size_t f = 1; f < 3; f++) {
        size_t n = formats[f](text.bytes, text.size, packed);
        size_t all = n + formats[f](text.bytes, text.size, packed + n);
        for (size_t at = n + 20; at < all; at += (all - n) / 23) {
            packed[at] ^= 0x10;
            struct file file = file_of(packed, all);
            struct buffer got = {0};
            struct why why;
            assert_int_equal(read_all(file.path, 5000, &got, &why), ERR_CORRUPT);
            assert_true(got.size >= text.size);
            assert_memory_equal(got.bytes, text.bytes, text.size);
            assert_non_null(strstr(why.text, file.path));
            buffer_done(&got);
            unlink(file.path);
            packed[at] ^= 0x10;
        }
    }
    buffer_done(&text);
    free(packed);
}

static void test_trailing_garbage(void **state)
{
    (void)state;
    uint8_t *packed = malloc(ROOM);
    for (size_t f = 1; f < 4; f++) {
        size_t n = formats[f]("the text", 8, packed);
        memcpy(packed + n, "garbage", 7);
        struct file file = file_of(packed, n + 7);
        struct buffer got = {0};
        struct why why;
        char place[32];
        snprintf(place, sizeof place, "byte %zu:", n);
        assert_int_equal(read_all(file.path, 100, &got, &why), ERR_CORRUPT);
        assert_int_equal(got.size, 8);
        assert_memory_equal(got.bytes, "the text", 8);
        assert_non_null(strstr(why.text, place));
        buffer_done(&got);
        unlink(file.path);
    }
    free(packed);
}

static void test_standard_input(void **state)
{
    (void)state;
    uint8_t packed[1000];
    size_t n = zstd("from a pipe", 11, packed);
    int ends[2], kept = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], packed, n), n);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);

    struct input *input;
    struct why why;
    char text[64];
    size_t got;
    assert_int_equal(input_open("-", &input, &why), ERR_OK);
    assert_string_equal(input_name(input), "standard input");
    assert_int_equal(input_size(input), 0);
    assert_int_equal(input_read(input, text, sizeof text, &got, &why), ERR_OK);
    assert_int_equal(got, 11);
    assert_memory_equal(text, "from a pipe", 11);
    assert_int_equal(input_read(input, text, sizeof text, &got, &why), ERR_OK);
    assert_int_equal(got, 0);
    input_close(input);
    dup2(kept, STDIN_FILENO);
    close(kept);
}

static void test_cannot_open(void **state)
{
    (void)state;
    struct input *input;
    struct why why;
    assert_int_equal(input_open("/tmp/lastlight no such file", &input, &why), ERR_NOT_FOUND);
    assert_non_null(strstr(why.text, "/tmp/lastlight no such file"));
    assert_int_equal(input_open("/tmp", &input, &why), ERR_IO);
    assert_non_null(strstr(why.text, "is a folder"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),          cmocka_unit_test(test_concatenated),
        cmocka_unit_test(test_truncated),        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_trailing_garbage), cmocka_unit_test(test_standard_input),
        cmocka_unit_test(test_cannot_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
