#include "out/overview.h"

#include "out/json.h"
#include "out/notices.h"
#include "out/roster.h"
#include "out/sentence.h"
#include "out/words.h"

/* Stated cap; what is left out is counted. */
enum { NOTICES_MOST = 10 };

struct coverage overview_coverage(const struct overview *overview)
{
    struct coverage coverage = {0};
    struct roster roster = roster_make(overview->arena, &overview->series);
    for (size_t i = 0; i < roster.count; i++) {
        coverage.targets++;
        coverage.with_data += roster.rows[i].standing != STANDING_NO_DATA;
    }
    for (size_t i = 0; i < overview->subjects.count; i++)
        coverage.targets +=
            roster_unasked(overview->registry, &roster, &overview->subjects.list[i]);
    return coverage;
}

void overview_notices(struct page *page, const struct overview *overview, bool only_open)
{
    struct arena *arena = overview->arena;
    size_t count = 0;
    for (size_t i = overview->notices.count; i-- > 0;) {
        const struct notice *notice = &overview->notices.list[i];
        if ((only_open && !notice->is_open) || notices_is_told(&overview->notices, i))
            continue;
        if (count++ == 0)
            page_heading(page, only_open ? "About the observer, now"
                                         : "About the observer, newest first");
        if (count > NOTICES_MOST)
            continue;
        page_item(
            page, "-",
            sentence_whole(arena, notices_words(arena, overview->registry, &overview->notices, i)));
    }
    if (count > NOTICES_MOST)
        page_item(page, "-",
                  arena_printf(arena, "... and %s more.",
                               words_count(arena, count - NOTICES_MOST, "notice", "notices")));
    if (count)
        page_space(page);
}

void overview_record(const struct overview *overview, struct buffer *out)
{
    struct coverage coverage = overview_coverage(overview);
    const struct journal_counts *counts = &overview->counts;
    json_line(out, json_pack("{s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:I}", "type", "record", "first",
                             json_time(counts->first), "last", json_time(counts->last),
                             "judged_until", json_time(judged_until(counts)), "observations",
                             (json_int_t)counts->observations, "incidents",
                             (json_int_t)counts->incidents, "targets", (json_int_t)coverage.targets,
                             "targets_with_data", (json_int_t)coverage.with_data));
}
