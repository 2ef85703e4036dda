/* app/herald: each change is told once. */
#include "app/herald.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static struct conclusion incident(uint32_t id, uint32_t revision, bool is_open)
{
    struct conclusion conclusion = {.kind = CONCLUSION_INCIDENT};
    conclusion.incident = (struct incident){
        .id = id,
        .revision = revision,
        .subject = 1,
        .is_open = is_open,
        .began = {{INT64_C(1643144340000000000)}, {INT64_C(1643144400000000000)}},
        .ended = {{INT64_C(1643166000000000000)}, {INT64_C(1643166060000000000)}}};
    return conclusion;
}

static struct conclusion notice(uint32_t id, enum notice_kind kind, bool is_open)
{
    struct conclusion conclusion = {.kind = CONCLUSION_NOTICE};
    conclusion.notice = (struct notice){
        .id = id, .kind = (uint8_t)kind, .source = 2, .is_open = is_open, .n = 2, .m = 3};
    return conclusion;
}

static struct conclusion own_fault(uint32_t id, bool is_open)
{
    struct conclusion conclusion = notice(id, NOTICE_OWN_FAULT, is_open);
    conclusion.notice.target = 3;
    conclusion.notice.n = conclusion.notice.m = 0;
    return conclusion;
}

static void check(struct herald *herald, struct conclusion conclusion, const char *expected)
{
    struct buffer line = {0};
    herald_line(herald, &conclusion, &line);
    assert_string_equal(line.bytes ? line.bytes : "", expected);
    buffer_done(&line);
}

static void test_lines(void **state)
{
    (void)state;
    static const char opened[] =
        "incident 1 on kp, since 2022-01-25T21:00:00Z at the latest; 'lastlight why 1' says more";
    static const char over[] = "incident 1 on kp is over, by 2022-01-26T03:01:00Z";
    static const char unwell[] =
        "vantage lon is not well: 2 of 3 controls do not answer; what it sees counts as no data";
    struct registry *registry = registry_new();
    struct herald herald;
    registry_intern(registry, NAME_SUBJECT, "kp", 2);
    registry_intern(registry, NAME_VANTAGE, "lon", 3);
    registry_intern(registry, NAME_CONTROL, "self:link", 9);
    herald_init(&herald, registry);
    check(&herald, incident(1, 1, true), opened);
    check(&herald, incident(1, 2, true), ""); /* no news */
    check(&herald, incident(1, 3, false), over);
    check(&herald, incident(1, 4, false), "");
    check(&herald, incident(1, 5, true), opened); /* another episode */
    check(&herald, incident(7, 3, true), "");     /* open since before this run */
    check(&herald, incident(7, 4, false), "incident 7 on kp is over, by 2022-01-26T03:01:00Z");
    check(&herald, incident(4000000000, 1, true), "");
    check(&herald, notice(1, NOTICE_VANTAGE_UNWELL, true), unwell);
    check(&herald, notice(1, NOTICE_VANTAGE_UNWELL, true), "");
    check(&herald, notice(2, NOTICE_PEER_LOST, true), "");
    check(&herald, notice(1, NOTICE_VANTAGE_UNWELL, false), "vantage lon is well again");
    check(&herald, notice(3, NOTICE_VANTAGE_UNWELL, true), unwell);
    check(&herald, own_fault(4, true), "vantage lon: its network link is down or has no address");
    check(&herald, own_fault(4, true), "");
    check(&herald, own_fault(4, false), "vantage lon: self:link is well again");
    herald_done(&herald);
    registry_free(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
