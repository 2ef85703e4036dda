/* Makes bzip2 streams by hand, bit by bit: ones that no compressor writes, such as blocks with the number of
 * a block's beginning in the middle of them, and ones that are wrong in one place. All symbols have codes
 * of 9 bits, so that nothing depends on which table a selector selects. */
#ifndef TEST_BZIP2_MAKER_H
#define TEST_BZIP2_MAKER_H

#include "base/bunzip2.h"
#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

struct bzip2_maker {
    struct buffer bytes;
    unsigned filled; /* bits of the last byte */
    uint32_t crc;    /* of the stream so far */
};

/* What is different about a block. Zero is a block as it should be. */
struct bzip2_oddity {
    unsigned false_blocks; /* so many of these numbers in the list of selectors, */
    unsigned false_ends;   /* and so many of those */
    bool is_randomised;
    bool has_wrong_crc;
    bool has_wrong_origin;
    bool has_no_end; /* symbols, but not the last */
    unsigned tables; /* 0: six */
};

static void make_bits(struct bzip2_maker *maker, uint64_t value, unsigned count)
{
    while (count-- > 0) {
        if (maker->filled == 0)
            buffer_u8(&maker->bytes, 0);
        maker->bytes.bytes[maker->bytes.size - 1] |=
            (char)((value >> count & 1) << (7 - maker->filled));
        maker->filled = (maker->filled + 1) % 8;
    }
}

static void make_stream_head(struct bzip2_maker *maker, unsigned level)
{
    maker->filled = 0;
    maker->crc = 0;
    make_bits(maker, 0x425a68, 24);
    make_bits(maker, '0' + level, 8);
}

static void make_stream_end(struct bzip2_maker *maker)
{
    make_bits(maker, BUNZIP2_MAGIC_END, 48);
    make_bits(maker, maker->crc, 32);
    maker->filled = 0;
}

/* The checksum of the text with its runs expanded, without tables. */
static uint32_t make_crc(const uint8_t *text, size_t n)
{
    uint32_t crc = UINT32_MAX;
    size_t same = 0;
    for (size_t i = 0; i < n; i++) {
        size_t times = same == 4 ? text[i] : 1;
        uint8_t byte = same == 4 ? text[i - 1] : text[i];
        same = same == 4 ? 0 : i > 0 && same > 0 && text[i] == text[i - 1] ? same + 1 : 1;
        while (times-- > 0) {
            crc ^= (uint32_t)byte << 24;
            for (int bit = 0; bit < 8; bit++)
                crc = crc >> 31 ? crc << 1 ^ 0x04c11db7 : crc << 1;
        }
    }
    return ~crc;
}

static const uint8_t *make_text;
static size_t make_size;

static int make_compare(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    for (size_t i = 0; i < make_size; i++) {
        int order = make_text[(*x + i) % make_size] - make_text[(*y + i) % make_size];
        if (order)
            return order;
    }
    return *x < *y ? -1 : 1;
}

/* The last column of the sorted rotations, and which of them is the text. */
static uint32_t make_column(const uint8_t *text, size_t n, uint8_t *column)
{
    uint32_t *order = malloc(n * sizeof *order), origin = 0;
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    make_text = text;
    make_size = n;
    qsort(order, n, sizeof *order, make_compare);
    for (uint32_t i = 0; i < n; i++) {
        column[i] = text[(order[i] + n - 1) % n];
        origin = order[i] == 0 ? i : origin;
    }
    free(order);
    return origin;
}

static size_t make_bytes_that_occur(struct bzip2_maker *maker, const uint8_t *column, size_t n,
                                    uint8_t *front)
{
    bool occurs[256] = {false};
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        occurs[column[i]] = true;
    make_bits(maker, 0xffff, 16);
    for (unsigned byte = 0; byte < 256; byte++) {
        make_bits(maker, occurs[byte], 1);
        if (occurs[byte])
            front[count++] = (uint8_t)byte;
    }
    return count;
}

static void make_run(struct bzip2_maker *symbols, size_t run)
{
    for (; run > 0; run = (run - 1) / 2)
        make_bits(symbols, run % 2 ? 0 : 1, 9);
}

/* The symbols, 9 bits each; how many there are. */
static size_t make_symbols(struct bzip2_maker *symbols, const uint8_t *column, size_t n,
                           uint8_t *front, size_t count, bool has_end)
{
    size_t run = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned place = 0;
        while (front[place] != column[i])
            place++;
        run += place == 0;
        if (place == 0)
            continue;
        make_run(symbols, run);
        run = 0;
        make_bits(symbols, place + 1, 9);
        memmove(front + 1, front, place);
        front[0] = column[i];
    }
    make_run(symbols, run);
    if (has_end)
        make_bits(symbols, count + 1, 9);
    return (symbols->bytes.size * 8 - (8 - symbols->filled) % 8) / 9;
}

/* In unary, which the numbers are too if a 0 follows. Only how many zeros there are matters. */
static void make_selectors(struct bzip2_maker *maker, size_t count, const struct bzip2_oddity *odd)
{
    struct bzip2_maker list = {0};
    for (unsigned i = 0; i < odd->false_blocks; i++)
        make_bits(&list, BUNZIP2_MAGIC_BLOCK << 1, 49);
    for (unsigned i = 0; i < odd->false_ends; i++)
        make_bits(&list, BUNZIP2_MAGIC_END << 1, 49);
    size_t bits = (odd->false_blocks + odd->false_ends) * (size_t)49, zeros = 0;
    for (size_t i = 0; i < bits; i++)
        zeros += !(list.bytes.bytes[i / 8] >> (7 - i % 8) & 1);
    make_bits(maker, odd->tables ? odd->tables : 6, 3);
    make_bits(maker, zeros + count, 15);
    for (size_t i = 0; i < bits; i++)
        make_bits(maker, (uint64_t)list.bytes.bytes[i / 8] >> (7 - i % 8) & 1, 1);
    for (size_t i = 0; i < count; i++)
        make_bits(maker, 0, 1);
    buffer_done(&list.bytes);
}

/* A block of this text, whose runs are taken to be as they should be already. */
static void make_block(struct bzip2_maker *maker, const void *text, size_t n,
                       const struct bzip2_oddity *odd)
{
    struct bzip2_maker symbols = {0};
    uint8_t *column = malloc(n), front[256];
    uint32_t origin = make_column(text, n, column), crc = make_crc(text, n);
    maker->crc = (maker->crc << 1 | maker->crc >> 31) ^ crc;
    make_bits(maker, BUNZIP2_MAGIC_BLOCK, 48);
    make_bits(maker, odd->has_wrong_crc ? crc ^ 1 : crc, 32);
    make_bits(maker, odd->is_randomised, 1);
    make_bits(maker, odd->has_wrong_origin ? n : origin, 24);
    size_t bytes = make_bytes_that_occur(maker, column, n, front);
    size_t count = make_symbols(&symbols, column, n, front, bytes, !odd->has_no_end);
    make_selectors(maker, (count + 49) / 50, odd);
    for (unsigned table = 0; table < (odd->tables ? odd->tables : 6); table++) {
        make_bits(maker, 9, 5);
        for (size_t i = 0; i < bytes + 2; i++)
            make_bits(maker, 0, 1);
    }
    for (size_t i = 0; i < count * 9; i++)
        make_bits(maker, (uint64_t)symbols.bytes.bytes[i / 8] >> (7 - i % 8) & 1, 1);
    buffer_done(&symbols.bytes);
    free(column);
}

#endif
