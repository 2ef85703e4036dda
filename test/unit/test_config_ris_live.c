/* app/config/config_ris_live: RIPE's collectors, as the configuration asks for them. */
#include "config_text.h"

static void good(void **state)
{
    static const struct {
        const char *yaml;
        bool is_wanted;
        const char *url, *client, *hosts, *described;
    } cases[] = {
        {ROUTES("ris_live: yes"), true, NULL, "lastlight-lon", "",
         "; live routes from RIS Live, of all collectors\n"},
        {ROUTES("ris_live: no"), false, NULL, NULL, "", "a second\n"},
        {ROUTES("ris_live: {}"), true, NULL, "lastlight-lon", "",
         "; live routes from RIS Live, of all collectors\n"},
        {ROUTES("ris_live: {hosts: [rrc00, rrc06.ripe.net], client: me-1.2_3}"), true, NULL,
         "me-1.2_3", "rrc00 rrc06 ", "; live routes from RIS Live, of rrc00, rrc06\n"},
        {ROUTES("ris_live: {url: 'http://[::1]:8080/v1/stream/?a=b', hosts: [r]}"), true,
         "http://[::1]:8080/v1/stream/?a=b", "lastlight-lon", "r ",
         "; live routes from RIS Live at http://[::1]:8080/v1/stream/?a=b, of r\n"},
        {"subjects: [{name: a, asns: [1]}]\nvantage: {name: 'far & away', controls: "
         "[icmp:192.0.2.7]}\nroutes: {ris_live: yes}\n",
         true, NULL, "lastlight", "", "; live routes from RIS Live, of all collectors\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct config config;
        struct buffer faults = {0}, hosts = {0}, text = {0};
        assert_int_equal(parse(cases[i].yaml, &config, &faults), ERR_OK);
        const struct ris_live_config *ris = &config.ris_live;
        assert_int_equal(ris->is_wanted, cases[i].is_wanted);
        assert_int_equal(ris->url != NULL, cases[i].url != NULL);
        if (ris->url)
            assert_string_equal(ris->url, cases[i].url);
        if (cases[i].client)
            assert_string_equal(ris->client, cases[i].client);
        buffer_puts(&hosts, "");
        for (size_t k = 0; k < ris->host_count; k++)
            buffer_printf(&hosts, "%s ", ris->hosts[k]);
        assert_string_equal(ris->host_count ? hosts.bytes : "", cases[i].hosts);
        config_describe(&config, false, &text);
        if (!strstr(text.bytes, cases[i].described))
            fail_msg("%s", text.bytes);
        assert_int_equal(config.warning_count, 0);
        config_done(&config);
        buffer_done(&hosts);
        buffer_done(&text);
        buffer_done(&faults);
    }
}

static void as_json(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0}, text = {0};
    assert_int_equal(parse(ROUTES("ris_live: {hosts: [rrc00]}"), &config, &faults), ERR_OK);
    config_describe(&config, true, &text);
    assert_non_null(strstr(text.bytes,
                           "\"ris_live\":{\"url\":\"https://ris-live.ripe.net/v1/stream/"
                           "\",\"client\":\"lastlight-lon\",\"hosts\":[\"rrc00\"]}"));
    config_done(&config);
    assert_int_equal(parse(ROUTES(""), &config, &faults), ERR_OK);
    buffer_clear(&text);
    config_describe(&config, true, &text);
    assert_non_null(strstr(text.bytes, "\"ris_live\":null"));
    config_done(&config);
    buffer_done(&text);
    buffer_done(&faults);
}

static void bad(void **state)
{
    static const struct bad_text cases[] = {
        {ROUTES("ris_live: maybe"),
         "3:20: ris_live: found 'maybe'; expected yes, no, or {hosts: [rrc00]}\n"},
        {ROUTES("ris_live: [rrc00]"),
         "3:20: ris_live: found a list; expected yes, no, or {hosts: [rrc00]}\n"},
        {ROUTES("ris_live: {host: rrc00}"), "3:21: ris_live has no key 'host'; did you mean "
                                            "'hosts'?\n"},
        {ROUTES("ris_live: {hosts: []}"),
         "3:28: hosts: the list is empty; expected at least one, or no list for all\n"},
        {ROUTES("ris_live: {hosts: ['rrc 00']}"),
         "3:29: hosts: found 'rrc 00'; expected the name of a collector, such as rrc00\n"},
        {ROUTES("ris_live: {hosts: [rrc00, rrc00.ripe.net]}"),
         "3:36: collector rrc00 is there already, in line 3\n"},
        {ROUTES("ris_live: {client: 'a b'}"),
         "3:29: client: found 'a b'; expected a name of letters, digits, '-', '.' and '_', by "
         "which those who run the service know us\n"},
        {ROUTES("ris_live: {url: 'ftp://x.example/'}"),
         "3:26: url: found 'ftp://x.example/', but only http and https can be streamed; expected "
         "https://ris-live.ripe.net/v1/stream/ or one like it\n"},
        {ROUTES("collector: rrc00, bmp: ':1', ris_live: {hosts: [rrc00]}"),
         "3:9: bmp and ris_live have a collector of the same name; expected two names: each is in "
         "a gap when its own routers are away\n"},
        {ROUTES("bgp: {listen: '192.0.2.1:1', asn: 1, collector: rrc00, peers: [{address: "
                "192.0.2.9}]}, ris_live: {hosts: [rrc00]}"),
         "3:9: bgp and ris_live have a collector of the same name; expected two names: each is in "
         "a gap when its own routers are away\n"},
    };
    (void)state;
    expect_faults(cases, COUNT(cases));
}

static void too_many_hosts(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0}, yaml = {0};
    buffer_puts(&yaml, "subjects: [{name: a, asns: [1]}]\nroutes:\n ris_live:\n  hosts:\n");
    for (int i = 0; i <= RIS_HOSTS_MAX; i++)
        buffer_printf(&yaml, "  - rrc%02d\n", i);
    assert_int_equal(parse(yaml.bytes, &config, &faults), ERR_CONFIG);
    assert_string_equal(faults.bytes, "etc/l.yaml:37:5: more than 32 hosts; expected fewer, or "
                                      "none at all for all that there are\n");
    buffer_done(&faults);
    buffer_done(&yaml);
}

/* Without anything to watch, nothing of it is kept: that is a warning. */
static void nothing_to_watch(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0};
    assert_int_equal(parse("subjects: [{name: a, targets: [icmp:192.0.2.1]}]\nvantage: {name: lon, "
                           "controls: [icmp:192.0.2.7]}\nroutes: {ris_live: yes}\n",
                           &config, &faults),
                     ERR_OK);
    assert_int_equal(config.warning_count, 1);
    assert_string_equal(config.warnings[0],
                        "etc/l.yaml:3:9: no subject has prefixes or asns: no route that is heard "
                        "at ris_live is kept");
    config_done(&config);
    buffer_done(&faults);
}

static void what_is_the_same(void **state)
{
    static const struct other_text cases[] = {
        {ROUTES("ris_live: {hosts: [rrc00, rrc06]}"), true},
        {ROUTES("ris_live: {hosts: [rrc00, rrc06], client: lastlight-lon}, archives: [x]"), true},
        {ROUTES("ris_live: {hosts: [rrc00, rrc07]}"), false},
        {ROUTES("ris_live: {hosts: [rrc00]}"), false},
        {ROUTES("ris_live: yes"), false},
        {ROUTES("ris_live: {hosts: [rrc00, rrc06], client: x}"), false},
        {ROUTES("ris_live: {hosts: [rrc00, rrc06], url: 'http://x.example/'}"), false},
    };
    (void)state;
    expect_same(cases, COUNT(cases), config_has_same_ris_live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(as_json),
        cmocka_unit_test(bad),
        cmocka_unit_test(too_many_hosts),
        cmocka_unit_test(nothing_to_watch),
        cmocka_unit_test(what_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
