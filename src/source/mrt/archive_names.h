/* When archives begin, as their names say. RIS and RouteViews name them by the minute in which they were
 * begun (updates.20220207.0530.gz), so that a thousand of them need not be opened, and begun to
 * be decompressed, only to be put in order. A name is believed if the first one of its folder and kind
 * turned out to tell the truth: a collector of one's own may use local time.
 *
 *     struct archive_names names = {0};
 *     for each path in order
 *         if (!archive_names_time(&names, path, &time))
 *             ... look into it; archive_names_learn(&names, path, time); */
#ifndef SOURCE_MRT_ARCHIVE_NAMES_H
#define SOURCE_MRT_ARCHIVE_NAMES_H

#include "base/utc.h"

#include <stddef.h>

struct archive_names {
    const char *path; /* the last that was learned of; NULL: none */
    bool is_true;
};

/* False if the file must be looked into. Else a time before which it has no records, close to that of its
 * first. */
bool archive_names_time(const struct archive_names *names, const char *path, struct utc *out);
/* The first record of a file that was looked into has this time; 0: it is not known. The path must
 * outlive the next calls. */
void archive_names_learn(struct archive_names *names, const char *path, struct utc first);

#endif
