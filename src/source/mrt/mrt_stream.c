#include "source/mrt/mrt_stream.h"

#include "base/mem.h"
#include "source/mrt/collector.h"
#include "source/mrt/element.h"
#include "source/mrt/mrt_reader.h"
#include "source/bgp/route_feed.h"

#include <stdlib.h>

/* Parts of a dump that are further apart than this are different dumps. */
#define DUMP_NS NS_PER_HOUR

struct mrt_stream {
    struct stream stream;
    struct input *input;
    struct route_feed feed;          /* its time is that of the record in hand */
    struct route_memory *own_memory; /* freed with the stream; NULL if it is somebody else's */
    struct mrt_reader reader;
    struct element_walk walk;

    struct observation *queue; /* what the last record gave */
    size_t queue_capacity;
    size_t queue_count;
    size_t queue_at;

    int32_t *table; /* by place in walk.peers: place in memory->peers, or -1 */
    size_t table_capacity;
    int32_t peer;        /* whose record is in hand: place in memory->peers */
    int32_t last_dumped; /* whose entry was counted last, in this record; -1 */
    uint32_t path_name;  /* of the UPDATE in hand; 0: not yet known */
    uint64_t *dumped;    /* by place in memory->peers: prefixes of the dump that is being read */
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

static void take_message(struct mrt_stream *stream, const struct element *element)
{
    if (element->message == BGP_NOTIFICATION && stream->feed.memory->peers[stream->peer].is_up &&
        ends_session(element->body))
        route_feed_lose(&stream->feed, stream->peer);
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

/* An entry of a dump, or a route that an UPDATE announces or withdraws. */
static void take_route(struct mrt_stream *stream, const struct element *element, int32_t peer,
                       enum route_op op, uint32_t *path_name)
{
    bool has_path = op != ROUTE_WITHDRAW;
    struct route_change change = {.peer = peer,
                                  .op = op,
                                  .prefix = element->prefix,
                                  .path_id = element->path_id,
                                  .has_path_id = element->has_path_id,
                                  .path = has_path ? &element->attributes->path : NULL,
                                  .path_name = path_name};
    uint64_t not_kept = stream->feed.memory->paths.not_kept;
    route_feed_change(&stream->feed, &change);
    if (!not_kept && stream->feed.memory->paths.not_kept)
        mrt_reader_report(&stream->reader, PATH_MEMORY_LACK);
}

/* Part of a dump: counted, and passed on if wanted. */
static void take_entry(struct mrt_stream *stream, const struct element *element)
{
    uint32_t path_name = 0;
    bool is_of_index = element->header->type == MRT_TABLE_DUMP_V2;
    int32_t peer = is_of_index ? stream->table[element->peer - stream->walk.peers]
                               : find_peer(stream, element->peer);
    if (peer < 0)
        return;
    if (peer != stream->last_dumped ||
        !is_of_index) /* several paths to one prefix are neighbours */
        count_dumped(stream, peer);
    stream->last_dumped = peer;
    route_feed_hear(&stream->feed, peer);
    if (element->attributes)
        take_route(stream, element, peer, ROUTE_TABLE, &path_name);
}

static void take_element(void *context, const struct element *element)
{
    struct mrt_stream *stream = context;
    bool is_route = element->kind <= ELEMENT_TABLE;
    if (is_route && element->safi != BGP_UNICAST)
        return;
    if (element->kind == ELEMENT_TABLE)
        take_entry(stream, element);
    else if (element->kind == ELEMENT_ANNOUNCE)
        take_route(stream, element, stream->peer, ROUTE_ANNOUNCE, &stream->path_name);
    else if (element->kind == ELEMENT_WITHDRAW)
        take_route(stream, element, stream->peer, ROUTE_WITHDRAW, NULL);
    else if (element->kind == ELEMENT_STATE)
        take_state_change(stream, &element->state, stream->peer);
    else if (element->kind == ELEMENT_MESSAGE)
        take_message(stream, element);
}

static void take_peer_table(struct mrt_stream *stream)
{
    const struct element_walk *walk = &stream->walk;
    if (utc_is_known(stream->dump_time) && utc_diff(stream->feed.time, stream->dump_time) > DUMP_NS)
        end_dump(stream);
    stream->table =
        mem_grow(stream->table, &stream->table_capacity, walk->peer_count, sizeof *stream->table);
    for (size_t i = 0; i < walk->peer_count; i++)
        stream->table[i] = route_feed_peer(&stream->feed, &walk->peers[i].addr, walk->peers[i].asn);
}

/* What the collector itself sent is nothing that it heard. */
static bool begin_message(struct mrt_stream *stream, const struct mrt_record *record)
{
    if (!record->peer.addr.family) {
        mrt_reader_report(&stream->reader, "a change of a session does not say whose it is");
        return false;
    }
    stream->peer = find_peer(stream, &record->peer);
    stream->path_name = 0;
    if (stream->peer < 0 || (record->kind == MRT_KIND_MESSAGE && record->message.is_from_collector))
        return false;
    if (record->kind == MRT_KIND_MESSAGE && record->message.type == BGP_UPDATE)
        route_feed_hear(&stream->feed, stream->peer);
    return true;
}

static bool begin_record(void *context, const struct mrt_record *record)
{
    struct mrt_stream *stream = context;
    bool is_dump = record->kind == MRT_KIND_PEER_TABLE || record->kind == MRT_KIND_RIB ||
                   record->kind == MRT_KIND_TABLE;
    stream->feed.time = record->time;
    stream->last_dumped = -1;
    if (!is_dump && utc_is_known(stream->dump_time))
        end_dump(stream);
    if (record->kind == MRT_KIND_PEER_TABLE)
        take_peer_table(stream);
    if (record->kind == MRT_KIND_MESSAGE || record->kind == MRT_KIND_STATE_CHANGE)
        return begin_message(stream, record);
    return true;
}

/* The attributes of a dump's entry are of interest where its prefix is, or may become so by its
 * origin. */
static bool wants_attributes(void *context, const struct prefix *prefix)
{
    const struct mrt_stream *stream = context;
    const struct route_filter *filter = &stream->feed.memory->filter;
    return filter->asn_count || route_filter_has_prefix(filter, prefix);
}

static void report(void *context, const char *fault)
{
    struct mrt_stream *stream = context;
    mrt_reader_report(&stream->reader, fault);
}

static int next(struct stream *base, struct observation *out, struct why *why)
{
    struct mrt_stream *stream = (struct mrt_stream *)base;
    while (stream->queue_at == stream->queue_count) {
        struct mrt_header header;
        struct reader body;
        stream->queue_at = stream->queue_count = 0;
        int found = mrt_reader_next(&stream->reader, &header, &body, why);
        if (found <= 0) {
            end_dump(stream);
            if (stream->queue_count == 0)
                return found;
            continue;
        }
        const char *fault = element_walk_record(&stream->walk, &header, body);
        if (fault)
            mrt_reader_reject(&stream->reader, fault);
    }
    *out = stream->queue[stream->queue_at++];
    return 1;
}

static void close_stream(struct stream *base)
{
    struct mrt_stream *stream = (struct mrt_stream *)base;
    mrt_reader_done(&stream->reader);
    element_walk_done(&stream->walk);
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
    stream->walk = (struct element_walk){.take = take_element,
                                         .report = report,
                                         .begin = begin_record,
                                         .wants = wants_attributes,
                                         .context = stream};
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
