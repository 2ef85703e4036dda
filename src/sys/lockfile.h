/* A lock that one process at a time can hold, kept as a file with its pid. The kernel lets go of it
 * however the process ends, so a file that was left behind locks nobody out. */
#ifndef SYS_LOCKFILE_H
#define SYS_LOCKFILE_H

#include "base/err.h"

struct lockfile;

/* ERR_BUSY if somebody holds it: *holder is then the pid, or 0 if it cannot be told. Other errors:
 * the file cannot be made. Never waits. */
enum err lockfile_take(const char *path, struct lockfile **out, long *holder, struct why *why);
void lockfile_release(struct lockfile *lockfile); /* removes the file; NULL is fine */

#endif
