/* Prefixes as route collectors see them: who carries each, and from which origin.
 *
 * v = peers that carry the prefix / peers that usually do, of those that are alive. A peer is alive
 * while its session is up, its collector is not in a gap, and its table is not below 90 % of its
 * usual size. A peer whose table we never saw and that never spoke of a prefix is unknown for it,
 * and counts as if it carried it, if others of its collector did speak of it: archives of updates
 * alone would else show an outage in every flap of two peers. A few peers that keep a route after
 * everybody withdrew it (zombies: 2 to 17 %) hide nothing: gone is v < 0.2.
 *
 * What was heard before a gap of the collector is not known after it, until the peer speaks of the
 * prefix again or sends its whole table. A prefix that less than a quarter spoke of since has no
 * data.
 *
 * In a gap without an end no peer is heard until it is up again. What such a peer, or one whose
 * session was lost, carried before is unknown until it says so again, or says that its table is
 * complete, or five minutes have passed since it last said that it is still being told; until then it counts as
 * carried. Of a peer that is only
 * heard again (PEER_HEARD), no table comes: of what it carried, nothing is known until it speaks of
 * it, as after a gap with an end.
 *
 * States: up, partial (v < 0.8), gone (v < 0.2, until v > 0.3). Times are those of the updates;
 * each is taken as not before one second earlier, the resolution of most archives.
 *
 * A foreign origin is an AS that is none of the subject's (or, where the subject names none, of the
 * prefix's first ones) and announces a watched prefix or a more specific one. */
#ifndef CORE_DETECT_ROUTES_H
#define CORE_DETECT_ROUTES_H

#include "core/watch.h"
#include "model/conclusion.h"

enum {
    ROUTE_PREFIXES_MAX = 262144,
    ROUTE_PEERS_MAX = 4096,
    ROUTE_RIB_MAX = 8 * 1024 * 1024,
    ROUTE_COLLECTORS = 64, /* that are asked about one prefix */
    ROUTE_ORIGINS = 4,
    ROUTE_FLAPS = 16
};

struct route_peer {
    uint32_t collector, peer;
    uint32_t notice; /* id of the open notice that it was lost */
    uint8_t family;
    bool is_up;
    bool is_awaited;        /* it is back, and not yet known to have told its whole table again */
    bool is_dumped;         /* its whole table was seen: what is not in it, it does not carry */
    bool is_joined;         /* its session was there before it was heard: it tells no table */
    struct utc since;       /* of is_up */
    struct utc blind_until; /* its collector's gap */
    struct utc tabled;      /* when its whole table was last seen */
    struct utc telling;     /* ... and when that it was still being told */
    struct interval lost;
    int64_t table, usual_table;
};

enum rib_state { RIB_UNKNOWN, RIB_PRESENT, RIB_ABSENT };

struct rib_entry {   /* one prefix at one peer */
    uint32_t peer;   /* row */
    uint32_t prefix; /* row */
    uint32_t next;   /* of the same prefix, row + 1 */
    uint32_t origin, upstream;
    struct utc heard;
    uint8_t state;
    bool is_usual; /* carried it some time */
};

/* A bin of peers counted by somebody else (VISIBILITY). */
struct route_bin {
    uint32_t collector, prefix /* row */, next;
    uint32_t up, total;
    struct utc at;
};

struct route_prefix {
    uint32_t prefix; /* number of the registry */
    uint32_t first_entry, first_bin;
    uint32_t generation; /* of the watch list when `cover` was worked out */
    uint32_t cover;      /* member that is or covers it, row + 1 */
    bool is_exact;
    bool is_waiting;   /* to be published */
    uint8_t condition; /* UP, DEGRADED = partial, DOWN = gone */
    uint8_t known;     /* the last condition that was not NO_DATA */
    uint8_t published; /* the last that was told and was not NO_DATA */
    uint8_t shown;     /* the last that was told */
    bool was_up;
    struct interval since;
    struct interval published_since;
    struct utc last_seen;               /* the last observation of it */
    struct utc blind_from, blind_until; /* the last gap: what changed in it, changed unseen */
    double v;
    struct interval falling;       /* since when fewer peers carry it than the most of late */
    double v_top;                  /* ... and that most */
    uint32_t carried, usual;       /* peers, at the last change */
    struct interval left_up;       /* when v fell below 0.8 the last time */
    struct utc flaps[ROUTE_FLAPS]; /* when it left up, a ring */
    uint32_t flap_count;

    uint32_t origins[ROUTE_ORIGINS]; /* the usual ones */
    uint32_t origin;                 /* the commonest now or last */
    uint32_t upstream, upstream_before;
    struct utc upstream_changed;

    uint32_t foreign_asn; /* not 0 while a foreign origin is there; stays after it went */
    bool is_foreign;
    uint32_t foreign_peers, foreign_of; /* the most that carried it */
    struct interval foreign_began, foreign_ended;
};

struct routes {
    struct table peers, entries, prefixes, bins;
    struct index peer_index /* (collector, peer) */, prefix_index, entry_index /* (prefix, peer) */,
        bin_index;
    struct table waiting; /* uint32_t: prefix rows whose change is not published */
    struct table foreign; /* uint32_t: prefix rows that ever had a foreign origin */
    struct table changed; /* uint32_t: peer rows that were lost or came back */
    struct utc recheck;   /* when a returned peer's table should be complete */
    uint64_t capped;
};

void routes_init(struct routes *routes);
void routes_done(struct routes *routes);
void routes_save(const struct routes *routes, struct buffer *out);
bool routes_load(struct routes *routes, struct reader *in);

/* ROUTE, PEER, VISIBILITY, and GAP of a collector. */
void routes_feed(struct routes *routes, struct watch_list *watch, const struct registry *registry,
                 const struct observation *observation);
/* Time has passed. */
void routes_settle(struct routes *routes, const struct watch_list *watch,
                   const struct registry *registry, struct utc now);

uint32_t routes_find(const struct routes *routes, uint32_t prefix); /* row + 1 */
bool route_peer_is_alive(const struct route_peer *peer, struct utc now);

static inline struct route_prefix *routes_prefix(const struct routes *routes, size_t row)
{
    return table_at(&routes->prefixes, row);
}

#endif
