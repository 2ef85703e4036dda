/* The regular files of a folder, or of a pattern, in order of name, so that every run sees them in the
 * same order. */
#ifndef SYS_FOLDER_H
#define SYS_FOLDER_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct folder_entry {
    const char *path; /* with the folder's */
    uint64_t size;
};

struct folder {
    struct folder_entry *list; /* in the arena; ends with an entry whose path is NULL */
    size_t count;
};

enum { FOLDER_MAX = 100 * 1000 };

/* A path that is no folder is a list of itself. Hidden files, folders within and whatever else is
 * not a regular file are left out. ERR_NOT_FOUND, ERR_DENIED, ERR_LIMIT (more than FOLDER_MAX) or
 * ERR_IO. */
enum err folder_read(const char *path, struct arena *arena, struct folder *out, struct why *why);

/* False also where it may not be looked. */
bool file_is_there(const char *path);

/* What a shell's pattern matches, files and folders, in order of name, their sizes not looked at.
 * ERR_NOT_FOUND if nothing does; else as above. */
enum err folder_match(const char *pattern, struct arena *arena, struct folder *out,
                      struct why *why);

#endif
