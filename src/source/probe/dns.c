#include "source/probe/dns.h"

#include "base/mem.h"
#include "model/detail.h"
#include "source/dns/dns_exchange.h"
#include "sys/clock.h"
#include "sys/entropy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* RFC 6891, section 6.2.2: that a server does not understand is remembered for a brief time. */
#define PLAIN_FOR_NS NS_PER_HOUR
/* Its name is worth no more waiting. */
#define NAME_PATIENCE_NS NS_PER_S

/* What is known of a server's EDNS. */
enum edns { UNTRIED, WORKS, FAILS };

struct dns_memory {
    enum outcome last; /* NONE: it was not asked yet */
    enum edns edns;
    const char *fault; /* why it fails */
    unsigned silences; /* how often in a row it answered only without */
    struct mono failed;
};

/* One question under way. */
struct dns_run {
    struct dns_run *next, **link; /* in the engine's list */
    struct dns_engine *engine;
    struct question question;
    struct dns_memory *memory, forgotten; /* the target's, or for this question alone */
    struct stopwatch watch;
    struct utc first_sent;
    struct agenda_entry timer; /* ends the look-up; then asks without EDNS */
    struct lookup *lookup;
    struct dns_exchange *edns, *plain, *naming; /* with EDNS, without, for its name */
    struct addr server;
    const char *fault; /* what came when it was asked with EDNS; NULL: no stumbling */
    unsigned foreign;
    struct answer answer;
    char *about; /* "kp./SOA" */
};

struct dns_engine {
    struct agenda *agenda;
    struct resolver *resolver;
    struct dns_run *runs;
};

struct dns_engine *dns_new(struct agenda *agenda, struct resolver *resolver)
{
    struct dns_engine *engine = mem_new(1, sizeof *engine);
    engine->agenda = agenda;
    engine->resolver = resolver;
    return engine;
}

static void close_run(struct dns_run *run)
{
    agenda_drop(run->engine->agenda, &run->timer);
    lookup_abandon(run->lookup);
    dns_exchange_abandon(run->edns);
    dns_exchange_abandon(run->plain);
    dns_exchange_abandon(run->naming);
    *run->link = run->next;
    if (run->next)
        run->next->link = run->link;
    free(run->about);
    free(run);
}

void dns_free(struct dns_engine *engine)
{
    if (!engine)
        return;
    while (engine->runs)
        close_run(engine->runs);
    free(engine);
}

static void finish(struct dns_run *run)
{
    struct question question = run->question;
    struct answer answer = run->answer;
    run->memory->last = answer.outcome;
    if (run->foreign)
        account_number(question.account, FACT_FOREIGN_REPLIES, run->foreign);
    if (answer.outcome == OUTCOME_OK) {
        answer.stage = STAGE_DONE;
        account_reached(question.account, STAGE_DONE, stopwatch_elapsed_ns(&run->watch));
    }
    close_run(run);
    question.answered(question.context, &answer);
}

static void finish_unasked(struct dns_run *run, enum outcome outcome)
{
    run->answer =
        (struct answer){.sent = run->watch.sent, .outcome = outcome, .stage = STAGE_RESOLVE};
    finish(run);
}

static int64_t left_ns(const struct dns_run *run)
{
    return run->question.timeout_ns - stopwatch_elapsed_ns(&run->watch);
}

static struct dns_exchange *call(struct dns_run *run, const struct dns_query *query,
                                 const char *about, int64_t timeout_ns,
                                 void (*done)(void *, const struct dns_result *))
{
    return dns_exchange_new(run->engine->agenda,
                            &(struct dns_call){.query = *query,
                                               .server = run->server,
                                               .port = run->question.target->port,
                                               .by_tcp = run->question.target->is_tcp,
                                               .timeout_ns = timeout_ns > 0 ? timeout_ns : 1,
                                               .account = run->question.account,
                                               .watch = &run->watch,
                                               .about = about,
                                               .done = done,
                                               .context = run});
}

/* Who answered? */

static void on_name(void *context, const struct dns_result *result)
{
    struct dns_run *run = context;
    const char *text;
    size_t n;
    run->naming = NULL;
    run->foreign += result->foreign;
    if (result->reply && dns_reply_text(result->reply, &text, &n))
        account_text(run->question.account, FACT_HOSTNAME_BIND, text, n);
    finish(run);
}

/* Finishes, at once or when the server has said its name. */
static void finish_named(struct dns_run *run)
{
    static const char name[] = "hostname.bind.";
    struct dns_query query;
    int64_t left = left_ns(run);
    if (!run->question.account || !run->question.memory ||
        run->memory->last == run->answer.outcome || left <= 0 ||
        !dns_query_make(name, sizeof name - 1, "TXT", 3, DNS_CHAOS, (uint16_t)entropy_u64(),
                        &query))
        finish(run);
    else
        run->naming = call(run, &query, "CH hostname.bind./TXT",
                           left < NAME_PATIENCE_NS ? left : NAME_PATIENCE_NS, on_name);
}

/* EDNS. */

/* What a server makes of EDNS, if it stumbles; NULL if it does not. */
static const char *fault_of(const struct dns_result *result)
{
    if (result->answer.outcome == OUTCOME_BAD_REPLY)
        return "a reply that cannot be read";
    if (result->answer.outcome == OUTCOME_CLOSED)
        return "the connection was closed";
    if (!result->reply)
        return NULL;
    return dns_rejects_edns(result->reply) ? rcode_name(result->reply->rcode) : NULL;
}

static void learn_fault(struct dns_memory *memory, const char *fault)
{
    memory->edns = FAILS;
    memory->fault = fault;
    memory->failed = clock_mono();
}

/* A question ended: what does that say about EDNS? Silence may have been a loss: it takes two. */
static void learn_end(struct dns_run *run, const struct dns_result *result, bool was_plain)
{
    enum { SILENCES = 2 };
    struct dns_memory *memory = run->memory;
    bool is_understood = result->reply && !fault_of(result);
    if (is_understood && !was_plain) {
        memory->edns = WORKS;
        memory->silences = 0;
    } else if (is_understood && run->fault) {
        learn_fault(memory, run->fault);
    } else if (is_understood && run->edns && ++memory->silences >= SILENCES) {
        learn_fault(memory, "no answer");
    } else if (!result->reply && memory->edns == WORKS) {
        memory->edns = UNTRIED; /* something on the way may not let it through any more */
    }
    if (memory->edns == FAILS)
        account_text(run->question.account, FACT_EDNS_FAULT, memory->fault, strlen(memory->fault));
}

/* The question. */

static void judge_reply(struct dns_run *run, const struct dns_result *result)
{
    struct account *account = run->question.account;
    account_reached(account, STAGE_REPLY, stopwatch_elapsed_ns(&run->watch));
    account_number(account, FACT_IS_TRUNCATED, result->was_truncated);
    dns_reply_tell(result->reply, account);
    run->answer.value = result->reply->serial;
    run->answer.outcome = dns_outcome(result->reply);
    run->answer.stage = STAGE_REPLY;
}

static void take_result(struct dns_run *run, const struct dns_result *result, bool was_plain)
{
    agenda_drop(run->engine->agenda, &run->timer);
    learn_end(run, result, was_plain);
    dns_exchange_abandon(run->edns);
    dns_exchange_abandon(run->plain);
    run->edns = run->plain = NULL;
    run->answer = result->answer;
    if (!result->reply) {
        run->answer.sent = run->first_sent;
        finish(run);
        return;
    }
    judge_reply(run, result);
    finish_named(run);
}

static void ask_plainly(struct dns_run *run);

static void on_edns(void *context, const struct dns_result *result)
{
    struct dns_run *run = context;
    run->edns = NULL;
    run->foreign += result->foreign;
    run->first_sent = result->answer.sent;
    run->fault = fault_of(result);
    if (run->fault && !run->plain && left_ns(run) > 0)
        ask_plainly(run);
    else if (!run->plain || (result->reply && !run->fault))
        take_result(run, result, false);
}

static void on_plain(void *context, const struct dns_result *result)
{
    struct dns_run *run = context;
    run->plain = NULL;
    run->foreign += result->foreign;
    if (!utc_is_known(run->first_sent))
        run->first_sent = result->answer.sent;
    if (!run->edns || result->reply)
        take_result(run, result, true);
}

static bool make_query(const struct target *target, const char *text, unsigned flags,
                       struct dns_query *out)
{
    return dns_query_make(text + target->name.at, target->name.n, text + target->type.at,
                          target->type.n, flags, (uint16_t)entropy_u64(), out);
}

/* Recursion is asked for, as everybody does: a resolver then answers, and one that holds the zone
 * does not mind. */
static struct dns_exchange *ask(struct dns_run *run, unsigned flags,
                                void (*done)(void *, const struct dns_result *))
{
    struct dns_query query;
    bool can_be_asked =
        make_query(run->question.target, run->question.text, DNS_RECURSE | flags, &query);
    assert(can_be_asked);
    (void)can_be_asked;
    return call(run, &query, run->about, left_ns(run), done);
}

static void ask_plainly(struct dns_run *run)
{
    if (run->fault || run->edns)
        account_say(run->question.account, stopwatch_elapsed_ns(&run->watch),
                    "* with EDNS: %s; once more without",
                    run->fault ? run->fault : "no answer yet");
    run->plain = ask(run, 0, on_plain);
}

static void on_patience(void *context)
{
    ask_plainly(context);
}

/* While it is not known whether EDNS works, a server that is silent for half of the time is asked without
 * too. */
static void begin(struct dns_run *run, const struct addr *server)
{
    struct dns_memory *memory = run->memory;
    run->server = *server;
    if (memory->edns == FAILS && mono_diff(clock_mono(), memory->failed) > PLAIN_FOR_NS)
        *memory = (struct dns_memory){.last = memory->last};
    if (memory->edns == FAILS) {
        ask_plainly(run);
        return;
    }
    run->edns = ask(run, DNS_EDNS, on_edns);
    run->timer.fire = on_patience;
    if (memory->edns == UNTRIED && !run->question.target->is_tcp)
        agenda_set(run->engine->agenda, &run->timer,
                   (struct mono){clock_mono().ns + left_ns(run) / 2});
}

/* The server's name. */

/* It is our own resolver that does not answer. */
static void on_timeout(void *context)
{
    finish_unasked(context, OUTCOME_SELF);
}

static void on_looked_up(void *context, const struct lookup_result *found)
{
    struct dns_run *run = context;
    struct lookup_result result = *found;
    run->lookup = NULL;
    agenda_drop(run->engine->agenda, &run->timer);
    account_reached(run->question.account, STAGE_RESOLVE, stopwatch_elapsed_ns(&run->watch));
    judge_narrow(&result, run->question.family);
    if (result.count)
        begin(run, &result.addrs[0]);
    else
        finish_unasked(run, judge_lookup(&result));
}

static void look_up_server(struct dns_run *run)
{
    char host[DNS_NAME_TEXT];
    struct part part = run->question.target->host;
    if (part.n >= sizeof host) { /* no name is that long */
        finish_unasked(run, OUTCOME_NAME_ERROR);
        return;
    }
    memcpy(host, run->question.text + part.at, part.n);
    host[part.n] = '\0';
    agenda_set(run->engine->agenda, &run->timer,
               (struct mono){run->watch.started.ns + run->question.timeout_ns});
    struct lookup *lookup = resolver_look_up(run->engine->resolver, host, on_looked_up, run);
    if (lookup) /* else it is over already, and the run may be too */
        run->lookup = lookup;
}

bool dns_can_ask(const struct target *target, const char *text)
{
    struct dns_query query;
    return make_query(target, text, 0, &query);
}

static struct dns_memory *recall(struct dns_run *run)
{
    struct probe_memory *memory = run->question.memory;
    if (!memory)
        return &run->forgotten;
    if (!memory->state)
        *memory = (struct probe_memory){mem_new(1, sizeof(struct dns_memory)), free};
    return memory->state;
}

void dns_ask(struct dns_engine *engine, const struct question *question)
{
    struct dns_run *run = mem_new(1, sizeof *run);
    const struct target *target = question->target;
    const struct addr *server = question->address.family ? &question->address : &target->addr;
    *run = (struct dns_run){
        .next = engine->runs, .link = &engine->runs, .engine = engine, .question = *question};
    if (run->next)
        run->next->link = &run->next;
    engine->runs = run;
    run->memory = recall(run);
    run->about = mem_copy(question->text + target->name.at); /* to the end: NAME/TYPE */
    run->timer = (struct agenda_entry){.fire = on_timeout, .context = run};
    stopwatch_start(&run->watch);
    if (server->family)
        begin(run, server);
    else
        look_up_server(run);
}
