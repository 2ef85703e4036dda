#include "source/bgp/mrt_stream.h"

#include "base/mem.h"
#include "source/bgp/collector.h"
#include "source/bgp/mrt_reader.h"
#include "source/bgp/route_feed.h"
#include "wire/mrt.h"

#include <stdlib.h>

/* Parts of a dump that are further apart than this are different dumps. */
#define DUMP_NS NS_PER_HOUR

struct mrt_stream {
    struct stream stream;
    struct input *input;
    struct route_feed feed;          /* its time is that of the record in hand */
    struct route_memory *own_memory; /* freed with the stream; NULL if it is somebody else's */
    struct mrt_reader reader;

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
};

static void push(void *context, const struct observation *observation)
{
    struct mrt_stream *stream = context;
    stream->queue = mem_grow(stream->queue, &stream->queue_capacity, stream->queue_count + 1,
                             sizeof *stream->queue);
    stream->queue[stream->queue_count++] = *observation;
}

static int32_t find_peer(struct mrt_stream *stream, const struct mrt_peer *peer)
{
    int32_t found = route_feed_peer(&stream->feed, &peer->addr, peer->asn);
    if (found < 0)
        mrt_reader_report(&stream->reader, "there are more peers than can be");
    return found;
}

static void take_update(struct mrt_stream *stream, const struct mrt_message *message, int32_t peer)
{
    static const enum route_op announce[2] = {ROUTE_ANNOUNCE, ROUTE_ANNOUNCE};
    struct bgp_update update;
    bool is_usable = bgp_update_decode(message->body, message->form, &update);
    if (!is_usable) {
        mrt_reader_reject(&stream->reader, update.fault);
        return;
    }
    route_feed_hear(&stream->feed, peer);
    if (update.fault)
        mrt_reader_report(&stream->reader, update.fault);
    route_feed_update(&stream->feed, peer, &update, announce);
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
    else if (message->type == BGP_NOTIFICATION && stream->feed.memory->peers[peer].is_up &&
             ends_session(message->body))
        route_feed_lose(&stream->feed, peer);
}

/* The end of a session is told once, also if it is the first that is heard of the peer. */
static void take_state_change(struct mrt_stream *stream, const struct mrt_state_change *change,
                              int32_t peer)
{
    struct known_peer *known = &stream->feed.memory->peers[peer];
    bool is_established = change->after == MRT_ESTABLISHED;
    bool was_established = known->is_up || (!known->id && change->before == MRT_ESTABLISHED);
    if (is_established && change->before != MRT_ESTABLISHED) {
        path_memory_forget(&stream->feed.memory->paths, (uint32_t)peer);
        known->is_up = false; /* a new session, even where the end of the old one was not seen */
        route_feed_hear(&stream->feed, peer);
    } else if (!is_established && was_established) {
        route_feed_lose(&stream->feed, peer);
    }
}

/* How many prefixes each peer had, once the dump is through. */
static void end_dump(struct mrt_stream *stream)
{
    struct utc now = stream->feed.time;
    stream->feed.time = stream->dump_time;
    for (size_t i = 0; utc_is_known(stream->dump_time) && i < stream->dumped_count; i++)
        if (stream->dumped[i])
            route_feed_state(&stream->feed, (int32_t)i, PEER_TABLE, stream->dumped[i]);
    stream->feed.time = now;
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
    stream->dump_time = stream->feed.time;
}

/* Part of a dump: counted, and passed on if wanted. */
static void take_entry(struct mrt_stream *stream, struct route_change change,
                       struct reader attributes, bool is_as4, const char **fault)
{
    struct bgp_attributes decoded;
    const struct route_filter *filter = &stream->feed.memory->filter;
    route_feed_hear(&stream->feed, change.peer);
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
    route_feed_change(&stream->feed, &change);
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
        struct route_change change = {.peer = peer,
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
        struct route_change change = {.peer = peer, .op = ROUTE_TABLE, .prefix = entry.prefix};
        count_dumped(stream, peer);
        take_entry(stream, change, entry.attributes, false, &fault);
    }
    if (fault)
        mrt_reader_report(&stream->reader, fault);
}

static void take_peer_table(struct mrt_stream *stream, struct reader peers)
{
    struct mrt_peer peer;
    if (utc_is_known(stream->dump_time) && utc_diff(stream->feed.time, stream->dump_time) > DUMP_NS)
        end_dump(stream);
    stream->table_count = 0;
    while (mrt_peers_next(&peers, &peer)) {
        stream->table = mem_grow(stream->table, &stream->table_capacity, stream->table_count + 1,
                                 sizeof *stream->table);
        stream->table[stream->table_count++] = route_feed_peer(&stream->feed, &peer.addr, peer.asn);
    }
}

static void take_record(struct mrt_stream *stream, const struct mrt_record *record)
{
    bool is_dump = record->kind == MRT_KIND_PEER_TABLE || record->kind == MRT_KIND_RIB ||
                   record->kind == MRT_KIND_TABLE;
    bool has_peer = record->kind == MRT_KIND_MESSAGE || record->kind == MRT_KIND_STATE_CHANGE;
    stream->feed.time = record->time;
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
    route_feed_done(&stream->feed);
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
    struct sink sink = {registry, push, stream};
    route_feed_init(&stream->feed, &sink, memory, collector);
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
