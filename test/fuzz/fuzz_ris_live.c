/* source/bgp/ris_live_message and ris_live_feed: no line of a server may lead them astray, and what
 * they make of them must be what the journal can hold. */
#include "model/registry.h"
#include "source/bgp/ris_live_feed.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

struct checker {
    const struct registry *registry;
    struct ris_feed *feed;
};

static void check(void *context, const struct observation *observation)
{
    const struct checker *checker = context;
    const struct registry *registry = checker->registry;
    assert(registry_kind(registry, observation->source) == NAME_COLLECTOR);
    assert(observation->time.ns >= checker->feed->started.ns && observation->time.ns > 0);
    if (observation->kind == OBSERVATION_ROUTE) {
        assert(registry_kind(registry, observation->target) == NAME_PREFIX);
        assert(registry_kind(registry, observation->peer) == NAME_PEER);
        assert(observation->code != ROUTE_TABLE);
        assert((observation->path == 0) == (observation->code == ROUTE_WITHDRAW));
    } else if (observation->kind == OBSERVATION_PEER) {
        assert(registry_kind(registry, observation->peer) == NAME_PEER);
        assert(observation->code == PEER_UP || observation->code == PEER_DOWN ||
               observation->code == PEER_HEARD);
    } else {
        assert(observation->kind == OBSERVATION_START || observation->kind == OBSERVATION_GAP);
        assert(observation->time.ns >= checker->feed->newest.ns);
    }
}

static void check_message(const struct ris_message *message)
{
    assert(message->kind == RIS_OTHER || message->kind == RIS_ERROR || *message->host);
    assert(strlen(message->host) <= RIS_HOST_MAX && strlen(message->text) <= RIS_TEXT_MAX);
    assert(!message->has_raw || (*message->host && reader_left(&message->raw)));
    assert(!message->has_raw || message->kind != RIS_STATE);
    assert(!*message->host || (message->peer.family && message->time.ns > 0));
}

/* All that is said of the first collector that is named, each line a second after the one before. */
static void take_all(struct ris_feed *feed, const struct sink *sink, struct route_memory *memory,
                     const char *at, const char *end)
{
    struct ris_parser parser = {0};
    struct ris_message message, first = {0};
    struct utc now = {INT64_C(1789019602) * NS_PER_S};
    while (at < end) {
        const char *line = at, *stop = memchr(at, '\n', (size_t)(end - at));
        at = stop ? stop + 1 : end;
        if (ris_message_decode(&parser, line, (size_t)((stop ? stop : end) - line), &message))
            continue;
        check_message(&message);
        if (!*message.host || (*first.host && strcmp(first.host, message.host)))
            continue;
        if (!*first.host)
            ris_feed_init(feed, sink, memory, &message, (struct utc){0}, now);
        first = *first.host ? first : message;
        ris_feed_take(feed, &message, now);
        now = utc_add(now, NS_PER_S);
    }
    if (*first.host)
        ris_feed_done(feed, "over");
    ris_parser_done(&parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct route_memory memory;
    static const uint32_t asn = 65001;
    struct prefix watched[2] = {{.addr = {.family = 4}}, {.addr = {.family = 6}}};
    struct watch watch = {watched, 2, &asn, 1};
    struct registry *registry = registry_new();
    struct ris_feed feed = {0};
    struct checker checker = {registry, &feed};
    struct sink sink = {registry, check, &checker};
    route_memory_init(&memory, &watch);
    take_all(&feed, &sink, &memory, (const char *)bytes, (const char *)bytes + n);
    route_memory_done(&memory);
    registry_free(registry);
    return 0;
}
