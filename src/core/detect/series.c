#include "core/detect/series.h"

#include <math.h>
#include <string.h>

/* [P] science.md 1.2, 1.13; see the header for what they amount to. */
static const double FALSE_GOOD = 0.99 / 256;
static const double AVAILABLE_MIN = 0.25, AVAILABLE_MAX = 0.85;
static const double BELIEF_DOWN = 0.1, BELIEF_UP = 0.9;
static const double REPORTED_FACTOR =
    1.0 / 8; /* of a loss: an error that was said is hardly chance */

/* Losses: CUSUM of the likelihood ratio of 20 % against 2 % (or three times what is usual). Five
 * among about twenty answers raise it; where one in a hundred is lost that happens once in some
 * millions. */
static const double LOSS_USUAL_MIN = 0.02, LOSS_RAISED_MIN = 0.2, LOSS_ALARM = 11;
enum { LOSS_MEMORY = 1024, LOSS_MEMORY_RAISED = 4 * 1024, LOSS_PRIOR = 200 };
enum { LOSS_WINDOW = 20, STRAY_RUN = 5, LOSS_RUN_MAX = 3 };

/* Delay: CUSUM on robust z, k = 0.5, h = 8, one sample bounded to 4. */
static const double RTT_K = 0.5, RTT_ALARM = 8, RTT_Z_MAX = 4, RTT_SPREAD_MIN = 0.05;
static const double RTT_RISE_NS = 5e6, RTT_RISE_SHARE = 1.2;
enum { RTT_LEARN_MIN = 8, RTT_STEP_MIN = 20, RTT_STEP_SOON = 6, RTT_MEDIAN = 5 };

/* Late answers: 70 % against what is usual, at least 5 %. Five in a row raise it where they are
 * rare. */
static const double LATE_USUAL_MIN = 0.05, LATE_RAISED = 0.7, LATE_ALARM = 13, LATE_Z = 2;
static const double LATE_PRIOR = 0.02;

/* Of a run of losses, by chance: 10^-7, a logarithm. Where a tenth or more is lost, no more is
 * asked than there. */
static const int REPORTED_AS = 3;
/* Of a check to be lost after another loss, with the host well. [P] Bolot (SIGCOMM 1993) found a fifth to a third
 * at half a second; this is more, since bursts may lose half of all for a minute and more
 * (test/scenario/months/bursts.scn), and so that the others have had their turn before one is called down. */
static const double CHECK_LOSS = 0.4;
static const double RUN_CHANCE = -16.1, RUN_LOSS_MIN = 0.01, RUN_LOSS_MAX = 0.13;

static const int SILENT_ROUNDS = 3;

void series_init(struct series *s, uint32_t source, uint32_t target, bool is_control, uint8_t layer)
{
    memset(s, 0, sizeof *s);
    s->source = source;
    s->target = target;
    s->is_control = is_control;
    s->layer = layer;
    s->belief = 0.5;
    s->recent = AVAILABLE_MAX;
    s->loss_usual = 0.01;
    s->tail_usual = LATE_PRIOR;
    s->loss_count = LOSS_PRIOR;
}

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

static void set_condition(struct series *s, enum condition condition, struct interval since,
                          struct utc now)
{
    s->condition = (uint8_t)condition;
    s->since = since;
    s->turned = now;
}

/* The usual distance of two probes: quick to grow, slow to shrink, so that probes sent in bursts
 * count by the pause between them. */
static void learn_round(struct series *s, struct utc now)
{
    int64_t gap = utc_is_known(s->last_sample) ? utc_diff(now, s->last_sample) : 0;
    s->last_sample = now;
    if (gap <= 0)
        return;
    if (!s->round_ns)
        s->round_ns = gap;
    else if (gap > s->round_ns)
        s->round_ns += ((gap < 4 * s->round_ns ? gap : 4 * s->round_ns) - s->round_ns) / 4;
    else
        s->round_ns -= (s->round_ns - gap) / 32;
}

/* How probable it is that a check is lost after another loss, where this share of samples is. */
static double check_loss(double loss)
{
    return CHECK_LOSS + (1 - CHECK_LOSS) * loss;
}

static void learn_belief(struct series *s, bool is_good, bool was_reported, bool is_sample)
{
    double available = clamp(s->recent, AVAILABLE_MIN, AVAILABLE_MAX);
    double lost = is_sample ? (1 - available) * (was_reported ? REPORTED_FACTOR : 1)
                            : check_loss(1 - available);
    double if_up = is_good ? available : lost;
    double if_down = is_good ? FALSE_GOOD : 1 - FALSE_GOOD;
    double up = if_up * s->belief, down = if_down * (1 - s->belief);
    s->belief = clamp(up / (up + down), 0.01, 0.99);
}

static void learn_available(struct series *s, bool is_good)
{
    if (s->bad_run == 0)
        s->recent_before = s->recent;
    if (s->condition != CONDITION_DOWN)
        s->recent += ((is_good ? 1.0 : 0.0) - s->recent) / 16;
}

static double median(const double *values, unsigned n)
{
    double sorted[SERIES_RTTS];
    for (unsigned i = 0; i < n; i++) {
        unsigned j = i;
        for (; j > 0 && sorted[j - 1] > values[i]; j--)
            sorted[j] = sorted[j - 1];
        sorted[j] = values[i];
    }
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* The last n delays (logarithms), newest first. */
static unsigned last_rtts(const struct series *s, unsigned n, double *out)
{
    n = n < s->rtt_n ? n : s->rtt_n;
    for (unsigned i = 0; i < n; i++)
        out[i] = s->rtts[(s->rtt_at + 2u * SERIES_RTTS - 1 - i) % SERIES_RTTS];
    return n;
}

static double recent_rtt_log(const struct series *s)
{
    double values[SERIES_RTTS];
    unsigned n = last_rtts(s, RTT_MEDIAN, values);
    return n ? median(values, n) : 0;
}

static bool rtt_is_raised(const struct series *s)
{
    double now = exp(recent_rtt_log(s)), usual = exp(s->rtt_log);
    return now > usual + RTT_RISE_NS && now > usual * RTT_RISE_SHARE;
}

static void learn_rtt(struct series *s, double x)
{
    double off = clamp(x - s->rtt_log, -2 * s->rtt_spread, 2 * s->rtt_spread);
    double rate = s->rtt_count < 50 ? 1.0 / (s->rtt_count + 1) : 0.02;
    if (s->rtt_count < RTT_LEARN_MIN) {
        s->rtt_log = recent_rtt_log(s);
        s->rtt_spread = 0.15;
    } else {
        s->rtt_log += rate * off;
        s->rtt_spread +=
            rate * (fmin(fabs(x - s->rtt_log), 4 * s->rtt_spread) * 1.25 - s->rtt_spread);
        s->rtt_spread = fmax(s->rtt_spread, RTT_SPREAD_MIN);
    }
    s->rtt_count++;
}

/* Is this answer clearly late, by the baseline? And do more come late than usual? */
static void judge_late(struct series *s, double x)
{
    bool is_late = x > s->rtt_log + fmax(LATE_Z * s->rtt_spread, log(RTT_RISE_SHARE)) &&
                   exp(x) > exp(s->rtt_log) + RTT_RISE_NS;
    double usual = clamp(1.5 * s->tail_usual, LATE_USUAL_MIN, 0.5);
    bool is_raised = s->is_slow || s->tail_sum > LATE_ALARM / 2;
    uint32_t memory = is_raised ? LOSS_MEMORY_RAISED : s->loss_count;
    s->tail_usual += ((is_late ? 1.0 : 0.0) - s->tail_usual) / memory;
    s->tail_sum += is_late ? log(LATE_RAISED / usual) : log((1 - LATE_RAISED) / (1 - usual));
    s->tail_sum = clamp(s->tail_sum, 0, 2 * LATE_ALARM);
}

/* The delay has settled on another level, with its spread unchanged: another path, not congestion.
 */
static bool has_stepped(const struct series *s, double *level)
{
    double values[SERIES_RTTS], low, high;
    if (s->slow_n < RTT_STEP_MIN || last_rtts(s, SERIES_RTTS, values) < SERIES_RTTS)
        return false;
    low = high = values[0];
    for (unsigned i = 1; i < SERIES_RTTS; i++) {
        low = fmin(low, values[i]);
        high = fmax(high, values[i]);
    }
    *level = median(values, SERIES_RTTS);
    bool at_once =
        fabs(*level - s->slow_level) < fmax(1.5 * s->rtt_spread, 0.15 * fabs(*level - s->rtt_log));
    return at_once && high - low < 4 * s->rtt_spread && s->loss_sum < LOSS_ALARM / 2 &&
           fabs(exp(*level) - exp(s->rtt_log)) > 2e6;
}

static void take_step(struct series *s, double level)
{
    s->step_ns = exp(level) - exp(s->rtt_log);
    s->step_at = s->slow_began;
    s->rtt_log = level;
    s->rtt_up = s->rtt_down = s->tail_sum = 0;
    s->is_slow = false;
    s->slow_n = 0;
}

static void judge_rtt(struct series *s, const struct observation *probe)
{
    double x = log((double)probe->rtt_ns);
    s->rtts[s->rtt_at] = x;
    s->rtt_at = (uint8_t)((s->rtt_at + 1) % SERIES_RTTS);
    s->rtt_n = (uint8_t)(s->rtt_n < SERIES_RTTS ? s->rtt_n + 1 : SERIES_RTTS);
    if (s->rtt_count < 2 * RTT_LEARN_MIN) {
        learn_rtt(s, x);
        return;
    }
    judge_late(s, x);
    double z = clamp((x - s->rtt_log) / s->rtt_spread, -RTT_Z_MAX, RTT_Z_MAX);
    if (s->rtt_up <= 0 && s->rtt_down <= 0) {
        s->slow_began = (struct interval){s->last_good, {0}};
        s->slow_n = 0;
    }
    if (s->rtt_up <= RTT_ALARM / 4) /* chance alone keeps it above 0 for long */
        s->rise_began = (struct interval){s->last_good, {0}};
    s->rtt_up = clamp(s->rtt_up + z - RTT_K, 0, 4 * RTT_ALARM);
    s->rtt_down = clamp(s->rtt_down - z - RTT_K, 0, 4 * RTT_ALARM);
    if (++s->slow_n == RTT_STEP_SOON)
        s->slow_level = recent_rtt_log(s);
    if (!utc_is_known(s->slow_began.first_after) &&
        (s->rtt_up > RTT_ALARM || s->rtt_down > RTT_ALARM))
        s->slow_began.first_after = probe->time;
    if (!utc_is_known(s->rise_began.first_after) && s->rtt_up > RTT_ALARM)
        s->rise_began.first_after = probe->time;
    else if (!s->is_slow && s->rtt_up <= RTT_ALARM) /* what has fallen back was not it */
        s->rise_began.first_after = (struct utc){0};
    if (!s->is_slow && s->rtt_up > RTT_ALARM && s->tail_sum > LATE_ALARM && rtt_is_raised(s)) {
        s->is_slow = true;
    } else if (s->is_slow && !rtt_is_raised(s)) {
        s->is_slow = false;
        s->rtt_up = s->tail_sum = 0;
    }
    double level;
    if ((s->rtt_up > RTT_ALARM || s->rtt_down > RTT_ALARM) && has_stepped(s, &level))
        take_step(s, level);
    else if (s->rtt_up < RTT_ALARM / 2 && !s->is_lossy)
        learn_rtt(s, x);
}

static double window_loss(const struct series *s)
{
    uint32_t mask = s->window_n ? UINT32_MAX >> (32 - s->window_n) : 0;
    return s->window_n ? (double)__builtin_popcount(s->window & mask) / s->window_n : 0;
}

/* What is usual, learned slowly while it looks as if something were wrong. */
static void learn_loss(struct series *s, uint32_t lost)
{
    bool is_raised = s->is_lossy || s->loss_sum > LOSS_ALARM / 2;
    for (uint32_t i = 0; i <= lost && i <= LOSS_RUN_MAX; i++) {
        uint32_t n = is_raised ? LOSS_MEMORY_RAISED : s->loss_count;
        s->loss_usual += ((i < lost ? 1.0 : 0.0) - s->loss_usual) / n;
        s->loss_count += s->loss_count < LOSS_MEMORY;
    }
}

/* Called at an answer: the losses since the answer before are partial loss now. */
static void judge_loss(struct series *s, uint32_t lost, struct utc now)
{
    learn_loss(s, lost);
    if (!lost && s->loss_sum <= 0 && !s->is_lossy)
        return;
    double usual = clamp(1.25 * s->loss_usual, LOSS_USUAL_MIN, 0.5);
    double raised = clamp(3 * usual, LOSS_RAISED_MIN, 0.9);
    uint32_t counted = lost < LOSS_RUN_MAX ? lost : LOSS_RUN_MAX;
    /* A single stray loss, and a good run after it, is not where the phase began. */
    bool is_stray = s->loss_sum <= LOSS_ALARM / 4 && s->run_before >= STRAY_RUN;
    if (lost && !s->is_lossy && (s->loss_sum <= 0 || is_stray))
        s->loss_began = (struct interval){s->last_good, {0}};
    s->loss_sum += counted * log(raised / usual) + log((1 - raised) / (1 - usual));
    s->loss_sum = clamp(s->loss_sum, 0, 2 * LOSS_ALARM);
    if (s->loss_sum > LOSS_ALARM && !s->is_lossy) {
        s->loss_began.first_after = now;
        s->is_lossy = true;
    } else if (s->is_lossy &&
               (s->loss_sum <= 0 || window_loss(s) <= s->loss_usual + 1.0 / LOSS_WINDOW)) {
        s->is_lossy = false;
        s->loss_sum = 0;
    }
}

static void note_graded(struct series *s, struct utc now)
{
    struct interval began = s->is_lossy ? s->loss_began : s->rise_began;
    if (s->is_lossy && s->is_slow && s->rise_began.first_after.ns < began.first_after.ns)
        began = s->rise_began;
    bool is_new = s->condition == CONDITION_UP || s->condition == CONDITION_NO_DATA;
    if (is_new) {
        s->graded_began = began;
        s->graded_loss = s->graded_rtt = 0;
    }
    s->graded_last = now;
    s->graded_loss = fmax(s->graded_loss, window_loss(s));
    if (s->rtt_n && s->rtt_count >= RTT_LEARN_MIN)
        s->graded_rtt = fmax(s->graded_rtt, exp(recent_rtt_log(s) - s->rtt_log));
}

static void settle_up(struct series *s, struct utc now)
{
    bool is_graded = s->is_lossy || s->is_slow;
    if (is_graded)
        note_graded(s, now);
    enum condition to = is_graded ? CONDITION_DEGRADED : CONDITION_UP;
    if (s->condition == (uint8_t)to)
        return;
    struct interval since = {s->last_bad, s->first_good};
    if (to == CONDITION_DEGRADED && s->condition != CONDITION_DOWN)
        since = s->graded_began;
    else if (s->condition == CONDITION_DEGRADED && s->last_bad.ns < s->since.first_after.ns)
        since = (struct interval){s->since.first_after, now}; /* delay that went back to normal */
    s->was_up = true;
    set_condition(s, to, since, now);
}

static bool is_down(const struct series *s)
{
    return s->belief < BELIEF_DOWN &&
           (s->condition == CONDITION_DOWN || s->run_chance <= RUN_CHANCE);
}

static void settle(struct series *s, struct utc now)
{
    if (is_down(s)) {
        if (s->condition == CONDITION_DOWN)
            return;
        set_condition(s, CONDITION_DOWN, (struct interval){s->last_good, s->first_bad}, now);
        s->recent = s->recent_before;
        s->loss_sum = s->rtt_up = s->rtt_down = s->tail_sum = 0;
        s->is_lossy = s->is_slow = false;
        s->window_n = 0;
        s->rtt_n = 0;
        return;
    }
    bool is_up = s->condition == CONDITION_UP || s->condition == CONDITION_DEGRADED;
    if (s->belief > BELIEF_UP || is_up)
        settle_up(s, now);
}

/* A probe speaks of some moment between when it was sent and when its answer came, or would have: it
 * was by then that things were as it says. */
static struct utc true_by(const struct series *s, const struct observation *probe)
{
    int64_t rtt_ns = probe->rtt_ns > 0 ? probe->rtt_ns : (int64_t)series_rtt_base(s);
    return utc_add(probe->time, rtt_ns);
}

static void take_sample(struct series *s, const struct observation *probe)
{
    if (probe->rtt_ns > 0 && !s->is_network)
        judge_rtt(s, probe);
    judge_loss(s, s->lost_run, probe->time);
    s->lost_run = 0;
}

static void note_good_check(struct series *s, struct utc now)
{
    for (unsigned i = SERIES_CHECKS - 1; i > 0; i--)
        s->good_checks[i] = s->good_checks[i - 1];
    s->good_checks[0] = now;
}

static void take_good(struct series *s, const struct observation *probe, bool is_sample)
{
    if (s->good_run == 0)
        s->first_good = true_by(s, probe);
    s->good_run += is_sample || s->good_run == 0;
    s->bad_run = 0;
    if (s->condition == CONDITION_DOWN) {
        s->window_n = is_sample; /* what was lost while it was down is not partial loss */
        s->lost_run = 0;
    } else if (is_sample) {
        take_sample(s, probe);
    }
    if (!is_sample)
        note_good_check(s, probe->time);
    s->good_before = s->last_good;
    s->last_good = probe->time;
    if (probe->peer)
        s->address = probe->peer;
}

/* No random loss: somebody said so, or a whole network was silent. */
static bool is_reported(const struct series *s, const struct observation *probe)
{
    return probe->outcome != OUTCOME_TIMEOUT || s->is_network;
}

/* How probable it is that this one of a run of bad ones was lost by chance: a logarithm. */
static double chance_of(const struct series *s, const struct observation *probe, bool is_sample)
{
    double loss = clamp(s->loss_usual, RUN_LOSS_MIN, RUN_LOSS_MAX);
    if (!is_sample)
        return log(check_loss(1 - s->recent_before));
    return (is_reported(s, probe) ? REPORTED_AS : 1) * log(loss);
}

static void take_bad(struct series *s, const struct observation *probe, bool is_sample)
{
    if (s->bad_run++ == 0) {
        s->first_bad = true_by(s, probe);
        s->run_before = s->good_run;
        s->run_chance = 0;
    }
    s->run_chance += chance_of(s, probe, is_sample);
    s->lost_run += is_sample;
    s->good_run = 0;
    memset(s->good_checks, 0, sizeof s->good_checks);
    s->last_bad = probe->time;
    s->bad_outcome = probe->outcome;
    s->bad_stage = probe->stage;
}

bool series_probe(struct series *s, const struct observation *probe)
{
    enum outcome_class class = outcome_class(probe->outcome);
    uint8_t before = s->condition;
    bool is_sample = !probe->path;
    if (is_sample)
        learn_round(s, probe->time);
    s->last_any = probe->time;
    /* What we cannot ask says nothing of it. But a control that answered and cannot be asked any more
     * says that we are unwell. */
    if (class == OUTCOME_CLASS_OURS && !(s->is_control && s->was_up))
        return false;
    bool is_good = class == OUTCOME_CLASS_GOOD || class == OUTCOME_CLASS_PARTIAL;
    s->last_judged = probe->time;
    s->is_silent = false;
    s->outcome = probe->outcome;
    s->stage = probe->stage;
    learn_belief(s, is_good, is_reported(s, probe), is_sample);
    if (is_sample) {
        learn_available(s, is_good);
        s->window = s->window << 1 | (class == OUTCOME_CLASS_GOOD ? 0 : 1);
        s->window_n = (uint8_t)(s->window_n < LOSS_WINDOW ? s->window_n + 1 : LOSS_WINDOW);
    }
    if (is_good)
        take_good(s, probe, is_sample);
    else
        take_bad(s, probe, is_sample);
    if (is_good || is_down(s))
        settle(s, probe->time);
    return s->condition != before;
}

struct utc series_silence_due(const struct series *s)
{
    if (s->is_silent || !utc_is_known(s->last_judged))
        return (struct utc){INT64_MAX};
    int64_t patience = SILENT_ROUNDS * s->round_ns + s->round_ns / 2 + NS_PER_S;
    /* One probe tells nothing of how often it is asked. */
    return utc_add(s->last_judged, s->round_ns ? patience : NS_PER_HOUR);
}

bool series_silence(struct series *s, struct utc now)
{
    if (now.ns < series_silence_due(s).ns)
        return false;
    struct utc last = s->last_judged;
    series_restart(s, last);
    s->is_silent = true;
    s->since = (struct interval){last, now};
    s->turned = now;
    return true;
}

void series_restart(struct series *s, struct utc from)
{
    if (s->condition != CONDITION_NO_DATA)
        set_condition(s, CONDITION_NO_DATA, (struct interval){s->last_judged, from}, from);
    s->belief = s->belief > BELIEF_DOWN && s->was_up ? 0.9 : 0.5;
    s->bad_run = s->good_run = s->lost_run = 0;
    memset(s->good_checks, 0, sizeof s->good_checks);
    s->window_n = 0;
    s->rtt_n = 0;
    s->loss_sum = s->rtt_up = s->rtt_down = s->tail_sum = 0;
    s->is_lossy = s->is_slow = false;
}

void series_pass(struct series *s, struct utc now, bool is_check)
{
    if (!is_check)
        learn_round(s, now);
    s->last_any = s->last_judged = now;
    s->is_silent = false;
}

double series_loss(const struct series *s)
{
    return s->condition == CONDITION_DOWN ? 1 : window_loss(s);
}

double series_rtt(const struct series *s)
{
    return s->rtt_n ? exp(recent_rtt_log(s)) : 0;
}

double series_rtt_base(const struct series *s)
{
    return s->rtt_count >= RTT_LEARN_MIN ? exp(s->rtt_log) : 0;
}
