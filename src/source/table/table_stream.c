#include "source/table/table_stream.h"

#include "base/mem.h"
#include "source/mrt/route_files.h"
#include "source/table/bin_teller.h"
#include "source/table/whole_table.h"

#include <stdlib.h>

_Static_assert((int)ROUTE_COLLECTORS_MAX <= (int)WHOLE_COLLECTORS_MAX,
               "each collector has its pulse");

struct table_stream {
    struct stream stream;
    struct stream_faults faults; /* told elsewhere */
    struct route_files *files;
    struct bins *bins;
    struct whole_table whole;
    struct bin_teller teller;
    struct observation *queue; /* of the bin that is over */
    size_t capacity, count, at;
    bool is_through;
};

static void push(void *context, const struct observation *observation)
{
    struct table_stream *stream = context;
    stream->queue =
        mem_grow(stream->queue, &stream->capacity, stream->count + 1, sizeof *stream->queue);
    stream->queue[stream->count++] = *observation;
}

/* A bin is over: it is handed on before more is read. */
static void take_row(void *context, const struct bin_row *row)
{
    struct table_stream *stream = context;
    bin_teller_tell(&stream->teller, row);
    route_files_stop(stream->files);
}

static void take_element(void *context, const struct element *element)
{
    struct table_stream *stream = context;
    whole_table_feed(&stream->whole, route_files_current(stream->files)->collector_number, element);
}

static enum err read_on(struct table_stream *stream, struct why *why)
{
    stream->count = stream->at = 0;
    enum err err = route_files_run(stream->files, why);
    if (err && err != ERR_INPUT)
        return err;
    stream->is_through = !route_files_is_stopped(stream->files);
    if (stream->is_through)
        whole_table_end(&stream->whole);
    return ERR_OK;
}

static int next(struct stream *base, struct observation *out, struct why *why)
{
    struct table_stream *stream = (struct table_stream *)base;
    while (stream->at == stream->count && !stream->is_through)
        if (read_on(stream, why))
            return -1;
    if (stream->at == stream->count)
        return 0;
    *out = stream->queue[stream->at++];
    return 1;
}

static void close_stream(struct stream *base)
{
    struct table_stream *stream = (struct table_stream *)base;
    route_files_free(stream->files);
    whole_table_done(&stream->whole);
    bins_free(stream->bins);
    bin_teller_done(&stream->teller);
    free(stream->queue);
    free(stream);
}

struct stream *table_stream_new(const struct table_stream_options *options,
                                struct registry *registry, struct why *why)
{
    struct table_stream *stream = mem_new(1, sizeof *stream);
    struct sink sink = {registry, push, stream};
    struct route_files_options files = {.paths = options->paths,
                                        .path_count = options->path_count,
                                        .collector = options->collector,
                                        .take = take_element,
                                        .context = stream};
    if (route_files_open(&files, &stream->faults, &stream->files, why)) {
        free(stream);
        return NULL;
    }
    stream->stream = (struct stream){.next = next, .close = close_stream};
    stream->bins = bins_new(&(struct bins_options){
        .countries = options->countries, .tell = take_row, .context = stream});
    whole_table_init(&stream->whole,
                     &(struct whole_table_options){.bins = stream->bins, .is_archive = true});
    bin_teller_init(&stream->teller, &sink, options->subjects, options->subject_count);
    bins_watch(stream->bins, stream->teller.who, stream->teller.count);
    for (size_t i = 0; i < options->hole_count; i++)
        whole_table_hole(&stream->whole,
                         (struct interval){options->holes[i].from, options->holes[i].until});
    return &stream->stream;
}
