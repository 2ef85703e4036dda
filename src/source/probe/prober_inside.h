/* Within prober*.c: the plan and what is under way.
 *
 *     prober.c          begins and ends it; asks each target in its turn
 *     prober_plan.c     what may be in a plan, and how another one takes its place
 *     prober_results.c  makes observations of what the engines answer
 *     prober_follow.c   what is asked out of turn when a target goes dark, or comes back */
#ifndef SOURCE_PROBE_PROBER_INSIDE_H
#define SOURCE_PROBE_PROBER_INSIDE_H

#include "source/probe/agenda.h"
#include "source/probe/fact_memory.h"
#include "source/probe/follow_up.h"
#include "source/probe/lateness.h"
#include "source/probe/neighbours.h"
#include "source/probe/prober.h"
#include "source/probe/question.h"

/* What the plan wants of a target beyond an answer in time. */
struct wishes {
    struct zone_settings *zone; /* NULL: none */
    char *expect_text;          /* NULL: nothing in particular */
    int16_t expect_status;
    uint8_t redirects;
    uint8_t family;
    bool all_addresses;
};

/* What is remembered of a target of which accounts are kept. */
struct recollection {
    struct fact_memory facts;
    struct probe_memory engine;
};

/* A target of the plan, asked again and again. After it has left the plan it stays until its last
 * answer. There may be a hundred thousand that are only pinged: what those do not need is not in here. */
struct asked {
    struct prober *prober;
    const struct target *target;       /* of the registry */
    struct wishes *wishes;             /* NULL: none */
    struct recollection *recollection; /* NULL: none yet */
    struct pursuit *pursuit;           /* NULL: nothing is asked out of turn */
    int64_t timeout_ns;
    int64_t step_ns;  /* between two questions: the interval, divided by the echoes a round */
    struct mono last; /* when it was asked last */
    struct agenda_entry turn; /* in the agenda but for while it is asked, and after the plan */
    struct follow follow;
    struct neighbour near;
    uint32_t id;         /* in the registry */
    uint32_t own_peer;   /* what its address is there; 0: it was not met yet */
    uint32_t address;    /* where its name last led to; 0: it has none, or was not met yet */
    uint32_t retired_at; /* in the list of those, if it is */
    unsigned outstanding;
    bool is_control;
    bool is_retired;
};

/* One question under way of which an account is kept. */
struct inquiry {
    struct asked *asked;
    struct account *account;
    int64_t late_ns;              /* when it was asked */
    uint32_t sake;                /* as in the observation: 0 if it was its turn */
    struct inquiry *next, **link; /* in the prober's list */
};

/* Traceroutes that are not in the plan, and what they found lately. */
enum { PROBER_TRACES_MAX = 1024 };

struct prober {
    struct sink sink;
    uint32_t vantage;
    uint64_t seed;
    bool at_once;
    struct agenda *agenda;
    const struct manners_options *options; /* NULL: none */
    struct manners *manners;               /* NULL if there are no options */
    struct resolver *resolver;
    struct pinger *pinger;
    struct reset_watch *resets;
    struct tcp_engine *tcp;
    struct dns_engine *dns;
    struct tls_store *store;
    struct http_engine *http;
    struct smtp_engine *smtp;
    struct trace_engine *trace;
    struct fan_engine *fan;
    struct zone_engine *zone;
    struct own_engine *own;
    struct asked **plan; /* in order of their numbers */
    size_t count;
    struct asked **retired; /* in no order */
    size_t retired_count, retired_capacity;
    struct asked **controls; /* of the plan */
    size_t control_count;
    struct neighbours near;
    struct follow_budget budget;
    struct asked *traces[PROBER_TRACES_MAX]; /* a ring */
    size_t trace_count;                      /* so many were made */
    bool can_ping;
    struct inquiry *inquiries;
    void (*tell)(void *context, const struct observation *result, const struct account *account);
    void *tell_context;
    uint64_t outstanding; /* of the plan and of those retired */
    struct prober_counters counters;
    struct lateness lateness;
    bool is_draining;
    void (*drained)(void *context);
    void *drained_context;
    struct agenda_entry drain_check;
};

/* ---- prober.c ---- */

/* The target's turn in its time table. */
void asked_on_turn(void *asked);
/* Asks it now, which was to be done at `due`; `sake` as in the observation. */
void asked_ask(struct asked *asked, struct mono due, int64_t late_ns, uint32_t sake);
const char *asked_text(const struct asked *asked);
/* Its next turn; 0: at once. */
struct mono asked_due(const struct asked *asked);
/* How long it has to wait so that we are not rude; 0: not at all, and it is counted. */
int64_t asked_manners_wait(const struct asked *asked, struct mono now);
/* Tells who waits for the last answer, if this was it. */
void prober_check_drained(void *prober);

/* ---- prober_plan.c ---- */

/* Of a plan that was checked. NULL if the registry has no room for it. */
struct asked *asked_new(struct prober *prober, const struct probe_plan *plan);
void asked_free(struct asked *asked);
/* It is not asked any more, and freed once all its answers are in. */
void asked_retire(struct asked *asked);

/* ---- prober_results.c ---- */

/* Has the answer to the question become an observation; `late_ns` is by how much it was asked too late. */
void results_expect(struct asked *asked, struct question *question, int64_t late_ns, uint32_t sake);
void inquiry_free(struct inquiry *inquiry);

/* ---- prober_follow.c ---- */

/* It is in the plan; it is not any more. */
void follow_join(struct asked *asked);
void follow_leave(struct asked *asked);
void follow_plan(struct prober *prober); /* another one is in place */
void follow_result(struct asked *asked, const struct observation *result);
void follow_done(struct prober *prober);

#endif
