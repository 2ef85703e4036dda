/* What one target did over time: a sign for each five minutes, a line for each hour. */
#include "out/out.h"

#include "out/json.h"
#include "out/page.h"
#include "out/words.h"
#include "store/chart.h"

#include <string.h>

enum { BINS_AN_HOUR = NS_PER_HOUR / CHART_BIN_NS };

struct charting {
    const struct chart_wish *wish;
    struct utc from, until;
    struct chart chart;
    struct arena arena;
};

/* ---- one hour ---- */

/* Nothing that was asked of it is no failure of its. */
static char sign_of(const struct chart_point *point)
{
    uint32_t judged = point->answered + point->failed;
    if (!judged)
        return '?';
    if (!point->failed)
        return '#';
    return point->answered * 2 >= judged ? '+' : point->answered ? '-' : '.';
}

static const char *ms(struct arena *arena, double ns)
{
    return arena_printf(arena, "%.1f", ns / NS_PER_MS);
}

static void put_hour(struct table *table, struct arena *arena, struct utc hour, const char *signs,
                     const struct chart_point *sum)
{
    const char *when = words_time(arena, hour);
    page_table_add(table, arena_printf(arena, "%.10s %.5s", when, when + 11));
    page_table_add(table, signs);
    page_table_add(table,
                   arena_printf(arena, "%u of %u", sum->answered, sum->answered + sum->failed));
    page_table_add(table, sum->timed ? ms(arena, (double)sum->least_ns) : "-");
    page_table_add(table, sum->timed ? ms(arena, sum->sum_ns / sum->timed) : "-");
    page_table_add(table, sum->timed ? ms(arena, (double)sum->most_ns) : "-");
}

static struct utc hour_of(struct utc time)
{
    return (struct utc){time.ns / NS_PER_HOUR * NS_PER_HOUR};
}

/* The points of one hour, from *at on. */
static void take_hour(struct charting *charting, struct table *table, size_t *at)
{
    const struct chart *chart = &charting->chart;
    struct utc hour = hour_of(chart->list[*at].begin);
    struct chart_point sum = {0};
    char signs[BINS_AN_HOUR + 1];
    memset(signs, '_', BINS_AN_HOUR);
    signs[BINS_AN_HOUR] = '\0';
    for (; *at < chart->count && hour_of(chart->list[*at].begin).ns == hour.ns; ++*at) {
        const struct chart_point *point = &chart->list[*at];
        signs[utc_diff(point->begin, hour) / CHART_BIN_NS] = sign_of(point);
        chart_point_merge(&sum, point);
    }
    put_hour(table, &charting->arena, hour, arena_copy(&charting->arena, signs, BINS_AN_HOUR),
             &sum);
}

/* ---- all of it ---- */

static void render(struct charting *charting, const struct style *style, struct buffer *out)
{
    static const char *const heads[] = {
        "Hour (UTC)", "Five minutes each", "Answered", "Least ms", "Mean", "Most"};
    struct page page = page_of(style, out);
    struct table table = {.columns = sizeof heads / sizeof *heads};
    page_title(&page, charting->wish->target);
    page_paragraph(&page, arena_printf(&charting->arena, "From %s to %s, as all vantages saw it.",
                                       words_time(&charting->arena, charting->from),
                                       words_time(&charting->arena, charting->until)));
    if (!charting->chart.count) {
        page_paragraph(&page, "There is nothing of it from that time.");
        return;
    }
    for (size_t i = 0; i < table.columns; i++)
        page_table_add(&table, heads[i]);
    for (size_t at = 0; at < charting->chart.count;)
        take_hour(charting, &table, &at);
    page_table(&page, &table);
    page_paragraph(
        &page, "# all questions were answered, + at least half of them, - fewer, . none; ? only "
               "our own failures, _ nothing was asked. Hours in which nothing was asked are left "
               "out.");
}

static void render_json(const struct charting *charting, struct buffer *out)
{
    for (size_t i = 0; i < charting->chart.count; i++) {
        const struct chart_point *point = &charting->chart.list[i];
        json_t *line =
            json_pack("{s:s, s:o, s:o, s:I, s:I, s:I}", "type", "chart", "target",
                      json_text(charting->wish->target), "begin", json_time(point->begin),
                      "answered", (json_int_t)point->answered, "failed", (json_int_t)point->failed,
                      "ours", (json_int_t)point->ours);
        json_object_set_new(line, "rtt_ms",
                            point->timed ? json_pack("{s:f, s:f, s:f}", "least",
                                                     (double)point->least_ns / NS_PER_MS, "mean",
                                                     point->sum_ns / point->timed / NS_PER_MS,
                                                     "most", (double)point->most_ns / NS_PER_MS)
                                         : json_null());
        json_line(out, line);
    }
}

/* A control is a target as well. */
static uint32_t find_target(const struct registry *registry, const char *text)
{
    uint32_t id = registry_find(registry, NAME_TARGET, text, strlen(text));
    return id ? id : registry_find(registry, NAME_CONTROL, text, strlen(text));
}

static enum err read_target(struct journal *journal, const char *text, uint32_t *id,
                            struct why *why)
{
    struct registry *registry = registry_new();
    enum err err = journal_load_registry(journal, registry, why);
    *id = err ? 0 : find_target(registry, text);
    registry_free(registry);
    if (err || *id)
        return err;
    return why_set(why, ERR_NOT_FOUND,
                   "the journal has no target '%.200s'; 'lastlight status --json' lists them",
                   text);
}

/* Without a time, the last day that the journal has. */
static enum err set_span(struct charting *charting, struct journal *journal, struct why *why)
{
    struct journal_counts counts;
    enum err err = query_counts(journal, &counts, why);
    if (err)
        return err;
    charting->from = charting->wish->from;
    charting->until = charting->wish->until;
    if (!utc_is_known(charting->until))
        charting->until = utc_add(counts.last, 1);
    if (!utc_is_known(charting->from))
        charting->from = utc_add(charting->until, -NS_PER_DAY);
    if (charting->from.ns >= charting->until.ns)
        return why_set(why, ERR_USAGE, "--from is not before --until");
    return ERR_OK;
}

enum err out_chart(struct journal *journal, const struct chart_wish *wish,
                   const struct style *style, struct buffer *out, struct why *why)
{
    struct charting charting = {.wish = wish};
    uint32_t target;
    enum err err = read_target(journal, wish->target, &target, why);
    if (!err)
        err = set_span(&charting, journal, why);
    if (!err)
        err = chart_read(journal, 0, target, charting.from, charting.until, &charting.arena,
                         &charting.chart, why);
    if (!err && style->format == FORMAT_JSON)
        render_json(&charting, out);
    else if (!err)
        render(&charting, style, out);
    arena_done(&charting.arena);
    return err;
}
