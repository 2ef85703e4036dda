#include "source/dns/dns_exchange.h"

#include "base/mem.h"
#include "sys/clock.h"
#include "sys/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DATAGRAM_MAX = 4096, /* who sends more than was agreed on is still understood */
    READS_A_TURN = 16,   /* datagrams that are none of ours do not hold up others */
    LENGTH_SIZE = 2,     /* before each message on TCP: RFC 1035, section 4.2.2 */
};

struct dns_exchange {
    struct agenda *agenda;
    struct dns_call call;
    struct stopwatch watch;
    struct agenda_entry timeout; /* or the end of what failed at once */
    struct loop_fd *watcher;
    int fd; /* -1: none */
    bool is_over;
    bool is_tcp;
    bool has_foreign; /* something came from the server that was no answer to this */
    enum stage stage;
    struct dns_result result;
    struct dns_reply reply;
    /* TCP: the length and the query, as far as they are sent; the length and the reply, as far as
     * they have come. */
    uint8_t outgoing[LENGTH_SIZE + DNS_QUERY_MAX];
    size_t sent;
    uint8_t *incoming;
    size_t received;
};

static void close_socket(struct dns_exchange *exchange)
{
    loop_fd_free(exchange->watcher);
    exchange->watcher = NULL;
    if (exchange->fd >= 0)
        close(exchange->fd);
    exchange->fd = -1;
}

void dns_exchange_abandon(struct dns_exchange *exchange)
{
    if (!exchange)
        return;
    agenda_drop(exchange->agenda, &exchange->timeout);
    close_socket(exchange);
    dns_reply_done(&exchange->reply);
    free(exchange->incoming);
    free(exchange);
}

/* What is told of it. */

static int64_t since_start(const struct dns_exchange *exchange)
{
    return stopwatch_elapsed_ns(exchange->call.watch);
}

static void say_sent(const struct dns_exchange *exchange, size_t n)
{
    const struct dns_call *call = &exchange->call;
    char server[ADDR_TEXT_MAX];
    if (account_wants_steps(call->account))
        account_say(call->account, since_start(exchange), "> %s? to %s port %u by %s, %zu bytes",
                    call->about, addr_format(&call->server, server), call->port,
                    exchange->is_tcp ? "TCP" : "UDP", n);
}

static void say_received(const struct dns_exchange *exchange, size_t n)
{
    char server[ADDR_TEXT_MAX];
    struct buffer line = {0};
    if (!account_wants_steps(exchange->call.account))
        return;
    dns_reply_line(&exchange->reply, &line);
    account_say(exchange->call.account, since_start(exchange), "< %s from %s, %zu bytes",
                line.bytes, addr_format(&exchange->call.server, server), n);
    buffer_done(&line);
}

static void say_failed(const struct dns_exchange *exchange)
{
    char server[ADDR_TEXT_MAX];
    if (account_wants_steps(exchange->call.account) &&
        exchange->result.answer.outcome != OUTCOME_OK)
        account_say(exchange->call.account, since_start(exchange), "* %s? to %s: %s",
                    exchange->call.about, addr_format(&exchange->call.server, server),
                    outcome_sentence(exchange->result.answer.outcome));
}

/* Something came that is none of ours. */
static void pass_over(struct dns_exchange *exchange, const struct addr *from, const char *why)
{
    char sender[ADDR_TEXT_MAX];
    exchange->result.foreign++;
    if (account_wants_steps(exchange->call.account))
        account_say(exchange->call.account, since_start(exchange), "* from %s %s: passed over",
                    addr_format(from, sender), why);
}

/* Its end. */

/* The exchange may be gone after this. */
static void hand_over(struct dns_exchange *exchange)
{
    const struct dns_call *call = &exchange->call;
    say_failed(exchange);
    close_socket(exchange);
    agenda_drop(exchange->agenda, &exchange->timeout);
    call->done(call->context, &exchange->result);
    dns_exchange_abandon(exchange);
}

static void end_with(struct dns_exchange *exchange, struct answer answer)
{
    answer.sent = exchange->watch.sent;
    if (answer.stage == STAGE_NONE)
        answer.stage = exchange->stage;
    exchange->result.answer = answer;
    exchange->is_over = true;
}

/* Without a kernel's time stamp a stall of ours would be told as the server's. */
static int64_t elapsed_ns(const struct dns_exchange *exchange)
{
    int64_t elapsed = stopwatch_elapsed_ns(&exchange->watch);
    return agenda_vouches(exchange->agenda, exchange->watch.started, elapsed) ? elapsed : 0;
}

static void fail(struct dns_exchange *exchange, int error)
{
    struct answer answer = {.rtt_ns = elapsed_ns(exchange)};
    judge_socket(&answer, &exchange->call.server, exchange->fd, error);
    end_with(exchange, answer);
}

static void end_heard(struct dns_exchange *exchange, enum outcome outcome, int64_t rtt_ns)
{
    end_with(exchange,
             (struct answer){.rtt_ns = rtt_ns, .peer = exchange->call.server, .outcome = outcome});
}

static void take_reply(struct dns_exchange *exchange, int64_t rtt_ns)
{
    exchange->result.reply = &exchange->reply;
    exchange->stage = STAGE_DONE;
    end_heard(exchange, OUTCOME_OK, rtt_ns);
    exchange->result.answer.code = exchange->reply.rcode;
}

/* TCP. */

static void send_tcp(struct dns_exchange *exchange)
{
    size_t n = LENGTH_SIZE + exchange->call.query.n;
    int error;
    if (exchange->sent == n)
        return;
    long sent =
        net_send(exchange->fd, exchange->outgoing + exchange->sent, n - exchange->sent, &error);
    if (sent < 0 && error == EAGAIN)
        return;
    if (sent < 0) {
        fail(exchange, error);
        return;
    }
    exchange->sent += (size_t)sent;
    if (exchange->sent == n) {
        say_sent(exchange, n);
        exchange->stage = STAGE_REPLY;
        loop_fd_want(exchange->watcher, LOOP_READ);
    }
}

/* How many bytes there will be in all, as far as that is known by now. */
static size_t wanted_tcp(const struct dns_exchange *exchange)
{
    if (exchange->received < LENGTH_SIZE)
        return LENGTH_SIZE;
    return LENGTH_SIZE + (size_t)(exchange->incoming[0] << 8 | exchange->incoming[1]);
}

/* One connection, one question: whatever else comes is broken. So is an answer cut off again. */
static void decode_tcp(struct dns_exchange *exchange)
{
    size_t n = exchange->received - LENGTH_SIZE;
    enum dns_match match = dns_reply_read(&exchange->call.query, exchange->incoming + LENGTH_SIZE,
                                          n, &exchange->reply);
    if (match == DNS_ANSWER)
        say_received(exchange, n);
    else if (match == DNS_FOREIGN)
        pass_over(exchange, &exchange->call.server, "came what answers another query");
    if (match == DNS_ANSWER && !exchange->reply.is_truncated)
        take_reply(exchange, elapsed_ns(exchange));
    else
        end_heard(exchange, OUTCOME_BAD_REPLY, elapsed_ns(exchange));
}

static void read_tcp(struct dns_exchange *exchange)
{
    while (exchange->received < wanted_tcp(exchange)) {
        int error;
        long n = net_receive(exchange->fd, exchange->incoming + exchange->received,
                             wanted_tcp(exchange) - exchange->received, NULL, &error);
        if (n < 0 && error == EAGAIN)
            return;
        if (n < 0)
            fail(exchange, error);
        else if (n == 0)
            end_heard(exchange, OUTCOME_CLOSED, elapsed_ns(exchange));
        if (n <= 0)
            return;
        exchange->received += (size_t)n;
    }
    decode_tcp(exchange);
}

static void proceed_tcp(struct dns_exchange *exchange)
{
    int error = net_error(exchange->fd);
    if (error) {
        fail(exchange, error);
        return;
    }
    if (!net_is_connected(exchange->fd))
        return;
    if (exchange->stage == STAGE_CONNECT) {
        exchange->stage = STAGE_SEND;
        if (!account_reached_ns(exchange->call.account, STAGE_CONNECT))
            account_reached(exchange->call.account, STAGE_CONNECT, since_start(exchange));
    }
    send_tcp(exchange);
    if (!exchange->is_over)
        read_tcp(exchange);
}

static void on_tcp(void *context, int events)
{
    struct dns_exchange *exchange = context;
    (void)events;
    proceed_tcp(exchange);
    if (exchange->is_over)
        hand_over(exchange);
}

static void begin_tcp(struct dns_exchange *exchange)
{
    const struct dns_call *call = &exchange->call;
    int error;
    close_socket(exchange);
    exchange->is_tcp = true;
    exchange->stage = STAGE_CONNECT;
    exchange->outgoing[0] = (uint8_t)(call->query.n >> 8);
    exchange->outgoing[1] = (uint8_t)call->query.n;
    memcpy(exchange->outgoing + LENGTH_SIZE, call->query.bytes, call->query.n);
    exchange->incoming = mem_new(LENGTH_SIZE + DNS_REPLY_MAX, 1);
    exchange->fd = net_connect(NET_TCP, &call->server, call->port, &error);
    if (exchange->fd < 0) {
        struct answer answer = {.rtt_ns = elapsed_ns(exchange)};
        judge_unconnected(&answer, &call->server, error);
        end_with(exchange, answer);
        return;
    }
    exchange->watcher = loop_fd_new(agenda_loop(exchange->agenda), exchange->fd, on_tcp, exchange);
    loop_fd_want(exchange->watcher, LOOP_READ | LOOP_WRITE);
}

/* UDP. */

static void take_datagram(struct dns_exchange *exchange, const uint8_t *bytes, size_t n,
                          const struct net_sender *from)
{
    int64_t rtt_ns = stopwatch_rtt_ns(&exchange->watch, from->received);
    if (rtt_ns > exchange->call.timeout_ns)
        return; /* too late; its time-out is about to be judged */
    if (addr_compare(&from->addr, &exchange->call.server) != 0 ||
        from->port != exchange->call.port) {
        pass_over(exchange, &from->addr, "came a datagram, which was not asked");
        return;
    }
    switch (dns_reply_read(&exchange->call.query, bytes, n, &exchange->reply)) {
    case DNS_FOREIGN:
        exchange->has_foreign = true;
        pass_over(exchange, &from->addr, "came what answers another query");
        return;
    case DNS_BROKEN:
        end_heard(exchange, OUTCOME_BAD_REPLY, rtt_ns);
        return;
    case DNS_ANSWER:
        break;
    }
    say_received(exchange, n);
    if (!exchange->reply.is_truncated) {
        take_reply(exchange, rtt_ns);
        return;
    }
    dns_reply_done(&exchange->reply);
    exchange->result.was_truncated = true;
    begin_tcp(exchange);
}

static void read_udp(struct dns_exchange *exchange)
{
    for (int i = 0; i < READS_A_TURN && !exchange->is_over && !exchange->is_tcp; i++) {
        uint8_t bytes[DATAGRAM_MAX];
        struct net_sender from;
        int error;
        long n = net_receive_from(exchange->fd, bytes, sizeof bytes, &from, &error);
        if (n < 0 && error == EAGAIN)
            return;
        if (n < 0)
            fail(exchange, error);
        else
            take_datagram(exchange, bytes, (size_t)n, &from);
    }
}

static void on_udp(void *context, int events)
{
    struct dns_exchange *exchange = context;
    (void)events;
    read_udp(exchange);
    if (exchange->is_over)
        hand_over(exchange);
}

static void begin_udp(struct dns_exchange *exchange)
{
    const struct dns_call *call = &exchange->call;
    int error;
    exchange->stage = STAGE_SEND;
    exchange->fd = net_open_udp(call->server.family, &error);
    if (exchange->fd < 0) {
        end_with(exchange, (struct answer){.outcome = OUTCOME_SELF});
        return;
    }
    exchange->watcher = loop_fd_new(agenda_loop(exchange->agenda), exchange->fd, on_udp, exchange);
    loop_fd_want(exchange->watcher, LOOP_READ);
    if (net_send_to(exchange->fd, &call->server, call->port, call->query.bytes, call->query.n,
                    &error) < 0) {
        fail(exchange, error);
        return;
    }
    say_sent(exchange, call->query.n);
    exchange->stage = STAGE_REPLY;
}

/* What the sockets hold is looked at first: the loop may be late. */
static void on_timeout(void *context)
{
    struct dns_exchange *exchange = context;
    if (!exchange->is_over && exchange->is_tcp)
        proceed_tcp(exchange);
    else if (!exchange->is_over)
        read_udp(exchange);
    if (!exchange->is_over) {
        /* A datagram is one step, and the kernel has told that there is none. */
        struct mono due = exchange->is_tcp ? exchange->timeout.at.due : clock_mono();
        enum outcome outcome = judge_silence_by(&exchange->call.server, &exchange->watch, due);
        if (outcome == OUTCOME_TIMEOUT && exchange->has_foreign && !exchange->is_tcp)
            outcome = OUTCOME_BAD_REPLY;
        end_with(exchange, (struct answer){.outcome = outcome});
    }
    hand_over(exchange);
}

struct dns_exchange *dns_exchange_new(struct agenda *agenda, const struct dns_call *call)
{
    struct dns_exchange *exchange = mem_new(1, sizeof *exchange);
    exchange->agenda = agenda;
    exchange->call = *call;
    exchange->fd = -1;
    exchange->timeout = (struct agenda_entry){.fire = on_timeout, .context = exchange};
    stopwatch_start(&exchange->watch);
    if (call->by_tcp)
        begin_tcp(exchange);
    else
        begin_udp(exchange);
    if (exchange->is_over)
        agenda_set_now(agenda, &exchange->timeout);
    else
        agenda_set(agenda, &exchange->timeout,
                   (struct mono){exchange->watch.started.ns + call->timeout_ns});
    return exchange;
}
