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
    struct stopwatch watch; /* since it was begun; the fetch has its own, of the page */
    struct mono deadline;
    struct lookup *lookup;
    CURL *easy; /* NULL: not transferring yet */
    struct fetch fetch;
    /* The page that is asked: the question's, or where it redirected to. */
    const struct target *target;
    const char *text;
    struct target redirected;
    char *location;     /* owned; its text; NULL: not redirected yet */
    unsigned redirects; /* so far */
};

struct http_engine {
    struct agenda *agenda;
    struct resolver *resolver;
    const struct tls_store *store;
    struct reset_watch *resets;
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
static void begin_page(struct visit *visit);
static void on_over(void *context, CURL *easy, CURLcode code);

struct http_engine *http_new(struct agenda *agenda, struct resolver *resolver,
                             const struct tls_store *store, struct reset_watch *resets,
                             const char *user_agent)
{
    struct http_engine *engine = mem_new(1, sizeof *engine);
    engine->agenda = agenda;
    engine->resolver = resolver;
    engine->store = store;
    engine->resets = resets;
    engine->user_agent = strdup(user_agent);
    engine->queue_end = &engine->queue;
    engine->refill = (struct agenda_entry){.fire = begin_queued, .context = engine};
    engine->transfers = transfers_new(agenda_loop(agenda), on_over, engine);
    assert(engine->user_agent);
    return engine;
}

static void end_transfer(struct visit *visit)
{
    if (visit->easy)
        transfers_end(visit->engine->transfers, visit->easy);
    visit->easy = NULL;
    fetch_done(&visit->fetch);
}

/* Ends a visit under way, without an answer. */
static void close_visit(struct visit *visit)
{
    struct http_engine *engine = visit->engine;
    agenda_drop(engine->agenda, &visit->lookup_timeout);
    lookup_abandon(visit->lookup);
    end_transfer(visit);
    free(visit->location);
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
    return judge_silence_by(&visit->fetch.tried, &visit->fetch.watch, visit->deadline);
}

/* What a redirect to this target comes to that is not followed; OK: it is. */
static enum outcome judge_redirect(const struct visit *visit, const struct target *target,
                                   bool is_target)
{
    if (!is_target || (target->kind != TARGET_HTTP && target->kind != TARGET_HTTPS))
        return OUTCOME_BAD_REPLY;
    if (target->addr.family && !resolver_may(visit->engine->resolver, &target->addr))
        return judge_lookup(&(struct lookup_result){LOOKUP_FORBIDDEN, {target->addr}, 0});
    return visit->redirects < visit->question.redirects ? OUTCOME_OK : OUTCOME_REDIRECTS;
}

/* Goes on with the page that this one redirects to, in the time that is left; status and text are expected of
 * the last one. False if it does not redirect, or if the answer is that it leads nowhere. */
static bool follow(struct visit *visit, struct answer *answer)
{
    const char *location = fetch_location(visit->easy);
    struct target target;
    if (!location || (answer->outcome != OUTCOME_OK && answer->outcome != OUTCOME_CONTENT))
        return false;
    bool is_target = !target_parse(location, strlen(location), &target, NULL);
    enum outcome outcome = judge_redirect(visit, &target, is_target);
    if (outcome != OUTCOME_OK) {
        answer->outcome = outcome;
        answer->stage = STAGE_REPLY;
        return false;
    }
    char *text = mem_copy(location);
    end_transfer(visit);
    free(visit->location);
    visit->location = text;
    visit->redirected = target;
    visit->target = &visit->redirected;
    visit->text = text;
    visit->redirects++;
    begin_page(visit);
    return true;
}

/* A connection that was refused or broken off; libcurl does not know our port of one that never stood. */
static void tell_reset(const struct visit *visit)
{
    long own_port = 0;
    curl_easy_getinfo(visit->easy, CURLINFO_LOCAL_PORT, &own_port);
    if (own_port <= 0)
        return;
    const struct connection connection = {visit->fetch.tried, visit->target->port,
                                          (uint16_t)own_port};
    reset_watch_tell(visit->engine->resets, &connection, visit->question.account,
                     stopwatch_elapsed_ns(&visit->watch));
}

static void finish_transfer(struct visit *visit, CURLcode code)
{
    struct answer answer = fetch_judge(&visit->fetch, visit->easy, code);
    fetch_tell(&visit->fetch, visit->easy, code);
    if (answer.outcome == OUTCOME_RESET || answer.outcome == OUTCOME_REFUSED)
        tell_reset(visit);
    if (visit->question.redirects && follow(visit, &answer))
        return;
    if (visit->location)
        answer.sent = visit->watch.sent;
    if (answer.outcome == OUTCOME_TIMEOUT)
        answer.outcome = judge_timeout(visit);
    if (answer.outcome == OUTCOME_SELF)
        answer.peer = (struct addr){0};
    if (answer.outcome == OUTCOME_TIMEOUT || outcome_class(answer.outcome) == OUTCOME_CLASS_OURS ||
        !agenda_vouches(visit->engine->agenda, visit->fetch.watch.started, answer.rtt_ns))
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
    visit->easy = transfers_open(engine->transfers);
    visit->fetch.before_ns = stopwatch_elapsed_ns(&visit->watch);
    stopwatch_start(&visit->fetch.watch);
    fetch_prepare(&visit->fetch, visit->easy, engine->user_agent, result);
    curl_easy_setopt(visit->easy, CURLOPT_TIMEOUT_MS, left_ms);
    curl_easy_setopt(visit->easy, CURLOPT_CONNECTTIMEOUT_MS, left_ms);
    curl_easy_setopt(visit->easy, CURLOPT_PRIVATE, visit);
    transfers_begin(engine->transfers, visit->easy);
}

static int compare_addrs(const void *a, const void *b)
{
    return addr_compare(a, b);
}

/* In an order of their own: name servers turn theirs with every answer. */
static void tell_addresses(const struct visit *visit, struct lookup_result result)
{
    int64_t elapsed_ns = stopwatch_elapsed_ns(&visit->fetch.watch);
    struct account *account = visit->question.account;
    char text[ADDR_TEXT_MAX];
    qsort(result.addrs, result.count, sizeof *result.addrs, compare_addrs);
    for (size_t i = 0; account && i < result.count; i++) {
        addr_format(&result.addrs[i], text);
        account_add(account, FACT_ADDRESSES, text, strlen(text));
        account_say(account, elapsed_ns, "* address %s", text);
    }
    if (result.count)
        account_reached(account, STAGE_RESOLVE, elapsed_ns);
}

static void on_looked_up(void *context, const struct lookup_result *found)
{
    struct visit *visit = context;
    struct lookup_result result = *found;
    visit->lookup = NULL;
    tell_addresses(visit, *found);
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

static void begin_page(struct visit *visit)
{
    struct http_engine *engine = visit->engine;
    const struct question *question = &visit->question;
    bool is_first = !visit->location;
    visit->fetch = (struct fetch){.target = visit->target,
                                  .text = visit->text,
                                  .expect_status = question->expect_status,
                                  .expect_text = mem_copy(question->expect_text),
                                  .account = question->account,
                                  .store = engine->store};
    stopwatch_start(&visit->fetch.watch);
    if (visit->target->addr.family) {
        transfer(visit, NULL);
        return;
    }
    if (question->address.family && is_first) {
        transfer(visit, &(struct lookup_result){.addrs = {question->address}, .count = 1});
        return;
    }
    char host[TARGET_TEXT_MAX];
    memcpy(host, visit->text + visit->target->host.at, visit->target->host.n);
    host[visit->target->host.n] = '\0';
    agenda_set(engine->agenda, &visit->lookup_timeout, visit->deadline);
    struct lookup *lookup = resolver_look_up(engine->resolver, host, on_looked_up, visit);
    if (lookup) /* else it is over already, and the visit may be too */
        visit->lookup = lookup;
}

static void begin(struct visit *visit)
{
    struct http_engine *engine = visit->engine;
    visit->next = engine->visits;
    visit->link = &engine->visits;
    if (visit->next)
        visit->next->link = &visit->next;
    engine->visits = visit;
    engine->under_way++;
    stopwatch_start(&visit->watch);
    visit->deadline = (struct mono){visit->watch.started.ns + visit->question.timeout_ns};
    begin_page(visit);
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
    visit->target = question->target;
    visit->text = question->text;
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
