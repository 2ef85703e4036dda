#include "app/progress.h"

#include "app/command.h"
#include "sys/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FAULTS_TOLD = 20 };

void progress_init(struct progress *progress, const char *what)
{
    *progress = (struct progress){.what = what, .start = clock_mono(), .faulty = "damaged records"};
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total, uint64_t count)
{
    double seconds = (double)mono_diff(clock_mono(), progress->start) / (double)NS_PER_S;
    char left[DURATION_TEXT_MAX];
    if (seconds < 0.5)
        return;
    progress_clear(progress);
    if (total) {
        double share = (double)done / (double)total;
        double rest = share > 0.001 ? seconds / share - seconds : 0;
        int64_t rest_ns = rest < 1e6 ? (int64_t)rest * NS_PER_S : 0;
        fprintf(stderr, "%3.0f %% of %.1f MB, ", 100 * share, (double)total / 1e6);
        fprintf(stderr, "%.1f MB a second, ", (double)done / 1e6 / seconds);
        if (rest_ns > 0)
            fprintf(stderr, "%s left, ", duration_format(rest_ns, left));
    }
    fprintf(stderr, "%" PRIu64 " %s", count, progress->what);
    if (!total) /* of a pipe nobody knows how much is to come */
        fprintf(stderr, ", %.0f a second", (double)count / seconds);
    progress->is_shown = true;
}

void progress_fetch(struct progress *progress, const char *url, uint64_t done, uint64_t total,
                    int attempt)
{
    const char *slash = strrchr(url, '/');
    if (mono_diff(clock_mono(), progress->start) < NS_PER_S / 2)
        return;
    progress_clear(progress);
    fprintf(stderr, "fetching %.60s: %.1f", slash && slash[1] ? slash + 1 : url,
            (double)done / 1e6);
    if (total)
        fprintf(stderr, " of %.1f", (double)total / 1e6);
    fputs(" MB", stderr);
    if (attempt > 1)
        fprintf(stderr, ", attempt %d", attempt);
    progress->is_shown = true;
}

void progress_clear(struct progress *progress)
{
    if (progress->is_shown)
        fputs("\r\033[K", stderr);
    progress->is_shown = false;
}

void progress_fault(struct progress *progress, const char *fault)
{
    progress_clear(progress);
    if (progress->faults++ < FAULTS_TOLD)
        command_say("%s", fault);
}

void progress_end(struct progress *progress)
{
    progress_clear(progress);
    if (progress->faults > FAULTS_TOLD)
        command_say("and %" PRIu64 " more %s", progress->faults - FAULTS_TOLD, progress->faulty);
}
