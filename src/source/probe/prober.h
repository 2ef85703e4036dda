/* Active probing: asks every target at its interval, from one thread, without ever waiting for one.
 * Results go to the sink as PROBE observations; the time of each is when it was sent. */
#ifndef SOURCE_PROBE_PROBER_H
#define SOURCE_PROBE_PROBER_H

#include "model/observation.h"
#include "model/registry.h"
#include "sys/loop.h"

struct probe_plan {
    const char *target; /* as in model/target.h; copied */
    bool is_control;
    int64_t interval_ns;
    int64_t timeout_ns; /* <= interval */
    unsigned count;     /* icmp: echo requests a round, spread over the round */
    int expect_status;  /* http: 0 = any 2xx or 3xx */
};

struct prober_options {
    const char *vantage;
    const char *user_agent;
    uint64_t seed; /* phases of the targets within their interval */
};

struct prober;

/* Opens what is needed (ICMP sockets, the HTTP engine). If ICMP is not permitted, `why` says so and how
 * to cure it, everything else works, and icmp targets yield OUTCOME_SELF. */
struct prober *prober_new(struct loop *loop, const struct prober_options *options,
                          const struct sink *sink, struct why *why);

/* Replaces the plan: targets that are in both go on undisturbed; new ones begin within their interval. */
enum err prober_set_plan(struct prober *prober, const struct probe_plan *plan, size_t count,
                         struct why *why);

/* Stops sending; calls done() when the last answer or timeout is in. */
void prober_drain(struct prober *prober, void (*done)(void *context), void *context);
void prober_free(struct prober *prober);

/* Kinds that can be probed. */
bool prober_can(enum target_kind kind);

#endif
