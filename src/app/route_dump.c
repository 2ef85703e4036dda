#include "app/route_dump.h"

#include "base/mem.h"

#include <stdlib.h>

struct route_dump {
    struct route_dump_options options;
    /* "BGP4MP|1203811200|A|", as it was written last. */
    struct {
        const char *label;
        char letter;
        struct utc time;
        struct route_piece piece;
    } head;
    struct {
        struct prefix prefix;
        struct route_piece piece;
    } last;                   /* of a dump, whose entries for one prefix follow each other */
    struct route_peers peers; /* "ADDRESS|ASN|" */
    struct route_shared shared;
};

static const struct bgp_path_style path_style = {.opens = {"", "{", "", "(", "["},
                                                 .closes = {"", "}", "", ")", "]"},
                                                 .between = {' ', ',', ' ', ' ', ','}};

struct route_dump *route_dump_new(const struct route_dump_options *options)
{
    struct route_dump *dump = mem_new(1, sizeof *dump);
    dump->options = *options;
    return dump;
}

void route_dump_free(struct route_dump *dump)
{
    free(dump);
}

static char *put_addr(char *at, const struct addr *addr)
{
    static const uint8_t none[4];
    static const uint8_t zeros[12];
    const uint8_t *b = addr->bytes;
    if (addr->family != 6)
        return digits_addr4(at, addr->family ? b : none);
    bool is_mapped = memcmp(b, zeros, 10) == 0 && b[10] == 0xff && b[11] == 0xff;
    /* Unlike elsewhere, also where it is a small number: ::2 is ::0.0.0.2. */
    bool is_compatible = memcmp(b, zeros, 12) == 0 && (b[12] || b[13] || b[14] || b[15] > 1);
    if (!is_mapped && !is_compatible)
        return digits_groups(at, b, 1); /* RFC 5952, 4.2.2 would not shorten a single group */
    at = is_mapped ? ROUTE_PUT(at, "::ffff:") : ROUTE_PUT(at, "::");
    return digits_addr4(at, b + 12);
}

/* "02/24/08 18:47:57" */
static char *put_calendar(char *at, struct utc time)
{
    struct calendar calendar = utc_calendar(time);
    const int values[] = {calendar.month, calendar.day,    calendar.year % 100,
                          calendar.hour,  calendar.minute, calendar.second};
    for (size_t i = 0; i < 6; i++) {
        at = digits_fixed(at, (uint32_t)values[i], 2);
        *at++ = "// :: "[i];
    }
    return at - 1;
}

static char *put_time(const struct route_dump *dump, const struct element *element, struct utc time,
                      char *at)
{
    at = dump->options.is_short ? put_calendar(at, time)
                                : digits_u64(at, (uint64_t)(time.ns / NS_PER_S));
    if (element->header->type != MRT_BGP4MP_ET)
        return at;
    *at++ = '.';
    return digits_fixed(at, (uint32_t)(time.ns % NS_PER_S / 1000), 6);
}

static const char *label_of(const struct element *element)
{
    static const char *const updates[2][2][2] = {
        {{"BGP4MP", "BGP4MP_AP"}, {"BGP4MP_LOCAL", "BGP4MP_LOCAL_AP"}},
        {{"BGP4MP_ET", "BGP4MP_ET_AP"}, {"BGP4MP_ET_LOCAL", "BGP4MP_ET_LOCAL_AP"}}};
    bool is_state = element->kind == ELEMENT_STATE;
    switch (element->header->type) {
    case MRT_BGP:
        return "BGP";
    case MRT_BGP4PLUS:
        return "BGP4PLUS";
    case MRT_TABLE_DUMP_V2:
        return element->has_path_id ? "TABLE_DUMP2_AP" : "TABLE_DUMP2";
    default:
        if (element->kind == ELEMENT_TABLE)
            return "TABLE_DUMP";
        return updates[element->header->type == MRT_BGP4MP_ET]
                      [!is_state && element->is_from_collector][!is_state && element->has_path_id];
    }
}

static void make_head(struct route_dump *dump, const struct element *element, const char *label,
                      char letter, struct utc time)
{
    char *start = dump->head.piece.text;
    char *at = route_put(start, label, strlen(label));
    *at++ = '|';
    at = put_time(dump, element, time, at);
    *at++ = '|';
    if (letter == 'S')
        at = ROUTE_PUT(at, "STATE");
    else
        *at++ = letter;
    *at++ = '|';
    dump->head.label = label;
    dump->head.letter = letter;
    dump->head.time = time;
    dump->head.piece.size = (unsigned)(at - start);
}

static char *put_head(struct route_dump *dump, const struct element *element, char *at)
{
    static const char letters[ELEMENT_KINDS] = {'A', 'W', 'B', 'S'};
    const char *label = label_of(element);
    char letter = letters[element->kind];
    struct utc time = element->time;
    if (dump->options.is_time_of_change && element->kind == ELEMENT_TABLE)
        time = element->originated;
    if (dump->head.time.ns != time.ns || dump->head.label != label || dump->head.letter != letter)
        make_head(dump, element, label, letter, time);
    return route_put_piece(at, &dump->head.piece);
}

static char *put_peer(struct route_dump *dump, const struct element *element, char *at)
{
    struct route_piece *piece = route_peers_find(&dump->peers, element->peer);
    if (!piece->size) {
        char *end = put_addr(piece->text, &element->peer->addr);
        *end++ = '|';
        end = digits_u32(end, element->peer->asn);
        *end++ = '|';
        piece->size = (unsigned)(end - piece->text);
    }
    return route_put_piece(at, piece);
}

static char *put_prefix_alone(char *at, const struct prefix *prefix)
{
    at = put_addr(at, &prefix->addr);
    *at++ = '/';
    return digits_u32(at, prefix->bits);
}

static char *put_prefix(struct route_dump *dump, const struct element *element, char *at)
{
    const struct prefix *prefix = &element->prefix;
    struct route_piece *piece = &dump->last.piece;
    if (element->kind != ELEMENT_TABLE) {
        at = put_prefix_alone(at, prefix);
    } else {
        if (!piece->size || !route_is_same_prefix(prefix, &dump->last.prefix)) {
            dump->last.prefix = *prefix;
            piece->size = (unsigned)(put_prefix_alone(piece->text, prefix) - piece->text);
        }
        at = route_put_piece(at, piece);
    }
    if (!element->has_path_id || element->header->type == MRT_TABLE_DUMP)
        return at;
    *at++ = '|';
    return digits_u32(at, element->path_id);
}

static char *put_origin(const struct bgp_attributes *attributes, char *at)
{
    bool is_known = attributes->present >> BGP_ORIGIN & 1;
    if (is_known && attributes->origin == 0)
        return ROUTE_PUT(at, "IGP");
    return is_known && attributes->origin == 1 ? ROUTE_PUT(at, "EGP") : ROUTE_PUT(at, "INCOMPLETE");
}

/* One that is not there is the address of all ones, or, where MP_REACH_NLRI should have it, of
 * zeros. */
static char *put_next_hop(const struct element *element, char *at)
{
    struct reader usual = bgp_attribute(element->attributes, BGP_NEXT_HOP);
    if (reader_left(&usual) == 4 && !(element->attributes->present >> BGP_MP_REACH & 1))
        return digits_addr4(at, usual.at);
    struct bgp_next_hop hop =
        bgp_next_hop_of(element->attributes, element->prefix.addr.family, element->safi);
    if (hop.global.family)
        return put_addr(at, &hop.global);
    return element->attributes->present >> BGP_MP_REACH & 1 ? ROUTE_PUT(at, "::")
                                                            : ROUTE_PUT(at, "255.255.255.255");
}

/* IPv4 in MP_REACH_NLRI: bgpdump takes the numbers of such routes for signed ones. */
static bool is_signed(const struct element *element)
{
    struct reader reach = bgp_attribute(element->attributes, BGP_MP_REACH);
    return element->kind == ELEMENT_ANNOUNCE && element->prefix.addr.family == 4 &&
           reader_u16(&reach) == 1;
}

static char *put_number(const struct element *element, enum bgp_attribute type, char *at)
{
    if (!(element->attributes->present >> type & 1)) {
        *at++ = '0';
        return at;
    }
    struct reader r = bgp_attribute(element->attributes, type);
    uint32_t value = reader_u32(&r);
    if (value > INT32_MAX && is_signed(element)) {
        *at++ = '-';
        value = 0 - value;
    }
    return digits_u32(at, value);
}

static char *put_community(char *at, uint32_t community)
{
    switch (community) {
    case 0xffffff01:
        return ROUTE_PUT(at, "no-export");
    case 0xffffff02:
        return ROUTE_PUT(at, "no-advertise");
    case 0xffffff03:
        return ROUTE_PUT(at, "local-AS");
    default:
        return bgp_text_community(at, community);
    }
}

static char *put_communities(const struct bgp_attributes *attributes, char *at)
{
    struct reader r = bgp_attribute(attributes, BGP_COMMUNITIES);
    if (reader_left(&r) == 0)
        return at;
    while (reader_left(&r)) {
        at = put_community(at, reader_u32(&r));
        *at++ = ' ';
    }
    return at - 1;
}

static char *put_large_communities(const struct bgp_attributes *attributes, char *at)
{
    struct reader r = bgp_attribute(attributes, BGP_LARGE_COMMUNITIES);
    if (reader_left(&r) == 0)
        return at;
    while (reader_left(&r)) {
        at = bgp_text_large_community(at, &r);
        *at++ = ' ';
    }
    return at - 1;
}

static char *put_aggregator(const struct bgp_attributes *attributes, char *at)
{
    static const uint8_t none[4] = {255, 255, 255, 255};
    struct bgp_aggregator aggregator;
    if (!bgp_aggregator(attributes, &aggregator) || memcmp(aggregator.addr.bytes, none, 4) == 0)
        return at;
    at = digits_u32(at, aggregator.asn);
    *at++ = ' ';
    return digits_addr4(at, aggregator.addr.bytes);
}

/* One that RFC 7606 has left out, because its AS is 0, say (RFC 7607, 2), is printed all the same. */
static char *put_discarded_aggregator(const struct bgp_attributes *attributes, char *at)
{
    struct bgp_attributes all = *attributes;
    all.present |= all.discarded;
    return put_aggregator(&all, at);
}

static char *put_details(const struct route_dump *dump, const struct element *element, char *at)
{
    const struct bgp_attributes *attributes = element->attributes;
    *at++ = '|';
    at = put_next_hop(element, at);
    *at++ = '|';
    at = put_number(element, BGP_LOCAL_PREF, at);
    *at++ = '|';
    at = put_number(element, BGP_MED, at);
    /* Of MRTd's records bgpdump forgets the line between MED and communities, and large ones. */
    bool is_old = element->header->type == MRT_BGP;
    if (!is_old)
        *at++ = '|';
    at = put_communities(attributes, at);
    if (dump->options.has_large_communities && !is_old) {
        *at++ = '|';
        at = put_large_communities(attributes, at);
    }
    at = attributes->present >> BGP_ATOMIC_AGGREGATE & 1 ? ROUTE_PUT(at, "|AG|")
                                                         : ROUTE_PUT(at, "|NAG|");
    if (attributes->present >> BGP_AGGREGATOR & 1)
        at = put_aggregator(attributes, at);
    else if (attributes->discarded >> BGP_AGGREGATOR & 1)
        at = put_discarded_aggregator(attributes, at);
    *at++ = '|';
    return at;
}

static char *put_attributes(const struct route_dump *dump, const struct element *element, char *at)
{
    *at++ = '|';
    at = bgp_text_path(at, &element->attributes->path, &path_style);
    *at++ = '|';
    at = put_origin(element->attributes, at);
    if (!dump->options.is_short)
        at = put_details(dump, element, at);
    *at++ = '\n';
    return at;
}

static char *put_shared(struct route_dump *dump, const struct route_file *file,
                        const struct element *element, char *at)
{
    struct route_shared *shared = &dump->shared;
    if (element->kind == ELEMENT_TABLE)
        return put_attributes(dump, element, at);
    if (route_shared_has(shared, file, element))
        return route_put(at, shared->text, shared->size);
    char *end = put_attributes(dump, element, at);
    route_shared_keep(shared, file, element, at, (size_t)(end - at));
    return end;
}

static char *put_states(const struct element *element, char *at)
{
    at = digits_u32(at, element->state.before);
    *at++ = '|';
    at = digits_u32(at, element->state.after);
    *at++ = '\n';
    return at;
}

char *route_dump_line(struct route_dump *dump, const struct route_file *file,
                      const struct element *element, char *at)
{
    if (element->kind >= ELEMENT_END_OF_RIB)
        return at;
    at = put_head(dump, element, at);
    at = put_peer(dump, element, at);
    if (element->kind == ELEMENT_STATE)
        return put_states(element, at);
    at = put_prefix(dump, element, at);
    if (element->kind != ELEMENT_WITHDRAW)
        return put_shared(dump, file, element, at);
    *at++ = '\n';
    return at;
}
