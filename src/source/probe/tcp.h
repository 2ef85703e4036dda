/* TCP connect: is the service there? The connection is closed as soon as it stands. And, for traces, a datagram
 * to a port: who says anything about it? A host that refuses a connection is pinged once
 * an hour if it is not known with which TTL its packets come (reset_watch.h). */
#ifndef SOURCE_PROBE_TCP_H
#define SOURCE_PROBE_TCP_H

#include "source/probe/agenda.h"
#include "source/probe/ping.h"
#include "source/probe/question.h"
#include "source/probe/reset_watch.h"

struct tcp_engine;

struct tcp_engine *tcp_new(struct agenda *agenda, struct pinger *pinger,
                           struct reset_watch *resets);
void tcp_free(struct tcp_engine *engine);
void tcp_ask(struct tcp_engine *engine, const struct question *question);
/* Sends this text. OK if any datagram comes back. */
void tcp_ask_by_udp(struct tcp_engine *engine, const struct question *question, const char *text);

#endif
