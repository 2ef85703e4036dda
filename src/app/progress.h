/* How far the reading of archives is, on a terminal, and what was damaged in them: on standard error, so
 * that neither stands in the way of the other or of the result. */
#ifndef APP_PROGRESS_H
#define APP_PROGRESS_H

#include "base/utc.h"

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* is counted: "observations" */
    struct mono start;
    bool is_shown;      /* a line stands on the terminal */
    const char *faulty; /* what faults are told of: "damaged records", if nobody says otherwise */
    uint64_t faults;
};

void progress_init(struct progress *progress, const char *what);
/* Bytes of the archives done and in all (0: not known), and how many of `what` they gave. Nothing is
 * shown of what takes less than half a second. */
void progress_show(struct progress *progress, uint64_t done, uint64_t total, uint64_t count);
/* What is being fetched: bytes done and in all (0: not known), and in which attempt. */
void progress_fetch(struct progress *progress, const char *url, uint64_t done, uint64_t total,
                    int attempt);
/* Takes the line away before something else is written. */
void progress_clear(struct progress *progress);
/* Tells a fault, the first few of many. */
void progress_fault(struct progress *progress, const char *fault);
/* Takes the line away and says how many faults were not told. */
void progress_end(struct progress *progress);

#endif
