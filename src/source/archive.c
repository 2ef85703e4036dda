#include "source/archive.h"

#include "source/mrt/mrt_reader.h"
#include "source/mrt/mrt_stream.h"

#include <stdlib.h>
#include <string.h>

/* A text in which a line begins an object; the first lines may be damaged. MRT, which begins with a
 * time and small numbers, is no text. */
static bool looks_like_log(const struct archive *archive)
{
    bool is_at_start = true, has_object = false;
    for (size_t i = 0; i < archive->head_size; i++) {
        uint8_t c = archive->head[i];
        if (c < ' ' && c != '\t' && c != '\r' && c != '\n')
            return false;
        has_object = has_object || (is_at_start && c == '{');
        is_at_start = c == '\n' || (is_at_start && c <= ' ');
    }
    return has_object;
}

/* Logs say their times in lines of many forms, so the log's own reader is asked, once, beside the
 * stream that will be replayed. */
static struct utc first_time_of_log(const struct archive *archive)
{
    struct input *input;
    struct observation observation;
    struct stream_faults faults = {0};
    if (input_open_to_look(archive->path, &input, NULL))
        return (struct utc){0};
    struct registry *registry = registry_new();
    struct stream *stream = log_stream_new(input, NULL, 0, registry, &faults);
    bool is_known = stream->next(stream, &observation, NULL) > 0;
    stream->close(stream);
    registry_free(registry);
    return is_known ? observation.time : (struct utc){0};
}

enum err archive_peek(struct archive *archive, bool keep, struct why *why)
{
    enum err err = input_open_to_look(archive->path, &archive->input, why);
    if (err)
        return err;
    archive->size = input_size(archive->input);
    /* A pipe cannot be read twice, nor can standard input, even if a file stands behind it. */
    bool is_once = archive->size == 0 || strcmp(archive->path, "-") == 0;
    archive->head_size = input_fill(archive->input, archive->head, 0, ARCHIVE_HEAD);
    archive->is_log = looks_like_log(archive);
    if (!archive->is_log)
        archive->time = mrt_reader_first_time(archive->head, archive->head_size);
    else if (!is_once)
        archive->time = first_time_of_log(archive);
    if (!keep && !is_once) {
        input_close(archive->input);
        archive->input = NULL;
    }
    return ERR_OK;
}

static enum err open_stream(struct archive *archive, const struct archive_context *context,
                            struct why *why)
{
    archive->is_open = archive->stream != NULL;
    if (archive->is_open)
        return ERR_OK;
    if (!archive->input) {
        enum err err = input_open(archive->path, &archive->input, why);
        if (err)
            return err;
        archive->head_size = 0;
    }
    archive->stream =
        archive->is_log
            ? log_stream_new(archive->input, archive->head, archive->head_size, context->registry,
                             context->faults)
            : mrt_stream_open(archive->input, archive->head, archive->head_size, context->collector,
                              context->memory, context->registry, context->faults);
    archive->input = NULL; /* the stream's now */
    archive->is_open = true;
    return ERR_OK;
}

int archive_next(struct archive *archive, const struct archive_context *context, struct why *why)
{
    if (!archive->is_open && open_stream(archive, context, why))
        return -1;
    int found = archive->stream->next(archive->stream, &archive->next, why);
    if (found > 0)
        archive->time = archive->next.time;
    return found;
}

uint64_t archive_consumed(const struct archive *archive)
{
    const struct stream *stream = archive->is_open ? archive->stream : NULL;
    return stream && stream->input ? input_consumed(stream->input) : 0;
}

void archive_close(struct archive *archive)
{
    if (archive->stream)
        archive->stream->close(archive->stream);
    input_close(archive->input);
    archive->stream = NULL;
    archive->input = NULL;
}

void archive_done(struct archive *archive)
{
    archive_close(archive);
    free(archive->path);
    archive->path = NULL;
}
