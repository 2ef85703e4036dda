/* The two halves of what is seen in a world. */
#ifndef TEST_SCENARIO_PLAY_H
#define TEST_SCENARIO_PLAY_H

#include "scenario.h"

void play_probes(const struct world *world, uint64_t seed, struct registry *registry,
                 struct observations *out);
void play_routes(const struct world *world, uint64_t seed, struct registry *registry,
                 struct observations *out);

void observations_add(struct observations *out, const struct observation *observation);
uint32_t play_name(struct registry *registry, enum name_kind kind, const char *text);

#endif
