#include "wire/bgp_inside.h"

/* The n = (bits + 7) / 8 bytes of a prefix, which are there; what is behind the last bit is not
 * taken. */
static inline void set_prefix(const uint8_t *at, unsigned n, unsigned bits, uint8_t family,
                              struct prefix *out)
{
    *out = (struct prefix){.addr = {.family = family}, .bits = (uint8_t)bits};
    uint8_t *bytes = out->addr.bytes;
    switch (n) { /* most are short, and each of these is one move */
    case 0:
        return;
    case 1:
        bytes[0] = at[0];
        break;
    case 2:
        memcpy(bytes, at, 2);
        break;
    case 3:
        memcpy(bytes, at, 2);
        bytes[2] = at[2];
        break;
    case 4:
        memcpy(bytes, at, 4);
        break;
    case 6:
        memcpy(bytes, at, 4);
        memcpy(bytes + 4, at + 4, 2);
        break;
    default:
        memcpy(bytes, at, n);
        break;
    }
    bytes[n - 1] &= (uint8_t)(0xff00 >> ((bits - 1) % 8 + 1));
}

struct prefix bgp_prefix(struct reader *r, uint8_t family)
{
    struct prefix prefix;
    unsigned bits = reader_u8(r);
    if (bits > (family == 6 ? 128U : 32U))
        reader_fail(r, "a prefix is longer than an address");
    unsigned n = (bits + 7) / 8;
    const uint8_t *bytes = reader_bytes(r, n);
    if (r->bad || !bytes)
        return (struct prefix){0};
    set_prefix(bytes, n, bits, family, &prefix);
    return prefix;
}

int bgp_routes_next(struct bgp_routes *routes, struct bgp_nlri *out)
{
    const uint8_t *at = routes->bytes.at;
    size_t left = reader_left(&routes->bytes), head = routes->has_path_ids ? 5 : 1;
    if (left < head)
        return 0;
    unsigned bits = at[head - 1], n = (bits + 7) / 8;
    if (bits > (routes->family == 6 ? 128U : 32U) || left - head < n)
        return 0;
    out->path_id = routes->has_path_ids ? load_u32(at) : 0;
    set_prefix(at + head, n, bits, routes->family, &out->prefix);
    routes->bytes.at += head + n;
    return 1;
}

/* What a walk over a run of prefixes finds, without building them. */
struct survey {
    const uint8_t *end; /* of the last that is sound */
    uint32_t count;
    uint32_t defaults; /* prefixes of length 0 */
    bool is_sound;
    bool is_cut; /* what is wrong is only that the last one is cut short */
};

static inline void survey_run(const struct reader *run, uint8_t family, bool has_path_ids,
                              struct survey *out)
{
    const unsigned longest = family == 6 ? 128 : 32;
    const size_t head = has_path_ids ? 5 : 1;
    const uint8_t *at = run->at, *const end = run->end;
    uint32_t count = 0, defaults = 0;
    out->is_sound = true;
    out->is_cut = false;
    while (at < end) {
        size_t left = (size_t)(end - at);
        unsigned bits = left >= head ? at[head - 1] : 0;
        size_t size = head + (bits + 7) / 8;
        if (bits > longest || size > left) {
            out->is_cut = bits <= longest;
            out->is_sound = false;
            break;
        }
        count++;
        defaults += bits == 0;
        at += size;
    }
    out->end = at;
    out->count = count;
    out->defaults = defaults;
}

/* The withdrawn and announced prefixes of one family are decided on together. */
static void survey_runs(const struct reader runs[2], uint8_t family, bool has_path_ids,
                        struct survey out[2])
{
    survey_run(&runs[0], family, has_path_ids, &out[0]);
    survey_run(&runs[1], family, has_path_ids, &out[1]);
}

/* Whether prefixes have path identifiers though nothing says so. Identifiers are small numbers,
 * whose zero bytes read as default routes: one message has no use for two of these. */
static bool looks_like_path_ids(const struct reader runs[2], uint8_t family,
                                const struct survey plain[2])
{
    struct survey with[2];
    bool is_plain_sound = plain[0].is_sound && plain[1].is_sound;
    if (is_plain_sound && plain[0].defaults < 2 && plain[1].defaults < 2)
        return false;
    survey_runs(runs, family, true, with);
    return with[0].is_sound && with[1].is_sound &&
           (!is_plain_sound ||
            with[0].defaults + with[1].defaults < plain[0].defaults + plain[1].defaults);
}

/* Adds what is sound of a run. False if it makes no sense. If it ends with a prefix that is cut
 * short, those before it are kept and the fault says so. */
static bool add_routes(const struct reader *run, const struct survey *survey, uint8_t family,
                       uint8_t safi, bool has_path_ids, struct bgp_routes *list, uint8_t *count,
                       const char **fault)
{
    if (!survey->is_sound) {
        if (!survey->is_cut)
            return false;
        *fault = "the last prefix is cut short; those before it are used";
    }
    if (survey->count == 0)
        return true;
    struct bgp_routes *routes = &list[(*count)++];
    routes->bytes = (struct reader){run->at, survey->end, NULL};
    routes->count = survey->count;
    routes->family = family;
    routes->safi = safi;
    routes->has_path_ids = has_path_ids;
    return true;
}

/* Adds both runs of a family to the update. False if they make no sense. */
static bool take_runs(const struct reader runs[2], uint8_t family, uint8_t safi,
                      const struct bgp_form *form, struct bgp_update *out)
{
    enum bgp_add_path add_path = family == 6 ? form->add_path6 : form->add_path;
    bool has_path_ids = add_path == BGP_ADD_PATH_YES;
    struct survey surveys[2];
    if (runs[0].at == runs[0].end && runs[1].at == runs[1].end)
        return true;
    survey_runs(runs, family, has_path_ids, surveys);
    if (add_path == BGP_ADD_PATH_GUESS && looks_like_path_ids(runs, family, surveys)) {
        has_path_ids = true;
        survey_runs(runs, family, true, surveys);
    }
    return add_routes(&runs[0], &surveys[0], family, safi, has_path_ids, out->withdrawn,
                      &out->withdrawn_count, &out->fault) &&
           add_routes(&runs[1], &surveys[1], family, safi, has_path_ids, out->announced,
                      &out->announced_count, &out->fault);
}

/* AFI and SAFI of RFC 4760. */
struct family {
    uint8_t family; /* 0: not one of ours */
    uint8_t safi;
};

static struct family read_family(struct reader *r)
{
    uint16_t afi = reader_u16(r);
    uint8_t safi = reader_u8(r);
    if (safi < BGP_UNICAST || safi > BGP_UNICAST_AND_MULTICAST || afi < 1 || afi > 2)
        return (struct family){0};
    return (struct family){afi == 1 ? 4 : 6, safi};
}

/* RFC 7606, 7.11: whether a next hop of a family of ours can have this length. */
static bool has_hop_length(size_t n, uint8_t family)
{
    return n == 16 || n == 32 || (n == 4 && family == 4);
}

/* MP_REACH_NLRI and MP_UNREACH_NLRI (RFC 4760, 3 and 4). RFC 7606, 5.3: prefixes that cannot be
 * read make the whole message unusable. A next hop of a wrong length would, too (7.11), as it may
 * be that the prefixes are not where they seem to be; if they make sense they are withdrawn. */
static const char *take_multiprotocol(const struct bgp_form *form, struct bgp_update *out)
{
    static const char malformed[] =
        "the prefixes of MP_REACH_NLRI or MP_UNREACH_NLRI are malformed";
    const struct reader none = {0};
    struct reader gone = bgp_attribute(&out->attributes, BGP_MP_UNREACH);
    struct reader come = bgp_attribute(&out->attributes, BGP_MP_REACH);
    struct family of_gone = gone.at ? read_family(&gone) : (struct family){0};
    struct family of_come = come.at ? read_family(&come) : (struct family){0};
    if (come.at) {
        size_t n = reader_u8(&come);
        out->attributes.scan.has_odd_hop = of_come.family && !has_hop_length(n, of_come.family);
        reader_bytes(&come, n);
        reader_u8(&come); /* reserved */
        out->has_reachable |= reader_left(&come) > 0;
    }
    if (gone.bad || come.bad)
        return "MP_REACH_NLRI or MP_UNREACH_NLRI is too short";
    bool is_same = of_gone.family == of_come.family && of_gone.safi == of_come.safi;
    const struct reader only_gone[2] = {gone, is_same ? come : none}, only_come[2] = {none, come};
    if (of_gone.family && !take_runs(only_gone, of_gone.family, of_gone.safi, form, out))
        return malformed;
    if (of_come.family && !is_same &&
        !take_runs(only_come, of_come.family, of_come.safi, form, out))
        return malformed;
    return NULL;
}

/* RFC 4724, 2: an UPDATE of nothing (IPv4), or with nothing but an MP_UNREACH_NLRI of no prefixes.
 */
static void find_end_of_rib(const struct reader *attributes, struct bgp_update *out)
{
    struct reader gone = bgp_attribute(&out->attributes, BGP_MP_UNREACH);
    struct family family = {4, BGP_UNICAST};
    if (reader_left(attributes)) {
        bool is_alone = gone.at && gone.at - attributes->at <= 4 && gone.end == attributes->end;
        if (!is_alone || reader_left(&gone) != 3)
            return;
        family = read_family(&gone);
    }
    out->is_end_of_rib = true;
    out->ended_family = family.family;
    out->ended_safi = family.safi;
    out->end_of_rib_family = family.safi == BGP_UNICAST ? family.family : 0;
}

/* A part with its length in front; of a message that is cut, what is there of it. */
static inline bool read_part(const uint8_t **at, const uint8_t *end, bool is_cut,
                             struct reader *out)
{
    size_t left = (size_t)(end - *at), n = 0;
    if (left >= 2) {
        n = load_u16(*at);
        *at += 2;
        left -= 2;
    } else if (is_cut) {
        *at = end;
        left = 0;
    } else {
        return false;
    }
    if (n > left && !is_cut)
        return false;
    n = n < left ? n : left;
    *out = (struct reader){*at, *at + n, NULL};
    *at += n;
    return true;
}

/* Nothing of it is to be used. */
static bool fail_update(struct bgp_update *out, const char *fault)
{
    out->withdrawn_count = out->announced_count = 0;
    out->fault = fault;
    return false;
}

bool bgp_update_find_at(const uint8_t *at, const uint8_t *end, const struct bgp_form *form,
                        struct bgp_update *out)
{
    struct reader runs[2], attributes;
    const uint64_t multiprotocol = attribute_bit(BGP_MP_REACH) | attribute_bit(BGP_MP_UNREACH);
    out->withdrawn_count = out->announced_count = 0;
    out->end_of_rib_family = out->ended_family = out->ended_safi = 0;
    out->has_attributes = out->is_end_of_rib = out->is_withdrawal = out->may_hide_routes = false;
    out->fault = form->is_cut ? "the message is cut short" : NULL;
    if (!read_part(&at, end, form->is_cut, &runs[0]) ||
        !read_part(&at, end, form->is_cut, &attributes))
        return fail_update(out, "the lengths within the UPDATE do not fit");
    runs[1] = (struct reader){at, end, NULL};
    out->has_own_prefixes = out->has_reachable = at < end;
    if (!take_runs(runs, 4, BGP_UNICAST, form, out))
        return fail_update(out, "the prefixes are malformed");
    attributes_scan(attributes.at, reader_left(&attributes), &out->attributes);
    const char *fatal = out->attributes.scan.fatal;
    if (!fatal && out->attributes.present & multiprotocol)
        fatal = take_multiprotocol(form, out);
    if (fatal)
        return fail_update(out, fatal);
    if (!reader_left(&runs[0]) && !out->has_own_prefixes)
        find_end_of_rib(&attributes, out);
    return true;
}

/* What only an UPDATE must have (RFC 4271, 5.1.3). */
static const char *judge_next_hop(const struct bgp_update *update)
{
    if (update->has_own_prefixes && !bgp_attribute(&update->attributes, BGP_NEXT_HOP).at)
        return "NEXT_HOP is missing";
    if (update->attributes.scan.has_odd_hop)
        return "the next hop in MP_REACH_NLRI has a wrong length";
    return NULL;
}

/* What `fault` means where nothing of ours is announced: of routes of other families, and of withdrawals alone
 * (RFC 4760, 4), nothing but the framing of their attributes matters. */
static const char *judge_without_routes(struct bgp_update *update, const char *fault)
{
    const struct bgp_attributes *attributes = &update->attributes;
    bool has_others = attributes->present & ~attribute_bit(BGP_MP_UNREACH);
    bool is_of_route = has_others && !update->has_reachable && !attributes->scan.lacks;
    fault = is_of_route ? fault : attributes->scan.fault;
    update->may_hide_routes = fault && !update->has_reachable;
    return fault;
}

static void judge(const struct bgp_form *form, struct bgp_update *update)
{
    const char *fault = attributes_judge(form, &update->attributes);
    if (!fault)
        fault = judge_next_hop(update);
    update->has_attributes = !fault;
    if (!update->announced_count)
        fault = judge_without_routes(update, fault);
    update->is_withdrawal = fault && update->announced_count;
    update->fault = fault ? fault : update->fault;
    update->is_end_of_rib &= !update->fault;
}

/* An AS_PATH makes sense in one way, and hardly ever in the other, too. */
void bgp_update_judge(const struct bgp_form *form, struct bgp_update *update)
{
    if (!form->is_as4_guess) {
        judge(form, update);
        return;
    }
    struct bgp_update other = *update;
    struct bgp_form other_form = *form;
    other_form.is_as4 = !form->is_as4;
    judge(form, update);
    if (!update->fault)
        return;
    judge(&other_form, &other);
    if (!other.fault)
        *update = other;
}

bool bgp_update_decode(struct reader body, struct bgp_form form, struct bgp_update *out)
{
    if (!bgp_update_find(body, &form, out))
        return false;
    bgp_update_judge(&form, out);
    return true;
}
