/* What became of each member of a subject, as far as incidents need it: the last condition that was
 * known (no data changes nothing), and the measures of the current episode. One row for each row of
 * the watch list's members. */
#ifndef CORE_INCIDENT_TRACKS_H
#define CORE_INCIDENT_TRACKS_H

#include "core/sight.h"
#include "core/watch.h"

/* What was ever seen of it in the episode. */
enum {
    TRACK_FAILED = 1 << 0,        /* was down (a prefix: gone) */
    TRACK_DEGRADED = 1 << 1,      /* was degraded, partial or announced by a foreign origin */
    TRACK_HOST_ANSWERED = 1 << 2, /* while it was down, something else on its host answered */
    TRACK_HOST_PINGED = 1 << 3,   /* ... ping did */
    TRACK_HOST_UNREACHABLE = 1 << 4,
    TRACK_NO_ROUTE = 1 << 5,
    TRACK_PROHIBITED = 1 << 6,
    TRACK_TIMEOUT = 1 << 7,
    TRACK_ERROR = 1 << 8, /* the service or its host said no, or answered with an error */
    TRACK_EXPIRED = 1 << 9,
    TRACK_SAID_SO = 1 << 10, /* 503 with Retry-After */
    TRACK_WRONG = 1 << 11,   /* a name server that answered wrongly */
    TRACK_FOREIGN = 1 << 12,
    TRACK_UNRESOLVED = 1 << 13, /* a service: it failed because its name could not be looked up */
    TRACK_REFUSED = 1 << 14,    /* the connection was refused or reset; TRACK_ERROR as well */
    TRACK_UNCONNECTED = 1 << 15 /* no connection came about; TRACK_TIMEOUT as well */
};

struct track {
    uint64_t failed_in; /* one bit for each case slot whose domains it belongs to */
    uint32_t slot;      /* the case that it is part of, slot + 1; 0 for none */
    uint32_t flags;     /* of the episode */
    uint8_t condition;  /* the last that was known */
    bool has_data;      /* now */
    bool is_held;       /* fails, and waits to be assigned */
    struct interval since;
    struct utc noticed;                /* when the condition was told to us */
    struct interval degraded, down;    /* first onsets of the episode */
    struct interval down_last;         /* the latest */
    struct interval up_first, up_last; /* returns */
    uint32_t relapses;
    uint32_t flaps_before; /* a prefix's flap_count when the episode began */
    double loss;           /* a prefix: largest share of peers without it */
    /* A prefix: the foreign origin that most peers carried, from its first appearance to its last
     * end. */
    uint32_t foreign_asn, foreign_prefix, foreign_peers, foreign_of;
    struct interval foreign_began, foreign_ended;
    struct sight sight; /* the newest */
};

static inline bool track_is_failing(const struct track *track)
{
    return track->condition == CONDITION_DOWN || track->condition == CONDITION_DEGRADED;
}

/* Takes a new sight. `returned`: when something else of its case came back last, 0 if nothing has.
 * What is said of a target that failed before that is no word on how it failed: routers and hosts
 * come back before what lies behind them, and speak of it. True if the condition changed. */
bool track_see(struct track *track, const struct member *member, const struct sight *sight,
               struct utc returned);

/* A new episode: forgets the measures of the one before. */
void track_begin_episode(struct track *track);

/* Notes what failed alone on a host that lives: to be called after track_see() for all members of
 * the subject. `tracks` are rows of the watch list's members; `hosts` is room for one row a domain.
 */
struct host_state {
    int64_t answered_ns, pinged_ns; /* the last good answer of anything there that did not fail */
};
void tracks_compare_hosts(const struct watch_list *watch, struct table *tracks, uint32_t subject,
                          struct table *hosts);

static inline struct track *track_at(const struct table *tracks, size_t row)
{
    return table_at(tracks, row);
}

#endif
