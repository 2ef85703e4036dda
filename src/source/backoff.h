/* How long to wait before something that failed is tried again: each time about twice as long, and
 * not the same for all who fail at once. */
#ifndef SOURCE_BACKOFF_H
#define SOURCE_BACKOFF_H

#include <stdint.h>

struct backoff {
    int64_t first_ns, most_ns;
    int64_t wait_ns; /* the next, without its spread; 0: first_ns */
};

/* The next wait: from first_ns to most_ns, a quarter shorter or longer as `random` wills. */
static inline int64_t backoff_next(struct backoff *backoff, uint64_t random)
{
    int64_t base = backoff->wait_ns ? backoff->wait_ns : backoff->first_ns;
    int64_t wait = base - base / 4 + (int64_t)(random % (uint64_t)(base / 2 + 1));
    backoff->wait_ns = base < backoff->most_ns / 2 ? 2 * base : backoff->most_ns;
    return wait < backoff->first_ns  ? backoff->first_ns
           : wait > backoff->most_ns ? backoff->most_ns
                                     : wait;
}

/* It worked: the next failure is the first. */
static inline void backoff_reset(struct backoff *backoff)
{
    backoff->wait_ns = 0;
}

#endif
