/* Time values. `struct utc` is a moment on the calendar, `struct mono` one on this machine's steady
 * clock; they are different types and cannot be mixed. Durations are plain int64_t nanoseconds with
 * `_ns` in their names. Nothing here reads a clock: sys/clock.h does. */
#ifndef BASE_UTC_H
#define BASE_UTC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_MINUTE (60 * NS_PER_S)
#define NS_PER_HOUR (3600 * NS_PER_S)
#define NS_PER_DAY (86400 * NS_PER_S)

/* Nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted; 0 means "not known". */
struct utc {
    int64_t ns;
};

struct mono {
    int64_t ns;
};

/* When something began or ended: not before `last_before` (the last observation of the old state)
 * and not after `first_after` (the first of the new). Either may be 0, not known. */
struct interval {
    struct utc last_before;
    struct utc first_after;
};

static inline struct utc utc_add(struct utc t, int64_t ns)
{
    return (struct utc){t.ns + ns};
}

static inline int64_t utc_diff(struct utc a, struct utc b)
{
    return a.ns - b.ns;
}

static inline bool utc_is_known(struct utc t)
{
    return t.ns != 0;
}

/* True only if the order is certain: a's interval ends before b's begins. `margin_ns` (may be NULL)
 * gets the distance between them. An interval with an unknown end orders nothing. */
bool interval_is_before(const struct interval *a, const struct interval *b, int64_t *margin_ns);

/* RFC 3339 in UTC with 0, 3, 6 or 9 decimals, as few as keep the value: "2022-01-25T21:00:00.250Z".
 * Returns buffer. */
#define UTC_TEXT_MAX 40
const char *utc_format(struct utc t, char buffer[UTC_TEXT_MAX]);

/* Parses RFC 3339 with 'Z' or a numeric offset, any number of decimals (cut after nine), years 1970
 * to 2261. Returns the number of characters used, 0 if it is not a time. */
size_t utc_parse(const char *text, size_t n, struct utc *out);

/* The same for dates that nanoseconds cannot hold, in seconds since 1970, years 1 to 9999: certificates
 * that shall never expire end in 9999. Decimals are cut off. */
const char *utc_format_seconds(int64_t seconds, char buffer[UTC_TEXT_MAX]);
size_t utc_parse_seconds(const char *text, size_t n, int64_t *seconds);

/* A calendar date and time of day, in UTC. */
struct calendar {
    int year, month, day, hour, minute, second;
    int weekday; /* 0 = Sunday */
};
struct calendar utc_calendar(struct utc t);

/* A duration for people: "4 min 30 s", "6 h 2 min", "1.5 s", "250 ms". Returns buffer. */
#define DURATION_TEXT_MAX 32
const char *duration_format(int64_t ns, char buffer[DURATION_TEXT_MAX]);

/* Parses "250ms", "1.5s", "5m" or "5min", "2h", "1d", to the nanosecond. False if it is not a duration,
 * not positive, or longer than three years. */
bool duration_parse(const char *text, int64_t *ns);

/* The shortest text that duration_parse() gives back exactly: "90s", "250ms", "1.000000001s". */
const char *duration_write(int64_t ns, char buffer[DURATION_TEXT_MAX]);

#endif
