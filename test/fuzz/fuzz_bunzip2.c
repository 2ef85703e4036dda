/* base/bunzip2: of any block the same text as libbz2, or both refuse it. The bytes are a block behind
 * its first number, with a checksum that is put right here, since chance would never find it. */
#include "base/bunzip2.h"

#include "base/mem.h"

#include <assert.h>
#include <bzlib.h>
#include <isa-l/crc.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum {
    N_MAX = 200000,
    ROOM = 1 << 16,
    CRC_AT = 10, /* in a stream: "BZh9", the number, the checksum of the first block */
    HEAD = 14,
    END = 10 /* the number of the end and the stream's checksum */
};

static void put_bits(uint8_t *bytes, size_t bit, uint64_t value, unsigned count)
{
    while (count-- > 0) {
        unsigned shift = 7 - bit % 8;
        bytes[bit / 8] =
            (uint8_t)((bytes[bit / 8] & ~(1U << shift)) | (value >> count & 1) << shift);
        bit++;
    }
}

/* The stream, with its end where ours has found the block to end. */
static uint8_t *stream_of(const uint8_t *bytes, size_t n)
{
    uint8_t *stream = mem_new(HEAD + n + END + 1, 1);
    memcpy(stream, "BZh9\x31\x41\x59\x26\x53\x59", CRC_AT);
    memcpy(stream + HEAD, bytes, n);
    return stream;
}

static bool is_randomised(const uint8_t *bytes, size_t n)
{
    return n > 0 && bytes[0] >> 7;
}

/* An origin up to 10 above what a block can have, libbz2 refuses only at the block's end. */
static bool is_just_outside(const uint8_t *bytes, size_t n)
{
    uint32_t origin = 0;
    for (size_t i = 0; i < 4; i++)
        origin = origin << 8 | (i < n ? bytes[i] : 0);
    origin = origin >> 7 & 0xffffff;
    return origin >= BUNZIP2_TEXT_MAX && origin <= BUNZIP2_TEXT_MAX + 10;
}

/* How libbz2 ends, and that it gives nothing but what is expected. */
static int read_with_libbz2(const uint8_t *stream, size_t n, const struct bunzip2_block *block,
                            size_t *total)
{
    static uint8_t theirs[ROOM], ours[ROOM];
    bz_stream state = {0};
    struct bunzip2_runs runs = bunzip2_runs_of(block->text, block->size);
    int code = BZ2_bzDecompressInit(&state, 0, 0);
    assert(code == BZ_OK);
    state.next_in = (char *)(uintptr_t)stream;
    state.avail_in = (unsigned)n;
    *total = 0;
    do {
        state.next_out = (char *)theirs;
        state.avail_out = ROOM;
        code = BZ2_bzDecompress(&state);
        size_t made = ROOM - state.avail_out;
        *total += made;
        if (block->size) {
            assert(bunzip2_expand(&runs, ours, made) == made);
            assert(memcmp(ours, theirs, made) == 0);
        }
    } while (code == BZ_OK && (state.avail_in || !state.avail_out));
    BZ2_bzDecompressEnd(&state);
    return code;
}

static bool expand(const struct bunzip2_block *block, uint32_t *crc, size_t *total)
{
    static uint8_t room[ROOM];
    struct bunzip2_runs runs = bunzip2_runs_of(block->text, block->size);
    size_t made;
    *crc = 0;
    *total = 0;
    while ((made = bunzip2_expand(&runs, room, ROOM)) > 0) {
        *crc = crc32_ieee(*crc, room, made);
        *total += made;
    }
    return !runs.is_cut;
}

/* What ours accepts, theirs must, to the last byte. */
static void check_accepted(uint8_t *stream, size_t n, const struct bunzip2_block *block)
{
    uint32_t crc;
    size_t ours, theirs, end = 32 + block->bits;
    bool is_whole = expand(block, &crc, &ours);
    assert(block->size > 0 && block->size <= BUNZIP2_TEXT_MAX && end <= (HEAD + n) * 8);
    put_bits(stream, CRC_AT * 8, crc, 32);
    put_bits(stream, end, BUNZIP2_MAGIC_END, 48);
    put_bits(stream, end + 48, crc, 32);
    struct bunzip2_block none = {0};
    int code = read_with_libbz2(stream, (end + 80 + 7) / 8, is_whole ? block : &none, &theirs);
    assert(is_whole ? code == BZ_STREAM_END && ours == theirs : code == BZ_DATA_ERROR);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct bunzip2 *bunzip2;
    struct bunzip2_block block = {0}, none = {0};
    size_t theirs;
    if (n > N_MAX)
        return 0;
    if (!bunzip2)
        bunzip2 = bunzip2_new();
    uint8_t *stream = stream_of(bytes, n);
    enum bunzip2_result result = bunzip2_block(bunzip2, stream + 4, HEAD - 4 + n, 0, NULL, &block);
    if (result == BUNZIP2_OK) {
        check_accepted(stream, n, &block);
    } else if (!is_randomised(bytes, n)) {
        /* To see that a code is none, libbz2 takes a bit more than the longest has. */
        size_t more = result == BUNZIP2_DAMAGED;
        int code = read_with_libbz2(stream, HEAD + n + more, &none, &theirs);
        assert(theirs == 0);
        assert(code == (result == BUNZIP2_SHORT ? BZ_OK : BZ_DATA_ERROR) ||
               is_just_outside(bytes, n));
    }
    free(stream);
    return 0;
}
