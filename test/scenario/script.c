#include "script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void script_fail(struct script *script, const char *format, ...)
{
    if (script->bad)
        return;
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    why_set(script->why, ERR_INPUT, "%s:%d: %s", script->file, script->line, text);
    script->bad = true;
}

void script_line(struct script *script, const char *text, size_t n)
{
    struct arena *arena = &script->world->arena;
    script->line++;
    script->count = script->at = 0;
    script->said = arena_copy(arena, text, n);
    const char *at = script->said, *end = at + n;
    for (;;) {
        while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
            at++;
        if (at == end || *at == '#')
            return;
        if (script->count == SCRIPT_WORDS) {
            script_fail(script, "more than %d words in a line", SCRIPT_WORDS);
            return;
        }
        bool is_quoted = *at == '"';
        const char *word = at += is_quoted;
        while (at < end && (is_quoted ? *at != '"' : *at != ' ' && *at != '\t' && *at != '\r'))
            at++;
        if (is_quoted && at == end) {
            script_fail(script, "a \" is not closed");
            return;
        }
        script->words[script->count++] = arena_copy(arena, word, (size_t)(at - word));
        at += is_quoted;
    }
}

const char *script_peek(const struct script *script)
{
    return script->bad || script->at == script->count ? "" : script->words[script->at];
}

const char *script_word(struct script *script, const char *expected)
{
    if (script->bad)
        return "";
    if (script->at == script->count) {
        script_fail(script, "the line ends; expected %s", expected);
        return "";
    }
    return script->words[script->at++];
}

bool script_take(struct script *script, const char *word)
{
    if (script->bad || script->at == script->count || strcmp(script->words[script->at], word) != 0)
        return false;
    script->at++;
    return true;
}

void script_finish(struct script *script)
{
    if (!script->bad && script->at < script->count)
        script_fail(script, "did not expect '%s' here", script->words[script->at]);
}

double script_number(struct script *script, const char *expected)
{
    const char *word = script_word(script, expected);
    char *end;
    double value = strtod(word, &end);
    if (!script->bad && (end == word || *end || !(value >= 0 && value <= 4294967295.0)))
        script_fail(script, "'%s' is not %s", word, expected);
    return script->bad ? 0 : value;
}

double script_share(struct script *script)
{
    const char *word = script_word(script, "a share such as 5%");
    char *end;
    double value = strtod(word, &end);
    if (!script->bad && (end == word || strcmp(end, "%") != 0 || !(value >= 0 && value <= 100)))
        script_fail(script, "'%s' is not a share such as 5%%", word);
    return script->bad ? 0 : value / 100;
}

int64_t script_duration(struct script *script)
{
    const char *word = script_word(script, "a duration such as 30s");
    int64_t ns = 0;
    if (!script->bad && !duration_parse(word, &ns))
        script_fail(script, "'%s' is not a duration such as 30s, 5m or 2h", word);
    return ns;
}

/* [DATE T]HH:MM[:SS] of n characters; without a date on the current day. */
static struct utc time_of_day(struct script *script, const char *text, size_t n)
{
    unsigned hour, minute, second = 0;
    char copy[16] = "", rest;
    struct utc day = script->day;
    if (n > 11 && text[10] == 'T') {
        const char *midnight = arena_printf(&script->world->arena, "%.10sT00:00:00Z", text);
        if (!utc_parse(midnight, strlen(midnight), &day))
            script_fail(script, "'%.10s' is not a date such as 2022-01-25", text);
        text += 11;
        n -= 11;
    }
    if (n < sizeof copy)
        memcpy(copy, text, n);
    int got = sscanf(copy, "%2u:%2u:%2u%c", &hour, &minute, &second, &rest);
    if ((got != 3 && (got != 2 || n > 5)) || hour > 24 || minute > 59 || second > 59)
        script_fail(script, "'%.*s' is not a time such as 21:35 or 21:35:20", (int)n, text);
    else if (!utc_is_known(day))
        script_fail(script, "a time before the first `day`");
    if (script->bad)
        return (struct utc){0};
    return utc_add(day, (int64_t)(hour * 3600 + minute * 60 + second) * NS_PER_S);
}

struct utc script_time(struct script *script)
{
    const char *word = script_word(script, "a time such as 21:35");
    if (script->bad)
        return (struct utc){0};
    return time_of_day(script, word, strlen(word));
}

struct span script_span(struct script *script)
{
    const char *word = script_word(script, "TIME..TIME");
    const char *dots = strstr(word, "..");
    if (!script->bad && !dots)
        script_fail(script, "'%s' is not TIME..TIME", word);
    if (script->bad)
        return (struct span){{0}, {0}};
    struct span span = {.from = time_of_day(script, word, (size_t)(dots - word)),
                        .to = time_of_day(script, dots + 2, strlen(dots + 2))};
    if (!script->bad && span.from.ns >= span.to.ns)
        script_fail(script, "'%s' ends before it begins", word);
    return span;
}

uint32_t script_thing(struct script *script, unsigned kinds, const char *expected)
{
    const char *word = script_word(script, expected);
    const struct world *world = script->world;
    for (uint32_t i = 1; i < world->thing_count && !script->bad; i++)
        if ((kinds >> world->things[i].kind & 1) && strcmp(world->things[i].name, word) == 0)
            return i;
    script_fail(script, "'%s' is not the name of %s", word, expected);
    return 0;
}
