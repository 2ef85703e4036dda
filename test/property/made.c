#include "made.h"

#include "store/journal.h"

#include <dirent.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct made made_stream(uint64_t seed, struct registry *registry)
{
    return (struct made){.dice = {.seed = seed}, .registry = registry};
}

static uint32_t name(struct made *made, enum name_kind kind, const char *format, unsigned number)
{
    char text[64];
    int n = snprintf(text, sizeof text, format, number);
    uint32_t id = registry_intern(made->registry, kind, text, (size_t)n);
    assert_true(id != 0);
    return id;
}

/* The last few targets are controls, which never fail. */
static void make_target(struct made *made, uint32_t i)
{
    if (made->targets[i])
        return;
    enum name_kind kind = i < MADE_MEMBERS ? NAME_TARGET : NAME_CONTROL;
    made->targets[i] = i < 200 ? name(made, kind, "icmp:192.0.2.%u", i + 1)
                               : name(made, kind, "tcp:203.0.113.1:%u", i);
}

/* Single targets fail for a while, and now and then all of them do. */
static bool is_answered(struct made *made, uint32_t i)
{
    if (i >= MADE_MEMBERS)
        return true;
    if (roll(&made->dice, 60) == 0)
        made->is_down[i] = roll(&made->dice, 100) == 0;
    bool is_outage = made->index % 20000 >= 12000 && made->index % 20000 < 16000;
    return !made->is_down[i] && roll(&made->dice, 50) && !is_outage;
}

static struct observation made_probe(struct made *made, struct utc time)
{
    uint32_t i = (uint32_t)roll(&made->dice, MADE_TARGETS);
    make_target(made, i);
    bool is_ok = is_answered(made, i);
    if (is_ok && !made->addresses[i])
        made->addresses[i] = name(made, NAME_ADDRESS, "198.51.100.%u", i % 256);
    return (struct observation){
        .kind = OBSERVATION_PROBE,
        .time = time,
        .source = made->vantage,
        .target = made->targets[i],
        .peer = is_ok ? made->addresses[i] : 0,
        .outcome = is_ok ? OUTCOME_OK : OUTCOME_TIMEOUT,
        .stage = is_ok ? STAGE_DONE : STAGE_REPLY,
        .value = is_ok ? 50 : 0,
        .rtt_ns = is_ok ? (int64_t)(NS_PER_MS + (int64_t)roll(&made->dice, NS_PER_MS)) : 0,
    };
}

static struct observation made_member(struct made *made, struct utc time, uint32_t i)
{
    make_target(made, i);
    return (struct observation){.kind = OBSERVATION_MEMBER,
                                .time = time,
                                .target = made->targets[i],
                                .peer = made->subject,
                                .value = 9 * NS_PER_S};
}

struct observation made_next(struct made *made)
{
    if (!made->vantage) {
        made->vantage = name(made, NAME_VANTAGE, "v%u", 1);
        made->subject = name(made, NAME_SUBJECT, "s%u", 1);
    }
    struct utc time = {INT64_C(1643144400) * NS_PER_S + (int64_t)made->index * 30 * NS_PER_MS +
                       (int64_t)roll(&made->dice, 90 * (uint64_t)NS_PER_MS)};
    uint64_t index = made->index++, at = index % 50000;
    if (at == 0)
        return (struct observation){.kind = OBSERVATION_SUBJECT,
                                    .time = time,
                                    .target = made->subject,
                                    .path = name(made, NAME_TEXT, "title %u", (unsigned)index),
                                    .value = 32400};
    if (at <= MADE_MEMBERS)
        return made_member(made, time, (uint32_t)at - 1);
    if (index % 1000 == 7)
        return (struct observation){.kind = OBSERVATION_GAP,
                                    .time = time,
                                    .source = made->vantage,
                                    .path = name(made, NAME_TEXT, "reason %u", (unsigned)index),
                                    .value = time.ns + NS_PER_S};
    if (index % 33 == 0)
        return (struct observation){.kind = OBSERVATION_TICK, .time = time};
    return made_probe(made, time);
}

static void dump_value(sqlite3_stmt *select, int column, struct buffer *out)
{
    switch (sqlite3_column_type(select, column)) {
    case SQLITE_NULL:
        buffer_puts(out, "|-");
        break;
    case SQLITE_FLOAT:
        buffer_printf(out, "|%.17g", sqlite3_column_double(select, column));
        break;
    default:
        buffer_printf(out, "|%s", (const char *)sqlite3_column_text(select, column));
    }
}

static void dump_table(sqlite3 *db, const char *table, struct buffer *out)
{
    sqlite3_stmt *select;
    struct buffer sql = {0};
    buffer_printf(&sql, "SELECT * FROM %s ORDER BY 1, 2", table);
    assert_int_equal(sqlite3_prepare_v2(db, sql.bytes, -1, &select, NULL), SQLITE_OK);
    if (sqlite3_column_count(select) > 2) {
        sqlite3_finalize(select);
        buffer_puts(&sql, ", 3");
        assert_int_equal(sqlite3_prepare_v2(db, sql.bytes, -1, &select, NULL), SQLITE_OK);
    }
    int rc;
    while ((rc = sqlite3_step(select)) == SQLITE_ROW) {
        buffer_puts(out, table);
        for (int i = 0; i < sqlite3_column_count(select); i++)
            dump_value(select, i, out);
        buffer_puts(out, "\n");
    }
    assert_int_equal(rc, SQLITE_DONE);
    sqlite3_finalize(select);
    buffer_done(&sql);
}

static void dump_tables(const char *path, struct buffer *out)
{
    sqlite3 *db;
    sqlite3_stmt *select;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    static const char sql[] = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN "
                              "('block', 'checkpoint') ORDER BY name";
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &select, NULL), SQLITE_OK);
    while (sqlite3_step(select) == SQLITE_ROW)
        dump_table(db, (const char *)sqlite3_column_text(select, 0), out);
    sqlite3_finalize(select);
    sqlite3_close(db);
}

static bool dump_observation(void *context, const struct observation *observation)
{
    buffer_add(context, observation, sizeof *observation);
    return true;
}

static void dump_damaged(void *context, uint64_t first_seq, uint64_t count, const char *reason)
{
    buffer_printf(context, "damaged %llu %llu %s\n", (unsigned long long)first_seq,
                  (unsigned long long)count, reason);
}

void dump_journal(const char *path, struct buffer *out)
{
    struct journal *journal;
    struct why why = {0};
    dump_tables(path, out);
    if (journal_open(path, JOURNAL_READ, &journal, &why))
        fail_msg("%s", why.text);
    struct journal_visitor visitor = {dump_observation, dump_damaged, out};
    if (journal_read(journal, 1, &visitor, &why))
        fail_msg("%s", why.text);
    journal_close(journal);
}

void folder_make(char path[64])
{
    const char *base = getenv("TMPDIR");
    snprintf(path, 64, "%.40s/lastlight-XXXXXX", base && strlen(base) <= 40 ? base : "/tmp");
    assert_non_null(mkdtemp(path));
}

void folder_remove(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        struct buffer file = {0};
        buffer_printf(&file, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(file.bytes);
        buffer_done(&file);
    }
    if (folder)
        closedir(folder);
    rmdir(path);
}
