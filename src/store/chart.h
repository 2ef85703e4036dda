/* Charts: what each question (vantage, target) did over time, in bins of five minutes. So that a day of one
 * target is not looked for among the observations of all, every bin is summed up when the next one
 * begins, and kept in table `chart`: a cache, made of all observations up to one of them. What came
 * after that one is read as it was observed; so is all, where the cache is damaged or not there.
 *
 *     chart_read(journal, vantage, target, from, until, &arena, &chart, &why) */
#ifndef STORE_CHART_H
#define STORE_CHART_H

#include "base/mem.h"
#include "store/journal.h"

#define CHART_BIN_NS (5 * NS_PER_MINUTE)

struct chart_point {
    struct utc begin;
    uint32_t answered, failed; /* ours are neither */
    uint32_t ours;
    uint32_t timed; /* answers with a round-trip time; the rest is 0 if there is none */
    int64_t least_ns, most_ns;
    double sum_ns; /* over `timed` it is the mean */
};

/* Both together. */
void chart_point_merge(struct chart_point *point, const struct chart_point *other);

struct chart {
    struct chart_point *list; /* in order of time; bins without any observation are left out */
    size_t count;
};

enum { CHART_POINTS_MAX = 366 * 288 };

/* The bins that [from, until) touches, CHART_POINTS_MAX at most. Source 0: of all vantages together. */
enum err chart_read(struct journal *journal, uint32_t source, uint32_t target, struct utc from,
                    struct utc until, struct arena *arena, struct chart *out, struct why *why);

#endif
