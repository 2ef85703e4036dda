#include "source/bgp/element.h"

#include "base/mem.h"

#include <stdlib.h>

void element_walk_done(struct element_walk *walk)
{
    free(walk->peers);
    free(walk->is_wanted);
    walk->peers = NULL;
    walk->is_wanted = NULL;
    walk->peer_count = walk->peer_capacity = walk->wanted_capacity = 0;
}

/* ---- what the filter asks ---- */

static bool wants_kind(const struct element_walk *walk, enum element_kind kind)
{
    return !walk->filter || !walk->filter->kinds || walk->filter->kinds >> kind & 1;
}

static bool wants_family(const struct element_walk *walk, uint8_t family)
{
    return !walk->filter || !walk->filter->family || walk->filter->family == family;
}

static bool wants_peer(const struct element_walk *walk, const struct mrt_peer *peer)
{
    return !walk->filter || element_filter_has_peer(walk->filter, peer);
}

static bool wants_prefix(const struct element_walk *walk, const struct prefix *prefix)
{
    return wants_family(walk, prefix->addr.family) &&
           (!walk->filter || element_filter_has_prefix(walk->filter, prefix));
}

/* A withdrawal has no attributes, whatever stands beside it in its UPDATE. */
static bool wants_attributes(const struct element_walk *walk,
                             const struct bgp_attributes *attributes)
{
    if (!walk->filter || !element_filter_asks_attributes(walk->filter))
        return true;
    return attributes && element_filter_has_attributes(walk->filter, attributes);
}

/* What is of no prefix passes only filters that do not ask for one, nor for its family. */
static bool wants_session(const struct element_walk *walk, uint8_t family)
{
    return wants_family(walk, family) && (!walk->filter || !walk->filter->prefix_count) &&
           wants_attributes(walk, NULL);
}

static bool wants_time(const struct element_walk *walk, struct utc time)
{
    const struct element_filter *filter = walk->filter;
    return !filter || ((!utc_is_known(filter->from) || utc_diff(time, filter->from) >= 0) &&
                       (!utc_is_known(filter->until) || utc_diff(time, filter->until) < 0));
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

static void tell(struct element_walk *walk, const struct element *element)
{
    walk->counts.of[element->kind]++;
    if (element->kind <= ELEMENT_TABLE)
        walk->counts.of_family[element->prefix.addr.family == 6]++;
    if (walk->take)
        walk->take(walk->context, element);
}

/* ---- messages and sessions ---- */

/* One run of prefixes, all with the same attributes. */
static void tell_routes(struct element_walk *walk, struct bgp_routes routes,
                        struct element *element)
{
    struct bgp_nlri nlri;
    element->safi = routes.safi;
    element->has_path_id = routes.has_path_ids;
    while (bgp_routes_next(&routes, &nlri)) {
        element->prefix = nlri.prefix;
        element->path_id = nlri.path_id;
        if (wants_prefix(walk, &element->prefix))
            tell(walk, element);
    }
}

static void tell_withdrawn(struct element_walk *walk, const struct bgp_update *update,
                           struct element *element)
{
    if (!wants_kind(walk, ELEMENT_WITHDRAW) || !wants_attributes(walk, NULL))
        return;
    element->kind = ELEMENT_WITHDRAW;
    element->attributes = update->has_attributes ? &update->attributes : NULL;
    for (size_t i = 0; i < update->withdrawn_count; i++)
        tell_routes(walk, update->withdrawn[i], element);
}

static void tell_announced(struct element_walk *walk, const struct bgp_update *update,
                           struct element *element)
{
    element->kind = update->is_withdrawal ? ELEMENT_WITHDRAW : ELEMENT_ANNOUNCE;
    element->is_faulty = update->is_withdrawal;
    element->attributes = update->has_attributes ? &update->attributes : NULL;
    if (!wants_kind(walk, element->kind) ||
        !wants_attributes(walk, update->is_withdrawal ? NULL : element->attributes))
        return;
    for (size_t i = 0; i < update->announced_count; i++)
        tell_routes(walk, update->announced[i], element);
}

static const char *take_update(struct element_walk *walk, const struct mrt_record *record,
                               struct element *element)
{
    struct bgp_update update;
    const struct mrt_message *message = &record->message;
    if (!bgp_update_find(message->body, &message->form, &update))
        return update.fault;
    bgp_update_judge(&message->form, &update);
    if (!begin(walk, record))
        return NULL;
    walk->counts.faulty += update.fault != NULL;
    walk->counts.discarded += update.has_attributes && update.attributes.discarded;
    report(walk, update.fault);
    if (update.is_end_of_rib) {
        element->kind = ELEMENT_END_OF_RIB;
        element->prefix.addr.family = update.ended_family;
        element->safi = update.ended_safi;
        if (wants_kind(walk, element->kind) && wants_session(walk, update.ended_family))
            tell(walk, element);
    }
    tell_withdrawn(walk, &update, element);
    tell_announced(walk, &update, element);
    return NULL;
}

static void take_other_message(struct element_walk *walk, const struct mrt_record *record,
                               struct element *element)
{
    element->kind = ELEMENT_MESSAGE;
    element->message = record->message.type;
    element->body = record->message.body;
    if (begin(walk, record) && wants_kind(walk, element->kind) && wants_session(walk, 0))
        tell(walk, element);
}

static const char *take_message(struct element_walk *walk, const struct mrt_record *record,
                                struct element *element)
{
    if (!wants_peer(walk, &record->peer))
        return NULL;
    element->peer = &record->peer;
    element->is_from_collector = record->message.is_from_collector;
    if (record->message.type == BGP_UPDATE)
        return take_update(walk, record, element);
    take_other_message(walk, record, element);
    return NULL;
}

static void take_state_change(struct element_walk *walk, const struct mrt_record *record,
                              struct element *element)
{
    element->kind = ELEMENT_STATE;
    element->peer = &record->peer;
    element->state = record->state_change;
    if (begin(walk, record) && wants_kind(walk, element->kind) && wants_session(walk, 0) &&
        wants_peer(walk, element->peer))
        tell(walk, element);
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
        walk->is_wanted[walk->peer_count] = wants_peer(walk, &walk->peers[walk->peer_count]);
    begin(walk, record);
    return NULL;
}

/* One entry of a dump, which all but its attributes lets pass. */
static void take_entry(struct element_walk *walk, struct element *element, struct reader bytes,
                       bool is_as4, const char **fault)
{
    struct bgp_attributes attributes;
    bool is_asked = !walk->wants || walk->wants(walk->context, &element->prefix);
    element->attributes = is_asked ? &attributes : NULL;
    element->is_faulty = false;
    if (is_asked) {
        const char *found = bgp_attributes_decode(bytes, is_as4, &attributes);
        element->is_faulty = found;
        walk->counts.faulty += found != NULL;
        walk->counts.discarded += !found && attributes.discarded;
        if (found) {
            element->attributes = NULL;
            *fault = found;
        }
    }
    if ((!element->is_faulty || walk->wants) && wants_attributes(walk, element->attributes))
        tell(walk, element);
}

static const char *take_rib(struct element_walk *walk, struct mrt_record *record,
                            struct element *element)
{
    struct mrt_rib_entry entry;
    struct mrt_rib *rib = &record->rib;
    const char *fault = NULL;
    if (!wants_prefix(walk, &rib->prefix))
        return NULL;
    fault = mrt_rib_check(rib);
    if (fault)
        return fault;
    if (!begin(walk, record))
        return NULL;
    element->kind = ELEMENT_TABLE;
    element->prefix = rib->prefix;
    element->safi = rib->safi;
    element->has_path_id = rib->has_path_ids || rib->has_path_id;
    while (mrt_rib_next(rib, &entry)) {
        if (entry.peer >= walk->peer_count) {
            fault = "an entry names a peer that is not in the PEER_INDEX_TABLE";
            continue;
        }
        if (!walk->is_wanted[entry.peer])
            continue;
        element->peer = &walk->peers[entry.peer];
        element->path_id = entry.path_id;
        element->originated = entry.originated;
        take_entry(walk, element, entry.attributes, true, &fault);
    }
    report(walk, fault);
    return NULL;
}

static const char *take_table(struct element_walk *walk, struct mrt_record *record,
                              struct element *element)
{
    struct mrt_table_entry entry;
    const char *fault = mrt_table_check(record->table);
    if (fault)
        return fault;
    if (!begin(walk, record))
        return NULL;
    element->kind = ELEMENT_TABLE;
    while (mrt_table_next(&record->table, &entry)) {
        if (!wants_prefix(walk, &entry.prefix) || !wants_peer(walk, &entry.peer))
            continue;
        element->peer = &entry.peer;
        element->prefix = entry.prefix;
        element->safi = entry.safi;
        element->originated = entry.originated;
        take_entry(walk, element, entry.attributes, false, &fault);
    }
    report(walk, fault);
    return NULL;
}

const char *element_walk_record(struct element_walk *walk, const struct mrt_header *header,
                                struct reader body)
{
    struct mrt_record record;
    const char *fault = mrt_record_decode(header, body, &record);
    walk->counts.records++;
    if (fault)
        return fault;
    if (record.kind == MRT_KIND_PEER_TABLE) /* it holds for what follows, whatever its own time */
        return take_peers(walk, &record);
    struct element element = {.time = record.time, .header = header};
    if (!wants_time(walk, record.time))
        return NULL;
    switch (record.kind) {
    case MRT_KIND_MESSAGE:
        return take_message(walk, &record, &element);
    case MRT_KIND_STATE_CHANGE:
        take_state_change(walk, &record, &element);
        return NULL;
    case MRT_KIND_RIB:
        return wants_kind(walk, ELEMENT_TABLE) ? take_rib(walk, &record, &element) : NULL;
    case MRT_KIND_TABLE:
        return wants_kind(walk, ELEMENT_TABLE) ? take_table(walk, &record, &element) : NULL;
    default:
        begin(walk, &record);
        return NULL;
    }
}
