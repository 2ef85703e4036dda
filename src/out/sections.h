/* The parts of a page about one incident; why and report are made of them. Each writes its own
 * heading, and nothing at all where it has nothing to say. */
#ifndef OUT_SECTIONS_H
#define OUT_SECTIONS_H

#include "out/dossier.h"
#include "out/page.h"

void section_head(struct page *page, const struct dossier *dossier);
void section_time_line(struct page *page, const struct dossier *dossier);
void section_traces(struct page *page, const struct dossier *dossier);
void section_episodes(struct page *page, const struct dossier *dossier);
void section_events(struct page *page, const struct dossier *dossier);
void section_verdict(struct page *page, const struct dossier *dossier);
/* is_full: every finding in a sentence of its own, else the light ones are only named. */
void section_observed(struct page *page, const struct dossier *dossier, bool is_full);
/* Evidence for and against each leading cause, and why each other one is less likely. */
void section_weighing(struct page *page, const struct dossier *dossier);
/* What would settle it, and what no measurement from outside can. */
void section_limits(struct page *page, const struct dossier *dossier);
void section_revisions(struct page *page, const struct dossier *dossier);
void section_observer(struct page *page, const struct dossier *dossier);
void section_method(struct page *page, const struct dossier *dossier);

/* Also for JSON: what would tell the leading causes apart, best first; count at most SETTLING_MAX.
 */
size_t settling_measures(const struct verdict *verdict, const char *texts[SETTLING_MAX]);
/* The two leading causes but for "unknown". */
void leading_pair(const struct verdict *verdict, enum cause *first, enum cause *second);
/* The finding that puts a cause behind the leading one most; EVIDENCE_COUNT if none does. */
int reason_kind(const struct verdict *verdict, enum cause cause);
/* It as a short clause after "because". */
const char *reason_words(const struct dossier *dossier, int kind);
/* What cannot be told from outside, as far as it matters to the causes in question. Static texts.
 */
enum { LIMITS_MAX = 8 };
size_t outside_limits(const struct verdict *verdict, const char *texts[LIMITS_MAX]);

#endif
