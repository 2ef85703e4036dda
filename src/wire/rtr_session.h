/* The router's side of RTR (RFC 8210, 8; RFC 6810 with a cache that knows no better), across
 * connections: what to ask when, what to make of the answers, and when what is known is too old. It
 * has no clock, no socket and no table: it is told the time and the bytes, and tells what is to be
 * done.
 *
 *     rtr_session_init(&session, now, NULL);
 *     // whenever bytes came (rtr_session_feed), or the time is rtr_session_due():
 *     while ((step = rtr_session_next(&session, now, &pdu)) != RTR_WAIT)
 *         switch (step) ...
 *     // send what is in session.out
 */
#ifndef WIRE_RTR_SESSION_H
#define WIRE_RTR_SESSION_H

#include "base/utc.h"
#include "wire/rtr.h"

enum rtr_step {
    RTR_WAIT,    /* nothing before rtr_session_due(), unless bytes come */
    RTR_CONNECT, /* then rtr_session_connected(), or rtr_session_lost() */
    RTR_BEGIN,   /* an answer begins: a whole new table if session.is_full, else changes */
    RTR_CHANGE,  /* of it: the prefix in `pdu` */
    RTR_COMMIT,  /* it was whole, and counts from now on; or rtr_session_refuse() */
    RTR_FORGET,  /* nothing is known any more */
    RTR_CLOSE /* send what is in session.out as far as it goes, and close; session.fault says why */
};

/* How long to wait for what RFC 8210 does not say. */
struct rtr_patience {
    int64_t answer_ns;   /* for the next byte of an answer, or a connection */
    int64_t response_ns; /* for the whole of it */
    int64_t retry_ns;    /* before the second attempt; twice that before the third, and so on */
};
extern const struct rtr_patience rtr_patience_usual;

enum rtr_state {
    RTR_AWAY,       /* not connected; `due` is when to try */
    RTR_CONNECTING, /* `due` is when to give up, here and in the next two */
    RTR_ASKED,
    RTR_ANSWERED, /* the answer has begun */
    RTR_WHOLE,    /* it has ended, and may still be refused */
    RTR_AT_REST,  /* `due` is when to ask again */
    RTR_ENDING    /* to be closed */
};

/* To be read only: is_full, version, serial, fault, out. */
struct rtr_session {
    struct rtr_patience patience;
    enum rtr_state state;
    struct mono due;
    struct mono answer_by; /* the whole answer */
    struct mono expires;   /* what is known; 0: nothing is */
    uint8_t version;       /* that of the next query */
    bool is_settled;       /* the cache has answered in this version, on this connection */
    bool has_serial;       /* session and serial are those of what is known: changes will do */
    bool is_full;          /* the table was asked for as a whole */
    bool must_forget;
    struct rtr_pdu whole; /* what the answer ended with */
    uint16_t session;
    uint32_t serial;
    int64_t refresh_ns, retry_ns, expire_ns; /* RFC 8210, 6 */
    unsigned failures;                       /* since the last whole answer */
    struct buffer in;                        /* bytes of PDUs that are not used yet, from in_at */
    size_t in_at;
    struct buffer out; /* to be sent; the sender takes away what was */
    char fault[240];
};

/* patience: NULL for the usual. The first step is RTR_CONNECT. */
void rtr_session_init(struct rtr_session *session, struct mono now,
                      const struct rtr_patience *patience);
void rtr_session_done(struct rtr_session *session);

void rtr_session_connected(struct rtr_session *session, struct mono now);
/* There is no connection, or no longer. Not after RTR_CLOSE. */
void rtr_session_lost(struct rtr_session *session, struct mono now, const char *reason);
void rtr_session_feed(struct rtr_session *session, struct mono now, const void *bytes, size_t n);
enum rtr_step rtr_session_next(struct rtr_session *session, struct mono now, struct rtr_pdu *pdu);
/* After RTR_CHANGE or RTR_COMMIT: it does not fit what is known, or is too much. The next step is
 * RTR_CLOSE, and the next query for the whole table. */
void rtr_session_refuse(struct rtr_session *session, struct mono now, enum rtr_error error,
                        const char *text);
struct mono rtr_session_due(const struct rtr_session *session);

#endif
