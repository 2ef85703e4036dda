#include "ris_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "sys/clock.h"
#include "told.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- the service ---- */

static void write_all(int fd, const char *text, size_t n)
{
    while (n) {
        ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        text += sent;
        n -= (size_t)sent;
    }
}

static void write_chunks(int fd, const char *text, size_t piece)
{
    size_t n = strlen(text);
    char size[20];
    for (size_t at = 0; at < n; at += piece) {
        size_t length = n - at < piece ? n - at : piece;
        write_all(fd, size, (size_t)snprintf(size, sizeof size, "%zx\r\n", length));
        write_all(fd, text + at, length);
        write_all(fd, "\r\n", 2);
    }
}

static void note_request(struct world *world, int fd, struct act *act)
{
    char text[REQUEST_MAX];
    size_t n = 0;
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    while (n < sizeof text - 1 && poll(&readable, 1, 10000) == 1) {
        ssize_t got = recv(fd, text + n, sizeof text - 1 - n, 0);
        if (got <= 0)
            break;
        n += (size_t)got;
        text[n] = '\0';
        if (strstr(text, "\r\n\r\n"))
            break;
    }
    text[n] = '\0';
    pthread_mutex_lock(&world->lock);
    memcpy(world->request, text, n + 1);
    if (world->asked < sizeof world->asked_at / sizeof *world->asked_at)
        world->asked_at[world->asked] = clock_mono();
    size_t number = world->asked++;
    *act = world->acts[number < world->act_count ? number : world->act_count - 1];
    pthread_mutex_unlock(&world->lock);
}

static bool has_gone_on(struct world *world)
{
    pthread_mutex_lock(&world->lock);
    bool may_go_on = world->may_go_on;
    pthread_mutex_unlock(&world->lock);
    return may_go_on;
}

void go_on(struct world *world)
{
    pthread_mutex_lock(&world->lock);
    world->may_go_on = true;
    pthread_mutex_unlock(&world->lock);
}

static bool is_listening(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) != 0;
}

static bool serve(struct server *server, int fd)
{
    struct world *world = server->context;
    struct act act;
    note_request(world, fd, &act);
    write_text(fd, act.head ? act.head
                            : "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                              "Transfer-Encoding: chunked\r\n\r\n");
    if (act.lines && !act.head)
        write_chunks(fd, act.lines, act.piece ? act.piece : strlen(act.lines));
    while (act.more && !has_gone_on(world) && is_listening(fd)) {
        write_chunks(fd, act.more, strlen(act.more));
        poll(NULL, 0, act.pause_ms);
    }
    if (act.then)
        write_chunks(fd, act.then, strlen(act.then));
    if (act.stays)
        return true;
    struct linger at_once = {.l_onoff = 1};
    if (act.is_reset) {
        poll(NULL, 0, 50); /* what was sent before shall arrive */
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    close(fd);
    return false;
}

size_t asked(struct world *world)
{
    pthread_mutex_lock(&world->lock);
    size_t n = world->asked;
    pthread_mutex_unlock(&world->lock);
    return n;
}

/* ---- the world ---- */

static void stop_if_done(struct world *world)
{
    if (world->is_running && world->seen_count >= world->seen_awaited &&
        world->said_count >= world->said_awaited)
        loop_stop(world->loop);
}

static void see(void *context, const struct observation *observation)
{
    struct world *world = context;
    assert_true(world->seen_count < SEEN_MAX);
    world->seen[world->seen_count++] = *observation;
    stop_if_done(world);
}

static void hear_said(void *context, const char *text)
{
    struct world *world = context;
    assert_true(world->said_count < SAID_MAX);
    snprintf(world->said[world->said_count++], sizeof world->said[0], "%s", text);
    stop_if_done(world);
}

static void give_up(void *context)
{
    struct world *world = context;
    world->is_overdue = true;
    loop_stop(world->loop);
}

struct world *world_new(const struct act *acts, size_t count)
{
    struct world *world = mem_new(1, sizeof *world);
    world->loop = loop_new();
    world->registry = registry_new();
    world->guard = loop_timer_new(world->loop, give_up, world);
    pthread_mutex_init(&world->lock, NULL);
    memcpy(world->acts, acts, count * sizeof *acts);
    world->act_count = count;
    server_start(&world->server, false, 0, serve, world);
    return world;
}

const struct ris_pace fast = {.answer_ns = 2 * NS_PER_S,
                              .silence_ns = 5 * NS_PER_S,
                              .quiet_ns = 5 * NS_PER_S,
                              .watch_ns = 50 * NS_PER_MS,
                              .retry_first_ns = 20 * NS_PER_MS,
                              .retry_most_ns = 100 * NS_PER_MS,
                              .steady_ns = NS_PER_MINUTE};

void listen_at(struct world *world, const char *url, const char *host, const struct ris_pace *pace)
{
    static struct prefix prefix;
    assert_true(prefix_parse("198.51.100.0/22", 15, &prefix));
    struct watch watch = {&prefix, 1, NULL, 0};
    struct sink sink = {world->registry, see, world};
    struct why why;
    struct ris_options options = {.url = url,
                                  .hosts = &host,
                                  .host_count = host != NULL,
                                  .client = "lastlight-test",
                                  .user_agent = "lastlight/test",
                                  .watch = &watch,
                                  .say = hear_said,
                                  .context = world,
                                  .pace = *pace};
    world->live = ris_live_new(world->loop, &options, &sink, &why);
    if (!world->live)
        fail_msg("%s", why.text);
}

void listen_to(struct world *world, const char *host, const struct ris_pace *pace)
{
    char url[80];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/v1/stream/", world->server.port);
    listen_at(world, url, host, pace);
}

void world_free(struct world *world)
{
    ris_live_free(world->live);
    server_stop(&world->server);
    loop_free(world->loop);
    registry_free(world->registry);
    pthread_mutex_destroy(&world->lock);
    buffer_done(&world->lines);
    buffer_done(&world->text);
    free(world);
}

void await(struct world *world, size_t seen, size_t said)
{
    world->seen_awaited = seen;
    world->said_awaited = said;
    world->is_running = world->seen_count < seen || world->said_count < said;
    loop_timer_start(world->guard, 10 * NS_PER_S, 0);
    if (world->is_running)
        loop_run(world->loop);
    loop_timer_stop(world->guard);
    world->is_running = false;
    assert_false(world->is_overdue);
}

static void stop_loop(void *context)
{
    loop_stop(context);
}

void pass(struct world *world, int64_t ns)
{
    struct loop_timer *timer = loop_timer_new(world->loop, stop_loop, world->loop);
    loop_timer_start(timer, ns, 0);
    loop_run(world->loop);
    loop_timer_free(timer);
}

const char *told(struct world *world)
{
    size_t count = world->seen_count;
    world->seen_count = 0;
    return told_text(&world->text, world->registry, world->seen, count);
}

void expect_begin(const char *text, const char *begin)
{
    if (strncmp(text, begin, strlen(begin)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", text, begin);
}

char *speech(struct utc time, const char *host)
{
    struct buffer lines = {0};
    struct ris_about about = {.time = time, .host = host, .order = 1};
    ris_keepalive(&lines, &about);
    about.order = 2;
    ris_update(&lines, &about, "203.0.113.0/24", "65001 4837 64500", "198.51.100.0/24 10.0.0.0/24");
    return lines.bytes;
}

char *withdrawal(struct utc time)
{
    struct buffer lines = {0};
    struct ris_about about = {.time = time};
    ris_update(&lines, &about, "198.51.100.0/24", NULL, NULL);
    return lines.bytes;
}

struct utc now_ms(void)
{
    struct utc now = clock_utc();
    return (struct utc){now.ns - now.ns % NS_PER_MS};
}
