#include "core/detect/routes.h"

#include <string.h>

static const double PARTIAL = 0.8, GONE = 0.2, GONE_LEAVE = 0.3, TABLE_ALIVE = 0.9;
/* An update may be stamped in whole seconds, and is a second or two on its way to the first peer.
 */
static const int64_t RESOLUTION = NS_PER_S, ON_ITS_WAY = 2 * NS_PER_S;
/* A peer that comes back sends its table again: until then its routes are unknown, not withdrawn. Where nobody
 * says how far it is (archives), it has so long for it. */
static const int64_t TABLE_TIME = 5 * NS_PER_MINUTE;
/* Announcements this soon after a peer was first heard are its table, not news. */
static const int64_t FIRST_TABLE_TIME = 10 * NS_PER_S;

void routes_init(struct routes *r)
{
    memset(r, 0, sizeof *r);
    table_init(&r->peers, sizeof(struct route_peer));
    table_init(&r->entries, sizeof(struct rib_entry));
    table_init(&r->prefixes, sizeof(struct route_prefix));
    table_init(&r->bins, sizeof(struct route_bin));
    table_init(&r->waiting, sizeof(uint32_t));
    table_init(&r->foreign, sizeof(uint32_t));
    table_init(&r->changed, sizeof(uint32_t));
    index_init(&r->peer_index);
    index_init(&r->prefix_index);
    index_init(&r->entry_index);
    index_init(&r->bin_index);
    r->recheck.ns = INT64_MAX;
}

void routes_done(struct routes *r)
{
    table_done(&r->peers);
    table_done(&r->entries);
    table_done(&r->prefixes);
    table_done(&r->bins);
    table_done(&r->waiting);
    table_done(&r->foreign);
    table_done(&r->changed);
    index_done(&r->peer_index);
    index_done(&r->prefix_index);
    index_done(&r->entry_index);
    index_done(&r->bin_index);
}

void routes_save(const struct routes *r, struct buffer *out)
{
    table_save(&r->peers, out);
    table_save(&r->entries, out);
    table_save(&r->prefixes, out);
    table_save(&r->bins, out);
    table_save(&r->waiting, out);
    table_save(&r->foreign, out);
    table_save(&r->changed, out);
    index_save(&r->peer_index, out);
    index_save(&r->prefix_index, out);
    index_save(&r->entry_index, out);
    index_save(&r->bin_index, out);
    buffer_zigzag(out, r->recheck.ns);
    buffer_varint(out, r->capped);
}

bool routes_load(struct routes *r, struct reader *in)
{
    bool is_good = table_load(&r->peers, in) && table_load(&r->entries, in) &&
                   table_load(&r->prefixes, in) && table_load(&r->bins, in) &&
                   table_load(&r->waiting, in) && table_load(&r->foreign, in) &&
                   table_load(&r->changed, in) && index_load(&r->peer_index, in) &&
                   index_load(&r->prefix_index, in) && index_load(&r->entry_index, in) &&
                   index_load(&r->bin_index, in);
    r->recheck.ns = reader_zigzag(in);
    r->capped = reader_varint(in);
    return is_good;
}

static struct route_peer *peer_at(const struct routes *r, uint32_t row)
{
    return table_at(&r->peers, row);
}

static struct rib_entry *entry_at(const struct routes *r, uint32_t row)
{
    return table_at(&r->entries, row);
}

static struct route_bin *bin_at(const struct routes *r, uint32_t row)
{
    return table_at(&r->bins, row);
}

uint32_t routes_find(const struct routes *r, uint32_t prefix)
{
    return index_find(&r->prefix_index, prefix);
}

bool route_peer_is_alive(const struct route_peer *peer, struct utc now)
{
    bool has_table =
        !peer->usual_table || (double)peer->table >= TABLE_ALIVE * (double)peer->usual_table;
    return peer->is_up && has_table && now.ns >= peer->blind_until.ns;
}

/* Rows of things heard of, made if new; UINT32_MAX where a cap was reached. */
static uint32_t peer_row(struct routes *r, const struct registry *registry,
                         const struct observation *o)
{
    uint64_t key = key_of(o->source, o->peer);
    uint32_t found = index_find(&r->peer_index, key);
    if (found)
        return found - 1;
    if (r->peers.count >= ROUTE_PEERS_MAX || registry_kind(registry, o->peer) != NAME_PEER) {
        r->capped++;
        return UINT32_MAX;
    }
    struct route_peer *peer = table_add(&r->peers);
    peer->collector = o->source;
    peer->peer = o->peer;
    peer->family = registry_peer(registry, o->peer)->addr.family;
    peer->is_up = true;
    peer->since = o->time;
    index_put(&r->peer_index, key, (uint32_t)r->peers.count - 1);
    return (uint32_t)r->peers.count - 1;
}

static uint32_t prefix_row(struct routes *r, const struct registry *registry, uint32_t prefix)
{
    uint32_t found = index_find(&r->prefix_index, prefix);
    if (found)
        return found - 1;
    if (r->prefixes.count >= ROUTE_PREFIXES_MAX || registry_kind(registry, prefix) != NAME_PREFIX) {
        r->capped++;
        return UINT32_MAX;
    }
    struct route_prefix *row = table_add(&r->prefixes);
    row->prefix = prefix;
    index_put(&r->prefix_index, prefix, (uint32_t)r->prefixes.count - 1);
    return (uint32_t)r->prefixes.count - 1;
}

static uint32_t entry_row(struct routes *r, uint32_t prefix, uint32_t peer)
{
    uint64_t key = key_of(prefix, peer);
    uint32_t found = index_find(&r->entry_index, key);
    if (found)
        return found - 1;
    if (r->entries.count >= ROUTE_RIB_MAX) {
        r->capped++;
        return UINT32_MAX;
    }
    struct rib_entry *entry = table_add(&r->entries);
    entry->peer = peer;
    entry->prefix = prefix;
    entry->next = routes_prefix(r, prefix)->first_entry;
    uint32_t row = (uint32_t)r->entries.count - 1;
    routes_prefix(r, prefix)->first_entry = row + 1;
    index_put(&r->entry_index, key, row);
    return row;
}

static void place_prefix(struct route_prefix *p, const struct watch_list *watch,
                         const struct registry *registry)
{
    if (p->generation == watch->generation)
        return;
    p->generation = watch->generation;
    p->cover = watch_cover(watch, registry, registry_prefix(registry, p->prefix));
    p->is_exact = p->cover && watch_member(watch, p->cover - 1)->target == p->prefix;
}

static bool is_usual_origin(const struct route_prefix *p, uint32_t origin)
{
    for (int i = 0; p && i < ROUTE_ORIGINS; i++)
        if (p->origins[i] == origin)
            return true;
    return false;
}

static void add_origin(struct route_prefix *p, uint32_t origin)
{
    for (int i = 0; i < ROUTE_ORIGINS; i++) {
        if (p->origins[i] == origin)
            return;
        if (!p->origins[i]) {
            p->origins[i] = origin;
            return;
        }
    }
}

static bool is_own_origin(const struct routes *r, const struct watch_list *watch,
                          const struct route_prefix *p, uint32_t origin)
{
    const struct member *cover = watch_member(watch, p->cover - 1);
    if (!origin || watch_has_asn(watch, cover->subject, origin) || is_usual_origin(p, origin))
        return true;
    uint32_t parent = routes_find(r, cover->target);
    return parent && is_usual_origin(routes_prefix(r, parent - 1), origin);
}

/* The first origins of a prefix are its usual ones: from a table, or where nobody says better. */
static void learn_origin(struct route_prefix *p, const struct watch_list *watch,
                         const struct observation *o, uint32_t origin,
                         const struct route_peer *peer)
{
    bool is_first = !peer->is_joined && o->time.ns < peer->since.ns + FIRST_TABLE_TIME;
    bool is_table = o->code == ROUTE_TABLE || is_first;
    bool has_asns = p->cover && watch_has_asns(watch, watch_member(watch, p->cover - 1)->subject);
    if (origin && (is_table || (p->is_exact && !has_asns && !p->origins[0])))
        add_origin(p, origin);
}

struct census {
    uint32_t carried, usual, unknown;
    uint32_t stale, stale_carried; /* not heard of it since a gap; and carried it before */
    uint32_t alive;
    uint32_t foreign, foreign_asn;
    uint32_t origin, upstream, upstream_votes; /* majority candidates */
};

/* Not heard since the last gap of its collector. */
static bool is_stale(const struct route_peer *peer, const struct rib_entry *entry)
{
    bool is_older = peer->is_joined || peer->since.ns < peer->blind_until.ns;
    return entry->heard.ns < peer->blind_until.ns && is_older;
}

static void count_entry(const struct routes *r, const struct watch_list *watch,
                        const struct route_prefix *p, const struct rib_entry *entry, struct utc now,
                        struct census *census)
{
    const struct route_peer *peer = peer_at(r, entry->peer);
    if (!route_peer_is_alive(peer, now))
        return;
    if (is_stale(peer, entry)) {
        bool has_dropped = peer->tabled.ns >= peer->blind_until.ns; /* its table is without it */
        census->usual += entry->is_usual && has_dropped;
        census->stale += entry->is_usual && !has_dropped;
        census->stale_carried += entry->state == RIB_PRESENT && !has_dropped;
        return;
    }
    if (entry->state == RIB_UNKNOWN) {
        census->unknown++;
        return;
    }
    census->usual += entry->is_usual;
    if (entry->state != RIB_PRESENT)
        return;
    census->carried++;
    census->origin = entry->origin;
    if (p->cover && !is_own_origin(r, watch, p, entry->origin)) {
        census->foreign++;
        census->foreign_asn = entry->origin;
    }
    if (!census->upstream_votes)
        census->upstream = entry->upstream;
    census->upstream_votes += entry->upstream == census->upstream ? 1u : UINT32_MAX;
}

/* The collectors at which some peer spoke of the prefix; returns how many. */
static size_t speaking_collectors(const struct routes *r, const struct route_prefix *p,
                                  uint32_t out[ROUTE_COLLECTORS])
{
    size_t n = 0;
    for (uint32_t at = p->first_entry; at && n < ROUTE_COLLECTORS; at = entry_at(r, at - 1)->next) {
        uint32_t collector = peer_at(r, entry_at(r, at - 1)->peer)->collector;
        size_t i = 0;
        while (i < n && out[i] != collector)
            i++;
        if (i == n)
            out[n++] = collector;
    }
    return n;
}

/* Peers that are alive, whose table was not seen, and that never spoke of the prefix. A collector
 * none of whose peers did, perhaps of another archive or another time, knows nothing of it. */
static uint32_t count_strangers(const struct routes *r, const struct registry *registry,
                                const struct route_prefix *p, uint32_t row, struct utc now,
                                uint32_t *alive)
{
    uint8_t family = registry_prefix(registry, p->prefix)->addr.family;
    uint32_t collectors[ROUTE_COLLECTORS], strangers = 0;
    size_t n = speaking_collectors(r, p, collectors);
    for (uint32_t i = 0; i < r->peers.count; i++) {
        const struct route_peer *peer = peer_at(r, i);
        size_t c = 0;
        while (c < n && collectors[c] != peer->collector)
            c++;
        if (c == n || peer->family != family || !route_peer_is_alive(peer, now))
            continue;
        (*alive)++;
        strangers += !peer->is_dumped && !index_find(&r->entry_index, key_of(row, i));
    }
    return strangers;
}

static struct census take_census(const struct routes *r, const struct watch_list *watch,
                                 const struct registry *registry, uint32_t row, struct utc now)
{
    const struct route_prefix *p = routes_prefix(r, row);
    struct census census = {0};
    for (uint32_t at = p->first_entry; at; at = entry_at(r, at - 1)->next)
        count_entry(r, watch, p, entry_at(r, at - 1), now, &census);
    if (p->first_entry)
        census.unknown += count_strangers(r, registry, p, row, now, &census.alive);
    for (uint32_t at = p->first_bin; at; at = bin_at(r, at - 1)->next) {
        census.carried += bin_at(r, at - 1)->up;
        census.usual += bin_at(r, at - 1)->total;
    }
    /* While less than a quarter spoke of it since the gap, nothing is known. Then the others' last
     * word is held against what these say, as with strangers. */
    if (census.stale > 3 * census.usual)
        census.usual = census.unknown = census.carried = 0;
    else
        census.unknown += census.stale_carried;
    return census;
}

static void await_publishing(struct routes *r, uint32_t row)
{
    struct route_prefix *p = routes_prefix(r, row);
    if (p->is_waiting)
        return;
    p->is_waiting = true;
    *(uint32_t *)table_add(&r->waiting) = row;
}

/* Something that is seen at `now` happened after the last look, or in the gap before it. */
static struct interval interval_to(const struct route_prefix *p, struct utc now)
{
    struct interval at = {{now.ns - RESOLUTION}, now};
    if (now.ns % NS_PER_S == 0)
        at.first_after.ns += RESOLUTION - 1;
    if (p->first_bin && !p->first_entry)
        at = (struct interval){p->last_seen, now};
    if (p->blind_until.ns > at.last_before.ns && p->blind_from.ns < at.last_before.ns)
        at.last_before = p->blind_from;
    bool was_known = p->condition != CONDITION_NO_DATA || !utc_is_known(p->blind_from);
    if (!was_known && p->blind_from.ns < at.last_before.ns)
        at.last_before = p->blind_from;
    return at;
}

static enum condition condition_of(const struct route_prefix *p, const struct census *census,
                                   double v)
{
    if (census->usual + census->unknown == 0)
        return CONDITION_NO_DATA;
    if (v < GONE || (p->condition == CONDITION_DOWN && v < GONE_LEAVE))
        return CONDITION_DOWN;
    return v < PARTIAL ? CONDITION_DEGRADED : CONDITION_UP;
}

static void turn(struct routes *r, uint32_t row, enum condition to, struct utc now)
{
    struct route_prefix *p = routes_prefix(r, row);
    if (p->condition == (uint8_t)to)
        return;
    struct interval at = interval_to(p, now);
    bool is_worse = to > (enum condition)p->known && p->known != CONDITION_NO_DATA;
    if (is_worse && utc_is_known(p->falling.first_after) &&
        p->falling.last_before.ns < at.last_before.ns)
        at.last_before = p->falling.last_before;
    if (p->known == CONDITION_UP && to > CONDITION_UP) {
        p->left_up = at;
        p->left_up.last_before.ns -= ON_ITS_WAY;
        p->flaps[p->flap_count++ % ROUTE_FLAPS] = now;
    }
    p->condition = (uint8_t)to;
    if (to != CONDITION_NO_DATA)
        p->known = (uint8_t)to;
    p->since = at;
    p->was_up |= to == CONDITION_UP;
    await_publishing(r, row);
}

static void judge_foreign(struct routes *r, uint32_t row, const struct census *census,
                          struct utc now)
{
    struct route_prefix *p = routes_prefix(r, row);
    uint32_t needed = census->alive < 4 ? 1 : 2;
    if (!p->is_foreign && census->foreign >= needed) {
        if (!p->foreign_asn)
            *(uint32_t *)table_add(&r->foreign) = row;
        p->is_foreign = true;
        p->foreign_asn = census->foreign_asn;
        p->foreign_began = interval_to(p, now);
        p->foreign_ended = (struct interval){0};
        p->foreign_peers = p->foreign_of = 0;
        await_publishing(r, row);
    } else if (p->is_foreign && census->foreign * 10 <= p->foreign_peers && census->foreign < 3) {
        p->is_foreign = false;
        p->foreign_ended = interval_to(p, now);
        await_publishing(r, row);
    }
    if (p->is_foreign && census->foreign > p->foreign_peers) {
        p->foreign_peers = census->foreign;
        p->foreign_of = census->alive;
        await_publishing(r, row);
    }
}

static void judge_upstream(struct route_prefix *p, const struct census *census, struct utc now)
{
    /* Votes left over by the majority count: enough if the winner leads by a fifth of all. */
    if (!census->upstream || census->upstream_votes * 5 < census->carried || census->foreign)
        return;
    if (p->upstream && p->upstream != census->upstream) {
        p->upstream_before = p->upstream;
        p->upstream_changed = now;
    }
    p->upstream = census->upstream;
}

/* The fall that a state is left by began with the first peer that lost the route, up to a minute or
 * two before: withdrawals take their time to reach everybody. */
static void follow_fall(struct route_prefix *p, double v, struct utc now)
{
    bool is_old = utc_diff(now, p->falling.first_after) > 2 * NS_PER_MINUTE;
    if (v >= p->v_top || is_old) {
        p->v_top = v >= p->v_top ? v : p->v;
        p->falling = (struct interval){{0}, {0}};
    }
    if (v < p->v_top && !utc_is_known(p->falling.first_after))
        p->falling = interval_to(p, now);
}

static void judge_prefix(struct routes *r, const struct watch_list *watch,
                         const struct registry *registry, uint32_t row, struct utc now)
{
    struct route_prefix *p = routes_prefix(r, row);
    place_prefix(p, watch, registry);
    struct census census = take_census(r, watch, registry, row, now);
    double all = (double)census.usual + census.unknown;
    double v = all > 0 ? ((double)census.carried + census.unknown) / all : p->v;
    v = v < 1 ? v : 1;
    if (all > 0)
        follow_fall(p, v, now);
    p->v = v;
    p->carried = census.carried;
    p->usual = census.usual;
    if (census.origin && !census.foreign)
        p->origin = census.origin;
    if (p->cover)
        judge_foreign(r, row, &census, now);
    judge_upstream(p, &census, now);
    turn(r, row, condition_of(p, &census, p->v), now);
}

static void judge_all(struct routes *r, const struct watch_list *watch,
                      const struct registry *registry, struct utc now)
{
    for (uint32_t row = 0; row < r->prefixes.count; row++)
        judge_prefix(r, watch, registry, row, now);
}

static void hear_route(struct routes *r, struct watch_list *watch, const struct registry *registry,
                       const struct observation *o)
{
    uint32_t peer = peer_row(r, registry, o), row = prefix_row(r, registry, o->target);
    if (peer == UINT32_MAX || row == UINT32_MAX)
        return;
    uint32_t at = entry_row(r, row, peer);
    if (at == UINT32_MAX)
        return;
    struct rib_entry *entry = entry_at(r, at);
    struct route_prefix *p = routes_prefix(r, row);
    if (o->code == ROUTE_TABLE)
        peer_at(r, peer)->is_dumped = true;
    entry->is_usual = true;
    entry->heard = o->time;
    if (o->code == ROUTE_WITHDRAW) {
        entry->state = RIB_ABSENT;
    } else {
        bool has_path = registry_kind(registry, o->path) == NAME_PATH;
        entry->state = RIB_PRESENT;
        entry->origin = has_path ? registry_path(registry, o->path)->origin : 0;
        entry->upstream = has_path ? registry_path(registry, o->path)->upstream : 0;
        if (entry->origin)
            watch_origin(watch, registry, o->target, entry->origin);
        place_prefix(p, watch, registry);
        learn_origin(p, watch, o, entry->origin, peer_at(r, peer));
    }
    judge_prefix(r, watch, registry, row, o->time);
    p->last_seen = o->time;
}

static void hear_visibility(struct routes *r, const struct watch_list *watch,
                            const struct registry *registry, const struct observation *o)
{
    uint32_t row = prefix_row(r, registry, o->target);
    if (row == UINT32_MAX)
        return;
    uint64_t key = key_of(row, o->source);
    uint32_t found = index_find(&r->bin_index, key);
    struct route_prefix *p = routes_prefix(r, row);
    if (!found) {
        struct route_bin *bin = table_add(&r->bins);
        bin->next = p->first_bin;
        p->first_bin = found = (uint32_t)r->bins.count;
        index_put(&r->bin_index, key, found - 1);
    }
    struct route_bin *bin = bin_at(r, found - 1);
    bin->up = o->code;
    bin->total = o->value > 0 && o->value < UINT16_MAX ? (uint32_t)o->value : 0;
    bin->at = o->time;
    judge_prefix(r, watch, registry, row, o->time);
    p->last_seen = o->time;
}

static void lose_peer(struct routes *r, uint32_t row, struct utc now)
{
    struct route_peer *peer = peer_at(r, row);
    peer->is_up = false;
    peer->lost = (struct interval){{now.ns - RESOLUTION}, now};
    *(uint32_t *)table_add(&r->changed) = row;
}

/* Where its table is awaited, what it carried is not known; what it did not carry it still does not,
 * until it says so. */
static void regain_peer(struct routes *r, uint32_t row, struct utc now)
{
    struct route_peer *peer = peer_at(r, row);
    peer->is_up = true;
    peer->is_awaited = true;
    peer->is_joined = false;
    peer->since = now;
    r->recheck.ns = now.ns + TABLE_TIME < r->recheck.ns ? now.ns + TABLE_TIME : r->recheck.ns;
    for (uint32_t i = 0; i < r->entries.count; i++)
        if (entry_at(r, i)->peer == row && entry_at(r, i)->state == RIB_PRESENT)
            entry_at(r, i)->state = RIB_UNKNOWN;
    *(uint32_t *)table_add(&r->changed) = row;
}

/* It comes with no table: what it carried before is what it was when it was heard last, and whether
 * that is still so it will not say. All peers of a collector are heard at about once, and judged
 * together. */
static void join_peer(struct routes *r, uint32_t row, struct utc now)
{
    struct route_peer *peer = peer_at(r, row);
    if (!peer->is_up) {
        peer->since = now;
        *(uint32_t *)table_add(&r->changed) = row;
    }
    peer->is_up = true;
    peer->is_awaited = false;
    peer->is_joined = true;
    if (peer->blind_until.ns < now.ns)
        peer->blind_until = now;
    if (r->recheck.ns > now.ns)
        r->recheck = now;
}

/* What is not in the table of a peer that is back went while nobody heard it. */
static void complete_table(struct routes *r, uint32_t row, struct utc now)
{
    struct route_peer *peer = peer_at(r, row);
    peer->is_awaited = false;
    for (uint32_t i = 0; i < r->entries.count; i++) {
        struct rib_entry *entry = entry_at(r, i);
        if (entry->peer != row || entry->state != RIB_UNKNOWN)
            continue;
        struct route_prefix *p = routes_prefix(r, entry->prefix);
        entry->state = RIB_ABSENT;
        p->blind_from = peer->lost.last_before;
        p->blind_until = now;
    }
}

static void hear_peer(struct routes *r, const struct watch_list *watch,
                      const struct registry *registry, const struct observation *o)
{
    uint32_t row = peer_row(r, registry, o);
    if (row == UINT32_MAX)
        return;
    struct route_peer *peer = peer_at(r, row);
    if (o->code == PEER_DOWN && peer->is_up)
        lose_peer(r, row, o->time);
    else if (o->code == PEER_UP && !peer->is_up)
        regain_peer(r, row, o->time);
    else if (o->code == PEER_HEARD) {
        join_peer(r, row, o->time);
        return;
    } else if (o->code == PEER_TELLING) {
        peer->telling = o->time;
        return;
    } else if (o->code == PEER_TABLE) {
        peer->is_dumped = true;
        peer->tabled = o->time;
        peer->table = o->value;
        if (peer->usual_table < o->value)
            peer->usual_table = o->value;
        r->recheck = o->time; /* tables come for all peers at once: judged together */
        return;
    } else if (o->code == PEER_COMPLETE) {
        peer->is_dumped = true;
        complete_table(r, row, o->time);
    } else {
        return;
    }
    judge_all(r, watch, registry, o->time);
}

/* Nothing is heard of its peers until each is up again; that is not told of each of them. */
static void hear_open_gap(struct routes *r, const struct watch_list *watch,
                          const struct registry *registry, const struct observation *o)
{
    for (uint32_t i = 0; i < r->peers.count; i++) {
        struct route_peer *peer = peer_at(r, i);
        if (peer->collector != o->source || !peer->is_up)
            continue;
        peer->is_up = false;
        peer->lost = (struct interval){{o->time.ns - RESOLUTION}, o->time};
    }
    for (uint32_t i = 0; i < r->prefixes.count; i++) {
        struct route_prefix *p = routes_prefix(r, i);
        if (p->condition != CONDITION_NO_DATA) /* else nothing is known of it since earlier */
            p->blind_from = p->blind_until = o->time;
    }
    judge_all(r, watch, registry, o->time);
}

static void hear_gap(struct routes *r, const struct watch_list *watch,
                     const struct registry *registry, const struct observation *o)
{
    for (uint32_t i = 0; i < r->peers.count; i++) {
        struct route_peer *peer = peer_at(r, i);
        if (peer->collector == o->source && peer->blind_until.ns < o->value)
            peer->blind_until.ns = o->value;
    }
    for (uint32_t i = 0; i < r->prefixes.count; i++) {
        routes_prefix(r, i)->blind_from = o->time;
        routes_prefix(r, i)->blind_until.ns = o->value;
    }
    if (r->recheck.ns > o->value)
        r->recheck.ns = o->value;
    judge_all(r, watch, registry, o->time);
}

void routes_feed(struct routes *r, struct watch_list *watch, const struct registry *registry,
                 const struct observation *o)
{
    switch (o->kind) {
    case OBSERVATION_ROUTE:
        hear_route(r, watch, registry, o);
        break;
    case OBSERVATION_PEER:
        hear_peer(r, watch, registry, o);
        break;
    case OBSERVATION_VISIBILITY:
        hear_visibility(r, watch, registry, o);
        break;
    case OBSERVATION_GAP:
        if (o->value)
            hear_gap(r, watch, registry, o);
        else
            hear_open_gap(r, watch, registry, o);
        break;
    default:
        break;
    }
}

/* When a peer that nobody says more of has told its table. */
static struct utc table_due(const struct route_peer *peer)
{
    struct utc from = peer->telling.ns > peer->since.ns ? peer->telling : peer->since;
    return utc_add(from, TABLE_TIME);
}

/* When the next thing happens by the passing of time alone. */
static void plan_recheck(struct routes *r, struct utc now)
{
    r->recheck.ns = INT64_MAX;
    for (uint32_t i = 0; i < r->peers.count; i++) {
        const struct route_peer *peer = peer_at(r, i);
        int64_t due[] = {table_due(peer).ns, peer->blind_until.ns};
        for (int k = 0; k < 2; k++)
            if (due[k] > now.ns && due[k] < r->recheck.ns)
                r->recheck.ns = due[k];
    }
}

void routes_settle(struct routes *r, const struct watch_list *watch,
                   const struct registry *registry, struct utc now)
{
    if (now.ns < r->recheck.ns)
        return;
    for (uint32_t i = 0; i < r->peers.count; i++) {
        const struct route_peer *peer = peer_at(r, i);
        if (peer->is_awaited && peer->is_up && now.ns >= table_due(peer).ns)
            complete_table(r, i, now);
    }
    judge_all(r, watch, registry, now);
    plan_recheck(r, now);
}
