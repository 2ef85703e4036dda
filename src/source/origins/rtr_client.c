#include "source/origins/rtr_client.h"

#include "base/mem.h"
#include "sys/clock.h"
#include "sys/net.h"
#include "sys/resolver.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is read in one turn of the loop at most. */
enum { CHUNK = 64 * 1024, CHUNKS_A_TURN = 8 };

struct rtr_client {
    struct loop *loop;
    char *host, *name; /* name: "host port 323", for people */
    uint16_t port;
    void (*say)(void *context, const char *text);
    void (*changed)(void *context);
    void *context;
    struct rtr_session session;
    struct rpki *rpki;
    struct vrps *building;      /* a whole table on its way; NULL otherwise */
    struct vrp_change *changes; /* changes on their way */
    size_t change_count, change_capacity;
    struct resolver *resolver; /* NULL while nothing was looked up */
    struct lookup *lookup;     /* under way; NULL otherwise */
    struct addr
        addrs[LOOKUP_ADDRESSES]; /* of the host; those from addr_next on were not tried yet */
    size_t addr_count, addr_next;
    int fd; /* -1: none */
    bool is_connected;
    bool is_running;
    bool has_told_table;
    char told_loss[sizeof((struct rtr_session *)0)->fault]; /* since the last table */
    struct loop_fd *watcher;
    struct loop_timer *timer;
    uint8_t chunk[CHUNK];
};

static void say(struct rtr_client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void say(struct rtr_client *client, const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    client->say(client->context, text);
}

static void run(struct rtr_client *client);
static void on_ready(void *context, int events);

/* ---- the table ---- */

static void replace(struct rtr_client *client, struct vrps *vrps)
{
    rpki_replace(client->rpki, vrps);
    if (client->changed)
        client->changed(client->context);
}

static void drop_answer(struct rtr_client *client)
{
    vrps_free(client->building);
    client->building = NULL;
    free(client->changes);
    client->changes = NULL;
    client->change_count = client->change_capacity = 0;
}

static void begin_answer(struct rtr_client *client)
{
    drop_answer(client);
    if (client->session.is_full)
        client->building = vrps_new();
}

static bool add_change(struct rtr_client *client, const struct vrp_change *change)
{
    if (client->change_count == VRPS_MAX)
        return false;
    client->changes = mem_grow(client->changes, &client->change_capacity, client->change_count + 1,
                               sizeof *client->changes);
    client->changes[client->change_count++] = *change;
    return true;
}

static void take_change(struct rtr_client *client, const struct rtr_pdu *pdu, struct mono now)
{
    struct vrp vrp = {pdu->prefix, pdu->max_bits, pdu->asn};
    struct vrp_change change = {vrp, pdu->is_announced, 0};
    if (client->building && !pdu->is_announced)
        rtr_session_refuse(&client->session, now, RTR_ERROR_UNKNOWN_RECORD,
                           "a whole table holds a withdrawal");
    else if (client->building ? !vrps_add(client->building, &vrp) : !add_change(client, &change))
        rtr_session_refuse(&client->session, now, RTR_ERROR_INTERNAL,
                           "there are more prefixes than are taken");
}

/* NULL, with *out: a table to put in the place of the one there is, which may be the same; or what
 * is wrong. */
static const char *finish_answer(struct rtr_client *client, enum rtr_error *error,
                                 struct vrps **out)
{
    static const char *const faults[] = {NULL, "a prefix is announced that was there",
                                         "a prefix is withdrawn that was not there",
                                         "there are more prefixes than are taken"};
    static const enum rtr_error errors[] = {0, RTR_ERROR_DUPLICATE, RTR_ERROR_UNKNOWN_RECORD,
                                            RTR_ERROR_INTERNAL};
    enum vrps_fault fault = VRPS_OK;
    if (client->building) {
        fault = vrps_seal(client->building) ? VRPS_TWICE : VRPS_OK;
        *out = client->building;
        client->building = fault ? client->building : NULL;
    } else if (client->change_count) {
        fault = vrps_apply(rpki_vrps(client->rpki), client->changes, client->change_count, out);
    }
    *error = errors[fault];
    return faults[fault];
}

static void commit(struct rtr_client *client, struct mono now)
{
    enum rtr_error error;
    struct vrps *made = NULL;
    const char *fault = finish_answer(client, &error, &made);
    drop_answer(client);
    if (fault) {
        rtr_session_refuse(&client->session, now, error, fault);
        return;
    }
    if (made)
        replace(client, made);
    client->told_loss[0] = '\0';
    if (!client->has_told_table)
        say(client, "RTR cache %s: %zu prefixes are known (version %u)", client->name,
            vrps_count(rpki_vrps(client->rpki)), client->session.version);
    client->has_told_table = true;
}

static void forget(struct rtr_client *client)
{
    if (rpki_vrps(client->rpki))
        say(client,
            "RTR cache %s: what it said counts no longer; origins are not judged until it says "
            "more",
            client->name);
    replace(client, NULL);
}

/* ---- the connection ---- */

static void send_out(struct rtr_client *client)
{
    struct buffer *out = &client->session.out;
    int error;
    if (client->fd < 0 || !client->is_connected)
        return;
    while (out->size) {
        long sent = net_send(client->fd, out->bytes, out->size, &error);
        if (sent <= 0) /* what has gone wrong is told where bytes are received */
            break;
        memmove(out->bytes, out->bytes + sent, out->size - (size_t)sent);
        out->size -= (size_t)sent;
    }
}

static void disconnect(struct rtr_client *client)
{
    lookup_abandon(client->lookup);
    client->lookup = NULL;
    drop_answer(client);
    if (client->fd < 0)
        return;
    loop_fd_free(client->watcher);
    close(client->fd);
    client->fd = -1;
    client->is_connected = false;
}

static void tell_loss(struct rtr_client *client, const char *reason)
{
    if (strcmp(client->told_loss, reason) != 0)
        say(client, "RTR cache %s: %s; it will be tried again", client->name, reason);
    snprintf(client->told_loss, sizeof client->told_loss, "%s", reason);
    client->has_told_table = false;
}

/* It is gone, or never was there. */
static void lose(struct rtr_client *client, const char *reason)
{
    rtr_session_lost(&client->session, clock_mono(), reason);
    disconnect(client);
    tell_loss(client, reason);
}

/* Begins to connect to the next address at which it may be. `error`: what was met at the one
 * before. */
static void connect_to_next(struct rtr_client *client, int error)
{
    disconnect(client);
    while (client->fd < 0 && client->addr_next < client->addr_count)
        client->fd =
            net_connect(NET_TCP, &client->addrs[client->addr_next++], client->port, &error);
    if (client->fd < 0)
        lose(client, strerror(error));
    else
        client->watcher = loop_fd_new(client->loop, client->fd, on_ready, client);
}

static void finish_connecting(struct rtr_client *client)
{
    int error = net_error(client->fd);
    if (error) {
        connect_to_next(client, error);
        return;
    }
    client->is_connected = true;
    rtr_session_connected(&client->session, clock_mono());
}

/* False if there is nothing to read at the moment, or the connection is gone. */
static bool receive(struct rtr_client *client)
{
    int error;
    long got = net_receive(client->fd, client->chunk, CHUNK, NULL, &error);
    if (got < 0 && (error == EAGAIN || error == EWOULDBLOCK || error == EINTR))
        return false;
    if (got <= 0) {
        lose(client, got ? strerror(error) : "the cache closed the connection");
        return false;
    }
    rtr_session_feed(&client->session, clock_mono(), client->chunk, (size_t)got);
    return true;
}

static void on_ready(void *context, int events)
{
    struct rtr_client *client = context;
    if (!client->is_connected) {
        finish_connecting(client);
    } else if (events & LOOP_READ) {
        for (int i = 0; i < CHUNKS_A_TURN && client->fd >= 0 && receive(client); i++)
            run(client);
    }
    run(client);
}

static void on_looked_up(void *context, const struct lookup_result *result)
{
    static const char *const reasons[] = {"", "no such name", "the name has no address",
                                          "the name cannot be looked up",
                                          "no name can be looked up"};
    struct rtr_client *client = context;
    client->lookup = NULL;
    client->addr_next = 0;
    client->addr_count = result->count;
    memcpy(client->addrs, result->addrs, sizeof client->addrs);
    if (result->status == LOOKUP_OK)
        connect_to_next(client, 0);
    else
        lose(client, reasons[result->status]);
    run(client);
}

static void start_connecting(struct rtr_client *client)
{
    if (addr_parse(client->host, strlen(client->host), &client->addrs[0])) {
        client->addr_next = 0;
        client->addr_count = 1;
        connect_to_next(client, 0);
        return;
    }
    if (!client->resolver)
        client->resolver = resolver_new(client->loop);
    struct lookup *lookup = resolver_look_up(client->resolver, client->host, on_looked_up, client);
    if (lookup)
        client->lookup = lookup;
}

/* ---- what is to be done ---- */

static void take_step(struct rtr_client *client, enum rtr_step step, const struct rtr_pdu *pdu,
                      struct mono now)
{
    switch (step) {
    case RTR_CONNECT:
        start_connecting(client);
        break;
    case RTR_BEGIN:
        begin_answer(client);
        break;
    case RTR_CHANGE:
        take_change(client, pdu, now);
        break;
    case RTR_COMMIT:
        commit(client, now);
        break;
    case RTR_FORGET:
        forget(client);
        break;
    case RTR_CLOSE:
        send_out(client);
        disconnect(client);
        tell_loss(client, client->session.fault);
        break;
    case RTR_WAIT:
        break;
    }
}

/* Until there is nothing to do before more bytes come, or it is time. */
static void run(struct rtr_client *client)
{
    struct rtr_pdu pdu;
    enum rtr_step step;
    if (client->is_running) /* a look-up that was answered at once */
        return;
    client->is_running = true;
    struct mono now = clock_mono();
    while ((step = rtr_session_next(&client->session, now, &pdu)) != RTR_WAIT)
        take_step(client, step, &pdu, now);
    client->is_running = false;
    send_out(client);
    if (client->fd >= 0)
        loop_fd_want(client->watcher,
                     (client->is_connected ? LOOP_READ : LOOP_WRITE) |
                         (client->session.out.size && client->is_connected ? LOOP_WRITE : 0));
    loop_timer_start(client->timer, mono_diff(rtr_session_due(&client->session), clock_mono()), 0);
}

static void on_time(void *context)
{
    run(context);
}

struct rtr_client *rtr_client_new(struct loop *loop, const struct rtr_options *options)
{
    struct rtr_client *client = mem_new(1, sizeof *client);
    struct buffer name = {0};
    client->loop = loop;
    client->host = mem_copy(options->host);
    client->port = options->port ? options->port : RTR_PORT;
    buffer_printf(&name, "%s, port %u", client->host, client->port);
    client->name = name.bytes;
    client->say = options->say;
    client->changed = options->changed;
    client->context = options->context;
    client->rpki = rpki_new();
    client->fd = -1;
    rtr_session_init(&client->session, clock_mono(), options->patience);
    client->timer = loop_timer_new(loop, on_time, client);
    loop_timer_start(client->timer, 0, 0);
    return client;
}

void rtr_client_free(struct rtr_client *client)
{
    if (!client)
        return;
    disconnect(client);
    loop_timer_free(client->timer);
    resolver_free(client->resolver);
    rtr_session_done(&client->session);
    rpki_free(client->rpki);
    free(client->host);
    free(client->name);
    free(client);
}

const struct rpki *rtr_client_rpki(const struct rtr_client *client)
{
    return client->rpki;
}
