#include "sys/unpack.h"

#include "base/bunzip2.h"
#include "base/mem.h"

#include <assert.h>
#include <isa-l/igzip_lib.h>
#include <limits.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

struct unpack {
    struct intake *intake;
    enum format format;
    bool in_unit;  /* one was begun and not ended */
    uint64_t unit; /* file offset where it began */
    /* The one of the format. */
    struct inflate_state *gzip;
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
    if (format == FORMAT_GZIP) {
        unpack->gzip = mem_new(1, sizeof *unpack->gzip);
        isal_inflate_init(unpack->gzip);
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
    free(unpack->gzip);
    free(unpack);
}

static enum flow fail_damaged(struct unpack *unpack, const char *format, const char *reason)
{
    return intake_fail_damaged(unpack->intake, intake_offset(unpack->intake), format, unpack->unit,
                               reason);
}

static const char *gzip_reason(int code)
{
    switch (code) {
    case ISAL_INVALID_BLOCK:
        return "a block that cannot be";
    case ISAL_INVALID_SYMBOL:
        return "a symbol that cannot be";
    case ISAL_INVALID_LOOKBACK:
        return "it refers to bytes before its beginning";
    case ISAL_INVALID_WRAPPER:
    case ISAL_UNSUPPORTED_METHOD:
        return "its header is wrong";
    case ISAL_INCORRECT_CHECKSUM:
        return "the checksum of its contents is wrong";
    default:
        return "it cannot be decompressed";
    }
}

static enum flow step_gzip(struct unpack *unpack, uint8_t *out, size_t room, size_t *made)
{
    struct intake *intake = unpack->intake;
    struct inflate_state *state = unpack->gzip;
    if (!unpack->in_unit) {
        isal_inflate_reset(state);
        state->crc_flag = ISAL_GZIP;
    }
    state->next_in = intake->buffer + intake->at;
    state->avail_in = (uint32_t)intake_left(intake);
    state->next_out = out;
    state->avail_out = room < UINT_MAX ? (uint32_t)room : UINT_MAX;
    int code = isal_inflate(state);
    intake->at = intake->end - state->avail_in;
    *made = (size_t)(state->next_out - out);
    if (code < 0)
        return fail_damaged(unpack, "gzip", gzip_reason(code));
    unpack->in_unit = state->block_state != ISAL_BLOCK_FINISH;
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
    lzma_ret code = LZMA_OK;
    if (!unpack->in_unit)
        code = lzma_stream_decoder(state, (uint64_t)XZ_MEMORY_MAX_MIB << 20, 0);
    if (code != LZMA_OK)
        return fail_xz(unpack, code);
    state->next_in = intake->buffer + intake->at;
    state->avail_in = intake_left(intake);
    state->next_out = out;
    state->avail_out = room;
    code = lzma_code(state, LZMA_RUN);
    intake->at = intake->end - state->avail_in;
    *made = room - state->avail_out;
    /* A "buffer error" only says that there was nothing to do it with: the caller sees that. */
    if (code != LZMA_OK && code != LZMA_STREAM_END && code != LZMA_BUF_ERROR)
        return fail_xz(unpack, code);
    unpack->in_unit = code != LZMA_STREAM_END;
    return FLOW_OK;
}

/* Between units: FLOW_OK if another one follows. Zero bytes there are padding, as tapes have it. */
static enum flow find_unit(struct unpack *unpack)
{
    struct intake *intake = unpack->intake;
    enum flow flow;
    while ((flow = intake_load(intake, FORMAT_HEAD)) == FLOW_OK && intake->buffer[intake->at] == 0)
        intake->at++;
    if (flow != FLOW_OK)
        return flow;
    if (format_of(intake->buffer + intake->at, intake_left(intake)) != unpack->format)
        return intake_fail(intake, ERR_CORRUPT, intake_offset(intake),
                           "something else follows the compressed data");
    unpack->unit = intake_offset(intake);
    return FLOW_OK;
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

enum flow unpack_next(struct unpack *unpack, uint8_t *out, size_t room, size_t *made)
{
    struct intake *intake = unpack->intake;
    *made = 0;
    if (unpack->format == FORMAT_PLAIN)
        return next_plain(intake, out, room, made);
    while (*made == 0) {
        enum flow flow = unpack->in_unit ? intake_load(intake, 1) : find_unit(unpack);
        if (flow == FLOW_DRY || flow == FLOW_FAILED || (flow == FLOW_END && !unpack->in_unit))
            return flow;
        flow = unpack->format == FORMAT_GZIP   ? step_gzip(unpack, out, room, made)
               : unpack->format == FORMAT_ZSTD ? step_zstd(unpack, out, room, made)
                                               : step_xz(unpack, out, room, made);
        if (flow != FLOW_OK)
            return flow;
        /* A decoder may give what it still held without being fed. */
        if (*made == 0 && intake->at_end && !intake_left(intake) && unpack->in_unit)
            return intake_fail(intake, ERR_CORRUPT, intake_offset(intake),
                               "the file ends in the middle of compressed data");
    }
    return FLOW_OK;
}
