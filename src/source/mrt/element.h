/* Routes as elements: one prefix that one peer announced or withdrew, one entry of a table dump,
 * one change of a session. It is the unit in which archives are counted, filtered and printed, and
 * in which the whole table is fed.
 *
 *     struct element_walk walk = {.filter = &filter, .take = take, .context = context};
 *     while (mrt_reader_next(&reader, &header, &body, &why) > 0)
 *         if ((fault = element_walk_record(&walk, &header, body)))
 *             mrt_reader_reject(&reader, fault);
 *     element_walk_done(&walk);
 *
 * A walk is of one file: its PEER_INDEX_TABLE holds for the entries that follow. What the filter
 * rules out is not decoded. */
#ifndef SOURCE_MRT_ELEMENT_H
#define SOURCE_MRT_ELEMENT_H

#include "source/mrt/element_filter.h"
#include "wire/bmp.h"
#include "wire/mrt.h"

enum element_kind {
    ELEMENT_ANNOUNCE,
    ELEMENT_WITHDRAW,
    ELEMENT_TABLE, /* an entry of a table dump */
    ELEMENT_STATE, /* a session changed its state */
    ELEMENT_END_OF_RIB,
    ELEMENT_MESSAGE, /* OPEN, NOTIFICATION, KEEPALIVE, ROUTE-REFRESH */
    ELEMENT_KINDS
};

struct element {
    enum element_kind kind;
    struct utc time;
    const struct mrt_peer *peer;
    /* ANNOUNCE, WITHDRAW, TABLE; of END_OF_RIB only the family and safi, in prefix.addr.family. */
    struct prefix prefix;
    uint32_t path_id;
    bool has_path_id;
    uint8_t safi;
    /* ANNOUNCE and TABLE; of a WITHDRAW those of its UPDATE if it has sound ones, else NULL. */
    const struct bgp_attributes *attributes;
    /* WITHDRAW: announced with a wrong attribute (RFC 7606, 2). TABLE: the same, only told to those
     * who have `wants` set. */
    bool is_faulty;
    bool is_from_collector;          /* of the _LOCAL subtypes, or Adj-RIB-Out: sent, not heard */
    struct utc originated;           /* TABLE */
    struct mrt_state_change state;   /* STATE */
    enum bgp_message_type message;   /* MESSAGE */
    struct reader body;              /* MESSAGE */
    const struct mrt_header *header; /* of the record it came in */
    /* Of BMP: BMP_TABLES if of none, or of no BMP; and which of several peers of that address it is,
     * 0 where there is only one. */
    enum bmp_table table;
    uint64_t distinguisher;
};

struct element_counts {
    uint64_t of[ELEMENT_KINDS];
    uint64_t of_family[2]; /* ANNOUNCE, WITHDRAW and TABLE of IPv4 and IPv6 */
    /* Of those looked at: UPDATEs and entries of dumps that are no route because of a wrong
     * attribute, and those that are one without it (RFC 7606, 2: treat as withdraw, attribute
     * discard). */
    uint64_t faulty;
    uint64_t discarded;
    uint64_t records; /* all that were given, whatever the filter says */
};

struct element_walk {
    const struct element_filter *filter; /* NULL: everything passes. Not to be changed on the way */
    /* NULL: elements are decoded and counted, and nothing else. */
    void (*take)(void *context, const struct element *element);
    /* What is wrong with a part of a record whose rest is used; may be NULL. An attribute that is
     * only left out is not told here, but in the attributes themselves. */
    void (*report)(void *context, const char *fault);
    /* May be NULL: a record was found sound, and its elements follow. False: they are not wanted.
     */
    bool (*begin)(void *context, const struct mrt_record *record);
    /* May be NULL: whether the attributes of an entry of a dump are asked for. Those of which they
     * are not are told with attributes == NULL, and so are those whose attributes are wrong. */
    bool (*wants)(void *context, const struct prefix *prefix);
    void *context;
    struct element_counts counts; /* of what passed the filter */
    struct mrt_peer *peers;       /* of the last PEER_INDEX_TABLE; its own */
    size_t peer_count, peer_capacity;
    bool *is_wanted; /* by place in `peers`; its own */
    size_t wanted_capacity;
    struct element_plan *plan; /* of the filter; its own */
};

/* All elements of one record, in the order in which they stand there. NULL, or why nothing of the
 * record can be used, a static text. */
const char *element_walk_record(struct element_walk *walk, const struct mrt_header *header,
                                struct reader body);
/* The same of what was not read from an archive: `record` is the one that an archive would have it in, a
 * BGP4MP_ET; `table` and `distinguisher` as in the element. */
const char *element_walk_heard(struct element_walk *walk, struct mrt_record *record,
                               enum bmp_table table, uint64_t distinguisher);
void element_walk_done(struct element_walk *walk);

#endif
