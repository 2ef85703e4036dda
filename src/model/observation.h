/* An observation: one thing seen once. A value of fixed size that is never changed; names in it are
 * numbers of the registry. The table says which member means what; unused members are 0.
 *
 * | kind       | source    | target          | peer                | path    | code     | value          |
 * |------------|-----------|-----------------|---------------------|---------|----------|----------------|
 * | PROBE      | vantage   | target/control  | address that replied| *****   | *        | **             |
 * | ROUTE      | collector | prefix          | peer                | AS path | route_op | -              |
 * | PEER       | collector | -               | peer                | -       | peer_op  | prefixes (***) |
 * | VISIBILITY | collector | prefix          | -                   | -       | peers up | peers in all   |
 * | TICK       | -         | -               | -                   | -       | -        | -              |
 * | GAP        | vantage or collector | -    | -                   | text: reason | -   | until, utc ns; 0: START |
 * | START/STOP | vantage or collector | -    | -                   | -       | -        | -              |
 * | SUBJECT    | -         | subject         | -                   | text: title | flags | UTC offset, s |
 * | MEMBER     | -         | target, prefix, ASN, country or zone | subject | - | -     | interval_ns or 0 |
 * | BIN        | -         | ASN or country; 0: all | subject or 0 | -       | peers up | blocks seen (****) |
 *
 *   *   http or smtp status, dns rcode, icmp type << 8 | code; block: addresses asked in the round
 *   **  dns and zone: SOA serial; tls, https and smtp: notAfter in seconds; icmp: TTL of the reply; trace: hops;
 *       block: belief that it is up, percent; self:clock: so far is our clock behind the servers', ns; self:loop:
 *       worst delay of the loop, ns; 0 unknown
 *   *** size of the peer's table where known (PEER_TABLE), else 0
 *   **** /24s (family 4) or /48s (family 6) that are visible, of those that are `known`; with the peers
 *   that are up, of `peers_total` (source/table/bins.h)
 *   ***** the target or control for whose sake it was asked out of turn, since that went dark or came back: itself, one
 *         beside it, or the way there (trace). It confirms what is asked in its turn; none: it was its turn
 *
 * A PROBE's time is when it was sent, for all others when it happened. That of a block is a whole round: its time
 * is that of the last question in it, by which it was clear. A SUBJECT begins a subject's
 * configuration: it replaces an earlier one of that subject, and the MEMBERs that follow it
 * directly belong to it. A TICK says that time has passed and we were there: silence is judged by
 * it. A GAP says that its source saw nothing from `time` until `value`; it is never an outage.
 * Where `until` is 0, which only a collector may say, that is so until its next START: its peers are
 * not heard again until each is UP or HEARD. A BIN says how it was at `time`. If less than half of its
 * peers are up there is no data, and nothing is known; that is never an outage either. */
#ifndef MODEL_OBSERVATION_H
#define MODEL_OBSERVATION_H

#include "base/utc.h"
#include "model/model.h"

#include <stdint.h>

enum observation_kind {
    OBSERVATION_PROBE = 1,
    OBSERVATION_ROUTE,
    OBSERVATION_PEER,
    OBSERVATION_VISIBILITY,
    OBSERVATION_TICK,
    OBSERVATION_GAP,
    OBSERVATION_START,
    OBSERVATION_STOP,
    OBSERVATION_SUBJECT,
    OBSERVATION_MEMBER,
    OBSERVATION_BIN,
    OBSERVATION_KIND_COUNT
};

enum route_op { ROUTE_ANNOUNCE = 1, ROUTE_WITHDRAW, ROUTE_TABLE /* seen in a table dump */ };
enum peer_op {
    PEER_UP = 1,
    PEER_DOWN,
    PEER_TABLE,    /* value: prefixes in its table */
    PEER_COMPLETE, /* all of its table was told since PEER_UP: what was not, it does not carry */
    PEER_HEARD,    /* (again) heard of in a session that was there before: its table is not told */
    PEER_TELLING   /* its table is still being told: what was not yet, it may carry all the same */
};
enum { SUBJECT_IS_RECONSTRUCTION = 1 };

struct observation {
    uint64_t seq; /* place in the journal, from 1; 0 before it is appended */
    struct utc time;
    union {
        int64_t rtt_ns; /* probe: how long the answer (or failure) took, 0 if it never came */
        int64_t known;  /* bin */
    };
    int64_t value;
    uint32_t source;
    uint32_t target;
    uint32_t peer;
    uint32_t path;
    uint32_t extra; /* text: unknown members of the log line, as JSON; kept for export */
    uint16_t code;
    uint8_t kind;         /* enum observation_kind */
    uint8_t outcome;      /* enum outcome; probe only */
    uint8_t stage;        /* enum stage; probe only */
    uint8_t family;       /* bin only */
    uint16_t peers_total; /* bin only */
    uint8_t spare[4];
};

_Static_assert(sizeof(struct observation) == 64, "an observation is one cache line");

/* Bins end at full five minutes; the last one of an archive where that ends. */
#define BIN_NS (5 * NS_PER_MINUTE)

/* Of a BIN: whether there are data. */
static inline bool bin_has_quorum(const struct observation *bin)
{
    return bin->code && bin->code * 2 >= bin->peers_total;
}

/* How much later than a newer one an observation may arrive and still be judged, and exported, as
 * if in time. It covers the longest probe timeout (10 s) plus the delay of a busy loop; a verdict
 * is never held up by more. */
#define LATENESS_NS (15 * NS_PER_S)

/* So much time must be seen to pass after the last observation of an archive for all of it to be
 * judged: a replay ends with a TICK that much later, and an export leaves just that one out again.
 */
#define SETTLE_NS (LATENESS_NS + NS_PER_S)

const char *observation_kind_name(enum observation_kind kind); /* "probe", "route", ... */

/* Where sources put what they see. `registry` is where they intern the names. emit() may not fail:
 * what lies behind it counts and reports its own troubles. */
struct registry;
struct sink {
    struct registry *registry;
    void (*emit)(void *context, const struct observation *observation);
    void *context;
};

static inline void sink_emit(const struct sink *sink, const struct observation *observation)
{
    sink->emit(sink->context, observation);
}

#endif
