#include "source/probe/prober.h"

#include "base/hash.h"
#include "base/mem.h"
#include "source/probe/agenda.h"
#include "source/probe/dns.h"
#include "source/probe/fact_memory.h"
#include "source/probe/fan.h"
#include "source/probe/http.h"
#include "source/probe/lateness.h"
#include "source/probe/own.h"
#include "source/probe/ping.h"
#include "source/probe/smtp.h"
#include "source/probe/tcp.h"
#include "source/probe/trace.h"
#include "source/probe/zone.h"
#include "sys/clock.h"
#include "sys/resolver.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)PROBER_CLOCKS_MAX == (int)OWN_CLOCKS_MAX, "no server is left out");

/* A target of the plan, asked again and again. After it has left the plan it stays until its last
 * answer. */
struct asked {
    struct prober *prober;
    const char *text; /* of the registry, as is the target */
    const struct target *target;
    int64_t timeout_ns;
    int64_t step_ns;   /* between two questions: the interval, divided by the echoes a round */
    char *expect_text; /* NULL: nothing in particular */
    struct mono due;   /* the next question */
    struct zone_settings *zone; /* NULL: none */
    struct agenda_entry turn;
    struct fact_memory *facts;  /* NULL: none were met yet */
    struct probe_memory memory; /* of its engine */
    struct asked *next, **link; /* in the list of those retired */
    uint32_t id;                /* in the registry */
    uint32_t own_peer;          /* what its address is there; 0: it was not met yet */
    unsigned outstanding;
    int16_t expect_status;
    uint8_t redirects;
    uint8_t family;
    bool all_addresses;
    bool is_retired;
};

/* One question under way of which an account is kept. */
struct inquiry {
    struct asked *asked;
    struct account *account;
    int64_t late_ns;              /* when it was asked */
    struct inquiry *next, **link; /* in the prober's list */
};

struct prober {
    struct sink sink;
    uint32_t vantage;
    uint64_t seed;
    bool at_once;
    struct agenda *agenda;
    const struct manners_options *options; /* NULL: none */
    struct manners *manners;               /* NULL if there are no options */
    struct resolver *resolver;
    struct pinger *pinger;
    struct reset_watch *resets;
    struct tcp_engine *tcp;
    struct dns_engine *dns;
    struct tls_store *store;
    struct http_engine *http;
    struct smtp_engine *smtp;
    struct trace_engine *trace;
    struct fan_engine *fan;
    struct zone_engine *zone;
    struct own_engine *own;
    struct asked **plan; /* in order of their numbers */
    size_t count;
    struct asked *retired;
    struct inquiry *inquiries;
    void (*tell)(void *context, const struct observation *result, const struct account *account);
    void *tell_context;
    uint64_t outstanding; /* of the plan and of those retired */
    struct prober_counters counters;
    struct lateness lateness;
    bool is_draining;
    void (*drained)(void *context);
    void *drained_context;
    struct agenda_entry drain_check;
};

static void free_asked(struct asked *asked)
{
    agenda_drop(asked->prober->agenda, &asked->turn);
    if (asked->link)
        *asked->link = asked->next;
    if (asked->next)
        asked->next->link = asked->link;
    free(asked->expect_text);
    zone_settings_free(asked->zone);
    free(asked->facts);
    if (asked->memory.state)
        asked->memory.release(asked->memory.state);
    free(asked);
}

static void free_inquiry(struct inquiry *inquiry)
{
    *inquiry->link = inquiry->next;
    if (inquiry->next)
        inquiry->next->link = inquiry->link;
    account_free(inquiry->account);
    free(inquiry);
}

/* Asking and answering. */

static void check_drained(void *context)
{
    struct prober *prober = context;
    if (!prober->is_draining || prober->outstanding || !prober->drained)
        return;
    void (*drained)(void *) = prober->drained;
    prober->drained = NULL;
    drained(prober->drained_context);
}

static uint32_t intern_peer(const struct prober *prober, const struct addr *peer)
{
    char text[ADDR_TEXT_MAX];
    addr_format(peer, text);
    return registry_intern(prober->sink.registry, NAME_ADDRESS, text, strlen(text));
}

/* Nearly always it is the target itself that replied. */
static uint32_t peer_of(struct asked *asked, const struct addr *peer)
{
    if (!peer->family)
        return 0;
    if (addr_compare(peer, &asked->target->addr) != 0)
        return intern_peer(asked->prober, peer);
    if (!asked->own_peer)
        asked->own_peer = intern_peer(asked->prober, peer);
    return asked->own_peer;
}

/* Silence on what we asked too late, since we stood still, is ours; whoever answered has answered. */
static enum outcome outcome_of(const struct answer *answer, int64_t late_ns)
{
    bool is_ours = answer->outcome == OUTCOME_TIMEOUT && late_ns > AGENDA_STALL_NS;
    return is_ours ? OUTCOME_LATE : answer->outcome;
}

static struct observation observation_of(struct asked *asked, const struct answer *answer,
                                         int64_t late_ns)
{
    return (struct observation){
        .time = answer->sent,
        .rtt_ns = answer->rtt_ns,
        .value = answer->value,
        .source = asked->prober->vantage,
        .target = asked->id,
        .peer = peer_of(asked, &answer->peer),
        .code = answer->code,
        .kind = OBSERVATION_PROBE,
        .outcome = (uint8_t)outcome_of(answer, late_ns),
        .stage = (uint8_t)answer->stage,
    };
}

/* The asked may be freed here. */
static void take(struct asked *asked, const struct observation *observation, int64_t late_ns)
{
    struct prober *prober = asked->prober;
    lateness_add(&prober->lateness, late_ns);
    prober->counters.sent_late += late_ns > AGENDA_STALL_NS;
    prober->counters.answered++;
    prober->outstanding--;
    asked->outstanding--;
    if (asked->is_retired && !asked->outstanding)
        free_asked(asked);
    if (observation->source && observation->target)
        sink_emit(&prober->sink, observation);
    else
        prober->counters.unnamed++;
    if (prober->is_draining)
        agenda_set_now(prober->agenda, &prober->drain_check);
}

static void on_answer(void *context, const struct answer *answer)
{
    struct asked *asked = context;
    struct observation observation = observation_of(asked, answer, answer->late_ns);
    if (answer->outcome == OUTCOME_OK) /* only echoes are answered without an account */
        reset_watch_note(asked->prober->resets, &answer->peer, (int)answer->value);
    take(asked, &observation, answer->late_ns);
}

/* The number of the text of the facts that are kept; 0 if there are none. */
static uint32_t keep_facts(struct asked *asked, const struct account *account)
{
    struct buffer text = {0};
    uint32_t id = 0;
    if (!asked->facts) {
        asked->facts = mem_new(1, sizeof *asked->facts);
        fact_memory_init(asked->facts, clock_mono());
    }
    fact_memory_keep(asked->facts, account, clock_mono(), &text);
    if (text.size)
        id = registry_intern(asked->prober->sink.registry, NAME_TEXT, text.bytes, text.size);
    buffer_done(&text);
    return id;
}

static void on_account(void *context, const struct answer *answer)
{
    struct inquiry *inquiry = context;
    struct asked *asked = inquiry->asked;
    struct prober *prober = asked->prober;
    int64_t late_ns = answer->late_ns > inquiry->late_ns ? answer->late_ns : inquiry->late_ns;
    struct observation observation = observation_of(asked, answer, late_ns);
    observation.extra = keep_facts(asked, inquiry->account);
    if (prober->tell)
        prober->tell(prober->tell_context, &observation, inquiry->account);
    free_inquiry(inquiry);
    take(asked, &observation, late_ns);
}

static struct inquiry *new_inquiry(struct asked *asked, int64_t late_ns)
{
    struct prober *prober = asked->prober;
    struct inquiry *inquiry = mem_new(1, sizeof *inquiry);
    *inquiry = (struct inquiry){.asked = asked,
                                .account = account_new(prober->tell != NULL),
                                .late_ns = late_ns,
                                .next = prober->inquiries,
                                .link = &prober->inquiries};
    if (inquiry->next)
        inquiry->next->link = &inquiry->next;
    prober->inquiries = inquiry;
    return inquiry;
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
    case TARGET_KIND_COUNT:
        break;
    }
    assert(false); /* prober_set_plan() lets through only what prober_can() */
}

static void ask(struct asked *asked, struct mono due, int64_t late_ns)
{
    struct prober *prober = asked->prober;
    struct question question = {
        .target = asked->target,
        .text = asked->text,
        .due = due,
        .family = asked->family,
        .redirects = asked->redirects,
        .timeout_ns = asked->timeout_ns,
        .expect_status = asked->expect_status,
        .expect_text = asked->expect_text,
        .zone = asked->zone,
        .memory = &asked->memory,
        .answered = on_answer,
        .context = asked,
    };
    /* Echoes are many, and there is nothing to tell of them that their answer does not. */
    if (asked->target->kind != TARGET_ICMP || prober->tell) {
        struct inquiry *inquiry = new_inquiry(asked, late_ns);
        question.account = inquiry->account;
        question.answered = on_account;
        question.context = inquiry;
    }
    prober->counters.asked++;
    prober->outstanding++;
    asked->outstanding++;
    bool is_host = !asked->target->addr.family && asked->target->kind != TARGET_ZONE &&
                   asked->target->kind != TARGET_SELF;
    if (asked->all_addresses && is_host)
        fan_ask(prober->fan, &question, ask_engine, prober);
    else
        ask_engine(prober, &question);
}

/* How long the target has to wait so that we are not rude. */
static int64_t manners_wait(const struct asked *asked, struct mono now)
{
    struct manners *manners = asked->prober->manners;
    const struct target *target = asked->target;
    if (target->kind == TARGET_SELF) /* how else would we know that we are too busy? */
        return 0;
    uint64_t neighbourhood =
        target->addr.family
            ? manners_neighbourhood(&target->addr)
            : manners_neighbourhood_of_name(asked->text + target->host.at, target->host.n);
    return manners ? manners_wait_ns(manners, neighbourhood, now) : 0;
}

/* A quarter of the step is left to chance, half of it to either side: what happens regularly would
 * else be met always or never. (RFC 4271, section 10, has timers vary by as much.) */
static int64_t varied_step_ns(const struct asked *asked)
{
    const struct prober *prober = asked->prober;
    uint64_t chance = hash_mix(hash_mix(prober->seed ^ asked->id) ^ (uint64_t)asked->due.ns);
    int64_t part_ns = asked->step_ns / 4;
    if (prober->at_once)
        return asked->step_ns;
    return asked->step_ns - part_ns / 2 + (int64_t)(chance % (uint64_t)part_ns);
}

/* The time table is kept to: a late turn does not move those after it, and turns that were missed
 * altogether are left out, not made up for in a burst. Only politeness moves it. */
static void on_turn(void *context)
{
    struct asked *asked = context;
    struct prober *prober = asked->prober;
    struct mono now = clock_mono();
    int64_t wait_ns = manners_wait(asked, now);
    if (wait_ns) {
        prober->counters.held++;
        asked->due.ns = now.ns + wait_ns;
        agenda_set(prober->agenda, &asked->turn, asked->due);
        return;
    }
    struct mono due = asked->due;
    int64_t late_ns = mono_diff(now, due);
    int64_t missed = late_ns > 0 ? late_ns / asked->step_ns : 0;
    prober->counters.missed += (uint64_t)missed;
    asked->due.ns += missed * asked->step_ns + varied_step_ns(asked);
    agenda_set(prober->agenda, &asked->turn, asked->due);
    ask(asked, due, late_ns);
}

/* The plan. */

static int compare_entries(const void *a, const void *b)
{
    uint32_t x = (*(struct asked *const *)a)->id, y = (*(struct asked *const *)b)->id;
    return (x > y) - (x < y);
}

static enum err check_times(const struct probe_plan *plan, struct why *why)
{
    if (plan->interval_ns <= 0 || plan->timeout_ns <= 0 || plan->count < 1)
        return why_set(why, ERR_CONFIG, "target '%.200s' needs an interval, a timeout and a count",
                       plan->target);
    if (plan->timeout_ns > plan->interval_ns)
        return why_set(why, ERR_CONFIG, "target '%.200s' has a timeout longer than its interval",
                       plan->target);
    if (plan->interval_ns / plan->count < NS_PER_MS)
        return why_set(why, ERR_CONFIG,
                       "target '%.200s' would be asked more than 1000 times a second",
                       plan->target);
    return ERR_OK;
}

bool prober_pings(const char *target)
{
    return strncmp(target, "icmp:", 5) == 0 || strncmp(target, "trace:", 6) == 0;
}

/* Nobody in particular answers for 0.0.0.0/8, ::, a multicast group or the broadcast address. */
static bool is_of_one_host(const struct addr *addr)
{
    static const struct addr any = {.family = 6};
    const uint8_t *bytes = addr->bytes;
    if (addr->family == 4)
        return bytes[0] != 0 && (bytes[0] & 0xf0U) != 0xe0 &&
               memcmp(bytes, "\xff\xff\xff\xff", 4) != 0;
    return !addr->family || (bytes[0] != 0xff && addr_compare(addr, &any) != 0);
}

static enum err check_redirects(const struct probe_plan *plan, const struct target *target,
                                struct why *why)
{
    bool is_page = target->kind == TARGET_HTTP || target->kind == TARGET_HTTPS;
    if (plan->redirects && !is_page)
        return why_set(why, ERR_CONFIG, "target '%.200s' is no page that could redirect",
                       plan->target);
    if (plan->redirects > PROBER_REDIRECTS_MAX)
        return why_set(why, ERR_CONFIG, "target '%.200s' follows %u redirects; expected at most %d",
                       plan->target, plan->redirects, PROBER_REDIRECTS_MAX);
    return ERR_OK;
}

static enum err check_text(const struct probe_plan *plan, const struct target *target,
                           struct why *why)
{
    if (!plan->expect_text)
        return ERR_OK;
    if (target->kind != TARGET_HTTP && target->kind != TARGET_HTTPS)
        return why_set(why, ERR_CONFIG, "target '%.200s' is no page that could contain a text",
                       plan->target);
    size_t n = strlen(plan->expect_text);
    if (n < 1 || n > PROBER_TEXT_MAX)
        return why_set(why, ERR_CONFIG, "target '%.200s' has a text of %zu bytes; expected 1 to %d",
                       plan->target, n, PROBER_TEXT_MAX);
    return ERR_OK;
}

enum err prober_check(const struct probe_plan *plan, struct why *why)
{
    struct target target;
    enum err err = target_parse(plan->target, strlen(plan->target), &target, why);
    if (!err)
        err = check_times(plan, why);
    if (err)
        return err;
    if (target.kind == TARGET_SELF && !plan->is_control)
        return why_set(why, ERR_CONFIG, "target '%.200s' tells of the vantage, and of no subject",
                       plan->target);
    if (!is_of_one_host(&target.addr))
        return why_set(why, ERR_CONFIG, "target '%.200s' is not the address of one host",
                       plan->target);
    if (target.kind == TARGET_DNS && !dns_can_ask(&target, plan->target))
        return why_set(why, ERR_CONFIG, "target '%.200s' has no valid name or record type",
                       plan->target);
    if (target.kind == TARGET_ZONE && zone_check(&target, plan->target, plan->zone, why))
        return ERR_CONFIG;
    err = check_redirects(plan, &target, why);
    return err ? err : check_text(plan, &target, why);
}

/* Of a plan that was checked. NULL if the registry has no room for it. */
static struct asked *new_asked(struct prober *prober, const struct probe_plan *plan)
{
    struct registry *registry = prober->sink.registry;
    enum name_kind kind = plan->is_control ? NAME_CONTROL : NAME_TARGET;
    uint32_t id = registry_intern(registry, kind, plan->target, strlen(plan->target));
    if (!id)
        return NULL;
    struct asked *asked = mem_new(1, sizeof *asked);
    asked->prober = prober;
    asked->id = id;
    asked->text = registry_text(registry, id);
    asked->target = registry_target(registry, id);
    asked->timeout_ns = plan->timeout_ns;
    asked->step_ns = plan->interval_ns / (asked->target->kind == TARGET_ICMP ? plan->count : 1);
    asked->expect_status = (int16_t)plan->expect_status;
    asked->expect_text = mem_copy(plan->expect_text);
    asked->redirects = (uint8_t)plan->redirects;
    asked->family = plan->family;
    asked->all_addresses = plan->all_addresses;
    asked->zone = zone_settings_copy(plan->zone);
    asked->turn = (struct agenda_entry){.fire = on_turn, .context = asked};
    return asked;
}

static void start(struct asked *asked)
{
    struct prober *prober = asked->prober;
    if (prober->is_draining)
        return;
    asked->due = clock_mono();
    if (prober->at_once) {
        agenda_set_now(prober->agenda, &asked->turn);
        return;
    }
    uint64_t chance = hash_bytes(asked->text, strlen(asked->text), prober->seed);
    asked->due.ns += (int64_t)(chance % (uint64_t)asked->step_ns);
    agenda_set(prober->agenda, &asked->turn, asked->due);
}

static void retire(struct asked *asked)
{
    struct prober *prober = asked->prober;
    agenda_drop(prober->agenda, &asked->turn);
    asked->is_retired = true;
    asked->next = prober->retired;
    asked->link = &prober->retired;
    if (asked->next)
        asked->next->link = &asked->next;
    prober->retired = asked;
    if (!asked->outstanding)
        free_asked(asked);
}

/* An old entry goes on in place of a new one. Its time table is moved only if it is another one. */
static void carry_on(struct asked *old, struct asked *replacement)
{
    bool is_moved = old->step_ns != replacement->step_ns;
    old->timeout_ns = replacement->timeout_ns;
    old->step_ns = replacement->step_ns;
    old->expect_status = replacement->expect_status;
    old->redirects = replacement->redirects;
    old->family = replacement->family;
    old->all_addresses = replacement->all_addresses;
    free(old->expect_text);
    old->expect_text = replacement->expect_text;
    replacement->expect_text = NULL;
    zone_settings_free(old->zone);
    old->zone = replacement->zone;
    replacement->zone = NULL;
    free_asked(replacement);
    if (is_moved)
        start(old);
}

static enum err check_entry(const struct prober *prober, const struct probe_plan *plan,
                            struct why *why)
{
    struct target target;
    enum err err = prober_check(plan, why);
    if (err || !prober->options)
        return err;
    target_parse(plan->target, strlen(plan->target), &target, NULL);
    if (target.addr.family &&
        manners_judge(prober->options, &target.addr, true) == MANNERS_EXCLUDED)
        return why_set(why, ERR_CONFIG, "target '%.200s' is excluded", plan->target);
    return ERR_OK;
}

static enum err check_plan(const struct prober *prober, const struct probe_plan *plan, size_t count,
                           struct why *why)
{
    enum err err = ERR_OK;
    if (count > PROBER_TARGETS_MAX)
        return why_set(why, ERR_LIMIT, "%zu targets are more than the %d that are allowed", count,
                       PROBER_TARGETS_MAX);
    for (size_t i = 0; i < count && !err; i++)
        err = check_entry(prober, &plan[i], why);
    return err;
}

/* NULL if there is no room for all of them in the registry. */
static struct asked **sorted_plan(struct prober *prober, const struct probe_plan *plan,
                                  size_t *count)
{
    struct asked **entries = mem_new(*count, sizeof *entries);
    size_t n = 0, kept = 0;
    while (n < *count && (entries[n] = new_asked(prober, &plan[n])))
        n++;
    if (n < *count) {
        while (n)
            free_asked(entries[--n]);
        free(entries);
        return NULL;
    }
    qsort(entries, n, sizeof(struct asked *), compare_entries);
    for (size_t i = 0; i < n; i++) {
        if (kept && entries[kept - 1]->id == entries[i]->id)
            free_asked(entries[i]);
        else
            entries[kept++] = entries[i];
    }
    *count = kept;
    return entries;
}

enum err prober_set_plan(struct prober *prober, const struct probe_plan *plan, size_t count,
                         struct why *why)
{
    enum err err = check_plan(prober, plan, count, why);
    if (err)
        return err;
    struct asked **entries = sorted_plan(prober, plan, &count);
    if (!entries)
        return why_set(why, ERR_LIMIT, "the registry is full: no room for %zu targets", count);
    size_t old = 0;
    for (size_t i = 0; i < count; i++) {
        while (old < prober->count && prober->plan[old]->id < entries[i]->id)
            retire(prober->plan[old++]);
        if (old < prober->count && prober->plan[old]->id == entries[i]->id) {
            carry_on(prober->plan[old], entries[i]);
            entries[i] = prober->plan[old++];
        } else {
            start(entries[i]);
        }
    }
    while (old < prober->count)
        retire(prober->plan[old++]);
    free(prober->plan);
    prober->plan = entries;
    prober->count = count;
    return ERR_OK;
}

/* The prober. */

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
        if (asked->target->kind != TARGET_SELF || asked->target->check != check)
            continue;
        asked->due = clock_mono();
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
    prober->drain_check = (struct agenda_entry){.fire = check_drained, .context = prober};
    prober->resolver = resolver_new(loop);
    resolver_set_filter(prober->resolver, may_ask, prober);
    prober_set_manners(prober, options->manners);
    prober->pinger = pinger_new(prober->agenda, agent, sockets->icmp);
    prober->trace = trace_new(prober->agenda, prober->pinger, &options->origins);
    prober->resets = reset_watch_new(loop, sockets->taps);
    prober->tcp = tcp_new(prober->agenda, prober->pinger, prober->resets);
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
    for (size_t i = 0; i < prober->count; i++)
        agenda_drop(prober->agenda, &prober->plan[i]->turn);
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
        free_inquiry(prober->inquiries);
    for (size_t i = 0; i < prober->count; i++)
        free_asked(prober->plan[i]);
    while (prober->retired)
        free_asked(prober->retired);
    free(prober->plan);
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
