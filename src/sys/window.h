/* The bytes of a file from about where its reader is to where it was read ahead, for what is decoded in
 * several places of it at a time.
 *
 * Where one part of such a file ends and the next begins is only known when it has been decoded. But a
 * part begins with a certain number, so all places that have the number are taken for beginnings and are
 * decoded ahead. Then the reader goes along the file from part to part as the format says, and what was
 * decoded at a place that he does not come to was a chance, and is thrown away.
 *
 * The feeder, a task of the pool, reads the file into the window, and has the owner begin whatever can be
 * begun. The owner embeds the window as its first member and shares all in it, but for what is the feeder's,
 * under the pool's lock. */
#ifndef SYS_WINDOW_H
#define SYS_WINDOW_H

#include "sys/intake.h"
#include "sys/pool.h"

#include <stdatomic.h>

enum { WINDOW_PIECE = INTAKE_ALL }; /* read at a time */

struct window {
    struct task feeder;
    struct intake *intake; /* the feeder's */
    bool is_ahead;         /* in the pool; before that the reader does it all himself */
    atomic_bool is_closing;
    /* Asked by the feeder. What was loaded stays in its place even if `begin` gives up the lock. */
    void (*begin)(struct window *window);
    bool (*wants_more)(const struct window *window);
    /* With the lock. */
    enum flow flow; /* of the feeder: FLOW_DRY while a pipe is to be waited for */
    uint8_t *bytes;
    size_t capacity;
    size_t at; /* those before it are not needed any more */
    size_t end;
    uint64_t offset; /* in the file, of the first byte */
};

/* From where the intake, which outlives it, stands. */
void window_init(struct window *window, struct intake *intake, void (*begin)(struct window *),
                 bool (*wants_more)(const struct window *));
void window_done(struct window *window);

/* The rest is called with the lock. */

/* From now on it is the pool's. */
void window_start(struct window *window);
void window_stop(struct window *window); /* for good */
/* Has the feeder go on; if `may_wait`, by waiting for an empty pipe without the lock. */
void window_go_on(struct window *window, bool may_wait);
/* The reader has nothing else to do. */
void window_wait(struct window *window);
/* The bytes before this offset are not needed any more. */
void window_pass(struct window *window, uint64_t offset);

/* Where the loaded bytes end. */
static inline uint64_t window_loaded(const struct window *window)
{
    return window->offset + window->end;
}

static inline const uint8_t *window_byte(const struct window *window, uint64_t offset)
{
    return window->bytes + (offset - window->offset);
}

#endif
