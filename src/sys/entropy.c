#include "sys/entropy.h"

#include <assert.h>
#include <stddef.h>
#include <sys/random.h>

/* A call of the system for each would be dear. Up to 256 bytes are never cut short: getrandom(2). */
enum { DRAWN_AT_ONCE = 256 / sizeof(uint64_t) };

uint64_t entropy_u64(void)
{
    static _Thread_local uint64_t drawn[DRAWN_AT_ONCE];
    static _Thread_local size_t left;
    if (!left) {
        ssize_t got = getrandom(drawn, sizeof drawn, 0);
        assert(got == (ssize_t)sizeof drawn);
        (void)got;
        left = DRAWN_AT_ONCE;
    }
    return drawn[--left];
}
