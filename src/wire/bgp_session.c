#include "wire/bgp_session.h"

/* RFC 4271, 4.1; RFC 8654 lets messages be longer than 4096 bytes. */
enum { HEADER = 19 };
enum { PARAMETER_CAPABILITIES = 2, PARAMETER_EXTENDED_LENGTH = 255 /* RFC 9072 */ };

/* IANA: Capability Codes. */
enum capability { CAPABILITY_FAMILY = 1, CAPABILITY_AS4 = 65, CAPABILITY_ADD_PATH = 69 };

uint8_t bgp_message_next(struct reader *r, struct reader *body)
{
    const uint8_t *marker = reader_bytes(r, 16);
    size_t length = reader_u16(r);
    uint8_t type = reader_u8(r);
    for (size_t i = 0; marker && i < 16; i++)
        if (marker[i] != 0xff)
            reader_fail(r, "a BGP message does not begin with its marker");
    if (!r->bad && length < HEADER)
        reader_fail(r, "a BGP message is shorter than its header");
    *body = reader_sub(r, r->bad ? 0 : length - HEADER);
    if (r->bad)
        *body = (struct reader){.bad = r->bad};
    return type;
}

/* The place of a family in the arrays, by AFI and SAFI; -1 for families that are not ours. */
static int place_of(uint16_t afi, uint8_t safi)
{
    return safi == 1 && (afi == 1 || afi == 2) ? afi - 1 : -1;
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

static void read_capabilities(struct reader *r, struct bgp_open *open, bool *has_families)
{
    while (reader_left(r)) {
        uint8_t code = reader_u8(r);
        struct reader value = reader_sub(r, reader_u8(r));
        if (code == CAPABILITY_FAMILY) {
            uint16_t afi = reader_u16(&value);
            reader_u8(&value);
            int place = place_of(afi, reader_u8(&value));
            *has_families = true;
            if (!value.bad && place >= 0)
                open->has_family[place] = true;
        } else if (code == CAPABILITY_AS4) {
            open->is_as4 = true;
            open->asn = reader_u32(&value);
        } else if (code == CAPABILITY_ADD_PATH) {
            read_add_path(&value, open);
        }
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
    reader_bytes(&body, 6); /* hold time, BGP identifier */
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

static enum bgp_add_path has_path_ids(const struct bgp_open *speaker,
                                      const struct bgp_open *listener, int place)
{
    bool is_agreed =
        speaker->add_path[place] & BGP_CAN_SEND && listener->add_path[place] & BGP_CAN_RECEIVE;
    return is_agreed ? BGP_ADD_PATH_YES : BGP_ADD_PATH_NO;
}

struct bgp_session bgp_session_of(const struct bgp_open *speaker, const struct bgp_open *listener)
{
    struct bgp_session session = {.form = {.is_as4 = speaker->is_as4 && listener->is_as4,
                                           .add_path = has_path_ids(speaker, listener, 0),
                                           .add_path6 = has_path_ids(speaker, listener, 1)}};
    for (int i = 0; i < 2; i++)
        session.has_family[i] = speaker->has_family[i] && listener->has_family[i];
    return session;
}
