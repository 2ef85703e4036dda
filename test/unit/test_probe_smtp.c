/* source/probe: mail servers, against servers on loopback that misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "probe_fixture.h"
#include "texts.h"

#include "source/probe/smtp.h"
#include "source/probe/smtp_reply.h"

#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

/* ---- replies ---- */

static enum smtp_progress feed(const char *text, struct smtp_reply *reply)
{
    enum smtp_progress progress = SMTP_MORE;
    smtp_reply_begin(reply);
    for (; *text && progress != SMTP_BAD && progress != SMTP_OVER; text++)
        progress = smtp_reply_feed(reply, *text);
    return *text ? SMTP_BAD : progress; /* something after the last line */
}

static void replies_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum smtp_progress progress;
        unsigned code, lines;
        const char *last;
    } cases[] = {
        {"220 mx ready\r\n", SMTP_OVER, 220, 1, "mx ready"},
        {"220\r\n", SMTP_OVER, 220, 1, ""},
        {"220\n", SMTP_OVER, 220, 1, ""},
        {"220 \r\n", SMTP_OVER, 220, 1, ""},
        {"220 mx\n", SMTP_OVER, 220, 1, "mx"},
        {"250-mx\r\n250-STARTTLS\r\n250 SIZE 1\r\n", SMTP_OVER, 250, 3, "SIZE 1"},
        {"250-mx\r\n", SMTP_LINE, 250, 1, "mx"},
        {"250-mx\r\n25", SMTP_MORE, 250, 1, NULL},
        {"250-mx\r\n251 other\r\n", SMTP_BAD, 0, 0, NULL},
        {"SSH-2.0-OpenSSH_9.2\r\n", SMTP_BAD, 0, 0, NULL},
        {"2x0 a\r\n", SMTP_BAD, 0, 0, NULL},
        {"220+a\r\n", SMTP_BAD, 0, 0, NULL},
        {"100 a\r\n", SMTP_BAD, 0, 0, NULL},
        {"22\r\n", SMTP_BAD, 0, 0, NULL},
        {"\r\n", SMTP_BAD, 0, 0, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct smtp_reply reply;
        enum smtp_progress progress = feed(cases[i].text, &reply);
        if (progress != cases[i].progress)
            fail_msg("'%s' gave %d", cases[i].text, (int)progress);
        if (progress == SMTP_BAD)
            continue;
        assert_int_equal(reply.code, cases[i].code);
        assert_int_equal(reply.lines, cases[i].lines);
        if (cases[i].last)
            assert_string_equal(reply.line, cases[i].last);
    }
}

static void replies_are_bounded(void **state)
{
    (void)state;
    struct smtp_reply reply;
    smtp_reply_begin(&reply);
    enum smtp_progress progress = SMTP_MORE;
    size_t n = 0;
    for (; progress == SMTP_MORE && n < 100000; n++)
        progress = smtp_reply_feed(&reply, n < 3 ? '2' : n == 3 ? ' ' : 'x');
    assert_int_equal(progress, SMTP_BAD);
    assert_int_equal(n, 4 + SMTP_LINE_MAX + 1);
    smtp_reply_begin(&reply);
    for (n = 0; n < 100000; n++) {
        for (const char *c = "250-x\r\n"; *c; c++)
            progress = smtp_reply_feed(&reply, *c);
        if (progress == SMTP_BAD)
            break;
    }
    assert_int_equal(n, SMTP_LINES_MAX);
}

static void offers_are_words(void **state)
{
    (void)state;
    assert_true(smtp_line_offers("STARTTLS", "STARTTLS"));
    assert_true(smtp_line_offers("starttls x", "STARTTLS"));
    assert_false(smtp_line_offers("STARTTLSX", "STARTTLS"));
    assert_false(smtp_line_offers("X STARTTLS", "STARTTLS"));
}

/* ---- servers ---- */

/* What a server says after each thing that it is told, from the banner on; NULL: it hangs up; "": it keeps
 * silent. */
struct script {
    const char *says[6];
    SSL_CTX *tls; /* begun after "220 go" */
    char heard[1000];
};

static bool say(SSL *ssl, int fd, const char *text)
{
    int n = (int)strlen(text);
    return ssl ? SSL_write(ssl, text, n) == n : send(fd, text, (size_t)n, MSG_NOSIGNAL) == n;
}

/* A line, kept for the test. */
static bool hear(struct script *script, SSL *ssl, int fd)
{
    char line[200];
    size_t n = 0;
    while (n < sizeof line - 1) {
        int got = ssl ? SSL_read(ssl, line + n, 1) : (int)recv(fd, line + n, 1, 0);
        if (got <= 0)
            return false;
        if (line[n++] == '\n')
            break;
    }
    line[n] = '\0';
    strncat(script->heard, line, sizeof script->heard - strlen(script->heard) - 1);
    return true;
}

static bool serve(struct server *server, int fd)
{
    struct script *script = server->context;
    struct timeval patience = {.tv_sec = 2};
    SSL *ssl = NULL;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (size_t i = 0; i < 6 && script->says[i]; i++) {
        const char *text = script->says[i];
        if (!*text)
            poll(NULL, 0, 700);
        else if (!say(ssl, fd, text))
            break;
        if (script->tls && !ssl && strncmp(text, "220 go", 6) == 0) {
            ssl = SSL_new(script->tls);
            SSL_set_fd(ssl, fd);
            if (SSL_accept(ssl) != 1)
                break;
        }
        if (!hear(script, ssl, fd))
            break;
    }
    SSL_free(ssl);
    close(fd);
    return false;
}

static struct observation ask(struct script *script)
{
    struct server server;
    char target[64];
    server_start(&server, false, 0, serve, script);
    snprintf(target, sizeof target, "smtp:127.0.0.1:%u", server.port);
    struct observation result = fixture_ask(&fixture, target, TIMEOUT_NS, 0);
    server_stop(&server);
    return result;
}

static void servers_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *says[6];
        const char *outcome;
        enum stage stage;
        unsigned code;
    } cases[] = {
        {{"220 mx ready\r\n", "250-mx\r\n250 SIZE 9\r\n", "221 bye\r\n"}, "ok", STAGE_DONE, 250},
        {{"220 mx ready\r\n", "250 mx\r\n"}, "ok", STAGE_DONE, 250}, /* no good-bye */
        {{"220 mx ready\r\n", "250 mx\r\n", ""}, "ok", STAGE_DONE, 250},
        {{"220-mx\r\n220 ready\r\n", "250 mx\r\n"}, "ok", STAGE_DONE, 250},
        {{"421 too busy\r\n"}, "smtp-error", STAGE_REPLY, 421},
        {{"554 no\r\n"}, "smtp-error", STAGE_REPLY, 554},
        {{"220 mx\r\n", "502 what\r\n"}, "smtp-error", STAGE_REPLY, 502},
        {{"220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", "454 not now\r\n"},
         "smtp-error",
         STAGE_REPLY,
         454},
        {{"220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go\r\n"}, "reset", STAGE_TLS, 0},
        {{"220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go\r\n250 mx\r\n"},
         "bad-reply",
         STAGE_REPLY,
         220},
        {{"SSH-2.0-OpenSSH_9.2\r\n"}, "bad-reply", STAGE_REPLY, 0},
        {{"220 mx\r\n250 mx\r\n", ""}, "bad-reply", STAGE_REPLY, 220},
        {{"220 mx\r\n"}, "closed", STAGE_REPLY, 0},
        {{"220 mx\r\n", ""}, "timeout", STAGE_REPLY, 0},
        {{""}, "timeout", STAGE_REPLY, 0},
        {{NULL}, "closed", STAGE_REPLY, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct script script = {0};
        memcpy(script.says, cases[i].says, sizeof script.says);
        struct observation result = ask(&script);
        if (strcmp(outcome_name((enum outcome)result.outcome), cases[i].outcome) != 0)
            fail_msg("case %zu is %s", i, outcome_name((enum outcome)result.outcome));
        assert_int_equal(result.stage, cases[i].stage);
        assert_int_equal(result.code, cases[i].code);
    }
}

/* What is said to them, and what is kept of what they say. */
static void session_is_polite(void **state)
{
    (void)state;
    struct script script = {.says = {"220 mx.kcna.kp ESMTP\r\n",
                                     "250-mx\r\n250-SIZE 9\r\n250 8BITMIME\r\n", "221 bye\r\n"}};
    struct observation result = ask(&script);
    assert_string_equal(script.heard, "EHLO [127.0.0.1]\r\nQUIT\r\n");
    assert_string_equal(registry_text(fixture.registry, result.extra),
                        "{\"facts\":{\"banner\":\"mx.kcna.kp ESMTP\",\"extensions\":[\"SIZE 9\","
                        "\"8BITMIME\"],\"starttls\":false}}");
}

/* A certificate that is signed by nobody and has expired: told, and no failure. */
static SSL_CTX *make_tls(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
    X509_gmtime_adj(X509_getm_notAfter(certificate), -3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)"mx", -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_set_pubkey(certificate, key);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return context;
}

static void tls_is_begun_where_it_is_offered(void **state)
{
    (void)state;
    struct script script = {.says = {"220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go\r\n",
                                     "250-mx\r\n250 AUTH PLAIN\r\n", "221 bye\r\n"},
                            .tls = make_tls()};
    struct observation result = ask(&script);
    SSL_CTX_free(script.tls);
    assert_string_equal(outcome_name((enum outcome)result.outcome), "ok");
    assert_string_equal(script.heard,
                        "EHLO [127.0.0.1]\r\nSTARTTLS\r\nEHLO [127.0.0.1]\r\nQUIT\r\n");
    const char *facts = registry_text(fixture.registry, result.extra);
    assert_has(facts, "\"tls_version\":\"TLSv1.3\"");
    assert_has(facts, "self-signed certificate");
    assert_has(facts, "certificate has expired");
    assert_has(facts, "\"starttls\":true");
    assert_true(result.value > 0);
}

/* One that never ends, and one that drips. */
static bool flood(struct server *server, int fd)
{
    (void)server;
    for (int i = 0; i < 100000 && send(fd, "220-x\r\n", 7, MSG_NOSIGNAL) == 7; i++)
        ;
    close(fd);
    return false;
}

static bool drip(struct server *server, int fd)
{
    (void)server;
    for (int i = 0; i < 100 && send(fd, "2", 1, MSG_NOSIGNAL) == 1; i++)
        poll(NULL, 0, 10);
    close(fd);
    return false;
}

static void endless_talk_is_bounded(void **state)
{
    (void)state;
    static const struct {
        bool (*serve)(struct server *server, int fd);
        const char *outcome;
    } cases[] = {{flood, "bad-reply"}, {drip, "timeout"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct server server;
        char target[64];
        server_start(&server, false, 0, cases[i].serve, NULL);
        snprintf(target, sizeof target, "smtp:127.0.0.1:%u", server.port);
        struct observation result = fixture_ask(&fixture, target, TIMEOUT_NS, 0);
        server_stop(&server);
        assert_string_equal(outcome_name((enum outcome)result.outcome), cases[i].outcome);
        assert_true(result.rtt_ns < TIMEOUT_NS);
    }
}

static void closed_port_is_refused(void **state)
{
    (void)state;
    char target[64];
    snprintf(target, sizeof target, "smtp:127.0.0.1:%u", unused_port());
    struct observation result = fixture_ask(&fixture, target, TIMEOUT_NS, 0);
    assert_string_equal(outcome_name((enum outcome)result.outcome), "refused");
    assert_int_equal(result.stage, STAGE_CONNECT);
    assert_string_equal(fixture_peer(&fixture, &result), "127.0.0.1");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_read),
        cmocka_unit_test(replies_are_bounded),
        cmocka_unit_test(offers_are_words),
        TEST(servers_are_judged),
        TEST(session_is_polite),
        TEST(tls_is_begun_where_it_is_offered),
        TEST(endless_talk_is_bounded),
        TEST(closed_port_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
