#include "source/probe/fan.h"

#include "base/mem.h"
#include "source/probe/judge.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One question to all of the addresses. */
struct fan {
    struct fan *next, **link; /* in the engine's list */
    struct fan_engine *engine;
    struct question question;
    void (*ask)(void *context, const struct question *question);
    void *context;
    struct stopwatch watch;
    struct agenda_entry timeout;
    struct lookup *lookup;
    struct rib {
        struct fan *fan;
        struct addr addr;
        struct account *account; /* NULL: none is wanted */
        struct answer answer;
    } ribs[LOOKUP_ADDRESSES];
    size_t count, left;
    bool is_asking; /* some may answer at once, when others were not asked yet */
};

struct fan_engine {
    struct agenda *agenda;
    struct resolver *resolver;
    struct fan *fans;
};

struct fan_engine *fan_new(struct agenda *agenda, struct resolver *resolver)
{
    struct fan_engine *engine = mem_new(1, sizeof *engine);
    engine->agenda = agenda;
    engine->resolver = resolver;
    return engine;
}

static void close_fan(struct fan *fan)
{
    agenda_drop(fan->engine->agenda, &fan->timeout);
    lookup_abandon(fan->lookup);
    for (size_t i = 0; i < fan->count; i++)
        account_free(fan->ribs[i].account);
    *fan->link = fan->next;
    if (fan->next)
        fan->next->link = fan->link;
    free(fan);
}

void fan_free(struct fan_engine *engine)
{
    if (!engine)
        return;
    while (engine->fans)
        close_fan(engine->fans);
    free(engine);
}

static void finish(struct fan *fan, const struct answer *answer)
{
    struct question question = fan->question;
    close_fan(fan);
    question.answered(question.context, answer);
}

/* The first one that is OK, or that is not; NULL if there is none. */
static const struct rib *first(const struct fan *fan, bool is_ok)
{
    for (size_t i = 0; i < fan->count; i++)
        if ((fan->ribs[i].answer.outcome == OUTCOME_OK) == is_ok)
            return &fan->ribs[i];
    return NULL;
}

static struct answer put_together(const struct fan *fan)
{
    const struct rib *good = first(fan, true), *bad = first(fan, false);
    if (!bad)
        return good->answer;
    if (!good)
        return bad->answer;
    if (outcome_class(bad->answer.outcome) == OUTCOME_CLASS_OURS)
        return good->answer; /* what we could not ask ourselves says nothing of the rest */
    struct answer answer = bad->answer;
    answer.outcome = OUTCOME_DEGRADED;
    return answer;
}

static void tell(const struct fan *fan)
{
    struct account *account = fan->question.account;
    const struct rib *told = first(fan, true) ? first(fan, true) : &fan->ribs[0];
    if (!account)
        return;
    for (size_t i = 0; i < fan->count; i++) {
        char text[ADDR_TEXT_MAX + 32], addr[ADDR_TEXT_MAX];
        const struct rib *rib = &fan->ribs[i];
        int n = snprintf(text, sizeof text, "%s %s", addr_format(&rib->addr, addr),
                         outcome_name(rib->answer.outcome));
        account_say(account, 0, "* address %zu of %zu: %s", i + 1, fan->count, text);
        account_take(account, rib->account, rib == told);
        account_add(account, FACT_ADDRESSES, text, (size_t)n);
    }
}

static void end_if_all_answered(struct fan *fan)
{
    if (fan->left || fan->is_asking)
        return;
    tell(fan);
    struct answer answer = put_together(fan);
    finish(fan, &answer);
}

static void on_answer(void *context, const struct answer *answer)
{
    struct rib *rib = context;
    rib->answer = *answer;
    rib->fan->left--;
    end_if_all_answered(rib->fan);
}

static void ask_all(struct fan *fan, const struct lookup_result *result)
{
    int64_t left_ns = fan->question.timeout_ns - stopwatch_elapsed_ns(&fan->watch);
    fan->count = fan->left = result->count;
    fan->is_asking = true;
    for (size_t i = 0; i < result->count; i++) {
        struct rib *rib = &fan->ribs[i];
        struct question question = fan->question;
        *rib = (struct rib){.fan = fan, .addr = result->addrs[i]};
        rib->account = question.account ? account_new(true) : NULL;
        question.account = rib->account;
        question.address = rib->addr;
        question.memory = NULL; /* it is of one server */
        question.timeout_ns = left_ns > NS_PER_MS ? left_ns : NS_PER_MS;
        question.answered = on_answer;
        question.context = rib;
        if (i && question.manners)
            manners_count(*question.manners, &rib->addr, clock_mono());
        fan->ask(fan->context, &question);
    }
    fan->is_asking = false;
    end_if_all_answered(fan);
}

static void on_looked_up(void *context, const struct lookup_result *found)
{
    struct fan *fan = context;
    struct lookup_result result = *found;
    fan->lookup = NULL;
    agenda_drop(fan->engine->agenda, &fan->timeout);
    judge_narrow(&result, fan->question.family);
    if (result.count)
        ask_all(fan, &result);
    else
        finish(fan, &(struct answer){.sent = fan->watch.sent,
                                     .outcome = judge_lookup(&result),
                                     .stage = STAGE_RESOLVE});
}

static void on_timeout(void *context)
{
    struct fan *fan = context;
    finish(fan, &(struct answer){
                    .sent = fan->watch.sent, .outcome = OUTCOME_SELF, .stage = STAGE_RESOLVE});
}

void fan_ask(struct fan_engine *engine, const struct question *question,
             void (*ask)(void *context, const struct question *question), void *context)
{
    char host[TARGET_TEXT_MAX];
    struct fan *fan = mem_new(1, sizeof *fan);
    *fan = (struct fan){
        .next = engine->fans,
        .link = &engine->fans,
        .engine = engine,
        .question = *question,
        .ask = ask,
        .context = context,
        .timeout = {.fire = on_timeout, .context = fan},
    };
    if (fan->next)
        fan->next->link = &fan->next;
    engine->fans = fan;
    stopwatch_start(&fan->watch);
    agenda_set(engine->agenda, &fan->timeout,
               (struct mono){fan->watch.started.ns + question->timeout_ns});
    memcpy(host, question->text + question->target->host.at, question->target->host.n);
    host[question->target->host.n] = '\0';
    struct lookup *lookup = resolver_look_up(engine->resolver, host, on_looked_up, fan);
    if (lookup) /* else it is over already, and the fan may be too */
        fan->lookup = lookup;
}
