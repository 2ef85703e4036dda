#include "app/route_json.h"

#include "base/mem.h"

#include <stdlib.h>

enum { DAYS = 256 };

struct route_json {
    /* Dates as they were written, by number of the day: "2022-02-07T". */
    struct {
        int64_t day;
        struct route_piece piece;
    } days[DAYS];
    /* "{"type":"announce","time":"2022-02-07T05:30:00Z"", as it was written last. */
    struct {
        const char *type;
        struct utc time;
        struct route_piece piece;
    } head;
    struct {
        char name[ROUTE_COLLECTOR_MAX + 1];
        size_t size; /* 0: not made yet */
        char text[6 * ROUTE_COLLECTOR_MAX + 32];
    } collector;
    struct {
        struct prefix prefix;
        struct route_piece piece;
    } last;                   /* of a dump, whose entries for one prefix follow each other */
    struct route_peers peers; /* ","peer":"ADDRESS","peer_asn":ASN" */
    struct route_shared shared;
};

struct route_json *route_json_new(void)
{
    struct route_json *json = mem_new(1, sizeof *json);
    for (size_t i = 0; i < DAYS; i++)
        json->days[i].day = -1;
    return json;
}

void route_json_free(struct route_json *json)
{
    free(json);
}

/* ---- what stands in every line ---- */

static char *put_date(struct route_json *json, int64_t day, char *at)
{
    struct route_piece *piece = &json->days[day % DAYS].piece;
    if (json->days[day % DAYS].day != day) {
        struct calendar calendar = utc_calendar((struct utc){day * NS_PER_DAY});
        char *end = digits_fixed(piece->text, (uint32_t)calendar.year, 4);
        *end++ = '-';
        end = digits_fixed(end, (uint32_t)calendar.month, 2);
        *end++ = '-';
        end = digits_fixed(end, (uint32_t)calendar.day, 2);
        *end++ = 'T';
        piece->size = (unsigned)(end - piece->text);
        json->days[day % DAYS].day = day;
    }
    return route_put_piece(at, piece);
}

/* As utc_format(): as few decimals as keep the value, in threes. */
static char *put_decimals(char *at, uint32_t microseconds)
{
    if (!microseconds)
        return at;
    *at++ = '.';
    if (microseconds % 1000 == 0)
        return digits_fixed(at, microseconds / 1000, 3);
    return digits_fixed(at, microseconds, 6);
}

/* Times of MRT begin in 1970, end in 2106 and have whole microseconds. */
static char *put_time(struct route_json *json, struct utc time, char *at)
{
    int64_t seconds = time.ns / NS_PER_S;
    uint32_t rest = (uint32_t)(seconds % 86400);
    at = put_date(json, seconds / 86400, at);
    at = digits_fixed(at, rest / 3600, 2);
    *at++ = ':';
    at = digits_fixed(at, rest / 60 % 60, 2);
    *at++ = ':';
    at = digits_fixed(at, rest % 60, 2);
    at = put_decimals(at, (uint32_t)(time.ns % NS_PER_S / 1000));
    *at++ = 'Z';
    return at;
}

static const char *type_of(const struct element *element)
{
    static const char *const kinds[ELEMENT_KINDS] = {"announce", "withdraw", "table", "state",
                                                     "end_of_rib"};
    static const char *const messages[] = {[BGP_OPEN] = "open",
                                           [BGP_UPDATE] = "update",
                                           [BGP_NOTIFICATION] = "notification",
                                           [BGP_KEEPALIVE] = "keepalive",
                                           [BGP_ROUTE_REFRESH] = "route_refresh"};
    return element->kind == ELEMENT_MESSAGE ? messages[element->message] : kinds[element->kind];
}

static char *put_head(struct route_json *json, const struct element *element, char *at)
{
    struct route_piece *piece = &json->head.piece;
    const char *type = type_of(element);
    if (json->head.type != type || json->head.time.ns != element->time.ns) {
        char *end = ROUTE_PUT(piece->text, "{\"type\":\"");
        end = route_put(end, type, strlen(type));
        *end++ = '"';
        if (utc_is_known(element->time)) { /* not all routers tell it over BMP */
            end = ROUTE_PUT(end, ",\"time\":\"");
            end = put_time(json, element->time, end);
            *end++ = '"';
        }
        json->head.type = type;
        json->head.time = element->time;
        piece->size = (unsigned)(end - piece->text);
    }
    return route_put_piece(at, piece);
}

static void make_collector(struct route_json *json, const char *name)
{
    struct buffer text = {0};
    strncpy(json->collector.name, name, ROUTE_COLLECTOR_MAX);
    buffer_puts(&text, ",\"collector\":");
    buffer_json(&text, json->collector.name);
    memcpy(json->collector.text, text.bytes, text.size);
    json->collector.size = text.size;
    buffer_done(&text);
}

static char *put_collector(struct route_json *json, const struct route_file *file, char *at)
{
    if (!file->collector)
        return at;
    if (!json->collector.size ||
        strncmp(json->collector.name, file->collector, ROUTE_COLLECTOR_MAX) != 0)
        make_collector(json, file->collector);
    return route_put(at, json->collector.text, json->collector.size);
}

static char *put_peer(struct route_json *json, const struct mrt_peer *peer, char *at)
{
    struct route_piece *piece = route_peers_find(&json->peers, peer);
    if (!piece->size) {
        char *end = piece->text;
        if (peer->addr.family) { /* Zebra left it out of some records */
            end = ROUTE_PUT(end, ",\"peer\":\"");
            end = digits_addr(end, &peer->addr);
            *end++ = '"';
        }
        if (peer->asn) {
            end = ROUTE_PUT(end, ",\"peer_asn\":");
            end = digits_u32(end, peer->asn);
        }
        piece->size = (unsigned)(end - piece->text);
    }
    return route_put_piece(at, piece);
}

/* RFC 4364, 4.2: a route distinguisher is an AS or an address, and a number. */
static char *put_distinguisher(uint64_t distinguisher, char *at)
{
    uint16_t type = (uint16_t)(distinguisher >> 48);
    uint32_t low = (uint32_t)distinguisher, first = (uint32_t)(distinguisher >> 16);
    const uint8_t addr[4] = {(uint8_t)(first >> 24), (uint8_t)(first >> 16), (uint8_t)(first >> 8),
                             (uint8_t)first};
    at = ROUTE_PUT(at, ",\"distinguisher\":\"");
    if (type == 0)
        at = digits_u32(at, (uint32_t)(distinguisher >> 32 & 0xffff));
    else if (type == 1)
        at = digits_addr4(at, addr);
    else
        at = digits_u32(at, first);
    *at++ = ':';
    at = digits_u32(at, type == 0 ? low : low & 0xffff);
    *at++ = '"';
    return at;
}

/* Of BMP. */
static char *put_table(const struct element *element, char *at)
{
    if (element->table != BMP_TABLES) {
        const char *name = bmp_table_name(element->table);
        at = ROUTE_PUT(at, ",\"table\":\"");
        at = route_put(at, name, strlen(name));
        *at++ = '"';
    }
    return element->distinguisher ? put_distinguisher(element->distinguisher, at) : at;
}

/* ---- routes ---- */

static char *put_prefix_alone(char *at, const struct prefix *prefix)
{
    at = ROUTE_PUT(at, ",\"prefix\":\"");
    at = digits_prefix(at, prefix);
    *at++ = '"';
    return at;
}

static char *put_prefix(struct route_json *json, const struct element *element, char *at)
{
    const struct prefix *prefix = &element->prefix;
    struct route_piece *piece = &json->last.piece;
    if (element->kind != ELEMENT_TABLE) {
        at = put_prefix_alone(at, prefix);
    } else {
        if (!piece->size || !route_is_same_prefix(prefix, &json->last.prefix)) {
            json->last.prefix = *prefix;
            piece->size = (unsigned)(put_prefix_alone(piece->text, prefix) - piece->text);
        }
        at = route_put_piece(at, piece);
    }
    if (!element->has_path_id)
        return at;
    at = ROUTE_PUT(at, ",\"path_id\":");
    return digits_u32(at, element->path_id);
}

static bool has(const struct bgp_attributes *attributes, enum bgp_attribute type)
{
    return attributes->present >> type & 1;
}

static char *put_path(const struct bgp_attributes *attributes, char *at)
{
    uint32_t origin = bgp_path_origin(&attributes->path);
    if (has(attributes, BGP_AS_PATH)) {
        at = ROUTE_PUT(at, ",\"path\":\"");
        at = bgp_text_path(at, &attributes->path, &bgp_path_usual);
        *at++ = '"';
    }
    if (!origin)
        return at;
    at = ROUTE_PUT(at, ",\"origin_asn\":");
    return digits_u32(at, origin);
}

static char *put_origin(const struct bgp_attributes *attributes, char *at)
{
    if (!has(attributes, BGP_ORIGIN))
        return at;
    switch (attributes->origin) {
    case 0:
        return ROUTE_PUT(at, ",\"origin\":\"igp\"");
    case 1:
        return ROUTE_PUT(at, ",\"origin\":\"egp\"");
    default:
        return ROUTE_PUT(at, ",\"origin\":\"incomplete\"");
    }
}

static char *put_next_hop(const struct element *element, char *at)
{
    struct reader usual = bgp_attribute(element->attributes, BGP_NEXT_HOP);
    struct bgp_next_hop hop = {0};
    if (reader_left(&usual) == 4 && !has(element->attributes, BGP_MP_REACH)) {
        hop.global.family = 4; /* nearly always */
        memcpy(hop.global.bytes, usual.at, 4);
    } else {
        hop = bgp_next_hop_of(element->attributes, element->prefix.addr.family, element->safi);
    }
    if (!hop.global.family)
        return at;
    at = ROUTE_PUT(at, ",\"next_hop\":\"");
    at = digits_addr(at, &hop.global);
    *at++ = '"';
    return at;
}

static char *put_numbers(const struct bgp_attributes *attributes, char *at)
{
    struct reader med = bgp_attribute(attributes, BGP_MED);
    struct reader local_pref = bgp_attribute(attributes, BGP_LOCAL_PREF);
    if (med.at) {
        at = ROUTE_PUT(at, ",\"med\":");
        at = digits_u32(at, reader_u32(&med));
    }
    if (local_pref.at) {
        at = ROUTE_PUT(at, ",\"local_pref\":");
        at = digits_u32(at, reader_u32(&local_pref));
    }
    return at;
}

static char *put_community(char *at, struct reader *r)
{
    return bgp_text_community(at, reader_u32(r));
}

/* A list of what `put` writes, one after the other, until the reader is empty. */
static inline char *put_list(char *at, struct reader r, char *(*put)(char *, struct reader *))
{
    while (reader_left(&r)) {
        *at++ = '"';
        at = put(at, &r);
        *at++ = '"';
        *at++ = ',';
    }
    at[-1] = ']';
    return at;
}

static char *put_communities(const struct bgp_attributes *attributes, char *at)
{
    struct reader usual = bgp_attribute(attributes, BGP_COMMUNITIES);
    struct reader large = bgp_attribute(attributes, BGP_LARGE_COMMUNITIES);
    struct reader extended = bgp_attribute(attributes, BGP_EXTENDED_COMMUNITIES);
    if (reader_left(&usual))
        at = put_list(ROUTE_PUT(at, ",\"communities\":["), usual, put_community);
    if (reader_left(&large))
        at = put_list(ROUTE_PUT(at, ",\"large_communities\":["), large, bgp_text_large_community);
    if (reader_left(&extended))
        at = put_list(ROUTE_PUT(at, ",\"extended_communities\":["), extended,
                      bgp_text_extended_community);
    return at;
}

static char *put_aggregation(const struct bgp_attributes *attributes, char *at)
{
    struct bgp_aggregator aggregator;
    if (has(attributes, BGP_ATOMIC_AGGREGATE))
        at = ROUTE_PUT(at, ",\"atomic_aggregate\":true");
    if (!has(attributes, BGP_AGGREGATOR) || !bgp_aggregator(attributes, &aggregator))
        return at;
    at = ROUTE_PUT(at, ",\"aggregator\":{\"asn\":");
    at = digits_u32(at, aggregator.asn);
    at = ROUTE_PUT(at, ",\"address\":\"");
    at = digits_addr(at, &aggregator.addr);
    return ROUTE_PUT(at, "\"}");
}

static char *put_attributes(const struct element *element, char *at)
{
    const struct bgp_attributes *attributes = element->attributes;
    at = put_path(attributes, at);
    at = put_origin(attributes, at);
    at = put_next_hop(element, at);
    at = put_numbers(attributes, at);
    at = put_communities(attributes, at);
    return put_aggregation(attributes, at);
}

static char *put_shared(struct route_json *json, const struct route_file *file,
                        const struct element *element, char *at)
{
    struct route_shared *shared = &json->shared;
    if (element->kind == ELEMENT_TABLE)
        return put_attributes(element, at);
    if (route_shared_has(shared, file, element))
        return route_put(at, shared->text, shared->size);
    char *end = put_attributes(element, at);
    route_shared_keep(shared, file, element, at, (size_t)(end - at));
    return end;
}

static char *put_safi(const struct element *element, char *at)
{
    if (element->safi == BGP_MULTICAST)
        return ROUTE_PUT(at, ",\"safi\":\"multicast\"");
    if (element->safi == BGP_UNICAST_AND_MULTICAST)
        return ROUTE_PUT(at, ",\"safi\":\"unicast_and_multicast\"");
    return at;
}

static char *put_route(struct route_json *json, const struct route_file *file,
                       const struct element *element, char *at)
{
    at = put_prefix(json, element, at);
    if (element->kind != ELEMENT_WITHDRAW)
        at = put_shared(json, file, element, at);
    at = put_safi(element, at);
    if (element->kind == ELEMENT_TABLE) {
        at = ROUTE_PUT(at, ",\"originated\":\"");
        at = put_time(json, element->originated, at);
        *at++ = '"';
    }
    return element->is_faulty ? ROUTE_PUT(at, ",\"faulty\":true") : at;
}

/* ---- sessions ---- */

/* RFC 4271, 8.2.2. */
static char *put_state(char *at, uint16_t state)
{
    static const char *const names[] = {NULL,       "idle",        "connect",    "active",
                                        "opensent", "openconfirm", "established"};
    *at++ = '"';
    if (state >= 1 && state < sizeof names / sizeof *names)
        at = route_put(at, names[state], strlen(names[state]));
    else
        at = digits_u32(at, state);
    *at++ = '"';
    return at;
}

static char *put_change(const struct mrt_state_change *change, char *at)
{
    if (change->before)
        at = put_state(ROUTE_PUT(at, ",\"from\":"), change->before);
    return put_state(ROUTE_PUT(at, ",\"to\":"), change->after);
}

static char *put_end_of_rib(const struct element *element, char *at)
{
    if (element->prefix.addr.family == 4)
        at = ROUTE_PUT(at, ",\"family\":\"ipv4\"");
    else if (element->prefix.addr.family == 6)
        at = ROUTE_PUT(at, ",\"family\":\"ipv6\"");
    return put_safi(element, at);
}

/* RFC 4271, 4.2 and 4.5. */
static char *put_message(const struct element *element, char *at)
{
    struct reader r = element->body;
    if (element->message == BGP_NOTIFICATION && reader_left(&r) >= 2) {
        at = digits_u32(ROUTE_PUT(at, ",\"code\":"), reader_u8(&r));
        at = digits_u32(ROUTE_PUT(at, ",\"subcode\":"), reader_u8(&r));
    } else if (element->message == BGP_OPEN && reader_left(&r) >= 9) {
        reader_u8(&r); /* version */
        at = digits_u32(ROUTE_PUT(at, ",\"asn\":"), reader_u16(&r));
        at = digits_u32(ROUTE_PUT(at, ",\"hold_time\":"), reader_u16(&r));
        at = digits_addr4(ROUTE_PUT(at, ",\"bgp_id\":\""), reader_bytes(&r, 4));
        *at++ = '"';
    }
    return at;
}

char *route_json_line(struct route_json *json, const struct route_file *file,
                      const struct element *element, char *at)
{
    at = put_head(json, element, at);
    at = put_collector(json, file, at);
    at = put_peer(json, element->peer, at);
    if (element->is_from_collector)
        at = ROUTE_PUT(at, ",\"sent\":true");
    at = put_table(element, at);
    if (element->kind == ELEMENT_STATE)
        at = put_change(&element->state, at);
    else if (element->kind == ELEMENT_END_OF_RIB)
        at = put_end_of_rib(element, at);
    else if (element->kind == ELEMENT_MESSAGE)
        at = put_message(element, at);
    else
        at = put_route(json, file, element, at);
    return ROUTE_PUT(at, "}\n");
}
