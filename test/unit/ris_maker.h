/* Makes lines of RIS Live for tests, as the service writes them.
 *
 *     struct buffer lines = {0};
 *     struct ris_about peer = {.time = now};
 *     ris_update(&lines, &peer, NULL, "65001 4837", "198.51.100.0/24");
 *     ris_state(&lines, &peer, "down");
 */
#ifndef TEST_RIS_MAKER_H
#define TEST_RIS_MAKER_H

#include "bmp_maker.h"

#include <inttypes.h>

struct ris_about {
    const char *host; /* NULL: "rrc00.ripe.net" */
    const char *peer; /* NULL: "192.0.2.9" */
    uint32_t asn;     /* 0: 65001 */
    struct utc time;
    int order; /* its place within that time, from 1; 0: its id does not tell */
    bool is_without_raw;
};

/* All up to the type, and what is after that. */
static inline void ris_line(struct buffer *out, const struct ris_about *about, const char *type,
                            const char *rest)
{
    const char *peer = about->peer ? about->peer : "192.0.2.9";
    int64_t ms = about->time.ns / NS_PER_MS;
    buffer_printf(out,
                  "{\"type\":\"ris_message\",\"data\":{\"timestamp\":%" PRId64 ".%03" PRId64
                  ",\"peer\":\"%s\",\"peer_asn\":\"%u\",\"id\":\"%s-",
                  ms / 1000, ms % 1000, peer, about->asn ? about->asn : 65001, peer);
    if (about->order)
        buffer_printf(out, "%012" PRIx64 "%04x", (uint64_t)ms, (unsigned)about->order - 1);
    else
        buffer_puts(out, "7");
    buffer_printf(out, "\",\"host\":\"%s\",\"type\":\"%s\"%s}}\n",
                  about->host ? about->host : "rrc00.ripe.net", type, rest);
}

static inline void ris_raw(struct buffer *out, const struct ris_about *about, const char *type,
                           const struct buffer *message)
{
    struct buffer rest = {0};
    buffer_puts(&rest, strcmp(type, "UPDATE") ? "" : ",\"path\":[64666],\"announcements\":[]");
    if (!about->is_without_raw) {
        buffer_puts(&rest, ",\"raw\":\"");
        for (size_t i = 0; i < message->size; i++)
            buffer_printf(&rest, "%02X", (uint8_t)message->bytes[i]);
        buffer_puts(&rest, "\"");
    }
    ris_line(out, about, type, rest.size ? rest.bytes : "");
    buffer_done(&rest);
}

/* An UPDATE of bytes after the BGP header. */
static inline void ris_bytes(struct buffer *out, const struct ris_about *about, const void *bytes,
                             size_t n)
{
    struct buffer body = {0}, message = {0};
    buffer_add(&body, bytes, n);
    bmp_bgp(&message, 2, &body);
    ris_raw(out, about, "UPDATE", &message);
    buffer_done(&body);
    buffer_done(&message);
}

/* IPv4. Lists may be NULL; all NULL is the End-of-RIB. */
static inline void ris_update(struct buffer *out, const struct ris_about *about,
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
    ris_bytes(out, about, update.bytes, update.size);
    buffer_done(&gone);
    buffer_done(&attributes);
    buffer_done(&update);
}

static inline void ris_keepalive(struct buffer *out, const struct ris_about *about)
{
    struct buffer body = {0}, message = {0};
    bmp_bgp(&message, 4, &body);
    ris_raw(out, about, "KEEPALIVE", &message);
    buffer_done(&message);
}

static inline void ris_state(struct buffer *out, const struct ris_about *about, const char *state)
{
    char rest[80];
    snprintf(rest, sizeof rest, ",\"state\":\"%s\"", state);
    ris_line(out, about, "STATE", rest);
}

#endif
