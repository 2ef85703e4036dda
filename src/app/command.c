#include "app/command.h"

#include "sys/output.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Looking at a journal must not fail because the configuration does. */
static const char *journal_here(struct arena *arena)
{
    static const char usual[] = "lastlight.db";
    struct config config;
    struct buffer faults = {0};
    struct why why;
    enum err err = config_load(COMMAND_CONFIG_FILE, &config, &faults, &why);
    buffer_done(&faults);
    if (err) {
        if (err != ERR_NOT_FOUND)
            command_say("%s; which journal it names is not known, this looks for %s", why.text,
                        usual);
        return usual;
    }
    const char *path = arena_copy(arena, config.journal, strlen(config.journal));
    config_done(&config);
    return path;
}

const char *command_journal(const struct options *options, const struct config *config,
                            struct arena *arena)
{
    const char *given = options_get(options, OPTION_JOURNAL);
    return given ? given : config ? config->journal : journal_here(arena);
}

static enum format format_of(const struct options *options)
{
    const char *format = options_get(options, OPTION_FORMAT);
    if (options_has(options, OPTION_JSON) || (format && strcmp(format, "json") == 0))
        return FORMAT_JSON;
    return format && strcmp(format, "md") == 0 ? FORMAT_MARKDOWN : FORMAT_TEXT;
}

struct style command_style(const struct options *options)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    bool is_screen = stdout_is_terminal() && !options_get(options, OPTION_OUTPUT);
    bool is_plain = (no_color && *no_color) || (terminal && strcmp(terminal, "dumb") == 0);
    int columns = is_screen ? stdout_columns() : 80;
    /* Lines longer than this are hard to read, however wide the window is. */
    int widest = 100;
    return (struct style){.format = format_of(options),
                          .colour = is_screen && !is_plain,
                          .width = columns < widest ? columns : widest};
}

void command_say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    flockfile(stderr);
    fputs("lastlight: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    funlockfile(stderr);
    va_end(args);
}

int command_fail(const struct why *why)
{
    if (why->err == ERR_CLOSED)
        return EXIT_DONE;
    command_say("%s", why->text);
    return why->err == ERR_USAGE || why->err == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}

int command_config(const char *path, struct config *out)
{
    struct buffer faults = {0};
    struct why why;
    enum err err = config_load(path, out, &faults, &why);
    int status = !err ? EXIT_DONE : err == ERR_CONFIG ? EXIT_USAGE : command_fail(&why);
    if (err == ERR_CONFIG)
        fputs(faults.bytes, stderr);
    buffer_done(&faults);
    return status;
}

enum err command_pipeline(const char *path, struct pipeline **out, struct why *why)
{
    enum err err = pipeline_open(path, out, why);
    uint64_t damaged = err ? 0 : pipeline_counters(*out).damaged;
    if (damaged)
        command_say("%s: %" PRIu64 " observations are damaged and were not judged again; "
                    "'lastlight db check' names them",
                    path, damaged);
    return err;
}

int command_print(const struct options *options, struct buffer *result)
{
    const char *path = options_get(options, OPTION_OUTPUT);
    struct output *output;
    struct why why;
    enum err err = output_open(path ? path : "-", &output, &why);
    if (!err) {
        err = output_write(output, result->bytes, result->size, &why);
        err = output_close(output, err, &why);
    }
    buffer_done(result);
    return err ? command_fail(&why) : EXIT_DONE;
}
