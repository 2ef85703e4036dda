/* A subject as a person describes it, in the configuration file or in the first line of an observation
 * log, before its names become numbers. */
#ifndef MODEL_SUBJECT_H
#define MODEL_SUBJECT_H

#include "base/err.h"
#include "base/utc.h"
#include "model/observation.h"
#include "model/registry.h"

#include <stdbool.h>
#include <stddef.h>

struct member_spec {
    enum name_kind kind; /* NAME_TARGET, NAME_PREFIX, NAME_ASN, NAME_COUNTRY or NAME_ZONE */
    const char *text;
    int64_t interval_ns; /* how often the target is asked, 0 if not known */
};

/* Texts belong to the caller (usually to an arena). */
struct subject_spec {
    const char *name;
    const char *title; /* NULL for none */
    bool is_reconstruction;
    int utc_offset_s; /* local time of the subject, for "on the hour" and "at night" */
    const struct member_spec *members;
    size_t member_count;
};

/* Emits the SUBJECT and its MEMBERs at `time`. Fails, having emitted nothing, on the first member that
 * is not well formed. */
enum err subject_emit(const struct subject_spec *spec, struct utc time, const struct sink *sink,
                      struct why *why);

#endif
