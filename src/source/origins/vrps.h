/* Validated ROA payloads: which AS may originate which prefix, and how long its routes may be. A
 * table of them says of a route whether its origin is valid (RFC 6811), for IPv4 and IPv6.
 *
 *     struct vrps *vrps = vrps_new();
 *     vrps_add(vrps, &vrp);                       // any order; false once there are VRPS_MAX
 *     vrps_seal(vrps);                            // from now on it can be asked, and not added to
 *     enum rpki_state state = vrps_validate(vrps, &prefix, origin);
 *
 * All are in one array, in order of (prefix, AS, longest length), and each knows the nearest one
 * before it whose prefix holds its own. Prefixes lie within one another or apart, so all that hold
 * a route are met by going from the last that begins at or before it from one such neighbour to the
 * next. 28 bytes each. */
#ifndef SOURCE_ORIGINS_VRPS_H
#define SOURCE_ORIGINS_VRPS_H

#include "base/addr.h"

/* Seven times those of 2024: 112 MiB. */
enum { VRPS_MAX = 4 * 1024 * 1024 };

struct vrp {
    struct prefix prefix;
    uint8_t max_bits; /* prefix.bits to 32 or 128 */
    uint32_t asn;     /* 0: nobody may (RFC 6483, 4) */
};

/* X(constant, name). RFC 6811, 2 calls both kinds of invalid by one name; who reads of a leak of a
 * more specific route wants to know which. */
#define RPKI_STATE_LIST(X)                                                                         \
    X(UNKNOWN, "unknown")                                                                          \
    X(NOT_FOUND, "not-found")                                                                      \
    X(VALID, "valid")                                                                              \
    X(INVALID_ORIGIN, "invalid-origin")                                                            \
    X(INVALID_LENGTH, "invalid-length")

/* UNKNOWN: there is nothing to hold it against. NOT_FOUND: nobody has said anything of this prefix.
 * INVALID_LENGTH: its origin may originate a prefix that holds it, but none so long. */
enum rpki_state {
#define X(constant, name) RPKI_##constant,
    RPKI_STATE_LIST(X)
#undef X
        RPKI_STATE_COUNT
};

const char *rpki_state_name(enum rpki_state state);

struct vrps;

struct vrps *vrps_new(void);
void vrps_free(struct vrps *vrps);
size_t vrps_count(const struct vrps *vrps);
size_t vrps_memory(const struct vrps *vrps); /* bytes */

/* False, and nothing is added, if there are VRPS_MAX. */
bool vrps_add(struct vrps *vrps, const struct vrp *vrp);
/* Returns how many were there twice; those are left out. */
size_t vrps_seal(struct vrps *vrps);

/* origin: the AS that the path ends with; 0 if it ends with a set or is empty, which no VRP
 * matches. */
enum rpki_state vrps_validate(const struct vrps *vrps, const struct prefix *prefix,
                              uint32_t origin);

/* One step from a sealed table to the next, as RTR tells it (RFC 8210, 5.6). */
struct vrp_change {
    struct vrp vrp;
    bool is_announced; /* else withdrawn */
    uint32_t order;    /* set by vrps_apply() */
};

enum vrps_fault { VRPS_OK, VRPS_TWICE, VRPS_UNKNOWN, VRPS_TOO_MANY };

/* Makes a sealed table out of `old` and changes in the order in which they came; they are sorted on
 * the way. VRPS_TWICE: one is announced that is there; VRPS_UNKNOWN: one is withdrawn that is
 * not. */
enum vrps_fault vrps_apply(const struct vrps *old, struct vrp_change *changes, size_t count,
                           struct vrps **out);

#endif
