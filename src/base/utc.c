#include "base/utc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool interval_is_before(const struct interval *a, const struct interval *b, int64_t *margin_ns)
{
    if (!utc_is_known(a->first_after) || !utc_is_known(b->last_before))
        return false;
    int64_t distance = utc_diff(b->last_before, a->first_after);
    if (distance <= 0)
        return false;
    if (margin_ns)
        *margin_ns = distance;
    return true;
}

/* Days since 1970-01-01 of a Gregorian date, counted in 400-year eras that begin on 1 March. */
static int64_t days_from_date(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = year / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, struct calendar *c)
{
    days += 719468;
    int64_t era = days / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    c->day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    c->month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    c->year = (int)(year_of_era + era * 400 + (c->month <= 2));
}

static struct calendar calendar_of(int64_t seconds)
{
    int64_t days = seconds / 86400 - (seconds % 86400 < 0);
    int64_t rest = seconds - days * 86400;
    struct calendar c = {.hour = (int)(rest / 3600),
                         .minute = (int)(rest / 60 % 60),
                         .second = (int)(rest % 60),
                         .weekday = (int)((days % 7 + 11) % 7)};
    date_from_days(days, &c);
    return c;
}

struct calendar utc_calendar(struct utc t)
{
    return calendar_of(t.ns / NS_PER_S - (t.ns % NS_PER_S < 0));
}

static const char *write_time(const struct calendar *c, const char *fraction,
                              char buffer[UTC_TEXT_MAX])
{
    snprintf(buffer, UTC_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02u%sZ", (unsigned)c->year % 10000,
             (unsigned)c->month % 100, (unsigned)c->day % 100, (unsigned)c->hour % 100,
             (unsigned)c->minute % 100, (unsigned)c->second % 100, fraction);
    return buffer;
}

const char *utc_format(struct utc t, char buffer[UTC_TEXT_MAX])
{
    struct calendar c = utc_calendar(t);
    int64_t ns = t.ns % NS_PER_S;
    if (ns < 0)
        ns += NS_PER_S;
    char fraction[12] = "";
    if (ns % NS_PER_MS == 0) {
        if (ns)
            snprintf(fraction, sizeof fraction, ".%03d", (int)(ns / NS_PER_MS));
    } else if (ns % 1000 == 0) {
        snprintf(fraction, sizeof fraction, ".%06d", (int)(ns / 1000));
    } else {
        snprintf(fraction, sizeof fraction, ".%09d", (int)ns);
    }
    return write_time(&c, fraction, buffer);
}

const char *utc_format_seconds(int64_t seconds, char buffer[UTC_TEXT_MAX])
{
    struct calendar c = calendar_of(seconds);
    return write_time(&c, "", buffer);
}

/* Reads exactly `digits` decimal digits. */
static bool parse_digits(const char *text, int digits, int *out)
{
    int value = 0;
    for (int i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (text[i] - '0');
    }
    *out = value;
    return true;
}

/* "YYYY-MM-DDThh:mm:ss"; a leap second is the first second of the next minute. */
static bool parse_date_and_time(const char *text, int64_t *seconds)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day, hour, minute, second;
    if (!parse_digits(text, 4, &year) || text[4] != '-' || !parse_digits(text + 5, 2, &month) ||
        text[7] != '-' || !parse_digits(text + 8, 2, &day) ||
        (text[10] != 'T' && text[10] != 't') || !parse_digits(text + 11, 2, &hour) ||
        text[13] != ':' || !parse_digits(text + 14, 2, &minute) || text[16] != ':' ||
        !parse_digits(text + 17, 2, &second))
        return false;
    if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 60)
        return false;
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (day > month_days[month - 1] + (month == 2 && is_leap))
        return false;
    *seconds = days_from_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    return true;
}

/* "Z" or "+hh:mm"; returns the characters used, 0 if neither. */
static size_t parse_offset(const char *text, size_t n, int64_t *seconds)
{
    int hours, minutes;
    if (n >= 1 && (text[0] == 'Z' || text[0] == 'z')) {
        *seconds = 0;
        return 1;
    }
    if (n < 6 || (text[0] != '+' && text[0] != '-') || !parse_digits(text + 1, 2, &hours) ||
        text[3] != ':' || !parse_digits(text + 4, 2, &minutes) || hours > 23 || minutes > 59)
        return 0;
    *seconds = (text[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return 6;
}

/* The whole of it, in seconds and nanoseconds. Returns the characters used, 0 if it is not a time.
 */
static size_t parse_time(const char *text, size_t n, int64_t *seconds, int64_t *ns)
{
    int64_t local, offset;
    if (n < 20 || !parse_date_and_time(text, &local))
        return 0;
    *ns = 0;
    size_t at = 19;
    if (text[at] == '.') {
        size_t first = ++at;
        for (int64_t unit = NS_PER_S / 10; at < n && text[at] >= '0' && text[at] <= '9'; at++) {
            *ns += (text[at] - '0') * unit;
            unit /= 10;
        }
        if (at == first)
            return 0;
    }
    size_t used = parse_offset(text + at, n - at, &offset);
    *seconds = used ? local - offset : 0;
    return used ? at + used : 0;
}

size_t utc_parse(const char *text, size_t n, struct utc *out)
{
    static const int64_t year_2262 = INT64_C(9214646400);
    int64_t seconds, ns;
    size_t used = parse_time(text, n, &seconds, &ns);
    if (!used || seconds < 0 || seconds >= year_2262)
        return 0;
    out->ns = seconds * NS_PER_S + ns;
    return used;
}

size_t utc_parse_seconds(const char *text, size_t n, int64_t *seconds)
{
    static const int64_t year_1 = INT64_C(-62135596800), year_10000 = INT64_C(253402300800);
    int64_t value, ns;
    size_t used = parse_time(text, n, &value, &ns);
    if (!used || value < year_1 || value >= year_10000)
        return 0;
    *seconds = value;
    return used;
}

const char *duration_format(int64_t ns, char buffer[DURATION_TEXT_MAX])
{
    long long s = ns / NS_PER_S;
    if (ns < 0)
        snprintf(buffer, DURATION_TEXT_MAX, "less than 0");
    else if (ns < NS_PER_MS)
        snprintf(buffer, DURATION_TEXT_MAX, "%lld us", (long long)(ns / 1000));
    else if (ns < NS_PER_S)
        snprintf(buffer, DURATION_TEXT_MAX, "%lld ms", (long long)(ns / NS_PER_MS));
    else if (s < 10 && ns % NS_PER_S >= NS_PER_S / 10)
        snprintf(buffer, DURATION_TEXT_MAX, "%lld.%lld s", s,
                 (long long)(ns % NS_PER_S / (NS_PER_S / 10)));
    else if (s < 60)
        snprintf(buffer, DURATION_TEXT_MAX, "%lld s", s);
    else if (s < 3600)
        snprintf(buffer, DURATION_TEXT_MAX, s % 60 ? "%lld min %lld s" : "%lld min", s / 60,
                 s % 60);
    else if (s < 86400)
        snprintf(buffer, DURATION_TEXT_MAX, s / 60 % 60 ? "%lld h %lld min" : "%lld h", s / 3600,
                 s / 60 % 60);
    else
        snprintf(buffer, DURATION_TEXT_MAX, s / 3600 % 24 ? "%lld d %lld h" : "%lld d", s / 86400,
                 s / 3600 % 24);
    return buffer;
}

static const struct {
    const char *name;
    int64_t ns;
} units[] = {{"d", NS_PER_DAY},      {"h", NS_PER_HOUR}, {"m", NS_PER_MINUTE},
             {"min", NS_PER_MINUTE}, {"s", NS_PER_S},    {"ms", NS_PER_MS}};

enum { UNIT_COUNT = sizeof units / sizeof *units, DURATION_DAYS_MAX = 1096 };

/* Digits, with decimals or without, times the unit; no floating point, so nothing is lost. */
static bool scale(const char *digits, const char *end, int64_t unit_ns, int64_t *ns)
{
    static const int64_t longest = DURATION_DAYS_MAX * NS_PER_DAY;
    int64_t total = 0;
    for (; digits < end && *digits != '.'; digits++) {
        if (total > longest)
            return false;
        total = total * 10 + (*digits - '0');
    }
    if (total > longest / unit_ns)
        return false;
    total *= unit_ns;
    for (digits += digits < end; digits < end; digits++)
        total += (*digits - '0') * (unit_ns /= 10);
    *ns = total;
    return total >= 1 && total <= longest;
}

bool duration_parse(const char *text, int64_t *ns)
{
    size_t n = strspn(text, "0123456789");
    if (n && text[n] == '.') {
        size_t decimals = strspn(text + n + 1, "0123456789");
        n = decimals ? n + 1 + decimals : 0;
    }
    if (!n)
        return false;
    const char *unit = text + n + strspn(text + n, " ");
    int64_t value;
    for (int i = 0; i < UNIT_COUNT; i++) {
        if (strcmp(unit, units[i].name) != 0)
            continue;
        if (!scale(text, text + n, units[i].ns, &value))
            return false;
        *ns = value;
        return true;
    }
    return false;
}

const char *duration_write(int64_t ns, char buffer[DURATION_TEXT_MAX])
{
    for (int i = 0; i < UNIT_COUNT; i++) {
        if (ns % units[i].ns)
            continue;
        snprintf(buffer, DURATION_TEXT_MAX, "%lld%s", (long long)(ns / units[i].ns), units[i].name);
        return buffer;
    }
    int n = snprintf(buffer, DURATION_TEXT_MAX, "%lld.%09lld", (long long)(ns / NS_PER_S),
                     (long long)(ns % NS_PER_S));
    while (buffer[n - 1] == '0')
        n--;
    memcpy(buffer + n, "s", 2);
    return buffer;
}
