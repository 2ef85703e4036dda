/* Targets dns:SERVER/NAME/TYPE: a question to a named server, by UDP and by TCP where the answer does not
 * fit, or dns+tcp: by TCP alone. The server may be a host name, which is looked up first.
 *
 * It is asked with EDNS (RFC 6891). A server that stumbles over that is asked again without (section
 * 6.2.2) and judged by what it answers then: that it stumbles is a fact about it and no failure. Silence
 * counts as stumbling if it is so twice, while without EDNS an answer comes.
 *
 * What the server calls itself (hostname.bind: RFC 4892) is asked when it is first heard, and again when
 * its outcome has changed. */
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
/* Of a target that it can. */
void dns_ask(struct dns_engine *engine, const struct question *question);

#endif
