/* Incidents: failures of one subject that belong together. The rules:
 *
 * - A case opens when a target of the subject is down, a route is gone, partial for ten seconds, or
 *   announced by a foreign origin, or when two hosts (or the only one) are degraded. A target that
 * never answered in the record has no onset and opens nothing.
 * - What fails while a case is open joins it; only a case of a single host whose last onset is
 * older than 120 rounds (at most an hour, at least ten seconds) stays alone, and what fails next is
 * another case.
 * - A certificate that expired explains itself: such failures and others are never one case.
 * - An episode ends when nothing of it failed for ten rounds (at least 10 s, at most 15 min; 1 min
 * where only routes failed). With it the incident closes.
 * - Within 14 days a new failure of the subject that is alike is a further EPISODE of the same
 * incident: at least half of the domains that fail now had failed in it, and they are at least a
 * quarter of those (at least two, unless it was of less than four). This makes intermittent outages
 * (14 January 2022, the following weekend, 26 January) one incident with several episodes.
 * - A failure of few that could still grow into such an episode waits for 30 rounds (at most 15
 * min) before it becomes an incident of its own.
 * - Layers, order and findings are those of the deepest episode: the current one takes over as soon
 * as it is half as deep.
 * - Revisions are made when something material changed; after the first ten at most one a minute of
 *   data time, and after CASE_REVISIONS only at begin and end of episodes. */
#ifndef CORE_INCIDENT_CASES_H
#define CORE_INCIDENT_CASES_H

#include "core/incident/tracks.h"

enum { CASE_SLOTS = 64 /* of one subject */, CASE_EPISODES = 64, CASE_REVISIONS = 500 };

struct case_episode {
    struct interval began, ended;
    double depth;
};

struct case_file {
    uint32_t subject; /* row */
    uint32_t slot;
    bool is_open;
    bool is_revised;     /* to be told: incident, episode and, by core.c, the verdict */
    bool is_of_expiries; /* of certificates, and of nothing else */
    bool was_settled;    /* the revision after which a verdict is no longer provisional was made */
    uint32_t episode_count;
    /* A ring: number n is at (n - 1) % CASE_EPISODES. */
    struct case_episode episodes[CASE_EPISODES];
    struct utc last_onset;
    struct utc returned;      /* when something of it came back last */
    struct incident incident; /* as it stands */
    struct incident told;     /* as it was last told */

    /* The current episode, at its worst moment. */
    uint32_t hosts_down, hosts_watched, networks_down, networks_watched;
    uint64_t voting, saying_down;
    uint32_t controls_up, controls;
    double share, peak, trough; /* of domains down now; since the last turn */
    bool has_eased;
    uint32_t relapses;
    int64_t round_ns; /* the longest of its targets */

    double best_depth; /* of the episode that the findings are of */
    struct finding findings[EVIDENCE_COUNT];
    uint8_t truths[EVIDENCE_COUNT]; /* as last told */
};

struct incidents {
    struct table tracks, cases;
    struct table due;            /* struct utc for each subject: to be judged again */
    struct table tallies, hosts; /* scratch */
    uint64_t capped;
};

void incidents_init(struct incidents *incidents);
void incidents_done(struct incidents *incidents);
void incidents_save(const struct incidents *incidents, struct buffer *out);
bool incidents_load(struct incidents *incidents, struct reader *in);

/* Judges a subject: sights of all of its listed members, in their order. Cases that have something
 * to tell are left with is_revised; core.c tells them. */
void incidents_judge(struct incidents *incidents, const struct watch_list *watch,
                     const struct registry *registry, uint32_t subject,
                     const struct observer *observer, const struct sight *sights, size_t count,
                     struct numbers *numbers);

/* When the subject must be judged even if nothing changes; 0 if it need not. */
struct utc incidents_due(const struct incidents *incidents, uint32_t subject);

/* The incident that a member's failure belongs to, 0 for none; *is_pending: that is not decided
 * yet. */
uint32_t incidents_of(const struct incidents *incidents, uint32_t member, bool *is_pending);

static inline struct case_file *case_at(const struct incidents *incidents, size_t row)
{
    return table_at(&incidents->cases, row);
}

#endif
