/* Archives on their way into a pipeline: the subject first, so that what follows can be judged,
 * then every observation; with the progress told on a terminal. Used by `replay`, and by `run` for
 * the archives of its configuration. */
#ifndef APP_INGEST_H
#define APP_INGEST_H

#include "app/config/config.h"
#include "app/pipeline.h"
#include "model/subject.h"
#include "source/replay.h"

struct ingest {
    const char *const *paths;
    size_t path_count;
    const char *collector;
    struct watch watch;
    const struct site_hole *holes; /* as in replay.h */
    size_t hole_count;
    const struct subject_spec *subjects; /* emitted at the time of the first observation */
    size_t subject_count;
    const struct table_config *table;  /* whether the whole table is kept, and of which countries */
    const struct countries *countries; /* loaded from what it names */
};

struct ingest_result {
    uint64_t observations; /* emitted, with those that the journal held already */
    uint64_t skipped;      /* of those: held already, from a replay that was cut off */
    uint64_t records, bad; /* of the archives, as they were read */
    uint64_t late;         /* older than what the journal held before: kept, and not judged */
    struct utc first, last;
    bool was_complete; /* the journal holds all of it already: nothing was read */
    bool has_subject;  /* there is a subject to judge by, from the archives or from before */
};

/* Does not close the pipeline; commits. ERR_INPUT if parts of the archives were damaged and the
 * rest was used. */
enum err ingest_run(const struct ingest *ingest, struct pipeline *pipeline,
                    struct ingest_result *out, struct why *why);

#endif
