#include "source/dns/dnssec_denial.h"

enum {
    /* More rounds of hashing nobody has to bear: RFC 9276, section 3.2; validators draw the line at 100 to 150. */
    ITERATIONS_MAX = 100,
    PROOFS_MAX =
        8, /* records that are looked at: three are enough for any proof (RFC 5155, section 7.2) */
    LABELS_MAX = 8, /* between the zone and what it delegates */
};

/* Is it a delegation, and one without DS? A record that knows of a SOA is the one from below. */
static bool denies_ds(const ldns_rr *record)
{
    const ldns_rdf *types = ldns_nsec_get_bitmap(record);
    return types && ldns_nsec_bitmap_covers_type(types, LDNS_RR_TYPE_NS) &&
           !ldns_nsec_bitmap_covers_type(types, LDNS_RR_TYPE_DS) &&
           !ldns_nsec_bitmap_covers_type(types, LDNS_RR_TYPE_SOA);
}

static enum dnssec check(struct dnssec_time *time, const ldns_rr_list *section,
                         const ldns_rr *record, const ldns_rr_list *keys)
{
    struct dnssec_set set = dnssec_take(section, ldns_rr_owner(record), ldns_rr_get_type(record));
    enum dnssec verdict = dnssec_check(time, &set, keys);
    dnssec_set_done(&set);
    return verdict;
}

/* ---- NSEC3 ---- */

struct proof {
    struct dnssec_time *time;
    const ldns_rr_list *section, *keys;
    const ldns_rdf *zone;
    const ldns_rr *records[PROOFS_MAX]; /* NSEC3 of one and the same kind */
    size_t count;
};

static bool is_same_kind(const ldns_rr *a, const ldns_rr *b)
{
    return ldns_nsec3_algorithm(a) == ldns_nsec3_algorithm(b) &&
           ldns_nsec3_iterations(a) == ldns_nsec3_iterations(b) &&
           ldns_rdf_compare(ldns_nsec3_salt(a), ldns_nsec3_salt(b)) == 0;
}

/* "HASH.zone" of a name; NULL if that cannot be made. For ldns_rdf_deep_free(). */
static ldns_rdf *hash_of(const struct proof *proof, const ldns_rdf *name)
{
    ldns_rdf *hash = ldns_nsec3_hash_name_frm_nsec3(proof->records[0], name);
    if (hash && ldns_dname_cat(hash, proof->zone) == LDNS_STATUS_OK)
        return hash;
    ldns_rdf_deep_free(hash);
    return NULL;
}

/* The record of a name itself; NULL if there is none. */
static const ldns_rr *find_match(const struct proof *proof, const ldns_rdf *name)
{
    const ldns_rr *found = NULL;
    ldns_rdf *hash = hash_of(proof, name);
    for (size_t i = 0; hash && i < proof->count && !found; i++)
        if (ldns_dname_compare(ldns_rr_owner(proof->records[i]), hash) == 0)
            found = proof->records[i];
    ldns_rdf_deep_free(hash);
    return found;
}

/* A record in whose gap the name would lie, and which may leave out delegations there (RFC 5155, section 6). */
static const ldns_rr *find_gap(const struct proof *proof, const ldns_rdf *name)
{
    const ldns_rr *found = NULL;
    ldns_rdf *hash = hash_of(proof, name);
    for (size_t i = 0; hash && i < proof->count && !found; i++)
        if (ldns_nsec3_optout(proof->records[i]) && ldns_nsec_covers_name(proof->records[i], hash))
            found = proof->records[i];
    ldns_rdf_deep_free(hash);
    return found;
}

/* The closest name above that is there, and that the one just below it may be left out. */
static enum dnssec check_opt_out(const struct proof *proof, const ldns_rdf *name)
{
    ldns_rdf *next = ldns_rdf_clone(name);
    enum dnssec verdict = DNSSEC_BOGUS;
    for (unsigned i = 0; i < LABELS_MAX && ldns_dname_is_subdomain(next, proof->zone); i++) {
        ldns_rdf *above = ldns_dname_left_chop(next);
        const ldns_rr *match = above ? find_match(proof, above) : NULL;
        const ldns_rr *gap = match ? find_gap(proof, next) : NULL;
        if (match) {
            ldns_rdf_deep_free(above);
            if (gap)
                verdict = check(proof->time, proof->section, match, proof->keys);
            if (gap && verdict == DNSSEC_VALID)
                verdict = check(proof->time, proof->section, gap, proof->keys);
            break;
        }
        ldns_rdf_deep_free(next);
        next = above;
    }
    ldns_rdf_deep_free(next);
    return verdict;
}

static enum dnssec check_nsec3(const struct proof *proof, const ldns_rdf *name)
{
    const ldns_rr *match = NULL;
    if (ldns_nsec3_algorithm(proof->records[0]) != LDNS_SHA1 ||
        ldns_nsec3_iterations(proof->records[0]) > ITERATIONS_MAX)
        return DNSSEC_UNSUPPORTED;
    match = find_match(proof, name);
    if (!match)
        return check_opt_out(proof, name);
    return denies_ds(match) ? check(proof->time, proof->section, match, proof->keys) : DNSSEC_BOGUS;
}

/* ---- either ---- */

static const ldns_rr *find_nsec(const ldns_rr_list *section, const ldns_rdf *name)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
        const ldns_rr *record = ldns_rr_list_rr(section, i);
        if (ldns_rr_get_type(record) == LDNS_RR_TYPE_NSEC &&
            ldns_dname_compare(ldns_rr_owner(record), name) == 0)
            return record;
    }
    return NULL;
}

static void take_nsec3(struct proof *proof)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(proof->section); i++) {
        const ldns_rr *record = ldns_rr_list_rr(proof->section, i);
        if (ldns_rr_get_type(record) != LDNS_RR_TYPE_NSEC3 || proof->count == PROOFS_MAX ||
            (proof->count && !is_same_kind(proof->records[0], record)))
            continue;
        proof->records[proof->count++] = record;
    }
}

enum dnssec dnssec_check_unsigned(struct dnssec_time *time, const ldns_rr_list *section,
                                  const ldns_rdf *name, const ldns_rdf *zone,
                                  const ldns_rr_list *keys)
{
    struct proof proof = {.time = time, .section = section, .keys = keys, .zone = zone};
    const ldns_rr *nsec = find_nsec(section, name);
    if (nsec)
        return denies_ds(nsec) ? check(time, section, nsec, keys) : DNSSEC_BOGUS;
    take_nsec3(&proof);
    return proof.count ? check_nsec3(&proof, name) : DNSSEC_BOGUS;
}
