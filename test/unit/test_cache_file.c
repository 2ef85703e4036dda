/* sys/cache_file: where copies lie, and that none is ever half a file or taken for another version. */
#include "sys/cache_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void test_paths(void **state)
{
    (void)state;
    static const struct {
        const char *url, *path;
    } cases[] = {
        {"https://data.ris.ripe.net/rrc00/2022.02/updates.20220207.0530.gz",
         "c/data.ris.ripe.net/rrc00/2022.02/updates.20220207.0530.gz"},
        {"HTTP://Mirror.Example:8080/a", "c/mirror.example:8080/a"},
        {"http://[::1]:8080/a", "c/[::1]:8080/a"},
        {"https://a/b/", "c/a/b/.index.html"},
        {"https://a", "c/a/.index.html"},
        {"https://a/", "c/a/.index.html"},
        {"https://a//b///c", "c/a/b/c"},
        {"https://a/../b/./.c", "c/a/%2E./b/%2E/%2Ec"},
        {"https://../b", "c/%2E./b"},
        {"https://a/b?c=d/e", "c/a/b%3Fc=d/e"},
        {"https://a/b#c", "c/a/b"},
        {"https://a/b/#c/d", "c/a/b/.index.html"},
        {"https://a#c", "c/a/.index.html"},
        {"https://a//", "c/a/.index.html"},
        {"https://a?b", "c/a/%3Fb"},
        {"https://a/b c\n*", "c/a/b%20c%0A%2A"},
        {"https://a/%2e%2e/b", "c/a/%2e%2e/b"},
    };
    static const char *const wrong[] = {
        "",     "http://", "https:///a",         "ftp://a/b", "file:///etc/x",
        "a.gz", "http:/a", "http://me:word@a/b", "//a/b"};
    char path[CACHE_PATH_MAX], longer[600];
    struct why why;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(cache_file_path("c", cases[i].url, path, &why), ERR_OK);
        assert_string_equal(path, cases[i].path);
    }
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_equal(cache_file_path("c", wrong[i], path, &why), ERR_USAGE);
    memset(longer, 'a', sizeof longer);
    memcpy(longer, "http://h/", 9);
    longer[9 + CACHE_NAME_MAX] = '\0';
    assert_int_equal(cache_file_path("c", longer, path, &why), ERR_USAGE);
    longer[9 + CACHE_NAME_MAX - 1] = '\0';
    assert_int_equal(cache_file_path("c", longer, path, &why), ERR_OK);
}

/* Killed on the way. What changes a folder or a file goes through here, in the place of libc's, and is the
 * end of the process when its turn has come. */

enum { KILLED = 9 };
static unsigned steps_left; /* 0: nobody kills us */

static void step(void)
{
    if (steps_left && --steps_left == 0)
        _exit(KILLED);
}

int rename(const char *from, const char *to)
{
    step();
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
    step();
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int ftruncate(int fd, off_t size)
{
    step();
    return (int)syscall(SYS_ftruncate, fd, size);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    step();
    return syscall(SYS_write, fd, bytes, n);
}

/* A version of a file: its ETag is its content. */
static enum err fetch(const char *path, const char *version)
{
    struct cache_part *part;
    struct cache_note note = {.size = strlen(version)};
    snprintf(note.url, sizeof note.url, "http://a/b");
    snprintf(note.etag, sizeof note.etag, "%s", version);
    enum err err = cache_part_open(path, &part, NULL);
    if (!err)
        err = cache_part_begin(part, &note, NULL);
    if (!err)
        err = cache_part_add(part, version, note.size, NULL);
    return err ? err : cache_part_finish(part, &note, NULL);
}

static bool is_killed_in_step(unsigned n, const char *path, const char *version)
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        steps_left = n;
        _exit(fetch(path, version) == ERR_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == KILLED);
    return WEXITSTATUS(status) == KILLED;
}

/* No file without a note, which would count as somebody else's for ever, and none beside the note of a later
 * version. Beside that of an earlier one it may be: then the server is asked, and has another. */
static void check_place(const char *path, const char *young)
{
    struct buffer found = {0};
    struct cache_note note;
    uint64_t size;
    assert_false(cache_file_is_foreign(path, &size));
    if (cache_note_read(path, &note)) {
        assert_int_equal(cache_file_load(path, 100, &found, NULL), ERR_OK);
        assert_true(strcmp(found.bytes, note.etag) == 0 || strcmp(found.bytes, young) == 0);
    }
    buffer_done(&found);
}

static char place[] = "/tmp/lastlight-copies-XXXXXX";

static int enter(void **state)
{
    (void)state;
    return mkdtemp(place) && chdir(place) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    assert_int_equal(system("rm -rf a victim"), 0);
    return chdir("/") == 0 ? rmdir(place) : -1;
}

static void test_killed(void **state)
{
    static const struct {
        const char *old, *young;
    } cases[] = {{NULL, "new"}, {"old", "new"}, {"old", "longer"}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned n = 1;
        for (bool is_killed = true; is_killed; n++) {
            assert_int_equal(system("rm -rf a"), 0);
            if (cases[i].old)
                assert_int_equal(fetch("a/b.gz", cases[i].old), ERR_OK);
            is_killed = is_killed_in_step(n, "a/b.gz", cases[i].young);
            check_place("a/b.gz", cases[i].young);
            assert_int_equal(fetch("a/b.gz", cases[i].young), ERR_OK);
            check_place("a/b.gz", cases[i].young);
        }
        assert_true(n > 6);
    }
}

/* Who may write into the folder, too, must not make us write elsewhere. */
static void test_links(void **state)
{
    char temporary[64];
    struct buffer found = {0};
    (void)state;
    assert_int_equal(system("rm -rf a && mkdir a && printf precious >victim"), 0);
    snprintf(temporary, sizeof temporary, "a/.b.gz.part.note.%ld", (long)getpid());
    assert_int_equal(symlink("../victim", temporary), 0);
    snprintf(temporary, sizeof temporary, "a/.b.gz.note.%ld", (long)getpid());
    assert_int_equal(symlink("../victim", temporary), 0);
    assert_int_equal(fetch("a/b.gz", "new"), ERR_OK);
    check_place("a/b.gz", "new");
    assert_int_equal(symlink("../victim", "a/.b.gz.part"), 0);
    assert_int_equal(fetch("a/b.gz", "newer"), ERR_IO);
    assert_int_equal(cache_file_load("victim", 100, &found, NULL), ERR_OK);
    assert_string_equal(found.bytes, "precious");
    buffer_done(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_links),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
