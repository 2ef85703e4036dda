#include "source/probe/own.h"

#include "base/mem.h"
#include "source/probe/judge.h"
#include "source/probe/own_parts.h"
#include "sys/clock.h"
#include "sys/uplink.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { NS_PER_US = 1000, TEXT_MAX = ADDR_TEXT_MAX + UPLINK_NAME_MAX + 64 };
/* So many pings in a row that a gateway that answers them leaves unanswered: one is lost now and then. */
enum { SILENT_PINGS = 2 };
/* How often the loop's delay is looked at. */
#define LOOK_NS (250 * NS_PER_MS)
/* More questions that are late or left out than so many, and than so many of a hundred: the machine is too busy. A single
 * hiccup is nothing to tell. */
enum { LATE_LEAST = 5, LATE_PERCENT = 1 };

/* A family's way out, as it was last seen. */
struct way {
    struct own_engine *engine;
    int family;
    struct uplink now;
    int interface;         /* the last there was; 0: never one */
    struct addr gateway;   /* of which the following is known; family 0: of none */
    bool was_good;         /* it answered for itself at least once */
    bool answers_pings;    /* it did so at least once */
    unsigned silent_pings; /* in a row */
    struct target target;
};

struct own_engine {
    struct own_options options;
    struct own_clock *clock;
    struct own_resolver *resolver;
    struct uplink_watch *watch; /* NULL: what changes is found out in its turn only */
    struct way ways[2];
    struct question gateway;  /* that is under way */
    struct stopwatch started; /* of it */
    unsigned pings;           /* it waits for */
    bool is_asking;
    struct agenda_entry look;
    struct mono look_due;
    int64_t delay_ns;
    struct own_load told; /* at the last look at the load */
    bool has_told;
};

static struct answer answer_now(enum outcome outcome)
{
    return (struct answer){
        .sent = clock_utc(),
        .outcome = outcome,
        .stage = outcome == OUTCOME_OK || outcome == OUTCOME_DEGRADED ? STAGE_DONE : STAGE_NONE};
}

/* The way out. */

static void look_at_ways(struct own_engine *engine)
{
    for (int i = 0; i < 2; i++) {
        struct way *way = &engine->ways[i];
        uplink_look(way->family, &way->now);
        if (way->now.interface)
            way->interface = way->now.interface;
    }
}

/* Was there ever a way by this family, and is its link well? Of an interface by which no way leads any more, by the
 * kernel's word of the interface itself. */
static bool link_is_well(const struct way *way, struct account *account)
{
    struct uplink link = way->now;
    char text[TEXT_MAX];
    if (!link.interface)
        uplink_look_at(way->interface, way->family, &link);
    int n = snprintf(text, sizeof text, "IPv%d by %s, %s%s", way->family,
                     link.name[0] ? link.name : "an interface that is gone",
                     link.is_running ? "running" : "without a carrier",
                     link.has_address ? "" : ", without an address");
    account_add(account, FACT_OWN_UPLINKS, text, (size_t)n);
    return link.is_running && link.has_address;
}

static void ask_link(struct own_engine *engine, const struct question *question)
{
    unsigned well = 0, all = 0;
    look_at_ways(engine);
    for (int i = 0; i < 2; i++) {
        if (!engine->ways[i].interface)
            continue;
        all++;
        well += link_is_well(&engine->ways[i], question->account);
    }
    struct answer answer = answer_now(!all ? OUTCOME_NONE : well ? OUTCOME_OK : OUTCOME_SELF);
    question->answered(question->context, &answer);
}

/* The gateway. */

/* DOUBTFUL: it was well, and left a ping unanswered. What is said of it now might vouch for the world (core/detect/own.h),
 * and so nothing is. One that never answers pings is believed to be there for as long as the kernel believes it, which
 * may be half a minute too long. */
enum verdict { UNKNOWN, WELL, DOUBTFUL, LOST };

static enum verdict judge_gateway(struct way *way)
{
    enum neighbour neighbour = way->now.neighbour;
    if (!way->now.interface)
        return UNKNOWN;
    if (!way->now.gateway.family)
        return WELL; /* a way that needs none */
    if (neighbour == NEIGHBOUR_FAILED || (way->answers_pings && way->silent_pings >= SILENT_PINGS))
        return LOST;
    if (way->answers_pings && way->silent_pings)
        return DOUBTFUL;
    if (way->answers_pings || neighbour == NEIGHBOUR_REACHABLE)
        way->was_good = true;
    return way->was_good ? WELL : UNKNOWN;
}

static const char *gateway_words(const struct way *way, enum verdict verdict)
{
    if (verdict == UNKNOWN || !way->was_good)
        return "was not heard of yet";
    if (verdict == LOST)
        return "does not answer";
    if (verdict == DOUBTFUL)
        return "did not answer this time";
    return way->answers_pings ? "answers" : "answers for its address, not to pings";
}

static void tell_gateway(const struct way *way, enum verdict verdict, struct account *account)
{
    char text[TEXT_MAX], addr[ADDR_TEXT_MAX];
    if (!way->now.gateway.family)
        return;
    int n = snprintf(text, sizeof text, "%s by %s %s", addr_format(&way->now.gateway, addr),
                     way->now.name, gateway_words(way, verdict));
    account_add(account, FACT_OWN_GATEWAYS, text, (size_t)n);
}

/* One family's gateway that is lost is enough: what is asked by it would else be silent, and nobody would know why. A
 * family that has no way any more counts only if there is none at all. */
static void finish_gateway(struct own_engine *engine)
{
    struct question question = engine->gateway;
    unsigned well = 0, lost = 0, doubtful = 0, before = 0, without = 0;
    struct answer answer = {.sent = engine->started.sent};
    for (int i = 0; i < 2; i++) {
        struct way *way = &engine->ways[i];
        enum verdict verdict = judge_gateway(way);
        tell_gateway(way, verdict, question.account);
        well += verdict == WELL;
        lost += verdict == LOST && way->was_good;
        doubtful += verdict == DOUBTFUL;
        before += way->interface != 0;
        without += !way->now.interface;
        if (verdict == WELL)
            answer.peer = way->now.gateway;
    }
    answer.outcome = lost || (before && without == 2) ? OUTCOME_SELF
                     : well && !doubtful              ? OUTCOME_OK
                                                      : OUTCOME_NONE;
    answer.stage = answer.outcome == OUTCOME_OK ? STAGE_DONE : STAGE_REPLY;
    engine->is_asking = false;
    question.answered(question.context, &answer);
}

static void on_ping(void *context, const struct answer *answer)
{
    struct way *way = context;
    struct own_engine *engine = way->engine;
    if (answer->outcome == OUTCOME_OK) {
        way->answers_pings = way->was_good = true;
        way->silent_pings = 0;
    } else if (answer->outcome == OUTCOME_TIMEOUT || answer->outcome == OUTCOME_HOST_UNREACHABLE) {
        way->silent_pings++;
    }
    uplink_look(way->family, &way->now); /* while it was asked, more may have become known of it */
    if (--engine->pings == 0)
        finish_gateway(engine);
}

/* What was known of another gateway is not known of this one. */
static void take_gateway(struct way *way)
{
    if (addr_compare(&way->gateway, &way->now.gateway) == 0)
        return;
    way->gateway = way->now.gateway;
    way->answers_pings = way->was_good = false;
    way->silent_pings = 0;
}

/* A ping to an address of the wire alone would need to say which wire. */
static bool may_ping(const struct own_engine *engine, const struct way *way)
{
    const struct addr *gateway = &way->now.gateway;
    return way->now.interface && gateway->family && !addr_is_link_local(gateway) &&
           engine->options.may(engine->options.context, gateway);
}

static void ping_gateway(struct own_engine *engine, struct way *way)
{
    struct question question = {
        .target = &way->target,
        .text = "",
        .due = clock_mono(),
        .timeout_ns = engine->gateway.timeout_ns,
        .answered = on_ping,
        .context = way,
    };
    way->target = (struct target){.kind = TARGET_ICMP, .addr = way->now.gateway};
    engine->pings++;
    pinger_ask(engine->options.pinger, &question);
}

static void ask_gateway(struct own_engine *engine, const struct question *question)
{
    if (engine->is_asking) {
        struct answer answer = answer_now(OUTCOME_NONE);
        question->answered(question->context, &answer);
        return;
    }
    engine->is_asking = true;
    engine->gateway = *question;
    engine->pings = 1; /* one that is answered at once does not end it */
    stopwatch_start(&engine->started);
    look_at_ways(engine);
    for (int i = 0; i < 2; i++) {
        if (engine->ways[i].now.interface)
            take_gateway(&engine->ways[i]);
        if (may_ping(engine, &engine->ways[i]))
            ping_gateway(engine, &engine->ways[i]);
    }
    if (--engine->pings == 0)
        finish_gateway(engine);
}

/* The loop. */

static void on_look(void *context)
{
    struct own_engine *engine = context;
    struct mono now = clock_mono();
    int64_t late_ns = mono_diff(now, engine->look_due);
    engine->delay_ns = late_ns > engine->delay_ns ? late_ns : engine->delay_ns;
    engine->look_due.ns = now.ns + LOOK_NS;
    agenda_set(engine->options.agenda, &engine->look, engine->look_due);
}

static void ask_loop(struct own_engine *engine, const struct question *question)
{
    struct own_load now = engine->options.load(engine->options.context), before = engine->told;
    uint64_t asked = now.asked - before.asked, dropped = now.dropped - before.dropped;
    uint64_t late = now.late - before.late + now.missed - before.missed;
    bool is_busy = (late > LATE_LEAST && late * 100 > asked * LATE_PERCENT) || dropped;
    struct answer answer = answer_now(!engine->has_told                    ? OUTCOME_OK
                                      : is_busy                            ? OUTCOME_LATE
                                      : engine->delay_ns > AGENDA_STALL_NS ? OUTCOME_DEGRADED
                                                                           : OUTCOME_OK);
    answer.value = engine->delay_ns;
    account_number(question->account, FACT_LOOP_DELAY, engine->delay_ns / NS_PER_US);
    account_number(question->account, FACT_PROBES_LATE, (int64_t)late);
    account_number(question->account, FACT_PACKETS_DROPPED, (int64_t)dropped);
    engine->told = now;
    engine->has_told = true;
    engine->delay_ns = 0;
    question->answered(question->context, &answer);
}

/* The engine. */

/* A gateway that was never heard of comes and goes in the neighbour cache with each ping. */
static bool is_same_way(const struct way *way, const struct uplink *before)
{
    const struct uplink *now = &way->now;
    bool has_failed = now->neighbour == NEIGHBOUR_FAILED;
    return now->interface == before->interface && now->is_running == before->is_running &&
           now->has_address == before->has_address &&
           addr_compare(&now->gateway, &before->gateway) == 0 &&
           (!way->was_good || has_failed == (before->neighbour == NEIGHBOUR_FAILED));
}

/* Most of what changes in tables of routes and neighbours is no concern of ours. A gateway that is being asked is
 * looked at again at the end of that. */
static void on_change(void *context)
{
    struct own_engine *engine = context;
    struct uplink before[2] = {engine->ways[0].now, engine->ways[1].now};
    look_at_ways(engine);
    if (is_same_way(&engine->ways[0], &before[0]) && is_same_way(&engine->ways[1], &before[1]))
        return;
    engine->options.changed(engine->options.context, OWN_CHECK_LINK);
    if (!engine->is_asking)
        engine->options.changed(engine->options.context, OWN_CHECK_GATEWAY);
}

struct own_engine *own_new(const struct own_options *options)
{
    struct own_engine *engine = mem_new(1, sizeof *engine);
    engine->options = *options;
    engine->ways[0] = (struct way){.engine = engine, .family = 4};
    engine->ways[1] = (struct way){.engine = engine, .family = 6};
    engine->clock = own_clock_new(options);
    engine->resolver = own_resolver_new(options);
    engine->look = (struct agenda_entry){.fire = on_look, .context = engine};
    return engine;
}

void own_free(struct own_engine *engine)
{
    if (!engine)
        return;
    agenda_drop(engine->options.agenda, &engine->look);
    uplink_watch_free(engine->watch);
    own_clock_free(engine->clock);
    own_resolver_free(engine->resolver);
    free(engine);
}

void own_set_clocks(struct own_engine *engine, const char *const *servers, size_t count)
{
    own_clock_set(engine->clock, servers, count);
}

/* Nothing is looked after before somebody asks. */
static void begin(struct own_engine *engine, enum own_check check)
{
    if ((check == OWN_CHECK_LINK || check == OWN_CHECK_GATEWAY) && !engine->watch)
        engine->watch = uplink_watch_new(agenda_loop(engine->options.agenda), on_change, engine);
    if (check == OWN_CHECK_LOOP && !agenda_has(&engine->look)) {
        engine->look_due.ns = clock_mono().ns + LOOK_NS;
        agenda_set(engine->options.agenda, &engine->look, engine->look_due);
    }
}

void own_ask(struct own_engine *engine, const struct question *question)
{
    enum own_check check = (enum own_check)question->target->check;
    begin(engine, check);
    switch (check) {
    case OWN_CHECK_LINK:
        ask_link(engine, question);
        return;
    case OWN_CHECK_GATEWAY:
        ask_gateway(engine, question);
        return;
    case OWN_CHECK_RESOLVER:
        own_resolver_ask(engine->resolver, question);
        return;
    case OWN_CHECK_CLOCK:
        own_clock_ask(engine->clock, question);
        return;
    case OWN_CHECK_LOOP:
        ask_loop(engine, question);
        return;
    case OWN_CHECK_COUNT:
        break;
    }
    assert(false);
}
