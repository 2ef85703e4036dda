/* A stream of archived observations, in order of time as far as its file is: an observation log or an
 * MRT archive, told apart by content. replay.h merges several by time into one sink. */
#ifndef SOURCE_STREAM_H
#define SOURCE_STREAM_H

#include "base/addr.h"
#include "base/err.h"
#include "model/observation.h"
#include "model/registry.h"
#include "sys/input.h"

#include <stdbool.h>

/* Which routes of an archive are wanted: those of these prefixes and whatever is more specific or covers
 * them, and those whose origin is one of these ASes. */
struct watch {
    const struct prefix *prefixes;
    size_t prefix_count;
    const uint32_t *asns;
    size_t asn_count;
};

/* Bad records and lines: counted, and the first few told to the user with their place. */
struct stream_faults {
    uint64_t records; /* read, good or bad */
    uint64_t bad;
    uint64_t missing; /* files that could not be fetched: nothing is known of what they hold */
    /* Called for each bad record with a text that names file and place (line or byte offset). */
    void (*report)(void *context, const char *fault);
    void *context;
};
/* Counts what is bad, and tells it. */
void stream_faults_tell(struct stream_faults *faults, const char *fault);
/* What is said last of an input of which files were damaged or none at all: ERR_INPUT. */
enum err stream_faults_end(const struct stream_faults *faults, struct why *why);

struct stream {
    /* 1 got one, 0 the end, -1 our own failure (why). Bad records are counted and passed over. */
    int (*next)(struct stream *stream, struct observation *out, struct why *why);
    void (*close)(struct stream *stream); /* frees the stream and closes its input */
    const struct input *input;            /* for progress */
};

/* Both take over `input` and the bytes that were already read from it to recognise it. */
struct stream *log_stream_new(struct input *input, const void *head, size_t head_size,
                              struct registry *registry, struct stream_faults *faults);
struct stream *mrt_stream_new(struct input *input, const void *head, size_t head_size,
                              const char *collector, const struct watch *watch,
                              struct registry *registry, struct stream_faults *faults);

#endif
