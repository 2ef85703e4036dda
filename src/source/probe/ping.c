#include "source/probe/ping.h"

#include "base/mem.h"
#include "source/probe/echo_numbers.h"
#include "source/probe/judge.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/icmp_socket.h"
#include "wire/icmp.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    SEND_BATCH = 16,   /* in one call; see send_batch() */
    QUEUE_FULL = 64,   /* then it is sent at once, or who is asked last would be asked late */
    QUEUE_MAX = 16384, /* while our own kernel takes none: what waited longer would be late too */
    READS_A_TURN = 16, /* batches; then others are given their time */
    READS_ALL = 1024,  /* more than any receive buffer holds */
    SOCKETS = ECHO_IDENTS_MAX,
};
#define RETRY_NS (5 * NS_PER_MS) /* when the socket takes no more for the moment */
#define REST_NS (2 * NS_PER_MS)  /* see on_ready() */

/* One request that waits to be sent or answered. */
struct echo {
    struct channel *channel;
    struct question question;
    struct agenda_entry timeout;
    struct stopwatch watch;
    uint32_t overflow; /* of the socket, when it was sent */
    uint32_t number;
    bool is_sent;
};

struct inlet {
    struct channel *channel;
    struct icmp_socket *socket;
    struct loop_fd *watcher;
    struct mono woken;        /* by the socket, last */
    struct mono read_until;   /* what arrived before then was read */
    uint64_t heard;           /* packets since the last rest */
    struct agenda_entry rest; /* set: the socket is not watched */
};

/* A family. An unprivileged socket has one identifier, so where more are needed each has its own; a
 * raw one is for all of them. */
struct channel {
    struct pinger *pinger;
    int family;
    struct inlet inlets[SOCKETS];
    unsigned inlet_count; /* 0: cannot be had here */
    struct echo_numbers numbers;
    struct echo **queue; /* to be sent at the end of the turn, or when it is full */
    size_t queued, capacity;
    bool is_blocked; /* the socket took no more, and is tried again later */
    struct agenda_entry flush;
};

struct pinger {
    struct agenda *agenda;
    struct route_asker *routes;
    char note[ICMP_NOTE_MAX + 1];
    struct ping_counters counters;
    struct channel channels[2]; /* IPv4, IPv6 */
};

static struct inlet *inlet_of(struct channel *channel, uint32_t number)
{
    bool is_raw = icmp_socket_is_raw(channel->inlets[0].socket);
    return &channel->inlets[is_raw ? 0 : number / ECHO_SEQUENCES];
}

static void finish(struct echo *echo, const struct answer *answer)
{
    struct channel *channel = echo->channel;
    struct question question = echo->question;
    struct echo_slot *slot = echo_numbers_slot(&channel->numbers, echo->number);
    slot->is_answered = answer->outcome != OUTCOME_TIMEOUT && answer->outcome != OUTCOME_LATE;
    echo_numbers_release(&channel->numbers, echo->number);
    agenda_drop(channel->pinger->agenda, &echo->timeout);
    free(echo);
    question.answered(question.context, answer);
}

/* Of one that was sent: what is known in any case. */
static struct answer answer_to(const struct echo *echo)
{
    return (struct answer){
        .sent = echo->watch.sent,
        .late_ns = mono_diff(echo->watch.started, echo->question.due),
        .stage = STAGE_REPLY,
    };
}

static void tell_heard(const struct echo *echo, const struct answer *answer)
{
    char text[ADDR_TEXT_MAX];
    if (account_wants_steps(echo->question.account))
        account_say(echo->question.account, answer->rtt_ns, "< echo reply from %s with TTL %d",
                    addr_format(&answer->peer, text), (int)answer->value);
}

static void tell_fault(const struct echo *echo, const struct answer *answer,
                       const struct net_icmp_fault *fault)
{
    char text[ADDR_TEXT_MAX];
    if (account_wants_steps(echo->question.account))
        account_say(echo->question.account, answer->rtt_ns, "< ICMP type %u code %u from %s",
                    fault->type, fault->code,
                    fault->from.family ? addr_format(&fault->from, text) : "this machine");
}

static void take_reply(struct channel *channel, struct echo_slot *slot,
                       const struct icmp_arrival *arrival, const struct icmp_message *message)
{
    struct ping_counters *counters = &channel->pinger->counters;
    if (slot->cookie != message->echo.cookie) {
        counters->foreign++;
        return;
    }
    struct echo *echo = slot->echo;
    if (!echo || !echo->is_sent) {
        slot->is_answered ? counters->duplicate++ : counters->late++;
        slot->is_answered = true;
        return;
    }
    if (addr_compare(&arrival->from, &echo->question.target->addr) != 0) {
        counters->foreign++;
        return;
    }
    struct answer answer = answer_to(echo);
    answer.rtt_ns = stopwatch_rtt_ns(&echo->watch, arrival->received);
    answer.value = arrival->ttl;
    answer.peer = arrival->from;
    answer.outcome = OUTCOME_OK;
    answer.stage = STAGE_DONE;
    if (answer.rtt_ns > echo->question.timeout_ns) {
        counters->late++; /* its time-out is about to be judged */
        return;
    }
    tell_heard(echo, &answer);
    finish(echo, &answer);
}

static void take_error(struct channel *channel, struct echo_slot *slot,
                       const struct icmp_arrival *arrival, const struct icmp_message *message)
{
    struct ping_counters *counters = &channel->pinger->counters;
    struct echo *echo = slot->echo;
    if (!echo || !echo->is_sent || (message->has_cookie && slot->cookie != message->echo.cookie) ||
        addr_compare(&message->target, &echo->question.target->addr) != 0) {
        counters->foreign++;
        return;
    }
    struct answer answer = answer_to(echo);
    answer.rtt_ns = stopwatch_rtt_ns(&echo->watch, arrival->received);
    struct net_icmp_fault fault = {
        .from = arrival->from,
        .family = (uint8_t)channel->family,
        .type = message->type,
        .code = message->code,
    };
    judge_icmp(&answer, &echo->question.target->addr, &fault);
    tell_fault(echo, &answer, &fault);
    finish(echo, &answer);
}

static struct icmp_message read_arrival(const struct channel *channel, struct icmp_arrival *arrival,
                                        struct reader *r)
{
    *r = reader_of(arrival->bytes, arrival->n);
    struct icmp_message message = {0};
    if (arrival->is_error) {
        message.type = arrival->type;
        message.code = arrival->code;
        message.target = arrival->to;
        if (icmp_read_quoted(channel->family, r, &message))
            message.what = ICMP_ERROR;
        return message;
    }
    if (arrival->has_ip_header) {
        struct ip4_header header = ip4_read(r);
        arrival->from = header.from;
        arrival->ttl = header.ttl;
    }
    return icmp_read(channel->family, r);
}

static void take(struct channel *channel, struct icmp_arrival *arrival)
{
    struct reader r;
    struct icmp_message message = read_arrival(channel, arrival, &r);
    struct echo_slot *slot =
        echo_numbers_find(&channel->numbers, message.echo.ident, message.echo.seq);
    if (r.bad)
        channel->pinger->counters.bad++;
    else if (message.what == ICMP_OTHER || !slot)
        channel->pinger->counters.foreign++;
    else if (message.what == ICMP_REPLY)
        take_reply(channel, slot, arrival, &message);
    else
        take_error(channel, slot, arrival, &message);
}

static void receive(struct inlet *inlet, int batches)
{
    for (int i = 0; i < batches; i++) {
        struct icmp_arrival arrivals[ICMP_BATCH];
        size_t n = icmp_socket_receive(inlet->socket, arrivals);
        for (size_t k = 0; k < n; k++)
            take(inlet->channel, &arrivals[k]);
        inlet->heard += n;
        if (!n)
            break;
    }
}

/* To be woken for each of thousands of answers a second costs more than the answers. Since the kernel
 * says when each came, they can wait: a socket that wakes us again at once is left alone for a while,
 * and is watched again when nothing came meanwhile. */
static void on_ready(void *context, int events)
{
    (void)events;
    struct inlet *inlet = context;
    struct agenda *agenda = inlet->channel->pinger->agenda;
    struct mono now = loop_now(agenda_loop(agenda)), before = inlet->woken;
    receive(inlet, READS_A_TURN);
    inlet->woken = now;
    if (mono_diff(now, before) > REST_NS)
        return;
    inlet->heard = 0;
    loop_fd_want(inlet->watcher, 0);
    agenda_set(agenda, &inlet->rest, (struct mono){now.ns + REST_NS});
}

static void on_rested(void *context)
{
    struct inlet *inlet = context;
    struct agenda *agenda = inlet->channel->pinger->agenda;
    receive(inlet, READS_A_TURN);
    if (inlet->heard)
        agenda_set(agenda, &inlet->rest, (struct mono){loop_now(agenda_loop(agenda)).ns + REST_NS});
    else
        loop_fd_want(inlet->watcher, LOOP_READ);
    inlet->heard = 0;
}

/* All that arrived before `due`: the loop may be late, and the kernel's time stamps tell. Many
 * requests time out in one turn, and one reading is enough for them. */
static void receive_until(struct inlet *inlet, struct mono due)
{
    if (mono_diff(inlet->read_until, due) >= 0)
        return;
    struct mono now = clock_mono();
    receive(inlet, READS_ALL);
    inlet->read_until = now;
}

static void on_timeout(void *context)
{
    struct echo *echo = context;
    struct inlet *inlet = inlet_of(echo->channel, echo->number);
    struct echo_slot *slot = echo_numbers_slot(&echo->channel->numbers, echo->number);
    uint64_t cookie = slot->cookie;
    receive_until(inlet, echo->timeout.at.due);
    if (slot->echo != echo || slot->cookie != cookie)
        return;
    struct answer answer = answer_to(echo);
    struct route_asker *asker = echo->channel->pinger->routes;
    enum route_kind route = route_ask(asker, &echo->question.target->addr);
    answer.outcome = judge_silence_on(route, &echo->watch);
    if (icmp_socket_overflow(inlet->socket) != echo->overflow)
        answer.outcome = OUTCOME_LATE;
    finish(echo, &answer);
}

static void tell_sent(const struct echo *echo)
{
    char text[ADDR_TEXT_MAX];
    if (account_wants_steps(echo->question.account))
        account_say(echo->question.account, 0, "> ICMP echo request to %s",
                    addr_format(&echo->question.target->addr, text));
}

static void refuse(struct echo *echo)
{
    echo->channel->pinger->counters.refused++;
    stopwatch_start(&echo->watch);
    finish(echo, &(struct answer){
                     .sent = echo->watch.sent, .outcome = OUTCOME_SELF, .stage = STAGE_SEND});
}

static void make_packet(const struct echo *echo, uint8_t bytes[ICMP_ECHO_MAX],
                        struct icmp_outgoing *out)
{
    const struct channel *channel = echo->channel;
    struct icmp_echo request = {
        .ident = echo_numbers_ident(&channel->numbers, echo->number),
        .seq = (uint16_t)echo->number,
        .cookie = echo_numbers_slot(&channel->numbers, echo->number)->cookie,
    };
    size_t n = icmp_write_echo(channel->family, &request, channel->pinger->note, bytes);
    *out = (struct icmp_outgoing){echo->question.target->addr, bytes, n, echo->question.hops};
}

static void note_sent(struct echo *echo, const struct stopwatch *watch, int64_t after_ns,
                      uint32_t overflow)
{
    echo->watch = *watch;
    echo->watch.sent.ns += after_ns;
    echo->watch.started.ns += after_ns;
    echo->overflow = overflow;
    echo->is_sent = true;
    tell_sent(echo);
    agenda_set(echo->channel->pinger->agenda, &echo->timeout,
               (struct mono){echo->watch.started.ns + echo->question.timeout_ns});
}

/* Sends up to a batch from `echoes`; returns how many the kernel took. The clock is read before and
 * after, and each packet is taken to have been sent in its turn between: the kernel takes some
 * microseconds for each, and for all about the same. */
static size_t send_batch(struct channel *channel, struct echo **echoes, size_t n, int *error)
{
    uint8_t bytes[SEND_BATCH][ICMP_ECHO_MAX];
    struct icmp_outgoing packets[SEND_BATCH];
    struct inlet *inlet = inlet_of(channel, echoes[0]->number);
    size_t count = 0;
    for (; count < n && count < SEND_BATCH; count++) {
        if (inlet_of(channel, echoes[count]->number) != inlet)
            break;
        make_packet(echoes[count], bytes[count], &packets[count]);
    }
    uint32_t overflow = icmp_socket_overflow(inlet->socket);
    struct stopwatch watch;
    stopwatch_start(&watch);
    size_t sent = icmp_socket_send(inlet->socket, packets, count, error);
    int64_t elapsed_ns = stopwatch_elapsed_ns(&watch);
    for (size_t i = 0; i < sent; i++)
        note_sent(echoes[i], &watch, elapsed_ns * (int64_t)i / (int64_t)sent, overflow);
    channel->pinger->counters.sent += sent;
    return sent;
}

/* The first of a queue could not be sent. Where a router's error is still unread, it may be that
 * one that we are told, and not about this request: read, and try again. */
static bool is_refused(struct channel *channel, struct echo *echo)
{
    enum { TRIES = 3 };
    for (int i = 0; i < TRIES; i++) {
        int error;
        receive(inlet_of(channel, echo->number), READS_ALL);
        if (send_batch(channel, &echo, 1, &error) == 1)
            return false;
    }
    return true;
}

static void enqueue(struct channel *channel, struct echo *echo)
{
    channel->queue =
        mem_grow(channel->queue, &channel->capacity, channel->queued + 1, sizeof *channel->queue);
    channel->queue[channel->queued++] = echo;
}

static void flush(void *context)
{
    struct channel *channel = context;
    struct agenda *agenda = channel->pinger->agenda;
    struct echo **queue = channel->queue;
    size_t n = channel->queued, at = 0;
    channel->queue = NULL; /* answers may make others ask again */
    channel->queued = channel->capacity = 0;
    channel->is_blocked = false;
    while (at < n) {
        int error;
        struct inlet *inlet = inlet_of(channel, queue[at]->number);
        size_t sent = send_batch(channel, queue + at, n - at, &error);
        at += sent;
        if (sent) { /* answers from nearby may be there already: keep room for those to come */
            receive(inlet, 1);
            continue;
        }
        if (error == EAGAIN)
            break;
        if (is_refused(channel, queue[at]))
            refuse(queue[at]);
        at++;
    }
    channel->is_blocked = at < n;
    for (; at < n; at++)
        enqueue(channel, queue[at]);
    if (channel->is_blocked)
        agenda_set(agenda, &channel->flush, (struct mono){clock_mono().ns + RETRY_NS});
    free(queue);
}

static void add_inlet(struct channel *channel, struct icmp_socket *socket)
{
    struct inlet *inlet = &channel->inlets[channel->inlet_count];
    inlet->socket = socket;
    inlet->channel = channel;
    inlet->rest = (struct agenda_entry){.fire = on_rested, .context = inlet};
    inlet->watcher = loop_fd_new(agenda_loop(channel->pinger->agenda),
                                 icmp_socket_fd(inlet->socket), on_ready, inlet);
    loop_fd_want(inlet->watcher, LOOP_READ);
    channel->inlet_count++;
    echo_numbers_add(&channel->numbers, icmp_socket_ident(inlet->socket));
}

/* Another identifier. False if there can be no more. */
static bool widen(struct channel *channel)
{
    if (!channel->inlet_count || channel->numbers.count == ECHO_IDENTS_MAX)
        return false;
    const struct icmp_socket *first = channel->inlets[0].socket;
    struct icmp_socket *another;
    if (!icmp_socket_is_raw(first)) {
        bool is_open = icmp_socket_open(channel->family, &another, NULL) == ERR_OK;
        if (is_open)
            add_inlet(channel, another);
        return is_open;
    }
    echo_numbers_add(&channel->numbers,
                     (uint16_t)(icmp_socket_ident(first) + channel->numbers.count));
    return true;
}

static struct echo_slot *claim_slot(struct channel *channel, uint32_t *number)
{
    struct echo_slot *slot = echo_numbers_claim(&channel->numbers, number);
    if (!slot && widen(channel))
        slot = echo_numbers_claim(&channel->numbers, number);
    return slot;
}

void pinger_ask(struct pinger *pinger, const struct question *question)
{
    struct channel *channel = &pinger->channels[question->target->addr.family == 6];
    uint32_t number = 0;
    struct echo_slot *slot = NULL;
    if (channel->queued < QUEUE_MAX)
        slot = claim_slot(channel, &number);
    if (!slot) {
        pinger->counters.refused++;
        struct answer answer = {.sent = clock_utc(), .outcome = OUTCOME_SELF, .stage = STAGE_SEND};
        question->answered(question->context, &answer);
        return;
    }
    struct echo *echo = mem_new(1, sizeof *echo);
    *echo = (struct echo){.channel = channel, .question = *question, .number = number};
    echo->timeout = (struct agenda_entry){.fire = on_timeout, .context = echo};
    *slot = (struct echo_slot){.echo = echo, .cookie = entropy_u64()};
    if (question->hops)
        slot->cookie = icmp_steady_cookie(
            slot->cookie, echo_numbers_ident(&channel->numbers, number), (uint16_t)number);
    enqueue(channel, echo);
    if (channel->queued >= QUEUE_FULL && !channel->is_blocked)
        flush(channel);
    else if (!agenda_has(&channel->flush))
        agenda_set_now(pinger->agenda, &channel->flush);
}

static void open_channel(struct pinger *pinger, int family, struct icmp_socket *socket)
{
    struct channel *channel = &pinger->channels[family == 6];
    *channel = (struct channel){.pinger = pinger, .family = family};
    channel->flush = (struct agenda_entry){.fire = flush, .context = channel};
    if (socket)
        add_inlet(channel, socket);
}

struct pinger *pinger_new(struct agenda *agenda, const char *user_agent,
                          struct icmp_socket *const sockets[2])
{
    struct pinger *pinger = mem_new(1, sizeof *pinger);
    pinger->agenda = agenda;
    pinger->routes = route_asker_new();
    snprintf(pinger->note, sizeof pinger->note, "an outage observatory: %s", user_agent);
    open_channel(pinger, 4, sockets[0]);
    open_channel(pinger, 6, sockets[1]);
    return pinger;
}

static void drop_echoes(struct channel *channel)
{
    struct echo_numbers *numbers = &channel->numbers;
    for (uint32_t number = 0; number < numbers->count * ECHO_SEQUENCES; number++) {
        struct echo *echo = echo_numbers_slot(numbers, number)->echo;
        if (!echo)
            continue;
        agenda_drop(channel->pinger->agenda, &echo->timeout);
        free(echo);
    }
    echo_numbers_done(numbers);
}

static void close_channel(struct channel *channel)
{
    agenda_drop(channel->pinger->agenda, &channel->flush);
    drop_echoes(channel);
    for (unsigned i = 0; i < channel->inlet_count; i++) {
        agenda_drop(channel->pinger->agenda, &channel->inlets[i].rest);
        loop_fd_free(channel->inlets[i].watcher);
        icmp_socket_close(channel->inlets[i].socket);
    }
    free(channel->queue);
}

void pinger_free(struct pinger *pinger)
{
    if (!pinger)
        return;
    close_channel(&pinger->channels[0]);
    close_channel(&pinger->channels[1]);
    route_asker_free(pinger->routes);
    free(pinger);
}

struct ping_counters pinger_counters(const struct pinger *pinger)
{
    struct ping_counters counters = pinger->counters;
    for (int i = 0; i < 2; i++) {
        const struct channel *channel = &pinger->channels[i];
        for (unsigned k = 0; k < channel->inlet_count; k++)
            counters.overflow += icmp_socket_overflow(channel->inlets[k].socket);
    }
    return counters;
}
