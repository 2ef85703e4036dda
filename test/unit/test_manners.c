/* Whom we do not ask, and how fast we ask: prefix sets, verdicts, rates, and the configuration of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/config/config.h"
#include "base/prefix_set.h"
#include "source/probe/manners.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct addr addr_of(const char *text)
{
    struct addr addr;
    assert_true(addr_parse(text, strlen(text), &addr));
    return addr;
}

static void add(struct prefix_set *set, const char *text)
{
    struct prefix prefix;
    assert_true(prefix_parse(text, strlen(text), &prefix));
    prefix_set_add(set, &prefix);
}

/* ---- sets of prefixes ---- */

static void test_set(void **state)
{
    (void)state;
    struct prefix_set set = {0};
    struct addr inside = addr_of("10.1.2.3");
    char text[PREFIX_TEXT_MAX];
    assert_null(prefix_set_find(&set, &inside));
    prefix_set_seal(&set);
    add(&set, "192.0.2.128/25");
    add(&set, "10.1.2.3/32"); /* within the next, which must not hide it */
    add(&set, "10.0.0.0/8");
    add(&set, "10.200.0.0/16");
    add(&set, "10.0.0.0/8");
    add(&set, "2001:db8::/32");
    prefix_set_seal(&set);
    assert_int_equal(set.count, 3);
    assert_string_equal(prefix_format(prefix_set_find(&set, &inside), text), "10.0.0.0/8");
    static const struct {
        const char *addr;
        bool is_in;
    } cases[] = {{"9.255.255.255", false}, {"10.0.0.0", true},
                 {"10.255.255.255", true}, {"11.0.0.0", false},
                 {"192.0.2.127", false},   {"192.0.2.128", true},
                 {"192.0.3.0", false},     {"2001:db7:ffff::", false},
                 {"2001:db8::", true},     {"2001:db9::", false},
                 {"a00::", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct addr addr = addr_of(cases[i].addr);
        assert_int_equal(prefix_set_find(&set, &addr) != NULL, cases[i].is_in);
    }
    prefix_set_done(&set);
}

/* Against looking at every prefix, with many that lie within others. */
static void test_set_against_all(void **state)
{
    (void)state;
    struct prefix_set set = {0};
    enum { PREFIXES = 300, ADDRS = 20000 };
    static struct prefix all[PREFIXES];
    srand(20220126);
    for (int i = 0; i < PREFIXES; i++) {
        struct addr addr = {.family = 4, .bytes = {(uint8_t)(rand() % 4), (uint8_t)rand()}};
        all[i] = prefix_of(&addr, 6 + (unsigned)rand() % 20);
        prefix_set_add(&set, &all[i]);
    }
    prefix_set_seal(&set);
    for (int i = 0; i < ADDRS; i++) {
        struct addr addr = {.family = 4,
                            .bytes = {(uint8_t)(rand() % 5), (uint8_t)rand(), (uint8_t)rand()}};
        bool is_in = false;
        for (int k = 0; k < PREFIXES; k++)
            is_in = is_in || prefix_has_addr(&all[k], &addr);
        assert_int_equal(prefix_set_find(&set, &addr) != NULL, is_in);
    }
    prefix_set_done(&set);
}

/* ---- verdicts ---- */

static void test_verdicts(void **state)
{
    (void)state;
    struct manners_options options = {0};
    add(&options.excluded, "203.0.112.0/24");
    add(&options.excluded, "10.9.0.0/16");
    add(&options.allowed, "10.0.0.0/8");
    prefix_set_seal(&options.excluded);
    prefix_set_seal(&options.allowed);
    static const struct {
        const char *addr;
        enum manners_verdict named, found;
    } cases[] = {
        {"175.45.176.71", MANNERS_MAY, MANNERS_MAY},
        {"203.0.112.9", MANNERS_EXCLUDED, MANNERS_EXCLUDED},
        {"10.9.8.7", MANNERS_EXCLUDED, MANNERS_EXCLUDED}, /* what is allowed does not matter */
        {"10.8.8.7", MANNERS_MAY, MANNERS_MAY},
        {"192.168.1.1", MANNERS_MAY, MANNERS_RESERVED},
        {"127.0.0.1", MANNERS_MAY, MANNERS_RESERVED},
        {"0.0.0.0", MANNERS_MAY, MANNERS_RESERVED},
        {"100.64.0.1", MANNERS_MAY, MANNERS_RESERVED},
        {"100.128.0.1", MANNERS_MAY, MANNERS_MAY},
        {"172.31.255.255", MANNERS_MAY, MANNERS_RESERVED},
        {"172.32.0.0", MANNERS_MAY, MANNERS_MAY},
        {"198.18.0.1", MANNERS_MAY, MANNERS_RESERVED},
        {"198.20.0.0", MANNERS_MAY, MANNERS_MAY},
        {"224.0.0.1", MANNERS_MAY, MANNERS_RESERVED},
        {"255.255.255.255", MANNERS_MAY, MANNERS_RESERVED},
        {"::1", MANNERS_MAY, MANNERS_RESERVED},
        {"::ffff:10.0.0.1", MANNERS_MAY, MANNERS_RESERVED},
        {"fe80::1", MANNERS_MAY, MANNERS_RESERVED},
        {"fd00::1", MANNERS_MAY, MANNERS_RESERVED},
        {"2001:db8::1", MANNERS_MAY, MANNERS_RESERVED},
        {"2001:4860:4860::8888", MANNERS_MAY, MANNERS_MAY},
        {"64:ff9b::1.2.3.4", MANNERS_MAY, MANNERS_MAY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct addr addr = addr_of(cases[i].addr);
        if (manners_judge(&options, &addr, true) != cases[i].named ||
            manners_judge(&options, &addr, false) != cases[i].found)
            fail_msg("%s", cases[i].addr);
    }
    prefix_set_done(&options.excluded);
    prefix_set_done(&options.allowed);
}

/* ---- rates ---- */

/* How many may go in each of the first seconds to one of `neighbourhoods` in turn, if all go as soon as
 * they may. */
static void send_all(const struct manners_options *options, uint64_t neighbourhoods,
                     unsigned sent[5])
{
    struct manners *manners = manners_new(options);
    const int64_t start = NS_PER_DAY;
    uint64_t turn = 0;
    memset(sent, 0, 5 * sizeof *sent);
    for (int64_t at = 0; at < 5 * NS_PER_S; at += NS_PER_MS)
        while (sent[at / NS_PER_S] < 100000 &&
               !manners_wait_ns(manners, turn % neighbourhoods, (struct mono){start + at}))
            turn++, sent[at / NS_PER_S]++;
    manners_free(manners);
}

static void test_rates(void **state)
{
    (void)state;
    unsigned sent[5];
    send_all(&(struct manners_options){.rate = 100}, 7, sent);
    assert_in_range(sent[0], 199, 201); /* a second's worth at once, and one by and by */
    for (int i = 1; i < 5; i++)
        assert_in_range(sent[i], 99, 101);
    send_all(&(struct manners_options){.neighbour_rate = 10}, 3, sent);
    assert_int_equal(sent[0], 57); /* ten at once, and one after each tenth of a second */
    assert_in_range(sent[4], 29, 31);
    send_all(&(struct manners_options){.rate = 20, .neighbour_rate = 10}, 3, sent);
    assert_in_range(sent[4], 19, 21);
    send_all(&(struct manners_options){.rate = 0.5}, 1, sent);
    assert_int_equal(sent[0] + sent[1], 1);
    assert_int_equal(sent[2] + sent[3], 1);
    send_all(&(struct manners_options){0}, 1, sent);
    assert_int_equal(sent[0], 100000);
}

/* What has to wait is told how long, and that is enough. */
static void test_wait(void **state)
{
    (void)state;
    struct manners_options options = {.rate = 1000, .neighbour_rate = 1};
    struct manners *manners = manners_new(&options);
    struct mono now = {NS_PER_DAY};
    assert_int_equal(manners_wait_ns(manners, 1, now), 0);
    assert_int_equal(manners_wait_ns(manners, 2, now), 0);
    int64_t wait = manners_wait_ns(manners, 1, now);
    assert_int_equal(wait, NS_PER_S);
    assert_int_equal(manners_wait_ns(manners, 1, (struct mono){now.ns + wait - 1}), 1);
    assert_int_equal(manners_wait_ns(manners, 1, (struct mono){now.ns + wait}), 0);
    manners_free(manners);
}

static void test_neighbourhoods(void **state)
{
    (void)state;
    struct addr a = addr_of("192.0.2.1"), b = addr_of("192.0.2.255"), c = addr_of("192.0.3.1");
    struct addr d = addr_of("2001:db8:0:1::"), e = addr_of("2001:db8:0:ffff::1"),
                f = addr_of("2001:db8:1::");
    assert_true(manners_neighbourhood(&a) == manners_neighbourhood(&b));
    assert_true(manners_neighbourhood(&a) != manners_neighbourhood(&c));
    assert_true(manners_neighbourhood(&d) == manners_neighbourhood(&e));
    assert_true(manners_neighbourhood(&d) != manners_neighbourhood(&f));
    assert_true(manners_neighbourhood_of_name("a.kp", 4) !=
                manners_neighbourhood_of_name("b.kp", 4));
}

/* ---- the configuration ---- */

#define SUBJECT "subjects: [{name: kp, targets: [%s]}]\n"

static enum err load(const char *list, const char *text, struct config *config,
                     struct buffer *faults)
{
    char folder[] = "/tmp/test-manners-XXXXXX", path[64], list_path[64];
    struct why why;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/l.yaml", folder);
    snprintf(list_path, sizeof list_path, "%s/list.txt", folder);
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    file = fopen(list_path, "w");
    fputs(list, file);
    fclose(file);
    enum err err = config_load(path, config, faults, &why);
    /* Paths are cut from the messages, which would be others each time. */
    for (char *at; faults->size && (at = strstr(faults->bytes, folder));)
        memmove(at, at + strlen(folder), strlen(at + strlen(folder)) + 1);
    unlink(path);
    unlink(list_path);
    rmdir(folder);
    return err;
}

static void test_config(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0};
    struct addr excluded = addr_of("198.51.100.7"), from_file = addr_of("192.0.2.9"),
                other = addr_of("198.51.100.8"), allowed = addr_of("10.1.1.1");
    assert_int_equal(
        load("# those who asked us not to\n\n192.0.2.0/28 # their mail\r\n  2001:db8::1\n",
             "limits: {rate: 200, neighbourhood: 5}\n"
             "exclude: [198.51.100.7, {file: list.txt}]\nallow: [10.0.0.0/8]\n"
             "subjects: [{name: kp, targets: [icmp:175.45.176.71]}]\n",
             &config, &faults),
        ERR_OK);
    const struct manners_options *manners = &config.manners;
    assert_true(manners->rate == 200 && manners->neighbour_rate == 5 && manners->follow_rate == 20);
    assert_int_equal(manners_judge(manners, &excluded, true), MANNERS_EXCLUDED);
    assert_int_equal(manners_judge(manners, &from_file, true), MANNERS_EXCLUDED);
    assert_int_equal(manners_judge(manners, &other, true), MANNERS_MAY);
    assert_int_equal(manners_judge(manners, &allowed, false), MANNERS_MAY);
    config_done(&config);
    buffer_done(&faults);
}

static const struct {
    const char *text;
    const char *faults;
} bad[] = {
    {"exclude: [{file: list.txt}]\nsubjects: [{name: kp, targets: [\"tcp:192.0.2.9:80\"]}]\n",
     "/l.yaml:1:18: /list.txt:2: 'kcna.kp' is not an address and not a prefix\n"
     "/l.yaml:2:33: 192.0.2.9 is excluded, as part of 192.0.2.0/24; expected a target that may be "
     "asked\n"},
    {"exclude: [{file: none.txt}]\nsubjects: [{name: kp, zones: [kp]}]\n",
     "/l.yaml:1:18: /none.txt: cannot be opened: No such file or directory\n"},
    {"exclude: [192.0.2.1/24]\nsubjects: [{name: kp, zones: [kp]}]\n",
     "/l.yaml:1:11: exclude: found '192.0.2.1/24'; expected an address, a prefix or {file: "
     "PATH}\n"},
    {"limits: {rate: 0}\nsubjects: [{name: kp, zones: [kp]}]\n",
     "/l.yaml:1:16: rate: found '0'; expected a whole number from 1 to 1000000\n"},
};

static void test_bad_config(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct config config;
        struct buffer faults = {0};
        assert_int_equal(load("192.0.2.0/24\nkcna.kp\n", bad[i].text, &config, &faults),
                         ERR_CONFIG);
        assert_string_equal(faults.bytes, bad[i].faults);
        buffer_done(&faults);
    }
}

/* A plan that the limits hold back is told of. */
static void test_held_back(void **state)
{
    (void)state;
    static const char text[] =
        "vantage: {controls: [icmp:198.51.100.1]}\n"
        "limits: {rate: 3, neighbourhood: 2}\ndefaults: {interval: 1s, timeout: 1s}\n"
        "subjects: [{name: kp, targets: [icmp:192.0.2.1, icmp:192.0.2.2, \"tcp:192.0.2.2:80\"]}]\n";
    struct config config;
    struct buffer faults = {0};
    assert_int_equal(config_parse("l.yaml", text, strlen(text), &config, &faults, NULL), ERR_OK);
    assert_int_equal(config.warning_count, 2);
    assert_string_equal(
        config.warnings[0],
        "l.yaml:2:9: the targets need 4 probes a second and are held back to 3: ask "
        "more rarely, or raise 'limits: {rate: ...}'");
    assert_non_null(strstr(config.warnings[1], "the targets around "));
    assert_non_null(strstr(config.warnings[1], "need 3 probes a second and are held back to 2"));
    config_done(&config);
    buffer_done(&faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set),       cmocka_unit_test(test_set_against_all),
        cmocka_unit_test(test_verdicts),  cmocka_unit_test(test_rates),
        cmocka_unit_test(test_wait),      cmocka_unit_test(test_neighbourhoods),
        cmocka_unit_test(test_config),    cmocka_unit_test(test_bad_config),
        cmocka_unit_test(test_held_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
