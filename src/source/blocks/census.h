/* What has to be known of a network before it can be judged (trinocular.h): which of its addresses ever
 * answer, and what share of them does at a time. All of its addresses are asked CENSUS_PASSES times, as many
 * in a round as the judging may ask too, so that a census takes 68 rounds, half a day at ten minutes each,
 * and is no heavier than any other round.
 *
 *     census.asked = 0 ...                             // a zeroed struct is at its beginning
 *     while (!census_is_over(&census)) {
 *         address = census_next(&census, seed);        // in the same order as later
 *         census_take(&census, address, was_answered); // or census_skip(), where it may not be asked
 *     }
 *
 * An address that answers one time in two is found with 94 %; of one that answers one time in ten a third is.
 * The first and the last address of a network are left out: they may stand for all of it (RFC 2644). */
#ifndef SOURCE_BLOCKS_CENSUS_H
#define SOURCE_BLOCKS_CENSUS_H

#include "source/blocks/trinocular.h"

enum { CENSUS_PASSES = 4, CENSUS_QUESTIONS = CENSUS_PASSES * BLOCK_ADDRESSES };

struct census {
    struct block_set found;
    uint16_t asked; /* places of the order that were dealt with, over all passes */
    uint16_t answered;
};

static inline bool census_is_over(const struct census *census)
{
    return census->asked >= CENSUS_QUESTIONS;
}

/* The address whose turn it is; the first and last of the network are passed over. */
uint8_t census_next(struct census *census, uint64_t seed);
void census_take(struct census *census, uint8_t address, bool is_answered);
void census_skip(struct census *census);

/* Of those found, over the passes that are done; 0 if there are none. */
double census_availability(const struct census *census);

#endif
