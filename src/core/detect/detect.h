/* All target series and the vantages they are asked from.
 *
 * A change is published, that is, told to anybody, only when it is sure not to be our own doing:
 * for a series that went down, every control of its vantage that was not dead before must have
 * answered well into the onset (after half of the time from its first bad probe to the one that
 * settled it), all of them together three times; the target must have failed again after that, and
 * the controls must have lost nothing from two rounds before the onset on, or answered three times
 * in a row since. For one that degraded, they must have been up since before it and have lost little
 * beside it. While controls fail or have not spoken, it
 * waits; what comes back before is not told at all. When most controls are down or lossy the
 * vantage has no vote: what waited is void, its series are no data, and start afresh when the
 * controls are back. A vantage without controls is believed as it is. What it says of itself (own.h) can
 * take the vote from it in the same way, but vouches for nothing: that its link is there does not mean
 * that the world is.
 */
#ifndef CORE_DETECT_DETECT_H
#define CORE_DETECT_DETECT_H

#include "core/detect/own.h"
#include "core/detect/series.h"
#include "core/sight.h"
#include "core/watch.h"

enum { DETECT_SERIES_MAX = 1024 * 1024, DETECT_VANTAGES_MAX = 4096 };

struct vantage {
    uint32_t id;
    uint32_t first_control;             /* series row + 1, chained by next */
    uint32_t first_own;                 /* row + 1 in `own`, chained by next */
    uint32_t unwell_notice, gap_notice; /* ids while open */
    bool is_unwell;
    bool is_silent;
    bool has_controls;
    uint16_t failed, controls; /* of the notice */
    int64_t round_ns;          /* between any two of its probes */
    struct utc last_any;
    struct utc last_resolved; /* when its resolver found a name last */
    struct utc last_lost;     /* when it lost a host or a name server last, as it was told */
    struct utc blind_until;
    struct interval unwell;
    struct interval gap;
};

struct detect {
    struct table series, vantages;
    struct table own;     /* struct own_state */
    struct table waiting; /* uint32_t: series rows with a change that is not published */
    struct index series_index /* (source, target) */, target_index, vantage_index;
    struct index own_index; /* (source, target) */
    bool own_has_turned;    /* since the vantages were judged last */
    struct utc silence_due;
    struct utc first_data;
    uint64_t capped;
};

/* What was published: a row of the list that detect_settle() fills. */
struct change {
    uint32_t series; /* row */
    uint8_t from, to;
    struct interval at;
};

void detect_init(struct detect *detect);
void detect_done(struct detect *detect);
void detect_save(const struct detect *detect, struct buffer *out);
bool detect_load(struct detect *detect, struct reader *in);

/* PROBE; GAP, START, STOP of a vantage. */
void detect_feed(struct detect *detect, struct watch_list *watch, const struct registry *registry,
                 const struct observation *observation, struct numbers *numbers,
                 struct conclusions *out);
/* Judges silence and the vantages' health and publishes what is sure: adds to `changes` (rows of
 * struct change), marks subjects dirty, emits notices and the states of series. */
void detect_settle(struct detect *detect, struct watch_list *watch, struct utc now,
                   struct table *changes, struct numbers *numbers, struct conclusions *out);

/* What all voting vantages together say of a target (vote.c). */
void detect_sight(const struct detect *detect, uint32_t target, struct sight *sight);

static inline struct series *detect_series(const struct detect *detect, size_t row)
{
    return table_at(&detect->series, row);
}

static inline struct vantage *detect_vantage(const struct detect *detect, size_t row)
{
    return table_at(&detect->vantages, row);
}

/* Controls of a vantage: how many are well, of those with data. */
void detect_controls(const struct detect *detect, const struct vantage *vantage, uint32_t *up,
                     uint32_t *all);

#endif
