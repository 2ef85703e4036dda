#include "wire/bgp_inside.h"

#include <limits.h>

enum { FLAG_OPTIONAL = 0x80, FLAG_TRANSITIVE = 0x40, FLAG_EXTENDED_LENGTH = 0x10 };
enum {
    WELL_KNOWN = FLAG_TRANSITIVE,
    OPTIONAL = FLAG_OPTIONAL,
    OPTIONAL_TRANSITIVE = FLAG_OPTIONAL | FLAG_TRANSITIVE,
    FLAGS = FLAG_OPTIONAL | FLAG_TRANSITIVE
};
enum { TYPE_ATTRIBUTE_SET = 128 };
enum { ANY_LENGTH = UINT16_MAX };

/* What each attribute must be. */
struct rule {
    uint8_t flags; /* RFC 4271, 5.1 and the documents of each */
    uint8_t mask;  /* which flags must be so; 0: the type is not known */
    uint16_t shortest;
    uint16_t longest;
    uint16_t unit; /* of whose length it has a multiple, a power of 2, less 1 */
};

static const struct rule rules[BGP_ATTRIBUTES] = {
    [BGP_ORIGIN] = {WELL_KNOWN, FLAGS, 1, 1, 0},
    [BGP_AS_PATH] = {WELL_KNOWN, FLAGS, 0, ANY_LENGTH, 0},
    [BGP_NEXT_HOP] = {WELL_KNOWN, FLAGS, 4, 4, 0},
    [BGP_MED] = {OPTIONAL, FLAGS, 4, 4, 0},
    [BGP_LOCAL_PREF] = {WELL_KNOWN, FLAGS, 4, 4, 0},
    [BGP_ATOMIC_AGGREGATE] = {WELL_KNOWN, FLAGS, 0, 0, 0},
    [BGP_AGGREGATOR] = {OPTIONAL_TRANSITIVE, FLAGS, 6, 8, 1},
    [BGP_COMMUNITIES] = {OPTIONAL_TRANSITIVE, FLAGS, 4, ANY_LENGTH, 3},
    [BGP_ORIGINATOR_ID] = {OPTIONAL, FLAGS, 4, 4, 0},
    [BGP_CLUSTER_LIST] = {OPTIONAL, FLAGS, 4, ANY_LENGTH, 3},
    [BGP_MP_REACH] = {OPTIONAL, FLAGS, 0, ANY_LENGTH, 0},
    [BGP_MP_UNREACH] = {OPTIONAL, FLAGS, 0, ANY_LENGTH, 0},
    [BGP_EXTENDED_COMMUNITIES] = {OPTIONAL_TRANSITIVE, FLAGS, 8, ANY_LENGTH, 7},
    [BGP_AS4_PATH] = {OPTIONAL_TRANSITIVE, FLAGS, 0, ANY_LENGTH, 0},
    [BGP_AS4_AGGREGATOR] = {OPTIONAL_TRANSITIVE, FLAGS, 8, 8, 0},
    [BGP_IPV6_EXTENDED_COMMUNITIES] = {OPTIONAL_TRANSITIVE, FLAGS, 20, ANY_LENGTH, 3},
    [BGP_ONLY_TO_CUSTOMER] = {OPTIONAL_TRANSITIVE, FLAGS, 4, 4, 0},
    [BGP_LARGE_COMMUNITIES] = {OPTIONAL_TRANSITIVE, FLAGS, 12, ANY_LENGTH, 3},
};

/* What is said of an attribute that is wrong. */
static const char *const faults[BGP_ATTRIBUTES] = {
    [BGP_ORIGIN] = "ORIGIN is malformed",
    [BGP_AS_PATH] = "AS_PATH is malformed",
    [BGP_NEXT_HOP] = "NEXT_HOP has a wrong length",
    [BGP_MED] = "MULTI_EXIT_DISC has a wrong length",
    [BGP_LOCAL_PREF] = "LOCAL_PREF has a wrong length",
    [BGP_ATOMIC_AGGREGATE] = "ATOMIC_AGGREGATE is malformed",
    [BGP_AGGREGATOR] = "AGGREGATOR is malformed",
    [BGP_COMMUNITIES] = "COMMUNITIES has a wrong length",
    [BGP_ORIGINATOR_ID] = "ORIGINATOR_ID has a wrong length",
    [BGP_CLUSTER_LIST] = "CLUSTER_LIST has a wrong length",
    [BGP_EXTENDED_COMMUNITIES] = "EXTENDED COMMUNITIES has a wrong length",
    [BGP_AS4_PATH] = "AS4_PATH is malformed",
    [BGP_AS4_AGGREGATOR] = "AS4_AGGREGATOR is malformed",
    [BGP_IPV6_EXTENDED_COMMUNITIES] = "IPv6 EXTENDED COMMUNITIES has a wrong length",
    [BGP_ONLY_TO_CUSTOMER] = "ONLY_TO_CUSTOMER has a wrong length",
    [BGP_LARGE_COMMUNITIES] = "LARGE_COMMUNITY has a wrong length",
};

static size_t length_of(const struct bgp_attributes *attributes, unsigned type)
{
    return attributes->present >> type & 1 ? attributes->found[type].length : 0;
}

static void scan_fault(struct bgp_scan *scan, const char *fault)
{
    if (!scan->fault)
        scan->fault = fault;
}

/* Types that have no place in the index: RFC 4271, 6.3: a well-known one must be known; RFC 7606,
 * 7.16: ATTR_SET begins with an AS. */
static void scan_far_type(struct bgp_scan *scan, uint8_t type, uint8_t flags, size_t length)
{
    if (!(flags & FLAG_OPTIONAL))
        scan->wrong_flags |= 1;
    if (type == TYPE_ATTRIBUTE_SET && length < 4)
        scan_fault(scan, "ATTR_SET is malformed");
}

/* RFC 7606, 3 (c) flags, (g) duplicates; 4: a length that runs over the end. */
void attributes_scan(struct reader bytes, struct bgp_attributes *out)
{
    struct bgp_scan scan = {0};
    const uint8_t *at = bytes.at, *end = bytes.end;
    uint64_t present = 0;
    out->start = at;
    while (at < end) {
        size_t left = (size_t)(end - at);
        size_t head = at[0] & FLAG_EXTENDED_LENGTH ? 4 : 3;
        if (left < head) {
            scan_fault(&scan, "a path attribute is longer than the attributes' total length");
            break;
        }
        uint8_t flags = at[0], type = at[1];
        size_t length = head == 4 ? (size_t)(at[2] << 8 | at[3]) : at[2];
        if (length > left - head) {
            scan_fault(&scan, "a path attribute is longer than the attributes' total length");
            break;
        }
        at += head;
        scan.count++;
        if (type >= BGP_ATTRIBUTES) {
            scan_far_type(&scan, type, flags, length);
        } else if (present & attribute_bit(type)) {
            if (type == BGP_MP_REACH || type == BGP_MP_UNREACH)
                scan.fatal = "MP_REACH_NLRI or MP_UNREACH_NLRI is there twice";
        } else {
            const struct rule *rule = &rules[type];
            if (rule->mask != 0) {
                bool has_wrong_flags = (flags ^ rule->flags) & FLAGS;
                bool has_wrong_length =
                    length < rule->shortest || length > rule->longest || (length & rule->unit);
                scan.wrong_flags |= (uint64_t)has_wrong_flags << type;
                scan.wrong_length |= (uint64_t)has_wrong_length << type;
            } else {
                scan.wrong_flags |= !(flags & FLAG_OPTIONAL);
            }
            present |= attribute_bit(type);
            out->found[type].at = (uint16_t)(at - out->start);
            out->found[type].length = (uint16_t)length;
        }
        at += length;
    }
    out->present = present;
    out->scan = scan;
}

/* Lengths that are no matter of powers of 2. */
static uint64_t find_odd_lengths(const struct bgp_attributes *attributes)
{
    uint64_t wrong = 0;
    if (length_of(attributes, BGP_LARGE_COMMUNITIES) % 12)
        wrong |= attribute_bit(BGP_LARGE_COMMUNITIES);
    if (length_of(attributes, BGP_IPV6_EXTENDED_COMMUNITIES) % 20)
        wrong |= attribute_bit(BGP_IPV6_EXTENDED_COMMUNITIES);
    return wrong;
}

/* RFC 7606, 7.7: two forms, by how the session has its ASNs; dumps have either. RFC 7607: no AS is
 * 0. */
static uint64_t find_bad_aggregators(const struct bgp_attributes *attributes,
                                     const struct bgp_form *form, bool is_dump)
{
    struct reader old = bgp_attribute(attributes, BGP_AGGREGATOR);
    struct reader as4 = bgp_attribute(attributes, BGP_AS4_AGGREGATOR);
    uint64_t wrong = 0;
    bool is_long = reader_left(&old) == 8;
    bool has_form = is_dump || is_long == form->is_as4;
    if (old.at && (!has_form || (is_long ? reader_u32(&old) : reader_u16(&old)) == 0))
        wrong |= attribute_bit(BGP_AGGREGATOR);
    if (as4.at && reader_u32(&as4) == 0)
        wrong |= attribute_bit(BGP_AS4_AGGREGATOR);
    return wrong;
}

/* What may be left out where it is wrong: RFC 7606, 3 (f) and RFC 6793, 6. What only matters within
 * an AS is none of an outsider's business (RFC 7606, 7.5, 7.9, 7.10), and the next hop is none of
 * a dump's. */
static uint64_t discardable(const struct bgp_form *form, bool is_dump)
{
    uint64_t set = attribute_bit(BGP_ATOMIC_AGGREGATE) | attribute_bit(BGP_AGGREGATOR) |
                   attribute_bit(BGP_AS4_PATH) | attribute_bit(BGP_AS4_AGGREGATOR);
    if (!form->is_internal)
        set |= attribute_bit(BGP_LOCAL_PREF) | attribute_bit(BGP_ORIGINATOR_ID) |
               attribute_bit(BGP_CLUSTER_LIST);
    return is_dump ? set | attribute_bit(BGP_NEXT_HOP) : set;
}

static void discard(struct bgp_attributes *attributes, uint64_t wrong)
{
    attributes->present &= ~wrong;
    attributes->discarded |= wrong;
    for (unsigned type = 0; wrong && !attributes->fault; type++)
        if (wrong >> type & 1)
            attributes->fault = faults[type];
}

/* RFC 7606, 3 (h): of several faults the strongest counts. */
static const char *judge_each(const struct bgp_form *form, bool is_dump, struct bgp_attributes *out)
{
    uint64_t flags = is_dump ? 0 : out->scan.wrong_flags;
    uint64_t wrong = flags | out->scan.wrong_length;
    if (out->present &
        (attribute_bit(BGP_LARGE_COMMUNITIES) | attribute_bit(BGP_IPV6_EXTENDED_COMMUNITIES)))
        wrong |= find_odd_lengths(out);
    if (out->present & (attribute_bit(BGP_AGGREGATOR) | attribute_bit(BGP_AS4_AGGREGATOR)))
        wrong |= find_bad_aggregators(out, form, is_dump);
    if (!wrong)
        return NULL;
    uint64_t fatal = wrong & ~discardable(form, is_dump);
    if (fatal & flags)
        return "a path attribute has wrong flags";
    for (unsigned type = 0; fatal >> type; type++)
        if (fatal >> type & 1)
            return faults[type];
    discard(out, wrong);
    return NULL;
}

/* RFC 6793, 4.2.3: an AGGREGATOR of an old speaker is newer than what AS4_PATH and AS4_AGGREGATOR
 * say. */
static bool was_aggregated_since(const struct bgp_attributes *attributes)
{
    struct reader old = bgp_attribute(attributes, BGP_AGGREGATOR);
    return attributes->present & attribute_bit(BGP_AS4_AGGREGATOR) && old.at &&
           reader_u16(&old) != BGP_AS_TRANS;
}

static void take_as4_path(struct bgp_attributes *out)
{
    struct reader as4 = bgp_attribute(out, BGP_AS4_PATH);
    if (!path_is_sound(as4, true) ||
        (!was_aggregated_since(out) && !path_merge(out->path.head, as4, &out->path)))
        discard(out, attribute_bit(BGP_AS4_PATH));
}

static const char *judge_path(bool is_as4, struct bgp_attributes *out)
{
    struct reader head = bgp_attribute(out, BGP_AS_PATH);
    if (!head.at)
        return "AS_PATH is missing";
    if (!path_is_sound(head, is_as4))
        return faults[BGP_AS_PATH];
    out->path = (struct bgp_path){.head = head, .head_hops = UINT_MAX, .is_as4 = is_as4};
    if (is_as4) /* RFC 6793, 4.1: who speaks 4-byte ASNs does not use these */
        out->present &= ~(attribute_bit(BGP_AS4_PATH) | attribute_bit(BGP_AS4_AGGREGATOR));
    else if (out->present & attribute_bit(BGP_AS4_PATH))
        take_as4_path(out);
    return NULL;
}

const char *attributes_judge(const struct bgp_form *form, bool is_dump, struct bgp_attributes *out)
{
    struct reader origin = bgp_attribute(out, BGP_ORIGIN);
    out->discarded = 0;
    out->fault = NULL;
    const char *fault = out->scan.fault ? out->scan.fault : judge_each(form, is_dump, out);
    if (fault)
        return fault;
    if (is_dump && !(out->present & (attribute_bit(BGP_ORIGIN) | attribute_bit(BGP_AS_PATH)))) {
        out->path = (struct bgp_path){.is_as4 = form->is_as4};
        out->origin = 0;
        return NULL;
    }
    if (!origin.at)
        return "ORIGIN is missing";
    if (*origin.at > 2)
        return faults[BGP_ORIGIN];
    out->origin = *origin.at;
    return judge_path(form->is_as4, out);
}

const char *bgp_attributes_decode(struct reader bytes, bool is_as4, struct bgp_attributes *out)
{
    const struct bgp_form form = {.is_as4 = is_as4};
    attributes_scan(bytes, out);
    return attributes_judge(&form, true, out);
}

static struct addr read_addr(struct reader *r, uint8_t family)
{
    struct addr addr = {.family = family};
    size_t n = family == 6 ? 16 : 4;
    const uint8_t *bytes = reader_bytes(r, n);
    if (!bytes)
        return (struct addr){0};
    memcpy(addr.bytes, bytes, n);
    return addr;
}

/* By its length: an IPv4 address, an IPv6 one, or two (RFC 2545, 3; RFC 8950, 3). */
static struct bgp_next_hop read_next_hop(struct reader r)
{
    struct bgp_next_hop hop = {0};
    size_t length = reader_left(&r);
    if (length != 4 && length != 16 && length != 32)
        return hop;
    hop.global = read_addr(&r, length == 4 ? 4 : 6);
    if (length == 32)
        hop.local = read_addr(&r, 6);
    return hop;
}

/* The next hop within MP_REACH_NLRI if it is of this family. The first byte of the full form is that
 * of an AFI, 0; of the abbreviated form it is the length of what follows. */
static struct reader find_next_hop(struct reader reach, uint8_t family, uint8_t safi)
{
    if (reader_left(&reach) && *reach.at != 0)
        return reader_sub(&reach, reader_u8(&reach));
    uint16_t afi = reader_u16(&reach);
    uint8_t reach_safi = reader_u8(&reach);
    struct reader hop = reader_sub(&reach, reader_u8(&reach));
    return afi == (family == 6 ? 2 : 1) && reach_safi == safi ? hop : (struct reader){0};
}

struct bgp_next_hop bgp_next_hop_of(const struct bgp_attributes *attributes, uint8_t family,
                                    uint8_t safi)
{
    struct reader reach = bgp_attribute(attributes, BGP_MP_REACH);
    struct reader old = bgp_attribute(attributes, BGP_NEXT_HOP);
    struct bgp_next_hop hop = read_next_hop(find_next_hop(reach, family, safi));
    bool is_abbreviated = reader_left(&reach) && *reach.at != 0;
    if (family == 4 && reader_left(&old) == 4 && (!hop.global.family || is_abbreviated))
        return read_next_hop(old);
    return hop;
}
