/* What a vantage says of itself, one row for each of its own checks (model/own_checks.def). Its word is
 * taken at once, as it is no sample of anything. A check that was never good says nothing by failing, as
 * there may be no default gateway at all; but a clock is wrong or not whatever it was before. */
#ifndef CORE_DETECT_OWN_H
#define CORE_DETECT_OWN_H

#include "core/sight.h"
#include "model/observation.h"

struct own_state {
    uint32_t source, target;
    uint32_t next;     /* the next one of the same vantage, row + 1 */
    uint32_t notice;   /* id while open */
    uint8_t check;     /* enum own_check */
    uint8_t condition; /* as it was told last */
    bool is_failing;
    bool was_good; /* ever */
    int64_t round_ns;
    struct utc last_any, last_good, last_bad;
    struct interval since; /* of the condition */
};

void own_init(struct own_state *own, uint32_t source, uint32_t target, uint8_t check);

/* A PROBE of it. Emits the state when it is another, and the notice. True if it began or ceased to fail. */
bool own_feed(struct own_state *own, const struct observation *probe, struct numbers *numbers,
              struct conclusions *out);

/* Whether it says something, and has not been left out lately. */
bool own_is_made(const struct own_state *own, struct utc now);

#endif
