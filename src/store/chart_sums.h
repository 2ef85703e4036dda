/* What was observed since the last row of table `chart` was written, summed up by bin, target and vantage;
 * and the bytes of such rows. For the files of this room.
 *
 * A row sums up one bin of CHART_PART targets whose numbers follow one another, so that whoever asks for
 * one of them need not read all. Its bytes: for each question, in order of target and vantage, as LEB128:
 * target (from the one before), vantage, answered, failed, ours, timed,
 * and if any was timed the least round-trip time, how much the mean was above that, and the most above
 * the mean, in nanoseconds. */
#ifndef STORE_CHART_SUMS_H
#define STORE_CHART_SUMS_H

#include "base/buffer.h"
#include "base/reader.h"
#include "store/chart.h"

struct chart_sums;

/* `newest`: when the newest bin that has been written begins, 0 if there is none. */
struct chart_sums *chart_sums_new(struct utc newest);
void chart_sums_free(struct chart_sums *sums);

/* Whether what there is must be written before this one is added: it begins a newer bin, or there is no
 * room. */
bool chart_sums_are_full(const struct chart_sums *sums, const struct observation *observation);
/* Observations that are no probes are passed over. */
void chart_sums_add(struct chart_sums *sums, const struct observation *observation);

enum { CHART_PART = 128 };

struct chart_row {
    uint32_t part; /* target / CHART_PART */
    struct utc begin;
    struct buffer bytes;
};

/* The rows, one after the other from *at = 0 on. False if there are no more. */
bool chart_sums_row(struct chart_sums *sums, size_t *at, struct chart_row *row);
void chart_sums_clear(struct chart_sums *sums);

/* Covers what the row is about as well as its bytes. */
int64_t chart_checksum(uint32_t part, struct utc begin, uint64_t until_seq, const void *bytes,
                       size_t n);

/* Adds what a row says of a question to a point. The reader goes bad if these are no such bytes. */
void chart_sums_find(struct reader *row, uint32_t source, uint32_t target,
                     struct chart_point *point);
/* Adds one observation, which must be a probe, to a point. */
void chart_point_add(struct chart_point *point, const struct observation *observation);

struct utc chart_bin(struct utc time);

#endif
