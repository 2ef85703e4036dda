#include "source/probe/dns_message.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

static bool put_query(ldns_rdf *owner, ldns_rr_type type, uint16_t id, struct dns_query *out)
{
    ldns_pkt *packet = ldns_pkt_query_new(owner, type, LDNS_RR_CLASS_IN, LDNS_RD);
    if (!packet) {
        ldns_rdf_deep_free(owner);
        return false;
    }
    ldns_pkt_set_id(packet, id);
    uint8_t *wire = NULL;
    size_t n = 0;
    bool fits = ldns_pkt2wire(&wire, packet, &n) == LDNS_STATUS_OK && n <= sizeof out->bytes;
    if (fits) {
        memcpy(out->bytes, wire, n);
        out->n = n;
    }
    free(wire);
    ldns_pkt_free(packet);
    return fits;
}

bool dns_query_make(const char *name, size_t name_size, const char *type, size_t type_size,
                    uint16_t id, struct dns_query *out)
{
    char text[DNS_NAME_TEXT], type_text[16];
    if (name_size >= sizeof text || type_size >= sizeof type_text)
        return false;
    memcpy(text, name, name_size);
    text[name_size] = '\0';
    memcpy(type_text, type, type_size);
    type_text[type_size] = '\0';
    ldns_rr_type number = ldns_get_rr_type_by_name(type_text);
    ldns_rdf *owner = number ? ldns_dname_new_frm_str(text) : NULL;
    return owner && put_query(owner, number, id, out);
}

/* The question that we asked, or an error that leaves it out (RFC 1035, section 4.1.1, asks for
 * none). */
static bool is_about(const ldns_pkt *query, const ldns_pkt *reply)
{
    const ldns_rr_list *asked = ldns_pkt_question(query), *echoed = ldns_pkt_question(reply);
    if (ldns_rr_list_rr_count(echoed) == 0)
        return ldns_pkt_get_rcode(reply) != LDNS_RCODE_NOERROR;
    if (ldns_rr_list_rr_count(echoed) != 1)
        return false;
    const ldns_rr *a = ldns_rr_list_rr(asked, 0), *b = ldns_rr_list_rr(echoed, 0);
    return ldns_rr_get_type(a) == ldns_rr_get_type(b) &&
           ldns_rr_get_class(a) == ldns_rr_get_class(b) &&
           ldns_dname_compare(ldns_rr_owner(a), ldns_rr_owner(b)) == 0;
}

/* RFC 1035, section 3.3.13: the serial is the third member. */
static uint32_t serial_of(const ldns_rr *soa)
{
    enum { SERIAL = 2 };
    const ldns_rdf *serial = ldns_rr_rdf(soa, SERIAL);
    return serial && ldns_rdf_size(serial) == 4 ? ldns_rdf2native_int32(serial) : 0;
}

static void read_answers(const ldns_pkt *packet, ldns_rr_type asked, struct dns_reply *reply)
{
    const ldns_rr_list *answers = ldns_pkt_answer(packet);
    for (size_t i = 0; i < ldns_rr_list_rr_count(answers); i++) {
        const ldns_rr *record = ldns_rr_list_rr(answers, i);
        ldns_rr_type type = ldns_rr_get_type(record);
        if (ldns_rr_get_class(record) != LDNS_RR_CLASS_IN)
            continue;
        if (type == asked || asked == LDNS_RR_TYPE_ANY || type == LDNS_RR_TYPE_CNAME ||
            type == LDNS_RR_TYPE_DNAME)
            reply->has_record = true;
        if (type == LDNS_RR_TYPE_SOA && !reply->serial)
            reply->serial = serial_of(record);
    }
}

static enum dns_match read_packet(const ldns_pkt *query, const ldns_pkt *packet,
                                  struct dns_reply *out)
{
    if (!is_about(query, packet))
        return DNS_FOREIGN;
    struct dns_reply reply = {
        .rcode = (uint8_t)ldns_pkt_get_rcode(packet),
        .is_truncated = ldns_pkt_tc(packet),
        .is_authoritative = ldns_pkt_aa(packet),
        .has_recursion = ldns_pkt_ra(packet),
    };
    read_answers(packet, ldns_rr_get_type(ldns_rr_list_rr(ldns_pkt_question(query), 0)), &reply);
    *out = reply;
    return DNS_ANSWER;
}

/* A truncated message may end in the middle of a record (RFC 2181, section 9): its header is enough
 * to ask again by TCP. */
static bool is_cut(const uint8_t *bytes)
{
    enum { TC = 0x02 };
    return bytes[2] & TC;
}

enum dns_match dns_reply_read(const struct dns_query *query, const uint8_t *bytes, size_t n,
                              struct dns_reply *out)
{
    enum { HEADER = 12, QR = 0x80 };
    if (n < 3 || memcmp(bytes, query->bytes, 2) != 0 || !(bytes[2] & QR))
        return DNS_FOREIGN;
    ldns_pkt *asked = NULL, *packet = NULL;
    enum dns_match match = DNS_BROKEN;
    if (n >= HEADER && ldns_wire2pkt(&asked, query->bytes, query->n) == LDNS_STATUS_OK) {
        if (ldns_wire2pkt(&packet, bytes, n) == LDNS_STATUS_OK) {
            match = read_packet(asked, packet, out);
        } else if (is_cut(bytes)) {
            *out = (struct dns_reply){.is_truncated = true};
            match = DNS_ANSWER;
        }
    }
    ldns_pkt_free(packet);
    ldns_pkt_free(asked);
    return match;
}

enum outcome dns_outcome(const struct dns_reply *reply)
{
    switch (reply->rcode) {
    case LDNS_RCODE_NOERROR:
        break;
    case LDNS_RCODE_NXDOMAIN:
        return OUTCOME_NAME_ERROR;
    case LDNS_RCODE_SERVFAIL:
        return OUTCOME_SERVER_FAILURE;
    case LDNS_RCODE_REFUSED:
        return OUTCOME_DNS_REFUSED;
    default:
        return OUTCOME_DNS_ERROR;
    }
    if (reply->has_record)
        return OUTCOME_OK;
    return reply->is_authoritative || reply->has_recursion ? OUTCOME_EMPTY : OUTCOME_LAME;
}
