/* A geolocation database in MaxMind's format (MMDB, version 2): GeoLite2-Country, GeoIP2, DB-IP and
 * their like, which say of an address {"country": {"iso_code": "KP"}} or, where they do not know
 * where it is used, "registered_country". Read by libmaxminddb, which maps the file. */
#ifndef SOURCE_ORIGINS_GEO_H
#define SOURCE_ORIGINS_GEO_H

#include "base/addr.h"
#include "base/err.h"
#include "source/origins/country.h"

struct geo;

/* A file that is no such database, or one without countries (of AS numbers, say), is refused. */
enum err geo_open(const char *path, struct geo **out, struct why *why);
void geo_free(struct geo *geo);
/* *bits (may be NULL): of the largest network around it of which the same is known. */
struct country geo_find(const struct geo *geo, const struct addr *addr, unsigned *bits);

#endif
