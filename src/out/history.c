/* What happened, in order: time line, episodes, single changes, revisions of the verdict, and how
 * the observer fared meanwhile. */
#include "out/sections.h"

#include "out/notices.h"
#include "out/sentence.h"
#include "out/summary.h"
#include "out/words.h"

#include <stdlib.h>
#include <string.h>

/* Stated cap; what is left out is counted. */
enum { EVENTS_MOST = 200 };

void section_time_line(struct page *page, const struct dossier *dossier)
{
    struct arena *arena = dossier->arena;
    struct step_list steps = dossier_time_line(dossier);
    if (!steps.count)
        return;
    struct table table = {.columns = 5};
    struct utc day = dossier_day(dossier);
    bool has_ties = false;
    page_heading(page,
                 arena_printf(arena, "Time line%s (UTC; times without a date are of %.10s)",
                              dossier->file.incident.episodes > 1 ? " of the deepest episode" : "",
                              words_time(arena, day)));
    static const char *const heads[] = {" ", "Between", "and", "What", "How many"};
    for (size_t i = 0; i < 5; i++)
        page_table_add(&table, heads[i]);
    for (size_t i = 0; i < steps.count; i++) {
        const struct step *step = &steps.list[i];
        const char *first, *last;
        words_ends(arena, &step->at, day, &first, &last);
        page_table_add(&table, step->is_simultaneous ? "=" : " ");
        page_table_add(&table, first);
        page_table_add(&table, last);
        page_table_add(&table, step->what);
        page_table_add(&table, step->extent);
        has_ties |= step->is_simultaneous;
    }
    page_table(page, &table);
    if (has_ties)
        page_paragraph(page, "= : the order to the line above is not certain, since the intervals "
                             "overlap.");
    const struct incident *incident = &dossier->file.incident;
    if (incident->first_layer < LAYER_COUNT && incident->first_target)
        page_paragraph(page,
                       arena_printf(arena, "What failed first of all: %s.",
                                    registry_text(dossier->registry, incident->first_target)));
}

void section_traces(struct page *page, const struct dossier *dossier)
{
    struct arena *arena = dossier->arena;
    if (!dossier->traces.count)
        return;
    page_heading(page, arena_printf(arena, "The way there (UTC; times without a date are of %.10s)",
                                    words_time(arena, dossier_day(dossier))));
    for (size_t i = 0; i < dossier->traces.count; i++) {
        const struct trace_found *trace = &dossier->traces.list[i];
        const struct interval at = {trace->time, trace->time};
        const char *first, *last;
        words_ends(arena, &at, dossier_day(dossier), &first, &last);
        page_item(
            page, "-",
            arena_printf(arena, "%s, %s.", first, trace_words(arena, dossier->registry, trace)));
    }
    page_space(page);
}

void section_episodes(struct page *page, const struct dossier *dossier)
{
    struct arena *arena = dossier->arena;
    if (dossier->file.episode_count < 2)
        return;
    page_heading(page, "Episodes (UTC)");
    for (size_t i = 0; i < dossier->file.episode_count; i++) {
        const struct episode *episode = &dossier->file.episodes[i];
        const char *began = words_interval(arena, &episode->began, (struct utc){0});
        const char *ended = words_interval(arena, &episode->ended, episode->began.first_after);
        const char *course =
            episode->is_open ? "not over"
                             : arena_printf(arena, "ended %s, lasted %s", ended,
                                            words_between(arena, &episode->began, &episode->ended));
        page_item(page, arena_printf(arena, "%u.", episode->number),
                  arena_printf(arena, "Began %s; %s; %s dark at worst.", began, course,
                               words_share(arena, episode->depth)));
    }
    page_space(page);
}

static int compare_events(const void *left, const void *right)
{
    const struct event *a = left, *b = right;
    if (a->at.first_after.ns != b->at.first_after.ns)
        return a->at.first_after.ns < b->at.first_after.ns ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static const struct event *sorted_events(const struct dossier *dossier)
{
    size_t count = dossier->file.event_count;
    struct event *events = arena_alloc(dossier->arena, count * sizeof *events);
    memcpy(events, dossier->file.events, count * sizeof *events);
    qsort(events, count, sizeof *events, compare_events);
    return events;
}

/* "between 21:02:00 and 21:02:30: icmp:192.0.2.1 from lon, up to down, no answer in time" */
static const char *event_words(const struct dossier *dossier, const struct event *event)
{
    struct arena *arena = dossier->arena;
    bool has_outcome = event->outcome != OUTCOME_NONE && event->to == CONDITION_DOWN;
    return arena_printf(
        arena, "%s: %s%s%s, %s to %s%s%s", words_interval(arena, &event->at, dossier_day(dossier)),
        registry_text(dossier->registry, event->target), event->source ? " from " : "",
        registry_text(dossier->registry, event->source),
        condition_name((enum condition)event->from), condition_name((enum condition)event->to),
        has_outcome ? ", " : "", has_outcome ? outcome_sentence((enum outcome)event->outcome) : "");
}

void section_events(struct page *page, const struct dossier *dossier)
{
    struct arena *arena = dossier->arena;
    size_t count = dossier->file.event_count;
    if (!count)
        return;
    const struct event *events = sorted_events(dossier);
    page_heading(page,
                 arena_printf(arena, "Every change seen (UTC; times without a date are of %.10s)",
                              words_time(arena, dossier_day(dossier))));
    for (size_t i = 0; i < count && i < EVENTS_MOST; i++)
        page_item(page, "-", sentence_whole(arena, event_words(dossier, &events[i])));
    if (count > EVENTS_MOST)
        page_item(page, "-",
                  arena_printf(arena, "... and %s more, in the journal.",
                               words_count(arena, count - EVENTS_MOST, "change", "changes")));
    page_space(page);
}

static const struct incident *revision_of(const struct incident_file *file, uint32_t revision)
{
    for (size_t i = 0; i < file->revision_count; i++)
        if (file->revisions[i].revision == revision)
            return &file->revisions[i];
    return NULL;
}

/* What one row of the table of revisions says; `gist` is what must differ for a new row. */
struct revision_row {
    const char *cells[4];
    const char *gist;
};

static struct revision_row revision_row(const struct dossier *dossier,
                                        const struct verdict *verdict)
{
    const struct incident *incident = revision_of(&dossier->file, verdict->revision);
    struct arena *arena = dossier->arena;
    enum cause leader = (enum cause)verdict->order[0];
    const char *state = !incident ? "-" : incident->is_open ? "open" : "over";
    const char *kind = verdict->is_provisional       ? "provisional"
                       : verdict->call < CAUSE_COUNT ? "called"
                                                     : "no call";
    return (struct revision_row){{words_time(arena, verdict->judged), state, kind,
                                  cause_with_likelihood(arena, verdict, leader)},
                                 arena_printf(arena, "%s %s %s %s", state, kind, cause_name(leader),
                                              words_likelihood(verdict->posterior[leader]))};
}

void section_revisions(struct page *page, const struct dossier *dossier)
{
    const struct incident_file *file = &dossier->file;
    struct arena *arena = dossier->arena;
    if (!file->verdict_count)
        return;
    struct table table = {.columns = 5};
    const char *last = "";
    size_t left_out = 0;
    page_heading(page, "Revisions of the verdict (none is overwritten)");
    static const char *const heads[] = {"No.", "Judged", "State", "Verdict", "Leading cause"};
    for (size_t i = 0; i < 5; i++)
        page_table_add(&table, heads[i]);
    for (size_t i = 0; i < file->verdict_count; i++) {
        struct revision_row row = revision_row(dossier, &file->verdicts[i]);
        if (strcmp(row.gist, last) == 0) {
            left_out++;
            continue;
        }
        page_table_add(&table, arena_printf(arena, "%u", file->verdicts[i].revision));
        for (int column = 0; column < 4; column++)
            page_table_add(&table, row.cells[column]);
        last = row.gist;
    }
    page_table(page, &table);
    if (left_out)
        page_paragraph(page, arena_printf(arena,
                                          "%s in between said the same in words as the one before.",
                                          words_count(arena, left_out, "revision", "revisions")));
}

void section_observer(struct page *page, const struct dossier *dossier)
{
    struct arena *arena = dossier->arena;
    size_t count = 0;
    page_heading(page, "The observer");
    for (size_t i = 0; i < dossier->notices.count; i++) {
        const struct notice *notice = &dossier->notices.list[i];
        if (!notice_is_within(notice, &dossier->file.incident) ||
            notices_is_told(&dossier->notices, i))
            continue;
        page_item(
            page, "-",
            sentence_whole(arena, notices_words(arena, dossier->registry, &dossier->notices, i)));
        count++;
    }
    if (!count)
        page_paragraph(page, "No trouble of the observer's own was noticed during the incident.");
    page_space(page);
}
