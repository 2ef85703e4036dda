/* The tables of conclusions, described once: from the description of a row's columns come the
 * CREATE TABLE, the readable view, and the statements and functions that write rows and read them
 * back. Numbers of enumerations are written as their names, which mean the same in every version;
 * times are nanoseconds since 1970, NULL where not known. */
#ifndef STORE_TABLE_H
#define STORE_TABLE_H

#include "base/buffer.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

enum column_type {
    COLUMN_U8,
    COLUMN_U16,
    COLUMN_U32,
    COLUMN_I32,
    COLUMN_REAL,     /* double */
    COLUMN_TIME,     /* struct utc; NULL for not known */
    COLUMN_NAME,     /* uint32_t of the registry; NULL for none */
    COLUMN_NAME_KEY, /* the same in a key: 0 for none, since a key must not be NULL */
    COLUMN_WEIGHTS,  /* float[CAUSE_COUNT]: JSON object, causes of no weight left out */
    /* uint8_t of an enumeration, written as its name; NULL for the value beyond the last. */
    COLUMN_LAYER,
    COLUMN_CONDITION,
    COLUMN_OUTCOME,
    COLUMN_STAGE,
    COLUMN_CAUSE,
    COLUMN_CONFIDENCE,
    COLUMN_TRUTH,
    COLUMN_NOTICE,
    COLUMN_EVIDENCE
};

struct column {
    const char *name;
    enum column_type type;
    size_t offset;    /* in the row's struct */
    const char *says; /* the comment that stands beside it in the schema */
};

struct table {
    const char *name;
    const char *says;
    const char *key; /* columns of the primary key */
    /* A later row replaces an earlier one of the same key; else that is refused. */
    bool is_replaced;
    size_t row_size;
    const struct column *columns;
    size_t column_count;
};

/* Each appends a statement. A view v_TABLE has the same rows with names and times written out. */
void table_create_sql(const struct table *table, struct buffer *out);
void table_view_sql(const struct table *table, struct buffer *out);
void table_insert_sql(const struct table *table, struct buffer *out);
void table_select_sql(const struct table *table, const char *rest, struct buffer *out);

/* Binds all columns of a row to an insert. */
void table_bind(const struct table *table, const void *row, sqlite3_stmt *statement);
/* Reads a row of a select. False if it holds a name that this version does not know. */
bool table_fetch(const struct table *table, sqlite3_stmt *statement, void *row);

#endif
