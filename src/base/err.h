/* Errors of ours, as values. A measured failure (a timeout, a withdrawal) is an observation and
 * never an error; a broken invariant is an assertion. What is left is here: an `enum err` that must
 * be checked and, where a person will read it, a `struct why` with the place in the input and the
 * cure.
 *
 *     struct why why;
 *     if (journal_open(path, JOURNAL_WRITE, &journal, &why))
 *         fprintf(stderr, "lastlight: %s\n", why.text);
 *
 * Running out of memory is treated as a broken invariant: every long-lived structure has a stated
 * cap, so it means a bug, and the daemon restarts and resumes from the journal. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

/* X(constant, name) */
#define ERR_LIST(X)                                                                                \
    X(OK, "ok")                                                                                    \
    X(IO, "input or output failed")                                                                \
    X(FULL, "no space left")                                                                       \
    X(READONLY, "read-only")                                                                       \
    X(BUSY, "in use")                                                                              \
    X(CORRUPT, "damaged")                                                                          \
    X(VERSION, "unknown version")                                                                  \
    X(INPUT, "bad input")                                                                          \
    X(CONFIG, "bad configuration")                                                                 \
    X(USAGE, "wrong usage")                                                                        \
    X(NOT_FOUND, "not found")                                                                      \
    X(DENIED, "not permitted")                                                                     \
    X(LIMIT, "too large")                                                                          \
    X(UNSUPPORTED, "not supported")                                                                \
    X(CLOSED, "closed by its reader")

enum err {
#define X(constant, name) ERR_##constant,
    ERR_LIST(X)
#undef X
};

const char *err_name(enum err err);

/* The reason of a failure in words: one or two sentences that name file, place and cure. */
struct why {
    enum err err;
    char text[640];
};

/* Fills `why` (which may be NULL) and returns `err`, so that it can end a function. */
enum err why_set(struct why *why, enum err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
