/* Numbers in network order at places that are known to be there, for loops in which a reader's
 * check of each would count. Everything else goes through struct reader. */
#ifndef WIRE_LOAD_H
#define WIRE_LOAD_H

#include <stdint.h>
#include <string.h>

static inline uint16_t load_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t load_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* In the machine's own order: for comparing with 0 and the like. */
static inline uint64_t load_word(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

#endif
