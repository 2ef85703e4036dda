#include "source/mrt/element.h"

#include "base/mem.h"
#include "source/mrt/element_plan.h"

#include <stdlib.h>

void element_walk_done(struct element_walk *walk)
{
    free(walk->peers);
    free(walk->is_wanted);
    free(walk->plan);
    walk->peers = NULL;
    walk->is_wanted = NULL;
    walk->plan = NULL;
    walk->peer_count = walk->peer_capacity = walk->wanted_capacity = 0;
}

/* ---- telling ---- */

static void report(const struct element_walk *walk, const char *fault)
{
    if (walk->report && fault)
        walk->report(walk->context, fault);
}

static bool begin(const struct element_walk *walk, const struct mrt_record *record)
{
    return !walk->begin || walk->begin(walk->context, record);
}

static inline void count(struct element_walk *walk, enum element_kind kind, uint8_t family,
                         uint64_t n)
{
    walk->counts.of[kind] += n;
    if (kind <= ELEMENT_TABLE)
        walk->counts.of_family[family == 6] += n;
}

static inline void tell(struct element_walk *walk, const struct element *element)
{
    count(walk, element->kind, element->prefix.addr.family, 1);
    if (walk->take)
        walk->take(walk->context, element);
}

static void tell_session(struct element_walk *walk, const struct element *element)
{
    if (element_plan_has_kind(walk->plan, element->kind) &&
        element_plan_has_session(walk->plan, element->prefix.addr.family))
        tell(walk, element);
}

/* ---- messages and sessions ---- */

/* One run of prefixes, all with the same attributes. */
static void tell_routes(struct element_walk *walk, struct bgp_routes routes,
                        struct element *element)
{
    const bool asks_prefix = walk->plan->asks_prefix;
    struct bgp_nlri nlri;
    if (!walk->plan->has_family[routes.family == 6])
        return;
    if (!walk->take && !asks_prefix) {
        count(walk, element->kind, routes.family, routes.count);
        return;
    }
    element->safi = routes.safi;
    element->has_path_id = routes.has_path_ids;
    while (bgp_routes_next(&routes, &nlri)) {
        if (asks_prefix && !element_plan_has_prefix(walk->plan, &nlri.prefix))
            continue;
        element->prefix = nlri.prefix;
        element->path_id = nlri.path_id;
        tell(walk, element);
    }
}

/* A withdrawal has no attributes, whatever stands beside it in its UPDATE. */
static void tell_withdrawn(struct element_walk *walk, const struct bgp_update *update,
                           struct element *element)
{
    if (!element_plan_has_kind(walk->plan, ELEMENT_WITHDRAW) || walk->plan->asks_attributes)
        return;
    element->kind = ELEMENT_WITHDRAW;
    for (size_t i = 0; i < update->withdrawn_count; i++)
        tell_routes(walk, update->withdrawn[i], element);
}

static void tell_announced(struct element_walk *walk, const struct bgp_update *update,
                           struct element *element)
{
    element->kind = update->is_withdrawal ? ELEMENT_WITHDRAW : ELEMENT_ANNOUNCE;
    element->is_faulty = update->is_withdrawal;
    if (!element_plan_has_kind(walk->plan, element->kind) ||
        !element_plan_has_attributes(walk->plan, element->attributes))
        return;
    for (size_t i = 0; i < update->announced_count; i++)
        tell_routes(walk, update->announced[i], element);
}

static bool has_wanted_route(const struct element_plan *plan, const struct bgp_routes *lists,
                             size_t list_count)
{
    struct bgp_nlri nlri;
    for (size_t i = 0; i < list_count; i++) {
        struct bgp_routes routes = lists[i];
        if (plan->has_family[routes.family == 6] && !plan->asks_prefix)
            return true;
        while (plan->has_family[routes.family == 6] && bgp_routes_next(&routes, &nlri))
            if (element_plan_has_prefix(plan, &nlri.prefix))
                return true;
    }
    return false;
}

/* Whether any of its routes may pass, before its attributes are judged. */
static bool may_pass(const struct element_plan *plan, const struct bgp_form *form,
                     const struct bgp_update *update)
{
    const struct bgp_attributes *attributes = &update->attributes;
    bool has_more =
        form->is_as4_guess || (!form->is_as4 && bgp_attribute(attributes, BGP_AS4_PATH).at);
    if (plan->asks_origin && !has_more &&
        !element_plan_has_origin(plan,
                                 bgp_last_as(bgp_attribute(attributes, BGP_AS_PATH), form->is_as4)))
        return false;
    if (!plan->asks_prefix && !plan->asks_family)
        return true;
    return update->is_end_of_rib ||
           has_wanted_route(plan, update->announced, update->announced_count) ||
           has_wanted_route(plan, update->withdrawn, update->withdrawn_count);
}

static const char *take_update(struct element_walk *walk, const struct mrt_record *record,
                               struct element *element)
{
    struct bgp_update update;
    const struct bgp_form *form = &record->message.form;
    if (!bgp_update_find(record->message.body, form, &update))
        return update.fault;
    if (walk->plan->filter && !may_pass(walk->plan, form, &update))
        return NULL;
    bgp_update_judge(form, &update);
    if (!begin(walk, record))
        return NULL;
    walk->counts.faulty += update.fault != NULL;
    walk->counts.discarded += update.has_attributes && update.attributes.discarded;
    report(walk, update.fault);
    if (update.is_end_of_rib) {
        element->kind = ELEMENT_END_OF_RIB;
        element->prefix.addr.family = update.ended_family;
        element->safi = update.ended_safi;
        tell_session(walk, element);
        return NULL;
    }
    element->attributes = update.has_attributes ? &update.attributes : NULL;
    tell_withdrawn(walk, &update, element);
    tell_announced(walk, &update, element);
    return NULL;
}

static const char *take_message(struct element_walk *walk, const struct mrt_record *record,
                                struct element *element)
{
    if (!element_plan_has_peer(walk->plan, &record->peer))
        return NULL;
    element->peer = &record->peer;
    element->is_from_collector = record->message.is_from_collector;
    if (record->message.type == BGP_UPDATE)
        return take_update(walk, record, element);
    element->kind = ELEMENT_MESSAGE;
    element->message = record->message.type;
    element->body = record->message.body;
    if (begin(walk, record) && element_plan_has_message(walk->plan, element->message))
        tell_session(walk, element);
    return NULL;
}

static void take_state_change(struct element_walk *walk, const struct mrt_record *record,
                              struct element *element)
{
    element->kind = ELEMENT_STATE;
    element->peer = &record->peer;
    element->state = record->state_change;
    if (element_plan_has_peer(walk->plan, element->peer) && begin(walk, record))
        tell_session(walk, element);
}

/* ---- dumps ---- */

static const char *take_peers(struct element_walk *walk, const struct mrt_record *record)
{
    struct mrt_peers peers = record->peers;
    const char *fault = mrt_peers_check(peers);
    if (fault)
        return fault;
    size_t need = peers.count + (size_t)1; /* one is tried beyond the last */
    walk->peers = mem_grow(walk->peers, &walk->peer_capacity, need, sizeof *walk->peers);
    walk->is_wanted =
        mem_grow(walk->is_wanted, &walk->wanted_capacity, need, sizeof *walk->is_wanted);
    for (walk->peer_count = 0; mrt_peers_next(&peers, &walk->peers[walk->peer_count]);
         walk->peer_count++)
        walk->is_wanted[walk->peer_count] =
            element_plan_has_peer(walk->plan, &walk->peers[walk->peer_count]);
    begin(walk, record);
    return NULL;
}

/* What is known of an entry of a dump beside its prefix. */
struct entry {
    const struct mrt_peer *peer;
    struct utc originated;
    uint32_t path_id;
};

/* Tells an entry that all but its attributes lets pass; NULL: they could not be used, or nobody
 * asks for them. */
static inline void tell_entry(struct element_walk *walk, const struct entry *entry,
                              const struct bgp_attributes *attributes, struct element *element)
{
    if (!element_plan_has_attributes(walk->plan, attributes))
        return;
    count(walk, ELEMENT_TABLE, element->prefix.addr.family, 1);
    if (!walk->take)
        return;
    element->peer = entry->peer;
    element->originated = entry->originated;
    element->path_id = entry->path_id;
    element->attributes = attributes;
    walk->take(walk->context, element);
}

static inline void take_entry(struct element_walk *walk, const struct entry *entry,
                              struct reader bytes, bool is_as4, struct element *element,
                              const char **fault)
{
    struct bgp_attributes attributes;
    const char *found = bgp_attributes_decode(bytes, is_as4, &attributes);
    element->is_faulty = found != NULL;
    if (!found) {
        walk->counts.discarded += attributes.discarded != 0;
        tell_entry(walk, entry, &attributes, element);
        return;
    }
    walk->counts.faulty++;
    *fault = found;
    if (walk->wants)
        tell_entry(walk, entry, NULL, element);
}

static void tell_unasked(struct element_walk *walk, const struct entry *entry,
                         struct element *element)
{
    element->is_faulty = false;
    tell_entry(walk, entry, NULL, element);
}

/* Whether the origin may be one that is asked for, before anything is judged. */
static inline bool may_pass_entry(const struct element_plan *plan, struct reader bytes, bool is_as4)
{
    if (!plan->asks_origin || (!is_as4 && bgp_attribute_find(bytes, BGP_AS4_PATH).at))
        return true;
    return element_plan_has_origin(plan,
                                   bgp_last_as(bgp_attribute_find(bytes, BGP_AS_PATH), is_as4));
}

static bool asks_attributes(const struct element_walk *walk, const struct prefix *prefix)
{
    return !walk->wants || walk->wants(walk->context, prefix);
}

/* Returns how many there are. */
static unsigned take_entries(struct element_walk *walk, struct mrt_rib *rib,
                             struct element *element, const char **fault)
{
    const bool is_asked = asks_attributes(walk, &rib->prefix);
    const bool asks_origin = walk->plan->asks_origin;
    unsigned count = 0;
    struct mrt_rib_entry found;
    for (; mrt_rib_next(rib, &found); count++) {
        if (found.peer >= walk->peer_count) {
            *fault = "an entry names a peer that is not in the PEER_INDEX_TABLE";
            continue;
        }
        if (!walk->is_wanted[found.peer] ||
            (asks_origin && !may_pass_entry(walk->plan, found.attributes, true)))
            continue;
        struct entry entry = {&walk->peers[found.peer], found.originated, found.path_id};
        if (is_asked)
            take_entry(walk, &entry, found.attributes, true, element, fault);
        else
            tell_unasked(walk, &entry, element);
    }
    return count;
}

/* What is only counted can be taken back: so it need not be known before whether the entries fill the record.
 * False if they do not: nothing was done. */
static bool count_entries(struct element_walk *walk, const struct mrt_rib *rib,
                          struct element *element)
{
    const struct element_counts before = walk->counts;
    const char *fault = NULL;
    struct mrt_rib rest = *rib;
    if (take_entries(walk, &rest, element, &fault) != rib->count || reader_left(&rest.entries)) {
        walk->counts = before;
        return false;
    }
    report(walk, fault);
    return true;
}

static const char *take_rib(struct element_walk *walk, struct mrt_record *record,
                            struct element *element)
{
    struct mrt_rib *rib = &record->rib;
    if (!element_plan_has_prefix(walk->plan, &rib->prefix))
        return NULL;
    const bool is_only_counted = !walk->take && !walk->begin && !walk->wants;
    element->kind = ELEMENT_TABLE;
    element->prefix = rib->prefix;
    element->safi = rib->safi;
    if (is_only_counted && count_entries(walk, rib, element))
        return NULL;
    const char *fault = mrt_rib_check(rib);
    if (fault || !begin(walk, record))
        return fault;
    element->has_path_id = rib->has_path_ids || rib->has_path_id;
    take_entries(walk, rib, element, &fault);
    report(walk, fault);
    return NULL;
}

static const char *take_table(struct element_walk *walk, struct mrt_record *record,
                              struct element *element)
{
    struct mrt_table_entry found;
    const char *fault = mrt_table_check(record->table);
    if (fault || !begin(walk, record))
        return fault;
    element->kind = ELEMENT_TABLE;
    while (mrt_table_next(&record->table, &found)) {
        if (!element_plan_has_prefix(walk->plan, &found.prefix) ||
            !element_plan_has_peer(walk->plan, &found.peer) ||
            !may_pass_entry(walk->plan, found.attributes, false))
            continue;
        struct entry entry = {&found.peer, found.originated, 0};
        element->prefix = found.prefix;
        element->safi = found.safi;
        if (asks_attributes(walk, &found.prefix))
            take_entry(walk, &entry, found.attributes, false, element, &fault);
        else
            tell_unasked(walk, &entry, element);
    }
    report(walk, fault);
    return NULL;
}

/* ---- in all ---- */

static const char *take_record(struct element_walk *walk, struct mrt_record *record,
                               struct element *element)
{
    if (record->kind == MRT_KIND_PEER_TABLE) /* it holds for what follows, whatever its own time */
        return take_peers(walk, record);
    if (!element_plan_has_time(walk->plan, record->time) ||
        !element_plan_has_table(walk->plan, element->table))
        return NULL;
    element->time = record->time;
    switch (record->kind) {
    case MRT_KIND_MESSAGE:
        return take_message(walk, record, element);
    case MRT_KIND_STATE_CHANGE:
        take_state_change(walk, record, element);
        return NULL;
    case MRT_KIND_RIB:
    case MRT_KIND_TABLE:
        if (!element_plan_has_kind(walk->plan, ELEMENT_TABLE))
            return NULL;
        return record->kind == MRT_KIND_RIB ? take_rib(walk, record, element)
                                            : take_table(walk, record, element);
    default:
        begin(walk, record);
        return NULL;
    }
}

static void count_record(struct element_walk *walk)
{
    if (!walk->plan)
        walk->plan = element_plan_new(walk->filter);
    walk->counts.records++;
}

const char *element_walk_record(struct element_walk *walk, const struct mrt_header *header,
                                struct reader body)
{
    struct mrt_record record;
    struct element element = {.header = header, .table = BMP_TABLES};
    const char *fault = mrt_record_decode(header, body, &record);
    count_record(walk);
    return fault ? fault : take_record(walk, &record, &element);
}

const char *element_walk_heard(struct element_walk *walk, struct mrt_record *record,
                               enum bmp_table table, uint64_t distinguisher)
{
    static const struct mrt_header header = {.type = MRT_BGP4MP_ET};
    struct element element = {.header = &header, .table = table, .distinguisher = distinguisher};
    count_record(walk);
    return take_record(walk, record, &element);
}
