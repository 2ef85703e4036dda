/* MRT archives (RFC 6396; 8050 for ADD-PATH; 6397 for places; 6396, appendix B for the records that
 * MRTd and Zebra wrote until 2001), from bytes to values, without copying or allocating. Framing is
 * the caller's: a record is 12 bytes of header and then `length` bytes, which are decoded here.
 * That is done in two steps, so that what nobody wants costs next to nothing: mrt_record_decode()
 * reads what stands in front, and what lies behind is walked by the _check() of its kind, which
 * says whether it fills the record exactly, before anything of it is used.
 *
 *     struct mrt_header header = mrt_header_of(bytes);
 *     struct mrt_record record;
 *     const char *fault = mrt_record_decode(&header, reader_of(bytes + MRT_HEADER, header.length),
 *                                           &record);
 *     if (!fault && record.kind == MRT_KIND_RIB && !(fault = mrt_rib_check(&record.rib)))
 *         while (mrt_rib_next(&record.rib, &entry)) ...
 */
#ifndef WIRE_MRT_H
#define WIRE_MRT_H

#include "base/addr.h"
#include "base/reader.h"
#include "base/utc.h"
#include "wire/bgp.h"
#include "wire/load.h"

#include <stdbool.h>

enum mrt_type {
    MRT_BGP = 5,      /* MRTd and Zebra until 2001 */
    MRT_BGP4PLUS = 9, /* the same for IPv6 */
    MRT_OSPFV2 = 11,
    MRT_TABLE_DUMP = 12,
    MRT_TABLE_DUMP_V2 = 13,
    MRT_BGP4MP = 16,
    MRT_BGP4MP_ET = 17,
    MRT_ISIS = 32,
    MRT_ISIS_ET = 33,
    MRT_OSPFV3 = 48,
    MRT_OSPFV3_ET = 49
};

enum { MRT_HEADER = 12 };
/* No record is longer; a length beyond that is a sign of damage. Real ones reach some 100 KB (a
 * prefix with a thousand peers). */
enum { MRT_RECORD_MAX = 16 * 1024 * 1024 };

struct mrt_header {
    uint32_t seconds;
    uint16_t type;
    uint16_t subtype;
    uint32_t length;
};

/* Reads MRT_HEADER bytes. */
static inline struct mrt_header mrt_header_of(const uint8_t *bytes)
{
    return (struct mrt_header){.seconds = load_u32(bytes),
                               .type = load_u16(bytes + 4),
                               .subtype = load_u16(bytes + 6),
                               .length = load_u32(bytes + 8)};
}
/* Whether these can be the first bytes of a record: of a type and subtype that exist, not too long.
 */
bool mrt_header_is_plausible(const struct mrt_header *header);
/* The right length of a TABLE_DUMP record whose length field may be 4 too small, as a collector
 * wrote them in January 2000; header->length for all others. `bytes` are those after the header, at
 * least min(22, length) of them. */
uint32_t mrt_true_length(const struct mrt_header *header, struct reader bytes);

struct mrt_peer {
    struct addr addr; /* of no family for some state changes: nobody knows whose */
    uint32_t asn;
};

/* A BGP message, or fragment of one, on its way between the collector and its peer. */
struct mrt_message {
    enum bgp_message_type type;
    struct reader body; /* after the BGP header */
    struct bgp_form form;
    bool is_from_collector; /* the _LOCAL subtypes: sent, not heard */
};

/* States of RFC 4271, 8.2.2: 1 Idle ... 6 Established. */
enum { MRT_IDLE = 1, MRT_ESTABLISHED = 6 };
struct mrt_state_change {
    uint16_t before;
    uint16_t after;
};

/* The peers of a dump, by their places. */
struct mrt_peers {
    struct reader bytes;
    uint16_t count;
    bool has_places; /* of GEO_PEER_TABLE (RFC 6397): each with its latitude and longitude */
};

/* One prefix as all peers have it. */
struct mrt_rib {
    struct prefix prefix;
    struct reader entries; /* for mrt_rib_next() */
    uint16_t count;        /* of entries, as the record says */
    uint8_t safi;
    bool has_path_ids; /* each entry its own */
    bool has_path_id;  /* one for all of them: */
    uint32_t path_id;
};

struct mrt_rib_entry {
    uint16_t peer; /* place in the last PEER_INDEX_TABLE, from 0 */
    uint32_t path_id;
    struct utc originated;
    struct reader attributes;
};

/* One prefix as one peer has it, with 2-byte ASNs. */
struct mrt_table_entry {
    struct mrt_peer peer;
    struct prefix prefix;
    struct utc originated;
    struct reader attributes;
    uint8_t safi;
};

/* A record of them: one as RFC 6396, 4.2 has it; MRTd wrote many into one record. */
struct mrt_table {
    struct mrt_table_entry first;
    bool has_first;     /* not yet taken */
    struct reader more; /* those that follow */
    uint8_t family;
};

enum mrt_kind {
    MRT_KIND_OTHER, /* sound as far as that can be told, but of no use here: OSPF, multicast, ... */
    MRT_KIND_MESSAGE,
    MRT_KIND_STATE_CHANGE,
    MRT_KIND_PEER_TABLE,
    MRT_KIND_RIB,
    MRT_KIND_TABLE
};

struct mrt_record {
    enum mrt_kind kind;
    struct utc time;
    struct mrt_peer peer; /* of MESSAGE and STATE_CHANGE */
    union {
        struct mrt_peers peers;
        struct mrt_message message;
        struct mrt_state_change state_change;
        struct mrt_rib rib;
        struct mrt_table table; /* for mrt_table_next() */
    };
};

/* NULL, or what is wrong with the record, a static text; then nothing of `out` is to be used. */
const char *mrt_record_decode_at(const struct mrt_header *header, const uint8_t *at,
                                 const uint8_t *end, struct mrt_record *out);
static inline const char *mrt_record_decode(const struct mrt_header *header, struct reader body,
                                            struct mrt_record *out)
{
    return mrt_record_decode_at(header, body.at, body.end, out);
}

/* All that can be wrong with a record as a whole: NULL, or what is. */
const char *mrt_record_check(const struct mrt_header *header, struct reader body);

/* NULL, or what is wrong with what lies behind. For a RIB it is settled here whether its entries
 * have path identifiers. */
const char *mrt_peers_check(struct mrt_peers peers);
const char *mrt_rib_check(struct mrt_rib *rib);
const char *mrt_table_check(struct mrt_table table);

/* 1 got one, 0 no more: of what was checked. */
int mrt_peers_next(struct mrt_peers *peers, struct mrt_peer *out);
int mrt_table_next(struct mrt_table *table, struct mrt_table_entry *out);

static inline int mrt_rib_next(struct mrt_rib *rib, struct mrt_rib_entry *out)
{
    const uint8_t *at = rib->entries.at;
    size_t left = reader_left(&rib->entries), head = rib->has_path_ids ? 12 : 8;
    if (left < head || left - head < load_u16(at + head - 2))
        return 0;
    out->peer = load_u16(at);
    out->originated.ns = (int64_t)load_u32(at + 2) * NS_PER_S;
    out->path_id = rib->has_path_ids ? load_u32(at + 6) : rib->path_id;
    out->attributes = reader_of(at + head, load_u16(at + head - 2));
    rib->entries.at = out->attributes.end;
    return 1;
}

#endif
