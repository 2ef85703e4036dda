/* How times, counts and likelihoods are put in words. Texts live in the arena that is given, or are
 * static. All times are UTC. */
#ifndef OUT_WORDS_H
#define OUT_WORDS_H

#include "base/mem.h"
#include "base/utc.h"
#include "model/conclusion.h"

/* "2022-01-25T21:00:10Z", cut to the second; "-" if not known. */
const char *words_time(struct arena *arena, struct utc t);

/* "between 2022-01-25T21:00:10Z and 21:00:40Z". Times of the same day as `day` (0: none) are
 * written without date: "between 21:00:10 and 21:00:40". An interval shorter than ten seconds is
 * written with milliseconds, others rounded outwards to the second. Ends that are not known: "by
 * ...", "after ...". */
const char *words_interval(struct arena *arena, const struct interval *at, struct utc day);

/* The two ends of an interval for two columns of a table, each with its date if that is not the day
 * before it; "-" for an end that is not known. */
void words_ends(struct arena *arena, const struct interval *at, struct utc day, const char **first,
                const char **last);

/* How long from one interval to another: "6 h 1 min to 6 h 3 min", or one figure where the two ends
 * read the same. "-" if not known. */
const char *words_between(struct arena *arena, const struct interval *from,
                          const struct interval *to);

/* The fixed scale of science.md 6, from "almost no chance" to "almost certain". */
const char *words_likelihood(double p);
/* "94 %", never 0 or 100: "below 1 %", "above 99 %". */
const char *words_percent(struct arena *arena, double p);
/* A share that was measured, which may well be 0 % or 100 %. */
const char *words_share(struct arena *arena, double share);

/* What a layer's extent counts: single things and whole ones (struct layer_history). */
enum units { UNITS_SINGLE, UNITS_WHOLE, UNITS_BOTH };
enum units units_of(unsigned all, unsigned whole); /* of so many, so many whole */
/* "hosts", "networks", "hosts and networks", "routes", ...; in the singular for n = 1. */
const char *words_unit(enum layer layer, enum units units, unsigned n);
/* "hosts stopped answering": what it means that they failed (or, is_degraded, suffered). */
const char *words_failure(enum layer layer, enum units units, bool is_degraded);

/* "a", "a and b", "a, b and c". */
const char *words_list(struct arena *arena, const char *const *items, size_t count);
/* "1 536": a space between thousands. */
const char *words_number(struct arena *arena, uint64_t n);
/* "1 episode", "3 episodes". */
const char *words_count(struct arena *arena, uint64_t n, const char *one, const char *many);

#endif
