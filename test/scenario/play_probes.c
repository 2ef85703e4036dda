/* What a vantage sees: each target asked in its turn, each packet lost or not by the losses on its
 * way. */
#include "play.h"
#include "random.h"
#include "state.h"

#include <stdlib.h>
#include <string.h>

/* How a question is asked: how many rounds of packets it takes, how often each is tried and after
 * what first pause (doubled each time), and when the asker gives up. */
struct manner {
    unsigned rounds, tries;
    int64_t pause_ns, timeout_ns;
    enum stage first, later; /* the stage in which it fails when the first, a later round does */
};

static const struct manner manners[TARGET_KIND_COUNT] = {
    [TARGET_ICMP] = {1, 1, 0, 3 * NS_PER_S, STAGE_REPLY, STAGE_REPLY},
    [TARGET_TCP] = {1, 3, NS_PER_S, 5 * NS_PER_S, STAGE_CONNECT, STAGE_CONNECT},
    [TARGET_TLS] = {2, 3, NS_PER_S, 8 * NS_PER_S, STAGE_CONNECT, STAGE_TLS},
    [TARGET_SMTP] = {2, 3, NS_PER_S, 8 * NS_PER_S, STAGE_CONNECT, STAGE_REPLY},
    [TARGET_DNS] = {1, 2, 2 * NS_PER_S, 5 * NS_PER_S, STAGE_REPLY, STAGE_REPLY},
    [TARGET_ZONE] = {1, 2, 2 * NS_PER_S, 10 * NS_PER_S, STAGE_REPLY, STAGE_REPLY},
    [TARGET_TRACE] = {1, 3, NS_PER_S, 10 * NS_PER_S, STAGE_REPLY, STAGE_REPLY},
    [TARGET_HTTP] = {2, 3, NS_PER_S, 8 * NS_PER_S, STAGE_CONNECT, STAGE_REPLY},
    [TARGET_HTTPS] = {3, 3, NS_PER_S, 8 * NS_PER_S, STAGE_CONNECT, STAGE_TLS},
    [TARGET_SELF] = {1, 1, 0, NS_PER_S, STAGE_NONE, STAGE_NONE}};

static uint32_t address_name(struct registry *registry, const struct addr *addr)
{
    char text[ADDR_TEXT_MAX];
    return play_name(registry, NAME_ADDRESS, addr_format(addr, text));
}

/* The share of packets that get through, there and back. */
static double passing(const struct question *q, struct utc at)
{
    const struct world *world = q->world;
    double passes = 1 - world->noise_loss;
    const uint32_t things[] = {q->vantage, q->id, q->host == q->id ? 0 : q->host};
    for (size_t i = 0; i < 3; i++)
        if (things[i])
            passes *= 1 - state_level(world, things[i], q->vantage, CHANGE_LOSS, 0, at);
    return passes;
}

static double delay(struct question *q, struct utc at)
{
    const struct world *world = q->world;
    double factor = 1, added = 0;
    const uint32_t things[] = {q->vantage, q->id, q->host == q->id ? 0 : q->host};
    for (size_t i = 0; i < 3; i++) {
        if (!things[i])
            continue;
        factor *= state_level(world, things[i], q->vantage, CHANGE_RTT_FACTOR, 1, at);
        added += state_level(world, things[i], q->vantage, CHANGE_RTT_ADD, 0, at);
    }
    /* A queue that lengthens the way also makes it uneven; a longer path does not. */
    double spread = fmin(world->noise_rtt * factor, 0.5);
    return ((double)q->thing->rtt_ns * factor + added) * exp(spread * random_normal(&q->random));
}

/* Plays the rounds; true if all got through in time. *rtt_ns gets the time it took. */
static bool exchange(struct question *q, struct utc at, unsigned rounds, int64_t *rtt_ns,
                     enum stage *failed)
{
    const struct manner *manner = &manners[q->target.kind];
    double passes = passing(q, at), took = 0;
    for (unsigned round = 0; round < rounds; round++) {
        double way = delay(q, at), pause = (double)manner->pause_ns;
        unsigned tries = 1;
        while (tries <= manner->tries && random_even(&q->random) >= passes) {
            took += pause;
            pause *= 2;
            tries++;
        }
        took += way;
        if (tries > manner->tries || took > (double)manner->timeout_ns) {
            *failed = round ? manner->later : manner->first;
            return false;
        }
    }
    *rtt_ns = (int64_t)(took / 100000) * 100000;
    return true;
}

/* Whatever made it so: a change of the service before one of its host, before an end of its
 * certificate. */
static const struct change *ruling(const struct question *q, struct utc at)
{
    const struct world *world = q->world;
    const struct change *own = state_outcome(world, q->id, q->vantage, at);
    if (own && own->outcome != OUTCOME_OK)
        return own;
    const struct change *hosts = q->host ? state_outcome(world, q->host, q->vantage, at) : NULL;
    return hosts && hosts->outcome != OUTCOME_OK ? hosts : NULL;
}

/* The stage in which a question fails that ends so. */
static enum stage usual_stage(const struct question *q, enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_TIMEOUT:
    case OUTCOME_REFUSED:
    case OUTCOME_NET_UNREACHABLE:
    case OUTCOME_HOST_UNREACHABLE:
    case OUTCOME_PROHIBITED:
    case OUTCOME_TTL_EXCEEDED:
        return manners[q->target.kind].first;
    case OUTCOME_CERT_EXPIRED:
    case OUTCOME_CERT_INVALID:
    case OUTCOME_TLS_ERROR:
        return STAGE_TLS;
    case OUTCOME_SELF:
        return STAGE_NONE;
    default:
        return STAGE_REPLY;
    }
}

static uint16_t usual_code(const struct question *q, enum outcome outcome, uint16_t status)
{
    switch (outcome) {
    case OUTCOME_OK:
        return q->target.kind == TARGET_HTTP || q->target.kind == TARGET_HTTPS ? 200 : 0;
    case OUTCOME_HTTP_ERROR:
        return status ? status : 500;
    case OUTCOME_HTTP_UNAVAILABLE:
        return 503;
    case OUTCOME_SERVER_FAILURE:
        return 2;
    case OUTCOME_NAME_ERROR:
        return 3;
    case OUTCOME_DNS_REFUSED:
        return 5;
    case OUTCOME_NET_UNREACHABLE:
        return 3 << 8;
    case OUTCOME_HOST_UNREACHABLE:
        return 3 << 8 | 1;
    case OUTCOME_PROHIBITED:
        return 3 << 8 | 13;
    default:
        return 0;
    }
}

/* Who spoke: a router on the way, or the address that was asked where the target does not name it.
 */
static uint32_t speaker(struct question *q, enum outcome outcome)
{
    const struct thing *host = &q->world->things[q->host];
    struct addr router = host->addr;
    switch (outcome) {
    case OUTCOME_NET_UNREACHABLE: /* the edge of the vantage's provider */
        router = (struct addr){.bytes = {198, 18, 0, 1}, .family = 4};
        return address_name(q->registry, &router);
    case OUTCOME_PROHIBITED: /* the border */
        router = (struct addr){.bytes = {198, 18, 1, 1}, .family = 4};
        return address_name(q->registry, &router);
    case OUTCOME_HOST_UNREACHABLE: /* the last router before the host */
        router.bytes[addr_bits(&router) / 8 - 1] = 1;
        return address_name(q->registry, &router);
    case OUTCOME_SELF:
        return 0;
    default:
        if (q->target.kind == TARGET_ZONE) /* nobody in particular */
            return 0;
        return q->host && !q->target.addr.family ? address_name(q->registry, &router) : 0;
    }
}

static int64_t extra_value(const struct question *q, enum outcome outcome)
{
    enum { SERIAL = 2022010100, TTL = 52 };
    if (q->target.kind == TARGET_DNS || q->target.kind == TARGET_ZONE)
        return outcome == OUTCOME_OK ? SERIAL : 0;
    if (q->target.kind == TARGET_ICMP)
        return outcome == OUTCOME_OK ? TTL : 0;
    bool has_certificate = q->target.kind == TARGET_HTTPS || q->target.kind == TARGET_TLS;
    bool is_shown = outcome != OUTCOME_TIMEOUT && outcome != OUTCOME_REFUSED &&
                    outcome != OUTCOME_NET_UNREACHABLE && outcome != OUTCOME_HOST_UNREACHABLE;
    return has_certificate && is_shown ? q->thing->expires.ns / NS_PER_S : 0;
}

static void fill(struct question *q, struct observation *probe, enum outcome outcome,
                 enum stage stage, uint16_t status)
{
    probe->outcome = (uint8_t)outcome;
    probe->stage = (uint8_t)stage;
    probe->code = usual_code(q, outcome, status);
    probe->peer = speaker(q, outcome);
    probe->value = extra_value(q, outcome);
}

/* What the vantage finds of itself is what the scenario says that it finds: no packet of it is lost. */
static void ask_itself(struct question *q, struct observation *probe)
{
    const struct change *own = state_outcome(q->world, q->id, q->vantage, probe->time);
    enum outcome outcome = own ? own->outcome : OUTCOME_OK;
    fill(q, probe, outcome, outcome == OUTCOME_OK ? STAGE_DONE : STAGE_NONE, 0);
}

void question_ask(struct question *q, struct observation *probe)
{
    if (q->target.kind == TARGET_SELF) {
        ask_itself(q, probe);
        return;
    }
    const struct world *world = q->world;
    struct utc at = probe->time;
    const struct change *vantage = state_outcome(world, q->vantage, q->vantage, at);
    if (vantage && vantage->outcome != OUTCOME_OK) {
        fill(q, probe, vantage->outcome, usual_stage(q, vantage->outcome), 0);
        return;
    }
    const struct change *rule = ruling(q, at);
    enum outcome outcome = rule ? rule->outcome : OUTCOME_OK;
    enum stage stage = rule ? rule->stage : STAGE_NONE;
    if (!rule && q->host && !state_is_routed(world, &world->things[q->host], at))
        outcome = random_even(&q->random) < 0.5 ? OUTCOME_NET_UNREACHABLE : OUTCOME_TIMEOUT;
    else if (!rule && utc_is_known(q->thing->expires) && at.ns >= q->thing->expires.ns)
        outcome = OUTCOME_CERT_EXPIRED;
    if (stage == STAGE_NONE)
        stage = outcome == OUTCOME_OK ? STAGE_DONE : usual_stage(q, outcome);
    unsigned rounds = outcome == OUTCOME_OK ? manners[q->target.kind].rounds : 1;
    if (outcome != OUTCOME_TIMEOUT && !exchange(q, at, rounds, &probe->rtt_ns, &stage))
        outcome = OUTCOME_TIMEOUT;
    if (outcome == OUTCOME_HOST_UNREACHABLE)
        probe->rtt_ns += 3 * NS_PER_S; /* a router asks three times for the host's address */
    fill(q, probe, outcome, stage, rule ? rule->status : 0);
}

int64_t question_timeout_ns(const struct question *q)
{
    return manners[q->target.kind].timeout_ns;
}

int64_t question_place_ns(const struct question *q, uint64_t order)
{
    return (int64_t)((double)q->thing->every_ns * fmod((double)order * 0.6180339887, 1));
}

/* One target from one vantage, from the beginning to the end: every so often, at a place of its own
 * in the round, never quite on time. */
static void ask_all_the_time(struct question *q, uint64_t order, struct observations *out)
{
    const struct world *world = q->world;
    int64_t every = q->thing->every_ns;
    int64_t place = question_place_ns(q, order);
    int64_t late_max = every / 20 < NS_PER_S ? every / 20 : NS_PER_S;
    for (size_t w = 0; w < world->watch_count; w++) {
        const struct span *watch = &world->watches[w];
        for (int64_t at = watch->from.ns + place; at < watch->to.ns; at += every) {
            int64_t late = (int64_t)(random_even(&q->random) * (double)late_max);
            struct observation probe = {.kind = OBSERVATION_PROBE,
                                        .time = {(at + late) / NS_PER_MS * NS_PER_MS},
                                        .source = q->vantage_name,
                                        .target = q->target_name};
            if (!state_is_watching(world, q->vantage, probe.time) ||
                !state_is_watching(world, q->id, probe.time))
                continue;
            question_ask(q, &probe);
            observations_add(out, &probe);
        }
    }
}

static struct question question_of(const struct world *world, uint32_t vantage, uint32_t id,
                                   uint64_t seed, struct registry *registry)
{
    const struct thing *thing = &world->things[id];
    bool is_control = thing->kind == THING_CONTROL;
    uint32_t host = thing->kind == THING_HOST ? id : thing->owner;
    struct question q = {
        .world = world,
        .registry = registry,
        .thing = thing,
        .id = id,
        .host = is_control ? 0 : host,
        .vantage = vantage,
        .vantage_name = play_name(registry, NAME_VANTAGE, world->things[vantage].name),
        .target_name = play_name(registry, is_control ? NAME_CONTROL : NAME_TARGET, thing->text),
        .random = random_stream(seed, vantage, id)};
    q.target = *registry_target(registry, q.target_name);
    return q;
}

static bool is_asked(uint32_t vantage, const struct thing *thing)
{
    return thing->kind == THING_HOST || thing->kind == THING_SERVICE ||
           (thing->kind == THING_CONTROL && thing->owner == vantage);
}

void play_probes(const struct world *world, uint64_t seed, struct registry *registry,
                 struct observations *out)
{
    struct question *questions =
        mem_new(world->thing_count * world->thing_count + 1, sizeof *questions);
    size_t count = 0;
    for (uint32_t v = 1; v < world->thing_count; v++)
        for (uint32_t i = 1; i < world->thing_count && world->things[v].kind == THING_VANTAGE; i++)
            if (is_asked(v, &world->things[i]))
                questions[count++] = question_of(world, v, i, seed, registry);
    if (world->is_followed)
        play_followed(questions, count, out);
    for (size_t i = 0; i < count && !world->is_followed; i++)
        ask_all_the_time(&questions[i], i, out);
    free(questions);
}
