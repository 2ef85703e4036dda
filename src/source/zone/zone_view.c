#include "source/zone/zone_view.h"

#include <string.h>
#include <strings.h>

int zone_view_name(struct zone_view *view, const char *text)
{
    for (size_t i = 0; i < view->name_count; i++)
        if (strcasecmp(view->names[i].text, text) == 0)
            return (int)i;
    if (view->name_count == ZONE_NAMES_MAX || strlen(text) >= DNS_NAME_TEXT) {
        view->is_more = true;
        return -1;
    }
    strcpy(view->names[view->name_count].text, text);
    return (int)view->name_count++;
}

bool zone_serial_is_behind(uint32_t a, uint32_t b)
{
    uint32_t ahead = b - a;
    return ahead != 0 && ahead < 0x80000000U;
}

/* ---- the servers ---- */

static bool serves(const struct zone_server *server)
{
    return server->udp.outcome == OUTCOME_OK || server->tcp.outcome == OUTCOME_OK;
}

static bool was_asked(const struct zone_server *server)
{
    return server->udp.outcome != OUTCOME_NONE || server->tcp.outcome != OUTCOME_NONE;
}

/* Is it our own failure, which says nothing of the server? */
static bool is_ours(enum outcome outcome)
{
    return outcome_class(outcome) == OUTCOME_CLASS_OURS;
}

static bool has_answered(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_SERVER_FAILURE:
    case OUTCOME_NAME_ERROR:
    case OUTCOME_DNS_REFUSED:
    case OUTCOME_DNS_ERROR:
    case OUTCOME_LAME:
    case OUTCOME_EMPTY:
        return true;
    default:
        return false;
    }
}

static bool is_well(const struct zone_server *server)
{
    return (server->udp.outcome == OUTCOME_OK || is_ours(server->udp.outcome)) &&
           (server->tcp.outcome == OUTCOME_OK || is_ours(server->tcp.outcome)) && !server->is_stale;
}

static uint32_t names_of(const struct zone_view *view, bool of_parent)
{
    uint32_t set = 0;
    for (size_t i = 0; i < view->name_count; i++)
        if (of_parent ? view->names[i].is_at_parent : view->names[i].is_in_zone)
            set |= 1U << i;
    return set;
}

static bool has_addr(const struct addr *addrs, size_t count, const struct addr *addr)
{
    for (size_t i = 0; i < count; i++)
        if (addr_compare(&addrs[i], addr) == 0)
            return true;
    return false;
}

/* An address of `a` of a family that `b` has others of; -1 if there is none. A set that is left out says
 * nothing. */
static int odd_addr(const struct addr *a, size_t a_count, const struct addr *b, size_t b_count)
{
    for (size_t i = 0; i < a_count; i++) {
        bool has_family = false;
        for (size_t j = 0; j < b_count; j++)
            has_family |= a[i].family == b[j].family;
        if (has_family && !has_addr(b, b_count, &a[i]))
            return (int)i;
    }
    return -1;
}

static bool differs(const struct zone_view *view)
{
    uint32_t own = names_of(view, false);
    bool is_odd = view->is_parent_seen && own && own != names_of(view, true);
    for (size_t i = 0; i < view->server_count; i++)
        is_odd |= view->servers[i].has_names && view->servers[i].names != own;
    for (size_t i = 0; i < view->name_count; i++) {
        const struct zone_name *name = &view->names[i];
        is_odd |= odd_addr(name->parent, name->parent_count, name->own, name->own_count) >= 0;
    }
    return is_odd;
}

/* ---- what it comes to ---- */

/* Why nobody serves the zone. Who answers says more than who is silent; SERVFAIL by all of them, as by
 * secondaries whose copy has expired, more than that they do not hold it. */
static void judge_unserved(const struct zone_view *view, struct answer *out)
{
    const struct zone_heard *said = NULL, *silent = NULL;
    bool is_same = true, is_silence_same = true, is_ours_alone = true, is_unknown = false;
    for (size_t i = 0; i < view->name_count; i++)
        is_unknown |= view->names[i].is_unknown;
    for (size_t i = 0; i < view->server_count; i++) {
        const struct zone_heard *heard = &view->servers[i].udp;
        if (is_ours(heard->outcome))
            continue;
        is_ours_alone = false;
        if (has_answered(heard->outcome)) {
            is_same &= !said || said->outcome == heard->outcome;
            said = said ? said : heard;
        } else {
            is_silence_same &= !silent || silent->outcome == heard->outcome;
            silent = silent ? silent : heard;
        }
    }
    out->stage = STAGE_REPLY;
    if (!view->server_count && !is_unknown) {
        out->outcome = OUTCOME_NO_ADDRESS;
        out->stage = STAGE_RESOLVE;
    } else if (is_ours_alone) {
        out->outcome = OUTCOME_SELF;
    } else if (said) {
        bool is_failure = is_same && said->outcome == OUTCOME_SERVER_FAILURE;
        out->outcome = is_failure ? OUTCOME_SERVER_FAILURE : OUTCOME_LAME;
        out->code = is_same ? said->code : 0;
        out->rtt_ns = said->rtt_ns;
    } else {
        out->outcome = is_silence_same && silent ? silent->outcome : OUTCOME_TIMEOUT;
        out->code = is_silence_same && silent ? silent->code : 0;
    }
}

/* What the zone's signatures are worth to those who validate: they ask on until a server gives what is
 * good, so it is good if it is at one. */
static enum dnssec worth(const struct zone_view *view)
{
    enum dnssec best = DNSSEC_UNCHECKED;
    if (view->chain > DNSSEC_UNSUPPORTED)
        return view->chain;
    for (size_t i = 0; i < view->server_count; i++) {
        enum dnssec one = view->servers[i].dnssec;
        if (one != DNSSEC_UNCHECKED && (best == DNSSEC_UNCHECKED || one < best))
            best = one;
    }
    return best;
}

static enum outcome judge_signatures(const struct zone_view *view)
{
    enum dnssec dnssec = worth(view);
    if (dnssec == DNSSEC_EXPIRED)
        return OUTCOME_DNSSEC_EXPIRED;
    if (dnssec == DNSSEC_BOGUS || dnssec == DNSSEC_EARLY)
        return OUTCOME_DNSSEC_BOGUS;
    bool is_rejected = view->resolver == RESOLVER_REJECTS && dnssec != DNSSEC_VALID;
    return is_rejected ? OUTCOME_DNSSEC_BOGUS : OUTCOME_OK;
}

static bool is_degraded(const struct zone_view *view)
{
    bool is_cut_off = view->is_remembered && view->parent[0];
    bool is_ill = differs(view) || is_cut_off || view->resolver == RESOLVER_REJECTS;
    for (size_t i = 0; i < view->name_count; i++)
        is_ill |= view->names[i].has_no_address;
    for (size_t i = 0; i < view->server_count; i++) {
        const struct zone_server *server = &view->servers[i];
        is_ill |= !is_well(server) || server->dnssec > DNSSEC_UNSUPPORTED;
    }
    return is_ill;
}

void zone_view_judge(const struct zone_view *view, struct answer *out)
{
    bool is_served = false;
    *out = (struct answer){.value = view->serial};
    for (size_t i = 0; i < view->server_count; i++) {
        const struct zone_heard *udp = &view->servers[i].udp;
        is_served |= serves(&view->servers[i]);
        if (udp->outcome == OUTCOME_OK && udp->rtt_ns &&
            (!out->rtt_ns || udp->rtt_ns < out->rtt_ns))
            out->rtt_ns = udp->rtt_ns;
    }
    if (view->delegation != OUTCOME_OK) {
        out->outcome = view->delegation;
        out->code = view->delegation_code;
        out->stage = STAGE_RESOLVE;
    } else if (!is_served) {
        judge_unserved(view, out);
    } else {
        out->outcome = judge_signatures(view);
        out->stage = STAGE_REPLY;
        if (out->outcome != OUTCOME_OK)
            return;
        out->outcome = is_degraded(view) ? OUTCOME_DEGRADED : OUTCOME_OK;
        out->stage = STAGE_DONE;
    }
}

/* ---- what is told of it ---- */

static void add_line(struct account *account, enum fact fact, struct buffer *line)
{
    account_add(account, fact, line->bytes, line->size);
    buffer_clear(line);
}

static void put_server(const struct zone_view *view, const struct zone_server *server,
                       struct buffer *out)
{
    char addr[ADDR_TEXT_MAX];
    buffer_printf(out, "%s %s", view->names[server->name].text, addr_format(&server->addr, addr));
}

static void tell_names(const struct zone_view *view, struct account *account)
{
    for (size_t i = 0; i < view->name_count; i++) {
        const struct zone_name *name = &view->names[i];
        size_t n = strlen(name->text);
        if (name->is_at_parent && view->is_parent_seen)
            account_add(account, FACT_NS_PARENT, name->text, n);
        if (name->is_in_zone)
            account_add(account, FACT_NS_ZONE, name->text, n);
    }
}

static void tell_odd_name(const struct zone_view *view, const struct zone_name *name,
                          struct account *account, struct buffer *line)
{
    char addr[ADDR_TEXT_MAX];
    if (view->is_parent_seen && names_of(view, false) && name->is_at_parent != name->is_in_zone) {
        buffer_printf(line, "%s only %s", name->text,
                      name->is_at_parent ? "at the parent" : "in the zone");
        add_line(account, FACT_NS_DIFFERENCE, line);
    }
    int odd = odd_addr(name->parent, name->parent_count, name->own, name->own_count);
    if (odd >= 0) {
        buffer_printf(line, "%s is %s at the parent, not in the zone", name->text,
                      addr_format(&name->parent[odd], addr));
        add_line(account, FACT_NS_DIFFERENCE, line);
    }
}

static void tell_differences(const struct zone_view *view, struct account *account)
{
    struct buffer line = {0};
    for (size_t i = 0; i < view->name_count; i++)
        tell_odd_name(view, &view->names[i], account, &line);
    for (size_t i = 0; i < view->server_count; i++) {
        const struct zone_server *server = &view->servers[i];
        if (!server->has_names || server->names == names_of(view, false))
            continue;
        put_server(view, server, &line);
        buffer_puts(&line, " names other servers of the zone than others do");
        add_line(account, FACT_NS_DIFFERENCE, &line);
    }
    buffer_done(&line);
}

static void put_fault(const struct zone_server *server, struct buffer *out)
{
    bool is_good_by_udp = server->udp.outcome == OUTCOME_OK;
    bool is_good_by_tcp = server->tcp.outcome == OUTCOME_OK || is_ours(server->tcp.outcome);
    if (!is_good_by_udp && !is_ours(server->udp.outcome))
        buffer_printf(out, ": %s%s", outcome_name(server->udp.outcome),
                      is_good_by_tcp ? " by UDP" : "");
    else if (!is_good_by_tcp)
        buffer_printf(out, ": %s by TCP", outcome_name(server->tcp.outcome));
    if (server->is_stale)
        buffer_printf(out, ": stays behind");
    if (server->dnssec > DNSSEC_UNSUPPORTED)
        buffer_printf(out, ": signatures %s", dnssec_name(server->dnssec));
}

static void tell_servers(const struct zone_view *view, struct account *account)
{
    struct buffer line = {0};
    uint32_t skew = 0;
    int64_t expires_s = 0;
    for (size_t i = 0; i < view->name_count; i++) {
        if (!view->names[i].has_no_address)
            continue;
        buffer_printf(&line, "%s has no address", view->names[i].text);
        add_line(account, FACT_NS_FAULTS, &line);
    }
    for (size_t i = 0; i < view->server_count; i++) {
        const struct zone_server *server = &view->servers[i];
        put_server(view, server, &line);
        if (serves(server)) {
            buffer_printf(&line, ": %u", server->serial);
            account_add(account, FACT_SERIALS, line.bytes, line.size);
            uint32_t behind = view->serial - server->serial;
            skew = behind > skew ? behind : skew;
        }
        if (server->expires_s && (!expires_s || server->expires_s < expires_s))
            expires_s = server->expires_s;
        buffer_clear(&line);
        if (!was_asked(server) || (is_well(server) && server->dnssec <= DNSSEC_UNSUPPORTED))
            continue;
        put_server(view, server, &line);
        put_fault(server, &line);
        add_line(account, FACT_NS_FAULTS, &line);
    }
    buffer_done(&line);
    if (skew)
        account_number(account, FACT_SERIAL_SKEW, skew);
    if (view->expire_s)
        account_number(account, FACT_SOA_EXPIRE, view->expire_s);
    if (expires_s)
        account_number(account, FACT_ZONE_EXPIRES, expires_s);
}

static void tell_signatures(const struct zone_view *view, struct account *account)
{
    struct buffer line = {0};
    enum dnssec dnssec = worth(view);
    if (view->broken_at[0])
        buffer_printf(&line, "%s, from %s on", dnssec_name(view->chain), view->broken_at);
    else if (view->is_anchored)
        buffer_puts(&line, dnssec_name(dnssec));
    else
        buffer_puts(&line, view->is_signed ? "signed, but nothing above says so" : "not signed");
    account_text(account, FACT_DNSSEC, line.bytes, line.size);
    buffer_done(&line);
    if (view->signed_until_s) {
        account_number(account, FACT_SIGNED_FROM, view->signed_from_s);
        account_number(account, FACT_SIGNED_UNTIL, view->signed_until_s);
    }
}

static void tell_resolver(const struct zone_view *view, struct account *account)
{
    static const char *const texts[] = {
        [RESOLVER_ANSWERS] = "answers",
        [RESOLVER_VALIDATES] = "answers, and has validated it",
        [RESOLVER_REJECTS] = "SERVFAIL, and an answer if it need not validate: bogus to it",
    };
    struct buffer line = {0};
    if (view->resolver == RESOLVER_UNASKED)
        return;
    if (view->resolver == RESOLVER_FAILS)
        buffer_puts(&line, outcome_name(view->resolver_outcome));
    else
        buffer_puts(&line, texts[view->resolver]);
    account_text(account, FACT_RESOLVER, line.bytes, line.size);
    buffer_done(&line);
}

void zone_view_tell(const struct zone_view *view, struct account *account)
{
    if (!account)
        return;
    if (view->parent[0])
        account_text(account, FACT_PARENT_ZONE, view->parent, strlen(view->parent));
    tell_names(view, account);
    if (view->delegation != OUTCOME_OK)
        return;
    tell_differences(view, account);
    tell_servers(view, account);
    tell_signatures(view, account);
    tell_resolver(view, account);
}
