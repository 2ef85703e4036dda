/* The way to a target: a traceroute by ICMP echo, in the way of Paris traceroute (Augustin et al., IMC 2006):
 * all packets have the same checksum, so that routers that share load by it send them all the same way.
 *
 * OK if the target itself answered; else what a router said of it, or TIMEOUT. `peer` is who answered
 * farthest away, `value` how many hops away that is. Some hops are asked at the same time, each twice at
 * most, and TRACE_GAP of them that are silent in a row end it: a target that is dark costs some twenty
 * packets more than the way that is left. A router that answers three times is a loop (TTL_EXCEEDED). */
#ifndef SOURCE_PROBE_TRACE_H
#define SOURCE_PROBE_TRACE_H

#include "source/probe/agenda.h"
#include "source/probe/origin_finder.h"
#include "source/probe/ping.h"
#include "source/probe/question.h"

enum { TRACE_HOPS_MAX = 30, TRACE_GAP = 5, TRACE_TRIES = 2, TRACE_WINDOW = 4 };

struct trace_engine;

/* `finder` NULL: nobody knows ASes. */
struct trace_engine *trace_new(struct agenda *agenda, struct pinger *pinger,
                               const struct origin_finder *finder);
void trace_free(struct trace_engine *engine);
void trace_ask(struct trace_engine *engine, const struct question *question);

#endif
