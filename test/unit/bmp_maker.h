/* Makes BMP messages for tests, as a router of AS65000 sends them about its peers.
 *
 *     struct buffer bytes = {0};
 *     struct bmp_about peer = {.addr = "192.0.2.9", .asn = 65001};
 *     bmp_initiation(&bytes, "rrc00");
 *     bmp_up(&bytes, &peer, BMP_OPEN_PLAIN, BMP_OPEN_PLAIN);
 *     bmp_update(&bytes, &peer, NULL, "65001 4837", "198.51.100.0/24");
 *     bmp_update(&bytes, &peer, NULL, NULL, NULL);                        // End-of-RIB
 */
#ifndef TEST_BMP_MAKER_H
#define TEST_BMP_MAKER_H

#include "archive_maker.h"
#include "base/utc.h"

struct bmp_about {
    const char *addr; /* NULL: none (Loc-RIB) */
    uint32_t asn;
    unsigned type, flags; /* V is added */
    uint32_t distinguisher;
    struct utc time;
};

/* Capabilities of an OPEN: 4-byte ASNs and both families; with ADD-PATH for IPv4, both ways. */
#define BMP_OPEN_PLAIN "\x01\x04\x00\x01\x00\x01\x01\x04\x00\x02\x00\x01\x41\x04\x00\x00\xfd\xe8"
#define BMP_OPEN_V4 "\x01\x04\x00\x01\x00\x01\x41\x04\x00\x00\xfd\xe8"
#define BMP_OPEN_ADD_PATH BMP_OPEN_V4 "\x45\x04\x00\x01\x01\x03"

/* Frames a message; frees its body. */
static inline void bmp_message(struct buffer *out, unsigned type, struct buffer *body)
{
    buffer_u8(out, 3);
    make_u32(out, (uint32_t)body->size + 6);
    buffer_u8(out, (uint8_t)type);
    buffer_add(out, body->bytes, body->size);
    buffer_done(body);
}

static inline void bmp_tlv(struct buffer *out, unsigned type, const char *text)
{
    make_u16(out, type);
    make_u16(out, (unsigned)strlen(text));
    buffer_add(out, text, strlen(text));
}

static inline void bmp_initiation(struct buffer *out, const char *name)
{
    struct buffer body = {0};
    bmp_tlv(&body, 1, "a router");
    if (name)
        bmp_tlv(&body, 2, name);
    bmp_message(out, 4, &body);
}

static inline void bmp_termination(struct buffer *out, unsigned reason)
{
    struct buffer body = {0};
    make_u16(&body, 1);
    make_u16(&body, 2);
    make_u16(&body, reason);
    bmp_message(out, 5, &body);
}

static inline void bmp_about_peer(struct buffer *out, const struct bmp_about *about)
{
    static const uint8_t zeros[16];
    struct addr addr = {0};
    bool is_addr = !about->addr || addr_parse(about->addr, strlen(about->addr), &addr);
    assert(is_addr);
    buffer_u8(out, (uint8_t)about->type);
    buffer_u8(out, (uint8_t)(about->flags | (addr.family == 6 ? 0x80 : 0)));
    make_u32(out, 0);
    make_u32(out, about->distinguisher);
    buffer_add(out, zeros, addr.family == 6 ? 0 : 12);
    buffer_add(out, addr.bytes, addr.family == 6 ? 16 : 4);
    make_u32(out, about->asn);
    make_u32(out, 0x0a000001);
    make_u32(out, (uint32_t)(about->time.ns / NS_PER_S));
    make_u32(out, (uint32_t)(about->time.ns % NS_PER_S / 1000));
}

static inline void bmp_bgp(struct buffer *out, unsigned type, const struct buffer *body)
{
    for (int i = 0; i < 16; i++)
        buffer_u8(out, 0xff);
    make_u16(out, (unsigned)body->size + 19);
    buffer_u8(out, (uint8_t)type);
    buffer_add(out, body->bytes, body->size);
}

static inline void bmp_open(struct buffer *out, uint32_t asn, const char *capabilities, size_t n)
{
    struct buffer body = {0};
    buffer_u8(&body, 4);
    make_u16(&body, asn > 0xffff ? 23456 : asn);
    make_u16(&body, 180);
    make_u32(&body, 0x0a000001);
    buffer_u8(&body, (uint8_t)(n ? n + 2 : 0));
    if (n) {
        buffer_u8(&body, 2);
        buffer_u8(&body, (uint8_t)n);
        buffer_add(&body, capabilities, n);
    }
    bmp_bgp(out, 1, &body);
    buffer_done(&body);
}

static inline void bmp_up_n(struct buffer *out, const struct bmp_about *about, const char *sent,
                            size_t sent_n, const char *received, size_t received_n)
{
    struct buffer body = {0};
    static const uint8_t local[20];
    bmp_about_peer(&body, about);
    buffer_add(&body, local, sizeof local);
    bmp_open(&body, 65000, sent, sent_n);
    bmp_open(&body, about->asn, received, received_n);
    bmp_message(out, 3, &body);
}
#define bmp_up(out, about, sent, received)                                                         \
    bmp_up_n(out, about, sent, sizeof sent - 1, received, sizeof received - 1)

static inline void bmp_down(struct buffer *out, const struct bmp_about *about, unsigned reason)
{
    struct buffer body = {0};
    bmp_about_peer(&body, about);
    buffer_u8(&body, (uint8_t)reason);
    bmp_message(out, 2, &body);
}

static inline void bmp_monitoring(struct buffer *out, const struct bmp_about *about,
                                  const struct buffer *update)
{
    struct buffer body = {0};
    bmp_about_peer(&body, about);
    bmp_bgp(&body, 2, update);
    bmp_message(out, 0, &body);
}

/* IPv4. Lists may be NULL; all NULL is the End-of-RIB. */
static inline void bmp_update(struct buffer *out, const struct bmp_about *about,
                              const char *withdrawn, const char *path, const char *announced)
{
    struct buffer gone = {0}, attributes = {0}, update = {0};
    make_prefixes(&gone, withdrawn);
    if (path)
        make_attributes(&attributes, path);
    make_u16(&update, (unsigned)gone.size);
    buffer_add(&update, gone.bytes, gone.size);
    make_u16(&update, (unsigned)attributes.size);
    buffer_add(&update, attributes.bytes, attributes.size);
    make_prefixes(&update, announced);
    bmp_monitoring(out, about, &update);
    buffer_done(&gone);
    buffer_done(&attributes);
    buffer_done(&update);
}

/* The End-of-RIB of IPv6: an MP_UNREACH_NLRI of nothing. */
static inline void bmp_end_of_rib6(struct buffer *out, const struct bmp_about *about)
{
    struct buffer update = {0};
    buffer_add(&update, "\0\0\0\x06\x80\x0f\x03\0\x02\x01", 10);
    bmp_monitoring(out, about, &update);
    buffer_done(&update);
}

#endif
