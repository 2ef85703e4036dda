/* ICMP echo and the errors that quote it: RFC 792 and RFC 4443. Bytes to structs and back.
 *
 * The payload of our echo requests, which is ours to choose (RFC 792, page 14), says who we are
 * ("lastlight probe") and carries a cookie, so that an answer is ours beyond doubt; a note after it
 * tells an operator who sees it on the wire why, and whom to ask. */
#ifndef WIRE_ICMP_H
#define WIRE_ICMP_H

#include "base/addr.h"
#include "base/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ICMP_ECHO_SIZE = 32, /* without a note */
    ICMP_NOTE_MAX = 224,
    ICMP_ECHO_MAX = ICMP_ECHO_SIZE + ICMP_NOTE_MAX
};

struct icmp_echo {
    uint16_t ident;
    uint16_t seq;
    uint64_t cookie;
};

/* Writes an echo request of `family` (4 or 6) with as much of the note as has room, and returns its
 * size. The checksum of version 6 covers addresses and is left to the kernel (RFC 3542, section 3.1). */
size_t icmp_write_echo(int family, const struct icmp_echo *echo, const char *note,
                       uint8_t out[ICMP_ECHO_MAX]);

enum icmp_what {
    ICMP_OTHER, /* well-formed, but neither of the following */
    ICMP_REPLY, /* an echo reply with a payload of ours */
    ICMP_ERROR, /* an error about an echo request */
};

struct icmp_message {
    uint8_t what; /* enum icmp_what */
    uint8_t type;
    uint8_t code;
    bool has_cookie; /* always for a reply; an error may quote too little */
    struct icmp_echo echo;
    struct addr target; /* error: where the request was going */
};

/* The header of an IPv4 packet as a raw socket gives it: RFC 791, section 3.1. */
struct ip4_header {
    struct addr from, to;
    uint8_t protocol;
    uint8_t ttl;
    bool is_fragment; /* not the first one: no header of the next protocol follows */
};

/* Passes over an IPv4 header with its options. */
struct ip4_header ip4_read(struct reader *r);

/* An ICMP message from its type on. The checksum is verified for version 4 (a raw socket gets what
 * the kernel has not looked at). On failure the reader tells why and `out` says ICMP_OTHER. */
struct icmp_message icmp_read(int family, struct reader *r);

/* An echo request from its type on, as an error quotes it: perhaps only its first 8 bytes. False if
 * it is something else. */
bool icmp_read_quoted(int family, struct reader *r, struct icmp_message *out);

#endif
