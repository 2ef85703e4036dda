/* A meta line: the version of the log, and the subject that it is about, which becomes a SUBJECT
 * and its MEMBERs. What is not known of it is kept: in the SUBJECT's extra as an object, with the
 * unknown members of "subject" last, under that name; and in the extra of a MEMBER what its target
 * had besides. */
#include "base/mem.h"
#include "model/subject.h"
#include "source/log/log_json.h"
#include "source/log/log_line.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A country has some thousand prefixes; far more than that is a mistake. */
enum { MEMBERS_MAX = 100000 };

struct draft {
    struct log_line *line;
    struct arena arena;
    struct subject_spec spec;
    struct member_spec *members;
    size_t member_capacity;
    uint32_t *extras; /* of each member */
    size_t extra_capacity;
};

static void fail_value(struct log_line *line, const char *name, const char *expected,
                       const json_t *value)
{
    char shown[LOG_JSON_SHOWN_MAX];
    log_line_fail(line, ERR_INPUT, "member 'subject.%s': expected %s, found '%s'", name, expected,
                  log_json_show(value, shown));
}

/* A member; NULL if it is absent or null. */
static const json_t *get(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_null(value) ? NULL : value;
}

/* Members of the object that are not among `known`, as the text of a JSON object. */
static void write_unknown(const json_t *object, const char *const *known, struct buffer *out)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        const char *const *name = known;
        while (*name && strcmp(*name, key) != 0)
            name++;
        if (*name)
            continue;
        buffer_add(out, out->size ? "," : "{", 1);
        buffer_json(out, key);
        buffer_add(out, ":", 1);
        log_json_write(value, out);
    }
    if (out->size)
        buffer_add(out, "}", 1);
}

static uint32_t intern_text(struct log_line *line, const struct buffer *text)
{
    if (text->size > LOG_EXTRA_MAX)
        log_line_fail(line, ERR_INPUT, "unknown members take %zu bytes; at most %d are kept",
                      text->size, LOG_EXTRA_MAX);
    return text->size && !line->is_bad
               ? registry_intern(line->registry, NAME_TEXT, text->bytes, text->size)
               : 0;
}

static void add_member(struct draft *draft, enum name_kind kind, const char *text,
                       int64_t interval_ns, uint32_t extra)
{
    size_t n = draft->spec.member_count;
    if (n == MEMBERS_MAX) {
        log_line_fail(draft->line, ERR_INPUT, "member 'subject': has more than %d members",
                      MEMBERS_MAX);
        return;
    }
    draft->members =
        mem_grow(draft->members, &draft->member_capacity, n + 1, sizeof *draft->members);
    draft->extras = mem_grow(draft->extras, &draft->extra_capacity, n + 1, sizeof *draft->extras);
    draft->members[n] = (struct member_spec){kind, text, interval_ns};
    draft->extras[n] = extra;
    draft->spec.member_count++;
}

/* {"target":"icmp:192.0.2.1","interval":"30s"} */
static void add_target_object(struct draft *draft, const json_t *object)
{
    static const char *const known[] = {"target", "interval", NULL};
    const json_t *target = get(object, "target");
    const json_t *interval = get(object, "interval");
    int64_t interval_ns = 0;
    if (!log_is_text(target, TARGET_TEXT_MAX)) {
        fail_value(draft->line, "targets", "a target or an object with 'target'", object);
        return;
    }
    if (interval &&
        !(json_is_string(interval) && duration_parse(json_string_value(interval), &interval_ns))) {
        fail_value(draft->line, "targets.interval", "a duration such as '30s'", interval);
        return;
    }
    struct buffer unknown = {0};
    write_unknown(object, known, &unknown);
    uint32_t extra = intern_text(draft->line, &unknown);
    buffer_done(&unknown);
    add_member(draft, NAME_TARGET, json_string_value(target), interval_ns, extra);
}

static void add_asn(struct draft *draft, const json_t *value)
{
    const char *text = json_string_value(value);
    if (json_is_integer(value) && json_integer_value(value) >= 0 &&
        json_integer_value(value) <= UINT32_MAX)
        text = arena_printf(&draft->arena, "%lld", (long long)json_integer_value(value));
    else if (text && (text[0] == 'A' || text[0] == 'a') && (text[1] == 'S' || text[1] == 's'))
        text += 2;
    if (text && *text)
        add_member(draft, NAME_ASN, text, 0, 0);
    else
        fail_value(draft->line, "asns", "an AS number", value);
}

static void add_element(struct draft *draft, const char *list, enum name_kind kind,
                        const json_t *value)
{
    if (kind == NAME_ASN)
        add_asn(draft, value);
    else if (kind == NAME_TARGET && json_is_object(value))
        add_target_object(draft, value);
    else if (log_is_text(value, kind == NAME_TARGET ? TARGET_TEXT_MAX : LOG_NAME_MAX))
        add_member(draft, kind, json_string_value(value), 0, 0);
    else
        fail_value(draft->line, list, "a list of texts", value);
}

static void read_list(struct draft *draft, const json_t *subject, const char *list,
                      enum name_kind kind)
{
    const json_t *values = get(subject, list);
    if (values && !json_is_array(values))
        fail_value(draft->line, list, "a list", values);
    for (size_t i = 0; i < json_array_size(values) && !draft->line->is_bad; i++)
        add_element(draft, list, kind, json_array_get(values, i));
}

/* "+09:00", "-03:30" or "Z", with seconds if there are any, as once there were. */
static bool parse_offset(const char *text, int *seconds)
{
    int h, m, s = 0, used = 0;
    char sign;
    if (strcmp(text, "Z") == 0) {
        *seconds = 0;
        return true;
    }
    int got = sscanf(text, "%c%2d:%2d%n:%2d%n", &sign, &h, &m, &used, &s, &used);
    if (got < 3 || text[used] || (sign != '+' && sign != '-') ||
        strspn(text + 1, "0123456789:") + 1 != (size_t)used)
        return false;
    if (h > 23 || m > 59 || s > 59)
        return false;
    *seconds = (sign == '-' ? -1 : 1) * (h * 3600 + m * 60 + s);
    return true;
}

static const char *read_text(struct draft *draft, const json_t *subject, const char *name,
                             size_t longest)
{
    const json_t *value = get(subject, name);
    if (value && !log_is_text(value, longest))
        fail_value(draft->line, name, "a text without control characters", value);
    return json_string_value(value);
}

static void read_subject(struct draft *draft, const json_t *subject)
{
    draft->spec.name = read_text(draft, subject, "name", LOG_NAME_MAX);
    draft->spec.title = read_text(draft, subject, "title", LOG_TEXT_MAX);
    const json_t *timezone = get(subject, "timezone");
    if (!draft->spec.name)
        log_line_fail(draft->line, ERR_INPUT, "member 'subject.name' is missing");
    if (timezone && !(json_is_string(timezone) &&
                      parse_offset(json_string_value(timezone), &draft->spec.utc_offset_s)))
        fail_value(draft->line, "timezone", "an offset such as '+09:00'", timezone);
    read_list(draft, subject, "zones", NAME_ZONE);
    read_list(draft, subject, "prefixes", NAME_PREFIX);
    read_list(draft, subject, "asns", NAME_ASN);
    read_list(draft, subject, "countries", NAME_COUNTRY);
    read_list(draft, subject, "targets", NAME_TARGET);
}

static uint32_t subject_extra(struct draft *draft, const json_t *subject, bool is_title_taken)
{
    /* the title stands first, so that it can be left out */
    static const char *const known_meta[] = {"title",          "type",    "version", "time",
                                             "reconstruction", "subject", NULL};
    static const char *const known_subject[] = {
        "name", "title", "timezone", "zones", "prefixes", "asns", "countries", "targets", NULL};
    const char *const *known = is_title_taken ? known_meta : known_meta + 1;
    struct buffer text = {0}, inner = {0};
    write_unknown(draft->line->object, known, &text);
    write_unknown(subject, known_subject, &inner);
    if (inner.size) {
        if (text.size)
            text.bytes[--text.size] = '\0'; /* the brace: one more member follows */
        buffer_printf(&text, "%s\"subject\":%s}", text.size ? "," : "{", inner.bytes);
    }
    uint32_t extra = intern_text(draft->line, &text);
    buffer_done(&text);
    buffer_done(&inner);
    return extra;
}

static void push(void *context, const struct observation *observation)
{
    log_queue_push(context, observation);
}

static void emit(struct draft *draft, struct utc time, uint32_t extra, struct log_queue *queue)
{
    struct sink sink = {.registry = draft->line->registry, .emit = push, .context = queue};
    struct why why;
    size_t first = queue->count;
    draft->spec.members = draft->members;
    if (subject_emit(&draft->spec, time, &sink, &why)) {
        log_line_fail(draft->line, ERR_INPUT, "member 'subject': %s", why.text);
        return;
    }
    queue->list[first].extra = extra;
    for (size_t i = 0; i < draft->spec.member_count; i++)
        queue->list[first + 1 + i].extra = draft->extras[i];
}

static bool check_version(struct log_line *line)
{
    const json_t *version = log_line_take(line, LOG_VERSION);
    if (json_is_integer(version) && json_integer_value(version) > LOG_FORMAT_VERSION)
        log_line_fail(line, ERR_VERSION,
                      "this log has version %lld; this program reads version %d: use a newer one",
                      (long long)json_integer_value(version), LOG_FORMAT_VERSION);
    else
        log_line_integer(line, LOG_VERSION, 1, LOG_FORMAT_VERSION);
    return !line->is_bad;
}

void log_subject_read(struct log_line *line, struct log_queue *queue)
{
    const json_t *subject = line->members[LOG_SUBJECT];
    if (!check_version(line) || !subject)
        return;
    if (!json_is_object(subject) || !line->members[LOG_TIME]) {
        log_line_fail(line, ERR_INPUT,
                      json_is_object(subject) ? "member 'time' is missing"
                                              : "member 'subject': expected an object");
        return;
    }
    struct draft draft = {.line = line};
    struct utc time = log_line_time(line, LOG_TIME);
    draft.spec.is_reconstruction = log_line_flag(line, LOG_RECONSTRUCTION);
    read_subject(&draft, subject);
    bool is_title_taken = line->members[LOG_TITLE] && !draft.spec.title;
    if (is_title_taken)
        draft.spec.title = log_line_text(line, LOG_TITLE, LOG_TEXT_MAX);
    uint32_t extra = line->is_bad ? 0 : subject_extra(&draft, subject, is_title_taken);
    if (!line->is_bad)
        emit(&draft, time, extra, queue);
    arena_done(&draft.arena);
    free(draft.members);
    free(draft.extras);
}
