/* init: a configuration from what name servers of the test's own, registries' files and table dumps say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../unit/archive_maker.h"
#include "../unit/texts.h"
#include "../unit/zone_world.h"
#include "command.h"

#define KP                                                                                         \
    "@ SOA ns1 root 7 10 5 3600 60\n@ NS ns1\n@ NS ns2.kptc\n@ MX 10 mail\n"                       \
    "ns1 A 127.0.1.9\nns2.kptc A 192.0.2.16\nns2.kptc AAAA 2001:db8::16\n"                         \
    "mail A 192.0.2.20\nwww A 127.0.0.1\nportal A 192.0.2.77\nftp A 192.0.2.99\n"                  \
    "naenara A 192.0.2.30\nstar NS ns4\nns4 A 192.0.2.44\ncom NS ns3\nns3 A 192.0.2.15\n"

static struct zone_world world;
static struct held *kp;
static struct named *resolver;

static int set_up(void **state)
{
    (void)state;
    world = (struct zone_world){0};
    zone_world_start(&world);
    kp = zone_world_hold(&world, "kp.", KP);
    resolver = zone_world_serve(&world, 2);
    resolver->is_resolver = true;
    named_hold(resolver, kp);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    zone_world_stop(&world);
    return 0;
}

static int enter(void **state)
{
    (void)state;
    folder_enter();
    return 0;
}

static int leave(void **state)
{
    (void)state;
    folder_leave();
    return 0;
}

static const struct result *init(const char *arguments)
{
    char line[600];
    snprintf(line, sizeof line, "init --resolver 127.0.1.2:%u %s", world.port, arguments);
    return run(line);
}

/* What is written is taken by `run`. */
static void assert_runs(const char *file)
{
    char line[200];
    snprintf(line, sizeof line, "run --check-config -c %s", file);
    const struct result *result = run(line);
    if (result->status != 0)
        fail_msg("%s%s", result->out, result->talk);
}

static void test_names(void **state)
{
    (void)state;
    const struct result *result = init("--zone kp --no-probe -o kp.yaml");
    assert_int_equal(result->status, 0);
    assert_runs("kp.yaml");
    size_t n;
    char *text = file_read("kp.yaml", &n);
    assert_has(text, "  - name: \"kp\"\n    zones:\n      - \"kp.\"\n      - \"com.kp.\"\n");
    assert_has(text, "      - \"dns:127.0.1.9/kp./SOA\"  # ns1.kp\n");
    assert_has(text, "      - \"dns:[2001:db8::16]/kp./SOA\"  # ns2.kptc.kp\n");
    assert_has(text, "      - \"icmp:2001:db8::16\"  # ns2.kptc.kp\n");
    assert_has(text, "      - \"dns:192.0.2.15/com.kp./SOA\"  # ns3.kp\n");
    assert_has(text, "      - \"smtp:mail.kp\"");
    assert_has(text, "      - \"https://www.kp/\"");
    assert_has(text, "      # - \"http://www.kp/\"");
    assert_has(text, "      - \"icmp:192.0.2.99\"  # ftp.kp\n");
    assert_hasnt(text, "naenara"); /* nobody would guess that */
    assert_hasnt(text, "routes:");
    free(text);
    result = init("--zone kp --no-probe -o kp.yaml"); /* nothing is written over */
    assert_int_equal(result->status, 2);
    assert_has(result->talk, "kp.yaml is there already");
}

/* As `dig AXFR` writes it. */
static void test_given_names(void **state)
{
    (void)state;
    file_write("kp.zone", "; <<>> DiG <<>> AXFR kp.\nNAENARA.kp.\t432000\tIN\tA\t1.2.3.4\n"
                          "naenara.kp. 1 IN A 1.2.3.5\nstar.kp. IN NS "
                          "ns4.kp.\nwww.example.org.\nx..kp.\nfo$o.kp.\nxkp.\n");
    const struct result *result = init("--zone kp. --names kp.zone --no-probe");
    assert_int_equal(result->status, 0);
    assert_has(result->out, "      - \"icmp:192.0.2.30\"  # naenara.kp\n");
    assert_hasnt(result->out, "example.org");
    assert_has(result->out, "      - \"star.kp.\"\n");
    assert_has(result->out, "      - \"dns:192.0.2.44/star.kp./SOA\"  # ns4.kp\n");
}

/* What any name leads to is no host. */
static void test_wildcard(void **state)
{
    (void)state;
    held_set(kp, KP "* A 192.0.2.77\n");
    const struct result *result = init("--zone kp --no-probe");
    assert_int_equal(result->status, 0);
    assert_hasnt(result->out, "portal.kp");
    assert_hasnt(result->out, "vpn.kp");
    assert_has(result->out, "ftp.kp");
}

static void test_no_zone(void **state)
{
    (void)state;
    const struct result *result = init("--zone nowhere.kp --no-probe");
    assert_int_equal(result->status, 1);
    assert_has(result->talk, "there is no zone nowhere.kp., says the resolver");
    result = init("--zone ftp.kp --no-probe");
    assert_int_equal(result->status, 1);
    assert_has(result->talk, "ftp.kp. has no name servers of its own");
    result = init("--zone org --no-probe"); /* REFUSED */
    assert_int_equal(result->status, 1);
    assert_has(result->talk, "rcode 5");
    resolver->is_silent = true;
    result = init("--zone kp --no-probe");
    assert_int_equal(result->status, 1);
    assert_has(result->talk, "the resolver does not answer");
    result = run("init");
    assert_int_equal(result->status, 2);
    assert_has(result->talk, "Give --zone, --asn or --country");
}

/* All but loopback is excluded, so that nothing else is asked. */
static void test_trying(void **state)
{
    (void)state;
    file_write(
        "polite.yaml",
        "exclude: [0.0.0.0/2, 64.0.0.0/3, 96.0.0.0/4, 112.0.0.0/5, 120.0.0.0/6, 124.0.0.0/7, "
        "126.0.0.0/8, 128.0.0.0/1, \"::/0\"]\nsubjects: [{name: x, asns: [1]}]\n");
    held_set(kp, "@ SOA ns1 root 7 10 5 3600 60\n@ NS ns1\nns1 A 127.0.1.9\nftp A 192.0.2.99\n");
    const struct result *result = init("--zone kp -c polite.yaml");
    assert_int_equal(result->status, 0);
    /* Nothing listens at port 53 of 127.0.1.9, and 192.0.2.99 may not be asked. */
    assert_has(result->out,
               "\"dns:127.0.1.9/kp./SOA\"  # ns1.kp; port-unreachable when it was tried\n");
    assert_has(result->out, "# - \"icmp:192.0.2.99\"  # ftp.kp; excluded by the configuration\n");
    assert_has(result->out, "# - \"dns:198.41.0.4/./SOA\"  # a root server; excluded");
    assert_has(result->out, "  controls: []\n");
    file_write("tried.yaml", result->out);
    assert_runs("tried.yaml");
}

static void write_routes(void)
{
    struct buffer file = {0};
    for (archive_peer = 0; archive_peer < 5; archive_peer++) {
        char path[64];
        snprintf(path, sizeof path, "%u 7 100", 65000 + archive_peer);
        archive_update(&file, 100, NULL, path, "192.0.2.0/28 198.51.100.0/24");
        snprintf(path, sizeof path, "%u 7 300", 65000 + archive_peer);
        archive_update(&file, 100, NULL, path, "192.0.2.64/26 203.0.113.0/24");
    }
    archive_peer = 0;
    file_write_bytes("updates", file.bytes, file.size);
    buffer_done(&file);
    file_write("delegated", "2|test|20080224|4|19830101|20080224|+0000\n"
                            "test|KP|asn|100|1|20080101|allocated\n"
                            "test|KP|asn|200|1|20080101|allocated\n"
                            "test|SE|asn|300|1|20080101|allocated\n"
                            "test|KP|ipv4|198.51.96.0|1024|20080101|allocated\n"
                            "test|KP|ipv4|198.51.100.0|256|20080101|allocated\n"
                            "test|KP|ipv6|2001:db8::|32|20080101|allocated\n");
}

static void test_routes(void **state)
{
    (void)state;
    write_routes();
    const struct result *result =
        init("--zone kp --country kp --countries delegated --routes updates --no-probe");
    assert_int_equal(result->status, 0);
    assert_has(result->out, "      - 100  # registered in the country; originates 2 prefixes\n");
    assert_has(result->out, "      # - 300  # not known to be its own, but hosts are in what it");
    assert_has(result->out, "      # 1 more is registered and announces nothing\n");
    assert_has(result->out, "      - 192.0.2.0/28  # AS100 announces it, seen at 5 of 5 peers; "
                            "hosts are in it\n");
    assert_has(result->out, "      # - 192.0.2.64/26  # AS300 announces it");
    assert_has(result->out, "      - 198.51.96.0/22  # delegated; nobody was heard");
    assert_has(result->out, "      - 198.51.100.0/24  # delegated; AS100 announces it, seen at 5");
    assert_has(result->out, "      - 2001:db8::/32  # delegated;");
    assert_hasnt(result->out, "203.0.113.0");
    assert_has(result->out, "  ris_live: {hosts: [rrc00]}\n");
    file_write("routes.yaml", result->out);
    assert_runs("routes.yaml");
    result = run("init --asn AS300 --routes updates --no-probe");
    assert_int_equal(result->status, 0);
    assert_has(result->out,
               "  - name: \"AS300\"\n    asns:\n      - 300  # asked for; originates 2 ");
    assert_has(result->out, "      - 203.0.113.0/24  # AS300 announces it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_given_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wildcard, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_zone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_trying, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_routes, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
