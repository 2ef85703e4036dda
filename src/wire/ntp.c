#include "wire/ntp.h"

#include <string.h>

/* RFC 5905, section 7.3. */
enum { VERSION = 4, VERSION_LEAST = 3, MODE_CLIENT = 3, MODE_SERVER = 4, LEAP_UNKNOWN = 3 };
enum { TRANSMIT_AT = 40 };

/* From 1900 to 1970 (section 6). */
static const int64_t EPOCH_S = INT64_C(2208988800);
static const int64_t ERA_S = INT64_C(1) << 32;

void ntp_write_request(uint64_t cookie, uint8_t out[NTP_SIZE])
{
    memset(out, 0, NTP_SIZE);
    out[0] = VERSION << 3 | MODE_CLIENT;
    for (int i = 0; i < 8; i++)
        out[TRANSMIT_AT + i] = (uint8_t)(cookie >> (56 - 8 * i));
}

/* 0 of a time that is not known. */
static struct utc read_time(struct reader *r, struct utc around)
{
    int64_t seconds = reader_u32(r);
    uint64_t fraction = reader_u32(r);
    if (!seconds && !fraction)
        return (struct utc){0};
    int64_t now_s = around.ns / NS_PER_S + EPOCH_S;
    seconds += (now_s - seconds + ERA_S / 2) / ERA_S * ERA_S;
    int64_t ns = (int64_t)(fraction * (uint64_t)NS_PER_S >> 32);
    return (struct utc){(seconds - EPOCH_S) * NS_PER_S + ns};
}

/* 16 bits of seconds and 16 of their fraction. */
static int64_t read_short(struct reader *r)
{
    return (int64_t)((uint64_t)reader_u32(r) * (uint64_t)NS_PER_S >> 16);
}

static void read_kiss(const uint8_t bytes[4], char out[NTP_KISS_TEXT])
{
    for (int i = 0; i < 4; i++) {
        bool is_plain =
            (bytes[i] >= 'A' && bytes[i] <= 'Z') || (bytes[i] >= '0' && bytes[i] <= '9');
        out[i] = is_plain ? (char)bytes[i] : '?';
    }
    out[4] = '\0';
}

static enum ntp_what judge(uint8_t first, const struct ntp_reply *reply)
{
    if (reply->stratum == 0)
        return NTP_KISS;
    bool is_known = first >> 6 != LEAP_UNKNOWN && reply->stratum <= NTP_STRATUM_MOST &&
                    utc_is_known(reply->received) && utc_is_known(reply->sent);
    return is_known ? NTP_TIME : NTP_UNSYNCHRONISED;
}

struct ntp_reply ntp_read_reply(struct reader *r, uint64_t cookie, struct utc around)
{
    struct ntp_reply reply = {0};
    uint8_t first = reader_u8(r);
    reply.stratum = reader_u8(r);
    reader_bytes(r, 2); /* how often to ask, and how exact it is */
    int64_t delay_ns = read_short(r), dispersion_ns = read_short(r);
    const uint8_t *reference = reader_bytes(r, 4);
    reader_u64(r); /* when it was set last */
    uint64_t origin = reader_u64(r);
    reply.received = read_time(r, around);
    reply.sent = read_time(r, around);
    unsigned version = first >> 3 & 7;
    if (!r->bad && ((first & 7) != MODE_SERVER || version < VERSION_LEAST || version > VERSION))
        reader_fail(r, "is not a server's answer by NTP");
    if (r->bad || origin != cookie)
        return (struct ntp_reply){0};
    reply.distance_ns = delay_ns / 2 + dispersion_ns;
    read_kiss(reference, reply.kiss);
    reply.what = (uint8_t)judge(first, &reply);
    return reply;
}

int64_t ntp_offset_ns(struct utc asked, const struct ntp_reply *reply, struct utc answered,
                      int64_t *delay_ns)
{
    int64_t there = utc_diff(reply->received, asked), back = utc_diff(reply->sent, answered);
    int64_t delay = utc_diff(answered, asked) - utc_diff(reply->sent, reply->received);
    *delay_ns = delay > 0 ? delay : 0;
    return there / 2 + back / 2;
}
