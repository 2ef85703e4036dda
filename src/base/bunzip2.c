/* A block, in the order of its bits:
 *
 *     magic 48, crc 32, randomised 1, origin 24
 *     which bytes occur: 16 bits for groups of 16, then 16 bits for each group that has some
 *     number of tables 3, number of selectors 15, the selectors (unary, by move to front)
 *     for each table the lengths of its codes (5 bits, then steps of 1 up or down)
 *     symbols, each 50 of them with the table that the next selector names
 *
 * The symbols are the last column of the sorted rotations of the text (Burrows, Wheeler 1994), moved
 * to front; two symbols are the digits of how often the byte at the front is repeated. */
#include "base/bunzip2.h"

#include "base/bwt.h"
#include "base/mem.h"

#include <limits.h>
#include <string.h>

enum {
    SYMBOLS_MAX = 258, /* 256 bytes less the one that is at the front, two digits, the end */
    TABLES_MAX = 6,
    CODE_MAX = 20,    /* bits of the longest code */
    FAST = 10,        /* bits that are looked up at once */
    GROUP = 50,       /* symbols to a selector */
    SELECTORS = 18002 /* those of a full block; more are passed over */
};

struct table {
    uint16_t fast[1 << FAST];      /* symbol << 5 | length; 0 for longer codes and none */
    int32_t limit[CODE_MAX + 1];   /* the highest code of each length */
    int32_t base[CODE_MAX + 1];    /* code - base: place in `symbols` */
    uint16_t symbols[SYMBOLS_MAX]; /* by code */
};

struct bits {
    const uint8_t *bytes;
    size_t n;
    size_t at;       /* the next byte for the buffer; behind n there are zeros, and it goes on */
    uint64_t buffer; /* its highest bits are next */
    unsigned count;
};

struct bunzip2 {
    struct bits in;
    const char *fault;
    bool is_stopped;
    uint32_t origin;
    size_t size;
    unsigned byte_count; /* different bytes that occur */
    unsigned table_count;
    size_t selector_count;
    uint8_t bytes[256]; /* that occur, the one at the front first */
    uint8_t selectors[SELECTORS];
    struct table tables[TABLES_MAX];
    uint32_t counts[256];
    struct bwt bwt;
    uint8_t column[BUNZIP2_TEXT_MAX]; /* the last column; then the text */
};

struct bunzip2 *bunzip2_new(void)
{
    size_t capacity = 0; /* not zeroed: a short block should touch little of it */
    return mem_grow(NULL, &capacity, sizeof(struct bunzip2), 1);
}

/* ---- bits ---- */

/* At least 56 bits in the buffer. Behind the end they are zeros; is_short() tells. */
static inline void refill(struct bits *in)
{
    if (in->at + 8 <= in->n) {
        const uint8_t *b = in->bytes + in->at;
        uint64_t word = (uint64_t)b[0] << 56 | (uint64_t)b[1] << 48 | (uint64_t)b[2] << 40 |
                        (uint64_t)b[3] << 32 | (uint64_t)b[4] << 24 | (uint64_t)b[5] << 16 |
                        (uint64_t)b[6] << 8 | b[7];
        in->buffer |= word >> in->count;
        in->at += (63 - in->count) >> 3;
        in->count |= 56;
        return;
    }
    for (; in->count <= 56; in->count += 8, in->at++)
        if (in->at < in->n)
            in->buffer |= (uint64_t)in->bytes[in->at] << (56 - in->count);
}

static inline void drop(struct bits *in, unsigned count)
{
    in->buffer <<= count;
    in->count -= count;
}

/* Up to 32 bits. */
static inline uint32_t take(struct bits *in, unsigned count)
{
    if (in->count < count)
        refill(in);
    uint32_t value = (uint32_t)(in->buffer >> (64 - count));
    drop(in, count);
    return value;
}

static size_t bits_taken(const struct bits *in)
{
    return in->at * 8 - in->count;
}

static bool is_short(const struct bits *in)
{
    return bits_taken(in) > in->n * 8;
}

static bool fail(struct bunzip2 *b, const char *fault)
{
    b->fault = fault;
    return false;
}

/* ---- what stands before the symbols ---- */

static bool read_bytes_that_occur(struct bunzip2 *b)
{
    uint32_t groups = take(&b->in, 16);
    b->byte_count = 0;
    for (unsigned group = 0; group < 16; group++) {
        uint32_t some = groups >> (15 - group) & 1 ? take(&b->in, 16) : 0;
        for (unsigned i = 0; i < 16; i++)
            if (some >> (15 - i) & 1)
                b->bytes[b->byte_count++] = (uint8_t)(group * 16 + i);
    }
    return b->byte_count > 0 || fail(b, "a block uses no bytes");
}

static bool read_selectors(struct bunzip2 *b)
{
    uint8_t order[TABLES_MAX] = {0, 1, 2, 3, 4, 5};
    b->table_count = take(&b->in, 3);
    if (b->table_count < 2 || b->table_count > TABLES_MAX)
        return fail(b, "a block has an impossible number of code tables");
    b->selector_count = take(&b->in, 15);
    if (b->selector_count < 1)
        return fail(b, "a block selects no code tables");
    for (size_t i = 0; i < b->selector_count; i++) {
        unsigned place = 0;
        while (take(&b->in, 1))
            if (++place >= b->table_count)
                return fail(b, "a block selects a code table that it does not have");
        uint8_t table = order[place];
        memmove(order + 1, order, place);
        order[0] = table;
        if (i < SELECTORS)
            b->selectors[i] = table;
    }
    if (b->selector_count > SELECTORS)
        b->selector_count = SELECTORS;
    return true;
}

static bool read_lengths(struct bunzip2 *b, uint8_t *lengths, unsigned symbols)
{
    unsigned length = take(&b->in, 5);
    for (unsigned symbol = 0; symbol < symbols; symbol++) {
        for (;;) {
            if (length < 1 || length > CODE_MAX)
                return fail(b, "a code of a block is of an impossible length");
            if (!take(&b->in, 1))
                break;
            length += take(&b->in, 1) ? UINT_MAX : 1;
        }
        lengths[symbol] = (uint8_t)length;
        if (is_short(&b->in))
            return false;
    }
    return true;
}

static void enter_fast(struct table *table, uint32_t code, unsigned length, unsigned symbol)
{
    uint16_t entry = (uint16_t)(symbol << 5 | length);
    size_t first = (size_t)code << (FAST - length);
    for (size_t i = 0; i < (size_t)1 << (FAST - length); i++)
        table->fast[first + i] = entry;
}

/* Codes are given in order of length, then of symbol. Nothing says that they must fit or fill the
 * space: those that do not fit can never occur, and what has no code is refused where it occurs. */
static void make_table(struct table *table, const uint8_t *lengths, unsigned symbols)
{
    uint32_t code = 0, place = 0;
    memset(table->fast, 0, sizeof table->fast);
    for (unsigned length = 1; length <= CODE_MAX; length++, code <<= 1) {
        table->base[length] = (int32_t)code - (int32_t)place;
        for (unsigned symbol = 0; symbol < symbols; symbol++) {
            if (lengths[symbol] != length)
                continue;
            table->symbols[place++] = (uint16_t)symbol;
            if (length <= FAST && code < (uint32_t)1 << length)
                enter_fast(table, code, length, symbol);
            code++;
        }
        table->limit[length] = (int32_t)code - 1;
    }
}

static bool read_tables(struct bunzip2 *b)
{
    uint8_t lengths[SYMBOLS_MAX];
    unsigned symbols = b->byte_count + 2;
    for (unsigned i = 0; i < b->table_count; i++) {
        if (!read_lengths(b, lengths, symbols))
            return false;
        make_table(&b->tables[i], lengths, symbols);
    }
    return true;
}

/* ---- symbols ---- */

/* The next symbol; SYMBOLS_MAX if no code begins so. */
static inline unsigned next_symbol(struct bits *in, const struct table *table)
{
    if (in->count < CODE_MAX)
        refill(in);
    unsigned entry = table->fast[in->buffer >> (64 - FAST)];
    if (entry) {
        drop(in, entry & 31);
        return entry >> 5;
    }
    for (unsigned length = FAST + 1; length <= CODE_MAX; length++) {
        int32_t code = (int32_t)(in->buffer >> (64 - length));
        if (code <= table->limit[length]) {
            drop(in, length);
            return table->symbols[code - table->base[length]];
        }
    }
    drop(in, CODE_MAX); /* so that it is known whether there were as many */
    return SYMBOLS_MAX;
}

/* Takes the byte at `place` to the front. */
static inline uint8_t move_to_front(uint8_t *bytes, unsigned place)
{
    uint8_t byte = bytes[place];
    if (place < 16)
        for (unsigned i = place; i > 0; i--)
            bytes[i] = bytes[i - 1];
    else
        memmove(bytes + 1, bytes, place);
    bytes[0] = byte;
    return byte;
}

/* How far the last column has come. */
struct column {
    size_t size;
    size_t run; /* of the byte at the front, as its digits have said so far */
    unsigned digits;
    bool has_ended;
};

/* Of one more digit: they are 1 and 2 and not 0 and 1, the lowest first. */
static inline bool add_digit(struct column *column, unsigned digit)
{
    column->run += (size_t)digit << column->digits++;
    return column->run <= BUNZIP2_TEXT_MAX - column->size;
}

static inline void end_run(struct bunzip2 *b, struct column *column)
{
    if (!column->digits)
        return;
    memset(b->column + column->size, b->bytes[0], column->run);
    b->counts[b->bytes[0]] += (uint32_t)column->run;
    column->size += column->run;
    column->run = column->digits = 0;
}

/* The symbols of one selector. `in` is the caller's own, which the compiler can keep in registers. */
static inline bool read_group(struct bunzip2 *b, struct bits *in, const struct table *table,
                              struct column *column)
{
    for (unsigned left = GROUP; left > 0; left--) {
        unsigned symbol = next_symbol(in, table);
        if (symbol <= 1) {
            if (!add_digit(column, symbol + 1))
                return fail(b, "a block is too long");
            continue;
        }
        end_run(b, column);
        if (symbol > b->byte_count) {
            column->has_ended = symbol == b->byte_count + 1;
            return column->has_ended || fail(b, "a block holds bits that are no code");
        }
        if (column->size == BUNZIP2_TEXT_MAX)
            return fail(b, "a block is too long");
        uint8_t byte = move_to_front(b->bytes, symbol - 1);
        b->column[column->size++] = byte;
        b->counts[byte]++;
    }
    return true;
}

/* The last column, and how often each byte is in it. */
static bool read_column(struct bunzip2 *b, const atomic_bool *stop)
{
    struct bits in = b->in;
    struct column column = {0};
    bool is_good = true;
    memset(b->counts, 0, sizeof b->counts);
    for (size_t i = 0; i < b->selector_count && is_good && !column.has_ended; i++) {
        b->is_stopped = stop && atomic_load_explicit(stop, memory_order_relaxed);
        is_good = !b->is_stopped && !is_short(&in) &&
                  read_group(b, &in, &b->tables[b->selectors[i]], &column);
    }
    b->in = in;
    b->size = column.size;
    return is_good && (column.has_ended || fail(b, "a block selects too few code tables"));
}

/* ---- the block ---- */

static bool read_block(struct bunzip2 *b, struct bunzip2_block *block, const atomic_bool *stop)
{
    block->crc = take(&b->in, 32);
    bool is_randomised = take(&b->in, 1);
    b->origin = take(&b->in, 24);
    if (is_randomised)
        return fail(b, "a block is randomised, as only bzip2 before 0.9.5 made them");
    if (b->origin >= BUNZIP2_TEXT_MAX) /* which tells most false beginnings at once */
        return fail(b, "a block begins outside itself");
    if (!read_bytes_that_occur(b) || !read_selectors(b) || !read_tables(b) || !read_column(b, stop))
        return false;
    return b->origin < b->size || fail(b, "a block begins outside itself");
}

enum bunzip2_result bunzip2_block(struct bunzip2 *b, const uint8_t *bytes, size_t n, unsigned bit,
                                  const atomic_bool *stop, struct bunzip2_block *block)
{
    b->in = (struct bits){.bytes = bytes, .n = n};
    b->fault = NULL;
    b->is_stopped = false;
    if (bit)
        take(&b->in, bit);
    take(&b->in, 24);
    take(&b->in, 24);
    bool is_whole = read_block(b, block, stop);
    if (b->is_stopped)
        return BUNZIP2_STOPPED;
    if (is_short(&b->in))
        return BUNZIP2_SHORT;
    block->bits = bits_taken(&b->in) - bit;
    block->fault = b->fault;
    if (!is_whole)
        return BUNZIP2_DAMAGED;
    bwt_invert(&b->bwt, b->column, b->size, b->counts, b->origin);
    block->text = b->column;
    block->size = b->size;
    return BUNZIP2_OK;
}
