#include "store/chart_sums.h"

#include "base/hash.h"
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

/* Questions in a bin, at most: beyond that a bin has more than one row. */
enum { CELLS_MAX = 1024 * 1024, SLOTS_MIN = 1024 };
/* No probe waits so long; logs of others may say anything. */
#define RTT_MAX_NS NS_PER_DAY

struct cell {
    uint32_t source, target;
    struct chart_point point;
};

struct chart_sums {
    struct utc newest;
    struct cell *cells;
    size_t count, capacity;
    uint32_t *slots; /* open addressing: place of the cell + 1; 0: free */
    size_t slot_count;
};

struct utc chart_bin(struct utc time)
{
    int64_t into_ns = time.ns % CHART_BIN_NS;
    return (struct utc){time.ns - into_ns - (into_ns < 0 ? CHART_BIN_NS : 0)};
}

struct chart_sums *chart_sums_new(struct utc newest)
{
    struct chart_sums *sums = mem_new(1, sizeof *sums);
    sums->newest = newest;
    sums->slot_count = SLOTS_MIN;
    sums->slots = mem_new(sums->slot_count, sizeof *sums->slots);
    return sums;
}

void chart_sums_free(struct chart_sums *sums)
{
    if (!sums)
        return;
    free(sums->cells);
    free(sums->slots);
    free(sums);
}

void chart_sums_clear(struct chart_sums *sums)
{
    sums->count = 0;
    memset(sums->slots, 0, sums->slot_count * sizeof *sums->slots);
}

static uint32_t *slot_of(const struct chart_sums *sums, struct utc begin, uint32_t source,
                         uint32_t target)
{
    uint64_t hash = hash_mix((uint64_t)begin.ns ^ hash_mix((uint64_t)source << 32 | target));
    for (;; hash++) {
        uint32_t *slot = &sums->slots[hash & (sums->slot_count - 1)];
        if (!*slot)
            return slot;
        const struct cell *cell = &sums->cells[*slot - 1];
        if (cell->target == target && cell->source == source && cell->point.begin.ns == begin.ns)
            return slot;
    }
}

static void grow_slots(struct chart_sums *sums)
{
    free(sums->slots);
    sums->slot_count *= 2;
    sums->slots = mem_new(sums->slot_count, sizeof *sums->slots);
    for (uint32_t i = 0; i < sums->count; i++) {
        const struct cell *cell = &sums->cells[i];
        *slot_of(sums, cell->point.begin, cell->source, cell->target) = i + 1;
    }
}

bool chart_sums_are_full(const struct chart_sums *sums, const struct observation *observation)
{
    return sums->count == CELLS_MAX || (sums->count && observation->kind == OBSERVATION_PROBE &&
                                        chart_bin(observation->time).ns > sums->newest.ns);
}

void chart_point_add(struct chart_point *point, const struct observation *observation)
{
    enum outcome_class class = outcome_class((enum outcome)observation->outcome);
    bool is_answer = class == OUTCOME_CLASS_GOOD || class == OUTCOME_CLASS_PARTIAL;
    point->answered += is_answer;
    point->failed += class == OUTCOME_CLASS_BAD;
    point->ours += class == OUTCOME_CLASS_OURS;
    int64_t rtt_ns = observation->rtt_ns;
    if (!is_answer || rtt_ns <= 0 || rtt_ns > RTT_MAX_NS)
        return;
    point->least_ns = point->timed && point->least_ns < rtt_ns ? point->least_ns : rtt_ns;
    point->most_ns = point->most_ns > rtt_ns ? point->most_ns : rtt_ns;
    point->sum_ns += (double)rtt_ns;
    point->timed++;
}

void chart_sums_add(struct chart_sums *sums, const struct observation *observation)
{
    if (observation->kind != OBSERVATION_PROBE)
        return;
    struct utc begin = chart_bin(observation->time);
    if (begin.ns > sums->newest.ns)
        sums->newest = begin;
    uint32_t *slot = slot_of(sums, begin, observation->source, observation->target);
    if (!*slot) {
        sums->cells = mem_grow(sums->cells, &sums->capacity, sums->count + 1, sizeof *sums->cells);
        sums->cells[sums->count++] = (struct cell){
            .source = observation->source, .target = observation->target, .point.begin = begin};
        *slot = (uint32_t)sums->count;
    }
    chart_point_add(&sums->cells[*slot - 1].point, observation);
    if (sums->count * 2 > sums->slot_count)
        grow_slots(sums);
}

static int compare_cells(const void *a, const void *b)
{
    const struct cell *x = a, *y = b;
    if (x->point.begin.ns != y->point.begin.ns)
        return x->point.begin.ns < y->point.begin.ns ? -1 : 1;
    if (x->target != y->target)
        return x->target < y->target ? -1 : 1;
    return (x->source > y->source) - (x->source < y->source);
}

static void put_cell(const struct cell *cell, uint32_t target_before, struct buffer *out)
{
    const struct chart_point *point = &cell->point;
    buffer_varint(out, cell->target - target_before);
    buffer_varint(out, cell->source);
    buffer_varint(out, point->answered);
    buffer_varint(out, point->failed);
    buffer_varint(out, point->ours);
    buffer_varint(out, point->timed);
    if (!point->timed)
        return;
    int64_t mean_ns = (int64_t)(point->sum_ns / point->timed);
    buffer_varint(out, (uint64_t)point->least_ns);
    buffer_varint(out, (uint64_t)(mean_ns - point->least_ns));
    buffer_varint(out, (uint64_t)(point->most_ns - mean_ns));
}

int64_t chart_checksum(uint32_t part, struct utc begin, uint64_t until_seq, const void *bytes,
                       size_t n)
{
    return (int64_t)hash_bytes(bytes, n, hash_mix((uint64_t)begin.ns ^ hash_mix(until_seq)) ^ part);
}

static bool is_of_row(const struct cell *cell, const struct chart_row *row)
{
    return cell->point.begin.ns == row->begin.ns && cell->target / CHART_PART == row->part;
}

bool chart_sums_row(struct chart_sums *sums, size_t *at, struct chart_row *row)
{
    uint32_t target = 0;
    if (*at == sums->count)
        return false;
    if (*at == 0) { /* the slots lead elsewhere from now on, until all is cleared */
        qsort(sums->cells, sums->count, sizeof *sums->cells, compare_cells);
        memset(sums->slots, 0, sums->slot_count * sizeof *sums->slots);
    }
    row->begin = sums->cells[*at].point.begin;
    row->part = sums->cells[*at].target / CHART_PART;
    buffer_clear(&row->bytes);
    for (; *at < sums->count && is_of_row(&sums->cells[*at], row); ++*at) {
        put_cell(&sums->cells[*at], target, &row->bytes);
        target = sums->cells[*at].target;
    }
    return true;
}

void chart_point_merge(struct chart_point *point, const struct chart_point *other)
{
    point->answered += other->answered;
    point->failed += other->failed;
    point->ours += other->ours;
    if (!other->timed)
        return;
    bool is_less = !point->timed || other->least_ns < point->least_ns;
    point->least_ns = is_less ? other->least_ns : point->least_ns;
    point->most_ns = other->most_ns > point->most_ns ? other->most_ns : point->most_ns;
    point->sum_ns += other->sum_ns;
    point->timed += other->timed;
}

static uint32_t take_count(struct reader *row)
{
    uint64_t value = reader_varint(row);
    if (value > UINT32_MAX)
        reader_fail(row, "has a count out of range");
    return (uint32_t)value;
}

static int64_t take_ns(struct reader *row)
{
    uint64_t value = reader_varint(row);
    if (value > (uint64_t)RTT_MAX_NS)
        reader_fail(row, "has a time out of range");
    return (int64_t)value;
}

static struct chart_point take_point(struct reader *row)
{
    struct chart_point point = {0};
    point.answered = take_count(row);
    point.failed = take_count(row);
    point.ours = take_count(row);
    point.timed = take_count(row);
    if (!point.timed)
        return point;
    point.least_ns = take_ns(row);
    int64_t mean_ns = point.least_ns + take_ns(row);
    point.most_ns = mean_ns + take_ns(row);
    point.sum_ns = (double)mean_ns * point.timed;
    return point;
}

void chart_sums_find(struct reader *row, uint32_t source, uint32_t target,
                     struct chart_point *point)
{
    uint32_t at = 0;
    while (reader_left(row) && at <= target) {
        at += take_count(row);
        uint32_t of = take_count(row);
        struct chart_point other = take_point(row);
        if (!row->bad && at == target && (!source || of == source))
            chart_point_merge(point, &other);
    }
}
