#include "app/ingest.h"

#include "app/command.h"
#include "app/identity.h"
#include "sys/clock.h"
#include "sys/output.h"

#include <inttypes.h>
#include <stdio.h>

enum { FAULTS_TOLD = 20 };

struct running {
    const struct ingest *ingest;
    struct pipeline *pipeline;
    struct sink behind; /* the pipeline's */
    struct ingest_result result;
    struct why failed; /* the first failure of ours */
    bool has_begun;
    uint64_t faults_told;
    bool is_shown; /* a line of progress stands on the terminal */
    struct mono start;
};

/* Takes the line of progress away before something else is written. */
static void clear_progress(struct running *running)
{
    if (running->is_shown)
        fputs("\r\033[K", stderr);
    running->is_shown = false;
}

static void tell_fault(void *context, const char *fault)
{
    struct running *running = context;
    clear_progress(running);
    if (running->faults_told++ < FAULTS_TOLD)
        command_say("%s", fault);
}

static void show_progress(void *context, uint64_t done, uint64_t total, uint64_t observations)
{
    struct running *running = context;
    double seconds = (double)mono_diff(clock_mono(), running->start) / (double)NS_PER_S;
    char left[DURATION_TEXT_MAX];
    if (seconds < 0.5)
        return;
    clear_progress(running);
    if (total) {
        double share = (double)done / (double)total;
        double rest = share > 0.001 ? seconds / share - seconds : 0;
        int64_t rest_ns = rest < 1e6 ? (int64_t)rest * NS_PER_S : 0;
        fprintf(stderr, "%3.0f %% of %.1f MB, ", 100 * share, (double)total / 1e6);
        fprintf(stderr, "%.1f MB a second, ", (double)done / 1e6 / seconds);
        if (rest_ns > 0)
            fprintf(stderr, "%s left, ", duration_format(rest_ns, left));
    }
    fprintf(stderr, "%" PRIu64 " observations", observations);
    if (!total) /* of a pipe nobody knows how much is to come */
        fprintf(stderr, ", %.0f a second", (double)observations / seconds);
    running->is_shown = true;
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
        clear_progress(running); /* a full disk: go no further, and tell it at the end */
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
    struct replay_options options = {.paths = ingest->paths,
                                     .path_count = ingest->path_count,
                                     .collector = ingest->collector,
                                     .watch = ingest->watch,
                                     .progress = stderr_is_terminal() ? show_progress : NULL,
                                     .context = running};
    struct stream_faults faults = {.report = tell_fault, .context = running};
    struct sink sink = {running->behind.registry, emit, running};
    struct buffer key = {0};
    enum err err = identity_of_replay(&options, ingest->subjects, ingest->subject_count, &key, why);
    if (!err) /* standard input cannot be known again: it has no key */
        err = pipeline_source(running->pipeline, key.size ? key.bytes : NULL,
                              &running->result.skipped, &running->result.was_complete, why);
    if (!err && !running->result.was_complete) {
        if (running->result.skipped)
            command_say("goes on after the %" PRIu64 " observations that the journal holds already",
                        running->result.skipped);
        err = replay_run(&options, &sink, &faults, why);
        clear_progress(running);
    }
    running->result.records = faults.records;
    running->result.bad = faults.bad;
    buffer_done(&key);
    return err;
}

enum err ingest_run(const struct ingest *ingest, struct pipeline *pipeline,
                    struct ingest_result *out, struct why *why)
{
    struct running running = {.ingest = ingest,
                              .pipeline = pipeline,
                              .behind = pipeline_sink(pipeline),
                              .start = clock_mono()};
    uint64_t late = pipeline_counters(pipeline).core.late;
    running.result.has_subject = has_subject(pipeline_registry(pipeline));
    enum err err = read_archives(&running, why);
    if (running.faults_told > FAULTS_TOLD)
        command_say("and %" PRIu64 " more damaged records", running.faults_told - FAULTS_TOLD);
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
