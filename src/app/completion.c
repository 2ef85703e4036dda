/* Shell completion, made from options.def. Commands of two words complete word by word in bash; zsh
 * and fish get the same words. */
#include "app/options.h"

#include <string.h>

/* The words that may follow a command: its options and, where they are listed, its arguments. */
static void add_words(struct buffer *out, enum command command)
{
    for (int i = 0; i < OPTION_COUNT; i++)
        if (command_takes(command, (enum option)i))
            buffer_printf(out, " --%s", option_row((enum option)i)->name);
    const char *arguments = command_row(command)->arguments;
    for (const char *at = arguments; strchr(arguments, '|') && *at;) {
        size_t n = strcspn(at, "|");
        buffer_printf(out, " %.*s", (int)n, at);
        at += n + (at[n] == '|');
    }
    if (command == COMMAND_HELP)
        for (int i = 0; i < COMMAND_COUNT; i++)
            buffer_printf(out, " %s", command_row((enum command)i)->name);
}

/* First words of the commands, each once. */
static void add_commands(struct buffer *out)
{
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const char *name = command_row((enum command)i)->name;
        buffer_printf(out, "%s%.*s", i ? " " : "", (int)strcspn(name, " "), name);
    }
}

static void add_values(struct buffer *out, const char *values)
{
    for (; *values; values++)
        buffer_add(out, *values == '|' ? " " : values, 1);
}

static void bash_case(struct buffer *out, enum command command)
{
    const char *name = command_row(command)->name;
    size_t n = strcspn(name, " ");
    buffer_printf(out, "    %.*s) words=\"", (int)n, name);
    if (name[n])
        buffer_printf(out, "%s", name + n + 1);
    add_words(out, command);
    buffer_puts(out, "\" ;;\n");
}

/* One `case` arm for all options that take the same kind of value. */
static void bash_value(struct buffer *out, const struct option_row *row)
{
    if (!row->values)
        return;
    if (row->letter)
        buffer_printf(out, "    -%c|", row->letter);
    else
        buffer_puts(out, "    ");
    buffer_printf(out, "--%s) mapfile -t COMPREPLY < <(compgen -W \"", row->name);
    add_values(out, row->values);
    buffer_puts(out, "\" -- \"$current\"); return ;;\n");
}

static void completion_bash(struct buffer *out)
{
    buffer_puts(
        out,
        "# bash completion for lastlight\n"
        "_lastlight() {\n"
        "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words\n"
        "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
        "        mapfile -t COMPREPLY < <(compgen -W \"");
    add_commands(out);
    buffer_puts(out, "\" -- \"$current\")\n        return\n    fi\n"
                     "    case $previous in\n");
    for (int i = 0; i < OPTION_COUNT; i++)
        bash_value(out, option_row((enum option)i));
    buffer_puts(out, "    esac\n    case ${COMP_WORDS[1]} in\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        bash_case(out, (enum command)i);
    buffer_puts(out, "    esac\n"
                     "    # shellcheck disable=SC2086\n"
                     "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
                     "    # Nothing of ours fits: bash falls back on file names.\n"
                     "}\n"
                     "complete -o default -F _lastlight lastlight\n");
}

/* zsh and fish read descriptions in single quotes. */
static void add_quoted(struct buffer *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            buffer_puts(out, "'\\''");
        else if (*text == ':' || *text == '[' || *text == ']')
            buffer_puts(out, " ");
        else
            buffer_add(out, text, 1);
    }
}

static void zsh_option(struct buffer *out, const struct option_row *row)
{
    buffer_printf(out, " '--%s%s[", row->name, row->argument ? "=" : "");
    add_quoted(out, row->help);
    buffer_puts(out, "]");
    if (row->values) {
        buffer_printf(out, ":%s:(", row->argument);
        add_values(out, row->values);
        buffer_puts(out, ")");
    } else if (row->argument) {
        buffer_printf(out, ":%s:%s", row->argument,
                      strcmp(row->argument, "FILE") == 0  ? "_files"
                      : strcmp(row->argument, "DIR") == 0 ? "_files -/"
                                                          : " ");
    }
    buffer_puts(out, "'");
}

static void zsh_case(struct buffer *out, enum command command)
{
    const struct command_row *row = command_row(command);
    size_t n = strcspn(row->name, " ");
    buffer_printf(out, "    %.*s) _arguments", (int)n, row->name);
    for (int i = 0; i < OPTION_COUNT; i++)
        if (command_takes(command, (enum option)i))
            zsh_option(out, option_row((enum option)i));
    if (row->name[n])
        buffer_printf(out, " '1: :(%s)'", row->name + n + 1);
    if (strchr(row->arguments, '|')) {
        buffer_puts(out, " '1: :(");
        add_values(out, row->arguments);
        buffer_puts(out, ")'");
    } else if (command == COMMAND_HELP) {
        buffer_puts(out, " '1: :(");
        add_commands(out);
        buffer_puts(out, ")'");
    } else if (strstr(row->arguments, "FILE")) {
        buffer_puts(out, " '*:FILE:_files'");
    }
    buffer_puts(out, " ;;\n");
}

static void completion_zsh(struct buffer *out)
{
    buffer_puts(out, "#compdef lastlight\n"
                     "if (( CURRENT == 2 )); then\n"
                     "    local -a commands=(\n");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const struct command_row *row = command_row((enum command)i);
        buffer_printf(out, "        '%.*s:", (int)strcspn(row->name, " "), row->name);
        add_quoted(out, row->summary);
        buffer_puts(out, "'\n");
    }
    buffer_puts(out, "    )\n    _describe command commands\nelse\n"
                     "    local command=$words[2]\n"
                     "    shift words\n    (( CURRENT-- ))\n"
                     "    case $command in\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        zsh_case(out, (enum command)i);
    buffer_puts(out, "    esac\nfi\n");
}

static bool takes_path(const struct option_row *row)
{
    return strcmp(row->argument, "FILE") == 0 || strcmp(row->argument, "DIR") == 0;
}

static void fish_option(struct buffer *out, const char *command, const struct option_row *row)
{
    buffer_printf(out, "complete -c lastlight -n '__fish_seen_subcommand_from %s' -l %s", command,
                  row->name);
    if (row->letter)
        buffer_printf(out, " -s %c", row->letter);
    if (row->values) {
        buffer_puts(out, " -x -a '");
        add_values(out, row->values);
        buffer_puts(out, "'");
    } else if (row->argument) {
        buffer_puts(out, takes_path(row) ? " -r -F" : " -x");
    }
    buffer_puts(out, " -d '");
    add_quoted(out, row->help);
    buffer_puts(out, "'\n");
}

static void fish_command(struct buffer *out, enum command command)
{
    const struct command_row *row = command_row(command);
    int n = (int)strcspn(row->name, " ");
    char first[32] = {0};
    memcpy(first, row->name, (size_t)n < sizeof first ? (size_t)n : sizeof first - 1);
    buffer_printf(out, "complete -c lastlight -n __fish_use_subcommand -f -a %s -d '", first);
    add_quoted(out, row->summary);
    buffer_puts(out, "'\n");
    for (int i = 0; i < OPTION_COUNT; i++)
        if (command_takes(command, (enum option)i))
            fish_option(out, first, option_row((enum option)i));
    const char *words = row->name[n]                  ? row->name + n + 1
                        : strchr(row->arguments, '|') ? row->arguments
                                                      : NULL;
    if (!words)
        return;
    buffer_printf(out, "complete -c lastlight -n '__fish_seen_subcommand_from %s' -f -a '", first);
    add_values(out, words);
    buffer_puts(out, "'\n");
}

static void completion_fish(struct buffer *out)
{
    buffer_puts(out, "# fish completion for lastlight\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        fish_command(out, (enum command)i);
}

enum err completion_script(const char *shell, struct buffer *out, struct why *why)
{
    if (strcmp(shell, "bash") == 0)
        completion_bash(out);
    else if (strcmp(shell, "zsh") == 0)
        completion_zsh(out);
    else if (strcmp(shell, "fish") == 0)
        completion_fish(out);
    else
        return why_set(why, ERR_USAGE, "no completion for '%.40s'; expected bash, zsh or fish",
                       shell);
    return ERR_OK;
}
