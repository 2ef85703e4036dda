/* DNS questions to a named server: by UDP, and by TCP where the answer did not fit (RFC 7766). The
 * server may be a host name, which is looked up first. Each question goes out once, from a port and
 * with an identifier that cannot be foreseen. */
#ifndef SOURCE_PROBE_DNS_H
#define SOURCE_PROBE_DNS_H

#include "source/probe/agenda.h"
#include "source/probe/question.h"
#include "sys/resolver.h"

struct dns_engine;

struct dns_engine *dns_new(struct agenda *agenda, struct resolver *resolver);
void dns_free(struct dns_engine *engine);

/* False if the name or record type of the target is none. */
bool dns_can_ask(const struct target *target, const char *text);
void dns_ask(struct dns_engine *engine, const struct question *question);

#endif
