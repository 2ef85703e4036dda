/* Makes gzip members by hand, whose contents are only stored, so that what is in them is in the file as it
 * is; and reads any file in order, by one thread: what every other way must come to. */
#ifndef TEST_GZIP_MAKER_H
#define TEST_GZIP_MAKER_H

#include "base/buffer.h"
#include "sys/unpack.h"

#include <isa-l/crc.h>

enum { STORED_MAX = 65535 };

static inline void make_le(struct buffer *out, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buffer_u8(out, (uint8_t)(value >> 8 * i));
}

/* RFC 1952, 2.3, and RFC 1951, 3.2.4. */
static inline void make_member(struct buffer *out, const void *contents, size_t n)
{
    const uint8_t *at = contents;
    size_t left = n;
    buffer_add(out, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
    do {
        size_t size = left < STORED_MAX ? left : STORED_MAX;
        buffer_u8(out, size == left);
        make_le(out, (uint32_t)size, 2);
        make_le(out, ~(uint32_t)size, 2);
        buffer_add(out, at, size);
        at += size;
        left -= size;
    } while (left);
    make_le(out, n ? crc32_gzip_refl(0, contents, n) : 0, 4);
    make_le(out, (uint32_t)n, 4);
}

/* Up to `most` bytes; the error that came then, if any. */
static inline enum err read_in_order(const char *path, size_t most, struct buffer *out,
                                     struct why *why)
{
    static uint8_t bytes[65536];
    struct intake intake;
    enum err err = intake_open(path, &intake, why);
    if (err)
        return err;
    enum flow flow = intake_load(&intake, FORMAT_HEAD);
    struct unpack *unpack =
        unpack_new(&intake, format_of(intake.buffer, flow == FLOW_OK ? intake_left(&intake) : 0));
    while (flow == FLOW_OK && out->size < most) {
        size_t made;
        flow = unpack_next(unpack, bytes, sizeof bytes, &made);
        buffer_add(out, bytes, made);
    }
    if (flow == FLOW_FAILED) {
        err = intake.failure.err;
        *why = intake.failure;
    }
    unpack_free(unpack);
    intake_done(&intake);
    return err;
}

#endif
