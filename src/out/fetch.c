/* From the journal to what is rendered. */
#include "out/overview.h"

#include "out/words.h"

#include <string.h>

/* What every question needs: names and texts, freed at its end. */
struct session {
    struct registry *registry;
    struct arena arena;
};

static enum err session_begin(struct session *session, struct journal *journal, struct why *why)
{
    *session = (struct session){.registry = registry_new()};
    return journal_load_registry(journal, session->registry, why);
}

static void session_end(struct session *session)
{
    registry_free(session->registry);
    arena_done(&session->arena);
}

/* The newest verdict of an incident, copied: a file of a long incident is large and not kept. */
static enum err fetch_verdict(struct journal *journal, struct session *session,
                              struct judged_incident *row, struct why *why)
{
    struct arena arena = {0};
    struct incident_file file;
    enum err err = query_incident(journal, row->incident.id, &arena, &file, why);
    if (!err && file.verdict_count) {
        struct verdict *verdict = arena_alloc(&session->arena, sizeof *verdict);
        *verdict = file.verdicts[file.verdict_count - 1];
        row->verdict = verdict;
    }
    arena_done(&arena);
    return err;
}

static enum err fetch_incidents(struct journal *journal, struct session *session, bool only_open,
                                struct overview *overview, struct why *why)
{
    struct incident_list list;
    enum err err = query_incidents(journal, 0, &session->arena, &list, why);
    if (err)
        return err;
    overview->incidents =
        arena_alloc(&session->arena, (list.count + 1) * sizeof *overview->incidents);
    for (size_t i = 0; i < list.count && !err; i++) {
        if (only_open && !list.list[i].is_open)
            continue;
        struct judged_incident *row = &overview->incidents[overview->incident_count++];
        row->incident = list.list[i];
        err = fetch_verdict(journal, session, row, why);
    }
    return err;
}

static enum err fetch_overview(struct journal *journal, struct session *session, bool only_open,
                               struct overview *overview, struct why *why)
{
    *overview = (struct overview){.registry = session->registry, .arena = &session->arena};
    enum err err = query_counts(journal, &overview->counts, why);
    if (!err)
        err = query_subjects(journal, &session->arena, &overview->subjects, why);
    if (!err)
        err = query_notices(journal, &session->arena, &overview->notices, why);
    if (!err)
        err = query_series(journal, 0, &session->arena, &overview->series, why);
    if (!err)
        err = fetch_incidents(journal, session, only_open, overview, why);
    return err;
}

enum err out_status(struct journal *journal, const struct style *style, struct buffer *out,
                    struct why *why)
{
    struct session session;
    struct overview overview;
    enum err err = session_begin(&session, journal, why);
    if (!err)
        err = fetch_overview(journal, &session, true, &overview, why);
    if (!err)
        err = bins_fetch(journal, session.registry, overview.counts.last, &session.arena,
                         &overview.bins, why);
    if (!err)
        render_status(&overview, style, out);
    session_end(&session);
    return err;
}

enum err out_incidents(struct journal *journal, const struct style *style, struct buffer *out,
                       struct why *why)
{
    struct session session;
    struct overview overview;
    enum err err = session_begin(&session, journal, why);
    if (!err)
        err = fetch_overview(journal, &session, false, &overview, why);
    if (!err)
        render_incidents(&overview, style, out);
    session_end(&session);
    return err;
}

/* "1 to 4", or "1, 2 and 9"; at most twenty are named. */
static const char *name_ids(struct arena *arena, const struct incident_list *list)
{
    enum { NAMED = 20 };
    const char *items[NAMED + 1];
    size_t count = 0, n = list->count;
    if (n > 2 && list->list[n - 1].id - list->list[0].id == n - 1)
        return arena_printf(arena, "%u to %u", list->list[0].id, list->list[n - 1].id);
    for (; count < n && count < NAMED; count++)
        items[count] = arena_printf(arena, "%u", list->list[count].id);
    if (n > NAMED)
        items[count++] = "others";
    return words_list(arena, items, count);
}

static enum err no_such_incident(struct journal *journal, uint32_t id, struct session *session,
                                 struct why *why)
{
    struct incident_list list;
    enum err err = query_incidents(journal, 0, &session->arena, &list, why);
    if (err)
        return err;
    if (!list.count)
        return why_set(why, ERR_NOT_FOUND, "%s holds no incident %u: it holds none at all",
                       journal_path(journal), id);
    return why_set(why, ERR_NOT_FOUND, "%s holds no incident %u; it holds %s %s",
                   journal_path(journal), id, list.count == 1 ? "incident" : "incidents",
                   name_ids(&session->arena, &list));
}

static enum err fetch_dossier(struct journal *journal, uint32_t id, struct session *session,
                              struct dossier *dossier, struct why *why)
{
    struct subject_list subjects;
    struct journal_counts counts;
    *dossier = (struct dossier){.registry = session->registry, .arena = &session->arena};
    enum err err = query_incident(journal, id, &session->arena, &dossier->file, why);
    if (err == ERR_NOT_FOUND)
        return no_such_incident(journal, id, session, why);
    if (!err)
        err = query_subjects(journal, &session->arena, &subjects, why);
    if (!err)
        err = query_notices(journal, &session->arena, &dossier->notices, why);
    if (!err)
        err = query_counts(journal, &counts, why);
    if (!err)
        err = traces_fetch(journal, session->registry, &dossier->file, &session->arena,
                           &dossier->traces, why);
    if (err)
        return err;
    dossier->judged_until = judged_until(&counts);
    const struct subject_state *subject = subject_find(&subjects, dossier->file.incident.subject);
    if (subject)
        dossier->subject = *subject;
    return ERR_OK;
}

static enum err tell(struct journal *journal, uint32_t incident, const struct style *style,
                     void (*render)(const struct dossier *, const struct style *, struct buffer *),
                     struct buffer *out, struct why *why)
{
    struct session session;
    struct dossier dossier;
    enum err err = session_begin(&session, journal, why);
    if (!err)
        err = fetch_dossier(journal, incident, &session, &dossier, why);
    if (!err)
        render(&dossier, style, out);
    session_end(&session);
    return err;
}

enum err out_why(struct journal *journal, uint32_t incident, const struct style *style,
                 struct buffer *out, struct why *why)
{
    return tell(journal, incident, style, render_why, out, why);
}

enum err out_report(struct journal *journal, uint32_t incident, const struct style *style,
                    struct buffer *out, struct why *why)
{
    return tell(journal, incident, style, render_report, out, why);
}
