#include "source/bgp/bmp_feed.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Which of the router's sessions it is, and how its UPDATEs are to be read. */
struct bmp_feed_peer {
    uint64_t distinguisher;
    uint8_t type;
    bool was_told;     /* that it is up, or down: if it comes up now its session has just begun */
    struct utc up;     /* stamp of its PEER_UP */
    struct utc newest; /* stamp of its routes */
    bool is_late;      /* ... which came in when it was older than a second */
    struct bgp_session session;
};

/* When a route changed. A stamp says that of pre-policy Adj-RIB-In only, where it is when the routes
 * were received (RFC 7854, 4.2). In all other tables it is of the path that stands there, when that was
 * received, installed (RFC 9069, 5.1) or advertised (RFC 8671, 4): not of when it went, came back or
 * passed another policy. GoBGP (3.10) stamps withdrawals in Loc-RIB with when the path was installed.
 *
 * FRR (8.4) stamps what replaces a path with when the first one was received: a stamp is only believed if
 * it is younger than those before it, or the same as one that was believed. And some count in whole
 * seconds, even where their stamps do not look so (FRR's always have the same fraction): it may have
 * been up to a second after the stamp, and was not after it came in. */
static struct utc time_of(const struct bmp_feed *feed, struct bmp_feed_peer *peer, struct utc stamp,
                          struct utc now)
{
    int64_t delay = utc_diff(now, stamp);
    if (stamp.ns > peer->newest.ns) {
        peer->newest = stamp;
        peer->is_late = delay > NS_PER_S;
    }
    bool is_usable = feed->table == BMP_PRE_POLICY && stamp.ns == peer->newest.ns &&
                     peer->is_late && delay <= LIVE_DELAY_MOST_NS;
    return is_usable ? utc_add(stamp, NS_PER_S) : now;
}

/* ---- begin and end ---- */

void bmp_feed_init(struct bmp_feed *feed, const struct bmp_feed_options *options,
                   const struct sink *sink, struct route_memory *memory, struct utc now)
{
    *feed = (struct bmp_feed){.table = options->table, .router = options->router};
    live_feed_init(&feed->live, sink, memory, options->collector);
    feed->live.is_one_line = true;
    feed->live.newest = options->newest;
    live_feed_start(&feed->live, now);
}

struct utc bmp_feed_done(struct bmp_feed *feed, struct utc since, const char *reason)
{
    live_feed_stop(&feed->live, since, reason);
    since = feed->live.newest;
    live_feed_done(&feed->live);
    free(feed->peers);
    *feed = (struct bmp_feed){0};
    return since;
}

/* ---- peers ---- */

/* Its place, made if new; -1 if there are too many. It is spoken of from now on. */
static int32_t place_of(struct bmp_feed *feed, const struct bmp_peer *peer)
{
    struct addr addr = bmp_peer_addr(peer);
    int32_t place = live_feed_peer(&feed->live, addr.family ? &addr : &feed->router, peer->asn);
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

static bool is_twin(const struct bmp_feed *feed, int32_t place, const struct bmp_peer *peer)
{
    const struct bmp_feed_peer *known = &feed->peers[place];
    return feed->live.peers[place].is_up &&
           (known->type != peer->type || known->distinguisher != peer->distinguisher);
}

/* What the stamp of a PEER_UP says is nowhere defined; most give when the session came up, FRR (8.4) if it
 * comes up while we listen when it was lost before. So it is taken only for how old a session is that was
 * there when the router connected, of which it tells first of all (RFC 7854, 3.3). */
static void take_peer_up(struct bmp_feed *feed, const struct bmp_message *message, struct utc now)
{
    const struct bmp_peer *about = &message->peer;
    int32_t place = place_of(feed, about);
    if (place < 0) {
        feed->counters.unknown++;
        return;
    }
    if (is_twin(feed, place, about)) {
        feed->counters.twins++;
        return;
    }
    struct bmp_feed_peer *peer = &feed->peers[place];
    bool is_up = feed->live.peers[place].is_up;
    if (is_up && utc_is_known(about->time) && peer->up.ns == about->time.ns)
        return; /* FRR tells twice of a session that comes up just when the connection does */
    struct utc established = {peer->was_told ? 0 : about->time.ns};
    *peer =
        (struct bmp_feed_peer){.distinguisher = about->distinguisher,
                               .type = about->type,
                               .was_told = true,
                               .up = about->time,
                               .session = bmp_session_of(message, bmp_table_is_heard(feed->table))};
    feed->counters.unknown +=
        !live_feed_up(&feed->live, place, peer->session.has_family, established, now);
}

/* ---- routes ---- */

static void take_update(struct bmp_feed *feed, const struct bmp_message *message, int32_t place,
                        struct utc now)
{
    struct bgp_update update;
    struct bmp_feed_peer *peer = &feed->peers[place];
    struct utc time = time_of(feed, peer, message->peer.time, now);
    struct bgp_form form = bmp_form_of(&message->peer, &peer->session);
    bool is_usable = bgp_update_decode(message->update, form, &update);
    if (update.fault) {
        feed->counters.bad++;
        if (!feed->first_fault)
            feed->first_fault = update.fault;
    }
    if (!is_usable)
        return;
    feed->counters.updates++;
    live_feed_update(&feed->live, place, &update, time, now);
}

/* RFC 9069, 5.2 wants a PEER_UP of Loc-RIB, too; GoBGP (3.10) begins with its routes. What OPENs would
 * have said is not known then, but there is only one form to expect. */
static void imply_peer_up(struct bmp_feed *feed, const struct bmp_peer *about, int32_t place,
                          struct utc now)
{
    feed->peers[place] = (struct bmp_feed_peer){.distinguisher = about->distinguisher,
                                                .type = about->type,
                                                .was_told = true,
                                                .session = bgp_session_unknown};
    live_feed_up(&feed->live, place, feed->peers[place].session.has_family, (struct utc){0}, now);
}

static void take_of_peer(struct bmp_feed *feed, const struct bmp_message *message, struct utc now)
{
    int32_t place = place_of(feed, &message->peer);
    bool is_route = message->type == BMP_ROUTE_MONITORING;
    if (place >= 0 && is_route && feed->table == BMP_LOC_RIB && !feed->live.peers[place].is_up)
        imply_peer_up(feed, &message->peer, place, now);
    if (place < 0 || !feed->live.peers[place].is_up || is_twin(feed, place, &message->peer))
        feed->counters.unknown++;
    else if (is_route)
        take_update(feed, message, place, now);
    else
        live_feed_down(&feed->live, place, now);
    if (place >= 0 && !is_route)
        feed->peers[place].was_told = true;
}

/* ---- in all ---- */

static void count_other(struct bmp_feed_counters *counters, uint8_t type)
{
    counters->statistics += type == BMP_STATISTICS;
    counters->mirrored += type == BMP_ROUTE_MIRRORING;
    counters->other += type != BMP_STATISTICS && type != BMP_ROUTE_MIRRORING;
}

/* Sessions are told of once, whatever tables follow (RFC 8671, 6.3): only Loc-RIB has its own. */
void bmp_feed_take(struct bmp_feed *feed, const struct bmp_message *message, struct utc now)
{
    bool is_route = message->type == BMP_ROUTE_MONITORING;
    enum bmp_table table = bmp_table_of(&message->peer);
    if (!is_route && message->type != BMP_PEER_UP && message->type != BMP_PEER_DOWN) {
        count_other(&feed->counters, message->type);
        return;
    }
    feed->counters.tables[table] += is_route;
    if (is_route ? table != feed->table : (table == BMP_LOC_RIB) != (feed->table == BMP_LOC_RIB))
        return;
    if (message->type == BMP_PEER_UP)
        take_peer_up(feed, message, now);
    else
        take_of_peer(feed, message, now);
}

void bmp_feed_settle(struct bmp_feed *feed, struct utc now)
{
    live_feed_settle(&feed->live, now);
}

enum bmp_table bmp_feed_best_table(const struct bmp_feed *feed)
{
    int table = 0;
    while (table < BMP_TABLES && !feed->counters.tables[table])
        table++;
    return (enum bmp_table)table;
}
