#include "source/probe/ping.h"

#include "base/mem.h"
#include "source/probe/judge.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/icmp_socket.h"
#include "wire/icmp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
    SLOTS = 65536,     /* sequence numbers: so many requests can be under way, for each family */
    READS_A_TURN = 16, /* batches; then others are given their time */
    READS_ALL = 1024,  /* more than any receive buffer holds */
};
#define RETRY_NS (5 * NS_PER_MS) /* when the socket takes no more for the moment */

/* One request that waits to be sent or answered. */
struct echo {
    struct channel *channel;
    struct question question;
    struct agenda_entry timeout;
    struct stopwatch watch;
    uint32_t overflow; /* of the socket, when it was sent */
    uint16_t seq;
    bool is_sent;
};

/* What was last sent with a sequence number, also after it is over: so late replies and duplicates
 * are known for what they are. */
struct slot {
    struct echo *echo; /* NULL: over */
    uint64_t cookie;
    bool is_answered;
};

/* A family. */
struct channel {
    struct pinger *pinger;
    int family;
    struct icmp_socket *socket; /* NULL: cannot be had here */
    struct loop_fd *watcher;
    struct slot *slots;
    uint16_t next_seq;
    struct echo **queue; /* to be sent at the end of the turn */
    size_t queued, capacity;
    struct agenda_entry flush;
};

struct pinger {
    struct agenda *agenda;
    struct ping_counters counters;
    struct channel channels[2]; /* IPv4, IPv6 */
};

static void finish(struct echo *echo, const struct answer *answer)
{
    struct channel *channel = echo->channel;
    struct question question = echo->question;
    struct slot *slot = &channel->slots[echo->seq];
    slot->echo = NULL;
    slot->is_answered = answer->outcome != OUTCOME_TIMEOUT && answer->outcome != OUTCOME_LATE;
    agenda_drop(channel->pinger->agenda, &echo->timeout);
    free(echo);
    question.answered(question.context, answer);
}

static void take_reply(struct channel *channel, const struct icmp_arrival *arrival,
                       const struct icmp_message *message)
{
    struct ping_counters *counters = &channel->pinger->counters;
    struct slot *slot = &channel->slots[message->echo.seq];
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
    struct answer answer = {
        .sent = echo->watch.sent,
        .rtt_ns = stopwatch_rtt_ns(&echo->watch, arrival->received),
        .value = arrival->ttl,
        .peer = arrival->from,
        .outcome = OUTCOME_OK,
        .stage = STAGE_DONE,
    };
    if (answer.rtt_ns > echo->question.timeout_ns) {
        counters->late++; /* its time-out is about to be judged */
        return;
    }
    finish(echo, &answer);
}

static void take_error(struct channel *channel, const struct icmp_arrival *arrival,
                       const struct icmp_message *message)
{
    struct ping_counters *counters = &channel->pinger->counters;
    struct slot *slot = &channel->slots[message->echo.seq];
    struct echo *echo = slot->echo;
    if (!echo || !echo->is_sent || (message->has_cookie && slot->cookie != message->echo.cookie) ||
        addr_compare(&message->target, &echo->question.target->addr) != 0) {
        counters->foreign++;
        return;
    }
    struct answer answer = {
        .sent = echo->watch.sent,
        .rtt_ns = stopwatch_rtt_ns(&echo->watch, arrival->received),
        .stage = STAGE_REPLY,
    };
    struct net_icmp_fault fault = {
        .from = arrival->from,
        .family = (uint8_t)channel->family,
        .type = message->type,
        .code = message->code,
    };
    judge_icmp(&answer, &echo->question.target->addr, &fault);
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
    if (r.bad)
        channel->pinger->counters.bad++;
    else if (message.what == ICMP_OTHER || message.echo.ident != icmp_socket_ident(channel->socket))
        channel->pinger->counters.foreign++;
    else if (message.what == ICMP_REPLY)
        take_reply(channel, arrival, &message);
    else
        take_error(channel, arrival, &message);
}

static void receive(struct channel *channel, int batches)
{
    for (int i = 0; i < batches; i++) {
        struct icmp_arrival arrivals[ICMP_BATCH];
        size_t n = icmp_socket_receive(channel->socket, arrivals);
        for (size_t k = 0; k < n; k++)
            take(channel, &arrivals[k]);
        if (!n)
            break;
    }
}

static void on_ready(void *context, int events)
{
    (void)events;
    receive(context, READS_A_TURN);
}

/* What lies in the socket is read first: the loop may be late, and the kernel's time stamps tell.
 */
static void on_timeout(void *context)
{
    struct echo *echo = context;
    struct channel *channel = echo->channel;
    struct slot *slot = &channel->slots[echo->seq];
    uint64_t cookie = slot->cookie;
    receive(channel, READS_ALL);
    if (slot->echo != echo || slot->cookie != cookie)
        return;
    struct answer answer = {
        .sent = echo->watch.sent,
        .outcome = judge_silence(&echo->question.target->addr, &echo->watch),
        .stage = STAGE_REPLY,
    };
    if (icmp_socket_overflow(channel->socket) != echo->overflow)
        answer.outcome = OUTCOME_LATE;
    finish(echo, &answer);
}

static void refuse(struct echo *echo)
{
    echo->channel->pinger->counters.refused++;
    stopwatch_start(&echo->watch);
    finish(echo, &(struct answer){
                     .sent = echo->watch.sent, .outcome = OUTCOME_SELF, .stage = STAGE_SEND});
}

static void make_packet(const struct echo *echo, uint8_t bytes[ICMP_ECHO_SIZE],
                        struct icmp_outgoing *out)
{
    const struct channel *channel = echo->channel;
    struct icmp_echo request = {
        .ident = icmp_socket_ident(channel->socket),
        .seq = echo->seq,
        .cookie = channel->slots[echo->seq].cookie,
    };
    icmp_write_echo(channel->family, &request, bytes);
    *out = (struct icmp_outgoing){echo->question.target->addr, bytes, ICMP_ECHO_SIZE};
}

/* Sends up to a batch from `echoes`; returns how many the kernel took. */
static size_t send_batch(struct channel *channel, struct echo **echoes, size_t n, int *error)
{
    uint8_t bytes[ICMP_BATCH][ICMP_ECHO_SIZE];
    struct icmp_outgoing packets[ICMP_BATCH];
    n = n < ICMP_BATCH ? n : ICMP_BATCH;
    uint32_t overflow = icmp_socket_overflow(channel->socket);
    for (size_t i = 0; i < n; i++) {
        make_packet(echoes[i], bytes[i], &packets[i]);
        echoes[i]->overflow = overflow;
        stopwatch_start(&echoes[i]->watch);
    }
    size_t sent = icmp_socket_send(channel->socket, packets, n, error);
    for (size_t i = 0; i < sent; i++) {
        struct echo *echo = echoes[i];
        echo->is_sent = true;
        agenda_set(channel->pinger->agenda, &echo->timeout,
                   (struct mono){echo->watch.started.ns + echo->question.timeout_ns});
    }
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
        receive(channel, READS_ALL);
        if (send_batch(channel, &echo, 1, &error) == 1)
            return false;
    }
    return true;
}

static void flush(void *context)
{
    struct channel *channel = context;
    struct agenda *agenda = channel->pinger->agenda;
    struct echo **queue = channel->queue;
    size_t n = channel->queued, at = 0;
    channel->queue = NULL; /* answers may make others ask again */
    channel->queued = channel->capacity = 0;
    while (at < n) {
        int error;
        size_t sent = send_batch(channel, queue + at, n - at, &error);
        at += sent;
        if (sent) { /* answers from nearby may be there already: keep room for those to come */
            receive(channel, 1);
            continue;
        }
        if (error == EAGAIN)
            break;
        if (is_refused(channel, queue[at]))
            refuse(queue[at]);
        at++;
    }
    for (; at < n; at++) {
        channel->queue = mem_grow(channel->queue, &channel->capacity, channel->queued + 1,
                                  sizeof *channel->queue);
        channel->queue[channel->queued++] = queue[at];
    }
    if (channel->queued)
        agenda_set(agenda, &channel->flush, (struct mono){clock_mono().ns + RETRY_NS});
    free(queue);
}

/* The next sequence number that is not under way, or NULL if all are. */
static struct slot *claim_slot(struct channel *channel, uint16_t *seq)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        *seq = channel->next_seq++;
        if (!channel->slots[*seq].echo)
            return &channel->slots[*seq];
    }
    return NULL;
}

void pinger_ask(struct pinger *pinger, const struct question *question)
{
    struct channel *channel = &pinger->channels[question->target->addr.family == 6];
    uint16_t seq = 0;
    struct slot *slot = channel->socket ? claim_slot(channel, &seq) : NULL;
    if (!slot) {
        pinger->counters.refused++;
        struct answer answer = {.sent = clock_utc(), .outcome = OUTCOME_SELF, .stage = STAGE_SEND};
        question->answered(question->context, &answer);
        return;
    }
    struct echo *echo = mem_new(1, sizeof *echo);
    *echo = (struct echo){.channel = channel, .question = *question, .seq = seq};
    echo->timeout = (struct agenda_entry){.fire = on_timeout, .context = echo};
    *slot = (struct slot){.echo = echo, .cookie = entropy_u64()};
    channel->queue =
        mem_grow(channel->queue, &channel->capacity, channel->queued + 1, sizeof *channel->queue);
    channel->queue[channel->queued++] = echo;
    if (!agenda_has(&channel->flush))
        agenda_set_now(pinger->agenda, &channel->flush);
}

static enum err open_channel(struct pinger *pinger, int family, struct why *why)
{
    struct channel *channel = &pinger->channels[family == 6];
    *channel = (struct channel){.pinger = pinger, .family = family};
    channel->flush = (struct agenda_entry){.fire = flush, .context = channel};
    enum err err = icmp_socket_open(family, &channel->socket, why);
    if (err)
        return err;
    channel->slots = mem_new(SLOTS, sizeof *channel->slots);
    channel->watcher = loop_fd_new(agenda_loop(pinger->agenda), icmp_socket_fd(channel->socket),
                                   on_ready, channel);
    loop_fd_want(channel->watcher, LOOP_READ);
    return ERR_OK;
}

struct pinger *pinger_new(struct agenda *agenda, struct why *why)
{
    struct pinger *pinger = mem_new(1, sizeof *pinger);
    pinger->agenda = agenda;
    struct why why6;
    enum err failed = open_channel(pinger, 4, why);
    /* A machine that just has no IPv6 is nothing to complain about. */
    if (open_channel(pinger, 6, &why6) == ERR_DENIED && !failed && why)
        *why = why6;
    return pinger;
}

static void close_channel(struct channel *channel)
{
    struct agenda *agenda = channel->pinger->agenda;
    agenda_drop(agenda, &channel->flush);
    for (unsigned i = 0; channel->slots && i < SLOTS; i++)
        if (channel->slots[i].echo) {
            agenda_drop(agenda, &channel->slots[i].echo->timeout);
            free(channel->slots[i].echo);
        }
    loop_fd_free(channel->watcher);
    icmp_socket_close(channel->socket);
    free(channel->slots);
    free(channel->queue);
}

void pinger_free(struct pinger *pinger)
{
    if (!pinger)
        return;
    close_channel(&pinger->channels[0]);
    close_channel(&pinger->channels[1]);
    free(pinger);
}

struct ping_counters pinger_counters(const struct pinger *pinger)
{
    struct ping_counters counters = pinger->counters;
    for (int i = 0; i < 2; i++)
        if (pinger->channels[i].socket)
            counters.overflow += icmp_socket_overflow(pinger->channels[i].socket);
    return counters;
}
