#include "app/pipeline.h"

#include "base/mem.h"
#include "store/journal.h"

#include <stdlib.h>
#include <string.h>

/* A checkpoint is a cache that saves time when resuming: judging this many observations again takes
 * well under a second. */
enum { CHECKPOINT_EVERY = 64 * 1024 };

struct pipeline {
    struct journal *journal;
    struct registry *registry;
    struct core *core;
    struct observation *batch; /* appended and judged, not yet committed */
    size_t count, capacity;
    struct conclusions conclusions; /* drawn from the batch, each once */
    size_t since_commit;            /* observations emitted since a commit was last tried */
    uint64_t last_seq;
    uint64_t checkpoint_seq; /* of the newest checkpoint in the journal */
    char *source;            /* NULL: one that is not resumed */
    uint64_t source_done, skip;
    bool is_complete;
    bool has_news;    /* of the source, to be written even without observations */
    bool is_broken;   /* an observation of this source was dropped */
    struct why error; /* of the last commit */
    void (*hear)(void *context, const struct conclusion *conclusion); /* may be NULL */
    void *hear_context;
    struct pipeline_counters counters;
};

/* Feeding again what the journal holds: the conclusions are there already. */
static bool feed_again(void *context, const struct observation *observation)
{
    struct pipeline *pipeline = context;
    core_feed(pipeline->core, observation, &pipeline->conclusions);
    conclusions_clear(&pipeline->conclusions);
    return true;
}

static void count_damaged(void *context, uint64_t first_seq, uint64_t count, const char *reason)
{
    (void)first_seq;
    (void)reason;
    struct pipeline *pipeline = context;
    pipeline->counters.damaged += count;
}

static enum err resume_core(struct pipeline *pipeline, struct why *why)
{
    struct buffer bytes = {0};
    uint64_t seq;
    enum err err = journal_load_checkpoint(pipeline->journal, &bytes, &seq, why);
    if (!err && seq)
        pipeline->core = core_load(pipeline->registry, bytes.bytes, bytes.size);
    buffer_done(&bytes);
    if (err)
        return err;
    if (pipeline->core) {
        pipeline->checkpoint_seq = seq;
    } else {
        pipeline->core = core_new(pipeline->registry);
        seq = 0;
    }
    struct journal_visitor visitor = {feed_again, count_damaged, pipeline};
    return journal_read(pipeline->journal, seq + 1, &visitor, why);
}

/* Conclusions of other rules cannot be gone on with: the numbers of events and incidents would
 * clash. */
static enum err check_rules(const struct pipeline *pipeline, struct why *why)
{
    unsigned rules = journal_rules(pipeline->journal);
    if (!rules || rules == RULES_VERSION)
        return ERR_OK;
    return why_set(
        why, ERR_VERSION,
        "%s was judged by version %u of the rules, this program has version %d: judge it "
        "again into a new journal (lastlight export, then lastlight replay), or give "
        "another path",
        journal_path(pipeline->journal), rules, RULES_VERSION);
}

static void pipeline_free(struct pipeline *pipeline)
{
    core_free(pipeline->core);
    registry_free(pipeline->registry);
    journal_close(pipeline->journal);
    conclusions_done(&pipeline->conclusions);
    free(pipeline->batch);
    free(pipeline->source);
    free(pipeline);
}

enum err pipeline_open(const char *path, struct pipeline **out, struct why *why)
{
    struct journal *journal;
    enum err err = journal_open(path, JOURNAL_WRITE, &journal, why);
    if (err)
        return err;
    struct pipeline *pipeline = mem_new(1, sizeof *pipeline);
    pipeline->journal = journal;
    pipeline->registry = registry_new();
    pipeline->last_seq = journal_last_seq(journal);
    err = check_rules(pipeline, why);
    if (!err)
        err = journal_load_registry(journal, pipeline->registry, why);
    if (!err)
        err = resume_core(pipeline, why);
    if (err) {
        pipeline_free(pipeline);
        return err;
    }
    *out = pipeline;
    return ERR_OK;
}

/* Memory that a long failure made grow is given back. */
static void clear_batch(struct pipeline *pipeline)
{
    pipeline->count = 0;
    pipeline->has_news = false;
    conclusions_clear(&pipeline->conclusions);
    if (pipeline->capacity > 4 * PIPELINE_BATCH) {
        free(pipeline->batch);
        pipeline->batch = NULL;
        pipeline->capacity = 0;
        conclusions_done(&pipeline->conclusions);
    }
}

static enum err commit(struct pipeline *pipeline, bool wants_checkpoint)
{
    struct buffer checkpoint = {0};
    bool is_due = pipeline->last_seq - pipeline->checkpoint_seq >=
                  (wants_checkpoint ? 1 : (uint64_t)CHECKPOINT_EVERY);
    pipeline->since_commit = 0;
    if (!pipeline->count && !pipeline->has_news && !is_due)
        return pipeline->error.err = ERR_OK;
    if (is_due)
        core_save(pipeline->core, &checkpoint);
    struct journal_batch batch = {
        .registry = pipeline->registry,
        .observations = pipeline->batch,
        .count = pipeline->count,
        .conclusions = &pipeline->conclusions,
        .rules = RULES_VERSION,
        .source = pipeline->source,
        .source_done = pipeline->source_done,
        .source_is_complete = pipeline->is_complete,
        .checkpoint = is_due ? &checkpoint : NULL,
    };
    pipeline->error = (struct why){0};
    enum err err = journal_commit(pipeline->journal, &batch, &pipeline->error);
    buffer_done(&checkpoint);
    if (err)
        return err;
    pipeline->counters.commits++;
    if (is_due)
        pipeline->checkpoint_seq = pipeline->last_seq;
    for (size_t i = 0; pipeline->hear && i < pipeline->conclusions.count; i++)
        pipeline->hear(pipeline->hear_context, &pipeline->conclusions.list[i]);
    clear_batch(pipeline);
    return ERR_OK;
}

void pipeline_listen(struct pipeline *pipeline,
                     void (*hear)(void *context, const struct conclusion *conclusion),
                     void *context)
{
    pipeline->hear = hear;
    pipeline->hear_context = context;
}

enum err pipeline_error(const struct pipeline *pipeline, struct why *why)
{
    if (pipeline->error.err && why)
        *why = pipeline->error;
    return pipeline->error.err;
}

enum err pipeline_commit(struct pipeline *pipeline, struct why *why)
{
    commit(pipeline, false);
    return pipeline_error(pipeline, why);
}

enum err pipeline_close(struct pipeline *pipeline, struct why *why)
{
    commit(pipeline, true);
    enum err err = pipeline_error(pipeline, why);
    pipeline_free(pipeline);
    return err;
}

struct registry *pipeline_registry(struct pipeline *pipeline)
{
    return pipeline->registry;
}

static void append(struct pipeline *pipeline, const struct observation *observation)
{
    pipeline->batch = mem_grow(pipeline->batch, &pipeline->capacity, pipeline->count + 1,
                               sizeof *pipeline->batch);
    struct observation *mine = &pipeline->batch[pipeline->count++];
    *mine = *observation;
    mine->seq = ++pipeline->last_seq;
    pipeline->source_done++;
    core_feed(pipeline->core, mine, &pipeline->conclusions);
}

static void emit(void *context, const struct observation *observation)
{
    struct pipeline *pipeline = context;
    pipeline->counters.emitted++;
    if (pipeline->skip) {
        pipeline->skip--;
        pipeline->counters.skipped++;
        return;
    }
    /* An archive is resumed by counting, so nothing of it may follow a hole: the rest is left for
     * the next time. What is live goes on as soon as there is room again. */
    if (pipeline->count == PIPELINE_CAP || pipeline->is_broken) {
        pipeline->counters.dropped++;
        pipeline->is_broken = pipeline->source != NULL;
    } else {
        append(pipeline, observation);
    }
    if (++pipeline->since_commit >= PIPELINE_BATCH)
        commit(pipeline, false);
}

struct sink pipeline_sink(struct pipeline *pipeline)
{
    return (struct sink){.registry = pipeline->registry, .emit = emit, .context = pipeline};
}

static char *copy_text(const char *text)
{
    size_t n = strlen(text) + 1;
    return memcpy(mem_new(n, 1), text, n);
}

enum err pipeline_source(struct pipeline *pipeline, const char *source, uint64_t *skipped,
                         bool *is_complete, struct why *why)
{
    /* What is left belongs to the source before. */
    enum err err = pipeline_commit(pipeline, why);
    uint64_t done = 0;
    bool was_complete = false;
    if (!err && source)
        err = journal_progress(pipeline->journal, source, &done, &was_complete, why);
    if (err)
        return err;
    free(pipeline->source);
    pipeline->source = source ? copy_text(source) : NULL;
    pipeline->source_done = pipeline->skip = done;
    pipeline->is_complete = was_complete;
    pipeline->has_news = pipeline->is_broken = false;
    if (skipped)
        *skipped = done;
    if (is_complete)
        *is_complete = was_complete;
    return ERR_OK;
}

void pipeline_source_complete(struct pipeline *pipeline)
{
    if (!pipeline->source || pipeline->is_broken || pipeline->is_complete)
        return;
    pipeline->is_complete = pipeline->has_news = true;
}

struct pipeline_counters pipeline_counters(const struct pipeline *pipeline)
{
    struct pipeline_counters counters = pipeline->counters;
    counters.core = core_counters(pipeline->core);
    return counters;
}
