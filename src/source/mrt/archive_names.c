#include "source/mrt/archive_names.h"

#include "source/web/collector_site.h"

#include <string.h>

/* Clocks of collectors are about right, and the first record comes soon: of 107 archives of both projects
 * the latest had it after 51 s. */
#define EARLY_NS NS_PER_MINUTE
#define LATE_NS (5 * NS_PER_MINUTE)

/* The length of the folder in a path, with its slash. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

static bool parse(const char *path, struct site_name *out)
{
    const char *name = path + folder_length(path);
    return site_name_parse(name, strlen(name), out);
}

bool archive_names_time(const struct archive_names *names, const char *path, struct utc *out)
{
    struct site_name name, known;
    size_t folder = folder_length(path);
    if (!names->path || !names->is_true || !parse(path, &name) || !parse(names->path, &known))
        return false;
    if (name.kind != known.kind || folder != folder_length(names->path) ||
        memcmp(path, names->path, folder) != 0)
        return false;
    *out = utc_add(name.time, -EARLY_NS);
    return true;
}

void archive_names_learn(struct archive_names *names, const char *path, struct utc first)
{
    struct site_name name;
    int64_t after = parse(path, &name) ? utc_diff(first, name.time) : INT64_MAX;
    names->path = path;
    names->is_true = after >= -EARLY_NS && after <= LATE_NS;
}
