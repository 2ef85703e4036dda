/* Between the daemon's two threads: the loop thread puts observations in and never waits; the
 * writer thread takes them out and may be held up by the disk for as long as it likes. With the
 * observations go the names that are new in the loop thread's registry, so that the writer's
 * registry, which began with the same names, gives them the same numbers.
 *
 * The queue holds HANDOVER_CAP observations. What comes beyond that is dropped and counted, and
 * when there is room again a GAP says that the vantage saw nothing meanwhile: lost results are no
 * data, never an outage. */
#ifndef APP_HANDOVER_H
#define APP_HANDOVER_H

#include "model/observation.h"
#include "model/registry.h"

#include <stdbool.h>
#include <stdint.h>

/* 32 MB; at a thousand probes a second, about nine minutes. */
enum { HANDOVER_CAP = 512 * 1024 };

struct handover;

/* The registry is the loop thread's; both sides know its present names. The vantage, for the GAP,
 * is a new name if it is not among them. */
struct handover *handover_new(struct registry *registry, const char *vantage);
void handover_free(struct handover *handover);

/* Loop thread. What is put into the sink waits until handover_send(), which also wakes the writer
 * when there is nothing new; handover_end() sends the last. */
struct sink handover_sink(struct handover *handover);
void handover_send(struct handover *handover);
void handover_end(struct handover *handover);
/* How many were dropped so far. */
uint64_t handover_dropped(const struct handover *handover);

/* Writer thread. Waits for the next send; false when that was the end: take once more. */
bool handover_wait(struct handover *handover);
/* Puts all that waits into the sink, new names first. */
void handover_take(struct handover *handover, const struct sink *sink);

#endif
