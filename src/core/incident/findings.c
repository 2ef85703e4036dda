#include "core/incident/findings.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 3 }; /* never finer than three rounds; see evidence.def */

struct finding *finding_set(const struct scene *scene, enum evidence_kind kind, enum truth truth,
                            size_t n, size_t m)
{
    struct finding *finding = &scene->findings[kind];
    finding->truth = (uint8_t)truth;
    finding->n = (uint32_t)n;
    finding->m = (uint32_t)m;
    return finding;
}

static int compare_spans(const void *a, const void *b)
{
    const struct interval *x = a, *y = b;
    if (x->first_after.ns != y->first_after.ns)
        return x->first_after.ns < y->first_after.ns ? -1 : 1;
    return x->last_before.ns < y->last_before.ns ? -1 : x->last_before.ns > y->last_before.ns;
}

static const struct interval *span_of(const struct suspect *s, enum span span)
{
    return span == SPAN_DOWN   ? &s->track->down
           : span == SPAN_LOST ? &s->track->down_last
                               : &s->track->up_last;
}

/* Of several targets on one host its ping speaks for it; else the first to fail, the last to
 * return. */
static bool is_better(const struct suspect *a, const struct suspect *b, enum span span)
{
    bool a_is_ping = a->member->layer == LAYER_HOST, b_is_ping = b->member->layer == LAYER_HOST;
    if (a_is_ping != b_is_ping)
        return a_is_ping;
    int64_t x = span_of(a, span)->first_after.ns, y = span_of(b, span)->first_after.ns;
    return span == SPAN_RETURN ? x > y : x < y;
}

void spans_sort(struct interval *spans, size_t n)
{
    qsort(spans, n, sizeof *spans, compare_spans);
}

size_t host_spans(const struct scene *scene, enum span span, struct interval **out)
{
    const struct suspect **best = mem_new(scene->watch->domains.count, sizeof *best);
    struct interval *spans = mem_new(scene->watch->domains.count, sizeof *spans);
    size_t n = 0;
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        if (!is_target(s) || !has_failed(s))
            continue;
        const struct suspect **slot = &best[s->member->domain];
        if (!*slot || is_better(s, *slot, span))
            *slot = s;
    }
    for (size_t i = 0; i < scene->watch->domains.count; i++)
        if (best[i] && is_known(span_of(best[i], span)) &&
            (span != SPAN_RETURN || best[i]->track->condition != CONDITION_DOWN))
            spans[n++] = *span_of(best[i], span);
    free(best);
    spans_sort(spans, n);
    *out = spans;
    return n;
}

size_t route_spans(const struct scene *scene, enum span span, struct interval **out)
{
    struct interval *spans = mem_new(scene->count, sizeof *spans);
    size_t n = 0;
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        if (!is_route(s) || !has_failed(s) || !is_known(span_of(s, span)) ||
            (span == SPAN_RETURN && s->track->condition == CONDITION_DOWN))
            continue;
        spans[n++] = *span_of(s, span);
    }
    spans_sort(spans, n);
    *out = spans;
    return n;
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Any common instant can be moved to the end of one of the intervals: at each end (they are sorted
 * by it) as many are open as have begun less those that ended before. */
static size_t busiest(const struct interval *spans, size_t n, int64_t *instant)
{
    int64_t *begins = mem_new(n, sizeof *begins);
    for (size_t i = 0; i < n; i++)
        begins[i] = spans[i].last_before.ns;
    qsort(begins, n, sizeof *begins, compare_times);
    size_t best = 0, begun = 0;
    for (size_t i = 0; i < n; i++) {
        while (begun < n && begins[begun] <= spans[i].first_after.ns)
            begun++;
        if (begun - i > best) {
            best = begun - i;
            *instant = spans[i].first_after.ns;
        }
    }
    free(begins);
    return best;
}

size_t spans_common(const struct interval *spans, size_t n, struct interval *at)
{
    int64_t instant = 0;
    size_t best = busiest(spans, n, &instant);
    struct interval shared = {{0}, {INT64_MAX}};
    for (size_t i = 0; at && i < n; i++) {
        if (spans[i].last_before.ns > instant || spans[i].first_after.ns < instant)
            continue;
        if (spans[i].last_before.ns > shared.last_before.ns)
            shared.last_before = spans[i].last_before;
        if (spans[i].first_after.ns < shared.first_after.ns)
            shared.first_after = spans[i].first_after;
    }
    if (at && best)
        *at = shared;
    return best;
}

static void observer_findings(const struct scene *scene)
{
    const struct case_file *file = scene->file;
    if (file->controls)
        finding_set(scene, EVIDENCE_CONTROLS_WELL,
                    file->controls_up * 2 > file->controls ? TRUTH_PRESENT : TRUTH_ABSENT,
                    file->controls_up, file->controls);
    size_t voting = 0, saying = 0;
    for (int bit = 0; bit < 64; bit++) {
        size_t asked = 0, down = 0;
        bool did = file->voting >> bit & 1;
        for (size_t i = 0; did && i < scene->count; i++) {
            const struct suspect *s = &scene->suspects[i];
            if (!is_target(s) || !has_failed(s))
                continue;
            asked += s->track->sight.voting >> bit & 1;
            down += s->track->sight.voting >> bit & s->track->sight.saying_down >> bit & 1;
        }
        voting += did;
        saying += did && ((asked && down * 2 >= asked) || (file->saying_down >> bit & 1));
    }
    if (voting >= 2)
        finding_set(scene, EVIDENCE_VANTAGES_AGREE, saying == voting ? TRUTH_PRESENT : TRUTH_ABSENT,
                    saying, voting);
}

/* Has it answered for two rounds since the outage began? Before that it may only not have been
 * asked yet. */
static bool has_outlived(const struct scene *scene, const struct suspect *s)
{
    const struct case_file *file = scene->file;
    int64_t began = file->episodes[(file->episode_count - 1) % CASE_EPISODES].began.first_after.ns;
    const struct sight *sight = &s->track->sight;
    return s->track->has_data && s->track->condition == CONDITION_UP &&
           sight->last_good.ns >= began + 2 * sight->round_ns;
}

/* Hosts as domains: how many failed in some way, and how many live. */
struct host_counts {
    size_t failed, well;
    const struct suspect *one;
    bool is_more_in; /* what is no host: a route, a zone, a network */
};

static struct host_counts count_hosts(const struct scene *scene)
{
    struct host_counts counts = {0};
    uint8_t *seen = mem_new(scene->watch->domains.count, 1);
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        bool is_more = is_route(s) || is_zone(scene, s) || is_network(scene, s);
        counts.is_more_in |= s->is_in && is_more;
        if (is_target(s) && !is_more && s->is_in && !(s->track->flags & TRACK_UNRESOLVED) &&
            seen[s->member->domain] != 1) {
            seen[s->member->domain] = 1;
            counts.failed++;
            counts.one = s;
        }
    }
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        if (is_target(s) && !is_zone(scene, s) && !seen[s->member->domain] &&
            has_outlived(scene, s)) {
            seen[s->member->domain] = 2;
            counts.well++;
        }
    }
    free(seen);
    return counts;
}

static void scope_findings(const struct scene *scene)
{
    const struct case_file *file = scene->file;
    if (file->hosts_watched) {
        bool is_wide = file->hosts_down * 5 >= file->hosts_watched * 4 &&
                       (file->networks_down > 1 || file->networks_watched == 1);
        finding_set(scene, EVIDENCE_WIDE, is_wide ? TRUTH_PRESENT : TRUTH_ABSENT, file->hosts_down,
                    file->hosts_watched);
    }
    struct host_counts hosts = count_hosts(scene);
    if (hosts.failed == 1 && hosts.well && !hosts.is_more_in)
        finding_set(scene, EVIDENCE_ONE_HOST, TRUTH_PRESENT, hosts.well, hosts.well)->name =
            hosts.one->member->target;
    else if (hosts.failed > 1)
        finding_set(scene, EVIDENCE_ONE_HOST, TRUTH_ABSENT, hosts.well,
                    hosts.well + hosts.failed - 1);
}

/* The graded phase of one target, if it had one that counts. */
static bool is_graded(const struct suspect *s, const struct interval *lost)
{
    const struct sight *sight = &s->track->sight;
    bool is_partial = sight->graded_loss >= 0.05 && sight->graded_loss <= 0.95;
    int64_t until = sight->graded_last.ns < lost->last_before.ns || !utc_is_known(lost->last_before)
                        ? sight->graded_last.ns
                        : lost->last_before.ns;
    int64_t length = until - sight->graded_began.first_after.ns;
    /* It belongs to this outage if it led up to it: it had not been over for long. */
    bool leads_up =
        lost->first_after.ns - sight->graded_last.ns <= 20 * sight->round_ns + 5 * NS_PER_MINUTE;
    return is_target(s) && s->is_in && is_known(&sight->graded_began) && leads_up &&
           (is_partial || sight->graded_rtt >= 1.2) && length >= ROUNDS * sight->round_ns;
}

/* Hosts that were never lost and were poor all the same. True if that is how it was. */
static bool poor_finding(const struct scene *scene)
{
    size_t poor = 0, hosts = 0;
    double loss = 0, rtt = 1;
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        if (!is_target(s) || s->member->layer != LAYER_HOST || !s->track->has_data)
            continue;
        hosts++;
        if (!s->is_in || has_failed(s) || !(s->track->flags & TRACK_DEGRADED))
            continue;
        poor++;
        loss = s->track->sight.graded_loss > loss ? s->track->sight.graded_loss : loss;
        rtt = s->track->sight.graded_rtt > rtt ? s->track->sight.graded_rtt : rtt;
    }
    if (poor < 2 || poor * 2 < hosts)
        return false;
    struct finding *finding = finding_set(scene, EVIDENCE_HOSTS_POOR, TRUTH_PRESENT, poor, hosts);
    finding->a = loss;
    finding->b = rtt;
    return true;
}

/* Where much is lost, chance alone lets a host seem down and come back: it counts from when it was
 * lost for good. */
static void graded_finding(const struct scene *scene, const struct interval *lost, size_t n,
                           bool is_poor)
{
    if (!n)
        return;
    struct interval first = {{0}, {INT64_MAX}};
    double loss = 0, rtt = 0;
    size_t domains = 0, slight = 0, measured = 0;
    uint8_t *seen = mem_new(scene->watch->domains.count, 1);
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        const struct sight *sight = &s->track->sight;
        measured += is_target(s) && s->is_in && !is_network(scene, s);
        slight += is_target(s) && s->is_in && is_known(&sight->graded_began) &&
                  sight->graded_began.first_after.ns < lost[0].first_after.ns &&
                  sight->graded_last.ns > lost[0].first_after.ns - NS_PER_HOUR;
        if (!is_graded(s, &lost[0]))
            continue;
        domains += !seen[s->member->domain];
        seen[s->member->domain] = 1;
        loss = sight->graded_loss > loss ? sight->graded_loss : loss;
        rtt = sight->graded_rtt > rtt ? sight->graded_rtt : rtt;
        if (sight->graded_began.first_after.ns < first.first_after.ns)
            first = sight->graded_began;
    }
    free(seen);
    if (domains >= 2 || (domains == 1 && scene->file->hosts_watched == 1)) {
        struct finding *finding =
            finding_set(scene, EVIDENCE_GRADED, TRUTH_PRESENT, domains, scene->file->hosts_watched);
        finding->first = first;
        finding->second = lost[0];
        finding->a = loss;
        finding->b = rtt > 1 ? rtt : 1;
    } else if (measured && !slight &&
               !is_poor) { /* rounds over networks tell neither loss nor delay */
        finding_set(scene, EVIDENCE_GRADED, TRUTH_ABSENT, 0, scene->file->hosts_watched);
    }
}

static void decay_finding(const struct scene *scene, const struct interval *downs, size_t n)
{
    if (n < 3 || !scene->file->hosts_watched)
        return;
    int64_t begin = downs[0].first_after.ns;
    int64_t cliff = begin + 5 * NS_PER_MINUTE + ROUNDS * scene->file->round_ns;
    size_t at_first = 0;
    while (at_first < n && downs[at_first].first_after.ns <= cliff)
        at_first++;
    double m = scene->file->hosts_watched;
    int64_t span = downs[n - 1].first_after.ns - begin;
    bool is_decay = span >= NS_PER_HOUR && span <= 6 * NS_PER_HOUR && (double)at_first >= 0.1 * m &&
                    (double)(n - at_first) >= 0.1 * m;
    bool is_old = scene->observer->now.ns - begin >= NS_PER_HOUR;
    if (!is_decay && !is_old)
        return;
    struct finding *finding =
        finding_set(scene, EVIDENCE_DECAY, is_decay ? TRUTH_PRESENT : TRUTH_ABSENT, n,
                    scene->file->hosts_watched);
    finding->a = (double)at_first / m;
    finding->b = (double)n / m;
}

static void step_finding(const struct scene *scene, const struct interval *downs, size_t n)
{
    if (n < 2)
        return;
    struct interval at = {{0}, {0}};
    size_t common = spans_common(downs, n, &at);
    finding_set(scene, EVIDENCE_ONE_STEP, common * 5 >= n * 4 ? TRUTH_PRESENT : TRUTH_ABSENT,
                common, n)
        ->first = at;
}

static void rtt_finding(const struct scene *scene)
{
    const struct interval *began =
        &scene->file->episodes[(scene->file->episode_count - 1) % CASE_EPISODES].began;
    size_t n = 0, m = 0, kept = 0; /* kept: answered all the while */
    double worst = 0;
    for (size_t i = 0; i < scene->count; i++) {
        const struct suspect *s = &scene->suspects[i];
        const struct sight *sight = &s->track->sight;
        if (!is_target(s) || !s->track->has_data || s->track->condition == CONDITION_DOWN)
            continue;
        m++;
        kept += !has_failed(s);
        if (!is_known(&sight->step_at) ||
            sight->step_at.first_after.ns < began->last_before.ns - 2 * sight->round_ns)
            continue;
        n++;
        double ms = sight->step_ns / 1e6;
        worst = ms * ms > worst * worst ? ms : worst;
    }
    if (m && n * 4 >= m && n)
        finding_set(scene, EVIDENCE_RTT_STEP, TRUTH_PRESENT, n, m)->a = worst;
    else if (kept && !n && scene->file->round_ns &&
             scene->observer->now.ns - began->first_after.ns >= 30 * scene->file->round_ns)
        finding_set(scene, EVIDENCE_RTT_STEP, TRUTH_ABSENT, 0, kept);
}

void findings_of_hosts(const struct scene *scene)
{
    struct interval *downs;
    size_t n = host_spans(scene, SPAN_DOWN, &downs);
    observer_findings(scene);
    scope_findings(scene);
    struct interval *lost;
    size_t lost_n = host_spans(scene, SPAN_LOST, &lost);
    graded_finding(scene, lost, lost_n, poor_finding(scene));
    free(lost);
    step_finding(scene, downs, n);
    decay_finding(scene, downs, n);
    rtt_finding(scene);
    free(downs);
}

void findings_find(const struct scene *scene)
{
    memset(scene->findings, 0, EVIDENCE_COUNT * sizeof *scene->findings);
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++)
        scene->findings[kind].kind = (uint8_t)kind;
    findings_of_hosts(scene);
    findings_of_services(scene);
    findings_of_routes(scene);
    findings_of_time(scene);
}
