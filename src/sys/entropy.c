#include "sys/entropy.h"

#include <assert.h>
#include <sys/random.h>

uint64_t entropy_u64(void)
{
    uint64_t value = 0;
    /* Requests up to 256 bytes are never cut short: getrandom(2). */
    ssize_t n = getrandom(&value, sizeof value, 0);
    assert(n == (ssize_t)sizeof value);
    (void)n;
    return value;
}
