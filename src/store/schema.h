/* What is in a journal: its tables, and making and recognising them. People will open journals with
 * sqlite3; the schema carries the comments that they need (try `.schema` and the views v_...).
 *
 * | table           | rows                                                                   |
 * |-----------------|------------------------------------------------------------------------|
 * | meta            | version of the rules that drew the conclusions                         |
 * | code            | what the numbers in blocks mean: kinds, outcomes, stages               |
 * | name            | the registry                                                           |
 * | block           | observations, as runs in the coding of model/block.h                   |
 * | source          | how far each archive is read in                                        |
 * | chart           | what each question did in five minutes (store/chart.h); a cache        |
 * | checkpoint      | the core's state after one observation; the newest only, a cache       |
 * | subject         | newest description of each subject                                     |
 * | event, incident, incident_layer, verdict, verdict_cause, evidence: appended, none overwritten |
 * | episode, notice, series: the newest state of each | */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "model/conclusion.h"
#include "model/registry.h"
#include "store/db.h"
#include "store/query.h"
#include "store/table.h"

/* Rows whose structs the model does not have: parts of incidents and verdicts, and conclusions with
 * the time at which they were drawn. */
struct event_row {
    struct event event;
    struct utc concluded;
};
struct layer_row {
    uint32_t incident, revision;
    uint8_t layer;
    struct layer_history history;
};
struct episode_row {
    struct episode episode;
    struct utc concluded;
};
struct cause_row {
    uint32_t incident, revision;
    uint8_t rank; /* from 1 */
    uint8_t cause;
    double posterior;
};
struct evidence_row {
    uint32_t incident, revision;
    struct evidence evidence;
};
struct notice_row {
    struct notice notice;
    struct utc concluded;
};
struct series_row {
    struct series_state series;
    struct utc concluded;
};
struct subject_row {
    uint32_t subject, title;
    int32_t utc_offset_s;
    uint8_t is_reconstruction;
    uint32_t targets;
    struct utc since;
};

enum table_number {
    TABLE_EVENT,
    TABLE_INCIDENT,
    TABLE_LAYER,
    TABLE_EPISODE,
    TABLE_VERDICT,
    TABLE_CAUSE,
    TABLE_EVIDENCE,
    TABLE_NOTICE,
    TABLE_SERIES,
    TABLE_SUBJECT,
    TABLE_COUNT
};
extern const struct table schema_tables[TABLE_COUNT];

/* The word for a kind of name in table `name`; NAME_NONE for an unknown word. */
const char *schema_name_kind(enum name_kind kind);
enum name_kind schema_name_kind_of(const char *word);

/* Looks at an open database. *is_empty: there is nothing in it yet. Refuses those of other
 * programs, and of versions that write what this one cannot read. */
enum err schema_recognise(const struct db *db, bool *is_empty, struct why *why);
/* Makes all tables in an empty database, in one transaction. */
enum err schema_create(const struct db *db, struct why *why);
/* Adds what this version has and the journal's first writer did not: codes, and caches. */
enum err schema_complete(const struct db *db, struct why *why);

#endif
