#include "wire/icmp.h"

enum {
    ICMP4_ECHO_REPLY = 0,
    ICMP4_UNREACHABLE = 3,
    ICMP4_ECHO_REQUEST = 8,
    ICMP4_TIME_EXCEEDED = 11,
    ICMP4_PARAMETER_PROBLEM = 12,
    ICMP6_LAST_ERROR =
        4, /* RFC 4443, section 2.1: errors are types 1 to 127, of which 1 to 4 exist */
    ICMP6_ECHO_REQUEST = 128,
    ICMP6_ECHO_REPLY = 129,
    PROTOCOL_ICMP4 = 1,
    PROTOCOL_ICMP6 = 58,
};

static const uint8_t signature[16] = "lastlight probe";

/* RFC 1071. */
static uint16_t checksum(const uint8_t *bytes, size_t n)
{
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    if (n % 2)
        sum += (uint32_t)bytes[n - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

size_t icmp_write_echo(int family, const struct icmp_echo *echo, const char *note,
                       uint8_t out[ICMP_ECHO_MAX])
{
    size_t n = strnlen(note, ICMP_NOTE_MAX);
    memset(out, 0, ICMP_ECHO_SIZE);
    out[0] = family == 4 ? ICMP4_ECHO_REQUEST : ICMP6_ECHO_REQUEST;
    put_u16(out + 4, echo->ident);
    put_u16(out + 6, echo->seq);
    memcpy(out + 8, signature, sizeof signature);
    for (int i = 0; i < 8; i++)
        out[24 + i] = (uint8_t)(echo->cookie >> (56 - 8 * i));
    memcpy(out + ICMP_ECHO_SIZE, note, n);
    n += ICMP_ECHO_SIZE;
    if (family == 4)
        put_u16(out + 2, checksum(out, n));
    return n;
}

/* Identifier, sequence and, where there is enough of it, the payload (RFC 792, page 14). */
static struct icmp_echo read_echo(struct reader *r, bool *has_cookie)
{
    struct icmp_echo echo = {.ident = reader_u16(r)};
    echo.seq = reader_u16(r);
    *has_cookie = false;
    if (reader_left(r) < sizeof signature + 8)
        return echo;
    const uint8_t *payload = reader_bytes(r, sizeof signature);
    echo.cookie = reader_u64(r);
    *has_cookie = memcmp(payload, signature, sizeof signature) == 0;
    return echo;
}

bool icmp_read_quoted(int family, struct reader *r, struct icmp_message *out)
{
    uint8_t type = reader_u8(r);
    uint8_t code = reader_u8(r);
    reader_u16(r); /* checksum */
    bool has_cookie;
    struct icmp_echo echo = read_echo(r, &has_cookie);
    if (r->bad || code || type != (family == 4 ? ICMP4_ECHO_REQUEST : ICMP6_ECHO_REQUEST))
        return false;
    out->echo = echo;
    out->has_cookie = has_cookie;
    return true;
}

struct ip4_header ip4_read(struct reader *r)
{
    uint8_t first = reader_u8(r);
    reader_bytes(r,
                 5); /* service, length (a raw socket's is not to be relied upon), identification */
    uint16_t fragment = reader_u16(r);
    struct ip4_header header = {.is_fragment = fragment & 0x1fff};
    header.ttl = reader_u8(r);
    header.protocol = reader_u8(r);
    reader_u16(r); /* checksum: the kernel has verified it, and in a quotation it may be wrong */
    const uint8_t *from = reader_bytes(r, 4), *to = reader_bytes(r, 4);
    size_t words = first & 0x0f;
    if (!r->bad && (first >> 4 != 4 || words < 5))
        reader_fail(r, "is not an IPv4 packet");
    if (!r->bad)
        reader_bytes(r, 4 * (words - 5));
    if (r->bad)
        return (struct ip4_header){0};
    header.from.family = header.to.family = 4;
    memcpy(header.from.bytes, from, 4);
    memcpy(header.to.bytes, to, 4);
    return header;
}

/* RFC 8200, section 3. Extension headers are not followed: our requests have none. */
static bool read_quoted_ip6(struct reader *r, struct addr *to)
{
    uint8_t first = reader_u8(r);
    reader_bytes(r, 5);
    uint8_t next = reader_u8(r);
    reader_bytes(r, 1 + 16);
    const uint8_t *destination = reader_bytes(r, 16);
    if (r->bad || first >> 4 != 6 || next != PROTOCOL_ICMP6)
        return false;
    to->family = 6;
    memcpy(to->bytes, destination, 16);
    return true;
}

static bool read_quoted_ip(int family, struct reader *r, struct addr *to)
{
    if (family == 6)
        return read_quoted_ip6(r, to);
    struct ip4_header header = ip4_read(r);
    *to = header.to;
    return !r->bad && header.protocol == PROTOCOL_ICMP4 && !header.is_fragment;
}

static bool is_error(int family, uint8_t type)
{
    if (family == 6)
        return type >= 1 && type <= ICMP6_LAST_ERROR;
    return type == ICMP4_UNREACHABLE || type == ICMP4_TIME_EXCEEDED ||
           type == ICMP4_PARAMETER_PROBLEM;
}

struct icmp_message icmp_read(int family, struct reader *r)
{
    struct icmp_message message = {0};
    if (family == 4 && checksum(r->at, reader_left(r)) != 0)
        reader_fail(r, "has a wrong checksum");
    message.type = reader_u8(r);
    message.code = reader_u8(r);
    reader_u16(r); /* checksum */
    if (r->bad)
        return message;
    if (message.type == (family == 4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY) && !message.code) {
        message.echo = read_echo(r, &message.has_cookie);
        message.what = message.has_cookie ? ICMP_REPLY : ICMP_OTHER;
    } else if (is_error(family, message.type)) {
        reader_u32(r); /* unused, a pointer or a size */
        if (read_quoted_ip(family, r, &message.target) && icmp_read_quoted(family, r, &message))
            message.what = ICMP_ERROR;
    }
    return message;
}
