/* Decompresses in order what an intake gives, as a task of the pool: up to some chunks ahead of who takes
 * them, and rests while there are as many. */
#ifndef SYS_LANE_H
#define SYS_LANE_H

#include "sys/pool.h"
#include "sys/unpack.h"

#include <stdatomic.h>

enum { LANE_CHUNK = 256 * 1024 };

/* A piece of what was decompressed, and the part of the file that it comes from, about. */
struct chunk {
    uint8_t *bytes;
    size_t size;
    uint64_t from, until;
    struct chunk *next; /* the lane's */
};

struct lane {
    struct task task;
    atomic_bool is_closing;
    /* The task's, while it runs or is queued. */
    struct intake *intake;
    struct unpack *unpack;
    /* With the pool's lock. */
    struct chunk *first, *last; /* that wait to be taken */
    struct chunk *taken;        /* or NULL */
    size_t count;               /* of all of these */
    size_t depth;               /* at most */
    struct chunk *spare;        /* the one used last first, as it is still in a cache */
    enum flow flow; /* FLOW_DRY while the intake is to be waited for; an end and a failure stay */
};

/* `unpack`, which reads from `intake`, belongs to it from now on. */
void lane_init(struct lane *lane, struct intake *intake, struct unpack *unpack);
void lane_done(struct lane *lane); /* is stopped, or was never begun */

/* The rest is called with the lock. */

/* Goes on, if it has not come to an end and there is room; also if it was dry. */
void lane_go_on(struct lane *lane);
void lane_stop(struct lane *lane);
/* A stopped one has nothing any more, and may go on with what its unpack has begun meanwhile. */
void lane_clear(struct lane *lane);
/* The next chunk, which is not empty, and the taker's until he asks for another. */
bool lane_take(struct lane *lane, struct chunk *chunk);

#endif
