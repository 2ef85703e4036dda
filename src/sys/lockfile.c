#include "sys/lockfile.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* flock() and not fcntl(): its lock belongs to the open file, so that it also holds against another
 * part of the same process, and closing some other descriptor of the file does not drop it. */
struct lockfile {
    int fd;
    char path[];
};

static enum err cannot(struct why *why, const char *path)
{
    if (errno == ENOENT)
        return why_set(why, ERR_NOT_FOUND, "%s cannot be made: its folder does not exist", path);
    enum err err = errno == EACCES || errno == EPERM    ? ERR_DENIED
                   : errno == EROFS                     ? ERR_READONLY
                   : errno == ENOSPC || errno == EDQUOT ? ERR_FULL
                                                        : ERR_IO;
    return why_set(why, err, "%s cannot be locked: %s", path, strerror(errno));
}

/* False if the file was removed (by the holder before us) between our opening and locking it: the
 * lock is then on a file that nobody else will ever open. */
static bool is_still_there(int fd, const char *path)
{
    struct stat ours, theirs;
    return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_ino == theirs.st_ino &&
           ours.st_dev == theirs.st_dev;
}

static long read_holder(int fd)
{
    char text[32];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    return strtol(text, NULL, 10);
}

/* That may fail on a full disk: the lock holds, and only the message to a second process is poorer.
 */
static void write_holder(int fd)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) || pwrite(fd, text, (size_t)n, 0) != n)
        return;
}

enum err lockfile_take(const char *path, struct lockfile **out, long *holder, struct why *why)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0)
            return cannot(why, path);
        if (flock(fd, LOCK_EX | LOCK_NB)) {
            enum err err = errno == EWOULDBLOCK ? ERR_BUSY : cannot(why, path);
            *holder = read_holder(fd);
            close(fd);
            return err == ERR_BUSY ? why_set(why, err, "%s is held by process %ld", path, *holder)
                                   : err;
        }
        if (!is_still_there(fd, path)) {
            close(fd);
            continue;
        }
        write_holder(fd);
        struct lockfile *lockfile = mem_new(1, sizeof *lockfile + strlen(path) + 1);
        lockfile->fd = fd;
        memcpy(lockfile->path, path, strlen(path) + 1);
        *out = lockfile;
        return ERR_OK;
    }
}

void lockfile_release(struct lockfile *lockfile)
{
    if (!lockfile)
        return;
    unlink(lockfile->path); /* while it is held: see is_still_there() */
    close(lockfile->fd);
    free(lockfile);
}
