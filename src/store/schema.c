#include "store/schema.h"

#include "store/journal.h"

#include <stdio.h>
#include <string.h>

/* "LLit": tells a journal from other SQLite files. */
#define APPLICATION_ID INT64_C(0x4c4c6974)

#define COLUMN(name, type, row, member, says)                                                      \
    {                                                                                              \
        name, COLUMN_##type, offsetof(struct row, member), says                                    \
    }
/* An interval is two columns. */
#define SPAN(name, row, member, says)                                                              \
    COLUMN(name "_after", TIME, row, member.last_before, says ", not before"),                     \
        COLUMN(name "_by", TIME, row, member.first_after, says ", not after")

static const struct column event_columns[] = {
    COLUMN("id", U32, event_row, event.id, "1, 2, ..."),
    COLUMN("incident", U32, event_row, event.incident, "0 for none"),
    COLUMN("subject", NAME, event_row, event.subject, "name"),
    COLUMN("source", NAME, event_row, event.source, "name of the vantage, NULL for routes"),
    COLUMN("target", NAME, event_row, event.target, "name of the target or prefix"),
    COLUMN("layer", LAYER, event_row, event.layer, ""),
    COLUMN("old", CONDITION, event_row, event.from, "condition before"),
    COLUMN("new", CONDITION, event_row, event.to, "condition after"),
    COLUMN("outcome", OUTCOME, event_row, event.outcome, "commonest bad outcome of the change"),
    COLUMN("stage", STAGE, event_row, event.stage, "how far those probes got"),
    SPAN("changed", event_row, event.at, "it changed"),
    COLUMN("size", REAL, event_row, event.size, "share lost, or RTT over its usual value"),
    COLUMN("certainty", REAL, event_row, event.certainty, "belief in the new condition, 0 to 1"),
    COLUMN("concluded", TIME, event_row, concluded, "when, in the data, this was concluded"),
};

static const struct column incident_columns[] = {
    COLUMN("id", U32, incident, id, "1, 2, ..."),
    COLUMN("revision", U32, incident, revision, "1, 2, ...; the highest stands"),
    COLUMN("subject", NAME, incident, subject, "name"),
    COLUMN("judged", TIME, incident, judged, "when, in the data, this revision was made"),
    COLUMN("is_open", U8, incident, is_open, "1: not over yet"),
    COLUMN("episodes", U16, incident, episodes, "how many so far"),
    COLUMN("first_layer", LAYER, incident, first_layer, "what failed first, NULL: cannot be told"),
    COLUMN("first_target", NAME, incident, first_target, "name of the series that did"),
    COLUMN("vantages", U32, incident, vantages, "how many had data and a vote"),
    SPAN("began", incident, began, "it began"),
    SPAN("ended", incident, ended, "it ended"),
    COLUMN("depth", REAL, incident, depth, "largest share that was down, 0 to 1"),
};

static const struct column layer_columns[] = {
    COLUMN("incident", U32, layer_row, incident, ""),
    COLUMN("revision", U32, layer_row, revision, "of the incident"),
    COLUMN("layer", LAYER, layer_row, layer, ""),
    COLUMN("watched", U16, layer_row, history.extent.watched, "failure domains with data"),
    COLUMN("down", U16, layer_row, history.extent.down, "of those, down at the worst moment"),
    COLUMN("degraded", U16, layer_row, history.extent.degraded,
           "of those, degraded at that moment"),
    COLUMN("whole_watched", U16, layer_row, history.whole.watched,
           "of those watched, whole networks or zones"),
    COLUMN("whole_down", U16, layer_row, history.whole.down, "of those down"),
    COLUMN("whole_degraded", U16, layer_row, history.whole.degraded, "of those degraded"),
    SPAN("first_degraded", layer_row, history.degraded, "the first series degraded"),
    SPAN("first_down", layer_row, history.down, "the first series went down"),
    SPAN("all_down", layer_row, history.all_down, "the last of those that went down did"),
    SPAN("first_up", layer_row, history.first_up, "the first came back"),
    SPAN("all_up", layer_row, history.all_up, "the last came back"),
};

static const struct column episode_columns[] = {
    COLUMN("incident", U32, episode_row, episode.incident, ""),
    COLUMN("number", U16, episode_row, episode.number, "1, 2, ..."),
    COLUMN("is_open", U16, episode_row, episode.is_open, "1: not over yet"),
    SPAN("began", episode_row, episode.began, "it began"),
    SPAN("ended", episode_row, episode.ended, "it ended"),
    COLUMN("depth", REAL, episode_row, episode.depth, "largest share that was down, 0 to 1"),
    COLUMN("concluded", TIME, episode_row, concluded, "when, in the data, this was concluded"),
};

static const struct column verdict_columns[] = {
    COLUMN("incident", U32, verdict, incident, ""),
    COLUMN("revision", U32, verdict, revision, "of the incident"),
    COLUMN("judged", TIME, verdict, judged, "when, in the data"),
    COLUMN("rules", U16, verdict, rules, "version of the rules"),
    COLUMN("is_provisional", U8, verdict, is_provisional, "1: may still change"),
    COLUMN("call", CAUSE, verdict, call, "the cause, NULL: no call"),
    COLUMN("confidence", CONFIDENCE, verdict, confidence, "in the data"),
    COLUMN("set_size", U8, verdict, set_size, "the first so many causes hold 80 %"),
    COLUMN("settling_1", EVIDENCE, verdict, settling[0], "what would best settle it, if known"),
    COLUMN("settling_2", EVIDENCE, verdict, settling[1], "what would next"),
    COLUMN("settling_3", EVIDENCE, verdict, settling[2], "what would after that"),
};

static const struct column cause_columns[] = {
    COLUMN("incident", U32, cause_row, incident, ""),
    COLUMN("revision", U32, cause_row, revision, "of the incident"),
    COLUMN("rank", U8, cause_row, rank, "1: the most probable"),
    COLUMN("cause", CAUSE, cause_row, cause, ""),
    COLUMN("posterior", REAL, cause_row, posterior, "its probability, 0 to 1"),
};

static const struct column evidence_columns[] = {
    COLUMN("incident", U32, evidence_row, incident, ""),
    COLUMN("revision", U32, evidence_row, revision, "of the incident"),
    COLUMN("kind", EVIDENCE, evidence_row, evidence.finding.kind, "what was looked for"),
    COLUMN("truth", TRUTH, evidence_row, evidence.finding.truth, "whether it is there"),
    COLUMN("layer", LAYER, evidence_row, evidence.finding.layer, ""),
    COLUMN("name", NAME, evidence_row, evidence.finding.name, "name"),
    COLUMN("n", U32, evidence_row, evidence.finding.n, "n of m"),
    COLUMN("m", U32, evidence_row, evidence.finding.m, ""),
    COLUMN("a", REAL, evidence_row, evidence.finding.a, "figures of the finding's sentence"),
    COLUMN("b", REAL, evidence_row, evidence.finding.b, ""),
    SPAN("first", evidence_row, evidence.finding.first, "the first time in the sentence"),
    SPAN("second", evidence_row, evidence.finding.second, "the second"),
    COLUMN("weights", WEIGHTS, evidence_row, evidence.weight,
           "for (+) or against (-) causes, nats"),
};

static const struct column notice_columns[] = {
    COLUMN("id", U32, notice_row, notice.id, "1, 2, ..."),
    COLUMN("kind", NOTICE, notice_row, notice.kind, ""),
    COLUMN("source", NAME, notice_row, notice.source, "name of the vantage or collector"),
    COLUMN("target", NAME, notice_row, notice.target, "name of the peer or target"),
    COLUMN("is_open", U8, notice_row, notice.is_open, "1: not over yet"),
    COLUMN("n", U16, notice_row, notice.n, "controls that failed"),
    COLUMN("m", U16, notice_row, notice.m, "of those watched"),
    SPAN("began", notice_row, notice.began, "it began"),
    SPAN("ended", notice_row, notice.ended, "it ended"),
    COLUMN("concluded", TIME, notice_row, concluded, "when, in the data, this was concluded"),
};

static const struct column series_columns[] = {
    COLUMN("source", NAME_KEY, series_row, series.source, "name of the vantage, 0 for routes"),
    COLUMN("target", NAME_KEY, series_row, series.target, "name of the target or prefix"),
    COLUMN("subject", NAME, series_row, series.subject, "name"),
    COLUMN("layer", LAYER, series_row, series.layer, ""),
    COLUMN("condition", CONDITION, series_row, series.condition, "as it is now"),
    COLUMN("outcome", OUTCOME, series_row, series.outcome, "of the last observation"),
    COLUMN("is_counted", U8, series_row, series.is_counted, "0: its vantage has no vote"),
    COLUMN("was_up", U8, series_row, series.was_up, "1: it was up at least once"),
    SPAN("since", series_row, series.since, "it became so"),
    COLUMN("belief", REAL, series_row, series.belief, "that it is up, 0 to 1"),
    COLUMN("loss", REAL, series_row, series.loss, "share of probes lost, or of peers without it"),
    COLUMN("rtt_ns", REAL, series_row, series.rtt_ns, "median lately, 0 for none"),
    COLUMN("rtt_base_ns", REAL, series_row, series.rtt_base_ns, "the usual"),
    COLUMN("concluded", TIME, series_row, concluded, "when, in the data, this was concluded"),
};

static const struct column subject_columns[] = {
    COLUMN("subject", NAME_KEY, subject_row, subject, "name"),
    COLUMN("title", NAME, subject_row, title, "name"),
    COLUMN("utc_offset_s", I32, subject_row, utc_offset_s, "local time less UTC, seconds"),
    COLUMN("is_reconstruction", U8, subject_row, is_reconstruction, "1: observations were made up"),
    COLUMN("targets", U32, subject_row, targets, "how many it has, networks and zones too"),
    COLUMN("since", TIME, subject_row, since, "when it was last described"),
};

#define TABLE(name, key, is_replaced, row, columns, says)                                          \
    {                                                                                              \
        name, says, key, is_replaced, sizeof(struct row), columns,                                 \
            sizeof columns / sizeof columns[0]                                                     \
    }

const struct table schema_tables[TABLE_COUNT] = {
    /* An event is written again when it comes to belong to an incident: nothing else in it changes.
     */
    [TABLE_EVENT] = TABLE("event", "id", true, event_row, event_columns, "one series changed"),
    /* Newest revision first: the newest of every incident is found without reading the others. */
    [TABLE_INCIDENT] = TABLE("incident", "id, revision DESC", false, incident, incident_columns,
                             "what belongs together; every revision"),
    [TABLE_LAYER] = TABLE("incident_layer", "incident, revision DESC, layer", false, layer_row,
                          layer_columns, "what happened to each layer"),
    [TABLE_EPISODE] = TABLE("episode", "incident, number", true, episode_row, episode_columns,
                            "outages of one incident"),
    [TABLE_VERDICT] = TABLE("verdict", "incident, revision", false, verdict, verdict_columns,
                            "what the evidence says; every revision"),
    [TABLE_CAUSE] = TABLE("verdict_cause", "incident, revision, rank", false, cause_row,
                          cause_columns, "causes by probability"),
    [TABLE_EVIDENCE] = TABLE("evidence", "incident, revision, kind", false, evidence_row,
                             evidence_columns, "findings and their weights"),
    [TABLE_NOTICE] = TABLE("notice", "id", true, notice_row, notice_columns,
                           "about the observer, not about the subject"),
    [TABLE_SERIES] = TABLE("series", "source, target", true, series_row, series_columns,
                           "current state of each question"),
    [TABLE_SUBJECT] = TABLE("subject", "subject", true, subject_row, subject_columns,
                            "newest description of what is watched"),
};

/* Tables that hold no conclusions. Times of a block are the earliest and the latest in it. */
static const char fixed_tables[] =
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;\n"
    "CREATE TABLE code ( -- what the numbers in blocks mean\n"
    "    list TEXT, number INTEGER, name TEXT NOT NULL,\n"
    "    PRIMARY KEY (list, number)\n) STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE name ( -- everything that is referred to by number\n"
    "    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, text TEXT NOT NULL\n) STRICT;\n"
    "CREATE TABLE block ( -- runs of observations\n"
    "    number INTEGER PRIMARY KEY, -- 1, 2, ... without gaps\n"
    "    first_seq INTEGER NOT NULL UNIQUE, -- number of its first observation\n"
    "    count INTEGER NOT NULL, -- of observations\n"
    "    first_time INTEGER NOT NULL, -- ns since 1970\n"
    "    last_time INTEGER NOT NULL,\n"
    "    checksum INTEGER NOT NULL,\n"
    "    data BLOB NOT NULL -- to read it: lastlight export\n) STRICT;\n"
    "CREATE INDEX block_first_time ON block (first_time);\n"
    "CREATE INDEX block_last_time ON block (last_time, first_time);\n"
    "CREATE VIEW v_block AS SELECT number, first_seq, count,\n"
    "    strftime('%Y-%m-%dT%H:%M:%fZ', first_time / 1e9, 'unixepoch') AS first_time,\n"
    "    strftime('%Y-%m-%dT%H:%M:%fZ', last_time / 1e9, 'unixepoch') AS last_time,\n"
    "    length(data) AS bytes\nFROM block;\n"
    "CREATE TABLE source ( -- archives that were read in\n"
    "    key TEXT PRIMARY KEY,\n"
    "    done INTEGER NOT NULL, -- observations of it that are here\n"
    "    is_complete INTEGER NOT NULL\n) STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE checkpoint ( -- state of the judgement after one observation: a cache\n"
    "    seq INTEGER PRIMARY KEY, checksum INTEGER NOT NULL, data BLOB NOT NULL\n) STRICT;\n";

static const char chart_table[] =
    "CREATE TABLE IF NOT EXISTS chart ( -- what each question did in five minutes: a cache\n"
    "    part INTEGER, -- of the targets: their number / 128\n"
    "    begin INTEGER, -- ns since 1970\n"
    "    until_seq INTEGER, -- made of the observations up to this one\n"
    "    checksum INTEGER NOT NULL,\n"
    "    data BLOB NOT NULL,\n"
    "    PRIMARY KEY (part, begin, until_seq)\n) STRICT, WITHOUT ROWID;\n"
    "CREATE INDEX IF NOT EXISTS chart_until_seq ON chart (until_seq);\n";

static const char indexes[] = "CREATE INDEX event_incident ON event (incident, id);\n"
                              "CREATE INDEX incident_subject ON incident (subject);\n";

const char *schema_name_kind(enum name_kind kind)
{
    static const char *const words[NAME_KIND_COUNT] = {
        [NAME_NONE] = "none",           [NAME_TEXT] = "text",       [NAME_VANTAGE] = "vantage",
        [NAME_COLLECTOR] = "collector", [NAME_SUBJECT] = "subject", [NAME_TARGET] = "target",
        [NAME_CONTROL] = "control",     [NAME_PREFIX] = "prefix",   [NAME_ASN] = "asn",
        [NAME_ZONE] = "zone",           [NAME_PEER] = "peer",       [NAME_PATH] = "path",
        [NAME_ADDRESS] = "address",     [NAME_COUNTRY] = "country",
    };
    return words[kind];
}

enum name_kind schema_name_kind_of(const char *word)
{
    for (enum name_kind kind = NAME_TEXT; word && kind < NAME_KIND_COUNT; kind++)
        if (strcmp(schema_name_kind(kind), word) == 0)
            return kind;
    return NAME_NONE;
}

/* The numbers that blocks hold, in three lists. NULL beyond the last. */
static const char *code_name(unsigned list, unsigned number)
{
    switch (list) {
    case 0:
        return number < OUTCOME_COUNT ? outcome_name((enum outcome)number) : NULL;
    case 1:
        return number < STAGE_COUNT ? stage_name((enum stage)number) : NULL;
    default:
        return number == 0 ? "none"
               : number < OBSERVATION_KIND_COUNT
                   ? observation_kind_name((enum observation_kind)number)
                   : NULL;
    }
}

static const char *const code_lists[] = {"outcome", "stage", "kind"};
enum { CODE_LISTS = sizeof code_lists / sizeof code_lists[0] };

static enum err add_codes(const struct db *db, struct why *why)
{
    DB_STATEMENT insert = NULL;
    enum err err = db_prepare(db, "INSERT OR IGNORE INTO code VALUES (?, ?, ?)", &insert, why);
    for (unsigned list = 0; !err && list < CODE_LISTS; list++) {
        const char *name;
        for (unsigned number = 0; !err && (name = code_name(list, number)); number++) {
            sqlite3_bind_text(insert, 1, code_lists[list], -1, SQLITE_STATIC);
            sqlite3_bind_int64(insert, 2, number);
            sqlite3_bind_text(insert, 3, name, -1, SQLITE_STATIC);
            err = db_done(db, insert, "writing codes", why);
        }
    }
    return err;
}

enum err schema_complete(const struct db *db, struct why *why)
{
    enum err err = db_run(db, chart_table, "adding a table", why);
    return err ? err : add_codes(db, why);
}

static bool is_code_known(const char *list, int64_t number, const char *name)
{
    for (unsigned i = 0; i < CODE_LISTS; i++) {
        if (strcmp(code_lists[i], list) != 0)
            continue;
        const char *ours = number >= 0 && number < 256 ? code_name(i, (unsigned)number) : NULL;
        return ours && strcmp(ours, name) == 0;
    }
    return false;
}

/* Refuses a journal whose numbers mean something else here: better than to misread it. */
static enum err check_codes(const struct db *db, struct why *why)
{
    DB_STATEMENT select = NULL;
    enum err err = db_prepare(db, "SELECT list, number, name FROM code", &select, why);
    if (err)
        return err;
    struct why mine = {0};
    int status;
    while ((status = db_step(db, select, "reading codes", &mine)) == 1) {
        const char *list = (const char *)sqlite3_column_text(select, 0);
        const char *name = (const char *)sqlite3_column_text(select, 2);
        if (!list || !name || !is_code_known(list, sqlite3_column_int64(select, 1), name))
            return why_set(why, ERR_VERSION,
                           "%s has the %s '%s', which this version does not know under its "
                           "number: use the version of lastlight that wrote it, or a newer one",
                           db->path, list ? list : "code", name ? name : "");
    }
    return status < 0 ? why_set(why, mine.err, "%s", mine.text) : ERR_OK;
}

enum err schema_recognise(const struct db *db, bool *is_empty, struct why *why)
{
    int64_t application = 0, version = 0, tables = 0;
    enum err err = db_number(db, "PRAGMA application_id", 0, &application, why);
    if (!err)
        err = db_number(db, "PRAGMA user_version", 0, &version, why);
    if (!err)
        err = db_number(db, "SELECT count(*) FROM sqlite_schema", 0, &tables, why);
    if (err)
        return err;
    *is_empty = application == 0 && version == 0 && tables == 0;
    if (*is_empty)
        return ERR_OK;
    if (application != APPLICATION_ID)
        return why_set(why, ERR_INPUT,
                       "%s is an SQLite database of another program: give the path of a journal, "
                       "or of a file that does not exist yet",
                       db->path);
    if (version != JOURNAL_SCHEMA)
        return why_set(why, ERR_VERSION,
                       "%s has schema %lld, this version of lastlight knows %d: use the version "
                       "that wrote it or a newer one, or give the path of another journal",
                       db->path, (long long)version, JOURNAL_SCHEMA);
    return check_codes(db, why);
}

enum err schema_create(const struct db *db, struct why *why)
{
    struct buffer sql = {0};
    buffer_puts(&sql, fixed_tables);
    for (int i = 0; i < TABLE_COUNT; i++)
        table_create_sql(&schema_tables[i], &sql);
    for (int i = 0; i < TABLE_COUNT; i++)
        table_view_sql(&schema_tables[i], &sql);
    buffer_puts(&sql, indexes);
    buffer_printf(&sql, "PRAGMA application_id = %lld; PRAGMA user_version = %d;",
                  (long long)APPLICATION_ID, JOURNAL_SCHEMA);
    enum err err = db_run(db, "BEGIN IMMEDIATE", "making the journal", why);
    if (!err)
        err = db_run(db, sql.bytes, "making the journal", why);
    if (!err)
        err = schema_complete(db, why);
    if (!err)
        err = db_run(db, "COMMIT", "making the journal", why);
    if (err && !sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    buffer_done(&sql);
    return err;
}
