/* The short messages of a BGP session, to and fro: KEEPALIVE, NOTIFICATION (RFC 4271, 4.5 and 6; texts:
 * 9003) and ROUTE-REFRESH (2918; 7313 for its begin and end). Those that announce routes are not
 * written by this program. */
#ifndef WIRE_BGP_MESSAGE_H
#define WIRE_BGP_MESSAGE_H

#include "wire/bgp_session.h"

/* Appends a message with its header. `body` may be NULL if n is 0. */
void bgp_message_write(struct buffer *out, enum bgp_message_type type, const void *body, size_t n);
void bgp_keepalive_write(struct buffer *out);

/* IANA: BGP Error (Notification) Codes, and the subcodes that are used here. */
enum bgp_error {
    BGP_ERROR_HEADER = 1,
    BGP_ERROR_OPEN = 2,
    BGP_ERROR_UPDATE = 3,
    BGP_ERROR_HOLD_TIMER = 4,
    BGP_ERROR_STATE = 5,  /* subcodes: RFC 6608 */
    BGP_ERROR_CEASE = 6,  /* subcodes: RFC 4486 */
    BGP_ERROR_REFRESH = 7 /* RFC 7313, 5 */
};
enum { BGP_HEADER_NOT_SYNCHRONIZED = 1, BGP_HEADER_BAD_LENGTH, BGP_HEADER_BAD_TYPE };
enum {
    BGP_OPEN_BAD_VERSION = 1,
    BGP_OPEN_BAD_AS,
    BGP_OPEN_BAD_ID,
    BGP_OPEN_BAD_PARAMETER,
    BGP_OPEN_BAD_HOLD_TIME = 6,
    BGP_OPEN_BAD_CAPABILITY
};
enum { BGP_UPDATE_MALFORMED = 1 };
enum {
    BGP_CEASE_SHUTDOWN = 2,
    BGP_CEASE_NOT_CONFIGURED,
    BGP_CEASE_RESET,
    BGP_CEASE_REJECTED,
    BGP_CEASE_CHANGED,
    BGP_CEASE_COLLISION,
    BGP_CEASE_RESOURCES
};
enum { BGP_REFRESH_BAD_LENGTH = 1 };

struct bgp_notification {
    uint8_t code, subcode;
    struct reader data;
};

void bgp_notification_write(struct buffer *out, const struct bgp_notification *notification);
/* NULL, or what is wrong with its body, a static text; then `out` is untouched. */
const char *bgp_notification_decode(struct reader body, struct bgp_notification *out);
/* For people: "Cease, Administrative Shutdown", and the text that came with it, in quotes. */
void bgp_notification_format(const struct bgp_notification *notification, struct buffer *out);

/* RFC 7313, 3.2. */
enum bgp_refresh_mark { BGP_REFRESH_ASK, BGP_REFRESH_BEGIN, BGP_REFRESH_END };
struct bgp_refresh {
    uint8_t family; /* 4 or 6, unicast; 0: another */
    uint8_t mark;   /* enum bgp_refresh_mark, or one that is not known */
};
void bgp_refresh_write(struct buffer *out, uint8_t family);
/* NULL, or what is wrong; then `out` is untouched. Filters that follow (RFC 5291) are passed over. */
const char *bgp_refresh_decode(struct reader body, struct bgp_refresh *out);

#endif
