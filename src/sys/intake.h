/* The bytes of a file as they lie in it, through a buffer, with the offset of each: what plain input
 * is read from and what is decompressed. */
#ifndef SYS_INTAKE_H
#define SYS_INTAKE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a step of reading or decompressing went. */
enum flow {
    FLOW_OK,
    FLOW_END,
    FLOW_DRY,   /* a pipe that is empty just now; only where it may not be waited for */
    FLOW_UNIT,  /* another unit begins where it was to stop (sys/unpack.h) */
    FLOW_FAILED /* the failure is in the intake */
};

enum {
    INTAKE_FIRST = 32 * 1024, /* the buffer as it is opened */
    INTAKE_ALL = 256 * 1024   /* after intake_widen() */
};

struct intake {
    char *name; /* the path, or "standard input" */
    int fd;
    /* Where the bytes come from instead, as by read(2), if it is not NULL. */
    enum flow (*read)(struct intake *intake, void *bytes, size_t capacity, size_t *n);
    bool is_file;  /* a regular one, which is always ready */
    bool may_wait; /* for an empty pipe */
    /* NULL: it just waits. Else this is called first, and may say that nobody cares to; and it waits no
     * longer than until the program is interrupted. Either is a failure, ERR_CLOSED. */
    bool (*on_wait)(void *context);
    void *context;
    bool at_end;     /* the file has no more bytes than those in the buffer */
    uint64_t size;   /* of a regular file, else 0 */
    uint64_t loaded; /* bytes of the file read so far */
    uint8_t *buffer; /* those from `at` to `end` are not yet used */
    size_t capacity;
    size_t at;
    size_t end;
    struct why failure;
};

enum err intake_open(const char *path, struct intake *intake, struct why *why);
void intake_done(struct intake *intake);
void intake_widen(struct intake *intake);

/* Loads more bytes behind those in the buffer, until there are `want` or the file ends. FLOW_OK if
 * there are some, whether they are as many or not. */
enum flow intake_load(struct intake *intake, size_t want);
/* Reads straight into the caller's memory; only with nothing in the buffer. */
enum flow intake_read(struct intake *intake, void *bytes, size_t capacity, size_t *n);
/* Waits until a pipe has something, or has ended. */
void intake_wait(const struct intake *intake);

static inline size_t intake_left(const struct intake *intake)
{
    return intake->end - intake->at;
}

/* In the file, of the next byte that is not used. */
static inline uint64_t intake_offset(const struct intake *intake)
{
    return intake->loaded - intake_left(intake);
}

/* Sets the failure: "FILE: byte OFFSET: what". */
enum flow intake_fail(struct intake *intake, enum err err, uint64_t offset, const char *what);
/* The same of damage in compressed data that begins at `unit`. */
enum flow intake_fail_damaged(struct intake *intake, uint64_t offset, const char *format,
                              uint64_t unit, const char *reason);

#endif
