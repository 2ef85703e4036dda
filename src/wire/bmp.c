#include "wire/bmp.h"

enum { VERSION = 3, PEER_HEADER = 42 };
enum { FLAG_V = 0x80, FLAG_L = 0x40, FLAG_A = 0x20, FLAG_O = 0x10 };
/* Information TLVs of INITIATION (RFC 7854, 4.4) and TERMINATION (4.5). */
enum { INITIATION_DESCR = 1, INITIATION_NAME = 2, TERMINATION_REASON = 1 };

/* RFC 7854, 4.1. */
const char *bmp_frame(const uint8_t *bytes, size_t n, size_t *length)
{
    struct reader r = reader_of(bytes, n);
    if (n && reader_u8(&r) != VERSION)
        return "this is not BMP of version 3";
    size_t found = n < BMP_HEADER ? 0 : reader_u32(&r);
    if (n >= BMP_HEADER && found < BMP_HEADER)
        return "a message is shorter than its header";
    if (found > BMP_MESSAGE_MAX)
        return "a message is longer than any may be";
    *length = found;
    return NULL;
}

static struct addr read_addr(struct reader *r, bool is_v6)
{
    struct addr addr = {.family = is_v6 ? 6 : 4};
    const uint8_t *bytes = reader_bytes(r, 16); /* IPv4 in the last four */
    if (bytes)
        memcpy(addr.bytes, is_v6 ? bytes : bytes + 12, is_v6 ? 16 : 4);
    return addr;
}

/* RFC 7854, 4.2. For Loc-RIB the flags mean something else, and the address is zero (RFC 9069, 4.2
 * and 5.1). */
static void read_peer(struct reader *r, struct bmp_peer *out)
{
    out->type = reader_u8(r);
    bool is_loc_rib = out->type == BMP_PEER_LOC_RIB;
    uint8_t flags = reader_u8(r);
    if (is_loc_rib)
        flags = 0;
    out->is_post_policy = flags & FLAG_L;
    out->is_as2 = flags & FLAG_A;
    out->is_out = flags & FLAG_O;
    out->distinguisher = reader_u64(r);
    out->addr = read_addr(r, flags & FLAG_V);
    if (is_loc_rib)
        out->addr = (struct addr){0};
    out->asn = reader_u32(r);
    out->id = reader_u32(r);
    out->time.ns = (int64_t)reader_u32(r) * NS_PER_S;
    uint32_t microseconds = reader_u32(r);
    if (microseconds < 1000000 && out->time.ns)
        out->time.ns += (int64_t)microseconds * 1000;
    if (out->type > BMP_PEER_LOC_RIB)
        reader_fail(r, "a peer is of an unknown type");
}

static void read_open(struct reader *r, struct bgp_open *out)
{
    struct reader body;
    uint8_t type = bgp_message_next(r, &body);
    const char *fault = r->bad ? NULL : type == BGP_OPEN ? bgp_open_decode(body, out) : NULL;
    if (!r->bad && type != BGP_OPEN)
        reader_fail(r, "a PEER_UP holds something else than an OPEN");
    if (fault)
        reader_fail(r, fault);
}

/* RFC 7854, 4.4: TLVs, used by several messages. The last of a type stands. */
static struct reader find_information(struct reader *r, uint16_t type)
{
    struct reader found = {0};
    struct reader at = *r;
    while (reader_left(&at)) {
        uint16_t its_type = reader_u16(&at);
        struct reader value = reader_sub(&at, reader_u16(&at));
        if (its_type == type && !value.bad)
            found = value;
    }
    if (at.bad)
        reader_fail(r, at.bad);
    return found;
}

static void read_update(struct reader *r, struct bmp_message *out)
{
    uint8_t type = bgp_message_next(r, &out->update);
    if (!r->bad && type != BGP_UPDATE)
        reader_fail(r, "a ROUTE_MONITORING holds something else than an UPDATE");
    reader_finish(r);
}

/* RFC 7854, 4.10. What both sides said to each other; RFC 9069, 5.2 has OPENs of its own making. */
static void read_peer_up(struct reader *r, struct bmp_message *out)
{
    reader_bytes(r, 16 + 2 + 2); /* local address, both ports */
    read_open(r, &out->sent);
    read_open(r, &out->received);
    find_information(r, 0); /* whatever follows must be sound */
}

/* RFC 7854, 4.9: after the reason comes a NOTIFICATION, a code or nothing. */
static void read_peer_down(struct reader *r, struct bmp_message *out)
{
    struct reader body;
    out->reason = reader_u8(r);
    bool is_notified = out->reason == BMP_DOWN_NOTIFIED || out->reason == BMP_DOWN_NOTIFIED_BY_PEER;
    struct reader message = *r;
    if (is_notified && bgp_message_next(&message, &body) == BGP_NOTIFICATION && !body.bad)
        out->notification = body;
}

static void read_body(struct reader *r, struct bmp_message *out)
{
    struct reader reason;
    switch (out->type) {
    case BMP_ROUTE_MONITORING:
        read_peer(r, &out->peer);
        read_update(r, out);
        break;
    case BMP_PEER_UP:
        read_peer(r, &out->peer);
        read_peer_up(r, out);
        break;
    case BMP_PEER_DOWN:
        read_peer(r, &out->peer);
        read_peer_down(r, out);
        break;
    case BMP_INITIATION:
        out->sys_name = find_information(r, INITIATION_NAME);
        out->sys_descr = find_information(r, INITIATION_DESCR);
        break;
    case BMP_TERMINATION:
        reason = find_information(r, TERMINATION_REASON);
        out->reason = reader_left(&reason) == 2 ? reader_u16(&reason) : 1;
        break;
    default:
        break; /* RFC 7854, 4.1: unknown ones are passed over, as those that we have no use for */
    }
}

const char *bmp_decode(struct reader message, struct bmp_message *out)
{
    struct bmp_message decoded = {0};
    reader_bytes(&message, BMP_HEADER - 1);
    decoded.type = reader_u8(&message);
    read_body(&message, &decoded);
    if (!message.bad)
        *out = decoded;
    return message.bad;
}

const char *bmp_table_name(enum bmp_table table)
{
    static const char *const names[] = {
#define X(constant, name) name,
        BMP_TABLE_LIST(X)
#undef X
    };
    return names[table];
}

/* RFC 7854, 4.2 (L), 8671, 4 (O), 9069, 4.2. */
enum bmp_table bmp_table_of(const struct bmp_peer *peer)
{
    if (peer->type == BMP_PEER_LOC_RIB)
        return BMP_LOC_RIB;
    if (peer->is_out)
        return peer->is_post_policy ? BMP_OUT_POST_POLICY : BMP_OUT_PRE_POLICY;
    return peer->is_post_policy ? BMP_POST_POLICY : BMP_PRE_POLICY;
}

struct addr bmp_peer_addr(const struct bmp_peer *peer)
{
    struct addr id = {.bytes = {(uint8_t)(peer->id >> 24), (uint8_t)(peer->id >> 16),
                                (uint8_t)(peer->id >> 8), (uint8_t)peer->id},
                      .family = peer->id ? 4 : 0};
    return peer->addr.family ? peer->addr : id;
}

struct bgp_session bmp_session_of(const struct bmp_message *peer_up, bool is_heard)
{
    return is_heard ? bgp_session_of(&peer_up->received, &peer_up->sent)
                    : bgp_session_of(&peer_up->sent, &peer_up->received);
}

/* RFC 7854, 4.2: whether AS_PATH has 2-byte ASNs is for the A flag to say, and routers may rewrite
 * all paths to 4 bytes. Some do neither set it nor rewrite: where the session itself has 2-byte ASNs
 * it is not to be relied on. */
struct bgp_form bmp_form_of(const struct bmp_peer *peer, const struct bgp_session *session)
{
    struct bgp_form form = session->form;
    form.is_as4 = !peer->is_as2;
    form.is_as4_guess |= form.is_as4 != session->form.is_as4;
    return form;
}

bool bmp_name(struct reader sys_name, char *out, size_t room)
{
    size_t n = 0;
    for (; sys_name.at < sys_name.end && n + 1 < room; sys_name.at++)
        if (*sys_name.at > ' ' && *sys_name.at < 0x7f)
            out[n++] = (char)*sys_name.at;
    out[n] = '\0';
    return n > 0;
}

const char *bmp_termination_reason(uint16_t reason)
{
    static const char *const reasons[] = {"it was told to", "it gives no reason",
                                          "it is out of resources", "it has another connection",
                                          "it was told to, for good"};
    return reasons[reason < sizeof reasons / sizeof *reasons ? reason : 1];
}
