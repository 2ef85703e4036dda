/* wire/tcp: the header, options, truncation at each byte; and reset_watch: what is remembered without a tap. */
#include "source/probe/reset_watch.h"
#include "wire/tcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint8_t syn_ack[] = {
    0x00, 0x50, 0xc3, 0x50,                         /* from 80 to 50000 */
    1,    2,    3,    4,    5, 6, 7, 8, 0x60, 0x12, /* six words, SYN and ACK */
    0xff, 0xff, 0,    0,    0, 0, 2, 4, 0x05, 0xb4, /* a maximum segment size */
    'x'                                             /* data */
};

static void test_header(void **state)
{
    (void)state;
    struct reader r = reader_of(syn_ack, sizeof syn_ack);
    struct tcp_header header = tcp_read(&r);
    assert_null(r.bad);
    assert_int_equal(header.from, 80);
    assert_int_equal(header.to, 50000);
    assert_int_equal(header.flags, TCP_SYN | TCP_ACK);
    assert_int_equal(reader_left(&r), 1);
}

static void test_truncated(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof syn_ack - 1; n++) {
        struct reader r = reader_of(syn_ack, n);
        struct tcp_header header = tcp_read(&r);
        assert_non_null(r.bad);
        assert_int_equal(header.from | header.to | header.flags, 0);
    }
}

static void test_too_few_words(void **state)
{
    (void)state;
    uint8_t bytes[sizeof syn_ack];
    for (uint8_t words = 0; words < 5; words++) {
        memcpy(bytes, syn_ack, sizeof bytes);
        bytes[12] = (uint8_t)(words << 4);
        struct reader r = reader_of(bytes, sizeof bytes);
        tcp_read(&r);
        assert_string_equal(r.bad, "is not a TCP header");
    }
}

/* Without a tap there is nothing to compare with, and nothing is kept. */
static void test_without_tap(void **state)
{
    (void)state;
    struct tcp_tap *const none[2] = {NULL, NULL};
    struct loop *loop = loop_new();
    struct reset_watch *watch = reset_watch_new(loop, none);
    const struct connection connection = {{.family = 4, .bytes = {192, 0, 2, 1}}, 80, 50000};
    reset_watch_note(watch, &connection.peer, 52);
    assert_int_equal(reset_watch_host(watch, &connection.peer), 0);
    assert_int_equal(reset_watch_reset(watch, &connection), 0);
    assert_int_equal(reset_watch_accept(watch, &connection), 0);
    reset_watch_free(watch);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_too_few_words),
        cmocka_unit_test(test_without_tap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
