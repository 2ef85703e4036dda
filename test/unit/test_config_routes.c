/* app/config/config_routes: where routes come from, as the configuration says. */
#include "config_text.h"

#include <stdlib.h>
#include <unistd.h>

static void test_bmp(void **state)
{
    static const struct {
        const char *text, *address;
        uint16_t port; /* 0: it is refused */
    } cases[] = {
        {"192.0.2.1:11019", "192.0.2.1", 11019},
        {"\"[2001:db8::1]:1\"", "2001:db8::1", 1},
        {"\":65535\"", "-", 65535},
        {"192.0.2.1", NULL, 0},
        {"\"192.0.2.1:\"", NULL, 0},
        {"192.0.2.1:0", NULL, 0},
        {"192.0.2.1:65536", NULL, 0},
        {"192.0.2.1:80x", NULL, 0},
        {"2001:db8::1:80", NULL, 0},
        {"\"[192.0.2.1]:80\"", NULL, 0},
        {"\"[]:80\"", NULL, 0},
        {"host.example:80", NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config config;
        struct buffer faults = {0};
        char yaml[200], address[ADDR_TEXT_MAX];
        snprintf(yaml, sizeof yaml,
                 "subjects: [{name: a, prefixes: [192.0.2.0/24]}]\nroutes: {bmp: %s}\n",
                 cases[i].text);
        if (!cases[i].port) {
            assert_int_equal(parse(yaml, &config, &faults), ERR_CONFIG);
            assert_non_null(strstr(faults.bytes, "etc/l.yaml:2:15: bmp: found '"));
        } else {
            assert_int_equal(parse(yaml, &config, &faults), ERR_OK);
            assert_int_equal(config.bmp_port, cases[i].port);
            assert_string_equal(addr_format(&config.bmp_address, address), cases[i].address);
            assert_int_equal(config.warning_count, 0);
            config_done(&config);
        }
        buffer_done(&faults);
    }
}

static void load_routes(const char *prefix, int asn, const char *routes, struct config *out)
{
    char yaml[300];
    struct buffer faults = {0};
    snprintf(yaml, sizeof yaml, "subjects: [{name: a, prefixes: [%s], asns: [%d]}]\nroutes: {%s}\n",
             prefix, asn, routes);
    assert_int_equal(parse(yaml, out, &faults), ERR_OK);
}

/* What makes a new listener necessary, and what does not. */
static void test_same_routes(void **state)
{
    static const struct {
        const char *prefix;
        int asn;
        const char *routes;
        bool is_same;
    } cases[] = {
        {"192.0.2.0/24", 1, "bmp: '[::]:1', archives: [x]", true},
        {"192.0.2.0/24", 1, "bmp: '[::]:2'", false},
        {"192.0.2.0/24", 1, "bmp: '[::]:1', collector: x", false},
        {"192.0.3.0/24", 1, "bmp: '[::]:1'", false},
        {"192.0.2.0/24", 2, "bmp: '[::]:1'", false},
        {"192.0.2.0/24", 1, "bmp: {listen: '[::]:1', table: pre-policy}", false},
        {"192.0.2.0/24", 1, "bmp: {listen: '[::]:1'}", true},
        {"192.0.2.0/24", 1, "archives: [x]", false},
    };
    (void)state;
    struct config config, other;
    load_routes("192.0.2.0/24", 1, "bmp: '[::]:1'", &config);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        load_routes(cases[i].prefix, cases[i].asn, cases[i].routes, &other);
        assert_int_equal(config_has_same_watch(&config, &other) &&
                             config_has_same_bmp(&config, &other) &&
                             config_has_same_bgp(&config, &other),
                         cases[i].is_same);
        config_done(&other);
    }
    config_done(&config);
}

/* What BGP makes of it. */
#define BGP(text) ROUTES("bgp: {" text "}")
#define PEERS "peers: [{address: 192.0.2.9}]"

static void test_bgp(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0};
    char text[ADDR_TEXT_MAX];
    assert_int_equal(parse(BGP("listen: '192.0.2.1:179', asn: AS4200000000, peers: [{address: "
                               "192.0.2.9, asn: 64500, md5: 'a: secret'}, {address: "
                               "'2001:db8:0::9'}]"),
                           &config, &faults),
                     ERR_OK);
    const struct bgp_config *bgp = &config.bgp;
    assert_string_equal(bgp->listen, "192.0.2.1:179");
    assert_int_equal(bgp->port, 179);
    assert_int_equal(bgp->asn, 4200000000);
    assert_string_equal(addr_format(&bgp->id, text), "192.0.2.1");
    assert_int_equal(bgp->hold_s, 90);
    assert_string_equal(bgp->collector, "lon-bgp");
    assert_int_equal(bgp->peer_count, 2);
    assert_int_equal(bgp->peers[0].asn, 64500);
    assert_string_equal(bgp->peers[0].md5, "a: secret");
    assert_string_equal(addr_format(&bgp->peers[1].address, text), "2001:db8::9");
    assert_int_equal(bgp->peers[1].asn, 0);
    assert_null(bgp->peers[1].md5);
    assert_int_equal(config.warning_count, 0);
    config_done(&config);
    assert_int_equal(parse(BGP("listen: ':1790', asn: 64512, id: 192.0.2.77, hold: 3s, collector: "
                               "x, " PEERS),
                           &config, &faults),
                     ERR_OK);
    assert_string_equal(addr_format(&bgp->id, text), "192.0.2.77");
    assert_int_equal(bgp->address.family, 0);
    assert_int_equal(bgp->hold_s, 3);
    assert_string_equal(bgp->collector, "x");
    config_done(&config);
}

/* What is read in first. */
#define ARCHIVES(text)                                                                             \
    "subjects: [{name: a, prefixes: [192.0.2.0/24]}]\nroutes: {archives: " text "}\n"
#define SPAN "collector: rrc00, from: 2022-02-07T05:30:00Z, until: 1644215400"

static void test_bad_routes(void **state)
{
    static const struct bad_text cases[] = {
        {BGP("listen: ':179', asn: 64512, " PEERS),
         "3:15: bgp has no 'id', and does not listen at an IPv4 address, which would be taken for "
         "it\n"},
        {BGP("listen: '192.0.2.1:179', " PEERS),
         "3:15: bgp has no 'asn'; expected listen, asn and peers\n"},
        {BGP("listen: '192.0.2.1:179', asn: 1, peers: []"),
         "3:56: peers: the list is empty; expected at least one\n"},
        {BGP("listen: '192.0.2.1', asn: 1, " PEERS),
         "3:24: bgp: found '192.0.2.1'; expected ADDRESS:PORT, [ADDRESS]:PORT or :PORT\n"},
        {BGP("listen: '192.0.2.1:1', asn: 23456, " PEERS),
         "3:44: asn: found '23456'; expected an AS number, such as 64512\n"},
        {BGP("listen: '192.0.2.1:1', asn: 1, id: '::1', " PEERS),
         "3:51: id: found '::1'; expected an IPv4 address that no router here has as its "
         "identifier\n"},
        {BGP("listen: '192.0.2.1:1', asn: 1, hold: 2s, " PEERS),
         "3:53: hold: found '2s'; expected 3 s to 1 h\n"},
        {BGP("listen: '192.0.2.1:1', asn: 1, peers: [{asn: 5}]"),
         "3:55: found a peer without an address; expected 'address: ...'\n"},
        {BGP("listen: '192.0.2.1:1', asn: 1, peers: [{address: 'fe80::1'}]"),
         "3:65: address: found 'fe80::1'; expected an IPv4 or IPv6 address that is not "
         "link-local\n"},
        {BGP("listen: '192.0.2.1:1', asn: 1, peers: [{address: x}]"),
         "3:65: address: found 'x'; expected an IPv4 or IPv6 address\n"},
        {BGP("listen: '192.0.2.1:1', asn: 1, peers: [{address: '::1'}, {address: '0::1'}]"),
         "3:83: BGP peer ::1 is there already, in line 3\n"},
        {BGP("listen: '192.0.2.1:1', asn: 1, peers: [{address: '::1', md6: x}]"),
         "3:72: a peer has no key 'md6'; did you mean 'md5'?\n"},
        {BGP("listen: '192.0.2.1:1', asn: 1, peers: [{address: '::1', md5: ''}]"),
         "3:77: md5: found 0 bytes; expected a key of 1 to 80, or {file: PATH}\n"},
        {"subjects: [{name: a, asns: [1]}]\nroutes: {bmp: {table: pre-policy}}\n",
         "2:15: bmp has no 'listen'; expected an ADDRESS:PORT\n"},
        {"subjects: [{name: a, asns: [1]}]\nroutes: {bmp: {listen: ':1', table: rib}}\n",
         "2:37: table: found 'rib'; expected pre-policy, post-policy, loc-rib, adj-rib-out or "
         "adj-rib-out-pre-policy\n"},
        {"subjects: [{name: a, asns: [1]}]\nroutes: {collector: c, bmp: ':1', bgp: {listen: "
         "'192.0.2.1:1', asn: 1, collector: c, " PEERS "}}\n",
         "2:9: bmp and bgp have the same collector, c; expected two names: each is in a gap when "
         "its own routers are away\n"},
        {ARCHIVES("['ftp://a/b']"),
         "2:21: archives: found 'ftp://a/b'; expected a file, a folder, or a "
         "http:// or https:// URL\n"},
        {ARCHIVES("['http://me@a/b']"),
         "2:21: archives: 'http://me@a/b' is not a URL that can be fetched; expected "
         "http://HOST/PATH or https://HOST/PATH, without a user name\n"},
        {ARCHIVES("[[a]]"), "2:21: found a list; expected a file, a folder or a URL\n"},
        {ARCHIVES("{collector: rrc00, until: 2}"),
         "2:20: archives has no 'from'; expected collector, from and until, or a list of files, "
         "folders and URLs\n"},
        {ARCHIVES("{collector: linx, from: 1, until: 2}"),
         "2:32: archives: no archive of a collector 'linx' is known; expected rrc00 to rrc26 (RIPE "
         "RIS), or route-views2, route-views.jinx and the like (RouteViews)\n"},
        {ARCHIVES("{collector: rrc00, from: 2, until: 2}"),
         "2:55: until: found '2'; expected a time after 'from'\n"},
        {ARCHIVES("{collector: rrc00, from: yesterday, until: 2}"),
         "2:45: from: found 'yesterday'; expected a time such as 2022-02-07T05:30:00Z, or seconds "
         "since 1970\n"},
        {ARCHIVES("{" SPAN ", rib: 1}"), "2:91: rib: found '1'; expected yes or no\n"},
        {ARCHIVES("{" SPAN ", site: 'ftp://a'}"),
         "2:92: archives: 'ftp://a' is not the URL of a site of archives; expected one such as "
         "https://data.ris.ripe.net\n"},
    };
    (void)state;
    expect_faults(cases, COUNT(cases));
}

static void test_archives(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0};
    assert_int_equal(parse(ARCHIVES("[day, /day/2, 'day/*.gz', "
                                    "'https://data.ris.ripe.net/rrc00/2022.02/updates.gz']"),
                           &config, &faults),
                     ERR_OK);
    assert_int_equal(config.archive_count, 4);
    assert_string_equal(config.archives[0], "etc/day");
    assert_string_equal(config.archives[1], "/day/2");
    assert_string_equal(config.archives[2], "etc/day/*.gz");
    assert_string_equal(config.archives[3], "https://data.ris.ripe.net/rrc00/2022.02/updates.gz");
    assert_null(config.archive_span.collector);
    config_done(&config);
    assert_int_equal(parse(ARCHIVES("{" SPAN "}"), &config, &faults), ERR_OK);
    assert_int_equal(config.archive_count, 0);
    assert_string_equal(config.archive_span.collector, "rrc00");
    assert_null(config.archive_span.site);
    assert_false(config.archive_span.with_table);
    assert_int_equal(utc_diff(config.archive_span.until, config.archive_span.from), NS_PER_HOUR);
    config_done(&config);
    assert_int_equal(
        parse(ARCHIVES("{" SPAN ", rib: yes, site: 'http://mirror.example'}"), &config, &faults),
        ERR_OK);
    assert_true(config.archive_span.with_table);
    assert_string_equal(config.archive_span.site, "http://mirror.example");
    config_describe(&config, false, &faults);
    assert_non_null(strstr(faults.bytes, "; archives of rrc00 from 2022-02-07T05:30:00Z until "
                                         "2022-02-07T06:30:00Z, with the table before, from "
                                         "http://mirror.example\n"));
    buffer_clear(&faults);
    config_describe(&config, true, &faults);
    assert_non_null(strstr(
        faults.bytes, "\"archive_span\":{\"collector\":\"rrc00\",\"from\":\"2022-02-07T05:30:00Z\","
                      "\"until\":\"2022-02-07T06:30:00Z\",\"rib\":true,"
                      "\"site\":\"http://mirror.example\"},"));
    config_done(&config);
    buffer_done(&faults);
}

static void test_too_many_peers(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0}, yaml = {0};
    buffer_puts(&yaml, "subjects: [{name: a, asns: [1]}]\nroutes:\n bgp:\n  listen: 192.0.2.1:1\n"
                       "  asn: 1\n  peers:\n");
    for (int i = 0; i <= BGP_PEERS_MAX; i++)
        buffer_printf(&yaml, "  - {address: 10.0.%d.%d}\n", i / 256, i % 256);
    assert_int_equal(parse(yaml.bytes, &config, &faults), ERR_CONFIG);
    assert_string_equal(faults.bytes,
                        "etc/l.yaml:263:5: more than 256 BGP peers; expected fewer\n");
    buffer_done(&faults);
    buffer_done(&yaml);
}

/* A key is nowhere to be seen: not in what is described, and not in what is wrong with it. */
static void test_keys_are_not_shown(void **state)
{
    static const char *const bad[] = {
        BGP("listen: '192.0.2.1:1', asn: 1, peers: [{address: '::1', md5: "
            "hush-hush-hush-hush-hush-hush-hush-hush-hush-hush-hush-hush-hush-hush-hush-hush-hush}"
            "]"),
        BGP("listen: '192.0.2.1:1', asn: 1, peers: [{address: '::1', md5: [hush]}]"),
    };
    (void)state;
    struct config config;
    struct buffer faults = {0}, text = {0};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(parse(bad[i], &config, &faults), ERR_CONFIG);
        assert_null(strstr(faults.bytes, "hush"));
        buffer_clear(&faults);
    }
    assert_int_equal(parse(BGP("listen: '192.0.2.1:1', asn: 1, peers: [{address: 192.0.2.9, md5: "
                               "hush}, {address: 192.0.2.10}]"),
                           &config, &faults),
                     ERR_OK);
    config_describe(&config, false, &text);
    assert_non_null(strstr(text.bytes, "; live routes by BGP at 192.0.2.1:1, as AS1, from 2 peers, "
                                       "1 with MD5 signatures\n"));
    config_describe(&config, true, &text);
    assert_non_null(strstr(text.bytes,
                           "\"bgp\":{\"listen\":\"192.0.2.1:1\",\"asn\":1,\"id\":\"192.0.2.1\","
                           "\"hold_s\":90,\"collector\":\"lon-bgp\",\"peers\":[{\"address\":"
                           "\"192.0.2.9\",\"asn\":null,\"md5\":true},{\"address\":\"192.0.2.10\","
                           "\"asn\":null,\"md5\":false}]}"));
    assert_null(strstr(text.bytes, "hush"));
    config_done(&config);
    buffer_done(&faults);
    buffer_done(&text);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* A key in a file beside the configuration; one that is not there, or too long, is told with its
 * place. */
static void test_key_in_a_file(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0};
    struct why why;
    char folder[] = "/tmp/config-XXXXXX", path[64], key[64], expected[300];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/l.yaml", folder);
    snprintf(key, sizeof key, "%s/key", folder);
    write_file(path, BGP("listen: '192.0.2.1:1', asn: 1, peers: [{address: '::1', md5: {file: "
                         "key}}]"));
    assert_int_equal(config_load(path, &config, &faults, &why), ERR_CONFIG);
    snprintf(expected, sizeof expected, "%s:3:84: md5: ", path);
    assert_int_equal(strncmp(faults.bytes, expected, strlen(expected)), 0);
    assert_non_null(strstr(faults.bytes, key));
    write_file(key, "hush hush\n");
    buffer_clear(&faults);
    assert_int_equal(config_load(path, &config, &faults, &why), ERR_OK);
    assert_string_equal(config.bgp.peers[0].md5, "hush hush");
    config_done(&config);
    write_file(key, "hush hush hush hush hush hush hush hush hush hush hush hush hush hush hush "
                    "hush hush");
    assert_int_equal(config_load(path, &config, &faults, &why), ERR_CONFIG);
    assert_non_null(strstr(faults.bytes, "md5: found 83 bytes"));
    assert_null(strstr(faults.bytes, "hush"));
    assert_int_equal(unlink(key), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    buffer_done(&faults);
}

static void test_same_bgp(void **state)
{
    static const struct other_text cases[] = {
        {BGP("listen: '192.0.2.1:1', asn: 1, peers: [{address: '::1', asn: 2, md5: x}]"), true},
        {BGP("listen: '192.0.2.1:2', asn: 1, peers: [{address: '::1', asn: 2, md5: x}]"), false},
        {BGP("listen: '192.0.2.1:1', asn: 2, peers: [{address: '::1', asn: 2, md5: x}]"), false},
        {BGP("listen: '192.0.2.1:1', asn: 1, id: 1.1.1.1, peers: [{address: '::1', asn: 2, md5: "
             "x}]"),
         false},
        {BGP("listen: '192.0.2.1:1', asn: 1, hold: 9s, peers: [{address: '::1', asn: 2, md5: x}]"),
         false},
        {BGP("listen: '192.0.2.1:1', asn: 1, peers: [{address: '::2', asn: 2, md5: x}]"), false},
        {BGP("listen: '192.0.2.1:1', asn: 1, peers: [{address: '::1', asn: 3, md5: x}]"), false},
        {BGP("listen: '192.0.2.1:1', asn: 1, peers: [{address: '::1', asn: 2, md5: y}]"), false},
        {BGP("listen: '192.0.2.1:1', asn: 1, peers: [{address: '::1', asn: 2}]"), false},
        {BGP("listen: '192.0.2.1:1', asn: 1, peers: [{address: '::1', asn: 2, md5: x}, {address: "
             "'::2'}]"),
         false},
    };
    (void)state;
    expect_same(cases, COUNT(cases), config_has_same_bgp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bmp),
        cmocka_unit_test(test_same_routes),
        cmocka_unit_test(test_bgp),
        cmocka_unit_test(test_archives),
        cmocka_unit_test(test_bad_routes),
        cmocka_unit_test(test_too_many_peers),
        cmocka_unit_test(test_keys_are_not_shown),
        cmocka_unit_test(test_key_in_a_file),
        cmocka_unit_test(test_same_bgp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
