/* Questions to the journal. Answers are values, lists in an arena; all read a consistent snapshot while a
 * writer is busy. */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include "base/mem.h"
#include "store/journal.h"

struct journal_counts {
    uint64_t observations, blocks, names, events, incidents;
    uint64_t bytes;         /* of the journal's file and its WAL */
    struct utc first, last; /* times of the first and last observation */
};
enum err query_counts(struct journal *journal, struct journal_counts *out, struct why *why);

/* The newest revision of every incident, oldest incident first; subject 0: of all. */
struct incident_list {
    struct incident *list;
    size_t count;
};
enum err query_incidents(struct journal *journal, uint32_t subject, struct arena *arena,
                         struct incident_list *out, struct why *why);

/* One incident with all that belongs to it. ERR_NOT_FOUND if there is none of that id. */
struct incident_file {
    struct incident incident;         /* newest revision */
    const struct incident *revisions; /* all, oldest first */
    size_t revision_count;
    const struct episode *episodes; /* newest state of each */
    size_t episode_count;
    const struct event *events; /* in order of id */
    size_t event_count;
    const struct verdict *verdicts; /* all, oldest first; the last one stands */
    size_t verdict_count;
};
enum err query_incident(struct journal *journal, uint32_t id, struct arena *arena,
                        struct incident_file *out, struct why *why);

/* Every subject as its newest SUBJECT observation describes it, in order of first appearance. Kept by the
 * commit in a table of its own, so that no observation need be read. */
struct subject_state {
    uint32_t subject;
    uint32_t title; /* a text, 0 for none */
    int32_t utc_offset_s;
    bool is_reconstruction;
    uint32_t targets; /* how many it has, networks and zones too */
    struct utc since; /* time of that observation */
};
struct subject_list {
    struct subject_state *list;
    size_t count;
};
enum err query_subjects(struct journal *journal, struct arena *arena, struct subject_list *out,
                        struct why *why);

struct notice_list {
    struct notice *list; /* newest state of each, oldest first */
    size_t count;
};
enum err query_notices(struct journal *journal, struct arena *arena, struct notice_list *out,
                       struct why *why);

struct series_list {
    struct series_state *list; /* current state, in order of subject, layer, target, source */
    size_t count;
};
enum err query_series(struct journal *journal, uint32_t subject, struct arena *arena,
                      struct series_list *out, struct why *why);

#endif
