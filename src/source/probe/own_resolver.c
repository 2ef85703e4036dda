#include "source/probe/own_parts.h"

#include "base/mem.h"
#include "source/dns/dns_exchange.h"
#include "sys/clock.h"
#include "sys/entropy.h"

#include <stdio.h>
#include <stdlib.h>

enum { SERVERS_MAX = 3 /* MAXNS, resolv.conf(5) */ };
enum { NO_ERROR = 0, NAME_ERROR = 3 };

struct server {
    struct own_resolver *resolver;
    struct resolver_server at;
    struct dns_exchange *exchange;
    bool answers;
};

struct own_resolver {
    struct own_options options;
    struct question question;
    struct stopwatch watch;
    struct server servers[SERVERS_MAX];
    size_t count, waiting;
    int64_t first_ns; /* until the first answer; 0: none yet */
    bool is_busy;
};

struct own_resolver *own_resolver_new(const struct own_options *options)
{
    struct own_resolver *resolver = mem_new(1, sizeof *resolver);
    resolver->options = *options;
    return resolver;
}

void own_resolver_free(struct own_resolver *resolver)
{
    if (!resolver)
        return;
    for (size_t i = 0; i < resolver->count; i++)
        dns_exchange_abandon(resolver->servers[i].exchange);
    free(resolver);
}

static void tell_server(struct account *account, const struct server *server)
{
    char text[ADDR_TEXT_MAX + 24], addr[ADDR_TEXT_MAX];
    int n = snprintf(text, sizeof text, "%s %s", addr_format(&server->at.addr, addr),
                     server->answers ? "answers" : "does not answer");
    account_add(account, FACT_OWN_RESOLVERS, text, (size_t)n);
}

static void finish(struct own_resolver *resolver)
{
    struct question question = resolver->question;
    struct answer answer = {.sent = resolver->watch.sent, .rtt_ns = resolver->first_ns};
    size_t good = 0;
    for (size_t i = 0; i < resolver->count; i++) {
        tell_server(question.account, &resolver->servers[i]);
        good += resolver->servers[i].answers;
    }
    answer.outcome = !resolver->count         ? OUTCOME_NONE
                     : !good                  ? OUTCOME_SELF
                     : good < resolver->count ? OUTCOME_DEGRADED
                                              : OUTCOME_OK;
    answer.stage = good ? STAGE_DONE : STAGE_REPLY;
    resolver->is_busy = false;
    question.answered(question.context, &answer);
}

/* That it answers is what counts: the root's name servers are known to every resolver that reaches anything. */
static void on_reply(void *context, const struct dns_result *result)
{
    struct server *server = context;
    struct own_resolver *resolver = server->resolver;
    const struct dns_reply *reply = result->reply;
    server->exchange = NULL;
    server->answers = reply && (reply->rcode == NO_ERROR || reply->rcode == NAME_ERROR);
    if (server->answers && !resolver->first_ns)
        resolver->first_ns = stopwatch_elapsed_ns(&resolver->watch);
    if (--resolver->waiting == 0)
        finish(resolver);
}

static void ask_server(struct own_resolver *resolver, const struct resolver_server *at)
{
    struct server *server = &resolver->servers[resolver->count++];
    *server = (struct server){.resolver = resolver, .at = *at};
    struct dns_call call = {.server = at->addr,
                            .port = at->port,
                            .timeout_ns = resolver->question.timeout_ns,
                            .account = resolver->question.account,
                            .watch = &resolver->watch,
                            .about = "./NS",
                            .done = on_reply,
                            .context = server};
    dns_query_make(".", 1, "NS", 2, DNS_RECURSE, (uint16_t)entropy_u64(), &call.query);
    server->exchange = dns_exchange_new(resolver->options.agenda, &call);
    resolver->waiting++;
}

void own_resolver_ask(struct own_resolver *resolver, const struct question *question)
{
    struct resolver_server servers[SERVERS_MAX];
    if (resolver->is_busy) {
        question->answered(question->context, &(struct answer){.sent = clock_utc()});
        return;
    }
    resolver->is_busy = true;
    resolver->question = *question;
    resolver->count = resolver->waiting = 0;
    resolver->first_ns = 0;
    stopwatch_start(&resolver->watch);
    size_t count = resolver_servers(resolver->options.resolver, servers, SERVERS_MAX);
    for (size_t i = 0; i < count; i++)
        if (resolver->options.may(resolver->options.context, &servers[i].addr))
            ask_server(resolver, &servers[i]);
    if (!resolver->waiting)
        finish(resolver);
}
