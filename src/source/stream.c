#include "source/stream.h"

void stream_faults_tell(struct stream_faults *faults, const char *fault)
{
    faults->bad++;
    if (faults->report)
        faults->report(faults->context, fault);
}

enum err stream_faults_end(const struct stream_faults *faults, struct why *why)
{
    return why_set(why, ERR_INPUT, "%s",
                   faults->records ? "parts of the input are damaged; all else was used"
                                   : "nothing in the input could be read");
}
