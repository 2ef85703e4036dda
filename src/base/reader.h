/* The one cursor for all parsing of bytes. Reading past the end gives 0, sets the reason and empties
 * the reader, so that loops end by themselves and one check a record suffices:
 *
 *     struct reader r = reader_of(bytes, n);
 *     uint16_t type = reader_u16(&r);
 *     struct reader body = reader_sub(&r, reader_u32(&r));
 *     if (r.bad) ...
 *
 * A nested length is carved once with reader_sub() and is safe from then on. Integers are in network
 * order. `bad` is a static string. */
#ifndef BASE_READER_H
#define BASE_READER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    const char *bad;
};

static inline struct reader reader_of(const void *bytes, size_t n)
{
    const uint8_t *at = (const uint8_t *)bytes;
    return (struct reader){at, at ? at + n : at, NULL};
}

static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

/* Gives up on this input: the first reason stays. */
static inline void reader_fail(struct reader *r, const char *reason)
{
    if (!r->bad)
        r->bad = reason;
    r->at = r->end;
}

/* The next n bytes, or NULL (and a failed reader) if fewer are left. */
static inline const uint8_t *reader_bytes(struct reader *r, size_t n)
{
    if (n > reader_left(r)) {
        reader_fail(r, "ends too early");
        return NULL;
    }
    const uint8_t *at = r->at;
    r->at += n;
    return at;
}

static inline uint8_t reader_u8(struct reader *r)
{
    const uint8_t *b = reader_bytes(r, 1);
    return b ? b[0] : 0;
}

static inline uint16_t reader_u16(struct reader *r)
{
    const uint8_t *b = reader_bytes(r, 2);
    return (uint16_t)(b ? b[0] << 8 | b[1] : 0);
}

static inline uint32_t reader_u32(struct reader *r)
{
    const uint8_t *b = reader_bytes(r, 4);
    return b ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] : 0;
}

static inline uint64_t reader_u64(struct reader *r)
{
    uint64_t high = reader_u32(r);
    return high << 32 | reader_u32(r);
}

/* A reader over the next n bytes, which are passed over here. If fewer are left both readers fail. */
static inline struct reader reader_sub(struct reader *r, size_t n)
{
    const uint8_t *b = reader_bytes(r, n);
    struct reader sub = reader_of(b, b ? n : 0);
    sub.bad = b ? NULL : r->bad;
    return sub;
}

/* Trailing bytes are refused: call at the end of a nested structure. */
static inline void reader_finish(struct reader *r)
{
    if (reader_left(r))
        reader_fail(r, "has bytes left over");
}

/* LEB128, as the journal's blocks use it; at most 10 bytes. */
static inline uint64_t reader_varint(struct reader *r)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = reader_u8(r);
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    reader_fail(r, "has a number that is too long");
    return 0;
}

static inline int64_t reader_zigzag(struct reader *r)
{
    uint64_t value = reader_varint(r);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

#endif
