#include "sys/gunzip.h"

#include "base/mem.h"

#include <isa-l/igzip_lib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What is impossible is known to be so at the latest as many bytes after it began: the longest is the
 * header of a block, of at most 17 + 19 * 3 + 320 * 14 bits (RFC 1951, 3.2.7). */
enum { DAMAGE_MAX = 1024 };

struct gunzip {
    struct inflate_state state;
    struct isal_gzip_header header;
    bool in_header;
    struct inflate_state before; /* the last step: to take it again, slowly */
    int code; /* < 0: damage was found, but perhaps not all before it was given */
};

struct gunzip *gunzip_new(void)
{
    return mem_new(1, sizeof(struct gunzip));
}

void gunzip_free(struct gunzip *gunzip)
{
    free(gunzip);
}

void gunzip_begin(struct gunzip *gunzip)
{
    isal_inflate_init(&gunzip->state);
    isal_gzip_header_init(&gunzip->header);
    gunzip->state.crc_flag = ISAL_GZIP_NO_HDR_VER;
    gunzip->in_header = true;
    gunzip->code = ISAL_DECOMP_OK;
}

bool gunzip_has_ended(const struct gunzip *gunzip)
{
    return gunzip->state.block_state == ISAL_BLOCK_FINISH;
}

static const char *reason_of(int code)
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

static void set_input(struct inflate_state *state, const uint8_t *in, size_t n)
{
    state->next_in = (uint8_t *)(uintptr_t)in; /* which is not written to */
    state->avail_in = (uint32_t)n;
}

static void set_output(struct inflate_state *state, uint8_t *out, size_t room)
{
    state->next_out = out;
    state->avail_out = room < UINT_MAX ? (uint32_t)room : UINT_MAX;
}

/* isal_inflate() could read it, too, but if it ends in the middle of one forgets what it has seen. */
static int read_header(struct gunzip *gunzip)
{
    int code = isal_read_gzip_header(&gunzip->state, &gunzip->header);
    gunzip->in_header = code == ISAL_END_INPUT;
    return code;
}

/* The last thing in the state are bytes made before, of which not all need be there. */
static void copy_state(struct inflate_state *to, const struct inflate_state *from)
{
    memcpy(to, from, offsetof(struct inflate_state, tmp_out_buffer) + (size_t)from->tmp_out_valid);
}

/* Takes a step again that met damage: near to it byte by byte, for which isal_inflate() has simpler code,
 * which is right about what it made and stops at the byte that was one too much. */
static int step_slowly(struct gunzip *gunzip, const uint8_t *in, uint8_t *out, size_t room)
{
    struct inflate_state *state = &gunzip->state;
    size_t n = (size_t)(state->next_in - in), near = n < DAMAGE_MAX ? n : DAMAGE_MAX;
    copy_state(state, &gunzip->before);
    set_input(state, in, n - near);
    set_output(state, out, room);
    int code = isal_inflate(state);
    while (code >= 0 && state->avail_out > 0 && state->next_in < in + n) {
        set_input(state, state->next_in, 1);
        code = isal_inflate(state);
    }
    return code;
}

/* What was made and not given. */
static size_t give_rest(struct inflate_state *state, uint8_t *out, size_t room)
{
    size_t left = (size_t)(state->tmp_out_valid - state->tmp_out_processed);
    size_t n = left < room ? left : room;
    memcpy(out, state->tmp_out_buffer + state->tmp_out_processed, n);
    state->tmp_out_processed += (int32_t)n;
    return n;
}

static int step(struct gunzip *gunzip, const uint8_t *in, uint8_t *out, size_t room)
{
    if (gunzip->in_header)
        return read_header(gunzip);
    copy_state(&gunzip->before, &gunzip->state);
    int code = isal_inflate(&gunzip->state);
    return code < 0 ? step_slowly(gunzip, in, out, room) : code;
}

const char *gunzip_next(struct gunzip *gunzip, const uint8_t *in, size_t n, size_t *used,
                        uint8_t *out, size_t room, size_t *made)
{
    struct inflate_state *state = &gunzip->state;
    *used = *made = 0;
    if (gunzip->code >= 0) {
        set_input(state, in, n);
        set_output(state, out, room);
        gunzip->code = step(gunzip, in, out, room);
        *used = (size_t)(state->next_in - in);
        *made = (size_t)(state->next_out - out);
    }
    if (gunzip->code >= 0)
        return NULL;
    *made += give_rest(state, out + *made, room - *made);
    return state->tmp_out_processed < state->tmp_out_valid ? NULL : reason_of(gunzip->code);
}

size_t gunzip_unread(const struct gunzip *gunzip)
{
    int bits = gunzip->state.read_in_length;
    return bits > 0 ? (size_t)bits / 8 : 0;
}
