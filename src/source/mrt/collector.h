/* The names of route collectors. */
#ifndef SOURCE_MRT_COLLECTOR_H
#define SOURCE_MRT_COLLECTOR_H

#include <stdbool.h>

/* The name of a collector as it stands in the path of an archive ("rrc00", "route-views2",
 * "route-views.jinx", "routeviews"); false if none does. */
enum { COLLECTOR_TEXT_MAX = 64 };
bool collector_from_path(const char *path, char out[COLLECTOR_TEXT_MAX]);

#endif
