/* What people read, piece by piece: words, and the sentence of each finding. */
#include "out_cases.h"

#include "out/sections.h"
#include "out/sentence.h"
#include "out/words.h"

#include <math.h>

/* Words. */

static void test_times_and_intervals(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct utc day = at("2022-01-25T20:00:00Z");
    struct interval minute = span("2022-01-25T21:00:10.7Z", "2022-01-25T21:00:40.2Z");
    assert_string_equal(words_time(&arena, at("2022-01-25T21:00:10.7Z")), "2022-01-25T21:00:10Z");
    assert_string_equal(words_time(&arena, (struct utc){0}), "-");
    assert_string_equal(words_interval(&arena, &minute, day), "between 21:00:10 and 21:00:41");
    assert_string_equal(words_interval(&arena, &minute, (struct utc){0}),
                        "between 2022-01-25T21:00:10Z and 21:00:41Z");
    struct interval night = span("2022-01-25T23:59:50Z", "2022-01-26T00:00:20Z");
    assert_string_equal(words_interval(&arena, &night, day),
                        "between 2022-01-25T23:59:50Z and 2022-01-26T00:00:20Z");
    struct interval quick = span("2022-01-25T21:00:10.25Z", "2022-01-25T21:00:11Z");
    assert_string_equal(words_interval(&arena, &quick, day), "between 21:00:10.250 and 21:00:11");
    struct interval late = {{0}, at("2022-01-25T21:00:40Z")};
    assert_string_equal(words_interval(&arena, &late, day), "by 21:00:40");
    struct interval since = {at("2022-01-25T21:00:40Z"), {0}};
    assert_string_equal(words_interval(&arena, &since, (struct utc){0}),
                        "after 2022-01-25T21:00:40Z");
    assert_string_equal(words_interval(&arena, &(struct interval){0}, day),
                        "at a time that is not known");
    struct interval end = span("2022-01-25T22:00:10Z", "2022-01-25T22:00:40Z");
    assert_string_equal(words_between(&arena, &minute, &end), "59 min 29 s to 1 h");
    assert_string_equal(words_between(&arena, &minute, &minute), "at most 29 s");
    assert_string_equal(words_between(&arena, &minute, &(struct interval){0}), "-");
    arena_done(&arena);
}

static void test_likelihood_words_follow_the_scale(void **state)
{
    (void)state;
    static const struct {
        double p;
        const char *words, *percent;
    } scale[] = {{0, "almost no chance", "below 1 %"},
                 {.004, "almost no chance", "below 1 %"},
                 {.03, "almost no chance", "3 %"},
                 {.05, "very unlikely", "5 %"},
                 {.199, "unlikely", "20 %"},
                 {.2, "unlikely", "20 %"},
                 {.44, "unlikely", "44 %"},
                 {.5, "roughly even", "50 %"},
                 {.55, "likely", "55 %"},
                 {.79, "likely", "79 %"},
                 {.8, "very likely", "80 %"},
                 {.95, "almost certain", "95 %"},
                 {.9999, "almost certain", "above 99 %"},
                 {1, "almost certain", "above 99 %"}};
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof scale / sizeof *scale; i++) {
        assert_string_equal(words_likelihood(scale[i].p), scale[i].words);
        assert_string_equal(words_percent(&arena, scale[i].p), scale[i].percent);
    }
    arena_done(&arena);
}

static void test_lists(void **state)
{
    (void)state;
    struct arena arena = {0};
    const char *items[] = {"a", "b", "c"};
    assert_string_equal(words_list(&arena, items, 0), "");
    assert_string_equal(words_list(&arena, items, 1), "a");
    assert_string_equal(words_list(&arena, items, 2), "a and b");
    assert_string_equal(words_list(&arena, items, 3), "a, b and c");
    assert_string_equal(words_count(&arena, 1, "host", "hosts"), "1 host");
    assert_string_equal(words_count(&arena, 0, "host", "hosts"), "0 hosts");
    arena_done(&arena);
}

static void test_traces_in_words(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct registry *registry = registry_new();
    struct trace_found trace = {.source = name(registry, NAME_VANTAGE, "lon"),
                                .target = name(registry, NAME_TARGET, "trace:2001:db8::9"),
                                .outcome = OUTCOME_TIMEOUT};
    assert_string_equal(
        trace_words(&arena, registry, &trace),
        "towards 2001:db8::9 from lon: no answer in time, nor from anybody on the way");
    trace.hop = name(registry, NAME_ADDRESS, "192.0.2.1");
    trace.hops = 7;
    trace.asn = 64500;
    assert_string_equal(trace_words(&arena, registry, &trace),
                        "towards 2001:db8::9 from lon: no answer in time; the last to answer was "
                        "192.0.2.1 (AS64500), 7 hops away");
    trace.outcome = OUTCOME_OK;
    trace.hops = 1;
    assert_string_equal(trace_words(&arena, registry, &trace),
                        "towards 2001:db8::9 from lon: it answered, 1 hop away");
    trace.outcome = OUTCOME_HOST_UNREACHABLE;
    trace.hops = 0;
    assert_string_equal(trace_words(&arena, registry, &trace),
                        "towards 2001:db8::9 from lon: it does not answer on the network that the "
                        "vantage is in itself");
    registry_free(registry);
    arena_done(&arena);
}

/* Sentences. */

static void test_templates_are_filled(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct registry *registry = registry_new();
    struct finding finding = {.n = 3, .m = 4, .a = 0.6, .b = 3.25, .layer = LAYER_HOST};
    finding.name = name(registry, NAME_PREFIX, "192.0.2.0/24");
    finding.first = span("2022-01-25T21:00:10Z", "2022-01-25T21:00:40Z");
    struct utc day = at("2022-01-25T00:00:01Z");
    static const char *const cases[][2] = {
        {"{n} of {m}", "3 of 4"},
        {"{a%} and {b}", "60 % and 3.2"},
        {"{first}, {second}", "between 21:00:10 and 21:00:40, not known"},
        {"went {first}[ and was gone {second}].", "went between 21:00:10 and 21:00:40."},
        {"x[ ({first})]", "x (between 21:00:10 and 21:00:40)"},
        {"{name} on {layer}", "192.0.2.0/24 on hosts answering ping"},
        {"{nonsense} {", "{nonsense} {"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(sentence_render(&arena, registry, cases[i][0], &finding, day),
                            cases[i][1]);
    finding.a = 65001;
    finding.b = (double)(90 * NS_PER_S);
    assert_string_equal(sentence_render(&arena, registry, "AS{a} {b:time}", &finding, day),
                        "AS65001 1 min 30 s");
    static const char *const counted[] = {"no host was of 1 host", "only one host was of 2 hosts",
                                          "some hosts were of 3 hosts"};
    for (uint32_t n = 0; n < 3; n++) {
        finding.n = n;
        finding.m = n + 1;
        assert_string_equal(
            sentence_render(&arena, registry,
                            "{n|no host was|only one host was|some hosts were} of {m} "
                            "{m|host|hosts}",
                            &finding, day),
            counted[n]);
    }
    registry_free(registry);
    arena_done(&arena);
}

static void check_words(const char *text)
{
    struct buffer buffer = {0};
    assert_non_null(text);
    buffer_puts(&buffer, text);
    if (buffer.size)
        check_wording(&buffer);
    buffer_done(&buffer);
}

/* Every template of the table must render without a mark left over, whatever is missing. */
static void test_every_finding_is_a_sentence(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct registry *registry = registry_new();
    struct finding full = {.n = 1, .m = 2, .a = 0.5, .b = 2, .layer = LAYER_HOST};
    full.name = name(registry, NAME_PREFIX, "192.0.2.0/24");
    full.first = full.second = span("2022-01-25T21:00:10Z", "2022-01-25T21:00:40Z");
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++)
        for (int truth = TRUTH_ABSENT; truth <= TRUTH_PRESENT; truth++)
            for (int is_full = 0; is_full < 2; is_full++) {
                struct finding finding = is_full ? full : (struct finding){0};
                finding.kind = (uint8_t)kind;
                finding.truth = (uint8_t)truth;
                const char *text = sentence(&arena, registry, &finding, (struct utc){0});
                const char *whole = sentence_whole(&arena, text);
                assert_true(strlen(text) > 10);
                check_words(whole);
                assert_null(strpbrk(text, "{}[]"));
                if (is_full)
                    assert_null(strstr(text, "not known"));
                assert_false(islower((unsigned char)whole[0]));
                assert_true(whole[strlen(whole) - 1] == '.');
            }
    registry_free(registry);
    arena_done(&arena);
}

/* No table may hold a word that no page may print, and every finding needs its measurement. */
static void test_tables_accuse_nobody(void **state)
{
    (void)state;
    for (int cause = 0; cause < CAUSE_COUNT; cause++) {
        check_words(cause_phrase((enum cause)cause));
        check_words(cause_says((enum cause)cause));
    }
    for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
        check_words(outcome_sentence((enum outcome)outcome));
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++) {
        struct verdict verdict = {.settling = {(uint8_t)kind, EVIDENCE_COUNT, EVIDENCE_COUNT}};
        const char *texts[SETTLING_MAX];
        assert_int_equal(settling_measures(&verdict, texts), 1);
        check_words(texts[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_and_intervals),
        cmocka_unit_test(test_likelihood_words_follow_the_scale),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_traces_in_words),
        cmocka_unit_test(test_templates_are_filled),
        cmocka_unit_test(test_every_finding_is_a_sentence),
        cmocka_unit_test(test_tables_accuse_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
