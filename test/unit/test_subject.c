/* model/subject: a subject and its members become observations, or nothing at all. */
#include "base/mem.h"
#include "model/subject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

struct heard {
    struct observation list[16];
    size_t count;
};

static void hear(void *context, const struct observation *observation)
{
    struct heard *heard = context;
    assert_true(heard->count < 16);
    heard->list[heard->count++] = *observation;
}

static const struct utc then = {INT64_C(1643144400) * NS_PER_S};

static void test_members_follow_their_subject(void **state)
{
    static const struct member_spec members[] = {
        {NAME_TARGET, "icmp:192.0.2.1", 30 * NS_PER_S},
        {NAME_PREFIX, "2001:DB8::/32", 0},
        {NAME_ASN, "131279", 0},
        {NAME_ZONE, "kp.", 0},
    };
    static const char *const texts[] = {"icmp:192.0.2.1", "2001:db8::/32", "131279", "kp."};
    const struct subject_spec spec = {.name = "kp",
                                      .title = "North Korea",
                                      .is_reconstruction = true,
                                      .utc_offset_s = 9 * 3600,
                                      .members = members,
                                      .member_count = 4};
    (void)state;
    struct heard heard = {0};
    struct registry *registry = registry_new();
    struct sink sink = {registry, hear, &heard};
    struct why why;
    assert_int_equal(subject_emit(&spec, then, &sink, &why), ERR_OK);
    assert_int_equal(heard.count, 5);
    const struct observation *subject = &heard.list[0];
    assert_int_equal(subject->kind, OBSERVATION_SUBJECT);
    assert_int_equal(subject->time.ns, then.ns);
    assert_int_equal(subject->code, SUBJECT_IS_RECONSTRUCTION);
    assert_int_equal(subject->value, 9 * 3600);
    assert_int_equal(registry_kind(registry, subject->target), NAME_SUBJECT);
    assert_string_equal(registry_text(registry, subject->path), "North Korea");
    for (size_t i = 0; i < 4; i++) {
        const struct observation *member = &heard.list[i + 1];
        assert_int_equal(member->kind, OBSERVATION_MEMBER);
        assert_int_equal(member->time.ns, then.ns);
        assert_int_equal(member->peer, subject->target);
        assert_int_equal(member->value, members[i].interval_ns);
        assert_int_equal(registry_kind(registry, member->target), members[i].kind);
        assert_string_equal(registry_text(registry, member->target), texts[i]);
    }
    registry_free(registry);
}

static void test_a_bare_subject(void **state)
{
    const struct subject_spec spec = {.name = "kp"};
    (void)state;
    struct heard heard = {0};
    struct registry *registry = registry_new();
    struct sink sink = {registry, hear, &heard};
    assert_int_equal(subject_emit(&spec, then, &sink, NULL), ERR_OK);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.list[0].path, 0);
    assert_int_equal(heard.list[0].code, 0);
    registry_free(registry);
}

static void test_one_bad_member_and_nothing_is_emitted(void **state)
{
    static const struct {
        struct member_spec bad;
        const char *says;
    } cases[] = {
        {{NAME_TARGET, "icmp:here", 0},
         "'icmp:here' is not a target of kind icmp; expected icmp:ADDRESS"},
        {{NAME_PREFIX, "192.0.2.1/24", 0},
         "'192.0.2.1/24' is not a prefix (expected ADDRESS/BITS, host bits zero)"},
        {{NAME_ASN, "AS1", 0}, "'AS1' is not an AS number (expected digits only)"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct member_spec members[] = {{NAME_ZONE, "kp.", 0}, cases[i].bad};
        const struct subject_spec spec = {.name = "kp", .members = members, .member_count = 2};
        struct heard heard = {0};
        struct registry *registry = registry_new();
        struct sink sink = {registry, hear, &heard};
        struct why why;
        assert_int_equal(subject_emit(&spec, then, &sink, &why), ERR_INPUT);
        assert_string_equal(why.text, cases[i].says);
        assert_int_equal(heard.count, 0);
        registry_free(registry);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_follow_their_subject),
        cmocka_unit_test(test_a_bare_subject),
        cmocka_unit_test(test_one_bad_member_and_nothing_is_emitted),
    };
    return cmocka_run_group_tests_name("subject", tests, NULL, NULL);
}
