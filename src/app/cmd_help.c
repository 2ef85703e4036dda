/* help, version, completion: what the program says about itself. */
#include "app/command.h"

#include "core/core.h"
#include "store/journal.h"

int cmd_help(const struct options *options)
{
    struct buffer text = {0};
    if (options_has(options, OPTION_MAN)) {
        help_man(&text);
    } else if (options->argument_count) {
        struct why why;
        const char *second = options->argument_count > 1 ? options->arguments[1] : NULL;
        enum command command = command_find(options->arguments[0], second, &why);
        if (command == COMMAND_COUNT)
            return command_fail(&why);
        help_command(command, &text);
    } else {
        help_overview(&text);
    }
    return command_print(options, &text);
}

int cmd_version(const struct options *options)
{
    struct buffer text = {0};
    if (options_has(options, OPTION_JSON))
        buffer_printf(&text, "{\"version\":\"%s\",\"rules\":%d,\"journal\":%d}\n",
                      LASTLIGHT_VERSION, RULES_VERSION, JOURNAL_SCHEMA);
    else
        buffer_printf(&text, "lastlight %s (rules %d, journal %d)\n", LASTLIGHT_VERSION,
                      RULES_VERSION, JOURNAL_SCHEMA);
    return command_print(options, &text);
}

int cmd_completion(const struct options *options)
{
    struct buffer script = {0};
    struct why why;
    if (completion_script(options->arguments[0], &script, &why))
        return command_fail(&why);
    return command_print(options, &script);
}
