#include "wire/mrt.h"

/* Subtypes of BGP4MP and BGP4MP_ET (RFC 6396, 4.4; RFC 8050, 3). */
enum bgp4mp {
    BGP4MP_STATE_CHANGE = 0,
    BGP4MP_MESSAGE = 1,
    BGP4MP_ENTRY = 2,
    BGP4MP_SNAPSHOT = 3,
    BGP4MP_MESSAGE_AS4 = 4,
    BGP4MP_STATE_CHANGE_AS4 = 5,
    BGP4MP_MESSAGE_LOCAL = 6,
    BGP4MP_MESSAGE_AS4_LOCAL = 7,
    BGP4MP_MESSAGE_ADDPATH = 8,
    BGP4MP_MESSAGE_AS4_ADDPATH = 9,
    BGP4MP_MESSAGE_LOCAL_ADDPATH = 10,
    BGP4MP_MESSAGE_AS4_LOCAL_ADDPATH = 11
};

/* Subtypes of TABLE_DUMP_V2 (RFC 6396, 4.3; RFC 8050, 4). */
enum table_dump_v2 {
    V2_PEER_INDEX_TABLE = 1,
    V2_RIB_IPV4_UNICAST = 2,
    V2_RIB_IPV4_MULTICAST = 3,
    V2_RIB_IPV6_UNICAST = 4,
    V2_RIB_IPV6_MULTICAST = 5,
    V2_RIB_GENERIC = 6,
    V2_GEO_PEER_TABLE = 7, /* RFC 6397 */
    V2_RIB_IPV4_UNICAST_ADDPATH = 8,
    V2_RIB_IPV4_MULTICAST_ADDPATH = 9,
    V2_RIB_IPV6_UNICAST_ADDPATH = 10,
    V2_RIB_IPV6_MULTICAST_ADDPATH = 11,
    V2_RIB_GENERIC_ADDPATH = 12
};

/* Subtypes of BGP and BGP4PLUS (RFC 6396, appendix B.2). */
enum old_bgp {
    OLD_UPDATE = 1,
    OLD_STATE_CHANGE = 3,
    OLD_OPEN = 5,
    OLD_NOTIFY = 6,
    OLD_KEEPALIVE = 7
};

enum { TABLE_DUMP_IPV4 = 1, TABLE_DUMP_IPV6 = 2 };

/* By type: the highest subtype and the fewest bytes that any record of it has. */
static const struct {
    bool is_known;
    uint16_t subtype_max;
    uint16_t shortest;
} types[] = {
    [MRT_BGP] = {true, 7, 6},
    [MRT_BGP4PLUS] = {true, 7, 6},
    [MRT_OSPFV2] = {true, 1, 8},
    [MRT_TABLE_DUMP] = {true, 2, 18},
    [MRT_TABLE_DUMP_V2] = {true, 12, 7},
    [MRT_BGP4MP] = {true, 11, 6},
    [MRT_BGP4MP_ET] = {true, 11, 10},
    [MRT_ISIS] = {true, 1, 0},
    [MRT_ISIS_ET] = {true, 1, 4},
    [MRT_OSPFV3] = {true, 1, 8},
    [MRT_OSPFV3_ET] = {true, 1, 8},
};

bool mrt_header_is_plausible(const struct mrt_header *header)
{
    if (header->length > MRT_RECORD_MAX || header->seconds == 0 ||
        header->type >= sizeof types / sizeof *types || !types[header->type].is_known)
        return false;
    return header->subtype <= types[header->type].subtype_max &&
           header->length >= types[header->type].shortest;
}

uint32_t mrt_true_length(const struct mrt_header *header, struct reader bytes)
{
    const uint8_t *start = bytes.at;
    if (header->type != MRT_TABLE_DUMP || header->subtype != TABLE_DUMP_IPV4)
        return header->length;
    reader_bytes(&bytes, 4);
    while (!bytes.bad && (size_t)(bytes.at - start) < header->length) {
        reader_bytes(&bytes, 16);
        reader_bytes(&bytes, reader_u16(&bytes));
    }
    bool is_short = !bytes.bad && (size_t)(bytes.at - start) == (size_t)header->length + 4;
    return is_short ? header->length + 4 : header->length;
}

/* Of the family of a route, 4 or 6; 0 for those of others, whose prefixes cannot be read as ours. */
static uint8_t route_family(uint16_t afi, uint8_t safi)
{
    bool is_ours =
        (afi == 1 || afi == 2) && safi >= BGP_UNICAST && safi <= BGP_UNICAST_AND_MULTICAST;
    return (uint8_t)(is_ours ? 2 + 2 * afi : 0);
}

/* The BGP header of RFC 4271, 4.1. Quagga wrote no more than 4096 bytes of a record: so a message
 * may be cut, which is believed only where the marker shows that it is one. */
static const char *read_message(struct reader *r, struct mrt_message *out)
{
    static const uint8_t all_ones[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const uint8_t *head = reader_bytes(r, 19);
    if (!head)
        return r->bad;
    size_t length = load_u16(head + 16), there = 19 + reader_left(r);
    uint8_t type = head[18];
    bool is_cut = length > there && type == BGP_UPDATE && length <= 4096 &&
                  memcmp(head, all_ones, sizeof all_ones) == 0;
    if (length < 19 || (length > there && !is_cut))
        return "the BGP message's length does not fit into the record";
    if (length < there)
        return "has bytes left over";
    if (type < BGP_OPEN || type > BGP_ROUTE_REFRESH)
        return "the BGP message has an unknown type";
    out->type = (enum bgp_message_type)type;
    out->form.is_cut = is_cut;
    out->body = reader_of(r->at, reader_left(r));
    return NULL;
}

/* BGP4MP_ENTRY, an early form of a dump that OpenBGPD still writes ("table-mp"). */
static const char *decode_entry(struct reader *r, struct mrt_record *out)
{
    struct mrt_table_entry entry = {.peer = out->peer};
    reader_u32(r); /* view, status */
    entry.originated.ns = (int64_t)reader_u32(r) * NS_PER_S;
    uint16_t afi = reader_u16(r);
    entry.safi = reader_u8(r);
    uint8_t family = route_family(afi, entry.safi);
    if (!family)
        return r->bad;
    reader_bytes(r, reader_u8(r)); /* next hop */
    entry.prefix = bgp_prefix(r, family);
    entry.attributes = reader_sub(r, reader_u16(r));
    reader_finish(r);
    out->kind = MRT_KIND_TABLE;
    out->table = (struct mrt_table){.first = entry, .has_first = true};
    return r->bad;
}

/* What follows the header in STATE_CHANGE. */
static const char *decode_states(struct reader *r, struct mrt_record *out)
{
    out->kind = MRT_KIND_STATE_CHANGE;
    out->state_change.before = reader_u16(r);
    out->state_change.after = reader_u16(r);
    return r->bad;
}

static const struct {
    bool is_as4, is_local, has_path_ids;
} forms[] = {
    [BGP4MP_MESSAGE_AS4] = {.is_as4 = true},
    [BGP4MP_STATE_CHANGE_AS4] = {.is_as4 = true},
    [BGP4MP_MESSAGE_LOCAL] = {.is_local = true},
    [BGP4MP_MESSAGE_AS4_LOCAL] = {.is_as4 = true, .is_local = true},
    [BGP4MP_MESSAGE_ADDPATH] = {.has_path_ids = true},
    [BGP4MP_MESSAGE_AS4_ADDPATH] = {.is_as4 = true, .has_path_ids = true},
    [BGP4MP_MESSAGE_LOCAL_ADDPATH] = {.is_local = true, .has_path_ids = true},
    [BGP4MP_MESSAGE_AS4_LOCAL_ADDPATH] = {true, true, true},
};

/* RFC 6396, 4.4: both ASNs, the interface, the family and both addresses. */
static const char *decode_peer(bool is_as4, struct reader *r, struct mrt_record *out,
                               bool *is_internal)
{
    const size_t asn_size = is_as4 ? 4 : 2;
    const uint8_t *head = reader_bytes(r, 2 * asn_size + 4);
    if (!head)
        return r->bad;
    uint16_t afi = load_u16(head + 2 * asn_size + 2);
    if (afi < 1 || afi > 2)
        return "has an unknown address family";
    out->peer.addr = bgp_addr(r, afi == 2 ? 6 : 4);
    reader_bytes(r, afi == 2 ? 16 : 4); /* the collector's own */
    if (r->bad)
        return r->bad;
    out->peer.asn = is_as4 ? load_u32(head) : load_u16(head);
    uint32_t own_asn = is_as4 ? load_u32(head + 4) : load_u16(head + 2);
    /* RFC 6793, 9: AS_TRANS stands for any AS that does not fit into two bytes. */
    *is_internal = out->peer.asn == own_asn && own_asn != BGP_AS_TRANS;
    return NULL;
}

/* Zebra wrote some of a peer that it had no address of: both ASNs, then the states. */
enum { BARE_STATE_CHANGE = 8 };

static const char *decode_bare_state(struct reader *r, struct mrt_record *out)
{
    out->peer = (struct mrt_peer){.asn = reader_u16(r)};
    reader_u16(r);
    return decode_states(r, out);
}

static const char *decode_bgp4mp(uint16_t subtype, struct reader *r, struct mrt_record *out)
{
    bool is_internal = false;
    if (subtype == BGP4MP_SNAPSHOT || subtype >= sizeof forms / sizeof *forms)
        return NULL;
    if (subtype == BGP4MP_STATE_CHANGE && reader_left(r) == BARE_STATE_CHANGE)
        return decode_bare_state(r, out);
    const char *fault = decode_peer(forms[subtype].is_as4, r, out, &is_internal);
    if (fault)
        return fault;
    if (subtype == BGP4MP_ENTRY)
        return decode_entry(r, out);
    if (subtype == BGP4MP_STATE_CHANGE || subtype == BGP4MP_STATE_CHANGE_AS4) {
        fault = decode_states(r, out);
        return fault ? fault : reader_left(r) ? "has bytes left over" : NULL;
    }
    enum bgp_add_path add_path =
        forms[subtype].has_path_ids ? BGP_ADD_PATH_YES : BGP_ADD_PATH_GUESS;
    out->kind = MRT_KIND_MESSAGE;
    out->message.form = (struct bgp_form){.is_as4 = forms[subtype].is_as4,
                                          .add_path = add_path,
                                          .add_path6 = add_path,
                                          .is_internal = is_internal};
    out->message.is_from_collector = forms[subtype].is_local;
    return read_message(r, &out->message);
}

/* Appendix B.2: fragments without the BGP header. */
static const char *decode_old_bgp(uint16_t subtype, uint8_t family, struct reader *r,
                                  struct mrt_record *out)
{
    static const uint8_t messages[] = {[OLD_UPDATE] = BGP_UPDATE,
                                       [OLD_OPEN] = BGP_OPEN,
                                       [OLD_NOTIFY] = BGP_NOTIFICATION,
                                       [OLD_KEEPALIVE] = BGP_KEEPALIVE};
    out->peer.asn = reader_u16(r);
    out->peer.addr = bgp_addr(r, family);
    if (subtype == OLD_STATE_CHANGE)
        return decode_states(r, out);
    if (subtype >= sizeof messages || !messages[subtype])
        return NULL;
    reader_u16(r);
    bgp_addr(r, family);
    out->kind = MRT_KIND_MESSAGE;
    out->message = (struct mrt_message){.type = (enum bgp_message_type)messages[subtype],
                                        .body = reader_sub(r, reader_left(r))};
    return r->bad;
}

static bool read_table_entry(struct reader *r, uint8_t family, struct mrt_table_entry *out)
{
    struct mrt_table_entry entry = {.safi = BGP_UNICAST};
    struct addr addr = bgp_addr(r, family);
    uint8_t bits = reader_u8(r);
    entry.prefix = prefix_of(&addr, bits);
    reader_u8(r); /* status */
    entry.originated.ns = (int64_t)reader_u32(r) * NS_PER_S;
    entry.peer.addr = bgp_addr(r, family);
    entry.peer.asn = reader_u16(r);
    entry.attributes = reader_sub(r, reader_u16(r));
    if (!r->bad && bits > addr_bits(&addr))
        reader_fail(r, "the prefix is longer than an address");
    if (r->bad)
        return false;
    *out = entry;
    return true;
}

int mrt_table_next(struct mrt_table *table, struct mrt_table_entry *out)
{
    if (!table->has_first)
        return reader_left(&table->more) && read_table_entry(&table->more, table->family, out);
    *out = table->first;
    table->has_first = false;
    return 1;
}

static const char *decode_table_dump(uint16_t subtype, struct reader *r, struct mrt_record *out)
{
    if (subtype != TABLE_DUMP_IPV4 && subtype != TABLE_DUMP_IPV6)
        return NULL;
    out->kind = MRT_KIND_TABLE;
    out->table = (struct mrt_table){.family = subtype == TABLE_DUMP_IPV6 ? 6 : 4};
    reader_u32(r); /* view, sequence */
    out->table.has_first = read_table_entry(r, out->table.family, &out->table.first);
    out->table.more = *r;
    return r->bad;
}

const char *mrt_table_check(struct mrt_table table)
{
    struct mrt_table_entry entry;
    while (mrt_table_next(&table, &entry))
        continue;
    return table.more.bad;
}

/* RFC 6396, 4.3.1; RFC 6397, 4. */
static const char *decode_peers(bool has_places, struct reader *r, struct mrt_record *out)
{
    reader_u32(r); /* the collector's BGP identifier */
    reader_bytes(r, reader_u16(r));
    if (has_places)
        reader_bytes(r, 8);
    out->kind = MRT_KIND_PEER_TABLE;
    out->peers = (struct mrt_peers){.count = reader_u16(r), .has_places = has_places};
    out->peers.bytes = *r;
    return r->bad;
}

const char *mrt_peers_check(struct mrt_peers peers)
{
    struct mrt_peer peer;
    unsigned found = 0;
    while (mrt_peers_next(&peers, &peer))
        found++;
    if (!peers.bytes.bad && found != peers.count)
        return "the count of peers is wrong";
    return peers.bytes.bad;
}

/* Bit 0 of the type says IPv6, bit 1 a 4-byte ASN. */
int mrt_peers_next(struct mrt_peers *peers, struct mrt_peer *out)
{
    struct reader *r = &peers->bytes;
    if (reader_left(r) == 0)
        return 0;
    uint8_t type = reader_u8(r);
    reader_u32(r); /* BGP identifier */
    struct mrt_peer peer = {.addr = bgp_addr(r, type & 1 ? 6 : 4)};
    peer.asn = type & 2 ? reader_u32(r) : reader_u16(r);
    if (peers->has_places)
        reader_bytes(r, 8);
    if (r->bad)
        return 0;
    *out = peer;
    return 1;
}

/* Entries of TABLE_DUMP_V2 (RFC 6396, 4.3.4; RFC 8050, 4), walked to see whether they fill the
 * record. */
static const char *check_entries(const struct mrt_rib *rib, bool has_path_ids)
{
    const size_t head = has_path_ids ? 12 : 8;
    const uint8_t *at = rib->entries.at, *end = rib->entries.end;
    unsigned found = 0;
    while (at < end) {
        if ((size_t)(end - at) < head)
            return "ends too early";
        size_t length = load_u16(at + head - 2);
        if (length > (size_t)(end - at) - head)
            return "ends too early";
        at += head + length;
        found++;
    }
    return found == rib->count ? NULL : "the count of entries is wrong";
}

const char *mrt_rib_check(struct mrt_rib *rib)
{
    const char *fault = check_entries(rib, rib->has_path_ids);
    if (!fault || rib->has_path_ids || rib->has_path_id)
        return fault;
    if (check_entries(rib, true))
        return fault;
    rib->has_path_ids = true; /* under a subtype that does not say so */
    return NULL;
}

static const char *decode_rib(uint8_t family, uint8_t safi, bool is_add_path, struct reader *r,
                              struct mrt_record *out)
{
    out->kind = MRT_KIND_RIB;
    out->rib.prefix = bgp_prefix(r, family);
    out->rib.count = reader_u16(r);
    out->rib.entries = *r;
    out->rib.safi = safi;
    out->rib.has_path_ids = is_add_path;
    out->rib.has_path_id = false;
    out->rib.path_id = 0;
    return r->bad;
}

/* With ADD-PATH RFC 8050, 4.2 has the identifier in front of the prefix, and so but one for all
 * entries. GoBGP and OpenBGPD write it into each, as for the other subtypes. */
static const char *decode_generic(bool is_add_path, struct reader *r, struct mrt_record *out)
{
    uint16_t afi = reader_u16(r);
    uint8_t safi = reader_u8(r), family = route_family(afi, safi);
    if (!family)
        return r->bad;
    struct reader behind = *r;
    if (is_add_path) {
        uint32_t path_id = reader_u32(&behind);
        if (!decode_rib(family, safi, false, &behind, out) && !check_entries(&out->rib, false)) {
            out->rib.path_id = path_id;
            out->rib.has_path_id = true;
            return NULL;
        }
    }
    return decode_rib(family, safi, is_add_path, r, out);
}

static const char *decode_table_dump_v2(uint16_t subtype, struct reader *r, struct mrt_record *out)
{
    if (subtype == V2_PEER_INDEX_TABLE || subtype == V2_GEO_PEER_TABLE)
        return decode_peers(subtype == V2_GEO_PEER_TABLE, r, out);
    reader_u32(r); /* sequence */
    switch (subtype) {
    case V2_RIB_IPV4_UNICAST:
    case V2_RIB_IPV4_UNICAST_ADDPATH:
        return decode_rib(4, BGP_UNICAST, subtype == V2_RIB_IPV4_UNICAST_ADDPATH, r, out);
    case V2_RIB_IPV4_MULTICAST:
    case V2_RIB_IPV4_MULTICAST_ADDPATH:
        return decode_rib(4, BGP_MULTICAST, subtype == V2_RIB_IPV4_MULTICAST_ADDPATH, r, out);
    case V2_RIB_IPV6_UNICAST:
    case V2_RIB_IPV6_UNICAST_ADDPATH:
        return decode_rib(6, BGP_UNICAST, subtype == V2_RIB_IPV6_UNICAST_ADDPATH, r, out);
    case V2_RIB_IPV6_MULTICAST:
    case V2_RIB_IPV6_MULTICAST_ADDPATH:
        return decode_rib(6, BGP_MULTICAST, subtype == V2_RIB_IPV6_MULTICAST_ADDPATH, r, out);
    case V2_RIB_GENERIC:
    case V2_RIB_GENERIC_ADDPATH:
        return decode_generic(subtype == V2_RIB_GENERIC_ADDPATH, r, out);
    default:
        return NULL;
    }
}

const char *mrt_record_decode_at(const struct mrt_header *header, const uint8_t *at,
                                 const uint8_t *end, struct mrt_record *out)
{
    struct reader body = {at, end, NULL};
    uint32_t microseconds;
    out->kind = MRT_KIND_OTHER;
    out->time.ns = (int64_t)header->seconds * NS_PER_S;
    switch (header->type) {
    case MRT_BGP4MP_ET:
        microseconds = reader_u32(&body);
        if (microseconds >= 1000000)
            return "a second has no more than 999999 microseconds";
        out->time.ns += (int64_t)microseconds * 1000;
        return decode_bgp4mp(header->subtype, &body, out);
    case MRT_BGP4MP:
        return decode_bgp4mp(header->subtype, &body, out);
    case MRT_TABLE_DUMP:
        return decode_table_dump(header->subtype, &body, out);
    case MRT_TABLE_DUMP_V2:
        return decode_table_dump_v2(header->subtype, &body, out);
    case MRT_BGP:
        return decode_old_bgp(header->subtype, 4, &body, out);
    case MRT_BGP4PLUS:
        return decode_old_bgp(header->subtype, 6, &body, out);
    default:
        return NULL;
    }
}

const char *mrt_record_check(const struct mrt_header *header, struct reader body)
{
    struct mrt_record record;
    struct bgp_update update;
    const char *fault = mrt_record_decode(header, body, &record);
    if (fault)
        return fault;
    switch (record.kind) {
    case MRT_KIND_MESSAGE:
        return record.message.type != BGP_UPDATE ||
                       bgp_update_find(record.message.body, &record.message.form, &update)
                   ? NULL
                   : update.fault;
    case MRT_KIND_PEER_TABLE:
        return mrt_peers_check(record.peers);
    case MRT_KIND_RIB:
        return mrt_rib_check(&record.rib);
    case MRT_KIND_TABLE:
        return mrt_table_check(record.table);
    default:
        return NULL;
    }
}
