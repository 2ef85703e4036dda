/* The members of a probe line: what its code and value are called depends on what was asked and on
 * what came of it (model/detail.h). */
#include "model/detail.h"
#include "source/log/log_line.h"

#include "source/log/log_json.h"

#include <math.h>
#include <string.h>

/* Ten to the power of six nanoseconds to a millisecond: exact in a double up to 104 days. */
static const double longest_rtt_ms = 86400e3;

static void fail_value(struct log_line *line, const char *name, const char *expected,
                       const json_t *value)
{
    char shown[LOG_JSON_SHOWN_MAX];
    log_line_fail(line, ERR_INPUT, "member '%s': expected %s, found '%s'", name, expected,
                  log_json_show(value, shown));
}

static uint8_t read_outcome(struct log_line *line)
{
    const json_t *value = log_line_take(line, LOG_OUTCOME);
    if (!value)
        return 0;
    int outcome = json_is_string(value)
                      ? outcome_from_name(json_string_value(value), json_string_length(value))
                      : -1;
    if (outcome < 0)
        fail_value(line, "outcome", "an outcome such as ok, timeout or refused", value);
    return outcome < 0 ? 0 : (uint8_t)outcome;
}

/* A probe that was answered went all the way, if nothing else is said. */
static uint8_t read_stage(struct log_line *line, enum outcome outcome)
{
    const json_t *value = log_line_take(line, LOG_STAGE);
    if (!value)
        return outcome == OUTCOME_OK || outcome == OUTCOME_DEGRADED ? STAGE_DONE : STAGE_NONE;
    int stage = json_is_string(value)
                    ? stage_from_name(json_string_value(value), json_string_length(value))
                    : -1;
    if (stage < 0)
        fail_value(line, "stage", "resolve, connect, tls, send, reply, body or done", value);
    return stage < 0 ? 0 : (uint8_t)stage;
}

static int64_t read_rtt(struct log_line *line)
{
    const json_t *value = log_line_take(line, LOG_RTT_MS);
    if (!value)
        return 0;
    double ms = json_number_value(value);
    if (json_is_number(value) && ms >= 0 && ms <= longest_rtt_ms)
        return llround(ms * 1e6);
    fail_value(line, "rtt_ms", "milliseconds from 0 to 86400000", value);
    return 0;
}

static uint16_t read_rcode(struct log_line *line)
{
    const json_t *value = log_line_take(line, LOG_RCODE);
    if (!value)
        return 0;
    json_int_t number = json_integer_value(value);
    if (json_is_string(value))
        number = rcode_from_name(json_string_value(value), json_string_length(value));
    if ((json_is_string(value) || json_is_integer(value)) && number >= 0 && number <= UINT16_MAX)
        return (uint16_t)number;
    fail_value(line, "rcode", "a DNS response code such as NOERROR or SERVFAIL, or its number",
               value);
    return 0;
}

/* Up to three digits, at most 255; moves *at past them. -1 if there are none. */
static int read_octet(const char **at)
{
    size_t n = strspn(*at, "0123456789");
    int number = 0;
    for (size_t i = 0; i < n && i < 4; i++)
        number = number * 10 + ((*at)[i] - '0');
    *at += n;
    return n < 1 || n > 3 || number > 255 ? -1 : number;
}

/* "TYPE/CODE" */
static uint16_t read_icmp(struct log_line *line)
{
    const json_t *value = log_line_take(line, LOG_ICMP);
    if (!value)
        return 0;
    const char *at = json_is_string(value) ? json_string_value(value) : "";
    int type = read_octet(&at);
    int code = type >= 0 && *at == '/' ? (at++, read_octet(&at)) : -1;
    if (code >= 0 && !*at)
        return (uint16_t)(type << 8 | code);
    fail_value(line, "icmp", "TYPE/CODE", value);
    return 0;
}

static uint16_t read_code(struct log_line *line, enum code_meaning meaning)
{
    switch (meaning) {
    case CODE_RCODE:
        return read_rcode(line);
    case CODE_STATUS:
        return (uint16_t)log_line_integer(line, LOG_STATUS, 0, UINT16_MAX);
    case CODE_PROBES:
        return (uint16_t)log_line_integer(line, LOG_PROBES, 0, UINT16_MAX);
    case CODE_ICMP:
        break;
    }
    return read_icmp(line);
}

static int64_t read_not_after(struct log_line *line)
{
    const json_t *value = log_line_take(line, LOG_NOT_AFTER);
    if (!value)
        return 0;
    int64_t seconds;
    size_t n = json_string_length(value);
    if (n && utc_parse_seconds(json_string_value(value), n, &seconds) == n)
        return seconds;
    fail_value(line, "not_after", "RFC 3339 UTC", value);
    return 0;
}

static int64_t read_value(struct log_line *line, enum value_meaning meaning)
{
    switch (meaning) {
    case VALUE_SERIAL:
        return log_line_integer(line, LOG_SERIAL, 0, UINT32_MAX);
    case VALUE_NOT_AFTER:
        return read_not_after(line);
    case VALUE_TTL:
        return log_line_integer(line, LOG_TTL, 0, UINT8_MAX);
    case VALUE_HOPS:
        return log_line_integer(line, LOG_HOPS, 0, UINT8_MAX);
    case VALUE_BELIEF:
        return log_line_integer(line, LOG_BELIEF, 0, 100);
    case VALUE_NUMBER:
        break;
    }
    return log_line_integer(line, LOG_VALUE, INT64_MIN, INT64_MAX);
}

/* A target, or a control: which of them it is, is known if it was met before. */
static uint32_t read_sake(struct log_line *line)
{
    const char *text = log_line_text(line, LOG_FOR, LOG_NAME_MAX);
    uint32_t control = text ? registry_find(line->registry, NAME_CONTROL, text, strlen(text)) : 0;
    bool is_target = text && registry_find(line->registry, NAME_TARGET, text, strlen(text));
    return control && !is_target ? control : log_line_name(line, LOG_FOR, NAME_TARGET);
}

void log_probe_read(struct log_line *line, struct observation *out)
{
    bool is_control = log_line_flag(line, LOG_CONTROL);
    out->source = log_line_name(line, LOG_VANTAGE, NAME_VANTAGE);
    out->target = log_line_name(line, LOG_TARGET, is_control ? NAME_CONTROL : NAME_TARGET);
    out->outcome = read_outcome(line);
    out->stage = read_stage(line, (enum outcome)out->outcome);
    out->peer = log_line_name(line, LOG_ADDRESS, NAME_ADDRESS);
    out->rtt_ns = read_rtt(line);
    out->path = read_sake(line);
    if (line->is_bad)
        return;
    enum target_kind kind = (enum target_kind)registry_target(line->registry, out->target)->kind;
    out->code = read_code(line, code_meaning(kind, (enum outcome)out->outcome));
    out->value = read_value(line, value_meaning(kind));
}
