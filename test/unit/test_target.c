/* model/target: what is a target, and what is said to somebody who wrote something else. */
#include "model/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct {
    const char *text;
    enum target_kind kind;
    enum layer layer;
    unsigned port;
    const char *host, *name, *type;
    int family; /* of the host's address, 0 if it is a name */
} good[] = {
    {"icmp:192.0.2.1", TARGET_ICMP, LAYER_HOST, 0, "192.0.2.1", "", "", 4},
    {"icmp:2001:db8::1", TARGET_ICMP, LAYER_HOST, 0, "2001:db8::1", "", "", 6},
    {"icmp:[2001:db8::1]", TARGET_ICMP, LAYER_HOST, 0, "2001:db8::1", "", "", 6},
    {"trace:192.0.2.1", TARGET_TRACE, LAYER_PATH, 0, "192.0.2.1", "", "", 4},
    {"trace+udp:192.0.2.1", TARGET_TRACE, LAYER_PATH, 33434, "192.0.2.1", "", "", 4},
    {"trace+udp:192.0.2.1:53", TARGET_TRACE, LAYER_PATH, 53, "192.0.2.1", "", "", 4},
    {"trace+udp:2001:db8::1", TARGET_TRACE, LAYER_PATH, 33434, "2001:db8::1", "", "", 6},
    {"trace+tcp:[2001:db8::1]:443", TARGET_TRACE, LAYER_PATH, 443, "2001:db8::1", "", "", 6},
    {"tcp:192.0.2.1:443", TARGET_TCP, LAYER_SERVICE, 443, "192.0.2.1", "", "", 4},
    {"tcp:[2001:db8::1]:443", TARGET_TCP, LAYER_SERVICE, 443, "2001:db8::1", "", "", 6},
    {"tcp:192.0.2.1:65535", TARGET_TCP, LAYER_SERVICE, 65535, "192.0.2.1", "", "", 4},
    {"tls:a.example:853", TARGET_TLS, LAYER_SERVICE, 853, "a.example", "", "", 0},
    {"tls:[::1]:443", TARGET_TLS, LAYER_SERVICE, 443, "::1", "", "", 6},
    {"smtp:mail.example", TARGET_SMTP, LAYER_SERVICE, 25, "mail.example", "", "", 0},
    {"smtp:mail.example:587", TARGET_SMTP, LAYER_SERVICE, 587, "mail.example", "", "", 0},
    {"dns:175.45.176.15/kp./SOA", TARGET_DNS, LAYER_NAME, 53, "175.45.176.15", "kp.", "SOA", 4},
    {"dns:175.45.176.15:5353/kp./SOA", TARGET_DNS, LAYER_NAME, 5353, "175.45.176.15", "kp.", "SOA",
     4},
    {"dns:2001:db8::53/a/AAAA", TARGET_DNS, LAYER_NAME, 53, "2001:db8::53", "a", "AAAA", 6},
    {"dns:[2001:db8::53]:54/a/AAAA", TARGET_DNS, LAYER_NAME, 54, "2001:db8::53", "a", "AAAA", 6},
    {"dns:ns.example/./NS", TARGET_DNS, LAYER_NAME, 53, "ns.example", ".", "NS", 0},
    {"dns:127.0.0.1/a/TYPE65", TARGET_DNS, LAYER_NAME, 53, "127.0.0.1", "a", "TYPE65", 4},
    {"dns+tcp:192.0.2.1:54/kp./SOA", TARGET_DNS, LAYER_NAME, 54, "192.0.2.1", "kp.", "SOA", 4},
    {"self:link", TARGET_SELF, LAYER_CONTROL, 0, "", "link", "", 0},
    {"self:clock", TARGET_SELF, LAYER_CONTROL, 0, "", "clock", "", 0},
    {"zone:kp.", TARGET_ZONE, LAYER_NAME, 53, "kp.", "kp.", "", 0},
    {"zone:kp:5353", TARGET_ZONE, LAYER_NAME, 5353, "kp", "kp", "", 0},
    {"zone:.", TARGET_ZONE, LAYER_NAME, 53, ".", ".", "", 0},
    {"http://kcna.kp", TARGET_HTTP, LAYER_SERVICE, 80, "kcna.kp", "", "", 0},
    {"http://kcna.kp/", TARGET_HTTP, LAYER_SERVICE, 80, "kcna.kp", "/", "", 0},
    {"http://[::1]:8080/a:b", TARGET_HTTP, LAYER_SERVICE, 8080, "::1", "/a:b", "", 6},
    {"https://a.example:444/x?y=/z", TARGET_HTTPS, LAYER_SERVICE, 444, "a.example", "/x?y=/z", "",
     0},
    {"block:192.0.2.0/24", TARGET_BLOCK, LAYER_HOST, 0, "192.0.2.0", "", "", 4},
    {"https://192.0.2.1/", TARGET_HTTPS, LAYER_SERVICE, 443, "192.0.2.1", "/", "", 4},
};

static void check_part(const char *text, struct part part, const char *expected)
{
    assert_int_equal(part.n, strlen(expected));
    assert_memory_equal(text + part.at, expected, part.n);
}

static void test_good_targets(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct target target;
        struct why why;
        if (target_parse(good[i].text, strlen(good[i].text), &target, &why))
            fail_msg("%s: %s", good[i].text, why.text);
        assert_int_equal(target.kind, good[i].kind);
        assert_int_equal(target.layer, good[i].layer);
        assert_int_equal(target.port, good[i].port);
        assert_int_equal(target.addr.family, good[i].family);
        check_part(good[i].text, target.host, good[i].host);
        check_part(good[i].text, target.name, good[i].name);
        check_part(good[i].text, target.type, good[i].type);
        assert_int_equal(target.is_tcp, strstr(good[i].text, "+tcp:") != NULL);
    }
}

#define TRACE_FORMS "trace:ADDRESS, trace+udp:ADDRESS[:PORT] or trace+tcp:ADDRESS:PORT"
#define DNS_FORMS "dns:SERVER/NAME/TYPE or dns+tcp:SERVER/NAME/TYPE with the type in capitals"

static const struct {
    const char *text, *says;
} bad[] = {
    {"imcp:192.0.2.1", "'imcp:192.0.2.1' is no kind of target; did you mean 'icmp:...'?"},
    {"htps://a/", "'htps://a/' is no kind of target; did you mean 'https://...'?"},
    {"ICMP:192.0.2.1", "'ICMP:192.0.2.1' is no kind of target; did you mean 'icmp:...'?"},
    {"192.0.2.1", "'192.0.2.1' is an address; to ping it, write 'icmp:192.0.2.1'"},
    {"2001:db8::1", "'2001:db8::1' is an address; to ping it, write 'icmp:2001:db8::1'"},
    {"ftp://a/", "'ftp://a/' is no kind of target; did you mean 'tcp:...'?"},
    {"gopher://a/",
     "'gopher://a/' is no target; expected icmp:ADDRESS, tcp:ADDRESS:PORT, tls:HOST:PORT, "
     "smtp:HOST, dns:SERVER/NAME/TYPE, zone:NAME, trace:ADDRESS or a http:// or https:// URL"},
    {"", "'' is no target; expected icmp:ADDRESS, tcp:ADDRESS:PORT, tls:HOST:PORT, smtp:HOST, "
         "dns:SERVER/NAME/TYPE, zone:NAME, trace:ADDRESS or a http:// or https:// URL"},
    {"icmp:", "'icmp:' is not a target of kind icmp; expected icmp:ADDRESS"},
    {"icmp:a.example", "'icmp:a.example' is not a target of kind icmp; expected icmp:ADDRESS"},
    {"icmp:192.0.2.1:80",
     "'icmp:192.0.2.1:80' is not a target of kind icmp; expected icmp:ADDRESS"},
    {"icmp:[::1", "'icmp:[::1' is not a target of kind icmp; expected icmp:ADDRESS"},
    {"icmp:[::1]x", "'icmp:[::1]x' is not a target of kind icmp; expected icmp:ADDRESS"},
    {"icmp:[a]", "'icmp:[a]' is not a target of kind icmp; expected icmp:ADDRESS"},
    {"tcp:192.0.2.1", "'tcp:192.0.2.1' is not a target of kind tcp; expected tcp:ADDRESS:PORT, an "
                      "IPv6 address in brackets"},
    {"tcp:192.0.2.1:0", "'tcp:192.0.2.1:0' is not a target of kind tcp; expected "
                        "tcp:ADDRESS:PORT, an IPv6 address in brackets"},
    {"tcp:192.0.2.1:65536", "'tcp:192.0.2.1:65536' is not a target of kind tcp; expected "
                            "tcp:ADDRESS:PORT, an IPv6 address in brackets"},
    {"tcp:192.0.2.1:", "'tcp:192.0.2.1:' is not a target of kind tcp; expected tcp:ADDRESS:PORT, "
                       "an IPv6 address in brackets"},
    {"tcp:192.0.2.1:8x", "'tcp:192.0.2.1:8x' is not a target of kind tcp; expected "
                         "tcp:ADDRESS:PORT, an IPv6 address in brackets"},
    {"tcp:2001:db8::1:443", "'tcp:2001:db8::1:443' is not a target of kind tcp; expected "
                            "tcp:ADDRESS:PORT, an IPv6 address in brackets"},
    {"tls:a.example", "'tls:a.example' is not a target of kind tls; expected tls:HOST:PORT"},
    {"block:192.0.2.1/24",
     "'block:192.0.2.1/24' is not a target of kind block; expected block:NETWORK/24, of IPv4"},
    {"block:192.0.0.0/16",
     "'block:192.0.0.0/16' is not a target of kind block; expected block:NETWORK/24, of IPv4"},
    {"block:2001:db8::/24",
     "'block:2001:db8::/24' is not a target of kind block; expected block:NETWORK/24, of IPv4"},
    {"block:192.0.2.0",
     "'block:192.0.2.0' is not a target of kind block; expected block:NETWORK/24, of IPv4"},
    {"smtp:a/b", "'smtp:a/b' is not a target of kind smtp; expected smtp:HOST or smtp:HOST:PORT"},
    {"dns:192.0.2.1/a", "'dns:192.0.2.1/a' is not a target of kind dns; expected " DNS_FORMS},
    {"dns:192.0.2.1//A", "'dns:192.0.2.1//A' is not a target of kind dns; expected " DNS_FORMS},
    {"dns:192.0.2.1/a/", "'dns:192.0.2.1/a/' is not a target of kind dns; expected " DNS_FORMS},
    {"dns:192.0.2.1/a/soa",
     "'dns:192.0.2.1/a/soa' is not a target of kind dns; expected " DNS_FORMS},
    {"dns:/a/A", "'dns:/a/A' is not a target of kind dns; expected " DNS_FORMS},
    {"trace+tcp:192.0.2.1",
     "'trace+tcp:192.0.2.1' is not a target of kind trace; expected " TRACE_FORMS},
    {"trace+udp:a.example",
     "'trace+udp:a.example' is not a target of kind trace; expected " TRACE_FORMS},
    {"trace:192.0.2.1:80",
     "'trace:192.0.2.1:80' is not a target of kind trace; expected " TRACE_FORMS},
    {"dns+tcp:192.0.2.1/a",
     "'dns+tcp:192.0.2.1/a' is not a target of kind dns; expected " DNS_FORMS},
    {"zone:192.0.2.1", "'zone:192.0.2.1' is not a target of kind zone; expected zone:NAME or "
                       "zone:NAME:PORT"},
    {"zone:", "'zone:' is not a target of kind zone; expected zone:NAME or zone:NAME:PORT"},
    {"self:",
     "'self:' is not a target of kind self; expected self:link, self:gateway, self:resolver, "
     "self:clock or self:loop"},
    {"self:links", "'self:links' is not a target of kind self; expected self:link, self:gateway, "
                   "self:resolver, self:clock or self:loop"},
    {"http://", "'http://' is not a target of kind http; expected http://HOST[:PORT][/PATH]"},
    {"http:///x", "'http:///x' is not a target of kind http; expected http://HOST[:PORT][/PATH]"},
    {"http://user@a/", "'http://user@a/' is not a target of kind http; expected "
                       "http://HOST[:PORT][/PATH]"},
    {"http://a b/", "target 'http://a b/' holds a space or control character"},
    {"icmp:192.0.2.1\x1b", "target 'icmp:192.0.2.1?' holds a space or control character"},
};

static void test_bad_targets(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct target target = {.port = 7};
        struct why why;
        assert_int_equal(target_parse(bad[i].text, strlen(bad[i].text), &target, &why), ERR_INPUT);
        assert_string_equal(why.text, bad[i].says);
        assert_int_equal(target.port, 7); /* untouched */
        assert_int_equal(target_parse(bad[i].text, strlen(bad[i].text), &target, NULL), ERR_INPUT);
    }
}

/* Nothing shown may be longer than a message can hold, and nothing may be read behind the end. */
static void test_long_texts(void **state)
{
    (void)state;
    char text[TARGET_TEXT_MAX + 10];
    struct target target;
    struct why why;
    memset(text, 'a', sizeof text);
    memcpy(text, "http://", 7);
    assert_int_equal(target_parse(text, TARGET_TEXT_MAX - 1, &target, &why), ERR_OK);
    assert_int_equal(target.host.n, TARGET_TEXT_MAX - 1 - 7);
    assert_int_equal(target_parse(text, TARGET_TEXT_MAX, &target, &why), ERR_LIMIT);
    memset(text, 'a', sizeof text);
    assert_int_equal(target_parse(text, 500, &target, &why), ERR_INPUT);
    assert_true(strlen(why.text) < 400);
    assert_int_equal(target_parse("icmp:192.0.2.123", 14, &target, &why), ERR_OK);
    assert_int_equal(target.addr.bytes[3], 1);
}

/* A name of more than 255 bytes or a type of more than 15 is no DNS question. */
static void test_long_dns_names(void **state)
{
    (void)state;
    char text[400], name[300];
    struct target target;
    for (int n = 254; n <= 257; n++) {
        memset(name, 'a', sizeof name);
        int used = snprintf(text, sizeof text, "dns:192.0.2.1/%.*s/A", n, name);
        assert_int_equal(target_parse(text, (size_t)used, &target, NULL) == ERR_OK, n <= 255);
    }
}

static void test_kind_names(void **state)
{
    (void)state;
    for (int kind = 0; kind < TARGET_KIND_COUNT; kind++)
        assert_true(strlen(target_kind_name((enum target_kind)kind)) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_targets), cmocka_unit_test(test_bad_targets),
        cmocka_unit_test(test_long_texts),   cmocka_unit_test(test_long_dns_names),
        cmocka_unit_test(test_kind_names),
    };
    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
