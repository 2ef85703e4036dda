#include "source/mrt/route_source.h"

#include "source/mrt/mrt_reader.h"

#include <string.h>

/* Records that are looked at to learn when a file begins: the first ones of BMP have no time. */
enum { LOOK_RECORDS = 16 };

static enum err open_input(struct route_source *source, const struct route_files_options *options,
                           const char *path, bool is_to_look, struct why *why)
{
    enum err err = (is_to_look ? input_open_to_look : input_open)(path, &source->input, why);
    if (err)
        source->input = NULL;
    else if (options->wait)
        input_on_wait(source->input, options->wait, options->context);
    return err;
}

enum err route_source_open(struct route_source *source, const struct route_files_options *options,
                           const char *path, struct why *why)
{
    return open_input(source, options, path, false, why);
}

enum err route_source_recognise(struct route_source *source,
                                const struct route_files_options *options, enum route_form *out,
                                struct why *why)
{
    source->head_size = input_fill(source->input, source->head, source->head_size, ROUTE_HEAD);
    *out = route_form_of(source->head, source->head_size);
    bool is_archive = *out == ROUTE_FORM_MRT, has_archives_only = options->has_archives_only;
    if (*out == ROUTE_FORM_LOG || (has_archives_only && !is_archive))
        return why_set(why, ERR_UNSUPPORTED, "%s: is %s; expected an MRT archive%s",
                       source->file.path, route_form_name(*out),
                       has_archives_only ? "" : ", BMP or RIS Live");
    return ERR_OK;
}

/* Takes records from the input. Damage that shows here already is left to be found again. */
static struct utc first_time(const struct route_source *source, enum route_form form)
{
    struct stream_faults faults = {0};
    struct route_reader *reader =
        route_reader_new(form, source->input, source->head, source->head_size, &faults);
    struct utc time = {0};
    for (int i = 0; i < LOOK_RECORDS && !utc_is_known(time); i++) {
        if (route_reader_next(reader, NULL) <= 0)
            break;
        time = reader->time;
    }
    route_reader_free(reader);
    return time;
}

enum err route_source_look(struct route_source *source, const struct route_files_options *options,
                           bool keep, struct why *why)
{
    enum route_form form;
    enum err err = open_input(source, options, source->file.path, !keep, why);
    if (!err)
        err = route_source_recognise(source, options, &form, why);
    if (err)
        return err;
    source->size = input_size(source->input);
    if (form == ROUTE_FORM_MRT)
        source->time = mrt_reader_first_time(source->head, source->head_size);
    /* A pipe cannot be read twice, nor can standard input, even if a file stands behind it. */
    if (keep || !source->size || strcmp(source->file.path, "-") == 0)
        return ERR_OK;
    if (form != ROUTE_FORM_MRT)
        source->time = first_time(source, form);
    input_close(source->input);
    source->input = NULL;
    source->head_size = 0;
    return ERR_OK;
}
