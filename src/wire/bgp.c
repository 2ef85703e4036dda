#include "wire/bgp_inside.h"

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
    size_t sound; /* bytes up to the first that is wrong */
    uint32_t count;
    uint32_t defaults; /* prefixes of length 0 */
    bool is_cut;       /* what is wrong is only that the last one is cut short */
    bool is_sound;
};

static struct survey survey_routes(struct reader r, uint8_t family, bool has_path_ids)
{
    const unsigned longest = family == 6 ? 128 : 32;
    const size_t head = has_path_ids ? 5 : 1;
    const uint8_t *at = r.at;
    struct survey survey = {.is_sound = true};
    while (at < r.end) {
        size_t left = (size_t)(r.end - at);
        unsigned bits = left >= head ? at[head - 1] : 0;
        size_t size = head + (bits + 7) / 8;
        if (bits > longest || size > left) {
            survey.is_cut = bits <= longest;
            survey.is_sound = false;
            break;
        }
        survey.count++;
        survey.defaults += bits == 0;
        at += size;
    }
    survey.sound = (size_t)(at - r.at);
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

static void add_routes(struct bgp_routes *list, uint8_t *count, struct bgp_routes routes)
{
    if (routes.count)
        list[(*count)++] = routes;
}

/* Settles the form of both runs of a family and adds them to the update. If a run ends with a prefix
 * that is cut short, those before it are kept and the fault says so. False if the runs make no
 * sense. */
static bool take_runs(const struct reader runs[2], uint8_t family, uint8_t safi,
                      const struct bgp_form *form, struct bgp_update *out)
{
    enum bgp_add_path add_path = family == 6 ? form->add_path6 : form->add_path;
    struct form found = form_of(runs, family, false);
    bool with_path_ids = has_path_ids(runs, family, add_path, &found);
    struct bgp_routes routes[2];
    if (with_path_ids)
        found = form_of(runs, family, true);
    for (size_t i = 0; i < 2; i++) {
        if (!found.runs[i].is_sound && !found.runs[i].is_cut)
            return false;
        if (found.runs[i].is_cut)
            out->fault = "the last prefix is cut short; those before it are used";
        routes[i] = (struct bgp_routes){.bytes = reader_of(runs[i].at, found.runs[i].sound),
                                        .count = found.runs[i].count,
                                        .family = family,
                                        .safi = safi,
                                        .has_path_ids = with_path_ids};
    }
    add_routes(out->withdrawn, &out->withdrawn_count, routes[0]);
    add_routes(out->announced, &out->announced_count, routes[1]);
    return true;
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
 * read make the whole message unusable. A next hop of a wrong length would, too (7.11), as it may be
 * that the prefixes are not where they seem to be; if they make sense they are withdrawn. */
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

/* RFC 4724, 2: an UPDATE of nothing (IPv4), or with nothing but an MP_UNREACH_NLRI of no prefixes. */
static void find_end_of_rib(struct bgp_update *out)
{
    struct reader gone = bgp_attribute(&out->attributes, BGP_MP_UNREACH);
    unsigned count = out->attributes.scan.count;
    if (count && (count > 1 || reader_left(&gone) != 3))
        return;
    struct family family = count ? read_family(&gone) : (struct family){4, BGP_UNICAST};
    out->is_end_of_rib = true;
    out->ended_family = family.family;
    out->ended_safi = family.safi;
    out->end_of_rib_family = family.safi == BGP_UNICAST ? family.family : 0;
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

/* Nothing of it is to be used. */
static bool fail_update(struct bgp_update *out, const char *fault)
{
    out->withdrawn_count = out->announced_count = 0;
    out->fault = fault;
    return false;
}

bool bgp_update_find(struct reader body, const struct bgp_form *form, struct bgp_update *out)
{
    struct reader gone = read_part(&body, form->is_cut);
    struct reader attributes = read_part(&body, form->is_cut);
    const struct reader runs[2] = {gone, body};
    out->withdrawn_count = out->announced_count = 0;
    out->end_of_rib_family = out->ended_family = out->ended_safi = 0;
    out->has_attributes = out->is_end_of_rib = out->is_withdrawal = false;
    out->has_own_prefixes = reader_left(&body) > 0;
    out->fault = form->is_cut ? "the message is cut short" : NULL;
    if (body.bad)
        return fail_update(out, "the lengths within the UPDATE do not fit");
    if (!take_runs(runs, 4, BGP_UNICAST, form, out))
        return fail_update(out, "the prefixes are malformed");
    attributes_scan(attributes, &out->attributes);
    const char *fatal = out->attributes.scan.fatal;
    if (!fatal)
        fatal = take_multiprotocol(form, out);
    if (fatal)
        return fail_update(out, fatal);
    if (!reader_left(&gone) && !out->has_own_prefixes)
        find_end_of_rib(out);
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

void bgp_update_judge(const struct bgp_form *form, struct bgp_update *update)
{
    const char *fault = attributes_judge(form, false, &update->attributes);
    if (!fault)
        fault = judge_next_hop(update);
    update->has_attributes = !fault;
    if (!update->announced_count) /* then nothing but their framing matters */
        fault = update->attributes.scan.fault;
    update->is_withdrawal = fault && update->announced_count;
    update->fault = fault ? fault : update->fault;
    update->is_end_of_rib &= !update->fault;
}

bool bgp_update_decode(struct reader body, struct bgp_form form, struct bgp_update *out)
{
    if (!bgp_update_find(body, &form, out))
        return false;
    bgp_update_judge(&form, out);
    return true;
}
