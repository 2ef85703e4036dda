/* Active probing: asks every target at its interval, from one thread, without ever waiting for one.
 * Results go to the sink as PROBE observations; the time of each is when it was sent. What was learnt of
 * the target and seldom changes (model/facts.def) goes with them, as a member "facts" in `extra`. */
#ifndef SOURCE_PROBE_PROBER_H
#define SOURCE_PROBE_PROBER_H

#include "model/observation.h"
#include "model/registry.h"
#include "source/probe/account.h"
#include "source/probe/manners.h"
#include "source/probe/origin_finder.h"
#include "source/probe/probe_sockets.h"
#include "source/zone/zone_settings.h"
#include "sys/loop.h"

struct probe_plan {
    const char *target; /* as in model/target.h; copied */
    bool is_control;
    int64_t interval_ns;
    int64_t timeout_ns; /* <= interval */
    unsigned count;     /* icmp: echo requests a round, spread over the round */
    int expect_status;  /* http: 0 = any 2xx or 3xx */
    /* http: what the page must contain, byte for byte; copied; NULL = nothing in particular */
    const char *expect_text;
    unsigned redirects; /* http: so many are followed, PROBER_REDIRECTS_MAX at most */
    uint8_t family;     /* 4 or 6: of the addresses of a name, only those of this family; 0: all */
    bool all_addresses; /* each address of a name is asked, and not just one */
    const struct zone_settings *zone; /* zone: how it is looked at; copied; NULL: as all are */
};

struct prober_options {
    const char *vantage;
    const char *user_agent; /* in HTTP requests and in pings; NULL: name and version */
    uint64_t seed; /* when in its interval each target is asked, and by how much that varies */
    bool at_once;  /* a new target is asked as soon as it is in the plan, and then regularly */
    struct origin_finder
        origins; /* of which AS addresses are, for traces; find NULL: nobody knows */
    const struct manners_options *manners; /* as for prober_set_manners(); NULL: none */
    struct probe_sockets *sockets; /* taken over, so that it is empty then; NULL: opens its own */
    /* Called with each result and the whole account of it, before the sink is; NULL: nobody wants
     * the steps and the facts that are not kept. */
    void (*tell)(void *context, const struct observation *result, const struct account *account);
    void *tell_context;
};

struct prober;

enum {
    PROBER_TARGETS_MAX = 100 * 1000,
    PROBER_CLOCKS_MAX = 8,    /* NTP servers */
    PROBER_TEXT_MAX = 200,    /* bytes of expect_text */
    PROBER_REDIRECTS_MAX = 10 /* as many as browsers have been known to bear; RFC 9110, 15.4 */
};

/* If ICMP is not permitted, `why` says so and how to cure it (else why->err is ERR_OK), everything
 * else works, and icmp targets yield OUTCOME_SELF. */
struct prober *prober_new(struct loop *loop, const struct prober_options *options,
                          const struct sink *sink, struct why *why);

/* Whether this could be in a plan: the target can be read and probed, the times fit. ERR_INPUT,
 * ERR_CONFIG or ERR_UNSUPPORTED with the reason. */
enum err prober_check(const struct probe_plan *plan, struct why *why);

/* Replaces the plan: targets that are in both go on undisturbed; new ones begin within their
 * interval. A target that is there twice is asked once. On failure `why` names the target, and the
 * old plan goes on. */
enum err prober_set_plan(struct prober *prober, const struct probe_plan *plan, size_t count,
                         struct why *why);

/* Whom not to ask, and how fast to ask, from now on. Not owned: must live until the next call or the end.
 * A plan that names an address that is excluded is refused; the plan that goes on is not looked at
 * again, so that it is set anew after this. */
void prober_set_manners(struct prober *prober, const struct manners_options *options);

/* For others who ask, too: what goes out is counted together. NULL: none. */
struct manners *prober_manners(const struct prober *prober);
struct pinger *prober_pinger(const struct prober *prober);

/* The NTP servers by which self:clock tells how wrong our clock is; copied. None: by the system's word. */
void prober_set_clocks(struct prober *prober, const char *const *servers, size_t count);

/* Whether the target is asked by ICMP, so that it needs what prober_new() may have been denied. */
bool prober_pings(const char *target);

/* Stops sending; calls done() when the last answer or timeout is in. */
void prober_drain(struct prober *prober, void (*done)(void *context), void *context);
void prober_free(struct prober *prober);

/* What bears on the quality of the measurement, since the start. */
struct prober_counters {
    uint64_t asked, answered;
    uint64_t missed;    /* turns that were left out, since the loop stood still */
    uint64_t sent_late; /* by more than AGENDA_STALL_NS; silence on these is LATE */
    /* After when the time table had them: 99 of 100 were sent within that, and the worst. */
    int64_t late_p99_ns, late_worst_ns;
    uint64_t held;           /* turns that had to wait, since more would not have been polite */
    uint64_t followed;       /* questions out of turn, since something went dark or came back */
    uint64_t traced;         /* of these, traceroutes */
    uint64_t follow_refused; /* that would have been worth it, beyond what is allowed */
    uint64_t unnamed;        /* results dropped: the registry is full */
    /* Packets that did not count as replies. */
    uint64_t echo_late, echo_duplicate, echo_foreign, echo_bad;
    uint64_t echo_overflow; /* packets that we were too slow to read */
    uint64_t http_queued;   /* had to wait for others */
    uint64_t http_refused;  /* could not even wait: SELF */
};
struct prober_counters prober_counters(const struct prober *prober);

#endif
