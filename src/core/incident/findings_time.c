#include "core/incident/findings.h"

#include <stdlib.h>

static const int64_t CLOCK_SLACK = 2 * NS_PER_MINUTE;
/* A round of a minute, begun late or with one stray loss before the onset. */
static const int64_t HOUR_WIDTH = 90 * NS_PER_S;
static const int64_t STEP_RETURN_MAX = 5 * NS_PER_MINUTE;

static const struct case_episode *current(const struct case_file *file)
{
    return &file->episodes[(file->episode_count - 1) % CASE_EPISODES];
}

static int64_t middle(const struct interval *at)
{
    return at->last_before.ns ? at->last_before.ns + (at->first_after.ns - at->last_before.ns) / 2
                              : at->first_after.ns;
}

static int64_t wrap(int64_t x, int64_t period)
{
    int64_t rest = x % period;
    return rest < 0 ? rest + period : rest;
}

/* How far a moment is from the nearest multiple of the period, local time. */
static int64_t off_beat(int64_t at, int64_t offset_ns, int64_t period)
{
    int64_t rest = wrap(at + offset_ns, period);
    return rest < period - rest ? rest : period - rest;
}

static void hour_finding(const struct scene *scene)
{
    const struct interval *began = &current(scene->file)->began;
    int64_t width = utc_diff(began->first_after, began->last_before);
    if (!utc_is_known(began->last_before) || width > HOUR_WIDTH)
        return;
    int64_t offset = scene->subject->utc_offset_s * NS_PER_S;
    bool is_on = off_beat(middle(began), offset, 30 * NS_PER_MINUTE) <= NS_PER_MINUTE;
    finding_set(scene, EVIDENCE_ON_THE_HOUR, is_on ? TRUTH_PRESENT : TRUTH_ABSENT, 0, 0)->first =
        *began;
}

/* Earlier outages of the subject: the other episodes of this case and of its other cases. */
struct history {
    size_t lately;     /* in the last 14 days */
    size_t same_clock; /* of those, 1 to 4 days before at the same time of day */
};

static void note_earlier(struct history *history, int64_t then, int64_t now)
{
    int64_t age = now - then;
    if (age <= 0 || age > 14 * NS_PER_DAY)
        return;
    history->lately++;
    int64_t off = off_beat(age, 0, NS_PER_DAY);
    history->same_clock += off <= CLOCK_SLACK && age >= NS_PER_DAY - CLOCK_SLACK &&
                           age <= 4 * NS_PER_DAY + CLOCK_SLACK;
}

static struct history look_back(const struct scene *scene)
{
    struct history history = {0, 0};
    int64_t now = middle(&current(scene->file)->began);
    for (uint32_t row = 0; row < scene->incidents->cases.count; row++) {
        const struct case_file *file = case_at(scene->incidents, row);
        if (file->subject != scene->file->subject)
            continue;
        uint32_t n = file->episode_count;
        for (uint32_t i = n > CASE_EPISODES ? n - CASE_EPISODES : 0; i < n; i++)
            if (file != scene->file || i + 1 != n)
                note_earlier(&history, middle(&file->episodes[i % CASE_EPISODES].began), now);
    }
    return history;
}

static void history_findings(const struct scene *scene)
{
    struct history history = look_back(scene);
    const struct interval *began = &current(scene->file)->began;
    bool reaches_back = utc_is_known(scene->observer->first_data) &&
                        utc_diff(began->first_after, scene->observer->first_data) >= NS_PER_DAY;
    if (history.same_clock)
        finding_set(scene, EVIDENCE_SAME_CLOCK, TRUTH_PRESENT, history.same_clock, history.lately);
    else if (reaches_back)
        finding_set(scene, EVIDENCE_SAME_CLOCK, TRUTH_ABSENT, 0, history.lately);
    size_t irregular = history.lately - history.same_clock;
    if (irregular >= 2)
        finding_set(scene, EVIDENCE_RECURRENT, TRUTH_PRESENT, irregular, history.lately);
    else if (reaches_back && !history.lately)
        finding_set(scene, EVIDENCE_RECURRENT, TRUTH_ABSENT, 0, 0);
}

static void quiet_finding(const struct scene *scene)
{
    const struct case_episode *episode = current(scene->file);
    struct utc local = utc_add(episode->began.first_after, scene->subject->utc_offset_s * NS_PER_S);
    struct calendar calendar = utc_calendar(local);
    bool is_over = is_known(&episode->ended);
    struct utc end = is_over ? episode->ended.first_after : scene->observer->now;
    bool is_short = utc_diff(end, episode->began.first_after) <= 2 * NS_PER_HOUR;
    bool is_quiet = calendar.hour < 6 && calendar.weekday >= 1 && calendar.weekday <= 5;
    if (!is_quiet || !is_short)
        finding_set(scene, EVIDENCE_QUIET_HOURS, TRUTH_ABSENT, 0, 0)->first = episode->began;
    else if (is_over)
        finding_set(scene, EVIDENCE_QUIET_HOURS, TRUTH_PRESENT, 0, 0)->first = episode->began;
}

/* A step is relative to the sampling as well: ten rounds, at least one second. */
static int64_t step_max(const struct scene *scene)
{
    int64_t rounds = 10 * scene->file->round_ns;
    int64_t least = rounds > NS_PER_S ? rounds : NS_PER_S;
    return scene->file->round_ns && least < STEP_RETURN_MAX ? least : STEP_RETURN_MAX;
}

/* Did nine in ten come back in one step? Where one of these was asked so rarely that it may have been back
 * long before it was asked (a network, once in ten minutes), a step cannot be seen: only that there was none,
 * if some were back for longer than that while others were not. */
static void step_return_finding(const struct scene *scene, const struct interval *ups, size_t n,
                                size_t m)
{
    size_t most = (n * 9 + 9) / 10;
    int64_t span = ups[most - 1].first_after.ns - ups[0].first_after.ns;
    int64_t widest = 0, latest = 0;
    for (size_t i = 0; i < most; i++) {
        int64_t width = utc_diff(ups[i].first_after, ups[i].last_before);
        widest = width > widest ? width : widest;
        latest = ups[i].last_before.ns > latest ? ups[i].last_before.ns : latest;
    }
    bool is_coarse = widest > STEP_RETURN_MAX;
    bool is_step = span <= step_max(scene);
    if (is_coarse && (is_step || latest - ups[0].first_after.ns <= step_max(scene)))
        return;
    finding_set(scene, EVIDENCE_STEP_RETURN, is_step ? TRUTH_PRESENT : TRUTH_ABSENT, n, m)->a =
        (double)span;
}

static void return_findings(const struct scene *scene)
{
    struct interval *downs, *ups, *routes, *lost;
    size_t m = host_spans(scene, SPAN_DOWN, &downs), n = host_spans(scene, SPAN_RETURN, &ups);
    size_t back = route_spans(scene, SPAN_RETURN, &routes);
    size_t gone = route_spans(scene, SPAN_DOWN, &lost);
    if (m >= 2 && n * 10 >= m * 9) /* of one host alone any return is a step */
        step_return_finding(scene, ups, n, m);
    if (m >= 2 && n == m && gone && back == gone) {
        bool is_after = interval_is_before(&routes[back - 1], &ups[n > 2], NULL);
        bool is_before = interval_is_before(&ups[0], &routes[0], NULL);
        bool is_together = spans_common(ups, n, NULL) * 5 >= n * 4;
        if (is_after && !is_together)
            finding_set(scene, EVIDENCE_STAGED_RETURN, TRUTH_PRESENT, n, m)->a =
                (double)(ups[n - 1].first_after.ns - ups[0].first_after.ns);
        else if (is_together || is_before)
            finding_set(scene, EVIDENCE_STAGED_RETURN, TRUTH_ABSENT, n, m);
    }
    free(downs);
    free(ups);
    free(routes);
    free(lost);
}

void findings_of_time(const struct scene *scene)
{
    hour_finding(scene);
    history_findings(scene);
    quiet_finding(scene);
    return_findings(scene);
    if (scene->file->relapses >= 2)
        finding_set(scene, EVIDENCE_RELAPSES, TRUTH_PRESENT, scene->file->relapses, 0);
    else if (!scene->file->relapses && is_known(&current(scene->file)->ended))
        finding_set(scene, EVIDENCE_RELAPSES, TRUTH_ABSENT, 0, 0);
}
