/* What a collector hears: for each prefix and peer the steps in which the route came and went, told
 * as long as session and collector are there, and told anew when they come back. */
#include "play.h"
#include "random.h"
#include "state.h"

#include <stdlib.h>
#include <string.h>

/* The route of one prefix at one peer from a moment on. */
struct step {
    struct utc at;
    const char *path; /* after the peer's own AS; NULL: none */
    bool is_detour;   /* a longer way that was tried in between */
};

struct steps {
    struct step *list;
    size_t count, capacity;
};

static void add_step(struct steps *steps, struct utc at, const char *path, bool is_detour)
{
    if (steps->count && steps->list[steps->count - 1].at.ns >= at.ns)
        at = utc_add(steps->list[steps->count - 1].at, NS_PER_MS);
    steps->list = mem_grow(steps->list, &steps->capacity, steps->count + 1, sizeof *steps->list);
    steps->list[steps->count++] =
        (struct step){.at = {at.ns / NS_PER_MS * NS_PER_MS}, .path = path, .is_detour = is_detour};
}

/* Peers that look for another way before they give up do so in a third of the withdrawals that take
 * long enough: science of convergence, by the rule of thumb. */
static void take_steps(const struct world *world, uint32_t prefix, uint32_t peer,
                       struct random *random, struct steps *steps)
{
    const struct thing *thing = &world->things[prefix], *who = &world->things[peer];
    unsigned peers = world->things[who->owner].count;
    unsigned place = peer - who->owner; /* from 1 */
    const char *path = thing->text;
    steps->count = 0;
    add_step(steps, (struct utc){0}, path, false);
    for (size_t i = 0; i < world->change_count; i++) {
        const struct change *change = &world->changes[i];
        double delay = random_even(random), detours = random_even(random);
        if (change->thing != prefix || (double)place > change->reach * (double)peers + 0.5)
            continue;
        struct utc at = utc_add(change->at, (int64_t)((double)change->over_ns * delay));
        if (change->kind == CHANGE_ANNOUNCE) {
            path = change->path ? change->path : thing->text;
            add_step(steps, at, path, false);
        } else {
            if (detours < 1.0 / 3 && change->over_ns >= 30 * NS_PER_S && path)
                add_step(steps, utc_add(change->at, utc_diff(at, change->at) / 2), path, true);
            add_step(steps, at, NULL, false);
            path = NULL;
        }
    }
}

static const struct step *step_at(const struct steps *steps, struct utc at)
{
    const struct step *last = &steps->list[0];
    for (size_t i = 1; i < steps->count && steps->list[i].at.ns <= at.ns; i++)
        last = &steps->list[i];
    return last;
}

struct feed {
    const struct world *world;
    struct registry *registry;
    struct observations *out;
    uint32_t collector, collector_name;
    uint32_t peer, peer_name;
};

static void tell_route(const struct feed *feed, uint32_t prefix, const struct step *step,
                       struct utc at, bool is_table)
{
    struct observation route = {
        .kind = OBSERVATION_ROUTE,
        .time = at,
        .source = feed->collector_name,
        .target = play_name(feed->registry, NAME_PREFIX, feed->world->things[prefix].name),
        .peer = feed->peer_name,
        .code = step->path ? (is_table ? ROUTE_TABLE : ROUTE_ANNOUNCE) : ROUTE_WITHDRAW};
    if (step->path) {
        struct arena arena = {0};
        const char *text = arena_printf(&arena, "%u%s %s", feed->world->things[feed->peer].asn,
                                        step->is_detour ? " 64999" : "", step->path);
        route.path = play_name(feed->registry, NAME_PATH, text);
        arena_done(&arena);
    }
    observations_add(feed->out, &route);
}

static void tell_peer(const struct feed *feed, enum peer_op op, struct utc at, int64_t value)
{
    struct observation peer = {.kind = OBSERVATION_PEER,
                               .time = at,
                               .source = feed->collector_name,
                               .peer = feed->peer_name,
                               .code = (uint16_t)op,
                               .value = value};
    observations_add(feed->out, &peer);
}

static bool is_heard(const struct feed *feed, struct utc at)
{
    return state_is_watching(feed->world, feed->collector, at) &&
           state_is_connected(feed->world, feed->peer, at);
}

/* The session comes up: its whole table follows. */
static void tell_table(const struct feed *feed, struct steps *steps, struct utc at)
{
    enum { TABLE = 900000 };
    tell_peer(feed, PEER_UP, at, 0);
    tell_peer(feed, PEER_TABLE, utc_add(at, NS_PER_S), TABLE + (int64_t)(feed->peer * 37 % 1000));
    for (uint32_t p = 1; p < feed->world->thing_count; p++) {
        const struct step *step =
            feed->world->things[p].kind == THING_PREFIX ? step_at(&steps[p], at) : NULL;
        if (step && step->path)
            tell_route(feed, p, step, utc_add(at, NS_PER_S), true);
    }
}

/* Begin of each watch, ends of gaps and of silences, sessions lost and back. */
static void tell_sessions(const struct feed *feed, struct steps *steps)
{
    const struct world *world = feed->world;
    for (size_t i = 0; i < world->watch_count; i++)
        if (is_heard(feed, world->watches[i].from))
            tell_table(feed, steps, world->watches[i].from);
    for (size_t i = 0; i < world->change_count; i++) {
        const struct change *change = &world->changes[i];
        bool is_pause = change->thing == feed->collector &&
                        (change->kind == CHANGE_GAP || change->kind == CHANGE_SILENT);
        struct utc after = utc_add(change->at, is_pause ? (int64_t)change->value : 0);
        if (change->thing == feed->peer && change->kind == CHANGE_LOST &&
            state_is_watching(world, feed->collector, change->at))
            tell_peer(feed, PEER_DOWN, change->at, 0);
        if ((is_pause || (change->thing == feed->peer && change->kind == CHANGE_BACK)) &&
            is_heard(feed, after))
            tell_table(feed, steps, after);
    }
}

static void play_peer(struct feed *feed, uint64_t seed, struct steps *steps)
{
    const struct world *world = feed->world;
    for (uint32_t p = 1; p < world->thing_count; p++) {
        if (world->things[p].kind != THING_PREFIX)
            continue;
        struct random random = random_stream(seed, (uint64_t)feed->peer << 32, p);
        take_steps(world, p, feed->peer, &random, &steps[p]);
        for (size_t i = 1; i < steps[p].count; i++)
            if (is_heard(feed, steps[p].list[i].at))
                tell_route(feed, p, &steps[p].list[i], steps[p].list[i].at, false);
    }
    tell_sessions(feed, steps);
}

void play_routes(const struct world *world, uint64_t seed, struct registry *registry,
                 struct observations *out)
{
    struct steps *steps = mem_new(world->thing_count, sizeof *steps);
    for (uint32_t i = 1; i < world->thing_count; i++) {
        const struct thing *peer = &world->things[i];
        if (peer->kind != THING_PEER)
            continue;
        char address[ADDR_TEXT_MAX];
        struct arena arena = {0};
        const char *name =
            arena_printf(&arena, "%s %u", addr_format(&peer->addr, address), peer->asn);
        struct feed feed = {
            .world = world,
            .registry = registry,
            .out = out,
            .collector = peer->owner,
            .collector_name = play_name(registry, NAME_COLLECTOR, world->things[peer->owner].name),
            .peer = i,
            .peer_name = play_name(registry, NAME_PEER, name)};
        play_peer(&feed, seed, steps);
        arena_done(&arena);
    }
    for (uint32_t i = 1; i < world->thing_count; i++)
        free(steps[i].list);
    free(steps);
}
