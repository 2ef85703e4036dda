#include "source/bgp/bmp_listener.h"

#include "base/buffer.h"
#include "base/mem.h"
#include "source/bgp/bmp_feed.h"
#include "sys/clock.h"
#include "sys/net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A router first says who it is; what has not within this time is none. */
#define INITIATION_NS (30 * NS_PER_S)
/* Whoever sent what is no BMP, or was refused, is not heard again for so long: else each of its
 * attempts would be a line for people to read and a gap in the journal. */
#define REST_NS (30 * NS_PER_S)
/* What is read in one turn of the loop at most: probing goes on beside a router that tells its whole
 * table. */
enum { CHUNK = 64 * 1024, CHUNKS_A_TURN = 8 };
/* Connections that are taken in one turn of the loop at most. */
enum { ACCEPTS_A_TURN = 64 };
enum { NAME_MAX_BYTES = 64 };

enum router_state {
    ROUTER_NONE,
    ROUTER_UNNAMED,
    ROUTER_HEARD,
    ROUTER_RESTING /* not connected: whoever comes from this address is refused */
};

struct router {
    struct bmp_listener *listener;
    enum router_state state;
    struct addr from;
    char name[NAME_MAX_BYTES + 1]; /* of the collector */
    int fd;
    struct loop_fd *watcher;
    uint8_t
        *buffer; /* bytes of messages that are not whole yet: one of BMP_MESSAGE_MAX, and a chunk */
    size_t capacity, size;
    struct mono since; /* connected, resting, or, if HEARD, still without a word of any table */
    struct bmp_feed feed;
    bool has_told_fault, is_table_settled;
};

/* The table that a router was found to tell of; remembered while the listener is there. */
struct choice {
    char name[NAME_MAX_BYTES + 1];
    enum bmp_table table;
};

struct bmp_listener {
    struct loop *loop;
    struct sink sink;
    struct route_memory memory;
    char *collector; /* NULL: each by its own name */
    void (*say)(void *context, const char *text);
    void *context;
    int fd;
    struct loop_fd *watcher;
    struct loop_timer *timer;
    struct router routers[BMP_ROUTERS_MAX];
    enum bmp_table table;                   /* BMP_TABLES: as each router has it */
    struct choice choices[BMP_ROUTERS_MAX]; /* a ring: what is forgotten is found out again */
    size_t choice_count;
    int64_t choice_ns;
    struct utc newest;  /* begin of the last gap */
    bool has_told_full; /* that there is no room, since there last was */
};

static void say(struct bmp_listener *listener, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void say(struct bmp_listener *listener, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    listener->say(listener->context, text);
}

/* ---- the end of a connection ---- */

static void disconnect(struct router *router, enum router_state state)
{
    loop_fd_free(router->watcher);
    close(router->fd);
    free(router->buffer);
    *router = (struct router){
        .listener = router->listener, .state = state, .from = router->from, .since = clock_mono()};
}

/* `since`: from when on nothing is known of its routes. */
static void lose(struct router *router, struct utc since, enum router_state state,
                 const char *reason)
{
    struct bmp_listener *listener = router->listener;
    char from[ADDR_TEXT_MAX];
    addr_format(&router->from, from);
    if (router->state == ROUTER_HEARD) {
        say(listener, "collector %s (%s) lost: %s; no data about routes until it is back",
            router->name, from, reason);
        listener->newest = bmp_feed_done(&router->feed, since, reason);
    } else {
        say(listener, "a BMP connection from %s was closed: %s", from, reason);
    }
    disconnect(router, state);
}

/* What it sent cannot be used, nor could what it would send next. */
static void reject(struct router *router, const char *reason)
{
    lose(router, clock_utc(), ROUTER_RESTING, reason);
}

/* ---- what comes in ---- */

static void take_name(struct router *router, const struct reader *given)
{
    const char *own = router->listener->collector;
    if (own)
        snprintf(router->name, sizeof router->name, "%s", own);
    else if (!bmp_name(*given, router->name, sizeof router->name))
        addr_format(&router->from, router->name);
}

static struct router *find_named(struct bmp_listener *listener, const char *name)
{
    for (size_t i = 0; i < BMP_ROUTERS_MAX; i++)
        if (listener->routers[i].state == ROUTER_HEARD &&
            strcmp(listener->routers[i].name, name) == 0)
            return &listener->routers[i];
    return NULL;
}

static enum bmp_table table_for(const struct bmp_listener *listener, const char *name)
{
    if (listener->table != BMP_TABLES)
        return listener->table;
    for (size_t i = 0; i < BMP_ROUTERS_MAX && i < listener->choice_count; i++)
        if (strcmp(listener->choices[i].name, name) == 0)
            return listener->choices[i].table;
    return BMP_PRE_POLICY;
}

/* False if it was refused. */
static bool take_initiation(struct router *router, const struct bmp_message *message)
{
    struct bmp_listener *listener = router->listener;
    char from[ADDR_TEXT_MAX], reason[200];
    if (router->state == ROUTER_HEARD)
        return true; /* RFC 7854, 4.3: only new information, of which none is used */
    take_name(router, &message->sys_name);
    struct router *twin = find_named(listener, router->name);
    if (twin && addr_compare(&twin->from, &router->from) == 0) {
        lose(twin, clock_utc(), ROUTER_NONE, "it connected anew");
    } else if (twin) {
        snprintf(reason, sizeof reason, "collector %s is connected already, from %s; %s",
                 router->name, addr_format(&twin->from, from),
                 listener->collector ? "leave its name out of the configuration, and each router "
                                       "is called by its own"
                                     : "two routers may not have the same name");
        reject(router, reason);
        return false;
    }
    router->state = ROUTER_HEARD;
    say(listener, "collector %s (%s) connected", router->name, addr_format(&router->from, from));
    struct bmp_feed_options options = {.collector = router->name,
                                       .table = table_for(listener, router->name),
                                       .router = router->from,
                                       .newest = listener->newest};
    bmp_feed_init(&router->feed, &options, &listener->sink, &listener->memory, clock_utc());
    return true;
}

/* False if the connection was closed. */
static bool take_message(struct router *router, struct reader bytes, struct utc now)
{
    struct bmp_message message;
    const char *fault = bmp_decode(bytes, &message);
    char reason[100];
    if (!fault && router->state == ROUTER_UNNAMED && message.type != BMP_INITIATION)
        fault = "it did not begin with an INITIATION";
    if (fault) {
        reject(router, fault);
        return false;
    }
    if (message.type == BMP_INITIATION)
        return take_initiation(router, &message);
    if (message.type == BMP_TERMINATION) {
        snprintf(reason, sizeof reason, "the router ended it: %s",
                 bmp_termination_reason(message.reason));
        lose(router, now, ROUTER_NONE, reason);
        return false;
    }
    uint64_t not_kept = router->listener->memory.paths.not_kept;
    bmp_feed_take(&router->feed, &message, now);
    if (!not_kept && router->listener->memory.paths.not_kept)
        say(router->listener, "collector %s: " PATH_MEMORY_LACK, router->name);
    if (router->feed.first_fault && !router->has_told_fault) {
        router->has_told_fault = true;
        say(router->listener,
            "collector %s sends an UPDATE that is damaged (%s); those that follow are only counted",
            router->name, router->feed.first_fault);
    }
    return true;
}

/* Takes all whole messages out of the buffer. False if the connection was closed. */
static bool take_messages(struct router *router, struct utc now)
{
    size_t at = 0, length;
    for (;;) {
        const uint8_t *bytes = router->buffer + at;
        const char *fault = bmp_frame(bytes, router->size - at, &length);
        if (fault) {
            reject(router, fault);
            return false;
        }
        if (!length || router->size - at < length)
            break;
        if (!take_message(router, reader_of(bytes, length), now))
            return false;
        at += length;
    }
    memmove(router->buffer, router->buffer + at, router->size - at);
    router->size -= at;
    return true;
}

/* The other side is gone. Where it did not say so, that was noticed some time after. */
static void take_loss(struct router *router, long got, int error)
{
    struct utc now = clock_utc();
    if (got == 0) {
        lose(router, now, ROUTER_NONE, "the router closed the connection");
        return;
    }
    bool was_silent = error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH;
    lose(router, was_silent ? utc_add(now, -NET_SILENCE_NS) : now, ROUTER_NONE, strerror(error));
}

static void on_bytes(void *context, int events)
{
    struct router *router = context;
    (void)events;
    for (int i = 0; i < CHUNKS_A_TURN; i++) {
        int error;
        router->buffer = mem_grow(router->buffer, &router->capacity, router->size + CHUNK, 1);
        long got = net_receive(router->fd, router->buffer + router->size, CHUNK, NULL, &error);
        if (got < 0 && (error == EAGAIN || error == EWOULDBLOCK || error == EINTR))
            return;
        if (got <= 0) {
            take_loss(router, got, error);
            return;
        }
        router->size += (size_t)got;
        if (!take_messages(router, clock_utc()))
            return;
    }
}

/* ---- connections ---- */

static struct router *find_resting(struct bmp_listener *listener, const struct addr *from)
{
    for (size_t i = 0; i < BMP_ROUTERS_MAX; i++)
        if (listener->routers[i].state == ROUTER_RESTING &&
            addr_compare(&listener->routers[i].from, from) == 0)
            return &listener->routers[i];
    return NULL;
}

/* A place for a connection: a free one, else one that only remembers a router that rests. */
static struct router *find_place(struct bmp_listener *listener)
{
    struct router *resting = NULL;
    for (size_t i = 0; i < BMP_ROUTERS_MAX; i++) {
        if (listener->routers[i].state == ROUTER_NONE)
            return &listener->routers[i];
        if (listener->routers[i].state == ROUTER_RESTING)
            resting = &listener->routers[i];
    }
    return resting;
}

static void take_connection(struct bmp_listener *listener, int fd, const struct addr *from)
{
    char text[ADDR_TEXT_MAX];
    struct router *router = find_place(listener);
    if (!router || find_resting(listener, from)) {
        if (!router && !listener->has_told_full)
            say(listener, "a BMP connection from %s was refused: there are %d already",
                addr_format(from, text), BMP_ROUTERS_MAX);
        listener->has_told_full |= !router;
        close(fd);
        return;
    }
    listener->has_told_full = false;
    *router = (struct router){.listener = listener,
                              .state = ROUTER_UNNAMED,
                              .from = *from,
                              .fd = fd,
                              .since = clock_mono()};
    router->watcher = loop_fd_new(listener->loop, fd, on_bytes, router);
    loop_fd_want(router->watcher, LOOP_READ);
}

static void on_connection(void *context, int events)
{
    struct bmp_listener *listener = context;
    struct addr from;
    int error = 0, fd = 0;
    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN && fd >= 0; i++) {
        fd = net_accept(listener->fd, &from, &error);
        if (fd >= 0)
            take_connection(listener, fd, &from);
    }
    if (error == EMFILE || error == ENFILE) /* the loop would call again at once: wait a second */
        loop_fd_want(listener->watcher, 0);
}

static void choose_table(struct router *router, enum bmp_table best)
{
    struct bmp_listener *listener = router->listener;
    struct choice *choice = &listener->choices[listener->choice_count % BMP_ROUTERS_MAX];
    for (size_t i = 0; i < BMP_ROUTERS_MAX && i < listener->choice_count; i++)
        if (strcmp(listener->choices[i].name, router->name) == 0)
            choice = &listener->choices[i];
    listener->choice_count +=
        choice == &listener->choices[listener->choice_count % BMP_ROUTERS_MAX];
    snprintf(choice->name, sizeof choice->name, "%s", router->name);
    choice->table = best;
}

/* A router that tells of tables has by now told of the one that is to be used, or never will. False if it was
 * cut off. */
static bool settle_table(struct router *router, enum bmp_table best)
{
    struct bmp_listener *listener = router->listener;
    const struct bmp_feed *feed = &router->feed;
    const char *wanted = bmp_table_name(feed->table);
    char reason[200];
    router->is_table_settled = true;
    if (feed->counters.tables[feed->table])
        return true;
    if (listener->table != BMP_TABLES) {
        say(listener,
            "collector %s tells nothing of the table that is asked for, %s: set the router to tell "
            "it, or take what it tells by routes: {bmp: {table: %s}}",
            router->name, wanted, bmp_table_name(best));
        return true;
    }
    choose_table(router, best);
    snprintf(reason, sizeof reason,
             "it tells nothing of %s, but of %s, which is taken from its next connection on; "
             "routes: {bmp: {table: %s}} does so at once",
             wanted, bmp_table_name(best), bmp_table_name(best));
    lose(router, clock_utc(), ROUTER_NONE, reason);
    return false;
}

static void watch_router(struct router *router, struct mono now)
{
    enum bmp_table best = bmp_feed_best_table(&router->feed);
    if (best == BMP_TABLES)
        router->since = now;
    bool is_due = mono_diff(now, router->since) >= router->listener->choice_ns;
    if (is_due && !router->is_table_settled && !settle_table(router, best))
        return;
    bmp_feed_settle(&router->feed, clock_utc());
}

static void on_second(void *context)
{
    struct bmp_listener *listener = context;
    struct mono now = clock_mono();
    loop_fd_want(listener->watcher, LOOP_READ);
    for (size_t i = 0; i < BMP_ROUTERS_MAX; i++) {
        struct router *router = &listener->routers[i];
        int64_t age = mono_diff(now, router->since);
        if (router->state == ROUTER_HEARD)
            watch_router(router, now);
        else if (router->state == ROUTER_UNNAMED && age >= INITIATION_NS)
            reject(router, "it did not say who it is");
        else if (router->state == ROUTER_RESTING && age >= REST_NS)
            router->state = ROUTER_NONE;
    }
}

/* ---- in all ---- */

static enum err explain(const struct bmp_options *options, int error, struct why *why)
{
    char text[ADDR_TEXT_MAX];
    enum err err = error == EADDRINUSE ? ERR_BUSY : error == EACCES ? ERR_DENIED : ERR_IO;
    return why_set(why, err, "cannot listen for BMP at %s, port %u: %s%s",
                   options->address.family ? addr_format(&options->address, text) : "any address",
                   options->port, strerror(error),
                   error == EACCES ? "; a port from 1024 on needs no permission" : "");
}

struct bmp_listener *bmp_listener_new(struct loop *loop, const struct bmp_options *options,
                                      const struct sink *sink, struct why *why)
{
    int error;
    int fd = net_listen(&options->address, options->port, &error);
    if (fd < 0) {
        explain(options, error, why);
        return NULL;
    }
    struct bmp_listener *listener = mem_new(1, sizeof *listener);
    *listener = (struct bmp_listener){
        .loop = loop,
        .sink = *sink,
        .collector = options->collector ? strdup(options->collector) : NULL,
        .table = options->table,
        .choice_ns = options->choice_ns ? options->choice_ns : BMP_TABLE_CHOICE_NS,
        .say = options->say,
        .context = options->context,
        .fd = fd};
    route_memory_init(&listener->memory, options->watch);
    listener->memory.ear = options->ear;
    listener->watcher = loop_fd_new(loop, fd, on_connection, listener);
    loop_fd_want(listener->watcher, LOOP_READ);
    listener->timer = loop_timer_new(loop, on_second, listener);
    loop_timer_start(listener->timer, NS_PER_S, NS_PER_S);
    return listener;
}

void bmp_listener_free(struct bmp_listener *listener)
{
    if (!listener)
        return;
    for (size_t i = 0; i < BMP_ROUTERS_MAX; i++) {
        struct router *router = &listener->routers[i];
        if (router->state == ROUTER_HEARD)
            bmp_feed_done(&router->feed, clock_utc(), "this observer stopped listening");
        if (router->state == ROUTER_HEARD || router->state == ROUTER_UNNAMED)
            disconnect(router, ROUTER_NONE);
    }
    loop_timer_free(listener->timer);
    loop_fd_free(listener->watcher);
    close(listener->fd);
    route_memory_done(&listener->memory);
    free(listener->collector);
    free(listener);
}

uint16_t bmp_listener_port(const struct bmp_listener *listener)
{
    return net_port(listener->fd);
}
