#include "source/probe/dns.h"

#include "base/mem.h"
#include "source/probe/dns_message.h"
#include "source/probe/judge.h"
#include "sys/entropy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DATAGRAM_MAX = 4096, /* without EDNS 512 are allowed; who sends more is still understood */
    READS_A_TURN = 16,   /* datagrams that are none of ours do not hold up others */
    LENGTH_SIZE = 2,     /* before each message on TCP: RFC 1035, section 4.2.2 */
};

enum transport { LOOKING_UP, UDP, TCP };

/* One question under way. */
struct exchange {
    struct exchange *next, **link; /* in the engine's list */
    struct dns_engine *engine;
    struct question question;
    struct stopwatch watch;
    struct agenda_entry timeout;
    struct lookup *lookup;
    struct loop_fd *watcher;
    int fd; /* -1: none */
    struct addr server;
    enum transport transport;
    enum stage stage;
    bool has_foreign; /* something came from the server that was no answer to this */
    struct dns_query query;
    /* TCP: the length and the query, as far as they are sent; the length and the reply, as far as
     * they have come. */
    uint8_t outgoing[LENGTH_SIZE + DNS_QUERY_MAX];
    size_t sent;
    uint8_t *incoming;
    size_t received;
};

struct dns_engine {
    struct agenda *agenda;
    struct resolver *resolver;
    struct exchange *exchanges;
};

struct dns_engine *dns_new(struct agenda *agenda, struct resolver *resolver)
{
    struct dns_engine *engine = mem_new(1, sizeof *engine);
    engine->agenda = agenda;
    engine->resolver = resolver;
    return engine;
}

static void close_socket(struct exchange *exchange)
{
    loop_fd_free(exchange->watcher);
    exchange->watcher = NULL;
    if (exchange->fd >= 0)
        close(exchange->fd);
    exchange->fd = -1;
}

static void close_exchange(struct exchange *exchange)
{
    agenda_drop(exchange->engine->agenda, &exchange->timeout);
    lookup_abandon(exchange->lookup);
    close_socket(exchange);
    *exchange->link = exchange->next;
    if (exchange->next)
        exchange->next->link = exchange->link;
    free(exchange->incoming);
    free(exchange);
}

void dns_free(struct dns_engine *engine)
{
    if (!engine)
        return;
    while (engine->exchanges)
        close_exchange(engine->exchanges);
    free(engine);
}

static void finish(struct exchange *exchange, struct answer *answer)
{
    struct question question = exchange->question;
    answer->sent = exchange->watch.sent;
    if (answer->outcome == OUTCOME_OK)
        answer->stage = STAGE_DONE;
    else if (answer->stage == STAGE_NONE)
        answer->stage = exchange->stage;
    close_exchange(exchange);
    question.answered(question.context, answer);
}

static void finish_with(struct exchange *exchange, enum outcome outcome)
{
    finish(exchange, &(struct answer){.outcome = outcome});
}

/* Without a kernel's time stamp a stall of ours would be told as the server's. */
static int64_t elapsed_ns(const struct exchange *exchange)
{
    if (agenda_stalled_since(exchange->engine->agenda, exchange->watch.started))
        return 0;
    return stopwatch_elapsed_ns(&exchange->watch);
}

static void fail(struct exchange *exchange, int error)
{
    struct answer answer = {.rtt_ns = elapsed_ns(exchange)};
    judge_socket(&answer, &exchange->server, exchange->fd, error);
    finish(exchange, &answer);
}

static void finish_reply(struct exchange *exchange, const struct dns_reply *reply, int64_t rtt_ns)
{
    finish(exchange, &(struct answer){
                         .rtt_ns = rtt_ns,
                         .value = reply->serial,
                         .peer = exchange->server,
                         .code = reply->rcode,
                         .outcome = dns_outcome(reply),
                     });
}

static void finish_broken(struct exchange *exchange, int64_t rtt_ns)
{
    finish(exchange, &(struct answer){
                         .rtt_ns = rtt_ns, .peer = exchange->server, .outcome = OUTCOME_BAD_REPLY});
}

/* Opens the socket; false if that failed and the exchange is over. */
static bool open_socket(struct exchange *exchange, enum net_kind kind,
                        void (*ready)(void *context, int events), int events)
{
    int error;
    exchange->fd = net_connect(kind, &exchange->server, exchange->question.target->port, &error);
    if (exchange->fd < 0) {
        struct answer answer = {.rtt_ns = elapsed_ns(exchange)};
        judge_unconnected(&answer, &exchange->server, error);
        finish(exchange, &answer);
        return false;
    }
    struct loop *loop = agenda_loop(exchange->engine->agenda);
    exchange->watcher = loop_fd_new(loop, exchange->fd, ready, exchange);
    loop_fd_want(exchange->watcher, events);
    return true;
}

/* TCP. Each of these returns true if the exchange is over. */

static bool send_tcp(struct exchange *exchange)
{
    size_t n = LENGTH_SIZE + exchange->query.n;
    int error;
    if (exchange->sent == n)
        return false;
    long sent =
        net_send(exchange->fd, exchange->outgoing + exchange->sent, n - exchange->sent, &error);
    if (sent < 0 && error == EAGAIN)
        return false;
    if (sent < 0) {
        fail(exchange, error);
        return true;
    }
    exchange->sent += (size_t)sent;
    if (exchange->sent == n) {
        exchange->stage = STAGE_REPLY;
        loop_fd_want(exchange->watcher, LOOP_READ);
    }
    return false;
}

/* How many bytes there will be in all, as far as that is known by now. */
static size_t wanted_tcp(const struct exchange *exchange)
{
    if (exchange->received < LENGTH_SIZE)
        return LENGTH_SIZE;
    return LENGTH_SIZE + (size_t)(exchange->incoming[0] << 8 | exchange->incoming[1]);
}

static bool read_tcp(struct exchange *exchange)
{
    while (exchange->received < wanted_tcp(exchange)) {
        int error;
        long n = net_receive(exchange->fd, exchange->incoming + exchange->received,
                             wanted_tcp(exchange) - exchange->received, NULL, &error);
        if (n < 0 && error == EAGAIN)
            return false;
        if (n < 0)
            fail(exchange, error);
        else if (n == 0)
            finish(exchange, &(struct answer){.rtt_ns = elapsed_ns(exchange),
                                              .peer = exchange->server,
                                              .outcome = OUTCOME_CLOSED});
        if (n <= 0)
            return true;
        exchange->received += (size_t)n;
    }
    struct dns_reply reply;
    enum dns_match match = dns_reply_read(&exchange->query, exchange->incoming + LENGTH_SIZE,
                                          exchange->received - LENGTH_SIZE, &reply);
    /* One connection, one question: whatever else comes is broken. So is an answer cut off again.
     */
    if (match == DNS_ANSWER && !reply.is_truncated)
        finish_reply(exchange, &reply, elapsed_ns(exchange));
    else
        finish_broken(exchange, elapsed_ns(exchange));
    return true;
}

static bool proceed_tcp(struct exchange *exchange)
{
    int error = net_error(exchange->fd);
    if (error) {
        fail(exchange, error);
        return true;
    }
    if (!net_is_connected(exchange->fd))
        return false;
    if (exchange->stage == STAGE_CONNECT)
        exchange->stage = STAGE_SEND;
    return send_tcp(exchange) || read_tcp(exchange);
}

static void on_tcp(void *context, int events)
{
    (void)events;
    proceed_tcp(context);
}

static void begin_tcp(struct exchange *exchange)
{
    close_socket(exchange);
    exchange->transport = TCP;
    exchange->stage = STAGE_CONNECT;
    exchange->outgoing[0] = (uint8_t)(exchange->query.n >> 8);
    exchange->outgoing[1] = (uint8_t)exchange->query.n;
    memcpy(exchange->outgoing + LENGTH_SIZE, exchange->query.bytes, exchange->query.n);
    exchange->incoming = mem_new(LENGTH_SIZE + DNS_REPLY_MAX, 1);
    open_socket(exchange, NET_TCP, on_tcp, LOOP_READ | LOOP_WRITE);
}

/* UDP. */

/* True if the datagram ended the wait. */
static bool take_datagram(struct exchange *exchange, const uint8_t *bytes, size_t n,
                          struct utc received)
{
    int64_t rtt_ns = stopwatch_rtt_ns(&exchange->watch, received);
    if (rtt_ns > exchange->question.timeout_ns)
        return false; /* too late; its time-out is about to be judged */
    struct dns_reply reply;
    switch (dns_reply_read(&exchange->query, bytes, n, &reply)) {
    case DNS_FOREIGN:
        exchange->has_foreign = true;
        return false;
    case DNS_BROKEN:
        finish_broken(exchange, rtt_ns);
        return true;
    case DNS_ANSWER:
        break;
    }
    if (reply.is_truncated)
        begin_tcp(exchange);
    else
        finish_reply(exchange, &reply, rtt_ns);
    return true;
}

static bool read_udp(struct exchange *exchange)
{
    for (int i = 0; i < READS_A_TURN; i++) {
        uint8_t bytes[DATAGRAM_MAX];
        struct utc received;
        int error;
        long n = net_receive(exchange->fd, bytes, sizeof bytes, &received, &error);
        if (n < 0 && error == EAGAIN)
            return false;
        if (n < 0) {
            fail(exchange, error);
            return true;
        }
        if (take_datagram(exchange, bytes, (size_t)n, received))
            return true;
    }
    return false;
}

static void on_udp(void *context, int events)
{
    (void)events;
    read_udp(context);
}

static void begin_udp(struct exchange *exchange)
{
    exchange->transport = UDP;
    exchange->stage = STAGE_SEND;
    stopwatch_start(&exchange->watch);
    if (!open_socket(exchange, NET_UDP, on_udp, LOOP_READ))
        return;
    int error;
    if (net_send(exchange->fd, exchange->query.bytes, exchange->query.n, &error) < 0) {
        fail(exchange, error);
        return;
    }
    exchange->stage = STAGE_REPLY;
}

/* What the sockets hold is looked at first: the loop may be late. */
static void on_timeout(void *context)
{
    struct exchange *exchange = context;
    enum transport transport = exchange->transport;
    if (transport == LOOKING_UP) { /* it is our own resolver that does not answer */
        finish_with(exchange, OUTCOME_SELF);
        return;
    }
    if (transport == UDP ? read_udp(exchange) : proceed_tcp(exchange))
        return;
    enum outcome outcome = judge_silence(&exchange->server, &exchange->watch);
    if (outcome == OUTCOME_TIMEOUT && exchange->has_foreign && transport == UDP)
        outcome = OUTCOME_BAD_REPLY;
    finish_with(exchange, outcome);
}

static void on_looked_up(void *context, const struct lookup_result *found)
{
    struct exchange *exchange = context;
    struct lookup_result result = *found;
    exchange->lookup = NULL;
    judge_narrow(&result, exchange->question.family);
    if (!result.count) {
        finish_with(exchange, judge_lookup(&result));
        return;
    }
    exchange->server = result.addrs[0];
    begin_udp(exchange);
}

static void look_up_server(struct exchange *exchange)
{
    char host[DNS_NAME_TEXT];
    struct part part = exchange->question.target->host;
    if (part.n >= sizeof host) { /* no name is that long */
        finish_with(exchange, OUTCOME_NAME_ERROR);
        return;
    }
    memcpy(host, exchange->question.text + part.at, part.n);
    host[part.n] = '\0';
    struct lookup *lookup =
        resolver_look_up(exchange->engine->resolver, host, on_looked_up, exchange);
    if (lookup) /* else it is over already, and the exchange may be too */
        exchange->lookup = lookup;
}

static bool make_query(const struct target *target, const char *text, struct dns_query *out)
{
    return dns_query_make(text + target->name.at, target->name.n, text + target->type.at,
                          target->type.n, (uint16_t)entropy_u64(), out);
}

bool dns_can_ask(const struct target *target, const char *text)
{
    struct dns_query query;
    return make_query(target, text, &query);
}

void dns_ask(struct dns_engine *engine, const struct question *question)
{
    struct exchange *exchange = mem_new(1, sizeof *exchange);
    exchange->next = engine->exchanges;
    exchange->link = &engine->exchanges;
    if (exchange->next)
        exchange->next->link = &exchange->next;
    engine->exchanges = exchange;
    exchange->engine = engine;
    exchange->question = *question;
    exchange->fd = -1;
    exchange->stage = STAGE_RESOLVE;
    exchange->server = question->address.family ? question->address : question->target->addr;
    exchange->timeout = (struct agenda_entry){.fire = on_timeout, .context = exchange};
    stopwatch_start(&exchange->watch);
    agenda_set(engine->agenda, &exchange->timeout,
               (struct mono){exchange->watch.started.ns + question->timeout_ns});
    if (!make_query(question->target, question->text, &exchange->query))
        finish_with(exchange, OUTCOME_SELF); /* dns_can_ask() was not asked */
    else if (exchange->server.family)
        begin_udp(exchange);
    else
        look_up_server(exchange);
}
