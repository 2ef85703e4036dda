/* Scenarios: a small world in virtual time, what goes wrong in it and when, and what lastlight must
 * make of it. The harness turns the world into observations, feeds them to the core as the pipeline
 * would, and holds the conclusions against the expectations. What is concluded and not expected
 * fails as well.
 *
 * The language is described in README.md beside this file. */
#ifndef TEST_SCENARIO_SCENARIO_H
#define TEST_SCENARIO_SCENARIO_H

#include "base/buffer.h"
#include "base/mem.h"
#include "base/utc.h"
#include "model/conclusion.h"
#include "model/observation.h"
#include "model/registry.h"
#include "model/subject.h"

enum thing_kind {
    THING_VANTAGE = 1,
    THING_CONTROL, /* belongs to a vantage */
    THING_COLLECTOR,
    THING_PEER, /* the peers of a collector follow it directly */
    THING_SUBJECT,
    THING_HOST,
    THING_SERVICE,
    THING_PREFIX,
    THING_GROUP
};

/* Things refer to one another by index in world.things; 0 is none. */
struct thing {
    enum thing_kind kind;
    const char *name;
    const char *text; /* host, service, control: the target; prefix: its path; subject: its title */
    uint32_t owner;   /* control: vantage; peer: collector; host, prefix: subject (foreign: 0);
                         service: host */
    uint32_t count;   /* collector: peers; group: members */
    const uint32_t *members; /* of a group */
    struct addr addr;        /* of a host; peer */
    struct prefix prefix;
    uint32_t asn; /* of a peer */
    int64_t every_ns;
    int64_t rtt_ns;
    struct utc expires; /* of a service's certificate; 0 none */
    int utc_offset_s;
};

enum change_kind {
    CHANGE_LOSS = 1,
    CHANGE_RTT_FACTOR,
    CHANGE_RTT_ADD, /* value in ns */
    CHANGE_OUTCOME,
    CHANGE_WITHDRAW,
    CHANGE_ANNOUNCE,
    CHANGE_LOST,
    CHANGE_BACK,
    CHANGE_GAP, /* value: how long, ns */
    CHANGE_SILENT
};

/* One thing changes at one time. The list is in order of time for each thing. */
struct change {
    struct utc at;
    int64_t over_ns;
    enum change_kind kind;
    uint32_t thing;
    uint32_t vantage; /* only seen from there; 0 from all */
    double value;
    double reach; /* share of the peers, 0 to 1 */
    const char *path;
    enum outcome outcome;
    enum stage stage; /* STAGE_NONE: what is usual for target and outcome */
    uint16_t status;
};

struct span {
    struct utc from, to;
};

enum expect_kind {
    EXPECT_NO_INCIDENT = 1,
    EXPECT_INCIDENT,
    EXPECT_EPISODES,
    EXPECT_DEPTH,
    EXPECT_EXTENT,
    EXPECT_FIRST_LAYER,
    EXPECT_CONFIDENCE,
    EXPECT_LEADING,
    EXPECT_NOT_LEADING,
    EXPECT_IN_SET,
    EXPECT_NOT_IN_SET,
    EXPECT_CALL,
    EXPECT_NEVER_CALL,
    EXPECT_EVIDENCE,
    EXPECT_NOTICE,
    EXPECT_EVENTS
};

struct expectation {
    enum expect_kind kind;
    int line;
    const char *said;  /* the line, for the report of a failure */
    const char *name;  /* subject; source of a notice */
    struct span began; /* 0: not asked */
    struct span ended;
    struct utc began_at, ended_at; /* must lie in the interval; 0: not asked */
    bool is_open;
    bool is_optional; /* of a notice: may be there or not */
    double low, high; /* of a range; n and m of "N of M"; -1: not asked */
    unsigned set;     /* bits: causes, layers (bit LAYER_COUNT: unresolved), truths, confidence */
    int what;         /* evidence or notice kind, layer, cause (CAUSE_COUNT: none) */
};

struct world {
    const char *file;
    const char *title;
    bool is_reconstruction;
    bool is_followed; /* what goes dark or comes back is asked out of turn; not said in the file */
    bool has_truth;   /* `truth` is the cause of all that goes wrong in it */
    enum cause truth;
    double noise_loss, noise_rtt;
    struct thing *things; /* from 1 */
    size_t thing_count, thing_capacity;
    struct member_spec *members; /* of all subjects; owner[i] is the subject of members[i] */
    uint32_t *member_owner;
    size_t member_count, member_capacity, owner_capacity;
    struct change *changes;
    size_t change_count, change_capacity;
    struct span *watches;
    size_t watch_count, watch_capacity;
    struct expectation *expectations;
    size_t expectation_count, expectation_capacity;
    struct arena arena;
};

/* Reads a scenario. On failure `why` names FILE:LINE, what was found and what was expected. */
enum err world_read(const char *path, struct world *out, struct why *why);
void world_done(struct world *world);

/* The description of the index'th subject, from 0. False if there is none. */
bool world_subject(const struct world *world, uint32_t index, struct arena *arena,
                   struct subject_spec *out);

/* Everything that would be seen in this world, in order of time. The same seed gives the same. */
struct observations {
    struct observation *list;
    size_t count, capacity;
};
void world_play(const struct world *world, uint64_t seed, struct registry *registry,
                struct observations *out);
/* The same as it may arrive: probes and routes late by up to `late_ns`, each by its own while. */
void observations_delay(struct observations *observations, int64_t late_ns, uint64_t seed);

struct call {
    struct utc time;
    uint32_t incident;
    uint8_t cause; /* CAUSE_COUNT: none */
    double share;  /* of the most probable cause */
};

/* What the core made of it: the last state of each thing it concluded. */
struct outcome_set {
    struct incident *incidents;
    size_t incident_count, incident_capacity;
    struct verdict *verdicts; /* the last one of each incident */
    size_t verdict_count, verdict_capacity;
    struct notice *notices;
    size_t notice_count, notice_capacity;
    uint32_t *called; /* bits of the causes that were ever called, beside incidents */
    size_t called_capacity;
    struct event *events;
    size_t event_count, event_capacity;
    struct call *calls; /* each time that the verdict on an incident calls something else */
    size_t call_count, call_capacity;
    const char *broken; /* an invariant that did not hold, or NULL */
};
void outcome_add(struct outcome_set *set, const struct conclusion *conclusion);
void outcome_done(struct outcome_set *set);
/* In words, for people and for comparison. */
void outcome_print(const struct outcome_set *set, const struct registry *registry,
                   struct buffer *out);

/* Reports what is not as expected, a line each; returns how many lines that were. */
int world_judge(const struct world *world, const struct outcome_set *set,
                const struct registry *registry, struct buffer *report);

#endif
