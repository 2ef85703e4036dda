#include "source/zone/zone_run.h"
#include "sys/clock.h"

#include <string.h>

/* Members of a SOA record: RFC 1035, section 3.3.13. */
enum { SOA_SERIAL = 2, SOA_REFRESH, SOA_RETRY, SOA_EXPIRE };

static const ldns_rr_list *answer_of(const struct dns_result *result)
{
    return result->reply && result->reply->packet ? ldns_pkt_answer(result->reply->packet) : NULL;
}

/* What a server answered: OK only if it speaks for the zone, or says with authority that there is nothing. */
static enum outcome outcome_of(const struct dns_result *result)
{
    if (!result->reply)
        return result->answer.outcome;
    enum outcome outcome = dns_outcome(result->reply);
    bool is_lame = outcome == OUTCOME_EMPTY || !result->reply->is_authoritative;
    return (outcome == OUTCOME_OK || outcome == OUTCOME_EMPTY) && is_lame ? OUTCOME_LAME : outcome;
}

/* Keys, and the zone's own name servers. */

static void on_server_keys(struct zone_run *run, const struct zone_query *query,
                           const struct dns_result *result)
{
    struct zone_records *records = &run->records[query->about];
    if (!result->reply || !result->reply->is_authoritative)
        return;
    records->has_keys = result->reply->has_edns;
    records->keys = dnssec_take(answer_of(result), run->dname, LDNS_RR_TYPE_DNSKEY);
}

static void on_server_names(struct zone_run *run, const struct zone_query *query,
                            const struct dns_result *result)
{
    struct zone_server *server = &run->view.servers[query->about];
    char text[DNS_NAME_TEXT];
    if (outcome_of(result) != OUTCOME_OK)
        return;
    struct dnssec_set *set = &run->records[query->about].names;
    *set = dnssec_take(answer_of(result), run->dname, LDNS_RR_TYPE_NS);
    server->has_names = true;
    for (size_t i = 0; i < ldns_rr_list_rr_count(set->records); i++) {
        zone_name_text(ldns_rr_rdf(ldns_rr_list_rr(set->records, i), 0), text);
        int name = text[0] ? zone_view_name(&run->view, text) : -1;
        if (name < 0)
            continue;
        server->names |= 1U << name;
        run->view.names[name].is_in_zone = true;
        zone_add_name(run, name, ldns_pkt_additional(result->reply->packet), false);
    }
}

/* The SOA. */

/* A server that speaks for the zone is asked for the rest, the way it answered first. */
static void ask_rest(struct zone_run *run, const struct zone_query *asked)
{
    struct zone_records *records = &run->records[asked->about];
    struct zone_query query = *asked;
    bool may_be_signed =
        ldns_rr_list_rr_count(records->soa.signatures) || run->anchors || !run->view.is_parent_seen;
    if (records->is_asked_rest)
        return;
    records->is_asked_rest = true;
    query.type = "NS";
    query.done = on_server_names;
    zone_send(run, &query);
    query.type = "DNSKEY";
    query.done = on_server_keys;
    if (may_be_signed)
        zone_send(run, &query);
}

static void on_soa(struct zone_run *run, const struct zone_query *query,
                   const struct dns_result *result)
{
    struct zone_server *server = &run->view.servers[query->about];
    struct zone_records *records = &run->records[query->about];
    struct zone_heard *heard = query->by_tcp ? &server->tcp : &server->udp;
    *heard = (struct zone_heard){outcome_of(result), result->answer.code, result->answer.rtt_ns};
    if (heard->outcome != OUTCOME_OK || records->is_asked_rest)
        return;
    records->soa = dnssec_take(answer_of(result), run->dname, LDNS_RR_TYPE_SOA);
    if (!dnssec_has(&records->soa)) { /* an alias, or of another zone */
        heard->outcome = OUTCOME_LAME;
        dnssec_set_done(&records->soa);
        return;
    }
    if (!account_reached_ns(run->question.account, STAGE_REPLY))
        account_reached(run->question.account, STAGE_REPLY, stopwatch_elapsed_ns(&run->watch));
    records->has_signatures = result->reply->has_edns;
    server->serial = result->reply->serial;
    ask_rest(run, query);
}

void zone_add_server(struct zone_run *run, int name, const struct addr *addr)
{
    struct zone_view *view = &run->view;
    for (size_t i = 0; i < view->server_count; i++)
        if (addr_compare(&view->servers[i].addr, addr) == 0)
            return;
    if (view->server_count == ZONE_SERVERS_MAX) {
        view->is_more = true;
        return;
    }
    int index = (int)view->server_count++;
    view->servers[index] = (struct zone_server){.name = (uint8_t)name, .addr = *addr};
    if (!zone_may_ask(run, addr))
        return;
    struct zone_query query = {
        .name = run->name, .type = "SOA", .server = *addr, .about = index, .done = on_soa};
    zone_send(run, &query);
    query.by_tcp = true;
    zone_send(run, &query);
}

/* Names and their addresses. */

static void on_addresses(struct zone_run *run, int name, const struct lookup_result *result)
{
    struct zone_name *known = &run->view.names[name];
    known->has_no_address = result->status == LOOKUP_NO_NAME || result->status == LOOKUP_NO_ADDRESS;
    known->is_unknown = !result->count && !known->has_no_address;
    for (size_t i = 0; i < result->count; i++)
        zone_add_server(run, name, &result->addrs[i]);
}

/* The addresses that a section has for a name, as far as there is room; so many. */
static uint8_t find_addrs(const ldns_rr_list *section, const ldns_rdf *name,
                          struct addr out[ZONE_ADDRS_MAX])
{
    uint8_t n = 0;
    for (size_t i = 0; i < ldns_rr_list_rr_count(section) && n < ZONE_ADDRS_MAX; i++) {
        const ldns_rr *record = ldns_rr_list_rr(section, i);
        struct addr addr = dns_record_addr(record);
        if (addr.family && ldns_dname_compare(ldns_rr_owner(record), name) == 0)
            out[n++] = addr;
    }
    return n;
}

/* Nobody is believed but about names of his own. */
void zone_add_name(struct zone_run *run, int name, const ldns_rr_list *section, bool is_parent)
{
    struct zone_name *known = &run->view.names[name];
    struct addr *addrs = is_parent ? known->parent : known->own;
    uint8_t *count = is_parent ? &known->parent_count : &known->own_count;
    ldns_rdf *dname = ldns_dname_new_frm_str(known->text);
    if (dname && !*count && zone_is_within(dname, is_parent ? run->cut.name : run->name))
        *count = find_addrs(section, dname, addrs);
    ldns_rdf_deep_free(dname);
    for (uint8_t i = 0; i < *count; i++)
        zone_add_server(run, name, &addrs[i]);
    if (known->parent_count || known->own_count || run->is_sought[name])
        return;
    run->is_sought[name] = true;
    zone_look_up(run, known->text, name, on_addresses);
}

/* The resolver. */

static void on_unchecked(struct zone_run *run, const struct zone_query *query,
                         const struct dns_result *result)
{
    (void)query;
    if (result->reply && dns_outcome(result->reply) == OUTCOME_OK)
        run->view.resolver = RESOLVER_REJECTS;
}

static void on_resolver(struct zone_run *run, const struct zone_query *query,
                        const struct dns_result *result)
{
    struct zone_query again = *query;
    enum outcome outcome = result->reply ? dns_outcome(result->reply) : result->answer.outcome;
    run->view.resolver = RESOLVER_FAILS;
    run->view.resolver_outcome = outcome;
    if (outcome == OUTCOME_OK)
        run->view.resolver =
            ldns_pkt_ad(result->reply->packet) ? RESOLVER_VALIDATES : RESOLVER_ANSWERS;
    if (outcome != OUTCOME_SERVER_FAILURE)
        return;
    again.flags |= DNS_UNCHECKED;
    again.done = on_unchecked;
    zone_send(run, &again);
}

void zone_ask_resolver(struct zone_run *run)
{
    if (run->settings.resolver.family)
        zone_send(run, &(struct zone_query){.name = run->name,
                                            .type = "SOA",
                                            .flags = DNS_RECURSE,
                                            .server = run->settings.resolver,
                                            .done = on_resolver});
}

/* The end: serials. */

static bool speaks(const struct zone_server *server)
{
    return server->udp.outcome == OUTCOME_OK || server->tcp.outcome == OUTCOME_OK;
}

static uint32_t soa_member(const struct dnssec_set *soa, size_t member)
{
    const ldns_rdf *value = ldns_rr_rdf(ldns_rr_list_rr(soa->records, 0), member);
    return value && ldns_rdf_size(value) == 4 ? ldns_rdf2native_int32(value) : 0;
}

static void find_newest(struct zone_run *run)
{
    struct zone_view *view = &run->view;
    bool is_first = true;
    for (size_t i = 0; i < view->server_count; i++) {
        const struct zone_server *server = &view->servers[i];
        const struct dnssec_set *soa = &run->records[i].soa;
        if (!speaks(server) || (!is_first && !zone_serial_is_behind(view->serial, server->serial)))
            continue;
        is_first = false;
        view->serial = server->serial;
        view->refresh_s = soa_member(soa, SOA_REFRESH);
        view->retry_s = soa_member(soa, SOA_RETRY);
        view->expire_s = soa_member(soa, SOA_EXPIRE);
    }
}

static const struct zone_known *find_known(const struct zone_memory *memory,
                                           const struct addr *addr)
{
    for (size_t i = 0; i < memory->server_count; i++)
        if (addr_compare(&memory->servers[i].addr, addr) == 0)
            return &memory->servers[i];
    return NULL;
}

/* A secondary looks for news every `refresh`, and again after `retry` if that fails. One whose serial stays
 * behind for longer gets none; it drops the zone `expire` after it had news last, which was before it was
 * first seen behind. */
static struct mono judge_behind(const struct zone_run *run, struct zone_server *server)
{
    const struct zone_view *view = &run->view;
    const struct zone_known *known = find_known(run->memory, &server->addr);
    struct mono now = clock_mono();
    if (!speaks(server) || !zone_serial_is_behind(server->serial, view->serial))
        return (struct mono){0};
    bool has_stayed = known && known->behind.ns && known->serial == server->serial;
    struct mono since = has_stayed ? known->behind : now;
    int64_t behind_s = mono_diff(now, since) / NS_PER_S;
    server->is_stale = behind_s > (int64_t)view->refresh_s + view->retry_s;
    if (server->is_stale)
        server->expires_s = run->time.now_s - behind_s + view->expire_s;
    return since;
}

static void judge_serials(struct zone_run *run)
{
    struct zone_known servers[ZONE_SERVERS_MAX] = {0};
    struct zone_view *view = &run->view;
    find_newest(run);
    for (size_t i = 0; i < view->server_count; i++) {
        struct zone_server *server = &view->servers[i];
        servers[i] = (struct zone_known){
            .addr = server->addr, .serial = server->serial, .behind = judge_behind(run, server)};
        strcpy(servers[i].name, view->names[server->name].text);
    }
    if (view->delegation != OUTCOME_OK || view->is_remembered)
        return;
    memcpy(run->memory->servers, servers, sizeof servers);
    run->memory->server_count = view->server_count;
}

/* The end: signatures. */

static bool is_same_list(const ldns_rr_list *a, const ldns_rr_list *b)
{
    size_t n = ldns_rr_list_rr_count(a);
    return n == ldns_rr_list_rr_count(b) && (n == 0 || ldns_rr_list_compare(a, b) == 0);
}

static bool is_same_set(const struct dnssec_set *a, const struct dnssec_set *b)
{
    return is_same_list(a->records, b->records) && is_same_list(a->signatures, b->signatures);
}

static bool is_same(const struct zone_records *a, const struct zone_records *b)
{
    return is_same_set(&a->soa, &b->soa) && is_same_set(&a->names, &b->names) &&
           is_same_set(&a->keys, &b->keys);
}

static enum dnssec worse(enum dnssec a, enum dnssec b)
{
    return a == DNSSEC_UNCHECKED || b > a ? b : a;
}

/* What one server gives is worth as much as the worst of it. */
static enum dnssec check_records(struct zone_run *run, const struct zone_records *records)
{
    if (!run->anchors || !records->has_signatures || !records->has_keys)
        return DNSSEC_UNCHECKED;
    enum dnssec verdict = dnssec_check_keys(&run->time, &records->keys, run->anchors);
    if (verdict != DNSSEC_VALID)
        return verdict;
    verdict = worse(verdict, dnssec_check(&run->time, &records->soa, records->keys.records));
    return worse(verdict, dnssec_check(&run->time, &records->names, records->keys.records));
}

/* Most servers give the same, which is checked once. */
static void check_server(struct zone_run *run, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (!speaks(&run->view.servers[i]) || !is_same(&run->records[i], &run->records[index]))
            continue;
        run->view.servers[index].dnssec = run->view.servers[i].dnssec;
        return;
    }
    run->view.servers[index].dnssec = check_records(run, &run->records[index]);
}

static void note_span(struct zone_run *run, const struct dnssec_set *set)
{
    struct zone_view *view = &run->view;
    int64_t from_s, until_s;
    if (!dnssec_span(set, run->time.now_s, &from_s, &until_s))
        return;
    if (!view->is_signed || until_s < view->signed_until_s) {
        view->signed_from_s = from_s;
        view->signed_until_s = until_s;
    }
    view->is_signed = true;
}

static void judge_signatures(struct zone_run *run)
{
    struct zone_view *view = &run->view;
    for (size_t i = 0; i < view->server_count; i++) {
        const struct zone_records *records = &run->records[i];
        if (!speaks(&view->servers[i]))
            continue;
        note_span(run, &records->soa);
        note_span(run, &records->names);
        note_span(run, &records->keys);
        check_server(run, i);
    }
    view->is_anchored = run->anchors || view->chain == DNSSEC_UNCHECKED;
}

void zone_servers_end(struct zone_run *run)
{
    judge_serials(run);
    judge_signatures(run);
}
