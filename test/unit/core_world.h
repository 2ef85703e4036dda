/* A small scripted world for the tests of the core: hosts, name servers and services that are asked
 * at fixed times and answer as a function of the test says, and peers whose routes the test
 * announces and withdraws. Everything is put into one list, sorted by time, and fed. */
#ifndef TEST_CORE_WORLD_H
#define TEST_CORE_WORLD_H

#include "core/core.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 2022-01-19 00:00:00 UTC, a Wednesday: time 0 of every script. */
#define WORLD_BEGIN INT64_C(1642550400)

enum { WORLD_ASKS = 64, WORLD_PEERS = 5 };

struct answer {
    enum outcome outcome;
    enum stage stage;
    double rtt_ms;
};

struct world;
/* What target `ask` answers when it is asked at `t` seconds. */
typedef struct answer answer_function(struct world *world, int ask, double t);

struct ask {
    const char *vantage, *target;
    bool is_control;
    double interval, phase;
};

struct world {
    struct registry *registry;
    struct observation *list;
    size_t count, capacity;
    struct ask asks[WORLD_ASKS];
    int ask_count;
    uint64_t random;
    struct conclusions out;
};

static inline double world_random(struct world *w)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(w->random >> 11) / 9007199254740992.0;
}

static inline uint32_t world_name(struct world *w, enum name_kind kind, const char *text)
{
    uint32_t id = registry_intern(w->registry, kind, text, strlen(text));
    assert_int_not_equal(id, 0);
    return id;
}

static inline struct utc world_time(double t)
{
    return (struct utc){WORLD_BEGIN * NS_PER_S + (int64_t)llround(t * 1e9)};
}

static inline struct observation *world_add(struct world *w, double t, enum observation_kind kind)
{
    w->list = mem_grow(w->list, &w->capacity, w->count + 1, sizeof *w->list);
    struct observation *o = &w->list[w->count++];
    memset(o, 0, sizeof *o);
    o->time = world_time(t);
    o->kind = (uint8_t)kind;
    return o;
}

static inline void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->registry = registry_new();
    w->random = 42;
}

static inline void world_done(struct world *w)
{
    registry_free(w->registry);
    free(w->list);
    conclusions_done(&w->out);
}

static inline void world_subject(struct world *w, int utc_offset_s)
{
    struct observation *o = world_add(w, -60, OBSERVATION_SUBJECT);
    o->target = world_name(w, NAME_SUBJECT, "kp");
    o->value = utc_offset_s;
}

static inline void world_member(struct world *w, enum name_kind kind, const char *text)
{
    uint32_t subject = world_name(w, NAME_SUBJECT, "kp");
    struct observation *o = world_add(w, -60, OBSERVATION_MEMBER);
    o->target = world_name(w, kind, text);
    o->peer = subject;
}

/* A target of the subject, or a control, that is asked at phase + n * interval. */
static inline int world_ask(struct world *w, const char *vantage, const char *target,
                            bool is_control, double interval)
{
    int n = w->ask_count++;
    assert_true(n < WORLD_ASKS);
    w->asks[n] =
        (struct ask){vantage, target, is_control, interval, fmod(n * 0.381966 + 0.1, 1) * interval};
    return n;
}

static inline void world_probe(struct world *w, int ask, double t, struct answer answer)
{
    const struct ask *a = &w->asks[ask];
    struct observation *o = world_add(w, t, OBSERVATION_PROBE);
    o->source = world_name(w, NAME_VANTAGE, a->vantage);
    o->target = world_name(w, a->is_control ? NAME_CONTROL : NAME_TARGET, a->target);
    o->outcome = (uint8_t)answer.outcome;
    o->stage = (uint8_t)answer.stage;
    o->rtt_ns = (int64_t)(answer.rtt_ms * 1e6 * (1 + 0.03 * world_random(w)));
}

static inline void world_route(struct world *w, double t, int peer, const char *prefix,
                               const char *path)
{
    char text[64];
    snprintf(text, sizeof text, "192.0.2.%d %d", peer + 1, 64500 + peer);
    struct observation *o = world_add(w, t, OBSERVATION_ROUTE);
    o->source = world_name(w, NAME_COLLECTOR, "rrc00");
    o->peer = world_name(w, NAME_PEER, text);
    o->target = world_name(w, NAME_PREFIX, prefix);
    o->code = path ? ROUTE_ANNOUNCE : ROUTE_WITHDRAW;
    o->path = path ? world_name(w, NAME_PATH, path) : 0;
}

/* At all peers, over `spread` seconds. NULL: withdrawn. */
static inline void world_route_all(struct world *w, double t, double spread, const char *prefix,
                                   const char *tail)
{
    for (int peer = 0; peer < WORLD_PEERS; peer++) {
        char path[64];
        snprintf(path, sizeof path, "%d %s", 64500 + peer, tail ? tail : "");
        world_route(w, t + spread * peer / WORLD_PEERS, peer, prefix, tail ? path : NULL);
    }
}

static inline void world_peer(struct world *w, double t, int peer, enum peer_op op)
{
    char text[64];
    snprintf(text, sizeof text, "192.0.2.%d %d", peer + 1, 64500 + peer);
    struct observation *o = world_add(w, t, OBSERVATION_PEER);
    o->source = world_name(w, NAME_COLLECTOR, "rrc00");
    o->peer = world_name(w, NAME_PEER, text);
    o->code = (uint16_t)op;
}

static inline int world_compare(const void *a, const void *b)
{
    const struct observation *x = a, *y = b;
    if (x->time.ns != y->time.ns)
        return x->time.ns < y->time.ns ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Asks everything from `from` to `until`, then lets time pass so that all is judged; sorts. */
static inline void world_run(struct world *w, double from, double until, answer_function *answers)
{
    for (int i = 0; i < w->ask_count; i++)
        for (double t = from + w->asks[i].phase; t < until; t += w->asks[i].interval)
            world_probe(w, i, t, answers(w, i, t));
}

static inline void world_end(struct world *w, double t)
{
    world_add(w, t, OBSERVATION_TICK);
    world_add(w, t + 16, OBSERVATION_TICK);
    for (size_t i = 0; i < w->count; i++)
        w->list[i].seq = i + 1;
    qsort(w->list, w->count, sizeof *w->list, world_compare);
    for (size_t i = 0; i < w->count; i++)
        w->list[i].seq = i + 1;
}

static inline const char *world_clock(struct utc t, char buffer[UTC_TEXT_MAX])
{
    return utc_is_known(t) ? utc_format(t, buffer) : "-";
}

static inline void world_print(const struct world *w)
{
    char a[UTC_TEXT_MAX], b[UTC_TEXT_MAX], c[UTC_TEXT_MAX];
    for (size_t i = 0; i < w->out.count; i++) {
        const struct conclusion *k = &w->out.list[i];
        printf("%s ", world_clock(k->time, c));
        switch (k->kind) {
        case CONCLUSION_EVENT:
            printf("event %u inc %u %s %s %s->%s [%s, %s] %s size %.2f\n", k->event.id,
                   k->event.incident, registry_text(w->registry, k->event.target),
                   layer_name(k->event.layer), condition_name(k->event.from),
                   condition_name(k->event.to), world_clock(k->event.at.last_before, a),
                   world_clock(k->event.at.first_after, b), outcome_name(k->event.outcome),
                   k->event.size);
            break;
        case CONCLUSION_INCIDENT:
            printf("incident %u.%u open %d episodes %u first %s depth %.2f [%s, %s] ended %s\n",
                   k->incident.id, k->incident.revision, k->incident.is_open, k->incident.episodes,
                   k->incident.first_layer == LAYER_COUNT ? "?"
                                                          : layer_name(k->incident.first_layer),
                   k->incident.depth, world_clock(k->incident.began.last_before, a),
                   world_clock(k->incident.began.first_after, b),
                   world_clock(k->incident.ended.first_after, c));
            break;
        case CONCLUSION_EPISODE:
            printf("episode %u of %u open %d depth %.2f\n", k->episode.number, k->episode.incident,
                   k->episode.is_open, k->episode.depth);
            break;
        case CONCLUSION_VERDICT:
            printf("verdict %u.%u call %s:", k->verdict->incident, k->verdict->revision,
                   k->verdict->call == CAUSE_COUNT ? "none" : cause_name(k->verdict->call));
            for (int n = 0; n < 3; n++)
                printf(" %s %.2f", cause_name(k->verdict->order[n]),
                       k->verdict->posterior[k->verdict->order[n]]);
            printf("\n");
            for (int n = 0; n < EVIDENCE_COUNT; n++) {
                const struct finding *f = &k->verdict->evidence[n].finding;
                if (f->truth)
                    printf("      %c %s %u/%u a %g b %g\n", f->truth == TRUTH_PRESENT ? '+' : '-',
                           evidence_name((enum evidence_kind)n), f->n, f->m, f->a, f->b);
            }
            break;
        case CONCLUSION_NOTICE:
            printf("notice %u %s open %d %s %u/%u\n", k->notice.id,
                   notice_kind_name(k->notice.kind), k->notice.is_open,
                   registry_text(w->registry, k->notice.source), k->notice.n, k->notice.m);
            break;
        case CONCLUSION_SERIES:
            printf("series %s %s %s counted %d\n", registry_text(w->registry, k->series.source),
                   registry_text(w->registry, k->series.target),
                   condition_name(k->series.condition), k->series.is_counted);
            break;
        }
    }
}

static inline void world_feed(struct world *w)
{
    struct core *core = core_new(w->registry);
    conclusions_clear(&w->out);
    for (size_t i = 0; i < w->count; i++)
        core_feed(core, &w->list[i], &w->out);
    assert_int_equal(core_counters(core).late, 0);
    assert_int_equal(core_counters(core).capped, 0);
    core_free(core);
    if (getenv("CORE_TEST_PRINT"))
        world_print(w);
}

static inline size_t world_count(const struct world *w, enum conclusion_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < w->out.count; i++)
        n += w->out.list[i].kind == kind;
    return n;
}

static inline size_t world_notices(const struct world *w, enum notice_kind kind, bool is_open)
{
    size_t n = 0;
    for (size_t i = 0; i < w->out.count; i++)
        n += w->out.list[i].kind == CONCLUSION_NOTICE &&
             w->out.list[i].notice.kind == (uint8_t)kind &&
             w->out.list[i].notice.is_open == is_open;
    return n;
}

/* The newest revision of an incident, NULL if there is none. */
static inline const struct incident *world_incident(const struct world *w, uint32_t id)
{
    const struct incident *found = NULL;
    for (size_t i = 0; i < w->out.count; i++)
        if (w->out.list[i].kind == CONCLUSION_INCIDENT && w->out.list[i].incident.id == id)
            found = &w->out.list[i].incident;
    return found;
}

static inline uint32_t world_incidents(const struct world *w)
{
    uint32_t most = 0;
    for (size_t i = 0; i < w->out.count; i++)
        if (w->out.list[i].kind == CONCLUSION_INCIDENT && w->out.list[i].incident.id > most)
            most = w->out.list[i].incident.id;
    return most;
}

static inline const struct verdict *world_verdict(const struct world *w, uint32_t id)
{
    const struct verdict *found = NULL;
    for (size_t i = 0; i < w->out.count; i++)
        if (w->out.list[i].kind == CONCLUSION_VERDICT && w->out.list[i].verdict->incident == id)
            found = w->out.list[i].verdict;
    return found;
}

static inline const struct finding *world_finding(const struct world *w, uint32_t id,
                                                  enum evidence_kind kind)
{
    const struct verdict *verdict = world_verdict(w, id);
    assert_non_null(verdict);
    return &verdict->evidence[kind].finding;
}

#endif
