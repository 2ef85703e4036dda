/* source/mrt/element: whatever the records say and whatever is asked for, a filtered walk tells
 * just those elements of the whole walk that a slow and independent reading of the filter lets
 * pass, in the same order, and counts as many as it tells. The first bytes choose an element of the
 * archive and in what respects others must be like it; the rest is the archive, its records framed
 * by their lengths. */
#include "source/mrt/element.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { CHOICES = 3 };

/* A walk's elements as text, a line each; those that `slow` does not let pass are left out. */
struct lines {
    struct buffer text;
    const struct element_filter *slow;
    uint64_t count;
};

/* ---- the filter, read slowly ---- */

static bool has_bit(const struct prefix *prefix, unsigned bit)
{
    return prefix->addr.bytes[bit / 8] >> (7 - bit % 8) & 1;
}

static bool is_within(const struct prefix *inner, const struct prefix *outer)
{
    bool is_same = inner->addr.family == outer->addr.family && inner->bits >= outer->bits;
    for (unsigned bit = 0; is_same && bit < outer->bits; bit++)
        is_same = has_bit(inner, bit) == has_bit(outer, bit);
    return is_same;
}

static bool slow_prefix(const struct element_filter *filter, const struct prefix *prefix)
{
    for (size_t i = 0; i < filter->prefix_count; i++) {
        const struct prefix *wanted = &filter->prefixes[i].prefix;
        bool is_more = is_within(prefix, wanted), is_less = is_within(wanted, prefix);
        switch (filter->prefixes[i].match) {
        case PREFIX_EXACT:
            if (is_more && is_less)
                return true;
            break;
        case PREFIX_MORE:
            if (is_more)
                return true;
            break;
        case PREFIX_LESS:
            if (is_less)
                return true;
            break;
        case PREFIX_RELATED:
            if (is_more || is_less)
                return true;
        }
    }
    return false;
}

/* By the path's text: the origin is the last word of it if that is a number, and every number in it
 * is an AS. */
static bool slow_path(const struct element_filter *filter, const struct bgp_path *path)
{
    struct buffer text = {0};
    bool has_asn = filter->asn_count == 0;
    buffer_puts(&text, "");
    bgp_path_format(path, &text);
    const char *last = strrchr(text.bytes, ' ');
    last = last ? last + 1 : text.bytes;
    uint32_t origin = (uint32_t)strtoul(last, NULL, 10);
    for (char *at = text.bytes; *at; at++) {
        bool is_number = *at >= '0' && *at <= '9';
        if (is_number && strtoul(at, &at, 10) == filter->asns[0])
            has_asn = true;
        if (!*at)
            break;
    }
    buffer_done(&text);
    return has_asn && (filter->origin_count == 0 || filter->origins[0] == origin);
}

static bool slow_community(const struct element_filter *filter,
                           const struct bgp_attributes *attributes)
{
    struct reader r = bgp_attribute(attributes, BGP_COMMUNITIES);
    while (reader_left(&r)) {
        uint32_t community = reader_u32(&r);
        if (community >> 16 == filter->communities[0].part[0] &&
            (filter->communities[0].is_any ||
             (community & 0xffff) == filter->communities[0].part[1]))
            return true;
    }
    return false;
}

static bool slow_passes(const struct element_filter *filter, const struct element *element)
{
    bool is_route = element->kind <= ELEMENT_TABLE;
    bool is_there = element->kind == ELEMENT_ANNOUNCE || element->kind == ELEMENT_TABLE;
    if (filter->kinds && !(filter->kinds & 1U << element->kind))
        return false;
    if (filter->family && filter->family != element->prefix.addr.family)
        return false;
    if (element->time.ns < filter->from.ns ||
        (filter->until.ns && element->time.ns >= filter->until.ns))
        return false;
    if (filter->peer_count && filter->peers[0].asn && filter->peers[0].asn != element->peer->asn)
        return false;
    if (filter->prefix_count && (!is_route || !slow_prefix(filter, &element->prefix)))
        return false;
    if (filter->origin_count || filter->asn_count)
        if (!is_there || !slow_path(filter, &element->attributes->path))
            return false;
    return !filter->community_count || (is_there && slow_community(filter, element->attributes));
}

/* ---- walks ---- */

static void add_line(void *context, const struct element *element)
{
    struct lines *lines = context;
    char text[PREFIX_TEXT_MAX];
    assert(element->peer && element->kind < ELEMENT_KINDS);
    assert(element->attributes || element->kind == ELEMENT_WITHDRAW ||
           element->kind > ELEMENT_TABLE);
    if (lines->slow && !slow_passes(lines->slow, element))
        return;
    lines->count++;
    buffer_printf(&lines->text, "%d %lld %u %s %u %u %d %d %d ", element->kind,
                  (long long)element->time.ns, element->peer->asn,
                  prefix_format(&element->prefix, text), element->safi, element->path_id,
                  element->has_path_id, element->is_faulty, element->is_from_collector);
    if (element->kind <= ELEMENT_TABLE) {
        struct prefix normal = prefix_of(&element->prefix.addr, element->prefix.bits);
        assert(prefix_compare(&normal, &element->prefix) == 0);
    }
    if (element->attributes) {
        struct bgp_next_hop hop =
            bgp_next_hop_of(element->attributes, element->prefix.addr.family, element->safi);
        bgp_path_format(&element->attributes->path, &lines->text);
        buffer_printf(&lines->text, " %s", addr_format(&hop.global, text));
    }
    buffer_puts(&lines->text, "\n");
}

static void walk_records(struct element_walk *walk, const uint8_t *bytes, size_t n)
{
    struct reader r = reader_of(bytes, n);
    while (reader_left(&r) >= MRT_HEADER) {
        struct mrt_header header = mrt_header_of(reader_bytes(&r, MRT_HEADER));
        if (header.length > reader_left(&r))
            header.length = (uint32_t)reader_left(&r);
        element_walk_record(walk, &header, reader_sub(&r, header.length));
    }
    element_walk_done(walk);
}

/* ---- making a filter ---- */

struct maker {
    struct element_filter filter;
    uint8_t place; /* which element is the model */
    uint8_t parts; /* a bit for each part of the filter */
    uint8_t detail;
};

static void take_attributes(struct maker *maker, const struct bgp_attributes *attributes)
{
    struct element_filter *filter = &maker->filter;
    struct reader communities = bgp_attribute(attributes, BGP_COMMUNITIES);
    if (maker->parts & 8) {
        filter->origin_count = 1;
        filter->origins[0] = bgp_path_origin(&attributes->path);
    }
    if (maker->parts & 16) {
        struct buffer text = {0};
        buffer_puts(&text, "");
        bgp_path_format(&attributes->path, &text);
        filter->asn_count = 1;
        filter->asns[0] = (uint32_t)strtoul(text.bytes + strspn(text.bytes, "({"), NULL, 10);
        buffer_done(&text);
    }
    if (maker->parts & 32 && communities.at) {
        filter->community_count = 1;
        filter->communities[0].parts = 2;
        filter->communities[0].part[0] = reader_u16(&communities);
        filter->communities[0].part[1] = reader_u16(&communities);
        filter->communities[0].is_any = maker->detail & 1;
    }
}

/* What is wanted is what is like the chosen element in the chosen respects. */
static void make_filter(void *context, const struct element *element)
{
    struct maker *maker = context;
    struct element_filter *filter = &maker->filter;
    if (maker->place-- != 0)
        return;
    if (maker->parts & 1)
        filter->kinds = 1U << element->kind;
    if (maker->parts & 2)
        filter->family = element->prefix.addr.family;
    if (maker->parts & 4 && element->prefix.addr.family) {
        unsigned bits = element->prefix.bits;
        filter->prefix_count = 1;
        filter->prefixes[0].match = (enum prefix_match)(maker->detail & 3);
        filter->prefixes[0].prefix =
            prefix_of(&element->prefix.addr, maker->detail & 128 ? bits + 1 : bits - bits / 4);
    }
    if (element->attributes)
        take_attributes(maker, element->attributes);
    if (maker->parts & 64) {
        filter->peer_count = 1;
        filter->peers[0].asn = element->peer->asn;
    }
    if (maker->parts & 128 && maker->detail & 64)
        filter->from = element->time;
    else if (maker->parts & 128)
        filter->until = element->time;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n < CHOICES)
        return 0;
    struct maker maker = {.place = bytes[0] % 32, .parts = bytes[1], .detail = bytes[2]};
    struct element_walk first = {.take = make_filter, .context = &maker};
    walk_records(&first, bytes + CHOICES, n - CHOICES);

    struct lines slow = {.slow = &maker.filter}, fast = {0};
    struct element_walk whole = {.take = add_line, .context = &slow};
    struct element_walk filtered = {.filter = &maker.filter, .take = add_line, .context = &fast};
    struct element_walk counting = {.filter = &maker.filter};
    buffer_puts(&slow.text, "");
    buffer_puts(&fast.text, "");
    walk_records(&whole, bytes + CHOICES, n - CHOICES);
    walk_records(&filtered, bytes + CHOICES, n - CHOICES);
    walk_records(&counting, bytes + CHOICES, n - CHOICES);
    assert(strcmp(slow.text.bytes, fast.text.bytes) == 0);
    uint64_t count = 0;
    for (size_t i = 0; i < ELEMENT_KINDS; i++)
        count += filtered.counts.of[i];
    assert(count == fast.count);
    assert(memcmp(&filtered.counts, &counting.counts, sizeof counting.counts) == 0);
    buffer_done(&slow.text);
    buffer_done(&fast.text);
    return 0;
}
