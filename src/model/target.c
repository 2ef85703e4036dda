#include "model/target.h"

#include "base/endpoint.h"

#include <stdio.h>
#include <string.h>

/* PREFIX: how a target of the kind begins. PORT: the default. */
static const struct {
    const char *name;
    const char *prefix;
    uint8_t layer;
    uint16_t port;
} kinds[TARGET_KIND_COUNT] = {
    [TARGET_ICMP] = {"icmp", "icmp:", LAYER_HOST, 0},
    [TARGET_TCP] = {"tcp", "tcp:", LAYER_SERVICE, 0},
    [TARGET_TLS] = {"tls", "tls:", LAYER_SERVICE, 0},
    [TARGET_SMTP] = {"smtp", "smtp:", LAYER_SERVICE, 25},
    [TARGET_DNS] = {"dns", "dns:", LAYER_NAME, 53},
    [TARGET_ZONE] = {"zone", "zone:", LAYER_NAME, 53},
    [TARGET_TRACE] = {"trace", "trace:", LAYER_PATH, 0},
    [TARGET_HTTP] = {"http", "http://", LAYER_SERVICE, 80},
    [TARGET_HTTPS] = {"https", "https://", LAYER_SERVICE, 443},
    [TARGET_BLOCK] = {"block", "block:", LAYER_HOST, 0},
    [TARGET_SELF] = {"self", "self:", LAYER_CONTROL, 0},
};

/* The same kinds of question over another protocol. A trace begins at the port at which traceroute does. */
static const struct {
    const char *prefix;
    enum target_kind kind;
    bool is_tcp;
    uint16_t port;
} variants[] = {{"dns+tcp:", TARGET_DNS, true, 53},
                {"trace+udp:", TARGET_TRACE, false, 33434},
                {"trace+tcp:", TARGET_TRACE, true, 0}};

const char *target_kind_name(enum target_kind kind)
{
    return kinds[kind].name;
}

static bool begins_with(const char *text, size_t n, const char *prefix)
{
    size_t length = strlen(prefix);
    return n >= length && memcmp(text, prefix, length) == 0;
}

/* What a text begins like, and where the rest of it begins; 0 if it is no kind of target. */
static size_t read_kind(const char *text, size_t n, struct target *out)
{
    for (int i = 0; i < TARGET_KIND_COUNT; i++) {
        *out = (struct target){.kind = (uint8_t)i, .port = kinds[i].port};
        if (begins_with(text, n, kinds[i].prefix))
            return strlen(kinds[i].prefix);
    }
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        *out = (struct target){.kind = (uint8_t)variants[i].kind,
                               .is_tcp = variants[i].is_tcp,
                               .port = variants[i].port};
        if (begins_with(text, n, variants[i].prefix))
            return strlen(variants[i].prefix);
    }
    return 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Levenshtein's distance of a short word to a kind's name; capitals count as small letters. */
static unsigned distance(const char *a, size_t an, const char *b)
{
    unsigned row[16];
    size_t bn = strlen(b);
    for (unsigned j = 0; j <= bn; j++)
        row[j] = j;
    for (size_t i = 1; i <= an; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= bn; j++) {
            unsigned above = row[j];
            unsigned best = diagonal + (lower(a[i - 1]) != b[j - 1]);
            best = above + 1 < best ? above + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[bn];
}

static enum err unknown_kind(const char *text, size_t n, struct why *why)
{
    const char *colon = memchr(text, ':', n);
    size_t word = colon ? (size_t)(colon - text) : n;
    int shown = (int)(n > 80 ? 80 : n);
    if (colon && word <= 12) {
        int best = 0;
        for (int i = 1; i < TARGET_KIND_COUNT; i++)
            if (distance(text, word, kinds[i].name) < distance(text, word, kinds[best].name))
                best = i;
        if (distance(text, word, kinds[best].name) <= 2)
            return why_set(why, ERR_INPUT, "'%.*s' is no kind of target; did you mean '%s...'?",
                           shown, text, kinds[best].prefix);
    }
    struct addr addr;
    if (addr_parse(text, n, &addr))
        return why_set(why, ERR_INPUT, "'%.*s' is an address; to ping it, write 'icmp:%.*s'", shown,
                       text, shown, text);
    return why_set(
        why, ERR_INPUT,
        "'%.*s' is no target; expected icmp:ADDRESS, tcp:ADDRESS:PORT, tls:HOST:PORT, "
        "smtp:HOST, dns:SERVER/NAME/TYPE, zone:NAME, trace:ADDRESS or a http:// or https:// "
        "URL",
        shown, text);
}

static bool is_host_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

/* HOST or ADDRESS, with the port after a colon; an IPv6 address needs brackets if `may_have_port`.
 */
static bool parse_host(const char *text, size_t at, size_t end, bool may_have_port,
                       struct target *out)
{
    struct endpoint found;
    if (!endpoint_parse(text + at, end - at, &found) || !found.host_size)
        return false;
    bool is_bare6 = found.addr.family == 6 && !found.has_brackets;
    if (may_have_port ? is_bare6 : found.port > 0)
        return false;
    for (size_t i = 0; !found.addr.family && i < found.host_size; i++)
        if (!is_host_byte(found.host[i]))
            return false;
    out->host = (struct part){(uint16_t)(found.host - text), (uint16_t)found.host_size};
    out->addr = found.addr;
    if (found.port)
        out->port = found.port;
    return true;
}

/* SERVER/NAME/TYPE */
static bool parse_dns(const char *text, size_t at, size_t n, struct target *out)
{
    const char *first = memchr(text + at, '/', n - at);
    if (!first)
        return false;
    size_t name = (size_t)(first - text) + 1;
    const char *second = memchr(text + name, '/', n - name);
    if (!second)
        return false;
    size_t type = (size_t)(second - text) + 1;
    out->name = (struct part){(uint16_t)name, (uint16_t)(type - 1 - name)};
    out->type = (struct part){(uint16_t)type, (uint16_t)(n - type)};
    if (!out->name.n || out->name.n > 255 || !out->type.n || out->type.n > 15)
        return false;
    for (size_t i = type; i < n; i++)
        if (!((text[i] >= 'A' && text[i] <= 'Z') || (text[i] >= '0' && text[i] <= '9')))
            return false;
    size_t server_end = name - 1;
    struct addr addr;
    bool is_bare = addr_parse(text + at, server_end - at, &addr);
    return parse_host(text, at, server_end, !is_bare, out);
}

/* NAME, with the port after a colon. No zone is called like an address. */
static bool parse_zone(const char *text, size_t at, size_t n, struct target *out)
{
    bool is_read = parse_host(text, at, n, true, out) && !out->addr.family;
    out->name = out->host;
    return is_read;
}

static bool parse_url(const char *text, size_t at, size_t n, struct target *out)
{
    const char *slash = memchr(text + at, '/', n - at);
    size_t host_end = slash ? (size_t)(slash - text) : n;
    out->name = (struct part){(uint16_t)host_end, (uint16_t)(n - host_end)};
    return parse_host(text, at, host_end, true, out);
}

/* NETWORK/24 */
static bool parse_block(const char *text, size_t at, size_t n, struct target *out)
{
    struct prefix prefix;
    if (!prefix_parse(text + at, n - at, &prefix) || prefix.addr.family != 4 || prefix.bits != 24)
        return false;
    const char *slash = memchr(text + at, '/', n - at);
    out->host = (struct part){(uint16_t)at, (uint16_t)(slash - text - (ptrdiff_t)at)};
    out->addr = prefix.addr;
    return true;
}

/* ADDRESS, by UDP or TCP with the port after a colon; without one an IPv6 address may be bare. */
static bool parse_trace(const char *text, size_t at, size_t n, struct target *out)
{
    bool is_icmp = !out->is_tcp && !out->port;
    struct addr addr;
    bool is_bare = addr_parse(text + at, n - at, &addr);
    return parse_host(text, at, n, !is_icmp && !is_bare, out) && out->addr.family &&
           (is_icmp || out->port);
}

static bool parse_self(const char *text, size_t at, size_t n, struct target *out)
{
    int check = own_check_from_name(text + at, n - at);
    out->check = (uint8_t)check;
    out->name = (struct part){(uint16_t)at, (uint16_t)(n - at)};
    return check >= 0;
}

static bool parse_rest(const char *text, size_t at, size_t n, struct target *out)
{
    switch ((enum target_kind)out->kind) {
    case TARGET_ICMP:
        return parse_host(text, at, n, false, out) && out->addr.family;
    case TARGET_TRACE:
        return parse_trace(text, at, n, out);
    case TARGET_TCP:
        return parse_host(text, at, n, true, out) && out->addr.family && out->port;
    case TARGET_TLS:
        return parse_host(text, at, n, true, out) && out->port;
    case TARGET_SMTP:
        return parse_host(text, at, n, true, out);
    case TARGET_DNS:
        return parse_dns(text, at, n, out);
    case TARGET_ZONE:
        return parse_zone(text, at, n, out);
    case TARGET_HTTP:
    case TARGET_HTTPS:
        return parse_url(text, at, n, out);
    case TARGET_BLOCK:
        return parse_block(text, at, n, out);
    case TARGET_SELF:
        return parse_self(text, at, n, out);
    case TARGET_KIND_COUNT:
        break;
    }
    return false;
}

static const char *expected(enum target_kind kind)
{
    static const char *const forms[TARGET_KIND_COUNT] = {
        [TARGET_ICMP] = "icmp:ADDRESS",
        [TARGET_TCP] = "tcp:ADDRESS:PORT, an IPv6 address in brackets",
        [TARGET_TLS] = "tls:HOST:PORT",
        [TARGET_SMTP] = "smtp:HOST or smtp:HOST:PORT",
        [TARGET_DNS] = "dns:SERVER/NAME/TYPE or dns+tcp:SERVER/NAME/TYPE with the type in capitals",
        [TARGET_ZONE] = "zone:NAME or zone:NAME:PORT",
        [TARGET_TRACE] = "trace:ADDRESS, trace+udp:ADDRESS[:PORT] or trace+tcp:ADDRESS:PORT",
        [TARGET_HTTP] = "http://HOST[:PORT][/PATH]",
        [TARGET_HTTPS] = "https://HOST[:PORT][/PATH]",
        [TARGET_BLOCK] = "block:NETWORK/24, of IPv4",
        [TARGET_SELF] = "self:link, self:gateway, self:resolver, self:clock or self:loop",
    };
    return forms[kind];
}

enum { SHOWN_MAX = 80 };

/* The beginning of a text for a message: what a terminal might obey is replaced. */
static const char *show(const char *text, size_t n, char shown[SHOWN_MAX + 1])
{
    n = n > SHOWN_MAX ? SHOWN_MAX : n;
    for (size_t i = 0; i < n; i++)
        shown[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
    shown[n] = '\0';
    return shown;
}

enum err target_parse(const char *text, size_t n, struct target *out, struct why *why)
{
    char shown[SHOWN_MAX + 1];
    if (n >= TARGET_TEXT_MAX)
        return why_set(why, ERR_LIMIT, "target '%s...' is longer than %d characters",
                       show(text, n, shown), TARGET_TEXT_MAX - 1);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
            return why_set(why, ERR_INPUT, "target '%s' holds a space or control character",
                           show(text, n, shown));
    struct target target;
    size_t rest = read_kind(text, n, &target);
    if (!rest)
        return unknown_kind(text, n, why);
    target.layer = kinds[target.kind].layer;
    if (!parse_rest(text, rest, n, &target))
        return why_set(why, ERR_INPUT, "'%s' is not a target of kind %s; expected %s",
                       show(text, n, shown), kinds[target.kind].name,
                       expected((enum target_kind)target.kind));
    *out = target;
    return ERR_OK;
}
