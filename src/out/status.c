#include "out/overview.h"

#include "out/json.h"
#include "out/sentence.h"
#include "out/summary.h"
#include "out/words.h"

/* Stated caps of the lists of series of one subject that are not up; what is left out is counted.
 */
enum { TROUBLES_MOST = 20, SILENT_MOST = 5 };

enum { CONDITIONS = CONDITION_DOWN + 1 };

/* How many series of one layer are in which condition; those without a vote count as no data. */
struct tally {
    unsigned in[CONDITIONS];
    unsigned all;
};

static enum condition condition_of(const struct series_state *series)
{
    return series->is_counted ? (enum condition)series->condition : CONDITION_NO_DATA;
}

static size_t count_series(const struct overview *overview, uint32_t subject,
                           struct tally tallies[LAYER_COUNT])
{
    size_t count = 0;
    for (size_t i = 0; i < overview->series.count; i++) {
        const struct series_state *series = &overview->series.list[i];
        if (series->subject != subject || series->layer >= LAYER_COUNT)
            continue;
        tallies[series->layer].in[condition_of(series)]++;
        tallies[series->layer].all++;
        count++;
    }
    return count;
}

static void put_layers(struct page *page, const struct overview *overview, uint32_t subject)
{
    struct arena *arena = overview->arena;
    struct tally tallies[LAYER_COUNT] = {0};
    struct table table = {.columns = 6};
    static const char *const heads[] = {"Layer", "Up", "Degraded", "Down", "No data", "Watched"};
    static const enum condition order[] = {CONDITION_UP, CONDITION_DEGRADED, CONDITION_DOWN,
                                           CONDITION_NO_DATA};
    if (!count_series(overview, subject, tallies)) {
        page_paragraph(page, "Nothing has been seen of it yet.");
        return;
    }
    for (size_t i = 0; i < 6; i++)
        page_table_add(&table, heads[i]);
    for (int layer = 0; layer < LAYER_COUNT; layer++) {
        if (!tallies[layer].all)
            continue;
        page_table_add(&table, layer_phrase((enum layer)layer));
        for (size_t i = 0; i < 4; i++)
            page_table_add(&table, arena_printf(arena, "%u", tallies[layer].in[order[i]]));
        page_table_add(&table, arena_printf(arena, "%u", tallies[layer].all));
    }
    page_table(page, &table);
}

static const char *trouble_words(const struct overview *overview, const struct series_state *series)
{
    struct arena *arena = overview->arena;
    enum condition condition = condition_of(series);
    const char *source = series->source ? registry_text(overview->registry, series->source) : NULL;
    const char *what = registry_text(overview->registry, series->target);
    const char *since = words_interval(arena, &series->since, (struct utc){0});
    const char *from = source ? arena_printf(arena, " from %s", source) : "";
    if (condition == CONDITION_NO_DATA && series->condition != CONDITION_NO_DATA)
        return arena_printf(arena, "%s%s: no data, since its vantage is not well", what, from);
    if (condition == CONDITION_NO_DATA)
        return arena_printf(arena, "%s%s: no data, since %s", what, from, since);
    const char *why =
        series->layer == LAYER_ROUTE
            ? arena_printf(arena, "missing at %s of the peers", words_share(arena, series->loss))
            : outcome_sentence((enum outcome)series->outcome);
    return arena_printf(arena, "%s%s: %s; it changed %s; last: %s", what, from,
                        condition_name(condition), since, why);
}

static void put_troubles(struct page *page, const struct overview *overview, uint32_t subject)
{
    struct arena *arena = overview->arena;
    const char *silent[SILENT_MOST];
    size_t troubles = 0, without_data = 0;
    for (size_t i = 0; i < overview->series.count; i++) {
        const struct series_state *series = &overview->series.list[i];
        enum condition condition = condition_of(series);
        if (series->subject != subject || condition == CONDITION_UP)
            continue;
        if (condition != CONDITION_NO_DATA && troubles++ < TROUBLES_MOST)
            page_item(page, "-", trouble_words(overview, series));
        if (condition == CONDITION_NO_DATA && without_data++ < SILENT_MOST)
            silent[without_data - 1] = trouble_words(overview, series);
    }
    if (troubles > TROUBLES_MOST)
        page_item(page, "-",
                  arena_printf(arena, "... and %zu more series.", troubles - TROUBLES_MOST));
    for (size_t i = 0; i < without_data && i < SILENT_MOST; i++)
        page_item(page, "-", silent[i]);
    if (without_data > SILENT_MOST)
        page_item(page, "-",
                  arena_printf(arena, "... and %zu more series without data.",
                               without_data - SILENT_MOST));
    if (troubles || without_data)
        page_space(page);
}

static void put_open_incidents(struct page *page, const struct overview *overview)
{
    struct arena *arena = overview->arena;
    size_t count = 0;
    for (size_t i = 0; i < overview->incident_count; i++) {
        const struct incident *incident = &overview->incidents[i].incident;
        const struct verdict *verdict = overview->incidents[i].verdict;
        if (!incident->is_open)
            continue;
        if (count++ == 0)
            page_heading(page, "Open incidents");
        bool is_degraded;
        const char *extent = incident_extent(arena, incident, &is_degraded);
        const char *leader =
            verdict ? cause_with_likelihood(arena, verdict, (enum cause)verdict->order[0])
                    : "no verdict yet";
        page_item(page, "-",
                  arena_printf(arena, "%u: %s, began %s; %s%s at the worst moment; leading: %s.",
                               incident->id, registry_text(overview->registry, incident->subject),
                               words_interval(arena, &incident->began, (struct utc){0}), extent,
                               is_degraded ? " disturbed" : " lost", leader));
    }
    if (count)
        page_space(page);
    else
        page_paragraph(page, "No incident is open.");
}

static void put_observer(struct page *page, const struct overview *overview)
{
    size_t open = 0;
    for (size_t i = 0; i < overview->notices.count; i++)
        open += overview->notices.list[i].is_open;
    overview_notices(page, overview, true);
    if (!open)
        page_paragraph(
            page, "The observer itself is well: no open notice about a vantage, a collector or "
                  "a peer.");
}

static void put_head(struct page *page, const struct overview *overview)
{
    const struct journal_counts *counts = &overview->counts;
    struct arena *arena = overview->arena;
    char duration[DURATION_TEXT_MAX];
    page_paragraph(
        page, arena_printf(arena, "As of %s, the last observation; %s over %s.",
                           words_time(arena, counts->last),
                           words_count(arena, counts->observations, "observation", "observations"),
                           duration_format(utc_diff(counts->last, counts->first), duration)));
}

static void put_json(const struct overview *overview, struct buffer *out)
{
    overview_record(overview, out);
    for (size_t i = 0; i < overview->subjects.count; i++) {
        const struct subject_state *subject = &overview->subjects.list[i];
        json_line(out,
                  json_pack("{s:s, s:o, s:o, s:b, s:i}", "type", "subject", "subject",
                            json_name(overview->registry, subject->subject), "title",
                            json_name(overview->registry, subject->title), "is_reconstruction",
                            subject->is_reconstruction, "utc_offset_s", subject->utc_offset_s));
    }
    for (size_t i = 0; i < overview->series.count; i++)
        json_line(out, json_series(overview->registry, &overview->series.list[i]));
    for (size_t i = 0; i < overview->incident_count; i++)
        if (overview->incidents[i].incident.is_open)
            json_line(out, json_incident(overview->registry, &overview->incidents[i].incident));
    for (size_t i = 0; i < overview->notices.count; i++)
        if (overview->notices.list[i].is_open)
            json_line(out, json_notice(overview->registry, &overview->notices.list[i]));
}

void render_status(const struct overview *overview, const struct style *style, struct buffer *out)
{
    if (style->format == FORMAT_JSON) {
        put_json(overview, out);
        return;
    }
    struct page page = page_of(style, out);
    if (!overview->counts.observations) {
        page_paragraph(&page, "The journal holds no observations yet.");
        return;
    }
    put_head(&page, overview);
    for (size_t i = 0; i < overview->subjects.count; i++) {
        const struct subject_state *subject = &overview->subjects.list[i];
        const char *title =
            subject_words(overview->arena, overview->registry, subject, subject->subject);
        page_heading(&page, subject->is_reconstruction
                                ? arena_printf(overview->arena, "%s, a reconstruction", title)
                                : title);
        put_layers(&page, overview, subject->subject);
        put_troubles(&page, overview, subject->subject);
    }
    put_open_incidents(&page, overview);
    put_observer(&page, overview);
}
