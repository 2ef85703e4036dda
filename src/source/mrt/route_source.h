/* One of the files of route_files.h: opened, recognised, and what is known of when it begins. */
#ifndef SOURCE_MRT_ROUTE_SOURCE_H
#define SOURCE_MRT_ROUTE_SOURCE_H

#include "source/mrt/collector.h"
#include "source/mrt/route_files.h"
#include "source/mrt/route_reader.h"

struct route_reading;
struct route_source {
    struct route_file file;
    uint64_t size; /* of the file itself; 0: not known */
    /* Of its next record, when not yet begun of its first, or the one in its name, which is not after
     * that. 0: not known. */
    struct utc time;
    struct input *input;      /* opened; NULL before and after */
    uint8_t head[ROUTE_HEAD]; /* already read from `input` */
    size_t head_size;
    size_t url; /* its place among the URLs, in order of time, and 1; 0: a file */
    struct route_reading *reading; /* begun; NULL before and after */
    char collector[COLLECTOR_TEXT_MAX];
};

static inline bool route_source_is_before(const struct route_source *a,
                                          const struct route_source *b)
{
    return a->time.ns != b->time.ns ? a->time.ns < b->time.ns : a->file.index < b->file.index;
}

/* `path` is where it is now: that of the file, or of a copy. On failure `input` is NULL. */
enum err route_source_open(struct route_source *source, const struct route_files_options *options,
                           const char *path, struct why *why);
/* Says what was opened; ERR_UNSUPPORTED if that is not what is read here. */
enum err route_source_recognise(struct route_source *source,
                                const struct route_files_options *options, enum route_form *out,
                                struct why *why);
/* Learns what it is, how large, and when it begins if that can be told before its turn. It stays open if it
 * is to be kept, or cannot be opened twice. */
enum err route_source_look(struct route_source *source, const struct route_files_options *options,
                           bool keep, struct why *why);

#endif
