#include "out/traces.h"

#include "out/words.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A trace is asked for once two answers agree, and waits for its allowance (source/probe/follow_up.h). */
#define BEFORE_NS (15 * NS_PER_S)
#define AFTER_NS (2 * NS_PER_MINUTE)

struct window {
    struct utc from, until;
};

struct search {
    const struct registry *registry;
    const struct incident_file *file;
    struct window window;
    struct trace_found *list;
    size_t count;
};

static int compare_windows(const void *a, const void *b)
{
    const struct window *x = a, *y = b;
    return (x->from.ns > y->from.ns) - (x->from.ns < y->from.ns);
}

/* Around each change, with those that overlap put together. Freed by the caller. */
static struct window *windows_of(const struct incident_file *file, size_t *count)
{
    struct window *windows = mem_new(file->event_count + 1, sizeof *windows);
    size_t n = 0;
    for (size_t i = 0; i < file->event_count; i++) {
        struct utc at = file->events[i].at.first_after;
        windows[i] = (struct window){utc_add(at, -BEFORE_NS), utc_add(at, AFTER_NS)};
    }
    qsort(windows, file->event_count, sizeof *windows, compare_windows);
    for (size_t i = 0; i < file->event_count; i++) {
        if (n && windows[i].from.ns <= windows[n - 1].until.ns)
            windows[n - 1].until = windows[i].until;
        else
            windows[n++] = windows[i];
    }
    *count = n;
    return windows;
}

static bool is_of_incident(const struct incident_file *file, uint32_t target)
{
    for (size_t i = 0; i < file->event_count; i++)
        if (file->events[i].target == target)
            return true;
    return false;
}

static bool is_trace(const struct search *search, const struct observation *o)
{
    return o->kind == OBSERVATION_PROBE && o->path && o->time.ns >= search->window.from.ns &&
           o->time.ns <= search->window.until.ns &&
           registry_kind(search->registry, o->target) == NAME_TARGET &&
           registry_target(search->registry, o->target)->kind == TARGET_TRACE &&
           outcome_class((enum outcome)o->outcome) != OUTCOME_CLASS_OURS &&
           is_of_incident(search->file, o->path);
}

/* Of the facts that were kept with it. */
static uint32_t asn_of(const char *extra)
{
    json_t *facts = json_loads(extra, 0, NULL);
    json_int_t asn =
        json_integer_value(json_object_get(json_object_get(facts, "facts"), "last_hop_as"));
    json_decref(facts);
    return asn > 0 && asn <= UINT32_MAX ? (uint32_t)asn : 0;
}

static bool visit(void *context, const struct observation *o)
{
    struct search *search = context;
    if (!is_trace(search, o))
        return true;
    search->list[search->count++] =
        (struct trace_found){.time = o->time,
                             .source = o->source,
                             .target = o->target,
                             .sake = o->path,
                             .hop = o->peer,
                             .hops = (unsigned)o->value,
                             .asn = asn_of(registry_text(search->registry, o->extra)),
                             .outcome = (enum outcome)o->outcome};
    return search->count < TRACES_MAX;
}

static int compare_traces(const void *a, const void *b)
{
    const struct trace_found *x = a, *y = b;
    if (x->time.ns != y->time.ns)
        return x->time.ns < y->time.ns ? -1 : 1;
    return (x->target > y->target) - (x->target < y->target);
}

enum err traces_fetch(struct journal *journal, const struct registry *registry,
                      const struct incident_file *file, struct arena *arena, struct trace_list *out,
                      struct why *why)
{
    size_t count;
    struct window *windows = windows_of(file, &count);
    struct search search = {.registry = registry, .file = file};
    struct journal_visitor visitor = {.visit = visit, .context = &search};
    enum err err = ERR_OK;
    search.list = arena_alloc(arena, TRACES_MAX * sizeof *search.list);
    for (size_t i = 0; i < count && !err && search.count < TRACES_MAX; i++) {
        search.window = windows[i];
        err = journal_read_span(journal, windows[i].from, windows[i].until, &visitor, why);
    }
    free(windows);
    qsort(search.list, search.count, sizeof *search.list, compare_traces);
    *out = (struct trace_list){search.list, search.count};
    return err;
}

static const char *hop_words(struct arena *arena, const struct registry *registry,
                             const struct trace_found *trace)
{
    const char *as = trace->asn ? arena_printf(arena, " (AS%u)", trace->asn) : "";
    return arena_printf(arena, "%s%s, %s away", registry_text(registry, trace->hop), as,
                        words_count(arena, trace->hops, "hop", "hops"));
}

const char *trace_words(struct arena *arena, const struct registry *registry,
                        const struct trace_found *trace)
{
    const char *what = outcome_sentence(trace->outcome);
    const char *address = strchr(registry_text(registry, trace->target), ':') + 1;
    const char *from = registry_text(registry, trace->source);
    if (!trace->hop)
        return arena_printf(arena, "towards %s from %s: %s, nor from anybody on the way", address,
                            from, what);
    if (!trace->hops) /* our own machine says it */
        return arena_printf(arena,
                            "towards %s from %s: it does not answer on the network that the "
                            "vantage is in itself",
                            address, from);
    const char *hop = hop_words(arena, registry, trace);
    if (outcome_class(trace->outcome) == OUTCOME_CLASS_GOOD)
        return arena_printf(arena, "towards %s from %s: it answered, %s", address, from,
                            strstr(hop, ", ") + 2);
    return arena_printf(arena, "towards %s from %s: %s; the last to answer was %s", address, from,
                        what, hop);
}
