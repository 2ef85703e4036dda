#include "sys/resolver.h"

#include "base/mem.h"
#include "sys/clock.h"
#include "sys/net.h"

#include <ares.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    TRY_MS = 2000, /* a resolver's first chance; c-ares doubles it for the second */
    TRIES = 2,
    WATCHERS_MAX = 64, /* sockets to resolvers: c-ares has one each, and one more for TCP */
};

/* A resolver that has answered nothing properly for so long may itself be what fails. */
#define TRUSTED_NS NS_PER_MINUTE

struct watcher {
    struct resolver *resolver;
    struct loop_fd *fd_watcher; /* NULL: free */
    int fd;
};

struct resolver {
    struct loop *loop;
    struct loop_timer *timer;
    ares_channel channel;
    bool has_channel;
    size_t outstanding;
    bool (*may)(void *context, const struct addr *addr); /* NULL: all */
    void *may_context;
    struct mono last_good;          /* when a resolver last answered properly; 0: never */
    struct timespec config_changed; /* of resolv.conf, as the channel knows it */
    struct watcher watchers[WATCHERS_MAX];
};

struct lookup {
    struct resolver *resolver;
    void (*done)(void *context, const struct lookup_result *result); /* NULL: abandoned */
    void *context;
    bool is_starting; /* c-ares may answer before ares_getaddrinfo() returns */
    bool is_over;
};

static struct timespec config_time(void)
{
    struct stat status;
    if (stat("/etc/resolv.conf", &status))
        status.st_mtim = (struct timespec){0};
    return status.st_mtim;
}

static void set_timer(struct resolver *resolver)
{
    struct timeval wait;
    if (resolver->has_channel && ares_timeout(resolver->channel, NULL, &wait))
        loop_timer_start(resolver->timer, wait.tv_sec * NS_PER_S + wait.tv_usec * 1000, 0);
    else
        loop_timer_stop(resolver->timer);
}

static void on_timer(void *context)
{
    struct resolver *resolver = context;
    ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer(resolver);
}

static void on_ready(void *context, int events)
{
    struct watcher *watcher = context;
    struct resolver *resolver = watcher->resolver;
    int fd = watcher->fd;
    ares_process_fd(resolver->channel, events & LOOP_READ ? fd : ARES_SOCKET_BAD,
                    events & LOOP_WRITE ? fd : ARES_SOCKET_BAD);
    set_timer(resolver);
}

static struct watcher *find_watcher(struct resolver *resolver, int fd)
{
    struct watcher *unused = NULL;
    for (size_t i = 0; i < WATCHERS_MAX; i++) {
        struct watcher *watcher = &resolver->watchers[i];
        if (watcher->fd_watcher && watcher->fd == fd)
            return watcher;
        if (!watcher->fd_watcher && !unused)
            unused = watcher;
    }
    return unused;
}

/* c-ares says which of its sockets it wants to hear of; neither means that it closes it. */
static void on_socket_state(void *context, ares_socket_t fd, int readable, int writable)
{
    struct resolver *resolver = context;
    struct watcher *watcher = find_watcher(resolver, fd);
    if (!watcher)
        return; /* such a look-up ends by its time-out */
    if (!readable && !writable) {
        loop_fd_free(watcher->fd_watcher);
        watcher->fd_watcher = NULL;
        return;
    }
    if (!watcher->fd_watcher) {
        *watcher = (struct watcher){.resolver = resolver, .fd = fd};
        watcher->fd_watcher = loop_fd_new(resolver->loop, fd, on_ready, watcher);
    }
    loop_fd_want(watcher->fd_watcher, (readable ? LOOP_READ : 0) | (writable ? LOOP_WRITE : 0));
}

static void open_channel(struct resolver *resolver)
{
    struct ares_options options = {
        .flags = ARES_FLAG_NOCHECKRESP, /* SERVFAIL is an answer, and REFUSED too */
        .timeout = TRY_MS,
        .tries = TRIES,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = resolver,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB |
               ARES_OPT_DOMAINS;
    resolver->config_changed = config_time();
    resolver->has_channel = ares_init_options(&resolver->channel, &options, mask) == ARES_SUCCESS;
}

static void close_channel(struct resolver *resolver)
{
    if (resolver->has_channel)
        ares_destroy(resolver->channel);
    resolver->has_channel = false;
}

struct resolver *resolver_new(struct loop *loop)
{
    struct resolver *resolver = mem_new(1, sizeof *resolver);
    resolver->loop = loop;
    resolver->timer = loop_timer_new(loop, on_timer, resolver);
    ares_library_init(ARES_LIB_INIT_ALL);
    open_channel(resolver);
    return resolver;
}

void resolver_set_filter(struct resolver *resolver,
                         bool (*may)(void *context, const struct addr *addr), void *context)
{
    resolver->may = may;
    resolver->may_context = context;
}

bool resolver_may(const struct resolver *resolver, const struct addr *addr)
{
    return !resolver->may || resolver->may(resolver->may_context, addr);
}

void resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return;
    close_channel(resolver);
    loop_timer_free(resolver->timer);
    ares_library_cleanup();
    free(resolver);
}

static enum lookup_status status_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:
        return LOOKUP_OK;
    case ARES_ENOTFOUND:
    case ARES_EBADNAME: /* it cannot exist */
        return LOOKUP_NO_NAME;
    case ARES_ENODATA:
        return LOOKUP_NO_ADDRESS;
    case ARES_ESERVFAIL:
        return LOOKUP_SERVER_FAILURE;
    default:
        return LOOKUP_OURS;
    }
}

/* What comes before ares_getaddrinfo() returns was not asked of a resolver: it stood in the hosts
 * file. */
static void judge_resolver(struct lookup *lookup, struct lookup_result *result)
{
    struct resolver *resolver = lookup->resolver;
    struct mono now = clock_mono();
    if (result->status == LOOKUP_SERVER_FAILURE) {
        if (!resolver->last_good.ns || mono_diff(now, resolver->last_good) > TRUSTED_NS)
            result->status = LOOKUP_OURS;
    } else if (result->status != LOOKUP_OURS && !lookup->is_starting) {
        resolver->last_good = now;
    }
}

static void take_addresses(const struct ares_addrinfo *info, struct lookup_result *result)
{
    const struct ares_addrinfo_node *node = info ? info->nodes : NULL;
    for (; node && result->count < LOOKUP_ADDRESSES; node = node->ai_next) {
        struct addr addr = net_addr(node->ai_addr);
        if (addr.family)
            result->addrs[result->count++] = addr;
    }
}

/* Addresses that may not be asked are as if not there. */
static void leave_out(const struct resolver *resolver, struct lookup_result *result)
{
    size_t kept = 0;
    struct addr first = result->addrs[0];
    for (size_t i = 0; i < result->count; i++)
        if (resolver_may(resolver, &result->addrs[i]))
            result->addrs[kept++] = result->addrs[i];
    if (result->count && !kept) {
        result->status = LOOKUP_FORBIDDEN;
        result->addrs[0] = first;
    }
    result->count = kept;
}

static void on_answer(void *context, int status, int timeouts, struct ares_addrinfo *info)
{
    (void)timeouts;
    struct lookup *lookup = context;
    struct lookup_result result = {.status = status_of(status)};
    take_addresses(info, &result);
    ares_freeaddrinfo(info);
    if (result.status == LOOKUP_OK && !result.count)
        result.status = LOOKUP_NO_ADDRESS;
    judge_resolver(lookup, &result);
    leave_out(lookup->resolver, &result);
    lookup->resolver->outstanding--;
    lookup->is_over = true;
    bool is_ended_by_us = status == ARES_EDESTRUCTION || status == ARES_ECANCELLED;
    void (*done)(void *, const struct lookup_result *) = lookup->done;
    lookup->done = NULL;
    if (done && !is_ended_by_us)
        done(lookup->context, &result);
    if (!lookup->is_starting)
        free(lookup);
}

static void take_up_config(struct resolver *resolver)
{
    struct timespec changed = config_time();
    if (!resolver->outstanding && (changed.tv_sec != resolver->config_changed.tv_sec ||
                                   changed.tv_nsec != resolver->config_changed.tv_nsec)) {
        close_channel(resolver);
        open_channel(resolver);
    }
}

static struct addr server_addr(const struct ares_addr_port_node *node)
{
    struct addr addr = {.family = node->family == AF_INET ? 4 : 6};
    memcpy(addr.bytes, &node->addr, addr_bits(&addr) / 8);
    return addr;
}

size_t resolver_servers(struct resolver *resolver, struct resolver_server *out, size_t most)
{
    enum { DNS_PORT = 53 };
    struct ares_addr_port_node *servers = NULL;
    size_t count = 0;
    take_up_config(resolver);
    if (!resolver->has_channel || ares_get_servers_ports(resolver->channel, &servers))
        return 0;
    for (const struct ares_addr_port_node *at = servers; at && count < most; at = at->next)
        out[count++] = (struct resolver_server){server_addr(at),
                                                at->udp_port ? (uint16_t)at->udp_port : DNS_PORT};
    ares_free_data(servers);
    return count;
}

struct lookup *resolver_look_up(struct resolver *resolver, const char *host,
                                void (*done)(void *context, const struct lookup_result *result),
                                void *context)
{
    take_up_config(resolver);
    if (!resolver->has_channel) {
        done(context, &(struct lookup_result){.status = LOOKUP_OURS});
        return NULL;
    }
    struct lookup *lookup = mem_new(1, sizeof *lookup);
    *lookup = (struct lookup){resolver, done, context, .is_starting = true};
    resolver->outstanding++;
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    ares_getaddrinfo(resolver->channel, host, NULL, &hints, on_answer, lookup);
    set_timer(resolver);
    lookup->is_starting = false;
    if (!lookup->is_over)
        return lookup;
    free(lookup);
    return NULL;
}

void lookup_abandon(struct lookup *lookup)
{
    if (lookup)
        lookup->done = NULL;
}
