#include "sys/cache_file.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOTE_MAX = 8 * 1024 };

struct cache_part {
    int fd;
    uint64_t size;
    struct cache_note note; /* of the version that it is a part of; url "" if that is not known */
    char path[CACHE_PATH_MAX], its_note[CACHE_PATH_MAX];
    char part[CACHE_PATH_MAX], part_note[CACHE_PATH_MAX];
};

static enum err say(const char *path, const char *what, struct why *why)
{
    if (errno == ENOSPC || errno == EDQUOT)
        return why_set(why, ERR_FULL,
                       "%s: no space left for the copies of archives; free some, or name another "
                       "folder with --cache",
                       path);
    if (errno == EACCES || errno == EPERM || errno == EROFS)
        return why_set(why, ERR_DENIED, "%s: %s: %s; name another folder with --cache", path, what,
                       strerror(errno));
    return why_set(why, ERR_IO, "%s: %s: %s", path, what, strerror(errno));
}

/* Paths. */

/* What may stand in a path as it is. A dot that begins a name would hide it or lead elsewhere. */
static bool is_plain(char c, bool is_first)
{
    if (c == '.')
        return !is_first;
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-_~+=,@%", c));
}

static void add_plain(struct buffer *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_plain(text[i], i == 0))
            buffer_add(out, &text[i], 1);
        else
            buffer_printf(out, "%%%02X", (unsigned char)text[i]);
    }
}

/* "HOST" or "HOST:PORT"; of an address of IPv6 the brackets are kept. */
static void add_host(struct buffer *out, const char *host, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = host[i] >= 'A' && host[i] <= 'Z' ? (char)(host[i] - 'A' + 'a') : host[i];
        if (is_plain(c, i == 0) || strchr(":[]", c))
            buffer_add(out, &c, 1);
        else
            buffer_printf(out, "%%%02X", (unsigned char)c);
    }
}

/* Adds "/NAME" for each part of the path, and the index page's where it ends in a slash; false if one is
 * too long for a file's name. What follows a # is a place within the file, and is not sent either. */
static bool add_names(struct buffer *out, const char *path)
{
    const char *end = path + strcspn(path, "#");
    bool has_name = false;
    do {
        path += strspn(path, "/");
        size_t n = strcspn(path, "/#"), before = out->size;
        has_name = n > 0;
        buffer_puts(out, has_name ? "/" : "/.index.html");
        add_plain(out, path, n);
        if (out->size - before > CACHE_NAME_MAX)
            return false;
        path += n;
    } while (has_name && path < end);
    return true;
}

static bool make_path(const char *folder, const char *host, struct buffer *out)
{
    size_t n = strcspn(host, "/?#");
    if (!n || memchr(host, '@', n))
        return false;
    buffer_printf(out, "%s/", folder);
    add_host(out, host, n);
    return add_names(out, host + n) && out->size < CACHE_PATH_MAX - 16;
}

enum err cache_file_path(const char *folder, const char *url, char out[CACHE_PATH_MAX],
                         struct why *why)
{
    struct buffer path = {0};
    size_t scheme = strncasecmp(url, "http://", 7) == 0    ? 7
                    : strncasecmp(url, "https://", 8) == 0 ? 8
                                                           : 0;
    bool is_fine = scheme && strlen(url) < CACHE_URL_MAX && make_path(folder, url + scheme, &path);
    if (is_fine)
        memcpy(out, path.bytes, path.size + 1);
    buffer_done(&path);
    if (is_fine)
        return ERR_OK;
    return why_set(why, ERR_USAGE,
                   "'%.200s' is not a URL that can be fetched; expected http://HOST/PATH or "
                   "https://HOST/PATH, without a user name",
                   url);
}

/* PATH's folder, then ".NAME", then the ending. */
static void beside(const char *path, const char *ending, char out[CACHE_PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash + 1 - path) : 0;
    snprintf(out, CACHE_PATH_MAX, "%.*s.%s%s", (int)n, path, path + n, ending);
}

static enum err make_folders(const char *path, struct why *why)
{
    char folder[CACHE_PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    for (char *at = strchr(folder + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(folder, 0777) != 0 && errno != EEXIST)
            return say(folder, "cannot be made", why);
        *at = '/';
    }
    return ERR_OK;
}

/* Notes: a line for each member, its name, a space and its value. */

void cache_note_format(const struct cache_note *note, struct buffer *out)
{
    char changed[UTC_TEXT_MAX], checked[UTC_TEXT_MAX];
    buffer_printf(out, "url %s\nsize %llu\netag %s\nmodified %s\nchanged %s\nchecked %s\n",
                  note->url, (unsigned long long)note->size, note->etag, note->modified,
                  utc_format(note->changed, changed), utc_format(note->checked, checked));
}

static bool take_text(const char *line, size_t n, const char *name, char *out, size_t size)
{
    size_t start = strlen(name);
    if (n < start || memcmp(line, name, start) != 0 || n - start >= size)
        return false;
    if (memchr(line, '\0', n))
        return false;
    memcpy(out, line + start, n - start);
    out[n - start] = '\0';
    return true;
}

static bool take_time(const char *text, struct utc *out)
{
    return utc_parse(text, strlen(text), out) == strlen(text);
}

static bool take_line(const char *line, size_t n, struct cache_note *note)
{
    char text[CACHE_TEXT_MAX];
    if (take_text(line, n, "url ", note->url, sizeof note->url) ||
        take_text(line, n, "etag ", note->etag, sizeof note->etag) ||
        take_text(line, n, "modified ", note->modified, sizeof note->modified))
        return true;
    if (take_text(line, n, "size ", text, sizeof text)) {
        char *end;
        note->size = strtoull(text, &end, 10);
        return *text >= '0' && *text <= '9' && !*end;
    }
    if (take_text(line, n, "changed ", text, sizeof text))
        return take_time(text, &note->changed);
    return take_text(line, n, "checked ", text, sizeof text) && take_time(text, &note->checked);
}

bool cache_note_parse(const char *text, size_t n, struct cache_note *out)
{
    struct cache_note note = {0};
    const char *end = text + n;
    while (text < end) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        if (!line_end || !take_line(text, (size_t)(line_end - text), &note))
            return false;
        text = line_end + 1;
    }
    if (!*note.url)
        return false;
    *out = note;
    return true;
}

/* One that is damaged counts as none: the file is then fetched again. */
static bool read_note(const char *path, struct cache_note *out)
{
    struct buffer text = {0};
    bool is_read = !cache_file_load(path, NOTE_MAX, &text, NULL) && text.size > 0 &&
                   text.size < NOTE_MAX && cache_note_parse(text.bytes, text.size, out);
    buffer_done(&text);
    return is_read;
}

static enum err write_all(int fd, const void *bytes, size_t n, const char *path, struct why *why)
{
    for (const char *at = bytes; n > 0;) {
        ssize_t written = write(fd, at, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return say(path, "cannot be written", why);
        at += written;
        n -= (size_t)written;
    }
    return ERR_OK;
}

/* Writes the note into a file beside its place, whose name holds the process, as two may write the same note.
 * A file of that name was left by a process that was killed, or is a link that leads elsewhere: it goes. */
static enum err write_temporary(const char *path, const struct cache_note *note,
                                char temporary[CACHE_PATH_MAX], struct why *why)
{
    struct buffer text = {0};
    int n = snprintf(temporary, CACHE_PATH_MAX, "%s.%ld", path, (long)getpid());
    if (n < 0 || n >= CACHE_PATH_MAX)
        return why_set(why, ERR_LIMIT, "%s: the path is too long", path);
    unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return say(temporary, "cannot be made", why);
    cache_note_format(note, &text);
    enum err err = write_all(fd, text.bytes, text.size, temporary, why);
    if (close(fd) != 0 && !err)
        err = say(temporary, "cannot be written", why);
    if (err)
        unlink(temporary);
    buffer_done(&text);
    return err;
}

static enum err put(const char *from, const char *to, struct why *why)
{
    return rename(from, to) == 0 ? ERR_OK : say(to, "cannot be put in its place", why);
}

static enum err store_note(const char *path, const struct cache_note *note, struct why *why)
{
    char temporary[CACHE_PATH_MAX];
    enum err err = write_temporary(path, note, temporary, why);
    if (err)
        return err;
    err = put(temporary, path, why);
    if (err)
        unlink(temporary);
    return err;
}

bool cache_note_read(const char *path, struct cache_note *out)
{
    char beside_it[CACHE_PATH_MAX];
    struct stat status;
    struct cache_note note;
    beside(path, ".note", beside_it);
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode) || !read_note(beside_it, &note) ||
        note.size != (uint64_t)status.st_size)
        return false;
    *out = note;
    return true;
}

bool cache_file_is_foreign(const char *path, uint64_t *size)
{
    char beside_it[CACHE_PATH_MAX];
    struct stat status;
    beside(path, ".note", beside_it);
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode) || access(beside_it, F_OK) == 0)
        return false;
    *size = (uint64_t)status.st_size;
    return true;
}

enum err cache_note_write(const char *path, const struct cache_note *note, struct why *why)
{
    char beside_it[CACHE_PATH_MAX];
    beside(path, ".note", beside_it);
    return store_note(beside_it, note, why);
}

/* Parts. */

/* False if whoever had the lock before us moved the file to its place or away meanwhile. */
static bool is_still_there(int fd, const char *path)
{
    struct stat ours, theirs;
    return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_ino == theirs.st_ino &&
           ours.st_dev == theirs.st_dev;
}

static enum err open_locked(const char *path, int *out, struct why *why)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd < 0)
            return say(path, "cannot be made", why);
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            enum err err = errno == EWOULDBLOCK
                               ? why_set(why, ERR_BUSY, "%s: another process fetches it", path)
                               : say(path, "cannot be locked", why);
            close(fd);
            return err;
        }
        if (is_still_there(fd, path)) {
            *out = fd;
            return ERR_OK;
        }
        close(fd);
    }
}

enum err cache_part_open(const char *path, struct cache_part **out, struct why *why)
{
    struct cache_part *part = mem_new(1, sizeof *part);
    struct stat status;
    snprintf(part->path, sizeof part->path, "%s", path);
    beside(path, ".note", part->its_note);
    beside(path, ".part", part->part);
    beside(path, ".part.note", part->part_note);
    enum err err = make_folders(path, why);
    if (!err)
        err = open_locked(part->part, &part->fd, why);
    if (err) {
        free(part);
        return err;
    }
    if (read_note(part->part_note, &part->note) && fstat(part->fd, &status) == 0)
        part->size = (uint64_t)status.st_size;
    *out = part;
    return ERR_OK;
}

uint64_t cache_part_size(const struct cache_part *part)
{
    return part->size;
}

const struct cache_note *cache_part_note(const struct cache_part *part)
{
    return &part->note;
}

/* The note goes away first and comes last, so that bytes of one version never stand beside the note of
 * another, wherever we are stopped. */
enum err cache_part_begin(struct cache_part *part, const struct cache_note *note, struct why *why)
{
    unlink(part->part_note);
    part->size = 0;
    part->note = (struct cache_note){0};
    if (ftruncate(part->fd, 0) != 0)
        return say(part->part, "cannot be written", why);
    enum err err = store_note(part->part_note, note, why);
    if (!err)
        part->note = *note;
    return err;
}

enum err cache_part_add(struct cache_part *part, const void *bytes, size_t n, struct why *why)
{
    enum err err = write_all(part->fd, bytes, n, part->part, why);
    if (!err)
        part->size += n;
    return err;
}

size_t cache_part_head(const struct cache_part *part, void *bytes, size_t n)
{
    ssize_t got = pread(part->fd, bytes, n, 0);
    return got < 0 ? 0 : (size_t)got;
}

/* Wherever we are stopped, no file may be left without a note, nor beside the note of a later version, which
 * would pass for its own. So a file that is new here follows its note, and one that takes the place of
 * another comes before it: a note without a file, and one of an earlier version, only have the server asked
 * again. */
static enum err put_both(const struct cache_part *part, const char *new_note, struct why *why)
{
    bool is_first = access(part->path, F_OK) != 0;
    enum err err = is_first ? put(new_note, part->its_note, why) : put(part->part, part->path, why);
    if (err)
        return err;
    return is_first ? put(part->part, part->path, why) : put(new_note, part->its_note, why);
}

enum err cache_part_finish(struct cache_part *part, const struct cache_note *note, struct why *why)
{
    char new_note[CACHE_PATH_MAX];
    enum err err = fsync(part->fd) == 0 ? ERR_OK : say(part->part, "cannot be written", why);
    if (!err)
        err = write_temporary(part->its_note, note, new_note, why);
    if (!err && (err = put_both(part, new_note, why)))
        unlink(new_note);
    if (!err)
        unlink(part->part_note);
    cache_part_close(part);
    return err;
}

void cache_part_close(struct cache_part *part)
{
    if (!part)
        return;
    if (part->size == 0 && is_still_there(part->fd, part->part)) { /* nothing to go on with */
        unlink(part->part_note);
        unlink(part->part);
    }
    close(part->fd);
    free(part);
}

void cache_part_drop(struct cache_part *part)
{
    if (part)
        part->size = 0;
    cache_part_close(part);
}

enum err cache_file_load(const char *path, size_t max, struct buffer *out, struct why *why)
{
    char bytes[64 * 1024];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return say(path, "cannot be read", why);
    size_t before = out->size;
    ssize_t n = 1;
    while (n > 0 && out->size - before < max) {
        size_t room = max - (out->size - before);
        n = read(fd, bytes, room < sizeof bytes ? room : sizeof bytes);
        if (n > 0)
            buffer_add(out, bytes, (size_t)n);
    }
    enum err err = n < 0 ? say(path, "cannot be read", why) : ERR_OK;
    close(fd);
    return err;
}
