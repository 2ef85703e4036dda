#include "app/live_bins.h"

#include "app/command.h"

static void say(void *context, const char *text)
{
    (void)context;
    command_say("%s", text);
}

enum err live_bins_start(struct live_bins *bins, const struct config *config,
                         const struct countries *countries, const struct sink *sink,
                         struct why *why)
{
    struct live_table_options options = {.countries = countries, .say = say};
    *bins = (struct live_bins){.sink = *sink};
    if (!config->table.is_wanted)
        return ERR_OK;
    bins->table = live_table_new(&options, why);
    if (!bins->table)
        return why->err;
    live_bins_watch(bins, config);
    return ERR_OK;
}

void live_bins_watch(struct live_bins *bins, const struct config *config)
{
    if (!bins->table)
        return;
    bin_teller_done(&bins->teller);
    bin_teller_init(&bins->teller, &bins->sink, config->subjects, config->subject_count);
    live_table_watch(bins->table, bins->teller.who, bins->teller.count);
}

const struct ear *live_bins_ear(const struct live_bins *bins)
{
    return bins->table ? live_table_ear(bins->table) : NULL;
}

static void tell(void *context, const struct bin_row *row)
{
    bin_teller_tell(context, row);
}

void live_bins_tick(struct live_bins *bins, struct utc now)
{
    if (!bins->table)
        return;
    live_table_tick(bins->table, now);
    live_table_take(bins->table, tell, &bins->teller);
}

void live_bins_stop(struct live_bins *bins)
{
    live_table_free(bins->table);
    bin_teller_done(&bins->teller);
    bins->table = NULL;
}
