/* Is a whole network up, judged from a few addresses a round? After Trinocular (Quan, Heidemann, Pradkin,
 * SIGCOMM 2013; science.md, 1.2), for one /24 of IPv4. IPv6 networks are too large for it: nobody knows which
 * of their addresses ever answered.
 *
 *     trinocular_know(&block, active, 0.6);             // what is known of it
 *     trinocular_begin(&block);                         // a round
 *     do {
 *         ... ask trinocular_next(&block, seed) ...
 *         verdict = trinocular_take(&block, was_answered);
 *     } while (verdict == TRINOCULAR_MORE);
 *
 * Asked are addresses that have ever answered, E, one after the other in an order that looks like chance and
 * is the same for the same seed: all of E before any again. A is the share of such questions that is answered
 * while the network is up. After each one the belief that it is up is updated:
 *
 *     answer:  B(down)' ~ PpD * B(down)          B(up)' ~ A * B(up)           PpD = (1 - 0.01) / 256
 *     none:    B(down)' ~ (1 - PpD) * B(down)    B(up)' ~ (1 - A) * B(up)
 *
 * and held within [0.01, 0.99]; down is below 0.1, up above 0.9. A round asks 1 to 15 times: until an answer
 * leaves it up or a silence leaves it down. What 15 do not decide stays undecided, and its belief is where the
 * next round begins, so that sparse networks are judged over several rounds.
 *
 * Some things are stricter than in the paper, which has many vantages to put false outages right. A network
 * that goes down is asked on, within the 15, until its silence would come by chance less than once in 10^7
 * (as for single targets, core/detect/series.h); a round that could not ask more is undecided unless that
 * is less than once in 10^4. So a network of which half or more answer is down after the first round, one of
 * which a quarter do after the third. And A is the lower one of two estimates, of the last ten rounds or so
 * and of the last hundred, less half of what these usually differ by, and 0.1 at least, so that a network
 * that sleeps at night is not taken for one that is down. Both are quotients of two sums that fade away,
 * answers and questions, as how many are asked depends on what is answered; nothing is learned while it is
 * down.
 *
 * In a network that is down a single silence would say nothing new: in the first four rounds, then in the 8th and each
 * 16th, so many are asked that one that is back is found with 80 %. */
#ifndef SOURCE_BLOCKS_TRINOCULAR_H
#define SOURCE_BLOCKS_TRINOCULAR_H

#include <stdbool.h>
#include <stdint.h>

enum {
    BLOCK_ADDRESSES = 256,
    TRINOCULAR_PROBES_MAX = 15, /* a round */
    TRINOCULAR_ACTIVE_MIN = 15, /* below that a network is not judged */
};
#define TRINOCULAR_AVAILABLE_MIN 0.1 /* nor below that */

/* A bit for each address of a /24. */
struct block_set {
    uint64_t bits[BLOCK_ADDRESSES / 64];
};

static inline bool block_set_has(const struct block_set *set, uint8_t address)
{
    return set->bits[address / 64] >> address % 64 & 1;
}

static inline void block_set_add(struct block_set *set, uint8_t address)
{
    set->bits[address / 64] |= UINT64_C(1) << address % 64;
}

static inline void block_set_remove(struct block_set *set, uint8_t address)
{
    set->bits[address / 64] &= ~(UINT64_C(1) << address % 64);
}

static inline unsigned block_set_count(const struct block_set *set)
{
    unsigned count = 0;
    for (unsigned i = 0; i < BLOCK_ADDRESSES / 64; i++)
        count += (unsigned)__builtin_popcountll(set->bits[i]);
    return count;
}

/* The address at this place of the order: each once in 256 places. */
uint8_t block_order(uint64_t seed, uint8_t place);

/* Two sums that fade away. */
struct share {
    float answered, asked;
};

/* A value. */
struct trinocular {
    struct block_set active; /* E */
    struct share lately, long_term;
    float unsteady; /* how far these are apart, in the long run */
    float belief;
    uint16_t silent;     /* questions since the last answer, over all rounds that count */
    uint16_t down_round; /* so many rounds it was down; 0: it is not */
    struct {             /* of rounds that decided nothing, since the last that did */
        uint16_t asked, answered;
    } unlearned;
    uint8_t place; /* in the order, of the next question */
    struct {       /* the round */
        float belief;
        uint16_t silent;
        uint8_t asked, answered;
    } round;
};

enum trinocular_verdict { TRINOCULAR_MORE, TRINOCULAR_UP, TRINOCULAR_DOWN, TRINOCULAR_UNDECIDED };

/* Begins with a network that is up, as the paper does. */
void trinocular_know(struct trinocular *t, const struct block_set *active, double availability);
double trinocular_availability(const struct trinocular *t); /* A */
double trinocular_share(const struct trinocular *t);        /* of the last hundred rounds alone */
/* Whether enough is known of it. */
bool trinocular_can_judge(const struct trinocular *t);

/* A round; one that is not over is forgotten, as if it had not been: what it heard does not count. */
void trinocular_begin(struct trinocular *t);
uint8_t trinocular_next(struct trinocular *t, uint64_t seed);
enum trinocular_verdict trinocular_take(struct trinocular *t, bool is_answered);

/* The belief that it is up, after one question. */
double trinocular_update(double belief, double availability, bool is_answered);
/* How many questions find a network that is back with 80 %. */
unsigned trinocular_recovery(double availability);

#endif
