#include "store/query.h"

#include "store/inside.h"

#include <stdlib.h>
#include <string.h>

/* A question about one table: rows are fetched one by one into a growing list. */
struct rows {
    void *list; /* in the arena */
    size_t count, capacity;
};

static void *add_row(struct rows *rows, size_t size, struct arena *arena)
{
    if (rows->count == rows->capacity) {
        rows->capacity = rows->capacity ? rows->capacity * 2 : 16;
        void *list = arena_alloc(arena, rows->capacity * size);
        if (rows->count)
            memcpy(list, rows->list, rows->count * size);
        rows->list = list;
    }
    return (char *)rows->list + rows->count++ * size;
}

static enum err fail_word(const struct journal *journal, const struct table *table, struct why *why)
{
    return why_set(why, ERR_VERSION,
                   "%s: table %s has a word that this version does not know: use the version of "
                   "lastlight that wrote it, or a newer one",
                   journal->path, table->name);
}

/* `rest` is what follows FROM; a and b are bound to its parameters as far as it has them. */
static enum err select_rows(struct journal *journal, enum table_number number, const char *rest,
                            int64_t a, int64_t b, struct arena *arena, struct rows *out,
                            struct why *why)
{
    const struct table *table = &schema_tables[number];
    struct buffer sql = {0};
    table_select_sql(table, rest, &sql);
    DB_STATEMENT select = NULL;
    enum err err = db_prepare(&journal->db, sql.bytes, &select, why);
    buffer_done(&sql);
    if (err)
        return err;
    if (sqlite3_bind_parameter_count(select) > 0)
        sqlite3_bind_int64(select, 1, a);
    if (sqlite3_bind_parameter_count(select) > 1)
        sqlite3_bind_int64(select, 2, b);
    struct why mine = {0};
    int status;
    while ((status = db_step(&journal->db, select, "reading conclusions", &mine)) == 1)
        if (!table_fetch(table, select, add_row(out, table->row_size, arena)))
            return fail_word(journal, table, why);
    return status < 0 ? why_set(why, mine.err, "%s", mine.text) : ERR_OK;
}

/* A reader has its snapshot already; a writer that asks gets one for the question. */
static enum err begin(struct journal *journal, bool *is_begun, struct why *why)
{
    *is_begun = sqlite3_get_autocommit(journal->db.handle);
    return *is_begun ? db_run(&journal->db, "BEGIN", "taking a snapshot", why) : ERR_OK;
}

static void end(struct journal *journal, bool is_begun)
{
    if (is_begun && journal->mode == JOURNAL_WRITE)
        sqlite3_exec(journal->db.handle, "COMMIT", NULL, NULL, NULL);
}

static uint64_t file_size(struct journal *journal, int which)
{
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;
    if (sqlite3_file_control(journal->db.handle, "main", which, &file) != SQLITE_OK || !file ||
        !file->pMethods || file->pMethods->xFileSize(file, &size) != SQLITE_OK)
        return 0;
    return (uint64_t)size;
}

enum err query_counts(struct journal *journal, struct journal_counts *out, struct why *why)
{
    int64_t events = 0, incidents = 0, first = 0, last = 0;
    bool is_begun;
    enum err err = begin(journal, &is_begun, why);
    if (err)
        return err;
    /* Events and incidents are numbered without gaps: the highest number is how many there are. */
    err = db_number(&journal->db, "SELECT max(id) FROM event", 0, &events, why);
    if (!err)
        err = db_number(&journal->db, "SELECT max(id) FROM incident", 0, &incidents, why);
    if (!err)
        err = db_number(&journal->db, "SELECT min(first_time) FROM block", 0, &first, why);
    if (!err)
        err = db_number(&journal->db, "SELECT max(last_time) FROM block", 0, &last, why);
    end(journal, is_begun);
    if (err)
        return err;
    *out = (struct journal_counts){
        .observations = journal->last_seq,
        .blocks = journal->last_block,
        .names = journal->names,
        .events = (uint64_t)events,
        .incidents = (uint64_t)incidents,
        .bytes = file_size(journal, SQLITE_FCNTL_FILE_POINTER) +
                 file_size(journal, SQLITE_FCNTL_JOURNAL_POINTER),
        .first = {first},
        .last = {last},
    };
    return ERR_OK;
}

static enum err load_layers(struct journal *journal, struct incident *incident, struct arena *arena,
                            struct why *why)
{
    struct rows rows = {0};
    enum err err = select_rows(journal, TABLE_LAYER, "WHERE incident = ? AND revision = ?",
                               incident->id, incident->revision, arena, &rows, why);
    const struct layer_row *list = rows.list;
    for (size_t i = 0; !err && i < rows.count; i++)
        if (list[i].layer < LAYER_COUNT)
            incident->layers[list[i].layer] = list[i].history;
    return err;
}

static enum err load_all_layers(struct journal *journal, struct rows *incidents,
                                struct arena *arena, struct why *why)
{
    enum err err = ERR_OK;
    struct incident *list = incidents->list;
    for (size_t i = 0; !err && i < incidents->count; i++)
        err = load_layers(journal, &list[i], arena, why);
    return err;
}

/* From incident to incident along the key, which has the newest revision first: older ones are
 * passed over unread. */
static const char newest_of_all[] =
    "JOIN (WITH RECURSIVE every(at) AS (SELECT min(id) FROM incident UNION ALL "
    "SELECT (SELECT min(id) FROM incident WHERE id > at) FROM every WHERE at IS NOT NULL) "
    "SELECT at FROM every WHERE at IS NOT NULL) ON id = at AND revision = "
    "(SELECT revision FROM incident WHERE id = at ORDER BY revision DESC LIMIT 1) "
    "WHERE (?1 = 0 OR subject = ?1) ORDER BY id";

enum err query_incidents(struct journal *journal, uint32_t subject, struct arena *arena,
                         struct incident_list *out, struct why *why)
{
    bool is_begun;
    struct rows rows = {0};
    enum err err = begin(journal, &is_begun, why);
    if (err)
        return err;
    err = select_rows(journal, TABLE_INCIDENT, newest_of_all, subject, 0, arena, &rows, why);
    if (!err)
        err = load_all_layers(journal, &rows, arena, why);
    end(journal, is_begun);
    if (err)
        return err;
    out->list = rows.list;
    out->count = rows.count;
    return ERR_OK;
}

/* Causes that the version which judged did not know come last. */
static void add_unknown_causes(struct verdict *verdict, size_t n)
{
    bool is_there[CAUSE_COUNT] = {false};
    for (size_t i = 0; i < n; i++)
        is_there[verdict->order[i]] = true;
    for (uint8_t cause = 0; cause < CAUSE_COUNT; cause++)
        if (!is_there[cause])
            verdict->order[n++] = cause;
}

/* Rows and verdicts are both in order of revision. */
static enum err load_causes(struct journal *journal, uint32_t id, struct verdict *verdicts,
                            size_t count, struct arena *arena, struct why *why)
{
    struct rows rows = {0};
    enum err err = select_rows(journal, TABLE_CAUSE, "WHERE incident = ? ORDER BY revision, rank",
                               id, 0, arena, &rows, why);
    if (err)
        return err;
    const struct cause_row *row = rows.list;
    const struct cause_row *last = row + rows.count;
    for (size_t i = 0; i < count; i++) {
        size_t n = 0;
        for (; row < last && row->revision <= verdicts[i].revision; row++) {
            if (row->revision < verdicts[i].revision || row->cause >= CAUSE_COUNT ||
                n == CAUSE_COUNT)
                continue;
            verdicts[i].order[n++] = row->cause;
            verdicts[i].posterior[row->cause] = row->posterior;
        }
        add_unknown_causes(&verdicts[i], n);
    }
    return ERR_OK;
}

static enum err load_evidence(struct journal *journal, uint32_t id, struct verdict *verdicts,
                              size_t count, struct arena *arena, struct why *why)
{
    struct rows rows = {0};
    enum err err = select_rows(journal, TABLE_EVIDENCE, "WHERE incident = ? ORDER BY revision", id,
                               0, arena, &rows, why);
    if (err)
        return err;
    const struct evidence_row *row = rows.list;
    const struct evidence_row *last = row + rows.count;
    for (size_t i = 0; i < count; i++) {
        for (size_t kind = 0; kind < EVIDENCE_COUNT; kind++)
            verdicts[i].evidence[kind].finding.kind = (uint8_t)kind;
        for (; row < last && row->revision <= verdicts[i].revision; row++)
            if (row->revision == verdicts[i].revision &&
                row->evidence.finding.kind < EVIDENCE_COUNT)
                verdicts[i].evidence[row->evidence.finding.kind] = row->evidence;
    }
    return ERR_OK;
}

static enum err load_verdicts(struct journal *journal, uint32_t id, struct arena *arena,
                              struct incident_file *out, struct why *why)
{
    struct rows rows = {0};
    enum err err = select_rows(journal, TABLE_VERDICT, "WHERE incident = ? ORDER BY revision", id,
                               0, arena, &rows, why);
    struct verdict *list = rows.list;
    if (!err)
        err = load_causes(journal, id, list, rows.count, arena, why);
    if (!err)
        err = load_evidence(journal, id, list, rows.count, arena, why);
    out->verdicts = list;
    out->verdict_count = rows.count;
    return err;
}

static enum err load_revisions(struct journal *journal, uint32_t id, struct arena *arena,
                               struct incident_file *out, struct why *why)
{
    struct rows rows = {0};
    enum err err = select_rows(journal, TABLE_INCIDENT, "WHERE id = ? ORDER BY revision", id, 0,
                               arena, &rows, why);
    if (!err && !rows.count)
        err = why_set(why, ERR_NOT_FOUND,
                      "%s has no incident %u: `lastlight incidents` lists those that there are",
                      journal->path, id);
    if (!err)
        err = load_all_layers(journal, &rows, arena, why);
    if (err)
        return err;
    out->revisions = rows.list;
    out->revision_count = rows.count;
    out->incident = out->revisions[rows.count - 1];
    return ERR_OK;
}

static enum err load_episodes(struct journal *journal, uint32_t id, struct arena *arena,
                              struct incident_file *out, struct why *why)
{
    struct rows rows = {0};
    enum err err = select_rows(journal, TABLE_EPISODE, "WHERE incident = ? ORDER BY number", id, 0,
                               arena, &rows, why);
    const struct episode_row *row = rows.list;
    struct episode *list = arena_alloc(arena, rows.count * sizeof *list);
    for (size_t i = 0; i < rows.count; i++)
        list[i] = row[i].episode;
    out->episodes = list;
    out->episode_count = rows.count;
    return err;
}

static enum err load_events(struct journal *journal, uint32_t id, struct arena *arena,
                            struct incident_file *out, struct why *why)
{
    struct rows rows = {0};
    enum err err = select_rows(journal, TABLE_EVENT, "WHERE incident = ? ORDER BY id", id, 0, arena,
                               &rows, why);
    const struct event_row *row = rows.list;
    struct event *list = arena_alloc(arena, rows.count * sizeof *list);
    for (size_t i = 0; i < rows.count; i++)
        list[i] = row[i].event;
    out->events = list;
    out->event_count = rows.count;
    return err;
}

enum err query_incident(struct journal *journal, uint32_t id, struct arena *arena,
                        struct incident_file *out, struct why *why)
{
    bool is_begun;
    enum err err = begin(journal, &is_begun, why);
    if (err)
        return err;
    struct incident_file file = {0};
    err = load_revisions(journal, id, arena, &file, why);
    if (!err)
        err = load_episodes(journal, id, arena, &file, why);
    if (!err)
        err = load_events(journal, id, arena, &file, why);
    if (!err)
        err = load_verdicts(journal, id, arena, &file, why);
    end(journal, is_begun);
    if (!err)
        *out = file;
    return err;
}

enum err query_subjects(struct journal *journal, struct arena *arena, struct subject_list *out,
                        struct why *why)
{
    /* Names are numbered in order of first appearance. */
    struct rows rows = {0};
    enum err err = select_rows(journal, TABLE_SUBJECT, "ORDER BY subject", 0, 0, arena, &rows, why);
    if (err)
        return err;
    const struct subject_row *row = rows.list;
    struct subject_state *list = arena_alloc(arena, rows.count * sizeof *list);
    for (size_t i = 0; i < rows.count; i++) {
        list[i] = (struct subject_state){.subject = row[i].subject,
                                         .title = row[i].title,
                                         .utc_offset_s = row[i].utc_offset_s,
                                         .is_reconstruction = row[i].is_reconstruction,
                                         .targets = row[i].targets,
                                         .since = row[i].since};
    }
    *out = (struct subject_list){list, rows.count};
    return ERR_OK;
}

enum err query_notices(struct journal *journal, struct arena *arena, struct notice_list *out,
                       struct why *why)
{
    struct rows rows = {0};
    enum err err = select_rows(journal, TABLE_NOTICE, "ORDER BY id", 0, 0, arena, &rows, why);
    if (err)
        return err;
    const struct notice_row *row = rows.list;
    struct notice *list = arena_alloc(arena, rows.count * sizeof *list);
    for (size_t i = 0; i < rows.count; i++)
        list[i] = row[i].notice;
    *out = (struct notice_list){list, rows.count};
    return ERR_OK;
}

static int compare_u32(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

/* Layers are kept by name, which does not sort as they do. */
static int compare_series(const void *a, const void *b)
{
    const struct series_state *x = a, *y = b;
    int order = compare_u32(x->subject, y->subject);
    if (!order)
        order = compare_u32(x->layer, y->layer);
    if (!order)
        order = compare_u32(x->target, y->target);
    return order ? order : compare_u32(x->source, y->source);
}

enum err query_series(struct journal *journal, uint32_t subject, struct arena *arena,
                      struct series_list *out, struct why *why)
{
    struct rows rows = {0};
    enum err err = select_rows(journal, TABLE_SERIES, "WHERE (?1 = 0 OR subject = ?1)", subject, 0,
                               arena, &rows, why);
    if (err)
        return err;
    const struct series_row *row = rows.list;
    struct series_state *list = arena_alloc(arena, rows.count * sizeof *list);
    for (size_t i = 0; i < rows.count; i++)
        list[i] = row[i].series;
    if (rows.count)
        qsort(list, rows.count, sizeof *list, compare_series);
    *out = (struct series_list){list, rows.count};
    return ERR_OK;
}
