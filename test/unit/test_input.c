/* sys/input: what comes out is what was compressed, however it was cut up and by whichever threads;
 * what is damaged says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bzip2_maker.h"
#include "packer.h"
#include "sys/interrupt.h"

#include <signal.h>

enum { ROOM = 4 << 20 };

static uint8_t packed[ROOM];

static void assert_reads(const void *file, size_t n, const struct buffer *want, size_t piece)
{
    for (size_t way = 0; way < WAYS; way++) {
        struct buffer got = {0};
        struct why why = {.text = ""};
        assert_int_equal(ways[way](file, n, piece, &got, &why), ERR_OK);
        assert_int_equal(got.size, want->size);
        if (want->size)
            assert_memory_equal(got.bytes, want->bytes, want->size);
        buffer_done(&got);
    }
}

/* What is read before the error, both ways the same; the text of the error is in `why`. */
static void assert_fails(const void *file, size_t n, enum err want, struct buffer *got,
                         struct why *why)
{
    for (size_t way = 0; way < WAYS; way++) {
        struct buffer bytes = {0};
        assert_int_equal(ways[way](file, n, 4096, &bytes, why), want);
        if (way > 0) {
            assert_int_equal(bytes.size, got->size);
            if (bytes.size)
                assert_memory_equal(bytes.bytes, got->bytes, got->size);
        }
        buffer_done(got);
        *got = bytes;
    }
}

static void test_formats(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 11, 1000, 65536, 700001, 3000000};
    static const size_t pieces[] = {1, 13, 4096, ROOM};
    for (size_t f = 0; f < PACKERS; f++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            struct buffer text = {0};
            fill(&text, sizes[s]);
            size_t n = packers[f](text.bytes ? text.bytes : "", text.size, packed);
            for (size_t p = 0; p < 4; p++)
                if (sizes[s] / pieces[p] < 1000000)
                    assert_reads(packed, n, &text, pieces[p]);
            buffer_done(&text);
        }
    }
}

/* Members, streams and frames one after the other, of all lengths, so that their borders meet the
 * decoder's own buffers everywhere; then zero padding. */
static void test_concatenated(void **state)
{
    (void)state;
    for (size_t f = FIRST_COMPRESSED; f < PACKERS; f++) {
        struct buffer file = {0}, text = {0}, part = {0};
        for (size_t size = 0; size < 500; size++) {
            buffer_clear(&part);
            fill(&part, size * size % 7000);
            size_t n = packers[f](part.bytes ? part.bytes : "", part.size, packed);
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
}

/* Zeros between units too, and more of them than are kept in memory. */
static void test_padding(void **state)
{
    (void)state;
    static const size_t paddings[] = {1, 4, 511, 70000, 5000001};
    for (size_t f = FIRST_COMPRESSED; f < PACKERS; f++) {
        for (size_t i = 0; i < sizeof paddings / sizeof *paddings; i++) {
            struct buffer file = {0}, want = {0};
            void *zeros = calloc(paddings[i], 1);
            size_t n = packers[f]("one", 3, packed);
            buffer_add(&file, packed, n);
            buffer_add(&file, zeros, paddings[i]);
            n = packers[f]("two", 3, packed);
            buffer_add(&file, packed, n);
            buffer_add(&file, zeros, paddings[i]);
            buffer_puts(&want, "onetwo");
            assert_reads(file.bytes, file.size, &want, 100);
            free(zeros);
            buffer_done(&file);
            buffer_done(&want);
        }
    }
}

/* Cut after each byte: what comes is the beginning of what was, and then there is an error that
 * names the file and where it ends. (The head that tells a format must be there.) */
static void test_truncated(void **state)
{
    (void)state;
    struct buffer text = {0};
    fill(&text, 1500);
    for (size_t f = FIRST_COMPRESSED; f < PACKERS; f++) {
        size_t n = packers[f](text.bytes, text.size, packed);
        for (size_t cut = 10; cut < n; cut++) {
            struct buffer got = {0};
            struct why why;
            char place[32];
            snprintf(place, sizeof place, ": byte %zu: ", cut);
            assert_fails(packed, cut, ERR_CORRUPT, &got, &why);
            assert_non_null(strstr(why.text, place));
            assert_true(got.size <= text.size);
            if (got.size)
                assert_memory_equal(got.bytes, text.bytes, got.size);
            buffer_done(&got);
        }
    }
    buffer_done(&text);
}

/* The same of a file of many blocks: all that end before the cut are given. */
static void test_truncated_blocks(void **state)
{
    (void)state;
    struct buffer text = {0};
    fill(&text, 1500000);
    for (size_t f = FIRST_COMPRESSED; f < PACKERS; f++) {
        size_t n = packers[f](text.bytes, text.size, packed);
        for (size_t cut = n - 1; cut > n / 11; cut -= n / 11) {
            struct buffer got = {0};
            struct why why;
            assert_fails(packed, cut, ERR_CORRUPT, &got, &why);
            assert_non_null(strstr(why.text, "the file ends in the middle"));
            assert_true(got.size <= text.size);
            assert_true(got.size + 400000 > text.size * cut / n);
            assert_memory_equal(got.bytes, text.bytes, got.size);
            buffer_done(&got);
        }
    }
    buffer_done(&text);
}

/* A sound unit, then one with a byte changed: all of the first is given, and the error follows. */
static void test_damaged(void **state)
{
    (void)state;
    struct buffer text = {0};
    fill(&text, 300000);
    for (size_t f = FIRST_COMPRESSED; f < PACKERS; f++) {
        size_t n = packers[f](text.bytes, text.size, packed);
        size_t all = n + packers[f](text.bytes, text.size, packed + n);
        if (packers[f] == pack_zstd) /* which has no checksum unless it is asked for */
            continue;
        for (size_t at = n + 20; at < all; at += (all - n) / 23) {
            packed[at] ^= 0x10;
            struct buffer got = {0};
            struct why why;
            assert_fails(packed, all, ERR_CORRUPT, &got, &why);
            assert_true(got.size >= text.size);
            assert_memory_equal(got.bytes, text.bytes, text.size);
            packed[at] ^= 0x10;
            buffer_done(&got);
        }
    }
    buffer_done(&text);
}

/* Of bzip2 it is known where the damaged block begins, and all blocks before it are whole. */
static void test_damaged_block(void **state)
{
    (void)state;
    struct buffer text = {0}, file = {0}, got = {0};
    struct why why;
    char place[128];
    fill(&text, 250000);
    for (int i = 0; i < 6; i++) {
        size_t n = pack_bzip2(text.bytes, text.size, packed);
        buffer_add(&file, packed, n);
    }
    size_t stream = file.size / 6;
    size_t damage = 4 * stream + 4 + 20; /* in the first block of the fifth stream */
    file.bytes[damage] ^= 0x40;
    assert_fails(file.bytes, file.size, ERR_CORRUPT, &got, &why);
    assert_int_equal(got.size, 4 * text.size);
    snprintf(place, sizeof place, ": byte %zu: the bzip2 data that begins at byte %zu is damaged",
             4 * stream + 4, 4 * stream);
    assert_non_null(strstr(why.text, place));
    for (size_t i = 0; i < 4; i++)
        assert_memory_equal(got.bytes + i * text.size, text.bytes, text.size);
    buffer_done(&text);
    buffer_done(&file);
    buffer_done(&got);
}

static void test_trailing_garbage(void **state)
{
    (void)state;
    static const char *const garbage[] = {"garbage",      "B",          "BZh9",  "BZh91AY&SX",
                                          "\x1f\x8b\x01", "\xfd\067zX", "(\xb5/"};
    for (size_t f = FIRST_COMPRESSED; f < PACKERS; f++) {
        for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
            size_t n = packers[f]("the text", 8, packed);
            memcpy(packed + n, garbage[i], strlen(garbage[i]));
            struct buffer got = {0};
            struct why why;
            char place[128];
            snprintf(place, sizeof place, ": byte %zu: something else", n);
            assert_fails(packed, n + strlen(garbage[i]), ERR_CORRUPT, &got, &why);
            assert_int_equal(got.size, 8);
            assert_memory_equal(got.bytes, "the text", 8);
            assert_non_null(strstr(why.text, place));
            buffer_done(&got);
        }
    }
}

/* ---- bzip2 as nobody writes it ---- */

/* Blocks that hold the numbers with which blocks and the ends of streams begin, hundreds of them. */
static void test_false_beginnings(void **state)
{
    (void)state;
    struct bzip2_maker maker = {0};
    struct buffer text = {0}, want = {0};
    fill(&text, 2000);
    make_stream_head(&maker, 1);
    for (unsigned i = 0; i < 60; i++) {
        struct bzip2_oddity odd = {.false_blocks = i * 7 % 300, .false_ends = i * 13 % 300};
        make_block(&maker, text.bytes, text.size, &odd);
        buffer_add(&want, text.bytes, text.size);
        if (i % 10 == 9) {
            make_stream_end(&maker);
            make_stream_head(&maker, 1 + i / 10);
        }
    }
    make_stream_end(&maker);
    assert_true(maker.bytes.size > 100000);
    assert_reads(maker.bytes.bytes, maker.bytes.size, &want, 5000);
    for (size_t cut = maker.bytes.size - 1; cut > 9973; cut -= 9973) {
        struct buffer got = {0};
        struct why why;
        assert_fails(maker.bytes.bytes, cut, ERR_CORRUPT, &got, &why);
        assert_int_equal(got.size % text.size, 0);
        assert_true(got.size <= want.size);
        buffer_done(&got);
    }
    buffer_done(&maker.bytes);
    buffer_done(&text);
    buffer_done(&want);
}

static void refuse(struct bzip2_maker *maker, size_t before, const char *reason)
{
    struct buffer got = {0};
    struct why why;
    assert_fails(maker->bytes.bytes, maker->bytes.size, ERR_CORRUPT, &got, &why);
    assert_int_equal(got.size, before);
    assert_non_null(strstr(why.text, reason));
    buffer_done(&got);
    buffer_done(&maker->bytes);
    *maker = (struct bzip2_maker){0};
}

static void test_refused(void **state)
{
    (void)state;
    static const struct bzip2_oddity none, wrong = {.has_wrong_crc = true},
                                           randomised = {.is_randomised = true};
    struct bzip2_maker maker = {0};
    make_stream_head(&maker, 1);
    make_block(&maker, "good", 4, &none);
    make_block(&maker, "bad", 3, &wrong);
    make_stream_end(&maker);
    refuse(&maker, 4, "the checksum of a block is wrong");

    make_stream_head(&maker, 1);
    make_block(&maker, "good", 4, &none);
    maker.crc ^= 1;
    make_stream_end(&maker);
    refuse(&maker, 4, "the checksum of its contents is wrong");

    make_stream_head(&maker, 1);
    make_block(&maker, "good", 4, &none);
    make_bits(&maker, 5, 3); /* what no block begins with */
    make_block(&maker, "good", 4, &none);
    make_stream_end(&maker);
    refuse(&maker, 4, "no block begins where one must");

    make_stream_head(&maker, 1);
    make_block(&maker, "good", 4, &none);
    make_block(&maker, "rand", 4, &randomised);
    make_stream_end(&maker);
    refuse(&maker, 4, "randomised");

    make_stream_head(&maker, 1);
    make_block(&maker, "good", 4, &none);
    make_block(&maker, "xaaaa", 5, &none);
    make_stream_end(&maker);
    refuse(&maker, 4, "in the middle of a run");
}

/* A block of 900,000 bytes in a stream that says it has none above 100,000. */
static void test_level(void **state)
{
    (void)state;
    struct buffer text = {0}, got = {0};
    struct why why;
    unsigned size = ROOM;
    fill(&text, 200000);
    assert_int_equal(
        BZ2_bzBuffToBuffCompress((char *)packed, &size, text.bytes, (unsigned)text.size, 9, 0, 0),
        BZ_OK);
    packed[3] = '2';
    assert_fails(packed, size, ERR_CORRUPT, &got, &why);
    assert_non_null(strstr(why.text, "longer than its stream allows"));
    packed[3] = '3';
    assert_reads(packed, size, &text, 65536);
    buffer_done(&got);
    buffer_done(&text);
}

/* An xz file whose header asks for 4 GiB. */
static void test_too_much_memory(void **state)
{
    (void)state;
    struct buffer got = {0};
    struct why why;
    size_t n = pack_xz("text", 4, packed);
    uint8_t *header = packed + 12; /* of the block: its size in words less one, ..., a checksum */
    size_t size = ((size_t)header[0] + 1) * 4;
    assert_int_equal(header[4],
                     0x21); /* LZMA2, behind two sizes; the size of its properties; they */
    header[6] = 40;
    uint32_t crc = lzma_crc32(header, size - 4, 0);
    for (size_t i = 0; i < 4; i++)
        header[size - 4 + i] = (uint8_t)(crc >> 8 * i);
    assert_fails(packed, n, ERR_LIMIT, &got, &why);
    assert_non_null(strstr(why.text, "more memory"));
    buffer_done(&got);
}

/* ---- places ---- */

static void test_standard_input(void **state)
{
    (void)state;
    size_t n = pack_zstd("from a pipe", 11, packed);
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

/* Puts what `bytes` are, and no end, before an input that is followed. */
static struct input *open_pipe(int ends[2], const char *bytes, size_t n)
{
    struct input *input;
    char path[64];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes, n), n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    assert_int_equal(input_open(path, &input, NULL), ERR_OK);
    return input;
}

struct waiter {
    int to;         /* where more is written when there is nothing; -1: nobody cares any more */
    bool is_signal; /* comes instead */
    unsigned calls;
};

static bool be_waited(void *context)
{
    struct waiter *waiter = context;
    waiter->calls++;
    if (waiter->is_signal)
        return raise(SIGTERM) == 0;
    return waiter->to >= 0 && write(waiter->to, "more", 4) == 4;
}

/* Whoever follows a pipe is told each time before it is waited for, and can end it; so can a signal, of
 * which only the first is caught. */
static void test_followed(void **state)
{
    (void)state;
    int ends[2];
    char text[64];
    size_t n;
    struct why why;
    struct input *input = open_pipe(ends, "that much, and", 14);
    struct waiter waiter = {.to = ends[1]};
    input_on_wait(input, be_waited, &waiter);
    assert_int_equal(input_read(input, text, sizeof text, &n, &why), ERR_OK);
    assert_int_equal(n, 14);
    assert_int_equal(waiter.calls, 0);
    assert_int_equal(input_read(input, text, sizeof text, &n, &why), ERR_OK);
    assert_memory_equal(text, "more", 4);
    assert_int_equal(waiter.calls, 1);
    waiter.to = -1;
    assert_int_equal(input_read(input, text, sizeof text, &n, &why), ERR_CLOSED);
    assert_int_equal(input_read(input, text, sizeof text, &n, &why), ERR_CLOSED);
    assert_false(interrupt_came());
    input_close(input);
    close(ends[0]);
    close(ends[1]);

    input = open_pipe(ends, "that much, and", 14);
    waiter.is_signal = true;
    input_on_wait(input, be_waited, &waiter);
    assert_int_equal(input_read(input, text, sizeof text, &n, &why), ERR_OK);
    assert_int_equal(input_read(input, text, sizeof text, &n, &why), ERR_CLOSED);
    assert_true(interrupt_came());
    struct sigaction now;
    assert_int_equal(sigaction(SIGINT, NULL, &now), 0);
    assert_true(now.sa_handler == SIG_DFL);
    input_close(input);
    close(ends[0]);
    close(ends[1]);
}

/* Of what is no pipe, or is decompressed by others, nobody is told. */
static void test_not_followed(void **state)
{
    (void)state;
    int ends[2];
    char text[64];
    size_t n = pack_zstd("packed", 6, packed), got;
    struct why why;
    struct waiter waiter = {.to = -1};
    struct input *input = open_pipe(ends, (const char *)packed, n);
    close(ends[1]);
    input_on_wait(input, be_waited, &waiter);
    assert_int_equal(input_read(input, text, sizeof text, &got, &why), ERR_OK);
    assert_int_equal(got, 6);
    assert_int_equal(input_read(input, text, sizeof text, &got, &why), ERR_OK);
    assert_int_equal(got, 0);
    assert_int_equal(waiter.calls, 0);
    input_close(input);
    close(ends[0]);
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
    assert_int_equal(input_open("/proc/self/mem", &input, &why), ERR_IO);
    assert_non_null(strstr(why.text, "/proc/self/mem: byte 0: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_concatenated),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_truncated_blocks),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_damaged_block),
        cmocka_unit_test(test_trailing_garbage),
        cmocka_unit_test(test_false_beginnings),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_level),
        cmocka_unit_test(test_too_much_memory),
        cmocka_unit_test(test_standard_input),
        cmocka_unit_test(test_not_followed),
        cmocka_unit_test(test_followed),
        cmocka_unit_test(test_cannot_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
