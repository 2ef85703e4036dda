#include "source/bgp/bgp_listener.h"

#include "base/mem.h"
#include "source/bgp/bgp_peer.h"
#include "sys/clock.h"
#include "sys/net.h"
#include "wire/bgp_message.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* People are told of so many addresses that are no peer's, and once that there are more. */
enum { STRANGERS_MAX = 64 };
/* Connections that are taken in one turn of the loop at most. */
enum { ACCEPTS_A_TURN = 64 };
/* RFC 5082: a router that guards its sessions takes only what comes from next to it. */
enum { HOPS_MOST = 255 };

struct bgp_listener {
    struct route_memory memory;
    struct bgp_collector collector;
    char *name;
    int fd;
    struct loop_fd *watcher;
    struct loop_timer *timer;
    unsigned refused; /* in this second */
    struct bgp_peer *peers;
    size_t peer_count;
    struct addr strangers[STRANGERS_MAX];
    size_t stranger_count; /* STRANGERS_MAX + 1: people know that there are more */
};

/* ---- connections ---- */

static struct bgp_peer *find_peer(struct bgp_listener *listener, const struct addr *from)
{
    for (size_t i = 0; i < listener->peer_count; i++)
        if (addr_compare(&listener->peers[i].address, from) == 0)
            return &listener->peers[i];
    return NULL;
}

/* People are told of each once. */
static void tell_stranger(struct bgp_listener *listener, const struct addr *from)
{
    char text[ADDR_TEXT_MAX];
    for (size_t i = 0; i < listener->stranger_count && i < STRANGERS_MAX; i++)
        if (addr_compare(&listener->strangers[i], from) == 0)
            return;
    if (listener->stranger_count > STRANGERS_MAX)
        return;
    if (listener->stranger_count < STRANGERS_MAX) {
        listener->strangers[listener->stranger_count] = *from;
        bgp_say(&listener->collector,
                "a BGP connection from %s was refused, as further ones will be: it is no peer of "
                "the configuration",
                addr_format(from, text));
    } else {
        bgp_say(&listener->collector,
                "BGP connections from more than %d addresses that are no peers were refused: no "
                "further ones are told of",
                STRANGERS_MAX);
    }
    listener->stranger_count++;
}

static void refuse(struct bgp_listener *listener, int fd, const struct addr *from)
{
    tell_stranger(listener, from);
    if (listener->refused++ < BGP_REFUSALS_A_SECOND)
        bgp_refuse(&listener->collector, fd, BGP_CEASE_REJECTED);
    else
        close(fd);
}

static void on_connection(void *context, int events)
{
    struct bgp_listener *listener = context;
    struct addr from;
    int error = 0, fd = 0;
    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN && fd >= 0; i++) {
        fd = net_accept(listener->fd, &from, &error);
        struct bgp_peer *peer = fd < 0 ? NULL : find_peer(listener, &from);
        if (peer)
            bgp_peer_take(peer, fd);
        else if (fd >= 0)
            refuse(listener, fd, &from);
    }
    if (error == EMFILE || error == ENFILE) /* the loop would call again at once: wait a second */
        loop_fd_want(listener->watcher, 0);
}

static void on_second(void *context)
{
    struct bgp_listener *listener = context;
    listener->refused = 0;
    loop_fd_want(listener->watcher, LOOP_READ);
    live_feed_settle(&listener->collector.feed, clock_utc());
    bgp_farewells_settle(&listener->collector.farewells, clock_mono());
}

/* ---- begin ---- */

static int listen_at(const struct bgp_options *options, struct why *why)
{
    char text[ADDR_TEXT_MAX];
    int error;
    int fd = net_listen(&options->address, options->port, &error);
    if (fd >= 0) {
        net_set_hops(fd, HOPS_MOST);
        return fd;
    }
    enum err err = error == EADDRINUSE ? ERR_BUSY : error == EACCES ? ERR_DENIED : ERR_IO;
    why_set(why, err, "cannot listen for BGP at %s, port %u: %s%s",
            options->address.family ? addr_format(&options->address, text) : "any address",
            options->port, strerror(error),
            error == EACCES ? "; a port below 1024 needs CAP_NET_BIND_SERVICE, another one none"
                            : "");
    return -1;
}

/* False if the kernel will not have a key. */
static bool require_keys(int fd, const struct bgp_options *options, struct why *why)
{
    char text[ADDR_TEXT_MAX];
    for (size_t i = 0; i < options->peer_count; i++) {
        const struct bgp_peer_options *peer = &options->peers[i];
        int error = peer->md5 ? net_require_md5(fd, &peer->address, peer->md5) : 0;
        if (!error)
            continue;
        why_set(why, ERR_UNSUPPORTED, "cannot ask BGP peer %s for TCP MD5 signatures: %s%s",
                addr_format(&peer->address, text), strerror(error),
                error == ENOPROTOOPT ? "; this kernel was built without CONFIG_TCP_MD5SIG" : "");
        return false;
    }
    return true;
}

/* RFC 4724, 3: we keep no forwarding state, and send no End-of-RIB. We always say that we are restarting,
 * so that nobody waits for it, not even a router that restarts itself. */
static struct bgp_open open_of(const struct bgp_options *options)
{
    return (struct bgp_open){.asn = options->asn,
                             .id = options->id,
                             .hold_s = options->hold_s,
                             .is_as4 = true,
                             .has_family = {true, true},
                             .add_path = {BGP_CAN_RECEIVE, BGP_CAN_RECEIVE},
                             .has_refresh = true,
                             .has_refresh_marks = true,
                             .has_long_messages = true,
                             .is_graceful = true,
                             .is_restarting = true};
}

static void take_peers(struct bgp_listener *listener, const struct bgp_options *options)
{
    assert(options->peer_count <= BGP_PEERS_MAX);
    listener->peers = mem_new(options->peer_count, sizeof *listener->peers);
    listener->peer_count = options->peer_count;
    for (size_t i = 0; i < options->peer_count; i++)
        listener->peers[i] = (struct bgp_peer){.collector = &listener->collector,
                                               .address = options->peers[i].address,
                                               .asn = options->peers[i].asn,
                                               .rest_until = {INT64_MIN}};
}

struct bgp_listener *bgp_listener_new(struct loop *loop, const struct bgp_options *options,
                                      const struct sink *sink, struct why *why)
{
    int fd = listen_at(options, why);
    if (fd < 0)
        return NULL;
    if (!require_keys(fd, options, why)) {
        close(fd);
        return NULL;
    }
    struct bgp_listener *listener = mem_new(1, sizeof *listener);
    listener->fd = fd;
    listener->name = mem_copy(options->collector);
    listener->collector = (struct bgp_collector){.loop = loop,
                                                 .name = listener->name,
                                                 .open = open_of(options),
                                                 .farewells = {.loop = loop},
                                                 .say = options->say,
                                                 .context = options->context};
    route_memory_init(&listener->memory, options->watch);
    listener->memory.ear = options->ear;
    live_feed_init(&listener->collector.feed, sink, &listener->memory, listener->name);
    take_peers(listener, options);
    listener->watcher = loop_fd_new(loop, fd, on_connection, listener);
    loop_fd_want(listener->watcher, LOOP_READ);
    listener->timer = loop_timer_new(loop, on_second, listener);
    loop_timer_start(listener->timer, NS_PER_S, NS_PER_S);
    return listener;
}

/* ---- later ---- */

void bgp_listener_renew(struct bgp_listener *listener)
{
    struct live_feed *feed = &listener->collector.feed;
    if (feed->up)
        live_feed_stop(feed, clock_utc(), "part of what its peers told was lost on its way");
    for (size_t i = 0; i < listener->peer_count; i++)
        bgp_peer_renew(&listener->peers[i]);
}

void bgp_listener_free(struct bgp_listener *listener)
{
    if (!listener)
        return;
    struct live_feed *feed = &listener->collector.feed;
    if (feed->up)
        live_feed_stop(feed, clock_utc(), "this observer stopped listening");
    for (size_t i = 0; i < listener->peer_count; i++)
        bgp_peer_done(&listener->peers[i], BGP_CEASE_SHUTDOWN);
    bgp_farewells_done(&listener->collector.farewells);
    loop_timer_free(listener->timer);
    loop_fd_free(listener->watcher);
    close(listener->fd);
    live_feed_done(feed);
    route_memory_done(&listener->memory);
    free(listener->peers);
    free(listener->name);
    free(listener);
}

uint16_t bgp_listener_port(const struct bgp_listener *listener)
{
    return net_port(listener->fd);
}
