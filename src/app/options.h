/* The command line: what options.def declares, parsed.
 *
 *     struct options options;
 *     if (options_parse(argc, argv, &options, &why)) ... exit status 2
 *     const char *journal = options_get(&options, OPTION_JOURNAL);
 *
 * Long options take their value as --name=VALUE or --name VALUE, short ones as -nVALUE or -n VALUE;
 * options and arguments may stand in any order after the command; "--" ends the options. Texts are
 * argv's own. */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include "base/buffer.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option {
#define OPTION(constant, letter, name, argument, values, help) OPTION_##constant,
#include "app/options.def"
    OPTION_COUNT
};

enum command {
#define COMMAND(constant, function, name, arguments, minimum, maximum, taken, summary, paragraph)  \
    COMMAND_##constant,
#include "app/options.def"
    COMMAND_COUNT
};

struct option_row {
    char letter;
    const char *name;
    const char *argument;
    const char *values;
    const char *help;
};

/* A bit for each option. */
__extension__ typedef unsigned __int128 option_set;

struct command_row {
    const char *name;
    const char *arguments;
    unsigned minimum, maximum;
    option_set options; /* bits by enum option */
    const char *summary;
    const char *paragraph;
};

const struct option_row *option_row(enum option option);
const struct command_row *command_row(enum command command);
bool command_takes(enum command command, enum option option);
/* The command of this name, which may be of two words; COMMAND_COUNT and a reason if there is none.
 */
enum command command_find(const char *first, const char *second, struct why *why);

struct option_value {
    enum option option;
    const char *text; /* NULL for a flag */
};

struct options {
    enum command command;
    struct option_value *values;
    size_t value_count, value_capacity;
    const char **arguments;
    size_t argument_count, argument_capacity;
};

/* ERR_USAGE with a reason. No arguments at all, --help and --version become the commands help and
 * version. */
enum err options_parse(int argc, char **argv, struct options *out, struct why *why);
void options_done(struct options *options);

bool options_has(const struct options *options, enum option option);
/* The last value that was given, NULL if none. */
const char *options_get(const struct options *options, enum option option);
/* Values of an option that may be repeated, one after the other: start with *at = 0; NULL at the
 * end. */
const char *options_next(const struct options *options, enum option option, size_t *at);

/* For people: all commands; one command with its options; the manual page; a completion script. */
void help_overview(struct buffer *out);
void help_command(enum command command, struct buffer *out);
void help_man(struct buffer *out);
const char *help_config_example(void); /* as the manual shows it */
enum err completion_script(const char *shell, struct buffer *out, struct why *why);

#endif
