/* source/paths: what the user names becomes a list of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "source/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Relative paths in a folder of our own: every test begins in a new one. */
static int enter(void **state)
{
    char *folder = strdup("/tmp/lastlight-paths-XXXXXX");
    *state = folder;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", (char *)*state);
    free(*state);
    return chdir("/") == 0 ? system(command) : -1;
}

static void make_file(const char *name, size_t size)
{
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        fputc('x', file);
    fclose(file);
}

static void make_some(void)
{
    assert_int_equal(mkdir("day", 0777), 0);
    assert_int_equal(mkdir("day/within", 0777), 0);
    make_file("day/updates.2", 2);
    make_file("day/updates.10", 10);
    make_file("day/rib.1", 1);
    make_file("day/.hidden", 1);
    make_file("alone", 5);
}

/* "PATH:SIZE PATH:SIZE", or why not. */
static const char *gather(const char *const *named, size_t count)
{
    static char text[1024];
    struct buffer list = {0};
    struct paths paths;
    struct why why;
    if (paths_gather(named, count, &paths, &why)) {
        snprintf(text, sizeof text, "%s: %s", err_name(why.err), why.text);
        return text;
    }
    for (size_t i = 0; i < paths.count; i++)
        buffer_printf(&list, "%s%s:%u", i ? " " : "", paths.list[i].path,
                      (unsigned)paths.list[i].size);
    snprintf(text, sizeof text, "%s", list.bytes);
    buffer_done(&list);
    paths_done(&paths);
    return text;
}

static void test_lists(void **state)
{
    (void)state;
    make_some();
    static const struct {
        const char *named[3];
        const char *list;
    } table[] = {
        {{"alone"}, "alone:5"},
        {{"-"}, "-:0"},
        {{"day"}, "day/rib.1:1 day/updates.10:10 day/updates.2:2"},
        {{"day/"}, "day/rib.1:1 day/updates.10:10 day/updates.2:2"},
        {{"day/updates.*"}, "day/updates.10:10 day/updates.2:2"},
        {{"day/updates.?"}, "day/updates.2:2"},
        {{"day/[r-u]*.[12]"}, "day/rib.1:1 day/updates.2:2"},
        {{"d*"}, "day/rib.1:1 day/updates.10:10 day/updates.2:2"},
        {{"-", "day/rib.1", "alone"}, "-:0 day/rib.1:1 alone:5"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        size_t count = 0;
        while (count < 3 && table[i].named[count])
            count++;
        assert_string_equal(gather(table[i].named, count), table[i].list);
    }
}

/* A file may be called what would match others, too. */
static void test_pattern_as_name(void **state)
{
    (void)state;
    make_file("a*", 1);
    make_file("ab", 2);
    assert_string_equal(gather((const char *[]){"a*"}, 1), "a*:1");
    assert_string_equal(gather((const char *[]){"a?"}, 1), "a*:1 ab:2");
}

static void test_refused(void **state)
{
    (void)state;
    make_some();
    assert_int_equal(mkdir("empty", 0777), 0);
    static const struct {
        const char *named[2];
        const char *said;
    } table[] = {
        {{"alone", "alone"}, "wrong usage: alone: named twice; once is enough"},
        {{"day", "day/rib.1"}, "wrong usage: day/rib.1: named twice; once is enough"},
        {{"day/r*", "day/*.1"}, "wrong usage: day/rib.1: named twice; once is enough"},
        {{"-", "-"}, "wrong usage: standard input (-): named twice; once is enough"},
        {{"empty"}, "not found: empty: there is no file in this folder"},
        {{"day/withi?"}, "not found: day/within: there is no file in this folder"},
        {{"none"}, "not found: none: cannot be read: No such file or directory"},
        {{"none*"}, "not found: none*: no file matches this pattern"},
        {{"alone", "none"}, "not found: none: cannot be read: No such file or directory"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_string_equal(gather(table[i].named, table[i].named[1] ? 2 : 1), table[i].said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lists, enter, leave),
        cmocka_unit_test_setup_teardown(test_pattern_as_name, enter, leave),
        cmocka_unit_test_setup_teardown(test_refused, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
