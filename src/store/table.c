#include "store/table.h"

#include "base/utc.h"
#include "model/conclusion.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const truths[] = {"unknown", "absent", "present"};

static bool is_word(enum column_type type)
{
    return type >= COLUMN_LAYER;
}

static unsigned word_count(enum column_type type)
{
    switch (type) {
    case COLUMN_LAYER:
        return LAYER_COUNT;
    case COLUMN_CONDITION:
        return CONDITION_DOWN + 1;
    case COLUMN_OUTCOME:
        return OUTCOME_COUNT;
    case COLUMN_STAGE:
        return STAGE_COUNT;
    case COLUMN_CAUSE:
        return CAUSE_COUNT;
    case COLUMN_CONFIDENCE:
        return CONFIDENCE_HIGH + 1;
    case COLUMN_TRUTH:
        return TRUTH_PRESENT + 1;
    case COLUMN_NOTICE:
        return NOTICE_KIND_END;
    case COLUMN_EVIDENCE:
        return EVIDENCE_COUNT;
    default:
        return 0;
    }
}

static const char *word(enum column_type type, unsigned value)
{
    switch (type) {
    case COLUMN_LAYER:
        return layer_name((enum layer)value);
    case COLUMN_CONDITION:
        return condition_name((enum condition)value);
    case COLUMN_OUTCOME:
        return outcome_name((enum outcome)value);
    case COLUMN_STAGE:
        return stage_name((enum stage)value);
    case COLUMN_CAUSE:
        return cause_name((enum cause)value);
    case COLUMN_CONFIDENCE:
        return confidence_name((enum confidence)value);
    case COLUMN_TRUTH:
        return truths[value];
    case COLUMN_NOTICE:
        return notice_kind_name((enum notice_kind)value);
    case COLUMN_EVIDENCE:
        return evidence_name((enum evidence_kind)value);
    default:
        return NULL;
    }
}

static const char *sql_type(enum column_type type)
{
    return type == COLUMN_REAL                       ? "REAL"
           : is_word(type) || type == COLUMN_WEIGHTS ? "TEXT"
                                                     : "INTEGER";
}

void table_create_sql(const struct table *table, struct buffer *out)
{
    buffer_printf(out, "CREATE TABLE %s ( -- %s\n", table->name, table->says);
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        buffer_printf(out, "    %s %s,%s%s\n", column->name, sql_type(column->type),
                      *column->says ? " -- " : "", column->says);
    }
    buffer_printf(out, "    PRIMARY KEY (%s)\n) STRICT, WITHOUT ROWID;\n", table->key);
}

static void add_readable(const struct table *table, const struct column *column, struct buffer *out)
{
    const char *name = column->name;
    switch (column->type) {
    case COLUMN_TIME:
        buffer_printf(out, "strftime('%%Y-%%m-%%dT%%H:%%M:%%fZ', %s / 1e9, 'unixepoch') AS %s",
                      name, name);
        break;
    case COLUMN_NAME:
    case COLUMN_NAME_KEY:
        buffer_printf(out, "(SELECT text FROM name WHERE name.id = %s.%s) AS %s", table->name, name,
                      name);
        break;
    default:
        buffer_puts(out, name);
    }
}

void table_view_sql(const struct table *table, struct buffer *out)
{
    buffer_printf(out, "CREATE VIEW v_%s AS SELECT\n", table->name);
    for (size_t i = 0; i < table->column_count; i++) {
        buffer_puts(out, i ? ",\n    " : "    ");
        add_readable(table, &table->columns[i], out);
    }
    buffer_printf(out, "\nFROM %s ORDER BY %s;\n", table->name, table->key);
}

void table_insert_sql(const struct table *table, struct buffer *out)
{
    buffer_printf(out, "INSERT %sINTO %s VALUES (", table->is_replaced ? "OR REPLACE " : "",
                  table->name);
    for (size_t i = 0; i < table->column_count; i++)
        buffer_puts(out, i ? ", ?" : "?");
    buffer_puts(out, ")");
}

void table_select_sql(const struct table *table, const char *rest, struct buffer *out)
{
    for (size_t i = 0; i < table->column_count; i++)
        buffer_printf(out, "%s%s", i ? ", " : "SELECT ", table->columns[i].name);
    buffer_printf(out, " FROM %s %s", table->name, rest);
}

/* As few digits as keep it exactly; nine always do. No program of ours sets a locale, so the point
 * is a point. */
static void add_float(struct buffer *out, float value)
{
    char text[32];
    int digits = 3;
    do
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
    while (digits++ < 9 && strtof(text, NULL) != value);
    buffer_puts(out, text);
}

static void bind_weights(sqlite3_stmt *statement, int at, const float *weights)
{
    struct buffer json = {0};
    for (unsigned i = 0; i < CAUSE_COUNT; i++) {
        if (weights[i] == 0)
            continue;
        buffer_printf(&json, "%s\"%s\":", json.size ? "," : "{", cause_name((enum cause)i));
        add_float(&json, weights[i]);
    }
    if (json.size) {
        buffer_puts(&json, "}");
        sqlite3_bind_text(statement, at, json.bytes, (int)json.size, SQLITE_TRANSIENT);
    } else {
        sqlite3_bind_null(statement, at);
    }
    buffer_done(&json);
}

/* What bind_weights() wrote: "name":number pairs. A cause that is no longer known is refused. */
static bool fetch_weights(const char *text, float *weights)
{
    while (text && (text = strchr(text, '"'))) {
        const char *name = text + 1, *end = strchr(name, '"');
        if (!end || end[1] != ':')
            return false;
        int cause = cause_from_name(name, (size_t)(end - name));
        if (cause < 0)
            return false;
        weights[cause] = strtof(end + 2, NULL);
        text = end + 1;
    }
    return true;
}

static void bind_integer(sqlite3_stmt *statement, int at, int64_t value, bool is_null)
{
    if (is_null)
        sqlite3_bind_null(statement, at);
    else
        sqlite3_bind_int64(statement, at, value);
}

static void bind_word(sqlite3_stmt *statement, int at, enum column_type type, unsigned value)
{
    if (value >= word_count(type))
        sqlite3_bind_null(statement, at);
    else
        sqlite3_bind_text(statement, at, word(type, value), -1, SQLITE_STATIC);
}

static void bind_column(const struct column *column, const void *row, sqlite3_stmt *statement,
                        int at)
{
    const void *member = (const char *)row + column->offset;
    switch (column->type) {
    case COLUMN_U8:
        bind_integer(statement, at, *(const uint8_t *)member, false);
        break;
    case COLUMN_U16:
        bind_integer(statement, at, *(const uint16_t *)member, false);
        break;
    case COLUMN_U32:
    case COLUMN_NAME_KEY:
        bind_integer(statement, at, *(const uint32_t *)member, false);
        break;
    case COLUMN_I32:
        bind_integer(statement, at, *(const int32_t *)member, false);
        break;
    case COLUMN_NAME:
        bind_integer(statement, at, *(const uint32_t *)member, *(const uint32_t *)member == 0);
        break;
    case COLUMN_TIME:
        bind_integer(statement, at, ((const struct utc *)member)->ns,
                     !utc_is_known(*(const struct utc *)member));
        break;
    case COLUMN_REAL:
        sqlite3_bind_double(statement, at, *(const double *)member);
        break;
    case COLUMN_WEIGHTS:
        bind_weights(statement, at, member);
        break;
    default:
        bind_word(statement, at, column->type, *(const uint8_t *)member);
    }
}

void table_bind(const struct table *table, const void *row, sqlite3_stmt *statement)
{
    for (size_t i = 0; i < table->column_count; i++)
        bind_column(&table->columns[i], row, statement, (int)i + 1);
}

static bool fetch_word(enum column_type type, const char *text, uint8_t *out)
{
    unsigned count = word_count(type), value = 0;
    while (text && value < count && strcmp(word(type, value), text) != 0)
        value++;
    *out = (uint8_t)(text ? value : count);
    return !text || value < count;
}

static bool fetch_column(const struct column *column, sqlite3_stmt *statement, int at, void *row)
{
    void *member = (char *)row + column->offset;
    switch (column->type) {
    case COLUMN_U8:
        *(uint8_t *)member = (uint8_t)sqlite3_column_int64(statement, at);
        return true;
    case COLUMN_U16:
        *(uint16_t *)member = (uint16_t)sqlite3_column_int64(statement, at);
        return true;
    case COLUMN_U32:
    case COLUMN_NAME_KEY:
    case COLUMN_NAME:
        *(uint32_t *)member = (uint32_t)sqlite3_column_int64(statement, at);
        return true;
    case COLUMN_I32:
        *(int32_t *)member = (int32_t)sqlite3_column_int64(statement, at);
        return true;
    case COLUMN_TIME:
        ((struct utc *)member)->ns = sqlite3_column_int64(statement, at);
        return true;
    case COLUMN_REAL: /* SQLite writes "not a number" as NULL */
        *(double *)member = sqlite3_column_type(statement, at) == SQLITE_NULL
                                ? (double)NAN
                                : sqlite3_column_double(statement, at);
        return true;
    case COLUMN_WEIGHTS:
        return fetch_weights((const char *)sqlite3_column_text(statement, at), member);
    default:
        return fetch_word(column->type, (const char *)sqlite3_column_text(statement, at), member);
    }
}

bool table_fetch(const struct table *table, sqlite3_stmt *statement, void *row)
{
    memset(row, 0, table->row_size);
    bool is_known = true;
    for (size_t i = 0; i < table->column_count; i++)
        is_known &= fetch_column(&table->columns[i], statement, (int)i, row);
    return is_known;
}
