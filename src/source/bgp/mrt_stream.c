#include "source/bgp/mrt_stream.h"

#include "base/mem.h"
#include "source/bgp/collector.h"
#include "source/bgp/mrt_reader.h"
#include "wire/mrt.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parts of a dump that are further apart than this are different dumps. */
#define DUMP_NS NS_PER_HOUR

struct mrt_stream {
    struct stream stream;
    struct input *input;
    struct registry *registry;
    struct route_memory *memory;
    struct route_memory *own_memory; /* freed with the stream; NULL if it is somebody else's */
    struct mrt_reader reader;
    uint32_t collector;

    struct observation *queue; /* what the last record gave */
    size_t queue_capacity;
    size_t queue_count;
    size_t queue_at;

    int32_t *table; /* by place in the last PEER_INDEX_TABLE: place in memory->peers, or -1 */
    size_t table_capacity;
    size_t table_count;
    uint64_t *dumped; /* by place in memory->peers: prefixes of the dump that is being read */
    size_t dumped_capacity;
    size_t dumped_count;
    struct utc dump_time; /* of its last record; 0: none is being read */

    struct utc time;    /* of the record in hand */
    struct buffer text; /* for names */
};

/* What the record in hand says of one peer's route. */
struct change {
    int32_t peer;
    enum route_op op;
    struct prefix prefix;
    uint32_t path_id;
    bool has_path_id;
    const struct bgp_path *path; /* NULL for a withdrawal */
    uint32_t *path_name;         /* the path's number, kept here once it is known */
};

static void push(struct mrt_stream *stream, const struct observation *observation)
{
    stream->queue = mem_grow(stream->queue, &stream->queue_capacity, stream->queue_count + 1,
                             sizeof *stream->queue);
    stream->queue[stream->queue_count++] = *observation;
}

static void push_peer(struct mrt_stream *stream, int32_t peer, enum peer_op op, uint64_t value)
{
    struct observation observation = {.kind = OBSERVATION_PEER,
                                      .time = stream->time,
                                      .source = stream->collector,
                                      .peer = stream->memory->peers[peer].id,
                                      .value = (int64_t)value,
                                      .code = (uint16_t)op};
    push(stream, &observation);
}

/* The peer's number in the registry, made when something is to be said of it. */
static uint32_t name_peer(struct mrt_stream *stream, struct known_peer *peer)
{
    if (!peer->id) {
        char addr[ADDR_TEXT_MAX];
        buffer_clear(&stream->text);
        buffer_printf(&stream->text, "%s %u", addr_format(&peer->addr, addr), peer->asn);
        peer->id =
            registry_intern(stream->registry, NAME_PEER, stream->text.bytes, stream->text.size);
    }
    return peer->id;
}

static int32_t find_peer(struct mrt_stream *stream, const struct mrt_peer *peer)
{
    int32_t found = route_memory_peer(stream->memory, stream->collector, &peer->addr, peer->asn);
    if (found < 0)
        mrt_reader_report(&stream->reader, "there are more peers than can be");
    return found;
}

/* Something was heard that only an established session lets through. */
static void hear(struct mrt_stream *stream, int32_t peer)
{
    struct known_peer *known = &stream->memory->peers[peer];
    if (known->is_up)
        return;
    known->is_up = true;
    if (name_peer(stream, known))
        push_peer(stream, peer, PEER_UP, 0);
}

static void lose(struct mrt_stream *stream, int32_t peer)
{
    struct known_peer *known = &stream->memory->peers[peer];
    known->is_up = false;
    path_memory_forget(&stream->memory->paths, (uint32_t)peer);
    if (name_peer(stream, known))
        push_peer(stream, peer, PEER_DOWN, 0);
}

static uint32_t name_prefix(struct mrt_stream *stream, const struct prefix *prefix)
{
    char text[PREFIX_TEXT_MAX];
    prefix_format(prefix, text);
    return registry_intern(stream->registry, NAME_PREFIX, text, strlen(text));
}

static uint32_t name_path(struct mrt_stream *stream, const struct change *change)
{
    if (!*change->path_name) {
        buffer_clear(&stream->text);
        buffer_add(&stream->text, "", 0);
        bgp_path_format(change->path, &stream->text);
        *change->path_name =
            registry_intern(stream->registry, NAME_PATH, stream->text.bytes, stream->text.size);
    }
    return *change->path_name;
}

/* One path of several with ADD-PATH: a withdrawal is one only if no other path is left. */
static void note_path(struct mrt_stream *stream, const struct change *change,
                      struct observation *observation)
{
    struct path_memory *paths = &stream->memory->paths;
    uint32_t peer = (uint32_t)change->peer;
    if (change->op != ROUTE_WITHDRAW)
        path_memory_announce(paths, peer, observation->target, change->path_id, observation->path);
    else if (path_memory_withdraw(paths, peer, observation->target, change->path_id,
                                  &observation->path))
        observation->code = ROUTE_ANNOUNCE;
}

static void take_change(struct mrt_stream *stream, const struct change *change)
{
    struct route_filter *filter = &stream->memory->filter;
    bool is_wanted = route_filter_has_prefix(filter, &change->prefix);
    if (change->path && filter->asn_count &&
        route_filter_has_origin(filter, bgp_path_origin(change->path))) {
        route_filter_learn(filter, &change->prefix);
        is_wanted = true;
    }
    if (!is_wanted)
        return;
    struct observation observation = {.kind = OBSERVATION_ROUTE,
                                      .time = stream->time,
                                      .source = stream->collector,
                                      .target = name_prefix(stream, &change->prefix),
                                      .peer = stream->memory->peers[change->peer].id,
                                      .path = change->path ? name_path(stream, change) : 0,
                                      .code = (uint16_t)change->op};
    if (!observation.target || !observation.peer || (change->path && !observation.path))
        return; /* the registry is full: it counts that */
    if (change->has_path_id)
        note_path(stream, change, &observation);
    push(stream, &observation);
}

static void take_routes(struct mrt_stream *stream, struct bgp_routes routes, struct change change)
{
    struct bgp_nlri nlri;
    change.has_path_id = routes.has_path_ids;
    while (bgp_routes_next(&routes, &nlri)) {
        change.prefix = nlri.prefix;
        change.path_id = nlri.path_id;
        take_change(stream, &change);
    }
}

static void take_update(struct mrt_stream *stream, const struct mrt_message *message, int32_t peer)
{
    struct bgp_update update;
    bool is_usable = bgp_update_decode(message->body, message->form, &update);
    uint32_t path_name = 0;
    if (!is_usable) {
        mrt_reader_reject(&stream->reader, update.fault);
        return;
    }
    hear(stream, peer);
    if (update.fault)
        mrt_reader_report(&stream->reader, update.fault);
    struct change gone = {.peer = peer, .op = ROUTE_WITHDRAW};
    struct change come = {.peer = peer,
                          .op = ROUTE_ANNOUNCE,
                          .path = &update.attributes.path,
                          .path_name = &path_name};
    for (size_t i = 0; i < update.withdrawn_count; i++)
        take_routes(stream, update.withdrawn[i], gone);
    for (size_t i = 0; i < update.announced_count; i++)
        take_routes(stream, update.announced[i], update.is_withdrawal ? gone : come);
}

/* RFC 4271, 4.5: after a NOTIFICATION the session is closed at once. Not so if it is about another
 * connection of the same peer that was never established: an error in OPEN (2), or Cease (6)
 * because the connection was rejected (5) or collided with the session (7; RFC 4486). */
static bool ends_session(struct reader notification)
{
    uint8_t code = reader_u8(&notification);
    uint8_t subcode = reader_u8(&notification);
    bool is_other = code == 2 || (code == 6 && (subcode == 5 || subcode == 7));
    return !notification.bad && !is_other;
}

static void take_message(struct mrt_stream *stream, const struct mrt_message *message, int32_t peer)
{
    if (message->is_from_collector)
        return;
    if (message->type == BGP_UPDATE)
        take_update(stream, message, peer);
    else if (message->type == BGP_NOTIFICATION && stream->memory->peers[peer].is_up &&
             ends_session(message->body))
        lose(stream, peer);
}

/* The end of a session is told once, also if it is the first that is heard of the peer. */
static void take_state_change(struct mrt_stream *stream, const struct mrt_state_change *change,
                              int32_t peer)
{
    struct known_peer *known = &stream->memory->peers[peer];
    bool is_established = change->after == MRT_ESTABLISHED;
    bool was_established = known->is_up || (!known->id && change->before == MRT_ESTABLISHED);
    if (is_established && change->before != MRT_ESTABLISHED) {
        path_memory_forget(&stream->memory->paths, (uint32_t)peer);
        known->is_up = false; /* a new session, even where the end of the old one was not seen */
        hear(stream, peer);
    } else if (!is_established && was_established) {
        lose(stream, peer);
    }
}

/* How many prefixes each peer had, once the dump is through. */
static void end_dump(struct mrt_stream *stream)
{
    struct utc now = stream->time;
    stream->time = stream->dump_time;
    for (size_t i = 0; utc_is_known(stream->dump_time) && i < stream->dumped_count; i++)
        if (stream->dumped[i])
            push_peer(stream, (int32_t)i, PEER_TABLE, stream->dumped[i]);
    stream->time = now;
    stream->dump_time = (struct utc){0};
    stream->dumped_count = 0;
}

static void count_dumped(struct mrt_stream *stream, int32_t peer)
{
    size_t need = (size_t)peer + 1;
    stream->dumped =
        mem_grow(stream->dumped, &stream->dumped_capacity, need, sizeof *stream->dumped);
    while (stream->dumped_count < need)
        stream->dumped[stream->dumped_count++] = 0;
    stream->dumped[peer]++;
    stream->dump_time = stream->time;
}

/* Part of a dump: counted, and passed on if wanted. */
static void take_entry(struct mrt_stream *stream, struct change change, struct reader attributes,
                       bool is_as4, const char **fault)
{
    struct bgp_attributes decoded;
    const struct route_filter *filter = &stream->memory->filter;
    hear(stream, change.peer);
    if (!filter->asn_count && !route_filter_has_prefix(filter, &change.prefix))
        return;
    const char *found = bgp_attributes_decode(attributes, is_as4, &decoded);
    if (found) {
        *fault = found;
        return;
    }
    uint32_t path_name = 0;
    change.path = &decoded.path;
    change.path_name = &path_name;
    take_change(stream, &change);
}

static void take_rib(struct mrt_stream *stream, struct mrt_rib rib)
{
    const char *fault = NULL;
    struct mrt_rib_entry entry;
    int32_t last = -1;
    while (mrt_rib_next(&rib, &entry)) {
        if (entry.peer >= stream->table_count) {
            fault = "an entry names a peer that is not in the PEER_INDEX_TABLE";
            continue;
        }
        int32_t peer = stream->table[entry.peer];
        if (peer < 0)
            continue;
        if (peer != last) /* several paths to one prefix follow each other */
            count_dumped(stream, peer);
        last = peer;
        struct change change = {.peer = peer,
                                .op = ROUTE_TABLE,
                                .prefix = rib.prefix,
                                .path_id = entry.path_id,
                                .has_path_id = rib.has_path_ids};
        take_entry(stream, change, entry.attributes, true, &fault);
    }
    if (fault)
        mrt_reader_report(&stream->reader, fault);
}

static void take_table(struct mrt_stream *stream, struct mrt_table table)
{
    const char *fault = NULL;
    struct mrt_table_entry entry;
    while (mrt_table_next(&table, &entry)) {
        int32_t peer = find_peer(stream, &entry.peer);
        if (peer < 0)
            continue;
        struct change change = {.peer = peer, .op = ROUTE_TABLE, .prefix = entry.prefix};
        count_dumped(stream, peer);
        take_entry(stream, change, entry.attributes, false, &fault);
    }
    if (fault)
        mrt_reader_report(&stream->reader, fault);
}

static void take_peer_table(struct mrt_stream *stream, struct reader peers)
{
    struct mrt_peer peer;
    if (utc_is_known(stream->dump_time) && utc_diff(stream->time, stream->dump_time) > DUMP_NS)
        end_dump(stream);
    stream->table_count = 0;
    while (mrt_peers_next(&peers, &peer)) {
        stream->table = mem_grow(stream->table, &stream->table_capacity, stream->table_count + 1,
                                 sizeof *stream->table);
        stream->table[stream->table_count++] =
            route_memory_peer(stream->memory, stream->collector, &peer.addr, peer.asn);
    }
}

static void take_record(struct mrt_stream *stream, const struct mrt_record *record)
{
    bool is_dump = record->kind == MRT_KIND_PEER_TABLE || record->kind == MRT_KIND_RIB ||
                   record->kind == MRT_KIND_TABLE;
    bool has_peer = record->kind == MRT_KIND_MESSAGE || record->kind == MRT_KIND_STATE_CHANGE;
    stream->time = record->time;
    if (!is_dump && utc_is_known(stream->dump_time))
        end_dump(stream);
    int32_t peer = has_peer ? find_peer(stream, &record->peer) : -1;
    if (record->kind == MRT_KIND_MESSAGE && peer >= 0)
        take_message(stream, &record->message, peer);
    else if (record->kind == MRT_KIND_STATE_CHANGE && peer >= 0)
        take_state_change(stream, &record->state_change, peer);
    else if (record->kind == MRT_KIND_PEER_TABLE)
        take_peer_table(stream, record->peers);
    else if (record->kind == MRT_KIND_RIB)
        take_rib(stream, record->rib);
    else if (record->kind == MRT_KIND_TABLE)
        take_table(stream, record->table);
}

static int next(struct stream *base, struct observation *out, struct why *why)
{
    struct mrt_stream *stream = (struct mrt_stream *)base;
    while (stream->queue_at == stream->queue_count) {
        struct mrt_header header;
        struct mrt_record record;
        struct reader body;
        stream->queue_at = stream->queue_count = 0;
        int found = mrt_reader_next(&stream->reader, &header, &body, why);
        if (found <= 0) {
            end_dump(stream);
            if (stream->queue_count == 0)
                return found;
            continue;
        }
        const char *fault = mrt_record_decode(&header, body, &record);
        if (fault)
            mrt_reader_reject(&stream->reader, fault);
        else
            take_record(stream, &record);
    }
    *out = stream->queue[stream->queue_at++];
    return 1;
}

static void close_stream(struct stream *base)
{
    struct mrt_stream *stream = (struct mrt_stream *)base;
    mrt_reader_done(&stream->reader);
    if (stream->own_memory)
        route_memory_done(stream->own_memory);
    free(stream->own_memory);
    free(stream->queue);
    free(stream->table);
    free(stream->dumped);
    buffer_done(&stream->text);
    input_close(stream->input);
    free(stream);
}

struct stream *mrt_stream_open(struct input *input, const void *head, size_t head_size,
                               const char *collector, struct route_memory *memory,
                               struct registry *registry, struct stream_faults *faults)
{
    char name[COLLECTOR_TEXT_MAX];
    if (!collector)
        collector = collector_from_path(input_name(input), name) ? name : "archive";
    struct mrt_stream *stream = mem_new(1, sizeof *stream);
    stream->stream = (struct stream){.next = next, .close = close_stream, .input = input};
    stream->input = input;
    stream->registry = registry;
    stream->memory = memory;
    stream->collector = registry_intern(registry, NAME_COLLECTOR, collector, strlen(collector));
    mrt_reader_init(&stream->reader, input, head, head_size, faults);
    return &stream->stream;
}

struct stream *mrt_stream_new(struct input *input, const void *head, size_t head_size,
                              const char *collector, const struct watch *watch,
                              struct registry *registry, struct stream_faults *faults)
{
    struct route_memory *memory = mem_new(1, sizeof *memory);
    route_memory_init(memory, watch);
    struct stream *stream =
        mrt_stream_open(input, head, head_size, collector, memory, registry, faults);
    ((struct mrt_stream *)stream)->own_memory = memory;
    return stream;
}
