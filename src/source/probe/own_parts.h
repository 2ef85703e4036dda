/* The parts of own.c that ask somebody else: each answers one question at a time, and another meanwhile with NONE. */
#ifndef SOURCE_PROBE_OWN_PARTS_H
#define SOURCE_PROBE_OWN_PARTS_H

#include "source/probe/own.h"

struct own_clock;
struct own_clock *own_clock_new(const struct own_options *options);
void own_clock_free(struct own_clock *clock);
void own_clock_set(struct own_clock *clock, const char *const *servers, size_t count);
void own_clock_ask(struct own_clock *clock, const struct question *question);

struct own_resolver;
struct own_resolver *own_resolver_new(const struct own_options *options);
void own_resolver_free(struct own_resolver *resolver);
void own_resolver_ask(struct own_resolver *resolver, const struct question *question);

#endif
