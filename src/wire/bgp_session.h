/* What a BGP session begins with, and what both sides then agree on: the header of a message (RFC
 * 4271, 4.1), OPEN (4.2; 9072 for long ones) and its capabilities (5492): families (4760), 4-byte
 * ASNs (6793), ADD-PATH (7911), route refresh (2918, 7313), long messages (8654) and graceful restart
 * (4724). It decides how the UPDATEs of the session are to be read. */
#ifndef WIRE_BGP_SESSION_H
#define WIRE_BGP_SESSION_H

#include "wire/bgp.h"

enum { BGP_HEADER = 19, BGP_MESSAGE_MAX = 4096, BGP_LONG_MESSAGE_MAX = 65535 /* RFC 8654 */ };

/* The next whole message: its type, and its body after the header. On error the reader is failed. */
uint8_t bgp_message_next(struct reader *r, struct reader *body);

enum { BGP_CAN_RECEIVE = 1, BGP_CAN_SEND = 2 }; /* RFC 7911, 4 */

/* IPv4 and IPv6 unicast, in places 0 and 1. */
struct bgp_open {
    uint32_t asn;
    uint32_t id; /* BGP identifier */
    uint16_t hold_s;
    bool is_as4;
    bool has_family[2];
    uint8_t add_path[2]; /* BGP_CAN_RECEIVE, BGP_CAN_SEND */
    bool has_refresh;
    bool has_refresh_marks; /* says when a refresh begins and ends (RFC 7313) */
    bool has_long_messages;
    bool is_graceful;       /* knows of graceful restart: it sends an End-of-RIB */
    bool is_restarting;     /* ... and nobody is to wait for its own (RFC 4724, 3) */
    uint16_t restart_s;     /* ... how long it may be away */
    bool has_odd_parameter; /* an optional parameter that is not known (RFC 4271, 6.2) */
};

/* NULL, or what is wrong with the body of an OPEN, a static text; then `out` is untouched. */
const char *bgp_open_decode(struct reader body, struct bgp_open *out);
/* Appends it as a whole message; has_odd_parameter says nothing. At most BGP_MESSAGE_MAX bytes. */
void bgp_open_write(struct buffer *out, const struct bgp_open *open);
/* The capabilities of the families that it has, as a NOTIFICATION of their want holds them (RFC 5492,
 * 5). */
void bgp_families_write(struct buffer *out, const struct bgp_open *open);

struct bgp_session {
    struct bgp_form form; /* of the speaker's UPDATEs */
    bool has_family[2];
};
struct bgp_session bgp_session_of(const struct bgp_open *speaker, const struct bgp_open *listener);
/* Of which nobody saw the OPENs: most have 4-byte ASNs (RFC 6793), and what a message does not say it is
 * asked for. */
extern const struct bgp_session bgp_session_unknown;

#endif
