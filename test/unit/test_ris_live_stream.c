/* source/bgp/ris_live and source/http_stream: the test plays the service, over loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "model/registry.h"
#include "probe_fixture.h"
#include "ris_maker.h"
#include "source/backoff.h"
#include "source/bgp/ris_live.h"
#include "sys/clock.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

enum { SEEN_MAX = 200, SAID_MAX = 60, ACTS_MAX = 12, REQUEST_MAX = 4096 };

/* What the service does with one connection: the last act is for all that follow. */
struct act {
    const char *head;  /* NULL: 200, chunked */
    const char *lines; /* what it sends then */
    size_t piece;      /* in chunks of so many bytes; 0: one */
    const char *more;  /* sent again and again, until nobody listens */
    int times;         /* ... or so many times; 0: that does not end it */
    const char *then;  /* after that */
    int pause_ms;      /* between them */
    bool stays;        /* silent, without an end */
    bool is_reset;     /* ends so */
};

struct world {
    struct loop *loop;
    struct registry *registry;
    struct ris_live *live;
    struct loop_timer *guard;
    struct server server;
    struct act acts[ACTS_MAX];
    size_t act_count;
    pthread_mutex_t lock; /* of what follows, which the server writes */
    size_t asked;
    struct mono asked_at[ACTS_MAX * 4];
    char request[REQUEST_MAX]; /* the last */
    /* The loop's own. */
    struct observation seen[SEEN_MAX];
    char said[SAID_MAX][500];
    size_t seen_count, said_count, seen_awaited, said_awaited;
    bool is_running, is_overdue;
    struct buffer lines, text;
};

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
    while (n < sizeof text - 1 && poll(&readable, 1, 1000) == 1) {
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
    for (int i = 0; act.more && i < (act.times ? act.times : 10000) && is_listening(fd); i++) {
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

static size_t asked(struct world *world)
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

static struct world *world_new(const struct act *acts, size_t count)
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

/* Fast, for nobody wants to wait. */
static const struct ris_pace fast = {.answer_ns = 2 * NS_PER_S,
                                     .silence_ns = 5 * NS_PER_S,
                                     .quiet_ns = 5 * NS_PER_S,
                                     .watch_ns = 50 * NS_PER_MS,
                                     .retry_first_ns = 20 * NS_PER_MS,
                                     .retry_most_ns = 100 * NS_PER_MS,
                                     .steady_ns = NS_PER_MINUTE};

static void listen_at(struct world *world, const char *url, const char *host,
                      const struct ris_pace *pace)
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

static void listen_to(struct world *world, const char *host, const struct ris_pace *pace)
{
    char url[80];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/v1/stream/", world->server.port);
    listen_at(world, url, host, pace);
}

static void world_free(struct world *world)
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

/* Until so much was seen and said in all. */
static void await(struct world *world, size_t seen, size_t said)
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

static void pass(struct world *world, int64_t ns)
{
    struct loop_timer *timer = loop_timer_new(world->loop, stop_loop, world->loop);
    loop_timer_start(timer, ns, 0);
    loop_run(world->loop);
    loop_timer_free(timer);
}

/* "start heard announce:198.51.100.0/24", and forgets it. */
static const char *told(struct world *world)
{
    static const char *const routes[] = {"", "announce", "withdraw", "table"};
    static const char *const peers[] = {"", "up", "down", "size", "complete", "heard"};
    buffer_clear(&world->text);
    buffer_puts(&world->text, "");
    for (size_t i = 0; i < world->seen_count; i++) {
        const struct observation *o = &world->seen[i];
        buffer_puts(&world->text, i ? " " : "");
        if (o->kind == OBSERVATION_ROUTE)
            buffer_printf(&world->text, "%s:%s", routes[o->code],
                          registry_text(world->registry, o->target));
        else
            buffer_puts(&world->text, o->kind == OBSERVATION_PEER
                                          ? peers[o->code]
                                          : observation_kind_name((enum observation_kind)o->kind));
    }
    world->seen_count = 0;
    return world->text.size ? world->text.bytes : "";
}

static void expect_begin(const char *text, const char *begin)
{
    if (strncmp(text, begin, strlen(begin)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", text, begin);
}

/* A peer that is there, and announces. */
static char *speech(struct utc time, const char *host)
{
    struct buffer lines = {0};
    struct ris_about about = {.time = time, .host = host, .order = 1};
    ris_keepalive(&lines, &about);
    about.order = 2;
    ris_update(&lines, &about, "203.0.113.0/24", "65001 4837 64500", "198.51.100.0/24 10.0.0.0/24");
    return lines.bytes;
}

static char *withdrawal(struct utc time)
{
    struct buffer lines = {0};
    struct ris_about about = {.time = time};
    ris_update(&lines, &about, "198.51.100.0/24", NULL, NULL);
    return lines.bytes;
}

/* Now, in whole milliseconds, which is what a line can hold. */
static struct utc now_ms(void)
{
    struct utc now = clock_utc();
    return (struct utc){now.ns - now.ns % NS_PER_MS};
}

/* ---- tests ---- */

/* The request, what comes of the lines, the gap when the connection ends, and the return. */
static void it_comes_and_goes(void **state)
{
    (void)state;
    struct utc first = now_ms();
    char *lines = speech(first, NULL), *gone = withdrawal(utc_add(first, NS_PER_MS));
    struct act acts[] = {{.lines = lines}, {.lines = gone, .stays = true}};
    struct world *world = world_new(acts, 2);
    listen_to(world, "rrc00", &fast);
    await(world, 4, 2);
    assert_string_equal(world->said[0], "RIS Live (rrc00): connected");
    expect_begin(world->said[1], "RIS Live (rrc00): connection lost: the server ended it; trying "
                                 "again in ");
    assert_non_null(strstr(world->said[1], " ms; no data about routes until it is back"));
    assert_non_null(
        strstr(world->request, "GET /v1/stream/?format=json&client=lastlight-test HTTP/1.1\r\n"));
    assert_non_null(strstr(world->request, "\r\nX-RIS-Subscribe: {\"host\":\"rrc00\","
                                           "\"socketOptions\":{\"includeRaw\":true,"
                                           "\"acknowledge\":false}}\r\n"));
    assert_non_null(strstr(world->request, "\r\nUser-Agent: lastlight/test\r\n"));
    assert_string_equal(registry_text(world->registry, world->seen[0].source), "rrc00");
    assert_int_equal(world->seen[3].kind, OBSERVATION_GAP);
    assert_int_equal(world->seen[3].value, 0);
    assert_true(world->seen[3].time.ns >= first.ns && world->seen[3].time.ns <= clock_utc().ns);
    assert_string_equal(registry_text(world->registry, world->seen[3].path), "the server ended it");
    struct utc gap = world->seen[3].time;
    await(world, 7, 3);
    assert_true(world->seen[4].time.ns > gap.ns);
    assert_string_equal(told(world), "start heard announce:198.51.100.0/24 gap "
                                     "start heard withdraw:198.51.100.0/24");
    assert_string_equal(world->said[2], "RIS Live (rrc00): connected");
    struct ris_counters counters = ris_live_counters(world->live);
    assert_int_equal(counters.connections, 2);
    assert_int_equal(counters.lines, 3);
    assert_int_equal(counters.updates, 2);
    assert_int_equal(counters.unreadable + counters.bad + counters.late + counters.unasked, 0);
    ris_live_free(world->live);
    world->live = NULL;
    assert_string_equal(told(world), "gap");
    world_free(world);
    free(lines);
    free(gone);
}

/* What was told is lost on its way to the journal: a gap until the next message, and no more. */
static void told_anew(void **state)
{
    (void)state;
    char *lines = speech(now_ms(), NULL), *gone = withdrawal(now_ms());
    struct act acts[] = {
        {.lines = lines, .more = " ", .pause_ms = 5, .times = 40, .then = gone, .stays = true}};
    struct world *world = world_new(acts, 1);
    listen_to(world, NULL, &fast);
    await(world, 3, 1);
    ris_live_renew(world->live);
    ris_live_renew(world->live);
    assert_string_equal(registry_text(world->registry, world->seen[3].path),
                        "what it told was lost here");
    assert_string_equal(told(world), "start heard announce:198.51.100.0/24 gap");
    await(world, 3, 1);
    assert_string_equal(told(world), "start heard withdraw:198.51.100.0/24");
    assert_int_equal(ris_live_counters(world->live).connections, 1);
    assert_int_equal(asked(world), 1);
    world_free(world);
    free(lines);
    free(gone);
}

/* In pieces of any size it is the same; CRLF is an end of line, too, and empty lines are nothing. */
static void split_anywhere(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 6; piece++) {
        char *one = speech(now_ms(), NULL), *two = withdrawal(now_ms());
        struct buffer lines = {0};
        buffer_printf(&lines, "\n\r\n%.*s\r\n\r\n%s", (int)strlen(one) - 1, one, two);
        struct act acts[] = {{.lines = lines.bytes, .piece = piece, .stays = true}};
        struct world *world = world_new(acts, 1);
        listen_to(world, NULL, &fast);
        await(world, 4, 1);
        assert_string_equal(told(world), "start heard announce:198.51.100.0/24 "
                                         "withdraw:198.51.100.0/24");
        assert_non_null(
            strstr(world->request, "\r\nX-RIS-Subscribe: {\"socketOptions\":{\"includeRaw\":true"));
        assert_int_equal(ris_live_counters(world->live).lines, 3);
        assert_int_equal(ris_live_counters(world->live).unreadable, 0);
        world_free(world);
        buffer_done(&lines);
        free(one);
        free(two);
    }
}

/* A server that always hangs up is tried less and less often, and people are told once. */
static void it_backs_off(void **state)
{
    (void)state;
    struct act acts[] = {{.head = ""}};
    struct world *world = world_new(acts, 1);
    struct ris_pace pace = fast;
    pace.retry_first_ns = 50 * NS_PER_MS;
    pace.retry_most_ns = 400 * NS_PER_MS;
    listen_to(world, NULL, &pace);
    for (int i = 0; i < 200 && asked(world) < 6; i++)
        pass(world, 20 * NS_PER_MS);
    assert_int_equal(asked(world), 6);
    assert_int_equal(world->said_count, 1);
    expect_begin(world->said[0], "RIS Live: no connection: the server ended it; trying again in ");
    assert_non_null(strstr(world->said[0], "and then less and less often"));
    static const int64_t least_ms[] = {50, 75, 150, 300, 300};
    for (size_t i = 0; i < 5; i++)
        assert_true(mono_diff(world->asked_at[i + 1], world->asked_at[i]) >=
                    least_ms[i] * NS_PER_MS);
    assert_int_equal(world->seen_count, 0);
    assert_int_equal(ris_live_counters(world->live).connections, 0);
    world_free(world);
}

static void waits(void **state)
{
    (void)state;
    struct backoff backoff = {.first_ns = NS_PER_S, .most_ns = 5 * NS_PER_MINUTE};
    int64_t base = NS_PER_S;
    for (int i = 0; i < 12; i++) {
        int64_t wait = backoff_next(&backoff, UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)(i + 1));
        assert_true(wait >= NS_PER_S && wait <= 5 * NS_PER_MINUTE);
        assert_true(wait >= base * 3 / 4 && wait <= base * 5 / 4);
        base = base < 150 * NS_PER_S ? 2 * base : 5 * NS_PER_MINUTE;
    }
    backoff_reset(&backoff);
    assert_true(backoff_next(&backoff, UINT64_MAX) <= NS_PER_S * 5 / 4);
    assert_true(backoff_next(&backoff, 0) == NS_PER_S * 3 / 2);
}

/* Refusals of all kinds, and how long they say to stay away. */
static void refusals(void **state)
{
    static const struct {
        const char *head, *reason;
        bool is_later;
    } cases[] = {
        {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "HTTP status 503", false},
        {"HTTP/1.1 429 Too Many\r\nRetry-After: 1\r\nContent-Length: 5\r\n\r\nsorry",
         "HTTP status 429", true},
        {"HTTP/1.1 301 Moved\r\nLocation: https://elsewhere.example/v2\x07\r\n\r\n",
         "HTTP status 301: it is now at https://elsewhere.example/v2", false},
        {"HTTP/1.1 204 Nothing\r\n\r\n", "HTTP status 204", false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "the server ended it", false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "the server ended it", false},
        {"SSH-2.0-OpenSSH_9.2\r\n", "", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[200];
        struct act acts[] = {{.head = cases[i].head}};
        struct world *world = world_new(acts, 1);
        listen_to(world, NULL, &fast);
        await(world, 0, 1);
        snprintf(expected, sizeof expected, "RIS Live: no connection: %s", cases[i].reason);
        expect_begin(world->said[0], expected);
        for (const char *at = world->said[0]; *at; at++)
            assert_true(*at >= ' ' && *at < 0x7f);
        size_t before = asked(world);
        pass(world, 300 * NS_PER_MS);
        assert_int_equal(asked(world) > before, !cases[i].is_later);
        world_free(world);
    }
}

static void nobody_listens(void **state)
{
    (void)state;
    struct act acts[] = {{.head = ""}};
    struct world *world = world_new(acts, 1);
    char url[80];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", unused_port());
    listen_at(world, url, NULL, &fast);
    await(world, 0, 1);
    expect_begin(world->said[0],
                 "RIS Live: no connection: cannot connect: Connection refused; trying");
    pass(world, 300 * NS_PER_MS);
    assert_int_equal(world->said_count, 1);
    world_free(world);
}

static void no_answer(void **state)
{
    (void)state;
    struct act acts[] = {{.head = "HTTP/1.1 200 OK\r\n", .stays = true}};
    struct world *world = world_new(acts, 1);
    struct ris_pace pace = fast;
    pace.answer_ns = 100 * NS_PER_MS;
    listen_to(world, NULL, &pace);
    await(world, 0, 1);
    expect_begin(world->said[0], "RIS Live: no connection: no answer within 100 ms; trying");
    world_free(world);
}

/* By name: the system's list of hosts has this one. */
static void by_name(void **state)
{
    (void)state;
    char *lines = speech(now_ms(), NULL);
    struct act acts[] = {{.lines = lines, .stays = true}};
    struct world *world = world_new(acts, 1);
    char url[80];
    snprintf(url, sizeof url, "http://localhost:%u/v1/stream/?x=y", world->server.port);
    listen_at(world, url, NULL, &fast);
    await(world, 3, 1);
    assert_non_null(strstr(world->request, "GET /v1/stream/?x=y&format=json&client="));
    assert_non_null(strstr(world->request, "\r\nHost: localhost:"));
    world_free(world);
    free(lines);
}

/* A reset is as good an end as any. */
static void reset_connection(void **state)
{
    (void)state;
    char *lines = speech(now_ms(), NULL);
    struct act acts[] = {{.lines = lines, .is_reset = true}, {.head = "", .stays = true}};
    struct world *world = world_new(acts, 2);
    listen_to(world, NULL, &fast);
    await(world, 4, 2);
    assert_string_equal(told(world), "start heard announce:198.51.100.0/24 gap");
    expect_begin(world->said[1], "RIS Live: connection lost: ");
    assert_non_null(strstr(world->said[1], "reset by peer"));
    world_free(world);
    free(lines);
}

/* Nothing more comes; or bytes come, and no message ever does. */
static void silence(void **state)
{
    static const char *const more[] = {NULL, " ", "\n", "{\"type\":\"pong\",\"data\":null}\n"};
    (void)state;
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        char *lines = speech(now_ms(), NULL);
        struct act acts[] = {{.lines = lines, .more = more[i], .pause_ms = 20, .stays = true},
                             {.lines = lines, .stays = true}};
        struct world *world = world_new(acts, 2);
        struct ris_pace pace = fast;
        pace.silence_ns = 300 * NS_PER_MS;
        listen_to(world, NULL, &pace);
        struct utc begun = clock_utc();
        await(world, 4, 2);
        assert_int_equal(world->seen[3].kind, OBSERVATION_GAP);
        /* From the last message, which came at once, not from when it was missed. */
        assert_true(world->seen[3].time.ns < begun.ns);
        assert_true(clock_utc().ns > begun.ns + 300 * NS_PER_MS);
        expect_begin(world->said[1], "RIS Live: connection lost: no message for ");
        assert_string_equal(told(world), "start heard announce:198.51.100.0/24 gap");
        await(world, 3, 3);
        assert_string_equal(told(world), "start heard announce:198.51.100.0/24");
        world_free(world);
        free(lines);
    }
}

/* A server that never says anything but that it is there. */
static void nothing_at_all(void **state)
{
    (void)state;
    struct act acts[] = {{.more = "\n", .pause_ms = 20}};
    struct world *world = world_new(acts, 1);
    struct ris_pace pace = fast;
    pace.silence_ns = pace.answer_ns = 200 * NS_PER_MS;
    listen_to(world, NULL, &pace);
    await(world, 0, 1);
    expect_begin(world->said[0], "RIS Live: no connection: no message for ");
    assert_int_equal(world->seen_count, 0);
    world_free(world);
}

/* What ends a connection, for what comes on it. */
static void unusable(void **state)
{
    (void)state;
    struct buffer endless = {0}, garbage = {0}, no_raw = {0}, error = {0};
    struct ris_about about = {.time = now_ms(), .is_without_raw = true};
    for (int i = 0; i < 9000; i++)
        buffer_puts(&endless,
                    "{\"type\":\"ris_message\",\"data\":{\"timestamp\":1,\"peer\":\"1234567"
                    "89012345678901234567890123456789012345678901234567890123456\",");
    for (int i = 0; i < RIS_UNREADABLE_MAX; i++)
        buffer_puts(&garbage, "<p>This is the page of somebody else.</p>\n");
    ris_update(&no_raw, &about, NULL, "65001 4837", "198.51.100.0/24");
    buffer_puts(&error, "{\"type\":\"ris_error\",\"data\":{\"message\":\"client too slow\"}}\n");
    const struct {
        const char *lines, *reason;
    } cases[] = {
        {endless.bytes, "it sends a line of more than 1048576 bytes;"},
        {garbage.bytes, "this is not RIS Live: 16 lines in a row that cannot be read (it is not "
                        "JSON);"},
        {no_raw.bytes, "it tells UPDATEs without their raw bytes, which are what counts;"},
        {error.bytes, "the server tells an error: client too slow;"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[200], *good = speech(now_ms(), NULL);
        struct buffer both = {0};
        buffer_printf(&both, "%s%s", good, cases[i].lines);
        struct act acts[] = {{.lines = both.bytes, .stays = true}, {.lines = good, .stays = true}};
        struct world *world = world_new(acts, 2);
        listen_to(world, NULL, &fast);
        await(world, 7, 3 + (i == 1));
        assert_string_equal(told(world), "start heard announce:198.51.100.0/24 gap "
                                         "start heard announce:198.51.100.0/24");
        snprintf(expected, sizeof expected, "RIS Live: connection lost: %s", cases[i].reason);
        expect_begin(world->said[1 + (i == 1)], expected);
        struct ris_counters counters = ris_live_counters(world->live);
        assert_int_equal(counters.unreadable, i == 1 ? RIS_UNREADABLE_MAX : 0);
        assert_int_equal(counters.no_raw, i == 2);
        world_free(world);
        buffer_done(&both);
        free(good);
    }
    buffer_done(&endless);
    buffer_done(&garbage);
    buffer_done(&no_raw);
    buffer_done(&error);
}

/* A line that cannot be read, and an UPDATE that cannot be decoded, are counted, told once, and no
 * reason to hang up. */
static void bad_lines(void **state)
{
    (void)state;
    struct buffer lines = {0};
    struct ris_about about = {.time = now_ms()};
    char *good = speech(now_ms(), NULL);
    buffer_puts(&lines, good);
    for (int i = 0; i < 2 * RIS_UNREADABLE_MAX; i++) {
        buffer_puts(&lines, "{\"type\":\"ris_message\",\"data\":{\"host\":\"\"}}\n");
        ris_bytes(&lines, &about, "\0\x09\0\0", 4);
    }
    ris_update(&lines, &about, "198.51.100.0/24", NULL, NULL);
    struct act acts[] = {{.lines = lines.bytes, .stays = true}};
    struct world *world = world_new(acts, 1);
    listen_to(world, NULL, &fast);
    await(world, 4, 3);
    assert_string_equal(told(world),
                        "start heard announce:198.51.100.0/24 withdraw:198.51.100.0/24");
    assert_int_equal(world->said_count, 3);
    assert_string_equal(world->said[1], "RIS Live: line 3 cannot be read (it names no collector); "
                                        "those that follow are only counted");
    expect_begin(world->said[2], "collector rrc00 (RIS Live) tells an UPDATE that is damaged (");
    struct ris_counters counters = ris_live_counters(world->live);
    assert_int_equal(counters.unreadable, 2 * RIS_UNREADABLE_MAX);
    assert_int_equal(counters.bad, 2 * RIS_UNREADABLE_MAX);
    assert_int_equal(counters.connections, 1);
    world_free(world);
    buffer_done(&lines);
    free(good);
}

/* Of a stream of all, one collector falls silent, while the other goes on; then it is back. */
static void one_of_two_is_silent(void **state)
{
    (void)state;
    char *one = speech(now_ms(), "rrc00.ripe.net"), *other = speech(now_ms(), "rrc01.ripe.net");
    struct buffer both = {0}, keep = {0};
    struct ris_about about = {.time = now_ms(), .host = "rrc01"};
    buffer_printf(&both, "%s%s", one, other);
    ris_keepalive(&keep, &about);
    struct act acts[] = {{.lines = both.bytes,
                          .more = keep.bytes,
                          .pause_ms = 20,
                          .times = 40,
                          .then = one,
                          .stays = true}};
    struct world *world = world_new(acts, 1);
    struct ris_pace pace = fast;
    pace.quiet_ns = 300 * NS_PER_MS;
    listen_to(world, NULL, &pace);
    await(world, 7, 2);
    assert_string_equal(registry_text(world->registry, world->seen[0].source), "rrc00");
    assert_string_equal(registry_text(world->registry, world->seen[3].source), "rrc01");
    assert_string_equal(registry_text(world->registry, world->seen[6].source), "rrc00");
    assert_string_equal(told(world), "start heard announce:198.51.100.0/24 "
                                     "start heard announce:198.51.100.0/24 gap");
    expect_begin(world->said[1], "collector rrc00 (RIS Live): no message for ");
    await(world, 3, 3);
    assert_string_equal(told(world), "start heard announce:198.51.100.0/24");
    assert_string_equal(world->said[2], "collector rrc00 (RIS Live) is back");
    assert_int_equal(ris_live_counters(world->live).connections, 1);
    world_free(world);
    free(one);
    free(other);
    buffer_done(&both);
    buffer_done(&keep);
}

/* Who is behind is blind; the one beside is not. It is back when what it sends is fresh. */
static void behind(void **state)
{
    (void)state;
    struct utc now = now_ms();
    struct buffer lines = {0};
    struct ris_about late = {.time = utc_add(now, -2 * NS_PER_MINUTE)}, fresh = {.host = "rrc01"};
    ris_update(&lines, &late, NULL, "65001 4837", "198.51.100.0/24");
    late.time = utc_add(now, -30 * NS_PER_S);
    ris_update(&lines, &late, "198.51.100.0/24", NULL, NULL);
    fresh.time = now;
    ris_keepalive(&lines, &fresh);
    late.time = utc_add(now, -5 * NS_PER_S);
    ris_update(&lines, &late, NULL, "65001 4837", "198.51.100.0/24");
    struct act acts[] = {{.lines = lines.bytes, .stays = true}};
    struct world *world = world_new(acts, 1);
    listen_to(world, NULL, &fast);
    await(world, 5, 3);
    assert_string_equal(told(world), "start heard start heard announce:198.51.100.0/24");
    expect_begin(world->said[1], "collector rrc00 (RIS Live): what it sends is 2 min");
    assert_non_null(strstr(world->said[1], "old, or the clock here is wrong; no data about its "
                                           "routes until that is over"));
    assert_string_equal(world->said[2], "collector rrc00 (RIS Live) is back");
    assert_int_equal(ris_live_counters(world->live).behind, 2);
    world_free(world);
    buffer_done(&lines);
}

/* What it sends gets older and older, though it does not cease: the gap is from the newest on. */
static void falls_behind(void **state)
{
    (void)state;
    char *lines = speech(now_ms(), NULL), *gone = withdrawal(utc_add(now_ms(), -NS_PER_MS));
    struct act acts[] = {{.lines = lines, .more = gone, .pause_ms = 20}};
    struct world *world = world_new(acts, 1);
    struct ris_pace pace = fast;
    pace.behind_ns = 300 * NS_PER_MS;
    listen_to(world, NULL, &pace);
    struct utc begun = clock_utc();
    await(world, 0, 2);
    const struct observation *last = &world->seen[world->seen_count - 1];
    assert_int_equal(last->kind, OBSERVATION_GAP);
    assert_true(last->time.ns < begun.ns);
    assert_true(clock_utc().ns > begun.ns + 200 * NS_PER_MS);
    expect_begin(world->said[1], "collector rrc00 (RIS Live): what it sends is ");
    world_free(world);
    free(lines);
    free(gone);
}

/* Only who was asked for, whatever the server sends. */
static void not_asked_for(void **state)
{
    (void)state;
    char *one = speech(now_ms(), "rrc01.ripe.net"), *other = speech(now_ms(), "rrc00.ripe.net");
    struct buffer both = {0};
    buffer_printf(&both, "%s%s", one, other);
    struct act acts[] = {{.lines = both.bytes, .stays = true}};
    struct world *world = world_new(acts, 1);
    listen_to(world, "rrc00.ripe.net", &fast);
    await(world, 3, 1);
    assert_string_equal(registry_text(world->registry, world->seen[0].source), "rrc00");
    assert_int_equal(ris_live_counters(world->live).unasked, 2);
    world_free(world);
    buffer_done(&both);
    free(one);
    free(other);
}

static void too_many_collectors(void **state)
{
    (void)state;
    struct buffer lines = {0};
    char host[20];
    for (int i = 0; i < RIS_COLLECTORS_MAX + 3; i++) {
        struct ris_about about = {.time = now_ms(), .host = host};
        snprintf(host, sizeof host, "c%02d", i);
        ris_keepalive(&lines, &about);
    }
    struct act acts[] = {{.lines = lines.bytes, .stays = true}};
    struct world *world = world_new(acts, 1);
    listen_to(world, NULL, &fast);
    await(world, 2 * RIS_COLLECTORS_MAX, 1);
    pass(world, 100 * NS_PER_MS);
    assert_int_equal(world->seen_count, 2 * RIS_COLLECTORS_MAX);
    assert_int_equal(ris_live_counters(world->live).unasked, 3);
    world_free(world);
    buffer_done(&lines);
}

static void options(void **state)
{
    static const char *const hosts[RIS_HOSTS_MAX + 1] = {"rrc00", "rrc00.ripe.net"};
    static const char *const odd[] = {"rrc 00"};
    static const struct {
        struct ris_options options;
        const char *why;
    } cases[] = {
        {{.url = "ftp://a.example/", .client = "a"},
         "RIS Live cannot be at ftp://a.example/: only http and https can be streamed"},
        {{.url = "a b", .client = "a"}, "RIS Live cannot be at a b: it is no URL"},
        {{.client = "a&b"},
         "RIS Live cannot be asked by the name 'a&b': letters, digits, '-', "
         "'.' and '_', at most 64"},
        {{.client = "a", .hosts = hosts, .host_count = RIS_HOSTS_MAX + 1},
         "RIS Live can be asked for 32 collectors by name, not for 33; leave the names out for all "
         "that there are"},
        {{.client = "a", .hosts = hosts, .host_count = 2},
         "collector rrc00.ripe.net is named twice"},
        {{.client = "a", .hosts = odd, .host_count = 1}, "a collector cannot be called 'rrc 00'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct why why;
        struct sink sink = {0};
        assert_null(ris_live_new(NULL, &cases[i].options, &sink, &why));
        assert_string_equal(why.text, cases[i].why);
        assert_int_equal(why.err, ERR_CONFIG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_and_goes),
        cmocka_unit_test(told_anew),
        cmocka_unit_test(split_anywhere),
        cmocka_unit_test(it_backs_off),
        cmocka_unit_test(waits),
        cmocka_unit_test(refusals),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(no_answer),
        cmocka_unit_test(by_name),
        cmocka_unit_test(reset_connection),
        cmocka_unit_test(silence),
        cmocka_unit_test(nothing_at_all),
        cmocka_unit_test(unusable),
        cmocka_unit_test(bad_lines),
        cmocka_unit_test(one_of_two_is_silent),
        cmocka_unit_test(behind),
        cmocka_unit_test(falls_behind),
        cmocka_unit_test(not_asked_for),
        cmocka_unit_test(too_many_collectors),
        cmocka_unit_test(options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
