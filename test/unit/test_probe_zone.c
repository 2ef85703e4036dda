/* source/zone/zone: a root, a zone below it and one below that, on servers of the test's own, which are
 * taken away, contradict one another, stay behind and sign wrongly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "probe_fixture.h"
#include "zone_world.h"

#include "sys/clock.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT_NS (4 * NS_PER_S) /* a question is given an eighth of it */
#define ROUND_NS (4 * NS_PER_S)   /* where it is looked at again */

enum { DAY_S = 86400 };

#define ROOT                                                                                       \
    "@ SOA ns root 1 10 5 3600 60\n@ NS ns\nns A 127.0.1.1\n"                                      \
    "kp NS ns1.kp\nkp NS ns2.kp\nns1.kp A 127.0.1.2\nns2.kp A 127.0.1.3\n"
#define KP_SERIAL(serial)                                                                          \
    "@ SOA ns1 root " serial " 1 0 3600 60\n@ NS ns1\n@ NS ns2\n"                                  \
    "ns1 A 127.0.1.2\nns2 A 127.0.1.3\nwww A 127.0.1.9\n"
#define KP KP_SERIAL("7")

static struct fixture fixture;
static struct zone_world world;
static struct held *root, *kp;
static struct named *top, *ns1, *ns2;
static struct zone_settings settings;
static int64_t now_s;

static int set_up(void **state)
{
    (void)state;
    fixture_start_told(&fixture);
    zone_world_start(&world);
    root = zone_world_hold(&world, ".", ROOT);
    kp = zone_world_hold(&world, "kp.", KP);
    top = zone_world_serve(&world, 1);
    ns1 = zone_world_serve(&world, 2);
    ns2 = zone_world_serve(&world, 3);
    named_hold(top, root);
    named_hold(ns1, kp);
    named_hold(ns2, kp);
    settings = (struct zone_settings){.via_count = 1};
    assert_true(addr_parse("127.0.1.1", 9, &settings.via[0]));
    now_s = clock_utc().ns / NS_PER_S;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_stop(&fixture);
    zone_world_stop(&world);
    return 0;
}

static struct observation look_at(const char *zone)
{
    char target[128];
    snprintf(target, sizeof target, "zone:%s:%u", zone, world.port);
    struct probe_plan plan = {.target = target,
                              .interval_ns = NS_PER_MINUTE,
                              .timeout_ns = TIMEOUT_NS,
                              .count = 1,
                              .zone = &settings};
    return fixture_ask_plan(&fixture, &plan);
}

static struct observation look(void)
{
    return look_at("kp.");
}

static void check(const struct observation *result, const char *outcome, enum stage stage)
{
    const char *found = outcome_name((enum outcome)result->outcome);
    if (strcmp(found, outcome) != 0 || result->stage != stage)
        fail_msg("%s at %s, expected %s at %s; %s\n%s", found, stage_name(result->stage), outcome,
                 stage_name(stage), fixture.facts.bytes, fixture.steps.bytes);
}

static void check_fact(const char *what)
{
    if (!strstr(fixture.facts.bytes, what))
        fail_msg("%s is not in %s\n%s", what, fixture.facts.bytes, fixture.steps.bytes);
}

static void check_no_fact(const char *what)
{
    if (strstr(fixture.facts.bytes, what))
        fail_msg("%s is in %s", what, fixture.facts.bytes);
}

/* ---- name servers ---- */

static void good_zone_is_ok(void **state)
{
    (void)state;
    struct observation result = look();
    check(&result, "ok", STAGE_DONE);
    assert_int_equal(result.value, 7);
    assert_true(result.rtt_ns > 0);
    assert_int_equal(result.peer, 0); /* it is nobody's in particular */
    assert_string_equal(fixture.facts.bytes,
                        "{\"parent_zone\":\".\",\"ns_parent\":[\"ns1.kp.\",\"ns2.kp.\"],"
                        "\"ns_zone\":[\"ns1.kp.\",\"ns2.kp.\"],"
                        "\"serials\":[\"ns1.kp. 127.0.1.2: 7\",\"ns2.kp. 127.0.1.3: 7\"],"
                        "\"soa_expire\":3600,\"dnssec\":\"not signed\"}");
    assert_int_equal(top->asked, 1);
    assert_int_equal(ns1->asked,
                     3); /* the SOA twice and its name servers; an unsigned zone has no keys */
}

static void zone_without_delegation_does_not_exist(void **state)
{
    (void)state;
    held_set(root, "@ SOA ns root 1 10 5 3600 60\n@ NS ns\nns A 127.0.1.1\nhost A 127.0.1.9\n");
    struct observation result = look();
    check(&result, "name-error", STAGE_RESOLVE);
    assert_int_equal(result.code, 3);
    result = look_at("host.");
    check(&result, "empty", STAGE_RESOLVE);
}

static void part_of_the_servers_makes_it_degraded(void **state)
{
    (void)state;
    enum { SERVFAIL = 2, REFUSED = 5 };
    ns2->zone_count = 0;
    struct observation result = look();
    check(&result, "degraded", STAGE_DONE);
    check_fact("\"ns_faults\":[\"ns2.kp. 127.0.1.3: dns-refused\"]");
    ns2->rcode = SERVFAIL;
    result = look();
    check(&result, "degraded", STAGE_DONE);
    check_fact("\"ns_faults\":[\"ns2.kp. 127.0.1.3: server-failure\"]");
    ns2->rcode = 0;
    ns2->is_silent = true;
    result = look();
    check(&result, "degraded", STAGE_DONE);
    check_fact("\"ns_faults\":[\"ns2.kp. 127.0.1.3: timeout\"]");
}

static void server_without_tcp_is_a_fault(void **state)
{
    (void)state;
    ns2->has_no_tcp = true;
    struct observation result = look();
    check(&result, "degraded", STAGE_DONE);
    check_fact("\"ns_faults\":[\"ns2.kp. 127.0.1.3: closed by TCP\"]");
}

static void server_without_edns_is_none(void **state)
{
    (void)state;
    ns1->has_no_edns = ns2->has_no_edns = top->has_no_edns = true;
    struct observation result = look();
    check(&result, "ok", STAGE_DONE);
}

static void all_of_the_servers_take_it_down(void **state)
{
    (void)state;
    enum { SERVFAIL = 2, REFUSED = 5 };
    static const struct {
        uint8_t first, second; /* 255: silent */
        const char *outcome;
        unsigned code;
    } cases[] = {{REFUSED, REFUSED, "lame", REFUSED},
                 {SERVFAIL, SERVFAIL, "server-failure", SERVFAIL},
                 {SERVFAIL, REFUSED, "lame", 0},
                 {255, REFUSED, "lame", REFUSED},
                 {255, 255, "timeout", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ns1->is_silent = cases[i].first == 255;
        ns2->is_silent = cases[i].second == 255;
        ns1->rcode = cases[i].first;
        ns2->rcode = cases[i].second;
        struct observation result = look();
        check(&result, cases[i].outcome, STAGE_REPLY);
        assert_int_equal(result.code, cases[i].code);
        assert_int_equal(result.value, 0);
    }
}

static void server_of_the_parent_alone_is_lame(void **state)
{
    (void)state;
    ns1->zones[0] = ns2->zones[0] = root; /* refers back to itself */
    struct observation result = look();
    check(&result, "lame", STAGE_REPLY);
}

/* ---- what parent and zone say ---- */

static void differing_name_servers_are_told(void **state)
{
    (void)state;
    struct named *ns3 = zone_world_serve(&world, 4);
    named_hold(ns3, kp);
    held_set(kp, "@ SOA ns1 root 7 1 0 3600 60\n@ NS ns1\n@ NS ns3\n"
                 "ns1 A 127.0.1.2\nns2 A 127.0.1.3\nns3 A 127.0.1.4\n");
    struct observation result = look();
    check(&result, "degraded", STAGE_DONE);
    check_fact("\"ns_difference\":[\"ns2.kp. only at the parent\",\"ns3.kp. only in the zone\"]");
    check_fact("ns3.kp. 127.0.1.4: 7"); /* was asked too */
    check_no_fact("ns_faults");
}

static void differing_addresses_are_told(void **state)
{
    (void)state;
    struct named *moved = zone_world_serve(&world, 4);
    named_hold(moved, kp);
    held_set(kp, "@ SOA ns1 root 7 1 0 3600 60\n@ NS ns1\n@ NS ns2\n"
                 "ns1 A 127.0.1.2\nns2 A 127.0.1.4\n");
    ns2->is_silent = true;
    struct observation result = look();
    check(&result, "degraded", STAGE_DONE);
    check_fact("\"ns_difference\":[\"ns2.kp. is 127.0.1.3 at the parent, not in the zone\"]");
    check_fact("\"ns_faults\":[\"ns2.kp. 127.0.1.3: timeout\"]");
    check_fact("ns2.kp. 127.0.1.4: 7");
}

/* Hundreds of names, which need TCP: as many are asked as there is room for. */
static void many_name_servers_are_bounded(void **state)
{
    (void)state;
    enum { NAMES = 400, LINE = 64 };
    static char lines[NAMES * LINE];
    size_t n = (size_t)snprintf(lines, sizeof lines, "@ SOA ns1 root 7 1 0 3600 60\n");
    for (int i = 0; i < NAMES; i++)
        n += (size_t)snprintf(lines + n, sizeof lines - n, "@ NS ns%d\nns%d A 127.0.1.%d\n", i, i,
                              2 + i % 2);
    held_set(kp, lines);
    n = (size_t)snprintf(lines, sizeof lines, "@ SOA ns root 1 1 0 3600 60\n@ NS ns\n");
    for (int i = 0; i < NAMES; i++)
        n += (size_t)snprintf(lines + n, sizeof lines - n, "kp NS ns%d.kp\nns%d.kp A 127.0.1.%d\n",
                              i, i, 2 + i % 2);
    held_set(root, lines);
    struct observation result = look();
    check(&result, "ok", STAGE_DONE);
    assert_true(ns1->asked <= 6); /* once over for its address, however many names it has */
}

static void servers_that_disagree_are_told(void **state)
{
    (void)state;
    struct held *other =
        zone_world_hold(&world, "kp.", "@ SOA ns1 root 7 1 0 3600 60\n@ NS ns1\nns1 A 127.0.1.2\n");
    ns2->zones[0] = other;
    struct observation result = look();
    check(&result, "degraded", STAGE_DONE);
    check_fact("ns2.kp. 127.0.1.3 names other servers of the zone than others do");
}

/* ---- serials ---- */

static void serial_that_stays_behind_is_told(void **state)
{
    (void)state;
    char target[64];
    struct held *newer = zone_world_hold(&world, "kp.", KP_SERIAL("5"));
    snprintf(target, sizeof target, "zone:kp.:%u", world.port);
    struct probe_plan plan = {.target = target,
                              .interval_ns = ROUND_NS, /* it should have news after a second */
                              .timeout_ns = ROUND_NS,
                              .count = 1,
                              .zone = &settings};
    held_set(kp, KP_SERIAL("4294967290")); /* RFC 1982: behind */
    ns1->zones[0] = newer;
    assert_int_equal(prober_set_plan(fixture.prober, &plan, 1, NULL), ERR_OK);
    fixture_wait(&fixture, 1);
    check(&fixture.results[0], "ok", STAGE_DONE); /* it may be on its way */
    assert_int_equal(fixture.results[0].value, 5);
    check_fact("\"serial_skew\":11");
    fixture_wait(&fixture, 2);
    check(&fixture.results[1], "degraded", STAGE_DONE);
    check_fact("\"ns_faults\":[\"ns2.kp. 127.0.1.3: stays behind\"]");
    check_fact("\"zone_expires\":\"20");
}

/* ---- the way down ---- */

static void zones_below_zones_are_found(void **state)
{
    (void)state;
    /* deep.a.b.kp. with nothing at b.kp. but names below it, and com.kp. on the servers of kp. */
    held_set(kp, KP "com NS ns1.com\ncom NS ns2.com\na.b NS ns3.a.b\nns3.a.b A 127.0.1.4\n");
    struct held *com = zone_world_hold(&world, "com.kp.",
                                       "@ SOA ns1 root 8 1 0 3600 60\n@ NS ns1\n@ NS ns2\n"
                                       "ns1 A 127.0.1.2\nns2 A 127.0.1.3\n");
    struct held *ab = zone_world_hold(&world, "a.b.kp.",
                                      "@ SOA ns3 root 9 1 0 3600 60\n@ NS ns3\nns3 A 127.0.1.4\n");
    struct named *ns3 = zone_world_serve(&world, 4);
    named_hold(ns1, com);
    named_hold(ns2, com);
    named_hold(ns3, ab);
    struct observation result = look_at("a.b.kp.");
    check(&result, "ok", STAGE_DONE);
    assert_int_equal(result.value, 9);
    check_fact("\"parent_zone\":\"kp.\"");
    /* Who has both says nothing as the parent. */
    result = look_at("com.kp.");
    check(&result, "ok", STAGE_DONE);
    assert_int_equal(result.value, 8);
    check_fact("\"parent_zone\":\"kp.\",\"ns_zone\"");
    result = look_at("nothing.com.kp.");
    check(&result, "name-error", STAGE_RESOLVE);
    check_fact("\"parent_zone\":\"com.kp.\"");
}

static void root_itself_is_a_zone(void **state)
{
    (void)state;
    struct observation result = look_at(".");
    check(&result, "ok", STAGE_DONE);
    check_no_fact("parent_zone");
}

static void lost_way_leads_to_those_who_were_known(void **state)
{
    (void)state;
    char target[64];
    snprintf(target, sizeof target, "zone:kp.:%u", world.port);
    struct probe_plan plan = {.target = target,
                              .interval_ns = ROUND_NS,
                              .timeout_ns = ROUND_NS,
                              .count = 1,
                              .zone = &settings};
    assert_int_equal(prober_set_plan(fixture.prober, &plan, 1, NULL), ERR_OK);
    fixture_wait(&fixture, 1);
    check(&fixture.results[0], "ok", STAGE_DONE);
    top->is_silent = true;
    fixture_wait(&fixture, 2);
    /* That we reach no root server says nothing of the zone. */
    check(&fixture.results[1], "ok", STAGE_DONE);
    assert_int_equal(fixture.results[1].value, 7);
}

static void way_that_was_never_gone_is_our_failure(void **state)
{
    (void)state;
    top->is_silent = true;
    struct observation result = look();
    check(&result, "self", STAGE_RESOLVE);
}

static void silent_parent_is_told(void **state)
{
    (void)state;
    ns1->is_silent = ns2->is_silent = true;
    struct observation result = look_at("com.kp.");
    check(&result, "timeout", STAGE_RESOLVE);
    check_fact("\"parent_zone\":\"kp.\"");
}

/* ---- signatures ---- */

static void trust(const struct held *zone)
{
    static char anchor[512];
    snprintf(anchor, sizeof anchor, "%s", held_ds(zone));
    settings.anchors[0] = anchor;
    settings.anchor_count = 1;
}

static void sign_all(int64_t from_s, int64_t until_s)
{
    char lines[1024];
    held_sign(kp, from_s, until_s);
    snprintf(lines, sizeof lines, "%s%s\n", ROOT, held_ds(kp));
    held_set(root, lines);
    held_sign(root, now_s - DAY_S, now_s + DAY_S);
    trust(root);
}

static void chain_is_checked_from_the_anchor(void **state)
{
    (void)state;
    sign_all(now_s - DAY_S, now_s + DAY_S);
    struct observation result = look();
    check(&result, "ok", STAGE_DONE);
    check_fact("\"dnssec\":\"valid\"");
    check_fact("\"signed_until\":");
    settings.anchor_count = 0; /* the parent is believed */
    result = look();
    check(&result, "ok", STAGE_DONE);
    check_fact("\"dnssec\":\"valid\"");
    trust(kp); /* its own key */
    result = look();
    check(&result, "ok", STAGE_DONE);
    check_fact("\"dnssec\":\"valid\"");
}

static void expired_signatures_have_their_outcome(void **state)
{
    (void)state;
    sign_all(now_s - DAY_S, now_s - 1);
    struct observation result = look();
    check(&result, "dnssec-expired", STAGE_REPLY);
    check_fact("\"dnssec\":\"expired\"");
    sign_all(now_s + DAY_S, now_s + 2 * DAY_S);
    held_set(kp, KP);
    held_sign(kp, now_s + DAY_S, now_s + 2 * DAY_S);
    result = look();
    check(&result, "dnssec-bogus", STAGE_REPLY);
    check_fact("\"dnssec\":\"not valid yet\"");
}

static void wrong_and_missing_signatures_are_bogus(void **state)
{
    (void)state;
    sign_all(now_s - DAY_S, now_s + DAY_S);
    struct held *other = zone_world_hold(&world, "kp.", KP);
    held_sign(other, now_s - DAY_S, now_s + DAY_S); /* by another key than the parent has */
    ns1->zones[0] = ns2->zones[0] = other;
    struct observation result = look();
    check(&result, "dnssec-bogus", STAGE_REPLY);
    ns2->zones[0] = kp; /* one is good: who validates finds it */
    result = look();
    check(&result, "degraded", STAGE_DONE);
    check_fact("\"ns_faults\":[\"ns1.kp. 127.0.1.2: signatures bogus\"]");
    held_set(other, KP);
    ns2->zones[0] = other; /* not signed at all, though the parent has a DS record */
    result = look();
    check(&result, "dnssec-bogus", STAGE_REPLY);
}

static void zone_that_need_not_be_signed_is_not_rejected(void **state)
{
    (void)state;
    held_sign(kp, now_s - DAY_S, now_s - 1); /* expired, but nobody would look */
    held_sign(root, now_s - DAY_S, now_s + DAY_S);
    trust(root);
    struct observation result = look();
    check(&result, "ok", STAGE_DONE);
    check_fact("\"dnssec\":\"signed, but nothing above says so\"");
}

/* What is left out on the way, and not denied by the parent, is no proof that there is nothing. */
static void missing_ds_is_believed_with_a_proof_only(void **state)
{
    (void)state;
    sign_all(now_s - DAY_S, now_s + DAY_S);
    root->is_stripped = true;
    struct observation result = look();
    check(&result, "dnssec-bogus", STAGE_REPLY);
    check_fact("\"dnssec\":\"bogus, from . on\"");
    held_set(root, ROOT); /* and a proof whose signature is over */
    held_sign(root, now_s - DAY_S, now_s - 1);
    root->is_stripped = false;
    settings.anchor_count = 0;
    trust(root);
    result = look();
    check(&result, "dnssec-expired", STAGE_REPLY);
}

static void broken_chain_is_told_where(void **state)
{
    (void)state;
    char lines[1024];
    sign_all(now_s - DAY_S, now_s + DAY_S);
    snprintf(lines, sizeof lines, "%s%s\n", ROOT, held_ds(kp));
    held_set(root, lines);
    held_sign(root, now_s - DAY_S, now_s - 1);
    struct observation result = look();
    check(&result, "dnssec-expired", STAGE_REPLY);
    check_fact("\"dnssec\":\"expired, from . on\"");
    settings.anchors[0] = ". DS 1 13 2 "
                          "0000000000000000000000000000000000000000000000000000000000000000";
    result = look();
    check(&result, "dnssec-bogus", STAGE_REPLY);
    check_fact("\"dnssec\":\"bogus, from . on\"");
}

/* ---- the resolver ---- */

static void resolver_tells_how_it_takes_the_zone(void **state)
{
    (void)state;
    struct named *resolver = zone_world_serve(&world, 5);
    named_hold(resolver, kp);
    resolver->is_resolver = true;
    assert_true(addr_parse("127.0.1.5", 9, &settings.resolver));
    struct observation result = look();
    check(&result, "ok", STAGE_DONE);
    check_fact("\"resolver\":\"answers\"");
    resolver->is_validator = true; /* nothing is signed, so only it knows why */
    result = look();
    check(&result, "dnssec-bogus", STAGE_REPLY);
    check_fact("\"resolver\":\"SERVFAIL, and an answer if it need not validate: bogus to it\"");
    sign_all(now_s - DAY_S, now_s + DAY_S); /* it is wrong, for the chain holds */
    result = look();
    check(&result, "degraded", STAGE_DONE);
    resolver->is_validator = false;
    resolver->rcode = 2; /* fails for another reason, which is its own */
    result = look();
    check(&result, "ok", STAGE_DONE);
    check_fact("\"resolver\":\"server-failure\"");
}

/* ---- settings ---- */

static void anchors_of_other_zones_are_refused(void **state)
{
    (void)state;
    static const char *const anchors[] = {"jp. DS 1 13 2 00", "kp. A 127.0.0.1", "rubbish"};
    struct why why;
    struct probe_plan plan = {.target = "zone:kp.",
                              .interval_ns = NS_PER_MINUTE,
                              .timeout_ns = TIMEOUT_NS,
                              .count = 1,
                              .zone = &settings};
    settings.anchor_count = 1;
    for (size_t i = 0; i < sizeof anchors / sizeof *anchors; i++) {
        settings.anchors[0] = anchors[i];
        assert_int_equal(prober_check(&plan, &why), ERR_CONFIG);
        assert_non_null(strstr(why.text, "is no trust anchor of it"));
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(good_zone_is_ok),
        TEST(zone_without_delegation_does_not_exist),
        TEST(part_of_the_servers_makes_it_degraded),
        TEST(server_without_tcp_is_a_fault),
        TEST(server_without_edns_is_none),
        TEST(all_of_the_servers_take_it_down),
        TEST(server_of_the_parent_alone_is_lame),
        TEST(differing_name_servers_are_told),
        TEST(differing_addresses_are_told),
        TEST(many_name_servers_are_bounded),
        TEST(servers_that_disagree_are_told),
        TEST(serial_that_stays_behind_is_told),
        TEST(zones_below_zones_are_found),
        TEST(root_itself_is_a_zone),
        TEST(lost_way_leads_to_those_who_were_known),
        TEST(way_that_was_never_gone_is_our_failure),
        TEST(silent_parent_is_told),
        TEST(chain_is_checked_from_the_anchor),
        TEST(expired_signatures_have_their_outcome),
        TEST(wrong_and_missing_signatures_are_bogus),
        TEST(zone_that_need_not_be_signed_is_not_rejected),
        TEST(missing_ds_is_believed_with_a_proof_only),
        TEST(broken_chain_is_told_where),
        TEST(resolver_tells_how_it_takes_the_zone),
        TEST(anchors_of_other_zones_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
