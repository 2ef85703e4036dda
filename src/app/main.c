/* lastlight: which light went out first, and what does that say about why? */
#include "app/command.h"

#include "sys/output.h"

#include <string.h>

static int (*const commands[COMMAND_COUNT])(const struct options *) = {
#define COMMAND(constant, function, name, arguments, minimum, maximum, taken, summary, paragraph)  \
    function,
#include "app/options.def"
};

int main(int argc, char **argv)
{
    struct options options;
    struct why why;
    output_hold_standard();
    output_ignore_closed_pipes();
    if (options_parse(argc, argv, &options, &why)) {
        command_say("%s", why.text);
        /* To a monitoring system, 2 would be that the group is dark. */
        return argc > 1 && strcmp(argv[1], "check") == 0 ? EXIT_UNKNOWN : EXIT_USAGE;
    }
    int status;
    if (options_has(&options, OPTION_HELP)) {
        struct buffer text = {0};
        help_command(options.command, &text);
        status = command_print(&options, &text);
    } else {
        status = commands[options.command](&options);
    }
    options_done(&options);
    return status;
}
