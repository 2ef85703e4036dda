/* A copy of a file of the web in a folder of ours. What is under way lies beside its place, in a hidden
 * file, and is moved there when it is complete: nobody ever sees half of one, and what was cut off (by a
 * signal, a full disk, a lost line) is gone on with later. A note beside each says where it came from.
 *
 *     updates.20220207.0530.gz              complete
 *     .updates.20220207.0530.gz.note        its URL, size, ETag, Last-Modified, when it was last asked for
 *     .updates.20220207.0530.gz.part        under way; locked by whoever fetches it (flock)
 *     .updates.20220207.0530.gz.part.note   of what version it is a part
 *
 * Hidden, so that the folder can be read as a folder of archives like any other. */
#ifndef SYS_CACHE_FILE_H
#define SYS_CACHE_FILE_H

#include "base/buffer.h"
#include "base/err.h"
#include "base/utc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CACHE_PATH_MAX = 2048, CACHE_NAME_MAX = 200, CACHE_URL_MAX = 1024, CACHE_TEXT_MAX = 256 };

/* Where the copy of a URL has its place in the folder: FOLDER/HOST[:PORT]/PATH. Bytes that could
 * mislead stand there as %XX; a URL that ends in a slash is the file ".index.html", hidden, too.
 * ERR_USAGE if it is no http:// or https:// URL, has a user name in it, or is too long for a path. */
enum err cache_file_path(const char *folder, const char *url, char out[CACHE_PATH_MAX],
                         struct why *why);

struct cache_note {
    char url[CACHE_URL_MAX];
    char etag[CACHE_TEXT_MAX], modified[CACHE_TEXT_MAX]; /* "" if the server gave none */
    uint64_t size;
    struct utc changed; /* Last-Modified, or when it was first fetched */
    struct utc checked; /* when the server last said that this is what it has */
};

/* As a text, a line for each member; and back. */
void cache_note_format(const struct cache_note *note, struct buffer *out);
bool cache_note_parse(const char *text, size_t n, struct cache_note *out);

/* The note of a complete file; false if there is no such file, or no note that fits it. */
bool cache_note_read(const char *path, struct cache_note *out);
/* Whether a file without any note lies there: one that somebody else put there, and answers for. */
bool cache_file_is_foreign(const char *path, uint64_t *size);
/* Notes that the server was asked again, and still has the same. */
enum err cache_note_write(const char *path, const struct cache_note *note, struct why *why);

/* A file under way, locked. */
struct cache_part;

/* Makes the folders too. ERR_BUSY if somebody else is fetching it. */
enum err cache_part_open(const char *path, struct cache_part **out, struct why *why);
/* How much of which version is there; 0 if it is not known of which. */
uint64_t cache_part_size(const struct cache_part *part);
const struct cache_note *cache_part_note(const struct cache_part *part);
/* Begins anew, with another version. */
enum err cache_part_begin(struct cache_part *part, const struct cache_note *note, struct why *why);
enum err cache_part_add(struct cache_part *part, const void *bytes, size_t n, struct why *why);
/* Its first bytes, to see what it is; returns how many. */
size_t cache_part_head(const struct cache_part *part, void *bytes, size_t n);
/* Puts it in its place, with its note; size, changed and checked must be set. Closes it in any case. */
enum err cache_part_finish(struct cache_part *part, const struct cache_note *note, struct why *why);
/* Leaves it for later; NULL is fine. */
void cache_part_close(struct cache_part *part);
/* Gives it up: it takes no more room. NULL is fine. */
void cache_part_drop(struct cache_part *part);

/* Adds what is in a file, up to `max` bytes of it. */
enum err cache_file_load(const char *path, size_t max, struct buffer *out, struct why *why);

#endif
