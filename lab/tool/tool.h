/* What the tools of the laboratory share: the steady clock, numbers of the command line, giving up,
 * and ending on SIGTERM or SIGINT. */
#ifndef TOOL_H
#define TOOL_H

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)

static inline int64_t tool_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* Decimal digits and nothing else, at most `most`. */
static inline bool tool_number(const char *text, uint64_t most, uint64_t *out)
{
    uint64_t n = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || n > (UINT64_MAX - 9) / 10)
            return false;
        n = n * 10 + (uint64_t)(*text - '0');
    }
    if (n > most)
        return false;
    *out = n;
    return true;
}

/* Exit 2: the tool was asked for something that it does not do. Exit 1: it could not do it. */
__attribute__((noreturn, format(printf, 2, 3))) static inline void tool_die(int status,
                                                                            const char *text, ...)
{
    va_list list;
    va_start(list, text);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, text, list);
    fputc('\n', stderr);
    va_end(list);
    exit(status);
}

static volatile sig_atomic_t tool_is_ending;

static inline void tool_note_end(int signal)
{
    (void)signal;
    tool_is_ending = 1;
}

/* Without SA_RESTART: a sleep must end with the signal. */
static inline void tool_end_on_signals(void)
{
    struct sigaction action = {.sa_handler = tool_note_end};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

#endif
