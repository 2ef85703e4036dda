#include "source/bgp/bgp_farewell.h"

#include "sys/net.h"

#include <errno.h>
#include <unistd.h>

/* What is thrown away in one turn of the loop at most. */
enum { CHUNK = 16 * 1024 };

static void end(struct farewell *farewell)
{
    loop_fd_free(farewell->watcher);
    close(farewell->fd);
    *farewell = (struct farewell){0};
}

static void on_bytes(void *context, int events)
{
    struct farewell *farewell = context;
    char bytes[CHUNK];
    int error;
    (void)events;
    long got = net_receive(farewell->fd, bytes, sizeof bytes, NULL, &error);
    bool is_later = got < 0 && (error == EAGAIN || error == EWOULDBLOCK || error == EINTR);
    if (got <= 0 && !is_later)
        end(farewell);
}

void bgp_farewell(struct bgp_farewells *farewells, int fd, const struct buffer *last,
                  struct mono now)
{
    int error;
    if (last->size)
        net_send(fd, last->bytes, last->size, &error);
    net_end_sending(fd);
    for (size_t i = 0; i < BGP_FAREWELLS_MAX; i++) {
        struct farewell *farewell = &farewells->list[i];
        if (farewell->watcher)
            continue;
        farewell->fd = fd;
        farewell->until.ns = now.ns + BGP_FAREWELL_NS;
        farewell->watcher = loop_fd_new(farewells->loop, fd, on_bytes, farewell);
        loop_fd_want(farewell->watcher, LOOP_READ);
        return;
    }
    close(fd);
}

void bgp_farewells_settle(struct bgp_farewells *farewells, struct mono now)
{
    for (size_t i = 0; i < BGP_FAREWELLS_MAX; i++)
        if (farewells->list[i].watcher && now.ns >= farewells->list[i].until.ns)
            end(&farewells->list[i]);
}

void bgp_farewells_done(struct bgp_farewells *farewells)
{
    for (size_t i = 0; i < BGP_FAREWELLS_MAX; i++)
        if (farewells->list[i].watcher)
            end(&farewells->list[i]);
}
