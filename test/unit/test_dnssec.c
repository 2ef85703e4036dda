/* source/dns/dnssec: what signatures are worth, and that a server that sends many wrong ones costs
 * little. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "source/dns/dnssec.h"
#include "source/dns/dnssec_denial.h"

#include "zone_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOW_S = 1700000000, DAY_S = 86400 };
#define ZONE "@ SOA ns1 root 7 1 0 3600 60\n@ NS ns1\n@ NS ns2\n"

static struct zone_world world;
static struct held *kp;
static ldns_rdf *name;
static ldns_rr_list *anchors;

static int set_up(void **state)
{
    (void)state;
    zone_world_start(&world);
    kp = zone_world_hold(&world, "kp.", ZONE);
    held_sign(kp, NOW_S - DAY_S, NOW_S + DAY_S);
    name = ldns_dname_new_frm_str("kp.");
    anchors = ldns_rr_list_new();
    ldns_rr_list_push_rr(anchors, dnssec_anchor(held_ds(kp)));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ldns_rr_list_deep_free(anchors);
    ldns_rdf_deep_free(name);
    zone_world_stop(&world);
    return 0;
}

/* What the NS records are worth at that time; *left is what is left of the budget. */
static enum dnssec worth(int64_t now_s, unsigned budget, unsigned *left)
{
    struct dnssec_time time = {now_s, budget};
    struct dnssec_set keys = dnssec_take(kp->records, name, LDNS_RR_TYPE_DNSKEY);
    struct dnssec_set set = dnssec_take(kp->records, name, LDNS_RR_TYPE_NS);
    enum dnssec verdict = dnssec_check_keys(&time, &keys, anchors);
    if (verdict == DNSSEC_VALID)
        verdict = dnssec_check(&time, &set, keys.records);
    if (left)
        *left = time.budget;
    dnssec_set_done(&keys);
    dnssec_set_done(&set);
    return verdict;
}

static void time_decides(void **state)
{
    (void)state;
    assert_int_equal(worth(NOW_S, 10, NULL), DNSSEC_VALID);
    assert_int_equal(worth(NOW_S + DAY_S + 1, 10, NULL), DNSSEC_EXPIRED);
    assert_int_equal(worth(NOW_S - DAY_S - 1, 10, NULL), DNSSEC_EARLY);
}

static void span_is_that_of_the_signature_that_lasts(void **state)
{
    (void)state;
    int64_t from_s = 0, until_s = 0;
    held_sign(kp, NOW_S - 2 * DAY_S, NOW_S + 9 * DAY_S); /* a second one */
    struct dnssec_set set = dnssec_take(kp->records, name, LDNS_RR_TYPE_SOA);
    assert_int_equal(ldns_rr_list_rr_count(set.signatures), 2);
    assert_true(dnssec_span(&set, NOW_S, &from_s, &until_s));
    assert_int_equal(from_s, NOW_S - 2 * DAY_S);
    assert_int_equal(until_s, NOW_S + 9 * DAY_S);
    dnssec_set_done(&set);
    set = dnssec_take(kp->records, name, LDNS_RR_TYPE_A);
    assert_false(dnssec_has(&set));
    assert_false(dnssec_span(&set, NOW_S, &from_s, &until_s));
    dnssec_set_done(&set);
}

static void changed_records_are_bogus(void **state)
{
    (void)state;
    ldns_rr *extra = NULL;
    assert_int_equal(ldns_rr_new_frm_str(&extra, "kp. 60 IN NS evil.example.", 0, NULL, NULL),
                     LDNS_STATUS_OK);
    ldns_rr_list_push_rr(kp->records, extra);
    assert_int_equal(worth(NOW_S, 10, NULL), DNSSEC_BOGUS);
}

static void missing_signatures_are_bogus(void **state)
{
    (void)state;
    held_set(kp, ZONE);
    assert_int_equal(worth(NOW_S, 10, NULL), DNSSEC_BOGUS); /* an anchor, but no keys */
}

static void unknown_algorithms_are_as_if_unsigned(void **state)
{
    (void)state;
    ldns_rr *ds = ldns_rr_list_pop_rr(anchors), *unknown = NULL;
    assert_int_equal(ldns_rr_new_frm_str(&unknown, "kp. DS 1 200 2 00", 0, NULL, NULL),
                     LDNS_STATUS_OK);
    ldns_rr_list_push_rr(anchors, unknown);
    assert_int_equal(worth(NOW_S, 10, NULL), DNSSEC_UNSUPPORTED);
    ldns_rr_list_push_rr(anchors, ds); /* among others */
    assert_int_equal(worth(NOW_S, 10, NULL), DNSSEC_VALID);
}

/* CVE-2023-50387: keys of the same number, and as many signatures that are not theirs. */
static void many_wrong_signatures_cost_little(void **state)
{
    (void)state;
    enum { MANY = 100, BUDGET = 1000 };
    unsigned left;
    size_t count = ldns_rr_list_rr_count(kp->records);
    ldns_rr_list *wrong = ldns_rr_list_new();
    for (size_t i = 0; i < count; i++) {
        const ldns_rr *record = ldns_rr_list_rr(kp->records, i);
        bool is_key = ldns_rr_get_type(record) == LDNS_RR_TYPE_DNSKEY;
        bool is_signature = ldns_rr_get_type(record) == LDNS_RR_TYPE_RRSIG;
        for (int j = 0; (is_key || is_signature) && j < MANY; j++) {
            ldns_rr *copy = ldns_rr_clone(record);
            ldns_rdf *data = ldns_rr_rdf(copy, is_key ? 3 : 8);
            /* Swapping words leaves the number of a key as it is. */
            uint8_t *bytes = ldns_rdf_data(data), word[2];
            size_t at = (size_t)(j % 15) * 2;
            memcpy(word, bytes + at, 2);
            memcpy(bytes + at, bytes + at + 2, 2);
            memcpy(bytes + at + 2, word, 2);
            ldns_rr_list_push_rr(wrong, copy);
        }
    }
    for (size_t i = 0; i < count; i++) /* the right ones come last */
        ldns_rr_list_push_rr(wrong, ldns_rr_clone(ldns_rr_list_rr(kp->records, i)));
    ldns_rr_list_deep_free(kp->records);
    kp->records = wrong;
    enum dnssec verdict = worth(NOW_S, BUDGET, &left);
    assert_true(verdict == DNSSEC_VALID || verdict == DNSSEC_BOGUS);
    assert_in_range(left, BUDGET - 40, BUDGET);
    assert_int_equal(worth(NOW_S, 0, NULL), DNSSEC_UNCHECKED); /* nothing is claimed */
}

/* The exponent of an RSA key decides what its use costs. */
static void expensive_keys_are_not_used(void **state)
{
    (void)state;
    static const char cheap[] = ". DNSKEY 257 3 8 AwEAAQ==",
                      odd[] = ". DNSKEY 257 3 8 CQEAAAAAAAAAAAE=";
    ldns_rr *key = dnssec_anchor(cheap);
    assert_non_null(key);
    ldns_rr_free(key);
    assert_null(dnssec_anchor(odd)); /* of nine bytes */
}

static void anchors_are_of_their_kinds(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "kp.",
                                      "kp. A 192.0.2.1",
                                      "kp. DS 1 2",
                                      "kp. DS 1 200 2 00",
                                      "kp. DNSKEY 256 3 8",
                                      "kp. DNSKEY 0 3 13 AAAA"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(dnssec_anchor(bad[i]));
}

/* ---- proofs that there is no DS record ---- */

static ldns_rr_list *keys_of_zone(void)
{
    struct dnssec_set keys = dnssec_take(kp->records, name, LDNS_RR_TYPE_DNSKEY);
    ldns_rr_list_deep_free(keys.signatures);
    return keys.records;
}

/* A record, signed by the zone. */
static void push_signed(ldns_rr_list *section, const char *line)
{
    ldns_rr *record = NULL;
    ldns_rr_list *set = ldns_rr_list_new();
    ldns_key_list *keys = ldns_key_list_new();
    if (ldns_rr_new_frm_str(&record, line, 60, NULL, NULL) != LDNS_STATUS_OK)
        fail_msg("%s", line);
    ldns_rr_list_push_rr(set, record);
    ldns_key_set_inception(kp->key, NOW_S - DAY_S);
    ldns_key_set_expiration(kp->key, NOW_S + DAY_S);
    ldns_key_list_push_key(keys, kp->key);
    ldns_rr_list *signatures = ldns_sign_public(set, keys);
    ldns_rr_list_push_rr(section, record);
    ldns_rr_list_push_rr_list(section, signatures);
    ldns_rr_list_free(signatures);
    ldns_rr_list_free(set);
    ldns_key_list_set_key_count(keys, 0);
    ldns_key_list_free(keys);
}

static enum dnssec proven(const ldns_rr_list *section, const char *delegated, int64_t now_s,
                          unsigned budget)
{
    struct dnssec_time time = {now_s, budget};
    ldns_rdf *below = ldns_dname_new_frm_str(delegated);
    ldns_rr_list *keys = keys_of_zone();
    enum dnssec verdict = dnssec_check_unsigned(&time, section, below, name, keys);
    ldns_rr_list_deep_free(keys);
    ldns_rdf_deep_free(below);
    return verdict;
}

static enum dnssec proven_by(const char *line, const char *delegated)
{
    ldns_rr_list *section = ldns_rr_list_new();
    push_signed(section, line);
    enum dnssec verdict = proven(section, delegated, NOW_S, 10);
    ldns_rr_list_deep_free(section);
    return verdict;
}

static void nsec_proves(void **state)
{
    (void)state;
    ldns_rr_list *section = ldns_rr_list_new();
    assert_int_equal(proven(section, "com.kp.", NOW_S, 10), DNSSEC_BOGUS); /* nothing at all */
    push_signed(section, "com.kp. NSEC edu.kp. NS RRSIG NSEC");
    assert_int_equal(proven(section, "com.kp.", NOW_S, 10), DNSSEC_VALID);
    assert_int_equal(proven(section, "com.kp.", NOW_S + 2 * DAY_S, 10), DNSSEC_EXPIRED);
    assert_int_equal(proven(section, "com.kp.", NOW_S, 0), DNSSEC_UNCHECKED);
    assert_int_equal(proven(section, "edu.kp.", NOW_S, 10), DNSSEC_BOGUS); /* of another name */
    ldns_rr_free(ldns_rr_list_pop_rr(section));                            /* its signature */
    assert_int_equal(proven(section, "com.kp.", NOW_S, 10), DNSSEC_BOGUS);
    ldns_rr_list_deep_free(section);
    assert_int_equal(proven_by("com.kp. NSEC edu.kp. NS DS RRSIG NSEC", "com.kp."), DNSSEC_BOGUS);
    assert_int_equal(proven_by("com.kp. NSEC edu.kp. A RRSIG NSEC", "com.kp."), DNSSEC_BOGUS);
    /* The record at the top of the zone itself, put in the place of its parent's. */
    assert_int_equal(proven_by("com.kp. NSEC edu.kp. NS SOA RRSIG NSEC", "com.kp."), DNSSEC_BOGUS);
}

/* The hash of a name, moved by so much in its last digit but one: just before or after it. */
static const char *hash(const char *text, int by, unsigned iterations)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    static char hashes[8][64];
    static unsigned turn;
    char *out = hashes[turn++ % 8];
    ldns_rdf *dname = ldns_dname_new_frm_str(text);
    ldns_rdf *hashed = ldns_nsec3_hash_name(dname, 1, (uint16_t)iterations, 0, NULL);
    char *whole = ldns_rdf2str(hashed);
    snprintf(out, 64, "%.32s", whole);
    size_t at = 10;
    while (by && (out[at] == '0' || out[at] == 'v'))
        at++;
    out[at] = digits[strchr(digits, out[at]) - digits + by];
    free(whole);
    ldns_rdf_deep_free(hashed);
    ldns_rdf_deep_free(dname);
    return out;
}

static void nsec3_proves(void **state)
{
    (void)state;
    char line[300];
    snprintf(line, sizeof line, "%s.kp. NSEC3 1 0 5 - %s NS RRSIG", hash("com.kp.", 0, 5),
             hash("com.kp.", 1, 5));
    assert_int_equal(proven_by(line, "com.kp."), DNSSEC_VALID);
    assert_int_equal(proven_by(line, "edu.kp."), DNSSEC_BOGUS);
    snprintf(line, sizeof line, "%s.kp. NSEC3 1 0 5 - %s NS DS RRSIG", hash("com.kp.", 0, 5),
             hash("com.kp.", 1, 5));
    assert_int_equal(proven_by(line, "com.kp."), DNSSEC_BOGUS);
    /* Too many rounds, and a kind that nobody knows. */
    snprintf(line, sizeof line, "%s.kp. NSEC3 1 0 101 - %s NS RRSIG", hash("com.kp.", 0, 101),
             hash("com.kp.", 1, 101));
    assert_int_equal(proven_by(line, "com.kp."), DNSSEC_UNSUPPORTED);
    snprintf(line, sizeof line, "%s.kp. NSEC3 2 0 5 - %s NS RRSIG", hash("com.kp.", 0, 5),
             hash("com.kp.", 1, 5));
    assert_int_equal(proven_by(line, "com.kp."), DNSSEC_UNSUPPORTED);
}

/* A delegation in a gap of a zone that leaves out those that are not signed. */
static enum dnssec opted_out(const char *delegated, const char *closest, const char *next,
                             unsigned flags, bool has_closest)
{
    char line[300];
    ldns_rr_list *section = ldns_rr_list_new();
    snprintf(line, sizeof line, "%s.kp. NSEC3 1 1 0 - %s NS SOA RRSIG", hash(closest, 0, 0),
             hash(closest, 1, 0));
    if (has_closest)
        push_signed(section, line);
    snprintf(line, sizeof line, "%s.kp. NSEC3 1 %u 0 - %s A RRSIG", hash(next, -1, 0), flags,
             hash(next, 1, 0));
    push_signed(section, line);
    enum dnssec verdict = proven(section, delegated, NOW_S, 10);
    ldns_rr_list_deep_free(section);
    return verdict;
}

static void opt_out_proves(void **state)
{
    (void)state;
    assert_int_equal(opted_out("com.kp.", "kp.", "com.kp.", 1, true), DNSSEC_VALID);
    assert_int_equal(opted_out("com.kp.", "kp.", "com.kp.", 0, true), DNSSEC_BOGUS);
    assert_int_equal(opted_out("com.kp.", "kp.", "com.kp.", 1, false), DNSSEC_BOGUS);
    assert_int_equal(opted_out("com.kp.", "kp.", "edu.kp.", 1, true), DNSSEC_BOGUS);
    /* Two labels below what is there: it is the one in between that the gap must hold. */
    assert_int_equal(opted_out("a.com.kp.", "kp.", "com.kp.", 1, true), DNSSEC_VALID);
    assert_int_equal(opted_out("a.com.kp.", "kp.", "a.com.kp.", 1, true), DNSSEC_BOGUS);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(time_decides),
        TEST(span_is_that_of_the_signature_that_lasts),
        TEST(changed_records_are_bogus),
        TEST(missing_signatures_are_bogus),
        TEST(unknown_algorithms_are_as_if_unsigned),
        TEST(many_wrong_signatures_cost_little),
        TEST(expensive_keys_are_not_used),
        TEST(anchors_are_of_their_kinds),
        TEST(nsec_proves),
        TEST(nsec3_proves),
        TEST(opt_out_proves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
