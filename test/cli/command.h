/* For tests of the built program: runs it as a person would, in a folder of its own, and tells what
 * it wrote and how it ended. The program's path comes from the environment variable LASTLIGHT. */
#ifndef TEST_CLI_COMMAND_H
#define TEST_CLI_COMMAND_H

#include <stddef.h>
#include <sys/types.h>

struct result {
    int status;            /* exit status; 128 + the signal's number if one ended it */
    char out[256 * 1024];  /* standard output */
    char talk[256 * 1024]; /* standard error */
};

/* Makes the folder and goes there; removes it with all that is in it. */
void folder_enter(void);
void folder_leave(void);

void file_write(const char *name, const char *text);
void file_write_bytes(const char *name, const void *bytes, size_t n);
size_t file_size(const char *name);
/* Reads a whole file of at most 32 MB; the caller frees it. */
char *file_read(const char *name, size_t *n);

/* Runs "lastlight ARGUMENTS", split at spaces, and waits for it. "< FILE" and "> FILE" at the end
 * redirect. */
const struct result *run(const char *arguments);
/* Starts it with standard error into the file TALK and does not wait. */
pid_t start(const char *arguments, const char *talk);
/* Waits at most `seconds` for it to end; its status as above, -1 (and it is killed) if it does not.
 */
int finish(pid_t pid, int seconds);
void sleep_ms(int ms);

#endif
