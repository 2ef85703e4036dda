/* The subcommands. Each takes the parsed command line and returns the exit status; what it finds
 * goes to standard output, what it has to say to standard error. */
#ifndef APP_COMMAND_H
#define APP_COMMAND_H

#include "app/config/config.h"
#include "app/options.h"
#include "app/pipeline.h"
#include "base/buffer.h"
#include "base/err.h"
#include "out/out.h"

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_UNKNOWN = 3 };

#define COMMAND(constant, function, name, arguments, minimum, maximum, taken, summary, paragraph)  \
    int function(const struct options *options);
#include "app/options.def"

/* The file of the configuration that is used if -c names no other. */
#define COMMAND_CONFIG_FILE "lastlight.yaml"

/* The file that -j names, else the one that `config` names, or if that is NULL, the configuration
 * in the current folder if there is one; else lastlight.db. `run` and those who look thus find the
 * same. */
const char *command_journal(const struct options *options, const struct config *config,
                            struct arena *arena);
/* How results are to be written: --json, -f, colour on a terminal unless NO_COLOR is set. */
struct style command_style(const struct options *options);

/* "lastlight: TEXT" on standard error. */
void command_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Tells a failure and gives its exit status. A reader that went away is not told: it wanted no
 * more. */
int command_fail(const struct why *why);
/* Reads a configuration. Tells every fault in it and gives the exit status; `out` is then empty. */
int command_config(const char *path, struct config *out);
/* pipeline_open(), telling what of the journal could not be read for it. */
enum err command_pipeline(const char *path, struct pipeline **out, struct why *why);
/* Writes a result to the file that -o names, or to standard output; frees it. */
int command_print(const struct options *options, struct buffer *result);

#endif
