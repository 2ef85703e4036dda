/* export: the journal as an observation log. */
#include "app/command.h"

#include "sys/output.h"

struct writing {
    struct output *output;
    struct why *why;
};

static enum err write_lines(void *context, const void *bytes, size_t n)
{
    struct writing *writing = context;
    return output_write(writing->output, bytes, n, writing->why);
}

int cmd_export(const struct options *options)
{
    struct why why = {0}, why_write = {0};
    struct journal *journal;
    struct arena arena = {0};
    enum err err =
        journal_open(command_journal(options, NULL, &arena), JOURNAL_READ, &journal, &why);
    arena_done(&arena);
    if (err)
        return command_fail(&why);
    const char *path = options_get(options, OPTION_OUTPUT);
    struct writing writing = {.why = &why_write};
    err = output_open(path ? path : "-", &writing.output, &why);
    if (!err) {
        err = out_log(journal, write_lines, &writing, &why);
        if (err && why_write.err)
            why = why_write;
        err = output_close(writing.output, err, &why);
    }
    journal_close(journal);
    return err ? command_fail(&why) : EXIT_DONE;
}
