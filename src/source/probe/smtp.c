#include "source/probe/smtp.h"

#include "base/mem.h"
#include "source/probe/judge.h"
#include "source/probe/smtp_reply.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COMMAND_MAX = 128, READ_AT_ONCE = 2048, READS_A_TURN = 8 };
enum { PORT_OF_TLS = 465 };
/* A server that has told all need not be waited for when we say good-bye. */
#define FAREWELL_NS NS_PER_S

/* What is being waited for. */
enum step { LOOK_UP, CONNECT, HANDSHAKE, BANNER, EHLO, STARTTLS, QUIT };

struct session {
    struct session *next, **link; /* in the engine's list */
    struct smtp_engine *engine;
    struct question question;
    struct stopwatch watch;
    struct agenda_entry timeout;
    struct lookup *lookup;
    struct loop_fd *watcher;
    int fd; /* -1: none */
    struct addr server;
    uint16_t own_port; /* of the connection */
    enum step step;
    SSL_CTX *context;
    SSL *ssl; /* NULL: in the clear */
    struct tls_watch tls;
    struct smtp_reply reply;
    bool offers_tls;
    size_t received;
    char command[COMMAND_MAX]; /* that is being sent */
    size_t command_size, sent;
    struct answer answer; /* once all is known, and only QUIT is left */
};

struct smtp_engine {
    struct agenda *agenda;
    struct resolver *resolver;
    const struct tls_store *store;
    struct reset_watch *resets;
    struct session *sessions;
};

struct smtp_engine *smtp_new(struct agenda *agenda, struct resolver *resolver,
                             const struct tls_store *store, struct reset_watch *resets)
{
    struct smtp_engine *engine = mem_new(1, sizeof *engine);
    *engine = (struct smtp_engine){agenda, resolver, store, resets, NULL};
    return engine;
}

static void close_session(struct session *session)
{
    agenda_drop(session->engine->agenda, &session->timeout);
    lookup_abandon(session->lookup);
    loop_fd_free(session->watcher);
    SSL_free(session->ssl);
    SSL_CTX_free(session->context);
    if (session->fd >= 0)
        close(session->fd);
    *session->link = session->next;
    if (session->next)
        session->next->link = session->link;
    free(session);
}

void smtp_free(struct smtp_engine *engine)
{
    if (!engine)
        return;
    while (engine->sessions)
        close_session(engine->sessions);
    free(engine);
}

/* ---- the end ---- */

static enum stage stage_of(const struct session *session)
{
    static const enum stage stages[] = {
        [LOOK_UP] = STAGE_RESOLVE, [CONNECT] = STAGE_CONNECT, [HANDSHAKE] = STAGE_TLS,
        [BANNER] = STAGE_REPLY,    [EHLO] = STAGE_REPLY,      [STARTTLS] = STAGE_REPLY,
        [QUIT] = STAGE_DONE};
    return stages[session->step];
}

static int64_t passed_ns(const struct session *session)
{
    return stopwatch_elapsed_ns(&session->watch);
}

/* How long it took, as far as that was not our doing. */
static int64_t own_ns(const struct session *session)
{
    int64_t elapsed_ns = passed_ns(session);
    struct agenda *agenda = session->engine->agenda;
    return agenda_vouches(agenda, session->watch.started, elapsed_ns) ? elapsed_ns : 0;
}

static void finish(struct session *session, struct answer answer)
{
    struct question question = session->question;
    answer.sent = session->watch.sent;
    answer.value = session->tls.not_after;
    close_session(session);
    question.answered(question.context, &answer);
}

/* Once QUIT is said, nothing that happens matters any more. Else true: the session is over. */
static bool end(struct session *session, struct answer answer)
{
    bool is_silent =
        answer.outcome == OUTCOME_TIMEOUT || outcome_class(answer.outcome) == OUTCOME_CLASS_OURS;
    if (session->step == QUIT) {
        finish(session, session->answer);
        return true;
    }
    answer.stage = stage_of(session);
    if (!is_silent)
        answer.rtt_ns = own_ns(session);
    if (answer.outcome == OUTCOME_SELF)
        answer.peer = (struct addr){0};
    finish(session, answer);
    return true;
}

static bool end_with(struct session *session, enum outcome outcome)
{
    return end(
        session,
        (struct answer){.outcome = outcome, .peer = session->server, .code = session->reply.code});
}

static bool end_broken(struct session *session, int error)
{
    struct answer answer = {0};
    judge_socket(&answer, &session->server, session->fd, error);
    if (answer.outcome == OUTCOME_REFUSED || answer.outcome == OUTCOME_RESET)
        reset_watch_tell(session->engine->resets,
                         &(struct connection){session->server, session->question.target->port,
                                              session->own_port},
                         session->question.account, passed_ns(session));
    return end(session, answer);
}

/* ---- saying something; each returns true if the session is over ---- */

static bool flush(struct session *session)
{
    while (session->sent < session->command_size) {
        const char *bytes = session->command + session->sent;
        size_t n = session->command_size - session->sent;
        int error = 0;
        long sent = 0;
        if (session->ssl) {
            ERR_clear_error();
            sent = SSL_write(session->ssl, bytes, (int)n);
            if (sent <= 0 && SSL_get_error(session->ssl, (int)sent) != SSL_ERROR_WANT_WRITE)
                return end_with(session, OUTCOME_CLOSED);
            error = EAGAIN;
        } else {
            sent = net_send(session->fd, bytes, n, &error);
        }
        if (sent <= 0 && error != EAGAIN)
            return end_broken(session, error);
        if (sent <= 0)
            break;
        session->sent += (size_t)sent;
    }
    bool is_all = session->sent == session->command_size;
    loop_fd_want(session->watcher, is_all ? LOOP_READ : LOOP_READ | LOOP_WRITE);
    return false;
}

static bool say(struct session *session, enum step step, const char *command)
{
    account_say(session->question.account, passed_ns(session), "> %s", command);
    int n = snprintf(session->command, sizeof session->command, "%s\r\n", command);
    session->command_size = (size_t)n;
    session->sent = 0;
    session->step = step;
    smtp_reply_begin(&session->reply);
    return flush(session);
}

/* RFC 5321, 4.1.4: a client without a name gives its address. */
static bool say_ehlo(struct session *session)
{
    char line[COMMAND_MAX - 2], text[ADDR_TEXT_MAX];
    struct addr own = net_own_addr(session->fd);
    snprintf(line, sizeof line, "EHLO [%s%s]", own.family == 6 ? "IPv6:" : "",
             addr_format(&own, text));
    return say(session, EHLO, line);
}

/* All that we wanted to know is known. */
static bool say_goodbye(struct session *session)
{
    session->answer = (struct answer){.outcome = OUTCOME_OK,
                                      .stage = STAGE_DONE,
                                      .rtt_ns = own_ns(session),
                                      .peer = session->server,
                                      .code = session->reply.code};
    account_reached(session->question.account, STAGE_REPLY, passed_ns(session));
    struct mono end_of_all = session->timeout.at.due;
    struct mono soon = {session->watch.started.ns + passed_ns(session) + FAREWELL_NS};
    agenda_set(session->engine->agenda, &session->timeout,
               soon.ns < end_of_all.ns ? soon : end_of_all);
    return say(session, QUIT, "QUIT");
}

/* ---- TLS ---- */

static bool shake_hands(struct session *session)
{
    ERR_clear_error();
    int done = SSL_connect(session->ssl);
    if (done == 1) {
        account_say(session->question.account, passed_ns(session), "* TLS stands: %s, %s",
                    SSL_get_version(session->ssl), SSL_get_cipher_name(session->ssl));
        account_reached(session->question.account, STAGE_TLS, passed_ns(session));
        if (session->question.target->port != PORT_OF_TLS)
            return say_ehlo(session);
        session->step = BANNER;
        loop_fd_want(session->watcher, LOOP_READ);
        return false;
    }
    int why = SSL_get_error(session->ssl, done);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        loop_fd_want(session->watcher, why == SSL_ERROR_WANT_READ ? LOOP_READ : LOOP_WRITE);
        return false;
    }
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    account_say(session->question.account, passed_ns(session), "* TLS failed: %s",
                reason ? reason : "the connection ended");
    if (why == SSL_ERROR_SYSCALL && errno)
        return end_broken(session, errno);
    return end_with(session, why == SSL_ERROR_SSL ? OUTCOME_TLS_ERROR : OUTCOME_CLOSED);
}

static void name_server(const struct session *session, SSL *ssl)
{
    const struct target *target = session->question.target;
    char host[TARGET_TEXT_MAX];
    if (target->addr.family)
        return;
    memcpy(host, session->question.text + target->host.at, target->host.n);
    host[target->host.n] = '\0';
    SSL_set_tlsext_host_name(ssl, host);
    SSL_set1_host(ssl, host);
}

static bool begin_tls(struct session *session)
{
    session->step = HANDSHAKE;
    session->context = SSL_CTX_new(TLS_client_method());
    session->tls.account = session->question.account;
    if (session->context)
        tls_watch_context(&session->tls, session->engine->store, session->context, false);
    session->ssl = session->context ? SSL_new(session->context) : NULL;
    if (!session->ssl || !SSL_set_fd(session->ssl, session->fd))
        return end_with(session, OUTCOME_SELF);
    name_server(session, session->ssl);
    return shake_hands(session);
}

/* ---- hearing something ---- */

static bool take_offer(struct session *session)
{
    struct account *account = session->question.account;
    const char *line = session->reply.line;
    if (session->step == BANNER && session->reply.lines == 1)
        account_text(account, FACT_BANNER, line, strlen(line));
    if (session->step != EHLO || session->reply.lines == 1) /* the first one greets */
        return false;
    session->offers_tls = session->offers_tls || smtp_line_offers(line, "STARTTLS");
    if (!session->ssl || session->question.target->port == PORT_OF_TLS)
        account_add(account, FACT_EXTENSIONS, line, strlen(line));
    return false;
}

/* A reply is complete. */
static bool proceed(struct session *session)
{
    enum { GOOD = 2 };
    bool is_good = session->reply.code / 100 == GOOD;
    switch (session->step) {
    case BANNER:
        if (session->reply.code != 220)
            return end_with(session, OUTCOME_SMTP_ERROR);
        return say_ehlo(session);
    case EHLO:
        if (!is_good)
            return end_with(session, OUTCOME_SMTP_ERROR);
        if (!session->ssl)
            account_number(session->question.account, FACT_IS_STARTTLS, session->offers_tls);
        if (session->offers_tls && !session->ssl)
            return say(session, STARTTLS, "STARTTLS");
        return say_goodbye(session);
    case STARTTLS:
        return is_good ? begin_tls(session) : end_with(session, OUTCOME_SMTP_ERROR);
    case QUIT:
        finish(session, session->answer);
        return true;
    case LOOK_UP:
    case CONNECT:
    case HANDSHAKE:
        break;
    }
    return false;
}

/* RFC 3207, 5: what came with the go-ahead in the clear, before TLS, was put there by somebody else. */
static bool take_bytes(struct session *session, const char *bytes, size_t n)
{
    session->received += n;
    if (session->received > SMTP_BYTES_MAX)
        return end_with(session, OUTCOME_BAD_REPLY);
    for (size_t i = 0; i < n; i++) {
        enum smtp_progress progress = smtp_reply_feed(&session->reply, bytes[i]);
        if (progress == SMTP_MORE)
            continue;
        if (progress == SMTP_BAD)
            return end_with(session, OUTCOME_BAD_REPLY);
        account_say(session->question.account, passed_ns(session), "< %u%c%s", session->reply.code,
                    progress == SMTP_OVER ? ' ' : '-', session->reply.line);
        take_offer(session);
        if (progress == SMTP_LINE)
            continue;
        if (i + 1 < n)
            return end_with(session, OUTCOME_BAD_REPLY); /* nobody had asked */
        return proceed(session);
    }
    return false;
}

/* Bytes, 0 at the end of the stream, -1 with *error. */
static long read_some(struct session *session, char bytes[READ_AT_ONCE], int *error)
{
    if (!session->ssl)
        return net_receive(session->fd, bytes, READ_AT_ONCE, NULL, error);
    ERR_clear_error();
    int n = SSL_read(session->ssl, bytes, READ_AT_ONCE);
    if (n > 0)
        return n;
    int why = SSL_get_error(session->ssl, n);
    *error = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    return why == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

static bool hear(struct session *session)
{
    for (int i = 0; i < READS_A_TURN; i++) {
        char bytes[READ_AT_ONCE];
        int error = 0;
        long n = read_some(session, bytes, &error);
        if (n < 0 && error == EAGAIN)
            return false;
        if (n < 0)
            return end_broken(session, error);
        if (n == 0)
            return end_with(session, OUTCOME_CLOSED);
        if (take_bytes(session, bytes, (size_t)n))
            return true;
        if (session->step == HANDSHAKE)
            return false;
    }
    return false;
}

static bool is_connected(struct session *session)
{
    char text[ADDR_TEXT_MAX];
    if (!net_is_connected(session->fd))
        return false;
    account_say(session->question.account, passed_ns(session), "* connected to %s, port %u",
                addr_format(&session->server, text), session->question.target->port);
    account_reached(session->question.account, STAGE_CONNECT, passed_ns(session));
    return true;
}

/* True if the session is over. */
static bool go_on(struct session *session)
{
    int error = net_error(session->fd);
    if (error)
        return end_broken(session, error);
    if (session->step == CONNECT) {
        if (!is_connected(session))
            return false;
        session->step = BANNER;
        loop_fd_want(session->watcher, LOOP_READ);
        if (session->question.target->port == PORT_OF_TLS)
            return begin_tls(session);
    }
    if (session->step == HANDSHAKE)
        return shake_hands(session);
    return (session->sent < session->command_size && flush(session)) || hear(session);
}

static void on_ready(void *context, int events)
{
    (void)events;
    go_on(context);
}

/* What the socket holds is looked at first: the loop may be late. */
static void on_timeout(void *context)
{
    struct session *session = context;
    if (session->step == LOOK_UP) { /* it is our own resolver that does not answer */
        end_with(session, OUTCOME_SELF);
        return;
    }
    enum step step = session->step;
    struct mono due = {session->watch.started.ns + session->question.timeout_ns};
    if (!go_on(session))
        end_with(session, step == QUIT ? OUTCOME_TIMEOUT
                                       : judge_silence_by(&session->server, &session->watch, due));
}

/* ---- the begin ---- */

static void begin(struct session *session)
{
    int error;
    session->step = CONNECT;
    session->fd = net_connect(NET_TCP, &session->server, session->question.target->port, &error);
    if (session->fd < 0) {
        struct answer answer = {0};
        judge_unconnected(&answer, &session->server, error);
        end(session, answer);
        return;
    }
    struct loop *loop = agenda_loop(session->engine->agenda);
    session->own_port = net_port(session->fd);
    session->watcher = loop_fd_new(loop, session->fd, on_ready, session);
    loop_fd_want(session->watcher, LOOP_WRITE);
}

static void on_looked_up(void *context, const struct lookup_result *found)
{
    struct session *session = context;
    struct lookup_result result = *found;
    session->lookup = NULL;
    judge_narrow(&result, session->question.family);
    if (!result.count) {
        end(session, (struct answer){.outcome = judge_lookup(&result)});
        return;
    }
    account_reached(session->question.account, STAGE_RESOLVE, passed_ns(session));
    session->server = result.addrs[0];
    begin(session);
}

static void look_up(struct session *session)
{
    char host[TARGET_TEXT_MAX];
    struct part part = session->question.target->host;
    memcpy(host, session->question.text + part.at, part.n);
    host[part.n] = '\0';
    struct lookup *lookup =
        resolver_look_up(session->engine->resolver, host, on_looked_up, session);
    if (lookup) /* else it is over already, and the session may be too */
        session->lookup = lookup;
}

void smtp_ask(struct smtp_engine *engine, const struct question *question)
{
    struct session *session = mem_new(1, sizeof *session);
    *session = (struct session){
        .next = engine->sessions,
        .link = &engine->sessions,
        .engine = engine,
        .question = *question,
        .timeout = {.fire = on_timeout, .context = session},
        .fd = -1,
        .server = question->address.family ? question->address : question->target->addr,
    };
    if (session->next)
        session->next->link = &session->next;
    engine->sessions = session;
    stopwatch_start(&session->watch);
    agenda_set(engine->agenda, &session->timeout,
               (struct mono){session->watch.started.ns + question->timeout_ns});
    if (session->server.family)
        begin(session);
    else
        look_up(session);
}
