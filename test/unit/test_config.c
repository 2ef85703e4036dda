/* app/config/config: what a good configuration comes to, and what is said about bad ones, with its place.
 */
#include "app/options.h"
#include "config_text.h"

#include <stdlib.h>

static const char full[] =
    "journal: data/kp.db\n"
    "contact: mailto:noc@example.net\n"
    "subjects:\n"
    "  - name: kp\n"
    "    title: North Korea\n"
    "    timezone: \"+09:00\"\n"
    "    zones: [kp., EDU.KP]\n"
    "    prefixes: [175.45.176.0/22, \"2001:DB8::/32\"]\n"
    "    asns: [131279, AS4837]\n"
    "    targets:\n"
    "      - icmp:175.45.176.71\n"
    "      - {target: \"http://kcna.kp/\", interval: 60s, timeout: 5s, expect: 200}\n"
    "      - {target: icmp:175.45.176.80, interval: 2s, count: 2}\n"
    "      - {target: \"https://www.example.kp/\", text: \"조선중앙통신 & co\"}\n"
    "  - name: \"no\"\n"
    "    targets: [tcp:192.0.2.9:443]\n"
    "defaults: {interval: 20s, timeout: 4s, count: 3}\n"
    "vantage: {name: lon, controls: [icmp:192.0.2.1, {target: \"tcp:192.0.2.7:443\", "
    "interval: 10s}]}\n"
    "routes: {collector: rrc00, archives: [mrt/2022, /srv/x.gz], bmp: \"[2001:db8::1]:11019\"}\n";

static void check_plan(const struct probe_plan *plan, const char *target, bool is_control,
                       int64_t interval_s, int64_t timeout_s, unsigned count, int expect)
{
    assert_string_equal(plan->target, target);
    assert_int_equal(plan->is_control, is_control);
    assert_int_equal(plan->interval_ns, interval_s * NS_PER_S);
    assert_int_equal(plan->timeout_ns, timeout_s * NS_PER_S);
    assert_int_equal(plan->count, count);
    assert_int_equal(plan->expect_status, expect);
}

/* The vantage asks itself, whatever the configuration says, if there is anything else to ask. */
static void test_whole_plan(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0};
    size_t count;
    assert_int_equal(parse("vantage: {name: lon, controls: [icmp:192.0.2.1, self:loop], ntp: "
                           "[192.0.2.123, \"[2001:db8::1]:1123\"]}\n"
                           "subjects: [{name: a, targets: [icmp:192.0.2.9]}]\n",
                           &config, &faults),
                     ERR_OK);
    assert_int_equal(config.control_count, 1);
    assert_int_equal(config.clock_count, 2);
    assert_string_equal(config.clocks[1], "[2001:db8::1]:1123");
    struct probe_plan *plan = config_whole_plan(&config, &count);
    assert_int_equal(count, config.plan_count + 5);
    for (size_t i = config.plan_count; i < count; i++) {
        assert_int_equal(prober_check(&plan[i], NULL), ERR_OK);
        assert_true(plan[i].is_control && strncmp(plan[i].target, "self:", 5) == 0);
    }
    free(plan);
    config_done(&config);
    assert_int_equal(parse("subjects: [{name: a, prefixes: [192.0.2.0/24]}]\n", &config, &faults),
                     ERR_OK);
    plan = config_whole_plan(&config, &count);
    assert_int_equal(count, 0);
    free(plan);
    config_done(&config);
    buffer_done(&faults);
}

static void test_full(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0};
    assert_int_equal(parse(full, &config, &faults), ERR_OK);
    assert_int_equal(faults.size, 0);
    assert_string_equal(config.journal, "etc/data/kp.db");
    assert_string_equal(config.vantage, "lon");
    assert_string_equal(config.contact, "mailto:noc@example.net");
    assert_string_equal(config.collector, "rrc00");
    assert_int_equal(config.archive_count, 2);
    assert_string_equal(config.archives[0], "etc/mrt/2022");
    assert_string_equal(config.archives[1], "/srv/x.gz");
    assert_int_equal(config.warning_count, 0);
    /* Defaults hold wherever they stand in the file; controls come first. A timeout that is only
     * inherited gives way to a short interval. */
    assert_int_equal(config.plan_count, 9);
    assert_int_equal(config.control_count, 2);
    check_plan(&config.plan[0], "icmp:192.0.2.1", true, 20, 4, 3, 0);
    check_plan(&config.plan[1], "tcp:192.0.2.7:443", true, 10, 4, 1, 0);
    check_plan(&config.plan[2], "zone:kp.", false, 300, 10, 1, 0);
    check_plan(&config.plan[3], "zone:edu.kp.", false, 300, 10, 1, 0);
    check_plan(&config.plan[4], "icmp:175.45.176.71", false, 20, 4, 3, 0);
    check_plan(&config.plan[5], "http://kcna.kp/", false, 60, 5, 1, 200);
    check_plan(&config.plan[6], "icmp:175.45.176.80", false, 2, 2, 2, 0);
    check_plan(&config.plan[7], "https://www.example.kp/", false, 20, 4, 1, 0);
    assert_null(config.plan[5].expect_text);
    assert_string_equal(config.plan[7].expect_text, "조선중앙통신 & co");
    config_done(&config);
    buffer_done(&faults);
}

static void test_members(void **state)
{
    (void)state;
    static const struct member_spec expected[] = {
        {NAME_ZONE, "kp.", 0},
        {NAME_TARGET, "zone:kp.", 300 * NS_PER_S},
        {NAME_ZONE, "edu.kp.", 0},
        {NAME_TARGET, "zone:edu.kp.", 300 * NS_PER_S},
        {NAME_PREFIX, "175.45.176.0/22", 0},
        {NAME_PREFIX, "2001:db8::/32", 0},
        {NAME_ASN, "131279", 0},
        {NAME_ASN, "4837", 0},
        {NAME_TARGET, "icmp:175.45.176.71", 20 * NS_PER_S},
        {NAME_TARGET, "http://kcna.kp/", 60 * NS_PER_S},
        {NAME_TARGET, "icmp:175.45.176.80", 2 * NS_PER_S},
        {NAME_TARGET, "https://www.example.kp/", 20 * NS_PER_S}};
    struct config config;
    struct buffer faults = {0};
    assert_int_equal(parse(full, &config, &faults), ERR_OK);
    assert_int_equal(config.subject_count, 2);
    const struct subject_spec *kp = config_find_subject(&config, "kp");
    assert_string_equal(kp->title, "North Korea");
    assert_int_equal(kp->utc_offset_s, 9 * 3600);
    assert_int_equal(kp->member_count, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_int_equal(kp->members[i].kind, expected[i].kind);
        assert_string_equal(kp->members[i].text, expected[i].text);
        assert_int_equal(kp->members[i].interval_ns, expected[i].interval_ns);
    }
    assert_non_null(config_find_subject(&config, "no"));
    assert_null(config_find_subject(&config, "se"));
    assert_int_equal(config.watch.prefix_count, 2);
    assert_int_equal(config.watch.asn_count, 2);
    assert_int_equal(config.watch.asns[1], 4837);
    config_done(&config);
    buffer_done(&faults);
}

#define HEAD "subjects:\n- name: kp\n  "
#define TARGETS HEAD "targets: "
#define FIFTY "01234567890123456789012345678901234567890123456789"

/* Each line of `faults` must be found in this order, and there must be no more. */
static const struct {
    const char *text;
    const char *faults;
} bad[] = {
    {"", "etc/l.yaml:1:1: found nothing where the configuration begins; expected a mapping of keys "
         "(KEY: VALUE)\n"},
    {"- a\n",
     "etc/l.yaml:1:1: found a list where the configuration begins; expected a mapping of keys "
     "(KEY: VALUE)\n"},
    {"journal: a.db\n",
     "etc/l.yaml:1:1: the configuration has no 'subjects'; expected a list of what is to be "
     "watched\n"},
    {"subjects: []\n", "etc/l.yaml:1:11: subjects: the list is empty; expected at least one\n"},
    {"subjects: kp\n",
     "etc/l.yaml:1:11: subjects: found 'kp'; expected a list, as in [a, b] or lines that begin "
     "with '- '\n"},
    {"subjects: [kp]\n",
     "etc/l.yaml:1:12: found 'kp' where a subject begins; expected a mapping of keys "
     "(KEY: VALUE)\n"},
    {"subject: []\n",
     "etc/l.yaml:1:1: the configuration has no key 'subject'; did you mean 'subjects'?\n"
     "etc/l.yaml:1:1: the configuration has no 'subjects'; expected a list of what is to be "
     "watched\n"},
    {TARGETS "[icmp:192.0.2.1]\nfrobnicate: 1\n",
     "etc/l.yaml:4:1: the configuration has no key 'frobnicate'; expected journal, contact, "
     "vantage, limits, "
     "exclude, allow, routes, defaults, subjects, blocks or asn_db\n"},
    {TARGETS "[icmp:192.0.2.1]\njournal: a\njournal: b\n",
     "etc/l.yaml:5:1: the configuration has the key 'journal' twice\n"},
    {TARGETS "[icmp:192.0.2.1]\n[a]: b\n",
     "etc/l.yaml:4:1: found a list as a key of the configuration\n"},
    {TARGETS "icmp:192.0.2.1\n",
     "etc/l.yaml:3:12: targets: found 'icmp:192.0.2.1'; expected a list, as in [a, b] or "
     "lines that begin with '- '\n"},
    {TARGETS "[icpm:192.0.2.1]\n",
     "etc/l.yaml:3:13: 'icpm:192.0.2.1' is no kind of target; did you mean 'icmp:...'?\n"},
    {TARGETS "[192.0.2.1]\n",
     "etc/l.yaml:3:13: '192.0.2.1' is an address; to ping it, write 'icmp:192.0.2.1'\n"},
    {TARGETS "[icmp:192.0.2.1, icmp:192.0.2.1]\n",
     "etc/l.yaml:3:29: target icmp:192.0.2.1 is there already, in line 3\n"},
    {"vantage: {controls: [icmp:192.0.2.1]}\n" TARGETS "[icmp:192.0.2.1]\n",
     "etc/l.yaml:4:13: target icmp:192.0.2.1 is there already, in line 1\n"},
    {TARGETS "[self:clock]\n",
     "etc/l.yaml:3:13: target 'self:clock' tells of the vantage, and of no subject\n"},
    {"vantage: {controls: [icmp:192.0.2.1], ntp: [192.0.2.1, \"a:b:c\"]}\n" TARGETS
     "[icmp:192.0.2.2]\n",
     "etc/l.yaml:1:56: ntp: found 'a:b:c'; expected a host or an address, with a port where it is "
     "not 123\n"},
    {"exclude: [192.0.2.0/28]\nvantage: {controls: [icmp:192.0.2.99], ntp: 192.0.2.1}\n" TARGETS
     "[icmp:192.0.2.98]\n",
     "etc/l.yaml:2:45: 192.0.2.1 is excluded, as part of 192.0.2.0/28; expected a server that may "
     "be asked\n"},
    {"vantage: {controls: [icmp:192.0.2.1], ntp: [a, b, c, d, e, f, g, h, i]}\n" TARGETS
     "[icmp:192.0.2.2]\n",
     "etc/l.yaml:1:69: ntp: more than 8 servers; expected fewer\n"},
    {TARGETS "[{interval: 5s}]\n",
     "etc/l.yaml:3:13: found settings without a target; expected 'target: ...'\n"},
    {TARGETS "[{target: icmp:192.0.2.1, intervall: 5s}]\n",
     "etc/l.yaml:3:38: a target has no key 'intervall'; did you mean 'interval'?\n"},
    {TARGETS "[{target: icmp:192.0.2.1, interval: 5}]\n",
     "etc/l.yaml:3:48: interval: found '5'; expected a duration with its unit, such as 500ms, 30s "
     "or 5m\n"},
    {TARGETS "[{target: icmp:192.0.2.1, interval: 100ms}]\n",
     "etc/l.yaml:3:48: interval: found '100ms'; expected 1 s to 1 d\n"},
    {TARGETS "[{target: icmp:192.0.2.1, interval: 5s, timeout: 6s}]\n",
     "etc/l.yaml:3:61: timeout 6 s is longer than the interval, 5 s; expected at most that\n"},
    {TARGETS "[{target: icmp:192.0.2.1, timeout: 11s}]\n",
     "etc/l.yaml:3:47: timeout: found '11s'; expected 10 ms to 10 s\n"},
    {TARGETS "[{target: icmp:192.0.2.1, count: 0}]\n",
     "etc/l.yaml:3:45: count: found '0'; expected a whole number from 1 to 20\n"},
    {TARGETS "[{target: icmp:192.0.2.1, count: many}]\n",
     "etc/l.yaml:3:45: count: found 'many'; expected a whole number from 1 to 20\n"},
    {TARGETS "[{target: tcp:192.0.2.1:80, count: 2}]\n",
     "etc/l.yaml:3:47: count is for icmp targets, this one is of kind tcp; expected none\n"},
    {TARGETS "[{target: tcp:192.0.2.1:80, expect: 200}]\n",
     "etc/l.yaml:3:48: expect is for http and https targets, this one is of kind tcp; expected "
     "none\n"},
    {TARGETS "[{target: \"http://a/\", expect: 20}]\n",
     "etc/l.yaml:3:43: expect: found '20'; expected a whole number from 100 to 599\n"},
    {TARGETS "[{target: tcp:192.0.2.1:80, text: x}]\n",
     "etc/l.yaml:3:46: text is for http and https targets, this one is of kind tcp; expected "
     "none\n"},
    {TARGETS "[{target: \"tls:a:443\", text: x}]\n",
     "etc/l.yaml:3:41: text is for http and https targets, this one is of kind tls; expected "
     "none\n"},
    {TARGETS "[{target: \"http://a/\", text: \"\"}]\n",
     "etc/l.yaml:3:41: found nothing; expected a text of the page\n"},
    {TARGETS "[{target: \"http://a/\", text: [a]}]\n",
     "etc/l.yaml:3:41: found a list; expected a text of the page\n"},
    {TARGETS "[{target: \"http://a/\", text: \"a\\nb\"}]\n",
     "etc/l.yaml:3:41: a text of the page holds a control character\n"},
    {TARGETS "[{target: \"http://a/\", text: " FIFTY FIFTY FIFTY FIFTY "x}]\n",
     "etc/l.yaml:3:41: a text of the page is longer than 200 bytes\n"},
    {"defaults: {text: x}\n" TARGETS "[\"http://a/\"]\n",
     "etc/l.yaml:1:12: defaults has no key 'text'; expected interval, timeout or count\n"},
    {"defaults: {interval: 2s, timeout: 3s}\n" TARGETS "[icmp:192.0.2.1]\n",
     "etc/l.yaml:1:35: timeout 3 s is longer than the interval, 2 s; expected at most that\n"},
    {TARGETS "[\"dns:192.0.2.1/kp./SAO\", \"dns:192.0.2.1/a..kp./SOA\"]\n",
     "etc/l.yaml:3:13: target 'dns:192.0.2.1/kp./SAO' has no valid name or record type\n"
     "etc/l.yaml:3:38: target 'dns:192.0.2.1/a..kp./SOA' has no valid name or record type\n"},
    {TARGETS "[icmp:255.255.255.255, icmp:239.1.2.3, \"tcp:0.0.0.0:80\", \"icmp:ff02::1\", "
             "\"icmp:::\"]\n",
     "etc/l.yaml:3:13: target 'icmp:255.255.255.255' is not the address of one host\n"
     "etc/l.yaml:3:35: target 'icmp:239.1.2.3' is not the address of one host\n"
     "etc/l.yaml:3:51: target 'tcp:0.0.0.0:80' is not the address of one host\n"
     "etc/l.yaml:3:69: target 'icmp:ff02::1' is not the address of one host\n"
     "etc/l.yaml:3:85: target 'icmp:::' is not the address of one host\n"},
    {HEAD "prefixes: [175.45.176.5/22]\n",
     "etc/l.yaml:3:14: '175.45.176.5/22' is not a prefix; expected ADDRESS/BITS with all further "
     "bits zero; did you "
     "mean 175.45.176.0/22?\n"},
    {HEAD "prefixes: [175.45.176.5]\n", "etc/l.yaml:3:14: '175.45.176.5' is not a prefix; expected "
                                        "ADDRESS/BITS with all further bits zero; did you "
                                        "mean 175.45.176.5/32?\n"},
    {HEAD "prefixes: [175.45.176.0/33]\n", "etc/l.yaml:3:14: '175.45.176.0/33' is not a prefix; "
                                           "expected ADDRESS/BITS with all further bits zero\n"},
    {HEAD "prefixes: [\"2001:db8::/32\", 2001:DB8:0::/32]\n",
     "etc/l.yaml:3:31: prefix 2001:db8::/32 is there already, in line 3\n"},
    {HEAD "asns: [AS0]\n",
     "etc/l.yaml:3:10: asns: found 'AS0'; expected an AS number, such as 131279\n"},
    {HEAD "asns: [1.10]\n",
     "etc/l.yaml:3:10: asns: found '1.10'; expected an AS number, such as 131279\n"},
    {HEAD "zones: [no]\n", "etc/l.yaml:3:11: found 'no' without quotes, which means false in YAML; "
                           "expected the name of a zone: write "
                           "\"no\"\n"},
    {HEAD "zones: [a..b]\n", "etc/l.yaml:3:11: 'a..b' is not the name of a zone; expected labels "
                             "with dots between, such as kp.\n"},
    {HEAD "zones: [{interval: 60s}]\n",
     "etc/l.yaml:3:11: found settings without a zone; expected 'zone: ...'\n"},
    {HEAD "zones: [{zone: kp, via: [here]}]\n",
     "etc/l.yaml:3:28: via: found 'here'; expected an address\n"},
    {"exclude: [192.0.2.0/24]\n" HEAD "zones: [{zone: kp, resolver: 192.0.2.1}]\n",
     "etc/l.yaml:4:32: resolver: 192.0.2.1 is excluded\n"},
    {HEAD "zones: [{zone: kp, trust_anchors: [\"jp. DS 1 13 2 00\"]}]\n",
     "etc/l.yaml:3:18: zone kp.: 'jp. DS 1 13 2 00' is no trust anchor of it; expected DS or "
     "DNSKEY "
     "records of one zone, of it or above it, such as '. DS 20326 8 2 E06D...'\n"},
    {HEAD "zones: [kp, {zone: kp}]\n",
     "etc/l.yaml:3:22: target zone:kp. is there already, in line 3\n"},
    {HEAD "zones: [kp]\n  targets: [\"zone:kp.\"]\n",
     "etc/l.yaml:4:13: target zone:kp. is there already, in line 3\n"},
    {HEAD "timezone: Asia/Pyongyang\n  zones: [kp]\n",
     "etc/l.yaml:3:13: timezone: found 'Asia/Pyongyang'; expected the difference to UTC, such as "
     "\"+09:00\", or "
     "UTC\n"},
    {HEAD "timezone: +15:00\n  zones: [kp]\n",
     "etc/l.yaml:3:13: timezone: found '+15:00'; expected the difference to UTC, such as "
     "\"+09:00\", or UTC\n"},
    {"subjects:\n- name: no\n  zones: [kp]\n",
     "etc/l.yaml:2:9: found 'no' without quotes, which means false in YAML; expected the name of a "
     "subject: write "
     "\"no\"\n"},
    {"subjects:\n- name: On\n  zones: [kp]\n",
     "etc/l.yaml:2:9: found 'On' without quotes, which means true in YAML; expected the name of a "
     "subject: write "
     "\"On\"\n"},
    {"subjects:\n- name: ~\n  zones: [kp]\n",
     "etc/l.yaml:2:9: found '~' without quotes, which means nothing in YAML; expected the name of "
     "a subject: write "
     "\"~\"\n"},
    {"subjects:\n- name:\n  zones: [kp]\n",
     "etc/l.yaml:2:8: found nothing; expected the name of a subject\n"},
    {"subjects:\n- zones: [kp]\n",
     "etc/l.yaml:2:3: found a subject without a name; expected 'name: ...'\n"},
    {"subjects:\n- name: kp\n",
     "etc/l.yaml:2:3: found a subject that watches nothing; expected targets, prefixes, "
     "asns, countries, zones or blocks\n"},
    {"subjects:\n- {name: kp, zones: [kp]}\n- {name: kp, asns: [1]}\n",
     "etc/l.yaml:3:10: subject kp is there already, in line 2\n"},
    {"subjects:\n- {name: \"a\\tb\", zones: [kp]}\n",
     "etc/l.yaml:2:10: the name of a subject holds a control character\n"},
    {"vantage: off\n" HEAD "zones: [kp]\n",
     "etc/l.yaml:1:10: found 'off' without quotes, which means false in YAML; expected the name of "
     "the vantage: write "
     "\"off\"\n"},
    {"contact: noc@example.net\n" HEAD "zones: [kp]\n",
     "etc/l.yaml:1:10: contact: found 'noc@example.net'; expected mailto:ADDRESS or a http:// or "
     "https:// URL\n"},
    {"routes: {collectors: rrc00}\n" HEAD "zones: [kp]\n",
     "etc/l.yaml:1:10: routes has no key 'collectors'; did you mean 'collector'?\n"},
    {HEAD "zones: [kp]\n---\na: b\n",
     "etc/l.yaml:5:1: found a second document after '---'; expected one\n"},
    {"subjects: [\n",
     "etc/l.yaml:2:1: not YAML: did not find expected node content while parsing a flow node (line "
     "2)\n"},
    {"subjects:\n\t- a\n",
     "etc/l.yaml:2:1: not YAML: found character that cannot start any token while scanning for "
     "the next token (line 2)\n"},
    {"subjects: &a [*b]\n", "etc/l.yaml:1:15: not YAML: found undefined alias\n"},
    /* Several at once, in the order of the parts */
    {"vantage: {controls: [icmp:x]}\n" TARGETS "[tcp:192.0.2.1]\n  asns: [x]\n",
     "etc/l.yaml:1:22: 'icmp:x' is not a target of kind icmp; expected icmp:ADDRESS\n"
     "etc/l.yaml:5:10: asns: found 'x'; expected an AS number, such as 131279\n"
     "etc/l.yaml:4:13: 'tcp:192.0.2.1' is not a target of kind tcp; expected tcp:ADDRESS:PORT, an "
     "IPv6 address in "
     "brackets\n"},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct config config;
        struct buffer faults = {0};
        assert_int_equal(parse(bad[i].text, &config, &faults), ERR_CONFIG);
        assert_string_equal(faults.bytes, bad[i].faults);
        buffer_done(&faults);
    }
}

static void test_deep(void **state)
{
    (void)state;
    static char text[3000000];
    struct config config;
    struct buffer faults = {0};
    memset(text, '[', sizeof text);
    assert_int_equal(config_parse("f", text, sizeof text, &config, &faults, NULL), ERR_CONFIG);
    assert_string_equal(faults.bytes,
                        "f:1:1001: nested deeper than 1000 brackets; expected at most four\n");
    buffer_done(&faults);
}

/* Twenty faults are told, and how many there are besides. */
static void test_many(void **state)
{
    (void)state;
    struct buffer text = {0}, faults = {0};
    struct config config;
    size_t lines = 0;
    buffer_puts(&text, TARGETS "\n");
    for (int i = 0; i < 50; i++)
        buffer_printf(&text, "  - icmp:host%d\n", i);
    assert_int_equal(parse(text.bytes, &config, &faults), ERR_CONFIG);
    for (const char *at = faults.bytes; *at; at++)
        lines += *at == '\n';
    assert_int_equal(lines, 20 + 1);
    assert_non_null(strstr(faults.bytes, "etc/l.yaml: and 30 more\n"));
    buffer_done(&text);
    buffer_done(&faults);
}

static void test_warnings(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0};
    assert_int_equal(parse(TARGETS "[icmp:192.0.2.1, \"trace:192.0.2.7\"]\n", &config, &faults),
                     ERR_OK);
    assert_int_equal(config.warning_count, 1);
    assert_non_null(strstr(config.warnings[0], "etc/l.yaml:1:1: no vantage with controls"));
    assert_int_equal(config.plan_count, 2);
    assert_int_equal(config.subjects[0].member_count, 2);
    assert_true(config.vantage[0] != '\0');
    assert_string_equal(config.journal, "etc/lastlight.db");
    config_done(&config);
}

static void test_describe(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0}, text = {0};
    assert_int_equal(parse(full, &config, &faults), ERR_OK);
    config_describe(&config, false, &text);
    assert_string_equal(text.bytes,
                        "etc/l.yaml: no errors. It would watch, from vantage lon:\n"
                        "  kp (North Korea): 6 targets, 2 prefixes, 2 ASes, 2 zones\n"
                        "  no: 1 target\n"
                        "7 targets and 2 controls, 1.52 probes a second; 1 page searched for a "
                        "text; 2 archives of routes; live routes by BMP at [2001:db8::1]:11019\n"
                        "journal: etc/data/kp.db\n");
    buffer_clear(&text);
    config_describe(&config, true, &text);
    assert_non_null(strstr(text.bytes, "\"targets\":7,\"controls\":2,\"texts\":1,"));
    assert_int_equal(strcspn(text.bytes, "\n"), text.size - 1);
    config_done(&config);
    buffer_done(&text);
}

/* What the manual shows is good as it stands. */
static void test_manual(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0};
    assert_int_equal(parse(help_config_example(), &config, &faults), ERR_OK);
    assert_int_equal(config.warning_count, 0);
    assert_int_equal(config.plan_count, 7);
    config_done(&config);
}

#define DS ". DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"

/* A zone is a target; how it is looked at can be set, and two subjects may share it. */
static void test_zones(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0};
    struct addr root, resolver;
    addr_parse("192.0.2.1", 9, &root);
    addr_parse("2001:db8::53", 12, &resolver);
    assert_int_equal(
        parse("subjects:\n- name: a\n  zones:\n"
              "    - {zone: KP, interval: 60s, timeout: 4s, via: [192.0.2.1, 192.0.2.2],\n"
              "       resolver: \"2001:db8::53\", trust_anchors: [\"" DS "\"]}\n"
              "    - se.\n- {name: b, zones: [se]}\n",
              &config, &faults),
        ERR_OK);
    assert_int_equal(config.plan_count, 2);
    check_plan(&config.plan[0], "zone:kp.", false, 60, 4, 1, 0);
    check_plan(&config.plan[1], "zone:se.", false, 300, 10, 1, 0);
    const struct zone_settings *zone = config.plan[0].zone;
    assert_int_equal(zone->via_count, 2);
    assert_int_equal(addr_compare(&zone->via[0], &root), 0);
    assert_int_equal(addr_compare(&zone->resolver, &resolver), 0);
    assert_int_equal(zone->anchor_count, 1);
    assert_string_equal(zone->anchors[0], DS);
    assert_null(config.plan[1].zone);
    assert_int_equal(config.subjects[1].member_count, 2);
    assert_string_equal(config.subjects[1].members[1].text, "zone:se.");
    config_done(&config);
}

/* What is the same and what is not decides what a reload tells the journal. */
static void test_same_subject(void **state)
{
    (void)state;
    static const char *const others[] = {
        "subjects:\n- {name: a, zones: [kp], asns: [2]}\n", "subjects:\n- {name: a, zones: [kp]}\n",
        "subjects:\n- {name: b, zones: [kp], asns: [1]}\n",
        "subjects:\n- {name: a, zones: [kp], asns: [1], title: x}\n",
        "subjects:\n- {name: a, zones: [kp], asns: [1], timezone: \"+01:00\"}\n"};
    struct config config, other;
    struct buffer faults = {0};
    assert_int_equal(parse("subjects:\n- {name: a, zones: [kp], asns: [1]}\n", &config, &faults),
                     ERR_OK);
    assert_true(config_has_subject(&config, &config.subjects[0]));
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_int_equal(parse(others[i], &other, &faults), ERR_OK);
        assert_false(config_has_subject(&config, &other.subjects[0]));
        config_done(&other);
    }
    config_done(&config);
}

/* However the file is cut off, it is either good or a fault with its place: nothing else. */
static void test_truncated(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof full; n++) {
        struct config config;
        struct buffer faults = {0};
        enum err err = config_parse("f", full, n, &config, &faults, NULL);
        assert_true(err == ERR_OK || (err == ERR_CONFIG && faults.size > 0));
        assert_true(err || faults.size == 0);
        if (!err)
            config_done(&config);
        buffer_done(&faults);
    }
}

static void test_files(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0};
    struct why why;
    assert_int_not_equal(config_load("/nonexistent/l.yaml", &config, &faults, &why), ERR_OK);
    assert_non_null(strstr(why.text, "/nonexistent/l.yaml"));
    assert_int_equal(faults.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full),         cmocka_unit_test(test_whole_plan),
        cmocka_unit_test(test_members),      cmocka_unit_test(test_bad),
        cmocka_unit_test(test_many),         cmocka_unit_test(test_deep),
        cmocka_unit_test(test_warnings),     cmocka_unit_test(test_describe),
        cmocka_unit_test(test_manual),       cmocka_unit_test(test_zones),
        cmocka_unit_test(test_same_subject), cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
