/* The two halves of what is seen in a world. */
#ifndef TEST_SCENARIO_PLAY_H
#define TEST_SCENARIO_PLAY_H

#include "random.h"
#include "scenario.h"

/* One target asked from one vantage. */
struct question {
    const struct world *world;
    struct registry *registry;
    const struct thing *thing;
    uint32_t id;      /* of the thing */
    uint32_t host;    /* it runs on; 0 for a control */
    uint32_t vantage; /* thing */
    uint32_t vantage_name, target_name;
    struct target target;
    struct random random;
};

void question_ask(struct question *q, struct observation *probe);
int64_t question_timeout_ns(const struct question *q); /* after which it is known to be silent */
/* Where in its round the question of this order is asked. */
int64_t question_place_ns(const struct question *q, uint64_t order);

/* All the questions, with what is asked out of turn (play_follow.c). */
void play_followed(struct question *questions, size_t count, struct observations *out);

void play_probes(const struct world *world, uint64_t seed, struct registry *registry,
                 struct observations *out);
void play_routes(const struct world *world, uint64_t seed, struct registry *registry,
                 struct observations *out);

void observations_add(struct observations *out, const struct observation *observation);
uint32_t play_name(struct registry *registry, enum name_kind kind, const char *text);

#endif
