/* source/probe/dns: name servers of the test's own, that answer well, badly, slowly, and as somebody
 * else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "probe_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIMEOUT_NS (400 * NS_PER_MS)
enum { AA = 0x04, TC = 0x02 };

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    fixture_start_told(&fixture);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_stop(&fixture);
    return 0;
}

static const char *target_at(const char *form, uint16_t port)
{
    static char text[128];
    snprintf(text, sizeof text, form, port);
    return text;
}

static struct observation ask(const char *form, uint16_t port)
{
    return fixture_ask(&fixture, target_at(form, port), TIMEOUT_NS, 0);
}

static void check(const struct observation *result, const char *outcome, enum stage stage)
{
    assert_string_equal(outcome_name((enum outcome)result->outcome), outcome);
    assert_int_equal(result->stage, stage);
}

static bool says(const struct buffer *told, const char *what)
{
    return strstr(told->bytes ? told->bytes : "", what) != NULL;
}

static void check_fact(const char *what)
{
    if (!says(&fixture.facts, what))
        fail_msg("%s is not in %s", what, fixture.facts.bytes);
}

/* ---- servers; the context of each is one of these ---- */

/* What it makes of EDNS. */
enum edns { IGNORES, KNOWS, FORMERR, BADVERS, SILENT, GARBLES };

struct name_server {
    uint8_t flags, rcode; /* as they stand in the third and fourth byte */
    uint8_t id_xor;       /* spoils the identifier */
    size_t cut;           /* leaves out so many bytes at the end */
    bool with_soa;
    bool drip;       /* TCP: a byte at a time */
    int pause_ms;    /* TCP: between two of them */
    size_t claimed;  /* TCP: the length that stands before the message; 0: its own */
    bool never_ends; /* TCP: goes on talking */
    enum edns edns;
    bool knows_itself; /* answers hostname.bind */
    unsigned
        forgeries; /* UDP: replies with another identifier, question and source before the right one */
    size_t records;                       /* so many answers, each a SOA */
    size_t asked, asked_edns, asked_name; /* what came */
};

enum { HEADER = 12, MESSAGE_MAX = 65535 };

/* Where the first question of a message ends. */
static size_t question_end(const uint8_t *bytes, size_t n)
{
    size_t at = HEADER;
    while (at < n && bytes[at])
        at += bytes[at] + 1u;
    return at + 5 < n ? at + 5 : n;
}

static size_t put(uint8_t *bytes, size_t at, const void *what, size_t n)
{
    memcpy(bytes + at, what, n);
    return at + n;
}

static size_t put_soa(uint8_t *bytes, size_t at)
{
    static const uint8_t soa[34] = {0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 60, 0, 22, 0, 0, 0, 0, 0, 99};
    return put(bytes, at, soa, sizeof soa);
}

static size_t put_opt(uint8_t *bytes, size_t at, unsigned extended_rcode)
{
    const uint8_t opt[] = {0, 0,   41,  4,   0xd0, (uint8_t)extended_rcode, 0, 0, 0, 0, 8, 0, 3, 0,
                           4, 'l', 'o', 'n', '1'};
    bytes[11] = 1;
    return put(bytes, at, opt, sizeof opt);
}

static size_t put_name(uint8_t *bytes, size_t at)
{
    static const uint8_t txt[] = {0xc0, 12, 0, 16, 0, 3, 0, 0, 0, 0, 0, 4, 3, 'n', 's', '7'};
    bytes[7] = 1;
    return put(bytes, at, txt, sizeof txt);
}

/* Turns the query into its reply; 0: none. */
static size_t make_reply(struct name_server *how, uint8_t *bytes, size_t n)
{
    size_t end = question_end(bytes, n);
    bool is_name = bytes[end - 1] == 3; /* the class CH */
    bool has_edns = n > end && how->edns != IGNORES;
    how->asked++;
    how->asked_edns += n > end;
    how->asked_name += is_name;
    bytes[0] ^= how->id_xor;
    bytes[2] = (uint8_t)(0x80 | how->flags);
    bytes[3] = how->rcode;
    bytes[11] = 0;
    if (has_edns && how->edns == SILENT)
        return 0;
    if (has_edns && how->edns == FORMERR) {
        bytes[3] = 1;
        return end;
    }
    if (has_edns && how->edns == GARBLES)
        return end - 3;
    if (has_edns && how->edns == BADVERS)
        return put_opt(bytes, end, 1);
    if (is_name)
        return how->knows_itself ? put_name(bytes, end) : end;
    size_t records = how->with_soa ? 1 : how->records;
    bytes[6] = (uint8_t)(records >> 8);
    bytes[7] = (uint8_t)records;
    for (size_t i = 0; i < records; i++)
        end = put_soa(bytes, end);
    if (has_edns)
        end = put_opt(bytes, end, 0);
    return end - how->cut;
}

/* The same question with another identifier; another question; and the right reply from another socket. */
static void send_forgeries(int fd, const uint8_t *reply, size_t n,
                           const struct sockaddr_storage *to, socklen_t length)
{
    uint8_t forged[1024];
    int other = socket(AF_INET, SOCK_DGRAM, 0);
    memcpy(forged, reply, n);
    forged[0] ^= 1;
    sendto(fd, forged, n, 0, (const struct sockaddr *)to, length);
    memcpy(forged, reply, n);
    forged[HEADER + 1] ^= 1;
    sendto(fd, forged, n, 0, (const struct sockaddr *)to, length);
    sendto(other, reply, n, 0, (const struct sockaddr *)to, length);
    close(other);
}

static bool answer_udp(struct server *server, int fd)
{
    struct name_server *how = server->context;
    uint8_t bytes[1024];
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    ssize_t n = recvfrom(fd, bytes, 512, 0, (struct sockaddr *)&from, &length);
    size_t reply = n > HEADER ? make_reply(how, bytes, (size_t)n) : 0;
    for (unsigned i = 0; i < how->forgeries && reply; i++)
        send_forgeries(fd, bytes, reply, &from, length);
    if (reply)
        sendto(fd, bytes, reply, 0, (struct sockaddr *)&from, length);
    return false;
}

static bool answer_tcp(struct server *server, int fd)
{
    static uint8_t bytes[2 + MESSAGE_MAX + 1024];
    struct name_server *how = server->context;
    ssize_t n = read(fd, bytes, 512);
    if (n < 2 + HEADER)
        return true;
    size_t reply = make_reply(how, bytes + 2, (size_t)n - 2);
    size_t claimed = how->claimed ? how->claimed : reply;
    size_t step = how->drip ? 1 : reply + 2;
    bytes[0] = (uint8_t)(claimed >> 8);
    bytes[1] = (uint8_t)claimed;
    do {
        for (size_t i = 0; i < reply + 2; i += step) {
            if (send(fd, bytes + i, step, MSG_NOSIGNAL) < 0)
                return true;
            if (how->drip)
                poll(NULL, 0, how->pause_ms);
        }
    } while (how->never_ends);
    return true;
}

static bool keep_silent(struct server *server, int fd)
{
    (void)server, (void)fd;
    return true;
}

static bool hang_up(struct server *server, int fd)
{
    (void)server;
    read_request(fd);
    close(fd);
    return false;
}

/* A socket of 127.0.0.1 that nobody serves. */
static int silent_socket(uint16_t *port)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof own;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &length), 0);
    *port = ntohs(own.sin_port);
    return fd;
}

static struct observation ask_name_server(struct name_server *how)
{
    struct server server;
    server_start(&server, true, 0, answer_udp, how);
    struct observation result = ask("dns:127.0.0.1:%u/kp./SOA", server.port);
    server_stop(&server);
    return result;
}

/* ---- what replies come to ---- */

static void replies_are_told_apart(void **state)
{
    (void)state;
    enum { RCODE_SERVFAIL = 2, RCODE_NXDOMAIN = 3, RCODE_REFUSED = 5 };
    static const struct {
        struct name_server how;
        const char *outcome;
        unsigned code;
    } cases[] = {
        {{.flags = AA, .with_soa = true}, "ok", 0},
        {{.rcode = RCODE_SERVFAIL}, "server-failure", RCODE_SERVFAIL},
        {{.flags = AA, .rcode = RCODE_NXDOMAIN}, "name-error", RCODE_NXDOMAIN},
        {{.rcode = RCODE_REFUSED}, "dns-refused", RCODE_REFUSED},
        {{.flags = 0}, "lame", 0},
        {{.flags = AA}, "empty", 0},
        {{.flags = AA, .with_soa = true, .cut = 5}, "bad-reply", 0},
        {{.flags = AA, .with_soa = true, .id_xor = 1}, "bad-reply", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct name_server how = cases[i].how;
        struct observation result = ask_name_server(&how);
        bool is_ok = result.outcome == OUTCOME_OK;
        check(&result, cases[i].outcome, is_ok ? STAGE_DONE : STAGE_REPLY);
        assert_int_equal(result.code, cases[i].code);
        assert_int_equal(result.value, is_ok ? 99 : 0);
        if (!how.id_xor)
            assert_string_equal(fixture_peer(&fixture, &result), "127.0.0.1");
    }
}

static void missing_server_is_told_by_its_host(void **state)
{
    (void)state;
    struct observation result = ask("dns:127.0.0.1:%u/kp./SOA", unused_port());
    check(&result, "port-unreachable", STAGE_REPLY);
    assert_int_equal(result.code, 3 << 8 | 3);
    assert_string_equal(fixture_peer(&fixture, &result), "127.0.0.1");
}

static void silence_times_out(void **state)
{
    (void)state;
    uint16_t port;
    int silent = silent_socket(&port);
    struct observation result = ask("dns:127.0.0.1:%u/kp./SOA", port);
    close(silent);
    check(&result, "timeout", STAGE_REPLY);
    assert_int_equal(result.rtt_ns, 0);
}

static void name_server_is_looked_up(void **state)
{
    (void)state;
    struct name_server how = {.flags = AA, .with_soa = true};
    struct server server;
    server_start(&server, true, 0, answer_udp, &how);
    struct observation result = ask("dns:localhost:%u/kp./SOA", server.port);
    server_stop(&server);
    /* localhost may be ::1 first, on which nobody serves: then its host says so. */
    bool is_ipv6 = strcmp(fixture_peer(&fixture, &result), "::1") == 0;
    assert_string_equal(outcome_name((enum outcome)result.outcome),
                        is_ipv6 ? "port-unreachable" : "ok");
}

/* ---- TCP ---- */

struct tcp_case {
    struct name_server how;
    bool (*serve)(struct server *server, int fd);
    const char *outcome;
    enum stage stage;
};

static const struct tcp_case tcp_cases[] = {
    {{.flags = AA, .with_soa = true}, answer_tcp, "ok", STAGE_DONE},
    {{.flags = AA, .with_soa = true, .drip = true, .pause_ms = 1}, answer_tcp, "ok", STAGE_DONE},
    {{.flags = AA, .with_soa = true, .drip = true, .pause_ms = 40},
     answer_tcp,
     "timeout",
     STAGE_REPLY},
    {{.flags = AA | TC, .with_soa = true}, answer_tcp, "bad-reply", STAGE_REPLY},
    {{.flags = AA, .with_soa = true, .cut = 1}, answer_tcp, "bad-reply", STAGE_REPLY},
    {{.flags = AA, .with_soa = true, .id_xor = 1}, answer_tcp, "bad-reply", STAGE_REPLY},
    /* A length and no more; and talk without end. */
    {{.flags = AA, .with_soa = true, .claimed = 65535}, answer_tcp, "timeout", STAGE_REPLY},
    {{.flags = AA, .with_soa = true, .never_ends = true}, answer_tcp, "ok", STAGE_DONE},
    /* What follows the records of a message is passed over, as by resolvers. */
    {{.flags = AA, .with_soa = true, .claimed = 65535, .never_ends = true},
     answer_tcp,
     "ok",
     STAGE_DONE},
    {{.flags = AA, .records = 1900}, answer_tcp, "ok", STAGE_DONE},
    {{0}, hang_up, "closed", STAGE_REPLY},
    {{0}, keep_silent, "timeout", STAGE_REPLY},
    {{0}, NULL, "refused", STAGE_CONNECT},
};

static void check_tcp(const struct tcp_case *tcp, const char *form, uint16_t port)
{
    struct name_server how = tcp->how;
    struct server server;
    if (tcp->serve)
        server_start(&server, false, port, tcp->serve, &how);
    struct observation result = ask(form, port);
    if (tcp->serve)
        server_stop(&server);
    check(&result, tcp->outcome, tcp->stage);
    assert_int_equal(result.value, result.outcome == OUTCOME_OK ? 99 : 0);
}

static void long_answers_come_by_tcp(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tcp_cases / sizeof *tcp_cases; i++) {
        struct name_server truncating = {.flags = AA | TC};
        struct server udp;
        server_start(&udp, true, 0, answer_udp, &truncating);
        check_tcp(&tcp_cases[i], "dns:127.0.0.1:%u/kp./SOA", udp.port);
        server_stop(&udp);
        if (tcp_cases[i].stage == STAGE_DONE)
            check_fact("\"truncated\":true");
    }
}

static void tcp_alone_is_asked_where_it_says_so(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tcp_cases / sizeof *tcp_cases; i++) {
        check_tcp(&tcp_cases[i], "dns+tcp:127.0.0.1:%u/kp./SOA", unused_port());
        if (tcp_cases[i].stage == STAGE_DONE)
            check_fact("\"truncated\":false");
    }
}

/* ---- EDNS, and what the server says of itself ---- */

static void facts_of_the_server_are_told(void **state)
{
    (void)state;
    struct name_server how = {.flags = AA, .with_soa = true, .edns = KNOWS, .knows_itself = true};
    struct observation result = ask_name_server(&how);
    check(&result, "ok", STAGE_DONE);
    assert_string_equal(
        fixture.facts.bytes,
        "{\"nsid\":\"lon1\",\"hostname_bind\":\"ns7\",\"authoritative\":true,"
        "\"truncated\":false,\"edns_size\":1232,\"answers\":[\"SOA . . 99 0 0 0 0\"]}");
    assert_true(says(&fixture.steps, "> kp./SOA? to 127.0.0.1 port "));
    assert_true(says(&fixture.steps, "< NOERROR aa, 1 answers, 0 authority, EDNS 1232, serial 99"));
}

static void who_stumbles_over_edns_is_asked_without(void **state)
{
    (void)state;
    static const struct {
        enum edns edns;
        const char *fact;
    } cases[] = {{FORMERR, "\"edns_fault\":\"FORMERR\""},
                 {BADVERS, "\"edns_fault\":\"BADVERS\""},
                 {GARBLES, "\"edns_fault\":\"a reply that cannot be read\""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct name_server how = {.flags = AA, .with_soa = true, .edns = cases[i].edns};
        struct observation result = ask_name_server(&how);
        check(&result, "ok", STAGE_DONE);
        check_fact(cases[i].fact);
        assert_int_equal(how.asked, 3); /* and its name */
        assert_int_equal(how.asked_edns, 1);
    }
    /* Whoever answers FORMERR to everything does not stumble over EDNS. */
    struct name_server broken = {.rcode = 1, .edns = FORMERR};
    struct observation result = ask_name_server(&broken);
    check(&result, "dns-error", STAGE_REPLY);
    assert_false(says(&fixture.facts, "edns_fault"));
}

/* Asks again and again, each after the one before was answered. */
static void ask_rounds(const char *target, size_t rounds)
{
    struct probe_plan plan = {
        .target = target, .interval_ns = TIMEOUT_NS, .timeout_ns = TIMEOUT_NS, .count = 1};
    fixture.count = 0;
    assert_int_equal(prober_set_plan(fixture.prober, &plan, 1, NULL), ERR_OK);
    fixture_wait(&fixture, rounds);
    assert_int_equal(prober_set_plan(fixture.prober, NULL, 0, NULL), ERR_OK);
    for (size_t i = 0; i < rounds; i++)
        check(&fixture.results[i], "ok", STAGE_DONE);
}

static void silence_to_edns_is_believed_the_second_time(void **state)
{
    (void)state;
    struct name_server how = {.flags = AA, .with_soa = true, .edns = SILENT};
    struct server server;
    server_start(&server, true, 0, answer_udp, &how);
    ask_rounds(target_at("dns:127.0.0.1:%u/kp./SOA", server.port), 1);
    assert_false(says(&fixture.facts, "edns_fault")); /* that may have been a loss */
    ask_rounds(target_at("dns:127.0.0.1:%u/kp./SOA", server.port), 4);
    check_fact("\"edns_fault\":\"no answer\"");
    server_stop(&server);
    assert_int_equal(how.asked_edns, 3); /* and then no more */
}

static void names_are_asked_once_and_after_a_change(void **state)
{
    (void)state;
    struct name_server how = {.flags = AA, .with_soa = true, .edns = KNOWS, .knows_itself = true};
    struct server server;
    server_start(&server, true, 0, answer_udp, &how);
    ask_rounds(target_at("dns:127.0.0.1:%u/kp./SOA", server.port), 4);
    server_stop(&server);
    assert_int_equal(how.asked_name, 1);
    assert_int_equal(how.asked, 5);
    assert_false(says(&fixture.facts, "hostname_bind"));
}

/* ---- packets of others ---- */

static void forgeries_are_passed_over_and_counted(void **state)
{
    (void)state;
    struct name_server how = {.flags = AA, .with_soa = true, .edns = KNOWS, .forgeries = 30};
    struct observation result = ask_name_server(&how);
    check(&result, "ok", STAGE_DONE);
    assert_int_equal(result.value, 99);
    const char *fact = strstr(fixture.facts.bytes, "\"foreign_replies\":");
    assert_non_null(fact);
    int counted = 0;
    assert_int_equal(sscanf(fact, "\"foreign_replies\":%d", &counted), 1);
    assert_in_range(counted, 90, 180); /* some may come after the answer, of its name as well */
    assert_true(says(&fixture.steps, "* from 127.0.0.1 came what answers another query"));
    assert_true(says(&fixture.steps, "* from 127.0.0.1 came a datagram, which was not asked"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(replies_are_told_apart),
        TEST(missing_server_is_told_by_its_host),
        TEST(silence_times_out),
        TEST(name_server_is_looked_up),
        TEST(long_answers_come_by_tcp),
        TEST(tcp_alone_is_asked_where_it_says_so),
        TEST(facts_of_the_server_are_told),
        TEST(who_stumbles_over_edns_is_asked_without),
        TEST(silence_to_edns_is_believed_the_second_time),
        TEST(names_are_asked_once_and_after_a_change),
        TEST(forgeries_are_passed_over_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
