#include "app/prober_watch.h"

#include "app/command.h"

#include <inttypes.h>

enum { QUIET_TICKS = 60 };

/* True if it is to be told that a count has grown: not if it did so within the last minute too. */
static bool is_news(int *quiet, bool has_grown)
{
    bool was_quiet = *quiet == 0;
    if (has_grown)
        *quiet = QUIET_TICKS;
    else if (*quiet)
        (*quiet)--;
    return has_grown && was_quiet;
}

void prober_watch_tick(struct prober_watch *watch, const struct prober_counters *now)
{
    char text[DURATION_TEXT_MAX];
    const struct prober_counters *last = &watch->last;
    bool are_late = now->sent_late > last->sent_late || now->missed > last->missed;
    if (is_news(&watch->quiet_late, are_late))
        command_say("this machine is too busy: %" PRIu64 " probes were sent late so far, the worst "
                    "by %s, and %" PRIu64 " were left out; silence on late ones does not count",
                    now->sent_late, duration_format(now->late_worst_ns, text), now->missed);
    if (is_news(&watch->quiet_lost, now->echo_overflow > last->echo_overflow))
        command_say("%" PRIu64 " packets were lost so far, since we were too slow to read them; "
                    "silence about that time does not count",
                    now->echo_overflow);
    watch->last = *now;
}

void prober_watch_sum_up(const struct prober_counters *counters)
{
    char usual[DURATION_TEXT_MAX], worst[DURATION_TEXT_MAX];
    if (counters->answered)
        command_say("asked %" PRIu64 " times: 99 of 100 within %s of when it was due, the worst "
                    "after %s; %" PRIu64 " left out",
                    counters->asked, duration_format(counters->late_p99_ns, usual),
                    duration_format(counters->late_worst_ns, worst), counters->missed);
    if (counters->followed)
        command_say("%" PRIu64
                    " of these out of turn, since something went dark or came back, %" PRIu64
                    " of them traceroutes; %" PRIu64 " more were not allowed",
                    counters->followed, counters->traced, counters->follow_refused);
}
