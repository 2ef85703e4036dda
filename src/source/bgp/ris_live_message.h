/* Messages of RIS Live, the live stream of RIPE's route collectors, from lines of JSON to values. No
 * socket and no clock. What is said here of the protocol comes from its manual
 * (https://ris-live.ripe.net/manual/), its schemas (https://ris-live.ripe.net/schemas/v1/) and lines
 * that the service sent in September 2026:
 *
 *     {"type":"ris_message","data":{"timestamp":1789019601.670,"peer":"192.0.2.9",
 *      "peer_asn":"64500","id":"192.0.2.9-01a089e0bb060003","host":"rrc00.ripe.net",
 *      "type":"UPDATE","path":[...],"announcements":[...],"withdrawals":[...],"raw":"FFFF..."}}
 *     {"type":"ris_message","data":{... "type":"STATE","state":"connected"}}
 *     {"type":"ris_error","data":{"message":"..."}}
 *
 * Of an UPDATE only the bytes that the peer sent are used (`raw`, the whole BGP message in hexadecimal),
 * for what the service makes of them leaves things out. A state is called STATE by the service and
 * RIS_PEER_STATE by its manual. An OPEN has a `direction`, "sent" by the collector or "received".
 * `timestamp` is when the collector heard it, in steps of 10 ms; `id` ends with the same time in
 * milliseconds and a counter, 12 and 4 hexadecimal digits, by which what a peer said within one step
 * can be put in order. The manual only calls it unique: it does not tell what was left out, and where
 * it looks otherwise (it has, in earlier years) there is no order.
 *
 *     struct ris_parser parser = {0};
 *     const char *fault = ris_message_decode(&parser, line, n, &message);
 *     ris_parser_done(&parser);
 */
#ifndef SOURCE_BGP_RIS_LIVE_MESSAGE_H
#define SOURCE_BGP_RIS_LIVE_MESSAGE_H

#include "base/addr.h"
#include "base/buffer.h"
#include "base/reader.h"
#include "base/utc.h"

/* The longest that is sensible: an UPDATE of 64 KB (RFC 8654) that withdraws nothing but IPv6
 * prefixes, its bytes and each prefix written out. */
enum { RIS_LINE_MAX = 1024 * 1024 };
enum { RIS_HOST_MAX = 40, RIS_TEXT_MAX = 160 };

enum ris_kind {
    RIS_OTHER, /* of a peer: OPEN, NOTIFICATION; or of none: an answer to a ping */
    RIS_UPDATE,
    RIS_KEEPALIVE,
    RIS_STATE,
    RIS_ERROR
};

/* Of a session. The TCP connection is there; BGP is established; it is over. */
enum ris_state { RIS_STATE_OTHER, RIS_STATE_CONNECTED, RIS_STATE_UP, RIS_STATE_DOWN };

struct ris_message {
    enum ris_kind kind;
    /* Where the message is of a peer, else host is "". */
    char host[RIS_HOST_MAX + 1]; /* of the collector, as archives call it: "rrc00" */
    struct addr peer;
    uint32_t asn;
    struct utc time;
    uint32_t order; /* ... within `time` */
    bool has_order;
    enum ris_state state;        /* STATE */
    bool is_sent;                /* by the collector, not by the peer */
    bool has_raw;                /* all but STATE; only of an UPDATE bad ones are a fault */
    struct reader raw;           /* ... one whole BGP message, or more; valid until the next line */
    char text[RIS_TEXT_MAX + 1]; /* ERROR: what it says, printable */
};

/* The name of a collector as archives have it: "rrc00" of "rrc00.ripe.net", any other as it is. False
 * if it cannot be one. */
bool ris_host(const char *text, size_t n, char out[RIS_HOST_MAX + 1]);

struct ris_parser {
    struct buffer raw;
};
void ris_parser_done(struct ris_parser *parser);

/* One line, without its end. NULL, or what is wrong with it, a static text; then `out` is untouched. */
const char *ris_message_decode(struct ris_parser *parser, const char *line, size_t n,
                               struct ris_message *out);

/* What is asked for, as a header of the request: all messages of one collector, or (NULL) of all, with
 * their raw bytes. Not UPDATEs alone: KEEPALIVEs show that a peer is there that has nothing to say. */
void ris_subscription(const char *host, struct buffer *out);

#endif
