/* A TCP header (RFC 9293, section 3.1), as far as it is needed to tell whose packet it is and what it wants. */
#ifndef WIRE_TCP_H
#define WIRE_TCP_H

#include "base/reader.h"

#include <stdint.h>

enum tcp_flags { TCP_SYN = 0x02, TCP_RST = 0x04, TCP_ACK = 0x10 };

struct tcp_header {
    uint16_t from, to; /* ports */
    uint8_t flags;
};

/* Passes over the header with its options. On failure the reader tells why. */
struct tcp_header tcp_read(struct reader *r);

#endif
