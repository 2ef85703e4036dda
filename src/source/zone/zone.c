#include "source/zone/zone.h"

#include "base/hash.h"
#include "base/mem.h"
#include "source/zone/zone_run.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/route.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A question may take that part of all the time there is: enough for the way that is remembered, for another
 * from the root on with two silent servers each, and then twice for a name server. */
enum { PATIENCE_PART = 8 };

/* A question under way. */
struct zone_task {
    struct zone_task *next, **link; /* in the run's list */
    struct zone_run *run;
    struct dns_exchange *exchange;
    struct zone_query query;
    bool is_plain; /* without EDNS, for the second time */
    char about[DNS_NAME_TEXT + 16];
};

/* A look-up under way. */
struct zone_lookup {
    struct zone_lookup *next, **link;
    struct zone_run *run;
    struct lookup *lookup;
    bool is_starting;
    int about;
    void (*done)(struct zone_run *run, int about, const struct lookup_result *result);
};

struct zone_engine {
    struct agenda *agenda;
    struct resolver *resolver;
    struct zone_run *runs;
};

struct zone_engine *zone_new(struct agenda *agenda, struct resolver *resolver)
{
    struct zone_engine *engine = mem_new(1, sizeof *engine);
    engine->agenda = agenda;
    engine->resolver = resolver;
    return engine;
}

/* Names in records. */

void zone_name_text(const ldns_rdf *name, char text[DNS_NAME_TEXT])
{
    char *whole =
        name && ldns_rdf_get_type(name) == LDNS_RDF_TYPE_DNAME ? ldns_rdf2str(name) : NULL;
    size_t n = whole ? strlen(whole) : 0;
    text[0] = '\0';
    for (size_t i = 0; n && n < DNS_NAME_TEXT && i <= n; i++)
        text[i] = (char)tolower((unsigned char)whole[i]);
    free(whole);
}

bool zone_is_within(const ldns_rdf *name, const char *zone)
{
    ldns_rdf *outer = ldns_dname_new_frm_str(zone);
    bool is_within =
        outer && (ldns_dname_compare(name, outer) == 0 || ldns_dname_is_subdomain(name, outer));
    ldns_rdf_deep_free(outer);
    return is_within;
}

/* Its end. */

static void close_task(struct zone_task *task)
{
    dns_exchange_abandon(task->exchange);
    *task->link = task->next;
    if (task->next)
        task->next->link = task->link;
    free(task);
}

static void close_lookup(struct zone_lookup *lookup)
{
    lookup_abandon(lookup->lookup);
    *lookup->link = lookup->next;
    if (lookup->next)
        lookup->next->link = lookup->link;
    free(lookup);
}

static void close_waiting(struct zone_run *run)
{
    agenda_drop(run->agenda, &run->deadline);
    while (run->tasks)
        close_task(run->tasks);
    while (run->lookups)
        close_lookup(run->lookups);
}

static void close_run(struct zone_run *run)
{
    close_waiting(run);
    for (size_t i = 0; i < ZONE_SERVERS_MAX; i++) {
        dnssec_set_done(&run->records[i].soa);
        dnssec_set_done(&run->records[i].names);
        dnssec_set_done(&run->records[i].keys);
    }
    ldns_rr_list_deep_free(run->cut.keys);
    ldns_rr_list_deep_free(run->given);
    ldns_rr_list_deep_free(run->anchors);
    ldns_rdf_deep_free(run->dname);
    free(run->forgotten);
    *run->link = run->next;
    if (run->next)
        run->next->link = run->link;
    free(run);
}

void zone_free(struct zone_engine *engine)
{
    if (!engine)
        return;
    while (engine->runs)
        close_run(engine->runs);
    free(engine);
}

static void finish(struct zone_run *run)
{
    struct question question = run->question;
    struct answer answer;
    close_waiting(run);
    zone_servers_end(run);
    zone_view_judge(&run->view, &answer);
    answer.sent = run->watch.sent;
    zone_view_tell(&run->view, question.account);
    if (run->foreign)
        account_number(question.account, FACT_FOREIGN_REPLIES, run->foreign);
    if (answer.stage == STAGE_DONE)
        account_reached(question.account, STAGE_DONE, stopwatch_elapsed_ns(&run->watch));
    close_run(run);
    question.answered(question.context, &answer);
}

/* Finishes if there is nothing left to wait for. The run may be gone after this. */
static void settle(struct zone_run *run)
{
    if (!run->tasks && !run->lookups)
        finish(run);
}

static void on_deadline(void *context)
{
    finish(context);
}

/* Questions. */

bool zone_may_ask(const struct zone_run *run, const struct addr *addr)
{
    bool is_named = false;
    for (size_t i = 0; i < run->settings.via_count; i++)
        is_named |= addr_compare(&run->settings.via[i], addr) == 0;
    bool is_of_family = !run->question.family || addr->family == run->question.family;
    return is_of_family && route_to(addr) != ROUTE_NONE &&
           (is_named || resolver_may(run->resolver, addr));
}

static void start_task(struct zone_task *task);

/* What may come of EDNS, or of a loss. */
static bool is_worth_another(const struct zone_task *task, const struct dns_result *result)
{
    if (task->is_plain)
        return false;
    if (result->reply)
        return dns_rejects_edns(result->reply);
    if (result->answer.outcome == OUTCOME_TIMEOUT)
        return !task->query.is_once && !task->query.by_tcp; /* TCP has sent again itself */
    return result->answer.outcome == OUTCOME_BAD_REPLY || result->answer.outcome == OUTCOME_CLOSED;
}

static int64_t left_ns(const struct zone_run *run)
{
    return run->question.timeout_ns - stopwatch_elapsed_ns(&run->watch);
}

static bool is_time_left(const struct zone_run *run)
{
    return left_ns(run) > run->question.timeout_ns / PATIENCE_PART / 2;
}

static void on_result(void *context, const struct dns_result *result)
{
    struct zone_task *task = context;
    struct zone_run *run = task->run;
    struct zone_query query = task->query;
    task->exchange = NULL;
    run->foreign += result->foreign;
    if (is_worth_another(task, result) && is_time_left(run)) {
        task->is_plain = true;
        start_task(task);
        return;
    }
    close_task(task);
    query.done(run, &query, result);
    settle(run);
}

static void start_task(struct zone_task *task)
{
    struct zone_run *run = task->run;
    const struct zone_query *query = &task->query;
    /* TCP sends again by itself, a second after what was lost (RFC 6298). */
    int64_t patience = run->question.timeout_ns / PATIENCE_PART * (query->by_tcp ? 2 : 1),
            left = left_ns(run) * 9 / 10;
    struct dns_call call = {.server = query->server,
                            .port = run->question.target->port,
                            .by_tcp = query->by_tcp,
                            .timeout_ns = patience < left ? patience : left,
                            .account = run->question.account,
                            .watch = &run->watch,
                            .about = task->about,
                            .done = on_result,
                            .context = task};
    dns_query_make(query->name, strlen(query->name), query->type, strlen(query->type),
                   query->flags | (task->is_plain ? 0 : DNS_SIGNED), (uint16_t)entropy_u64(),
                   &call.query);
    if (run->question.manners)
        manners_count(*run->question.manners, &query->server, clock_mono());
    task->exchange = dns_exchange_new(run->agenda, &call);
}

void zone_send(struct zone_run *run, const struct zone_query *query)
{
    if (!is_time_left(run))
        return;
    struct zone_task *task = mem_new(1, sizeof *task);
    *task =
        (struct zone_task){.next = run->tasks, .link = &run->tasks, .run = run, .query = *query};
    if (task->next)
        task->next->link = &task->next;
    run->tasks = task;
    snprintf(task->about, sizeof task->about, "%s/%s", query->name, query->type);
    start_task(task);
}

/* Look-ups. */

static void on_looked_up(void *context, const struct lookup_result *result)
{
    struct zone_lookup *lookup = context, ended = *lookup;
    lookup->lookup = NULL;
    close_lookup(lookup);
    ended.done(ended.run, ended.about, result);
    if (!ended.is_starting)
        settle(ended.run);
}

void zone_look_up(struct zone_run *run, const char *host, int about,
                  void (*done)(struct zone_run *run, int about, const struct lookup_result *result))
{
    struct zone_lookup *lookup = mem_new(1, sizeof *lookup);
    *lookup = (struct zone_lookup){.next = run->lookups,
                                   .link = &run->lookups,
                                   .run = run,
                                   .is_starting = true,
                                   .about = about,
                                   .done = done};
    if (lookup->next)
        lookup->next->link = &lookup->next;
    run->lookups = lookup;
    struct lookup *handle = resolver_look_up(run->resolver, host, on_looked_up, lookup);
    if (handle) { /* else it is over already */
        lookup->lookup = handle;
        lookup->is_starting = false;
    }
}

/* Settings. */

struct zone_settings *zone_settings_copy(const struct zone_settings *settings)
{
    if (!settings)
        return NULL;
    struct zone_settings *copy = mem_new(1, sizeof *copy);
    *copy = *settings;
    for (size_t i = 0; i < settings->anchor_count; i++)
        copy->anchors[i] = mem_copy(settings->anchors[i]);
    return copy;
}

void zone_settings_free(struct zone_settings *settings)
{
    for (size_t i = 0; settings && i < settings->anchor_count; i++)
        free((char *)settings->anchors[i]);
    free(settings);
}

/* Its beginning. */

/* The zone's name with the dot at its end, in small letters; NULL if it is none. */
static ldns_rdf *read_name(const struct target *target, const char *text, char name[DNS_NAME_TEXT])
{
    size_t n = target->name.n;
    if (n + 1 >= DNS_NAME_TEXT)
        return NULL;
    memcpy(name, text + target->name.at, n);
    name[n] = '\0';
    ldns_rdf *dname = ldns_dname_new_frm_str(name);
    if (dname)
        zone_name_text(dname, name);
    return dname;
}

enum err zone_check(const struct target *target, const char *text,
                    const struct zone_settings *settings, struct why *why)
{
    char name[DNS_NAME_TEXT], owner[DNS_NAME_TEXT], first[DNS_NAME_TEXT] = "";
    ldns_rdf *dname = read_name(target, text, name);
    if (!dname)
        return why_set(why, ERR_CONFIG, "target '%.200s' has no valid name of a zone", text);
    for (size_t i = 0; settings && i < settings->anchor_count; i++) {
        ldns_rr *anchor = dnssec_anchor(settings->anchors[i]);
        zone_name_text(anchor ? ldns_rr_owner(anchor) : NULL, owner);
        ldns_rr_free(anchor);
        if (!owner[0] || !zone_is_within(dname, owner) || (first[0] && strcmp(first, owner) != 0)) {
            ldns_rdf_deep_free(dname);
            return why_set(
                why, ERR_CONFIG,
                "zone %s: '%.200s' is no trust anchor of it; expected DS or DNSKEY records "
                "of one zone, of it or above it, such as '. DS 20326 8 2 E06D...'",
                name, settings->anchors[i]);
        }
        strcpy(first, owner);
    }
    ldns_rdf_deep_free(dname);
    return ERR_OK;
}

static ldns_rr_list *read_anchors(const struct zone_settings *settings)
{
    ldns_rr_list *list = settings->anchor_count ? ldns_rr_list_new() : NULL;
    for (size_t i = 0; i < settings->anchor_count; i++) {
        ldns_rr *anchor = dnssec_anchor(settings->anchors[i]);
        if (anchor)
            ldns_rr_list_push_rr(list, anchor);
    }
    return list;
}

static uint64_t hash_settings(const struct zone_settings *settings)
{
    uint64_t hash = hash_bytes(settings->via, settings->via_count * sizeof *settings->via, 0);
    for (size_t i = 0; i < settings->anchor_count; i++)
        hash = hash_bytes(settings->anchors[i], strlen(settings->anchors[i]), hash);
    return hash;
}

static struct zone_memory *recall(struct zone_run *run)
{
    struct probe_memory *slot = run->question.memory;
    if (!slot)
        return run->forgotten = mem_new(1, sizeof(struct zone_memory));
    if (!slot->state)
        *slot = (struct probe_memory){mem_new(1, sizeof(struct zone_memory)), free};
    struct zone_memory *memory = slot->state;
    uint64_t settings = hash_settings(&run->settings);
    if (memory->settings != settings)
        memory->parent.count = 0;
    memory->settings = settings;
    return memory;
}

void zone_ask(struct zone_engine *engine, const struct question *question)
{
    struct zone_run *run = mem_new(1, sizeof *run);
    run->next = engine->runs;
    run->link = &engine->runs;
    if (run->next)
        run->next->link = &run->next;
    engine->runs = run;
    run->agenda = engine->agenda;
    run->resolver = engine->resolver;
    run->question = *question;
    if (question->zone)
        run->settings = *question->zone;
    run->memory = recall(run);
    run->deadline = (struct agenda_entry){.fire = on_deadline, .context = run};
    run->dname = read_name(question->target, question->text, run->name);
    run->given = read_anchors(&run->settings);
    stopwatch_start(&run->watch);
    run->time = (struct dnssec_time){run->watch.sent.ns / NS_PER_S, DNSSEC_BUDGET};
    agenda_set(run->agenda, &run->deadline,
               (struct mono){run->watch.started.ns + question->timeout_ns});
    run->view.delegation = OUTCOME_SELF;
    if (run->dname) /* else it was not asked whether it can */
        zone_walk_begin(run);
    settle(run);
}
