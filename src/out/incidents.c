#include "out/overview.h"

#include "out/json.h"
#include "out/words.h"

#include <string.h>

static const char *subject_cell(const struct overview *overview, uint32_t subject)
{
    const struct subject_state *state = subject_find(&overview->subjects, subject);
    const char *name = subject ? registry_text(overview->registry, subject) : "-";
    return state && state->is_reconstruction
               ? arena_printf(overview->arena, "%s (reconstruction)", name)
               : name;
}

static const char *lasted_cell(struct arena *arena, const struct incident *incident)
{
    const char *lasted =
        incident->is_open ? "not over" : words_between(arena, &incident->began, &incident->ended);
    return incident->episodes > 1
               ? arena_printf(arena, "%s, %u episodes", lasted, incident->episodes)
               : lasted;
}

/* The layer that tells most: hosts, else the first that lost anything. */
static const char *worst_cell(struct arena *arena, const struct incident *incident)
{
    bool is_degraded;
    const char *extent = incident_extent(arena, incident, &is_degraded);
    size_t n = strcspn(extent, ",");
    const char *and = strstr(extent, " and ");
    if (and&&(size_t)(and-extent) < n)
        n = (size_t)(and-extent);
    return arena_printf(arena, "%.*s%s", (int)n, extent, is_degraded ? " disturbed" : "");
}

static const char *verdict_cell(struct arena *arena, const struct verdict *verdict)
{
    if (!verdict)
        return "no verdict yet";
    const char *provisional = verdict->is_provisional ? " (provisional)" : "";
    if (verdict->call < CAUSE_COUNT) {
        double p = verdict->posterior[verdict->call];
        return arena_printf(arena, "%s: %s, %s%s", cause_phrase((enum cause)verdict->call),
                            words_likelihood(p), words_percent(arena, p), provisional);
    }
    if (verdict->order[0] == CAUSE_UNKNOWN)
        return arena_printf(arena, "no call%s", provisional);
    return arena_printf(arena, "no call%s; %s leads with %s", provisional,
                        cause_phrase((enum cause)verdict->order[0]),
                        words_percent(arena, verdict->posterior[verdict->order[0]]));
}

static const char *began_cell(struct arena *arena, const struct incident *incident)
{
    struct utc t = incident->began.first_after;
    return words_time(arena, utc_is_known(t) ? t : incident->began.last_before);
}

static void put_table(struct page *page, const struct overview *overview)
{
    struct arena *arena = overview->arena;
    struct table table = {.columns = 6};
    static const char *const heads[] = {"No.",    "Subject", "Began (UTC)",
                                        "Lasted", "Worst",   "Verdict"};
    for (size_t i = 0; i < 6; i++)
        page_table_add(&table, heads[i]);
    for (size_t i = 0; i < overview->incident_count; i++) {
        const struct incident *incident = &overview->incidents[i].incident;
        page_table_add(&table, arena_printf(arena, "%u", incident->id));
        page_table_add(&table, subject_cell(overview, incident->subject));
        page_table_add(&table, began_cell(arena, incident));
        page_table_add(&table, lasted_cell(arena, incident));
        page_table_add(&table, worst_cell(arena, incident));
        page_table_add(&table, verdict_cell(arena, overview->incidents[i].verdict));
    }
    page_table(page, &table);
}

static void put_none(struct page *page, const struct overview *overview)
{
    struct coverage coverage = overview_coverage(overview);
    const struct journal_counts *counts = &overview->counts;
    struct arena *arena = overview->arena;
    char duration[DURATION_TEXT_MAX];
    if (!counts->observations) {
        page_paragraph(page, "No incident: the journal holds no observations yet.");
        return;
    }
    page_paragraph(page,
                   arena_printf(arena,
                                "No incident in %s of data (%s to %s). Watched: %s, %zu of %zu "
                                "series with data now.",
                                duration_format(utc_diff(counts->last, counts->first), duration),
                                words_time(arena, counts->first), words_time(arena, counts->last),
                                words_count(arena, overview->subjects.count, "subject", "subjects"),
                                coverage.with_data, coverage.series));
}

static json_t *json_row(const struct overview *overview, const struct judged_incident *row)
{
    json_t *object = json_incident(overview->registry, &row->incident);
    const struct subject_state *state = subject_find(&overview->subjects, row->incident.subject);
    const struct verdict *verdict = row->verdict;
    json_object_set_new(object, "is_reconstruction",
                        json_boolean(state && state->is_reconstruction));
    if (!verdict)
        return object;
    enum cause leader = (enum cause)verdict->order[0];
    json_object_set_new(object, "is_provisional", json_boolean(verdict->is_provisional));
    json_object_set_new(object, "call",
                        verdict->call < CAUSE_COUNT
                            ? json_string(cause_name((enum cause)verdict->call))
                            : json_null());
    json_object_set_new(object, "leading_cause", json_string(cause_name(leader)));
    json_object_set_new(object, "likelihood",
                        json_string(words_likelihood(verdict->posterior[leader])));
    json_object_set_new(object, "confidence",
                        json_string(confidence_name((enum confidence)verdict->confidence)));
    return object;
}

static void put_json(const struct overview *overview, struct buffer *out)
{
    overview_record(overview, out);
    for (size_t i = 0; i < overview->incident_count; i++)
        json_line(out, json_row(overview, &overview->incidents[i]));
    for (size_t i = 0; i < overview->notices.count; i++)
        json_line(out, json_notice(overview->registry, &overview->notices.list[i]));
}

void render_incidents(const struct overview *overview, const struct style *style,
                      struct buffer *out)
{
    if (style->format == FORMAT_JSON) {
        put_json(overview, out);
        return;
    }
    struct page page = page_of(style, out);
    if (overview->incident_count)
        put_table(&page, overview);
    else
        put_none(&page, overview);
    overview_notices(&page, overview, false);
}
