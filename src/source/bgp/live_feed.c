#include "source/bgp/live_feed.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- times ---- */

/* Everything goes through here. */
static void emit(void *context, const struct observation *observation)
{
    struct live_feed *feed = context;
    struct observation next = *observation;
    if (next.time.ns <= feed->last->ns)
        next.time.ns = feed->last->ns + 1;
    *feed->last = next.time;
    if (next.time.ns > feed->newest.ns)
        feed->newest = next.time;
    sink_emit(&feed->sink, &next);
}

static void emit_mark(struct live_feed *feed, enum observation_kind kind, struct utc time,
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

void live_feed_init(struct live_feed *feed, const struct sink *sink, struct route_memory *memory,
                    const char *collector)
{
    *feed = (struct live_feed){.sink = *sink};
    struct sink ordered = {sink->registry, emit, feed};
    route_feed_init(&feed->routes, &ordered, memory, collector);
}

void live_feed_done(struct live_feed *feed)
{
    route_feed_done(&feed->routes);
    for (size_t i = 0; i < feed->peer_count; i++)
        free(feed->peers[i].told);
    free(feed->peers);
    *feed = (struct live_feed){0};
}

void live_feed_start(struct live_feed *feed, struct utc now)
{
    emit_mark(feed, OBSERVATION_START, now, NULL);
    feed->started = feed->newest;
    feed->last_entry = now;
}

static void set_tabling(struct live_feed *feed, struct live_peer *peer, bool v4, bool v6)
{
    feed->tabling -= peer->is_tabling[0] || peer->is_tabling[1];
    peer->is_tabling[0] = v4;
    peer->is_tabling[1] = v6;
    feed->tabling += v4 || v6;
}

static void forget_told(struct live_peer *peer)
{
    free(peer->told);
    peer->told = NULL;
}

static void forget_session(struct live_feed *feed, struct live_peer *peer)
{
    set_tabling(feed, peer, false, false);
    feed->up--;
    feed->incomplete -= !peer->is_complete;
    peer->is_up = false;
    forget_told(peer);
}

void live_feed_stop(struct live_feed *feed, struct utc since, const char *reason)
{
    struct route_memory *memory = feed->routes.memory;
    for (size_t i = 0; i < feed->peer_count; i++) {
        if (!feed->peers[i].is_up)
            continue;
        forget_session(feed, &feed->peers[i]);
        memory->peers[i].is_up = false;
        path_memory_forget(&memory->paths, (uint32_t)i);
    }
    route_feed_gap(&feed->routes, since);
    emit_mark(feed, OBSERVATION_GAP, since, reason);
}

/* ---- peers ---- */

int32_t live_feed_peer(struct live_feed *feed, const struct addr *addr, uint32_t asn)
{
    int32_t place = route_feed_peer(&feed->routes, addr, asn);
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

bool live_feed_up(struct live_feed *feed, int32_t place, const bool has_family[2],
                  struct utc established, struct utc now)
{
    struct live_peer *peer = &feed->peers[place];
    if (peer->is_up) /* a new session, where the end of the old one was not told */
        live_feed_down(feed, place, now);
    if (feed->up == LIVE_PEERS_MAX)
        return false;
    *peer = (struct live_peer){.is_up = true,
                               .since = now,
                               .established = established,
                               .last = peer->last,
                               .last_entry = now,
                               .marked = now,
                               .told = mem_new(1, sizeof *peer->told),
                               .usual_bytes = peer->usual_bytes};
    feed->up++;
    feed->incomplete++;
    feed->last_entry = now;
    set_tabling(feed, peer, has_family[0], has_family[1]);
    feed->routes.time = now;
    route_feed_hear(&feed->routes, place);
    return true;
}

void live_feed_down(struct live_feed *feed, int32_t place, struct utc heard)
{
    forget_session(feed, &feed->peers[place]);
    feed->routes.time = heard;
    route_feed_lose(&feed->routes, place);
}

/* ---- tables ---- */

static bool is_tabling(const struct live_peer *peer)
{
    return peer->is_tabling[0] || peer->is_tabling[1];
}

/* Whether an End-of-RIB is to be believed. */
static bool is_whole(const struct live_peer *peer)
{
    bool was_old = utc_is_known(peer->established) &&
                   utc_diff(peer->since, peer->established) >= LIVE_TABLE_ENOUGH_NS;
    bool is_as_usual = peer->usual_bytes && peer->table_bytes * 10 >= peer->usual_bytes * 9;
    return peer->had_end && (was_old || is_as_usual);
}

static void complete(struct live_feed *feed, int32_t place, struct utc now)
{
    struct live_peer *peer = &feed->peers[place];
    peer->is_complete = true;
    peer->usual_bytes = peer->table_bytes;
    forget_told(peer);
    feed->incomplete--;
    feed->routes.time = now;
    route_feed_state(&feed->routes, place, PEER_COMPLETE, 0);
}

static void take_end_of_rib(struct live_feed *feed, int32_t place, uint8_t family, struct utc now)
{
    struct live_peer *peer = &feed->peers[place];
    if (!is_tabling(peer))
        return;
    peer->had_end = true;
    peer->last_entry = feed->last_entry = now;
    set_tabling(feed, peer, peer->is_tabling[0] && family != 4, peer->is_tabling[1] && family != 6);
    if (!is_tabling(peer) && is_whole(peer))
        complete(feed, place, now);
}

static uint64_t hash_of(const struct prefix *prefix)
{
    return hash_bytes(prefix->addr.bytes, sizeof prefix->addr.bytes,
                      (uint64_t)prefix->addr.family << 8 | prefix->bits);
}

/* Whether something of this was surely not told before. */
static bool has_news(struct distinct *told, struct bgp_routes routes)
{
    struct bgp_nlri nlri;
    bool is_new = false;
    while (bgp_routes_next(&routes, &nlri))
        is_new |= distinct_add(told, hash_of(&nlri.prefix));
    return is_new;
}

/* Notes what it tells until its table is complete. Whether that is of a family whose table is being told. */
static bool note_table(struct live_feed *feed, struct live_peer *peer,
                       const struct bgp_update *update, struct utc now)
{
    bool is_of_table = false, is_new = false;
    for (size_t i = 0; i < update->announced_count && peer->told; i++) {
        const struct bgp_routes *routes = &update->announced[i];
        if (routes->safi != BGP_UNICAST)
            continue;
        is_new |= has_news(peer->told, *routes);
        if (!peer->is_tabling[routes->family == 6])
            continue;
        is_of_table = true;
        peer->table_bytes += reader_left(&routes->bytes);
    }
    if (is_new)
        peer->last_entry = now;
    if (is_new && is_of_table)
        feed->last_entry = now;
    return is_of_table;
}

void live_feed_update(struct live_feed *feed, int32_t place, const struct bgp_update *update,
                      struct utc heard, struct utc now)
{
    struct live_peer *peer = &feed->peers[place];
    if (update->is_end_of_rib) {
        take_end_of_rib(feed, place, update->end_of_rib_family, now);
        return;
    }
    feed->routes.time = note_table(feed, peer, update, now) ? now : heard;
    enum route_op announce[2] = {peer->is_tabling[0] ? ROUTE_TABLE : ROUTE_ANNOUNCE,
                                 peer->is_tabling[1] ? ROUTE_TABLE : ROUTE_ANNOUNCE};
    route_feed_update(&feed->routes, place, update, announce);
}

/* ---- time ---- */

/* Whether it goes on to tell what it did not tell before. */
static bool is_telling(const struct live_feed *feed, const struct live_peer *peer, struct utc now)
{
    bool is_in_line = feed->is_one_line && is_tabling(peer);
    struct utc last_entry = is_in_line ? feed->last_entry : peer->last_entry;
    return utc_diff(now, last_entry) < LIVE_TABLE_QUIET_NS &&
           utc_diff(now, peer->since) < LIVE_TABLE_LONGEST_NS;
}

static void mark_telling(struct live_feed *feed, int32_t place, struct utc now)
{
    struct live_peer *peer = &feed->peers[place];
    if (utc_diff(now, peer->marked) < LIVE_TELLING_NS)
        return;
    peer->marked = now;
    feed->routes.time = now;
    route_feed_state(&feed->routes, place, PEER_TELLING, 0);
}

static void settle_peer(struct live_feed *feed, int32_t place, struct utc now)
{
    struct live_peer *peer = &feed->peers[place];
    bool was_tabling = is_tabling(peer);
    feed->last = &peer->last;
    if (is_telling(feed, peer, now)) {
        mark_telling(feed, place, now);
        return;
    }
    set_tabling(feed, peer, false, false);
    if (utc_diff(now, peer->since) >= LIVE_TABLE_ENOUGH_NS || (was_tabling && is_whole(peer)))
        complete(feed, place, now);
}

void live_feed_settle(struct live_feed *feed, struct utc now)
{
    for (size_t i = 0; feed->incomplete && i < feed->peer_count; i++)
        if (feed->peers[i].is_up && !feed->peers[i].is_complete)
            settle_peer(feed, (int32_t)i, now);
}
