/* base/bunzip2 with its runs and its search, base/bwt: the same text as libbz2 gives, of blocks of every
 * kind; what is wrong is refused, and nothing is taken for whole that is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bzip2_maker.h"

#include "base/bunzip2_search.h"

#include <bzlib.h>
#include <dirent.h>
#include <isa-l/crc.h>
#include <stdio.h>
#include <unistd.h>

static struct bunzip2 *bunzip2;

static int setup(void **state)
{
    (void)state;
    bunzip2 = bunzip2_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(bunzip2);
    return 0;
}

/* What libbz2 makes of all streams of a file; false if it refuses them. */
static bool read_with_libbz2(const void *bytes, size_t n, struct buffer *out)
{
    static char room[65536];
    bz_stream stream = {0};
    int code = BZ_STREAM_END;
    stream.next_in = (char *)(uintptr_t)bytes;
    stream.avail_in = (unsigned)n;
    while (code == BZ_OK || (code == BZ_STREAM_END && stream.avail_in)) {
        if (code == BZ_STREAM_END)
            assert_int_equal(BZ2_bzDecompressInit(&stream, 0, 0), BZ_OK);
        stream.next_out = room;
        stream.avail_out = sizeof room;
        code = BZ2_bzDecompress(&stream);
        buffer_add(out, room, sizeof room - stream.avail_out);
        if (code != BZ_OK)
            BZ2_bzDecompressEnd(&stream);
        else if (!stream.avail_in && stream.avail_out) {
            BZ2_bzDecompressEnd(&stream);
            return false;
        }
    }
    return code == BZ_STREAM_END;
}

static uint64_t bits_at(const uint8_t *bytes, size_t n, size_t bit, unsigned count)
{
    uint64_t value = 0;
    for (; count > 0; count--, bit++)
        value = value << 1 | (bit / 8 < n ? bytes[bit / 8] >> (7 - bit % 8) & 1 : 0);
    return value;
}

/* The block's text, expanded in pieces of `piece`; false if it is not as it says. */
static bool add_text(const struct bunzip2_block *block, size_t piece, struct buffer *out)
{
    struct bunzip2_runs runs = bunzip2_runs_of(block->text, block->size);
    uint8_t *room = malloc(piece);
    uint32_t crc = 0;
    size_t n;
    while ((n = bunzip2_expand(&runs, room, piece)) > 0) {
        crc = crc32_ieee(crc, room, n);
        buffer_add(out, room, n);
    }
    free(room);
    return !runs.is_cut && crc == block->crc;
}

/* The same as read_with_libbz2(), with ours. */
static bool read_with_ours(const uint8_t *bytes, size_t n, size_t piece, struct buffer *out,
                           const char **fault)
{
    size_t bit = 32;
    for (;;) {
        uint64_t magic = bits_at(bytes, n, bit, 48);
        struct bunzip2_block block;
        if (magic == BUNZIP2_MAGIC_END) {
            bit = (bit + 80 + 7) / 8 * 8;
            if (bit >= n * 8)
                return true;
            bit += 32;
            continue;
        }
        if (magic != BUNZIP2_MAGIC_BLOCK)
            return false;
        enum bunzip2_result result =
            bunzip2_block(bunzip2, bytes + bit / 8, n - bit / 8, bit % 8, NULL, &block);
        *fault = result == BUNZIP2_DAMAGED ? block.fault : NULL;
        if (result != BUNZIP2_OK || !add_text(&block, piece, out))
            return false;
        bit += block.bits;
    }
}

static void assert_same(const void *bytes, size_t n, size_t piece)
{
    struct buffer ours = {0}, theirs = {0};
    const char *fault = NULL;
    assert_true(read_with_libbz2(bytes, n, &theirs));
    assert_true(read_with_ours(bytes, n, piece, &ours, &fault));
    assert_int_equal(ours.size, theirs.size);
    if (ours.size)
        assert_memory_equal(ours.bytes, theirs.bytes, ours.size);
    buffer_done(&ours);
    buffer_done(&theirs);
}

static void assert_same_compressed(const void *text, size_t n, int level)
{
    unsigned size = (unsigned)(n + n / 50 + 1000);
    char *packed = malloc(size);
    assert_int_equal(
        BZ2_bzBuffToBuffCompress(packed, &size, (char *)(uintptr_t)text, (unsigned)n, level, 0, 0),
        BZ_OK);
    assert_same(packed, size, 65536);
    assert_same(packed, size, 1000003);
    free(packed);
}

static uint32_t next_random(uint32_t *x)
{
    *x ^= *x << 13, *x ^= *x >> 17, *x ^= *x << 5;
    return *x;
}

/* Lengths around a segment, a piece, a lane's share and a whole block, in each level. */
static void test_lengths(void **state)
{
    (void)state;
    static const size_t sizes[] = {1,      2,      63,     64,     65,     127,    128,   1023,
                                   1024,   1025,   8191,   8192,   8193,   99980,  99981, 99982,
                                   100000, 300001, 899980, 899981, 899982, 1800000};
    uint8_t *text = malloc(1800000);
    uint32_t x = 1;
    for (size_t i = 0; i < 1800000; i++)
        text[i] = (uint8_t)("abcdefgh ijklmnop"[next_random(&x) % 17]);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_same_compressed(text, sizes[i], 1 + (int)i % 9);
    for (int level = 1; level <= 9; level++)
        assert_same_compressed(text, 1000000, level);
    free(text);
}

/* Texts of one byte, of a few repeated, of runs of each length, of noise, of very little in much. */
static void test_kinds(void **state)
{
    (void)state;
    const size_t n = 1200000;
    uint8_t *text = calloc(n, 1);
    uint32_t x = 7;
    assert_same_compressed(text, n, 9);
    assert_same_compressed(text, 5000, 1);
    for (size_t period = 2; period < 10; period++) { /* a ring of links shorter than the text */
        for (size_t i = 0; i < n; i++)
            text[i] = (uint8_t)(i % period);
        assert_same_compressed(text, period * 11000, 1);
    }
    for (size_t i = 0, length = 1; i < n; length = length % 600 + 1)
        for (size_t k = 0; k < length && i < n; k++)
            text[i++] = (uint8_t)length;
    assert_same_compressed(text, n, 5);
    for (size_t i = 0; i < n; i++)
        text[i] = (uint8_t)next_random(&x);
    assert_same_compressed(text, n, 9);
    for (size_t i = 0; i < n; i++)
        text[i] = next_random(&x) % 5000 == 0;
    assert_same_compressed(text, n, 9);
    free(text);
}

/* Runs are expanded alike however small the pieces, and wherever a piece ends. */
static void test_pieces(void **state)
{
    (void)state;
    struct bzip2_maker maker = {0};
    static const char text[] = "aaaa\0bbbb\377c\0\0\0\0\4ddd\1\1\1\1\1\1\1\1\1\1eeeeeeeeee";
    static const struct bzip2_oddity none;
    make_stream_head(&maker, 9);
    make_block(&maker, text, sizeof text - 1, &none);
    make_stream_end(&maker);
    for (size_t piece = 1; piece < 300; piece++)
        assert_same(maker.bytes.bytes, maker.bytes.size, piece);
    buffer_done(&maker.bytes);
}

/* By hand: blocks at every bit, one after the other, in streams of their own or not. */
static void test_made_by_hand(void **state)
{
    (void)state;
    struct bzip2_maker maker = {0};
    static const struct bzip2_oddity none, with_numbers = {.false_blocks = 40, .false_ends = 40},
                                           two = {.tables = 2};
    for (unsigned i = 1; i < 60; i++) {
        uint8_t text[300];
        for (unsigned k = 0; k < i * 5; k++)
            text[k] = (uint8_t)(k * k / (i + 1) * 7);
        if (i % 7 == 1)
            make_stream_head(&maker, 1 + i % 9);
        make_block(&maker, text, i * 5, i % 3 == 0 ? &with_numbers : i % 3 == 1 ? &none : &two);
        if (i % 7 == 0)
            make_stream_end(&maker);
    }
    make_stream_end(&maker);
    assert_same(maker.bytes.bytes, maker.bytes.size, 1000);
    buffer_done(&maker.bytes);
}

static void refuse(const struct bzip2_oddity *odd, const char *text, size_t n, const char *reason)
{
    struct bzip2_maker maker = {0};
    struct buffer ours = {0}, theirs = {0};
    const char *fault = NULL;
    make_stream_head(&maker, 9);
    make_block(&maker, text, n, odd);
    make_stream_end(&maker);
    assert_false(
        read_with_ours((uint8_t *)maker.bytes.bytes, maker.bytes.size, 100, &ours, &fault));
    assert_int_equal(read_with_libbz2(maker.bytes.bytes, maker.bytes.size, &theirs),
                     odd->is_randomised);
    if (reason)
        assert_non_null(strstr(fault ? fault : "nothing", reason));
    buffer_done(&ours);
    buffer_done(&theirs);
    buffer_done(&maker.bytes);
}

static void test_refused(void **state)
{
    (void)state;
    refuse(&(struct bzip2_oddity){.is_randomised = true}, "text", 4, "randomised");
    refuse(&(struct bzip2_oddity){.has_wrong_crc = true}, "text", 4, NULL);
    refuse(&(struct bzip2_oddity){.has_wrong_origin = true}, "text", 4, "begins outside");
    refuse(&(struct bzip2_oddity){.tables = 1}, "text", 4, "number of code tables");
    refuse(&(struct bzip2_oddity){.tables = 7}, "text", 4, "number of code tables");
    refuse(&(struct bzip2_oddity){.has_no_end = true}, "text", 4, NULL);
    refuse(&(struct bzip2_oddity){0}, "xaaaa", 5, NULL); /* a run without its count */
}

/* With any byte changed there is the same text, or none of that block, as with libbz2. */
static void test_damaged(void **state)
{
    (void)state;
    char text[4000], packed[5000];
    unsigned size = sizeof packed;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "the quick brown fox"[i * i / 7 % 19];
    assert_int_equal(BZ2_bzBuffToBuffCompress(packed, &size, text, sizeof text, 1, 0, 0), BZ_OK);
    size_t refused = 0;
    for (size_t at = 10; at < size; at++) {
        for (int bit = 0; bit < 8; bit += 3) {
            struct buffer ours = {0}, theirs = {0};
            const char *fault;
            packed[at] ^= (char)(1 << bit);
            bool is_good = read_with_ours((uint8_t *)packed, size, 500, &ours, &fault);
            bool is_theirs = read_with_libbz2(packed, size, &theirs);
            if (at < size - 10) /* the stream's own checksum is not looked at here */
                assert_int_equal(is_good, is_theirs);
            if (is_theirs)
                assert_memory_equal(ours.bytes, theirs.bytes, sizeof text);
            refused += !is_theirs;
            packed[at] ^= (char)(1 << bit);
            buffer_done(&ours);
            buffer_done(&theirs);
        }
    }
    assert_true(refused > size);
}

/* Cut after each byte it says so, and never gives half a block. In memory of exactly that size. */
static void test_short(void **state)
{
    (void)state;
    char text[3000], packed[4000];
    unsigned size = sizeof packed;
    struct bunzip2_block block;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * i / 9 % 83);
    assert_int_equal(BZ2_bzBuffToBuffCompress(packed, &size, text, sizeof text, 1, 0, 0), BZ_OK);
    uint8_t *all = (uint8_t *)packed + 4;
    assert_int_equal(bunzip2_block(bunzip2, all, size - 4, 0, NULL, &block), BUNZIP2_OK);
    size_t whole = (block.bits + 7) / 8;
    for (size_t cut = 6; cut <= whole; cut++) {
        uint8_t *exact = malloc(cut);
        memcpy(exact, all, cut);
        assert_int_equal(bunzip2_block(bunzip2, exact, cut, 0, NULL, &block),
                         cut < whole ? BUNZIP2_SHORT : BUNZIP2_OK);
        free(exact);
    }
    atomic_bool stop = true;
    assert_int_equal(bunzip2_block(bunzip2, all, size - 4, 0, &stop, &block), BUNZIP2_STOPPED);
}

/* Each number is found at every bit, with every byte around it, however the bytes come. */
static void test_search(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 40; bit++) {
        for (size_t piece = 1; piece < 30; piece++) {
            struct bzip2_maker maker = {0};
            struct bunzip2_search search;
            size_t found = 0;
            for (size_t i = 0; i < bit; i++)
                make_bits(&maker, piece >> i % 5 & 1, 1);
            make_bits(&maker, BUNZIP2_MAGIC_END, 48);
            make_bits(&maker, BUNZIP2_MAGIC_BLOCK, 48);
            make_bits(&maker, BUNZIP2_MAGIC_BLOCK >> 1, 47); /* not quite */
            make_bits(&maker, piece, 9);
            make_bits(&maker, BUNZIP2_MAGIC_BLOCK, 48);
            bunzip2_search_init(&search, 1000);
            for (size_t at = 0; at < maker.bytes.size; at += piece) {
                size_t left = maker.bytes.size - at;
                bunzip2_search_feed(&search, (uint8_t *)maker.bytes.bytes + at,
                                    left < piece ? left : piece);
                for (size_t i = 0; i < search.count; i++, found++) {
                    static const size_t places[] = {0, 48, 48 + 48 + 47 + 9};
                    assert_true(found < 3);
                    assert_int_equal(search.found[i].bit, 8000 + bit + places[found]);
                    assert_int_equal(search.found[i].is_end, found == 0);
                }
            }
            assert_int_equal(found, 3);
            bunzip2_search_done(&search);
            buffer_done(&maker.bytes);
        }
    }
}

/* ---- real archives ---- */

static int compare_file(const char *path)
{
    struct buffer bytes = {0};
    static char room[65536];
    FILE *file = fopen(path, "rb");
    size_t n;
    assert_non_null(file);
    while ((n = fread(room, 1, sizeof room, file)) > 0)
        buffer_add(&bytes, room, n);
    fclose(file);
    struct buffer text = {0};
    if (read_with_libbz2(bytes.bytes, bytes.size, &text)) /* some samples are cut off */
        assert_same(bytes.bytes, bytes.size, 1 << 20);
    buffer_done(&text);
    buffer_done(&bytes);
    return 1;
}

static int compare_folder(const char *data, const char *name)
{
    char folder[4096], path[8192];
    int count = 0;
    snprintf(folder, sizeof folder, "%s/%s", data, name);
    DIR *entries = opendir(folder);
    struct dirent *entry;
    while (entries && count < 6 && (entry = readdir(entries))) {
        size_t length = strlen(entry->d_name);
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (length > 4 && strcmp(entry->d_name + length - 4, ".bz2") == 0)
            count += compare_file(path);
    }
    if (entries)
        closedir(entries);
    return count;
}

static void test_archives(void **state)
{
    (void)state;
    const char *data = getenv("LASTLIGHT_DATA");
    char beside[4096];
    const char *root = getenv("LASTLIGHT_ROOT");
    snprintf(beside, sizeof beside, "%s/../shared/data", root ? root : ".");
    data = data ? data : beside;
    if (compare_folder(data, "routeviews-2008-02-24") + compare_folder(data, "mrt-samples") == 0) {
        print_message("skipped: no archives in %s\n", data);
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),  cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_pieces),   cmocka_unit_test(test_made_by_hand),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_short),    cmocka_unit_test(test_search),
        cmocka_unit_test(test_archives),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
