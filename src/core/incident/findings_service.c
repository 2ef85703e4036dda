#include "core/incident/findings.h"

#include "base/mem.h"

#include <stdlib.h>

/* How many failed targets of a layer (LAYER_COUNT: of any) bear all these flags; *of: how many
 * failed. */
static size_t count_flags(const struct scene *scene, enum layer layer, uint32_t flags, size_t *of)
{
    size_t n = 0;
    *of = 0;
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        if (!was_asked(s) || (layer != LAYER_COUNT && s->member->layer != (uint8_t)layer))
            continue;
        (*of)++;
        n += (s->track->flags & flags) == flags;
    }
    return n;
}

static void flag_finding(const struct scene *scene, enum evidence_kind kind, enum layer layer,
                         uint32_t flags)
{
    size_t m, n = count_flags(scene, layer, flags, &m);
    if (m)
        finding_set(scene, kind, n ? TRUTH_PRESENT : TRUTH_ABSENT, n, m);
}

/* How a service became unreachable while its host answered otherwise. One that hangs is connected to
 * all the same; and where a port is closed, a connection from before may be the first to fall silent. */
static bool fell_silent(const struct suspect *s)
{
    const uint32_t silent = TRACK_UNCONNECTED | TRACK_HOST_ANSWERED;
    return (s->track->flags & (silent | TRACK_ERROR | TRACK_EXPIRED | TRACK_SAID_SO)) == silent;
}

static bool was_refused(const struct suspect *s)
{
    const uint32_t refused = TRACK_REFUSED | TRACK_HOST_ANSWERED;
    return (s->track->flags & (refused | TRACK_EXPIRED | TRACK_SAID_SO)) == refused;
}

/* On how many hosts services failed, on how many of them in this way, and whether those did so at the
 * same moment in more than one network. */
struct closing {
    size_t hosts, closed;
    bool is_together;
};

static struct closing find_closing(const struct scene *scene,
                                   bool (*is_closed)(const struct suspect *))
{
    struct closing found = {0};
    size_t domains = scene->watch->domains.count;
    const struct suspect **first = mem_new(domains, sizeof *first); /* closed, of each host */
    struct interval *downs = mem_new(domains, sizeof *downs);
    uint8_t *has_failed_one = mem_new(domains, 1);
    uint64_t network = 0;
    bool is_spread = scene->file->networks_watched == 1;
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        if (!was_asked(s) || s->member->layer != LAYER_SERVICE)
            continue;
        uint32_t host = s->member->domain;
        found.hosts += !has_failed_one[host];
        has_failed_one[host] = 1;
        if (is_closed(s) && (!first[host] || s->track->down.first_after.ns <
                                                 first[host]->track->down.first_after.ns))
            first[host] = s;
    }
    for (size_t i = 0; i < domains; i++) {
        if (!first[i])
            continue;
        is_spread |= found.closed && first[i]->domain->network != network;
        network = first[i]->domain->network;
        downs[found.closed++] = first[i]->track->down;
    }
    spans_sort(downs, found.closed);
    found.is_together = is_spread && found.closed >= 2 &&
                        spans_common(downs, found.closed, NULL) * 5 >= found.hosts * 4;
    free(first);
    free(downs);
    free(has_failed_one);
    return found;
}

static void ports_findings(const struct scene *scene)
{
    struct closing silent = find_closing(scene, fell_silent);
    struct closing refused = find_closing(scene, was_refused);
    if (silent.is_together)
        finding_set(scene, EVIDENCE_PORTS_SILENT, TRUTH_PRESENT, silent.closed, silent.hosts);
    else if (refused.is_together)
        finding_set(scene, EVIDENCE_PORTS_REFUSED, TRUTH_PRESENT, refused.closed, refused.hosts);
    else if (silent.hosts >= 2 && silent.closed * 5 < silent.hosts * 4)
        finding_set(scene, EVIDENCE_PORTS_SILENT, TRUTH_ABSENT, silent.closed, silent.hosts);
}

static void service_findings(const struct scene *scene)
{
    size_t services = 0;
    for (size_t i = 0; i < scene->count; i++)
        services += scene->suspects[i].member->layer == LAYER_SERVICE;
    size_t m, n = count_flags(scene, LAYER_SERVICE, TRACK_HOST_ANSWERED, &m);
    size_t any;
    count_flags(scene, LAYER_COUNT, 0, &any);
    if (services && any)
        finding_set(scene, EVIDENCE_PARTIAL_SERVICES, n ? TRUTH_PRESENT : TRUTH_ABSENT, n,
                    m ? m : services);
    flag_finding(scene, EVIDENCE_LAST_HOP_SPEAKS, LAYER_COUNT, TRACK_HOST_UNREACHABLE);
    flag_finding(scene, EVIDENCE_NO_ROUTE_SAID, LAYER_COUNT, TRACK_NO_ROUTE);
    flag_finding(scene, EVIDENCE_PROHIBITED, LAYER_COUNT, TRACK_PROHIBITED);
    flag_finding(scene, EVIDENCE_WRONG_ANSWERS, LAYER_NAME, TRACK_WRONG);
    flag_finding(scene, EVIDENCE_SERVICE_ERRORS, LAYER_SERVICE, TRACK_ERROR);
    flag_finding(scene, EVIDENCE_SILENT_SERVICES, LAYER_SERVICE, TRACK_TIMEOUT | TRACK_HOST_PINGED);
    ports_findings(scene);
    flag_finding(scene, EVIDENCE_EXPIRED, LAYER_SERVICE, TRACK_EXPIRED);
    flag_finding(scene, EVIDENCE_SAID_SO, LAYER_SERVICE, TRACK_SAID_SO);
    for (size_t i = 0; i < scene->count; i++)
        if (has_failed(&scene->suspects[i]) && (scene->suspects[i].track->flags & TRACK_EXPIRED) &&
            !is_known(&scene->findings[EVIDENCE_EXPIRED].first))
            scene->findings[EVIDENCE_EXPIRED].first = scene->suspects[i].track->down;
}

/* Name servers, however many questions each is asked. */
static size_t count_name_servers(const struct scene *scene, bool only_failed)
{
    uint8_t *seen = mem_new(scene->watch->domains.count, 1);
    size_t n = 0;
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        if (!is_target(s) || s->member->layer != LAYER_NAME || (only_failed && !has_failed(s)))
            continue;
        n += !seen[s->member->domain];
        seen[s->member->domain] = 1;
    }
    free(seen);
    return n;
}

static void unresolved_finding(const struct scene *scene)
{
    size_t n = 0, m = 0, answered = 0, failed = 0;
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        bool is_name = is_target(s) && s->member->layer == LAYER_NAME && !is_zone(scene, s);
        bool is_service = is_target(s) && s->member->layer == LAYER_SERVICE && has_failed(s);
        failed += is_name && has_failed(s);
        answered += is_name && !has_failed(s) && s->track->has_data;
        m += is_service;
        n += is_service && (s->track->flags & TRACK_UNRESOLVED);
    }
    if (m && answered && !failed)
        finding_set(scene, EVIDENCE_UNRESOLVED, n ? TRUTH_PRESENT : TRUTH_ABSENT, n, m);
}

/* Only of name servers whose host is pinged and was not lost: silence of the others says nothing of
 * names. */
static void silent_names_finding(const struct scene *scene)
{
    enum { PINGED = 1, LOST = 2, FAILED = 4, SILENT = 8 };
    uint8_t *seen = mem_new(scene->watch->domains.count, 1);
    size_t n = 0, m = 0;
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        uint32_t flags = s->track->flags;
        uint8_t *host = &seen[s->member->domain];
        if (!is_target(s))
            continue;
        if (s->member->layer == LAYER_HOST)
            *host |= has_failed(s) ? LOST : s->track->has_data ? PINGED : 0;
        else if (s->member->layer == LAYER_NAME && has_failed(s))
            *host |=
                (flags & TRACK_TIMEOUT) && (flags & TRACK_HOST_PINGED) ? FAILED | SILENT : FAILED;
    }
    for (size_t i = 0; i < scene->watch->domains.count; i++) {
        bool counts = (seen[i] & (PINGED | LOST | FAILED)) == (PINGED | FAILED);
        m += counts;
        n += counts && (seen[i] & SILENT);
    }
    free(seen);
    if (m)
        finding_set(scene, EVIDENCE_SILENT_NAMES, n ? TRUTH_PRESENT : TRUTH_ABSENT, n, m);
}

/* Hosts that are degraded are not well, but did not fail either: then it is not told. Nor is it where
 * names are not found although name servers answer: see unresolved_finding(). */
static void name_finding(const struct scene *scene)
{
    size_t names = count_name_servers(scene, false);
    size_t failed = count_name_servers(scene, true);
    bool has_hosts = false, is_more_in = false, has_more_failed = false, is_unresolved = false;
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        bool is_host = is_target(s) && s->member->layer == LAYER_HOST;
        has_hosts |= is_host;
        is_unresolved |= is_target(s) && has_failed(s) && !was_asked(s);
        is_more_in |= s->is_in && (is_host || is_route(s));
        has_more_failed |= (is_host && has_failed(s)) || (is_route(s) && s->is_in);
    }
    if (failed && has_hosts && !is_more_in)
        finding_set(scene, EVIDENCE_ONLY_NAMES, TRUTH_PRESENT, failed, names);
    else if (has_more_failed || (!failed && !is_unresolved))
        finding_set(scene, EVIDENCE_ONLY_NAMES, TRUTH_ABSENT, failed, names);
}

void findings_of_services(const struct scene *scene)
{
    service_findings(scene);
    name_finding(scene);
    unresolved_finding(scene);
    silent_names_finding(scene);
}
