#include "out/overview.h"

#include "out/json.h"
#include "out/roster.h"
#include "out/sentence.h"
#include "out/summary.h"
#include "out/words.h"

/* Stated caps of the lists of one subject's targets that are not up; what is left out is counted.
 */
enum { TROUBLES_MOST = 20, SILENT_MOST = 5, UNVOTED_MOST = 20 };

/* "hosts answering ping"; "hosts and networks", where there are any. */
static const char *layer_cell(struct arena *arena, enum layer layer,
                              const struct standings *standings)
{
    enum units units = units_of(standings->all, standings->whole);
    if (units == UNITS_SINGLE)
        return layer_phrase(layer);
    return arena_printf(arena, "%s%s", words_unit(layer, units, 2),
                        layer == LAYER_NAME ? " (DNS)" : "");
}

/* The condition "never up" has a column only where there is such a thing: it is rare. */
static void put_layers(struct page *page, const struct overview *overview,
                       const struct standings layers[LAYER_COUNT])
{
    static const struct {
        enum standing standing;
        const char *head;
    } columns[] = {{STANDING_UP, "Up"},
                   {STANDING_DEGRADED, "Degraded"},
                   {STANDING_DOWN, "Down"},
                   {STANDING_NEVER_UP, "Never up"},
                   {STANDING_NO_DATA, "No data"}};
    unsigned never_up = 0;
    for (int layer = 0; layer < LAYER_COUNT; layer++)
        never_up += layers[layer].in[STANDING_NEVER_UP];
    struct table table = {.columns = never_up ? 7 : 6};
    page_table_add(&table, "Layer");
    for (size_t i = 0; i < 5; i++)
        if (never_up || columns[i].standing != STANDING_NEVER_UP)
            page_table_add(&table, columns[i].head);
    page_table_add(&table, "Watched");
    for (int layer = 0; layer < LAYER_COUNT; layer++) {
        if (!layers[layer].all)
            continue;
        page_table_add(&table, layer_cell(overview->arena, (enum layer)layer, &layers[layer]));
        for (size_t i = 0; i < 5; i++)
            if (never_up || columns[i].standing != STANDING_NEVER_UP)
                page_table_add(&table, arena_printf(overview->arena, "%u",
                                                    layers[layer].in[columns[i].standing]));
        page_table_add(&table, arena_printf(overview->arena, "%u", layers[layer].all));
    }
    page_table(page, &table);
}

/* " from lon", where one vantage alone asks; " from 2 of 3 vantages", where several do. */
static const char *voters_words(const struct overview *overview, const struct roster_row *row)
{
    if (!row->shown->source)
        return "";
    if (row->voting < 2)
        return arena_printf(overview->arena, " from %s",
                            registry_text(overview->registry, row->shown->source));
    unsigned agreeing = 0;
    for (size_t i = 0; i < row->count; i++)
        agreeing += roster_vote(&row->series[i]) == roster_vote(row->shown);
    return arena_printf(overview->arena, " from %u of %u vantages", agreeing, row->voting);
}

/* "icmp:192.0.2.1: down from 2 of 2 vantages; it changed between ...; last: no answer in time" */
static const char *trouble_words(const struct overview *overview, const struct roster_row *row)
{
    struct arena *arena = overview->arena;
    const struct series_state *shown = row->shown;
    const char *what = registry_text(overview->registry, shown->target);
    const char *why =
        shown->layer == LAYER_ROUTE
            ? arena_printf(arena, "missing at %s of the peers", words_share(arena, shown->loss))
            : arena_printf(arena, "last: %s", outcome_sentence((enum outcome)shown->outcome));
    if (row->standing == STANDING_NEVER_UP)
        return arena_printf(
            arena, "%s: not seen up once since it is watched, so nothing was lost; %s", what, why);
    return arena_printf(arena, "%s: %s%s; it changed %s; %s", what, standing_name(row->standing),
                        voters_words(overview, row),
                        words_interval(arena, &shown->since, (struct utc){0}), why);
}

/* Up for most, but down for some. */
static const char *split_words(const struct overview *overview, const struct roster_row *row)
{
    struct arena *arena = overview->arena;
    const char **names = arena_alloc(arena, row->count * sizeof *names);
    const struct series_state *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < row->count; i++) {
        if (roster_vote(&row->series[i]) != CONDITION_DOWN)
            continue;
        names[count++] = registry_text(overview->registry, row->series[i].source);
        if (!first || row->series[i].since.first_after.ns < first->since.first_after.ns)
            first = &row->series[i];
    }
    return arena_printf(arena, "%s: %s for most vantages, but down from %s; it changed %s",
                        registry_text(overview->registry, row->series->target),
                        standing_name(row->standing), words_list(arena, names, count),
                        words_interval(arena, &first->since, (struct utc){0}));
}

/* "No data now of icmp:192.0.2.1 and 3 more; the last came by 2022-01-25T21:00:10Z." */
static void put_silent(struct page *page, const struct overview *overview, const char **names,
                       size_t count, struct utc last)
{
    struct arena *arena = overview->arena;
    size_t named = count < SILENT_MOST ? count : SILENT_MOST;
    if (count > named)
        names[named++] = arena_printf(arena, "%zu more", count - SILENT_MOST);
    const char *when = "";
    if (utc_is_known(last))
        when = arena_printf(arena, "; the last came by %s", words_time(arena, last));
    page_item(page, "-",
              arena_printf(arena, "No data now of %s%s.", words_list(arena, names, named), when));
}

static void put_troubles(struct page *page, const struct overview *overview,
                         const struct roster *roster, uint32_t subject)
{
    const char *silent[SILENT_MOST + 1];
    size_t troubles = 0, without_data = 0;
    struct utc last = {0};
    for (size_t i = 0; i < roster->count; i++) {
        const struct roster_row *row = &roster->rows[i];
        bool is_up = row->standing == STANDING_UP;
        if (row->series->subject != subject || (is_up && !row->down))
            continue;
        if (row->standing == STANDING_NO_DATA) {
            struct utc heard = row->shown->since.last_before;
            if (row->shown->condition == CONDITION_NO_DATA && heard.ns > last.ns)
                last = heard;
            if (without_data++ < SILENT_MOST)
                silent[without_data - 1] = registry_text(overview->registry, row->series->target);
        } else if (troubles++ < TROUBLES_MOST) {
            page_item(page, "-", is_up ? split_words(overview, row) : trouble_words(overview, row));
        }
    }
    if (troubles > TROUBLES_MOST)
        page_item(page, "-",
                  arena_printf(
                      overview->arena, "... and %s more.",
                      words_count(overview->arena, troubles - TROUBLES_MOST, "target", "targets")));
    if (without_data)
        put_silent(page, overview, silent, without_data, last);
    if (troubles || without_data)
        page_space(page);
}

/* A network of which too few addresses are known to answer is never asked (source/blocks/census.h). */
static const char *unasked_words(struct arena *arena, unsigned unasked, unsigned targets)
{
    return arena_printf(arena,
                        "Of its %s %u %s no result so far: not asked yet, or a network of "
                        "which too few addresses are known to answer.",
                        words_count(arena, targets, "target", "targets"), unasked,
                        unasked == 1 ? "has" : "have");
}

static void put_subject(struct page *page, const struct overview *overview,
                        const struct roster *roster, const struct subject_state *subject)
{
    struct standings layers[LAYER_COUNT] = {0};
    const char *title =
        subject_words(overview->arena, overview->registry, subject, subject->subject);
    unsigned all = 0;
    page_heading(page, subject->is_reconstruction
                           ? arena_printf(overview->arena, "%s, a reconstruction", title)
                           : title);
    roster_count(overview->arena, overview->registry, roster, subject->subject, layers);
    for (int layer = 0; layer < LAYER_COUNT; layer++)
        all += layers[layer].all;
    if (all) {
        put_layers(page, overview, layers);
        put_troubles(page, overview, roster, subject->subject);
    } else {
        page_paragraph(page, "None of its targets has been judged up or down yet.");
    }
    unsigned unasked = roster_unasked(overview->registry, roster, subject);
    if (all && unasked)
        page_paragraph(page, unasked_words(overview->arena, unasked, subject->targets));
    bins_put(&overview->bins, overview->registry, subject->subject, page, overview->arena);
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

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (names[i] == name)
            return true;
    return false;
}

/* Which vantages have no vote now: those whose controls fail. */
static size_t unvoted(const struct overview *overview, const char *names[UNVOTED_MOST])
{
    size_t count = 0;
    for (size_t i = 0; i < overview->notices.count && count < UNVOTED_MOST; i++) {
        const struct notice *notice = &overview->notices.list[i];
        const char *name = registry_text(overview->registry, notice->source);
        if (notice->is_open && notice->kind == NOTICE_VANTAGE_UNWELL &&
            !is_among(name, names, count))
            names[count++] = name;
    }
    for (size_t i = 0; i < overview->series.count && count < UNVOTED_MOST; i++) {
        const struct series_state *series = &overview->series.list[i];
        const char *name = registry_text(overview->registry, series->source);
        if (series->subject && series->source && !series->is_counted &&
            !is_among(name, names, count))
            names[count++] = name;
    }
    return count;
}

static bool is_own(const struct overview *overview, const struct series_state *series)
{
    return series->source && registry_own_check(overview->registry, series->target) >= 0;
}

static bool is_first_of_vantage(const struct overview *overview, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (is_own(overview, &overview->series.list[i]) &&
            overview->series.list[i].source == overview->series.list[at].source)
            return false;
    return true;
}

/* "link up", "clock down since 2022-01-25T21:00:10Z" */
static const char *own_words(const struct overview *overview, const struct series_state *series)
{
    int check = registry_own_check(overview->registry, series->target);
    const char *name = own_check_name((enum own_check)check);
    const char *condition = condition_name((enum condition)series->condition);
    if (series->condition == CONDITION_UP)
        return arena_printf(overview->arena, "%s %s", name, condition);
    return arena_printf(overview->arena, "%s %s since %s", name, condition,
                        words_time(overview->arena, series->since.first_after));
}

/* "Vantage lon of itself: link up, gateway up and clock down since 21:00:10Z." */
static void put_own_checks(struct page *page, const struct overview *overview)
{
    struct arena *arena = overview->arena;
    const char *checks[OWN_CHECK_COUNT];
    for (size_t i = 0; i < overview->series.count; i++) {
        const struct series_state *first = &overview->series.list[i];
        size_t count = 0;
        if (!is_own(overview, first) || !is_first_of_vantage(overview, i))
            continue;
        for (size_t k = i; k < overview->series.count && count < OWN_CHECK_COUNT; k++) {
            const struct series_state *series = &overview->series.list[k];
            if (is_own(overview, series) && series->source == first->source)
                checks[count++] = own_words(overview, series);
        }
        page_item(page, "-",
                  arena_printf(arena, "Vantage %s of itself: %s.",
                               registry_text(overview->registry, first->source),
                               words_list(arena, checks, count)));
    }
}

static void put_observer(struct page *page, const struct overview *overview)
{
    const char *names[UNVOTED_MOST];
    size_t open = 0, count = unvoted(overview, names);
    for (size_t i = 0; i < overview->notices.count; i++)
        open += overview->notices.list[i].is_open;
    overview_notices(page, overview, true);
    put_own_checks(page, overview);
    if (count)
        page_paragraph(page, arena_printf(overview->arena, "Without a vote now: %s.",
                                          words_list(overview->arena, names, count)));
    else if (!open)
        page_paragraph(
            page, "The observer itself is well: no open notice about a vantage, a collector or "
                  "a peer.");
}

static void put_head(struct page *page, const struct overview *overview)
{
    const struct journal_counts *counts = &overview->counts;
    struct arena *arena = overview->arena;
    struct utc judged = judged_until(counts);
    char duration[DURATION_TEXT_MAX], wait[DURATION_TEXT_MAX];
    const char *observations =
        words_count(arena, counts->observations, "observation", "observations");
    duration_format(utc_diff(counts->last, counts->first), duration);
    if (!utc_is_known(judged))
        page_paragraph(page, arena_printf(arena,
                                          "%s so far, the newest of %s. None is judged yet: each "
                                          "waits %s, in case an older one arrives late.",
                                          observations, words_time(arena, counts->last),
                                          duration_format(LATENESS_NS, wait)));
    else
        page_paragraph(page, arena_printf(arena, "Judged up to %s; %s over %s, the newest of %s.",
                                          words_time(arena, judged), observations, duration,
                                          words_time(arena, counts->last)));
}

static json_t *json_target(const struct registry *registry, const struct roster_row *row)
{
    bool is_asked = row->shown->source != 0; /* not a route */
    return json_pack("{s:s, s:o, s:s, s:o, s:s, s:o, s:o, s:o}", "type", "target", "subject",
                     json_name(registry, row->series->subject), "layer",
                     layer_name((enum layer)row->series->layer), "target",
                     json_name(registry, row->series->target), "standing",
                     standing_name(row->standing), "since", json_interval(&row->shown->since),
                     "vantages_voting", is_asked ? json_integer(row->voting) : json_null(),
                     "vantages_down", is_asked ? json_integer(row->down) : json_null());
}

static void put_json(const struct overview *overview, struct buffer *out)
{
    overview_record(overview, out);
    for (size_t i = 0; i < overview->subjects.count; i++) {
        const struct subject_state *subject = &overview->subjects.list[i];
        json_line(out, json_pack("{s:s, s:o, s:o, s:b, s:i, s:i}", "type", "subject", "subject",
                                 json_name(overview->registry, subject->subject), "title",
                                 json_name(overview->registry, subject->title), "is_reconstruction",
                                 subject->is_reconstruction, "utc_offset_s", subject->utc_offset_s,
                                 "targets", (int)subject->targets));
    }
    struct roster roster = roster_make(overview->arena, &overview->series);
    for (size_t i = 0; i < roster.count; i++)
        json_line(out, json_target(overview->registry, &roster.rows[i]));
    for (size_t i = 0; i < overview->series.count; i++)
        json_line(out, json_series(overview->registry, &overview->series.list[i]));
    for (size_t i = 0; i < overview->bins.count; i++)
        json_line(out, bins_json(overview->registry, &overview->bins.list[i]));
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
    struct roster roster = roster_make(overview->arena, &overview->series);
    for (size_t i = 0; i < overview->subjects.count; i++)
        put_subject(&page, overview, &roster, &overview->subjects.list[i]);
    put_open_incidents(&page, overview);
    put_observer(&page, overview);
}
