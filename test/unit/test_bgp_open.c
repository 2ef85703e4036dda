/* OPEN: wire/bgp_session, and what bgp_speaker makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "speaker_world.h"

#define BODY(bytes) bytes, sizeof bytes - 1

/* ---- what is said of ourselves ---- */

static void our_open(void **state)
{
    (void)state;
    struct world world;
    begin_as(&world, &plain);
    const struct buffer *output = bgp_speaker_output(world.speaker);
    struct reader r = reader_of(output->bytes, output->size), body;
    struct bgp_open open;
    assert_int_equal(bgp_message_next(&r, &body), BGP_OPEN);
    assert_null(bgp_open_decode(body, &open));
    assert_int_equal(open.asn, 64512);
    assert_int_equal(open.id, 0x0a000001);
    assert_int_equal(open.hold_s, 90);
    assert_true(open.is_as4 && open.has_family[0] && open.has_family[1]);
    assert_memory_equal(open.add_path, "\x01\x01", 2); /* we hear several paths, and send none */
    assert_true(open.has_refresh && open.has_refresh_marks && open.has_long_messages);
    assert_true(open.is_graceful && open.is_restarting && !open.restart_s);
    end(&world);
    struct bgp_speaker_options big = plain;
    big.open.asn = 4200000000; /* RFC 6793, 4.1: AS_TRANS stands where two bytes do not do */
    begin_as(&world, &big);
    output = bgp_speaker_output(world.speaker);
    assert_memory_equal(output->bytes + 19, "\x04\x5b\xa0\x00\x5a\x0a\x00\x00\x01", 9);
    end(&world);
}

/* ---- what the router says of itself ---- */

#define SAYS(its_asn, its_id, its_hold_s, is_4, has_v4, has_v6)                                    \
    {                                                                                              \
        .asn = its_asn, .id = its_id, .hold_s = its_hold_s, .is_as4 = is_4, .has_family = {        \
            has_v4,                                                                                \
            has_v6                                                                                 \
        }                                                                                          \
    }

static void opens(void **state)
{
    static const struct {
        const char *what;
        struct bgp_open open;
        const char *told, *said;
    } cases[] = {
        {"as it should be", SAYS(65001, 9, 180, true, true, true), "opened", "KEEPALIVE"},
        {"two-byte ASNs", SAYS(65001, 9, 180, false, true, false), "opened", "KEEPALIVE"},
        {"no families: RFC 4760, 8", SAYS(65001, 9, 180, true, false, false), "opened",
         "KEEPALIVE"},
        {"hold time 0", SAYS(65001, 9, 0, true, true, true), "opened", "KEEPALIVE"},
        {"hold time 3", SAYS(65001, 9, 3, true, true, true), "opened", "KEEPALIVE"},
        {"hold time 1", SAYS(65001, 9, 1, true, true, true), "closed", "NOTIFICATION(2/6)"},
        {"hold time 2", SAYS(65001, 9, 2, true, true, true), "closed", "NOTIFICATION(2/6)"},
        {"another AS", SAYS(65002, 9, 180, true, true, true), "closed", "NOTIFICATION(2/2)"},
        {"AS 0", SAYS(0, 9, 180, false, true, true), "closed", "NOTIFICATION(2/2)"},
        {"no identifier", SAYS(65001, 0, 180, true, true, true), "closed", "NOTIFICATION(2/3)"},
        {"our identifier", SAYS(65001, 0x0a000001, 180, true, true, true), "opened", "KEEPALIVE"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct world world;
        begin_with(&world, NULL, IN_OPEN_SENT);
        said(&world);
        bgp_open_write(&world.bytes, &cases[i].open);
        assert_string_equal(hear(&world), cases[i].told);
        assert_string_equal(said(&world), cases[i].said);
        end(&world);
    }
}

/* OPENs as bytes: those that are no good, and what of them must not matter. */
static void odd_opens(void **state)
{
    static const struct {
        const char *body;
        size_t n;
        const char *told, *said;
    } cases[] = {
        {BODY("\x03\xfd\xe9\x00\xb4\x0a\0\0\x02\x00"), "closed", "NOTIFICATION(2/1:0004)"},
        {BODY("\x05\xfd\xe9\x00\xb4\x0a\0\0\x02\x00"), "closed", "NOTIFICATION(2/1:0004)"},
        /* authentication, which RFC 4271 took out */
        {BODY("\x04\xfd\xe9\x00\xb4\x0a\0\0\x02\x03\x01\x01\x00"), "closed", "NOTIFICATION(2/4)"},
        /* a parameter, and a capability, that run over the end */
        {BODY("\x04\xfd\xe9\x00\xb4\x0a\0\0\x02\x03\x02\x02\x00"), "closed", "NOTIFICATION(2/0)"},
        {BODY("\x04\xfd\xe9\x00\xb4\x0a\0\0\x02\x04\x02\x02\x41\x04"), "closed",
         "NOTIFICATION(2/0)"},
        {BODY("\x04\xfd\xe9\x00\xb4\x0a\0\0\x02\x05"), "closed", "NOTIFICATION(2/0)"},
        /* only multicast: our families come back with the refusal (RFC 5492, 5) */
        {BODY("\x04\xfd\xe9\x00\xb4\x0a\0\0\x02\x08\x02\x06\x01\x04\x00\x01\x00\x02"), "closed",
         "NOTIFICATION(2/7:010400010001010400020001)"},
        /* capabilities that nobody knows, one of them empty; graceful restart without its time */
        {BODY("\x04\xfd\xe9\x00\xb4\x0a\0\0\x02\x0a\x02\x08\xf0\x00\xf1\x02\xff\xff\x40\x00"),
         "opened", "KEEPALIVE"},
        /* each capability in a parameter of its own, as older routers have it */
        {BODY("\x04\xfd\xe9\x00\xb4\x0a\0\0\x02\x10\x02\x06\x01\x04\x00\x01\x00\x01\x02\x06\x41"
              "\x04\x00\x00\xfd\xe9"),
         "opened", "KEEPALIVE"},
        /* RFC 9072: parameters with two bytes for their lengths */
        {BODY("\x04\xfd\xe9\x00\xb4\x0a\0\0\x02\xff\xff\x00\x09\x02\x00\x06\x41\x04\x00\x00\xfd"
              "\xe9"),
         "opened", "KEEPALIVE"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct world world;
        begin_with(&world, NULL, IN_OPEN_SENT);
        said(&world);
        bgp_message_write(&world.bytes, BGP_OPEN, cases[i].body, cases[i].n);
        assert_string_equal(hear(&world), cases[i].told);
        assert_string_equal(said(&world), cases[i].said);
        assert_int_equal(bgp_speaker_was_fault(world.speaker),
                         strcmp(cases[i].told, "closed") == 0);
        end(&world);
    }
}

static void who_is_who(void **state)
{
    (void)state;
    struct world world;
    struct bgp_speaker_options anybody = plain;
    struct bgp_open twin = bgp_router;
    anybody.peer_asn = 0;
    begin_as(&world, &anybody);
    twin.asn = 4200000001;
    bgp_open_write(&world.bytes, &twin);
    assert_string_equal(hear(&world), "opened");
    assert_int_equal(bgp_speaker_peer(world.speaker)->asn, 4200000001);
    end(&world);
    begin_as(&world, &anybody); /* RFC 6286, 2.2: within one AS identifiers differ */
    twin.asn = plain.open.asn;
    twin.id = plain.open.id;
    said(&world);
    bgp_open_write(&world.bytes, &twin);
    assert_string_equal(hear(&world), "closed");
    assert_string_equal(said(&world), "NOTIFICATION(2/3)");
    end(&world);
    begin_as(&world, &plain);
    twin.asn = 65009;
    bgp_open_write(&world.bytes, &twin);
    assert_string_equal(hear(&world), "closed");
    assert_string_equal(bgp_speaker_reason(world.speaker),
                        "OPEN Message Error, Bad Peer AS (it says AS65009, the configuration "
                        "AS65001)");
    end(&world);
}

/* Cut at every byte none is taken for a whole one; and what the short messages hold. */
static void truncation(void **state)
{
    static const char open_body[] = "\x04\xfd\xe9\x00\xb4\x0a\0\0\x02\x12\x02\x10\x01\x04\x00\x01"
                                    "\x00\x01\x41\x04\x00\x00\xfd\xe9\x40\x02\x80\x78";
    (void)state;
    struct bgp_open open;
    struct bgp_notification notification;
    struct bgp_refresh refresh;
    for (size_t n = 0; n < sizeof open_body - 1; n++) {
        char *exact = malloc(n ? n : 1);
        memcpy(exact, open_body, n);
        assert_non_null(bgp_open_decode(reader_of(exact, n), &open));
        if (n < 2)
            assert_non_null(bgp_notification_decode(reader_of(exact, n), &notification));
        if (n < 4)
            assert_non_null(bgp_refresh_decode(reader_of(exact, n), &refresh));
        free(exact);
    }
    assert_null(bgp_open_decode(reader_of(open_body, sizeof open_body - 1), &open));
    assert_true(open.is_graceful && open.is_restarting);
    assert_int_equal(open.restart_s, 120);
    assert_null(bgp_notification_decode(reader_of("\x06\x02\x01!", 4), &notification));
    assert_int_equal(notification.subcode, BGP_CEASE_SHUTDOWN);
    assert_int_equal(reader_left(&notification.data), 2);
    assert_null(bgp_refresh_decode(reader_of("\0\x02\x01\x01\xff", 5), &refresh)); /* RFC 5291 */
    assert_int_equal(refresh.family, 6);
    assert_int_equal(refresh.mark, BGP_REFRESH_BEGIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_open),   cmocka_unit_test(opens),      cmocka_unit_test(odd_opens),
        cmocka_unit_test(who_is_who), cmocka_unit_test(truncation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
