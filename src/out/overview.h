/* The whole journal at a glance: what status and incidents tell. Rendering works on this alone, so
 * that it can be tested without a journal. */
#ifndef OUT_OVERVIEW_H
#define OUT_OVERVIEW_H

#include "out/bins.h"
#include "out/dossier.h"
#include "out/out.h"
#include "out/page.h"

/* An incident with its standing verdict (NULL: none yet). */
struct judged_incident {
    struct incident incident;
    const struct verdict *verdict;
};

struct overview {
    const struct registry *registry;
    struct journal_counts counts;
    struct subject_list subjects;
    struct judged_incident *incidents; /* oldest first */
    size_t incident_count;
    struct notice_list notices;
    struct series_list series;
    struct bin_list bins;
    struct arena *arena;
};

void render_status(const struct overview *overview, const struct style *style, struct buffer *out);
void render_incidents(const struct overview *overview, const struct style *style,
                      struct buffer *out);
void render_why(const struct dossier *dossier, const struct style *style, struct buffer *out);
void render_report(const struct dossier *dossier, const struct style *style, struct buffer *out);

/* What is watched, and for how much of it there are data: targets that belong to a subject. */
struct coverage {
    size_t targets, with_data;
};
struct coverage overview_coverage(const struct overview *overview);
/* The notices, as a list under a heading; nothing if there are none. */
void overview_notices(struct page *page, const struct overview *overview, bool only_open);
/* {"type":"record", ...}: the first line of status and incidents as JSON. */
void overview_record(const struct overview *overview, struct buffer *out);

#endif
