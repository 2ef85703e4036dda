#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "probe_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void keep(void *context, const struct observation *observation)
{
    struct fixture *fixture = context;
    if (fixture->count < FIXTURE_RESULTS)
        fixture->results[fixture->count++] = *observation;
    if (fixture->count >= fixture->wanted)
        loop_stop(fixture->loop);
}

static void give_up(void *context)
{
    struct fixture *fixture = context;
    fixture->is_overdue = true;
    loop_stop(fixture->loop);
}

static void note(void *context, const struct observation *result, const struct account *account)
{
    struct fixture *fixture = context;
    (void)result;
    buffer_clear(&fixture->facts);
    buffer_clear(&fixture->steps);
    buffer_puts(&fixture->steps, account_steps(account));
    buffer_puts(&fixture->facts, "{");
    for (enum fact fact = 0; fact < FACT_COUNT; fact++) {
        if (!account_has(account, fact))
            continue;
        buffer_printf(&fixture->facts, "%s\"%s\":", fixture->facts.size > 1 ? "," : "",
                      fact_name(fact));
        account_fact_json(account, fact, &fixture->facts);
    }
    buffer_puts(&fixture->facts, "}");
}

static void start(struct fixture *fixture, const struct prober_options *options)
{
    *fixture = (struct fixture){.loop = loop_new(), .registry = registry_new()};
    fixture->guard = loop_timer_new(fixture->loop, give_up, fixture);
    fixture->sink = (struct sink){fixture->registry, keep, fixture};
    fixture->prober = prober_new(fixture->loop, options, &fixture->sink, &fixture->why);
}

void fixture_start(struct fixture *fixture)
{
    start(fixture, &(struct prober_options){.vantage = "test", .seed = 7, .at_once = true});
}

void fixture_start_phased(struct fixture *fixture)
{
    start(fixture, &(struct prober_options){.vantage = "test", .seed = 7});
}

void fixture_start_told(struct fixture *fixture)
{
    start(
        fixture,
        &(struct prober_options){
            .vantage = "test", .seed = 7, .at_once = true, .tell = note, .tell_context = fixture});
}

void fixture_stop(struct fixture *fixture)
{
    buffer_done(&fixture->facts);
    buffer_done(&fixture->steps);
    prober_free(fixture->prober);
    loop_free(fixture->loop);
    registry_free(fixture->registry);
}

void fixture_wait(struct fixture *fixture, size_t wanted)
{
    fixture->wanted = wanted;
    fixture->is_overdue = false;
    loop_timer_start(fixture->guard, 10 * NS_PER_S, 0);
    while (fixture->count < wanted && !fixture->is_overdue)
        loop_run(fixture->loop);
    loop_timer_stop(fixture->guard);
    assert_false(fixture->is_overdue);
}

struct observation fixture_ask(struct fixture *fixture, const char *target, int64_t timeout_ns,
                               int expect_status)
{
    struct probe_plan plan = {.target = target,
                              .interval_ns = NS_PER_MINUTE,
                              .timeout_ns = timeout_ns,
                              .count = 1,
                              .expect_status = expect_status};
    return fixture_ask_plan(fixture, &plan);
}

struct observation fixture_ask_plan(struct fixture *fixture, const struct probe_plan *plan)
{
    struct why why;
    struct observation result;
    assert_true(plan->timeout_ns <= plan->interval_ns);
    do {
        fixture->count = 0;
        if (prober_set_plan(fixture->prober, plan, 1, &why))
            fail_msg("%s", why.text);
        fixture_wait(fixture, 1);
        result = fixture->results[0];
        assert_string_equal(registry_text(fixture->registry, result.target), plan->target);
        assert_int_equal(prober_set_plan(fixture->prober, NULL, 0, &why), ERR_OK);
    } while (result.outcome == OUTCOME_LATE);
    return result;
}

const char *fixture_peer(const struct fixture *fixture, const struct observation *result)
{
    return registry_text(fixture->registry, result->peer);
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in own;
    socklen_t length = sizeof own;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &length), 0);
    return ntohs(own.sin_port);
}

static void serve_one(struct server *server)
{
    int fd = server->fd;
    server->served++;
    if (server->is_udp) {
        server->serve(server, fd);
        return;
    }
    fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (server->serve(server, fd) && server->kept_count < FIXTURE_CLIENTS)
        server->kept[server->kept_count++] = fd;
}

static void *serve_all(void *context)
{
    struct server *server = context;
    for (;;) {
        struct pollfd fds[] = {{.fd = server->fd, .events = POLLIN},
                               {.fd = server->stop[0], .events = POLLIN}};
        poll(fds, 2, -1);
        if (fds[1].revents)
            return NULL;
        serve_one(server);
    }
}

static void start_thread(struct server *server)
{
    pthread_t thread;
    assert_int_equal(pipe(server->stop), 0);
    assert_int_equal(pthread_create(&thread, NULL, serve_all, server), 0);
    server->thread = thread;
}

void server_start(struct server *server, bool is_udp, uint16_t port,
                  bool (*serve)(struct server *server, int fd), void *context)
{
    *server = (struct server){.is_udp = is_udp, .serve = serve, .context = context};
    struct sockaddr_in own = loopback(port);
    int on = 1;
    server->fd = socket(AF_INET, (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    assert_true(server->fd >= 0);
    setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&own, sizeof own), 0);
    if (!is_udp)
        assert_int_equal(listen(server->fd, 64), 0);
    server->port = port_of(server->fd);
    start_thread(server);
}

void server_adopt(struct server *server, int fd, bool (*serve)(struct server *server, int fd),
                  void *context)
{
    *server = (struct server){.fd = fd, .is_udp = true, .serve = serve, .context = context};
    start_thread(server);
}

void server_stop(struct server *server)
{
    assert_int_equal(write(server->stop[1], "x", 1), 1);
    pthread_join((pthread_t)server->thread, NULL);
    for (int i = 0; i < server->kept_count; i++)
        close(server->kept[i]);
    close(server->fd);
    close(server->stop[0]);
    close(server->stop[1]);
}

uint16_t unused_port(void)
{
    struct sockaddr_in own = loopback(0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    uint16_t port = port_of(fd);
    close(fd);
    return port;
}

void read_request(int fd)
{
    char bytes[4096];
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    if (poll(&readable, 1, 1000) == 1 && read(fd, bytes, sizeof bytes) < 0)
        return;
}

void write_text(int fd, const char *text)
{
    send(fd, text, strlen(text), MSG_NOSIGNAL);
}
