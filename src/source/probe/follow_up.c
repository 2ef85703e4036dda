#include "source/probe/follow_up.h"

/* Two answers that say the same are no chance loss, and no chance answer. */
enum { CONFIRMED = 2, STEPS_MAX = 40 };
#define QUICK_NS (2 * NS_PER_S)

unsigned follow_answered(struct follow *follow, enum outcome_class outcome)
{
    bool is_bad = outcome == OUTCOME_CLASS_BAD;
    if (outcome == OUTCOME_CLASS_OURS || (is_bad && !follow->was_good))
        return 0;
    bool has_turned = is_bad != follow->is_bad;
    follow->was_good |= !is_bad;
    follow->is_bad = is_bad;
    follow->alike = (uint8_t)(has_turned ? 1 : follow->alike + (follow->alike < CONFIRMED));
    if (follow->alike == CONFIRMED && is_bad != follow->is_dark) {
        follow->is_dark = is_bad;
        follow->wants_trace = true;
        return FOLLOW_OTHERS;
    }
    if (!has_turned)
        return 0;
    follow->step = 0;
    follow->wants_trace = false;
    /* One that was lost and is there again was a chance. */
    return is_bad || follow->is_dark ? FOLLOW_AGAIN | FOLLOW_OTHERS : FOLLOW_STOP;
}

int64_t follow_pause_ns(const struct follow *follow, int64_t step_ns)
{
    unsigned most = follow->is_bad ? STEPS_MAX : FOLLOW_RETURN_STEPS;
    if (follow->step >= most)
        return 0;
    unsigned doublings = follow->step < FOLLOW_QUICK ? 0 : follow->step - FOLLOW_QUICK + 1;
    int64_t pause_ns = QUICK_NS << doublings;
    return pause_ns < step_ns ? pause_ns : 0;
}

struct follow_allowance follow_allowance_of(int64_t step_ns, enum follow_need need)
{
    return (struct follow_allowance){step_ns,
                                     need == FOLLOW_FIRST ? FOLLOW_BURST : FOLLOW_BURST / 2};
}

struct follow_allowance follow_allowance_of_traces(void)
{
    return (struct follow_allowance){FOLLOW_TRACE_STEP_NS, FOLLOW_TRACE_BURST};
}

/* The generic cell rate algorithm (ITU-T I.371), as in manners.c: `spent` runs ahead of the time by what
 * was used and is not made up for yet. */
static int64_t ahead_ns(struct mono spent, struct mono now)
{
    return spent.ns > now.ns ? spent.ns - now.ns : 0;
}

static void advance(struct mono *spent, int64_t by_ns, struct mono now)
{
    spent->ns = now.ns + ahead_ns(*spent, now) + by_ns;
}

/* So many may go at once: enough for a trace to the target and back, however low the rate is. */
static unsigned most_at_once(const struct follow_budget *budget)
{
    double most = budget->rate * FOLLOW_BURST_S;
    return most > FOLLOW_BURST_LEAST ? (unsigned)most : FOLLOW_BURST_LEAST;
}

static int64_t cost_ns(const struct follow_budget *budget, unsigned cost)
{
    return (int64_t)(cost * (double)NS_PER_S / budget->rate);
}

bool follow_may(const struct follow_budget *budget, const struct follow *follow,
                const struct follow_allowance *allowance, unsigned cost, enum follow_need need,
                struct mono now)
{
    if (budget->rate <= 0)
        return false;
    int64_t own_most = allowance->step_ns * (allowance->burst - 1);
    int64_t most = cost_ns(budget, most_at_once(budget)) / (need == FOLLOW_MORE ? 2 : 1);
    return ahead_ns(follow->spent, now) <= own_most &&
           ahead_ns(budget->spent, now) + cost_ns(budget, cost) <= most;
}

void follow_spend(struct follow_budget *budget, struct follow *follow,
                  const struct follow_allowance *allowance, unsigned cost, struct mono now)
{
    advance(&follow->spent, allowance->step_ns, now);
    advance(&budget->spent, cost_ns(budget, cost), now);
}
