/* What the user names becomes a list of files: a file is itself, a folder its files in order of name, a
 * pattern that the shell did not expand ("2022-01/updates.*.gz") what it matches, "-" standard input.
 * A URL stays what it is: its reader fetches it (route_files.h).
 *
 *     struct paths paths;
 *     if (paths_gather(named, count, &paths, &why)) ...
 *     for (size_t i = 0; i < paths.count; i++) ... paths.list[i].path
 *     paths_done(&paths); */
#ifndef SOURCE_PATHS_H
#define SOURCE_PATHS_H

#include "sys/folder.h"

#include <stdbool.h>

struct paths {
    struct folder_entry *list; /* in the order in which they were named */
    size_t count, capacity;
    struct arena arena; /* of the texts */
};

/* http:// or https:// */
bool path_is_url(const char *path);

/* ERR_USAGE if a file is named twice: it would count twice, and standard input has nothing left the
 * second time. Others if one is not there or cannot be read. On failure there is nothing to free. */
enum err paths_gather(const char *const *named, size_t count, struct paths *out, struct why *why);
void paths_done(struct paths *paths);

#endif
