#include "core/incident/findings.h"

#include "base/mem.h"

#include <stdlib.h>

static const int64_t AT_ONCE = 5 * NS_PER_MINUTE, TOGETHER = 10 * NS_PER_MINUTE;
/* Of the times of updates (detect/routes.h): no span of them is told as shorter. */
static const int64_t RESOLUTION = NS_PER_S;
enum { CALM_ROUNDS = 10, FLAPS = 3 };

struct route_counts {
    size_t known;   /* prefixes with data */
    size_t failing; /* that left up in the episode */
    size_t gone;
};

static struct route_counts count_routes(const struct scene *scene)
{
    struct route_counts counts = {0};
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        if (!is_route(s))
            continue;
        counts.known++;
        counts.failing += s->is_in && s->track->loss > 0.2;
        counts.gone += has_failed(s);
    }
    return counts;
}

/* For how long, as the data show, some host has been down, and in rounds of its probes. */
static bool hosts_were_long_down(const struct scene *scene)
{
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        if (!is_target(s) || !has_failed(s) || s->member->layer == LAYER_SERVICE)
            continue;
        int64_t end = s->track->condition == CONDITION_DOWN ? scene->observer->now.ns
                                                            : s->track->up_last.first_after.ns;
        int64_t length = end - s->track->down.first_after.ns;
        if (length >= TOGETHER || length >= CALM_ROUNDS * s->track->sight.round_ns)
            return true;
    }
    return false;
}

static void calm_finding(const struct scene *scene, const struct route_counts *routes)
{
    if (!routes->known || !hosts_were_long_down(scene))
        return;
    size_t calm = routes->known - routes->failing;
    finding_set(scene, EVIDENCE_ROUTES_CALM,
                calm * 5 >= routes->known * 4 ? TRUTH_PRESENT : TRUTH_ABSENT, calm, routes->known);
}

static void lost_finding(const struct scene *scene, const struct route_counts *routes)
{
    if (routes->known)
        finding_set(scene, EVIDENCE_ROUTES_LOST, routes->gone ? TRUTH_PRESENT : TRUTH_ABSENT,
                    routes->gone, routes->known);
}

static void at_once_finding(const struct scene *scene, const struct route_counts *routes)
{
    struct interval *gone;
    size_t n = route_spans(scene, SPAN_DOWN, &gone);
    if (n) {
        /* The loss begins where the first route fell below 0.8. */
        int64_t begin = gone[0].first_after.ns;
        for (size_t i = 0; i < scene->count; i++) {
            const struct suspect *s = &scene->suspects[i];
            if (is_route(s) && has_failed(s) && is_known(&s->track->degraded) &&
                s->track->degraded.first_after.ns < begin)
                begin = s->track->degraded.first_after.ns;
        }
        int64_t span = gone[(n * 9 + 9) / 10 - 1].first_after.ns - begin;
        bool is_all = n * 10 >= routes->known * 9;
        bool is_decided = is_all || scene->observer->now.ns - begin > AT_ONCE;
        enum truth truth = is_all && span <= AT_ONCE ? TRUTH_PRESENT : TRUTH_ABSENT;
        if (is_decided)
            finding_set(scene, EVIDENCE_ROUTES_AT_ONCE, truth, n, routes->known)->a =
                (double)(span > RESOLUTION ? span : RESOLUTION);
    }
    free(gone);
}

static void flap_finding(const struct scene *scene, const struct route_counts *routes)
{
    uint32_t most = 0;
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        if (is_route(s) && s->is_in && s->track->sight.recent_flaps > most)
            most = s->track->sight.recent_flaps;
    }
    uint32_t again = most ? most - 1 : 0;
    if (again >= FLAPS)
        finding_set(scene, EVIDENCE_ROUTES_FLAP, TRUTH_PRESENT, again, routes->known);
    else if (routes->failing && !again)
        finding_set(scene, EVIDENCE_ROUTES_FLAP, TRUTH_ABSENT, 0, routes->known);
}

/* Is this the first suspect with its origin, among all or among those that failed near the first?
 */
static bool is_new_origin(const struct scene *scene, size_t i,
                          bool (*counts)(const struct suspect *, int64_t), int64_t first)
{
    for (size_t k = 0; k < i; k++)
        if (counts(&scene->suspects[k], first) &&
            scene->suspects[k].track->sight.origin == scene->suspects[i].track->sight.origin)
            return false;
    return counts(&scene->suspects[i], first) && scene->suspects[i].track->sight.origin;
}

static bool has_origin(const struct suspect *s, int64_t first)
{
    (void)first;
    return is_route(s);
}

static bool lost_together(const struct suspect *s, int64_t first)
{
    return is_route(s) && has_failed(s) && s->track->down.first_after.ns - first <= TOGETHER;
}

static void origins_finding(const struct scene *scene)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        if (is_route(s) && has_failed(s) && s->track->down.first_after.ns < first)
            first = s->track->down.first_after.ns;
    }
    size_t n = 0, m = 0;
    for (size_t i = 0; i < scene->count && first != INT64_MAX; i++) {
        m += is_new_origin(scene, i, has_origin, first);
        n += is_new_origin(scene, i, lost_together, first);
    }
    if (n >= 2)
        finding_set(scene, EVIDENCE_MANY_ORIGINS, TRUTH_PRESENT, n, m);
    else if (m >= 2 && n == 1)
        finding_set(scene, EVIDENCE_MANY_ORIGINS, TRUTH_ABSENT, n, m);
}

static void foreign_finding(const struct scene *scene, const struct route_counts *routes)
{
    const struct track *found = NULL;
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        if (is_route(s) && s->is_in && (s->track->flags & TRACK_FOREIGN) &&
            (!found || s->track->foreign_peers > found->foreign_peers))
            found = s->track;
    }
    if (!found) {
        if (routes->known)
            finding_set(scene, EVIDENCE_FOREIGN_ORIGIN, TRUTH_ABSENT, 0, routes->known);
        return;
    }
    struct finding *finding = finding_set(scene, EVIDENCE_FOREIGN_ORIGIN, TRUTH_PRESENT,
                                          found->foreign_peers, found->foreign_of);
    finding->name = found->foreign_prefix;
    finding->a = found->foreign_asn;
    finding->first = found->foreign_began;
    finding->second = found->foreign_ended;
}

static void upstream_finding(const struct scene *scene)
{
    const struct interval *began =
        &scene->file->episodes[(scene->file->episode_count - 1) % CASE_EPISODES].began;
    size_t n = 0, m = 0, kept = 0; /* kept: in place all the while */
    const struct suspect *one = NULL;
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        if (!is_route(s) || !s->track->sight.upstream || s->track->condition == CONDITION_DOWN)
            continue;
        m++;
        kept += !has_failed(s);
        if (s->track->sight.upstream_changed.ns < began->last_before.ns - NS_PER_MINUTE ||
            !s->track->sight.upstream_before)
            continue;
        n++;
        one = s;
    }
    if (n) {
        struct finding *finding = finding_set(scene, EVIDENCE_UPSTREAM_CHANGE, TRUTH_PRESENT, n, m);
        finding->name = one->member->target;
        finding->a = one->track->sight.upstream_before;
        finding->b = one->track->sight.upstream;
    } else if (kept) {
        finding_set(scene, EVIDENCE_UPSTREAM_CHANGE, TRUTH_ABSENT, 0, kept);
    }
}

/* When routes began to go: of each failed one, its fall below 0.8. The earliest, and how sure. */
static struct interval first_route(const struct scene *scene)
{
    struct interval first = {{0}, {0}};
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        if (!is_route(s) || !s->is_in || s->track->loss <= 0.2)
            continue;
        const struct interval *at =
            is_known(&s->track->degraded) ? &s->track->degraded : &s->track->down;
        if (!is_known(&first) || at->first_after.ns < first.first_after.ns)
            first = *at;
    }
    return first;
}

/* When hosts stopped answering: the second one where there are three or more, so that one stray
 * host orders nothing; where only one or two failed, the first. */
static struct interval first_host(const struct scene *scene)
{
    struct interval *downs, first = {{0}, {0}};
    size_t n = host_spans(scene, SPAN_DOWN, &downs);
    if (n)
        first = downs[n >= 3];
    free(downs);
    return first;
}

static void order_findings(const struct scene *scene, const struct route_counts *routes)
{
    struct interval host = first_host(scene), route = first_route(scene);
    int64_t margin = 0;
    bool both = is_known(&host) && is_known(&route);
    if (both && interval_is_before(&host, &route, &margin)) {
        finding_set(scene, EVIDENCE_ROUTES_FIRST, TRUTH_ABSENT, 0, 0);
        struct finding *finding = finding_set(scene, EVIDENCE_DATA_FIRST, TRUTH_PRESENT, 0, 0);
        finding->a = (double)margin;
        finding->first = host;
        finding->second = route;
    } else if (both && interval_is_before(&route, &host, &margin)) {
        finding_set(scene, EVIDENCE_DATA_FIRST, TRUTH_ABSENT, 0, 0);
        struct finding *finding = finding_set(scene, EVIDENCE_ROUTES_FIRST, TRUTH_PRESENT, 0, 0);
        finding->a = (double)margin;
        finding->first = route;
        finding->second = host;
    } else if (is_known(&host) && routes->known && !routes->failing &&
               hosts_were_long_down(scene)) {
        finding_set(scene, EVIDENCE_ROUTES_FIRST, TRUTH_ABSENT, 0, 0);
    }
}

static void orderly_finding(const struct scene *scene, const struct route_counts *routes)
{
    struct interval *gone;
    size_t n = route_spans(scene, SPAN_DOWN, &gone), steps = 0;
    bool is_flapping = scene->findings[EVIDENCE_ROUTES_FLAP].truth == TRUTH_PRESENT;
    for (size_t i = 0; i < scene->count; i++)
        is_flapping |= is_route(&scene->suspects[i]) && has_failed(&scene->suspects[i]) &&
                       scene->suspects[i].track->relapses;
    for (size_t i = 1; i < n; i++)
        steps += gone[i].last_before.ns > gone[i - 1].first_after.ns;
    bool is_lossy = scene->findings[EVIDENCE_GRADED].truth == TRUTH_PRESENT ||
                    scene->findings[EVIDENCE_DATA_FIRST].truth == TRUTH_PRESENT;
    bool is_orderly = n >= 3 && steps * 5 >= (n - 1) * 4 && !is_flapping && !is_lossy;
    if (n >= 2 && (is_orderly || n >= 3 || is_lossy || is_flapping))
        finding_set(scene, EVIDENCE_ORDERLY, is_orderly ? TRUTH_PRESENT : TRUTH_ABSENT, n,
                    routes->known)
            ->a = (double)(gone[n - 1].first_after.ns - gone[0].first_after.ns);
    free(gone);
}

/* Does a name server of the subject lie in this prefix? */
static bool holds_name_server(const struct scene *scene, const struct suspect *route)
{
    const struct prefix *prefix = registry_prefix(scene->registry, route->member->target);
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        if (is_target(s) && s->member->layer == LAYER_NAME && s->domain->addr.family &&
            prefix_has_addr(prefix, &s->domain->addr))
            return true;
    }
    return false;
}

/* The prefixes that hold name servers, and how many they are; allocated. */
static size_t name_routes(const struct scene *scene, const struct prefix ***out)
{
    const struct prefix **list = mem_new(scene->count, sizeof *list);
    size_t n = 0;
    for (size_t i = 0; i < scene->count; i++)
        if (is_route(&scene->suspects[i]) && holds_name_server(scene, &scene->suspects[i]))
            list[n++] = registry_prefix(scene->registry, scene->suspects[i].member->target);
    *out = list;
    return n;
}

static bool lies_within(const struct suspect *s, const struct registry *registry,
                        const struct prefix *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_route(s) ? registry_prefix(registry, s->member->target) == list[i]
                        : s->domain->addr.family && prefix_has_addr(list[i], &s->domain->addr))
            return true;
    }
    return false;
}

static void take_earlier(struct interval *first, const struct interval *one)
{
    if (is_known(one) && (!is_known(first) || one->first_after.ns < first->first_after.ns))
        *first = *one;
}

static void name_route_finding(const struct scene *scene, const struct route_counts *routes)
{
    struct interval names_route = {{0}, {0}}, other_route = {{0}, {0}}, other_host = {{0}, {0}};
    size_t n = 0, names = 0, others_well = 0;
    if (!routes->gone)
        return;
    const struct prefix **list;
    size_t list_n = name_routes(scene, &list);
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        bool is_name_route = lies_within(s, scene->registry, list, list_n);
        names += is_target(s) && s->member->layer == LAYER_NAME && has_failed(s);
        if (is_route(s) && has_failed(s)) {
            n += is_name_route;
            take_earlier(is_name_route ? &names_route : &other_route, &s->track->down);
        } else if (is_target(s) && s->member->layer != LAYER_NAME && !is_name_route) {
            others_well += !was_asked(s);
            if (was_asked(s))
                take_earlier(&other_host, &s->track->down);
        }
    }
    free(list);
    bool leads = is_known(&names_route) &&
                 (!is_known(&other_route) || interval_is_before(&names_route, &other_route, NULL));
    bool others_lived = is_known(&other_host) ? interval_is_before(&names_route, &other_host, NULL)
                                              : others_well > 0;
    if (leads && names && others_lived)
        finding_set(scene, EVIDENCE_NAME_ROUTES_FIRST, TRUTH_PRESENT, n, routes->known);
    else if (!n || (is_known(&other_route) && is_known(&names_route) && !leads))
        finding_set(scene, EVIDENCE_NAME_ROUTES_FIRST, TRUTH_ABSENT, n, routes->known);
}

void findings_of_routes(const struct scene *scene)
{
    struct route_counts routes = count_routes(scene);
    lost_finding(scene, &routes);
    calm_finding(scene, &routes);
    at_once_finding(scene, &routes);
    flap_finding(scene, &routes);
    origins_finding(scene);
    foreign_finding(scene, &routes);
    upstream_finding(scene);
    order_findings(scene, &routes);
    orderly_finding(scene, &routes);
    name_route_finding(scene, &routes);
}
