/* The registry: names become numbers. Everything an observation refers to (vantages, targets,
 * prefixes, peers, AS paths, addresses, texts) is interned here once and is a small number from
 * then on: 1, 2, 3 ... in order of first appearance, 0 for none. The journal keeps the registry
 * with the observations, so the numbers mean the same for ever. Entries are never changed or
 * removed.
 *
 * Prefixes, addresses, peers and AS numbers are kept in their canonical form, however they were
 * written. Numbers depend on the order of input; where a result must not, break ties by
 * registry_hash() or by the text.
 *
 * At most REGISTRY_MAX entries and REGISTRY_BYTES_MAX bytes: beyond that registry_intern() returns
 * 0 for new names and registry_refused() counts. */
#ifndef MODEL_REGISTRY_H
#define MODEL_REGISTRY_H

#include "base/addr.h"
#include "model/target.h"

#include <stddef.h>
#include <stdint.h>

enum name_kind {
    NAME_NONE,
    NAME_TEXT,      /* any text: a title, unknown members of a log line */
    NAME_VANTAGE,   /* "lon" */
    NAME_COLLECTOR, /* "rrc00" */
    NAME_SUBJECT,   /* "kp" */
    NAME_TARGET,    /* as in target.h */
    NAME_CONTROL,   /* the same, asked as a control of the vantage */
    NAME_PREFIX,    /* "175.45.176.0/24" */
    NAME_ASN,       /* "131279" */
    NAME_ZONE,      /* "kp." */
    NAME_PEER,      /* "ADDRESS ASN" */
    NAME_PATH,      /* "64500 4837 131279", sets as "{1,2}" */
    NAME_ADDRESS,   /* "192.0.2.1" */
    NAME_COUNTRY,   /* "KP", of ISO 3166-1 */
    NAME_KIND_COUNT
};

enum { REGISTRY_MAX = 16 * 1024 * 1024 };
#define REGISTRY_BYTES_MAX (UINT64_C(2) << 30)

struct as_path {
    uint32_t origin;   /* 0 if the path is empty or ends in a set */
    uint32_t upstream; /* the AS next to the origin, prepending skipped; 0 if none */
    uint16_t hops;     /* distinct ASes in a row; a set counts one, a confederation none */
};

struct peer {
    struct addr addr;
    uint32_t asn;
};

struct registry *registry_new(void);
void registry_free(struct registry *registry);

/* The number of a name, made if new. 0 if the text cannot be such a name (a malformed prefix). */
uint32_t registry_intern(struct registry *registry, enum name_kind kind, const char *text,
                         size_t n);
uint32_t registry_find(const struct registry *registry, enum name_kind kind, const char *text,
                       size_t n);

uint32_t registry_count(const struct registry *registry); /* the highest number */
uint64_t registry_refused(const struct registry *registry);

/* All of these want a number that was handed out. Pointers stay valid for the registry's life. */
enum name_kind registry_kind(const struct registry *registry, uint32_t id);
const char *registry_text(const struct registry *registry, uint32_t id); /* "" for 0 */
uint64_t registry_hash(const struct registry *registry,
                       uint32_t id); /* of kind and text; 0 for 0 */
const struct target *registry_target(const struct registry *registry, uint32_t id);
/* Which check of a vantage's own a target or control is (enum own_check); -1: it is something else. */
int registry_own_check(const struct registry *registry, uint32_t id);
const struct prefix *registry_prefix(const struct registry *registry, uint32_t id);
const struct as_path *registry_path(const struct registry *registry, uint32_t id);
const struct peer *registry_peer(const struct registry *registry, uint32_t id);
const struct addr *registry_address(const struct registry *registry, uint32_t id);
uint32_t registry_asn(const struct registry *registry, uint32_t id);

#endif
