/* sys/cache_file: where copies lie, and that none is ever half a file or taken for another version. */
#include "sys/cache_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void test_paths(void **state)
{
    (void)state;
    static const struct {
        const char *url, *path;
    } cases[] = {
        {"https://data.ris.ripe.net/rrc00/2022.02/updates.20220207.0530.gz",
         "c/data.ris.ripe.net/rrc00/2022.02/updates.20220207.0530.gz"},
        {"HTTP://Mirror.Example:8080/a", "c/mirror.example:8080/a"},
        {"http://[::1]:8080/a", "c/[::1]:8080/a"},
        {"https://a/b/", "c/a/b/.index.html"},
        {"https://a", "c/a/.index.html"},
        {"https://a/", "c/a/.index.html"},
        {"https://a//b///c", "c/a/b/c"},
        {"https://a/../b/./.c", "c/a/%2E./b/%2E/%2Ec"},
        {"https://../b", "c/%2E./b"},
        {"https://a/b?c=d/e", "c/a/b%3Fc=d/e"},
        {"https://a/b#c", "c/a/b"},
        {"https://a/b/#c/d", "c/a/b/.index.html"},
        {"https://a#c", "c/a/.index.html"},
        {"https://a//", "c/a/.index.html"},
        {"https://a?b", "c/a/%3Fb"},
        {"https://a/b c\n*", "c/a/b%20c%0A%2A"},
        {"https://a/%2e%2e/b", "c/a/%2e%2e/b"},
    };
    static const char *const wrong[] = {
        "",     "http://", "https:///a",         "ftp://a/b", "file:///etc/x",
        "a.gz", "http:/a", "http://me:word@a/b", "//a/b"};
    char path[CACHE_PATH_MAX], longer[600];
    struct why why;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(cache_file_path("c", cases[i].url, path, &why), ERR_OK);
        assert_string_equal(path, cases[i].path);
    }
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_equal(cache_file_path("c", wrong[i], path, &why), ERR_USAGE);
    memset(longer, 'a', sizeof longer);
    memcpy(longer, "http://h/", 9);
    longer[9 + CACHE_NAME_MAX] = '\0';
    assert_int_equal(cache_file_path("c", longer, path, &why), ERR_USAGE);
    longer[9 + CACHE_NAME_MAX - 1] = '\0';
    assert_int_equal(cache_file_path("c", longer, path, &why), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
