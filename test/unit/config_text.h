/* For tests of app/config/config: configurations as texts, what is wrong with them, and which are the same.
 * It fails by cmocka's assertions. */
#ifndef TEST_CONFIG_TEXT_H
#define TEST_CONFIG_TEXT_H

#include "app/config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A sound configuration, but for its routes, which begin at 3:9. */
#define ROUTES(text)                                                                               \
    "subjects: [{name: a, prefixes: [192.0.2.0/24]}]\nvantage: {name: lon, controls: "             \
    "[icmp:192.0.2.7]}\nroutes: {" text "}\n"

static inline enum err parse(const char *text, struct config *out, struct buffer *faults)
{
    struct why why;
    enum err err = config_parse("etc/l.yaml", text, strlen(text), out, faults, &why);
    if (err) { /* `why` is the first line of the faults */
        size_t n = strcspn(faults->bytes, "\n");
        assert_int_equal(strncmp(why.text, faults->bytes, n < 600 ? n : 600), 0);
    }
    return err;
}

struct bad_text {
    const char *yaml, *fault; /* "3:9: ...\n" */
};

static inline void expect_faults(const struct bad_text *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct config config;
        struct buffer faults = {0};
        char expected[300];
        snprintf(expected, sizeof expected, "etc/l.yaml:%s", cases[i].fault);
        assert_int_equal(parse(cases[i].yaml, &config, &faults), ERR_CONFIG);
        assert_string_equal(faults.bytes, expected);
        buffer_done(&faults);
    }
}

struct other_text {
    const char *yaml;
    bool is_same; /* as the first */
};

static inline void expect_same(const struct other_text *cases, size_t count,
                               bool (*is_same)(const struct config *a, const struct config *b))
{
    struct config first, other;
    struct buffer faults = {0};
    assert_int_equal(parse(cases[0].yaml, &first, &faults), ERR_OK);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(parse(cases[i].yaml, &other, &faults), ERR_OK);
        assert_int_equal(is_same(&first, &other), cases[i].is_same);
        config_done(&other);
    }
    config_done(&first);
}

#endif
