/* source/http_stream and source/transfers: lines as a server sends them, and every way in which that ends. What
 * a stream that goes on for ever meets is in test_ris_live_stream. */
#include "source/http_stream.h"
#include "base/buffer.h"
#include "web_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PAGE(text) .bytes = (text), .size = sizeof(text) - 1

enum { LINE_MAX_OF_TEST = 10 };

/* What was heard of a stream: its lines, each with a | behind it, and then the reason of its end. */
struct heard {
    struct loop *loop;
    struct buffer text;
    int64_t leave_ns;
};

static const char *take_line(void *context, const char *line, size_t n)
{
    struct heard *heard = context;
    buffer_add(&heard->text, line, n);
    buffer_puts(&heard->text, "|");
    return n == 4 && memcmp(line, "stop", n) == 0 ? "that is enough" : NULL;
}

static void take_end(void *context, const char *reason, int64_t leave_ns)
{
    struct heard *heard = context;
    buffer_puts(&heard->text, reason);
    heard->leave_ns = leave_ns;
    loop_stop(heard->loop);
}

static void listen_to(const char *url, struct heard *heard)
{
    *heard = (struct heard){.loop = loop_new()};
    struct http_hub *hub = http_hub_new(heard->loop, "lastlight/test");
    struct http_stream_request request = {
        .url = url, .line_max = LINE_MAX_OF_TEST, .answer_ns = 10 * NS_PER_S};
    struct http_stream_listener listener = {take_line, take_end, heard};
    http_stream_open(hub, &request, &listener);
    loop_run(heard->loop);
    http_hub_free(hub);
    loop_free(heard->loop);
}

static void test_ends(void **state)
{
    (void)state;
    struct web_page pages[] = {
        {.path = "/lines", PAGE("one\r\n\ntwo\nbroken o")},
        {.path = "/fits", PAGE("0123456789\nand more\n")},
        {.path = "/long", PAGE("one\n0123456789a\ntwo\n")},
        {.path = "/endless", PAGE("one\n"), .is_endless = true},
        {.path = "/enough", PAGE("one\nstop\ntwo\n")},
        {.path = "/later", .status = 503, .fail_status = 503, .fail_times = 1, .retry_after = 7},
        {.path = "/moved", .location = "http://192.0.2.1/"},
        {.path = "/head", .bytes = "", .has_endless_head = true},
    };
    static const struct {
        const char *path, *heard;
        int leave_s;
    } cases[] = {
        {"/lines", "one|two|the server ended it", 0},
        {"/fits", "0123456789|and more|the server ended it", 0},
        {"/long", "one|it sends a line of more than 10 bytes", 0},
        {"/endless", "one|it sends a line of more than 10 bytes", 0},
        {"/enough", "one|stop|that is enough", 0},
        {"/later", "HTTP status 503", 7},
        {"/moved", "HTTP status 302: it is now at http://192.0.2.1/", 0},
        {"/head", "the head of its answer has no end", 0},
        {"/none", "HTTP status 404", 0},
    };
    struct web_server *server = web_server_start(pages, COUNT(pages), NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct heard heard;
        char url[64];
        snprintf(url, sizeof url, "http://127.0.0.1:%u%s", web_server_port(server), cases[i].path);
        listen_to(url, &heard);
        assert_string_equal(heard.text.bytes, cases[i].heard);
        assert_int_equal(heard.leave_ns, cases[i].leave_s * NS_PER_S);
        buffer_done(&heard.text);
    }
    web_server_stop(server);
}

static void test_faults(void **state)
{
    (void)state;
    static const struct {
        const char *url, *fault;
    } cases[] = {
        {"https://[2001:db8::1]:8443/stream", NULL},
        {"HTTP://Host.Example", NULL},
        {"ftp://host/", "only http and https can be streamed"},
        {"no url at all", "it is no URL"},
        {"http://", "it is no URL"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *fault = http_stream_fault(cases[i].url);
        assert_string_equal(fault ? fault : "fine", cases[i].fault ? cases[i].fault : "fine");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
