/* What is true of a thing of the world at a moment. */
#ifndef TEST_SCENARIO_STATE_H
#define TEST_SCENARIO_STATE_H

#include "scenario.h"

/* A level that goes evenly from one value to the next: losses are shares, factors multiply.
 * `vantage` is who asks: changes that are only seen from another one do not count. */
double state_level(const struct world *world, uint32_t thing, uint32_t vantage,
                   enum change_kind kind, double otherwise, struct utc at);

/* The last change of outcome; NULL before the first. */
const struct change *state_outcome(const struct world *world, uint32_t thing, uint32_t vantage,
                                   struct utc at);

/* False while the source (vantage, collector) or the target is in a gap or silent, or outside all
 * watches. */
bool state_is_watching(const struct world *world, uint32_t thing, struct utc at);

/* False while the session with the peer is lost. */
bool state_is_connected(const struct world *world, uint32_t peer, struct utc at);

/* False if the host lies in prefixes of its subject and all of them are withdrawn. The vantage's
 * own provider loses a route in the midst of the time that it takes. */
bool state_is_routed(const struct world *world, const struct thing *host, struct utc at);

#endif
