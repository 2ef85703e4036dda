/* The judgement. Pure: no clock, no socket, no file; time is in the observations. The same
 * observations give the same conclusions, byte for byte, on any machine, in one go or stopped and
 * resumed anywhere.
 *
 *     struct core *core = core_new(registry);
 *     core_feed(core, &observation, &conclusions);      // in journal order, again and again
 *     buffer = core_save(core) ... core = core_load(registry, bytes)      // a checkpoint
 *
 * Inside, an observation first waits in a small queue until LATENESS_NS of data time have passed,
 * and leaves it in order of time (ties by content, never by order of arrival): so input that is out
 * of order by less than that gives the same conclusions. An observation later than that is counted,
 * and not judged.
 *
 * Conclusions are drawn on whole seconds of data time, when an observation shows that one has
 * passed: between two observations nothing happens, so a long silence costs nothing. A SUBJECT or
 * GAP that is late counts all the same, and the configuration may come before an archive that is
 * older than it. A BIN changes nothing, not even the time: it tells of whole networks and countries every
 * five minutes, and the routes of what is watched, which are judged one by one, tell more and sooner.
 *
 * core.c calls detect/ (each series, each prefix, each vantage), then incident/ (what belongs
 * together, and what was found), then diagnose/ (what that says), which do not know each other. */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include "base/buffer.h"
#include "model/conclusion.h"
#include "model/observation.h"
#include "model/registry.h"

/* Raised with every change that can change a conclusion. */
enum { RULES_VERSION = 4 };

struct core;

struct core *core_new(const struct registry *registry);
void core_free(struct core *core);

/* Judges one observation. Conclusions are added to `out`. The registry must hold all its names. */
void core_feed(struct core *core, const struct observation *observation, struct conclusions *out);

/* The whole state as bytes, for a checkpoint: a cache, good for the same build only. */
void core_save(const struct core *core, struct buffer *out);
/* NULL if the bytes are not from this build and these rules: feed the journal from its start
 * instead. */
struct core *core_load(const struct registry *registry, const void *bytes, size_t n);

struct core_counters {
    uint64_t observations;
    uint64_t late;   /* arrived more than LATENESS_NS too late: kept in the journal, not judged */
    uint64_t capped; /* something reached its stated cap and was not taken up */
};
struct core_counters core_counters(const struct core *core);

#endif
