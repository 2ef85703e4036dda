#include "source/bgp/ris_live_message.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void ris_parser_done(struct ris_parser *parser)
{
    buffer_done(&parser->raw);
}

/* ---- members ---- */

static const char *text_of(const json_t *object, const char *name, size_t *n)
{
    const json_t *value = json_object_get(object, name);
    *n = json_string_length(value);
    return json_string_value(value);
}

static bool is_text(const json_t *object, const char *name, const char *wanted)
{
    size_t n;
    const char *text = text_of(object, name, &n);
    return text && n == strlen(wanted) && memcmp(text, wanted, n) == 0;
}

/* Names of collectors end up in the journal: only plain text is taken for one. */
bool ris_host(const char *text, size_t n, char out[RIS_HOST_MAX + 1])
{
    static const char domain[] = ".ripe.net";
    size_t tail = sizeof domain - 1;
    if (text && n > tail && memcmp(text + n - tail, domain, tail) == 0)
        n -= tail;
    if (!text || !n || n > RIS_HOST_MAX || !isalnum((unsigned char)*text))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)text[i]) && !memchr("-._", text[i], 3))
            return false;
    memcpy(out, text, n);
    out[n] = '\0';
    return true;
}

/* As a text, which is what the service does, or as a number. */
static bool read_asn(const json_t *data, uint32_t *out)
{
    const json_t *value = json_object_get(data, "peer_asn");
    long long asn = -1;
    if (json_is_integer(value)) {
        asn = json_integer_value(value);
    } else if (json_is_string(value) && isdigit((unsigned char)*json_string_value(value))) {
        char *end;
        asn = strtoll(json_string_value(value), &end, 10);
        if (end != json_string_value(value) + json_string_length(value))
            asn = -1;
    }
    if (asn < 0 || asn > UINT32_MAX)
        return false;
    *out = (uint32_t)asn;
    return true;
}

/* A double holds the seconds of today to a quarter of a microsecond. */
static bool read_time(const json_t *data, struct utc *out)
{
    static const double LATEST = 9e9; /* the year 2255 */
    const json_t *value = json_object_get(data, "timestamp");
    double seconds = json_number_value(value);
    if (!json_is_number(value) || seconds < 1 || seconds > LATEST)
        return false;
    out->ns = llround(seconds * 1e6) * 1000;
    return true;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

static bool read_hex(const char *text, size_t n, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        int digit = digit_of(text[i]);
        if (digit < 0)
            return false;
        *out = *out << 4 | (unsigned)digit;
    }
    return true;
}

/* See the header. What has another form, or another time, has no order. */
static void read_order(const json_t *data, struct ris_message *out)
{
    enum { TIME = 12, COUNTER = 4 };
    size_t n;
    uint64_t ms, counter;
    const char *id = text_of(data, "id", &n);
    if (!id || n <= TIME + COUNTER || id[n - TIME - COUNTER - 1] != '-')
        return;
    out->has_order = read_hex(id + n - TIME - COUNTER, TIME, &ms) &&
                     read_hex(id + n - COUNTER, COUNTER, &counter) &&
                     ms == (uint64_t)(out->time.ns / NS_PER_MS);
    out->order = out->has_order ? (uint32_t)counter : 0;
}

static const char *read_raw(const json_t *data, struct buffer *bytes, struct ris_message *out)
{
    size_t n;
    const char *text = text_of(data, "raw", &n);
    if (!text)
        return NULL;
    buffer_clear(bytes);
    for (size_t i = 0; i + 1 < n; i += 2) {
        int high = digit_of(text[i]), low = digit_of(text[i + 1]);
        if (high < 0 || low < 0)
            return "its raw bytes are not hexadecimal";
        buffer_u8(bytes, (uint8_t)(high << 4 | low));
    }
    if (n % 2 || !n)
        return "its raw bytes are cut off";
    out->has_raw = true;
    out->raw = reader_of(bytes->bytes, bytes->size);
    return NULL;
}

/* ---- messages ---- */

static enum ris_state state_of(const json_t *data)
{
    return is_text(data, "state", "connected") ? RIS_STATE_CONNECTED
           : is_text(data, "state", "up")      ? RIS_STATE_UP
           : is_text(data, "state", "down")    ? RIS_STATE_DOWN
                                               : RIS_STATE_OTHER;
}

static enum ris_kind kind_of(const json_t *data)
{
    if (is_text(data, "type", "UPDATE"))
        return RIS_UPDATE;
    if (is_text(data, "type", "KEEPALIVE"))
        return RIS_KEEPALIVE;
    bool is_state = is_text(data, "type", "STATE") || is_text(data, "type", "RIS_PEER_STATE");
    return is_state ? RIS_STATE : RIS_OTHER;
}

static const char *read_of_peer(const json_t *data, struct buffer *bytes, struct ris_message *out)
{
    size_t n;
    if (!json_is_object(data))
        return "it has no data";
    const char *host = text_of(data, "host", &n);
    if (!ris_host(host, n, out->host))
        return "it names no collector";
    const char *peer = text_of(data, "peer", &n);
    if (!peer || !addr_parse(peer, n, &out->peer))
        return "it names no address of a peer";
    if (!read_asn(data, &out->asn))
        return "it names no AS of a peer";
    if (!read_time(data, &out->time))
        return "it has no time";
    read_order(data, out);
    out->kind = kind_of(data);
    out->state = out->kind == RIS_STATE ? state_of(data) : RIS_STATE_OTHER;
    out->is_sent = is_text(data, "direction", "sent");
    if (out->kind == RIS_STATE)
        return NULL;
    const char *fault = read_raw(data, bytes, out);
    return out->kind == RIS_UPDATE ? fault : NULL;
}

static void read_error(const json_t *data, struct ris_message *out)
{
    size_t n;
    const char *text = text_of(data, "message", &n);
    out->kind = RIS_ERROR;
    for (size_t i = 0; text && i < n && i < RIS_TEXT_MAX; i++)
        out->text[i] = text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?';
    if (!text || !n)
        strcpy(out->text, "it does not say which");
}

static const char *read_line(const json_t *line, struct buffer *bytes, struct ris_message *out)
{
    const json_t *data = json_object_get(line, "data");
    if (!json_is_string(json_object_get(line, "type")))
        return "it is no message";
    if (is_text(line, "type", "ris_message"))
        return read_of_peer(data, bytes, out);
    if (is_text(line, "type", "ris_error"))
        read_error(data, out);
    return NULL;
}

const char *ris_message_decode(struct ris_parser *parser, const char *line, size_t n,
                               struct ris_message *out)
{
    struct ris_message message = {0};
    /* The data of a NOTIFICATION may be any bytes, and is written as a text. */
    json_t *value = json_loadb(line, n, JSON_ALLOW_NUL, NULL);
    const char *fault = value ? read_line(value, &parser->raw, &message) : "it is not JSON";
    json_decref(value);
    if (!fault)
        *out = message;
    return fault;
}

void ris_subscription(const char *host, struct buffer *out)
{
    buffer_puts(out, "X-RIS-Subscribe: {");
    if (host) {
        buffer_puts(out, "\"host\":");
        buffer_json(out, host);
        buffer_puts(out, ",");
    }
    buffer_puts(out, "\"socketOptions\":{\"includeRaw\":true,\"acknowledge\":false}}");
}
