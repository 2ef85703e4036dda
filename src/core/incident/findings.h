/* Findings of one case: what evidence.def defines, looked for in the tracks of its current episode.
 * Four files: hosts, services and names, routes and order, time and return. */
#ifndef CORE_INCIDENT_FINDINGS_H
#define CORE_INCIDENT_FINDINGS_H

#include "core/incident/cases.h"

struct suspect { /* one listed member of the subject that has data */
    const struct member *member;
    const struct track *track;
    const struct domain *domain;
    bool is_in; /* part of the case */
};

struct scene {
    const struct watch_list *watch;
    const struct registry *registry;
    const struct incidents *incidents;
    const struct case_file *file;
    const struct watched *subject;
    const struct observer *observer;
    struct suspect *suspects;
    size_t count;
    struct finding *findings;
};

void findings_find(const struct scene *scene); /* all kinds; the four below in turn */
void findings_of_hosts(const struct scene *scene);
void findings_of_services(const struct scene *scene);
void findings_of_routes(const struct scene *scene);
void findings_of_time(const struct scene *scene);

/* Tools shared by the four. */
static inline bool is_target(const struct suspect *s)
{
    return s->member->kind == NAME_TARGET;
}

/* A zone as a whole: it may be bad although all of its name servers answer, and lies on no one host. */
static inline bool is_zone(const struct scene *scene, const struct suspect *s)
{
    return is_target(s) && registry_target(scene->registry, s->member->target)->kind == TARGET_ZONE;
}

/* A network that was asked as a whole. */
static inline bool is_network(const struct scene *scene, const struct suspect *s)
{
    return is_target(s) &&
           registry_target(scene->registry, s->member->target)->kind == TARGET_BLOCK;
}

static inline bool is_route(const struct suspect *s)
{
    return s->member->kind == NAME_PREFIX;
}

static inline bool has_failed(const struct suspect *s)
{
    return s->is_in && (s->track->flags & TRACK_FAILED);
}

static inline bool is_known(const struct interval *interval)
{
    return utc_is_known(interval->first_after);
}

/* A target that was asked when it failed, so that how it failed tells something of it. */
static inline bool was_asked(const struct suspect *s)
{
    return is_target(s) && has_failed(s) && !(s->track->flags & TRACK_UNRESOLVED);
}

/* Sets truth and counts of one finding and returns it for the rest. */
struct finding *finding_set(const struct scene *scene, enum evidence_kind kind, enum truth truth,
                            size_t n, size_t m);

/* The intervals in which the domains (hosts) or prefixes of the case failed, or came back, one for
 * each: the earliest failure, or the latest return, sorted by first_after. Returns how many; *out
 * is allocated. A host counts by its ping where it has one. */
enum span { SPAN_DOWN, SPAN_LOST /* for good: the latest failure */, SPAN_RETURN };
size_t host_spans(const struct scene *scene, enum span span, struct interval **out);
size_t route_spans(const struct scene *scene, enum span span, struct interval **out);
void spans_sort(struct interval *spans, size_t n); /* by first_after */
/* The most of these sorted intervals that have an instant in common; *at (may be NULL) gets what they
 * share. */
size_t spans_common(const struct interval *spans, size_t n, struct interval *at);

#endif
