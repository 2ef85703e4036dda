#include "source/bgp/bmp_feed.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct bmp_feed_peer {
    uint64_t distinguisher;
    uint8_t type;
    bool is_up;
    bool is_tabling[2]; /* IPv4, IPv6: it tells its table */
    bool had_end;       /* an End-of-RIB came */
    struct bgp_session session;
    struct utc since;       /* it is up, as we heard */
    struct utc established; /* ... and as the router says */
    struct utc last;        /* that was told of it */
};

/* ---- times ---- */

/* Everything goes through here. */
static void emit(void *context, const struct observation *observation)
{
    struct bmp_feed *feed = context;
    struct observation next = *observation;
    if (next.time.ns <= feed->last->ns)
        next.time.ns = feed->last->ns + 1;
    *feed->last = next.time;
    if (next.time.ns > feed->newest.ns)
        feed->newest = next.time;
    sink_emit(&feed->sink, &next);
}

/* By when it had happened, as the router says, if that can be. Some count in whole seconds, even
 * where their stamps do not look so (those of FRR 8.4 always have the same fraction): it may have
 * been up to a second after the stamp, and was not after it came in. */
static struct utc time_of(const struct bmp_peer *peer, struct utc now)
{
    int64_t delay = utc_diff(now, peer->time);
    bool is_usable = utc_is_known(peer->time) && delay > NS_PER_S && delay <= BMP_DELAY_MOST_NS;
    return is_usable ? utc_add(peer->time, NS_PER_S) : now;
}

static void emit_mark(struct bmp_feed *feed, enum observation_kind kind, struct utc time,
                      const char *reason)
{
    struct observation mark = {
        .kind = (uint8_t)kind, .time = time, .source = feed->routes.collector};
    if (reason)
        mark.path = registry_intern(feed->sink.registry, NAME_TEXT, reason, strlen(reason));
    feed->last = &feed->newest;
    emit(feed, &mark);
}

/* ---- begin and end ---- */

void bmp_feed_init(struct bmp_feed *feed, const struct sink *sink, struct route_memory *memory,
                   const char *collector, struct utc newest, struct utc now)
{
    *feed = (struct bmp_feed){.sink = *sink, .newest = newest, .last_entry = now};
    struct sink ordered = {sink->registry, emit, feed};
    route_feed_init(&feed->routes, &ordered, memory, collector);
    emit_mark(feed, OBSERVATION_START, now, NULL);
    feed->started = feed->newest;
}

/* The sessions of its peers are not told as lost, since nothing is known of them. */
struct utc bmp_feed_done(struct bmp_feed *feed, struct utc since, const char *reason)
{
    struct route_memory *memory = feed->routes.memory;
    for (size_t i = 0; i < feed->peer_count; i++) {
        if (!feed->peers[i].is_up)
            continue;
        memory->peers[i].is_up = false;
        path_memory_forget(&memory->paths, (uint32_t)i);
    }
    emit_mark(feed, OBSERVATION_GAP, since, reason);
    since = feed->newest;
    route_feed_done(&feed->routes);
    free(feed->peers);
    *feed = (struct bmp_feed){0};
    return since;
}

/* ---- peers ---- */

/* Its place, made if new; -1 if there are too many. It is spoken of from now on. */
static int32_t place_of(struct bmp_feed *feed, const struct bmp_peer *peer)
{
    int32_t place = route_feed_peer(&feed->routes, &peer->addr, peer->asn);
    if (place < 0)
        return -1;
    size_t need = (size_t)place + 1, before = feed->peer_count;
    if (need > before) {
        feed->peers = mem_grow(feed->peers, &feed->peer_capacity, need, sizeof *feed->peers);
        memset(feed->peers + before, 0, (need - before) * sizeof *feed->peers);
        feed->peer_count = need;
    }
    struct utc *last = &feed->peers[place].last;
    if (last->ns < feed->started.ns)
        *last = feed->started;
    feed->last = last;
    return place;
}

static bool is_tabling(const struct bmp_feed_peer *peer)
{
    return peer->is_tabling[0] || peer->is_tabling[1];
}

static void set_tabling(struct bmp_feed *feed, struct bmp_feed_peer *peer, bool v4, bool v6)
{
    feed->tabling -= is_tabling(peer);
    peer->is_tabling[0] = v4;
    peer->is_tabling[1] = v6;
    feed->tabling += is_tabling(peer);
}

static void lose_peer(struct bmp_feed *feed, int32_t place)
{
    struct bmp_feed_peer *peer = &feed->peers[place];
    set_tabling(feed, peer, false, false);
    peer->is_up = false;
    feed->up--;
    route_feed_lose(&feed->routes, place);
}

static bool is_twin(const struct bmp_feed_peer *known, const struct bmp_peer *peer)
{
    return known->is_up &&
           (known->type != peer->type || known->distinguisher != peer->distinguisher);
}

static void take_peer_up(struct bmp_feed *feed, const struct bmp_message *message, struct utc now)
{
    int32_t place = place_of(feed, &message->peer);
    if (place < 0 || feed->up == BMP_PEERS_MAX) {
        feed->counters.unknown++;
        return;
    }
    struct bmp_feed_peer *peer = &feed->peers[place];
    if (is_twin(peer, &message->peer)) {
        feed->counters.twins++;
        return;
    }
    bool is_same = utc_is_known(peer->established) && peer->established.ns == message->peer.time.ns;
    if (peer->is_up && is_same)
        return; /* FRR tells twice of a session that comes up just when the connection does */
    feed->routes.time = time_of(&message->peer, now);
    if (peer->is_up) /* a new session, where the end of the old one was not told */
        lose_peer(feed, place);
    *peer = (struct bmp_feed_peer){.distinguisher = message->peer.distinguisher,
                                   .type = message->peer.type,
                                   .is_up = true,
                                   .session = bgp_session_of(&message->received, &message->sent),
                                   .since = now,
                                   .established = message->peer.time,
                                   .last = peer->last};
    feed->up++;
    feed->last_entry = now;
    set_tabling(feed, peer, peer->session.has_family[0], peer->session.has_family[1]);
    route_feed_hear(&feed->routes, place);
}

/* ---- routes ---- */

static void complete_table(struct bmp_feed *feed, int32_t place)
{
    const struct bmp_feed_peer *peer = &feed->peers[place];
    bool was_old = utc_is_known(peer->established) &&
                   utc_diff(peer->since, peer->established) >= BMP_TABLE_MOST_NS;
    if (peer->had_end && was_old)
        route_feed_state(&feed->routes, place, PEER_COMPLETE, 0);
}

static void take_end_of_rib(struct bmp_feed *feed, int32_t place, uint8_t family)
{
    struct bmp_feed_peer *peer = &feed->peers[place];
    if (!is_tabling(peer))
        return;
    peer->had_end = true;
    set_tabling(feed, peer, peer->is_tabling[0] && family != 4, peer->is_tabling[1] && family != 6);
    if (!is_tabling(peer))
        complete_table(feed, place);
}

/* RFC 7854, 4.2: whether AS_PATH has 2-byte ASNs is for the A flag to say, and routers may rewrite
 * all paths to 4 bytes. Some do neither set it nor rewrite: where the session itself has 2-byte ASNs
 * and the path makes no sense, it is tried as the session has it. */
static bool decode_update(const struct bmp_message *message, const struct bgp_session *session,
                          struct bgp_update *out)
{
    struct bgp_form form = session->form;
    form.is_as4 = !message->peer.is_as2;
    bool is_usable = bgp_update_decode(message->update, form, out);
    if (!is_usable || !out->fault || form.is_as4 == session->form.is_as4)
        return is_usable;
    struct bgp_update other;
    form.is_as4 = session->form.is_as4;
    if (bgp_update_decode(message->update, form, &other) && !other.fault)
        *out = other;
    return true;
}

/* Whether it tells of a family whose table is being told. */
static bool is_of_table(const struct bmp_feed_peer *peer, const struct bgp_update *update)
{
    for (size_t i = 0; i < update->announced_count; i++)
        if (peer->is_tabling[update->announced[i].family == 6])
            return true;
    return false;
}

static void take_update(struct bmp_feed *feed, const struct bmp_message *message, int32_t place,
                        struct utc now)
{
    struct bmp_feed_peer *peer = &feed->peers[place];
    struct bgp_update update;
    bool is_usable = decode_update(message, &peer->session, &update);
    if (update.fault) {
        feed->counters.bad++;
        if (!feed->first_fault)
            feed->first_fault = update.fault;
    }
    if (!is_usable)
        return;
    feed->counters.updates++;
    bool is_table = is_of_table(peer, &update);
    feed->routes.time = is_table ? now : time_of(&message->peer, now);
    if (is_table)
        feed->last_entry = now;
    if (update.is_end_of_rib) {
        feed->routes.time = now;
        take_end_of_rib(feed, place, update.end_of_rib_family);
        return;
    }
    enum route_op announce[2] = {peer->is_tabling[0] ? ROUTE_TABLE : ROUTE_ANNOUNCE,
                                 peer->is_tabling[1] ? ROUTE_TABLE : ROUTE_ANNOUNCE};
    route_feed_update(&feed->routes, place, &update, announce);
}

static void take_of_peer(struct bmp_feed *feed, const struct bmp_message *message, struct utc now)
{
    int32_t place = place_of(feed, &message->peer);
    if (place < 0 || !feed->peers[place].is_up || is_twin(&feed->peers[place], &message->peer)) {
        feed->counters.unknown++;
        return;
    }
    if (message->type == BMP_ROUTE_MONITORING) {
        take_update(feed, message, place, now);
        return;
    }
    feed->routes.time = time_of(&message->peer, now);
    lose_peer(feed, place);
}

/* ---- in all ---- */

void bmp_feed_take(struct bmp_feed *feed, const struct bmp_message *message, struct utc now)
{
    bool is_of_peer = message->type == BMP_ROUTE_MONITORING || message->type == BMP_PEER_UP ||
                      message->type == BMP_PEER_DOWN;
    const struct bmp_peer *peer = &message->peer;
    if (!is_of_peer)
        feed->counters.other++;
    else if (peer->type == BMP_PEER_LOC_RIB || peer->is_out)
        feed->counters.other_tables++;
    else if (message->type == BMP_PEER_UP)
        take_peer_up(feed, message, now);
    else if (message->type == BMP_ROUTE_MONITORING && peer->is_post_policy)
        feed->counters.other_tables++;
    else
        take_of_peer(feed, message, now);
}

void bmp_feed_settle(struct bmp_feed *feed, struct utc now)
{
    bool is_quiet = utc_diff(now, feed->last_entry) >= BMP_TABLE_QUIET_NS;
    for (size_t i = 0; feed->tabling && i < feed->peer_count; i++) {
        struct bmp_feed_peer *peer = &feed->peers[i];
        if (!is_tabling(peer) || (!is_quiet && utc_diff(now, peer->since) < BMP_TABLE_MOST_NS))
            continue;
        set_tabling(feed, peer, false, false);
        feed->routes.time = now;
        feed->last = &peer->last;
        complete_table(feed, (int32_t)i);
    }
}
