/* Everything that would be seen: probes and routes, and what the sources say of themselves. */
#include "play.h"
#include "random.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

uint32_t play_name(struct registry *registry, enum name_kind kind, const char *text)
{
    uint32_t id = registry_intern(registry, kind, text, strlen(text));
    assert(id);
    return id;
}

void observations_add(struct observations *out, const struct observation *observation)
{
    out->list = mem_grow(out->list, &out->capacity, out->count + 1, sizeof *out->list);
    out->list[out->count++] = *observation;
    out->list[out->count - 1].seq = out->count; /* for a stable order; set anew in the end */
}

static void emit(void *context, const struct observation *observation)
{
    observations_add(context, observation);
}

static void play_subjects(const struct world *world, struct registry *registry,
                          struct observations *out)
{
    struct arena arena = {0};
    struct sink sink = {.registry = registry, .emit = emit, .context = out};
    struct subject_spec spec;
    struct why why;
    for (uint32_t i = 0; world_subject(world, i, &arena, &spec); i++) {
        enum err err = subject_emit(&spec, world->watches[0].from, &sink, &why);
        assert(!err);
        (void)err;
    }
    arena_done(&arena);
}

static void play_gap(uint32_t source, struct utc from, struct utc until, struct registry *registry,
                     struct observations *out)
{
    struct observation gap = {.kind = OBSERVATION_GAP,
                              .time = from,
                              .source = source,
                              .value = until.ns,
                              .path = play_name(registry, NAME_TEXT, "nothing was recorded")};
    observations_add(out, &gap);
}

/* Starts, stops and gaps of one source. */
static void play_source(const struct world *world, uint32_t thing, struct registry *registry,
                        struct observations *out)
{
    bool is_vantage = world->things[thing].kind == THING_VANTAGE;
    uint32_t source =
        play_name(registry, is_vantage ? NAME_VANTAGE : NAME_COLLECTOR, world->things[thing].name);
    for (size_t i = 0; i < world->watch_count; i++) {
        const struct span *watch = &world->watches[i];
        struct observation start = {
            .kind = OBSERVATION_START, .time = watch->from, .source = source};
        struct observation stop = {.kind = OBSERVATION_STOP, .time = watch->to, .source = source};
        observations_add(out, &start);
        observations_add(out, &stop);
        if (i + 1 < world->watch_count)
            play_gap(source, watch->to, world->watches[i + 1].from, registry, out);
    }
    for (size_t i = 0; i < world->change_count; i++) {
        const struct change *change = &world->changes[i];
        if (change->thing == thing && change->kind == CHANGE_GAP)
            play_gap(source, change->at, utc_add(change->at, (int64_t)change->value), registry,
                     out);
    }
}

/* While we watch, and a little longer, so that all is judged. */
static void play_ticks(const struct world *world, struct observations *out)
{
    const int64_t every = 30 * NS_PER_S;
    for (size_t i = 0; i < world->watch_count; i++)
        for (struct utc at = world->watches[i].from; at.ns <= world->watches[i].to.ns + 2 * every;
             at = utc_add(at, every)) {
            struct observation tick = {.kind = OBSERVATION_TICK, .time = at};
            observations_add(out, &tick);
        }
}

static int by_time(const void *a, const void *b)
{
    const struct observation *x = a, *y = b;
    if (x->time.ns != y->time.ns)
        return x->time.ns < y->time.ns ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

void world_play(const struct world *world, uint64_t seed, struct registry *registry,
                struct observations *out)
{
    play_subjects(world, registry, out);
    for (uint32_t i = 1; i < world->thing_count; i++)
        if (world->things[i].kind == THING_VANTAGE || world->things[i].kind == THING_COLLECTOR)
            play_source(world, i, registry, out);
    play_routes(world, seed, registry, out);
    play_probes(world, seed, registry, out);
    play_ticks(world, out);
    qsort(out->list, out->count, sizeof *out->list, by_time);
    for (size_t i = 0; i < out->count; i++)
        out->list[i].seq = i + 1;
}

void observations_delay(struct observations *observations, int64_t late_ns, uint64_t seed)
{
    struct random random = random_stream(seed, 0, 0);
    struct observation *list = observations->list;
    int64_t *times = mem_new(observations->count, sizeof *times);
    for (size_t i = 0; i < observations->count; i++) {
        times[i] = list[i].time.ns;
        list[i].seq = i;
        if (list[i].kind == OBSERVATION_PROBE || list[i].kind == OBSERVATION_ROUTE)
            list[i].time.ns += (int64_t)(random_even(&random) * (double)late_ns);
    }
    qsort(list, observations->count, sizeof *list, by_time);
    for (size_t i = 0; i < observations->count; i++) {
        list[i].time.ns = times[list[i].seq];
        list[i].seq = i + 1;
    }
    free(times);
}
