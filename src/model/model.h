/* The enumerations of the model, each made from one table (*.def) together with its names. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>

enum outcome {
#define OUTCOME(constant, name, class, sentence) OUTCOME_##constant,
#include "model/outcomes.def"
#undef OUTCOME
    OUTCOME_COUNT
};

enum outcome_class {
    OUTCOME_CLASS_GOOD,
    OUTCOME_CLASS_PARTIAL,
    OUTCOME_CLASS_BAD,
    OUTCOME_CLASS_OURS
};

enum stage {
#define STAGE(constant, name) STAGE_##constant,
#include "model/stages.def"
#undef STAGE
    STAGE_COUNT
};

enum layer {
#define LAYER(constant, name, phrase) LAYER_##constant,
#include "model/layers.def"
#undef LAYER
    LAYER_COUNT
};

enum cause {
#define CAUSE(constant, name, prior, phrase, says) CAUSE_##constant,
#include "model/causes.def"
#undef CAUSE
    CAUSE_COUNT
};

enum family {
#define FAMILY(constant, name) FAMILY_##constant,
#include "model/families.def"
#undef FAMILY
    FAMILY_COUNT
};

enum evidence_kind {
#define EVIDENCE(constant, name, family, present, absent) EVIDENCE_##constant,
#include "model/evidence.def"
#undef EVIDENCE
    EVIDENCE_COUNT
};

enum own_check {
#define OWN_CHECK(constant, name, is_vital, phrase) OWN_CHECK_##constant,
#include "model/own_checks.def"
#undef OWN_CHECK
    OWN_CHECK_COUNT
};

const char *outcome_name(enum outcome outcome);
const char *outcome_sentence(enum outcome outcome);
enum outcome_class outcome_class(enum outcome outcome);
const char *stage_name(enum stage stage);
const char *layer_name(enum layer layer);
const char *layer_phrase(enum layer layer);
const char *cause_name(enum cause cause);
const char *cause_phrase(enum cause cause);
const char *cause_says(enum cause cause);
double cause_prior(enum cause cause);
const char *family_name(enum family family);
const char *evidence_name(enum evidence_kind kind);
enum family evidence_family(enum evidence_kind kind);
/* The sentence templates of a finding that is there, and of one that is missed (see evidence.def). */
const char *evidence_present(enum evidence_kind kind);
const char *evidence_absent(enum evidence_kind kind);
const char *own_check_name(enum own_check check);
bool own_check_is_vital(enum own_check check);
const char *own_check_phrase(enum own_check check);

/* Each returns -1 if the name is not one of the table's. */
int own_check_from_name(const char *name, size_t n);
int outcome_from_name(const char *name, size_t n);
int stage_from_name(const char *name, size_t n);
int cause_from_name(const char *name, size_t n);

#endif
