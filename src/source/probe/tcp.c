#include "source/probe/tcp.h"

#include "base/mem.h"
#include "source/probe/judge.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct attempt {
    struct attempt *next, **link; /* in the engine's list */
    struct tcp_engine *engine;
    struct question question;
    struct stopwatch watch;
    struct agenda_entry timeout;
    struct loop_fd *watcher;
    enum net_kind kind;
    int fd;
};

struct tcp_engine {
    struct agenda *agenda;
    struct attempt *attempts;
};

struct tcp_engine *tcp_new(struct agenda *agenda)
{
    struct tcp_engine *engine = mem_new(1, sizeof *engine);
    engine->agenda = agenda;
    return engine;
}

static void close_attempt(struct attempt *attempt)
{
    agenda_drop(attempt->engine->agenda, &attempt->timeout);
    loop_fd_free(attempt->watcher);
    close(attempt->fd);
    *attempt->link = attempt->next;
    if (attempt->next)
        attempt->next->link = attempt->link;
    free(attempt);
}

static void finish(struct attempt *attempt, const struct answer *answer)
{
    struct question question = attempt->question;
    close_attempt(attempt);
    question.answered(question.context, answer);
}

/* A connection is an answer, and so is any datagram that comes. */
static bool is_answered(const struct attempt *attempt)
{
    char byte = 0;
    int error;
    if (attempt->kind == NET_UDP)
        return net_receive(attempt->fd, &byte, sizeof byte, NULL, &error) >= 0;
    return net_is_connected(attempt->fd);
}

/* True if the attempt was over, one way or the other. */
static bool look(struct attempt *attempt)
{
    const struct addr *to = &attempt->question.target->addr;
    struct answer answer = {.sent = attempt->watch.sent, .stage = STAGE_CONNECT};
    int error = net_error(attempt->fd);
    if (error) {
        judge_socket(&answer, to, attempt->fd, error);
    } else if (is_answered(attempt)) {
        answer.outcome = OUTCOME_OK;
        answer.stage = STAGE_DONE;
        answer.peer = *to;
    } else {
        return false;
    }
    int64_t elapsed_ns = stopwatch_elapsed_ns(&attempt->watch);
    if (agenda_vouches(attempt->engine->agenda, attempt->watch.started, elapsed_ns))
        answer.rtt_ns = elapsed_ns;
    finish(attempt, &answer);
    return true;
}

static void on_ready(void *context, int events)
{
    (void)events;
    look(context);
}

/* The kernel may know more than the loop has told us yet: it is asked first. */
static void on_timeout(void *context)
{
    struct attempt *attempt = context;
    if (look(attempt))
        return;
    struct answer answer = {
        .sent = attempt->watch.sent,
        .outcome = judge_silence(&attempt->question.target->addr, &attempt->watch),
        .stage = STAGE_CONNECT,
    };
    finish(attempt, &answer);
}

static void fail(const struct question *question, const struct stopwatch *watch, int error)
{
    struct answer answer = {.sent = watch->sent, .stage = STAGE_CONNECT};
    judge_unconnected(&answer, &question->target->addr, error);
    if (answer.outcome != OUTCOME_SELF)
        answer.rtt_ns = stopwatch_elapsed_ns(watch);
    question->answered(question->context, &answer);
}

static void await(struct tcp_engine *engine, const struct question *question, enum net_kind kind,
                  const struct stopwatch *watch, int fd)
{
    struct attempt *attempt = mem_new(1, sizeof *attempt);
    *attempt = (struct attempt){
        .next = engine->attempts,
        .link = &engine->attempts,
        .engine = engine,
        .question = *question,
        .watch = *watch,
        .timeout = {.fire = on_timeout, .context = attempt},
        .kind = kind,
        .fd = fd,
    };
    if (attempt->next)
        attempt->next->link = &attempt->next;
    engine->attempts = attempt;
    attempt->watcher = loop_fd_new(agenda_loop(engine->agenda), fd, on_ready, attempt);
    loop_fd_want(attempt->watcher, kind == NET_UDP ? LOOP_READ : LOOP_WRITE);
    agenda_set(engine->agenda, &attempt->timeout,
               (struct mono){watch->started.ns + question->timeout_ns});
}

static int connect_to(const struct question *question, enum net_kind kind, int *error)
{
    const struct net_way way = {.own_port = question->own_port, .hops = question->hops};
    return net_connect_by(kind, &question->target->addr, question->target->port, &way, error);
}

void tcp_ask(struct tcp_engine *engine, const struct question *question)
{
    struct stopwatch watch;
    int error;
    stopwatch_start(&watch);
    int fd = connect_to(question, NET_TCP, &error);
    if (fd < 0)
        fail(question, &watch, error);
    else
        await(engine, question, NET_TCP, &watch, fd);
}

/* An error of the socket itself is looked at when it is ready: a router may have said why. */
void tcp_ask_by_udp(struct tcp_engine *engine, const struct question *question, const char *text)
{
    struct stopwatch watch;
    int error;
    stopwatch_start(&watch);
    int fd = connect_to(question, NET_UDP, &error);
    if (fd < 0) {
        fail(question, &watch, error);
        return;
    }
    net_send(fd, text, strlen(text), &error);
    await(engine, question, NET_UDP, &watch, fd);
}

void tcp_free(struct tcp_engine *engine)
{
    if (!engine)
        return;
    while (engine->attempts)
        close_attempt(engine->attempts);
    free(engine);
}
