/* What a router told over BMP (RFC 7854; 9069 for Loc-RIB, 8671 for Adj-RIB-Out), read from the bytes of
 * its connection, as elements: UPDATEs; sessions that come up and go down as changes of their state,
 * with the NOTIFICATION that ended one. A message's time is when the router says that it was; where it
 * does not, that of the message before.
 *
 * How a peer's UPDATEs are to be read its PEER_UP says; of a peer that had none here, because the bytes
 * begin later, say, that is guessed. */
#include "source/mrt/route_reader.h"

#include "base/mem.h"
#include "source/mrt/record_reader.h"

#include <stdlib.h>

/* Peers whose sessions are kept, as many as a live BMP router may have; of more they are guessed. */
enum { PEERS_MAX = 4096 };
enum { PEER_HEADER = 42, ROUTER_NAME_MAX = 63 };

/* What tells the peers of a router apart (RFC 7854, 4.2). */
struct peer_key {
    uint8_t bytes[1 + 8 + 1 + 16];
};

struct known_session {
    struct peer_key key;
    struct bgp_session of[2]; /* place 1: of tables that are heard */
};

struct bmp_reader {
    struct route_reader base;
    struct record_reader records;
    struct bmp_message message;     /* in hand */
    struct known_session *sessions; /* sorted */
    size_t session_count, session_capacity;
    char name[ROUTER_NAME_MAX + 1]; /* the router's own */
};

/* ---- messages ---- */

static size_t size_of(const uint8_t *header)
{
    size_t length = 0;
    return bmp_frame(header, BMP_HEADER, &length) ? 0 : length;
}

static bool is_likely(const struct record_reader *records, const uint8_t *header)
{
    uint8_t type = header[BMP_HEADER - 1];
    bool is_of_peer = type != BMP_INITIATION && type != BMP_TERMINATION;
    (void)records;
    return type <= BMP_ROUTE_MIRRORING &&
           size_of(header) >= BMP_HEADER + (is_of_peer ? PEER_HEADER : 0U);
}

static const char *check(struct reader bytes)
{
    struct bmp_message message;
    return bmp_decode(bytes, &message);
}

static bool is_of_peer(const struct bmp_message *message)
{
    return message->type == BMP_ROUTE_MONITORING || message->type == BMP_PEER_UP ||
           message->type == BMP_PEER_DOWN;
}

static int next(struct route_reader *base, struct why *why)
{
    struct bmp_reader *reader = (struct bmp_reader *)base;
    struct reader bytes;
    int found;
    while ((found = record_reader_next(&reader->records, &bytes, why)) > 0) {
        const char *fault = bmp_decode(bytes, &reader->message);
        if (!fault)
            break;
        record_reader_reject(&reader->records, fault);
    }
    if (found > 0 && is_of_peer(&reader->message) && utc_is_known(reader->message.peer.time))
        base->time = reader->message.peer.time;
    return found;
}

/* ---- sessions ---- */

static struct peer_key key_of(const struct bmp_peer *peer)
{
    struct peer_key key;
    key.bytes[0] = peer->type;
    memcpy(key.bytes + 1, &peer->distinguisher, 8);
    key.bytes[9] = peer->addr.family;
    memcpy(key.bytes + 10, peer->addr.bytes, 16);
    return key;
}

/* The place of a peer, or the one where it belongs. */
static size_t find_session(const struct bmp_reader *reader, const struct peer_key *key)
{
    size_t from = 0, until = reader->session_count;
    while (from < until) {
        size_t middle = (from + until) / 2;
        if (memcmp(&reader->sessions[middle].key, key, sizeof *key) < 0)
            from = middle + 1;
        else
            until = middle;
    }
    return from;
}

static struct known_session *session_at(const struct bmp_reader *reader, size_t place,
                                        const struct peer_key *key)
{
    bool is_known = place < reader->session_count &&
                    memcmp(&reader->sessions[place].key, key, sizeof *key) == 0;
    return is_known ? &reader->sessions[place] : NULL;
}

static struct known_session *make_session(struct bmp_reader *reader, size_t place,
                                          const struct peer_key *key)
{
    reader->sessions = mem_grow(reader->sessions, &reader->session_capacity,
                                reader->session_count + 1, sizeof *reader->sessions);
    struct known_session *session = &reader->sessions[place];
    memmove(session + 1, session, (reader->session_count++ - place) * sizeof *session);
    session->key = *key;
    return session;
}

static void learn_session(struct bmp_reader *reader)
{
    const struct peer_key key = key_of(&reader->message.peer);
    size_t place = find_session(reader, &key);
    struct known_session *session = session_at(reader, place, &key);
    if (!session && reader->session_count == PEERS_MAX) {
        record_reader_report(&reader->records,
                             "there are more peers than can be kept: how this one's UPDATEs are to "
                             "be read is guessed");
        return;
    }
    if (!session)
        session = make_session(reader, place, &key);
    session->of[true] = bmp_session_of(&reader->message, true);
    session->of[false] = bmp_session_of(&reader->message, false);
}

static void forget_session(struct bmp_reader *reader)
{
    const struct peer_key key = key_of(&reader->message.peer);
    size_t place = find_session(reader, &key);
    struct known_session *session = session_at(reader, place, &key);
    if (session)
        memmove(session, session + 1, (--reader->session_count - place) * sizeof *session);
}

static struct bgp_form form_of(const struct bmp_reader *reader, enum bmp_table table)
{
    const struct bmp_peer *peer = &reader->message.peer;
    const struct peer_key key = key_of(peer);
    const struct known_session *known = session_at(reader, find_session(reader, &key), &key);
    return bmp_form_of(peer, known ? &known->of[bmp_table_is_heard(table)] : &bgp_session_unknown);
}

/* ---- elements ---- */

static struct mrt_record record_of(const struct bmp_reader *reader, enum mrt_kind kind)
{
    const struct bmp_peer *peer = &reader->message.peer;
    return (struct mrt_record){.kind = kind,
                               .time = reader->base.time,
                               .peer = {.addr = bmp_peer_addr(peer), .asn = peer->asn}};
}

static void walk_update(struct bmp_reader *reader, struct element_walk *walk)
{
    const struct bmp_peer *peer = &reader->message.peer;
    enum bmp_table table = bmp_table_of(peer);
    struct mrt_record record = record_of(reader, MRT_KIND_MESSAGE);
    record.message = (struct mrt_message){.type = BGP_UPDATE,
                                          .body = reader->message.update,
                                          .form = form_of(reader, table),
                                          .is_from_collector = peer->is_out};
    const char *fault = element_walk_heard(walk, &record, table, peer->distinguisher);
    if (fault)
        record_reader_report(&reader->records, fault);
}

/* Sessions are told of once, whatever tables follow (RFC 8671, 6.3): only Loc-RIB has its own. */
static void walk_session(struct bmp_reader *reader, struct element_walk *walk,
                         struct mrt_record *record)
{
    const struct bmp_peer *peer = &reader->message.peer;
    enum bmp_table table = peer->type == BMP_PEER_LOC_RIB ? BMP_LOC_RIB : BMP_TABLES;
    element_walk_heard(walk, record, table, peer->distinguisher);
}

/* RFC 4271, 8.2.2: a session is established from OpenConfirm, and idle once it is over. */
static void walk_change(struct bmp_reader *reader, struct element_walk *walk, uint16_t before,
                        uint16_t after)
{
    struct mrt_record record = record_of(reader, MRT_KIND_STATE_CHANGE);
    record.state_change = (struct mrt_state_change){before, after};
    walk_session(reader, walk, &record);
}

static void walk_notification(struct bmp_reader *reader, struct element_walk *walk)
{
    struct mrt_record record = record_of(reader, MRT_KIND_MESSAGE);
    record.message =
        (struct mrt_message){.type = BGP_NOTIFICATION,
                             .body = reader->message.notification,
                             .is_from_collector = reader->message.reason == BMP_DOWN_NOTIFIED};
    walk_session(reader, walk, &record);
}

static void walk(struct route_reader *base, struct element_walk *walk)
{
    struct bmp_reader *reader = (struct bmp_reader *)base;
    switch (reader->message.type) {
    case BMP_ROUTE_MONITORING:
        walk_update(reader, walk);
        break;
    case BMP_PEER_UP:
        learn_session(reader);
        walk_change(reader, walk, MRT_OPEN_CONFIRM, MRT_ESTABLISHED);
        break;
    case BMP_PEER_DOWN:
        forget_session(reader);
        if (reader->message.notification.at)
            walk_notification(reader, walk);
        walk_change(reader, walk, MRT_ESTABLISHED, MRT_IDLE);
        break;
    case BMP_INITIATION:
        if (bmp_name(reader->message.sys_name, reader->name, sizeof reader->name))
            base->collector = reader->name;
        break;
    default:
        break;
    }
}

/* ---- in all ---- */

static void report(struct route_reader *base, const char *fault)
{
    record_reader_report(&((struct bmp_reader *)base)->records, fault);
}

static void free_reader(struct route_reader *base)
{
    struct bmp_reader *reader = (struct bmp_reader *)base;
    record_reader_done(&reader->records);
    free(reader->sessions);
    free(reader);
}

struct route_reader *bmp_reader_new(struct input *input, const void *head, size_t head_size,
                                    struct stream_faults *faults)
{
    static const struct record_form form = {.name = "BMP message",
                                            .header = BMP_HEADER,
                                            .size = size_of,
                                            .is_likely = is_likely,
                                            .check = check};
    struct bmp_reader *reader = mem_new(1, sizeof *reader);
    reader->base =
        (struct route_reader){.next = next, .walk = walk, .report = report, .free = free_reader};
    record_reader_init(&reader->records, &form, input, head, head_size, faults);
    return &reader->base;
}
