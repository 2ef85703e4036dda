#include "state.h"

static bool is_of(const struct change *change, uint32_t thing, uint32_t vantage)
{
    return change->thing == thing && (!change->vantage || change->vantage == vantage);
}

double state_level(const struct world *world, uint32_t thing, uint32_t vantage,
                   enum change_kind kind, double otherwise, struct utc at)
{
    double from = otherwise, to = otherwise;
    struct utc begin = {0};
    int64_t over = 0;
    for (size_t i = 0; i < world->change_count && world->changes[i].at.ns <= at.ns; i++) {
        const struct change *change = &world->changes[i];
        if (change->kind != kind || !is_of(change, thing, vantage))
            continue;
        int64_t gone = utc_diff(change->at, begin);
        from = over > gone ? from + (to - from) * (double)gone / (double)over : to;
        to = change->value;
        begin = change->at;
        over = change->over_ns;
    }
    int64_t gone = utc_diff(at, begin);
    return over > gone ? from + (to - from) * (double)gone / (double)over : to;
}

const struct change *state_outcome(const struct world *world, uint32_t thing, uint32_t vantage,
                                   struct utc at)
{
    const struct change *last = NULL;
    for (size_t i = 0; i < world->change_count && world->changes[i].at.ns <= at.ns; i++)
        if (world->changes[i].kind == CHANGE_OUTCOME && is_of(&world->changes[i], thing, vantage))
            last = &world->changes[i];
    return last;
}

bool state_is_watching(const struct world *world, uint32_t thing, struct utc at)
{
    bool is_watched = false;
    for (size_t i = 0; i < world->watch_count && !is_watched; i++)
        is_watched = world->watches[i].from.ns <= at.ns && at.ns < world->watches[i].to.ns;
    for (size_t i = 0; i < world->change_count && is_watched; i++) {
        const struct change *change = &world->changes[i];
        if (change->thing == thing && (change->kind == CHANGE_GAP || change->kind == CHANGE_SILENT))
            is_watched = at.ns < change->at.ns || at.ns >= change->at.ns + (int64_t)change->value;
    }
    return is_watched;
}

bool state_is_connected(const struct world *world, uint32_t peer, struct utc at)
{
    bool is_connected = true;
    for (size_t i = 0; i < world->change_count && world->changes[i].at.ns <= at.ns; i++)
        if (world->changes[i].thing == peer && world->changes[i].kind == CHANGE_LOST)
            is_connected = false;
        else if (world->changes[i].thing == peer && world->changes[i].kind == CHANGE_BACK)
            is_connected = true;
    return is_connected;
}

static bool is_announced(const struct world *world, uint32_t prefix, struct utc at)
{
    bool is_there = true;
    for (size_t i = 0; i < world->change_count; i++) {
        const struct change *change = &world->changes[i];
        if (change->thing == prefix && change->reach >= 1 &&
            utc_add(change->at, change->over_ns / 2).ns <= at.ns)
            is_there = change->kind != CHANGE_WITHDRAW;
    }
    return is_there;
}

bool state_is_routed(const struct world *world, const struct thing *host, struct utc at)
{
    bool has_prefix = false;
    for (uint32_t i = 1; i < world->thing_count; i++) {
        const struct thing *thing = &world->things[i];
        if (thing->kind != THING_PREFIX || thing->owner != host->owner ||
            !prefix_has_addr(&thing->prefix, &host->addr))
            continue;
        if (is_announced(world, i, at))
            return true;
        has_prefix = true;
    }
    return !has_prefix;
}
