#include "wire/bgp.h"

#include <limits.h>

/* IANA: BGP Path Attributes. */
enum attribute {
    ATTRIBUTE_ORIGIN = 1,
    ATTRIBUTE_AS_PATH = 2,
    ATTRIBUTE_NEXT_HOP = 3,
    ATTRIBUTE_MED = 4,
    ATTRIBUTE_AGGREGATOR = 7,
    ATTRIBUTE_COMMUNITIES = 8,
    ATTRIBUTE_MP_REACH = 14,
    ATTRIBUTE_MP_UNREACH = 15,
    ATTRIBUTE_EXTENDED_COMMUNITIES = 16,
    ATTRIBUTE_AS4_PATH = 17,
    ATTRIBUTE_AS4_AGGREGATOR = 18,
    ATTRIBUTE_LARGE_COMMUNITIES = 32
};

enum { FLAG_OPTIONAL = 0x80, FLAG_TRANSITIVE = 0x40, FLAG_EXTENDED_LENGTH = 0x10 };

enum segment_type {
    SEGMENT_SET = 1,
    SEGMENT_SEQUENCE = 2,
    SEGMENT_CONFED_SEQUENCE = 3, /* RFC 5065 */
    SEGMENT_CONFED_SET = 4
};

/* Attributes as found, before they are judged together. */
struct scan {
    struct reader found[33]; /* by type, up to large communities; at == NULL: not there */
    const char *fault;       /* RFC 7606: treat as withdraw */
    const char *fatal;       /* RFC 7606: the message cannot be used */
    unsigned count;
};

struct prefix bgp_prefix(struct reader *r, uint8_t family)
{
    unsigned bits = reader_u8(r);
    if (bits > (family == 6 ? 128U : 32U))
        reader_fail(r, "a prefix is longer than an address");
    unsigned n = (bits + 7) / 8;
    const uint8_t *bytes = reader_bytes(r, n);
    if (r->bad || !bytes)
        return (struct prefix){0};
    struct prefix prefix = {.addr = {.family = family}, .bits = (uint8_t)bits};
    memcpy(prefix.addr.bytes, bytes, n);
    if (bits % 8)
        prefix.addr.bytes[n - 1] &= (uint8_t)(0xff00 >> bits % 8);
    return prefix;
}

int bgp_routes_next(struct bgp_routes *routes, struct bgp_nlri *out)
{
    if (reader_left(&routes->bytes) == 0)
        return 0;
    uint32_t path_id = routes->has_path_ids ? reader_u32(&routes->bytes) : 0;
    struct prefix prefix = bgp_prefix(&routes->bytes, routes->family);
    if (routes->bytes.bad)
        return 0;
    *out = (struct bgp_nlri){.prefix = prefix, .path_id = path_id};
    return 1;
}

/* What a walk over prefixes finds, without building them. */
struct survey {
    size_t sound;      /* bytes up to the first that is wrong */
    unsigned defaults; /* prefixes of length 0 */
    bool is_cut;       /* what is wrong is only that the last one is cut short */
    bool is_sound;
};

static struct survey survey_routes(struct reader r, uint8_t family, bool has_path_ids)
{
    const uint8_t *start = r.at;
    struct survey survey = {.is_sound = true};
    while (reader_left(&r)) {
        if (has_path_ids)
            reader_u32(&r);
        unsigned bits = reader_u8(&r);
        reader_bytes(&r, (bits + 7) / 8);
        if (bits > (family == 6 ? 128U : 32U) || r.bad) {
            survey.is_cut = bits <= (family == 6 ? 128U : 32U);
            survey.is_sound = false;
            return survey;
        }
        survey.defaults += bits == 0;
        survey.sound = (size_t)(r.at - start);
    }
    return survey;
}

/* The two runs of prefixes of one family, withdrawn and announced, decided on together. */
struct form {
    struct survey runs[2];
    bool is_sound;
    unsigned defaults;
};

static struct form form_of(const struct reader runs[2], uint8_t family, bool has_path_ids)
{
    struct form form = {.runs = {survey_routes(runs[0], family, has_path_ids),
                                 survey_routes(runs[1], family, has_path_ids)}};
    form.is_sound = form.runs[0].is_sound && form.runs[1].is_sound;
    form.defaults = form.runs[0].defaults + form.runs[1].defaults;
    return form;
}

/* Whether prefixes have path identifiers. Identifiers are small numbers, whose zero bytes read as
 * default routes: one message has no use for two of these. */
static bool has_path_ids(const struct reader runs[2], uint8_t family, enum bgp_add_path add_path,
                         const struct form *plain)
{
    if (add_path != BGP_ADD_PATH_GUESS)
        return add_path == BGP_ADD_PATH_YES;
    if (plain->is_sound && plain->runs[0].defaults < 2 && plain->runs[1].defaults < 2)
        return false;
    struct form with = form_of(runs, family, true);
    return with.is_sound && (!plain->is_sound || with.defaults < plain->defaults);
}

/* Settles the form of both runs. If a run ends with a prefix that is cut short, those before it are
 * kept and *fault says so. False if the runs make no sense. */
static bool settle_form(struct reader runs[2], uint8_t family, enum bgp_add_path add_path,
                        bool *with_path_ids, const char **fault)
{
    struct form form = form_of(runs, family, false);
    *with_path_ids = has_path_ids(runs, family, add_path, &form);
    if (*with_path_ids)
        form = form_of(runs, family, true);
    for (size_t i = 0; i < 2; i++) {
        if (!form.runs[i].is_sound && !form.runs[i].is_cut)
            return false;
        if (form.runs[i].is_cut) {
            runs[i].end = runs[i].at + form.runs[i].sound;
            *fault = "the last prefix is cut short; those before it are used";
        }
    }
    return true;
}

/* RFC 4271, 5.1 and the documents of each: what the Optional and Transitive bits must be. */
static bool flags_are_wrong(uint8_t type, uint8_t flags)
{
    flags &= FLAG_OPTIONAL | FLAG_TRANSITIVE;
    switch (type) {
    case ATTRIBUTE_ORIGIN:
    case ATTRIBUTE_AS_PATH:
    case ATTRIBUTE_NEXT_HOP:
        return flags != FLAG_TRANSITIVE;
    case ATTRIBUTE_MED:
    case ATTRIBUTE_MP_REACH:
    case ATTRIBUTE_MP_UNREACH:
        return flags != FLAG_OPTIONAL;
    case ATTRIBUTE_COMMUNITIES:
    case ATTRIBUTE_EXTENDED_COMMUNITIES:
    case ATTRIBUTE_LARGE_COMMUNITIES:
        return flags != (FLAG_OPTIONAL | FLAG_TRANSITIVE);
    default:
        return false;
    }
}

static void scan_fault(struct scan *scan, const char *fault)
{
    if (!scan->fault)
        scan->fault = fault;
}

/* Finds the attributes. RFC 7606, 3 (c) flags, (g) duplicates; 4: a length that runs over the end.
 */
static struct scan scan_attributes(struct reader r, bool checks_flags)
{
    struct scan scan = {0};
    while (reader_left(&r)) {
        uint8_t flags = reader_u8(&r);
        uint8_t type = reader_u8(&r);
        size_t n = flags & FLAG_EXTENDED_LENGTH ? reader_u16(&r) : reader_u8(&r);
        struct reader value = reader_sub(&r, n);
        if (r.bad) {
            scan_fault(&scan, "a path attribute is longer than the attributes' total length");
            break;
        }
        scan.count++;
        if (checks_flags && flags_are_wrong(type, flags))
            scan_fault(&scan, "a path attribute has wrong flags");
        if (type >= sizeof scan.found / sizeof *scan.found)
            continue;
        if (!scan.found[type].at)
            scan.found[type] = value;
        else if (type == ATTRIBUTE_MP_REACH || type == ATTRIBUTE_MP_UNREACH)
            scan.fatal = "MP_REACH_NLRI or MP_UNREACH_NLRI is there twice";
    }
    return scan;
}

/* RFC 4271, 4.3 and RFC 7606, 7.2: segments must fill the attribute exactly and none be empty.
 * *hops gets the length of the path as RFC 4271, 9.1.2.2 and RFC 5065, 5.3 count it. */
static bool path_is_sound(struct reader r, size_t asn_size, unsigned *hops)
{
    *hops = 0;
    while (reader_left(&r)) {
        uint8_t type = reader_u8(&r);
        uint8_t count = reader_u8(&r);
        reader_bytes(&r, count * asn_size);
        if (type < SEGMENT_SET || type > SEGMENT_CONFED_SET || count == 0)
            return false;
        *hops += type == SEGMENT_SEQUENCE ? count : type == SEGMENT_SET ? 1 : 0;
    }
    return !r.bad;
}

static bool has_confederation(struct reader r)
{
    while (reader_left(&r)) {
        uint8_t type = reader_u8(&r);
        reader_bytes(&r, reader_u8(&r) * (size_t)4);
        if (type >= SEGMENT_CONFED_SEQUENCE)
            return true;
    }
    return false;
}

/* RFC 6793, 4.2.3: whether the AS4_PATH is to be used, for a speaker of 2-byte ASNs. */
static void merge_as4_path(const struct scan *scan, unsigned hops, struct bgp_path *path)
{
    struct reader as4 = scan->found[ATTRIBUTE_AS4_PATH];
    struct reader aggregator = scan->found[ATTRIBUTE_AGGREGATOR];
    unsigned as4_hops;
    bool was_aggregated_since = scan->found[ATTRIBUTE_AS4_AGGREGATOR].at &&
                                reader_left(&aggregator) == 6 &&
                                reader_u16(&aggregator) != BGP_AS_TRANS;
    if (!as4.at || was_aggregated_since || !path_is_sound(as4, 4, &as4_hops) ||
        has_confederation(as4) || as4_hops > hops)
        return; /* RFC 6793, 6: a bad AS4_PATH is passed over */
    path->tail = as4;
    path->head_hops = hops - as4_hops;
}

static const char *take_path(const struct scan *scan, bool is_as4, struct bgp_path *out)
{
    unsigned hops;
    struct reader head = scan->found[ATTRIBUTE_AS_PATH];
    if (!head.at)
        return "AS_PATH is missing";
    if (!path_is_sound(head, is_as4 ? 4 : 2, &hops))
        return "AS_PATH is malformed";
    *out = (struct bgp_path){.head = head, .head_hops = UINT_MAX, .is_as4 = is_as4};
    if (!is_as4)
        merge_as4_path(scan, hops, out);
    return NULL;
}

static bool has_length(const struct reader *r, size_t n)
{
    return !r->at || reader_left(r) == n;
}

static bool has_length_of(const struct reader *r, size_t unit)
{
    return !r->at || (reader_left(r) > 0 && reader_left(r) % unit == 0);
}

/* RFC 7606, 7: the attributes whose faults make a route unusable. */
static const char *judge(const struct scan *scan, bool is_as4, struct bgp_attributes *out)
{
    struct reader origin = scan->found[ATTRIBUTE_ORIGIN];
    if (scan->fault)
        return scan->fault;
    if (!origin.at)
        return "ORIGIN is missing";
    if (!has_length(&origin, 1) || *origin.at > 2)
        return "ORIGIN is malformed";
    if (!has_length(&scan->found[ATTRIBUTE_MED], 4))
        return "MULTI_EXIT_DISC has a wrong length";
    if (!has_length_of(&scan->found[ATTRIBUTE_COMMUNITIES], 4))
        return "COMMUNITIES has a wrong length";
    if (!has_length_of(&scan->found[ATTRIBUTE_EXTENDED_COMMUNITIES], 8))
        return "EXTENDED COMMUNITIES has a wrong length";
    if (!has_length_of(&scan->found[ATTRIBUTE_LARGE_COMMUNITIES], 12))
        return "LARGE_COMMUNITY has a wrong length";
    out->origin = *origin.at;
    return take_path(scan, is_as4, &out->path);
}

const char *bgp_attributes_decode(struct reader bytes, bool is_as4, struct bgp_attributes *out)
{
    struct scan scan = scan_attributes(bytes, false);
    struct bgp_attributes attributes = {0};
    bool is_local =
        !scan.fault && !scan.found[ATTRIBUTE_ORIGIN].at && !scan.found[ATTRIBUTE_AS_PATH].at;
    const char *fault = is_local ? NULL : judge(&scan, is_as4, &attributes);
    if (!fault)
        *out = attributes;
    return fault;
}

/* AFI and SAFI of RFC 4760; 0 for families that are not ours. */
static uint8_t read_family(struct reader *r)
{
    uint16_t afi = reader_u16(r);
    uint8_t safi = reader_u8(r);
    if (safi != 1)
        return 0;
    return afi == 1 ? 4 : afi == 2 ? 6 : 0;
}

static void add_routes(struct bgp_routes *list, uint8_t *count, struct reader bytes, uint8_t family,
                       bool has_path_ids)
{
    if (reader_left(&bytes))
        list[(*count)++] = (struct bgp_routes){bytes, family, BGP_UNICAST, has_path_ids};
}

/* MP_REACH_NLRI and MP_UNREACH_NLRI (RFC 4760, 3 and 4). RFC 7606, 5.3: prefixes that cannot be
 * read make the whole message unusable. */
static const char *take_multiprotocol(const struct scan *scan, const struct bgp_form *form,
                                      struct bgp_update *out)
{
    struct reader gone = scan->found[ATTRIBUTE_MP_UNREACH];
    struct reader come = scan->found[ATTRIBUTE_MP_REACH];
    uint8_t gone_family = gone.at ? read_family(&gone) : 0;
    uint8_t come_family = come.at ? read_family(&come) : 0;
    if (come.at) {
        reader_bytes(&come, reader_u8(&come)); /* next hop */
        reader_u8(&come);                      /* reserved */
    }
    if (gone.bad || come.bad)
        return "MP_REACH_NLRI or MP_UNREACH_NLRI is too short";
    static const uint8_t families[2] = {4, 6};
    for (size_t i = 0; i < 2; i++) {
        struct reader none = {0};
        struct reader runs[2] = {gone_family == families[i] ? gone : none,
                                 come_family == families[i] ? come : none};
        bool with_path_ids;
        enum bgp_add_path add_path = families[i] == 6 ? form->add_path6 : form->add_path;
        if (!settle_form(runs, families[i], add_path, &with_path_ids, &out->fault))
            return "the prefixes of MP_REACH_NLRI or MP_UNREACH_NLRI are malformed";
        add_routes(out->withdrawn, &out->withdrawn_count, runs[0], families[i], with_path_ids);
        add_routes(out->announced, &out->announced_count, runs[1], families[i], with_path_ids);
    }
    return NULL;
}

static bool fail_update(struct bgp_update *out, const char *fault)
{
    *out = (struct bgp_update){.fault = fault};
    return false;
}

/* Faults of attributes, which make withdrawals of announcements. */
static const char *judge_update(const struct scan *scan, bool is_as4, bool has_own_prefixes,
                                struct bgp_update *out)
{
    const struct reader *next_hop = &scan->found[ATTRIBUTE_NEXT_HOP];
    const char *fault = judge(scan, is_as4, &out->attributes);
    if (fault)
        return fault;
    if (has_own_prefixes && !next_hop->at)
        return "NEXT_HOP is missing";
    return has_length(next_hop, 4) ? NULL : "NEXT_HOP has a wrong length";
}

/* RFC 4724, 2: an UPDATE of nothing (IPv4), or with nothing but an MP_UNREACH_NLRI of no prefixes. */
static bool is_end_of_rib(const struct scan *scan, uint8_t *family)
{
    struct reader gone = scan->found[ATTRIBUTE_MP_UNREACH];
    if (scan->count && (scan->count > 1 || !gone.at || reader_left(&gone) != 3))
        return false;
    *family = scan->count ? read_family(&gone) : 4;
    return true;
}

/* A part with its length in front; of a message that is cut, what is there of it. */
static struct reader read_part(struct reader *body, bool is_cut)
{
    size_t n = reader_u16(body);
    if (is_cut && body->bad) {
        *body = (struct reader){.at = body->end, .end = body->end};
        n = 0;
    }
    return reader_sub(body, is_cut && n > reader_left(body) ? reader_left(body) : n);
}

bool bgp_update_decode(struct reader body, struct bgp_form form, struct bgp_update *out)
{
    struct bgp_update update = {.fault = form.is_cut ? "the message is cut short" : NULL};
    struct reader gone = read_part(&body, form.is_cut);
    struct reader attributes = read_part(&body, form.is_cut);
    struct reader runs[2] = {gone, body};
    bool with_path_ids;
    if (body.bad)
        return fail_update(out, "the lengths within the UPDATE do not fit");
    if (!settle_form(runs, 4, form.add_path, &with_path_ids, &update.fault))
        return fail_update(out, "the prefixes are malformed");
    add_routes(update.withdrawn, &update.withdrawn_count, runs[0], 4, with_path_ids);
    add_routes(update.announced, &update.announced_count, runs[1], 4, with_path_ids);
    struct scan scan = scan_attributes(attributes, true);
    const char *fault = scan.fatal ? scan.fatal : take_multiprotocol(&scan, &form, &update);
    if (fault)
        return fail_update(out, fault);
    fault = update.announced_count
                ? judge_update(&scan, form.is_as4, reader_left(&runs[1]) > 0, &update)
                : scan.fault;
    update.is_withdrawal = fault && update.announced_count;
    update.fault = fault ? fault : update.fault;
    update.is_end_of_rib = !update.fault && !reader_left(&gone) && !reader_left(&body) &&
                           is_end_of_rib(&scan, &update.end_of_rib_family);
    *out = update;
    return true;
}

static void add_number(struct buffer *out, uint32_t value)
{
    char digits[10];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    buffer_add(out, digits + at, sizeof digits - at);
}

static void format_segment(struct reader *r, uint8_t type, unsigned count, bool is_as4,
                           struct buffer *out)
{
    static const char *const opens[] = {"", "{", "", "(", "({"};
    static const char *const closes[] = {"", "}", "", ")", "})"};
    buffer_puts(out, opens[type]);
    for (unsigned i = 0; i < count; i++) {
        if (i)
            buffer_add(out, type == SEGMENT_SEQUENCE ? " " : ",", 1);
        add_number(out, is_as4 ? reader_u32(r) : reader_u16(r));
    }
    buffer_puts(out, closes[type]);
}

/* Formats the first `hops` hops; confederation segments, which count none, go with what follows. */
static void format_segments(struct reader r, bool is_as4, unsigned hops, size_t start,
                            struct buffer *out)
{
    while (reader_left(&r) && hops) {
        uint8_t type = reader_u8(&r);
        uint8_t count = reader_u8(&r);
        struct reader asns = reader_sub(&r, count * (is_as4 ? (size_t)4 : 2));
        if (r.bad)
            return;
        unsigned used = type == SEGMENT_SEQUENCE && count > hops ? hops : count;
        if (out->size > start)
            buffer_add(out, " ", 1);
        format_segment(&asns, type, used, is_as4, out);
        if (hops != UINT_MAX)
            hops -= type == SEGMENT_SEQUENCE ? used : type == SEGMENT_SET ? 1 : 0;
    }
}

void bgp_path_format(const struct bgp_path *path, struct buffer *out)
{
    size_t start = out->size;
    format_segments(path->head, path->is_as4, path->head_hops, start, out);
    format_segments(path->tail, true, UINT_MAX, start, out);
}

static uint32_t origin_of(struct reader r, bool is_as4)
{
    uint32_t origin = 0;
    while (reader_left(&r)) {
        uint8_t type = reader_u8(&r);
        uint8_t count = reader_u8(&r);
        struct reader asns = reader_sub(&r, count * (is_as4 ? (size_t)4 : 2));
        if (r.bad || type != SEGMENT_SEQUENCE) {
            origin = 0;
            continue;
        }
        reader_bytes(&asns, (count - (size_t)1) * (is_as4 ? 4 : 2));
        origin = is_as4 ? reader_u32(&asns) : reader_u16(&asns);
    }
    return origin;
}

uint32_t bgp_path_origin(const struct bgp_path *path)
{
    if (reader_left(&path->tail))
        return origin_of(path->tail, true);
    return origin_of(path->head, path->is_as4);
}
