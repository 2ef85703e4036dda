#include "source/bgp/bgp_speaker.h"

#include "base/mem.h"
#include "wire/bgp_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum state { OPEN_SENT, OPENED, OPEN_CONFIRM, ESTABLISHED, CLOSED };

struct bgp_speaker {
    struct bgp_speaker_options options;
    enum state state;
    struct bgp_open peer;
    struct bgp_session session;
    int64_t hold_ns;
    struct mono hold_until, keepalive_at; /* INT64_MAX: never */
    struct mono heard;
    uint8_t *input;
    size_t capacity, size, at; /* `at`: the next message begins there */
    struct buffer output, reason;
    bool was_fault, is_told; /* CLOSED: it was told */
    const char *first_fault;
    struct bgp_speaker_counters counters;
};

static const struct mono never = {INT64_MAX};

static struct mono later(struct mono now, int64_t ns)
{
    return (struct mono){now.ns + ns};
}

struct bgp_speaker *bgp_speaker_new(const struct bgp_speaker_options *options, struct mono now)
{
    struct bgp_speaker *speaker = mem_new(1, sizeof *speaker);
    speaker->options = *options;
    speaker->hold_until = later(now, BGP_OPEN_WAIT_NS);
    speaker->keepalive_at = never;
    speaker->heard = now;
    bgp_open_write(&speaker->output, &options->open);
    return speaker;
}

void bgp_speaker_free(struct bgp_speaker *speaker)
{
    if (!speaker)
        return;
    free(speaker->input);
    buffer_done(&speaker->output);
    buffer_done(&speaker->reason);
    free(speaker);
}

/* ---- the end ---- */

static void close_it(struct bgp_speaker *speaker)
{
    speaker->state = CLOSED;
    speaker->hold_until = speaker->keepalive_at = never;
    speaker->size = speaker->at = 0;
}

/* Because of the peer: `detail` says what we saw, for people. */
static void fail(struct bgp_speaker *speaker, uint8_t code, uint8_t subcode, const void *data,
                 size_t n, const char *detail)
{
    struct bgp_notification notification = {code, subcode, reader_of(data, n)};
    bgp_notification_write(&speaker->output, &notification);
    bgp_notification_format(&notification, &speaker->reason);
    buffer_printf(&speaker->reason, " (%s)", detail);
    speaker->was_fault = code != BGP_ERROR_HOLD_TIMER;
    close_it(speaker);
}

static void take_notification(struct bgp_speaker *speaker, struct reader body)
{
    struct bgp_notification notification = {0};
    bgp_notification_decode(body, &notification);
    buffer_puts(&speaker->reason, "the router ended it: ");
    bgp_notification_format(&notification, &speaker->reason);
    close_it(speaker);
}

void bgp_speaker_stop(struct bgp_speaker *speaker, uint8_t subcode)
{
    struct bgp_notification notification = {.code = BGP_ERROR_CEASE, .subcode = subcode};
    if (speaker->state == CLOSED)
        return;
    bgp_notification_write(&speaker->output, &notification);
    speaker->is_told = true;
    close_it(speaker);
}

/* ---- OPEN ---- */

/* RFC 4271, 6.2; RFC 6286 for the identifier, RFC 7607 for AS 0. False if it was refused. */
static bool check_open(struct bgp_speaker *speaker, const struct bgp_open *open)
{
    const struct bgp_open *own = &speaker->options.open;
    uint32_t wanted = speaker->options.peer_asn;
    char detail[100];
    struct buffer data = {0};
    if (!open->asn || (wanted && open->asn != wanted)) {
        snprintf(detail, sizeof detail,
                 wanted ? "it says AS%u, the configuration AS%u" : "it says AS%u", open->asn,
                 wanted);
        fail(speaker, BGP_ERROR_OPEN, BGP_OPEN_BAD_AS, NULL, 0, detail);
    } else if (!open->id || (open->id == own->id && open->asn == own->asn)) {
        fail(speaker, BGP_ERROR_OPEN, BGP_OPEN_BAD_ID, NULL, 0,
             open->id ? "it has the same as we" : "it has none");
    } else if (open->has_odd_parameter) {
        fail(speaker, BGP_ERROR_OPEN, BGP_OPEN_BAD_PARAMETER, NULL, 0,
             "it sends other parameters than capabilities");
    } else if (open->hold_s == 1 || open->hold_s == 2) {
        fail(speaker, BGP_ERROR_OPEN, BGP_OPEN_BAD_HOLD_TIME, NULL, 0,
             "it wants less than three seconds");
    } else if (!(open->has_family[0] && own->has_family[0]) &&
               !(open->has_family[1] && own->has_family[1])) {
        bgp_families_write(&data, own);
        fail(speaker, BGP_ERROR_OPEN, BGP_OPEN_BAD_CAPABILITY, data.bytes, data.size,
             "it tells neither IPv4 nor IPv6 unicast");
    }
    buffer_done(&data);
    return speaker->state != CLOSED;
}

static void take_open(struct bgp_speaker *speaker, struct reader body)
{
    static const uint8_t versions[2] = {0, 4};
    struct bgp_open open;
    if (*body.at != 4) {
        fail(speaker, BGP_ERROR_OPEN, BGP_OPEN_BAD_VERSION, versions, sizeof versions,
             "it is not of BGP version 4");
        return;
    }
    const char *fault = bgp_open_decode(body, &open);
    if (fault) {
        fail(speaker, BGP_ERROR_OPEN, 0, NULL, 0, fault);
        return;
    }
    if (!check_open(speaker, &open))
        return;
    uint16_t own = speaker->options.open.hold_s;
    speaker->peer = open;
    speaker->session = bgp_session_of(&open, &speaker->options.open);
    speaker->hold_ns = (open.hold_s < own ? open.hold_s : own) * NS_PER_S;
    speaker->state = OPENED;
}

/* RFC 4271, 4.4 and 10: a third of the hold time between KEEPALIVEs; none at all if it is 0. */
static void await_keepalives(struct bgp_speaker *speaker, struct mono now)
{
    speaker->hold_until = speaker->hold_ns ? later(now, speaker->hold_ns) : never;
    speaker->keepalive_at = speaker->hold_ns ? later(now, speaker->hold_ns / 3) : never;
}

void bgp_speaker_accept(struct bgp_speaker *speaker, struct mono now)
{
    if (speaker->state != OPENED)
        return;
    bgp_keepalive_write(&speaker->output);
    await_keepalives(speaker, now);
    speaker->state = OPEN_CONFIRM;
}

/* ---- what comes in ---- */

void bgp_speaker_feed(struct bgp_speaker *speaker, const void *bytes, size_t n)
{
    if (speaker->state == CLOSED || !n)
        return;
    if (speaker->at) {
        memmove(speaker->input, speaker->input + speaker->at, speaker->size - speaker->at);
        speaker->size -= speaker->at;
        speaker->at = 0;
    }
    speaker->input = mem_grow(speaker->input, &speaker->capacity, speaker->size + n, 1);
    memcpy(speaker->input + speaker->size, bytes, n);
    speaker->size += n;
}

/* RFC 4271, 6.1; RFC 8654, 4: OPEN and KEEPALIVE are never long ones. */
static bool has_good_length(const struct bgp_speaker *speaker, uint8_t type, size_t length)
{
    static const uint8_t least[] = {[0] = 19,
                                    [BGP_OPEN] = 29,
                                    [BGP_UPDATE] = 23,
                                    [BGP_NOTIFICATION] = 21,
                                    [BGP_KEEPALIVE] = 19,
                                    [BGP_ROUTE_REFRESH] = 23 /* RFC 2918, 3 */};
    bool may_be_long = speaker->options.open.has_long_messages && speaker->state >= OPEN_CONFIRM &&
                       type != BGP_OPEN && type != BGP_KEEPALIVE;
    size_t most = type == BGP_KEEPALIVE ? 19 : may_be_long ? BGP_LONG_MESSAGE_MAX : BGP_MESSAGE_MAX;
    return length >= least[type <= BGP_ROUTE_REFRESH ? type : 0] && length <= most;
}

/* The next whole message. False if there is none, or if what is there cannot be one. */
static bool next_message(struct bgp_speaker *speaker, uint8_t *type, struct reader *body)
{
    if (speaker->size - speaker->at < BGP_HEADER)
        return false;
    struct reader r = reader_of(speaker->input + speaker->at, speaker->size - speaker->at);
    struct reader header = reader_sub(&r, BGP_HEADER);
    const uint8_t *marker = reader_bytes(&header, 16), *length_bytes = header.at;
    size_t length = reader_u16(&header);
    *type = reader_u8(&header);
    for (size_t i = 0; i < 16; i++)
        if (marker[i] != 0xff) {
            fail(speaker, BGP_ERROR_HEADER, BGP_HEADER_NOT_SYNCHRONIZED, NULL, 0,
                 "a message does not begin with its marker");
            return false;
        }
    if (!has_good_length(speaker, *type, length) && *type == BGP_NOTIFICATION) {
        buffer_puts(&speaker->reason, "the router ended it, and its NOTIFICATION is damaged");
        close_it(speaker); /* RFC 4271, 6.4: no NOTIFICATION is answered by another */
        return false;
    }
    if (!has_good_length(speaker, *type, length)) {
        fail(speaker, BGP_ERROR_HEADER, BGP_HEADER_BAD_LENGTH, length_bytes, 2,
             "a message is too short or too long");
        return false;
    }
    if (*type < BGP_OPEN || *type > BGP_ROUTE_REFRESH) {
        fail(speaker, BGP_ERROR_HEADER, BGP_HEADER_BAD_TYPE, type, 1,
             "a message is of an unknown type");
        return false;
    }
    if (reader_left(&r) < length - BGP_HEADER)
        return false;
    *body = reader_sub(&r, length - BGP_HEADER);
    speaker->at += length;
    return true;
}

static void keep_families(const struct bgp_session *session, struct bgp_routes *routes,
                          uint8_t *count)
{
    uint8_t kept = 0;
    for (uint8_t i = 0; i < *count; i++)
        if (routes[i].safi == BGP_UNICAST && session->has_family[routes[i].family == 6])
            routes[kept++] = routes[i];
    *count = kept;
}

/* False if nothing is to be told of it. */
static bool take_update(struct bgp_speaker *speaker, struct reader body, struct bgp_update *out)
{
    bool is_usable = bgp_update_decode(body, speaker->session.form, out);
    speaker->counters.updates++;
    speaker->counters.bad += out->fault != NULL;
    if (!speaker->first_fault)
        speaker->first_fault = out->fault;
    if (!is_usable) {
        fail(speaker, BGP_ERROR_UPDATE, BGP_UPDATE_MALFORMED, NULL, 0, out->fault);
        return false;
    }
    keep_families(&speaker->session, out->announced, &out->announced_count);
    keep_families(&speaker->session, out->withdrawn, &out->withdrawn_count);
    return true;
}

static bool has_refresh_marks(const struct bgp_speaker *speaker)
{
    return speaker->peer.has_refresh_marks && speaker->options.open.has_refresh_marks;
}

/* False if nothing is to be told of it. */
static bool take_refresh(struct bgp_speaker *speaker, struct reader body, struct bgp_update *out)
{
    struct bgp_refresh refresh = {0};
    size_t n = reader_left(&body);
    bgp_refresh_decode(body, &refresh);
    if (!has_refresh_marks(speaker) || refresh.mark == BGP_REFRESH_ASK) {
        speaker->counters.refreshes++;
        return false;
    }
    if (n != 4) { /* RFC 7313, 5 */
        fail(speaker, BGP_ERROR_REFRESH, BGP_REFRESH_BAD_LENGTH, body.at - BGP_HEADER,
             n + BGP_HEADER, "a ROUTE-REFRESH has a wrong length");
        return false;
    }
    *out = (struct bgp_update){.is_end_of_rib = true, .end_of_rib_family = refresh.family};
    return refresh.mark == BGP_REFRESH_END && refresh.family;
}

/* What comes at the wrong time (RFC 6608). */
static void refuse_message(struct bgp_speaker *speaker, uint8_t type)
{
    uint8_t subcode = speaker->state == OPEN_SENT ? 1 : speaker->state == OPEN_CONFIRM ? 2 : 3;
    fail(speaker, BGP_ERROR_STATE, subcode, &type, 1, "a message came out of turn");
}

/* False if nothing is to be told of it. */
static bool take_message(struct bgp_speaker *speaker, uint8_t type, struct reader body,
                         struct bgp_event *out)
{
    enum state state = speaker->state;
    if (type == BGP_NOTIFICATION) {
        take_notification(speaker, body);
        return false;
    }
    if (type == BGP_OPEN && state == OPEN_SENT) {
        take_open(speaker, body);
        out->kind = BGP_EVENT_OPENED;
        return speaker->state == OPENED;
    }
    if (type == BGP_KEEPALIVE && state == OPEN_CONFIRM) {
        speaker->state = ESTABLISHED;
        out->kind = BGP_EVENT_ESTABLISHED;
        return true;
    }
    if (state != ESTABLISHED || type == BGP_OPEN) {
        refuse_message(speaker, type);
        return false;
    }
    out->kind = BGP_EVENT_UPDATE;
    if (type == BGP_UPDATE)
        return take_update(speaker, body, &out->update);
    return type == BGP_ROUTE_REFRESH && take_refresh(speaker, body, &out->update);
}

/* ---- time ---- */

static void expire(struct bgp_speaker *speaker, struct mono now)
{
    char detail[60];
    if (now.ns >= speaker->hold_until.ns) {
        int64_t silence_ns = speaker->state == OPEN_SENT ? BGP_OPEN_WAIT_NS : speaker->hold_ns;
        snprintf(detail, sizeof detail, "nothing was heard for %d s", (int)(silence_ns / NS_PER_S));
        fail(speaker, BGP_ERROR_HOLD_TIMER, 0, NULL, 0, detail);
    } else if (now.ns >= speaker->keepalive_at.ns) {
        bgp_keepalive_write(&speaker->output);
        speaker->keepalive_at = later(now, speaker->hold_ns / 3);
    }
    if (speaker->output.size > BGP_OUTPUT_MAX && speaker->state != CLOSED) {
        buffer_puts(&speaker->reason, "the router does not read what is sent to it");
        close_it(speaker);
    }
}

bool bgp_speaker_next(struct bgp_speaker *speaker, struct mono now, struct bgp_event *out)
{
    uint8_t type;
    struct reader body;
    while (speaker->state != OPENED && speaker->state != CLOSED &&
           next_message(speaker, &type, &body)) {
        speaker->heard = now;
        bool is_told = take_message(speaker, type, body, out);
        if (speaker->state >= OPEN_CONFIRM && speaker->state != CLOSED && speaker->hold_ns)
            speaker->hold_until = later(now, speaker->hold_ns);
        if (is_told)
            return true;
    }
    if (speaker->state != CLOSED)
        expire(speaker, now);
    out->kind = BGP_EVENT_CLOSED;
    bool is_news = speaker->state == CLOSED && !speaker->is_told;
    speaker->is_told |= is_news;
    return is_news;
}

struct mono bgp_speaker_wants(const struct bgp_speaker *speaker)
{
    return speaker->hold_until.ns < speaker->keepalive_at.ns ? speaker->hold_until
                                                             : speaker->keepalive_at;
}

/* ---- in all ---- */

const struct buffer *bgp_speaker_output(const struct bgp_speaker *speaker)
{
    return &speaker->output;
}

void bgp_speaker_sent(struct bgp_speaker *speaker, size_t n)
{
    struct buffer *output = &speaker->output;
    if (!n)
        return;
    memmove(output->bytes, output->bytes + n, output->size - n + 1);
    output->size -= n;
}

bool bgp_speaker_refresh(struct bgp_speaker *speaker)
{
    if (speaker->state != ESTABLISHED || !speaker->peer.has_refresh)
        return false;
    for (unsigned i = 0; i < 2; i++)
        if (speaker->session.has_family[i])
            bgp_refresh_write(&speaker->output, (uint8_t)(i ? 6 : 4));
    return true;
}

bool bgp_speaker_is_accepted(const struct bgp_speaker *speaker)
{
    return speaker->state == OPEN_CONFIRM || speaker->state == ESTABLISHED;
}

bool bgp_speaker_is_established(const struct bgp_speaker *speaker)
{
    return speaker->state == ESTABLISHED;
}

bool bgp_speaker_is_closed(const struct bgp_speaker *speaker)
{
    return speaker->state == CLOSED;
}

const struct bgp_open *bgp_speaker_peer(const struct bgp_speaker *speaker)
{
    return &speaker->peer;
}

const struct bgp_session *bgp_speaker_session(const struct bgp_speaker *speaker)
{
    return &speaker->session;
}

int64_t bgp_speaker_hold_ns(const struct bgp_speaker *speaker)
{
    return speaker->hold_ns;
}

struct mono bgp_speaker_heard(const struct bgp_speaker *speaker)
{
    return speaker->heard;
}

const struct bgp_speaker_counters *bgp_speaker_counters(const struct bgp_speaker *speaker)
{
    return &speaker->counters;
}

const char *bgp_speaker_first_fault(const struct bgp_speaker *speaker)
{
    return speaker->first_fault;
}

const char *bgp_speaker_reason(const struct bgp_speaker *speaker)
{
    return speaker->reason.size ? speaker->reason.bytes : "";
}

bool bgp_speaker_was_fault(const struct bgp_speaker *speaker)
{
    return speaker->was_fault;
}

bool bgp_speaker_replaces(const struct bgp_speaker *fresh, const struct bgp_speaker *old)
{
    if (old->state == ESTABLISHED)
        return old->peer.is_graceful;
    const struct bgp_open *own = &fresh->options.open, *peer = &fresh->peer;
    /* RFC 6286, 2.3: of two with the same identifier the one with the larger AS counts as higher. */
    return own->id < peer->id || (own->id == peer->id && own->asn < peer->asn);
}
