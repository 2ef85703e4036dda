/* One question over time: (vantage, target). After each answer the belief that the target is up is
 * updated as Trinocular does (Quan, Heidemann, Pradkin, SIGCOMM 2013), with the target's own lately
 * observed share of answers as its availability:
 *
 *     answer:  B(down)' ~ FALSE_GOOD * B(down)          B(up)' ~ A * B(up)
 *     none:    B(down)' ~ (1 - FALSE_GOOD) * B(down)    B(up)' ~ (1 - A) * B(up)
 *
 * clamped to [0.01, 0.99]; down at B(up) < 0.1, up at B(up) > 0.9, else what it was. A is held
 * between 0.25 and 0.85: a target that always answered is down after four silent probes (a
 * hundredth of all packets lost makes that once in 10^8), one that loses half after about ten. A
 * failure that somebody reports (refused, unreachable, a wrong answer) is no random loss and counts
 * as three. And no run of losses makes it down that its usual loss would give more often than once
 * in 10^7: a line that loses 3 % needs five, one that loses 10 % eight.
 *
 * A probe that was asked out of turn, since something went dark or came back (source/probe/follow_up.h), is a
 * check and no sample: what is lost within seconds is lost together. It ends a run of losses or goes on with it, but
 * counts for little, and teaches nothing of loss, of delay or of how often the target is asked.
 *
 * Partial loss and delay are judged by CUSUM: on losses between answers (a run of losses that no
 * answer ends is not partial loss), and on the logarithm of the round-trip time against a robust
 * baseline that is not learned from while something is wrong. Delay counts as raised only when also
 * many more answers are clearly late than usual: where packets are lost, some answers always are,
 * since they were asked for again.
 *
 * Every change is an interval [last of the old, first of the new] taken from the probes themselves,
 * not from when the belief crossed: from when the last of the old was sent until the first of the
 * new was answered, or would have been. Outcomes of class OURS never count, but for controls that
 * answered before: there they are failures, since it is the vantage that controls tell of.
 *
 * A network that is asked as a whole (block:) is judged over each round by who asks it, from many addresses:
 * its belief is not to be put through the same again. That none of them answered is no random loss; two
 * such rounds make it down, more where rounds have been wrong before. Since others answer every time, their
 * delays are not compared. */
#ifndef CORE_DETECT_SERIES_H
#define CORE_DETECT_SERIES_H

#include "model/conclusion.h"
#include "model/observation.h"

enum { SERIES_RTTS = 8, SERIES_CHECKS = 3 };

struct series {
    uint32_t source, target;
    uint32_t next;    /* the next series of the same target, row + 1 */
    uint32_t address; /* the address that replied last, 0 if none said */
    uint32_t notice;  /* id while the notice that it is silent is open */
    uint8_t layer;
    uint8_t condition; /* what the probes say; what is published waits for the controls */
    uint8_t published; /* the last that was told and was not NO_DATA */
    uint8_t shown;     /* the last that was told */
    uint8_t outcome;   /* of the last probe that counted */
    uint8_t stage;
    uint8_t bad_outcome; /* of the last bad one */
    uint8_t bad_stage;
    uint8_t window_n; /* answers and losses in the window, up to 20 */
    uint8_t rtt_n;    /* filled entries of rtts */
    uint8_t rtt_at;
    bool is_control;
    bool is_waiting; /* in the list of series whose change is not published yet */
    bool was_up;     /* ever: a target that never answered has no onset */
    bool is_lossy;
    bool is_slow;
    bool is_silent;  /* not asked any more, or only by probes of ours that failed */
    bool is_network; /* each probe is a round over many addresses */

    uint32_t bad_run, good_run; /* bad: all; good: of checks only the first */
    uint32_t lost_run;          /* samples lost since the last one that was answered */
    uint32_t run_before;        /* good ones in a row before the run of bad ones */
    uint32_t window;            /* the last 32, newest in bit 0; 1 = lost */
    uint32_t rtt_count;         /* samples that the baseline was learned from */
    uint32_t slow_n;            /* samples since the delay stepped */
    double belief;
    double run_chance; /* of the run of bad ones, if up: logarithm of what its usual losses give */
    double recent;     /* share of answers lately */
    /* The same, before the run of bad ones: an outage teaches nothing of it. */
    double recent_before;
    int64_t round_ns;

    struct utc last_any, last_judged, last_good, last_bad;
    struct utc last_sample;                /* the last that was no check */
    struct utc good_before;                /* the good one before the last */
    struct utc good_checks[SERIES_CHECKS]; /* the last since anything was lost, newest first */
    /* When what began the run of bad ones that is not ended, or was last ended, was true; and the run
     * of good ones. */
    struct utc first_bad, first_good;
    struct utc turned;     /* when the last change of condition was certain */
    struct interval since; /* of the condition */
    struct interval published_since;
    /* As it was told: when it was lost last and when it was back last, whatever gaps lay between; and
     * whether it was lost because its name was not found, or the look-up failed. */
    struct interval lost, back;
    bool was_unresolved, was_servfail;
    struct interval silent_began;

    double loss_sum;     /* CUSUM */
    double loss_usual;   /* share lost in the long run */
    uint32_t loss_count; /* probes it was learned from, up to the memory's length */
    struct interval loss_began;
    double rtt_log, rtt_spread;  /* baseline: natural logarithm of ns, and its scale */
    double rtt_up, rtt_down;     /* CUSUM, both ways */
    double tail_usual, tail_sum; /* share of clearly late answers in the long run; CUSUM on it */
    struct interval slow_began;
    struct interval rise_began; /* when the delay began to rise: since rtt_up was 0 last */
    double slow_level;          /* where the delay was soon after it began to differ */
    double rtts[SERIES_RTTS];   /* logarithms */

    /* The latest phase of partial loss or delay. */
    struct interval graded_began;
    struct utc graded_last; /* the last answer within it */
    double graded_loss;     /* the worst share lost over 20 probes */
    double graded_rtt;      /* the worst median over the baseline */
    /* The latest step of the delay to a new steady level. */
    struct interval step_at;
    double step_ns;
};

void series_init(struct series *series, uint32_t source, uint32_t target, bool is_control,
                 uint8_t layer);

/* Judges one probe. True if the condition changed. */
bool series_probe(struct series *series, const struct observation *probe);

/* Time has passed: no probe that counts for more than three rounds makes it no data. True if that
 * changed now. */
bool series_silence(struct series *series, struct utc now);
/* When series_silence() can next say yes. */
struct utc series_silence_due(const struct series *series);

/* Its source was blind or unwell from `from` on: what was believed is void, evidence starts afresh.
 * What was learned (availability, delay) stays, and so does the last good answer before. */
void series_restart(struct series *series, struct utc from);

/* A probe of a source that has no vote now: nothing is learned but that it was asked. */
void series_pass(struct series *series, struct utc now, bool is_check);

double series_loss(const struct series *series); /* over the last 20 probes */
double series_rtt(const struct series *series);  /* median of the last five, ns; 0 if none */
double series_rtt_base(const struct series *series);

#endif
