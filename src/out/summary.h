/* The paragraph at the head of a report: what went dark, when, how much of it, what failed first,
 * which cause leads, and what that does not say. */
#ifndef OUT_SUMMARY_H
#define OUT_SUMMARY_H

#include "out/dossier.h"

/* "Incident 1: kp (Web sites under .kp)"; a reconstruction is called one. */
const char *summary_title(const struct dossier *dossier);
/* NULL unless it is a reconstruction: what that means. */
const char *summary_reconstruction(const struct dossier *dossier);
/* What happened. */
const char *summary_facts(const struct dossier *dossier);
/* What the verdict says, in likelihood words; never anything about confidence. */
const char *summary_verdict(const struct dossier *dossier);
/* How good the data are, by itself: it is never mixed with likelihood. */
const char *summary_confidence(const struct dossier *dossier);

/* "network stress (very likely, 94 %)". */
const char *cause_with_likelihood(struct arena *arena, const struct verdict *verdict,
                                  enum cause cause);

#endif
