#include "wire/rtr_session.h"

#include <assert.h>
#include <stdio.h>

/* A cache that sends no byte for a minute is not just slow, and over no link that is of use does a whole
 * table take half an hour. */
const struct rtr_patience rtr_patience_usual = {60 * NS_PER_S, 30 * NS_PER_MINUTE, 15 * NS_PER_S};

/* RFC 8210, 6: the usual intervals, which a cache of version 0 cannot change, and their bounds, in
 * seconds. */
enum { REFRESH = 3600, REFRESH_MIN = 1, REFRESH_MAX = 86400 };
enum { RETRY = 600, RETRY_MIN = 1, RETRY_MAX = 7200 };
enum { EXPIRE = 7200, EXPIRE_MIN = 600, EXPIRE_MAX = 172800 };

static struct mono later(struct mono now, int64_t ns)
{
    return (struct mono){now.ns + ns};
}

static struct mono earlier_of(struct mono a, struct mono b)
{
    return a.ns < b.ns ? a : b;
}

static int64_t within(uint32_t seconds, uint32_t least, uint32_t most)
{
    uint32_t value = seconds < least ? least : seconds > most ? most : seconds;
    return value * NS_PER_S;
}

/* RFC 8210, 6: what is known must live longer than it takes to ask again. */
static void set_intervals(struct rtr_session *session, uint32_t refresh, uint32_t retry,
                          uint32_t expire)
{
    session->refresh_ns = within(refresh, REFRESH_MIN, REFRESH_MAX);
    session->retry_ns = within(retry, RETRY_MIN, RETRY_MAX);
    session->expire_ns = within(expire, EXPIRE_MIN, EXPIRE_MAX);
    if (session->expire_ns <= session->refresh_ns)
        session->expire_ns = session->refresh_ns + session->retry_ns;
}

void rtr_session_init(struct rtr_session *session, struct mono now,
                      const struct rtr_patience *patience)
{
    *session = (struct rtr_session){.patience = patience ? *patience : rtr_patience_usual,
                                    .version = RTR_VERSION_MAX,
                                    .due = now};
    set_intervals(session, REFRESH, RETRY, EXPIRE);
}

void rtr_session_done(struct rtr_session *session)
{
    buffer_done(&session->in);
    buffer_done(&session->out);
}

struct mono rtr_session_due(const struct rtr_session *session)
{
    return session->expires.ns ? earlier_of(session->due, session->expires) : session->due;
}

/* ---- the end of a connection ---- */

/* When to connect again: sooner after the first failure than after many, and never later than the
 * cache asks for. */
static struct mono next_attempt(struct rtr_session *session, struct mono now)
{
    int64_t wait_ns = session->patience.retry_ns;
    for (unsigned i = 0; i < session->failures && wait_ns < session->retry_ns; i++)
        wait_ns *= 2;
    session->failures++;
    return later(now, wait_ns < session->retry_ns ? wait_ns : session->retry_ns);
}

static void end(struct rtr_session *session, struct mono now, const char *text)
{
    session->state = RTR_ENDING;
    session->due = next_attempt(session, now);
    snprintf(session->fault, sizeof session->fault, "%s", text);
}

/* Ends it with a report of what the cache did (RFC 8210, 5.11, 12). */
static void report(struct rtr_session *session, struct mono now, enum rtr_error error,
                   struct reader quoted, const char *text)
{
    enum { QUOTED_MAX = 512 };
    if (reader_left(&quoted) > QUOTED_MAX)
        quoted.end = quoted.at + QUOTED_MAX;
    struct rtr_pdu pdu = {.version = session->version,
                          .type = RTR_ERROR_REPORT,
                          .error = (uint16_t)error,
                          .quoted = quoted,
                          .text = reader_of(text, strlen(text))};
    rtr_encode(&pdu, &session->out);
    end(session, now, text);
}

void rtr_session_refuse(struct rtr_session *session, struct mono now, enum rtr_error error,
                        const char *text)
{
    assert(session->state == RTR_ANSWERED || session->state == RTR_WHOLE);
    session->has_serial = false;
    report(session, now, error, (struct reader){0}, text);
}

/* Sessions and serials of one version say nothing in the other (RFC 8210, 7). */
static void set_version(struct rtr_session *session, uint8_t version)
{
    session->version = version;
    session->has_serial = false;
}

static void go_away(struct rtr_session *session)
{
    session->state = RTR_AWAY;
    session->is_settled = false;
    session->in_at = 0;
    buffer_clear(&session->in);
}

void rtr_session_lost(struct rtr_session *session, struct mono now, const char *reason)
{
    /* RFC 8210, 7: a cache that does not know our version may close without a word */
    if (session->state == RTR_ASKED && !session->is_settled && !session->has_serial)
        set_version(session, session->version ? 0 : RTR_VERSION_MAX);
    end(session, now, reason);
    go_away(session);
}

/* ---- questions ---- */

static void ask(struct rtr_session *session, struct mono now)
{
    struct rtr_pdu query = {.version = session->version,
                            .type = session->has_serial ? RTR_SERIAL_QUERY : RTR_RESET_QUERY,
                            .session = session->has_serial ? session->session : 0,
                            .serial = session->serial};
    rtr_encode(&query, &session->out);
    session->is_full = !session->has_serial;
    session->state = RTR_ASKED;
    session->answer_by = later(now, session->patience.response_ns);
    session->due = later(now, session->patience.answer_ns);
}

void rtr_session_connected(struct rtr_session *session, struct mono now)
{
    assert(session->state == RTR_CONNECTING);
    buffer_clear(&session->out);
    ask(session, now);
}

void rtr_session_feed(struct rtr_session *session, struct mono now, const void *bytes, size_t n)
{
    struct buffer *in = &session->in;
    if (session->in_at) {
        memmove(in->bytes, in->bytes + session->in_at, in->size - session->in_at);
        in->size -= session->in_at;
        session->in_at = 0;
    }
    buffer_add(in, bytes, n);
    if (session->state == RTR_ASKED || session->state == RTR_ANSWERED)
        session->due = earlier_of(later(now, session->patience.answer_ns), session->answer_by);
}

/* ---- answers ---- */

/* RFC 8210, 5.1: whoever sees another session than the one it knows reports corrupt data, and the
 * router forgets all that it has of this cache. A whole table is asked for at once, where it was
 * changes that were asked for: a cache that has begun anew is no reason to know nothing for
 * long. */
static void drop_session(struct rtr_session *session, struct mono now)
{
    session->has_serial = false;
    session->must_forget = true;
    if (!session->is_full)
        session->due = now;
}

/* What a cache says of an error may be any bytes. Whatever it was, the next question is for the whole table,
 * as the same one might meet the same error each time; but not if the cache only has no data yet. */
static void take_error(struct rtr_session *session, struct mono now, const struct rtr_pdu *pdu)
{
    char said[100], text[200];
    size_t n = 0;
    /* RFC 8210, 7: it knows only an older version */
    bool is_version = pdu->error == RTR_ERROR_UNSUPPORTED_VERSION && !session->is_settled;
    for (const uint8_t *at = pdu->text.at; at < pdu->text.end && n < sizeof said - 1; at++)
        said[n++] = *at >= ' ' && *at < 0x7f ? (char)*at : '?';
    said[n] = '\0';
    snprintf(text, sizeof text, "the cache reports: %s%s%s%s", rtr_error_text(pdu->error),
             n ? " (" : "", said, n ? ")" : "");
    bool has_begun_anew =
        pdu->error == RTR_ERROR_CORRUPT_DATA && session->state == RTR_ASKED && !session->is_full;
    end(session, now, text);
    if (pdu->error != RTR_ERROR_NO_DATA)
        session->has_serial = false;
    if (has_begun_anew)
        drop_session(session, now);
    if (is_version && session->version > 0)
        session->due = now;
    if (is_version)
        set_version(session, session->version > 0 ? 0 : RTR_VERSION_MAX);
}

static bool is_other_session(struct rtr_session *session, struct mono now,
                             const struct rtr_pdu *pdu, struct reader bytes)
{
    if (pdu->session == session->session)
        return false;
    report(session, now, RTR_ERROR_CORRUPT_DATA, bytes, "the session is another one");
    drop_session(session, now);
    return true;
}

/* What is known is now as this answer left it, and confirmed. */
static void finish_answer(struct rtr_session *session, struct mono now)
{
    const struct rtr_pdu *whole = &session->whole;
    if (whole->version > 0)
        set_intervals(session, whole->refresh_s, whole->retry_s, whole->expire_s);
    session->serial = whole->serial;
    session->has_serial = true;
    session->failures = 0;
    session->state = RTR_AT_REST;
    session->due = later(now, session->refresh_ns);
    session->expires = later(now, session->expire_ns);
}

/* RFC 8210, 8.1 to 8.4. RTR_WAIT: go on with the next one. */
static enum rtr_step take_answer(struct rtr_session *session, struct mono now,
                                 const struct rtr_pdu *pdu, struct reader bytes)
{
    bool is_asked = session->state == RTR_ASKED, is_answered = session->state == RTR_ANSWERED;
    if (pdu->type == RTR_CACHE_RESPONSE && is_asked) {
        if (!session->is_full && is_other_session(session, now, pdu, bytes))
            return RTR_WAIT;
        session->session = pdu->session;
        session->state = RTR_ANSWERED;
        return RTR_BEGIN;
    }
    if (pdu->type == RTR_CACHE_RESET && is_asked && !session->is_full) {
        session->has_serial = false;
        ask(session, now);
        return RTR_WAIT;
    }
    if ((pdu->type == RTR_IPV4_PREFIX || pdu->type == RTR_IPV6_PREFIX) && is_answered)
        return RTR_CHANGE;
    if (pdu->type == RTR_ROUTER_KEY && is_answered)
        return RTR_WAIT;
    if (pdu->type == RTR_END_OF_DATA && is_answered) {
        if (is_other_session(session, now, pdu, bytes))
            return RTR_WAIT;
        session->whole = *pdu;
        session->state = RTR_WHOLE;
        return RTR_COMMIT;
    }
    report(session, now, RTR_ERROR_CORRUPT_DATA, bytes, "a PDU comes where none like it may");
    return RTR_WAIT;
}

/* RFC 8210, 7: the first PDU that is no notification decides of the version. False if the
 * connection ends. */
static bool settle_version(struct rtr_session *session, struct mono now, const struct rtr_pdu *pdu,
                           struct reader bytes)
{
    bool is_error = pdu->type == RTR_ERROR_REPORT;
    if (session->is_settled || is_error) {
        if (pdu->version == session->version || is_error)
            return true;
        report(session, now, RTR_ERROR_UNEXPECTED_VERSION, bytes, "the version changes");
        return false;
    }
    session->is_settled = true;
    if (pdu->version == session->version)
        return true;
    bool must_ask_anew = session->has_serial || pdu->version > session->version;
    set_version(session, pdu->version);
    if (must_ask_anew) {
        end(session, now, "the cache speaks another version now");
        session->due = now;
    }
    return !must_ask_anew;
}

/* RFC 8210, 5.2, 8.2: there is something new. While a question is open it is of no use. */
static void take_notification(struct rtr_session *session, struct mono now,
                              const struct rtr_pdu *pdu, struct reader bytes)
{
    if (session->state == RTR_AT_REST && pdu->version == session->version &&
        !is_other_session(session, now, pdu, bytes) && pdu->serial != session->serial)
        session->due = now;
}

static enum rtr_step take_pdu(struct rtr_session *session, struct mono now, struct reader bytes,
                              struct rtr_pdu *pdu)
{
    enum rtr_error error;
    struct rtr_pdu decoded;
    bool is_error = bytes.at[1] == RTR_ERROR_REPORT;
    if (bytes.at[1] == RTR_SERIAL_NOTIFY && !session->is_settled)
        return RTR_WAIT; /* RFC 8210, 7: of whatever version */
    const char *fault = rtr_decode(bytes, &decoded, &error);
    if (fault && is_error) /* RFC 8210, 5.11: never a report of a report */
        end(session, now, fault);
    else if (fault)
        report(session, now, error, bytes, fault);
    else if (decoded.type == RTR_SERIAL_NOTIFY)
        take_notification(session, now, &decoded, bytes);
    else if (is_error)
        take_error(session, now, &decoded);
    else if (settle_version(session, now, &decoded, bytes)) {
        *pdu = decoded;
        return take_answer(session, now, pdu, bytes);
    }
    return RTR_WAIT;
}

/* Goes through what came until there is something to tell. */
static enum rtr_step take_bytes(struct rtr_session *session, struct mono now, struct rtr_pdu *pdu)
{
    enum rtr_step step = RTR_WAIT;
    while (step == RTR_WAIT && session->state >= RTR_ASKED && session->state != RTR_ENDING) {
        size_t left = session->in.size - session->in_at, length = 0;
        if (!left)
            break;
        const uint8_t *at = (const uint8_t *)session->in.bytes + session->in_at;
        const char *fault = rtr_frame(at, left, &length);
        if (fault)
            report(session, now, RTR_ERROR_CORRUPT_DATA, reader_of(at, RTR_HEADER), fault);
        else if (!length || length > left)
            break;
        else
            step = take_pdu(session, now, reader_of(at, length), pdu);
        session->in_at += length;
    }
    return step;
}

/* ---- time ---- */

static enum rtr_step take_time(struct rtr_session *session, struct mono now)
{
    if (now.ns < session->due.ns)
        return RTR_WAIT;
    switch (session->state) {
    case RTR_AWAY:
        session->state = RTR_CONNECTING;
        session->due = later(now, session->patience.answer_ns);
        return RTR_CONNECT;
    case RTR_AT_REST:
        ask(session, now);
        return RTR_WAIT;
    case RTR_CONNECTING:
        end(session, now, "no connection came about");
        break;
    default:
        end(session, now, "the cache does not answer, or too slowly");
        break;
    }
    return RTR_WAIT;
}

/* RFC 8210, 6: what nobody has confirmed for so long is not to be used; changes to it are of no use
 * either. */
static enum rtr_step forget(struct rtr_session *session, struct mono now)
{
    bool is_open = session->state == RTR_ASKED || session->state == RTR_ANSWERED;
    session->must_forget = session->has_serial = false;
    session->expires = (struct mono){0};
    if (is_open && !session->is_full) {
        end(session, now, "its answer comes too late");
        session->due = now;
    }
    return RTR_FORGET;
}

enum rtr_step rtr_session_next(struct rtr_session *session, struct mono now, struct rtr_pdu *pdu)
{
    if (session->state == RTR_WHOLE)
        finish_answer(session, now);
    enum rtr_step step = take_bytes(session, now, pdu);
    bool is_expired = session->expires.ns && now.ns >= session->expires.ns;
    if (step == RTR_WAIT && (is_expired || session->must_forget))
        return forget(session, now);
    if (step == RTR_WAIT && session->state != RTR_ENDING)
        step = take_time(session, now);
    if (step != RTR_WAIT || session->state != RTR_ENDING)
        return step;
    go_away(session);
    return RTR_CLOSE;
}
