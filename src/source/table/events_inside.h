/* What the files that make the events of a scan share and nobody else uses: scan_events.c (from first to
 * last), events_outage.c (of losses), events_country.c (of those of a country), events_claim.c (of claims),
 * events_space.c (what was lost). */
#ifndef SOURCE_TABLE_EVENTS_INSIDE_H
#define SOURCE_TABLE_EVENTS_INSIDE_H

#include "base/mem.h"
#include "source/table/scan_events.h"
#include "source/table/space.h"

/* What went within that time of the first went together. */
#define TOGETHER_NS (5 * NS_PER_MINUTE)
/* So long before an event it is counted how often it had been so. */
#define FLAPS_NS (6 * NS_PER_HOUR)

struct making {
    const struct scan_wish *wish;
    const struct route_table *table;
    const struct losses *losses;
    const struct claims *claims;
    struct scan_summary summary;
    struct scan_events *events;
    struct space spaces[2];   /* IPv4, IPv6 */
    uint64_t blocks_known[2]; /* of all prefixes */
};

static inline size_t making_family(uint8_t family)
{
    return family == 6;
}

/* A new event, with nothing in it. */
struct scan_event *making_event(struct making *making);
bool making_wants(const struct making *making, const struct prefix *prefix, uint32_t asn,
                  uint32_t other);
struct country making_country(const struct making *making, const struct prefix *prefix,
                              uint32_t asn);
/* What the RPKI says of the event's prefixes with this origin, and their share of all space. */
void making_judge(const struct making *making, struct scan_event *event, uint32_t origin);

/* A loss as it is sorted. */
struct item {
    const struct loss *loss;
    struct placed placed;
    uint32_t asn;
    struct country country;
    struct interval began; /* of what it is taken for: gone, or partial */
    uint64_t blocks;       /* lost, that none before it in its event had */
    double weight;         /* the part of it that belongs to the event; of an AS all of it */
};

int item_compare_kinds(const struct item *a, const struct item *b);
int item_compare_times(const struct item *a, const struct item *b);
/* Gone and not back, not even in part; or partial and not back. */
bool item_is_still(const struct item *item);
/* When it was over; both ends the last that is known of it if it is still so. */
struct interval item_ended(const struct making *making, const struct item *item);
/* An event of these items, which are put in order of prefix; NULL if nothing was lost. */
struct scan_event *make_outage(struct making *making, struct item *items, size_t count,
                               bool is_country);
/* Those of countries, from items that events of ASes were made of. */
void make_countries(struct making *making, struct item *items, size_t count);

/* Of `fresh` blocks of a prefix that was gone: those that nothing else covered then, neither a prefix of
 * the same AS around it nor others inside. */
uint64_t lost_blocks(const struct making *making, const struct placed *placed, uint32_t asn,
                     struct utc at, uint64_t fresh);

/* Whether it is worth telling: wide enough, and not two origins that always were there. */
bool claim_is_news(const struct making *making, const struct claim *claim);

void make_outages(struct making *making);
void make_claims(struct making *making);

#endif
