/* What DNSSEC signatures are worth: RFC 4034 and RFC 4035, over ldns. Pure; time is given. What decides is
 * whether a validating resolver would find the zone good:
 *
 *     dnssec_check_keys(check, &keys, anchors)              the zone's keys, vouched for from above
 *     dnssec_check(check, &soa, keys.records)               what they signed
 *
 * Work is bounded whatever a server sends (CVE-2023-50387): by the signatures looked at in a set, the keys
 * of one number, their size, and by `budget` in all. */
#ifndef SOURCE_DNS_DNSSEC_H
#define SOURCE_DNS_DNSSEC_H

#include <ldns/ldns.h>
#include <stdbool.h>
#include <stdint.h>

/* From good to bad. */
enum dnssec {
    DNSSEC_UNCHECKED, /* not signed, nothing says that it should be, or not all of it was seen */
    DNSSEC_VALID,
    DNSSEC_UNSUPPORTED, /* by unknown algorithms only: as if unsigned (RFC 4035, section 5.2) */
    DNSSEC_EARLY,       /* signed for a time to come */
    DNSSEC_EXPIRED,
    DNSSEC_BOGUS, /* signatures are wrong or missing */
};
const char *dnssec_name(enum dnssec dnssec);

struct dnssec_time {
    int64_t now_s;
    unsigned budget; /* verifications that are left */
};
enum { DNSSEC_BUDGET = 64 };

/* All records of one name and type out of a section, with their signatures; copies. */
struct dnssec_set {
    ldns_rr_list *records, *signatures; /* NULL: none were taken */
};
struct dnssec_set dnssec_take(const ldns_rr_list *section, const ldns_rdf *owner,
                              ldns_rr_type type);
void dnssec_set_done(struct dnssec_set *set);
bool dnssec_has(const struct dnssec_set *set);

/* Whether the set bears a valid signature by one of the zone's keys. */
enum dnssec dnssec_check(struct dnssec_time *time, const struct dnssec_set *set,
                         const ldns_rr_list *keys);

/* Whether the set is one of keys (DNSKEY), signed by one for which an anchor (a DS or DNSKEY record)
 * vouches. */
enum dnssec dnssec_check_keys(struct dnssec_time *time, const struct dnssec_set *keys,
                              const ldns_rr_list *anchors);

/* From when until when the set is signed, by the signature that lasts longest: seconds since 1970. False
 * if there is none. */
bool dnssec_span(const struct dnssec_set *set, int64_t now_s, int64_t *from_s, int64_t *until_s);

/* A DS or DNSKEY record as zone files have it, "kp. DS 2371 13 2 1F98...": a trust anchor. NULL if it is
 * none. */
ldns_rr *dnssec_anchor(const char *text);

#endif
