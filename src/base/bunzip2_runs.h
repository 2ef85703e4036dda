/* Runs in the text of a bzip2 block: four equal bytes are followed by a fifth that says how many more
 * there were. What was 46 MB of one byte is 900,000 bytes so, and is expanded piece by piece.
 *
 *     struct bunzip2_runs runs = bunzip2_runs_of(block.text, block.size);
 *     while ((made = bunzip2_expand(&runs, out, room)) > 0) ...
 *     if (runs.is_cut) ... */
#ifndef BASE_BUNZIP2_RUNS_H
#define BASE_BUNZIP2_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bunzip2_runs {
    const uint8_t *at;
    const uint8_t *end;
    unsigned pending; /* bytes of the run that was begun ... */
    uint8_t byte;     /* ... and which */
    bool is_cut;      /* the text ended in the middle of a run */
};

static inline struct bunzip2_runs bunzip2_runs_of(const uint8_t *text, size_t size)
{
    return (struct bunzip2_runs){.at = text, .end = text ? text + size : text};
}

/* Gives up to `room` bytes, fewer only at the end, and 0 after it. */
size_t bunzip2_expand(struct bunzip2_runs *runs, uint8_t *out, size_t room);

#endif
