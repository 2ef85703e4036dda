/* app/config/config_table: the whole table, and the countries of subjects. */
#include "app/config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD                                                                                       \
    "vantage: {name: lon, controls: [icmp:192.0.2.7]}\n"                                           \
    "subjects: [{name: a, prefixes: [192.0.2.0/24]}]\n"

static enum err parse(const char *text, struct config *out, struct buffer *faults)
{
    struct why why;
    return config_parse("etc/l.yaml", text, strlen(text), out, faults, &why);
}

static void test_table(void **state)
{
    static const struct {
        const char *routes;
        bool is_wanted;
        size_t countries;
    } cases[] = {
        {"bmp: ':1'", false, 0},
        {"bmp: ':1', whole_table: no", false, 0},
        {"bmp: ':1', whole_table: yes", true, 0},
        {"bmp: ':1', whole_table: {}", true, 0},
        {"bmp: ':1', whole_table: {countries: [delegated, /srv/geo.mmdb]}", true, 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config config;
        struct buffer faults = {0};
        char yaml[300];
        snprintf(yaml, sizeof yaml, HEAD "routes: {%s}\n", cases[i].routes);
        assert_int_equal(parse(yaml, &config, &faults), ERR_OK);
        assert_int_equal(config.table.is_wanted, cases[i].is_wanted);
        assert_int_equal(config.table.country_count, cases[i].countries);
        assert_int_equal(config.warning_count, 0);
        if (cases[i].countries) {
            assert_string_equal(config.table.countries[0], "etc/delegated");
            assert_string_equal(config.table.countries[1], "/srv/geo.mmdb");
        }
        config_done(&config);
    }
}

static void test_bad(void **state)
{
    static const struct {
        const char *yaml, *fault;
    } cases[] = {
        {HEAD "routes: {whole_table: maybe}\n",
         "etc/l.yaml:3:23: whole_table: found 'maybe'; expected yes, no, or {countries: [FILE]}\n"},
        {HEAD "routes: {whole_table: {country: [x]}}\n",
         "etc/l.yaml:3:24: whole_table has no key 'country'; expected countries\n"},
        {HEAD "routes: {whole_table: {countries: []}}\n",
         "etc/l.yaml:3:35: countries: the list is empty; expected delegated files of the "
         "registries, or a MaxMind database, or no list\n"},
        {"subjects: [{name: a, countries: [Korea]}]\n",
         "etc/l.yaml:1:34: countries: found 'Korea'; expected the two letters of ISO 3166-1, such "
         "as KP\n"},
        {"subjects: [{name: a, countries: [zz]}]\n", "etc/l.yaml:1:34: countries: found 'zz'; "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config config;
        struct buffer faults = {0};
        assert_int_equal(parse(cases[i].yaml, &config, &faults), ERR_CONFIG);
        if (!strstr(faults.bytes, cases[i].fault))
            fail_msg("'%s' is not in '%s'", cases[i].fault, faults.bytes);
        buffer_done(&faults);
    }
}

/* What would count nothing is said. */
static void test_doubts(void **state)
{
    static const struct {
        const char *yaml, *warning;
    } cases[] = {
        {HEAD "routes: {whole_table: yes}\n",
         "l.yaml:3:9: the whole table is to be kept, and nobody"},
        {"vantage: {name: lon, controls: [icmp:192.0.2.7]}\n"
         "subjects: [{name: a, countries: [KP]}]\nroutes: {bmp: ':1', whole_table: yes}\n",
         "l.yaml:3:9: subject a has countries, of which nothing is counted: that needs routes: "
         "{whole_table: {countries: [FILE]}}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config config;
        struct buffer faults = {0};
        assert_int_equal(parse(cases[i].yaml, &config, &faults), ERR_OK);
        assert_int_equal(config.warning_count, 1);
        if (!strstr(config.warnings[0], cases[i].warning))
            fail_msg("'%s' is not in '%s'", cases[i].warning, config.warnings[0]);
        config_done(&config);
    }
}

static void test_countries_of_a_subject(void **state)
{
    (void)state;
    struct config config;
    struct buffer faults = {0}, text = {0};
    assert_int_equal(parse("vantage: {name: lon, controls: [icmp:192.0.2.7]}\n"
                           "subjects: [{name: a, countries: [NO, kp]}]\n"
                           "routes: {bmp: ':1', whole_table: {countries: [x]}}\n",
                           &config, &faults),
                     ERR_OK);
    assert_int_equal(config.warning_count, 0);
    assert_int_equal(config.subjects[0].member_count, 2);
    assert_int_equal(config.subjects[0].members[0].kind, NAME_COUNTRY);
    assert_string_equal(config.subjects[0].members[0].text, "NO");
    assert_string_equal(config.subjects[0].members[1].text, "KP");
    config_describe(&config, false, &text);
    assert_non_null(strstr(text.bytes, "  a: 2 countries\n"));
    assert_non_null(strstr(text.bytes,
                           "; live routes by BMP at :1; the whole table, in bins of five "
                           "minutes, with the countries of 1 file or folder\n"));
    buffer_clear(&text);
    config_describe(&config, true, &text);
    assert_non_null(strstr(text.bytes, "\"whole_table\":{\"countries\":[\"etc/x\"]}"));
    assert_non_null(strstr(text.bytes, "\"countries\":2"));
    config_done(&config);
    buffer_done(&text);
}

static void test_same(void **state)
{
    static const struct {
        const char *routes;
        bool is_same;
    } cases[] = {
        {"whole_table: {countries: [x]}", true},
        {"whole_table: {countries: [x]}, bmp: ':1'", true},
        {"whole_table: {countries: [z]}", false},
        {"whole_table: {countries: [x, z]}", false},
        {"whole_table: yes", false},
        {"bmp: ':1'", false},
    };
    (void)state;
    struct config first, other;
    struct buffer faults = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char yaml[300];
        snprintf(yaml, sizeof yaml, HEAD "routes: {%s}\n", cases[i].routes);
        assert_int_equal(parse(yaml, i ? &other : &first, &faults), ERR_OK);
        if (!i)
            continue;
        assert_int_equal(config_has_same_table(&first, &other), cases[i].is_same);
        config_done(&other);
    }
    config_done(&first);
}

/* A file that is not there is a fault of the configuration, with its place. */
static void test_files_are_looked_for(void **state)
{
    (void)state;
    char folder[] = "/tmp/lastlight-XXXXXX", path[64], file[64];
    struct config config;
    struct buffer faults = {0};
    struct why why;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/l.yaml", folder);
    snprintf(file, sizeof file, "%s/delegated", folder);
    FILE *out = fopen(path, "w");
    fputs(HEAD "routes: {bmp: ':1', whole_table: {countries: [delegated]}}\n", out);
    fclose(out);
    assert_int_equal(config_load(path, &config, &faults, &why), ERR_CONFIG);
    assert_non_null(strstr(faults.bytes, "l.yaml:3:47: countries: "));
    assert_non_null(strstr(faults.bytes, file));
    fclose(fopen(file, "w"));
    assert_int_equal(config_load(path, &config, &faults, &why), ERR_OK);
    assert_string_equal(config.table.countries[0], file);
    config_done(&config);
    unlink(file);
    unlink(path);
    rmdir(folder);
    buffer_done(&faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),  cmocka_unit_test(test_bad),
        cmocka_unit_test(test_doubts), cmocka_unit_test(test_countries_of_a_subject),
        cmocka_unit_test(test_same),   cmocka_unit_test(test_files_are_looked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
