#include "source/survey/survey_names.h"

#include "base/mem.h"
#include "source/dns/dns_exchange.h"
#include "sys/entropy.h"

#include <inttypes.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A resolver may have to ask its way down from the root. */
#define TIMEOUT_NS (4 * NS_PER_S)
enum { FLIGHTS = 4, TRIES_MAX = 2, INQUIRIES_MAX = 8192 };

static const struct {
    const char *label;
    unsigned role;
} common_hosts[] = {
#define LABEL(label, role) {label, role},
#include "source/survey/common_hosts.def"
#undef LABEL
};
static const char *const common_zones[] = {
#define ZONE(label) label,
#include "source/survey/common_zones.def"
#undef ZONE
};
enum {
    COMMON_HOSTS = sizeof common_hosts / sizeof *common_hosts,
    COMMON_ZONES = sizeof common_zones / sizeof *common_zones
};

enum purpose {
    FIND_ZONE,    /* NS: if it is one, its name servers */
    FIND_MAIL,    /* MX */
    FIND_HOST,    /* A, AAAA */
    FIND_ANY_NAME /* A, AAAA of a name that nobody has made */
};

struct inquiry {
    char name[SURVEY_NAME_TEXT];
    const char *type;
    enum purpose purpose;
    unsigned role; /* of the host */
    size_t zone;   /* in which it was thought of */
    unsigned tries;
};

/* A question under way. */
struct flight {
    struct survey_names *names;
    struct dns_exchange *exchange; /* NULL: free */
    struct stopwatch watch;
    size_t inquiry;
};

struct survey_names {
    struct survey_names_options options;
    struct survey *survey;
    struct agenda *agenda;
    struct inquiry *inquiries;
    size_t count, capacity, next, finished, answered, unanswered;
    struct flight flights[FLIGHTS];
    size_t flying;
    struct survey_host any_name[SURVEY_ZONES_MAX]; /* what a name that nobody made leads to */
    bool has_zone;
    struct why failure;
};

/* ---- what is asked ---- */

static bool is_asked(const struct survey_names *names, const char *name, const char *type)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->inquiries[i].name, name) == 0 &&
            strcmp(names->inquiries[i].type, type) == 0)
            return true;
    return false;
}

static void ask(struct survey_names *names, const struct inquiry *inquiry)
{
    if (is_asked(names, inquiry->name, inquiry->type))
        return;
    if (names->count == INQUIRIES_MAX) {
        names->survey->refused++;
        return;
    }
    names->inquiries =
        mem_grow(names->inquiries, &names->capacity, names->count + 1, sizeof *names->inquiries);
    names->inquiries[names->count++] = *inquiry;
}

static void ask_addresses(struct survey_names *names, const char *name, enum purpose purpose,
                          unsigned role, size_t zone)
{
    struct inquiry inquiry = {.type = "A", .purpose = purpose, .role = role, .zone = zone};
    strcpy(inquiry.name, name);
    ask(names, &inquiry);
    inquiry.type = "AAAA";
    ask(names, &inquiry);
}

/* "label" below a zone; false if that is too long. */
static bool join(const char *label, const char *zone, char out[SURVEY_NAME_TEXT])
{
    int n = snprintf(out, SURVEY_NAME_TEXT, "%s.%s", label, zone);
    return n > 0 && n < SURVEY_NAME_TEXT;
}

static bool is_top_level(const char *zone)
{
    const char *dot = strchr(zone, '.');
    return dot && !dot[1];
}

static void ask_zone(struct survey_names *names, const char *name, const char *type,
                     enum purpose purpose, size_t zone)
{
    struct inquiry inquiry = {.type = type, .purpose = purpose, .zone = zone};
    strcpy(inquiry.name, name);
    ask(names, &inquiry);
}

/* Below the zones of a country only what has pages is looked for: those zones are not its own. */
static void look_into(struct survey_names *names, size_t zone)
{
    const char *name = names->survey->zones[zone];
    char below[SURVEY_NAME_TEXT], label[32];
    snprintf(label, sizeof label, "nobody-%08" PRIx32, (uint32_t)entropy_u64());
    if (join(label, name, below))
        ask_addresses(names, below, FIND_ANY_NAME, 0, zone);
    ask_zone(names, name, "MX", FIND_MAIL, zone);
    for (size_t i = 0; i < COMMON_HOSTS; i++)
        if ((!zone || common_hosts[i].role == SURVEY_WEB) &&
            join(common_hosts[i].label, name, below))
            ask_addresses(names, below, FIND_HOST, common_hosts[i].role, zone);
    for (size_t i = 0; !zone && is_top_level(name) && i < COMMON_ZONES; i++)
        if (join(common_zones[i], name, below))
            ask_zone(names, below, "NS", FIND_ZONE, zone);
}

/* Of a name that was given is not known what it is: a host, one that has its pages at www, or a zone. */
static void look_for_given(struct survey_names *names)
{
    char below[SURVEY_NAME_TEXT];
    for (size_t i = 0; i < names->options.name_count; i++) {
        const char *name = names->options.names[i];
        ask_addresses(names, name, FIND_HOST, SURVEY_HOST, 0);
        ask_zone(names, name, "NS", FIND_ZONE, 0);
        if (strncmp(name, "www.", 4) != 0 && strncmp(name, "ns", 2) != 0 &&
            join("www", name, below))
            ask_addresses(names, below, FIND_HOST, SURVEY_WEB, 0);
    }
}

/* ---- what is answered ---- */

/* A name in a record, as a survey keeps it. */
static bool name_of(const ldns_rdf *rdf, char out[SURVEY_NAME_TEXT])
{
    bool is_name = rdf && ldns_rdf_get_type(rdf) == LDNS_RDF_TYPE_DNAME;
    char *text = is_name ? ldns_rdf2str(rdf) : NULL;
    bool is_kept = text && survey_name(text, out);
    free(text);
    return is_kept;
}

static void take_server(struct survey_names *names, const ldns_rdf *target, unsigned role,
                        size_t zone)
{
    char name[SURVEY_NAME_TEXT];
    if (!name_of(target, name))
        names->survey->refused++;
    else if (survey_add_host(names->survey, name, role, zone))
        ask_addresses(names, name, FIND_HOST, role, zone);
}

static void take_address(struct survey_names *names, const struct inquiry *inquiry,
                         const ldns_rr *record)
{
    struct addr addr = dns_record_addr(record);
    if (!addr.family)
        return;
    struct survey_host *host =
        inquiry->purpose == FIND_ANY_NAME
            ? &names->any_name[inquiry->zone]
            : survey_add_host(names->survey, inquiry->name, inquiry->role, inquiry->zone);
    if (host)
        survey_host_add(host, &addr);
}

static void take_record(struct survey_names *names, const struct inquiry *inquiry,
                        const ldns_rr *record)
{
    char owner[SURVEY_NAME_TEXT];
    ldns_rr_type type = ldns_rr_get_type(record);
    if (type == LDNS_RR_TYPE_A || type == LDNS_RR_TYPE_AAAA) {
        take_address(names, inquiry, record);
    } else if (type == LDNS_RR_TYPE_MX && inquiry->purpose == FIND_MAIL) {
        take_server(names, ldns_rr_rdf(record, 1), SURVEY_MAIL, inquiry->zone);
    } else if (type == LDNS_RR_TYPE_NS && inquiry->purpose == FIND_ZONE &&
               name_of(ldns_rr_owner(record), owner) && strcmp(owner, inquiry->name) == 0) {
        size_t zone = survey_add_zone(names->survey, owner);
        if (zone != SIZE_MAX)
            take_server(names, ldns_rr_rdf(record, 0), SURVEY_NAME_SERVER, zone);
    }
}

/* The first question decides whether there is anything to look into. */
static void take_first(struct survey_names *names, const struct dns_reply *reply)
{
    const char *zone = names->options.zone;
    names->has_zone = names->survey->zone_count > 0;
    if (names->has_zone)
        return;
    if (reply->rcode == LDNS_RCODE_NXDOMAIN)
        why_set(&names->failure, ERR_NOT_FOUND, "there is no zone %s, says the resolver", zone);
    else if (reply->rcode != LDNS_RCODE_NOERROR)
        why_set(&names->failure, ERR_IO,
                "the resolver answered the question for %s with an error (rcode %u)", zone,
                (unsigned)reply->rcode);
    else
        why_set(&names->failure, ERR_NOT_FOUND,
                "%s has no name servers of its own, so it is no zone; give the one that it is in",
                zone);
}

static void take_section(struct survey_names *names, const struct inquiry *asked,
                         const ldns_rr_list *section)
{
    for (size_t i = 0; section && i < ldns_rr_list_rr_count(section); i++)
        take_record(names, asked, ldns_rr_list_rr(section, i));
}

static void take_reply(struct survey_names *names, const struct inquiry *inquiry,
                       const struct dns_reply *reply)
{
    struct inquiry asked = *inquiry; /* more questions move the list */
    size_t zones = names->survey->zone_count;
    if (reply->packet) {
        take_section(names, &asked, ldns_pkt_answer(reply->packet));
        if (asked.purpose == FIND_ZONE) /* who is no resolver refers to them */
            take_section(names, &asked, ldns_pkt_authority(reply->packet));
    }
    if (names->survey->zone_count > zones)
        look_into(names, zones);
    if (!names->answered)
        take_first(names, reply);
    if (!names->answered++ && names->has_zone)
        look_for_given(names);
}

/* Whether it was only found because any name is. */
static bool is_by_wildcard(const struct survey_names *names, const struct survey_host *host)
{
    const struct survey_host *any = &names->any_name[host->zone];
    for (size_t i = 0; i < host->addr_count; i++) {
        size_t k = 0;
        while (k < any->addr_count && addr_compare(&any->addrs[k], &host->addrs[i]) != 0)
            k++;
        if (k == any->addr_count)
            return false;
    }
    return !(host->roles & (SURVEY_NAME_SERVER | SURVEY_MAIL));
}

static void drop_wildcards(struct survey_names *names)
{
    struct survey *survey = names->survey;
    size_t kept = 0;
    for (size_t i = 0; i < survey->host_count; i++)
        if (!is_by_wildcard(names, &survey->hosts[i]))
            survey->hosts[kept++] = survey->hosts[i];
    survey->host_count = kept;
}

/* ---- asking ---- */

static void go_on(struct survey_names *names);
static void take_off(struct flight *flight);

static void on_done(void *context, const struct dns_result *result)
{
    struct flight *flight = context;
    struct survey_names *names = flight->names;
    struct inquiry *inquiry = &names->inquiries[flight->inquiry];
    flight->exchange = NULL;
    if (!result->reply && inquiry->tries < TRIES_MAX) {
        take_off(flight);
        return;
    }
    names->flying--;
    names->finished++;
    names->unanswered += !result->reply;
    if (result->reply)
        take_reply(names, inquiry, result->reply);
    go_on(names);
}

static void take_off(struct flight *flight)
{
    struct survey_names *names = flight->names;
    struct inquiry *inquiry = &names->inquiries[flight->inquiry];
    struct dns_call call = {.server = names->options.resolver,
                            .port = names->options.port,
                            .timeout_ns = TIMEOUT_NS,
                            .watch = &flight->watch,
                            .about = inquiry->name,
                            .done = on_done,
                            .context = flight};
    dns_query_make(inquiry->name, strlen(inquiry->name), inquiry->type, strlen(inquiry->type),
                   DNS_RECURSE | DNS_EDNS, (uint16_t)entropy_u64(), &call.query);
    inquiry->tries++;
    stopwatch_start(&flight->watch);
    flight->exchange = dns_exchange_new(names->agenda, &call);
}

static void end(struct survey_names *names)
{
    if (!names->answered)
        why_set(&names->failure, ERR_IO,
                "the resolver does not answer; name one that does with --resolver");
    survey_drop_hosts_without_address(names->survey);
    drop_wildcards(names);
    names->options.done(names->options.context);
}

/* The first question goes alone: if nobody answers that, nothing more is asked. */
static void go_on(struct survey_names *names)
{
    const struct survey_names_options *options = &names->options;
    if (options->progress)
        options->progress(options->context, names->finished, names->count);
    for (size_t i = 0; i < FLIGHTS && names->next < names->count; i++) {
        struct flight *flight = &names->flights[i];
        if (flight->exchange || (names->next && !names->has_zone))
            continue;
        *flight = (struct flight){.names = names, .inquiry = names->next++};
        names->flying++;
        take_off(flight);
    }
    if (!names->flying)
        end(names);
}

struct survey_names *survey_names_new(struct loop *loop, const struct survey_names_options *options,
                                      struct survey *survey)
{
    struct survey_names *names = mem_new(1, sizeof *names);
    names->options = *options;
    names->survey = survey;
    names->agenda = agenda_new(loop);
    ask_zone(names, options->zone, "NS", FIND_ZONE, 0);
    go_on(names);
    return names;
}

enum err survey_names_result(const struct survey_names *names, struct why *why)
{
    return names->failure.err ? why_set(why, names->failure.err, "%s", names->failure.text)
                              : ERR_OK;
}

size_t survey_names_unanswered(const struct survey_names *names)
{
    return names->unanswered;
}

void survey_names_free(struct survey_names *names)
{
    if (!names)
        return;
    for (size_t i = 0; i < FLIGHTS; i++)
        dns_exchange_abandon(names->flights[i].exchange);
    agenda_free(names->agenda);
    free(names->inquiries);
    free(names);
}
