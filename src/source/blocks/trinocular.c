#include "source/blocks/trinocular.h"

#include "base/hash.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* science.md, 1.2 */
static const double LOSS = 0.01;
static const double BELIEF_LEAST = 0.01, BELIEF_MOST = 0.99;
static const double BELIEF_DOWN = 0.1, BELIEF_UP = 0.9;
static const double MISSED_RECOVERY = 0.2;
enum { RECOVERY_FIRST = 4, RECOVERY_ONCE = 8, RECOVERY_EVERY = 16 };

/* Of a silence, by chance: at which nothing more is asked, as series.c has it for single targets; and with
 * which a round may end that could not ask more. About that of 15 silences where one in two answers. */
static const double CHANCE = 1e-7, CHANCE_ROUND = 1e-4;

/* How fast rounds are forgotten, as Quan, Heidemann and Pradkin do in IMC 2014. */
static const float FADE_LATELY = 0.1F, FADE_LONG_TERM = 0.01F;

enum { ORDER_ROUNDS = 4 };

/* A permutation of the bytes: a Feistel network of two halves of four bits. */
uint8_t block_order(uint64_t seed, uint8_t place)
{
    unsigned left = place >> 4, right = place & 0xf;
    for (unsigned i = 0; i < ORDER_ROUNDS; i++) {
        unsigned next = left ^ (unsigned)(hash_mix(seed ^ (right << 8 | (i + 1))) & 0xf);
        left = right;
        right = next;
    }
    return (uint8_t)(left << 4 | right);
}

static double quotient(const struct share *share)
{
    return share->asked > 0 ? (double)share->answered / (double)share->asked : 0;
}

/* Even of what is always there one in a hundred is lost on the way. */
double trinocular_availability(const struct trinocular *t)
{
    double available =
        fmin(quotient(&t->lately), quotient(&t->long_term)) - (double)t->unsteady / 2;
    return fmin(fmax(available, TRINOCULAR_AVAILABLE_MIN), 1 - LOSS);
}

double trinocular_share(const struct trinocular *t)
{
    return quotient(&t->long_term);
}

void trinocular_know(struct trinocular *t, const struct block_set *active, double availability)
{
    memset(t, 0, sizeof *t);
    t->active = *active;
    t->lately = t->long_term = (struct share){(float)availability, 1};
    t->belief = (float)BELIEF_MOST;
}

bool trinocular_can_judge(const struct trinocular *t)
{
    return block_set_count(&t->active) >= TRINOCULAR_ACTIVE_MIN &&
           trinocular_share(t) >= TRINOCULAR_AVAILABLE_MIN;
}

double trinocular_update(double belief, double availability, bool is_answered)
{
    double if_down = (1 - LOSS) / BLOCK_ADDRESSES;
    double up = (is_answered ? availability : 1 - availability) * belief;
    double down = (is_answered ? if_down : 1 - if_down) * (1 - belief);
    return fmin(fmax(up / (up + down), BELIEF_LEAST), BELIEF_MOST);
}

unsigned trinocular_recovery(double availability)
{
    double k = ceil(log(MISSED_RECOVERY) / log(1 - availability));
    return k < TRINOCULAR_PROBES_MAX ? (unsigned)k : TRINOCULAR_PROBES_MAX;
}

void trinocular_begin(struct trinocular *t)
{
    t->round.belief = t->belief;
    t->round.silent = t->silent;
    t->round.asked = t->round.answered = 0;
}

uint8_t trinocular_next(struct trinocular *t, uint64_t seed)
{
    assert(block_set_count(&t->active) > 0);
    uint8_t address = block_order(seed, t->place++);
    while (!block_set_has(&t->active, address))
        address = block_order(seed, t->place++);
    return address;
}

/* How many are asked at least before it is said to be down (still). */
static unsigned least(const struct trinocular *t, double availability)
{
    unsigned n = t->down_round;
    bool is_recovery = n && (n <= RECOVERY_FIRST || n == RECOVERY_ONCE || n % RECOVERY_EVERY == 0);
    return is_recovery ? trinocular_recovery(availability) : 1;
}

static enum trinocular_verdict judge(const struct trinocular *t, bool is_answered)
{
    double available = trinocular_availability(t);
    double chance = pow(1 - available, t->round.silent);
    bool is_up = t->round.belief > BELIEF_UP, is_down = t->round.belief < BELIEF_DOWN;
    if (is_answered && is_up)
        return TRINOCULAR_UP;
    if (is_down && !is_answered && chance <= CHANCE && t->round.asked >= least(t, available))
        return TRINOCULAR_DOWN;
    if (t->round.asked < TRINOCULAR_PROBES_MAX)
        return TRINOCULAR_MORE;
    if (is_up && t->round.answered)
        return TRINOCULAR_UP;
    return is_down && chance <= CHANCE_ROUND ? TRINOCULAR_DOWN : TRINOCULAR_UNDECIDED;
}

static void fade(struct share *share, float rate, const struct trinocular *t)
{
    share->answered += rate * ((float)t->unlearned.answered - share->answered);
    share->asked += rate * ((float)t->unlearned.asked - share->asked);
}

/* Rounds that decided nothing are learned from when it is clear that it was up. */
static void learn(struct trinocular *t, enum trinocular_verdict verdict)
{
    bool is_of_outage = t->down_round > 0 || verdict == TRINOCULAR_DOWN;
    if (is_of_outage) {
        t->unlearned.asked = t->unlearned.answered = 0;
        return;
    }
    if (t->unlearned.asked <= UINT16_MAX - TRINOCULAR_PROBES_MAX) {
        t->unlearned.asked = (uint16_t)(t->unlearned.asked + t->round.asked);
        t->unlearned.answered = (uint16_t)(t->unlearned.answered + t->round.answered);
    }
    if (verdict != TRINOCULAR_UP)
        return;
    fade(&t->lately, FADE_LATELY, t);
    fade(&t->long_term, FADE_LONG_TERM, t);
    double apart = fabs(quotient(&t->lately) - quotient(&t->long_term));
    t->unsteady += FADE_LONG_TERM * ((float)apart - t->unsteady);
    t->unlearned.asked = t->unlearned.answered = 0;
}

static void end(struct trinocular *t, enum trinocular_verdict verdict)
{
    t->belief = t->round.belief;
    t->silent = t->round.silent;
    learn(t, verdict);
    if (verdict == TRINOCULAR_DOWN)
        t->down_round = (uint16_t)(t->down_round < UINT16_MAX ? t->down_round + 1 : RECOVERY_EVERY);
    else if (verdict == TRINOCULAR_UP)
        t->down_round = 0;
}

enum trinocular_verdict trinocular_take(struct trinocular *t, bool is_answered)
{
    double available = trinocular_availability(t);
    unsigned silent = is_answered ? 0 : t->round.silent + 1U;
    t->round.silent = (uint16_t)(silent < UINT16_MAX ? silent : UINT16_MAX);
    t->round.belief = (float)trinocular_update((double)t->round.belief, available, is_answered);
    t->round.asked++;
    t->round.answered = (uint8_t)(t->round.answered + is_answered);
    enum trinocular_verdict verdict = judge(t, is_answered);
    if (verdict != TRINOCULAR_MORE)
        end(t, verdict);
    return verdict;
}
