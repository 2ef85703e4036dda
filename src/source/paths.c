#include "source/paths.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool path_is_url(const char *path)
{
    return strncasecmp(path, "http://", 7) == 0 || strncasecmp(path, "https://", 8) == 0;
}

static void add(struct paths *paths, struct folder_entry entry)
{
    paths->list = mem_grow(paths->list, &paths->capacity, paths->count + 1, sizeof *paths->list);
    paths->list[paths->count++] = entry;
}

static enum err add_path(struct paths *paths, const char *path, struct why *why)
{
    struct folder folder;
    enum err err = folder_read(path, &paths->arena, &folder, why);
    if (err)
        return err;
    if (folder.count == 0)
        return why_set(why, ERR_NOT_FOUND, "%s: there is no file in this folder", path);
    for (size_t i = 0; i < folder.count; i++)
        add(paths, folder.list[i]);
    return ERR_OK;
}

static enum err add_matches(struct paths *paths, const char *pattern, struct why *why)
{
    struct folder matches = {0};
    enum err err = folder_match(pattern, &paths->arena, &matches, why);
    for (size_t i = 0; !err && i < matches.count; i++)
        err = add_path(paths, matches.list[i].path, why);
    return err;
}

/* A file may have a name that looks like a pattern: what is there goes first. */
static enum err add_named(struct paths *paths, const char *named, struct why *why)
{
    if (strcmp(named, "-") == 0) {
        add(paths, (struct folder_entry){.path = "-"});
        return ERR_OK;
    }
    if (path_is_url(named)) {
        add(paths, (struct folder_entry){.path = arena_copy(&paths->arena, named, strlen(named))});
        return ERR_OK;
    }
    enum err err = add_path(paths, named, why);
    if (err == ERR_NOT_FOUND && strpbrk(named, "*?["))
        err = add_matches(paths, named, why);
    return err;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum err check_once(const struct paths *paths, struct why *why)
{
    enum err err = ERR_OK;
    const char **sorted = mem_new(paths->count + 1, sizeof *sorted);
    for (size_t i = 0; i < paths->count; i++)
        sorted[i] = paths->list[i].path;
    qsort(sorted, paths->count, sizeof *sorted, by_path);
    for (size_t i = 1; i < paths->count && !err; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            err = why_set(why, ERR_USAGE, "%s: named twice; once is enough",
                          strcmp(sorted[i], "-") == 0 ? "standard input (-)" : sorted[i]);
    free(sorted);
    return err;
}

enum err paths_gather(const char *const *named, size_t count, struct paths *out, struct why *why)
{
    struct paths paths = {0};
    enum err err = ERR_OK;
    for (size_t i = 0; i < count && !err; i++)
        err = add_named(&paths, named[i], why);
    if (!err)
        err = check_once(&paths, why);
    if (err)
        paths_done(&paths);
    else
        *out = paths;
    return err;
}

void paths_done(struct paths *paths)
{
    free(paths->list);
    arena_done(&paths->arena);
    *paths = (struct paths){0};
}
