#include "wire/bgp_message.h"

#include <string.h>

void bgp_message_write(struct buffer *out, enum bgp_message_type type, const void *body, size_t n)
{
    for (int i = 0; i < 16; i++)
        buffer_u8(out, 0xff);
    buffer_u16(out, (uint16_t)(BGP_HEADER + n));
    buffer_u8(out, (uint8_t)type);
    buffer_add(out, body, n);
}

void bgp_keepalive_write(struct buffer *out)
{
    bgp_message_write(out, BGP_KEEPALIVE, NULL, 0);
}

/* ---- NOTIFICATION ---- */

/* As IANA calls them; subcode 0: the code itself. */
static const struct name {
    uint8_t code, subcode;
    const char *text;
} names[] = {
    {1, 0, "Message Header Error"},
    {1, 1, "Connection Not Synchronized"},
    {1, 2, "Bad Message Length"},
    {1, 3, "Bad Message Type"},
    {2, 0, "OPEN Message Error"},
    {2, 1, "Unsupported Version Number"},
    {2, 2, "Bad Peer AS"},
    {2, 3, "Bad BGP Identifier"},
    {2, 4, "Unsupported Optional Parameter"},
    {2, 6, "Unacceptable Hold Time"},
    {2, 7, "Unsupported Capability"},
    {2, 11, "Role Mismatch"},
    {3, 0, "UPDATE Message Error"},
    {3, 1, "Malformed Attribute List"},
    {3, 2, "Unrecognized Well-known Attribute"},
    {3, 3, "Missing Well-known Attribute"},
    {3, 4, "Attribute Flags Error"},
    {3, 5, "Attribute Length Error"},
    {3, 6, "Invalid ORIGIN Attribute"},
    {3, 8, "Invalid NEXT_HOP Attribute"},
    {3, 9, "Optional Attribute Error"},
    {3, 10, "Invalid Network Field"},
    {3, 11, "Malformed AS_PATH"},
    {4, 0, "Hold Timer Expired"},
    {5, 0, "Finite State Machine Error"},
    {5, 1, "Receive Unexpected Message in OpenSent State"},
    {5, 2, "Receive Unexpected Message in OpenConfirm State"},
    {5, 3, "Receive Unexpected Message in Established State"},
    {6, 0, "Cease"},
    {6, 1, "Maximum Number of Prefixes Reached"},
    {6, 2, "Administrative Shutdown"},
    {6, 3, "Peer De-configured"},
    {6, 4, "Administrative Reset"},
    {6, 5, "Connection Rejected"},
    {6, 6, "Other Configuration Change"},
    {6, 7, "Connection Collision Resolution"},
    {6, 8, "Out of Resources"},
    {6, 9, "Hard Reset"},
    {6, 10, "BFD Down"},
    {7, 0, "ROUTE-REFRESH Message Error"},
    {7, 1, "Invalid Message Length"},
    {8, 0, "Send Hold Timer Expired"},
};

static const char *find_name(uint8_t code, uint8_t subcode)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == code && names[i].subcode == subcode)
            return names[i].text;
    return NULL;
}

void bgp_notification_write(struct buffer *out, const struct bgp_notification *notification)
{
    struct buffer body = {0};
    buffer_u8(&body, notification->code);
    buffer_u8(&body, notification->subcode);
    buffer_add(&body, notification->data.at, reader_left(&notification->data));
    bgp_message_write(out, BGP_NOTIFICATION, body.bytes, body.size);
    buffer_done(&body);
}

const char *bgp_notification_decode(struct reader body, struct bgp_notification *out)
{
    uint8_t code = reader_u8(&body);
    uint8_t subcode = reader_u8(&body);
    if (body.bad)
        return "a NOTIFICATION is too short";
    *out = (struct bgp_notification){code, subcode, body};
    return NULL;
}

/* RFC 9003, 2: with two subcodes of Cease may come a text, its length in front. */
static void put_text(struct reader data, struct buffer *out)
{
    char text[UINT8_MAX + 1] = "";
    struct reader given = reader_sub(&data, reader_u8(&data));
    if (data.bad || !reader_left(&given))
        return;
    memcpy(text, given.at, reader_left(&given));
    buffer_puts(out, ": \"");
    buffer_plain(out, text);
    buffer_puts(out, "\"");
}

void bgp_notification_format(const struct bgp_notification *notification, struct buffer *out)
{
    uint8_t code = notification->code, subcode = notification->subcode;
    const char *name = find_name(code, 0), *detail = subcode ? find_name(code, subcode) : NULL;
    if (name)
        buffer_puts(out, name);
    else
        buffer_printf(out, "error %u", code);
    if (detail)
        buffer_printf(out, ", %s", detail);
    else if (subcode)
        buffer_printf(out, ", subcode %u", subcode);
    if (code == BGP_ERROR_CEASE && (subcode == BGP_CEASE_SHUTDOWN || subcode == BGP_CEASE_RESET))
        put_text(notification->data, out);
}

/* ---- ROUTE-REFRESH ---- */

void bgp_refresh_write(struct buffer *out, uint8_t family)
{
    const uint8_t body[4] = {0, family == 6 ? 2 : 1, BGP_REFRESH_ASK, BGP_UNICAST};
    bgp_message_write(out, BGP_ROUTE_REFRESH, body, sizeof body);
}

const char *bgp_refresh_decode(struct reader body, struct bgp_refresh *out)
{
    uint16_t afi = reader_u16(&body);
    uint8_t mark = reader_u8(&body);
    uint8_t safi = reader_u8(&body);
    if (body.bad)
        return "a ROUTE-REFRESH is too short";
    bool is_ours = safi == BGP_UNICAST && (afi == 1 || afi == 2);
    *out = (struct bgp_refresh){.family = (uint8_t)(is_ours ? 2 + 2 * afi : 0), .mark = mark};
    return NULL;
}
