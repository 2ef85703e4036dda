/* MRT archives as streams of observations (the table in model/observation.h says of what form). */
#ifndef SOURCE_MRT_MRT_STREAM_H
#define SOURCE_MRT_MRT_STREAM_H

#include "source/bgp/route_memory.h"
#include "source/stream.h"

/* As mrt_stream_new(), for one file of several: `memory` is not owned, and outlives the stream. */
struct stream *mrt_stream_open(struct input *input, const void *head, size_t head_size,
                               const char *collector, struct route_memory *memory,
                               struct registry *registry, struct stream_faults *faults);

#endif
