/* app/config/config: whole networks, by prefix, country and AS. */
#include "archive_maker.h"
#include "config_text.h"

#include <stdlib.h>

#define BLOCKS(settings, list)                                                                     \
    "vantage: {name: lon, controls: [icmp:192.0.2.7]}\n" settings                                  \
    "\nsubjects: [{name: a, blocks: "                                                              \
    "[" list "]}]\n"

static uint32_t number(unsigned a, unsigned b, unsigned c)
{
    return a << 24 | b << 16 | c << 8;
}

static void prefixes(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0};
    const char *yaml = BLOCKS("exclude: [198.51.101.0/24, 203.0.112.9]",
                              "203.0.112.0/24, 198.51.100.0/22, 198.51.100.0/24, 10.0.0.0/24");
    assert_int_equal(parse(yaml, &config, &faults), ERR_OK);
    static const uint32_t third[] = {0, 100, 102, 103, 112};
    assert_int_equal(config.blocks.count,
                     5); /* each once, in order, and not what is excluded as a whole */
    for (size_t i = 0; i < 5; i++) {
        const struct block_plan *plan = &config.blocks.plan[i];
        assert_int_equal(plan->network >> 8 & 0xff, third[i]);
        assert_true(plan->is_named); /* so that 10.0.0.0/24 is asked */
    }
    assert_int_equal(config.blocks.settings.round_ns, 10 * NS_PER_MINUTE);
    assert_int_equal(config.blocks.settings.timeout_ns, 3 * NS_PER_S);
    assert_int_equal(config.subjects[0].member_count, 5);
    const struct member_spec *member = &config.subjects[0].members[4];
    assert_string_equal(member->text, "block:203.0.112.0/24");
    assert_int_equal(member->kind, NAME_TARGET);
    assert_int_equal(member->interval_ns, 10 * NS_PER_MINUTE);
    assert_int_equal(config.plan_count, 1); /* the control */
    assert_int_equal(config.warning_count, 0);
    config_done(&config);
    buffer_done(&faults);
}

/* Two subjects may share networks; they are asked once. */
static void shared(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0};
    const char *yaml = "vantage: {name: lon, controls: [icmp:192.0.2.7]}\n"
                       "blocks: {round: 20s, known: [a.txt, /srv/b.txt]}\n"
                       "subjects: [{name: a, blocks: [198.51.100.0/23]},\n"
                       "           {name: b, blocks: [198.51.101.0/24]}]\n";
    assert_int_equal(parse(yaml, &config, &faults), ERR_OK);
    assert_int_equal(config.blocks.count, 2);
    assert_int_equal(config.subjects[0].member_count, 2);
    assert_int_equal(config.subjects[1].member_count, 1);
    assert_int_equal(config.blocks.settings.timeout_ns, NS_PER_S); /* 15 in three quarters of it */
    assert_int_equal(config.blocks.known.count, 2);
    assert_string_equal(config.blocks.known.list[0], "etc/a.txt");
    assert_string_equal(config.blocks.known.list[1], "/srv/b.txt");
    assert_true(config_block_rate(&config) == 1.5);
    config_done(&config);
    buffer_done(&faults);
}

static const struct bad_text bad[] = {
    {BLOCKS("", "192.0.2.1/24"),
     "3:31: blocks: '192.0.2.1/24' is not a prefix; expected one, such as 192.0.2.0/24, {country: "
     "CC} or {asn: NUMBER}\n"},
    {BLOCKS("", "192.0.2.0/25"),
     "3:31: blocks: found 192.0.2.0/25; expected a prefix of hosts from /8 to /24\n"},
    {BLOCKS("", "0.0.0.0/0"),
     "3:31: blocks: found 0.0.0.0/0; expected a prefix of hosts from /8 to /24\n"},
    {BLOCKS("", "224.0.0.0/24"),
     "3:31: blocks: found 224.0.0.0/24; expected a prefix of hosts from /8 to /24\n"},
    {BLOCKS("", "\"2001:db8::/32\""),
     "3:31: blocks: 2001:db8::/32 is of IPv6, of whose networks nobody knows which addresses ever "
     "answer; expected IPv4\n"},
    {BLOCKS("exclude: [198.51.0.0/16]", "198.51.100.0/23"),
     "3:31: blocks: all of 198.51.100.0/23 is excluded\n"},
    {BLOCKS("", "11.0.0.0/8, 12.0.0.0/8"),
     "3:30: blocks: more than 100000 networks in all; expected fewer\n"},
    {BLOCKS("", "{country: North Korea}"),
     "3:41: country: found 'North Korea'; expected its two letters, such as \"KP\"\n"},
    {BLOCKS("", "{country: KP}"),
     "3:31: a country is named, and no file that says which networks it has; expected 'blocks: "
     "{countries: [FILE]}', of a registry or MaxMind's\n"},
    {BLOCKS("", "{asn: KP}"), "3:37: asn: found 'KP'; expected an AS number, such as 131279\n"},
    {BLOCKS("", "{asn: 131279}"),
     "3:37: an AS is named, and no table that says which networks it has; expected 'blocks: "
     "{tables: [FILE]}', MRT table dumps\n"},
    {BLOCKS("", "{}"), "3:31: blocks: expected {country: CC} or {asn: NUMBER}\n"},
    {BLOCKS("blocks: {round: 1s, timeout: 60ms}", "192.0.2.0/24"),
     "2:30: timeout 60 ms is too long for a round of 1 s, in which 15 questions may have to wait "
     "for "
     "it; expected at most 50 ms\n"},
    {"subjects: [{name: a, targets: [\"block:192.0.2.0/24\"]}]\n",
     "1:32: 'block:192.0.2.0/24' is a whole network, which is not asked like a target; write it "
     "under 'blocks:' of a subject\n"},
};

static void faults_have_a_place(void **state)
{
    (void)state;
    expect_faults(bad, COUNT(bad));
}

/* A census asks more than the limits let out. */
static void too_many(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0};
    assert_int_equal(parse(BLOCKS("", "11.0.0.0/16, 12.0.0.0/10"), &config, &faults), ERR_OK);
    assert_int_equal(config.blocks.count, 256 + 16384);
    assert_int_equal(config.warning_count, 0);
    config_done(&config);
    assert_int_equal(parse(BLOCKS("limits: {rate: 400}", "12.0.0.0/10"), &config, &faults), ERR_OK);
    assert_int_equal(config.warning_count, 1);
    assert_non_null(strstr(config.warnings[0], "need up to 410 probes a second"));
    config_done(&config);
    buffer_done(&faults);
}

static void described(void **state)
{
    (void)state;
    struct config config;
    struct buffer out = {0};
    assert_int_equal(parse(BLOCKS("", "198.51.100.0/23"), &config, &out), ERR_OK);
    config_describe(&config, false, &out);
    assert_non_null(strstr(out.bytes, "a: 2 whole networks\n"));
    assert_non_null(strstr(out.bytes, "2 whole networks in rounds of 10 min, up to 0.05 probes"));
    buffer_clear(&out);
    config_describe(&config, true, &out);
    assert_non_null(strstr(out.bytes, "\"blocks\":{\"networks\":2,\"round_s\":600.0,"));
    buffer_clear(&out);
    config_dry_run(&config, false, &out);
    assert_non_null(strstr(out.bytes, "block:198.51.101.0/24: every 10 min, 1 to 15 ICMP echo "
                                      "requests, each to another address; answer within 3 s\n"));
    assert_non_null(strstr(out.bytes, "and up to 0.05 for whole networks, at most 1000,"));
    buffer_clear(&out);
    config_dry_run(&config, true, &out);
    assert_non_null(strstr(out.bytes, "{\"target\":\"block:198.51.100.0/24\","));
    config_done(&config);
    buffer_done(&out);
}

/* ---- with files ---- */

struct files {
    char config[40], countries[40], table[40];
};

static const char registry[] = "2|apnic|20241125|3|19830705|20241125|+0100\n"
                               "apnic|KP|ipv4|175.45.176.0|1024|20091221|allocated|a\n"
                               "apnic|KP|ipv4|10.1.0.0|256|20091221|allocated|a\n"
                               "apnic|CN|ipv4|175.45.180.0|1024|20091221|allocated|a\n";

static void write_files(struct files *files, const char *list)
{
    struct buffer table = {0}, yaml = {0};
    archive_peer_table(&table, 100, "192.0.2.9 65000 192.0.2.10 65001");
    archive_rib(&table, 100, "0.0.0.0/0", "0");
    archive_rib(&table, 100, "198.51.100.0/23", "0 1");
    archive_rib(&table, 100, "198.51.100.128/25", "0 1");
    archive_rib(&table, 100, "10.2.0.0/16", "1");
    archive_rib(&table, 100, "2001:db8::/32", "0");
    strcpy(files->table, "/tmp/lastlight-table-XXXXXX");
    archive_write(files->table, table.bytes, table.size);
    strcpy(files->countries, "/tmp/lastlight-registry-XXXXXX");
    archive_write(files->countries, registry, sizeof registry - 1);
    buffer_printf(&yaml,
                  "vantage: {name: lon, controls: [icmp:192.0.2.7]}\n"
                  "blocks: {countries: [%s], tables: [%s]}\n"
                  "subjects: [{name: a, blocks: [%s]}]\n",
                  files->countries, files->table, list);
    strcpy(files->config, "/tmp/lastlight-config-XXXXXX");
    archive_write(files->config, yaml.bytes, yaml.size);
    buffer_done(&table);
    buffer_done(&yaml);
}

static void remove_files(const struct files *files)
{
    unlink(files->config);
    unlink(files->countries);
    unlink(files->table);
}

/* What is private is left out, where it is not written down itself; so is a default route. */
static void country_and_as(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0};
    struct files files;
    struct why why;
    write_files(&files, "{country: kp}, {asn: 4837}, 175.45.180.0/24");
    assert_int_equal(config_load(files.config, &config, &faults, &why), ERR_OK);
    static const uint8_t expected[][3] = {{175, 45, 176}, {175, 45, 177}, {175, 45, 178},
                                          {175, 45, 179}, {175, 45, 180}, {198, 51, 101}};
    assert_int_equal(config.blocks.count, 6);
    for (size_t i = 0; i < 6; i++) {
        const uint8_t *b = expected[i];
        assert_int_equal(config.blocks.plan[i].network, number(b[0], b[1], b[2]));
        assert_int_equal(config.blocks.plan[i].is_named, i == 4);
    }
    config_done(&config);
    remove_files(&files);
    write_files(&files, "{country: FR}");
    assert_int_equal(config_load(files.config, &config, &faults, &why), ERR_CONFIG);
    assert_non_null(strstr(why.text, "3:41: country: FR has no network in these files"));
    remove_files(&files);
    write_files(&files, "{asn: 4838}");
    assert_int_equal(config_load(files.config, &config, &faults, &why), ERR_CONFIG);
    assert_non_null(strstr(why.text, "asn: the tables have no network of IPv4 of these ASes"));
    unlink(files.table);
    assert_int_equal(config_load(files.config, &config, &faults, &why), ERR_CONFIG);
    assert_non_null(strstr(why.text, files.table));
    remove_files(&files);
    buffer_done(&faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefixes),  cmocka_unit_test(shared),
        cmocka_unit_test(too_many),  cmocka_unit_test(faults_have_a_place),
        cmocka_unit_test(described), cmocka_unit_test(country_and_as),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
