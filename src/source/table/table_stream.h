/* The bins of archives of routes, as a stream of observations like any other: it keeps the whole table, and
 * reads the archives for itself. What is damaged in them is passed over without a word, as who reads them for
 * what is watched tells it. */
#ifndef SOURCE_TABLE_TABLE_STREAM_H
#define SOURCE_TABLE_TABLE_STREAM_H

#include "model/subject.h"
#include "source/origins/countries.h"
#include "source/stream.h"
#include "source/web/collector_site.h"

struct table_stream_options {
    const char *const *paths; /* archives of routes, as in route_files.h */
    size_t path_count;
    const char *collector;         /* NULL: from each path */
    const struct site_hole *holes; /* of which there is no archive */
    size_t hole_count;
    const struct countries *countries; /* NULL: none. Not owned */
    const struct subject_spec
        *subjects; /* whose ASes and countries are told of every time; not owned */
    size_t subject_count;
};

/* NULL with why as of route_files_open(). */
struct stream *table_stream_new(const struct table_stream_options *options,
                                struct registry *registry, struct why *why);

#endif
