#include "source/replay.h"

#include "base/mem.h"
#include "source/archive.h"
#include "source/paths.h"
#include "source/table/table_stream.h"
#include "sys/clock.h"

#include <stdlib.h>
#include <string.h>

/* Of the files that were looked into this many stay open, which saves decompressing their beginning
 * twice; the decoder of each may take 4 MB. */
enum { KEEP_OPEN = 16 };
/* Observations between two looks at the clock. */
enum { CLOCK_EVERY = 1024 };
#define PROGRESS_NS (100 * NS_PER_MS)

struct replay {
    const struct replay_options *options;
    const struct sink *sink;
    struct archive_context context;
    struct route_memory memory;
    struct archive *archives; /* in the order of the paths */
    size_t count;
    uint32_t *heap; /* places in `archives`, the one with the earliest observation first */
    size_t heap_count;
    size_t holes_told;
    bool is_damaged;
    uint64_t observations;
    uint64_t bytes_done; /* of archives that were closed */
    uint64_t bytes;      /* of all; 0: not known */
    struct mono last_progress;
    struct utc last; /* the latest observation that is no tick */
    struct utc last_tick;
};

/* Ties go by the order of the paths. */
static bool is_before(const struct replay *replay, uint32_t a, uint32_t b)
{
    struct utc x = replay->archives[a].time, y = replay->archives[b].time;
    return x.ns != y.ns ? x.ns < y.ns : a < b;
}

static void sift_down(struct replay *replay, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < replay->heap_count &&
            is_before(replay, replay->heap[child + 1], replay->heap[child]))
            child++;
        if (child >= replay->heap_count ||
            !is_before(replay, replay->heap[child], replay->heap[at]))
            return;
        uint32_t moved = replay->heap[at];
        replay->heap[at] = replay->heap[child];
        replay->heap[child] = moved;
        at = child;
    }
}

/* The archives of routes once more, for the whole table. */
static enum err add_table(struct replay *replay, struct why *why)
{
    const struct replay_options *options = replay->options;
    const char **paths = mem_new(replay->count, sizeof *paths);
    struct table_stream_options table = {.paths = paths,
                                         .collector = options->collector,
                                         .holes = options->holes,
                                         .hole_count = options->hole_count,
                                         .countries = options->table->countries,
                                         .subjects = options->table->subjects,
                                         .subject_count = options->table->subject_count};
    enum err err = ERR_OK;
    for (size_t i = 0; i < replay->count && !err; i++) {
        const struct archive *archive = &replay->archives[i];
        if (!archive->is_log)
            paths[table.path_count++] = archive->path;
        if (!archive->is_log && strcmp(archive->path, "-") == 0)
            err = why_set(why, ERR_UNSUPPORTED,
                          "standard input cannot be read twice, as the whole table of the "
                          "configuration (routes: whole_table) needs it: give a file");
    }
    if (!err && table.path_count) {
        struct stream *stream = table_stream_new(&table, replay->sink->registry, why);
        err = stream ? ERR_OK : why->err;
        replay->archives[replay->count].stream = stream;
        replay->count += stream != NULL;
    }
    free(paths);
    return err;
}

static enum err gather(struct replay *replay, struct why *why)
{
    struct paths paths = {0};
    bool is_size_known = true;
    enum err err = paths_gather(replay->options->paths, replay->options->path_count, &paths, why);
    replay->archives = mem_new(paths.count + 1, sizeof *replay->archives);
    replay->count = paths.count;
    for (size_t i = 0; i < replay->count; i++)
        replay->archives[i].path = mem_copy(paths.list[i].path);
    paths_done(&paths);
    for (size_t i = 0; i < replay->count && !err; i++) {
        struct archive *archive = &replay->archives[i];
        err = archive_peek(archive, i < KEEP_OPEN, why);
        is_size_known = is_size_known && archive->size;
        replay->bytes += archive->size;
    }
    if (!is_size_known)
        replay->bytes = 0;
    if (!err && replay->options->table)
        err = add_table(replay, why);
    replay->heap = mem_new(replay->count, sizeof *replay->heap);
    for (size_t i = 0; i < replay->count; i++)
        replay->heap[replay->heap_count++] = (uint32_t)i;
    for (size_t i = replay->heap_count / 2; i-- > 0;)
        sift_down(replay, i);
    return err;
}

static void show_progress(struct replay *replay, bool is_last)
{
    const struct replay_options *options = replay->options;
    if (!options->progress)
        return;
    struct mono now = clock_mono();
    if (!is_last && mono_diff(now, replay->last_progress) < PROGRESS_NS)
        return;
    uint64_t done = replay->bytes_done;
    for (size_t i = 0; i < replay->heap_count; i++)
        done += archive_consumed(&replay->archives[replay->heap[i]]);
    replay->last_progress = now;
    options->progress(options->context, done, replay->bytes, replay->observations);
}

static void pass_on(struct replay *replay, const struct observation *observation)
{
    struct utc *last = observation->kind == OBSERVATION_TICK ? &replay->last_tick : &replay->last;
    if (observation->time.ns > last->ns)
        *last = observation->time;
    sink_emit(replay->sink, observation);
    replay->observations++;
    if (replay->observations % CLOCK_EVERY == 0)
        show_progress(replay, false);
}

/* Of these times nothing is known, which is something else than that nothing happened. */
static void emit_holes(struct replay *replay, struct utc until)
{
    static const char reason[] = "there is no archive of this time";
    const struct replay_options *options = replay->options;
    struct registry *registry = replay->sink->registry;
    for (; replay->holes_told < options->hole_count; replay->holes_told++) {
        const struct site_hole *hole = &options->holes[replay->holes_told];
        if (hole->from.ns > until.ns)
            return;
        struct observation gap = {
            .kind = OBSERVATION_GAP, .time = hole->from, .value = hole->until.ns};
        gap.source = registry_intern(registry, NAME_COLLECTOR, options->collector,
                                     strlen(options->collector));
        gap.path = registry_intern(registry, NAME_TEXT, reason, sizeof reason - 1);
        pass_on(replay, &gap);
    }
}

static void emit(struct replay *replay, const struct observation *observation)
{
    emit_holes(replay, observation->time);
    pass_on(replay, observation);
}

/* The archive at the top of the heap is through, well or not. */
static void finish_archive(struct replay *replay, int found, const struct why *why)
{
    struct stream_faults *faults = replay->context.faults;
    struct archive *archive = &replay->archives[replay->heap[0]];
    if (found < 0) {
        replay->is_damaged = true;
        stream_faults_tell(faults, why->text);
    }
    replay->bytes_done += archive->size;
    archive_close(archive);
    replay->heap[0] = replay->heap[--replay->heap_count];
    show_progress(replay, false);
}

static void merge(struct replay *replay)
{
    while (replay->heap_count) {
        struct why why;
        struct archive *archive = &replay->archives[replay->heap[0]];
        if (archive->is_open)
            emit(replay, &archive->next);
        int found = archive_next(archive, &replay->context, &why);
        if (found <= 0)
            finish_archive(replay, found, &why);
        sift_down(replay, 0);
    }
}

/* Silence is judged on ticks: the last one makes sure that all of the archive was. */
static void settle(struct replay *replay)
{
    struct observation tick = {.kind = OBSERVATION_TICK, .time = utc_add(replay->last, SETTLE_NS)};
    if (utc_is_known(replay->last) && replay->last_tick.ns < tick.time.ns)
        sink_emit(replay->sink, &tick);
}

enum err replay_run(const struct replay_options *options, const struct sink *sink,
                    struct stream_faults *faults, struct why *why)
{
    struct replay replay = {.options = options, .sink = sink};
    route_memory_init(&replay.memory, &options->watch);
    replay.context = (struct archive_context){.collector = options->collector,
                                              .memory = &replay.memory,
                                              .registry = sink->registry,
                                              .faults = faults};
    enum err err = gather(&replay, why);
    if (!err) {
        merge(&replay);
        emit_holes(&replay, (struct utc){INT64_MAX});
        settle(&replay);
        show_progress(&replay, true);
        if (replay.is_damaged)
            err = stream_faults_end(faults, why);
    }
    for (size_t i = 0; i < replay.count; i++)
        archive_done(&replay.archives[i]);
    free(replay.archives);
    free(replay.heap);
    route_memory_done(&replay.memory);
    return err;
}
