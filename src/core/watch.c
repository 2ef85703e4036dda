#include "core/watch.h"

#include "base/hash.h"

#include <string.h>

void watch_init(struct watch_list *watch)
{
    memset(watch, 0, sizeof *watch);
    table_init(&watch->subjects, sizeof(struct watched));
    table_init(&watch->members, sizeof(struct member));
    table_init(&watch->domains, sizeof(struct domain));
    index_init(&watch->subject_index);
    index_init(&watch->member_index);
    index_init(&watch->target_index);
    index_init(&watch->domain_index);
    index_init(&watch->asn_index);
}

void watch_done(struct watch_list *watch)
{
    table_done(&watch->subjects);
    table_done(&watch->members);
    table_done(&watch->domains);
    index_done(&watch->subject_index);
    index_done(&watch->member_index);
    index_done(&watch->target_index);
    index_done(&watch->domain_index);
    index_done(&watch->asn_index);
}

void watch_save(const struct watch_list *watch, struct buffer *out)
{
    table_save(&watch->subjects, out);
    table_save(&watch->members, out);
    table_save(&watch->domains, out);
    index_save(&watch->subject_index, out);
    index_save(&watch->member_index, out);
    index_save(&watch->target_index, out);
    index_save(&watch->domain_index, out);
    index_save(&watch->asn_index, out);
    buffer_varint(out, watch->generation);
    buffer_varint(out, watch->capped);
}

bool watch_load(struct watch_list *watch, struct reader *in)
{
    bool is_good = table_load(&watch->subjects, in) && table_load(&watch->members, in) &&
                   table_load(&watch->domains, in) && index_load(&watch->subject_index, in) &&
                   index_load(&watch->member_index, in) && index_load(&watch->target_index, in) &&
                   index_load(&watch->domain_index, in) && index_load(&watch->asn_index, in);
    watch->generation = (uint32_t)reader_varint(in);
    watch->capped = reader_varint(in);
    return is_good;
}

static struct domain *domain_at(const struct watch_list *watch, uint32_t row)
{
    return table_at(&watch->domains, row);
}

static uint64_t prefix_key(const struct prefix *prefix)
{
    return hash_bytes(prefix->addr.bytes, sizeof prefix->addr.bytes,
                      (uint64_t)prefix->addr.family << 8 | prefix->bits);
}

/* The network that a host lies in: the watched prefix, else a /24 or /48. */
static uint64_t network_of(const struct watch_list *watch, const struct registry *registry,
                           const struct addr *addr)
{
    struct prefix net = prefix_of(addr, addr->family == 4 ? 24 : 48);
    struct prefix host = prefix_of(addr, addr_bits(addr));
    uint32_t cover = watch_cover(watch, registry, &host);
    if (cover)
        net = *registry_prefix(registry, watch_member(watch, cover - 1)->target);
    return prefix_key(&net);
}

static uint32_t domain_of(struct watch_list *watch, uint64_t key, uint32_t target,
                          const struct addr *addr, uint64_t network)
{
    uint32_t found = index_find(&watch->domain_index, key);
    if (found) {
        domain_at(watch, found - 1)->network = network;
        return found - 1;
    }
    struct domain *domain = table_add(&watch->domains);
    domain->key = key;
    domain->network = network;
    domain->target = target;
    if (addr)
        domain->addr = *addr;
    uint32_t row = (uint32_t)watch->domains.count - 1;
    index_put(&watch->domain_index, key, row);
    return row;
}

/* A network or zone is not the host that has its first address or its name: they have keys of their own. */
enum { OF_HOSTS = 1000, OF_NAMES = 2000, OF_NETWORKS = 3000, OF_ZONES = 4000 };

static uint32_t address_domain(struct watch_list *watch, const struct registry *registry,
                               uint32_t target, const struct addr *addr, unsigned of)
{
    uint64_t key = hash_bytes(addr->bytes, sizeof addr->bytes, of + addr->family);
    return domain_of(watch, key, target, addr, network_of(watch, registry, addr));
}

static uint32_t find_domain(struct watch_list *watch, const struct registry *registry,
                            uint32_t target, enum name_kind kind)
{
    if (kind == NAME_PREFIX) {
        const struct prefix *prefix = registry_prefix(registry, target);
        uint64_t key = prefix_key(prefix);
        return domain_of(watch, key, target, NULL, key);
    }
    const struct target *parsed = registry_target(registry, target);
    if (parsed->addr.family)
        return address_domain(watch, registry, target, &parsed->addr,
                              target_is_whole(parsed) ? OF_NETWORKS : OF_HOSTS);
    const char *host = registry_text(registry, target) + parsed->host.at;
    uint64_t key = hash_bytes(host, parsed->host.n, target_is_whole(parsed) ? OF_ZONES : OF_NAMES);
    return domain_of(watch, key, target, NULL, key);
}

void watch_set_address(struct watch_list *watch, const struct registry *registry, uint32_t target,
                       uint32_t address)
{
    if (registry_kind(registry, address) != NAME_ADDRESS ||
        registry_target(registry, target)->addr.family)
        return;
    uint32_t row = watch_find(watch, target);
    if (!row)
        return;
    uint32_t domain =
        address_domain(watch, registry, target, registry_address(registry, address), OF_HOSTS);
    for (; row; row = watch_member(watch, row - 1)->next_same)
        watch_member(watch, row - 1)->domain = domain;
}

static uint32_t subject_row(struct watch_list *watch, uint32_t id)
{
    uint32_t found = index_find(&watch->subject_index, id);
    if (found)
        return found - 1;
    struct watched *subject = table_add(&watch->subjects);
    subject->id = id;
    index_put(&watch->subject_index, id, (uint32_t)watch->subjects.count - 1);
    return (uint32_t)watch->subjects.count - 1;
}

static void begin_subject(struct watch_list *watch, const struct observation *o)
{
    struct watched *subject = watch_subject(watch, subject_row(watch, o->target));
    subject->utc_offset_s = (int32_t)o->value;
    subject->is_reconstruction = (o->code & SUBJECT_IS_RECONSTRUCTION) != 0;
    if (!utc_is_known(subject->since))
        subject->since = o->time;
    subject->implicit = subject->asns = 0;
    for (uint32_t row = subject->first_member; row; row = watch_member(watch, row - 1)->next)
        watch_member(watch, row - 1)->is_listed = false;
}

static struct member *new_member(struct watch_list *watch, uint32_t subject, uint32_t target)
{
    struct member *member = table_add(&watch->members);
    uint32_t row = (uint32_t)watch->members.count;
    member->subject = subject;
    member->target = target;
    member->next_same = index_find(&watch->target_index, target);
    index_put(&watch->target_index, target, row - 1);
    index_put(&watch->member_index, key_of(subject, target), row - 1);
    struct watched *of = watch_subject(watch, subject);
    if (of->last_member)
        watch_member(watch, of->last_member - 1)->next = row;
    else
        of->first_member = row;
    of->last_member = row;
    return member;
}

static void note_target(struct member *member, const struct target *target)
{
    member->layer = target->layer;
    member->is_whole = target_is_whole(target);
}

static void list_member(struct watch_list *watch, const struct registry *registry, uint32_t subject,
                        uint32_t target, int64_t interval_ns, uint32_t asn)
{
    enum name_kind kind = registry_kind(registry, target);
    uint32_t found = index_find(&watch->member_index, key_of(subject, target));
    if (!found && watch->members.count >= WATCH_MEMBERS_MAX) {
        watch->capped++;
        return;
    }
    struct member *member =
        found ? watch_member(watch, found - 1) : new_member(watch, subject, target);
    if (kind == NAME_ASN && !(found && member->is_listed)) {
        watch_subject(watch, subject)->asns++;
        index_put(&watch->asn_index, key_of(subject, registry_asn(registry, target)),
                  (uint32_t)(member - watch_member(watch, 0)));
    }
    member->kind = (uint8_t)kind;
    member->is_listed = true;
    member->asn = asn;
    member->interval_ns = interval_ns;
    if (kind == NAME_TARGET)
        note_target(member, registry_target(registry, target));
    else if (kind == NAME_PREFIX)
        member->layer = LAYER_ROUTE;
    watch->generation++;
    if (!found && (kind == NAME_TARGET || kind == NAME_PREFIX))
        member->domain = find_domain(watch, registry, target, kind);
    watch_subject(watch, subject)->is_dirty = true;
}

/* A new prefix may hold hosts that were listed before it. */
static void place_hosts(struct watch_list *watch, const struct registry *registry)
{
    for (size_t i = 0; i < watch->domains.count; i++) {
        struct domain *domain = table_at(&watch->domains, i);
        if (domain->addr.family)
            domain->network = network_of(watch, registry, &domain->addr);
    }
}

/* An AS that stays listed keeps its prefixes: one that is gone just now is not announced again. */
static void keep_prefixes(struct watch_list *watch, uint32_t subject, uint32_t asn)
{
    struct watched *of = watch_subject(watch, subject);
    for (uint32_t row = of->first_member; row; row = watch_member(watch, row - 1)->next) {
        struct member *member = watch_member(watch, row - 1);
        if (member->asn != asn || member->is_listed)
            continue;
        member->is_listed = true;
        of->implicit++;
    }
}

void watch_configure(struct watch_list *watch, const struct registry *registry,
                     const struct observation *o)
{
    if (registry_kind(registry, o->kind == OBSERVATION_SUBJECT ? o->target : o->peer) !=
        NAME_SUBJECT)
        return;
    if (o->kind == OBSERVATION_SUBJECT) {
        begin_subject(watch, o);
        return;
    }
    enum name_kind kind = registry_kind(registry, o->target);
    if (kind != NAME_TARGET && kind != NAME_PREFIX && kind != NAME_ASN)
        return; /* zones and countries are context for people; the targets made from them are
                   members themselves */
    list_member(watch, registry, subject_row(watch, o->peer), o->target, o->value, 0);
    if (kind == NAME_PREFIX)
        place_hosts(watch, registry);
    else if (kind == NAME_ASN)
        keep_prefixes(watch, subject_row(watch, o->peer), registry_asn(registry, o->target));
}

uint32_t watch_find(const struct watch_list *watch, uint32_t target)
{
    return index_find(&watch->target_index, target);
}

uint32_t watch_subject_of(const struct watch_list *watch, uint32_t target)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t row = watch_find(watch, target); row;) {
        const struct member *member = watch_member(watch, row - 1);
        if (member->is_listed && member->subject < best)
            best = member->subject;
        row = member->next_same;
    }
    return best == UINT32_MAX ? 0 : watch_subject(watch, best)->id;
}

void watch_mark(struct watch_list *watch, uint32_t target)
{
    for (uint32_t row = watch_find(watch, target); row;) {
        const struct member *member = watch_member(watch, row - 1);
        watch_subject(watch, member->subject)->is_dirty = true;
        row = member->next_same;
    }
}

uint32_t watch_cover(const struct watch_list *watch, const struct registry *registry,
                     const struct prefix *prefix)
{
    struct prefix outer = *prefix;
    for (unsigned bits = prefix->bits + 1u; bits-- > 0;) {
        outer = prefix_of(&prefix->addr, bits);
        uint32_t domain = index_find(&watch->domain_index, prefix_key(&outer));
        if (!domain)
            continue;
        uint32_t target = domain_at(watch, domain - 1)->target;
        if (registry_kind(registry, target) != NAME_PREFIX)
            continue;
        for (uint32_t row = watch_find(watch, target); row;) {
            const struct member *member = watch_member(watch, row - 1);
            if (member->is_listed)
                return row;
            row = member->next_same;
        }
    }
    return 0;
}

bool watch_has_asns(const struct watch_list *watch, uint32_t subject)
{
    return watch_subject(watch, subject)->asns > 0;
}

bool watch_has_asn(const struct watch_list *watch, uint32_t subject, uint32_t asn)
{
    uint32_t row = index_find(&watch->asn_index, key_of(subject, asn));
    return row && watch_member(watch, row - 1)->is_listed;
}

void watch_origin(struct watch_list *watch, const struct registry *registry, uint32_t prefix,
                  uint32_t asn)
{
    if (watch_cover(watch, registry, registry_prefix(registry, prefix)))
        return; /* a more specific of what is watched comes and goes as its owner likes */
    for (uint32_t subject = 0; subject < watch->subjects.count; subject++) {
        uint32_t found = index_find(&watch->member_index, key_of(subject, prefix));
        if (found && watch_member(watch, found - 1)->is_listed)
            continue;
        if (!watch_has_asn(watch, subject, asn))
            continue;
        if (watch_subject(watch, subject)->implicit >= WATCH_IMPLICIT_MAX) {
            watch->capped++;
            continue;
        }
        watch_subject(watch, subject)->implicit++;
        list_member(watch, registry, subject, prefix, 0, asn);
        place_hosts(watch, registry);
    }
}
