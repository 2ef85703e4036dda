/* Replay: archives through the same door as live data. Files, folders (their files in order of
 * name) and standard input, merged by time. */
#ifndef SOURCE_REPLAY_H
#define SOURCE_REPLAY_H

#include "model/subject.h"
#include "source/origins/countries.h"
#include "source/stream.h"
#include "source/web/collector_site.h"

/* The whole table is kept as well, and its bins come along. */
struct replay_table {
    const struct countries *countries;   /* NULL: none are counted */
    const struct subject_spec *subjects; /* whose ASes and countries are told of in every bin */
    size_t subject_count;
};

struct replay_options {
    const char *const *paths;
    size_t path_count;
    const char *collector; /* name for MRT archives; NULL: taken from the path, else "archive" */
    struct watch watch;
    /* In order of time: each becomes a GAP of the collector, which must be given then. */
    const struct site_hole *holes;
    size_t hole_count;
    const struct replay_table *table; /* NULL: it is not kept */
    /* Called about ten times a second: bytes of all files done and in all (0: not known). May be
     * NULL. */
    void (*progress)(void *context, uint64_t done, uint64_t total, uint64_t observations);
    void *context;
};

/* Emits everything, then a TICK at the last time + SETTLE_NS if the archive does not already end
 * with one that late, so that all of it is judged and a replay of an export adds nothing. ERR_INPUT
 * if a file was damaged (all that was readable was used; faults tells), ERR_USAGE if one is named
 * twice, ERR_UNSUPPORTED for a whole table from standard input, others if one cannot be opened. */
enum err replay_run(const struct replay_options *options, const struct sink *sink,
                    struct stream_faults *faults, struct why *why);

#endif
