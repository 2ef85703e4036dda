/* source/probe in a small internet of its own: a client and a router in two network namespaces,
 * where routers say all the things that routers say, and our own side can be broken. Skipped
 * without the right to make namespaces.
 *
 *     client 10.9.0.1 fd09::1 --- 10.9.0.2 fd09::2 router
 *
 * The router answers for 10.9.1.1, rejects some networks in several ways, swallows 10.9.2.0/24, and
 * sends what it does not know back to the client, which sends it on: a loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "probe_fixture.h"

#include "source/probe/echo_numbers.h"
#include "sys/route.h"

#include <errno.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT_NS (300 * NS_PER_MS)

static struct fixture fixture;
static bool is_lab;
static pid_t router, far_router;

static bool run(const char *command)
{
    return system(command) == 0;
}

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool is_written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return is_written;
}

/* A router's namespace is that of a child, which only has to be there. */
static pid_t start_router(void)
{
    int ready[2];
    char byte;
    if (pipe(ready))
        return -1;
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (unshare(CLONE_NEWNET) || write(ready[1], "x", 1) != 1)
            _exit(1);
        close(ready[1]);
        pause();
        _exit(0);
    }
    close(ready[1]);
    bool is_ready = read(ready[0], &byte, 1) == 1;
    close(ready[0]);
    return is_ready ? child : -1;
}

static bool run_in(pid_t namespace, const char *command)
{
    char line[512];
    snprintf(line, sizeof line, "nsenter -t %d -n %s", (int)namespace, command);
    return run(line);
}

static bool build_router(void)
{
    static const char *const commands[] = {
        "ip link set lo up",
        "ip link set right up",
        "ip address add 10.9.0.2/24 dev right",
        "ip -6 address add fd09::2/64 dev right nodad",
        "ip address add 10.9.1.1/32 dev lo",
        "sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'",
        "sh -c 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'",
        "sh -c 'echo 0 > /proc/sys/net/ipv6/icmp/ratelimit'",
        "ip route add unreachable 10.9.3.0/24",
        "ip route add prohibit 10.9.4.0/24",
        "ip route add blackhole 10.9.2.0/24",
        "ip link set inner up",
        "ip address add 10.9.8.1/24 dev inner",
        "ip route add 10.9.5.0/24 via 10.9.8.2",
        "ip -6 route add unreachable fd09:3::/64",
        "ip -6 route add prohibit fd09:4::/64",
        "ip -6 route add blackhole fd09:2::/64",
    };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!run_in(router, commands[i]))
            return false;
    return true;
}

static bool build_far_router(void)
{
    char move[128];
    snprintf(move, sizeof move, "ip link add inner type veth peer name outer netns %d",
             (int)far_router);
    return run_in(router, move) && run_in(far_router, "ip address add 10.9.8.2/24 dev outer") &&
           run_in(far_router, "ip link set outer up") &&
           run_in(far_router, "sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'") &&
           run_in(far_router, "ip route add default via 10.9.8.1");
}

static bool build_client(void)
{
    char move[128];
    snprintf(move, sizeof move, "ip link set right netns %d", (int)router);
    return run("ip link set lo up") && run("ip link add left type veth peer name right") &&
           run(move) && run("ip address add 10.9.0.1/24 dev left") &&
           run("ip -6 address add fd09::1/64 dev left nodad") && run("ip link set left up") &&
           /* Give up on silent neighbours sooner than after 3 s. */
           write_file("/proc/sys/net/ipv4/neigh/left/retrans_time_ms", "100");
}

static bool add_routes(void)
{
    return run("ip route add default via 10.9.0.2") && run("ip -6 route add default via fd09::2") &&
           run("ip route add unreachable 10.9.6.0/24") && run("ip route add prohibit 10.9.7.0/24");
}

static int build_lab(void **state)
{
    (void)state;
    /* A user who may not make namespaces has nothing to test here, and nothing is changed outside.
     */
    if (geteuid() != 0 || unshare(CLONE_NEWNET | CLONE_NEWNS) ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
        print_message("no right to make network namespaces: skipped\n");
        return 0;
    }
    router = start_router();
    far_router = start_router();
    is_lab = router > 0 && far_router > 0 && build_client() && build_far_router() &&
             build_router() && add_routes();
    if (!is_lab)
        print_message("the network namespaces could not be set up: skipped\n");
    return 0;
}

static int drop_lab(void **state)
{
    (void)state;
    const pid_t children[] = {router, far_router};
    for (int i = 0; i < 2; i++)
        if (children[i] > 0) {
            kill(children[i], SIGKILL);
            waitpid(children[i], NULL, 0);
        }
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    if (is_lab)
        fixture_start(&fixture);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (is_lab)
        fixture_stop(&fixture);
    return 0;
}

struct expected {
    const char *target;
    const char *outcome;
    unsigned code;
    const char *peer;
};

/* Linux tells one host of only so many errors a second: be another host. */
static void change_own_address(void)
{
    static int last = 100;
    char line[160];
    last++;
    snprintf(line, sizeof line,
             "ip address add 10.9.0.%d/24 dev left && ip route replace default via 10.9.0.2 src "
             "10.9.0.%d",
             last, last);
    assert_true(run(line));
}

static void check(const struct expected *cases, size_t n)
{
    if (!is_lab)
        skip();
    for (size_t i = 0; i < n; i++) {
        if (i % 4 == 0)
            change_own_address();
        struct observation result = fixture_ask(&fixture, cases[i].target, TIMEOUT_NS, 0);
        const char *outcome = outcome_name((enum outcome)result.outcome);
        const char *peer = fixture_peer(&fixture, &result);
        if (strcmp(outcome, cases[i].outcome) != 0 || result.code != cases[i].code ||
            strcmp(peer, cases[i].peer) != 0)
            fail_msg("%s: %s %u/%u by '%s', expected %s %u/%u by '%s'", cases[i].target, outcome,
                     result.code >> 8, result.code & 0xffU, peer, cases[i].outcome,
                     cases[i].code >> 8, cases[i].code & 0xff, cases[i].peer);
    }
}

#define CHECK(cases) check(cases, sizeof cases / sizeof *cases)
enum { UNREACHABLE4 = 3 << 8, EXCEEDED4 = 11 << 8, UNREACHABLE6 = 1 << 8 };

static const struct expected icmp_cases[] = {
    {"icmp:10.9.1.1", "ok", 0, "10.9.1.1"},
    {"icmp:fd09::2", "ok", 0, "fd09::2"},
    {"icmp:10.9.2.1", "timeout", 0, ""},
    {"icmp:10.9.3.1", "host-unreachable", UNREACHABLE4 | 1, "10.9.0.2"},
    {"icmp:10.9.4.1", "prohibited", UNREACHABLE4 | 13, "10.9.0.2"},
    {"icmp:10.9.5.1", "ttl-exceeded", EXCEEDED4, "10.9.8.2"},
    {"icmp:10.10.0.1", "net-unreachable", UNREACHABLE4, "10.9.0.2"},
    {"icmp:fd09:2::1", "timeout", 0, ""},
    {"icmp:fd09:3::1", "net-unreachable", UNREACHABLE6, "fd09::2"},
    {"icmp:fd09:4::1", "prohibited", UNREACHABLE6 | 1, "fd09::2"},
    {"icmp:fd10::1", "net-unreachable", UNREACHABLE6, "fd09::2"},
};

static void routers_are_understood(void **state)
{
    (void)state;
    CHECK(icmp_cases);
}

/* The same over the other kind of socket, whichever was used before: privileged users get a raw one
 * only where the unprivileged kind is forbidden. */
static void routers_are_understood_without_privilege(void **state)
{
    (void)state;
    if (!is_lab || !write_file("/proc/sys/net/ipv4/ping_group_range", "0 2147483647"))
        skip();
    fixture_stop(&fixture);
    fixture_start(&fixture);
    CHECK(icmp_cases);
    assert_true(write_file("/proc/sys/net/ipv4/ping_group_range", "1 0"));
}

static void other_protocols_understand_routers_too(void **state)
{
    (void)state;
    static const struct expected cases[] = {
        {"tcp:10.9.1.1:1", "refused", 0, "10.9.1.1"},
        {"tcp:10.9.2.1:1", "timeout", 0, ""},
        {"tcp:10.9.3.1:1", "host-unreachable", UNREACHABLE4 | 1, "10.9.0.2"},
        {"tcp:10.9.4.1:1", "prohibited", UNREACHABLE4 | 13, "10.9.0.2"},
        {"tcp:10.10.0.1:1", "net-unreachable", UNREACHABLE4, "10.9.0.2"},
        {"tcp:[fd09:3::1]:1", "net-unreachable", UNREACHABLE6, "fd09::2"},
        {"tcp:[fd09:4::1]:1", "prohibited", UNREACHABLE6 | 1, "fd09::2"},
        {"http://10.9.3.1/", "host-unreachable", UNREACHABLE4 | 1, "10.9.0.2"},
        {"https://10.9.4.1/", "prohibited", UNREACHABLE4 | 13, "10.9.0.2"},
        {"http://10.9.2.1/", "timeout", 0, "10.9.2.1"},
        {"dns:10.9.1.1/kp./SOA", "port-unreachable", UNREACHABLE4 | 3, "10.9.1.1"},
        {"dns:10.9.3.1/kp./SOA", "host-unreachable", UNREACHABLE4 | 1, "10.9.0.2"},
        {"dns:10.9.2.1/kp./SOA", "timeout", 0, ""},
        {"dns:[fd09:4::1]:53/kp./SOA", "prohibited", UNREACHABLE6 | 1, "fd09::2"},
    };
    CHECK(cases);
}

/* What our own machine refuses says nothing about the target. */
static void own_routing_is_our_fault(void **state)
{
    (void)state;
    static const struct expected cases[] = {
        {"icmp:10.9.6.1", "self", 0, ""},    {"icmp:10.9.7.1", "self", 0, ""},
        {"tcp:10.9.6.1:1", "self", 0, ""},   {"tcp:10.9.7.1:1", "self", 0, ""},
        {"http://10.9.6.1/", "self", 0, ""}, {"dns:10.9.7.1/kp./SOA", "self", 0, ""},
    };
    CHECK(cases);
}

/* A host on our own network that does not answer ARP: nobody but us can say so, and it is no fault
 * of ours. The kernel takes 3 s to say it; so long nothing is known. */
static void silent_neighbour_is_told_by_ourselves(void **state)
{
    (void)state;
    if (!is_lab)
        skip();
    struct observation result = fixture_ask(&fixture, "icmp:10.9.0.77", 5 * NS_PER_S, 0);
    assert_string_equal(outcome_name((enum outcome)result.outcome), "host-unreachable");
    assert_string_equal(fixture_peer(&fixture, &result), "10.9.0.1");
}

/* Names: resolv.conf is one of this test's own, in its own mount namespace. */
struct resolver_behaviour {
    uint8_t rcode;
};

static bool answer_resolver(struct server *server, int fd)
{
    const struct resolver_behaviour *how = server->context;
    uint8_t bytes[512];
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    ssize_t n = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &length);
    if (n < 12)
        return false;
    bytes[2] = 0x81;
    bytes[3] = (uint8_t)(0x80 | how->rcode);
    bytes[10] = bytes[11] = 0; /* no EDNS in the reply */
    sendto(fd, bytes, (size_t)n, 0, (struct sockaddr *)&from, length);
    return false;
}

static bool use_own_resolver(void)
{
    char path[] = "/tmp/lastlight-resolv-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0)
        return false;
    static const char text[] = "nameserver 127.0.0.1\n";
    bool is_bound = write(fd, text, sizeof text - 1) == sizeof text - 1 &&
                    mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0;
    close(fd);
    unlink(path);
    return is_bound;
}

static void names_tell_what_the_resolver_said(void **state)
{
    (void)state;
    static const struct {
        struct resolver_behaviour how;
        const char *outcome;
    } cases[] = {{{2}, "self"}, /* it has not yet known anything */
                 {{3}, "name-error"},
                 {{0}, "no-address"},
                 {{2}, "server-failure"},
                 {{5}, "self"}};
    if (!is_lab || !use_own_resolver())
        skip();
    fixture_stop(&fixture);
    fixture_start(&fixture);
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        struct resolver_behaviour how = cases[i / 2].how;
        struct server server;
        server_start(&server, true, 53, answer_resolver, &how);
        struct observation result = fixture_ask(
            &fixture, i % 2 ? "http://www.example/" : "dns:ns.example/kp./SOA", 3 * NS_PER_S, 0);
        server_stop(&server);
        assert_string_equal(outcome_name((enum outcome)result.outcome), cases[i / 2].outcome);
        assert_int_equal(result.stage, STAGE_RESOLVE);
    }
    /* No resolver at all. */
    struct observation result = fixture_ask(&fixture, "https://www.example/", TIMEOUT_NS, 0);
    assert_string_equal(outcome_name((enum outcome)result.outcome), "self");
    assert_int_equal(result.stage, STAGE_RESOLVE);
    umount("/etc/resolv.conf");
}

/* A host that answers pings as it is told; the kernel's own answers are switched off meanwhile. */
struct echo_behaviour {
    int delay_ms;
    int copies;
    unsigned spoiled; /* offset of a byte of the payload that comes back changed; 0: none */
};

static void answer_echo_with(const struct echo_behaviour *how, int fd, uint8_t *icmp, size_t n)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned sum = 0;
    icmp[0] = icmp[2] = icmp[3] = 0; /* an echo reply */
    icmp[how->spoiled] ^= how->spoiled ? 1 : 0;
    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (unsigned)(icmp[i] << 8 | icmp[i + 1]);
    sum = ~(sum % 65535);
    icmp[2] = (uint8_t)(sum >> 8);
    icmp[3] = (uint8_t)sum;
    poll(NULL, 0, how->delay_ms);
    for (int i = 0; i < how->copies; i++)
        sendto(fd, icmp, n, 0, (struct sockaddr *)&to, sizeof to);
}

static bool answer_echo(struct server *server, int fd)
{
    enum { IP_HEADER = 20, ECHO_REQUEST = 8 };
    uint8_t bytes[512];
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    if (n > IP_HEADER + 8 && bytes[IP_HEADER] == ECHO_REQUEST)
        answer_echo_with(server->context, fd, bytes + IP_HEADER, (size_t)n - IP_HEADER);
    return false;
}

/* The outcome of one ping of such a host, and what was counted until a while after. */
static enum outcome ping_host(struct echo_behaviour how, struct prober_counters *counters)
{
    struct server host;
    fixture_stop(&fixture);
    fixture_start(&fixture);
    server_adopt(&host, socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), answer_echo, &how);
    struct observation result = fixture_ask(&fixture, "icmp:127.0.0.1", TIMEOUT_NS, 0);
    loop_timer_start(fixture.guard, TIMEOUT_NS, 0);
    fixture.wanted = FIXTURE_RESULTS;
    loop_run(fixture.loop);
    server_stop(&host);
    assert_int_equal(fixture.count, 1); /* what comes later changes nothing any more */
    *counters = prober_counters(fixture.prober);
    return (enum outcome)result.outcome;
}

static void odd_replies_are_only_counted(void **state)
{
    (void)state;
    enum { COOKIE = 31, IDENTIFIER = 5, TEXT = 8, LATE_MS = 400 };
    struct prober_counters counters;
    if (!is_lab || !write_file("/proc/sys/net/ipv4/icmp_echo_ignore_all", "1"))
        skip();
    assert_int_equal(ping_host((struct echo_behaviour){.copies = 1}, &counters), OUTCOME_OK);
    assert_int_equal(counters.echo_late + counters.echo_duplicate, 0);
    assert_int_equal(ping_host((struct echo_behaviour){.copies = 3}, &counters), OUTCOME_OK);
    assert_int_equal(counters.echo_duplicate, 2);
    struct echo_behaviour late = {.copies = 1, .delay_ms = LATE_MS};
    assert_int_equal(ping_host(late, &counters), OUTCOME_TIMEOUT);
    assert_int_equal(counters.echo_late, 1);
    const unsigned spoiled[] = {IDENTIFIER, TEXT, COOKIE};
    for (int i = 0; i < 3; i++) {
        struct echo_behaviour how = {.copies = 1, .spoiled = spoiled[i]};
        assert_int_equal(ping_host(how, &counters), OUTCOME_TIMEOUT);
        assert_true(counters.echo_foreign >= 1);
    }
    assert_true(write_file("/proc/sys/net/ipv4/icmp_echo_ignore_all", "0"));
}

/* So many that are silent that the last one, which is not, needs another identifier. */
static void ping_beside_the_silent(void)
{
    enum { SILENT = ECHO_UNDER_WAY_MAX + 100, TEXT = 32 };
    char(*texts)[TEXT] = calloc(SILENT, TEXT);
    struct probe_plan *plan = calloc(SILENT + 1, sizeof *plan);
    for (int i = 0; i <= SILENT; i++) {
        plan[i] = (struct probe_plan){.target = "icmp:fd09::2",
                                      .interval_ns = NS_PER_MINUTE,
                                      .timeout_ns = 10 * NS_PER_S,
                                      .count = 1};
        if (i < SILENT) {
            snprintf(texts[i], TEXT, "icmp:fd09:2::%x", (unsigned)i + 1);
            plan[i].target = texts[i];
        }
    }
    fixture_stop(&fixture);
    fixture_start(&fixture);
    assert_int_equal(prober_set_plan(fixture.prober, plan, SILENT + 1, NULL), ERR_OK);
    fixture_wait(&fixture, 1);
    assert_string_equal(outcome_name((enum outcome)fixture.results[0].outcome), "ok");
    assert_string_equal(fixture_peer(&fixture, &fixture.results[0]), "fd09::2");
    struct prober_counters counters = prober_counters(fixture.prober);
    assert_int_equal(counters.asked, SILENT + 1);
    assert_int_equal(counters.answered, 1);
    free(plan);
    free(texts);
}

static void more_can_be_under_way_than_an_identifier_has(void **state)
{
    (void)state;
    if (!is_lab)
        skip();
    ping_beside_the_silent();
    assert_true(write_file("/proc/sys/net/ipv4/ping_group_range", "0 2147483647"));
    ping_beside_the_silent();
    assert_true(write_file("/proc/sys/net/ipv4/ping_group_range", "1 0"));
}

/* Last, for they break our own network for good. */

static void dead_gateway_is_our_fault(void **state)
{
    (void)state;
    if (!is_lab)
        skip();
    struct addr far;
    assert_true(addr_parse("10.9.1.1", 8, &far));
    assert_int_equal(route_to(&far), ROUTE_GATEWAY);
    assert_true(run("ip route replace default via 10.9.0.78")); /* where nobody is */
    struct observation result = fixture_ask(&fixture, "icmp:10.9.1.1", 5 * NS_PER_S, 0);
    assert_string_equal(outcome_name((enum outcome)result.outcome), "self");
    result = fixture_ask(&fixture, "tcp:10.9.1.1:1", 5 * NS_PER_S, 0);
    assert_string_equal(outcome_name((enum outcome)result.outcome), "self");
}

static void dead_link_is_our_fault(void **state)
{
    (void)state;
    static const struct expected cases[] = {
        {"icmp:10.9.1.1", "self", 0, ""},    {"tcp:10.9.1.1:1", "self", 0, ""},
        {"http://10.9.1.1/", "self", 0, ""}, {"dns:10.9.1.1/kp./SOA", "self", 0, ""},
        {"icmp:fd09::2", "self", 0, ""},
    };
    if (!is_lab)
        skip();
    assert_true(run("ip route replace default via 10.9.0.2"));
    assert_true(run_in(router, "ip link set right down")); /* as if the cable were pulled */
    struct addr far;
    assert_true(addr_parse("10.9.1.1", 8, &far));
    /* The kernel notices at most once a second that links have changed. */
    for (int i = 0; i < 20 && route_to(&far) != ROUTE_NONE; i++)
        poll(NULL, 0, 100);
    assert_int_equal(route_to(&far), ROUTE_NONE);
    CHECK(cases);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(routers_are_understood),
        TEST(routers_are_understood_without_privilege),
        TEST(other_protocols_understand_routers_too),
        TEST(own_routing_is_our_fault),
        TEST(silent_neighbour_is_told_by_ourselves),
        TEST(names_tell_what_the_resolver_said),
        TEST(odd_replies_are_only_counted),
        TEST(more_can_be_under_way_than_an_identifier_has),
        TEST(dead_gateway_is_our_fault),
        TEST(dead_link_is_our_fault),
    };
    return cmocka_run_group_tests(tests, build_lab, drop_lab);
}
