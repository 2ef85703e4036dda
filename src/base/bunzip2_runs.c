#include "base/bunzip2_runs.h"

#include <string.h>

enum { RUN = 4 }; /* equal bytes, and the one behind them counts the others */

/* The first place before `limit` where four equal bytes begin, else `limit`. */
static const uint8_t *find_run(const uint8_t *at, const uint8_t *limit, const uint8_t *end)
{
    while (at < limit && end - at >= 12) {
        uint64_t a, b, c, d;
        memcpy(&a, at, 8);
        memcpy(&b, at + 1, 8);
        memcpy(&c, at + 2, 8);
        memcpy(&d, at + 3, 8);
        uint64_t differ = (a ^ b) | (b ^ c) | (c ^ d);
        /* no byte is zero */
        if (((differ - UINT64_C(0x0101010101010101)) & ~differ & UINT64_C(0x8080808080808080)) == 0)
            at += 8;
        else
            break;
    }
    for (; at < limit && end - at >= 4; at++)
        if (at[0] == at[1] && at[1] == at[2] && at[2] == at[3])
            return at;
    return limit;
}

size_t bunzip2_expand(struct bunzip2_runs *runs, uint8_t *out, size_t room)
{
    size_t made = 0;
    while (made < room) {
        size_t n = room - made;
        if (runs->pending) {
            n = n < runs->pending ? n : runs->pending;
            memset(out + made, runs->byte, n);
            runs->pending -= (unsigned)n;
            made += n;
            continue;
        }
        size_t left = (size_t)(runs->end - runs->at);
        if (!left)
            break;
        n = n < left ? n : left;
        const uint8_t *run = find_run(runs->at, runs->at + n, runs->end);
        n = (size_t)(run - runs->at);
        memcpy(out + made, runs->at, n);
        made += n;
        runs->at = run;
        if (made < room && run + RUN == runs->end) {
            runs->is_cut = true;
            runs->at = runs->end;
        } else if (made < room && run < runs->end) {
            runs->byte = run[0];
            runs->pending = RUN + run[RUN];
            runs->at += RUN + 1;
        }
    }
    return made;
}
