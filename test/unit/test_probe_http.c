/* source/probe: web servers and TLS, against servers on loopback that misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "probe_fixture.h"
#include "texts.h"

#include "source/probe/http.h"
#include "sys/clock.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define TIMEOUT_NS (500 * NS_PER_MS)

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    fixture_start(&fixture);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_stop(&fixture);
    return 0;
}

static struct observation ask_server(struct server *server, const char *scheme, int expect_status)
{
    char target[64];
    snprintf(target, sizeof target, "%s127.0.0.1:%u%s", scheme, server->port,
             strcmp(scheme, "tls:") ? "/" : "");
    return fixture_ask(&fixture, target, TIMEOUT_NS, expect_status);
}

static void expect(const struct observation *result, const char *outcome, enum stage stage)
{
    assert_string_equal(outcome_name((enum outcome)result->outcome), outcome);
    assert_string_equal(stage_name((enum stage)result->stage), stage_name(stage));
}

/* How a server answers. */

static bool answer_text(struct server *server, int fd)
{
    read_request(fd);
    write_text(fd, server->context);
    close(fd);
    return false;
}

static bool answer_text_and_stall(struct server *server, int fd)
{
    read_request(fd);
    write_text(fd, server->context);
    return true;
}

static bool stall(struct server *server, int fd)
{
    (void)server, (void)fd;
    return true;
}

static bool reset(struct server *server, int fd)
{
    (void)server;
    struct linger at_once = {.l_onoff = 1};
    read_request(fd);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
    return false;
}

/* Sends the text again and again: 200 times at once, or slowly until nobody listens. */
static bool repeat(struct server *server, int fd, int times, int pause_ms)
{
    const char *text = server->context;
    read_request(fd);
    write_text(fd, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < times && send(fd, text, strlen(text), MSG_NOSIGNAL) > 0; i++)
        poll(NULL, 0, pause_ms);
    close(fd);
    return false;
}

static bool flood(struct server *server, int fd)
{
    return repeat(server, fd, 100 * 1000, 0);
}

static bool drip(struct server *server, int fd)
{
    return repeat(server, fd, 1000, 10);
}

static void statuses_have_their_outcomes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int expect_status;
        const char *outcome;
        enum stage stage;
        unsigned code;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 0, "ok", STAGE_DONE, 200},
        {"HTTP/1.0 200 OK\r\n\r\nuntil the end", 0, "ok", STAGE_DONE, 200},
        {"HTTP/1.1 204 No Content\r\n\r\n", 0, "ok", STAGE_DONE, 204},
        {"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", 0, "http-error", STAGE_REPLY, 500},
        {"HTTP/1.1 500 Oh\r\nContent-Length: 9\r\n\r\n", 0, "http-error", STAGE_REPLY, 500},
        {"HTTP/1.1 503 Later\r\nContent-Length: 0\r\nretry-after: 120\r\n\r\n", 0,
         "http-unavailable", STAGE_REPLY, 503},
        {"HTTP/1.1 503 Oh\r\nContent-Length: 0\r\n\r\n", 0, "http-error", STAGE_REPLY, 503},
        {"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 404, "ok", STAGE_DONE, 404},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 404, "content", STAGE_REPLY, 200},
        {"HTTP/1.1 103 Hints\r\nRetry-After: 9\r\n\r\nHTTP/1.1 503 Oh\r\nContent-Length: 0\r\n\r\n",
         0, "http-error", STAGE_REPLY, 503},
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", 0, "closed", STAGE_BODY, 200},
        {"HTTP/1.1 200 OK\r\nContent-Len", 0, "closed", STAGE_REPLY, 0},
        {"SSH-2.0-OpenSSH_9.2\r\n", 0, "bad-reply", STAGE_REPLY, 0},
        {"", 0, "closed", STAGE_REPLY, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct server server;
        server_start(&server, false, 0, answer_text, (void *)(uintptr_t)cases[i].text);
        struct observation result = ask_server(&server, "http://", cases[i].expect_status);
        server_stop(&server);
        expect(&result, cases[i].outcome, cases[i].stage);
        assert_int_equal(result.code, cases[i].code);
        assert_string_equal(fixture_peer(&fixture, &result), "127.0.0.1");
        assert_true(result.rtt_ns >= 0 && result.rtt_ns < TIMEOUT_NS);
    }
}

#define PAGE(length) "HTTP/1.1 200 OK\r\nContent-Length: " #length "\r\n\r\n"

/* Sends the text in two pieces, cut at '|'. */
static bool answer_in_two(struct server *server, int fd)
{
    const char *text = server->context, *cut = strchr(text, '|');
    read_request(fd);
    send(fd, text, (size_t)(cut - text), MSG_NOSIGNAL);
    poll(NULL, 0, 50);
    write_text(fd, cut + 1);
    close(fd);
    return false;
}

/* A page without an end that has "needle" after so many other bytes. */
static bool answer_long(struct server *server, int fd)
{
    static char page[2 * HTTP_BODY_MAX];
    memset(page, 'x', sizeof page);
    memcpy(page + *(const int *)server->context, "needle", 6);
    read_request(fd);
    write_text(fd, "HTTP/1.0 200 OK\r\n\r\n");
    send(fd, page, sizeof page, MSG_NOSIGNAL);
    close(fd);
    return false;
}

static struct probe_plan page_plan(const struct server *server, const char *expect_text)
{
    static char target[64];
    snprintf(target, sizeof target, "http://127.0.0.1:%u/", server->port);
    return (struct probe_plan){.target = target,
                               .interval_ns = 2 * TIMEOUT_NS,
                               .timeout_ns = TIMEOUT_NS,
                               .count = 1,
                               .expect_text = expect_text};
}

static void page_must_contain_its_text(void **state)
{
    (void)state;
    static const int fits = HTTP_BODY_MAX - 6, is_cut = HTTP_BODY_MAX - 5;
    static const struct {
        bool (*serve)(struct server *server, int fd);
        const void *context;
        int expect_status;
        const char *outcome;
        enum stage stage;
    } cases[] = {
        {answer_text, PAGE(6) "needle", 0, "ok", STAGE_DONE},
        {answer_text, PAGE(10) "hayneedle!", 200, "ok", STAGE_DONE},
        {answer_text, PAGE(6) "Needle", 200, "content", STAGE_BODY},
        {answer_text, PAGE(5) "needl", 200, "content", STAGE_BODY},
        {answer_text, PAGE(0), 200, "content", STAGE_BODY},
        {answer_text, "HTTP/1.1 204 No Content\r\n\r\n", 0, "content", STAGE_BODY},
        {answer_text, "HTTP/1.1 200 OK\r\nX: needle\r\nContent-Length: 0\r\n\r\n", 0, "content",
         STAGE_BODY},
        {answer_text,
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnee\r\n3\r\ndle\r\n0\r\n\r\n",
         0, "ok", STAGE_DONE},
        {answer_in_two, PAGE(6) "nee|dle", 0, "ok", STAGE_DONE},
        {answer_in_two, PAGE(9) "nee|needle", 0, "ok", STAGE_DONE},
        {answer_in_two, PAGE(7) "nee|ndle", 0, "content", STAGE_BODY},
        /* The status comes first, whatever the page. */
        {answer_text, "HTTP/1.1 500 Oh\r\nContent-Length: 6\r\n\r\nneedle", 0, "http-error",
         STAGE_REPLY},
        {answer_text, "HTTP/1.1 500 Oh\r\nContent-Length: 3\r\n\r\nhay", 0, "http-error",
         STAGE_REPLY},
        {answer_text, PAGE(6) "needle", 404, "content", STAGE_REPLY},
        {answer_text, "HTTP/1.1 404 No\r\nContent-Length: 6\r\n\r\nneedle", 404, "ok", STAGE_DONE},
        /* A page that never came to its end is no other page. */
        {answer_text, PAGE(100) "hay", 0, "closed", STAGE_BODY},
        {answer_text_and_stall, PAGE(100) "hay", 0, "timeout", STAGE_BODY},
        {answer_text_and_stall, PAGE(100) "needle", 0, "timeout", STAGE_BODY},
        {answer_long, &fits, 0, "ok", STAGE_DONE},
        {answer_long, &is_cut, 0, "content", STAGE_BODY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct server server;
        server_start(&server, false, 0, cases[i].serve, (void *)(uintptr_t)cases[i].context);
        struct probe_plan plan = page_plan(&server, "needle");
        plan.expect_status = cases[i].expect_status;
        struct observation result = fixture_ask_plan(&fixture, &plan);
        server_stop(&server);
        expect(&result, cases[i].outcome, cases[i].stage);
    }
}

/* What is under way when the plan gets another text is judged by the one it was asked with. */
static void new_text_is_for_the_next_page(void **state)
{
    (void)state;
    char text[] = "needle";
    struct server server;
    server_start(&server, false, 0, answer_in_two, PAGE(6) "nee|dle");
    struct probe_plan plan = page_plan(&server, text);
    fixture.wanted = 1;
    assert_int_equal(prober_set_plan(fixture.prober, &plan, 1, NULL), ERR_OK);
    while (!prober_counters(fixture.prober).asked) {
        loop_timer_start(fixture.guard, 10 * NS_PER_MS, 0);
        loop_run(fixture.loop);
    }
    memcpy(text, "other!", sizeof text);
    assert_int_equal(prober_set_plan(fixture.prober, &plan, 1, NULL), ERR_OK);
    fixture_wait(&fixture, 2);
    server_stop(&server);
    expect(&fixture.results[0], "ok", STAGE_DONE);
    expect(&fixture.results[1], "content", STAGE_BODY);
}

static void redirect_loop_is_one_answer(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, false, 0, answer_text,
                 "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n");
    struct observation result = ask_server(&server, "http://", 0);
    server_stop(&server);
    expect(&result, "ok", STAGE_DONE);
    assert_int_equal(result.code, 302);
    assert_int_equal(server.served, 1);
}

/* Goes from /a to /b to /c, which is a page; from /x to where the context says. */
static bool redirect(struct server *server, int fd)
{
    char request[1000] = "", reply[300];
    size_t n = 0;
    while (!strstr(request, "\r\n\r\n") && n < sizeof request - 1) {
        ssize_t got = recv(fd, request + n, sizeof request - 1 - n, 0);
        if (got <= 0)
            break;
        n += (size_t)got;
        request[n] = '\0';
    }
    const char *to = strncmp(request, "GET /a ", 7) == 0   ? "b"
                     : strncmp(request, "GET /b ", 7) == 0 ? "/c"
                     : strncmp(request, "GET /c ", 7) == 0 ? NULL
                                                           : server->context;
    snprintf(reply, sizeof reply, "HTTP/1.1 %s\r\n%s%s\r\nContent-Length: %d\r\n\r\n%s",
             to ? "302 Found" : "200 OK", to ? "Location: " : "Server: s", to ? to : "", to ? 0 : 6,
             to ? "" : "needle");
    write_text(fd, reply);
    close(fd);
    return false;
}

static void redirects_are_followed(void **state)
{
    (void)state;
    static const struct {
        const char *path, *location;
        unsigned redirects;
        const char *outcome;
        enum stage stage;
        unsigned code;
        int served;
    } cases[] = {
        {"a", NULL, 2, "ok", STAGE_DONE, 200, 3},
        {"a", NULL, 1, "redirects", STAGE_REPLY, 302, 2},
        {"x", "/x", 5, "redirects", STAGE_REPLY, 302, 6},
        {"x", "/a", 3, "ok", STAGE_DONE, 200, 4},
        {"x", "ftp://127.0.0.1/", 3, "bad-reply", STAGE_REPLY, 302, 1},
        {"x", "http://127.0.0.9:1/", 3, "refused", STAGE_CONNECT, 0, 1},
        {"x", "http://nothing.invalid/", 3, NULL, STAGE_RESOLVE, 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct server server;
        char target[64];
        server_start(&server, false, 0, redirect, (void *)(uintptr_t)cases[i].location);
        snprintf(target, sizeof target, "http://127.0.0.1:%u/%s", server.port, cases[i].path);
        struct probe_plan plan = page_plan(&server, "needle");
        plan.target = target;
        plan.expect_status = 200; /* of the last page */
        plan.redirects = cases[i].redirects;
        struct observation result = fixture_ask_plan(&fixture, &plan);
        server_stop(&server);
        if (cases[i].outcome)
            expect(&result, cases[i].outcome, cases[i].stage);
        assert_int_equal(result.stage, cases[i].stage);
        assert_int_equal(result.code, cases[i].code);
        assert_int_equal(server.served, cases[i].served);
    }
}

/* A redirect into a private network, where names may not lead either. */
static void redirect_to_a_private_address_is_not_followed(void **state)
{
    (void)state;
    struct manners_options manners = {0};
    struct server server;
    prober_set_manners(fixture.prober, &manners);
    server_start(&server, false, 0, redirect, "http://127.0.0.1:1/");
    struct probe_plan plan = page_plan(&server, NULL);
    plan.redirects = 3;
    struct observation result = fixture_ask_plan(&fixture, &plan);
    server_stop(&server);
    expect(&result, "reserved-address", STAGE_REPLY);
}

static void pages_are_accounted_for(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, false, 0, answer_text,
                 "HTTP/1.1 200 OK\r\nServer: Apache/2.4\r\nContent-Type: text/html\r\n"
                 "Content-Length: 16\r\n\r\n<p>a<b >b</b>c\n ");
    struct observation result = ask_server(&server, "http://", 0);
    server_stop(&server);
    const char *facts = registry_text(fixture.registry, result.extra);
    assert_has(facts, "{\"facts\":{\"http_version\":\"1.1\",\"http_server\":\"Apache/2.4\"");
    /* printf 'a b c' | sha256sum */
    assert_has(facts, "\"body_sha256\":"
                      "\"0e9f64031fcb2bc708b531c2a20441580425d151a38503f38592a7dd36019d3b\"");
    assert_null(strstr(facts, "bytes")); /* which are told, and not kept */
}

static void broken_connections_tell_where(void **state)
{
    (void)state;
    static const struct {
        bool (*serve)(struct server *server, int fd);
        const char *text;
        const char *outcome;
        enum stage stage;
    } cases[] = {
        {reset, NULL, "reset", STAGE_REPLY},
        {stall, NULL, "timeout", STAGE_REPLY},
        {answer_text_and_stall, "HTTP/1.1 200 OK\r\nContent-Le", "timeout", STAGE_REPLY},
        {answer_text_and_stall, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "timeout",
         STAGE_BODY},
        {drip, "X: y\r\n", "timeout", STAGE_REPLY},
        {flood, "X-Long-And-Longer: 0123456789012345678901234567890123456789\r\n", "bad-reply",
         STAGE_REPLY},
        {flood, "\r\n a page without an end, of which only the beginning is taken\r\n", "ok",
         STAGE_DONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct server server;
        server_start(&server, false, 0, cases[i].serve, (void *)(uintptr_t)cases[i].text);
        struct observation result = ask_server(&server, "http://", 0);
        server_stop(&server);
        expect(&result, cases[i].outcome, cases[i].stage);
        if (result.outcome == OUTCOME_TIMEOUT)
            assert_int_equal(result.rtt_ns, 0);
        assert_string_equal(fixture_peer(&fixture, &result), "127.0.0.1");
    }
}

static void closed_port_is_refused(void **state)
{
    (void)state;
    struct server nobody = {.port = unused_port()};
    static const char *const schemes[] = {"http://", "https://", "tls:"};
    for (int i = 0; i < 3; i++) {
        struct observation result = ask_server(&nobody, schemes[i], 0);
        expect(&result, "refused", STAGE_CONNECT);
        assert_string_equal(fixture_peer(&fixture, &result), "127.0.0.1");
    }
}

/* More than may go on at once: the rest waits, and everything is answered. */
static void more_than_the_cap_wait_their_turn(void **state)
{
    (void)state;
    enum { TARGETS = 300 };
    static char texts[TARGETS][64];
    static struct probe_plan plan[TARGETS];
    struct server server;
    server_start(&server, false, 0, answer_text, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    for (int i = 0; i < TARGETS; i++) {
        snprintf(texts[i], sizeof texts[i], "http://127.0.0.1:%u/%d", server.port, i);
        plan[i] = (struct probe_plan){.target = texts[i],
                                      .interval_ns = NS_PER_MINUTE,
                                      .timeout_ns = 8 * NS_PER_S,
                                      .count = 1};
    }
    assert_int_equal(prober_set_plan(fixture.prober, plan, TARGETS, NULL), ERR_OK);
    fixture_wait(&fixture, TARGETS);
    server_stop(&server);
    assert_int_equal(server.served, TARGETS);
    for (int i = 0; i < TARGETS; i++)
        assert_int_equal(fixture.results[i].outcome, OUTCOME_OK);
    struct prober_counters counters = prober_counters(fixture.prober);
    assert_int_equal(counters.http_queued, TARGETS - 256);
    assert_int_equal(counters.http_refused, 0);
}

/* Freed with everything under way: nothing may be left behind, and nothing told. */
static void free_ends_what_is_under_way(void **state)
{
    (void)state;
    enum { TARGETS = 300 };
    static char texts[TARGETS][64];
    static struct probe_plan plan[TARGETS];
    struct fixture own;
    struct server server;
    server_start(&server, false, 0, stall, NULL);
    fixture_start(&own);
    for (int i = 0; i < TARGETS; i++) {
        snprintf(texts[i], sizeof texts[i], "%s127.0.0.1:%u/%d", i % 2 ? "https://" : "http://",
                 server.port, i);
        plan[i] = (struct probe_plan){.target = texts[i],
                                      .interval_ns = 9 * NS_PER_S,
                                      .timeout_ns = 9 * NS_PER_S,
                                      .count = 1};
    }
    plan[0].target = "tcp:127.0.0.2:1";
    assert_int_equal(prober_set_plan(own.prober, plan, TARGETS, NULL), ERR_OK);
    fixture_wait(&own, 1);
    fixture_stop(&own);
    server_stop(&server);
    assert_int_equal(own.count, 1);
}

/* TLS. */

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
};

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* Valid until `valid_s` from now; signed by `issuer`, or by itself. */
static struct identity make_identity(const char *name, const char *alternative, long valid_s,
                                     const struct identity *issuer)
{
    struct identity identity = {EVP_EC_gen("P-256"), X509_new()};
    X509 *certificate = identity.certificate;
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1 + valid_s % 1000 + (issuer ? 5000 : 0));
    X509_gmtime_adj(X509_getm_notBefore(certificate), -7L * 86400);
    X509_gmtime_adj(X509_getm_notAfter(certificate), valid_s);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate,
                         X509_get_subject_name(issuer ? issuer->certificate : certificate));
    X509_set_pubkey(certificate, identity.key);
    if (alternative)
        add_extension(certificate, NID_subject_alt_name, alternative);
    else
        add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    assert_true(X509_sign(certificate, issuer ? issuer->key : identity.key, EVP_sha256()) > 0);
    return identity;
}

static void free_identity(struct identity *identity)
{
    EVP_PKEY_free(identity->key);
    X509_free(identity->certificate);
}

static bool answer_tls(struct server *server, int fd)
{
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    char request[4096];
    struct timeval patience = {.tv_sec = 2};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    SSL *ssl = SSL_new(server->context);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof request) > 0) {
        SSL_write(ssl, reply, (int)sizeof reply - 1);
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    close(fd);
    return false;
}

static struct observation ask_tls(const struct identity *identity, const char *scheme)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context, identity->certificate);
    SSL_CTX_use_PrivateKey(context, identity->key);
    struct server server;
    server_start(&server, false, 0, answer_tls, context);
    struct observation result = ask_server(&server, scheme, 0);
    server_stop(&server);
    SSL_CTX_free(context);
    return result;
}

static struct identity authority; /* which SSL_CERT_FILE names */

static void certificates_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *alternative;
        long valid_s;
        bool is_own_issuer;
        const char *outcome;
        const char *fault; /* in the facts */
    } cases[] = {
        {"IP:127.0.0.1", 90 * 86400, false, "ok", NULL},
        {"IP:127.0.0.1", -3600, false, "cert-expired", "certificate has expired"},
        {"IP:127.0.0.1", 90 * 86400, true, "cert-invalid", "self-signed certificate"},
        {"DNS:other.example", 90 * 86400, false, "cert-invalid", "not valid for this name"},
    };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        const char *scheme = i % 2 ? "tls:" : "https://";
        struct identity identity =
            make_identity("server", cases[i / 2].alternative, cases[i / 2].valid_s,
                          cases[i / 2].is_own_issuer ? NULL : &authority);
        struct observation result = ask_tls(&identity, scheme);
        free_identity(&identity);
        bool is_ok = strcmp(cases[i / 2].outcome, "ok") == 0;
        expect(&result, cases[i / 2].outcome, is_ok ? STAGE_DONE : STAGE_TLS);
        assert_int_equal(result.code, is_ok && i % 2 == 0 ? 200 : 0);
        int64_t off_s = result.value - (clock_utc().ns / NS_PER_S + cases[i / 2].valid_s);
        assert_true(off_s >= -30 && off_s <= 0);
        const char *facts = registry_text(fixture.registry, result.extra);
        assert_has(facts, "\"tls_version\":\"TLSv1.3\"");
        assert_has(facts, "\"cert_subject\":\"CN=server\"");
        assert_has(facts, "\"cert_sha256\":\"");
        assert_has(facts,
                   i < 6 ? "\"cert_names\":[\"127.0.0.1\"]" : "\"cert_names\":[\"other.example\"]");
        if (cases[i / 2].fault)
            assert_has(facts, cases[i / 2].fault);
        else
            assert_null(strstr(facts, "cert_faults"));
    }
}

static void broken_handshakes_tell_how(void **state)
{
    (void)state;
    static const struct {
        bool (*serve)(struct server *server, int fd);
        const char *text;
        const char *outcome;
    } cases[] = {
        {answer_text, "HTTP/1.1 400 Plain\r\n\r\n", "tls-error"},
        {answer_text, "", "tls-error"},
        {reset, NULL, "reset"},
        {stall, NULL, "timeout"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct server server;
        server_start(&server, false, 0, cases[i].serve, (void *)(uintptr_t)cases[i].text);
        struct observation result = ask_server(&server, "https://", 0);
        server_stop(&server);
        expect(&result, cases[i].outcome, STAGE_TLS);
        assert_int_equal(result.value, 0);
    }
}

/* Before the first prober, which reads the trusted certificates. */
static int make_authority(void **state)
{
    (void)state;
    char path[] = "/tmp/lastlight-authority-XXXXXX";
    authority = make_identity("authority", NULL, 90 * 86400, NULL);
    int fd = mkstemp(path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file || !PEM_write_X509(file, authority.certificate) || fclose(file))
        return -1;
    return setenv("SSL_CERT_FILE", path, 1);
}

static int drop_authority(void **state)
{
    (void)state;
    free_identity(&authority);
    return unlink(getenv("SSL_CERT_FILE"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(statuses_have_their_outcomes),
        TEST(page_must_contain_its_text),
        TEST(new_text_is_for_the_next_page),
        TEST(redirect_loop_is_one_answer),
        TEST(new_text_is_for_the_next_page),
        TEST(redirects_are_followed),
        TEST(new_text_is_for_the_next_page),
        TEST(redirect_to_a_private_address_is_not_followed),
        TEST(new_text_is_for_the_next_page),
        TEST(pages_are_accounted_for),
        TEST(broken_connections_tell_where),
        TEST(closed_port_is_refused),
        TEST(more_than_the_cap_wait_their_turn),
        TEST(free_ends_what_is_under_way),
        TEST(certificates_are_judged),
        TEST(broken_handshakes_tell_how),
    };
    return cmocka_run_group_tests(tests, make_authority, drop_authority);
}
