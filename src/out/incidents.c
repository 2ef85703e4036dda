#include "out/overview.h"

#include "out/json.h"
#include "out/sentence.h"
#include "out/words.h"

static bool is_reconstruction(const struct overview *overview, uint32_t subject)
{
    const struct subject_state *state = subject_find(&overview->subjects, subject);
    return state && state->is_reconstruction;
}

static const char *lasted_words(struct arena *arena, const struct incident *incident)
{
    const char *lasted =
        incident->is_open ? "not over" : words_between(arena, &incident->began, &incident->ended);
    if (incident->episodes < 2)
        return lasted;
    return arena_printf(arena, "%u episodes%s %s", incident->episodes,
                        incident->is_open ? "," : " within", lasted);
}

static const char *verdict_words(struct arena *arena, const struct verdict *verdict)
{
    if (!verdict)
        return "no verdict yet";
    const char *provisional = verdict->is_provisional ? "provisional: " : "";
    enum cause leader = (enum cause)verdict->order[0];
    double p = verdict->posterior[leader];
    if (verdict->call < CAUSE_COUNT)
        return arena_printf(arena, "%s%s, %s (%s)", provisional, cause_phrase(leader),
                            words_likelihood(p), words_percent(arena, p));
    if (leader == CAUSE_UNKNOWN)
        return arena_printf(arena, "%sno call", provisional);
    return arena_printf(arena, "%sno call, %s leads (%s)", provisional, cause_phrase(leader),
                        words_percent(arena, p));
}

static const char *began_cell(struct arena *arena, const struct incident *incident)
{
    struct utc t = incident->began.first_after;
    return words_time(arena, utc_is_known(t) ? t : incident->began.last_before);
}

/* "Lost 4 of 4 hosts; 6 h 2 min. Network stress, very likely (94 %)." */
static const char *story_cell(const struct overview *overview, const struct judged_incident *row)
{
    struct arena *arena = overview->arena;
    bool is_degraded;
    const char *extent = incident_extent(arena, &row->incident, &is_degraded);
    const char *what = arena_printf(arena, "%s %s; %s", is_degraded ? "disturbed:" : "lost", extent,
                                    lasted_words(arena, &row->incident));
    const char *mark =
        is_reconstruction(overview, row->incident.subject) ? " (A reconstruction.)" : "";
    return arena_printf(arena, "%s %s%s", sentence_whole(arena, what),
                        sentence_whole(arena, verdict_words(arena, row->verdict)), mark);
}

static void put_table(struct page *page, const struct overview *overview)
{
    struct arena *arena = overview->arena;
    struct table table = {.columns = 4};
    static const char *const heads[] = {"No.", "Began (UTC)", "Subject",
                                        "What happened, and the verdict"};
    for (size_t i = 0; i < 4; i++)
        page_table_add(&table, heads[i]);
    for (size_t i = 0; i < overview->incident_count; i++) {
        const struct incident *incident = &overview->incidents[i].incident;
        page_table_add(&table, arena_printf(arena, "%u", incident->id));
        page_table_add(&table, began_cell(arena, incident));
        page_table_add(
            &table, incident->subject ? registry_text(overview->registry, incident->subject) : "-");
        page_table_add(&table, story_cell(overview, &overview->incidents[i]));
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
                                "targets with data at the end.",
                                duration_format(utc_diff(counts->last, counts->first), duration),
                                words_time(arena, counts->first), words_time(arena, counts->last),
                                words_count(arena, overview->subjects.count, "subject", "subjects"),
                                coverage.with_data, coverage.targets));
}

static json_t *json_row(const struct overview *overview, const struct judged_incident *row)
{
    json_t *object = json_incident(overview->registry, &row->incident);
    const struct verdict *verdict = row->verdict;
    json_object_set_new(object, "is_reconstruction",
                        json_boolean(is_reconstruction(overview, row->incident.subject)));
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
