/* Observations as lines of the observation log (design 7). The same observation always gives the
 * same bytes, and reading the line gives the same observation: numbers are exact, members have one
 * order, and what is 0 or said by the rest is left out. */
#include "out/log_line.h"

#include "base/buffer.h"
#include "model/detail.h"
#include "out/out.h"

#include <string.h>

void log_line_begin(struct buffer *out, const char *type, struct utc time)
{
    char text[UTC_TEXT_MAX];
    buffer_puts(out, "{\"type\":\"");
    buffer_puts(out, type);
    buffer_puts(out, "\",\"time\":\"");
    buffer_puts(out, utc_format(time, text));
    buffer_puts(out, "\"");
}

void log_line_end(struct buffer *out, const char *extra)
{
    size_t n = strlen(extra);
    if (n > 2) { /* without its braces */
        buffer_add(out, ",", 1);
        buffer_add(out, extra + 1, n - 2);
    }
    buffer_puts(out, "}\n");
}

static void put_member(struct buffer *out, const char *member)
{
    buffer_add(out, ",\"", 2);
    buffer_puts(out, member);
    buffer_add(out, "\":", 2);
}

static void put_text(struct buffer *out, const char *member, const char *text)
{
    put_member(out, member);
    buffer_json(out, text);
}

static void put_name(struct buffer *out, const char *member, const struct registry *registry,
                     uint32_t id)
{
    if (id)
        put_text(out, member, registry_text(registry, id));
}

/* Decimal digits, at least `width` of them. Printing numbers is most of the work of a line. */
static void add_digits(struct buffer *out, uint64_t value, size_t width)
{
    char text[20];
    size_t at = sizeof text;
    for (; value || sizeof text - at < width; value /= 10)
        text[--at] = (char)('0' + value % 10);
    buffer_add(out, text + at, sizeof text - at);
}

static void put_number(struct buffer *out, const char *member, int64_t value)
{
    put_member(out, member);
    if (value < 0)
        buffer_add(out, "-", 1);
    add_digits(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 1);
}

/* Milliseconds with as many decimals as the nanoseconds need. */
static void put_rtt(struct buffer *out, int64_t rtt_ns)
{
    if (rtt_ns <= 0)
        return;
    put_number(out, "rtt_ms", rtt_ns / NS_PER_MS);
    uint64_t rest = (uint64_t)(rtt_ns % NS_PER_MS);
    size_t width = 6;
    if (!rest)
        return;
    for (; rest % 10 == 0; rest /= 10)
        width--;
    buffer_add(out, ".", 1);
    add_digits(out, rest, width);
}

static void put_code(struct buffer *out, const struct observation *o, enum target_kind kind)
{
    enum outcome outcome = (enum outcome)o->outcome;
    enum code_meaning meaning = code_meaning(kind, outcome);
    if (!code_is_known(meaning, outcome, o->code))
        return;
    if (meaning == CODE_STATUS) {
        put_number(out, "status", o->code);
    } else if (meaning == CODE_PROBES) {
        put_number(out, "probes", o->code);
    } else if (meaning == CODE_ICMP) {
        put_member(out, "icmp");
        buffer_printf(out, "\"%d/%d\"", o->code >> 8, o->code & 0xff);
    } else if (rcode_name(o->code)) {
        put_text(out, "rcode", rcode_name(o->code));
    } else {
        put_number(out, "rcode", o->code);
    }
}

static void put_value(struct buffer *out, const struct observation *o, enum target_kind kind)
{
    char text[UTC_TEXT_MAX];
    if (!o->value)
        return;
    switch (value_meaning(kind)) {
    case VALUE_SERIAL:
        put_number(out, "serial", o->value);
        break;
    case VALUE_NOT_AFTER:
        put_text(out, "not_after", utc_format_seconds(o->value, text));
        break;
    case VALUE_TTL:
        put_number(out, "ttl", o->value);
        break;
    case VALUE_HOPS:
        put_number(out, "hops", o->value);
        break;
    case VALUE_BELIEF:
        put_number(out, "belief", o->value);
        break;
    case VALUE_NUMBER:
        put_number(out, "value", o->value);
        break;
    }
}

static void put_probe(struct buffer *out, const struct registry *registry,
                      const struct observation *o)
{
    bool is_answered = o->outcome == OUTCOME_OK || o->outcome == OUTCOME_DEGRADED;
    put_name(out, "vantage", registry, o->source);
    put_name(out, "target", registry, o->target);
    put_text(out, "outcome", outcome_name((enum outcome)o->outcome));
    if (o->stage != (is_answered ? STAGE_DONE : STAGE_NONE))
        put_text(out, "stage", stage_name((enum stage)o->stage));
    put_name(out, "address", registry, o->peer);
    if (registry_kind(registry, o->target) == NAME_CONTROL) {
        put_member(out, "control");
        buffer_puts(out, "true");
    }
    if (o->target) {
        enum target_kind kind = (enum target_kind)registry_target(registry, o->target)->kind;
        put_code(out, o, kind);
        put_value(out, o, kind);
    }
    put_rtt(out, o->rtt_ns);
    put_name(out, "for", registry, o->path);
}

static void put_collector_and_peer(struct buffer *out, const struct registry *registry,
                                   const struct observation *o)
{
    put_name(out, "collector", registry, o->source);
    if (o->peer) {
        const struct peer *peer = registry_peer(registry, o->peer);
        char text[ADDR_TEXT_MAX];
        put_text(out, "peer", addr_format(&peer->addr, text));
        put_number(out, "peer_asn", peer->asn);
    }
}

static void put_route(struct buffer *out, const struct registry *registry,
                      const struct observation *o)
{
    static const char *const ops[] = {
        [ROUTE_ANNOUNCE] = "announce", [ROUTE_WITHDRAW] = "withdraw", [ROUTE_TABLE] = "table"};
    put_collector_and_peer(out, registry, o);
    put_name(out, "prefix", registry, o->target);
    if (o->code >= ROUTE_ANNOUNCE && o->code <= ROUTE_TABLE)
        put_text(out, "op", ops[o->code]);
    put_name(out, "path", registry, o->path);
}

static void put_peer_state(struct buffer *out, const struct registry *registry,
                           const struct observation *o)
{
    static const char *const states[] = {[PEER_UP] = "up",       [PEER_DOWN] = "down",
                                         [PEER_TABLE] = "table", [PEER_COMPLETE] = "complete",
                                         [PEER_HEARD] = "heard", [PEER_TELLING] = "telling"};
    put_collector_and_peer(out, registry, o);
    if (o->code >= PEER_UP && o->code <= PEER_TELLING)
        put_text(out, "state", states[o->code]);
    if (o->value)
        put_number(out, "prefixes", o->value);
}

static void put_visibility(struct buffer *out, const struct registry *registry,
                           const struct observation *o)
{
    put_name(out, "collector", registry, o->source);
    put_name(out, "prefix", registry, o->target);
    put_number(out, "peers_up", o->code);
    put_number(out, "peers_total", o->value);
}

static void put_bin(struct buffer *out, const struct registry *registry,
                    const struct observation *o)
{
    if (registry_kind(registry, o->target) == NAME_ASN)
        put_number(out, "asn", registry_asn(registry, o->target));
    else
        put_name(out, "country", registry, o->target);
    put_number(out, "family", o->family);
    put_number(out, "seen", o->value);
    put_number(out, "known", o->known);
    put_number(out, "peers_up", o->code);
    put_number(out, "peers_total", o->peers_total);
    put_name(out, "subject", registry, o->peer);
}

static void put_source(struct buffer *out, const struct registry *registry, uint32_t source)
{
    bool is_vantage = registry_kind(registry, source) == NAME_VANTAGE;
    struct buffer text = {0};
    buffer_puts(&text, is_vantage ? "vantage:" : "collector:");
    buffer_puts(&text, registry_text(registry, source));
    put_text(out, "source", text.bytes);
    buffer_done(&text);
}

static void put_gap(struct buffer *out, const struct registry *registry,
                    const struct observation *o)
{
    char text[UTC_TEXT_MAX];
    if (o->value)
        put_text(out, "until", utc_format((struct utc){o->value}, text));
    put_source(out, registry, o->source);
    put_name(out, "reason", registry, o->path);
}

void out_log_line(const struct registry *registry, const struct observation *observation,
                  struct buffer *out)
{
    enum observation_kind kind = (enum observation_kind)observation->kind;
    if (kind == OBSERVATION_SUBJECT)
        log_line_meta(registry, observation, NULL, 0, out);
    if (kind == OBSERVATION_SUBJECT || kind == OBSERVATION_MEMBER)
        return;
    log_line_begin(out, observation_kind_name(kind), observation->time);
    switch (kind) {
    case OBSERVATION_PROBE:
        put_probe(out, registry, observation);
        break;
    case OBSERVATION_ROUTE:
        put_route(out, registry, observation);
        break;
    case OBSERVATION_PEER:
        put_peer_state(out, registry, observation);
        break;
    case OBSERVATION_VISIBILITY:
        put_visibility(out, registry, observation);
        break;
    case OBSERVATION_BIN:
        put_bin(out, registry, observation);
        break;
    case OBSERVATION_GAP:
        put_gap(out, registry, observation);
        break;
    case OBSERVATION_START:
    case OBSERVATION_STOP:
        put_source(out, registry, observation->source);
        break;
    default:
        break;
    }
    log_line_end(out, registry_text(registry, observation->extra));
}
