#include "model/block.h"

#include <string.h>

/* One observation in a block is a mask and the members that the mask names, in this order. A member
 * that is not named is as guessed: the time and target as in the observation before, everything
 * else as in the last observation of the same target, or the one before if that target was not met
 * lately. Numbers are stored as their difference from the guess. The masks of steady probes and
 * routes take one byte. */
enum {
    HAS_TIME = 1 << 0,   /* zigzag */
    HAS_TARGET = 1 << 1, /* zigzag */
    HAS_RTT = 1 << 2,    /* zigzag */
    HAS_PEER = 1 << 3,   /* zigzag */
    HAS_VALUE = 1 << 4,  /* zigzag */
    HAS_RESULT = 1 << 5, /* outcome and stage, a byte each */
    HAS_PATH = 1 << 6,   /* zigzag */
    HAS_SOURCE = 1 << 7, /* zigzag */
    HAS_KIND = 1 << 8,   /* a byte */
    HAS_CODE = 1 << 9,   /* varint */
    HAS_EXTRA = 1 << 10, /* varint */
    HAS_BIN = 1 << 11,   /* family, a byte, and peers_total, varint */
    HAS_ALL = (1 << 12) - 1
};

/* Every member at its longest: ten bytes for 64 bits. */
enum { ENCODED_MAX = 10 * 13 };

static struct observation *recent_of(struct block_memory *memory, uint32_t target)
{
    return &memory->recent[target % BLOCK_RECENT];
}

static const struct observation *guess_of(struct block_memory *memory, uint32_t target)
{
    const struct observation *recent = recent_of(memory, target);
    return recent->kind && recent->target == target ? recent : &memory->last;
}

static void remember(struct block_memory *memory, const struct observation *observation)
{
    memory->last = *observation;
    *recent_of(memory, observation->target) = *observation;
}

static unsigned mask_of(const struct observation *o, const struct observation *last,
                        const struct observation *guess)
{
    return (o->time.ns != last->time.ns ? HAS_TIME : 0U) |
           (o->target != last->target ? HAS_TARGET : 0U) |
           (o->rtt_ns != guess->rtt_ns ? HAS_RTT : 0U) | (o->peer != guess->peer ? HAS_PEER : 0U) |
           (o->value != guess->value ? HAS_VALUE : 0U) |
           (o->outcome != guess->outcome || o->stage != guess->stage ? HAS_RESULT : 0U) |
           (o->path != guess->path ? HAS_PATH : 0U) |
           (o->source != guess->source ? HAS_SOURCE : 0U) |
           (o->kind != guess->kind ? HAS_KIND : 0U) | (o->code != guess->code ? HAS_CODE : 0U) |
           (o->extra != guess->extra ? HAS_EXTRA : 0U) |
           (o->family != guess->family || o->peers_total != guess->peers_total ? HAS_BIN : 0U);
}

static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

/* The difference wraps around, so that any two numbers have one. */
static uint8_t *put_difference(uint8_t *at, int64_t value, int64_t guess)
{
    int64_t difference = (int64_t)((uint64_t)value - (uint64_t)guess);
    return put_varint(at, (uint64_t)difference << 1 ^ (difference < 0 ? UINT64_MAX : 0));
}

static uint8_t *put(uint8_t *at, const struct observation *o, const struct observation *last,
                    const struct observation *guess)
{
    unsigned mask = mask_of(o, last, guess);
    at = put_varint(at, mask);
    if (mask & HAS_TIME)
        at = put_difference(at, o->time.ns, last->time.ns);
    if (mask & HAS_TARGET)
        at = put_difference(at, o->target, last->target);
    if (mask & HAS_RTT)
        at = put_difference(at, o->rtt_ns, guess->rtt_ns);
    if (mask & HAS_PEER)
        at = put_difference(at, o->peer, guess->peer);
    if (mask & HAS_VALUE)
        at = put_difference(at, o->value, guess->value);
    if (mask & HAS_RESULT) {
        *at++ = o->outcome;
        *at++ = o->stage;
    }
    if (mask & HAS_PATH)
        at = put_difference(at, o->path, guess->path);
    if (mask & HAS_SOURCE)
        at = put_difference(at, o->source, guess->source);
    if (mask & HAS_KIND)
        *at++ = o->kind;
    if (mask & HAS_CODE)
        at = put_varint(at, o->code);
    if (mask & HAS_EXTRA)
        at = put_varint(at, o->extra);
    if (mask & HAS_BIN) {
        *at++ = o->family;
        at = put_varint(at, o->peers_total);
    }
    return at;
}

void block_encode(const struct observation *observations, size_t n, struct buffer *out)
{
    struct block_memory memory = {0};
    for (size_t i = 0; i < n; i++) {
        const struct observation *o = &observations[i];
        uint8_t bytes[ENCODED_MAX];
        const uint8_t *end = put(bytes, o, &memory.last, guess_of(&memory, o->target));
        buffer_add(out, bytes, (size_t)(end - bytes));
        remember(&memory, o);
    }
}

static int64_t take_difference(struct reader *r, int64_t guess)
{
    return (int64_t)((uint64_t)guess + (uint64_t)reader_zigzag(r));
}

/* A number of the registry: the sum must be one of 32 bits. */
static uint32_t take_name(struct reader *r, uint32_t guess)
{
    int64_t name = take_difference(r, guess);
    if (name < 0 || name > UINT32_MAX) {
        reader_fail(r, "has a name's number out of range");
        return 0;
    }
    return (uint32_t)name;
}

/* What follows the target. `o` holds the guess, and becomes what is stored. */
static void take_rest(struct reader *r, unsigned mask, struct observation *o)
{
    if (mask & HAS_RTT)
        o->rtt_ns = take_difference(r, o->rtt_ns);
    if (mask & HAS_PEER)
        o->peer = take_name(r, o->peer);
    if (mask & HAS_VALUE)
        o->value = take_difference(r, o->value);
    if (mask & HAS_RESULT) {
        o->outcome = reader_u8(r);
        o->stage = reader_u8(r);
    }
    if (mask & HAS_PATH)
        o->path = take_name(r, o->path);
    if (mask & HAS_SOURCE)
        o->source = take_name(r, o->source);
    if (mask & HAS_KIND)
        o->kind = reader_u8(r);
    uint64_t code = mask & HAS_CODE ? reader_varint(r) : o->code;
    uint64_t extra = mask & HAS_EXTRA ? reader_varint(r) : o->extra;
    if (mask & HAS_BIN)
        o->family = reader_u8(r);
    uint64_t peers = mask & HAS_BIN ? reader_varint(r) : o->peers_total;
    if (code > UINT16_MAX || extra > UINT32_MAX || peers > UINT16_MAX)
        reader_fail(r, "has a number out of range");
    o->code = (uint16_t)code;
    o->extra = (uint32_t)extra;
    o->peers_total = (uint16_t)peers;
    if (o->kind == 0 || o->kind >= OBSERVATION_KIND_COUNT)
        reader_fail(r, "has an observation of unknown kind");
    if (o->outcome >= OUTCOME_COUNT || o->stage >= STAGE_COUNT)
        reader_fail(r, "has an unknown outcome or stage");
}

int block_next(struct block_cursor *cursor, struct observation *out)
{
    struct reader *r = &cursor->reader;
    struct block_memory *memory = &cursor->memory;
    if (r->bad)
        return -1;
    if (!reader_left(r))
        return 0;
    uint64_t mask = reader_varint(r);
    if (mask & ~(uint64_t)HAS_ALL)
        reader_fail(r, "has an unknown member");
    int64_t time = memory->last.time.ns;
    uint32_t target = memory->last.target;
    if (mask & HAS_TIME)
        time = take_difference(r, time);
    if (mask & HAS_TARGET)
        target = take_name(r, target);
    struct observation o = *guess_of(memory, target);
    o.time.ns = time;
    o.target = target;
    take_rest(r, (unsigned)(mask & HAS_ALL), &o);
    if (r->bad)
        return -1;
    o.seq = cursor->next_seq++;
    remember(memory, &o);
    *out = o;
    return 1;
}
