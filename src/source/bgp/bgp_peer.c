#include "source/bgp/bgp_peer.h"

#include "base/hash.h"
#include "base/mem.h"
#include "sys/clock.h"
#include "sys/net.h"
#include "wire/bgp_message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is read in one turn of the loop at most: probing goes on beside a router that tells its whole
 * table. */
enum { CHUNK = 64 * 1024, CHUNKS_A_TURN = 8 };

struct bgp_connection {
    struct bgp_peer *peer;
    struct bgp_speaker *speaker;
    int fd;
    struct loop_fd *watcher;
    struct loop_timer *timer;
    struct mono since;
    struct mono ask_again_at; /* not before that: it may do the same wrong all the time */
    bool has_told_fault;
};

void bgp_say(struct bgp_collector *collector, const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    collector->say(collector->context, text);
}

/* "192.0.2.9 (AS64500)" */
static const char *name_of(const struct bgp_peer *peer, uint32_t asn, char out[ADDR_TEXT_MAX + 20])
{
    char address[ADDR_TEXT_MAX];
    addr_format(&peer->address, address);
    if (asn)
        snprintf(out, ADDR_TEXT_MAX + 20, "%s (AS%u)", address, asn);
    else
        snprintf(out, ADDR_TEXT_MAX + 20, "%s", address);
    return out;
}

/* ---- the session, as it is told ---- */

/* The place of its peer in the feed, which is spoken of from now on; -1 if it is new and there are too
 * many. */
static int32_t place_of(const struct bgp_connection *connection)
{
    return live_feed_peer(&connection->peer->collector->feed, &connection->peer->address,
                          bgp_speaker_peer(connection->speaker)->asn);
}

static void tell_up(struct bgp_connection *connection)
{
    struct live_feed *feed = &connection->peer->collector->feed;
    struct utc now = clock_utc();
    if (!feed->up) /* it is the only session: the collector hears again */
        live_feed_start(feed, now);
    const struct bgp_session *session = bgp_speaker_session(connection->speaker);
    live_feed_up(feed, place_of(connection), session->has_family, (struct utc){0}, now);
}

/* ---- the end of a connection ---- */

static void end_session(struct bgp_connection *connection, struct utc since, const char *reason)
{
    struct bgp_peer *peer = connection->peer;
    struct live_feed *feed = &peer->collector->feed;
    char name[ADDR_TEXT_MAX + 20];
    uint32_t asn = bgp_speaker_peer(connection->speaker)->asn;
    peer->session = NULL;
    live_feed_down(feed, place_of(connection), since);
    bgp_say(peer->collector,
            "collector %s: the session with %s is lost: %s; no data about its routes until it is "
            "back",
            peer->collector->name, name_of(peer, asn, name), reason);
    if (!feed->up)
        live_feed_stop(feed, since, reason);
}

/* Frees it; its descriptor is left to bgp_farewell(). */
static void part(struct bgp_connection *connection)
{
    struct bgp_peer *peer = connection->peer;
    for (size_t i = 0; i < BGP_CONNECTIONS_MAX; i++)
        if (peer->connections[i] == connection)
            peer->connections[i] = NULL;
    loop_fd_free(connection->watcher);
    loop_timer_free(connection->timer);
    bgp_farewell(&peer->collector->farewells, connection->fd,
                 bgp_speaker_output(connection->speaker), clock_mono());
    bgp_speaker_free(connection->speaker);
    free(connection);
}

/* The same reason is told once, until there was a session: some routers try every few seconds. */
static void tell_failure(struct bgp_peer *peer, const char *reason)
{
    char name[ADDR_TEXT_MAX + 20];
    uint64_t hash = hash_bytes(reason, strlen(reason), 0);
    if (hash == peer->told)
        return;
    peer->told = hash;
    bgp_say(peer->collector, "collector %s: a connection from %s came to no session: %s",
            peer->collector->name, name_of(peer, peer->asn, name), reason);
}

static void lose(struct bgp_connection *connection, struct utc since, const char *reason)
{
    struct bgp_peer *peer = connection->peer;
    if (peer->session == connection)
        end_session(connection, since, reason);
    else
        tell_failure(peer, reason);
    if (bgp_speaker_was_fault(connection->speaker))
        peer->rest_until.ns = clock_mono().ns + BGP_REST_NS;
    part(connection);
}

/* Since when nothing was heard, where it is by silence that the loss was noticed; no longer ago than can
 * still be judged. */
static struct utc silent_since(const struct bgp_connection *connection)
{
    int64_t silence_ns = mono_diff(clock_mono(), bgp_speaker_heard(connection->speaker));
    return utc_add(clock_utc(),
                   -(silence_ns < LIVE_DELAY_MOST_NS ? silence_ns : LIVE_DELAY_MOST_NS));
}

static void stop(struct bgp_connection *connection, uint8_t subcode, const char *reason)
{
    bgp_speaker_stop(connection->speaker, subcode);
    lose(connection, clock_utc(), reason);
}

/* ---- what the speaker tells ---- */

/* False if the connection is gone. */
static bool begin_session(struct bgp_connection *connection)
{
    struct bgp_peer *peer = connection->peer;
    const struct bgp_session *session = bgp_speaker_session(connection->speaker);
    const struct bgp_form *form = &session->form;
    uint32_t asn = bgp_speaker_peer(connection->speaker)->asn;
    char name[ADDR_TEXT_MAX + 20];
    bool has_add_path = (session->has_family[0] && form->add_path == BGP_ADD_PATH_YES) ||
                        (session->has_family[1] && form->add_path6 == BGP_ADD_PATH_YES);
    if (place_of(connection) < 0) { /* it may have any AS, and came with too many */
        stop(connection, BGP_CEASE_RESOURCES, "there are more peers than can be told apart");
        return false;
    }
    peer->session = connection;
    peer->told = 0;
    int64_t hold_ns = bgp_speaker_hold_ns(connection->speaker);
    if (hold_ns)
        net_allow_silence(connection->fd, hold_ns);
    tell_up(connection);
    bgp_say(peer->collector, "collector %s: the session with %s is up: %s%s%s%s",
            peer->collector->name, name_of(peer, asn, name), session->has_family[0] ? "IPv4" : "",
            session->has_family[0] && session->has_family[1] ? " and " : "",
            session->has_family[1] ? "IPv6" : "", has_add_path ? ", several paths each" : "");
    return true;
}

/* RFC 4271, 6.8. False if it is this one that has to go. */
static bool survives_collision(struct bgp_connection *connection)
{
    struct bgp_peer *peer = connection->peer;
    for (size_t i = 0; i < BGP_CONNECTIONS_MAX; i++) {
        struct bgp_connection *other = peer->connections[i];
        if (!other || other == connection || !bgp_speaker_is_accepted(other->speaker))
            continue;
        if (!bgp_speaker_replaces(connection->speaker, other->speaker)) {
            stop(connection, BGP_CEASE_COLLISION, "it has a connection already");
            return false;
        }
        stop(other, BGP_CEASE_COLLISION, "it connected anew");
    }
    return true;
}

/* Its table is told anew within the session; until it was, nothing is known of what it carried. Where the router
 * cannot do that, what may be lost is lost. */
static void ask_again(struct bgp_connection *connection)
{
    struct mono now = clock_mono();
    if (now.ns < connection->ask_again_at.ns || !bgp_speaker_refresh(connection->speaker))
        return;
    connection->ask_again_at.ns = now.ns + LIVE_TABLE_ENOUGH_NS;
    tell_up(connection);
}

static void take_update(struct bgp_connection *connection, const struct bgp_update *update)
{
    struct bgp_collector *collector = connection->peer->collector;
    char name[ADDR_TEXT_MAX + 20];
    const char *fault = bgp_speaker_first_fault(connection->speaker);
    const struct path_memory *paths = &collector->feed.routes.memory->paths;
    struct utc now = clock_utc();
    uint64_t not_kept = paths->not_kept;
    live_feed_update(&collector->feed, place_of(connection), update, now, now);
    if (!not_kept && paths->not_kept)
        bgp_say(collector, "collector %s: " PATH_MEMORY_LACK, collector->name);
    if (update->may_hide_routes)
        ask_again(connection);
    if (!fault || connection->has_told_fault)
        return;
    connection->has_told_fault = true;
    bgp_say(collector,
            "collector %s: %s sends an UPDATE that is damaged (%s); those that follow are only "
            "counted",
            collector->name, name_of(connection->peer, 0, name), fault);
}

/* False if the connection is gone. */
static bool take_event(struct bgp_connection *connection, const struct bgp_event *event)
{
    const char *reason = bgp_speaker_reason(connection->speaker);
    bool is_established = connection->peer->session == connection;
    switch (event->kind) {
    case BGP_EVENT_OPENED:
        if (!survives_collision(connection))
            return false;
        bgp_speaker_accept(connection->speaker, clock_mono());
        return true;
    case BGP_EVENT_ESTABLISHED:
        return begin_session(connection);
    case BGP_EVENT_UPDATE:
        take_update(connection, &event->update);
        return true;
    default:
        lose(connection, is_established ? silent_since(connection) : clock_utc(), reason);
        return false;
    }
}

/* ---- to and from the socket ---- */

static void flush(struct bgp_connection *connection)
{
    const struct buffer *output = bgp_speaker_output(connection->speaker);
    int error;
    while (output->size) {
        long sent = net_send(connection->fd, output->bytes, output->size, &error);
        if (sent <= 0)
            break; /* if the connection is broken, reading shows it */
        bgp_speaker_sent(connection->speaker, (size_t)sent);
    }
    loop_fd_want(connection->watcher, output->size ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

/* False if the connection is gone. */
static bool take_events(struct bgp_connection *connection)
{
    struct bgp_event event;
    while (bgp_speaker_next(connection->speaker, clock_mono(), &event))
        if (!take_event(connection, &event))
            return false;
    flush(connection);
    struct mono next = bgp_speaker_wants(connection->speaker);
    if (next.ns == INT64_MAX)
        loop_timer_stop(connection->timer);
    else
        loop_timer_start(connection->timer, mono_diff(next, clock_mono()), 0);
    return true;
}

static void take_loss(struct bgp_connection *connection, long got, int error)
{
    bool was_silent = error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH;
    lose(connection, got && was_silent ? silent_since(connection) : clock_utc(),
         got ? strerror(error) : "the router closed the connection");
}

static void on_ready(void *context, int events)
{
    struct bgp_connection *connection = context;
    uint8_t bytes[CHUNK];
    (void)events;
    for (int i = 0; i < CHUNKS_A_TURN; i++) {
        int error;
        long got = net_receive(connection->fd, bytes, sizeof bytes, NULL, &error);
        if (got < 0 && (error == EAGAIN || error == EWOULDBLOCK || error == EINTR))
            break;
        if (got <= 0) {
            take_loss(connection, got, error);
            return;
        }
        bgp_speaker_feed(connection->speaker, bytes, (size_t)got);
        if (!take_events(connection))
            return;
    }
    take_events(connection);
}

/* If we did not run for a while, what came in meanwhile is read before silence is judged. */
static void on_time(void *context)
{
    on_ready(context, LOOP_READ);
}

/* ---- in all ---- */

void bgp_refuse(struct bgp_collector *collector, int fd, uint8_t subcode)
{
    struct bgp_notification notification = {.code = BGP_ERROR_CEASE, .subcode = subcode};
    struct buffer last = {0};
    bgp_notification_write(&last, &notification);
    bgp_farewell(&collector->farewells, fd, &last, clock_mono());
    buffer_done(&last);
}

static struct bgp_connection **find_free(struct bgp_peer *peer)
{
    for (size_t i = 0; i < BGP_CONNECTIONS_MAX; i++)
        if (!peer->connections[i])
            return &peer->connections[i];
    return NULL;
}

/* A place for a connection. If there is none, the oldest that has come to nothing so far must go. */
static struct bgp_connection **find_place(struct bgp_peer *peer)
{
    struct bgp_connection **place = find_free(peer), *oldest = NULL;
    for (size_t i = 0; !place && i < BGP_CONNECTIONS_MAX; i++) {
        struct bgp_connection *connection = peer->connections[i];
        if (!bgp_speaker_is_accepted(connection->speaker) &&
            (!oldest || connection->since.ns < oldest->since.ns))
            oldest = connection;
    }
    if (!oldest)
        return place;
    stop(oldest, BGP_CEASE_RESOURCES, "it connects too often");
    return find_free(peer);
}

void bgp_peer_take(struct bgp_peer *peer, int fd)
{
    struct bgp_collector *collector = peer->collector;
    struct mono now = clock_mono();
    struct bgp_connection **place = now.ns < peer->rest_until.ns ? NULL : find_place(peer);
    if (!place) {
        bgp_refuse(collector, fd, BGP_CEASE_REJECTED);
        return;
    }
    struct bgp_speaker_options options = {.open = collector->open, .peer_asn = peer->asn};
    struct bgp_connection *connection = mem_new(1, sizeof *connection);
    *connection = (struct bgp_connection){
        .peer = peer, .speaker = bgp_speaker_new(&options, now), .fd = fd, .since = now};
    connection->watcher = loop_fd_new(collector->loop, fd, on_ready, connection);
    connection->timer = loop_timer_new(collector->loop, on_time, connection);
    *place = connection;
    take_events(connection);
}

void bgp_peer_renew(struct bgp_peer *peer)
{
    struct bgp_connection *connection = peer->session;
    char name[ADDR_TEXT_MAX + 20];
    if (!connection)
        return;
    if (bgp_speaker_refresh(connection->speaker)) {
        tell_up(connection);
        flush(connection);
        return;
    }
    bgp_say(peer->collector, "collector %s: %s cannot tell its table again but by a new session",
            peer->collector->name, name_of(peer, peer->asn, name));
    peer->session = NULL;
    bgp_speaker_stop(connection->speaker, BGP_CEASE_RESET);
    part(connection);
}

void bgp_peer_done(struct bgp_peer *peer, uint8_t subcode)
{
    peer->session = NULL;
    for (size_t i = 0; i < BGP_CONNECTIONS_MAX; i++) {
        if (!peer->connections[i])
            continue;
        bgp_speaker_stop(peer->connections[i]->speaker, subcode);
        part(peer->connections[i]);
    }
}
