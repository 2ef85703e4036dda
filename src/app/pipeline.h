/* The spine: what is emitted is appended to the journal, then judged, and both are committed
 * together.
 *
 *     pipeline_open("lastlight.db", &pipeline, &why);      // resumes where the journal ends
 *     sink = pipeline_sink(pipeline)  ... sources emit ...  pipeline_commit(pipeline, &why)
 *     pipeline_close(pipeline, &why)
 *
 * Used by one thread at a time. */
#ifndef APP_PIPELINE_H
#define APP_PIPELINE_H

#include "base/err.h"
#include "core/core.h"
#include "model/observation.h"

struct pipeline;

/* Opens or makes the journal; loads the newest checkpoint and feeds the core what was appended
 * since, whose conclusions are there already. */
enum err pipeline_open(const char *path, struct pipeline **out, struct why *why);

/* Commits what is left, with a checkpoint. The pipeline is freed even if that fails. */
enum err pipeline_close(struct pipeline *pipeline, struct why *why);

struct registry *pipeline_registry(struct pipeline *pipeline);

/* Appends one observation to the batch and judges it. Commits by itself every PIPELINE_BATCH
 * observations; if that fails the error is kept, the batch grows up to PIPELINE_CAP, and the next
 * commit tries again. Beyond the cap observations are dropped and counted. */
enum { PIPELINE_BATCH = 16 * 1024, PIPELINE_CAP = 1024 * 1024 };
struct sink pipeline_sink(struct pipeline *pipeline);
enum err pipeline_commit(struct pipeline *pipeline, struct why *why);
enum err pipeline_error(const struct pipeline *pipeline, struct why *why); /* of the last commit */

/* Names the source of what follows, for resuming: the first observations that it emits are skipped
 * as far as the journal already holds them, `skipped` of them. Commits what the source before has
 * left. NULL for one that is not resumed (live); the last two outputs may be NULL.
 *
 * Once an observation of a named source was dropped, so is the rest of it, and it is not complete:
 * it can then be resumed where the journal ends. */
enum err pipeline_source(struct pipeline *pipeline, const char *source, uint64_t *skipped,
                         bool *is_complete, struct why *why);
void pipeline_source_complete(struct pipeline *pipeline);

/* Hears of every conclusion once it is committed, in order; not of those from before. */
void pipeline_listen(struct pipeline *pipeline,
                     void (*hear)(void *context, const struct conclusion *conclusion),
                     void *context);

struct pipeline_counters {
    uint64_t emitted, skipped, dropped, commits;
    uint64_t damaged; /* observations that could not be read when resuming: not judged again */
    struct core_counters core;
};
struct pipeline_counters pipeline_counters(const struct pipeline *pipeline);

#endif
