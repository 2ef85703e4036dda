#include "app/country_source.h"

#include "app/progress.h"
#include "base/mem.h"
#include "source/paths.h"

#include <stdlib.h>

enum err country_source_load(const char *const *named, size_t count, struct stream_faults *faults,
                             struct countries **out, struct why *why)
{
    struct paths paths = {0};
    *out = NULL;
    if (!count)
        return ERR_OK;
    if (paths_gather(named, count, &paths, why))
        return why->err;
    const char **list = mem_new(paths.count, sizeof *list);
    for (size_t i = 0; i < paths.count; i++)
        list[i] = paths.list[i].path;
    *out = countries_load(list, paths.count, faults, why);
    free(list);
    paths_done(&paths);
    return *out ? ERR_OK : why->err;
}

static void tell_fault(void *context, const char *fault)
{
    progress_fault(context, fault);
}

enum err country_source_open(const struct table_config *table, struct countries **out,
                             struct why *why)
{
    struct progress progress;
    struct stream_faults faults = {.report = tell_fault, .context = &progress};
    progress_init(&progress, "lines");
    enum err err = country_source_load(table->countries, table->country_count, &faults, out, why);
    progress_end(&progress);
    return err;
}
