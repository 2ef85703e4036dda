/* Bins as observations (model/observation.h): of all, of every country and of whom subjects watch every time,
 * of other ASes when they have changed. The names that they need are made here.
 *
 *     bin_teller_init(&teller, &sink, subjects, count);
 *     bins_watch(bins, teller.who, teller.count);
 *     bin_teller_tell(&teller, row);              // of each row that the bins tell
 *     bin_teller_done(&teller); */
#ifndef SOURCE_TABLE_BIN_TELLER_H
#define SOURCE_TABLE_BIN_TELLER_H

#include "model/subject.h"
#include "source/table/bins.h"

struct bin_teller {
    struct sink sink;
    struct bin_who *who;   /* that are watched, one for each subject */
    const char **subjects; /* the names of those, which are not owned */
    size_t count, capacity, subject_capacity;
};

void bin_teller_init(struct bin_teller *teller, const struct sink *sink,
                     const struct subject_spec *subjects, size_t count);
void bin_teller_done(struct bin_teller *teller);
void bin_teller_tell(const struct bin_teller *teller, const struct bin_row *row);

#endif
