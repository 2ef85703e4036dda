#include "sys/entropy.h"

#include <assert.h>
#include <sys/random.h>

void entropy_fill(void *bytes, size_t n)
{
    /* Requests up to 256 bytes are never cut short: getrandom(2). */
    assert(n <= ENTROPY_MAX);
    ssize_t got = getrandom(bytes, n, 0);
    assert(got == (ssize_t)n);
    (void)got;
}

uint64_t entropy_u64(void)
{
    uint64_t value = 0;
    entropy_fill(&value, sizeof value);
    return value;
}
