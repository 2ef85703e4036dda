#include "source/probe/tcp.h"

#include "base/mem.h"
#include "source/probe/judge.h"
#include "sys/clock.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A host that refuses is pinged for its TTL no more often, and the answer waited for no longer. */
#define PING_EVERY_NS NS_PER_HOUR
#define PING_TIMEOUT_NS NS_PER_S
enum { NS_PER_US = 1000 };

struct attempt {
    struct attempt *next, **link; /* in the engine's list */
    struct tcp_engine *engine;
    struct question question;
    struct stopwatch watch;
    struct agenda_entry timeout;
    struct loop_fd *watcher;
    enum net_kind kind;
    int fd; /* -1: closed, while the host is pinged */
    struct connection connection;
    struct answer answer; /* that waits for the ping */
    struct target host;   /* that is pinged */
};

/* What is remembered of a target. */
struct tcp_memory {
    struct mono pinged; /* 0: never */
};

struct tcp_engine {
    struct agenda *agenda;
    struct pinger *pinger;
    struct reset_watch *resets;
    struct attempt *attempts;
};

struct tcp_engine *tcp_new(struct agenda *agenda, struct pinger *pinger, struct reset_watch *resets)
{
    struct tcp_engine *engine = mem_new(1, sizeof *engine);
    *engine = (struct tcp_engine){.agenda = agenda, .pinger = pinger, .resets = resets};
    return engine;
}

static void close_attempt(struct attempt *attempt)
{
    agenda_drop(attempt->engine->agenda, &attempt->timeout);
    loop_fd_free(attempt->watcher);
    if (attempt->fd >= 0)
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

static void finish_reset(struct attempt *attempt)
{
    struct answer answer = attempt->answer;
    reset_watch_tell(attempt->engine->resets, &attempt->connection, attempt->question.account,
                     stopwatch_elapsed_ns(&attempt->watch));
    finish(attempt, &answer);
}

static void on_pinged(void *context, const struct answer *answer)
{
    struct attempt *attempt = context;
    if (answer->outcome == OUTCOME_OK)
        reset_watch_note(attempt->engine->resets, &answer->peer, (int)answer->value);
    finish_reset(attempt);
}

/* True if it is time to ping the host again for its TTL; then it is taken to be done. */
static bool may_ping(const struct question *question)
{
    struct probe_memory *memory = question->memory;
    struct mono now = clock_mono();
    if (!memory)
        return false;
    if (!memory->state)
        *memory = (struct probe_memory){mem_new(1, sizeof(struct tcp_memory)), free};
    struct tcp_memory *mine = memory->state;
    if (mine->pinged.ns && mono_diff(now, mine->pinged) < PING_EVERY_NS)
        return false;
    mine->pinged = now;
    return true;
}

static void ping_host(struct attempt *attempt)
{
    const struct question *asked = &attempt->question;
    attempt->host = (struct target){.kind = TARGET_ICMP, .addr = attempt->connection.peer};
    struct question question = {
        .target = &attempt->host,
        .text = asked->text,
        .due = clock_mono(),
        .timeout_ns = asked->timeout_ns < PING_TIMEOUT_NS ? asked->timeout_ns : PING_TIMEOUT_NS,
        .answered = on_pinged,
        .context = attempt,
    };
    account_say(asked->account, stopwatch_elapsed_ns(&attempt->watch),
                "< RST; > ICMP echo request, to see with which TTL the host answers");
    pinger_ask(attempt->engine->pinger, &question);
}

/* The answer is known; what is told of it may have to wait for a ping. */
static void refused(struct attempt *attempt, const struct answer *answer)
{
    struct reset_watch *resets = attempt->engine->resets;
    attempt->answer = *answer;
    agenda_drop(attempt->engine->agenda, &attempt->timeout);
    loop_fd_free(attempt->watcher);
    close(attempt->fd);
    attempt->watcher = NULL;
    attempt->fd = -1;
    bool is_alone = reset_watch_reset(resets, &attempt->connection) &&
                    !reset_watch_host(resets, &attempt->connection.peer);
    if (!is_alone || !may_ping(&attempt->question))
        finish_reset(attempt);
    else
        ping_host(attempt);
}

/* The connection stands: what the kernel knows of the way there. */
static void tell_accepted(const struct attempt *attempt)
{
    struct account *account = attempt->question.account;
    struct net_tcp_info info = net_tcp_info(attempt->fd);
    uint8_t ttl = reset_watch_accept(attempt->engine->resets, &attempt->connection);
    int64_t elapsed_ns = stopwatch_elapsed_ns(&attempt->watch);
    reset_watch_note(attempt->engine->resets, &attempt->connection.peer, ttl);
    account_reached(account, STAGE_CONNECT, elapsed_ns);
    if (ttl)
        account_number(account, FACT_HOST_TTL, ttl);
    account_number(account, FACT_HANDSHAKE_RTT, info.rtt_ns / NS_PER_US);
    account_number(account, FACT_SYN_RETRANSMITS, info.retransmits);
    if (ttl)
        account_say(account, elapsed_ns, "< SYN+ACK with TTL %u; the kernel took %.3f ms", ttl,
                    (double)info.rtt_ns / NS_PER_MS);
    else
        account_say(account, elapsed_ns, "< SYN+ACK; the kernel took %.3f ms",
                    (double)info.rtt_ns / NS_PER_MS);
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
    if (answer.outcome == OUTCOME_OK && attempt->kind == NET_TCP)
        tell_accepted(attempt);
    bool is_reset = answer.outcome == OUTCOME_REFUSED || answer.outcome == OUTCOME_RESET;
    if (is_reset && attempt->kind == NET_TCP)
        refused(attempt, &answer);
    else
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
    unsigned again = net_tcp_info(attempt->fd).retransmits;
    account_number(attempt->question.account, FACT_SYN_RETRANSMITS, again);
    account_say(attempt->question.account, stopwatch_elapsed_ns(&attempt->watch),
                "* no answer; the SYN was sent %u more time%s", again, again == 1 ? "" : "s");
    finish(attempt, &answer);
}

static void tell_begun(const struct attempt *attempt)
{
    char text[ADDR_TEXT_MAX];
    if (account_wants_steps(attempt->question.account))
        account_say(attempt->question.account, 0, "> SYN to %s port %u, from port %u",
                    addr_format(&attempt->connection.peer, text), attempt->connection.peer_port,
                    attempt->connection.own_port);
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
        .connection = {question->target->addr, question->target->port, net_port(fd)},
    };
    if (attempt->next)
        attempt->next->link = &attempt->next;
    engine->attempts = attempt;
    attempt->watcher = loop_fd_new(agenda_loop(engine->agenda), fd, on_ready, attempt);
    loop_fd_want(attempt->watcher, kind == NET_UDP ? LOOP_READ : LOOP_WRITE);
    tell_begun(attempt);
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
