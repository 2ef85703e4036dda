/* run: the daemon, or a look at what it would do. */
#include "app/command.h"
#include "app/config/config.h"
#include "app/daemon.h"

static int dry_run(const struct options *options, const struct config *config)
{
    struct buffer text = {0};
    for (size_t i = 0; i < config->warning_count; i++)
        command_say("%s", config->warnings[i]);
    config_dry_run(config, options_has(options, OPTION_JSON), &text);
    return command_print(options, &text);
}

static int check(const struct options *options, struct config *config)
{
    struct buffer text = {0};
    const char *journal = options_get(options, OPTION_JOURNAL);
    if (journal)
        config->journal = journal;
    config_describe(config, options_has(options, OPTION_JSON), &text);
    return command_print(options, &text);
}

int cmd_run(const struct options *options)
{
    const char *path = options_get(options, OPTION_CONFIG);
    struct config config;
    int status = command_config(path ? path : COMMAND_CONFIG_FILE, &config);
    if (status)
        return status;
    config.cache = options_get(options, OPTION_CACHE);
    if (options_has(options, OPTION_CHECK))
        status = check(options, &config);
    else if (options_has(options, OPTION_DRY_RUN))
        status = dry_run(options, &config);
    else
        status = daemon_run(&config, options_get(options, OPTION_JOURNAL));
    config_done(&config);
    return status;
}
