#include "source/bgp/route_feed.h"

#include <string.h>

void route_feed_init(struct route_feed *feed, const struct sink *sink, struct route_memory *memory,
                     const char *collector)
{
    *feed = (struct route_feed){.sink = *sink, .memory = memory};
    feed->collector = registry_intern(sink->registry, NAME_COLLECTOR, collector, strlen(collector));
}

void route_feed_done(struct route_feed *feed)
{
    buffer_done(&feed->text);
}

int32_t route_feed_peer(struct route_feed *feed, const struct addr *addr, uint32_t asn)
{
    return route_memory_peer(feed->memory, feed->collector, addr, asn);
}

/* ---- who hears it all ---- */

static void say(const struct route_feed *feed, const struct known_peer *peer, struct heard heard)
{
    const struct ear *ear = feed->memory->ear;
    heard.collector = feed->collector;
    if (peer) {
        heard.peer = peer->addr;
        heard.asn = peer->asn;
        heard.time = feed->time;
    }
    ear->hear(ear->context, &heard);
}

static void say_state(const struct route_feed *feed, const struct known_peer *peer, enum peer_op op)
{
    enum heard_kind kind = op == PEER_UP ? HEARD_UP : op == PEER_DOWN ? HEARD_DOWN : HEARD_COMPLETE;
    if (feed->memory->ear && (op == PEER_UP || op == PEER_DOWN || op == PEER_COMPLETE))
        say(feed, peer, (struct heard){.kind = kind});
}

void route_feed_gap(struct route_feed *feed, struct utc time)
{
    if (feed->memory->ear)
        say(feed, NULL, (struct heard){.kind = HEARD_GAP, .time = time});
}

/* ---- what goes on ---- */

/* The peer's number in the registry, made when something is to be said of it. */
static uint32_t name_peer(struct route_feed *feed, struct known_peer *peer)
{
    if (!peer->id) {
        char addr[ADDR_TEXT_MAX];
        buffer_clear(&feed->text);
        buffer_printf(&feed->text, "%s %u", addr_format(&peer->addr, addr), peer->asn);
        peer->id =
            registry_intern(feed->sink.registry, NAME_PEER, feed->text.bytes, feed->text.size);
    }
    return peer->id;
}

void route_feed_state(struct route_feed *feed, int32_t peer, enum peer_op op, uint64_t value)
{
    struct known_peer *known = &feed->memory->peers[peer];
    struct observation observation = {.kind = OBSERVATION_PEER,
                                      .time = feed->time,
                                      .source = feed->collector,
                                      .peer = name_peer(feed, known),
                                      .value = (int64_t)value,
                                      .code = (uint16_t)op};
    say_state(feed, known, op);
    if (observation.peer) /* else the registry is full: it counts that */
        sink_emit(&feed->sink, &observation);
}

static void begin_peer(struct route_feed *feed, int32_t peer, enum peer_op op)
{
    struct known_peer *known = &feed->memory->peers[peer];
    if (known->is_up)
        return;
    known->is_up = true;
    route_feed_state(feed, peer, op, 0);
}

void route_feed_hear(struct route_feed *feed, int32_t peer)
{
    begin_peer(feed, peer, PEER_UP);
}

void route_feed_join(struct route_feed *feed, int32_t peer)
{
    begin_peer(feed, peer, PEER_HEARD);
}

void route_feed_lose(struct route_feed *feed, int32_t peer)
{
    struct known_peer *known = &feed->memory->peers[peer];
    known->is_up = false;
    path_memory_forget(&feed->memory->paths, (uint32_t)peer);
    route_feed_state(feed, peer, PEER_DOWN, 0);
}

static uint32_t name_prefix(struct route_feed *feed, const struct prefix *prefix)
{
    char text[PREFIX_TEXT_MAX];
    prefix_format(prefix, text);
    return registry_intern(feed->sink.registry, NAME_PREFIX, text, strlen(text));
}

static uint32_t name_path(struct route_feed *feed, const struct route_change *change)
{
    if (!*change->path_name) {
        buffer_clear(&feed->text);
        buffer_add(&feed->text, "", 0);
        bgp_path_format(change->path, &feed->text);
        *change->path_name =
            registry_intern(feed->sink.registry, NAME_PATH, feed->text.bytes, feed->text.size);
    }
    return *change->path_name;
}

/* One path of several with ADD-PATH: a withdrawal is one only if no other path is left. False if nobody
 * knows that any more. */
static bool note_path(struct route_feed *feed, const struct route_change *change,
                      struct observation *observation)
{
    struct path_memory *paths = &feed->memory->paths;
    uint32_t peer = (uint32_t)change->peer;
    if (change->op != ROUTE_WITHDRAW) {
        path_memory_announce(paths, peer, observation->target, change->path_id, observation->path);
        return true;
    }
    enum paths_left left =
        path_memory_withdraw(paths, peer, observation->target, change->path_id, &observation->path);
    if (left == PATHS_LEFT)
        observation->code = ROUTE_ANNOUNCE;
    return left != PATHS_UNKNOWN;
}

void route_feed_change(struct route_feed *feed, const struct route_change *change)
{
    struct route_filter *filter = &feed->memory->filter;
    bool is_wanted = route_filter_has_prefix(filter, &change->prefix);
    if (change->path && filter->asn_count &&
        route_filter_has_origin(filter, bgp_path_origin(change->path))) {
        route_filter_learn(filter, &change->prefix);
        is_wanted = true;
    }
    if (!is_wanted)
        return;
    struct observation observation = {.kind = OBSERVATION_ROUTE,
                                      .time = feed->time,
                                      .source = feed->collector,
                                      .target = name_prefix(feed, &change->prefix),
                                      .peer = feed->memory->peers[change->peer].id,
                                      .path = change->path ? name_path(feed, change) : 0,
                                      .code = (uint16_t)change->op};
    if (!observation.target || !observation.peer || (change->path && !observation.path))
        return; /* the registry is full: it counts that */
    if (!change->has_path_id || note_path(feed, change, &observation))
        sink_emit(&feed->sink, &observation);
    else /* what it carried is unknown until it speaks of it again */
        route_feed_state(feed, change->peer, PEER_HEARD, 0);
}

static void take_routes(struct route_feed *feed, struct bgp_routes routes,
                        struct route_change change)
{
    struct bgp_nlri nlri;
    if (routes.safi != BGP_UNICAST)
        return;
    if (feed->memory->ear)
        say(feed, &feed->memory->peers[change.peer],
            (struct heard){.kind = HEARD_ROUTES, .path = change.path, .routes = routes});
    change.has_path_id = routes.has_path_ids;
    while (bgp_routes_next(&routes, &nlri)) {
        change.prefix = nlri.prefix;
        change.path_id = nlri.path_id;
        route_feed_change(feed, &change);
    }
}

void route_feed_update(struct route_feed *feed, int32_t peer, const struct bgp_update *update,
                       const enum route_op announce[2])
{
    uint32_t path_name = 0;
    struct route_change gone = {.peer = peer, .op = ROUTE_WITHDRAW};
    struct route_change come = {
        .peer = peer, .path = &update->attributes.path, .path_name = &path_name};
    for (size_t i = 0; i < update->withdrawn_count; i++)
        take_routes(feed, update->withdrawn[i], gone);
    for (size_t i = 0; i < update->announced_count; i++) {
        come.op = announce[update->announced[i].family == 6];
        take_routes(feed, update->announced[i], update->is_withdrawal ? gone : come);
    }
}
