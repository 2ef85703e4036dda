/* The ways to what failed, as they were when it went dark and when it came back: traceroutes that were made for
 * the sake of an incident's targets (model/observation.h). What they say is beside the verdict, not in it. */
#ifndef OUT_TRACES_H
#define OUT_TRACES_H

#include "base/mem.h"
#include "model/observation.h"
#include "model/registry.h"
#include "store/query.h"

struct trace_found {
    struct utc time;
    uint32_t source, target, sake; /* target: trace:ADDRESS; sake: the target it was made for */
    uint32_t hop;                  /* who answered farthest away; 0: nobody */
    unsigned hops;                 /* how far that is */
    uint32_t asn;                  /* whose that is; 0: not known */
    enum outcome outcome;
};

enum { TRACES_MAX = 100 };

struct trace_list {
    const struct trace_found *list; /* in order of time */
    size_t count;                   /* TRACES_MAX at most: the earliest */
};

/* Those around the changes of the incident's targets. */
enum err traces_fetch(struct journal *journal, const struct registry *registry,
                      const struct incident_file *file, struct arena *arena, struct trace_list *out,
                      struct why *why);

/* "towards 192.0.2.9 from lon: no answer in time; the last to answer was 192.0.2.1 (AS64500), 7 hops away" */
const char *trace_words(struct arena *arena, const struct registry *registry,
                        const struct trace_found *trace);

#endif
