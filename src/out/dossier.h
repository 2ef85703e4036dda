/* Everything about one incident that why and report tell, with what follows from it. Rendering
 * works on this alone, so that it can be tested without a journal. */
#ifndef OUT_DOSSIER_H
#define OUT_DOSSIER_H

#include "base/mem.h"
#include "model/registry.h"
#include "out/traces.h"
#include "out/words.h"
#include "store/query.h"

struct dossier {
    const struct registry *registry;
    struct incident_file file;
    struct subject_state subject; /* zero if the journal does not describe it */
    struct notice_list notices;   /* all of the journal */
    struct trace_list traces;
    struct utc judged_until; /* up to which the data were judged; 0 if not known */
    struct arena *arena;     /* for texts */
};

/* Up to when a journal's observations have been judged: each waits for older ones that may arrive
 * late. 0 while all of them wait. */
struct utc judged_until(const struct journal_counts *counts);

/* The time up to which an open incident is known not to be over. */
struct utc dossier_known_until(const struct dossier *dossier);

/* The verdict that stands; NULL if there is none yet. */
const struct verdict *dossier_verdict(const struct dossier *dossier);

/* "kp (Web sites under .kp)". */
const char *subject_words(struct arena *arena, const struct registry *registry,
                          const struct subject_state *subject, uint32_t name);
/* NULL if the list has no such subject. */
const struct subject_state *subject_find(const struct subject_list *subjects, uint32_t subject);

/* When the first series of a layer suffered: degraded or down, whichever was first. False if none
 * did. */
bool layer_onset(const struct layer_history *history, struct interval *onset, bool *is_degraded);

/* The layer that certainly came next after the incident's first one, and by how much at least.
 * LAYER_COUNT if no other layer was touched or their order is not certain. */
enum layer dossier_second_layer(const struct dossier *dossier, int64_t *margin_ns);
/* How many layers were touched at all. */
unsigned dossier_layers(const struct dossier *dossier);

/* Of what kind those are that went down (is_degraded: suffered); if none did, all. */
enum units history_units(const struct layer_history *history, bool is_degraded);

/* "4 of 4 hosts, 3 of 3 routes and 2 of 5 services": what was down at the worst moment, or, if
 * nothing was, what was degraded (*is_degraded). */
const char *incident_extent(struct arena *arena, const struct incident *incident,
                            bool *is_degraded);

/* One step of the time line. */
struct step {
    struct interval at;
    enum layer layer;
    const char *what;     /* static or in the arena */
    const char *extent;   /* "4 of 4 hosts", "on 1 of 2 servers"; "" where no figure belongs */
    bool is_simultaneous; /* its interval overlaps that of the step before: no order */
};
struct step_list {
    struct step *list;
    size_t count;
};
/* In order of time; ties by layer, outside in. */
struct step_list dossier_time_line(const struct dossier *dossier);

/* The day whose times are written without a date: that of the first step of the time line, whose
 * heading names it. */
struct utc dossier_day(const struct dossier *dossier);

/* Evidence of the standing verdict that speaks most for (sign +1) or against (sign -1) `cause`
 * compared with `other`, CAUSE_COUNT: with the mean of all causes. EVIDENCE_COUNT if nothing does.
 */
int strongest_evidence(const struct verdict *verdict, enum cause cause, enum cause other, int sign);

/* True if the cause is among those that hold 80 %. */
bool verdict_has_in_set(const struct verdict *verdict, enum cause cause);

#endif
