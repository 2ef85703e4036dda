#include "wire/rtr.h"

#include <assert.h>

enum { FLAG_ANNOUNCED = 1 };

const char *rtr_error_text(uint16_t code)
{
    static const char *const texts[] = {
#define X(constant, text) text,
        RTR_ERROR_LIST(X)
#undef X
    };
    return code < sizeof texts / sizeof *texts ? texts[code] : "unknown error";
}

/* RFC 8210, 5.1. */
const char *rtr_frame(const uint8_t *bytes, size_t n, size_t *length)
{
    struct reader r = reader_of(bytes, n);
    reader_bytes(&r, 4);
    size_t found = reader_u32(&r);
    if (n >= RTR_HEADER && found < RTR_HEADER)
        return "a PDU is shorter than its header";
    if (found > RTR_PDU_MAX)
        return "a PDU is longer than any may be";
    *length = n < RTR_HEADER ? 0 : found;
    return NULL;
}

/* ---- from bytes ---- */

/* RFC 8210, 5.6, 5.7. Bits behind the length mean nothing (RFC 6811, 2) and are cut off. */
static void read_prefix(struct reader *r, uint8_t family, struct rtr_pdu *out)
{
    struct addr addr = {.family = family};
    out->is_announced = reader_u8(r) & FLAG_ANNOUNCED;
    uint8_t bits = reader_u8(r);
    out->max_bits = reader_u8(r);
    reader_u8(r);
    const uint8_t *bytes = reader_bytes(r, addr_bits(&addr) / 8);
    if (bytes)
        memcpy(addr.bytes, bytes, addr_bits(&addr) / 8);
    out->asn = reader_u32(r);
    out->prefix = prefix_of(&addr, bits);
    if (bits > out->max_bits || out->max_bits > addr_bits(&addr))
        reader_fail(r, "a prefix has a length that cannot be");
}

/* RFC 8210, 5.8; RFC 6810, 5.8 for version 0. */
static void read_end_of_data(struct reader *r, struct rtr_pdu *out)
{
    out->serial = reader_u32(r);
    if (out->version == 0)
        return;
    out->refresh_s = reader_u32(r);
    out->retry_s = reader_u32(r);
    out->expire_s = reader_u32(r);
}

/* RFC 8210, 5.11. */
static void read_error_report(struct reader *r, struct rtr_pdu *out)
{
    out->error = out->session;
    out->session = 0;
    out->quoted = reader_sub(r, reader_u32(r));
    out->text = reader_sub(r, reader_u32(r));
}

/* False if no such type is of this version. */
static bool read_body(struct reader *r, struct rtr_pdu *out)
{
    switch (out->type) {
    case RTR_SERIAL_NOTIFY:
    case RTR_SERIAL_QUERY:
        out->serial = reader_u32(r);
        return true;
    case RTR_RESET_QUERY:
    case RTR_CACHE_RESPONSE:
    case RTR_CACHE_RESET:
        return true;
    case RTR_IPV4_PREFIX:
        read_prefix(r, 4, out);
        return true;
    case RTR_IPV6_PREFIX:
        read_prefix(r, 6, out);
        return true;
    case RTR_END_OF_DATA:
        read_end_of_data(r, out);
        return true;
    case RTR_ROUTER_KEY: /* RFC 8210, 5.10: of no use here */
        reader_bytes(r, reader_left(r));
        return out->version > 0;
    case RTR_ERROR_REPORT:
        read_error_report(r, out);
        return true;
    default:
        return false;
    }
}

const char *rtr_decode(struct reader pdu, struct rtr_pdu *out, enum rtr_error *error)
{
    struct rtr_pdu decoded = {.version = reader_u8(&pdu)};
    decoded.type = reader_u8(&pdu);
    decoded.session = reader_u16(&pdu);
    reader_u32(&pdu);
    *error = RTR_ERROR_UNSUPPORTED_VERSION;
    if (decoded.version > RTR_VERSION_MAX)
        return "a PDU is of a version that is not known";
    *error = RTR_ERROR_UNSUPPORTED_TYPE;
    if (!read_body(&pdu, &decoded))
        return "a PDU is of a type that is not known";
    reader_finish(&pdu);
    *error = RTR_ERROR_CORRUPT_DATA;
    if (!pdu.bad)
        *out = decoded;
    return pdu.bad;
}

/* ---- to bytes ---- */

static void put_prefix(const struct rtr_pdu *pdu, struct buffer *out)
{
    buffer_u8(out, pdu->is_announced ? FLAG_ANNOUNCED : 0);
    buffer_u8(out, pdu->prefix.bits);
    buffer_u8(out, pdu->max_bits);
    buffer_u8(out, 0);
    buffer_add(out, pdu->prefix.addr.bytes, addr_bits(&pdu->prefix.addr) / 8);
    buffer_u32(out, pdu->asn);
}

static void put_view(const struct reader *view, struct buffer *out)
{
    buffer_u32(out, (uint32_t)reader_left(view));
    buffer_add(out, view->at, reader_left(view));
}

static void put_body(const struct rtr_pdu *pdu, struct buffer *out)
{
    switch (pdu->type) {
    case RTR_SERIAL_NOTIFY:
    case RTR_SERIAL_QUERY:
        buffer_u32(out, pdu->serial);
        break;
    case RTR_IPV4_PREFIX:
    case RTR_IPV6_PREFIX:
        put_prefix(pdu, out);
        break;
    case RTR_END_OF_DATA:
        buffer_u32(out, pdu->serial);
        if (pdu->version == 0)
            break;
        buffer_u32(out, pdu->refresh_s);
        buffer_u32(out, pdu->retry_s);
        buffer_u32(out, pdu->expire_s);
        break;
    case RTR_ERROR_REPORT:
        put_view(&pdu->quoted, out);
        put_view(&pdu->text, out);
        break;
    default:
        assert(pdu->type == RTR_RESET_QUERY || pdu->type == RTR_CACHE_RESPONSE ||
               pdu->type == RTR_CACHE_RESET);
        break;
    }
}

void rtr_encode(const struct rtr_pdu *pdu, struct buffer *out)
{
    size_t begin = out->size;
    buffer_u8(out, pdu->version);
    buffer_u8(out, pdu->type);
    buffer_u16(out, pdu->type == RTR_ERROR_REPORT ? pdu->error : pdu->session);
    buffer_u32(out, 0);
    put_body(pdu, out);
    size_t length = out->size - begin;
    for (int i = 0; i < 4; i++)
        out->bytes[begin + 4 + (size_t)i] = (char)(length >> (24 - 8 * i));
}
