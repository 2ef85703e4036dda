#include "source/blocks/block_file.h"

#include <stdlib.h>

/* Passes over blanks, and gives what stands before the next. Empty at the end, and before a comment. */
static struct reader take_field(struct reader *line)
{
    while (reader_left(line) && (*line->at == ' ' || *line->at == '\t'))
        line->at++;
    const uint8_t *stop = line->at;
    while (stop < line->end && *stop != ' ' && *stop != '\t' && *stop != '#')
        stop++;
    if (stop < line->end && *stop == '#')
        line->end = stop;
    return reader_sub(line, (size_t)(stop - line->at));
}

static bool read_network(const struct reader *field, struct prefix *out)
{
    return prefix_parse((const char *)field->at, reader_left(field), out) &&
           out->addr.family == 4 && out->bits == 24;
}

/* Digits with at most one point among them. */
static bool read_decimal(const struct reader *field, double *out)
{
    char text[24];
    size_t n = reader_left(field), points = 0;
    if (!n || n >= sizeof text)
        return false;
    for (size_t i = 0; i < n; i++) {
        text[i] = (char)field->at[i];
        points += text[i] == '.';
        if (text[i] != '.' && (text[i] < '0' || text[i] > '9'))
            return false;
    }
    text[n] = '\0';
    *out = strtod(text, NULL);
    return points <= 1 && n > points;
}

static bool read_availability(struct reader field, struct block_record *out)
{
    uint64_t answered, asked;
    if (read_decimal(&field, &out->availability)) {
        out->census.asked = CENSUS_QUESTIONS;
        return out->availability <= 1;
    }
    struct reader first = text_field(&field, '/');
    if (!text_number(&first, &answered) || !text_number(&field, &asked) || answered > asked ||
        asked >= CENSUS_QUESTIONS)
        return false;
    out->census.answered = (uint16_t)answered;
    out->census.asked = (uint16_t)asked;
    return true;
}

/* "7" or "7-12". */
static bool read_range(struct reader range, struct block_set *out)
{
    bool is_one = !memchr(range.at, '-', reader_left(&range));
    struct reader begin = text_field(&range, '-');
    uint64_t first, last;
    if (!text_number(&begin, &first))
        return false;
    last = first;
    if ((!is_one && !text_number(&range, &last)) || last < first || last >= BLOCK_ADDRESSES)
        return false;
    for (; first <= last; first++)
        block_set_add(out, (uint8_t)first);
    return true;
}

static bool read_addresses(struct reader field, struct block_set *out)
{
    if (text_is(&field, "-"))
        return true;
    do {
        struct reader range = text_field(&field, ',');
        if (!reader_left(&range) || !read_range(range, out))
            return false;
    } while (reader_left(&field));
    return field.end[-1] != ',';
}

static bool read_time(const struct reader *field, struct utc *out)
{
    size_t n = reader_left(field);
    return !n || utc_parse((const char *)field->at, n, out) == n;
}

/* NULL, or what is wrong with *culprit. */
static const char *read_line(struct reader line, struct reader *culprit, struct block_record *out)
{
    *culprit = take_field(&line);
    if (!read_network(culprit, &out->network))
        return "is no network NETWORK/24 of IPv4";
    *culprit = take_field(&line);
    if (!reader_left(culprit) || !read_availability(*culprit, out))
        return "is no availability from 0 to 1, and no ANSWERS/QUESTIONS of a census";
    *culprit = take_field(&line);
    if (!reader_left(culprit) || !read_addresses(*culprit, &out->census.found))
        return "are no addresses, such as 1-14,20, or - for none";
    *culprit = take_field(&line);
    if (!read_time(culprit, &out->since))
        return "is no time, such as 2026-11-29T10:00:00Z";
    *culprit = take_field(&line);
    return reader_left(culprit) ? "stands behind the time" : NULL;
}

static bool is_empty(struct reader line)
{
    struct reader first = take_field(&line);
    return !reader_left(&first);
}

enum err block_file_read(struct text *text,
                         void (*take)(void *context, const struct block_record *record),
                         void *context, struct why *why)
{
    struct reader line, culprit;
    char shown[TEXT_SHOWN_MAX];
    int got;
    while ((got = text_line(text, &line)) > 0) {
        if (is_empty(line))
            continue;
        struct block_record record = {0};
        text->faults->records++;
        const char *fault = read_line(line, &culprit, &record);
        if (fault)
            text_report(text, "\"%s\" %s", text_show(&culprit, shown), fault);
        else
            take(context, &record);
    }
    return got < 0 ? text_fail(text, why, ERR_IO, "cannot be read") : ERR_OK;
}

void block_file_begin(struct buffer *out)
{
    buffer_puts(out, "# network  availability, or answers/questions of a census  "
                     "addresses that ever answered  since\n");
}

static void write_addresses(const struct block_set *set, struct buffer *out)
{
    const char *comma = "";
    for (unsigned first = 0; first < BLOCK_ADDRESSES; first++) {
        unsigned last = first;
        if (!block_set_has(set, (uint8_t)first))
            continue;
        while (last + 1 < BLOCK_ADDRESSES && block_set_has(set, (uint8_t)(last + 1)))
            last++;
        buffer_printf(out, "%s%u", comma, first);
        if (last > first)
            buffer_printf(out, "-%u", last);
        comma = ",";
        first = last;
    }
    if (!*comma)
        buffer_puts(out, "-");
}

void block_file_write(const struct block_record *record, struct buffer *out)
{
    char network[PREFIX_TEXT_MAX], time[UTC_TEXT_MAX];
    const struct census *census = &record->census;
    buffer_printf(out, "%s ", prefix_format(&record->network, network));
    if (census_is_over(census))
        buffer_printf(out, "%.3f ", record->availability);
    else
        buffer_printf(out, "%u/%u ", census->answered, census->asked);
    write_addresses(&census->found, out);
    if (utc_is_known(record->since))
        buffer_printf(out, " %s", utc_format(record->since, time));
    buffer_puts(out, "\n");
}
