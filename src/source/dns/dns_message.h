/* DNS messages, over ldns: RFC 1035, with EDNS(0) (RFC 6891). Pure: bytes in, values out. */
#ifndef SOURCE_DNS_DNS_MESSAGE_H
#define SOURCE_DNS_DNS_MESSAGE_H

#include "base/addr.h"
#include "model/model.h"
#include "source/probe/account.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DNS_NAME_TEXT = 256, /* with the NUL; escapes do not fit into a target that is longer */
    DNS_QUERY_MAX = 300, /* a header, one name, type and class, and what EDNS takes */
    DNS_REPLY_MAX = 65535,
    DNS_NSID_MAX = 64, /* bytes of an identifier that are kept */
};

struct ldns_struct_rr;

struct dns_query {
    uint8_t bytes[DNS_QUERY_MAX];
    size_t n;
};

enum dns_query_flags {
    DNS_RECURSE = 1 << 0,   /* RD */
    DNS_UNCHECKED = 1 << 1, /* CD: a resolver need not validate (RFC 4035, section 3.2.2) */
    DNS_EDNS = 1 << 2,   /* says that larger datagrams are fine, and asks who answers (RFC 5001) */
    DNS_SIGNED = 1 << 3, /* DO: with the signatures (RFC 3225); takes EDNS */
    DNS_CHAOS = 1 << 4,  /* of the class in which servers speak of themselves (RFC 4892) */
};

/* False if the name or the type is none. */
bool dns_query_make(const char *name, size_t name_size, const char *type, size_t type_size,
                    unsigned flags, uint16_t id, struct dns_query *out);

enum dns_match {
    DNS_FOREIGN, /* not an answer to this query: another identifier or question, or not an answer at
                    all */
    DNS_BROKEN,  /* has our identifier, but cannot be decoded */
    DNS_ANSWER,
};

struct dns_reply {
    uint16_t rcode; /* with the upper bits that EDNS has */
    bool is_truncated;
    bool is_authoritative;
    bool has_recursion; /* available: it is a resolver */
    bool has_record;    /* of the type that was asked, or an alias */
    bool has_edns;
    uint16_t edns_size;
    uint8_t nsid[DNS_NSID_MAX];
    size_t nsid_size;
    uint32_t serial;                /* of a SOA record in the answer; 0: none */
    struct ldns_struct_pkt *packet; /* NULL of one that is cut off in the middle */
};

/* Decodes what came back for a query. *out is set only for DNS_ANSWER, and then for dns_reply_done(). */
enum dns_match dns_reply_read(const struct dns_query *query, const uint8_t *bytes, size_t n,
                              struct dns_reply *out);
void dns_reply_done(struct dns_reply *reply);

enum outcome dns_outcome(const struct dns_reply *reply);
/* Is it what servers answer that do not understand EDNS, or not this version of it (RFC 6891, section 7)? */
bool dns_rejects_edns(const struct dns_reply *reply);
/* The address in an A or AAAA record; family 0 in others. */
struct addr dns_record_addr(const struct ldns_struct_rr *record);

/* The facts in it, for who asked for its record. */
void dns_reply_tell(const struct dns_reply *reply, struct account *account);
/* "NOERROR aa, 2 answers, 1 authority": in a line. */
void dns_reply_line(const struct dns_reply *reply, struct buffer *out);
/* The first text of the first TXT record of the answer; false if there is none. */
bool dns_reply_text(const struct dns_reply *reply, const char **text, size_t *n);

#endif
