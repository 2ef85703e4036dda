/* Makes small databases in MaxMind's format, version 2, as its specification describes it: a search
 * tree of 24-bit records, sixteen zero bytes, the data, and the metadata behind their marker. IPv4
 * lies at ::/96.
 *
 *     struct mmdb_maker maker = {0};
 *     mmdb_add(&maker, "175.45.176.0/22", "country", "KP");
 *     mmdb_finish(&maker, "Test-Country", &file);
 */
#ifndef TEST_MMDB_MAKER_H
#define TEST_MMDB_MAKER_H

#include "base/addr.h"
#include "base/buffer.h"

#include <assert.h>
#include <string.h>

enum { MMDB_NODES = 4096 };

struct mmdb_maker {
    /* A record is another node (> 0), or data at -2 - value, or nothing (0). */
    int nodes[MMDB_NODES][2];
    int count;
    struct buffer data;
};

/* Strings and maps shorter than 29 bytes or pairs: type in the upper three bits, size in the
 * others. */
static inline void mmdb_string(struct buffer *out, const char *text)
{
    assert(strlen(text) < 29);
    buffer_u8(out, (uint8_t)(2 << 5 | strlen(text)));
    buffer_add(out, text, strlen(text));
}

static inline void mmdb_map(struct buffer *out, unsigned pairs)
{
    buffer_u8(out, (uint8_t)(7 << 5 | pairs));
}

static inline void mmdb_number(struct buffer *out, unsigned type, unsigned bytes, uint64_t value)
{
    buffer_u8(out, (uint8_t)(type < 8 ? type << 5 | bytes : bytes));
    if (type >= 8) /* extended */
        buffer_u8(out, (uint8_t)(type - 7));
    for (unsigned i = bytes; i > 0; i--)
        buffer_u8(out, (uint8_t)(value >> 8 * (i - 1)));
}

/* Leads from a prefix to what is added to the data next; it must not lie within one that was added before. */
static inline void mmdb_place(struct mmdb_maker *maker, const char *text)
{
    struct prefix prefix;
    uint8_t bytes[16] = {0};
    bool is_prefix = prefix_parse(text, strlen(text), &prefix);
    assert(is_prefix);
    unsigned skipped = prefix.addr.family == 4 ? 96 : 0, bits = skipped + prefix.bits;
    memcpy(bytes + skipped / 8, prefix.addr.bytes, skipped ? 4 : 16);
    int at = 0, data = (int)maker->data.size;
    maker->count += !maker->count;
    for (unsigned bit = 0; bit < bits; bit++) {
        int *record = &maker->nodes[at][bytes[bit / 8] >> (7 - bit % 8) & 1];
        if (bit + 1 == bits)
            *record = -2 - data;
        else if (*record == 0)
            *record = maker->count++;
        assert((*record > 0 || bit + 1 == bits) && maker->count < MMDB_NODES);
        at = *record;
    }
}

/* {member: {"iso_code": code}} */
static inline void mmdb_add(struct mmdb_maker *maker, const char *text, const char *member,
                            const char *code)
{
    mmdb_place(maker, text);
    mmdb_map(&maker->data, 1);
    mmdb_string(&maker->data, member);
    mmdb_map(&maker->data, 1);
    mmdb_string(&maker->data, "iso_code");
    mmdb_string(&maker->data, code);
}

/* {"autonomous_system_number": asn} */
static inline void mmdb_add_asn(struct mmdb_maker *maker, const char *text, uint32_t asn)
{
    mmdb_place(maker, text);
    mmdb_map(&maker->data, 1);
    mmdb_string(&maker->data, "autonomous_system_number");
    mmdb_number(&maker->data, 6, 4, asn);
}

static inline void mmdb_metadata(struct buffer *out, int nodes, const char *type)
{
    buffer_add(out, "\xab\xcd\xefMaxMind.com", 14);
    mmdb_map(out, 9);
    mmdb_string(out, "binary_format_major_version");
    mmdb_number(out, 5, 2, 2);
    mmdb_string(out, "binary_format_minor_version");
    mmdb_number(out, 5, 0, 0);
    mmdb_string(out, "build_epoch");
    mmdb_number(out, 9, 8, 1732528800);
    mmdb_string(out, "database_type");
    mmdb_string(out, type);
    mmdb_string(out, "description");
    mmdb_map(out, 0);
    mmdb_string(out, "ip_version");
    mmdb_number(out, 5, 1, 6);
    mmdb_string(out, "languages");
    mmdb_number(out, 11, 0, 0); /* an empty list */
    mmdb_string(out, "node_count");
    mmdb_number(out, 6, 4, (uint64_t)nodes);
    mmdb_string(out, "record_size");
    mmdb_number(out, 5, 1, 24);
}

static inline void mmdb_finish(struct mmdb_maker *maker, const char *type, struct buffer *out)
{
    static const char zeros[16];
    for (int i = 0; i < maker->count; i++) {
        for (int side = 0; side < 2; side++) {
            int record = maker->nodes[i][side];
            int value = record > 0    ? record
                        : record == 0 ? maker->count
                                      : maker->count + 16 + (-2 - record);
            for (int shift = 16; shift >= 0; shift -= 8)
                buffer_u8(out, (uint8_t)(value >> shift));
        }
    }
    buffer_add(out, zeros, sizeof zeros);
    buffer_add(out, maker->data.bytes, maker->data.size);
    mmdb_metadata(out, maker->count, type);
    buffer_done(&maker->data);
}

#endif
