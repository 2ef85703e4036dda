/* What the files of the routing table share and nobody else uses: route_table.c (changes in),
 * table_peers.c (peers, their sessions, who is live), table_collect.c (what is forgotten),
 * table_view.c (what can be asked). */
#ifndef SOURCE_TABLE_TABLE_INSIDE_H
#define SOURCE_TABLE_TABLE_INSIDE_H

#include "source/bgp/path_memory.h"
#include "source/table/chunk_store.h"
#include "source/table/path_store.h"
#include "source/table/prefix_rows.h"
#include "source/table/route_table.h"

enum { NO_COLUMN = UINT32_MAX };

/* One session of a peer, in one family: a cell of each row. A session that is lost leaves its column
 * behind, which is emptied later, when all is gone through anyway; the next one gets another. */
struct column {
    uint32_t peer;    /* number, from 1; 0: the column is free */
    bool is_retired;  /* of a lost session: nobody looks at it */
    bool is_telling;  /* the session has begun, and is telling its table */
    bool is_dumping;  /* a table dump tells of it */
    bool is_complete; /* its whole table was told */
    uint32_t present, withdrawn;
    uint32_t usual;                   /* how many prefixes it had, at most and of late */
    struct utc telling_until, dumped; /* the last entry of the dump */
};

struct table_family {
    struct prefix_rows rows;
    struct column *columns; /* CHUNK_CELLS for each group */
    size_t column_capacity;
    uint32_t column_count;
    uint32_t retired;
    /* Bit by cell, for each group: live columns with a full feed, and those whose table is complete. */
    uint8_t *full, *complete;
    unsigned full_count;
};

struct table_peer {
    struct mrt_peer name;
    uint32_t collector;
    bool is_lost;        /* its session is: what comes next begins a new one */
    bool has_path_ids;   /* ADD-PATH was used */
    uint32_t column[2];  /* NO_COLUMN */
    struct utc asked[2]; /* when it was last found live with a full feed */
};

/* A change that waits to be put in. */
struct pending {
    struct prefix prefix;
    uint8_t kind; /* enum element_kind: ANNOUNCE, WITHDRAW, TABLE */
    bool has_path_id;
    uint32_t path_id;
    uint32_t column;
    uint32_t row;
    struct path_way way;
    uint64_t hash;
    struct utc time, before; /* of the element, and of the last one that was earlier */
};

enum { PENDING_MAX = 128 };

/* The last path that was put in: the prefixes of one UPDATE have it in common, and often those of the
 * next. */
struct last_path {
    uint8_t bytes[256];
    size_t head_size, tail_size; /* SIZE_MAX: there is none */
    unsigned head_hops;
    bool is_as4;
    uint32_t asn;
    struct path_way way;
};

struct route_table {
    struct route_table_options options;
    struct table_family families[2];
    struct table_peer *peers; /* number - 1 */
    size_t peer_capacity;
    uint32_t peer_count;
    uint32_t last_peer; /* the number of the one heard last */
    struct lookup peer_lookup;
    struct path_store paths;
    struct chunk_store chunks;
    struct path_memory add_paths; /* by number of peer, and row * 2 + family */
    struct pending pending[PENDING_MAX];
    size_t pending_count;
    struct last_path last;
    struct utc now, before; /* the time of the last elements, and of those before that */
    struct utc judge_at, decay_at, judged;
    uint64_t epoch;
    uint32_t chunks_most, ways_most; /* more are not made before what is not used is forgotten */
    struct route_table_counts counts;
};

static inline size_t family_index(uint8_t family)
{
    return family == 6;
}

static inline const struct table_family *family_of(const struct route_table *table, uint8_t family)
{
    return &table->families[family_index(family)];
}

/* table_peers.c. The number of a peer, made if it is new; 0 if there are TABLE_PEERS_MAX. */
uint32_t table_peer_number(struct route_table *table, uint32_t collector,
                           const struct mrt_peer *peer);
/* Its column, made if it has none; NO_COLUMN if there can be no more. */
uint32_t table_peer_column(struct route_table *table, uint32_t peer, uint8_t family);
/* Its session is lost: its columns are left behind. */
void table_peer_leave(struct route_table *table, uint32_t peer);
/* All of its table in this family has been told. */
void table_peer_complete(struct route_table *table, uint32_t peer, uint8_t family);

/* table_collect.c. When something has to be forgotten before more is put in. */
bool table_is_crowded(const struct route_table *table);

#endif
