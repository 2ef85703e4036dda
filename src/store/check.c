#include "base/mem.h"
#include "store/inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What db check looks at, from the bottom up: SQLite's own structures, names, blocks, and that
 * nothing refers to what is not there. A fault never ends the check; only a failure of ours does.
 */
struct check {
    struct journal *journal;
    void (*report)(void *context, const char *fault);
    void *context;
    uint64_t faults;
    struct registry *registry; /* the names, as far as they are sound */
};

static void fault(struct check *check, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void fault(struct check *check, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    check->faults++;
    if (check->report)
        check->report(check->context, text);
}

/* A question that damage kept from being answered is a fault; any other failure is ours. */
static enum err judge(struct check *check, const struct why *mine, const char *where,
                      struct why *why)
{
    if (mine->err != ERR_CORRUPT)
        return why_set(why, mine->err, "%s", mine->text);
    fault(check, "%s cannot be read to the end: a page is damaged", where);
    return ERR_OK;
}

static enum err check_structure(struct check *check, struct why *why)
{
    DB_STATEMENT select = NULL;
    const struct db *db = &check->journal->db;
    enum err err = db_prepare(db, "PRAGMA integrity_check(100)", &select, why);
    if (err)
        return err;
    struct why mine = {0};
    int status;
    while ((status = db_step(db, select, "checking its structure", &mine)) == 1) {
        const char *text = (const char *)sqlite3_column_text(select, 0);
        if (text && strcmp(text, "ok") != 0)
            fault(check, "the file's structure: %s", text);
    }
    return status < 0 ? judge(check, &mine, "the file's structure", why) : ERR_OK;
}

/* One name. Only an unbroken run of sound names goes into the registry. */
static void check_name(struct check *check, sqlite3_stmt *select, int64_t *expected)
{
    int64_t id = sqlite3_column_int64(select, 0);
    const char *word = (const char *)sqlite3_column_text(select, 1);
    const char *text = (const char *)sqlite3_column_text(select, 2);
    size_t n = (size_t)sqlite3_column_bytes(select, 2);
    enum name_kind kind = schema_name_kind_of(word);
    if (id != *expected)
        fault(check, "names %lld to %lld are missing", (long long)*expected, (long long)id - 1);
    *expected = id + 1;
    if (!kind || !text) {
        fault(check, "name %lld has the unknown kind '%.40s'", (long long)id, word ? word : "");
        return;
    }
    uint32_t found = registry_find(check->registry, kind, text, n);
    if (found) {
        fault(check, "name %lld ('%.80s') is there twice, also as %u", (long long)id, text, found);
        return;
    }
    bool is_next = registry_count(check->registry) + 1 == id;
    uint32_t got = registry_intern(check->registry, kind, text, n);
    if (!got)
        fault(check, "name %lld ('%.80s') cannot be a %s", (long long)id, text, word);
    else if (is_next && got != id)
        fault(check, "name %lld ('%.80s') is not in its canonical form", (long long)id, text);
}

static enum err check_names(struct check *check, struct why *why)
{
    DB_STATEMENT select = NULL;
    const struct db *db = &check->journal->db;
    enum err err = db_prepare(db, "SELECT id, kind, text FROM name ORDER BY id", &select, why);
    if (err)
        return err;
    struct why mine = {0};
    int status;
    int64_t expected = 1;
    while ((status = db_step(db, select, "checking names", &mine)) == 1)
        check_name(check, select, &expected);
    return status < 0 ? judge(check, &mine, "table name", why) : ERR_OK;
}

/* The kinds of name that a member of an observation may refer to, as bits; 1 is "none". */
struct reference {
    uint32_t source, target, peer, path;
};
#define KIND(kind) (1U << NAME_##kind)
static const struct reference references[OBSERVATION_KIND_COUNT] = {
    [OBSERVATION_PROBE] = {KIND(VANTAGE), KIND(TARGET) | KIND(CONTROL), KIND(NONE) | KIND(ADDRESS),
                           KIND(NONE) | KIND(TARGET) | KIND(CONTROL)},
    [OBSERVATION_ROUTE] = {KIND(COLLECTOR), KIND(PREFIX), KIND(PEER), KIND(NONE) | KIND(PATH)},
    [OBSERVATION_PEER] = {KIND(COLLECTOR), KIND(NONE), KIND(PEER), KIND(NONE)},
    [OBSERVATION_VISIBILITY] = {KIND(COLLECTOR), KIND(PREFIX), KIND(NONE), KIND(NONE)},
    [OBSERVATION_TICK] = {KIND(NONE), KIND(NONE), KIND(NONE), KIND(NONE)},
    [OBSERVATION_GAP] = {KIND(VANTAGE) | KIND(COLLECTOR), KIND(NONE), KIND(NONE),
                         KIND(NONE) | KIND(TEXT)},
    [OBSERVATION_START] = {KIND(VANTAGE) | KIND(COLLECTOR), KIND(NONE), KIND(NONE), KIND(NONE)},
    [OBSERVATION_STOP] = {KIND(VANTAGE) | KIND(COLLECTOR), KIND(NONE), KIND(NONE), KIND(NONE)},
    [OBSERVATION_SUBJECT] = {KIND(NONE), KIND(SUBJECT), KIND(NONE), KIND(NONE) | KIND(TEXT)},
    [OBSERVATION_MEMBER] = {KIND(NONE),
                            KIND(TARGET) | KIND(PREFIX) | KIND(ASN) | KIND(COUNTRY) | KIND(ZONE) |
                                KIND(CONTROL),
                            KIND(SUBJECT), KIND(NONE)},
    [OBSERVATION_BIN] = {KIND(NONE), KIND(NONE) | KIND(ASN) | KIND(COUNTRY),
                         KIND(NONE) | KIND(SUBJECT), KIND(NONE)},
};

static bool is_kind(const struct check *check, uint32_t id, uint32_t allowed)
{
    if (id > registry_count(check->registry))
        return true; /* a fault of the names, told there */
    return allowed >> registry_kind(check->registry, id) & 1;
}

/* What it refers to that cannot be, or NULL. */
static const char *bad_reference(const struct check *check, const struct observation *o)
{
    const struct reference *allowed = &references[o->kind];
    return !is_kind(check, o->source, allowed->source)   ? "source"
           : !is_kind(check, o->target, allowed->target) ? "target"
           : !is_kind(check, o->peer, allowed->peer)     ? "peer"
           : !is_kind(check, o->path, allowed->path)     ? "path"
                                                         : NULL;
}

static void check_observations(struct check *check, uint64_t number, const struct block *block)
{
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (uint64_t i = 0; i < block->count; i++) {
        const struct observation *o = &block->observations[i];
        first = o->time.ns < first ? o->time.ns : first;
        last = o->time.ns > last ? o->time.ns : last;
        const char *bad = bad_reference(check, o);
        if (bad)
            fault(check, "observation %llu (%s): its %s is a name of the wrong kind",
                  (unsigned long long)o->seq, observation_kind_name(o->kind), bad);
    }
    if (block->count && (first != block->first_time.ns || last != block->last_time.ns))
        fault(check, "block %llu: its times are not those of its observations",
              (unsigned long long)number);
}

static enum err check_blocks(struct check *check, struct why *why)
{
    struct block block = {0};
    uint64_t next_seq = 1;
    int status = 1;
    bool is_known = true; /* whether next_seq is: not after a block that could not be read */
    for (uint64_t number = 1; status >= 0 && number <= check->journal->last_block; number++) {
        const char *reason;
        status = block_load(check->journal, number, &block, &reason, why);
        if (status == 0)
            fault(check, "block %llu %s: its observations are lost", (unsigned long long)number,
                  reason);
        if (status == 1 && is_known && block.first_seq != next_seq)
            fault(check, "block %llu begins with observation %llu and not with %llu",
                  (unsigned long long)number, (unsigned long long)block.first_seq,
                  (unsigned long long)next_seq);
        if (status == 1)
            check_observations(check, number, &block);
        is_known = status == 1;
        next_seq = block.first_seq + block.count;
    }
    block_done(&block);
    return status < 0 ? (why ? why->err : ERR_IO) : ERR_OK;
}

/* Each counts rows that must not be there. */
struct orphan {
    const char *sql, *says;
};
static const struct orphan orphans[] = {
    {"SELECT count(*) FROM event WHERE incident <> 0 AND incident NOT IN (SELECT id FROM incident)",
     "events belong to an incident that is not there"},
    {"SELECT count(*) FROM episode WHERE incident NOT IN (SELECT id FROM incident)",
     "episodes belong to an incident that is not there"},
    {"SELECT count(*) FROM incident_layer WHERE (incident, revision) NOT IN "
     "(SELECT id, revision FROM incident)",
     "layers belong to a revision that is not there"},
    {"SELECT count(*) FROM verdict WHERE (incident, revision) NOT IN "
     "(SELECT id, revision FROM incident)",
     "verdicts belong to a revision that is not there"},
    {"SELECT count(*) FROM verdict_cause WHERE (incident, revision) NOT IN "
     "(SELECT incident, revision FROM verdict)",
     "causes belong to a verdict that is not there"},
    {"SELECT count(*) FROM evidence WHERE (incident, revision) NOT IN "
     "(SELECT incident, revision FROM verdict)",
     "findings belong to a verdict that is not there"},
    {"SELECT max(0, max(id) - count(*)) FROM event", "events are missing from the numbering"},
    {"SELECT max(0, max(id) - count(DISTINCT id)) FROM incident",
     "incidents are missing from the numbering"},
};

static enum err check_orphans(struct check *check, const char *sql, const char *table,
                              const char *says, struct why *why)
{
    int64_t n = 0;
    struct why mine = {0};
    if (db_number(&check->journal->db, sql, 0, &n, &mine))
        return judge(check, &mine, says, why);
    if (n)
        fault(check, "%lld %s%s%s", (long long)n, table, *table ? ": " : "", says);
    return ERR_OK;
}

/* Every column that holds a name's number. */
static enum err check_columns(struct check *check, const struct table *table, struct why *why)
{
    enum err err = ERR_OK;
    struct buffer sql = {0};
    for (size_t i = 0; !err && i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        if (column->type != COLUMN_NAME && column->type != COLUMN_NAME_KEY)
            continue;
        buffer_clear(&sql);
        buffer_printf(&sql,
                      "SELECT count(*) FROM %s WHERE %s > 0 AND %s NOT IN "
                      "(SELECT id FROM name)",
                      table->name, column->name, column->name);
        err = check_orphans(check, sql.bytes, table->name, "rows refer to a name that is not there",
                            why);
    }
    buffer_done(&sql);
    return err;
}

static enum err check_conclusions(struct check *check, struct why *why)
{
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < sizeof orphans / sizeof orphans[0]; i++)
        err = check_orphans(check, orphans[i].sql, "", orphans[i].says, why);
    for (int i = 0; !err && i < TABLE_COUNT; i++)
        err = check_columns(check, &schema_tables[i], why);
    return err;
}

/* 1 for a row of a chart, 0 if there are no more, -1 for a failure. */
static int check_chart(struct check *check, sqlite3_stmt *select, struct why *why)
{
    int status = db_step(&check->journal->db, select, "checking charts", why);
    if (status != 1)
        return status;
    uint32_t part = (uint32_t)sqlite3_column_int64(select, 0);
    struct utc begin = {sqlite3_column_int64(select, 1)};
    uint64_t seq = (uint64_t)sqlite3_column_int64(select, 2);
    const void *data = sqlite3_column_blob(select, 4);
    size_t n = (size_t)sqlite3_column_bytes(select, 4);
    struct reader row = reader_of(data, n);
    struct chart_point point = {0};
    chart_sums_find(&row, 0, UINT32_MAX, &point);
    if (row.bad || seq > check->journal->last_seq ||
        sqlite3_column_int64(select, 3) != chart_checksum(part, begin, seq, data, n))
        fault(check, "a row of the charts is damaged: charts of that time take longer");
    return 1;
}

static enum err check_charts(struct check *check, struct why *why)
{
    int64_t is_there;
    const struct db *db = &check->journal->db;
    enum err err =
        db_number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'chart'", 0, &is_there, why);
    if (err || !is_there) /* a journal of before there were charts */
        return err;
    DB_STATEMENT select = NULL;
    err = db_prepare(db, "SELECT part, begin, until_seq, checksum, data FROM chart", &select, why);
    if (err)
        return err;
    struct why mine = {0};
    int status = 1;
    while (status == 1)
        status = check_chart(check, select, &mine);
    return status < 0 ? judge(check, &mine, "table chart", why) : ERR_OK;
}

/* A damaged checkpoint costs time and nothing else; it is told all the same. */
static enum err check_checkpoint(struct check *check, struct why *why)
{
    int64_t stored = 0;
    struct why mine = {0};
    if (db_number(&check->journal->db, "SELECT count(*) FROM checkpoint", 0, &stored, &mine))
        return judge(check, &mine, "table checkpoint", why);
    struct buffer bytes = {0};
    uint64_t seq;
    enum err err = journal_load_checkpoint(check->journal, &bytes, &seq, why);
    if (!err && stored && !seq)
        fault(check, "the checkpoint is damaged: the next start judges everything again, which "
                     "mends it");
    buffer_done(&bytes);
    return err;
}

enum err journal_check(struct journal *journal, void (*report)(void *context, const char *fault),
                       void *context, uint64_t *faults, struct why *why)
{
    struct check check = {.journal = journal, .report = report, .context = context};
    struct why mine = {0};
    check.registry = registry_new();
    enum err err = check_structure(&check, &mine);
    if (!err)
        err = check_names(&check, &mine);
    if (!err)
        err = check_blocks(&check, &mine);
    if (!err)
        err = check_conclusions(&check, &mine);
    if (!err)
        err = check_checkpoint(&check, &mine);
    if (!err)
        err = check_charts(&check, &mine);
    registry_free(check.registry);
    *faults = check.faults;
    return err ? why_set(why, err, "%s", mine.text) : ERR_OK;
}
