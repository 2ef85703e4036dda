/* Findings as sentences, from the templates of model/evidence.def. */
#ifndef OUT_SENTENCE_H
#define OUT_SENTENCE_H

#include "base/mem.h"
#include "model/conclusion.h"
#include "model/registry.h"

/* A finding that is there or missed as a clause without capital and full stop ("routes came and
 * went 4 times"); times of the same day as `day` are written without date. An unknown finding gives
 * what is not known: its sentence for present with "not known whether " before it would need
 * figures that do not exist, so it is only named. */
const char *sentence(struct arena *arena, const struct registry *registry,
                     const struct finding *finding, struct utc day);

/* Without the parts in square brackets: for lists of reasons. */
const char *sentence_short(struct arena *arena, const struct registry *registry,
                           const struct finding *finding);

/* The same for any template: "{n} of {m}". A part in square brackets is left out if a figure in it
 * is not known. Marks that are not known are kept as they stand, so that a test sees them. */
const char *sentence_render(struct arena *arena, const struct registry *registry,
                            const char *template, const struct finding *finding, struct utc day);

/* With a capital and a full stop. */
const char *sentence_whole(struct arena *arena, const char *clause);

#endif
