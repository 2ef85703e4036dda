#include "app/options.h"

#include "app/suggest.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct option_row option_rows[OPTION_COUNT] = {
#define OPTION(constant, letter, name, argument, values, help)                                     \
    {letter, name, argument, values, help},
#include "app/options.def"
};

static_assert(OPTION_COUNT <= 128, "one bit each");
#define TAKES(constant) ((option_set)1 << OPTION_##constant)
static const struct command_row command_rows[COMMAND_COUNT] = {
#define COMMAND(constant, function, name, arguments, minimum, maximum, taken, summary, paragraph)  \
    {name, arguments, minimum, maximum, (taken) | TAKES(HELP), summary, paragraph},
#include "app/options.def"
};
#undef TAKES

const struct option_row *option_row(enum option option)
{
    return &option_rows[option];
}

const struct command_row *command_row(enum command command)
{
    return &command_rows[command];
}

bool command_takes(enum command command, enum option option)
{
    return command_rows[command].options >> option & 1;
}

static bool is_command(enum command command, const char *first, const char *second)
{
    const char *name = command_rows[command].name;
    size_t n = strlen(first);
    if (strncmp(name, first, n) != 0)
        return false;
    return name[n] == '\0' || (name[n] == ' ' && second && strcmp(name + n + 1, second) == 0);
}

enum command command_find(const char *first, const char *second, struct why *why)
{
    struct suggestion suggestion = suggestion_for(first, strlen(first));
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (is_command((enum command)i, first, second))
            return (enum command)i;
        suggestion_consider(&suggestion, command_rows[i].name);
        const char *space = strchr(command_rows[i].name, ' ');
        if (space && (size_t)(space - command_rows[i].name) == strlen(first) &&
            strncmp(command_rows[i].name, first, strlen(first)) == 0)
            suggestion.best = command_rows[i].name, suggestion.distance = 0;
    }
    if (suggestion.best)
        why_set(why, ERR_USAGE, "'%.60s' is not a command; did you mean '%s'?", first,
                suggestion.best);
    else
        why_set(why, ERR_USAGE, "'%.60s' is not a command; 'lastlight help' lists them", first);
    return COMMAND_COUNT;
}

static void add_value(struct options *options, enum option option, const char *text)
{
    options->values = mem_grow(options->values, &options->value_capacity, options->value_count + 1,
                               sizeof *options->values);
    options->values[options->value_count++] = (struct option_value){option, text};
}

static void add_argument(struct options *options, const char *text)
{
    options->arguments = mem_grow(options->arguments, &options->argument_capacity,
                                  options->argument_count + 1, sizeof *options->arguments);
    options->arguments[options->argument_count++] = text;
}

/* True if `word` is one of "a|b|c". */
static bool is_one_of(const char *values, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = values; at; at = strchr(at, '|')) {
        at += *at == '|';
        if (strncmp(at, word, n) == 0 && (at[n] == '\0' || at[n] == '|'))
            return true;
    }
    return false;
}

static enum err unknown_option(enum command command, const char *word, size_t n, struct why *why)
{
    const char *name = command_rows[command].name;
    struct suggestion suggestion = suggestion_for(word, n);
    for (int i = 0; i < OPTION_COUNT; i++)
        if (command_takes(command, (enum option)i))
            suggestion_consider(&suggestion, option_rows[i].name);
    if (suggestion.best)
        return why_set(why, ERR_USAGE, "'%s' has no option '--%.*s'; did you mean '--%s'?", name,
                       (int)(n > 60 ? 60 : n), word, suggestion.best);
    return why_set(why, ERR_USAGE,
                   "'%s' has no option '--%.*s'; 'lastlight help %s' lists what it takes", name,
                   (int)(n > 60 ? 60 : n), word, name);
}

/* Takes an option whose value, if it has one, is `attached` or the next word. */
static enum err take_option(struct options *options, enum option option, const char *attached,
                            char **argv, int argc, int *at, struct why *why)
{
    const struct option_row *row = &option_rows[option];
    if (!row->argument) {
        if (attached)
            return why_set(why, ERR_USAGE, "'--%s' takes no value, found '%.60s'", row->name,
                           attached);
        add_value(options, option, NULL);
        return ERR_OK;
    }
    if (!attached && *at + 1 >= argc)
        return why_set(why, ERR_USAGE, "'--%s' needs a value: --%s %s", row->name, row->name,
                       row->argument);
    const char *text = attached ? attached : argv[++*at];
    if (!*text)
        return why_set(why, ERR_USAGE, "'--%s' is given an empty value; expected %s", row->name,
                       row->argument);
    if (row->values && !is_one_of(row->values, text))
        return why_set(why, ERR_USAGE, "'--%s' takes one of %s, found '%.60s'", row->name,
                       row->values, text);
    add_value(options, option, text);
    return ERR_OK;
}

static enum err take_long(struct options *options, char **argv, int argc, int *at, struct why *why)
{
    const char *word = argv[*at] + 2;
    const char *equals = strchr(word, '=');
    size_t n = equals ? (size_t)(equals - word) : strlen(word);
    for (int i = 0; i < OPTION_COUNT; i++)
        if (command_takes(options->command, (enum option)i) && strlen(option_rows[i].name) == n &&
            memcmp(option_rows[i].name, word, n) == 0)
            return take_option(options, (enum option)i, equals ? equals + 1 : NULL, argv, argc, at,
                               why);
    return unknown_option(options->command, word, n, why);
}

static enum err take_short(struct options *options, char **argv, int argc, int *at, struct why *why)
{
    const char *word = argv[*at];
    for (int i = 0; i < OPTION_COUNT; i++)
        if (option_rows[i].letter == word[1] && command_takes(options->command, (enum option)i))
            return take_option(options, (enum option)i, word[2] ? word + 2 : NULL, argv, argc, at,
                               why);
    const char *name = command_rows[options->command].name;
    return why_set(why, ERR_USAGE,
                   "'%s' has no option '-%c'; 'lastlight help %s' lists what it takes", name,
                   word[1], name);
}

static enum err take_words(struct options *options, char **argv, int argc, int at, struct why *why)
{
    bool is_ended = false;
    for (; at < argc; at++) {
        const char *word = argv[at];
        enum err err = ERR_OK;
        if (is_ended || word[0] != '-' || word[1] == '\0')
            add_argument(options, word);
        else if (strcmp(word, "--") == 0)
            is_ended = true;
        else if (word[1] == '-')
            err = take_long(options, argv, argc, &at, why);
        else
            err = take_short(options, argv, argc, &at, why);
        if (err)
            return err;
    }
    return ERR_OK;
}

static enum err check_arguments(const struct options *options, struct why *why)
{
    const struct command_row *row = &command_rows[options->command];
    if (options_has(options, OPTION_HELP))
        return ERR_OK;
    if (options->argument_count < row->minimum)
        return why_set(why, ERR_USAGE, "'%s' needs an argument: lastlight %s %s", row->name,
                       row->name, row->arguments);
    if (options->argument_count > row->maximum)
        return why_set(why, ERR_USAGE, "'%s' takes %s, found '%.60s'", row->name,
                       row->maximum ? row->arguments : "no arguments",
                       options->arguments[row->maximum]);
    if (row->minimum && strchr(row->arguments, '|') &&
        !is_one_of(row->arguments, options->arguments[0]))
        return why_set(why, ERR_USAGE, "'%s' takes one of %s, found '%.60s'", row->name,
                       row->arguments, options->arguments[0]);
    return ERR_OK;
}

/* The command and the number of words of argv that it takes up. */
static enum err take_command(int argc, char **argv, struct options *out, int *at, struct why *why)
{
    const char *first = argc > 1 ? argv[1] : "help";
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0)
        first = "help";
    else if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0)
        first = "version";
    else if (first[0] == '-')
        return why_set(why, ERR_USAGE,
                       "expected a command before '%.60s': lastlight COMMAND [OPTION...]; "
                       "'lastlight help' lists the commands",
                       first);
    out->command = command_find(first, argc > 2 ? argv[2] : NULL, why);
    if (out->command == COMMAND_COUNT)
        return ERR_USAGE;
    *at = strchr(command_rows[out->command].name, ' ') ? 3 : 2;
    return ERR_OK;
}

enum err options_parse(int argc, char **argv, struct options *out, struct why *why)
{
    struct options options = {0};
    int at = 0;
    enum err err = take_command(argc, argv, &options, &at, why);
    if (!err)
        err = take_words(&options, argv, argc, at, why);
    if (!err)
        err = check_arguments(&options, why);
    if (err)
        options_done(&options);
    else
        *out = options;
    return err;
}

void options_done(struct options *options)
{
    free(options->values);
    free(options->arguments);
    *options = (struct options){0};
}

bool options_has(const struct options *options, enum option option)
{
    for (size_t i = 0; i < options->value_count; i++)
        if (options->values[i].option == option)
            return true;
    return false;
}

const char *options_get(const struct options *options, enum option option)
{
    assert(option_rows[option].argument);
    for (size_t i = options->value_count; i-- > 0;)
        if (options->values[i].option == option)
            return options->values[i].text;
    return NULL;
}

const char *options_next(const struct options *options, enum option option, size_t *at)
{
    while (*at < options->value_count) {
        const struct option_value *value = &options->values[(*at)++];
        if (value->option == option)
            return value->text;
    }
    return NULL;
}
