/* One connection of a BGP speaker that only listens (RFC 4271, the passive side from OpenSent on): no
 * socket, and no clock but what it is told. It sends OPEN, KEEPALIVE, NOTIFICATION and ROUTE-REFRESH;
 * it announces nothing, ever.
 *
 *     speaker = bgp_speaker_new(&options, now);
 *     ... bytes came in, or bgp_speaker_wants() is over:
 *     bgp_speaker_feed(speaker, bytes, n, now);
 *     while (bgp_speaker_next(speaker, now, &event))
 *         switch (event.kind) ...
 *     ... send bgp_speaker_output(), then bgp_speaker_sent()
 *     bgp_speaker_free(speaker);
 *
 * What is wrong with an attribute never ends the session: the route counts as withdrawn (RFC 7606).
 * Families that were not agreed on are passed over. An UPDATE of which nothing can be read ends it,
 * since nobody knows what it said. */
#ifndef SOURCE_BGP_BGP_SPEAKER_H
#define SOURCE_BGP_BGP_SPEAKER_H

#include "base/utc.h"
#include "wire/bgp_session.h"

/* Who has connected says within this time who he is. RFC 4271, 8.2.2 suggests four minutes, for those
 * whose connection may take that long to come up. */
#define BGP_OPEN_WAIT_NS NS_PER_MINUTE
/* What a peer does not take in. It is little: a KEEPALIVE has 19 bytes. */
enum { BGP_OUTPUT_MAX = 16 * 1024 };

struct bgp_speaker_options {
    struct bgp_open open; /* what it says of itself */
    uint32_t peer_asn;    /* 0: any */
};

enum bgp_event_kind {
    BGP_EVENT_OPENED,      /* it is the peer, as its OPEN says: bgp_speaker_accept() or _stop() */
    BGP_EVENT_ESTABLISHED, /* ... and it wants us */
    BGP_EVENT_UPDATE,
    BGP_EVENT_CLOSED /* by the peer, or because of it; what is left in the output is to be sent */
};

struct bgp_event {
    enum bgp_event_kind kind;
    /* UPDATE; good until the next call. The end of a refresh (RFC 7313) is told as an End-of-RIB. */
    struct bgp_update update;
};

struct bgp_speaker_counters {
    uint64_t updates;
    uint64_t bad;       /* of them: with a fault */
    uint64_t refreshes; /* that the peer asked for, and does not get: there is nothing to tell */
};

struct bgp_speaker;
struct bgp_speaker *bgp_speaker_new(const struct bgp_speaker_options *options, struct mono now);
void bgp_speaker_free(struct bgp_speaker *speaker);

void bgp_speaker_feed(struct bgp_speaker *speaker, const void *bytes, size_t n);
bool bgp_speaker_next(struct bgp_speaker *speaker, struct mono now, struct bgp_event *out);
/* When bgp_speaker_next() is to be called though nothing came in; INT64_MAX: never. */
struct mono bgp_speaker_wants(const struct bgp_speaker *speaker);

const struct buffer *bgp_speaker_output(const struct bgp_speaker *speaker);
void bgp_speaker_sent(struct bgp_speaker *speaker, size_t n);

/* After OPENED. */
void bgp_speaker_accept(struct bgp_speaker *speaker, struct mono now);
/* Ends it with a Cease of this subcode; nothing is told of that any more. */
void bgp_speaker_stop(struct bgp_speaker *speaker, uint8_t subcode);
/* Asks for the whole table of each family anew. False if the peer cannot do that. */
bool bgp_speaker_refresh(struct bgp_speaker *speaker);

bool bgp_speaker_is_accepted(const struct bgp_speaker *speaker); /* and not closed since */
bool bgp_speaker_is_established(const struct bgp_speaker *speaker);
bool bgp_speaker_is_closed(const struct bgp_speaker *speaker);
/* Since OPENED. */
const struct bgp_open *bgp_speaker_peer(const struct bgp_speaker *speaker);
const struct bgp_session *bgp_speaker_session(const struct bgp_speaker *speaker);
int64_t bgp_speaker_hold_ns(const struct bgp_speaker *speaker); /* 0: for ever */
/* When the last message came in. */
struct mono bgp_speaker_heard(const struct bgp_speaker *speaker);
const struct bgp_speaker_counters *bgp_speaker_counters(const struct bgp_speaker *speaker);
const char *bgp_speaker_first_fault(const struct bgp_speaker *speaker); /* of an UPDATE, or NULL */
/* After CLOSED: why, for people; and whether it was a fault of the peer, that may well be there again
 * the next time. */
const char *bgp_speaker_reason(const struct bgp_speaker *speaker);
bool bgp_speaker_was_fault(const struct bgp_speaker *speaker);

/* RFC 4271, 6.8, for a speaker that never connects by itself: whether the connection whose OPEN has
 * just come is to be kept, or the one that had its OPEN before. After a graceful restart the peer knows
 * nothing of the old one (RFC 4724, 4.2). */
bool bgp_speaker_replaces(const struct bgp_speaker *fresh, const struct bgp_speaker *old);

#endif
