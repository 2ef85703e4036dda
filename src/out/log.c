/* The observation log of a journal: its observations in order of time, a line each.
 *
 * A journal is in order of arrival. Within LATENESS_NS the log is in order of time (equal times in
 * order of arrival). What arrived later than that stays behind the newest observation that was
 * there before it: so whoever replays the log finds it as late as it was, judges the same, and
 * exports the same bytes.
 *
 * A heap holds what may still be overtaken: that much data time and no more, WINDOW_MAX at most. */
#include "out/out.h"

#include "base/mem.h"
#include "out/log_line.h"

#include <stdbool.h>
#include <stdlib.h>

/* Some 80 MiB. More than this within the bound (a table dump) is written in order of arrival. */
enum { WINDOW_MAX = 1024 * 1024, CHUNK_SIZE = 256 * 1024 };

struct entry {
    int64_t key;    /* ns: its time, or the newest time there was if it came too late */
    uint64_t order; /* of arrival */
    struct observation observation;
};

struct log_writer {
    const struct registry *registry;
    uint64_t last_seq; /* newer ones may have names that the registry does not */
    uint64_t damaged;
    struct entry *heap; /* the earliest first */
    size_t count, capacity;
    uint64_t arrived;
    int64_t newest;
    struct utc last;            /* the newest but for ticks */
    struct observation subject; /* whose MEMBERs are being collected; kind 0: none */
    struct observation *members;
    size_t member_count, member_capacity;
    struct buffer lines;
    enum err (*write)(void *context, const void *bytes, size_t n);
    void *context;
    enum err err;
};

static bool is_before(const struct entry *a, const struct entry *b)
{
    return a->key != b->key ? a->key < b->key : a->order < b->order;
}

static void heap_push(struct log_writer *export, const struct entry *entry)
{
    export->heap =
        mem_grow(export->heap, &export->capacity, export->count + 1, sizeof *export->heap);
    size_t at = export->count++;
    for (; at && is_before(entry, &export->heap[(at - 1) / 2]); at = (at - 1) / 2)
        export->heap[at] = export->heap[(at - 1) / 2];
    export->heap[at] = *entry;
}

static struct observation heap_pop(struct log_writer *export)
{
    struct observation top = export->heap[0].observation;
    struct entry last = export->heap[--export->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < export->count; at = child) {
        if (child + 1 < export->count && is_before(&export->heap[child + 1], &export->heap[child]))
            child++;
        if (!is_before(&export->heap[child], &last))
            break;
        export->heap[at] = export->heap[child];
    }
    if (export->count)
        export->heap[at] = last;
    return top;
}

static void flush(struct log_writer *export)
{
    if (!export->err && export->lines.size)
        export->err = export->write(export->context, export->lines.bytes, export->lines.size);
    buffer_clear(&export->lines);
}

static void end_subject(struct log_writer *export)
{
    if (!export->subject.kind)
        return;
    log_line_meta(export->registry, &export->subject, export->members, export->member_count,
                  &export->lines);
    export->subject.kind = 0;
    export->member_count = 0;
}

static void write_next(struct log_writer *export)
{
    struct observation observation = heap_pop(export);
    if (observation.kind == OBSERVATION_MEMBER) {
        if (!export->subject.kind) /* the SUBJECT was in a damaged block */
            return;
        export->members = mem_grow(export->members, &export->member_capacity,
                                   export->member_count + 1, sizeof *export->members);
        export->members[export->member_count++] = observation;
        return;
    }
    end_subject(export);
    if (observation.kind == OBSERVATION_SUBJECT)
        export->subject = observation;
    else
        out_log_line(export->registry, &observation, &export->lines);
    if (export->lines.size >= CHUNK_SIZE)
        flush(export);
}

static bool visit(void *context, const struct observation *observation)
{
    struct log_writer *export = context;
    if (observation->seq > export->last_seq)
        return false;
    bool is_late = export->arrived && observation->time.ns < export->newest - LATENESS_NS;
    struct entry entry = {.key = is_late ? export->newest : observation->time.ns,
                          .order = export->arrived++,
                          .observation = *observation};
    if (export->arrived == 1 || observation->time.ns > export->newest)
        export->newest = observation->time.ns;
    if (observation->kind != OBSERVATION_TICK && observation->time.ns > export->last.ns)
        export->last = observation->time;
    heap_push(export, &entry);
    while (export->count &&
           (export->heap[0].key <= export->newest - LATENESS_NS || export->count > WINDOW_MAX))
        write_next(export);
    return !export->err;
}

static void visit_damaged(void *context, uint64_t first_seq, uint64_t count, const char *reason)
{
    struct log_writer *export = context;
    (void)first_seq;
    (void)reason;
    export->damaged += count;
}

/* The TICK that ends a replay: left out, or each time round would add another. */
static bool is_settling(const struct log_writer *export)
{
    const struct observation *top = &export->heap[0].observation;
    return export->count == 1 && top->kind == OBSERVATION_TICK &&
           utc_diff(top->time, export->last) == SETTLE_NS;
}

static enum err finish(struct log_writer *export)
{
    while (export->count && !is_settling(export))
        write_next(export);
    end_subject(export);
    flush(export);
    free(export->heap);
    free(export->members);
    buffer_done(&export->lines);
    return export->err;
}

enum err out_log(struct journal *journal,
                 enum err (*write)(void *context, const void *bytes, size_t n), void *context,
                 struct why *why)
{
    struct registry *registry = registry_new();
    struct log_writer export = {.registry = registry,
                                .last_seq = journal_last_seq(journal),
                                .write = write,
                                .context = context};
    const struct journal_visitor visitor = {visit, visit_damaged, &export};
    enum err err = journal_load_registry(journal, registry, why);
    if (!err)
        err = journal_read(journal, 1, &visitor, why);
    enum err written = finish(&export);
    registry_free(registry);
    if (err)
        return err;
    if (written)
        return why_set(why, written, "the observation log could not be written: %s",
                       err_name(written));
    if (export.damaged)
        return why_set(why, ERR_CORRUPT,
                       "%s: %llu observations are missing from the log because their blocks are "
                       "damaged; 'lastlight db check' names them",
                       journal_path(journal), (unsigned long long)export.damaged);
    return ERR_OK;
}
