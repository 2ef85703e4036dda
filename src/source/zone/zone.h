/* Targets zone:NAME: a zone as a whole. From the root servers on, the servers that delegate it are found and
 * asked for the delegation; each address of each name server, be it named by the parent or by the zone
 * itself, is asked for the SOA by UDP and by TCP, for the zone's own name servers and for its keys; and the
 * signatures are checked, from a trust anchor if one is given, else from the DS records that the parent
 * has. Nothing of it goes through the system's resolver but the look-up of name servers whose addresses no
 * parent knows.
 *
 * What is learnt on the way down is believed for an hour. If the way cannot be gone, the name servers of the
 * last look are asked. Each question is asked a second time, without EDNS, before silence is believed. */
#ifndef SOURCE_ZONE_ZONE_H
#define SOURCE_ZONE_ZONE_H

#include "base/err.h"
#include "source/probe/agenda.h"
#include "source/probe/question.h"
#include "source/zone/zone_settings.h"
#include "sys/resolver.h"

struct zone_settings *zone_settings_copy(const struct zone_settings *settings); /* NULL of NULL */
void zone_settings_free(struct zone_settings *settings);

/* ERR_CONFIG with the reason if the zone's name is none, or an anchor is none or of no zone above. */
enum err zone_check(const struct target *target, const char *text,
                    const struct zone_settings *settings, struct why *why);

struct zone_engine;

struct zone_engine *zone_new(struct agenda *agenda, struct resolver *resolver);
void zone_free(struct zone_engine *engine);
void zone_ask(struct zone_engine *engine, const struct question *question);

#endif
