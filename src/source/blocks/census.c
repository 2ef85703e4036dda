#include "source/blocks/census.h"

#include <math.h>

uint8_t census_next(struct census *census, uint64_t seed)
{
    uint8_t address = block_order(seed, (uint8_t)census->asked);
    while (address == 0 || address == BLOCK_ADDRESSES - 1) {
        census->asked++;
        address = block_order(seed, (uint8_t)census->asked);
    }
    return address;
}

void census_skip(struct census *census)
{
    census->asked++;
}

void census_take(struct census *census, uint8_t address, bool is_answered)
{
    census->asked++;
    if (!is_answered)
        return;
    census->answered++;
    block_set_add(&census->found, address);
}

double census_availability(const struct census *census)
{
    double passes = (double)census->asked / BLOCK_ADDRESSES;
    double questions = passes * block_set_count(&census->found);
    return questions > 0 ? fmin(census->answered / questions, 1) : 0;
}
