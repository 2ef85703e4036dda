/* What the journal is to keep of a target's facts: those of the account that are of the kind that
 * seldom changes. The text of them is interned, so that facts that stay the same cost nothing; one that
 * changes all the time (the hash of a page that shows the clock) is left out until it is quiet, since
 * the registry forgets nothing: each fact may change FACT_CHANGES times, and once more every
 * FACT_REFILL_NS. */
#ifndef SOURCE_PROBE_FACT_MEMORY_H
#define SOURCE_PROBE_FACT_MEMORY_H

#include "base/utc.h"
#include "source/probe/account.h"

enum { FACT_CHANGES = 8 };
#define FACT_REFILL_NS NS_PER_HOUR

struct fact_memory {
    uint64_t hashes[FACT_COUNT]; /* of what was last seen; 0: nothing yet */
    uint8_t left[FACT_COUNT];    /* changes */
    struct mono refilled;
};

void fact_memory_init(struct fact_memory *memory, struct mono now);

/* Appends {"facts":{...}}, or nothing if there is none to be kept. */
void fact_memory_keep(struct fact_memory *memory, const struct account *account, struct mono now,
                      struct buffer *out);

#endif
