/* What is named as countries (--countries, routes: whole_table, blocks: countries), as a table: files, folders and
 * patterns. */
#ifndef APP_COUNTRY_SOURCE_H
#define APP_COUNTRY_SOURCE_H

#include "app/config/config.h"
#include "source/origins/countries.h"

/* NULL, and no error, if nothing is named. */
enum err country_source_load(const char *const *named, size_t count, struct stream_faults *faults,
                             struct countries **out, struct why *why);
/* Those of a configuration; what is damaged in them is told. */
enum err country_source_open(const struct table_config *table, struct countries **out,
                             struct why *why);

#endif
