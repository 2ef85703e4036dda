/* wire/mrt, wire/bgp and source/bgp: no bytes of an archive may lead them astray. The first byte
 * chooses whether the rest is an archive or the body of one UPDATE. */
#include "source/mrt/mrt_stream.h"
#include "wire/mrt.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_routes(const struct bgp_routes *lists, size_t count)
{
    struct bgp_nlri nlri;
    for (size_t i = 0; i < count; i++) {
        size_t found = 0;
        for (struct bgp_routes routes = lists[i]; bgp_routes_next(&routes, &nlri); found++) {
            struct prefix normal = prefix_of(&nlri.prefix.addr, nlri.prefix.bits);
            assert(prefix_compare(&normal, &nlri.prefix) == 0);
        }
        assert(found > 0 && found == lists[i].count); /* an empty run is left out, a bad one cut */
    }
}

/* What the path says of itself must be what the registry reads in its text. */
static void check_path(const struct bgp_path *path)
{
    struct buffer text = {0};
    struct registry *registry = registry_new();
    buffer_puts(&text, "");
    bgp_path_format(path, &text);
    uint32_t id = registry_intern(registry, NAME_PATH, text.bytes, text.size);
    assert(id);
    assert(registry_path(registry, id)->origin == bgp_path_origin(path));
    registry_free(registry);
    buffer_done(&text);
}

static void try_update(const uint8_t *bytes, size_t n, uint8_t choice)
{
    struct bgp_form form = {.is_as4 = choice & 2,
                            .is_cut = choice & 4,
                            .add_path = (enum bgp_add_path)((choice >> 3) % 3),
                            .add_path6 = (enum bgp_add_path)((choice >> 5) % 3)};
    struct bgp_update update;
    if (!bgp_update_decode(reader_of(bytes, n), form, &update)) {
        assert(update.fault && !update.withdrawn_count && !update.announced_count);
        return;
    }
    check_routes(update.withdrawn, update.withdrawn_count);
    check_routes(update.announced, update.announced_count);
    assert(!update.is_withdrawal || update.fault);
    if (update.announced_count && !update.is_withdrawal)
        check_path(&update.attributes.path);
}

static void check_observation(const struct registry *registry,
                              const struct observation *observation)
{
    assert(registry_kind(registry, observation->source) == NAME_COLLECTOR);
    assert(registry_kind(registry, observation->peer) == NAME_PEER);
    if (observation->kind == OBSERVATION_ROUTE) {
        assert(registry_kind(registry, observation->target) == NAME_PREFIX);
        assert((observation->path == 0) == (observation->code == ROUTE_WITHDRAW));
    } else {
        assert(observation->kind == OBSERVATION_PEER);
    }
}

static void count_report(void *context, const char *fault)
{
    uint64_t *reports = context;
    assert(*fault);
    ++*reports;
}

/* All bytes are the head that was already read; the input itself has none. */
static void try_archive(const uint8_t *bytes, size_t n)
{
    struct prefix watched[2] = {{.addr = {.family = 4}}, {.addr = {.family = 6}}};
    uint32_t asn = 65000;
    struct watch watch = {watched, 2, &asn, 1};
    uint64_t reports = 0;
    struct stream_faults faults = {.report = count_report, .context = &reports};
    struct registry *registry = registry_new();
    struct observation observation;
    struct input *input;
    if (input_open("/dev/null", &input, NULL) == ERR_OK) {
        struct stream *stream = mrt_stream_new(input, bytes, n, "c", &watch, registry, &faults);
        while (stream->next(stream, &observation, NULL) > 0)
            check_observation(registry, &observation);
        stream->close(stream);
    }
    assert(reports == faults.bad && faults.bad <= 2 * faults.records + 1);
    registry_free(registry);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0)
        return 0;
    if (bytes[0] & 1)
        try_update(bytes + 1, n - 1, bytes[0]);
    else
        try_archive(bytes + 1, n - 1);
    return 0;
}
