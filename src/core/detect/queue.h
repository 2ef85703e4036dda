/* The queue in which observations wait until nothing older can still come (LATENESS_NS in core.h).
 * They leave it in order of time; ties are broken by kind and by what they say, never by arrival or
 * by the numbers of the registry.
 *
 * What arrives in order, which is nearly everything, goes to the end of a run and costs nothing;
 * only what is older than the newest goes into a heap. At most QUEUE_MAX wait: beyond that the
 * oldest leaves early, so that a burst costs order and not memory. */
#ifndef CORE_DETECT_QUEUE_H
#define CORE_DETECT_QUEUE_H

#include "core/table.h"
#include "model/observation.h"
#include "model/registry.h"

enum { QUEUE_MAX = 4 * 1024 * 1024 };

struct queue {
    struct table run;  /* sorted; rows before run_at have left */
    struct table heap; /* a binary heap, the oldest on top */
    uint64_t run_at;
};

void queue_init(struct queue *queue);
void queue_done(struct queue *queue);
void queue_push(struct queue *queue, const struct registry *registry,
                const struct observation *observation);
/* Takes the oldest if it is not newer than `until`. False if there is none. */
bool queue_pop(struct queue *queue, const struct registry *registry, struct utc until,
               struct observation *out);
size_t queue_count(const struct queue *queue);
void queue_save(const struct queue *queue, struct buffer *out);
bool queue_load(struct queue *queue, struct reader *in);

#endif
