#include "source/mrt/route_files.h"

#include "base/mem.h"
#include "source/mrt/archive_names.h"
#include "source/mrt/route_source.h"
#include "source/paths.h"
#include "sys/clock.h"
#include "sys/interrupt.h"

#include <stdlib.h>
#include <string.h>

/* So many files are opened before the merge gets there. As many that were looked into stay open, too,
 * which for few files saves decompressing their beginning twice. */
enum { AHEAD = 3 };
/* Records between two looks at the clock. */
enum { CLOCK_EVERY = 1024 };
#define PROGRESS_NS (100 * NS_PER_MS)

/* A file from which records are taken. */
struct route_reading {
    struct route_files *files;
    struct route_reader *reader; /* the record in hand is the one that is next */
    struct element_walk walk;
};

struct route_files {
    struct route_files_options options;
    struct stream_faults *faults;
    struct paths paths;
    struct route_source *sources; /* in the order of the paths */
    size_t count;
    char *collectors[ROUTE_COLLECTORS_MAX]; /* names; "" where it is not known */
    size_t collector_count;
    struct route_source **waiting; /* in order of time, from `waiting_at` on */
    size_t waiting_at;
    size_t opened_to; /* those before this place of `waiting` were opened */
    /* Those that were begun, as a heap: the one with the earliest record first. */
    struct route_source *begun[ROUTE_FILES_OPEN_MAX];
    size_t begun_count;
    struct route_source *current;
    bool is_stopped;
    bool is_damaged;
    struct url_files *fetched; /* NULL: there are no URLs */
    const char **urls;
    size_t url_count;
    struct element_counts counts; /* of the files that are through */
    uint64_t bytes_done, bytes;   /* bytes: of all files; 0: not known */
    uint64_t records;
    struct mono last_progress;
};

static void tell(struct route_files *files, const struct why *why)
{
    files->is_damaged = true;
    stream_faults_tell(files->faults, why->text);
}

/* When it begins: by its name where that is enough. */
static enum err learn_time(struct route_files *files, struct route_source *source,
                           struct archive_names *names, struct why *why)
{
    const struct folder_entry *entry = &files->paths.list[source->file.index];
    bool is_few = files->count <= AHEAD;
    if (path_is_url(entry->path)) {
        source->time = url_time(entry->path);
    } else if (!is_few && entry->size && archive_names_time(names, entry->path, &source->time)) {
        source->size = entry->size;
    } else {
        enum err err = route_source_look(source, &files->options, is_few, why);
        if (err)
            return err;
        archive_names_learn(names, entry->path, source->time);
    }
    return ERR_OK;
}

static int by_time(const void *a, const void *b)
{
    return route_source_is_before(*(struct route_source *const *)a,
                                  *(struct route_source *const *)b)
               ? -1
               : 1;
}

static uint16_t collector_number(struct route_files *files, const char *name)
{
    size_t i = 0;
    while (i < files->collector_count && strcmp(files->collectors[i], name) != 0)
        i++;
    if (i == ROUTE_COLLECTORS_MAX)
        return ROUTE_COLLECTORS_MAX - 1;
    if (i == files->collector_count)
        files->collectors[files->collector_count++] = mem_copy(name);
    return (uint16_t)i;
}

static void number_collector(struct route_files *files, struct route_file *file)
{
    file->collector_number = collector_number(files, file->collector ? file->collector : "");
}

static void name_source(struct route_files *files, size_t i)
{
    struct route_source *source = &files->sources[i];
    source->file = (struct route_file){
        .path = files->paths.list[i].path, .collector = files->options.collector, .index = i};
    if (!source->file.collector && collector_from_path(source->file.path, source->collector))
        source->file.collector = source->collector;
}

/* In the order in which they will be opened. */
static enum err fetch_urls(struct route_files *files, struct why *why)
{
    const struct route_files_options *options = &files->options;
    files->urls = mem_new(files->count, sizeof *files->urls);
    for (size_t i = 0; i < files->count; i++) {
        struct route_source *source = files->waiting[i];
        if (!path_is_url(source->file.path))
            continue;
        files->urls[files->url_count++] = source->file.path;
        source->url = files->url_count;
    }
    if (files->url_count && !options->web.cache)
        return why_set(why, ERR_UNSUPPORTED, "%s: is a URL; expected a file here", files->urls[0]);
    if (files->url_count)
        files->fetched = url_files_new(&options->web, files->urls, files->url_count, files->faults);
    return ERR_OK;
}

static enum err gather(struct route_files *files, struct why *why)
{
    bool is_size_known = true;
    struct archive_names names = {0};
    enum err err =
        paths_gather(files->options.paths, files->options.path_count, &files->paths, why);
    files->count = files->paths.count;
    files->sources = mem_new(files->count, sizeof *files->sources);
    files->waiting = mem_new(files->count, sizeof *files->waiting);
    for (size_t i = 0; i < files->count && !err; i++) {
        struct route_source *source = &files->sources[i];
        name_source(files, i);
        err = learn_time(files, source, &names, why);
        files->waiting[i] = source;
        is_size_known = is_size_known && source->size;
        files->bytes += source->size;
    }
    if (!is_size_known)
        files->bytes = 0;
    if (err)
        return err;
    qsort(files->waiting, files->count, sizeof *files->waiting, by_time);
    return fetch_urls(files, why);
}

enum err route_files_open(const struct route_files_options *options, struct stream_faults *faults,
                          struct route_files **out, struct why *why)
{
    struct route_files *files = mem_new(1, sizeof *files);
    files->options = *options;
    files->faults = faults;
    files->last_progress = clock_mono();
    enum err err = gather(files, why);
    if (err)
        route_files_free(files);
    else
        *out = files;
    return err;
}

static void sift_down(struct route_files *files, size_t at)
{
    struct route_source **heap = files->begun;
    for (size_t child; (child = 2 * at + 1) < files->begun_count; at = child) {
        if (child + 1 < files->begun_count && route_source_is_before(heap[child + 1], heap[child]))
            child++;
        if (!route_source_is_before(heap[child], heap[at]))
            return;
        struct route_source *moved = heap[at];
        heap[at] = heap[child];
        heap[child] = moved;
    }
}

static void sift_up(struct route_files *files, size_t at)
{
    struct route_source **heap = files->begun;
    for (; at && route_source_is_before(heap[at], heap[(at - 1) / 2]); at = (at - 1) / 2) {
        struct route_source *moved = heap[at];
        heap[at] = heap[(at - 1) / 2];
        heap[(at - 1) / 2] = moved;
    }
}

static void pass_on(void *context, const struct element *element)
{
    const struct route_files_options *options = &((struct route_reading *)context)->files->options;
    options->take(options->context, element);
}

static void report_part(void *context, const char *fault)
{
    route_reader_report(((struct route_reading *)context)->reader, fault);
}

static void add_counts(struct element_counts *sum, const struct element_counts *counts)
{
    for (size_t i = 0; i < ELEMENT_KINDS; i++)
        sum->of[i] += counts->of[i];
    sum->of_family[0] += counts->of_family[0];
    sum->of_family[1] += counts->of_family[1];
    sum->faulty += counts->faulty;
    sum->discarded += counts->discarded;
    sum->records += counts->records;
}

static void close_source(struct route_files *files, struct route_source *source)
{
    struct route_reading *reading = source->reading;
    if (reading) {
        add_counts(&files->counts, &reading->walk.counts);
        element_walk_done(&reading->walk);
        route_reader_free(reading->reader);
        free(reading);
    }
    input_close(source->input);
    source->reading = NULL;
    source->input = NULL;
}

/* No more is to be read. */
static bool is_over(const struct route_files *files)
{
    return files->is_stopped || interrupt_came();
}

/* Reads the next record of a file, up to its header. False at its end, well or not: it is closed. */
static bool advance(struct route_files *files, struct route_source *source)
{
    struct route_reader *reader = source->reading->reader;
    struct why why;
    int found = route_reader_next(reader, &why);
    if (found > 0) {
        source->time = reader->time;
        return true;
    }
    if (found < 0 && !is_over(files))
        tell(files, &why);
    files->bytes_done += source->size;
    close_source(files, source);
    return false;
}

static bool open_url(struct route_files *files, struct route_source *source)
{
    struct web_file file;
    struct why why;
    if (!url_files_get(files->fetched, source->url - 1, &file))
        return false;
    if (route_source_open(source, &files->options, file.path, &why) == ERR_OK)
        return true;
    tell(files, &why);
    return false;
}

static bool open_input(struct route_files *files, struct route_source *source)
{
    struct why why;
    if (!source->input && source->url)
        return open_url(files, source);
    if (source->input ||
        route_source_open(source, &files->options, source->file.path, &why) == ERR_OK)
        return true;
    tell(files, &why); /* it was there when all were looked into */
    return false;
}

static void open_reading(struct route_files *files, struct route_source *source,
                         enum route_form form)
{
    struct route_reading *reading = mem_new(1, sizeof *reading);
    source->reading = reading;
    reading->files = files;
    reading->walk = (struct element_walk){.filter = files->options.filter,
                                          .take = files->options.take ? pass_on : NULL,
                                          .report = report_part,
                                          .context = reading};
    reading->reader =
        route_reader_new(form, source->input, source->head, source->head_size, files->faults);
}

/* The next of those that wait is due: its first record takes its place among the others'. */
static enum err begin(struct route_files *files, struct why *why)
{
    struct route_source *source = files->waiting[files->waiting_at++];
    enum route_form form;
    struct why reason;
    if (!open_input(files, source))
        return ERR_OK;
    if (route_source_recognise(source, &files->options, &form, &reason)) {
        tell(files, &reason);
        close_source(files, source);
        return ERR_OK;
    }
    if (files->begun_count == ROUTE_FILES_OPEN_MAX)
        return why_set(
            why, ERR_LIMIT,
            "%s: more than %d archives lie across each other in time; name fewer at once",
            source->file.path, ROUTE_FILES_OPEN_MAX);
    open_reading(files, source, form);
    if (advance(files, source)) {
        number_collector(files, &source->file);
        files->begun[files->begun_count++] = source;
        sift_up(files, files->begun_count - 1);
    }
    return ERR_OK;
}

/* What cannot be opened is told when it is its turn. False if it is not there yet. */
static bool open_early(struct route_files *files, struct route_source *source)
{
    const char *path = source->file.path;
    struct web_file file;
    bool is_decided = true;
    if (source->input)
        return true;
    if (source->url && !url_files_peek(files->fetched, source->url - 1, &file, &is_decided))
        return is_decided;
    if (source->url)
        path = file.path;
    route_source_open(source, &files->options, path, NULL);
    return true;
}

/* So that the next files' decompression runs beside the one in hand. */
static void open_ahead(struct route_files *files)
{
    size_t to = files->waiting_at + AHEAD;
    if (files->opened_to < files->waiting_at)
        files->opened_to = files->waiting_at;
    while (files->opened_to < to && files->opened_to < files->count &&
           open_early(files, files->waiting[files->opened_to]))
        files->opened_to++;
}

static void show_progress(struct route_files *files, bool is_last)
{
    const struct route_files_options *options = &files->options;
    struct mono now = clock_mono();
    if (!options->progress || (!is_last && mono_diff(now, files->last_progress) < PROGRESS_NS))
        return;
    uint64_t done = files->bytes_done, elements = 0;
    for (size_t i = 0; i < files->begun_count; i++)
        done += input_consumed(files->begun[i]->input);
    struct element_counts counts = route_files_counts(files);
    for (size_t i = 0; i < ELEMENT_KINDS; i++)
        elements += counts.of[i];
    files->last_progress = now;
    options->progress(options->context, done, files->bytes, elements);
}

static void take_record(struct route_files *files, struct route_source *source)
{
    struct route_reading *reading = source->reading;
    source->file.record++;
    if (!files->options.collector && reading->reader->collector) {
        source->file.collector = reading->reader->collector;
        number_collector(files, &source->file);
    }
    route_reader_walk(reading->reader, &reading->walk);
    if (++files->records % CLOCK_EVERY == 0)
        show_progress(files, false);
}

/* Takes records of the file that is first until another one is before it, or it ends. */
static void take_run(struct route_files *files)
{
    struct route_source *source = files->begun[0];
    struct route_source nobody = {.time = {INT64_MAX}, .file.index = SIZE_MAX};
    const struct route_source *other = &nobody;
    for (size_t i = 1; i < 3 && i < files->begun_count; i++)
        if (route_source_is_before(files->begun[i], other))
            other = files->begun[i];
    if (files->waiting_at < files->count &&
        route_source_is_before(files->waiting[files->waiting_at], other))
        other = files->waiting[files->waiting_at];
    bool goes_on = true;
    files->current = source;
    while (goes_on && !is_over(files) && route_source_is_before(source, other)) {
        take_record(files, source);
        goes_on = is_over(files) || advance(files, source);
    }
    files->current = NULL;
    if (!goes_on)
        files->begun[0] = files->begun[--files->begun_count];
    sift_down(files, 0);
}

static enum err conclude(struct route_files *files, struct why *why)
{
    enum err err = files->fetched ? url_files_end(files->fetched, why) : ERR_OK;
    if (!err && files->is_damaged)
        err = stream_faults_end(files->faults, why);
    return err;
}

enum err route_files_run(struct route_files *files, struct why *why)
{
    files->is_stopped = false;
    while (!is_over(files) && (files->begun_count || files->waiting_at < files->count)) {
        bool is_next_due =
            files->waiting_at < files->count &&
            (!files->begun_count ||
             route_source_is_before(files->waiting[files->waiting_at], files->begun[0]));
        if (!is_next_due) {
            take_run(files);
            continue;
        }
        enum err err = begin(files, why);
        if (err)
            return err;
        open_ahead(files);
    }
    show_progress(files, true);
    return conclude(files, why);
}

void route_files_stop(struct route_files *files)
{
    files->is_stopped = true;
}

bool route_files_is_stopped(const struct route_files *files)
{
    return files->is_stopped;
}

const struct route_file *route_files_current(const struct route_files *files)
{
    return files->current ? &files->current->file : NULL;
}

const char *const *route_files_collectors(const struct route_files *files, size_t *count)
{
    *count = files->collector_count;
    return (const char *const *)files->collectors;
}

struct element_counts route_files_counts(const struct route_files *files)
{
    struct element_counts counts = files->counts;
    for (size_t i = 0; i < files->begun_count; i++)
        add_counts(&counts, &files->begun[i]->reading->walk.counts);
    return counts;
}

void route_files_free(struct route_files *files)
{
    if (!files)
        return;
    for (size_t i = 0; i < files->count; i++)
        close_source(files, &files->sources[i]);
    url_files_free(files->fetched);
    paths_done(&files->paths);
    for (size_t i = 0; i < files->collector_count; i++)
        free(files->collectors[i]);
    free(files->urls);
    free(files->sources);
    free(files->waiting);
    free(files);
}
