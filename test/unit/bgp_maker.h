/* Makes BGP messages for tests, as a router of AS65001 sends them. */
#ifndef TEST_BGP_MAKER_H
#define TEST_BGP_MAKER_H

#include "archive_maker.h"
#include "wire/bgp_message.h"

/* What the router says of itself, unless a test wants something else. */
static const struct bgp_open bgp_router = {.asn = 65001,
                                           .id = 0x0a000002,
                                           .hold_s = 180,
                                           .is_as4 = true,
                                           .has_family = {true, true},
                                           .has_refresh = true,
                                           .has_refresh_marks = true,
                                           .has_long_messages = true,
                                           .is_graceful = true,
                                           .restart_s = 120};

/* IPv4. Lists may be NULL; all NULL is the End-of-RIB. */
static inline void bgp_make_update(struct buffer *out, const char *withdrawn, const char *path,
                                   const char *announced)
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
    bgp_message_write(out, BGP_UPDATE, body.bytes, body.size);
    buffer_done(&gone);
    buffer_done(&attributes);
    buffer_done(&body);
}

/* IPv6: an MP_REACH_NLRI after ORIGIN and AS_PATH. */
static inline void bgp_make_update6(struct buffer *out, uint32_t asn, const char *announced)
{
    struct buffer nlri = {0}, attributes = {0}, body = {0};
    make_prefixes(&nlri, announced);
    buffer_add(&attributes, "\x40\x01\x01\x00\x40\x02\x06\x02\x01", 9);
    make_u32(&attributes, asn);
    buffer_add(&attributes, "\x80\x0e", 2);
    buffer_u8(&attributes, (uint8_t)(nlri.size + 21));
    buffer_add(&attributes, "\0\x02\x01\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09\0", 21);
    buffer_add(&attributes, nlri.bytes, nlri.size);
    make_u16(&body, 0);
    make_u16(&body, (unsigned)attributes.size);
    buffer_add(&body, attributes.bytes, attributes.size);
    bgp_message_write(out, BGP_UPDATE, body.bytes, body.size);
    buffer_done(&nlri);
    buffer_done(&attributes);
    buffer_done(&body);
}

static inline void bgp_make_end_of_rib(struct buffer *out, uint8_t family)
{
    bgp_message_write(out, BGP_UPDATE,
                      family == 6 ? "\0\0\0\x06\x80\x0f\x03\0\x02\x01" : "\0\0\0\0",
                      family == 6 ? 10 : 4);
}

#endif
