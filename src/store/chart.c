#include "store/chart.h"

#include "store/chart_sums.h"
#include "store/inside.h"

/* A chart while it is made: a point for each bin, also for those that will be left out. */
struct making {
    struct journal *journal;
    uint32_t source, target;
    struct utc from, until;
    uint64_t seq; /* observations up to this one are in rows */
    struct chart_point *points;
    size_t count;
};

static struct chart_point *point_at(const struct making *making, struct utc time)
{
    int64_t place = utc_diff(chart_bin(time), making->from) / CHART_BIN_NS;
    return time.ns >= making->from.ns && (size_t)place < making->count ? &making->points[place]
                                                                       : NULL;
}

/* 1 got the next row, 0 there are no more, -1 failed. A row that is not sound, or a table that is not
 * there as the journal is older, makes `making->seq` 0: everything is then read as it was observed. */
static int add_row(struct making *making, sqlite3_stmt *select, struct why *why)
{
    int status = db_step(&making->journal->db, select, "reading a chart", why);
    if (status != 1)
        return status;
    struct utc begin = {sqlite3_column_int64(select, 0)};
    uint64_t seq = (uint64_t)sqlite3_column_int64(select, 1);
    const void *data = sqlite3_column_blob(select, 3);
    size_t n = (size_t)sqlite3_column_bytes(select, 3);
    struct chart_point *point = point_at(making, begin);
    struct reader row = reader_of(data, n);
    int64_t checksum = chart_checksum(making->target / CHART_PART, begin, seq, data, n);
    if (sqlite3_column_int64(select, 2) == checksum && point && seq <= making->seq)
        chart_sums_find(&row, making->source, making->target, point);
    else
        reader_fail(&row, "is damaged");
    if (row.bad)
        making->seq = 0;
    return 1;
}

static enum err add_rows(struct making *making, struct why *why)
{
    DB_STATEMENT select = NULL;
    enum err err = db_prepare(&making->journal->db,
                              "SELECT begin, until_seq, checksum, data FROM chart "
                              "WHERE part = ? AND begin >= ? AND begin < ? "
                              "ORDER BY begin, until_seq",
                              &select, why);
    if (err)
        return err;
    sqlite3_bind_int64(select, 1, making->target / CHART_PART);
    sqlite3_bind_int64(select, 2, making->from.ns);
    sqlite3_bind_int64(select, 3, making->until.ns);
    struct why mine = {0};
    int status = 1;
    while (status == 1 && making->seq)
        status = add_row(making, select, &mine);
    if (status < 0 && mine.err == ERR_CORRUPT)
        making->seq = 0;
    else if (status < 0)
        return why_set(why, mine.err, "%s", mine.text);
    return ERR_OK;
}

/* Among the rows that were written last is the newest bin. */
static const char newest_sql[] = "SELECT max(begin) FROM chart WHERE until_seq = "
                                 "(SELECT max(until_seq) FROM chart)";

enum err chart_done(struct journal *journal, uint64_t *seq, struct utc *newest, struct why *why)
{
    const struct db *db = &journal->db;
    int64_t is_there, done = 0, begin = 0;
    *seq = 0;
    *newest = (struct utc){0};
    enum err err =
        db_number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'chart'", 0, &is_there, why);
    if (err || !is_there)
        return err;
    struct why mine = {0};
    if (db_number(db, "SELECT max(until_seq) FROM chart", 0, &done, &mine) ||
        db_number(db, newest_sql, 0, &begin, &mine))
        return mine.err == ERR_CORRUPT ? ERR_OK : why_set(why, mine.err, "%s", mine.text);
    *seq = (uint64_t)done;
    newest->ns = begin;
    return ERR_OK;
}

static bool add_observation(void *context, const struct observation *observation)
{
    struct making *making = context;
    bool is_wanted = observation->kind == OBSERVATION_PROBE && observation->seq > making->seq &&
                     observation->target == making->target &&
                     (!making->source || observation->source == making->source);
    struct chart_point *point = is_wanted ? point_at(making, observation->time) : NULL;
    if (point)
        chart_point_add(point, observation);
    return true;
}

static void clear_points(struct making *making)
{
    for (size_t i = 0; i < making->count; i++)
        making->points[i] =
            (struct chart_point){.begin = utc_add(making->from, (int64_t)i * CHART_BIN_NS)};
}

static enum err make(struct making *making, struct why *why)
{
    struct utc newest;
    clear_points(making);
    enum err err = chart_done(making->journal, &making->seq, &newest, why);
    if (!err && making->seq)
        err = add_rows(making, why);
    if (err)
        return err;
    struct journal_visitor visitor = {add_observation, NULL, making};
    if (making->seq)
        return journal_read(making->journal, making->seq + 1, &visitor, why);
    clear_points(making);
    return journal_read_span(making->journal, making->from, utc_add(making->until, -1), &visitor,
                             why);
}

enum err chart_read(struct journal *journal, uint32_t source, uint32_t target, struct utc from,
                    struct utc until, struct arena *arena, struct chart *out, struct why *why)
{
    struct making making = {
        .journal = journal, .source = source, .target = target, .from = chart_bin(from)};
    int64_t bins =
        until.ns > from.ns ? (until.ns - making.from.ns + CHART_BIN_NS - 1) / CHART_BIN_NS : 0;
    if (bins > CHART_POINTS_MAX)
        return why_set(why, ERR_LIMIT,
                       "a chart of %lld days is longer than the %d that can be made",
                       (long long)(bins * CHART_BIN_NS / NS_PER_DAY),
                       (int)(CHART_POINTS_MAX * CHART_BIN_NS / NS_PER_DAY));
    making.count = (size_t)bins;
    making.until = utc_add(making.from, bins * CHART_BIN_NS);
    making.points = arena_alloc(arena, (making.count + 1) * sizeof *making.points);
    enum err err = bins ? make(&making, why) : ERR_OK;
    if (err)
        return err;
    *out = (struct chart){.list = making.points};
    for (size_t i = 0; i < making.count; i++) {
        const struct chart_point *point = &making.points[i];
        if (point->answered || point->failed || point->ours)
            out->list[out->count++] = *point;
    }
    return ERR_OK;
}
