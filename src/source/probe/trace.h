/* The way to a target: a traceroute in the way of Paris traceroute (Augustin et al., IMC 2006). All packets look the
 * same to routers that share load among several ways, and so go the same: ICMP echoes have the same checksum, what
 * is sent by UDP or TCP has the same two ports. There a port is in use by one packet only, so that hops are asked one after
 * the other; a router that answers a datagram after HOP_TIMEOUT_NS may be taken for the next one, as it need not
 * say which it means. No privilege is needed for these: the kernel tells what routers say.
 *
 * OK if the target itself answered, be it that nothing listens on the port; else what a router said of it, or
 * TIMEOUT. `peer` is who answered farthest away, `value` how many hops away that is. By ICMP some hops are asked at
 * the same time; each is asked twice at most, and TRACE_GAP of them that are silent in a row (by ports:
 * TRACE_GAP_PORTS) end it: a target that is dark costs some twenty packets more than the way that is left. A
 * router that answers three times is a loop (TTL_EXCEEDED). */
#ifndef SOURCE_PROBE_TRACE_H
#define SOURCE_PROBE_TRACE_H

#include "source/probe/agenda.h"
#include "source/probe/origin_finder.h"
#include "source/probe/ping.h"
#include "source/probe/question.h"
#include "source/probe/tcp.h"

enum { TRACE_HOPS_MAX = 30, TRACE_GAP = 5, TRACE_TRIES = 2, TRACE_WINDOW = 4 };
enum { TRACE_GAP_PORTS = 3 }; /* by UDP and TCP, where silence takes its time */

struct trace_engine;

/* `finder` NULL: nobody knows ASes. */
struct trace_engine *trace_new(struct agenda *agenda, struct pinger *pinger, struct tcp_engine *tcp,
                               const struct origin_finder *finder);
void trace_free(struct trace_engine *engine);
void trace_ask(struct trace_engine *engine, const struct question *question);

#endif
