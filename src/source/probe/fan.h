/* Asks every address that a target's name leads to, all at once, and puts the answers together: OK if all
 * are, DEGRADED if some are (the rest as the first of those that are not has it), else the first one's.
 * "First" is in the order of RFC 6724, so that it does not depend on who answers sooner. The account gets
 * the steps of all and the facts of the first that is OK. */
#ifndef SOURCE_PROBE_FAN_H
#define SOURCE_PROBE_FAN_H

#include "source/probe/agenda.h"
#include "source/probe/question.h"
#include "sys/resolver.h"

struct fan_engine;

struct fan_engine *fan_new(struct agenda *agenda, struct resolver *resolver);
void fan_free(struct fan_engine *engine);

/* `ask` is the engine's that asks one address; the question's target names a host. */
void fan_ask(struct fan_engine *engine, const struct question *question,
             void (*ask)(void *context, const struct question *question), void *context);

#endif
