#include "source/dns/dnssec.h"

enum {
    RECORDS_MAX = 256, /* of a set; more are not taken */
    SIGNATURES_MAX =
        8, /* of a set that are looked at: two keys of two algorithms, and their successors */
    SAME_NUMBER_MAX =
        2, /* keys of one number (RFC 4034, appendix B): chance makes two, hardly three */
    EXPONENT_MAX = 8, /* bytes; OpenSSL takes no longer ones with large moduli either */
    MODULUS_MAX = 512 /* bytes: RFC 3110, section 2 */
};

/* Members of the records: RFC 4034, sections 2.1, 3.1 and 5.1. */
enum { KEY_FLAGS, KEY_PROTOCOL, KEY_ALGORITHM, KEY_ITSELF };
enum {
    SIGNATURE_ALGORITHM = 1,
    SIGNATURE_EXPIRES = 4,
    SIGNATURE_BEGINS,
    SIGNATURE_KEY,
    SIGNATURE_SIGNER
};
enum { DS_KEY, DS_ALGORITHM, DS_HASH, DS_DIGEST };

const char *dnssec_name(enum dnssec dnssec)
{
    static const char *const names[] = {
        [DNSSEC_UNCHECKED] = "unchecked",     [DNSSEC_VALID] = "valid",
        [DNSSEC_UNSUPPORTED] = "unsupported", [DNSSEC_EARLY] = "not valid yet",
        [DNSSEC_EXPIRED] = "expired",         [DNSSEC_BOGUS] = "bogus",
    };
    return names[dnssec];
}

/* Sets. */

static bool covers(const ldns_rr *signature, ldns_rr_type type)
{
    const ldns_rdf *covered = ldns_rr_rrsig_typecovered(signature);
    return covered && ldns_rdf2rr_type(covered) == type;
}

struct dnssec_set dnssec_take(const ldns_rr_list *section, const ldns_rdf *owner, ldns_rr_type type)
{
    struct dnssec_set set = {ldns_rr_list_new(), ldns_rr_list_new()};
    for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
        const ldns_rr *record = ldns_rr_list_rr(section, i);
        bool is_signature = ldns_rr_get_type(record) == LDNS_RR_TYPE_RRSIG && covers(record, type);
        ldns_rr_list *list = is_signature ? set.signatures : set.records;
        size_t most = is_signature ? SIGNATURES_MAX : RECORDS_MAX;
        if ((!is_signature && ldns_rr_get_type(record) != type) ||
            ldns_rr_get_class(record) != LDNS_RR_CLASS_IN ||
            ldns_dname_compare(ldns_rr_owner(record), owner) != 0)
            continue;
        if (ldns_rr_list_rr_count(list) < most)
            ldns_rr_list_push_rr(list, ldns_rr_clone(record));
    }
    ldns_rr_list_sort(set.records); /* servers shuffle them */
    ldns_rr_list_sort(set.signatures);
    return set;
}

void dnssec_set_done(struct dnssec_set *set)
{
    ldns_rr_list_deep_free(set->records);
    ldns_rr_list_deep_free(set->signatures);
    *set = (struct dnssec_set){NULL, NULL};
}

bool dnssec_has(const struct dnssec_set *set)
{
    return ldns_rr_list_rr_count(set->records) > 0;
}

/* Algorithms and keys. */

static uint8_t small(const ldns_rr *record, size_t member)
{
    const ldns_rdf *value = ldns_rr_rdf(record, member);
    return value && ldns_rdf_size(value) == 1 ? ldns_rdf_data(value)[0] : 0;
}

static uint16_t number(const ldns_rr *record, size_t member)
{
    const ldns_rdf *value = ldns_rr_rdf(record, member);
    return value && ldns_rdf_size(value) == 2 ? ldns_rdf2native_int16(value) : 0;
}

/* RFC 8624, section 3.1: those that a validator has to know. */
static bool is_known_algorithm(uint8_t algorithm)
{
    switch (algorithm) {
    case LDNS_RSASHA1:
    case LDNS_RSASHA1_NSEC3:
    case LDNS_RSASHA256:
    case LDNS_RSASHA512:
    case LDNS_ECDSAP256SHA256:
    case LDNS_ECDSAP384SHA384:
    case LDNS_ED25519:
        return true;
    default:
        return false;
    }
}

/* A key whose use costs little, whoever made it: the length of an RSA key's exponent comes first in it (RFC
 * 3110, section 2; long ones have a 0 there). */
static bool is_cheap(const ldns_rr *key)
{
    const ldns_rdf *itself = ldns_rr_rdf(key, KEY_ITSELF);
    size_t n = itself ? ldns_rdf_size(itself) : 0;
    uint8_t algorithm = small(key, KEY_ALGORITHM);
    if (!n || algorithm > LDNS_RSASHA512)
        return n > 0;
    uint8_t exponent = ldns_rdf_data(itself)[0];
    return exponent > 0 && exponent <= EXPONENT_MAX && n <= 1u + EXPONENT_MAX + MODULUS_MAX;
}

/* RFC 4034, section 2.1: of a zone, and not revoked (RFC 5011, section 2.1). */
static bool is_zone_key(const ldns_rr *key)
{
    enum { ZONE = 0x0100, REVOKED = 0x0080, DNSSEC = 3 };
    uint16_t flags = number(key, KEY_FLAGS);
    return ldns_rr_get_type(key) == LDNS_RR_TYPE_DNSKEY && (flags & ZONE) && !(flags & REVOKED) &&
           small(key, KEY_PROTOCOL) == DNSSEC && is_known_algorithm(small(key, KEY_ALGORITHM)) &&
           is_cheap(key);
}

/* Signatures. */

/* The better of two ways: one valid signature is enough (RFC 4035, section 5.3.3). */
static enum dnssec better(enum dnssec a, enum dnssec b)
{
    return a < b ? a : b;
}

static bool is_made_by(const ldns_rr *signature, const ldns_rr *key)
{
    const ldns_rdf *signer = ldns_rr_rdf(signature, SIGNATURE_SIGNER);
    return is_zone_key(key) && small(signature, SIGNATURE_ALGORITHM) == small(key, KEY_ALGORITHM) &&
           number(signature, SIGNATURE_KEY) == ldns_calc_keytag(key) && signer &&
           ldns_dname_compare(signer, ldns_rr_owner(key)) == 0;
}

static enum dnssec verify(struct dnssec_time *time, const struct dnssec_set *set,
                          ldns_rr *signature, ldns_rr *key)
{
    if (!time->budget)
        return DNSSEC_UNCHECKED;
    time->budget--;
    switch (ldns_verify_rrsig_time(set->records, signature, key, (time_t)time->now_s)) {
    case LDNS_STATUS_OK:
        return DNSSEC_VALID;
    case LDNS_STATUS_CRYPTO_SIG_EXPIRED:
        return DNSSEC_EXPIRED;
    case LDNS_STATUS_CRYPTO_SIG_NOT_INCEPTED:
        return DNSSEC_EARLY;
    default:
        return DNSSEC_BOGUS;
    }
}

/* With these keys, or with just one of them. */
static enum dnssec check_with(struct dnssec_time *time, const struct dnssec_set *set,
                              const ldns_rr_list *keys, const ldns_rr *only)
{
    enum dnssec best = DNSSEC_BOGUS;
    for (size_t i = 0; i < ldns_rr_list_rr_count(set->signatures); i++) {
        ldns_rr *signature = ldns_rr_list_rr(set->signatures, i);
        unsigned same = 0;
        for (size_t j = 0; j < ldns_rr_list_rr_count(keys) && same < SAME_NUMBER_MAX; j++) {
            ldns_rr *key = ldns_rr_list_rr(keys, j);
            if ((only && key != only) || !is_made_by(signature, key))
                continue;
            same++;
            best = better(best, verify(time, set, signature, key));
            if (best <= DNSSEC_VALID)
                return best;
        }
    }
    return best;
}

enum dnssec dnssec_check(struct dnssec_time *time, const struct dnssec_set *set,
                         const ldns_rr_list *keys)
{
    return dnssec_has(set) ? check_with(time, set, keys, NULL) : DNSSEC_UNCHECKED;
}

/* Anchors. */

static bool is_known_anchor(const ldns_rr *anchor)
{
    if (ldns_rr_get_type(anchor) == LDNS_RR_TYPE_DNSKEY)
        return is_zone_key(anchor);
    uint8_t hash = small(anchor, DS_HASH);
    return ldns_rr_get_type(anchor) == LDNS_RR_TYPE_DS &&
           is_known_algorithm(small(anchor, DS_ALGORITHM)) &&
           (hash == LDNS_SHA1 || hash == LDNS_SHA256 || hash == LDNS_SHA384);
}

static bool vouches(const ldns_rr *anchor, const ldns_rr *key)
{
    if (!is_zone_key(key) || ldns_dname_compare(ldns_rr_owner(anchor), ldns_rr_owner(key)) != 0)
        return false;
    if (ldns_rr_get_type(anchor) == LDNS_RR_TYPE_DNSKEY)
        return ldns_rr_compare(anchor, key) == 0;
    if (small(anchor, DS_ALGORITHM) != small(key, KEY_ALGORITHM) ||
        number(anchor, DS_KEY) != ldns_calc_keytag(key))
        return false;
    ldns_rr *own = ldns_key_rr2ds(key, (ldns_hash)small(anchor, DS_HASH));
    bool is_same =
        own && ldns_rdf_compare(ldns_rr_rdf(own, DS_DIGEST), ldns_rr_rdf(anchor, DS_DIGEST)) == 0;
    ldns_rr_free(own);
    return is_same;
}

/* Each key is tried once, for whichever anchor. */
enum dnssec dnssec_check_keys(struct dnssec_time *time, const struct dnssec_set *keys,
                              const ldns_rr_list *anchors)
{
    enum dnssec best = DNSSEC_BOGUS;
    bool is_known = false;
    for (size_t i = 0; i < ldns_rr_list_rr_count(anchors); i++)
        is_known |= is_known_anchor(ldns_rr_list_rr(anchors, i));
    if (!is_known)
        return DNSSEC_UNSUPPORTED;
    for (size_t j = 0; j < ldns_rr_list_rr_count(keys->records); j++) {
        const ldns_rr *key = ldns_rr_list_rr(keys->records, j);
        bool is_vouched = false;
        for (size_t i = 0; i < ldns_rr_list_rr_count(anchors) && i < SIGNATURES_MAX && !is_vouched;
             i++)
            is_vouched = is_known_anchor(ldns_rr_list_rr(anchors, i)) &&
                         vouches(ldns_rr_list_rr(anchors, i), key);
        if (is_vouched)
            best = better(best, check_with(time, keys, keys->records, key));
        if (best <= DNSSEC_VALID)
            return best;
    }
    return best;
}

/* RFC 4034, section 3.1.5: times are of 32 bits and go round. */
static int64_t unfold(const ldns_rr *signature, size_t member, int64_t now_s)
{
    const ldns_rdf *value = ldns_rr_rdf(signature, member);
    uint32_t time = value && ldns_rdf_size(value) == 4 ? ldns_rdf2native_int32(value) : 0;
    return now_s + (int32_t)(time - (uint32_t)now_s);
}

bool dnssec_span(const struct dnssec_set *set, int64_t now_s, int64_t *from_s, int64_t *until_s)
{
    size_t n = ldns_rr_list_rr_count(set->signatures);
    for (size_t i = 0; i < n; i++) {
        const ldns_rr *signature = ldns_rr_list_rr(set->signatures, i);
        int64_t until = unfold(signature, SIGNATURE_EXPIRES, now_s);
        if (i && until <= *until_s)
            continue;
        *from_s = unfold(signature, SIGNATURE_BEGINS, now_s);
        *until_s = until;
    }
    return n > 0;
}

ldns_rr *dnssec_anchor(const char *text)
{
    ldns_rr *record = NULL;
    if (ldns_rr_new_frm_str(&record, text, 0, NULL, NULL) != LDNS_STATUS_OK)
        return NULL;
    if (is_known_anchor(record))
        return record;
    ldns_rr_free(record);
    return NULL;
}
