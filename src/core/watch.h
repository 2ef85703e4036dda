/* What is watched, as the journal's SUBJECT and MEMBER observations say: subjects, their members,
 * and the independent failure domains that figures are counted in. A host is one domain however
 * many services share it: the literal address of a target, else the address that last replied, else
 * the host's name.
 *
 * A later SUBJECT replaces the member list of an earlier one of that name; rows are never removed,
 * only taken off the list, so that row numbers stay valid. A target or prefix may belong to several
 * subjects. Prefixes that an AS of the subject originates join by themselves. */
#ifndef CORE_WATCH_H
#define CORE_WATCH_H

#include "core/table.h"
#include "model/observation.h"
#include "model/registry.h"

enum { WATCH_MEMBERS_MAX = 65536, WATCH_IMPLICIT_MAX = 4096 };

struct watched {
    uint32_t id; /* number of the registry */
    int32_t utc_offset_s;
    uint32_t first_member, last_member; /* row + 1 */
    uint32_t implicit;
    uint32_t asns; /* listed AS numbers */
    bool is_dirty; /* something about it changed since it was last judged */
    bool is_reconstruction;
    struct utc since;
};

struct member {
    uint32_t subject;   /* row */
    uint32_t target;    /* target, prefix or ASN */
    uint32_t next;      /* of the same subject, row + 1 */
    uint32_t next_same; /* the same target in another subject, row + 1 */
    uint32_t domain;    /* row; targets and prefixes */
    uint8_t kind;       /* enum name_kind */
    uint8_t layer;
    bool is_listed;
    bool is_whole; /* target_is_whole() */
    uint32_t asn;  /* the listed AS that made it a member, 0: it was listed itself */
    int64_t interval_ns;
};

struct domain {
    uint64_t key;
    uint64_t network; /* key of the watched prefix that holds it, else of its /24 or /48 */
    uint32_t target;  /* one that lies there, for its name */
    uint32_t spare;
    struct addr addr; /* family 0: only a name is known */
};

struct watch_list {
    struct table subjects, members, domains;
    struct index subject_index, member_index /* (subject row, target) */,
        target_index /* first member */, domain_index;
    struct index asn_index; /* (subject row, AS number) */
    uint32_t generation;    /* grows with every change */
    uint64_t capped;
};

void watch_init(struct watch_list *watch);
void watch_done(struct watch_list *watch);
void watch_save(const struct watch_list *watch, struct buffer *out);
bool watch_load(struct watch_list *watch, struct reader *in);

/* A SUBJECT or MEMBER observation. */
void watch_configure(struct watch_list *watch, const struct registry *registry,
                     const struct observation *observation);

/* The first member row + 1 that is this target, 0 if none; the others follow by next_same. */
uint32_t watch_find(const struct watch_list *watch, uint32_t target);
/* The first listed subject (number of the registry) that a target belongs to, 0 if none. */
uint32_t watch_subject_of(const struct watch_list *watch, uint32_t target);
void watch_mark(struct watch_list *watch, uint32_t target); /* its subjects are dirty */

/* The target's host was found to be at this address. */
void watch_set_address(struct watch_list *watch, const struct registry *registry, uint32_t target,
                       uint32_t address);

/* The listed prefix member that is this prefix or covers it most closely, row + 1; 0 if none. */
uint32_t watch_cover(const struct watch_list *watch, const struct registry *registry,
                     const struct prefix *prefix);
bool watch_has_asns(const struct watch_list *watch, uint32_t subject);
bool watch_has_asn(const struct watch_list *watch, uint32_t subject, uint32_t asn);
/* A prefix of this origin was announced: joins the subjects that watch the AS. */
void watch_origin(struct watch_list *watch, const struct registry *registry, uint32_t prefix,
                  uint32_t asn);

static inline struct member *watch_member(const struct watch_list *watch, size_t row)
{
    return table_at(&watch->members, row);
}

static inline struct watched *watch_subject(const struct watch_list *watch, size_t row)
{
    return table_at(&watch->subjects, row);
}

#endif
