/* The daemon's second thread: owns the pipeline, writes what is handed over and commits it each
 * time. If the disk is full or fails, that is told once, what was taken is kept and tried again
 * with every send, and nothing more is taken until it is written; and once more when writing works
 * again. */
#ifndef APP_WRITER_H
#define APP_WRITER_H

#include "app/handover.h"
#include "app/pipeline.h"

struct writer;

/* Takes over the pipeline. */
enum err writer_start(struct pipeline *pipeline, struct handover *handover, struct writer **out,
                      struct why *why);
/* After handover_end(): waits for the rest to be written, and closes the pipeline. */
enum err writer_join(struct writer *writer, struct why *why);

#endif
