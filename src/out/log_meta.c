/* The meta line of the observation log: a SUBJECT with its MEMBERs. */
#include "out/log_line.h"

#include <stdlib.h>
#include <string.h>

/* Where the JSON string that begins here ends, behind its quote. */
static const char *skip_string(const char *at)
{
    for (at++; *at && *at != '"'; at++)
        at += *at == '\\' && at[1];
    return *at ? at + 1 : at;
}

/* The reader keeps unknown members of "subject" last in the extra text, under that name. Returns
 * where that member's object begins, NULL if there is none; *before is the end of what stands
 * before it. */
static const char *find_subject(const char *extra, const char **before)
{
    static const char key[] = "\"subject\":{";
    int depth = 0;
    for (const char *at = extra; *at;) {
        if (*at == '"' && depth == 1 && strncmp(at, key, sizeof key - 1) == 0) {
            *before = at > extra + 1 ? at - 1 : at; /* the comma goes with it */
            return at + sizeof key - 2;
        }
        if (*at == '"') {
            at = skip_string(at);
            continue;
        }
        depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        at++;
    }
    return NULL;
}

static void put_offset(struct buffer *out, int64_t seconds)
{
    if (!seconds)
        return;
    long long all = seconds < 0 ? -seconds : seconds;
    buffer_printf(out, ",\"timezone\":\"%c%02lld:%02lld", seconds < 0 ? '-' : '+', all / 3600,
                  all / 60 % 60);
    if (all % 60)
        buffer_printf(out, ":%02lld", all % 60);
    buffer_puts(out, "\"");
}

/* "icmp:192.0.2.1", or an object if more is known than its name. */
static void put_target(const struct registry *registry, const struct observation *member,
                       struct buffer *out)
{
    char interval[DURATION_TEXT_MAX];
    const char *extra = registry_text(registry, member->extra);
    const char *text = registry_text(registry, member->target);
    if (member->value <= 0 && !*extra) {
        buffer_json(out, text);
        return;
    }
    buffer_puts(out, "{\"target\":");
    buffer_json(out, text);
    if (member->value > 0)
        buffer_printf(out, ",\"interval\":\"%s\"", duration_write(member->value, interval));
    if (*extra)
        buffer_printf(out, ",%.*s", (int)strlen(extra) - 2, extra + 1);
    buffer_puts(out, "}");
}

static void put_list(const struct registry *registry, const char *name, enum name_kind kind,
                     const struct observation *members, size_t count, struct buffer *out)
{
    size_t written = 0;
    for (size_t i = 0; i < count; i++) {
        if (registry_kind(registry, members[i].target) != kind)
            continue;
        if (written++)
            buffer_puts(out, ",");
        else
            buffer_printf(out, ",\"%s\":[", name);
        if (kind == NAME_TARGET)
            put_target(registry, &members[i], out);
        else if (kind == NAME_ASN)
            buffer_puts(out, registry_text(registry, members[i].target));
        else
            buffer_json(out, registry_text(registry, members[i].target));
    }
    if (written)
        buffer_puts(out, "]");
}

void log_line_meta(const struct registry *registry, const struct observation *subject,
                   const struct observation *members, size_t count, struct buffer *out)
{
    char time[UTC_TEXT_MAX];
    const char *extra = registry_text(registry, subject->extra);
    const char *before = extra + strlen(extra) - (*extra != '\0');
    const char *inner = find_subject(extra, &before);
    buffer_printf(out, "{\"type\":\"meta\",\"version\":%d,\"time\":\"%s\"", LOG_LINE_VERSION,
                  utc_format(subject->time, time));
    if (subject->code & SUBJECT_IS_RECONSTRUCTION)
        buffer_puts(out, ",\"reconstruction\":true");
    buffer_puts(out, ",\"subject\":{\"name\":");
    buffer_json(out, registry_text(registry, subject->target));
    if (subject->path) {
        buffer_puts(out, ",\"title\":");
        buffer_json(out, registry_text(registry, subject->path));
    }
    put_offset(out, subject->value);
    put_list(registry, "zones", NAME_ZONE, members, count, out);
    put_list(registry, "prefixes", NAME_PREFIX, members, count, out);
    put_list(registry, "asns", NAME_ASN, members, count, out);
    put_list(registry, "countries", NAME_COUNTRY, members, count, out);
    put_list(registry, "targets", NAME_TARGET, members, count, out);
    if (inner) /* {...}} without its own braces and the one of the whole */
        buffer_printf(out, ",%.*s", (int)strlen(inner) - 3, inner + 1);
    buffer_puts(out, "}");
    if (before > extra + 1)
        buffer_printf(out, ",%.*s", (int)(before - extra) - 1, extra + 1);
    buffer_puts(out, "}\n");
}
