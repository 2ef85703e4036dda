/* wire/bmp, wire/bgp_session and source/bgp/bmp_feed: no bytes of a router may lead them astray, and
 * what they make of them must be what the journal can hold; nor the whole table that hears it all. */
#include "source/bgp/bmp_feed.h"
#include "source/table/whole_table.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

struct checker {
    const struct registry *registry;
    int64_t last;
};

static void check(void *context, const struct observation *observation)
{
    struct checker *checker = context;
    const struct registry *registry = checker->registry;
    assert(registry_kind(registry, observation->source) == NAME_COLLECTOR);
    assert(observation->time.ns > 0);
    if (observation->kind == OBSERVATION_ROUTE) {
        assert(registry_kind(registry, observation->target) == NAME_PREFIX);
        assert(registry_kind(registry, observation->peer) == NAME_PEER);
        assert((observation->path == 0) == (observation->code == ROUTE_WITHDRAW));
    } else if (observation->kind == OBSERVATION_PEER) {
        assert(registry_kind(registry, observation->peer) == NAME_PEER);
        assert(observation->code != PEER_TABLE);
    } else {
        assert(observation->kind == OBSERVATION_START || observation->kind == OBSERVATION_GAP);
        assert(observation->time.ns > checker->last);
    }
    if (observation->time.ns > checker->last)
        checker->last = observation->time.ns;
}

static void hear(void *context, const struct heard *heard)
{
    assert(heard->time.ns > 0 && heard->collector);
    assert(heard->kind == HEARD_GAP || heard->peer.family);
    assert(heard->kind != HEARD_ROUTES || heard->routes.safi == BGP_UNICAST);
    whole_table_hear(context, heard);
}

static void take_bin(void *context, const struct bin_row *row)
{
    (void)context;
    for (size_t i = 0; i < 2; i++)
        assert(row->seen[i] <= row->known[i] && row->peers[i] <= row->peers_total[i]);
}

/* Each message a second after the one before. */
static void take_all(struct bmp_feed *feed, const uint8_t *bytes, size_t n, struct utc now)
{
    size_t length;
    while (!bmp_frame(bytes, n, &length) && length && length <= n) {
        struct bmp_message message;
        if (bmp_decode(reader_of(bytes, length), &message))
            return;
        bmp_feed_take(feed, &message, now);
        bmp_feed_settle(feed, now);
        now = utc_add(now, NS_PER_S);
        bytes += length;
        n -= length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct route_memory memory;
    static const uint32_t asn = 65001;
    struct prefix watched[2] = {{.addr = {.family = 4}}, {.addr = {.family = 6}}};
    struct watch watch = {watched, 2, &asn, 1};
    struct registry *registry = registry_new();
    struct checker checker = {.registry = registry};
    struct sink sink = {registry, check, &checker};
    struct utc now = {INT64_C(1700000000) * NS_PER_S};
    struct bmp_feed feed;
    struct bins *bins = bins_new(&(struct bins_options){.tell = take_bin});
    struct whole_table whole;
    struct ear ear = {hear, &whole};
    whole_table_init(&whole, &(struct whole_table_options){.bins = bins});
    route_memory_init(&memory, &watch);
    memory.ear = &ear;
    /* Which table is used the bytes say, too. */
    struct bmp_feed_options options = {
        .collector = "c", .table = (enum bmp_table)(n ? bytes[n - 1] % BMP_TABLES : 0)};
    bmp_feed_init(&feed, &options, &sink, &memory, now);
    take_all(&feed, bytes, n, now);
    whole_table_end(&whole);
    bmp_feed_done(&feed, now, "over");
    whole_table_done(&whole);
    bins_free(bins);
    route_memory_done(&memory);
    registry_free(registry);
    return 0;
}
