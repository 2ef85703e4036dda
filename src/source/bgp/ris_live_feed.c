#include "source/bgp/ris_live_feed.h"

#include "base/mem.h"
#include "wire/bgp_session.h"

#include <stdlib.h>
#include <string.h>

/* Between two places in the order of one time there is room for what one message tells. */
#define ORDER_STEP_NS INT64_C(1000)

struct ris_feed_peer {
    bool is_up;
    bool is_fresh;     /* not up, and what is heard next is a new session */
    struct utc heard;  /* the newest message of it that shows that it is there */
    struct utc turned; /* the newest state of it */
    struct utc last;   /* that was told of it */
};

/* ---- times ---- */

/* Everything goes through here. */
static void emit(void *context, const struct observation *observation)
{
    struct ris_feed *feed = context;
    struct observation next = *observation;
    next.time = feed->next;
    feed->next.ns++;
    if (next.time.ns > feed->newest.ns)
        feed->newest = next.time;
    sink_emit(&feed->sink, &next);
}

/* When the collector heard it, with its place in the order; what is of the future counts as of now: one
 * clock that is wrong once must not make all that follows old. */
static struct utc stamp_of(const struct ris_message *message, struct utc now)
{
    int64_t place = message->has_order ? message->order * ORDER_STEP_NS : 0;
    struct utc stamp = utc_add(message->time, place);
    return stamp.ns < now.ns ? stamp : now;
}

static bool is_usable(const struct ris_message *message, struct utc now)
{
    int64_t delay = utc_diff(now, message->time);
    return delay >= 0 && delay <= RIS_DELAY_MOST_NS;
}

static struct utc time_of(const struct ris_message *message, struct utc now)
{
    return is_usable(message, now) ? stamp_of(message, now) : now;
}

/* What is told from here on is of this message of this peer. */
static void set_time(struct ris_feed *feed, const struct ris_feed_peer *peer,
                     const struct ris_message *message, struct utc now)
{
    bool has_place = message->has_order && is_usable(message, now);
    feed->next = time_of(message, now);
    if (feed->next.ns <= feed->started.ns) {
        feed->next.ns = feed->started.ns + 1;
        has_place = false;
    }
    if (!has_place && feed->next.ns <= peer->last.ns)
        feed->next.ns = peer->last.ns + 1;
    feed->routes.time = feed->next;
}

static void emit_mark(struct ris_feed *feed, enum observation_kind kind, struct utc time,
                      const char *reason)
{
    struct observation mark = {.kind = (uint8_t)kind, .source = feed->routes.collector};
    if (reason)
        mark.path = registry_intern(feed->sink.registry, NAME_TEXT, reason, strlen(reason));
    feed->next = time.ns > feed->newest.ns ? time : utc_add(feed->newest, 1);
    emit(feed, &mark);
}

/* ---- begin and end ---- */

void ris_feed_init(struct ris_feed *feed, const struct sink *sink, struct route_memory *memory,
                   const struct ris_message *first, struct utc newest, struct utc now)
{
    *feed = (struct ris_feed){.sink = *sink, .newest = newest};
    struct sink ordered = {sink->registry, emit, feed};
    route_feed_init(&feed->routes, &ordered, memory, first->host);
    emit_mark(feed, OBSERVATION_START, utc_add(time_of(first, now), -1), NULL);
    feed->started = feed->heard = feed->newest;
}

/* The sessions of its peers are not told as lost, since nothing is known of them. */
struct utc ris_feed_done(struct ris_feed *feed, const char *reason)
{
    struct route_memory *memory = feed->routes.memory;
    for (size_t i = 0; i < feed->peer_count; i++) {
        if (!feed->peers[i].is_up)
            continue;
        memory->peers[i].is_up = false;
        path_memory_forget(&memory->paths, (uint32_t)i);
    }
    route_feed_gap(&feed->routes, feed->heard);
    emit_mark(feed, OBSERVATION_GAP, feed->heard, reason);
    struct utc since = feed->newest;
    route_feed_done(&feed->routes);
    free(feed->peers);
    *feed = (struct ris_feed){0};
    return since;
}

/* ---- peers ---- */

/* Its place, made if new; -1 if there are too many. */
static int32_t place_of(struct ris_feed *feed, const struct ris_message *message)
{
    int32_t place = route_feed_peer(&feed->routes, &message->peer, message->asn);
    if (place < 0)
        return -1;
    size_t need = (size_t)place + 1, before = feed->peer_count;
    if (need > before) {
        feed->peers = mem_grow(feed->peers, &feed->peer_capacity, need, sizeof *feed->peers);
        memset(feed->peers + before, 0, (need - before) * sizeof *feed->peers);
        feed->peer_count = need;
    }
    return place;
}

static void hear_peer(struct ris_feed *feed, int32_t place)
{
    struct ris_feed_peer *peer = &feed->peers[place];
    if (peer->is_up)
        return;
    if (peer->is_fresh)
        route_feed_hear(&feed->routes, place);
    else
        route_feed_join(&feed->routes, place);
    peer->is_up = true;
    peer->is_fresh = false;
    feed->up++;
}

/* Its session is over, or about to begin, which says that an earlier one is over. */
static void end_session(struct ris_feed *feed, int32_t place)
{
    struct ris_feed_peer *peer = &feed->peers[place];
    peer->is_fresh = true;
    if (!peer->is_up)
        return;
    peer->is_up = false;
    feed->up--;
    route_feed_lose(&feed->routes, place);
}

static void take_state(struct ris_feed *feed, const struct ris_message *message, struct utc stamp,
                       int32_t place)
{
    struct ris_feed_peer *peer = &feed->peers[place];
    if (stamp.ns < peer->turned.ns || stamp.ns < peer->heard.ns) {
        feed->counters.stale++;
        return;
    }
    peer->turned = stamp;
    if (message->state == RIS_STATE_UP) {
        peer->is_fresh |= !peer->is_up;
        hear_peer(feed, place);
    } else if (message->state != RIS_STATE_OTHER) {
        end_session(feed, place);
    }
}

/* ---- routes ---- */

static void note_fault(struct ris_feed *feed, const char *fault)
{
    feed->counters.bad++;
    if (!feed->first_fault)
        feed->first_fault = fault;
}

static void take_update(struct ris_feed *feed, struct reader body, int32_t place)
{
    static const enum route_op announce[2] = {ROUTE_ANNOUNCE, ROUTE_ANNOUNCE};
    struct bgp_update update;
    bool is_good = bgp_update_decode(body, bgp_session_unknown.form, &update);
    if (update.fault)
        note_fault(feed, update.fault);
    if (!is_good)
        return;
    feed->counters.updates++;
    route_feed_update(&feed->routes, place, &update, announce);
}

static void take_raw(struct ris_feed *feed, struct reader raw, int32_t place)
{
    while (reader_left(&raw)) {
        struct reader body;
        uint8_t type = bgp_message_next(&raw, &body);
        if (raw.bad)
            note_fault(feed, raw.bad);
        else if (type == BGP_UPDATE)
            take_update(feed, body, place);
        else
            note_fault(feed, "it is called an UPDATE and is none");
    }
}

/* ---- in all ---- */

static void take_of_peer(struct ris_feed *feed, const struct ris_message *message, struct utc stamp,
                         int32_t place)
{
    struct ris_feed_peer *peer = &feed->peers[place];
    if (stamp.ns < peer->turned.ns) { /* of the session before */
        feed->counters.stale++;
        return;
    }
    if (stamp.ns > peer->heard.ns)
        peer->heard = stamp;
    hear_peer(feed, place);
    if (message->kind == RIS_UPDATE)
        take_raw(feed, message->raw, place);
}

void ris_feed_take(struct ris_feed *feed, const struct ris_message *message, struct utc now)
{
    struct utc stamp = stamp_of(message, now);
    if (stamp.ns > feed->heard.ns)
        feed->heard = stamp;
    if (message->kind != RIS_UPDATE && message->kind != RIS_KEEPALIVE && message->kind != RIS_STATE)
        return;
    int32_t place = place_of(feed, message);
    if (place < 0 || (!feed->peers[place].is_up && feed->up == RIS_PEERS_MAX)) {
        feed->counters.unknown++;
        return;
    }
    feed->counters.late += utc_diff(now, message->time) > RIS_DELAY_MOST_NS;
    struct ris_feed_peer *peer = &feed->peers[place];
    set_time(feed, peer, message, now);
    if (message->kind == RIS_STATE)
        take_state(feed, message, stamp, place);
    else
        take_of_peer(feed, message, stamp, place);
    if (feed->next.ns - 1 > peer->last.ns)
        peer->last.ns = feed->next.ns - 1;
}
