#include "sys/intake.h"

#include "base/mem.h"
#include "sys/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum flow intake_fail(struct intake *intake, enum err err, uint64_t offset, const char *what)
{
    why_set(&intake->failure, err, "%s: byte %llu: %s", intake->name, (unsigned long long)offset,
            what);
    return FLOW_FAILED;
}

enum flow intake_fail_damaged(struct intake *intake, uint64_t offset, const char *format,
                              uint64_t unit, const char *reason)
{
    why_set(&intake->failure, ERR_CORRUPT,
            "%s: byte %llu: the %s data that begins at byte %llu is damaged: %s", intake->name,
            (unsigned long long)offset, format, (unsigned long long)unit, reason);
    return FLOW_FAILED;
}

enum err intake_open(const char *path, struct intake *intake, struct why *why)
{
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) < 0) {
        enum err err = errno == ENOENT ? ERR_NOT_FOUND : errno == EACCES ? ERR_DENIED : ERR_IO;
        return why_set(why, err, "%s: cannot be opened: %s", path, strerror(errno));
    }
    if (S_ISDIR(stat.st_mode)) {
        if (fd != STDIN_FILENO)
            close(fd);
        return why_set(why, ERR_IO, "%s: is a folder, not a file", path);
    }
    bool is_file = S_ISREG(stat.st_mode);
    *intake = (struct intake){.name = mem_copy(fd == STDIN_FILENO ? "standard input" : path),
                              .fd = fd,
                              .is_file = is_file,
                              .may_wait = true,
                              .size = is_file ? (uint64_t)stat.st_size : 0};
    intake->buffer = mem_grow(NULL, &intake->capacity, INTAKE_FIRST, 1);
    return ERR_OK;
}

void intake_done(struct intake *intake)
{
    if (intake->fd != STDIN_FILENO)
        close(intake->fd);
    free(intake->buffer);
    free(intake->name);
}

void intake_widen(struct intake *intake)
{
    intake->buffer = mem_grow(intake->buffer, &intake->capacity, INTAKE_ALL, 1);
}

void intake_wait(const struct intake *intake)
{
    poll(&(struct pollfd){.fd = intake->fd, .events = POLLIN}, 1, -1);
}

static bool is_ready(const struct intake *intake)
{
    return intake->is_file || poll(&(struct pollfd){.fd = intake->fd, .events = POLLIN}, 1, 0) > 0;
}

/* Until something is there. False: nobody cares any longer. */
static bool await(const struct intake *intake)
{
    if (!is_ready(intake) && !intake->on_wait(intake->context))
        return false;
    return interrupt_wait(intake->fd);
}

/* Waits also where standard input was made non-blocking by whoever shares it. */
enum flow intake_read(struct intake *intake, void *bytes, size_t capacity, size_t *n)
{
    if (intake->read)
        return intake->read(intake, bytes, capacity, n);
    for (;;) {
        if (!intake->may_wait && !is_ready(intake))
            return FLOW_DRY;
        if (intake->on_wait && !await(intake))
            return intake_fail(intake, ERR_CLOSED, intake_offset(intake), "it was interrupted");
        ssize_t got = read(intake->fd, bytes, capacity);
        if (got >= 0) {
            *n = (size_t)got;
            intake->loaded += *n;
            intake->at_end = got == 0;
            return got ? FLOW_OK : FLOW_END;
        }
        if (errno == EAGAIN && !intake->may_wait)
            return FLOW_DRY;
        if (errno == EAGAIN)
            intake_wait(intake);
        else if (errno != EINTR)
            return intake_fail(intake, ERR_IO, intake_offset(intake), strerror(errno));
    }
}

enum flow intake_load(struct intake *intake, size_t want)
{
    enum flow flow = FLOW_OK;
    if (intake_left(intake) < want && !intake->at_end) {
        intake->buffer = mem_grow(intake->buffer, &intake->capacity, want, 1);
        memmove(intake->buffer, intake->buffer + intake->at, intake_left(intake));
        intake->end = intake_left(intake);
        intake->at = 0;
    }
    while (intake_left(intake) < want && !intake->at_end && flow == FLOW_OK) {
        size_t n = 0;
        flow =
            intake_read(intake, intake->buffer + intake->end, intake->capacity - intake->end, &n);
        intake->end += n;
    }
    if (flow == FLOW_FAILED || flow == FLOW_DRY)
        return flow;
    return intake_left(intake) ? FLOW_OK : FLOW_END;
}
