#include "source/dns/dnssec_denial.h"
#include "source/zone/zone_run.h"
#include "sys/clock.h"
#include "sys/entropy.h"

#include <string.h>

#define BELIEVED_NS NS_PER_HOUR
enum {
    TRIES_MAX = 2,     /* of a zone's servers, until it is given up */
    LABELS_MAX = 10,   /* one more each time (RFC 9156, section 2.3), then the whole name */
    QUESTIONS_MAX = 24 /* that were answered, on the way down */
};

static const char *const roots[] = {
#define ROOT(v4, v6) v4, v6,
#include "source/probe/root_servers.def"
#undef ROOT
};
enum { ROOT_ADDRS = sizeof roots / sizeof *roots };

static void ask_next(struct zone_run *run);

/* Cuts. */

static void add_cut_server(struct zone_cut *cut, const struct addr *addr)
{
    if (cut->count < ZONE_VIA_MAX && addr->family)
        cut->servers[cut->count++] = *addr;
}

static bool is_top(const struct zone_run *run)
{
    return strcmp(run->cut.name, ".") == 0;
}

/* What is asked for next: one label more than before (so that no zone on the way is missed), or all. */
static void ask_longer(struct zone_run *run, unsigned labels)
{
    unsigned all = ldns_dname_label_count(run->dname);
    run->labels = run->questions < LABELS_MAX && labels < all ? labels : all;
    ldns_rdf *name = ldns_dname_clone_from(run->dname, (uint16_t)(all - run->labels));
    zone_name_text(name, run->sought);
    ldns_rdf_deep_free(name);
    run->tried = run->asked = 0;
}

/* Begins to ask the servers of a zone, which are known or still to be added. */
static void enter(struct zone_run *run, const char *name, enum dnssec chain)
{
    ldns_rdf *dname = ldns_dname_new_frm_str(name);
    ldns_rr_list_deep_free(run->cut.keys);
    run->cut.keys = NULL;
    strcpy(run->cut.name, name);
    run->cut.chain = chain;
    ask_longer(run, dname ? ldns_dname_label_count(dname) + 1U : 1);
    ldns_rdf_deep_free(dname);
}

/* The chain of trust. */

static bool is_anchored_at(const struct zone_run *run, const ldns_rdf *zone)
{
    return run->given &&
           ldns_dname_compare(ldns_rr_owner(ldns_rr_list_rr(run->given, 0)), zone) == 0;
}

static void set_anchors(struct zone_run *run, ldns_rr_list *anchors)
{
    ldns_rr_list_deep_free(run->anchors);
    run->anchors = anchors;
}

/* What the chain hangs on above the zone may change at any time, so that way is gone each time. */
static bool is_worth_remembering(const struct zone_run *run)
{
    return !run->given || is_anchored_at(run, run->dname);
}

static void remember_cut(struct zone_run *run)
{
    if (!is_worth_remembering(run))
        return;
    if (!run->is_from_memory)
        run->memory->learnt = clock_mono();
    run->memory->parent = run->cut;
}

static bool recall_cut(struct zone_run *run)
{
    const struct zone_memory *memory = run->memory;
    bool is_fresh = mono_diff(clock_mono(), memory->learnt) <= BELIEVED_NS;
    if (!is_worth_remembering(run) || !memory->parent.count || !is_fresh)
        return false;
    run->cut = memory->parent;
    run->is_from_memory = true;
    ask_longer(run, ldns_dname_label_count(run->dname));
    return true;
}

static enum dnssec break_chain(struct zone_run *run, enum dnssec verdict)
{
    if (verdict > DNSSEC_UNSUPPORTED)
        strcpy(run->view.broken_at, run->cut.name);
    return verdict;
}

/* Without DS records: the parent says that the zone is not signed, and has to prove it. `proof` is NULL where
 * nobody was asked for them yet. */
static enum dnssec check_unsigned(struct zone_run *run, const ldns_rdf *next,
                                  const ldns_rr_list *proof)
{
    ldns_rdf *zone = ldns_dname_new_frm_str(run->cut.name);
    enum dnssec verdict = DNSSEC_VALID;
    if (run->given && proof && zone)
        verdict = dnssec_check_unsigned(&run->time, proof, next, zone, run->cut.keys);
    ldns_rdf_deep_free(zone);
    return verdict == DNSSEC_VALID ? DNSSEC_UNSUPPORTED : break_chain(run, verdict);
}

/* Finds what vouches for the keys of the next zone: the trust anchor, if it is for that one; else the DS
 * records, which its parent has signed or, without a trust anchor, is taken at its word for. Gives how far
 * the chain holds then. */
static enum dnssec vouch_for(struct zone_run *run, const ldns_rdf *next,
                             const ldns_rr_list *section, const ldns_rr_list *proof)
{
    set_anchors(run, NULL);
    if (is_anchored_at(run, next)) {
        set_anchors(run, ldns_rr_list_clone(run->given));
        return DNSSEC_VALID;
    }
    if (run->given && run->cut.chain != DNSSEC_VALID)
        return run->cut.chain;
    struct dnssec_set ds = dnssec_take(section, next, LDNS_RR_TYPE_DS);
    enum dnssec chain = DNSSEC_VALID;
    if (!dnssec_has(&ds))
        chain = check_unsigned(run, next, proof);
    else if (run->given)
        chain = break_chain(run, dnssec_check(&run->time, &ds, run->cut.keys));
    if (chain == DNSSEC_VALID) {
        set_anchors(run, ds.records);
        ds.records = NULL;
    }
    dnssec_set_done(&ds);
    return chain;
}

static bool needs_keys(const struct zone_run *run)
{
    return run->given && run->cut.chain == DNSSEC_VALID && !run->cut.keys;
}

static struct dnssec_set keys_in(const struct zone_run *run, const struct dns_reply *reply)
{
    ldns_rdf *name = ldns_dname_new_frm_str(run->cut.name);
    struct dnssec_set keys = {NULL, NULL};
    if (reply && reply->packet && name)
        keys = dnssec_take(ldns_pkt_answer(reply->packet), name, LDNS_RR_TYPE_DNSKEY);
    ldns_rdf_deep_free(name);
    return keys;
}

static void on_keys(struct zone_run *run, const struct zone_query *query,
                    const struct dns_result *result)
{
    (void)query;
    struct dnssec_set keys = keys_in(run, result->reply);
    bool is_answered = dnssec_has(&keys) || (result->reply && result->reply->is_authoritative);
    if (is_answered)
        run->cut.chain = break_chain(run, dnssec_check_keys(&run->time, &keys, run->anchors));
    else if (run->asked == TRIES_MAX || run->tried == run->cut.count)
        run->cut.chain = DNSSEC_UNCHECKED; /* nobody gives them */
    if (is_answered && run->cut.chain == DNSSEC_VALID) {
        run->cut.keys = keys.records;
        keys.records = NULL;
    }
    if (!needs_keys(run))
        run->tried = run->asked = 0; /* who was asked for the keys is asked for the delegation */
    dnssec_set_done(&keys);
    ask_next(run);
}

/* The beginning, and the end without a delegation. */

static void begin_at_top(struct zone_run *run)
{
    const struct zone_settings *settings = &run->settings;
    size_t start = (size_t)entropy_u64(); /* there are more than there is room for */
    ldns_rdf *root = ldns_dname_new_frm_str(".");
    run->is_from_memory = false;
    run->questions = 0;
    run->view.parent[0] = '\0';
    run->view.delegation = OUTCOME_SELF; /* as long as no server could be asked */
    enter(run, ".", vouch_for(run, root, NULL, NULL));
    if (!is_anchored_at(run, root))
        run->cut.chain = DNSSEC_UNCHECKED;
    ldns_rdf_deep_free(root);
    run->cut.count = 0;
    for (size_t i = 0; i < settings->via_count; i++)
        add_cut_server(&run->cut, &settings->via[i]);
    for (size_t i = 0; !settings->via_count && i < ROOT_ADDRS; i++) {
        const char *text = roots[(start + i) % ROOT_ADDRS];
        struct addr addr;
        if (addr_parse(text, strlen(text), &addr))
            add_cut_server(&run->cut, &addr);
    }
}

static void end_walk(struct zone_run *run, enum outcome outcome, uint16_t code)
{
    strcpy(run->view.parent, run->cut.name);
    run->view.delegation = outcome;
    run->view.delegation_code = code;
}

/* The way cannot be gone any further: those who were found on an earlier look are asked. That no root
 * server can be reached says nothing of the zone. */
static void give_up(struct zone_run *run)
{
    struct zone_memory *memory = run->memory;
    if (run->is_from_memory) { /* perhaps it is another way by now */
        memory->parent.count = 0;
        begin_at_top(run);
        ask_next(run);
        return;
    }
    if (!memory->server_count)
        return;
    run->view.delegation = OUTCOME_OK;
    run->view.is_remembered = true;
    set_anchors(run, NULL);
    for (size_t i = 0; i < memory->server_count; i++) {
        int name = zone_view_name(&run->view, memory->servers[i].name);
        if (name >= 0)
            zone_add_server(run, name, &memory->servers[i].addr);
    }
    zone_ask_resolver(run);
}

/* The delegation. */

static void take_delegation(struct zone_run *run, const ldns_rr_list *section,
                            const ldns_rr_list *additional)
{
    char text[DNS_NAME_TEXT];
    run->view.delegation = OUTCOME_OK;
    if (ldns_dname_label_count(run->dname))
        strcpy(run->view.parent, run->cut.name);
    account_reached(run->question.account, STAGE_RESOLVE, stopwatch_elapsed_ns(&run->watch));
    remember_cut(run);
    for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
        const ldns_rr *record = ldns_rr_list_rr(section, i);
        if (ldns_rr_get_type(record) != LDNS_RR_TYPE_NS ||
            ldns_dname_compare(ldns_rr_owner(record), run->dname) != 0)
            continue;
        zone_name_text(ldns_rr_rdf(record, 0), text);
        int name = text[0] ? zone_view_name(&run->view, text) : -1;
        if (name < 0)
            continue;
        run->view.names[name].is_at_parent = true;
        zone_add_name(run, name, additional, true);
    }
    zone_ask_resolver(run);
}

/* The servers of a zone that the parent's servers hold as well are asked on at these. */
static void on_inner_ds(struct zone_run *run, const struct zone_query *query,
                        const struct dns_result *result)
{
    ldns_rdf *name = ldns_dname_new_frm_str(run->sought);
    const ldns_pkt *packet = result->reply ? result->reply->packet : NULL;
    enum dnssec chain = DNSSEC_UNCHECKED;
    if (name && packet)
        chain = vouch_for(run, name, ldns_pkt_answer(packet), ldns_pkt_authority(packet));
    bool is_end = name && ldns_dname_compare(name, run->dname) == 0;
    ldns_rdf_deep_free(name);
    (void)query;
    if (is_end) {
        run->view.chain = chain;
        return;
    }
    enter(run, run->sought, chain);
    ask_next(run);
}

/* The parent's server holds the zone as well: it answers in its place, and has to be asked for what only
 * the parent has. */
static void take_inside(struct zone_run *run, const struct zone_query *query,
                        const ldns_pkt *packet)
{
    bool is_end = strcmp(run->sought, run->name) == 0;
    if (is_end) {
        run->view.chain = vouch_for(run, run->dname, NULL, NULL);
        take_delegation(run, ldns_pkt_answer(packet), ldns_pkt_additional(packet));
        if (!ldns_dname_label_count(run->dname) || is_anchored_at(run, run->dname))
            return;
    }
    if (!is_end && !run->given) {
        enter(run, run->sought, DNSSEC_UNCHECKED);
        ask_next(run);
        return;
    }
    zone_send(run, &(struct zone_query){.name = run->sought,
                                        .type = "DS",
                                        .server = query->server,
                                        .is_once = is_end,
                                        .done = on_inner_ds});
}

/* Going down. */

static void on_cut_server(struct zone_run *run, int about, const struct lookup_result *result)
{
    (void)about;
    for (size_t i = 0; i < result->count; i++)
        add_cut_server(&run->cut, &result->addrs[i]);
    if (!run->cut.count && run->cut_name < run->cut_name_count)
        zone_look_up(run, run->cut_names[run->cut_name++], 0, on_cut_server);
    else
        ask_next(run);
}

static void add_glue(struct zone_run *run, const ldns_rdf *server, const ldns_rr_list *additional)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(additional); i++) {
        const ldns_rr *glue = ldns_rr_list_rr(additional, i);
        struct addr addr = dns_record_addr(glue);
        if (ldns_dname_compare(ldns_rr_owner(glue), server) == 0)
            add_cut_server(&run->cut, &addr);
    }
}

/* To the servers of the zone that the section delegates, by their addresses if the parent knows them. */
static void descend(struct zone_run *run, const ldns_rdf *next, const ldns_pkt *packet)
{
    const ldns_rr_list *section = ldns_pkt_authority(packet);
    char above[DNS_NAME_TEXT], name[DNS_NAME_TEXT];
    strcpy(above, run->cut.name);
    zone_name_text(next, name);
    enter(run, name, vouch_for(run, next, section, section));
    run->cut.count = run->cut_name = run->cut_name_count = 0;
    for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
        const ldns_rr *record = ldns_rr_list_rr(section, i);
        const ldns_rdf *server = ldns_rr_rdf(record, 0);
        if (ldns_rr_get_type(record) != LDNS_RR_TYPE_NS || !server ||
            ldns_dname_compare(ldns_rr_owner(record), next) != 0)
            continue;
        if (run->cut_name_count < ZONE_CUT_NAMES_MAX)
            zone_name_text(server, run->cut_names[run->cut_name_count++]);
        if (zone_is_within(server, above))
            add_glue(run, server, ldns_pkt_additional(packet));
    }
    on_cut_server(run, 0, &(struct lookup_result){.status = LOOKUP_OK});
}

/* The zone that a reply delegates: below this one, and the one that is sought or above it; NULL if there is
 * none. */
static const ldns_rdf *delegated_zone(const struct zone_run *run, const ldns_rr_list *section)
{
    char text[DNS_NAME_TEXT];
    for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
        const ldns_rr *record = ldns_rr_list_rr(section, i);
        const ldns_rdf *owner = ldns_rr_owner(record);
        zone_name_text(owner, text);
        if (ldns_rr_get_type(record) == LDNS_RR_TYPE_NS && text[0] &&
            strcmp(text, run->cut.name) != 0 && zone_is_within(owner, run->cut.name) &&
            zone_is_within(run->dname, text))
            return owner;
    }
    return NULL;
}

/* An answer with authority: the zone is held here too, there is none of this name, or no name at all. */
static void take_authority(struct zone_run *run, const struct zone_query *query,
                           const struct dns_reply *reply, enum outcome outcome)
{
    bool is_whole = strcmp(run->sought, run->name) == 0;
    if (outcome == OUTCOME_OK) {
        take_inside(run, query, reply->packet);
    } else if (outcome == OUTCOME_EMPTY && !is_whole) {
        ask_longer(run, run->labels + 1);
        ask_next(run);
    } else {
        end_walk(run, outcome, reply->rcode);
    }
}

static void on_delegation(struct zone_run *run, const struct zone_query *query,
                          const struct dns_result *result)
{
    const struct dns_reply *reply = result->reply;
    enum outcome outcome = reply ? dns_outcome(reply) : result->answer.outcome;
    bool has_authority = reply && reply->is_authoritative && reply->packet;
    const ldns_rdf *next = NULL;
    if (reply && reply->packet && !has_authority)
        next = delegated_zone(run, ldns_pkt_authority(reply->packet));
    bool is_answer = next || (has_authority && (outcome == OUTCOME_OK || outcome == OUTCOME_EMPTY ||
                                                outcome == OUTCOME_NAME_ERROR));
    if (is_answer && ++run->questions < QUESTIONS_MAX) {
        if (!next) {
            take_authority(run, query, reply, outcome);
        } else if (ldns_dname_compare(next, run->dname) == 0) {
            run->view.is_parent_seen = true;
            run->view.chain = vouch_for(run, next, ldns_pkt_authority(reply->packet),
                                        ldns_pkt_authority(reply->packet));
            take_delegation(run, ldns_pkt_authority(reply->packet),
                            ldns_pkt_additional(reply->packet));
        } else {
            descend(run, next, reply->packet);
        }
        return;
    }
    bool is_lame = outcome == OUTCOME_OK || outcome == OUTCOME_EMPTY;
    if (!is_top(run))
        end_walk(run, is_lame ? OUTCOME_LAME : outcome, result->answer.code);
    ask_next(run);
}

static void ask_next(struct zone_run *run)
{
    struct zone_cut *cut = &run->cut;
    bool is_for_keys = needs_keys(run);
    while (run->tried < cut->count && run->asked < TRIES_MAX) {
        struct addr server = cut->servers[(run->first + run->tried++) % cut->count];
        if (!zone_may_ask(run, &server))
            continue;
        run->asked++;
        zone_send(run, &(struct zone_query){.name = is_for_keys ? cut->name : run->sought,
                                            .type = is_for_keys ? "DNSKEY" : "NS",
                                            .server = server,
                                            .is_once = true,
                                            .done = is_for_keys ? on_keys : on_delegation});
        return;
    }
    give_up(run);
}

void zone_walk_begin(struct zone_run *run)
{
    run->first = run->memory->turn++;
    if (!recall_cut(run))
        begin_at_top(run);
    ask_next(run);
}
