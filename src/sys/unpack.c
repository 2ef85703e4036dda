#include "sys/unpack.h"

#include "base/bunzip2.h"
#include "base/mem.h"
#include "sys/gunzip.h"

#include <assert.h>
#include <lzma.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

struct unpack {
    struct intake *intake;
    enum format format;
    bool in_unit;  /* one was begun and not ended */
    bool holds;    /* perhaps something that there was no room for */
    uint64_t unit; /* file offset where it began */
    _Atomic uint64_t until;
    /* The one of the format. */
    struct gunzip *gzip;
    ZSTD_DStream *zstd;
    lzma_stream xz;
};

static bool is_bzip2_magic(const uint8_t *b)
{
    uint64_t magic = 0;
    for (int i = 0; i < 6; i++)
        magic = magic << 8 | b[i];
    return magic == BUNZIP2_MAGIC_BLOCK || magic == BUNZIP2_MAGIC_END;
}

enum format format_of(const uint8_t *b, size_t n)
{
    if (n >= 3 && memcmp(b, "\x1f\x8b\x08", 3) == 0)
        return FORMAT_GZIP;
    if (n >= 10 && memcmp(b, "BZh", 3) == 0 && b[3] >= '1' && b[3] <= '9' && is_bzip2_magic(b + 4))
        return FORMAT_BZIP2;
    if (n >= 4 && (memcmp(b, "\x28\xb5\x2f\xfd", 4) == 0 ||
                   ((b[0] & 0xf0) == 0x50 && memcmp(b + 1, "\x2a\x4d\x18", 3) == 0)))
        return FORMAT_ZSTD;
    if (n >= 6 && memcmp(b, "\xfd\067zXZ", 6) == 0)
        return FORMAT_XZ;
    return FORMAT_PLAIN;
}

struct unpack *unpack_new(struct intake *intake, enum format format)
{
    struct unpack *unpack = mem_new(1, sizeof *unpack);
    unpack->intake = intake;
    unpack->format = format;
    unpack->until = UNPACK_NEVER;
    if (format == FORMAT_GZIP) {
        unpack->gzip = gunzip_new();
    } else if (format == FORMAT_ZSTD) {
        unpack->zstd = ZSTD_createDStream();
        assert(unpack->zstd);
    }
    return unpack;
}

void unpack_free(struct unpack *unpack)
{
    if (!unpack)
        return;
    lzma_end(&unpack->xz);
    ZSTD_freeDStream(unpack->zstd);
    gunzip_free(unpack->gzip);
    free(unpack);
}

enum format unpack_format(const struct unpack *unpack)
{
    return unpack->format;
}

void unpack_restart(struct unpack *unpack, struct intake *intake)
{
    unpack->intake = intake;
    unpack->in_unit = unpack->holds = false;
    unpack->until = UNPACK_NEVER;
}

void unpack_stop_at(struct unpack *unpack, uint64_t offset)
{
    unpack->until = offset;
}

static enum flow fail_damaged(struct unpack *unpack, const char *format, const char *reason)
{
    return intake_fail_damaged(unpack->intake, intake_offset(unpack->intake), format, unpack->unit,
                               reason);
}

/* What comes of a file that ends early depends a little on how it was cut into pieces (sys/gunzip.h). So
 * files are always cut in the same places, and those are far enough apart to cost nothing, but for the
 * first, which are for who only looks at the beginning. */
static uint64_t next_cut(uint64_t offset)
{
    uint64_t piece = offset < INTAKE_ALL ? INTAKE_FIRST : INTAKE_ALL;
    return (offset / piece + 1) * piece;
}

static enum flow step_gzip(struct unpack *unpack, uint8_t *out, size_t room, size_t *made)
{
    struct intake *intake = unpack->intake;
    uint64_t offset = intake_offset(intake), cut = next_cut(offset) - offset;
    size_t left = intake_left(intake), used;
    const char *reason = gunzip_next(unpack->gzip, intake->buffer + intake->at,
                                     left < cut ? left : (size_t)cut, &used, out, room, made);
    intake->at += used;
    if (reason)
        return intake_fail_damaged(intake, intake_offset(intake) - gunzip_unread(unpack->gzip),
                                   "gzip", unpack->unit, reason);
    unpack->in_unit = !gunzip_has_ended(unpack->gzip);
    return FLOW_OK;
}

static enum flow step_zstd(struct unpack *unpack, uint8_t *out, size_t room, size_t *made)
{
    ZSTD_inBuffer in = {unpack->intake->buffer, unpack->intake->end, unpack->intake->at};
    ZSTD_outBuffer to = {out, room, 0};
    size_t code = ZSTD_decompressStream(unpack->zstd, &to, &in);
    unpack->intake->at = in.pos;
    *made = to.pos;
    if (ZSTD_isError(code))
        return fail_damaged(unpack, "zstd", ZSTD_getErrorName(code));
    unpack->in_unit = code != 0;
    return FLOW_OK;
}

static enum flow fail_xz(struct unpack *unpack, lzma_ret code)
{
    struct intake *intake = unpack->intake;
    switch (code) {
    case LZMA_MEM_ERROR:
        return intake_fail(intake, ERR_LIMIT, intake_offset(intake), "no memory for xz");
    case LZMA_MEMLIMIT_ERROR:
        return intake_fail(intake, ERR_LIMIT, intake_offset(intake),
                           "the xz data needs more memory to decompress than a file may ask for; "
                           "decompress it with xz and give lastlight the result");
    case LZMA_FORMAT_ERROR:
        return fail_damaged(unpack, "xz", "its header is wrong");
    case LZMA_OPTIONS_ERROR:
        return fail_damaged(unpack, "xz", "it asks for what xz does not have");
    default:
        return fail_damaged(unpack, "xz", "a block, an index or a checksum is wrong");
    }
}

static enum flow step_xz(struct unpack *unpack, uint8_t *out, size_t room, size_t *made)
{
    struct intake *intake = unpack->intake;
    lzma_stream *state = &unpack->xz;
    state->next_in = intake->buffer + intake->at;
    state->avail_in = intake_left(intake);
    state->next_out = out;
    state->avail_out = room;
    lzma_ret code = lzma_code(state, LZMA_RUN);
    intake->at = intake->end - state->avail_in;
    *made = room - state->avail_out;
    /* A "buffer error" only says that there was nothing to do it with: the caller sees that. */
    if (code != LZMA_OK && code != LZMA_STREAM_END && code != LZMA_BUF_ERROR)
        return fail_xz(unpack, code);
    unpack->in_unit = code != LZMA_STREAM_END;
    return FLOW_OK;
}

static enum flow begin_unit(struct unpack *unpack)
{
    lzma_ret code = LZMA_OK;
    unpack->unit = intake_offset(unpack->intake);
    if (unpack->format == FORMAT_GZIP)
        gunzip_begin(unpack->gzip);
    if (unpack->format == FORMAT_XZ)
        code = lzma_stream_decoder(&unpack->xz, (uint64_t)XZ_MEMORY_MAX_MIB << 20, 0);
    if (code != LZMA_OK)
        return fail_xz(unpack, code);
    unpack->in_unit = true;
    return FLOW_OK;
}

/* Between units. Zero bytes there are padding, as tapes have it. */
static enum flow find_unit(struct unpack *unpack)
{
    struct intake *intake = unpack->intake;
    enum flow flow = intake_load(intake, FORMAT_HEAD);
    if (flow != FLOW_OK)
        return flow;
    if (intake->buffer[intake->at] == 0) {
        while (intake_left(intake) && intake->buffer[intake->at] == 0)
            intake->at++;
        return FLOW_OK;
    }
    if (format_of(intake->buffer + intake->at, intake_left(intake)) != unpack->format)
        return intake_fail(intake, ERR_CORRUPT, intake_offset(intake),
                           "something else follows the compressed data");
    if (intake_offset(intake) >= unpack->until)
        return FLOW_UNIT;
    return begin_unit(unpack);
}

/* Large pieces go straight to where they are wanted, small ones by way of the buffer. */
static enum flow next_plain(struct intake *intake, uint8_t *out, size_t room, size_t *made)
{
    if (!intake_left(intake) && room >= intake->capacity / 4)
        return intake_read(intake, out, room, made);
    enum flow flow = intake_load(intake, 1);
    if (flow != FLOW_OK)
        return flow;
    *made = intake_left(intake) < room ? intake_left(intake) : room;
    memcpy(out, intake->buffer + intake->at, *made);
    intake->at += *made;
    return FLOW_OK;
}

/* Something to decompress, if that is needed. */
static enum flow load(struct unpack *unpack)
{
    struct intake *intake = unpack->intake;
    uint64_t offset = intake_offset(intake);
    if (unpack->holds)
        return FLOW_OK;
    return intake_load(intake, unpack->format == FORMAT_GZIP && intake->is_file
                                   ? (size_t)(next_cut(offset) - offset)
                                   : 1);
}

enum flow unpack_next(struct unpack *unpack, uint8_t *out, size_t room, size_t *made)
{
    struct intake *intake = unpack->intake;
    *made = 0;
    if (unpack->format == FORMAT_PLAIN)
        return next_plain(intake, out, room, made);
    if (!unpack->in_unit)
        return find_unit(unpack);
    enum flow flow = load(unpack);
    if (flow == FLOW_DRY || flow == FLOW_FAILED)
        return flow;
    flow = unpack->format == FORMAT_GZIP   ? step_gzip(unpack, out, room, made)
           : unpack->format == FORMAT_ZSTD ? step_zstd(unpack, out, room, made)
                                           : step_xz(unpack, out, room, made);
    unpack->holds = *made == room;
    if (flow == FLOW_OK && *made == 0 && unpack->in_unit && intake->at_end && !intake_left(intake))
        return intake_fail(intake, ERR_CORRUPT, intake_offset(intake),
                           "the file ends in the middle of compressed data");
    return flow;
}
