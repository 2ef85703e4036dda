/* source/blocks/census and block_file: what is learned of networks, and kept. */
#include "source/blocks/block_file.h"

#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

struct heard {
    struct block_record records[8];
    size_t count;
    char fault[300]; /* the last */
};

static void take(void *context, const struct block_record *record)
{
    struct heard *heard = context;
    heard->records[heard->count++] = *record;
}

static void keep_fault(void *context, const char *fault)
{
    struct heard *heard = context;
    snprintf(heard->fault, sizeof heard->fault, "%s", fault);
}

static struct heard read_text(const char *bytes)
{
    struct heard heard = {.count = 0};
    struct stream_faults faults = {.report = keep_fault, .context = &heard};
    struct text text;
    text_of_bytes(&text, "file", bytes, strlen(bytes), &faults);
    assert_int_equal(block_file_read(&text, take, &heard, NULL), ERR_OK);
    text_close(&text);
    assert_int_equal(faults.bad, heard.fault[0] != '\0');
    assert_int_equal(faults.records, heard.count + (heard.fault[0] != '\0'));
    return heard;
}

static void good_lines(void **state)
{
    (void)state;
    struct heard heard = read_text("# a comment\n\n"
                                   "192.0.2.0/24 0.62 1-14,20,255 2026-11-29T10:00:00Z\n"
                                   " 198.51.100.0/24\t12/300  0,5   # half-way\r\n"
                                   "203.0.113.0/24 0 -");
    assert_int_equal(heard.count, 3);
    const struct block_record *r = heard.records;
    assert_int_equal(block_set_count(&r[0].census.found), 16);
    assert_true(block_set_has(&r[0].census.found, 14) && !block_set_has(&r[0].census.found, 15));
    assert_true(block_set_has(&r[0].census.found, 255));
    assert_true(census_is_over(&r[0].census) && fabs(r[0].availability - 0.62) < 1e-9);
    assert_int_equal(r[0].since.ns, INT64_C(1795946400) * NS_PER_S);
    assert_false(census_is_over(&r[1].census));
    assert_int_equal(r[1].census.answered, 12);
    assert_int_equal(r[1].census.asked, 300);
    assert_false(utc_is_known(r[1].since));
    assert_int_equal(block_set_count(&r[2].census.found), 0);
}

static void bad_lines(void **state)
{
    static const struct {
        const char *line, *fault;
    } cases[] = {
        {"192.0.2.1/24 0.5 1", "file:1: \"192.0.2.1/24\" is no network NETWORK/24 of IPv4"},
        {"192.0.2.0/25 0.5 1", "file:1: \"192.0.2.0/25\" is no network NETWORK/24 of IPv4"},
        {"2001:db8::/24 0.5 1", "file:1: \"2001:db8::/24\" is no network NETWORK/24 of IPv4"},
        {"192.0.2.0/24", "file:1: \"\" is no availability from 0 to 1, and no ANSWERS/QUESTIONS of "
                         "a census"},
        {"192.0.2.0/24 1.01 1", "file:1: \"1.01\" is no availability from 0 to 1, and no "
                                "ANSWERS/QUESTIONS of a census"},
        {"192.0.2.0/24 . 1", "file:1: \".\" is no availability from 0 to 1, and no "
                             "ANSWERS/QUESTIONS of a census"},
        {"192.0.2.0/24 0.1.2 1", "file:1: \"0.1.2\" is no availability from 0 to 1, and no "
                                 "ANSWERS/QUESTIONS of a census"},
        {"192.0.2.0/24 5/4 1", "file:1: \"5/4\" is no availability from 0 to 1, and no "
                               "ANSWERS/QUESTIONS of a census"},
        {"192.0.2.0/24 5/1024 1", "file:1: \"5/1024\" is no availability from 0 to 1, and no "
                                  "ANSWERS/QUESTIONS of a census"},
        {"192.0.2.0/24 0.5", "file:1: \"\" are no addresses, such as 1-14,20, or - for none"},
        {"192.0.2.0/24 0.5 1,", "file:1: \"1,\" are no addresses, such as 1-14,20, or - for none"},
        {"192.0.2.0/24 0.5 256",
         "file:1: \"256\" are no addresses, such as 1-14,20, or - for none"},
        {"192.0.2.0/24 0.5 9-8",
         "file:1: \"9-8\" are no addresses, such as 1-14,20, or - for none"},
        {"192.0.2.0/24 0.5 1-", "file:1: \"1-\" are no addresses, such as 1-14,20, or - for none"},
        {"192.0.2.0/24 0.5 1 2026", "file:1: \"2026\" is no time, such as 2026-11-29T10:00:00Z"},
        {"192.0.2.0/24 0.5 1 2026-11-29T10:00:00Z x", "file:1: \"x\" stands behind the time"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct heard heard = read_text(cases[i].line);
        assert_string_equal(heard.fault, cases[i].fault);
        assert_int_equal(heard.count, 0);
    }
}

/* What is written is what is read. */
static void round_trip(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct block_record record = {.network.bits = 24, .since.ns = (int64_t)seed * NS_PER_S};
        record.network.addr = (struct addr){{192, 0, (uint8_t)seed}, 4};
        bool is_over = seed % 3 > 0;
        record.availability = is_over ? (double)(seed % 1001) / 1000 : 0;
        record.census.asked = is_over ? CENSUS_QUESTIONS : (uint16_t)(seed * 3);
        record.census.answered = is_over ? 0 : (uint16_t)seed;
        for (unsigned i = 0; i < BLOCK_ADDRESSES; i++)
            if (hash_mix(seed << 8 | i) % 300 < seed)
                block_set_add(&record.census.found, (uint8_t)i);
        struct buffer text = {0};
        block_file_begin(&text);
        block_file_write(&record, &text);
        struct heard heard = read_text(text.bytes);
        assert_int_equal(heard.count, 1);
        assert_memory_equal(&heard.records[0].census, &record.census, sizeof record.census);
        assert_memory_equal(&heard.records[0].network, &record.network, sizeof record.network);
        assert_true(fabs(heard.records[0].availability - record.availability) < 1e-9);
        assert_int_equal(heard.records[0].since.ns, record.since.ns);
        buffer_done(&text);
    }
}

/* Half of 40 addresses answer at a time, and two never may: nearly all are found, and the share. */
static void census(void **state)
{
    (void)state;
    struct census c = {0};
    unsigned questions = 0, asked[BLOCK_ADDRESSES] = {0};
    for (uint64_t random = 1; !census_is_over(&c); random++, questions++) {
        uint8_t address = census_next(&c, 5);
        asked[address]++;
        if (address == 7 || address == 8)
            census_skip(&c);
        else
            census_take(&c, address, address <= 40 && hash_mix(random) % 2);
    }
    assert_int_equal(asked[0] + asked[255], 0);
    for (unsigned i = 1; i < 255; i++)
        assert_int_equal(asked[i], CENSUS_PASSES);
    assert_in_range(block_set_count(&c.found), 33, 38);
    assert_false(block_set_has(&c.found, 7));
    assert_true(census_availability(&c) > 0.4 && census_availability(&c) < 0.65);
    assert_true(census_availability(&(struct census){.asked = 50}) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_lines),
        cmocka_unit_test(bad_lines),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(census),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
