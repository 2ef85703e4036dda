/* base/endpoint: what is a host with a port, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/endpoint.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void test_good(void **state)
{
    static const struct {
        const char *text, *host;
        uint8_t family;
        bool has_brackets;
        uint16_t port;
    } cases[] = {
        {"a.example", "a.example", 0, false, 0},
        {"a.example:323", "a.example", 0, false, 323},
        {"192.0.2.1", "192.0.2.1", 4, false, 0},
        {"192.0.2.1:65535", "192.0.2.1", 4, false, 65535},
        {"2001:db8::1", "2001:db8::1", 6, false, 0},
        {"2001:db8::1:443", "2001:db8::1:443", 6, false, 0}, /* an address as it stands */
        {"[2001:db8::1]", "2001:db8::1", 6, true, 0},
        {"[::]:1", "::", 6, true, 1},
        {":179", "", 0, false, 179},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct endpoint found;
        assert_true(endpoint_parse(cases[i].text, strlen(cases[i].text), &found));
        assert_int_equal(found.host_size, strlen(cases[i].host));
        assert_memory_equal(found.host, cases[i].host, found.host_size);
        assert_int_equal(found.addr.family, cases[i].family);
        assert_int_equal(found.has_brackets, cases[i].has_brackets);
        assert_int_equal(found.port, cases[i].port);
    }
}

static void test_bad(void **state)
{
    static const char *const cases[] = {
        "",       "a:",   "a:0",   "a:00",  "a:65536",     "a:100000",       "a:8x",
        "a:-1",   "a: 1", "a:080", "a:1:2", "[::1",        "[::1]x",         "[::1]:",
        "[::1]1", "[]",   "[]:1",  "[a]:1", "[1.2.3.4]:1", "2001:db8::1]:1", "2001:db8:::1",
        ":",      ":0",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct endpoint found = {.port = 7};
        if (endpoint_parse(cases[i], strlen(cases[i]), &found))
            fail_msg("%s", cases[i]);
        assert_int_equal(found.port, 7);
    }
}

/* A text need not end with zero: nothing behind it is looked at. */
static void test_cut_anywhere(void **state)
{
    static const char text[] = "[2001:db8::1]:65535";
    (void)state;
    for (size_t n = 0; n < sizeof text; n++) {
        struct endpoint found;
        char *copy = malloc(n + 1);
        assert_non_null(copy);
        memcpy(copy + 1, text, n);
        bool is_good = endpoint_parse(copy + 1, n, &found);
        assert_int_equal(is_good, n == 13 || (n >= 15 && n < sizeof text));
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
