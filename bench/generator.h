/* A seeded stream of probes for measurements: ten subjects of a hundred hosts, pinged from two
 * vantages every ten seconds, a few controls, some jitter and loss, an outage of one subject now
 * and then, a tick every ten seconds. The same seed gives the same observations. */
#ifndef BENCH_GENERATOR_H
#define BENCH_GENERATOR_H

#include "model/observation.h"
#include "model/registry.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    GENERATOR_SUBJECTS = 10,
    GENERATOR_HOSTS = 100, /* of each subject */
    GENERATOR_CONTROLS = 3,
    GENERATOR_VANTAGES = 2,
    GENERATOR_TARGETS = GENERATOR_SUBJECTS * GENERATOR_HOSTS + GENERATOR_CONTROLS,
    GENERATOR_SLOTS = GENERATOR_TARGETS * GENERATOR_VANTAGES
};

struct generator {
    uint64_t random;
    struct utc round; /* begin of the current round of ten seconds */
    uint32_t slot;    /* of GENERATOR_SLOTS, next to be asked */
    uint32_t vantages[GENERATOR_VANTAGES];
    uint32_t targets[GENERATOR_TARGETS];
    int64_t rtt_ns[GENERATOR_SLOTS]; /* usual */
    int outage;                      /* subject that is out, -1: none */
    int64_t outage_ends_ns, outage_begins_ns;
};

/* Interns the names and emits the subjects. */
void generator_init(struct generator *generator, uint64_t seed, struct utc start,
                    const struct sink *sink);

/* The next observation: a probe, or a tick at the end of a round. */
void generator_next(struct generator *generator, struct observation *out);

#endif
