#include "sys/folder.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err say(const char *path, struct why *why)
{
    enum err err = errno == ENOENT ? ERR_NOT_FOUND : errno == EACCES ? ERR_DENIED : ERR_IO;
    return why_set(why, err, "%s: cannot be read: %s", path, strerror(errno));
}

static int by_path(const void *a, const void *b)
{
    const struct folder_entry *x = a, *y = b;
    return strcmp(x->path, y->path);
}

/* A file may vanish between being listed and being looked at: it is then left out. */
static enum err add_entries(DIR *dir, const char *path, struct arena *arena, struct folder *out,
                            size_t *capacity, struct why *why)
{
    size_t n = strlen(path);
    const char *slash = n && path[n - 1] == '/' ? "" : "/";
    for (const struct dirent *entry; (entry = readdir(dir));) {
        struct stat status;
        const char *full = arena_printf(arena, "%s%s%s", path, slash, entry->d_name);
        if (entry->d_name[0] == '.' || stat(full, &status) != 0 || !S_ISREG(status.st_mode))
            continue;
        if (out->count == FOLDER_MAX)
            return why_set(why, ERR_LIMIT, "%s: holds more than %d files; read it in parts", path,
                           FOLDER_MAX);
        out->list = mem_grow(out->list, capacity, out->count + 1, sizeof *out->list);
        out->list[out->count++] = (struct folder_entry){full, (uint64_t)status.st_size};
    }
    return ERR_OK;
}

/* Moves the list from the heap, where it grew, into the arena. */
static void keep(struct folder *folder, struct arena *arena, struct folder *out)
{
    struct folder_entry *list = arena_alloc(arena, (folder->count + 1) * sizeof *list);
    if (folder->count) {
        qsort(folder->list, folder->count, sizeof *folder->list, by_path);
        memcpy(list, folder->list, folder->count * sizeof *list);
    }
    *out = (struct folder){list, folder->count};
}

enum err folder_read(const char *path, struct arena *arena, struct folder *out, struct why *why)
{
    struct folder folder = {0};
    struct stat status;
    size_t capacity = 0;
    if (stat(path, &status) != 0)
        return say(path, why);
    if (!S_ISDIR(status.st_mode)) {
        struct folder_entry self = {arena_copy(arena, path, strlen(path)),
                                    S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0};
        folder = (struct folder){&self, 1};
        keep(&folder, arena, out);
        return ERR_OK;
    }
    DIR *dir = opendir(path);
    if (!dir)
        return say(path, why);
    enum err err = add_entries(dir, path, arena, &folder, &capacity, why);
    closedir(dir);
    if (!err)
        keep(&folder, arena, out);
    free(folder.list);
    return err;
}

/* Whatever cannot be read on the way does not match. */
enum err folder_match(const char *pattern, struct arena *arena, struct folder *out, struct why *why)
{
    glob_t found = {0};
    struct folder folder = {0};
    size_t capacity = 0;
    enum err err = ERR_OK;
    int failed = glob(pattern, GLOB_NOSORT, NULL, &found);
    if (failed == GLOB_NOSPACE || found.gl_pathc > FOLDER_MAX)
        err = why_set(why, ERR_LIMIT, "%s: matches more than %d files; read them in parts", pattern,
                      FOLDER_MAX);
    else if (failed)
        err = why_set(why, ERR_NOT_FOUND, "%s: no file matches this pattern", pattern);
    for (size_t i = 0; !err && i < found.gl_pathc; i++) {
        const char *path = arena_copy(arena, found.gl_pathv[i], strlen(found.gl_pathv[i]));
        folder.list = mem_grow(folder.list, &capacity, folder.count + 1, sizeof *folder.list);
        folder.list[folder.count++] = (struct folder_entry){.path = path};
    }
    if (!err)
        keep(&folder, arena, out);
    free(folder.list);
    globfree(&found);
    return err;
}

bool file_is_there(const char *path)
{
    return access(path, F_OK) == 0;
}
