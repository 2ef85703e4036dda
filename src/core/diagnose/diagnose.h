/* From findings to a verdict: weight of evidence (science.md 4.2, 4.4, 6). Pure and without memory:
 * the same findings give the same verdict, on any machine.
 *
 * 1. The observer's gate. If the observer's own controls failed, its data say nothing about the
 *    world: no other finding is weighed.
 * 2. Every finding that is there or missed weighs log P(finding | cause) less its mean over all
 *    causes, times the row's temper (likelihoods.def). What is unknown weighs nothing.
 * 3. The findings of one family together move no cause by more than three nats, or than the
 *    strongest of them would alone.
 * 4. Prior and weights make the posterior, in which "unknown" never has less than 5 %: no table
 *    is complete, and most outages never get a cause.
 * 5. A cause is called only if it has one half and twice as much as the next.
 *
 * Tempers belong to rows and do not depend on which other findings fired: so a further finding for
 * a cause never lowers it, unless its family is at its cap already. */
#ifndef CORE_DIAGNOSE_DIAGNOSE_H
#define CORE_DIAGNOSE_DIAGNOSE_H

#include "model/conclusion.h"

/* `findings` has one entry for each evidence kind, in the table's order. Fills all of `out`. */
void diagnose(const struct finding findings[EVIDENCE_COUNT], const struct incident *incident,
              struct verdict *out);

#endif
