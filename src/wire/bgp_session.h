/* What a BGP session begins with, and what both sides then agree on: the header of a message (RFC
 * 4271, 4.1), OPEN (4.2; 9072 for long ones) and its capabilities (5492): families (4760), 4-byte
 * ASNs (6793) and ADD-PATH (7911). It decides how the UPDATEs of the session are to be read. */
#ifndef WIRE_BGP_SESSION_H
#define WIRE_BGP_SESSION_H

#include "wire/bgp.h"

/* The next whole message: its type, and its body after the header. On error the reader is failed. */
uint8_t bgp_message_next(struct reader *r, struct reader *body);

enum { BGP_CAN_RECEIVE = 1, BGP_CAN_SEND = 2 }; /* RFC 7911, 4 */

/* IPv4 and IPv6 unicast, in places 0 and 1. */
struct bgp_open {
    uint32_t asn;
    bool is_as4;
    bool has_family[2];
    uint8_t add_path[2]; /* BGP_CAN_RECEIVE, BGP_CAN_SEND */
};

/* NULL, or what is wrong with the body of an OPEN, a static text; then `out` is untouched. */
const char *bgp_open_decode(struct reader body, struct bgp_open *out);

struct bgp_session {
    struct bgp_form form; /* of the speaker's UPDATEs */
    bool has_family[2];
};
struct bgp_session bgp_session_of(const struct bgp_open *speaker, const struct bgp_open *listener);

#endif
