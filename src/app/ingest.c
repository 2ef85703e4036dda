#include "app/ingest.h"

#include "app/command.h"
#include "app/identity.h"
#include "app/progress.h"
#include "sys/output.h"

#include <inttypes.h>

struct running {
    const struct ingest *ingest;
    struct pipeline *pipeline;
    struct sink behind; /* the pipeline's */
    struct ingest_result result;
    struct why failed; /* the first failure of ours */
    bool has_begun;
    struct progress progress;
};

static void tell_fault(void *context, const char *fault)
{
    progress_fault(&((struct running *)context)->progress, fault);
}

static void show_progress(void *context, uint64_t done, uint64_t total, uint64_t observations)
{
    progress_show(&((struct running *)context)->progress, done, total, observations);
}

static void pass_on(struct running *running, const struct observation *observation)
{
    if (running->failed.err)
        return;
    running->result.observations++;
    if (observation->kind == OBSERVATION_SUBJECT)
        running->result.has_subject = true;
    sink_emit(&running->behind, observation);
    if (pipeline_error(running->pipeline, &running->failed))
        progress_clear(&running->progress); /* a full disk: go no further, and tell it at the end */
}

static void emit_one(void *context, const struct observation *observation)
{
    pass_on(context, observation);
}

static void begin(struct running *running, struct utc time)
{
    const struct ingest *ingest = running->ingest;
    struct sink sink = {running->behind.registry, emit_one, running};
    running->has_begun = true;
    running->result.first = time;
    for (size_t i = 0; i < ingest->subject_count && !running->failed.err; i++)
        subject_emit(&ingest->subjects[i], time, &sink, &running->failed);
}

static void emit(void *context, const struct observation *observation)
{
    struct running *running = context;
    if (!running->has_begun)
        begin(running, observation->time);
    if (observation->time.ns > running->result.last.ns && observation->kind != OBSERVATION_TICK)
        running->result.last = observation->time;
    pass_on(running, observation);
}

static bool has_subject(const struct registry *registry)
{
    for (uint32_t id = 1; id <= registry_count(registry); id++)
        if (registry_kind(registry, id) == NAME_SUBJECT)
            return true;
    return false;
}

static enum err read_archives(struct running *running, struct why *why)
{
    const struct ingest *ingest = running->ingest;
    struct replay_table table = {ingest->countries, ingest->subjects, ingest->subject_count};
    struct replay_options options = {.paths = ingest->paths,
                                     .path_count = ingest->path_count,
                                     .collector = ingest->collector,
                                     .watch = ingest->watch,
                                     .holes = ingest->holes,
                                     .hole_count = ingest->hole_count,
                                     .table = ingest->table->is_wanted ? &table : NULL,
                                     .progress = stderr_is_terminal() ? show_progress : NULL,
                                     .context = running};
    struct stream_faults faults = {.report = tell_fault, .context = running};
    struct sink sink = {running->behind.registry, emit, running};
    struct buffer key = {0};
    enum err err = identity_of_replay(&options, ingest->subjects, ingest->subject_count,
                                      ingest->table, &key, why);
    if (!err) /* standard input cannot be known again: it has no key */
        err = pipeline_source(running->pipeline, key.size ? key.bytes : NULL,
                              &running->result.skipped, &running->result.was_complete, why);
    if (!err && !running->result.was_complete) {
        if (running->result.skipped)
            command_say("goes on after the %" PRIu64 " observations that the journal holds already",
                        running->result.skipped);
        err = replay_run(&options, &sink, &faults, why);
        progress_clear(&running->progress);
    }
    running->result.records = faults.records;
    running->result.bad = faults.bad;
    buffer_done(&key);
    return err;
}

enum err ingest_run(const struct ingest *ingest, struct pipeline *pipeline,
                    struct ingest_result *out, struct why *why)
{
    struct running running = {
        .ingest = ingest, .pipeline = pipeline, .behind = pipeline_sink(pipeline)};
    progress_init(&running.progress, "observations");
    uint64_t late = pipeline_counters(pipeline).core.late;
    running.result.has_subject = has_subject(pipeline_registry(pipeline));
    enum err err = read_archives(&running, why);
    progress_end(&running.progress);
    if (running.failed.err) {
        *why = running.failed;
        return why->err;
    }
    if ((err && err != ERR_INPUT) || running.result.was_complete) {
        *out = running.result;
        return err;
    }
    pipeline_source_complete(pipeline);
    struct why why_commit;
    if (pipeline_commit(pipeline, &why_commit)) {
        *why = why_commit;
        return why->err;
    }
    running.result.late = pipeline_counters(pipeline).core.late - late;
    *out = running.result;
    return err;
}
