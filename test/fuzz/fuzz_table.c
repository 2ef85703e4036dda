/* source/table: whatever an archive says, a path that is kept is the same when it is read again, and a scan
 * of it comes to its end with figures that fit together. */
#include "source/table/path_store.h"
#include "source/table/scan_events.h"
#include "../unit/text_maker.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

struct fuzzing {
    struct path_store paths;
    struct scan *scan;
};

static void check_path(struct path_store *store, const struct bgp_path *path, uint32_t peer_asn)
{
    struct buffer kept = {0}, told = {0};
    struct path_way way = path_store_add(store, path, peer_asn);
    buffer_puts(&kept, "");
    buffer_puts(&told, "");
    if (way.number) {
        path_store_format(store, way.number, peer_asn, way.origin, &kept);
        bgp_path_format(path, &told);
        assert(strcmp(kept.bytes, told.bytes) == 0);
        assert(!told.size || way.origin == bgp_path_origin(path));
    }
    buffer_done(&kept);
    buffer_done(&told);
}

static void take(void *context, const struct element *element)
{
    struct fuzzing *fuzzing = context;
    if (element->kind == ELEMENT_ANNOUNCE || element->kind == ELEMENT_TABLE)
        check_path(&fuzzing->paths, &element->attributes->path, element->peer->asn);
    scan_feed(fuzzing->scan, 0, element);
}

static void take_bin(void *context, const struct bin_row *row)
{
    (void)context;
    assert(row->known[0] <= 1 << 24 && row->known[1] <= UINT64_C(1) << 48);
    for (size_t i = 0; i < 2; i++) {
        assert(row->seen[i] <= row->known[i] && row->peers[i] <= row->peers_total[i]);
        assert((row->seen[i] > 0) == (row->prefixes[i] > 0));
    }
}

/* Two countries, each of half of all ASes; loaded once. */
static const struct countries *load_countries(void)
{
    static const char text[] = "2|test|20080224|2|19830101|20080224|+0000\n"
                               "test|AA|asn|0|32768|20080101|allocated\n"
                               "test|BB|asn|32768|4294934528|20080101|allocated\n";
    static struct countries *countries;
    char path[] = "/tmp/lastlight-delegated-XXXXXX";
    const char *paths[] = {path};
    struct stream_faults faults = {0};
    if (countries)
        return countries;
    text_write(path, text, sizeof text - 1);
    countries = countries_load(paths, 1, &faults, NULL);
    remove(path);
    assert(countries);
    return countries;
}

static void check_events(const struct scan *scan)
{
    struct scan_wish wish = {.has_unsure = true, .countries = load_countries()};
    struct scan_events *events = scan_events_new(scan, &wish);
    for (size_t i = 0; i < events->count; i++) {
        const struct scan_event *event = &events->list[i];
        assert(event->prefix_count > 0 && event->blocks > 0 && event->score >= 0);
        assert(event->peers <= event->of && event->longest_ns >= 0);
        assert(event->began.last_before.ns <= event->began.first_after.ns);
        assert(event->open <= event->prefix_count && event->partly <= event->prefix_count);
        assert(event->lacking <= event->lacking_of && event->path_length >= 0);
        assert(event->ended.last_before.ns <= event->ended.first_after.ns);
        assert(!event->is_country ||
               (event->ases <= event->known_ases && event->prefix_count <= event->known_prefixes &&
                event->blocks <= event->known_blocks));
    }
    scan_events_free(events);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct bins *bins = bins_new(&(struct bins_options){.tell = take_bin});
    struct fuzzing fuzzing = {.scan =
                                  scan_new(&(struct scan_options){.min_peers = 2, .bins = bins})};
    struct element_walk walk = {.take = take, .context = &fuzzing};
    struct reader r = reader_of(bytes, n);
    path_store_init(&fuzzing.paths);
    while (reader_left(&r) >= MRT_HEADER) {
        struct mrt_header header = mrt_header_of(reader_bytes(&r, MRT_HEADER));
        if (header.length > reader_left(&r))
            header.length = (uint32_t)reader_left(&r);
        element_walk_record(&walk, &header, reader_sub(&r, header.length));
    }
    element_walk_done(&walk);
    scan_end(fuzzing.scan);
    check_events(fuzzing.scan);
    path_store_sweep(&fuzzing.paths);
    assert(fuzzing.paths.live == 1);
    path_store_done(&fuzzing.paths);
    scan_free(fuzzing.scan);
    bins_free(bins);
    return 0;
}
