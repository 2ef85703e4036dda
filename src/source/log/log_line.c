#include "source/log/log_line.h"

#include "base/mem.h"
#include "source/log/log_json.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const char *const names[LOG_MEMBER_COUNT] = {
#define LOG_MEMBER(constant, name) name,
#include "source/log/log_members.def"
#undef LOG_MEMBER
};

_Static_assert(LOG_MEMBER_COUNT <= 64, "struct log_line counts them in 64 bits");

#define BIT(member) (UINT64_C(1) << LOG_##member)

/* Without these a line says nothing. */
static const uint64_t required[OBSERVATION_KIND_COUNT] = {
    [OBSERVATION_PROBE] = BIT(TIME) | BIT(VANTAGE) | BIT(TARGET) | BIT(OUTCOME),
    [OBSERVATION_ROUTE] =
        BIT(TIME) | BIT(COLLECTOR) | BIT(PEER) | BIT(PEER_ASN) | BIT(PREFIX) | BIT(OP),
    [OBSERVATION_PEER] = BIT(TIME) | BIT(COLLECTOR) | BIT(PEER) | BIT(PEER_ASN) | BIT(STATE),
    [OBSERVATION_VISIBILITY] =
        BIT(TIME) | BIT(COLLECTOR) | BIT(PREFIX) | BIT(PEERS_UP) | BIT(PEERS_TOTAL),
    [OBSERVATION_TICK] = BIT(TIME),
    [OBSERVATION_GAP] = BIT(TIME) | BIT(SOURCE),
    [OBSERVATION_START] = BIT(TIME) | BIT(SOURCE),
    [OBSERVATION_STOP] = BIT(TIME) | BIT(SOURCE),
    [OBSERVATION_BIN] =
        BIT(TIME) | BIT(FAMILY) | BIT(SEEN) | BIT(KNOWN) | BIT(PEERS_UP) | BIT(PEERS_TOTAL),
};

void log_queue_push(struct log_queue *queue, const struct observation *observation)
{
    queue->list = mem_grow(queue->list, &queue->capacity, queue->count + 1, sizeof *queue->list);
    queue->list[queue->count++] = *observation;
}

void log_line_fail(struct log_line *line, enum err err, const char *format, ...)
{
    if (line->is_bad)
        return;
    line->is_bad = true;
    char text[sizeof line->why->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    why_set(line->why, err, "%s", text);
}

static void expect(struct log_line *line, enum log_member member, const char *expected)
{
    char shown[LOG_JSON_SHOWN_MAX];
    if (!line->is_bad)
        log_line_fail(line, ERR_INPUT, "member '%s': expected %s, found '%s'", names[member],
                      expected, log_json_show(line->members[member], shown));
}

json_t *log_line_take(struct log_line *line, enum log_member member)
{
    line->taken |= UINT64_C(1) << member;
    return line->is_bad ? NULL : line->members[member];
}

int64_t log_line_integer(struct log_line *line, enum log_member member, int64_t low, int64_t high)
{
    const json_t *value = log_line_take(line, member);
    if (!value)
        return 0;
    int64_t number = json_integer_value(value);
    if (json_is_integer(value) && number >= low && number <= high)
        return number;
    char expected[80];
    snprintf(expected, sizeof expected, "an integer from %lld to %lld", (long long)low,
             (long long)high);
    expect(line, member, expected);
    return 0;
}

bool log_line_flag(struct log_line *line, enum log_member member)
{
    const json_t *value = log_line_take(line, member);
    if (value && !json_is_boolean(value))
        expect(line, member, "true or false");
    return value && json_is_true(value);
}

struct utc log_line_time(struct log_line *line, enum log_member member)
{
    const json_t *value = log_line_take(line, member);
    struct utc time = {0};
    if (!value)
        return time;
    size_t n = json_string_length(value);
    if (!n || utc_parse(json_string_value(value), n, &time) != n || time.ns <= 0) {
        expect(line, member, "RFC 3339 UTC, 1970 to 2261");
        return (struct utc){0};
    }
    return time;
}

bool log_is_text(const json_t *value, size_t longest)
{
    const char *text = json_string_value(value);
    size_t n = json_string_length(value);
    if (n < 1 || n > longest)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    return true;
}

const char *log_line_text(struct log_line *line, enum log_member member, size_t longest)
{
    const json_t *value = log_line_take(line, member);
    if (!value)
        return NULL;
    if (log_is_text(value, longest))
        return json_string_value(value);
    char expected[80];
    snprintf(expected, sizeof expected, "a text of 1 to %zu bytes without control characters",
             longest);
    expect(line, member, expected);
    return NULL;
}

static const char *expected_name(enum name_kind kind)
{
    switch (kind) {
    case NAME_PREFIX:
        return "a prefix, ADDRESS/BITS with host bits zero";
    case NAME_ADDRESS:
        return "an IP address";
    case NAME_PATH:
        return "an AS path, numbers and {sets} separated by spaces";
    case NAME_COUNTRY:
        return "a country, two capital letters of ISO 3166-1";
    default:
        return "a name";
    }
}

/* An AS path may be empty: the route is the peer's own. */
static bool is_empty_path(const json_t *value, enum name_kind kind)
{
    return kind == NAME_PATH && json_is_string(value) && json_string_length(value) == 0;
}

uint32_t log_line_name(struct log_line *line, enum log_member member, enum name_kind kind)
{
    json_t *value = log_line_take(line, member);
    if (!value)
        return 0;
    const char *text = "";
    if (!is_empty_path(value, kind))
        text = log_line_text(line, member,
                             kind == NAME_TEXT || kind == NAME_PATH        ? LOG_TEXT_MAX
                             : kind == NAME_TARGET || kind == NAME_CONTROL ? TARGET_TEXT_MAX
                                                                           : LOG_NAME_MAX);
    if (!text)
        return 0;
    size_t n = json_string_length(value);
    uint64_t refused = registry_refused(line->registry);
    uint32_t id = registry_intern(line->registry, kind, text, n);
    struct target target;
    struct why why;
    if (!id && registry_refused(line->registry) != refused)
        log_line_fail(line, ERR_INPUT, "member '%s': too many different names", names[member]);
    else if (!id && (kind == NAME_TARGET || kind == NAME_CONTROL) &&
             target_parse(text, n, &target, &why))
        log_line_fail(line, ERR_INPUT, "member '%s': %s", names[member], why.text);
    else if (!id)
        expect(line, member, expected_name(kind));
    return id;
}

/* Writes the members that nobody took. */
static void write_extra(const struct log_line *line, struct buffer *out)
{
    const char *key;
    json_t *value;
    json_object_foreach(line->object, key, value)
    {
        int member = 0;
        while (member < LOG_MEMBER_COUNT && strcmp(key, names[member]) != 0)
            member++;
        if (member < LOG_MEMBER_COUNT && line->taken >> member & 1)
            continue;
        buffer_add(out, out->size ? "," : "{", 1);
        buffer_json(out, key);
        buffer_add(out, ":", 1);
        log_json_write(value, out);
    }
    if (out->size)
        buffer_add(out, "}", 1);
}

/* The number of a JSON object's text with the members for which is_known is false; 0 if there are
 * none. */
static uint32_t extra_of(struct log_line *line)
{
    struct buffer text = {0};
    write_extra(line, &text);
    uint32_t id = 0;
    if (text.size > LOG_EXTRA_MAX)
        log_line_fail(line, ERR_INPUT, "unknown members take %zu bytes; at most %d are kept",
                      text.size, LOG_EXTRA_MAX);
    else if (text.size)
        id = registry_intern(line->registry, NAME_TEXT, text.bytes, text.size);
    buffer_done(&text);
    return id;
}

static uint32_t read_peer(struct log_line *line)
{
    const char *address = log_line_text(line, LOG_PEER, LOG_NAME_MAX);
    int64_t asn = log_line_integer(line, LOG_PEER_ASN, 0, UINT32_MAX);
    if (line->is_bad)
        return 0;
    char text[LOG_NAME_MAX + 16];
    int n = snprintf(text, sizeof text, "%s %lld", address, (long long)asn);
    uint32_t id = registry_intern(line->registry, NAME_PEER, text, (size_t)n);
    if (!id)
        expect(line, LOG_PEER, expected_name(NAME_ADDRESS));
    return id;
}

/* The place of the member's text in the list, from 1; 0 if absent or none of them. */
static uint16_t read_choice(struct log_line *line, enum log_member member,
                            const char *const *choices, uint16_t count, const char *expected)
{
    const json_t *value = log_line_take(line, member);
    for (uint16_t i = 0; i < count && json_is_string(value); i++)
        if (strcmp(json_string_value(value), choices[i]) == 0)
            return (uint16_t)(i + 1);
    if (value)
        expect(line, member, expected);
    return 0;
}

static void read_route(struct log_line *line, struct observation *out)
{
    static const char *const ops[3] = {"announce", "withdraw", "table"};
    out->source = log_line_name(line, LOG_COLLECTOR, NAME_COLLECTOR);
    out->peer = read_peer(line);
    out->target = log_line_name(line, LOG_PREFIX, NAME_PREFIX);
    out->code = read_choice(line, LOG_OP, ops, 3, "announce, withdraw or table");
    out->path = log_line_name(line, LOG_PATH, NAME_PATH);
}

static void read_peer_state(struct log_line *line, struct observation *out)
{
    static const char *const states[] = {"up", "down", "table", "complete", "heard", "telling"};
    out->source = log_line_name(line, LOG_COLLECTOR, NAME_COLLECTOR);
    out->peer = read_peer(line);
    out->code =
        read_choice(line, LOG_STATE, states, 6, "up, down, table, complete, heard or telling");
    out->value = log_line_integer(line, LOG_PREFIXES, 0, UINT32_MAX);
}

static void read_visibility(struct log_line *line, struct observation *out)
{
    out->source = log_line_name(line, LOG_COLLECTOR, NAME_COLLECTOR);
    out->target = log_line_name(line, LOG_PREFIX, NAME_PREFIX);
    out->value = log_line_integer(line, LOG_PEERS_TOTAL, 0, UINT16_MAX);
    out->code = (uint16_t)log_line_integer(line, LOG_PEERS_UP, 0, out->value);
}

static uint32_t read_asn(struct log_line *line)
{
    char text[16];
    int64_t asn = log_line_integer(line, LOG_ASN, 0, UINT32_MAX);
    int n = snprintf(text, sizeof text, "%lld", (long long)asn);
    return line->is_bad ? 0 : registry_intern(line->registry, NAME_ASN, text, (size_t)n);
}

/* Of an AS, of a country, or of all. */
static void read_bin(struct log_line *line, struct observation *out)
{
    bool is_of_as = line->members[LOG_ASN] != NULL;
    out->target = is_of_as ? read_asn(line) : log_line_name(line, LOG_COUNTRY, NAME_COUNTRY);
    out->peer = log_line_name(line, LOG_SUBJECT, NAME_SUBJECT);
    out->family = (uint8_t)log_line_integer(line, LOG_FAMILY, 4, 6);
    if (out->family == 5)
        expect(line, LOG_FAMILY, "4 or 6");
    out->known = log_line_integer(line, LOG_KNOWN, 0, INT64_MAX);
    out->value = log_line_integer(line, LOG_SEEN, 0, out->known);
    out->peers_total = (uint16_t)log_line_integer(line, LOG_PEERS_TOTAL, 0, UINT16_MAX);
    out->code = (uint16_t)log_line_integer(line, LOG_PEERS_UP, 0, out->peers_total);
}

/* "vantage:NAME" or "collector:NAME" */
static uint32_t read_source(struct log_line *line)
{
    const char *text = log_line_text(line, LOG_SOURCE, LOG_NAME_MAX);
    if (!text)
        return 0;
    const char *colon = strchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;
    enum name_kind kind = n == 7 && memcmp(text, "vantage", n) == 0     ? NAME_VANTAGE
                          : n == 9 && memcmp(text, "collector", n) == 0 ? NAME_COLLECTOR
                                                                        : NAME_NONE;
    uint32_t id = 0;
    if (kind != NAME_NONE && colon[1])
        id = registry_intern(line->registry, kind, colon + 1, strlen(colon + 1));
    if (!id)
        expect(line, LOG_SOURCE, "vantage:NAME or collector:NAME");
    return id;
}

/* Only a collector's gap may be without an end: then its START ends it. */
static void read_gap(struct log_line *line, struct observation *out)
{
    out->value = log_line_time(line, LOG_UNTIL).ns;
    out->source = read_source(line);
    out->path = log_line_name(line, LOG_REASON, NAME_TEXT);
    bool is_open = !line->members[LOG_UNTIL];
    if (!line->is_bad && is_open && registry_kind(line->registry, out->source) == NAME_VANTAGE)
        log_line_fail(line, ERR_INPUT, "member 'until' is missing");
    else if (!line->is_bad && !is_open && out->value < out->time.ns)
        expect(line, LOG_UNTIL, "a time not before that of the gap's begin");
}

static void read_members(struct log_line *line, struct observation *out)
{
    out->time = log_line_time(line, LOG_TIME);
    switch ((enum observation_kind)out->kind) {
    case OBSERVATION_PROBE:
        log_probe_read(line, out);
        break;
    case OBSERVATION_ROUTE:
        read_route(line, out);
        break;
    case OBSERVATION_PEER:
        read_peer_state(line, out);
        break;
    case OBSERVATION_VISIBILITY:
        read_visibility(line, out);
        break;
    case OBSERVATION_BIN:
        read_bin(line, out);
        break;
    case OBSERVATION_GAP:
        read_gap(line, out);
        break;
    case OBSERVATION_START:
    case OBSERVATION_STOP:
        out->source = read_source(line);
        break;
    default:
        break;
    }
}

/* Sorts the members into line->members and takes those that are null: they say nothing. Lines
 * mostly follow the order of the table, so that each search begins where the last one ended.
 * Returns how many of the object's members it found there. */
static size_t find_members(struct log_line *line)
{
    const char *key;
    json_t *value;
    int at = 0;
    size_t found = 0;
    json_object_foreach(line->object, key, value)
    {
        int tried = 0;
        while (tried < LOG_MEMBER_COUNT && (*key != *names[at] || strcmp(key, names[at]) != 0)) {
            at = at + 1 < LOG_MEMBER_COUNT ? at + 1 : 0;
            tried++;
        }
        if (tried == LOG_MEMBER_COUNT)
            continue;
        found++;
        if (json_is_null(value))
            line->taken |= UINT64_C(1) << at;
        else
            line->members[at] = value;
    }
    return found;
}

static void check_required(struct log_line *line, enum observation_kind kind)
{
    for (int i = 0; i < LOG_MEMBER_COUNT; i++)
        if (required[kind] >> i & 1 && !line->members[i])
            log_line_fail(line, ERR_INPUT, "member '%s' is missing", names[i]);
}

/* The kind that the line's "type" names, a SUBJECT for "meta"; 0 if it is none. */
static enum observation_kind read_type(struct log_line *line)
{
    const json_t *type = log_line_take(line, LOG_TYPE);
    const char *name = json_string_value(type);
    char shown[LOG_JSON_SHOWN_MAX];
    if (!type) {
        log_line_fail(line, ERR_INPUT, "member 'type' is missing");
        return 0;
    }
    for (int i = 1; name && i < OBSERVATION_KIND_COUNT; i++)
        if (i != OBSERVATION_SUBJECT && i != OBSERVATION_MEMBER &&
            strcmp(name, observation_kind_name((enum observation_kind)i)) == 0)
            return (enum observation_kind)i;
    if (name && strcmp(name, "meta") == 0)
        return OBSERVATION_SUBJECT;
    log_line_fail(line, ERR_INPUT,
                  "member 'type': expected meta, probe, route, peer, visibility, tick, gap, start, "
                  "stop or bin, found '%s'",
                  log_json_show(type, shown));
    return 0;
}

/* True if a member that we know was not taken: it means nothing in a line like this one. */
static bool is_left_over(const struct log_line *line)
{
    for (int i = 0; i < LOG_MEMBER_COUNT; i++)
        if (line->members[i] && !(line->taken >> i & 1))
            return true;
    return false;
}

static void read_object(struct log_line *line, struct log_queue *queue)
{
    size_t found = find_members(line);
    enum observation_kind kind = read_type(line);
    if (line->is_bad)
        return;
    if (kind == OBSERVATION_SUBJECT) {
        log_subject_read(line, queue);
        return;
    }
    struct observation observation = {.kind = (uint8_t)kind};
    check_required(line, kind);
    read_members(line, &observation);
    if (!line->is_bad && (found < json_object_size(line->object) || is_left_over(line)))
        observation.extra = extra_of(line);
    if (!line->is_bad)
        log_queue_push(queue, &observation);
}

static enum err not_json(const json_error_t *error, struct why *why)
{
    char text[sizeof error->text + 1];
    snprintf(text, sizeof text, "%s", error->text);
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    return why_set(why, ERR_INPUT, "not JSON at byte %d: %s", error->position, text);
}

enum err log_line_read(const char *text, size_t n, struct registry *registry,
                       struct log_queue *queue, struct why *why)
{
    json_error_t error;
    json_t *object = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    if (!object)
        return not_json(&error, why);
    struct why reason = {.err = ERR_INPUT};
    struct log_line line = {.registry = registry, .object = object, .why = &reason};
    if (json_is_object(object))
        read_object(&line, queue);
    else
        log_line_fail(&line, ERR_INPUT, "expected a JSON object");
    json_decref(object);
    if (!line.is_bad)
        return ERR_OK;
    return why_set(why, reason.err, "%s", reason.text);
}
