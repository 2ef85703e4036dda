/* All that live peers are heard to say, before what is watched is picked out of it: for who keeps the whole
 * table (table/whole_table.h). Live feeds say it to an ear, if there is one; archives have their own ways. */
#ifndef SOURCE_BGP_HEARD_H
#define SOURCE_BGP_HEARD_H

#include "base/utc.h"
#include "wire/bgp.h"

enum heard_kind {
    HEARD_UP,       /* a session began: its peer tells its table from now on */
    HEARD_DOWN,     /* ... is over */
    HEARD_COMPLETE, /* ... has told its whole table: what was not, its peer does not carry */
    HEARD_ROUTES,   /* announced, or withdrawn, in one UPDATE */
    HEARD_GAP       /* nothing is known any more of what the peers of this collector carry */
};

/* Views are good while it is told. */
struct heard {
    enum heard_kind kind;
    struct utc time;
    uint32_t collector;          /* number in the registry */
    struct addr peer;            /* of GAP none */
    uint32_t asn;                /* of the peer */
    const struct bgp_path *path; /* of ROUTES that are announced; NULL: withdrawn */
    struct bgp_routes routes;    /* unicast */
};

struct ear {
    void (*hear)(void *context, const struct heard *heard);
    void *context;
};

#endif
