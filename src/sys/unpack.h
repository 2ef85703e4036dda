/* Decompresses a file in order: gzip, zstd and xz, as a row of units that stand alone (gzip members,
 * zstd frames, xz streams), with zero bytes between and behind them as padding; or gives a plain one as it
 * is. Where gzip members are decoded side by side, sys/ahead.h has one of these for each. bzip2, whose blocks
 * are decoded so, is in sys/unbzip2.h. */
#ifndef SYS_UNPACK_H
#define SYS_UNPACK_H

#include "sys/intake.h"

enum format { FORMAT_PLAIN, FORMAT_GZIP, FORMAT_BZIP2, FORMAT_ZSTD, FORMAT_XZ };

enum {
    FORMAT_HEAD = 10, /* bytes that tell the formats apart */
    /* What a file may ask for: xz -9 needs 65 MiB. zstd has a cap of its own, 128 MiB. */
    XZ_MEMORY_MAX_MIB = 256
};

/* By the magic numbers of RFC 1952 (gzip, method deflate), RFC 8878 (zstd, also a skippable frame), the
 * xz file format 2.1.1.1, and bzip2 with those of a block or of an empty stream. */
enum format format_of(const uint8_t *bytes, size_t n);

#define UNPACK_NEVER UINT64_MAX

struct unpack;

/* `intake` outlives it, stands at a unit and is of one of these formats. */
struct unpack *unpack_new(struct intake *intake, enum format format);
void unpack_free(struct unpack *unpack);
enum format unpack_format(const struct unpack *unpack);

/* Begins again, at a unit of another intake. */
void unpack_restart(struct unpack *unpack, struct intake *intake);
/* At a unit that begins there or behind it gives FLOW_UNIT, and again, until this is called with a place
 * that is further on. By any thread, at any time; never is UNPACK_NEVER. */
void unpack_stop_at(struct unpack *unpack, uint64_t offset);

/* Goes one step: makes up to `room` bytes, perhaps none, with FLOW_OK; perhaps some, which are good, with
 * FLOW_FAILED. No step takes long. */
enum flow unpack_next(struct unpack *unpack, uint8_t *out, size_t room, size_t *made);

#endif
