/* What table dumps say of the ASes, the country and the hosts of a survey: which prefixes the ASes originate,
 * of which AS the hosts' addresses are. It keeps the whole table of what it reads (107 MB for a
 * million prefixes). */
#ifndef SOURCE_SURVEY_SURVEY_ROUTES_H
#define SOURCE_SURVEY_SURVEY_ROUTES_H

#include "source/mrt/route_files.h"
#include "source/origins/countries.h"
#include "source/survey/survey.h"

/* Marks prefixes and ASes, and adds those that are new. `files` says what is read (paths, collector, progress with
 * its context, web). If `countries` is not NULL, ASes that originate prefixes of `country` are added,
 * too, if they are registered there. Errors as route_files_open() and route_files_run(). */
enum err survey_routes(struct survey *survey, const struct route_files_options *files,
                       const struct countries *countries, struct country country,
                       struct stream_faults *faults, struct why *why);

#endif
