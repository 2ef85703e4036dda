/* A tap on the TCP packets that arrive at this machine and open or refuse a connection: SYN with ACK, and RST. A
 * socket of TCP does not tell with which TTL they came. All else is left to the kernel by a filter. */
#ifndef SYS_TCP_TAP_H
#define SYS_TCP_TAP_H

#include "base/addr.h"
#include "base/err.h"

#include <stdint.h>

struct tcp_tap;

/* ERR_DENIED, with the cure, without CAP_NET_RAW. */
enum err tcp_tap_open(int family, struct tcp_tap **out, struct why *why);
void tcp_tap_close(struct tcp_tap *tap); /* NULL is fine */

enum { TCP_TAP_BATCH = 16 };

struct tcp_arrival {
    const uint8_t *bytes; /* valid until the next receive */
    size_t n;
    struct addr from;
    uint8_t ttl;        /* 0 if it stands in the header, or was not told */
    bool has_ip_header; /* the bytes begin with an IPv4 header and not with TCP's */
};

/* What has arrived, without waiting: up to TCP_TAP_BATCH. 0 if there is nothing (more). */
size_t tcp_tap_receive(struct tcp_tap *tap, struct tcp_arrival arrivals[TCP_TAP_BATCH]);

#endif
