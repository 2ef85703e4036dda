#include "wire/bgp_session.h"

#include "wire/bgp_message.h"

enum { PARAMETER_CAPABILITIES = 2, PARAMETER_EXTENDED_LENGTH = 255 /* RFC 9072 */ };

/* IANA: Capability Codes. */
enum capability {
    CAPABILITY_FAMILY = 1,
    CAPABILITY_REFRESH = 2,
    CAPABILITY_LONG_MESSAGES = 6,
    CAPABILITY_GRACEFUL = 64,
    CAPABILITY_AS4 = 65,
    CAPABILITY_ADD_PATH = 69,
    CAPABILITY_REFRESH_MARKS = 70
};
/* RFC 4724, 3: a flag, and the time in the lower twelve bits. */
enum { GRACEFUL_RESTARTING = 0x8000, GRACEFUL_TIME = 0x0fff };

uint8_t bgp_message_next(struct reader *r, struct reader *body)
{
    const uint8_t *marker = reader_bytes(r, 16);
    size_t length = reader_u16(r);
    uint8_t type = reader_u8(r);
    for (size_t i = 0; marker && i < 16; i++)
        if (marker[i] != 0xff)
            reader_fail(r, "a BGP message does not begin with its marker");
    if (!r->bad && length < BGP_HEADER)
        reader_fail(r, "a BGP message is shorter than its header");
    *body = reader_sub(r, r->bad ? 0 : length - BGP_HEADER);
    if (r->bad)
        *body = (struct reader){.bad = r->bad};
    return type;
}

/* The place of a family in the arrays, by AFI and SAFI; -1 for families that are not ours. */
static int place_of(uint16_t afi, uint8_t safi)
{
    return safi == BGP_UNICAST && (afi == 1 || afi == 2) ? afi - 1 : -1;
}

static void read_add_path(struct reader *r, struct bgp_open *open)
{
    while (reader_left(r)) {
        uint16_t afi = reader_u16(r);
        int place = place_of(afi, reader_u8(r));
        uint8_t can = reader_u8(r);
        /* RFC 7911, 4: any other value is to be ignored */
        if (!r->bad && place >= 0 && can >= 1 && can <= 3)
            open->add_path[place] = can;
    }
}

static void read_family(struct reader *r, struct bgp_open *open, bool *has_families)
{
    uint16_t afi = reader_u16(r);
    reader_u8(r);
    int place = place_of(afi, reader_u8(r));
    *has_families = true;
    if (!r->bad && place >= 0)
        open->has_family[place] = true;
}

static void read_graceful(struct reader *r, struct bgp_open *open)
{
    uint16_t head = reader_left(r) >= 2 ? reader_u16(r) : 0; /* not worth refusing the session */
    open->is_graceful = true;
    open->is_restarting = head & GRACEFUL_RESTARTING;
    open->restart_s = head & GRACEFUL_TIME;
}

static void read_capability(uint8_t code, struct reader *value, struct bgp_open *open,
                            bool *has_families)
{
    switch (code) {
    case CAPABILITY_FAMILY:
        read_family(value, open, has_families);
        break;
    case CAPABILITY_REFRESH:
        open->has_refresh = true;
        break;
    case CAPABILITY_LONG_MESSAGES:
        open->has_long_messages = true;
        break;
    case CAPABILITY_GRACEFUL:
        read_graceful(value, open);
        break;
    case CAPABILITY_AS4:
        open->is_as4 = true;
        open->asn = reader_u32(value);
        break;
    case CAPABILITY_ADD_PATH:
        read_add_path(value, open);
        break;
    case CAPABILITY_REFRESH_MARKS:
        open->has_refresh_marks = true;
        break;
    default:
        break; /* RFC 5492, 3: what is not known is passed over */
    }
}

static void read_capabilities(struct reader *r, struct bgp_open *open, bool *has_families)
{
    while (reader_left(r)) {
        uint8_t code = reader_u8(r);
        struct reader value = reader_sub(r, reader_u8(r));
        read_capability(code, &value, open, has_families);
        if (value.bad)
            reader_fail(r, "a capability in an OPEN has a wrong length");
    }
}

const char *bgp_open_decode(struct reader body, struct bgp_open *out)
{
    struct bgp_open open = {0};
    bool has_families = false;
    uint8_t version = reader_u8(&body);
    open.asn = reader_u16(&body);
    open.hold_s = reader_u16(&body);
    open.id = reader_u32(&body);
    size_t n = reader_u8(&body);
    bool is_extended = n && reader_left(&body) && *body.at == PARAMETER_EXTENDED_LENGTH;
    if (is_extended) { /* RFC 9072, 2 */
        reader_u8(&body);
        n = reader_u16(&body);
    }
    struct reader parameters = reader_sub(&body, n);
    reader_finish(&body);
    while (reader_left(&parameters)) {
        uint8_t type = reader_u8(&parameters);
        size_t length = is_extended ? reader_u16(&parameters) : reader_u8(&parameters);
        struct reader value = reader_sub(&parameters, length);
        if (type == PARAMETER_CAPABILITIES)
            read_capabilities(&value, &open, &has_families);
        else
            open.has_odd_parameter = true;
        if (value.bad)
            reader_fail(&parameters, value.bad);
    }
    if (body.bad || parameters.bad)
        return body.bad ? body.bad : parameters.bad;
    if (version != 4)
        return "an OPEN is not of BGP version 4";
    if (!has_families) /* RFC 4760, 8: who says nothing speaks of IPv4 unicast */
        open.has_family[0] = true;
    *out = open;
    return NULL;
}

/* ---- writing ---- */

static void put_capability(struct buffer *out, enum capability code, size_t n)
{
    buffer_u8(out, (uint8_t)code);
    buffer_u8(out, (uint8_t)n);
}

void bgp_families_write(struct buffer *out, const struct bgp_open *open)
{
    for (unsigned i = 0; i < 2; i++) {
        if (!open->has_family[i])
            continue;
        put_capability(out, CAPABILITY_FAMILY, 4);
        buffer_u16(out, (uint16_t)(i + 1));
        buffer_u16(out, BGP_UNICAST);
    }
}

static void put_add_path(struct buffer *out, const struct bgp_open *open)
{
    size_t count = (size_t)(open->add_path[0] != 0) + (open->add_path[1] != 0);
    if (!count)
        return;
    put_capability(out, CAPABILITY_ADD_PATH, 4 * count);
    for (unsigned i = 0; i < 2; i++) {
        if (!open->add_path[i])
            continue;
        buffer_u16(out, (uint16_t)(i + 1));
        buffer_u8(out, BGP_UNICAST);
        buffer_u8(out, open->add_path[i]);
    }
}

static void put_capabilities(struct buffer *out, const struct bgp_open *open)
{
    bgp_families_write(out, open);
    if (open->has_refresh)
        put_capability(out, CAPABILITY_REFRESH, 0);
    if (open->has_refresh_marks)
        put_capability(out, CAPABILITY_REFRESH_MARKS, 0);
    if (open->has_long_messages)
        put_capability(out, CAPABILITY_LONG_MESSAGES, 0);
    if (open->is_as4) {
        put_capability(out, CAPABILITY_AS4, 4);
        buffer_u32(out, open->asn);
    }
    put_add_path(out, open);
    if (open->is_graceful) {
        put_capability(out, CAPABILITY_GRACEFUL, 2);
        buffer_u16(out, (uint16_t)((open->is_restarting ? GRACEFUL_RESTARTING : 0) |
                                   (open->restart_s & GRACEFUL_TIME)));
    }
}

/* All capabilities in one parameter (RFC 5492, 4), which has room for all of ours. */
void bgp_open_write(struct buffer *out, const struct bgp_open *open)
{
    struct buffer body = {0}, capabilities = {0};
    put_capabilities(&capabilities, open);
    buffer_u8(&body, 4); /* version */
    buffer_u16(&body, (uint16_t)(open->asn > UINT16_MAX ? BGP_AS_TRANS : open->asn));
    buffer_u16(&body, open->hold_s);
    buffer_u32(&body, open->id);
    buffer_u8(&body, (uint8_t)(capabilities.size ? capabilities.size + 2 : 0));
    if (capabilities.size) {
        buffer_u8(&body, PARAMETER_CAPABILITIES);
        buffer_u8(&body, (uint8_t)capabilities.size);
        buffer_add(&body, capabilities.bytes, capabilities.size);
    }
    bgp_message_write(out, BGP_OPEN, body.bytes, body.size);
    buffer_done(&body);
    buffer_done(&capabilities);
}

/* ---- what both agree on ---- */

static enum bgp_add_path has_path_ids(const struct bgp_open *speaker,
                                      const struct bgp_open *listener, int place)
{
    bool is_agreed =
        speaker->add_path[place] & BGP_CAN_SEND && listener->add_path[place] & BGP_CAN_RECEIVE;
    return is_agreed ? BGP_ADD_PATH_YES : BGP_ADD_PATH_NO;
}

const struct bgp_session bgp_session_unknown = {.form = {.is_as4 = true,
                                                         .is_as4_guess = true,
                                                         .add_path = BGP_ADD_PATH_GUESS,
                                                         .add_path6 = BGP_ADD_PATH_GUESS},
                                                .has_family = {true, true}};

struct bgp_session bgp_session_of(const struct bgp_open *speaker, const struct bgp_open *listener)
{
    struct bgp_session session = {.form = {.is_as4 = speaker->is_as4 && listener->is_as4,
                                           .is_internal = speaker->asn == listener->asn,
                                           .add_path = has_path_ids(speaker, listener, 0),
                                           .add_path6 = has_path_ids(speaker, listener, 1)}};
    for (int i = 0; i < 2; i++)
        session.has_family[i] = speaker->has_family[i] && listener->has_family[i];
    return session;
}
