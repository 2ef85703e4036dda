/* What the core concludes, as values: events, incidents with their episodes, verdicts with their
 * evidence, notices about the observer. The core emits them in order; the journal appends them; nothing
 * is overwritten. A later revision of the same incident has the same id and a higher revision. */
#ifndef MODEL_CONCLUSION_H
#define MODEL_CONCLUSION_H

#include "base/mem.h"
#include "base/utc.h"
#include "model/model.h"

#include <stdbool.h>
#include <stdint.h>

/* No data is a value of its own: never zero, never "down". */
enum condition { CONDITION_NO_DATA, CONDITION_UP, CONDITION_DEGRADED, CONDITION_DOWN };
const char *condition_name(enum condition condition); /* "no data", "up", "degraded", "down" */

/* One series changed. A series is (vantage, target), or (0, prefix) for routes. Degradation of a series
 * that still answers is an event of LAYER_PATH; reachability one of the target's own layer. */
struct event {
    uint32_t id;       /* 1, 2, ... */
    uint32_t incident; /* 0 if it belongs to none (yet) */
    uint32_t subject;
    uint32_t source; /* vantage; 0 for routes */
    uint32_t target; /* target or prefix */
    uint8_t layer;   /* enum layer */
    uint8_t from;    /* enum condition */
    uint8_t to;
    uint8_t outcome; /* the commonest bad outcome of the change, OUTCOME_NONE for routes */
    uint8_t stage;
    uint8_t spare[3];
    struct interval at; /* [last of the old condition, first of the new] */
    double size;        /* down/degraded: share lost, 0 to 1; RTT changes: ratio to the baseline */
    double certainty;   /* belief in the new condition, 0 to 1 */
};

/* N of M: how much of a layer is affected, counted in independent failure domains (hosts, prefixes,
 * name servers; science.md and design 3), at the worst moment so far. */
struct extent {
    uint16_t watched;  /* M: domains with data */
    uint16_t down;     /* N: of those, down at the worst moment */
    uint16_t degraded; /* of those, degraded but not down, at the worst moment */
    uint16_t spare;
};

/* What happened to one layer of the subject. */
struct layer_history {
    struct extent extent;
    struct extent
        whole; /* of that: whole networks and zones, and not single hosts and name servers */
    struct interval degraded; /* when the first series degraded; 0 if none did */
    struct interval down;     /* when the first series of the layer went down */
    struct interval all_down; /* when the last of those that went down did */
    struct interval first_up; /* when the first came back */
    struct interval all_up;   /* when the last did; 0 while something is still down */
};

struct episode {
    uint32_t incident;
    uint16_t number; /* 1, 2, ... */
    uint16_t is_open;
    struct interval began;
    struct interval ended;
    double depth; /* the largest share of the subject's domains that was down, 0 to 1 */
};

struct incident {
    uint32_t id; /* 1, 2, ... */
    uint32_t revision;
    uint32_t subject;
    uint16_t episodes; /* how many so far */
    uint8_t is_open;
    uint8_t first_layer; /* enum layer that failed or degraded first, LAYER_COUNT: not resolvable */
    uint32_t first_target; /* the series that did */
    uint32_t vantages;     /* how many vantages had data and a vote */
    struct utc judged;     /* the time in the data at which this revision was made */
    struct interval began;
    struct interval ended;
    double depth;
    struct layer_history layers[LAYER_COUNT];
};

/* A finding: what was looked for, whether it is there, and the figures that its sentence is made with.
 * Meanings of a, b, n, m, name and the intervals stand beside each row of evidence.def. */
enum truth { TRUTH_UNKNOWN /* no data, or intervals overlap */, TRUTH_ABSENT, TRUTH_PRESENT };
struct finding {
    uint8_t kind;  /* enum evidence_kind */
    uint8_t truth; /* enum truth */
    uint8_t layer;
    uint8_t spare;
    uint32_t name; /* a number of the registry */
    uint32_t n, m; /* n of m */
    double a, b;
    struct interval first, second;
};

enum confidence { CONFIDENCE_LOW, CONFIDENCE_MODERATE, CONFIDENCE_HIGH };
const char *confidence_name(enum confidence confidence);

/* The weight of one finding for each cause, in nats: log P(finding | cause) less the log of its mean
 * over all causes by prior; after tempering and capping. 0 where the finding is unknown. */
struct evidence {
    struct finding finding;
    float weight[CAUSE_COUNT];
};

enum { SETTLING_MAX = 3 };

struct verdict {
    uint32_t incident;
    uint32_t revision; /* of the incident */
    uint16_t rules;    /* version of the rules: RULES_VERSION */
    uint8_t is_provisional;
    uint8_t call;       /* enum cause; CAUSE_COUNT for "no call", also if CAUSE_UNKNOWN leads */
    uint8_t confidence; /* in the data, enum confidence: never mixed with likelihood */
    uint8_t set_size;   /* the first set_size of `order` hold 80 % */
    uint8_t order[CAUSE_COUNT]; /* causes by probability, highest first */
    /* Unknown findings that would best tell the two leading causes apart, best first (enum evidence_kind;
     * EVIDENCE_COUNT: no more). */
    uint8_t settling[SETTLING_MAX];
    double posterior[CAUSE_COUNT];
    struct utc judged;
    struct evidence evidence[EVIDENCE_COUNT]; /* one row for each kind, in the table's order */
};

/* About the observer or a source, not about the subject. */
enum notice_kind {
    NOTICE_VANTAGE_UNWELL = 1, /* its controls fail: its data are no data */
    NOTICE_SOURCE_GAP,         /* a source was blind for a while */
    NOTICE_PEER_LOST,          /* a collector lost a peer: its routes are not counted */
    NOTICE_SERIES_SILENT,      /* a target is no longer asked */
    NOTICE_OWN_FAULT,          /* a check of the vantage's own health fails */
    NOTICE_KIND_END
};
const char *notice_kind_name(enum notice_kind kind);
struct notice {
    uint32_t id;
    uint32_t source; /* vantage or collector */
    uint32_t target; /* peer, target or own check; 0 if none */
    uint8_t kind;    /* enum notice_kind */
    uint8_t is_open;
    uint16_t n, m; /* controls that failed, of those watched */
    uint16_t spare[3];
    struct interval began;
    struct interval ended;
};

/* The current state of one series, for `status`: a later one replaces an earlier one of the same
 * (source, target). Emitted when the condition or the vote changes, not for every observation. */
struct series_state {
    uint32_t source;
    uint32_t target;
    uint32_t subject;
    uint8_t layer;
    uint8_t condition;
    uint8_t outcome;    /* of the last observation */
    uint8_t is_counted; /* 0: its vantage has no vote */
    uint8_t was_up;     /* 1: it was up at least once since it is watched; else it has no outage */
    uint8_t spare[3];
    struct interval since;
    double belief;      /* that it is up */
    double loss;        /* share of probes lost lately, 0 to 1; routes: share of peers without it */
    double rtt_ns;      /* median lately, 0 if none */
    double rtt_base_ns; /* the usual */
};

enum conclusion_kind {
    CONCLUSION_EVENT = 1,
    CONCLUSION_INCIDENT,
    CONCLUSION_EPISODE,
    CONCLUSION_VERDICT,
    CONCLUSION_NOTICE,
    CONCLUSION_SERIES
};

struct conclusion {
    enum conclusion_kind kind;
    struct utc time; /* in the data, when it was concluded */
    union {
        struct event event;
        struct incident incident;
        struct episode episode;
        const struct verdict *verdict; /* owned by the list's arena: it is large */
        struct notice notice;
        struct series_state series;
    };
};

/* A growing list of conclusions; a zeroed struct is an empty list. */
struct conclusions {
    struct conclusion *list;
    size_t count;
    size_t capacity;
    struct arena arena;
};
struct conclusion *conclusions_add(struct conclusions *conclusions, enum conclusion_kind kind,
                                   struct utc time);
void conclusions_add_verdict(struct conclusions *conclusions, struct utc time,
                             const struct verdict *verdict); /* copied */
void conclusions_clear(struct conclusions *conclusions);
void conclusions_done(struct conclusions *conclusions);

#endif
