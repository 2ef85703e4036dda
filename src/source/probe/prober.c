#include "source/probe/prober_inside.h"

#include "base/hash.h"
#include "base/mem.h"
#include "source/probe/dns.h"
#include "source/probe/fan.h"
#include "source/probe/http.h"
#include "source/probe/own.h"
#include "source/probe/ping.h"
#include "source/probe/smtp.h"
#include "source/probe/tcp.h"
#include "source/probe/trace.h"
#include "source/zone/zone.h"
#include "sys/clock.h"
#include "sys/resolver.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)PROBER_CLOCKS_MAX == (int)OWN_CLOCKS_MAX, "no server is left out");

void prober_check_drained(void *context)
{
    struct prober *prober = context;
    if (!prober->is_draining || prober->outstanding || !prober->drained)
        return;
    void (*drained)(void *) = prober->drained;
    prober->drained = NULL;
    drained(prober->drained_context);
}

static void ask_engine(void *context, const struct question *question)
{
    struct prober *prober = context;
    switch ((enum target_kind)question->target->kind) {
    case TARGET_ICMP:
        pinger_ask(prober->pinger, question);
        return;
    case TARGET_TCP:
        tcp_ask(prober->tcp, question);
        return;
    case TARGET_DNS:
        dns_ask(prober->dns, question);
        return;
    case TARGET_ZONE:
        zone_ask(prober->zone, question);
        return;
    case TARGET_TLS:
    case TARGET_HTTP:
    case TARGET_HTTPS:
        http_ask(prober->http, question);
        return;
    case TARGET_SMTP:
        smtp_ask(prober->smtp, question);
        return;
    case TARGET_TRACE:
        trace_ask(prober->trace, question);
        return;
    case TARGET_SELF:
        own_ask(prober->own, question);
        return;
    case TARGET_BLOCK:
    case TARGET_KIND_COUNT:
        break;
    }
    assert(false); /* prober_set_plan() lets through only what prober_can() */
}

const char *asked_text(const struct asked *asked)
{
    return registry_text(asked->prober->sink.registry, asked->id);
}

struct mono asked_due(const struct asked *asked)
{
    return asked->turn.at.due;
}

void asked_ask(struct asked *asked, struct mono due, int64_t late_ns, uint32_t sake)
{
    static const struct wishes none;
    struct prober *prober = asked->prober;
    const struct wishes *wishes = asked->wishes ? asked->wishes : &none;
    struct question question = {
        .target = asked->target,
        .text = asked_text(asked),
        .due = due,
        .family = wishes->family,
        .redirects = wishes->redirects,
        .timeout_ns = asked->timeout_ns,
        .expect_status = wishes->expect_status,
        .expect_text = wishes->expect_text,
        .zone = wishes->zone,
        .manners = &prober->manners,
    };
    asked->last = clock_mono();
    results_expect(asked, &question, late_ns, sake);
    bool is_host = !asked->target->addr.family && asked->target->kind != TARGET_ZONE &&
                   asked->target->kind != TARGET_SELF;
    if (wishes->all_addresses && is_host)
        fan_ask(prober->fan, &question, ask_engine, prober);
    else
        ask_engine(prober, &question);
}

int64_t asked_manners_wait(const struct asked *asked, struct mono now)
{
    struct manners *manners = asked->prober->manners;
    const struct target *target = asked->target;
    if (target->kind == TARGET_SELF) /* how else would we know that we are too busy? */
        return 0;
    uint64_t neighbourhood =
        target->addr.family
            ? manners_neighbourhood(&target->addr)
            : manners_neighbourhood_of_name(asked_text(asked) + target->host.at, target->host.n);
    return manners ? manners_wait_ns(manners, neighbourhood, now) : 0;
}

/* A quarter of the step is left to chance, half of it to either side: what happens regularly would
 * else be met always or never. (RFC 4271, section 10, has timers vary by as much.) */
static int64_t varied_step_ns(const struct asked *asked, struct mono due)
{
    const struct prober *prober = asked->prober;
    uint64_t chance = hash_mix(hash_mix(prober->seed ^ asked->id) ^ (uint64_t)due.ns);
    int64_t part_ns = asked->step_ns / 4;
    if (prober->at_once)
        return asked->step_ns;
    return asked->step_ns - part_ns / 2 + (int64_t)(chance % (uint64_t)part_ns);
}

/* The time table is kept to: a late turn does not move those after it, and turns that were missed
 * altogether are left out, not made up for in a burst. Only politeness moves it. */
void asked_on_turn(void *context)
{
    struct asked *asked = context;
    struct prober *prober = asked->prober;
    struct mono now = clock_mono();
    int64_t wait_ns = asked_manners_wait(asked, now);
    if (wait_ns) {
        prober->counters.held++;
        agenda_set(prober->agenda, &asked->turn, (struct mono){now.ns + wait_ns});
        return;
    }
    struct mono due = asked_due(asked).ns ? asked_due(asked) : now, next = due;
    int64_t late_ns = mono_diff(now, due);
    int64_t missed = late_ns > 0 ? late_ns / asked->step_ns : 0;
    prober->counters.missed += (uint64_t)missed;
    next.ns += missed * asked->step_ns + varied_step_ns(asked, due);
    agenda_set(prober->agenda, &asked->turn, next);
    asked_ask(asked, due, late_ns, 0);
}

static bool may_ask(void *context, const struct addr *addr)
{
    const struct prober *prober = context;
    return !prober->options || manners_judge(prober->options, addr, false) == MANNERS_MAY;
}

/* Our own gateway and resolvers, and the NTP servers that somebody named. */
static bool may_ask_own(void *context, const struct addr *addr)
{
    const struct prober *prober = context;
    return !prober->options || manners_judge(prober->options, addr, true) != MANNERS_EXCLUDED;
}

static struct own_load own_load(void *context)
{
    struct prober_counters counters = prober_counters(context);
    return (struct own_load){.asked = counters.asked,
                             .late = counters.sent_late,
                             .missed = counters.missed,
                             .dropped = counters.echo_overflow};
}

/* A check is made now, and then in its turn again. */
static void on_own_change(void *context, enum own_check check)
{
    struct prober *prober = context;
    for (size_t i = 0; i < prober->count && !prober->is_draining; i++) {
        struct asked *asked = prober->plan[i];
        if (asked->target->kind == TARGET_SELF && asked->target->check == check)
            agenda_set_now(prober->agenda, &asked->turn);
    }
}

void prober_set_clocks(struct prober *prober, const char *const *servers, size_t count)
{
    own_set_clocks(prober->own, servers, count);
}

void prober_set_manners(struct prober *prober, const struct manners_options *options)
{
    manners_free(prober->manners);
    prober->options = options;
    prober->manners = options ? manners_new(options) : NULL;
    prober->budget.rate = options ? options->follow_rate : 0;
}

struct manners *prober_manners(const struct prober *prober)
{
    return prober->manners;
}

struct pinger *prober_pinger(const struct prober *prober)
{
    return prober->pinger;
}

struct prober *prober_new(struct loop *loop, const struct prober_options *options,
                          const struct sink *sink, struct why *why)
{
    struct probe_sockets own = {0}, *sockets = options->sockets ? options->sockets : &own;
    const char *agent = options->user_agent ? options->user_agent : "lastlight/" LASTLIGHT_VERSION;
    if (sockets == &own)
        probe_sockets_open(sockets);
    if (why)
        *why = sockets->no_ping;
    struct prober *prober = mem_new(1, sizeof *prober);
    prober->sink = *sink;
    prober->seed = options->seed;
    prober->at_once = options->at_once;
    prober->tell = options->tell;
    prober->tell_context = options->tell_context;
    prober->vantage =
        registry_intern(sink->registry, NAME_VANTAGE, options->vantage, strlen(options->vantage));
    prober->agenda = agenda_new(loop);
    prober->drain_check = (struct agenda_entry){.fire = prober_check_drained, .context = prober};
    prober->resolver = resolver_new(loop);
    resolver_set_filter(prober->resolver, may_ask, prober);
    prober_set_manners(prober, options->manners);
    prober->can_ping = !sockets->no_ping.err;
    prober->pinger = pinger_new(prober->agenda, agent, sockets->icmp);
    prober->resets = reset_watch_new(loop, sockets->taps);
    prober->tcp = tcp_new(prober->agenda, prober->pinger, prober->resets);
    prober->trace = trace_new(prober->agenda, prober->pinger, prober->tcp, &options->origins);
    prober->dns = dns_new(prober->agenda, prober->resolver);
    prober->fan = fan_new(prober->agenda, prober->resolver);
    prober->store = tls_store_new();
    prober->smtp = smtp_new(prober->agenda, prober->resolver, prober->store, prober->resets);
    prober->zone = zone_new(prober->agenda, prober->resolver);
    prober->http = http_new(prober->agenda, prober->resolver, prober->store, prober->resets, agent);
    prober->own = own_new(&(struct own_options){.agenda = prober->agenda,
                                                .resolver = prober->resolver,
                                                .pinger = prober->pinger,
                                                .may = may_ask_own,
                                                .load = own_load,
                                                .changed = on_own_change,
                                                .context = prober});
    *sockets = (struct probe_sockets){0};
    return prober;
}

void prober_drain(struct prober *prober, void (*done)(void *context), void *context)
{
    prober->is_draining = true;
    prober->drained = done;
    prober->drained_context = context;
    for (size_t i = 0; i < prober->count; i++) {
        follow_leave(prober->plan[i]);
        agenda_drop(prober->agenda, &prober->plan[i]->turn);
    }
    agenda_set_now(prober->agenda, &prober->drain_check);
}

void prober_free(struct prober *prober)
{
    if (!prober)
        return;
    own_free(prober->own);
    pinger_free(prober->pinger);
    trace_free(prober->trace);
    tcp_free(prober->tcp);
    dns_free(prober->dns);
    zone_free(prober->zone);
    http_free(prober->http);
    smtp_free(prober->smtp);
    tls_store_free(prober->store);
    reset_watch_free(prober->resets);
    fan_free(prober->fan);
    resolver_free(prober->resolver);
    manners_free(prober->manners);
    while (prober->inquiries)
        inquiry_free(prober->inquiries);
    for (size_t i = 0; i < prober->count; i++)
        asked_free(prober->plan[i]);
    while (prober->retired_count)
        asked_free(prober->retired[0]);
    follow_done(prober);
    free(prober->plan);
    free(prober->retired);
    agenda_drop(prober->agenda, &prober->drain_check);
    agenda_free(prober->agenda);
    free(prober);
}

struct prober_counters prober_counters(const struct prober *prober)
{
    struct prober_counters counters = prober->counters;
    struct ping_counters echo = pinger_counters(prober->pinger);
    struct http_counters http = http_counters(prober->http);
    counters.echo_late = echo.late;
    counters.echo_duplicate = echo.duplicate;
    counters.echo_foreign = echo.foreign;
    counters.echo_bad = echo.bad;
    counters.echo_overflow = echo.overflow;
    counters.late_p99_ns = lateness_all_but(&prober->lateness, 0.01);
    counters.late_worst_ns = prober->lateness.worst_ns;
    counters.http_queued = http.queued;
    counters.http_refused = http.refused;
    return counters;
}
