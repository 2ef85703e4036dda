/* NTP as a client that only looks at the time: RFC 5905, figure 8 and section 14 (SNTP). Bytes to structs and
 * back. What we send says nothing of us but a number that cannot be guessed, where the time of sending would be:
 * a server gives it back, whatever it is, and so an answer is ours. */
#ifndef WIRE_NTP_H
#define WIRE_NTP_H

#include "base/reader.h"
#include "base/utc.h"

#include <stdbool.h>
#include <stdint.h>

enum { NTP_SIZE = 48, NTP_PORT = 123, NTP_STRATUM_MOST = 15, NTP_KISS_TEXT = 5 };

void ntp_write_request(uint64_t cookie, uint8_t out[NTP_SIZE]);

enum ntp_what {
    NTP_FOREIGN,        /* no answer to this request */
    NTP_TIME,           /* a time */
    NTP_KISS,           /* "go away" or "more slowly" (section 7.4): no time */
    NTP_UNSYNCHRONISED, /* the server does not know the time itself */
};

struct ntp_reply {
    uint8_t what; /* enum ntp_what */
    uint8_t stratum;
    char kiss[NTP_KISS_TEXT];  /* "DENY", "RSTR", "RATE", ...; what is no capital or digit is '?' */
    struct utc received, sent; /* by the server's clock */
    int64_t
        distance_ns; /* how wrong the server may be: half of its way to the source, and dispersion */
};

/* On failure the reader tells why, and it is NTP_FOREIGN. `around` is about now: seconds are told modulo 2^32
 * (section 6), and of all that could be meant the nearest is. Extensions that follow are not looked at. */
struct ntp_reply ntp_read_reply(struct reader *r, uint64_t cookie, struct utc around);

/* By how much the server's clock is ahead of ours, of four times (section 8): we sent, it received, it sent, we
 * received. And how long the packets were on their way, never negative. */
int64_t ntp_offset_ns(struct utc asked, const struct ntp_reply *reply, struct utc answered,
                      int64_t *delay_ns);

#endif
