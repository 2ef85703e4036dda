/* source/bgp/bgp_listener and bgp_peer: the test plays routers, over loopback, where each has an address
 * of 127.0.0.0/8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bgp_maker.h"
#include "model/registry.h"
#include "source/bgp/bgp_listener.h"
#include "sys/clock.h"
#include "sys/net.h"
#include "told.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

enum { SEEN_MAX = 100, SAID_MAX = 80, HEARD_MAX = 400, WAIT_MS = 5000 };

struct world {
    struct loop *loop;
    struct registry *registry;
    struct bgp_listener *listener;
    struct loop_timer *timer;
    struct observation seen[SEEN_MAX];
    char said[SAID_MAX][600];
    size_t seen_count, said_count;
    struct buffer bytes, text;
    char heard[HEARD_MAX];
};

static void stop(void *context)
{
    struct world *world = context;
    loop_stop(world->loop);
}

static void see(void *context, const struct observation *observation)
{
    struct world *world = context;
    assert_true(world->seen_count < SEEN_MAX);
    world->seen[world->seen_count++] = *observation;
}

static void hear_said(void *context, const char *text)
{
    struct world *world = context;
    assert_true(world->said_count < SAID_MAX);
    snprintf(world->said[world->said_count++], sizeof world->said[0], "%s", text);
}

/* The listener lives for so long. */
static void run(struct world *world, int64_t ns)
{
    loop_timer_start(world->timer, ns, 0);
    loop_run(world->loop);
}

/* Two peers, 127.0.0.2 of AS65001 and 127.0.0.3 of any. */
static struct bgp_listener *listen_with(struct world *world, const char *md5, uint8_t family,
                                        uint16_t port, struct why *why)
{
    static struct prefix prefixes[2];
    assert_true(prefix_parse("198.51.100.0/22", 15, &prefixes[0]));
    assert_true(prefix_parse("2001:db8::/32", 13, &prefixes[1]));
    struct watch watch = {prefixes, 2, NULL, 0};
    struct bgp_peer_options peers[] = {{{{127, 0, 0, 2}, 4}, 65001, md5},
                                       {{{127, 0, 0, 3}, 4}, 0, NULL}};
    struct bgp_options options = {.address = {{127, 0, 0, 1}, 4},
                                  .port = port,
                                  .asn = 64512,
                                  .id = 0x7f000001,
                                  .hold_s = 90,
                                  .collector = "lon-bgp",
                                  .peers = peers,
                                  .peer_count = 2,
                                  .watch = &watch,
                                  .say = hear_said,
                                  .context = world};
    struct sink sink = {world->registry, see, world};
    if (!family)
        options.address = (struct addr){0};
    return bgp_listener_new(world->loop, &options, &sink, why);
}

static void begin_with(struct world *world, const char *md5, uint8_t family)
{
    struct why why;
    memset(world, 0, sizeof *world);
    world->loop = loop_new();
    world->registry = registry_new();
    world->timer = loop_timer_new(world->loop, stop, world);
    world->listener = listen_with(world, md5, family, 0, &why);
    assert_non_null(world->listener);
}

static void begin(struct world *world)
{
    begin_with(world, NULL, 4);
}

static void end(struct world *world)
{
    bgp_listener_free(world->listener);
    loop_free(world->loop);
    registry_free(world->registry);
    buffer_done(&world->bytes);
    buffer_done(&world->text);
}

/* A socket of a router at 127.0.0.`last`, not yet connected. */
static int socket_of(unsigned last, const char *md5)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000 | last)};
    struct addr station = {{127, 0, 0, 1}, 4};
    int error;
    int fd = net_open(AF_INET, SOCK_STREAM, 0, &error);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    if (md5)
        assert_int_equal(net_require_md5(fd, &station, md5), 0);
    return fd;
}

/* Begins to connect it; whether it came to that within a while. */
static bool try_connect(struct world *world, int fd, int wait_ms)
{
    struct sockaddr_in station = {.sin_family = AF_INET,
                                  .sin_port = htons(bgp_listener_port(world->listener)),
                                  .sin_addr.s_addr = htonl(0x7f000001)};
    struct pollfd wanted = {.fd = fd, .events = POLLOUT};
    connect(fd, (struct sockaddr *)&station, sizeof station);
    return poll(&wanted, 1, wait_ms) == 1 && net_error(fd) == 0;
}

static int connect_router(struct world *world, unsigned last)
{
    int fd = socket_of(last, NULL);
    assert_true(try_connect(world, fd, WAIT_MS));
    return fd;
}

/* Sends what was made. */
static void send_made(struct world *world, int fd)
{
    int error;
    assert_int_equal(net_send(fd, world->bytes.bytes, world->bytes.size, &error),
                     world->bytes.size);
    buffer_clear(&world->bytes);
}

static void add_heard(struct world *world, uint8_t type, struct reader body)
{
    static const char *const names[] = {"",          "OPEN",   "UPDATE", "NOTIFICATION",
                                        "KEEPALIVE", "REFRESH"};
    char *at = world->heard + strlen(world->heard);
    size_t left = (size_t)(world->heard + HEARD_MAX - at);
    assert_int_not_equal(type, BGP_UPDATE); /* it announces nothing */
    snprintf(at, left, "%s%s", at == world->heard ? "" : " ", names[type]);
    at += strlen(at);
    left = (size_t)(world->heard + HEARD_MAX - at);
    if (type == BGP_NOTIFICATION)
        snprintf(at, left, "(%u/%u)", body.at[0], body.at[1]);
}

/* What the router gets until it has got that, "OPEN KEEPALIVE" or "... end" at the connection's end. */
static void await_heard(struct world *world, int fd, const char *expected)
{
    struct buffer got = {0};
    int64_t until = clock_mono().ns + WAIT_MS * NS_PER_MS;
    bool is_over = false;
    do {
        char bytes[4096];
        int error;
        run(world, NS_PER_MS);
        long n = net_receive(fd, bytes, sizeof bytes, NULL, &error);
        is_over = n == 0 || (n < 0 && error != EAGAIN);
        buffer_add(&got, bytes, n > 0 ? (size_t)n : 0);
        struct reader r = reader_of(got.bytes, got.size), body;
        world->heard[0] = '\0';
        while (reader_left(&r)) {
            uint8_t type = bgp_message_next(&r, &body);
            assert_null(r.bad);
            add_heard(world, type, body);
        }
        if (is_over)
            strcat(world->heard, world->heard[0] ? " end" : "end");
    } while (strlen(world->heard) < strlen(expected) && !is_over && clock_mono().ns < until);
    assert_string_equal(world->heard, expected);
    buffer_done(&got);
}

/* "start up table:198.51.100.0/24 complete down gap", once so much was told; and forgets it. */
static void await_told(struct world *world, const char *expected)
{
    int64_t until = clock_mono().ns + WAIT_MS * NS_PER_MS;
    const char *told;
    do {
        run(world, NS_PER_MS);
        told = told_text(&world->text, world->registry, world->seen, world->seen_count);
    } while (strlen(told) < strlen(expected) && clock_mono().ns < until);
    assert_string_equal(told, expected);
    world->seen_count = 0;
}

/* As far as a session, with a router that says this of itself. */
static int establish_as(struct world *world, unsigned last, const struct bgp_open *router)
{
    int fd = connect_router(world, last);
    bgp_open_write(&world->bytes, router);
    bgp_keepalive_write(&world->bytes);
    send_made(world, fd);
    await_heard(world, fd, "OPEN KEEPALIVE");
    return fd;
}

static int establish(struct world *world, unsigned last)
{
    return establish_as(world, last, &bgp_router);
}

static void send_table(struct world *world, int fd)
{
    bgp_make_update(&world->bytes, NULL, "65001 4837", "198.51.100.0/24 10.0.0.0/8");
    bgp_make_update6(&world->bytes, 65001, "2001:db8::/48");
    bgp_make_end_of_rib(&world->bytes, 4);
    bgp_make_end_of_rib(&world->bytes, 6);
    send_made(world, fd);
}

/* ---- sessions ---- */

static void a_router_comes_and_goes(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    int fd = establish(&world, 2);
    await_told(&world, "start up");
    assert_string_equal(world.said[0], "collector lon-bgp: the session with 127.0.0.2 (AS65001) is "
                                       "up: IPv4 and IPv6");
    send_table(&world, fd);
    await_told(&world, "table:198.51.100.0/24 table:2001:db8::/48");
    assert_string_equal(registry_text(world.registry, world.seen[0].peer), "127.0.0.2 65001");
    bgp_make_update(&world.bytes, "198.51.100.0/24", NULL, NULL);
    bgp_make_update(&world.bytes, NULL, "65001 1299", "198.51.100.0/24");
    send_made(&world, fd);
    await_told(&world, "withdraw:198.51.100.0/24 announce:198.51.100.0/24");
    close(fd);
    await_told(&world, "down gap");
    assert_int_equal(world.seen[1].value, 0); /* not over */
    assert_string_equal(world.said[1], "collector lon-bgp: the session with 127.0.0.2 (AS65001) is "
                                       "lost: the router closed the connection; no data about its "
                                       "routes until it is back");
    assert_string_equal(registry_text(world.registry, world.seen[1].path),
                        "the router closed the connection");
    fd = establish(&world, 2);
    send_table(&world, fd);
    await_told(&world, "start up table:198.51.100.0/24 table:2001:db8::/48");
    struct bgp_notification notification = {6, 2,
                                            reader_of("\x04"
                                                      "till",
                                                      5)};
    bgp_notification_write(&world.bytes, &notification);
    send_made(&world, fd);
    await_told(&world, "down gap");
    assert_non_null(strstr(world.said[3], "lost: the router ended it: Cease, Administrative "
                                          "Shutdown: \"till\";"));
    await_heard(&world, fd, "end");
    close(fd);
    assert_int_equal(world.said_count, 4);
    end(&world);
}

/* Where one of two is lost the collector is not in a gap. */
static void two_routers(void **state)
{
    (void)state;
    struct world world;
    struct bgp_open second = bgp_router;
    begin(&world);
    int first_fd = establish(&world, 2);
    second.asn = 4200000001;
    second.has_family[1] = false;
    second.add_path[0] = BGP_CAN_SEND;
    int second_fd = establish_as(&world, 3, &second);
    await_told(&world, "start up up");
    assert_string_equal(registry_text(world.registry, world.seen[2].peer), "127.0.0.3 4200000001");
    assert_string_equal(world.said[1], "collector lon-bgp: the session with 127.0.0.3 "
                                       "(AS4200000001) is up: IPv4, several paths each");
    close(first_fd);
    await_told(&world, "down");
    bgp_make_update(&world.bytes, NULL, "65001", "198.51.100.0/24#1 198.51.100.0/24#2");
    bgp_make_update(&world.bytes, "198.51.100.0/24#1", NULL, NULL);
    bgp_make_update(&world.bytes, "198.51.100.0/24#2", NULL, NULL);
    send_made(&world, second_fd);
    await_told(&world, "table:198.51.100.0/24 table:198.51.100.0/24 announce:198.51.100.0/24 "
                       "withdraw:198.51.100.0/24");
    first_fd = establish(&world, 2);
    close(second_fd);
    await_told(&world, "up down");
    close(first_fd);
    await_told(&world, "down gap");
    end(&world);
}

static void damaged_updates(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    int fd = establish(&world, 2);
    await_told(&world, "start up");
    for (int i = 0; i < 2; i++) { /* an ORIGIN that there is not */
        size_t before = world.bytes.size;
        bgp_make_update(&world.bytes, NULL, "65001", "198.51.100.0/24");
        world.bytes.bytes[before + 26] = 9;
    }
    send_made(&world, fd);
    await_told(&world, "withdraw:198.51.100.0/24 withdraw:198.51.100.0/24");
    assert_int_equal(world.said_count, 2);
    assert_string_equal(world.said[1], "collector lon-bgp: 127.0.0.2 sends an UPDATE that is "
                                       "damaged (ORIGIN is malformed); those that follow are only "
                                       "counted");
    bgp_message_write(&world.bytes, BGP_UPDATE, "\xff\xff\0\0", 4);
    send_made(&world, fd);
    await_told(&world, "down gap");
    await_heard(&world, fd, "NOTIFICATION(3/1) end");
    close(fd);
    end(&world);
}

/* ---- who is refused ---- */

static void strangers(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    for (unsigned i = 0; i < 4; i++) {
        int fd = connect_router(&world, 4 + i / 3);
        bgp_open_write(&world.bytes, &bgp_router);
        send_made(&world, fd);
        await_heard(&world, fd, "NOTIFICATION(6/5) end");
        close(fd);
    }
    assert_int_equal(world.said_count, 2); /* each is told once */
    assert_string_equal(world.said[0], "a BGP connection from 127.0.0.4 was refused, as further "
                                       "ones will be: it is no peer of the configuration");
    assert_int_equal(world.seen_count, 0);
    end(&world);
}

/* So many a second are told why; who has a session is not disturbed, and people hear of so many. */
static void strangers_without_number(void **state)
{
    (void)state;
    struct world world;
    unsigned told = 0;
    begin(&world);
    int fd = establish(&world, 2);
    int64_t began = clock_mono().ns;
    for (unsigned i = 0; i < 70; i++) {
        int stranger = connect_router(&world, 100 + i);
        char bytes[100];
        int error;
        long n;
        do {
            run(&world, NS_PER_MS);
            n = net_receive(stranger, bytes, sizeof bytes, NULL, &error);
        } while (n < 0 && error == EAGAIN);
        told += n > 0;
        close(stranger);
    }
    int64_t seconds = (clock_mono().ns - began) / NS_PER_S;
    assert_in_range(told, BGP_REFUSALS_A_SECOND, BGP_REFUSALS_A_SECOND * (seconds + 2));
    assert_int_equal(world.said_count, 1 + 64 + 1);
    assert_string_equal(world.said[65], "BGP connections from more than 64 addresses that are no "
                                        "peers were refused: no further ones are told of");
    send_table(&world, fd);
    await_told(&world, "start up table:198.51.100.0/24 table:2001:db8::/48");
    close(fd);
    end(&world);
}

/* Who is not the AS that was agreed on is refused with the reason, told once, and rests. */
static void the_wrong_as(void **state)
{
    (void)state;
    struct world world;
    struct bgp_open router = bgp_router;
    router.asn = 65009;
    begin(&world);
    for (int i = 0; i < 3; i++) {
        int fd = connect_router(&world, 2);
        bgp_open_write(&world.bytes, &router);
        send_made(&world, fd);
        await_heard(&world, fd, i ? "NOTIFICATION(6/5) end" : "OPEN NOTIFICATION(2/2) end");
        close(fd);
    }
    assert_int_equal(world.said_count, 1);
    assert_string_equal(world.said[0],
                        "collector lon-bgp: a connection from 127.0.0.2 (AS65001) came to no "
                        "session: OPEN Message Error, Bad Peer AS (it says AS65009, the "
                        "configuration AS65001)");
    int fd = establish(&world, 3); /* the other one is not affected */
    await_told(&world, "start up");
    close(fd);
    end(&world);
}

/* ---- several connections of one router ---- */

static void it_connects_anew(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    int old = establish(&world, 2);
    await_told(&world, "start up");
    /* It knows of graceful restart: then it has forgotten the old one (RFC 4724, 4.2). */
    int fresh = establish(&world, 2);
    await_told(&world, "down gap start up");
    await_heard(&world, old, "NOTIFICATION(6/7) end");
    close(old);
    run(&world, 20 * NS_PER_MS);
    assert_int_equal(world.seen_count, 0);
    close(fresh);
    await_told(&world, "down gap");
    /* Else the one that is established stays. */
    struct bgp_open plain = bgp_router;
    plain.is_graceful = false;
    old = establish_as(&world, 2, &plain);
    await_told(&world, "start up");
    fresh = connect_router(&world, 2);
    bgp_open_write(&world.bytes, &plain);
    send_made(&world, fresh);
    await_heard(&world, fresh, "OPEN NOTIFICATION(6/7) end");
    close(fresh);
    send_table(&world, old);
    await_told(&world, "table:198.51.100.0/24 table:2001:db8::/48");
    close(old);
    end(&world);
}

/* Those that come to nothing are few, and the session is not among those that must go. */
static void it_connects_and_says_nothing(void **state)
{
    (void)state;
    struct world world;
    int silent[6];
    begin(&world);
    int fd = establish(&world, 2);
    for (size_t i = 0; i < 6; i++) {
        silent[i] = connect_router(&world, 2);
        run(&world, 5 * NS_PER_MS);
    }
    for (size_t i = 0; i < 6; i++)
        await_heard(&world, silent[i], i < 4 ? "OPEN NOTIFICATION(6/8) end" : "OPEN");
    send_table(&world, fd);
    await_told(&world, "start up table:198.51.100.0/24 table:2001:db8::/48");
    for (size_t i = 0; i < 6; i++)
        close(silent[i]);
    close(fd);
    end(&world);
}

/* ---- our own doing ---- */

/* What was told was lost on its way: who can tells its table again, who cannot must come anew. */
static void renewed(void **state)
{
    (void)state;
    struct world world;
    struct bgp_open old_one = bgp_router;
    old_one.has_refresh = false;
    begin(&world);
    bgp_listener_renew(world.listener); /* nobody is there */
    int fd = establish(&world, 2), old = establish_as(&world, 3, &old_one);
    await_told(&world, "start up up");
    bgp_listener_renew(world.listener);
    await_heard(&world, fd, "REFRESH REFRESH");
    await_heard(&world, old, "NOTIFICATION(6/4) end");
    await_told(&world, "gap start up");
    send_table(&world, fd);
    await_told(&world, "table:198.51.100.0/24 table:2001:db8::/48");
    close(fd);
    close(old);
    await_told(&world, "down gap");
    end(&world);
}

/* An UPDATE with attributes of a route, of which ORIGIN is wrong, and no route. */
static void send_doubtful(struct world *world, int fd)
{
    bgp_message_write(&world->bytes, BGP_UPDATE,
                      "\0\0\0\x0d\x40\x01\x01\x03\x40\x02\x06\x02\x01\0\0\xfd\xe9", 17);
    send_made(world, fd);
}

/* RFC 7606, 5.2: a route may have been lost in it. No session ends for that: who can tells its table again, but
 * is not asked each time; of who cannot nothing changes. */
static void doubtful_updates(void **state)
{
    (void)state;
    struct world world;
    struct bgp_open old_one = bgp_router;
    old_one.has_refresh = false;
    begin(&world);
    int fd = establish(&world, 2), old = establish_as(&world, 3, &old_one);
    await_told(&world, "start up up");
    send_doubtful(&world, old);
    send_doubtful(&world, fd);
    await_heard(&world, fd, "REFRESH REFRESH");
    await_told(&world, "down up");
    send_doubtful(&world, fd);
    send_table(&world, fd);
    await_told(&world, "table:198.51.100.0/24 table:2001:db8::/48");
    send_table(&world, old);
    await_told(&world, "table:198.51.100.0/24 table:2001:db8::/48");
    await_heard(&world, fd, "");
    await_heard(&world, old, "");
    close(fd);
    close(old);
    end(&world);
}

/* When we stop, nobody is told lost: nothing is known of them. */
static void we_stop(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    int fd = establish(&world, 2);
    await_told(&world, "start up");
    bgp_listener_free(world.listener);
    world.listener = NULL;
    await_told(&world, "gap");
    await_heard(&world, fd, "NOTIFICATION(6/2) end");
    close(fd);
    end(&world);
}

static void a_port_in_use(void **state)
{
    (void)state;
    struct world world;
    struct why why;
    begin(&world);
    assert_null(listen_with(&world, NULL, 4, bgp_listener_port(world.listener), &why));
    assert_int_equal(why.err, ERR_BUSY);
    assert_non_null(strstr(why.text, "cannot listen for BGP at 127.0.0.1, port "));
    end(&world);
}

/* ---- signatures ---- */

/* Who has a key must sign with it, at a socket of one family and of both. */
static void signatures(void **state)
{
    (void)state;
    struct world world;
    struct addr any = {{127, 0, 0, 9}, 4};
    int error, probe = net_open(AF_INET, SOCK_STREAM, 0, &error);
    error = net_require_md5(probe, &any, "x");
    close(probe);
    if (error == ENOPROTOOPT)
        skip(); /* a kernel without CONFIG_TCP_MD5SIG */
    for (uint8_t family = 0; family <= 4; family += 4) {
        begin_with(&world, "hush", family);
        int fd = socket_of(2, "hush");
        assert_true(try_connect(&world, fd, WAIT_MS));
        bgp_open_write(&world.bytes, &bgp_router);
        bgp_keepalive_write(&world.bytes);
        send_made(&world, fd);
        await_heard(&world, fd, "OPEN KEEPALIVE");
        await_told(&world, "start up");
        close(fd);
        await_told(&world, "down gap");
        const char *const wrong[] = {NULL, "hush!"};
        for (size_t i = 0; i < 2; i++) {
            fd = socket_of(2, wrong[i]);
            assert_false(try_connect(&world, fd, 100));
            close(fd);
        }
        fd = connect_router(&world, 3); /* who has no key needs none */
        await_heard(&world, fd, "OPEN");
        close(fd);
        end(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_router_comes_and_goes),
        cmocka_unit_test(two_routers),
        cmocka_unit_test(damaged_updates),
        cmocka_unit_test(doubtful_updates),
        cmocka_unit_test(strangers),
        cmocka_unit_test(strangers_without_number),
        cmocka_unit_test(the_wrong_as),
        cmocka_unit_test(it_connects_anew),
        cmocka_unit_test(it_connects_and_says_nothing),
        cmocka_unit_test(renewed),
        cmocka_unit_test(we_stop),
        cmocka_unit_test(a_port_in_use),
        cmocka_unit_test(signatures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
