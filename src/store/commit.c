#include "base/mem.h"
#include "store/inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One transaction for each batch. Statements are prepared when first needed and kept. */

static const char *const fixed_sql[STATEMENT_COUNT] = {
    [STATEMENT_NAME] = "INSERT INTO name (id, kind, text) VALUES (?, ?, ?)",
    [STATEMENT_BLOCK] = "INSERT INTO block (number, first_seq, count, first_time, last_time, "
                        "checksum, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
    [STATEMENT_SOURCE] = "INSERT OR REPLACE INTO source (key, done, is_complete) VALUES (?, ?, ?)",
    [STATEMENT_CHECKPOINT] = "INSERT OR REPLACE INTO checkpoint (seq, checksum, data) "
                             "VALUES (?, ?, ?)",
    [STATEMENT_OLD_CHECKPOINTS] = "DELETE FROM checkpoint WHERE seq < ?",
    [STATEMENT_CHART] = "INSERT OR REPLACE INTO chart (part, begin, until_seq, checksum, data) "
                        "VALUES (?, ?, ?, ?, ?)",
    [STATEMENT_RULES] = "INSERT OR REPLACE INTO meta (key, value) VALUES ('rules', ?)",
};

static enum err ready(struct journal *journal, int number, sqlite3_stmt **out, struct why *why)
{
    sqlite3_stmt **statement = &journal->statements[number];
    if (!*statement) {
        struct buffer sql = {0};
        if (number < TABLE_COUNT)
            table_insert_sql(&schema_tables[number], &sql);
        else
            buffer_puts(&sql, fixed_sql[number]);
        enum err err = db_prepare(&journal->db, sql.bytes, statement, why);
        buffer_done(&sql);
        if (err)
            return err;
    }
    *out = *statement;
    return ERR_OK;
}

static enum err put_row(struct journal *journal, enum table_number table, const void *row,
                        struct why *why)
{
    sqlite3_stmt *insert;
    enum err err = ready(journal, (int)table, &insert, why);
    if (err)
        return err;
    table_bind(&schema_tables[table], row, insert);
    return db_done(&journal->db, insert, "writing conclusions", why);
}

static enum err put_names(struct journal *journal, const struct registry *registry, struct why *why)
{
    sqlite3_stmt *insert;
    enum err err = ready(journal, STATEMENT_NAME, &insert, why);
    for (uint32_t id = journal->names + 1; !err && id <= registry_count(registry); id++) {
        sqlite3_bind_int64(insert, 1, id);
        sqlite3_bind_text(insert, 2, schema_name_kind(registry_kind(registry, id)), -1,
                          SQLITE_STATIC);
        sqlite3_bind_text(insert, 3, registry_text(registry, id), -1, SQLITE_STATIC);
        err = db_done(&journal->db, insert, "writing names", why);
    }
    return err;
}

static void bind_times(sqlite3_stmt *insert, int at, const struct observation *list, size_t n)
{
    int64_t first = list[0].time.ns, last = first;
    for (size_t i = 1; i < n; i++) {
        first = list[i].time.ns < first ? list[i].time.ns : first;
        last = list[i].time.ns > last ? list[i].time.ns : last;
    }
    sqlite3_bind_int64(insert, at, first);
    sqlite3_bind_int64(insert, at + 1, last);
}

static enum err put_block(struct journal *journal, uint64_t number, const struct observation *list,
                          size_t n, struct why *why)
{
    sqlite3_stmt *insert;
    enum err err = ready(journal, STATEMENT_BLOCK, &insert, why);
    if (err)
        return err;
    struct buffer data = {0};
    block_encode(list, n, &data);
    sqlite3_bind_int64(insert, 1, (int64_t)number);
    sqlite3_bind_int64(insert, 2, (int64_t)list[0].seq);
    sqlite3_bind_int64(insert, 3, (int64_t)n);
    bind_times(insert, 4, list, n);
    sqlite3_bind_int64(insert, 6, block_checksum(list[0].seq, n, data.bytes, data.size));
    sqlite3_bind_blob64(insert, 7, data.bytes, data.size, SQLITE_STATIC);
    err = db_done(&journal->db, insert, "writing observations", why);
    buffer_done(&data);
    return err;
}

static enum err put_observations(struct journal *journal, const struct journal_batch *batch,
                                 struct why *why)
{
    enum err err = ERR_OK;
    uint64_t number = journal->last_block;
    for (size_t at = 0; !err && at < batch->count; at += BLOCK_MAX) {
        size_t n = batch->count - at < BLOCK_MAX ? batch->count - at : BLOCK_MAX;
        err = put_block(journal, ++number, batch->observations + at, n, why);
    }
    return err;
}

/* What was summed up of the observations up to one of them. */
static enum err put_sums(struct journal *journal, uint64_t until_seq, struct why *why)
{
    sqlite3_stmt *insert;
    struct chart_row row = {0};
    size_t at = 0;
    enum err err = ready(journal, STATEMENT_CHART, &insert, why);
    while (!err && chart_sums_row(journal->sums, &at, &row)) {
        const struct buffer *data = &row.bytes;
        sqlite3_bind_int64(insert, 1, row.part);
        sqlite3_bind_int64(insert, 2, row.begin.ns);
        sqlite3_bind_int64(insert, 3, (int64_t)until_seq);
        sqlite3_bind_int64(insert, 4,
                           chart_checksum(row.part, row.begin, until_seq, data->bytes, data->size));
        sqlite3_bind_blob64(insert, 5, data->bytes, data->size, SQLITE_STATIC);
        err = db_done(&journal->db, insert, "writing charts", why);
    }
    buffer_done(&row.bytes);
    chart_sums_clear(journal->sums);
    return err;
}

static enum err sum_up(struct journal *journal, const struct observation *observation,
                       struct why *why)
{
    enum err err = ERR_OK;
    if (chart_sums_are_full(journal->sums, observation))
        err = put_sums(journal, observation->seq - 1, why);
    chart_sums_add(journal->sums, observation);
    return err;
}

struct summing {
    struct journal *journal;
    struct why why;
};

static bool sum_up_again(void *context, const struct observation *observation)
{
    struct summing *summing = context;
    return sum_up(summing->journal, observation, &summing->why) == ERR_OK;
}

/* After the start, and after a commit that failed: what the journal holds that is in no chart yet. */
static enum err begin_sums(struct journal *journal, struct why *why)
{
    uint64_t seq;
    struct utc newest;
    struct summing summing = {.journal = journal};
    struct journal_visitor visitor = {sum_up_again, NULL, &summing};
    enum err err = chart_done(journal, &seq, &newest, why);
    if (err)
        return err;
    journal->sums = chart_sums_new(newest);
    err = journal_read(journal, seq + 1, &visitor, why);
    return !err && summing.why.err ? why_set(why, summing.why.err, "%s", summing.why.text) : err;
}

static enum err put_charts(struct journal *journal, const struct journal_batch *batch,
                           struct why *why)
{
    enum err err = journal->sums ? ERR_OK : begin_sums(journal, why);
    for (size_t i = 0; !err && i < batch->count; i++)
        err = sum_up(journal, &batch->observations[i], why);
    return err;
}

static struct subject_row describe(const struct observation *subject)
{
    return (struct subject_row){
        .subject = subject->target,
        .title = subject->path,
        .utc_offset_s = (int32_t)subject->value,
        .is_reconstruction = subject->code & SUBJECT_IS_RECONSTRUCTION ? 1 : 0,
        .since = subject->time,
    };
}

/* Its targets follow a subject directly, perhaps in the next batch. */
static enum err put_subjects(struct journal *journal, const struct journal_batch *batch,
                             struct why *why)
{
    struct subject_row *row = &journal->describing;
    enum err err = ERR_OK;
    bool is_new = false;
    *row = journal->described;
    for (size_t i = 0; !err && i < batch->count; i++) {
        const struct observation *o = &batch->observations[i];
        bool is_subject = o->kind == OBSERVATION_SUBJECT;
        bool is_target = o->kind == OBSERVATION_MEMBER && o->peer == row->subject &&
                         registry_kind(batch->registry, o->target) == NAME_TARGET;
        if (is_subject && is_new)
            err = put_row(journal, TABLE_SUBJECT, row, why);
        if (is_subject)
            *row = describe(o);
        row->targets += is_target;
        is_new |= is_subject || is_target;
    }
    return err || !is_new ? err : put_row(journal, TABLE_SUBJECT, row, why);
}

static enum err put_incident(struct journal *journal, const struct incident *incident,
                             struct why *why)
{
    static const struct layer_history nothing;
    enum err err = put_row(journal, TABLE_INCIDENT, incident, why);
    for (uint8_t layer = 0; !err && layer < LAYER_COUNT; layer++) {
        struct layer_row row = {incident->id, incident->revision, layer, incident->layers[layer]};
        if (memcmp(&row.history, &nothing, sizeof nothing) != 0)
            err = put_row(journal, TABLE_LAYER, &row, why);
    }
    return err;
}

/* A finding that says nothing but its kind is left out; reading puts it back. */
static bool is_blank(struct evidence evidence)
{
    static const struct evidence blank;
    evidence.finding.kind = 0;
    return memcmp(&evidence, &blank, sizeof blank) == 0;
}

static enum err put_verdict(struct journal *journal, const struct verdict *verdict, struct why *why)
{
    enum err err = put_row(journal, TABLE_VERDICT, verdict, why);
    for (uint8_t i = 0; !err && i < CAUSE_COUNT; i++) {
        uint8_t cause = verdict->order[i];
        struct cause_row row = {verdict->incident, verdict->revision, (uint8_t)(i + 1), cause,
                                verdict->posterior[cause]};
        err = put_row(journal, TABLE_CAUSE, &row, why);
    }
    for (size_t i = 0; !err && i < EVIDENCE_COUNT; i++) {
        struct evidence_row row = {verdict->incident, verdict->revision, verdict->evidence[i]};
        if (!is_blank(row.evidence))
            err = put_row(journal, TABLE_EVIDENCE, &row, why);
    }
    return err;
}

static enum err put_conclusion(struct journal *journal, const struct conclusion *conclusion,
                               struct why *why)
{
    switch (conclusion->kind) {
    case CONCLUSION_EVENT: {
        struct event_row row = {conclusion->event, conclusion->time};
        return put_row(journal, TABLE_EVENT, &row, why);
    }
    case CONCLUSION_INCIDENT:
        return put_incident(journal, &conclusion->incident, why);
    case CONCLUSION_EPISODE: {
        struct episode_row row = {conclusion->episode, conclusion->time};
        return put_row(journal, TABLE_EPISODE, &row, why);
    }
    case CONCLUSION_VERDICT:
        return put_verdict(journal, conclusion->verdict, why);
    case CONCLUSION_NOTICE: {
        struct notice_row row = {conclusion->notice, conclusion->time};
        return put_row(journal, TABLE_NOTICE, &row, why);
    }
    case CONCLUSION_SERIES: {
        struct series_row row = {conclusion->series, conclusion->time};
        return put_row(journal, TABLE_SERIES, &row, why);
    }
    }
    assert(false); /* all kinds are above */
    return ERR_UNSUPPORTED;
}

static enum err put_conclusions(struct journal *journal, const struct conclusions *conclusions,
                                struct why *why)
{
    enum err err = ERR_OK;
    for (size_t i = 0; !err && conclusions && i < conclusions->count; i++)
        err = put_conclusion(journal, &conclusions->list[i], why);
    return err;
}

static enum err put_rules(struct journal *journal, uint16_t rules, struct why *why)
{
    sqlite3_stmt *insert;
    enum err err = ready(journal, STATEMENT_RULES, &insert, why);
    if (err)
        return err;
    sqlite3_bind_int64(insert, 1, rules); /* the column's type makes it text */
    return db_done(&journal->db, insert, "writing the version of the rules", why);
}

static enum err put_source(struct journal *journal, const struct journal_batch *batch,
                           struct why *why)
{
    sqlite3_stmt *insert;
    enum err err = ready(journal, STATEMENT_SOURCE, &insert, why);
    if (err)
        return err;
    sqlite3_bind_text(insert, 1, batch->source, -1, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 2, (int64_t)batch->source_done);
    sqlite3_bind_int64(insert, 3, batch->source_is_complete);
    return db_done(&journal->db, insert, "writing how far a source is", why);
}

static enum err put_checkpoint(struct journal *journal, uint64_t seq, const struct buffer *bytes,
                               struct why *why)
{
    sqlite3_stmt *insert, *remove;
    enum err err = ready(journal, STATEMENT_CHECKPOINT, &insert, why);
    if (!err)
        err = ready(journal, STATEMENT_OLD_CHECKPOINTS, &remove, why);
    if (err)
        return err;
    sqlite3_bind_int64(remove, 1, (int64_t)seq);
    err = db_done(&journal->db, remove, "removing an old checkpoint", why);
    if (err)
        return err;
    sqlite3_bind_int64(insert, 1, (int64_t)seq);
    sqlite3_bind_int64(insert, 2, block_checksum(seq, bytes->size, bytes->bytes, bytes->size));
    sqlite3_bind_blob64(insert, 3, bytes->bytes ? bytes->bytes : "", bytes->size, SQLITE_STATIC);
    return db_done(&journal->db, insert, "writing a checkpoint", why);
}

static enum err put_batch(struct journal *journal, const struct journal_batch *batch,
                          struct why *why)
{
    enum err err = put_names(journal, batch->registry, why);
    if (!err)
        err = put_charts(journal, batch, why);
    if (!err)
        err = put_observations(journal, batch, why);
    if (!err)
        err = put_subjects(journal, batch, why);
    if (!err)
        err = put_conclusions(journal, batch->conclusions, why);
    if (!err && batch->rules && batch->rules != journal->rules)
        err = put_rules(journal, batch->rules, why);
    if (!err && batch->source)
        err = put_source(journal, batch, why);
    if (!err && batch->checkpoint)
        err = put_checkpoint(journal, journal->last_seq + batch->count, batch->checkpoint, why);
    return err;
}

/* SQLite would go on writing into a file without a name, which is lost when we end. */
static enum err check_place(const struct journal *journal, struct why *why)
{
    int has_moved = 0;
    sqlite3_file_control(journal->db.handle, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
    if (!has_moved)
        return ERR_OK;
    return why_set(
        why, ERR_IO,
        "%s was moved or deleted while it is written: move it back, or start again, which "
        "begins a new one",
        journal->path);
}

enum err journal_commit(struct journal *journal, const struct journal_batch *batch, struct why *why)
{
    assert(!batch->count || batch->observations[0].seq == journal->last_seq + 1);
    if (journal->mode != JOURNAL_WRITE)
        return db_fail(&journal->db, SQLITE_READONLY, "committing to a journal opened to read",
                       why);
    enum err err = check_place(journal, why);
    if (!err)
        err = db_run(&journal->db, "BEGIN IMMEDIATE", "beginning a commit", why);
    if (err)
        return err;
    err = put_batch(journal, batch, why);
    if (!err)
        err = db_run(&journal->db, "COMMIT", "committing", why);
    if (err) {
        /* SQLite has rolled back some failures already. */
        if (!sqlite3_get_autocommit(journal->db.handle))
            sqlite3_exec(journal->db.handle, "ROLLBACK", NULL, NULL, NULL);
        chart_sums_free(journal->sums);
        journal->sums = NULL;
        return err;
    }
    journal->described = journal->describing;
    journal->last_seq += batch->count;
    journal->last_block += (batch->count + BLOCK_MAX - 1) / BLOCK_MAX;
    journal->names = registry_count(batch->registry);
    journal->rules = batch->rules ? batch->rules : journal->rules;
    return ERR_OK;
}
