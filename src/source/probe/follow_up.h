/* What is asked out of turn when a target goes dark and when it comes back, so that both moments are known
 * to within seconds however seldom it is asked. Here is what to ask, and when; there is no clock and no
 * socket. prober_follow.c does it.
 *
 * A target that had answered and gives a bad answer is asked again every 2 s for FOLLOW_QUICK times, and then
 * after 4, 8, 16 ... s, until the pause is as long as its own interval; one that is back is asked again, too, for
 * some steps. That is how Trinocular (Quan, Heidemann, Pradkin, SIGCOMM 2013) asks: up to 15 probes while
 * it is not sure, then with ever longer pauses while a block is down. Its return is then known to within as
 * long again as it was gone. No two questions are closer than FOLLOW_LEAST_NS: losses are hardly independent
 * within less (Bolot, SIGCOMM 1993; Yajnik et al., INFOCOM 1999), and core/detect/series.h trusts them less still.
 *
 * At the first bad answer, and whenever the target is asked again, its neighbours and the controls are asked,
 * too: that tells "this host alone" from "all of it" and "it is us", and dates what fails or comes back
 * after it. Two bad answers in a row, as in Hubble (Katz-Bassett et al., NSDI 2008), are worth a traceroute. The
 * same goes for the return. Answers of class OURS say nothing.
 *
 * Nobody is asked out of turn more than FOLLOW_BURST times at once and once an interval in the long run, so
 * that following doubles at most what a target is asked; and there is a budget for all. Of both the last half
 * is kept for what a target is asked on its own account. What they do not allow is not made up for. */
#ifndef SOURCE_PROBE_FOLLOW_UP_H
#define SOURCE_PROBE_FOLLOW_UP_H

#include "base/utc.h"
#include "model/model.h"

/* What a target that is asked every minute takes to go dark (14) and to come back (4), and some more. */
enum { FOLLOW_QUICK = 10, FOLLOW_RETURN_STEPS = 4, FOLLOW_BURST = 20 };
enum { FOLLOW_NEIGHBOURS = 8 }; /* asked at once */
#define FOLLOW_LEAST_NS NS_PER_S

/* A traceroute towards a dark target sends some twenty packets (trace.h), a look at a zone about as many. No
 * address is traced more often than a target that goes and comes back twice, and after that once in a quarter of
 * an hour. */
enum { FOLLOW_HEAVY_COST = 20, FOLLOW_TRACE_BURST = 4 };
#define FOLLOW_TRACE_STEP_NS (15 * NS_PER_MINUTE)

/* A share of all that may be asked in a second, and so many seconds of it at once; but at least what
 * two traceroutes take beside what is kept for the targets themselves. */
#define FOLLOW_SHARE 0.1
enum { FOLLOW_BURST_S = 10, FOLLOW_BURST_LEAST = 4 * FOLLOW_HEAVY_COST };

/* Of one target. Zeroed: it was not asked yet. */
struct follow {
    struct mono spent; /* its allowance: as many steps after now as questions are not made up for */
    bool was_good;
    bool is_bad;      /* by the last answer */
    bool is_dark;     /* by the last two that said the same */
    bool wants_trace; /* and had none since */
    uint8_t alike;    /* answers in a row that say the same */
    uint8_t step;     /* questions out of turn since it turned */
};

enum { FOLLOW_AGAIN = 1, FOLLOW_OTHERS = 2, FOLLOW_STOP = 4 };

/* What an answer calls for: AGAIN: questions to the target, from the first step on; OTHERS: its
 * neighbours and the controls; STOP: there is nothing more to ask. */
unsigned follow_answered(struct follow *follow, enum outcome_class outcome);

/* How long until the next question out of turn, of a target that is asked every `step_ns`; 0: none is. */
int64_t follow_pause_ns(const struct follow *follow, int64_t step_ns);

/* Of all targets together. */
struct follow_budget {
    double rate; /* a second; 0: nothing is followed */
    struct mono spent;
};

enum follow_need { FOLLOW_FIRST, FOLLOW_MORE }; /* of all there is; leaving half of it */

/* What one target, or the traceroutes of an address, may have: so many at once, one more each step. */
struct follow_allowance {
    int64_t step_ns;
    unsigned burst;
};
struct follow_allowance follow_allowance_of(int64_t step_ns, enum follow_need need);
struct follow_allowance follow_allowance_of_traces(void);

bool follow_may(const struct follow_budget *budget, const struct follow *follow,
                const struct follow_allowance *allowance, unsigned cost, enum follow_need need,
                struct mono now);
void follow_spend(struct follow_budget *budget, struct follow *follow,
                  const struct follow_allowance *allowance, unsigned cost, struct mono now);

#endif
