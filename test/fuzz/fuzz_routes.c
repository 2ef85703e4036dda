/* app/route_dump and app/route_json: whatever an archive holds, its lines fit into the room that is theirs,
 * are one line each, and those of JSON are JSON. The first byte chooses the form of the others. */
#include "app/route_dump.h"
#include "app/route_json.h"
#include "source/mrt/mrt_reader.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

struct printing {
    struct route_file file;
    struct route_dump *dump;
    struct route_json *json;
    char *room; /* exactly ROUTE_LINE_MAX, so that a sanitizer sees what is beyond */
};

static void check_line(const char *start, const char *end)
{
    assert(end - start <= ROUTE_LINE_MAX - DIGITS_SLACK);
    if (end > start)
        assert(memchr(start, '\n', (size_t)(end - start)) == end - 1);
}

static void take(void *context, const struct element *element)
{
    struct printing *printing = context;
    char *end = route_dump_line(printing->dump, &printing->file, element, printing->room);
    check_line(printing->room, end);
    end = route_json_line(printing->json, &printing->file, element, printing->room);
    assert(end > printing->room);
    check_line(printing->room, end);
    json_t *parsed =
        json_loadb(printing->room, (size_t)(end - printing->room), JSON_REJECT_DUPLICATES, NULL);
    assert(json_is_object(parsed));
    json_decref(parsed);
}

static void print_archive(struct printing *printing, const uint8_t *bytes, size_t n)
{
    struct stream_faults faults = {0};
    struct mrt_reader reader;
    struct mrt_header header;
    struct reader body;
    struct input *input;
    struct element_walk walk = {.take = take, .context = printing};
    if (input_open("/dev/null", &input, NULL))
        return;
    mrt_reader_init(&reader, input, bytes, n, &faults);
    while (mrt_reader_next(&reader, &header, &body, NULL) > 0) {
        printing->file.record++;
        const char *fault = element_walk_record(&walk, &header, body);
        if (fault)
            mrt_reader_reject(&reader, fault);
    }
    element_walk_done(&walk);
    mrt_reader_done(&reader);
    input_close(input);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0)
        return 0;
    struct route_dump_options options = {.is_short = bytes[0] & 2,
                                         .has_large_communities = bytes[0] & 4,
                                         .is_time_of_change = bytes[0] & 8};
    struct printing printing = {.file = {.path = "archive", .collector = "a \"collector\""},
                                .dump = route_dump_new(&options),
                                .json = route_json_new(),
                                .room = malloc(ROUTE_LINE_MAX)};
    assert(printing.room);
    print_archive(&printing, bytes + 1, n - 1);
    route_dump_free(printing.dump);
    route_json_free(printing.json);
    free(printing.room);
    return 0;
}
