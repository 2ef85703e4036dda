#include "core/incident/steps.h"

#include <string.h>

static const int64_t ALIKE_WITHIN = 14 * NS_PER_DAY, RELAPSE_WITHIN = 6 * NS_PER_HOUR;
/* Where only routes are watched: what a round is taken for. */
static const int64_t ROUTE_ROUND = 30 * NS_PER_S;

static bool is_wide(const struct incidents *in, const struct watch_list *watch,
                    const struct case_file *file)
{
    uint32_t domain = UINT32_MAX;
    for (uint32_t at = first_of(watch, file->subject); at;) {
        const struct member *member = watch_member(watch, at - 1);
        const struct track *track = track_at(&in->tracks, at - 1);
        at = member->next;
        if (!(track->failed_in >> file->slot & 1))
            continue;
        if (domain != UINT32_MAX && domain != member->domain)
            return true;
        domain = member->domain;
    }
    return false;
}

/* An expired certificate explains itself: whatever else fails at the time, it is a case of its own,
 * and nothing else joins that. */
static bool is_expiry(const struct track *track)
{
    return track->flags & TRACK_EXPIRED;
}

/* Failures that belong to no case yet, and may belong to one together. */
struct candidates {
    bool are_expiries;
    uint32_t domains; /* distinct */
    uint32_t hosts;   /* of those, hosts */
    uint32_t watched_hosts;
    bool is_strong;   /* not only degraded */
    uint32_t only;    /* a domain of them */
    struct utc first; /* the earliest onset */
    int64_t round_ns; /* the longest of the subject's targets */
};

static bool is_candidate(const struct member *member, const struct track *track, bool is_expired)
{
    return member->is_listed && !track->slot && track_is_failing(track) &&
           is_expiry(track) == is_expired;
}

static struct candidates find_candidates(struct incidents *in, const struct watch_list *watch,
                                         uint32_t subject, bool are_expiries)
{
    struct candidates found = {.are_expiries = are_expiries, .first = {INT64_MAX}};
    in->tallies.count = 0;
    for (size_t i = 0; i < watch->domains.count; i++)
        table_add(&in->tallies);
    for (uint32_t at = first_of(watch, subject); at;) {
        const struct member *member = watch_member(watch, at - 1);
        struct track *track = track_at(&in->tracks, at - 1);
        at = member->next;
        if (!member->is_listed || member->kind == NAME_ASN)
            continue;
        struct tally *tally = tally_at(in, member->domain);
        bool is_host = member->kind == NAME_TARGET;
        found.watched_hosts += is_host && track->has_data && !tally->watched;
        tally->watched |= is_host && track->has_data;
        if (is_host && track->has_data && track->sight.round_ns > found.round_ns)
            found.round_ns = track->sight.round_ns;
        if (!is_candidate(member, track, are_expiries))
            continue;
        found.hosts += is_host && !tally->is_host;
        found.domains += !tally->down;
        tally->down = 1;
        tally->is_host |= is_host;
        found.is_strong |= !is_host || track->condition == CONDITION_DOWN;
        found.only = member->domain;
        if (track->noticed.ns < found.first.ns)
            found.first = track->noticed;
    }
    if (!found.round_ns)
        found.round_ns = ROUTE_ROUND;
    return found;
}

static bool case_has_domain(const struct incidents *in, const struct watch_list *watch,
                            const struct case_file *file, uint32_t domain)
{
    for (uint32_t at = first_of(watch, file->subject); at;) {
        const struct member *member = watch_member(watch, at - 1);
        if (member->domain == domain && track_at(&in->tracks, at - 1)->failed_in >> file->slot & 1)
            return true;
        at = member->next;
    }
    return false;
}

static bool case_accepts(const struct incidents *in, const struct watch_list *watch,
                         const struct case_file *file, const struct candidates *found,
                         struct utc now)
{
    int64_t window = bounded(120 * found->round_ns, 10 * NS_PER_S, NS_PER_HOUR);
    if (file->is_of_expiries != found->are_expiries)
        return false;
    return is_wide(in, watch, file) || utc_diff(now, file->last_onset) <= window ||
           (found->domains == 1 && case_has_domain(in, watch, file, found->only));
}

/* How the failing domains (marked in the tallies by find_candidates) compare with those of a case.
 */
static void compare_domains(const struct incidents *in, const struct watch_list *watch,
                            const struct case_file *file, uint32_t *common, uint32_t *of_case)
{
    *common = *of_case = 0;
    for (uint32_t at = first_of(watch, file->subject); at;) {
        const struct member *member = watch_member(watch, at - 1);
        const struct track *track = track_at(&in->tracks, at - 1);
        at = member->next;
        if (!member->is_listed || !(track->failed_in >> file->slot & 1))
            continue;
        struct tally *tally = tally_at(in, member->domain);
        if (tally->layers[0].affected)
            continue; /* counted by another member of the domain */
        tally->layers[0].affected = 1;
        (*of_case)++;
        *common += tally->down;
    }
    for (size_t i = 0; i < in->tallies.count; i++)
        tally_at(in, i)->layers[0].affected = 0;
}

enum likeness { UNLIKE, COULD_GROW, ALIKE };

static enum likeness likeness_of(const struct incidents *in, const struct watch_list *watch,
                                 const struct case_file *file, const struct candidates *found,
                                 struct utc now)
{
    uint32_t common, of_case;
    const struct case_episode *last = &file->episodes[(file->episode_count - 1) % CASE_EPISODES];
    if (file->is_of_expiries != found->are_expiries ||
        utc_diff(now, last->ended.first_after) > ALIKE_WITHIN)
        return UNLIKE;
    compare_domains(in, watch, file, &common, &of_case);
    if (common * 2 < found->domains || !common)
        return UNLIKE;
    uint32_t needed = of_case < 4 ? 1 : of_case / 4 > 2 ? of_case / 4 : 2;
    return found->domains >= needed ? ALIKE : COULD_GROW;
}

static uint32_t free_row(struct incidents *in, uint32_t subject)
{
    uint64_t used = 0;
    uint32_t oldest = UINT32_MAX;
    for (uint32_t i = 0; i < in->cases.count; i++) {
        const struct case_file *file = case_at(in, i);
        if (file->subject != subject)
            continue;
        used |= UINT64_C(1) << file->slot;
        if (!file->is_open && (oldest == UINT32_MAX ||
                               file->incident.judged.ns < case_at(in, oldest)->incident.judged.ns))
            oldest = i;
    }
    if (used != UINT64_MAX) {
        struct case_file *file = table_add(&in->cases);
        while (used >> file->slot & 1)
            file->slot++;
        return (uint32_t)in->cases.count - 1;
    }
    if (oldest == UINT32_MAX)
        in->capped++;
    return oldest;
}

static void forget_slot(struct incidents *in, const struct watch_list *watch, uint32_t subject,
                        uint32_t slot)
{
    for (uint32_t at = first_of(watch, subject); at; at = watch_member(watch, at - 1)->next)
        track_at(&in->tracks, at - 1)->failed_in &= ~(UINT64_C(1) << slot);
}

static uint32_t new_case(struct incidents *in, const struct watch_list *watch, uint32_t subject,
                         const struct candidates *found, struct numbers *numbers)
{
    uint32_t row = free_row(in, subject);
    if (row == UINT32_MAX)
        return row;
    struct case_file *file = case_at(in, row);
    uint32_t slot = file->slot;
    forget_slot(in, watch, subject, slot);
    memset(file, 0, sizeof *file);
    file->slot = slot;
    file->subject = subject;
    file->is_of_expiries = found->are_expiries;
    file->incident.id = ++numbers->incident;
    file->incident.subject = watch_subject(watch, subject)->id;
    file->incident.first_layer = LAYER_COUNT;
    return row;
}

static void begin_episode(struct case_file *file, struct utc now)
{
    const struct case_episode *last =
        file->episode_count ? &file->episodes[(file->episode_count - 1) % CASE_EPISODES] : NULL;
    bool is_relapse =
        last && last->depth > 0 && utc_diff(now, last->ended.first_after) <= RELAPSE_WITHIN;
    file->is_open = true;
    file->was_settled = false;
    file->relapses = is_relapse ? file->relapses + 1 : 0;
    file->hosts_down = file->hosts_watched = file->networks_down = file->networks_watched = 0;
    file->voting = file->saying_down = 0;
    file->controls_up = file->controls = 0;
    file->share = file->peak = file->trough = 0;
    file->has_eased = false;
    file->returned = (struct utc){0};
    file->episodes[file->episode_count++ % CASE_EPISODES] = (struct case_episode){.depth = 0};
}

static void attach(struct incidents *in, const struct watch_list *watch, uint32_t row,
                   struct utc now)
{
    struct case_file *file = case_at(in, row);
    for (uint32_t at = first_of(watch, file->subject); at;) {
        const struct member *member = watch_member(watch, at - 1);
        struct track *track = track_at(&in->tracks, at - 1);
        at = member->next;
        if (!is_candidate(member, track, file->is_of_expiries))
            continue;
        track->slot = row + 1;
        track->failed_in |= UINT64_C(1) << file->slot;
        file->last_onset = now;
    }
}

/* An open case that takes the failures, else a dormant one that they are an episode of. */
static uint32_t find_case(const struct incidents *in, const struct watch_list *watch,
                          uint32_t subject, const struct candidates *found, struct utc now,
                          bool *could_grow)
{
    uint32_t dormant = UINT32_MAX;
    for (uint32_t i = (uint32_t)in->cases.count; i-- > 0;) {
        const struct case_file *file = case_at(in, i);
        if (file->subject != subject)
            continue;
        if (file->is_open && case_accepts(in, watch, file, found, now))
            return i;
        enum likeness likeness = file->is_open ? UNLIKE : likeness_of(in, watch, file, found, now);
        *could_grow |= likeness == COULD_GROW;
        if (likeness == ALIKE &&
            (dormant == UINT32_MAX || file->incident.id > case_at(in, dormant)->incident.id))
            dormant = i;
    }
    return dormant;
}

static void assign(struct incidents *in, const struct watch_list *watch, uint32_t subject,
                   bool are_expiries, struct utc now, struct numbers *numbers)
{
    struct candidates found = find_candidates(in, watch, subject, are_expiries);
    if (!found.domains)
        return;
    bool could_grow = false;
    uint32_t row = find_case(in, watch, subject, &found, now, &could_grow);
    bool is_open = row != UINT32_MAX && case_at(in, row)->is_open;
    bool is_enough = found.is_strong || found.hosts >= 2 || found.hosts == found.watched_hosts;
    int64_t patience = bounded(30 * found.round_ns, 10 * NS_PER_S, 15 * NS_PER_MINUTE);
    if (!is_open && !is_enough)
        return;
    if (row == UINT32_MAX && could_grow && utc_diff(now, found.first) < patience)
        return;
    if (row == UINT32_MAX)
        row = new_case(in, watch, subject, &found, numbers);
    if (row == UINT32_MAX)
        return;
    if (!case_at(in, row)->is_open)
        begin_episode(case_at(in, row), now);
    attach(in, watch, row, now);
}

void cases_assign(struct incidents *in, const struct watch_list *watch, uint32_t subject,
                  struct utc now, struct numbers *numbers)
{
    assign(in, watch, subject, false, now, numbers);
    assign(in, watch, subject, true, now, numbers);
}
