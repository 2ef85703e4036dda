#include "core/core.h"

#include "base/mem.h"
#include "core/detect/detect.h"
#include "core/detect/queue.h"
#include "core/detect/routes.h"
#include "core/diagnose/diagnose.h"
#include "core/incident/cases.h"

#include <stdlib.h>
#include <string.h>

/* Conclusions are drawn on whole seconds of data time; a route that is only partly gone is told of
 * after ten of them, since withdrawals take some time to reach everybody. */
#define STEP_NS NS_PER_S
#define PARTIAL_NS (10 * NS_PER_S)
#define OTHERS_NS (5 * NS_PER_MINUTE)

/* Events wait here while it is open which incident they belong to; beyond the cap they go out with
 * none. */
enum { HELD_MAX = 4096 };

struct held {
    struct event event;
    uint32_t member; /* row + 1, 0 if it is no member of a subject */
};

/* A collector in a gap whose end is not known: its notice is open until it starts again. */
struct blind {
    uint32_t collector, notice;
    struct utc since;
};
enum { BLIND_MAX = 4096 };

struct core {
    const struct registry *registry;
    struct queue queue;
    struct watch_list watch;
    struct detect detect;
    struct routes routes;
    struct incidents incidents;
    struct table held;
    struct table blind;
    struct table changes, sights; /* scratch */
    struct numbers numbers;
    struct utc newest;  /* of what was fed */
    struct utc settled; /* the last step that was concluded */
    struct core_counters counters;
};

struct core *core_new(const struct registry *registry)
{
    struct core *core = mem_new(1, sizeof *core);
    core->registry = registry;
    queue_init(&core->queue);
    watch_init(&core->watch);
    detect_init(&core->detect);
    routes_init(&core->routes);
    incidents_init(&core->incidents);
    table_init(&core->held, sizeof(struct held));
    table_init(&core->blind, sizeof(struct blind));
    table_init(&core->changes, sizeof(struct change));
    table_init(&core->sights, sizeof(struct sight));
    return core;
}

void core_free(struct core *core)
{
    if (!core)
        return;
    queue_done(&core->queue);
    watch_done(&core->watch);
    detect_done(&core->detect);
    routes_done(&core->routes);
    incidents_done(&core->incidents);
    table_done(&core->held);
    table_done(&core->blind);
    table_done(&core->changes);
    table_done(&core->sights);
    free(core);
}

struct core_counters core_counters(const struct core *core)
{
    struct core_counters counters = core->counters;
    counters.capped +=
        core->watch.capped + core->detect.capped + core->routes.capped + core->incidents.capped;
    return counters;
}

static void hold_event(struct core *core, const struct event *event)
{
    uint32_t member = watch_find(&core->watch, event->target);
    struct held *held = table_add(&core->held);
    held->event = *event;
    held->member = member;
}

static void hold_changes(struct core *core)
{
    for (size_t i = 0; i < core->changes.count; i++) {
        const struct change *change = table_at(&core->changes, i);
        const struct series *s = detect_series(&core->detect, change->series);
        bool is_path = change->to == CONDITION_DEGRADED ||
                       (change->from == CONDITION_DEGRADED && change->to == CONDITION_UP);
        bool is_bad = change->to == CONDITION_DOWN;
        double base = series_rtt_base(s), loss = series_loss(s);
        struct event event = {.id = ++core->numbers.event,
                              .subject = watch_subject_of(&core->watch, s->target),
                              .source = s->source,
                              .target = s->target,
                              .layer = is_path ? LAYER_PATH : s->layer,
                              .from = change->from,
                              .to = change->to,
                              .outcome = is_bad ? s->bad_outcome : OUTCOME_OK,
                              .stage = is_bad ? s->bad_stage : STAGE_DONE,
                              .at = change->at,
                              .size = loss,
                              .certainty = is_bad ? 1 - s->belief : s->belief};
        if (is_path && s->is_slow && !s->is_lossy && base > 0)
            event.size = series_rtt(s) / base;
        hold_event(core, &event);
    }
    core->changes.count = 0;
}

/* The vantage that sees a failure first waits for the others to see it as well, for some minutes:
 * only then is it decided whether an incident begins with it. */
static bool awaits_others(const struct core *core, const struct event *event, struct utc now)
{
    if (!event->source || event->to < CONDITION_DEGRADED || core->detect.vantages.count < 2 ||
        utc_diff(now, event->at.first_after) > OTHERS_NS)
        return false;
    uint32_t row = index_find(&core->detect.series_index, key_of(event->source, event->target));
    return row && detect_series(&core->detect, row - 1)->shown == event->to;
}

/* Lets those events go whose incident is decided: they belong to one, or their failure came to
 * nothing. */
static void release_events(struct core *core, struct utc now, struct conclusions *out)
{
    size_t kept = 0;
    bool is_full = core->held.count > HELD_MAX;
    for (size_t i = 0; i < core->held.count; i++) {
        struct held held = *(struct held *)table_at(&core->held, i);
        bool is_pending = false;
        if (held.member && !held.event.incident)
            held.event.incident = incidents_of(&core->incidents, held.member - 1, &is_pending);
        is_pending |= held.member && !held.event.incident && awaits_others(core, &held.event, now);
        if (is_pending && !is_full)
            *(struct held *)table_at(&core->held, kept++) = held;
        else
            conclusions_add(out, CONCLUSION_EVENT, now)->event = held.event;
    }
    core->held.count = kept;
}

static void tell_peer(struct core *core, uint32_t row, struct utc now, struct conclusions *out)
{
    struct route_peer *peer = table_at(&core->routes.peers, row);
    if (peer->is_up != (peer->notice != 0))
        return; /* lost and told, or up and nothing to take back */
    if (!peer->notice)
        peer->notice = ++core->numbers.notice;
    struct interval ended = {{peer->since.ns - NS_PER_S}, peer->since};
    conclusions_add(out, CONCLUSION_NOTICE, now)->notice =
        (struct notice){.id = peer->notice,
                        .source = peer->collector,
                        .target = peer->peer,
                        .kind = NOTICE_PEER_LOST,
                        .is_open = !peer->is_up,
                        .began = peer->lost,
                        .ended = peer->is_up ? ended : (struct interval){{0}, {0}}};
    if (peer->is_up)
        peer->notice = 0;
}

static struct blind *find_blind(struct core *core, uint32_t collector)
{
    for (size_t i = 0; i < core->blind.count; i++) {
        struct blind *blind = table_at(&core->blind, i);
        if (blind->collector == collector)
            return blind;
    }
    return NULL;
}

/* From when to when a collector saw nothing: `until` is 0 while that is not over. */
static void tell_blind(struct core *core, uint32_t notice, uint32_t collector, struct utc from,
                       struct utc until, struct utc now, struct conclusions *out)
{
    conclusions_add(out, CONCLUSION_NOTICE, now)->notice =
        (struct notice){.id = notice ? notice : ++core->numbers.notice,
                        .source = collector,
                        .kind = NOTICE_SOURCE_GAP,
                        .is_open = !utc_is_known(until),
                        .began = {from, from},
                        .ended = {until, until}};
}

static void open_gap(struct core *core, const struct observation *o, struct conclusions *out)
{
    if (find_blind(core, o->source))
        return;
    if (core->blind.count == BLIND_MAX) {
        core->counters.capped++;
        return;
    }
    struct blind *blind = table_add(&core->blind);
    *blind = (struct blind){o->source, core->numbers.notice + 1, o->time};
    tell_blind(core, 0, o->source, o->time, (struct utc){0}, o->time, out);
}

/* A START, or a GAP with its end: each ends a gap that was open, whose notice then tells of both. */
static void close_gap(struct core *core, const struct observation *o, struct utc until,
                      struct conclusions *out)
{
    struct blind *blind = find_blind(core, o->source);
    if (blind) {
        tell_blind(core, blind->notice, o->source, blind->since, until, o->time, out);
        *blind = *(struct blind *)table_at(&core->blind, core->blind.count - 1);
        core->blind.count--;
    } else if (o->kind == OBSERVATION_GAP) {
        tell_blind(core, 0, o->source, o->time, until, o->time, out);
    }
}

/* Sources know their own business: collectors tell of routes, vantages of everything else. */
static void hear_source(struct core *core, const struct observation *o, struct conclusions *out)
{
    if (registry_kind(core->registry, o->source) != NAME_COLLECTOR) {
        detect_feed(&core->detect, &core->watch, core->registry, o, &core->numbers, out);
        return;
    }
    if (o->kind == OBSERVATION_GAP && !o->value)
        open_gap(core, o, out);
    else if (o->kind == OBSERVATION_GAP)
        close_gap(core, o, (struct utc){o->value}, out);
    else if (o->kind == OBSERVATION_START)
        close_gap(core, o, o->time, out);
    routes_feed(&core->routes, &core->watch, core->registry, o);
}

static void show_prefix(struct core *core, struct route_prefix *p, struct utc now,
                        struct conclusions *out)
{
    p->shown = p->condition;
    conclusions_add(out, CONCLUSION_SERIES, now)->series =
        (struct series_state){.target = p->prefix,
                              .subject = watch_subject_of(&core->watch, p->prefix),
                              .layer = LAYER_ROUTE,
                              .condition = p->condition,
                              .is_counted = 1,
                              .was_up = p->was_up,
                              .since = p->since,
                              .belief = p->v,
                              .loss = 1 - p->v};
}

/* True if it is settled. A prefix that is no member itself speaks through the member that covers
 * it. */
static bool publish_prefix(struct core *core, struct route_prefix *p, struct utc now,
                           struct conclusions *out)
{
    int64_t due = p->since.first_after.ns + PARTIAL_NS;
    if (p->cover)
        watch_mark(&core->watch, watch_member(&core->watch, p->cover - 1)->target);
    if (!p->is_exact)
        return true;
    if (p->condition == CONDITION_DEGRADED && p->shown != CONDITION_DEGRADED && now.ns < due)
        return false;
    if (p->condition != p->shown)
        show_prefix(core, p, now, out);
    if (p->condition == CONDITION_NO_DATA)
        return true;
    if (p->published != CONDITION_NO_DATA && p->published != p->condition) {
        struct event event = {.id = ++core->numbers.event,
                              .subject = watch_subject_of(&core->watch, p->prefix),
                              .target = p->prefix,
                              .layer = LAYER_ROUTE,
                              .from = p->published,
                              .to = p->condition,
                              .outcome = OUTCOME_NONE,
                              .at = p->since,
                              .size = 1 - p->v,
                              .certainty = p->usual ? 1 - 1.0 / (p->usual + 1.0) : 0.5};
        hold_event(core, &event);
    }
    p->published = p->condition;
    p->published_since = p->since;
    return true;
}

static void publish_routes(struct core *core, struct utc now, struct conclusions *out)
{
    for (size_t i = 0; i < core->routes.changed.count; i++)
        tell_peer(core, *(uint32_t *)table_at(&core->routes.changed, i), now, out);
    core->routes.changed.count = 0;
    size_t kept = 0;
    for (size_t i = 0; i < core->routes.waiting.count; i++) {
        uint32_t row = *(uint32_t *)table_at(&core->routes.waiting, i);
        struct route_prefix *p = routes_prefix(&core->routes, row);
        p->is_waiting = !publish_prefix(core, p, now, out);
        if (p->is_waiting)
            *(uint32_t *)table_at(&core->routes.waiting, kept++) = row;
    }
    core->routes.waiting.count = kept;
}

static void take_foreign(const struct route_prefix *p, struct sight *sight)
{
    bool is_worse = (p->is_foreign && !sight->is_foreign) ||
                    (p->is_foreign == sight->is_foreign &&
                     p->foreign_began.first_after.ns > sight->foreign_began.first_after.ns);
    if (!p->foreign_asn || (sight->foreign_asn && !is_worse))
        return;
    sight->is_foreign = p->is_foreign;
    sight->foreign_asn = p->foreign_asn;
    sight->foreign_prefix = p->prefix;
    sight->foreign_peers = p->foreign_peers;
    sight->foreign_of = p->foreign_of;
    sight->foreign_began = p->foreign_began;
    sight->foreign_ended = p->foreign_ended;
}

static void sight_prefix(const struct core *core, uint32_t prefix, struct utc now,
                         struct sight *sight)
{
    uint32_t found = routes_find(&core->routes, prefix);
    if (found) {
        const struct route_prefix *p = routes_prefix(&core->routes, found - 1);
        sight->condition = p->shown;
        sight->since = p->published_since;
        sight->was_up = p->was_up;
        sight->left_up = p->left_up;
        sight->v = p->v;
        sight->flap_count = p->flap_count;
        for (uint32_t i = 0; i < ROUTE_FLAPS && i < p->flap_count; i++)
            sight->recent_flaps += utc_diff(now, p->flaps[i]) <= NS_PER_DAY;
        sight->origin = p->origin;
        sight->upstream = p->upstream;
        sight->upstream_before = p->upstream_before;
        sight->upstream_changed = p->upstream_changed;
    }
    for (size_t i = 0; i < core->routes.foreign.count; i++) {
        const struct route_prefix *p =
            routes_prefix(&core->routes, *(uint32_t *)table_at(&core->routes.foreign, i));
        if (p->cover && watch_member(&core->watch, p->cover - 1)->target == prefix)
            take_foreign(p, sight);
    }
    if (sight->is_foreign)
        sight->was_up = true;
}

static void take_sights(struct core *core, uint32_t subject, struct observer *observer)
{
    const struct watch_list *watch = &core->watch;
    uint64_t voting = 0;
    core->sights.count = 0;
    for (uint32_t row = watch_subject(watch, subject)->first_member; row;) {
        const struct member *member = watch_member(watch, row - 1);
        if (member->is_listed && member->kind != NAME_ASN) {
            struct sight *sight = table_add(&core->sights);
            sight->member = row - 1;
            if (member->kind == NAME_PREFIX)
                sight_prefix(core, member->target, observer->now, sight);
            else
                detect_sight(&core->detect, member->target, sight);
            voting |= sight->voting;
        }
        row = member->next;
    }
    for (uint32_t i = 0; i < core->detect.vantages.count; i++) {
        if (!(voting >> i % 64 & 1))
            continue;
        observer->vantages++;
        detect_controls(&core->detect, detect_vantage(&core->detect, i), &observer->controls_up,
                        &observer->controls);
    }
}

static void tell_case(struct case_file *file, struct utc now, struct conclusions *out)
{
    struct incident *incident = &file->told;
    const struct case_episode *last = &file->episodes[(file->episode_count - 1) % CASE_EPISODES];
    conclusions_add(out, CONCLUSION_INCIDENT, now)->incident = *incident;
    conclusions_add(out, CONCLUSION_EPISODE, now)->episode =
        (struct episode){.incident = incident->id,
                         .number = (uint16_t)file->episode_count,
                         .is_open = incident->is_open,
                         .began = last->began,
                         .ended = last->ended,
                         .depth = last->depth};
    struct verdict verdict;
    memset(&verdict, 0, sizeof verdict);
    diagnose(file->findings, incident, &verdict);
    verdict.incident = incident->id;
    verdict.revision = incident->revision;
    verdict.rules = RULES_VERSION;
    verdict.judged = incident->judged;
    conclusions_add_verdict(out, now, &verdict);
    file->is_revised = false;
}

static void judge_subjects(struct core *core, struct utc now, struct conclusions *out)
{
    for (uint32_t i = 0; i < core->watch.subjects.count; i++) {
        struct watched *subject = watch_subject(&core->watch, i);
        struct utc due = incidents_due(&core->incidents, i);
        if (!subject->is_dirty && !(utc_is_known(due) && now.ns >= due.ns))
            continue;
        subject->is_dirty = false;
        struct observer observer = {.now = now, .first_data = core->detect.first_data};
        take_sights(core, i, &observer);
        incidents_judge(&core->incidents, &core->watch, core->registry, i, &observer,
                        core->sights.rows, core->sights.count, &core->numbers);
    }
    for (uint32_t row = 0; row < core->incidents.cases.count; row++)
        if (case_at(&core->incidents, row)->is_revised)
            tell_case(case_at(&core->incidents, row), now, out);
}

/* Draws the conclusions of all that is known at `now`, a whole second. */
static void settle(struct core *core, struct utc now, struct conclusions *out)
{
    core->settled = now;
    routes_settle(&core->routes, &core->watch, core->registry, now);
    detect_settle(&core->detect, &core->watch, now, &core->changes, &core->numbers, out);
    hold_changes(core);
    if (core->routes.waiting.count || core->routes.changed.count)
        publish_routes(core, now, out);
    judge_subjects(core, now, out);
    if (core->held.count)
        release_events(core, now, out);
}

static void judge(struct core *core, const struct observation *o, struct conclusions *out)
{
    struct utc step = {o->time.ns - o->time.ns % STEP_NS};
    if (step.ns > core->settled.ns)
        settle(core, step, out);
    switch (o->kind) {
    case OBSERVATION_SUBJECT:
    case OBSERVATION_MEMBER:
        watch_configure(&core->watch, core->registry, o);
        break;
    case OBSERVATION_ROUTE:
    case OBSERVATION_PEER:
    case OBSERVATION_VISIBILITY:
        if (!utc_is_known(core->detect.first_data))
            core->detect.first_data = o->time;
        routes_feed(&core->routes, &core->watch, core->registry, o);
        break;
    case OBSERVATION_PROBE:
    case OBSERVATION_GAP:
    case OBSERVATION_START:
    case OBSERVATION_STOP:
        hear_source(core, o, out);
        break;
    default:
        break; /* a TICK only lets time pass */
    }
}

static bool is_configuration(const struct observation *o)
{
    return o->kind == OBSERVATION_SUBJECT || o->kind == OBSERVATION_MEMBER;
}

/* Configuration and gaps tell about a time, they are not seen at it: being late makes them no less
 * true. What comes before the first measurement may even bear a later time than an archive's. */
static bool is_told_at_once(const struct core *core, const struct observation *o, bool is_late)
{
    return (is_configuration(o) && (is_late || !utc_is_known(core->newest))) ||
           (o->kind == OBSERVATION_GAP && is_late);
}

void core_feed(struct core *core, const struct observation *observation, struct conclusions *out)
{
    if (observation->kind == OBSERVATION_BIN)
        return;
    core->counters.observations++;
    int64_t horizon = core->newest.ns - LATENESS_NS;
    bool is_late = observation->time.ns < horizon;
    if (is_told_at_once(core, observation, is_late)) {
        if (is_configuration(observation))
            watch_configure(&core->watch, core->registry, observation);
        else
            hear_source(core, observation, out);
        return;
    }
    if (is_late) {
        core->counters.late++;
        return;
    }
    queue_push(&core->queue, core->registry, observation);
    if (observation->time.ns <= core->newest.ns)
        return;
    core->newest = observation->time;
    struct utc until = {core->newest.ns - LATENESS_NS};
    struct observation next;
    while (queue_pop(&core->queue, core->registry, until, &next))
        judge(core, &next, out);
}

/* A checkpoint begins with what must fit exactly, or it is not used. */
static const char MAGIC[] = "lastlight core";

struct build {
    char magic[sizeof MAGIC];
    uint32_t rules;
    uint32_t sizes[9];
    uint32_t byte_order;
    char version[16];
};

static struct build this_build(void)
{
    struct build build;
    memset(&build, 0, sizeof build);
    memcpy(build.magic, MAGIC, sizeof MAGIC);
    build.rules = RULES_VERSION;
    build.byte_order = 0x01020304;
    build.sizes[0] = sizeof(struct series);
    build.sizes[1] = sizeof(struct route_prefix);
    build.sizes[2] = sizeof(struct track);
    build.sizes[3] = sizeof(struct case_file);
    build.sizes[4] = EVIDENCE_COUNT;
    build.sizes[5] = sizeof(struct member);
    build.sizes[6] = sizeof(struct rib_entry);
    build.sizes[7] = sizeof(struct route_peer);
    build.sizes[8] = sizeof(struct blind);
    strncpy(build.version, LASTLIGHT_VERSION, sizeof build.version - 1);
    return build;
}

void core_save(const struct core *core, struct buffer *out)
{
    struct build build = this_build();
    buffer_add(out, &build, sizeof build);
    queue_save(&core->queue, out);
    watch_save(&core->watch, out);
    detect_save(&core->detect, out);
    routes_save(&core->routes, out);
    incidents_save(&core->incidents, out);
    table_save(&core->held, out);
    table_save(&core->blind, out);
    buffer_add(out, &core->numbers, sizeof core->numbers);
    buffer_zigzag(out, core->newest.ns);
    buffer_zigzag(out, core->settled.ns);
    buffer_add(out, &core->counters, sizeof core->counters);
}

static bool load(struct core *core, struct reader *in)
{
    struct build build = this_build();
    const uint8_t *head = reader_bytes(in, sizeof build);
    if (!head || memcmp(head, &build, sizeof build) != 0)
        return false;
    if (!queue_load(&core->queue, in) || !watch_load(&core->watch, in) ||
        !detect_load(&core->detect, in) || !routes_load(&core->routes, in) ||
        !incidents_load(&core->incidents, in) || !table_load(&core->held, in) ||
        !table_load(&core->blind, in))
        return false;
    const uint8_t *numbers = reader_bytes(in, sizeof core->numbers);
    if (numbers)
        memcpy(&core->numbers, numbers, sizeof core->numbers);
    core->newest.ns = reader_zigzag(in);
    core->settled.ns = reader_zigzag(in);
    const uint8_t *counters = reader_bytes(in, sizeof core->counters);
    if (counters)
        memcpy(&core->counters, counters, sizeof core->counters);
    reader_finish(in);
    return !in->bad;
}

struct core *core_load(const struct registry *registry, const void *bytes, size_t n)
{
    struct core *core = core_new(registry);
    struct reader in = reader_of(bytes, n);
    if (load(core, &in))
        return core;
    core_free(core);
    return NULL;
}
