/* app/options: the command line, its help, and completion. Help texts are held against
 * test/golden/help-*.txt; with LASTLIGHT_UPDATE_GOLDEN=1 they are written anew. */
#include "app/options.h"
#include "app/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
enum { WORDS_MAX = 16 };

/* Parses a line of words separated by spaces. */
static enum err parse(const char *line, char store[256], struct options *out, struct why *why)
{
    char *words[WORDS_MAX] = {(char *)(uintptr_t) "lastlight"};
    int count = 1;
    snprintf(store, 256, "%s", line);
    for (char *word = strtok(store, " "); word; word = strtok(NULL, " "))
        words[count++] = strcmp(word, "''") == 0 ? word + 2 : word;
    return options_parse(count, words, out, why);
}

static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum command command;
        const char *journal, *output;
        const char *argument; /* the first */
        size_t arguments;
    } table[] = {
        {"report 1", COMMAND_REPORT, NULL, NULL, "1", 1},
        {"report --journal=a.db 1", COMMAND_REPORT, "a.db", NULL, "1", 1},
        {"report --journal a.db 1", COMMAND_REPORT, "a.db", NULL, "1", 1},
        {"report 1 -j a.db -o x", COMMAND_REPORT, "a.db", "x", "1", 1},
        {"report -ja.db 1 -o-", COMMAND_REPORT, "a.db", "-", "1", 1},
        {"report -j a.db -j b.db 1", COMMAND_REPORT, "b.db", NULL, "1", 1},
        {"report --journal=a=b 1", COMMAND_REPORT, "a=b", NULL, "1", 1},
        {"report -j -- -- -1", COMMAND_REPORT, "--", NULL, "-1", 1},
        {"replay -", COMMAND_REPLAY, NULL, NULL, "-", 1},
        {"replay a -- -j b", COMMAND_REPLAY, NULL, NULL, "a", 3},
        {"db check -j x", COMMAND_DB_CHECK, "x", NULL, NULL, 0},
        {"", COMMAND_HELP, NULL, NULL, NULL, 0},
        {"--help", COMMAND_HELP, NULL, NULL, NULL, 0},
        {"-h", COMMAND_HELP, NULL, NULL, NULL, 0},
        {"--version", COMMAND_VERSION, NULL, NULL, NULL, 0},
        {"help db check", COMMAND_HELP, NULL, NULL, "db", 2},
        {"why --help", COMMAND_WHY, NULL, NULL, NULL, 0},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        char store[256];
        struct options options;
        struct why why;
        if (parse(table[i].line, store, &options, &why))
            fail_msg("'%s': %s", table[i].line, why.text);
        assert_int_equal(options.command, table[i].command);
        const char *journal = options_get(&options, OPTION_JOURNAL);
        const char *output = options_get(&options, OPTION_OUTPUT);
        assert_string_equal(journal ? journal : "", table[i].journal ? table[i].journal : "");
        assert_string_equal(output ? output : "", table[i].output ? table[i].output : "");
        assert_int_equal(options.argument_count, table[i].arguments);
        if (table[i].argument)
            assert_string_equal(options.arguments[0], table[i].argument);
        options_done(&options);
    }
}

static void test_repeated(void **state)
{
    (void)state;
    char store[256];
    struct options options;
    struct why why;
    size_t at = 0;
    assert_int_equal(parse("replay x --prefix a --asn 1 --prefix=b --json", store, &options, &why),
                     ERR_OK);
    assert_string_equal(options_next(&options, OPTION_PREFIX, &at), "a");
    assert_string_equal(options_next(&options, OPTION_PREFIX, &at), "b");
    assert_null(options_next(&options, OPTION_PREFIX, &at));
    assert_true(options_has(&options, OPTION_JSON));
    assert_false(options_has(&options, OPTION_HELP));
    options_done(&options);
}

static void test_bad(void **state)
{
    (void)state;
    static const struct {
        const char *line, *why;
    } table[] = {
        {"stauts", "'stauts' is not a command; did you mean 'status'?"},
        {"incident", "'incident' is not a command; did you mean 'incidents'?"},
        {"db", "'db' is not a command; did you mean 'db check'?"},
        {"db chekc", "'db' is not a command; did you mean 'db check'?"},
        {"frobnicate", "'frobnicate' is not a command; 'lastlight help' lists them"},
        {"--json status", "expected a command before '--json': lastlight COMMAND [OPTION...]; "
                          "'lastlight help' lists "
                          "the commands"},
        {"status --jsno", "'status' has no option '--jsno'; did you mean '--json'?"},
        {"status --jornal=x", "'status' has no option '--jornal'; did you mean '--journal'?"},
        {"status --frobnicate",
         "'status' has no option '--frobnicate'; 'lastlight help status' lists what it takes"},
        {"status --config x",
         "'status' has no option '--config'; 'lastlight help status' lists what it takes"},
        {"status -x", "'status' has no option '-x'; 'lastlight help status' lists what it takes"},
        {"status --json=yes", "'--json' takes no value, found 'yes'"},
        {"status --journal", "'--journal' needs a value: --journal FILE"},
        {"status -j", "'--journal' needs a value: --journal FILE"},
        {"status --journal=", "'--journal' is given an empty value; expected FILE"},
        {"status 1", "'status' takes no arguments, found '1'"},
        {"why", "'why' needs an argument: lastlight why INCIDENT"},
        {"why 1 2", "'why' takes INCIDENT, found '2'"},
        {"report 1 -f pdf", "'--format' takes one of text|md|json, found 'pdf'"},
        {"report 1 -f m", "'--format' takes one of text|md|json, found 'm'"},
        {"completion tcsh", "'completion' takes one of bash|zsh|fish, found 'tcsh'"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        char store[256];
        struct options options;
        struct why why = {0};
        assert_int_equal(parse(table[i].line, store, &options, &why), ERR_USAGE);
        assert_string_equal(why.text, table[i].why);
    }
}

static void test_distance(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        unsigned distance;
    } table[] = {
        {"", "", 0},       {"a", "", 1},       {"abc", "abc", 0},        {"abc", "acb", 1},
        {"abc", "abd", 1}, {"abc", "abcd", 1}, {"kitten", "sitting", 3}, {"icpm", "icmp", 1},
        {"ca", "abc", 3}};
    for (size_t i = 0; i < COUNT(table); i++) {
        size_t an = strlen(table[i].a), bn = strlen(table[i].b);
        assert_int_equal(suggestion_distance(table[i].a, an, table[i].b, bn), table[i].distance);
        assert_int_equal(suggestion_distance(table[i].b, bn, table[i].a, an), table[i].distance);
    }
    char longest[60];
    memset(longest, 'a', sizeof longest);
    assert_int_equal(suggestion_distance(longest, sizeof longest, "a", 1), UINT_MAX);
}

/* ---- golden ---- */

static char *read_all(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return NULL;
    static char text[64 * 1024];
    size_t n = fread(text, 1, sizeof text - 1, file);
    text[n] = '\0';
    fclose(file);
    return text;
}

static void check_golden(const char *name, const struct buffer *text)
{
    const char *source = getenv("LASTLIGHT_ROOT");
    char path[1024];
    snprintf(path, sizeof path, "%s/test/golden/help-%s.txt", source ? source : ".", name);
    for (char *at = strstr(path, "help-"); *at; at++)
        if (*at == ' ')
            *at = '-';
    if (getenv("LASTLIGHT_UPDATE_GOLDEN")) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(text->bytes, 1, text->size, file), text->size);
        assert_int_equal(fclose(file), 0);
    }
    const char *expected = read_all(path);
    if (!expected)
        fail_msg("%s: cannot be read; LASTLIGHT_UPDATE_GOLDEN=1 makes it", path);
    assert_string_equal(text->bytes, expected);
}

static void test_help(void **state)
{
    (void)state;
    struct buffer text = {0};
    help_overview(&text);
    check_golden("overview", &text);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        buffer_clear(&text);
        help_command((enum command)i, &text);
        check_golden(command_row((enum command)i)->name, &text);
        for (const char *at = text.bytes; *at; at += strcspn(at, "\n") + 1)
            assert_true(strcspn(at, "\n") <= 80);
    }
    buffer_done(&text);
}

/* Every command and every option is in the manual and in each completion. */
static void test_complete(void **state)
{
    (void)state;
    static const char *const shells[] = {"bash", "zsh", "fish"};
    struct buffer man = {0};
    help_man(&man);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        char heading[64];
        snprintf(heading, sizeof heading, "\n.SS lastlight %s ",
                 command_row((enum command)i)->name);
        assert_non_null(strstr(man.bytes, heading));
    }
    for (size_t s = 0; s < COUNT(shells); s++) {
        struct buffer script = {0};
        struct why why;
        assert_int_equal(completion_script(shells[s], &script, &why), ERR_OK);
        for (int i = 0; i < OPTION_COUNT; i++)
            assert_non_null(strstr(script.bytes, option_row((enum option)i)->name));
        for (int i = 0; i < COMMAND_COUNT; i++) {
            const char *name = command_row((enum command)i)->name;
            char first[32] = {0};
            memcpy(first, name, strcspn(name, " "));
            assert_non_null(strstr(script.bytes, first));
        }
        buffer_done(&script);
    }
    buffer_done(&man);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_repeated),
        cmocka_unit_test(test_bad),    cmocka_unit_test(test_distance),
        cmocka_unit_test(test_help),   cmocka_unit_test(test_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
