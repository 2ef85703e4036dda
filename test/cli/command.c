#include "command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS_MAX = 128, READ_MAX = 32 * 1024 * 1024 };

static char folder[] = "/tmp/lastlight-test-XXXXXX";

void folder_enter(void)
{
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
}

void folder_leave(void)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));)
        unlink(entry->d_name);
    closedir(dir);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(folder), 0);
}

void file_write_bytes(const char *name, const void *bytes, size_t n)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

void file_write(const char *name, const char *text)
{
    file_write_bytes(name, text, strlen(text));
}

char *file_read(const char *name, size_t *n)
{
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    char *bytes = malloc(READ_MAX + 1);
    assert_non_null(bytes);
    *n = fread(bytes, 1, READ_MAX, file);
    bytes[*n] = '\0';
    fclose(file);
    return bytes;
}

size_t file_size(const char *name)
{
    size_t n;
    free(file_read(name, &n));
    return n;
}

static void redirect(int fd, const char *name)
{
    int file =
        fd == STDIN_FILENO ? open(name, O_RDONLY) : open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (file < 0 || dup2(file, fd) != fd)
        _exit(126);
    close(file);
}

/* In the child. */
static void become(const char *arguments)
{
    const char *program = getenv("LASTLIGHT");
    char line[4096];
    char *words[WORDS_MAX + 1] = {(char *)(uintptr_t) "lastlight"};
    int count = 1;
    snprintf(line, sizeof line, "%s", arguments);
    for (char *word = strtok(line, " "); word && count < WORDS_MAX; word = strtok(NULL, " ")) {
        if (strcmp(word, "<") == 0)
            redirect(STDIN_FILENO, strtok(NULL, " "));
        else if (strcmp(word, ">") == 0)
            redirect(STDOUT_FILENO, strtok(NULL, " "));
        else
            words[count++] = word;
    }
    execv(program ? program : "lastlight", words);
    _exit(127);
}

static pid_t start_into(const char *arguments, const char *out, const char *talk)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing running */
        redirect(STDOUT_FILENO, out);
        redirect(STDERR_FILENO, talk);
        become(arguments);
    }
    return pid;
}

pid_t start(const char *arguments, const char *talk)
{
    file_write(talk, "");
    return start_into(arguments, "/dev/null", talk);
}

void sleep_ms(int ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

int finish(pid_t pid, int seconds)
{
    int status = 0;
    for (int i = 0; i < seconds * 20; i++) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        sleep_ms(50);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return -1;
}

static void take(const char *name, char *out, size_t size)
{
    size_t n;
    char *bytes = file_read(name, &n);
    assert_true(n < size);
    memcpy(out, bytes, n + 1);
    free(bytes);
}

const struct result *run(const char *arguments)
{
    static struct result result;
    pid_t pid = start_into(arguments, ".out", ".talk");
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    take(".out", result.out, sizeof result.out);
    take(".talk", result.talk, sizeof result.talk);
    return &result;
}
