/* Makes MRT archives for tests: a few records of one peer, 192.0.2.9 of AS65000, added to a buffer. With
 * archive_peer set to n, those that follow are of 192.0.2.(9 + n) of AS(65000 + n).
 *
 *     struct buffer file = {0};
 *     archive_update(&file, 100, NULL, "65000 4837", "175.45.176.0/24 10.0.0.0/8");
 */
#ifndef TEST_ARCHIVE_MAKER_H
#define TEST_ARCHIVE_MAKER_H

#include "base/addr.h"
#include "base/buffer.h"
#include "base/reader.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void make_u16(struct buffer *out, unsigned value)
{
    buffer_u8(out, (uint8_t)(value >> 8));
    buffer_u8(out, (uint8_t)value);
}

static inline void make_u32(struct buffer *out, uint32_t value)
{
    make_u16(out, value >> 16);
    make_u16(out, value & 0xffff);
}

/* A record from its body, which is freed. */
static inline void make_record(struct buffer *file, uint32_t seconds, unsigned type,
                               unsigned subtype, struct buffer *body)
{
    make_u32(file, seconds);
    make_u16(file, type);
    make_u16(file, subtype);
    make_u32(file, (uint32_t)body->size);
    buffer_add(file, body->bytes, body->size);
    buffer_done(body);
}

/* "PREFIX PREFIX#PATH_ID ..." as RFC 4271, 4.3 and RFC 7911, 3 write them. */
static inline void make_prefixes(struct buffer *out, const char *list)
{
    while (list && *list) {
        size_t n = strcspn(list, " "), bare = strcspn(list, " #");
        struct prefix prefix;
        bool is_prefix = prefix_parse(list, bare, &prefix);
        assert(is_prefix);
        if (list[bare] == '#')
            make_u32(out, (uint32_t)strtoul(list + bare + 1, NULL, 10));
        buffer_u8(out, prefix.bits);
        buffer_add(out, prefix.addr.bytes, (prefix.bits + 7U) / 8);
        list += n + (list[n] == ' ');
    }
}

/* ORIGIN, AS_PATH with 4-byte ASNs, NEXT_HOP. */
static inline void make_attributes(struct buffer *out, const char *path)
{
    struct buffer asns = {0};
    unsigned count = 0;
    for (char *end; *path; path = end + (*end == ' '), count++)
        make_u32(&asns, (uint32_t)strtoul(path, &end, 10));
    buffer_add(out, "\x40\x01\x01\x00\x40\x02", 6);
    buffer_u8(out, (uint8_t)(count ? asns.size + 2 : 0));
    if (count) {
        buffer_u8(out, 2);
        buffer_u8(out, (uint8_t)count);
        buffer_add(out, asns.bytes, asns.size);
    }
    buffer_add(out, "\x40\x03\x04\xc0\x00\x02\x09", 7);
    buffer_done(&asns);
}

static unsigned archive_peer;

static inline void make_session(struct buffer *out)
{
    make_u32(out, 65000 + archive_peer);
    make_u32(out, 12654);
    make_u16(out, 0);
    make_u16(out, 1);
    make_u32(out, 0xc0000209 + archive_peer);
    buffer_add(out, "\xc0\x00\x02\x01", 4);
}

static inline void archive_message(struct buffer *file, uint32_t seconds, unsigned type,
                                   const char *bytes, size_t n)
{
    struct buffer body = {0};
    make_session(&body);
    for (int i = 0; i < 16; i++)
        buffer_u8(&body, 0xff);
    make_u16(&body, (unsigned)n + 19);
    buffer_u8(&body, (uint8_t)type);
    buffer_add(&body, bytes, n);
    make_record(file, seconds, 16, 4, &body);
}

/* Lists may be NULL; without a path there are no attributes. */
static inline void archive_update(struct buffer *file, uint32_t seconds, const char *withdrawn,
                                  const char *path, const char *announced)
{
    struct buffer gone = {0}, attributes = {0}, body = {0};
    make_prefixes(&gone, withdrawn);
    if (path)
        make_attributes(&attributes, path);
    make_u16(&body, (unsigned)gone.size);
    buffer_add(&body, gone.bytes, gone.size);
    make_u16(&body, (unsigned)attributes.size);
    buffer_add(&body, attributes.bytes, attributes.size);
    make_prefixes(&body, announced);
    archive_message(file, seconds, 2, body.bytes, body.size);
    buffer_done(&gone);
    buffer_done(&attributes);
    buffer_done(&body);
}

static inline void archive_state(struct buffer *file, uint32_t seconds, unsigned before,
                                 unsigned after)
{
    struct buffer body = {0};
    make_session(&body);
    make_u16(&body, before);
    make_u16(&body, after);
    make_record(file, seconds, 16, 5, &body);
}

/* "ADDRESS ASN ADDRESS ASN ..." */
static inline void archive_peer_table(struct buffer *file, uint32_t seconds, const char *peers)
{
    struct buffer body = {0}, list = {0};
    unsigned count = 0;
    while (*peers) {
        size_t n = strcspn(peers, " ");
        char *end;
        struct addr addr;
        bool is_addr = addr_parse(peers, n, &addr);
        assert(is_addr);
        buffer_u8(&list, addr.family == 6 ? 3 : 2);
        make_u32(&list, 0);
        buffer_add(&list, addr.bytes, addr.family == 6 ? 16 : 4);
        make_u32(&list, (uint32_t)strtoul(peers + n + 1, &end, 10));
        peers = end + (*end == ' ');
        count++;
    }
    make_u32(&body, 0);
    make_u16(&body, 0);
    make_u16(&body, count);
    buffer_add(&body, list.bytes, list.size);
    buffer_done(&list);
    make_record(file, seconds, 13, 1, &body);
}

/* One prefix as the peers of these places in the table have it, by the path "65000 4837". */
static inline void archive_rib(struct buffer *file, uint32_t seconds, const char *prefix,
                               const char *peers)
{
    struct buffer body = {0}, entries = {0}, attributes = {0};
    unsigned count = 0;
    make_attributes(&attributes, "65000 4837");
    for (char *end; *peers; peers = end + (*end == ' '), count++) {
        make_u16(&entries, (unsigned)strtoul(peers, &end, 10));
        make_u32(&entries, seconds);
        make_u16(&entries, (unsigned)attributes.size);
        buffer_add(&entries, attributes.bytes, attributes.size);
    }
    make_u32(&body, 0);
    make_prefixes(&body, prefix);
    make_u16(&body, count);
    buffer_add(&body, entries.bytes, entries.size);
    buffer_done(&entries);
    buffer_done(&attributes);
    make_record(file, seconds, 13, strchr(prefix, ':') ? 4 : 2, &body);
}

/* Makes BGP4MP_ET of the only record in the file. */
static inline void archive_make_extended(struct buffer *file, uint32_t microseconds)
{
    struct buffer body = {0};
    make_u32(&body, microseconds);
    buffer_add(&body, file->bytes + 12, file->size - 12);
    struct reader header = reader_of(file->bytes, 8);
    uint32_t seconds = reader_u32(&header);
    reader_u16(&header);
    unsigned subtype = reader_u16(&header);
    buffer_clear(file);
    make_record(file, seconds, 17, subtype, &body);
}

/* Writes a file; `path` is a template of mkstemp() and gets its name. */
static inline void archive_write(char *path, const void *bytes, size_t n)
{
    int fd = mkstemp(path);
    assert(fd >= 0);
    ssize_t written = write(fd, bytes, n);
    assert(written == (ssize_t)n);
    close(fd);
}

#endif
