/* source/origins/vrps: RFC 6811 by its cases, by its definition tried on each VRP, and by changes
 * against a list that is searched from end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"
#include "base/mem.h"
#include "source/origins/vrps.h"

#include <stdlib.h>
#include <string.h>

static struct prefix prefix_from(const char *text)
{
    struct prefix prefix;
    assert_true(prefix_parse(text, strlen(text), &prefix));
    return prefix;
}

static void add(struct vrps *vrps, const char *prefix, unsigned max_bits, uint32_t asn)
{
    struct vrp vrp = {prefix_from(prefix), (uint8_t)max_bits, asn};
    assert_true(vrps_add(vrps, &vrp));
}

static void cases(void **state)
{
    (void)state;
    static const struct {
        const char *prefix;
        uint32_t origin;
        enum rpki_state state;
    } cases[] = {
        /* one VRP: 192.0.2.0/24 to /25 by AS64500 */
        {"192.0.2.0/24", 64500, RPKI_VALID},
        {"192.0.2.128/25", 64500, RPKI_VALID},
        {"192.0.2.128/26", 64500, RPKI_INVALID_LENGTH},
        {"192.0.2.128/26", 64501, RPKI_INVALID_ORIGIN},
        {"192.0.2.0/24", 64501, RPKI_INVALID_ORIGIN},
        {"192.0.2.0/24", 0, RPKI_INVALID_ORIGIN}, /* ends with a set: matched by none */
        {"192.0.2.0/23", 64500, RPKI_NOT_FOUND},  /* wider than it */
        {"192.0.0.0/16", 64500, RPKI_NOT_FOUND},
        {"192.0.3.0/24", 64500, RPKI_NOT_FOUND}, /* beside it */
        {"192.0.1.0/24", 64500, RPKI_NOT_FOUND},
        {"0.0.0.0/0", 64500, RPKI_NOT_FOUND},
        {"255.255.255.255/32", 64500, RPKI_NOT_FOUND},
        {"c000:200::/24", 64500, RPKI_NOT_FOUND}, /* the same bytes */
        /* several: 10.0.0.0/8 to /8 by 1, 10.0.0.0/8 to /16 by 2, 10.1.0.0/16 to /24 by 3 */
        {"10.0.0.0/8", 1, RPKI_VALID},
        {"10.0.0.0/8", 2, RPKI_VALID},
        {"10.0.0.0/8", 3, RPKI_INVALID_ORIGIN},
        {"10.1.0.0/16", 1, RPKI_INVALID_LENGTH},
        {"10.1.0.0/16", 2, RPKI_VALID}, /* by the wider one, though the closer one says 3 */
        {"10.1.0.0/16", 3, RPKI_VALID},
        {"10.1.2.0/24", 2, RPKI_INVALID_LENGTH},
        {"10.1.2.0/24", 3, RPKI_VALID},
        {"10.1.2.0/24", 4, RPKI_INVALID_ORIGIN},
        {"10.200.0.0/16", 3, RPKI_INVALID_ORIGIN},
        {"10.200.0.0/16", 2, RPKI_VALID},
        /* AS 0 (RFC 6483, 4): nobody may; and of the same prefix somebody */
        {"198.51.100.0/24", 0, RPKI_INVALID_ORIGIN},
        {"198.51.100.0/24", 64500, RPKI_INVALID_ORIGIN},
        {"203.0.113.0/24", 0, RPKI_INVALID_ORIGIN},
        {"203.0.113.0/24", 7, RPKI_VALID},
        /* IPv6 */
        {"2001:db8::/32", 64500, RPKI_VALID},
        {"2001:db8:1::/48", 64500, RPKI_VALID},
        {"2001:db8:1::/49", 64500, RPKI_INVALID_LENGTH},
        {"2001:db8:1::/48", 64501, RPKI_INVALID_ORIGIN},
        {"2001:db9::/32", 64500, RPKI_NOT_FOUND},
        {"2001:db8:ffff:ffff::1/128", 9, RPKI_VALID},
        {"::/0", 9, RPKI_NOT_FOUND},
        {"32.1.13.0/24", 64500, RPKI_NOT_FOUND}, /* the same bytes */
    };
    struct vrps *vrps = vrps_new();
    add(vrps, "192.0.2.0/24", 25, 64500);
    add(vrps, "10.0.0.0/8", 8, 1);
    add(vrps, "10.0.0.0/8", 16, 2);
    add(vrps, "10.1.0.0/16", 24, 3);
    add(vrps, "198.51.100.0/24", 32, 0);
    add(vrps, "203.0.113.0/24", 24, 0);
    add(vrps, "203.0.113.0/24", 24, 7);
    add(vrps, "203.0.113.0/24", 24, 7);
    add(vrps, "2001:db8::/32", 48, 64500);
    add(vrps, "2001:db8:ffff:ffff::1/128", 128, 9);
    assert_int_equal(vrps_seal(vrps), 1);
    assert_int_equal(vrps_count(vrps), 9);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct prefix prefix = prefix_from(cases[i].prefix);
        enum rpki_state found = vrps_validate(vrps, &prefix, cases[i].origin);
        if (found != cases[i].state)
            print_error("%s by AS%u\n", cases[i].prefix, cases[i].origin);
        assert_string_equal(rpki_state_name(found), rpki_state_name(cases[i].state));
    }
    vrps_free(vrps);
}

static void empty_and_whole(void **state)
{
    (void)state;
    struct prefix prefix = prefix_from("192.0.2.0/24"), all = prefix_from("0.0.0.0/0");
    struct vrps *vrps = vrps_new();
    assert_int_equal(vrps_seal(vrps), 0);
    assert_int_equal(vrps_validate(vrps, &prefix, 1), RPKI_NOT_FOUND);
    vrps_free(vrps);
    vrps = vrps_new();
    add(vrps, "0.0.0.0/0", 24, 1);
    vrps_seal(vrps);
    assert_int_equal(vrps_validate(vrps, &prefix, 1), RPKI_VALID);
    assert_int_equal(vrps_validate(vrps, &all, 1), RPKI_VALID);
    prefix = prefix_from("255.0.0.0/32");
    assert_int_equal(vrps_validate(vrps, &prefix, 1), RPKI_INVALID_LENGTH);
    prefix = prefix_from("::/0");
    assert_int_equal(vrps_validate(vrps, &prefix, 1), RPKI_NOT_FOUND);
    vrps_free(vrps);
}

/* ---- by the definition ---- */

/* Of a small world, so that they often lie within each other, and at both ends of it. */
static struct prefix random_prefix(uint64_t x)
{
    struct addr addr = {.family = x & 1 ? 4 : 6};
    uint8_t edge = x & 2 ? 0xff : 0;
    for (size_t i = 0; i < addr_bits(&addr) / 8; i++)
        addr.bytes[i] = edge;
    addr.bytes[1] = (uint8_t)(edge ^ (x >> 8 & 0x83));
    addr.bytes[2] = (uint8_t)(edge ^ (x >> 16 & 0x81));
    addr.bytes[3] = (uint8_t)(edge ^ (x >> 24 & 3));
    return prefix_of(&addr, (unsigned)(x >> 32) % 33);
}

static struct vrp random_vrp(uint64_t *seed)
{
    uint64_t x = hash_mix(++*seed);
    struct vrp vrp = {random_prefix(hash_mix(++*seed)), 0, (uint32_t)(x & 3)};
    vrp.max_bits = (uint8_t)(vrp.prefix.bits + (x >> 2) % (33U - vrp.prefix.bits));
    return vrp;
}

/* RFC 6811, 2, word by word. */
static enum rpki_state by_definition(const struct vrp *list, size_t count,
                                     const struct prefix *prefix, uint32_t origin)
{
    bool is_covered = false, is_matched = false, is_own = false;
    for (size_t i = 0; i < count; i++) {
        if (!prefix_has(&list[i].prefix, prefix))
            continue;
        is_covered = true;
        is_own |= origin && list[i].asn == origin;
        is_matched |= origin && list[i].asn == origin && prefix->bits <= list[i].max_bits;
    }
    return is_matched    ? RPKI_VALID
           : is_own      ? RPKI_INVALID_LENGTH
           : !is_covered ? RPKI_NOT_FOUND
                         : RPKI_INVALID_ORIGIN;
}

static void ask_at_random(const struct vrps *vrps, const struct vrp *list, size_t count,
                          uint64_t *seed, size_t *states)
{
    for (int i = 0; i < 200; i++) {
        struct prefix prefix = random_prefix(hash_mix(++*seed));
        uint32_t origin = (uint32_t)(hash_mix(++*seed) & 3);
        enum rpki_state wanted = by_definition(list, count, &prefix, origin);
        enum rpki_state found = vrps_validate(vrps, &prefix, origin);
        if (found != wanted)
            print_error("seed %u\n", (unsigned)(*seed >> 32));
        assert_int_equal(found, wanted);
        states[wanted]++;
    }
}

static void random_by_definition(void **state)
{
    (void)state;
    size_t states[RPKI_STATE_COUNT] = {0};
    for (uint64_t first = 1; first <= 200; first++) {
        uint64_t seed = first << 32;
        struct vrp list[40];
        size_t count = (size_t)first % 40;
        struct vrps *vrps = vrps_new();
        for (size_t i = 0; i < count; i++) {
            list[i] = random_vrp(&seed);
            assert_true(vrps_add(vrps, &list[i]));
        }
        vrps_seal(vrps);
        ask_at_random(vrps, list, count, &seed, states);
        vrps_free(vrps);
    }
    for (int i = RPKI_NOT_FOUND; i < RPKI_STATE_COUNT; i++)
        assert_true(states[i] > 500); /* else it was no trial */
}

/* ---- changes ---- */

struct naive {
    struct vrp list[4096];
    size_t count;
};

static bool is_same(const struct vrp *a, const struct vrp *b)
{
    return prefix_compare(&a->prefix, &b->prefix) == 0 && a->asn == b->asn &&
           a->max_bits == b->max_bits;
}

static enum vrps_fault apply_naively(struct naive *naive, const struct vrp_change *change)
{
    size_t i = 0;
    while (i < naive->count && !is_same(&naive->list[i], &change->vrp))
        i++;
    if (change->is_announced == (i < naive->count))
        return change->is_announced ? VRPS_TWICE : VRPS_UNKNOWN;
    if (change->is_announced)
        naive->list[naive->count++] = change->vrp;
    else
        naive->list[i] = naive->list[--naive->count];
    return VRPS_OK;
}

/* Changes that fit what is there, of which some undo one before. At times, if it may, the last does
 * not fit: *fault. Returns how many. */
static size_t make_changes(struct naive *naive, struct vrp_change *changes, size_t most,
                           bool may_fail, uint64_t *seed, enum vrps_fault *fault)
{
    size_t count = 0;
    *fault = VRPS_OK;
    for (size_t i = 0; i < most && !*fault; i++) {
        uint64_t x = hash_mix(++*seed);
        struct vrp_change change = {random_vrp(seed), true, 0};
        if (x & 1 && naive->count)
            change = (struct vrp_change){naive->list[(x >> 8) % naive->count], false, 0};
        if (may_fail && (x & 0x70) == 0)
            change.is_announced ^= true;
        *fault = apply_naively(naive, &change);
        if (!*fault || may_fail)
            changes[count++] = change;
        if (!may_fail)
            *fault = VRPS_OK;
    }
    return count;
}

/* The old table is still there, and the same, whether or not the changes fit. */
static void random_changes(void **state)
{
    (void)state;
    size_t states[RPKI_STATE_COUNT] = {0}, faults[VRPS_UNKNOWN + 1] = {0};
    struct naive *naive = mem_new(1, sizeof *naive), *before = mem_new(1, sizeof *before);
    for (uint64_t first = 1; first <= 20; first++) {
        uint64_t seed = first << 32;
        struct vrps *vrps = vrps_new();
        naive->count = 0;
        vrps_seal(vrps);
        for (int round = 0; round < 40; round++) {
            struct vrp_change changes[30];
            struct vrps *next = NULL;
            enum vrps_fault wanted;
            *before = *naive;
            size_t count =
                make_changes(naive, changes, (size_t)round % 30, round % 3 == 0, &seed, &wanted);
            assert_int_equal(vrps_apply(vrps, changes, count, &next), wanted);
            faults[wanted]++;
            ask_at_random(vrps, before->list, before->count, &seed, states);
            if (wanted) {
                assert_null(next);
                *naive = *before;
                continue;
            }
            vrps_free(vrps);
            vrps = next;
            assert_int_equal(vrps_count(vrps), naive->count);
            ask_at_random(vrps, naive->list, naive->count, &seed, states);
        }
        vrps_free(vrps);
    }
    for (int i = 0; i <= VRPS_UNKNOWN; i++)
        assert_true(faults[i] > 20);
    for (int i = RPKI_NOT_FOUND; i < RPKI_STATE_COUNT; i++)
        assert_true(states[i] > 1000);
    free(naive);
    free(before);
}

/* As many as there are in the world of 2024 and some more. */
static void memory_is_bounded(void **state)
{
    (void)state;
    enum { COUNT = 700000, MIB_MAX = 24 };
    struct vrps *vrps = vrps_new();
    for (uint32_t i = 0; i < COUNT; i++) {
        struct addr addr = {.family = i % 4 ? 4 : 6, .bytes = {0x20}};
        uint32_t place = i * 2654435761U;
        for (int k = 1; k < 4; k++)
            addr.bytes[k] = (uint8_t)(place >> 8 * k);
        struct vrp vrp = {prefix_of(&addr, 32), 32, i};
        assert_true(vrps_add(vrps, &vrp));
    }
    vrps_seal(vrps);
    assert_int_equal(vrps_count(vrps), COUNT);
    assert_true(vrps_memory(vrps) < MIB_MAX * 1024 * 1024);
    vrps_free(vrps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases),
        cmocka_unit_test(empty_and_whole),
        cmocka_unit_test(random_by_definition),
        cmocka_unit_test(random_changes),
        cmocka_unit_test(memory_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
