#include "core/incident/cases.h"

#include "base/mem.h"
#include "core/incident/findings.h"

#include <stdlib.h>
#include <string.h>

static const int64_t ALIKE_WITHIN = 14 * NS_PER_DAY, RELAPSE_WITHIN = 6 * NS_PER_HOUR;
/* Where only routes are watched: what a round is taken for. */
static const int64_t ROUTE_ROUND = 30 * NS_PER_S;
static const int64_t PROVISIONAL = 15 * NS_PER_MINUTE;

/* Scratch: one domain while a case is counted. */
struct tally {
    struct layer_tally {
        uint16_t watched, down,
            affected; /* members with data; of the case, down; of the case, failing */
    } layers[LAYER_COUNT];
    uint16_t watched, down;
    bool is_host;
};

struct counts {
    struct extent extents[LAYER_COUNT];
    uint32_t hosts_watched, hosts_down, networks_watched, networks_down;
    double share;
    bool is_failing;
};

void incidents_init(struct incidents *in)
{
    memset(in, 0, sizeof *in);
    table_init(&in->tracks, sizeof(struct track));
    table_init(&in->cases, sizeof(struct case_file));
    table_init(&in->due, sizeof(struct utc));
    table_init(&in->tallies, sizeof(struct tally));
    table_init(&in->hosts, sizeof(struct host_state));
}

void incidents_done(struct incidents *in)
{
    table_done(&in->tracks);
    table_done(&in->cases);
    table_done(&in->due);
    table_done(&in->tallies);
    table_done(&in->hosts);
}

void incidents_save(const struct incidents *in, struct buffer *out)
{
    table_save(&in->tracks, out);
    table_save(&in->cases, out);
    table_save(&in->due, out);
    buffer_varint(out, in->capped);
}

bool incidents_load(struct incidents *in, struct reader *r)
{
    bool is_good =
        table_load(&in->tracks, r) && table_load(&in->cases, r) && table_load(&in->due, r);
    in->capped = reader_varint(r);
    return is_good;
}

struct utc incidents_due(const struct incidents *in, uint32_t subject)
{
    return subject < in->due.count ? *(struct utc *)table_at(&in->due, subject) : (struct utc){0};
}

uint32_t incidents_of(const struct incidents *in, uint32_t member, bool *is_pending)
{
    *is_pending = false;
    if (member >= in->tracks.count)
        return 0;
    const struct track *track = track_at(&in->tracks, member);
    *is_pending = !track->slot && track_is_failing(track);
    return track->slot ? case_at(in, track->slot - 1)->incident.id : 0;
}

static void fit(const struct watch_list *watch, struct incidents *in)
{
    while (in->tracks.count < watch->members.count)
        table_add(&in->tracks);
    while (in->due.count < watch->subjects.count)
        table_add(&in->due);
}

/* Goes through a subject's members: for (row = first; row; row = next) with a track each. */
static uint32_t first_of(const struct watch_list *watch, uint32_t subject)
{
    return watch_subject(watch, subject)->first_member;
}

static int64_t bounded(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

static struct tally *tally_at(const struct incidents *in, size_t domain)
{
    return table_at(&in->tallies, domain);
}

static void count_member(struct incidents *in, const struct member *member,
                         const struct track *track, bool is_in)
{
    struct tally *tally = tally_at(in, member->domain);
    bool is_down = is_in && track->condition == CONDITION_DOWN;
    bool is_host = member->kind == NAME_TARGET;
    struct layer_tally *layer = &tally->layers[member->layer];
    struct layer_tally *path = &tally->layers[LAYER_PATH];
    if (!track->has_data && !is_in)
        return;
    layer->watched++;
    layer->down = (uint16_t)(layer->down + is_down);
    layer->affected =
        (uint16_t)(layer->affected + (is_down || (!is_host && is_in && track_is_failing(track))));
    if (!is_host)
        return;
    tally->is_host = true;
    tally->watched++;
    tally->down = (uint16_t)(tally->down + is_down);
    if (member->layer != LAYER_PATH)
        path->watched++;
    path->affected = (uint16_t)(path->affected + (is_in && track->condition == CONDITION_DEGRADED));
}

static void sum_layer(struct extent *extent, const struct layer_tally *layer)
{
    bool is_down = layer->down && layer->down == layer->watched;
    extent->watched = (uint16_t)(extent->watched + (layer->watched > 0));
    extent->down = (uint16_t)(extent->down + is_down);
    extent->degraded = (uint16_t)(extent->degraded + (!is_down && layer->affected));
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* In how many networks the hosts lie, or those of them that are down. */
static uint32_t count_networks(const struct incidents *in, const struct watch_list *watch,
                               bool only_down)
{
    uint64_t *keys = mem_new(in->tallies.count, sizeof *keys);
    size_t n = 0;
    uint32_t networks = 0;
    for (size_t i = 0; i < in->tallies.count; i++) {
        const struct tally *tally = tally_at(in, i);
        if (tally->is_host && (!only_down || tally->down == tally->watched))
            keys[n++] = ((const struct domain *)table_at(&watch->domains, i))->network;
    }
    qsort(keys, n, sizeof *keys, compare_keys);
    for (size_t i = 0; i < n; i++)
        networks += i == 0 || keys[i] != keys[i - 1];
    free(keys);
    return networks;
}

static void sum_hosts(const struct incidents *in, const struct watch_list *watch,
                      struct counts *counts)
{
    for (size_t i = 0; i < in->tallies.count; i++) {
        const struct tally *tally = tally_at(in, i);
        for (int layer = 0; layer < LAYER_COUNT; layer++)
            sum_layer(&counts->extents[layer], &tally->layers[layer]);
        if (!tally->is_host)
            continue;
        counts->hosts_watched++;
        counts->hosts_down += tally->down == tally->watched;
    }
    counts->networks_watched = count_networks(in, watch, false);
    counts->networks_down = count_networks(in, watch, true);
    const struct extent *routes = &counts->extents[LAYER_ROUTE];
    double hosts = counts->hosts_watched ? (double)counts->hosts_down / counts->hosts_watched : 0;
    double gone = routes->watched ? (double)routes->down / routes->watched : 0;
    counts->share = hosts > gone ? hosts : gone;
}

static struct counts count_case(struct incidents *in, const struct watch_list *watch,
                                const struct case_file *file, uint32_t row)
{
    struct counts counts;
    memset(&counts, 0, sizeof counts);
    in->tallies.count = 0;
    for (size_t i = 0; i < watch->domains.count; i++)
        table_add(&in->tallies);
    for (uint32_t at = first_of(watch, file->subject); at;) {
        const struct member *member = watch_member(watch, at - 1);
        const struct track *track = track_at(&in->tracks, at - 1);
        at = member->next;
        if (!member->is_listed || member->kind == NAME_ASN)
            continue;
        bool is_in = track->slot == row + 1;
        count_member(in, member, track, is_in);
        counts.is_failing |= is_in && track_is_failing(track);
    }
    sum_hosts(in, watch, &counts);
    return counts;
}

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

/* Failures that belong to no case yet. */
struct candidates {
    uint32_t domains; /* distinct */
    uint32_t hosts;   /* of those, hosts */
    uint32_t watched_hosts;
    bool is_strong;   /* not only degraded */
    uint32_t only;    /* a domain of them */
    struct utc first; /* the earliest onset */
    int64_t round_ns; /* the longest of the subject's targets */
};

static bool is_candidate(const struct member *member, const struct track *track)
{
    return member->is_listed && !track->slot && track_is_failing(track);
}

static struct candidates find_candidates(struct incidents *in, const struct watch_list *watch,
                                         uint32_t subject)
{
    struct candidates found = {.first = {INT64_MAX}};
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
        if (!is_candidate(member, track))
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
    if (utc_diff(now, last->ended.first_after) > ALIKE_WITHIN)
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
                         struct numbers *numbers)
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
        if (!is_candidate(member, track))
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

static void assign_failures(struct incidents *in, const struct watch_list *watch, uint32_t subject,
                            struct utc now, struct numbers *numbers)
{
    struct candidates found = find_candidates(in, watch, subject);
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
        row = new_case(in, watch, subject, numbers);
    if (row == UINT32_MAX)
        return;
    if (!case_at(in, row)->is_open)
        begin_episode(case_at(in, row), now);
    attach(in, watch, row, now);
}

/* The first of several onsets. Each holds the truth but for a stray loss just before it, which
 * among many targets some have: so where a second onset follows within two rounds, the first is not
 * sure to have been before that one's end. */
struct first_onset {
    struct interval first;
    int64_t second; /* the second smallest end */
};

static void add_onset(struct first_onset *onset, const struct interval *one)
{
    if (!is_known(one))
        return;
    struct interval *first = &onset->first;
    if (!is_known(first)) {
        *first = *one;
        onset->second = INT64_MAX;
        return;
    }
    int64_t end = one->first_after.ns;
    if (end < first->first_after.ns) {
        onset->second = first->first_after.ns;
        first->first_after = one->first_after;
    } else if (end < onset->second) {
        onset->second = end;
    }
    if (one->last_before.ns < first->last_before.ns)
        first->last_before = one->last_before;
}

static struct interval surely_first(const struct first_onset *onset, int64_t round_ns)
{
    struct interval first = onset->first;
    if (is_known(&first) && onset->second <= first.first_after.ns + 2 * round_ns)
        first.first_after.ns = onset->second;
    return first;
}

static void widen_first(struct interval *first, const struct interval *one)
{
    struct first_onset onset = {*first, 0};
    add_onset(&onset, one);
    *first = onset.first;
}

static void widen_last(struct interval *last, const struct interval *one)
{
    if (one->last_before.ns > last->last_before.ns)
        last->last_before = one->last_before;
    if (one->first_after.ns > last->first_after.ns)
        last->first_after = one->first_after;
}

struct layer_firsts {
    struct first_onset degraded, down;
};

static void note_track(struct layer_history layers[LAYER_COUNT],
                       struct layer_firsts firsts[LAYER_COUNT], const struct member *member,
                       const struct track *track, bool is_failing[LAYER_COUNT])
{
    struct layer_history *layer = &layers[member->layer];
    struct layer_history *slow = member->kind == NAME_PREFIX ? layer : &layers[LAYER_PATH];
    add_onset(&firsts[slow - layers].degraded, &track->degraded);
    if (is_known(&track->degraded) && is_known(&track->up_last))
        widen_last(&slow->all_up, &track->up_last);
    is_failing[slow - layers] |= track->condition == CONDITION_DEGRADED;
    is_failing[member->layer] |= track->condition == CONDITION_DOWN;
    if (!(track->flags & TRACK_FAILED))
        return;
    add_onset(&firsts[member->layer].down, &track->down);
    widen_last(&layer->all_down, &track->down);
    widen_first(&layer->first_up, &track->up_first);
    widen_last(&layer->all_up, &track->up_last);
}

static struct interval onset_of(const struct layer_history *layer)
{
    struct interval onset = {{0}, {0}};
    widen_first(&onset, &layer->degraded);
    widen_first(&onset, &layer->down);
    return onset;
}

/* The layer whose onset is before that of all others, by disjoint intervals. */
static enum layer first_layer(const struct layer_history layers[LAYER_COUNT])
{
    for (int a = 0; a < LAYER_COUNT; a++) {
        struct interval onset = onset_of(&layers[a]);
        bool is_first = is_known(&onset);
        for (int b = 0; b < LAYER_COUNT && is_first; b++) {
            struct interval other = onset_of(&layers[b]);
            is_first = a == b || !is_known(&other) || interval_is_before(&onset, &other, NULL);
        }
        if (is_first)
            return (enum layer)a;
    }
    return LAYER_COUNT;
}

static struct interval track_onset(const struct track *track)
{
    struct interval onset = track->degraded;
    if (!is_known(&onset) ||
        (is_known(&track->down) && track->down.first_after.ns < onset.first_after.ns))
        onset = track->down;
    return onset;
}

/* Fills layers, first layer and target of the incident from the tracks of the episode; *began and
 * *ended are the episode's. */
static void describe(const struct incidents *in, const struct watch_list *watch,
                     const struct registry *registry, const struct case_file *file, uint32_t row,
                     struct incident *incident, struct interval *began, struct interval *ended)
{
    struct layer_history *layers = incident->layers;
    bool is_failing[LAYER_COUNT] = {false};
    struct layer_firsts firsts[LAYER_COUNT];
    struct first_onset began_first = {{{0}, {0}}, 0};
    struct utc earliest = {0};
    uint32_t first = 0;
    memset(firsts, 0, sizeof firsts);
    *began = *ended = (struct interval){{0}, {0}};
    for (uint32_t at = first_of(watch, file->subject); at;) {
        const struct member *member = watch_member(watch, at - 1);
        const struct track *track = track_at(&in->tracks, at - 1);
        at = member->next;
        if (track->slot != row + 1)
            continue;
        note_track(layers, firsts, member, track, is_failing);
        widen_last(ended, &track->up_last);
        struct interval onset = track_onset(track);
        if (is_known(&onset))
            add_onset(&began_first, &onset);
        bool is_first = !first || onset.first_after.ns < earliest.ns ||
                        (onset.first_after.ns == earliest.ns &&
                         registry_hash(registry, member->target) < registry_hash(registry, first));
        if (is_known(&onset) && is_first) {
            earliest = onset.first_after;
            first = member->target;
        }
    }
    *began = surely_first(&began_first, file->round_ns);
    for (int layer = 0; layer < LAYER_COUNT; layer++) {
        layers[layer].degraded = surely_first(&firsts[layer].degraded, file->round_ns);
        layers[layer].down = surely_first(&firsts[layer].down, file->round_ns);
    }
    for (int layer = 0; layer < LAYER_COUNT; layer++)
        if (is_failing[layer])
            layers[layer].all_up = (struct interval){{0}, {0}};
    incident->first_layer = (uint8_t)first_layer(layers);
    incident->first_target = incident->first_layer == LAYER_COUNT ? 0 : first;
}

static void keep_worst(struct extent *worst, const struct extent *now)
{
    bool is_worse =
        now->down > worst->down || (now->down == worst->down && now->degraded > worst->degraded);
    if (is_worse || !worst->watched)
        *worst = *now;
}

/* The course of the share that is down: eased by a third of the peak and lost again is a relapse.
 */
static void follow_share(struct case_file *file, double share)
{
    file->share = share;
    if (!file->has_eased) {
        file->peak = share > file->peak ? share : file->peak;
        file->has_eased = file->peak > 0 && share <= file->peak * 2 / 3;
        file->trough = share;
        return;
    }
    file->trough = share < file->trough ? share : file->trough;
    if (share >= file->trough + file->peak / 3) {
        file->relapses++;
        file->has_eased = false;
        file->peak = share;
    }
}

static void note_worst(const struct incidents *in, const struct watch_list *watch,
                       struct case_file *file, uint32_t row, const struct counts *counts)
{
    if (counts->hosts_down > file->hosts_down || !file->hosts_watched) {
        file->hosts_down = counts->hosts_down;
        file->hosts_watched = counts->hosts_watched;
        file->networks_down = counts->networks_down;
        file->networks_watched = counts->networks_watched;
    }
    for (uint32_t at = first_of(watch, file->subject); at;) {
        const struct member *member = watch_member(watch, at - 1);
        const struct track *track = track_at(&in->tracks, at - 1);
        at = member->next;
        if (track->slot != row + 1 || member->kind != NAME_TARGET)
            continue;
        file->voting |= track->sight.voting;
        file->saying_down |= track->sight.saying_down;
        if (track->sight.round_ns > file->round_ns)
            file->round_ns = track->sight.round_ns;
    }
}

static void find(const struct incidents *in, const struct watch_list *watch,
                 const struct registry *registry, const struct case_file *file, uint32_t row,
                 const struct observer *observer, struct finding *findings)
{
    struct scene scene = {.watch = watch,
                          .registry = registry,
                          .incidents = in,
                          .file = file,
                          .subject = watch_subject(watch, file->subject),
                          .observer = observer,
                          .findings = findings};
    scene.suspects = mem_new(watch->members.count, sizeof *scene.suspects);
    for (uint32_t at = first_of(watch, file->subject); at;) {
        const struct member *member = watch_member(watch, at - 1);
        const struct track *track = track_at(&in->tracks, at - 1);
        at = member->next;
        bool is_in = track->slot == row + 1;
        if (!member->is_listed || member->kind == NAME_ASN || (!is_in && !track->has_data))
            continue;
        scene.suspects[scene.count++] =
            (struct suspect){member, track, table_at(&watch->domains, member->domain), is_in};
    }
    findings_find(&scene);
    free(scene.suspects);
}

static void end_episode(struct incidents *in, const struct watch_list *watch, uint32_t row)
{
    struct case_file *file = case_at(in, row);
    file->is_open = false;
    for (uint32_t at = first_of(watch, file->subject); at; at = watch_member(watch, at - 1)->next) {
        struct track *track = track_at(&in->tracks, at - 1);
        if (track->slot != row + 1)
            continue;
        track->slot = 0;
        track_begin_episode(track);
    }
}

static bool is_step(const struct extent *a, const struct extent *b)
{
    int step = a->watched / 10 > 1 ? a->watched / 10 : 1;
    return abs((int)a->down - (int)b->down) >= step ||
           abs((int)a->degraded - (int)b->degraded) >= step;
}

static bool is_material(const struct case_file *file)
{
    const struct incident *now = &file->incident, *told = &file->told;
    if (now->first_layer != told->first_layer)
        return true;
    for (int layer = 0; layer < LAYER_COUNT; layer++)
        if (is_step(&now->layers[layer].extent, &told->layers[layer].extent) ||
            is_known(&now->layers[layer].all_up) != is_known(&told->layers[layer].all_up))
            return true;
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++)
        if (file->findings[kind].truth != file->truths[kind])
            return true;
    return false;
}

static void revise(struct case_file *file, struct utc now)
{
    const struct incident *told = &file->told;
    bool is_turn = file->incident.is_open != told->is_open ||
                   file->incident.episodes != told->episodes || !told->id;
    int64_t age =
        utc_diff(now, file->episodes[(file->episode_count - 1) % CASE_EPISODES].began.first_after);
    if (!file->was_settled && age >= PROVISIONAL)
        is_turn = file->was_settled = true;
    bool may = told->revision < 10 ||
               (told->revision < CASE_REVISIONS && utc_diff(now, told->judged) >= NS_PER_MINUTE);
    if (!is_turn && !(may && is_material(file)))
        return;
    file->incident.revision++;
    file->incident.judged = now;
    file->told = file->incident;
    file->is_revised = true;
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++)
        file->truths[kind] = file->findings[kind].truth;
}

static bool is_over(const struct case_file *file, const struct counts *counts,
                    const struct interval *ended, struct utc now)
{
    int64_t calm = file->round_ns ? bounded(10 * file->round_ns, 10 * NS_PER_S, 15 * NS_PER_MINUTE)
                                  : NS_PER_MINUTE;
    return !counts->is_failing && utc_diff(now, ended->first_after) >= calm;
}

/* The current episode speaks for the incident unless an earlier one was more than twice as deep. */
static void adopt(struct case_file *file, const struct incident *current, double depth)
{
    struct incident *incident = &file->incident;
    bool is_best = file->episode_count == 1 || depth * 2 >= file->best_depth;
    if (!is_best)
        return;
    if (depth > file->best_depth)
        file->best_depth = depth;
    memcpy(incident->layers, current->layers, sizeof incident->layers);
    incident->first_layer = current->first_layer;
    incident->first_target = current->first_target;
}

static void judge_case(struct incidents *in, const struct watch_list *watch,
                       const struct registry *registry, uint32_t row,
                       const struct observer *observer)
{
    struct case_file *file = case_at(in, row);
    struct counts counts = count_case(in, watch, file, row);
    struct case_episode *episode = &file->episodes[(file->episode_count - 1) % CASE_EPISODES];
    struct incident current;
    struct interval ended;
    memset(&current, 0, sizeof current);
    note_worst(in, watch, file, row, &counts);
    follow_share(file, counts.share);
    if (observer->controls && (!file->controls || observer->controls_up < file->controls_up)) {
        file->controls_up = observer->controls_up;
        file->controls = observer->controls;
    }
    describe(in, watch, registry, file, row, &current, &episode->began, &ended);
    /* Extents at their worst: of this episode they are kept in the incident while it is the best.
     */
    for (int layer = 0; layer < LAYER_COUNT; layer++) {
        if (file->episode_count == 1 || episode->depth * 2 >= file->best_depth)
            current.layers[layer].extent = file->incident.layers[layer].extent;
        keep_worst(&current.layers[layer].extent, &counts.extents[layer]);
    }
    episode->depth = counts.share > episode->depth ? counts.share : episode->depth;
    bool is_best = file->episode_count == 1 || episode->depth * 2 >= file->best_depth;
    adopt(file, &current, episode->depth);
    bool is_done = is_over(file, &counts, &ended, observer->now);
    episode->ended = is_done ? ended : (struct interval){{0}, {0}};
    struct finding findings[EVIDENCE_COUNT];
    find(in, watch, registry, file, row, observer, findings);
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++)
        if (is_best || evidence_family((enum evidence_kind)kind) == FAMILY_TIMING)
            file->findings[kind] = findings[kind];
    struct incident *incident = &file->incident;
    incident->is_open = !is_done;
    incident->episodes = (uint16_t)file->episode_count;
    incident->vantages =
        observer->vantages > incident->vantages ? observer->vantages : incident->vantages;
    incident->depth = episode->depth > incident->depth ? episode->depth : incident->depth;
    if (file->episode_count == 1)
        incident->began = episode->began;
    incident->ended = episode->ended;
    revise(file, observer->now);
    if (is_done)
        end_episode(in, watch, row);
}

/* Members that are no longer watched leave their case; failures that came to nothing are forgotten.
 */
static void tidy(struct incidents *in, const struct watch_list *watch, uint32_t subject)
{
    for (uint32_t at = first_of(watch, subject); at;) {
        const struct member *member = watch_member(watch, at - 1);
        struct track *track = track_at(&in->tracks, at - 1);
        at = member->next;
        if (!member->is_listed && track->slot) {
            track->slot = 0;
            track->condition = CONDITION_NO_DATA;
        }
        if (!track->slot && !track_is_failing(track) &&
            (track->flags || is_known(&track->degraded)))
            track_begin_episode(track);
    }
}

static void plan(struct incidents *in, const struct watch_list *watch, uint32_t subject,
                 struct utc now)
{
    struct utc *due = table_at(&in->due, subject);
    int64_t round = 0;
    bool is_busy = false;
    for (uint32_t at = first_of(watch, subject); at; at = watch_member(watch, at - 1)->next) {
        const struct track *track = track_at(&in->tracks, at - 1);
        is_busy |= track->slot || track_is_failing(track);
        round = track->sight.round_ns > round ? track->sight.round_ns : round;
    }
    due->ns = is_busy ? now.ns + bounded(round, NS_PER_S, 10 * NS_PER_S) : 0;
}

void incidents_judge(struct incidents *in, const struct watch_list *watch,
                     const struct registry *registry, uint32_t subject,
                     const struct observer *observer, const struct sight *sights, size_t count,
                     struct numbers *numbers)
{
    fit(watch, in);
    for (size_t i = 0; i < count; i++) {
        struct track *track = track_at(&in->tracks, sights[i].member);
        if (track_see(track, watch_member(watch, sights[i].member), &sights[i]))
            track->noticed = observer->now;
    }
    tracks_compare_hosts(watch, &in->tracks, subject, &in->hosts);
    tidy(in, watch, subject);
    assign_failures(in, watch, subject, observer->now, numbers);
    for (uint32_t row = 0; row < in->cases.count; row++)
        if (case_at(in, row)->subject == subject && case_at(in, row)->is_open)
            judge_case(in, watch, registry, row, observer);
    plan(in, watch, subject, observer->now);
}
