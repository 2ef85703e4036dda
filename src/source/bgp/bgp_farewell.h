/* Connections that were ended by a NOTIFICATION: what was closed while bytes lie unread would be reset by
 * the kernel, and the reason lost with it. Each is kept until the other side has closed it too, or for
 * BGP_FAREWELL_NS; what comes in is thrown away. */
#ifndef SOURCE_BGP_BGP_FAREWELL_H
#define SOURCE_BGP_BGP_FAREWELL_H

#include "base/buffer.h"
#include "sys/loop.h"

/* So many at once; beyond that they are closed at once. */
enum { BGP_FAREWELLS_MAX = 32 };
#define BGP_FAREWELL_NS (2 * NS_PER_S)

struct bgp_farewells {
    struct loop *loop; /* not owned */
    struct farewell {
        int fd;
        struct loop_fd *watcher; /* NULL: free */
        struct mono until;
    } list[BGP_FAREWELLS_MAX];
};

/* Takes over a descriptor that nobody watches. `last` is sent as far as that can be done at once. */
void bgp_farewell(struct bgp_farewells *farewells, int fd, const struct buffer *last,
                  struct mono now);
/* Time has passed: to be called every second or so. */
void bgp_farewells_settle(struct bgp_farewells *farewells, struct mono now);
void bgp_farewells_done(struct bgp_farewells *farewells);

#endif
