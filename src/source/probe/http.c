#include "source/probe/http.h"

#include "base/mem.h"
#include "source/probe/http_fetch.h"
#include "source/transfers.h"
#include "sys/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One question. It waits in the queue, then for its look-up, then for its transfer. */
struct visit {
    struct visit *next, **link; /* in the list of those under way, or in the queue (next only) */
    struct http_engine *engine;
    struct question question;
    struct agenda_entry lookup_timeout;
    struct mono deadline;
    struct lookup *lookup;
    CURL *easy; /* NULL: not transferring yet */
    struct fetch fetch;
};

struct http_engine {
    struct agenda *agenda;
    struct resolver *resolver;
    struct tls_store *store;
    char *user_agent;
    struct transfers *transfers;
    struct visit *visits;
    size_t under_way;
    struct visit *queue, **queue_end;
    struct agenda_entry refill; /* begins queued visits, when others have made room */
    size_t queued;
    struct http_counters counters;
};

static void begin_queued(void *context);
static void on_over(void *context, CURL *easy, CURLcode code);

struct http_engine *http_new(struct agenda *agenda, struct resolver *resolver,
                             const char *user_agent)
{
    struct http_engine *engine = mem_new(1, sizeof *engine);
    engine->agenda = agenda;
    engine->resolver = resolver;
    engine->store = tls_store_new();
    engine->user_agent = strdup(user_agent);
    engine->queue_end = &engine->queue;
    engine->refill = (struct agenda_entry){.fire = begin_queued, .context = engine};
    engine->transfers = transfers_new(agenda_loop(agenda), on_over, engine);
    assert(engine->user_agent);
    return engine;
}

/* Ends a visit under way, without an answer. */
static void close_visit(struct visit *visit)
{
    struct http_engine *engine = visit->engine;
    agenda_drop(engine->agenda, &visit->lookup_timeout);
    lookup_abandon(visit->lookup);
    if (visit->easy) {
        transfers_end(engine->transfers, visit->easy);
        curl_easy_cleanup(visit->easy);
    }
    fetch_done(&visit->fetch);
    *visit->link = visit->next;
    if (visit->next)
        visit->next->link = visit->link;
    engine->under_way--;
    free(visit);
}

void http_free(struct http_engine *engine)
{
    if (!engine)
        return;
    while (engine->visits)
        close_visit(engine->visits);
    while (engine->queue) {
        struct visit *visit = engine->queue;
        engine->queue = visit->next;
        fetch_done(&visit->fetch);
        free(visit);
    }
    agenda_drop(engine->agenda, &engine->refill);
    tls_store_free(engine->store);
    transfers_free(engine->transfers);
    free(engine->user_agent);
    free(engine);
}

static void begin(struct visit *visit);

static void begin_queued(void *context)
{
    struct http_engine *engine = context;
    while (engine->queue && engine->under_way < HTTP_CONCURRENT) {
        struct visit *visit = engine->queue;
        engine->queue = visit->next;
        if (!engine->queue)
            engine->queue_end = &engine->queue;
        engine->queued--;
        begin(visit);
    }
}

static void finish(struct visit *visit, const struct answer *answer)
{
    struct http_engine *engine = visit->engine;
    struct question question = visit->question;
    close_visit(visit);
    question.answered(question.context, answer);
    if (engine->queue)
        agenda_set_now(engine->agenda, &engine->refill);
}

static void finish_lookup(struct visit *visit, enum outcome outcome)
{
    struct answer answer = {
        .sent = visit->fetch.watch.sent, .outcome = outcome, .stage = STAGE_RESOLVE};
    finish(visit, &answer);
}

/* libcurl keeps the time itself; a time-out that comes late is our loop's fault. */
static enum outcome judge_timeout(const struct visit *visit)
{
    if (mono_diff(clock_mono(), visit->deadline) > AGENDA_STALL_NS)
        return OUTCOME_LATE;
    return judge_silence(&visit->fetch.tried, &visit->fetch.watch);
}

static void finish_transfer(struct visit *visit, CURLcode code)
{
    struct answer answer = fetch_judge(&visit->fetch, visit->easy, code);
    if (answer.outcome == OUTCOME_TIMEOUT)
        answer.outcome = judge_timeout(visit);
    if (answer.outcome == OUTCOME_SELF)
        answer.peer = (struct addr){0};
    if (answer.outcome == OUTCOME_TIMEOUT || outcome_class(answer.outcome) == OUTCOME_CLASS_OURS ||
        agenda_stalled_since(visit->engine->agenda, visit->fetch.watch.started))
        answer.rtt_ns = 0;
    finish(visit, &answer);
}

static void on_over(void *context, CURL *easy, CURLcode code)
{
    struct visit *visit = NULL;
    (void)context;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&visit);
    finish_transfer(visit, code);
}

static void transfer(struct visit *visit, const struct lookup_result *result)
{
    struct http_engine *engine = visit->engine;
    agenda_drop(engine->agenda, &visit->lookup_timeout);
    int64_t left_ns = mono_diff(visit->deadline, clock_mono());
    long left_ms = left_ns > NS_PER_MS ? (long)(left_ns / NS_PER_MS) : 1;
    visit->easy = curl_easy_init();
    assert(visit->easy);
    stopwatch_start(&visit->fetch.watch);
    fetch_prepare(&visit->fetch, visit->easy, engine->user_agent, result);
    curl_easy_setopt(visit->easy, CURLOPT_TIMEOUT_MS, left_ms);
    curl_easy_setopt(visit->easy, CURLOPT_CONNECTTIMEOUT_MS, left_ms);
    curl_easy_setopt(visit->easy, CURLOPT_PRIVATE, visit);
    transfers_begin(engine->transfers, visit->easy);
}

static void on_looked_up(void *context, const struct lookup_result *found)
{
    struct visit *visit = context;
    struct lookup_result result = *found;
    visit->lookup = NULL;
    judge_narrow(&result, visit->question.family);
    if (result.count)
        transfer(visit, &result);
    else
        finish_lookup(visit, judge_lookup(&result));
}

static void on_lookup_timeout(void *context)
{
    finish_lookup(context, OUTCOME_SELF); /* our own resolver does not answer */
}

static void begin(struct visit *visit)
{
    struct http_engine *engine = visit->engine;
    const struct target *target = visit->question.target;
    visit->next = engine->visits;
    visit->link = &engine->visits;
    if (visit->next)
        visit->next->link = &visit->next;
    engine->visits = visit;
    engine->under_way++;
    stopwatch_start(&visit->fetch.watch);
    visit->deadline = (struct mono){visit->fetch.watch.started.ns + visit->question.timeout_ns};
    if (target->addr.family) {
        transfer(visit, NULL);
        return;
    }
    if (visit->question.address.family) {
        transfer(visit, &(struct lookup_result){.addrs = {visit->question.address}, .count = 1});
        return;
    }
    char host[TARGET_TEXT_MAX];
    memcpy(host, visit->question.text + target->host.at, target->host.n);
    host[target->host.n] = '\0';
    agenda_set(engine->agenda, &visit->lookup_timeout, visit->deadline);
    struct lookup *lookup = resolver_look_up(engine->resolver, host, on_looked_up, visit);
    if (lookup) /* else it is over already, and the visit may be too */
        visit->lookup = lookup;
}

void http_ask(struct http_engine *engine, const struct question *question)
{
    if (engine->queued >= HTTP_QUEUE_MAX) {
        engine->counters.refused++;
        struct answer answer = {.sent = clock_utc(), .outcome = OUTCOME_SELF};
        question->answered(question->context, &answer);
        return;
    }
    struct visit *visit = mem_new(1, sizeof *visit);
    visit->engine = engine;
    visit->question = *question;
    visit->lookup_timeout = (struct agenda_entry){.fire = on_lookup_timeout, .context = visit};
    visit->fetch.target = question->target;
    visit->fetch.text = question->text;
    visit->fetch.expect_status = question->expect_status;
    visit->fetch.expect_text = mem_copy(question->expect_text);
    visit->fetch.store = engine->store;
    if (engine->under_way < HTTP_CONCURRENT && !engine->queue) {
        begin(visit);
        return;
    }
    engine->counters.queued++;
    engine->queued++;
    *engine->queue_end = visit;
    engine->queue_end = &visit->next;
}

struct http_counters http_counters(const struct http_engine *engine)
{
    return engine->counters;
}
