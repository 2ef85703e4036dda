/* Which country an AS, an address or a prefix is of: as the five regional registries delegated it,
 * and as a geolocation database places it.
 *
 *     struct countries *countries = countries_load(paths, count, &faults, &why);
 *     printf("%s", countries_of_asn(countries, 131279).code);              // "KP"
 *     printf("%s", countries_of_prefix(countries, &prefix).code);          // "" if nobody says
 *
 * Files are told apart by content: delegated files of the registries (delegated.h; one or several
 * in one, compressed or not) and MaxMind databases (geo.h). Codes are those of ISO 3166-1, and what
 * the registries write beside them ("EU", "AP").
 *
 * Where sources disagree: a database, which says where an address is used, is asked before a
 * registry, which says where its holder is registered. Of several databases the one given last is
 * asked first. Of the registries' lines the last one wins, for the part that overlaps. */
#ifndef SOURCE_ORIGINS_COUNTRIES_H
#define SOURCE_ORIGINS_COUNTRIES_H

#include "source/stream.h"
#include "source/origins/country.h"

struct countries;

/* A bad line is counted, told with its place and passed over; a file that cannot be read to its
 * end, or holds nothing of use, is refused: NULL with why. */
struct countries *countries_load(const char *const *paths, size_t count,
                                 struct stream_faults *faults, struct why *why);
void countries_free(struct countries *countries);

struct country countries_of_asn(const struct countries *countries, uint32_t asn);
struct country countries_of_addr(const struct countries *countries, const struct addr *addr);
/* The country of the whole prefix; none where it is of several, or in part of none. A database is
 * asked for the first and the last address only. */
struct country countries_of_prefix(const struct countries *countries, const struct prefix *prefix);

/* That of the prefix or, where nobody says, of the AS it is from; 0: of none. */
struct country countries_of_route(const struct countries *countries, const struct prefix *prefix,
                                  uint32_t origin);

/* What the registries have delegated to a country: each AS number, then the fewest prefixes that its addresses are,
 * in order. Databases are not asked. */
void countries_each(const struct countries *countries, struct country country,
                    void (*take_asn)(void *context, uint32_t asn),
                    void (*take_prefix)(void *context, const struct prefix *prefix), void *context);

/* All /24 of IPv4 that are of the country as a whole, in order, by their first addresses as numbers. */
void countries_networks(const struct countries *countries, struct country country,
                        void (*take)(void *context, uint32_t network), void *context);

/* How often one delegation began within another that says another country. */
uint64_t countries_conflicts(const struct countries *countries);

#endif
