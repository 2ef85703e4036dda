#include "model/model.h"

#include <string.h>

static const struct {
    const char *name;
    const char *sentence;
    enum outcome_class class;
} outcomes[] = {
#define OUTCOME(constant, name, class, sentence) {name, sentence, OUTCOME_CLASS_##class},
#include "model/outcomes.def"
#undef OUTCOME
};

static const char *const stages[] = {
#define STAGE(constant, name) name,
#include "model/stages.def"
#undef STAGE
};

static const struct {
    const char *name;
    const char *phrase;
} layers[] = {
#define LAYER(constant, name, phrase) {name, phrase},
#include "model/layers.def"
#undef LAYER
};

static const struct {
    const char *name;
    double prior;
    const char *phrase;
    const char *says;
} causes[] = {
#define CAUSE(constant, name, prior, phrase, says) {name, prior, phrase, says},
#include "model/causes.def"
#undef CAUSE
};

static const char *const families[] = {
#define FAMILY(constant, name) name,
#include "model/families.def"
#undef FAMILY
};

static const struct {
    const char *name;
    enum family family;
    const char *present;
    const char *absent;
} evidences[] = {
#define EVIDENCE(constant, name, family, present, absent) {name, FAMILY_##family, present, absent},
#include "model/evidence.def"
#undef EVIDENCE
};

static const struct {
    const char *name;
    bool is_vital;
    const char *phrase;
} own_checks[] = {
#define OWN_CHECK(constant, name, is_vital, phrase) {name, is_vital, phrase},
#include "model/own_checks.def"
#undef OWN_CHECK
};

const char *outcome_name(enum outcome outcome)
{
    return outcomes[outcome].name;
}

const char *outcome_sentence(enum outcome outcome)
{
    return outcomes[outcome].sentence;
}

enum outcome_class outcome_class(enum outcome outcome)
{
    return outcomes[outcome].class;
}

const char *stage_name(enum stage stage)
{
    return stages[stage];
}

const char *layer_name(enum layer layer)
{
    return layers[layer].name;
}

const char *layer_phrase(enum layer layer)
{
    return layers[layer].phrase;
}

const char *cause_name(enum cause cause)
{
    return causes[cause].name;
}

const char *cause_phrase(enum cause cause)
{
    return causes[cause].phrase;
}

const char *cause_says(enum cause cause)
{
    return causes[cause].says;
}

double cause_prior(enum cause cause)
{
    return causes[cause].prior;
}

const char *family_name(enum family family)
{
    return families[family];
}

const char *evidence_name(enum evidence_kind kind)
{
    return evidences[kind].name;
}

enum family evidence_family(enum evidence_kind kind)
{
    return evidences[kind].family;
}

const char *evidence_present(enum evidence_kind kind)
{
    return evidences[kind].present;
}

const char *evidence_absent(enum evidence_kind kind)
{
    return evidences[kind].absent;
}

const char *own_check_name(enum own_check check)
{
    return own_checks[check].name;
}

bool own_check_is_vital(enum own_check check)
{
    return own_checks[check].is_vital;
}

const char *own_check_phrase(enum own_check check)
{
    return own_checks[check].phrase;
}

static bool is_name(const char *candidate, const char *name, size_t n)
{
    return strlen(candidate) == n && memcmp(candidate, name, n) == 0;
}

int outcome_from_name(const char *name, size_t n)
{
    for (int i = 0; i < OUTCOME_COUNT; i++)
        if (is_name(outcomes[i].name, name, n))
            return i;
    return -1;
}

int stage_from_name(const char *name, size_t n)
{
    for (int i = 0; i < STAGE_COUNT; i++)
        if (is_name(stages[i], name, n))
            return i;
    return -1;
}

int cause_from_name(const char *name, size_t n)
{
    for (int i = 0; i < CAUSE_COUNT; i++)
        if (is_name(causes[i].name, name, n))
            return i;
    return -1;
}

int own_check_from_name(const char *name, size_t n)
{
    for (int i = 0; i < OWN_CHECK_COUNT; i++)
        if (is_name(own_checks[i].name, name, n))
            return i;
    return -1;
}
