/* The steps of judging a case that cases.c takes in turn: which case new failures belong to
 * (assign.c), how much of the subject a case holds now (count.c), and what happened to each layer
 * (describe.c). */
#ifndef CORE_INCIDENT_STEPS_H
#define CORE_INCIDENT_STEPS_H

#include "core/incident/cases.h"
#include "core/incident/findings.h"

/* Scratch: one domain while a case is counted. */
struct tally {
    struct layer_tally {
        /* Members with data; of the case, down; of the case, failing. */
        uint16_t watched, down, affected;
        bool is_whole; /* so are they all: no host has the domain of a network or zone */
    } layers[LAYER_COUNT];
    uint16_t watched, down;
    bool is_host;
};

struct counts {
    struct extent extents[LAYER_COUNT], wholes[LAYER_COUNT]; /* as in layer_history */
    uint32_t hosts_watched, hosts_down, networks_watched, networks_down;
    double share;
    bool is_failing;
};

/* Finds out what fails and belongs to no case, and opens, reopens or widens one for it, if it is
 * enough. */
void cases_assign(struct incidents *in, const struct watch_list *watch, uint32_t subject,
                  struct utc now, struct numbers *numbers);

struct counts case_count(struct incidents *in, const struct watch_list *watch,
                         const struct case_file *file, uint32_t row);

/* Fills layers, first layer and target of the incident from the tracks of the episode; *began and
 * *ended are the episode's. */
void case_describe(const struct incidents *in, const struct watch_list *watch,
                   const struct registry *registry, const struct case_file *file, uint32_t row,
                   struct incident *incident, struct interval *began, struct interval *ended);

/* Goes through a subject's members: for (row = first; row; row = next) with a track each. */
static inline uint32_t first_of(const struct watch_list *watch, uint32_t subject)
{
    return watch_subject(watch, subject)->first_member;
}

static inline int64_t bounded(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

static inline struct tally *tally_at(const struct incidents *in, size_t domain)
{
    return table_at(&in->tallies, domain);
}

#endif
