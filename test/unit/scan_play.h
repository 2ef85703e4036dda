/* A scan that is played: what ten peers tell, and the events that come of it.
 *
 *     struct play play = begin(0);
 *     set_up(&play);                                            // what is there before
 *     say_all(&play, HOUR, 0, PEERS, "20.0.0.0/16", NULL);      // all withdraw it
 *     end(&play, 2 * HOUR);
 *     ... event(&play, 0) ...
 *     done(&play); */
#ifndef TEST_SCAN_PLAY_H
#define TEST_SCAN_PLAY_H

#include "source/table/scan_events.h"
#include "table_maker.h"

enum { PEERS = 10, START = 1203811200 /* 2008-02-24T00:00:00Z */, HOUR = 3600 };

struct play {
    struct scan *scan;
    struct scan_events *events;
    struct scan_wish wish;
    int64_t now;        /* seconds since START */
    uint16_t collector; /* that what follows is from */
};

static inline struct play begin(unsigned min_peers)
{
    return (struct play){.scan = scan_new(&(struct scan_options){.min_peers = min_peers})};
}

static inline void tell(struct play *play, const struct element *element)
{
    scan_feed(play->scan, play->collector, element);
}

/* One peer's word; rest is the path without its own AS, NULL a withdrawal. */
static inline void say(struct play *play, int64_t at, unsigned peer, const char *prefix,
                       const char *rest)
{
    char path[128];
    play->now = at;
    snprintf(path, sizeof path, "%u %s", MADE_FIRST_ASN + peer, rest ? rest : "");
    tell(play, made_route(START + at, peer, prefix, rest ? path : NULL));
}

/* Peers from `first` to before `end`, a second after each other. */
static inline void say_all(struct play *play, int64_t at, unsigned first, unsigned end,
                           const char *prefix, const char *rest)
{
    for (unsigned peer = first; peer < end; peer++)
        say(play, at + peer - first, peer, prefix, rest);
}

/* All peers' tables: three prefixes of AS 100 behind 7, one of 200 behind 7, one of 300 behind 8. */
static inline void set_up(struct play *play)
{
    say_all(play, 0, 0, PEERS, "10.0.0.0/16", "5 7 100");
    say_all(play, 10, 0, PEERS, "10.1.0.0/16", "5 7 100");
    say_all(play, 20, 0, PEERS, "10.2.0.0/24", "5 7 100");
    say_all(play, 30, 0, PEERS, "20.0.0.0/16", "5 7 200");
    say_all(play, 40, 0, PEERS, "30.0.0.0/16", "5 8 300");
}

static inline void end(struct play *play, int64_t at)
{
    tell(play, made_tick(START + at, 0));
    scan_end(play->scan);
    play->events = scan_events_new(play->scan, &play->wish);
}

static inline void done(struct play *play)
{
    scan_events_free(play->events);
    scan_free(play->scan);
}

static inline const struct scan_event *event(const struct play *play, size_t i)
{
    assert_true(i < play->events->count);
    return &play->events->list[i];
}

static inline int64_t seconds(struct utc t)
{
    return t.ns / NS_PER_S - START;
}

static inline void assert_interval(const struct interval *at, int64_t last_before,
                                   int64_t first_after)
{
    assert_int_equal(seconds(at->last_before), last_before);
    assert_int_equal(seconds(at->first_after), first_after);
}

static inline void assert_prefix(const struct prefix *prefix, const char *expected)
{
    char text[PREFIX_TEXT_MAX];
    assert_string_equal(prefix_format(prefix, text), expected);
}

#endif
