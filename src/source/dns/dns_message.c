#include "source/dns/dns_message.h"

#include "model/detail.h"

#include <inttypes.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

/* Queries. */

/* Larger datagrams are cut into pieces, which get lost or are refused (RFC 9715; the size is that of DNS
 * Flag Day 2020): a server then says that its answer does not fit. */
enum { EDNS_DATAGRAM = 1232, OPTION_NSID = 3 };

/* RFC 6891, section 6.1.2: an OPT record with an empty NSID option, at the end. */
static void put_edns(bool is_signed, struct dns_query *out)
{
    enum { ARCOUNT_LOW = 11, DO = 0x80 };
    const uint8_t opt[] = {0,
                           0,
                           LDNS_RR_TYPE_OPT,
                           EDNS_DATAGRAM >> 8,
                           EDNS_DATAGRAM & 0xff,
                           0,
                           0,
                           is_signed ? DO : 0,
                           0,
                           0,
                           4,
                           0,
                           OPTION_NSID,
                           0,
                           0};
    memcpy(out->bytes + out->n, opt, sizeof opt);
    out->n += sizeof opt;
    out->bytes[ARCOUNT_LOW] = 1;
}

static bool put_query(ldns_rdf *owner, ldns_rr_type type, unsigned flags, uint16_t id,
                      struct dns_query *out)
{
    enum { OPT_ROOM = 15 };
    ldns_rr_class class = flags & DNS_CHAOS ? LDNS_RR_CLASS_CH : LDNS_RR_CLASS_IN;
    uint16_t bits =
        (uint16_t)((flags & DNS_RECURSE ? LDNS_RD : 0) | (flags & DNS_UNCHECKED ? LDNS_CD : 0));
    ldns_pkt *packet = ldns_pkt_query_new(owner, type, class, bits);
    if (!packet) {
        ldns_rdf_deep_free(owner);
        return false;
    }
    ldns_pkt_set_id(packet, id);
    uint8_t *wire = NULL;
    size_t n = 0;
    bool fits =
        ldns_pkt2wire(&wire, packet, &n) == LDNS_STATUS_OK && n <= sizeof out->bytes - OPT_ROOM;
    if (fits) {
        memcpy(out->bytes, wire, n);
        out->n = n;
        if (flags & (DNS_EDNS | DNS_SIGNED))
            put_edns(flags & DNS_SIGNED, out);
    }
    free(wire);
    ldns_pkt_free(packet);
    return fits;
}

bool dns_query_make(const char *name, size_t name_size, const char *type, size_t type_size,
                    unsigned flags, uint16_t id, struct dns_query *out)
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
    return owner && put_query(owner, number, flags, id, out);
}

/* Replies. */

/* The question that we asked, or an error that leaves it out (RFC 1035, section 4.1.1, asks for
 * none). */
static bool is_about(const ldns_pkt *query, const ldns_pkt *reply)
{
    const ldns_rr_list *asked = ldns_pkt_question(query), *echoed = ldns_pkt_question(reply);
    if (ldns_rr_list_rr_count(echoed) == 0)
        return ldns_pkt_get_rcode(reply) != LDNS_RCODE_NOERROR ||
               ldns_pkt_edns_extended_rcode(reply);
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

static void read_answers(const ldns_pkt *packet, const ldns_rr *asked, struct dns_reply *reply)
{
    const ldns_rr_list *answers = ldns_pkt_answer(packet);
    ldns_rr_type wanted = ldns_rr_get_type(asked);
    for (size_t i = 0; i < ldns_rr_list_rr_count(answers); i++) {
        const ldns_rr *record = ldns_rr_list_rr(answers, i);
        ldns_rr_type type = ldns_rr_get_type(record);
        if (ldns_rr_get_class(record) != ldns_rr_get_class(asked))
            continue;
        if (type == wanted || wanted == LDNS_RR_TYPE_ANY || type == LDNS_RR_TYPE_CNAME ||
            type == LDNS_RR_TYPE_DNAME)
            reply->has_record = true;
        if (type == LDNS_RR_TYPE_SOA && !reply->serial)
            reply->serial = serial_of(record);
    }
}

static void read_edns(ldns_pkt *packet, struct dns_reply *reply)
{
    if (!ldns_pkt_edns(packet))
        return;
    reply->has_edns = true;
    reply->edns_size = ldns_pkt_edns_udp_size(packet);
    const ldns_edns_option_list *options = ldns_pkt_edns_get_option_list(packet);
    for (size_t i = 0; options && i < ldns_edns_option_list_get_count(options); i++) {
        const ldns_edns_option *option = ldns_edns_option_list_get_option(options, i);
        if (ldns_edns_get_code(option) != (ldns_edns_option_code)OPTION_NSID)
            continue;
        size_t n = ldns_edns_get_size(option);
        reply->nsid_size = n < DNS_NSID_MAX ? n : DNS_NSID_MAX;
        if (reply->nsid_size)
            memcpy(reply->nsid, ldns_edns_get_data(option), reply->nsid_size);
    }
}

static enum dns_match read_packet(const ldns_pkt *query, ldns_pkt *packet, struct dns_reply *out)
{
    if (!is_about(query, packet))
        return DNS_FOREIGN;
    struct dns_reply reply = {
        .rcode = (uint16_t)(ldns_pkt_get_rcode(packet) |
                            (unsigned)ldns_pkt_edns_extended_rcode(packet) << 4),
        .is_truncated = ldns_pkt_tc(packet),
        .is_authoritative = ldns_pkt_aa(packet),
        .has_recursion = ldns_pkt_ra(packet),
        .packet = packet,
    };
    read_edns(packet, &reply);
    read_answers(packet, ldns_rr_list_rr(ldns_pkt_question(query), 0), &reply);
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
    if (match != DNS_ANSWER || !out->packet)
        ldns_pkt_free(packet);
    ldns_pkt_free(asked);
    return match;
}

void dns_reply_done(struct dns_reply *reply)
{
    ldns_pkt_free(reply->packet);
    reply->packet = NULL;
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

bool dns_rejects_edns(const struct dns_reply *reply)
{
    enum { BADVERS = 16 };
    return reply->rcode == LDNS_RCODE_FORMERR || reply->rcode == LDNS_RCODE_NOTIMPL ||
           reply->rcode == BADVERS;
}

struct addr dns_record_addr(const ldns_rr *record)
{
    struct addr addr = {0};
    const ldns_rdf *data = ldns_rr_rdf(record, 0);
    size_t n = data ? ldns_rdf_size(data) : 0;
    bool is_a = ldns_rr_get_type(record) == LDNS_RR_TYPE_A && n == 4;
    bool is_aaaa = ldns_rr_get_type(record) == LDNS_RR_TYPE_AAAA && n == 16;
    if (is_a || is_aaaa) {
        addr.family = is_a ? 4 : 6;
        memcpy(addr.bytes, ldns_rdf_data(data), n);
    }
    return addr;
}

/* What is told of them. */

/* RFC 5001, section 3.1: any bytes, which are shown as text where they are that. */
static void tell_nsid(const struct dns_reply *reply, struct account *account)
{
    char hex[2 * DNS_NSID_MAX + 1];
    bool is_text = true;
    for (size_t i = 0; i < reply->nsid_size; i++) {
        snprintf(hex + 2 * i, 3, "%02x", reply->nsid[i]);
        is_text &= reply->nsid[i] >= ' ' && reply->nsid[i] < 0x7f;
    }
    if (reply->nsid_size)
        account_text(account, FACT_NSID, is_text ? (const char *)reply->nsid : hex,
                     reply->nsid_size * (is_text ? 1 : 2));
}

/* "SOA ns1.kp. root.kp. 1 2 3 4 5": the owner, the time to live, which counts down, and the class are
 * left out. */
static char *answer_text(const ldns_rr *record)
{
    char *text = ldns_rr2str(record);
    size_t skip = 0;
    for (int i = 0; text && i < 3; i++) {
        skip += strcspn(text + skip, "\t");
        skip += text[skip] != '\0';
    }
    if (!text)
        return NULL;
    memmove(text, text + skip, strlen(text + skip) + 1);
    text[strcspn(text, "\n")] = '\0';
    for (char *at = strchr(text, '\t'); at; at = strchr(at, '\t'))
        *at = ' ';
    return text;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In order, since servers shuffle them. */
static void tell_answers(const struct dns_reply *reply, struct account *account)
{
    enum { LOOKED_AT = 2 * ACCOUNT_LIST_MAX };
    char *texts[LOOKED_AT];
    size_t n = 0;
    const ldns_rr_list *answers = ldns_pkt_answer(reply->packet);
    for (size_t i = 0; i < ldns_rr_list_rr_count(answers) && n < LOOKED_AT; i++) {
        const ldns_rr *record = ldns_rr_list_rr(answers, i);
        if (ldns_rr_get_type(record) == LDNS_RR_TYPE_RRSIG)
            continue;
        texts[n] = answer_text(record);
        n += texts[n] != NULL;
    }
    qsort(texts, n, sizeof *texts, compare_texts);
    for (size_t i = 0; i < n; i++) {
        account_add(account, FACT_ANSWERS, texts[i], strlen(texts[i]));
        free(texts[i]);
    }
}

void dns_reply_tell(const struct dns_reply *reply, struct account *account)
{
    if (!account || !reply->packet)
        return;
    account_number(account, FACT_IS_AUTHORITATIVE, reply->is_authoritative);
    if (reply->has_edns)
        account_number(account, FACT_EDNS_SIZE, reply->edns_size);
    tell_nsid(reply, account);
    tell_answers(reply, account);
}

void dns_reply_line(const struct dns_reply *reply, struct buffer *out)
{
    if (!reply->packet) {
        buffer_puts(out, "cut off (tc)");
        return;
    }
    const char *name = rcode_name(reply->rcode);
    if (name)
        buffer_puts(out, name);
    else
        buffer_printf(out, "rcode %u", reply->rcode);
    buffer_printf(out, "%s%s%s, %u answers, %u authority", reply->is_authoritative ? " aa" : "",
                  reply->is_truncated ? " tc" : "", reply->has_recursion ? " ra" : "",
                  ldns_pkt_ancount(reply->packet), ldns_pkt_nscount(reply->packet));
    if (reply->has_edns)
        buffer_printf(out, ", EDNS %u", reply->edns_size);
    if (reply->serial)
        buffer_printf(out, ", serial %" PRIu32, reply->serial);
}

bool dns_reply_text(const struct dns_reply *reply, const char **text, size_t *n)
{
    const ldns_rr_list *answers = reply->packet ? ldns_pkt_answer(reply->packet) : NULL;
    for (size_t i = 0; i < ldns_rr_list_rr_count(answers); i++) {
        const ldns_rr *record = ldns_rr_list_rr(answers, i);
        const ldns_rdf *string = ldns_rr_rdf(record, 0);
        if (ldns_rr_get_type(record) != LDNS_RR_TYPE_TXT || !string || ldns_rdf_size(string) < 2)
            continue;
        *text = (const char *)ldns_rdf_data(string) + 1; /* after its length */
        *n = ldns_rdf_size(string) - 1;
        return true;
    }
    return false;
}
