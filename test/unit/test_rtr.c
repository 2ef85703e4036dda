/* wire/rtr and wire/rtr_session: PDUs there and back, and sessions in virtual time, both sides of
 * them as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/rtr_session.h"
#include "rtr_maker.h"

/* ---- PDUs ---- */

static const char *const all[] = {
    "v1 notify 7 4294967295",
    "v1 serial 65535 3",
    "v1 reset",
    "v1 response 7",
    "v1 +192.0.2.0/24-25 64500",
    "v1 -0.0.0.0/0-32 0",
    "v1 +2001:db8::/32-128 4294967295",
    "v1 -::/0-0 1",
    "v1 end 7 3 10 5 600",
    "v0 end 7 3",
    "v0 response 7",
    "v1 cache-reset",
    "v1 key",
    "v1 error 2 come back later",
    "v0 error 4 ",
};

static void there_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct rtr_maker maker = {0};
        struct buffer bytes = {0}, text = {0};
        struct rtr_pdu pdu;
        enum rtr_error error;
        size_t length = 99;
        rtr_make(&maker, all[i], &bytes);
        const uint8_t *at = (const uint8_t *)bytes.bytes;
        assert_null(rtr_frame(at, bytes.size, &length));
        assert_int_equal(length, bytes.size);
        assert_null(rtr_decode(reader_of(at, length), &pdu, &error));
        rtr_tell(&pdu, &text);
        assert_string_equal(text.bytes, all[i]);
        buffer_done(&bytes);
        buffer_done(&text);
    }
}

/* With a length that is true it ends too early; or it is longer than it may be. */
static void cut_and_stretched(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct rtr_maker maker = {0};
        struct buffer bytes = {0};
        struct rtr_pdu pdu = {.serial = 12345};
        enum rtr_error error;
        size_t length;
        rtr_make(&maker, all[i], &bytes);
        size_t whole = bytes.size;
        buffer_u8(&bytes, 0);
        const uint8_t *at = (const uint8_t *)bytes.bytes;
        for (size_t n = 0; n <= whole + 1; n++) {
            assert_null(rtr_frame(at, n, &length));
            assert_int_equal(length, n < RTR_HEADER ? 0 : whole);
            if (n == whole || strcmp(all[i], "v1 key") == 0)
                continue;
            assert_non_null(rtr_decode(reader_of(at, n), &pdu, &error));
            assert_int_equal(pdu.serial, 12345);
        }
        buffer_done(&bytes);
    }
}

static void faults(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        int error; /* -1: of the frame */
    } cases[] = {
        {"\1\2\0\0\0\0\0\7", 8, -1},         /* shorter than its header */
        {"\1\2\0\0\0\1\0\1", 8, -1},         /* longer than any */
        {"\1\2\0\0\377\377\377\377", 8, -1}, /* much longer */
        {"\2\2\0\0\0\0\0\10", 8, RTR_ERROR_UNSUPPORTED_VERSION},
        {"\1\5\0\0\0\0\0\10", 8, RTR_ERROR_UNSUPPORTED_TYPE},
        {"\1\13\0\0\0\0\0\10", 8, RTR_ERROR_UNSUPPORTED_TYPE},
        {"\0\11\0\0\0\0\0\10", 8, RTR_ERROR_UNSUPPORTED_TYPE}, /* a key in version 0 */
        {"\1\3\0\0\0\0\0\11\0", 9, RTR_ERROR_CORRUPT_DATA},
        {"\1\4\0\0\0\0\0\24\1\41\40\0\300\0\2\0\0\0\0\1", 20, RTR_ERROR_CORRUPT_DATA}, /* /33 */
        {"\1\4\0\0\0\0\0\24\1\30\41\0\300\0\2\0\0\0\0\1", 20, RTR_ERROR_CORRUPT_DATA}, /* to 33 */
        {"\1\4\0\0\0\0\0\24\1\30\27\0\300\0\2\0\0\0\0\1", 20, RTR_ERROR_CORRUPT_DATA}, /* to 23 */
        {"\1\7\0\0\0\0\0\14\0\0\0\1", 12, RTR_ERROR_CORRUPT_DATA}, /* of version 0 */
        {"\0\7\0\0\0\0\0\30\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1", 24, RTR_ERROR_CORRUPT_DATA},
        {"\1\12\0\0\0\0\0\20\0\0\0\1\0\0\0\0", 16, RTR_ERROR_CORRUPT_DATA}, /* quotes more */
        {"\1\12\0\0\0\0\0\20\0\0\0\0\377\377\377\377", 16, RTR_ERROR_CORRUPT_DATA},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t length;
        struct rtr_pdu pdu;
        enum rtr_error error;
        const uint8_t *at = (const uint8_t *)cases[i].bytes;
        const char *fault = rtr_frame(at, cases[i].n, &length);
        assert_int_equal(fault != NULL, cases[i].error < 0);
        if (fault)
            continue;
        assert_int_equal(length, cases[i].n);
        assert_non_null(rtr_decode(reader_of(at, length), &pdu, &error));
        assert_int_equal(error, cases[i].error);
    }
    /* bits behind the length are cut off */
    struct rtr_pdu pdu;
    enum rtr_error error;
    char text[PREFIX_TEXT_MAX];
    assert_null(
        rtr_decode(reader_of("\1\4\0\0\0\0\0\24\1\30\40\0\300\0\2\377\0\0\0\1", 20), &pdu, &error));
    assert_string_equal(prefix_format(&pdu.prefix, text), "192.0.2.0/24");
    assert_string_equal(rtr_error_text(2), "no data available yet");
    assert_string_equal(rtr_error_text(9), "unknown error");
}

/* ---- sessions ---- */

/* Seconds after the begin of time. */
struct world {
    struct rtr_session session;
    struct rtr_maker maker;
    struct mono now;
    struct buffer told; /* steps, and what was sent, since it was looked at last */
};

static void begin(struct world *world)
{
    memset(world, 0, sizeof *world);
    world->now.ns = 1000 * NS_PER_S;
    world->maker.version = 1;
    rtr_session_init(&world->session, world->now, NULL);
}

static void end(struct world *world)
{
    rtr_session_done(&world->session);
    buffer_done(&world->told);
}

static void tell_sent(struct world *world)
{
    struct buffer *out = &world->session.out;
    size_t at = 0, length;
    while (at < out->size) {
        struct rtr_pdu pdu;
        enum rtr_error error;
        const uint8_t *bytes = (const uint8_t *)out->bytes + at;
        assert_null(rtr_frame(bytes, out->size - at, &length));
        assert_null(rtr_decode(reader_of(bytes, length), &pdu, &error));
        buffer_puts(&world->told, world->told.size ? " | > " : "> ");
        rtr_tell(&pdu, &world->told);
        at += length;
    }
    buffer_clear(out);
}

static void tell_step(struct world *world, enum rtr_step step, const struct rtr_pdu *pdu)
{
    static const char *const names[] = {"", "connect", "begin", "", "commit", "forget", "close: "};
    buffer_puts(&world->told, world->told.size ? " | " : "");
    buffer_puts(&world->told, names[step]);
    if (step == RTR_BEGIN && world->session.is_full)
        buffer_puts(&world->told, " anew");
    if (step == RTR_CLOSE)
        buffer_puts(&world->told, world->session.fault);
    if (step == RTR_CHANGE)
        rtr_tell(pdu, &world->told);
}

static void run(struct world *world)
{
    enum rtr_step step;
    struct rtr_pdu pdu;
    int steps = 0;
    while ((step = rtr_session_next(&world->session, world->now, &pdu)) != RTR_WAIT) {
        assert_true(++steps < 100); /* it must come to rest */
        tell_sent(world);
        tell_step(world, step, &pdu);
        if (step == RTR_CONNECT)
            rtr_session_connected(&world->session, world->now);
    }
    tell_sent(world);
    assert_true(rtr_session_due(&world->session).ns > world->now.ns);
}

/* What was told since it was looked at last. */
static void check(struct world *world, const char *wanted)
{
    buffer_puts(&world->told, "");
    assert_string_equal(world->told.bytes, wanted);
    buffer_clear(&world->told);
}

/* Time passes, in one step. */
static void pass(struct world *world, double seconds, const char *wanted)
{
    world->now.ns += (int64_t)(seconds * NS_PER_S);
    run(world);
    check(world, wanted);
}

/* The cache says this. */
static void hear(struct world *world, const char *pdus, const char *wanted)
{
    struct buffer bytes = {0};
    rtr_make_all(&world->maker, pdus, &bytes);
    rtr_session_feed(&world->session, world->now, bytes.bytes, bytes.size);
    buffer_done(&bytes);
    run(world);
    check(world, wanted);
}

static void begin_with_table(struct world *world)
{
    begin(world);
    pass(world, 0, "connect | > v1 reset");
    hear(world, "response 7; +192.0.2.0/24-25 64500; end 7 3 100 50 600",
         "begin anew | v1 +192.0.2.0/24-25 64500 | commit");
}

static void tables_and_changes(void **state)
{
    (void)state;
    struct world world;
    begin_with_table(&world);
    pass(&world, 99, "");
    pass(&world, 1, "> v1 serial 7 3"); /* the refresh interval */
    hear(&world,
         "response 7; +198.51.100.0/24-24 1; key; -192.0.2.0/24-25 64500; end 7 4 100 50 600",
         "begin | v1 +198.51.100.0/24-24 1 | v1 -192.0.2.0/24-25 64500 | commit");
    hear(&world, "notify 7 4", ""); /* nothing new */
    hear(&world, "notify 7 5", "> v1 serial 7 4");
    hear(&world, "notify 7 6", ""); /* while the question is open */
    hear(&world, "response 7; end 7 6 100 50 600", "begin | commit");
    /* The cache does not remember that far back. */
    pass(&world, 100, "> v1 serial 7 6");
    hear(&world, "cache-reset", "> v1 reset");
    hear(&world, "response 8; +10.0.0.0/8-8 1; end 8 1 100 50 600",
         "begin anew | v1 +10.0.0.0/8-8 1 | commit"); /* in a new session */
    pass(&world, 100, "> v1 serial 8 1");
    end(&world);
}

static void split_anywhere(void **state)
{
    (void)state;
    struct world world;
    struct buffer bytes = {0};
    begin(&world);
    pass(&world, 0, "connect | > v1 reset");
    rtr_make_all(&world.maker, "response 7; +192.0.2.0/24-25 64500; key; +::/0-1 2; end 7 3",
                 &bytes);
    for (size_t i = 0; i < bytes.size; i++) {
        rtr_session_feed(&world.session, world.now, bytes.bytes + i, 1);
        run(&world);
        world.now.ns += NS_PER_S;
    }
    check(&world, "begin anew | v1 +192.0.2.0/24-25 64500 | v1 +::/0-1 2 | commit");
    buffer_done(&bytes);
    end(&world);
}

static void connections_come_and_go(void **state)
{
    (void)state;
    struct world world;
    begin_with_table(&world);
    world.now.ns += NS_PER_S;
    rtr_session_lost(&world.session, world.now, "cut");
    pass(&world, 14, "");
    pass(&world, 1, "connect | > v1 serial 7 3");
    /* in the midst of an answer */
    hear(&world, "response 7; +198.51.100.0/24-24 1", "begin | v1 +198.51.100.0/24-24 1");
    rtr_session_lost(&world.session, world.now, "cut");
    pass(&world, 29, ""); /* twice as long */
    pass(&world, 1, "connect | > v1 serial 7 3");
    rtr_session_lost(&world.session, world.now, "cut");
    pass(&world, 49, ""); /* but no longer than the retry interval */
    pass(&world, 1, "connect | > v1 serial 7 3");
    hear(&world, "response 7; end 7 3 100 50 600", "begin | commit");
    rtr_session_lost(&world.session, world.now, "cut");
    pass(&world, 15, "connect | > v1 serial 7 3"); /* from the beginning */
    end(&world);
}

static void silence(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    world.now.ns += NS_PER_S;
    pass(&world, 0, "connect | > v1 reset");
    pass(&world, 59, "");
    pass(&world, 1, "close: the cache does not answer, or too slowly");
    pass(&world, 15, "connect | > v1 reset");
    hear(&world, "response 7", "begin anew");
    pass(&world, 59, "");
    hear(&world, "+192.0.2.0/24-25 64500", "v1 +192.0.2.0/24-25 64500");
    pass(&world, 59, "");
    pass(&world, 1, "close: the cache does not answer, or too slowly");
    end(&world);
    /* No connection comes about. */
    begin(&world);
    struct rtr_pdu pdu;
    assert_int_equal(rtr_session_next(&world.session, world.now, &pdu), RTR_CONNECT);
    pass(&world, 59, "");
    pass(&world, 1, "close: no connection came about");
    end(&world);
}

/* A byte now and then is no answer: half an hour for a whole one. */
static void drip(void **state)
{
    (void)state;
    static const char report[] = "\1\12\0\0\0\0\377\0"; /* the header of one of 65,280 bytes */
    struct world world;
    int steps = 0;
    begin(&world);
    pass(&world, 0, "connect | > v1 reset");
    while (world.session.state != RTR_AWAY && ++steps < 1000) {
        rtr_session_feed(&world.session, world.now, &report[steps > 8 ? 0 : steps - 1], 1);
        world.now.ns += 50 * NS_PER_S;
        run(&world);
    }
    check(&world, "close: the cache does not answer, or too slowly");
    assert_int_equal(steps, 36);
    end(&world);
}

/* What nobody confirms is not known any more, whatever else happens. */
static void expiry(void **state)
{
    (void)state;
    struct world world;
    begin_with_table(&world);
    rtr_session_lost(&world.session, world.now, "cut");
    for (int i = 0; i < 59; i++) {
        world.now.ns += 10 * NS_PER_S;
        run(&world);
        if (world.session.state == RTR_ASKED)
            rtr_session_lost(&world.session, world.now, "cut");
    }
    assert_null(strstr(world.told.bytes, "forget"));
    assert_non_null(strstr(world.told.bytes, "> v1 serial 7 3"));
    buffer_clear(&world.told);
    pass(&world, 10, "forget | connect | > v1 reset");
    end(&world);
    /* An answer with changes to what has expired on its way is of no use. */
    begin_with_table(&world);
    pass(&world, 590, "> v1 serial 7 3");
    hear(&world, "response 7", "begin");
    pass(&world, 10, "forget | close: its answer comes too late | connect | > v1 reset");
    end(&world);
    /* A whole table is, however late. */
    begin_with_table(&world);
    pass(&world, 590, "> v1 serial 7 3");
    hear(&world, "cache-reset", "> v1 reset");
    pass(&world, 10, "forget");
    hear(&world, "response 7; end 7 9", "begin anew | commit");
    end(&world);
}

static void intervals(void **state)
{
    (void)state;
    static const struct {
        const char *last;
        int64_t refresh, retry, expire;
    } cases[] = {
        {"v1 end 7 3 100 50 600", 100, 50, 600},
        {"v1 end 7 3 4294967295 4294967295 4294967295", 86400, 7200, 172800},
        {"v1 end 7 3 1 1 1", 1, 1, 600},
        {"v1 end 7 3 80000 100 700", 80000, 100, 80100}, /* else it would expire each time */
        {"v0 end 7 3", 3600, 600, 7200},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world world;
        char pdus[80];
        begin(&world);
        pass(&world, 0, "connect | > v1 reset");
        snprintf(pdus, sizeof pdus, "v%c response 7; %s", cases[i].last[1], cases[i].last);
        hear(&world, pdus, "begin anew | commit");
        assert_int_equal(world.session.refresh_ns, cases[i].refresh * NS_PER_S);
        assert_int_equal(world.session.retry_ns, cases[i].retry * NS_PER_S);
        assert_int_equal(world.session.expire_ns, cases[i].expire * NS_PER_S);
        end(&world);
    }
}

static void older_versions(void **state)
{
    (void)state;
    struct world world;
    /* It answers in its own. */
    begin(&world);
    pass(&world, 0, "connect | > v1 reset");
    hear(&world, "v0 notify 9 9", ""); /* of whatever version (RFC 8210, 7) */
    hear(&world, "response 7; +10.0.0.0/8-8 1; end 7 3",
         "begin anew | v0 +10.0.0.0/8-8 1 | commit");
    pass(&world, 3600, "> v0 serial 7 3");
    hear(&world, "v1 response 7", "> v0 error 8 the version changes | close: the version changes");
    end(&world);
    /* It says so. */
    begin(&world);
    pass(&world, 0, "connect | > v1 reset");
    hear(&world, "v0 error 4 only 0",
         "close: the cache reports: unsupported protocol version (only 0) | connect | > v0 reset");
    hear(&world, "response 7; end 7 3", "begin anew | commit");
    rtr_session_lost(&world.session, world.now, "cut");
    pass(&world, 15, "connect | > v0 serial 7 3");
    end(&world);
    /* It closes without a word: both are tried in turn. */
    begin(&world);
    pass(&world, 0, "connect | > v1 reset");
    rtr_session_lost(&world.session, world.now, "closed");
    pass(&world, 15, "connect | > v0 reset");
    rtr_session_lost(&world.session, world.now, "closed");
    pass(&world, 30, "connect | > v1 reset");
    hear(&world, "v1 error 4",
         "close: the cache reports: unsupported protocol version | connect | > v0 reset");
    hear(&world, "v0 error 4", "close: the cache reports: unsupported protocol version");
    pass(&world, 600, "connect | > v1 reset");
    end(&world);
    /* It was of version 1, and has been replaced. Its serials mean nothing now. */
    begin_with_table(&world);
    rtr_session_lost(&world.session, world.now, "cut");
    pass(&world, 15, "connect | > v1 serial 7 3");
    hear(&world, "v0 response 7",
         "close: the cache speaks another version now | connect | > v0 reset");
    hear(&world, "v1 response 7",
         "close: the cache speaks another version now | connect | > v1 reset");
    end(&world);
    /* One from the future. */
    begin(&world);
    pass(&world, 0, "connect | > v1 reset");
    hear(&world, "v2 notify 7 1", "");
    hear(&world, "v2 error 4", "close: a PDU is of a version that is not known");
    pass(&world, 15, "connect | > v1 reset");
    hear(&world, "v2 response 7",
         "> v1 error 4 a PDU is of a version that is not known | "
         "close: a PDU is of a version that is not known");
    end(&world);
}

/* What was known is not: it was another cache's. The whole table is asked for at once, unless it
 * was that. */
static void another_session(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *begin, *report;
    } cases[] = {
        {"response 8", "", "> v1 error 0 the session is another one | "},
        {"response 7; end 8 4", "begin | ", "> v1 error 0 the session is another one | "},
        {"error 0", "", ""}, /* it is the cache that sees it, like StayRTR */
    };
    struct world world;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char wanted[240];
        begin_with_table(&world);
        pass(&world, 100, "> v1 serial 7 3");
        snprintf(wanted, sizeof wanted, "%s%sforget | close: %s | connect | > v1 reset",
                 cases[i].begin, cases[i].report,
                 cases[i].report[0] ? "the session is another one"
                                    : "the cache reports: corrupt data");
        hear(&world, cases[i].answer, wanted);
        hear(&world, "response 8; end 9 1",
             "begin anew | > v1 error 0 the session is another one | forget | "
             "close: the session is another one");
        pass(&world, 29, "");
        pass(&world, 1, "connect | > v1 reset");
        end(&world);
    }
    begin_with_table(&world);
    hear(&world, "notify 8 3",
         "> v1 error 0 the session is another one | forget | close: the session is another one");
    pass(&world, 15, "connect | > v1 reset");
    end(&world);
}

static void errors(void **state)
{
    (void)state;
    static const struct {
        const char *before; /* to get there */
        const char *pdus, *wanted;
    } cases[] = {
        {NULL, "error 2 no\x1b[2Jt yet",
         "close: the cache reports: no data available yet (no?[2Jt yet)"},
        {NULL, "error 77", "close: the cache reports: unknown error"},
        {NULL, "+10.0.0.0/8-8 1",
         "> v1 error 0 a PDU comes where none like it may | close: a PDU comes where none like it "
         "may"},
        {NULL, "end 7 3",
         "> v1 error 0 a PDU comes where none like it may | close: a PDU comes where none like it "
         "may"},
        {NULL, "cache-reset",
         "> v1 error 0 a PDU comes where none like it may | close: a PDU comes where none like it "
         "may"},
        {NULL, "reset",
         "> v1 error 0 a PDU comes where none like it may | close: a PDU comes where none like it "
         "may"},
        {"response 7", "response 7",
         "> v1 error 0 a PDU comes where none like it may | close: a PDU comes where none like it "
         "may"},
        {"response 7", "cache-reset",
         "> v1 error 0 a PDU comes where none like it may | close: a PDU comes where none like it "
         "may"},
        {"response 7", "v0 +10.0.0.0/8-8 1",
         "> v1 error 8 the version changes | close: the version changes"},
        {"response 7", "error 1 out of memory",
         "close: the cache reports: internal error (out of memory)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world world;
        begin(&world);
        pass(&world, 0, "connect | > v1 reset");
        if (cases[i].before)
            hear(&world, cases[i].before, "begin anew");
        hear(&world, cases[i].pdus, cases[i].wanted);
        pass(&world, 15, "connect | > v1 reset");
        end(&world);
    }
}

/* A cache that has begun anew says so in one way or another. */
static void errors_and_serials(void **state)
{
    (void)state;
    struct world world;
    begin_with_table(&world);
    pass(&world, 100, "> v1 serial 7 3");
    hear(&world, "error 2", "close: the cache reports: no data available yet");
    pass(&world, 15, "connect | > v1 serial 7 3");
    hear(&world, "error 3 what", "close: the cache reports: invalid request (what)");
    pass(&world, 30, "connect | > v1 reset");
    end(&world);
}

static void lying_lengths(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *wanted;
    } cases[] = {
        {"\1\3\0\7\0\0\0\7", 8,
         "> v1 error 0 a PDU is shorter than its header | close: a PDU is shorter than its header"},
        {"\1\3\0\7\377\377\377\377", 8,
         "> v1 error 0 a PDU is longer than any may be | close: a PDU is longer than any may be"},
        {"\1\3\0\7\0\0\0\11\0", 9, "> v1 error 0 has bytes left over | close: has bytes left over"},
        {"\1\12\0\4\0\0\0\11\0", 9, "close: ends too early"},
        {"\1\12\0\4\0\0\0\7\0", 9,
         "> v1 error 0 a PDU is shorter than its header | close: a PDU is shorter than its header"},
        {"GET / HTTP/1.0", 14,
         "> v1 error 0 a PDU is longer than any may be | close: a PDU is longer than any may be"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world world;
        begin(&world);
        pass(&world, 0, "connect | > v1 reset");
        rtr_session_feed(&world.session, world.now, cases[i].bytes, cases[i].n);
        run(&world);
        check(&world, cases[i].wanted);
        end(&world);
    }
}

/* An answer that does not fit what is known does not prolong its life. */
static void refusal(void **state)
{
    (void)state;
    struct world world;
    struct rtr_pdu pdu;
    begin_with_table(&world);
    int64_t expires = world.session.expires.ns;
    pass(&world, 100, "> v1 serial 7 3");
    hear(&world, "response 7", "begin");
    struct buffer bytes = {0};
    rtr_make_all(&world.maker, "end 7 4", &bytes);
    rtr_session_feed(&world.session, world.now, bytes.bytes, bytes.size);
    buffer_done(&bytes);
    assert_int_equal(rtr_session_next(&world.session, world.now, &pdu), RTR_COMMIT);
    rtr_session_refuse(&world.session, world.now, RTR_ERROR_DUPLICATE, "twice");
    run(&world);
    check(&world, "> v1 error 7 twice | close: twice");
    assert_int_equal(world.session.expires.ns, expires);
    pass(&world, 15, "connect | > v1 reset");
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back), cmocka_unit_test(cut_and_stretched),
        cmocka_unit_test(faults),         cmocka_unit_test(tables_and_changes),
        cmocka_unit_test(split_anywhere), cmocka_unit_test(connections_come_and_go),
        cmocka_unit_test(silence),        cmocka_unit_test(drip),
        cmocka_unit_test(expiry),         cmocka_unit_test(intervals),
        cmocka_unit_test(older_versions), cmocka_unit_test(another_session),
        cmocka_unit_test(errors),         cmocka_unit_test(errors_and_serials),
        cmocka_unit_test(lying_lengths),  cmocka_unit_test(refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
