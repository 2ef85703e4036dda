#include "core/incident/cases.h"

#include "base/mem.h"
#include "core/incident/findings.h"
#include "core/incident/steps.h"

#include <stdlib.h>
#include <string.h>

static const int64_t PROVISIONAL = 15 * NS_PER_MINUTE;

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

bool incidents_load(struct incidents *incidents, struct reader *in)
{
    bool is_good = table_load(&incidents->tracks, in) && table_load(&incidents->cases, in) &&
                   table_load(&incidents->due, in);
    incidents->capped = reader_varint(in);
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

static void keep_worst(struct layer_history *worst, const struct extent *now,
                       const struct extent *whole)
{
    const struct extent *before = &worst->extent;
    bool is_worse =
        now->down > before->down || (now->down == before->down && now->degraded > before->degraded);
    if (!is_worse && before->watched)
        return;
    worst->extent = *now;
    worst->whole = *whole;
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

/* The smallest share of the controls that answered while the case was open; of equal shares the one
 * of most controls, since not all have data at every moment. */
static void note_controls(struct case_file *file, const struct observer *observer)
{
    uint64_t share = (uint64_t)observer->controls_up * file->controls;
    uint64_t least = (uint64_t)file->controls_up * observer->controls;
    bool is_less = share < least || (share == least && observer->controls > file->controls);
    if (!observer->controls || (file->controls && !is_less))
        return;
    file->controls_up = observer->controls_up;
    file->controls = observer->controls;
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
    struct counts counts = case_count(in, watch, file, row);
    struct case_episode *episode = &file->episodes[(file->episode_count - 1) % CASE_EPISODES];
    struct incident current;
    struct interval ended;
    memset(&current, 0, sizeof current);
    note_worst(in, watch, file, row, &counts);
    note_controls(file, observer);
    follow_share(file, counts.share);
    case_describe(in, watch, registry, file, row, &current, &episode->began, &ended);
    /* Extents at their worst: of this episode they are kept in the incident while it is the best.
     */
    for (int layer = 0; layer < LAYER_COUNT; layer++) {
        struct layer_history *history = &current.layers[layer];
        const struct layer_history *kept = &file->incident.layers[layer];
        if (file->episode_count == 1 || episode->depth * 2 >= file->best_depth) {
            history->extent = kept->extent;
            history->whole = kept->whole;
        }
        keep_worst(history, &counts.extents[layer], &counts.wholes[layer]);
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

/* When something of each case of the subject came back last. */
static void note_returns(const struct incidents *in, const struct watch_list *watch,
                         uint32_t subject)
{
    for (uint32_t at = first_of(watch, subject); at; at = watch_member(watch, at - 1)->next) {
        const struct track *track = track_at(&in->tracks, at - 1);
        if (!track->slot || !(track->flags & TRACK_FAILED) || track_is_failing(track))
            continue;
        struct case_file *file = case_at(in, track->slot - 1);
        if (track->up_last.first_after.ns > file->returned.ns)
            file->returned = track->up_last.first_after;
    }
}

void incidents_judge(struct incidents *in, const struct watch_list *watch,
                     const struct registry *registry, uint32_t subject,
                     const struct observer *observer, const struct sight *sights, size_t count,
                     struct numbers *numbers)
{
    fit(watch, in);
    note_returns(in, watch, subject);
    for (size_t i = 0; i < count; i++) {
        struct track *track = track_at(&in->tracks, sights[i].member);
        struct utc returned = {track->slot ? case_at(in, track->slot - 1)->returned.ns : 0};
        if (track_see(track, watch_member(watch, sights[i].member), &sights[i], returned))
            track->noticed = observer->now;
    }
    tracks_compare_hosts(watch, &in->tracks, subject, &in->hosts);
    tidy(in, watch, subject);
    cases_assign(in, watch, subject, observer->now, numbers);
    for (uint32_t row = 0; row < in->cases.count; row++)
        if (case_at(in, row)->subject == subject && case_at(in, row)->is_open)
            judge_case(in, watch, registry, row, observer);
    plan(in, watch, subject, observer->now);
}
