#include "source/probe/http.h"

#include "base/mem.h"
#include "source/probe/http_fetch.h"
#include "sys/clock.h"
#include "sys/route.h"

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
    CURLM *multi;
    struct agenda_entry timer; /* libcurl's */
    struct visit *visits;
    size_t under_way;
    struct visit *queue, **queue_end;
    struct agenda_entry refill; /* begins queued visits, when others have made room */
    size_t queued;
    struct http_counters counters;
};

/* A socket of libcurl. */
struct tap {
    struct http_engine *engine;
    struct loop_fd *watcher;
    curl_socket_t fd;
};

static void collect(struct http_engine *engine);
static void begin_queued(void *context);

static void must(CURLMcode code)
{
    assert(code == CURLM_OK);
    (void)code;
}

static void on_ready(void *context, int events)
{
    struct tap *tap = context;
    struct http_engine *engine = tap->engine;
    int running;
    int told =
        (events & LOOP_READ ? CURL_CSELECT_IN : 0) | (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(engine->multi, tap->fd, told, &running);
    collect(engine);
}

static void on_timer(void *context)
{
    struct http_engine *engine = context;
    int running;
    curl_multi_socket_action(engine->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(engine);
}

static int on_timer_wish(CURLM *multi, long timeout_ms, void *context)
{
    struct http_engine *engine = context;
    (void)multi;
    if (timeout_ms < 0)
        agenda_drop(engine->agenda, &engine->timer);
    else
        agenda_set(engine->agenda, &engine->timer,
                   (struct mono){clock_mono().ns + timeout_ms * NS_PER_MS});
    return 0;
}

static int on_socket_wish(CURL *easy, curl_socket_t fd, int what, void *context, void *of_socket)
{
    struct http_engine *engine = context;
    struct tap *tap = of_socket;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (tap)
            loop_fd_free(tap->watcher);
        free(tap);
        curl_multi_assign(engine->multi, fd, NULL);
        return 0;
    }
    if (!tap) {
        tap = mem_new(1, sizeof *tap);
        *tap = (struct tap){.engine = engine, .fd = fd};
        tap->watcher = loop_fd_new(agenda_loop(engine->agenda), fd, on_ready, tap);
        curl_multi_assign(engine->multi, fd, tap);
    }
    loop_fd_want(tap->watcher,
                 (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0));
    return 0;
}

struct http_engine *http_new(struct agenda *agenda, struct resolver *resolver,
                             const char *user_agent)
{
    struct http_engine *engine = mem_new(1, sizeof *engine);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    engine->agenda = agenda;
    engine->resolver = resolver;
    engine->store = tls_store_new();
    engine->user_agent = strdup(user_agent);
    engine->queue_end = &engine->queue;
    engine->timer = (struct agenda_entry){.fire = on_timer, .context = engine};
    engine->refill = (struct agenda_entry){.fire = begin_queued, .context = engine};
    engine->multi = curl_multi_init();
    assert(engine->multi && engine->user_agent);
    must(curl_multi_setopt(engine->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wish));
    must(curl_multi_setopt(engine->multi, CURLMOPT_SOCKETDATA, engine));
    must(curl_multi_setopt(engine->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish));
    must(curl_multi_setopt(engine->multi, CURLMOPT_TIMERDATA, engine));
    return engine;
}

/* Ends a visit under way, without an answer. */
static void close_visit(struct visit *visit)
{
    struct http_engine *engine = visit->engine;
    agenda_drop(engine->agenda, &visit->lookup_timeout);
    lookup_abandon(visit->lookup);
    if (visit->easy) {
        curl_multi_remove_handle(engine->multi, visit->easy);
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
    curl_multi_cleanup(engine->multi);
    agenda_drop(engine->agenda, &engine->timer);
    agenda_drop(engine->agenda, &engine->refill);
    tls_store_free(engine->store);
    free(engine->user_agent);
    free(engine);
    curl_global_cleanup();
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

/* Takes what libcurl has finished. */
static void collect(struct http_engine *engine)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(engine->multi, &left))) {
        struct visit *visit = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&visit);
        finish_transfer(visit, code);
    }
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
    must(curl_multi_add_handle(engine->multi, visit->easy));
}

/* Leaves out addresses that we have no way to: libcurl would tell of the last that it tried. */
static void keep_reachable(struct lookup_result *result)
{
    size_t kept = 0;
    for (size_t i = 0; i < result->count; i++)
        if (route_to(&result->addrs[i]) != ROUTE_NONE)
            result->addrs[kept++] = result->addrs[i];
    result->count = kept;
}

static void on_looked_up(void *context, const struct lookup_result *found)
{
    struct visit *visit = context;
    struct lookup_result result = *found;
    visit->lookup = NULL;
    switch (result.status) {
    case LOOKUP_OK:
        keep_reachable(&result);
        if (result.count)
            transfer(visit, &result);
        else
            finish_lookup(visit, OUTCOME_SELF);
        return;
    case LOOKUP_NO_NAME:
        finish_lookup(visit, OUTCOME_NAME_ERROR);
        return;
    case LOOKUP_NO_ADDRESS:
        finish_lookup(visit, OUTCOME_NO_ADDRESS);
        return;
    case LOOKUP_SERVER_FAILURE:
        finish_lookup(visit, OUTCOME_SERVER_FAILURE);
        return;
    case LOOKUP_OURS:
        break;
    }
    finish_lookup(visit, OUTCOME_SELF);
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
