/* model/registry: names become numbers, and keep them; what a name means is known. Also the names
 * of the model's enumerations, and what a probe's code and value mean. */
#include "base/mem.h"
#include "model/detail.h"
#include "model/model.h"
#include "model/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static uint32_t intern(struct registry *registry, enum name_kind kind, const char *text)
{
    return registry_intern(registry, kind, text, strlen(text));
}

static void test_numbers_are_given_in_order_and_kept(void **state)
{
    (void)state;
    struct registry *registry = registry_new();
    assert_int_equal(registry_count(registry), 0);
    assert_int_equal(intern(registry, NAME_VANTAGE, "lon"), 1);
    assert_int_equal(intern(registry, NAME_TARGET, "icmp:192.0.2.1"), 2);
    assert_int_equal(intern(registry, NAME_CONTROL, "icmp:192.0.2.1"), 3); /* kinds are apart */
    assert_int_equal(intern(registry, NAME_COLLECTOR, "lon"), 4);
    assert_int_equal(intern(registry, NAME_VANTAGE, "lon"), 1);
    assert_int_equal(registry_intern(registry, NAME_VANTAGE, "london", 3), 1);
    assert_int_equal(intern(registry, NAME_VANTAGE, "lonx"), 5);
    assert_int_equal(registry_count(registry), 5);
    assert_int_equal(registry_find(registry, NAME_VANTAGE, "lon", 3), 1);
    assert_int_equal(registry_find(registry, NAME_SUBJECT, "lon", 3), 0);
    assert_int_equal(registry_kind(registry, 3), NAME_CONTROL);
    assert_string_equal(registry_text(registry, 4), "lon");
    assert_true(registry_hash(registry, 1) != registry_hash(registry, 4));
    registry_free(registry);
    registry_free(NULL);
}

static void test_zero_is_nothing(void **state)
{
    (void)state;
    struct registry *registry = registry_new();
    assert_int_equal(registry_kind(registry, 0), NAME_NONE);
    assert_string_equal(registry_text(registry, 0), "");
    assert_int_equal(registry_hash(registry, 0), 0);
    assert_int_equal(intern(registry, NAME_NONE, "x"), 0);
    assert_int_equal(intern(registry, NAME_KIND_COUNT, "x"), 0);
    assert_int_equal(registry_intern(registry, NAME_TEXT, "a\0b", 3), 0);
    assert_int_equal(registry_count(registry), 0);
    registry_free(registry);
}

/* Many times the first size of the table and of a chunk: pointers stay, numbers stay. */
static void test_growth(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    struct registry *registry = registry_new();
    const char **texts = mem_new(MANY + 1, sizeof *texts);
    const struct prefix **prefixes = mem_new(MANY + 1, sizeof *prefixes);
    char text[40];
    for (uint32_t i = 1; i <= MANY; i++) {
        snprintf(text, sizeof text, "10.%u.%u.0/24", i >> 8 & 0xff, i & 0xff);
        if (i > 0xffff)
            snprintf(text, sizeof text, "2001:db8:%x::/48", i & 0xffff);
        assert_int_equal(intern(registry, NAME_PREFIX, text), i);
        texts[i] = registry_text(registry, i);
        prefixes[i] = registry_prefix(registry, i);
    }
    for (uint32_t i = 1; i <= MANY; i++) {
        assert_ptr_equal(registry_text(registry, i), texts[i]);
        assert_ptr_equal(registry_prefix(registry, i), prefixes[i]);
        assert_int_equal(registry_find(registry, NAME_PREFIX, texts[i], strlen(texts[i])), i);
        assert_string_equal(prefix_format(prefixes[i], text), texts[i]);
    }
    assert_int_equal(registry_refused(registry), 0);
    free(texts);
    free(prefixes);
    registry_free(registry);
}

static void test_meanings(void **state)
{
    (void)state;
    struct registry *registry = registry_new();
    char text[ADDR_TEXT_MAX];
    uint32_t peer = intern(registry, NAME_PEER, "2001:db8::9 4200000000");
    assert_int_equal(registry_peer(registry, peer)->asn, 4200000000);
    assert_string_equal(addr_format(&registry_peer(registry, peer)->addr, text), "2001:db8::9");
    uint32_t asn = intern(registry, NAME_ASN, "4294967295");
    assert_int_equal(registry_asn(registry, asn), 4294967295);
    uint32_t addr = intern(registry, NAME_ADDRESS, "192.0.2.7");
    assert_int_equal(registry_address(registry, addr)->bytes[3], 7);
    uint32_t control = intern(registry, NAME_CONTROL, "tcp:192.0.2.1:80");
    assert_int_equal(registry_target(registry, control)->port, 80);
    registry_free(registry);
}

/* Two ways to write one thing are one name. */
static void test_canonical_names(void **state)
{
    static const struct {
        enum name_kind kind;
        const char *text, *canonical;
    } cases[] = {
        {NAME_PREFIX, "2001:DB8:0::/032", "2001:db8::/32"},
        {NAME_ADDRESS, "2001:DB8::0:1", "2001:db8::1"},
        {NAME_PEER, "2001:DB8::1 00064500", "2001:db8::1 64500"},
        {NAME_ASN, "0064500", "64500"},
    };
    (void)state;
    struct registry *registry = registry_new();
    for (uint32_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(intern(registry, cases[i].kind, cases[i].text), i + 1);
        assert_string_equal(registry_text(registry, i + 1), cases[i].canonical);
        assert_int_equal(intern(registry, cases[i].kind, cases[i].canonical), i + 1);
        assert_int_equal(intern(registry, cases[i].kind, cases[i].text), i + 1);
    }
    assert_int_equal(registry_count(registry), COUNT(cases));
    registry_free(registry);
}

static void test_malformed_names(void **state)
{
    static const struct {
        enum name_kind kind;
        const char *text;
    } cases[] = {
        {NAME_TARGET, "icmp:here"},
        {NAME_CONTROL, "192.0.2.1"},
        {NAME_PREFIX, "192.0.2.1/24"},
        {NAME_PREFIX, "192.0.2.0"},
        {NAME_ASN, "AS1"},
        {NAME_ASN, ""},
        {NAME_ASN, "4294967296"},
        {NAME_ASN, "-1"},
        {NAME_ASN, "99999999999"},
        {NAME_PEER, "192.0.2.1"},
        {NAME_PEER, "192.0.2.1 "},
        {NAME_PEER, "192.0.2.1  1"},
        {NAME_PEER, "x 1"},
        {NAME_ADDRESS, "192.0.2"},
        {NAME_COUNTRY, "K"},
        {NAME_COUNTRY, "kp"},
        {NAME_COUNTRY, "K1"},
        {NAME_COUNTRY, "PRK"},
        {NAME_PATH, "1  2"},
        {NAME_PATH, " 1"},
        {NAME_PATH, "1 "},
        {NAME_PATH, "a"},
        {NAME_PATH, "1 {2"},
        {NAME_PATH, "1 {}"},
        {NAME_PATH, "1 {2,}"},
        {NAME_PATH, "1 {2)"},
        {NAME_PATH, "1 {,2}"},
        {NAME_PATH, "1 {2,x}"},
        {NAME_PATH, "1 4294967296"},
        {NAME_PATH, "({1,2)"},
        {NAME_PATH, "({1,2}}"},
        {NAME_PATH, "({})"},
        {NAME_PATH, "()"},
        {NAME_PATH, "((1))"},
        {NAME_PATH, "{{1}}"},
    };
    (void)state;
    struct registry *registry = registry_new();
    for (size_t i = 0; i < COUNT(cases); i++)
        if (intern(registry, cases[i].kind, cases[i].text))
            fail_msg("'%s' was taken", cases[i].text);
    assert_int_equal(registry_count(registry), 0);
    assert_int_equal(registry_refused(registry), 0); /* malformed is not refused for want of room */
    registry_free(registry);
}

static void test_as_paths(void **state)
{
    static const struct {
        const char *text;
        uint32_t origin, upstream;
        unsigned hops;
    } cases[] = {
        {"", 0, 0, 0},          {"1", 1, 0, 1},       {"64500 4837 131279", 131279, 4837, 3},
        {"1 2 2 2", 2, 1, 2},                                             /* prepending */
        {"1 1 2", 2, 1, 2},     {"2 2", 2, 0, 1},     {"1 2 1", 1, 2, 3}, /* not prepending */
        {"1 2 {3,4}", 0, 2, 3}, /* the origin is not known */
        {"1 {3,4} 5", 5, 0, 3}, /* nor is the upstream here */
        {"{3}", 0, 0, 1},       {"(1,2) 5", 5, 0, 1}, {"({1,2}) 5 6", 6, 5, 2},
        {"0 1", 1, 0, 2},
    };
    (void)state;
    struct registry *registry = registry_new();
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t id = intern(registry, NAME_PATH, cases[i].text);
        assert_int_not_equal(id, 0);
        const struct as_path *path = registry_path(registry, id);
        assert_int_equal(path->origin, cases[i].origin);
        assert_int_equal(path->upstream, cases[i].upstream);
        assert_int_equal(path->hops, cases[i].hops);
    }
    registry_free(registry);
}

/* ---- enumerations ---- */

static void test_names_of_enumerations_come_back(void **state)
{
    (void)state;
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        const char *name = outcome_name((enum outcome)i);
        assert_int_equal(outcome_from_name(name, strlen(name)), i);
        assert_true(strlen(outcome_sentence((enum outcome)i)) > 0);
    }
    for (int i = 0; i < STAGE_COUNT; i++)
        assert_int_equal(
            stage_from_name(stage_name((enum stage)i), strlen(stage_name((enum stage)i))), i);
    for (int i = 0; i < CAUSE_COUNT; i++)
        assert_int_equal(
            cause_from_name(cause_name((enum cause)i), strlen(cause_name((enum cause)i))), i);
    assert_int_equal(outcome_from_name("o", 1), -1);
    assert_int_equal(outcome_from_name("okay", 4), -1);
    assert_int_equal(outcome_from_name("okay", 2), OUTCOME_OK);
    assert_int_equal(stage_from_name("", 0), -1);
    assert_int_equal(cause_from_name("attack", 6), -1);
}

static void test_outcomes_of_ours_never_blame_the_world(void **state)
{
    (void)state;
    assert_int_equal(outcome_class(OUTCOME_SELF), OUTCOME_CLASS_OURS);
    assert_int_equal(outcome_class(OUTCOME_LATE), OUTCOME_CLASS_OURS);
    assert_int_equal(outcome_class(OUTCOME_NONE), OUTCOME_CLASS_OURS);
    assert_int_equal(outcome_class(OUTCOME_OK), OUTCOME_CLASS_GOOD);
    assert_int_equal(outcome_class(OUTCOME_DEGRADED), OUTCOME_CLASS_PARTIAL);
    assert_int_equal(outcome_class(OUTCOME_TIMEOUT), OUTCOME_CLASS_BAD);
}

static void test_priors_sum_to_one(void **state)
{
    (void)state;
    double sum = 0;
    for (int i = 0; i < CAUSE_COUNT; i++) {
        assert_true(cause_prior((enum cause)i) > 0);
        sum += cause_prior((enum cause)i);
    }
    assert_true(fabs(sum - 1) < 1e-9);
}

static void test_meaning_of_code_and_value(void **state)
{
    static const struct {
        enum target_kind kind;
        enum outcome outcome;
        unsigned code;
        enum code_meaning meaning;
        bool is_known;
    } cases[] = {
        {TARGET_DNS, OUTCOME_OK, 0, CODE_RCODE, true},
        {TARGET_DNS, OUTCOME_EMPTY, 0, CODE_RCODE, true},
        {TARGET_DNS, OUTCOME_TIMEOUT, 0, CODE_RCODE, false},
        {TARGET_ZONE, OUTCOME_NAME_ERROR, 3, CODE_RCODE, true},
        {TARGET_ZONE, OUTCOME_DNSSEC_EXPIRED, 0, CODE_RCODE, false},
        {TARGET_DNS, OUTCOME_SERVER_FAILURE, 2, CODE_RCODE, true},
        {TARGET_DNS, OUTCOME_PORT_UNREACHABLE, 0x303, CODE_ICMP, true},
        {TARGET_HTTPS, OUTCOME_HTTP_ERROR, 500, CODE_STATUS, true},
        {TARGET_HTTP, OUTCOME_TIMEOUT, 0, CODE_STATUS, false},
        {TARGET_HTTP, OUTCOME_HOST_UNREACHABLE, 0x301, CODE_ICMP, true},
        {TARGET_ICMP, OUTCOME_OK, 0, CODE_ICMP, false},
        {TARGET_BLOCK, OUTCOME_OK, 2, CODE_PROBES, true},
        {TARGET_BLOCK, OUTCOME_NET_UNREACHABLE, 0x300, CODE_ICMP, true},
        {TARGET_TCP, OUTCOME_PROHIBITED, 0x30d, CODE_ICMP, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(code_meaning(cases[i].kind, cases[i].outcome), cases[i].meaning);
        assert_int_equal(code_is_known(cases[i].meaning, cases[i].outcome, cases[i].code),
                         cases[i].is_known);
    }
    assert_int_equal(value_meaning(TARGET_DNS), VALUE_SERIAL);
    assert_int_equal(value_meaning(TARGET_ZONE), VALUE_SERIAL);
    assert_int_equal(value_meaning(TARGET_HTTPS), VALUE_NOT_AFTER);
    assert_int_equal(value_meaning(TARGET_TLS), VALUE_NOT_AFTER);
    assert_int_equal(value_meaning(TARGET_ICMP), VALUE_TTL);
    assert_int_equal(value_meaning(TARGET_HTTP), VALUE_NUMBER);
    assert_int_equal(value_meaning(TARGET_BLOCK), VALUE_BELIEF);
    assert_string_equal(rcode_name(2), "SERVFAIL");
    assert_null(rcode_name(12));
    assert_int_equal(rcode_from_name("NXDOMAIN", 8), 3);
    assert_int_equal(rcode_from_name("NXDOMAI", 7), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_given_in_order_and_kept),
        cmocka_unit_test(test_zero_is_nothing),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_meanings),
        cmocka_unit_test(test_canonical_names),
        cmocka_unit_test(test_malformed_names),
        cmocka_unit_test(test_as_paths),
        cmocka_unit_test(test_names_of_enumerations_come_back),
        cmocka_unit_test(test_outcomes_of_ours_never_blame_the_world),
        cmocka_unit_test(test_priors_sum_to_one),
        cmocka_unit_test(test_meaning_of_code_and_value),
    };
    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
