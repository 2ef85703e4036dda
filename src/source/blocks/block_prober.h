/* Whole networks: each /24 of a list is asked in rounds, by pings, in the way of Trinocular (trinocular.h), once it
 * is known which of its addresses ever answer (census.h). From one thread, without ever waiting.
 *
 * Each round of a network that can be judged becomes one PROBE observation of its target block:NETWORK/24: ok,
 * or timeout, or what routers say where they all say the same; undecided where 15 questions did not suffice. A
 * round in which we failed ourselves is self or late, and does not count at all. Of networks that are not yet
 * known, or of which too little answers to judge them, there is no observation: no data, never down.
 *
 * When a network is asked is left to chance, from a seed, within the first quarter of each of its rounds, which begin
 * anywhere in the time of one. A census that ends without enough to judge by is held again after a day, two days,
 * and so on up to 32. */
#ifndef SOURCE_BLOCKS_BLOCK_PROBER_H
#define SOURCE_BLOCKS_BLOCK_PROBER_H

#include "base/err.h"
#include "model/observation.h"
#include "source/blocks/block_file.h"
#include "source/probe/manners.h"
#include "sys/loop.h"

enum { BLOCKS_MAX = 100 * 1000 };

struct block_plan {
    uint32_t network; /* the /24's first address, as a number */
    bool is_named;    /* somebody wrote it down, so that it may be private or reserved */
};

enum { BLOCK_TARGET_MAX = 32 };
/* "block:192.0.2.0/24". Returns buffer. */
const char *block_plan_target(const struct block_plan *plan, char buffer[BLOCK_TARGET_MAX]);

struct block_settings {
    int64_t round_ns;
    int64_t
        timeout_ns; /* of one question; TRINOCULAR_PROBES_MAX of them fit into three quarters of a round */
};

struct block_prober_options {
    const char *vantage;
    /* Asks the addresses: the prober's, whose sockets were opened while that was still permitted. Not owned; it is
     * freed no later than the loop runs after block_prober_free(). */
    struct pinger *pinger;
    uint64_t seed;
    /* By which all that is asked is held back; NULL: it is not. Called before each question. */
    struct manners *(*manners)(void *context);
    void *context;
};

struct block_prober;

/* Never NULL. Where ICMP is not permitted every round is OUTCOME_SELF. */
struct block_prober *block_prober_new(struct loop *loop, const struct block_prober_options *options,
                                      const struct sink *sink);
void block_prober_free(struct block_prober *prober); /* rounds under way are forgotten */
void block_prober_stop(struct block_prober *prober); /* asks nobody from now on */

/* Replaces the plan: networks that are in both go on undisturbed. `manners` says which addresses are never
 * asked; it is not owned, and must live until the next call or the end. Fails, with the old plan going
 * on, if there are more than BLOCKS_MAX, or the registry is full. */
enum err block_prober_set_plan(struct block_prober *prober, const struct block_plan *plan,
                               size_t count, const struct block_settings *settings,
                               const struct manners_options *manners, struct why *why);

/* What was learned before: taken for a network in the plan of which nothing is known yet. */
void block_prober_know(struct block_prober *prober, const struct block_record *record);
/* All that is known now, for free(). */
struct block_record *block_prober_records(const struct block_prober *prober, size_t *count);

struct block_counters {
    size_t judged, learning, unfit; /* networks: unfit are those of which too little answers */
    size_t unknown;                 /* of those that are learned: nothing is known yet */
    uint64_t rounds, missed; /* missed: left out, since the loop stood still or was held back */
    uint64_t asked, answered;
    uint64_t held;    /* questions that had to wait, since more would not have been polite */
    uint64_t broken;  /* rounds that we spoiled ourselves */
    uint64_t unnamed; /* results dropped: the registry is full */
};
struct block_counters block_prober_counters(const struct block_prober *prober);

#endif
