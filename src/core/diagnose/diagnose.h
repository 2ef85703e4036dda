/* From findings to a verdict: weight of evidence (science.md 4.2). Pure and without memory: the same
 * findings give the same verdict. */
#ifndef CORE_DIAGNOSE_DIAGNOSE_H
#define CORE_DIAGNOSE_DIAGNOSE_H

#include "model/conclusion.h"

/* `findings` has one entry for each evidence kind, in the table's order. Fills all of `out` but its
 * incident, revision and judged. */
void diagnose(const struct finding findings[EVIDENCE_COUNT], const struct incident *incident,
              struct verdict *out);

#endif
