#include "out/words.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static int64_t day_of(struct utc t)
{
    return t.ns / NS_PER_DAY;
}

static struct utc floor_to(struct utc t, int64_t unit_ns)
{
    return (struct utc){t.ns - t.ns % unit_ns};
}

static struct utc ceil_to(struct utc t, int64_t unit_ns)
{
    return floor_to(utc_add(t, unit_ns - 1), unit_ns);
}

const char *words_time(struct arena *arena, struct utc t)
{
    char text[UTC_TEXT_MAX];
    if (!utc_is_known(t))
        return "-";
    return arena_printf(arena, "%s", utc_format(floor_to(t, NS_PER_S), text));
}

/* With its date, as a bare time of day ("21:00:10Z"), or without the Z where the reader knows the
 * day. */
enum time_form { FORM_DATE, FORM_TIME, FORM_BARE };

static const char *write_time(struct arena *arena, struct utc t, enum time_form form)
{
    char text[UTC_TEXT_MAX];
    utc_format(t, text);
    if (form == FORM_DATE)
        return arena_printf(arena, "%s", text);
    const char *time = strchr(text, 'T') + 1;
    int length = (int)strlen(time) - (form == FORM_BARE);
    return arena_printf(arena, "%.*s", length, time);
}

static const char *write_one(struct arena *arena, const char *before, struct utc t, struct utc day)
{
    bool is_same_day = utc_is_known(day) && day_of(t) == day_of(day);
    return arena_printf(arena, "%s %s", before,
                        write_time(arena, t, is_same_day ? FORM_BARE : FORM_DATE));
}

/* The unit to which an interval is rounded outwards. */
static int64_t unit_of(const struct interval *at)
{
    return utc_diff(at->first_after, at->last_before) < 10 * NS_PER_S ? NS_PER_MS : NS_PER_S;
}

const char *words_interval(struct arena *arena, const struct interval *at, struct utc day)
{
    bool has_first = utc_is_known(at->last_before), has_last = utc_is_known(at->first_after);
    if (!has_first && !has_last)
        return "at a time that is not known";
    if (!has_first)
        return write_one(arena, "by", ceil_to(at->first_after, NS_PER_S), day);
    if (!has_last)
        return write_one(arena, "after", floor_to(at->last_before, NS_PER_S), day);
    int64_t unit_ns = unit_of(at);
    struct utc first = floor_to(at->last_before, unit_ns), last = ceil_to(at->first_after, unit_ns);
    if (first.ns == last.ns)
        return write_one(arena, "at", first, day);
    bool is_bare = utc_is_known(day) && day_of(first) == day_of(day) && day_of(last) == day_of(day);
    enum time_form short_form = is_bare ? FORM_BARE : FORM_TIME;
    return arena_printf(
        arena, "between %s and %s", write_time(arena, first, is_bare ? FORM_BARE : FORM_DATE),
        write_time(arena, last, day_of(first) == day_of(last) ? short_form : FORM_DATE));
}

void words_ends(struct arena *arena, const struct interval *at, struct utc day, const char **first,
                const char **last)
{
    bool is_whole = utc_is_known(at->last_before) && utc_is_known(at->first_after);
    int64_t unit_ns = is_whole ? unit_of(at) : NS_PER_S;
    struct utc ends[2] = {floor_to(at->last_before, unit_ns), ceil_to(at->first_after, unit_ns)};
    const char *texts[2] = {"-", "-"};
    for (int i = 0; i < 2; i++) {
        if (!utc_is_known(i ? at->first_after : at->last_before))
            continue;
        bool is_same_day = utc_is_known(day) && day_of(ends[i]) == day_of(day);
        texts[i] = write_time(arena, ends[i], is_same_day ? FORM_BARE : FORM_DATE);
        day = ends[i];
    }
    *first = texts[0];
    *last = texts[1];
}

const char *words_between(struct arena *arena, const struct interval *from,
                          const struct interval *to)
{
    char least[DURATION_TEXT_MAX], most[DURATION_TEXT_MAX];
    struct utc from_first = utc_is_known(from->last_before) ? from->last_before : from->first_after;
    struct utc to_last = utc_is_known(to->first_after) ? to->first_after : to->last_before;
    struct utc from_last = utc_is_known(from->first_after) ? from->first_after : from_first;
    struct utc to_first = utc_is_known(to->last_before) ? to->last_before : to_last;
    if (!utc_is_known(from_first) || !utc_is_known(to_last))
        return "-";
    int64_t shortest = utc_diff(to_first, from_last);
    duration_format(shortest < 0 ? 0 : shortest, least);
    duration_format(utc_diff(to_last, from_first), most);
    if (strcmp(least, most) == 0)
        return arena_printf(arena, "%s", most);
    if (shortest <= 0)
        return arena_printf(arena, "at most %s", most);
    return arena_printf(arena, "%s to %s", least, most);
}

/* By whole percents, so that the word always fits the figure beside it. */
const char *words_likelihood(double p)
{
    static const struct {
        double below;
        const char *words;
    } scale[] = {{5, "almost no chance"}, {20, "very unlikely"}, {45, "unlikely"},
                 {55, "roughly even"},    {80, "likely"},        {95, "very likely"}};
    double percent = round(p * 100);
    for (size_t i = 0; i < sizeof scale / sizeof *scale; i++)
        if (percent < scale[i].below)
            return scale[i].words;
    return "almost certain";
}

const char *words_percent(struct arena *arena, double p)
{
    double percent = round(p * 100);
    if (percent < 1)
        return "below 1 %";
    if (percent > 99)
        return "above 99 %";
    return arena_printf(arena, "%.0f %%", percent);
}

const char *words_share(struct arena *arena, double share)
{
    double percent = share * 100;
    return arena_printf(arena, percent > 0 && percent < 9.95 ? "%.1f %%" : "%.0f %%", percent);
}

struct unit_words {
    const char *one, *many;
    const char *down, *degraded;
};

static const struct unit_words layer_words[LAYER_COUNT] = {
    [LAYER_CONTROL] = {"control", "controls", "the observer's own controls failed",
                       "the observer's own controls suffered"},
    [LAYER_ROUTE] = {"route", "routes", "routes went", "routes were disturbed"},
    [LAYER_PATH] = {"host", "hosts", "the path failed", "loss or delay rose on the path"},
    [LAYER_HOST] = {"host", "hosts", "hosts stopped answering", "hosts answered only in part"},
    [LAYER_NAME] = {"name server", "name servers", "name servers failed",
                    "name servers answered only in part"},
    [LAYER_SERVICE] = {"service", "services", "services failed", "services answered only in part"},
};

/* Of the layers in which there are whole networks and zones. */
static const struct unit_words whole_words[LAYER_COUNT] = {
    [LAYER_PATH] = {"network", "networks", "the path failed", "loss or delay rose on the path"},
    [LAYER_HOST] = {"network", "networks", "networks stopped answering",
                    "networks answered only in part"},
    [LAYER_NAME] = {"zone", "zones", "zones failed", "zones answered only in part"},
};
static const struct unit_words both_words[LAYER_COUNT] = {
    [LAYER_PATH] = {"host or network", "hosts and networks", "the path failed",
                    "loss or delay rose on the path"},
    [LAYER_HOST] = {"host or network", "hosts and networks", "hosts and networks stopped answering",
                    "hosts and networks answered only in part"},
    [LAYER_NAME] = {"name server or zone", "name servers and zones",
                    "name servers and zones failed",
                    "name servers and zones answered only in part"},
};

enum units units_of(unsigned all, unsigned whole)
{
    return !whole ? UNITS_SINGLE : whole == all ? UNITS_WHOLE : UNITS_BOTH;
}

static const struct unit_words *words_of(enum layer layer, enum units units)
{
    const struct unit_words *words = units == UNITS_WHOLE  ? &whole_words[layer]
                                     : units == UNITS_BOTH ? &both_words[layer]
                                                           : &layer_words[layer];
    return words->one ? words : &layer_words[layer];
}

const char *words_unit(enum layer layer, enum units units, unsigned n)
{
    return n == 1 ? words_of(layer, units)->one : words_of(layer, units)->many;
}

const char *words_failure(enum layer layer, enum units units, bool is_degraded)
{
    return is_degraded ? words_of(layer, units)->degraded : words_of(layer, units)->down;
}

const char *words_list(struct arena *arena, const char *const *items, size_t count)
{
    const char *text = count ? items[0] : "";
    for (size_t i = 1; i < count; i++)
        text = arena_printf(arena, "%s%s%s", text, i + 1 == count ? " and " : ", ", items[i]);
    return text;
}

const char *words_number(struct arena *arena, uint64_t n)
{
    if (n < 1000)
        return arena_printf(arena, "%" PRIu64, n);
    return arena_printf(arena, "%s %03u", words_number(arena, n / 1000), (unsigned)(n % 1000));
}

const char *words_count(struct arena *arena, uint64_t n, const char *one, const char *many)
{
    return arena_printf(arena, "%llu %s", (unsigned long long)n, n == 1 ? one : many);
}
