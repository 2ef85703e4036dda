/* source/bgp/bgp_speaker: messages, time, UPDATEs, refreshes, stops, collisions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "speaker_world.h"

#define BODY(bytes) bytes, sizeof bytes - 1

/* ---- messages at the right and the wrong time ---- */

enum made {
    AN_OPEN,
    AN_UPDATE,
    A_NOTIFICATION,
    A_KEEPALIVE,
    A_REFRESH,
    BAD_MARKER,
    TOO_SHORT,
    TOO_LONG,
    LONG_UPDATE,
    LONG_KEEPALIVE,
    SHORT_OPEN,
    SHORT_UPDATE,
    SHORT_NOTIFICATION,
    SHORT_REFRESH,
    TYPE_0,
    TYPE_6
};

static void make(struct buffer *out, enum made what)
{
    static const char zeros[20];
    char long_body[4097] = {0}; /* one byte too long without RFC 8654, with the header and all */
    size_t before = out->size;
    struct bgp_notification notification = {.code = BGP_ERROR_CEASE,
                                            .subcode = BGP_CEASE_RESOURCES};
    switch (what) {
    case AN_OPEN:
        bgp_open_write(out, &bgp_router);
        break;
    case AN_UPDATE:
        bgp_make_update(out, NULL, "65001", "198.51.100.0/24");
        break;
    case A_NOTIFICATION:
        bgp_notification_write(out, &notification);
        break;
    case A_REFRESH:
        bgp_refresh_write(out, 4);
        break;
    case LONG_UPDATE: /* a withdrawn default route, and an attribute that nobody knows */
        memcpy(long_body, "\0\x01\0\x0f\xfc\xd0\xc8\x0f\xf8", 9);
        bgp_message_write(out, BGP_UPDATE, long_body, sizeof long_body);
        break;
    case LONG_KEEPALIVE:
        bgp_message_write(out, BGP_KEEPALIVE, zeros, 1);
        break;
    case SHORT_OPEN:
        bgp_message_write(out, BGP_OPEN, zeros, 9);
        break;
    case SHORT_UPDATE:
        bgp_message_write(out, BGP_UPDATE, zeros, 3);
        break;
    case SHORT_NOTIFICATION:
        bgp_message_write(out, BGP_NOTIFICATION, zeros, 1);
        break;
    case SHORT_REFRESH:
        bgp_message_write(out, BGP_ROUTE_REFRESH, zeros, 3);
        break;
    default:
        bgp_keepalive_write(out);
    }
    if (what == BAD_MARKER)
        out->bytes[before + 15] = 0;
    if (what == TOO_SHORT)
        out->bytes[before + 17] = 18;
    if (what == TOO_LONG)
        memcpy(out->bytes + before + 16, "\xff\xff\x01", 3); /* an OPEN of 65535 bytes */
    if (what == TYPE_0 || what == TYPE_6)
        out->bytes[before + 18] = what == TYPE_0 ? 0 : 6;
}

static void every_message_at_every_time(void **state)
{
    /* In OpenSent, OpenConfirm and Established: what it tells, and what it answers. */
    static const struct {
        enum made what;
        const char *in[3];
    } cases[] = {
        {AN_OPEN,
         {"opened>KEEPALIVE", "closed>NOTIFICATION(5/2:01)", "closed>NOTIFICATION(5/3:01)"}},
        {AN_UPDATE,
         {"closed>NOTIFICATION(5/1:02)", "closed>NOTIFICATION(5/2:02)", "+198.51.100.0/24>"}},
        {A_NOTIFICATION, {"closed>", "closed>", "closed>"}},
        {A_KEEPALIVE, {"closed>NOTIFICATION(5/1:04)", "established>", ">"}},
        {A_REFRESH, {"closed>NOTIFICATION(5/1:05)", "closed>NOTIFICATION(5/2:05)", ">"}},
        {BAD_MARKER, {"closed>NOTIFICATION(1/1)"}},
        {TOO_SHORT, {"closed>NOTIFICATION(1/2:0012)"}},
        {TOO_LONG, {"closed>NOTIFICATION(1/2:ffff)"}},
        {LONG_UPDATE,
         {"closed>NOTIFICATION(1/2:1014)", "closed>NOTIFICATION(5/2:02)", "-0.0.0.0/0>"}},
        {LONG_KEEPALIVE, {"closed>NOTIFICATION(1/2:0014)"}},
        {SHORT_OPEN, {"closed>NOTIFICATION(1/2:001c)"}},
        {SHORT_UPDATE, {"closed>NOTIFICATION(1/2:0016)"}},
        {SHORT_NOTIFICATION, {"closed>"}},
        {SHORT_REFRESH, {"closed>NOTIFICATION(1/2:0016)"}},
        {TYPE_0, {"closed>NOTIFICATION(1/3:00)"}},
        {TYPE_6, {"closed>NOTIFICATION(1/3:06)"}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t level = 0; level < 3; level++) {
            struct world world;
            char got[200];
            const char *wanted = cases[i].in[level] ? cases[i].in[level] : cases[i].in[0];
            begin_with(&world, &bgp_router, (enum level)level);
            said(&world);
            make(&world.bytes, cases[i].what);
            snprintf(got, sizeof got, "%s>", hear(&world));
            snprintf(got + strlen(got), sizeof got - strlen(got), "%s", said(&world));
            assert_string_equal(got, wanted);
            bool is_closed = strncmp(got, "closed", 6) == 0;
            assert_int_equal(bgp_speaker_is_closed(world.speaker), is_closed);
            assert_int_equal(*bgp_speaker_reason(world.speaker) != '\0', is_closed);
            make(&world.bytes, AN_OPEN); /* who is closed says and hears nothing any more */
            if (is_closed) {
                assert_string_equal(hear(&world), "");
                assert_string_equal(said(&world), "");
                assert_int_equal(bgp_speaker_wants(world.speaker).ns, INT64_MAX);
            }
            end(&world);
        }
}

/* A message longer than 4096 bytes wants both sides to have said so of us (RFC 8654, 4). */
static void long_messages(void **state)
{
    (void)state;
    struct world world;
    struct bgp_speaker_options options = plain;
    options.open.has_long_messages = false;
    begin_as(&world, &options);
    make(&world.bytes, AN_OPEN);
    make(&world.bytes, A_KEEPALIVE);
    assert_string_equal(hear(&world), "opened established");
    said(&world);
    make(&world.bytes, LONG_UPDATE);
    assert_string_equal(hear(&world), "closed");
    assert_string_equal(said(&world), "NOTIFICATION(1/2:1014)");
    end(&world);
}

/* ---- time ---- */

static void keepalives(void **state)
{
    static const struct {
        uint16_t router_s;
        double hold_s; /* 0: never */
    } cases[] = {{180, 90}, {90, 90}, {30, 30}, {3, 3}, {0, 0}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct world world;
        struct bgp_open router = bgp_router;
        double hold_s = cases[i].hold_s, third = hold_s / 3;
        router.hold_s = cases[i].router_s;
        begin_with(&world, &router, IN_ESTABLISHED);
        assert_int_equal(bgp_speaker_hold_ns(world.speaker), (int64_t)(hold_s * 1e9));
        if (!cases[i].router_s) { /* RFC 4271, 4.2: no KEEPALIVEs, and no end */
            assert_int_equal(bgp_speaker_wants(world.speaker).ns, INT64_MAX);
            world.now = at(1e6);
            assert_string_equal(told(&world), "");
            assert_string_equal(said(&world), "");
            end(&world);
            continue;
        }
        assert_int_equal(bgp_speaker_wants(world.speaker).ns, at(third).ns);
        world.now = at(third - 0.001);
        assert_string_equal(told(&world), "");
        assert_string_equal(said(&world), "");
        world.now = at(third);
        assert_string_equal(told(&world), "");
        assert_string_equal(said(&world), "KEEPALIVE");
        /* An UPDATE is a sign of life as good as a KEEPALIVE. */
        make(&world.bytes, i % 2 ? AN_UPDATE : A_KEEPALIVE);
        hear(&world);
        world.now = at(third + hold_s - 0.001);
        assert_string_equal(told(&world), "");
        assert_string_equal(said(&world), "KEEPALIVE");
        world.now = at(third + hold_s);
        assert_string_equal(told(&world), "closed");
        assert_string_equal(said(&world), "NOTIFICATION(4/0)");
        assert_false(bgp_speaker_was_fault(world.speaker));
        assert_int_equal(bgp_speaker_heard(world.speaker).ns, at(third).ns);
        end(&world);
    }
}

static void silence_before_the_session(void **state)
{
    (void)state;
    struct world world;
    begin_with(&world, NULL, IN_OPEN_SENT);
    said(&world);
    world.now = at(59.9);
    assert_string_equal(told(&world), "");
    world.now = bgp_speaker_wants(world.speaker);
    assert_string_equal(told(&world), "closed");
    assert_string_equal(said(&world), "NOTIFICATION(4/0)");
    assert_string_equal(bgp_speaker_reason(world.speaker),
                        "Hold Timer Expired (nothing was heard for 60 s)");
    end(&world);
    begin_with(&world, &bgp_router, IN_OPEN_CONFIRM);
    world.now = at(89.9);
    assert_string_equal(told(&world), "");
    assert_string_equal(said(&world), "KEEPALIVE");
    world.now = at(90);
    assert_string_equal(told(&world), "closed");
    end(&world);
    /* What came in while we did not run is heard before silence is judged. */
    begin(&world);
    world.now = at(500);
    make(&world.bytes, AN_UPDATE);
    assert_string_equal(hear(&world), "+198.51.100.0/24");
    end(&world);
}

/* A router that takes in nothing: what waits for it does not grow without end. */
static void nobody_reads(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    int i = 0;
    for (; i < 2000 && !bgp_speaker_is_closed(world.speaker); i++) {
        world.now = bgp_speaker_wants(world.speaker);
        make(&world.bytes, A_KEEPALIVE);
        hear(&world);
    }
    assert_in_range(i, BGP_OUTPUT_MAX / 19, BGP_OUTPUT_MAX / 19 + 2);
    assert_string_equal(bgp_speaker_reason(world.speaker),
                        "the router does not read what is sent to it");
    end(&world);
}

/* ---- UPDATEs ---- */

static void updates(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    bgp_make_update(&world.bytes, "10.0.0.0/8", "65001 4837", "198.51.100.0/24 198.51.101.0/24");
    bgp_make_update6(&world.bytes, 65001, "2001:db8::/32");
    bgp_make_end_of_rib(&world.bytes, 4);
    bgp_make_end_of_rib(&world.bytes, 6);
    assert_string_equal(hear(&world), "-10.0.0.0/8 +198.51.100.0/24 +198.51.101.0/24 "
                                      "+2001:db8::/32 end4 end6");
    assert_int_equal(bgp_speaker_counters(world.speaker)->updates, 4);
    assert_int_equal(bgp_speaker_counters(world.speaker)->bad, 0);
    /* RFC 7606: ORIGIN with a wrong value makes a withdrawal of it, and the session stays. */
    size_t at_origin = world.bytes.size + 19 + 2 + 2 + 3;
    bgp_make_update(&world.bytes, NULL, "65001", "198.51.100.0/24");
    world.bytes.bytes[at_origin] = 9;
    assert_string_equal(hear(&world), "-198.51.100.0/24");
    assert_int_equal(bgp_speaker_counters(world.speaker)->bad, 1);
    assert_string_equal(bgp_speaker_first_fault(world.speaker), "ORIGIN is malformed");
    assert_string_equal(said(&world), "");
    /* Of one whose parts do not fit together nobody knows what it said. */
    bgp_message_write(&world.bytes, BGP_UPDATE, "\xff\xff\x00\x00", 4);
    assert_string_equal(hear(&world), "closed");
    assert_string_equal(said(&world), "NOTIFICATION(3/1)");
    assert_true(bgp_speaker_was_fault(world.speaker));
    end(&world);
}

/* What was not agreed on is passed over (RFC 4760, 7). */
static void families(void **state)
{
    (void)state;
    struct world world;
    struct bgp_open router = bgp_router;
    router.has_family[1] = false;
    begin_with(&world, &router, IN_ESTABLISHED);
    bgp_make_update6(&world.bytes, 65001, "2001:db8::/32");
    bgp_make_update(&world.bytes, NULL, "65001", "198.51.100.0/24");
    assert_string_equal(hear(&world), "+198.51.100.0/24");
    assert_true(bgp_speaker_refresh(world.speaker));
    assert_string_equal(said(&world), "REFRESH1");
    end(&world);
    begin(&world);
    bgp_make_update6(&world.bytes, 65001, "2001:db8::/32");
    assert_int_equal(world.bytes.bytes[41], BGP_UNICAST);
    world.bytes.bytes[41] = BGP_MULTICAST;
    bgp_make_update6(&world.bytes, 65001, "2001:db8:1::/48");
    assert_string_equal(hear(&world), "+2001:db8:1::/48");
    end(&world);
}

static void several_paths(void **state)
{
    (void)state;
    struct world world;
    struct bgp_open router = bgp_router;
    router.add_path[0] = BGP_CAN_SEND;
    begin_with(&world, &router, IN_ESTABLISHED);
    assert_int_equal(bgp_speaker_session(world.speaker)->form.add_path, BGP_ADD_PATH_YES);
    assert_int_equal(bgp_speaker_session(world.speaker)->form.add_path6, BGP_ADD_PATH_NO);
    bgp_make_update(&world.bytes, NULL, "65001", "198.51.100.0/24#1 198.51.100.0/24#2");
    assert_string_equal(hear(&world), "+198.51.100.0/24 +198.51.100.0/24");
    end(&world);
}

/* ---- refreshes, stops, collisions ---- */

static void refreshes(void **state)
{
    static const char begin_mark[] = "\0\x01\x01\x01", end_mark[] = "\0\x02\x02\x01";
    (void)state;
    struct world world;
    struct bgp_open router = bgp_router;
    begin(&world);
    assert_true(bgp_speaker_refresh(world.speaker));
    assert_string_equal(said(&world), "REFRESH1 REFRESH2");
    make(&world.bytes, A_REFRESH); /* there is nothing that could be told */
    bgp_message_write(&world.bytes, BGP_ROUTE_REFRESH, begin_mark, 4);
    bgp_message_write(&world.bytes, BGP_ROUTE_REFRESH, end_mark, 4);
    bgp_message_write(&world.bytes, BGP_ROUTE_REFRESH, "\0\x01\x02\x02", 4); /* multicast */
    bgp_message_write(&world.bytes, BGP_ROUTE_REFRESH, "\0\x01\x09\x01", 4); /* RFC 7313, 4.2 */
    assert_string_equal(hear(&world), "end6");
    assert_string_equal(said(&world), "");
    assert_int_equal(bgp_speaker_counters(world.speaker)->refreshes, 1);
    bgp_message_write(&world.bytes, BGP_ROUTE_REFRESH, "\0\x01\x01\x01\0", 5);
    assert_string_equal(hear(&world), "closed");
    assert_string_equal(said(&world),
                        "NOTIFICATION(7/1:ffffffffffffffffffffffffffffffff0018050001010100)");
    end(&world);
    /* A router that does not know of marks means nothing by them. */
    router.has_refresh_marks = false;
    begin_with(&world, &router, IN_ESTABLISHED);
    bgp_message_write(&world.bytes, BGP_ROUTE_REFRESH, end_mark, 4);
    assert_string_equal(hear(&world), "");
    end(&world);
    router.has_refresh = false;
    begin_with(&world, &router, IN_ESTABLISHED);
    assert_false(bgp_speaker_refresh(world.speaker));
    assert_string_equal(said(&world), "");
    end(&world);
}

static void we_stop(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    bgp_speaker_stop(world.speaker, BGP_CEASE_SHUTDOWN);
    bgp_speaker_stop(world.speaker, BGP_CEASE_SHUTDOWN);
    assert_string_equal(said(&world), "NOTIFICATION(6/2)");
    assert_string_equal(told(&world), "");
    end(&world);
    /* Before it is accepted, as where connections collide: then no KEEPALIVE was sent. */
    begin_with(&world, NULL, IN_OPEN_SENT);
    struct bgp_event event;
    make(&world.bytes, AN_OPEN);
    make(&world.bytes, A_KEEPALIVE);
    bgp_speaker_feed(world.speaker, world.bytes.bytes, world.bytes.size);
    assert_true(bgp_speaker_next(world.speaker, world.now, &event));
    assert_int_equal(event.kind, BGP_EVENT_OPENED);
    assert_false(bgp_speaker_next(world.speaker, world.now, &event));
    bgp_speaker_stop(world.speaker, BGP_CEASE_COLLISION);
    bgp_speaker_accept(world.speaker, world.now);
    assert_string_equal(said(&world), "OPEN NOTIFICATION(6/7)");
    end(&world);
}

static void the_router_stops(void **state)
{
    static const struct {
        uint8_t code, subcode;
        const char *data;
        size_t n;
        const char *reason;
    } cases[] = {
        {6, 2, BODY("\x0cservice till"), "Cease, Administrative Shutdown: \"service till\""},
        {6, 4,
         BODY("\x08"
              "caf\xc3\xa9\n\x1bm"),
         "Cease, Administrative Reset: \"café  m\""},
        {6, 2,
         BODY("\x03\xff"
              "ab"),
         "Cease, Administrative Shutdown: \"\xef\xbf\xbd"
         "ab\""},
        {6, 2, BODY("\x09short"), "Cease, Administrative Shutdown"},
        {6, 2, BODY(""), "Cease, Administrative Shutdown"},
        {6, 3, BODY("\x02no"), "Cease, Peer De-configured"},
        {6, 99, BODY(""), "Cease, subcode 99"},
        {4, 0, BODY(""), "Hold Timer Expired"},
        {5, 3, BODY(""),
         "Finite State Machine Error, Receive Unexpected Message in Established "
         "State"},
        {77, 1, BODY(""), "error 77, subcode 1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct world world;
        struct bgp_notification notification = {cases[i].code, cases[i].subcode,
                                                reader_of(cases[i].data, cases[i].n)};
        char expected[200];
        begin(&world);
        bgp_notification_write(&world.bytes, &notification);
        assert_string_equal(hear(&world), "closed");
        snprintf(expected, sizeof expected, "the router ended it: %s", cases[i].reason);
        assert_string_equal(bgp_speaker_reason(world.speaker), expected);
        assert_string_equal(said(&world), "");
        assert_false(bgp_speaker_was_fault(world.speaker));
        end(&world);
    }
}

/* RFC 4271, 6.8; 6286, 2.3; 4724, 4.2. */
static void collisions(void **state)
{
    static const struct {
        uint32_t id, asn;
        enum level level; /* of the old one */
        bool is_graceful, replaces;
    } cases[] = {
        {0x0a000002, 65001, IN_OPEN_CONFIRM, true, true},
        {0x0a000000, 65001, IN_OPEN_CONFIRM, true, false},
        {0x0a000001, 65001, IN_OPEN_CONFIRM, true, true},
        {0x0a000001, 64511, IN_OPEN_CONFIRM, true, false},
        {0x0a000002, 65001, IN_ESTABLISHED, true, true},
        {0x0a000000, 65001, IN_ESTABLISHED, true, true},
        {0x0a000002, 65001, IN_ESTABLISHED, false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bgp_speaker_options options = plain;
        struct bgp_open router = bgp_router;
        struct world worlds[2];
        options.peer_asn = 0;
        router.id = cases[i].id;
        router.asn = cases[i].asn;
        router.is_graceful = cases[i].is_graceful;
        for (size_t k = 0; k < 2; k++) {
            begin_as(&worlds[k], &options);
            bgp_open_write(&worlds[k].bytes, &router);
            if (k == 0 && cases[i].level == IN_ESTABLISHED)
                bgp_keepalive_write(&worlds[k].bytes);
            hear(&worlds[k]);
        }
        assert_int_equal(bgp_speaker_replaces(worlds[1].speaker, worlds[0].speaker),
                         cases[i].replaces);
        end(&worlds[0]);
        end(&worlds[1]);
    }
}

/* ---- bytes as they come ---- */

/* Split anywhere it is the same. */
static void split_anywhere(void **state)
{
    (void)state;
    struct buffer all = {0};
    struct world world;
    make(&all, AN_OPEN);
    make(&all, A_KEEPALIVE);
    make(&all, AN_UPDATE);
    bgp_make_end_of_rib(&all, 4);
    make(&all, A_NOTIFICATION);
    for (size_t step = 1; step < 40; step++) {
        struct buffer events = {0};
        begin_with(&world, NULL, IN_OPEN_SENT);
        for (size_t i = 0; i < all.size; i += step) {
            buffer_add(&world.bytes, all.bytes + i, all.size - i < step ? all.size - i : step);
            const char *more = hear(&world);
            buffer_printf(&events, "%s%s", events.size && *more ? " " : "", more);
        }
        assert_string_equal(events.bytes, "opened established +198.51.100.0/24 end4 closed");
        assert_string_equal(said(&world), "OPEN KEEPALIVE");
        buffer_done(&events);
        end(&world);
    }
    buffer_done(&all);
}

/* A router that sends whatever it likes, for a long time: what we send is never an UPDATE, as said()
 * checks, and never much. */
static void nothing_is_ever_announced(void **state)
{
    (void)state;
    uint32_t seed = 7;
    unsigned established = 0, closed = 0;
    for (int session = 0; session < 3000; session++) {
        struct world world;
        begin_with(&world, NULL, IN_OPEN_SENT);
        for (int i = 0; i < 12; i++) {
            seed = seed * 1664525 + 1013904223;
            bool is_sensible = seed >> 30 != 0; /* the handshake, more often than not */
            make(&world.bytes, is_sensible && i == 0   ? AN_OPEN
                               : is_sensible && i == 1 ? A_KEEPALIVE
                                                       : (enum made)((seed >> 16) % (TYPE_6 + 1)));
            if (seed >> 24 & 1)
                world.bytes.bytes[(seed >> 8) % world.bytes.size] ^= (char)(seed >> 4);
            world.now.ns += (int64_t)(seed % 40) * NS_PER_S;
            hear(&world);
            if (seed >> 25 & 1)
                bgp_speaker_refresh(world.speaker);
            established += bgp_speaker_is_established(world.speaker);
            assert_true(strlen(said(&world)) < 500);
        }
        closed += bgp_speaker_is_closed(world.speaker);
        end(&world);
    }
    assert_true(established > 500 && closed > 500); /* both were tried */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_at_every_time),
        cmocka_unit_test(long_messages),
        cmocka_unit_test(keepalives),
        cmocka_unit_test(silence_before_the_session),
        cmocka_unit_test(nobody_reads),
        cmocka_unit_test(updates),
        cmocka_unit_test(families),
        cmocka_unit_test(several_paths),
        cmocka_unit_test(refreshes),
        cmocka_unit_test(we_stop),
        cmocka_unit_test(the_router_stops),
        cmocka_unit_test(collisions),
        cmocka_unit_test(split_anywhere),
        cmocka_unit_test(nothing_is_ever_announced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
