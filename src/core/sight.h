/* What detect/ saw of one member of a subject, all vantages or peers taken together: the value that
 * core.c hands from detect/ to incident/, which do not know each other. */
#ifndef CORE_SIGHT_H
#define CORE_SIGHT_H

#include "model/conclusion.h"

struct sight {
    uint32_t member; /* row in the watch list */
    uint8_t condition;
    uint8_t outcome; /* of the last bad probe */
    uint8_t stage;
    bool was_up; /* ever */
    struct interval since;
    struct utc last_good;
    int64_t round_ns;
    /* One bit for each vantage (its row, modulo 64) that has data and a vote, and that says down.
     */
    uint64_t voting, saying_down;

    /* Targets: the latest graded phase and the latest step of the delay (detect/series.h). */
    struct interval graded_began;
    struct utc graded_last;
    double graded_loss, graded_rtt;
    struct interval step_at;
    double step_ns;

    /* Prefixes (detect/routes.h). */
    struct interval left_up;
    double v;
    uint32_t flap_count;   /* times it ever left up */
    uint32_t recent_flaps; /* of those, in the last 24 h */
    uint32_t origin, upstream, upstream_before;
    struct utc upstream_changed;
    uint32_t foreign_asn, foreign_prefix, foreign_peers, foreign_of;
    bool is_foreign;
    struct interval foreign_began, foreign_ended;
};

/* How the observer was when the sights were taken. */
struct observer {
    struct utc now;
    uint32_t vantages;              /* with a vote and data of this subject */
    uint32_t controls_up, controls; /* of those vantages */
    struct utc first_data;          /* the oldest data of the record */
};

/* The last numbers given out. */
struct numbers {
    uint32_t event, incident, notice;
};

#endif
