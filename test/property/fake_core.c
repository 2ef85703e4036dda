/* A core that knows nothing of outages: it counts bad outcomes per target and concludes something
 * of every kind from the counts. So the tests of journal and pipeline do not depend on the rules,
 * while any observation that is lost, fed twice or fed in another order changes what comes out. */
#include "core/core.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { TARGETS = 1024, MAGIC = 0x66616b65 };

struct state {
    uint64_t magic;
    uint64_t observations;
    uint64_t hash; /* of everything fed so far, in order */
    uint32_t events, notices, incident, revision, down, episode;
    struct utc since;
    uint32_t bad[TARGETS], good[TARGETS];
    uint8_t is_down[TARGETS];
};

struct core {
    struct state state;
};

struct core *core_new(const struct registry *registry)
{
    (void)registry;
    struct core *core = mem_new(1, sizeof *core);
    core->state.magic = MAGIC;
    return core;
}

void core_free(struct core *core)
{
    free(core);
}

/* A number between 0 and 1 with many digits, from the state. */
static double fraction(const struct state *state, uint64_t salt)
{
    return (double)(hash_mix(state->hash ^ salt) >> 11) / 9007199254740992.0;
}

static void add_event(struct state *state, const struct observation *o, bool is_down,
                      struct conclusions *out)
{
    struct event *event = &conclusions_add(out, CONCLUSION_EVENT, o->time)->event;
    event->id = ++state->events;
    event->incident = state->incident;
    event->source = o->source;
    event->target = o->target;
    event->layer = LAYER_HOST;
    event->from = is_down ? CONDITION_UP : CONDITION_DOWN;
    event->to = is_down ? CONDITION_DOWN : CONDITION_UP;
    event->outcome = o->outcome;
    event->stage = o->stage;
    event->at = (struct interval){state->since, o->time};
    event->size = fraction(state, 1);
    event->certainty = fraction(state, 2);
}

static void add_verdict(struct state *state, const struct observation *o, struct conclusions *out)
{
    struct verdict *verdict = mem_new(1, sizeof *verdict);
    verdict->incident = state->incident;
    verdict->revision = state->revision;
    verdict->rules = RULES_VERSION;
    verdict->call = (uint8_t)(state->hash % (CAUSE_COUNT + 1));
    verdict->set_size = 3;
    verdict->judged = o->time;
    for (uint8_t i = 0; i < CAUSE_COUNT; i++) {
        verdict->order[i] = (uint8_t)((i + state->hash) % CAUSE_COUNT);
        verdict->posterior[i] = fraction(state, 100 + i);
    }
    for (uint8_t i = 0; i < EVIDENCE_COUNT; i++) {
        struct evidence *evidence = &verdict->evidence[i];
        evidence->finding.kind = i;
        if ((state->hash >> i % 8 & 3) != 0)
            continue;
        evidence->finding.truth = TRUTH_PRESENT;
        evidence->finding.a = fraction(state, 200 + i);
        evidence->finding.first = (struct interval){state->since, o->time};
        for (size_t j = 0; j < CAUSE_COUNT; j++)
            evidence->weight[j] = (float)(fraction(state, 300 + i + j) - 0.5);
    }
    conclusions_add_verdict(out, o->time, verdict);
    free(verdict);
}

static void add_incident(struct state *state, const struct observation *o, struct conclusions *out)
{
    struct incident *incident = &conclusions_add(out, CONCLUSION_INCIDENT, o->time)->incident;
    incident->id = state->incident;
    incident->revision = ++state->revision;
    incident->episodes = (uint16_t)state->episode;
    incident->is_open = state->down > 0;
    incident->first_layer = LAYER_COUNT;
    incident->first_target = o->target;
    incident->judged = o->time;
    incident->began = (struct interval){state->since, o->time};
    incident->depth = fraction(state, 3);
    incident->layers[LAYER_HOST].extent.watched = 100;
    incident->layers[LAYER_HOST].extent.down = (uint16_t)state->down;
    incident->layers[LAYER_HOST].down = incident->began;
    struct episode *episode = &conclusions_add(out, CONCLUSION_EPISODE, o->time)->episode;
    episode->incident = state->incident;
    episode->number = (uint16_t)state->episode;
    episode->is_open = state->down > 0;
    episode->began = (struct interval){state->since, o->time};
    add_verdict(state, o, out);
}

static void add_series(const struct state *state, const struct observation *o, bool is_down,
                       struct conclusions *out)
{
    struct series_state *series = &conclusions_add(out, CONCLUSION_SERIES, o->time)->series;
    series->source = o->source;
    series->target = o->target;
    series->layer = LAYER_HOST;
    series->condition = is_down ? CONDITION_DOWN : CONDITION_UP;
    series->outcome = o->outcome;
    series->belief = fraction(state, 4);
    series->rtt_ns = (double)o->rtt_ns;
}

static void add_notice(struct state *state, const struct observation *o, struct conclusions *out)
{
    struct notice *notice = &conclusions_add(out, CONCLUSION_NOTICE, o->time)->notice;
    notice->id = 1 + state->notices++ / 2; /* each comes twice: opened, then closed */
    notice->kind = NOTICE_VANTAGE_UNWELL;
    notice->source = o->source;
    notice->is_open = state->notices % 2;
    notice->began = (struct interval){state->since, o->time};
}

static void change(struct state *state, const struct observation *o, bool is_down,
                   struct conclusions *out)
{
    state->down += is_down ? 1U : -1U;
    if (is_down && state->down == 1) {
        state->episode = state->episode % 5 + 1;
        if (state->episode == 1) {
            state->incident++;
            state->revision = 0;
        }
    }
    add_event(state, o, is_down, out);
    add_series(state, o, is_down, out);
    if (!is_down ? state->down == 0 : state->down == 1)
        add_incident(state, o, out);
    if (state->events % 7 == 0)
        add_notice(state, o, out);
    state->since = o->time;
}

void core_feed(struct core *core, const struct observation *observation, struct conclusions *out)
{
    struct state *state = &core->state;
    state->observations++;
    state->hash = hash_bytes(observation, sizeof *observation, state->hash);
    if (observation->kind != OBSERVATION_PROBE)
        return;
    uint32_t target = observation->target % TARGETS;
    bool is_bad = outcome_class(observation->outcome) == OUTCOME_CLASS_BAD;
    state->bad[target] = is_bad ? state->bad[target] + 1 : 0;
    state->good[target] = is_bad ? 0 : state->good[target] + 1;
    if (state->is_down[target] ? state->good[target] >= 3 : state->bad[target] >= 3) {
        state->is_down[target] = !state->is_down[target];
        change(state, observation, state->is_down[target], out);
    }
}

void core_save(const struct core *core, struct buffer *out)
{
    buffer_add(out, &core->state, sizeof core->state);
}

struct core *core_load(const struct registry *registry, const void *bytes, size_t n)
{
    struct core *core = core_new(registry);
    if (n == sizeof core->state)
        memcpy(&core->state, bytes, n);
    if (n == sizeof core->state && core->state.magic == MAGIC)
        return core;
    core_free(core);
    return NULL;
}

struct core_counters core_counters(const struct core *core)
{
    return (struct core_counters){.observations = core->state.observations};
}
