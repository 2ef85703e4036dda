/* What `probe` prints: results as they come, with or without every step, and sums at the end. */
#ifndef APP_PROBE_REPORT_H
#define APP_PROBE_REPORT_H

#include "base/buffer.h"
#include "model/observation.h"
#include "model/registry.h"
#include "source/probe/account.h"

struct probe_style {
    bool is_json;
    bool is_verbose;
    bool names_target; /* in every line, since there are several */
};

/* One result with its account, as one or more whole lines. */
void probe_report(const struct probe_style *style, const struct registry *registry,
                  const struct observation *result, const struct account *account,
                  struct buffer *out);

/* The results of one target, for the sums. */
struct probe_sums {
    const char *target;
    unsigned asked, ok;
    int64_t *rtts_ns; /* of those answered as hoped; of `ok` entries */
    size_t capacity;
};
void probe_sums_add(struct probe_sums *sums, const struct observation *result);
/* "TARGET: 9 of 10 answered as hoped; RTT at least 1.0 ms, median 1.2 ms, p90 2.2 ms, at most 3.4 ms" */
void probe_sums_report(struct probe_sums *sums, struct buffer *out);
void probe_sums_done(struct probe_sums *sums);

#endif
